"""Power, energy and cost: what the table implies, and bills that papers print."""

import math

import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.compute import bill
from scalinglib.topics import energy_cost

BUDGET = published.value("grattafiori2024/budget")
TODAY = published.value("epoch2025power/largest run")


class TestGrowth:
    growth = energy_cost.growth_between_rows()

    @pytest.mark.parametrize(
        ("rows", "column", "rate"),
        [("2025 to 2030", "low ends", 2.091), ("2025 to 2030", "high ends", 2.0),
         ("2025 to 2030", "least", 1.516), ("2025 to 2030", "most", 2.759),
         ("2020 to 2023", "low ends", 2.154), ("2020 to 2023", "high ends", 3.684),
         ("2023 to 2025", "middles", 3.162), ("2023 to 2025", "least", 1.414),
         ("2023 to 2025", "most", 7.071), ("2020 to 2025", "middles", 2.951)],
    )  # fmt: skip
    def test_between_rows(self, rows, column, rate):
        assert self.growth.loc[rows, column] == pytest.approx(rate, abs=5e-4)

    def test_like_ends_lie_between_the_least_and_the_most(self):
        inner = self.growth[["low ends", "high ends", "middles"]]
        assert (inner.min(axis=1) >= self.growth.least - 1e-12).all()
        assert (inner.max(axis=1) <= self.growth.most + 1e-12).all()

    def test_the_power_of_2030_from_that_of_2025(self):
        for key, gigawatts in (("epoch2024power", 4.084), ("epoch2025power", 5.154)):
            rate = published.value(f"{key}/growth")
            ahead = energy_cost.projected(TODAY, rate, 5) / 1e3
            assert ahead == pytest.approx(gigawatts, abs=1e-3)
        most = published.value("epoch2025power/forecast/high") * 1e3 / TODAY
        assert energy_cost.yearly(most, 5) == pytest.approx(2.76, abs=0.005)

    @pytest.mark.parametrize(("end", "millions"), [(0, 3.270), (1, 13.081)])
    def test_homes(self, end, millions):
        power = energy_cost.CLAIMED[2030][end]
        assert energy_cost.homes(power) / 1e6 == pytest.approx(millions, abs=1e-3)

    def test_known_runs(self):
        power = energy_cost.known_runs().set_index("run").power
        assert power["GPT-3"] == pytest.approx(3.623, abs=1e-3)
        assert power["GShard-600B"] == pytest.approx(0.3239, abs=1e-4)
        assert power["Switch Transformer"] == pytest.approx(0.2762, abs=1e-4)
        assert power["GPT-4"] == pytest.approx(20.31, abs=0.01)
        assert power["Falcon-180B"] == pytest.approx(3.328, abs=1e-3)
        assert power["Llama 4 Behemoth"] == pytest.approx(40.8, abs=0.05)

    def test_no_run_of_2020_drew_what_the_table_says(self):
        runs = energy_cost.known_runs()
        first = energy_cost.CLAIMED[2020][0]
        assert not any(0.5 * first < one < 2 * first for one in runs[runs.year == 2020].power)

    def test_from_gpt_3_to_2025_it_grew_within_the_interval(self):
        low, high = published.row("epoch2024power/interval")
        start = energy_cost.known_runs().set_index("run").power["GPT-3"]
        for then in (TODAY, published.value("epoch2025power/Grok")):
            assert low < energy_cost.yearly(then / start, 5) < high


class TestEfficiency:
    @pytest.mark.parametrize(
        ("old", "new", "rate"),
        [("V100 SXM2 32GB", "GB200", 1.22), ("A100 SXM 80GB", "B200", 1.24),
         ("A100 SXM 80GB", "H100 SXM", 1.35)],
    )  # fmt: skip
    def test_data_sheets(self, old, new, rate):
        assert energy_cost.growth_of_efficiency(old, new) == pytest.approx(rate, abs=5e-3)

    def test_gigaflop_per_joule(self):
        found = energy_cost.efficiency_of_devices().set_index("device").flops_per_joule / 1e9
        for device, speed in (("V100 SXM2 32GB", 417), ("A100 SXM 80GB", 780),
                              ("H100 SXM", 1413), ("B200", 2250), ("GB200", 2083)):  # fmt: skip
            assert found[device] == pytest.approx(speed, abs=0.5)
        assert found["MI325X"] / found["MI300X"] == pytest.approx(0.75, abs=1e-3)

    def test_devices_without_a_published_power_are_left_out(self):
        named = sl.load("hardware")
        missing = set(named.device[named.power_W.isna()])
        assert missing
        assert missing.isdisjoint(energy_cost.efficiency_of_devices().device)

    def test_compute_outgrows_every_rate_of_efficiency(self):
        low, high = published.row("epoch2024compute/growth")
        rates = energy_cost.efficiencies().values()
        assert min(low / rate for rate in rates) > 1
        assert (low**5, high**5) == (1024, 3125)

    def test_a_decade_by_its_three_causes(self):
        decade = published.row("epoch2024power/decade")
        assert energy_cost.yearly(math.prod(decade), 10) == pytest.approx(1.81, abs=0.01)


