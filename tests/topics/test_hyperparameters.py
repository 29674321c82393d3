"""Grids, rules and prices on made-up valleys whose answers are known, and one refusal each."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import linregress, t

import scalinglib as sl
from scalinglib.catalogue import Rule
from scalinglib.topics import hyperparameters as hyper

RATES = 2.0 ** (np.arange(-24, -9) / 2)
BATCHES = 2.0 ** np.arange(15, 23)
TRUTH = Rule(1.5, n=-0.6, d=0.25), Rule(0.5, d=0.55)
PLACES = [(N, D) for N in (2e8, 4e8, 8e8) for D in (5e9, 2e10, 8e10)]


def valley(N, D, *, tilt=0.004):
    """Losses around the setting of `TRUTH`: a tilted quadratic over a floor that falls with D."""
    x = np.log(RATES)[:, None] - np.log(TRUTH[0](N, D))
    y = np.log(BATCHES)[None, :] - np.log(TRUTH[1](N, D))
    return 3 * (D / 1e9) ** -0.04 * (1 + 0.01 * x**2 - tilt * x * y + 0.02 * y**2)


def table(places=PLACES):
    parts = []
    for N, D in places:
        rate, batch = np.meshgrid(RATES, BATCHES, indexing="ij")
        parts.append(
            pd.DataFrame({"params": N, "tokens": D, "peak_lr": rate.ravel(),
                          "batch_tokens": batch.ravel(), "loss": valley(N, D).ravel()})
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def cells():
    return hyper.cells(table())


@pytest.fixture(scope="module")
def found(cells):
    return hyper.optima(cells, within=0.05)


def test_the_vertex_of_a_quadratic_is_its_lowest_point(cells):
    for cell in cells:
        rate, batch, loss, spread = cell.vertex(0.05)
        assert rate == pytest.approx(float(TRUTH[0](cell.N, cell.D)), rel=1e-9)
        assert batch == pytest.approx(float(TRUTH[1](cell.N, cell.D)), rel=1e-9)
        assert loss == pytest.approx(3 * (cell.D / 1e9) ** -0.04, rel=1e-12)
        assert spread < 1e-12


def test_the_lowest_run_is_a_point_of_the_grid_and_not_below_the_vertex(cells):
    for cell in cells:
        rate, batch, loss = cell.best
        assert rate in cell.rates
        assert batch in cell.batches
        assert loss >= cell.vertex(0.05)[2]


def test_rates_written_with_other_rounding_are_one_rate():
    runs = table(PLACES[:1])
    other = runs.assign(peak_lr=[float(f"{one:.3g}") for one in runs.peak_lr])
    first, second = hyper.cells(runs)[0], hyper.cells(other)[0]
    assert np.array_equal(first.rates, second.rates)
    assert np.array_equal(first.measured, second.measured)


def test_a_gap_is_filled_along_the_rate_and_ends_are_not():
    runs = table(PLACES[:1])
    drop = runs.batch_tokens.eq(BATCHES[3]) & runs.peak_lr.isin(RATES[[0, 7]])
    cell = hyper.cells(runs[~drop])[0]
    between = (cell.measured[6, 3] + cell.measured[8, 3]) / 2
    assert np.isnan(cell.measured[7, 3])
    assert cell.loss[7, 3] == pytest.approx(between, rel=1e-12)
    assert np.isnan(cell.loss[0, 3])


def test_the_loss_at_a_run_is_its_own_and_outside_there_is_none(cells):
    cell = cells[4]
    assert cell.loss_at(cell.rates[5], cell.batches[2]) == pytest.approx(cell.measured[5, 2])
    assert np.isnan(cell.loss_at(1.0, cell.batches[2]))
    assert np.isnan(cell.loss_at(cell.rates[5], 1.0))
    middle = np.sqrt(cell.rates[5] * cell.rates[6])
    mean = (cell.measured[5, 2] + cell.measured[6, 2]) / 2
    assert cell.loss_at(middle, cell.batches[2]) == pytest.approx(mean)


def test_rules_are_returned_from_exact_optima(found):
    rate, batch = hyper.fit_rule(found, "rate_fit"), hyper.fit_rule(found, "batch_fit", on=("D",))
    assert rate.powers.power.to_dict() == pytest.approx({"N": -0.6, "D": 0.25}, rel=1e-7)
    assert rate.rule.scale == pytest.approx(1.5, rel=1e-6)
    assert pytest.approx(0.55, rel=1e-8) == batch.powers.power.D
    assert rate.r2 == pytest.approx(1)


def test_errors_of_a_rule_are_those_of_least_squares():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"params": np.geomspace(1e8, 1e10, 20), "tokens": 1e10})
    frame["rate"] = frame.params**-0.5 * np.exp(0.1 * rng.standard_normal(20))
    row = hyper.fit_rule(frame, "rate", on=("N",)).powers.loc["N"]
    line = linregress(np.log(frame.params), np.log(frame.rate))
    assert row.power == pytest.approx(line.slope)
    assert row.se == pytest.approx(line.stderr)
    assert row.high - row.power == pytest.approx(t.ppf(0.975, 18) * line.stderr)


def test_a_rule_in_nothing_is_the_geometric_mean(found):
    rule = hyper.fit_rule(found, "rate", on=()).rule
    assert rule(1e9, 1e10) == pytest.approx(np.exp(np.log(found.rate).mean()))


def test_a_rule_in_compute_counts_six_flop_a_parameter_and_token():
    assert Rule(2.0, c=0.5)(1e9, 1e10) == pytest.approx(2 * np.sqrt(6e19))


def test_the_true_rule_costs_less_than_a_step_of_the_grid(cells):
    above = hyper.costs(cells, TRUTH)
    wrong = TRUTH[0], Rule(2.0, d=0.55)
    assert (above < 0.003).all()
    assert (hyper.costs(cells, wrong) > 0.02).all()


def test_a_cell_gets_its_rule_from_other_sizes_alone(cells, found):
    spoiled = found.assign(rate_fit=found.rate_fit.where(found.params != 2e8, 1.0))
    rules = hyper.without_own_size(spoiled, (("N", "D"), ("D",)), ("rate_fit", "batch_fit"))
    own = [cell for cell in cells if cell.N == 2e8]
    assert rules(own[0])[0].n == pytest.approx(-0.6, rel=1e-6)
    assert (hyper.costs(own, rules) < 0.003).all()


def test_data_that_repair_an_excess():
    assert hyper.in_tokens(1.2**0.04 - 1, 0.04) == pytest.approx(0.2)
    assert hyper.in_tokens(0.0, 0.04) == 0


def test_the_slope_of_the_loss_in_data(found):
    exact = found.assign(loss=found.loss_fit)
    assert hyper.data_slopes(exact).to_numpy() == pytest.approx(0.04, rel=1e-6)


def test_the_batch_beyond_the_best_that_costs_a_given_excess(cells):
    cell = cells[0]
    rates, above = cell.by_batch()
    start = int(np.argmin(above))
    assert cell.largest_batch(float(above[start + 1])) == pytest.approx(cell.batches[start + 1])
    assert np.isnan(cell.largest_batch(10.0))
    assert len(rates) == len(cell.batches)


def test_with_the_batch_held_the_rate_follows_the_tilt(cells):
    # At a held batch the best rate is that of TRUTH times (B / B*) to the power 0.004 / 0.02.
    held = hyper.rates_at_batches(cells, least=9).set_index("batch")
    assert held.D.mean() == pytest.approx(0.25 - 0.2 * 0.55, abs=0.04)
    assert held.N.mean() == pytest.approx(-0.6, abs=0.06)


def test_gains_are_read_at_equal_tokens():
    tokens = np.array([1e9, 2e9, 4e9])
    one = {"width": 1, "depth": 1, "params": 1e8}
    constant = pd.DataFrame({**one, "tokens": tokens, "loss": [4.0, 3.0, 2.0]})
    cooled = constant.assign(tokens=constant.tokens * np.sqrt(2), loss=[3.4, 2.4, 1.9])
    gains = hyper.cooldown_gains(cooled, constant)
    assert gains.gain.to_list() == pytest.approx([0.1, 0.1])
    assert hyper.model_means(gains, "gain").gain.to_list() == pytest.approx([0.1])
    halved = hyper.halving_costs(constant, constant.assign(loss=constant.loss + 0.05))
    assert halved.cost.to_list() == pytest.approx([0.05] * 3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: hyper.cells(pd.concat([table(PLACES[:1])] * 2)), "two losses"),
        (lambda: hyper.cells(table(PLACES[:1]).drop(columns="loss")), "loss"),
        (lambda: hyper.optima(hyper.cells(table()), within=1e-9), "raise `within`"),
        (lambda: hyper.fit_rule(hyper.optima(hyper.cells(table())), "rate", on=("X",)), "'X'"),
        (lambda: hyper.fit_rule(hyper.optima(hyper.cells(table(PLACES[:2]))), "rate"), "apart"),
        (lambda: Rule(1.0)(-1.0, 1e9), "N"),
    ],
)
def test_what_cannot_be_answered_is_refused(call, words):
    with pytest.raises((sl.DataError, sl.FitError), match=words):
        call()


def test_without_noise_the_best_setting_is_charged_no_more_than_the_grid_costs(cells):
    # Tiny noise: what is left is the curvature between runs, and the lowest run off the vertex.
    cell = cells[4]
    assert abs(cell.charged(8, within=0.05) - cell.excess(*cell.vertex(0.05)[:2])) < 1e-9


def test_noise_charges_the_best_setting(cells):
    noise = np.random.default_rng(3).normal(0, 0.01, cells[4].measured.shape)
    noisy = hyper.Cell(cells[4].N, cells[4].D, RATES, BATCHES, cells[4].measured + noise)
    assert noisy.charged(50, within=0.05) > cells[4].charged(8, within=0.05) + 0.001


def test_a_saddle_has_no_best_setting():
    cell = hyper.cells(table(PLACES[:1]))[0]
    x = np.log(cell.rates)[:, None] - np.log(cell.rates).mean()
    y = np.log(cell.batches)[None, :] - np.log(cell.batches).mean()
    bent = hyper.Cell(cell.N, cell.D, cell.rates, cell.batches, 3 + 0.001 * (x**2 - y**2))
    with pytest.raises(sl.FitError, match="no lowest point"):
        bent.vertex(0.5)
