"""Charts of the way from a loss to a benchmark score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.curves import Curve
from scalinglib.downstream import ErrorSplit, TwoStep
from scalinglib.laws import ChinchillaLaw

from .base import (
    OURS,
    QUIET,
    RUNS,
    Role,
    compute_axis,
    described,
    rounded,
)

TARGET = Role("measured", "#7a5fd0")
FIRST = Role("first step", OURS.colour)
SECOND = Role("second step", "#9a7b00")
PUBLISHED = Role("published", "#d2600f")
BEYOND = [5, 4]
"""Dash of the part of a curve that lies beyond its data."""

ROW = 46
"""Height of a row that carries its name above its marks."""


def _rows(tasks: Sequence[str]) -> alt.Y:
    return alt.Y(
        "task:N",
        sort=list(tasks),
        title=None,
        axis=None,
        scale=alt.Scale(paddingOuter=0.7),
    )


def _names(tasks: Sequence[str]) -> Any:
    """Names above their rows, so that a narrow screen keeps its whole width for the axis."""
    return (
        alt.Chart(pd.DataFrame({"task": list(tasks)}))
        .mark_text(align="left", dy=-15, fontSize=11, fontWeight="bold")
        .encode(x=alt.value(0), y=_rows(tasks), text="task:N")
    )


def _key(entries: Sequence[tuple[str, str, str]], title: str | None = None) -> dict[str, Any]:
    """Colour and shape of marks that are told apart by a legend: name, colour, shape."""
    names = [name for name, _, _ in entries]
    legend = alt.Legend(title=title, columns=1, labelLimit=320)
    return {
        "color": alt.Color(
            "what:N",
            scale=alt.Scale(domain=names, range=[colour for _, colour, _ in entries]),
            legend=legend,
        ),
        "shape": alt.Shape(
            "what:N", scale=alt.Scale(domain=names, range=[shape for _, _, shape in entries])
        ),
    }


def ladder(
    points: pd.DataFrame, law: ChinchillaLaw, *, target: tuple[float, float, float], name: str
) -> Any:
    """The first step: the loss of each run, the law, and the model to be predicted.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns params, tokens and loss, one row per run.
    law : ChinchillaLaw
        Fitted to them.
    target : (float, float, float)
        Parameters, tokens and measured loss of the target.
    name : str
        Of the task.

    Returns
    -------
    altair.LayerChart
    """
    N, D, measured = target
    runs = points.assign(C=6 * points.params * points.tokens)
    lines = []
    for size in sorted(runs.params.unique()):
        mine = runs[runs.params == size].tokens
        tokens = np.geomspace(mine.min(), mine.max(), 21)
        lines.append(pd.DataFrame({"params": size, "part": "fit", "tokens": tokens}))
    tokens = np.geomspace(20 * N, D, 21)
    lines.append(pd.DataFrame({"params": N, "part": "beyond", "tokens": tokens}))
    drawn = pd.concat(lines, ignore_index=True)
    drawn = drawn.assign(
        C=6 * drawn.params * drawn.tokens, loss=law.loss(drawn.params, drawn.tokens)
    )
    predicted = float(law.loss(N, D))
    x = alt.X("C:Q", **compute_axis((2e18, 2e24)))
    low, high = min(measured, predicted, float(runs.loss.min())), float(runs.loss.max())
    y = alt.Y(
        "loss:Q",
        title="Bits per byte of the right answer",
        scale=alt.Scale(domain=[0.92 * low, 1.04 * high], zero=False, nice=False),
    )
    curves = (
        alt.Chart(rounded(drawn[["params", "part", "C", "loss"]]))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(
            x=x,
            y=y,
            detail="params:N",
            strokeDash=alt.StrokeDash(
                "part:N",
                scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]),
                legend=None,
            ),
        )
    )
    dots = (
        alt.Chart(rounded(runs[["params", "tokens", "C", "loss"]]))
        .mark_point(filled=True, size=60, opacity=1, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=["params:Q", "tokens:Q", "loss:Q"])
    )
    ends = runs.sort_values("tokens", kind="stable").groupby("params").last().reset_index()
    words = (
        alt.Chart(rounded(ends[["params", "C", "loss"]]).assign(word=_sizes(ends.params)))
        .mark_text(align="left", dx=7, dy=-7, fontSize=11, color=QUIET)
        .encode(x=x, y=y, text="word:N")
    )
    C = 6.0 * N * D
    pair = pd.DataFrame(
        {"C": [C, C], "loss": [predicted, measured], "what": ["13B, predicted", "13B, measured"]}
    )
    marks = (
        alt.Chart(rounded(pair))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=x, y=y,
            **_key([("13B, predicted", OURS.colour, "circle"),
                    ("13B, measured", TARGET.colour, "diamond")]),
        )
    )  # fmt: skip
    return described(
        curves + dots + words + marks,
        f"Scatter plot of bits per byte on {name} against training compute for {len(runs)} runs of "
        f"{runs.params.nunique()} sizes, with the fitted law. Drawn on to the 13B model it "
        f"predicts {predicted:.3f}; {measured:.3f} was measured.",
    )


def _sizes(params: pd.Series[float]) -> list[str]:
    return [f"{size / 1e9:.2g}B" if size >= 1e9 else f"{size / 1e6:.0f}M" for size in params]


def score_map(
    checkpoints: pd.DataFrame, curve: Curve, split: ErrorSplit, *, chance: float, name: str
) -> Any:
    """The second step: the score of every checkpoint against its loss, and the map.

    Parameters
    ----------
    checkpoints : pandas.DataFrame
        Columns loss and score; every sixth row is drawn.
    curve : Curve
        Fitted to them.
    split : ErrorSplit
        Of the model to be predicted.
    chance : float
        Score of a guess.
    name : str
        Of the task.

    Returns
    -------
    altair.LayerChart
    """
    low = 0.9 * min(split.loss, split.predicted_loss)
    high, seen = float(checkpoints.loss.max()), float(checkpoints.loss.min())
    x = alt.X(
        "loss:Q",
        title="Bits per byte of the right answer",
        scale=alt.Scale(domain=[low, 1.02 * high], zero=False, nice=False),
    )
    y = alt.Y(
        "score:Q",
        title="Accuracy",
        scale=alt.Scale(domain=[0.8 * chance, 1.0 if split.score > 0.7 else 0.75], nice=False),
        axis=alt.Axis(format=".0%"),
    )
    at = np.linspace(low, high, 61)
    parts = pd.concat(
        [
            pd.DataFrame({"part": "fit", "loss": np.append(seen, at[at >= seen])}),
            pd.DataFrame({"part": "beyond", "loss": np.append(at[at < seen], seen)}),
        ],
        ignore_index=True,
    )
    line = (
        alt.Chart(rounded(parts.assign(score=curve.value(parts.loss))))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(
            x=x,
            y=y,
            strokeDash=alt.StrokeDash(
                "part:N",
                scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]),
                legend=None,
            ),
        )
    )
    dots = (
        alt.Chart(rounded(checkpoints[["loss", "score"]].iloc[::6], 4))
        .mark_point(filled=True, size=18, opacity=0.55, color=RUNS.colour)
        .encode(x=x, y=y)
    )
    what = ["from the predicted bits", "from the measured bits", "13B, measured"]
    marked = pd.DataFrame(
        {
            "loss": [split.predicted_loss, split.loss, split.loss],
            "score": [split.chained, split.from_loss, split.score],
            "what": what,
        }
    )
    marks = (
        alt.Chart(rounded(marked))
        .mark_point(filled=True, size=110, opacity=1)
        .encode(
            x=x, y=y,
            **_key([(what[0], FIRST.colour, "circle"), (what[1], SECOND.colour, "square"),
                    (what[2], TARGET.colour, "diamond")]),
        )
    )  # fmt: skip
    guess = alt.Chart(pd.DataFrame({"score": [chance]}))
    rule = guess.mark_rule(color=QUIET, strokeDash=[2, 2]).encode(y=y)
    word = guess.mark_text(color=QUIET, align="right", dy=-7, fontSize=11).encode(
        x=alt.value("width"), y=y, text=alt.value("guessing")
    )
    return described(
        rule + word + dots + line + marks,
        f"Scatter plot of accuracy on {name} against bits per byte for checkpoints of the small "
        f"runs, with the fitted sigmoid. For the 13B model it gives {split.chained:.3f} from the "
        f"predicted bits and {split.from_loss:.3f} from the measured bits; {split.score:.3f} was "
        "measured.",
    )


def error_parts(splits: Mapping[str, ErrorSplit]) -> Any:
    """What each step adds to the error of the chained prediction, one row per task.

    Parameters
    ----------
    splits : mapping of str to ErrorSplit
        By the name of the task, in the order of the rows.

    Returns
    -------
    altair.LayerChart
    """
    tasks = list(splits)
    parts = pd.DataFrame(
        [
            {"task": task, "what": what, "low": 0.0, "high": 100 * size, "shift": shift}
            for task, one in splits.items()
            for what, size, shift in (("first step", one.first, -4), ("second step", one.second, 4))
        ]
    )
    totals = pd.DataFrame(
        {"task": tasks, "total": [100 * one.total for one in splits.values()], "what": "together"}
    )
    reach = 1.15 * float(np.abs([*parts.high, *totals.total]).max())
    scale: dict[str, Any] = {
        "title": "Error of the accuracy (percentage points)",
        "scale": alt.Scale(domain=[-reach, reach], nice=False),
    }
    key = alt.Color(
        "what:N",
        scale=alt.Scale(
            domain=["first step", "second step", "together"],
            range=[FIRST.colour, SECOND.colour, TARGET.colour],
        ),
        legend=alt.Legend(title=None, columns=3, symbolType="square"),
    )
    y = _rows(tasks)
    bars = [
        alt.Chart(rounded(parts[parts.what == what].drop(columns="shift"), 4))
        .mark_rule(strokeWidth=7, yOffset=offset)
        .encode(
            x=alt.X("low:Q", **scale), x2="high:Q", y=y, color=key,
            tooltip=["task:N", "what:N", alt.Tooltip("high:Q", format="+.1f")],
        )
        for what, offset in (("first step", -4), ("second step", 4))
    ]  # fmt: skip
    mark = (
        alt.Chart(rounded(totals, 4))
        .mark_point(filled=True, size=90, opacity=1, shape="diamond")
        .encode(
            x=alt.X("total:Q", **scale), y=y, color=key,
            tooltip=["task:N", alt.Tooltip("total:Q", format="+.1f")],
        )
    )  # fmt: skip
    zero = (
        alt.Chart(pd.DataFrame({"low": [0.0]}))
        .mark_rule(color=QUIET)
        .encode(x=alt.X("low:Q", **scale))
    )
    told = "; ".join(
        f"{task}: {100 * one.first:+.1f}, {100 * one.second:+.1f}, together {100 * one.total:+.1f}"
        for task, one in splits.items()
    )
    return described(
        alt.layer(zero, *bars, mark, _names(tasks)),
        "Bar chart of the error of the predicted accuracy in percentage points, first step, second "
        f"step, and together. {told}.",
    ).properties(height=ROW * len(tasks) + 50)


def stalled_dots(table: pd.DataFrame, *, shared: float) -> Any:
    """Published one-step predictions beside what was measured and what a finished fit gives.

    Parameters
    ----------
    table : pandas.DataFrame
        Columns task, published, measured, finished.
    shared : float
        The prediction that several tasks share.

    Returns
    -------
    altair.LayerChart
    """
    tasks = list(table.task)
    what = {
        "published": "published",
        "finished": "same objective, finished",
        "measured": "measured",
    }
    long = table.melt("task", list(what), "what", "value").assign(
        what=lambda frame: frame.what.map(what)
    )
    x: dict[str, Any] = {
        "title": "Accuracy of the 13B model",
        "scale": alt.Scale(domain=[0.35, 1.0], nice=False),
        "axis": alt.Axis(format=".0%", tickCount=6),
    }
    names = list(what.values())
    marks = (
        alt.Chart(rounded(long, 4))
        .mark_point(filled=True, size=85, opacity=1)
        .encode(
            x=alt.X("value:Q", **x), y=_rows(tasks),
            tooltip=["task:N", "what:N", alt.Tooltip("value:Q", format=".3f")],
            **_key([(names[0], PUBLISHED.colour, "square"), (names[1], OURS.colour, "circle"),
                    (names[2], TARGET.colour, "diamond")]),
        )
    )  # fmt: skip
    rule = (
        alt.Chart(rounded(pd.DataFrame({"value": [shared]}), 6))
        .mark_rule(color=PUBLISHED.colour, strokeDash=[3, 3], opacity=0.7)
        .encode(x=alt.X("value:Q", **x))
    )
    told = "; ".join(
        f"{one.task}: {one.published:.3f}, {one.finished:.2f}, {one.measured:.3f}"
        for one in table.itertuples()
    )
    return described(
        rule + marks + _names(tasks),
        "Dot plot of the accuracy of the 13B model by task: published one-step prediction, same "
        f"objective fitted to the end, and measured. {told}. Four published values coincide.",
    ).properties(height=ROW * len(tasks) + 90)


def error_curve(runs: pd.DataFrame, curve: Curve, splits: Mapping[str, ErrorSplit]) -> Any:
    """Average error against loss, the fitted map, and the models that were held out.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns loss, error and fitted (bool).
    curve : Curve
        Through the fitted ones.
    splits : mapping of str to ErrorSplit
        Of the models held out, by their name.

    Returns
    -------
    altair.LayerChart
    """
    low = 0.97 * min(min(one.loss, one.predicted_loss) for one in splits.values())
    high = 1.02 * float(runs[runs.fitted].loss.max())
    runs = runs[runs.loss <= high]
    x = alt.X(
        "loss:Q",
        title="Loss on C4 (nats per token)",
        scale=alt.Scale(domain=[low, high], zero=False, nice=False),
    )
    y = alt.Y(
        "error:Q",
        title="Average error",
        scale=alt.Scale(zero=False, nice=True),
        axis=alt.Axis(format=".0%"),
    )
    first = float(runs[runs.fitted].loss.min())
    at = np.linspace(low, high, 61)
    parts = pd.concat(
        [
            pd.DataFrame({"part": "fit", "loss": np.append(first, at[at >= first])}),
            pd.DataFrame({"part": "beyond", "loss": np.append(at[at < first], first)}),
        ],
        ignore_index=True,
    )
    line = (
        alt.Chart(rounded(parts.assign(error=curve.value(parts.loss))))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(
            x=x, y=y,
            strokeDash=alt.StrokeDash(
                "part:N", scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]),
                legend=None,
            ),
        )
    )  # fmt: skip
    held = pd.DataFrame(
        [
            {"loss": at_loss, "error": error, "what": what, "name": name}
            for name, one in splits.items()
            for at_loss, error, what in (
                (one.predicted_loss, one.chained, "held out, predicted"),
                (one.loss, one.score, "held out, measured"),
            )
        ]
    )
    shown = runs.assign(
        what=np.where(runs.fitted, "runs fitted", "other runs"), name=""
    )[["loss", "error", "what", "name"]]  # fmt: skip
    others = (
        alt.Chart(rounded(shown[shown.what == "other runs"]))
        .mark_point(filled=True, size=26, opacity=0.55, color=RUNS.colour)
        .encode(x=x, y=y)
    )
    marks = (
        alt.Chart(rounded(pd.concat([shown[shown.what == "runs fitted"], held])))
        .mark_point(filled=True, size=100, opacity=1)
        .encode(
            x=x, y=y,
            tooltip=["name:N", "what:N", "loss:Q", "error:Q"],
            **_key([("runs fitted", RUNS.colour, "circle"),
                    ("held out, predicted", OURS.colour, "square"),
                    ("held out, measured", TARGET.colour, "diamond")]),
        )
    )  # fmt: skip
    words = [
        alt.Chart(rounded(held[(held.what == "held out, measured") & (held.name == name)]))
        .mark_text(align="left", dx=11, dy=5 + 15 * k, fontSize=11)
        .encode(x=x, y=y, text="name:N")
        for k, name in enumerate(splits)
    ]
    told = "; ".join(
        f"{name}: predicted {one.chained:.4f}, measured {one.score:.4f}"
        for name, one in splits.items()
    )
    return described(
        alt.layer(others, line, marks, *words),
        f"Scatter plot of average error against loss for {len(runs)} runs, with an exponential "
        f"through {int(runs.fitted.sum())} of them. {told}.",
    )


def family_lines(models: pd.DataFrame, trends: pd.DataFrame, *, marked: Sequence[str]) -> Any:
    """First component of released models against their compute, with a line per family.

    Parameters
    ----------
    models : pandas.DataFrame
        Columns model, family, flops (FLOP) and score.
    trends : pandas.DataFrame
        Columns family, slope and intercept, the line on ln(flops).
    marked : sequence of str
        Families to draw in colour.

    Returns
    -------
    altair.LayerChart
    """
    colours = [PUBLISHED.colour, TARGET.colour, "#0b9670", "#9a7b00"]
    known = models.dropna(subset=["flops"])
    x = alt.X("flops:Q", **compute_axis((1e18, 1e26), step=2))
    y = alt.Y(
        "score:Q",
        title="First principal component",
        scale=alt.Scale(domain=[-0.75, 1.25], nice=False),
    )
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
        .mark_point(filled=True, size=22, opacity=0.6, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=["model:N", "flops:Q", "score:Q"])
    )
    colour = alt.Color(
        "family:N",
        scale=alt.Scale(domain=list(marked), range=colours[: len(marked)]),
        legend=alt.Legend(title=None, columns=3),
    )
    loud = (
        alt.Chart(rounded(lines[is_marked]))
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y=y, color=colour)
    )
    loud_dots = (
        alt.Chart(rounded(known[known.family.isin(list(marked))][["family", "flops", "score"]], 4))
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=x, y=y, color=colour)
    )
    told = "; ".join(
        f"{one.family} {one.r2:.2f}" for one in trends.itertuples() if one.family in marked
    )
    return described(
        dots + quiet + loud + loud_dots,
        f"Scatter plot of the first principal component of {len(known)} models against training "
        f"compute, with a line for each of {len(trends)} families. Most lines fit closely; share "
        f"of variance explained in the others: {told}.",
    )


def score_slider(
    chains: Mapping[str, TwoStep[Any]],
    refits: Mapping[str, Sequence[TwoStep[Any]]],
    measured: Mapping[str, float],
    *,
    N: float,
    D: float,
) -> Any:
    """Predicted accuracy of a model of any compute, with sliders and the span of refits.

    Parameters
    ----------
    chains : mapping of str to TwoStep
        By the name of the task, in the order of the rows; the second step is a sigmoid.
    refits : mapping of str to sequence of TwoStep
        The same chains refitted without some of the runs; bars span their predictions.
    measured : mapping of str to float
        Accuracy of the target.
    N, D : float
        Parameters and tokens of the target, where the sliders start.

    Returns
    -------
    altair.LayerChart
        Parameters ``log_C``, the decimal logarithm of the compute, and ``tokens_per_param``.
    """
    tasks = list(chains)
    compute = alt.param(
        name="log_C",
        value=round(float(np.log10(6 * N * D)), 2),
        bind=alt.binding_range(min=19, max=25, step=0.01, name="Training compute "),
    )
    ratio = alt.param(
        name="tokens_per_param",
        value=20 * round(D / N / 20),
        bind=alt.binding_range(min=20, max=1000, step=20, name="Tokens per parameter "),
    )
    scale: dict[str, Any] = {
        "title": "Accuracy",
        "scale": alt.Scale(domain=[0, 1], nice=False),
        "axis": alt.Axis(format=".0%", tickCount=6),
    }
    y = _rows(tasks)
    here = _predicted(pd.DataFrame([_constants(task, one) for task, one in chains.items()]))
    every = pd.DataFrame([_constants(task, one) for task in tasks for one in refits[task]])
    ends: Any = {"low_end": "min(accuracy)", "high_end": "max(accuracy)"}
    band = (
        _predicted(every)
        .transform_aggregate(**ends, groupby=["task"])
        .mark_rule(strokeWidth=6, opacity=0.35, color=OURS.colour)
        .encode(x=alt.X("low_end:Q", **scale), x2="high_end:Q", y=y)
    )
    dot = here.mark_point(filled=True, size=90, opacity=1, color=OURS.colour).encode(
        x=alt.X("accuracy:Q", **scale), y=y
    )
    read = here.mark_text(align="right", dy=-15, fontSize=11, color=OURS.colour).encode(
        x=alt.value("width"), y=y, text="read:N"
    )
    actual = (
        alt.Chart(rounded(pd.DataFrame({"task": tasks, "accuracy": [measured[t] for t in tasks]})))
        .mark_point(filled=True, size=80, opacity=1, shape="diamond", color=TARGET.colour)
        .encode(x=alt.X("accuracy:Q", **scale), y=y)
    )
    return described(
        alt.layer(band, dot, actual, _names(tasks), read).add_params(compute, ratio),
        f"Dot plot of the predicted accuracy on {len(tasks)} tasks, a bar that spans the "
        "refits, and diamonds at the accuracy measured for the 13B model. Sliders set training "
        "compute and tokens per parameter; a text beside each name reads out bits per byte and "
        "accuracy.",
    ).properties(height=ROW * len(tasks) + 50)


def _constants(task: str, chain: TwoStep[Any]) -> dict[str, Any]:
    law, curve = chain.law, chain.curve
    return {
        "task": task, "E": law.E, "A": law.A, "B": law.B, "alpha": law.alpha, "beta": law.beta,
        "low": curve.low, "high": curve.high, "slope": curve.slope, "middle": curve.middle,
    }  # fmt: skip


def _predicted(constants: pd.DataFrame) -> Any:
    """The chain of each row at the sliders' place."""
    return alt.Chart(rounded(constants)).transform_calculate(
        N="sqrt(pow(10, log_C) / 6 / tokens_per_param)",
        D="datum.N * tokens_per_param",
        bits="datum.E + datum.A * pow(datum.N, -datum.alpha) + datum.B * pow(datum.D, -datum.beta)",
        accuracy="datum.low + (datum.high - datum.low)"
        " / (1 + exp(-datum.slope * (datum.bits - datum.middle)))",
        read="format(datum.bits, '.2f') + ' bits  ' + format(100 * datum.accuracy, '.1f') + ' %'",
    )
