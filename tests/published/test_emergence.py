"""Emergence: the targets of the chapter, each to its tolerance."""

import numpy as np
import pytest
from scipy.stats import spearmanr

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import BrokenPowerLaw, Sigmoid
from scalinglib.topics import emergence
from scalinglib.topics.emergence import (
    TokenLine,
    emergence_score,
    last_crossing,
    steepest_window,
    window_share,
    zero_score_chance,
)

BETWEEN = {"low": 0.0, "high": 1.0}
LINE = TokenLine(**emergence.SNIPPET)
SIZES = np.geomspace(*emergence.SNIPPET_SIZES)
PASSAGES = published.value("paperno2016/questions")
JUMP = np.array(emergence.JUMP_STEPS) * published.value("olmo2025/tokens per step/OLMo2-7B")
FITTED = int(published.value("caballero2023/fitted"))


@pytest.fixture(scope="module")
def lambada():
    return sl.load("pythia_lambada").assign(log_ppl=lambda one: np.log(one.perplexity))


@pytest.fixture(scope="module")
def sigmoid(lambada):
    return sl.fit_curve(Sigmoid, lambada.log_ppl, lambada.accuracy, fixed=BETWEEN)


@pytest.fixture(scope="module")
def olmo():
    return sl.load("olmo2_trajectories")


@pytest.fixture(scope="module")
def run_7b(olmo):
    start, *_, end = JUMP
    return olmo[(olmo.run == "OLMo2-7B") & olmo.tokens.between(0.999 * start, 1.001 * end)]


@pytest.fixture(scope="module")
def graded():
    table = sl.load("base_model_emergent").dropna()
    return table.sort_values("flops_1e21", kind="stable")


@pytest.fixture(scope="module")
def pairs():
    return sl.load("elicitation_pairs").assign(gain=lambda one: one.chain_of_thought - one.direct)


@pytest.fixture(scope="module")
def addition():
    return sl.load("addition_learning_curve")


class TestOneSigmoid:
    def test_constants(self, lambada, sigmoid):
        assert len(lambada) == 416
        assert sigmoid.params["middle"] == pytest.approx(2.548, rel=0.01)
        assert -sigmoid.params["slope"] == pytest.approx(0.6066, rel=0.01)
        assert sigmoid.standard_errors[["slope", "middle"]].tolist() == pytest.approx(
            [0.0039, 0.0061], abs=1e-4
        )
        assert sigmoid.rmse < 0.015
        assert sigmoid.rmse == pytest.approx(0.0130, abs=1e-4)
        assert sigmoid.r2 == pytest.approx(0.9977, abs=1e-4)
        assert sigmoid.agreement == 1

    def test_small_models_predict_large_ones(self, lambada):
        small = lambada.model.str.contains("70m|160m|410m|1b")
        assert small.sum() == 208
        fit = sl.fit_curve(Sigmoid, lambada.log_ppl[small], lambada.accuracy[small], fixed=BETWEEN)
        miss = lambada.accuracy[~small] - fit.predict(lambada.log_ppl[~small])
        assert np.sqrt(np.mean(miss**2)) < 0.03
        assert np.sqrt(np.mean(miss**2)) == pytest.approx(0.0254, abs=1e-4)
        assert miss.mean() > 0.01

    def test_absent_ability(self, lambada, sigmoid):
        at = {step: lambada[lambada.step == step] for step in (1, 512, 1000)}
        assert len(at[512]) == 16
        right = at[512].accuracy * PASSAGES
        assert sorted(right.round())[-2:] == [0, 2]
        assert at[512].accuracy.max() <= 0.0004
        assert at[512].perplexity.agg(["min", "max"]).tolist() == pytest.approx(
            [5.4e4, 2.1e5], rel=0.01
        )
        assert at[1].perplexity.agg(["min", "max"]).tolist() == pytest.approx(
            [3.5e6, 1.2e7], rel=0.03
        )
        assert at[1000].accuracy.max() == pytest.approx(0.107, abs=1e-3)
        ratio = at[1].perplexity.to_numpy() / at[512].perplexity.to_numpy()
        assert np.median(ratio) == pytest.approx(34.5, abs=0.1)
        assert ratio.min() == pytest.approx(17.2, abs=0.1)

    def test_the_early_loss_is_that_of_word_pairs(self, lambada):
        nats = sl.load("lambada_yardsticks").set_index("yardstick").log_perplexity
        median = lambada.groupby("step").log_ppl.median()
        assert median[512] == pytest.approx(nats["token pairs"], abs=0.3)
        assert median[256] > nats["token pairs"] > median[1000] + 3
        assert (lambada[lambada.step == 512].log_ppl < nats["every token at random"] - 2).all()
        assert (lambada[lambada.step == 512].log_ppl > nats["one token at random"]).all()
        assert nats["every token at random"] == pytest.approx(1.3683 * np.log(50257), abs=2e-3)

    def test_the_early_loss_does_not_order_the_ends(self, lambada):
        late = lambada[lambada.step >= 1000]
        assert spearmanr(late.log_ppl, late.accuracy).statistic < -0.995
        assert emergence.foretold(lambada, 512, 1000) < -0.6
        assert emergence.foretold(lambada, 512, 143_000) > 0

    def test_the_tail_is_emptier_than_the_sigmoid_says(self, lambada, sigmoid):
        early = lambada[lambada.step == 512]
        expected = PASSAGES * sigmoid.predict(early.log_ppl)
        assert expected.min() > 14
        assert expected.mean() == pytest.approx(20.07, abs=0.05)

    def test_late_checkpoints_alone(self, lambada):
        late = lambada[lambada.step >= 1000]
        fit = sl.fit_curve(Sigmoid, late.log_ppl, late.accuracy, fixed=BETWEEN)
        assert len(late) == 256
        assert (fit.r2, fit.rmse) == pytest.approx((0.9920, 0.0165), abs=1e-4)

    def test_whole_runs_move_the_constants_more(self, lambada, sigmoid):
        draws = sl.bootstrap(sigmoid, 100, clusters=lambada.model).params
        assert draws.slope.std() > 3 * sigmoid.standard_errors["slope"]
        assert draws.middle.std() > 2.5 * sigmoid.standard_errors["middle"]

    def test_two_models_share_early_checkpoints(self, lambada):
        table = lambada.set_index(["model", "step"])[["accuracy", "perplexity"]]
        one, other = table.loc["pythia-2.8b"], table.loc["pythia-2.8b-deduped"]
        assert (one == other).all(axis=1).sum() == 11
        assert (one == other).all(axis=1).loc[:1000].all()

    def test_accuracies_are_whole_counts(self, lambada, olmo):
        for share, count in (
            (lambada.accuracy, PASSAGES),
            (olmo.accuracy_letter_arc_easy, published.value("clark2018/questions")),
        ):
            assert np.abs(share * count - (share * count).round()).max() < 0.002


