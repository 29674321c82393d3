"""Kaplan et al. 2020: constants, what they imply, and the exponent on other people's runs."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.isoflop import model_sizes
from scalinglib.topics import kaplan

PRINTED = kaplan.printed_constants()
DERIVED = published.group("kaplan2020/derived")
JOINT = published.KAPLAN_2020
STEPS = published.law("kaplan2020/steps")
SPLIT = published.law("kaplan2020/split")
BY_SIZE, BY_TOKENS = published.law("kaplan2020/parameters"), published.law("kaplan2020/tokens")
BY_COMPUTE = published.law("kaplan2020/compute")
GPT3_C = 3.15e23


@pytest.fixture(scope="module")
def runs():
    return sl.load("dense_runs_clark2022")


@pytest.fixture(scope="module")
def sizes(runs):
    return runs.groupby("label", sort=False, as_index=False).mean(numeric_only=True)


@pytest.fixture(scope="module")
def pythia():
    models = sl.load("released_models_pile")
    return models[models.family == "Pythia"]


def line(frame, column="loss_validation"):
    frame = frame.dropna(subset=[column])
    return sl.fit_power_law(frame.params, frame[column]).law


def test_the_27_constants():
    expected = {
        "alpha_N": 0.076, "N_c": 8.8e13, "alpha_D": 0.095, "D_c": 5.4e13, "alpha_C": 0.057,
        "C_c": 1.6e7, "alpha_C_min": 0.050, "C_c_min": 3.1e8, "alpha_B": 0.21, "B_star": 2.1e8,
        "alpha_S": 0.76, "S_c": 2.1e3, "LND_alpha_N": 0.076, "LND_alpha_D": 0.103,
        "LND_N_c": 6.4e13, "LND_D_c": 1.8e13, "LNS_alpha_N": 0.077, "LNS_N_c": 6.5e13,
        "p_N": 0.73, "N_e": 1.3e9, "p_B": 0.24, "B_e": 2.0e6, "p_S": 0.03, "S_e": 5.4e3,
        "p_D": 0.27, "D_e": 2e10, "PF_day": 8.64e19,
    }  # fmt: skip
    assert {name: one.value for name, one in PRINTED.items()} == expected
    assert PRINTED["PF_day"].value == sl.PF_DAY


def test_the_joint_law_holds_the_constants_of_table_2():
    for name in ("alpha_N", "alpha_D", "N_c", "D_c"):
        assert getattr(JOINT, name) == PRINTED[f"LND_{name}"].value


class TestExponentOnRuns:
    def test_six_sizes(self, sizes):
        law = line(sizes)
        assert len(sizes) == 6
        assert law.alpha == pytest.approx(0.078621, abs=1e-6)
        assert law.x_c == pytest.approx(3.56805e13, rel=1e-4)
        assert np.log10(law.A) == pytest.approx(1.065505, abs=1e-6)
        clark = published.constants("clark2022/dense")
        assert clark["x_c"].returns(law.x_c)
        # 0.078621 rounds to 0.079; the printed 0.078 is its first two digits.
        assert not clark["alpha"].returns(law.alpha)
        assert int(1000 * law.alpha) == 78

    def test_all_rows_with_equal_weight(self, runs):
        law = line(runs)
        assert law.alpha == pytest.approx(0.078758, abs=1e-6)
        assert law.x_c == pytest.approx(3.42e13, rel=1e-3)

    @pytest.mark.parametrize(("seed", "N_c"), [(1, 3.5723e13), (2, 3.5645e13), (3, 3.5673e13)])
    def test_one_seed_of_the_130m(self, runs, seed, N_c):
        one = runs[(runs.label != "130M") | (runs.seed == seed)]
        assert line(one).x_c == pytest.approx(N_c, rel=1e-4)

    @pytest.mark.parametrize(
        ("corpus", "rows", "averaged"),
        [("c4", 0.0651, 0.06525), ("curation", 0.0930, 0.09334), ("pile", 0.1035, 0.10342),
         ("wikitext103", 0.0900, 0.09007)],
    )  # fmt: skip
    def test_other_corpora(self, runs, sizes, corpus, rows, averaged):
        assert line(runs, f"loss_{corpus}").alpha == pytest.approx(rows, abs=1e-4)
        assert line(sizes, f"loss_{corpus}").alpha == pytest.approx(averaged, abs=1e-5)

    @pytest.mark.parametrize(
        ("column", "skip", "alpha"),
        [("params_non_embedding", 0, 0.07128), ("params_non_embedding", 1, 0.06552),
         ("params", 0, 0.08551), ("params", 1, 0.07339)],
    )  # fmt: skip
    def test_pythia(self, pythia, column, skip, alpha):
        part = pythia.iloc[skip:]
        assert len(part) == 8 - skip
        assert sl.fit_power_law(part[column], part.loss).law.alpha == pytest.approx(alpha, abs=1e-4)

    def test_bootstrap_interval_holds_kaplans_value(self, sizes):
        fit = sl.fit_power_law(sizes.params, sizes.loss_validation)
        low, high = sl.bootstrap(fit, n=4000, seed=0).interval("alpha")
        assert low < PRINTED["alpha_N"].value < high

    def test_a_floor_moves_the_exponent_far(self, sizes):
        pure = sl.fit_power_law(sizes.params, sizes.loss_validation)
        floor = sl.fit_power_law(sizes.params, sizes.loss_validation, offset=True)
        assert (floor.law.alpha, floor.law.E) == pytest.approx((0.1273, 1.0098), rel=1e-3)
        assert pure.objective > 10 * floor.objective

    def test_kaplans_own_constants_are_recovered_from_noisy_points(self):
        N = np.geomspace(768, 1.5e9, 20)
        noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(20))
        law = sl.fit_power_law(N, BY_SIZE.loss(N) * noise).law
        assert law.alpha == pytest.approx(0.076, abs=2e-3)
        exact = sl.fit_power_law(N, BY_SIZE.loss(N)).law
        assert exact.alpha == pytest.approx(0.076, abs=1e-12)

    def test_the_exponent_of_compute_in_chinchillas_minima(self):
        runs = sl.load("isoflop_runs")
        runs = runs[runs.experiment == "chinchilla"]
        minima = sl.fit_isoflop(runs).minima
        alpha = sl.fit_power_law(minima.budget, minima.loss).law.alpha
        assert len(minima) == 9
        assert alpha == pytest.approx(0.05006, abs=1e-5)
        assert PRINTED["alpha_C_min"].returns(alpha)

    def test_the_exponent_of_compute_in_the_lowest_runs(self, chinchilla_runs):
        budgets = np.array([6e18, 1e19, 3e19, 6e19, 1e20, 3e20, 6e20, 1e21, 3e21])
        gap = np.abs(np.log(chinchilla_runs.flops.to_numpy()[:, None] / budgets))
        near = chinchilla_runs.assign(budget=budgets[gap.argmin(axis=1)])[gap.min(axis=1) < 0.15]
        lowest = near.groupby("budget").loss.min()
        assert len(lowest) == 9
        alpha = sl.fit_power_law(lowest.index.to_numpy(), lowest.to_numpy()).law.alpha
        assert alpha == pytest.approx(0.0507, abs=5e-4)


def test_only_the_validation_text_of_five_corpora_holds_kaplans_exponent(sizes):
    corpora = {name: f"loss_{name}"
               for name in ("validation", "c4", "curation", "pile", "wikitext103")}  # fmt: skip
    found = kaplan.exponents_by_corpus(sizes, corpora, PRINTED["alpha_N"].value)
    assert found.index[found.holds].tolist() == ["validation"]
    others, own = found[~found.holds], found.loc["validation"]
    assert ((others.high < own.low) | (others.low > own.high)).all()
    assert (others.alpha_N.min(), others.alpha_N.max()) == pytest.approx((0.0653, 0.1034), abs=1e-4)


def test_what_counts_as_compute_moves_gpt3s_loss_further_than_two_laws_differ():
    days = sl.pf_days(GPT3_C)
    spent, least = BY_COMPUTE.loss(days), BY_COMPUTE.loss(days / 2)
    drawn = published.law("brown2020/compute").loss(days)
    assert abs(least / spent - 1) > abs(drawn / spent - 1)


def test_kaplans_joint_law_picks_the_loser_of_the_pair_that_was_trained():
    N = np.array([published.value(f"hoffmann2022/D.4 pair/{one}") for one in ("small", "large")])
    D = published.value("hoffmann2022/Kaplan size, budget") / 6 / N
    gap = {law: float(np.diff(law.loss(N, D))[0]) for law in (JOINT, published.EPOCH_2024)}
    assert list(gap.values()) == pytest.approx([-0.0400, 0.0089], abs=1e-4)


class TestSingleLaws:
    def test_losses_of_gpt2_and_gpt3(self):
        assert BY_SIZE.loss(1.5e9) == pytest.approx(2.304, abs=1e-3)
        assert BY_SIZE.loss(175e9) == pytest.approx(1.604, abs=1e-3)
        assert BY_TOKENS.loss(3e11) == pytest.approx(1.638, abs=1e-3)

    def test_compute_laws_at_gpt3(self):
        N, D = published.row("model/GPT-3 175B")
        assert sl.training_flops(N, D) == pytest.approx(GPT3_C, rel=1e-12)
        days = sl.pf_days(GPT3_C)
        assert days == pytest.approx(3646, abs=0.5)
        fixed_batch = published.law("kaplan2020/compute, fixed batch")
        assert fixed_batch.loss(days) == pytest.approx(1.613, abs=1e-3)
        assert BY_COMPUTE.loss(days) == pytest.approx(1.764, abs=1e-3)
        assert published.law("brown2020/compute").loss(days) == pytest.approx(1.734, abs=1e-3)

    def test_a_doubling_of_parameters(self):
        factor = BY_SIZE.loss(2e9) / BY_SIZE.loss(1e9)
        assert factor == pytest.approx(0.9487, abs=1e-4)
        assert DERIVED["doubling"].returns(float(factor))

    def test_units_and_ranges(self):
        assert PRINTED["C_c_min"].value * sl.PF_DAY == pytest.approx(2.678e28, rel=1e-3)
        low, high = published.row("kaplan2020/range/N")
        assert np.log10(high / low) == pytest.approx(6.29, abs=0.005)
        low, high = published.row("kaplan2020/range/D")
        assert np.log10(high / low) == pytest.approx(3.02, abs=0.005)

    def test_shapes_of_one_size(self):
        layers, width = np.transpose(list(published.rows("kaplan2020/shape").values()))
        count = 12.0 * layers * width**2
        np.testing.assert_allclose(count, [1.324e9, 1.475e9], rtol=5e-4)


class TestJointLaw:
    def test_tokens_for_two_percent(self):
        assert JOINT.alpha_N / JOINT.alpha_D == pytest.approx(0.737864, abs=1e-4)
        assert kaplan.unique_tokens_needed(JOINT, 1.0) == pytest.approx(5519, abs=1)
        ratio = kaplan.unique_tokens_needed(JOINT, 8e9) / kaplan.unique_tokens_needed(JOINT, 1e9)
        assert ratio == pytest.approx(4.64, abs=0.005)

    def test_the_printed_prefactor_goes_with_the_printed_exponent(self):
        at_1b = float(kaplan.unique_tokens_needed(JOINT, 1e9)) / 1e9 ** DERIVED["overfit_p"].value
        assert DERIVED["overfit_k"].returns(at_1b)

    def test_exponent_of_the_optimum(self):
        assert optimum.joint_exponent(JOINT) == pytest.approx(0.5754, abs=1e-3)
        single = kaplan.joint_of_single_laws()
        assert optimum.joint_exponent(single) == pytest.approx(0.5556, abs=1e-4)

    def test_exponent_of_a_numerical_optimum(self):
        def best(C):
            found = minimize_scalar(
                lambda n: float(sl.isoflop_curve(JOINT, C, np.exp(n)).loss),
                bounds=(np.log(1e7), np.log(1e13)), method="bounded", options={"xatol": 1e-9},
            )  # fmt: skip
            return found.x

        slope = (best(1e24) - best(1e20)) / np.log(1e4)
        assert slope == pytest.approx(0.5754, abs=1e-3)

    @pytest.mark.parametrize(("C", "ratio"), [(GPT3_C, 1.80), (5.76e23, 1.65)])
    def test_tokens_per_parameter(self, C, ratio):
        best = sl.isoflop_curve(JOINT, C, optimum.joint_optimum(JOINT, C))
        assert best.tokens_per_param == pytest.approx(ratio, abs=0.005)

    def test_two_plans_of_one_budget(self):
        big, long = JOINT.loss([7e9, 3e9], [25e9, 60e9])
        assert (big, long) == pytest.approx((2.1321, 2.1720), abs=1e-4)
        big, long = published.EPOCH_2024.loss([7e9, 3e9], [25e9, 60e9])
        assert (big, long) == pytest.approx((2.3265, 2.2989), abs=1e-4)

    def test_limits(self):
        factor = 2.0
        size = JOINT.loss(factor * 1e9, np.inf) / JOINT.loss(1e9, np.inf)
        data = JOINT.loss(np.inf, factor * 1e9) / JOINT.loss(np.inf, 1e9)
        assert -np.log2(size) == pytest.approx(0.076, abs=1e-6)
        assert -np.log2(data) == pytest.approx(0.103, abs=1e-6)

    def test_the_same_form_on_chinchilla_runs_excludes_the_measured_split(self, chinchilla_runs):
        fit = sl.fit_kaplan(chinchilla_runs)
        assert optimum.joint_exponent(fit.law) == pytest.approx(0.5466, abs=1e-3)
        low, high = sl.bootstrap(fit, n=1000, seed=0).interval(optimum.joint_exponent)
        assert low < published.EPOCH_2024.a < high < 0.65


class TestSteps:
    def test_early_stopping(self):
        early = kaplan.stopping_tradeoff(STEPS)
        assert STEPS.gap == pytest.approx(0.1013, abs=1e-4)
        assert early.params == pytest.approx(2.71, abs=5e-3)
        assert early.steps == pytest.approx(0.131, abs=5e-4)
        assert early.compute == pytest.approx(0.354, abs=5e-4)
        ours = {"stop_params": early.params, "stop_steps": early.steps, "gap": STEPS.gap,
                "stop_compute": early.compute}  # fmt: skip
        for name, value in ours.items():
            assert DERIVED[name].returns(float(value))

    def test_other_sizes(self):
        cost = kaplan.size_tradeoff(STEPS, [0.6, 2.2])
        assert cost.compute == pytest.approx([1.165, 1.204], abs=1e-3)
        assert DERIVED["size_steps"].returns(float(cost.steps[1]))

    def test_steps_to_a_loss_of_three(self):
        steps = STEPS.steps(3.0, [1e8, 1e9, 1e10])
        assert steps == pytest.approx([1.78e4, 3.68e3, 2.01e3], rel=1e-2)

    def test_tokens_to_a_loss_under_epochs_law(self):
        tokens = sl.isoloss_curve(published.EPOCH_2024, 2.6, [1e9, 1e10]).D
        assert tokens == pytest.approx([1.22e10, 4.33e9], rel=5e-3)


class TestSplit:
    def test_closure(self):
        values = [PRINTED[name].value for name in ("alpha_S", "alpha_B", "alpha_N")]
        closure = kaplan.compute_exponent(*values)
        assert closure == pytest.approx(0.051987, abs=1e-6)
        assert closure / PRINTED["alpha_N"].value == pytest.approx(0.684, abs=1e-3)
        assert not DERIVED["alpha_C_closure"].returns(closure)
        assert DERIVED["alpha_C_closure_appendix"].returns(closure)

    def test_closure_with_the_constants_of_the_steps_law(self):
        frontier = kaplan.StepsFrontier(STEPS, published.law("kaplan2020/batch"))
        assert frontier.alpha_C == pytest.approx(0.052453, abs=1e-6)
        assert frontier.p_N == pytest.approx(0.681, abs=1e-3)

    def test_where_071_comes_from(self):
        ratio = DERIVED["alpha_C_closure"].value / PRINTED["alpha_N"].value
        assert DERIVED["p_N_closure"].returns(ratio)
        measured = PRINTED["alpha_C_min"].value / PRINTED["alpha_N"].value
        assert measured == pytest.approx(0.658, abs=1e-3)

    def test_ten_times_the_compute(self):
        assert SPLIT.params(1e22) / SPLIT.params(1e21) == pytest.approx(5.37, abs=5e-3)
        assert SPLIT.tokens(1e22) / SPLIT.tokens(1e21) == pytest.approx(1.862, abs=1e-3)
        assert SPLIT.p_N + SPLIT.p_D == pytest.approx(1, abs=1e-12)
        assert SPLIT.p_B + SPLIT.p_S == pytest.approx(SPLIT.p_D, abs=1e-12)

    def test_hoffmanns_quotation_halves_the_compute(self):
        budget = published.value("hoffmann2022/Kaplan size, budget")
        halved = float(SPLIT.params(kaplan.minimum_compute(budget, 1, 1)))
        assert published.printed("hoffmann2022/Kaplan size").returns(halved)
        assert SPLIT.params(budget) == pytest.approx(7.77e9, rel=1e-3)

    def test_tokens_per_parameter(self):
        ratio = SPLIT.tokens([sl.PF_DAY, GPT3_C]) / SPLIT.params([sl.PF_DAY, GPT3_C])
        assert ratio == pytest.approx([15.4, 0.354], rel=1e-2)
        N, D = published.row("model/GPT-3 175B")
        ratio = D / N
        assert ratio == pytest.approx(1.714, abs=1e-3)
        assert sl.pf_days(SPLIT.budget(ratio)) == pytest.approx(118, abs=0.5)

    def test_tokens_at_one_pf_day_are_those_of_the_table(self):
        for tokens in (SPLIT.tokens_by_steps(sl.PF_DAY), SPLIT.tokens_by_size(sl.PF_DAY)):
            assert PRINTED["D_e"].returns(float(tokens))
            assert not published.printed("kaplan2020/elsewhere/D_e").returns(float(tokens))

    def test_crossing(self):
        meet = kaplan.crossing_point(BY_COMPUTE, BY_TOKENS, SPLIT)
        assert sl.pf_days(meet.C) == pytest.approx(1.119e4, rel=1e-3)
        counts = [meet.N, meet.D]
        assert counts == pytest.approx([1.174e12, 2.48e11], rel=1e-3)
        assert meet.loss == pytest.approx(1.6677, abs=1e-4)
        assert DERIVED["cross_loss"].returns(meet.loss)
        for name, value in (("cross_C", sl.pf_days(meet.C)), ("cross_N", meet.N)):
            assert 0.5 < DERIVED[name].value / value < 2
        # The quoted trillion tokens are four times what these constants give.
        assert DERIVED["cross_D"].value / meet.D == pytest.approx(4.03, abs=0.01)

    def test_crossing_with_the_tokens_of_the_text(self):
        text = published.values("kaplan2020/elsewhere")
        split = published.law("kaplan2020/split", D_e=text["D_e"], p_D=text["p_D"])
        meet = kaplan.crossing_point(BY_COMPUTE, BY_TOKENS, split)
        assert sl.pf_days(meet.C) == pytest.approx(1.06e5, rel=1e-2)
        # Its tokens are near the quoted ones, but its loss is not.
        tokens = meet.D
        assert tokens == pytest.approx(8.11e11, rel=1e-3)
        assert not DERIVED["cross_loss"].returns(meet.loss)

    def test_epochs_law_wants_more_tokens(self):
        budget = published.value("hoffmann2022/Gopher budget")
        epoch = sl.compute_optimal(published.EPOCH_2024, budget).D
        assert epoch / SPLIT.tokens(budget) == pytest.approx(6.17, abs=0.05)


def test_no_rounding_of_the_constants_brings_back_the_measured_split():
    size, steps, batch = (PRINTED[name] for name in ("alpha_N", "alpha_S", "alpha_B"))
    low = size.value - size.half_unit
    others = [one.value + one.half_unit for one in (steps, batch)]
    assert kaplan.compute_exponent(low, *others) / low == pytest.approx(0.690, abs=1e-3)
    assert PRINTED["p_N"].value - PRINTED["p_N"].half_unit > 0.72
    assert optimum.joint_exponent(JOINT) == pytest.approx(0.575, abs=1e-3)


def test_the_refitted_joint_law_excludes_the_split_however_runs_are_drawn(chinchilla_runs):
    fit = sl.fit_kaplan(chinchilla_runs)
    for groups in (None, model_sizes(chinchilla_runs.params)):
        boot = sl.bootstrap(fit, n=400, seed=0, clusters=groups)
        low, high = boot.interval(optimum.joint_exponent)
        assert low < sl.fit_chinchilla(chinchilla_runs).law.a < high < PRINTED["p_N"].value
