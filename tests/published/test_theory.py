"""Why power laws: the targets of the chapter, each to its tolerance."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.misfit import gain_by_size
from scalinglib.topics.theory import coins, features, forms, manifold, skills

EPOCH, KAPLAN_N = published.EPOCH_2024, published.law("kaplan2020/parameters")
KAPLAN_D = published.law("kaplan2020/tokens")
HALF = features.Modes.power_law(0.5)
DATA = np.logspace(3, 9, 25)


def growth(runs):
    return gain_by_size(runs.params, runs.tokens, runs.loss).g


def local(curve, x, ratio=1.01):
    return float(np.log(curve(x / ratio) / curve(x * ratio)) / (2 * np.log(ratio)))


class TestSolvableModel:
    @pytest.mark.parametrize("a", [0.2, 0.35, 0.5, 0.75, 1.0, 1.3])
    def test_the_closed_form_against_the_exact_sum(self, a):
        modes = features.Modes.power_law(a)
        for n, low, high in ((64, 0.017, 0.027), (256, 0.0042, 0.007), (4096, 2.5e-4, 4.1e-4)):
            assert low < features.tuned_error(n, n, a) / modes.tuned(n, n)[0] - 1 < high
        for N, D in ((256, 4096), (4096, 256)):
            assert abs(features.tuned_error(N, D, a) / modes.tuned(N, D)[0] - 1) < 0.007

    @pytest.mark.parametrize(
        ("a", "share"),
        [(0.1, 0.573), (0.2, 0.628), (0.35, 0.703), (0.5, 0.774), (1, 1), (1.3, 1.132)],
    )
    def test_share_of_the_sum_of_its_limits(self, a, share):
        limits = features.tuned_error(7, np.inf, a) + features.tuned_error(np.inf, 7, a)
        found = features.tuned_error(7, 7, a) / limits
        assert found == pytest.approx(share, abs=5e-4)

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_simulation(self, seed):
        found = features.simulate(0.5, (32, 64, 128, 256), seed=seed)
        gap = np.log(found.error / found.theory)
        assert abs(gap.mean()) < 0.05
        assert np.sqrt(np.mean(gap**2)) < 0.08
        assert gap.abs().max() < 0.16

    def test_double_descent(self):
        D = (192, 240, 256, 272, 320)
        bare = [HALF.at_ridge(1e-6, 256, one) for one in D]
        best = [HALF.tuned(256, one)[0] for one in D]
        assert bare == pytest.approx([1.081, 3.86, 56.9, 3.97, 1.17], rel=2e-3)
        assert best == pytest.approx([0.390, 0.368, 0.362, 0.357, 0.343], abs=6e-4)

    @pytest.mark.parametrize(
        ("a", "b", "size", "data"),
        [
            (0.5, 0.5, 0.5, 0.5), (0.3, 0.3, 0.3, 0.3), (1, 1, 1, 1), (1, 0.5, 0.5, 0.5),
            (0.5, 1, 1, 1), (0.5, 2.5, 1.5, 2.5),
        ],
    )  # fmt: skip
    def test_exponents_of_other_targets(self, a, b, size, data):
        modes = features.Modes.power_law(a, b)
        assert (size, data) == (min(b, 1 + a), min(b, 2 * (1 + a)))
        found = [local(lambda n, k=k: modes.tuned(*((n, np.inf), (np.inf, n))[k])[0], 2.0**17)
                 for k in (0, 1)]  # fmt: skip
        assert found == pytest.approx([size, data], abs=3e-3)


class TestPlusSign:
    @pytest.mark.parametrize(
        ("a", "rms", "worst", "k", "k_rms", "g"),
        [
            (0.1, 1.9, 5.4, 0.23, 0.11, (0.144, 0.239, 0.096)),
            (0.2, 3.7, 10.1, 0.36, 0.18, (0.142, 0.250, 0.079)),
            (0.35, 4.7, 11.3, 0.52, 0.23, (0.119, 0.229, 0.055)),
            (0.5, 4.5, 9.5, 0.65, 0.23, (0.091, 0.190, 0.036)),
            (0.75, 2.6, 5.3, 0.84, 0.15, (0.044, 0.105, 0.014)),
        ],
    )
    def test_a_sum_and_a_power_of_one_on_the_model(self, a, rms, worst, k, k_rms, g):
        plus, bent = forms.on_the_model(a)
        assert 100 * forms.typical(plus) == pytest.approx(rms, abs=0.1)
        assert 100 * plus.residuals.abs().max() == pytest.approx(worst, abs=0.1)
        assert bent.params["k"] == pytest.approx(k, abs=0.006)
        assert 100 * forms.typical(bent) == pytest.approx(k_rms, abs=0.1)
        for center, expected in zip((1, 10, 0.1), g, strict=True):
            found = growth(forms.model_surface(a, center=center))
            assert found == pytest.approx(expected, abs=0.005)

    def test_at_one_it_is_a_sum(self):
        plus, bent = forms.on_the_model(1.0)
        assert forms.typical(plus) < 1e-10
        assert bent.params["k"] == pytest.approx(1, abs=1e-6)

    @pytest.mark.parametrize(
        ("a", "g"),
        [(0.1, 0.135), (0.2, 0.146), (0.35, 0.136), (0.5, 0.112), (0.75, 0.060), (1, 0),
         (1.3, -0.077)],
    )  # fmt: skip
    def test_local_growth_at_equal_numbers(self, a, g):
        assert features.data_growth(1, a) == pytest.approx(g, abs=6e-4)

    def test_data_are_worth_more_to_larger_models_below_one(self):
        ratio = np.geomspace(1e-6, 1e6, 301)
        assert features.data_growth(ratio, np.linspace(0.01, 0.99, 99)[:, None]).min() > 0
        assert features.data_growth(ratio, np.linspace(1.01, 4, 99)[:, None]).max() < 0


class TestOnRuns:
    @pytest.fixture(scope="class")
    @classmethod
    def olmo(cls):
        return sl.load("olmo_ladder_runs")

    @pytest.fixture(scope="class")
    @classmethod
    def chinchilla(cls):
        return sl.load("chinchilla_runs").query("not excluded")

    def check(self, runs, rms, a, r, k):
        found = [100 * forms.typical(fit(runs)) for fit in forms.SHAPES.values()]
        assert found == pytest.approx(rms, rel=0.02)
        shape = forms.fit_features(runs)
        assert shape.params["a"] == pytest.approx(a, abs=0.003)
        assert shape.params["r"] == pytest.approx(r, rel=0.03)
        assert forms.fit_outer(runs).params["k"] == pytest.approx(k, abs=0.01)

    def test_olmo(self, olmo):
        on_c4, on_pile = olmo.assign(loss=olmo.loss_c4), olmo.assign(loss=olmo.loss_pile)
        self.check(on_c4, [0.306, 0.315, 0.196, 0.095], 0.122, 24.2, 0.22)
        self.check(on_pile, [0.340, 0.351, 0.200, 0.084], 0.190, 27.9, 0.32)

    def test_chinchilla(self, chinchilla):
        self.check(chinchilla, [0.713, 0.731, 0.743, 0.639], 0.298, 22.5, 0.77)

    def test_held_out(self, olmo, chinchilla):
        for runs, by, expected in (
            (olmo.assign(loss=olmo.loss_c4), "flops", [0.36, 0.24, 0.13]),
            (olmo.assign(loss=olmo.loss_pile), "tokens", [0.35, 0.20, 0.06]),
            (chinchilla, "flops", [1.34, 1.13, 0.54]),
            (chinchilla, "tokens", [1.52, 1.03, 0.42]),
        ):
            found = [100 * one for one in forms.held_out(runs, by).values()]
            assert found == pytest.approx(expected, abs=0.05)

    def test_the_plus_sign_wins_elsewhere(self):
        marin = sl.load("corpora_isoflops").query("not flagged")
        for corpus, ratio in (("comma", 7.3), ("dclm", 6.2), ("nemotron", 6.4)):
            runs = marin[marin.corpus == corpus].assign(loss=marin.loss_paloma)
            shape = forms.fit_features(runs)
            assert forms.typical(forms.fit_sum(runs)) < forms.typical(shape)
            assert shape.params["r"] == pytest.approx(ratio, rel=0.03)

    def test_the_power_is_below_chance(self, olmo, chinchilla):
        for runs in (olmo.assign(loss=olmo.loss_c4), chinchilla):
            assert forms.outer_by_chance(runs).min() > forms.fit_outer(runs).params["k"] + 0.1

    def test_a_misfit_pulls_the_ratio_to_the_design(self, olmo):
        for ratio in (4, 150):
            by_shape, by_sum = forms.ratio_found(olmo.assign(loss=olmo.loss_c4), ratio)
            assert by_sum == pytest.approx(ratio, rel=1e-3)
            assert 15 < by_shape < 100

    def test_the_interaction_is_half_explained(self, olmo):
        for loss, measured, shaped in (("loss_c4", 0.33, 0.18), ("loss_pile", 0.29, 0.19)):
            runs = olmo.assign(loss=olmo[loss])
            told = forms.fit_features(runs).predict(runs.params, runs.tokens)
            assert growth(runs) == pytest.approx(measured, abs=0.01)
            assert growth(runs.assign(loss=told)) == pytest.approx(shaped, abs=0.01)


class TestSkills:
    @pytest.mark.parametrize("a", [0.3, 0.5, 1.0])
    def test_exponents(self, a):
        known, theory = skills.Skills.power_law(a), skills.data_exponent(a)
        assert local(lambda n: skills.unlearned_by_size(a, n), 1e4) == pytest.approx(a, abs=1e-3)
        for D in (1e4, 1e5):
            assert local(known.unseen, D) == pytest.approx(theory, abs=1e-3)
            assert local(lambda n: known.unseen(n, sights=10), D) == pytest.approx(theory, abs=1e-3)
        if a >= 0.5:
            assert known.unseen(1e5) == pytest.approx(skills.unseen_tail(a, 1e5), rel=1e-3)

    def test_a_hundred_sights_bend_the_start(self):
        known = skills.Skills.power_law(0.5)
        assert local(lambda n: known.unseen(n, sights=100), 1e3) < 0.1
        late = local(lambda n: known.unseen(n, sights=100), 1e5)
        assert late == pytest.approx(1 / 3, abs=1e-3)

    def test_a_list_that_ends_bends_the_curve(self):
        few = skills.Skills.power_law(0.082)
        found = [local(few.unseen, 10.0**k) for k in range(3, 9)]
        expected = [0.089, 0.093, 0.097, 0.102, 0.109, 0.119]
        assert found == pytest.approx(expected, abs=1.5e-3)

    @pytest.mark.parametrize(("a", "exact"), [(0.5, 0.3443), (1.0, 0.5002)])
    def test_simulation(self, a, exact):
        drawn, summed = skills.simulated_slope(a, np.logspace(2, 5, 7))
        assert summed == pytest.approx(exact, abs=1e-3)
        assert drawn == pytest.approx(summed, abs=0.012)

    def test_sudden_skills_smooth_sum(self):
        trained, t = skills.Skills.power_law(0.5), np.geomspace(50, 3160, 25)
        for room, slope, spread in ((None, 0.3332, 0.0007), (100, 0.3332, 0.0012)):
            left = np.log(trained.unlearned(t, room=room))
            line = np.polyfit(np.log(t), left, 1)
            assert -line[0] == pytest.approx(slope, abs=1e-3)
            assert np.std(left - np.polyval(line, np.log(t))) < spread
        assert skills.slope(t, trained.unlearned(t, room=10)) == pytest.approx(0.119, abs=3e-3)

    def test_no_skill_stands_out(self):
        found = skills.takeovers(skills.Skills.power_law(0.5), np.array([1e2, 1e3, 1e4, 1e5]))
        assert found["known"].tolist() == [4, 19, 89, 413]
        assert found["under way"].tolist() == [2, 10, 49, 228]
        expected = [0.279, 0.061, 0.013, 0.003]
        assert found["largest share"].tolist() == pytest.approx(expected, abs=6e-4)

    def test_noise_has_the_same_exponent(self):
        for a, ratio in ((0.5, 0.741), (1.0, 2 * np.log(2))):
            known = skills.Skills.power_law(a)
            assert local(known.noise, 1e6) == pytest.approx(skills.data_exponent(a), abs=2e-3)
            assert known.noise(1e7) / known.unseen(1e7) == pytest.approx(ratio, abs=1e-3)
        assert local(skills.Skills.power_law(0.5, listed=1000).noise, 1e8) == pytest.approx(
            1, abs=1e-3
        )

    def test_against_printed_exponents(self):
        hoffmann = published.HOFFMANN_2022_ROUNDED
        for alpha, beta, forced in (
            (KAPLAN_N.alpha, KAPLAN_D.alpha, 0.0706),
            (EPOCH.alpha, EPOCH.beta, 0.2581),
            (hoffmann.alpha, hoffmann.beta, 0.2537),
        ):
            assert skills.data_exponent(alpha) == pytest.approx(forced, abs=1e-4)
            assert forced < 0.91 * beta


class TestDimension:
    @pytest.fixture(scope="class")
    @classmethod
    def measured(cls):
        return manifold.exponents(range(1, 7), [2**k for k in range(9, 15)])

    def test_recovered(self, measured):
        few = measured[measured.d <= 5]
        assert (few.implied / few.d - 1).abs().max() < 0.12
        assert (measured.implied / measured.d - 1).abs().max() < 0.2

    def test_finite_data_make_it_small_by_either_estimate(self, measured):
        last = measured[measured.d == 6]
        assert (last.implied < 5.9).all()
        assert last.neighbours.iloc[0] == pytest.approx(5.75, abs=0.15)

    @pytest.mark.parametrize(
        ("teacher", "student", "slope"),
        [(2, 2, 1), (4, 2, 3), (6, 2, 3.998), (2, 4, 1), (3, 2, 2), (1.5, 2, 0.5)],
    )
    def test_a_circle(self, teacher, student, slope):
        n = np.array([64, 128, 256, 512])
        found = skills.slope(n, manifold.circle_error(teacher, student, n))
        assert found == pytest.approx(slope, abs=0.005)

    @pytest.mark.parametrize(
        ("exponent", "four", "two"),
        [(0.076, 52.6, 26.3), (0.095, 42.1, 21.1), (0.3478, 11.5, 5.8), (0.3658, 10.9, 5.5)],
    )
    def test_read_off_language(self, exponent, four, two):
        printed = [KAPLAN_N.alpha, KAPLAN_D.alpha, EPOCH.alpha, EPOCH.beta]
        assert exponent in printed
        order = published.value("sharma2022/order")
        assert (order / exponent, 2 / exponent) == pytest.approx((four, two), abs=0.06)


class TestFloor:
    @pytest.mark.parametrize(
        ("a", "excess", "pure", "pure_rms", "floored", "share", "promised", "true"),
        [
            (0.5, 0.3331, 0.0069, 1.68, 0.3318, 1.000, 0.3497, 0.3868),
            (0.25, 0.2007, 0.0157, 2.28, 0.1994, 0.9996, 0.3413, 0.3931),
        ],
    )
    def test_coins(self, a, excess, pure, pure_rms, floored, share, promised, true):
        loss, seen = coins.expected_loss(a, DATA), DATA < 1.001e6
        assert skills.slope(DATA, loss - coins.ENTROPY) == pytest.approx(excess, abs=1e-3)
        plain = sl.fit_power_law(DATA, loss)
        assert plain.law.alpha == pytest.approx(pure, abs=1e-3)
        assert 100 * forms.typical(plain) == pytest.approx(pure_rms, abs=0.2)
        fit = sl.fit_power_law(DATA, loss, offset=True)
        assert fit.law.alpha == pytest.approx(floored, abs=1e-3)
        assert pytest.approx(share, abs=1e-3) == fit.law.E / coins.ENTROPY
        assert sl.fit_power_law(DATA[seen], loss[seen]).law.loss(1e9) == pytest.approx(
            promised, abs=1e-3
        )
        assert promised < coins.ENTROPY < true
        assert loss[-1] == pytest.approx(true, abs=1e-4)

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_with_noise(self, seed):
        random = np.random.default_rng(seed)
        noise = np.exp(0.002 * random.standard_normal(len(DATA)))
        for a in (0.25, 0.5):
            fit = sl.fit_power_law(DATA, coins.expected_loss(a, DATA) * noise, offset=True)
            assert fit.law.alpha == pytest.approx(skills.data_exponent(a), abs=0.025)
            assert pytest.approx(1, abs=0.005) == fit.law.E / coins.ENTROPY

    @pytest.mark.parametrize(
        ("low", "high", "exponent"),
        [(18, 21, 0.0597), (18, 24, 0.0403), (21, 24, 0.0232), (19, 22, 0.0449)],
    )
    def test_the_refit_without_its_floor(self, low, high, exponent):
        C = np.logspace(low, high, 61)
        found = sl.fit_power_law(C, sl.compute_optimal(EPOCH, C).loss).law.alpha
        assert found == pytest.approx(exponent, abs=5e-4)


class TestLimits:
    @pytest.mark.parametrize(
        ("a", "expected"),
        [(0.5, [0.797, 0.949, 0.994, 0.9994, 0.9999]), (0.2, [0.595, 0.844, 0.974, 0.997, 0.9997])],
    )
    def test_one_over_the_size_beyond_the_limit(self, a, expected):
        N = 1e4 * np.logspace(0, 5, 6)
        beyond = features.tuned_error(N, 1e4, a) - features.tuned_error(np.inf, 1e4, a)
        assert -np.diff(np.log10(beyond)) == pytest.approx(expected, abs=1e-3)

    def test_best_sizes(self):
        for C in (1e8, 1e12):
            best = features.best_size(lambda N, D: HALF.tuned(N, D)[0], C)
            assert best / np.sqrt(C) == pytest.approx(1, abs=1e-4)
        tilted = features.Modes.power_law(1.0, 0.5)
        best = features.best_size(lambda N, D: tilted.tuned(N, D)[0], 1e10)
        assert best / 1e5 == pytest.approx(0.726, abs=1e-3)

    @pytest.mark.parametrize(
        ("a", "b", "x"), [(0.5, 0.5, 0.4), (0.3, 0.3, 0.4348), (1, 0.5, 0.3333)]
    )
    def test_best_sizes_where_each_sample_is_seen_once(self, a, b, x):
        modes = features.Modes.power_law(a, b)
        low, high = (features.best_size(modes.one_pass, C) for C in (1e10, 1e14))
        assert np.log(high / low) / np.log(1e4) == pytest.approx(x, abs=1e-3)

    @pytest.mark.parametrize(
        ("a", "x", "share"),
        [(0.1, 0.4762, 0.964), (0.3, 0.4348, 0.903), (0.5, 0.4, 0.852), (1, 0.3333, 0.755)],
    )
    def test_best_numbers_of_skills(self, a, x, share):
        def error(N, D):
            return float(skills.both(a, N, D))

        low, high = (features.best_size(error, C) for C in (1e12, 1e14))
        assert np.log(high / low) / np.log(100) == pytest.approx(x, abs=1e-4)
        assert high**-a / a / error(high, 1e14 / high) == pytest.approx(share, abs=1e-3)
