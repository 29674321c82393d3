"""The budget split: what a wanted coverage costs by size, by training and by samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .base import (
    HEIGHT,
    OURS,
    QUIET,
    described,
    log_axis,
    power_of_ten,
    readout,
    rounded,
    size_label,
)

BEYOND = [5, 4]
"""Dash of what lies beyond the measured models."""

MOVES = {
    "bigger": "#c0562b",
    "longer": "#0b9670",
    "more often": OURS.colour,
    "all three": "#8a63d2",
}
"""The three single moves and the mixture, in the order of the read-out."""


def budget_split(
    moves: pd.DataFrame,
    best: pd.DataFrame,
    *,
    targets: Sequence[float],
    start: float,
    beyond: Mapping[str, float],
) -> Any:
    """Life-time compute of four ways to a wanted coverage, over that of one of them, with sliders.

    Parameters
    ----------
    moves : pandas.DataFrame
        Columns target, move, N, D, k; a move out of reach has no row.
    best : pandas.DataFrame
        Columns target, served (tokens of all queries together, one sample each), N, D, k.
    targets : sequence of float
        Coverages that the slider offers, evenly spaced.
    start : float
        Where it starts.
    beyond : mapping of str to float
        Largest N and k that were measured, and the only D; values beyond carry a star.

    Returns
    -------
    altair.LayerChart
        Parameters ``log_Q``, ``log_T`` and ``wanted`` are the sliders.
    """
    sliders = [
        alt.param(name="wanted", value=start, bind=alt.binding_range(
            min=targets[0], max=targets[-1], step=round(targets[1] - targets[0], 6),
            name="Wanted coverage ")),
        alt.param(name="log_Q", value=8, bind=alt.binding_range(
            min=4, max=13, step=0.1, name="Queries ")),
        alt.param(name="log_T", value=2.7, bind=alt.binding_range(
            min=1, max=4.5, step=0.1, name="Tokens per sample ")),
    ]  # fmt: skip
    names = list(MOVES)
    x = alt.X("Q:Q", **log_axis("Queries over the life of the model, Q", (1e4, 1e13),
                                label="power", step=3))  # fmt: skip
    # The upper part of the plot is left free for the read-out.
    y = alt.Y(
        "ratio:Q",
        title="Compute over that of trying more often",
        scale=alt.Scale(type="log", domain=[3e-3, 1e6], nice=False),
        axis=alt.Axis(values=[0.01, 0.1, 1, 10, 100, 1000], format="~r"),
    )
    colour = alt.Color(
        "move:N", scale=alt.Scale(domain=names, range=list(MOVES.values())), legend=None
    )
    plans = pd.concat([moves, best.assign(move="all three")], ignore_index=True)
    plans = plans.assign(
        F=6 * plans.N * plans.D,
        G=2 * plans.N * plans.k,
        row=[30 + 18 * names.index(m) for m in plans.move],
    )
    plans["starred"] = (
        (plans.N / beyond["N"] > 1.001) | (plans.k / beyond["k"] > 1.001)
        | ~np.isclose(plans.D, beyond["D"])
    )  # fmt: skip
    # The costs of trying more often, F0 + G0 times the tokens served, are the measure of all.
    often = plans[plans.move == "more often"].set_index("target")
    plans["F0"], plans["G0"] = plans.target.map(often.F), plans.target.map(often.G)
    data = rounded(plans)
    ratio = "(datum.F + datum.G * {0}) / (datum.F0 + datum.G0 * {0})"
    chosen = alt.Chart(data).transform_filter("abs(datum.target - wanted) < 0.001")
    dash = alt.StrokeDash(
        "starred:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], BEYOND]), legend=None
    )
    single = (
        chosen.transform_filter("datum.move != 'all three'")
        .transform_calculate(log="sequence(4, 13.05, 0.25)")
        .transform_flatten(["log"])
        .transform_calculate(Q="pow(10, datum.log)",
                             ratio=ratio.format("datum.Q * pow(10, log_T)"))
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )  # fmt: skip
    all_three = (
        chosen.transform_filter("datum.move == 'all three'")
        .transform_calculate(Q="datum.served / pow(10, log_T)",
                             ratio=ratio.format("datum.served"))
        .transform_filter("datum.Q >= 9e3 && datum.Q <= 1.1e13")
        .mark_line(strokeWidth=2, clip=True, strokeDash=BEYOND)
        .encode(x=x, y=y, color=colour)
    )  # fmt: skip
    power = power_of_ten("pow(10, floor(log(datum.cost) / LN10))")
    here = (
        chosen.transform_filter(
            "datum.move != 'all three' || abs(log(datum.served) / LN10 - log_Q - log_T) <= 0.1251"
        )
        .transform_calculate(
            Q="pow(10, log_Q)",
            cost="datum.F + datum.G * pow(10, log_Q + log_T)",
            ratio=ratio.format("pow(10, log_Q + log_T)"),
        )
        .transform_window(rank="row_number()", sort=[alt.SortField("cost")], groupby=["move"])
        .transform_filter("datum.rank == 1")
        .transform_calculate(alone="datum.move == 'all three' ? 1e99 : datum.cost")
        .transform_joinaggregate(least="min(alone)")
        .transform_calculate(
            read_N=size_label("datum.N") + f" + (datum.N > {1.001 * beyond['N']:.6g} ? '*' : '')",
            read_D=size_label("datum.D")
            + f" + (abs(datum.D / {beyond['D']:.6g} - 1) > 0.001 ? '*' : '')",
            read_k=f"format(datum.k, ',.0f') + (datum.k > {1.001 * beyond['k']:.6g} ? '*' : '')",
            read_cost="format(datum.cost / pow(10, floor(log(datum.cost) / LN10)), '.1f') + '×' + "
            + power,
            top="datum.row - 9",
            bottom="datum.row + 9",
        )
    )
    mark = (
        here.transform_filter("datum.alone == datum.least")
        .mark_rect(opacity=0.18, x=0, x2=alt.ExprRef("width"))
        .encode(y=alt.Y("top:Q", scale=None, axis=None), y2=alt.Y2("bottom:Q"), color=colour)
    )
    dots = here.mark_circle(size=70, opacity=1).encode(x=x, y=y, color=colour)
    table = readout(
        here.encode(color=colour),
        (("move", "", 0.01, "left"), ("read_N", "N", 0.40, "right"), ("read_D", "D", 0.58, "right"),
         ("read_k", "k", 0.77, "right"), ("read_cost", "FLOP", 1.0, "right")),
    )  # fmt: skip
    rule = (
        alt.Chart(pd.DataFrame({"ratio": [3e-3], "top": [1e3]}))
        .transform_calculate(Q="pow(10, log_Q)")
        .mark_rule(color=QUIET)
        .encode(x=x, y=y, y2="top:Q")
    )
    reached = set(zip(moves.target, moves.move, strict=True))
    missing = pd.DataFrame(
        [(c, m, 30 + 18 * names.index(m), "out of reach")
         for c in targets for m in names[:-1] if (c, m) not in reached],
        columns=["target", "move", "row", "word"],
    )  # fmt: skip
    absent = alt.Chart(missing).transform_filter("abs(datum.target - wanted) < 0.001")
    gone = readout(absent.encode(color=colour), (("move", "", 0.01, "left"),
                                                 ("word", "", 0.58, "right")))  # fmt: skip
    note = (
        alt.Chart(pd.DataFrame({"word": ["* not measured: the law is extrapolated"]}))
        .mark_text(align="left", x=4, y=110, fontSize=11, color=QUIET)
        .encode(text="word:N")
    )
    return described(
        alt.layer(mark, rule, single, all_three, dots, note, *gone, *table).add_params(*sliders),
        "Line chart of training and serving compute, over that of trying more often, against the "
        "number of queries: bigger model, longer training, more samples, and cheapest mixture. "
        "Sliders set the wanted coverage, the demand and the tokens per sample; a table inside the "
        "chart gives parameters, training tokens, samples and compute of each way and shades the "
        "cheapest of the three.",
    ).properties(height=HEIGHT + 120)
