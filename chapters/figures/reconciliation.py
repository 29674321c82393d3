"""Pictures of the two explanations: five steps of one exponent, and one law in two counts."""

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
    OCHRE,
    OURS,
    RUNS,
    Column,
    Role,
    apart,
    at,
    axis,
    by_role,
    compute_axis,
    dashes,
    described,
    hues,
    key,
    label,
    log_axis,
    params_axis,
    point_names,
    readout,
    rounded,
    size_label,
    slider,
    tooltips,
)
from scalinglib.isoflop import power_line
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import compute_optimal
from scalinglib.topics.reconciliation import (
    exponent_limits,
    exponent_peak,
    nonembedding_exponent,
    nonembedding_optimal,
)

# From Kaplan's hue to Hoffmann's, because that is where the steps lead.
STEP_COLOURS = (KAPLAN.colour, "#8a74c9", "#5b86cf", "#2b8fae", HOFFMANN.colour)
PARABOLA = Role("one parabola", OCHRE, (6, 4))

READOUT: tuple[Column, ...] = (
    ("law", "fitted exponent", 0.01, "left"),
    ("without", "no embeddings", 0.82, "right"),
    ("all", "all", 1.0, "right"),
)
"""Columns of the table inside the picture of two counts."""


def exponent_steps(steps: pd.DataFrame, *, marks: Mapping[str, tuple[Role, float]]) -> Any:
    """Exponent of the model size after each step, with the published intervals.

    Columns step, exponent, low, high; a row a step, in order. `marks` are published exponents to
    mark with a vertical line.
    """
    change = steps.exponent.diff()
    data = rounded(steps).assign(
        change=[f"{one:+.3f}".replace("-", "−") if np.isfinite(one) else "" for one in change],
        before=rounded(steps).exponent.shift().fillna(steps.exponent.iloc[0]),
        # A value whose label would be crossed by a marking line stands to the right of it.
        crossed=[
            any(abs(one - value) < 0.02 for _, value in marks.values()) for one in steps.exponent
        ],
    )
    ticks = axis("Exponent a of the optimal size", (0.45, 0.9))
    y = alt.Y(
        "step:N", sort=list(data.step), title=None, scale=alt.Scale(paddingOuter=0.6),
        axis=alt.Axis(labelLimit=170, ticks=False, domain=False),
    )  # fmt: skip
    looks = {f"{name} {value:.2f}": role for name, (role, value) in marks.items()}
    marked = at(name=list(looks), at=[value for _, value in marks.values()]).encode(
        x=alt.X("at:Q", scale=ticks["scale"]), color=hues("name:N", looks)
    )
    rules = marked.mark_rule(strokeDash=[2, 3])
    names = marked.mark_text(style="note", align="left", dx=4).encode(y=alt.value(8), text="name:N")
    base = alt.Chart(data).encode(y=y)
    moved = base.mark_rule(style="quiet", strokeWidth=1.5, opacity=0.7).encode(
        x=alt.X("before:Q", scale=ticks["scale"]), x2="exponent:Q"
    )
    colour = hues("step:N", dict(zip(data.step, STEP_COLOURS, strict=True)))
    bars = base.mark_rule(strokeWidth=7, opacity=0.35).encode(
        x=alt.X("low:Q", scale=ticks["scale"]), x2="high:Q", color=colour
    )
    there = base.encode(x=alt.X("exponent:Q", **ticks), color=colour)
    points = there.mark_point(style="dot", size=90)
    written = there.encode(text=alt.Text("exponent:Q", format=".3f"))
    values = written.transform_filter("!datum.crossed").mark_text(style="bold", dy=-14)
    aside = written.transform_filter("datum.crossed").mark_text(
        style="bold", dy=-14, dx=4, align="left"
    )
    middle = base.transform_calculate(middle="(datum.before + datum.exponent) / 2")
    changes = middle.mark_text(style="word", dy=14).encode(
        x=alt.X("middle:Q", scale=ticks["scale"]), text="change:N"
    )
    told = "; ".join(f"{one.step} {one.exponent:.3f}" for one in steps.itertuples())
    layers = alt.layer(rules, names, moved, bars, points, values, aside, changes)
    return described(
        layers.resolve_scale(color="independent"),
        "Dot plot of the exponent of compute-optimal model size in compute after each of "
        f"{len(steps)} steps, with published 95 per cent intervals: {told}. Vertical lines mark "
        f"the exponents of {' and '.join(marks)}.",
    )


