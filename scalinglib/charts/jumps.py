"""Charts of jumps: an answer format, a learning curve that breaks, and what prompting adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.broken import BrokenPowerLaw
from scalinglib.laws import PowerLaw

from .base import OURS, QUIET, RUNS, Role, compute_axis, described, rounded, size_label
from .emergence import BEYOND, FOURTH, SHARP, SMOOTH, THIRD, colours, percent_axis, word

MEASURES: Mapping[str, Role] = {
    "letter accuracy": SHARP,
    "cloze accuracy": THIRD,
    "bits per byte": FOURTH,
    "C4 loss": SMOOTH,
}
"""Looks of the measures of one training run."""


def progress(run: pd.DataFrame, *, window: tuple[float, float]) -> Any:
    """Share of the whole change that each measure of a run has completed.

    Parameters
    ----------
    run : pandas.DataFrame
        Columns tokens, measure (a key of `MEASURES`), share.
    window : tuple of float
        Tokens between which the jump falls.

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(run.rename(columns={"tokens": "x", "share": "y"})[["measure", "x", "y"]])
    x = alt.X(
        "x:Q",
        title="Training tokens, D",
        scale=alt.Scale(type="log", domain=[1.9e10, 9.2e11], nice=False),
        axis=alt.Axis(values=[2e10, 5e10, 1e11, 2e11, 5e11], labelExpr=size_label("datum.value")),
    )
    y = percent_axis("Share of the change completed", (-0.1, 1.12))
    band = (
        alt.Chart(pd.DataFrame({"x": [window[0]], "to": [window[1]]}))
        .mark_rect(color=SHARP.colour, opacity=0.14)
        .encode(x=x, x2="to:Q")
    )
    width = alt.StrokeWidth(
        "measure:N", scale=alt.Scale(domain=list(MEASURES), range=[3, 1.6, 1.6, 1.6]), legend=None
    )
    lines = (
        alt.Chart(data)
        .mark_line()
        .encode(x=x, y=y, color=colours(MEASURES, "measure", legend=2), strokeWidth=width)
    )
    told = []
    for name, one in run.groupby("measure", sort=False):
        low, high = np.interp(window, one.tokens, one.share)
        told.append(f"{name} {high - low:.0%}")
    return described(
        band + lines,
        "Line chart of the share of the whole change that each measure has completed against "
        f"training tokens. Between {window[0] / 1e9:.0f} and {window[1] / 1e9:.0f} billion tokens "
        f"falls this share of the change: {', '.join(told)}.",
    )


def letters_by_loss(points: pd.DataFrame, *, chance: float) -> Any:
    """Letter and cloze accuracy of two runs against their loss.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns run, form ("letter" or "cloze"), loss, accuracy.
    chance : float
        Accuracy of a guess.

    Returns
    -------
    altair.LayerChart
    """
    names = list(dict.fromkeys(points.run))
    roles = dict(zip(names, (SHARP, FOURTH), strict=True))
    data = rounded(points.rename(columns={"loss": "x", "accuracy": "y"}))
    x = alt.X(
        "x:Q",
        title="Loss on C4 (nats per token)",
        scale=alt.Scale(domain=[2.96, 2.55], nice=False),
        axis=alt.Axis(values=[2.9, 2.8, 2.7, 2.6], format=".1f"),
    )
    y = percent_axis("Accuracy on ARC-Easy", (0.15, 0.9))
    base = alt.Chart(data).transform_filter("datum.x <= 2.96").encode(
        x=x, y=y, color=colours(roles, "run"),
    )  # fmt: skip
    letter = base.transform_filter("datum.form == 'letter'")
    cloze = base.transform_filter("datum.form == 'cloze'").mark_line(
        strokeWidth=1.5, strokeDash=BEYOND, opacity=0.9
    )
    guess = alt.Chart(pd.DataFrame({"y": [chance]})).mark_rule(color=QUIET, strokeDash=[2, 2])
    words = [
        word({"x": 2.95, "y": 0.83}, x, y, "cloze format (dashed)", color=QUIET),
        word({"x": 2.95, "y": 0.31}, x, y, "letter format", color=QUIET),
        word({"x": 2.56, "y": chance}, x, y, "guessing", color=QUIET, align="right", dy=10,
              fontWeight="normal", fontSize=11),
        word({"x": 2.72, "y": 0.47}, x, y, names[0].removeprefix("OLMo2-"), align="right",
              color=SHARP.colour),
        word({"x": 2.655, "y": 0.45}, x, y, names[1].removeprefix("OLMo2-"),
              color=FOURTH.colour),
    ]  # fmt: skip
    ends = points.groupby(["run", "form"], sort=False).accuracy.agg(["first", "last"])
    told = "; ".join(
        f"{run} {form} {one['first']:.2f} to {one['last']:.2f}"
        for (run, form), one in ends.iterrows()
    )
    return described(
        alt.layer(
            guess.encode(y=y), cloze, letter.mark_line(strokeWidth=2.2),
            letter.mark_circle(size=40, opacity=1), *words,
        ),
        "Line chart of accuracy on the same questions in two formats against falling loss for two "
        f"runs: {told}. The cloze format rises slowly throughout; the letter format stays at "
        "guessing and then jumps within a few hundredths of a nat.",
    )  # fmt: skip


