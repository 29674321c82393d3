"""Tables that stand open on a page: few, numbered, captioned, and referred to in the prose."""

import re

import pytest
import yaml
from bs4 import BeautifulSoup

from .conftest import ROOT

PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
CHAPTERS = [one["file"] for part in PARTS if part["numbered"] for one in part["chapters"]]
MOST = 8
FOLDED = {"dropdown", "toggle"}


def open_tables(page):
    """Tables of a built page that no fold hides."""
    return [
        table
        for table in page.find("article").find_all("table")
        if not any(
            up.name == "details" or FOLDED & set(up.get("class", [])) for up in table.parents
        )
    ]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_open_tables_are_few_and_numbered(site, chapter):
    shown = open_tables(BeautifulSoup((site / f"{chapter}.html").read_text(), "html.parser"))
    bare = [
        table.get_text(" ", strip=True)[:60]
        for table in shown
        if not (table.find_parent("figure") or table).find(class_="caption-number")
    ]
    assert bare == []
    assert len(shown) <= MOST


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_numbered_tables_are_referred_to(chapter):
    text = (ROOT / f"{chapter}.md").read_text()
    names = re.findall(r"^:? *name: (tab-[\w-]+)$", text, re.M)
    assert [name for name in names if f"{{numref}}`{name}`" not in text] == []
    assert len(names) == len(set(names))


def test_a_numbered_table_is_counted_apart_from_figures(site):
    page = BeautifulSoup((site / "chapters/chinchilla.html").read_text(), "html.parser")
    kinds = {
        figure["id"].split("-")[0]: figure.find(class_="caption-number").get_text(strip=True)
        for figure in reversed(page.find_all("figure", id=True))
    }
    assert kinds == {"tab": "Table 4.1", "fig": "Fig. 4.1"}
    links = page.find_all("a", href="#tab-chinchilla-llama")
    told = next(link for link in links if "headerlink" not in link["class"])
    assert told.get_text().startswith("Table 4.")
