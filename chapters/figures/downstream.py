"""Pictures of the way from a loss to a benchmark score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    OCHRE,
    OURS,
    RUNS,
    VIOLET,
    at,
    axis,
    budget_slider,
    compute_axis,
    described,
    extrapolated,
    hues,
    key,
    rounded,
    row_names,
    rows,
    shapes,
    slider,
    tooltips,
)
from scalinglib.fit.formula import Curve
from scalinglib.laws import ChinchillaLaw
from scalinglib.topics.downstream import ErrorSplit, TwoStep

FIRST, SECOND, TARGET, PUBLISHED = OURS.colour, OCHRE, VIOLET, "#d2600f"
"""Hues of the two steps, of what was measured, and of a published prediction."""

BITS = "Bits per byte of the right answer"

ROW = 46
"""Height of a row that carries its name above its marks."""


def _rows(tasks: Sequence[str]) -> alt.Y:
    """Rows with room for their names."""
    return rows("task:N", tasks, padding=0.7)


def _names(tasks: Sequence[str]) -> Any:
    """Names above the rows, so that a narrow screen keeps its whole width for the axis."""
    base = at(task=list(tasks)).encode(y=_rows(tasks))
    return row_names(base, "task:N", x=0, style="number", dy=-15, color=alt.Undefined)


def _key(looks: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Colour and shape of the names in column what, with one legend for both."""
    colours = {name: colour for name, (colour, _) in looks.items()}
    look = [shape for _, shape in looks.values()]
    colour = hues("what:N", colours, legend=key(columns=1, labelLimit=320))
    return {"color": colour, "shape": shapes("what:N", looks, look, legend=alt.Undefined)}


def _map(curve: Curve, field: str, span: tuple[float, float], seen: float) -> Any:
    """A map from loss over a span of losses, broken below the lowest loss of its data, `seen`."""
    loss = np.linspace(*span, 61)
    parts = {"fit": np.append(seen, loss[loss >= seen]),
             "beyond": np.append(loss[loss < seen], seen)}  # fmt: skip
    drawn = pd.concat(
        pd.DataFrame({"part": part, "loss": one, field: curve.value(one)})
        for part, one in parts.items()
    )
    line = alt.Chart(rounded(drawn)).mark_line(color=OURS.colour)
    return line.encode(strokeDash=extrapolated())


def ladder(
    points: pd.DataFrame, law: ChinchillaLaw, *, target: tuple[float, float, float], name: str
) -> Any:
    """The first step: the loss of each run, the law, and the model to be predicted.

    Columns params, tokens, loss (bits per byte), a row per run; `target` is the parameters, the
    tokens and the measured loss of that model, `name` the task's.
    """
    N, D, measured = target
    predicted = float(law.loss(N, D))
    runs = points.assign(C=6 * points.params * points.tokens)
    x = alt.X("C:Q", **compute_axis((2e18, 2e24)))
    low, high = min(measured, predicted, float(runs.loss.min())), float(runs.loss.max())
    y = alt.Y("loss:Q", **axis(BITS, (0.92 * low, 1.04 * high)))
    curves = (
        alt.Chart(rounded(_ladder_lines(runs, law, N, D)[["params", "part", "C", "loss"]]))
        .mark_line(color=OURS.colour)
        .encode(x=x, y=y, detail="params:N", strokeDash=extrapolated())
    )
    dots = (
        alt.Chart(rounded(runs[["params", "tokens", "C", "loss"]]))
        .mark_point(style="dot", size=60, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips("params:Q", "tokens:Q", "loss:Q"))
    )
    ends = runs.sort_values("tokens", kind="stable").groupby("params").last().reset_index()
    sizes = [f"{size / 1e9:.2g}B" if size >= 1e9 else f"{size / 1e6:.0f}M" for size in ends.params]
    words = (
        alt.Chart(rounded(ends[["params", "C", "loss"]]).assign(word=sizes))
        .mark_text(style="word", align="left", dx=7, dy=-7)
        .encode(x=x, y=y, text="word:N")
    )
    looks = {"13B, predicted": (OURS.colour, "circle"), "13B, measured": (TARGET, "diamond")}
    marks = (
        at(digits=5, C=6.0 * N * D, loss=[predicted, measured], what=list(looks))
        .mark_point(style="dot", size=110, opacity=1)
        .encode(x=x, y=y, **_key(looks))
    )
    return described(
        curves + dots + words + marks,
        f"Scatter plot of bits per byte on {name} against training compute for {len(runs)} runs of "
        f"{runs.params.nunique()} sizes, with the fitted law. Drawn on to the 13B model it "
        f"predicts {predicted:.3f}; {measured:.3f} was measured.",
    )


