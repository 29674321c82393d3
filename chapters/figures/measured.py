"""Pictures of the runs measured here: curves, rates, counts, schedules, the valley."""

from __future__ import annotations

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
    RUNS,
    Column,
    at,
    axis,
    compute_axis,
    described,
    end_here,
    hues,
    key,
    log_axis,
    params_axis,
    readout,
    rounded,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.charts.channels import round_ticks
from scalinglib.charts.runs import around
from scalinglib.isoflop import Frontier
from scalinglib.laws import ChinchillaLaw

READOUT: tuple[Column, ...] = (
    ("read_N", "N", 0.45, "right"),
    ("read_D", "D", 0.63, "right"),
    ("read_ratio", "D/N", 0.8, "right"),
    ("read_loss", "loss", 1.0, "right"),
)
"""Columns of the table inside the valley."""
HUES = (OURS.colour, EPOCH.colour, KAPLAN.colour, HOFFMANN.colour)
"""A colour a size, for four sizes at most."""


def rates(tried: pd.DataFrame, best: pd.DataFrame) -> Any:
    """Loss against learning rate for each size, and the vertex through the lowest points.

    Columns of `tried`: params, learning_rate, loss; of `best`: params, learning_rate, loss.
    """
    names = {params: f"{params:,} parameters" for params in sorted(set(tried.params))}
    looks = dict(zip(names.values(), HUES[: len(names)], strict=True))
    shown = tried[["params", "learning_rate", "loss"]]
    data = rounded(shown.assign(size=shown.params.map(names)))
    ends = around(data.learning_rate)
    tried_rates = sorted(set(data.learning_rate))
    ticks = tried_rates if len(tried_rates) <= 6 else round_ticks(*ends)
    x = alt.X(
        "learning_rate:Q",
        **log_axis("Peak learning rate", ends, label="plain", values=ticks),
    )
    y = alt.Y("loss:Q", **axis("Final loss, L (nats per token)",
                               (data.loss.min() - 0.04, data.loss.max() + 0.04)))  # fmt: skip
    colour = hues("size:N", looks, legend=key(columns=1))
    base = alt.Chart(data).encode(x=x, y=y, color=colour)
    dots = base.mark_point(style="dot", size=55).encode(
        shape=shapes("size:N", looks, legend=alt.Undefined),
        tooltip=tooltips("size:N", ("learning_rate:Q", ".3r", "rate"), ("loss:Q", ".4", "loss")),
    )
    vertices = alt.Chart(rounded(best.assign(size=best.params.map(names))))
    marks = vertices.mark_point(style="diamond", filled=False, strokeWidth=2).encode(
        x=x, y=y, color=colour
    )
    told = "; ".join(f"{one.params:,} at {one.learning_rate:.3g}" for one in best.itertuples())
    return described(
        base.mark_line(strokeWidth=1.3, opacity=0.7) + dots + marks,
        f"Line chart of final loss against peak learning rate for {len(names)} model sizes; each "
        f"line is a valley. Its lowest point: {told}.",
    )


def curves(
    points: pd.DataFrame, envelope: Frontier, fit: Frontier, *, span: tuple[float, float]
) -> Any:
    """Training curves in compute, coloured by size, and where two approaches put the optimum.

    Columns run, params, flops, loss; `span` holds the ends of compute (FLOP).
    """
    data = rounded(points[points.flops.between(*span)])
    x = alt.X("flops:Q", **compute_axis(span))
    y = alt.Y("loss:Q", **axis("Held-out loss, L (nats per token)", (data.loss.min() - 0.05, 4)))
    colour = alt.Color(
        "params:Q", title="Parameters, N",
        scale=alt.Scale(scheme=alt.SchemeParams("viridis", extent=[0.28, 0.92]), type="log",
                        reverse=True),
        legend=alt.Legend(values=[1e3, 1e4, 1e5], labelExpr=size_label("datum.value")),
    )  # fmt: skip
    lines = alt.Chart(data).mark_line(strokeWidth=1.1, opacity=0.75, clip=True).encode(
        x=x, y=y, color=colour, detail="run:N",
        tooltip=tooltips(("params:Q", ",", "parameters"), ("flops:Q", ".2~e", "FLOP"),
                         ("loss:Q", ".4", "loss")),
    )  # fmt: skip
    ends = data.loc[data.groupby("run", sort=False).flops.idxmax()]
    dots = alt.Chart(ends).mark_circle(size=30).encode(x=x, y=y, color=colour)
    return described(
        lines + dots,
        f"Line chart of held-out loss against training compute for {data.run.nunique()} runs of "
        f"{data.params.nunique()} sizes. Curves of small models fall first and flatten; those of "
        "larger ones start later and cross them. Dots mark the ends of runs, which lie below the "
        f"curves of longer runs of the same size. The envelope has N going as C to the "
        f"{envelope.a:.2f}, the minima of the profiles as C to the {fit.a:.2f}.",
        height=HEIGHT + 40,
    )


