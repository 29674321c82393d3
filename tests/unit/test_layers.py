"""Imports inside the package point one way, and the core needs neither altair nor the network."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "scalinglib"
# A module may import those of the layers above it in this list, never those beside or below it.
LAYERS = [
    {"errors"},
    {"compute"},
    {"laws"},
    {"kaplan", "architecture", "precision"},
    {"optimum", "published", "_newton"},
    {"_problems", "_validate", "_doubts", "_minima", "curves"},
    {"_models"},
    {"_search"},
    {"_smooth", "_forms", "_fit"},
    {"fitting", "special_fits", "quasi_newton", "isoflop", "profiles"},
    {"uncertainty", "accounting", "allocation", "extrapolation", "quality_law", "multipliers"},
    {"lifetime", "overtraining", "data_limits", "repetition", "data_quality", "pruning"},
    {"multimodal", "learning_curves"},
    {"best_of_n"},
    {"reward", "inference", "serving", "capability", "broken", "components", "stalled"},
    {"comparison", "downstream", "emergence", "success_rates", "tradeoff"},
    {"task_ladder", "error_law"},
    {"datasets"},
    {"display", "charts"},
    {"__init__"},
]
RANK = {module: rank for rank, layer in enumerate(LAYERS) for module in layer}
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py"))
CHARTS = sorted(PACKAGE.glob("charts/*.py"))


def imported(module):
    for node in ast.walk(ast.parse((PACKAGE / f"{module}.py").read_text())):
        if isinstance(node, ast.ImportFrom):
            inside = node.level > 0 or (node.module or "").startswith("scalinglib")
            base = (node.module or "").removeprefix("scalinglib").lstrip(".")
            if inside:
                yield from [base] if base else [name.name for name in node.names]
        elif isinstance(node, ast.Import):
            yield from (
                name.name.split(".", 1)[1]
                for name in node.names
                if name.name.startswith("scalinglib.")
            )


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_one_way(module):
    for other in imported(module):
        assert RANK[other] < RANK[module], f"{module} imports {other}"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in {"display", "charts"}])
def test_only_display_and_charts_know_altair(module):
    source = (PACKAGE / f"{module}.py").read_text()
    assert "altair" not in {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else
                     [one.name for one in node.names])
    }  # fmt: skip


def test_importing_the_package_does_not_import_altair():
    code = "import sys, scalinglib; sys.exit('altair' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
