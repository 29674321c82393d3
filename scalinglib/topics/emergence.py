"""How sudden is a change: emergence scores, windows, and what a finite test set can see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import hypergeom, spearmanr

from scalinglib import published
from scalinglib.checks import (
    Floats,
    at_least,
    chance,
    equally_long,
    listed,
    progress,
    whole_counts,
)
from scalinglib.errors import DataError
from scalinglib.laws.power import PowerLaw

ABILITIES: Final = {
    "GPT-3 13B": "adding and subtracting 3 digits",
    "GPT-3 175B": "MMLU, 57 topics",
    "Gopher 7.1B": "classifying toxic comments",
    "Gopher 280B": "TruthfulQA",
    "Chinchilla 70B": "MMLU, 30 topics",
    "PaLM 62B": "chain of thought, StrategyQA",
    "PaLM 540B": "Word in Context",
}
"""An ability that Table 1 of Wei et al. 2022 lists for the smallest model that showed it."""
RUNS: Final = {
    name: published.row(f"model/{name}{', exact' if name.startswith('GPT') else ''}")
    for name in ABILITIES
}
"""Parameters and tokens of those models."""
SNIPPET: Final = {"start": 1e8, "base": 0.5, "gain": 0.1, "ceiling": 0.99, "tokens": 8}
"""Constants of a listing that circulates as a demonstration of emergence, for `TokenLine`."""
SNIPPET_SIZES: Final = (1e8, 1e11, 50)
"""Smallest and largest model (parameters) of that listing, and the number of sizes."""
JUMP_STEPS: Final = (5_000, 55_000, 70_000, 200_000)
"""Steps of the 7B run: start, start and end of the window with the jump, end."""


def foretold(checkpoints: pd.DataFrame, step: int, later: int) -> float:
    """Rank correlation over models of the loss at a step with the accuracy at a later one.

    Columns model, step, perplexity, accuracy. Near -1 if the models ahead in loss stay ahead.
    """
    by_model = checkpoints.set_index(["step", "model"]).sort_index()
    loss, score = by_model.perplexity.loc[step], by_model.accuracy.loc[later]
    return float(spearmanr(loss, score.reindex(loss.index)).statistic)


def emergence_score(y: ArrayLike) -> float:
    """Range of a series over the root of its median squared step, with the sign of its trend.

    Schaeffer et al. 2023, Sec. 4, after Srivastava et al. 2022. A straight line of n points scores
    n - 1, so values can be compared at equal n only. Infinite if more than half of the steps are
    zero, zero for a constant series.
    """
    values = listed("y", y, 2)
    span = float(np.ptp(values))
    if span == 0:
        return 0.0
    step = float(np.sqrt(np.median(np.diff(values) ** 2)))
    sign = 1.0 if int(np.argmax(values)) > int(np.argmin(values)) else -1.0
    return sign * (round(span / step, 9) if step > 0 else np.inf)


def window_share(x: ArrayLike, y: ArrayLike, window: tuple[float, float]) -> float:
    """Share of the whole change of y that falls into a window of x.

    Straight between points. Negative where y moves against its own trend, above 1 where it
    overshoots.
    """
    at, rise = progress(x, y)
    low, high = window
    if not at[0] <= low < high <= at[-1]:
        raise DataError(
            f"window runs from {low:g} to {high:g}; give ends in order, within {at[0]:g} to "
            f"{at[-1]:g}."
        )
    return float(np.interp(high, at, rise) - np.interp(low, at, rise))


def steepest_window(x: ArrayLike, y: ArrayLike, *, width: float) -> tuple[float, float]:
    """Window of this width with the largest share of the change of y: its left end, and the share.

    Straight between points; pass logarithms as x for a window that is a ratio.
    """
    at, rise = progress(x, y)
    if not 0 < width <= at[-1] - at[0]:
        raise DataError(f"width is {width:g}; give one above 0 and up to {at[-1] - at[0]:g}.")
    # The share is piecewise linear in the place, so its largest value has an end on a point.
    left = np.concatenate([at, at - width])
    left = np.clip(left[(left >= at[0] - 1e-12) & (left + width <= at[-1] + 1e-12)], at[0], None)
    share = np.interp(left + width, at, rise) - np.interp(left, at, rise)
    best = int(np.argmax(share))
    return float(left[best]), float(share[best])


def last_crossing(x: ArrayLike, y: ArrayLike, *, level: float) -> float:
    """Place x, straight between points, where y last rises through a level and then stays above.

    The points come in the order of training or of scale; x need not increase.
    """
    place, values = listed("x", x, 2), listed("y", y, 2)
    equally_long(x=place, y=values)
    below = np.flatnonzero(values < level)
    if not len(below) or below[-1] == len(values) - 1:
        raise DataError(
            f"y does not rise through {level:g} and stay above it; choose a level between "
            f"{values.min():g} and {values[-1]:g}."
        )
    last = int(below[-1])
    part = (level - values[last]) / (values[last + 1] - values[last])
    return float(place[last] + part * (place[last + 1] - place[last]))


def zero_score_chance(n_correct: ArrayLike, n_samples: ArrayLike, *, k: ArrayLike = 1) -> float:
    """Chance that a model with known success counts scores zero on the whole test set.

    From each problem's samples k are drawn without replacement: the product over the problems of
    C(n - c, k) / C(n, k). Exact, nothing is simulated.
    """
    n, c, k = whole_counts(n_samples, n_correct, k)
    return float(np.prod(hypergeom.pmf(0, n, c, k)))


def chance_of_zero(accuracy: ArrayLike, questions: ArrayLike) -> Floats:
    """Chance that a model of given accuracy answers none of the questions, (1 - accuracy)^n."""
    return (1 - chance("accuracy", accuracy)) ** at_least("questions", questions, 1)


def questions_needed(accuracy: ArrayLike, *, level: float = 0.95) -> Floats:
    """Questions, not rounded, for a score above zero with chance `level` at a given accuracy."""
    share = chance("accuracy", accuracy)
    if not (0 < level < 1 and ((share > 0) & (share < 1)).all()):
        raise DataError("accuracy and level must lie strictly between 0 and 1.")
    needed: Floats = np.log1p(-level) / np.log1p(-share)
    return needed


@dataclass(frozen=True, slots=True)
class TokenLine:
    """Accuracy per token that rises by the same `gain` in every decade of parameters.

    It is `base` at `start` parameters and clipped at `ceiling`; an answer has `tokens`. The
    assumption behind a listing that circulates as a demonstration of emergence.
    """

    start: float
    base: float
    gain: float
    ceiling: float
    tokens: int

    def accuracy(self, N: ArrayLike) -> Floats:
        """Accuracy per token of a model of N parameters."""
        decades = np.log10(np.asarray(N, dtype=np.float64) / self.start)
        return np.clip(self.base + self.gain * decades, 0, self.ceiling)

    def exact_match(self, N: ArrayLike) -> Floats:
        """Chance that every token is right."""
        return exact_match(self.accuracy(N), self.tokens)

    def params_for(self, score: float) -> float:
        """Parameters at which the exact match reaches a score."""
        best = self.ceiling**self.tokens
        if not 0 < score <= best * (1 + 1e-12):
            raise DataError(f"score is {score:g}; give one above 0 and up to {best:.4g}.")
        return float(self.start * 10 ** ((score ** (1 / self.tokens) - self.base) / self.gain))

    def power_law(self, end: float) -> PowerLaw:
        """Power law of the cross-entropy (nats per token) that agrees at `start` and at `end`."""
        first, last = -np.log(self.accuracy([self.start, end]))
        alpha = float(np.log(first / last) / np.log(end / self.start))
        return PowerLaw(A=float(first * self.start**alpha), alpha=alpha)

    @property
    def clipped_from(self) -> float:
        """Parameters from which on the ceiling acts."""
        return self.params_for(self.ceiling**self.tokens)


def exact_match(p: ArrayLike, tokens: ArrayLike) -> Floats:
    """Chance that every token of an answer is right, p^tokens.

    Tokens are taken to fail independently, with the same chance (Schaeffer et al. 2023, Sec. 2).
    """
    return chance("p", p) ** at_least("tokens", tokens, 1)


def edit_distance(p: ArrayLike, tokens: ArrayLike) -> Floats:
    """Expected number of wrong tokens in an answer, tokens (1 - p).

    Counts substitutions alone, which is the token edit distance of an answer of the right length
    (Schaeffer et al. 2023, Sec. 2).
    """
    return at_least("tokens", tokens, 1) * (1 - chance("p", p))


def brier_score(p: ArrayLike, *, options: int = 2) -> Floats:
    """Brier score of a choice whose right option holds p and whose others share the rest evenly.

    The sum of squared errors over the options, from 2 or less down to 0 at p = 1.
    """
    if options < 2:
        raise DataError(f"options is {options}; a choice needs at least 2.")
    wrong: Floats = 1 - chance("p", p)
    return wrong**2 * options / (options - 1)
