"""Identities of the sigmoid, and of fits of a curve whatever its constants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglib.capability import Sigmoid
from scalinglib.curves import fit_curve

X = np.linspace(-3.0, 9.0, 40)
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
    np.testing.assert_allclose(turned.value(X), law.value(X), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(law=sigmoids)
def test_it_returns_without_noise(law):
    fit = fit_curve(Sigmoid, X, law.value(X))
    np.testing.assert_allclose(fit.predict(X), law.value(X), atol=1e-7)
    assert fit.params["middle"] == pytest.approx(law.middle, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(law=sigmoids, seed=st.integers(0, 1000), shift=st.floats(-5, 5), scale=st.floats(0.2, 5))
def test_a_fit_moves_with_the_unit_of_x(law, seed, shift, scale):
    y = law.value(X) + 0.005 * np.random.default_rng(seed).standard_normal(len(X))
    one, other = fit_curve(Sigmoid, X, y), fit_curve(Sigmoid, scale * X + shift, y)
    assert other.objective == pytest.approx(one.objective, rel=1e-8)
    np.testing.assert_allclose(other.predict(scale * X + shift), one.predict(X), atol=1e-6)