def _ladder_lines(runs: pd.DataFrame, law: ChinchillaLaw, N: float, D: float) -> pd.DataFrame:
    """The law along the runs of each size, and from 20 tokens per parameter to the target."""
    spans = runs.groupby("params").tokens.agg(["min", "max"])
    lines = [(size, "fit", one["min"], one["max"]) for size, one in spans.iterrows()]
    drawn = pd.concat(
        pd.DataFrame({"params": size, "part": part, "tokens": np.geomspace(first, last, 21)})
        for size, part, first, last in [*lines, (N, "beyond", 20 * N, D)]
    )
    return drawn.assign(
        C=6 * drawn.params * drawn.tokens, loss=law.loss(drawn.params, drawn.tokens)
    )


def score_map(
    checkpoints: pd.DataFrame, curve: Curve, split: ErrorSplit, *, chance: float, name: str
) -> Any:
    """The second step: the score of every checkpoint against its loss, and the map.

    Columns loss (bits per byte), score; every sixth row is drawn. `split` is of the model to be
    predicted, `chance` the score of a guess, `name` the task's.
    """
    low = 0.9 * min(split.loss, split.predicted_loss)
    seen, high = float(checkpoints.loss.min()), float(checkpoints.loss.max())
    x = alt.X("loss:Q", **axis(BITS, (low, 1.02 * high)))
    best = 1.0 if split.score > 0.7 else 0.75
    y = alt.Y("score:Q", **axis("Accuracy", (0.8 * chance, best), format=".0%"))
    dots = (
        alt.Chart(rounded(checkpoints[["loss", "score"]].iloc[::6], 4))
        .mark_point(style="dot", size=18, opacity=0.55, color=RUNS.colour)
        .encode(x=x, y=y)
    )
    looks = {
        "from the predicted bits": (FIRST, "circle"),
        "from the measured bits": (SECOND, "square"),
        "13B, measured": (TARGET, "diamond"),
    }
    marks = (
        at(digits=5, loss=[split.predicted_loss, split.loss, split.loss],
           score=[split.chained, split.from_loss, split.score], what=list(looks))
        .mark_point(style="dot", size=110, opacity=1)
        .encode(x=x, y=y, **_key(looks))
    )  # fmt: skip
    line = _map(curve, "score", (low, high), seen).encode(x=x, y=y)
    guess = at(score=chance).encode(y=y)
    word = guess.mark_text(style="word", align="right", dy=-7).encode(
        x=alt.value("width"), text=alt.value("guessing")
    )
    return described(
        guess.mark_rule(style="end") + word + dots + line + marks,
        f"Scatter plot of accuracy on {name} against bits per byte for checkpoints of the small "
        f"runs, with the fitted sigmoid. For the 13B model it gives {split.chained:.3f} from the "
        f"predicted bits and {split.from_loss:.3f} from the measured bits; {split.score:.3f} was "
        "measured.",
    )


