"""The built pages: all there, nothing from elsewhere, no dead link, every chart described."""

import json
from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from .conftest import pages

each_page = pytest.mark.parametrize("page", pages())
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author"}


class Page(HTMLParser):
    """What a page loads, links to, names, and draws."""

    def __init__(self, path):
        super().__init__()
        self.loads, self.links, self.ids, self.specs, self.captioned = [], [], set(), [], []
        self._figures, self._in_spec = [], False
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        attrs = {name: value or "" for name, value in attrs}
        self.ids.add(attrs.get("id"))
        relations = set(attrs.get("rel", "").split())
        if attrs.get(LOADED.get(tag, "")) and not relations & NOT_FETCHED:
            self.loads.append(attrs[LOADED[tag]])
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag == "figure":
            self._figures.append({"chart": False, "number": False})
        if self._figures and "caption-number" in attrs.get("class", ""):
            self._figures[-1]["number"] = True
        if "vl-chart" in attrs.get("class", "").split():
            if self._figures:
                self._figures[-1]["chart"] = True
            else:
                self.captioned.append(False)
        self._in_spec = "vl-spec" in attrs.get("class", "")

    def handle_data(self, data):
        if self._in_spec:
            self.specs.append(json.loads(data))
            self._in_spec = False

    def handle_endtag(self, tag):
        if tag == "figure":
            figure = self._figures.pop()
            if figure["chart"]:
                self.captioned.append(figure["number"])


@pytest.fixture
def parsed(site, page):
    return Page(site / f"{page}.html")


@each_page
def test_page_exists_and_is_listed(site, page):
    assert (site / f"{page}.html").stat().st_size > 2000


@each_page
def test_nothing_is_loaded_from_another_host(parsed):
    assert [url for url in parsed.loads if urlsplit(url).netloc] == []


@cache
def ids_of(path):
    return Page(path).ids


@each_page
def test_local_links_lead_somewhere(site, page, parsed):
    here = (site / f"{page}.html").parent
    dead = []
    for link in parsed.links + parsed.loads:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        path = unquote(parts.path)
        target = here / path if path else site / f"{page}.html"
        if not target.exists():
            dead.append(link)
        elif parts.fragment and target.suffix == ".html":
            ids = parsed.ids if not path else ids_of(target.resolve())
            dead += [link] if unquote(parts.fragment) not in ids else []
    assert dead == []


@each_page
def test_charts_are_described_captioned_and_small(parsed):
    for spec in parsed.specs:
        assert len(spec["description"]) > 80
        assert all(len(rows) <= 5000 for rows in spec["datasets"].values())
    assert parsed.captioned == [True] * len(parsed.specs)


def test_scripts_are_those_that_were_checked(site):
    import assets

    for name, data in assets.collect().items():
        assert (site / "_static" / "vendor" / name).read_bytes() == data
