"""Targets of the planner: hours, energy and money of known runs, and memory tables."""

import math
from dataclasses import fields

import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.catalogue import split
from scalinglib.compute import bill, device_hours
from scalinglib.topics import planning
from scalinglib.topics.planning import Shape, plan, state

H100 = planning.DEVICES.loc["H100 SXM"]
LLAMA = {
    "405B": published.value("grattafiori2024/GPU hours"),
    **{one: published.value(f"grattafiori2024/card/{one}/hours") for one in ("70B", "8B")},
}
SHAPES = {
    "7B": Shape(32, 4096, 32, 32, 128, 11008, 32_000),
    "70B": Shape(80, 8192, 64, 8, 128, 28672, 128_256),
    "405B": Shape(**published.values("grattafiori2024/shape/405B")),
}
CONTEXT = {"7B": 4096, "70B": 8192, "405B": 8192}


class TestKnownRuns:
    @pytest.mark.parametrize(("size", "factor"), [("405B", 0.4137), ("70B", 0.4163), ("8B", 0.411)])
    def test_one_factor_turns_the_hours_of_llama_into_its_emissions(self, size, factor):
        bare = bill(LLAMA[size], power=700, power_share=1, overhead=1, pue=1, grid=1, price=1,
                    tariff=0)  # fmt: skip
        said = published.value(f"grattafiori2024/card/{size}/emissions")
        assert said / bare.tonnes == pytest.approx(factor, abs=5e-5)

    def test_llama_took_21588_megawatt_hours(self):
        spent = bill(LLAMA["405B"], power=published.value("grattafiori2024/card/405B/power"),
                     power_share=1, overhead=1, pue=1, grid=0, price=0, tariff=0)  # fmt: skip
        assert spent.energy == pytest.approx(21_588e3, rel=1e-4)

    def test_the_planner_gives_the_hours_of_llama_at_its_utilisation(self):
        C = sl.training_flops(*published.row("model/Llama 3.1 405B"))
        made = plan(flops=C, utilisation=0.345, devices=16_384, overhead=1, power_share=1, pue=1)
        assert made.device_hours == pytest.approx(LLAMA["405B"], rel=2e-3)
        assert made.energy_kWh == pytest.approx(21_588e3, rel=2e-3)

    def test_deepseek_v3_adds_up(self):
        hours = sum(published.values("deepseek2024v3/hours").values())
        total = published.group("deepseek2024v3/total")
        assert total["hours"].returns(hours)
        assert total["cost"].returns(hours * published.value("deepseek2024v3/price"))

    def test_the_planner_gives_the_cost_of_its_pre_training(self):
        active, tokens = published.row("deepseek2024v3/run")
        hours = published.value("deepseek2024v3/hours/pre-training")
        share = 6 * active * tokens / (hours * 3600 * H100.peak_flops)
        assert share == pytest.approx(0.346, abs=1e-3)
        made = plan(flops=6 * active * tokens, utilisation=share, price=2)
        assert made.rent == pytest.approx(2 * hours, rel=1e-9)

    def test_the_largest_budget_of_llama_3(self):
        made = plan(flops=published.value("grattafiori2024/budget"), utilisation=0.4)
        assert made.device_hours == pytest.approx(26.7e6, rel=2e-3)
        own = {"power_share": 1.0}
        low = plan(made.settings, overhead=1, pue=1.1, grid=0.03, price=2, **own)
        high = plan(made.settings, overhead=1.5, pue=1.3, grid=0.7, price=12.29, **own)
        assert (low.energy_kWh, high.energy_kWh) == pytest.approx((20.5e6, 36.4e6), rel=5e-3)
        assert (low.tonnes, high.tonnes) == pytest.approx((0.6e3, 25e3), rel=0.03)
        assert (low.rent, high.rent) == pytest.approx((53e6, 328e6), rel=0.01)

    def test_chinchilla_at_its_own_budget(self):
        C = published.value("hoffmann2022/Gopher budget")
        made = plan(flops=C)
        assert made.params == pytest.approx(72.2e9, rel=1e-3)
        assert made.tokens_per_param == pytest.approx(18.4, abs=0.1)
        rounded = plan(flops=C, law="hoffmann2022/approach 3, rounded")
        assert rounded.params == pytest.approx(32.2e9, rel=2e-3)