def error_parts(splits: Mapping[str, ErrorSplit]) -> Any:
    """What each step adds to the error of the chained prediction, one row per task, in order."""
    tasks = list(splits)
    steps = {
        "first step": [100 * one.first for one in splits.values()],
        "second step": [100 * one.second for one in splits.values()],
    }
    total = [100 * one.total for one in splits.values()]
    reach = 1.15 * float(np.abs([*steps.values(), total]).max())
    error = axis("Error of the accuracy (percentage points)", (-reach, reach))
    looks = {"first step": FIRST, "second step": SECOND, "together": TARGET}
    look: dict[str, Any] = {
        "y": _rows(tasks),
        "color": hues("what:N", looks, legend=key(columns=3, symbolType="square")),
    }
    low = alt.X("low:Q", **error)
    bars = [
        at(digits=4, task=tasks, what=what, low=0.0, high=high)
        .mark_rule(strokeWidth=7, yOffset=offset)
        .encode(x=low, x2="high:Q", tooltip=tooltips("task:N", "what:N", ("high:Q", "+.1f")),
                **look)
        for (what, high), offset in zip(steps.items(), (-4, 4), strict=True)
    ]  # fmt: skip
    mark = (
        at(digits=4, task=tasks, total=total, what="together")
        .mark_point(style="diamond", size=90, opacity=1)
        .encode(
            x=alt.X("total:Q", **error), tooltip=tooltips("task:N", ("total:Q", "+.1f")), **look
        )
    )
    zero = at(low=0.0).mark_rule(style="quiet").encode(x=low)
    told = "; ".join(
        f"{task}: {100 * one.first:+.1f}, {100 * one.second:+.1f}, together {100 * one.total:+.1f}"
        for task, one in splits.items()
    )
    return described(
        alt.layer(zero, *bars, mark, _names(tasks)),
        "Bar chart of the error of the predicted accuracy in percentage points, first step, second "
        f"step, and together. {told}.",
        height=ROW * len(tasks) + 50,
    )


def stalled_dots(table: pd.DataFrame, *, shared: float) -> Any:
    """Published one-step predictions beside what was measured and what a finished fit gives.

    Columns task, published, measured, finished; `shared` is the prediction of several tasks.
    """
    tasks = list(table.task)
    looks = {
        "published": (PUBLISHED, "square"),
        "same objective, finished": (OURS.colour, "circle"),
        "measured": (TARGET, "diamond"),
    }
    named = table.rename(columns={"finished": "same objective, finished"})
    x = alt.X("value:Q", **axis("Accuracy of the 13B model", (0.35, 1.0), format=".0%",
                                tickCount=6))  # fmt: skip
    marks = (
        alt.Chart(rounded(named.melt("task", list(looks), "what", "value"), 4))
        .mark_point(style="dot", size=85, opacity=1)
        .encode(x=x, y=_rows(tasks), tooltip=tooltips("task:N", "what:N", ("value:Q", ".3f")),
                **_key(looks))
    )  # fmt: skip
    common = at(digits=6, value=shared).encode(x=x)
    rule = common.mark_rule(color=PUBLISHED, strokeDash=[3, 3], opacity=0.7)
    told = "; ".join(
        f"{one.task}: {one.published:.3f}, {one.finished:.2f}, {one.measured:.3f}"
        for one in table.itertuples()
    )
    return described(
        rule + marks + _names(tasks),
        "Dot plot of the accuracy of the 13B model by task: published one-step prediction, same "
        f"objective fitted to the end, and measured. {told}. Four published values coincide.",
        height=ROW * len(tasks) + 90,
    )


