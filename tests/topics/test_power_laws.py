"""Back-tests one step at a time: rows by hand, and a sentence per bad input."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.topics.power_laws import rolling_backtest
from tests.examples import few


class TestRolling:
    def test_rows_and_order(self):
        x = np.array([8.0, 1.0, 2.0, 16.0, 4.0])
        errors = rolling_backtest(x, 16 / x, least=3)
        assert errors.points.tolist() == [3, 3, 4]
        assert errors.reach.tolist() == [2, 4, 2]
        assert errors["last"].tolist() == [4, 4, 8]
        assert errors.error.to_numpy() == pytest.approx(0, abs=1e-12)
        assert errors.alpha.to_numpy() == pytest.approx(1)

    def test_later_points_are_not_seen(self):
        x = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
        one = rolling_backtest(x, 16 / x, least=3)
        other = rolling_backtest(x, np.append(16 / x[:-1], 7.0), least=3)
        assert one.predicted.tolist() == other.predicted.tolist()


FALLING = [5, 4, 3, 2, 1]
rolling = partial(rolling_backtest, [1, 2, 3, 4, 5], FALLING)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rolling_backtest([1, 2, 2, 3, 4], FALLING), "x has ties"),
        (lambda: rolling(least=1), "between 2 and 4 points, got 1"),
        (lambda: rolling(least=5), "between 2 and 4 points, got 5"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


@few
@given(alpha=st.floats(0.03, 0.8), height=st.floats(0.5, 50.0), n=st.integers(4, 6))
def test_a_true_power_law_is_forecast_exactly(alpha, height, n):
    x = np.geomspace(1e18, 1e22, n)
    errors = rolling_backtest(x, height * (x / 1e18) ** -alpha, least=3)
    assert len(errors) == (n - 3) * (n - 2) // 2
    assert errors.error.to_numpy() == pytest.approx(0, abs=1e-8)
