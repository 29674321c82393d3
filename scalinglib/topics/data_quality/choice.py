"""Whether a multiplier on a benchmark depends on which run of a cell is taken."""

from __future__ import annotations

from functools import cache
from itertools import product
from math import prod

import numpy as np
import pandas as pd
from scipy.integrate import quad
from scipy.stats import norm

from scalinglib.checks import Floats, table
from scalinglib.errors import DataError
from scalinglib.laws.corpora import reference_first

from .worth import score_multipliers

CELL = ("corpus", "flops")

RULES = ("best", "mean", "corrected", "corrected_own")
"""What `cell_scores` takes from a cell."""

MOST_CHOICES = 100_000
"""Ways to choose one run a cell that are still all computed."""


@cache
def expected_luck(n: int) -> float:
    """Mean of the largest of n standard normal draws: what "best of n" gains by chance."""
    if n < 1:
        raise DataError(f"n must be at least 1, got {n}.")
    if n == 1:
        return 0.0
    return float(quad(lambda z: z * n * norm.pdf(z) * norm.cdf(z) ** (n - 1), -12, 12)[0])


def cell_scores(runs: pd.DataFrame, *, metric: str) -> pd.DataFrame:
    """One score per cell (corpus, flops) by several rules, and the number of runs of the cell.

    best, mean, and the best less its expected luck: `corrected` with one scatter for all cells,
    `corrected_own` with the scatter of the cell. Runs of a cell are taken as independent normal.
    """
    table(runs, ("flops", metric))
    scores = runs.groupby(list(CELL), sort=True)[metric]
    n, sd = scores.size(), scores.std().fillna(0.0)
    if (n == 1).all():
        raise DataError("every cell holds one run, so the scatter between runs is not known.")
    common = np.sqrt(((n - 1) * sd**2).sum() / (n - 1).sum())
    luck = n.map(expected_luck)
    found = pd.DataFrame({"runs": n, "best": scores.max(), "mean": scores.mean()})
    found["corrected"] = found["best"] - luck * common
    found["corrected_own"] = found["best"] - luck * sd
    return found.reset_index()


def multipliers_by_rule(
    runs: pd.DataFrame, *, metric: str, corpus: str, reference: str
) -> dict[str, float]:
    """Compute multiplier of a corpus by what is taken from a cell; "all" takes every run."""
    cells = cell_scores(runs, metric=metric)
    tables = {rule: cells.rename(columns={rule: metric}) for rule in RULES}
    found = {
        rule: score_multipliers(one, metric=metric, reference=reference)[0].multiplier
        for rule, one in {**tables, "all": runs}.items()
    }
    return {rule: float(multiplier[corpus]) for rule, multiplier in found.items()}


def one_run_a_cell(runs: pd.DataFrame, *, metric: str, corpus: str, reference: str) -> Floats:
    """Compute multipliers of a corpus for every way to keep one run of each cell."""
    table(runs, ("flops", metric))
    cells = [(key, own.to_numpy()) for key, own in runs.groupby(list(CELL), sort=True)[metric]]
    ways = prod(len(own) for _, own in cells)
    if ways > MOST_CHOICES:
        raise DataError(f"there are {ways:,} choices of one run a cell; give fewer runs.")
    names = np.array([name for (name, _), _ in cells], dtype=object)
    order = reference_first(names, reference)
    log_C = np.log([flops for (_, flops), _ in cells])
    design = np.column_stack([log_C, *((names == name).astype(float) for name in order)])
    scores = np.array(list(product(*(own for _, own in cells)))).T
    found, *_ = np.linalg.lstsq(design, scores, rcond=None)
    gain = found[1 + order.index(corpus)] - found[1]
    multipliers: Floats = np.exp(gain / found[0])
    return multipliers
