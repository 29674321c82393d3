"""Profile-likelihood intervals: how far a parameter can go while the others follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from scalinglib.checks import Floats
from scalinglib.errors import DataError, FitError
from scalinglib.fit.curve import CurveFit
from scalinglib.fit.model import Equation, Restriction
from scalinglib.fit.result import Fit, refuse
from scalinglib.fit.search import solve

POINTS, REACH = 21, 4.0
"""Points of the first scan, and how many standard errors it reaches to either side."""

FARTHEST = 256.0
"""Standard errors after which an end that is still open counts as unbounded."""

FINE = 11
"""Points of the second scan, over the cell of the first in which an end lies."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A profile of the objective over one parameter, and the interval it gives.

    Parameters
    ----------
    parameter : str
        Name of the parameter.
    level : float
        Nominal coverage.
    low, high : float
        Ends of the interval. An end that the runs do not close is the parameter's limit: zero
        or infinity for a coefficient, minus or plus infinity for an exponent.
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


def profile(fit: Any, parameter: str, *, level: float = 0.95) -> Profile:
    """Profile-likelihood interval of one parameter.

    The parameter is held at many values at once and the others are fitted again at each. The
    scale of the residuals is free, unless least squares was given it as `sigma`: then the limit
    comes from the chi-square distribution. For least squares the likelihood is Gaussian and the
    limit comes from the F distribution; for the Huber and absolute losses it is that of Laplace
    residuals, which a Huber loss with a small threshold is but for its core, and the limit
    comes from the chi-square distribution.

    Parameters
    ----------
    fit : Fit or CurveFit
        A fit of the engine, or of a curve by least squares.
    parameter : str
        Name of a parameter that was fitted.
    level : float, optional
        Nominal coverage.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        If the parameter is unknown or held, cannot be held by this law, `level` is not between 0
        and 1, or the fit is of a kind that cannot be profiled; the message says what can be done.
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
    """
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, for example 0.95; got {level}.")
    if isinstance(fit, CurveFit):
        return profile_curve(fit, parameter, level)
    if not isinstance(fit, Fit):
        refuse(fit, "profiled")
    scan = _Scan.of(fit, parameter)
    limit = scan.limit(level)
    path = scan.around()
    reach = REACH
    while reach < FARTHEST and path.open(limit):
        path = scan.extend(path, reach, limit)
        reach *= 2
    low, high = scan.ends(path, limit)
    return Profile(
        parameter=parameter,
        level=level,
        low=float(scan.natural(low)),
        high=float(scan.natural(high)),
        values=scan.natural(path.t),
        deviance=path.deviance,
        limit=limit,
    )


@dataclass(frozen=True, slots=True)
class _Path:
    """Readings t (q,), ascending, the fits with them held (p, q), and their deviances (q,)."""

    t: Floats
    theta: Floats
    deviance: Floats

    def open(self, limit: float) -> bool:
        """Whether the deviance stays below the limit on either side."""
        return bool(self.deviance[0] < limit or self.deviance[-1] < limit)

    def joined(self, other: _Path) -> _Path:
        """Both paths, the one with the smaller readings first."""
        first, last = (self, other) if self.t[0] < other.t[0] else (other, self)
        return _Path(
            np.concatenate([first.t, last.t]),
            np.concatenate([first.theta, last.theta], axis=1),
            np.concatenate([first.deviance, last.deviance]),
        )


