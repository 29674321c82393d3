"""Reward models: the laws, what was read off their figures, and accuracy against size."""

import numpy as np
import pytest
from scipy.special import logit
from scipy.stats import laplace, linregress, lognorm, norm
from scipy.stats import t as student

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import BestOfNLaw, ReinforcementLaw
from scalinglib.topics import reward_models


@pytest.fixture(scope="module")
def coefficients():
    return sl.load("reward_model_coefficients").set_index("rm")


@pytest.fixture(scope="module")
def accuracy():
    return sl.load("reward_model_accuracy")


def bon_law(coefficients, rm):
    return BestOfNLaw(coefficients.alpha_bon[rm], coefficients.beta_bon[rm])


def trend(coefficients, name):
    return reward_models.fit_size_trend(
        coefficients.params, coefficients[name], reference=published.value("gao2023/reference size")
    )


def accuracy_line(accuracy, test_set):
    rows = accuracy[accuracy.test_set == test_set]
    se = rows.acc_sd / np.sqrt(published.value("huang2024/seeds"))
    return reward_models.fit_size_trend(rows.params, rows.acc_mean, reference=1e9, per=2, se=se)


class TestDivergence:
    @pytest.mark.parametrize(("n", "kl"), [(1000, 5.9088), (60_000, 10.0021)])
    def test_of_best_of_n(self, n, kl):
        found = float(reward_models.kl_best_of_n(n))
        assert found == pytest.approx(kl, abs=1e-4)
        assert published.printed(f"gao2023/KL/{n}").returns(found)

    @pytest.mark.parametrize("n", [2, 8, 64, 1000])
    def test_by_simulation(self, n):
        rng = np.random.default_rng(n)
        mean, error = reward_models.simulated_kl(n, draws=4000, rng=rng)
        assert mean == pytest.approx(float(reward_models.kl_best_of_n(n)), abs=4 * error)
        assert error == pytest.approx((1 - 1 / n) / np.sqrt(4000), rel=0.1)


class TestTrends:
    @pytest.mark.parametrize(
        ("name", "tolerance", "level", "slope", "slope_se", "r2"),
        [
            ("alpha_bon", 0.006, 0.4904, 0.0633, 0.0052, 0.954),
            ("beta_bon", 0.001, 0.1230, -0.0108, 0.0008, 0.965),
            ("beta_rl", 0.002, 0.1725, -0.0207, 0.0021, 0.935),
        ],
    )
    def test_coefficients_against_size(
        self, coefficients, name, tolerance, level, slope, slope_se, r2
    ):
        line, found = published.values(f"gao2023/trend/{name}"), trend(coefficients, name)
        assert found.slope == pytest.approx(line["per_decade"], abs=tolerance)
        assert found.intercept == pytest.approx(line["at_3m"], abs=tolerance)
        assert found.intercept == pytest.approx(level, abs=1e-4)
        assert found.slope == pytest.approx(slope, abs=1e-4)
        assert found.slope_se == pytest.approx(slope_se, abs=1e-4)
        assert found.r2 == pytest.approx(r2, abs=1e-3)


class TestPeaks:
    @pytest.mark.parametrize(
        ("rm", "height", "kl", "n"), [("3M", 0.500, 4.17, 175), ("3B", 1.217, 13.5, 2.0e6)]
    )
    def test_of_the_smallest_and_the_largest(self, coefficients, rm, height, kl, n):
        peak = bon_law(coefficients, rm).peak()
        assert peak.reward == pytest.approx(height, abs=0.02)
        assert peak.kl == pytest.approx(kl, abs=0.4)
        assert float(reward_models.n_for_kl(peak.kl)) == pytest.approx(n, rel=0.03)

    def test_against_the_figure(self, coefficients):
        small, large = (bon_law(coefficients, rm).peak() for rm in ("3M", "3B"))
        low, high = published.row("gao2023/peak 3M, KL")
        assert low <= small.kl <= high
        assert small.reward == pytest.approx(published.value("gao2023/peak 3M"), abs=0.02)
        assert large.kl > published.value("gao2023/KL/60000")

    def test_four_lie_beyond_what_was_measured(self, coefficients):
        farthest = float(reward_models.kl_best_of_n(60_000))
        beyond = [rm for rm in coefficients.index if bon_law(coefficients, rm).peak().kl > farthest]
        assert beyond == ["300M", "680M", "1.2B", "3B"]

    def test_the_caption_takes_the_place_for_the_height(self, coefficients):
        law = bon_law(coefficients, "3M")
        d = law.alpha / (2 * law.beta)
        assert float(law.reward(d**2)) == pytest.approx(law.peak().reward, rel=1e-12)
        assert d > 4 * law.peak().reward
        assert not published.printed("gao2023/peak 3M").returns(d)


