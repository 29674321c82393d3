"""Pictures of the chapter on data quality: corpora side by side, and pruned perceptrons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    BEYOND,
    HEIGHT,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    Column,
    Role,
    at,
    axis,
    budget_slider,
    by_role,
    compute_axis,
    described,
    end_names,
    hues,
    key,
    label,
    log_axis,
    params_axis,
    readout,
    rounded,
    rows,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.laws import ChinchillaLaw

# Contrast of 4 to 1 against white and near-black; the corpus compared with is grey.
RED, TEAL, LILAC = "#c8553d", "#0f8b8d", "#7f6bd6"
COLOURS: Mapping[str, str] = {
    "DCLM": RUNS.colour,
    "Comma": "#c2488f",
    "Nemotron": TEAL,
    "C4": RUNS.colour,
    "RedPajama": RED,
    "RefinedWeb": LILAC,
    "Dolma": OCHRE,
    "DCLM-baseline": TEAL,
}
HARD = Role("hard half", RED)
EASY = Role("easy half", TEAL, (7, 3))

ORIGINAL = Role("original data", RUNS.colour)
CHOSEN = Role("data of worth Q", OURS.colour)
PERFECT = Role("perfect data", RED, BEYOND)
MEASURED = Role("measured", QUIET)

READOUT: tuple[Column, ...] = (
    ("label", "", 0.01, "left"),
    ("read_N", "N", 0.52, "right"),
    ("read_D", "D", 0.7, "right"),
    ("read_loss", "loss", 0.86, "right"),
    ("read_cost", "cost", 1.0, "right"),
)
"""Columns of the table inside the slider chart."""


def _corpora(names: Iterable[str], *, legend: bool = True) -> alt.Color:
    shown = key(symbolType="circle", symbolOpacity=1, columns=2) if legend else None
    return hues("corpus:N", {name: COLOURS[name] for name in names}, legend=shown)


def best_losses(minima: pd.DataFrame) -> Any:
    """Best loss of each corpus against compute, with the distance to the reference in compute.

    Columns corpus, budget (FLOP), loss, multiplier, extrapolated, from `compute_multipliers`.
    """
    names = list(dict.fromkeys(minima.corpus))
    compute = compute_axis((7e18, 2.2e20))
    x = alt.X("budget:Q", **compute)
    y = alt.Y("loss:Q", **axis("Best loss of the budget (nats per token)", (3.05, 3.75)))
    colour = _corpora(names, legend=False)
    base = alt.Chart(rounded(minima)).encode(x=x, y=y, color=colour)
    points = base.mark_circle(style="dot", size=60).encode(
        tooltip=tooltips("corpus:N", ("budget:Q", ".2~e", "FLOP"), ("loss:Q", ".4f"),
                         ("multiplier:Q", ".2f"))
    )  # fmt: skip
    ends = base.transform_filter(f"datum.budget > {0.99 * minima.budget.max()}").mark_text(
        style="bold", align="left", dx=8
    )
    away = minima[~minima.extrapolated & ((minima.multiplier - 1).abs() > 0.4)]
    reach = rounded(away.assign(equal=away.budget * away.multiplier))
    arrows = alt.Chart(reach).encode(y=y, color=colour)
    rules = arrows.mark_rule(strokeDash=[2, 3], strokeWidth=1.5).encode(x=x, x2="equal:Q")
    heads = arrows.mark_point(style="dot", shape="triangle-left", size=55).encode(
        x=alt.X("equal:Q", **compute)
    )
    factors = (
        arrows.transform_calculate(
            middle="sqrt(datum.budget * datum.equal)",
            read="'× ' + format(datum.multiplier, '.2f')",
        )
        .mark_text(style="note", dy=-9)
        .encode(x=alt.X("middle:Q", **compute), text="read:N")
    )
    told = "; ".join(
        f"{name} from {own.loss.max():.2f} to {own.loss.min():.2f}"
        for name, own in minima.groupby("corpus", sort=False)
    )
    return described(
        rules + heads + factors + base.mark_line() + points + ends.encode(text="corpus:N"),
        f"Lines of the best loss at each of {minima.budget.nunique()} budgets for "
        f"{len(names)} corpora: {told}. Dotted arrows lead from a corpus to the smaller budget at "
        "which the reference reaches the same loss.",
    )


def gap_trend(measured: pd.DataFrame, predicted: pd.DataFrame) -> Any:
    """Measured differences between two corpora along the budget, and what each form expects.

    Columns of `measured`: budget (FLOP), gap (nats), low, high; of `predicted`: form, budget, gap.
    """
    x = alt.X("budget:Q", **compute_axis((7e18, 4e20)))
    vertical = axis("Comma less DCLM (nats per token)", (0.11, 0.19))
    y = alt.Y("gap:Q", **vertical)
    looks = (
        Role("", OURS.colour), Role("", OCHRE, (8, 3)), Role("", RED, (6, 4)),
        Role("", LILAC, (2, 3)),
    )  # fmt: skip
    forms = dict(zip(dict.fromkeys(predicted.form), looks, strict=False))
    colour, dash = by_role("form:N", forms)
    lines = alt.Chart(rounded(predicted)).encode(x=x, y=y, color=colour)
    names = (
        lines.transform_filter(f"datum.budget > {0.99 * predicted.budget.max()}")
        .mark_text(style="bold", align="left", dx=8)
        .encode(text="form:N")
    )
    data = alt.Chart(rounded(measured)).encode(x=x)
    bars = data.mark_rule(strokeWidth=2, color=RUNS.colour).encode(
        y=alt.Y("low:Q", scale=vertical["scale"]), y2="high:Q"
    )
    points = data.mark_circle(style="dot", color=RUNS.colour).encode(
        y=y, tooltip=tooltips(("budget:Q", ".2~e"), ("gap:Q", ".3f"))
    )
    last = data.transform_filter(f"datum.budget > {0.99 * measured.budget.max()}")
    word = last.mark_text(style="bold", dy=-10, color=RUNS.colour).encode(
        y=alt.Y("high:Q", scale=vertical["scale"]), text=alt.value("measured")
    )
    ends = predicted[predicted.budget == predicted.budget.max()]
    told = "; ".join(f"{one.form} {one.gap:.3f}" for one in ends.itertuples())
    return described(
        lines.mark_line().encode(strokeDash=dash) + names + bars + points + word,
        f"Points with error bars of the paired loss difference at {len(measured)} budgets, rising "
        f"from {measured.gap.iloc[0]:.3f} to {measured.gap.iloc[-1]:.3f} nats, and the course "
        f"expected by {len(forms)} forms; at the largest budget they expect: {told}.",
    )


def rival_forms(errors: pd.DataFrame) -> Any:
    """Scatter of the runs about each form, in sample and one budget ahead.

    Columns form, sample ("all runs" or "held-out budget"), rms (percent).
    """
    order = list(dict.fromkeys(errors.form))
    first, second = dict.fromkeys(errors["sample"])
    looks = {first: OURS.colour, second: RED}
    x = alt.X("rms:Q", **log_axis("Scatter of the losses (rms, %)", (0.25, 5.5),
                                  values=[0.5, 1, 2, 3]))  # fmt: skip
    base = alt.Chart(rounded(errors)).encode(x=x, y=rows("form:N", order, labels=170))
    joined = base.mark_line(style="quiet", strokeWidth=1.5).encode(detail="form:N")
    points = base.mark_point(style="dot", size=95, opacity=1).encode(
        color=hues("sample:N", looks, legend=key(symbolType="circle")),
        shape=shapes("sample:N", looks, ("circle", "diamond"), legend=alt.Undefined),
    )
    written = base.encode(color=hues("sample:N", looks), text=alt.Text("rms:Q", format=".2f"))
    # The smaller of the two values of a row stands to the left of its point.
    left = written.transform_filter(f"datum.sample == '{first}'").mark_text(
        style="note", align="right", dx=-9
    )
    right = written.transform_filter(f"datum.sample == '{second}'").mark_text(
        style="note", align="left", dx=9
    )
    told = "; ".join(
        f"{form} " + " and ".join(f"{one.rms:.2f}" for one in own.itertuples())
        for form, own in errors.groupby("form", sort=False)
    )
    return described(
        joined + points + left + right,
        f"Dot plot of the relative scatter of losses about {len(order)} forms of the law, in "
        f"percent, for {first} and {second}: {told}.",
    )


def by_evaluation(multipliers: pd.DataFrame) -> Any:
    """Multipliers of two corpora under every evaluation, on one logarithmic axis.

    Columns evaluation, corpus, Q; in the order of the rows.
    """
    order = list(dict.fromkeys(multipliers.evaluation))
    names = list(dict.fromkeys(multipliers.corpus))
    x = alt.X("Q:Q", **log_axis("Worth of a token, C4 = 1", (0.3, 9000), label="plain"))
    base = alt.Chart(rounded(multipliers)).encode(x=x, y=rows("evaluation:N", order, labels=150))
    joined = base.mark_line(style="quiet", strokeWidth=1, opacity=0.6).encode(
        detail="evaluation:N"
    )  # fmt: skip
    points = base.mark_circle(style="dot", size=95, opacity=1).encode(
        color=_corpora(names), tooltip=tooltips("evaluation:N", "corpus:N", ("Q:Q", ".3~g"))
    )
    one = at(Q=1.0, word="C4").encode(x=x)
    word = one.mark_text(style="word", align="left", dx=4).encode(y=alt.value(6), text="word:N")
    wide = multipliers.loc[multipliers.Q.idxmax()]
    least = multipliers.loc[multipliers.Q.idxmin()]
    return described(
        one.mark_rule(style="end") + word + joined + points,
        f"Dot plot of the worth of a token against C4 for {' and '.join(names)} under "
        f"{len(order)} evaluations on a logarithmic axis: from {least.Q:.2g} for {least.corpus} "
        f"on {least.evaluation} to {wide.Q:.2g} for {wide.corpus} on {wide.evaluation}.",
        height=HEIGHT + 60,
    )


def benchmark_multipliers(table: pd.DataFrame) -> Any:
    """Compute multipliers of several corpora on several benchmarks, with their errors.

    Columns metric, corpus, multiplier, low, high.
    """
    metrics = list(dict.fromkeys(table.metric))
    names = list(dict.fromkeys(table.corpus))
    horizontal = log_axis(
        "Compute multiplier, C4 = 1", (0.2, 20), values=[0.2, 0.5, 1, 2, 5, 10, 20], format="~r"
    )
    x = alt.X("multiplier:Q", **horizontal)
    base = alt.Chart(rounded(table)).encode(
        y=rows("metric:N", metrics, labels=130),
        yOffset=alt.YOffset("corpus:N", sort=names, scale=alt.Scale(paddingOuter=0.6)),
        color=_corpora(names),
    )
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.5).encode(
        x=alt.X("low:Q", scale=horizontal["scale"]), x2="high:Q"
    )
    points = base.mark_circle(style="dot", opacity=1, size=80).encode(
        x=x, tooltip=tooltips("metric:N", "corpus:N", ("multiplier:Q", ".2f"))
    )
    told = "; ".join(
        f"{metric} " + ", ".join(f"{one.corpus} {one.multiplier:.2g}" for one in own.itertuples())
        for metric, own in table.groupby("metric", sort=False)
    )
    return described(
        at(multiplier=1.0).mark_rule(style="end").encode(x=x) + bars + points,
        f"Dot plot with error bars of compute multipliers against C4 on {len(metrics)} benchmarks "
        f"for {len(names)} corpora: {told}.",
    )


def quality_slider(
    law: ChinchillaLaw, measured: Mapping[str, float], *, budget: float, start: float
) -> Any:
    """One budget, two qualities of data: the valley, its lowest point, and the floor beneath.

    `law` is that of the original corpus; the multipliers in `measured` are read out by name below
    the chosen one. The sliders ``log_C`` and ``Q`` start at `budget` (FLOP) and at `start`.
    """
    x = alt.X("N:Q", **params_axis((1e8, 1e13)))
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("loss:Q", **axis("Loss (nats per token)", (1.75, 3.3),
                               values=[1.8, 2.0, 2.2, 2.4, 2.6]))  # fmt: skip
    kinds = {role.name: role for role in (ORIGINAL, CHOSEN, PERFECT, MEASURED)}
    colour, dash = by_role("kind:N", kinds)
    curves = (
        _valleys(law)
        .transform_filter("datum.loss < 2.7")
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    here = _best_sizes(law, measured).encode(color=colour)
    dots = (
        here.transform_filter(f"datum.kind != '{MEASURED.name}'")
        .mark_point(style="diamond", size=130)
        .encode(x=x, y=y)
    )
    word = (
        at(digits=5, kind=PERFECT.name, N=9e12, loss=float(law.loss(9e12, np.inf)))
        .mark_text(style="note", align="right", dy=13)
        .encode(x=x, y=y, color=colour, text=alt.value("perfect data: the floor"))
    )
    return described(
        alt.layer(word, curves, dots, *readout(here, READOUT)).add_params(
            slider("Q", start, (0.2, 20, 0.1), "Worth of a token, Q"),
            budget_slider(budget, low=20, high=25, step=0.05),
        ),
        "Loss against model size at one budget: a valley for the original data, a deeper one for "
        "data of which each token is worth Q, and the floor that perfect data would leave. Sliders "
        "set Q and the budget; a table inside the chart reads out best size, tokens, loss and the "
        f"cost of an equal loss, also for the measured multipliers of {', '.join(measured)}.",
        height=HEIGHT + 110,
    )


def _valleys(law: ChinchillaLaw) -> alt.Chart:
    """Loss along the budget of the slider, one curve for each kind of data."""
    kinds = (ORIGINAL.name, CHOSEN.name, PERFECT.name)
    sizes = np.geomspace(1e8, 1e13, 61)
    frame = pd.concat([pd.DataFrame({"kind": kind, "N": sizes}) for kind in kinds])
    worth = f"(datum.kind == '{ORIGINAL.name}' ? 1 : Q)"
    return alt.Chart(rounded(frame)).transform_calculate(
        loss=f"{law.E!r} + {law.A!r} * pow(datum.N, -{law.alpha!r})"
        f" + (datum.kind == '{PERFECT.name}' ? 0 : {law.B!r}"
        f" * pow({worth} * pow(10, log_C) / 6 / datum.N, -{law.beta!r}))"
    )


def _best_sizes(law: ChinchillaLaw, measured: Mapping[str, float]) -> alt.Chart:
    """The lowest point of each valley and what it buys, a row of the read-out each."""
    lines = [
        ("original, 1", ORIGINAL.name, 1.0),
        ("", CHOSEN.name, -1.0),
        *((f"{name}, {Q:.2g}", MEASURED.name, Q) for name, Q in measured.items()),
    ]
    table = pd.DataFrame(lines, columns=["name", "kind", "fixed"])
    table["row"] = [30 + 18 * row for row in range(len(table))]
    return alt.Chart(rounded(table)).transform_calculate(
        worth="datum.fixed > 0 ? datum.fixed : Q",
        label="datum.fixed > 0 ? datum.name : 'your Q, ' + format(Q, '.2~f')",
        N=f"{law.G!r} * pow(datum.worth * pow(10, log_C) / 6, {law.a!r})",
        D="pow(10, log_C) / 6 / datum.N",
        loss=f"{law.E!r} + {law.A!r} * pow(datum.N, -{law.alpha!r})"
        f" + {law.B!r} * pow(datum.worth * datum.D, -{law.beta!r})",
        read_N=size_label("datum.N"),
        read_D=size_label("datum.D"),
        read_loss="format(datum.loss, '.3f')",
        read_cost="format(1 / datum.worth, '.2f')",
    )


def pruned_curves(curves: pd.DataFrame, points: pd.DataFrame, labels: pd.DataFrame) -> Any:
    """Error against the examples kept: all of a growing pool, or the hard ones of a given pool.

    Columns of `curves`: curve, kept (per dimension), error, pruned (bool); of `points`, simulated
    students: kept, error, low, high; of `labels`: label, kept, error, pruned, align ("left" or
    "right").
    """
    x = alt.X("kept:Q", **log_axis("Examples kept per dimension", (0.5, 1500), label="plain"))
    vertical = log_axis("Share of new examples wrong", (2e-4, 0.7), label="plain")
    y = alt.Y("error:Q", **vertical)
    looks: Any = {False: OURS, True: Role("pruned", RED, (7, 3))}
    colour, dash = by_role("pruned:N", looks)
    lines = (
        alt.Chart(rounded(curves))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, detail="curve:N", strokeDash=dash)
    )
    simulated = alt.Chart(rounded(points)).encode(x=x)
    bars = simulated.mark_rule(strokeWidth=2, color=RUNS.colour).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = simulated.mark_circle(style="dot", size=60, color=RUNS.colour).encode(y=y)
    # Names of pools stand below the end of their curve, that of the power law above its own.
    names = alt.Chart(rounded(labels)).encode(x=x, y=y, color=colour, text="label:N")
    above = names.transform_filter("datum.align == 'left'").mark_text(
        style="bold", align="left", dy=-9
    )
    below = names.transform_filter("datum.align == 'right'").mark_text(
        style="bold", align="right", dy=14
    )
    told = "; ".join(
        f"{name} from {own.error.iloc[0]:.2g} to {own.error.iloc[-1]:.2g}"
        for name, own in curves.groupby("curve", sort=False)
    )
    return described(
        lines + bars + dots + above + below,
        "Error of a perceptron against examples kept per dimension on logarithmic axes. A straight "
        "line falls for pools that are kept whole; dashed lines for pools of which only the "
        f"hardest are kept drop to the error of their pool at once. {told}. "
        f"{len(points)} simulated students lie on the lines.",
    )


def hard_or_easy(curves: pd.DataFrame, *, switch: float) -> Any:
    """Error after keeping half of the examples, relative to keeping all, along the pool.

    Columns keep ("hard half" or "easy half"), alpha (examples per dimension), ratio; the two cross
    at `switch`.
    """
    x = alt.X("alpha:Q", **log_axis("Examples per dimension in the pool", (0.3, 60), label="plain"))
    y = alt.Y("ratio:Q", **axis("Error over that of keeping all", (0.8, 1.8)))
    colour, dash = by_role("keep:N", {role.name: role for role in (HARD, EASY)})
    base = alt.Chart(rounded(curves)).encode(x=x, y=y, color=colour)
    lines = base.mark_line(clip=True).encode(strokeDash=dash)
    ordered = curves.sort_values("alpha", kind="stable")
    inside = ordered.assign(ratio=ordered.ratio.clip(upper=1.75))
    names = end_names(inside, "keep", x, y, color=colour, align="right", dx=0, dy=-10)
    crossing = at(digits=5, alpha=switch, ratio=1.0)
    rule = crossing.mark_rule(style="end").encode(x=x)
    read = (
        crossing.transform_calculate(read="'switch at ' + format(datum.alpha, '.2f')")
        .mark_text(style="word", align="right", dx=-5)
        .encode(x=x, y=alt.value(12), text="read:N")
    )
    level = crossing.mark_rule(style="quiet", opacity=0.6).encode(y=y)
    return described(
        rule + read + level + lines + names,
        "Error after keeping the harder or the easier half of the examples, over the error with "
        f"all of them, against the size of the pool. Below {switch:.2f} examples per dimension the "
        "easier half is the better choice, above it the harder half.",
    )


def decisions(shares: pd.DataFrame) -> Any:
    """How often small models rank two corpora as the largest does, against their size.

    Columns target (two names), params, share, low, high (one standard error).
    """
    names = list(dict.fromkeys(shares.target))
    looks = dict(zip(names, (OURS.colour, RED), strict=True))
    x = alt.X("params:Q", **params_axis((3e6, 2e9)))
    vertical = axis("Pairs ranked alike", (0.3, 1), format="%")
    y = alt.Y("share:Q", **vertical)
    colour = hues("target:N", looks, legend=key(symbolType="circle", columns=1, labelLimit=300))
    base = alt.Chart(rounded(shares)).encode(x=x, color=colour)
    bars = base.transform_filter(f"datum.target == '{names[0]}'").mark_rule(opacity=0.5).encode(
        y=alt.Y("low:Q", scale=vertical["scale"]), y2="high:Q"
    )  # fmt: skip
    points = base.mark_circle(style="dot").encode(
        y=y, tooltip=tooltips("target:N", ("params:Q", ".3s"), ("share:Q", ".1%"))
    )
    chance = at(share=0.5).mark_rule(style="quiet").encode(y=y)
    word = label("chance", x, y, (1.9e9, 0.515), style="word", align="right")
    told = "; ".join(
        f"{name} from {own.share.iloc[0]:.2f} to {own.share.iloc[-1]:.2f}"
        for name, own in shares.groupby("target", sort=False)
    )
    return described(
        chance + word + bars + base.mark_line().encode(y=y) + points,
        "Lines of the share of pairs of corpora that models of a size rank as the largest models "
        f"do, from 4 to 750 million parameters, with standard errors: {told}. Chance is one half.",
    )


def ladders(means: pd.DataFrame, seeds: pd.DataFrame) -> Any:
    """The value of every corpus along the sizes; those whose seeds scatter stand out.

    Columns of `means`: corpus, params, value, group (two names, the calm one first); of `seeds`,
    the single runs of the second group: params, value, group.
    """
    names = list(dict.fromkeys(means.group))
    looks = dict(zip(names, (RUNS.colour, RED), strict=True))
    x = alt.X("params:Q", **params_axis((3e6, 2e9)))
    y = alt.Y("value:Q", **log_axis("-ln p of the right answer, per character", (0.5, 1.5),
                                    values=[0.5, 0.7, 1, 1.4], label="plain"))  # fmt: skip
    colour = hues("group:N", looks, legend=key(symbolType="stroke", columns=1, labelLimit=300))
    lines = (
        alt.Chart(rounded(means))
        .mark_line(strokeWidth=1.3, opacity=0.7)
        .encode(x=x, y=y, color=colour, detail="corpus:N", tooltip=tooltips("corpus:N"))
    )
    points = alt.Chart(rounded(seeds)).mark_circle(size=14, opacity=0.7)
    last = means[means.params == means.params.max()].groupby("group", sort=False).value
    told = "; ".join(f"{name} {own.min():.2f} to {own.max():.2f}" for name, own in last)
    return described(
        lines + points.encode(x=x, y=y, color=colour),
        f"Lines of the value of {means.corpus.nunique()} corpora against model size, falling "
        "together up to 20 million parameters. Beyond, one group goes on falling and the other "
        f"fans out and partly turns up, its single seeds far apart. At the largest size: {told}.",
    )
