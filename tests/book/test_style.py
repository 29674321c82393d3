"""Rules of the house that a linter does not know."""

import inspect
import re
from pathlib import Path

import pytest

import scalinglib as sl

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for pattern in ("scalinglib/**/*.py", "tools/**/*.py", "benchmarks/**/*.py", "chapters/*.md",
                    "chapters/**/*.py", "tests/**/*.py")
    for path in sorted(ROOT.glob(pattern))
]  # fmt: skip
SORT = re.compile(r"(sort_values|argsort|np\.sort)\(")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sort_is_stable(path):
    # Default sorting orders ties by what the CPU can do, and the runs have many ties.
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if SORT.search(line) and "re.compile" not in line:
            assert 'kind="stable"' in line, f"{path.name}:{number}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_global_random_state(path):
    text = path.read_text()
    used = set(re.findall(r"np\.random\.(\w+)\(", text)) - {"default_rng", "RandomState"}
    assert used == set()


@pytest.mark.parametrize("name", sl.__all__)
def test_every_public_name_is_documented_with_an_example(name):
    value = getattr(sl, name)
    if inspect.ismodule(value):
        assert value.__doc__
    elif callable(value):
        doc = inspect.getdoc(value) or ""
        assert ">>>" in doc, f"{name} has no example"
        if inspect.isfunction(value):
            assert "Returns\n-------" in doc
            assert "Parameters\n----------" in doc or not inspect.signature(value).parameters


def test_the_public_list_is_complete():
    assert len(set(sl.__all__)) == len(sl.__all__)
    for name in sl.__all__:
        assert hasattr(sl, name)


def test_every_requirement_is_locked_with_hashes():
    names = re.findall(r"^([A-Za-z0-9-]+)", (ROOT / "requirements.in").read_text(), re.M)
    lock = (ROOT / "requirements.txt").read_text()
    locked = dict(re.findall(r"^([A-Za-z0-9_.-]+)==\S+[^\n]*\\\n\s+(--hash=sha256:)", lock, re.M))
    assert [name for name in names if name.lower() not in locked] == []
    assert "http" not in lock
