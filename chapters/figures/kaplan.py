"""Pictures of the chapter on Kaplan's laws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    HEIGHT,
    KAPLAN,
    OURS,
    RUNS,
    Column,
    Role,
    at,
    axis,
    budget_slider,
    by_role,
    compute_axis,
    dashes,
    described,
    end_names,
    hues,
    key,
    log_axis,
    loss_axis,
    params_axis,
    readout,
    rounded,
    rows,
    shapes,
    size_label,
    tooltips,
)
from scalinglib.laws import StepsLaw
from scalinglib.topics.kaplan import size_tradeoff

KAPLAN_JOINT = Role("Kaplan, joint law", KAPLAN.colour, (8, 3))

READOUT: tuple[Column, ...] = (
    ("law", "", 0.01, "left"),
    ("read_N", "N", 0.66, "right"),
    ("read_D", "D", 0.84, "right"),
    ("read_ratio", "D/N", 1.0, "right"),
)
"""Columns of the table inside the chart."""


def size_laws(points: pd.DataFrame, lines: pd.DataFrame, labels: pd.DataFrame) -> Any:
    """Losses of two families of models against size, each with its line, and a published law.

    Columns of `points`: family, params, loss; of `lines`: line, params, loss, role ("ours" or
    "published"), two rows or more a line; of `labels`: label, params, loss, role, above (bool),
    which is where a line gets its name, and on which side of it.
    """
    families = list(dict.fromkeys(points.family))
    x = alt.X("params:Q", **params_axis((1e7, 2.2e10)))
    y = alt.Y("loss:Q", **loss_axis((1.5, 3.4), (1.5, 2, 2.5, 3)))
    colour, dash = by_role("role:N", {"ours": OURS, "published": KAPLAN})
    drawn = (
        alt.Chart(rounded(lines))
        .mark_line()
        .encode(x=x, y=y, color=colour, detail="line:N", strokeDash=dash)
    )
    filled = key(symbolFillColor=RUNS.colour, symbolStrokeWidth=0, labelLimit=240)
    dots = (
        alt.Chart(rounded(points, 7))
        .mark_point(style="dot", size=75, opacity=1, color=RUNS.colour)
        .encode(
            x=x, y=y, shape=shapes("family:N", families, ("circle", "triangle-up"), legend=filled),
            tooltip=tooltips("family:N", ("params:Q", ".3s", "parameters"),
                             ("loss:Q", ".4", "loss")),
        )
    )  # fmt: skip
    base = alt.Chart(rounded(labels)).encode(x=x, y=y, color=colour, text="label:N")
    # A name above a falling line runs to the right, one below to the left: neither crosses it.
    above = base.transform_filter("datum.above").mark_text(
        style="bold", align="left", baseline="bottom", dx=6, dy=-2
    )
    below = base.transform_filter("!datum.above").mark_text(
        style="bold", align="right", baseline="top", dx=-6, dy=6
    )
    return described(
        drawn + dots + above + below,
        f"Scatter plot of loss against parameters on logarithmic axes for {len(points)} models "
        f"of {len(families)} families ({', '.join(families)}), with straight lines: "
        f"{'; '.join(labels.label)}.",
    )


def exponent_dots(
    values: pd.DataFrame, *, rule: float, rule_label: str, rule_colour: str, title: str,
    domain: tuple[float, float], roles: Mapping[str, Role],
) -> Any:  # fmt: skip
    """Exponents from several sources as labelled points, with a line at one reference value.

    Columns source, value, role (a key of `roles`), from the top; `title` and `domain` are those
    of the axis.
    """
    names = list(roles)
    x = alt.X("value:Q", **axis(title, domain, tickCount=5))
    legend = key(offset=26) if len(names) > 1 else None
    base = alt.Chart(rounded(values)).encode(
        x=x,
        y=rows("source:N", values.source, labels=200),
        color=hues("role:N", roles, legend=legend),
    )
    points = base.mark_point(style="dot", size=90, opacity=1).encode(
        shape=shapes("role:N", names, ("circle", "diamond", "square"), legend=legend)
    )
    numbers = base.mark_text(style="note", dy=-12).encode(text=alt.Text("value:Q", format=".3f"))
    reference = at(value=rule).encode(x=x)
    line = reference.mark_rule(color=rule_colour, strokeDash=list(KAPLAN.dash))
    word = reference.mark_text(
        style="note", align="center", baseline="bottom", y=-5, color=rule_colour
    ).encode(text=alt.value(rule_label))
    told = "; ".join(f"{one.source} {one.value:.3f}" for one in values.itertuples())
    return described(
        line + word + points + numbers,
        f"Dot plot of {title[0].lower()}{title[1:]} from {len(values)} sources, with a line at "
        f"{rule:g} ({rule_label}). {told}.",
    )


def learning_curves(law: StepsLaw, sizes: tuple[float, ...], *, target: float) -> Any:
    """Loss against steps for sizes in ascending order, and where each reaches a target.

    `target` is a loss (nats per token).
    """
    steps = np.logspace(3, 6, 61)
    curves = [
        pd.DataFrame({"params": N, "steps": steps, "loss": law.loss(N, steps)}) for N in sizes
    ]
    frame = pd.concat(curves, ignore_index=True)
    x = alt.X("steps:Q", **log_axis("Training steps, S", (1e3, 1e6), label="power"))
    y = alt.Y("loss:Q", **loss_axis((1.5, 5.2), (2, 2.5, 3, 4, 5)))
    viridis = alt.Scale(
        type="log", scheme=alt.SchemeParams(name="viridis", extent=[0.3, 0.75]),
        domain=[sizes[0], sizes[-1]], reverse=True,
    )  # fmt: skip
    colour = alt.Color("params:Q", scale=viridis, legend=None)
    drawn = (
        alt.Chart(rounded(frame))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, detail="params:N")
    )
    rule = at(loss=target).mark_rule(style="end").encode(y=y)
    reached = pd.DataFrame({"params": sizes, "loss": target, "steps": law.steps(target, sizes)})
    reached = reached[np.isfinite(reached.steps) & (reached.steps < 1e6)]
    dots = (
        alt.Chart(rounded(reached))
        .mark_circle(style="dot", size=80)
        .encode(x=x, y=y, color=colour)
    )  # fmt: skip
    names = end_names(
        frame, "params", x, y, text="label", align="right", baseline="top", dx=-3, dy=5
    ).transform_calculate(label=size_label("datum.params"))
    return described(
        rule + drawn + dots + names,
        f"Line chart of loss against training steps for {len(sizes)} model sizes from "
        f"{sizes[0]:.0e} to {sizes[-1]:.0e} parameters under Kaplan's law of steps. Larger models "
        f"lie lower everywhere. Dots mark where each curve reaches a loss of {target:g}.",
    )


def size_valley(law: StepsLaw, marked: tuple[float, ...]) -> Any:
    """Compute and steps needed for one loss when the model is not of the efficient size.

    `marked` holds sizes over the efficient one that get a dot.
    """
    ratio = np.geomspace(0.32, 6, 81)
    cost = size_tradeoff(law, ratio)
    parts = {"compute": cost.compute, "steps": cost.steps}
    frame = pd.concat(
        [pd.DataFrame({"ratio": ratio, "cost": one, "what": what}) for what, one in parts.items()],
        ignore_index=True,
    )
    times = "datum.value + '×'"
    x = alt.X("ratio:Q", **log_axis("Size relative to the compute-efficient size", (0.32, 6),
                                    values=[0.4, 0.6, 1, 2.2, 5], labelExpr=times))  # fmt: skip
    y = alt.Y("cost:Q", **log_axis("Needed for the same loss, relative", (0.3, 3.2),
                                   values=[0.3, 0.5, 1, 2, 3], labelExpr=times))  # fmt: skip
    # Both curves belong to one published law; the dash tells them apart.
    curves = (
        alt.Chart(rounded(frame))
        .mark_line(clip=True, color=KAPLAN.colour)
        .encode(x=x, y=y, strokeDash=dashes("what:N", {"compute": (1, 0), "steps": KAPLAN}))
    )
    there = size_tradeoff(law, np.array(marked)).compute
    dots = pd.DataFrame({"ratio": marked, "cost": there})
    dots["label"] = [f"{100 * (one - 1):+.0f} %" for one in there]
    base = alt.Chart(rounded(dots)).encode(x=x, y=y, text="label:N")
    points = base.mark_circle(style="dot", size=90, color=KAPLAN.colour)
    left = base.transform_filter("datum.ratio < 1").mark_text(
        style="bold", align="right", dx=-10, dy=2, color=KAPLAN.colour
    )
    right = base.transform_filter("datum.ratio >= 1").mark_text(
        style="bold", align="left", dx=8, dy=12, color=KAPLAN.colour
    )
    spot = size_tradeoff(law, np.array([3.6]))
    name = at(
        ratio=[3.6, 3.6], cost=[spot.compute[0], spot.steps[0]], what=["compute", "steps"]
    ).encode(x=x, y=y, text="what:N")
    rising = name.transform_filter("datum.what == 'compute'").mark_text(
        align="right", dx=-6, dy=-6, color=KAPLAN.colour
    )
    falling = name.transform_filter("datum.what == 'steps'").mark_text(
        align="left", dx=6, dy=-6, color=KAPLAN.colour
    )
    told = "; ".join(f"{m:g} times the size {100 * (c - 1):+.0f} percent compute"
                     for m, c in zip(marked, there, strict=True))  # fmt: skip
    return described(
        curves + points + left + right + rising + falling,
        "Line chart of the compute and the steps that reach one loss, against model size "
        "relative to the efficient one. Compute has a flat minimum at 1; steps fall throughout. "
        f"Marked: {told}.",
    )


def ratio_slider(
    laws: Mapping[str, tuple[Role, float, float]], models: pd.DataFrame, *, budget: float,
    data_end: float,
) -> Any:  # fmt: skip
    """Tokens per parameter of several allocation laws, with a slider over the budget.

    A law is a role and model size as a power of the budget: its value at 1 FLOP (count) and its
    exponent; tokens are what the rest of C = 6 N D buys. `models` to mark have columns model,
    C (FLOP), ratio (tokens per parameter). The slider, ``log_C``, starts at `budget` (FLOP); a
    rule marks the compute of the largest run behind any of the laws, `data_end`.
    """
    C = np.logspace(18, 26, 33)
    lines = pd.concat(
        [
            pd.DataFrame({"law": name, "C": C, "ratio": C / 6 / (scale * C**power) ** 2})
            for name, (_, scale, power) in laws.items()
        ],
        ignore_index=True,
    )
    colour, dash = by_role("law:N", {name: role for name, (role, _, _) in laws.items()})
    x = alt.X("C:Q", **compute_axis((1e18, 1e26), step=2))
    # The top of the plot is left free for the read-out.
    y = alt.Y("ratio:Q", **log_axis("Tokens per parameter, D/N", (0.03, 12000), label="plain",
                                    values=[0.1, 1, 10, 100]))  # fmt: skip
    drawn = (
        alt.Chart(rounded(lines))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    end = at(C=data_end, ratio=0.03, top=300).mark_rule(style="end").encode(x=x, y=y, y2="top:Q")
    end_word = (
        at(C=data_end)
        .mark_text(style="word", align="right", dx=-5, y=alt.ExprRef("height - 12"))
        .encode(x=x, text=alt.value("runs end here"))
    )
    base = alt.Chart(rounded(models)).encode(x=x, y=y)
    marks = base.mark_point(style="diamond", size=80, color=RUNS.colour)
    mark_names = base.mark_text(
        style="note", align="left", dx=2, dy=-13, color=RUNS.colour
    ).encode(text="model:N")  # fmt: skip
    here = _chosen(laws).encode(color=colour)
    dots = here.mark_circle(style="dot", size=70, clip=True).encode(x=x, y=y)
    rule = (
        at(ratio=0.03, top=300)
        .transform_calculate(C="pow(10, log_C)")
        .mark_rule(style="quiet")
        .encode(x=x, y=y, y2="top:Q")
    )
    return described(
        alt.layer(
            end, end_word, rule, drawn, marks, mark_names, dots, *readout(here, READOUT, top=12)
        ).add_params(budget_slider(budget)),
        "Line chart of tokens per parameter against training compute from 10 to the 18 to 10 to "
        f"the 26 FLOP under {len(laws)} allocation laws: {', '.join(laws)}. Trained models are "
        f"marked: {', '.join(models.model)}. A slider sets the budget; a table inside the chart "
        "reads out parameters, tokens and tokens per parameter for each law.",
        height=HEIGHT + 60,
    )


def _chosen(laws: Mapping[str, tuple[Role, float, float]]) -> alt.Chart:
    """The split of each law at the budget of the slider, a row each, with its read-out."""
    table = pd.DataFrame(
        [
            {"law": name, "row": 32 + 18 * row, "log_scale": np.log10(scale), "power": power}
            for row, (name, (_, scale, power)) in enumerate(laws.items())
        ]
    )
    return alt.Chart(rounded(table, 12)).transform_calculate(
        C="pow(10, log_C)",
        N="pow(10, datum.log_scale + datum.power * log_C)",
        D="datum.C / 6 / datum.N",
        ratio="datum.D / datum.N",
        read_N=size_label("datum.N"),
        read_D=size_label("datum.D"),
        read_ratio="format(datum.ratio, datum.ratio < 1 ? '.2r' : '.3r')",
    )
