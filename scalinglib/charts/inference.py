"""Charts of inference compute: coverage, success rates, thinking tokens, and what answers cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.curves import Curve

from .base import (
    OURS,
    QUIET,
    RUNS,
    Role,
    described,
    log_axis,
    rounded,
)

POWER = Role("exponentiated power law", OURS.colour)
LINE = Role("line in log k", "#c0562b")
BEYOND = [5, 4]
"""Dash of the part of a curve that lies beyond its data."""

SIZES = ("#8a63d2", "#4f78c4", "#1f8f9a", "#2f9a5b", "#7f9a1e", "#b3852a", "#c9603d")
"""Seven hues along the spectrum for seven sizes, each with a contrast of 3 to 1 on both pages."""


def _k_axis(end: float = 1e4) -> dict[str, Any]:
    return {
        **log_axis("Samples per problem, k", (1, end), label="plain"),
        "axis": alt.Axis(values=[1, 10, 100, 1000, 10000], format=",d"),
    }


def _share(field: str, title: str, domain: tuple[float, float]) -> alt.Y:
    return alt.Y(
        field, title=title, scale=alt.Scale(domain=list(domain), nice=False),
        axis=alt.Axis(format=".0%", tickCount=6),
    )  # fmt: skip


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved apart until neighbours keep a gap, the middle staying in place."""
    moved = np.asarray(heights, dtype=float).copy()
    for _ in range(200):
        for i in range(len(moved) - 1):
            lacking = gap - (moved[i + 1] - moved[i])
            if lacking > 0:
                moved[i] -= lacking / 2
                moved[i + 1] += lacking / 2
    return [float(one) for one in moved]


def coverage_curves(points: pd.DataFrame, curves: Mapping[str, Curve]) -> Any:
    """Coverage against samples for several sizes, measured and fitted.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns model, k, coverage.
    curves : mapping of str to Curve
        Fitted curve by model, in the order of their coverage at the last k.

    Returns
    -------
    altair.LayerChart
    """
    k = np.logspace(0, 4, 33)
    fitted = pd.concat(
        [pd.DataFrame({"model": name, "k": k, "coverage": one.value(k)})
         for name, one in curves.items()]
    )  # fmt: skip
    names = list(curves)
    x = alt.X("k:Q", **_k_axis(3.2e4))
    y = _share("coverage:Q", "Coverage: problems solved at least once", (0, 0.95))
    colour = alt.Color("model:N", scale=alt.Scale(domain=names, range=list(SIZES)), legend=None)
    last = [float(points[points.model == name].coverage.iloc[-1]) for name in names]
    labels = pd.DataFrame({"model": names, "k": 1.15e4, "coverage": _spread(last, 0.037)})
    lines = alt.Chart(rounded(fitted)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    dots = (
        alt.Chart(rounded(points))
        .mark_point(filled=True, size=34, opacity=1)
        .encode(
            x=x, y=y, color=colour,
            tooltip=["model:N", alt.Tooltip("k:Q", format=",d"),
                     alt.Tooltip("coverage:Q", format=".2%")],
        )
    )  # fmt: skip
    words = (
        alt.Chart(labels)
        .mark_text(align="left", fontSize=11.5, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text="model:N")
    )
    told = "; ".join(
        f"{name} from {float(points[points.model == name].coverage.iloc[0]):.2%} to {end:.1%}"
        for name, end in zip(names, last, strict=True)
    )
    return described(
        lines + dots + words,
        f"Line chart of coverage against 1 to 10,000 samples per problem for {len(names)} Pythia "
        f"models on 128 problems: {told}. Every curve is steep in the middle and bends at both "
        "ends, and the fitted curves pass through the points.",
    )


def extrapolations(
    points: pd.DataFrame, curves: Mapping[tuple[str, str], Curve], *, last: float
) -> Any:
    """Two forms fitted to the first samples, and where they go.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns model, k, coverage.
    curves : mapping of (str, str) to Curve
        Fitted curve by model and form, forms named as `POWER` and `LINE`.
    last : float
        Largest k that was fitted.

    Returns
    -------
    altair.LayerChart
    """
    low, high = np.logspace(0, np.log10(last), 17), np.logspace(np.log10(last), 4, 17)
    drawn = pd.concat(
        [pd.DataFrame({"model": model, "form": form, "part": part, "k": k,
                       "coverage": one.value(k)})
         for (model, form), one in curves.items()
         for part, k in (("fit", low), ("beyond", high))]
    )  # fmt: skip
    x = alt.X("k:Q", **_k_axis())
    y = _share("coverage:Q", "Coverage: problems solved at least once", (0, 1))
    roles = (POWER, LINE)
    colour = alt.Color(
        "form:N",
        scale=alt.Scale(domain=[one.name for one in roles], range=[one.colour for one in roles]),
        legend=alt.Legend(title=None),
    )
    dash = alt.StrokeDash(
        "part:N", scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]), legend=None
    )
    lines = (
        alt.Chart(rounded(drawn[drawn.coverage > 0]))
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash, detail="model:N")
    )
    dots = (
        alt.Chart(rounded(points))
        .mark_point(filled=True, size=34, opacity=1, color=RUNS.colour)
        .encode(
            x=x, y=y,
            tooltip=["model:N", alt.Tooltip("k:Q", format=",d"),
                     alt.Tooltip("coverage:Q", format=".2%")],
        )
    )  # fmt: skip
    end = pd.DataFrame({"k": [last]})
    rule = alt.Chart(end).mark_rule(color=QUIET, strokeDash=[2, 2]).encode(x=x)
    word = (
        alt.Chart(end)
        .mark_text(color=QUIET, align="right", dx=-5, fontSize=11)
        .encode(x=x, y=alt.value(8), text=alt.value("fitted up to here"))
    )
    middle = points[np.isclose(points.k, points.k[points.k >= last].min())]
    names = (
        alt.Chart(rounded(middle))
        .mark_text(align="right", dx=-10, dy=-9, fontWeight="bold", color=RUNS.colour)
        .encode(x=x, y=y, text="model:N")
    )
    told = "; ".join(
        f"{model}, {form}: {float(one.value(1e4)):.3f}" for (model, form), one in curves.items()
    )
    seen = "; ".join(
        f"{model} {float(one.coverage.iloc[-1]):.3f}" for model, one in points.groupby("model")
    )
    return described(
        rule + word + lines + dots + names,
        f"Line chart of coverage against samples. Two forms are fitted up to {last:.0f} samples "
        f"and drawn to 10,000, where they predict {told}. Measured there: {seen}.",
    )


