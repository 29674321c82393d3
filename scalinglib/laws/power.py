"""A power law of one variable, with an optional floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, enough_rows, positive, varying, vectors
from scalinglib.errors import DataError
from scalinglib.fit.huber import Expansion, PowerSum, SmoothProblem
from scalinglib.fit.model import Equation, Model, PowerSumModel, Restriction, placed, power_sum
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import Optimum, projected_starts, search
from scalinglib.fit.warnings import NEGLIGIBLE
from scalinglib.fit.weights import Weights, inverse_sd, rising

BELOW = 10.0
"""Deviance by which a free floor must be better before a fit says that it would go below zero. Of
simulated tables whose floor is zero, 3 in 100 of five points reach it, and 1 in 100 of twelve."""


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power law with an optional floor, y = E + A x^-alpha.

    Parameters
    ----------
    A : float
        Value above the floor at x = 1, in the unit of y.
    alpha : float
        Exponent; negative for a quantity that grows with x.
    E : float, optional
        Floor that y approaches, in the unit of y; without it a pure power law.
    source : str, optional
        Where the constants were printed.

    Examples
    --------
    >>> law = PowerLaw(A=10.0, alpha=0.5)
    >>> print(f"{law.loss(100.0):.4f}")
    1.0000
    """

    A: float
    alpha: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale: parameters, tokens, FLOP or any other positive quantity.

        Returns
        -------
        ndarray of float64
            In the unit of `A`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `x` is not positive.

        Examples
        --------
        >>> print(PowerLaw(A=8.0, alpha=1.0, E=1.0).loss([1.0, 4.0]))
        [9. 3.]
        """
        return self.E + self.A * positive("x", x) ** -self.alpha

    @property
    def x_c(self) -> float:
        """The scale constant of the form (x_c / x)^alpha, A^(1/alpha); Kaplan's N_c, D_c, C_c."""
        return float(self.A ** (1 / self.alpha))


@dataclass(frozen=True, slots=True)
class PowerLawModel(PowerSumModel):
    """Parametrisation of `PowerLaw`."""

    names: ClassVar[tuple[str, ...]] = ("A", "alpha", "E")
    order: ClassVar[tuple[str, ...]] = ("A", "E", "alpha")

    def law(self, params: Floats) -> PowerLaw:
        """The law with parameters A, alpha, E."""
        return PowerLaw(*(float(value) for value in params))


@dataclass(frozen=True, slots=True)
class FreeFloorProblem(SmoothProblem):
    """ln y = level + ln(exp(a - alpha u) + f), coordinates a, f, alpha; f may be negative.

    Where the sum is not positive the prediction is not a number, and the solver turns back.
    """

    level: float

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 3

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        a, f, alpha = theta[:, :, None]
        term = np.exp(a - alpha * u[0])
        total = term + f
        w, v = term / total, 1 / total
        bent = w * (1 - w)
        second = {
            (0, 0): bent,
            (1, 0): -w * v,
            (1, 1): -v * v,
            (2, 0): -u[0] * bent,
            (2, 1): u[0] * w * v,
            (2, 2): u[0] ** 2 * bent,
        }
        return self.level + np.log(total), [w, v, -u[0] * w], second

    def starts(self) -> Floats:
        """Floors from far below zero to just under the least y; the rest is a straight line."""
        u, height = self.u[0], np.exp(self.y - self.level)
        floors = height.min() - np.geomspace(1e-3, 30.0, 40) * np.ptp(height)
        logs = np.log(height - floors[:, None])
        slope = (logs - logs.mean(axis=1, keepdims=True)) @ u / (u @ u)
        return np.stack([logs.mean(axis=1), floors, -slope])


