"""What a notebook shows of a report: its sentences, and the page as a link that saves it."""

from __future__ import annotations

import base64
import re
import textwrap
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from scalinglib import display


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences, a paragraph each: wrapped as text, flowing on a page."""

    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(textwrap.fill(one, 76) for one in self.sentences)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        body = "".join(f"<p>{escape(one)}</p>" for one in self.sentences)
        return _bundle(repr(self), f'<div class="said">{body}</div>')


def tell(*sentences: str) -> None:
    """Show sentences in a notebook."""
    from IPython.display import display as show

    show(Said(sentences))  # type: ignore[no-untyped-call]


def _bundle(plain: str, page: str) -> dict[str, str]:
    return {"text/plain": plain} | ({} if display.MODE == "text" else {"text/html": page})


@dataclass(frozen=True, slots=True)
class Saved:
    """A written report, by the name of its file and its text."""

    name: str
    text: str

    @classmethod
    def read(cls, path: str | Path) -> Saved:
        """The report in a file."""
        return cls(Path(path).name, Path(path).read_text(encoding="utf-8"))

    def __repr__(self) -> str:
        # Titles only: the page also holds versions, which differ from machine to machine.
        heads = re.findall(r"<h2>(.*?)</h2>", self.text)
        titles = [unescape(re.sub(r"<[^>]+>", "", one)) for one in heads]
        return "\n".join([self.name, *(f"  {one}" for one in titles)])

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return _bundle(repr(self), self.html())

    def html(self) -> str:
        """A link that saves the file, and the page in a frame."""
        name = escape(self.name, quote=True)
        held = base64.b64encode(self.text.encode()).decode()
        return (
            f'<div class="saved"><p><a download="{name}" href="data:text/html;base64,{held}">'
            f"Save {name}</a></p>"
            f'<details><summary>Look at it here</summary><iframe title="{name}" loading="lazy" '
            'sandbox="" style="width: 100%; height: 36rem" '
            f'srcdoc="{escape(self.text, quote=True)}"></iframe></details></div>'
        )
