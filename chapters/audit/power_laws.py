"""Claims about power laws: how straight they are, how far they reach, what a halving costs."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.isoflop import lowest_by_budget
from scalinglib.optimum import compute_optimal, cost_of_factor
from scalinglib.topics.power_laws import local_exponent

from . import Readings, settles

EPOCH: Final = published.EPOCH_2024
TEX: Final = published.HOFFMANN_2022
KAPLAN_N: Final = published.law("kaplan2020/parameters")
KAPLAN_C: Final = published.law("kaplan2020/compute")
WITHIN: Final = 0.07
"""Decades of compute around a budget in which its lowest loss is looked for, as in the chapter."""
DECADES: Final = np.logspace(18, 26, 9)
"""Training compute (FLOP) from the smallest Chinchilla runs to the largest models of today."""


@cache
def minima() -> tuple[Floats, Floats]:
    """Compute used and loss of the best Chinchilla run at each of nine budgets."""
    profiles = sl.load("isoflop_runs").query("experiment == 'chinchilla'")
    runs = sl.load("chinchilla_runs")
    best = lowest_by_budget(runs, profiles.budget_flops.unique(), within=WITHIN)
    return best.flops.to_numpy(), best.loss.to_numpy()


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


@settles("A001", "A005")
def straight_lines() -> Readings:
    """How well straight lines on logarithmic axes describe and forecast losses."""
    C, L = minima()
    line, early = sl.fit_power_law(C, L), sl.fit_power_law(C[:5], L[:5])
    above = compute_optimal(EPOCH, DECADES).loss - EPOCH.E
    local = local_exponent(EPOCH, [1e19, 1e22])
    bends = slope(DECADES, above)
    return {
        "typical miss of a line through the nine lowest losses": float(
            np.sqrt(np.mean(line.residuals**2))
        ),
        "miss at the largest budget, line through the five smallest": float(
            early.predict(C[-1]) / L[-1] - 1
        ),
        "slope of the loss at 1e22 FLOP over that at 1e19": float(local[1] / local[0]),
        "slope of the loss above the floor, last decade over first": float(bends[-1] / bends[0]),
    }


@settles("A002", "A003")
def doublings() -> Readings:
    """What a doubling does to a pure power law, here and far away."""
    near, far = 1e6, 1e12
    ratios = KAPLAN_N.loss(2 * np.array([near, far])) / KAPLAN_N.loss(np.array([near, far]))
    return {
        "factor of a doubling, far away over here": float(ratios[1] / ratios[0]),
        "factor of a doubling over two to the exponent": float(ratios[0]) / 2**-KAPLAN_N.alpha,
        "Kaplan's exponent of parameters": KAPLAN_N.alpha,
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


@settles("D079")
def gains_per_tenfold() -> Readings:
    """Nats that the last tenfold of compute buys over the first, by the law article 4 states."""
    gained = -np.diff(KAPLAN_C.loss(sl.pf_days(DECADES)))
    return {"gain of the last tenfold over that of the first": float(gained[-1] / gained[0])}


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
