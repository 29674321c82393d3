"""Global search: where to start, how to get past kinks, and how sure the optimum is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TypeVar

import numpy as np

from scalinglib.checks import Floats
from scalinglib.fit.huber import HuberProblem, PowerSum
from scalinglib.fit.lad import NARROW, least_absolute
from scalinglib.fit.model import Restriction
from scalinglib.fit.newton import FIRST_SHARE, LEAST_SHARE, Weights, minimise, polish

Points = TypeVar("Points", bound=HuberProblem)

Stages = tuple[tuple[int, int | None], ...]

EXPONENTS = np.geomspace(0.03, 2.0, 10)
"""Exponents tried for each term; six values instead of ten miss 1 of 240 noisy test sets."""

WIDE = (0.1, 0.02, 0.005)
"""Huber thresholds that start rows pass through: a wide one is nearly least squares, and smooth."""

RACE = ((40, None), (60, 40), (400, 10), (4000, 1))
"""Steps of each stage of a search, and how many of the best rows run in it."""

STEPS = 300
"""Steps allowed to a resample or a point of a profile; most take ten."""

SEARCHED = 5_000
"""A larger table is searched on this many of its runs, drawn once with seed 0, and the runs with
the least and the largest of each predictor; the best places found are finished on all runs."""

FINISH = ((40, 4), (4000, 1))
"""The same as `RACE` for the places that are finished."""

SAME = 1e-9
"""Starts within this relative distance of the lowest objective count as having found it."""

ROUNDING = 1e-15
"""What a log residual is known to; the objective, a sum of squares, is then known to no more than
this times the root of twice itself times the mass of the points."""

CLOSE = 1e-3
"""Starts within this relative distance fit about as well as the best."""


@dataclass(frozen=True, slots=True)
class Optimum:
    """Best of many starts, in solver coordinates (p,).

    `agreement` is the share of the starts that ended at this objective, `gradient` the largest
    entry of its gradient, and `rivals` (p, q) are other places where starts ended within 0.1 % of
    it, best first; `converged` says that the best start came to rest, as against out of steps.
    """

    theta: Floats
    agreement: float
    objective: float
    gradient: float
    converged: bool
    rivals: Floats


def search(
    problem: HuberProblem, starts: Floats, restriction: Restriction, *, lad: bool = False
) -> Optimum:
    """Refine the starts (p, R) under ever narrower losses, then race all of them to the optimum.

    The raw starts run beside the refined ones: refinement rescues starts from bad kinks, and
    now and then moves one away from the optimum. Of more than `SEARCHED` runs a sample is searched.
    """
    directions = restriction.directions
    few = sample(problem)
    starts = refined = restriction.apply(starts)
    for delta in WIDE:
        if 1.5 * problem.delta < delta:
            wide = replace(few, delta=delta)
            refined = minimise(wide, refined, directions=directions, iterations=10).theta
    theta = starts if refined is starts else np.concatenate([refined, starts], axis=1)
    theta, objective, converged = _race(few, theta, directions, RACE, lad)
    if few is problem:
        return _conclude(problem, theta, objective, directions, lad, converged=converged)
    agreement = float(np.mean(objective <= _limit(few, objective, lad)))
    order = np.argsort(objective, kind="stable")
    apart = np.diff(objective[order], prepend=-np.inf) > 1e-6 * objective[order]
    theta, objective, converged = _race(problem, theta[:, order[apart]], directions, FINISH, lad)
    found = _conclude(problem, theta, objective, directions, lad, converged=converged)
    return replace(found, agreement=agreement)


def sample(problem: Points) -> Points:
    """The problem itself, or the part of a large one that is searched."""
    if problem.n_points <= SEARCHED:
        return problem
    drawn = np.random.default_rng(0).choice(problem.n_points, SEARCHED, replace=False)
    ends = problem.u.argmin(axis=1), problem.u.argmax(axis=1)
    return problem.take(np.unique(np.concatenate([drawn, *ends])))


def _race(
    problem: HuberProblem, theta: Floats, directions: Floats, stages: Stages, lad: bool
) -> tuple[Floats, Floats, bool]:
    """Where the rows end, their objectives, and whether the best came to rest.

    After a while only the best rows go on, since the last of them can take hundreds of steps along
    a flat valley.
    """
    first = stages[0][1]
    theta = theta[:, :first].copy()
    objective = np.full(theta.shape[1], np.inf)
    going = np.arange(theta.shape[1])
    for iterations, kept in stages:
        going = going[:kept]
        found = minimise(problem, theta[:, going], directions=directions, iterations=iterations)
        theta[:, going], objective[going] = found.theta, found.objective
        converged = bool(found.converged.any())
        going = going[np.argsort(found.objective, kind="stable")]
    if lad:
        theta, objective = solve(problem, theta, None, directions, lad=True)
    return theta, objective, converged


def _limit(problem: HuberProblem, objective: Floats, lad: bool) -> float:
    """Objective up to which a start counts as having found the lowest, but for rounding."""
    lowest, mass = float(objective.min()), float(problem.mass.sum())
    rounding = ROUNDING * float(np.sqrt(2 * lowest * mass))
    return lowest * (1 + (1e-6 if lad else SAME)) + rounding + ROUNDING**2 * mass


def _conclude(
    problem: HuberProblem,
    theta: Floats,
    objective: Floats,
    directions: Floats,
    lad: bool,
    *,
    converged: bool,
) -> Optimum:
    """Sharpen the best of many rows and say how the others compare."""
    best = int(np.argmin(objective))
    limit = _limit(problem, objective, lad)
    near = np.flatnonzero((objective > limit) & (objective <= objective[best] * (1 + CLOSE)))
    point = theta[:, best] if lad else polish(problem, theta[:, best], directions)
    objective_there, gradient = _certificate(problem, point, directions, lad)
    return Optimum(
        theta=point,
        agreement=float(np.mean(objective <= limit)),
        objective=objective_there,
        gradient=gradient,
        converged=converged,
        rivals=theta[:, near[np.argsort(objective[near], kind="stable")]],
    )


def solve(
    problem: HuberProblem,
    theta: Floats,
    weights: Weights | None,
    directions: Floats | None,
    *,
    lad: bool = False,
) -> tuple[Floats, Floats]:
    """Local optima (p, R) and objectives (R,) from the starts `theta`, each row with its weights.

    The objective of absolute deviations is the weighted sum of absolute residuals.
    """
    # Least squares has no kinks to jump across, so the first step may be Newton's.
    share = FIRST_SHARE if np.isfinite(problem.delta) else LEAST_SHARE
    found = minimise(problem, theta, weights, directions=directions, iterations=STEPS, share=share)
    if not lad:
        return found.theta, found.objective
    return least_absolute(problem, found.theta, weights, directions, STEPS)


def projected_starts(problem: PowerSum) -> Floats:
    """One start (p, R) per grid point of the exponents, with the best coefficients for them.

    For given exponents the law is linear in its coefficients, so these solve a small
    non-negative least-squares problem in relative error.
    """
    problem = sample(problem)
    T = len(problem.u)
    grid = np.array(list(product(EXPONENTS, repeat=T)))
    scaled = np.exp(-grid[:, :, None] * problem.u - problem.y)
    floor = np.broadcast_to(np.exp(-problem.y), (len(grid), 1, problem.n_points))
    coefficients = nonnegative(np.concatenate([scaled, floor], axis=1))
    smallest = 1e-4 * np.exp(np.median(problem.y))
    return np.concatenate([np.log(np.maximum(coefficients, smallest)), grid], axis=1).T


def nonnegative(columns: Floats) -> Floats:
    """Non-negative coefficients (g, k) that bring columns (g, k, m) closest to one.

    The solution of such a problem is the unrestricted one on some set of non-zero coefficients;
    with at most three there are at most seven sets, tried in turn.
    """
    grid, k, _ = columns.shape
    gram = columns @ columns.transpose(0, 2, 1)
    gram[:, range(k), range(k)] *= 1 + 1e-9
    moments = columns.sum(axis=2)
    best, highest = np.zeros((grid, k)), np.full(grid, -np.inf)
    for size in range(1, k + 1):
        for chosen in combinations(range(k), size):
            part = np.linalg.solve(
                gram[np.ix_(range(grid), chosen, chosen)], moments[:, chosen, None]
            )[:, :, 0]
            explained = (part * moments[:, chosen]).sum(axis=1)
            better = (part >= 0).all(axis=1) & (explained > highest)
            highest[better] = explained[better]
            best[better] = 0.0
            best[np.ix_(better, chosen)] = part[better]
    return best


def _certificate(
    problem: HuberProblem, theta: Floats, directions: Floats, lad: bool
) -> tuple[float, float]:
    """Objective at an optimum and the largest entry of its gradient."""
    if lad:
        r, _ = problem.linearise(theta)
        problem = replace(problem, delta=NARROW[-1])
    f, g, _ = problem.evaluate(theta[:, None], np.ones((1, problem.n_points)), np.zeros(1))
    slope = np.abs(directions.T @ g[:, 0])
    return (float(np.abs(r) @ problem.mass) if lad else float(f[0])), float(slope.max())
