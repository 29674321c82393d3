"""The stored notebooks are the chapters, run from top to bottom, with rounded, stable text."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

import scalinglib as sl
from scalinglib import display
from tools import notebooks

ROOT = Path(__file__).resolve().parents[2]
SOURCES = notebooks.sources()
each_chapter = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


def outputs(source):
    notebook = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    return [
        (cell, output)
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]


def text(output):
    if output.output_type == "stream":
        return output.text
    return "\n".join(str(value) for value in output.get("data", {}).values())


def test_there_are_chapters():
    assert len(SOURCES) >= 2


@each_chapter
def test_notebook_is_its_source_run_in_order(source):
    assert notebooks.problems(source) == []


@each_chapter
def test_chapter_is_in_the_contents(source):
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    listed = [contents["root"]] + [
        chapter["file"] for part in contents["parts"] for chapter in part["chapters"]
    ]
    assert f"chapters/{source.stem}" in listed


@each_chapter
def test_no_cell_warns_or_fails(source):
    for cell, output in outputs(source):
        assert output.output_type != "error" or "raises-exception" in cell.metadata.get("tags", [])
        assert output.get("name") != "stderr", f"cell {cell.id} writes to stderr"


@each_chapter
def test_only_text_is_stored(source):
    allowed = {"text/plain", "application/papermill.record/text/plain", display.RECORDS}
    for cell, output in outputs(source):
        assert set(output.get("data", {})) <= allowed, f"cell {cell.id}"


@each_chapter
def test_numbers_are_rounded(source):
    quoted = set(sl.load("published").value)
    quoted |= {part for text in sl.load("laws").constants for part in re.split(r"[ =]", text)}
    for cell, output in outputs(source):
        for number in re.findall(r"\d+(?:\.\d+)?", text(output)):
            whole = number if "." in number else number.rstrip("0")
            digits = whole.replace(".", "").lstrip("0")
            # A published number may carry more digits; it is a quotation.
            assert len(digits) <= 5 or number in quoted, f"cell {cell.id}: {number}"


@each_chapter
def test_nothing_volatile_is_stored(source):
    for cell, output in outputs(source):
        found = re.findall(r"0x[0-9a-f]{6,}|/(?:tmp|home|root|work|Users)/", text(output))
        assert found == [], f"cell {cell.id}"


class TestProblems:
    """The check itself notices what it must, on a copy of a real chapter."""

    @pytest.fixture
    def chapter(self, tmp_path):
        for source in (notebooks.CHAPTERS / "index.md", notebooks.CHAPTERS / "index.ipynb"):
            (tmp_path / source.name).write_text(source.read_text())
        (tmp_path / "jupytext.toml").write_text((notebooks.CHAPTERS / "jupytext.toml").read_text())
        return tmp_path / "index.md"

    def edit(self, chapter, change):
        path = chapter.with_suffix(".ipynb")
        notebook = nbformat.read(path, as_version=4)
        change([cell for cell in notebook.cells if cell.cell_type == "code"])
        nbformat.write(notebook, path)

    def test_a_copy_is_right(self, chapter):
        assert notebooks.problems(chapter) == []

    def test_stripped_outputs(self, chapter):
        def strip(cells):
            for cell in cells:
                cell.outputs, cell.execution_count = [], None

        self.edit(chapter, strip)
        assert "not run from top to bottom" in notebooks.problems(chapter)[0]

    def test_cell_run_out_of_order(self, chapter):
        def swap(cells):
            cells[0].execution_count = 7

        self.edit(chapter, swap)
        assert "not run from top to bottom" in notebooks.problems(chapter)[0]

    def test_edited_source(self, chapter):
        chapter.write_text(chapter.read_text() + "\nOne more sentence.\n")
        assert "differ" in notebooks.problems(chapter)[0]

    def test_changed_tag(self, chapter):
        def tag(cells):
            cells[0].metadata["tags"] = ["nbval-skip"]

        self.edit(chapter, tag)
        assert "differ" in notebooks.problems(chapter)[0]

    def test_missing_notebook(self, chapter):
        chapter.with_suffix(".ipynb").unlink()
        assert "missing" in notebooks.problems(chapter)[0]
