"""Extrapolation: the targets of the chapter, each to its tolerance."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.isoflop import lowest_by_budget
from scalinglib.optimum import cost_of_factor, reducible_exponent
from scalinglib.topics.extrapolation import (
    fit_power_law_unlogged,
    largest_misses,
    local_exponent,
    refit_within_rounding,
)

EPOCH, TEX = published.EPOCH_2024, published.HOFFMANN_2022
ROUNDED = published.HOFFMANN_2022_ROUNDED


@pytest.fixture(scope="module")
def profiles():
    return sl.load("isoflop_runs").query("experiment == 'chinchilla'")


@pytest.fixture(scope="module")
def minima(profiles):
    return lowest_by_budget(sl.load("chinchilla_runs"), profiles.budget_flops.unique(), within=0.07)


@pytest.fixture(scope="module")
def models():
    return sl.load("released_models_pile").set_index("label")


@pytest.fixture(scope="module")
def cerebras(models):
    return models[models.family == "Cerebras-GPT"]


@pytest.fixture(scope="module")
def ladder():
    return sl.load("olmo_ladder_runs")


class TestMinima:
    def test_other_definitions_miss_too(self, profiles):
        vertices = sl.fit_isoflop(profiles).minima
        lowest = profiles.loc[profiles.groupby("budget_flops").loss.idxmin()]
        for C, L, slope, miss in (
            (vertices.budget, vertices.loss, 0.05006, -0.0501),
            (lowest.budget_flops, lowest.loss, 0.05151, -0.0633),
        ):
            small = sl.fit_power_law(C[C <= 1.01e20], L[C <= 1.01e20]).law
            assert sl.fit_power_law(C, L).law.alpha == pytest.approx(slope, abs=1e-5)
            assert small.loss(3e21) / L.iloc[-1] - 1 == pytest.approx(miss, abs=1e-4)

    def test_the_nominal_table_holds_the_same_runs(self, profiles):
        runs = sl.load("chinchilla_runs")
        for one in profiles.itertuples():
            same = runs[
                np.isclose(runs.params, one.params, rtol=1e-4)
                & np.isclose(runs.loss, one.loss, rtol=1e-6)
            ]
            assert np.abs(np.log10(same.flops / one.budget_flops)).min() < 0.05

    @pytest.mark.parametrize(("decades", "miss"), [(2, 0.0165), (3, 0.0318)])
    def test_a_logarithm_is_told_from_the_law_over_two_decades(self, minima, decades, miss):
        C = np.logspace(19, 19 + decades, 50)
        found = largest_misses(C, sl.compute_optimal(EPOCH, C).loss)
        assert found["logarithm"] == pytest.approx(miss, abs=2e-4)
        fit = sl.fit_power_law(minima.flops, minima.loss, offset=True)
        assert found.min() > 3 * np.sqrt(np.mean(fit.residuals**2))


class TestHoldOut:
    @pytest.mark.parametrize(
        ("cut", "runs", "error"),
        [(0.9e20, 125, 0.039), (1e20, 136, 0.041), (9e20, 204, 0.032), (1e21, 217, 0.028)],
    )
    def test_largest_run(self, chinchilla_runs, cut, runs, error):
        held = int((chinchilla_runs.flops >= cut).sum())
        test = sl.backtest(chinchilla_runs, largest=held, by="flops")
        largest = test.table.loc[test.table.flops.idxmax()]
        assert test.fit.n_runs == runs
        assert largest.error == pytest.approx(error, abs=5e-4)
        assert largest.loss == pytest.approx(2.077, abs=1e-3)

    @pytest.mark.parametrize(
        ("corpus", "errors"),
        [("pile", [-0.705, 0.161, 0.517, 0.346]), ("c4", [-0.165, 0.528, 0.903, 0.623])],
    )
    def test_ladder(self, ladder, corpus, errors):
        test = sl.backtest(ladder.assign(loss=ladder[f"loss_{corpus}"]), largest=4)
        assert test.fit.n_runs == 12
        assert 100 * test.table.error.to_numpy() == pytest.approx(errors, abs=0.01)
        assert "not identified" in test.fit.warnings[0]

    @pytest.mark.parametrize(("rows", "E"), [(16, 1.0402), (12, 2.0639)])
    def test_the_ladder_does_not_fix_the_floor(self, ladder, rows, E):
        fit = sl.fit_chinchilla(ladder[:rows].assign(loss=ladder.loss_c4[:rows]))
        assert fit.params["E"] == pytest.approx(E, rel=1e-3)


class TestCosts:
    @pytest.mark.parametrize(
        ("law", "cost"), [(EPOCH, 48.8), (TEX, 87.9), (ROUNDED, 91.3)], ids=["epoch", "tex", "eq10"]
    )
    def test_halving_the_reducible_loss(self, law, cost):
        assert cost_of_factor(law, 0.5) == pytest.approx(cost, abs=0.05)
        assert np.isinf(cost_of_factor(law, 0.5, start=5.88e23))

    def test_halving_under_kaplan(self):
        size, compute = published.law("kaplan2020/parameters"), published.law("kaplan2020/compute")
        assert cost_of_factor(compute, 0.5) == pytest.approx(2**20)
        assert cost_of_factor(compute, 0.5, start=1e3) == pytest.approx(2**20)
        assert cost_of_factor(size, 0.5) == pytest.approx(9139, abs=0.5)
        assert 100**-compute.alpha - 1 == pytest.approx(-0.206, abs=5e-4)

    def test_a_tenth_of_the_reducible_loss(self):
        assert cost_of_factor(EPOCH, 0.9) == pytest.approx(1.806, abs=1e-3)
        assert np.isinf(cost_of_factor(EPOCH, 0.9, start=5.88e23))

    def test_local_exponents(self):
        found = local_exponent(EPOCH, [1e19, 1e22, 1e25])
        assert found == pytest.approx([0.0676, 0.0270, 0.0088], abs=1e-4)

    def test_the_frontier_is_a_power_law_above_its_floor(self):
        assert reducible_exponent(EPOCH) == pytest.approx(0.1783, abs=1e-4)
        C = np.logspace(18, 26, 9)
        near = sl.compute_optimal(EPOCH, np.outer([1 - 1e-4, 1 + 1e-4], C)).loss
        marginal = (near[0] - near[1]) / C
        assert np.diff(np.log(marginal)) / np.diff(np.log(C)) == pytest.approx(-1.178, abs=1e-3)
        above = sl.compute_optimal(EPOCH, C).loss - EPOCH.E
        assert np.diff(np.log(above)) / np.diff(np.log(C)) == pytest.approx(-0.17829, abs=1e-5)

    def test_the_frontier_is_not_logarithmic(self):
        C = np.logspace(18, 26, 9)
        loss = sl.compute_optimal(EPOCH, C).loss
        line = np.polyval(np.polyfit(np.log(C), loss, 1), np.log(C))
        power = sl.fit_power_law(C, loss, offset=True)
        assert np.abs(line - loss).max() > 0.1
        assert np.abs(power.predict(C) - loss).max() < 1e-6
        gained = -np.diff(loss)
        assert gained[0] == pytest.approx(0.563, abs=1e-3)
        assert gained[-1] == pytest.approx(0.0318, abs=1e-4)

    def test_what_is_left_of_chinchilla(self):
        N, D = published.row("model/Chinchilla 70B")
        total = float(EPOCH.loss(N, D))
        assert EPOCH.E / total == pytest.approx(0.9206, abs=1e-3)
        assert EPOCH.A * N**-EPOCH.alpha == pytest.approx(0.0815, abs=1e-4)
        assert EPOCH.B * D**-EPOCH.beta == pytest.approx(0.0752, abs=1e-4)
        assert total / 2 == pytest.approx(0.987, abs=1e-3)
        assert total / 2 < EPOCH.E


class TestExponents:
    def test_cerebras_straight_line(self, cerebras):
        fit = sl.fit_power_law(cerebras.flops, cerebras.loss)
        assert fit.law.alpha == pytest.approx(0.05486, abs=1e-4)

    def test_cerebras_least_squares_of_the_loss(self, cerebras):
        law = fit_power_law_unlogged(cerebras.flops, cerebras.loss)
        found = (law.x_c, law.alpha, law.E)
        assert found == pytest.approx((6.471e22, 0.07329, 0.50134), rel=1e-3)

    def test_cerebras_least_squares_of_its_logarithm(self, cerebras):
        law = sl.fit_power_law(cerebras.flops, cerebras.loss, offset=True).law
        found = (law.x_c, law.alpha, law.E)
        assert found == pytest.approx((1.123e23, 0.07130, 0.4593), rel=1e-3)

    def test_cerebras_cannot_tell_the_forms_apart(self, cerebras):
        fit = sl.fit_power_law(cerebras.flops, cerebras.loss, offset=True)
        assert sl.profile(fit, "E").low == 0
        assert sl.profile(fit, "alpha").low < 0.05486

    def test_the_published_curve_describes_the_losses(self, cerebras):
        misses = cerebras.loss - published.law("dey2023/compute").loss(cerebras.flops)
        assert misses.abs().max() == pytest.approx(0.0195, abs=1e-3)
        assert misses.abs().max() < 0.020 + 0.001

    def test_rounding_explains_the_published_constants(self, cerebras):
        draws = refit_within_rounding(cerebras.flops, cerebras.loss, x_digits=2, y_digits=4)
        for name in ("x_c", "alpha", "E"):
            low, high = draws[name].quantile([0.025, 0.975])
            assert low < published.constants("dey2023/compute")[name].value < high

    def test_the_13b_is_missed_by_more_than_was_said(self, cerebras):
        six = fit_power_law_unlogged(cerebras.flops[:6], cerebras.loss[:6])
        miss = 100 * (float(six.loss(cerebras.flops.iloc[-1])) / cerebras.loss.iloc[-1] - 1)
        assert miss == pytest.approx(1.57, abs=0.01)
        assert miss > published.value("dey2023/13B error")

    def test_the_model_cards_give_other_constants(self, cerebras):
        cards = cerebras.index.map(published.values("dey2023/card")).to_numpy()
        assert (cards != cerebras.loss).sum() == 5
        law = fit_power_law_unlogged(cerebras.flops.to_numpy(), cards)
        assert (law.alpha, law.E) == pytest.approx((0.05836, 0.1965), rel=1e-3)

    @pytest.mark.parametrize(
        ("count", "first", "alpha"),
        [
            ("params_non_embedding", 0, 0.07128),
            ("params_non_embedding", 1, 0.06552),
            ("params", 0, 0.08551),
            ("params", 1, 0.07339),
        ],
    )
    def test_pythia(self, models, count, first, alpha):
        pythia = models[models.family == "Pythia"][first:]
        fit = sl.fit_power_law(pythia[count], pythia.loss)
        assert fit.law.alpha == pytest.approx(alpha, abs=1e-4)

    def test_the_misprint_in_the_deduplicated_series(self, models):
        loss = models[models.family == "Pythia deduped"].loss
        assert loss["1.4B"] == 1.889
        assert loss["1B"] == 1.858

    def test_three_exponents_of_one_set_of_runs(self, minima, chinchilla_fit):
        line = sl.fit_power_law(minima.budget, minima.loss).law.alpha
        floor = sl.fit_power_law(minima.budget, minima.loss, offset=True).law.alpha
        assert chinchilla_fit.law.alpha == pytest.approx(0.3473, abs=1e-4)
        assert line < 0.3 * floor
        # In one form and one quantity the exponents meet.
        assert floor == pytest.approx(reducible_exponent(chinchilla_fit.law), abs=3e-3)

    def test_solutions_to_gsm8k(self):
        table = sl.load("pythia_gsm8k_nll")
        fit = sl.fit_power_law(table.train_flops, table.nll_nats)
        logs = np.log(table.nll_nats)
        explained = 1 - np.sum(fit.residuals**2) / np.sum((logs - logs.mean()) ** 2)
        assert -fit.law.alpha == pytest.approx(-0.1411, rel=0.01)
        assert explained == pytest.approx(0.985, abs=5e-4)
        assert table.nll_nats.iloc[[0, -1]].tolist() == pytest.approx([348.7, 94.3], abs=0.05)
