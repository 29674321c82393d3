"""Pictures of over-training: lifetime compute, over-trained runs, rounded weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    EPOCH,
    HEIGHT,
    HOFFMANN,
    KAPLAN,
    OURS,
    QUIET,
    RUNS,
    Column,
    Role,
    at,
    axis,
    by_role,
    dashes,
    described,
    end_names,
    hues,
    key,
    log_axis,
    menu,
    point_names,
    readout,
    rounded,
    rows,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.compute import FLOPS_PER_SERVED_TOKEN
from scalinglib.laws import ChinchillaLaw, OvertrainingFit, PrecisionLaw
from scalinglib.optimum import budget_for_params, compute_optimal

TARGET = "#c2417c"
"""Runs that a fit never saw and has to predict."""

STEP, STEPS = 0.005, 2400
"""Grid in the logit of the size term's share on which the page looks for the best model."""

READOUT: tuple[Column, ...] = (
    ("model", "", 0.01, "left"),
    ("read_N", "N", 0.47, "right"),
    ("read_D", "D", 0.64, "right"),
    ("read_ratio", "D/N", 0.78, "right"),
    ("read_cost", "cost", 1.0, "right"),
)
"""Columns of the table inside the picture of lifetime compute."""

# A point of equal loss at the logit z, and what it costs, as shares of the optimal model's cost.
POINT = {
    "N": "pow(datum.A / datum.above * (1 + exp(-datum.z)), 1 / datum.alpha)",
    "D": "datum.least * pow(1 + exp(datum.z), 1 / datum.beta)",
    "share": "datum.N / datum.N0",
    "training": "6 * datum.N * datum.D / datum.whole",
    "serving": f"{FLOPS_PER_SERVED_TOKEN} * datum.N * datum.served / datum.whole",
}


def size_word(N: float) -> str:
    """Parameters in words: 11M, 1.4B, 70B."""
    if N < 1e9:
        return f"{N / 1e6:.0f}M"
    return f"{N / 1e9:.0f}B" if N >= 1e10 else f"{N / 1e9:.2g}B"


def lifetime_cost(laws: Mapping[str, ChinchillaLaw], *, size: float, served: float) -> Any:
    """Lifetime compute against model size at equal loss, for a chosen quality and demand.

    The sliders start at `size`, a quality as the parameters of the compute-optimal model
    (billions), and at `served` tokens (trillions); the menu, ``law``, starts at the first law.
    """
    x = alt.X("share:Q", **log_axis("Model size, over the compute-optimal size", (0.08, 2.2),
                                    values=[0.1, 0.2, 0.3, 0.5, 1, 2], format="~r"))  # fmt: skip
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("cost:Q", **axis("Compute over a lifetime, optimal model = 1", (0, 2.3),
                               values=[0, 0.5, 1, 1.5]))  # fmt: skip
    quality = _quality(laws)
    looks = {"total": OURS, "training": HOFFMANN, "serving": EPOCH}
    stroke = key(symbolType="stroke", symbolSize=400, columns=3)
    curves = (
        quality.transform_calculate(step="sequence(-2.5, 9.01, 0.05)")
        .transform_flatten(["step"])
        .transform_calculate(
            z="datum.start + datum.step", **POINT, total="datum.training + datum.serving"
        )
        .transform_fold(list(looks), as_=["part", "cost"])
        .transform_filter("datum.cost <= 1.75 && datum.share <= 2.2")
        .mark_line(strokeWidth=2.2)
        .encode(
            x=x, y=y, detail="part:N", order="step:Q", color=hues("part:N", looks, legend=stroke),
            strokeDash=dashes("part:N", looks, legend=key(columns=3)),
        )
    )  # fmt: skip
    plain = quality.transform_calculate(
        N="datum.N0", D="datum.D0", cost="1", share="1", row="30", model="'compute-optimal'"
    )
    marks = []
    for here, shape, colour, heads in (
        (plain, "diamond", QUIET, READOUT),
        (_best(quality), "circle", OURS.colour, [(f, "", *place) for f, _, *place in READOUT]),
    ):
        told = here.transform_calculate(
            read_N=size_label("datum.N"), read_D=size_label("datum.D"),
            read_ratio="format(datum.D / datum.N, ',.0f')",
            read_cost="format(100 * datum.cost, '.1f') + ' %'",
        )  # fmt: skip
        point = told.mark_point(style="dot", shape=shape, size=120, color=colour)
        marks += [point.encode(x=x, y=y), *readout(told, heads)]
    return described(
        alt.layer(curves, *marks).add_params(
            slider("size", size, (1, 100, 1), "Quality, optimal size (B)"),
            slider("served", served, (0, 20, 0.1), "Tokens served (T)"),
            menu("law", laws, "Law"),
        ),
        "Line chart of compute against model size along a curve of equal loss: training, serving, "
        "and both together, as shares of what the compute-optimal model costs over its life. "
        "Sliders set the quality and the tokens served, a menu the law. A table inside the chart "
        "reads out parameters, tokens, tokens per parameter and cost of the compute-optimal model "
        "and of the one that costs least.",
        height=HEIGHT + 60,
    )


