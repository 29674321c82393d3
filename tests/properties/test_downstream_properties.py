"""Identities of the two steps, recovery without noise, and invariances of components."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import components, downstream, error_law, stalled

few = settings(max_examples=15, deadline=None)
sigmoids = st.builds(
    downstream.FallingSigmoid,
    low=st.floats(0.05, 0.5),
    high=st.floats(0.6, 1.0),
    slope=st.floats(-12, -0.5),
    middle=st.floats(0.3, 1.5),
)
error_laws = st.builds(
    error_law.ExponentialErrorLaw,
    epsilon=st.floats(0.6, 1.0),
    k=st.floats(0.5, 5.0),
    gamma=st.floats(0.3, 1.5),
)
laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0.3, 2.0),
    A=st.floats(10, 500),
    B=st.floats(10, 500),
    alpha=st.floats(0.15, 0.4),
    beta=st.floats(0.15, 0.4),
)
losses = st.floats(0.0, 10.0)


@given(curve=sigmoids, x=losses, step=st.floats(1e-3, 5.0))
def test_a_falling_sigmoid_falls_between_its_levels(curve, x, step):
    near, far = curve.value([x, x + step])
    assert curve.low - 1e-12 <= far <= near <= curve.high + 1e-12


@given(law=error_laws, x=losses, step=st.floats(1e-3, 5.0))
def test_errors_grow_with_the_loss_up_to_epsilon(law, x, step):
    near, far = law.value([x, x + step])
    assert near <= far <= law.epsilon
    assert law.value(1e3) == pytest.approx(law.epsilon)


@given(law=laws, curve=sigmoids, loss=st.floats(0.3, 3.0), score=st.floats(0.1, 1.0))
def test_the_parts_of_an_error_add_up(law, curve, loss, score):
    split = downstream.TwoStep(law, curve).split(1e10, 1e12, loss=loss, score=score)
    assert split.first + split.second == pytest.approx(split.total, abs=1e-12)
    # Both steps fall, so too high a loss means too low a score.
    assert split.first * (split.predicted_loss - split.loss) <= 1e-12


@given(law=laws, curve=sigmoids, factor=st.floats(1.01, 100))
def test_more_compute_never_lowers_a_score(law, curve, factor):
    chain = downstream.TwoStep(law, curve)
    assert chain.value(factor * 1e9, 1e11) >= chain.value(1e9, 1e11) - 1e-12
    assert chain.value(1e9, factor * 1e11) >= chain.value(1e9, 1e11) - 1e-12


@few
@given(law=error_laws)
def test_an_error_law_comes_back_from_exact_points(law):
    x = np.linspace(2.0, 6.0, 7)
    fit = sl.fit_curve(error_law.ExponentialErrorLaw, x, law.value(x))
    assert fit.curve.params == pytest.approx(law.params, rel=1e-5)


@few
@given(E=st.floats(0.5, 2.0), a=st.floats(50, 300), b=st.floats(50, 300), eta=st.floats(0.08, 0.2))
def test_the_over_trained_law_comes_back_from_exact_runs(E, a, b, eta):
    N = np.array([1e7, 8e7, 1.5e8, 4e8, 1e7, 8e7])
    M = np.array([20.0, 20.0, 20.0, 20.0, 320.0, 80.0])
    loss = E + (a * M**eta + b * M**-eta) * (6 * N * N * M) ** -eta
    runs = pd.DataFrame({"params": N, "tokens": N * M, "loss": loss, "error": 1 - np.exp(-loss)})
    law = error_law.fit_error_law(runs, runs, loss="loss", error="error").law
    found = sl.OvertrainingLaw.of(law)
    assert (law.E, found.a, found.b, found.eta) == pytest.approx((E, a, b, eta), rel=1e-4)


@few
@given(alpha=st.floats(0.1, 0.6), beta=st.floats(0.1, 0.6), ceiling=st.floats(0.8, 1.0))
def test_a_ceiling_comes_back_from_exact_scores(alpha, beta, ceiling):
    N = np.array([2e8, 2e8, 4e8, 4e8, 8e8, 8e8, 1.6e9, 1.6e9])
    D = N * np.array([20, 200, 40, 100, 20, 200, 40, 100])
    score = ceiling - 0.2 * (N / 2e8) ** -alpha - 0.2 * (D / 4e9) ** -beta
    fit = stalled.fit_accuracy(pd.DataFrame({"params": N, "tokens": D, "score": score}))
    assert fit.accuracy(N, D) == pytest.approx(score, abs=2e-4)
    assert fit.ceiling >= score.max()


@given(exponent=st.floats(0, 1e-4))
def test_the_gain_is_smooth_where_its_form_changes(exponent):
    t = np.array([-3.0, 0.0, 4.0])
    near = stalled.AccuracyFit(0.5, 0.1, 0.0, exponent, 0.0, 1.0, 1.0, 0.0)
    line = 0.5 + 0.1 * t
    assert near.accuracy(np.exp(t), 1.0) == pytest.approx(line, abs=1e-4)


tables = st.integers(0, 10_000).map(
    lambda seed: pd.DataFrame(
        np.random.default_rng(seed).normal(size=(12, 4)), columns=list("abcd")
    )
)


@given(table=tables, shift=st.floats(-5, 5), factor=st.floats(0.1, 10))
def test_shares_do_not_depend_on_unit_and_zero(table, shift, factor):
    ours = components.principal_components(table).shares
    again = components.principal_components(factor * table + shift).shares
    assert again == pytest.approx(ours, abs=1e-9)
    assert ours.sum() == pytest.approx(1)
    assert (np.diff(ours) <= 1e-12).all()


@given(table=tables, factor=st.floats(0.1, 10))
def test_standardised_shares_do_not_depend_on_the_unit_of_a_column(table, factor):
    ours = components.principal_components(table, standardise=True).shares
    again = components.principal_components(table.assign(a=factor * table.a), standardise=True)
    assert again.shares == pytest.approx(ours, abs=1e-9)


@given(table=tables)
def test_scores_and_loadings_give_the_table_back(table):
    parts = components.principal_components(table)
    back = parts.scores.to_numpy() @ parts.loadings.to_numpy().T + table.mean().to_numpy()
    assert back == pytest.approx(table.to_numpy())


@few
@given(seed=st.integers(0, 1000))
def test_gaps_in_a_table_of_one_component_are_filled_exactly(seed):
    rng = np.random.default_rng(seed)
    full = 3 + np.outer(rng.normal(size=15), rng.uniform(0.5, 2, 4))
    holes = full.copy()
    holes[2, 1] = holes[7, 3] = np.nan
    parts = components.principal_components(pd.DataFrame(holes))
    assert parts.filled.to_numpy() == pytest.approx(full, abs=1e-6)
