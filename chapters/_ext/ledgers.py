"""The directives ``{scoreboard}``, ``{printed}`` and ``{datasets}``: pages that are lists."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pandas as pd
import scoreboard
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import (
    HOW,
    ROOT,
    Cell,
    Row,
    address,
    filterable,
    link,
    paper_mark,
    papers,
    table,
    titles,
    words,
)

from scalinglib import published
from scalinglib.datasets import load

PREVIEW = 4
"""Rows of a table that its page shows."""


class Scoreboard(SphinxDirective):
    """Write one part of the scoreboard: chapters, papers, reasons or numbers."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Collect the rows and hand them to the part that is asked for."""
        for slug in scoreboard.chapters():
            self.env.note_dependency(str(ROOT / "chapters" / f"{slug}.ipynb"))
        self.env.note_dependency(str(ROOT / "data" / "unreturned.csv"))
        parts: dict[str, Callable[[pd.DataFrame], nodes.Node]] = {
            "chapters": by_chapter, "papers": by_paper, "reasons": reasons, "numbers": numbers,
        }  # fmt: skip
        return [parts[self.arguments[0]](scoreboard.collect())]


def by_chapter(rows: pd.DataFrame) -> nodes.Node:
    """Counts by chapter, in the order of the book, and their sums."""
    return _totals("Chapter", rows, "chapter", lambda slug: link(titles()[slug], f"{slug}.html"))


def by_paper(rows: pd.DataFrame) -> nodes.Node:
    """Counts by paper, the most compared first, and their sums."""
    return _totals("Paper", rows, "source", papers().__getitem__, most_first=True)


def _totals(
    head: str, rows: pd.DataFrame, by: str, name: Callable[[str], Cell], *, most_first: bool = False
) -> nodes.Node:
    counts = scoreboard.totals(rows, by)
    if most_first:
        counts = counts.sort_values("printed", ascending=False, kind="stable")
    columns = {"name": head, "printed": "Printed", "returns": "Return the print",
               "agrees": "Agree", "neither": "Neither"}  # fmt: skip
    lines = [Row([name(one), *map(str, line)]) for one, *line in counts.itertuples()]
    return table(columns, [*lines, Row(["All", *map(str, counts.sum())])], kind="counts")


def row_address(row: Any) -> str:
    """The address of a row of the scoreboard."""
    return address(f"{row.chapter} {row.quantity}")


def place(source: str, where: str, how: str) -> str:
    """Paper, place in it, and how it was read."""
    said = where if HOW[how] in where else f"{where}; {HOW[how]}"
    return f"{papers()[source]}, {said}"


def reasons(rows: pd.DataFrame) -> nodes.Node:
    """What does not return its print, and why, in the order of the book."""
    columns = {"quantity": "Quantity", "printed": "Printed", "ours": "Ours", "why": "Why"}
    missed = rows[~rows.returns]
    return table(
        columns,
        (
            Row(
                [
                    [words(link(row.quantity, f"#{row_address(row)}")),
                     words(titles()[row.chapter], kind="fine")],
                    row.printed, row.ours, row.why,
                ]
            )
            for row in missed.itertuples()
        ),
        kind="cards",
    )  # fmt: skip


def numbers(rows: pd.DataFrame) -> nodes.Node:
    """Every row of every comparison table."""
    keys = ("chapter", "paper", "how_read", "returns", "agrees")
    columns = {"quantity": "Quantity", "printed": "Printed", "ours": "Ours",
               "returns": "Returns the print?", "agrees": "Agrees?"}  # fmt: skip
    lines = [_number(row) for row in rows.itertuples()]
    return filterable("numbers", keys, table(columns, lines, kind="cards"))


def _number(row: Any) -> Row:
    returns = "yes" if row.returns else "no"
    anchor = address(row.section.replace("$", ""))
    chapter = link(titles()[row.chapter], f"{row.chapter}.html" + (f"#{anchor}" if anchor else ""))
    printed = link(row.printed, f"printed.html#{address(row.key)}") if row.key else row.printed
    return Row(
        [
            [row.quantity, words(chapter, kind="fine")],
            [words(printed), words(place(row.source, row.where, row.how), kind="fine")],
            row.ours,
            returns,
            words(row.agrees, kind=f"verdict verdict-{row.agrees.split()[0]}"),
        ],
        id=row_address(row),
        marks={"chapter": row.chapter, "paper": paper_mark(row.source), "how_read": HOW[row.how],
               "returns": returns, "agrees": row.agrees},
    )  # fmt: skip


