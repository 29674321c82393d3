"""Step Law's grids, a second set, and the Gemstones: exponents, prices, batches, cooldowns."""

import numpy as np
import pytest
from scipy.stats import linregress

import scalinglib as sl
from scalinglib import published
from scalinglib.catalogue import printed_rules
from scalinglib.topics import hyperparameters as hyper

STUDIES = ("li2025", "deepseek2024", "porian2024")


@pytest.fixture(scope="module")
def cells():
    return hyper.cells(sl.load("steplaw_runs"))


@pytest.fixture(scope="module")
def found(cells):
    return hyper.optima(cells)


@pytest.fixture(scope="module")
def gemstones():
    return {name: sl.load(f"gemstones_{name}") for name in ("cooled", "constant", "half_rate")}


def test_the_grids(cells, found):
    assert len(cells) == 17
    assert int(found.runs.sum()) == 1911
    assert found.near.min() == pytest.approx(0.176, abs=0.001)
    full = found[[len(cell.rates) > 5 for cell in cells]]
    assert len(full) == 16
    assert full.near.max() == pytest.approx(0.433, abs=0.001)
    assert all(own.near.is_monotonic_increasing for _, own in full.groupby("params"))
    assert found.spread.median() == pytest.approx(0.00104, abs=5e-5)


@pytest.mark.parametrize(
    ("column", "on", "powers", "low", "high"),
    [
        ("rate", ("N", "D"), (-0.823, 0.288), (-1.065, 0.153), (-0.582, 0.423)),
        ("rate_fit", ("N", "D"), (-0.835, 0.226), (-0.982, 0.144), (-0.687, 0.308)),
        ("batch", ("D",), (0.498,), (0.332,), (0.665,)),
        ("batch_fit", ("D",), (0.585,), (0.457,), (0.713,)),
        ("batch", ("N", "D"), (-0.355, 0.543), (-0.601, 0.405), (-0.108, 0.680)),
        ("batch_fit", ("N", "D"), (-0.345, 0.628), (-0.490, 0.548), (-0.200, 0.709)),
        ("rate", ("C",), (-0.022,), (-0.258,), (0.213,)),
        ("rate_fit", ("C",), (-0.070,), (-0.283,), (0.142,)),
        ("batch", ("C",), (0.292,), (0.092,), (0.492,)),
        ("batch_fit", ("C",), (0.356,), (0.160,), (0.552,)),
    ],
)
def test_exponents_of_the_seventeen_cells(found, column, on, powers, low, high):
    fitted = hyper.fit_rule(found, column, on=on).powers
    for name, wanted in (("power", powers), ("low", low), ("high", high)):
        assert fitted[name].to_list() == pytest.approx(wanted, abs=0.002)


@pytest.mark.parametrize("column", ["rate", "rate_fit"])
def test_the_printed_exponents_of_the_rate_lie_inside_ours(found, column):
    fitted = hyper.fit_rule(found, column).powers
    for name in "ND":
        assert fitted.low[name] < published.value(f"li2025/peak rate/{name}") < fitted.high[name]


@pytest.mark.parametrize(
    ("study", "median", "largest"), [("li2025", 0.117, 0.234), ("deepseek2024", 0.801, 1.120),
                                     ("porian2024", 0.412, 1.899)]
)  # fmt: skip
def test_what_a_printed_rule_costs(cells, study, median, largest):
    above = 100 * hyper.costs(cells, printed_rules(study))
    assert np.nanmedian(above) == pytest.approx(median, abs=0.005)
    assert np.nanmax(above) == pytest.approx(largest, abs=0.005)
    assert int(np.isnan(above).sum()) == (study == "porian2024")


def test_rules_from_other_sizes(cells, found):
    columns = "rate_fit", "batch_fit"
    medians = [
        100 * np.nanmedian(hyper.costs(cells, hyper.without_own_size(found, on, columns)))
        for on in ((("N", "D"), ("D",)), (("C",), ("C",)), ((), ()))
    ]
    assert medians == pytest.approx([0.125, 0.227, 0.406], abs=0.005)


def test_a_per_cent_of_loss_is_a_quarter_to_a_third_of_the_data(found):
    slopes = hyper.data_slopes(found)
    assert slopes.min() == pytest.approx(0.0341, abs=1e-4)
    assert slopes.max() == pytest.approx(0.0462, abs=1e-4)
    assert hyper.in_tokens(0.01, slopes.max()) == pytest.approx(0.241, abs=0.002)


def test_the_sign_of_data_changes_with_the_batch_that_is_held(cells):
    held = hyper.rates_at_batches(cells).set_index("batch")
    assert held.D[131072] == pytest.approx(-0.307, abs=0.002)
    assert held["D high"][131072] < 0
    assert held.D[2097152] == pytest.approx(0.264, abs=0.002)
    assert held["D low"][2097152] > 0
    assert (held["N high"] < 0).all()


