"""What a corpus is worth in compute, on a grid of budgets, on a benchmark, and cell by cell.

These comparisons need a reference corpus and no law of the loss in size and tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scalinglib._newton import Floats
from scalinglib._validate import table
from scalinglib.errors import DataError, FitError
from scalinglib.isoflop import fit_isoflop

Names = NDArray[np.object_]


def compute_multipliers(runs: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """How much compute the reference corpus would need for the best loss of each other corpus.

    The best loss of a corpus at a budget is the minimum of the parabola through its IsoFLOP
    profile. The budget at which the reference reaches that loss is read off its own minima,
    linearly in the logarithm of compute; beyond them the nearest two are continued.

    Parameters
    ----------
    runs : DataFrame
        Columns ``corpus``, ``budget_flops`` (FLOP), ``params``, ``tokens`` and ``loss``.
    reference : str
        The corpus to compare with.

    Returns
    -------
    DataFrame
        Columns ``corpus``, ``budget`` (FLOP), ``loss``, ``multiplier`` (budget of the reference
        over the budget spent: above one means that the corpus saves compute) and
        ``extrapolated``.

    Raises
    ------
    DataError
        If a column is missing or the reference is not among the corpora.
    FitError
        If a corpus has fewer than two profiles with a minimum.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("corpora_isoflops")
    >>> runs = runs[~runs.flagged].rename(columns={"loss_paloma": "loss"})
    >>> found = compute_multipliers(runs, reference="dclm")
    >>> print(found[found.corpus == "nemotron"].multiplier.round(2).tolist())
    [1.18, 1.19, 1.25, 1.29]
    """
    corpora = corpora_of(runs)
    minima = {}
    for name in reference_first(corpora, reference):
        found = fit_isoflop(runs[corpora == name]).minima
        minima[name] = found[found.used].sort_values("loss", kind="stable")
    known = minima[reference]
    parts = []
    for name, own in minima.items():
        equal = _line(own.loss.to_numpy(), known.loss.to_numpy(), np.log(known.budget).to_numpy())
        parts.append(
            pd.DataFrame(
                {
                    "corpus": name,
                    "budget": own.budget,
                    "loss": own.loss,
                    "multiplier": np.exp(equal) / own.budget,
                    "extrapolated": ~own.loss.between(known.loss.min(), known.loss.max()),
                }
            ).sort_values("budget", kind="stable")
        )
    return pd.concat(parts, ignore_index=True)


def score_multipliers(
    scores: pd.DataFrame, *, metric: str, reference: str
) -> tuple[pd.DataFrame, float, float]:
    """Compute multipliers on a benchmark: one slope in ln C, an intercept per corpus.

    Parameters
    ----------
    scores : DataFrame
        Columns ``corpus``, ``flops`` (FLOP) and the metric.
    metric : str
        Column with the score; higher is better.
    reference : str
        The corpus whose multiplier is one.

    Returns
    -------
    table : DataFrame
        Index corpus; ``multiplier``, the factor of compute that the reference needs for the same
        score, and ``spread``, its standard error as a factor, by the delta method.
    slope : float
        Score per e-fold of compute.
    rms : float
        Root of the mean squared residual, in the unit of the score.

    Raises
    ------
    DataError
        If a column is missing, or the reference is not among the corpora.
    FitError
        If the score does not rise with compute, or too few rows are left to tell the noise.

    Examples
    --------
    >>> import scalinglib as sl
    >>> scores = sl.load("corpora_core_scores")
    >>> found, slope, _ = score_multipliers(scores, metric="core_score", reference="C4")
    >>> print(f"{found.multiplier['DCLM-baseline']:.1f} {slope:.4f}")
    8.2 0.0387
    """
    (C, score), _ = table(scores, ("flops", metric))
    corpora = corpora_of(scores)
    names = reference_first(corpora, reference)
    design = np.column_stack([np.log(C), *((corpora == name).astype(float) for name in names)])
    degrees = len(score) - design.shape[1]
    if degrees < 1 or np.linalg.matrix_rank(design) < design.shape[1]:
        raise FitError(
            f"{len(score)} scores cannot determine a slope and {len(names)} intercepts with their "
            "noise; add scores at several budgets."
        )
    found, *_ = np.linalg.lstsq(design, score, rcond=None)
    residual = score - design @ found
    slope = float(found[0])
    if slope <= 0:
        raise FitError(f"{metric} does not rise with compute, so no compute equals a difference.")
    covariance = np.linalg.inv(design.T @ design) * (residual @ residual) / degrees
    rows = []
    for k in range(1, len(names) + 1):
        gain = (found[k] - found[1]) / slope
        gradient = np.zeros(len(found))
        gradient[0] = -gain / slope
        gradient[k] += 1 / slope
        gradient[1] -= 1 / slope
        rows.append((np.exp(gain), np.exp(np.sqrt(gradient @ covariance @ gradient))))
    frame = pd.DataFrame(rows, index=list(names), columns=["multiplier", "spread"])
    return frame, slope, float(np.sqrt(np.mean(residual**2)))


def paired_gaps(
    runs: pd.DataFrame, *, on: Sequence[str], value: str, reference: str
) -> pd.DataFrame:
    """Differences to the reference corpus, cell by cell, where every corpus has a run.

    Parameters
    ----------
    runs : DataFrame
        Columns ``corpus``, those of `on`, and `value`.
    on : sequence of str
        Columns that make a cell, for example shape and tokens per parameter.
    value : str
        What is compared.
    reference : str
        The corpus that is subtracted.

    Returns
    -------
    DataFrame
        One row per cell, one column per other corpus, index the cell; its mean and its standard
        error need no law at all.

    Raises
    ------
    DataError
        If a column is missing, a cell has two runs of one corpus, or no cell has all corpora.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("overtrained_runs")
    >>> gaps = paired_gaps(runs, on=("model", "tokens_per_param"), value="loss_c4",
    ...                    reference="c4_original")
    >>> print(len(gaps), gaps.mean().round(3).to_dict())
    31 {'rpj': 0.119, 'rw_original': 0.071}
    """
    names = reference_first(corpora_of(runs), reference)
    for column in (*on, value):
        if column not in runs:
            raise DataError(f"runs has no column {column!r}; name the columns that make a cell.")
    if runs.duplicated(["corpus", *on]).any():
        raise DataError(f"some cells of {', '.join(on)} hold two runs of one corpus; add a column.")
    cells = runs.pivot_table(index=list(on), columns="corpus", values=value).dropna()
    if not len(cells):
        raise DataError(f"no cell of {', '.join(on)} has a run of every corpus.")
    return cells[list(names[1:])].sub(cells[reference], axis=0).rename_axis(columns=None)


def corpora_of(runs: pd.DataFrame) -> Names:
    """Names of the corpora, one per row.

    Parameters
    ----------
    runs : DataFrame
        With a column ``corpus``.

    Returns
    -------
    ndarray of str, shape (m,)

    Raises
    ------
    DataError
        If the column or one of its entries is missing.

    Examples
    --------
    >>> print(corpora_of(pd.DataFrame({"corpus": ["a", "b"]})))
    ['a' 'b']
    """
    if "corpus" not in runs:
        raise DataError("runs has no column 'corpus'; add it: the name of the training corpus.")
    if runs["corpus"].isna().any():
        row = runs.index[runs["corpus"].isna().argmax()]
        raise DataError(f"row {row!r}, column 'corpus': is missing.")
    names: Names = runs["corpus"].to_numpy(dtype=object)
    return names


def reference_first(corpora: Names, reference: str) -> list[str]:
    """The distinct corpora, the reference first and the others by name.

    Parameters
    ----------
    corpora : ndarray of str
        From `corpora_of`.
    reference : str
        One of them.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If the reference is not among the corpora.
    FitError
        If there is no other corpus.

    Examples
    --------
    >>> reference_first(np.array(["b", "a", "c", "a"], dtype=object), "b")
    ['b', 'a', 'c']
    """
    names = sorted(set(corpora))
    if reference not in names:
        raise DataError(f"reference {reference!r} is not among the corpora: {', '.join(names)}.")
    if len(names) < 2:
        raise FitError(f"all runs are on {reference!r}; a comparison needs a second corpus.")
    return [reference, *(name for name in names if name != reference)]


def _line(at: Floats, x: Floats, y: Floats) -> Floats:
    """Linear interpolation of y over ascending x, the end pieces continued beyond the ends."""
    piece = np.clip(np.searchsorted(x, at) - 1, 0, len(x) - 2)
    slope = (y[piece + 1] - y[piece]) / (x[piece + 1] - x[piece])
    return np.asarray(y[piece] + slope * (at - x[piece]), dtype=np.float64)
