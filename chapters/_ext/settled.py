"""The role ``{settled}`chapter/name` ``: a number as its chapter's stored run printed it."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

CHAPTERS = Path(__file__).resolve().parents[1]


@cache
def stored(chapter: str) -> dict[str, str]:
    """Every name that the stored notebook of a chapter glues, with its text."""
    notebook = json.loads((CHAPTERS / f"{chapter}.ipynb").read_text())
    glued = {}
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            note = output.get("metadata", {}).get("scrapbook")
            if note:
                text = output["data"][note["mime_prefix"] + "text/plain"]
                glued[note["name"]] = str(ast.literal_eval("".join(text)))
    return glued


class Settled(SphinxRole):
    """Look the name up when the page is read."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:  # noqa: D102 - documented by SphinxRole
        chapter, _, name = self.text.partition("/")
        self.env.note_dependency(str(CHAPTERS / f"{chapter}.ipynb"))
        try:
            return [nodes.inline("", stored(chapter)[name], classes=["settled"])], []
        except (OSError, KeyError):
            return [], [
                self.inliner.reporter.error(
                    f"the stored run of {chapter!r} hands no {name!r} to its prose",
                    line=self.lineno,
                )
            ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_role("settled", Settled())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
