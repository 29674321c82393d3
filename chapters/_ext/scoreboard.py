"""Every comparison table of the book, row by row, out of the stored notebooks.

A stored notebook holds the rows of a comparison table as `scalinglib.display.Comparison` wrote them
when the chapter ran; a test runs the chapter again and compares. Here they are only collected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from scalinglib import display, published
from scalinglib.datasets import load

ROOT = Path(__file__).resolve().parents[2]
RETURNS, AGREES, DIFFERS = "returns the print", "agrees in other digits", "differs"
OUTCOMES = (RETURNS, AGREES, DIFFERS)


def chapters() -> list[str]:
    """Slugs of the pages in the order of the contents."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [one["file"] for part in contents["parts"] for one in part["chapters"]]
    return [Path(name).name for name in (contents["root"], *listed)]


def tables(slug: str, root: Path = ROOT) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The comparison tables of a chapter's stored notebook, each with the heading above it."""
    notebook = json.loads((root / "chapters" / f"{slug}.ipynb").read_text(encoding="utf-8"))
    heading = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            found = re.findall(r"^#{2,4} (.+)$", "".join(cell["source"]), flags=re.M)
            heading = found[-1] if found else heading
        for output in cell.get("outputs", []):
            if display.RECORDS in output.get("data", {}):
                yield heading, output["data"][display.RECORDS]


@cache
def keys() -> Mapping[tuple[str, ...], tuple[str, ...]]:
    """The keys of printed numbers and published fits, by digits, source, place and way of reading.

    More than one number can stand in one place of a paper with the same digits.
    """
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    printed = [(key, published.printed(key)) for key in load("published").key]
    for key in load("laws").key:
        printed += [(key, one) for one in published.constants(key).values()]
    for key, one in printed:
        place = (one.text, one.source, one.where, one.how)
        found[place] = (*found.get(place, ()), key)
    return found


def outcome(row: Mapping[str, Any]) -> str:
    """Which of the three answers of a comparison table a row gives."""
    if row["returns"]:
        return RETURNS
    return DIFFERS if row["agrees"] == "differs" else AGREES


def collect() -> pd.DataFrame:
    """A row a printed number, in the order of the book, with the reason where it does not return.

    Columns: chapter, section, table (counted over the book), the entries of
    `scalinglib.display.Comparison.records`, outcome, key (empty where it cannot be told), cause and
    why (empty where the print returns).
    """
    rows: list[dict[str, Any]] = []
    table = 0
    for slug in chapters():
        if not (ROOT / "chapters" / f"{slug}.ipynb").exists():
            continue
        for heading, records in tables(slug):
            table += 1
            for one in records:
                place = (one["printed"], one["source"], one["where"], one["how"])
                found = keys().get(place, ())
                rows.append(
                    {
                        "chapter": slug,
                        "section": heading,
                        "table": table,
                        **one,
                        "outcome": outcome(one),
                        "key": found[0] if len(found) == 1 else "",
                    }
                )
    reasons = load("unreturned")
    return pd.DataFrame(rows).merge(reasons, "left", ["chapter", "quantity"]).fillna("")


def totals(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """How many printed numbers each chapter or paper has, return, agree, or do neither."""
    counted = rows.assign(
        printed=1,
        agree=rows.agrees != "differs",
        neither=rows.outcome == DIFFERS,
    )
    columns = {"printed": "printed", "returns": "return", "agree": "agree", "neither": "neither"}
    return counted.groupby(by, sort=False)[list(columns)].sum().rename(columns=columns)
