"""Scores of learning curves: what they are, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib import learning_curves


def curve(model="a", *, law=None, points=30):
    law = law or sl.PowerLaw(A=3.0, alpha=0.3, E=0.2)
    x = np.geomspace(1e2, 1e6, points)
    frame = pd.DataFrame({"task": "t", "model": model, "examples_seen": x, "error": law.loss(x)})
    return frame.assign(in_fit=frame.examples_seen <= 5e5)


def test_an_exact_law_forecasts_exactly():
    table = learning_curves.score_curves(curve()).by_curve()
    assert table["with a floor"].iloc[0] < 1e-9
    assert table["power law"].iloc[0] > 1e-3


def test_the_order_of_points_does_not_matter():
    frame = curve()
    forward = learning_curves.score_curves(frame).table
    backward = learning_curves.score_curves(frame[::-1]).table
    np.testing.assert_allclose(forward.rms, backward.rms, atol=1e-12)
    np.testing.assert_allclose(forward["last"], backward["last"], atol=1e-12)


def test_below_leaves_out_points_to_fit_only():
    frame = curve()
    scores = learning_curves.score_curves(frame, below=0.5)
    assert scores.table.fitted.iloc[0] == int((frame.in_fit & (frame.error < 0.5)).sum())
    assert scores.table.held_out.iloc[0] == int((~frame.in_fit).sum())


def test_ties_share_a_win():
    pure = curve(law=sl.PowerLaw(A=3.0, alpha=0.3))
    noisy = pure.assign(error=pure.error * (1 + 0.01 * np.cos(np.arange(len(pure)))))
    won = learning_curves.score_curves(noisy).rules().loc["curves won"]
    assert won.sum() == pytest.approx(1)


def test_a_missing_column_is_named():
    with pytest.raises(sl.DataError, match="no column 'in_fit'"):
        learning_curves.score_curves(curve().drop(columns="in_fit"))


@pytest.mark.parametrize(
    ("change", "word"), [({"in_fit": True}, "held out"), ({"in_fit": False}, "to fit")]
)
def test_a_curve_needs_both_parts(change, word):
    with pytest.raises(sl.DataError, match=f"no point {word}"):
        learning_curves.score_curves(curve().assign(**change))


def test_origins_without_points_are_refused():
    with pytest.raises(sl.DataError, match="no curve has 500 points"):
        learning_curves.rolling_origins(curve(), least=500)


def test_scores_of_different_lengths_are_refused():
    with pytest.raises(sl.DataError, match="one per unit"):
        learning_curves.sign_test([1.0, 2.0], [1.0])


def test_only_ties_say_nothing():
    assert learning_curves.sign_test([1.0], [1.0]).p == 1


def test_an_unfitted_form_is_refused():
    scores = learning_curves.score_curves(curve())
    with pytest.raises(sl.DataError, match="'broken' was not fitted"):
        learning_curves.points_per_curve(scores, curve(), "broken")


@pytest.mark.parametrize(("spread", "low", "high"), [(0.3, 1.0, 1.1), (0.0, 8.0, 31.0)])
def test_points_are_worth_what_their_errors_share(spread, low, high):
    rng = np.random.default_rng(3)
    pure = sl.PowerLaw(A=3.0, alpha=0.3)
    one = curve(law=pure, points=60).assign(in_fit=lambda f: f.examples_seen <= 1e4)
    held = ~one.in_fit.to_numpy()
    frames = []
    for at in range(30):
        error = 0.01 * rng.normal(size=60) + spread * rng.normal() * held
        frames.append(one.assign(model=str(at), error=one.error * np.exp(error)))
    frame = pd.concat(frames)
    # The law without noise, so that errors share the spread given here and nothing else.
    x = np.array([1.0, 10.0, 100.0])
    exact = sl.fit_power_law(x, pure.loss(x))
    scores = learning_curves.score_curves(frame, forms={"power law": lambda *_: exact})
    worth = learning_curves.points_per_curve(scores, frame, "power law")
    assert low <= worth["worth"] <= high


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"block": 0, "draws": 5}, "block must lie"),
        ({"block": 11, "draws": 5}, "block must lie"),
        ({"block": 2, "draws": 1}, "draws must be"),
    ],
)
def test_impossible_blocks_are_refused(options, word):
    with pytest.raises(sl.DataError, match=word):
        learning_curves.block_resamples(10, seed=0, **options)


@pytest.mark.parametrize("n", [0, 4])
def test_doublings_that_were_not_observed_are_refused(n):
    with pytest.raises(sl.DataError, match="between 1 and 3"):
        learning_curves.observed_doublings([1, 2, 4, 8], [4.0, 3.0, 2.0, 1.0], n=n)


def test_doublings_need_one_y_per_x():
    with pytest.raises(sl.DataError, match="one y per x"):
        learning_curves.observed_doublings([1, 2], [4.0], n=1)


def test_other_laws_have_no_plateau_here():
    with pytest.raises(sl.DataError, match="KaplanLaw"):
        learning_curves.plateau(sl.published.KAPLAN_2020)


def test_a_wave_in_the_residuals_widens_the_interval_of_blocks():
    x = np.geomspace(1.0, 1e4, 80)
    wave = np.exp(0.02 * np.sin(np.arange(80) / 6))
    fit = sl.fit_power_law(x, sl.PowerLaw(A=1.0, alpha=0.5, E=0.05).loss(x) * wave, offset=True)
    single = learning_curves.plateau_interval(fit, block=1)
    blocks = learning_curves.plateau_interval(fit, block=16)
    assert np.diff(blocks) > 1.2 * np.diff(single)


class TestShiftedPowerLaw:
    def noisy(self, seed=0):
        x = np.geomspace(1e6, 1e9, 60)
        law = sl.ShiftedPowerLaw(A=4e5, alpha=0.75, d=4e7, E=0.3)
        rng = np.random.default_rng(seed)
        return x, law.loss(x) * np.exp(0.01 * rng.normal(size=60))

    @pytest.mark.parametrize("seed", range(3))
    def test_no_start_of_scipy_goes_lower(self, seed):
        x, y = self.noisy(seed)
        fit = sl.fit_shifted_power_law(x, y)

        def residual(theta):
            a, alpha, d, E = np.exp(theta)
            return np.log(E + a * (x / 1e8 + d) ** -alpha) - np.log(y)

        starts = np.log([[0.4, 0.7, 0.4, 0.3], [0.5, 1.5, 1.0, 0.1], [0.8, 0.3, 0.05, 0.01]])
        best = min(least_squares(residual, one, xtol=1e-14, ftol=1e-14).cost for one in starts)
        assert fit.objective <= best * (1 + 1e-8)
        assert fit.gradient < 1e-10

    def test_a_missing_shift_is_said_to_be_missing(self):
        x = np.geomspace(1.0, 1e4, 30)
        fit = sl.fit_shifted_power_law(x, 0.1 + x**-0.5)
        assert any("d is at its bound of zero" in sentence for sentence in fit.warnings)
        np.testing.assert_allclose(fit.law.E, 0.1, rtol=1e-5)

    def test_an_exponential_is_refused(self):
        x = np.linspace(1.0, 10.0, 30)
        with pytest.raises(sl.FitError, match="fall exponentially"):
            sl.fit_shifted_power_law(x, 0.2 + np.exp(-x))

    def test_four_points_are_too_few(self):
        with pytest.raises(sl.FitError, match="cannot determine 4 parameters"):
            sl.fit_shifted_power_law([1, 2, 3, 4], [4.0, 3.0, 2.5, 2.2])

    def test_bootstrap_and_profile_know_it(self):
        x, y = self.noisy()
        fit = sl.fit_shifted_power_law(x, y)
        low, high = sl.bootstrap(fit, n=400).interval("E")
        found = sl.profile(fit, "E")
        assert low < fit.law.E < high
        assert found.low < fit.law.E < found.high

    def test_least_absolute_deviations(self):
        x, y = self.noisy()
        before = sl.fit_shifted_power_law(x, y, loss="lad").law.E
        y[np.argmax(y)] *= 3
        after = sl.fit_shifted_power_law(x, y, loss="lad").law.E
        assert after == pytest.approx(before, abs=0.01)

    def test_no_shift_has_no_ceiling(self):
        assert sl.ShiftedPowerLaw(A=1.0, alpha=0.5, d=0.0).ceiling == np.inf
