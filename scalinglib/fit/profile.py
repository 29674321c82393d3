"""Profile-likelihood intervals: how far a parameter or a prediction can go as the rest follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from scipy.optimize import brentq

from scalinglib.checks import Floats
from scalinglib.errors import DataError, FitError
from scalinglib.fit.curve import CurveFit
from scalinglib.fit.huber import PowerSum
from scalinglib.fit.model import Equation, Restriction
from scalinglib.fit.newton import LEAST_SHARE, minimise
from scalinglib.fit.result import Fit, refuse
from scalinglib.fit.search import projected_starts, sample, solve

POINTS, REACH = 21, 4.0
"""Points of the first scan, and how many standard errors it reaches to either side."""

FARTHEST = 256.0
"""Standard errors after which an end that is still open counts as unbounded."""

STIFF = 100.0
"""Weight of the run that pulls a law away at one place, in units in which all runs together weigh
one there. A law that is best with the pull is best for the prediction it gives, whatever the
weight; a small one cannot hold it where the profile bends down, a large one is slow to solve."""

OTHERS = 8
"""How many other laws, on their way to the fit from starts of the search, a prediction's profile
tries: from a fit whose floor is zero no step brings the floor back."""

PULLED = 120
"""Steps of such a law; the few that need more follow a valley without a floor, at whose end the
objective hardly falls."""

FINE = 11
"""Points of the second scan, over the cell of the first in which an end lies."""


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
        ``(70e9, 1.4e12)``. For least-squares fits of power laws and Chinchilla laws.
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
    if at is not None:
        scan: _Scan = _Place.at(fit, at, kind)
    elif isinstance(fit, CurveFit):
        return profile_curve(fit, str(parameter), level)
    else:
        scan = _Scan.of(fit, str(parameter))
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
        _determined(fit)
        reading = fit.model.equation(parameter)
        along, variance = _first_order(fit, reading.row)
        zero, one = (_hold(fit, parameter, reading, t) for t in (0.0, 1.0))
        finite = np.isfinite(zero.origin)
        return cls(
            fit=fit,
            held=zero,
            logarithmic=reading.logarithmic,
            centre=reading.read(fit.theta),
            spread=_scale(fit) * float(np.sqrt(variance)),
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
        return _Path(t, theta, self.rise(objective))

    def rise(self, objective: Floats) -> Floats:
        """Deviances of objectives."""
        if self.fit.absolute:
            return 2 * (objective - self.fit.objective)
        factor = 1.0 if self._gaussian else 2.0
        return factor * self.fit.n_runs * np.log(objective / self.fit.objective)

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
            for values, rises in zip(fine.t.reshape(-1, FINE), rise, strict=True)
        ]
        return found[0] if len(low) else -np.inf, found[-1] if len(high) else np.inf

    def natural(self, t: Any) -> Any:
        """The parameter's own value at a reading."""
        with np.errstate(over="ignore"):
            return np.exp(t) if self.logarithmic else t


