"""Charts of the chapter on data quality: corpora side by side, and pruned perceptrons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.laws import ChinchillaLaw

from .base import (
    HEIGHT,
    OURS,
    QUIET,
    RUNS,
    compute_axis,
    described,
    log_axis,
    params_axis,
    readout,
    rounded,
    size_label,
)

# Contrast of 4 to 1 against white and near-black; the corpus compared with is grey.
COLOURS: Mapping[str, str] = {
    "DCLM": RUNS.colour,
    "Comma": "#c2488f",
    "Nemotron": "#0f8b8d",
    "C4": RUNS.colour,
    "RedPajama": "#c8553d",
    "RefinedWeb": "#7f6bd6",
    "Dolma": "#9a7b00",
    "DCLM-baseline": "#0f8b8d",
}
HARD, EASY = "#c8553d", "#0f8b8d"
KINDS = ["original data", "data of worth Q", "perfect data", "measured"]
"""What the curves and rows of the slider chart stand for."""

READOUT: tuple[tuple[str, str, float, Any], ...] = (
    ("label", "", 0.01, "left"),
    ("read_N", "N", 0.52, "right"),
    ("read_D", "D", 0.7, "right"),
    ("read_loss", "loss", 0.86, "right"),
    ("read_cost", "cost", 1.0, "right"),
)
"""Columns of the table inside the slider chart: field, heading, place, alignment."""


def _corpus_colour(field: str, names: list[str], *, legend: bool = False) -> alt.Color:
    scale = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    drawn = (
        alt.Legend(title=None, symbolType="circle", symbolOpacity=1, columns=2) if legend else None
    )
    return alt.Color(field, scale=scale, legend=drawn)


def best_losses(minima: pd.DataFrame) -> Any:
    """Best loss of each corpus against compute, with the distance to the reference in compute.

    Parameters
    ----------
    minima : pandas.DataFrame
        Columns corpus, budget, loss, multiplier, extrapolated, from `compute_multipliers`.

    Returns
    -------
    altair.LayerChart
    """
    names = list(dict.fromkeys(minima.corpus))
    x = alt.X("budget:Q", **compute_axis((7e18, 2.2e20)))
    y = alt.Y(
        "loss:Q",
        title="Best loss of the budget (nats per token)",
        scale=alt.Scale(domain=[3.05, 3.75], nice=False, zero=False),
    )
    colour = _corpus_colour("corpus:N", names)
    base = alt.Chart(rounded(minima)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=2)
    points = base.mark_circle(size=60, opacity=1).encode(
        tooltip=[
            "corpus:N",
            alt.Tooltip("budget:Q", format=".2~e", title="FLOP"),
            alt.Tooltip("loss:Q", format=".4f"),
            alt.Tooltip("multiplier:Q", format=".2f"),
        ]
    )
    ends = base.transform_filter(f"datum.budget > {0.99 * minima.budget.max()}").mark_text(
        align="left", dx=8, fontWeight="bold"
    )
    away = minima[~minima.extrapolated & ((minima.multiplier - 1).abs() > 0.4)]
    reach = rounded(away.assign(equal=away.budget * away.multiplier))
    arrows = alt.Chart(reach).encode(y=y, color=colour)
    rules = arrows.mark_rule(strokeDash=[2, 3], strokeWidth=1.5).encode(x=x, x2="equal:Q")
    heads = arrows.mark_point(shape="triangle-left", filled=True, size=55, opacity=1).encode(
        x=alt.X("equal:Q", **compute_axis((7e18, 2.2e20)))
    )
    words = (
        arrows.transform_calculate(
            middle="sqrt(datum.budget * datum.equal)",
            read="'× ' + format(datum.multiplier, '.2f')",
        )
        .mark_text(dy=-9, fontSize=11)
        .encode(x=alt.X("middle:Q", **compute_axis((7e18, 2.2e20))), text="read:N")
    )
    told = "; ".join(
        f"{name} from {own.loss.max():.2f} to {own.loss.min():.2f}"
        for name, own in minima.groupby("corpus", sort=False)
    )
    return described(
        rules + heads + words + lines + points + ends.encode(text="corpus:N"),
        f"Lines of the best loss at each of {minima.budget.nunique()} budgets for "
        f"{len(names)} corpora: {told}. Dotted arrows lead from a corpus to the smaller budget at "
        "which the reference reaches the same loss.",
    )


def gap_trend(measured: pd.DataFrame, predicted: pd.DataFrame) -> Any:
    """Measured differences between two corpora along the budget, and what each form expects.

    Parameters
    ----------
    measured : pandas.DataFrame
        Columns budget, gap, low, high.
    predicted : pandas.DataFrame
        Columns form, budget, gap.

    Returns
    -------
    altair.LayerChart
    """
    forms = list(dict.fromkeys(predicted.form))
    axis = compute_axis((7e18, 4e20))
    x = alt.X("budget:Q", **axis)
    scale = alt.Scale(domain=[0.11, 0.19], nice=False, zero=False)
    y = alt.Y("gap:Q", title="Comma less DCLM (nats per token)", scale=scale)
    colour = alt.Color(
        "form:N",
        scale=alt.Scale(domain=forms, range=[OURS.colour, "#9a7b00", "#c8553d", "#7f6bd6"]),
        legend=None,
    )
    dash = alt.StrokeDash(
        "form:N",
        scale=alt.Scale(domain=forms, range=[[1, 0], [8, 3], [6, 4], [2, 3]]),
        legend=None,
    )
    lines = alt.Chart(rounded(predicted)).encode(x=x, y=y, color=colour)
    drawn = lines.mark_line(strokeWidth=2).encode(strokeDash=dash)
    labels = (
        lines.transform_filter(f"datum.budget > {0.99 * predicted.budget.max()}")
        .mark_text(align="left", dx=8, fontWeight="bold")
        .encode(text="form:N")
    )
    data = alt.Chart(rounded(measured)).encode(x=x)
    bars = data.mark_rule(strokeWidth=2, color=RUNS.colour).encode(
        y=alt.Y("low:Q", scale=scale), y2="high:Q"
    )
    points = data.mark_circle(size=80, opacity=1, color=RUNS.colour).encode(
        y=y, tooltip=[alt.Tooltip("budget:Q", format=".2~e"), alt.Tooltip("gap:Q", format=".3f")]
    )
    word = data.transform_filter(f"datum.budget > {0.99 * measured.budget.max()}").mark_text(
        dy=-10, color=RUNS.colour, fontWeight="bold"
    )
    ends = predicted[predicted.budget == predicted.budget.max()]
    told = "; ".join(f"{one.form} {one.gap:.3f}" for one in ends.itertuples())
    return described(
        drawn
        + labels
        + bars
        + points
        + word.encode(y=alt.Y("high:Q", scale=scale), text=alt.value("measured")),
        f"Points with error bars of the paired loss difference at {len(measured)} budgets, rising "
        f"from {measured.gap.iloc[0]:.3f} to {measured.gap.iloc[-1]:.3f} nats, and the course "
        f"expected by {len(forms)} forms; at the largest budget they expect: {told}.",
    )


def rival_forms(errors: pd.DataFrame) -> Any:
    """Scatter of the runs about each form, in sample and one budget ahead.

    Parameters
    ----------
    errors : pandas.DataFrame
        Columns form, sample ("all runs" or "held-out budget"), rms (percent).

    Returns
    -------
    altair.LayerChart
    """
    order = list(dict.fromkeys(errors.form))
    samples = list(dict.fromkeys(errors["sample"]))
    axis = log_axis("Scatter of the losses (rms, %)", (0.25, 5.5), label="plain")
    x = alt.X("rms:Q", **{**axis, "axis": alt.Axis(values=[0.5, 1, 2, 3])})
    y = alt.Y("form:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, ticks=False))
    palette = [OURS.colour, "#c8553d"]
    colour = alt.Color(
        "sample:N",
        scale=alt.Scale(domain=samples, range=palette),
        legend=alt.Legend(title=None, symbolType="circle"),
    )
    shape = alt.Shape("sample:N", scale=alt.Scale(domain=samples, range=["circle", "diamond"]))
    base = alt.Chart(rounded(errors)).encode(x=x, y=y)
    joined = base.mark_line(color=QUIET, strokeWidth=1.5).encode(detail="form:N")
    points = base.mark_point(filled=True, size=95, opacity=1).encode(color=colour, shape=shape)
    written = base.encode(
        color=alt.Color("sample:N", scale=alt.Scale(domain=samples, range=palette), legend=None),
        text=alt.Text("rms:Q", format=".2f"),
    )
    # The smaller of the two values of a row stands to the left of its point.
    first = written.transform_filter(f"datum.sample == '{samples[0]}'").mark_text(
        align="right", dx=-9, fontSize=11
    )
    second = written.transform_filter(f"datum.sample == '{samples[1]}'").mark_text(
        align="left", dx=9, fontSize=11
    )
    told = "; ".join(
        f"{form} " + " and ".join(f"{one.rms:.2f}" for one in own.itertuples())
        for form, own in errors.groupby("form", sort=False)
    )
    return described(
        joined + points + first + second,
        f"Dot plot of the relative scatter of losses about {len(order)} forms of the law, in "
        f"percent, for {' and '.join(samples)}: {told}.",
    )


def by_evaluation(multipliers: pd.DataFrame) -> Any:
    """Multipliers of two corpora under every evaluation, on one logarithmic axis.

    Parameters
    ----------
    multipliers : pandas.DataFrame
        Columns evaluation, corpus, Q; the rows in the order of the axis.

    Returns
    -------
    altair.LayerChart
    """
    order = list(dict.fromkeys(multipliers.evaluation))
    names = list(dict.fromkeys(multipliers.corpus))
    x = alt.X("Q:Q", **log_axis("Worth of a token, C4 = 1", (0.3, 9000), label="plain"))
    y = alt.Y("evaluation:N", sort=order, title=None, axis=alt.Axis(labelLimit=150, ticks=False))
    colour = _corpus_colour("corpus:N", names, legend=True)
    base = alt.Chart(rounded(multipliers)).encode(x=x, y=y)
    joined = base.mark_line(color=QUIET, strokeWidth=1, opacity=0.6).encode(detail="evaluation:N")
    points = base.mark_circle(size=95, opacity=1).encode(
        color=colour, tooltip=["evaluation:N", "corpus:N", alt.Tooltip("Q:Q", format=".3~g")]
    )
    one = alt.Chart(pd.DataFrame({"Q": [1.0], "word": ["C4"]})).encode(x=x)
    rule = one.mark_rule(color=QUIET, strokeDash=[2, 2])
    word = one.mark_text(color=QUIET, align="left", dx=4, fontSize=11).encode(
        y=alt.value(6), text="word:N"
    )
    wide = multipliers.loc[multipliers.Q.idxmax()]
    least = multipliers.loc[multipliers.Q.idxmin()]
    return described(
        rule + word + joined + points,
        f"Dot plot of the worth of a token against C4 for {' and '.join(names)} under "
        f"{len(order)} evaluations on a logarithmic axis: from {least.Q:.2g} for {least.corpus} "
        f"on {least.evaluation} to {wide.Q:.2g} for {wide.corpus} on {wide.evaluation}.",
    ).properties(height=HEIGHT + 60)


def benchmark_multipliers(table: pd.DataFrame) -> Any:
    """Compute multipliers of several corpora on several benchmarks, with their errors.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns metric, corpus, multiplier, low, high.

    Returns
    -------
    altair.LayerChart
    """
    metrics = list(dict.fromkeys(table.metric))
    names = list(dict.fromkeys(table.corpus))
    axis = log_axis("Compute multiplier, C4 = 1", (0.2, 20), label="plain")
    axis["axis"] = alt.Axis(values=[0.2, 0.5, 1, 2, 5, 10, 20], format="~r")
    x = alt.X("multiplier:Q", **axis)
    y = alt.Y("metric:N", sort=metrics, title=None, axis=alt.Axis(labelLimit=130, ticks=False))
    offset = alt.YOffset("corpus:N", sort=names, scale=alt.Scale(paddingOuter=0.6))
    base = alt.Chart(rounded(table)).encode(y=y, yOffset=offset)
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.5).encode(
        x=alt.X("low:Q", scale=axis["scale"]), x2="high:Q",
        color=_corpus_colour("corpus:N", names, legend=True),
    )  # fmt: skip
    points = base.mark_circle(size=80, opacity=1).encode(
        x=x,
        color=_corpus_colour("corpus:N", names, legend=True),
        tooltip=["metric:N", "corpus:N", alt.Tooltip("multiplier:Q", format=".2f")],
    )
    rule = (
        alt.Chart(pd.DataFrame({"multiplier": [1.0]}))
        .mark_rule(color=QUIET, strokeDash=[2, 2])
        .encode(x=x)
    )
    told = "; ".join(
        f"{metric} " + ", ".join(f"{one.corpus} {one.multiplier:.2g}" for one in own.itertuples())
        for metric, own in table.groupby("metric", sort=False)
    )
    return described(
        rule + bars + points,
        f"Dot plot with error bars of compute multipliers against C4 on {len(metrics)} benchmarks "
        f"for {len(names)} corpora: {told}.",
    )


def quality_slider(
    law: ChinchillaLaw, measured: Mapping[str, float], *, budget: float, start: float
) -> Any:
    """One budget, two qualities of data: the valley, its lowest point, and the floor beneath.

    Parameters
    ----------
    law : ChinchillaLaw
        The law on the original corpus.
    measured : mapping of str to float
        Multipliers to read out below the chosen one, by name.
    budget : float
        Where the slider of the budget starts, FLOP.
    start : float
        Where the slider of the multiplier starts.

    Returns
    -------
    altair.LayerChart
        Its parameters are ``Q``, the multiplier, and ``log_C``, the logarithm of the budget.
    """
    quality = alt.param(
        name="Q",
        value=start,
        bind=alt.binding_range(min=0.2, max=20, step=0.1, name="Worth of a token, Q "),
    )
    compute = alt.param(
        name="log_C",
        value=round(float(np.log10(budget)), 2),
        bind=alt.binding_range(min=20, max=25, step=0.05, name="Training compute "),
    )
    x = alt.X("N:Q", **params_axis((1e8, 1e13)))
    # The upper part of the plot is left free for the read-out.
    y = alt.Y(
        "loss:Q",
        title="Loss (nats per token)",
        scale=alt.Scale(domain=[1.75, 3.3], nice=False, zero=False),
        axis=alt.Axis(values=[1.8, 2.0, 2.2, 2.4, 2.6]),
    )
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=KINDS, range=[RUNS.colour, OURS.colour, HARD, QUIET]),
        legend=None,
    )
    dash = alt.StrokeDash(
        "kind:N", scale=alt.Scale(domain=KINDS, range=[[1, 0], [1, 0], [5, 4], [1, 0]]), legend=None
    )
    curves = (
        _valleys(law)
        .transform_filter("datum.loss < 2.7")
        .mark_line(strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    here = _best_sizes(law, measured).encode(color=colour)
    dots = (
        here.transform_filter("datum.kind != 'measured'")
        .mark_point(shape="diamond", filled=True, size=130, opacity=1)
        .encode(x=x, y=y)
    )
    foot = pd.DataFrame({"kind": [KINDS[2]], "N": [9e12], "loss": [law.loss(9e12, np.inf)]})
    word = (
        alt.Chart(rounded(foot))
        .mark_text(align="right", dy=13, fontSize=11)
        .encode(x=x, y=y, color=colour, text=alt.value("perfect data: the floor"))
    )
    return described(
        alt.layer(word, curves, dots, *readout(here, READOUT)).add_params(quality, compute),
        "Loss against model size at one budget: a valley for the original data, a deeper one for "
        "data of which each token is worth Q, and the floor that perfect data would leave. Sliders "
        "set Q and the budget; a table inside the chart reads out best size, tokens, loss and the "
        f"cost of an equal loss, also for the measured multipliers of {', '.join(measured)}.",
    ).properties(height=HEIGHT + 110)


def _valleys(law: ChinchillaLaw) -> alt.Chart:
    """Loss along the budget of the slider, one curve for each kind of data."""
    sizes = np.geomspace(1e8, 1e13, 61)
    frame = pd.concat([pd.DataFrame({"kind": kind, "N": sizes}) for kind in KINDS[:3]])
    tokens = "pow(10, log_C) / 6 / datum.N"
    return alt.Chart(rounded(frame)).transform_calculate(
        loss=f"{law.E!r} + {law.A!r} * pow(datum.N, -{law.alpha!r})"
        f" + (datum.kind == '{KINDS[2]}' ? 0 : {law.B!r}"
        f" * pow((datum.kind == '{KINDS[0]}' ? 1 : Q) * {tokens}, -{law.beta!r}))"
    )


def _best_sizes(law: ChinchillaLaw, measured: Mapping[str, float]) -> alt.Chart:
    """The lowest point of each valley and what it buys, a row of the read-out each."""
    rows = [
        {"name": "original, 1", "kind": KINDS[0], "fixed": 1.0},
        {"name": "", "kind": KINDS[1], "fixed": -1.0},
        *({"name": f"{name}, {Q:.2g}", "kind": KINDS[3], "fixed": Q}
          for name, Q in measured.items()),
    ]  # fmt: skip
    table = pd.DataFrame(rows).assign(row=[30 + 18 * row for row in range(len(rows))])
    return (
        alt.Chart(rounded(table))
        .transform_calculate(
            worth="datum.fixed > 0 ? datum.fixed : Q",
            label="datum.fixed > 0 ? datum.name : 'your Q, ' + format(Q, '.2~f')",
        )
        .transform_calculate(
            N=f"{law.G!r} * pow(datum.worth * pow(10, log_C) / 6, {law.a!r})",
            read_cost="format(1 / datum.worth, '.2f')",
        )
        .transform_calculate(D="pow(10, log_C) / 6 / datum.N", read_N=size_label("datum.N"))
        .transform_calculate(
            loss=f"{law.E!r} + {law.A!r} * pow(datum.N, -{law.alpha!r})"
            f" + {law.B!r} * pow(datum.worth * datum.D, -{law.beta!r})",
            read_D=size_label("datum.D"),
        )
        .transform_calculate(read_loss="format(datum.loss, '.3f')")
    )


def pruned_curves(curves: pd.DataFrame, points: pd.DataFrame, labels: pd.DataFrame) -> Any:
    """Error against the examples kept: all of a growing pool, or the hard ones of a given pool.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns curve, kept, error, pruned (bool).
    points : pandas.DataFrame
        Columns kept, error, low, high: simulated students.
    labels : pandas.DataFrame
        Columns label, kept, error, pruned, align ("left" or "right").

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X("kept:Q", **log_axis("Examples kept per dimension", (0.5, 1500), label="plain"))
    axis = log_axis("Share of new examples wrong", (2e-4, 0.7), label="plain")
    y = alt.Y("error:Q", **axis)
    colour = alt.Color(
        "pruned:N", scale=alt.Scale(domain=[False, True], range=[OURS.colour, HARD]), legend=None
    )
    lines = (
        alt.Chart(rounded(curves))
        .mark_line(strokeWidth=2, clip=True)
        .encode(
            x=x, y=y, color=colour, detail="curve:N",
            strokeDash=alt.StrokeDash(
                "pruned:N", scale=alt.Scale(domain=[False, True], range=[[1, 0], [7, 3]]),
                legend=None,
            ),
        )
    )  # fmt: skip
    simulated = alt.Chart(rounded(points)).encode(x=x)
    bars = simulated.mark_rule(strokeWidth=2, color=RUNS.colour).encode(
        y=alt.Y("low:Q", **axis), y2="high:Q"
    )
    dots = simulated.mark_circle(size=60, opacity=1, color=RUNS.colour).encode(y=y)
    layers = [lines, bars, dots]
    # Names of pools stand below the end of their curve, that of the power law above its own.
    sides: tuple[tuple[Literal["left", "right"], int], ...] = (("left", -9), ("right", 14))
    for side, below in sides:
        words = alt.Chart(rounded(labels)).transform_filter(f"datum.align == '{side}'")
        layers.append(
            words.mark_text(align=side, dy=below, fontWeight="bold").encode(
                x=x, y=y, color=colour, text="label:N"
            )
        )
    told = "; ".join(
        f"{name} from {own.error.iloc[0]:.2g} to {own.error.iloc[-1]:.2g}"
        for name, own in curves.groupby("curve", sort=False)
    )
    return described(
        alt.layer(*layers),
        "Error of a perceptron against examples kept per dimension on logarithmic axes. A straight "
        "line falls for pools that are kept whole; dashed lines for pools of which only the "
        f"hardest are kept drop to the error of their pool at once. {told}. "
        f"{len(points)} simulated students lie on the lines.",
    )