class TestJump:
    @pytest.mark.parametrize(
        ("measure", "share"),
        [
            ("accuracy_letter_arc_easy", 0.60),
            ("accuracy_cloze_arc_easy", 0.03),
            ("bits_per_byte_arc_easy", 0.04),
            ("probability_cloze_arc_easy", 0.08),
            ("loss_c4", 0.04),
        ],
    )
    def test_share_of_the_change(self, run_7b, measure, share):
        found = window_share(run_7b.tokens, run_7b[measure], tuple(JUMP[1:3]))
        assert found == pytest.approx(share, abs=0.02)

    @pytest.mark.parametrize(
        ("run", "loss", "tokens"), [("OLMo2-7B", 2.697, 249e9), ("OLMo2-13B", 2.676, 151e9)]
    )
    def test_loss_at_the_jump(self, olmo, run, loss, tokens):
        one = olmo[olmo.run == run]
        letters = one.accuracy_letter_arc_easy
        assert last_crossing(one.loss_c4, letters, level=0.45) == pytest.approx(loss, abs=0.005)
        assert last_crossing(one.tokens, letters, level=0.45) == pytest.approx(tokens, rel=0.005)

    @pytest.mark.parametrize("run", ["OLMo2-7B", "OLMo2-13B"])
    def test_all_five_tasks_jump_at_one_checkpoint(self, olmo, run):
        one = olmo[olmo.run == run].reset_index(drop=True)
        first = {
            task: int(np.argmax(one[f"accuracy_letter_{task}"] > chance + 0.06))
            for task, chance in (("arc_easy", 0.25), ("arc_challenge", 0.25), ("csqa", 0.2),
                                 ("mmlu", 0.25), ("hellaswag", 0.25))
        }  # fmt: skip
        assert len(set(first.values())) == 1

    def test_in_tokens_the_smooth_loss_is_as_concentrated(self, run_7b):
        def share(measure, x, width):
            return steepest_window(x, run_7b[measure], width=width)[1]

        low, high = JUMP[1:3]
        letters, loss = "accuracy_letter_arc_easy", "loss_c4"
        assert share(loss, run_7b.tokens, high - low) == pytest.approx(0.607, abs=2e-3)
        assert share(letters, run_7b.tokens, high - low) == pytest.approx(0.600, abs=2e-3)
        ratio = np.log(high / low)
        assert share(letters, np.log(run_7b.tokens), ratio) == pytest.approx(0.600, abs=2e-3)
        assert share(loss, np.log(run_7b.tokens), ratio) == pytest.approx(0.127, abs=2e-3)


