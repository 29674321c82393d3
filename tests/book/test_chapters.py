"""Every chapter follows the template: finding first, charts, a slider, exercises."""

import re
from pathlib import Path

import pytest
import yaml

from tools import prose, shape

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = [
    ROOT / f"{chapter['file']}.md"
    for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    if part["numbered"]
    for chapter in part["chapters"]
]
each = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


@each
def test_it_opens_with_its_finding(path):
    body = path.read_text().split("\n---\n", 1)[1]
    title, finding = [part for part in body.split("\n\n") if part.strip()][:2]
    assert title.strip().startswith("# ")
    assert finding.startswith(":::{div} finding")


@each
def test_it_has_charts_a_slider_and_exercises(path):
    text = path.read_text()
    assert len(re.findall(r":    caption:", text)) >= 3
    # The stored summary of a chart names its sliders.
    assert '"slider ' in path.with_suffix(".ipynb").read_text()
    exercises = re.findall(r"```\{exercise\}\n:label: ([\w-]+)", text)
    assert len(exercises) >= 2
    for label in exercises:
        solution = text.split(f"```{{solution-start}} {label}\n:class: dropdown")[1]
        assert "{code-cell}" in solution.split("```{solution-end}")[0]


@each
def test_it_compares_with_what_was_published(path):
    assert "display.comparison(" in path.read_text()


@pytest.mark.parametrize("name", prose.PAGES)
def test_prose_leads_in_short_sentences(name):
    assert shape.unreadable(name) == []


@each
def test_numbers_reach_the_prose_through_glue(path):
    assert len(re.findall(r"\{glue:text\}", path.read_text())) >= 20


def wide_lines(path):
    """Lines of open code that the column of a desktop, 87 characters, does not show whole."""
    cells = re.findall(r"^```\{code-cell\}.*?\n(.*?)^```$", path.read_text(), re.M | re.S)
    shown = [cell for cell in cells if not re.search(r"^:tags:.*(hide-input|remove-)", cell, re.M)]
    lines = [line for cell in shown for line in cell.splitlines() if not line.startswith(":")]
    return [line for line in lines if len(line) > 87]


@each
def test_open_code_fits_the_column(path):
    assert wide_lines(path) == []
