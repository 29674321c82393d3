"""Approach 1 on real curves, and whether minima bend: the inferences of the chapter."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib.topics import chinchilla

BENDS = {
    ("chinchilla", "params"): (-0.0301, 0.0123, 8),
    ("llama3", "tokens"): (-0.0216, 0.0035, 10),
}


@pytest.fixture(scope="module")
def curves():
    return sl.load("downstream_ladder").rename(columns={"loss_c4": "loss"})


@pytest.fixture(scope="module")
def ends():
    return sl.load("olmo_ladder_runs").assign(loss=lambda one: one.loss_c4)


@pytest.fixture(scope="module")
def law(ends):
    return sl.fit_chinchilla(ends).law


def winners(fit):
    return fit.minima[fit.minima.used].params.nunique()


class TestEnvelope:
    def test_two_of_four_sizes_win_between_others(self, curves):
        fit = sl.fit_envelope(curves, winners=2)
        assert fit.a == pytest.approx(0.378, abs=1e-3)
        assert (curves.params.nunique(), winners(fit)) == (4, 2)
        assert fit.interval("a", n=200) == pytest.approx((0.0, 0.6), abs=0.05)

    def test_every_checkpoint_in_mid_run_stands_above_the_finished_run(self, curves):
        above = chinchilla.above_finished(curves)
        # Four lengths a size give three, two and one longer runs.
        assert len(above) == 4 * (3 + 2 + 1)
        assert (above.min(), above.max()) == pytest.approx((0.018, 0.067), abs=1e-3)

    def test_finished_runs_alone_have_no_envelope(self, ends):
        with pytest.raises(sl.FitError, match="fewer than three curves"):
            sl.fit_envelope(ends, curve="params")

    def test_exact_losses_come_out_low_with_four_sizes_and_right_with_sixteen(self, curves, law):
        same = sl.fit_envelope(
            curves.assign(loss=law.loss(curves.params, curves.tokens)), winners=2
        )
        assert (law.a, same.a) == pytest.approx((0.584, 0.477), abs=2e-3)
        low, high = curves.params.min(), curves.params.max()
        found = {
            k: sl.fit_envelope(chinchilla.exact_curves(law, np.geomspace(low, high, k)), winners=2)
            for k in (4, 8, 16)
        }
        off = [law.a - found[k].a for k in (4, 8, 16)]
        assert off == pytest.approx([0.117, 0.016, 0.003], abs=2e-3)
        assert [winners(found[k]) for k in (4, 8, 16)] == [2, 6, 14]

    def test_exact_curves_hold_the_losses_of_the_law(self, law):
        one = chinchilla.exact_curves(law, np.array([1e8, 1e9]), places=5)
        assert len(one) == 10
        assert one.loss.to_numpy() == pytest.approx(law.loss(one.params, one.tokens))
        assert (one.tokens / one.params).agg(["min", "max"]).tolist() == pytest.approx([1, 200])


class TestBend:
    @pytest.mark.parametrize(("which", "expected"), BENDS.items(), ids=["chinchilla", "llama3"])
    def test_minima_bend_down_and_a_straight_law_is_not_excluded(self, which, expected):
        experiment, along = which
        value, se, n = expected
        points = sl.load("isoflop_runs")
        runs = points[points.experiment == experiment]
        minima = sl.fit_isoflop(runs, along=along).minima.query("used")
        assert len(minima) == n
        assert chinchilla.bend(minima.budget, minima.params) == pytest.approx((value, se), abs=1e-4)
        draws = chinchilla.bends_under_law(sl.fit_chinchilla(runs).law, runs, along=along, n=2000)
        assert 0.05 < (draws <= value).mean() < 0.1
        # The error by regression is too small: minima of flat profiles scatter more than others.
        assert draws.std() > 1.9 * se

    def test_a_parabola_is_found_in_either_quantity(self):
        C = np.geomspace(1e18, 1e22, 9)
        x = np.log(C) - np.log(C).mean()
        N = np.exp(20 + 0.5 * x - 0.03 * x**2)
        assert chinchilla.bend(C, N)[0] == pytest.approx(-0.03)
        assert chinchilla.bend(C, C / 6 / N)[0] == pytest.approx(0.03)

    @pytest.mark.parametrize("along", ["params", "tokens"])
    def test_a_law_without_noise_does_not_bend(self, along):
        runs = sl.load("isoflop_runs").query("experiment == 'llama3'")
        law = sl.fit_chinchilla(runs).law
        exact = runs.assign(loss=law.loss(runs.params, runs.tokens))
        draws = chinchilla.bends_under_law(law, exact, along=along, n=3)
        assert np.abs(draws).max() < 5e-3