@dataclass(frozen=True, slots=True)
class FreeFloorModel(Model):
    """Parametrisation of `PowerLaw` with a floor of either sign; `centre` is the mean of ln x."""

    problem: FreeFloorProblem
    centre: float
    names: ClassVar[tuple[str, ...]] = ("A", "alpha", "E")

    def params(self, theta: Floats) -> Floats:
        """Parameters A, alpha, E of solver coordinates (3, R)."""
        a, f, alpha = theta
        level = self.problem.level
        with np.errstate(all="ignore"):
            return np.stack([np.exp(a + level + alpha * self.centre), alpha, f * np.exp(level)])

    def law(self, params: Floats) -> PowerLaw:
        """The law with parameters A, alpha, E."""
        return PowerLaw(*(float(value) for value in params))

    def place(self, *scale: float) -> Floats:
        """A point of the problem (1, 1) at a scale that the law takes."""
        return placed(scale, np.array([self.centre]))

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        level = self.problem.level
        if name == "A":
            return Equation(np.array([1.0, 0.0, self.centre]), level, 0, logarithmic=True)
        if name == "E":
            return Equation(np.array([0.0, np.exp(level), 0.0]), 0.0, 1, logarithmic=False)
        return Equation(np.array([0.0, 0.0, 1.0]), 0.0, 2, logarithmic=False)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the power term."""
        return {"A": float(J[0].max())}


def fit_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    offset: bool | Literal["free"] = False,
    loss: Loss = "l2",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[PowerLaw]:
    """Fit y = A x^-alpha, or y = E + A x^-alpha with `offset`.

    The residual is ln(predicted) - ln(observed), so without an offset and with the default
    loss this is the least-squares line on log-log axes.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units.
    offset : bool or "free", optional
        Whether to fit a floor E of zero or more, or with ``"free"`` one of either sign; without
        one E is held at zero.
    loss : {"l2", "huber", "lad"}
        Least squares, Huber loss, or least absolute deviations.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    fixed : mapping of str to float, optional
        Parameters among A, alpha and E to hold.
    weights : array_like, shape (n,), optional
        Inverse standard deviations of ln y, up to a common factor. A point of weight w counts as
        w^2 points, under any loss.
    sigma : array_like, shape (n,), optional
        Standard errors of y, in its unit, instead of weights: those of ln y are sigma / y. With
        least squares they are taken at their word, as by ``absolute_sigma=True`` of
        `scipy.optimize.curve_fit`; ``fit.summary()`` then has the errors of the parameters, and
        two points are enough for a line.

    Returns
    -------
    Fit
        With a `PowerLaw`; its exponent is negative where y grows with x, which a fit with an
        offset, or of numbers up to one, says in its warnings.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, or x or y does not vary.

    Examples
    --------
    >>> import scalinglib as sl
    >>> fit = sl.fit_power_law([1e6, 1e7, 1e8, 1e9], [5.0, 4.2, 3.6, 3.1])
    >>> print(f"{fit.law.alpha:.4f}")
    0.0690
    """
    values, labels = vectors(x=x, y=y)
    if offset not in (True, False, "free"):
        raise DataError(f"offset must be True, False or 'free', got {offset!r}.")
    factors = inverse_sd(weights, sigma, values[1], labels, slope=1 / values[1])
    problem, centre = power_sum(values[:1], values[1], threshold(loss, delta), factors)
    free = _free(problem, centre)
    model: Model = free if offset == "free" else PowerLawModel(problem, centre)
    held = dict(fixed or {}) if offset else {**(fixed or {}), "E": 0.0}
    restriction = model.restrict(held, ())
    spare = 0 if factors is None else 1
    enough_rows(values, len(restriction.free) - spare, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    told = _rises(values, offset=bool(offset))
    starts = free.problem.starts() if offset == "free" else projected_starts(problem)
    if offset is False or (told and offset is True):
        starts = np.concatenate([starts, starts * np.array([[1.0], [1.0], [-1.0]])], axis=1)
    lad = loss == "lad"
    best = search(model.problem, starts, restriction, lad=lad)
    if offset is True and not told:
        told = _sunken(free, best, problem, restriction, lad=lad)
    if len(values[0]) == len(restriction.free):
        told += (
            f"{len(values[0])} points meet {len(values[0])} parameters exactly, so nothing is "
            "left by which to judge the law.",
        )
    return conclude(model, best, restriction, labels, loss, told, absolute=sigma is not None)


def _free(problem: PowerSum, centre: Floats) -> FreeFloorModel:
    """The same points with a floor of either sign."""
    level = float(problem.y.mean())
    other = FreeFloorProblem(problem.u, problem.y, problem.delta, level, times=problem.times)
    return FreeFloorModel(other, float(centre[0]))


def _rises(values: Floats, *, offset: bool) -> tuple[str, ...]:
    """The warning that y rises, where the law is for falling y, or y may be a share."""
    x, y = values
    if offset:
        falls = "and a law with a floor is for what falls: extended, this one grows without end"
    elif y.max() <= 1:
        falls = "and a power law passes 1 when it is extended"
    else:
        return ()
    return rising(x[None], y, "y", "x", falls=falls)


def _sunken(
    free: FreeFloorModel, best: Optimum, problem: PowerSum, restriction: Restriction, *, lad: bool
) -> tuple[str, ...]:
    """The warning that a floor is held at zero where the points ask for less, or nothing."""
    _, J = problem.linearise(best.theta)
    if "E" in restriction.fixed or J[1].max() >= NEGLIGIBLE or problem.n_points < 5:
        return ()
    other = free.restrict(restriction.fixed, restriction.tied)
    found = search(free.problem, free.problem.starts(), other, lad=lad)
    fall = np.log(best.objective) - np.log(max(found.objective, 1e-300))
    E = float(free.params(found.theta[:, None])[2, 0])
    if not (E < 0 and problem.n_points * fall > BELOW):
        return ()
    return (
        f"the floor is held at zero and would go below, to E = {E:.4g}; with offset='free' it may "
        "be negative.",
    )
