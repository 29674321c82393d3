"""Claims about the worth of better data: multipliers, the Phi models, and pruning."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import ProductLaw
from scalinglib.laws.corpora import Term
from scalinglib.topics import data_quality

from . import Readings, settles

EPOCH: Final = published.EPOCH_2024
PAIR: Final = {"corpus": "DCLM-baseline", "reference": "C4"}
TESTS: Final = {
    "core_score": "Core",
    "arc_easy": "ARC-Easy",
    "lambada": "LAMBADA",
    "hellaswag": "HellaSwag",
}
"""Scores of the models of Li et al. 2024, and their names."""
BUDGET: Final = 1e24
"""FLOP of one plan for a frontier model, at which a quality of ten is tried."""


@cache
def grid() -> pd.DataFrame:
    """Runs on three corpora over four budgets, without the flagged ones."""
    table = sl.load("corpora_isoflops")
    return table[~table.flagged].rename(columns={"loss_paloma": "loss"})


@cache
def fitted(*terms: Term) -> sl.CorpusFit:
    """One law for the three corpora, DCLM the reference, with factors of each corpus."""
    return sl.fit_corpora(grid(), terms=terms, reference="dclm")


@settles("D026")
def one_multiplier() -> Readings:
    """Whether one factor of compute does for every test and every budget, and fits best."""
    scores = sl.load("corpora_core_scores")
    worth = {
        name: data_quality.score_multipliers(scores, metric=test, reference="C4")[0].multiplier[
            PAIR["corpus"]
        ]
        for test, name in TESTS.items()
    }
    bests = data_quality.compute_multipliers(grid(), reference="dclm")
    comma = bests[bests.corpus == "comma"].sort_values("budget", kind="stable").multiplier
    found = {
        f"worth of DCLM on {name} over that on Core": float(worth[name] / worth["Core"])
        for name in ("ARC-Easy", "LAMBADA", "HellaSwag")
    }
    return found | {
        "worth of DCLM on Core, times the compute of C4": float(worth["Core"]),
        "worth of Comma at the largest budget over that at the smallest": float(
            comma.iloc[-1] / comma.iloc[0]
        ),
        "scatter with a multiplier over scatter with a floor": fitted("Q").rms / fitted("E").rms,
    }


@settles("D084")
def less_compute() -> Readings:
    """How much more compute the poorer corpus takes for the same score, or the same loss."""
    runs = sl.load("corpora_core_runs")
    by_rule = data_quality.multipliers_by_rule(runs, metric="core_score", **PAIR)
    single = data_quality.one_run_a_cell(runs, metric="core_score", **PAIR)
    low, high = np.quantile(single, [0.025, 0.975])
    bests = data_quality.compute_multipliers(grid(), reference="dclm").set_index("corpus")
    comma = 1 / bests.multiplier["comma"]
    return {
        "compute of C4 for DCLM's Core score, best runs": by_rule["best"],
        "compute of C4 for DCLM's Core score, mean of the runs": by_rule["mean"],
        "the same, low end of the choices of one run": float(low),
        "the same, high end of the choices of one run": float(high),
        "compute of Comma for DCLM's loss, least of four budgets": float(comma.min()),
    }


@settles("D036")
def bound_on_data() -> Readings:
    """Tokens for the same loss at the same size, over those that the reference corpus needs."""
    worth = fitted("Q").factors.Q
    return {f"tokens that {name} needs over DCLM": 1 / float(worth[name.lower()])
            for name in ("Nemotron", "Comma")}  # fmt: skip


@settles("D033")
def product_form() -> Readings:
    """Where the product of powers is least at one budget, and what ten times the quality moves.

    Article 4, line 40: loss goes as N^-alpha (D Q)^-beta. Sizes from 1e6 to 1e14 are searched.
    """
    sizes = np.geomspace(1e6, 1e14, 801)
    laws = {"Epoch": EPOCH, "Hoffmann, rounded": published.HOFFMANN_2022_ROUNDED}
    found: dict[str, float] = {}
    for name, law in laws.items():
        best = [
            sizes[
                np.argmin(ProductLaw(1.0, law.alpha, law.beta, Q).loss(sizes, BUDGET / 6 / sizes))
            ]
            for Q in (1.0, 10.0)
        ]
        room = min(best[0] / sizes[0], sizes[-1] / best[0])
        found[f"decades from the best size to the end of the range, {name}"] = float(np.log10(room))
        found[f"best size at ten times the quality over the best size, {name}"] = float(
            best[1] / best[0]
        )
    return found


@settles("D034")
def better_data_and_size() -> Readings:
    """What data of ten times the worth do to the best plan, and DeepSeek's exponents by corpus."""
    better = data_quality.with_quality(EPOCH, Q=10.0)
    before, after = (sl.compute_optimal(law, BUDGET) for law in (EPOCH, better))
    cheaper = sl.compute_optimal(better, BUDGET / 10)
    by_corpus = published.values("deepseek2024/a by corpus")
    return {
        "best size at equal compute, quality ten over one": float(after.N / before.N),
        "best size at equal loss, quality ten over one": float(cheaper.N / before.N),
        "tokens per parameter at equal compute, quality ten over one": float(
            after.tokens_per_param / before.tokens_per_param
        ),
        "size exponent on the better corpus over the earlier, DeepSeek": by_corpus["current"]
        / by_corpus["early"],
    }