def hard_or_easy(curves: pd.DataFrame, *, switch: float) -> Any:
    """Error after keeping half of the examples, relative to keeping all, along the pool.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns keep ("hard half" or "easy half"), alpha, ratio.
    switch : float
        Pool at which the two cross.

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X("alpha:Q", **log_axis("Examples per dimension in the pool", (0.3, 60), label="plain"))
    scale = alt.Scale(domain=[0.8, 1.8], nice=False, zero=False)
    y = alt.Y("ratio:Q", title="Error over that of keeping all", scale=scale)
    names = ["hard half", "easy half"]
    colour = alt.Color("keep:N", scale=alt.Scale(domain=names, range=[HARD, EASY]), legend=None)
    dash = alt.StrokeDash(
        "keep:N", scale=alt.Scale(domain=names, range=[[1, 0], [7, 3]]), legend=None
    )
    base = alt.Chart(rounded(curves)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(strokeWidth=2, clip=True).encode(strokeDash=dash)
    ends = curves.sort_values("alpha", kind="stable").groupby("keep").tail(1)
    inside = ends.assign(ratio=ends.ratio.clip(upper=1.75))
    words = (
        alt.Chart(rounded(inside))
        .mark_text(align="right", dy=-10, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text="keep:N")
    )
    mark = alt.Chart(rounded(pd.DataFrame({"alpha": [switch], "ratio": [1.0]})))
    rule = mark.mark_rule(color=QUIET, strokeDash=[2, 2]).encode(x=x)
    read = (
        mark.transform_calculate(read="'switch at ' + format(datum.alpha, '.2f')")
        .mark_text(color=QUIET, align="right", dx=-5, fontSize=11)
        .encode(x=x, y=alt.value(12), text="read:N")
    )
    level = mark.mark_rule(color=QUIET, opacity=0.6).encode(y=y)
    return described(
        rule + read + level + lines + words,
        "Error after keeping the harder or the easier half of the examples, over the error with "
        f"all of them, against the size of the pool. Below {switch:.2f} examples per dimension the "
        "easier half is the better choice, above it the harder half.",
    )
