"""Absolute deviations: where as many residuals are zero as constants are free.

The sum of absolute residuals has an edge wherever a residual is zero, and most rows have their
optimum at a vertex, where such edges meet. From the optimum of a Huber loss, a linear programme
of the linearised residuals finds the points of that vertex, and Newton's method leads onto them.
A row has arrived if no edge leads down from there. The others, most of which have their optimum
inside an edge, follow the Huber loss to a narrower threshold.

A residual times its weight is called a pull; the objective is the sum of absolute pulls.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.fit.huber import HuberProblem, Positions
from scalinglib.fit.newton import POINTS_PER_BLOCK, Weights, minimise, slices

NARROW = (2e-4, 4e-5, 8e-6, 3e-6, 3e-7, 1e-8, 1e-10)
"""Huber thresholds along which a fit turns into absolute deviations."""

NEAR = 0.03
"""First share of majorising curvature along `NARROW`, where each start is read off the last two."""

CANDIDATES, PIVOTS, APPROACHES = 32, 40, 4
"""Points that the linear programme chooses from, those of least residual; its longest way; and
Newton steps onto the points it chose."""


@np.errstate(all="ignore")
def least_absolute(
    problem: HuberProblem,
    theta: Floats,
    weights: Weights | None,
    directions: Floats | None,
    iterations: int,
) -> tuple[Floats, Floats]:
    """Optima (p, R) and weighted sums of absolute residuals (R,), from optima of the Huber loss."""
    weights = np.ones((1, problem.n_points)) if weights is None else weights
    along = np.eye(len(theta)) if directions is None else directions
    end, total, going = theta.copy(), np.empty(theta.shape[1]), np.arange(theta.shape[1])
    slope = np.zeros_like(theta)
    for delta in NARROW:
        end[:, going], total[going], left = _vertices(problem, theta, weights, along)
        if not left.any():
            break
        going, before, slope = going[left], theta[:, left], slope[:, left]
        weights = weights if len(weights) == 1 else weights[left]
        problem, last = replace(problem, delta=delta), problem.delta
        # Once the points inside the threshold stay the same, the optimum is linear in it.
        start = before + slope * (delta - last)
        found = minimise(
            problem, start, weights, directions=directions, iterations=iterations, share=NEAR
        )
        theta = end[:, going] = found.theta
        total[going] = _absolute(problem, found.objective, weights)
        # A floor held at zero stands at minus infinity, and stays there.
        slope = np.nan_to_num(theta - before) / (delta - last)
    return end, total


def _absolute(problem: HuberProblem, objective: Floats, weights: Weights) -> Floats:
    """Sums of absolute residuals, from Huber's under a threshold that hardly any are within."""
    sums: Floats = weights.astype(float) @ problem.mass
    return objective / problem.delta + 0.5 * problem.delta * sums


