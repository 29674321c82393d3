"""Front-end scripts, taken at build time out of locked packages and checked by digest."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.metadata import files
from pathlib import Path

import pydata_sphinx_theme
import vl_convert

MATHJAX = "sphinx-mathjax-offline/static/mathjax/"
# The parts that TeX in a page needs; the ready-made bundle adds a menu and weighs twice as much.
MATHJAX_PARTS = (
    "startup.js", "core.js", "input/tex.js", "output/chtml.js", "output/chtml/fonts/tex.js",
    "a11y/assistive-mml.js",
)  # fmt: skip
THEME = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
VEGA_LITE = "6.4"

# Recorded from the locked versions; a new version of a package must be looked at, then recorded.
DIGESTS = {
    "vega.js": "b1fc6764221da966bf07c2114f481b725c54d9041aaf5b034268ec5a25a69f2f",
    "mathjax/": "187ba8640ff95eb6daa5a49c4bee3c984df2f4317c3c2aa130ec0f81417c7677",
}


class AssetError(RuntimeError):
    """A front-end file is missing or is not the one that was recorded."""


def _vega() -> bytes:
    """Vega, Vega-Lite and Vega-Embed as one classic script."""
    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE)
    # Wrapped, because the bundle's many short top-level names would be global in a classic script.
    return b"(()=>{" + bundle.encode() + b"\n})();\n"


def _mathjax() -> dict[str, bytes]:
    """MathJax with TeX input and its fonts, by path below ``vendor``."""
    found = {}
    for item in files("sphinx-mathjax-offline") or []:
        name = item.as_posix().removeprefix(MATHJAX)
        if name in MATHJAX_PARTS or name.endswith(".woff"):
            found[f"mathjax/{name}"] = Path(str(item.locate())).read_bytes()
    return found


@cache
def icon(name: str) -> str:
    """An icon of the theme as inline SVG, out of the script that would draw all 2,000 of them."""
    script = _icons()
    # An alias stands in the list of another icon's names.
    found = re.search(rf'[,{{]"?{name}"?:\[(\d+),(\d+),\[[^\]]*\],"\w+","([^"]+)"', script) or (
        re.search(rf':\[(\d+),(\d+),\[[^\]]*"{name}"[^\]]*\],"\w+","([^"]+)"', script)
    )
    if not found:
        raise AssetError(f"The theme has no icon {name}. Look at its templates for another name.")
    width, height, path = found.groups()
    return (
        f'<svg class="svg-inline--fa fa-{name}" aria-hidden="true" viewBox="0 0 {width} {height}">'
        f'<path fill="currentColor" d="{path}"/></svg>'
    )


@cache
def _icons() -> str:
    return (THEME / "scripts/fontawesome.js").read_text()


def slim(css: str) -> str:
    """The theme's style without the rule of each glyph and the fonts that held them."""
    css = re.sub(r"(?<=})(?:\.fa-[a-z0-9-]+(?::?:before)?,?)+\{[^{}]*\}", "", css)
    return re.sub(r"@font-face\{[^{}]*Font Awesome[^{}]*\}", "", css)


def _digest(parts: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(parts):
        digest.update(name.encode() + b"\0" + hashlib.sha256(parts[name]).digest())
    return digest.hexdigest()


def collect() -> dict[str, bytes]:
    """All files by path, or `AssetError` when one is not what was recorded."""
    found = {"vega.js": _vega(), **_mathjax()}
    for prefix, wanted in DIGESTS.items():
        got = _digest({name: data for name, data in found.items() if name.startswith(prefix)})
        if got != wanted:
            raise AssetError(
                f"{prefix} has digest {got}, recorded is {wanted}. If its package was updated on "
                f"purpose, look at the pages in a browser and record the new digest in {__name__}."
            )
    return found


def write(folder: Path) -> None:
    """Write the files below `folder`, leaving those that are already right."""
    for name, data in collect().items():
        path = folder / name
        if not path.exists() or path.read_bytes() != data:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
