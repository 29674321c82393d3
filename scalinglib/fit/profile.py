"""Profile-likelihood intervals: how far a parameter or a prediction can go as the rest follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq

from scalinglib.checks import Floats, numbers
from scalinglib.errors import DataError, FitError
from scalinglib.fit.curve import CurveFit
from scalinglib.fit.result import Fit, refuse
from scalinglib.fit.scan import FARTHEST, REACH, STIFF, Place, Scan

AGAIN = 4
"""Starts of a curve from which its prediction is pulled again before an end is believed: from a
steep or flat fit no step may lead on."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A profile of the objective over one parameter or prediction, and the interval it gives.

    Parameters
    ----------
    parameter : str
        Name of the parameter, or ``"prediction"``.
    level : float
        Nominal coverage.
    low, high : float
        Ends of the interval. An end that the runs do not close is the parameter's limit: zero
        or infinity for a coefficient or a prediction, minus or plus infinity for an exponent.
    values : ndarray, shape (q,)
        Values of the parameter at which the others were fitted, ascending.
    deviance : ndarray, shape (q,)
        Twice the fall of the log-likelihood from the fit to each value.
    limit : float
        Deviance at the ends of the interval.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> found = sl.profile(sl.fit_chinchilla(runs[~runs.excluded]), "alpha")
    >>> print(found.parameter, found.low < 0.3473 < found.high)
    alpha True
    """

    parameter: str
    level: float
    low: float
    high: float
    values: Floats
    deviance: Floats
    limit: float

    @property
    def interval(self) -> tuple[float, float]:
        """Low and high end."""
        return self.low, self.high


def profile(
    fit: Any,
    parameter: str | None = None,
    *,
    at: ArrayLike | None = None,
    kind: Literal["confidence", "predictive"] = "confidence",
    level: float = 0.95,
) -> Profile:
    """Profile-likelihood interval of one parameter, or of the prediction at one place.

    The parameter is held at many values at once and the others are fitted again at each; a
    prediction is moved by one more run there, of many values at once. The
    scale of the residuals is free, unless least squares was given it as `sigma`: then the limit
    comes from the chi-square distribution. For least squares the likelihood is Gaussian and the
    limit comes from the F distribution; for the Huber and absolute losses it is that of Laplace
    residuals, which a Huber loss with a small threshold is but for its core, and the limit
    comes from the chi-square distribution.

    Parameters
    ----------
    fit : Fit or CurveFit
        A fit of the engine, or of a curve by least squares.
    parameter : str, optional
        Name of a parameter that was fitted.
    at : float or array_like, optional
        Instead of a parameter: where to predict, as `predict` takes it, such as
        ``(70e9, 1.4e12)``. For least-squares fits of power laws, Chinchilla laws and curves.
    kind : {"confidence", "predictive"}, default "confidence"
        Whether the interval at a place is for the law or for one new run.
    level : float, optional
        Nominal coverage.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        If the parameter is unknown or held, cannot be held by this law, an option is not valid,
        or the fit is of a kind that cannot be profiled; the message says what can be done.
    FitError
        If the law meets every run exactly, so that no likelihood can be formed.

    References
    ----------
    Bates & Watts 1988, "Nonlinear Regression Analysis and Its Applications", Ch. 6.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_chinchilla(runs[~runs.excluded], loss="l2")
    >>> low, high = sl.profile(fit, "alpha").interval
    >>> print(f"{low:.3f} to {high:.3f}")
    0.340 to 0.381
    >>> low, high = sl.profile(fit, at=(70e9, 1.4e12)).interval
    >>> print(f"{low:.3f} to {high:.3f}")
    1.980 to 2.010
    """
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, for example 0.95; got {level}.")
    if (parameter is None) == (at is None):
        raise DataError("give profile a parameter or a place to predict at, and not both.")
    if not isinstance(fit, (Fit, CurveFit)):
        refuse(fit, "profiled")
    if kind not in ("confidence", "predictive"):
        raise DataError(f"kind must be 'confidence' or 'predictive', got {kind!r}.")
    if isinstance(fit, CurveFit):
        return (
            profile_curve(fit, str(parameter), level)
            if at is None
            else profile_place(fit, at, kind, level)
        )
    if at is not None:
        scan: Scan = Place.at(fit, at, kind)
    else:
        scan = Scan.of(fit, str(parameter))
    limit = scan.limit(level)
    path = scan.around()
    reach = REACH
    while reach < FARTHEST and path.open(limit):
        path = scan.extend(path, reach, limit)
        reach *= 2
    low, high = scan.ends(path, limit)
    return Profile(
        parameter=parameter or "prediction",
        level=level,
        low=float(scan.natural(low)),
        high=float(scan.natural(high)),
        values=scan.natural(path.t),
        deviance=path.deviance,
        limit=limit,
    )


def profile_curve(fit: CurveFit[Any], parameter: str, level: float) -> Profile:
    """Profile-likelihood interval of a curve's parameter, under Gaussian residuals."""
    problem, names = fit.problem, fit.problem.curve.names()
    _fitted(fit, parameter)
    centre = float(np.array(fit.law.params)[names.index(parameter)])
    spread = fit.standard_errors[parameter]
    first = spread if np.isfinite(spread) and spread > 0 else 0.1 * (abs(centre) or 1.0)

    def refit(value: float, start: Floats) -> tuple[Floats, float] | None:
        return problem.solve(start, {**fit.fixed, parameter: value})

    edges = problem.curve.bounds.get(parameter, (-np.inf, np.inf))
    (low, high), path, limit = _walk(fit, refit, centre, first, edges, level)
    values = np.array(sorted(path))
    deviance = np.array([path[value][0] for value in values])
    return Profile(parameter, level, low, high, values, deviance, limit)


