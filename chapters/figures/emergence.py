"""Pictures of emergence: one ability through several measures, short tests, and real jumps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    BEYOND,
    HEIGHT,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Column,
    Role,
    at,
    axis,
    band,
    compute_axis,
    described,
    extrapolated,
    hues,
    key,
    label,
    log_axis,
    params_axis,
    point_names,
    readout,
    rounded,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.laws import BrokenPowerLaw, PowerLaw, Sigmoid
from scalinglib.topics.emergence import TokenLine, chance_of_zero

SHARP = Role("sharp measure", "#d2600f")
SMOOTH = Role("smooth measure", OURS.colour)
PLAIN = Role("power law", OCHRE)
THIRD = Role("third measure", "#0b9670")
FOURTH = Role("fourth measure", VIOLET)

MEASURES: Mapping[str, Role] = {
    "letter accuracy": SHARP,
    "cloze accuracy": THIRD,
    "bits per byte": FOURTH,
    "C4 loss": SMOOTH,
}
"""Looks of the measures of one training run."""

SHADES = ("#3f8fc9", "#1f9e89", "#6f9a1f", "#b7811a", "#d2600f", "#b565a7")
"""Hues of test sets of several lengths."""

ASIDE: Any = {"style": "note", "fontWeight": "normal"}
"""Look of a small word at its place."""

LENSES: tuple[Column, ...] = (
    ("size", "N", 0.01, "left"),
    ("right", "token", 0.36, "right"),
    ("wrong", "edit", 0.57, "right"),
    ("exact", "exact", 0.79, "right"),
    ("zero", "zero", 1.0, "right"),
)
"""Columns of the table inside the chart."""


def _percent(title: str, low: float, high: float) -> alt.Y:
    return alt.Y("y:Q", **axis(title, (low, high), format=".0%", tickCount=5))


def _traced(
    field: str, name: str, value: Callable[..., Any], **parts: tuple[float, float, int]
) -> pd.DataFrame:
    """A curve at `parts`, each from, to and in so many points; columns `field`, part, x, y."""
    grids = {part: np.geomspace(*span) for part, span in parts.items()}
    return pd.concat(
        [pd.DataFrame({field: name, "part": part, "x": x, "y": value(x)})
         for part, x in grids.items()]
    )  # fmt: skip


def accuracy_curve(
    points: pd.DataFrame, curve: Sigmoid, *, step: int, tables: Mapping[str, float]
) -> Any:
    """Accuracy of checkpoints against perplexity, a sigmoid of its logarithm, one step marked.

    Columns perplexity, accuracy, step; `tables` are the perplexities of a blind guess and of a
    table of word pairs, each by its name, the higher one first.
    """
    x = alt.X("x:Q", **log_axis("Perplexity (training runs to the right)", (1e9, 2), label="power",
                                values=[1e1, 1e3, 1e5, 1e7, 1e9]))  # fmt: skip
    y = _percent("Accuracy", -0.03, 0.8)
    data = pd.DataFrame(
        {"x": points.perplexity, "y": points.accuracy, "early": points.step == step}
    )
    base = alt.Chart(rounded(data)).encode(x=x, y=y)
    grid = np.geomspace(2, 1e9, 90)
    line = at(digits=5, x=grid, y=curve.value(np.log(grid))).mark_line(color=OURS.colour)
    dots = base.transform_filter("!datum.early").mark_circle(
        size=26, opacity=0.7, color=RUNS.colour
    )
    early = base.transform_filter("datum.early").mark_point(
        style="diamond", size=70, color=SHARP.colour
    )
    marked = data[data.early]
    note = [f"step {step}:", f"accuracy at most {marked.y.max():.2%}"]
    rules = at(digits=5, x=list(tables.values())).mark_rule(style="end").encode(x=x)
    names = [
        label([name], x, y, (value, 0.76), **ASIDE, color=QUIET, align=align, dx=dx)
        for (name, value), align, dx in zip(tables.items(), ("right", "left"), (-5, 5), strict=True)
    ]
    told = ", ".join(f"{name} reaches {value:.2g}" for name, value in tables.items())
    return described(
        alt.layer(
            rules, dots, line.encode(x=x, y=y), early, *names,
            label(note, x, y, (7e8, 0.22), color=SHARP.colour, lineHeight=16),
            label(["one sigmoid"], x, y, (60.0, 0.55), color=OURS.colour, align="right"),
        ),
        f"Scatter plot of accuracy against perplexity, on a falling logarithmic axis, for "
        f"{len(points)} checkpoints, with one sigmoid through them. Accuracy stays near zero down "
        f"to a perplexity near ten thousand and then rises to {points.accuracy.max():.0%}. At step "
        f"{step} the perplexities are {marked.x.min():.2g} to {marked.x.max():.2g} and no accuracy "
        f"exceeds {marked.y.max():.2%}. Two vertical lines: {told}.",
    )  # fmt: skip


def zero_scores(models: pd.DataFrame, questions: tuple[int, ...]) -> Any:
    """Chance of a score of zero against model size, for test sets of several lengths.

    Columns params, accuracy, in the order of size; `questions` are lengths in rising order.
    """
    frame = pd.concat(
        [pd.DataFrame({"questions": f"{n:,}", "x": models.params,
                       "y": chance_of_zero(models.accuracy, n)}) for n in questions]
    )  # fmt: skip
    curves = frame.groupby("questions", sort=False)
    x = alt.X("x:Q", **params_axis((5e7, 2e10)))
    y = _percent("Chance that the model scores zero", 0, 1.04)
    colour = hues("questions:N", dict(zip(curves.groups, SHADES, strict=False)))
    base = alt.Chart(rounded(frame)).encode(x=x, y=y, color=colour)
    # Each name stands where its own curve is nearest to half-way down, to keep names apart.
    places = rounded(
        pd.concat(one.iloc[[int((one.y - 0.4).abs().to_numpy().argmin())]] for _, one in curves)
    )
    last = places.x == float(models.params.max())
    places["word"] = places.questions.where(~last, places.questions + " questions")
    names = alt.layer(
        point_names(places[~last], "word:N", x, y, color=colour, dx=8, dy=-6),
        point_names(places[last], "word:N", x, y, color=colour, align="right", dx=6, dy=16),
    )
    told = "; ".join(
        f"{name} questions: {one.y.iloc[0]:.2f} falling to {one.y.iloc[-1]:.2f}"
        for name, one in curves
    )
    return described(
        base.mark_line() + base.mark_circle(style="dot", size=45) + names,
        f"Line chart of the chance of scoring zero against model size, {len(models)} models, for "
        f"{len(questions)} lengths of the test set. {told}.",
    )


def listing(line: TokenLine, *, sizes: tuple[float, float], end: float) -> Any:
    """Per-token accuracy and exact match on the range of the listing, and beyond it.

    `sizes` are the smallest and the largest model of the listing, `end` is the right end of the
    chart (parameters).
    """
    x = alt.X("x:Q", **params_axis((sizes[0], end)))
    y = _percent("Share right", 0, 1)
    scores = {"per token": line.accuracy, "exact match": line.exact_match}
    traced = pd.concat(
        _traced("measure", name, score, listing=(*sizes, 40), beyond=(sizes[1], end, 40))
        for name, score in scores.items()
    )
    colour = hues("measure:N", dict(zip(scores, (SMOOTH, SHARP), strict=True)))
    dash = extrapolated(parts=("listing", "beyond"))
    lines = alt.Chart(rounded(traced)).mark_line(strokeWidth=2.5)
    half = line.params_for(0.5)
    low, high = line.exact_match(list(sizes))
    return described(
        alt.layer(
            at(x=sizes[1]).mark_rule(style="end").encode(x=x),
            lines.encode(x=x, y=y, color=colour, strokeDash=dash),
            at(digits=5, x=half, y=0.5)
            .mark_point(style="diamond", size=90, color=SHARP.colour)
            .encode(x=x, y=y),
            label(["the listing ends here"], x, y, (sizes[1], 0.97), **ASIDE,
                  color=QUIET, align="right", dx=-6),
            label(["each token"], x, y, (1.5e8, 0.72), color=SMOOTH.colour),
            label([f"all {line.tokens} tokens"], x, y, (1.5e8, 0.1), color=SHARP.colour),
            label(["half of the", "answers right"], x, y, (half, 0.5), **ASIDE,
                  color=SHARP.colour, align="right", dx=-10, dy=-14),
        ),
        f"Line chart of accuracy per token and of exact match over {line.tokens} tokens against "
        f"parameters. On the range of the listing, {sizes[0]:.0e} to {sizes[1]:.0e}, the first "
        f"rises in a straight line and the second curves upward from {low:.1%} to {high:.1%}. Half "
        f"is reached at {half:.2g} parameters, beyond that range.",
    )  # fmt: skip


def two_metrics(models: pd.DataFrame) -> Any:
    """Exact match and BLEU of the same models on a logarithmic axis, zeros along the bottom.

    Columns model, flops, exact_match, bleu; both scores between 0 and 1.
    """
    floor = 2e-5
    scores = {"BLEU": models.bleu, "exact match": models.exact_match}
    frame = rounded(
        pd.concat(
            [pd.DataFrame({"model": models.model, "x": models.flops, "measure": name,
                           "score": score}) for name, score in scores.items()],
            ignore_index=True,
        )
    )  # fmt: skip
    x = alt.X("x:Q", **compute_axis((8e19, 6e25)))
    y = alt.Y("y:Q", **log_axis(
        "Score, share of the best possible", (1.4e-5, 1),
        values=[floor, 1e-4, 1e-3, 1e-2, 0.1, 1],
        labelExpr=f"datum.value < {2 * floor} ? 'zero' : format(datum.value, '~%')",
    ))  # fmt: skip
    looks = dict(zip(scores, (SMOOTH, SHARP), strict=True))
    dots = (
        alt.Chart(frame.assign(y=frame.score.clip(lower=floor), zero=frame.score == 0))
        .mark_point(filled=True, size=55, opacity=0.85)
        .encode(
            x=x, y=y, shape=shapes("measure:N", scores, ("circle", "diamond")),
            color=hues("measure:N", looks, legend=key(columns=2, symbolOpacity=1)),
            tooltip=tooltips("model:N", "measure:N", ("score:Q", ".3~%")),
        )
    )  # fmt: skip
    first = models[models.exact_match > 0].flops.min()
    none = models[models.flops < first]
    return described(
        at(x=first).mark_rule(style="end").encode(x=x) + dots,
        f"Scatter plot on logarithmic axes of exact match and BLEU against training compute for "
        f"{len(models)} models. Exact match is zero for the {len(none)} smallest, up to "
        f"{none.flops.max():.2g} FLOP, where BLEU already rises to {100 * none.bleu.max():.2f} of "
        f"100. At the largest it is {models.exact_match.iloc[-1]:.2f}, and BLEU "
        f"{100 * models.bleu.iloc[-1]:.0f} of 100.",
    )


def progress(run: pd.DataFrame, *, window: tuple[float, float]) -> Any:
    """Share of the whole change that each measure of a run has completed.

    Columns tokens, measure (a key of `MEASURES`), share; the jump falls into `window` (tokens).
    """
    data = rounded(run.rename(columns={"tokens": "x", "share": "y"})[["measure", "x", "y"]])
    x = alt.X("x:Q", **log_axis("Training tokens, D", (1.9e10, 9.2e11), label="size",
                                values=[2e10, 5e10, 1e11, 2e11, 5e11]))  # fmt: skip
    y = _percent("Share of the change completed", -0.1, 1.12)
    width = alt.StrokeWidth(
        "measure:N", scale=alt.Scale(domain=list(MEASURES), range=[3, 1.6, 1.6, 1.6]), legend=None
    )
    colour = hues("measure:N", MEASURES, legend=key(columns=2, symbolOpacity=1))
    told = []
    for name, one in run.groupby("measure", sort=False):
        low, high = np.interp(window, one.tokens, one.share)
        told.append(f"{name} {high - low:.0%}")
    return described(
        band(x, *window, to="to", color=SHARP.colour)
        + alt.Chart(data).mark_line().encode(x=x, y=y, color=colour, strokeWidth=width),
        "Line chart of the share of the whole change that each measure has completed against "
        f"training tokens. Between {window[0] / 1e9:.0f} and {window[1] / 1e9:.0f} billion tokens "
        f"falls this share of the change: {', '.join(told)}.",
    )


def letters_by_loss(points: pd.DataFrame, *, chance: float) -> Any:
    """Letter and cloze accuracy of two runs against their loss.

    Columns run, form ("letter" or "cloze"), loss, accuracy; a guess has accuracy `chance`.
    """
    runs = dict(zip(dict.fromkeys(points.run), (SHARP, FOURTH), strict=True))
    x = alt.X("x:Q", **axis("Loss on C4 (nats per token)", (2.96, 2.55), format=".1f",
                            values=[2.9, 2.8, 2.7, 2.6]))  # fmt: skip
    y = _percent("Accuracy on ARC-Easy", 0.15, 0.9)
    base = (
        alt.Chart(rounded(points.rename(columns={"loss": "x", "accuracy": "y"})))
        .transform_filter("datum.x <= 2.96")
        .encode(x=x, y=y, color=hues("run:N", runs))
    )
    letter = base.transform_filter("datum.form == 'letter'")
    cloze = base.transform_filter("datum.form == 'cloze'").mark_line(
        strokeWidth=1.5, strokeDash=BEYOND, opacity=0.9
    )
    words = [
        label(["cloze format (dashed)"], x, y, (2.95, 0.83), color=QUIET),
        label(["letter format"], x, y, (2.95, 0.31), color=QUIET),
        label(["guessing"], x, y, (2.56, chance), **ASIDE, color=QUIET, align="right", dy=10),
    ]
    places = (((2.72, 0.47), "right"), ((2.655, 0.45), "left"))
    for (run, role), (place, align) in zip(runs.items(), places, strict=True):
        name = run.removeprefix("OLMo2-")
        words.append(label([name], x, y, place, align=align, color=role.colour))
    ends = points.groupby(["run", "form"], sort=False).accuracy.agg(["first", "last"])
    told = "; ".join(
        f"{run} {form} {first:.2f} to {last:.2f}" for (run, form), first, last in ends.itertuples()
    )
    return described(
        alt.layer(
            at(y=chance).mark_rule(style="end").encode(y=y), cloze,
            letter.mark_line(strokeWidth=2.2), letter.mark_circle(style="dot", size=40), *words,
        ),
        "Line chart of accuracy on the same questions in two formats against falling loss for two "
        f"runs: {told}. The cloze format rises slowly throughout; the letter format stays at "
        "guessing and then jumps within a few hundredths of a nat.",
    )  # fmt: skip


def broken_curve(
    points: pd.DataFrame, curves: Mapping[str, tuple[Role, BrokenPowerLaw | PowerLaw, int]]
) -> Any:
    """A learning curve with a break, and laws fitted to its first points.

    Columns x (training examples), loss; a curve is a label with its role, its law, and the number
    of points it was fitted to.
    """
    low, high = float(points.x.min()), float(points.x.max())
    x = alt.X("x:Q", **log_axis("Training examples", (0.95 * low, 1.05 * high),
                                values=[200, 300, 400, 600, 800], format="d"))  # fmt: skip
    y = alt.Y("y:Q", **axis("Test loss, L (nats)", (0.3, 2.5), tickCount=5))
    traced = []
    for name, (_, law, fitted) in curves.items():
        last = float(points.x.iloc[fitted - 1])
        value = law.loss if isinstance(law, PowerLaw) else law.value
        traced.append(_traced("law", name, value, fit=(low, last, 60), beyond=(last, high, 24)))
    roles = {name: role for name, (role, _, _) in curves.items()}
    colour = hues("law:N", roles, legend=key(columns=1, symbolOpacity=1))
    lines = (
        alt.Chart(rounded(pd.concat(traced)))
        .mark_line()
        .encode(x=x, y=y, strokeDash=extrapolated(), color=colour)
    )
    held = np.arange(len(points)) >= max(count for _, _, count in curves.values())
    data = rounded(points.rename(columns={"loss": "y"})[["x", "y"]]).assign(held=held)
    base = alt.Chart(data).encode(x=x, y=y)
    dots = base.transform_filter("!datum.held").mark_circle(style="dot", size=55, color=RUNS.colour)
    out = base.transform_filter("datum.held").mark_point(
        shape="diamond", size=95, strokeWidth=2, opacity=1, color=RUNS.colour
    )
    note = label(["held out"], x, y, (905.0, 0.44), fontWeight="normal", color=RUNS.colour,
                 align="right", dx=-4)  # fmt: skip
    told = "; ".join(f"{one.law.iloc[-1]} {one.y.iloc[-1]:.2f}" for one in traced)
    return described(
        lines + dots + out + note,
        f"Scatter plot of test loss against {low:.0f} to {high:.0f} training examples. The loss "
        "falls slowly, then steeply after about 600. At the last point, held out, it is "
        f"{float(points.loss.iloc[-1]):.2f}; the fitted curves there: {told}.",
    )


def gains(models: pd.DataFrame, *, named: Mapping[str, str]) -> Any:
    """Mean gain from step-by-step prompting against training compute, one point a model.

    Columns model, flops, gain; `named` holds the models to label, and how.
    """
    data = rounded(models.rename(columns={"flops": "x", "gain": "y"})[["model", "x", "y"]])
    x = alt.X("x:Q", **compute_axis((8e19, 2e25)))
    y = alt.Y("y:Q", **axis(
        "Mean gain from step-by-step prompting", (-0.05, 0.25),
        values=[-0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.25],
        labelExpr="datum.value ? format(100 * datum.value, '+.0f') + ' points' : 'none'",
    ))  # fmt: skip
    told = tooltips("model:N", ("x:Q", ".2~e", "FLOP"), ("y:Q", "+.1%", "mean gain"))
    dots = alt.Chart(data).mark_circle(size=55, opacity=0.85, color=OURS.colour)
    shown = data[data.model.isin(named)].assign(word=data.model.map(named))
    small, large = models[models.flops < 1e22], models[models.flops >= 1e23]
    return described(
        at(y=0.0).mark_rule(style="quiet").encode(y=y)
        + dots.encode(x=x, y=y, tooltip=told)
        + point_names(shown, "word:N", x, y, style="note", align="right", dx=-8),
        f"Scatter plot of the mean gain of {len(models)} models from step-by-step prompting "
        f"against training compute. Below 10 to the 22 FLOP the average gain is "
        f"{100 * small.gain.mean():.1f} points, above 10 to the 23 it is "
        f"{100 * large.gain.mean():.1f} points.",
    )


def lenses(
    law: PowerLaw, *, tokens: int, questions: int, sizes: tuple[float, ...] = (1e8, 1e10, 1e12)
) -> Any:
    """One smooth loss per token through three measures, with sliders for both lengths.

    `law` is the cross-entropy per token (nats) against parameters; the sliders ``tokens`` (of an
    answer) and ``questions`` (of a test set) start as given. `sizes` are read out (parameters).
    """
    low, high = 8, 14
    size = log_axis("Parameters, N", (10.0**low, 10.0**high), label="size", step=2)
    x = alt.X("N:Q", **size)
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("y:Q", **axis("Share right", (0, 1.5), format=".0%",
                            values=[0, 0.25, 0.5, 0.75, 1]))  # fmt: skip
    scores = {"p": "exp(-datum.A * pow(datum.N, -datum.alpha))", "share": "pow(datum.p, tokens)"}
    along = (
        at(A=law.A, alpha=law.alpha)
        .transform_calculate(k=f"sequence({low}, {high + 0.01}, 0.1)")
        .transform_flatten(["k"])
        .transform_calculate(N="pow(10, datum.k)", **scores)
    )
    lines = [
        along.transform_calculate(y=f"datum.{score}")
        .mark_line(strokeWidth=2.5, color=role.colour)
        .encode(x=x, y=y)
        for score, role in (("p", SMOOTH), ("share", SHARP))
    ]
    # Below this size the exact match is so small that more than half of all tests see none.
    edge = "pow(-datum.A * tokens / log(1 - pow(0.5, 1 / questions)), 1 / datum.alpha)"
    shade = (
        at(A=law.A, alpha=law.alpha, low=10.0**low, foot=0.0, top=1.0)
        .transform_calculate(N=f"clamp({edge}, {10**low}, {10**high})")
        .mark_rect(color=QUIET, opacity=0.2)
        .encode(x=alt.X("low:Q", **size), x2="N:Q", y=alt.Y("foot:Q"), y2="top:Q")
    )
    table = (
        at(N=sizes, row=30.0 + 18 * np.arange(len(sizes)), A=law.A, alpha=law.alpha)
        .transform_calculate(**scores)
        .transform_calculate(
            size=size_label("datum.N"),
            right="format(datum.p, '.0%')",
            wrong="format(tokens * (1 - datum.p), '.2f')",
            exact="format(datum.share, datum.share < 0.1 ? '.2%' : '.1%')",
            zero="format(pow(1 - datum.share, questions), '.0%')",
        )
    )
    words = [
        at(y=1.08)
        .mark_text(align=align, x=alt.ExprRef(f"width * {place}"), color=colour, fontSize=11.5)
        .encode(y=y, text=alt.value(text))
        for text, colour, place, align in (
            ("\u25a0 score zero", QUIET, 0.01, "left"),
            ("\u2501 exact match", SHARP.colour, 0.5, "center"),
            ("\u2501 tokens right", SMOOTH.colour, 1.0, "right"),
        )
    ]
    return described(
        alt.layer(shade, *lines, *words, *readout(table, LENSES)).add_params(
            slider("tokens", tokens, (1, 40, 1), "Answer length (tokens)"),
            slider("questions", questions, (10, 1000, 10), "Test set (questions)"),
        ),
        "Line chart of two scores of the same models against parameters, from 10 to the 8 to 10 to "
        "the 14: the share of tokens right, and the share of answers with every token right for an "
        f"answer length between 1 and 40 tokens, at first {tokens}. The shaded sizes score zero in "
        f"more than half of all test sets, whose length is a second slider, at first {questions} "
        "questions. A table inside the chart reads out all measures for three sizes.",
        height=HEIGHT + 60,
    )
