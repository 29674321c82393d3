"""Identities of repeated data, of the stock of text and of collapse."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import data_limits, repetition
from scalinglib.curves import fit_curve
from scalinglib.published.data_limits import MUENNIGHOFF_2023

decays = st.floats(0.5, 500.0)
laws = st.builds(
    sl.DataConstrainedLaw,
    st.builds(
        sl.ChinchillaLaw,
        E=st.floats(0.5, 3.0), A=st.floats(50, 2000), B=st.floats(50, 5000),
        alpha=st.floats(0.2, 0.6), beta=st.floats(0.2, 0.6),
    ),
    R_D=decays, R_N=decays,
)  # fmt: skip


@given(epochs=st.floats(1, 500), R=decays)
def test_worth_lies_between_one_and_the_epochs(epochs, R):
    row = repetition.worth_of_epochs(epochs, R).iloc[0]
    assert 1 - 1e-12 <= row.worth <= min(epochs, 1 + R) * (1 + 1e-12)
    assert 0 <= row.marginal <= row.kept * (1 + 1e-12) <= 1 + 1e-9


@given(epochs=st.floats(1.01, 200), R=decays)
def test_marginal_is_the_derivative_of_worth(epochs, R):
    step = 1e-5 * epochs
    either = repetition.worth_of_epochs([epochs, epochs + step], R)
    slope = (either.worth[1] - either.worth[0]) / step
    middle = repetition.worth_of_epochs(epochs + step / 2, R).marginal[0]
    assert slope == pytest.approx(middle, rel=1e-4, abs=1e-9)


@given(share=st.floats(0.05, 0.99), R=decays)
def test_epochs_keeping_inverts_the_share_kept(share, R):
    epochs = repetition.epochs_keeping(share, R)
    assert repetition.worth_of_epochs(epochs, R).kept[0] == pytest.approx(share, rel=1e-9)


@given(R=decays)
def test_half_value(R):
    epoch = repetition.half_value_epoch(R)
    assert repetition.worth_of_epochs(epoch, R).marginal[0] == pytest.approx(0.5, rel=1e-12)


@settings(max_examples=25)
@given(law=laws, C=st.floats(1e18, 1e25), log_U=st.floats(7, 14))
def test_the_allocation_is_the_lowest_of_a_scan(law, C, log_U):
    U = 10.0**log_U
    best = repetition.data_limited_optimal(law, C, U)
    assert pytest.approx(C, rel=1e-9) == 6 * best.N * best.D
    sizes = best.N * np.geomspace(1e-3, 1e3, 3001)
    scan = law.loss(sizes, C / 6 / sizes, U)
    assert best.loss <= scan.min() * (1 + 1e-9)


@settings(max_examples=25)
@given(law=laws, C=st.floats(1e20, 1e24), U=st.floats(1e8, 1e13), factor=st.floats(1.1, 50))
def test_more_text_never_hurts(law, C, U, factor):
    less = repetition.data_limited_optimal(law, C, U)
    more = repetition.data_limited_optimal(law, C, factor * U)
    assert more.loss <= less.loss * (1 + 1e-9)


@given(stock=st.floats(1e13, 1e17), factor=st.floats(1, 100))
def test_demand_equals_the_stock_when_it_is_exhausted(stock, factor):
    wall = data_limits.DataStock(15e12, 2024, 0.38, 300e12, 100e12, 1000e12)
    year = wall.exhausted(stock, factor=factor)
    assert wall.demand(year, factor=factor) == pytest.approx(stock, rel=1e-9)


def test_draws_return_the_interval():
    wall = data_limits.DataStock(15e12, 2024, 0.38, 300e12, 100e12, 1000e12)
    low, middle, high = np.quantile(wall.draws(200_000), [0.05, 0.5, 0.95])
    expected = wall.exhausted([100e12, 300e12, 1000e12])
    assert [low, middle, high] == pytest.approx(list(expected), abs=0.03)


@given(n=st.integers(2, 10_000))
def test_the_walk_of_collapse_drifts_downwards(n):
    drift, spread = data_limits.collapse_walk(n)
    assert drift < 0 < spread
    if n > 100:
        assert drift == pytest.approx(-1 / (2 * n), rel=0.03)
        assert spread == pytest.approx(1 / np.sqrt(2 * n), rel=0.03)


def test_the_average_variance_stays():
    paths = data_limits.simulate_collapse(50, generations=5, repeats=20_000, seed=3)
    assert np.mean(paths**2, axis=1) == pytest.approx(np.ones(6), abs=0.03)


@settings(max_examples=12, deadline=None)
@given(
    E=st.floats(0.5, 2.0),
    log_B=st.floats(4, 8),
    head=st.floats(0.2, 3.0),
    beta=st.floats(0.15, 0.6),
)
def test_the_rectified_law_returns_without_noise(E, log_B, head, beta):
    x = np.geomspace(1e9, 1e12, 20)
    law = data_limits.RectifiedLaw(E, log_B, np.log(head) + beta * np.log(1e10), beta)
    fit = fit_curve(data_limits.RectifiedLaw, x, law.value(x))
    assert fit.predict(x) == pytest.approx(law.value(x), rel=1e-6)


@settings(max_examples=6, deadline=None)
@given(R_D=st.floats(3, 60), R_N=st.floats(1, 20))
def test_decay_constants_return_without_noise(R_D, R_N):
    law = sl.DataConstrainedLaw(MUENNIGHOFF_2023.base, R_D, R_N)
    runs = sl.load("repeated_data_runs")
    made = runs.assign(loss=law.loss(runs.params, runs.tokens, runs.unique_tokens))
    fit = sl.fit_data_constrained(made, base=law.base)
    assert pytest.approx((R_D, R_N), rel=1e-5) == (fit.law.R_D, fit.law.R_N)
