"""Numbered tables: a cell whose figure is named ``tab-...`` is counted as a table, not a figure.

A cell gives its table a name and a caption the way it gives them to a chart, by ``mystnb.figure``
in its metadata. Here such a figure becomes a table for numbers and references, and its caption
moves above what it describes.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.writers.html5 import HTML5Translator

PREFIX = "tab-"


class numbered(nodes.figure):  # noqa: N801  docutils finds visitors by the name of the class
    """A table with a number, a name and a caption above it."""


class Tables(SphinxTransform):
    """Turns the figures that hold tables into numbered tables, before anything is counted."""

    default_priority = 200

    def apply(self, **kwargs: Any) -> None:
        """Replace each figure named ``tab-...``, its caption first."""
        for figure in list(self.document.findall(nodes.figure)):
            if not any(name.startswith(PREFIX) for name in figure["names"]):
                continue
            held = sorted(figure.children, key=lambda node: not isinstance(node, nodes.caption))
            whole = numbered("", *held, **figure.attributes)
            whole.source, whole.line = figure.source, figure.line
            whole["classes"] = [*whole["classes"], "table-figure"]
            figure.replace_self(whole)
            # References ask the document, not the tree, what stands under a name.
            self.document.ids.update(dict.fromkeys(whole["ids"], whole))


def _title(node: nodes.Node) -> str:
    return next((child.astext() for child in node.children if isinstance(child, nodes.caption)), "")


def _open(self: HTML5Translator, node: nodes.Element) -> None:
    self.visit_figure(node)


def _close(self: HTML5Translator, node: nodes.Element) -> None:
    self.depart_figure(node)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_enumerable_node(numbered, "table", _title, html=(_open, _close))
    app.add_transform(Tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