class TestBill:
    cards = published.groups("grattafiori2024/card")

    def hours(self, size):
        if size == "405B":
            return published.value("grattafiori2024/GPU hours")
        return self.cards[size]["hours"].value

    def rated(self, size, **settings):
        power = self.cards["405B"]["power"].value
        alone = dict.fromkeys(("power_share", "overhead", "pue"), 1.0)
        return bill(self.hours(size), power=power, price=0, tariff=0, **alone, **settings)

    @pytest.mark.parametrize(
        ("size", "factor"), [("405B", 0.4137), ("70B", 0.4163), ("8B", 0.4110)]
    )
    def test_one_factor_of_the_card_fits_all_sizes(self, size, factor):
        found = self.cards[size]["emissions"].value / (self.rated(size, grid=0).energy / 1e3)
        assert found == pytest.approx(factor, abs=5e-5)
        assert self.rated(size, grid=found).tonnes == pytest.approx(
            self.cards[size]["emissions"].value
        )

    def test_energy_of_the_largest(self):
        assert self.rated("405B", grid=0).energy / 1e3 == pytest.approx(21_588, abs=0.5)

    def test_deepseek(self):
        hours = sum(published.row("deepseek2024v3/hours"))
        assert published.printed("deepseek2024v3/total/hours").returns(hours)
        settings = energy_cost.assumed(price=published.value("deepseek2024v3/price"))
        cost = bill(hours, power=700, **settings).rent
        assert published.printed("deepseek2024v3/total/cost").returns(float(cost))

    @pytest.mark.parametrize(
        ("changed", "field", "value", "unit"),
        [({"price": 2}, "rent", 53e6, 1e6), ({"price": 3}, "rent", 80e6, 1e6),
         ({"price": 12.29}, "rent", 328e6, 1e6),
         ({"overhead": 1, "pue": 1.1, "power_share": 1}, "energy", 20.5e6, 1e5),
         ({"overhead": 1.5, "pue": 1.3, "power_share": 1}, "energy", 36.4e6, 1e5)],
    )  # fmt: skip
    def test_the_budget_of_llama_3(self, changed, field, value, unit):
        found = energy_cost.run_bill(BUDGET, device="H100 SXM", utilisation=0.4, **changed)
        assert found.hours == pytest.approx(26.7e6, rel=2e-3)
        assert getattr(found, field) == pytest.approx(value, abs=unit / 2)

    def test_a_bill_is_a_product(self):
        base = energy_cost.run_bill(BUDGET, device="A100 SXM 80GB", utilisation=0.4)
        for C, times in ((3 * BUDGET, 3), (BUDGET / 7, 1 / 7)):
            other = energy_cost.run_bill(C, device="A100 SXM 80GB", utilisation=0.4)
            for field in ("hours", "energy", "tonnes", "rent", "electricity"):
                assert getattr(other, field) == pytest.approx(times * getattr(base, field))

    def test_swings_are_what_the_bill_does(self):
        table = sl.load("plan_defaults").set_index("setting")
        base = energy_cost.run_bill(
            BUDGET, device="H100 SXM", utilisation=table.value["utilisation"]
        )
        moves = energy_cost.swings()
        for one in moves[moves.setting != "all at once"].itertuples():
            ends = []
            for end in ("low", "high"):
                changed = {"utilisation": table.value["utilisation"]}
                changed[one.setting] = table.loc[one.setting, end]
                found = energy_cost.run_bill(BUDGET, device="H100 SXM", **changed)
                ends.append(float(getattr(found, one.line) / getattr(base, one.line)))
            assert sorted(ends) == pytest.approx([one.least, one.most])

    def test_all_at_once_is_the_product_of_the_rest(self):
        for _, part in energy_cost.swings().groupby("line"):
            last = part.iloc[-1]
            assert last.setting == "all at once"
            assert (last.least, last.most) == pytest.approx(
                (part.least[:-1].prod(), part.most[:-1].prod())
            )


class TestHalving:
    @pytest.mark.parametrize(
        ("law", "times"),
        [(published.EPOCH_2024, 48.8), (published.HOFFMANN_2022, 87.9),
         (published.HOFFMANN_2022_ROUNDED, 91.3)],
    )  # fmt: skip
    def test_cost_of_half_the_reducible_loss(self, law, times):
        found = energy_cost.halving_cost(law.alpha, law.beta)
        assert found == pytest.approx(times, abs=0.05)
        before, after = (sl.compute_optimal(law, C).loss - law.E for C in (1e22, 1e22 * found))
        assert after / before == pytest.approx(0.5, rel=1e-6)

    def test_years_undo_growth(self):
        years = energy_cost.years_to(48.8, 4.0)
        assert energy_cost.projected(1.0, 4.0, years) == pytest.approx(48.8)
