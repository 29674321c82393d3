"""Claims about why Kaplan and Chinchilla disagree, and by how much."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.isoflop import power_line
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.topics import kaplan, reconciliation

from . import Readings, settles

SPLIT: Final = published.law("kaplan2020/split")
EPOCH: Final = published.EPOCH_2024
GOPHER: Final = published.value("hoffmann2022/Gopher budget")
GPT3: Final = float(sl.training_flops(*published.row("model/GPT-3 175B")))
SIZES: Final = published.row("kaplan2020/range/N")
CORPORA: Final = {"RefinedWeb": "porian2024_optima", "OpenWebText2": "porian2024_owt2_optima"}
"""The two corpora of Porian et al. 2024, and their tables of optima."""


@settles("A032", "A033", "C030")
def exponents_of_both() -> Readings:
    """Exponents of size and of data as the two papers print them, and of Epoch's refit."""
    table = sl.load("chinchilla_table2_exponents").set_index("approach")
    names = {"1": "approach 1", "2": "approach 2", "3": "approach 3"}
    found = {"size exponent of Kaplan": SPLIT.p_N, "data exponent of Kaplan": SPLIT.p_D}
    for key, name in names.items():
        found[f"size exponent of {name}"] = float(table.a[key])
        found[f"data exponent of {name}"] = float(table.b[key])
    return found | {
        "size exponent of Epoch's refit": EPOCH.a,
        "data exponent of Epoch's refit": EPOCH.b,
    }


def tokens_per_param(C: float) -> float:
    """Tokens per parameter of Kaplan's measured split at a minimum compute (FLOP)."""
    return float(SPLIT.tokens(C) / SPLIT.params(C))


@settles("A034")
def ratio_of_kaplan() -> Readings:
    """The ratio that Kaplan's allocation asks for, which no budget shares with another."""
    budgets = {"one PF-day": sl.PF_DAY, "GPT-3's compute": GPT3, "Gopher's budget": GOPHER}
    return {
        f"tokens per parameter at {name}": tokens_per_param(C) for name, C in budgets.items()
    } | {
        "tokens per parameter at half of GPT-3's compute": tokens_per_param(GPT3 / 2),
        "ratio at ten times the compute over the ratio": tokens_per_param(10 * GPT3)
        / tokens_per_param(GPT3),
    }


@settles("A055")
def more_data_than_kaplan() -> Readings:
    """Optimal tokens of the refitted law over those of Kaplan's allocation, at two budgets."""
    return {
        f"tokens of the refit over Kaplan's at {name}": float(
            sl.compute_optimal(EPOCH, C).D / SPLIT.tokens(C)
        )
        for name, C in (("Gopher's budget", GOPHER), ("GPT-3's compute", GPT3))
    }


@cache
def exponents(corpus: str) -> pd.Series[float]:
    """Exponent of the best size after each of Porian's five steps, on one of the two corpora."""
    optima = sl.load(CORPORA[corpus])
    lines = {}
    for step, setup in reconciliation.STEPS.items():
        found = optima.merge(pd.DataFrame([dict(setup)])).dropna()
        lines[step] = power_line(found.flops, found.params, sd=found.log_params_sd).exponent
    return pd.Series(lines)


@cache
def shares(corpus: str) -> pd.Series[float]:
    """Share of the whole change of the exponent that each step makes."""
    found = exponents(corpus)
    return -found.diff().dropna() / (found.iloc[0] - found.iloc[-1])


@settles("A037")
def shares_of_the_gap() -> Readings:
    """Shares of the gap that the parts of the learning-rate schedule close, on two corpora."""
    parts = {"warm-up": "shorter warm-up", "decay": "decay fitted to budget"}
    return {
        f"share of the gap, {part}, {corpus}": float(shares(corpus)[step])
        for corpus in CORPORA
        for part, step in parts.items()
    }


@settles("A038")
def spans_of_data() -> Readings:
    """Decades of data in Kaplan's study over those in Hoffmann's, as printed and as recovered."""
    low, high = published.row("kaplan2020/range/D")
    decades = float(np.log10(high / low))
    said = published.values("hoffmann2022/abstract")
    runs = sl.load("chinchilla_runs")
    return {
        "decades of data, Kaplan over Hoffmann's abstract": decades
        / float(np.log10(said["tokens_high"] / said["tokens_low"])),
        "decades of data, Kaplan over Hoffmann's recovered runs": decades
        / float(np.log10(runs.tokens.max() / runs.tokens.min())),
    }


def without_embeddings(law: ChinchillaLaw, low: float, high: float) -> float:
    """Exponent of the best size over a range, embeddings not counted, if a law in all holds."""
    omega = published.value("pearce2024/omega")
    first, last = reconciliation.budget_for_size(law, [low, high], omega=omega).tolist()
    C = np.geomspace(first, last, 100)
    best = reconciliation.nonembedding_optimal(law, C, omega=omega)
    return float(power_line(C, best.N).exponent)


@settles("A039")
def bias_of_small_models() -> Readings:
    """What a long warm-up of small models does, and what counting does without any bias."""
    return {
        f"share of the gap, warm-up, {corpus}": float(shares(corpus)["shorter warm-up"])
        for corpus in CORPORA
    } | {
        "exponent over Kaplan's sizes, embeddings left out, Epoch's law": without_embeddings(
            EPOCH, *SIZES
        ),
        "exponent over Kaplan's sizes, embeddings left out, Hoffmann's law": without_embeddings(
            published.HOFFMANN_2022, *SIZES
        ),
    }


@settles("C005")
def spread_of_exponents() -> Readings:
    """Differences of the size exponent by corpus and by pipeline, and of the exponent of loss."""
    first, second = (exponents(corpus) for corpus in CORPORA)
    hoffmann = published.row("hoffmann2022/a by corpus")
    deepseek = published.values("deepseek2024/a by corpus")
    runs = sl.load("dense_runs_clark2022")
    sizes = runs.groupby("label", sort=False, as_index=False).mean(numeric_only=True)
    texts = {one: one for one in runs if one.startswith("loss_")}
    by_text = kaplan.exponents_by_corpus(sizes, texts, published.law("kaplan2020/parameters").alpha)
    return {
        "two corpora, pipeline of Porian, at most": float((first - second).abs().max()),
        "two corpora, pipeline of Hoffmann": max(hoffmann) - min(hoffmann),
        "three corpora, pipeline of DeepSeek": max(deepseek.values()) - min(deepseek.values()),
        "one corpus, pipelines of Porian and DeepSeek": deepseek["OpenWebText2"]
        - float(second.iloc[-1]),
        "exponent of loss in size, five texts, largest over smallest": float(
            by_text.alpha_N.max() / by_text.alpha_N.min()
        ),
    }
