"""Peak learning rate and batch of a planned run, by published rules."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.catalogue import Rule, beyond, printed_rules
from scalinglib.compute import training_flops
from scalinglib.datasets import load
from scalinglib.optimum import Allocation

STUDIES: Final = {"Step Law": "li2025", "DeepSeek": "deepseek2024", "Porian": "porian2024"}

COUNTS: Final = {
    "Step Law": "N without the vocabulary",
    "DeepSeek": "C with attention",
    "Porian": "N with the last layer, at 20 tokens per parameter",
}
"""What a rule counts, or was made for; a plan gives it its own N, D and 6ND."""


def rules() -> dict[str, tuple[Rule, Rule]]:
    """The rules for the peak rate and for the batch (tokens), by name."""
    return {name: printed_rules(study) for name, study in STUDIES.items()}


@cache
def ranges() -> pd.DataFrame:
    """Least and most parameters, tokens and compute of the grids behind each rule, where known."""
    runs = load("steplaw_runs")
    C = training_flops(runs.params, runs.tokens)
    ends = {
        "Step Law": {"N": runs.params, "D": runs.tokens, "C": C},
        "DeepSeek": {"C": pd.Series(published.row("deepseek2024/range of settings/C"))},
        "Porian": {},
    }
    return pd.DataFrame(
        {
            name: {
                f"{one}_{end}": float(getattr(of[one], how)()) if one in of else np.nan
                for one in "NDC"
                for end, how in (("low", "min"), ("high", "max"))
            }
            for name, of in ends.items()
        }
    ).T


def hyperparameters(N: float, D: float) -> pd.DataFrame:
    """Peak rate, batch (tokens), steps, and how far N and D lie beyond the grids, a row a rule."""
    here = Allocation(*(np.asarray(one) for one in (training_flops(N, D), N, D, np.nan)))
    rows = {}
    for name, (rate, batch) in rules().items():
        tokens = float(batch(N, D))
        rows[name] = {
            "rate": float(rate(N, D)), "batch": tokens, "steps": D / tokens,
            "beyond": beyond(ranges().loc[name], here),
        }  # fmt: skip
    return pd.DataFrame(rows).T
