"""What is done to a built page last: weight, numbers with their units, preview, plain text."""

import gzip
import re
import subprocess
import sys
from urllib.parse import urlsplit

import assets
import finish
import nbformat
import pytest

from .conftest import ROOT, pages

LIMIT = 800_000
PLANNER = 700_000
# What a page with formulas fetches of the fonts, whatever its formulas are.
FONTS = ("Main-Regular", "Math-Italic", "Zero")


def needed(site, page):
    """Every file that a browser loads for a page, once it has been read to its end."""
    path = site / f"{page}.html"
    text = path.read_text()
    links = re.findall(r"<link[^>]*>", text)
    urls = re.findall(r'<(?:script|img)[^>]*\ssrc="([^"]+)"', text)
    urls += [
        re.search('href="([^"]+)"', one)[1] for one in links if re.search("stylesheet|icon", one)
    ]
    found = {path} | {(path.parent / urlsplit(url).path).resolve() for url in urls}
    vendor = (site / "_static/vendor").resolve()
    if "vl-chart" in text:
        found.add(vendor / "vega.js")
    if vendor / "mathjax/startup.js" in found:
        found |= {vendor / "mathjax" / part for part in assets.MATHJAX_PARTS}
        folder = vendor / "mathjax/output/chtml/fonts/woff-v2"
        found |= {folder / f"MathJax_{font}.woff" for font in FONTS}
    return found


@pytest.mark.parametrize("page", pages())
def test_a_page_weighs_little(site, page):
    weight = sum(len(gzip.compress(file.read_bytes())) for file in needed(site, page))
    assert weight < (PLANNER if page.endswith("planning") else LIMIT)


@pytest.mark.parametrize("page", pages())
def test_a_page_describes_itself_and_has_a_plain_copy(site, page):
    text = (site / f"{page}.html").read_text()
    description = re.search(r'<meta name="description" content="([^"]+)"/>', text)[1]
    assert 20 < len(description) <= 310
    copy = (site / f"{page}.txt").read_text()
    assert copy.startswith("# ")
    assert "<" not in re.sub(r"<\s|<[\d=]", "", copy.split("\n")[0])
    assert f"({page}.txt)" in (site / "llms.txt").read_text()
    assert "fontawesome.js" not in text
    assert ("llms.txt" in text) == page.endswith("/index")


def test_a_menu_is_no_text_of_the_plain_copy():
    form = "<form><label>law</label><select><option>one</option></select></form>"
    assert finish.plain(f"<p>Read</p>{form}<p>on</p>") == "Read on"


def test_a_notebook_from_the_site_says_what_it_needs(site, tmp_path):
    """Its first cell runs silently beside the repository, and names it anywhere else."""
    notebook = nbformat.read(site / "_sources/chapters/compute.ipynb", as_version=4)
    opening = notebook.cells[0]
    assert opening.cell_type == "code"
    stored = nbformat.read(ROOT / "chapters/compute.ipynb", as_version=4)
    assert [cell.source for cell in notebook.cells[1:]] == [cell.source for cell in stored.cells]

    def tried(*options, folder):
        command = [sys.executable, *options, "-c", opening.source]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    assert tried(folder=ROOT).returncode == 0
    lost = tried("-S", "-E", folder=tmp_path).stderr
    assert "git clone https://" in lost
    assert "make lab" in lost


@pytest.mark.parametrize(
    ("loose", "tied"),
    [
        ("<p>1 × 10¹⁹ FLOP</p>", "<p>1~×~10¹⁹~FLOP</p>"),
        ("<p><span>7.3</span> % of 24 GB</p>", "<p><span>7.3</span>~% of 24~GB</p>"),
        ("<code>5 nats</code>", "<code>5 nats</code>"),
        ("<p>in 2022 Bayes</p><p>5</p> nats", "<p>in 2022 Bayes</p><p>5</p> nats"),
    ],
)
def test_a_number_stays_with_its_unit(loose, tied):
    assert finish.together(loose) == tied.replace("~", "\xa0")


def test_an_icon_that_the_theme_lacks_is_named():
    with pytest.raises(assets.AssetError, match="no icon nowhere"):
        assets.icon("nowhere")


def test_links_to_the_chapters_beside_it_say_what_these_give(site):
    page = (site / "chapters/kaplan.html").read_text()
    found = re.findall(r'prev-next-title">.*?</p>\s*<p class="prev-next-gives">(.*?)</p>', page)
    assert found == [
        "how parameters and FLOP are counted, and how far <i>6ND</i> can be trusted",
        "IsoFLOP profiles and the three ways to a compute-optimal split",
    ]
