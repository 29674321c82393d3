"""Counts of parameters and FLOPs: Hoffmann et al. 2022, Chowdhery et al. 2022, and others."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.architecture import LOOKUPS
from scalinglib.compute import (
    device_hours,
    fixed_ratio_split,
    flops_utilisation,
    training_budget,
)
from scalinglib.topics import compute

LOGITS = ("embedding",)
VOCABULARY = published.value("hoffmann2022/vocabulary")
GOPHER = compute.shape("hoffmann2022/shape/Gopher")
CHINCHILLA = compute.shape("hoffmann2022/shape/Chinchilla")
PYTHIA = published.rows("biderman2023/shape")
TABLE_A4 = published.group("hoffmann2022/FLOP ratio")
TABLE_A4_SIZES = published.values("hoffmann2022/FLOP ratio, size")


@pytest.fixture(scope="module")
def shapes():
    return sl.load("chinchilla_architectures")


@pytest.fixture(scope="module")
def corrected(shapes):
    return compute.as_printed(shapes)


def errors(table, projections):
    count = compute.shapes_of(table).params(
        vocabulary=compute.VOCABULARY_FITTED, projections=projections
    )
    return count / (1e6 * table.reported_params_millions.to_numpy()) - 1


def row(table, size):
    one = table[table.reported_params_millions == size]
    return compute.shapes_of(one)


class TestParameters:
    def test_five_projections_give_44_rows_of_the_transcription(self, shapes):
        error = errors(shapes, 5)
        assert int((np.abs(error) < 0.007).sum()) == 44
        off = {
            int(size): round(100 * gap, 1)
            for size, gap in zip(shapes.reported_params_millions, error, strict=True)
            if abs(gap) > 0.007
        }
        assert off == {664: 3.9, 816: -7.5, 1018: -4.1, 1266: -8.7, 2007: -6.9, 13775: 4.0}

    def test_four_projections_are_seven_percent_low(self, shapes):
        assert np.median(errors(shapes, 4)) == pytest.approx(-0.07, abs=0.005)

    def test_the_paper_has_all_50(self, corrected):
        assert np.abs(errors(corrected, 5)).max() < 0.007
        assert np.abs(errors(corrected, 4)).min() > 0.04

    def test_six_cells_and_a_size_are_all_that_differs(self, shapes, corrected):
        differs = corrected != shapes
        assert int(differs.any(axis=1).sum()) == 6
        assert int(differs.to_numpy().sum()) == 7

    def test_ten_vectors_a_layer_give_every_printed_million(self, corrected):
        shape = compute.shapes_of(corrected)
        count = shape.params(vocabulary=32_012, projections=5) + 10 * shape.layers * shape.width
        assert np.array_equal(np.round(count / 1e6), corrected.reported_params_millions)

    def test_errors_that_others_report_are_those_of_the_transcription(self, shapes, corrected):
        said = published.group("schaeffer2025robustness/size error")
        assert said["mean_four"].returns(100 * np.abs(errors(shapes, 4)).mean())
        assert said["largest_five"].returns(100 * np.abs(errors(shapes, 5)).max())
        assert 100 * np.abs(errors(shapes, 4)).max() == pytest.approx(15.28, abs=0.01)
        assert 100 * np.abs(errors(corrected, 5)).max() < 0.65

    @pytest.mark.parametrize("label", PYTHIA)
    def test_pythia_to_the_last_parameter(self, label):
        runs = sl.load("released_models_pile")
        one = runs[(runs.family == "Pythia") & (runs.label == label)].iloc[0]
        shape = compute.pythia(label)
        assert shape.non_embedding_params(vectors=True) == one.params_non_embedding
        L, d = PYTHIA[label]
        assert one.params_non_embedding == 12 * L * d**2 + 13 * L * d + 2 * d
        vocabulary = (one.params - one.params_non_embedding) / (2 * d)
        assert vocabulary in {50304, 50432, 50688}
        total = shape.params(vocabulary=vocabulary, vectors=True, tied=False)
        assert total == one.params

    def test_gopher_and_chinchilla(self):
        for shape, size in ((GOPHER, 280e9), (CHINCHILLA, 70e9)):
            assert shape.params(vocabulary=32_000, projections=5) == pytest.approx(size, rel=2e-3)


class TestFlops:
    @pytest.mark.parametrize("label", TABLE_A4)
    def test_table_a4_to_the_digit_without_embedding_and_logits(self, corrected, label):
        shape = row(corrected, TABLE_A4_SIZES[label])
        N = shape.params(vocabulary=VOCABULARY, projections=5)
        ours = shape.ratio_to_6nd(N, leave_out=LOOKUPS)[0]
        assert TABLE_A4[label].returns(ours)

    @pytest.mark.parametrize(
        ("size", "N", "ratio"),
        [(74, 73e6, 1.037), (306, 306e6, 1.100), (552, 552e6, 1.084), (1143, 1143e6, 1.045),
         (1593, 1593e6, 1.033), (6796, 6796e6, 0.994), (1143, 1.1e9, 1.085), (1593, 1.6e9, 1.028),
         (306, 305e6, 1.103)],
    )  # fmt: skip
    def test_with_printed_sizes(self, corrected, size, N, ratio):
        ours = row(corrected, size).ratio_to_6nd(N, leave_out=LOOKUPS)[0]
        assert ours == pytest.approx(ratio, abs=1e-3)

    def test_with_embedding_and_logits_the_table_is_far_away(self, corrected):
        small, large = row(corrected, 74), row(corrected, 6796)
        counted = [
            small.ratio_to_6nd(N)[0] for N in (73e6, small.params(vocabulary=32_000, projections=5))
        ]
        assert counted == pytest.approx([1.60, 1.58], abs=0.005)
        assert large.ratio_to_6nd(6796e6)[0] == pytest.approx(1.03, abs=0.005)
        assert small.ratio_to_6nd(73e6, leave_out=LOGITS)[0] == pytest.approx(1.317, abs=1e-3)

    def test_range_over_the_50_models(self, corrected):
        shape = compute.shapes_of(corrected)
        N = shape.params(vocabulary=VOCABULARY, projections=5)
        ratio = shape.ratio_to_6nd(N, leave_out=LOOKUPS)
        assert (ratio.min(), ratio.max()) == pytest.approx((0.965, 1.146), abs=1e-3)
        assert N[np.abs(ratio - 1) > 0.1].max() == pytest.approx(305.4e6, rel=1e-3)
        with_logits = shape.ratio_to_6nd(N, leave_out=LOGITS)
        assert N[np.abs(with_logits - 1) > 0.1].max() == pytest.approx(816e6, rel=1e-3)

    def test_without_position_projection_the_rule_is_always_low(self, corrected):
        shape = compute.shapes_of(corrected)
        ratio = shape.ratio_to_6nd(shape.params(vocabulary=32_000), leave_out=LOOKUPS)
        assert ratio.min() > 1

    def test_two_errors_nearly_cancel(self, corrected):
        shape = row(corrected, 74)
        N = shape.params(vocabulary=VOCABULARY, projections=5)[0]
        parts = {name: flops[0] / (2 * N) for name, flops in shape.operations().items()}
        over = 1 - parts["projections"] - parts["output"] - parts["feedforward"]
        under = parts["scores"] + parts["softmax"] + parts["mix"]
        assert (over, under) == pytest.approx((0.333, 0.360), abs=1e-3)


class TestBudgets:
    def test_pf_day(self):
        assert published.value("kaplan2020/PF-day") == sl.PF_DAY
        scale = published.constants("kaplan2020/compute")["x_c"].value * sl.PF_DAY
        assert scale == pytest.approx(2.678e28, rel=1e-3)

    def test_gopher_and_chinchilla_differ_by_a_sixth(self):
        gopher = sl.training_flops(*published.row("model/Gopher 280B"))
        chinchilla = sl.training_flops(*published.row("model/Chinchilla 70B"))
        assert (gopher, chinchilla) == pytest.approx((5.04e23, 5.88e23), rel=1e-12)
        assert chinchilla / gopher == pytest.approx(1.167, abs=1e-3)

    def test_gopher_and_chinchilla_by_operation(self):
        gopher = 300e9 * GOPHER.training_flops_per_token()
        chinchilla = 1.4e12 * CHINCHILLA.training_flops_per_token()
        assert (gopher, chinchilla) == pytest.approx((4.75e23, 5.68e23), abs=0.01e23)

    def test_no_count_returns_the_budget_of_table_3(self):
        quoted = published.printed("hoffmann2022/Gopher budget")
        counts = [
            300e9 * GOPHER.training_flops_per_token(leave_out=left, causal=causal, recomputed=again)
            for left in ((), LOGITS, LOOKUPS)
            for causal in (False, True)
            for again in (False, True)
        ]
        assert not any(quoted.returns(one) for one in (*counts, 5.04e23))

    def test_a_repeated_forward_pass_returns_the_other_budget(self):
        spent = 300e9 * GOPHER.training_flops_per_token(leave_out=LOOKUPS, recomputed=True)
        for key in ("rae2021/Gopher compute", "hoffmann2022/Gopher, by operation"):
            assert published.printed(key).returns(spent)

    def test_gpt3(self):
        rounded = sl.training_flops(*published.row("model/GPT-3 175B"))
        assert rounded == pytest.approx(3.15e23, rel=1e-12)
        assert sl.pf_days(3.15e23) == pytest.approx(3646, abs=0.5)
        exact = sl.training_flops(*published.row("model/GPT-3 175B, exact"))
        assert published.printed("brown2020/GPT-3 compute").returns(exact)
        days = sl.pf_days(exact)
        assert published.printed("brown2020/GPT-3 PF-days").returns(days)

    def test_llama_3(self):
        budget = published.printed("grattafiori2024/budget")
        N, D = published.row("grattafiori2024/plan")
        suggested = sl.training_flops(N * 1e9, D * 1e12)
        assert suggested == pytest.approx(3.99e25, rel=1e-3)
        assert suggested / budget.value == pytest.approx(1.05, abs=2e-3)
        trained = sl.training_flops(*published.row("model/Llama 3.1 405B"))
        assert budget.returns(trained)

    def test_table_3(self):
        table = sl.load("chinchilla_table_optima").query("table == 'Table 3'")
        ratio = sl.training_flops(table.params, table.tokens) / table.flops
        assert (ratio.min(), ratio.max()) == pytest.approx((0.998, 1.047), abs=1e-3)
        assert table.params[ratio.idxmax()] == 67e9

    def test_isoflop_runs_carry_the_rule(self):
        runs = sl.load("isoflop_runs")
        spent = sl.training_flops(runs.params, runs.tokens)
        assert spent == pytest.approx(runs.budget_flops.to_numpy(), rel=2e-6)


class TestDevices:
    peak = published.value("peak/A100")

    def test_64_devices_for_two_weeks(self):
        budget = training_budget(64, 14 * 24, peak=self.peak, mfu=0.5)
        assert budget == pytest.approx(1.2077e22, rel=1e-4)
        assert f"{budget:.2e}" == "1.21e+22"
        assert sl.pf_days(budget) == pytest.approx(139.8, abs=0.05)
        assert device_hours(budget, peak=self.peak, mfu=0.5) == pytest.approx(21_504)

    def test_which_model_they_should_train(self):
        C = training_budget(64, 14 * 24, peak=self.peak, mfu=0.5)
        split = fixed_ratio_split(C)
        assert split == pytest.approx((10.03e9, 200.6e9), rel=1e-3)
        for law, wanted in (
            (published.EPOCH_2024, (9.96e9, 202e9)),
            (published.HOFFMANN_2022, (6.9e9, 291e9)),
        ):
            best = sl.compute_optimal(law, C)
            found = [best.N, best.D]
            assert found == pytest.approx(wanted, rel=3e-3)

    def test_palms_utilisation_gives_less(self):
        share = published.value("model FLOPs utilisation/PaLM 540B") / 100
        budget = training_budget(64, 14 * 24, peak=self.peak, mfu=share)
        assert budget == pytest.approx(1.116e22, rel=1e-3)

    @pytest.mark.parametrize(
        ("C", "device", "count"),
        [(1e25, "H100", 3.25e3), (1e26, "H100", 3.25e4), (1e27, "H100", 3.25e5),
         (1e27, "B200", 1.43e5)],
    )  # fmt: skip
    def test_fleets(self, C, device, count):
        hours = device_hours(C, peak=published.value(f"peak/{device}"), mfu=0.4)
        assert hours / (90 * 24) == pytest.approx(count, rel=1e-2)

    def test_25000_a100_for_95_days(self):
        budget = training_budget(25_000, 95 * 24, peak=self.peak, mfu=0.35)
        assert budget == pytest.approx(2.2e25, rel=0.02)

    def test_palm(self):
        run, peak = published.values("chowdhery2022/run"), published.value("peak/TPU v4")
        parts = compute.shape("chowdhery2022/shape/PaLM").operations(context=2048)
        weights = 6 * run["params"]
        for name, flops in (
            ("model FLOPs utilisation/PaLM 540B", weights + 3 * (parts["scores"] + parts["mix"])),
            ("chowdhery2022/MFU without attention", weights),
        ):
            ours = flops_utilisation(
                run["tokens_per_second"], flops, devices=run["chips"], peak=peak
            )
            assert published.printed(name).returns(100 * ours)

    @pytest.mark.parametrize(("size", "width"), [("3B", 2560), ("7B", 4096)])
    def test_short_benchmarks_pass_sixty_percent(self, size, width):
        one = published.values(f"mosaicml2023/benchmark/{size}")
        attention = 3 * 4 * 32 * width * 2048  # 32 layers, forward and backward
        work, peak = 6 * one["params"] + attention, published.value("peak/A100")
        share = flops_utilisation(one["speed"], work, devices=1, peak=peak)
        assert 100 * share == pytest.approx(one["mfu"], abs=0.01)
        assert one["mfu"] > 60 > 100 * one["speed"] * 6 * one["params"] / 312e12

    def test_no_training_run_of_the_two_papers_is_above_a_half(self):
        found = published.values("model FLOPs utilisation")
        assert max(found, key=found.__getitem__) == "PaLM 540B"
        assert [value for value in found.values() if 40 <= value <= 60] == [46.2, 43, 41]

    def test_llama_over_the_whole_job(self):
        spent = sl.training_flops(*published.row("model/Llama 3.1 405B"))
        full = device_hours(spent, peak=published.value("peak/H100"), mfu=1.0)
        assert full / published.value("grattafiori2024/GPU hours") == pytest.approx(0.345, abs=1e-3)


def test_models_of_like_size_cost_more_the_deeper_they_are(corrected):
    vocabulary = published.value("hoffmann2022/vocabulary")
    shape = compute.shapes_of(corrected)
    N = shape.params(vocabulary=vocabulary, projections=5)
    ratio = shape.ratio_to_6nd(N, leave_out=LOOKUPS)
    assert compute.depth_correlation(shape, N, ratio) == pytest.approx(0.81, abs=0.01)


@pytest.fixture(scope="module")
def llama():
    runs = [sl.load("llama_isoflops").assign(context=8192), sl.load("llama_isoflops_contexts")]
    return pd.concat(runs, ignore_index=True)


class TestLlamaAtThreeContexts:
    """The same models of Beck et al. 2025, counted by 6ND and by operation."""

    vocabulary = published.value("beck2025/vocabulary")

    def test_layers_follow_from_parameters_and_width(self, llama):
        layers = compute.llama_layers(llama, vocabulary=self.vocabulary)
        d = llama.width.to_numpy(float)
        f = 64 * np.ceil(d * 8 / 3 / 64)
        inside = layers * (4 * d**2 + 3 * d * f + 2 * d) + d
        assert inside + 2 * self.vocabulary * d == pytest.approx(llama.params, rel=1e-6)

    def test_the_count_returns_every_budget(self, llama):
        over = compute.llama_parts(llama, vocabulary=self.vocabulary).sum(axis=1)
        spent = over * sl.training_flops(llama.params, llama.tokens)
        assert np.abs(spent / llama.budget_flops - 1).max() < 0.051

    @pytest.mark.parametrize(
        ("context", "low", "high"), [(2048, 0.98, 1.22), (8192, 0.71, 0.85), (16384, 0.49, 0.69)]
    )
    def test_the_rule_over_the_count(self, llama, context, low, high):
        parts = compute.llama_parts(llama, vocabulary=self.vocabulary)
        ratio = 1 / parts.sum(axis=1)[llama.context == context]
        assert (ratio.min(), ratio.max()) == pytest.approx((low, high), abs=0.006)
