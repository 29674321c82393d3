"""Charts of the Epoch refit: what they hold, and what they tell readers who cannot see them."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import epoch_refit as figures
from scalinglib import published


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


@pytest.fixture
def walks():
    grid = pd.DataFrame(
        [(a, b, 1 + a + b) for a in (0.2, 0.3) for b in (0.3, 0.4)],
        columns=["alpha", "beta", "objective"],
    )
    steps = pd.DataFrame(
        {"step": [0, 1], "alpha": [0.2, 0.3], "beta": [0.3, 0.4], "objective": [9.0, 1.0]}
    )
    laws = {"Hoffmann, TeX": published.HOFFMANN_2022}
    return figures.walks(grid, {"mean": steps, "sum": steps}, laws).to_dict()


def test_walks_say_where_each_path_stops(walks):
    assert (
        "sum stops after about 1 iterations at alpha 0.30, beta 0.40, 1 times"
        in walks["description"]
    )
    assert {row["band"] for row in rows(walks) if "band" in row} == {"1.6", "2"}


def test_leftovers_are_stacked_and_kept_inside_their_panels():
    points = pd.DataFrame(
        {"quantity": ["N", "N", "C", "C"], "x": [0.1, 1, 0.1, 1], "residual": [0.0, 9, -1, -9]}
    )
    spec = figures.leftovers(points, points).to_dict()
    places = [row["place"] for row in rows(spec) if "residual" in row]
    assert np.ptp(places) < 4 * figures.REACH
    assert "2 runs against N, C" in spec["description"]