class Printed(SphinxDirective):
    """Write the printed numbers, or the published fits."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """A row a number with its address in the paper, or a row a fit."""
        name = self.arguments[0]
        source, line = {"numbers": ("published", _printed), "fits": ("laws", _fit)}[name]
        self.env.note_dependency(str(ROOT / "data" / f"{source}.csv"))
        columns = {"quantity": "Quantity", "value": "Printed", "where": "Where"}
        lines = [line(row) for row in load(source).fillna("").itertuples()]
        return [filterable(name, ("paper", "how_read"), table(columns, lines, kind="cards"))]


def _with_error(one: published.Reported) -> str:
    return one.text if one.se is None else f"{one.text} ± {one.se:g}"


def _printed(row: Any) -> Row:
    return _quoted(row, [f"{_with_error(published.printed(row.key))} {row.unit}".strip()])


def _fit(row: Any) -> Row:
    constants = published.constants(row.key).items()
    return _quoted(row, [f"{name} = {_with_error(one)}" for name, one in constants])


def _quoted(row: Any, value: list[Cell]) -> Row:
    """A row of either table: what it is, with its key; the print; where it stands."""
    note = [words(row.note, kind="fine")] if row.note else []
    return Row(
        [
            [row.quantity, words(link(row.key, f"#{address(row.key)}"), kind="fine"), *note],
            value,
            words(place(row.source, row.where, row.how), kind="fine"),
        ],
        id=address(row.key),
        marks={"paper": paper_mark(row.source), "how_read": HOW[row.how]},
    )


class Datasets(SphinxDirective):
    """Write every table of ``datapackage.json``: an overview, then a section each."""

    def run(self) -> list[nodes.Node]:
        """What the description of the tables says, with the first rows of each."""
        package = ROOT / "data" / "datapackage.json"
        self.env.note_dependency(str(package))
        resources = json.loads(package.read_text(encoding="utf-8"))["resources"]
        for resource in resources:
            self.env.note_dependency(str(ROOT / "data" / resource["path"]))
        columns = {"table": "Table", "rows": "Rows", "what": "What it is"}
        lines = (
            Row([link(one["name"], f"#{address(one['name'])}"), f"{one['rows']:,}", one["title"]])
            for one in resources
        )
        sections = [self.section(resource) for resource in resources]
        return [table(columns, lines, kind="cards"), *sections]

    def section(self, resource: dict[str, Any]) -> nodes.section:
        """One table: what, from where, licence, how read, columns, first rows, download."""
        section = nodes.section("", ids=[address(resource["name"])], names=[resource["name"]])
        section += nodes.title("", resource["name"])
        section += words(f"{resource['title']}.")
        section += nodes.definition_list("", *_facts(resource), classes=["facts"])
        section += words(self.download(resource["path"]), f", {resource['bytes'] / 1e3:,.0f} kB")
        section += _columns(resource)
        section += words("The first rows:", kind="fine")
        section += _preview(resource)
        return section

    def download(self, path: str) -> nodes.Node:
        """A link to a copy of the file that is part of the site."""
        text = nodes.literal("", path, classes=["download"])
        return addnodes.download_reference("", "", text, reftarget=f"/data/{path}")


def _facts(resource: dict[str, Any]) -> Iterator[nodes.definition_list_item]:
    """Source, licence, way of reading and size, as terms with their descriptions."""
    sources = [
        words(link(one["title"], one["path"]), f". {one['address'].rstrip('.')}.")
        for one in resource["sources"]
    ]
    facts = {
        "From": sources,
        "Licence": [words(resource["licence"])],
        "How it was read": [words(resource["method"])],
        "Size": [words(f"{resource['rows']:,} rows, {len(resource['schema']['fields'])} columns")],
    }
    for term, said in facts.items():
        yield nodes.definition_list_item("", nodes.term("", term), nodes.definition("", *said))


def _columns(resource: dict[str, Any]) -> nodes.Node:
    columns = {"column": "Column", "unit": "Unit", "type": "Type", "what": "What it is"}
    return table(
        columns,
        (
            Row([nodes.literal("", field["name"]), field.get("unit", ""), field["type"],
                 field.get("description", "")])
            for field in resource["schema"]["fields"]
        ),
        kind="cards",
    )  # fmt: skip


def _preview(resource: dict[str, Any]) -> nodes.Node:
    """The first rows, as they stand in the file."""
    with (ROOT / "data" / resource["path"]).open(newline="", encoding="utf-8") as file:
        head, *rows = islice(csv.reader(file), PREVIEW + 1)
    return table({name: name for name in head}, map(Row, rows), kind="preview")


def setup(app: Sphinx) -> dict[str, Any]:
    app.setup_extension("tables")
    app.add_directive("scoreboard", Scoreboard)
    app.add_directive("printed", Printed)
    app.add_directive("datasets", Datasets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
