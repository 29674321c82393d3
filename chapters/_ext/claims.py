"""The directive ``{claims}``: the ledger as questions and answers, whole or for one chapter.

Everything is written when the page is built, so that it reads without scripts and the site's own
search finds it; ``claims.js`` only hides what a reader filters out.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]
TITLES = {"1": "first", "2": "second", "3": "third", "4": "fourth"}


@cache
def ledger() -> list[dict[str, str]]:
    """The rows of ``data/claims.csv``, in the order of the articles."""
    with (ROOT / "data" / "claims.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@cache
def titles() -> dict[str, str]:
    """Titles of the pages by slug."""
    return {
        path.stem: line[2:].strip()
        for path in sorted((ROOT / "chapters").glob("*.md"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("# ")
    }


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
        return [nodes.container("", *(self.one(row) for row in rows), ids=["claims"])]

    def one(self, row: dict[str, str], *, whole: bool = True) -> nodes.container:
        """A claim; on the page of all claims it carries its address and its classes."""
        marks = [f"{key}-{row[key]}" for key in ("verdict", "chapter", "kind")]
        block = nodes.container("", classes=["claim", *marks])
        question = nodes.paragraph("", "", classes=["question"])
        if whole:
            block["ids"] = [row["id"].lower()]
            address = self.link(row["id"], f"#{row['id'].lower()}")
        else:
            address = self.link(row["id"], f"claims.html#{row['id'].lower()}")
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
            foot += [nodes.Text(" Settled in "), self.link(titles()[slug], target)]
            foot += nodes.Text(f", {section}." if section else ".")
        if row["source"]:
            foot += nodes.Text(f" Source: {row['source'].rstrip('.')}.")
        if row["settle"]:
            foot += nodes.Text(f" What would settle it: {row['settle']}")
        return foot

    @staticmethod
    def link(text: str, target: str) -> nodes.reference:
        """A link inside the site, written as it stands."""
        return nodes.reference("", text, refuri=target, internal=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("claims", Claims)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
