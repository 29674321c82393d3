"""Pictures of repeated data, of the stock of text, and of models trained on models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    OURS,
    QUIET,
    Column,
    Role,
    at,
    axis,
    band,
    budget_slider,
    by_role,
    dashes,
    described,
    hues,
    log_axis,
    params_axis,
    point_names,
    readout,
    rounded,
    size_label,
    slider,
    tooltips,
)
from scalinglib.laws import DataConstrainedLaw
from scalinglib.topics.data_limits import DataStock, worth_of_epochs

PUBLISHED = Role("published constants", "#cf4a6a", (7, 3))
FRESH = Role("all data fresh", QUIET, (2, 3))
LEVELS = ("#5b86cf", "#0b9670", "#d2600f")
"""Hues of three sample sizes, small to large."""

PLAN: tuple[Column, ...] = (
    ("law", "", 0.01, "left"),
    ("read_N", "N", 0.55, "right"),
    ("read_D", "D", 0.7, "right"),
    ("read_epochs", "epochs", 0.85, "right"),
    ("read_loss", "loss", 1.0, "right"),
)
"""Columns of the table inside the planner."""

Constants = Mapping[str, tuple[Role, float]]
"""Decay constants R_D (epochs) by name."""

Band = tuple[str, float, float]
"""A range of R_D: its name and its ends."""


def _decays(constants: Constants, epochs: np.ndarray, kind: str) -> pd.DataFrame:
    """What epochs are worth ("worth") or keep of fresh value ("kept") under each constant."""
    parts = [worth_of_epochs(epochs, R).assign(law=name) for name, (_, R) in constants.items()]
    return pd.concat(parts, ignore_index=True)[["law", "epochs", kind]]


def _named(
    curves: pd.DataFrame, places: pd.DataFrame, roles: Mapping[str, Role], x: alt.X, y: alt.Y,
    align: str,
) -> tuple[alt.Chart, alt.Chart]:  # fmt: skip
    """Curves of laws and, at their places, the names of the laws."""
    colour, dash = by_role("law:N", roles)
    look: dict[str, Any] = {"style": "text", "fontSize": 11.5, "align": align}
    return (
        alt.Chart(rounded(curves)).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash),
        point_names(rounded(places), "law:N", x, y, color=colour, **look),
    )


def worth(constants: Constants, *, bands: Sequence[Band], marks: Sequence[int]) -> Any:
    """Fresh passes that repeated ones are worth, under several decay constants.

    The first constant carries dots and numbers at the epochs in `marks`; `bands` are shaded, the
    widest first.
    """
    epochs = np.geomspace(1, 100, 60)
    x = alt.X("epochs:Q", **log_axis("Epochs", (1, 100), label="plain"))
    y = alt.Y("worth:Q", **log_axis("Worth in fresh epochs", (1, 100), label="plain"))
    areas = []
    for _, low, high in bands:
        ends = worth_of_epochs(epochs, low)[["epochs", "worth"]]
        shade = alt.Chart(rounded(ends.assign(high=worth_of_epochs(epochs, high).worth)))
        area = shade.mark_area(color=OURS.colour, opacity=0.16)
        areas.append(area.encode(x=x, y=y, y2="high:Q"))
    roles = {FRESH.name: FRESH, **{name: role for name, (role, _) in constants.items()}}
    fresh = pd.DataFrame({"law": FRESH.name, "epochs": epochs, "worth": epochs})
    curves = pd.concat([fresh, _decays(constants, epochs, "worth")], ignore_index=True)
    # The corner above the diagonal is free at every width.
    heights = [70 / 1.7**k for k in range(len(roles))]
    corner = pd.DataFrame({"law": list(roles), "epochs": 1.2, "worth": heights})
    lines, names = _named(curves, corner, roles, x, y, "left")
    name, (role, R) = next(iter(constants.items()))
    marked = rounded(worth_of_epochs(list(marks), R))
    base = alt.Chart(marked).encode(x=x, y=y)
    dots = base.mark_point(style="dot", size=70, color=role.colour)
    numbers = base.mark_text(style="note", align="left", dx=7, dy=13, color=role.colour).encode(
        text=alt.Text("worth:Q", format=".3r")
    )
    told = "; ".join(f"{row.epochs:.0f} epochs {row.worth:.3g}" for row in marked.itertuples())
    ranges = "; ".join(f"{one} {low:.0f} to {high:.0f}" for one, low, high in bands)
    return described(
        alt.layer(*areas, lines, dots, numbers, names),
        f"Worth of repeated passes against epochs, both on logarithmic axes. Under {name} {told}. "
        f"Shaded: decay constants that fit about as well, {ranges}.",
    )


def pairs(measured: pd.DataFrame, constants: Constants) -> Any:
    """Share of the value that repeated tokens kept, run by run, beside two laws.

    Columns epochs, kept (share), unique_per_param (unique tokens per parameter).
    """
    data = rounded(measured[["epochs", "kept", "unique_per_param"]])
    x = alt.X("epochs:Q", **log_axis("Epochs", (1.5, 1000), label="plain"))
    y = alt.Y(
        "kept:Q", **axis("Share of fresh value kept", (0, 1.3), scale={"clamp": True}, format="%")
    )
    colour = alt.Color(
        "unique_per_param:Q",
        title="Unique tokens per parameter",
        scale=alt.Scale(type="log", scheme="viridis", reverse=True, domain=[0.1, 100], clamp=True),
        legend=alt.Legend(values=[0.1, 1, 10, 100], titleLimit=330),
    )
    told = tooltips(("epochs:Q", ".3r"), ("kept:Q", ".0%"), ("unique_per_param:Q", ".3r"))
    base = alt.Chart(data).encode(x=x, y=y, color=colour, tooltip=told)
    points = base.mark_point(style="dot", size=60, opacity=0.9, stroke=QUIET, strokeWidth=0.6)
    curves = _decays(constants, np.geomspace(1.5, 1000, 60), "kept")
    heights = [1.25 - 0.1 * k for k in range(len(constants))]
    corner = pd.DataFrame({"law": list(constants), "epochs": 1000.0, "kept": heights})
    roles = {name: role for name, (role, _) in constants.items()}
    laws = _named(curves, corner, roles, x, y, "right")
    return described(
        alt.layer(points, *laws).resolve_scale(color="independent"),
        f"Scatter plot of {len(data)} pairs of runs: share of the value of fresh tokens that "
        "repeated ones kept, against epochs, coloured by unique tokens per parameter. It falls "
        f"from about {data[data.epochs < 3].kept.median():.0%} at two to three "
        f"epochs to {data[data.epochs > 30].kept.median():.0%} beyond thirty, lower where few "
        "unique tokens meet a large model. Lines show what the decay constants alone predict.",
    )


def valley(
    profile: pd.DataFrame, minima: pd.DataFrame, *, published: float, bands: Sequence[Band]
) -> Any:
    """How much worse the best fit gets when the decay constant of tokens is held.

    Columns of both frames: R_D (epochs), excess (share of the lowest objective); `minima` holds
    the finite ones, best first. The one nearest to `published` is marked as such; `bands` are
    shaded, the widest first.
    """
    bottom, top = -0.05, 1.3
    x = alt.X("R_D:Q", **log_axis("Decay constant, R_D (epochs)", (3, 1e5), label="power"))
    vertical = axis("Objective above the best (%)", (bottom, top))
    y = alt.Y("percent:Q", **vertical)
    inside = profile[(profile.R_D >= 3) & (profile.excess <= 0.013)]
    line = (
        alt.Chart(rounded(inside.assign(percent=100 * inside.excess)[["R_D", "percent"]]))
        .mark_line(color=OURS.colour)
        .encode(x=x, y=y)
    )
    names = [1.24 - 0.09 * k for k in range(len(bands))]
    ranges = pd.DataFrame(bands, columns=["name", "R_D", "high"])
    shades = alt.Chart(rounded(ranges.assign(percent=bottom, top=top, at=names))).encode(x=x)
    areas = shades.mark_rect(opacity=0.13, color=OURS.colour).encode(x2="high:Q", y=y, y2="top:Q")
    heads = shades.mark_text(style="note", align="left", dx=4).encode(
        y=alt.Y("at:Q", scale=vertical["scale"]), text="name:N"
    )
    low = rounded(minima.assign(percent=100 * minima.excess)[["R_D", "percent"]])
    near = int((low.R_D - published).abs().argmin())
    low["who"] = ["published" if k == near else "ours" for k in range(len(low))]
    colour = hues("who:N", {"ours": OURS, "published": PUBLISHED})
    dots = alt.Chart(low).mark_point(style="diamond", size=80).encode(x=x, y=y, color=colour)
    # Of the other minima two lie side by side; the diamonds are enough for them.
    named = alt.Chart(
        low.iloc[[0, near]].assign(label=[f"{low.R_D[0]:.3g}", f"{published:.3g}"])
    ).encode(x=x, y=y, color=colour, text="label:N")
    best = named.transform_filter("datum.who == 'ours'").mark_text(align="left", dx=6, dy=-20)
    printed = named.transform_filter("datum.who == 'published'")
    told = ", ".join(f"{row.R_D:.3g} at {row.percent:.2f} per cent" for row in low.itertuples())
    return described(
        alt.layer(areas, heads, line, dots, best, printed.mark_text(align="right", dx=-8, dy=8)),
        "Profile of the objective over the decay constant, on a logarithmic axis from 3 to "
        f"100,000. Local minima: {told}. From about thirty on the curve stays within one per cent "
        "for as far as it is drawn.",
    )


def planner(laws: Mapping[str, tuple[Role, DataConstrainedLaw]], *, C: float, U: float) -> Any:
    """Loss against size along one budget with a stock of unique tokens, and the lowest points.

    The laws, in the order of the read-out, share their base. The sliders ``log_C`` and ``log_U``,
    decimal logarithms of compute (FLOP) and of unique tokens, start at `C` and `U`.
    """
    base = next(iter(laws.values()))[1].base
    every = {**laws, FRESH.name: (FRESH, DataConstrainedLaw(base, 1e9, 1e9))}
    colour, dash = by_role("law:N", {name: role for name, (role, _) in every.items()})
    x = alt.X("N:Q", **params_axis((1e7, 1e13)))
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("loss:Q", **axis("Loss (nats per token)", (1.7, 4.2), scale={"clamp": True},
                               values=[2, 2.5, 3, 3.5]))  # fmt: skip
    curve = _along_budget({name: law for name, (_, law) in every.items()})
    drawn = curve.mark_line(clip=True).encode(x=x, y=y, color=colour, strokeDash=dash, order="N:Q")
    best = (
        curve.transform_joinaggregate(lowest="min(loss)", groupby=["law"])
        .transform_filter("datum.loss == datum.lowest")
        .transform_calculate(
            read_N=size_label("datum.N"),
            read_D=size_label("datum.D"),
            read_epochs=f"datum.law == '{FRESH.name}' ? '' : datum.D < datum.U ? 'under 1'"
            " : format(datum.D / datum.U, '.3r')",
            read_loss="format(datum.loss, '.3f')",
        )
        .encode(color=colour)
    )
    dots = best.mark_circle(style="dot").encode(x=x, y=y)
    unique = slider("log_U", round(float(np.log10(U)), 2), (8, 14, 0.05), "Unique tokens")
    return described(
        alt.layer(drawn, dots, *readout(best, PLAN)).add_params(
            budget_slider(C, low=20, high=26, step=0.05), unique
        ),
        "Loss against model size at a fixed training budget when only so many unique tokens "
        f"exist, under {' and '.join(laws)} and with unlimited data. Two sliders set the budget "
        f"and the unique tokens, starting at {C:.0e} FLOP and {U:.2e} tokens. A table names the "
        "best size, tokens, epochs and loss of each.",
    )


def _along_budget(laws: Mapping[str, DataConstrainedLaw]) -> alt.Chart:
    """Losses under each law along the budget of the slider, from the smallest size up.

    Sizes run from a hundredth to ten times of the optimum with unlimited data.
    """
    constants = ("G", "E", "A", "B", "alpha", "beta")
    table = pd.DataFrame(
        [
            {"law": name, "row": 30 + 18 * row, "R_D": law.R_D, "R_N": law.R_N,
             **{one: getattr(law.base, one) for one in constants}}
            for row, (name, law) in enumerate(laws.items())
        ]
    )  # fmt: skip
    grid = [round(-2 + 0.01 * k, 2) for k in range(301)]
    return (
        alt.Chart(table.assign(step=[grid] * len(table)))
        .transform_flatten(["step"])
        .transform_calculate(
            C="pow(10, log_C)",
            U="pow(10, log_U)",
            N="datum.G * pow(datum.C / 6, datum.beta / (datum.alpha + datum.beta))"
            " * pow(10, datum.step)",
            D="datum.C / 6 / datum.N",
            fresh="min(datum.D, datum.U)",
            fit="min(datum.N, datum.G * pow(datum.G * datum.U, datum.beta / datum.alpha))",
            data="datum.fresh * (1 + datum.R_D * (1 - exp((1 - datum.D / datum.fresh)"
            " / datum.R_D)))",
            size="datum.fit * (1 + datum.R_N * (1 - exp((1 - datum.N / datum.fit) / datum.R_N)))",
            loss="datum.E + datum.A * pow(datum.size, -datum.alpha)"
            " + datum.B * pow(datum.data, -datum.beta)",
        )
    )


def wall(stock: DataStock, trained: pd.DataFrame, *, over: float, years: tuple[int, int]) -> Any:
    """Growth of the largest training set against the stock of text, between two years.

    Columns of `trained`: model, year, tokens. A second line of demand is that of models with
    `over` times the tokens per parameter at the same budget: sqrt(over) times the tokens.
    """
    x = alt.X("year:Q", **axis("Year", years, format="d", tickCount=6))
    y = alt.Y("tokens:Q", **log_axis("Tokens", (1e11, 3e15), label="size"))
    shade = band(y, stock.low, stock.high, color=PUBLISHED.colour, opacity=0.15)
    middle = (
        at(tokens=stock.stock)
        .mark_rule(color=PUBLISHED.colour, strokeDash=list(PUBLISHED.dash), strokeWidth=1.5)
        .encode(y=y)
    )
    head = (
        at(year=years[0] + 0.3, tokens=stock.stock, label="stock of public text")
        .mark_text(align="left", dy=-9, fontSize=11.5, color=PUBLISHED.colour)
        .encode(x=x, y=y, text="label:N")
    )
    span = np.linspace(stock.year, years[1], 25)
    trends = {"compute-optimal": 1.0, f"{over:.0f} times over-trained": float(np.sqrt(over))}
    curves = pd.concat(
        [
            pd.DataFrame({"demand": name, "year": span, "tokens": stock.demand(span, factor=one)})
            for name, one in trends.items()
        ]
    )
    solid_and_dashed = dict(zip(trends, ((1, 0), (6, 4)), strict=True))
    demand = (
        alt.Chart(rounded(curves[curves.tokens <= 3e15], 7))
        .mark_line(color=OURS.colour, clip=True)
        .encode(x=x, y=y, strokeDash=dashes("demand:N", solid_and_dashed))
    )
    met = pd.DataFrame(
        {"year": [float(stock.exhausted(factor=one)) for one in trends.values()],
         "tokens": stock.stock, "side": ["right", "left"]}
    )  # fmt: skip
    met["label"] = [f"{year:.1f}" for year in met.year]
    dots = alt.Chart(met).mark_point(style="dot", color=OURS.colour).encode(x=x, y=y)
    tags = [
        point_names(met[met.side == side], "label:N", x, y, color=OURS.colour, align=align, dx=dx,
                    dy=12, fontSize=11.5)
        for side, align, dx in (("right", "left", 6), ("left", "right", -16))
    ]  # fmt: skip
    # The solid line is named below the stock, where a narrow screen has room to its right.
    places = (6e13, 2.2e15)
    out = pd.DataFrame(
        {"year": [float(stock.exhausted(place, factor=one))
                  for place, one in zip(places, trends.values(), strict=True)],
         "tokens": places, "label": list(trends), "side": ["left", "right"]}
    )  # fmt: skip
    names = [
        point_names(out[out.side == side], "label:N", x, y, color=OURS.colour, align=side, dx=dx,
                    style="text", fontSize=11.5)
        for side, dx in (("left", 8), ("right", -8))
    ]  # fmt: skip
    seen = alt.Chart(trained).mark_point(style="dot", size=60, color=QUIET).encode(x=x, y=y)
    models = point_names(trained, "model:N", x, y, style="note", dx=7, dy=9)
    return described(
        alt.layer(shade, middle, head, demand, dots, *tags, *names, seen, models),
        f"Tokens against years. Compute-optimal sets grow from {stock.tokens:.2g} tokens in "
        f"{stock.year:.0f} by {stock.decades_per_year:.3g} decades a year and meet a stock of "
        f"{stock.stock:.2g} tokens in {met.year[0]:.1f}, or {met.year[1]:.1f} with {over:.0f} "
        f"times the tokens per parameter. The stock is shown with its interval, {stock.low:.2g} to "
        f"{stock.high:.2g} tokens.",
    )


def collapse(paths: pd.DataFrame, theory: pd.DataFrame) -> Any:
    """Spread of a distribution that is refitted to its own samples, and its closed form.

    Columns of `paths`: n (a label), generation, low, middle, high; of `theory`: n, generation,
    middle.
    """
    last = int(paths.generation.max())
    x = alt.X("generation:Q", **axis("Generation", (0, last * 1.3), values=[*range(0, 101, 20)]))
    spread = log_axis("Standard deviation", (0.02, 2), values=[0.02, 0.05, 0.1, 0.2, 0.5, 1, 2])
    y = alt.Y("middle:Q", **spread)
    colour = hues("n:N", dict(zip(dict.fromkeys(paths.n), LEVELS, strict=False)))
    base = alt.Chart(rounded(paths[paths.generation % 2 == 0], 4)).encode(x=x, color=colour)
    area = base.mark_area(opacity=0.16, clip=True).encode(y=alt.Y("low:Q", **spread), y2="high:Q")
    lines = base.mark_line().encode(y=y)
    dashed = (
        alt.Chart(rounded(theory, 4))
        .mark_line(strokeDash=[4, 3], strokeWidth=1.3, color=QUIET)
        .encode(x=x, y=y, detail="n:N")
    )
    ends = paths[paths.generation == last]
    names = point_names(
        rounded(ends, 4), "n:N", x, y, color=colour, style="text", dx=5, fontSize=11.5
    )
    told = "; ".join(f"{row.n} {row.middle:.2g}" for row in ends.itertuples())
    return described(
        alt.layer(area, dashed, lines, names),
        f"Standard deviation over {last} generations, on a logarithmic axis, median and the middle "
        f"80 per cent of the chains. Medians at the end: {told}. Dashed lines are the closed form.",
    )