def error_curve(runs: pd.DataFrame, curve: Curve, splits: Mapping[str, ErrorSplit]) -> Any:
    """Average error against loss, the fitted map, and the models that were held out.

    Columns loss (nats per token), error and fitted (bool); `curve` goes through the fitted ones,
    `splits` are of the models held out, by name.
    """
    low = 0.97 * min(min(one.loss, one.predicted_loss) for one in splits.values())
    fitted = runs[runs.fitted].loss
    high = 1.02 * float(fitted.max())
    runs = runs[runs.loss <= high]
    x = alt.X("loss:Q", **axis("Loss on C4 (nats per token)", (low, high)))
    y = alt.Y(
        "error:Q", title="Average error", scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(format=".0%"),
    )  # fmt: skip
    looks = {
        "runs fitted": (RUNS.colour, "circle"),
        "held out, predicted": (OURS.colour, "square"),
        "held out, measured": (TARGET, "diamond"),
    }
    used, predicted, measured = looks
    held = pd.DataFrame(
        [
            {"loss": loss, "error": error, "what": what, "name": name}
            for name, one in splits.items()
            for loss, error, what in ((one.predicted_loss, one.chained, predicted),
                                      (one.loss, one.score, measured))
        ]
    )  # fmt: skip
    shown = runs[["loss", "error"]].assign(what=np.where(runs.fitted, used, "other runs"), name="")
    others = (
        alt.Chart(rounded(shown[shown.what == "other runs"]))
        .mark_point(style="dot", size=26, opacity=0.55, color=RUNS.colour)
        .encode(x=x, y=y)
    )
    marks = (
        alt.Chart(rounded(pd.concat([shown[shown.what == used], held])))
        .mark_point(style="dot", size=100, opacity=1)
        .encode(x=x, y=y, tooltip=tooltips("name:N", "what:N", "loss:Q", "error:Q"), **_key(looks))
    )
    words = [
        alt.Chart(rounded(held[(held.what == measured) & (held.name == name)]))
        .mark_text(style="note", align="left", dx=11, dy=5 + 15 * k)
        .encode(x=x, y=y, text="name:N")
        for k, name in enumerate(splits)
    ]
    told = "; ".join(
        f"{name}: predicted {one.chained:.4f}, measured {one.score:.4f}"
        for name, one in splits.items()
    )
    line = _map(curve, "error", (low, high), float(fitted.min())).encode(x=x, y=y)
    return described(
        alt.layer(others, line, marks, *words),
        f"Scatter plot of average error against loss for {len(runs)} runs, with an exponential "
        f"through {int(runs.fitted.sum())} of them. {told}.",
    )


def family_lines(models: pd.DataFrame, trends: pd.DataFrame, *, marked: Sequence[str]) -> Any:
    """First component of released models against their compute, with a line per family.

    Columns of `models`: model, family, flops (FLOP), score; of `trends`, lines on ln(flops):
    family, slope, intercept, r2. The families `marked` are drawn in colour.
    """
    known = models.dropna(subset=["flops"])
    x = alt.X("flops:Q", **compute_axis((1e18, 1e26), step=2))
    y = alt.Y("score:Q", **axis("First principal component", (-0.75, 1.25)))
    ends = known.groupby("family").flops.agg(["min", "max"])
    lines = pd.DataFrame(
        [
            {"family": one.family, "flops": C, "score": one.slope * np.log(C) + one.intercept}
            for one in trends.itertuples()
            for C in ends.loc[one.family]
        ]
    )
    is_marked = lines.family.isin(list(marked))
    quiet = (
        alt.Chart(rounded(lines[~is_marked]))
        .mark_line(strokeWidth=1.5, color=OURS.colour, opacity=0.55)
        .encode(x=x, y=y, detail="family:N")
    )
    dots = (
        alt.Chart(rounded(known[["model", "family", "flops", "score"]], 4))
        .mark_point(style="dot", size=22, opacity=0.6, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips("model:N", "flops:Q", "score:Q"))
    )
    looks = dict(zip(marked, (PUBLISHED, TARGET, "#0b9670", OCHRE), strict=False))
    loud: dict[str, Any] = {"x": x, "y": y, "color": hues("family:N", looks, legend=key(columns=3))}
    loud_lines = alt.Chart(rounded(lines[is_marked])).mark_line(strokeWidth=2.5).encode(**loud)
    loud_dots = (
        alt.Chart(rounded(known[known.family.isin(list(marked))][["family", "flops", "score"]], 4))
        .mark_point(style="dot", size=60, opacity=1)
        .encode(**loud)
    )
    told = "; ".join(
        f"{one.family} {one.r2:.2f}" for one in trends.itertuples() if one.family in marked
    )
    return described(
        dots + quiet + loud_lines + loud_dots,
        f"Scatter plot of the first principal component of {len(known)} models against training "
        f"compute, with a line for each of {len(trends)} families. Most lines fit closely; share "
        f"of variance explained in the others: {told}.",
    )