def profile_place(fit: CurveFit[Any], at: ArrayLike, kind: str, level: float) -> Profile:
    """The same for what a curve predicts at a place, where one more point pulls it: see `Place`."""
    new, problem, best = kind == "predictive", fit.problem, np.array(fit.law.params)
    _fitted(fit, None)
    if new and not (fit.additive and np.ptp(problem.factors) == 0 and not problem.absolute):
        raise DataError(
            "the points weigh unequally or are compared under another transform than the "
            "logarithm, so nothing says how noisy a new one is; ask for kind='confidence'."
        )
    scale = np.atleast_1d(numbers("at", at))
    if len(scale) != len(np.atleast_2d(problem.x)):
        raise DataError(f"at needs {len(np.atleast_2d(problem.x))} number(s), got {len(scale)}.")
    place = problem.curve.inside(scale.reshape(*problem.x.shape[:-1], 1))
    here = replace(problem, x=place, observed=np.zeros(1), factors=np.ones(1))
    free = [j for j, name in enumerate(problem.curve.names()) if name not in fit.held]
    J, row = problem.jacobian(best)[:, free], here.jacobian(best)[0, free]
    variance = float(row @ np.linalg.pinv(J.T @ J, hermitian=True) @ row)
    weight = problem.factors[0] if new else np.sqrt(STIFF / variance)

    height = np.asarray(problem.curve.formula(problem.x, *best), dtype=np.float64)
    others = sorted(problem.curve.starts(problem.x, height), key=problem.cost)[:AGAIN]

    def told(params: Floats) -> float:
        return float(here.fitted(params)[0])

    def refit(value: float, start: Floats) -> tuple[Floats, float] | None:
        joined = replace(
            problem,
            x=np.concatenate([problem.x, place], axis=-1),
            observed=np.append(problem.observed, value),
            factors=np.append(problem.factors, weight),
        )
        found = joined.solve(start, fit.fixed)
        if found is None or new:
            return found
        return found[0], found[1] - 0.5 * (weight * (told(found[0]) - value)) ** 2

    noise = 1.0 if problem.absolute else 2 * fit.objective / max(fit.n_runs - fit.n_free, 1)
    first = float(np.sqrt(noise * (variance + new / weight**2)))
    centre = told(best)
    ends, path, limit = _walk(fit, refit, centre, first, (-np.inf, np.inf), level, others)

    def natural(value: float) -> float:
        """The prediction that a pull leads to, or the new point itself."""
        if new or not np.isfinite(value):
            return float(np.exp(value)) if fit.logarithmic else value
        return float(fit.value_of(fit.rebuild(path[value][1]), *scale))

    low, high = map(natural, ends)
    pairs = sorted((natural(value), gain) for value, (gain, _) in path.items())
    values, deviance = np.array(pairs).T
    return Profile("prediction", level, low, high, values, deviance, limit)