class TestScores:
    def test_the_score_prefers_the_smooth_loss(self, run_7b):
        assert emergence_score(run_7b.accuracy_letter_arc_easy) == pytest.approx(39.2, abs=0.1)
        assert emergence_score(run_7b.loss_c4) == pytest.approx(-136.5, abs=0.1)

    def test_mostly_flat_accuracy_scores_infinity(self, lambada):
        one = lambada[(lambada.model == "pythia-12b") & (lambada.step <= 1000)]
        assert emergence_score(one.accuracy) == np.inf

    def test_the_listing_against_a_line(self):
        assert emergence_score(LINE.exact_match(SIZES)) == pytest.approx(68.2, abs=0.1)
        assert emergence_score(LINE.accuracy(SIZES)) == pytest.approx(49.0, abs=0.1)
        fine = emergence_score(LINE.exact_match(np.geomspace(1e8, 1e11, 500)))
        assert fine == pytest.approx(695, abs=0.5)


class TestListing:
    def test_values(self):
        assert (SIZES[0], SIZES[-1], len(SIZES)) == pytest.approx((1e8, 1e11, 50))
        assert LINE.accuracy([1e8, 1e11]) == pytest.approx([0.5, 0.8], abs=1e-12)
        assert LINE.exact_match([1e8, 1e11]) == pytest.approx([0.00390625, 0.16777216], abs=1e-12)
        assert LINE.exact_match(1e10) == pytest.approx(0.05764801, abs=1e-12)
        decades = [1e8, 1e9, 1e10, 1e11, 1e12, 1e13]
        expected = [0.0039, 0.017, 0.058, 0.168, 0.430, 0.923]
        assert LINE.exact_match(decades) == pytest.approx(expected, abs=5e-4)

    def test_no_inflection_and_no_clip_on_its_range(self):
        score = LINE.exact_match(SIZES)
        assert (np.diff(score, 2) > 0).all()
        assert LINE.accuracy(SIZES).max() < LINE.ceiling
        assert LINE.clipped_from == pytest.approx(7.9e12, rel=0.01)
        assert LINE.params_for(0.5) == pytest.approx(1.5e12, rel=0.02)
        assert LINE.accuracy(LINE.params_for(0.5)) == pytest.approx(0.917, abs=5e-4)

    def test_most_of_the_gain_comes_last(self):
        low, late, high = LINE.exact_match([1e8, 1e10, 1e11])
        assert high / low == pytest.approx(43, abs=0.1)
        assert (high - late) / (high - low) == pytest.approx(0.672, abs=1e-3)
        slope = np.diff(LINE.exact_match(SIZES)) / np.diff(np.log10(SIZES))
        assert slope[[0, -1]] == pytest.approx([0.0065, 0.163], abs=5e-4)


class TestFiniteTests:
    def test_chance_of_a_zero_score(self):
        counts = sl.load("repeated_sampling_counts")
        expected = {"70M": 0.920, "160M": 0.708, "410M": 0.443, "1B": 0.333, "2.8B": 0.062,
                    "6.9B": 0.082, "12B": 0.043}  # fmt: skip
        for size, chance in expected.items():
            one = counts[counts.model == f"Pythia {size}"]
            assert len(one) == 128
            found = zero_score_chance(one.n_correct, one.n_samples)
            assert found == pytest.approx(chance, abs=1e-3)

    def test_a_graded_measure_of_the_same_family(self):
        table = sl.load("pythia_gsm8k_nll")
        fit = sl.fit_power_law(table.train_flops, table.nll_nats)
        assert -fit.law.alpha == pytest.approx(-0.1411, rel=0.01)


