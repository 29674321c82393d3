"""Claims about power laws: what they say, and how straight the lowest losses are."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

import scalinglib as sl
from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.isoflop import lowest_by_budget

from . import Readings, settles

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


def typical_miss() -> float:
    """Root mean square of the relative residuals of a line through the nine lowest losses."""
    return float(np.sqrt(np.mean(sl.fit_power_law(*minima()).residuals ** 2)))


@settles("A001")
def straight_lines() -> Readings:
    """How well straight lines on logarithmic axes describe and forecast losses."""
    C, L = minima()
    early = sl.fit_power_law(C[:5], L[:5])
    return {
        "typical miss of a line through the nine lowest losses": typical_miss(),
        "miss at the largest budget, line through the five smallest": float(
            early.predict(C[-1]) / L[-1] - 1
        ),
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


@settles("D079")
def gains_per_tenfold() -> Readings:
    """Nats that the last tenfold of compute buys over the first, by the law article 4 states."""
    gained = -np.diff(KAPLAN_C.loss(sl.pf_days(DECADES)))
    return {"gain of the last tenfold over that of the first": float(gained[-1] / gained[0])}
