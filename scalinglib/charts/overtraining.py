"""Charts of the chapter on over-training: lifetime compute, over-trained runs, rounded weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.allocation import budget_for_params
from scalinglib.laws import ChinchillaLaw
from scalinglib.lifetime import FLOPS_PER_SERVED_TOKEN
from scalinglib.optimum import compute_optimal
from scalinglib.overtraining import OvertrainingFit
from scalinglib.precision import PrecisionLaw

from .base import (
    EPOCH,
    HEIGHT,
    HOFFMANN,
    OURS,
    QUIET,
    RUNS,
    Role,
    by_role,
    described,
    log_axis,
    readout,
    rounded,
    size_label,
)

TARGET = "#c2417c"
"""Runs that a fit never saw and has to predict."""

STEP, STEPS = 0.005, 2400
"""Grid in the logit of the size term's share on which the page looks for the best model."""


def size_word(N: float) -> str:
    """Parameters in words: 11M, 1.4B, 70B."""
    if N < 1e9:
        return f"{N / 1e6:.0f}M"
    return f"{N / 1e9:.0f}B" if N >= 1e10 else f"{N / 1e9:.2g}B"


def lifetime_cost(laws: Mapping[str, ChinchillaLaw], *, size: float, served: float) -> Any:
    """Lifetime compute against model size at equal loss, for a chosen quality and demand.

    Parameters
    ----------
    laws : mapping of str to ChinchillaLaw
        The choices; the first is shown at the start.
    size : float
        Quality at the start, as the parameters of the compute-optimal model, in billions.
    served : float
        Tokens served at the start, in trillions.

    Returns
    -------
    altair.LayerChart
        Its parameters are ``size``, ``served`` and ``law``.
    """
    names = list(laws)
    inputs = [
        alt.param(
            name="size", value=size,
            bind=alt.binding_range(min=1, max=100, step=1, name="Quality, optimal size (B) "),
        ),
        alt.param(
            name="served", value=served,
            bind=alt.binding_range(min=0, max=20, step=0.1, name="Tokens served (T) "),
        ),
        alt.param(
            name="law", value=names[0], bind=alt.binding_select(options=names, name="Law ")
        ),
    ]  # fmt: skip
    table = pd.DataFrame([{"name": name, **_constants(law)} for name, law in laws.items()])
    x = alt.X(
        "share:Q",
        title="Model size, over the compute-optimal size",
        scale=alt.Scale(type="log", domain=[0.08, 2.2], nice=False),
        axis=alt.Axis(values=[0.1, 0.2, 0.3, 0.5, 1, 2], format="~r"),
    )
    # The upper part of the plot is left free for the read-out.
    y = alt.Y(
        "cost:Q",
        title="Compute over a lifetime, optimal model = 1",
        scale=alt.Scale(domain=[0, 2.3], nice=False),
        axis=alt.Axis(values=[0, 0.5, 1, 1.5]),
    )
    quality = (
        alt.Chart(table)
        .transform_filter("datum.name === law")
        .transform_calculate(N0="1e9 * size", served="1e12 * served")
        .transform_calculate(D0="pow(datum.N0 / datum.G, 1 / datum.a) / datum.N0")
        .transform_calculate(
            above="datum.A * pow(datum.N0, -datum.alpha) + datum.B * pow(datum.D0, -datum.beta)",
            start="log(datum.beta / datum.alpha)",
            whole=f"datum.N0 * (6 * datum.D0 + {FLOPS_PER_SERVED_TOKEN} * datum.served)",
        )
        .transform_calculate(least="pow(datum.B / datum.above, 1 / datum.beta)")
    )
    point = {
        "N": "pow(datum.A / datum.above * (1 + exp(-datum.z)), 1 / datum.alpha)",
        "D": "datum.least * pow(1 + exp(datum.z), 1 / datum.beta)",
    }
    costs = {
        "share": "datum.N / datum.N0",
        "training": "6 * datum.N * datum.D / datum.whole",
        "serving": f"{FLOPS_PER_SERVED_TOKEN} * datum.N * datum.served / datum.whole",
    }
    looks = {"total": OURS, "training": HOFFMANN, "serving": EPOCH}
    order: list[Any] = list(looks)
    curves = (
        quality.transform_calculate(step="sequence(-2.5, 9.01, 0.05)")
        .transform_flatten(["step"])
        .transform_calculate(z="datum.start + datum.step")
        .transform_calculate(**point)
        .transform_calculate(**costs)
        .transform_calculate(**{order[0]: "datum.training + datum.serving"})
        .transform_fold(order, as_=["part", "cost"])
        .transform_filter("datum.cost <= 1.75 && datum.share <= 2.2")
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x, y=y, detail="part:N",
            color=alt.Color(
                "part:N",
                scale=alt.Scale(domain=order, range=[r.colour for r in looks.values()]),
                legend=alt.Legend(title=None, symbolType="stroke", symbolSize=400, columns=3),
            ),
            strokeDash=alt.StrokeDash(
                "part:N",
                scale=alt.Scale(domain=order, range=[list(r.dash) for r in looks.values()]),
                legend=alt.Legend(title=None, columns=3),
            ),
            order="step:Q",
        )
    )  # fmt: skip
    weight = "log(datum.served / (3 * datum.least)) - log(1 + exp(datum.z)) / datum.beta"
    gap = "datum.z - datum.start - log(1 + exp(datum.weight))"
    # The nearest point of a fine grid, and one Newton step from it.
    best = (
        quality.transform_calculate(step=f"sequence(0, {STEPS})")
        .transform_flatten(["step"])
        .transform_calculate(z=f"datum.start + {STEP} * datum.step")
        .transform_calculate(weight=weight)
        .transform_calculate(gap=gap)
        .transform_calculate(off="abs(datum.gap)")
        .transform_joinaggregate(nearest="min(off)")
        .transform_filter("datum.off === datum.nearest")
        .transform_calculate(
            z="datum.z - datum.gap / (1 + 1 / datum.beta"
            " / (1 + exp(-datum.weight)) / (1 + exp(-datum.z)))"
        )
        .transform_calculate(**point)
        .transform_calculate(**costs)
        .transform_calculate(
            cost="datum.training + datum.serving", row="50", model="'best for its life'"
        )
    )
    plain = quality.transform_calculate(
        N="datum.N0", D="datum.D0", cost="1", share="1", row="30", model="'compute-optimal'"
    )
    marks = []
    for here, shape, colour in ((plain, "diamond", QUIET), (best, "circle", OURS.colour)):
        told = here.transform_calculate(
            read_N=size_label("datum.N"),
            read_D=size_label("datum.D"),
            read_ratio="format(datum.D / datum.N, ',.0f')",
            read_cost="format(100 * datum.cost, '.1f') + ' %'",
        )
        marks.append(
            told.mark_point(shape=shape, filled=True, size=120, opacity=1, color=colour).encode(
                x=x, y=y
            )
        )
        columns: list[tuple[str, str, float, Any]] = [
            ("model", "", 0.01, "left"), ("read_N", "N", 0.47, "right"),
            ("read_D", "D", 0.64, "right"), ("read_ratio", "D/N", 0.78, "right"),
            ("read_cost", "cost", 1.0, "right"),
        ]  # fmt: skip
        heads = columns if here is plain else [(f, "", at, end) for f, _, at, end in columns]
        marks += readout(told, heads)
    return described(
        alt.layer(curves, *marks).add_params(*inputs),
        "Line chart of compute against model size along a curve of equal loss: training, serving, "
        "and both together, as shares of what the compute-optimal model costs over its life. "
        "Sliders set the quality and the tokens served, a menu the law. A table inside the chart "
        "reads out parameters, tokens, tokens per parameter and cost of the compute-optimal model "
        "and of the one that costs least.",
    ).properties(height=HEIGHT + 60)


