"""Choosing one answer among many tries without knowing which is right: a checker, and a vote."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binom

from scalinglib.checks import Floats, at_least, chance, count_table


def verdicts(
    counts: pd.DataFrame, k: ArrayLike, *, false_accept: float, true_accept: float = 1.0
) -> tuple[Floats, Floats]:
    """Shares of problems answered rightly and wrongly by the first sample that a checker accepts.

    The checker accepts the shares `true_accept` of the right samples and `false_accept` of the
    wrong ones. Where it accepts none of the `k`, no answer is given; `k` may be infinite. Rates
    are n_correct / n_samples.
    """
    n, c = count_table(counts)
    rate = c / n
    right = rate * chance("true_accept", true_accept)
    accepted = right + (1 - rate) * chance("false_accept", false_accept)
    some = 1 - (1 - accepted) ** at_least("k", k, 1)[..., None]
    precision = np.divide(right, accepted, out=np.zeros_like(rate), where=accepted > 0)
    return (some * precision).mean(axis=-1), (some * (1 - precision)).mean(axis=-1)


def answered(
    counts: pd.DataFrame, k: ArrayLike, *, false_accept: float, true_accept: float = 1.0
) -> Floats:
    """The first of `verdicts`. It never exceeds its value at infinitely many samples."""
    return verdicts(counts, k, false_accept=false_accept, true_accept=true_accept)[0]


def majority(counts: pd.DataFrame, votes: ArrayLike) -> Floats:
    """Share of problems on which more than half of so many votes fall on the right answer."""
    n, c = count_table(counts)
    votes = at_least("votes", votes, 1)[..., None]
    won: Floats = np.mean(binom.sf(np.floor(votes / 2), votes, c / n), axis=-1)
    return won


def plurality_limit(counts: pd.DataFrame, agree: ArrayLike) -> Floats:
    """Share of problems whose right answer wins a vote of endlessly many samples.

    `agree` is the share of the wrong samples that fall on one and the same answer. The right one
    is the most frequent where its rate p exceeds agree (1 - p).
    """
    n, c = count_table(counts)
    rate = c / n
    won: Floats = (rate > chance("agree", agree)[..., None] * (1 - rate)).mean(axis=-1)
    return won