def _walk(
    fit: CurveFit[Any],
    refit: Callable[[float, Floats], tuple[Floats, float] | None],
    centre: float,
    first: float,
    edges: tuple[float, float],
    level: float,
    others: Sequence[Floats] = (),
) -> tuple[tuple[float, float], dict[float, tuple[float, Floats]], float]:
    """Where refits rise to the limit on both sides, all deviances and parameters met, and it."""
    spare = fit.n_runs - fit.n_free
    if fit.problem.absolute:
        limit = float(stats.chi2.ppf(level, 1))
    elif spare < 1 or fit.objective <= 1e-28 * float(
        np.sum((fit.observed * fit.problem.factors) ** 2)
    ):
        raise FitError("the curve meets every point exactly, so no likelihood can be formed.")
    else:
        limit = float(fit.n_runs * np.log1p(stats.f.ppf(level, 1, spare) / spare))
    path: dict[float, tuple[float, Floats]] = {centre: (0.0, np.array(fit.law.params))}

    def rise(value: float) -> float:
        """Deviance less the limit, each fit started from that of the nearest value so far.

        A value is outside only if the other starts, too, find no law that is inside.
        """
        near = min(path, key=lambda known: abs(known - value))
        best = (np.inf, path[near][1])
        for start in (path[near][1], *others):
            found = refit(value, start)
            if found is not None:
                best = min(best, (_gain(fit, found[1]), found[0]), key=lambda one: one[0])
            if best[0] <= limit:
                break
        if best[0] == np.inf:
            return np.inf
        path[value] = best
        return best[0] - limit

    low, high = (
        _end(rise, centre, side * first, edge) for side, edge in zip((-1, 1), edges, strict=True)
    )
    return (low, high), path, limit


def _gain(fit: CurveFit[Any], objective: float) -> float:
    """Deviance of an objective."""
    if fit.problem.absolute:
        return 2 * (objective - fit.objective)
    return float(fit.n_runs * np.log(objective / fit.objective))


def _fitted(fit: CurveFit[Any], parameter: str | None) -> None:
    """Refuse a parameter that the curve has not or did not fit, and fits that were robust."""
    names = fit.problem.curve.names()
    if parameter is not None and parameter not in names:
        raise DataError(f"{parameter!r} is not a parameter of this law; use {', '.join(names)}.")
    if parameter in fit.fixed:
        raise DataError(f"{parameter} was held in this fit, so it has no interval.")
    if np.isfinite(fit.problem.delta):
        raise DataError(
            "a Huber fit of your own law has no likelihood here; use bootstrap, or fit it with "
            "loss='l2'."
        )


def _end(rise: Callable[[float], float], centre: float, step: float, edge: float) -> float:
    """Where the rise turns positive on one side, up to the edge of the parameter's range."""
    inner, reach = centre, 1.0
    while reach < FARTHEST:
        outer = centre + reach * step
        outer = max(outer, edge) if step < 0 else min(outer, edge)
        if rise(outer) > 0:
            return float(brentq(lambda value: min(rise(value), 1e300), inner, outer, rtol=1e-9))
        if outer == edge:
            return float(edge)
        inner, reach = outer, 2 * reach
    return float(np.copysign(np.inf, step))