def _constants(law: ChinchillaLaw) -> dict[str, float]:
    names = ("A", "B", "alpha", "beta", "G", "a")
    return {name: float(getattr(law, name)) for name in names}


def over_trained_runs(
    runs: pd.DataFrame, fits: Mapping[str, OvertrainingFit], targets: pd.DataFrame
) -> Any:
    """Loss against tokens per parameter, with the curves of a law fitted to five runs.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns corpus, params, tokens_per_param, loss and fitted (whether the fit saw the run).
    fits : mapping of str to OvertrainingFit
        By corpus; the first is shown at the start.
    targets : pandas.DataFrame
        Columns corpus, params, tokens_per_param, loss, error (predicted / observed - 1).

    Returns
    -------
    altair.LayerChart
        Its parameter ``corpus`` is the menu.
    """
    names = list(fits)
    switch = alt.param(
        name="corpus", value=names[0], bind=alt.binding_select(options=names, name="Corpus ")
    )
    x = alt.X(
        "tokens_per_param:Q",
        title="Training tokens per parameter, D/N",
        scale=alt.Scale(type="log", domain=[4, 2200], nice=False),
        axis=alt.Axis(values=[5, 20, 80, 320]),
    )
    y = alt.Y(
        "loss:Q",
        title="Loss on C4 (nats per token)",
        scale=alt.Scale(type="log", domain=[1.98, 7.5], nice=False),
        axis=alt.Axis(values=[2.5, 3, 4, 5, 6, 7], format="~r"),
    )
    ratio = np.geomspace(4.5, 700, 40)
    sizes = sorted(runs.params.unique())
    drawn = pd.concat(
        [
            pd.DataFrame({"corpus": name, "size": size_word(N), "tokens_per_param": ratio,
                          "loss": fit.predict(N, N * ratio)})
            for name, fit in fits.items()
            for N in sizes if N in set(runs[runs.corpus == name].params)
        ]
    )  # fmt: skip
    shown = "datum.corpus === corpus"
    lines = (
        alt.Chart(rounded(drawn))
        .transform_filter(shown)
        .mark_line(strokeWidth=1.6, color=OURS.colour, strokeDash=[4, 3])
        .encode(x=x, y=y, detail="size:N")
    )
    ends = rounded(drawn.groupby(["corpus", "size"], sort=False).tail(1))
    words = (
        alt.Chart(ends)
        .transform_filter(shown)
        .mark_text(align="left", dx=6, color=OURS.colour, fontWeight="bold", fontSize=11)
        .encode(x=x, y=y, text="size:N")
    )
    held = runs.merge(targets[["corpus", "params", "tokens_per_param"]], how="left", indicator=True)
    kinds = {"run": RUNS.colour, "one of the five fitted": OURS.colour, "predicted": TARGET}
    kind = np.where(held._merge == "both", "predicted", np.where(held.fitted, *list(kinds)[1::-1]))
    columns = ["corpus", "params", "tokens_per_param", "loss", "kind"]
    data = rounded(held.assign(kind=kind)[columns])
    points = (
        alt.Chart(data)
        .transform_filter(shown)
        .mark_point(filled=True, opacity=1, size=70)
        .encode(
            x=x, y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=list(kinds), range=list(kinds.values())),
                legend=alt.Legend(title=None, columns=3),
            ),
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=list(kinds), range=["circle", "square", "diamond"]),
                legend=alt.Legend(title=None, columns=3),
            ),
            tooltip=[alt.Tooltip("params:Q", format=".3s", title="parameters"),
                     alt.Tooltip("tokens_per_param:Q", title="tokens per parameter"),
                     alt.Tooltip("loss:Q", format=".4", title="loss")],
        )
    )  # fmt: skip
    missed = rounded(targets.assign(read=[f"{100 * e:+.2f} %" for e in targets.error]))
    errors = (
        alt.Chart(missed)
        .transform_filter(shown)
        .mark_text(dy=13, color=TARGET, fontSize=11, fontWeight="bold")
        .encode(x=x, y=y, text="read:N")
    )
    told = "; ".join(
        f"{one.corpus} {size_word(one.params)} at {one.tokens_per_param:g}: {percent} %"
        for one, percent in zip(
            targets.itertuples(), [f"{100 * e:+.2f}" for e in targets.error], strict=True
        )
    )
    return described(
        alt.layer(lines, points, words, errors).add_params(switch),
        "Loss against tokens per parameter, one curve for each model size, from the fit of five "
        f"runs; {len(runs)} runs on {len(names)} corpora, chosen by a menu. Predictions that the "
        f"fit did not see miss by: {told}.",
    ).properties(height=HEIGHT + 60)


