"""Nonlinear least squares for one curve: residuals, derivatives, bounds, and errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import OptimizeResult, least_squares

from scalinglib.checks import Floats
from scalinglib.fit.formula import Curve
from scalinglib.fit.result import STEP
from scalinglib.fit.search import SAME, WIDE

CENTRAL = 6e-6
"""Step of a central difference, as a share of the parameter: the cube root of the rounding."""

TOLERANCE = 1e-15

AT_BOUND = 1e-6
"""A parameter this near to its bound, as a share of its size or of one, is tried at it."""


@dataclass(frozen=True, slots=True)
class CurveProblem:
    """Points, factors of their residuals, a curve, and what both sides are transformed by.

    Points are (n,), or (k, n) for a law of k variables. With a finite Huber threshold `delta`
    a point of factor w counts as w^2 points; `absolute` says that factors are inverse standard
    errors, to be taken at their word.
    """

    curve: type[Curve]
    x: Floats
    observed: Floats
    factors: Floats
    transform: Callable[[Any], Any]
    delta: float = np.inf
    absolute: bool = False

    def fitted(self, params: Any) -> Any:
        """What the curve predicts, transformed."""
        return self.transform(self.curve.formula(self.x, *params))

    def residual(self, params: Floats) -> Floats:
        """Weighted gaps between curve and points; a curve that overflows is far away."""
        with np.errstate(all="ignore"):
            gap: Floats = self._pull * (self.fitted(params) - self.observed)
        # A start may wander where the formula overflows; a large residual turns it back.
        tame: Floats = np.nan_to_num(gap, nan=1e6, posinf=1e6, neginf=-1e6)
        return tame

    @property
    def _pull(self) -> Floats:
        """Factors of the residuals; under a Huber loss the loss itself is multiplied instead."""
        return np.ones_like(self.factors) if np.isfinite(self.delta) else self.factors

    def jacobian(self, params: Floats) -> Floats:
        """Derivatives of the residuals, (points, p)."""
        with np.errstate(all="ignore"):
            table: Floats = self._pull[:, None] * self._slopes(params)
        return np.nan_to_num(table, nan=0.0, posinf=0.0, neginf=0.0)

    def _slopes(self, params: Floats) -> Floats:
        """By the curve's own gradient, along the imaginary axis, or by central differences."""
        curve, p = self.curve, len(params)
        if curve.gradient is not None:
            height = self.curve.formula(self.x, *params)
            own = np.stack(np.broadcast_arrays(*curve.gradient(self.x, *params), height)[:p], 1)
            return own * slope_of(self.transform, height)[:, None]
        if curve.exact:
            moved = params + STEP * 1j * np.eye(p)
            return np.stack([np.imag(self.fitted(row)) / STEP for row in moved], axis=1)
        width = CENTRAL * np.maximum(np.abs(params), 1e-6)
        low, high = self._box(list(curve.names()))
        ahead, back = np.minimum(params + width, high), np.maximum(params - width, low)
        columns = []
        for j in range(p):
            up, down = params.copy(), params.copy()
            up[j], down[j] = ahead[j], back[j]
            columns.append((self.fitted(up) - self.fitted(down)) / (ahead[j] - back[j]))
        return np.stack(columns, axis=1)

    def solve(self, start: Floats, held: Mapping[str, float]) -> tuple[Floats, float] | None:
        """Optimum and objective from one start, or None where the curve is not finite there."""
        names = self.curve.names()
        free = [j for j, name in enumerate(names) if name not in held]
        full = np.array(
            [held.get(name, value) for name, value in zip(names, start, strict=True)], dtype=float
        )
        if not free:
            return full, self.cost(full)
        low, high = self._box([names[j] for j in free])
        inside = np.clip(full[free], low, high)

        def place(part: Floats) -> Floats:
            whole: Floats = full.copy()
            whole[free] = part
            return whole

        def residual(part: Floats) -> Floats:
            return self.residual(place(part))

        def jacobian(part: Floats) -> Floats:
            return self.jacobian(place(part))[:, free]

        # Wide thresholds first: a Huber loss of a small one is almost piecewise linear.
        for delta in [*(wide for wide in WIDE if self.delta < wide < np.inf), self.delta]:
            result: OptimizeResult = least_squares(
                residual,
                inside,
                jac=jacobian,
                bounds=(low, high),
                loss=partial(_huber, self.factors**2, delta) if delta < np.inf else "linear",
                x_scale="jac",
                ftol=TOLERANCE,
                xtol=TOLERANCE,
                gtol=TOLERANCE,
                max_nfev=1000,
            )
            inside = result.x
        best = place(result.x)
        with np.errstate(all="ignore"):
            good = np.isfinite(self.fitted(best)).all() and np.isfinite(result.cost)
        return (best, float(result.cost)) if good else None

    def cost(self, params: Floats) -> float:
        """Objective at these parameters."""
        gap = self.residual(params)
        if self.delta == np.inf:
            return float(0.5 * np.sum(gap**2))
        return float(0.5 * np.sum(_huber(self.factors**2, self.delta, gap**2)[0]))

    def settle(
        self, params: Floats, cost: float, held: Mapping[str, float]
    ) -> tuple[Floats, float, tuple[str, ...]]:
        """Put parameters that crowd a bound exactly on it, if that costs nothing."""
        on: dict[str, float] = {}
        for j, name in enumerate(self.curve.names()):
            if name in held:
                continue
            for edge in self.curve.bounds.get(name, ()):
                near = AT_BOUND * max(1.0, abs(edge))
                if not np.isfinite(edge) or abs(params[j] - edge) > near:
                    continue
                again = self.solve(params, {**held, **on, name: edge})
                if again is not None and again[1] <= cost * (1 + SAME) + np.finfo(float).tiny:
                    on[name] = edge
                    params, cost = again
        return params, cost, tuple(on)

    def standard_errors(self, params: Floats, cost: float, free: list[str]) -> pd.Series[float]:
        """From the Jacobian at the optimum; NaN for what was not free, or fitted robustly."""
        names = self.curve.names()
        errors = pd.Series(np.nan, index=list(names), name="standard error")
        degrees = len(self.x) - len(free)
        if free and (degrees > 0 or self.absolute) and self.delta == np.inf:
            J = self.jacobian(params)[:, [names.index(name) for name in free]]
            length = np.linalg.norm(J, axis=0)
            if (length > 0).all():
                _, s, V = np.linalg.svd(J / length, full_matrices=False)
                if s[-1] > 1e-13 * s[0]:
                    spread = np.sqrt(np.sum((V.T / s) ** 2, axis=1)) / length
                    errors[free] = spread * (1 if self.absolute else np.sqrt(2 * cost / degrees))
        return errors

    def _box(self, names: list[str]) -> tuple[Floats, Floats]:
        ranges = [self.curve.bounds.get(name, (-np.inf, np.inf)) for name in names]
        return np.array([low for low, _ in ranges]), np.array([high for _, high in ranges])


def _huber(times: Floats, delta: float, squares: Floats) -> Floats:
    """Twice the Huber loss, in the squares of residuals, and its two derivatives, (3, n)."""
    size = np.sqrt(squares)
    inside = size <= delta
    safe = np.where(inside, delta, size)
    value = np.where(inside, squares, 2 * delta * size - delta**2)
    bent = np.where(inside, 0.0, -0.5 * delta / safe**3)
    loss: Floats = times * np.stack([value, np.where(inside, 1.0, delta / safe), bent])
    return loss


def slope_of(transform: Callable[[Any], Any], at: Floats) -> Floats:
    """Derivative of a transform, along the imaginary axis."""
    with np.errstate(all="ignore"):
        slope: Floats = np.imag(transform(np.asarray(at) + STEP * 1j)) / STEP
    return slope
