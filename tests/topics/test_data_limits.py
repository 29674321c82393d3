"""Repeated data, the stock of text, and collapse: identities, and what is refused in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.topics import data_limits

LAW = published.law("muennighoff2023/repeated")
RUNS = sl.load("repeated_data_runs")
WALL = data_limits.DataStock(15e12, 2024, 0.38, 300e12, 100e12, 1000e12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data_limits.worth_of_epochs(0.5, 15), "epochs must be 1 or more"),
        (lambda: data_limits.worth_of_epochs(4, -1), "R_D must be positive"),
        (lambda: data_limits.epochs_keeping(1.0, 15), "share is 1"),
        (lambda: data_limits.epochs_keeping(0.5, 0), "R_D must be positive"),
        (lambda: optimum.data_limited_optimal(LAW, 0, 1e9), "C must be positive"),
        (lambda: optimum.data_limited_optimal(LAW, 1e22, np.inf), "U must be finite"),
        (lambda: data_limits.repeated_pairs(RUNS[["params"]]), "no column 'tokens'"),
        (lambda: data_limits.repeated_pairs(RUNS[RUNS.tokens <= RUNS.unique_tokens]),
         "nothing can be compared"),
        (lambda: data_limits.local_minima(sl.fit_power_law([1, 2, 3], [3, 2, 1.5])), "PowerLaw"),
        (lambda: WALL.exhausted(-1), "stock must be positive"),
        (lambda: data_limits.DataStock(1e13, 2024, 0.3, 3e14, 1e14, 1e15, stock_growth=1.5)
         .exhausted(), "stock_growth is 1.5"),
        (lambda: data_limits.simulate_accumulation(1), "n must be 2 or more"),
        (lambda: WALL.draws(1), "n must be 2 or more"),
        (lambda: WALL.draws(growth_sd=0.2), "growth_sd is 0.2"),
        (lambda: data_limits.simulate_collapse(1), "n must be 2 or more"),
        (lambda: data_limits.simulate_collapse(10, repeats=0), "repeats must be 1 or more"),
        (lambda: data_limits.simulate_collapse(10, fresh=2), "fresh is 2"),
        (lambda: data_limits.collapse_walk(1), "n must be 2 or more"),
        (lambda: data_limits.fit_rival(RUNS, LAW.base, "linear"), "'linear' is not a law"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


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
    row = data_limits.worth_of_epochs(epochs, R).iloc[0]
    assert 1 - 1e-12 <= row.worth <= min(epochs, 1 + R) * (1 + 1e-12)
    assert 0 <= row.marginal <= row.kept * (1 + 1e-12) <= 1 + 1e-9


@given(epochs=st.floats(1.01, 200), R=decays)
def test_marginal_is_the_derivative_of_worth(epochs, R):
    step = 1e-5 * epochs
    either = data_limits.worth_of_epochs([epochs, epochs + step], R)
    slope = (either.worth[1] - either.worth[0]) / step
    middle = data_limits.worth_of_epochs(epochs + step / 2, R).marginal[0]
    assert slope == pytest.approx(middle, rel=1e-4, abs=1e-9)


@given(share=st.floats(0.05, 0.99), R=decays)
def test_epochs_keeping_inverts_the_share_kept(share, R):
    epochs = data_limits.epochs_keeping(share, R)
    assert data_limits.worth_of_epochs(epochs, R).kept[0] == pytest.approx(share, rel=1e-9)


@given(R=decays)
def test_the_epoch_in_which_a_token_is_worth_half(R):
    epoch = 1 + R * np.log(2)
    assert data_limits.worth_of_epochs(epoch, R).marginal[0] == pytest.approx(0.5, rel=1e-12)


@given(law=laws, C=st.floats(1e18, 1e25), log_U=st.floats(7, 14))
def test_the_allocation_is_the_lowest_of_a_scan(law, C, log_U):
    U = 10.0**log_U
    best = optimum.data_limited_optimal(law, C, U)
    assert pytest.approx(C, rel=1e-9) == 6 * best.N * best.D
    sizes = best.N * np.geomspace(1e-3, 1e3, 3001)
    scan = law.loss(sizes, C / 6 / sizes, U)
    assert best.loss <= scan.min() * (1 + 1e-9)


@given(law=laws, C=st.floats(1e20, 1e24), U=st.floats(1e8, 1e13), factor=st.floats(1.1, 50))
def test_more_text_never_hurts(law, C, U, factor):
    less = optimum.data_limited_optimal(law, C, U)
    more = optimum.data_limited_optimal(law, C, factor * U)
    assert more.loss <= less.loss * (1 + 1e-9)


@given(stock=st.floats(1e13, 1e17), factor=st.floats(1, 100))
def test_demand_equals_the_stock_when_it_is_exhausted(stock, factor):
    year = WALL.exhausted(stock, factor=factor)
    assert WALL.demand(year, factor=factor) == pytest.approx(stock, rel=1e-9)


def test_draws_return_the_interval():
    low, middle, high = np.quantile(WALL.draws(200_000), [0.05, 0.5, 0.95])
    expected = WALL.exhausted([100e12, 300e12, 1000e12])
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


def test_a_rival_returns_the_law_it_came_from():
    runs = RUNS[~RUNS.flagged]
    theta = np.array([0.65, np.log(6.0), 5.0, 7.0, -4.0, 0.35, 0.4, 0.6, 0.6])
    formula = data_limits.RIVALS["joint fit, bounded"](runs, LAW.base)[0]
    amounts = [runs[name].to_numpy(dtype=float) for name in ("params", "tokens", "unique_tokens")]
    made = runs.assign(loss=formula(theta, *amounts))
    base = sl.fit_chinchilla(made[made.tokens <= made.unique_tokens]).law
    law = data_limits.fit_rival(made, base, "joint fit, bounded")
    assert np.abs(np.log(law.loss(*amounts) / made.loss)).max() < 0.005


def test_a_bounded_law_has_a_ceiling():
    formula = data_limits.RIVALS["joint fit, bounded"](RUNS[~RUNS.flagged], LAW.base)[0]
    theta = np.array([0.0, np.log(9.0), 5, 7, -4, 0.35, 0.4, 0.6, 0.6])
    law = data_limits.RivalLaw(formula, theta, 0.0)
    assert law.loss(1e30, 1e12, 1.0) == pytest.approx(10.0)


def test_a_lead_over_an_equal_is_nothing():
    runs = RUNS[~RUNS.flagged]
    one = np.random.default_rng(0).normal(0, 0.1, len(runs))
    errors = runs[[]].assign(first=one, same=-one, worse=2 * one)
    lead = data_limits.lead(errors, runs, "first", n=200)
    assert (lead.loc["same"] == 0).all()
    assert 0 < lead.loc["worse", "low"] < lead.loc["worse", "lead"] < lead.loc["worse", "high"]