class TestData:
    @pytest.mark.parametrize(
        ("name", "gain"),
        [
            ("2,000 comparisons, once", 0.0070),
            ("8,000 comparisons, once", 0.0383),
            ("2,000 comparisons, four times", 0.0093),
        ],
    )
    def test_gain_over_chance(self, name, gain):
        loss = published.value(f"gao2023/loss/{name}")
        assert reward_models.CHANCE_LOSS - loss == pytest.approx(gain, abs=1e-4)

    def test_repeating_is_worth_a_fraction_of_fresh_data(self):
        once, repeated, fresh = published.row("gao2023/loss")
        assert (once - repeated) / (once - fresh) == pytest.approx(0.0717, abs=1e-3)

    @pytest.mark.parametrize(
        ("name", "low", "high"),
        [("2,000 comparisons, once", 0.5051, 0.5593), ("8,000 comparisons, once", 0.5276, 0.6375)],
    )
    def test_accuracy_that_such_a_loss_allows(self, name, low, high):
        found = reward_models.accuracy_bounds(published.value(f"gao2023/loss/{name}"))
        assert found == pytest.approx((low, high), abs=1e-4)


class TestAccuracy:
    @pytest.mark.parametrize(
        ("test_set", "slope", "se"), [("TL;DR", 2.20, 0.11), ("CNN/DM", 2.60, 0.36)]
    )
    def test_points_per_doubling(self, accuracy, test_set, slope, se):
        line = accuracy_line(accuracy, test_set)
        assert 100 * line.slope == pytest.approx(slope, abs=0.005)
        assert 100 * line.slope_se == pytest.approx(se, abs=0.005)
        assert 1.5 < 100 * line.slope < 3.0

    def test_measured_points(self, accuracy):
        rows = accuracy[accuracy.test_set == "TL;DR"]
        assert rows.params.tolist() == [1e9, 2.8e9, 6.9e9]
        assert rows.acc_mean.tolist() == pytest.approx([0.6292, 0.6688, 0.6894], abs=1e-3)

    def test_three_points_bend_more_than_their_errors_allow(self, accuracy):
        line = accuracy_line(accuracy, "TL;DR")
        assert line.misfit == pytest.approx(12.88, abs=0.01)
        assert line.p < 1e-3
        assert accuracy_line(accuracy, "CNN/DM").p > 0.1

    def test_a_line_in_log_size_leaves_the_range_of_a_share(self, accuracy):
        line = accuracy_line(accuracy, "TL;DR")
        certain = line.params_at(1.0)
        assert 5e13 < certain < 5e14
        assert line.at(2 * certain) > 1

    def test_the_published_slope_is_outside_our_error(self, accuracy):
        line = accuracy_line(accuracy, "TL;DR")
        said = published.printed("stiennon2020/accuracy per doubling/size")
        assert not said.returns(100 * line.slope)


class TestUnsourcedLaw:
    LAW = reward_models.AlignmentProduct(*reward_models.UNSOURCED_EXPONENTS)

    def test_what_it_would_imply(self):
        gains = self.LAW.gain(data=[2, 1, 10], quality=[1, 2, 1])
        assert gains == pytest.approx([1.231, 1.625, 1.995], abs=5e-4)
        assert self.LAW.quality_for(10e3 / 100e3) == pytest.approx(2.68, abs=5e-3)

    def test_quality_against_amount(self):
        assert self.LAW.quality / self.LAW.data == pytest.approx(2.33, abs=5e-3)
        assert self.LAW.quality + self.LAW.data == pytest.approx(1)

    def test_exponents_come_back_from_what_the_law_makes(self):
        rng = np.random.default_rng(0)
        data, quality = np.exp(rng.normal(size=(2, 50)))
        design = np.stack([np.log(data), np.log(quality)], axis=1)
        found = np.linalg.lstsq(
            design, np.log(self.LAW.gain(data=data, quality=quality)), rcond=None
        )[0]
        assert found == pytest.approx([0.3, 0.7], abs=1e-12)


