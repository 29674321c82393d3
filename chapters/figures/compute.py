"""Pictures of counting: parameters, FLOPs by operation, and what a budget buys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    HEIGHT,
    HOFFMANN,
    OURS,
    RUNS,
    SIGNED_PERCENT,
    Role,
    at,
    axis,
    band,
    by_role,
    compute_axis,
    described,
    end_names,
    hues,
    key,
    label,
    log_axis,
    params_axis,
    rounded,
    rows,
    size_label,
    slider,
    tooltips,
)
from scalinglib.compute import PF_DAY, device_hours, fixed_ratio_split
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import compute_optimal

RULE = Role("20 tokens each", RUNS.colour, (2, 2))
# Ways of counting are not laws, so they have colours of their own.
AMBER, INDIGO = "#b07d12", "#6b6fd6"


def size_errors(errors: pd.DataFrame) -> Any:
    """Counted against printed sizes, under two conventions.

    Columns params (printed), error (counted over printed, minus 1), count (one of two names, the
    better one last), mistyped (whether a transcription has another shape).
    """
    names = list(dict.fromkeys(errors["count"]))
    x = alt.X("params:Q", **params_axis((3e7, 3e10), "Printed parameters, N"))
    y = alt.Y("error:Q", **axis("Counted relative to printed", (-0.18, 0.08),
                                values=[-0.15, -0.1, -0.05, 0, 0.05],
                                labelExpr=SIGNED_PERCENT))  # fmt: skip
    colour = hues("count:N", dict(zip(names, (AMBER, OURS), strict=True)))
    base = alt.Chart(rounded(errors)).encode(
        x=x, y=y, color=colour,
        tooltip=tooltips("count:N", ("params:Q", ".4s", "printed"), ("error:Q", "+.2%")),
    )  # fmt: skip
    plain = base.transform_filter("!datum.mistyped").mark_circle(size=50, opacity=0.85)
    wrong = base.transform_filter("datum.mistyped").mark_point(style="cross", size=95)
    zero = at(at=0.0).mark_rule(style="quiet").encode(y="at:Q")
    words = (
        at(params=3.3e7, error=[-0.118, 0.032], count=names)
        .mark_text(style="bold", align="left")
        .encode(x=x, y=y, color=colour, text="count:N")
    )
    return described(
        zero + plain + wrong + words,
        "Scatter plot of counted over printed parameters for the 50 Chinchilla models, from 44 "
        "million to 16 billion. With four projections a layer the counts lie 5 to 8 percent low; "
        "with five they lie on zero, except for six rows, marked with crosses, of which the "
        "transcription has mistyped shapes.",
    )


def flop_parts(parts: pd.DataFrame) -> Any:
    """What a counted training token is made of, in units of 6 N.

    Columns model, part, share; the parts in the order in which they are stacked.
    """
    names = list(dict.fromkeys(parts.part))
    data = rounded(parts)
    data["rank"] = data.part.map({name: rank for rank, name in enumerate(names)})
    totals = data.groupby("model", as_index=False, sort=False).share.sum()
    end = 1.13 * totals.share.max()
    ticks = axis("FLOP of a training token, in units of 6N", (0, end),
                 values=np.arange(0, end, 0.2).round(1).tolist())  # fmt: skip
    y = rows("model:N", dict.fromkeys(parts.model), labels=180)
    colours = hues("part:N", dict(zip(names, (OURS, AMBER, INDIGO), strict=False)),
                   legend=key(labelLimit=220, columns=2))  # fmt: skip
    bars = (
        alt.Chart(data)
        .mark_bar(height={"band": 0.66})
        .encode(
            x=alt.X("share:Q", stack="zero", **ticks), y=y, color=colours,
            order=alt.Order("rank:Q"), tooltip=tooltips("model:N", "part:N", ("share:Q", ".1%")),
        )
    )  # fmt: skip
    one = at(at=1.0).mark_rule(style="quiet", strokeWidth=2, strokeDash=[4, 3]).encode(x="at:Q")
    total = (
        alt.Chart(rounded(totals, 3))
        .mark_text(align="left", dx=6)
        .encode(x="share:Q", y=y, text=alt.Text("share:Q", format=".2f"))
    )
    told = "; ".join(f"{one.model} {one.share:.2f}" for one in totals.itertuples())
    return described(
        bars + one + total,
        "Stacked bars of the FLOPs of a training token in units of 6N: matrices of the layers, "
        f"attention scores, logits. A dashed line marks 1, where 6ND is exact. Totals: {told}.",
    )


def ratios_by_size(ratios: pd.DataFrame, printed: pd.DataFrame) -> Any:
    """Counted FLOPs over 6ND against model size, under several conventions.

    Columns of `ratios`: params, ratio, count, from the largest count to the smallest; of
    `printed`, the published ratios: params, ratio.
    """
    names = list(dict.fromkeys(ratios["count"]))
    colours = [RUNS.colour, INDIGO, OURS.colour]
    x = alt.X("params:Q", **params_axis((3e7, 3e10)))
    ticks = axis("Counted FLOP relative to 6ND", (0.88, 1.8), values=[1, 1.2, 1.4, 1.6, 1.8])
    y = alt.Y("ratio:Q", **ticks)
    points = (
        alt.Chart(rounded(ratios))
        .mark_circle(size=42, opacity=0.85)
        .encode(
            x=x, y=y, color=hues("count:N", dict(zip(names, colours, strict=True))),
            tooltip=tooltips("count:N", ("params:Q", ".3s"), ("ratio:Q", ".3f")),
        )
    )  # fmt: skip
    close = band(alt.Y("low:Q", scale=ticks["scale"]), 0.9, 1.1, opacity=0.13)
    close_word = label("within 10 %", x, y, (2.7e10, 0.915), style="word", align="right")
    one = at(at=1.0).mark_rule(style="quiet").encode(y=alt.Y("at:Q", scale=ticks["scale"]))
    diamonds = (
        alt.Chart(rounded(printed))
        .mark_point(shape="diamond", size=120, strokeWidth=2, filled=False, color=HOFFMANN.colour)
        .encode(x=x, y=y, tooltip=tooltips(("ratio:Q", "", "Table A4")))
    )
    words = at(
        params=[7.5e7, 3.4e7, 3.4e7, 3e8], ratio=[1.68, 1.22, 0.915, 0.915],
        word=[*names, "Table A4 prints"], colour=[*colours, HOFFMANN.colour],
    ).mark_text(style="bold", align="left")  # fmt: skip
    words = words.encode(x=x, y=y, text="word:N", color=alt.Color("colour:N", scale=None))
    return described(
        alt.layer(close, one, close_word, points, diamonds, words),
        "Scatter plot of counted FLOPs over 6ND for the 50 Chinchilla models under three counts. "
        "With embedding and logits the ratio falls from 1.7 at 44 million parameters to 1.0 at "
        "16 billion; with logits only from 1.3 to 1.0; with neither it stays between 0.97 and "
        "1.15. Diamonds mark the six published ratios, which lie on the last count.",
    )


def ratios_by_context(ratios: pd.DataFrame) -> Any:
    """Counted FLOPs over 6ND against the length of the context, a line for each model.

    Columns model, params, context (tokens, ascending for each model), ratio.
    """
    data = rounded(ratios)
    low, high = float(ratios.context.min()), float(ratios.context.max())
    thousands = "datum.value < 1024 ? datum.value : datum.value / 1024 + 'k'"
    x = alt.X("context:Q", **log_axis("Length of the context, S (tokens)", (low, 2.6 * high),
                                      values=[2**k for k in range(9, 18, 2)],
                                      labelExpr=thousands))  # fmt: skip
    y = alt.Y("ratio:Q", **log_axis("Counted FLOP relative to 6ND", (0.9, 40),
                                    values=[1, 2, 5, 10, 20]))  # fmt: skip
    # Size runs along viridis; its brightest end is left out, it would vanish on white.
    viridis = alt.Scale(type="log", scheme=alt.SchemeParams("viridis", extent=[0.3, 0.75]))
    lines = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=x, y=y, color=alt.Color("params:Q", scale=viridis, legend=None), detail="model:N",
            tooltip=tooltips("model:N", "context:Q", ("ratio:Q", ".3")),
        )
    )  # fmt: skip
    one = at(at=1.0).mark_rule(style="quiet").encode(y="at:Q")
    names = ", ".join(dict.fromkeys(ratios.model))
    return described(
        one + lines + end_names(data, "model", x, y),
        "Line chart of counted FLOPs over 6ND against context length from 512 to 128k tokens "
        f"for models of {names} parameters. All lines start near 1 and rise; the smaller the "
        "model, the earlier and the higher.",
    )


def budget(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, start: float, data_end: float,
    devices: Mapping[str, tuple[float, float]],
) -> Any:  # fmt: skip
    """Compute-optimal size against the budget, with a slider that reads out what it takes.

    The laws stand beside the rule of 20 tokens per parameter. The slider, ``log_C``, starts at
    `start` (FLOP); `data_end` is the compute of the largest run behind the laws (FLOP). A device
    has a peak (FLOP/s) and a utilisation.
    """
    roles = {RULE.name: RULE, **{name: role for name, (role, _) in laws.items()}}
    C = np.logspace(18, 27, 46)
    sizes = {RULE.name: fixed_ratio_split(C)[0]}
    sizes |= {name: compute_optimal(law, C).N for name, (_, law) in laws.items()}
    lines = pd.concat(
        [pd.DataFrame({"law": name, "C": C, "N": size}) for name, size in sizes.items()],
        ignore_index=True,
    )
    colour, dash = by_role("law:N", roles)
    x = alt.X("C:Q", **compute_axis((1e18, 1e27), step=3))
    # The upper third of the plot is left free for the read-out.
    y = alt.Y("N:Q", **log_axis("Compute-optimal parameters, N", (5e7, 3e16), label="size",
                                values=[1e8, 1e9, 1e10, 1e11, 1e12]))  # fmt: skip
    base = alt.Chart(rounded(lines)).encode(x=x, y=y, color=colour, strokeDash=dash)
    seen = base.transform_filter(f"datum.C <= {data_end}").mark_line(strokeWidth=2.5)
    beyond = base.transform_filter(f"datum.C >= {data_end / 1.6}").mark_line(opacity=0.55)
    end = at(C=data_end, N=5e7, top=2e12).mark_rule(style="end").encode(x=x, y=y, y2="top:Q")
    end_word = label("runs end here", x, y, (data_end, 1.1e8), style="word", dx=5)
    here = _chosen(laws).encode(color=colour)
    dots = here.mark_circle(style="dot").encode(x=x, y=y)
    rule = (
        at(N=5e7, top=2e12)
        .transform_calculate(C="pow(10, log_C)")
        .mark_rule(style="quiet")
        .encode(x=x, y=y, y2="top:Q")
    )
    tables = _tables(here, _costs(devices, top=42 + 18 * len(roles)))
    first = round(500 * float(np.log10(start))) / 500
    return described(
        alt.layer(end, end_word, rule, seen, beyond, dots, *tables).add_params(
            slider("log_C", first, (18, 27, 0.002), "Training compute")
        ),
        "Line chart of the compute-optimal number of parameters against training compute from "
        f"10 to the 18 to 10 to the 27 FLOP under {', '.join(roles)}. A slider sets the budget; a "
        "table inside the chart reads out parameters, tokens and tokens per parameter for each, "
        "the petaFLOP/s-days, and the hours on one device of each kind.",
        height=HEIGHT + 110,
    )


def _chosen(laws: Mapping[str, tuple[Role, ChinchillaLaw]]) -> alt.Chart:
    """The rule and the optimum of each law at the budget of the slider, with their read-out."""
    table = [{"law": RULE.name, "G": float(np.sqrt(1 / 20)), "a": 0.5}]
    table += [{"law": name, "G": law.G, "a": law.a} for name, (_, law) in laws.items()]
    frame = pd.DataFrame(table).assign(row=[30 + 18 * row for row in range(len(table))])
    return alt.Chart(frame).transform_calculate(
        C="pow(10, log_C)",
        N="datum.G * pow(datum.C / 6, datum.a)",
        D="datum.C / 6 / datum.N",
        read_N=size_label("datum.N"),
        read_D=size_label("datum.D"),
        read_ratio="format(datum.D / datum.N, '.3r')",
    )


def _costs(devices: Mapping[str, tuple[float, float]], *, top: float) -> alt.Chart:
    """What the budget takes, from `top` down: PF-days, and hours on a device of each kind."""
    costs = {"petaFLOP/s-days": PF_DAY}
    for name, (peak, mfu) in devices.items():
        costs[f"{name}-hours at MFU {100 * mfu:.0f} %"] = float(
            1 / device_hours(1.0, peak=peak, mfu=mfu)
        )
    frame = pd.DataFrame({"what": list(costs), "flops": list(costs.values())})
    frame["row"] = [top + 18 * row for row in range(len(costs))]
    return alt.Chart(frame).transform_calculate(
        amount="pow(10, log_C) / datum.flops",
        read="datum.amount < 1e4 ? format(datum.amount, '.4~r') : datum.amount < 1e6 ? "
        "format(datum.amount, ',.4~r') : " + size_label("datum.amount"),
    )


def _tables(laws: alt.Chart, costs: alt.Chart) -> Iterator[alt.Chart]:
    """Text marks at the top of the plot: a row a law under headings, then a row a cost."""
    y = alt.Y("row:Q", scale=None, axis=None)
    for chart, field, head, place, align in (
        (laws, "law", "", 0.02, "left"), (laws, "read_N", "N", 0.6, "right"),
        (laws, "read_D", "D", 0.82, "right"), (laws, "read_ratio", "D/N", 1.0, "right"),
        (costs, "what", "", 0.02, "left"), (costs, "read", "", 1.0, "right"),
    ):  # fmt: skip
        look: dict[str, Any] = {"fontSize": 11.5, "baseline": "middle", "align": align}
        look["x"] = alt.ExprRef(f"width * {place}")
        yield chart.mark_text(**look).encode(y=y, text=f"{field}:N")
        if head:
            yield at(head=head, row=10).mark_text(**look).encode(y=y, text="head:N")
