"""Least squares for a curve of one variable: many starts, exact derivatives, honest bounds.

The batched solver of this package is for laws that are sums of powers. Metrics, coverage and
error rates follow other shapes, on few points. For them SciPy's trust-region solver runs from
many starts, with derivatives that are exact to rounding because they are taken along the
imaginary axis.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, least_squares

from scalinglib.checks import Floats, equally_long, listed, positive
from scalinglib.errors import DataError, FitError
from scalinglib.fit.result import Refit, Result

STEP = 1e-30
"""Imaginary step of a derivative; nothing is subtracted, so it may be as small as this."""

TOLERANCE = 1e-15

AT_BOUND = 1e-6
"""A parameter this near to its bound, as a share of its size or of one, is tried at it."""

SAME = 1e-9
"""Starts within this relative distance of the best objective count as having reached it."""

FEW = 0.03
"""Below this share of starts at the best objective, the search is called hard."""


@dataclass(frozen=True, slots=True)
class Curve(ABC):
    """A frozen curve y(x) whose fields, besides `source`, are its parameters.

    A subclass states its formula in `formula`, for complex parameters too, so that derivatives
    can be taken exactly, and the range of each parameter that is bounded in `bounds`.
    """

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Parameters in the order of the constructor."""
        return tuple(field.name for field in fields(cls) if field.name != "source")

    @staticmethod
    @abstractmethod
    def formula(x: Floats, *params: Any) -> Any:
        """The curve at `x`, elementwise, analytic in every parameter."""

    @classmethod
    @abstractmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Starting points (k, p) for points `x`, `y` of shape (n,)."""

    @property
    def params(self) -> tuple[float, ...]:
        """The parameters, in the order of `names`."""
        return tuple(getattr(self, name) for name in self.names())

    def value(self, x: ArrayLike) -> Floats:
        """The curve at `x`.

        Parameters
        ----------
        x : array_like
            Where, in the unit of the curve.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.
        """
        result: Floats = self.formula(np.asarray(x, dtype=np.float64), *self.params)
        return result

    @classmethod
    def of(cls, params: ArrayLike) -> Self:
        """The curve with these parameters, in the order of `names`."""
        return cls(*(float(value) for value in np.asarray(params)))


CurveT = TypeVar("CurveT", bound=Curve)


@dataclass(frozen=True, slots=True, eq=False)
class CurveFit(Result[CurveT]):
    """A fitted curve and how it was found.

    Parameters
    ----------
    law : Curve
        At the optimum; also as `curve`.
    objective : float
        Half the sum of squared weighted residuals.
    residuals : Series
        observed - fitted, transformed as in the fit, under the labels of the points.
    warnings : tuple of str
        Sentences on what should be doubted; empty when nothing is wrong.
    agreement : float
        Share of the starts that reached this objective to 1e-9 relative.
    observed : Series
        What was fitted, transformed likewise.
    standard_errors : Series
        From the Jacobian at the optimum, with the residual variance on n - p degrees of freedom;
        NaN for a parameter at a bound or held.
    at_bound : tuple of str
        Parameters that ended on a bound of their range.
    fixed : mapping of str to float
        Parameters that were held.
    problem : CurveProblem
        Points and curve, kept so that the fit can be repeated on resamples.

    Examples
    --------
    >>> from scalinglib.laws import Sigmoid
    >>> x = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    >>> fit = fit_curve(Sigmoid, x, [0.9, 0.88, 0.72, 0.35, 0.25, 0.24])
    >>> print(f"{fit.params['middle']:.3f} {fit.rmse:.4f} {fit.warnings}")
    2.379 0.0010 ()
    """

    observed: pd.Series[float]
    standard_errors: pd.Series[float]
    at_bound: tuple[str, ...]
    fixed: Mapping[str, float]
    problem: CurveProblem

    @property
    def curve(self) -> CurveT:
        """The curve at the optimum."""
        return self.law

    @property
    def held(self) -> tuple[str, ...]:
        """Parameters that the fit could not move."""
        return tuple(self.fixed)

    @property
    def decaying(self) -> tuple[str, ...]:
        """A curve promises nothing about its exponents."""
        return ()

    @property
    def n_free(self) -> int:
        """Number of parameters that the fit could choose."""
        return len(self.params) - len(self.fixed)

    @property
    def rmse(self) -> float:
        """Root of the mean squared residual."""
        return float(np.sqrt(np.mean(np.square(self.residuals))))

    @property
    def r2(self) -> float:
        """Share of the variance of what was fitted that the curve explains."""
        spread = np.sum(np.square(self.observed - self.observed.mean()))
        return float(1 - np.sum(np.square(self.residuals)) / spread)

    def rebuild(self, params: Floats) -> CurveT:
        """The curve with other parameters, in the order of `params`."""
        return type(self.law).of(params)

    def again(self) -> Refit:
        """The fit made ready to be repeated on resamples, each started at this optimum."""
        return _CurveRefit(self.problem, np.array(self.law.params, dtype=np.float64), self.fixed)


@dataclass(frozen=True, slots=True)
class _CurveRefit:
    problem: CurveProblem
    start: Floats
    fixed: Mapping[str, float]

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        found = [self._one(row) for row in weights]
        return np.array([params for params, _ in found]), np.array([cost for _, cost in found])

    def _one(self, weights: Floats) -> tuple[Floats, float]:
        kept, whole = weights > 0, self.problem
        drawn = replace(
            whole,
            x=whole.x[kept],
            observed=whole.observed[kept],
            factors=whole.factors[kept] * np.sqrt(weights[kept]),
        )
        found = drawn.solve(self.start, self.fixed)
        if found is None:
            raise FitError("a resample has no finite optimum near that of all points.")
        params, cost, _ = drawn.settle(*found, self.fixed)
        return params, cost


def fit_curve(
    curve: type[CurveT],
    x: ArrayLike,
    y: ArrayLike,
    *,
    transform: Callable[[Any], Any] | None = None,
    weights: ArrayLike | None = None,
    fixed: Mapping[str, float] | None = None,
    starts: ArrayLike | None = None,
) -> CurveFit[CurveT]:
    """Fit a curve by least squares, from many starts.

    Parameters
    ----------
    curve : type of Curve
        Which curve.
    x, y : array_like, shape (n,)
        Points; a Series keeps its labels.
    transform : callable, optional
        Applied to observed and fitted values before they are compared, for example `numpy.log`;
        it must accept complex numbers.
    weights : array_like, shape (n,), optional
        Factors of the residuals, for example inverse standard deviations.
    fixed : mapping of str to float, optional
        Parameters to hold.
    starts : array_like, shape (k, p), optional
        Instead of the curve's own starting points.

    Returns
    -------
    CurveFit

    Raises
    ------
    DataError
        If the points are not finite numbers of equal count, or an option is not valid.
    FitError
        If there are no more points than free parameters, or no start leads to a finite optimum.

    Notes
    -----
    A parameter that comes to lie on a bound is held there and the others are solved again, so
    that a result at a bound is exactly at it.

    Examples
    --------
    >>> import numpy as np
    >>> from scalinglib.laws import Sigmoid
    >>> x = np.linspace(0.0, 6.0, 30)
    >>> fit = fit_curve(Sigmoid, x, Sigmoid(low=0.2, high=0.9, slope=-2.0, middle=2.5).value(x))
    >>> print(fit.params.round(6).to_dict(), fit.at_bound)
    {'low': 0.2, 'high': 0.9, 'slope': -2.0, 'middle': 2.5} ()
    """
    x, observed, factors, labels = _points(x, y, transform, weights)
    names = curve.names()
    held = _held(names, curve, fixed)
    problem = CurveProblem(curve, x, observed, factors, transform or _same)
    first = _starts(curve, x, np.asarray(y, dtype=np.float64), starts)
    free = [name for name in names if name not in held]
    if len(np.unique(x)) <= len(free) - 1 or len(x) <= len(free):
        raise FitError(
            f"{len(x)} points at {len(np.unique(x))} places cannot determine {len(free)} "
            f"parameters ({', '.join(free)}); add points, or hold parameters with fixed."
        )
    found = [one for start in first if (one := problem.solve(start, held)) is not None]
    if not found:
        raise FitError(
            f"none of {len(first)} starts led to a finite optimum of {curve.__name__}; pass starts "
            "nearer to the data, or check x and y for values far out of range."
        )
    costs = np.array([cost for _, cost in found])
    params, cost = found[int(np.argmin(costs))]
    floor = SAME * max(cost, np.finfo(float).eps * float(np.sum((factors * observed) ** 2)))
    agreement = float(np.sum(costs <= cost + floor) / len(first))
    params, cost, at = problem.settle(params, cost, held)
    residuals = pd.Series(observed - problem.fitted(params), index=labels, name="residual")
    errors = problem.standard_errors(params, cost, [n for n in free if n not in at])
    return CurveFit(
        law=curve.of(params),
        objective=cost,
        residuals=residuals,
        warnings=tuple(_doubts(at, params, names, errors, agreement, len(first))),
        agreement=agreement,
        observed=pd.Series(observed, index=labels, name="observed"),
        standard_errors=errors,
        at_bound=at,
        fixed=held,
        problem=problem,
    )


@dataclass(frozen=True, slots=True)
class CurveProblem:
    """Points, factors of their residuals, a curve, and what both sides are transformed by."""

    curve: type[Curve]
    x: Floats
    observed: Floats
    factors: Floats
    transform: Callable[[Any], Any]

    def fitted(self, params: Any) -> Any:
        """What the curve predicts, transformed."""
        return self.transform(self.curve.formula(self.x, *params))

    def residual(self, params: Floats) -> Floats:
        """Weighted gaps between curve and points; a curve that overflows is far away."""
        with np.errstate(all="ignore"):
            gap: Floats = self.factors * (self.fitted(params) - self.observed)
        # A start may wander where the formula overflows; a large residual turns it back.
        tame: Floats = np.nan_to_num(gap, nan=1e6, posinf=1e6, neginf=-1e6)
        return tame

    def jacobian(self, params: Floats) -> Floats:
        """Derivatives of the residuals, (points, p), along the imaginary axis."""
        columns = []
        with np.errstate(all="ignore"):
            for j in range(len(params)):
                moved = params.astype(complex)
                moved[j] += STEP * 1j
                columns.append(self.factors * np.imag(self.fitted(moved)) / STEP)
        table: Floats = np.nan_to_num(np.stack(columns, axis=1), nan=0.0, posinf=0.0, neginf=0.0)
        return table

    def solve(self, start: Floats, held: Mapping[str, float]) -> tuple[Floats, float] | None:
        """Optimum and objective from one start, or None where the curve is not finite there."""
        names = self.curve.names()
        free = [j for j, name in enumerate(names) if name not in held]
        full = np.array(
            [held.get(name, value) for name, value in zip(names, start, strict=True)], dtype=float
        )
        if not free:
            return full, float(0.5 * np.sum(self.residual(full) ** 2))
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

        result: OptimizeResult = least_squares(
            residual,
            inside,
            jac=jacobian,
            bounds=(low, high),
            x_scale="jac",
            ftol=TOLERANCE,
            xtol=TOLERANCE,
            gtol=TOLERANCE,
            max_nfev=1000,
        )
        best = place(result.x)
        good = np.isfinite(self.fitted(best)).all() and np.isfinite(result.cost)
        return (best, float(result.cost)) if good else None

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
        """From the Jacobian at the optimum; NaN for what was not free."""
        names = self.curve.names()
        errors = pd.Series(np.nan, index=list(names), name="standard error")
        degrees = len(self.x) - len(free)
        if free and degrees > 0:
            J = self.jacobian(params)[:, [names.index(name) for name in free]]
            length = np.linalg.norm(J, axis=0)
            if (length > 0).all():
                _, s, V = np.linalg.svd(J / length, full_matrices=False)
                if s[-1] > 1e-13 * s[0]:
                    spread = np.sqrt(np.sum((V.T / s) ** 2, axis=1)) / length
                    errors[free] = spread * np.sqrt(2 * cost / degrees)
        return errors

    def _box(self, names: list[str]) -> tuple[Floats, Floats]:
        ranges = [self.curve.bounds.get(name, (-np.inf, np.inf)) for name in names]
        return np.array([low for low, _ in ranges]), np.array([high for _, high in ranges])


def _same(value: Any) -> Any:
    return value


def _points(
    x: ArrayLike, y: ArrayLike, transform: Callable[[Any], Any] | None, weights: ArrayLike | None
) -> tuple[Floats, Floats, Floats, pd.Index]:
    labels = next((v.index for v in (y, x) if isinstance(v, pd.Series)), None)
    at, values = listed("x", x), listed("y", y)
    factors = np.ones(len(at))
    if weights is not None:
        factors = positive("weights", listed("weights", weights))
    equally_long(x=at, y=values, weights=factors)
    with np.errstate(all="ignore"):
        observed = np.asarray((transform or _same)(values), dtype=np.float64)
    if not np.isfinite(observed).all():
        bad = int(np.argmin(np.isfinite(observed)))
        raise DataError(
            f"y is {values[bad]:g} at position {bad}, which the transform turns into "
            f"{observed[bad]}; remove the point or use another transform."
        )
    return at, observed, factors, pd.RangeIndex(len(at)) if labels is None else labels


def _held(
    names: tuple[str, ...], curve: type[Curve], fixed: Mapping[str, float] | None
) -> dict[str, float]:
    held = {name: float(value) for name, value in (fixed or {}).items()}
    for name, value in held.items():
        if name not in names:
            raise DataError(
                f"{name!r} is not a parameter of {curve.__name__}; use one of {', '.join(names)}."
            )
        low, high = curve.bounds.get(name, (-np.inf, np.inf))
        if not (np.isfinite(value) and low <= value <= high):
            raise DataError(f"fixed[{name!r}] is {value:g}, outside {low:g} to {high:g}.")
    if len(held) == len(names):
        raise DataError("every parameter is fixed, so nothing is left to fit; free one.")
    return held


def _starts(curve: type[Curve], x: Floats, y: Floats, starts: ArrayLike | None) -> Floats:
    array = np.asarray(curve.starts(x, y) if starts is None else starts, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(curve.names()) or not len(array):
        raise DataError(
            f"starts must have one row per start and {len(curve.names())} columns "
            f"({', '.join(curve.names())}), got shape {array.shape}."
        )
    return array


def _doubts(
    at: tuple[str, ...],
    params: Floats,
    names: tuple[str, ...],
    errors: pd.Series[float],
    agreement: float,
    starts: int,
) -> list[str]:
    told = [
        f"{name} ends on the bound {params[names.index(name)]:g} of its range, so the points do "
        "not determine it."
        for name in at
    ]
    loose = [
        name
        for name, value, error in zip(names, params, errors, strict=True)
        if np.isfinite(error) and error > abs(value) and error > 0
    ]
    if loose:
        told.append(
            f"the standard error of {', '.join(loose)} is larger than the value; do not quote it."
        )
    if agreement < FEW:
        told.append(
            f"only {round(agreement * starts)} of {starts} starts reach the best objective; "
            "look for a better one with more starts."
        )
    return told
