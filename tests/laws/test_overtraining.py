"""The law in compute and tokens per parameter, and its fit to the loss itself."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.laws import OvertrainingLaw, fit_overtraining
from tests.examples import few

TRUE = OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136)
PARAMS, RATIOS = [1e7, 8e7, 1.5e8, 4e8, 1e7], [20, 20, 20, 20, 320]


def made(params=PARAMS, ratio=RATIOS, law=TRUE):
    runs = pd.DataFrame({"params": np.asarray(params, dtype=float)})
    runs["tokens"] = runs.params * ratio
    return runs.assign(loss=law.chinchilla.loss(runs.params, runs.tokens))


def rising_with_data():
    runs = made()
    return runs.assign(loss=np.append(runs.loss[:4], 1.1 * runs.loss[0]))


def without_a_bend():
    runs = made()
    logs = np.log(runs.params) + np.log(runs.tokens)
    return runs.assign(loss=6.0 - 0.05 * (logs - logs.min()))


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (made([1e7, 8e7, 1.5e8, 4e8], 20), "at least 5 distinct runs"),
        (made([1e7, 3e7, 8e7, 1.5e8, 4e8], 20), "cannot separate size from data"),
        (made([1e8] * 5, [10, 20, 40, 80, 160]), "cannot separate size from data"),
        (rising_with_data(), "the data term comes out negative"),
        (without_a_bend(), "no minimum between exponents"),
    ],
    ids=["few", "one ratio", "one size", "rising", "straight"],
)
def test_runs_that_cannot_be_fitted(runs, words):
    with pytest.raises(sl.FitError, match=words):
        fit_overtraining(runs)


def test_unequal_exponents_have_no_form_in_compute_and_ratio():
    law = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
    with pytest.raises(sl.DataError, match=r"alpha = 0\.336 and beta = 0\.283"):
        OvertrainingLaw.of(law)


def test_residuals_keep_the_labels_of_the_runs():
    runs = made()
    runs.index = pd.Index(list("abcde"))
    fit = fit_overtraining(runs)
    assert list(fit.residuals.index) == list("abcde")
    assert fit.predict(runs.params, runs.tokens) == pytest.approx(runs.loss.to_numpy(), rel=1e-9)


budgets = st.floats(18, 26).map(lambda exponent: 10**exponent)
sizes = st.floats(7, 12).map(lambda exponent: 10**exponent)
ratios = st.floats(0, 4).map(lambda exponent: 10**exponent)
over = st.builds(
    OvertrainingLaw,
    E=st.floats(0.5, 3),
    a=st.floats(50, 500),
    b=st.floats(50, 500),
    eta=st.floats(0.08, 0.3),
)


@given(law=over, N=sizes, M=ratios)
def test_compute_and_ratio_are_another_way_to_write_params_and_tokens(law, N, M):
    assert law.loss(6 * N * N * M, M) == pytest.approx(law.chinchilla.loss(N, N * M), rel=1e-12)
    again = OvertrainingLaw.of(law.chinchilla)
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


@few
@given(law=over)
def test_a_law_is_recovered_from_its_own_losses(law):
    fit = fit_overtraining(made(law=law))
    assert fit.law.eta == pytest.approx(law.eta, rel=1e-4)
    assert pytest.approx(law.E, abs=1e-3) == fit.law.E
    assert fit.objective < 1e-16
