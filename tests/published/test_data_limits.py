"""Repeated data, the data wall and collapse: every target of the chapter to its tolerance."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import params_for_tokens
from scalinglib.topics import data_limits

LAW = published.law("muennighoff2023/repeated")


@pytest.fixture(scope="module")
def runs():
    return sl.load("repeated_data_runs")


@pytest.fixture(scope="module")
def kept(runs):
    return runs[runs.in_published_fit]


@pytest.fixture(scope="module")
def fit(kept):
    return sl.fit_data_constrained(kept, base=LAW.base)


@pytest.fixture(scope="module")
def minima(fit):
    found = data_limits.local_minima(fit)
    return found[np.isfinite(found.R_D) & np.isfinite(found.R_N) & (found.R_N > 0)]


@pytest.fixture(scope="module")
def base(runs):
    return sl.fit_chinchilla(runs[runs.tokens <= runs.unique_tokens]).law


class TestPublishedLaw:
    def test_base_law(self):
        law = LAW.base
        assert pytest.approx((520.825, 1487.716, 1.869144), rel=1e-6) == (law.A, law.B, law.E)

    def test_parameters_for_a_token(self):
        ratio = float(params_for_tokens(LAW.base, 1.0))
        assert ratio == pytest.approx(0.0509865, rel=1e-5)
        assert 1 / ratio == pytest.approx(19.613, rel=1e-5)
        assert published.printed("muennighoff2023/U_N over U_D").verdict(ratio) == "same digits"

    def test_optimum_at_the_gopher_budget(self):
        N = float(sl.compute_optimal(LAW.base, published.value("hoffmann2022/Gopher budget")).N)
        assert pytest.approx(published.value("muennighoff2023/Gopher size"), rel=1e-9) == N

    def test_objective_at_the_printed_constants(self, fit):
        value = data_limits.objective_at(fit, LAW)
        assert value == pytest.approx(0.0158259352, abs=1e-10)
        # The notebook prints single precision.
        assert value == pytest.approx(published.value("muennighoff2023/fit/objective"), abs=2e-9)

    def test_explained_variance(self, kept, fit):
        def r_squared(prediction):
            return 1 - np.mean((kept.loss - prediction) ** 2) / np.var(kept.loss)

        def explained(law):
            return r_squared(law.loss(kept.params, kept.tokens, kept.unique_tokens))

        without = r_squared(LAW.base.loss(kept.params, kept.tokens))
        assert (explained(LAW), without) == pytest.approx((0.772205, 0.445168), abs=1e-5)
        other = sl.DataConstrainedLaw(LAW.base, 46.990, 2.3296)
        assert (explained(other), explained(fit.law)) == pytest.approx(
            (0.787236, 0.791023), abs=1e-5
        )

    @pytest.mark.parametrize("name", data_limits.example_runs())
    def test_losses_of_two_runs(self, name):
        N, D, loss = data_limits.example_runs()[name]
        assert loss.verdict(float(LAW.loss(N, D, data_limits.EXAMPLE["U"]))) == "same digits"

    def test_effective_epochs(self):
        worth = data_limits.worth_of_epochs([2, 4, 8, 16, 40], LAW.R_D)
        assert worth.worth.tolist() == pytest.approx(
            [1.9682, 3.7257, 6.6241, 10.582, 15.167], abs=5e-4
        )
        assert worth.marginal.tolist()[1::2] == pytest.approx([0.823, 0.377], abs=1e-3)
        assert 1 + LAW.R_D * np.log(2) == pytest.approx(11.67, abs=0.005)


class TestMinima:
    def test_five_finite_minima(self, minima):
        assert len(minima) == 5
        expected = [(95.365, 1.7059), (46.990, 2.3296), (52.173, 2.1971), (160.71, 1.4487),
                    (15.37176, 5.31513)]  # fmt: skip
        for row, (R_D, R_N) in zip(minima.itertuples(), expected, strict=True):
            assert pytest.approx((R_D, R_N), rel=1e-3) == (row.R_D, row.R_N)

    def test_their_objectives(self, minima):
        expected = [0.0158046625, 0.0158073786, 0.0158083359, 0.0158112893, 0.0158259321]
        assert minima.objective.tolist() == pytest.approx(expected, abs=1e-10)

    def test_the_published_constants_lie_beside_the_highest(self, minima):
        last = minima.iloc[-1]
        assert published.constants("muennighoff2023/repeated")["R_D"].value == pytest.approx(
            last.R_D, rel=2e-3
        )
        assert last.objective == minima.objective.max()

    @pytest.mark.parametrize("k", range(5))
    def test_scipy_finds_each_from_nearby(self, kept, minima, k):
        row = minima.iloc[k]

        def objective(theta):
            law = sl.DataConstrainedLaw(LAW.base, *np.exp(theta))
            r = np.abs(np.log(law.loss(kept.params, kept.tokens, kept.unique_tokens) / kept.loss))
            return float(np.where(r <= 1e-3, r**2 / 2, 1e-3 * (r - 5e-4)).sum())

        near = np.log([row.R_D, row.R_N]) + 2e-3
        found = minimize(objective, near, method="Nelder-Mead",
                         options={"xatol": 1e-9, "fatol": 1e-16, "initial_simplex":
                                  near + 1e-3 * np.array([[0, 0], [1, 0], [0, 1]])})  # fmt: skip
        assert found.fun == pytest.approx(row.objective, abs=1e-11)
        assert np.exp(found.x) == pytest.approx([row.R_D, row.R_N], rel=1e-3)

    @pytest.mark.parametrize(("excess", "ends"), [(0.001, (31, 214)), (0.005, (11, 1210))])
    def test_the_flat_range(self, fit, excess, ends):
        near = np.array([[0.98], [1.02]])
        inside = data_limits.objective_profile(fit, np.ravel(near * ends)).excess <= excess
        assert inside.tolist() == [False, True, True, False]

    def test_without_decay_the_objective_is_hardly_higher(self, fit):
        far = data_limits.objective_profile(fit, [1e9])
        assert 0.005 < far.excess[0] < 0.01

    @pytest.mark.parametrize(("delta", "R_D", "R_N"), [(1e-2, 59.4, 2.04), (1e-1, 51.9, 1.72)])
    def test_other_thresholds(self, kept, delta, R_D, R_N):
        law = sl.fit_data_constrained(kept, base=LAW.base, delta=delta).law
        assert pytest.approx(R_D, rel=1e-3) == law.R_D
        # Half a unit of the last digit given.
        assert pytest.approx(R_N, abs=0.005) == law.R_N

    def test_all_runs_send_the_penalty_for_size_to_zero(self, runs):
        assert sl.fit_data_constrained(runs, base=LAW.base).law.R_N < 1e-9

    def test_resamples_do_not_close_the_interval(self, fit):
        low, high = sl.bootstrap(fit, n=300, seed=0).interval("R_D")
        assert low == pytest.approx(6.5, abs=2)
        assert high > 1e9

    def test_kept_value_over_the_flat_range(self):
        def kept_at(epochs, R):
            return float(data_limits.worth_of_epochs(epochs, R).kept.iloc[0])

        assert [kept_at(4, R) for R in (11, 214)] == pytest.approx([0.906, 0.995], abs=1e-3)
        assert [kept_at(16, R) for R in (11, 214)] == pytest.approx([0.57, 0.97], abs=5e-3)
        assert [kept_at(e, 95.365) for e in (4, 16)] == pytest.approx([0.988, 0.930], abs=1e-3)
        assert [kept_at(e, LAW.R_D) for e in (4, 16)] == pytest.approx([0.931, 0.661], abs=1e-3)


class TestOwnBase:
    def test_the_published_base_lies_below_every_fresh_run(self, runs):
        fresh = runs[runs.tokens <= runs.unique_tokens]
        assert len(fresh) == 41
        assert (fresh.loss > LAW.base.loss(fresh.params, fresh.tokens)).all()

    def test_the_constant_is_determined(self, kept, fit, base):
        own = sl.fit_data_constrained(kept, base=base)
        assert own.agreement > 0.8
        assert own.objective < 0.5 * fit.objective
        assert pytest.approx(40.45, rel=1e-3) == own.law.R_D
        assert sl.profile(own, "R_D").interval == pytest.approx((32.9, 54.3), abs=0.1)

    def test_runs_without_repetition_carry_no_information(self, kept):
        silent = (kept.tokens <= kept.unique_tokens) & (
            kept.params <= params_for_tokens(LAW.base, kept.unique_tokens)
        )
        assert silent.sum() == 14

    def test_pairs(self, runs, base):
        pairs = data_limits.repeated_pairs(runs)
        share = data_limits.measured_worth(pairs, base) / pairs.epochs
        assert len(pairs) == 86
        assert share[pairs.epochs.between(2, 4.1)].median() == pytest.approx(0.92, abs=0.01)

    def test_price_of_repetition(self, runs, kept, base):
        pairs = data_limits.repeated_pairs(runs)
        measured = pairs.penalty / pairs.fresh
        own = sl.fit_data_constrained(kept, base=base).law
        off = pd.DataFrame(
            {"published": data_limits.predicted_price(LAW, pairs) - measured,
             "own": data_limits.predicted_price(own, pairs) - measured}
        ).abs()  # fmt: skip
        few, some = pairs.epochs < 4.1, pairs.epochs.between(4.1, 20)
        assert off[few].mean().tolist() == pytest.approx([0.0130, 0.0036], abs=2e-4)
        assert (off[some].own.mean(), off[some].published.mean()) == pytest.approx(
            (0.0153, 0.0416), abs=5e-4
        )
        # Past twenty epochs neither law is of use.
        assert (off[pairs.epochs > 20].mean() > 0.4).all()


class TestAllocation:
    def test_the_published_split(self):
        best = data_limits.data_limited_optimal(LAW, **data_limits.EXAMPLE)
        answer = published.group("muennighoff2023/example answer")
        assert answer["billion_params"].verdict(best.N / 1e9) == "same digits"
        assert answer["billion_tokens"].verdict(best.D / 1e9) == "same digits"
        assert answer["epochs"].verdict(best.epochs) == "same digits"

    def test_a_searched_split_is_close_and_not_better(self):
        # 7.022365e9 parameters and 9.493478 epochs are the best of a search over trial splits.
        best = data_limits.data_limited_optimal(LAW, 1e22, 25e9)
        assert (best.N, best.epochs) == (
            pytest.approx(7.022365e9, rel=1e-3), pytest.approx(9.493478, rel=1e-3)
        )  # fmt: skip
        gap = float(LAW.loss(7.022365e9, 1e22 / 6 / 7.022365e9, 25e9)) / best.loss - 1
        assert 0 < gap < 1e-8

    def test_without_limit_it_is_the_base_optimum(self):
        free = sl.compute_optimal(LAW.base, 1e22)
        assert float(free.N) == pytest.approx(9.218e9, rel=1e-3)
        best = data_limits.data_limited_optimal(LAW, 1e22, 1e12)
        assert pytest.approx((float(free.N), float(free.D)), rel=1e-12) == (best.N, best.D)


class TestWall:
    def test_years(self):
        text, demand = (
            published.group("villalobos2024/stock"),
            published.group("villalobos2024/demand"),
        )
        wall = data_limits.DataStock(
            demand["tokens"].value, demand["year"].value, demand["decades_per_year"].value,
            text["median"].value, text["low"].value, text["high"].value,
        )  # fmt: skip
        years = [wall.exhausted(), wall.exhausted(wall.low), wall.exhausted(wall.high),
                 wall.exhausted(factor=5)]  # fmt: skip
        assert years == pytest.approx([2027.4, 2026.2, 2028.8, 2025.6], abs=0.1)


class TestCollapse:
    @pytest.mark.parametrize(("n", "target"), [(20, 0.07), (100, 0.56), (1000, 0.95)])
    def test_medians(self, n, target):
        # The target is one draw of a simulation; the closed form is what it scatters about.
        theory = data_limits.collapse_median(n, 100)
        assert theory == pytest.approx(target, abs=0.05)
        median = np.median(data_limits.simulate_collapse(n, seed=0)[-1])
        spread = 1.25 * 10 * data_limits.collapse_walk(n)[1] / np.sqrt(400)
        assert abs(np.log(median / theory)) < 3 * spread
