"""The directive ``{claims}``: the ledger as questions and answers, whole or for one chapter.

Everything is written when the page is built, and `tables` lets a reader filter it.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import ReferenceRole, SphinxDirective
from tables import filterable, link, marked, titles

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("verdict", "chapter", "kind")
TITLES = {"1": "first", "2": "second", "3": "third", "4": "fourth"}


@cache
def ledger() -> list[dict[str, str]]:
    """The rows of ``data/claims.csv``, in the order of the articles."""
    with (ROOT / "data" / "claims.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Claims(SphinxDirective):
    """Write the claims of one chapter, or all of them with their addresses."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One block a claim: question, verdict, answer, where it is settled."""
        self.env.note_dependency(str(ROOT / "data" / "claims.csv"))
        chapter = self.arguments[0] if self.arguments else None
        rows = [row for row in ledger() if chapter in (None, row["chapter"])]
        if chapter:
            return [self.one(row, whole=False) for row in rows]
        return [filterable("claims", KEYS, *(self.one(row) for row in rows))]

    def one(self, row: dict[str, str], *, whole: bool = True) -> nodes.container:
        """A claim; on the page of all claims it carries its address and its classes."""
        marks = marked(**{key: row[key] for key in KEYS})
        block = nodes.container("", classes=["claim", *marks])
        question = nodes.paragraph("", "", classes=["question"])
        if whole:
            block["ids"] = [row["id"].lower()]
            address = link(row["id"], f"#{row['id'].lower()}")
        else:
            address = link(row["id"], f"claims.html#{row['id'].lower()}")
        question += [
            nodes.strong("", row["question"]),
            nodes.Text(" "),
            nodes.inline("", row["verdict"], classes=["claim-verdict", f"is-{row['verdict']}"]),
            nodes.Text(" "),
            address,
        ]
        block += question
        block += nodes.paragraph("", row["answer"], classes=["answer"])
        if whole:
            block += self.foot(row)
        return block

    def foot(self, row: dict[str, str]) -> nodes.paragraph:
        """Where the claim stands, and where it is settled."""
        where = f"Claimed in the {TITLES[row['article']]} article, line {row['line']}."
        foot = nodes.paragraph("", where, classes=["claim-foot"])
        slug, section = row["chapter"], row["section"]
        if slug in titles():
            target = f"{slug}.html" + (f"#{nodes.make_id(section)}" if section else "")
            foot += [nodes.Text(" Settled in "), link(titles()[slug], target)]
            foot += nodes.Text(f", {section.rstrip('.?!')}." if section else ".")
        if row["source"]:
            foot += nodes.Text(f" Source: {row['source'].rstrip('.')}.")
        if row["settle"]:
            foot += nodes.Text(f" What would settle it: {row['settle']}")
        return foot


class Claim(ReferenceRole):
    """Link to a claim by its id, in the words of its question unless others are given."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The link; an id that is not in the ledger is an error of the page."""
        found = {row["id"]: row for row in ledger()}.get(self.target)
        if found is None:
            message = self.inliner.reporter.error(f"there is no claim {self.target!r}")
            return [], [message]
        words = self.title if self.has_explicit_title else found["question"]
        return [link(words, f"claims.html#{found['id'].lower()}")], []


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("tables")
    app.add_directive("claims", Claims)
    app.add_role("claim", Claim())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
