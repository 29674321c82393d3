"""The directive ``{errata}``: slips of one kind from ``data/errata.csv``, with their numbers.

A number stands in the table as its address in braces: a name that the stored run of a chapter hands
to its prose, such as ``{epoch-refit/ratio_huber}``, or else a key of ``published.csv``.
"""

from __future__ import annotations

import csv
import re
from typing import Any

from docutils import nodes
from settled import CHAPTERS, stored
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import link, titles

from scalinglib import display, published

TABLE = CHAPTERS.parent / "data" / "errata.csv"
ADDRESS = re.compile(r"\{([\w-]+/[^{}]+)\}")
PARTS = {"gives": "What we find.", "follows": "What follows."}


def slips(kind: str | None = None) -> list[dict[str, str]]:
    """The rows of the table, or those of one kind, in its order."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if kind in (None, row["kind"])]


def number(address: str) -> str:
    """The text of a number: as a chapter printed it, or as a source did."""
    chapter, _, name = address.partition("/")
    if (CHAPTERS / f"{chapter}.md").exists():
        return stored(chapter)[name]
    text = published.printed(address).text
    mantissa, power, _ = text.partition("e")
    digits = len(mantissa.replace(".", ""))
    return display.power(float(text), digits) if power else text


def told(text: str) -> str:
    """A cell of the table with its numbers in place."""
    return ADDRESS.sub(lambda found: number(found[1]), text)


class Errata(SphinxDirective):
    """Write the slips of one kind."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One block a slip: where, what is printed, what we find, what follows."""
        rows = slips(self.arguments[0])
        for path in {TABLE, *(CHAPTERS / f"{row['chapter']}.ipynb" for row in rows)}:
            self.env.note_dependency(str(path))
        return [self.one(row) for row in rows]

    def one(self, row: dict[str, str]) -> nodes.container:
        """A slip with its own address."""
        mark = row["id"].lower()
        head = nodes.paragraph("", "", nodes.strong("", row["title"]), classes=["question"])
        head += [nodes.Text(" "), link(row["id"], f"#{mark}")]
        block = nodes.container("", head, classes=["claim"], ids=[mark])
        block += nodes.paragraph("", f"{row['where']}.", classes=["claim-foot"])
        first = "We had printed." if row["kind"] == "ours" else "Printed."
        for column, name in {"printed": first, **PARTS}.items():
            parsed, messages = self.parse_inline(f"*{name}* {told(row[column])}")
            block += [nodes.paragraph("", "", *parsed), *messages]
        block += self.foot(row)
        return block

    @staticmethod
    def foot(row: dict[str, str]) -> nodes.paragraph:
        """What the slip changes, the section that shows it, and the claims that rest on it."""
        verb = "Changed" if row["kind"] == "ours" else "Changes"
        foot = nodes.paragraph("", f"{verb} {row['changes']}.", classes=["claim-foot"])
        if row["chapter"]:
            target = f"{row['chapter']}.html#{nodes.make_id(row['section'])}"
            foot += [nodes.Text(" Shown in "), link(titles()[row["chapter"]], target)]
            foot += nodes.Text(f", {row['section'].rstrip('?')}.")
        claims = row["claims"].split()
        foot += nodes.Text(" Claims" if claims else "")
        for claim in claims:
            foot += [nodes.Text(" "), link(claim, f"claims.html#{claim.lower()}")]
        return foot


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("errata", Errata)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
