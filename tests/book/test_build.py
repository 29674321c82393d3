"""Builds that must fail do, however often they are tried; stale numbers cannot stay."""

import shutil
import subprocess
import sys
from pathlib import Path

import book
import nbformat
import pytest

from tools import notebooks

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "chapters" / "index.md").read_text().split("\n---\n")[0] + "\n---\n"


def build(folder):
    command = next(
        line.split(")/", 1)[1].split()
        for line in (ROOT / "Makefile").read_text().splitlines()
        if "jupyter-book build" in line and "linkcheck" not in line
    )
    program = Path(sys.executable).with_name(command[0])
    return subprocess.run(
        [program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_failing_cell_fails_every_build(tmp_path):
    for name in ("_config.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "chapters" / "_ext", tmp_path / "chapters" / "_ext")
    shutil.copytree(ROOT / "chapters" / "_static", tmp_path / "chapters" / "_static")
    shutil.copy(ROOT / "chapters" / "references.bib", tmp_path / "chapters")
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    cell = '\n# One page\n\n## Section\n\n```{code-cell} ipython3\nprint("right")\n```\n'
    page = tmp_path / "chapters" / "index.md"
    page.write_text(HEADER + cell)
    right = build(tmp_path)
    assert right.returncode == 0, right.stdout[-2000:] + right.stderr[-2000:]
    page.write_text(HEADER + cell.replace('print("right")', "1 / 0"))
    for _ in range(2):
        wrong = build(tmp_path)
        assert wrong.returncode != 0
        assert "Executing notebook failed" in wrong.stderr


INPUTS = (
    "scalinglib/laws/power.py", "chapters/figures/kaplan.py", "chapters/_ext/book.py",
    "benchmarks/coverage.py", "tools/notebooks.py", "data/runs.csv", "requirements.txt",
    "experiments/plan.py",
)  # fmt: skip


@pytest.mark.parametrize("changed", INPUTS)
def test_every_input_of_a_number_is_in_the_digest(tmp_path, changed):
    for name in INPUTS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    before = book.inputs_digest(tmp_path)
    assert before == book.inputs_digest(tmp_path)
    (tmp_path / changed).write_text("as it is")
    assert book.inputs_digest(tmp_path) != before


def test_a_changed_digit_in_a_stored_output_is_noticed(tmp_path):
    notebook = nbformat.read(ROOT / "chapters" / "index.ipynb", as_version=4)
    cell = next(
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and any("data" in output for output in cell.outputs)
    )
    data = next(output for output in cell.outputs if "data" in output)["data"]
    key, text = next(iter(data.items()))
    digit = next(character for character in text if character.isdigit())
    data[key] = text.replace(digit, str((int(digit) + 1) % 10), 1)
    path = tmp_path / "index.ipynb"
    nbformat.write(notebook, path)
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--nbval",
         "--nbval-current-env", "-c", "/dev/null", path],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={**__import__("os").environ, "SCALINGLIB_DISPLAY": "text"},
    )  # fmt: skip
    assert run.returncode == 1
    assert "mismatch" in run.stdout
    assert notebooks.problems(ROOT / "chapters" / "index.md") == []
