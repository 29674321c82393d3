"""How to cite: the entries are those of CITATION.cff, and the addresses given as examples exist."""

import re
from importlib.metadata import version

import pytest
import yaml

import scalinglib as sl
from tools.prose import ROOT, read

from .test_errata import CLAIMS, ROWS

PAGE = read("cite").text
CITED = yaml.safe_load((ROOT / "CITATION.cff").read_text())
ENTRIES = [
    dict(re.findall(r"^  (\w+) = \{+(.*?)\}+,?$", block, re.M))
    for block in re.findall(r"^```bibtex\n(.*?)^```", PAGE, re.M | re.S)
]
each = pytest.mark.parametrize("entry", ENTRIES, ids=["book", "chapter"])


@each
def test_an_entry_is_that_of_the_citation_file(entry):
    assert entry["author"] == CITED["authors"][0]["name"]
    assert entry["title"] == CITED["title"]
    assert entry["year"] == CITED["date-released"][:4]
    assert entry["url"].startswith(CITED["repository-code"])


def test_the_version_and_licence_are_those_of_the_package():
    book, chapter = ENTRIES
    assert book["version"] == CITED["version"] == version("scalinglib")
    assert f"version {CITED['version']}" in PAGE
    assert book["date"] == CITED["date-released"]
    terms = (ROOT / "LICENSE").read_text()
    assert CITED["license"] in terms
    assert f"{CITED['license']} licence" in PAGE
    assert "CC BY 4.0" in terms
    source = ROOT / chapter["url"].split("/blob/main/")[1]
    assert f"# {chapter['chapter']}" in source.read_text()


def test_the_addresses_lead_somewhere():
    assert re.search(r"claim (\w+)\.", PAGE)[1] in CLAIMS.index
    assert re.search(r"entry (\w+)\.", PAGE)[1] in {row["id"] for row in ROWS}
    assert "## What rounding costs" in read("epoch-refit").text
    assert sl.published.printed("hoffmann2022/Gopher budget").where
    assert sl.published.law("besiroglu2024/headline fit") == sl.published.EPOCH_2024
    assert len(sl.load("chinchilla_runs"))
