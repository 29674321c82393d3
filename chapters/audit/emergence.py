"""Claims about emergent abilities: the metric, the listing of article 4, and elicitation."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import binom, spearmanr

import scalinglib as sl
from scalinglib.checks import Floats
from scalinglib.topics import emergence

from . import Readings, settles

# The constants stand in one dictionary of floats, one of which is a whole number of tokens.
LISTING: Final = emergence.TokenLine(**emergence.SNIPPET)  # type: ignore[arg-type]
"""Article 4, lines 67 to 71: accuracy per token by size, and the exact match that follows."""
SIZES: Final[Floats] = np.geomspace(*emergence.SNIPPET_SIZES)
"""The sizes of that listing (parameters)."""
BEYOND: Final = 1e13
"""Parameters to which the curve of the listing is drawn on, as in the chapter."""
SMALL: Final = 3.0
"""Billions of parameters up to which a model is called small."""
LARGE: Final = 35.0
"""Billions of parameters above which a model is called large."""


@settles("D053", "D054", "D055", "D056")
def what_goes_in() -> Readings:
    """Sizes and accuracies per token of the listing, and its rule for a whole answer.

    Article 4, lines 65 to 69. A binomial law counts the right tokens without a power.
    """
    tokens, p = LISTING.tokens, LISTING.accuracy(SIZES)
    every_one = binom.pmf(tokens, tokens, p) / LISTING.exact_match(SIZES)
    ratios, steps = SIZES[1:] / SIZES[:-1], np.diff(p)
    return {
        "chance that all tokens are right over the listing's formula, least": every_one.min(),
        "chance that all tokens are right over the listing's formula, most": every_one.max(),
        "smallest size": SIZES[0],
        "largest size": SIZES[-1],
        "number of sizes": len(SIZES),
        "largest ratio of neighbouring sizes over the smallest": ratios.max() / ratios.min(),
        "accuracy per token at the smallest size": p[0],
        "accuracy per token at the largest size": p[-1],
        "largest rise of accuracy per token over the smallest": steps.max() / steps.min(),
        "ceiling of the clip": LISTING.ceiling,
        "sizes at which the clip acts": (p >= LISTING.ceiling).sum(),
        "parameters from which the clip acts": LISTING.clipped_from,
    }


@settles("D052", "D057", "D058")
def what_comes_out() -> Readings:
    """Shape of the exact match on the sizes of the listing, beyond them, and under another law.

    Article 4, lines 58, 70 and 72. A sigmoid bends down somewhere: its second differences over
    equal ratios of size turn negative. The power law of the loss agrees with the listing at both
    ends of its range; with it half of the answers are right where the loss per token is
    ln 2 / tokens.
    """
    p, score = LISTING.accuracy(SIZES), LISTING.exact_match(SIZES)
    law = LISTING.power_law(SIZES[-1])
    onward = np.exp(-LISTING.tokens * law.loss(np.geomspace(SIZES[0], BEYOND, len(SIZES))))
    half_by_law = (law.A * LISTING.tokens / np.log(2)) ** (1 / law.alpha)
    tenth = float(np.log(SIZES[-1] / SIZES[0]) / 10)
    return {
        "share of the listing's sizes where the curve bends down": (np.diff(score, 2) < 0).mean(),
        "the same for a power law of the loss, drawn on": (np.diff(onward, 2) < 0).mean(),
        "growth of exact match over growth of accuracy per token": (score[-1] / score[0])
        / (p[-1] / p[0]),
        "share of the rise in the steepest tenth of the range": emergence.steepest_window(
            np.log(SIZES), score, width=tenth
        )[1],
        "exact match at the largest size": score[-1],
        "exact match at a hundred times the largest size": float(LISTING.exact_match(BEYOND)),
        "size for half, power law of the loss over the listing": half_by_law
        / LISTING.params_for(0.5),
    }


@cache
def transliteration() -> pd.DataFrame:
    """One task in two metrics, sixty models in the order of compute."""
    table = sl.load("base_model_emergent").dropna()
    return table.sort_values("flops_1e21", kind="stable").reset_index(drop=True)


def first_success() -> int:
    """Number of models, in the order of compute, before the first with an exact match."""
    return int(np.argmax(transliteration().ipa_exact_match > 0))


@settles("C013")
def coarse_and_fine() -> Readings:
    """How late the gain comes under a coarse and a finer metric, and what the finer one sees.

    The first compares exact match with accuracy per token, over three decades of the listing; the
    second asks whether BLEU rises with compute where exact match is zero for every model.
    """
    last = (float(np.log(SIZES[-1] / 10)), float(np.log(SIZES[-1])))
    late = [
        emergence.window_share(np.log(SIZES), y, last)
        for y in (LISTING.exact_match(SIZES), LISTING.accuracy(SIZES))
    ]
    flat = transliteration()[: first_success()]
    return {
        "share of the gain in the last decade, exact match over accuracy per token": late[0]
        / late[1],
        "rank correlation of BLEU with compute where exact match is zero": float(
            spearmanr(flat.flops_1e21, flat.ipa_bleu).statistic
        ),
    }


@settles("D048")
def near_chance_and_then() -> Readings:
    """Whether small models are at chance, by exact match and by many tries at a problem.

    Transliteration is a task of the survey. In MATH a guess scores zero; the chance of a zero
    score is that of one try at each problem.
    """
    table, tries = transliteration(), sl.load("repeated_sampling_counts")
    first = first_success()
    by_model = {str(name).removeprefix("Pythia "): one for name, one in tries.groupby("model")}
    found = {
        f"chance that {name} scores zero in one try at each problem": emergence.zero_score_chance(
            by_model[name].n_correct, by_model[name].n_samples
        )
        for name in ("70M", "1B")
    }
    return found | {
        "smallest models in a row without an exact match": first,
        "larger models that are without one again": (table.ipa_exact_match[first:] == 0).sum(),
        "problems that 70M solves at least once in 10,000 tries": (
            by_model["70M"].n_correct > 0
        ).sum(),
    }


@cache
def pairs() -> pd.DataFrame:
    """One model on one task a row, asked directly and step by step."""
    table = sl.load("elicitation_pairs")
    return table.assign(gain=table.chain_of_thought - table.direct)


@settles("D060", "D086")
def asked_differently() -> Readings:
    """Rises from near nothing to four fifths, and gains of step-by-step prompting (points)."""
    table = pairs()
    near = table.direct < 0.1
    strict = (table.direct_strict == 0) & (table.chain_of_thought_strict >= 0.8)
    return {
        "pairs from under 10 % to 80 % or more": (near & (table.chain_of_thought >= 0.8)).sum(),
        "best score step by step of a pair under 5 %": table[table.direct < 0.05]
        .chain_of_thought.max(),
        "pairs from zero to 80 % or more, strict parser": strict.sum(),
        "mean gain of all pairs": 100 * table.gain.mean(),
        "largest gain of a pair": 100 * table.gain.max(),
        "pairs that gain 50 points or more": (table.gain >= 0.5).sum(),
    }  # fmt: skip


@settles("D095")
def hidden_by_size() -> Readings:
    """Gain of step-by-step prompting by size: a large gain means that direct scores hide much.

    The mean over tasks for each model, without the row that is itself a mean of the others.
    """
    gain = pairs()[pairs().task != "overall"].groupby("model").gain.mean()
    size = sl.load("base_model_benchmarks").set_index("model").params_billion[gain.index]
    small, large = gain[size <= SMALL], gain[size > LARGE]
    return {
        "rank correlation of the gain with size": float(spearmanr(size, gain).statistic),
        "gain of models up to 3B over that of models above 35B": small.mean() / large.mean(),
        "gain of models up to 3B over its standard error": small.mean() / small.sem(),
        "share of models up to 3B that gain": (small > 0).mean(),
    }