@dataclass(frozen=True, slots=True)
class _Scan:
    """A parameter's reading t in solver coordinates, and how to fit with it held.

    To first order the optimum moves by `along` per unit of t; moving by `alone` changes t while
    every other free coordinate stays.
    """

    fit: Fit[Any]
    held: Restriction
    logarithmic: bool
    centre: float
    spread: float
    along: Floats
    alone: Floats

    @classmethod
    def of(cls, fit: Fit[Any], parameter: str) -> _Scan:
        given = fit.restriction
        if parameter not in fit.model.names:
            known = ", ".join(fit.model.names)
            raise DataError(f"{parameter!r} is not a parameter of this law; use one of {known}.")
        if parameter in given.fixed:
            raise DataError(f"{parameter} was held in this fit, so it has no interval.")
        mass = fit.model.problem.mass
        if fit.objective <= 1e-28 * mass.sum() and not fit.absolute:
            raise FitError("the law meets every run exactly, so no likelihood can be formed.")
        reading = fit.model.equation(parameter)
        _, J = fit.model.problem.linearise(fit.theta)
        moving = given.directions.T @ J * np.sqrt(mass)
        covariance = np.linalg.pinv(moving @ moving.T, hermitian=True)
        along = given.directions @ covariance @ given.directions.T @ reading.row
        variance = float(reading.row @ along)
        r = fit.residuals.to_numpy()
        spare = max(len(r) - len(given.free), 1)
        scale = 1.0 if fit.absolute else np.sqrt((mass * r) @ r / spare)
        zero, one = (_hold(fit, parameter, reading, t) for t in (0.0, 1.0))
        finite = np.isfinite(zero.origin)
        return cls(
            fit=fit,
            held=zero,
            logarithmic=reading.logarithmic,
            centre=reading.read(fit.theta),
            spread=float(scale * np.sqrt(variance)),
            along=along / variance,
            alone=np.subtract(one.origin, zero.origin, out=np.zeros(len(along)), where=finite),
        )

    def limit(self, level: float) -> float:
        """Deviance beyond which a value is outside the interval."""
        if self.fit.absolute or not self._gaussian:
            return float(stats.chi2.ppf(level, 1))
        spare = self.fit.n_runs - len(self.fit.restriction.free)
        return float(self.fit.n_runs * np.log1p(stats.f.ppf(level, 1, spare) / spare))

    @property
    def _gaussian(self) -> bool:
        return self.fit.loss == "l2" or float(self.fit.residuals.abs().median()) < self.fit.delta

    def around(self) -> _Path:
        """Scan both sides of the optimum."""
        steps = self.spread * np.linspace(-REACH, REACH, POINTS)
        starts = self.fit.theta[:, None] + self.along[:, None] * steps
        return self.compare(self.solve(self.centre + steps, starts))

    def extend(self, path: _Path, reach: float, limit: float) -> _Path:
        """Go twice as far on the sides where the deviance is still below the limit."""
        longer = path
        for end, side in ((0, -1.0), (-1, 1.0)):
            if path.deviance[end] < limit:
                steps = side * self.spread * np.linspace(reach, 2 * reach, POINTS)[1:]
                t = np.sort(self.centre + steps, kind="stable")
                starts = path.theta[:, [end]] + self.alone[:, None] * (t - path.t[end])
                longer = longer.joined(self.solve(t, starts))
        return self.compare(longer)

    def compare(self, path: _Path) -> _Path:
        """Start each point again from its neighbours, which frees points caught at a kink."""
        if self.fit.loss == "l2":
            return path
        for shift in (1, -1):
            near = np.clip(np.arange(len(path.t)) + shift, 0, len(path.t) - 1)
            starts = path.theta[:, near] + self.alone[:, None] * (path.t - path.t[near])
            other = self.solve(path.t, starts)
            better = other.deviance < path.deviance
            path = _Path(
                path.t,
                np.where(better, other.theta, path.theta),
                np.where(better, other.deviance, path.deviance),
            )
        return path

    def solve(self, t: Floats, starts: Floats) -> _Path:
        """Fit the other parameters from starts (p, q) whose readings are `t`."""
        lad = self.fit.loss == "lad"
        problem, directions = self.fit.model.problem, self.held.directions
        theta, objective = solve(problem, starts, None, directions, lad=lad)
        if self.fit.absolute:
            return _Path(t, theta, 2 * (objective - self.fit.objective))
        factor = 1.0 if self._gaussian else 2.0
        rise = factor * self.fit.n_runs * np.log(objective / self.fit.objective)
        return _Path(t, theta, rise)

    def ends(self, path: _Path, limit: float) -> tuple[float, float]:
        """Where the deviance crosses the limit on either side of the optimum."""
        at, place = int(np.argmin(path.deviance)), np.arange(len(path.t))
        low = place[(path.deviance > limit) & (place < at)]
        high = place[(path.deviance > limit) & (place > at)]
        cells = [(low[-1] + 1, low[-1])] if len(low) else []
        cells += [(high[0] - 1, high[0])] if len(high) else []
        if not cells:
            return -np.inf, np.inf
        t = np.concatenate([np.linspace(path.t[a], path.t[b], FINE) for a, b in cells])
        inner = np.repeat([a for a, _ in cells], FINE)
        starts = path.theta[:, inner] + self.alone[:, None] * (t - path.t[inner])
        fine = self.solve(t, starts)
        rise = np.sqrt(np.maximum(fine.deviance, 0.0)).reshape(-1, FINE)
        found = [
            _crossing(values, rises, np.sqrt(limit))
            for values, rises in zip(t.reshape(-1, FINE), rise, strict=True)
        ]
        return found[0] if len(low) else -np.inf, found[-1] if len(high) else np.inf

    def natural(self, t: Any) -> Any:
        """The parameter's own value at a reading."""
        with np.errstate(over="ignore"):
            return np.exp(t) if self.logarithmic else t