def success_rates(rates: pd.DataFrame, order: Sequence[str]) -> Any:
    """The success rate of every problem, one row for each model.

    Parameters
    ----------
    rates : pandas.DataFrame
        Columns model, rate.
    order : sequence of str
        Models from top to bottom.

    Returns
    -------
    altair.LayerChart
    """
    never = rates[rates.rate == 0].groupby("model").size()
    solved = rates[rates.rate > 0]
    shares = log_axis("Share of samples that solve the problem", (4e-6, 1), label="plain")
    shares["axis"] = alt.Axis(
        values=[1e-4, 1e-3, 1e-2, 1e-1, 1],
        labelExpr="datum.value < 0.00011 ? '1 in 10,000' : format(datum.value, '~%')",
    )
    x = alt.X("rate:Q", **shares)
    y = alt.Y("model:N", sort=list(order), title=None, axis=alt.Axis(ticks=False))
    colour = alt.Color(
        "model:N", scale=alt.Scale(domain=list(order), range=list(SIZES)), legend=None
    )
    ticks = (
        alt.Chart(rounded(solved, 3))
        .mark_tick(thickness=1.5, opacity=0.6, size=22)
        .encode(x=x, y=y, color=colour, tooltip=["model:N", alt.Tooltip("rate:Q", format=".2%")])
    )
    counted = pd.DataFrame({"model": list(order),
                            "word": [f"{never.get(name, 0)} never" for name in order]})  # fmt: skip
    words = (
        alt.Chart(counted)
        .mark_text(align="left", x=5, fontSize=11, color=QUIET)
        .encode(y=y, text="word:N")
    )
    told = "; ".join(f"{name} {never.get(name, 0)}" for name in order)
    return described(
        ticks + words,
        "Strip plot on a logarithmic axis: the share of 10,000 samples that solve each of 128 "
        "problems, one row for each model. The shares reach from one in ten thousand to "
        f"{rates.rate.max():.0%}, and move to the right with size. Problems never solved: {told}.",
    )


