"""What the refit of Hoffmann's runs rests on: starts, groups of runs, and one law for all."""

from __future__ import annotations

from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.comparison import objective
from scalinglib.fit.bootstrap import Bootstrap
from scalinglib.fit.result import Fit
from scalinglib.fit.search import nonnegative, solve
from scalinglib.laws import ChinchillaLaw, quasi_newton_run

EXPONENTS = np.arange(0.0, 2.1, 0.5)
LOG_FLOOR = np.arange(-1.0, 1.1, 0.5)
LOG_COEFFICIENTS = np.arange(0.0, 25.1, 5.0)
"""The grid of starts of Hoffmann et al. 2022, App. D.2: alpha and beta, ln E, ln A and ln B."""


def hoffmann_starts(every: int = 1) -> list[ChinchillaLaw]:
    """Hoffmann's grid of starts (App. D.2), or one in `every` of them."""
    grid = product(LOG_COEFFICIENTS, LOG_COEFFICIENTS, LOG_FLOOR, EXPONENTS, EXPONENTS)
    return [
        ChinchillaLaw(E=float(np.exp(e)), A=float(np.exp(a)), B=float(np.exp(b)),
                      alpha=float(alpha), beta=float(beta))
        for a, b, e, alpha, beta in list(grid)[::every]
    ]  # fmt: skip


def replay_grid(
    runs: pd.DataFrame, *, reduce: Literal["mean", "sum"], every: int = 1
) -> pd.DataFrame:
    """SciPy's L-BFGS-B with default tolerances from Hoffmann's starts, best first.

    Columns law, objective (summed over the runs whatever the optimiser saw), success, start.
    The index is the place of the start in the grid.
    """
    found = [quasi_newton_run(runs, start=one, reduce=reduce) for one in hoffmann_starts(every)]
    table = pd.DataFrame(
        [{"law": one.law, "objective": one.objective, "success": one.success} for one in found]
    )
    table["start"] = hoffmann_starts(every)
    return table.sort_values("objective", kind="stable")


def path(
    runs: pd.DataFrame, start: ChinchillaLaw, *, reduce: Literal["mean", "sum"], most: int = 400
) -> pd.DataFrame:
    """Every iterate of L-BFGS-B with default tolerances, from the start to where it stops.

    Columns step, alpha, beta, objective (summed over the runs whatever the optimiser saw). The
    optimiser is deterministic, so a run cut off at k iterations ends at the k-th iterate.
    """
    points = [{"step": 0, "alpha": start.alpha, "beta": start.beta,
               "objective": objective(start, runs)}]  # fmt: skip
    for step in range(1, most + 1):
        one = quasi_newton_run(runs, start=start, reduce=reduce, options={"maxiter": step})
        if one.iterations < step:
            break
        points.append({"step": step, "alpha": one.law.alpha, "beta": one.law.beta,
                       "objective": one.objective})  # fmt: skip
    return pd.DataFrame(points)


def surface(fit: Fit[Any], alphas: Floats, betas: Floats) -> pd.DataFrame:
    """The least objective that A, B and E allow at each pair of exponents.

    Columns alpha, beta, objective (sum over the runs). Each pair is solved from the coefficients
    that are best in relative error and from those of the fit; the lower end counts.
    """
    problem = fit.model.problem
    pairs = np.array(list(product(alphas, betas)))
    scaled = np.exp(-pairs[:, :, None] * problem.u - problem.y)
    floor = np.broadcast_to(np.exp(-problem.y), (len(pairs), 1, problem.n_points))
    best = nonnegative(np.concatenate([scaled, floor], axis=1))
    near = np.log(np.maximum(best, 1e-4 * np.exp(np.median(problem.y))))
    same = np.broadcast_to(fit.theta[:3], near.shape)
    directions = fit.model.restrict({"alpha": 0.5, "beta": 0.5}, ()).directions
    ends = [
        solve(problem, np.concatenate([guess, pairs], axis=1).T, None, directions)[1]
        for guess in (near, same)
    ]
    lowest = np.minimum(*ends)
    return pd.DataFrame({"alpha": pairs[:, 0], "beta": pairs[:, 1], "objective": lowest})


def budget_blocks(flops: pd.Series[float], nominal: Floats) -> NDArray[np.int64]:
    """Label of the nominal budget within 10 % of each run, else of its quarter decade."""
    apart = np.abs(np.log(flops.to_numpy()[:, None] / np.asarray(nominal)))
    quarter = np.floor(4 * np.log10(flops.to_numpy())).astype(np.int64)
    near = apart.min(axis=1) < np.log(1.1)
    label: NDArray[np.int64] = np.where(near, apart.argmin(axis=1), 1000 + quarter)
    return label


def distance_in_constants(law: ChinchillaLaw, boot: Bootstrap, centre: ChinchillaLaw) -> float:
    """Chi-square distance in (A, B, E, alpha, beta) themselves, without logarithms."""
    names = ["A", "B", "E", "alpha", "beta"]
    gap = np.array([getattr(centre, name) - getattr(law, name) for name in names])
    return float(gap @ np.linalg.solve(boot.params[names].cov().to_numpy(), gap))


def intraclass(
    residuals: Floats, groups: NDArray[Any], *, n: int = 400, seed: int = 0
) -> tuple[float, float]:
    """Intraclass correlation of residuals, and the value that 95 % of `n` permutations stay below.

    One-way analysis of variance with groups of unequal size.
    """
    _, label = np.unique(groups, return_inverse=True)
    size = np.bincount(label)
    points, count = len(residuals), len(size)
    typical = (points - (size**2).sum() / points) / (count - 1)

    def correlation(values: Floats) -> float:
        mean = np.bincount(label, values) / size
        between = (size * (mean - values.mean()) ** 2).sum() / (count - 1)
        within = ((values - mean[label]) ** 2).sum() / (points - count)
        return float((between - within) / (between + (typical - 1) * within))

    generator = np.random.default_rng(seed)
    chance = [correlation(generator.permutation(residuals)) for _ in range(n)]
    return correlation(residuals), float(np.quantile(chance, 0.95))
