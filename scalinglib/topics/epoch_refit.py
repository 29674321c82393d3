"""What the refit of Hoffmann's runs rests on: starts, groups of runs, and one law for all."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from scalinglib.checks import Floats
from scalinglib.comparison import objective
from scalinglib.fit.bootstrap import Bootstrap
from scalinglib.fit.result import Fit
from scalinglib.fit.search import nonnegative, solve
from scalinglib.laws import ChinchillaLaw, fit_chinchilla, quasi_newton_run

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


def by_compute(runs: pd.DataFrame, parts: int) -> list[pd.DataFrame]:
    """Parts of equal number of runs, from the least compute to the most."""
    order = runs.sort_values("flops", kind="stable")
    return [order.iloc[rows] for rows in np.array_split(np.arange(len(order)), parts)]


def bend(runs: pd.DataFrame, parts: int) -> float:
    """How much the size exponent a falls from the part of least compute to that of most."""
    ends = by_compute(runs, parts)
    return fit_chinchilla(ends[0]).law.a - fit_chinchilla(ends[-1]).law.a


def bend_by_chance(
    fit: Fit[Any], runs: pd.DataFrame, parts: int, *,
    groups: NDArray[Any] | None = None, n: int = 60, seed: int = 0,
) -> Floats:  # fmt: skip
    """The same fall in `n` sets of runs that obey the fitted law, with its residuals.

    Residuals are shuffled over all runs; with `groups`, each stays at its run and whole groups
    change sign, which keeps what runs of a group share and where residuals are large.
    """
    generator = np.random.default_rng(seed)
    residuals, label = fit.residuals.reindex(runs.index), None
    if groups is not None:
        _, label = np.unique(groups, return_inverse=True)
    expected = np.log(fit.law.loss(runs.params, runs.tokens))
    ends = [by_compute(runs, parts)[side] for side in (0, -1)]
    fits = [fit_chinchilla(end) for end in ends]
    found = np.empty((n, 2))
    for draw in range(n):
        if label is None:
            error = generator.permutation(residuals.to_numpy())
        else:
            error = residuals.to_numpy() * generator.choice([-1, 1], label.max() + 1)[label]
        losses = pd.Series(expected + error, index=runs.index)
        found[draw] = [
            _refit(one, losses[end.index]).a for one, end in zip(fits, ends, strict=True)
        ]
    return found[:, 0] - found[:, 1]


def quantities(runs: pd.DataFrame) -> dict[str, Floats]:
    """Decimal logarithms of N, D, C and D/N, each from its mean."""
    tokens_per_param = runs.tokens / runs.params
    columns = {"N": runs.params, "D": runs.tokens, "C": runs.flops, "D/N": tokens_per_param}
    logs = {name: np.log10(np.asarray(values, float)) for name, values in columns.items()}
    return {name: values - values.mean() for name, values in logs.items()}


def curvatures(runs: pd.DataFrame, residuals: Floats) -> dict[str, float]:
    """Quadratic coefficient of residuals against each of `quantities`, per squared decade."""
    return {
        name: float(np.polyfit(x, residuals, 2)[0]) for name, x in quantities(runs).items()
    }  # fmt: skip


def curvatures_by_chance(
    fit: Fit[Any], runs: pd.DataFrame, *,
    groups: NDArray[Any] | None = None, n: int = 400, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """The same coefficients in `n` sets of runs that obey the fitted law, each fitted anew.

    Residuals are shuffled, or change sign by `groups`, as in `bend_by_chance`.
    """
    generator = np.random.default_rng(seed)
    residuals = fit.residuals.reindex(runs.index).to_numpy()
    expected = np.log(fit.law.loss(runs.params, runs.tokens))
    label = None if groups is None else np.unique(groups, return_inverse=True)[1]
    found = []
    for _ in range(n):
        if label is None:
            error = generator.permutation(residuals)
        else:
            error = residuals * generator.choice([-1, 1], label.max() + 1)[label]
        losses = pd.Series(expected + error, index=runs.index)
        law = _refit(fit, losses.reindex(fit.residuals.index))
        left = losses - np.log(law.loss(runs.params, runs.tokens))
        found.append(curvatures(runs, left.to_numpy()))
    return pd.DataFrame(found)


def _refit(fit: Fit[Any], log_losses: pd.Series[float]) -> ChinchillaLaw:
    """The same runs with other losses, solved from the fit."""
    problem = replace(fit.model.problem, y=log_losses.to_numpy())
    theta, _ = solve(problem, fit.theta[:, None], None, None)
    law: ChinchillaLaw = fit.rebuild(fit.model.params(theta)[:, 0])
    return law


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


def curvature_test(x: Floats, y: Floats) -> float:
    """Two-sided p of the quadratic term of a parabola through points with independent errors."""
    design = np.vander(x - x.mean(), 3)
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    free = len(x) - 3
    variance = ((y - design @ beta) ** 2).sum() / free
    se = np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
    return float(2 * stats.t.sf(abs(beta[0]) / se, free))
