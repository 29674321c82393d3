"""Claims about compute at answer time: many tries, long thinking, and what an answer costs."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.fit.curve import CurveFit
from scalinglib.laws import ExponentiatedPowerLaw, LogLinear
from scalinglib.topics import inference_compute
from scalinglib.topics.inference_compute import Plan, coverage

from . import Readings, settles

TRIES: Final = inference_compute.sample_grid(10_000)
"""Numbers of samples at which coverage is computed; the data hold no more."""
EARLY: Final = TRIES <= 100
"""Those from which a forecast is made."""
RULE: Final = published.value("rule/tokens per parameter")
"""Training tokens per parameter of both models of article 4, which gives none."""
THINKING: Final = Plan(N=70e9, D=RULE * 70e9, T=10_000)
"""Article 4, line 34: 70B parameters and 10,000 tokens of reasoning; training by the rule."""
AT_ONCE: Final = Plan(N=400e9, D=RULE * 400e9, T=500)
"""Article 4, line 34: 400B parameters in a single pass; the length of its answer is assumed."""


@cache
def tries() -> dict[str, pd.DataFrame]:
    """Right answers to each problem of MATH, by model."""
    table = sl.load("repeated_sampling_counts")
    table = table.assign(model=table.model.str.removeprefix("Pythia "))
    return {str(name): one for name, one in table.groupby("model", sort=False)}


@cache
def solved() -> dict[str, Floats]:
    """Coverage of each model at `TRIES`."""
    return {name: coverage(one, TRIES) for name, one in tries().items()}


def forecast_miss(form: type[LogLinear | ExponentiatedPowerLaw]) -> float:
    """Typical miss of a form at the last number of tries, fitted to the early ones (coverage)."""
    misses = [
        float(sl.fit_curve(form, TRIES[EARLY], c[EARLY]).predict(TRIES[-1])) - c[-1]
        for c in solved().values()
    ]
    return float(np.sqrt(np.mean(np.square(misses))))


@settles("A143")
def more_tries() -> Readings:
    """What more samples buy: problems covered, and answers that a chooser then gets right."""
    said = published.values("brown2024/quoted")
    few, many = 100 * inference_compute.answered(tries()["12B"], [100, 10_000], false_accept=0.01)
    found = {
        f"coverage in 10,000 tries over one, {name}": float(solved()[name][-1] / solved()[name][0])
        for name in ("70M", "12B")
    }
    return found | {
        "points gained by a chooser from 100 to 10,000 tries, Llama-3-8B": said["chosen_10k"]
        - said["chosen_100"],
        "points gained from 100 to 10,000 tries, checker that accepts 1 % of the wrong": float(
            many - few
        ),
    }


@settles("D022")
def small_and_often() -> Readings:
    """A small model that tries often over a single answer of the large one, by coverage.

    The fair number of tries is the one that costs what a single answer of the 12B model costs.
    """
    released = sl.load("released_models_pile")
    sizes = released[released.family == "Pythia"].set_index("label").params
    once = solved()["12B"][0]
    fair = int(sizes["12B"] / sizes["160M"])
    return {
        "70M in 10,000 tries over 12B in one": float(solved()["70M"][-1] / once),
        "160M over 12B in one, at equal compute": float(coverage(tries()["160M"], fair) / once),
        "size of the model that is matched over the size, Snell": published.value(
            "snell2024/gain/size"
        ),
    }


@cache
def thinking() -> dict[str, pd.DataFrame]:
    """Accuracy (a share) of s1 by thinking tokens, by benchmark."""
    table = sl.load("budget_forcing")
    table = table.assign(tokens=table.avg_thinking_tokens, accuracy=table.accuracy_pct / 100)
    return {str(name): one for name, one in table.groupby("benchmark", sort=False)}


@cache
def lines() -> dict[str, CurveFit[LogLinear]]:
    """Accuracy of s1 as a line in the logarithm of thinking tokens."""
    return {
        name: sl.fit_curve(LogLinear, one.tokens, one.accuracy) for name, one in thinking().items()
    }


@settles("A096", "D018")
def log_linear() -> Readings:
    """Lines in the logarithm of tokens and of tries, their rival, and where they leave the scale.

    Accuracy that is proportional to the logarithm of T is zero at one token.
    """
    found = {f"R2 of the line in tokens, {name}": line.r2 for name, line in lines().items()}
    for name, line in lines().items():
        found[f"tokens at which the line is zero, {name}"] = line.curve.reaches(0.0)
    scatter = [
        sl.fit_curve(LogLinear, TRIES, c).rmse / sl.fit_curve(ExponentiatedPowerLaw, TRIES, c).rmse
        for c in solved().values()
    ]
    return found | {
        "accuracy of the line at 100,000 tokens, AIME24": float(lines()["AIME24"].predict(1e5)),
        "scatter of the line in tries over that of the power law, least of seven": min(scatter),
        "miss of the line's forecast over that of the power law": forecast_miss(LogLinear)
        / forecast_miss(ExponentiatedPowerLaw),
    }


@settles("D091")
def gains_of_thinking() -> Readings:
    """Points that s1 gains from the least to the most thinking."""
    return {
        f"points gained, {name}": float(one.accuracy_pct.iloc[-1] - one.accuracy_pct.iloc[0])
        for name, one in thinking().items()
    }


@settles("A157")
def length_of_answers() -> Readings:
    """Average tokens of an answer: two models of DeepSeek, and s1 where it thinks most."""
    said = published.values("deepseek2025card/tokens")
    found = {f"tokens an answer of {name}, AIME": tokens for name, tokens in said.items()}
    for name, one in thinking().items():
        found[f"tokens of the longest thinking of s1, {name}"] = float(one.tokens.max())
    return found


@settles("A091")
def score_of_o3() -> Readings:
    """Accuracy on AIME 2024 of the model that was released in April 2025, without tools."""
    return {"score of the release of April 2025": published.value("openai2025o3/AIME 2024")}


@settles("D021")
def judging_the_steps() -> Readings:
    """Problems solved from the same samples with a reward model of steps and one of outcomes."""
    by_judge = published.values("lightman2023/solved")
    return {"points gained by judging the steps": by_judge["process"] - by_judge["outcome"]}


@settles("D023")
def cheap_to_train_or_to_ask() -> Readings:
    """The thinking model over the one that answers at once: an answer, training, and a life."""
    found = {
        "compute of an answer, thinking over at once": THINKING.per_query / AT_ONCE.per_query,
        "compute of training, thinking over at once": THINKING.training / AT_ONCE.training,
    }
    for label, queries in (("a billion", 1e9), ("a hundred billion", 1e11)):
        found[f"compute of a life with {label} queries, thinking over at once"] = float(
            THINKING.lifetime(queries) / AT_ONCE.lifetime(queries)
        )
    return found | {
        "queries up to which the thinking model is cheaper": inference_compute.break_even_queries(
            THINKING, AT_ONCE
        )
    }


@settles("D024", "D087")
def two_parts_of_a_life() -> Readings:
    """What twice the demand does to the compute of a life, and what of it does not know demand."""
    low, high, none = (float(AT_ONCE.lifetime(queries)) for queries in (1e9, 2e9, 0.0))
    return {
        "compute of serving twice the queries over that of once": (high - none) / (low - none),
        "part that does not grow with demand, over that of training": (2 * low - high)
        / AT_ONCE.training,
    }