class TestMemory:
    @pytest.mark.parametrize(
        ("size", "count"),
        [("7B", 6_738_149_376), ("70B", 70_552_387_584), ("405B", 405_849_243_648)],
    )
    def test_parameters_by_shape(self, size, count):
        assert SHAPES[size].params == count

    @pytest.mark.parametrize(
        ("size", "weights", "narrow", "wide"),
        [("7B", 13.48, 107.8, 121.3), ("70B", 141.1, 1129, 1270), ("405B", 811.7, 6494, 7305)],
    )
    def test_weights_and_state(self, size, weights, narrow, wide):
        N = SHAPES[size].params
        assert pytest.approx(weights, rel=1e-3) == 2 * N / 1e9
        assert state(N) / 1e9 == pytest.approx(narrow, rel=1e-3)
        assert state(N, gradient=4) / 1e9 == pytest.approx(wide, rel=1e-3)

    def test_the_planner_uses_these_bytes(self):
        made = plan(flops=1e23)
        assert made.weights_GB == pytest.approx(2 * made.params / 1e9)
        assert made.state_GB == pytest.approx(state(made.params) / 1e9)
        assert made.state_fp32_GB == pytest.approx(state(made.params, gradient=4) / 1e9)
        assert made.devices_for_state == pytest.approx(made.state_GB / H100.memory_GB)

    @pytest.mark.parametrize(
        ("size", "share", "whole"), [("7B", 41.7, 1.7), ("70B", 436.5, 17.6), ("405B", 2511, 101.5)]
    )
    def test_shared_over_64_devices(self, size, share, whole):
        N = SHAPES[size].params
        one = state(N, gradient=4, shared="optimiser", devices=64)
        assert one / 1e9 == pytest.approx(share, rel=1.5e-3)
        assert state(N, shared="weights", devices=64) / 1e9 == pytest.approx(whole, rel=0.02)

    @pytest.mark.parametrize(
        ("key", "shared"),
        [("unsharded", "nothing"), ("optimiser sharded", "optimiser"),
         ("gradients too", "gradients"), ("weights too", "weights")],
    )  # fmt: skip
    def test_zero_returns_its_table(self, key, shared):
        said = published.printed(f"rajbhandari2020/state/{key}")
        assert said.returns(state(7.5e9, shared=shared, devices=64) / 1e9)

    @pytest.mark.parametrize(
        ("size", "stored", "fast", "cache"),
        [("7B", 3.255, 0.570, 512), ("70B", 23.76, 2.282, 320), ("405B", 47.51, 4.563, 504)],
    )
    def test_activations_and_cache(self, size, stored, fast, cache):
        shape, s = SHAPES[size], CONTEXT[size]
        assert shape.activations(s) / 1e9 == pytest.approx(stored, rel=1e-3)
        assert shape.activations(s, stored=False) / 1e9 == pytest.approx(fast, rel=1e-3)
        assert shape.cache / 1024 == cache

    @pytest.mark.parametrize(("size", "total"), [("7B", 2.3), ("70B", 22.8), ("405B", 71.9)])
    def test_eight_devices_share_a_layer(self, size, total):
        shape = SHAPES[size]
        shared = shape.layers * shape.activations(CONTEXT[size], tensor=8, stored=False)
        assert shared / 1e9 == pytest.approx(total, rel=0.01)

    def test_a_wrong_word_is_told(self):
        with pytest.raises(sl.DataError, match="use one of nothing, optimiser"):
            state(1e9, shared="all")


class TestTables:
    @pytest.mark.parametrize(
        ("device", "key"), [("A100 SXM 80GB", "A100"), ("H100 SXM", "H100"), ("B200", "B200"),
                            ("TPU v4", "TPU v4")],
    )  # fmt: skip
    def test_a_peak_is_the_one_the_book_quotes(self, device, key):
        assert planning.DEVICES.peak_flops[device] == published.value(f"peak/{key}")

    def test_defaults_lie_in_their_ranges(self):
        table = planning.ASSUMED
        assert (table.low <= table.value).all()
        assert (table.value <= table.high).all()

    def test_hours_are_those_of_the_chapter_on_compute(self):
        made = plan(device="A100 SXM 80GB", devices=64, days=14, utilisation=0.5)
        assert made.flops == pytest.approx(1.2077e22, rel=1e-4)
        assert made.device_hours == pytest.approx(21_504, rel=1e-12)
        again = device_hours(made.flops, peak=312e12, mfu=0.5)
        assert made.device_hours == pytest.approx(float(again))