def overspend(models: pd.DataFrame, laws: Mapping[str, Role]) -> Any:
    """Training compute of released models, over what their loss needs at the optimum.

    Parameters
    ----------
    models : pandas.DataFrame
        Columns model, ratio, law, waste, with the rows of a model together.
    laws : mapping of str to Role
        The laws in the column, and their looks.

    Returns
    -------
    altair.LayerChart
    """
    words = [f"{m}, {r:,.0f}" for m, r in zip(models.model, models.ratio, strict=True)]
    data = rounded(models.assign(row=words).reset_index(drop=True))
    order = list(dict.fromkeys(data.row))
    names = list(laws)
    scale = alt.Scale(type="log", domain=[0.93, 7.5], nice=False)
    x = alt.X(
        "waste:Q",
        title="Compute, times the least needed",
        scale=scale,
        axis=alt.Axis(values=[1, 1.5, 2, 3, 5], format="~r"),
    )
    y = alt.Y("row:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, ticks=False))
    colour = alt.Color(
        "law:N",
        scale=alt.Scale(domain=names, range=[role.colour for role in laws.values()]),
        legend=alt.Legend(title=None),
    )
    shape = alt.Shape(
        "law:N", scale=alt.Scale(domain=names, range=["circle", "diamond"][: len(names)]),
        legend=alt.Legend(title=None),
    )  # fmt: skip
    spans = data.groupby("row", sort=False).waste.agg(["min", "max"]).reset_index()
    bars = (
        alt.Chart(spans)
        .mark_rule(color=QUIET, strokeWidth=1.2)
        .encode(x=alt.X("min:Q", scale=scale), x2="max:Q", y=y)
    )
    dots = (
        alt.Chart(data)
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=x, y=y, color=colour, shape=shape)
    )
    ends = data.loc[data.groupby("row", sort=False).waste.idxmax()]
    reads = (
        alt.Chart(ends)
        .mark_text(align="left", dx=8, fontSize=11, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text=alt.Text("waste:Q", format=".2f"))
    )
    told = "; ".join(
        f"{model} " + ", ".join(f"{one.waste:.2f} under {one.law}" for one in rows.itertuples())
        for model, rows in data.groupby("model", sort=False)
    )
    return described(
        bars + dots + reads,
        f"Dot plot of training compute over the least compute for the same loss, for {len(order)} "
        f"released models in the order of their tokens per parameter. {told}.",
    ).properties(height=38 * len(order))


