"""How results leave a cell: rounded tables, comparison tables, and charts for three audiences.

``SCALINGLIB_DISPLAY`` decides, when this module is imported, what a chart becomes:

========  ============================================================================
unset     a widget that needs no network where anywidget is, or Altair's own display
site      a figure that holds the specification, drawn in the reader's browser
text      a summary in words and 4-digit numbers, which regression tests compare
========  ============================================================================
"""

from __future__ import annotations

import html
import json
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

from .published import Reported
from .runs.units import quantity

__all__ = ["Comparison", "comparison", "number", "percent", "power", "quantity", "say"]

MODE = os.environ.get("SCALINGLIB_DISPLAY", "jupyter")
RECORDS = "application/vnd.scalinglib.comparison+json"
"""The type under which a stored notebook holds the rows of a comparison table."""
WIDTH = 680
"""Pixels of a chart in a notebook; on the site it takes the width of its column."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """Write a number at 4 significant digits."""
    return format(float(value), "#.4g").rstrip(".") if 1e-4 <= abs(value) < 1e4 else f"{value:.4g}"


def power(value: float, digits: int = 2) -> str:
    """Write a number as a multiple of a power of ten, at `digits` significant ones, for prose."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_RAISED)}"


def percent(value: float, digits: int = 0) -> str:
    """Write a share as a percentage with `digits` decimals, for prose."""
    return f"{100 * value:.{digits}f} %"