def optima_lines(optima: pd.DataFrame, lines: pd.DataFrame) -> Any:
    """Compute-optimal sizes under each step, and their lines drawn on to a far budget.

    Columns step, flops, params; `lines` also beyond (whether the point lies past the last
    budget), and the last row of each step is labelled with its size.
    """
    order = list(dict.fromkeys(lines.step))
    x = alt.X("flops:Q", **compute_axis((8e15, 4e25), step=2))
    vertical = params_axis((1e6, 1e13))
    y = alt.Y("params:Q", **vertical)
    colour = hues("step:N", dict(zip(order, STEP_COLOURS, strict=True)),
                  legend=key(columns=1, symbolType="circle"))  # fmt: skip
    drawn = alt.Chart(rounded(lines)).encode(x=x, y=y, color=colour)
    inside = drawn.transform_filter("!datum.beyond").mark_line(strokeWidth=1.5)
    beyond = drawn.transform_filter("datum.beyond").mark_line(
        strokeWidth=1.5, strokeDash=[4, 4], opacity=0.8
    )
    points = alt.Chart(rounded(optima)).mark_circle(size=34, opacity=0.9).encode(
        x=x, y=y, color=colour,
        tooltip=tooltips("step:N", ("flops:Q", ".2~e", "FLOP"), ("params:Q", ".3s", "parameters")),
    )  # fmt: skip
    ends = lines.groupby("step", sort=False).tail(1)
    places = ends.assign(place=apart(ends.params.to_list(), factor=2.1))
    sizes = point_names(
        rounded(places), "read:N", x, alt.Y("place:Q", **vertical), color=colour, dx=6
    ).transform_calculate(read=size_label("datum.params"))
    last = float(optima.flops.max())
    rule = at(flops=last).mark_rule(style="end").encode(x=x)
    word = label("runs end here", x, y, (last, 2e6), style="word", dx=5)
    told = "; ".join(f"{one.step} {one.params / 1e9:.0f} billion" for one in ends.itertuples())
    return described(
        rule + word + beyond + inside + points + sizes,
        "Points and lines of compute-optimal model size against training compute for "
        f"{len(order)} set-ups, from 10 to the 16 FLOP; dashed beyond the last runs. At the "
        f"compute of Chinchilla the lines ask for: {told} parameters.",
        height=HEIGHT + 70,
    )


def profile_methods(
    points: pd.DataFrame, curves: Mapping[str, pd.DataFrame],
    optima: Mapping[str, tuple[float, float]],
) -> Any:  # fmt: skip
    """One IsoFLOP profile with the curves two methods lay through it, and their minima.

    Points and curves have columns params, loss; the interpolation comes first and the parabola
    second. `optima` holds parameters and loss of each method's minimum.
    """
    low, high, top = points.params.min(), points.params.max(), points.loss.max()
    bottom = min(one.loss.min() for one in (points, *curves.values()))
    x = alt.X("params:Q", **params_axis((0.8 * low, 1.25 * high)))
    y = alt.Y("loss:Q", **log_axis("Loss (nats per token)", (0.98 * bottom, 1.03 * top),
                                   values=[3, 4, 5, 6, 7, 8, 9, 10], format="d"))  # fmt: skip
    colour, dash = by_role("method:N", dict(zip(curves, (OURS, PARABOLA), strict=True)))
    traced = rounded(pd.concat([curve.assign(method=name) for name, curve in curves.items()]))
    lines = alt.Chart(traced).mark_line(clip=True).encode(x=x, y=y, color=colour, strokeDash=dash)
    dots = (
        alt.Chart(rounded(points[["params", "loss"]]))
        .mark_circle(style="dot", size=55, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips(("params:Q", ".3s", "parameters"),
                                           ("loss:Q", ".4", "loss (nats per token)")))
    )  # fmt: skip
    N, loss = zip(*optima.values(), strict=True)
    heights = [22.0 + 20 * row for row in range(len(optima))]
    found = at(method=list(optima), params=N, loss=loss, row=heights, digits=5).encode(color=colour)
    minima = found.mark_point(style="diamond", size=130).encode(x=x, y=y)
    words = (
        found.transform_calculate(read="datum.method + ': ' + " + size_label("datum.params"))
        .mark_text(style="bold", align="left", x=14)
        .encode(y=alt.Y("row:Q", scale=None, axis=None), text="read:N")
    )
    told = "; ".join(f"{name} {N / 1e6:.3g} million" for name, (N, _) in optima.items())
    return described(
        lines + dots + minima + words,
        f"Losses of {len(points)} model sizes at one budget with two curves, one through every "
        f"point and one parabola through all of them. Minima: {told} parameters.",
    )


