"""Charts of emergence: one ability through several measures, and what a finite test can see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.capability import Sigmoid
from scalinglib.emergence import TokenLine, chance_of_zero
from scalinglib.laws import PowerLaw

from .base import (
    HEIGHT,
    OURS,
    QUIET,
    RUNS,
    Role,
    compute_axis,
    described,
    log_axis,
    params_axis,
    readout,
    rounded,
    size_label,
)

SHARP = Role("sharp measure", "#d2600f")
SMOOTH = Role("smooth measure", OURS.colour)
PLAIN = Role("power law", "#9a7b00")
THIRD = Role("third measure", "#0b9670")
FOURTH = Role("fourth measure", "#7a5fd0")

BEYOND = [5, 4]
"""Dash of the part of a curve that lies beyond its data."""


def percent_axis(title: str, domain: tuple[float, float] = (0.0, 1.0)) -> alt.Y:
    """Linear axis of a share, written in per cent."""
    return alt.Y(
        "y:Q",
        title=title,
        scale=alt.Scale(domain=list(domain), nice=False),
        axis=alt.Axis(format=".0%", tickCount=5),
    )


def word(place: Mapping[str, float], x: alt.X, y: alt.Y, text: str, **look: Any) -> Any:
    """A label at one place, in the units of both axes."""
    style = {"align": "left", "fontWeight": "bold"} | look
    return (
        alt.Chart(pd.DataFrame([place]))
        .mark_text(**style)
        .encode(x=x, y=y, text=alt.value(text.split("\n")))
    )


def colours(roles: Mapping[str, Role], field: str, *, legend: int = 0) -> alt.Color:
    """Colours by role, with a legend of so many columns or none."""
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(roles), range=[role.colour for role in roles.values()]),
        legend=alt.Legend(title=None, columns=legend, symbolOpacity=1) if legend else None,
    )


def accuracy_curve(points: pd.DataFrame, curve: Sigmoid, *, step: int, factor: float) -> Any:
    """Accuracy of checkpoints against perplexity, the sigmoid, and one early step marked.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns perplexity, accuracy, step.
    curve : Sigmoid
        Of ln perplexity.
    step : int
        Training step to mark.
    factor : float
        How far the perplexity has fallen by that step, for the label.

    Returns
    -------
    altair.LayerChart
    """
    domain = (2.0, 1e9)
    axis = log_axis("Perplexity (training runs to the right)", domain,
                    label="power", step=2)  # fmt: skip
    x = alt.X("x:Q", **{**axis, "scale": alt.Scale(type="log", domain=[1e9, 2], nice=False)})
    y = percent_axis("Accuracy", (-0.03, 0.8))
    data = rounded(
        pd.DataFrame({"x": points.perplexity, "y": points.accuracy, "early": points.step == step})
    )
    at = np.geomspace(*domain, 90)
    line = (
        alt.Chart(rounded(pd.DataFrame({"x": at, "y": curve.value(np.log(at))})))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(x=x, y=y)
    )
    base = alt.Chart(data).encode(x=x, y=y)
    dots = base.transform_filter("!datum.early").mark_circle(
        size=26, opacity=0.7, color=RUNS.colour
    )
    early = base.transform_filter("datum.early").mark_point(
        shape="diamond", filled=True, size=70, opacity=1, color=SHARP.colour
    )
    most = points.accuracy[points.step == step].max()
    told = (
        f"step {step}: perplexity\nalready {factor:.0f} times lower,\naccuracy at most {most:.2%}"
    )
    words = word({"x": 7e8, "y": 0.27}, x, y, told, color=SHARP.colour, lineHeight=16)
    name = word({"x": 60.0, "y": 0.55}, x, y, "one sigmoid", color=OURS.colour, align="right")
    marked = points[points.step == step]
    return described(
        dots + line + early + words + name,
        f"Scatter plot of accuracy against perplexity, on a falling logarithmic axis, for "
        f"{len(points)} checkpoints, with one sigmoid through them. Accuracy stays near zero down "
        f"to a perplexity near ten thousand and then rises to {points.accuracy.max():.0%}. At step "
        f"{step} the perplexities are {marked.perplexity.min():.2g} to "
        f"{marked.perplexity.max():.2g} and no accuracy exceeds {marked.accuracy.max():.2%}.",
    )


def zero_scores(models: pd.DataFrame, questions: tuple[int, ...]) -> Any:
    """Chance of a score of zero against model size, for test sets of several lengths.

    Parameters
    ----------
    models : pandas.DataFrame
        Columns params, accuracy; in the order of size.
    questions : tuple of int
        Lengths of the test set, in rising order.

    Returns
    -------
    altair.LayerChart
    """
    frame = pd.concat(
        [
            pd.DataFrame(
                {"questions": f"{n:,}", "x": models.params, "y": chance_of_zero(models.accuracy, n)}
            )
            for n in questions
        ]
    )
    shades = ("#3f8fc9", "#1f9e89", "#6f9a1f", "#b7811a", "#d2600f", "#b565a7")
    roles = {f"{n:,}": Role(f"{n:,}", shades[k]) for k, n in enumerate(questions)}
    x = alt.X("x:Q", **params_axis((5e7, 2e10)))
    y = percent_axis("Chance that the model scores zero", (0, 1.04))
    colour = colours(roles, "questions")
    base = alt.Chart(rounded(frame)).encode(x=x, y=y, color=colour)
    # Each name stands where its own curve is nearest to half-way down, to keep names apart.
    places = rounded(
        pd.concat(
            one.iloc[[int((one.y - 0.4).abs().to_numpy().argmin())]]
            for _, one in frame.groupby("questions", sort=False)
        )
    )
    last = places.x == float(models.params.max())
    look: dict[str, Any] = {"fontWeight": "bold", "align": "left", "dx": 8, "dy": -6}
    names = alt.layer(
        *(
            alt.Chart(one.assign(word=one.questions + unit))
            .mark_text(**style)
            .encode(x=x, y=y, color=colour, text="word:N")
            for one, style, unit in (
                (places[~last], look, ""),
                (places[last], look | {"align": "right", "dx": 6, "dy": 16}, " questions"),
            )
        )
    )
    told = "; ".join(
        f"{name} questions: {one.y.iloc[0]:.2f} falling to {one.y.iloc[-1]:.2f}"
        for name, one in frame.groupby("questions", sort=False)
    )
    return described(
        base.mark_line(strokeWidth=2) + base.mark_circle(size=45, opacity=1) + names,
        f"Line chart of the chance of scoring zero against model size, {len(models)} models, for "
        f"{len(questions)} lengths of the test set. {told}.",
    )


def listing(line: TokenLine, *, sizes: tuple[float, float], end: float) -> Any:
    """Per-token accuracy and exact match on the range of the listing, and beyond it.

    Parameters
    ----------
    line : TokenLine
    sizes : tuple of float
        Smallest and largest model of the listing (parameters).
    end : float
        Right end of the chart (parameters).

    Returns
    -------
    altair.LayerChart
    """
    roles = {"per token": SMOOTH, "exact match": SHARP}
    x = alt.X("x:Q", **params_axis((sizes[0], end)))
    y = percent_axis("Share right", (0, 1))
    parts = []
    for name, score in (("per token", line.accuracy), ("exact match", line.exact_match)):
        for part, low, high in (("listing", *sizes), ("beyond", sizes[1], end)):
            N = np.geomspace(low, high, 40)
            parts.append(pd.DataFrame({"measure": name, "part": part, "x": N, "y": score(N)}))
    dash = alt.StrokeDash(
        "part:N", scale=alt.Scale(domain=["listing", "beyond"], range=[[1, 0], BEYOND]), legend=None
    )
    lines = (
        alt.Chart(rounded(pd.concat(parts)))
        .mark_line(strokeWidth=2.5)
        .encode(x=x, y=y, color=colours(roles, "measure"), strokeDash=dash)
    )
    stop = alt.Chart(pd.DataFrame({"x": [sizes[1]]})).mark_rule(color=QUIET, strokeDash=[2, 2])
    half = pd.DataFrame({"x": [line.params_for(0.5)], "y": [0.5]})
    dot = alt.Chart(rounded(half)).mark_point(
        shape="diamond", filled=True, size=90, opacity=1, color=SHARP.colour
    )
    layers = [
        stop.encode(x=x), lines, dot.encode(x=x, y=y),
        word({"x": sizes[1], "y": 0.97}, x, y, "the listing ends here", color=QUIET, dx=-6,
              align="right", fontWeight="normal", fontSize=11),
        word({"x": 1.5e8, "y": 0.72}, x, y, "each token", color=SMOOTH.colour),
        word({"x": 1.5e8, "y": 0.1}, x, y, f"all {line.tokens} tokens", color=SHARP.colour),
        word({"x": half.x[0], "y": 0.5}, x, y, "half of the\nanswers right", color=SHARP.colour,
              dx=-10, dy=-14, align="right", fontWeight="normal", fontSize=11),
    ]  # fmt: skip
    low, high = line.exact_match(list(sizes))
    return described(
        alt.layer(*layers),
        f"Line chart of accuracy per token and of exact match over {line.tokens} tokens against "
        f"parameters. On the range of the listing, {sizes[0]:.0e} to {sizes[1]:.0e}, the first "
        f"rises in a straight line and the second curves upward from {low:.1%} to {high:.1%}. Half "
        f"is reached at {half.x[0]:.2g} parameters, beyond that range.",
    )


def two_metrics(models: pd.DataFrame) -> Any:
    """Exact match and BLEU of the same models on a logarithmic axis, zeros along the bottom.

    Parameters
    ----------
    models : pandas.DataFrame
        Columns model, flops, exact_match, bleu; both scores between 0 and 1.

    Returns
    -------
    altair.LayerChart
    """
    floor = 2e-5
    roles = {"BLEU": SMOOTH, "exact match": SHARP}
    frame = pd.concat(
        [
            pd.DataFrame(
                {"model": models.model, "x": models.flops, "measure": name, "score": score}
            )
            for name, score in (("BLEU", models.bleu), ("exact match", models.exact_match))
        ],
        ignore_index=True,
    )
    frame = rounded(frame).assign(y=rounded(frame).score.clip(lower=floor), zero=frame.score == 0)
    x = alt.X("x:Q", **compute_axis((8e19, 6e25)))
    y = alt.Y(
        "y:Q",
        title="Score, share of the best possible",
        scale=alt.Scale(type="log", domain=[1.4e-5, 1], nice=False),
        axis=alt.Axis(
            values=[floor, 1e-4, 1e-3, 1e-2, 0.1, 1],
            labelExpr=f"datum.value < {2 * floor} ? 'zero' : format(datum.value, '~%')",
        ),
    )
    shape = alt.Shape(
        "measure:N", scale=alt.Scale(domain=list(roles), range=["circle", "diamond"]), legend=None
    )
    dots = (
        alt.Chart(frame)
        .mark_point(filled=True, size=55, opacity=0.85)
        .encode(
            x=x, y=y, shape=shape, color=colours(roles, "measure", legend=2),
            tooltip=["model:N", "measure:N", alt.Tooltip("score:Q", format=".3~%")],
        )
    )  # fmt: skip
    first = models[models.exact_match > 0].flops.min()
    rule = (
        alt.Chart(pd.DataFrame({"x": [first]}))
        .mark_rule(color=QUIET, strokeDash=[2, 2])
        .encode(x=x)
    )
    none = models[models.flops < first]
    return described(
        rule + dots,
        f"Scatter plot on logarithmic axes of exact match and BLEU against training compute for "
        f"{len(models)} models. Exact match is zero for the {len(none)} smallest, up to "
        f"{none.flops.max():.2g} FLOP, where BLEU already rises to {100 * none.bleu.max():.2f} of "
        f"100. At the largest it is {models.exact_match.iloc[-1]:.2f}, and BLEU "
        f"{100 * models.bleu.iloc[-1]:.0f} of 100.",
    )


LENSES: tuple[tuple[str, str, float, Any], ...] = (
    ("size", "N", 0.01, "left"),
    ("right", "token", 0.36, "right"),
    ("wrong", "edit", 0.57, "right"),
    ("exact", "exact", 0.79, "right"),
    ("zero", "zero", 1.0, "right"),
)
"""Columns of the table inside the chart: field, heading, place, alignment."""


def lenses(
    law: PowerLaw, *, tokens: int, questions: int, sizes: tuple[float, ...] = (1e8, 1e10, 1e12)
) -> Any:
    """One smooth loss per token through three measures, with sliders for both lengths.

    Parameters
    ----------
    law : PowerLaw
        Cross-entropy per token (nats) against parameters.
    tokens : int
        Tokens of the answer at which the first slider starts.
    questions : int
        Questions of the test set at which the second slider starts.
    sizes : tuple of float
        Parameters of the models in the read-out.

    Returns
    -------
    altair.LayerChart
        Its parameters ``tokens`` and ``questions`` are the sliders.
    """
    length = alt.param(
        name="tokens", value=tokens,
        bind=alt.binding_range(min=1, max=40, step=1, name="Answer length (tokens) "),
    )  # fmt: skip
    size = alt.param(
        name="questions", value=questions,
        bind=alt.binding_range(min=10, max=1000, step=10, name="Test set (questions) "),
    )  # fmt: skip
    low, high = 8, 14
    x_axis = log_axis("Parameters, N", (10.0**low, 10.0**high), label="size", step=2)
    x = alt.X("N:Q", **x_axis)
    # The upper part of the plot is left free for the read-out.
    y = alt.Y(
        "y:Q",
        title="Share right",
        scale=alt.Scale(domain=[0, 1.5], nice=False),
        axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".0%"),
    )
    constants = pd.DataFrame({"A": [law.A], "alpha": [law.alpha]})
    measures = {
        "p": "exp(-datum.A * pow(datum.N, -datum.alpha))",
        "share": "pow(datum.p, tokens)",
    }
    along = (
        alt.Chart(constants)
        .transform_calculate(k=f"sequence({low}, {high + 0.01}, 0.1)")
        .transform_flatten(["k"])
        .transform_calculate(N="pow(10, datum.k)", **measures)
    )
    # Below this size the exact match is so small that more than half of all tests see none.
    edge = "pow(-datum.A * tokens / log(1 - pow(0.5, 1 / questions)), 1 / datum.alpha)"
    unseen = alt.Chart(constants.assign(low=10.0**low, foot=0.0, top=1.0)).transform_calculate(
        N=f"clamp({edge}, {10**low}, {10**high})"
    )
    shade = unseen.mark_rect(color=QUIET, opacity=0.2).encode(
        x=alt.X("low:Q", **x_axis), x2="N:Q", y=alt.Y("foot:Q"), y2="top:Q"
    )
    graded = along.transform_calculate(y="datum.p").mark_line(strokeWidth=2.5, color=SMOOTH.colour)
    exact = along.transform_calculate(y="datum.share").mark_line(
        strokeWidth=2.5, color=SHARP.colour
    )
    table = (
        alt.Chart(
            pd.DataFrame({"N": sizes, "row": 30.0 + 18 * np.arange(len(sizes))}).assign(
                A=law.A, alpha=law.alpha
            )
        )
        .transform_calculate(**measures)
        .transform_calculate(
            size=size_label("datum.N"),
            right="format(datum.p, '.0%')",
            wrong="format(tokens * (1 - datum.p), '.2f')",
            exact="format(datum.share, datum.share < 0.1 ? '.2%' : '.1%')",
            zero="format(pow(1 - datum.share, questions), '.0%')",
        )
    )
    keys: tuple[tuple[str, str, float, Any], ...] = (
        ("\u25a0 score zero", QUIET, 0.01, "left"),
        ("\u2501 exact match", SHARP.colour, 0.5, "center"),
        ("\u2501 tokens right", SMOOTH.colour, 1.0, "right"),
    )
    words = [
        alt.Chart(pd.DataFrame({"y": [1.08]}))
        .mark_text(align=align, x=alt.ExprRef(f"width * {place}"), color=colour, fontSize=11.5)
        .encode(y=y, text=alt.value(text))
        for text, colour, place, align in keys
    ]
    return described(
        alt.layer(
            shade, graded.encode(x=x, y=y), exact.encode(x=x, y=y), *words, *readout(table, LENSES)
        ).add_params(length, size),
        "Line chart of two scores of the same models against parameters, from 10 to the 8 to 10 to "
        "the 14: the share of tokens right, and the share of answers with every token right for an "
        f"answer length between 1 and 40 tokens, at first {tokens}. The shaded sizes score zero in "
        f"more than half of all test sets, whose length is a second slider, at first {questions} "
        "questions. A table inside the chart reads out all measures for three sizes.",
    ).properties(height=HEIGHT + 60)
