"""Every slip of the errata: its numbers are computed or printed ones, and its links lead somewhere.

The numbers of the chapters come from stored runs, which the notebook tests compute again.
"""

import re

import pytest

import scalinglib as sl
from scalinglib import published
from tools.prose import ROOT, settled, typed

from .test_typed_numbers import FREE

# The extension imports its neighbour by name, so it comes after the path that prose sets.
import errata  # isort: skip

ROWS = errata.slips()
CLAIMS = sl.load("claims").fillna("").set_index("id")
TEXTS = ("printed", "gives", "follows")
NAMED = re.compile(
    r"\b(?:GPT-\d|Llama \d|R1(?:-Zero)?|o3|phi-\d|AIME \d{4}|D\.4|B\.1\d)\b|"
    r"\b\d[\d.]*B (?:model|parameters)\b|\bfor \d[\d.]*B\b|\bat \d+B\b|\b80 % interval|"
    r"\b\d{1,2} (?:January|December)"
)
NUMBER = r"\d[\d.,e]*\d|\d"
each = pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])


def addresses(text):
    return errata.ADDRESS.findall(text)


def digits(text):
    """Numbers that are typed, not looked up: no address, name, year or formula."""
    bare = NAMED.sub(" ", FREE.sub(" ", typed(errata.ADDRESS.sub(" ", text))))
    return re.findall(NUMBER, bare)


@each
def test_every_number_is_computed_or_printed(row):
    for text in (row[column] for column in TEXTS):
        for address in addresses(text):
            chapter, _, name = address.partition("/")
            if (ROOT / "chapters" / f"{chapter}.md").exists():
                assert settled.stored(chapter)[name].strip()
            else:
                assert published.printed(address).where.strip()
        assert "{" not in errata.told(text).replace("10^{", "")


@each
def test_no_number_is_typed_but_those_of_the_articles(row):
    assert digits(row["gives"] + " " + row["follows"]) == []
    known = " ".join(
        f"{CLAIMS.claim[claim]} {CLAIMS.question[claim]} {CLAIMS.claimed[claim]}"
        for claim in row["claims"].split()
    )
    said = digits(row["printed"])
    assert row["kind"] == "article" or said == []
    assert set(said) <= set(re.findall(NUMBER, known))


@each
def test_what_is_found_is_not_what_is_printed(row):
    printed, found = (addresses(row[column]) for column in ("printed", "gives"))
    if printed and found:
        assert errata.number(printed[0]) != errata.number(found[0])


@each
def test_it_leads_to_the_section_that_shows_it(row):
    if not row["chapter"]:
        assert row["claims"], "neither a section nor a claim shows it"
        return
    page = (ROOT / "chapters" / f"{row['chapter']}.md").read_text()
    assert len(re.findall(rf"^##+ {re.escape(row['section'])}$", page, re.M)) == 1
    used = {address.partition("/")[0] for column in TEXTS for address in addresses(row[column])}
    pages = {name for name in used if (ROOT / "chapters" / f"{name}.md").exists()} - {"errata"}
    assert not pages or row["chapter"] in pages


@each
def test_its_claims_are_in_the_ledger(row):
    assert [claim for claim in row["claims"].split() if claim not in CLAIMS.index] == []


@each
def test_it_says_what_it_changes(row):
    assert row["kind"] in {"paper", "article", "ours"}
    assert row["changes"] in {"nothing", "a number", "a conclusion"}
