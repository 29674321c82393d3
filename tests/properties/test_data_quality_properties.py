"""Laws with a data multiplier, fits to corpora, and pruning, whatever the numbers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.pruning import generalisation_error
from scalinglib.quality_law import (
    ProductLaw,
    largest_matched,
    quality_needed,
    same_loss,
    with_quality,
)

laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0, 2.5),
    A=st.floats(50, 2000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.7),
    beta=st.floats(0.2, 0.7),
)
worths = st.floats(-2, 3).map(lambda power: 10**power)
budgets = st.floats(18, 26).map(lambda power: 10**power)


@given(law=laws, Q=worths, C=budgets)
@settings(max_examples=100, deadline=None)
def test_quality_is_a_larger_budget(law, Q, C):
    here = sl.compute_optimal(with_quality(law, Q), C)
    there = sl.compute_optimal(law, Q * C)
    assert [here.loss, here.N, Q * here.D] == pytest.approx(
        [there.loss, there.N, there.D], rel=1e-9
    )


@given(law=laws, Q=worths, more=st.floats(1.01, 100), C=budgets)
@settings(max_examples=50, deadline=None)
def test_better_data_lower_the_loss_and_enlarge_the_model(law, Q, more, C):
    worse, better = (sl.compute_optimal(with_quality(law, worth), C) for worth in (Q, more * Q))
    assert better.loss < worse.loss
    assert better.N > worse.N
    assert better.D < worse.D


@given(law=laws, Q=worths, N=st.floats(1e7, 1e12), D=st.floats(1e8, 1e14))
@settings(max_examples=100, deadline=None)
def test_the_same_loss_for_less(law, Q, N, D):
    run = same_loss(law, N, D, Q)
    assert with_quality(law, Q).loss(run.N, run.D) == pytest.approx(run.loss, rel=1e-12)
    spent = run.C * Q
    assert spent == pytest.approx(6 * N * D, rel=1e-12)


@given(law=laws, Q=worths, N=st.floats(1e7, 1e11), D=st.floats(1e8, 1e12))
@settings(max_examples=100, deadline=None)
def test_the_quality_needed_is_the_quality_that_was(law, Q, N, D):
    target = with_quality(law, Q).loss(N, D)
    if target - law.loss(N, np.inf) > 1e-6 * target:
        assert quality_needed(law, target, N=N, D=D) == pytest.approx(Q, rel=1e-4)
    assert quality_needed(law, law.loss(N, np.inf) * (1 - 1e-9), N=N, D=D) == np.inf


@given(law=laws, N=st.floats(1e7, 1e11), ratio=st.floats(1, 1000))
@settings(max_examples=50, deadline=None)
def test_the_largest_model_matched_stands_on_the_floor(law, N, ratio):
    size = largest_matched(law, N, tokens_per_param=ratio)
    assert size > N
    assert law.loss(size, ratio * size) == pytest.approx(law.loss(N, np.inf), rel=1e-9)


@given(
    alpha=st.floats(0.1, 0.6), beta=st.floats(0.1, 0.6), Q=worths, C=budgets,
    N=st.floats(1e7, 1e11), step=st.floats(1.1, 10),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_the_product_law_is_a_straight_line_at_any_budget(alpha, beta, Q, C, N, step):
    law = ProductLaw(K=50.0, alpha=alpha, beta=beta, Q=Q)
    low, high = law.loss(N, C / 6 / N), law.loss(step * N, C / 6 / (step * N))
    assert np.log(high / low) == pytest.approx(law.slope * np.log(step), abs=1e-9)


@given(
    term=st.sampled_from(["Q", "N", "E", "factor"]), power=st.floats(-0.15, 0.15),
    alpha=st.floats(0.3, 0.6), beta=st.floats(0.3, 0.6),
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_factors_without_noise_are_recovered(term, power, alpha, beta):
    value = float(np.exp(power * (1 if term in ("E", "factor") else 6)))
    own = {"Q": 1.0, "N": 1.0, "E": 1.0, "factor": 1.0, term: value}
    N, D = (part.ravel() for part in np.meshgrid(np.geomspace(3e7, 1e10, 5),
                                                 np.geomspace(5e8, 2e11, 5)))  # fmt: skip
    A, B = 0.6 * 1e9**alpha, 0.5 * 1e10**beta
    parts = [
        pd.DataFrame({"corpus": name, "params": N, "tokens": D,
                      "loss": f["factor"] * (f["E"] * 1.8 + A * (f["N"] * N) ** -alpha
                                             + B * (f["Q"] * D) ** -beta)})
        for name, f in (("a", dict.fromkeys(own, 1.0)), ("b", own))
    ]  # fmt: skip
    fit = sl.fit_corpora(pd.concat(parts, ignore_index=True), terms=(term,), reference="a")
    assert fit.factors[term]["b"] == pytest.approx(value, rel=1e-4)
    assert fit.rms < 1e-7


@given(alpha=st.floats(0.2, 500), step=st.floats(1.05, 5))
@settings(max_examples=30, deadline=None)
def test_more_examples_never_hurt(alpha, step):
    assert generalisation_error(step * alpha) < generalisation_error(alpha) < 0.5


@given(alpha=st.floats(0.5, 500), fraction=st.floats(0.05, 0.95))
@settings(max_examples=30, deadline=None)
def test_hard_examples_alone_never_beat_the_pool(alpha, fraction):
    kept = generalisation_error(alpha, fraction=fraction)
    assert kept >= generalisation_error(alpha) * (1 - 1e-9)
    assert generalisation_error(alpha, fraction=1 - 1e-12) == pytest.approx(
        generalisation_error(alpha), rel=1e-6
    )
