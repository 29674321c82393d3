"""Claims about plans made from a law."""

from __future__ import annotations

from typing import Final

import numpy as np

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.topics import overtraining

from . import Readings, extrapolation, settles
from .chinchilla import LAWS, RULE, _listing
from .compute import listed_budget
from .overtraining import optimum_of

SMALL: Final = (3e9, 60e9)
LARGE: Final = (7e9, 25e9)
"""Parameters and tokens of the two plans in article 4, line 100."""

# The forecasts that settle article 1, line 4, answer article 2, line 5, too.
settles("B007")(extrapolation.forecasts)


@settles("D069")
def plan_for_the_listing() -> Readings:
    """Tokens per parameter, and size over that of the rule of 20, for the budget of a listing.

    Article 4, line 92, asks for Chinchilla ratios at the budget of lines 80 to 89; its own sizing
    function stands in lines 17 to 23.
    """
    C = listed_budget()
    plans = {"the rule of 20": (float(RULE.params(C)), float(RULE.tokens(C)))}
    for name, law in LAWS.items():
        best = sl.compute_optimal(law, C)
        plans[name] = (float(best.N), float(best.D))
    plans["the article's own function"] = _listing(C)
    base = plans["the rule of 20"][0]
    return {f"tokens per parameter by {name}": D / N for name, (N, D) in plans.items()} | {
        f"size over that of the rule of 20 by {name}": N / base
        for name, (N, _) in plans.items()
        if name != "the rule of 20"
    }


def measured(plan: tuple[float, float]) -> float:
    """Loss of the Chinchilla run nearest to a plan, in the logarithms of size and data."""
    runs = sl.load("chinchilla_runs").query("not excluded")
    far = np.hypot(np.log(runs.params / plan[0]), np.log(runs.tokens / plan[1]))
    return float(runs.loss[far.idxmin()])


@settles("D076")
def three_against_seven() -> Readings:
    """Loss of the larger model on few tokens over that of the smaller on more (nats above it)."""
    laws = LAWS | {
        "Muennighoff's law": published.law("muennighoff2023/base"),
        "Sardana's law": published.law("sardana2024/all"),
        "Kaplan's law": published.KAPLAN_2020,
    }
    return {
        f"lead of the 3B by {name}": float(law.loss(*LARGE) - law.loss(*SMALL))
        for name, law in laws.items()
    } | {"lead of the 3B in the nearest Chinchilla runs": measured(LARGE) - measured(SMALL)}


@settles("D077")
def dearer_training() -> Readings:
    """What a 3B must cost for the loss of the compute-optimal 7B, and what a higher price buys.

    Article 4, line 101, would pay two to three times the compute-optimal training.
    """
    small, large = SMALL[0], LARGE[0]
    found: dict[str, float] = {}
    for name, law in LAWS.items():
        plan = optimum_of(law, large)
        longer = {times: times * plan.N * plan.D / small for times in (2, 3)}
        needed = optimum.isoloss_curve(law, plan.loss, small)
        found[f"training cost of equal loss by {name}"] = float(needed.C / plan.C)
        found[f"loss at 2 times the cost over that of the 7B by {name}"] = float(
            law.loss(small, longer[2]) / plan.loss
        )
        found |= {
            f"served tokens that repay {times} times the cost by {name}": float(
                overtraining.break_even_tokens(small, tokens, against=plan)
            )
            for times, tokens in longer.items()
        }
    return found