class TestTwoMetrics:
    def test_sixty_models(self, graded):
        assert len(graded) == 60
        small = graded[:25]
        assert (small.ipa_exact_match == 0).all()
        assert graded.ipa_exact_match.iloc[25] > 0
        assert small.flops_1e21.max() == pytest.approx(14.04)
        assert small.ipa_bleu.iloc[[0, -1]].tolist() == pytest.approx([0.030, 0.588], abs=1e-3)

    def test_rank_correlation(self, graded):
        small = graded[:25]
        family = small.model.str.contains("xglm")
        assert spearmanr(small.flops_1e21, small.ipa_bleu)[0] == pytest.approx(0.44, abs=5e-3)
        rest = small[~family]
        assert spearmanr(rest.flops_1e21, rest.ipa_bleu)[0] == pytest.approx(0.74, abs=5e-3)

    def test_neither_metric_is_the_finer_one_everywhere(self, graded):
        assert (graded.ipa_exact_match[25:] == 0).sum() == 5
        table = graded.set_index("model")
        assert table.ipa_bleu["Qwen/Qwen-14B"] < 0.6
        assert table.ipa_exact_match["Qwen/Qwen-14B"] > 0.12


class TestAddition:
    def test_the_broken_law_predicts_the_rest(self, addition):
        n = FITTED
        fit = sl.fit_curve(
            BrokenPowerLaw, addition.train_size[:n], addition.test_loss[:n], transform=np.log1p
        )
        predicted = fit.predict(addition.train_size[n:])
        assert predicted == pytest.approx([0.7602, 0.6375, 0.5626], rel=0.03)
        assert predicted == pytest.approx([0.7602, 0.6375, 0.5626], abs=1e-4)
        assert fit.params["d"] == pytest.approx(613, abs=1)
        assert fit.rmse == pytest.approx(0.0004, abs=1e-5)
        assert fit.agreement >= 0.9
        assert fit.warnings == ()
        assert predicted / addition.test_loss[n:].to_numpy() == pytest.approx(1, abs=0.02)

    def test_fewer_of_widely_drawn_starts_arrive(self, addition):
        # Ranges of the authors' grid: a, c0, c1, f from 0 to 1; b and d from 0.1 to 1.25^40 - 0.9.
        random = np.random.default_rng(1)
        low, high = random.uniform(0, 1, (4, 15)), 1.25 ** random.uniform(0, 40, (2, 15)) - 0.9
        starts = np.column_stack([low[0], high[0], low[1], low[2], high[1], low[3]])
        n = FITTED
        x, y = addition.train_size[:n], addition.test_loss[:n]
        fit = sl.fit_curve(BrokenPowerLaw, x, y, transform=np.log1p, starts=starts)
        assert 0.2 < fit.agreement < 0.8

    def test_eleven_points_do_not_foresee_it(self, addition):
        x, y = addition.train_size[:11], addition.test_loss[:11]
        starts = BrokenPowerLaw.starts(x.to_numpy(float), y.to_numpy())[:10]
        fit = sl.fit_curve(BrokenPowerLaw, x, y, transform=np.log1p, starts=starts)
        assert "c1" in fit.at_bound
        assert fit.predict(928) > 2 * addition.test_loss.iloc[-1]


class TestElicitation:
    def test_gains(self, pairs):
        assert len(pairs) == 2100
        assert pairs.gain.mean() == pytest.approx(0.0528, abs=1e-3)
        assert pairs.gain.max() == pytest.approx(0.748, abs=1e-3)
        assert (pairs.gain < 0).mean() == pytest.approx(0.356, abs=1e-3)

    def test_nearest_case(self, pairs):
        near = pairs[(pairs.direct < 0.1) & (pairs.chain_of_thought >= 0.8)]
        assert near[["direct", "chain_of_thought"]].to_numpy().tolist() == [[0.052, 0.8]]
        assert near.task.tolist() == ["multistep_arithmetic_two"]
        low = pairs[pairs.direct < 0.05]
        assert low.chain_of_thought.max() == pytest.approx(0.588, abs=1e-3)

    def test_the_parser_sets_the_gap(self, pairs):
        assert (pairs.direct_strict == 0).sum() == 2069
        jumps = (pairs.direct_strict == 0) & (pairs.chain_of_thought_strict >= 0.8)
        assert jumps.sum() == 134

    def test_one_task_is_a_mean_of_the_others(self, pairs):
        rest = pairs[pairs.task != "overall"]
        assert len(rest) == 2025
        assert rest.gain.mean() == pytest.approx(0.0528, abs=1e-4)

    def test_strong_models_gain_most(self, pairs):
        means = pairs.groupby("model")[["direct", "gain"]].mean()
        assert spearmanr(means.direct, means.gain)[0] == pytest.approx(0.85, abs=5e-3)


def test_the_survey_lists_compute_of_its_runs():
    others = [
        name
        for name, one in published.group("wei2022/scale").items()
        if not one.returns(float(sl.training_flops(*emergence.RUNS[name])))
    ]
    assert others == ["Chinchilla 70B"]
