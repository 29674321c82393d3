"""Pictures of inference compute: coverage, success rates, thinking tokens, what answers cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    BEYOND,
    HEIGHT,
    OURS,
    RUNS,
    Role,
    at,
    axis,
    dashes,
    described,
    end_here,
    extrapolated,
    hues,
    key,
    log_axis,
    point_names,
    power_of_ten,
    readout,
    rounded,
    rows,
    size_label,
    slider,
    tooltips,
)
from scalinglib.fit.formula import Curve

POWER = Role("exponentiated power law", OURS.colour)
LINE = Role("line in log k", "#c0562b")

SIZES = ("#8a63d2", "#4f78c4", "#1f8f9a", "#2f9a5b", "#7f9a1e", "#b3852a", "#c9603d")
"""Seven hues along the spectrum for seven sizes, each with a contrast of 3 to 1 on both pages."""

MOVES = {
    "bigger": LINE.colour,
    "longer": "#0b9670",
    "more often": OURS.colour,
    "all three": SIZES[0],
}
"""The three single moves and the mixture, in the order of the read-out."""


def _samples(end: float = 1e4) -> alt.X:
    return alt.X("k:Q", **log_axis("Samples per problem, k", (1, end),
                                   values=[1, 10, 100, 1000, 10000], format=",d"))  # fmt: skip


def _coverage(top: float) -> alt.Y:
    title = "Coverage: problems solved at least once"
    return alt.Y("coverage:Q", **axis(title, (0, top), format=".0%", tickCount=6))


def _by_size(models: Iterable[str], legend: Any = None) -> alt.Color:
    return hues("model:N", dict(zip(models, SIZES, strict=False)), legend=legend)


def _points(points: pd.DataFrame, x: alt.X, y: alt.Y, **look: Any) -> alt.Chart:
    """Measured coverage; columns model, k, coverage."""
    told = tooltips("model:N", ("k:Q", ",d"), ("coverage:Q", ".2%"))
    return alt.Chart(rounded(points)).mark_point(style="dot", size=34, **look).encode(
        x=x, y=y, tooltip=told
    )  # fmt: skip


def _two_forms(drawn: pd.DataFrame, x: alt.X, y: alt.Y, detail: str, **legend: Any) -> alt.Chart:
    """Curves of both forms, broken beyond their data; columns form, part, and those of axes."""
    colour = hues("form:N", {one.name: one for one in (POWER, LINE)}, legend=key(**legend))
    return (
        alt.Chart(rounded(drawn))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=extrapolated(), detail=detail)
    )


def _spread(heights: Sequence[float], gap: float) -> list[float]:
    """Ascending heights moved apart until neighbours keep a gap, the middle staying in place."""
    moved = np.asarray(heights, dtype=float).copy()
    for _ in range(200):
        for i in range(len(moved) - 1):
            lacking = max(gap - (moved[i + 1] - moved[i]), 0)
            moved[i] -= lacking / 2
            moved[i + 1] += lacking / 2
    return [float(one) for one in moved]


def coverage_curves(points: pd.DataFrame, curves: Mapping[str, Curve]) -> Any:
    """Coverage against samples for several sizes, measured and fitted.

    Columns model, k, coverage; a fitted curve by model, in the order of coverage at the last k.
    """
    k = np.logspace(0, 4, 33)
    fitted = pd.concat(
        [pd.DataFrame({"model": name, "k": k, "coverage": one.value(k)})
         for name, one in curves.items()]
    )  # fmt: skip
    x, y, colour = _samples(4.5e4), _coverage(0.95), _by_size(curves)
    lines = alt.Chart(rounded(fitted)).mark_line().encode(x=x, y=y, color=colour)
    ends = points.groupby("model").coverage.agg(["first", "last"]).loc[list(curves)]
    labels = pd.DataFrame({"model": list(curves), "k": 1.15e4,
                           "coverage": _spread(ends["last"], 0.037)})  # fmt: skip
    words = point_names(labels, "model:N", x, y, color=colour, fontSize=11.5)
    told = "; ".join(
        f"{name} from {first:.2%} to {last:.1%}" for name, first, last in ends.itertuples()
    )
    return described(
        lines + _points(points, x, y).encode(color=colour) + words,
        f"Line chart of coverage against 1 to 10,000 samples per problem for {len(curves)} Pythia "
        f"models on 128 problems: {told}. Every curve is steep in the middle and bends at both "
        "ends, and the fitted curves pass through the points.",
    )


def extrapolations(
    points: pd.DataFrame, curves: Mapping[tuple[str, str], Curve], *, last: float
) -> Any:
    """Two forms fitted to the first samples, up to k = `last`, and where they go.

    Columns model, k, coverage; curves by model and form (named as `POWER` and `LINE`).
    """
    low, high = np.logspace(0, np.log10(last), 17), np.logspace(np.log10(last), 4, 17)
    drawn = pd.concat(
        [pd.DataFrame({"model": model, "form": form, "part": part, "k": k,
                       "coverage": one.value(k)})
         for (model, form), one in curves.items()
         for part, k in (("fit", low), ("beyond", high))]
    )  # fmt: skip
    x, y = _samples(), _coverage(1)
    middle = points[np.isclose(points.k, points.k[points.k >= last].min())]
    names = point_names(
        rounded(middle), "model:N", x, y, color=RUNS.colour, align="right", dx=-10, dy=-9
    )
    told = "; ".join(
        f"{model}, {form}: {float(one.value(1e4)):.3f}" for (model, form), one in curves.items()
    )
    seen = "; ".join(
        f"{model} {float(one.coverage.iloc[-1]):.3f}" for model, one in points.groupby("model")
    )
    return described(
        end_here(x, last, "fitted up to here", left=True)
        + _two_forms(drawn[drawn.coverage > 0], x, y, "model:N")
        + _points(points, x, y, color=RUNS.colour)
        + names,
        f"Line chart of coverage against samples. Two forms are fitted up to {last:.0f} samples "
        f"and drawn to 10,000, where they predict {told}. Measured there: {seen}.",
    )


def success_rates(rates: pd.DataFrame, order: Sequence[str]) -> Any:
    """The success rate of every problem, a row each model in this order; columns model, rate."""
    never = rates[rates.rate == 0].groupby("model").size().reindex(order, fill_value=0)
    share = log_axis(
        "Share of samples that solve the problem", (4e-6, 1), values=[1e-4, 1e-3, 1e-2, 1e-1, 1],
        labelExpr="datum.value < 0.00011 ? '1 in 10,000' : format(datum.value, '~%')",
    )  # fmt: skip
    y = rows("model:N", order, labels=180)
    ticks = (
        alt.Chart(rounded(rates[rates.rate > 0], 3))
        .mark_tick(thickness=1.5, opacity=0.6, size=22)
        .encode(x=alt.X("rate:Q", **share), y=y, color=_by_size(order),
                tooltip=tooltips("model:N", ("rate:Q", ".2%")))
    )  # fmt: skip
    counted = at(model=list(order), word=[f"{one} never" for one in never])
    words = counted.mark_text(style="word", align="left", x=5).encode(y=y, text="word:N")
    told = "; ".join(f"{name} {one}" for name, one in never.items())
    return described(
        ticks + words,
        "Strip plot on a logarithmic axis: the share of 10,000 samples that solve each of 128 "
        "problems, one row for each model. The shares reach from one in ten thousand to "
        f"{rates.rate.max():.0%}, and move to the right with size. Problems never solved: {told}.",
    )


def serving(points: pd.DataFrame, best: pd.DataFrame, order: Sequence[str]) -> Any:
    """Coverage against the compute of sampling, measured, with the best buy at each budget.

    Columns of `points`: model, flops (per token that each sample writes), coverage; of `best`:
    budget, model, coverage, as `best_buys` of the topic gives them; `order` is smallest first.
    """
    low = 3e9
    x = alt.X("flops:Q", **log_axis("Serving FLOP per problem and token", (low, 5e14),
                                    label="power"))  # fmt: skip
    y = _coverage(0.95)
    colour = _by_size(order, key(columns=4, symbolType="stroke", symbolStrokeWidth=3))
    seen = alt.Chart(rounded(points[points.flops >= low])).encode(x=x, y=y, color=colour)
    # A model may be the best buy in several stretches, each of which is a line of its own.
    runs = best.model.ne(best.model.shift()).cumsum()
    stretches = best.rename(columns={"budget": "flops"}).assign(stretch=runs)
    stretches = stretches[stretches.flops >= low]
    bought = alt.Chart(rounded(stretches)).encode(x=x, y=y, color=colour, detail="stretch:N")
    longest = pd.DataFrame(
        [one.iloc[len(one) // 2] for _, one in stretches.groupby("model", sort=False)
         if len(one) > 3]
    )  # fmt: skip
    words = point_names(
        rounded(longest), "model:N", x, y, color=colour, align="right", dx=-9, dy=-9
    )
    return described(
        seen.mark_line(strokeWidth=1.5, opacity=0.75)
        + bought.mark_line(strokeWidth=5, opacity=0.55)
        + words,
        f"Line chart of measured coverage against serving compute for {len(order)} sizes. The "
        f"curves cross. The best buy from little to much compute: {', then '.join(longest.model)}.",
    )


def thinking(points: pd.DataFrame, curves: Mapping[tuple[str, str], Curve]) -> Any:
    """Accuracy against thinking tokens, with straight and bounded curves.

    Columns benchmark, tokens, accuracy (share); curves of the share by benchmark and form
    (named as `POWER` and `LINE`).
    """
    T = np.geomspace(400, 64_000, 41)
    ends = points.groupby("benchmark").tokens.agg(["min", "max"])
    drawn = pd.concat(
        [pd.DataFrame({"benchmark": benchmark, "form": form, "part": part, "tokens": tokens,
                       "accuracy": one.value(tokens)})
         for (benchmark, form), one in curves.items()
         for first, last in [ends.loc[benchmark]]
         for part, tokens in (("fit", np.geomspace(first, last, 21)),
                              ("beyond", np.append(last, T[last < T])))]
    )  # fmt: skip
    x = alt.X("tokens:Q", **log_axis(
        "Thinking tokens per question, T", (400, 64_000),
        values=[500, 1000, 2000, 5000, 10000, 20000, 50000],
        labelExpr="format(datum.value / 1000, '~r') + 'k'",
    ))  # fmt: skip
    y = alt.Y("accuracy:Q", **axis("Accuracy", (0, 1.2), format=".0%",
                                   values=[0, 0.2, 0.4, 0.6, 0.8, 1.0]))  # fmt: skip
    line_in_T = "datum.label == 'line in log k' ? 'line in log T' : datum.label"
    dots = (
        alt.Chart(rounded(points))
        .mark_point(style="dot", size=60, color=RUNS.colour)
        .encode(
            x=x, y=y, shape=alt.Shape("benchmark:N", legend=None),
            tooltip=tooltips("benchmark:N", ("tokens:Q", ",.0f"), ("accuracy:Q", ".1%")),
        )
    )  # fmt: skip
    second = points.groupby("benchmark", sort=False).nth(1)
    second = rounded(second.assign(word=second.benchmark.str.split("-").str[0]))
    names = point_names(second, "word:N", x, y, color=RUNS.colour, dx=10, dy=9)
    told = "; ".join(
        f"{name} from {one.accuracy.iloc[0]:.0%} to {one.accuracy.iloc[-1]:.0%}"
        for name, one in points.groupby("benchmark", sort=False)
    )
    return described(
        at(accuracy=1.0).mark_rule(style="end").encode(y=y)
        + _two_forms(drawn, x, y, "benchmark:N", labelExpr=line_in_T)
        + dots
        + names,
        "Scatter plot of accuracy against 500 to 7,300 thinking tokens on a logarithmic axis, "
        f"three benchmarks: {told}. Straight lines leave the top of the scale when they are drawn "
        "on; the bounded curves do not.",
    )


def budget_split(
    moves: pd.DataFrame, best: pd.DataFrame, *, targets: Sequence[float], start: float,
    beyond: Mapping[str, float],
) -> Any:  # fmt: skip
    """Life-time compute of four ways to a wanted coverage, over that of one of them, with sliders.

    Columns of `moves`: target, move, N, D, k (a move out of reach has no row); of `best`: target,
    served (tokens of all queries together, one sample each), N, D, k. `targets` are the evenly
    spaced coverages of the slider ``wanted``, `start` is its first, `beyond` holds the largest N
    and k that were measured, and the only D. ``log_Q`` and ``log_T`` are the other sliders.
    """
    x = alt.X("Q:Q", **log_axis("Queries over the life of the model, Q", (1e4, 1e13),
                                label="power", step=3))  # fmt: skip
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("ratio:Q", **log_axis("Compute over that of trying more often", (3e-3, 1e6),
                                    values=[0.01, 0.1, 1, 10, 100, 1000], format="~r"))  # fmt: skip
    colour = hues("move:N", MOVES)
    chosen = _wanted(rounded(_plans(moves, best, beyond)))
    single = (
        chosen.transform_filter("datum.move != 'all three'")
        .transform_calculate(log="sequence(4, 13.05, 0.25)")
        .transform_flatten(["log"])
        .transform_calculate(Q="pow(10, datum.log)", ratio=_ratio("datum.Q * pow(10, log_T)"))
        .mark_line(clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dashes("starred:N", {False: (1, 0),
                                                                       True: BEYOND}))
    )  # fmt: skip
    all_three = (
        chosen.transform_filter("datum.move == 'all three'")
        .transform_calculate(Q="datum.served / pow(10, log_T)", ratio=_ratio("datum.served"))
        .transform_filter("datum.Q >= 9e3 && datum.Q <= 1.1e13")
        .mark_line(clip=True, strokeDash=BEYOND)
        .encode(x=x, y=y, color=colour)
    )
    here = _here(chosen, beyond)
    cheapest = (
        here.transform_filter("datum.alone == datum.least")
        .mark_rect(opacity=0.18, x=0, x2=alt.ExprRef("width"))
        .encode(y=alt.Y("top:Q", scale=None, axis=None), y2=alt.Y2("bottom:Q"), color=colour)
    )
    rule = at(ratio=3e-3, top=1e3).transform_calculate(Q="pow(10, log_Q)").mark_rule(style="quiet")
    note = at(word="* not measured: the law is extrapolated").mark_text(
        style="word", align="left", x=4, y=110
    )
    name = ("move", "", 0.01, "left")
    gone = readout(
        _wanted(_out_of_reach(moves, targets)).encode(color=colour),
        (name, ("word", "", 0.58, "right")),
    )
    table = readout(
        here.encode(color=colour),
        (name, ("read_N", "N", 0.40, "right"), ("read_D", "D", 0.58, "right"),
         ("read_k", "k", 0.77, "right"), ("read_cost", "FLOP", 1.0, "right")),
    )  # fmt: skip
    step = round(targets[1] - targets[0], 6)
    return described(
        alt.layer(
            cheapest, rule.encode(x=x, y=y, y2="top:Q"), single, all_three,
            here.mark_circle(style="dot", size=70).encode(x=x, y=y, color=colour),
            note.encode(text="word:N"), *gone, *table,
        ).add_params(
            slider("wanted", start, (targets[0], targets[-1], step), "Wanted coverage"),
            slider("log_Q", 8, (4, 13, 0.1), "Queries"),
            slider("log_T", 2.7, (1, 4.5, 0.1), "Tokens per sample"),
        ),
        "Line chart of training and serving compute, over that of trying more often, against the "
        "number of queries: bigger model, longer training, more samples, and cheapest mixture. "
        "Sliders set the wanted coverage, the demand and the tokens per sample; a table inside the "
        "chart gives parameters, training tokens, samples and compute of each way and shades the "
        "cheapest of the three.",
        height=HEIGHT + 120,
    )  # fmt: skip


def _plans(moves: pd.DataFrame, best: pd.DataFrame, beyond: Mapping[str, float]) -> pd.DataFrame:
    """All ways with training FLOP F, serving FLOP per token G, and those of trying more often."""
    plans = pd.concat([moves, best.assign(move="all three")], ignore_index=True)
    plans = plans.assign(
        F=6 * plans.N * plans.D,
        G=2 * plans.N * plans.k,
        row=plans.move.map(_row),
        starred=(plans.N / beyond["N"] > 1.001) | (plans.k / beyond["k"] > 1.001)
        | ~np.isclose(plans.D, beyond["D"]),
    )  # fmt: skip
    often = plans[plans.move == "more often"].set_index("target")
    return plans.assign(F0=plans.target.map(often.F), G0=plans.target.map(often.G))


def _row(move: str) -> int:
    """Height of a move in the read-out (pixels from the top)."""
    return 30 + 18 * list(MOVES).index(move)


def _ratio(served: str) -> str:
    """Vega expression of compute over that of trying more often, for so many tokens served."""
    return f"(datum.F + datum.G * {served}) / (datum.F0 + datum.G0 * {served})"


def _wanted(frame: pd.DataFrame) -> alt.Chart:
    """The rows of the coverage that the slider sets."""
    return alt.Chart(frame).transform_filter("abs(datum.target - wanted) < 0.001")


def _here(chosen: alt.Chart, beyond: Mapping[str, float]) -> alt.Chart:
    """Each way at the demand of the sliders, with its read-out, and the least of the single ones.

    A star marks what lies beyond the measured models.
    """
    many = {one: f"(datum.{one} > {1.001 * beyond[one]:.6g} ? '*' : '')" for one in "Nk"}
    other = f"(abs(datum.D / {beyond['D']:.6g} - 1) > 0.001 ? '*' : '')"
    decade = "pow(10, floor(log(datum.cost) / LN10))"
    return (
        chosen.transform_filter(
            "datum.move != 'all three' || abs(log(datum.served) / LN10 - log_Q - log_T) <= 0.1251"
        )
        .transform_calculate(
            Q="pow(10, log_Q)",
            cost="datum.F + datum.G * pow(10, log_Q + log_T)",
            ratio=_ratio("pow(10, log_Q + log_T)"),
        )
        .transform_window(rank="row_number()", sort=[alt.SortField("cost")], groupby=["move"])
        .transform_filter("datum.rank == 1")
        .transform_calculate(alone="datum.move == 'all three' ? 1e99 : datum.cost")
        .transform_joinaggregate(least="min(alone)")
        .transform_calculate(
            read_N=f"{size_label('datum.N')} + {many['N']}",
            read_D=f"{size_label('datum.D')} + {other}",
            read_k=f"format(datum.k, ',.0f') + {many['k']}",
            read_cost=f"format(datum.cost / {decade}, '.1f') + '×' + {power_of_ten(decade)}",
            top="datum.row - 9",
            bottom="datum.row + 9",
        )
    )


def _out_of_reach(moves: pd.DataFrame, targets: Sequence[float]) -> pd.DataFrame:
    """The single moves that do not reach a target, with their place in the read-out."""
    reached = set(zip(moves.target, moves.move, strict=True))
    return pd.DataFrame(
        [(c, move, _row(move), "out of reach") for c in targets for move in list(MOVES)[:-1]
         if (c, move) not in reached],
        columns=["target", "move", "row", "word"],
    )  # fmt: skip


def checker(values: pd.DataFrame, best: pd.DataFrame) -> Any:
    """Right answers less wrong ones against samples, by the share of wrong samples accepted.

    Columns of both: accepts (a name), k, value (share of problems); `best` holds the highest
    points.
    """
    x, y = _samples(3e4), alt.Y("value:Q", **axis("Right less wrong answers", (-0.8, 1),
                                                  format=".0%", tickCount=6))  # fmt: skip
    colour = hues("accepts:N", dict(zip(dict.fromkeys(values.accepts), SIZES[::2], strict=False)))
    lines = alt.Chart(rounded(values)).mark_line().encode(x=x, y=y, color=colour)
    tops = alt.Chart(rounded(best)).mark_point(style="diamond", size=110).encode(
        x=x, y=y, color=colour, tooltip=tooltips("accepts:N", ("k:Q", ",d"), ("value:Q", ".1%"))
    )  # fmt: skip
    ends = values.groupby("accepts", sort=False).tail(1)
    names = point_names(ends, "accepts:N", x, y, color=colour, align="right", dx=0, dy=-10)
    told = "; ".join(f"{one.accepts}: {one.value:.0%} at {one.k:,.0f}" for one in best.itertuples())
    return described(
        at(value=0.0).mark_rule(style="end").encode(y=y) + lines + tops + names,
        "Line chart of the share of problems answered rightly less those answered wrongly against "
        f"samples from 1 to 10,000 on a logarithmic axis. Highest points: {told}.",
    )


def reinforcement(points: pd.DataFrame, drawn: pd.DataFrame) -> Any:
    """Error along reinforcement learning by size, and two forms fitted to the first two thirds.

    Columns of `points`: model, C (FLOP), error; of `drawn`: model, form ("power law" or
    "sigmoid"), C, error.
    """
    x = alt.X("C:Q", **log_axis("Compute of reinforcement learning (FLOP)", (1e16, 3e21),
                                label="power"))  # fmt: skip
    y = alt.Y("error:Q", **log_axis("Error", (0.3, 1.05), values=[0.3, 0.4, 0.5, 0.7, 1],
                                    format=".0%"))  # fmt: skip
    colour = _by_size(dict.fromkeys(points.model))
    base = alt.Chart(rounded(drawn)).encode(x=x, y=y, color=colour, detail="form:N")
    lines = base.mark_line(strokeWidth=1.8, clip=True).encode(
        strokeDash=dashes("form:N", {"power law": (1, 0), "sigmoid": (2, 3)}, legend=key())
    )
    dots = alt.Chart(rounded(points)).mark_point(style="dot", size=26).encode(
        x=x, y=y, color=colour, tooltip=tooltips("model:N", ("error:Q", ".1%"))
    )  # fmt: skip
    ends = points.groupby("model", sort=False).tail(1)
    names = point_names(ends, "model:N", x, y, color=colour, dx=10)
    told = "; ".join(f"{one.model} {one.error:.0%}" for one in ends.itertuples())
    return described(
        lines + dots + names,
        "Scatter plot of error against compute of reinforcement learning, both axes logarithmic, "
        f"by model size, with a power law and a sigmoid fitted to the first eight of twelve points "
        f"and drawn on. Last errors: {told}.",
        height=HEIGHT + 60,
    )
