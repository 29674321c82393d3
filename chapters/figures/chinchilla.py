"""Pictures of the Chinchilla table: profiles, three approaches, choices, and the valley."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    EPOCH,
    HEIGHT,
    HOFFMANN,
    OURS,
    RUNS,
    Column,
    Role,
    at,
    axis,
    budget_slider,
    by_role,
    compute_axis,
    described,
    end_here,
    hues,
    isoflop_profiles,
    key,
    log_axis,
    menu,
    params_axis,
    point_names,
    rounded,
    row_names,
    rows,
    shapes,
    size_label,
    tooltips,
)
from scalinglib.isoflop import FrontierFit
from scalinglib.laws import ChinchillaLaw, KaplanLaw

WORST = 3.7
"""Loss (nats per token) above which the valley is not drawn."""

READOUT: tuple[Column, ...] = (
    ("name", "lowest point under", 0.01, "left"),
    ("read_N", "N", 0.56, "right"),
    ("read_D", "D", 0.72, "right"),
    ("read_ratio", "D/N", 0.85, "right"),
    ("read_loss", "loss", 1.0, "right"),
)
"""Columns of the table inside the valley."""

LOSS = (
    "datum.E + pow(datum.A * pow(datum.N, -datum.alpha)"
    " + datum.B * pow(datum.D, -datum.beta), datum.outer)"
)
OPTIMUM = {"N": "datum.G * pow(datum.C / 6, datum.a)", "D": "datum.C / 6 / datum.N", "loss": LOSS}


def profiles(runs: pd.DataFrame, fit: FrontierFit) -> Any:
    """IsoFLOP profiles of the Chinchilla table, with the parabolas of approach 2."""
    doubted = "runs that the source of the table calls outliers"
    return isoflop_profiles(runs, fit, params=(4e7, 3e10), loss=(2.1, 3.7), flags=doubted)


def optima(
    table: pd.DataFrame, lines: pd.DataFrame, roles: Mapping[str, Role], *, data_end: float
) -> Any:
    """Tokens per parameter of published optima, with laws and a fit drawn through the plane.

    Columns of `table`: approach ("approach 1" and so on), flops, ratio, misprint (bool); of
    `lines`: law (a key of `roles`), C (FLOP), ratio. Lines are thin beyond the compute of the
    largest run, `data_end` (FLOP).
    """
    x = alt.X("C:Q", **compute_axis((1e19, 1e29), step=2))
    y = alt.Y("ratio:Q", **log_axis("Compute-optimal tokens per parameter, D/N", (10, 600),
                                    values=[10, 20, 50, 100, 200, 500]))  # fmt: skip
    colour, dash = by_role("law:N", roles, legend=key(columns=2, symbolSize=220))
    base = alt.Chart(rounded(lines)).encode(x=x, y=y, color=colour, strokeDash=dash)
    near = base.transform_filter(f"datum.C <= {data_end:g}").mark_line(strokeWidth=2.4)
    far = base.transform_filter(f"datum.C >= {0.7 * data_end:g}").mark_line(
        strokeWidth=1.5, opacity=0.75
    )
    kinds = list(dict.fromkeys(table.approach))
    data = rounded(table.rename(columns={"flops": "C"})[["approach", "C", "ratio", "misprint"]])
    points = alt.Chart(data).encode(
        x=x, y=y, tooltip=tooltips("approach:N", ("C:Q", ".3~e", "FLOP"),
                                   ("ratio:Q", ".3r", "tokens per parameter")),
    )  # fmt: skip
    good = points.transform_filter("!datum.misprint")
    dots = good.mark_point(style="dot", size=65, color=HOFFMANN.colour).encode(
        shape=shapes("approach:N", kinds)
    )
    bad = points.transform_filter("datum.misprint")
    cross = bad.mark_point(style="cross", color=EPOCH.colour)
    bad_word = bad.mark_text(style="note", dy=24, color=EPOCH.colour).encode(
        text=alt.value("misprint")
    )
    last = data[~data.misprint].groupby("approach", sort=False).tail(1)
    names = [
        point_names(last[last.approach == kind], "approach:N", x, y, style="note",
                    color=HOFFMANN.colour, align="right", dx=-9, dy=dy)
        for kind, dy in zip(kinds, (13, -11, 20), strict=False)
    ]  # fmt: skip
    told = "; ".join(
        f"{kind} from {part.ratio.min():.0f} to {part.ratio.max():.0f}"
        for kind, part in data.groupby("approach", sort=False)
    )
    return described(
        end_here(x, data_end, y=10) + near + far + dots + cross + bad_word + alt.layer(*names),
        "Scatter plot of compute-optimal tokens per parameter against training compute from 10 to "
        f"the 19 to 10 to the 29 FLOP. Points are the published tables: {told}. Lines are "
        f"{', '.join(roles)}. Approaches 1 and 2 stay nearly level; Hoffmann's parametric "
        "lines climb away from them, and Epoch's falls slowly.",
        height=HEIGHT + 60,
    )


def exponents(
    values: pd.DataFrame, *, published: tuple[float, float, float], noise: tuple[str, float, float]
) -> Any:
    """One exponent under several choices, over a published interval.

    Columns choice, value, in the order of the rows; `published` is the value and the ends of its
    interval, `noise` the choice that carries our interval, and its ends.
    """
    data = rounded(values[["choice", "value"]])
    order = list(data.choice)
    centre, low, high = published
    name, noise_low, noise_high = noise
    ends = [*data.value, low, high, noise_low, noise_high]
    ticks = axis("Exponent a of the compute-optimal model size",
                 (min(ends) - 0.01, max(ends) + 0.012), tickCount=6, format=".2f")  # fmt: skip
    plain = {"title": ticks["title"], "scale": ticks["scale"]}
    y = rows("choice:N", order, padding=0.9)
    interval = at(low=low, high=high, centre=centre)
    band = interval.mark_rect(style="band", color=HOFFMANN.colour).encode(
        x=alt.X("low:Q", **plain), x2="high:Q"
    )
    middle = interval.encode(x=alt.X("centre:Q", **plain))
    rule = middle.mark_rule(color=HOFFMANN.colour, strokeDash=list(HOFFMANN.dash))
    word = middle.mark_text(
        style="note", align="left", dx=4, baseline="top", color=HOFFMANN.colour
    ).encode(y=alt.value(4), text=alt.value("published, with its interval"))
    bar = (
        at(choice=name, low=noise_low, high=noise_high, digits=5)
        .mark_rule(style="interval", color=OURS.colour, yOffset=8)
        .encode(x=alt.X("low:Q", **plain), x2="high:Q", y=y)
    )
    base = alt.Chart(data).encode(x=alt.X("value:Q", **ticks), y=y)
    points = base.mark_point(style="dot", color=OURS.colour)
    numbers = base.mark_text(style="note", align="left", dx=9, color=OURS.colour).encode(
        text=alt.Text("value:Q", format=".3f")
    )
    told = "; ".join(f"{one.choice} {one.value:.3f}" for one in data.itertuples())
    return described(
        band + rule + word + bar + points + numbers + row_names(base, "choice:N", dy=-13),
        f"Dot plot of the exponent a under {len(order)} choices. {told}. The published value is "
        f"{centre:g} with an interval from {low:g} to {high:g}.",
        height=34 * len(order) + 90,
    )


def scores(benchmarks: pd.DataFrame) -> Any:
    """Benchmark scores of two models, joined by a line per benchmark.

    Columns benchmark, gopher, chinchilla (percent), in any order.
    """
    data = benchmarks.assign(gain=benchmarks.chinchilla - benchmarks.gopher)
    data = data.sort_values("gain", ascending=False, kind="stable")
    y = rows("benchmark:N", data.benchmark, labels=170)
    score = axis("Score (percent)", (48, 101), values=[50, 60, 70, 80, 90])
    models = {"Gopher": RUNS, "Chinchilla": HOFFMANN}
    named = data.rename(columns={name.lower(): name for name in models})
    base = alt.Chart(data).encode(y=y)
    rule = base.mark_rule(style="quiet", strokeWidth=2).encode(
        x=alt.X("gopher:Q", **score), x2="chinchilla:Q"
    )
    dots = (
        alt.Chart(named.melt(["benchmark"], list(models), "model", "score"))
        .mark_point(style="dot", opacity=1, size=80)
        .encode(
            y=y, x=alt.X("score:Q", **score), color=hues("model:N", models, legend=key()),
            shape=shapes("model:N", models, ("circle", "diamond"), legend=alt.Undefined),
            tooltip=["benchmark:N", "model:N", "score:Q"],
        )
    )  # fmt: skip
    gains = base.transform_calculate(
        word="datum.gain < 0.05 ? 'tie' : '+' + format(datum.gain, '.1f')"
    ).mark_text(style="note", align="left", dx=9, color=HOFFMANN.colour)
    told = "; ".join(
        f"{one.benchmark} {one.gopher:g} and {one.chinchilla:g}" for one in data.itertuples()
    )
    return described(
        rule + dots + gains.encode(x=alt.X("chinchilla:Q", **score), text="word:N"),
        f"Dot plot of Gopher and Chinchilla scores in percent on {len(data)} benchmarks: {told}.",
    )


def valley(
    laws: Mapping[str, tuple[Role, ChinchillaLaw | KaplanLaw]], runs: pd.DataFrame, *,
    budget: float, marks: Sequence[tuple[str, float, float]] = (),
) -> Any:  # fmt: skip
    """Loss against model size at one budget, with a slider over the budget and a choice of law.

    The menu, ``law``, starts at the first law, the slider, ``log_C``, at `budget` (FLOP). Columns
    of `runs`: budget_flops, params, loss. `marks` are names, parameters and compute (FLOP) of
    models to mark near their budgets.
    """
    names = list(laws)
    x = alt.X("N:Q", **params_axis((1e7, 1e13)))
    y = alt.Y("loss:Q", **axis("Loss, L (nats per token)", (1.25, 4.2),
                               values=[1.5, 2, 2.5, 3, 3.5]))  # fmt: skip
    chosen = (
        alt.Chart(pd.DataFrame([{"name": name, **_terms(law)} for name, (_, law) in laws.items()]))
        .transform_filter("datum.name === law")
        .encode(color=hues("name:N", {name: role for name, (role, _) in laws.items()}))
    )
    curve = (
        chosen.transform_calculate(step="sequence(7, 13.01, 0.02)")
        .transform_flatten(["step"])
        .transform_calculate(N="pow(10, datum.step)", D="pow(10, log_C) / 6 / datum.N", loss=LOSS)
        .transform_filter(f"datum.loss <= {WORST}")
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y=y)
    )
    path = (
        chosen.transform_calculate(step="sequence(18.5, 26.01, 0.25)")
        .transform_flatten(["step"])
        .transform_calculate(C="pow(10, datum.step)", **OPTIMUM)
        .transform_filter(f"datum.loss <= {WORST}")
        .mark_line(strokeWidth=1.2, strokeDash=[2, 3])
        .encode(x=x, y=y)
    )
    here = chosen.transform_calculate(
        C="pow(10, log_C)", **OPTIMUM,
        read_N=size_label("datum.N"), read_D=size_label("datum.D"),
        read_ratio="format(datum.D / datum.N, '.3r')", read_loss="format(datum.loss, '.3f')",
    )  # fmt: skip
    dot = here.mark_circle(style="dot", size=110).encode(x=x, y=y)
    data = rounded(runs.rename(columns={"params": "N", "budget_flops": "budget"}))
    data = data.loc[data.loss <= WORST, ["N", "loss", "budget"]]
    near = "abs(log(datum.budget) / LN10 - log_C) < 0.11"
    points = alt.Chart(data).encode(x=x, y=y)
    faint = points.transform_filter(f"!({near})").mark_circle(
        size=16, opacity=0.3, color=RUNS.colour
    )
    strong = points.transform_filter(near).mark_circle(style="dot", size=46, color=RUNS.colour)
    return described(
        alt.layer(
            faint, path, curve, strong, dot, *_models(marks, x), *_lowest(here)
        ).add_params(budget_slider(budget, low=18.5), menu("law", names, "Law")),
        "Line chart of loss against model size at one training budget, a valley with a marked "
        f"lowest point, under one of {len(names)} laws: {', '.join(names)}. A slider sets the "
        "budget and a menu the law; the chart reads out parameters, tokens, tokens per parameter "
        f"and loss at the lowest point. {len(data)} measured runs are drawn as dots, those near "
        "the chosen budget larger.",
        height=HEIGHT + 60,
    )  # fmt: skip


def _terms(law: ChinchillaLaw | KaplanLaw) -> dict[str, float]:
    """Constants of E + (A N^-alpha + B D^-beta)^outer, a form that holds both laws."""
    if isinstance(law, KaplanLaw):
        alpha = law.alpha_N / law.alpha_D
        inner = ChinchillaLaw(E=0.0, A=law.N_c**alpha, B=law.D_c, alpha=alpha, beta=1.0)
        outer = law.alpha_D
    else:
        inner, outer = law, 1.0
    names = ("E", "A", "B", "alpha", "beta", "G", "a")
    return {**{name: float(getattr(inner, name)) for name in names}, "outer": outer}


def _models(marks: Sequence[tuple[str, float, float]], x: alt.X) -> Iterator[Any]:
    """Rules and names of models, seen near their budgets, on one side and the other in turn."""
    for index, (name, N, C) in enumerate(marks):
        model = (
            at(model=name, N=N, C=C)
            .transform_filter("abs(log(datum.C) / LN10 - log_C) < 0.15")
            .encode(x=x)
        )
        side: Any = ("left", 4) if index % 2 else ("right", -4)
        yield model.mark_rule(style="end", y=alt.ExprRef("height"), y2=60)
        yield model.mark_text(
            style="word", align=side[0], dx=side[1], baseline="bottom", y=alt.ExprRef("height - 5")
        ).encode(text="model:N")


def _lowest(here: alt.Chart) -> Iterator[Any]:
    """Text at the top of the plot: what the lowest point is."""
    for field, head, place, align in READOUT:
        x = alt.ExprRef(f"width * {place}")
        look: dict[str, Any] = {"align": align, "x": x, "baseline": "middle"}
        yield at(head=head).mark_text(style="note", y=10, **look).encode(text="head:N")
        yield here.mark_text(style="bold", y=29, **look).encode(text=f"{field}:N")
