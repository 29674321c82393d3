"""Settings of every test run, whoever starts it."""

import os

import pandas as pd
import pytest
from hypothesis import settings

# Notebooks are compared in text form.
os.environ["SCALINGLIB_DISPLAY"] = "text"

# No example is timed: a busy machine is not a wrong result. Draws are new ones at every run, but in
# continuous integration the same, so that a change is judged by what it changed. `make check` asks
# for the fast profile, with fewer examples.
for name, examples in (("book", 80), ("fast", 16)):
    settings.register_profile(
        name, deadline=None, derandomize="CI" in os.environ, max_examples=examples
    )
settings.load_profile("book")


@pytest.fixture(autouse=True)
def _frames_print_as_usual():
    """A test that imports `scalinglib.display` must not change what another one prints."""
    with pd.option_context("display.float_format", None):
        yield