def say(**values: float | str) -> None:
    """Hand numbers, at 4 significant digits, and text to the prose of a chapter.

    After ``say(alpha=fit.law.alpha)`` its text quotes ``{glue:text}`alpha` ``.
    """
    from myst_nb import glue

    for name, value in values.items():
        glue(name, value if isinstance(value, str) else number(value), display=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows of a quantity, its published value, our value, and our standard error or None."""

    rows: tuple[tuple[str, Reported, float, float | None], ...]

    def frame(self) -> pd.DataFrame:
        """The six columns that every comparison table of the book has, all text."""
        return pd.DataFrame(
            [
                {
                    "quantity": name,
                    "published": f"{reported.text} ({_address(reported)})",
                    "ours": _digits(ours, reported),
                    "difference": _difference(ours, reported),
                    "returns the print?": "yes" if reported.returns(ours) else "no",
                    "agrees?": reported.agrees(ours, se),
                }
                for name, reported, ours, se in self.rows
            ]
        )

    def records(self) -> list[dict[str, Any]]:
        """The rows for machines: the address in parts, what the frame prints, and our error."""
        return [
            {
                "quantity": name,
                "printed": reported.text,
                "source": reported.source,
                "where": reported.where,
                "how": reported.how,
                "ours": _digits(ours, reported),
                "se": None if se is None else f"{se:.2g}",
                "returns": reported.returns(ours),
                "agrees": reported.agrees(ours, se),
            }
            for name, reported, ours, se in self.rows
        ]

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        frame = self.frame()
        other = {RECORDS: self.records()} if MODE == "text" else {"text/html": self._html(frame)}
        return {"text/plain": _plain(frame), **other}

    def _html(self, frame: pd.DataFrame) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in frame.columns)
        body = "".join(
            f'<tr><th scope="row">{html.escape(name)}</th>'
            f"<td>{html.escape(one.text)}<small>{html.escape(_address(one))}</small></td>"
            f"<td>{ours}</td><td>{difference}</td><td>{returns}</td>"
            f'<td class="verdict verdict-{agrees.split()[0]}">{agrees}</td></tr>'
            for (name, one, *_), (_, _, ours, difference, returns, agrees) in zip(
                self.rows, frame.to_numpy(), strict=True
            )
        )
        return (
            '<div class="table-wrap"><table class="comparison">'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def comparison(
    rows: Iterable[tuple[str, Reported, float] | tuple[str, Reported, float, float | None]],
) -> Comparison:
    """Set published values beside ours; a row may carry our standard error as its fourth entry."""
    return Comparison(
        tuple(
            (name, reported, float(ours), None if not se or se[0] is None else float(se[0]))
            for name, reported, ours, *se in rows
        )
    )


def _address(reported: Reported) -> str:
    """Where a value stands, and that it was read second-hand if it was."""
    second = "; second-hand" if reported.how == "secondhand" else ""
    return reported.where + second


def _digits(ours: float, reported: Reported) -> str:
    """Ours, with a digit more than was published and at least 4 significant ones."""
    if reported.value and abs(ours) < 1e5:
        places = max(0, 3 - int(np.floor(np.log10(abs(ours) or 1.0))))
        return f"{ours:.{min(places, 8)}f}" if abs(ours) >= 1e-4 else number(ours)
    return number(ours)


def _difference(ours: float, reported: Reported) -> str:
    if reported.value == 0:
        return f"{ours:+.3g}"
    change = 100 * (ours / reported.value - 1)
    if abs(change) < 0.0005:
        return "0 %"
    if abs(change) >= 1000:
        return f"{ours / reported.value:.3g} times"
    return f"{change:+.0f} %" if abs(change) >= 99.5 else f"{change:+.2g} %"


def _plain(frame: pd.DataFrame) -> str:
    return str(frame.to_string(index=False, max_colwidth=None))


def _specification(spec: dict[str, Any]) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(spec, sort_keys=True, separators=(",", ":")).replace("<", "\\u003c")


def _site(spec: dict[str, Any], **_: object) -> dict[str, str]:
    described = html.escape(spec.get("description", ""), quote=True)
    figure = (
        '<div class="vl-chart">'
        f'<script type="application/json" class="vl-spec">{_specification(spec)}</script>'
        f"<noscript><p>{described}</p></noscript></div>"
    )
    return {"text/html": figure, "text/plain": "\n".join(summary(spec))}


def _text(spec: dict[str, Any], **_: object) -> dict[str, str]:
    return {"text/plain": "\n".join(summary(spec))}


def _widget(spec: dict[str, Any], **_: object) -> dict[str, Any]:
    from altair import Chart, JupyterChart

    JupyterChart.enable_offline()
    # A notebook may draw a chart before it has a place, and then there is no width to take.
    wide = {**spec, "width": WIDTH} if spec.get("width") == "container" else spec
    chart = JupyterChart(chart=Chart.from_dict(wide), embed_options={"actions": False})
    bundle: Any = chart._repr_mimebundle_()
    return {**bundle[0], **_text(spec)}


def summary(spec: dict[str, Any]) -> Iterator[str]:
    """Describe a Vega-Lite specification in lines that change when the chart does.

    The description; each slider with its start; each layer with mark and encodings; each data set
    with the range and mean of its columns.
    """
    yield f"Chart: {spec.get('description', '(not described)')}"
    for param in spec.get("params", []):
        bind = param.get("bind", {})
        if "options" in bind:
            span = ", ".join(str(option) for option in bind["options"])
            yield f"menu {param['name']}: {span}; starts at {param['value']}"
        elif bind:
            span = f"{bind['min']} to {bind['max']}"
            yield f"slider {param['name']}: {span}, starts at {param['value']}"
    yield from _layers(spec)
    tables = spec.get("datasets", {})
    # Altair names a data set by a hash of all digits; the order of first use is as telling.
    for index, rows in enumerate(tables.values(), start=1):
        yield f"data {index}: {len(rows)} rows"
        for column in rows[0] if rows else ():
            yield f"  {column}: {_column([row.get(column) for row in rows])}"


def _layers(spec: dict[str, Any]) -> Iterator[str]:
    for key in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(key, []):
            yield from _layers(part)
    if "spec" in spec:
        yield from _layers(spec["spec"])
    if "mark" in spec:
        mark = spec["mark"]["type"] if isinstance(spec["mark"], dict) else spec["mark"]
        fields = ", ".join(
            f"{channel} {_encoding(value)}"
            for channel, value in sorted(spec.get("encoding", {}).items())
            if isinstance(value, dict) and ("field" in value or "value" in value)
        )
        yield f"{mark}: {fields}"


def _encoding(value: dict[str, Any]) -> str:
    if "field" not in value:
        return f"= {value['value']}"
    scale = value.get("scale") or {}
    kind = f" ({scale['type']})" if "type" in scale else ""
    return f"{value['field']}{kind}"


def _column(values: list[Any]) -> str:
    present = [value for value in values if value is not None]
    if present and all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in present
    ):
        array = np.array(present, dtype=float)
        return f"{number(array.min())} .. {number(array.max())}, mean {number(array.mean())}"
    distinct = list(dict.fromkeys(str(value) for value in present))
    return ", ".join(distinct[:8]) + (f" and {len(distinct) - 8} more" if len(distinct) > 8 else "")


def _enable() -> None:
    pd.options.display.float_format = number
    pd.options.display.max_columns = 20
    pd.options.display.width = 100
    kernel = "ipykernel" in sys.modules and find_spec("anywidget") and find_spec("vl_convert")
    if MODE in {"site", "text"} or kernel:
        import altair as alt

        renderer = {"site": _site, "text": _text}.get(MODE, _widget)
        alt.renderers.register("scalinglib", renderer)
        alt.renderers.enable("scalinglib")
    if MODE == "text":
        pd.options.display.notebook_repr_html = False


_enable()
