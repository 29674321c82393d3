"""What a page says in its own words, sentence by sentence, and the cells that stand behind it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import textstat

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "chapters" / "_ext"))
import settled  # noqa: E402

PAGES = sorted(path.stem for path in (ROOT / "chapters").glob("*.md") if path.stem != "references")
_CELL = re.compile(r"```\{code-cell\}.*?\n```", re.S)
_FENCE = re.compile(r"^(`{3,}|:{3,})\{.*?^\1\s*$", re.S | re.M)
_DOUBT = ("How sure are we?", "What this does not show")


@dataclass(frozen=True, slots=True)
class Page:
    """The source of a page."""

    name: str
    text: str

    @property
    def cells(self) -> list[str]:
        """Every code cell, options and code."""
        return _CELL.findall(self.text)

    @property
    def flat(self) -> str:
        """The page without its code, captions kept, white space collapsed."""
        captions = " ".join(self.captions)
        return _collapse(_CELL.sub("", self.text) + " " + captions)

    @property
    def glued(self) -> dict[str, str]:
        """Names and texts that the stored run of the page hands to its prose."""
        return dict(settled.stored(self.name))

    @property
    def visible(self) -> list[list[str]]:
        """Lines of code of every cell that a reader sees without unfolding it."""
        bodies = [cell.splitlines()[1:-1] for cell in self.cells]
        return [
            [one for one in body if one.strip() and not one.startswith((":", "#"))]
            for body in bodies
            if not re.search(r"hide-input|remove-", " ".join(x for x in body if x[:1] == ":"))
        ]

    @property
    def sentences(self) -> list[str]:
        """Every sentence of the page: prose, boxes and captions."""
        body = _CELL.sub("\n\n", self.text.split("\n---\n", 1)[-1])
        body = re.sub(r"^(?:`{3,}|:{3,}|:[\w-]+:).*$", "\n", body, flags=re.M)
        return [one for part in (body, *self.captions) for one in sentences(part)]

    @property
    def captions(self) -> list[str]:
        """Captions of the page's charts."""
        return [
            found.group(1).strip().strip('"')
            for found in re.finditer(r"^:    caption: (.*)$", self.text, re.M)
        ]

    def section(self, title: str) -> str:
        """What stands under a heading of the second level; empty where there is none."""
        found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", self.text, re.S | re.M)
        return found.group(1) if found else ""

    def places(self) -> dict[str, list[str]]:
        """Sentences of the finding, the captions, the doubts and the summary."""
        finding = re.search(r"^:::\{div\} finding\n(.*?)\n:::", self.text, re.S | re.M)
        return {
            "finding": sentences(finding.group(1)) if finding else [],
            "caption": [one for caption in self.captions for one in sentences(caption)],
            "doubt": [one for title in _DOUBT for one in sentences(self.section(title))],
            "summary": sentences(self.section("Summary")),
        }


def read(name: str) -> Page:
    """A page by its stem."""
    return Page(name, (ROOT / "chapters" / f"{name}.md").read_text())


def sentences(source: str) -> list[str]:
    """Sentences of a piece of a page; code, directives, tables and headings are left out."""
    source = _FENCE.sub("", _CELL.sub("", source))
    lines = [line for line in source.splitlines() if not line.startswith(("#", "|", "("))]
    blocks = re.split(r"\n\s*\n|\n(?=- |\d+\. )", "\n".join(lines))
    return [
        one
        for block in blocks
        for one in re.split(r"(?<=[.?!:])\s+(?=[A-Z*{$\"(\[`])", _collapse(block))
        if one
    ]


def words(sentence: str) -> list[str]:
    """Words of a sentence; a formula, a role or a piece of code is one, an address none."""
    linked = re.sub(r"\]\([^)]*\)", "]", sentence)
    kept = re.sub(r"\{[\w:]+\}`[^`<]*`|`[^`]*`|\$[^$]*\$", "x", linked)
    return [one for one in kept.split() if re.search(r"\w", one)]


@dataclass(frozen=True, slots=True)
class Figures:
    """How a page reads: words, words a line of visible code, longest sentence, school grade."""

    words: int
    per_line: float
    longest: int
    grade: float


def figures(page: Page) -> Figures:
    """Measure a page; its grade is the automated readability index."""
    counts = [words(one) for one in page.sentences]
    total = sum(map(len, counts))
    text = " ".join(f"{' '.join(one)}." for one in counts if len(one) > 2)
    return Figures(
        words=total,
        per_line=total / max(1, sum(map(len, page.visible))),
        longest=max(map(len, counts), default=0),
        grade=textstat.automated_readability_index(text) if text else 0.0,
    )


def typed(sentence: str) -> str:
    """A sentence without its roles, formulas, code and addresses of links."""
    without = re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`|\$[^$]*\$", " ", sentence)
    return re.sub(r"\]\([^)]*\)", "]", without)


def _collapse(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