@dataclass(frozen=True, slots=True)
class _Place(_Scan):
    """The same for the log prediction at one place, the column `u` (k, 1) of the problem.

    A further run there pulls the law. Whatever its value and weight, the optimum is the best law
    for the others among all with its own prediction, so the profile goes through it. Of a new run,
    which weighs as much as any other, the profile is over its own value.
    """

    u: Floats
    weight: float
    new: bool
    others: Floats

    @classmethod
    def at(cls, fit: Any, at: ArrayLike, kind: str) -> _Place:
        if kind not in ("confidence", "predictive"):
            raise DataError(f"kind must be 'confidence' or 'predictive', got {kind!r}.")
        if not isinstance(fit, Fit) or fit.loss != "l2":
            raise DataError(
                "a prediction is profiled for a fit of the package's own laws with loss='l2'; "
                "fit that, or use the band of a bootstrap."
            )
        new = kind == "predictive"
        problem = fit.model.problem
        if new and problem.times is not None:
            raise DataError(
                "the runs weigh unequally, so nothing says how noisy a new one is; ask for "
                "kind='confidence'."
            )
        _determined(fit)
        u = fit.model.place(*np.atleast_1d(np.asarray(at, dtype=np.float64)))
        value, row = replace(problem, u=u, y=np.zeros(1), times=None).linearise(fit.theta)
        along, variance = _first_order(fit, row[:, 0])
        return cls(
            fit=fit,
            held=fit.restriction,
            logarithmic=True,
            centre=float(value[0]),
            spread=_scale(fit) * float(np.sqrt(variance + new)),
            along=along / (variance + new),
            alone=along / (variance + new),
            u=u,
            weight=1.0 if new else STIFF / variance,
            new=new,
            others=_on_their_way(fit),
        )

    def solve(self, t: Floats, starts: Floats) -> _Path:
        """Fit laws that a run pulls towards `t`, from starts (p, q) and from the other laws."""
        problem, q = self.fit.model.problem, len(t)
        value = t if self.new else self.centre + (1 + 1 / STIFF) * (t - self.centre)
        joined = replace(
            problem,
            u=np.concatenate([problem.u, np.repeat(self.u, q, axis=1)], axis=1),
            y=np.concatenate([problem.y, value]),
            times=np.concatenate([problem.mass, np.full(q, self.weight)]),
        )
        weights = np.concatenate([np.ones((q, problem.n_points)), np.eye(q)], axis=1)
        tries = np.concatenate([starts, np.repeat(self.others, q, axis=1)], axis=1)
        times = tries.shape[1] // q
        found = minimise(
            joined, tries, np.tile(weights, (times, 1)),
            directions=self.held.directions, iterations=PULLED, share=LEAST_SHARE,
        )  # fmt: skip
        best = q * found.objective.reshape(times, q).argmin(axis=0) + np.arange(q)
        theta, objective = found.theta[:, best], found.objective[best]
        if self.new:
            return _Path(t, theta, self.rise(objective))
        there = replace(problem, u=self.u, y=np.zeros(1), times=None)
        told = np.array([there.linearise(row)[0][0] for row in theta.T])
        rise = self.rise(objective - 0.5 * self.weight * (told - value) ** 2)
        # Where no law follows the pull nothing is excluded, and an end stays open.
        follows = np.abs(told - t) <= 0.5 * np.abs(t - self.centre) + self.spread
        return _Path(np.where(follows, told, t), theta, np.where(follows, rise, 0.0))


def _on_their_way(fit: Fit[Any]) -> Floats:
    """A few laws (p, q) between the starts of a search and the fit."""
    problem = fit.model.problem
    if not isinstance(problem, PowerSum):
        return np.empty((len(fit.theta), 0))
    few, directions = sample(problem), fit.restriction.directions
    starts = fit.restriction.apply(projected_starts(problem))
    found = minimise(few, starts, directions=directions, iterations=10)
    order = np.argsort(found.objective, kind="stable")
    apart = np.diff(found.objective[order], prepend=-np.inf) > 1e-6 * found.objective[order]
    return found.theta[:, order[apart][:OTHERS]]


def _determined(fit: Fit[Any]) -> None:
    """Refuse a fit that leaves nothing over."""
    if fit.objective <= 1e-28 * fit.model.problem.mass.sum() and not fit.absolute:
        raise FitError("the law meets every run exactly, so no likelihood can be formed.")


def _first_order(fit: Fit[Any], row: Floats) -> tuple[Floats, float]:
    """How the optimum moves (p,) with a linear reading `row` (p,) of it, and its variance."""
    directions = fit.restriction.directions
    _, J = fit.model.problem.linearise(fit.theta)
    moving = directions.T @ J * np.sqrt(fit.model.problem.mass)
    covariance = np.linalg.pinv(moving @ moving.T, hermitian=True)
    along = directions @ covariance @ directions.T @ row
    return along, float(row @ along)


def _scale(fit: Fit[Any]) -> float:
    """Standard deviation of a residual of weight one."""
    r, spare = fit.residuals.to_numpy(), max(fit.n_runs - fit.n_free, 1)
    return 1.0 if fit.absolute else float(np.sqrt((fit.model.problem.mass * r) @ r / spare))


def _crossing(values: Floats, rise: Floats, limit: float) -> float:
    """Where a rise that starts below the limit first exceeds it, by linear interpolation."""
    after = int(np.argmax(rise > limit)) or len(rise) - 1
    climb = rise[after] - rise[after - 1]
    if climb <= 0:  # the finer scan has found better laws than the first
        return float(values[-1])
    share = (limit - rise[after - 1]) / climb
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
