"""Charts of repeated data, of the stock of text, and of models trained on models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.data_limits import DataStock
from scalinglib.laws import DataConstrainedLaw
from scalinglib.repetition import worth_of_epochs

from .base import (
    OURS,
    QUIET,
    Role,
    by_role,
    described,
    log_axis,
    params_axis,
    readout,
    rounded,
    size_label,
)

PUBLISHED = Role("published constants", "#cf4a6a", (7, 3))
FRESH = Role("all data fresh", QUIET, (2, 3))
LEVELS = ("#5b86cf", "#0b9670", "#d2600f")
"""Hues of three sample sizes, small to large."""

Band = tuple[str, float, float]
Side = tuple[str, Literal["left", "right"], int]
_BESIDE_A_DOT: tuple[Side, ...] = (("right", "left", 6), ("left", "right", -16))
_BESIDE_A_LINE: tuple[Side, ...] = (("left", "left", 8), ("right", "right", -8))


def worth(
    constants: Mapping[str, tuple[Role, float]], *, bands: Sequence[Band], marks: Sequence[int]
) -> Any:
    """Fresh passes that repeated ones are worth, under several decay constants.

    Parameters
    ----------
    constants : mapping of str to (Role, float)
        Decay constants R_D, the first of which carries the marks.
    bands : sequence of (str, float, float)
        Name and ends of ranges of R_D, widest first.
    marks : sequence of int
        Epochs to mark and label.

    Returns
    -------
    altair.LayerChart
    """
    epochs = np.geomspace(1, 100, 60)
    x = alt.X("epochs:Q", **log_axis("Epochs", (1, 100), label="plain"))
    y = alt.Y("worth:Q", **log_axis("Worth in fresh epochs", (1, 100), label="plain"))
    areas = [
        alt.Chart(
            rounded(
                pd.DataFrame(
                    {
                        "epochs": epochs,
                        "worth": worth_of_epochs(epochs, low).worth,
                        "high": worth_of_epochs(epochs, high).worth,
                    }
                )
            )
        )
        .mark_area(color=OURS.colour, opacity=0.16)
        .encode(x=x, y=y, y2="high:Q")
        for _, low, high in bands
    ]
    roles = {FRESH.name: FRESH, **{name: role for name, (role, _) in constants.items()}}
    colour, dash = by_role("law:N", roles)
    rows = [pd.DataFrame({"law": FRESH.name, "epochs": epochs, "worth": epochs})]
    rows += [
        worth_of_epochs(epochs, R).assign(law=name)[["law", "epochs", "worth"]]
        for name, (_, R) in constants.items()
    ]
    lines = (
        alt.Chart(rounded(pd.concat(rows, ignore_index=True)))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    name, (role, R) = next(iter(constants.items()))
    marked = rounded(worth_of_epochs(list(marks), R))
    at = alt.Chart(marked).encode(x=x, y=y)
    dots = at.mark_point(filled=True, size=70, color=role.colour, opacity=1)
    words = at.mark_text(align="left", dx=7, dy=13, fontSize=11, color=role.colour).encode(
        text=alt.Text("worth:Q", format=".3r")
    )
    # The corner above the diagonal is free at every width.
    names = pd.DataFrame(
        [{"law": name, "epochs": 1.2, "worth": 70 / 1.7**k} for k, name in enumerate(roles)]
    )
    labels = (
        alt.Chart(rounded(names))
        .mark_text(align="left", fontSize=11.5)
        .encode(x=x, y=y, text="law:N", color=colour)
    )
    told = "; ".join(f"{row.epochs:.0f} epochs {row.worth:.3g}" for row in marked.itertuples())
    ranges = "; ".join(f"{one} {low:.0f} to {high:.0f}" for one, low, high in bands)
    return described(
        alt.layer(*areas, lines, dots, words, labels),
        f"Worth of repeated passes against epochs, both on logarithmic axes. Under {name} {told}. "
        f"Shaded: decay constants that fit about as well, {ranges}.",
    )


def pairs(measured: pd.DataFrame, constants: Mapping[str, tuple[Role, float]]) -> Any:
    """Share of the value that repeated tokens kept, run by run, beside two laws.

    Parameters
    ----------
    measured : pandas.DataFrame
        Columns epochs, kept (share), unique_per_param (unique tokens per parameter).
    constants : mapping of str to (Role, float)
        Decay constants R_D.

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(measured[["epochs", "kept", "unique_per_param"]])
    x = alt.X("epochs:Q", **log_axis("Epochs", (1.5, 1000), label="plain"))
    scale = alt.Scale(domain=[0, 1.3], clamp=True)
    y = alt.Y("kept:Q", title="Share of fresh value kept", scale=scale, axis=alt.Axis(format="%"))
    colour = alt.Color(
        "unique_per_param:Q",
        title="Unique tokens per parameter",
        scale=alt.Scale(type="log", scheme="viridis", reverse=True, domain=[0.1, 100], clamp=True),
        legend=alt.Legend(values=[0.1, 1, 10, 100], titleLimit=330),
    )
    points = (
        alt.Chart(data)
        .mark_point(filled=True, size=60, opacity=0.9, stroke=QUIET, strokeWidth=0.6)
        .encode(
            x=x, y=y, color=colour,
            tooltip=[alt.Tooltip("epochs:Q", format=".3r"), alt.Tooltip("kept:Q", format=".0%"),
                     alt.Tooltip("unique_per_param:Q", format=".3r")],
        )
    )  # fmt: skip
    epochs = np.geomspace(1.5, 1000, 60)
    rows = [
        worth_of_epochs(epochs, R).assign(law=name)[["law", "epochs", "kept"]]
        for name, (_, R) in constants.items()
    ]
    shade, dash = by_role("law:N", {name: role for name, (role, _) in constants.items()})
    lines = (
        alt.Chart(rounded(pd.concat(rows, ignore_index=True)))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=shade, strokeDash=dash)
    )
    names = pd.DataFrame(
        [
            {"law": name, "epochs": 1000.0, "kept": 1.2 - 0.12 * k}
            for k, name in enumerate(constants)
        ]
    )
    labels = (
        alt.Chart(names)
        .mark_text(align="right", fontSize=11.5)
        .encode(x=x, y=y, text="law:N", color=shade)
    )
    return described(
        alt.layer(points, lines, labels).resolve_scale(color="independent"),
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

    Parameters
    ----------
    profile : pandas.DataFrame
        Columns R_D and excess, from `objective_profile`.
    minima : pandas.DataFrame
        Columns R_D and excess; finite minima only, best first.
    published : float
        The published constant, which is marked.
    bands : sequence of (str, float, float)
        Name and ends of ranges of R_D, widest first.

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X("R_D:Q", **log_axis("Decay constant, R_D (epochs)", (3, 1e5),
                                  label="power"))  # fmt: skip
    scale = alt.Scale(domain=[-0.05, 1.3], nice=False)
    y = alt.Y("percent:Q", title="Objective above the best (%)", scale=scale)
    inside = profile[(profile.R_D >= 3) & (profile.excess <= 0.013)]
    line = (
        alt.Chart(rounded(inside.assign(percent=100 * inside.excess)[["R_D", "percent"]]))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(x=x, y=y)
    )
    shades = pd.DataFrame(
        [
            {
                "name": name,
                "R_D": low,
                "high": high,
                "percent": -0.05,
                "top": 1.3,
                "at": 1.24 - 0.09 * k,
            }
            for k, (name, low, high) in enumerate(bands)
        ]
    )
    areas = (
        alt.Chart(rounded(shades))
        .mark_rect(opacity=0.13, color=OURS.colour)
        .encode(x=x, x2="high:Q", y=y, y2="top:Q")
    )
    heads = (
        alt.Chart(rounded(shades))
        .mark_text(align="left", dx=4, fontSize=11)
        .encode(x=x, y=alt.Y("at:Q", scale=scale), text="name:N")
    )
    low = rounded(minima.assign(percent=100 * minima.excess)[["R_D", "percent"]])
    near = int((low.R_D - published).abs().argmin())
    low["who"] = ["published" if k == near else "ours" for k in range(len(low))]
    colour = alt.Color(
        "who:N",
        scale=alt.Scale(domain=["ours", "published"], range=[OURS.colour, PUBLISHED.colour]),
        legend=None,
    )
    at = alt.Chart(low).encode(x=x, y=y, color=colour)
    dots = at.mark_point(filled=True, size=80, opacity=1, shape="diamond")
    # Of the other minima two lie side by side; the diamonds are enough for them.
    named = alt.Chart(
        low.iloc[[0, near]].assign(label=[f"{low.R_D[0]:.3g}", f"{published:.3g}"])
    ).encode(x=x, y=y, color=colour, text="label:N")
    words = [
        named.transform_filter("datum.who == 'ours'").mark_text(align="left", dx=6, dy=-20),
        named.transform_filter("datum.who == 'published'").mark_text(align="right", dx=-8, dy=8),
    ]
    told = ", ".join(f"{row.R_D:.3g} at {row.percent:.2f} per cent" for row in low.itertuples())
    return described(
        alt.layer(areas, heads, line, dots, *words),
        "Profile of the objective over the decay constant, on a logarithmic axis from 3 to "
        f"100,000. Local minima: {told}. From about thirty on the curve stays within one per cent "
        "for as far as it is drawn.",
    )


PLAN: tuple[tuple[str, str, float, Any], ...] = (
    ("law", "", 0.01, "left"),
    ("read_N", "N", 0.55, "right"),
    ("read_D", "D", 0.7, "right"),
    ("read_epochs", "epochs", 0.85, "right"),
    ("read_loss", "loss", 1.0, "right"),
)


def planner(laws: Mapping[str, tuple[Role, DataConstrainedLaw]], *, C: float, U: float) -> Any:
    """Loss against size along one budget with a stock of unique tokens, and the lowest points.

    Parameters
    ----------
    laws : mapping of str to (Role, DataConstrainedLaw)
        In the order of the read-out. They share their base.
    C : float
        Where the slider of the budget starts (FLOP).
    U : float
        Where the slider of the unique tokens starts (count).

    Returns
    -------
    altair.LayerChart
        Parameters ``log_C`` and ``log_U`` are the sliders, decimal logarithms.
    """
    sliders = [
        alt.param(
            name="log_C",
            value=round(float(np.log10(C)), 2),
            bind=alt.binding_range(min=20, max=26, step=0.05, name="Training compute "),
        ),
        alt.param(
            name="log_U",
            value=round(float(np.log10(U)), 2),
            bind=alt.binding_range(min=8, max=14, step=0.05, name="Unique tokens "),
        ),
    ]
    base = next(iter(laws.values()))[1].base
    without = {FRESH.name: (FRESH, DataConstrainedLaw(base, 1e9, 1e9))}
    table = pd.DataFrame(
        [
            {
                "law": name, "row": 30 + 18 * row, "R_D": law.R_D, "R_N": law.R_N, "G": base.G,
                "E": base.E, "A": base.A, "B": base.B, "alpha": base.alpha, "beta": base.beta,
            }
            for row, (name, (_, law)) in enumerate({**laws, **without}.items())
        ]
    )  # fmt: skip
    roles = {name: role for name, (role, _) in {**laws, **without}.items()}
    colour, dash = by_role("law:N", roles)
    grid = [round(-2 + 0.01 * k, 2) for k in range(301)]
    x = alt.X("N:Q", **params_axis((1e7, 1e13)))
    y = alt.Y(
        "loss:Q",
        title="Loss (nats per token)",
        scale=alt.Scale(domain=[1.7, 4.2], clamp=True, nice=False),
    )
    # Sizes are tried around the optimum with unlimited data, from a hundredth to ten times of it.
    curve = (
        alt.Chart(table.assign(step=[grid] * len(table)))
        .transform_flatten(["step"])
        .transform_calculate(
            C="pow(10, log_C)", U="pow(10, log_U)",
            N="datum.G * pow(datum.C / 6, datum.beta / (datum.alpha + datum.beta))"
            " * pow(10, datum.step)",
        )
        .transform_calculate(
            D="datum.C / 6 / datum.N",
            fresh="min(datum.D, datum.U)",
            fit="min(datum.N, datum.G * pow(datum.G * datum.U, datum.beta / datum.alpha))",
        )
        .transform_calculate(
            data="datum.fresh * (1 + datum.R_D * (1 - exp((1 - datum.D / datum.fresh)"
            " / datum.R_D)))",
            size="datum.fit * (1 + datum.R_N * (1 - exp((1 - datum.N / datum.fit) / datum.R_N)))",
        )
        .transform_calculate(
            loss="datum.E + datum.A * pow(datum.size, -datum.alpha)"
            " + datum.B * pow(datum.data, -datum.beta)"
        )
    )  # fmt: skip
    drawn = curve.mark_line(strokeWidth=2, clip=True).encode(
        x=x, y=y, color=colour, strokeDash=dash, order="N:Q"
    )
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
    dots = best.mark_circle(size=80, opacity=1).encode(x=x, y=y)
    return described(
        alt.layer(drawn, dots, *readout(best, PLAN)).add_params(*sliders),
        "Loss against model size at a fixed training budget when only so many unique tokens "
        f"exist, under {' and '.join(laws)} and with unlimited data. Two sliders set the budget "
        f"and the unique tokens, starting at {C:.0e} FLOP and {U:.2e} tokens. A table names the "
        "best size, tokens, epochs and loss of each.",
    )


def wall(stock: DataStock, trained: pd.DataFrame, *, factor: float, years: tuple[int, int]) -> Any:
    """Growth of the largest training set against the stock of text.

    Parameters
    ----------
    stock : DataStock
        Stock and demand.
    trained : pandas.DataFrame
        Columns model, year, tokens: training sets to show.
    factor : float
        Second line of demand, a multiple of the first.
    years : (int, int)
        Ends of the axis.

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X(
        "year:Q", title="Year", scale=alt.Scale(domain=list(years), nice=False),
        axis=alt.Axis(format="d", tickCount=6),
    )  # fmt: skip
    y = alt.Y("tokens:Q", **log_axis("Tokens", (1e11, 3e15), label="size"))
    band = (
        alt.Chart(pd.DataFrame({"tokens": [stock.low], "high": [stock.high]}))
        .mark_rect(color=PUBLISHED.colour, opacity=0.15)
        .encode(y=y, y2="high:Q")
    )
    middle = (
        alt.Chart(pd.DataFrame({"tokens": [stock.stock]}))
        .mark_rule(color=PUBLISHED.colour, strokeDash=list(PUBLISHED.dash), strokeWidth=1.5)
        .encode(y=y)
    )
    words = pd.DataFrame(
        {"year": [years[0] + 0.3], "tokens": [stock.stock], "label": ["stock of public text"]}
    )
    head = (
        alt.Chart(words)
        .mark_text(align="left", dy=-9, fontSize=11.5, color=PUBLISHED.colour)
        .encode(x=x, y=y, text="label:N")
    )
    span = np.linspace(stock.year, years[1], 25)
    names = {"trend": 1.0, f"{factor:.0f} times the trend": factor}
    lines = pd.concat(
        [
            pd.DataFrame({"demand": name, "year": span, "tokens": stock.demand(span, factor=one)})
            for name, one in names.items()
        ]
    )
    lines = lines[lines.tokens <= 3e15]
    demand = (
        alt.Chart(rounded(lines, 7))
        .mark_line(strokeWidth=2, color=OURS.colour, clip=True)
        .encode(
            x=x, y=y,
            strokeDash=alt.StrokeDash(
                "demand:N", scale=alt.Scale(domain=list(names), range=[[1, 0], [6, 4]]), legend=None
            ),
        )
    )  # fmt: skip
    met = pd.DataFrame(
        [
            {"year": float(stock.exhausted(factor=one)), "tokens": stock.stock, "side": side}
            for one, side in ((1.0, "right"), (factor, "left"))
        ]
    )
    met["label"] = [f"{year:.1f}" for year in met.year]
    dots = alt.Chart(met).mark_point(filled=True, size=80, color=OURS.colour, opacity=1).encode(
        x=x, y=y
    )  # fmt: skip
    tags = [
        alt.Chart(met[met.side == side])
        .mark_text(align=align, dx=dx, dy=12, fontSize=11.5, fontWeight="bold", color=OURS.colour)
        .encode(x=x, y=y, text="label:N")
        for side, align, dx in _BESIDE_A_DOT
    ]
    ends = pd.DataFrame(
        [
            {"year": float(stock.exhausted(2.2e15)) if one == 1.0 else float(
                stock.exhausted(2.2e15, factor=one)), "tokens": 2.2e15, "label": name,
             "side": "left" if one == 1.0 else "right"}
            for name, one in names.items()
        ]
    )  # fmt: skip
    line_names = [
        alt.Chart(ends[ends.side == side])
        .mark_text(align=align, dx=dx, fontSize=11.5, color=OURS.colour)
        .encode(x=x, y=y, text="label:N")
        for side, align, dx in _BESIDE_A_LINE
    ]
    sets = alt.Chart(trained).encode(x=x, y=y)
    seen = sets.mark_point(filled=True, size=60, color=QUIET, opacity=1)
    models = sets.mark_text(align="left", dx=7, dy=9, fontSize=11).encode(text="model:N")
    return described(
        alt.layer(band, middle, head, demand, dots, *tags, *line_names, seen, models),
        f"Tokens against years. Training sets grow from {stock.tokens:.2g} tokens in "
        f"{stock.year:.0f} by {stock.decades_per_year:g} decades a year and meet a stock of "
        f"{stock.stock:.2g} tokens in {met.year[0]:.1f}, or {met.year[1]:.1f} with {factor:.0f} "
        f"times the demand. The stock is shown with its interval, {stock.low:.2g} to "
        f"{stock.high:.2g} tokens.",
    )


def collapse(paths: pd.DataFrame, theory: pd.DataFrame) -> Any:
    """Spread of a distribution that is refitted to its own samples.

    Parameters
    ----------
    paths : pandas.DataFrame
        Columns n (label), generation, low, middle, high.
    theory : pandas.DataFrame
        Columns n (label), generation, middle: the closed form.

    Returns
    -------
    altair.LayerChart
    """
    order = list(dict.fromkeys(paths.n))
    last = int(paths.generation.max())
    x = alt.X("generation:Q", title="Generation", scale=alt.Scale(domain=[0, last * 1.3]),
              axis=alt.Axis(values=[0, 20, 40, 60, 80, 100]))  # fmt: skip
    scale = alt.Scale(type="log", domain=[0.02, 2], nice=False)
    y = alt.Y(
        "middle:Q",
        title="Standard deviation",
        scale=scale,
        axis=alt.Axis(values=[0.02, 0.05, 0.1, 0.2, 0.5, 1, 2]),
    )
    colour = alt.Color("n:N", scale=alt.Scale(domain=order, range=list(LEVELS)), legend=None)
    thin = paths[paths.generation % 2 == 0]
    area = (
        alt.Chart(rounded(thin, 4))
        .mark_area(opacity=0.16, clip=True)
        .encode(x=x, y=alt.Y("low:Q", scale=scale, title="Standard deviation"), y2="high:Q",
                color=colour)
    )  # fmt: skip
    lines = alt.Chart(rounded(thin, 4)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    dashed = (
        alt.Chart(rounded(theory, 4))
        .mark_line(strokeDash=[4, 3], strokeWidth=1.3, color=QUIET)
        .encode(x=x, y=y, detail="n:N")
    )
    ends = (
        alt.Chart(rounded(paths[paths.generation == last], 4))
        .mark_text(align="left", dx=5, fontSize=11.5)
        .encode(x=x, y=y, text="n:N", color=colour)
    )
    told = "; ".join(
        f"{row.n} {row.middle:.2g}" for row in paths[paths.generation == last].itertuples()
    )
    return described(
        alt.layer(area, dashed, lines, ends),
        f"Standard deviation over {last} generations, on a logarithmic axis, median and the middle "
        f"80 per cent of the chains. Medians at the end: {told}. Dashed lines are the closed form.",
    )
