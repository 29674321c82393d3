"""Pictures of the page on speed."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    HEIGHT,
    OCHRE,
    OURS,
    RUNS,
    VIOLET,
    dashes,
    described,
    hues,
    key,
    label,
    log_axis,
    rounded,
    row_names,
    rows,
    shapes,
)


def ratio_dots(ratios: pd.DataFrame) -> Any:
    """How many times longer other ways take, with their spread, on a logarithmic axis.

    Columns label, median, low, high, in the order of the rows.
    """
    data = rounded(ratios[["label", "median", "low", "high"]], 3)
    top = 10.0 ** len(f"{int(data.high.max())}")
    time = log_axis("Time relative to this package", (1, top), label="plain")
    base = alt.Chart(data).encode(y=rows("label:N", data.label, padding=0.8))
    span = base.mark_rule(style="interval", color=OURS.colour).encode(
        x=alt.X("low:Q", **time), x2="high:Q"
    )
    point = base.mark_point(style="dot", color=OURS.colour).encode(
        x=alt.X("median:Q", **time), tooltip=["label:N", "median:Q", "low:Q", "high:Q"]
    )
    number = base.mark_text(style="bold", dx=12, align="left", color=OURS.colour).encode(
        x=alt.X("high:Q", **time), text=alt.Text("median:Q", format=",.3r")
    )
    told = "; ".join(f"{one.label}: {one.median:g} times" for one in data.itertuples())
    return described(
        span + point + number + row_names(base, "label:N"),
        f"Dot plot of processor time relative to this package, with the spread over repetitions. "
        f"{told}.",
        height=46 * len(data) + 70,
    )


def growth_lines(growth: pd.DataFrame) -> Any:
    """Time against size on logarithmic axes, with a line of proportional growth.

    Columns task, at, median, low, high; time relative to the smallest size.
    """
    data = rounded(growth[["task", "at", "median", "low", "high"]], 3)
    tasks = list(dict.fromkeys(data.task))
    low, high = float(data["at"].min()), float(data["at"].max())
    x = alt.X("at:Q", **log_axis("Number of runs or resamples", (low, 1.3 * high), label="power"))
    y = alt.Y(
        "median:Q", **log_axis("Time, smallest size = 1", (0.7, 3 * high / low), label="plain")
    )
    colours = dict(zip(tasks, (OURS, OCHRE, VIOLET), strict=False))
    lengths = dict(zip(tasks, ((1, 0), (7, 3), (2, 3)), strict=False))
    base = alt.Chart(data).encode(
        x=x, y=y, color=hues("task:N", colours, legend=key(columns=1, labelLimit=320))
    )
    lines = base.mark_line().encode(strokeDash=dashes("task:N", lengths, legend=alt.Undefined))
    points = base.mark_point(style="dot", size=70, opacity=1).encode(
        shape=shapes("task:N", tasks, legend=alt.Undefined),
        tooltip=["task:N", "at:Q", "median:Q", "low:Q", "high:Q"],
    )
    straight = pd.DataFrame({"at": [low, high], "median": [1.0, high / low]})
    proportional = (
        alt.Chart(straight).mark_line(color=RUNS.colour, strokeDash=[1, 3]).encode(x=x, y=y)
    )
    word = label(
        "proportional", x, y, (1000 * low, 1000.0),
        style="text", align="right", dx=-8, dy=-8, color=RUNS.colour,
    )  # fmt: skip
    told = "; ".join(f"{one.task}: {one.median:g}" for one in data.itertuples() if one.at == high)
    return described(
        proportional + word + lines + points,
        f"Line chart on logarithmic axes of time against {low:g} to {high:g} runs or resamples, "
        f"relative to the smallest. At the largest size, {high / low:g} times the smallest: "
        f"{told} times the time.",
        height=HEIGHT + 40,
    )
