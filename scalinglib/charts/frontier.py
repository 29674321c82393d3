"""The compute-optimal frontier with a slider over the budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import compute_optimal

from .base import HEIGHT, Role, described, rounded, size_label
from .channels import by_role, compute_axis, log_axis, round_ticks
from .marks import Column, at, budget_slider, readout

READOUT: tuple[Column, ...] = (
    ("law", "", 0.01, "left"),
    ("read_N", "N", 0.55, "right"),
    ("read_D", "D", 0.71, "right"),
    ("read_ratio", "D/N", 0.84, "right"),
    ("read_loss", "loss", 1.0, "right"),
)
"""Columns of the table inside the chart."""


def frontier(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, budget: float, data_end: float,
    ratios: tuple[float, float] = (6, 250),
) -> Any:  # fmt: skip
    """Compute-optimal tokens per parameter under several laws, with a slider over the budget.

    Laws come in the order of the read-out. The slider, ``log_C``, starts at `budget` (FLOP); a
    rule marks the compute of the largest run, `data_end`. `ratios` are the ends of the curves.
    """
    low, high = ratios
    names = list(laws)
    lines = pd.concat([_line(name, law) for name, (_, law) in laws.items()], ignore_index=True)
    colour, dash = by_role("law:N", {name: role for name, (role, _) in laws.items()})
    x = alt.X("C:Q", **compute_axis((1e18, 1e26), step=2))
    # The upper third of the plot is left free for the read-out.
    y = alt.Y("ratio:Q", **log_axis("Compute-optimal tokens per parameter, D/N", (low, 6 * high),
                                    values=round_ticks(low, high)))  # fmt: skip
    drawn = alt.Chart(lines).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash)
    end = at(C=data_end, ratio=low, top=high).mark_rule(style="end").encode(x=x, y=y, y2="top:Q")
    word = at(C=data_end).mark_text(style="word", align="right", dx=-5)
    end_word = word.encode(x=x, y=alt.value(HEIGHT - 14), text=alt.value("runs end here"))
    here = _chosen(laws).encode(color=colour)
    dots = here.mark_circle(style="dot", size=70).encode(x=x, y=y)
    rule = (
        at(ratio=low, top=high)
        .transform_calculate(C="pow(10, log_C)")
        .mark_rule(style="quiet")
        .encode(x=x, y=y, y2="top:Q")
    )
    return described(
        alt.layer(end, end_word, rule, drawn, dots, *readout(here, READOUT)).add_params(
            budget_slider(budget)
        ),
        "Line chart of the compute-optimal number of tokens per parameter against training "
        f"compute from 10 to the 18 to 10 to the 26 FLOP, for {len(names)} parameter sets: "
        f"{', '.join(names)}. A slider sets the budget; a table inside the chart reads out "
        "parameters, tokens, tokens per parameter and loss for each set.",
        height=HEIGHT + 60,
    )


def _chosen(laws: Mapping[str, tuple[Role, ChinchillaLaw]]) -> alt.Chart:
    """The optimum of each law at the budget of the slider, a row each, with its read-out."""
    constants = ("G", "a", "E", "A", "B", "alpha", "beta")
    table = pd.DataFrame(
        [
            {"law": name, "row": 30 + 18 * row, **{one: getattr(law, one) for one in constants}}
            for row, (name, (_, law)) in enumerate(laws.items())
        ]
    )
    return alt.Chart(table).transform_calculate(
        C="pow(10, log_C)",
        N="datum.G * pow(datum.C / 6, datum.a)",
        D="datum.C / 6 / datum.N",
        ratio="datum.D / datum.N",
        loss="datum.E + datum.A * pow(datum.N, -datum.alpha) + datum.B * pow(datum.D, -datum.beta)",
        read_N=size_label("datum.N"),
        read_D=size_label("datum.D"),
        read_ratio="format(datum.ratio, '.3r')",
        read_loss="format(datum.loss, '.3f')",
    )


def _line(name: str, law: ChinchillaLaw) -> pd.DataFrame:
    C = np.logspace(18, 26, 41)
    best = compute_optimal(law, C)
    return rounded(pd.DataFrame({"law": name, "C": C, "ratio": best.tokens_per_param}))
