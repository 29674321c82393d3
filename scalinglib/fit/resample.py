"""Which runs a resample holds: the one door through which every bootstrap of the package draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalinglib.checks import Floats
from scalinglib.errors import DataError
from scalinglib.fit.newton import ROWS_PER_UNIT

Positions = NDArray[np.int64]


def draw(
    units: int,
    n: int,
    *,
    seed: int,
    strata: Sequence[Positions] | None = None,
    block: int | None = None,
    share: float | None = None,
    replace: bool = False,
    multinomial: bool = False,
) -> Iterator[Positions]:
    """Positions of the units in `n` resamples, tables (rows, m) of at most `ROWS_PER_UNIT` rows.

    Units are drawn with replacement; within each of the `strata`, if they are given; in `block` s
    of neighbours (Künsch 1989), or a `share` of them without replacement, or with it if `replace`.
    A `multinomial` draw has the distribution of the plain one and other digits, those of a stored
    study.
    """
    if n < 2:
        raise DataError(f"n must be at least 2 resamples, got {n}.")
    if share is not None and not 0 < share < 1:
        raise DataError(f"share must lie between 0 and 1, for example 0.8; got {share}.")
    if replace and share is None:
        raise DataError("replace=True says how a share is drawn; give one, such as share=0.8.")
    if block is not None and not 1 <= block <= units:
        raise DataError(f"block must lie between 1 and n = {units}, got {block}.")
    generator = np.random.default_rng(seed)
    if share is not None and replace:
        yield generator.integers(0, units, size=(n, round(share * units)))
    elif share is not None:
        rank = generator.random((n, units)).argsort(axis=1, kind="stable")
        yield rank[:, : round(share * units)]
    elif strata is not None:
        yield np.concatenate(
            [own[generator.integers(0, len(own), size=(n, len(own)))] for own in strata], axis=1
        )
    elif block is not None:
        first = generator.integers(0, units - block + 1, size=(n, -(-units // block)))
        yield (first[:, :, None] + np.arange(block)).reshape(n, -1)[:, :units]
    elif multinomial:
        times = generator.multinomial(units, np.full(units, 1 / units), size=n)
        yield np.repeat(np.tile(np.arange(units), n), times.ravel()).reshape(n, units)
    else:
        for start in range(0, n, ROWS_PER_UNIT):
            yield generator.integers(0, units, size=(min(ROWS_PER_UNIT, n - start), units))


NOBODY = -1
"""Fills the rows of a ragged table; no position."""


def given(resamples: Any, units: int) -> Iterator[Positions]:
    """Positions that somebody else has drawn, checked, in the tables that `draw` yields.

    Rows may be of unequal length, as those of whole runs with unequal numbers of checkpoints are.
    """
    rows = resamples if isinstance(resamples, np.ndarray) else [np.asarray(r) for r in resamples]
    if isinstance(rows, list) and len({row.shape for row in rows}) > 1:
        if any(row.ndim != 1 or not np.issubdtype(row.dtype, np.integer) for row in rows):
            raise DataError("resamples must be rows of integer run positions; convert them.")
        if any(len(row) == 0 or row.min() < 0 for row in rows):
            raise DataError(f"resamples needs positions of 0 to {units - 1} in every row.")
        table = np.full((len(rows), max(map(len, rows))), NOBODY)
        for own, row in zip(table, rows, strict=True):
            own[: len(row)] = row
        filled = table != NOBODY
    else:
        table = np.asarray(rows)
        filled = np.True_
    if table.ndim != 2 or not np.issubdtype(table.dtype, np.integer) or len(table) < 2:
        raise DataError(
            "resamples must be a two-dimensional array of integer run positions with at least "
            f"two rows; got shape {table.shape} of {table.dtype}."
        )
    if table.min(initial=0, where=filled) < 0 or table.max(initial=0) >= units:
        raise DataError(
            f"resamples holds positions from {table.min(where=filled, initial=0)} to "
            f"{table.max()}, but the fit used {units} runs: positions must lie between 0 and "
            f"{units - 1}."
        )
    for start in range(0, len(table), ROWS_PER_UNIT):
        yield table[start : start + ROWS_PER_UNIT]


def members(clusters: ArrayLike, points: int) -> Positions:
    """The cluster of each point, counted from 0 in the order of the sorted labels."""
    labels = np.asarray(clusters)
    names, codes = np.unique(labels, return_inverse=True)
    if labels.shape != (points,) or len(names) < 2:
        raise DataError(
            f"clusters has shape {labels.shape} and {len(names)} labels; give one label for each "
            f"of the {points} points and at least two clusters."
        )
    return codes


def counts(positions: Positions, units: int) -> Floats:
    """How often each unit is drawn, (rows, units)."""
    rows = len(positions)
    cells = positions + units * np.arange(rows)[:, None]
    if positions.min(initial=0) < 0:
        cells = cells[positions >= 0]
    return np.bincount(cells.ravel(), minlength=rows * units).reshape(rows, units).astype(float)
