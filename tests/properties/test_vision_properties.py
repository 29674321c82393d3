"""Identities of laws that saturate, of doublings, and of allocation exponents."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import scalinglib as sl
from scalinglib import extrapolation, learning_curves, multimodal
from scalinglib.published import Reported

exponents = st.floats(0.05, 1.5)
shifted = st.builds(
    sl.ShiftedPowerLaw,
    A=st.floats(0.1, 10.0), alpha=exponents, d=st.floats(0.01, 10.0), E=st.floats(0.0, 1.0),
)  # fmt: skip
scales = st.floats(1e-4, 1e6)


@given(law=shifted, x=scales, factor=st.floats(1.01, 100.0))
def test_a_shifted_law_falls_from_its_ceiling_to_its_floor(law, x, factor):
    assert law.loss(factor * x) <= law.loss(x) <= law.ceiling * (1 + 1e-12)
    assert law.loss(np.inf) == law.E
    assert law.loss(1e-12) == pytest.approx(law.ceiling, rel=1e-6)


@given(law=shifted)
def test_far_above_the_shift_it_is_a_power_law_with_a_floor(law):
    x = 1e9 * law.d
    np.testing.assert_allclose(law.loss(x) - law.E, law.far.loss(x) - law.E, rtol=1e-6)


@given(law=shifted, x=st.floats(1e-3, 1e4))
def test_scale_for_inverts_the_law(law, x):
    again = multimodal.scale_for(law, float(law.loss(x)))
    assert law.loss(max(again, 1e-300)) == pytest.approx(float(law.loss(x)), rel=1e-9)


@settings(max_examples=12, deadline=None)
@given(
    A=st.floats(0.2, 0.6), alpha=st.floats(0.2, 1.0), d=st.floats(0.05, 0.5), E=st.floats(0.1, 0.4)
)
def test_a_shifted_law_is_recovered(A, alpha, d, E):
    x = np.geomspace(1e-2, 1e2, 40)
    fit = sl.fit_shifted_power_law(x, sl.ShiftedPowerLaw(A, alpha, d, E).loss(x))
    np.testing.assert_allclose(fit.params, [A, alpha, d, E], rtol=1e-6)


@given(A=st.floats(0.1, 10), alpha=exponents, E=st.floats(0, 1), x=scales)
def test_a_doubling_removes_a_fixed_share_of_the_excess(A, alpha, E, x):
    step = learning_curves.per_doubling(sl.PowerLaw(A, alpha, E), x).iloc[0]
    if A * x**-alpha > 1e-6 * E:
        assert step.excess_gain == pytest.approx(1 - 2**-alpha, rel=1e-6)
    assert step.gain == pytest.approx(step.excess_gain * step.excess, abs=1e-12)


@given(
    law=st.builds(sl.PowerLaw, A=st.floats(0.1, 10), alpha=exponents, E=st.floats(0, 1)),
    n=st.integers(1, 6),
)
def test_observed_doublings_of_a_power_law_on_the_grid(law, n):
    x = 2.0 ** np.arange(8)
    seen = learning_curves.observed_doublings(x, law.loss(x), n=n)
    expected = learning_curves.per_doubling(law, seen.x)
    np.testing.assert_allclose(seen.gain, expected.gain, atol=1e-9)


@given(alpha=exponents, beta=exponents)
def test_exponents_of_one_law_agree(alpha, beta):
    a, b = multimodal.IMPLIED["a"](alpha, beta), multimodal.IMPLIED["b"](alpha, beta)
    law = sl.ChinchillaLaw(E=1.0, A=1.0, B=1.0, alpha=alpha, beta=beta)
    assert (a, b) == (pytest.approx(law.a), pytest.approx(law.b))
    assert a + b == pytest.approx(1)
    assert multimodal.IMPLIED["d"](alpha, beta) == pytest.approx(b / a)
    assert multimodal.IMPLIED["N/D"](alpha, beta) == pytest.approx(a - b)
    law = multimodal.law_of_exponents(alpha, beta)
    assert extrapolation.reducible_exponent(law) == pytest.approx(alpha * a)


@given(alpha=exponents, beta=exponents, digits=st.integers(2, 5))
def test_what_was_rounded_from_one_law_passes_the_audit(alpha, beta, digits):
    def printed(value):
        return Reported(f"{value:.{digits}f}", "somebody", "Table 1")

    row = {"alpha": printed(alpha), "beta": printed(beta)}
    assume(min(row[name].value - row[name].half_unit for name in row) > 0)
    row["a"] = printed(multimodal.IMPLIED["a"](alpha, beta))
    row["b"] = printed(multimodal.IMPLIED["b"](alpha, beta))
    row["d"] = printed(multimodal.IMPLIED["d"](alpha, beta))
    assert all(one.agrees for one in multimodal.audit(row).values())


@given(alpha=exponents, beta=exponents, N=st.floats(1e7, 1e12), slope=st.floats(0, 2))
def test_an_encoder_in_proportion_changes_no_exponent(alpha, beta, N, slope):
    tower = multimodal.VisionTower(share=0.5, slope=slope, intercept=0.0)
    a, b = tower.exponents(N, alpha=alpha, beta=beta)
    assert a == pytest.approx(multimodal.IMPLIED["a"](alpha, beta))
    assert b == pytest.approx(multimodal.IMPLIED["b"](alpha, beta))


@settings(max_examples=20, deadline=None)
@given(alpha=st.floats(0.2, 0.6), beta=st.floats(0.2, 0.6), intercept=st.floats(-2e7, 2e8))
def test_tower_exponents_are_the_slopes_of_the_optimum(alpha, beta, intercept):
    tower = multimodal.VisionTower(share=0.5, slope=0.2, intercept=intercept)

    def optimum(C):
        def loss(n):
            tokens = C / (6 * (np.exp(n) + 0.5 * (0.2 * np.exp(n) + intercept)))
            return 400 * np.exp(-alpha * n) + 400 * tokens**-beta

        return minimize_scalar(
            loss, bounds=(np.log(1e8), np.log(1e14)), method="bounded", options={"xatol": 1e-9}
        ).x

    C = 1e22
    low, middle, high = (optimum(C * factor) for factor in (0.98, 1.0, 1.02))
    assume(np.log(2e8) < middle < np.log(5e13))
    a, _ = tower.exponents(np.exp(middle), alpha=alpha, beta=beta)
    assert (high - low) / np.log(1.02 / 0.98) == pytest.approx(float(a), rel=2e-3)


@given(n=st.integers(2, 60), block=st.integers(1, 60), seed=st.integers(0, 99))
def test_blocks_hold_neighbours(n, block, seed):
    block = min(block, n)
    drawn = learning_curves.block_resamples(n, block=block, draws=3, seed=seed)
    assert drawn.shape == (3, n)
    assert drawn.min() >= 0
    assert drawn.max() < n
    steps = np.diff(drawn, axis=1)
    inside = (np.arange(1, n) % block) != 0
    assert (steps[:, inside] == 1).all()