def _crossing(values: Floats, rise: Floats, limit: float) -> float:
    """Where a rise that starts below the limit first exceeds it, by linear interpolation."""
    after = int(np.argmax(rise > limit)) or len(rise) - 1
    share = (limit - rise[after - 1]) / (rise[after] - rise[after - 1])
    return float(values[after - 1] + share * (values[after] - values[after - 1]))


def _hold(fit: Fit[Any], parameter: str, reading: Equation, t: float) -> Restriction:
    """The fit's own restriction with one more parameter held, at a reading of `t`."""
    given = fit.restriction
    value = float(np.exp(t)) if reading.logarithmic else t
    if parameter in given.tied:
        # Holding one of several tied parameters holds them all.
        return fit.model.restrict({**given.fixed, **dict.fromkeys(given.tied, value)}, ())
    return fit.model.restrict({**given.fixed, parameter: value}, given.tied)


def profile_curve(fit: CurveFit[Any], parameter: str, level: float) -> Profile:
    """Profile-likelihood interval of a curve's parameter, under Gaussian residuals."""
    problem, names = fit.problem, _fitted_names(fit, parameter)
    spare = fit.n_runs - fit.n_free
    if problem.absolute:
        limit = float(stats.chi2.ppf(level, 1))
    elif spare < 1 or fit.objective <= 1e-28 * float(np.sum((fit.observed * problem.factors) ** 2)):
        raise FitError("the curve meets every point exactly, so no likelihood can be formed.")
    else:
        limit = float(fit.n_runs * np.log1p(stats.f.ppf(level, 1, spare) / spare))
    at, best = names.index(parameter), np.array(fit.law.params)
    path: dict[float, tuple[float, Floats]] = {best[at]: (0.0, best)}

    def rise(value: float) -> float:
        """Deviance less the limit, each fit started from that of the nearest value so far."""
        near = min(path, key=lambda known: abs(known - value))
        found = problem.solve(path[near][1], {**fit.fixed, parameter: value})
        if found is None:
            return np.inf
        gain = (
            2 * (found[1] - fit.objective)
            if problem.absolute
            else fit.n_runs * np.log(found[1] / fit.objective)
        )
        path[value] = (float(gain), found[0])
        return float(gain) - limit

    edges = problem.curve.bounds.get(parameter, (-np.inf, np.inf))
    spread = fit.standard_errors[parameter]
    first = spread if np.isfinite(spread) and spread > 0 else 0.1 * (abs(best[at]) or 1.0)
    low, high = (
        _end(rise, best[at], side * first, edge) for side, edge in zip((-1, 1), edges, strict=True)
    )
    values = np.array(sorted(path))
    deviance = np.array([path[value][0] for value in values])
    return Profile(parameter, level, low, high, values, deviance, limit)


def _fitted_names(fit: CurveFit[Any], parameter: str) -> tuple[str, ...]:
    """Parameters of the curve, of which this one was fitted by least squares."""
    names = fit.problem.curve.names()
    if parameter not in names:
        raise DataError(f"{parameter!r} is not a parameter of this law; use {', '.join(names)}.")
    if parameter in fit.fixed:
        raise DataError(f"{parameter} was held in this fit, so it has no interval.")
    if np.isfinite(fit.problem.delta):
        raise DataError(
            "a Huber fit of your own law has no likelihood here; use bootstrap, or fit it with "
            "loss='l2'."
        )
    return names


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
