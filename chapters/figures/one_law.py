"""Pictures of the chapter on one law: gains by size, bends by chance, placebos, rival forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    EPOCH,
    KAPLAN,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Role,
    at,
    axis,
    budget_slider,
    by_role,
    described,
    end_names,
    hues,
    key,
    log_axis,
    menu,
    rounded,
    rows,
    shapes,
    size_label,
    tooltips,
)

FORMS: Mapping[str, Role] = {
    "sum": OURS,
    "one exponent": Role("one exponent", VIOLET, (6, 3)),
    "solvable": Role("solvable", EPOCH.colour, (2, 2)),
    "interaction": Role("interaction", OCHRE, (8, 3, 2, 3)),
    "outer exponent": Role("outer exponent", KAPLAN.colour, (4, 2)),
}
"""How each form of law looks on this page."""

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")


def gain_by_size(points: pd.DataFrame, lines: pd.DataFrame) -> Any:
    """What the same tokens take off the loss, measured and under each form, against model size.

    Both have columns params and gain (nats per token); lines have a form.
    """
    ends = (0.8 * points.params.min(), 1.25 * points.params.max())
    x = alt.X(
        "params:Q",
        **log_axis("Parameters, N", ends, values=[5e7, 1e8, 2e8, 5e8, 1e9, 2e9], label="size"),
    )
    y = alt.Y("gain:Q", **axis("Gain from the same tokens (nats per token)", (0.1, 0.5)))
    colour, dash = by_role("form:N", {name: FORMS[name] for name in lines.form.unique()},
                           legend=key(columns=2))  # fmt: skip
    drawn = (
        alt.Chart(rounded(lines)).mark_line().encode(x=x, y=y, color=colour, strokeDash=dash)
    )  # fmt: skip
    dots = (
        alt.Chart(rounded(points))
        .mark_point(style="dot", color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips(("params:Q", ".3s"), ("gain:Q", ".3f")))
    )
    small, large = points.loc[points.params.idxmin()], points.loc[points.params.idxmax()]
    return described(
        drawn + dots,
        f"Scatter plot of {len(points)} models. The gain rises from {small.gain:.3f} nats for the "
        f"smallest to {large.gain:.3f} for the largest. The line of the sum is flat; those of the "
        "other forms rise.",
    )


def falls(draws: pd.DataFrame, seen: float) -> Any:
    """Falls of the exponent a between halves, a row of dots a truth, and the one that was seen.

    Columns truth and fall.
    """
    order = list(dict.fromkeys(draws.truth))
    data = rounded(draws, 4)
    data["spread"] = (data.groupby("truth").cumcount() * 0.618034) % 1
    x = alt.X("fall:Q", **axis("Fall of a between halves by compute",
                               (-0.25, 0.3), tickCount=6))  # fmt: skip
    y = rows("truth:N", order, labels=180)
    dots = (
        alt.Chart(data)
        .mark_circle(size=16, opacity=0.5, color=RUNS.colour, clip=True)
        .encode(x=x, y=y, yOffset=alt.YOffset("spread:Q"), tooltip=tooltips("truth:N", "fall:Q"))
    )
    here = at(fall=seen)
    rule = here.mark_rule(color=EPOCH.colour, strokeWidth=2).encode(x=x)
    word = here.mark_text(style="bold", color=EPOCH.colour, align="right", dx=-5).encode(
        x=x, y=alt.value(8), text=alt.value("seen")
    )
    largest = draws.groupby("truth", sort=False).fall.max()
    told = "; ".join(f"{name} at most {value:.2f}" for name, value in largest.items())
    return described(
        dots + rule + word,
        f"Strip plot of simulated falls of the exponent a, a row for each of {len(order)} truths, "
        f"and a rule at {seen:.3f}, which was seen. {told}.",
        height=44 * len(order) + 60,
    )


def placebos(table: pd.DataFrame, title: str, domain: tuple[float, float], ticks: Sequence[float],
             *, still: float | None = None) -> Any:  # fmt: skip
    """What a constant is on each table, over the middle 95 % of what a sum would make it.

    Columns table, seen, low, high; a rule stands at the value `still` that a sum has.
    """
    order = list(table.table)
    x = log_axis(title, domain, values=list(ticks), label="plain")
    y = rows("table:N", order, labels=190)
    data = rounded(table[["table", "seen", "low", "high"]], 3)
    bars = (
        alt.Chart(data)
        .mark_rule(style="interval", color=RUNS.colour, strokeWidth=7, clip=True)
        .encode(x=alt.X("low:Q", **x), x2="high:Q", y=y)
    )
    dots = (
        alt.Chart(data)
        .mark_point(style="dot", color=OURS.colour)
        .encode(
            x=alt.X("seen:Q", **x), y=y, tooltip=tooltips("table:N", "seen:Q", "low:Q", "high:Q")
        )
    )
    outside = int(((table.seen < table.low) | (table.seen > table.high)).sum())
    layers = [bars, dots]
    if still is not None:
        layers.insert(0, at(seen=still).mark_rule(style="quiet").encode(x=alt.X("seen:Q", **x)))
    return described(
        alt.layer(*layers),
        f"{title} for {len(table)} tables, a row each, with a bar for the middle 95 % of placebo "
        f"tables. On {outside} tables the value lies outside its bar.",
        height=24 * len(table) + 50,
    )


def held_out(errors: pd.DataFrame) -> Any:
    """Errors of each form on the held-out runs, in multiples of the error of the sum.

    Columns table, by (compute, tokens or size), form and times; a menu chooses what is held out.
    """
    order, kinds = list(dict.fromkeys(errors.table)), list(dict.fromkeys(errors.by))
    looks = {name: role for name, role in FORMS.items() if name in set(errors.form)}
    title, ticks = "Held-out error over that of the sum", [0.1, 0.2, 0.5, 1, 2]
    x = alt.X("times:Q", **log_axis(title, (0.1, 4), values=ticks, label="plain"))
    chosen = menu("held", kinds, "Held out: the largest fifth by")
    dots = (
        alt.Chart(rounded(errors, 3))
        .transform_filter("datum.by == held")
        .mark_point(style="dot", size=90, clip=True)
        .encode(
            x=x, y=rows("table:N", order, labels=190),
            color=hues("form:N", looks, legend=key(columns=2)),
            shape=shapes("form:N", looks, SYMBOLS[1:], legend=key(columns=2)),
            tooltip=tooltips("table:N", "form:N", ("times:Q", ".2f", "times the sum's")),
        )
    )  # fmt: skip
    one = at(times=1.0).mark_rule(style="quiet").encode(x=x)
    best = errors[errors.by == kinds[0]].groupby("form", sort=False).times.median()
    told = ", ".join(f"{name} {value:.2f}" for name, value in best.items())
    return described(
        (one + dots).add_params(chosen),
        f"Dot plot of held-out errors on {len(order)} tables. Left of the rule at 1 a form "
        f"predicts better than the sum. Median with the largest by {kinds[0]} out: {told}.",
        height=26 * len(order) + 70,
    )


def plans(curves: pd.DataFrame, *, data_end: float, budgets: Sequence[float]) -> Any:
    """Compute-optimal tokens per parameter against the budget; columns form, C, ratio."""
    x = alt.X("C:Q", **log_axis("Training compute, C (FLOP)", (1e18, 1e27), label="power", step=2))
    y = alt.Y("ratio:Q", **log_axis("Compute-optimal tokens per parameter", (1, 400),
                                    values=[1, 3, 10, 30, 100, 300], label="plain"))  # fmt: skip
    names = list(dict.fromkeys(curves.form))
    looks = {name: FORMS.get(name, Role(name, QUIET, (5, 4))) for name in names}
    shown = {name: role for name, role in looks.items() if name in FORMS}
    colour, dash = by_role("form:N", looks, legend=key(columns=2, values=list(shown)))
    base = alt.Chart(rounded(curves)).mark_line(clip=True)
    lines = base.encode(x=x, y=y, color=colour, strokeDash=dash)
    others = curves[~curves.form.isin(list(FORMS)) & (curves.C < 1.01e23)]
    words = end_names(others, "form", x, y, color=QUIET, align="right", dx=-6, dy=-8)
    end = at(C=[data_end, *budgets]).mark_rule(style="end").encode(x=x)
    first = curves.groupby("form", sort=False).head(1)
    return described(
        end + lines + words,
        f"Line chart of tokens per parameter against compute for {len(names)} fits: "
        + "; ".join(f"{row.form} starts at {row.ratio:.3g}" for row in first.itertuples())
        + ".",
    )


def explorer(
    residuals: pd.DataFrame, trends: pd.DataFrame, told: pd.DataFrame, *, budget: float
) -> Any:
    """Residuals of any form on any table against tokens per parameter, with its plan in words.

    `residuals` has table, ratio and a column (per cent) a form; `trends` the same with means of
    groups of runs; `told` has table, form, what is read out, and G and a of the best split. A
    slider sets the budget of the plan, from `budget` (FLOP).
    """
    form = menu("form", list(FORMS), "Form")
    table = menu("table", list(dict.fromkeys(residuals.table)), "Table")
    x = alt.X("ratio:Q", title="Tokens per parameter, D/N", axis=alt.Axis(format="~g", tickCount=5),
              scale=alt.Scale(type="log", nice=False, padding=12))  # fmt: skip
    y = alt.Y("shown:Q", title="Observed loss above the fit (%)", scale=alt.Scale(zero=False))

    def picked(frame: pd.DataFrame) -> alt.Chart:
        chart = alt.Chart(rounded(frame, 3)).transform_filter("datum.table == table")
        return chart.transform_calculate(shown="datum[form]")

    dots = picked(residuals).mark_circle(size=26, opacity=0.5, color=RUNS.colour).encode(x=x, y=y)
    trend = picked(trends).mark_line(color=OURS.colour, strokeWidth=3).encode(x=x, y=y)
    zero = at(shown=0.0).mark_rule(style="quiet").encode(y=y)
    words = (
        alt.Chart(rounded(told, 6))
        .transform_filter("datum.table == table && datum.form == form")
        .transform_calculate(N="datum.G * pow(pow(10, log_C) / 6, datum.a)")
        .transform_calculate(D="pow(10, log_C) / 6 / datum.N")
        .transform_calculate(
            plan=f"'plan: ' + {size_label('datum.N')} + ' parameters, ' + "
            f"{size_label('datum.D')} + ' tokens, ' + format(datum.D / datum.N, '.3~r') + ' each'"
        )
    )
    lines = [
        words.mark_text(style="note", align="left", baseline="top").encode(
            x=alt.value(6), y=alt.value(16 * row - 56), text=f"{field}:N"
        )
        for row, field in enumerate(("constants", "errors", "plan"))
    ]
    return described(
        alt.layer(zero, dots, trend, *lines).add_params(form, table, budget_slider(budget)),
        "Residuals of a fit against tokens per parameter. Menus choose one of "
        f"{residuals.table.nunique()} tables and one of {len(FORMS)} forms, a slider the budget; "
        "words in the chart give the constants, the errors and the plan.",
        height=420,
    ).properties(padding={"left": 5, "top": 62, "right": 5, "bottom": 5})