def broken_curve(
    points: pd.DataFrame, curves: Mapping[str, tuple[Role, BrokenPowerLaw | PowerLaw, int]]
) -> Any:
    """A learning curve with a break, and laws fitted to its first points.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns x (training examples), loss.
    curves : mapping of str to (Role, law, int)
        Label, law, and the number of points it was fitted to.

    Returns
    -------
    altair.LayerChart
    """
    low, high = float(points.x.min()), float(points.x.max())
    x = alt.X(
        "x:Q",
        title="Training examples",
        scale=alt.Scale(type="log", domain=[0.95 * low, 1.05 * high], nice=False),
        axis=alt.Axis(values=[200, 300, 400, 600, 800], format="d"),
    )
    y = alt.Y(
        "y:Q",
        title="Test loss, L (nats)",
        scale=alt.Scale(domain=[0.3, 2.5], nice=False),
        axis=alt.Axis(tickCount=5),
    )
    roles = {name: role for name, (role, _, _) in curves.items()}
    traced = []
    for name, (_, law, fitted) in curves.items():
        last = float(points.x.iloc[fitted - 1])
        value = law.loss if isinstance(law, PowerLaw) else law.value
        for part, at in (
            ("fit", np.geomspace(low, last, 60)),
            ("beyond", np.geomspace(last, high, 24)),
        ):
            traced.append(pd.DataFrame({"law": name, "part": part, "x": at, "y": value(at)}))
    dash = alt.StrokeDash(
        "part:N", scale=alt.Scale(domain=["fit", "beyond"], range=[[1, 0], BEYOND]), legend=None
    )
    lines = (
        alt.Chart(rounded(pd.concat(traced)))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, strokeDash=dash, color=colours(roles, "law", legend=1))
    )
    held = max(count for _, _, count in curves.values())
    data = rounded(points.rename(columns={"loss": "y"})[["x", "y"]]).assign(
        held=np.arange(len(points)) >= held
    )
    base = alt.Chart(data).encode(x=x, y=y)
    dots = base.transform_filter("!datum.held").mark_circle(size=55, opacity=1, color=RUNS.colour)
    out = base.transform_filter("datum.held").mark_point(
        shape="diamond", size=95, strokeWidth=2, opacity=1, color=RUNS.colour
    )
    note = word({"x": 905.0, "y": 0.44}, x, y, "held out", color=RUNS.colour, align="right",
                 dx=-4, fontWeight="normal")  # fmt: skip
    end = float(points.loss.iloc[-1])
    told = "; ".join(
        f"{name} {float(one.y.iloc[-1]):.2f}"
        for name, one in pd.concat(traced).groupby("law", sort=False)
    )
    return described(
        lines + dots + out + note,
        f"Scatter plot of test loss against {low:.0f} to {high:.0f} training examples. The loss "
        "falls slowly, then steeply after about 600. At the last point, held out, it is "
        f"{end:.2f}; the fitted curves there: {told}.",
    )


def gains(models: pd.DataFrame, *, named: Mapping[str, str]) -> Any:
    """Mean gain from step-by-step prompting against training compute, one point a model.

    Parameters
    ----------
    models : pandas.DataFrame
        Columns model, flops, gain.
    named : mapping of str to str
        Models to label, and how.

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(models.rename(columns={"flops": "x", "gain": "y"})[["model", "x", "y"]])
    x = alt.X("x:Q", **compute_axis((8e19, 2e25)))
    y = alt.Y(
        "y:Q",
        title="Mean gain from step-by-step prompting",
        scale=alt.Scale(domain=[-0.05, 0.25], nice=False),
        axis=alt.Axis(
            values=[-0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.25],
            labelExpr="datum.value ? format(100 * datum.value, '+.0f') + ' points' : 'none'",
        ),
    )
    zero = alt.Chart(pd.DataFrame({"y": [0.0]})).mark_rule(color=QUIET).encode(y=y)
    dots = (
        alt.Chart(data)
        .mark_circle(size=55, opacity=0.85, color=OURS.colour)
        .encode(
            x=x, y=y,
            tooltip=["model:N", alt.Tooltip("x:Q", format=".2~e", title="FLOP"),
                     alt.Tooltip("y:Q", format="+.1%", title="mean gain")],
        )
    )  # fmt: skip
    label = data[data.model.isin(named)].assign(word=data.model.map(named))
    words = (
        alt.Chart(label)
        .mark_text(align="right", dx=-8, fontSize=11)
        .encode(x=x, y=y, text="word:N")
    )
    small, large = models[models.flops < 1e22], models[models.flops >= 1e23]
    return described(
        zero + dots + words,
        f"Scatter plot of the mean gain of {len(models)} models from step-by-step prompting "
        f"against training compute. Below 10 to the 22 FLOP the average gain is "
        f"{100 * small.gain.mean():.1f} points, above 10 to the 23 it is "
        f"{100 * large.gain.mean():.1f} points.",
    )
