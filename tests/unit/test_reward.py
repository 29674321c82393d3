"""What the modules on reward models refuse, and the sentences they say."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import best_of_n, reward


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: best_of_n.kl_best_of_n(0.5), "n must be 1 or more, got 0.5"),
        (lambda: best_of_n.kl_best_of_n("many"), "n must be numeric"),
        (lambda: best_of_n.kl_best_of_n(np.nan), "n must be 1 or more, got nan"),
        (lambda: best_of_n.n_for_kl(-1), "kl must be 0 or more"),
        (lambda: best_of_n.n_for_kl(701), "kl must be 700 nats or less, got 701"),
        (lambda: best_of_n.kl_best_of_n_discrete([0.5, 0.0], 2), "never occur"),
        (lambda: best_of_n.kl_best_of_n_discrete([], 2), "list of positive numbers"),
        (lambda: best_of_n.kl_best_of_n_discrete([0.5, 0.5], 0), "n must be 1 or more"),
        (lambda: best_of_n.normal_maximum(1e16), "n must be 1e15 or less"),
        (
            lambda: best_of_n.simulated_kl(4, draws=1, rng=np.random.default_rng(0)),
            "draws must be 2 or more",
        ),
        (lambda: best_of_n.best_of_n_estimate([1, 2], [1], 1), "proxy has 2 scores and gold 1"),
        (lambda: best_of_n.best_of_n_estimate([], [], 1), "list of at least one score"),
        (lambda: best_of_n.best_of_n_estimate(["a"], [1], 1), "proxy must hold numbers only"),
        (lambda: best_of_n.best_of_n_estimate([1, np.nan], [1, 2], 1), "nan at position 1"),
        (lambda: best_of_n.best_of_n_estimate([1, 2], [1, 2], 3), "from 1 to the 2 samples, got 3"),
        (lambda: best_of_n.best_of_n_estimate([1, 2], [1, 2], 1.5), "whole number"),
        (lambda: best_of_n.best_of_n_by_enumeration(range(21), range(21), 2), "too many subsets"),
        (lambda: best_of_n.regressional_gold(1, gold_sd=0, error_sd=1), "gold_sd must be"),
        (lambda: best_of_n.regressional_gold(1, gold_sd=1, error_sd=-1), "error_sd must be 0"),
        (lambda: reward.BestOfNLaw(0.5, 0.1).reward(-1), "kl must be 0 or more, got -1"),
        (lambda: reward.BestOfNLaw(0.5, 0.0).peak(), "beta is 0, so the curve never"),
        (lambda: reward.ReinforcementLaw(-0.5, 0.1).peak(), "alpha is -0.5"),
        (lambda: reward.accuracy_bounds(0.7), "loss must be ln 2 or less"),
        (lambda: reward.accuracy_bounds(-0.1), "loss must be 0 or more"),
        (lambda: reward.AlignmentProduct(0.3, 0.7).gain(data=0), "data must be positive"),
        (
            lambda: reward.fit_size_trend([1, 2, 3], [1, 2], reference=1),
            "different lengths: params has 3, values has 2",
        ),
        (lambda: reward.fit_size_trend([1, 2, 3], [1, 2, 3], reference=1, per=1), "above 1"),
        (
            lambda: reward.fit_size_trend([1, 10, 100], [1, 2, 1], reference=1).params_at(2),
            "the line is flat",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


def test_two_sizes_do_not_make_a_trend():
    with pytest.raises(sl.FitError, match="2 different sizes"):
        reward.fit_size_trend([1e6, 1e9, 1e9], [1, 2, 3], reference=1e6)


def test_a_constant_has_no_trend():
    with pytest.raises(sl.FitError, match="values is 1 in every row"):
        reward.fit_size_trend([1e6, 1e7, 1e9], [1, 1, 1], reference=1e6)


def test_a_rare_best_answer_is_found_by_many_samples():
    p, n = 1e-20, 1e20
    won = -np.expm1(-1.0)
    kl = won * np.log(won / p) + (1 - won) * np.log(1 - won)
    assert best_of_n.kl_best_of_n_discrete([1.0, p], n) == pytest.approx(kl, rel=1e-9)
    # An answer too rare to be told from its neighbour adds nothing, and says nothing.
    assert best_of_n.kl_best_of_n_discrete([1.0, p, 1.0], 2) == pytest.approx(
        float(best_of_n.kl_best_of_n_discrete([1.0, 1.0], 2)), rel=1e-12
    )


def test_ties_in_the_proxy_are_shared():
    assert best_of_n.best_of_n_estimate([1, 1], [0.0, 4.0], 2) == 2.0


def test_the_estimator_keeps_the_shape_of_n():
    n = np.array([[1, 2], [3, 4]])
    assert best_of_n.best_of_n_estimate(range(5), range(5), n).shape == (2, 2)


def test_many_samples_and_large_n():
    proxy = np.arange(100_000.0)
    won = best_of_n.best_of_n_estimate(proxy, proxy, [1, 50_000, 100_000])
    # The mean of the largest of n ranks out of N is n (N + 1)/(n + 1), here counted from zero.
    n = np.array([1, 50_000, 100_000])
    assert won == pytest.approx(n * 100_001 / (n + 1) - 1, rel=1e-9)


def test_simulation_depends_on_the_generator_alone():
    runs = [best_of_n.simulated_kl(16, draws=50, rng=np.random.default_rng(3)) for _ in range(2)]
    assert runs[0] == runs[1]


def test_bins_outside_the_edges_are_left_out():
    table = best_of_n.binned_gold([-5, 0.2, 0.4, 9], [1, 2, 4, 8], edges=[0, 1])
    assert table.gold.tolist() == [3.0]
    assert table["count"].tolist() == [2]


def test_laws_are_equal_whatever_their_source():
    assert reward.BestOfNLaw(1, 2) == reward.BestOfNLaw(1, 2, source="somewhere")


def test_certainty_and_chance_are_the_ends():
    assert reward.accuracy_bounds(0.0) == (1.0, 1.0)
    assert reward.accuracy_bounds(reward.CHANCE_LOSS) == (0.5, 0.5)


def test_a_trend_without_errors_has_no_misfit():
    line = reward.fit_size_trend([1e6, 1e7, 1e8], [1, 2, 2.5], reference=1e6)
    assert np.isnan(line.misfit)
    assert np.isnan(line.p)