class TestBands:
    def test_the_band_holds_the_law_and_widens_with_the_budget(self):
        widths = []
        for C in (1e20, 1e22, 1e24, 1e26):
            made = plan(flops=C)
            assert made.loss_low < made.loss < made.loss_high
            assert made.params_low < made.params < made.params_high
            widths.append(made.params_high / made.params_low)
        assert widths[-1] > widths[-2] > widths[1]

    def test_laws_without_runs_have_none_and_say_why(self):
        made = plan(law="hoffmann2022")
        assert math.isnan(made.loss_low)
        assert planning.draws("hoffmann2022/approach 3") == ()
        assert "no band: a refit of its runs gives other constants" in made.notes

    @pytest.mark.parametrize("key", planning.KNOWN.index)
    def test_a_law_has_a_band_or_a_reason(self, key):
        made, row = plan(flops=1e22, law=key), planning.KNOWN.loc[key]
        told = [note for note in made.notes if note.startswith("no band")]
        assert bool(told) == math.isnan(made.params_low) == (key not in planning.BANDED)
        assert math.isnan(made.loss_low) == (bool(told) or math.isnan(made.loss))
        if key in planning.BANDED:
            assert isinstance(row.runs, str)

    @pytest.mark.parametrize("key", planning.BANDED)
    def test_the_law_lies_among_its_draws(self, key):
        law, drawn = sl.law(key), planning.draws(key)
        names = [one.name for one in fields(law)]
        assert len(drawn) > 0.95 * planning.DRAWS
        for name in set(names) & {"E", "alpha", "beta", "g", "k", "r", "a"}:
            values = [getattr(one, name) for one in drawn]
            if name not in {"g", "k"} or max(values) > min(values):
                assert min(values) < getattr(law, name) < max(values), name

    @pytest.mark.parametrize("key", [key for key in planning.BANDED if "porian" not in key])
    def test_a_refit_returns_the_law_of_its_row(self, key):
        law, row = sl.law(key), planning.KNOWN.loc[key]
        again = planning.refit(row.runs, planning.form_of(law))
        C = 1e21
        ours = split(getattr(again, "law", again), C).N
        far = 0.2 if key == "openathena2026/Llama 3 points" else 0.02
        assert float(ours) == pytest.approx(float(split(law, C).N), rel=far)

    def test_other_fits_of_the_same_runs_are_named(self):
        made = plan(flops=1e24, law="mcleish2025/cooled")
        forms = ("interaction", "outer exponent", "solvable")
        sizes = [plan(flops=1e24, law=f"mcleish2025/{form}").params for form in forms]
        span = f"{planning.short(min(sizes))} to {planning.short(max(sizes))}"
        assert f"other fits of the same runs ask for {span} parameters" in made.notes
        for key in ("deepseek2024/current", "muennighoff2023/repeated"):
            assert not any("other fits" in note for note in plan(law=key).notes)


class TestRules:
    def test_rates_and_batches_of_three_rules_by_hand(self):
        N, D = 1e9, 2e10
        told = planning.hyperparameters(N, D)
        by_hand = {
            "Step Law": (1.79 * N**-0.713 * D**0.307, 0.58 * D**0.571),
            "DeepSeek": (0.3118 * 1.2e20**-0.125, 0.2920 * 1.2e20**0.3271),
            "Porian": (3.7 * N**-0.36, 0.7576 * N**0.703),
        }
        for name, (rate, batch) in by_hand.items():
            assert told.rate[name] == pytest.approx(rate)
            assert told.batch[name] == pytest.approx(batch)
            assert told.steps[name] == pytest.approx(D / batch)

    @pytest.mark.parametrize(
        ("N", "D", "step", "deepseek"),
        [
            (5e8, 2e10, "", "3 times the most compute of its runs"),
            (1e8, 2e9, "smaller than its runs", ""),
            (1e10, 2e11, "9.3 times the largest model", "600 times the most compute"),
        ],
    )
    def test_a_rule_says_when_it_leaves_its_grids(self, N, D, step, deepseek):
        told = planning.hyperparameters(N, D).beyond
        assert told["Step Law"].startswith(step)
        assert told["DeepSeek"].startswith(deepseek)
        assert (told["Step Law"] == "") == (step == "")
        assert told["Porian"] == "the range of its runs is not known here"


class TestUse:
    def test_all_plans_agree_with_the_catalogue(self):
        table, plans = planning.plan_all(flops=5.76e23), sl.plans(5.76e23)
        for key in plans.index:
            assert table.params[key] == pytest.approx(plans.params[key], rel=1e-12)
            assert table.beyond[key] == plans.beyond[key]
        assert set(table.index) - set(plans.index) == {"muennighoff2023/repeated"}

    def test_repeated_text_has_its_own_plan(self):
        key = "muennighoff2023/repeated"
        free, short = plan(flops=1e22, law=key), plan(flops=1e22, law=key, unique=25e9)
        assert short.loss > free.loss
        assert short.epochs > 1
        assert short.tokens != free.tokens
        assert math.isnan(short.life_saving)

    def test_no_use_leaves_the_compute_optimal_model(self):
        made = plan(flops=1e22, served=0)
        assert made.life_params == pytest.approx(made.params, rel=1e-9)
        assert made.life_saving == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"device": "H1000"}, "choose one of V100"),
            ({"utilisation": 40}, "write 40 % as 0.4"),
            ({"law": "dey2023/compute"}, "cannot split a budget"),
            ({"law": "besiroglu2025"}, "besiroglu2024"),
            ({"gpus": 8}, "plan knows no 'gpus'"),
            ({"days": math.inf}, "days must be finite"),
            ({"price": -1}, "give zero or more"),
        ],
    )
    def test_a_bad_setting_is_told(self, settings, words):
        with pytest.raises(sl.DataError, match=words):
            plan(**settings)