def no_saturation(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, N: float, D: float, data_end: float
) -> Any:
    """Loss of one model size against training tokens, with the floor it never reaches.

    Parameters
    ----------
    laws : mapping of str to (Role, ChinchillaLaw)
        The laws to draw.
    N : float
        Parameters (count).
    D : float
        Training tokens of a released model of that size, to mark.
    data_end : float
        Most tokens of any run behind the laws; beyond it the lines are extrapolations.

    Returns
    -------
    altair.LayerChart
    """
    tokens = np.geomspace(2e10, 4e14, 61)
    x = alt.X("tokens:Q", **log_axis("Training tokens, D", (2e10, 4e14), label="size"))
    y = alt.Y(
        "loss:Q",
        title="Loss (nats per token)",
        scale=alt.Scale(domain=[1.83, 2.52], zero=False, nice=False),
    )
    colour, dash = by_role("law:N", {name: role for name, (role, _) in laws.items()})
    drawn, floors, marks = [], [], []
    for name, (_, law) in laws.items():
        drawn.append(pd.DataFrame({"law": name, "tokens": tokens, "loss": law.loss(N, tokens)}))
        floors.append({"law": name, "tokens": 2.4e10, "loss": float(law.loss(N, np.inf))})
        best = float(compute_optimal(law, budget_for_params(law, N)).D)
        for word, fed in (("optimal", best), ("released", D)):
            marks.append(
                {"law": name, "word": word, "tokens": fed, "loss": float(law.loss(N, fed))}
            )
    lines = (
        alt.Chart(rounded(pd.concat(drawn)))
        .mark_line(strokeWidth=2.2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    floor = alt.Chart(rounded(pd.DataFrame(floors))).encode(y=y, color=colour)
    rules = floor.mark_rule(strokeWidth=1.2, strokeDash=[2, 3])
    words = (
        floor.transform_calculate(read="'floor, ' + datum.law")
        .mark_text(align="left", dy=-8, fontSize=11)
        .encode(x=x, text="read:N")
    )
    at = alt.Chart(rounded(pd.DataFrame(marks))).encode(x=x, y=y, color=colour)
    dots = at.mark_point(filled=True, size=95, opacity=1).encode(
        shape=alt.Shape(
            "word:N",
            scale=alt.Scale(domain=["optimal", "released"], range=["diamond", "circle"]),
            legend=None,
        )
    )
    told_at = at.transform_calculate(read=size_label("datum.tokens")).encode(text="read:N")
    first = f"datum.law === '{next(iter(laws))}'"
    # The labels of the first law go above its line and those of the others below theirs.
    above = told_at.transform_filter(first).mark_text(
        align="left", dx=8, dy=-8, fontSize=11, fontWeight="bold"
    )
    below = told_at.transform_filter(f"!({first})").mark_text(
        align="right", dx=-6, dy=10, fontSize=11, fontWeight="bold"
    )
    end = alt.Chart(pd.DataFrame({"tokens": [data_end]})).encode(x=x)
    edge = end.mark_rule(color=QUIET, strokeDash=[2, 2])
    edge_word = end.mark_text(color=QUIET, align="left", dx=5, y=8, fontSize=11).encode(
        text=alt.value("runs end here")
    )
    told = "; ".join(f"{f['law']} {f['loss']:.3f}" for f in floors)
    return described(
        alt.layer(edge, edge_word, rules, words, lines, dots, above, below),
        f"Loss of a model of {size_word(N)} parameters against training tokens from 20 to "
        f"400,000 billion under {' and '.join(laws)}. The loss falls all the way and never reaches "
        f"its floor: {told} nats.",
    )


def rounding_penalty(
    law: PrecisionLaw, models: pd.DataFrame, *, bits: float, reach: tuple[float, float]
) -> Any:
    """Loss added by rounding weights, against tokens per parameter, for several sizes.

    Parameters
    ----------
    law : PrecisionLaw
        The law.
    models : pandas.DataFrame
        Columns model, params, tokens: released models to mark.
    bits : float
        Bits a weight keeps.
    reach : tuple of float
        Largest parameters and tokens that the law was fitted to; beyond them lines are dashed.

    Returns
    -------
    altair.LayerChart
    """
    ratio = np.geomspace(1, 3e4, 46)
    x = alt.X(
        "ratio:Q", **log_axis("Training tokens per parameter, D/N", (1, 1.2e5), label="plain")
    )
    y = alt.Y(
        "added:Q",
        title=f"Loss added at {bits:g} bits (nats per token)",
        scale=alt.Scale(type="log", domain=[1.5e-3, 1.2], nice=False),
        axis=alt.Axis(values=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1], format="~r"),
    )
    sizes = (1e9, 8e9, 70e9, 405e9)
    colours = alt.Color(
        "size:N",
        scale=alt.Scale(domain=[size_word(N) for N in sizes],
                        range=["#1f83c4", "#0b9670", "#d2600f", "#b565a7"]),
        legend=None,
    )  # fmt: skip
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "size": size_word(N),
                    "ratio": ratio,
                    "added": law.penalty(N, N * ratio, bits=bits),
                    "inside": (reach[0] >= N) & (N * ratio <= reach[1]),
                }
            )
            for N in sizes
        ]
    )
    base = alt.Chart(rounded(rows)).encode(x=x, y=y, color=colours)
    beyond = base.mark_line(strokeWidth=1.8, strokeDash=[5, 3], clip=True)
    inside = base.transform_filter("datum.inside").mark_line(strokeWidth=3.5)
    ends = rounded(rows[rows.added <= 1].groupby("size", sort=False).tail(1))
    words = (
        alt.Chart(ends)
        .mark_text(align="left", dx=6, fontWeight="bold")
        .encode(x=x, y=y, color=colours, text="size:N")
    )
    known = rounded(
        models.assign(
            ratio=models.tokens / models.params,
            added=law.penalty(models.params, models.tokens, bits=bits),
        )[["model", "ratio", "added"]]
    )
    at = alt.Chart(known).encode(x=x, y=y)
    dots = at.mark_point(filled=True, size=70, opacity=1, color=RUNS.colour)
    left = known.model.isin(["Llama 3 70B", "Llama 3.1 405B", "LLaMA 65B"])
    sides: list[tuple[Any, Any, float, float]] = [
        (left, "right", -8, -3), (~left, "left", 8, 5)
    ]  # fmt: skip
    labels = [
        alt.Chart(known[where]).mark_text(align=side, dx=dx, dy=dy, fontSize=11).encode(
            x=x, y=y, text="model:N"
        )
        for where, side, dx, dy in sides
    ]  # fmt: skip
    told = "; ".join(f"{one.model} {one.added:.3f}" for one in known.itertuples())
    return described(
        alt.layer(beyond, inside, words, dots, *labels),
        f"Loss added by rounding the weights to {bits:g} bits against tokens per parameter, on "
        f"logarithmic axes, one rising line for each of {len(sizes)} sizes; larger models lie "
        f"higher at the same ratio. Marked: {told} nats per token.",
    ).properties(height=HEIGHT + 40)
