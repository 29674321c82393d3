"""Least squares for a curve of one variable, the package's or yours: many starts, honest bounds.

The batched solver of this package is for laws that are sums of powers. Metrics, coverage and
error rates follow other shapes, on few points. For them SciPy's trust-region solver runs from
many starts, with derivatives that are exact to rounding because they are taken along the
imaginary axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, equally_long, listed
from scalinglib.errors import DataError, FitError
from scalinglib.fit.formula import Curve
from scalinglib.fit.nonlinear import CurveProblem, slope_of
from scalinglib.fit.result import Refit, Result
from scalinglib.fit.search import SAME
from scalinglib.fit.weights import Weights, inverse_sd

FEW = 0.03
"""Below this share of starts at the best objective, the search is called hard."""


CurveT = TypeVar("CurveT", bound=Curve)


@dataclass(frozen=True, slots=True, eq=False)
class CurveFit(Result[CurveT]):
    """A fitted curve and how it was found.

    Parameters
    ----------
    law : Curve
        At the optimum; also as `curve`.
    objective : float
        Half the sum of squared weighted residuals, or their Huber loss.
    residuals : Series
        observed - fitted, transformed as in the fit, under the labels of the points.
    warnings : tuple of str
        Sentences on what should be doubted; empty when nothing is wrong.
    agreement : float
        Share of the starts that reached this objective to 1e-9 relative.
    observed : Series
        What was fitted, transformed likewise.
    standard_errors : Series
        From the Jacobian at the optimum, with the residual variance on n - p degrees of freedom,
        or with the `sigma` given; NaN for a parameter at a bound or held, and for a Huber loss.
    at_bound : tuple of str
        Parameters that ended on a bound of their range.
    fixed : mapping of str to float
        Parameters that were held.
    problem : CurveProblem
        Points and curve, kept so that the fit can be repeated on resamples.
    columns : tuple of str, optional
        Columns of runs that the law takes, for a law of runs.

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
    columns: tuple[str, ...] | None = None

    @property
    def scale(self) -> tuple[str, ...] | None:
        """Columns of a frame of runs that `predict` takes, for a law of runs."""
        return self.columns

    @property
    def logarithmic(self) -> bool:
        """Whether the fit was to logarithms."""
        return self.problem.transform is np.log

    @property
    def additive(self) -> bool:
        """Whether the fit was to y itself, or to its logarithm."""
        return self.logarithmic or self.problem.transform is _same

    def summary(self) -> pd.DataFrame:
        """Tabulate the parameters, as every `Result` does, with their standard errors."""
        return Result.summary(self).assign(standard_error=self.standard_errors)

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
            x=whole.x[..., kept],
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
    weights: Weights = None,
    sigma: Weights = None,
    fixed: Mapping[str, float] | None = None,
    starts: ArrayLike | None = None,
) -> CurveFit[CurveT]:
    """Fit a curve by least squares, from many starts.

    Parameters
    ----------
    curve : type of Curve
        Which curve: one of this package, or of your own (`Curve.define`).
    x, y : array_like, shape (n,)
        Points; a Series keeps its labels.
    transform : callable, optional
        Applied to observed and fitted values before they are compared, for example `numpy.log`;
        it must accept complex numbers.
    weights : array_like, shape (n,), optional
        Factors of the residuals: inverse standard deviations, up to a common factor, of what is
        compared.
    sigma : array_like, shape (n,), optional
        Standard errors of y, in its unit, instead of weights, taken at their word: as by
        ``absolute_sigma=True`` of `scipy.optimize.curve_fit`.
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
    change = transform or _same
    at, values, observed, labels = _points(curve, x, y, change)
    factors = inverse_sd(weights, sigma, values, labels, slope=slope_of(change, values))
    problem = CurveProblem(
        curve,
        at,
        observed,
        np.ones(len(at)) if factors is None else factors,
        change,
        absolute=sigma is not None,
    )
    held = held_by(curve.names(), curve, fixed)
    first = starts_of(curve, at, values, starts)
    return conclude_curve(problem, first, held, labels, spare=factors is None)


def conclude_curve(
    problem: CurveProblem,
    first: Floats,
    held: Mapping[str, float],
    labels: pd.Index,
    *,
    spare: bool,
    columns: tuple[str, ...] | None = None,
    told: tuple[str, ...] = (),
) -> CurveFit[Any]:
    """Solve from every start and keep the best; `spare` asks for a point more than parameters."""
    curve, names = problem.curve, problem.curve.names()
    free = [name for name in names if name not in held]
    points, places = len(problem.observed), np.unique(problem.x, axis=-1).shape[-1]
    if places <= len(free) - 1 or points < len(free) + spare:
        raise FitError(
            f"{points} points at {places} places cannot determine {len(free)} "
            f"parameters ({', '.join(free)}); add points, or hold parameters with fixed."
        )
    found = [one for start in first if (one := problem.solve(start, held)) is not None]
    if not found:
        raise _lost(problem, first)
    costs = np.array([cost for _, cost in found])
    params, cost = found[int(np.argmin(costs))]
    size = float(np.sum((problem.factors * problem.observed) ** 2))
    near = SAME * max(cost, np.finfo(float).eps * size)
    agreement = float(np.sum(costs <= cost + near) / len(first))
    params, cost, at = problem.settle(params, cost, held)
    residuals = problem.observed - problem.fitted(params)
    errors = problem.standard_errors(params, cost, [n for n in free if n not in at])
    return CurveFit(
        law=curve.of(params),
        objective=cost,
        residuals=pd.Series(residuals, index=labels, name="residual"),
        warnings=(*told, *_doubts(at, params, names, errors, agreement, len(first))),
        agreement=agreement,
        observed=pd.Series(problem.observed, index=labels, name="observed"),
        standard_errors=errors,
        at_bound=at,
        fixed=held,
        problem=problem,
        columns=columns,
    )


def _lost(problem: CurveProblem, first: Floats) -> ValueError:
    """What to say when no start leads anywhere: a point where the formula fails, or the starts."""
    name = problem.curve.__name__
    with np.errstate(all="ignore"):
        good = np.array([np.isfinite(problem.fitted(start)) for start in first]).any(axis=0)
    if good.any() and not good.all():
        at = int(np.argmin(good))
        return DataError(
            f"{name} is not a finite number at position {at}, x = {problem.x[..., at]}, from any "
            "of its starts; leave the point out, or check the formula there."
        )
    return FitError(
        f"none of {len(first)} starts led to a finite optimum of {name}; pass starts "
        "nearer to the data, or check x and y for values far out of range."
    )


def _same(value: Any) -> Any:
    return value


def _points(
    curve: type[Curve], x: ArrayLike, y: ArrayLike, transform: Callable[[Any], Any]
) -> tuple[Floats, Floats, Floats, pd.Index]:
    """Places, values, transformed values, and labels."""
    labels = next((v.index for v in (y, x) if isinstance(v, pd.Series)), None)
    at, values = listed("x", x), listed("y", y)
    equally_long(x=at, y=values)
    curve.inside(at)
    with np.errstate(all="ignore"):
        observed = np.asarray(transform(values), dtype=np.float64)
    if not np.isfinite(observed).all():
        bad = int(np.argmin(np.isfinite(observed)))
        raise DataError(
            f"y is {values[bad]:g} at position {bad}, which the transform turns into "
            f"{observed[bad]}; remove the point or use another transform."
        )
    return at, values, observed, pd.RangeIndex(len(at)) if labels is None else labels


def held_by(
    names: tuple[str, ...], curve: type[Curve], fixed: Mapping[str, float] | None
) -> dict[str, float]:
    """The parameters to hold, each of the curve and within its range."""
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


def starts_of(curve: type[Curve], x: Floats, y: Floats, starts: ArrayLike | None) -> Floats:
    """Starting points (k, p): those given, or the curve's own."""
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
