"""The last hand on each built page: its icons, its names, its preview, and a copy in plain text."""

from __future__ import annotations

import html
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import assets
import nbformat
import needs
from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
WORDS_A_MINUTE = 220
UNITS = (
    "%", "×", "FLOPs?", "nats?", "bits?", "[kMGT]i?B", "[kMGT]?Wh?", "GPU-hours?", "days?",
    "hours?", "minutes?", "seconds?", "years?", "tonnes?", "dollars?", "decades?", "times",
)  # fmt: skip
# A digit before its unit, and the two halves of a power of ten.
PARTED = re.compile(
    rf"(?<=[\d⁰¹²³⁴⁵⁶⁷⁸⁹]) (?=(?:{'|'.join(UNITS)})(?![\w-]))|(?<=\d[ \xa0]×) (?=10)"
)
# Kept as they are: what is code, what is a formula, and the tags themselves.
KEPT = re.compile(
    r"<(script|style|pre|code|textarea|title)\b.*?</\1>"
    r"|<(span|div) class=\"math[^\"]*\".*?</\2>|<!--.*?-->|<[^>]+>",
    re.S,
)
GLYPH = re.compile(r'<(i|span) class="([^"]*\bfa-[^"]*)"([^>]*)></\1>')
STYLES = {"solid", "regular", "brands", "lg"}
NEEDED = """\
try:
    import chapters, scalinglib
except ImportError:
    raise ImportError(
        "This notebook is a chapter of Scaling Laws, Recomputed, and runs inside its repository. "
        "Run `git clone ADDRESS`, then `make lab` in that folder, and open it there."
    ) from None\
"""
LEAD = re.compile(
    r'href="(?:[\w./-]*/)?([\w-]+)\.html"\s+title="(?:previous|next) page">.*?'
    r'<p class="prev-next-title">.*?</p>',
    re.S,
)
LOGO = '<div class="sidebar-primary-item">'
FINDING = re.compile(r'<div class="finding docutils">(.*?)</div>', re.S)


def together(page: str) -> str:
    """A number and its unit on one line, also where the number is an element of its own."""
    pieces, position, last = [], 0, ""
    for kept in [*KEPT.finditer(page), None]:
        text = page[position : kept.start() if kept else len(page)]
        if text:
            pieces.append(PARTED.sub("\xa0", last + text)[len(last) :])
            last = text[-3:]
        if kept:
            pieces.append(kept[0])
            position = kept.end()
            # The words of another block are another sentence.
            if not re.match(r"</?(span|a|em|strong|sup|sub)\b", kept[0]):
                last = ""
    return "".join(pieces)


def _drawn(glyph: re.Match[str]) -> str:
    classes = glyph[2].split()
    name = next(one[3:] for one in classes if one.startswith("fa-") and one[3:] not in STYLES)
    drawing = assets.icon(name)
    others = " ".join(one for one in classes if one != f"fa-{name}")
    extra = re.sub(r' title="[^"]*"', "", glyph[3])
    drawing = drawing.replace('class="', f'class="{others} ', 1)
    return drawing.replace(" aria-hidden", extra + " aria-hidden", 1)


def plain(fragment: str) -> str:
    """The words of some HTML in one line."""
    return " ".join(Words(fragment).text.replace("¶", "").split())


class Words(HTMLParser):
    """The text of some HTML: a line a block, a bar between the cells of a row, no scripts."""

    BLOCKS = frozenset(
        ("p", "div", "li", "tr", "h1", "h2", "h3", "h4", "pre", "figure", "figcaption", "summary",
         "dt", "dd")
    )  # fmt: skip
    SILENT = frozenset(("script", "style", "svg", "button", "form", "select"))

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.silent = 0
        self.feed(fragment)
        lines = "".join(self.pieces).replace("#\n", "\n").split("\n")
        self.text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: D102 - documented by HTMLParser
        self.silent += tag in self.SILENT or ("class", "headerlink") in attrs
        if tag in self.BLOCKS:
            self.pieces.append("\n" + "#" * int(tag[1]) + " " if tag[0] == "h" else "\n")
        elif tag in {"td", "th"}:
            self.pieces.append(" | ")

    def handle_endtag(self, tag: str) -> None:  # noqa: D102 - documented by HTMLParser
        # A link to its own heading is silent, and no silent element holds another link.
        self.silent -= bool(self.silent) and (tag in self.SILENT or tag == "a")
        if tag in self.BLOCKS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:  # noqa: D102 - documented by HTMLParser
        if not self.silent:
            self.pieces.append(data)


def article(page: str) -> str:
    found = re.search(r'<article class="bd-article">(.*?)</article>', page, re.S)
    return found[1] if found else ""


def finding(page: str) -> str:
    """What a page says first: its finding, or its first paragraph."""
    found = FINDING.search(page) or re.search(r"<p>(.*?)</p>", article(page), re.S)
    return plain(found[1]) if found else ""


