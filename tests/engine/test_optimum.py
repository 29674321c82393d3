"""Frontiers through known optima, budgets by inversion, and the price of a bad split."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import scalinglib as sl
from scalinglib import optimum
from scalinglib.isoflop import Frontier
from scalinglib.optimum import cost_of_factor, joint_exponent, joint_optimum, reducible_exponent

HOFFMANN = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
JOINT = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
FLOORED = sl.PowerLaw(A=8.0, alpha=1.0, E=1.0)
RULE = optimum.fixed_ratio(20)
SHRINKING = Frontier(a=-0.1, b=1.1, k_N=1.0, k_D=1.0)
C = np.geomspace(1e18, 1e24, 7)
OPTIMA = pd.DataFrame({"flops": C, "params": 0.1 * C**0.5, "tokens": C**0.5 / 0.6})


@pytest.mark.parametrize("C", [1e18, 5.76e23, 1e27])
def test_closed_form_is_the_numerical_minimum(C):
    found = minimize_scalar(
        lambda n: float(HOFFMANN.loss(np.exp(n), C / 6 / np.exp(n))),
        bounds=(np.log(1e6), np.log(1e13)), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    best = sl.compute_optimal(HOFFMANN, C)
    # A minimum is located to the square root of rounding.
    assert np.log(best.N) == pytest.approx(found.x, abs=1e-6)
    assert best.loss <= found.fun * (1 + 1e-15)


def test_budget_is_spent_and_shape_kept():
    C = np.geomspace(1e18, 1e26, 6).reshape(2, 3)
    best = sl.compute_optimal(HOFFMANN, C)
    assert best.N.shape == best.loss.shape == (2, 3)
    np.testing.assert_allclose(sl.training_flops(best.N, best.D), C, rtol=1e-14)
    np.testing.assert_allclose(best.tokens_per_param, best.D / best.N)


def test_integer_budgets_work():
    assert sl.compute_optimal(HOFFMANN, 10**24).C == 1e24


def test_isoflop_curve_is_lowest_at_the_optimum():
    best = sl.compute_optimal(HOFFMANN, 1e21)
    curve = sl.isoflop_curve(HOFFMANN, 1e21, best.N * np.array([0.9, 1.0, 1.1]))
    assert np.argmin(curve.loss) == 1
    np.testing.assert_allclose(6 * curve.N * curve.D, 1e21)


def test_isoloss_curve_returns_to_its_loss():
    curve = sl.isoloss_curve(HOFFMANN, 2.1, [1e9, 1e10, 1e11])
    reached = np.isfinite(curve.D)
    np.testing.assert_allclose(HOFFMANN.loss(curve.N, curve.D)[reached], 2.1, rtol=1e-12)


def test_a_model_too_small_never_reaches_the_loss():
    curve = sl.isoloss_curve(HOFFMANN, 1.8, 1e6)
    assert np.isinf(curve.D)
    assert np.isinf(curve.C)


def test_line_is_recovered():
    line = sl.fit_frontier(OPTIMA)
    assert (line.a, line.b, line.k_N, line.k_D) == pytest.approx((0.5, 0.5, 0.1, 1 / 0.6), rel=1e-9)


def test_line_shows_what_a_row_breaks():
    line = sl.fit_frontier(OPTIMA.assign(flops=np.where(OPTIMA.index == 3, C / 10, C)))
    assert abs(line.a + line.b - 1) > 1e-3


def test_no_budget_reaches_the_floor():
    assert optimum.budget_for_loss(HOFFMANN, [HOFFMANN.E, 0.5]).tolist() == [np.inf, np.inf]
    assert np.isfinite(optimum.budget_for_loss(HOFFMANN, HOFFMANN.E + 1e-3))


def test_scalars_and_arrays_keep_their_shape():
    assert np.shape(optimum.budget_for_loss(HOFFMANN, 2.0)) == ()
    assert optimum.budget_for_params(HOFFMANN, [[1e9, 1e10]]).shape == (1, 2)


def test_search_finds_kaplans_exponent():
    law = sl.published.KAPLAN_2020
    low, high = (float(optimum.search_optimum(law, C).N) for C in (1e20, 1e24))
    assert np.log(high / low) / np.log(1e4) == pytest.approx(0.5754, abs=1e-4)


class TestCost:
    def test_by_hand(self):
        # From L = 5 at x = 2 to 2.5: the reducible part goes from 4 to 1.5.
        assert cost_of_factor(FLOORED, 0.5, start=2.0) == pytest.approx(4 / 1.5)
        assert cost_of_factor(FLOORED, 0.5) == pytest.approx(2.0)

    def test_the_floor_is_never_reached(self):
        # L = 2 at x = 8, and half of it is the floor itself.
        assert np.isinf(cost_of_factor(FLOORED, 0.5, start=8.0))
        assert cost_of_factor(FLOORED, 0.5, start=[2.0, 80.0]).tolist() == pytest.approx(
            [4 / 1.5, np.inf]
        )


WITH_LAW = [
    lambda law: sl.compute_optimal(law, 1e21),
    lambda law: optimum.budget_for_params(law, 1e9),
    lambda law: optimum.budget_for_loss(law, 2.0),
    lambda law: optimum.compute_waste(law, 1e9, 1e10),
]


@pytest.mark.parametrize("call", WITH_LAW)
@pytest.mark.parametrize("name", ["A", "B", "alpha", "beta"])
def test_a_law_without_optimum_is_refused(call, name):
    with pytest.raises(sl.DataError, match=f"law.{name} is 0; the compute-optimal split exists"):
        call(replace(HOFFMANN, **{name: 0.0}))


@pytest.mark.parametrize("call", WITH_LAW)
def test_other_laws_are_refused_with_a_way_out(call):
    with pytest.raises(sl.DataError, match=r"law is a KaplanLaw; .* scan isoflop_curve"):
        call(JOINT)


@pytest.mark.parametrize("name", ["alpha_N", "alpha_D", "N_c", "D_c"])
def test_a_joint_law_without_an_optimum_is_refused(name):
    with pytest.raises(sl.DataError, match=f"law.{name} is 0; the compute-optimal split exists"):
        joint_optimum(replace(JOINT, **{name: 0.0}), 1e21)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sl.compute_optimal(HOFFMANN, 0), "C must be positive"),
        (lambda: sl.compute_optimal(HOFFMANN, -1e20), "C must be positive"),
        (lambda: sl.compute_optimal(HOFFMANN, np.nan), "C must be positive"),
        (lambda: joint_optimum(HOFFMANN, 1e21), "law is a ChinchillaLaw; give a KaplanLaw"),
        (lambda: joint_optimum(JOINT, 0), "C must be positive"),
        (lambda: optimum.budget_for_params(HOFFMANN, 0.0), "N must be positive"),
        (lambda: optimum.budget_for_params(RULE, -1.0), "N must be positive"),
        (lambda: optimum.budget_for_loss(HOFFMANN, -1.0), "loss must be positive"),
        (lambda: optimum.compute_waste(HOFFMANN, 1e9, 0.0), "D must be positive"),
        (lambda: optimum.budget_spent(RULE, 0.0), "C must be positive"),
        (lambda: optimum.search_optimum(HOFFMANN, -1.0), "C must be positive"),
        (lambda: optimum.search_optimum(HOFFMANN, np.inf), "C must be finite"),
        (lambda: optimum.fixed_ratio(0.0), "tokens_per_param must be"),
        (lambda: optimum.fixed_ratio(-1.0), "tokens_per_param must be"),
        (lambda: optimum.fixed_ratio(np.nan), "tokens_per_param must be"),
        (lambda: optimum.fixed_ratio(np.inf), "tokens_per_param must be"),
        (lambda: optimum.budget_for_params(SHRINKING, 1e9), "must grow with compute"),
        (lambda: sl.fit_frontier(OPTIMA.drop(columns="flops")), "no column 'flops'"),
        (lambda: sl.fit_frontier(OPTIMA.assign(tokens=-C)), "row 0, column 'tokens'"),
        (lambda: reducible_exponent(JOINT), "law is a KaplanLaw; give a PowerLaw"),
        (lambda: cost_of_factor(FLOORED, 0.0), "factor must lie between 0 and 1"),
        (lambda: cost_of_factor(FLOORED, 1.0), "factor must lie between 0 and 1"),
        (lambda: cost_of_factor(FLOORED, 2.0), "factor must lie between 0 and 1"),
        (lambda: cost_of_factor(FLOORED, -0.5), "factor must lie between 0 and 1"),
        (lambda: cost_of_factor(FLOORED, np.nan), "factor must lie between 0 and 1"),
        (lambda: cost_of_factor(replace(FLOORED, alpha=-1.0), 0.5), "exponent -1, so its loss"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


def test_a_line_needs_two_budgets():
    with pytest.raises(sl.FitError, match="lie between 1e"):
        sl.fit_frontier(OPTIMA.assign(flops=1e20))


def test_search_refuses_a_law_without_a_valley():
    with pytest.raises(sl.FitError, match="at an end of the budget"):
        optimum.search_optimum(replace(HOFFMANN, B=0.0), 1e20)


laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0.5, 3),
    A=st.floats(50, 5000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)
budgets = st.floats(17, 27).map(lambda exponent: 10**exponent)
ratios = st.floats(-2, 4).map(lambda exponent: 10**exponent)


@given(law=laws, C=budgets)
def test_the_budget_of_an_optimum_is_its_own(law, C):
    best = sl.compute_optimal(law, C)
    assert optimum.budget_for_params(law, best.N) == pytest.approx(C, rel=1e-8)
    assert optimum.budget_for_loss(law, best.loss) == pytest.approx(C, rel=1e-5)


@given(law=laws, C=budgets, ratio=ratios)
def test_waste_is_at_least_one(law, C, ratio):
    rule = optimum.fixed_ratio(ratio)
    waste = optimum.compute_waste(law, rule.params(C), rule.tokens(C))
    assert waste > 1 - 1e-5


@given(law=laws, C=budgets)
def test_the_optimum_wastes_nothing(law, C):
    best = sl.compute_optimal(law, C)
    assert optimum.compute_waste(law, best.N, best.D) == pytest.approx(1, rel=1e-5)


@given(law=laws, C=budgets, ratio=ratios)
def test_a_lopsided_split_wastes_more_than_a_mild_one(law, C, ratio):
    N = float(sl.compute_optimal(law, C).N)
    mild, lopsided = (float(optimum.compute_waste(law, f * N, C / 6 / (f * N))) for f in (2, 8))
    assert lopsided > mild > 1


@given(C=budgets, ratio=ratios)
def test_a_fixed_ratio_spends_the_budget_at_that_ratio(C, ratio):
    rule = optimum.fixed_ratio(ratio)
    assert optimum.budget_spent(rule, C) == pytest.approx(1, rel=1e-9)
    assert rule.tokens(C) / rule.params(C) == pytest.approx(ratio, rel=1e-9)
    assert optimum.budget_for_params(rule, rule.params(C)) == pytest.approx(C, rel=1e-9)


@given(law=laws, C=budgets)
def test_search_agrees_with_the_closed_form(law, C):
    searched = optimum.search_optimum(law, C)
    assert pytest.approx(float(sl.compute_optimal(law, C).N), rel=1e-5) == searched.N


@given(law=laws)
def test_a_line_through_optima_is_the_law(law):
    C = np.geomspace(1e18, 1e25, 8)
    best = sl.compute_optimal(law, C)
    line = sl.fit_frontier(pd.DataFrame({"flops": C, "params": best.N, "tokens": best.D}))
    assert (line.a, line.b) == pytest.approx((law.a, law.b), abs=1e-9)


joint_laws = st.builds(
    sl.KaplanLaw,
    alpha_N=st.floats(0.03, 0.5),
    alpha_D=st.floats(0.03, 0.5),
    N_c=st.floats(1e12, 1e15),
    D_c=st.floats(1e12, 1e15),
)
factors = st.floats(1.01, 50.0)


@given(law=joint_laws, C=budgets, factor=factors)
def test_joint_optimum_is_a_minimum_along_the_budget(law, C, factor):
    best = joint_optimum(law, C)
    curve = sl.isoflop_curve(law, C, best * np.array([1 / factor, 1.0, factor]))
    assert curve.loss[1] <= curve.loss.min() * (1 + 1e-14)


@given(law=joint_laws, C=budgets, factor=factors)
def test_joint_optimum_is_a_power_of_compute(law, C, factor):
    ratio = joint_optimum(law, factor * C) / joint_optimum(law, C)
    assert ratio == pytest.approx(factor ** joint_exponent(law), rel=1e-10)


@given(law=laws)
def test_the_frontier_is_slower_than_either_term(law):
    assert 0 < reducible_exponent(law) < min(law.alpha, law.beta)


@given(law=laws, C=budgets, factor=st.floats(0.3, 0.99))
def test_the_cost_buys_what_it_says(law, C, factor):
    before = sl.compute_optimal(law, C).loss
    more = sl.compute_optimal(law, C * cost_of_factor(law, factor)).loss
    assert more - law.E == pytest.approx(factor * (before - law.E), rel=1e-6, abs=1e-12)
    cost = float(cost_of_factor(law, factor, start=C))
    # At the floor itself rounding decides, so keep clear of it.
    assume(abs(factor * before - law.E) > 1e-6)
    if factor * before < law.E:
        assert np.isinf(cost)
    elif cost < 1e30:
        after = sl.compute_optimal(law, C * cost).loss
        assert after == pytest.approx(factor * before, rel=1e-6)
