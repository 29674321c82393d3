"""What `make dist` builds passes the index and works alone, with its tables."""

import os
import subprocess
import sys
import tarfile
import venv
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import scalinglib as sl
from scalinglib.report.command import EXAMPLE

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import importlib.util, pathlib, scalinglib as sl
assert importlib.util.find_spec("altair") is None
assert pathlib.Path(sl.__file__).is_relative_to(pathlib.Path(__import__("sys").prefix))
runs = sl.load("chinchilla_runs")
fit = sl.fit_chinchilla(runs[~runs.excluded])
print(len(runs), f"{fit.law.alpha:.4f}")
"""


def call(*command, **options):
    # How charts leave a cell of the book is no business of an empty environment.
    here = {name: value for name, value in os.environ.items() if name != "SCALINGLIB_DISPLAY"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=here, **options)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(built, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    venv.create(folder / "empty", with_pip=False, symlinks=True)
    python = folder / "empty" / "bin" / "python"
    locked = folder / "constraints.txt"
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    locked.write_text("\n".join(line.rstrip(" \\") for line in lines if line[:1].isalnum()))
    call(*pip, "--python", python, "install", "--no-compile", "-c", locked, built[1])
    return python


def test_tables_and_fits_work_outside_the_checkout(python, tmp_path):
    assert call(python, "-I", "-c", PROGRAM, cwd=tmp_path).stdout.split() == ["245", "0.3473"]


def test_the_index_takes_both(built):
    call(sys.executable, "-m", "twine", "check", "--strict", *built)
    with tarfile.open(built[0]) as sdist:
        names = {Path(*Path(name).parts[1:]).as_posix() for name in sdist.getnames()}
    assert {"README.md", "LICENSE", "CITATION.cff", "data/published.csv"} <= names
    with ZipFile(built[1]) as wheel:
        assert {"scalinglib/py.typed", "scalinglib/report/page.css"} <= set(wheel.namelist())
        told = wheel.read(f"scalinglib-{sl.__version__}.dist-info/METADATA").decode()
    text = Parser().parsestr(told).get_payload()
    assert "](https://" in text
    assert "](." not in text


def test_the_version_stands_once():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["version"] == sl.__version__
    assert sl.__version__ not in (ROOT / "pyproject.toml").read_text()


def test_the_report_needs_nothing_but_the_wheel(python, tmp_path):
    call(python, "-I", "-m", "scalinglib", "report", "--resamples", "100", cwd=tmp_path)
    page = (tmp_path / f"{EXAMPLE}.report.html").read_text(encoding="utf-8")
    fit = sl.fit_chinchilla(sl.runs(sl.load(EXAMPLE)))
    assert f"{fit.law.alpha:.4g}" in page
    assert "<svg" not in page
    assert "pip install &#x27;scalinglib[report]&#x27;" in page
