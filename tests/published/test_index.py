"""The front page: what the first figure and its bullets may say."""

from pathlib import Path

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.optimum import reducible_exponent

TEXT = (Path(__file__).resolve().parents[2] / "chapters" / "index.md").read_text()
RUNS = sl.load("chinchilla_runs")


@pytest.fixture(scope="module")
def fit():
    return sl.fit_chinchilla(RUNS[~RUNS.excluded])


def test_the_four_sets_do_not_agree_where_there_are_runs(fit):
    sets = (fit.law, published.EPOCH_2024, published.HOFFMANN_2022, published.HOFFMANN_2022_ROUNDED)
    budgets = np.geomspace(RUNS.flops.min(), RUNS.flops.max(), 50)
    asked = np.array([sl.compute_optimal(law, budgets).tokens_per_param for law in sets])
    assert asked[:, -1].round().tolist() == [20, 20, 42, 64]
    assert (asked.max(axis=0) / asked.min(axis=0)).min() > 1.3
    assert np.abs(asked[0] / asked[1] - 1).max() < 0.03


def test_the_exponent_in_compute_is_not_that_in_parameters(fit):
    assert reducible_exponent(fit.law) < 0.6 * min(fit.law.alpha, fit.law.beta)


def test_nothing_is_promised():
    assert "when they are finished" not in TEXT
