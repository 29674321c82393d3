"""Pictures of extrapolation: runs held out, local exponents, exponents by form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from chapters.figures.power_laws import names
from scalinglib.charts import (
    HEIGHT,
    OURS,
    RUNS,
    SIGNED_PERCENT,
    VIOLET,
    Role,
    at,
    axis,
    budget_slider,
    by_role,
    compute_axis,
    described,
    end_here,
    hues,
    key,
    log_axis,
    rounded,
    row_names,
    rows,
    shapes,
    tooltips,
)

TWO_TERMS = Role("two terms and a floor", VIOLET)


def local_exponents(curves: pd.DataFrame, roles: Mapping[str, Role], *, end: float) -> Any:
    """Local slope of the total loss against compute under several laws.

    Columns law (a key of `roles`), C (FLOP), exponent; `end` is the compute of the largest run.
    """
    data = rounded(curves[["law", "C", "exponent"]])
    by_law = {str(name): one for name, one in data.groupby("law", sort=False)}
    x = alt.X("C:Q", **compute_axis((1e18, 1e26), step=2))
    vertical = axis("Local exponent, −d ln L / d ln C", (0, 0.1), tickCount=5)
    y = alt.Y("exponent:Q", **vertical)
    colour, dash = by_role("law:N", roles)
    lines = alt.Chart(data).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash)

    def along(one: pd.DataFrame) -> Callable[[float], Any]:
        return lambda at: np.interp(np.log(at), np.log(one.C), one.exponent)

    words = names(
        {name: along(one) for name, one in by_law.items()},
        1e25,
        {"x": x, "y": alt.Y("height:Q", **vertical), "color": colour},
    )
    ends = {name: (one.exponent.iloc[0], one.exponent.iloc[-1]) for name, one in by_law.items()}
    told = "; ".join(
        f"{name}: {a:.3f} " + (f"falling to {b:.3f}" if a - b > 1e-6 else "throughout")
        for name, (a, b) in ends.items()
    )
    return described(
        alt.layer(end_here(x, end), lines, words),
        "Line chart of the local exponent of the loss in training compute from 10 to the 18 to 10 "
        f"to the 26 FLOP. {told}.",
    )


def exponent_rows(values: pd.DataFrame, roles: Mapping[str, Role]) -> Any:
    """Exponents of several data sets, a row each, one mark per fitted form.

    Columns data, form (a key of `roles`), value; in the order of the rows.
    """
    data = rounded(values[["data", "form", "value"]])
    order = list(dict.fromkeys(data["data"]))
    exponent = log_axis("Fitted exponent", (0.04, 0.5), values=[0.05, 0.1, 0.2, 0.4], format=".2f")
    y = rows("data:N", order, padding=0.5)
    colour = hues("form:N", roles, legend=key(columns=2))
    spans = data.groupby("data", sort=False).value.agg(["min", "max"]).reset_index()
    row = alt.Chart(spans).encode(y=y)
    span = row.mark_rule(strokeWidth=2, opacity=0.4, color=RUNS.colour).encode(
        x=alt.X("min:Q", **exponent), x2="max:Q"
    )
    base = alt.Chart(data).encode(x=alt.X("value:Q", **exponent), y=y, color=colour)
    points = base.mark_point(style="dot", size=90, opacity=1).encode(
        shape=shapes("form:N", roles, legend=alt.Undefined),
        tooltip=tooltips("data:N", "form:N", ("value:Q", ".3r")),
    )
    numbers = base.mark_text(style="number", dy=15).encode(text=alt.Text("value:Q", format=".3f"))
    told = "; ".join(f"{one.data}, {one.form}: {one.value:.3f}" for one in data.itertuples())
    return described(
        span + points + numbers + row_names(row, "data:N", dy=-20, fontSize=12),
        f"Dot plot of exponents fitted to {len(order)} data sets under several forms. {told}.",
        height=66 * len(order) + 120,
    )


def held_out(points: pd.DataFrame, cuts: pd.DataFrame, *, start: float) -> Any:
    """Errors of a fit to the runs below a cut in compute, which the reader moves.

    `points` has a row per cut and run: cut (decimal logarithm of FLOP), flops, error (predicted
    over observed, less one) and use ("fitted" or "held out"); `cuts` a row per cut, evenly spaced,
    with runs fitted, typical (error of the runs held out), largest (error of the largest run) and
    ratio (tokens per parameter planned). The slider starts at the cut `start`.
    """
    step = round(float(np.diff(cuts.cut).min()), 6)
    x = alt.X("flops:Q", **compute_axis((0.8 * points.flops.min(), 1.4 * points.flops.max())))
    y = alt.Y("error:Q", **axis("Predicted loss relative to observed", (-0.08, 0.14),
                                values=[-0.08, -0.04, 0, 0.04, 0.08],
                                labelExpr=SIGNED_PERCENT))  # fmt: skip
    chosen = f"abs(datum.cut - log_C) < {step / 2:g}"
    shown = alt.Chart(rounded(points)).transform_filter(chosen)
    colour = hues("use:N", {"fitted": RUNS.colour, "held out": OURS.colour}, legend=key())
    dots = shown.mark_point(style="dot", size=32, clip=True).encode(
        x=x, y=y, color=colour, shape=shapes("use:N", ["fitted", "held out"], legend=alt.Undefined),
        tooltip=tooltips(("flops:Q", ".2~e"), ("error:Q", "+.1%"), "use:N"),
    )  # fmt: skip
    here = alt.Chart(rounded(cuts)).transform_filter(chosen)
    rule = here.transform_calculate(flops="pow(10, datum.cut)").mark_rule(style="end").encode(x=x)
    read = (
        here.transform_calculate(
            read="[datum.fitted + ' runs fitted',"
            " 'typical error held out ' + format(datum.typical, '.1%'),"
            " 'largest run ' + format(datum.largest, '+.1%'),"
            " 'plan for Gopher ' + format(datum.ratio, '.2r') + ' tokens per parameter']"
        )
        .mark_text(align="left", baseline="top", fontSize=12, lineHeight=17, x=6, y=4)
        .encode(text="read:N")
    )
    zero = at(at=0.0).mark_rule(style="quiet").encode(y="at:Q")
    first, last = cuts.iloc[0], cuts.iloc[-1]
    return described(
        alt.layer(zero, rule, dots, read).add_params(
            budget_slider(10**start, low=first.cut, high=last.cut, step=step)
        ),
        "Scatter plot of the relative error of a fitted law against training compute, for a cut "
        "chosen with a slider; runs above it are held out. With the cut at 10 to the "
        f"{first.cut:g} FLOP the runs held out are missed by {100 * first.typical:.1f} per cent, "
        f"and the plan has {first.ratio:.2g} tokens per parameter; with the cut at 10 to the "
        f"{last.cut:g} FLOP, "
        f"{100 * last.typical:.1f} per cent and {last.ratio:.2g}.",
        height=HEIGHT + 40,
    )
