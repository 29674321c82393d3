"""The batched solver: many fits of one law to one set of points, advanced together.

A *row* is one fit: a start of a global search, a resample of a bootstrap, or a point of a
profile. Rows share the points and differ in their parameters and in the integer weight each
gives to a point, so a resample costs no copy of the data. Every row follows its own Newton path
with exact second derivatives; the arithmetic runs over all rows at once, with one array per
matrix entry, so that no step of the algebra is a Python loop over rows.

A Huber loss with a small threshold is nearly piecewise linear: its Hessian sees only the few
points inside the threshold and knows nothing of the kinks that a step will meet. Each row
therefore adds a share mu of a second matrix that does know, the curvature of the parabolas that
touch the loss at each residual and lie above it everywhere. With mu = 1 a step is one of
iteratively reweighted least squares, which is slow and safe; with mu = 0 it is Newton's.

Shapes: p parameters, m points, R rows. Parameters and gradients are (p, R), Hessians (p, p, R)
and weights (R, m) or, where every row weighs the points alike, (1, m).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scalinglib.checks import Floats

Weights = NDArray[np.generic]

Derivatives = tuple[Floats, Floats, Floats]

ROWS_PER_UNIT = 2000
"""Rows that advance together. Unit boundaries are multiples of this number counted from row 0,
so the digits of a row never depend on how the rows were handed out to workers."""

POINTS_PER_BLOCK, POINTS_PER_TILE = 60_000, 4096
"""Row-point pairs evaluated at once, so that the work arrays stay in a core's own cache, and points
of a row: a large table is gone through tile by tile, each for as many rows as fill a block."""

KEPT = 4_000_000
"""Numbers in an array that is made and dropped, untouched, before the work begins. The C library of
Linux takes its size as a hint to keep what is freed, for the whole process: a bootstrap takes about
a fifth less time, and the 20 MB that it worked in stay with the process afterwards."""

FIRST_SHARE, LEAST_SHARE = 0.3, 1e-3
"""Share mu at the start, and the least after a setback. Smaller ones let rows jump across kinks
into worse minima."""

SMALL_SHARE = 1e-2
"""Largest share with which a step still tells how far a row is from its optimum."""

CLOSE_ENOUGH, SHORT = 1e-11, 1e-3
"""A row takes its last step, unevaluated, when the decrease it promises is below the first, as a
share of the objective, and no coordinate moves by more than the second."""

SETTLED = 1e-15
"""A row ends where it is when a step promises less than rounding: a valley without a floor, such
as a term that vanishes, would be followed for ever."""

ROUNDING = 1e-32
"""Square of the rounding of one residual: an objective below this per point is zero."""


class Problem(Protocol):
    """What the solver needs to know about a law and its data."""

    @property
    def n_points(self) -> int:
        """Number of points m."""

    def evaluate(self, theta: Floats, weights: Floats, mu: Floats) -> Derivatives:
        """Objective (R,), gradient (p, R) and curvature (p, p, R) of rows `theta` (p, R).

        The curvature is the Hessian plus the share `mu` (R,) of the majorising curvature.
        """


@dataclass(frozen=True, slots=True)
class Solution:
    """Where each row ended: parameters (p, R), and (R,) each of the rest.

    The objective is infinite for a row whose start could not be evaluated; `converged` says that no
    further decrease was possible, as against out of iterations.
    """

    theta: Floats
    objective: Floats
    converged: NDArray[np.bool_]
    evaluations: NDArray[np.int64]


def minimise(
    problem: Problem,
    theta: Floats,
    weights: Weights | None = None,
    *,
    directions: Floats | None = None,
    iterations: int = 120,
    share: float = FIRST_SHARE,
) -> Solution:
    """Minimise the problem from every row of `theta` (p, R), each with its own weights.

    A single column (p, 1) is the common start of every row of `weights` (R, m), which are of any
    numeric type, and one when left out. Parameters move along the columns of `directions` (p, k),
    all of them when left out: fixed and tied parameters and the points of a profile are expressed
    in this way. `share` is that of the majorising curvature in the first step, less for starts
    known to be near.
    """
    counts = np.ones((1, problem.n_points)) if weights is None else weights
    if directions is not None and np.array_equal(directions, np.eye(len(theta))):
        directions = None
    rows = max(theta.shape[1], len(counts))
    parts = []
    np.empty(KEPT)
    with np.errstate(all="ignore"):
        for unit in slices(rows, ROWS_PER_UNIT):
            start = theta if theta.shape[1] == 1 else theta[:, unit]
            own = counts if len(counts) == 1 else counts[unit]
            parts.append(_descend(problem, start, own, directions, iterations, share))
    return Solution(
        theta=np.concatenate([part.theta for part in parts], axis=1),
        objective=np.concatenate([part.objective for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        evaluations=np.concatenate([part.evaluations for part in parts]),
    )


def polish(problem: Problem, theta: Floats, directions: Floats | None = None) -> Floats:
    """Take undamped Newton steps from one optimum (p,) while the gradient shrinks.

    An objective in float64 cannot resolve the last digits of its own minimum; the gradient can.
    """
    weights = np.ones((1, problem.n_points))
    best, smallest = theta, np.inf
    with np.errstate(all="ignore"):
        for _ in range(4):
            at = problem.evaluate(theta[:, None], weights, np.zeros(1))
            _, g, H = _project(at, directions)
            size = float(np.abs(g).max())
            if not size < smallest:
                break
            best, smallest = theta, size
            step = newton_step(g, H)
            theta = theta + (step if directions is None else directions @ step)[:, 0]
    return best


def newton_step(g: Floats, H: Floats) -> Floats:
    """Solve H step = -g for every row.

    The symmetric elimination is written over arrays of rows. A pivot that shows an indefinite
    matrix is replaced by a positive one, so the step always leads downhill.
    """
    p = len(g)
    scale = np.abs(H.diagonal().T) + 1e-300
    A, b = H.copy(), -g
    for j in range(p):
        small = A[j, j] < 1e-14 * scale[j]
        if small.any():
            A[j, j] = np.where(small, np.abs(A[j, j]) + 1e-3 * scale[j], A[j, j])
        if j + 1 < p:
            factor = A[j + 1 :, j] / A[j, j]
            A[j + 1 :, j + 1 :] -= factor[:, None] * A[j, j + 1 :]
            b[j + 1 :] -= factor * b[j]
    for j in reversed(range(p)):
        b[j] = (b[j] - (A[j, j + 1 :] * b[j + 1 :]).sum(axis=0)) / A[j, j]
    return b


@dataclass(slots=True)
class _Rows:
    """The rows of a unit that are still under way, and where each stands."""

    index: NDArray[np.int64]
    weights: Weights
    theta: Floats
    f: Floats
    g: Floats
    H: Floats
    mu: Floats
    length: Floats
    idle: NDArray[np.int64]

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drop the other rows from every array; weights that all rows share stay."""
        if len(self.weights) > 1:
            self.weights = self.weights[rows]
        for name in self.__slots__:
            if name != "weights":
                setattr(self, name, getattr(self, name)[..., rows])

    def update(self, theta: Floats, at: Derivatives, mu: Floats, promised: Floats) -> None:
        """Accept the trials that lowered the objective, and learn from all of them."""
        f, g, H = at
        better = f <= self.f
        gain = np.where(better, self.f - f, 0.0)
        success = gain > 0.1 * self.length * promised
        self.mu = np.where(success, mu, np.maximum(4 * self.mu, LEAST_SHARE))
        self.length = np.where(better, 1.0, 0.25 * self.length)
        self.idle = np.where(gain > 4e-16 * self.f, 0, self.idle + 1)
        for mine, new in ((self.theta, theta), (self.f, f), (self.g, g), (self.H, H)):
            np.copyto(mine, new, where=better)