def _quality(laws: Mapping[str, ChinchillaLaw]) -> alt.Chart:
    """The chosen law, the compute-optimal model of the chosen size, and its cost over its life."""
    constants = ("A", "B", "alpha", "beta", "G", "a")
    table = [
        {"name": name, **{one: getattr(law, one) for one in constants}}
        for name, law in laws.items()
    ]  # fmt: skip
    return (
        alt.Chart(pd.DataFrame(table))
        .transform_filter("datum.name === law")
        .transform_calculate(
            N0="1e9 * size",
            served="1e12 * served",
            D0="pow(datum.N0 / datum.G, 1 / datum.a) / datum.N0",
            above="datum.A * pow(datum.N0, -datum.alpha) + datum.B * pow(datum.D0, -datum.beta)",
            start="log(datum.beta / datum.alpha)",
            whole=f"datum.N0 * (6 * datum.D0 + {FLOPS_PER_SERVED_TOKEN} * datum.served)",
            least="pow(datum.B / datum.above, 1 / datum.beta)",
        )
    )


def _best(quality: alt.Chart) -> alt.Chart:
    """The model that costs least: the nearest point of a fine grid, and one Newton step from it."""
    return (
        quality.transform_calculate(step=f"sequence(0, {STEPS})")
        .transform_flatten(["step"])
        .transform_calculate(
            z=f"datum.start + {STEP} * datum.step",
            weight="log(datum.served / (3 * datum.least)) - log(1 + exp(datum.z)) / datum.beta",
            gap="datum.z - datum.start - log(1 + exp(datum.weight))",
            off="abs(datum.gap)",
        )
        .transform_joinaggregate(nearest="min(off)")
        .transform_filter("datum.off === datum.nearest")
        .transform_calculate(
            z="datum.z - datum.gap / (1 + 1 / datum.beta"
            " / (1 + exp(-datum.weight)) / (1 + exp(-datum.z)))",
            **POINT,
            cost="datum.training + datum.serving",
            row="50",
            model="'best for its life'",
        )
    )


