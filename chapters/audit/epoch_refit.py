"""Claims about the refit of Hoffmann's runs: where it stops, what rounding costs, what it plans."""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import misfit, published
from scalinglib.laws import ChinchillaLaw
from scalinglib.topics import epoch_refit

from . import Readings, settles

GOPHER: Final = published.value("hoffmann2022/Gopher budget")
NAMES: Final = ("E", "A", "alpha", "B", "beta")
EVERY: Final = 9
"""One start in this many of Hoffmann's grid: quick, and enough to tell the two losses apart."""
ARRIVED: Final = 0.01
"""Excess of the objective, as a share, below which a search counts as having arrived."""
ROUNDED, UNROUNDED = published.HOFFMANN_2022_ROUNDED, published.HOFFMANN_2022


@cache
def _runs() -> pd.DataFrame:
    """The runs that the refit uses."""
    runs = sl.load("chinchilla_runs")
    return runs[~runs.excluded]


@cache
def _fit() -> sl.Fit[ChinchillaLaw]:
    """Their Huber optimum."""
    return sl.fit_chinchilla(_runs())


def _plan(law: ChinchillaLaw, C: float = GOPHER) -> float:
    """Compute-optimal tokens per parameter."""
    return float(sl.compute_optimal(law, C).tokens_per_param)


def _replay(reduce: Literal["mean", "sum"]) -> pd.DataFrame:
    """Searches from Hoffmann's starts, best first, with their excess over the optimum."""
    table = epoch_refit.replay_grid(_runs(), reduce=reduce, every=EVERY)
    return table.assign(excess=table.objective / _fit().objective - 1)


@settles("A051")
def early_stop() -> Readings:
    """The same optimiser and starts on the averaged and on the summed loss."""
    mean, summed = _replay("mean"), _replay("sum")
    return {
        "searches that arrive on the mean": float((mean.excess < ARRIVED).sum()),
        "share that reports success on the mean": float(mean.success.mean()),
        "excess of the best search on the mean": float(mean.excess[0]),
        "size exponent of the best search on the mean": mean.law[0].a,
        "searches that arrive on the sum": float((summed.excess < ARRIVED).sum()),
    }


def _bias(law: ChinchillaLaw) -> float:
    """Mean log of the predicted over the observed loss."""
    runs = _runs()
    return float(np.log(law.loss(runs.params, runs.tokens) / runs.loss).mean())


@settles("A052")
def rounding() -> Readings:
    """What the printed digits do to the fit of the runs and to the plan for Gopher's budget."""
    objective = {law: sl.objective(law, _runs()) for law in (ROUNDED, UNROUNDED)}
    return {
        "mean log error of the rounded law": _bias(ROUNDED),
        "mean log error of the rounded law over the unrounded, in size": abs(
            _bias(ROUNDED) / _bias(UNROUNDED)
        ),
        "objective of the rounded law over the unrounded": objective[ROUNDED]
        / objective[UNROUNDED],
        "planned D/N of the rounded law over the unrounded": _plan(ROUNDED) / _plan(UNROUNDED),
    }


@settles("A053")
def constants() -> Readings:
    """Constants of the exact Huber optimum, and those of the notebook's two fits."""
    notebook = published.constants("besiroglu2024/scaled likelihood")
    everything = sl.fit_chinchilla(sl.load("chinchilla_runs")).law
    found = {f"{name} of the Huber optimum": getattr(_fit().law, name) for name in NAMES}
    found |= {f"{name} of the notebook's scaled likelihood": notebook[name].value for name in NAMES}
    return found | {"beta with all runs": everything.beta}


@settles("A054")
def still_twenty() -> Readings:
    """Tokens per parameter of the refit, over budgets, choices of runs and halves by compute."""
    low, high = misfit.by_compute(_runs(), 2)
    return {
        "D/N at Gopher's budget, printed constants": _plan(published.EPOCH_2024),
        "D/N at Gopher's budget, Huber optimum": _plan(_fit().law),
        "D/N at 1e26 FLOP, Huber optimum": _plan(_fit().law, 1e26),
        "D/N at Gopher's budget, with all runs": _plan(
            sl.fit_chinchilla(sl.load("chinchilla_runs")).law
        ),
        "D/N at Gopher's budget, half of least compute": _plan(sl.fit_chinchilla(low).law),
        "D/N at Gopher's budget, half of most compute": _plan(sl.fit_chinchilla(high).law),
    }


@settles("A150")
def other_approaches() -> Readings:
    """How far the size exponents of approaches 1 and 2 lie from the refit, in its errors."""
    a = sl.load("chinchilla_table2_exponents").set_index("approach").a
    points = sl.load("isoflop_runs")
    second = sl.fit_isoflop(points[points.experiment == "chinchilla"])
    law = _fit().law
    se = sl.bootstrap(_fit(), n=1000, seed=0).values("a").std(ddof=1)
    found = {f"standard errors above approach {k}": float((law.a - a[k]) / se) for k in ("1", "2")}
    ratio = float(second.tokens(GOPHER) / second.params(GOPHER))
    return found | {"D/N over that of the IsoFLOP refit": _plan(law) / ratio}
