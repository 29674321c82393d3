"""The reference shows every public name once, and every public name has an example that runs."""

import inspect
import re
from pathlib import Path

import pytest

import scalinglib as sl

PAGE = (Path(__file__).resolve().parents[2] / "chapters" / "api.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\.\. auto\w+:: scalinglib\.(\w+)$", PAGE, flags=re.M)


def test_it_shows_every_public_name_once():
    assert sorted(SHOWN) == sorted(sl.__all__)


@pytest.mark.parametrize("name", [name for name in SHOWN if inspect.isfunction(getattr(sl, name))])
def test_a_public_function_shows_an_example(name):
    assert ">>> " in inspect.getdoc(getattr(sl, name))
