"""The power law with both ends: its fit, its doubts and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

import scalinglib as sl
from tests.examples import few

X = np.geomspace(1e6, 1e9, 60)
TRUE = sl.ShiftedPowerLaw(A=4e5, alpha=0.75, d=4e7, E=0.3)


def noisy(seed=0):
    return TRUE.loss(X) * np.exp(0.01 * np.random.default_rng(seed).normal(size=len(X)))


@pytest.mark.parametrize("seed", range(3))
def test_no_start_of_scipy_goes_lower(seed):
    y = noisy(seed)
    fit = sl.fit_shifted_power_law(X, y)

    def residual(theta):
        a, alpha, d, E = np.exp(theta)
        return np.log(E + a * (X / 1e8 + d) ** -alpha) - np.log(y)

    starts = np.log([[0.4, 0.7, 0.4, 0.3], [0.5, 1.5, 1.0, 0.1], [0.8, 0.3, 0.05, 0.01]])
    best = min(least_squares(residual, one, xtol=1e-14, ftol=1e-14).cost for one in starts)
    assert fit.objective <= best * (1 + 1e-8)
    assert fit.gradient < 1e-10


def test_a_missing_shift_is_said_to_be_missing():
    x = np.geomspace(1.0, 1e4, 30)
    fit = sl.fit_shifted_power_law(x, 0.1 + x**-0.5)
    assert any("d is at its bound of zero" in sentence for sentence in fit.warnings)
    np.testing.assert_allclose(fit.law.E, 0.1, rtol=1e-5)
    assert sl.ShiftedPowerLaw(A=1.0, alpha=0.5, d=0.0).ceiling == np.inf


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [
        (np.linspace(1, 10, 30), 0.2 + np.exp(-np.linspace(1, 10, 30)), "fall exponentially"),
        ([1, 2, 3, 4], [4.0, 3.0, 2.5, 2.2], "cannot determine 4 parameters"),
    ],
    ids=["exponential", "four points"],
)
def test_points_that_cannot_be_fitted(x, y, words):
    with pytest.raises(sl.FitError, match=words):
        sl.fit_shifted_power_law(x, y)


def test_bootstrap_and_profile_know_it():
    fit = sl.fit_shifted_power_law(X, noisy())
    low, high = sl.bootstrap(fit, n=400).interval("E")
    found = sl.profile(fit, "E")
    assert low < fit.law.E < high
    assert found.low < fit.law.E < found.high


def test_absolute_deviations_hold_an_outlier_back():
    y = noisy()
    before = sl.fit_shifted_power_law(X, y, loss="lad").law.E
    y[np.argmax(y)] *= 3
    after = sl.fit_shifted_power_law(X, y, loss="lad").law.E
    assert after == pytest.approx(before, abs=0.01)


shifted = st.builds(
    sl.ShiftedPowerLaw,
    A=st.floats(0.1, 10.0), alpha=st.floats(0.05, 1.5), d=st.floats(0.01, 10.0),
    E=st.floats(0.0, 1.0),
)  # fmt: skip


@given(law=shifted, x=st.floats(1e-4, 1e6))
def test_it_lies_between_its_ceiling_and_the_power_law_that_it_becomes(law, x):
    assert law.loss(x) <= law.ceiling * (1 + 1e-12)
    assert law.loss(1e-12) == pytest.approx(law.ceiling, rel=1e-6)
    far = 1e9 * law.d
    np.testing.assert_allclose(law.loss(far) - law.E, law.far.loss(far) - law.E, rtol=1e-6)


@few
@given(
    A=st.floats(0.2, 0.6), alpha=st.floats(0.2, 1.0), d=st.floats(0.05, 0.5), E=st.floats(0.1, 0.4)
)
def test_it_returns_without_noise(A, alpha, d, E):
    x = np.geomspace(1e-2, 1e2, 40)
    fit = sl.fit_shifted_power_law(x, sl.ShiftedPowerLaw(A, alpha, d, E).loss(x))
    np.testing.assert_allclose(fit.params, [A, alpha, d, E], rtol=1e-6)
