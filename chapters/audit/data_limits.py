"""Claims about text that runs out, repeated text, and text written by models."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.topics import data_limits

from . import Readings, settles

LAW: Final = published.law("muennighoff2023/repeated")
GENERATIONS: Final = 100


@settles("A100")
def wall() -> Readings:
    """Years in which the largest training set meets the stock, and those that the source prints."""
    text = published.values("villalobos2024/stock")
    stock = {"stock": text["median"], "low": text["low"], "high": text["high"]}
    fixed = data_limits.compute_optimal_demand(**stock)
    said = published.values("villalobos2024/exhaustion")
    years = {
        "median stock": fixed.exhausted(),
        "low end of the stock": fixed.exhausted(fixed.low),
        "high end of the stock": fixed.exhausted(fixed.high),
        "earliest year of the source": said["low"],
        "median year of the source": said["median"],
        "latest year of the source": said["high"],
    }
    for F in published.group("villalobos2024/overtrained"):
        years[f"median stock, over-trained {F} times"] = fixed.exhausted(factor=float(F) ** 0.5)
    return {name: float(np.asarray(year)) for name, year in years.items()}


@settles("A103")
def collapse() -> Readings:
    """Typical spread of a normal distribution refitted to its own samples a hundred times."""
    replaced = {
        f"median spread, {n} samples replaced": float(data_limits.collapse_median(n, GENERATIONS))
        for n in (20, 100, 1000)
    }
    _, spread = data_limits.simulate_accumulation(20, generations=GENERATIONS, repeats=4000, seed=1)
    return replaced | {"median spread, 20 samples added": float(np.median(spread[-1]))}


@cache
def _own_decay() -> float:
    """Decay constant over a base law fitted to the fresh runs (epochs)."""
    listed = sl.load("repeated_data_runs")
    runs = listed[~listed.flagged]
    base = sl.fit_chinchilla(runs[runs.tokens <= runs.unique_tokens]).law
    return sl.fit_data_constrained(runs[runs.in_published_fit], base=base).law.R_D


@settles("C015", "D073")
def epochs() -> Readings:
    """Worth of repeated text by the published decay constant and by that of our own fit."""
    found = {}
    for name, R in (("published constant", LAW.R_D), ("own fit", _own_decay())):
        worth = data_limits.worth_of_epochs([4, 16, 40], R).set_index("epochs")
        found[f"share kept over 4 epochs, {name}"] = worth.kept[4]
        for passes in (4, 16, 40):
            found[f"worth of a token in epoch {passes}, {name}"] = worth.marginal[passes]
    return {name: float(value) for name, value in found.items()}


@settles("D074")
def too_few_tokens() -> Readings:
    """The published example: the best split with too few unique tokens, and the free one."""
    best, free = (
        optimum.data_limited_optimal(LAW, **data_limits.EXAMPLE),
        sl.compute_optimal(LAW.base, data_limits.EXAMPLE["C"]),
    )
    U = data_limits.EXAMPLE["U"]
    kept = float(LAW.loss(free.N, free.D, U))
    return {
        "epochs of the best split": best.epochs,
        "parameters over those of the free optimum": best.N / float(free.N),
        "loss of the best split above the free optimum": best.loss - float(free.loss),
        "loss of the free size above the best split": kept - best.loss,
    }
