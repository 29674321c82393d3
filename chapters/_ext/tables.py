"""Tables and lists that are written when a page is built, and what lets a reader filter them.

Everything is on the page without scripts, so the site's own search finds it; ``filter.js`` only
hides what a reader filters out. The parts of a filter are classes: a list is ``filterable`` and has
``filter-KEY`` for each choice it offers, an entry is an ``item`` and has ``KEY-VALUE``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from pybtex.database import parse_file
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
HOW = {
    "paper": "paper",
    "code": "code",
    "secondhand": "second-hand",
    "ours": "fitted in this book",
}
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "η": "eta", "χ": "chi"}

Cell = nodes.Node | str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: its cells, its own address, and its values by key for the filter."""

    cells: Sequence[Cell | Sequence[Cell]]
    id: str = ""
    marks: Mapping[str, str] | None = None


def address(words: str) -> str:
    """An address made of words, in which Greek letters keep their names."""
    return nodes.make_id("".join(_GREEK.get(letter, letter) for letter in words))


def link(text: str, target: str) -> nodes.reference:
    """A link inside the site, or out of it, written as it stands."""
    return nodes.reference("", text, refuri=target, internal="://" not in target)


def words(*parts: Cell, kind: str = "") -> nodes.paragraph:
    """A paragraph of text and links, with classes of its own."""
    found = (nodes.Text(part) if isinstance(part, str) else part for part in parts)
    return nodes.paragraph("", "", *found, classes=kind.split())


def marked(**marks: str) -> list[str]:
    """The classes of an entry: its value under each key of the filter."""
    return ["item", *(f"{key.replace('_', '-')}-{address(value)}" for key, value in marks.items())]


def filterable(name: str, keys: Iterable[str], *entries: nodes.Node) -> nodes.container:
    """A list of things called `name`, which a reader can search and filter by the keys."""
    classes = ["filterable", *(f"filter-{key.replace('_', '-')}" for key in keys)]
    return nodes.container("", *entries, ids=[name], classes=classes)


def _entry(cell: Cell | Sequence[Cell], kind: str) -> nodes.entry:
    parts = [cell] if isinstance(cell, str | nodes.Node) else list(cell)
    blocks = [part if isinstance(part, nodes.paragraph) else words(part) for part in parts if part]
    return nodes.entry("", *blocks, classes=[kind] if blocks else [kind, "none"])


def table(columns: Mapping[str, str], rows: Iterable[Row], *, kind: str = "") -> nodes.container:
    """A table that scrolls by itself on a narrow screen; columns are heads by class."""
    group = nodes.tgroup("", *(nodes.colspec() for _ in columns), cols=len(columns))
    heads = (_entry(head, f"col-{key}") for key, head in columns.items())
    body = nodes.tbody("")
    for row in rows:
        line = nodes.row("", ids=[row.id] if row.id else [])
        line["classes"] = marked(**row.marks) if row.marks else []
        line += [_entry(cell, f"col-{key}") for key, cell in zip(columns, row.cells, strict=True)]
        body += line
    group += [nodes.thead("", nodes.row("", *heads)), body]
    whole = nodes.table("", group, classes=["written", "colwidths-auto", *kind.split()])
    return nodes.container("", whole, classes=["table-wrap"])


@cache
def titles() -> dict[str, str]:
    """Titles of the pages by slug."""
    pages = {
        path.stem: re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), flags=re.M)
        for path in sorted((ROOT / "chapters").glob("*.md"))
    }
    return {slug: found[1].strip() for slug, found in pages.items() if found}


@cache
def papers() -> dict[str, str]:
    """What the bibliography calls its entries in a sentence, such as "Hoffmann et al. 2022"."""
    found = {}
    library = parse_file(str(ROOT / "chapters" / "references.bib"))
    for key, entry in library.entries.items():
        names = [" ".join(map(str, one.rich_last_names)) for one in entry.persons["author"]]
        if len(names) > 2 or names[-1] == "others":
            names = [names[0], "et al."]
        elif len(names) == 2:
            names.insert(1, "and")
        found[key] = f"{' '.join(names)} {entry.fields['year']}"
    return found


def paper_mark(source: str) -> str:
    """The key of a paper as the filter shows it: words and year apart."""
    return re.sub(r"(\d{4})", r" \1 ", source)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_js_file("filter.js", priority=402, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
