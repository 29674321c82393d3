"""The non-embedding frontier, whatever the law."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import scalinglib as sl
from scalinglib.laws import ChinchillaLaw
from scalinglib.topics.reconciliation import (
    budget_for_size,
    exponent_limits,
    exponent_peak,
    fit_omega,
    grid_optimal,
    nonembedding_exponent,
    nonembedding_optimal,
    total_params,
)

EPOCH = sl.ChinchillaLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
OMEGA = 47491
ONE = {"C": 1e17, "sizes": [1e6], "tokens": [1e9], "omega": 0.0}


def exponent_of(**changes):
    return nonembedding_exponent(replace(EPOCH, **changes), 1e6, omega=OMEGA)


def loss_at(n, C, omega):
    N = np.exp(n)
    return float(EPOCH.loss(N + omega * np.cbrt(N), C / 6 / N))


@pytest.mark.parametrize("C", [1e12, 1e16, 1.76e16, 1e20, 1e26])
def test_nonembedding_optimum_is_the_numerical_minimum(C):
    best = nonembedding_optimal(EPOCH, C, omega=OMEGA)
    found = minimize_scalar(
        lambda n: loss_at(n, C, OMEGA), bounds=(0, 35), method="bounded",
        options={"xatol": 1e-10},
    )  # fmt: skip
    # A minimum is located to the square root of rounding.
    assert np.log(best.N) == pytest.approx(found.x, abs=1e-5)
    assert best.loss <= found.fun * (1 + 1e-15)
    assert pytest.approx(C, rel=1e-13) == 6 * best.N * best.D


def test_without_embeddings_it_is_the_split_of_the_law():
    C = np.geomspace(1e18, 1e24, 5)
    plain = sl.compute_optimal(EPOCH, C)
    np.testing.assert_array_equal(nonembedding_optimal(EPOCH, C, omega=0).N, plain.N)


def test_shape_of_the_budget_is_kept():
    best = nonembedding_optimal(EPOCH, np.full((2, 3), 1e20), omega=OMEGA)
    assert best.N.shape == best.D.shape == best.loss.shape == best.C.shape == (2, 3)
    assert np.ndim(nonembedding_optimal(EPOCH, 1e20, omega=OMEGA).N) == 0


def test_total_params():
    np.testing.assert_allclose(total_params([8.0, 27.0], omega=10), [28.0, 57.0])


@pytest.mark.parametrize("N", [1e3, 1e6, 1e9, 1e12])
def test_local_exponent_is_the_slope_of_the_frontier(N):
    C = budget_for_size(EPOCH, N * np.exp([-1e-4, 1e-4]), omega=OMEGA)
    assert nonembedding_exponent(EPOCH, N, omega=OMEGA) == pytest.approx(
        2e-4 / np.log(C[1] / C[0]), rel=1e-6
    )


def test_peak_is_higher_than_its_surroundings():
    peak = exponent_peak(EPOCH, omega=OMEGA)
    around = nonembedding_exponent(EPOCH, peak.N * np.geomspace(0.1, 10, 201), omega=OMEGA)
    assert np.argmax(around) == 100
    assert around[100] == pytest.approx(peak.exponent, rel=1e-12)
    best = nonembedding_optimal(EPOCH, peak.C, omega=OMEGA)
    assert pytest.approx(peak.N, rel=1e-9) == best.N


def test_a_steep_law_has_no_peak_and_says_so():
    law = sl.ChinchillaLaw(E=1.0, A=1e5, B=1e3, alpha=2.5, beta=0.5)
    with pytest.raises(sl.DataError, match=r"alpha is 2.5.*exponent_limits"):
        exponent_peak(law, omega=OMEGA)
    rising = nonembedding_exponent(law, [1e2, 1e6, 1e10], omega=OMEGA)
    assert rising[0] > rising[1] > rising[2]


def test_a_law_with_two_local_optima_is_refused():
    law = sl.ChinchillaLaw(E=1.0, A=10.0, B=10.0, alpha=0.1, beta=0.1)
    with pytest.raises(sl.DataError, match="two locally optimal sizes"):
        nonembedding_optimal(law, 1e20, omega=OMEGA)
    # There are indeed two: the loss along a budget falls, rises, falls and rises.
    N = np.geomspace(1e2, 1e12, 4000)
    signs = []
    for C in np.geomspace(1e10, 1e22, 60):
        slope = np.sign(np.diff(law.loss(total_params(N, omega=OMEGA), C / 6 / N)))
        signs.append((np.diff(slope) != 0).sum())
    assert max(signs) == 3


class TestGrid:
    sizes = (1e6, 1e7, 1e8)
    tokens = np.geomspace(1e8, 1e12, 400)

    def test_winner_has_the_lowest_loss_of_the_three(self):
        best = grid_optimal(EPOCH, 1e17, sizes=self.sizes, tokens=self.tokens, omega=OMEGA)
        N = np.array(self.sizes)
        rivals = EPOCH.loss(total_params(N, omega=OMEGA), 1e17 / 6 / N)
        assert N[rivals.argmin()] == best.N
        assert best.loss == pytest.approx(rivals.min(), rel=1e-3)
        assert pytest.approx(1e17, rel=0.02) == 6 * best.N * best.D

    def test_total_count_answers_in_total_parameters(self):
        best = grid_optimal(
            EPOCH, [1e17, 1e19], sizes=self.sizes, tokens=self.tokens, omega=OMEGA, counted="total"
        )
        assert set(best.N) <= set(total_params(self.sizes, omega=OMEGA))
        assert best.N.shape == (2,)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: nonembedding_optimal(EPOCH, 0, omega=OMEGA), "C must be positive"),
        (lambda: nonembedding_exponent(EPOCH, -1, omega=OMEGA), "N must be positive"),
        (lambda: total_params(0, omega=OMEGA), "N must be positive"),
        (lambda: exponent_of(alpha=-0.1), "law.alpha is -0.1"),
        (lambda: exponent_of(beta=-0.1), "law.beta is -0.1"),
        (lambda: exponent_of(B=0.0), "law.B is 0"),
        (lambda: exponent_peak(EPOCH, omega=0.0), "omega must be positive"),
        (lambda: exponent_peak(EPOCH, omega=-1.0), "omega must be positive"),
        (lambda: grid_optimal(EPOCH, **ONE, counted="active"), "counted is 'active'"),
        (lambda: fit_omega([1.0, 5.0], [2.0, 5.0]), "row 1: total is 5, which is not above N, 5"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


@pytest.mark.parametrize("omega", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize(
    "call",
    [partial(total_params, 1e6), partial(nonembedding_optimal, EPOCH, 1e20),
     partial(nonembedding_exponent, EPOCH, 1e6)],
)  # fmt: skip
def test_omega_must_be_a_count(call, omega):
    with pytest.raises(sl.DataError, match="omega must be zero or a positive number"):
        call(omega=omega)


laws = st.builds(
    ChinchillaLaw,
    E=st.floats(0, 2.5),
    A=st.floats(50, 2000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.8),
    beta=st.floats(0.2, 0.8),
)
omegas = st.floats(1e2, 1e6)
budgets = st.floats(12, 28).map(lambda power: 10**power)


@given(law=laws, omega=omegas, C=budgets)
def test_no_neighbouring_size_is_better(law, omega, C):
    best = nonembedding_optimal(law, C, omega=omega)
    N = best.N * np.array([0.5, 0.9, 1.1, 2.0])
    assert (law.loss(total_params(N, omega=omega), C / 6 / N) > best.loss - 1e-12).all()


@given(law=laws, omega=omegas, C=budgets)
def test_frontier_follows_its_local_exponent(law, omega, C):
    step = 1e-4
    ends = nonembedding_optimal(law, C * np.exp([-step, step]), omega=omega)
    slope = np.diff(np.log(ends.N))[0] / (2 * step)
    middle = nonembedding_optimal(law, C, omega=omega)
    assert slope == pytest.approx(
        float(nonembedding_exponent(law, middle.N, omega=omega)), rel=1e-4
    )


@given(law=laws, omega=omegas, N=st.floats(1e2, 1e13))
def test_size_and_budget_are_inverse(law, omega, N):
    C = budget_for_size(law, N, omega=omega)
    assert pytest.approx(N, rel=1e-9) == nonembedding_optimal(law, C, omega=omega).N


@given(law=laws, omega=omegas)
def test_exponent_runs_between_its_limits_and_its_peak(law, omega):
    small, large = exponent_limits(law)
    ends = nonembedding_exponent(law, [1e-30, 1e60], omega=omega)
    assert ends == pytest.approx([small, large], rel=1e-6)
    peak = exponent_peak(law, omega=omega)
    N = peak.N * np.geomspace(1e-8, 1e8, 401)
    along = nonembedding_exponent(law, N, omega=omega)
    assert (along <= peak.exponent * (1 + 1e-12)).all()
    assert (along >= min(small, large) * (1 - 1e-12)).all()
    assert (np.diff(along[:201]) >= -1e-12).all()
    assert (np.diff(along[200:]) <= 1e-12).all()


@given(law=laws, omega=omegas, factor=st.floats(0.1, 10))
def test_peak_moves_with_omega_and_keeps_its_height(law, omega, factor):
    first, second = exponent_peak(law, omega=omega), exponent_peak(law, omega=omega * factor)
    assert second.exponent == pytest.approx(first.exponent, rel=1e-9)
    assert pytest.approx(first.N * factor**1.5, rel=1e-9) == second.N


@given(law=laws, C=budgets)
def test_few_embeddings_change_little(law, C):
    without = nonembedding_optimal(law, C, omega=0).N
    assume(without > 1e3)
    assert pytest.approx(without, rel=1e-4) == nonembedding_optimal(law, C, omega=1e-6).N


@given(
    omega=omegas,
    scale=st.floats(0.1, 10),
    sizes=st.lists(st.floats(1e5, 1e11), min_size=3, max_size=9, unique=True),
)
def test_omega_is_recovered_and_scales(omega, scale, sizes):
    total = total_params(sizes, omega=omega)
    assume((total > np.array(sizes) * (1 + 1e-6)).all())
    assert fit_omega(sizes, total) == pytest.approx(omega, rel=1e-4)
    assert fit_omega(np.array(sizes) * scale, total * scale) == pytest.approx(
        omega * scale ** (2 / 3), rel=1e-4
    )
