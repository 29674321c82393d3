"""What an inference-aware choice, an over-trained law and a precision law must satisfy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import lifetime, overtraining
from scalinglib.precision import best_bits
from scalinglib.published.overtraining import KUMAR_2024

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
    best = lifetime.inference_optimal(law, loss, served)
    N, D = best.chosen.N, best.chosen.D
    assert best.chosen.loss == pytest.approx(loss, rel=1e-10)
    assert lifetime.term_ratio(law, N, D) == pytest.approx(1 + served / (3 * D), rel=1e-9)
    assert 0 < best.size_ratio <= 1 + 1e-5
    assert best.data_ratio >= 1 - 1e-5
    assert -1e-9 <= best.saving < 1


@given(law=laws, C=budgets, served=demands, factor=st.floats(0.2, 5))
def test_no_other_size_costs_less(law, C, served, factor):
    best = lifetime.inference_optimal(law, sl.compute_optimal(law, C).loss, served)
    other = sl.isoloss_curve(law, best.chosen.loss, factor * best.chosen.N)
    cost = lifetime.lifetime_flops(other.N, other.D, served)
    assert cost >= best.flops * (1 - 1e-9)


@given(law=laws, C=budgets)
def test_without_demand_the_choice_is_compute_optimal(law, C):
    loss = sl.compute_optimal(law, C).loss
    best = lifetime.inference_optimal(law, loss, 0.0)
    assert pytest.approx(best.baseline.N, rel=1e-6) == best.chosen.N
    assert best.saving == pytest.approx(0, abs=1e-6)


@given(law=laws, C=budgets, served=demands)
def test_more_demand_wants_a_smaller_model_and_saves_more(law, C, served):
    loss = sl.compute_optimal(law, C).loss
    less, more = (lifetime.inference_optimal(law, loss, s) for s in (served, 3 * served))
    assert more.chosen.N <= less.chosen.N
    assert more.saving >= less.saving - 1e-12


@given(law=laws, C=budgets, served=demands)
def test_the_run_chosen_implies_the_demand_it_was_chosen_for(law, C, served):
    best = lifetime.inference_optimal(law, sl.compute_optimal(law, C).loss, served)
    implied = lifetime.implied_inference(law, best.chosen.N, best.chosen.D)
    # The difference of two nearly equal terms: exact to rounding of the terms, not of itself.
    assert implied * best.chosen.D == pytest.approx(served, rel=1e-8, abs=1e-8 * best.chosen.D)


@given(law=laws, N=sizes, M=ratios, factor=st.floats(1.01, 10))
def test_at_break_even_both_models_cost_the_same(law, N, M, factor):
    larger = sl.isoflop_curve(law, 6 * (factor * N) ** 2 * M, factor * N)
    smaller = sl.isoloss_curve(law, larger.loss, N)
    tokens = lifetime.break_even_tokens(N, smaller.D, against=larger)
    if np.isinf(smaller.D):
        assert np.isinf(tokens)
    elif tokens > 0:
        costs = (
            lifetime.lifetime_flops(N, smaller.D, tokens),
            lifetime.lifetime_flops(larger.N, larger.D, tokens),
        )
        assert costs[0] == pytest.approx(costs[1], rel=1e-7)
    else:
        assert smaller.C <= larger.C


@given(law=laws, D=budgets)
def test_every_doubling_gains_and_gains_less(law, D):
    first, second = overtraining.gain_per_doubling(law, [D, 2 * D])
    assert first > second > 0
    assert second / first == pytest.approx(2**-law.beta, rel=1e-9)


over = st.builds(
    overtraining.OvertrainingLaw,
    E=st.floats(0.5, 3),
    a=st.floats(50, 500),
    b=st.floats(50, 500),
    eta=st.floats(0.08, 0.3),
)


@given(law=over, N=sizes, M=ratios)
def test_compute_and_ratio_are_another_way_to_write_params_and_tokens(law, N, M):
    assert law.loss(6 * N * N * M, M) == pytest.approx(law.chinchilla.loss(N, N * M), rel=1e-12)
    again = overtraining.OvertrainingLaw.of(law.chinchilla)
    assert (again.a, again.b, again.eta) == pytest.approx((law.a, law.b, law.eta), rel=1e-12)


@given(law=over, C=budgets)
def test_the_optimal_ratio_is_that_of_the_same_law(law, C):
    best = sl.compute_optimal(law.chinchilla, C)
    assert best.tokens_per_param == pytest.approx(law.optimal_ratio, rel=1e-9)


@given(law=over, N=sizes, M=ratios)
def test_the_exponent_in_compute_is_the_same_at_every_ratio(law, N, M):
    C = 6 * N * N * M
    fall = (law.loss(4 * C, M) - law.E) / (law.loss(C, M) - law.E)
    assert fall == pytest.approx(4**-law.eta, rel=1e-6)


@settings(max_examples=25)
@given(law=over)
def test_a_law_is_recovered_from_its_own_losses(law):
    runs = pd.DataFrame({"params": [1e7, 8e7, 1.5e8, 4e8, 1e7]})
    runs["tokens"] = runs.params * [20, 20, 20, 20, 320]
    runs["loss"] = law.chinchilla.loss(runs.params, runs.tokens)
    fit = overtraining.fit_overtraining(runs)
    assert fit.law.eta == pytest.approx(law.eta, rel=1e-4)
    assert pytest.approx(law.E, abs=1e-3) == fit.law.E
    assert fit.objective < 1e-16


@given(N=sizes, M=ratios, bits=st.floats(2, 12))
def test_rounding_hurts_more_with_fewer_bits_and_more_tokens(N, M, bits):
    base = KUMAR_2024.penalty(N, N * M, bits=bits)
    assert KUMAR_2024.penalty(N, N * M, bits=bits + 1) < base
    assert KUMAR_2024.penalty(N, 2 * N * M, bits=bits) > base
    assert KUMAR_2024.penalty(N, N * M, bits=np.inf) == 0


@given(N=sizes, bits=st.floats(2, 8))
def test_more_tokens_help_up_to_the_critical_number(N, bits):
    D = float(KUMAR_2024.critical_tokens(N, bits=bits))
    below, at, above = KUMAR_2024.loss(N, D * np.array([0.8, 1.0, 1.25]), bits=bits)
    assert at <= below
    assert at <= above


@given(scale=st.floats(0.3, 5), count=st.integers(2, 6))
def test_the_best_bits_grow_with_the_decay_and_the_number_of_factors(scale, count):
    bits = best_bits([scale] * count)
    assert bits == pytest.approx(scale * best_bits([1.0] * count), rel=1e-9)
    assert best_bits([scale] * (count + 1)) > bits
    worth = replace(KUMAR_2024, gammas=(scale,) * count)
    grid = bits * np.array([0.97, 1.0, 1.03])
    per_bit = worth.effective_params(1.0, bits=grid) / grid
    assert per_bit.argmax() == 1