@settles("D027")
def data_of_phi_1() -> Readings:
    """Parameters of phi-1, the distinct tokens of its corpus, and those that it saw."""
    params, tokens = published.row("model/Phi-1")
    return {
        "parameters of phi-1": params,
        "distinct tokens of phi-1": published.value("gunasekar2023/unique tokens"),
        "tokens seen by phi-1": tokens,
    }


@settles("D028")
def code_of_phi_1() -> Readings:
    """phi-1 against StarCoder: size, pass rate on HumanEval, and a graded score."""
    rate, grade = (
        published.values(f"gunasekar2023/{test}") for test in ("HumanEval", "understanding")
    )
    params, _ = published.row("model/Phi-1")
    return {
        "parameters of StarCoder over those of phi-1": published.value("gunasekar2023/StarCoder")
        / params,
        "pass rate of phi-1 over that of StarCoder": rate["phi_1"] / rate["starcoder"],
        "graded score of phi-1 over that of StarCoder": grade["phi_1"] / grade["starcoder"],
    }


@settles("D030")
def data_of_phi_2() -> Readings:
    """Parameters and training tokens of Phi-2."""
    params, tokens = published.row("model/Phi-2")
    return {"parameters of Phi-2": params, "training tokens of Phi-2": tokens}


def points_ahead() -> dict[str, float]:
    """Points by which Phi-2 leads Llama 2 70B in each group of benchmarks of its announcement."""
    ours, theirs = (published.values(f"javaheripi2023/{one}") for one in ("Phi-2", "Llama 2 70B"))
    return {name: score - theirs[name] for name, score in ours.items()}


@settles("D031")
def phi_2_by_group() -> Readings:
    """Points by which Phi-2 leads Llama 2 70B, by group of benchmarks."""
    return {f"points ahead, {name}": points for name, points in points_ahead().items()}


@settles("D032")
def the_gap_of_phi_2() -> Readings:
    """Groups in which Phi-2 is not behind, the median lead, and what a law lets data do."""
    points = np.array(list(points_ahead().values()))
    small, _ = published.row("model/Phi-2")
    target = EPOCH.loss(*published.row("model/Llama 2 70B"))
    return {
        "share of the groups without a gap": float((points >= 0).mean()),
        "median of the points ahead": float(np.median(points)),
        "loss of Phi-2 with perfect data over that of Llama 2 70B, Epoch's law": float(
            EPOCH.loss(small, np.inf) / target
        ),
    }


@settles("D035")
def pruning() -> Readings:
    """Perfect ranking: examples kept per tenfold pool, and hard examples of a small pool.

    Under a power law with exponent one, every tenfold fall of the error takes ten times the
    examples; an exponential takes equally many more each time.
    """
    ten, hundred, thousand = (data_quality.kept_needed(pool) for pool in (10.0, 100.0, 1000.0))
    error = data_quality.generalisation_error
    whole = error(2.0)
    return {
        "more hard examples for the second tenfold fall than for the first, times": (
            thousand - hundred
        )
        / (hundred - ten),
        "error with the hard half of a small pool over that of all": float(
            error(2.0, fraction=0.5) / whole
        ),
        "error with the easy half of a small pool over that of all": float(
            error(2.0, fraction=0.5, keep="easy") / whole
        ),
    }
