"""Metrics and emergence measures refuse what they cannot mean, and say why."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import capability, emergence
from scalinglib.emergence import TokenLine

LINE = TokenLine(start=1e8, base=0.5, gain=0.1, ceiling=0.99, tokens=8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: capability.exact_match(1.2, 8), "p must lie between 0 and 1"),
        (lambda: capability.exact_match(0.5, 0), "tokens must be at least 1"),
        (lambda: capability.edit_distance(np.nan, 8), "p must lie between 0 and 1"),
        (lambda: capability.brier_score(0.5, options=1), "options is 1"),
        (
            lambda: capability.bootstrap_groups(capability.Sigmoid, [1, 2], [0, 1], ["a", "a"]),
            "1 labels",
        ),
        (lambda: emergence.emergence_score([1.0]), "y must be one-dimensional"),
        (lambda: emergence.emergence_score([1.0, np.inf]), "y is inf at position 1"),
        (lambda: emergence.window_share([0, 1], [0, 1], (1, 0)), "window runs from 1 to 0"),
        (lambda: emergence.window_share([0, 0], [0, 1], (0, 1)), "x must increase strictly"),
        (lambda: emergence.window_share([0, 1], [1, 1], (0, 1)), "y ends where it began"),
        (lambda: emergence.window_share([0, 1, 2], [1, 1], (0, 1)), "x has 3 values and y 2"),
        (lambda: emergence.steepest_window([0, 1], [0, 1], width=2), "width is 2"),
        (lambda: emergence.last_crossing([0, 1], [0, 1], level=2), "does not rise through 2"),
        (lambda: emergence.last_crossing([0, 1, 2], [0, 1], level=0.5), "x has 3 values"),
        (lambda: emergence.zero_score_chance([11], [10]), "n_correct is 11 of 10 samples"),
        (lambda: emergence.zero_score_chance([1.5], [10]), "n_correct is 1.5"),
        (lambda: emergence.zero_score_chance([1], [10], draws=11), "draws is 11"),
        (lambda: emergence.chance_of_zero(0.5, 0), "questions must be at least 1"),
        (lambda: emergence.questions_needed(0.0), "strictly between 0 and 1"),
        (lambda: LINE.params_for(0.95), "score is 0.95"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


def test_a_constant_series_has_no_score():
    assert emergence.emergence_score([0.0, 0.0, 0.0]) == 0.0


def test_resamples_are_seeded():
    x = np.tile(np.linspace(0.0, 6.0, 9), 3)
    y = capability.Sigmoid(0.0, 1.0, -2.0, 2.5).value(x) + np.repeat([-0.01, 0.0, 0.02], 9)
    groups = np.repeat(["a", "b", "c"], 9)
    hold = {"low": 0.0, "high": 1.0}
    one, two = (
        capability.bootstrap_groups(capability.Sigmoid, x, y, groups, fixed=hold, n=5, seed=3)
        for _ in range(2)
    )
    assert one.equals(two)
    assert one.shape == (5, 4)
