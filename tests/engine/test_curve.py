"""Curve fits: exact derivatives, global optima, bounds that are told, and bad input refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

import scalinglib as sl
from scalinglib.fit.curve import fit_curve
from scalinglib.laws import Sigmoid
from tests.examples import few

X = np.linspace(0.0, 6.0, 40)
TRUE = Sigmoid(low=0.2, high=0.9, slope=-2.0, middle=2.5)


@pytest.fixture
def noisy():
    return TRUE.value(X) + 0.01 * np.random.default_rng(1).standard_normal(len(X))


def test_the_curve_returns_without_noise():
    fit = fit_curve(Sigmoid, X, TRUE.value(X))
    assert fit.params.to_numpy() == pytest.approx(TRUE.params, abs=1e-9)
    assert fit.objective < 1e-18
    assert (fit.at_bound, fit.warnings) == ((), ())


def test_scipys_own_fit_is_the_oracle(noisy):
    fit = fit_curve(Sigmoid, X, noisy)
    best, covariance = curve_fit(Sigmoid.formula, X, noisy, p0=TRUE.params, xtol=1e-14, ftol=1e-14)
    assert fit.params.to_numpy() == pytest.approx(best, rel=1e-6)
    assert fit.standard_errors.to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-5)


def test_the_gradient_vanishes_at_the_optimum(noisy):
    fit = fit_curve(Sigmoid, X, noisy)
    for name in Sigmoid.names():
        for factor in (1 - 1e-4, 1 + 1e-4):
            moved = Sigmoid(**{**fit.params.to_dict(), name: fit.params[name] * factor})
            assert 0.5 * np.sum((moved.value(X) - noisy) ** 2) > fit.objective


def test_weights_and_transform_change_what_is_least(noisy):
    plain = fit_curve(Sigmoid, X, noisy)
    weighted = fit_curve(Sigmoid, X, noisy, weights=np.where(X < 3, 10.0, 1.0))
    logged = fit_curve(Sigmoid, X, noisy, transform=np.log)
    assert weighted.params["high"] != pytest.approx(plain.params["high"], rel=1e-6)
    assert logged.observed.to_numpy() == pytest.approx(np.log(noisy))
    repeated = fit_curve(Sigmoid, np.tile(X, 2), np.tile(noisy, 2))
    assert repeated.params.to_numpy() == pytest.approx(plain.params.to_numpy(), rel=1e-8)


def test_a_bound_is_reached_exactly_and_told():
    tall = 1.3 / (1 + np.exp(2.0 * (X - 2.5)))
    fit = fit_curve(Sigmoid, X, tall)
    assert fit.params["high"] == 1.0
    assert "high" in fit.at_bound
    assert np.isnan(fit.standard_errors["high"])
    assert any("high ends on the bound 1" in sentence for sentence in fit.warnings)


def test_held_parameters_stay(noisy):
    fit = fit_curve(Sigmoid, X, noisy, fixed={"low": 0.25})
    assert fit.params["low"] == 0.25
    assert np.isnan(fit.standard_errors["low"])


def test_labels_are_kept(noisy):
    labels = [f"p{k}" for k in range(len(X))]
    fit = fit_curve(Sigmoid, X, pd.Series(noisy, index=labels))
    assert list(fit.residuals.index) == labels
    assert fit.r2 == pytest.approx(1 - np.var(fit.residuals) / np.var(noisy), rel=1e-3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": X[:-1]}, sl.DataError, "x has 39, y has 40"),
        ({"x": [], "y": []}, sl.DataError, "x must hold at least 1 values, got 0"),
        ({"x": X[:, None]}, sl.DataError, "x must be one-dimensional"),
        ({"y": ["a"] * 40}, sl.DataError, "y must hold numbers only"),
        ({"y": np.where(X > 5, np.nan, 0.5)}, sl.DataError, "y is nan at position 33"),
        ({"weights": np.zeros(40)}, sl.DataError, "row 0, weights: 0 is not a positive"),
        ({"y": -np.ones(40), "transform": np.log}, sl.DataError, "which the transform turns"),
        ({"fixed": {"top": 1}}, sl.DataError, "'top' is not a parameter of Sigmoid"),
        ({"fixed": {"low": 2}}, sl.DataError, "outside 0 to 1"),
        ({"fixed": dict(zip(Sigmoid.names(), TRUE.params, strict=True))}, sl.DataError, "is fixed"),
        ({"starts": [[1, 2]]}, sl.DataError, "starts must have one row per start and 4 columns"),
        ({"x": X[:4], "y": TRUE.value(X[:4])}, sl.FitError, "4 points at 4 places"),
    ],
)
def test_bad_input_is_refused_in_words(change, error, message):
    given = {"x": X, "y": TRUE.value(X)} | change
    with pytest.raises(error, match=message):
        fit_curve(Sigmoid, given.pop("x"), given.pop("y"), **given)


PLACES = np.linspace(-3.0, 9.0, 40)
sigmoids = st.builds(
    Sigmoid,
    low=st.floats(0.0, 0.4),
    high=st.floats(0.6, 1.0),
    slope=st.floats(0.5, 4.0) | st.floats(-4.0, -0.5),
    middle=st.floats(1.0, 5.0),
)


@given(law=sigmoids, x=st.floats(-1e3, 1e3), step=st.floats(1e-3, 10))
def test_a_sigmoid_is_monotone_between_its_levels(law, x, step):
    one, other = law.value([x, x + step])
    # Rounding may pass a level by a unit in the last place.
    assert law.low - 1e-15 <= one <= law.high + 1e-15
    assert (other - one) * law.slope >= -1e-15


@given(law=sigmoids, away=st.floats(0, 50))
def test_it_is_symmetric_about_its_middle(law, away):
    left, right = law.value([law.middle - away, law.middle + away])
    assert left + right == pytest.approx(law.low + law.high, abs=1e-12)


@given(law=sigmoids)
def test_turning_it_round_is_the_same_curve(law):
    # Levels exchanged and the slope reversed: why a fit fixes the direction or the levels.
    turned = Sigmoid(law.high, law.low, -law.slope, law.middle)
    np.testing.assert_allclose(turned.value(PLACES), law.value(PLACES), atol=1e-12)


@few
@given(law=sigmoids)
def test_it_returns_without_noise(law):
    fit = fit_curve(Sigmoid, PLACES, law.value(PLACES))
    np.testing.assert_allclose(fit.predict(PLACES), law.value(PLACES), atol=1e-7)
    assert fit.params["middle"] == pytest.approx(law.middle, abs=1e-5)


@few
@given(law=sigmoids, seed=st.integers(0, 1000), shift=st.floats(-5, 5), scale=st.floats(0.2, 5))
def test_a_fit_moves_with_the_unit_of_x(law, seed, shift, scale):
    y = law.value(PLACES) + 0.005 * np.random.default_rng(seed).standard_normal(len(PLACES))
    one, other = fit_curve(Sigmoid, PLACES, y), fit_curve(Sigmoid, scale * PLACES + shift, y)
    assert other.objective == pytest.approx(one.objective, rel=1e-8)
    np.testing.assert_allclose(
        other.predict(scale * PLACES + shift), one.predict(PLACES), atol=1e-6
    )
