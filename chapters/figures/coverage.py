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
INTERVALS: Mapping[str, Role | str] = {"whole clusters": OURS, "single rows": OCHRE}
SHARED = {"none": "nothing shared", "size": "shared by a size", "budget": "shared by a budget",
          "curve": "along training curves"}  # fmt: skip
DASHES = ((1, 0), (8, 4), (4, 3), (1, 3))
FILLED = key(columns=1, symbolFillColor=RUNS.colour, symbolStrokeWidth=0)
"""Legend of the shapes, which tells the dashes too."""

NO_MORE = {"": (1, 0)}
"""A value that never occurs. Vega-Lite joins legends of equal domains and would dash the shapes."""


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
    dash = dashes("scatter:N", {**dict(zip(names, ((1, 0), (6, 4)), strict=False)), **NO_MORE})
    points = base.mark_point(style="dot", size=70).encode(
        shape=shapes("scatter:N", names, legend=FILLED),
        tooltip=tooltips(("fit:N", "", "loss"), ("scatter:N", "", "noise"), "runs:Q",
                         ("coverage:Q", ".2f")),
    )  # fmt: skip
    promise = _promise(vertical, nominal, datasets)
    told = "; ".join(
        f"{one.fit}, {one.scatter}, {one.runs:g} runs: {100 * one.coverage:.0f} %"
        for one in data[data.runs == sizes[0]].itertuples()
    )
    return described(
        alt.layer(
            promise, base.mark_line().encode(strokeDash=dash), points,
        ),
        f"Line chart of interval coverage against {sizes[0]} to {sizes[-1]} training runs for two "
        f"losses and {len(noises)} noise levels, with a line at the nominal "
        f"{100 * nominal:g} per cent. With the fewest runs: {told}.",
    )  # fmt: skip


def clusters_lines(study: pd.DataFrame, *, nominal: float, tables: int) -> Any:
    """Coverage of plain and of cluster intervals against the number of clusters.

    Columns dependence, clusters, interval ("plain" or "cluster"), coverage, for one statistic;
    `nominal` and `tables` as in `coverage_lines`.
    """
    vertical = axis("Share of intervals that held the truth", (0.2, 1), format=".0%", tickCount=5)
    data, marks = _by_clusters(study, "coverage", vertical, ".2f")
    few, most = (data[data.clusters == one] for one in (data.clusters.min(), data.clusters.max()))
    told = "; ".join(
        f"{one.clusters} clusters, {one.shared}, {one.drawn}: {100 * one.coverage:.0f} %"
        for part in (few, most)
        for one in part.itertuples()
    )
    return described(
        alt.layer(_promise(vertical, nominal, tables, below=46), *marks),
        "Line chart of interval coverage against the number of clusters, for errors that share "
        "nothing, a model size, a budget or a training curve, with resamples of single rows and of "
        f"whole clusters, and a line at the nominal {100 * nominal:g} per cent. {told}.",
    )


def cluster_widths(study: pd.DataFrame) -> Any:
    """Median width of the same intervals, on logarithmic axes; column width for coverage."""
    low, high = study.width.min(), study.width.max()
    ticks = [one for one in (0.02, 0.05, 0.1, 0.2, 0.4) if low < one < high]
    vertical = log_axis("Median width of the interval", (0.9 * low, 1.1 * high), values=ticks,
                        format="~g")  # fmt: skip
    data, marks = _by_clusters(study, "width", vertical, ".3f")
    told = "; ".join(
        f"{one.shared}, {one.drawn}: {one.width:.3f}"
        for one in data[data.clusters == data.clusters.min()].itertuples()
    )
    return described(
        alt.layer(*marks),
        "Line chart of the median width of plain and of cluster intervals against the number of "
        f"clusters, which falls everywhere. With the fewest clusters: {told}.",
    )


def _by_clusters(study: pd.DataFrame, field: str, vertical: Any, form: str) -> Any:
    """The data with their names, and the lines and points that show them."""
    drawn = dict(zip(("cluster", "plain"), INTERVALS, strict=True))
    data = rounded(
        study.assign(
            shared=study.dependence.map(SHARED), drawn=study.interval.map(drawn)
        )[["clusters", "shared", "drawn", field]]
    )  # fmt: skip
    counts = sorted(int(one) for one in data.clusters.unique())
    x = alt.X("clusters:Q", **log_axis("Clusters", (0.9 * counts[0], 1.1 * counts[-1]),
                                       values=counts, format="d", grid=False))  # fmt: skip
    base = alt.Chart(data).encode(
        x=x,
        y=alt.Y(f"{field}:Q", **vertical),
        color=hues("drawn:N", INTERVALS, legend=key(columns=1)),
    )
    names = list(SHARED.values())
    dash = dashes("shared:N", {**dict(zip(names, DASHES, strict=True)), **NO_MORE})
    points = base.mark_point(style="dot", size=70).encode(
        shape=shapes("shared:N", names, legend=FILLED),
        tooltip=tooltips(("shared:N", "", "shared"), ("drawn:N", "", "drawn"), "clusters:Q",
                         (f"{field}:Q", form)),
    )  # fmt: skip
    return data, (base.mark_line().encode(strokeDash=dash), points)


def _promise(vertical: Any, nominal: float, datasets: int, *, below: float = 28) -> Any:
    """A line at the coverage that an interval claims, and the band of its sampling error."""
    error = 2 * (nominal * (1 - nominal) / datasets) ** 0.5
    sampling = band(
        alt.Y("low:Q", **vertical), nominal - error, min(1.0, nominal + error), digits=5,
        color=RUNS.colour, opacity=0.18,
    )  # fmt: skip
    level = at(nominal=nominal, word=f"nominal {100 * nominal:g} %").encode(
        y=alt.Y("nominal:Q", **vertical)
    )
    word = level.mark_text(align="right", baseline="top", dy=below, color=RUNS.colour)
    return alt.layer(
        sampling, level.mark_rule(color=RUNS.colour),
        word.encode(x=alt.value("width"), text="word:N"),
    )  # fmt: skip