def schedules(table: pd.DataFrame) -> Any:
    """Excess of runs whose schedule was made for more tokens, foretold and measured, by size.

    Columns params, share, kind (foretold or measured), excess (relative).
    """
    looks = {"foretold": OURS.colour, "measured": RUNS.colour}
    data = rounded(table)
    reach = max(0.01, 1.2 * float(data.excess.abs().max()))
    ends = around(data.params)
    x = alt.X("params:Q", **log_axis("Parameters, N", ends, label="size",
                                     values=round_ticks(*ends)))  # fmt: skip
    y = alt.Y("excess:Q", **axis("Loss above the run with its own schedule", (-reach, reach),
                                 format="+.1%"))  # fmt: skip
    base = alt.Chart(data).encode(x=x, y=y, color=hues("kind:N", looks, legend=key()))
    points = base.mark_point(style="dot", size=70).encode(
        shape=shapes("kind:N", looks, ("diamond", "circle"), legend=alt.Undefined),
        tooltip=tooltips("kind:N", ("params:Q", ",", "parameters"),
                         ("share:Q", ".0%", "of the schedule"), ("excess:Q", "+.2%")),
    )  # fmt: skip
    zero = at(at=0.0).mark_rule(style="quiet").encode(y="at:Q")
    told = "; ".join(
        f"{kind}: " + ", ".join(f"{value:+.1%}" for value in own.excess)
        for kind, own in data.groupby("kind", sort=False)
    )
    return described(
        zero + base.mark_line(strokeWidth=1.2, opacity=0.6) + points,
        f"Line chart of the relative excess in loss against model size, from the smallest. {told}.",
    )


def valley(
    law: ChinchillaLaw, *, budget: float, data_end: float, sizes: tuple[float, float]
) -> Any:
    """Loss along a budget under the law, with a slider over the budget and its lowest point.

    The slider, ``log_C``, starts at `budget` (FLOP). `sizes` are the smallest and largest size
    trained, `data_end` the largest budget.
    """
    N = np.geomspace(1e3, 1e9, 121)
    terms = rounded(pd.DataFrame({"N": N, "size_term": law.A * N**-law.alpha}))
    frame = terms.assign(E=law.E, B=law.B, beta=law.beta)
    x = alt.X("N:Q", **params_axis((1e3, 1e9)))
    y = alt.Y("loss:Q", **axis("Loss, L (nats per token)", (1, 4), tickCount=6))
    lines = (
        alt.Chart(frame)
        .transform_calculate(
            loss="datum.E + datum.size_term"
            " + datum.B * pow(pow(10, log_C) / 6 / datum.N, -datum.beta)"
        )
        .transform_filter("datum.loss <= 4")
        .mark_line(color=OURS.colour)
        .encode(x=x, y=y)
    )
    constants = ("G", "a", "E", "A", "B", "alpha", "beta")
    here = at(row=30, **{one: getattr(law, one) for one in constants}).transform_calculate(
        C="pow(10, log_C)",
        N="datum.G * pow(datum.C / 6, datum.a)",
        D="datum.C / 6 / datum.N",
        loss="datum.E + datum.A * pow(datum.N, -datum.alpha) + datum.B * pow(datum.D, -datum.beta)",
        read_N=size_label("datum.N"),
        read_D=size_label("datum.D"),
        read_ratio="format(datum.D / datum.N, '.3r')",
        read_loss="format(datum.loss, '.3f')",
    )
    dot = here.mark_point(style="diamond", color=OURS.colour).encode(x=x, y=y)
    end = end_here(x, sizes[1], "largest model trained", y=90)
    return described(
        alt.layer(end, lines, dot, *readout(here, READOUT)).add_params(
            slider("log_C", round(float(np.log10(budget)), 2), (10.5, 17, 0.01), "Training compute")
        ),
        "Line chart of loss against model size at one budget under the fitted law, a valley, with "
        "its lowest point marked. A slider sets the budget from 10 to the 10.5 to 10 to the 17 "
        f"FLOP; runs end at {data_end:.0e}. A table inside the chart reads out parameters, tokens, "
        f"tokens per parameter and loss there. Models from {sizes[0]:,.0f} to {sizes[1]:,.0f} "
        "parameters were trained.",
        height=HEIGHT + 60,
    )