class TestRegression:
    def test_identity_by_simulation(self):
        rng = np.random.default_rng(0)
        gold, error = rng.standard_normal(200_000), 0.7 * rng.standard_normal(200_000)
        line = linregress(gold + error, gold)
        slope = float(reward_models.regressional_gold(1.0, gold_sd=1.0, error_sd=0.7))
        assert line.slope == pytest.approx(slope, abs=4 * line.stderr)
        table = reward_models.binned_gold(gold + error, gold, edges=np.linspace(-4, 4, 17))
        gap = table.gold - reward_models.regressional_gold(table.score, gold_sd=1.0, error_sd=0.7)
        assert (gap.abs() < 4.5 * table.se).all()

    def test_best_of_n_wins_the_share_of_the_variance(self):
        rng = np.random.default_rng(1)
        gold, error = rng.standard_normal((2, 200_000))
        n = np.array([1, 4, 16, 64])
        won = reward_models.best_of_n_estimate(gold + error, gold, n)
        # The score has variance two and half of it is gold.
        assert won == pytest.approx(reward_models.normal_maximum(n) / np.sqrt(2), abs=0.03)


SKEW = np.sqrt(np.e * (np.e - 1))
ERRORS = {
    "normal": norm(),
    "Laplace": laplace(scale=2**-0.5),
    "Student 5": student(5, scale=0.6**0.5),
    "Student 3": student(3, scale=3**-0.5),
    "lognormal": lognorm(1, loc=-np.sqrt(np.e) / SKEW, scale=1 / SKEW),
}


class TestTails:
    """A simulation made elsewhere, within four of its standard errors, and closed forms."""

    @pytest.mark.parametrize(
        ("name", "gold", "four_errors"),
        [
            ("normal", (1.0877, 1.7727, 2.2976, 2.7156, 3.1753),
             (0.0024, 0.0068, 0.0212, 0.066, 0.2076)),
            ("Student 5", (1.0829, 1.4263, 1.1789, 0.7639, 0.4112),
             (0.0024, 0.0088, 0.0316, 0.0932, 0.3008)),
            ("Student 3", (1.1296, 1.2603, 0.6416, 0.2784, 0.0260),
             (0.0024, 0.01, 0.0312, 0.0924, 0.2904)),
            ("Laplace", (1.0670, 1.3848, 1.4123, 1.4136, 1.4395),
             (0.0024, 0.0088, 0.0284, 0.0884, 0.2792)),
            ("lognormal", (0.9901, 0.7038, 0.3812, 0.2179, 0.1975),
             (0.0028, 0.0096, 0.0292, 0.0892, 0.2732)),
        ],
    )  # fmt: skip
    def test_truth_of_the_best_of_n(self, name, gold, four_errors):
        found = reward_models.gold_best_of_n(ERRORS[name], 10.0 ** np.arange(1, 6))
        assert (np.abs(found - gold) <= four_errors).all()

    def test_laplace_levels_off_at_its_own_rate(self):
        found = reward_models.gold_best_of_n(ERRORS["Laplace"], [1e4, 1e6])
        assert found == pytest.approx([np.sqrt(2)] * 2, abs=1e-3)

    @pytest.mark.parametrize("kl", [0.5, 2.0, 12.5])
    def test_normal_error_under_control(self, kl):
        one = reward_models.regularised(ERRORS["normal"], kl, most=50)
        assert (one.gold, one.score) == pytest.approx((np.sqrt(kl), 2 * np.sqrt(kl)), rel=1e-6)

    @pytest.mark.parametrize("strength", [1.0, 2.0, 5.0, 10.0])
    def test_gain_without_an_error_is_the_root_of_twice_the_divergence(self, strength):
        one = reward_models.regularised(norm(scale=1e-6), strength**2 / 2, most=1)
        assert one.gold == pytest.approx(strength, rel=1e-6)
        assert one.score == pytest.approx(strength, rel=1e-6)

    def test_a_power_tail_takes_the_truth_away_as_errors_grow(self):
        rows = [reward_models.regularised(ERRORS["Student 3"], 2.0, most=10.0**k)
                for k in (1, 2, 3, 4)]  # fmt: skip
        gold, score = [one.gold for one in rows], [one.score for one in rows]
        assert gold == pytest.approx([0.811, 0.150, 0.0219, 0.00287], rel=0.01)
        assert score == pytest.approx([3.62, 14.7, 96.5, 723], rel=0.01)

    @pytest.mark.parametrize(
        ("n", "share"),
        [(2, 0.9077492), (4, 0.9124934), (16, 0.9218177), (64, 0.9301543), (256, 0.9371904),
         (1000, 0.9429191), (10_000, 0.9504838), (60_000, 0.9550196)],
    )  # fmt: skip
    def test_best_of_n_beside_the_best_policy(self, n, share):
        best = np.sqrt(2 * reward_models.kl_best_of_n(n))
        assert reward_models.normal_maximum(n) / best == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize(
    ("accuracy", "margin", "elo", "least", "most"),
    [
        (0.6, 0.4054651, 70.4365, 0.5545177, 0.6730117),
        (0.7, 0.8472979, 147.1907, 0.4158883, 0.6108643),
        (0.75, 1.098612, 190.8485, 0.3465736, 0.5623351),
        (0.8, 1.386294, 240.824, 0.2772589, 0.5004024),
        (0.9, 2.197225, 381.697, 0.1386294, 0.325083),
    ],
)
def test_preference_losses(accuracy, margin, elo, least, most):
    assert logit(accuracy) == pytest.approx(margin, abs=1e-6)
    assert logit(accuracy) * 400 / np.log(10) == pytest.approx(elo, abs=1e-3)
    assert reward_models.loss_bounds(accuracy) == pytest.approx((least, most), abs=1e-7)