def score_slider(
    chains: Mapping[str, TwoStep[Any]], refits: Mapping[str, Sequence[TwoStep[Any]]],
    measured: Mapping[str, float], *, N: float, D: float,
) -> Any:  # fmt: skip
    """Predicted accuracy of a model of any compute, with sliders and the span of refits.

    By the name of the task, in the order of the rows: chains whose second step is a sigmoid, the
    same refitted without some of the runs, and the accuracy of the target. The sliders, ``log_C``
    and ``tokens_per_param``, start at its parameters and tokens, `N` and `D`.
    """
    tasks = list(chains)
    accuracy = axis("Accuracy", (0, 1), format=".0%", tickCount=6)
    x, y = alt.X("accuracy:Q", **accuracy), _rows(tasks)
    here = _predicted(chains.items())
    ends: Any = {"low_end": "min(accuracy)", "high_end": "max(accuracy)"}
    span = (
        _predicted((task, one) for task in tasks for one in refits[task])
        .transform_aggregate(**ends, groupby=["task"])
        .mark_rule(strokeWidth=6, opacity=0.35, color=OURS.colour)
        .encode(x=alt.X("low_end:Q", **accuracy), x2="high_end:Q", y=y)
    )
    dot = here.mark_point(style="dot", size=90, color=OURS.colour).encode(x=x, y=y)
    read = here.mark_text(style="note", align="right", dy=-15, color=OURS.colour).encode(
        x=alt.value("width"), y=y, text="read:N"
    )
    actual = (
        at(digits=5, task=tasks, accuracy=[measured[task] for task in tasks])
        .mark_point(style="diamond", size=80, color=TARGET)
        .encode(x=x, y=y)
    )
    ratio = slider("tokens_per_param", 20 * round(D / N / 20), (20, 1000, 20),
                   "Tokens per parameter")  # fmt: skip
    return described(
        alt.layer(span, dot, actual, _names(tasks), read).add_params(
            budget_slider(6 * N * D, low=19, high=25), ratio
        ),
        f"Dot plot of the predicted accuracy on {len(tasks)} tasks, a bar that spans the "
        "refits, and diamonds at the accuracy measured for the 13B model. Sliders set training "
        "compute and tokens per parameter; a text beside each name reads out bits per byte and "
        "accuracy.",
        height=ROW * len(tasks) + 50,
    )


def _predicted(chains: Iterable[tuple[str, TwoStep[Any]]]) -> Any:
    """The chain of each task at the sliders' place."""
    terms, ends = ("E", "A", "B", "alpha", "beta"), ("low", "high", "slope", "middle")
    constants = pd.DataFrame(
        {"task": task, **{one: getattr(chain.law, one) for one in terms},
         **{one: getattr(chain.curve, one) for one in ends}}
        for task, chain in chains
    )  # fmt: skip
    return alt.Chart(rounded(constants)).transform_calculate(
        N="sqrt(pow(10, log_C) / 6 / tokens_per_param)",
        D="datum.N * tokens_per_param",
        bits="datum.E + datum.A * pow(datum.N, -datum.alpha) + datum.B * pow(datum.D, -datum.beta)",
        accuracy="datum.low + (datum.high - datum.low)"
        " / (1 + exp(-datum.slope * (datum.bits - datum.middle)))",
        read="format(datum.bits, '.2f') + ' bits  ' + format(100 * datum.accuracy, '.1f') + ' %'",
    )
