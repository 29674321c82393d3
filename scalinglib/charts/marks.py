"""Marks that recur: a word at its place, the end of the data, bands, sliders and read-outs.

A line, a point or a rule is Altair's own mark with a style of the theme; here is what takes more.
Places are given with the channels of the chart, which name the columns of the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .base import RUNS, rounded

Column = tuple[str, str, float, Any]
"""Column of a read-out: field, heading, place as a share of the width, alignment."""


def at(*, digits: int | None = None, **columns: Any) -> alt.Chart:
    """A chart of constants: one row, or as many as the longest column."""
    longest = any(np.ndim(one) for one in columns.values())
    frame = pd.DataFrame(columns, index=None if longest else [0])
    return alt.Chart(frame if digits is None else rounded(frame, digits))


def column(channel: Any) -> str:
    """Name of the column that a channel shows."""
    return str(channel["shorthand"]).split(":")[0]


def label(
    text: str | list[str], x: Any, y: Any, where: tuple[Any, Any], *, digits: int | None = None,
    **look: Any,
) -> Any:  # fmt: skip
    """A word at a place of the plot, in bold and to its right unless `look` says otherwise."""
    place = at(digits=digits, **{column(x): where[0], column(y): where[1]})
    style = {"style": "bold", "align": "left", **look}
    return place.mark_text(**style).encode(x=x, y=y, text=alt.value(text))


def end_here(
    x: Any, value: float, word: str = "runs end here", *, y: float = 8, left: bool = False
) -> Any:
    """A vertical rule where data end, with a word at its right or left, `y` pixels from the top."""
    only: dict[str, Any] = {column(x): value}
    here = at(**only)
    look: dict[str, Any] = {"align": "right", "dx": -5} if left else {"align": "left", "dx": 5}
    return here.mark_rule(style="end").encode(x=x) + here.mark_text(style="word", **look).encode(
        x=x, y=alt.value(y), text=alt.value(word)
    )


def band(
    channel: Any, low: float, high: float, *, to: str = "high", digits: int | None = None,
    **look: Any,
) -> Any:  # fmt: skip
    """A shaded interval across the plot, along the channel given; `to` names its second column."""
    shade = at(digits=digits, **{column(channel): low, to: high}).mark_rect(style="band", **look)
    if isinstance(channel, alt.X):
        return shade.encode(x=channel, x2=f"{to}:Q")
    return shade.encode(y=channel, y2=f"{to}:Q")


def point_names(
    frame: pd.DataFrame, field: str, x: Any, y: Any, *, color: Any = alt.Undefined, **look: Any
) -> Any:
    """The name of each point, in bold and to its right unless told otherwise.

    `color` is a channel, or one colour for all names.
    """
    style = {"style": "bold", "align": "left", **look}
    if isinstance(color, str):
        style, color = {**style, "color": color}, alt.Undefined
    return alt.Chart(frame).mark_text(**style).encode(x=x, y=y, color=color, text=field)


def end_names(
    frame: pd.DataFrame, field: str, x: Any, y: Any, *, text: str = "", **look: Any
) -> Any:
    """The name of each curve at its last row; `field` tells curves apart, `text` may name them."""
    ends = rounded(frame.groupby(field, sort=False).tail(1))
    return point_names(ends, f"{text or field}:N", x, y, **{"dx": 6, **look})


def apart(values: Sequence[float], factor: float) -> list[float]:
    """Places for names: values moved up until each is `factor` above the next lower one."""
    placed: dict[int, float] = {}
    floor = 0.0
    for index in np.argsort(values, kind="stable"):
        placed[int(index)] = floor = max(values[int(index)], floor * factor)
    return [placed[index] for index in range(len(values))]


def row_names(base: alt.Chart, text: str, *, x: float = 2, **look: Any) -> Any:
    """Names above the rows of a chart that has no labels beside its axis."""
    style = {"style": "note", "align": "left", "dy": -14, "color": RUNS.colour, **look}
    return base.mark_text(**style).encode(x=alt.value(x), text=text)


def slider(name: str, start: float, span: tuple[float, float, float], words: str) -> alt.Parameter:
    """A slider; `span` holds its ends and its step, `words` stand before it."""
    low, high, step = span
    bind = alt.binding_range(min=low, max=high, step=step, name=f"{words} ")
    return alt.param(name=name, value=start, bind=bind)


def budget_slider(
    budget: float, *, low: float = 18, high: float = 26, step: float = 0.01
) -> alt.Parameter:
    """Slider ``log_C``, the decimal logarithm of training compute in FLOP."""
    start = round(float(np.log10(budget)), 2)
    return slider("log_C", start, (low, high, step), "Training compute")


def menu(name: str, options: Iterable[str], words: str) -> alt.Parameter:
    """A menu that starts at its first option."""
    choices = list(options)
    bind = alt.binding_select(options=choices, name=f"{words} ")
    return alt.param(name=name, value=choices[0], bind=bind)


def readout(
    here: alt.Chart, columns: Sequence[Column], *, top: float = 10, row: str = "row"
) -> list[alt.Chart]:
    """Text marks that form a small table at the top of a plot.

    `here` has a datum a row, with its height on the page in field `row` (pixels from the top);
    headings stand at `top`, and an empty one is left out.
    """
    marks = []
    for field, head, place, align in columns:
        x = alt.ExprRef(f"width * {place}")
        look: dict[str, Any] = {"style": "note", "align": align, "x": x, "baseline": "middle"}
        height = alt.Y(f"{row}:Q", scale=None, axis=None)
        marks.append(here.mark_text(**look).encode(y=height, text=alt.Text(f"{field}:N")))
        if head:
            marks.append(at(head=head).mark_text(y=top, **look).encode(text="head:N"))
    return marks
