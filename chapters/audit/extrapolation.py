"""Claims about extrapolation: how far fits reach, what a floor is, what a halving costs."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.optimum import compute_optimal, cost_of_factor
from scalinglib.topics.extrapolation import local_exponent

from . import Readings, settles
from .power_laws import DECADES, KAPLAN_C, KAPLAN_N, typical_miss

EPOCH: Final = published.EPOCH_2024


@cache
def chinchilla_runs() -> pd.DataFrame:
    """The 240 runs that the refit keeps."""
    runs = sl.load("chinchilla_runs")
    return runs[~runs.excluded]


@cache
def ladder() -> pd.DataFrame:
    """The runs of the OLMo ladder with their loss on C4."""
    runs = sl.load("olmo_ladder_runs")
    return runs.assign(loss=runs.loss_c4)


def slope(C: Floats, y: Floats) -> Floats:
    """Slopes on logarithmic axes between neighbouring points."""
    steps: Floats = np.diff(np.log(y)) / np.diff(np.log(C))
    return steps


@settles("A005")
def bends() -> Readings:
    """How straight the loss is on logarithmic axes, and how straight its part above the floor."""
    above = compute_optimal(EPOCH, DECADES).loss - EPOCH.E
    local = local_exponent(EPOCH, [1e19, 1e22])
    steps = slope(DECADES, above)
    return {
        "typical miss of a line through the nine lowest losses": typical_miss(),
        "slope of the loss at 1e22 FLOP over that at 1e19": float(local[1] / local[0]),
        "slope of the loss above the floor, last decade over first": float(steps[-1] / steps[0]),
    }


@settles("A006")
def forecasts() -> Readings:
    """Errors of forecasts of runs that no fit saw."""
    runs = chinchilla_runs()
    found: dict[str, float] = {}
    for name, cut in (("1e20", 1e20), ("1e21", 1e21)):
        test = sl.backtest(runs, largest=int((runs.flops >= cut).sum()), by="flops")
        last = test.table.loc[test.table.flops.idxmax()]
        found[f"error of the largest run, fit below {name} FLOP"] = float(last.error)
        over = float(last.predicted - last.loss) / float(last.loss - EPOCH.E)
        found[f"the same over its loss above the floor, fit below {name} FLOP"] = over
    steps = sl.backtest(ladder()).table.error.abs()
    return found | {"largest error of the OLMo ladder on C4": float(steps.max())}


@settles("A124")
def floors() -> Readings:
    """Whether the floor is one inside a law, and whether fits agree on it."""
    whole = sl.fit_chinchilla(ladder()).law.E
    fewer = sl.backtest(ladder()).fit.law.E
    N, D = published.row("model/Chinchilla 70B")
    return {
        "loss with unlimited size and data over E": float(EPOCH.loss(np.inf, np.inf)) / EPOCH.E,
        "loss of Chinchilla over E": float(EPOCH.loss(N, D)) / EPOCH.E,
        "E of the OLMo ladder without its four largest runs over E with them": fewer / whole,
    }


def half_over_floor() -> float:
    """Half of Chinchilla's loss over the floor of Epoch's law."""
    half: float = EPOCH.loss(*published.row("model/Chinchilla 70B")) / 2
    return half / float(EPOCH.E)


@settles("B001")
def plain_power_of_size() -> Readings:
    """Whether the loss can be halved by parameters, in Kaplan's law and in one with a floor."""
    return {
        "times the parameters that halve the loss, Kaplan": float(cost_of_factor(KAPLAN_N, 0.5)),
        "half of Chinchilla's loss over Epoch's floor": half_over_floor(),
    }


@settles("D080")
def price_of_a_half() -> Readings:
    """Times the compute that halve the loss, and what a hundredfold leaves of it."""
    times = 100.0  # article 4, line 103
    return {
        "times the compute that halve the loss, Kaplan": float(cost_of_factor(KAPLAN_C, 0.5)),
        "share of the loss left by a hundredfold, Kaplan": times**-KAPLAN_C.alpha,
        "half of Chinchilla's loss over Epoch's floor": half_over_floor(),
    }


@settles("D081")
def worth_of_the_next_flop() -> Readings:
    """How the gain from the next FLOP falls with compute."""
    near = np.outer([1 - 1e-4, 1 + 1e-4], DECADES)
    found: dict[str, float] = {}
    for name, losses in (
        ("Epoch", compute_optimal(EPOCH, near).loss), ("Kaplan", KAPLAN_C.loss(sl.pf_days(near))),
    ):  # fmt: skip
        slopes = slope(DECADES, (losses[0] - losses[1]) / DECADES)
        found[f"exponent of the marginal gain, {name}"] = float(slopes[0])
        found[f"that exponent, last decade over first, {name}"] = float(slopes[-1] / slopes[0])
    return found