def local_exponents(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, omega: float,
    measured: tuple[str, Role, float, tuple[float, float]],
) -> Any:  # fmt: skip
    """Exponent of the non-embedding frontier along the size of the optimal model.

    The laws are in total parameters, `omega` is the embedding parameters at N = 1, and `measured`
    a fit to compare with: its name, look, exponent and range of sizes.
    """
    N = np.geomspace(1e2, 1e13, 111)
    x = alt.X("N:Q", **log_axis("Non-embedding parameters, N", (1e2, 1e13), label="size", step=2))
    vertical = axis("Local exponent of N* in compute", (0.4, 1.05))
    y = alt.Y("exponent:Q", **vertical)
    names = list(laws)
    colour, dash = by_role("law:N", {name: role for name, (role, _) in laws.items()})
    local = {name: nonembedding_exponent(law, N, omega=omega) for name, (_, law) in laws.items()}
    along = pd.concat(
        [pd.DataFrame({"law": name, "N": N, "exponent": one}) for name, one in local.items()]
    )
    lines = alt.Chart(rounded(along)).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash)
    limits = [exponent_limits(law)[1] for _, law in laws.values()]
    law_names = (
        at(law=names, N=1e13, exponent=limits, digits=5)
        .mark_text(style="bold", align="right", dy=-10)
        .encode(x=x, y=y, color=colour, text="law:N")
    )
    peaks = {name: exponent_peak(law, omega=omega) for name, (_, law) in laws.items()}
    tops = rounded(pd.DataFrame([{"law": name, "N": peak.N, "exponent": peak.exponent}
                                 for name, peak in peaks.items()]))  # fmt: skip
    dots = alt.Chart(tops).mark_point(style="diamond", size=90).encode(x=x, y=y, color=colour)
    top_word = point_names(
        tops.nlargest(1, "exponent"), "read:N", x, y, color=colour,
        style="note", align="center", dy=-12,
    ).transform_calculate(
        read="format(datum.exponent, '.2f') + ' at ' + " + size_label("datum.N")
    )  # fmt: skip
    name, role, exponent, (low, high) = measured
    fitted = at(N=low, to=high, exponent=exponent, word=name, foot=0.425).encode(x=x)
    seen = fitted.mark_rect(style="band", color=role.colour, opacity=0.1).encode(x2="to:Q")
    level = fitted.mark_rule(
        color=role.colour, strokeWidth=2, strokeDash=list(role.dash)
    ).encode(x2="to:Q", y=y)  # fmt: skip
    level_word = fitted.mark_text(align="left", dx=6, color=role.colour).encode(
        y=alt.Y("foot:Q", **vertical), text="word:N"
    )
    told = "; ".join(
        f"{law} {peak.exponent:.3f} at {peak.N:.3g} parameters" for law, peak in peaks.items()
    )
    return described(
        seen + level + level_word + lines + law_names + dots + top_word,
        "Line chart of the local exponent of the compute-optimal non-embedding model size against "
        f"that size from 100 to 10 to the 13 parameters, for {' and '.join(names)}. It rises to a "
        f"peak, {told}, and falls to a plateau near one half. A band marks the sizes of {name}.",
    )


