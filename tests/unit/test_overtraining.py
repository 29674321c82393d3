"""What the lifetime, over-training and precision modules refuse, and in which words."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import lifetime, overtraining
from scalinglib.precision import best_bits
from scalinglib.published.overtraining import KUMAR_2024

LAW = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
TRUE = overtraining.OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136)


def made(params, ratio):
    runs = pd.DataFrame({"params": np.asarray(params, dtype=float)})
    runs["tokens"] = runs.params * ratio
    return runs.assign(loss=TRUE.chinchilla.loss(runs.params, runs.tokens))


def test_a_loss_below_the_floor_is_refused():
    with pytest.raises(sl.DataError, match=r"loss 1\.5 is not above the floor E = 1\.69"):
        lifetime.inference_optimal(LAW, [2.0, 1.5], 1e12)


@pytest.mark.parametrize("served", [-1.0, np.inf, np.nan])
def test_a_demand_must_be_finite_and_not_negative(served):
    with pytest.raises(sl.DataError, match="served must be finite and not negative"):
        lifetime.inference_optimal(LAW, 2.0, served)


def test_a_demand_must_be_a_number():
    with pytest.raises(sl.DataError, match="served must hold numbers only"):
        lifetime.lifetime_flops(1e9, 1e10, "many")


def test_a_law_without_an_optimum_is_refused():
    flat = sl.ChinchillaLaw(E=1.0, A=1.0, B=1.0, alpha=0.3, beta=-0.1)
    with pytest.raises(sl.DataError, match=r"law\.beta is -0\.1"):
        lifetime.inference_optimal(flat, 2.0, 1e12)


def test_a_model_that_is_not_smaller_never_pays_back():
    twin = lifetime.equal_loss_optimum(LAW, 7e9, 1e12)
    N = np.array([0.5, 1.0, 2.0]) * twin.N
    D = sl.isoloss_curve(LAW, twin.loss, N).D
    tokens = lifetime.break_even_tokens(N, D, against=twin)
    assert np.isfinite(tokens).tolist() == [True, False, False]


def test_shapes_broadcast():
    best = lifetime.inference_optimal(LAW, [[2.0], [2.2]], [0.0, 1e11, 1e13])
    assert best.chosen.N.shape == best.saving.shape == best.data_ratio.shape == (2, 3)
    one = lifetime.inference_optimal(LAW, 2.2, 1e13)
    assert pytest.approx(best.chosen.N[1, 2], rel=1e-12) == one.chosen.N


def test_an_enormous_demand_stays_above_the_smallest_possible_model():
    best = lifetime.inference_optimal(LAW, 2.0, 1e30)
    least = (LAW.A / (2.0 - LAW.E)) ** (1 / LAW.alpha)
    assert least < best.chosen.N
    assert pytest.approx(least, rel=0.01) == best.chosen.N
    assert np.isfinite(best.chosen.D)


def test_unequal_exponents_have_no_form_in_compute_and_ratio():
    with pytest.raises(sl.DataError, match=r"alpha = 0\.336 and beta = 0\.283"):
        overtraining.OvertrainingLaw.of(LAW)


def test_four_runs_are_too_few():
    with pytest.raises(sl.FitError, match="at least 5 distinct runs"):
        overtraining.fit_overtraining(made([1e7, 8e7, 1.5e8, 4e8], 20))


@pytest.mark.parametrize(
    ("params", "ratio"),
    [
        ([1e7, 3e7, 8e7, 1.5e8, 4e8], 20),
        ([1e8] * 5, [10, 20, 40, 80, 160]),
    ],
    ids=["one ratio", "one size"],
)
def test_runs_on_a_line_are_refused(params, ratio):
    with pytest.raises(sl.FitError, match="cannot separate size from data"):
        overtraining.fit_overtraining(made(params, ratio))


def test_a_loss_that_rises_with_data_is_refused():
    runs = made([1e7, 8e7, 1.5e8, 4e8, 1e7], [20, 20, 20, 20, 320])
    runs.loc[4, "loss"] = 1.1 * runs.loss[0]
    with pytest.raises(sl.FitError, match="the data term comes out negative"):
        overtraining.fit_overtraining(runs)


def test_a_loss_without_a_bend_is_refused():
    runs = made([1e7, 8e7, 1.5e8, 4e8, 1e7], [20, 20, 20, 20, 320])
    logs = np.log(runs.params) + np.log(runs.tokens)
    with pytest.raises(sl.FitError, match="no minimum between exponents"):
        overtraining.fit_overtraining(runs.assign(loss=6.0 - 0.05 * (logs - logs.min())))


def test_residuals_keep_the_labels_of_the_runs():
    runs = made([1e7, 8e7, 1.5e8, 4e8, 1e7], [20, 20, 20, 20, 320])
    runs.index = pd.Index(list("abcde"))
    fit = overtraining.fit_overtraining(runs)
    assert list(fit.residuals.index) == list("abcde")
    assert fit.predict(runs.params, runs.tokens) == pytest.approx(runs.loss.to_numpy(), rel=1e-9)


def test_one_factor_has_no_best_number_of_bits():
    with pytest.raises(sl.DataError, match="has no best number of bits"):
        best_bits([2.67])


def test_one_offset_for_each_factor():
    with pytest.raises(sl.DataError, match="offsets has 1 values for 3 gammas"):
        best_bits([1.0, 1.0, 1.0], offsets=[0.1])


def test_infinitely_many_bits_lose_nothing():
    assert KUMAR_2024.loss(1e9, 1e11) == KUMAR_2024.base.loss(1e9, 1e11)
    assert KUMAR_2024.effective_params(1e9, bits=np.inf) == 1e9
