"""The map of the book: every page of it has its row, and nothing is needed before it stands."""

import re

import needs
import pytest

from .conftest import ROOT, pages

ORDER = [page.split("/")[1] for page in pages()]
ROWS = needs.chapters()
USED = [page for page in ROWS if "```{needs}" in (ROOT / f"chapters/{page}.md").read_text()]


def test_every_chapter_has_its_row():
    first, last = ORDER.index("power-laws"), ORDER.index("claims")
    assert sorted(ROWS) == sorted(ORDER[first:last])


@pytest.mark.parametrize("slug", ROWS)
def test_a_chapter_needs_what_stands_before_it(slug):
    assert all(ORDER.index(one) < ORDER.index(slug) for one in ROWS[slug]["needs"].split())
    assert re.fullmatch(r"[a-zA-Z].*[^.]", ROWS[slug]["gives"])


def test_the_first_chapters_carry_their_line():
    assert {"power-laws", "extrapolation", "statistics"} <= set(USED)


def test_the_drawing_has_a_link_a_chapter_and_an_arc_a_need():
    drawn = needs.drawing()
    assert re.findall(r'href="([\w-]+)\.html"', drawn) == list(ROWS)
    assert drawn.count("<path") == sum(len(row["needs"].split()) for row in ROWS.values())


@pytest.mark.parametrize("slug", USED)
def test_the_line_stands_on_the_page_with_its_links(site, slug):
    page = (site / f"chapters/{slug}.html").read_text()
    line = re.search(r'<p class="needs">.*?</p>', page, re.S)[0]
    assert re.findall(r'href="([\w-]+)\.html"', line) == ROWS[slug]["needs"].split()