def counting(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], *, omega: float,
    measured: tuple[str, Role, pd.DataFrame], centre: float, decades: float = 4.0,
) -> Any:  # fmt: skip
    """One law in two counts, and the slope a study would fit around a chosen budget.

    The laws are in total parameters, the first is drawn, all are read out; `omega` is the
    embedding parameters at N = 1; `measured` a published line: name, look, points (columns C, N).
    The slider, ``log_C``, is the middle of a study of `decades`, and starts at `centre` (FLOP).
    """
    first, (_, law) = next(iter(laws.items()))
    name, role, line = measured
    looks = {"all parameters": EPOCH, "without embeddings": OURS, name: role}
    C = np.geomspace(1e12, 1e26, 57)
    both = (compute_optimal(law, C).N, nonembedding_optimal(law, C, omega=omega).N)
    frames = [pd.DataFrame({"counted": key, "C": C, "N": N})
              for key, N in zip(looks, both, strict=False)]  # fmt: skip
    x = alt.X("C:Q", **compute_axis((1e12, 1e26), step=2))
    # The upper part of the plot is left free for the read-out.
    vertical = log_axis("Compute-optimal parameters, N*", (1e2, 1e16), label="size",
                        values=[1e2, 1e4, 1e6, 1e8, 1e10, 1e12])  # fmt: skip
    stroke = key(symbolType="stroke", symbolSize=400, columns=1)
    lines = (
        alt.Chart(rounded(pd.concat([*frames, line[["C", "N"]].assign(counted=name)])))
        .mark_line()
        .encode(
            x=x, y=alt.Y("N:Q", **vertical), color=hues("counted:N", looks, legend=stroke),
            strokeDash=dashes("counted:N", looks, legend=key(columns=1)),
        )
    )  # fmt: skip
    ends = {"x": x, "x2": "to:Q", "y": alt.Y("low:Q", **vertical), "y2": "high:Q"}
    half = decades / 2
    study = (
        at(half=half, low=1e2, high=3e12)
        .transform_calculate(C="pow(10, log_C - datum.half)", to="pow(10, log_C + datum.half)")
        .mark_rect(style="band", color=RUNS.colour, opacity=0.16)
        .encode(**ends)
    )
    chosen = "abs(datum.centre - log_C) < 0.05"
    slopes = alt.Chart(_fitted_slopes(laws, omega, decades))
    fitted = (
        slopes.transform_filter(f"{chosen} && datum.row == 0")
        .transform_calculate(C=f"pow(10, log_C - {half:g})", to=f"pow(10, log_C + {half:g})")
        .mark_rule(style="interval", strokeWidth=5, color=OURS.colour)
        .encode(**ends)
    )
    here = slopes.transform_filter(chosen).transform_calculate(
        place="34 + 20 * datum.row",
        without="format(datum.fitted, '.3f')",
        all="format(datum.total, '.3f')",
    )
    table = readout(here, READOUT, top=12, row="place")
    start = round(float(np.log10(centre)), 1)
    return described(
        alt.layer(study, lines, fitted, *table).add_params(
            slider("log_C", start, (14, 24, 0.1), "Middle of the study")
        ),
        f"Line chart of compute-optimal parameters against training compute under {first}, "
        "counted with and without embeddings, from 10 to the 12 to 10 to the 26 FLOP, beside "
        f"{name}. A slider moves a study of {decades:g} decades of budgets; a table inside the "
        "chart reads out the exponent that the study would fit in each count under "
        f"{' and '.join(laws)}.",
        height=HEIGHT + 60,
    )


def _fitted_slopes(
    laws: Mapping[str, tuple[Role, ChinchillaLaw]], omega: float, decades: float
) -> pd.DataFrame:
    """What a line through the optima of each window gives, for every stop of the slider."""
    fits = []
    for centre in np.round(np.arange(14, 24.05, 0.1), 1):
        C = np.logspace(centre - decades / 2, centre + decades / 2, 41)
        for row, (name, (_, law)) in enumerate(laws.items()):
            fit = power_line(C, nonembedding_optimal(law, C, omega=omega).N)
            fits.append(
                {
                    "centre": centre, "law": name, "row": row, "fitted": fit.exponent,
                    "total": law.a, "low": float(fit.at(C[0])), "high": float(fit.at(C[-1])),
                }
            )  # fmt: skip
    return rounded(pd.DataFrame(fits))