def _descend(
    problem: Problem,
    theta: Floats,
    weights: Weights,
    directions: Floats | None,
    iterations: int,
    share: float,
) -> Solution:
    """Run one unit of rows to the end; finished rows leave the work arrays at once."""
    f, g, H = _project(_evaluate_start(problem, theta, weights, share), directions)
    total = len(f)
    theta = np.repeat(theta, total, axis=1) if theta.shape[1] < total else theta.copy()
    f = np.where(np.isfinite(f), f, np.inf)
    end = Solution(theta.copy(), f, np.zeros(total, dtype=bool), np.ones(total, dtype=np.int64))
    rows = _Rows(
        index=np.arange(total),
        weights=weights,
        theta=theta,
        f=f.copy(),
        g=g,
        H=H,
        mu=np.full(total, share),
        length=np.ones(total),
        idle=np.zeros(total, dtype=np.int64),
    )
    rows.keep(np.isfinite(f))
    nothing = ROUNDING * problem.n_points
    for _ in range(iterations):
        step = newton_step(rows.g, rows.H)
        promised = -(rows.g * step).sum(axis=0)
        move = step if directions is None else directions @ step
        small = rows.mu <= SMALL_SHARE
        arrived = small & (promised <= CLOSE_ENOUGH * rows.f) & (abs(move).max(axis=0) < SHORT)
        settled = small & (promised <= SETTLED * rows.f + nothing)
        finished = arrived | settled | (rows.idle >= 12)
        if finished.any():
            done = rows.index[finished]
            # The last step is worth taking but not worth evaluating: a parabola's minimum lies
            # half the promised decrease below.
            last = np.where(arrived, move, 0.0)
            end.theta[:, done] = (rows.theta + last)[:, finished]
            end.objective[done] = (rows.f - np.where(arrived, 0.5 * promised, 0.0))[finished]
            end.converged[done] = True
            rows.keep(~finished)
            move, promised = move[:, ~finished], promised[~finished]
        if not len(rows.index):
            return end
        mu = np.where(rows.length == 1, 0.1 * rows.mu, rows.mu)
        trial = rows.theta + rows.length * move
        at = _evaluate(problem, trial, rows.weights, mu)
        end.evaluations[rows.index] += 1
        rows.update(trial, _project(at, directions), mu, promised)
    end.theta[:, rows.index], end.objective[rows.index] = rows.theta, rows.f
    return end


