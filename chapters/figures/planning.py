"""Pictures of plans: a budget under every law, doubt, two runs that tell laws apart, days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    EPOCH,
    HOFFMANN,
    KAPLAN,
    OCHRE,
    OURS,
    QUIET,
    at,
    axis,
    compute_axis,
    described,
    end_here,
    hues,
    label,
    log_axis,
    params_axis,
    rounded,
    rows,
    shapes,
    slider,
    tooltips,
)

DAYS_ROW = 17
"""Height of a line of the read-out (pixels)."""


def by_law(plans: pd.DataFrame) -> Any:
    """Size of one budget under every law, smallest on top; columns params, tokens, beyond."""
    told = plans[["params", "tokens", "beyond"]].reset_index(names="law")
    data = told.sort_values("params", kind="stable")
    data["where"] = data.beyond.map(
        lambda told: "outside, or unknown" if told else "inside its runs"
    )
    data = rounded(data.astype({"params": float, "tokens": float}), 4)
    low, high = 0.5 * data.params.min(), 2 * data.params.max()
    looks = {"inside its runs": OURS.colour, "outside, or unknown": QUIET}
    key = alt.Legend(title=None, orient="top")
    base = alt.Chart(data).encode(
        x=alt.X("params:Q", **params_axis((low, high))),
        y=rows("law:N", data.law),
        tooltip=tooltips("law:N", ("params:Q", ".3s"), ("tokens:Q", ".3s"), "beyond:N"),
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        color=hues("where:N", looks, legend=key),
        shape=shapes("where:N", looks, ("circle", "diamond"), legend=key),
    )
    # Names stand on the side that has more room, so that a narrow screen keeps its width.
    middle = (low * high) ** 0.5
    names = [
        base.transform_filter(f"datum.params {sign} {middle}")
        .mark_text(style="note", align=align, dx=dx)
        .encode(text="law:N")
        for sign, align, dx in (("<", "left", 8), (">=", "right", -8))
    ]
    return described(
        alt.layer(points, *names),
        f"Dot plot of the compute-optimal parameters of one budget under {len(data)} laws, from "
        f"{data.params.iloc[0]:.3g} under {data.law.iloc[0]} to {data.params.iloc[-1]:.3g} under "
        f"{data.law.iloc[-1]}. Circles are plans inside the runs of their law, diamonds outside.",
        height=15 * len(data) + 20,
    )


def doubt(bands: pd.DataFrame, *, end: float) -> Any:
    """Size that a budget asks for with its band; columns flops, params, params_low, params_high.

    `end` is the compute of the largest run behind the law (FLOP).
    """
    x = alt.X("flops:Q", **compute_axis((1e18, 1e26), step=2))
    sizes = params_axis((5e7, 5e12))
    y = alt.Y("params:Q", **sizes)
    drawn = bands[["flops", "params", "params_low", "params_high"]]
    base = alt.Chart(rounded(drawn)).encode(x=x)
    shade = base.mark_area(opacity=0.25, color=EPOCH.colour).encode(
        y=alt.Y("params_low:Q", **sizes), y2="params_high:Q"
    )
    line = base.mark_line(color=EPOCH.colour, strokeWidth=2.5).encode(
        y=y, tooltip=tooltips(("flops:Q", ".2e"), ("params:Q", ".3s"))
    )
    word = label("nine in ten refits", x, y, (2e23, 6e9), color=EPOCH.colour)
    return described(
        shade + line + end_here(x, end) + word,
        "Line chart of compute-optimal parameters against training compute under the refit of "
        "the Chinchilla runs, with the band of refits to resampled runs, which widens to the "
        "right of the largest run.",
    )


def leads(laws: pd.DataFrame, *, middle: float) -> Any:
    """Lead of the smaller of two runs against the best size of their budget, a point a law.

    Columns: best (parameters), lead (nats); `middle` is the geometric mean of the two sizes.
    """
    data = rounded(laws.reset_index(names="law"), 4).sort_values("best", kind="stable")
    data["ahead"] = data.lead.map(lambda one: "3B ahead" if one > 0 else "7B ahead")
    looks = {"3B ahead": OURS.colour, "7B ahead": EPOCH.colour}
    x = alt.X("best:Q", **params_axis((5e8, 2e10), "Best size of the budget, parameters"))
    y = alt.Y("lead:Q", **axis("Loss of 7B minus loss of 3B (nats)", (-0.05, 0.2), tickCount=5))
    points = (
        alt.Chart(data)
        .mark_point(filled=True, size=75, opacity=0.8)
        .encode(
            x=x,
            y=y,
            color=hues("ahead:N", looks),
            shape=shapes("ahead:N", looks, ("circle", "diamond")),
            tooltip=tooltips("law:N", ("best:Q", ".3s"), ("lead:Q", "+.4f")),
        )
    )
    words = [
        label("3B ahead", x, y, (6e8, 0.18), color=OURS.colour),
        label("7B ahead", x, y, (1.9e10, -0.035), color=EPOCH.colour, align="right"),
    ]
    first, last = data.iloc[0], data.iloc[-1]
    return described(
        alt.layer(
            at(lead=0.0).mark_rule(style="quiet").encode(y=y),
            end_here(x, middle, "middle"),
            points,
            *words,
        ),
        f"Dot plot of the loss of a 7B run minus that of a 3B run against the best size of their "
        f"budget under {len(data)} laws, from {first.lead:+.3f} nats where the best size is "
        f"{first.best:.2g} to {last.lead:+.3f} where it is {last.best:.2g}. The difference falls "
        f"with the best size and changes its sign near {middle:.2g} parameters.",
    )


def days(devices: Mapping[str, float], *, start: float, utilisation: float) -> Any:
    """Days that a budget takes against the number of devices; the slider is ``log_C``.

    `devices` gives the dense peak of each (FLOP/s); `start` is a budget (FLOP).
    """
    frame = pd.DataFrame({"device": list(devices), "peak": list(devices.values())})
    frame["row"] = [24 + DAYS_ROW * k for k in range(len(frame))]
    colours = dict(zip(devices, (HOFFMANN, OURS, EPOCH, KAPLAN, OCHRE), strict=False))
    x = alt.X("count:Q", **log_axis("Devices", (10, 1e6), label="size"))
    y = alt.Y("days:Q", **log_axis("Days", (0.1, 1e5), label="plain", step=1))
    spend = f"pow(10, log_C) / datum.peak / {utilisation} / 86400"
    colour = hues("device:N", colours)
    lines = (
        alt.Chart(frame)
        .transform_calculate(count="sequence(1, 6.01, 0.25)")
        .transform_flatten(["count"])
        .transform_calculate(count="pow(10, datum.count)")
        .transform_calculate(days=f"{spend} / datum.count")
        .transform_filter("datum.days >= 0.1 && datum.days <= 1e5")
        .mark_line(strokeWidth=2.2)
        .encode(x=x, y=y, color=colour)
    )
    month = at(days=90.0).mark_rule(style="quiet", strokeDash=[4, 3]).encode(y=y)
    told = (
        alt.Chart(frame)
        .transform_calculate(
            read="datum.device + ': ' + format("
            f"{spend} / 90, ',.3r') + ' devices for a quarter of a year'"
        )
        .mark_text(style="bold", align="right", x=alt.ExprRef("width - 4"))
        .encode(y=alt.Y("row:Q", scale=None, axis=None), text="read:N", color=colour)
    )
    names = ", ".join(devices)
    return described(
        alt.layer(month, lines, told).add_params(
            slider("log_C", start, (20, 27, 0.02), "Training compute")
        ),
        f"Line chart of days against the number of devices for {names}, at one utilisation. The "
        "lines fall with the count; a slider sets the training compute, and the chart reads out "
        "how many devices finish in 90 days, which a dashed line marks.",
    )