def serving(points: pd.DataFrame, best: pd.DataFrame, order: Sequence[str]) -> Any:
    """Coverage against the compute of sampling, measured, with the best buy at each budget.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns model, flops (per token that each sample writes), coverage.
    best : pandas.DataFrame
        Columns budget, model, coverage, as `scalinglib.serving.best_buys` gives them.
    order : sequence of str
        Models, smallest first.

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X(
        "flops:Q",
        **log_axis("Serving FLOP per problem and token", (3e9, 5e14),
                   label="power"),
    )  # fmt: skip
    y = _share("coverage:Q", "Coverage: problems solved at least once", (0, 0.95))
    colour = alt.Color(
        "model:N",
        scale=alt.Scale(domain=list(order), range=list(SIZES)),
        legend=alt.Legend(title=None, columns=4, symbolType="stroke", symbolStrokeWidth=3),
    )
    faint = (
        alt.Chart(rounded(points[points.flops >= 3e9]))
        .mark_line(strokeWidth=1.5, opacity=0.75)
        .encode(x=x, y=y, color=colour)
    )
    # A model may be the best buy in several stretches, each of which is a line of its own.
    runs = best.model.ne(best.model.shift()).cumsum()
    stretches = best.rename(columns={"budget": "flops"}).assign(stretch=runs)
    stretches = stretches[stretches.flops >= 3e9]
    thick = (
        alt.Chart(rounded(stretches))
        .mark_line(strokeWidth=5, opacity=0.55)
        .encode(x=x, y=y, color=colour, detail="stretch:N")
    )
    longest = [
        group.iloc[len(group) // 2]
        for _, group in stretches.groupby("model", sort=False)
        if len(group) > 3
    ]
    words = (
        alt.Chart(rounded(pd.DataFrame(longest)))
        .mark_text(align="right", dx=-9, dy=-9, fontSize=12, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text="model:N")
    )
    told = ", then ".join(str(one.model) for one in longest)
    return described(
        faint + thick + words,
        f"Line chart of measured coverage against serving compute for {len(order)} sizes. The "
        f"curves cross. The best buy from little to much compute: {told}.",
    )


def thinking(points: pd.DataFrame, curves: Mapping[tuple[str, str], Curve]) -> Any:
    """Accuracy against thinking tokens, with straight and bounded curves.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns benchmark, tokens, accuracy (share).
    curves : mapping of (str, str) to Curve
        Curve of the share by benchmark and form, forms named as `POWER` and `LINE`.

    Returns
    -------
    altair.LayerChart
    """
    T = np.geomspace(400, 64_000, 41)
    ends = points.groupby("benchmark").tokens.agg(["min", "max"])
    drawn = []
    for (benchmark, form), one in curves.items():
        first, last = ends.loc[benchmark]
        for part, at in (
            ("fit", np.geomspace(first, last, 21)),
            ("beyond", np.append(last, T[last < T])),
        ):
            drawn.append(
                pd.DataFrame({"benchmark": benchmark, "form": form, "part": part, "tokens": at,
                              "accuracy": one.value(at)})
            )  # fmt: skip
    x = alt.X(
        "tokens:Q",
        **{**log_axis("Thinking tokens per question, T", (400, 64_000), label="plain"),
           "axis": alt.Axis(values=[500, 1000, 2000, 5000, 10000, 20000, 50000],
                            labelExpr="format(datum.value / 1000, '~r') + 'k'")},
    )  # fmt: skip
    y = alt.Y(
        "accuracy:Q",
        title="Accuracy",
        scale=alt.Scale(domain=[0, 1.2], nice=False),
        axis=alt.Axis(format=".0%", values=[0, 0.2, 0.4, 0.6, 0.8, 1.0]),
    )
    roles = (POWER, LINE)
    colour = alt.Color(
        "form:N",
        scale=alt.Scale(domain=[one.name for one in roles], range=[one.colour for one in roles]),
        legend=alt.Legend(title=None, labelExpr="datum.label == 'line in log k' ? "
                          "'line in log T' : datum.label"),
    )  # fmt: skip
    dash = alt.StrokeDash(
        "part:N", scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]), legend=None
    )
    lines = (
        alt.Chart(rounded(pd.concat(drawn)))
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash, detail="benchmark:N")
    )
    dots = (
        alt.Chart(rounded(points))
        .mark_point(filled=True, size=60, opacity=1, color=RUNS.colour)
        .encode(
            x=x, y=y,
            shape=alt.Shape("benchmark:N", legend=None),
            tooltip=["benchmark:N", alt.Tooltip("tokens:Q", format=",.0f"),
                     alt.Tooltip("accuracy:Q", format=".1%")],
        )
    )  # fmt: skip
    at = points.groupby("benchmark", sort=False).nth(1)
    names = (
        alt.Chart(rounded(at.assign(word=at.benchmark.str.split("-").str[0])))
        .mark_text(align="left", dx=10, dy=9, fontWeight="bold", color=RUNS.colour)
        .encode(x=x, y=y, text="word:N")
    )
    full = (
        alt.Chart(pd.DataFrame({"accuracy": [1.0]}))
        .mark_rule(color=QUIET, strokeDash=[2, 2])
        .encode(y=y)
    )
    told = "; ".join(
        f"{name} from {one.accuracy.iloc[0]:.0%} to {one.accuracy.iloc[-1]:.0%}"
        for name, one in points.groupby("benchmark", sort=False)
    )
    return described(
        full + lines + dots + names,
        "Scatter plot of accuracy against 500 to 7,300 thinking tokens on a logarithmic axis, "
        f"three benchmarks: {told}. Straight lines leave the top of the scale when they are drawn "
        "on; the bounded curves do not.",
    )
