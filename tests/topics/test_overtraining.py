"""The cheapest model over a life of training and serving, break-even, and the best bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.optimum import inference_optimal
from scalinglib.topics import overtraining
from scalinglib.topics.overtraining import best_bits

LAW = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)


def test_a_model_that_is_not_smaller_never_pays_back():
    twin = overtraining.equal_loss_optimum(LAW, 7e9, 1e12)
    N = np.array([0.5, 1.0, 2.0]) * twin.N
    D = sl.isoloss_curve(LAW, twin.loss, N).D
    tokens = overtraining.break_even_tokens(N, D, against=twin)
    assert np.isfinite(tokens).tolist() == [True, False, False]


def test_shapes_broadcast():
    best = inference_optimal(LAW, [[2.0], [2.2]], [0.0, 1e11, 1e13])
    assert best.chosen.N.shape == best.saving.shape == best.data_ratio.shape == (2, 3)
    one = inference_optimal(LAW, 2.2, 1e13)
    assert pytest.approx(best.chosen.N[1, 2], rel=1e-12) == one.chosen.N


def test_an_enormous_demand_stays_above_the_smallest_possible_model():
    best = inference_optimal(LAW, 2.0, 1e30)
    least = (LAW.A / (2.0 - LAW.E)) ** (1 / LAW.alpha)
    assert least < best.chosen.N
    assert pytest.approx(least, rel=0.01) == best.chosen.N
    assert np.isfinite(best.chosen.D)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: inference_optimal(LAW, [2.0, 1.5], 1e12),
            r"1\.5 is not above the floor E = 1\.69",
        ),
        (lambda: inference_optimal(LAW, 2.0, -1.0), "served must be finite and not negative"),
        (lambda: inference_optimal(LAW, 2.0, np.inf), "served must be finite and not negative"),
        (lambda: inference_optimal(LAW, 2.0, np.nan), "served must be finite and not negative"),
        (lambda: inference_optimal(replace(LAW, beta=-0.1), 2.0, 1e12), r"law\.beta is -0\.1"),
        (lambda: optimum.lifetime_flops(1e9, 1e10, "many"), "served must hold numbers only"),
        (lambda: best_bits([2.67]), "has no best number of bits"),
        (lambda: best_bits([1.0] * 3, offsets=[0.1]), "offsets has 1 values for 3 gammas"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0.5, 3),
    A=st.floats(50, 5000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)
budgets = st.floats(18, 26).map(lambda exponent: 10**exponent)
demands = st.floats(6, 18).map(lambda exponent: 10**exponent)
sizes = st.floats(7, 12).map(lambda exponent: 10**exponent)
ratios = st.floats(0, 4).map(lambda exponent: 10**exponent)


@given(law=laws, C=budgets, served=demands)
def test_the_choice_keeps_the_loss_and_meets_its_condition(law, C, served):
    loss = float(sl.compute_optimal(law, C).loss)
    best = inference_optimal(law, loss, served)
    N, D = best.chosen.N, best.chosen.D
    assert best.chosen.loss == pytest.approx(loss, rel=1e-10)
    assert overtraining.term_ratio(law, N, D) == pytest.approx(1 + served / (3 * D), rel=1e-9)
    assert 0 < N / best.baseline.N <= 1 + 1e-5
    assert best.data_ratio >= 1 - 1e-5
    assert -1e-9 <= best.saving < 1


@given(law=laws, C=budgets, served=demands, factor=st.floats(0.2, 5))
def test_no_other_size_costs_less(law, C, served, factor):
    best = inference_optimal(law, sl.compute_optimal(law, C).loss, served)
    other = sl.isoloss_curve(law, best.chosen.loss, factor * best.chosen.N)
    cost = optimum.lifetime_flops(other.N, other.D, served)
    assert cost >= best.flops * (1 - 1e-9)


@given(law=laws, C=budgets)
def test_without_demand_the_choice_is_compute_optimal(law, C):
    loss = sl.compute_optimal(law, C).loss
    best = inference_optimal(law, loss, 0.0)
    assert pytest.approx(best.baseline.N, rel=1e-6) == best.chosen.N
    assert best.saving == pytest.approx(0, abs=1e-6)


@given(law=laws, C=budgets, served=demands)
def test_more_demand_wants_a_smaller_model_and_saves_more(law, C, served):
    loss = sl.compute_optimal(law, C).loss
    less, more = (inference_optimal(law, loss, s) for s in (served, 3 * served))
    assert more.chosen.N <= less.chosen.N
    assert more.saving >= less.saving - 1e-12


@given(law=laws, C=budgets, served=demands)
def test_the_run_chosen_implies_the_demand_it_was_chosen_for(law, C, served):
    best = inference_optimal(law, sl.compute_optimal(law, C).loss, served)
    implied = overtraining.implied_inference(law, best.chosen.N, best.chosen.D)
    # The difference of two nearly equal terms: exact to rounding of the terms, not of itself.
    assert implied * best.chosen.D == pytest.approx(served, rel=1e-8, abs=1e-8 * best.chosen.D)


@given(law=laws, N=sizes, M=ratios, factor=st.floats(1.01, 10))
def test_at_break_even_both_models_cost_the_same(law, N, M, factor):
    larger = sl.isoflop_curve(law, 6 * (factor * N) ** 2 * M, factor * N)
    smaller = sl.isoloss_curve(law, larger.loss, N)
    tokens = overtraining.break_even_tokens(N, smaller.D, against=larger)
    if np.isinf(smaller.D):
        assert np.isinf(tokens)
    elif tokens > 0:
        costs = (
            optimum.lifetime_flops(N, smaller.D, tokens),
            optimum.lifetime_flops(larger.N, larger.D, tokens),
        )
        assert costs[0] == pytest.approx(costs[1], rel=1e-7)
    else:
        assert smaller.C <= larger.C


@given(law=laws, D=budgets)
def test_every_doubling_gains_and_gains_less(law, D):
    first, second = overtraining.gain_per_doubling(law, [D, 2 * D])
    assert first > second > 0
    assert second / first == pytest.approx(2**-law.beta, rel=1e-9)


@given(scale=st.floats(0.3, 5), count=st.integers(2, 6))
def test_the_best_bits_grow_with_the_decay_and_the_number_of_factors(scale, count):
    bits = best_bits([scale] * count)
    assert bits == pytest.approx(scale * best_bits([1.0] * count), rel=1e-9)
    assert best_bits([scale] * (count + 1)) > bits
    worth = replace(published.law("kumar2024/precision"), gammas=(scale,) * count)
    grid = bits * np.array([0.97, 1.0, 1.03])
    per_bit = worth.effective_params(1.0, bits=grid) / grid
    assert per_bit.argmax() == 1
