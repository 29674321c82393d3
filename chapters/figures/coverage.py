"""Pictures of the page on the coverage of intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    OCHRE,
    OURS,
    RUNS,
    Role,
    at,
    axis,
    band,
    dashes,
    described,
    hues,
    key,
    log_axis,
    rounded,
    shapes,
    tooltips,
)

LOSSES: Mapping[str, Role | str] = {"Huber": OURS, "least squares": OCHRE}


def coverage_lines(study: pd.DataFrame, *, nominal: float, datasets: int) -> Any:
    """Coverage of an interval against the number of runs, by noise and loss.

    Columns runs, noise, loss ("huber" or "l2"), coverage, a row per combination. `nominal` is the
    coverage that the interval claims; `datasets`, how many were simulated for each point, gives
    the band of sampling error.
    """
    noises = sorted(study.noise.unique())
    names = [f"{100 * noise:g} % noise" for noise in noises]
    data = rounded(
        study.assign(
            fit=study.loss.map({"huber": "Huber", "l2": "least squares"}),
            scatter=study.noise.map(dict(zip(noises, names, strict=True))),
        )[["runs", "fit", "scatter", "coverage"]]
    )
    sizes = sorted(int(runs) for runs in study.runs.unique())
    x = alt.X("runs:Q", **log_axis("Training runs", (0.85 * sizes[0], 1.15 * sizes[-1]),
                                   values=sizes, format="d", grid=False))  # fmt: skip
    vertical = axis("Share of intervals that held the truth", (0.5, 1), format=".0%", tickCount=6)
    base = alt.Chart(data).encode(
        x=x,
        y=alt.Y("coverage:Q", **vertical),
        color=hues("fit:N", LOSSES, legend=key(columns=1)),
    )
    dash = dashes(
        "scatter:N", dict(zip(names, ((1, 0), (6, 4)), strict=False)),
        legend=key(columns=1, symbolStrokeColor=RUNS.colour),
    )  # fmt: skip
    points = base.mark_point(style="dot", size=70).encode(
        shape=shapes("scatter:N", names),
        tooltip=tooltips(("fit:N", "", "loss"), ("scatter:N", "", "noise"), "runs:Q",
                         ("coverage:Q", ".2f")),
    )  # fmt: skip
    error = 2 * (nominal * (1 - nominal) / datasets) ** 0.5
    sampling = band(
        alt.Y("low:Q", **vertical), nominal - error, min(1.0, nominal + error), digits=5,
        color=RUNS.colour, opacity=0.18,
    )  # fmt: skip
    level = at(nominal=nominal, word=f"nominal {100 * nominal:g} %").encode(
        y=alt.Y("nominal:Q", **vertical)
    )
    word = level.mark_text(align="right", baseline="top", dy=28, color=RUNS.colour)
    told = "; ".join(
        f"{one.fit}, {one.scatter}, {one.runs:g} runs: {100 * one.coverage:.0f} %"
        for one in data[data.runs == sizes[0]].itertuples()
    )
    return described(
        alt.layer(
            sampling, level.mark_rule(color=RUNS.colour),
            word.encode(x=alt.value("width"), text="word:N"),
            base.mark_line().encode(strokeDash=dash), points,
        ),
        f"Line chart of interval coverage against {sizes[0]} to {sizes[-1]} training runs for two "
        f"losses and {len(noises)} noise levels, with a line at the nominal "
        f"{100 * nominal:g} per cent. With the fewest runs: {told}.",
    )  # fmt: skip
