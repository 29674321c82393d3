"""Scores predicted from losses: Bhagia et al. 2024, Gadre et al. 2024, Ruan et al. 2024."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit, minimize

import scalinglib as sl
from scalinglib import published
from scalinglib.topics import downstream

TASKS = list(downstream.TASKS)
N, D = published.row("model/OLMo 2 13B")
SMALL = ["d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8"]
BENCHMARKS = [
    "mmlu", "arc_c", "hellaswag", "winograd", "truthfulqa", "gsm8k", "xwinograd", "humaneval"
]  # fmt: skip


@pytest.fixture(scope="module")
def ladder():
    return sl.load("downstream_ladder")


@pytest.fixture(scope="module")
def measured():
    return sl.load("downstream_targets").tail(5).mean(numeric_only=True)


@pytest.fixture(scope="module")
def chains(ladder):
    return {
        t: downstream.fit_two_step(ladder, f"bits_per_byte_{t}", f"accuracy_{t}") for t in TASKS
    }


@pytest.fixture(scope="module")
def splits(chains, measured):
    return {
        task: chain.split(
            N, D, loss=measured[f"bits_per_byte_{task}"], score=measured[f"accuracy_{task}"]
        )
        for task, chain in chains.items()
    }


class TestLadder:
    def test_the_target_is_the_last_evaluation(self):
        last = sl.load("downstream_targets").iloc[-1]
        assert (last.params, last.tokens) == (N, D)

    @pytest.mark.parametrize("task", TASKS)
    def test_published_predictions(self, splits, task):
        ours = splits[task]
        for group, value in (
            (published.group("bhagia2024/bits"), ours.loss),
            (published.group("bhagia2024/accuracy"), ours.score),
            (published.group("bhagia2024/step 1"), ours.predicted_loss),
            (published.group("bhagia2024/step 2"), ours.from_loss),
            (published.group("bhagia2024/chained"), ours.chained),
        ):
            assert value == pytest.approx(group[task].value, abs=5e-4)
            assert group[task].returns(value)

    @pytest.mark.parametrize(
        ("task", "error", "half"),
        [
            ("mmlu", 0.67, 5e-3), ("hellaswag", 2.54, 5e-3), ("arc_challenge", 17.5, 5e-2),
            ("arc_easy", 11.4, 5e-2), ("piqa", 1.06, 5e-3), ("csqa", 4.7, 5e-2),
            ("socialiqa", 2.7, 5e-2), ("openbookqa", 7.8, 5e-2),
        ],
    )  # fmt: skip
    def test_relative_errors(self, splits, task, error, half):
        assert 100 * splits[task].relative == pytest.approx(error, abs=1.01 * half)

    def test_parameters_at_a_bound(self, chains):
        assert [task for task in TASKS if "E" in chains[task].at_bound] == ["csqa"]
        full = [task for task in TASKS if "high" in chains[task].at_bound]
        assert sorted(set(TASKS) - set(full)) == ["hellaswag", "socialiqa"]

    def test_two_errors_that_cancel_and_two_that_add(self, splits):
        csqa, arc = splits["csqa"], splits["arc_challenge"]
        assert csqa.relative_loss == pytest.approx(-0.1846, abs=5e-4)
        assert csqa.first * csqa.second < 0
        assert arc.relative_loss == pytest.approx(0.0944, abs=5e-4)
        assert arc.second / arc.score == pytest.approx(-0.0549, abs=5e-4)
        assert arc.first * arc.second > 0

    def test_the_first_step_is_a_minimum(self, ladder, chains):
        points = downstream.final_points(ladder, "bits_per_byte_piqa")
        n, d, y = np.log(points.params), np.log(points.tokens), np.log(points.loss)

        def objective(x):
            r = np.log(np.exp(x[0] - x[2] * n) + np.exp(x[1] - x[3] * d) + x[4]) - y
            r = r.abs()
            return float(np.where(r <= 1e-3, r**2 / 2, 1e-3 * (r - 5e-4)).sum())

        law = chains["piqa"].law
        ours = [np.log(law.A), np.log(law.B), law.alpha, law.beta, law.E]
        found = minimize(objective, ours, method="Nelder-Mead", options={"maxiter": 2000})
        assert objective(ours) <= found.fun * (1 + 1e-6)

    def test_the_second_step_is_the_published_script_s(self, ladder, chains):
        kept = downstream.smoothed_checkpoints(ladder, "bits_per_byte_mmlu", "accuracy_mmlu")
        x, y = np.append(kept.loss, 0.0), np.append(kept.score, 1.0)
        (a, middle, k, b), _ = curve_fit(
            lambda x, a, middle, k, b: a / (1 + np.exp(-k * (x - middle))) + b,
            x, y, p0=[-0.75, 0.9, 3.0, 1.0],
            bounds=([-1, 0, 0, 0], [0, np.inf, np.inf, 1]), xtol=1e-12, ftol=1e-12,
        )  # fmt: skip
        ours = chains["mmlu"].curve
        assert [ours.high, ours.high - ours.low] == pytest.approx([b, -a], abs=1e-5)
        assert [-ours.slope, ours.middle] == pytest.approx([k, middle], abs=1e-4)


@pytest.fixture(scope="module")
def splits_7(chains):
    return {
        one.task: chains[one.task].split(
            one.params, one.tokens, loss=one.bits_per_byte, score=one.accuracy
        )
        for one in sl.load("downstream_second_target").itertuples()
    }


class TestBothTargets:
    """The claim of two points is about a 7B and a 13B model, and both rest on the same fits."""

    def test_errors_in_points(self, splits_7, splits):
        small = [-0.629, 1.175, -10.449, -7.966, -0.825, 3.067, -1.186, -5.231]
        large = [-0.346, 2.113, -11.134, -9.930, -0.879, 3.506, -1.648, -3.775]
        for of, expected in ((splits_7, small), (splits, large)):
            assert [100 * of[task].total for task in TASKS] == pytest.approx(expected, abs=0.01)

    def test_the_second_target_comes_out_of_the_published_ladder(self, splits_7):
        bits = [0.78694, 0.67126, 0.79413, 0.60376, 0.89032, 0.71235, 1.00446, 1.28477]
        assert [splits_7[task].predicted_loss for task in TASKS] == pytest.approx(bits, abs=1e-4)

    def test_the_claim_holds_for_7b_and_for_the_mean_but_not_for_13b(self, splits_7, splits):
        off = 100 * np.abs([[of[task].total for task in TASKS] for of in (splits_7, splits)])
        within = published.value("bhagia2024/claim/within")
        tasks = published.value("bhagia2024/claim/tasks")
        assert (off[0] <= within).sum() == tasks
        assert (off[1] <= within).sum() == tasks - 1
        mean = np.sort(off.mean(axis=0), kind="stable")
        assert (mean <= within).sum() == tasks
        assert published.printed("bhagia2024/claim/others").returns(mean[4:].mean())
        assert np.sort(off[1], kind="stable")[3] == pytest.approx(within + 0.11, abs=0.01)

    def test_means_over_tasks_and_targets(self, splits_7, splits):
        off = 100 * np.abs([[of[task].total for task in TASKS] for of in (splits_7, splits)])
        assert off.mean(axis=1) == pytest.approx([3.82, 4.17], abs=0.01)
        four = [task in ("mmlu", "hellaswag", "piqa", "socialiqa") for task in TASKS]
        assert off[:, four].mean() == pytest.approx(1.10, abs=0.01)
        assert off[:, np.logical_not(four)].mean() == pytest.approx(6.88, abs=0.01)
        bits = [abs(splits_7[task].relative_loss) for task in TASKS]
        assert 100 * np.mean(bits) == pytest.approx(5.15, abs=0.02)

    def test_relative_errors_of_the_second_target(self, splits_7):
        accuracy = [1.283679, 1.444025, 16.86834, 9.420673, 1.006127, 4.221967, 1.978482, 10.5895]
        bits = [1.27691, -0.2853878, 6.962025, 13.28133, -2.03673, -11.72251, 4.319841, 1.301435]
        found = [100 * splits_7[task].relative for task in TASKS]
        assert found == pytest.approx(accuracy, abs=0.02)
        found = [100 * splits_7[task].relative_loss for task in TASKS]
        assert found == pytest.approx(bits, abs=0.02)
        given_bits = [0.49142, 0.82206, 0.57245, 0.80756, 0.80179, 0.71921, 0.62765, 0.45353]
        assert [splits_7[task].from_loss for task in TASKS] == pytest.approx(given_bits, abs=1e-4)

    def test_the_targets_are_nearly_one_test(self, ladder, chains, splits_7, splits):
        # Equal signs on all tasks, and predictions that move together from resample to resample.
        signs = [[np.sign(of[task].total) for task in TASKS] for of in (splits_7, splits)]
        assert signs[0] == signs[1]
        second = sl.load("downstream_second_target").iloc[0]
        for task in ("mmlu", "csqa"):
            again = downstream.resample_two_step(
                chains[task], ladder, f"bits_per_byte_{task}", f"accuracy_{task}", n=20, seed=0
            )
            pair = [[float(one.value(*at)) for one in again]
                    for at in ((second.params, second.tokens), (N, D))]  # fmt: skip
            assert np.corrcoef(pair)[0, 1] > 0.9


@pytest.fixture(scope="module")
def stopped(ladder):
    start = downstream.ONE_STEP_START
    return {
        task: downstream.accuracy_run(
            downstream.final_points(ladder, f"accuracy_{task}").rename(columns={"loss": "score"}),
            start=start,
        )
        for task in ("mmlu", "hellaswag", "arc_challenge", "csqa", "openbookqa")
    }


class TestOneStep:
    """Accuracy straight from parameters and tokens: the file of fits that stopped."""

    def test_four_tasks_share_a_prediction(self):
        in_file = pd.Series(dict(published.values("bhagia2024/one step")))
        shared = downstream.shared_predictions(in_file)
        assert shared == {0.6842361496192606: ["mmlu", "hellaswag", "arc_challenge", "openbookqa"]}

    def test_the_replay_stops_where_the_published_fits_did(self, stopped):
        for task, run in stopped.items():
            assert (run.success, run.iterations) == (False, 1)
            reported = published.value(f"bhagia2024/one step/{task}")
            assert run.law.loss(N, D) == pytest.approx(reported, abs=1e-7)

    def test_the_misfit_is_the_published_one(self, stopped, ladder):
        for task, run in stopped.items():
            points = downstream.final_points(ladder, f"accuracy_{task}")
            misfit = (run.law.loss(points.params, points.tokens) / points.loss - 1).abs().mean()
            reported = published.value(f"bhagia2024/one step misfit/{task}")
            assert misfit == pytest.approx(reported, abs=1e-5)

    def test_the_start_itself_knows_no_data(self, ladder):
        start = downstream.ONE_STEP_START
        for task in TASKS:
            points = downstream.final_points(ladder, f"accuracy_{task}")
            gap = np.log(start.loss(points.params, points.tokens) / points.loss)
            assert (gap > 1e-3).all()

    def test_finished_fits(self, ladder, stopped):
        finished = {}
        for task in TASKS:
            points = downstream.final_points(ladder, f"accuracy_{task}")
            finished[task] = downstream.fit_accuracy(points.rename(columns={"loss": "score"}))
        endless = [task for task, fit in finished.items() if np.isinf(fit.ceiling)]
        assert endless == ["mmlu", "hellaswag", "arc_challenge", "socialiqa", "openbookqa"]
        for task, ceiling in (("arc_easy", 1.895), ("piqa", 2.052), ("csqa", 1.342)):
            assert finished[task].ceiling == pytest.approx(ceiling, abs=1e-3)
        for task in ("arc_easy", "piqa"):
            reported = published.value(f"bhagia2024/one step/{task}")
            assert finished[task].accuracy(N, D) == pytest.approx(reported, abs=5e-6)
        for task, run in stopped.items():
            assert finished[task].objective < 0.6 * run.objective

    def test_the_start_itself_predicts_another_value(self):
        start = downstream.ONE_STEP_START
        assert start.loss(N, D) == pytest.approx(0.908783, abs=1e-6)


@pytest.fixture(scope="module")
def over_trained():
    return sl.load("overtrained_runs")


def gadre(runs, corpus, error):
    mine = runs[runs.corpus == corpus]
    at_20 = mine[mine.model.isin(SMALL) & (mine.tokens_per_param == 20)]
    first = mine[(mine.model == SMALL[0]) & (mine.tokens_per_param == 320)]
    large = mine[(mine.model == "open_lm_1b") & (mine.tokens_per_param == 20)]
    five = pd.concat([at_20, first])
    assert len(five) == 5
    return downstream.fit_error_law(five, pd.concat([five, large]), loss="loss_c4", error=error)


def split(runs, corpus, error, model, ratio):
    one = runs[(runs.corpus == corpus) & (runs.model == model)]
    one = one[one.tokens_per_param == ratio].iloc[0]
    chain = gadre(runs, corpus, error)
    return chain.split(one.params, one.tokens, loss=one.loss_c4, score=one[error])


class TestErrorLaw:
    @pytest.mark.parametrize(
        ("corpus", "E", "a", "b", "eta"),
        [
            ("c4_original", 1.50826, 141.28, 189.5, 0.121236),
            ("rpj", 1.83665, 212.24, 366.7, 0.136425),
            ("rw_original", 1.73446, 157.1, 246.2, 0.127197),
        ],
    )
    def test_loss_law(self, over_trained, corpus, E, a, b, eta):
        mine = over_trained[over_trained.corpus == corpus]
        at_20 = mine[mine.model.isin(SMALL) & (mine.tokens_per_param == 20)]
        first = mine[(mine.model == SMALL[0]) & (mine.tokens_per_param == 320)]
        five = pd.concat([at_20, first])
        law = downstream.fit_error_law(five, five, loss="loss_c4", error="error_avg17").law
        assert pytest.approx(E, rel=1e-3) == law.E
        form = sl.OvertrainingLaw.of(law)
        assert (form.a, form.b, form.eta) == pytest.approx((a, b, eta), rel=1e-3)

    @pytest.mark.parametrize(
        ("corpus", "error", "epsilon", "k", "gamma"),
        [
            ("rpj", "error_avg17", 0.8570, 2.2065, 0.7146),
            ("rpj", "error_avg46", 0.7608, 1.3229, 0.8907),
            ("c4_original", "error_avg17", 0.8497, 2.0789, 0.7561),
            ("c4_original", "error_avg46", 0.7589, 1.2885, 0.9722),
        ],
    )
    def test_coefficients(self, over_trained, corpus, error, epsilon, k, gamma):
        chain = gadre(over_trained, corpus, error)
        assert chain.curve.params == pytest.approx((epsilon, k, gamma), rel=1e-3)
        assert chain.curve_fit.agreement == 1

    @pytest.mark.parametrize(
        ("corpus", "error", "model", "ratio", "percent", "tolerance"),
        [
            ("rpj", "error_avg17", "open_lm_1b", 640, 3.6364, 2e-4),
            ("rpj", "error_avg17", "open_lm_7b", 20, 0.0463, 2e-4),
            ("rpj", "error_avg46", "open_lm_1b", 640, 3.4361, 2e-4),
            ("rpj", "error_avg46", "open_lm_7b", 20, 2.0969, 2e-4),
            ("c4_original", "error_avg17", "open_lm_7b", 20, 0.137, 5e-4),
            ("c4_original", "error_avg46", "open_lm_7b", 20, 0.0745, 2e-4),
            ("c4_original", "error_avg17", "open_lm_1b", 80, 9.58, 5e-3),
            ("c4_original", "error_avg46", "open_lm_1b", 80, 3.08, 5e-3),
        ],
    )
    def test_errors(self, over_trained, corpus, error, model, ratio, percent, tolerance):
        ours = split(over_trained, corpus, error, model, ratio)
        assert 100 * ours.relative == pytest.approx(percent, abs=tolerance)

    def test_published_extrapolations(self, over_trained):
        for name, model, ratio in (
            ("over_trained", "open_lm_1b", 640), ("large", "open_lm_7b", 20),
        ):  # fmt: skip
            ours = split(over_trained, "rpj", "error_avg17", model, ratio)
            loss = published.group("gadre2024/loss error")[model]
            score = published.group("gadre2024/score error")[name]
            assert loss.returns(100 * abs(ours.relative_loss))
            assert 100 * ours.relative == pytest.approx(score.value, abs=2e-4)

    def test_other_loss_errors(self, over_trained):
        for model, ratio, percent in (("open_lm_7b", 20, 4.2952), ("open_lm_1b", 80, 1.4980)):
            ours = split(over_trained, "c4_original", "error_avg17", model, ratio)
            assert 100 * abs(ours.relative_loss) == pytest.approx(percent, abs=1e-4)

    def test_seven_digits_explain_the_last_printed_one(self, over_trained):
        # The published notebook used 16 digits; inputs moved within theirs reach its value.
        rng = np.random.default_rng(0)
        values = []
        for _ in range(60):
            moved = over_trained.copy()
            for column in ("loss_c4", "error_avg17"):
                half = 0.5 * 10.0 ** (np.floor(np.log10(moved[column])) - 6)
                moved[column] += half * rng.uniform(-1, 1, len(moved))
            values.append(100 * split(moved, "rpj", "error_avg17", "open_lm_7b", 20).relative)
        assert min(values) <= 0.04635 <= max(values)

    def test_the_6_9b_hit_is_a_crossing(self, over_trained):
        redpajama = split(over_trained, "rpj", "error_avg17", "open_lm_7b", 20)
        assert redpajama.from_loss == pytest.approx(0.467, abs=5e-4)
        assert redpajama.score == pytest.approx(0.472, abs=5e-4)
        assert redpajama.first * redpajama.second < 0


@pytest.fixture(scope="module")
def models():
    return sl.load("base_model_benchmarks")


class TestReleasedModels:
    def test_148_models(self, models):
        assert len(models) == 148
        assert models.flops_1e21.isna().sum() == 25

    @pytest.mark.parametrize(
        ("standardise", "three", "one"), [(False, 0.9734, 0.853), (True, 0.9603, 0.794)]
    )
    def test_shares(self, models, standardise, three, one):
        parts = downstream.principal_components(models[BENCHMARKS], standardise=standardise)
        assert parts.shares[:3].sum() == pytest.approx(three, abs=5e-5)
        assert parts.shares[0] == pytest.approx(one, abs=5e-4)
        reported = published.value("ruan2024/three components")
        assert 100 * parts.shares[:3].sum() == pytest.approx(reported, abs=1.0)

    def test_families(self, models):
        scores = downstream.principal_components(models[BENCHMARKS]).scores.PC1
        trends = downstream.family_trends(scores, models.flops_1e21, models.family)
        r2 = trends.set_index("family").r2
        assert len(trends) == 23
        assert r2[["StableLM", "OLMo", "OpenLlama"]].to_numpy() == pytest.approx(
            [0.08, 0.51, 0.70], abs=0.01
        )
        assert (r2 >= 0.85).sum() == 20

    def test_btlm_tokens_are_a_thousand_times_too_high(self, models):
        tokens = models.set_index("model").tokens_trillion["cerebras/btlm-3b-8k-base"]
        assert tokens > 500