def _evaluate_start(problem: Problem, theta: Floats, weights: Weights, share: float) -> Derivatives:
    """Evaluate the starts; from a common start, once per point instead of once per row.

    The derivatives are sums over points of weight times a contribution. At one parameter vector
    the contributions are the same for every row, so they are found with unit weights and then
    summed for all rows by dot products. A matrix product would be a little faster, but it treats
    the rows at the edge of a thread's share differently, and digits would depend on how many
    threads the library was given.
    """
    rows, m = max(theta.shape[1], len(weights)), problem.n_points
    if theta.shape[1] > 1 or rows <= m:
        starts = np.repeat(theta, rows, axis=1) if theta.shape[1] < rows else theta
        return _evaluate(problem, starts, weights, np.full(rows, share))
    same = np.repeat(theta, m, axis=1)
    f, g, H = _evaluate(problem, same, np.eye(m), np.full(m, share))
    p = len(theta)
    i, j = np.triu_indices(p)
    table = np.concatenate([f[None], g, H[i, j]])
    sums = np.vecdot(table[:, None], weights.astype(np.float64, copy=False)[None])
    H = np.empty((p, p, rows))
    H[i, j] = H[j, i] = sums[p + 1 :]
    return sums[0], sums[1 : p + 1], H


def _evaluate(problem: Problem, theta: Floats, weights: Weights, mu: Floats) -> Derivatives:
    """Evaluate rows block by block."""
    p, rows = theta.shape
    f, g, H = np.empty(rows), np.empty((p, rows)), np.empty((p, p, rows))
    for block in slices(rows, max(1, POINTS_PER_BLOCK // min(problem.n_points, POINTS_PER_TILE))):
        chosen = weights if len(weights) == 1 else weights[block]
        f[block], g[:, block], H[:, :, block] = problem.evaluate(
            theta[:, block], chosen.astype(np.float64, copy=False), mu[block]
        )
    return f, g, H


def _project(derivatives: Derivatives, directions: Floats | None) -> Derivatives:
    """Gradient and Hessian along `directions` instead of along every parameter."""
    f, g, H = derivatives
    if directions is None:
        return f, g, H
    return f, directions.T @ g, np.einsum("ik,ijr,jl->klr", directions, H, directions)


def slices(total: int, size: int) -> Iterator[slice]:
    """Consecutive slices of at most `size`."""
    return (slice(start, min(start + size, total)) for start in range(0, total, size))
