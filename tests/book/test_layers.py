"""Imports point one way, every file has a room, and the core needs neither altair nor the net."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import scalinglib as sl
from tools import shape

ROOT = Path(__file__).resolve().parents[2]
# A room may import those to its left, and of its own only files, never a file that imports it.
ORDER = [
    {"errors"},
    {"checks"},
    {"compute"},
    {"architecture", "datasets", "runs"},
    {"fit"},
    {"laws"},
    {"isoflop"},
    {"optimum"},
    {"comparison", "misfit"},
    {"published"},
    {"catalogue"},
    {"topics"},
    {"charts"},
    {"display"},
    {"report"},
    {"__main__"},
    {"chapters"},
]
RANK = {room: rank for rank, rooms in enumerate(ORDER) for room in rooms}
ALTAIR = {"charts", "display", "report", "chapters"}
PACKAGE = sorted(ROOT.glob("scalinglib/**/*.py"))
PAGES = sorted(ROOT.glob("chapters/figures/*.py")) + sorted(ROOT.glob("chapters/audit/*.py"))
FILES = [path for path in PACKAGE + PAGES if path != ROOT / "scalinglib" / "__init__.py"]
each = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))


def stems():
    """The slugs of all pages, as module names."""
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text())
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return {Path(file).name.replace("-", "_") for file in (contents["root"], *files)}


def claimed():
    """The chapters that settle claims, as module names, written or not."""
    return {chapter.replace("-", "_") for chapter in sl.load("claims").chapter}


def dotted(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path):
    """Full names of the modules of this project that a file imports."""
    package = dotted(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            for name in node.names:
                full = f"{base}.{name.name}"
                yield (
                    full
                    if (ROOT / full.replace(".", "/")).with_suffix(".py").exists()
                    or (ROOT / full.replace(".", "/")).is_dir()
                    else base
                )
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def room(module):
    parts = module.split(".")
    return parts[1] if parts[0] == "scalinglib" and len(parts) > 1 else parts[0]


@each
def test_imports_point_one_way(path):
    mine = room(dotted(path))
    for module in imported(path):
        if module.split(".")[0] not in {"scalinglib", "chapters"}:
            continue
        theirs = room(module)
        if (mine, theirs) == ("chapters", "scalinglib"):
            continue  # a page uses the package as its readers do
        assert theirs in RANK, f"{dotted(path)} imports {module}"
        assert RANK[theirs] < RANK[mine] or theirs == mine, f"{dotted(path)} imports {module}"


def test_no_two_files_import_each_other():
    graph = {dotted(path): set(imported(path)) for path in FILES}
    state = {}

    def visit(name, trail):
        assert state.get(name) != "open", " -> ".join([*trail, name])
        if name in state or name not in graph:
            return
        state[name] = "open"
        for other in sorted(graph[name]):
            # The list of a room names its files, so a file names its neighbours, not the list.
            if other != name:
                visit(other, [*trail, name])
        state[name] = "done"

    for name in graph:
        visit(name, [])


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("scalinglib/topics/**/*.py")), ids=lambda path: path.stem
)
def test_no_topic_imports_a_topic(path):
    mine = dotted(path).split(".")[2:3]
    theirs = [name.split(".")[2:3] for name in imported(path) if ".topics." in name]
    assert [one for one in theirs if one != mine] == []


@each
def test_only_what_draws_knows_altair(path):
    used = {module.split(".")[0] for module in imported(path)}
    assert "altair" not in used or room(dotted(path)) in ALTAIR


@each
def test_every_file_belongs_to_a_stem_or_to_a_room(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[:2] == ("chapters", "audit"):
        assert parts[2] in claimed() | {"__init__"}, f"{path.name} settles no claim of the ledger"
    elif parts[0] == "chapters" or parts[1] == "topics":
        assert parts[2] in stems() | {"__init__"}, f"{path.name} is not the stem of a page"
    else:
        assert parts[1] in RANK, f"{parts[1]} is not a room of the package"


@pytest.mark.parametrize("folder", ["topics", "published", "figures"])
def test_tests_carry_the_stem_of_their_page(folder):
    kept = stems() | {"table", "isoflop"}
    for path in sorted((ROOT / "tests" / folder).glob("test_*.py")):
        assert path.stem.removeprefix("test_") in kept, path.name


def test_importing_the_package_does_not_import_altair():
    code = "import sys, scalinglib; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_house_keeps_its_limits():
    assert shape.problems() == []
