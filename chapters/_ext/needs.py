"""The directives ``{needs}`` and ``{map}``: what a chapter needs and gives, from ``map.csv``."""

from __future__ import annotations

import csv
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import link, titles, words

HOME = Path(__file__).resolve().parents[1] / "map.csv"
STEP, TOP, LEFT, WIDTH, BEND = 25, 18, 128, 430, 11.0
"""Pixels of the map: between rows, above the first, left of the names, in all, per row bridged."""


@cache
def chapters() -> dict[str, dict[str, str]]:
    """The rows of ``map.csv`` by slug, in the order of the book."""
    with HOME.open(newline="", encoding="utf-8") as file:
        return {row["chapter"]: row for row in csv.DictReader(file)}


class Needs(SphinxDirective):
    """Say what this chapter needs, with links, and what it gives."""

    def run(self) -> list[nodes.Node]:
        """One line; a page without a row in the table is an error of the page."""
        self.env.note_dependency(str(HOME))
        slug = Path(self.env.docname).name
        if slug not in chapters():
            raise self.error(f"{slug!r} has no row in {HOME.name}; add what it needs and gives.")
        row = chapters()[slug]
        said: list[nodes.Node | str] = [nodes.strong("", "Needs "), "nothing from before"]
        if row["needs"]:
            links = [link(titles()[one], f"{one}.html") for one in row["needs"].split()]
            said[1:] = [part for one in links for part in (one, " and ")][:-1]
        gives, _ = self.parse_inline(row["gives"], lineno=self.lineno)
        return [words(*said, ". ", nodes.strong("", "Gives "), *gives, ".", kind="needs")]


class Map(SphinxDirective):
    """Draw the chapters as a column of links, with an arc from each to what needs it."""

    def run(self) -> list[nodes.Node]:
        """A drawing without scripts, in the colours of the page."""
        self.env.note_dependency(str(HOME))
        return [nodes.raw("", drawing(), format="html")]


def drawing() -> str:
    """The map as SVG."""
    row = {slug: TOP + STEP * place for place, slug in enumerate(chapters())}
    arcs, names = [], []
    for slug, one in chapters().items():
        for other in one["needs"].split():
            start, end = row[other], row[slug]
            out = LEFT - 12 - min(BEND * (end - start) / STEP, LEFT - 18)
            arcs.append(
                f'<path d="M{LEFT - 12} {start} C{out:.0f} {start} {out:.0f} {end} '
                f'{LEFT - 12} {end}"/>'
            )
        title = escape(titles()[slug])
        names.append(
            f'<circle cx="{LEFT - 8}" cy="{row[slug]}" r="3.5" fill="currentColor"/>'
            f'<a href="{slug}.html"><text x="{LEFT}" y="{row[slug] + 5}">{title}</text></a>'
        )
    height = TOP + STEP * len(row)
    return (
        f'<svg class="book-map" viewBox="0 0 {WIDTH} {height}" role="group" '
        f'style="width:100%;max-width:{WIDTH}px;height:auto;font-size:15px" '
        'aria-label="Map of the chapters; an arc joins a chapter to each later one that needs it">'
        '<g fill="none" stroke="currentColor" stroke-opacity="0.4" stroke-width="1.4">'
        f'{"".join(arcs)}</g><g style="fill:var(--pst-color-link)">{"".join(names)}</g></svg>'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("tables")
    app.add_directive("needs", Needs)
    app.add_directive("map", Map)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