def over_trained_runs(
    runs: pd.DataFrame, fits: Mapping[str, OvertrainingFit], targets: pd.DataFrame
) -> Any:
    """Loss against tokens per parameter, with the curves of a law fitted to five runs.

    Columns corpus, params, tokens_per_param, loss; `runs` also fitted (whether the fit saw the
    run), `targets` also error (predicted / observed - 1). The menu, ``corpus``, starts at the
    first fit.
    """
    x = alt.X("tokens_per_param:Q", **log_axis("Training tokens per parameter, D/N", (4, 2200),
                                               values=[5, 20, 80, 320]))  # fmt: skip
    y = alt.Y("loss:Q", **log_axis("Loss on C4 (nats per token)", (1.98, 7.5),
                                   values=[2.5, 3, 4, 5, 6, 7], format="~r"))  # fmt: skip
    ratio = np.geomspace(4.5, 700, 40)
    drawn = pd.concat(
        [
            pd.DataFrame({"corpus": name, "size": size_word(N), "tokens_per_param": ratio,
                          "loss": fit.predict(N, N * ratio)})
            for name, fit in fits.items()
            for N in sorted(runs.params[runs.corpus == name].unique())
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
    sizes = point_names(ends, "size:N", x, y, color=OURS.colour, style="number", dx=6)
    held = runs.merge(targets[["corpus", "params", "tokens_per_param"]], how="left", indicator=True)
    kinds = {"run": RUNS.colour, "one of the five fitted": OURS.colour, "predicted": TARGET}
    known = [held._merge == "both", held.fitted]
    kind = np.select(known, ["predicted", "one of the five fitted"], "run")
    columns = ["corpus", "params", "tokens_per_param", "loss", "kind"]
    points = (
        alt.Chart(rounded(held.assign(kind=kind)[columns]))
        .transform_filter(shown)
        .mark_point(style="dot", opacity=1, size=70)
        .encode(
            x=x, y=y, color=hues("kind:N", kinds, legend=key(columns=3)),
            shape=shapes("kind:N", kinds, ("circle", "square", "diamond"), legend=alt.Undefined),
            tooltip=tooltips(("params:Q", ".3s", "parameters"),
                             ("tokens_per_param:Q", "", "tokens per parameter"),
                             ("loss:Q", ".4", "loss")),
        )
    )  # fmt: skip
    missed = rounded(targets.assign(read=[f"{100 * one:+.2f} %" for one in targets.error]))
    errors = point_names(missed, "read:N", x, y, color=TARGET, style="number", align="right",
                         dx=6, dy=13)  # fmt: skip
    told = "; ".join(
        f"{one.corpus} {size_word(one.params)} at {one.tokens_per_param:g}: {one.read}"
        for one in missed.itertuples()
    )
    return described(
        alt.layer(
            lines, points, sizes.transform_filter(shown), errors.transform_filter(shown)
        ).add_params(menu("corpus", fits, "Corpus")),
        "Loss against tokens per parameter, one curve for each model size, from the fit of five "
        f"runs; {len(runs)} runs on {len(fits)} corpora, chosen by a menu. Predictions that the "
        f"fit did not see miss by: {told}.",
        height=HEIGHT + 60,
    )  # fmt: skip


def overspend(models: pd.DataFrame, laws: Mapping[str, Role]) -> Any:
    """Training compute of released models, over what their loss needs at the optimum.

    Columns model, ratio (tokens per parameter), law (a key of `laws`), waste, with the rows of a
    model together.
    """
    words = [f"{m}, {r:,.0f}" for m, r in zip(models.model, models.ratio, strict=True)]
    data = rounded(models.assign(row=words).reset_index(drop=True))
    order = list(dict.fromkeys(data.row))
    waste = log_axis("Compute, times the least needed", (0.93, 7.5), values=[1, 1.5, 2, 3, 5],
                     format="~r")  # fmt: skip
    x, y = alt.X("waste:Q", **waste), rows("row:N", order, labels=170)
    colour = hues("law:N", laws, legend=key())
    spans = data.groupby("row", sort=False).waste.agg(["min", "max"]).reset_index()
    bars = (
        alt.Chart(spans)
        .mark_rule(style="quiet", strokeWidth=1.2)
        .encode(x=alt.X("min:Q", scale=waste["scale"]), x2="max:Q", y=y)
    )
    dots = (
        alt.Chart(data)
        .mark_point(style="dot", size=90, opacity=1)
        .encode(
            x=x, y=y, color=colour,
            shape=shapes("law:N", laws, ("circle", "diamond"), legend=alt.Undefined),
        )
    )  # fmt: skip
    ends = data.loc[data.groupby("row", sort=False).waste.idxmax()]
    reads = (
        alt.Chart(ends)
        .mark_text(style="number", align="left", dx=8)
        .encode(x=x, y=y, color=colour, text=alt.Text("waste:Q", format=".2f"))
    )
    told = "; ".join(
        f"{model} " + ", ".join(f"{one.waste:.2f} under {one.law}" for one in of.itertuples())
        for model, of in data.groupby("model", sort=False)
    )
    return described(
        bars + dots + reads,
        f"Dot plot of training compute over the least compute for the same loss, for {len(order)} "
        f"released models in the order of their tokens per parameter. {told}.",
        height=38 * len(order),
    )


def no_saturation(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, N: float, D: float, data_end: float
) -> Any:
    """Loss of a model of N parameters against training tokens, with the floor it never reaches.

    `D` is the training tokens of a released model of that size, `data_end` the most tokens of any
    run behind the laws.
    """
    tokens = np.geomspace(2e10, 4e14, 61)
    x = alt.X("tokens:Q", **log_axis("Training tokens, D", (2e10, 4e14), label="size"))
    y = alt.Y("loss:Q", **axis("Loss (nats per token)", (1.83, 2.52)))
    colour, dash = by_role("law:N", {name: role for name, (role, _) in laws.items()})
    drawn, marks, floors = [], [], {}
    for name, (_, law) in laws.items():
        drawn.append(pd.DataFrame({"law": name, "tokens": tokens, "loss": law.loss(N, tokens)}))
        fed = np.array([compute_optimal(law, budget_for_params(law, N)).D, D])
        marks.append(pd.DataFrame({"law": name, "word": ["optimal", "released"], "tokens": fed,
                                   "loss": law.loss(N, fed)}))  # fmt: skip
        floors[name] = float(law.loss(N, np.inf))
    lines = (
        alt.Chart(rounded(pd.concat(drawn)))
        .mark_line(strokeWidth=2.2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    floor = at(law=list(floors), tokens=2.4e10, loss=list(floors.values()), digits=5).encode(
        y=y, color=colour
    )
    rules = floor.mark_rule(strokeWidth=1.2, strokeDash=[2, 3])
    words = (
        floor.transform_calculate(read="'floor, ' + datum.law")
        .mark_text(style="note", align="left", dy=-8)
        .encode(x=x, text="read:N")
    )
    marked = alt.Chart(rounded(pd.concat(marks))).encode(x=x, y=y, color=colour)
    dots = marked.mark_point(style="dot", size=95).encode(
        shape=shapes("word:N", ("optimal", "released"), ("diamond", "circle"))
    )
    amounts = marked.transform_calculate(read=size_label("datum.tokens")).encode(text="read:N")
    first = f"datum.law === '{next(iter(laws))}'"
    # The labels of the first law go above its line and those of the others below theirs.
    above = amounts.transform_filter(first).mark_text(style="number", align="left", dx=8, dy=-8)
    below = amounts.transform_filter(f"!({first})").mark_text(
        style="number", align="right", dx=-6, dy=10
    )
    end = at(tokens=data_end).encode(x=x)
    end_word = end.mark_text(style="word", align="left", dx=5, y=8)
    told = "; ".join(f"{name} {loss:.3f}" for name, loss in floors.items())
    return described(
        alt.layer(
            end.mark_rule(style="end"), end_word.encode(text=alt.value("runs end here")),
            rules, words, lines, dots, above, below,
        ),
        f"Loss of a model of {size_word(N)} parameters against training tokens from 20 to "
        f"400,000 billion under {' and '.join(laws)}. The loss falls all the way and never reaches "
        f"its floor: {told} nats.",
    )  # fmt: skip


def rounding_penalty(
    law: PrecisionLaw, models: pd.DataFrame, *, bits: float, reach: tuple[float, float]
) -> Any:
    """Loss added by rounding weights to `bits`, against tokens per parameter, for several sizes.

    Columns model, params, tokens: released models to mark. `reach` is the largest parameters and
    tokens that the law was fitted to; beyond them lines are dashed.
    """
    ratio = np.geomspace(1, 3e4, 46)
    x = alt.X("ratio:Q", **log_axis("Training tokens per parameter, D/N", (1, 1.2e5),
                                    label="plain"))  # fmt: skip
    y = alt.Y("added:Q", **log_axis(
        f"Loss added at {bits:g} bits (nats per token)", (1.5e-3, 1.2), format="~r",
        values=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1]))  # fmt: skip
    sizes = {size_word(N): N for N in (1e9, 8e9, 70e9, 405e9)}
    colour = hues("size:N", dict(zip(sizes, (OURS, HOFFMANN, EPOCH, KAPLAN), strict=True)))
    drawn = pd.concat(
        [
            pd.DataFrame({"size": word, "ratio": ratio,
                          "added": law.penalty(N, N * ratio, bits=bits),
                          "inside": (reach[0] >= N) & (N * ratio <= reach[1])})
            for word, N in sizes.items()
        ]
    )  # fmt: skip
    base = alt.Chart(rounded(drawn)).encode(x=x, y=y, color=colour)
    beyond = base.mark_line(strokeWidth=1.8, strokeDash=[5, 3], clip=True)
    inside = base.transform_filter("datum.inside").mark_line(strokeWidth=3.5)
    words = end_names(drawn[drawn.added <= 1], "size", x, y, color=colour)
    known = rounded(
        models.assign(
            ratio=models.tokens / models.params,
            added=law.penalty(models.params, models.tokens, bits=bits),
        )[["model", "ratio", "added"]]
    )
    dots = alt.Chart(known).mark_point(style="dot", size=70, color=RUNS.colour).encode(x=x, y=y)
    left = known.model.isin(["Llama 3 70B", "Llama 3.1 405B", "LLaMA 65B"])
    before = point_names(known[left], "model:N", x, y, style="note", align="right", dx=-8, dy=-3)
    after = point_names(known[~left], "model:N", x, y, style="note", dx=8, dy=5)
    told = "; ".join(f"{one.model} {one.added:.3f}" for one in known.itertuples())
    return described(
        alt.layer(beyond, inside, words, dots, before, after),
        f"Loss added by rounding the weights to {bits:g} bits against tokens per parameter, on "
        f"logarithmic axes, one rising line for each of {len(sizes)} sizes; larger models lie "
        f"higher at the same ratio. Marked: {told} nats per token.",
        height=HEIGHT + 40,
    )