def _vertices(
    problem: HuberProblem, theta: Floats, weights: Weights, directions: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Vertices (p, R) near Huber optima, their objectives, and which of them are no optima."""
    rows, m = theta.shape[1], problem.n_points
    weights = np.broadcast_to(weights, (rows, m))
    parts = [
        _vertex(problem, theta[:, block], weights[block].astype(float), directions)
        for block in slices(rows, max(1, POINTS_PER_BLOCK // m))
    ]
    at, objective, left = zip(*parts, strict=True)
    return np.concatenate(at, axis=1), np.concatenate(objective), np.concatenate(left)


def _vertex(
    problem: HuberProblem, theta: Floats, weights: Floats, directions: Floats
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The same for rows that are worked on together."""
    each, mass, p = np.arange(len(weights))[:, None], weights * problem.mass, directions.shape[1]
    r, _ = problem.take(np.arange(problem.n_points)[None]).linearise(theta)
    k = min(CANDIDATES, problem.n_points)
    near = np.where(mass > 0, np.abs(r), np.inf).argpartition(k - 1, axis=1)[:, :k]
    pulls, slopes = _pulls(problem, near, theta, mass[each, near], directions)
    table = np.zeros((len(weights), p + 1, k + p + 1))
    table[:, p, :k], table[:, :p, :k], table[:, range(p), range(k, k + p)] = pulls, slopes, 1.0
    # At a Huber optimum the slopes of the points outside the threshold balance those inside.
    table[:, :p, -1] = -np.vecdot(slopes, np.clip(r[each, near] / problem.delta, -1, 1)[:, None])
    table, held = _programme(table, k)
    points, edges, dual = near[each, held], table[:, :p, k : k + p], -_balance(table, k)
    own, theta = mass[each, points], theta + directions @ table[:, p, k : k + p].T
    # The duals of the programme are what the residuals are, in thresholds, at a sharp optimum.
    sharp = replace(problem, delta=NARROW[-1])
    wanted = own * dual * sharp.delta
    for _ in range(APPROACHES):
        pulls, slopes = _pulls(problem, points, theta, own, directions)
        edges = 2 * edges - edges @ slopes @ edges
        theta = theta - directions @ ((pulls - wanted)[:, None] @ edges)[:, 0].T
    f, g, H = sharp.evaluate(theta, weights, np.zeros(len(weights)))
    climb = np.vecdot(edges, (directions.T @ g / sharp.delta).T[:, None]) - dual
    H = directions.T @ H.transpose(2, 0, 1) @ directions / sharp.delta
    # A law that bends down along an edge may be lower at the next kink.
    bend = np.minimum(np.vecdot(edges @ H, edges) - 1 / (own * sharp.delta), 0.0)
    kinks = table[:, p, None, :k] / table[:, :p, :k]
    up, down = (np.where(s * kinks > 0, s * kinks, np.inf).min(axis=2) for s in (-1, 1))
    rise = 1 + np.minimum(climb + 0.5 * bend * up, 0.5 * bend * down - climb)
    arrived = (held >= 0) & (rise > 0) & (np.abs(pulls - wanted) < 1e-3 * sharp.delta * own)
    theta = theta - directions @ (wanted[:, None] @ edges)[:, 0].T
    return theta, _absolute(sharp, f, weights), ~arrived.all(axis=1)


def _pulls(
    problem: HuberProblem, points: Positions, theta: Floats, mass: Floats, directions: Floats
) -> tuple[Floats, Floats]:
    """Pulls (R, k) of some points of each row, and their slopes (R, p, k) along the directions."""
    r, J = problem.take(points).linearise(theta)
    return r * mass, directions.T @ J.swapaxes(0, 1) * mass[:, None]


def _balance(table: Floats, k: int) -> Floats:
    """How the objective changes along each column, but for the point that holds it."""
    balance: Floats = np.vecdot(table[:, :-1, :k], np.sign(table[:, -1:, :k]))
    return balance + table[:, :-1, -1]


def _programme(table: Floats, k: int) -> tuple[Floats, Positions]:
    """Minimise a linear cost plus the absolute values of `k` pulls, for every row.

    A `table` (R, p + 1, k + p + 1) has a column for each direction and one for where the row
    stands, which hold the pulls, the coordinates and the cost. A step follows the column that
    falls most steeply, past pulls of zero, to the one that stops the fall, and this point then
    holds the column (Barrodale and Roberts 1973). Returns the last tables, and the points that
    hold the columns, -1 for none.
    """
    end, going = table.copy(), np.arange(len(table))
    held = np.full((len(table), table.shape[1] - 1), -1)
    holders = held.copy()
    for _ in range(PIVOTS):
        balance, rows = _balance(table, k), np.arange(len(table))
        gain = np.abs(balance) - (held >= 0)
        j = (gain / np.linalg.norm(table[:, :-1, :k], axis=2)).argmax(axis=1)
        fall = gain[rows, j]
        change = -np.sign(balance[rows, j])[:, None] * table[rows, j, :k]
        reach = -table[:, -1, :k] / change
        reach[~(reach > 0)] = np.inf
        order = reach.argsort(axis=1, kind="stable")
        kinks = 2 * np.cumsum(np.abs(change)[rows[:, None], order], axis=1)
        stop = (kinks >= fall[:, None]).argmax(axis=1)
        q = order[rows, stop]
        on = (fall > 1e-9) & (kinks[rows, stop] >= fall) & (reach[rows, q] < np.inf)
        end[going[~on]], holders[going[~on]] = table[~on], held[~on]
        table, held, going, j, q = table[on], held[on], going[on], j[on], q[on]
        if not len(going):
            break
        rows = np.arange(len(going))
        pivot = table[rows, :, q]
        column = table[rows, j] / pivot[rows, j, None]
        pivot[rows, j] -= 1
        table -= pivot[:, :, None] * column[:, None]
        held[rows, j] = q
    return end, holders
