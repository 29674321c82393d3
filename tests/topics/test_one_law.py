"""One law for all runs: rival forms, placebos, wrong scales and confounders."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import misfit
from scalinglib.laws import JointLaw, SolvableLaw
from scalinglib.topics import one_law

SUM = sl.ChinchillaLaw(E=1.7, A=400.0, B=2000.0, alpha=0.34, beta=0.37)


@pytest.fixture
def square():
    N, D = np.meshgrid(np.geomspace(1e8, 1e10, 5), np.geomspace(2e9, 4e11, 6))
    return pd.DataFrame({"params": N.ravel(), "tokens": D.ravel()})


def test_every_table_has_runs_that_the_forms_can_be_fitted_to():
    tables = one_law.tables()
    assert len(tables) == 15
    for name, runs in tables.items():
        assert list(runs) == ["params", "tokens", "flops", "loss"], name
        assert runs.notna().all(axis=None), name
        assert len(runs) > 2 * max(one_law.CONSTANTS.values()), name


@pytest.mark.parametrize("g", [0.0, 0.3])
@pytest.mark.parametrize("shape", ["power", "cubic"])
def test_the_gain_by_size_is_that_of_the_law(square, g, shape):
    law = JointLaw(SUM.E, SUM.A, SUM.B, SUM.alpha, SUM.beta, g=g)
    loss = law.loss(square.params, square.tokens)
    found = misfit.gain_by_size(square.params, square.tokens, loss, shape=shape)
    assert found.g == pytest.approx(g, abs=1e-4 if shape == "power" else 5e-3)
    assert found.degrees == 30 - 5 - (3 if shape == "power" else 4)
    # In another unit of loss it is the same.
    scaled = misfit.growth_of_gain(square.params, square.tokens, 1e-5 * loss)
    assert scaled == pytest.approx(g, abs=1e-6)


def test_the_solvable_surface_gives_gains_that_grow():
    for alpha, sign in ((0.35, 1), (1.0, 0), (1.3, -1)):
        N, D = one_law.grid(0.1, 10)
        g = misfit.growth_of_gain(N, D, SolvableLaw(0.0, 1.0, alpha, 1.0).loss(N, D))
        assert np.sign(round(g, 4)) == sign


@pytest.mark.parametrize("ratio", [4.0, 150.0])
def test_a_sum_can_be_given_another_best_ratio(ratio):
    tied = sl.ChinchillaLaw(E=1.7, A=300.0, B=900.0, alpha=0.3, beta=0.3)
    other = one_law.with_ratio(tied, ratio)
    assert one_law.plan_of(other, 1e22) == pytest.approx(ratio)
    assert pytest.approx(tied.A * tied.B) == other.A * other.B


def test_placebos_of_a_sum_hold_no_interaction():
    draws = one_law.placebo("OLMo ladder, C4", n=8, noise=1e-5,
                            truth=one_law.fits("OLMo ladder, C4")["sum"].law)  # fmt: skip
    assert draws.g.abs().max() < 0.02
    np.testing.assert_allclose(draws.k, 1, atol=0.05)
    assert draws["g, free levels"].abs().max() < 0.02


def test_a_wrong_scale_keeps_ends_and_order_and_is_wrong_as_said():
    loss = np.linspace(2.0, 4.0, 2001)
    for waves in one_law.bent_scales(0.01, n=5):
        shown = one_law.misread(loss, waves)
        assert (np.diff(shown) > 0).all()
        np.testing.assert_allclose(shown[[0, -1]], loss[[0, -1]])
        assert np.abs(np.log(shown / loss)).max() == pytest.approx(0.01, rel=1e-3)
    with pytest.raises(sl.DataError, match="falls somewhere; give lower waves"):
        one_law.misread(loss, [0.0, 0.0, 0.0, 0.5])


def test_bends_are_those_of_full_fits():
    runs = one_law.tables()["Chinchilla"]
    clean = np.asarray(SUM.loss(runs.params, runs.tokens))
    shown = one_law.misread(clean, one_law.bent_scales(0.01, n=1)[0])
    quick = misfit.bends(runs, 2, np.stack([clean, shown]))
    full = [misfit.bend(runs.assign(loss=loss), 2) for loss in (clean, shown)]
    np.testing.assert_allclose(quick, full, atol=2e-5)


def test_one_rate_makes_an_interaction_only_if_it_is_wrong_in_both(square):
    def g(size, data):
        losses = one_law.under_one_rate(SUM, square.params, square.tokens, size=size, data=data,
                                        curvature=0.01)  # fmt: skip
        return misfit.growth_of_gain(square.params, square.tokens, losses)

    assert abs(g(0.0, 0.3)) < 0.01
    assert abs(g(-0.7, 0.0)) < 0.03
    assert abs(g(-0.7, 0.3)) > 0.05


def test_the_valley_is_that_of_a_parabola_over_a_rate():
    # Twice the rate or half of it costs well under one per cent.
    assert 0.002 < one_law.valley() * np.log(2) ** 2 < 0.01


def test_what_is_held_out_is_what_a_backtest_holds_out():
    name = "OLMo ladder, Pile"
    runs = one_law.tables()[name]
    test = sl.backtest(runs, largest=3, by="flops", fit=one_law.FORMS["solvable"])
    assert one_law.held_out(name, "flops")["solvable"] == test.rms


def test_minima_of_points_that_obey_a_sum_do_not_bend():
    C, N = np.meshgrid(np.geomspace(1e19, 1e22, 6), np.geomspace(0.25, 4, 9))
    N = N * np.asarray(sl.compute_optimal(SUM, C).N)
    points = pd.DataFrame({"budget_flops": C.ravel(), "params": N.ravel()})
    points["tokens"] = points.budget_flops / 6 / points.params
    points["loss"] = SUM.loss(points.params, points.tokens)
    assert abs(one_law.minima_bend(points)) < 1e-6
    noisy = points.assign(loss=points.loss * np.exp(0.002 * np.sin(np.arange(54) ** 2)))
    chance = one_law.minima_bend_by_chance(noisy, n=20)
    assert abs(chance.mean()) < 3 * chance.std()