def wasteful(cells, found, worth):
    each = np.broadcast_to(worth, len(cells))
    return found.assign(
        wasteful=[cell.largest_batch(one) for cell, one in zip(cells, each, strict=True)]
    )


@pytest.mark.parametrize(
    ("way", "powers"), [("law", (-0.223, 0.474)), ("slopes", (-0.069, 0.584)),
                        ("half", (-0.287, 0.630)), ("one", (-0.161, 0.581))]
)  # fmt: skip
def test_the_wasteful_batch_grows_with_data_and_not_with_size(cells, found, way, powers):
    N, D = found.params, found.tokens
    law = sl.fit_chinchilla(found[["params", "tokens", "loss"]]).law
    slopes = N.map(hyper.data_slopes(found))
    worth = {"law": law.loss(N, D / 1.2) / law.loss(N, D) - 1, "slopes": 1.2**slopes - 1,
             "half": 0.005, "one": 0.01}[way]  # fmt: skip
    reached = wasteful(cells, found, worth)
    fitted = hyper.fit_rule(reached.dropna(), "wasteful").powers
    assert fitted.power.to_list() == pytest.approx(powers, abs=0.01)
    assert fitted.low.D > 0.35
    assert fitted.high.N < 0.05
    twins = reached[reached.tokens == 20e9]
    kaplan = published.law("kaplan2020/batch").tokens(twins.loss)
    assert kaplan[-1] / kaplan[0] == pytest.approx(1.55, abs=0.01)
    assert twins.wasteful.iloc[-1] / twins.wasteful.iloc[0] < 1.2


def test_the_true_setting_would_be_charged_as_much_as_step_law_costs(cells):
    charged = np.median([cell.charged() for cell in cells])
    step = np.median(hyper.costs(cells, printed_rules("li2025")))
    assert charged == pytest.approx(0.00113, abs=5e-5)
    assert step == pytest.approx(charged, abs=2e-4)


def test_a_second_set_of_grids():
    table = sl.load("rate_batch_optima_lingle")
    second = table.rename(columns={"peak_lr": "rate", "batch_tokens": "batch"})
    rate, batch = hyper.fit_rule(second, "rate").powers, hyper.fit_rule(second, "batch").powers
    assert rate.power.to_dict() == pytest.approx({"N": -0.477, "D": 0.262}, abs=0.002)
    assert batch.power.to_dict() == pytest.approx({"N": 0.050, "D": 0.574}, abs=0.002)
    assert published.value("li2025/peak rate/N") < rate.low.N
    assert batch.low.N < 0 < batch.high.N


def test_what_a_cooldown_takes_off(gemstones):
    pairs = hyper.cooldown_gains(gemstones["cooled"], gemstones["constant"])
    assert len(pairs) == 180
    assert pairs.gain.median() == pytest.approx(0.0754, abs=2e-4)
    means = hyper.model_means(pairs, "gain")
    line = linregress(np.log(means.params), means.gain)
    assert line.slope == pytest.approx(-0.0135, abs=1e-4)
    assert means.gain.iloc[:5].min() > means.gain.iloc[-5:].max()


def test_half_the_rate_costs_large_models_more(gemstones):
    cost = hyper.halving_costs(gemstones["constant"], gemstones["half_rate"])
    means = hyper.model_means(cost, "cost")
    assert cost.cost.mean() == pytest.approx(0.0308, abs=2e-4)
    assert linregress(np.log(means.params), means.cost).slope == pytest.approx(0.0115, abs=2e-4)


def test_a_reading_before_the_decay_raises_a(gemstones):
    cooled = gemstones["cooled"]
    early = cooled.assign(tokens=cooled.tokens_before, loss=cooled.loss_before)
    before, after = sl.fit_chinchilla(early), sl.fit_chinchilla(cooled)
    assert before.law.a == pytest.approx(0.6856, abs=5e-4)
    assert after.law.a == pytest.approx(0.6589, abs=5e-4)
    names = cooled.width.astype(str) + "x" + cooled.depth.astype(str)
    draws = [sl.bootstrap(fit, 400, clusters=names).params for fit in (before, after)]
    a, b = (one.beta / (one.alpha + one.beta) for one in draws)
    low, high = (a - b).quantile([0.025, 0.975])
    assert low == pytest.approx(-0.005, abs=0.01)
    assert high == pytest.approx(0.06, abs=0.01)


@pytest.mark.parametrize("study", STUDIES)
def test_the_rules_are_built_from_the_printed_numbers(study):
    rate, batch = printed_rules(study)
    assert rate.scale == published.value(f"{study}/peak rate/scale")
    assert batch.scale == published.value(f"{study}/batch/scale")
    other = {"li2025": "d", "deepseek2024": "c", "porian2024": "n"}[study]
    assert getattr(batch, other) != 0
