"""Principal components of a table of scores with gaps, and how they follow compute.

Many released models, eight benchmarks: if the scores move together, a few directions hold nearly
all of their variance, and one of them can be set against the compute of each model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, at_least, equally_long, numbers, positive, wide_table
from scalinglib.errors import DataError, FitError
from scalinglib.fit.line import fit_line

FILL_TOLERANCE = 1e-12
"""Filled values stand still when none moves by this share of the largest entry."""

FILL_ROUNDS = 10_000
"""Repetitions after which gaps count as not to be filled."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Principal components of a table, each a column PC1, PC2, ... of unit `loadings` and `scores`.

    `shares` of the variance, largest first; the largest loading of each component is positive.
    `filled` is the table without gaps, and `rounds` the repetitions until it stood still.
    """

    shares: Floats
    loadings: pd.DataFrame
    scores: pd.DataFrame
    filled: pd.DataFrame
    rounds: int


def principal_components(table: pd.DataFrame, *, standardise: bool = False) -> Components:
    """Principal components of a table, its gaps (NaN) filled from the first (Ruan et al. 2024).

    One row a model, one column a benchmark. A gap starts at the mean of its column; then it takes
    the value that the first component gives it, until the values stand still. With `standardise`
    every benchmark counts alike, otherwise those of the largest spread count most.
    """
    values = wide_table(table)
    gaps = np.isnan(values)
    filled = np.where(gaps, np.nanmean(values, axis=0), values)
    rounds = 0
    while gaps.any():
        left, size, right, scale = _decompose(filled, standardise)
        one = filled.mean(axis=0) + scale * (size[0] * np.outer(left[:, 0], right[0]))
        moved = float(np.max(np.abs(one - filled)[gaps]))
        filled, rounds = np.where(gaps, one, values), rounds + 1
        if moved <= FILL_TOLERANCE * float(np.max(np.abs(filled))):
            break
        if rounds == FILL_ROUNDS:
            raise FitError(
                f"the filled values still move after {FILL_ROUNDS} rounds; leave out the rows or "
                "columns with most gaps."
            )
    left, size, right, _ = _decompose(filled, standardise)
    signs = np.sign(right[np.arange(len(right)), np.argmax(np.abs(right), axis=1)])
    names = [f"PC{k + 1}" for k in range(len(size))]
    return Components(
        shares=size**2 / np.sum(size**2),
        loadings=pd.DataFrame((right * signs[:, None]).T, index=table.columns, columns=names),
        scores=pd.DataFrame(left * size * signs, index=table.index, columns=names),
        filled=pd.DataFrame(filled, index=table.index, columns=table.columns),
        rounds=rounds,
    )


def family_trends(
    scores: ArrayLike, flops: ArrayLike, family: ArrayLike, *, fewest: int = 3
) -> pd.DataFrame:
    """Least-squares line of a score on ln compute within each family of `fewest` models or more.

    Compute comes in any unit; models without it (NaN) are left out. Columns family, models, slope
    (per factor of e in compute), intercept and r2, in the order of the last.
    """
    y, C = numbers("scores", scores), numbers("flops", flops)
    names = np.asarray(family, dtype=object)
    equally_long(scores=y, flops=C, family=names)
    at_least("fewest", fewest, 3)
    positive("flops", C[~np.isnan(C)])
    known = np.isfinite(C) & np.isfinite(y)
    frame = pd.DataFrame({"family": names, "x": np.log(C), "y": y})[known]
    rows: list[dict[str, Any]] = []
    for name, group in frame.groupby("family", sort=False):
        if len(group) < fewest or group.x.nunique() < 2:
            continue
        line = fit_line(group.x.to_numpy(), group.y.to_numpy())
        rows.append({"family": name, "models": len(group), "slope": line.slope,
                     "intercept": line.intercept, "r2": line.r2})  # fmt: skip
    if not rows:
        raise DataError(f"no family has {fewest} models with known compute; add models.")
    return pd.DataFrame(rows).sort_values("r2", kind="stable", ignore_index=True)


def _decompose(filled: Floats, standardise: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Singular vectors and values of the centred table, and the scale of its columns."""
    scale: Floats = filled.std(axis=0) if standardise else np.ones(filled.shape[1])
    left, size, right = np.linalg.svd((filled - filled.mean(axis=0)) / scale, full_matrices=False)
    return left, size, right, scale