PUBLIC = {
    500: (0.38713, 0.13633, 0.00356, 0.01519, -0.0040, 0.0524, 1.04),
    1000: (0.46213, 0.12364, 0.00235, 0.01297, -0.0026, 0.0476, 0.99),
    4000: (0.61588, 0.12137, 0.00118, 0.01203, -0.0051, 0.0448, 0.95),
    8000: (0.74196, 0.11866, 0.00518, 0.00818, -0.0268, 0.0252, 0.59),
    60_000: (0.91401, 0.12257, 0.00427, 0.00945, -0.0216, 0.0312, 0.69),
}


@pytest.fixture(scope="module")
def runs():
    return sl.load("best_of_n_gold").assign(kl=lambda t: reward_models.kl_best_of_n(t.n))


class TestPublicBestOfN:
    """Five reward models of a public reproduction, read off its figure."""

    @pytest.mark.parametrize(("size", "target"), PUBLIC.items())
    def test_fits_and_forecasts(self, runs, size, target):
        alpha, beta, rms, rms_rl, ahead, ahead_rl, power = target
        one = runs[runs.comparisons == size]
        bon, rl = (sl.fit_curve(law, one.kl, one.gold) for law in (BestOfNLaw, ReinforcementLaw))
        assert (bon.params["alpha"], bon.params["beta"]) == pytest.approx((alpha, beta), rel=3e-3)
        assert (bon.rmse, rl.rmse) == pytest.approx((rms, rms_rl), abs=2e-4)
        early, last = one[one.n <= 32], one.iloc[-1]
        for law, missed in ((BestOfNLaw, ahead), (ReinforcementLaw, ahead_rl)):
            fit = sl.fit_curve(law, early.kl, early.gold)
            assert float(fit.predict(last.kl)) - last.gold == pytest.approx(missed, abs=8e-4)
        free = sl.Curve.define(
            lambda kl, a, b, p: np.sqrt(kl) * (a - b * kl ** (p / 2)),
            starts=[[0.5, 0.1, 1.0], [0.9, 0.3, 0.5]],
        )
        fit = sl.fit_curve(free, one.kl, one.gold)
        assert fit.params["p"] == pytest.approx(power, abs=0.01)

    @pytest.mark.parametrize("size", PUBLIC)
    def test_the_authors_coefficients(self, runs, size):
        one = runs[runs.comparisons == size]
        fit = sl.fit_curve(BestOfNLaw, one.kl, one.gold)
        for name in ("alpha", "beta"):
            said = published.value(f"srik2026/{name}/{size}")
            assert fit.params[name] == pytest.approx(said, rel=7e-3)
        low, high = published.row(f"srik2026/alpha over prompts/{size}")
        assert low < fit.params["alpha"] < high

    def test_one_peak_is_seen(self, runs):
        tops = runs.loc[runs.groupby("comparisons").gold.idxmax()].set_index("comparisons").n
        assert tops.to_dict() == {500: 16, 1000: 128, 4000: 128, 8000: 128, 60_000: 128}
