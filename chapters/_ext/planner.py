"""The directive ``{planner}``: the form as plain HTML, and its constants out of ``scalinglib``."""

from __future__ import annotations

import html
import json
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from scalinglib import published
from scalinglib.topics import planning

BUDGETS = (1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26)
"""Budgets (FLOP) of the table that stands without JavaScript."""

RUN = {"devices": "how many", "days": "days", "utilisation": "utilisation"}
TEXT = {"served": "tokens served in use", "unique": "unique tokens"}
LIFE = {
    "price": "rent, $ per device hour", "overhead": "server over its devices",
    "power_share": "mean over rated power", "pue": "site over computers (PUE)",
    "grid": "kg CO₂ per kWh", "tariff": "electricity, $ per kWh",
}  # fmt: skip


def page() -> str:
    """The form, its read-outs, the table without JavaScript, and the constants."""
    made = planning.constants()
    data = json.dumps(made, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return (
        '<div class="planner" id="planner">'
        f'<form class="planner-form" hidden aria-label="Planner">{_form(made)}</form>'
        '<div class="planner-results" hidden aria-live="polite"></div>'
        '<div class="planner-rules" hidden></div>'
        f'<details class="planner-static" open>{_static()}</details>'
        '<div class="planner-laws" hidden></div>'
        f'<script type="application/json" class="planner-constants">{data}</script></div>'
    )


def _form(made: dict[str, Any]) -> str:
    devices = "".join(f"<option>{html.escape(one['name'])}</option>" for one in made["devices"])
    laws = _laws(made["laws"])
    mode = (
        '<div class="planner-mode" role="radiogroup" aria-label="Start from">'
        '<label><input type="radio" name="mode" value="hardware" checked> from hardware</label>'
        '<label><input type="radio" name="mode" value="flops"> from FLOP</label></div>'
    )
    return (
        mode
        + '<div class="planner-grid">'
        + _label("device", "device", f'<select name="device">{devices}</select>')
        + "".join(_number(name, words) for name, words in RUN.items())
        + _number("flops", "training compute, FLOP")
        + "".join(_number(name, words) for name, words in TEXT.items())
        + _label("law", "law", f'<select name="law">{laws}</select>')
        + '</div><details class="planner-more"><summary>Power, price and carbon</summary>'
        + '<div class="planner-grid">'
        + "".join(_number(name, words) for name, words in LIFE.items())
        + f"</div></details>{_utilisations()}"
    )


def _utilisations() -> str:
    """The utilisations that were reported for known runs, to choose one by."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{one.value / 100:.3g}</td></tr>'
        for name, one in published.group("model FLOPs utilisation").items()
    )
    return (
        '<details class="planner-more"><summary>Utilisations that were reported</summary>'
        '<table class="comparison planner-mfu"><thead><tr><th scope="col">run</th>'
        '<th scope="col">share of the peak</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )


def _laws(laws: list[dict[str, Any]]) -> str:
    """The menu of laws: published constants first, then those fitted in this book."""
    groups: dict[str, list[str]] = {"Published constants": [], "Fitted in this book": []}
    for one in laws:
        group = "Fitted in this book" if one["how"] == "ours" else "Published constants"
        groups[group].append(
            f'<option value="{html.escape(one["key"])}">{html.escape(one["name"])}</option>'
        )
    return "".join(
        f'<optgroup label="{label}">{"".join(options)}</optgroup>'
        for label, options in groups.items()
    )


def _label(name: str, words: str, field: str) -> str:
    return f'<label data-for="{name}"><span>{words}</span>{field}<small></small></label>'


def _number(name: str, words: str) -> str:
    """A field for a number, with what is usual and where that comes from as its hint."""
    hint = ""
    if name in planning.ASSUMED.index:
        row = planning.ASSUMED.loc[name]
        hint = f"{row.quantity}; usual {row.low:g} to {row.high:g}; {row.source}"
    return _label(
        name, words,
        f'<input name="{name}" inputmode="decimal" autocomplete="off" '
        f'title="{html.escape(hint, quote=True)}">',
    )  # fmt: skip


def _static() -> str:
    """Plans of eight budgets under the default law and device, for readers without JavaScript."""
    head = ("FLOP", "parameters", "tokens", "loss", "device hours", "kWh", "rent")
    rows = []
    for C in BUDGETS:
        one = planning.plan(flops=C)
        told = (
            f"{C:.0e}".replace("e+", "e"), planning.short(one.params), planning.short(one.tokens),
            f"{one.loss:.2f}", planning.short(one.device_hours), planning.short(one.energy_kWh),
            f"${planning.short(one.rent)}",
        )  # fmt: skip
        rows.append(f'<tr><th scope="row">{told[0]}</th>' + "".join(
            f"<td>{text}</td>" for text in told[1:]) + "</tr>")  # fmt: skip
    own = planning.plan(flops=1e22).settings
    caption = (
        f"Plans of eight budgets on {own.device} at {100 * own.utilisation:.0f} % of the peak, "
        f"under {planning.KNOWN.loc[own.law, 'name']}. The form that makes others needs JavaScript."
    )
    headings = "".join(f'<th scope="col">{word}</th>' for word in head)
    return (
        "<summary>Plans for readers without JavaScript</summary>"
        f'<table class="comparison"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{headings}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


class Planner(SphinxDirective):
    """Put the planner where the directive stands."""

    def run(self) -> list[nodes.Node]:  # noqa: D102 - documented by SphinxDirective
        self.env.metadata[self.env.docname]["planner"] = "yes"
        return [nodes.raw("", page(), format="html")]


def load_script(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Give script and style to the page that has the planner, and to no other."""
    if "planner" in app.env.metadata.get(name, {}):
        app.add_css_file("planner.css", priority=901)
        app.add_js_file("planner.js", priority=402, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("planner", Planner)
    app.connect("html-page-context", load_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
