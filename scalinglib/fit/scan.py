"""A reading of a law held at many values while the rest is fitted: what a profile goes through."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from scalinglib.checks import Floats
from scalinglib.errors import DataError, FitError
from scalinglib.fit.huber import PowerSum
from scalinglib.fit.model import Equation, Restriction
from scalinglib.fit.newton import LEAST_SHARE, minimise
from scalinglib.fit.result import Fit
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


@dataclass(frozen=True, slots=True)
class Path:
    """Readings t (q,), ascending, the fits with them held (p, q), and their deviances (q,)."""

    t: Floats
    theta: Floats
    deviance: Floats

    def open(self, limit: float) -> bool:
        """Whether the deviance stays below the limit on either side."""
        return bool(self.deviance[0] < limit or self.deviance[-1] < limit)

    def joined(self, other: Path) -> Path:
        """Both paths, the one with the smaller readings first."""
        first, last = (self, other) if self.t[0] < other.t[0] else (other, self)
        return Path(
            np.concatenate([first.t, last.t]),
            np.concatenate([first.theta, last.theta], axis=1),
            np.concatenate([first.deviance, last.deviance]),
        )


@dataclass(frozen=True, slots=True)
class Scan:
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
    def of(cls, fit: Fit[Any], parameter: str) -> Scan:
        """The scan of a parameter."""
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

    def around(self) -> Path:
        """Scan both sides of the optimum."""
        steps = self.spread * np.linspace(-REACH, REACH, POINTS)
        starts = self.fit.theta[:, None] + self.along[:, None] * steps
        return self.compare(self.solve(self.centre + steps, starts))

    def extend(self, path: Path, reach: float, limit: float) -> Path:
        """Go twice as far on the sides where the deviance is still below the limit."""
        longer = path
        for end, side in ((0, -1.0), (-1, 1.0)):
            if path.deviance[end] < limit:
                steps = side * self.spread * np.linspace(reach, 2 * reach, POINTS)[1:]
                t = np.sort(self.centre + steps, kind="stable")
                starts = path.theta[:, [end]] + self.alone[:, None] * (t - path.t[end])
                longer = longer.joined(self.solve(t, starts))
        return self.compare(longer)

    def compare(self, path: Path) -> Path:
        """Start each point again from its neighbours, which frees points caught at a kink."""
        if self.fit.loss == "l2":
            return path
        for shift in (1, -1):
            near = np.clip(np.arange(len(path.t)) + shift, 0, len(path.t) - 1)
            starts = path.theta[:, near] + self.alone[:, None] * (path.t - path.t[near])
            other = self.solve(path.t, starts)
            better = other.deviance < path.deviance
            path = Path(
                path.t,
                np.where(better, other.theta, path.theta),
                np.where(better, other.deviance, path.deviance),
            )
        return path

    def solve(self, t: Floats, starts: Floats) -> Path:
        """Fit the other parameters from starts (p, q) whose readings are `t`."""
        lad = self.fit.loss == "lad"
        problem, directions = self.fit.model.problem, self.held.directions
        theta, objective = solve(problem, starts, None, directions, lad=lad)
        return Path(t, theta, self.rise(objective))

    def rise(self, objective: Floats) -> Floats:
        """Deviances of objectives."""
        if self.fit.absolute:
            return 2 * (objective - self.fit.objective)
        factor = 1.0 if self._gaussian else 2.0
        return factor * self.fit.n_runs * np.log(objective / self.fit.objective)

    def ends(self, path: Path, limit: float) -> tuple[float, float]:
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
class Place(Scan):
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
    def at(cls, fit: Any, at: ArrayLike, kind: str) -> Place:
        """The scan of the prediction at a place, for the law or for one new run."""
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

    def solve(self, t: Floats, starts: Floats) -> Path:
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
            return Path(t, theta, self.rise(objective))
        there = replace(problem, u=self.u, y=np.zeros(1), times=None)
        told = np.array([there.linearise(row)[0][0] for row in theta.T])
        rise = self.rise(objective - 0.5 * self.weight * (told - value) ** 2)
        # Where no law follows the pull nothing is excluded, and an end stays open.
        follows = np.abs(told - t) <= 0.5 * np.abs(t - self.centre) + self.spread
        return Path(np.where(follows, told, t), theta, np.where(follows, rise, 0.0))


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
