"""What the modules on reward models refuse, and the sentences they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import ndtr
from scipy.stats import laplace, norm
from scipy.stats import t as student

import scalinglib as sl
from scalinglib.laws import BestOfNLaw, ReinforcementLaw
from scalinglib.topics import reward_models


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reward_models.kl_best_of_n(0.5), "n must be 1 or more, got 0.5"),
        (lambda: reward_models.kl_best_of_n("many"), "n must hold numbers only"),
        (lambda: reward_models.kl_best_of_n(np.nan), "n must be 1 or more, got nan"),
        (lambda: reward_models.n_for_kl(-1), "kl must be 0 or more"),
        (lambda: reward_models.n_for_kl(701), "kl must be 700 nats or less, got 701"),
        (
            lambda: reward_models.kl_best_of_n_discrete([0.5, 0.0], 2),
            "probabilities must be positive",
        ),
        (lambda: reward_models.kl_best_of_n_discrete([], 2), "must hold at least 1"),
        (lambda: reward_models.kl_best_of_n_discrete([0.5, 0.5], 0), "n must be 1 or more"),
        (lambda: reward_models.normal_maximum(1e16), "n must be 1e15 or less"),
        (
            lambda: reward_models.simulated_kl(4, draws=1, rng=np.random.default_rng(0)),
            "draws must be 2 or more",
        ),
        (lambda: reward_models.best_of_n_estimate([1, 2], [1], 1), "proxy has 2, gold has 1"),
        (lambda: reward_models.best_of_n_estimate([], [], 1), "proxy must hold at least 1 values"),
        (lambda: reward_models.best_of_n_estimate(["a"], [1], 1), "proxy must hold numbers only"),
        (lambda: reward_models.best_of_n_estimate([1, np.nan], [1, 2], 1), "nan at position 1"),
        (
            lambda: reward_models.best_of_n_estimate([1, 2], [1, 2], 3),
            "from 1 to the 2 samples, got 3",
        ),
        (lambda: reward_models.best_of_n_estimate([1, 2], [1, 2], 1.5), "whole number"),
        (
            lambda: reward_models.best_of_n_by_enumeration(range(21), range(21), 2),
            "too many subsets",
        ),
        (lambda: reward_models.regressional_gold(1, gold_sd=0, error_sd=1), "gold_sd must be"),
        (lambda: reward_models.regressional_gold(1, gold_sd=1, error_sd=-1), "error_sd must be 0"),
        (lambda: BestOfNLaw(0.5, 0.1).reward(-1), "kl must be 0 or more, got -1"),
        (lambda: BestOfNLaw(0.5, 0.0).peak(), "beta is 0, so the curve never"),
        (lambda: ReinforcementLaw(-0.5, 0.1).peak(), "alpha is -0.5"),
        (lambda: reward_models.accuracy_bounds(0.7), "loss must be ln 2 or less"),
        (lambda: reward_models.accuracy_bounds(-0.1), "loss must be 0 or more"),
        (lambda: reward_models.loss_bounds(0.4), "accuracy must be 0.5 or more"),
        (lambda: reward_models.loss_bounds(1.1), "1 - accuracy must be 0 or more"),
        (lambda: reward_models.gold_best_of_n(norm(), 0.5), "n must be 1 or more"),
        (lambda: reward_models.regularised(norm(), 0, most=9), "kl must be positive"),
        (lambda: reward_models.regularised(norm(), 1, most=-9), "most must be positive"),
        (lambda: reward_models.AlignmentProduct(0.3, 0.7).gain(data=0), "data must be positive"),
        (
            lambda: reward_models.fit_size_trend([1, 2, 3], [1, 2], reference=1),
            "different lengths: params has 3, values has 2",
        ),
        (lambda: reward_models.fit_size_trend([1, 2, 3], [1, 2, 3], reference=1, per=1), "above 1"),
        (
            lambda: reward_models.fit_size_trend([1, 10, 100], [1, 2, 1], reference=1).params_at(2),
            "the line is flat",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


@pytest.mark.parametrize(
    ("params", "values", "message"),
    [
        ([1e6, 1e9, 1e9], [1, 2, 3], "2 different sizes"),
        ([1e6, 1e7, 1e9], [1, 1, 1], "values is 1 in every row"),
    ],
)
def test_what_makes_no_trend(params, values, message):
    with pytest.raises(sl.FitError, match=message):
        reward_models.fit_size_trend(params, values, reference=1e6)


def test_a_rare_best_answer_is_found_by_many_samples():
    p, n = 1e-20, 1e20
    won = -np.expm1(-1.0)
    kl = won * np.log(won / p) + (1 - won) * np.log(1 - won)
    assert reward_models.kl_best_of_n_discrete([1.0, p], n) == pytest.approx(kl, rel=1e-9)
    # An answer too rare to be told from its neighbour adds nothing, and says nothing.
    assert reward_models.kl_best_of_n_discrete([1.0, p, 1.0], 2) == pytest.approx(
        float(reward_models.kl_best_of_n_discrete([1.0, 1.0], 2)), rel=1e-12
    )


def test_ties_in_the_proxy_are_shared():
    assert reward_models.best_of_n_estimate([1, 1], [0.0, 4.0], 2) == 2.0


def test_the_estimator_keeps_the_shape_of_n():
    n = np.array([[1, 2], [3, 4]])
    assert reward_models.best_of_n_estimate(range(5), range(5), n).shape == (2, 2)


def test_many_samples_and_large_n():
    proxy = np.arange(100_000.0)
    won = reward_models.best_of_n_estimate(proxy, proxy, [1, 50_000, 100_000])
    # The mean of the largest of n ranks out of N is n (N + 1)/(n + 1), here counted from zero.
    n = np.array([1, 50_000, 100_000])
    assert won == pytest.approx(n * 100_001 / (n + 1) - 1, rel=1e-9)


def test_simulation_depends_on_the_generator_alone():
    runs = [
        reward_models.simulated_kl(16, draws=50, rng=np.random.default_rng(3)) for _ in range(2)
    ]
    assert runs[0] == runs[1]


def test_bins_outside_the_edges_are_left_out():
    table = reward_models.binned_gold([-5, 0.2, 0.4, 9], [1, 2, 4, 8], edges=[0, 1])
    assert table.gold.tolist() == [3.0]
    assert table["count"].tolist() == [2]


def test_laws_are_equal_whatever_their_source():
    assert BestOfNLaw(1, 2) == BestOfNLaw(1, 2, source="somewhere")


def test_certainty_and_chance_are_the_ends():
    assert reward_models.accuracy_bounds(0.0) == (1.0, 1.0)
    assert reward_models.accuracy_bounds(reward_models.CHANCE_LOSS) == (0.5, 0.5)


def test_a_trend_without_errors_has_no_misfit():
    line = reward_models.fit_size_trend([1e6, 1e7, 1e8], [1, 2, 2.5], reference=1e6)
    assert np.isnan(line.misfit)
    assert np.isnan(line.p)


coefficients = st.floats(0.05, 2.0)
counts = st.floats(1.0, 1e9)
divergences = st.floats(1e-9, 600.0)
scores = st.lists(st.integers(-3, 3), min_size=1, max_size=8)


@given(divergences)
def test_samples_and_divergence_are_inverse(kl):
    n = reward_models.n_for_kl(kl)
    assert float(reward_models.kl_best_of_n(n)) == pytest.approx(kl, rel=1e-6)


@given(counts, st.floats(1.001, 100))
def test_divergence_rises_with_n_and_stays_below_its_logarithm(n, factor):
    low, high = reward_models.kl_best_of_n([n, factor * n])
    assert 0 <= low < high < np.log(factor * n)


@given(st.integers(1, 500))
def test_divergence_is_the_integral_of_its_definition(n):
    def integrand(u):
        return n * u ** (n - 1) * (np.log(n) + (n - 1) * np.log(u)) if u > 0 else 0.0

    whole, _ = quad(integrand, 0, 1, points=[max(0.0, 1 - 5 / n)], limit=200)
    assert float(reward_models.kl_best_of_n(n)) == pytest.approx(whole, abs=1e-7)


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=12), st.integers(1, 10_000))
def test_finitely_many_answers_move_less(weights, n):
    p = np.array(weights) / sum(weights)
    found = float(reward_models.kl_best_of_n_discrete(p, n))
    above = np.append(np.cumsum(p)[:-1], 1.0)
    q = above**n - np.append(0.0, above[:-1]) ** n
    direct = sum(a * np.log(a / b) for a, b in zip(q, p, strict=True) if a > 0)
    assert found == pytest.approx(direct, abs=1e-9)
    assert -1e-12 <= found <= float(reward_models.kl_best_of_n(n)) + 1e-12
    assert found <= -np.log(p[-1]) + 1e-12


@given(st.integers(1, 50))
def test_many_answers_approach_the_formula(n):
    found = float(reward_models.kl_best_of_n_discrete(np.ones(20_000), n))
    assert found == pytest.approx(float(reward_models.kl_best_of_n(n)), abs=1e-3)


@given(st.integers(1, 2000))
def test_the_best_normal_score_against_quadrature(n):
    def integrand(x):
        return x * n * np.exp(-x * x / 2) / np.sqrt(2 * np.pi) * ndtr(x) ** (n - 1)

    exact, _ = quad(integrand, -9, 9, limit=200)
    assert float(reward_models.normal_maximum(n)) == pytest.approx(exact, abs=1e-8)


def test_a_promise_starts_with_slope_one():
    n = np.array([1.0001, 1.001])
    ratio = reward_models.normal_promise(n) / np.sqrt(reward_models.kl_best_of_n(n))
    assert ratio == pytest.approx(1, abs=1e-3)


@given(scores, st.data())
def test_the_estimator_is_the_mean_over_all_subsets(proxy, data):
    gold = data.draw(st.lists(st.floats(-5, 5), min_size=len(proxy), max_size=len(proxy)))
    n = data.draw(st.integers(1, len(proxy)))
    listed = reward_models.best_of_n_by_enumeration(proxy, gold, n)
    assert float(reward_models.best_of_n_estimate(proxy, gold, n)) == pytest.approx(
        listed, abs=1e-12
    )


@given(scores, st.randoms(use_true_random=False))
def test_the_estimator_does_not_see_the_order(proxy, random):
    gold = [0.5 * k for k in range(len(proxy))]
    order = list(range(len(proxy)))
    random.shuffle(order)
    n = np.arange(1, len(proxy) + 1)
    first = reward_models.best_of_n_estimate(proxy, gold, n)
    second = reward_models.best_of_n_estimate(
        [proxy[k] for k in order], [gold[k] for k in order], n
    )
    assert second == pytest.approx(first, abs=1e-12)


@given(scores)
def test_the_best_proxy_rises_from_its_mean_to_its_maximum(proxy):
    values = reward_models.best_of_n_estimate(proxy, proxy, np.arange(1, len(proxy) + 1))
    assert values[0] == pytest.approx(np.mean(proxy), abs=1e-12)
    assert values[-1] == max(proxy)
    assert (np.diff(values) >= -1e-12).all()


@given(coefficients, coefficients)
def test_peak_of_best_of_n(alpha, beta):
    law = BestOfNLaw(alpha, beta)
    peak = law.peak()
    found = minimize_scalar(
        lambda d: -float(law.reward(d**2)), bounds=(0, 2 * np.sqrt(peak.kl)), method="bounded"
    )
    assert found.x == pytest.approx(np.sqrt(peak.kl), rel=1e-3)
    assert float(law.reward(peak.kl)) == pytest.approx(peak.reward, rel=1e-12)
    # The reward is back where it started at twice the distance.
    assert float(law.reward(4 * peak.kl)) == pytest.approx(0, abs=1e-9 * alpha / beta)


@given(st.floats(0.1, 1.0), st.floats(0.05, 0.5))
def test_peak_of_reinforcement(alpha, beta):
    law = ReinforcementLaw(alpha, beta)
    peak = law.peak()
    near = law.reward(peak.kl * np.array([0.998, 1.0, 1.002]))
    assert near[1] == pytest.approx(peak.reward, rel=1e-12)
    assert near[1] > max(near[0], near[2])


@given(st.floats(0.1, 1.0), st.floats(0.05, 0.5), st.floats(0.01, 1e3), st.integers(1, 9))
def test_restarts_add_what_the_law_says(alpha, beta, kl, k):
    # k rounds over a distance d/k each give d (alpha - beta ln d + beta ln k).
    law, d = ReinforcementLaw(alpha, beta), np.sqrt(kl)
    rounds = k * law.reward((d / k) ** 2)
    assert rounds == pytest.approx(law.reward(kl) + beta * d * np.log(k), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("kind", [BestOfNLaw, ReinforcementLaw])
@given(alpha=coefficients, beta=st.floats(0.02, 1.0))
def test_coefficients_are_recovered_without_noise(kind, alpha, beta):
    kl = np.array([0.0, 0.2, 1.0, 3.0, 6.0, 10.0])
    fit = sl.fit_curve(kind, kl, kind(alpha, beta).reward(kl))
    assert fit.params.tolist() == pytest.approx([alpha, beta], rel=1e-8)
    assert fit.agreement == 1


@given(coefficients, coefficients, st.floats(0, 1e-3), st.floats(0, 1e-3))
def test_errors_of_the_peak_are_its_derivatives(alpha, beta, alpha_sd, beta_sd):
    law, step = BestOfNLaw(alpha, beta), 1e-6
    moved = [
        [
            (p - m) / (2 * step)
            for p, m in zip(
                BestOfNLaw(alpha + a, beta + b).peak(),
                BestOfNLaw(alpha - a, beta - b).peak(),
                strict=True,
            )
        ]
        for a, b in ((step, 0.0), (0.0, step))
    ]
    expected = np.hypot(alpha_sd * np.array(moved[0]), beta_sd * np.array(moved[1]))
    found = law.peak_error(alpha_sd=alpha_sd, beta_sd=beta_sd)
    assert tuple(found) == pytest.approx(expected, rel=1e-3, abs=1e-12)


@given(st.floats(-1, 1), st.floats(0.01, 1), st.sampled_from([2.0, 10.0]))
def test_a_line_in_log_size_is_recovered(level, slope, per):
    params = np.array([1e6, 3e7, 1e9, 2e10])
    values = 5 + level + slope * np.log(params / 1e6) / np.log(per) / 20
    for se in (None, np.array([0.1, 0.2, 0.1, 0.3])):
        line = reward_models.fit_size_trend(params, values, reference=1e6, per=per, se=se)
        assert line.intercept == pytest.approx(5 + level, abs=1e-9)
        assert line.slope == pytest.approx(slope / 20, abs=1e-9)
        assert line.at(params) == pytest.approx(values, abs=1e-9)


@given(st.integers(0, 100))
def test_the_weighted_line_solves_its_normal_equations(seed):
    rng = np.random.default_rng(seed)
    params, values = np.geomspace(1e6, 1e9, 5), rng.uniform(1, 2, 5)
    se = rng.uniform(0.1, 0.3, 5)
    line = reward_models.fit_size_trend(params, values, reference=1e6, per=10, se=se)
    X = np.stack([np.log10(params / 1e6), np.ones(5)]) / se
    covariance = np.linalg.inv(X @ X.T)
    best = covariance @ X @ (values / se)
    assert [line.slope, line.intercept] == pytest.approx(best)
    assert [line.slope_se, line.intercept_se] == pytest.approx(np.sqrt(np.diag(covariance)))
    assert line.misfit == pytest.approx(np.sum((values / se - best @ X) ** 2))


@given(st.floats(0, float(np.log(2))))
def test_accuracy_bounds_hold_for_mixed_confidence(loss):
    low, high = reward_models.accuracy_bounds(loss)
    assert 0.5 <= low <= high <= 1

    def entropy(m):
        return sum(-p * np.log(p) for p in (m, 1 - m) if p > 0)

    assert entropy(high) == pytest.approx(loss, abs=1e-9)


@given(st.floats(0.1, 5), st.floats(0, 5), st.floats(-10, 10))
def test_error_shrinks_what_a_score_is_worth(gold_sd, error_sd, score):
    worth = float(reward_models.regressional_gold(score, gold_sd=gold_sd, error_sd=error_sd))
    assert abs(worth) <= abs(score)
    assert worth * score >= 0


@given(st.floats(0.1, 2), st.floats(0.1, 2), st.floats(0.01, 100))
def test_quality_makes_up_for_amount(data, quality, factor):
    law = reward_models.AlignmentProduct(data, quality)
    needed = law.quality_for(factor)
    assert float(law.gain(data=factor, quality=needed)) == pytest.approx(1, rel=1e-9)


def test_bounds_of_loss_and_of_accuracy_are_inverses():
    for accuracy in (0.5, 0.6, 0.75, 0.99):
        low, high = reward_models.loss_bounds(accuracy)
        assert reward_models.accuracy_bounds(float(low))[0] == pytest.approx(accuracy, abs=1e-9)
        assert reward_models.accuracy_bounds(float(high))[1] == pytest.approx(accuracy, abs=1e-6)


def test_truth_behind_a_normal_score_is_a_share_of_the_score():
    n = [1, 2, 30, 4000]
    for sd in (0.5, 1.0, 3.0):
        # The score has variance 1 + sd^2, and the truth is its share 1 / (1 + sd^2).
        exact = reward_models.normal_maximum(n) / np.sqrt(1 + sd**2)
        assert reward_models.gold_best_of_n(norm(scale=sd), n) == pytest.approx(exact, abs=2e-4)


@pytest.mark.parametrize("error", [student(3, scale=3**-0.5), laplace(scale=2**-0.5)])
def test_truth_by_quadrature_and_by_simulation(error):
    rng = np.random.default_rng(5)
    truth = rng.standard_normal(200_000)
    score = truth + error.rvs(200_000, random_state=rng)
    drawn = reward_models.best_of_n_estimate(score, truth, [4, 50])
    assert reward_models.gold_best_of_n(error, [4, 50]) == pytest.approx(drawn, abs=0.02)


def test_the_regularised_policy_is_the_stationary_one():
    # Among policies that weigh truth and error by factors of their own, at one divergence, the
    # one with equal factors has the highest score.
    error, kl = laplace(scale=2**-0.5), 1.5
    best = reward_models.regularised(error, kl, most=60)

    def laplace_tilt(s):
        return 2 * s / (2 - s**2), s * 2 * s / (2 - s**2) + np.log(1 - s**2 / 2)

    mean, cost = laplace_tilt(best.strength)
    assert best.gold == best.strength
    assert best.strength**2 / 2 + cost == pytest.approx(kl, abs=1e-6)
    assert best.score == pytest.approx(best.strength + mean, abs=1e-5)
    for other in best.strength + np.array([-0.2, -0.05, 0.02, 0.05]):
        mean, cost = laplace_tilt(other)
        assert np.sqrt(2 * (kl - cost)) + mean < best.score
