from functools import partial

import numpy as np
import pytest
from scipy import stats

import scalinglib as sl

TRUE = sl.ChinchillaLaw(E=1.8172, A=477.83, B=2143.4, alpha=0.3473, beta=0.3672)


@pytest.fixture(scope="module")
def runs(synthetic_runs):
    return synthetic_runs(TRUE, 60, noise=0.01, seed=2)


def test_likelihood_is_that_of_laplace_residuals(runs):
    r = np.log(runs.loss / TRUE.loss(runs.params, runs.tokens))
    scale = np.abs(r).mean()
    expected = stats.laplace.logpdf(r, scale=scale).sum()
    assert sl.log_likelihood(TRUE, runs) == pytest.approx(expected, rel=1e-12)


def test_absolute_deviations_are_the_most_likely(runs):
    best = sl.log_likelihood(sl.fit_chinchilla(runs, loss="lad").law, runs)
    assert best >= sl.log_likelihood(sl.fit_chinchilla(runs).law, runs)
    assert best >= sl.log_likelihood(TRUE, runs)


def test_the_truth_is_not_rejected_and_another_law_is(runs):
    fitted = sl.fit_chinchilla(runs, loss="lad").law
    other = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    assert sl.likelihood_ratio_test(TRUE, fitted, runs).p > 0.01
    assert sl.likelihood_ratio_test(other, fitted, runs).p < 1e-6
    boot = sl.bootstrap(sl.fit_chinchilla(runs), n=1000)
    assert sl.wald_test(TRUE, boot).p > 0.01
    assert sl.wald_test(other, boot).p < 1e-6


def test_the_fit_is_at_no_distance_from_itself(runs):
    boot = sl.bootstrap(sl.fit_chinchilla(runs), n=400)
    assert sl.wald_test(boot.fit.law, boot).statistic == 0
    assert sl.wald_test(TRUE, boot, centre=TRUE).p == 1


def test_a_restricted_fit_has_no_five_dimensional_distance(runs):
    boot = sl.bootstrap(sl.fit_chinchilla(runs, tied=("alpha", "beta")), n=400)
    with pytest.raises(sl.DataError, match="no parameter fixed or tied"):
        sl.wald_test(TRUE, boot)


def test_a_law_that_meets_every_run_has_no_likelihood(synthetic_runs):
    exact = synthetic_runs(TRUE, 10)
    exact["loss"] = TRUE.loss(exact.params.to_numpy(), exact.tokens.to_numpy())
    with pytest.raises(sl.FitError, match="no bound"):
        sl.log_likelihood(TRUE, exact)


def test_backtest_predicts_what_it_did_not_see(runs):
    test = sl.backtest(runs, largest=8)
    held = runs.nlargest(8, "params").index
    assert set(test.table.index) == set(held)
    alone = sl.fit_chinchilla(runs.drop(held))
    predicted = alone.predict(test.table.params, test.table.tokens)
    np.testing.assert_allclose(test.table.predicted, predicted, rtol=1e-12)
    np.testing.assert_allclose(test.table.error, predicted / test.table.loss - 1, rtol=1e-9)
    assert test.rms <= np.log1p(test.worst) * 1.01


def test_backtest_of_a_true_law_without_noise_is_exact(synthetic_runs):
    assert sl.backtest(synthetic_runs(TRUE, 40), largest=10, by="tokens").worst < 1e-10


def test_backtest_does_not_split_a_size(runs):
    tied = runs.assign(params=np.repeat([1e8, 1e9, 5e9, 1e10], 15))
    tied["loss"] = TRUE.loss(tied.params, tied.tokens)
    assert len(sl.backtest(tied, largest=4).table) == 15


def test_backtest_takes_any_fit(runs):
    test = sl.backtest(runs, fit=partial(sl.fit_chinchilla, loss="l2"))
    assert test.fit.loss == "l2"


@pytest.mark.parametrize(
    ("changed", "options", "words"),
    [
        ({}, {"largest": 60}, "largest must be between 1 and 59"),
        ({"budget": 1e21}, {"by": "budget"}, "every run has the same budget"),
        ({}, {"by": "flops"}, "no column 'flops'"),
    ],
)
def test_backtest_options_are_checked(runs, changed, options, words):
    with pytest.raises(sl.DataError, match=words):
        sl.backtest(runs.assign(**changed), **options)
