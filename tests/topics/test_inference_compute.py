"""Repeated sampling and serving: oracles, and bad input refused."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import poch
from scipy.stats import beta as beta_law
from scipy.stats import betabinom, binom

import scalinglib as sl
from scalinglib.laws import ExponentiatedPowerLaw, LogLinear, log_depth
from scalinglib.topics import inference_compute as topic
from scalinglib.topics.inference_compute import (
    BetaBinomial,
    CoverageLaw,
    Plan,
    break_even_queries,
    fit_beta_binomial,
    pass_at_k,
    plug_in_bias,
    plug_in_pass_at_k,
)
from tests.examples import few

COUNTS = pd.DataFrame({"n_samples": 100, "n_correct": [0, 0, 0, 1, 2, 5, 20, 60]})
LAW = topic.CoverageLaw(
    a=sl.PowerLaw(A=36.6, alpha=0.093), b=sl.PowerLaw(A=0.068, alpha=-0.074),
    law=sl.published.EPOCH_2024, D=3e11,
)  # fmt: skip
RANGES = {"sizes": (1.6e8, 1.2e10), "tokens": (3e10, 3e13), "most_samples": 1e4}


def test_scipys_likelihood_is_the_oracle():
    fit = topic.fit_beta_binomial(COUNTS)

    def objective(x):
        return -betabinom.logpmf(COUNTS.n_correct, COUNTS.n_samples, *np.exp(x)).sum()

    found = minimize(objective, [0.0, 0.0], method="Nelder-Mead",
                     options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000})  # fmt: skip
    assert (fit.rates.alpha, fit.rates.beta) == pytest.approx(np.exp(found.x), rel=1e-4)


def test_standard_errors_agree_with_the_curvature_of_the_likelihood():
    fit = topic.fit_beta_binomial(COUNTS)
    at = np.array([fit.rates.alpha, fit.rates.beta])
    step = 1e-3 * at

    def loglik(x):
        return betabinom.logpmf(COUNTS.n_correct, COUNTS.n_samples, *x).sum()

    bend = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            e, f = np.eye(2)[i] * step, np.eye(2)[j] * step
            bend[i, j] = (
                loglik(at + e + f) - loglik(at + e - f) - loglik(at - e + f) + loglik(at - e - f)
            ) / (4 * step[i] * step[j])
    expected = np.sqrt(np.diag(np.linalg.inv(-bend)))
    assert (fit.alpha_se, fit.beta_se) == pytest.approx(expected, rel=1e-3)


def test_thinning_keeps_the_rate_on_average():
    found = [topic.thinned(COUNTS, 10, seed=s).n_correct.sum() for s in range(400)]
    assert np.mean(found) == pytest.approx(COUNTS.n_correct.sum() / 10, rel=0.02)
    again = topic.thinned(COUNTS, 10, seed=3).n_correct
    assert again.equals(topic.thinned(COUNTS, 10, seed=3).n_correct)


def test_a_fallible_checker_by_simulation():
    counts = pd.DataFrame({"n_samples": [100], "n_correct": [5]})
    generator = np.random.default_rng(0)
    right = generator.random((40_000, 20)) < 0.05
    accepted = right | (generator.random(right.shape) < 0.1)
    first = accepted.argmax(axis=1)
    share = np.mean(right[np.arange(len(right)), first] & accepted.any(axis=1))
    found = topic.answered(counts, 20, false_accept=0.1)
    assert found == pytest.approx(share, abs=0.01)


def test_ends_of_the_checker():
    k = [1, 10, 1000]
    plug_in = topic.plug_in_pass_at_k(100, COUNTS.n_correct.to_numpy()[:, None], k).mean(axis=0)
    assert topic.answered(COUNTS, k, false_accept=0) == pytest.approx(plug_in)
    blind = topic.answered(COUNTS, k, false_accept=1)
    assert blind == pytest.approx(np.full(3, COUNTS.n_correct.mean() / 100))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: topic.pass_at_k(100, 1, 1000), sl.DataError, "only 100 samples"),
        (lambda: topic.pass_at_k(100, 1, 0), sl.DataError, "k must be whole numbers of 1"),
        (lambda: topic.pass_at_k(100, 1, 2.5), sl.DataError, "k must be whole numbers"),
        (lambda: topic.pass_at_k(10, 11, 1), sl.DataError, "n_correct exceeds n_samples"),
        (lambda: topic.pass_at_k(10, -1, 1), sl.DataError, "n_correct must be whole numbers"),
        (lambda: topic.pass_at_k(10, np.nan, 1), sl.DataError, "n_correct must be whole"),
        (lambda: topic.pass_at_k("ten", 1, 1), sl.DataError, "n_samples must hold numbers"),
        (lambda: topic.plug_in_bias(1.5, 10, [1]), sl.DataError, "rate must be a chance"),
        (lambda: topic.answered(COUNTS, 1, false_accept=2), sl.DataError, "false_accept must be"),
        (lambda: topic.answered(COUNTS, 0, false_accept=0), sl.DataError, "k must be 1 or"),
        (lambda: topic.sample_grid(0), sl.DataError, "largest must be 1 or more"),
        (lambda: topic.coverage(COUNTS[["n_samples"]], 1), sl.DataError, "no column"),
        (lambda: topic.coverage(COUNTS[:0], 1), sl.DataError, "counts is empty"),
        (lambda: topic.thinned(COUNTS, 101, seed=0), sl.DataError, "within 1 to 100"),
        (lambda: topic.fit_beta_binomial(COUNTS.assign(n_correct=0)), sl.FitError, "no s"),
        (lambda: topic.fit_beta_binomial(COUNTS.assign(n_correct=100)), sl.FitError,
         "every sample"),
        (lambda: topic.fit_beta_binomial(COUNTS.assign(n_correct=50)), sl.FitError,
         "no more than chance"),
        (lambda: topic.BetaBinomial(0.3, 12.0).coverage(0), sl.DataError, "k must be pos"),
        (lambda: topic.query_flops(-1, 10), sl.DataError, "N must be positive"),
        (lambda: topic.Plan(1e9, 1e10, 10).lifetime(-1), sl.DataError, "Q must be 0 or more"),
        (lambda: topic.best_buys({}, [1.0]), sl.DataError, "curves is empty"),
        (lambda: LAW.samples_needed(1.0, 1e9), sl.DataError, "coverage must lie between"),
        (lambda: topic.cheapest_plan(LAW, 0.999, queries=1e6, T=500, **RANGES), sl.DataError,
         "no plan within the ranges"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_models_must_share_their_problems():
    counts = pd.DataFrame({"model": ["a", "a", "b"], "problem_idx": [0, 1, 0],
                           "n_samples": 10, "n_correct": 1})  # fmt: skip
    with pytest.raises(sl.DataError, match="model 'b' lacks problems"):
        topic.bootstrap_coverage(counts, 1)


@pytest.mark.parametrize("queries", [1e4, 1e8, 1e12])
def test_no_other_plan_is_cheaper(queries):
    best = topic.cheapest_plan(LAW, 0.5, queries=queries, T=500, **RANGES)
    generator = np.random.default_rng(0)
    N = np.exp(generator.uniform(*np.log(RANGES["sizes"]), 4000))
    D = np.exp(generator.uniform(*np.log(RANGES["tokens"]), 4000))
    k = LAW.samples_needed(0.5, N, D)
    cost = 6 * N * D + queries * topic.query_flops(N, 500, samples=k)
    assert best.lifetime(queries) <= cost[k <= RANGES["most_samples"]].min() * (1 + 1e-9)
    assert LAW.coverage(best.N, best.D, best.samples) >= 0.5 - 1e-9


def test_demand_moves_compute_into_training():
    few, many = (
        topic.cheapest_plan(LAW, 0.5, queries=queries, T=500, **RANGES) for queries in (1e4, 1e10)
    )
    assert few.training < many.training
    assert few.per_query > many.per_query


def test_where_a_bigger_model_is_the_better_buy():
    N = 1e9
    turn = LAW.turning_samples(N)
    step = 1e-6

    def gains(k):
        at = np.log(-np.log(LAW.coverage(N, LAW.D, k)))
        more = np.log(-np.log(LAW.coverage(N, LAW.D, k * (1 + step))))
        bigger = np.log(-np.log(LAW.coverage(N * (1 + step), LAW.D, k)))
        return at - more, at - bigger

    more, bigger = gains(turn)
    assert more == pytest.approx(bigger, rel=1e-4)
    more, bigger = gains(turn / 10)
    assert more > bigger


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
    chance = 1 - comb(n - c, k) / comb(n, k)
    assert pass_at_k(n, c, k) == pytest.approx(chance, abs=1e-12)


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


@given(one=rates, k=st.integers(1, 200))
def test_beta_coverage_is_the_mean_over_rates(one, k):
    share = (np.arange(20000) + 0.5) / 20000
    p = beta_law.ppf(share, one.alpha, one.beta)
    assert one.coverage(k) == pytest.approx(np.mean(1 - (1 - p) ** k), abs=2e-3)
    assert one.coverage(1) == pytest.approx(one.mean)


@given(one=rates)
def test_unsolved_problems_tend_to_their_power_law(one):
    k = 1e9
    expected = poch(one.beta, one.alpha) * k**-one.alpha
    assert 1 - one.coverage(k) == pytest.approx(expected, rel=1e-4, abs=1e-12)


@few
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


def test_verdicts_of_a_checker_by_simulation():
    counts = pd.DataFrame({"n_samples": 10, "n_correct": [1, 4]})
    right, wrong = topic.verdicts(counts, 6, false_accept=0.2, true_accept=0.8)
    rng = np.random.default_rng(0)
    outcomes = []
    for rate in (0.1, 0.4):
        good = rng.random((200_000, 6)) < rate
        taken = rng.random((200_000, 6)) < np.where(good, 0.8, 0.2)
        first = good[np.arange(len(good)), taken.argmax(axis=1)]
        outcomes.append((np.mean(taken.any(axis=1) & first), np.mean(taken.any(axis=1) & ~first)))
    assert (right, wrong) == pytest.approx(tuple(np.mean(outcomes, axis=0)), abs=4e-3)


def test_the_limit_of_a_checker_is_its_share_of_right_among_accepted():
    p = COUNTS.n_correct / COUNTS.n_samples
    p = p[p > 0]
    limit = (0.9 * p / (0.9 * p + 0.05 * (1 - p))).sum() / len(COUNTS)
    found = topic.answered(COUNTS, np.inf, false_accept=0.05, true_accept=0.9)
    assert found == pytest.approx(limit, abs=1e-12)


def test_a_majority_helps_above_one_half_and_hurts_below():
    likely = pd.DataFrame({"n_samples": 100, "n_correct": [60]})
    unlikely = pd.DataFrame({"n_samples": 100, "n_correct": [40]})
    votes = [1, 3, 11, 101, 2001]
    assert (np.diff(topic.majority(likely, votes)) > 0).all()
    assert (np.diff(topic.majority(unlikely, votes)) < 0).all()
    assert topic.majority(likely, [1, 2001]) == pytest.approx([0.6, 1.0], abs=1e-6)
    # Two of two are needed, since one is only half.
    assert topic.majority(likely, 2) == pytest.approx(0.36)


def test_a_plurality_needs_more_than_the_largest_rival():
    counts = pd.DataFrame({"n_samples": 100, "n_correct": [0, 10, 30, 60]})
    found = topic.plurality_limit(counts, [0, 0.1, 0.12, 0.5, 1])
    assert found.tolist() == [0.75, 0.75, 0.5, 0.25, 0.25]


class TestReinforcement:
    x = np.linspace(38.0, 46.0, 12)

    def test_a_power_law_is_forecast_exactly_by_its_own_form(self):
        table = topic.forecast_errors(self.x, np.exp(3 - 0.1 * self.x), seen=8)
        assert table.loc["power law", ["inside", "ahead"]].max() < 1e-9
        assert table.loc["with a floor", "ahead"] < 1e-6
        last = table.loc["last value seen"]
        assert last["last"] == pytest.approx(0.1 * (self.x[-1] - self.x[7]))

    def test_a_sigmoid_in_its_whole_is_found(self):
        error = 1 - (0.1 + 0.5 / (1 + np.exp(-1.5 * (self.x - 40))))
        table = topic.forecast_errors(self.x, error, seen=8, start=0.9)
        assert table.loc[["sigmoid", "sigmoid, start held"], "ahead"].max() < 1e-4
        assert table.loc["power law", "ahead"] > 0.01

    def test_slopes_of_two_sizes_give_both_constants(self):
        law = topic.SharedSlope(top=0.13, half=1.3e10)
        sizes = (1e9, 7e9, 7e10)
        curves = [(N, self.x, level - law.slope(N) * self.x) for level, N in enumerate(sizes)]
        found = topic.fit_shared_slope(curves)
        assert (found.top, found.half) == pytest.approx((0.13, 1.3e10), rel=1e-3)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: topic.forecast_errors([1, 2], [0.5, 0.4], seen=2), "seen must leave points"),
            (lambda: topic.forecast_errors([1, 2], [0.5, -1], seen=1), "error must be positive"),
            (lambda: topic.fit_shared_slope([(1e9, [1.0], [1.0])]), "1 curve has one slope"),
        ],
    )
    def test_bad_input(self, call, message):
        with pytest.raises(sl.DataError, match=message):
            call()