def preview(page: str, name: str, base: str) -> str:
    """Title, description and picture for a search result or a link elsewhere."""
    title = re.search(r"<title>(.*?)</title>", page, re.S)
    said = finding(page)
    if len(said) > 300:
        said = said[:300].rsplit(" ", 1)[0] + " …"
    tags = {"title": plain(title[1]) if title else "", "description": said, "type": "article"}
    if base:
        tags |= {"url": f"{base}{name}.html", "image": f"{base}_static/preview.png"}
    lines = [f'<meta name="description" content="{html.escape(said)}"/>']
    lines += [f'<meta property="og:{key}" content="{html.escape(v)}"/>' for key, v in tags.items()]
    lines.append('<meta name="twitter:card" content="summary_large_image"/>')
    if Path(name).name == "index":
        lines.append(
            '<link rel="alternate" type="text/plain" href="../llms.txt" title="All pages"/>'
        )
    if article(page):
        stem = Path(name).name
        lines.append(
            f'<link rel="alternate" type="text/plain" href="{stem}.txt" title="Plain text"/>'
        )
    return "\n".join(lines) + "\n"


def minutes(page: str) -> int:
    """How long the words outside code, tables and charts take to read."""
    prose = re.sub(r"<(pre|table|details)\b.*?</\1>", "", article(page), flags=re.S)
    return max(1, round(len(plain(prose).split()) / WORDS_A_MINUTE))


def _meant(lead: re.Match[str]) -> str:
    """A link to the next or previous chapter, with what that chapter gives."""
    row = needs.chapters().get(lead[1])
    if row is None:
        return lead[0]
    gives = re.sub(r"\$(.+?)\$", r"<i>\1</i>", html.escape(row["gives"], quote=False))
    return f'{lead[0]}\n<p class="prev-next-gives">{gives}</p>'


def mend(page: str, name: str, base: str) -> str:
    """A page as it is served."""
    page = re.sub(r'<script src="[^"]*fontawesome\.js[^"]*"></script>', "", page)
    page = GLYPH.sub(_drawn, page)
    # A corner that heads nothing is no heading, and a button is called what it says.
    page = re.sub(r"<th[^>]*>\s*</th>", "<td></td>", page)
    page = page.replace('title="Search" aria-label="Search" data-bs', 'title="Search" data-bs')
    # The role of a single reference was withdrawn; it is an item of its list.
    page = page.replace(' role="doc-biblioentry"', ' role="listitem"')
    # Exercises carry the same two ids, which nothing refers to.
    page = re.sub(r' id="(exercise|solution)-content"', "", page)
    page = page.replace(LOGO, f'{LOGO[:-1]} role="region" aria-label="Title">', 1)
    page = LEAD.sub(_meant, page)
    page = re.sub(r"<title>\d+\. ", "<title>", page)
    page = page.replace("</head>", preview(page, name, base) + "</head>", 1)
    if FINDING.search(page):
        long = minutes(page)
        said = f'<p class="reading-time">{long} minute{"s" * (long > 1)} to read</p>'
        page = page.replace('</h1>\n<div class="finding', f'</h1>\n{said}\n<div class="finding', 1)
    return together(page)


def download(stored: Path, written: Path, address: str) -> None:
    """The stored notebook, opened by a cell that says what it needs where that is missing."""
    notebook = nbformat.read(stored, as_version=4)
    needed = NEEDED.replace("ADDRESS", address)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(needed, id="needed"))
    nbformat.write(notebook, written)


def finish(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    style = site / "_static/styles/pydata-sphinx-theme.css"
    style.write_text(assets.slim(style.read_text()))
    if (picture := ROOT / ".github/site.png").exists():
        shutil.copy(picture, site / "_static/preview.png")
    listed = []
    for name in sorted(app.env.found_docs):
        path = site / f"{name}.html"
        page = mend(path.read_text(), name, app.config.html_baseurl)
        path.write_text(page)
        path.with_suffix(".txt").write_text(Words(article(page)).text + "\n")
        if (stored := ROOT / f"{name}.ipynb").exists():
            address = app.config.html_theme_options["repository_url"]
            download(stored, site / "_sources" / f"{name}.ipynb", address)
        title = app.env.titles[name].astext()
        listed.append(f"- [{title}]({name}.txt): {finding(page)}")
    for extra in ("genindex", "search", "py-modindex"):
        if (path := site / f"{extra}.html").exists():
            path.write_text(mend(path.read_text(), extra, app.config.html_baseurl))
    head = f"# {app.config.project}\n\n> {finding((site / 'chapters/index.html').read_text())}\n\n"
    (site / "llms.txt").write_text(head + "## Pages\n\n" + "\n".join(listed) + "\n")


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("build-finished", finish)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
