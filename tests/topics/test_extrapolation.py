"""Local slopes, other residuals and rounding: values by hand, and a sentence per bad input."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib.topics.extrapolation import (
    fit_power_law_unlogged,
    largest_misses,
    local_exponent,
    refit_within_rounding,
)

LAW = sl.PowerLaw(A=8.0, alpha=1.0, E=1.0)
EPOCH = sl.published.EPOCH_2024
JOINT = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)


class TestSlopes:
    def test_by_hand(self):
        # L = 1 + 8/x: at x = 8 the loss is 2, half of it reducible.
        assert local_exponent(LAW, 8.0) == pytest.approx(0.5)

    @pytest.mark.parametrize("law", [LAW, EPOCH], ids=["power", "frontier"])
    def test_against_differences(self, law):
        def curve(x):
            return law.loss(x) if isinstance(law, sl.PowerLaw) else sl.compute_optimal(law, x).loss

        x, h = 3e20, 1e-5
        slope = (np.log(curve(x * (1 - h))) - np.log(curve(x * (1 + h)))) / (2 * h)
        assert local_exponent(law, x) == pytest.approx(slope, rel=1e-4, abs=1e-12)


class TestUnlogged:
    @pytest.fixture(scope="class")
    @staticmethod
    def noisy():
        x = np.geomspace(1e18, 1e23, 9)
        noise = 0.01 * np.random.default_rng(5).standard_normal(9)
        return x, sl.PowerLaw(A=500.0, alpha=0.13, E=0.7).loss(x) + noise

    @pytest.mark.parametrize("offset", [True, False])
    def test_against_scipy(self, noisy, offset):
        x, y = noisy
        u = np.log(x / 1e20)
        law = fit_power_law_unlogged(x, y, offset=offset)

        def residual(p):
            return (p[2] if offset else 0.0) + np.exp(p[0] - p[1] * u) - y

        found = least_squares(residual, [0.5, 0.1, 0.5][: 2 + offset], xtol=1e-14, ftol=1e-14)
        assert law.alpha == pytest.approx(found.x[1], rel=1e-5)
        assert law.loss(x) == pytest.approx(y + residual(found.x), rel=1e-5)
        assert np.sum((law.loss(x) - y) ** 2) <= 2 * found.cost * (1 + 1e-9)

    def test_the_floor_is_not_negative(self):
        x = np.geomspace(1, 100, 6)
        law = fit_power_law_unlogged(x, 6.0 - np.log(x))
        assert law.E == 0
        assert law == fit_power_law_unlogged(x, 6.0 - np.log(x), offset=False)

    @pytest.mark.parametrize(
        ("x", "y", "error", "words"),
        [
            ([1, 2, 3], [3, 2, 1], sl.FitError, "3 points cannot determine 3 parameters"),
            ([1, 2, 3, 4], [1, 2, 3, 4], sl.FitError, "y does not fall with x"),
            ([1, 2, 3, 4, 5], [9, 1, 1, 1, 1], sl.FitError, "first point and then stays level"),
            ([1, 1, 1, 1], [1, 2, 3, 4], sl.FitError, "x is"),
            ([1, 2, 3, 4], [2, 2, 2, 2], sl.FitError, "y is"),
            ([1, 2, 3, 4], [3, np.nan, 2, 1], sl.DataError, "row 1, y: nan is not a positive"),
        ],
    )
    def test_points_that_cannot_be_fitted(self, x, y, error, words):
        with pytest.raises(error, match=words):
            fit_power_law_unlogged(x, y)


class TestRounding:
    def test_draws_would_have_been_printed_the_same(self):
        x, y = np.array([1.0, 4.0, 16.0, 64.0]), np.array([9.0, 5.0, 3.0, 2.0])
        draws = refit_within_rounding(x, y, x_digits=6, y_digits=6, n=20, seed=3)
        # Six digits leave almost nothing open.
        assert draws.alpha.to_numpy() == pytest.approx(0.5, abs=1e-4)
        assert draws.equals(refit_within_rounding(x, y, x_digits=6, y_digits=6, n=20, seed=3))
        wide = refit_within_rounding(x, y, x_digits=1, y_digits=1, n=20, seed=3)
        assert wide.alpha.std() > 100 * draws.alpha.std()
        assert draws.x_c.to_numpy() == pytest.approx((draws.A ** (1 / draws.alpha)).to_numpy())


def test_each_form_misses_nothing_on_points_of_its_own():
    x = np.geomspace(1.0, 1e3, 7)
    power, logarithm = largest_misses(x, 5 * x**-0.2), largest_misses(x, 9 - np.log(x))
    assert power["power law"] < 1e-12 < 0.01 < power["logarithm"]
    assert logarithm["logarithm"] < 1e-12 < 0.01 < logarithm["power law"]


rounded = partial(refit_within_rounding, [1, 2, 3, 4], [5, 4, 3, 2], x_digits=2, y_digits=2)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: local_exponent(JOINT, 1e20), "KaplanLaw; give a PowerLaw"),
        (lambda: local_exponent(EPOCH, 0.0), "C must be positive, got 0"),
        (lambda: local_exponent(LAW, -1.0), "x must be positive, got -1"),
        (lambda: rounded(x_digits=0), "x_digits must be 1 or more, got 0"),
        (lambda: rounded(y_digits=0), "y_digits must be 1 or more, got 0"),
        (lambda: rounded(n=0), "n must be 1 or more, got 0"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


exponents = st.floats(0.03, 0.8)
scales = st.floats(1e15, 1e27)
floors = st.floats(0.0, 3.0)


@given(x=scales, k=st.floats(1.1, 1e4), A=st.floats(0.1, 1e3), alpha=st.floats(-0.8, 0.8))
def test_equal_ratios_give_equal_ratios(x, k, A, alpha):
    law = sl.PowerLaw(A=A, alpha=alpha)
    assert law.loss(k * x) / law.loss(x) == pytest.approx(k**-alpha, rel=1e-10)
    assert local_exponent(law, x) == pytest.approx(alpha)


@given(x=scales, A=st.floats(10.0, 1e3), alpha=exponents, E=floors)
def test_a_floor_flattens_and_only_flattens(x, A, alpha, E):
    law = sl.PowerLaw(A=A, alpha=alpha, E=E)
    near, far = local_exponent(law, [x, 10 * x])
    assert 0 <= far <= near <= alpha


@given(alpha=st.floats(0.05, 0.8), E=st.floats(0.1, 3.0), height=st.floats(0.5, 5.0))
def test_unlogged_recovers_without_noise(alpha, E, height):
    x = np.geomspace(1e18, 1e23, 8)
    truth = sl.PowerLaw(A=height * 1e18**alpha, alpha=alpha, E=E)
    law = fit_power_law_unlogged(x, truth.loss(x))
    assert (law.alpha, law.E) == pytest.approx((alpha, E), rel=1e-3, abs=2e-3)
    assert law.loss(x) == pytest.approx(truth.loss(x), rel=1e-5)


@given(unit=st.floats(1e-6, 1e6), scale=st.floats(1e-6, 1e6))
def test_unlogged_does_not_know_the_units(unit, scale):
    x = np.array([1.0, 3.0, 10.0, 30.0, 100.0])
    y = np.array([9.0, 6.1, 4.4, 3.4, 2.9])
    one, other = fit_power_law_unlogged(x, y), fit_power_law_unlogged(scale * x, unit * y)
    assert (other.alpha, other.E) == pytest.approx((one.alpha, unit * one.E), rel=1e-4)
