"""Pictures of learning rate, batch and schedule: valleys, exponents, prices, and cooldowns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    HEIGHT,
    KAPLAN,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Column,
    Role,
    apart,
    at,
    axis,
    compute_axis,
    described,
    hues,
    key,
    label,
    log_axis,
    point_names,
    readout,
    rounded,
    row_names,
    rows,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.topics.hyperparameters import Cell, Pair, Rule, costs

STEP = Role("Step Law", OCHRE, (7, 3))
DEEPSEEK = Role("DeepSeek", VIOLET, (2, 3))
PORIAN = Role("Porian", "#c8553d", (8, 3, 2, 3))
RULES = (STEP, DEEPSEEK, PORIAN)
LOWEST = Role("lowest run", RUNS.colour)
SECOND = Role("second set of grids", "#0f8b8d")

SIZES = ("#3f8fc9", "#1f9e89", "#6f9a1f", "#b7811a", "#c8553d")
"""Model sizes of the grids, from the smallest."""

BANDS = (0.25, 0.5, 1.0, 2.0, 5.0)
"""Edges (per cent above the lowest run) of the shades of a grid."""

REACH = float(np.log10(2))
"""Decades of size or tokens up to which a grid counts as near."""

ROW = 46

READOUT: tuple[Column, ...] = (
    ("rule", "", 0.01, "left"),
    ("read_rate", "rate", 0.42, "right"),
    ("read_batch", "batch", 0.66, "right"),
    ("read_cost", "cost", 1.0, "right"),
)
"""Columns of the table inside the interactive chart."""


def band_names() -> list[str]:
    """The shades of a grid in words, from the lowest loss."""
    return [f"≤ {BANDS[0]:g} %", *(f"{edge:g}" for edge in BANDS[1:]), "more"]


def shaded(grids: Sequence[Cell]) -> pd.DataFrame:
    """A row a run: cell, rate, batch, and the band of its excess; diverged runs are the last."""
    names = band_names()
    parts = []
    for number, cell in enumerate(grids):
        row, column = np.nonzero(np.isfinite(cell.measured))
        above = 100 * (cell.measured[row, column] / cell.best[2] - 1)
        band = [names[int(one)] for one in np.searchsorted(BANDS, above)]
        parts.append(
            pd.DataFrame(
                {"cell": number, "rate": cell.rates[row], "batch": cell.batches[column],
                 "band": band}
            )
        )  # fmt: skip
    return rounded(pd.concat(parts, ignore_index=True), 4)


def _plane(top: float) -> tuple[alt.X, alt.Y]:
    """Batch and rate; `top` leaves room for a read-out."""
    x = alt.X("batch:Q", **log_axis("Batch (tokens)", (2.5e4, 6e6), label="size"))
    ticks = [0.0003, 0.001, 0.003, 0.01, 0.03]
    y = alt.Y("rate:Q", **log_axis("Peak learning rate", (0.0002, top), values=ticks,
                                   label="plain"))  # fmt: skip
    return x, y


def _tiles(frame: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:
    """Runs as squares, the darker the nearer to the lowest loss of their grid."""
    shade = alt.Scale(
        type="ordinal", domain=band_names(), range=[1.0, 0.72, 0.48, 0.28, 0.14, 0.05]
    )
    legend = key(columns=3, symbolFillColor=OURS.colour, symbolStrokeWidth=0, symbolType="square")
    return (
        alt.Chart(frame)
        .mark_square(size=190, color=OURS.colour)
        .encode(x=x, y=y, opacity=alt.Opacity("band:N", scale=shade, sort=None, legend=legend))
    )


def valley(cell: Cell, marks: Mapping[str, tuple[Role, float, float]]) -> Any:
    """The runs of one cell, and settings to mark: a role, rate and batch by name."""
    x, y = _plane(0.03)
    placed = pd.DataFrame(
        [{"name": name, "rate": rate, "batch": batch} for name, (_, rate, batch) in marks.items()]
    )
    looks = {name: role for name, (role, _, _) in marks.items()}
    base = alt.Chart(rounded(placed)).encode(x=x, y=y)
    points = base.mark_point(
        size=130, filled=True, opacity=1, stroke="white", strokeWidth=1.5
    ).encode(
        color=hues("name:N", looks, legend=key(orient="bottom", columns=3)),
        shape=shapes("name:N", looks, ("circle", "diamond", "square", "triangle-up", "cross"),
                     legend=alt.Undefined),
        tooltip=tooltips("name:N", ("rate:Q", ".3r"), ("batch:Q", ".3s")),
    )  # fmt: skip
    runs = int(np.isfinite(cell.measured).sum())
    told = "; ".join(f"{name} at rate {rate:.2g} and batch {batch:.2g}"
                     for name, (_, rate, batch) in marks.items())  # fmt: skip
    return described(
        _tiles(shaded([cell]), x, y) + points,
        f"Grid of {runs} runs, peak learning rate against batch on logarithmic axes. Runs within "
        "a per cent of the lowest loss form a broad tilted patch in the middle; the loss rises "
        f"steeply at high rates and small batches. Marked: {told}.",
        height=HEIGHT + 40,
    )


def exponents(values: pd.DataFrame) -> Any:
    """Exponents of several rules, in rows, each from several sources with an interval.

    Columns exponent, source, value, low, high (which may be missing), in the order drawn.
    """
    order, sources = list(dict.fromkeys(values.exponent)), list(dict.fromkeys(values.source))
    looks = dict(zip(sources, (LOWEST, OURS, STEP, SECOND), strict=True))
    x = alt.X("value:Q", **axis("Exponent", (-1.25, 0.85), tickCount=8))
    y = rows("exponent:N", order)
    shift = alt.YOffset("source:N", sort=sources, scale=alt.Scale(paddingOuter=0.6))
    base = alt.Chart(rounded(values)).encode(
        y=y, yOffset=shift, color=hues("source:N", looks, legend=key(columns=2))
    )
    bars = base.mark_rule(style="interval").encode(x=alt.X("low:Q", scale=x["scale"]), x2="high:Q")
    dots = base.mark_point(style="dot", size=70).encode(
        x=x,
        shape=shapes("source:N", sources, legend=alt.Undefined),
        tooltip=tooltips("exponent:N", "source:N", ("value:Q", ".3f"), ("low:Q", ".3f"),
                         ("high:Q", ".3f")),
    )  # fmt: skip
    heads = alt.Chart(pd.DataFrame({"exponent": order})).encode(y=y)
    names = row_names(heads, "exponent:N", dy=-42, style="bold")
    zero = at(value=0.0).mark_rule(style="quiet").encode(x=x)
    told = "; ".join(
        f"{one.exponent}, {one.source}: {one.value:.2f}" for one in values.itertuples()
    )
    return described(
        zero + bars + dots + names,
        f"Dot plot of {len(order)} exponents from {len(sources)} sources, with 95 per cent "
        f"intervals and a line at zero. {told}.",
        height=125 * len(order),
    )


def _by_size(field: str, found: pd.DataFrame, legend: Any = None) -> alt.Color:
    """Colours of the sizes, whose names stand in a column."""
    names = list(dict.fromkeys(found[field]))
    return hues(f"{field}:N", dict(zip(names, SIZES, strict=False)), legend=legend)


def against_compute(found: pd.DataFrame, rule: Rule, printed: Rule) -> Any:
    """Best rate of each cell against compute, with a fitted and a printed rule in compute alone.

    Columns size, C (FLOP), D (tokens), rate; the runs of one size are joined in the order of data.
    """
    x = alt.X("C:Q", **compute_axis((3e18, 1.5e21)))
    y = alt.Y("rate:Q", **log_axis("Best peak learning rate", (0.0007, 0.006),
                                   values=[0.001, 0.002, 0.004], label="plain"))  # fmt: skip
    base = alt.Chart(rounded(found)).encode(x=x, y=y, color=_by_size("size", found))
    joined = base.mark_line(strokeWidth=1.5, opacity=0.6)
    dots = base.mark_circle(style="dot", size=80).encode(
        tooltip=tooltips("size:N", ("D:Q", ".3s", "tokens"), ("rate:Q", ".3r", "rate"))
    )
    C = np.geomspace(3.5e18, 5e20, 21)
    one = np.ones_like(C)
    curves = pd.concat(
        [
            # A rule in compute does not ask how C = 6 N D was split.
            pd.DataFrame({"C": C, "rate": own(C / 6, one), "rule": name})
            for name, own in (("fitted, C alone", rule), ("DeepSeek", printed))
        ],
        ignore_index=True,
    )
    looks = {"fitted, C alone": Role("", QUIET, (5, 4)), "DeepSeek": DEEPSEEK}
    lines = (
        alt.Chart(rounded(curves))
        .mark_line(strokeWidth=2)
        .encode(
            x=x, y=y, detail="rule:N",
            stroke=alt.Stroke("rule:N", legend=None, scale=alt.Scale(
                domain=list(looks), range=[role.colour for role in looks.values()])),
            strokeDash=alt.StrokeDash("rule:N", legend=None, scale=alt.Scale(
                domain=list(looks), range=[list(role.dash) for role in looks.values()])),
        )
    )  # fmt: skip
    words = [
        label(name, x, y, (3.6e18, float(own(3.6e18 / 6, 1.0))), dy=-8, color=looks[name].colour)
        for name, own in (("fitted, C alone", rule), ("DeepSeek", printed))
    ]
    ends = found.groupby("size", sort=False).tail(1)
    ends = rounded(ends.assign(rate=apart(ends.rate.tolist(), 1.09)))
    names = point_names(ends, "size:N", x, y, color=_by_size("size", found), dx=8)
    return described(
        alt.layer(lines, joined, dots, names, *words),
        f"Best learning rate of {len(found)} grids against training compute, the grids of one "
        "size joined. Along a size the rate mostly rises, larger sizes start lower, and all "
        "together show no trend with compute. Two rules in compute alone are drawn as nearly flat "
        "lines.",
    )


def price(spent: pd.DataFrame) -> Any:
    """Excess of the loss of each grid under several rules, a row a rule, and the median.

    Columns rule, size, excess (per cent), tokens (extra, per cent); runs off the grid are left out.
    """
    order = list(dict.fromkeys(spent.rule))
    ticks = [0.01, 0.03, 0.1, 0.3, 1, 3]
    x = alt.X("excess:Q", **log_axis("Loss above the lowest run (%)", (0.008, 3), values=ticks,
                                     label="plain"))  # fmt: skip
    y = rows("rule:N", order)
    drawn = spent.assign(excess=spent.excess.clip(lower=0.009))
    base = alt.Chart(rounded(drawn)).encode(y=y)
    dots = base.mark_circle(style="dot", size=55, opacity=0.75).encode(
        x=x, color=_by_size("size", spent, key(columns=5)),
        tooltip=tooltips("rule:N", "size:N", ("excess:Q", ".2f", "% of the loss"),
                         ("tokens:Q", ".1f", "% of the tokens")),
    )  # fmt: skip
    middle = spent.groupby("rule", sort=False, as_index=False).excess.median()
    means = alt.Chart(rounded(middle)).encode(x=x, y=y)
    tick = means.mark_tick(thickness=3, size=20, color=RUNS.colour)
    number = means.mark_text(style="number", dy=-15, color=RUNS.colour).encode(
        text=alt.Text("excess:Q", format=".2f")
    )
    heads = alt.Chart(pd.DataFrame({"rule": order})).encode(y=y)
    told = "; ".join(f"{one.rule} {one.excess:.2f}" for one in middle.itertuples())
    return described(
        dots + tick + number + row_names(heads, "rule:N", dy=-15),
        f"Strip plot of the loss of {spent.groupby('rule').size().max()} grids above "
        f"their lowest run, in per cent, under {len(order)} rules; ticks mark medians. {told}.",
        height=ROW * len(order) + 10,
    )


def sign_change(held: pd.DataFrame, free: tuple[float, float]) -> Any:
    """Exponent of the best rate in tokens when the batch is held, against that batch.

    Columns batch, D, "D low", "D high"; `free` is the interval with the batch at its best.
    """
    x = alt.X("batch:Q", **log_axis("Batch that is held (tokens)", (5e4, 5.5e6),
                                    values=[1e5, 3e5, 1e6, 3e6], label="size"))  # fmt: skip
    y = alt.Y("D:Q", **axis("Exponent of the best rate in tokens", (-0.5, 0.55), tickCount=6))
    frame = rounded(held.rename(columns={"D low": "low", "D high": "high"}))
    base = alt.Chart(frame).encode(x=x)
    bars = base.mark_rule(style="interval", color=OURS.colour).encode(
        y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q"
    )
    line = base.mark_line(color=OURS.colour, strokeWidth=1.5, opacity=0.5).encode(y=y)
    dots = base.mark_circle(style="dot", color=OURS.colour).encode(
        y=y, tooltip=tooltips(("batch:Q", ".3s"), ("D:Q", "+.2f"))
    )
    zero = at(D=0.0).mark_rule(style="quiet").encode(y=y)
    shade = at(low=free[0], high=free[1]).mark_rect(style="band", color=OCHRE).encode(
        y=alt.Y("low:Q", scale=y["scale"]), y2="high:Q"
    )  # fmt: skip
    word = label("batch at its best", x, y, (5.4e4, free[1]), dy=-8, color=OCHRE)
    told = "; ".join(f"{one.batch:.2g}: {one.D:+.2f}" for one in frame.itertuples())
    return described(
        shade + zero + bars + line + dots + word,
        f"The exponent of the best learning rate in tokens for {len(frame)} batches that are "
        f"held, with 95 per cent intervals: {told}. Negative at small batches, positive at one to "
        "two million tokens. A band marks the exponent with the batch at its best.",
    )


def wasteful_batches(found: pd.DataFrame, rule: Rule, other: Rule) -> Any:
    """Batches at which a fifth more data would be needed, and best batches, against tokens.

    Columns size, D, wasteful, batch, critical (Kaplan's); a fitted rule in tokens for the first
    and for the second.
    """
    x = alt.X("D:Q", **log_axis("Training tokens, D", (3e9, 1.4e11),
                                values=[4e9, 1e10, 2e10, 5e10, 1e11], label="size"))  # fmt: skip
    y = alt.Y("batch:Q", **log_axis("Batch (tokens)", (1e5, 8e6), values=[1e5, 3e5, 1e6, 3e6],
                                    label="size"))  # fmt: skip
    kinds = {"wastes a fifth of the data": "circle", "best": "square",
             "Kaplan's critical batch": "diamond"}  # fmt: skip
    long = found.rename(
        columns=dict(zip(("wasteful", "batch", "critical"), kinds, strict=True))
    ).melt(id_vars=["size", "D"], value_vars=list(kinds), var_name="kind", value_name="batch")
    long = long.dropna()
    kaplan = long.kind == "Kaplan's critical batch"
    legend = key(columns=2, symbolFillColor=RUNS.colour, symbolStrokeWidth=0)
    shape = shapes("kind:N", kinds, tuple(kinds.values()), legend=legend)
    quiet = shapes("kind:N", kinds, tuple(kinds.values()))
    told = tooltips("kind:N", "size:N", ("D:Q", ".3s", "tokens"), ("batch:Q", ".3s"))
    dots = (
        alt.Chart(rounded(long[~kaplan]))
        .mark_point(style="dot")
        .encode(x=x, y=y, shape=shape, tooltip=told,
                color=_by_size("size", found, key(columns=3, orient="bottom")))
    )  # fmt: skip
    theirs = (
        alt.Chart(rounded(long[kaplan]))
        .mark_point(style="diamond", size=70, color=KAPLAN.colour)
        .encode(x=x, y=y, shape=quiet, tooltip=told)
    )
    D = np.geomspace(found.D.min(), found.D.max(), 9)
    curves = pd.concat(
        [pd.DataFrame({"D": D, "batch": own(1.0, D), "line": name})
         for name, own in (("wasteful", rule), ("best", other))], ignore_index=True)  # fmt: skip
    lines = (
        alt.Chart(rounded(curves))
        .mark_line(color=OURS.colour, strokeWidth=1.5)
        .encode(x=x, y=y, detail="line:N")
    )
    return described(
        lines + dots + theirs,
        f"Batches of {len(found)} grids against training tokens on logarithmic axes: the batch "
        "beyond the best that costs as much loss as a sixth of the data, the best batch, and "
        "Kaplan's critical batch at the loss reached. The first two follow parallel lines rising "
        "with tokens; Kaplan's points lie higher and rise less.",
    )


def schedule_effects(effects: pd.DataFrame) -> Any:
    """What a cooldown takes off and what half the rate adds, a point a model, against size.

    Columns effect, params, nats.
    """
    names = list(dict.fromkeys(effects.effect))
    ticks = [5e7, 1e8, 2e8, 5e8, 1e9, 2e9]
    x = alt.X("params:Q", **log_axis("Parameters, N", (4e7, 2.6e9), values=ticks,
                                     label="size"))  # fmt: skip
    y = alt.Y("nats:Q", **axis("Change of the loss (nats per token)", (0, 0.12), tickCount=6))
    colour = hues("effect:N", dict(zip(names, (OURS, OCHRE), strict=True)), legend=key())
    base = alt.Chart(rounded(effects)).encode(x=x, y=y, color=colour)
    dots = base.mark_point(style="dot").encode(
        shape=shapes("effect:N", names, ("circle", "diamond"), legend=alt.Undefined),
        tooltip=tooltips("effect:N", ("params:Q", ".3s"), ("nats:Q", ".3f")),
    )
    ends = []
    for name, own in effects.groupby("effect", sort=False):
        line = np.polyfit(np.log(own.params), own.nats, 1)
        N = np.array([own.params.min(), own.params.max()])
        ends.append(
            pd.DataFrame({"effect": name, "params": N, "nats": np.polyval(line, np.log(N))})
        )
    lines = (
        alt.Chart(rounded(pd.concat(ends, ignore_index=True)))
        .mark_line(strokeWidth=2, opacity=0.6)
        .encode(x=x, y=y, color=colour)
    )
    return described(
        lines + dots,
        f"Mean effect on the loss against model size for {effects.params.nunique()} models: "
        f"{' and '.join(names)}. The gain of a cooldown falls from about 0.10 at 50 million "
        "parameters to about 0.055 at two billion; the cost of half the rate rises with size.",
    )


def allocations(values: pd.DataFrame) -> Any:
    """The exponent a under several readings of one suite, with intervals, in rows.

    Columns reading, value, low, high.
    """
    order = list(values.reading)
    x = alt.X("value:Q", **axis("Exponent a of the compute-optimal size", (0.5, 0.8), tickCount=6))
    y = rows("reading:N", order)
    base = alt.Chart(rounded(values)).encode(y=y)
    bars = base.mark_rule(style="interval", color=OURS.colour).encode(
        x=alt.X("low:Q", scale=x["scale"]), x2="high:Q"
    )
    dots = base.mark_circle(style="dot", color=OURS.colour).encode(x=x)
    number = base.mark_text(style="number", dy=12, color=OURS.colour).encode(
        x=x, text=alt.Text("value:Q", format=".3f")
    )
    told = "; ".join(f"{one.reading} {one.value:.3f} ({one.low:.2f} to {one.high:.2f})"
                     for one in values.itertuples())  # fmt: skip
    return described(
        bars + dots + number + row_names(base, "reading:N"),
        f"Dot plot of the exponent a with 95 per cent intervals: {told}.",
        height=ROW * len(order) + 20,
    )


def rule_slider(grids: Sequence[Cell], rules: Mapping[str, Pair], *, start: Cell) -> Any:
    """The grid nearest to chosen N and D, three rules on it, and what each costs there.

    The sliders ``log_N`` and ``log_D`` start at a cell. Rates and batches in the read-out are those
    for the chosen place, losses those at the rules' settings for the grid that is drawn.
    """
    x, y = _plane(0.6)
    far = [f"pow(log_N - {np.log10(one.N):.4f}, 2) + pow(log_D - {np.log10(one.D):.4f}, 2)"
           for one in grids]  # fmt: skip
    near = f"indexof([{', '.join(far)}], min({', '.join(far)}))"
    placed = _placed(grids, rules)
    here = (
        alt.Chart(placed)
        .transform_filter("datum.cell == near")
        .transform_calculate(
            C=f"{np.log10(6):.5f} + log_N + log_D",
            read_rate="format(pow(10, datum.rate_0 + datum.rate_n * log_N + datum.rate_d * log_D"
            " + datum.rate_c * datum.C), '.2e')",
            batch_here="pow(10, datum.batch_0 + datum.batch_n * log_N + datum.batch_d * log_D"
            " + datum.batch_c * datum.C)",
            read_batch="datum.batch_here < 1e6 ? format(datum.batch_here / 1e3, '.3r') + 'k' : "
            + size_label("datum.batch_here"),
            off=f"abs(log_N - datum.log_N) > {REACH:.3f} || abs(log_D - datum.log_D) > {REACH:.3f}",
            read_cost="datum.off ? 'no grid near' : datum.cost",
        )
    )
    looks = dict(zip(rules, RULES, strict=True))
    colour = hues("rule:N", looks)
    points = here.mark_point(size=130, filled=True, opacity=1, stroke="white").encode(
        x=x, y=y, color=colour, shape=shapes("rule:N", rules, ("diamond", "square", "triangle-up"))
    )
    tiles = _tiles(shaded(grids), x, y).transform_filter("datum.cell == near")
    which = (
        alt.Chart(placed.drop_duplicates("cell")[["cell", "N", "D"]])
        .transform_filter("datum.cell == near")
        .transform_calculate(
            word="'nearest grid: ' + " + size_label("datum.N") + " + ' parameters, ' + "
            + size_label("datum.D") + " + ' tokens'"
        )
        .mark_text(style="word", align="left")
        .encode(x=alt.value(4), y=alt.value(92), text="word:N")
    )  # fmt: skip
    table = readout(here.encode(color=colour), READOUT, top=12)
    return described(
        alt.layer(tiles, points, which, *table).add_params(
            slider("log_N", round(float(np.log10(start.N)), 2), (8, 11, 0.01), "Parameters"),
            slider("log_D", round(float(np.log10(start.D)), 2), (9, 13, 0.01), "Tokens"),
            alt.param(name="near", expr=near),
        ),
        f"One of {len(grids)} grids of runs, learning rate against batch, with the settings of "
        f"{', '.join(rules)} marked. Sliders set parameters and tokens and choose the nearest "
        "grid; a table inside the chart reads out rate and batch of each rule, and the loss that "
        "its setting costs on that grid.",
        height=HEIGHT + 120,
    )


def _placed(grids: Sequence[Cell], rules: Mapping[str, Pair]) -> pd.DataFrame:
    """Setting and price of each rule on each grid, with the rule's powers, a row a pair."""
    found = []
    for row, (name, pair) in enumerate(rules.items()):
        spent = costs(grids, pair)
        for number, (cell, above) in enumerate(zip(grids, spent, strict=True)):
            powers = {
                f"{what}_{term}": value
                for what, own in zip(("rate", "batch"), pair, strict=True)
                for term, value in {"0": np.log10(own.scale), "n": own.n, "d": own.d,
                                    "c": own.c}.items()
            }  # fmt: skip
            found.append(
                {
                    "cell": number, "rule": name, "row": 32 + 18 * row, "N": cell.N, "D": cell.D,
                    "log_N": np.log10(cell.N), "log_D": np.log10(cell.D),
                    "rate": float(pair[0](cell.N, cell.D)),
                    "batch": float(pair[1](cell.N, cell.D)),
                    "cost": f"+{100 * above:.2f} %" if np.isfinite(above) else "off the grid",
                    **powers,
                }
            )  # fmt: skip
    return rounded(pd.DataFrame(found), 6)
