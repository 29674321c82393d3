"""What a corpus is worth: in compute, on a grid of budgets, on a benchmark, and cell by cell.

These comparisons need a reference corpus and no law. With a law, a multiplier on tokens says what
better data do to the best model, and what they cannot do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.interpolate import make_interp_spline
from scipy.optimize import brentq

from scalinglib.checks import Floats, positive, table
from scalinglib.errors import DataError, FitError
from scalinglib.isoflop.frontier import fit_isoflop
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.corpora import corpora_of, reference_first


def compute_multipliers(runs: pd.DataFrame, *, reference: str) -> pd.DataFrame:
    """How much compute the reference corpus would need for the best loss of each other corpus.

    The best loss of a corpus at a budget (FLOP) is the minimum of the parabola through its IsoFLOP
    profile. The budget at which the reference reaches that loss is read off its own minima,
    linearly in the logarithm of compute; beyond them (`extrapolated`) the nearest two are
    continued. A multiplier above one means that the corpus saves compute.
    """
    corpora = corpora_of(runs)
    minima = {}
    for name in reference_first(corpora, reference):
        found = fit_isoflop(runs[corpora == name]).minima
        minima[name] = found[found.used].sort_values("loss", kind="stable")
    known = minima[reference]
    parts = []
    for name, own in minima.items():
        equal = make_interp_spline(known.loss, np.log(known.budget), k=1)(own.loss)
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

    A table by corpus: `multiplier`, the factor of compute (FLOP) that the reference needs for the
    same score, and `spread`, its standard error as a factor, by the delta method. Then the slope,
    score per e-fold of compute, and the root mean square residual.
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
    gain = (found[1:] - found[1]) / slope
    # Derivatives of each gain in the slope and the intercepts.
    gradient = np.column_stack([-gain, np.eye(len(names))]) / slope
    gradient[:, 1] -= 1 / slope
    variance = ((gradient @ covariance) * gradient).sum(axis=1)
    frame = pd.DataFrame(
        {"multiplier": np.exp(gain), "spread": np.exp(np.sqrt(variance))}, index=list(names)
    )
    return frame, slope, float(np.sqrt(np.mean(residual**2)))


def paired_gaps(
    runs: pd.DataFrame, *, on: Sequence[str], value: str, reference: str
) -> pd.DataFrame:
    """Differences of a value to the reference corpus, cell by cell, where every corpus has a run.

    The columns `on` make a cell, for example shape and tokens per parameter. One row per cell, one
    column per other corpus; their means and standard errors need no law at all.
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


def with_quality(law: ChinchillaLaw, Q: float) -> ChinchillaLaw:
    """The law on data of which each token is worth Q tokens of the original, B Q^-beta for B.

    At a budget C its optimum is that of `law` at Q C, with the tokens divided by Q: so the optimal
    size grows as Q to the power a, and a given loss costs 1/Q of the compute at an unchanged size.
    """
    return replace(law, B=law.B * float(positive("Q", Q)) ** -law.beta)


def quality_needed(law: ChinchillaLaw, loss: ArrayLike, *, N: ArrayLike, D: ArrayLike) -> Floats:
    """Multiplier with which N parameters and D tokens reach a loss (nats per token).

    Infinite where the target lies at or below the floor of a model of that size, E + A N^-alpha,
    which data of any quality leave where it is.
    """
    target, N, D = np.broadcast_arrays(positive("loss", loss), positive("N", N), positive("D", D))
    left = target - law.loss(N, np.inf)
    reached = left > 0
    worth = (law.B / np.where(reached, left, 1.0)) ** (1 / law.beta)
    return np.where(reached, worth / D, np.inf)[()]


def largest_matched(law: ChinchillaLaw, N: float, *, tokens_per_param: float = 20.0) -> float:
    """Size of the largest model that one of N parameters can match, were its data perfect.

    Where A N'^-alpha + B (tokens_per_param N')^-beta, the excess of a model trained on the original
    corpus, has come down to A N^-alpha, the floor of the smaller one less E.
    """
    size, ratio = float(positive("N", N)), float(positive("tokens_per_param", tokens_per_param))
    for name in ("A", "B", "alpha", "beta"):
        if not getattr(law, name) > 0:
            raise DataError(
                f"law.{name} is {getattr(law, name):g}; a largest size exists only for positive A, "
                "B, alpha and beta."
            )
    floor = law.A * size**-law.alpha

    def above(log_N: float) -> float:
        other = np.exp(log_N)
        excess = law.A * other**-law.alpha + law.B * (ratio * other) ** -law.beta
        return float(np.log(excess) - np.log(floor))

    low = high = float(np.log(size))
    while above(high) > 0:
        high += 5.0
    return float(np.exp(brentq(above, low, high, xtol=1e-13)))
