"""Channels of a chart: axes, colours, dashes and shapes of roles, rows, tooltips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from .base import BEYOND, Role, power_of_ten, size_label

SIGNED_PERCENT = "datum.value ? format(datum.value, '+.0%') : '0'"
"""Vega expression of a tick: +4%, 0, -4%."""

SHAPES = ("circle", "square", "triangle-up", "diamond")

_LABELS = {
    "power": power_of_ten("datum.value"),
    "size": size_label("datum.value"),
    "plain": "format(datum.value, '~r')",
}


def axis(
    title: str, domain: Iterable[float], *, scale: Mapping[str, Any] | None = None, **ticks: Any
) -> dict[str, Any]:
    """A linear axis, as keywords for `altair.X` or `altair.Y`.

    What `scale` holds goes to `altair.Scale`, the rest to `altair.Axis`.
    """
    shown = {"axis": alt.Axis(**ticks)} if ticks else {}
    ends = alt.Scale(**{"domain": list(domain), "nice": False, **(scale or {})})
    return {"title": title, "scale": ends, **shown}


def log_axis(
    title: str, domain: tuple[float, float], *, label: str | None = None, step: int = 1,
    **ticks: Any,
) -> dict[str, Any]:  # fmt: skip
    """A logarithmic axis with a tick every `step` decades, or at `values`.

    Ticks are written as a "power" (10²¹), a "size" (70B), "plain" (20), or as `ticks` say.
    """
    ticks = {"values": decades(*domain, step), **ticks}
    if label:
        ticks["labelExpr"] = _LABELS[label]
    return {
        "title": title,
        "scale": alt.Scale(type="log", domain=list(domain), nice=False),
        "axis": alt.Axis(**ticks),
    }


def decades(low: float, high: float, step: int = 1) -> list[float]:
    """Powers of ten between two numbers."""
    first, last = int(np.ceil(np.log10(low) - 1e-9)), int(np.log10(high) + 1e-9)
    return [10.0**k for k in range(first, last + 1, step)]


def round_ticks(low: float, high: float) -> list[float]:
    """One, two, five, ten and so on between two numbers, for a short logarithmic axis."""
    ticks = [one * ten for ten in decades(low / 10, high) for one in (1, 2, 5)]
    return [tick for tick in ticks if low <= tick <= high]


def compute_axis(domain: tuple[float, float], *, step: int = 1) -> dict[str, Any]:
    """Axis of training compute."""
    return log_axis("Training compute, C (FLOP)", domain, label="power", step=step)


def params_axis(domain: tuple[float, float], title: str = "Parameters, N") -> dict[str, Any]:
    """Axis of model size."""
    return log_axis(title, domain, label="size")


def loss_axis(domain: tuple[float, float], values: Sequence[float], **ticks: Any) -> dict[str, Any]:
    """Logarithmic axis of the loss, with those of the ticks that lie inside."""
    inside = [tick for tick in values if domain[0] <= tick <= domain[1]]
    return log_axis("Loss, L (nats per token)", domain, values=inside, **ticks)


def rows(
    field: str, order: Iterable[str], *, labels: int | None = None, padding: float | None = None
) -> alt.Y:
    """Rows in the given order, from the top.

    `labels` is the room for their names beside the axis (pixels); without it the names are left
    to `row_names`, so that a narrow screen keeps the whole width. `padding` is the outer one.
    """
    beside = alt.Axis(labelLimit=labels, ticks=False) if labels else None
    scale: dict[str, Any] = {} if padding is None else {"scale": alt.Scale(paddingOuter=padding)}
    return alt.Y(field, sort=list(order), title=None, axis=beside, **scale)


def key(**look: Any) -> alt.Legend:
    """A legend without a title."""
    return alt.Legend(title=None, **look)


def hues(field: str, looks: Mapping[str, Role | str], *, legend: Any = None) -> alt.Color:
    """Colours of the values of a field, as roles or as colours; no legend unless given one."""
    colours = [one.colour if isinstance(one, Role) else one for one in looks.values()]
    return alt.Color(field, scale=alt.Scale(domain=list(looks), range=colours), legend=legend)


def dashes(
    field: str, looks: Mapping[str, Role | Sequence[int]], *, legend: Any = None
) -> alt.StrokeDash:
    """Dashes of the values of a field, as roles or as lengths; no legend unless given one."""
    lengths = [list(one.dash if isinstance(one, Role) else one) for one in looks.values()]
    return alt.StrokeDash(field, scale=alt.Scale(domain=list(looks), range=lengths), legend=legend)


def by_role(
    field: str, roles: Mapping[str, Role], *, legend: Any = None
) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash of a field whose values are names of roles."""
    return hues(field, roles, legend=legend), dashes(field, roles, legend=legend)


def extrapolated(field: str = "part:N", parts: tuple[str, str] = ("fit", "beyond")) -> Any:
    """Dash of a curve that is solid on its data and broken beyond them."""
    return dashes(field, dict(zip(parts, ((1, 0), BEYOND), strict=True)))


def shapes(
    field: str, names: Iterable[str], look: Sequence[str] = SHAPES, *, legend: Any = None
) -> alt.Shape:
    """Shapes of the values of a field, in order.

    With `legend=alt.Undefined` the shapes join the legend of the colours of the same field.
    """
    known = list(names)
    scale = alt.Scale(domain=known, range=list(look)[: len(known)])
    return alt.Shape(field, scale=scale, legend=legend)


def tooltips(*fields: str | tuple[str, ...]) -> list[alt.Tooltip]:
    """Tooltips, each a field, or a field with its format and, if it has one, its title."""
    told = []
    for one in fields:
        field, *rest = (one,) if isinstance(one, str) else one
        said = dict(zip(("format", "title"), rest, strict=False))
        look: Any = {name: text for name, text in said.items() if text}
        told.append(alt.Tooltip(field, **look))
    return told
