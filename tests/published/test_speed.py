"""Speed: what the page says that a search promises."""

import numpy as np
import pytest

import scalinglib as sl
from benchmarks import competitors
from benchmarks.__main__ import batched_starts
from scalinglib.fit.search import projected_starts


@pytest.fixture(scope="module")
def fit():
    runs = sl.load("chinchilla_runs")
    return sl.fit_chinchilla(runs[~runs.excluded])


def test_the_best_start_is_stationary_and_not_the_only_one(fit):
    assert fit.gradient < 1e-9 < fit.objective
    assert 0.4 < fit.agreement < 1
    assert 2 * projected_starts(fit.model.problem).shape[1] == 200


@pytest.mark.parametrize("count", [150, pytest.param(4500, marks=pytest.mark.slow)])
def test_no_start_of_the_published_grid_ends_lower(fit, count):
    chosen = np.random.default_rng(0).permutation(len(competitors.STARTS))[:count]
    ends = batched_starts(fit, competitors.STARTS[chosen])
    assert ends.min() > fit.objective * (1 - 1e-9)
    assert np.mean(ends < fit.objective * (1 + 1e-9)) > 0.9
