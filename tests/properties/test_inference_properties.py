"""Identities of repeated sampling and of what answers cost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta as beta_law
from scipy.stats import binom, hypergeom

import scalinglib as sl
from scalinglib.inference import (
    ExponentiatedPowerLaw,
    LogLinear,
    log_depth,
    pass_at_k,
    plug_in_bias,
    plug_in_pass_at_k,
)
from scalinglib.serving import Plan, break_even_queries, parity_tokens
from scalinglib.success_rates import BetaBinomial, fit_beta_binomial
from scalinglib.tradeoff import CoverageLaw

drawn = st.integers(1, 400)
shares = st.floats(0.0, 1.0)
rates = st.builds(BetaBinomial, alpha=st.floats(0.05, 5.0), beta=st.floats(0.1, 200.0))
plans = st.builds(
    Plan, N=st.floats(1e7, 1e12), D=st.floats(1e9, 1e14), T=st.floats(1, 1e5),
    samples=st.floats(1, 1e4),
)  # fmt: skip
laws = st.builds(
    CoverageLaw,
    a=st.builds(sl.PowerLaw, A=st.floats(20, 100), alpha=st.floats(0.05, 0.15)),
    b=st.builds(sl.PowerLaw, A=st.floats(0.03, 0.1), alpha=st.floats(-0.1, -0.02)),
    law=st.just(sl.published.EPOCH_2024),
    D=st.just(3e11),
)


@given(n=drawn, share=shares, part=shares)
def test_pass_at_k_is_the_hypergeometric_chance(n, share, part):
    c, k = round(share * n), max(1, round(part * n))
    chance = 1 - hypergeom.pmf(0, n, c, k)
    assert pass_at_k(n, c, k) == pytest.approx(chance, abs=1e-9)


@given(n=drawn, share=shares)
def test_ends_of_pass_at_k(n, share):
    c = round(share * n)
    assert pass_at_k(n, c, 1) == pytest.approx(c / n, abs=1e-12)
    assert pass_at_k(n, c, n) == (1.0 if c else 0.0)


@given(n=st.integers(2, 400), share=shares)
def test_more_tries_never_hurt(n, share):
    found = pass_at_k(n, round(share * n), np.arange(1, n + 1))
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()
    assert (plug_in_pass_at_k(n, round(share * n), np.arange(1, n + 1)) <= found + 1e-9).all()


@given(n=st.integers(1, 60), p=st.floats(0.01, 0.99), part=shares)
def test_pass_at_k_has_no_bias_and_the_plug_in_has(n, p, part):
    k = max(1, round(part * n))
    successes = np.arange(n + 1)
    truth = 1 - (1 - p) ** k
    assert np.sum(binom.pmf(successes, n, p) * pass_at_k(n, successes, k)) == pytest.approx(
        truth, abs=1e-9
    )
    assert plug_in_bias(p, n, k) <= 0


@given(a=st.floats(0.1, 10), b=st.floats(0.05, 1.5), k=st.floats(1, 1e6))
def test_the_power_law_is_a_line_in_its_depth(a, b, k):
    curve = ExponentiatedPowerLaw(a, b)
    assert 0 <= curve.value(k) <= curve.value(2 * k) <= 1
    if 1e-300 < curve.value(k) < 1 - 1e-9:
        assert log_depth(curve.value(k)) == pytest.approx(np.log(a) - b * np.log(k), abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(a=st.floats(0.5, 9), b=st.floats(0.1, 0.8))
def test_the_power_law_is_recovered(a, b):
    k = np.logspace(0, 4, 30)
    fit = sl.fit_curve(ExponentiatedPowerLaw, k, ExponentiatedPowerLaw(a, b).value(k))
    assert fit.params.to_numpy() == pytest.approx((a, b), rel=1e-6)


@given(start=st.floats(-1, 1), gain=st.floats(0.01, 1))
def test_the_line_gains_alike_by_doubling(start, gain):
    line = LogLinear(start, gain)
    assert line.value(64.0) - line.value(32.0) == pytest.approx(gain)
    assert line.value(line.reaches(0.7)) == pytest.approx(0.7)


@settings(max_examples=30, deadline=None)
@given(one=rates, k=st.integers(1, 200))
def test_beta_coverage_is_the_mean_over_rates(one, k):
    share = (np.arange(20000) + 0.5) / 20000
    p = beta_law.ppf(share, one.alpha, one.beta)
    assert one.coverage(k) == pytest.approx(np.mean(1 - (1 - p) ** k), abs=2e-3)
    assert one.coverage(1) == pytest.approx(one.mean)


@given(one=rates)
def test_unsolved_problems_tend_to_their_power_law(one):
    k = 1e9
    assert 1 - one.coverage(k) == pytest.approx(one.unsolved(k), rel=1e-4, abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(alpha=st.floats(0.2, 1.0), beta=st.floats(2.0, 40.0))
def test_the_tail_is_recovered_from_many_problems(alpha, beta):
    share = (np.arange(600) + 0.5) / 600
    p = beta_law.ppf(share, alpha, beta)
    counts = pd.DataFrame({"n_samples": 100_000, "n_correct": np.round(1e5 * p)})
    fit = fit_beta_binomial(counts)
    assert fit.rates.alpha == pytest.approx(alpha, rel=0.1)


@given(plan=plans, Q=st.floats(1, 1e14))
def test_serving_is_linear_and_training_is_paid_once(plan, Q):
    assert plan.lifetime(0) == plan.training
    once, twice = plan.lifetime(Q) - plan.training, plan.lifetime(2 * Q) - plan.training
    assert twice == pytest.approx(2 * once, rel=1e-6, abs=1e-6 * plan.training)


@given(first=plans, second=plans)
def test_plans_cost_alike_at_the_break_even(first, second):
    demand = break_even_queries(first, second)
    assert demand == break_even_queries(second, first)
    if np.isfinite(demand):
        assert first.lifetime(demand) == pytest.approx(float(second.lifetime(demand)), rel=1e-6)


@given(N=st.floats(1e8, 1e12), T=st.floats(1, 1e5), other=st.floats(1e8, 1e12))
def test_parity_goes_both_ways(N, T, other):
    assert parity_tokens(other, parity_tokens(N, T, other=other), other=N) == pytest.approx(T)


@settings(max_examples=40, deadline=None)
@given(law=laws, N=st.floats(1e8, 1e10), goal=st.floats(0.2, 0.8), k=st.floats(10, 1e4))
def test_each_move_reaches_what_was_wanted(law, N, goal, k):
    samples = law.samples_needed(goal, N)
    if samples > 1:
        assert law.coverage(N, law.D, samples) == pytest.approx(goal)
    size = law.size_needed(goal, k)
    assert np.isinf(size) or law.coverage(size, law.D, k) == pytest.approx(goal)
    tokens = law.tokens_needed(goal, N, k)
    if np.isfinite(tokens) and tokens < 1e20:
        assert law.coverage(N, tokens, k) == pytest.approx(goal, abs=1e-6)
    assert law.equivalent_size(N, law.D) == pytest.approx(N)
