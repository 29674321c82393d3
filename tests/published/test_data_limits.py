"""Repeated data, the data wall and collapse: every target of the chapter to its tolerance."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.laws import params_for_tokens
from scalinglib.topics import data_limits

LAW = published.law("muennighoff2023/repeated")


@pytest.fixture(scope="module")
def runs():
    listed = sl.load("repeated_data_runs")
    assert (len(listed), int(listed.flagged.sum())) == (296, 1)
    return listed[~listed.flagged]


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


@pytest.fixture(scope="module")
def left_out(runs):
    return data_limits.folded(runs)


class TestPublishedLaw:
    def test_base_law(self):
        law = LAW.base
        assert pytest.approx((520.825, 1487.716, 1.869144), rel=1e-6) == (law.A, law.B, law.E)

    def test_parameters_for_a_token(self):
        ratio = float(params_for_tokens(LAW.base, 1.0))
        assert ratio == pytest.approx(0.0509865, rel=1e-5)
        assert 1 / ratio == pytest.approx(19.613, rel=1e-5)
        assert published.printed("muennighoff2023/U_N over U_D").returns(ratio)

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
        assert loss.returns(float(LAW.loss(N, D, data_limits.EXAMPLE["U"])))

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

    def test_past_twenty_epochs_the_published_law_is_nearer_and_neither_near(
        self, runs, kept, base
    ):
        pairs = data_limits.repeated_pairs(runs)
        own = sl.fit_data_constrained(kept, base=base).law
        for late in (pairs[pairs.epochs.between(20, 60)], pairs[pairs.epochs > 60]):
            measured = late.penalty / late.fresh
            published_law, ours = (
                (data_limits.predicted_price(law, late) - measured).abs().mean()
                for law in (LAW, own)
            )
            assert 0.09 < published_law < 0.9 * ours


class TestOriginOfTheBaseLaw:
    def test_the_notebooks_own_base_is_ours_and_not_the_published_one(self, base):
        theirs = published.law("muennighoff2023/fresh base")
        for name in ("E", "A", "B", "alpha", "beta"):
            assert getattr(base, name) == pytest.approx(getattr(theirs, name), rel=2e-3)
        assert abs(LAW.base.E / theirs.E - 1) > 0.02

    def test_resampling_groups_widens_the_interval_to_the_notebooks_constant(self, kept, base):
        own = sl.fit_data_constrained(kept, base=base)
        groups = kept.groupby(["params", "unique_tokens"]).ngroup().to_numpy()
        low, high = sl.bootstrap(own, n=400, seed=0, clusters=groups).interval("R_D")
        assert sl.profile(own, "R_D").low > published.value("muennighoff2023/own runs/R_D") > low
        assert high > 70


class TestPenalty:
    def test_constants_and_what_rises(self, runs, base):
        law = data_limits.fit_penalty(runs, base)
        assert (np.log(law.P), law.delta, law.kappa) == pytest.approx(
            (-3.071212, 0.4595207, 0.7519407), rel=1e-4
        )
        epochs = np.geomspace(1, 1000, 3001)
        for U, best in ((1e8, 20), (1e9, 55)):
            losses = law.loss(1.1e9, U * epochs, U)
            assert epochs[losses.argmin()] == pytest.approx(best, rel=0.03)
            assert losses[-1] > losses.min() + 0.5
        assert law.loss(1e9, 1e9, 1e9) == pytest.approx(float(base.loss(1e9, 1e9)), rel=1e-12)

    def test_decay_is_not_wanted_beside_it(self, runs, base):
        def miss(R):
            law = data_limits.fit_penalty(runs, base, R_D=R)
            predicted = law.loss(runs.params, runs.tokens, runs.unique_tokens)
            return float(np.abs(np.log(predicted / runs.loss)).mean())

        errors = [miss(R) for R in (5, 20, 80, 320, 1e9)]
        assert np.all(np.diff(errors) < 0)

    def test_only_the_laws_named_are_near_it_past_twenty_epochs(self, runs, left_out):
        table = data_limits.errors_by_epochs(left_out, runs)
        near = ["own base, penalty", "joint fit, penalty", "joint fit, bounded"]
        for late in ("20 to 60", "over 60"):
            assert table.loc[near, late].max() < 0.75 * table.drop(near)[late].min()
        over_own = table.loc[[name.startswith("own") for name in table.index]]
        assert over_own[["1", "1 to 4"]].to_numpy().max() < 0.04

    def test_its_lead_past_twenty_epochs_by_groups(self, runs, left_out):
        late = runs.tokens > 20 * runs.unique_tokens
        lead = data_limits.lead(left_out[late], runs[late], "own base, penalty")
        near = ["joint fit, penalty", "joint fit, bounded"]
        assert (lead.drop(near).low > 0.02).all()
        assert (lead.loc[near].low < 0).all()
        assert (lead.loc[near].high > 0).all()

    @pytest.mark.parametrize(("law", "expected"), [
        ("published", (13.7, 10.8, 8.4, 11.8, 16.3, 12.2)),
        ("own base, no price", (3.3, 1.4, 2.9, 15.4, 27.7, 11.2)),
        ("own base, decay", (2.9, 1.3, 3.6, 12.1, 17.6, 8.1)),
        ("own base, penalty", (3.3, 1.3, 2.6, 7.1, 8.5, 4.7)),
        ("own base, penalty, unit exponents", (3.3, 1.4, 2.7, 11.1, 18.4, 8.0)),
        ("own base, shrinking exponents", (3.1, 1.4, 3.1, 13.1, 39.0, 13.7)),
        ("joint fit, decay", (4.2, 2.7, 2.9, 10.7, 15.9, 7.7)),
        ("joint fit, penalty", (3.0, 1.4, 2.5, 6.8, 9.1, 4.8)),
        ("joint fit, bounded", (4.0, 2.0, 5.2, 8.5, 9.4, 6.1)),
    ])  # fmt: skip
    def test_errors_by_range_of_every_competitor(self, runs, left_out, law, expected):
        found = 100 * data_limits.errors_by_epochs(left_out, runs).loc[law]
        assert found.iloc[:3].tolist() == pytest.approx(expected[:3], abs=0.4)
        assert found.iloc[3:].tolist() == pytest.approx(expected[3:], abs=1.0)

    def test_intervals_of_its_exponents_by_groups(self, runs):
        base = sl.fit_chinchilla(runs[runs.tokens <= runs.unique_tokens])
        draws = data_limits.penalty_draws(runs, base).quantile([0.05, 0.95])
        expected = {"ln P": (-3.53, -2.62), "delta": (0.325, 0.551), "kappa": (0.619, 0.928)}
        for name, ends in expected.items():
            assert draws[name].tolist() == pytest.approx(ends, abs=0.1 if name == "ln P" else 0.03)
        assert draws.loc[0.95, ["delta", "kappa"]].max() < 1

    def test_runs_of_few_epochs_do_not_hold_its_exponents(self, runs):
        few = runs.tokens <= 20 * runs.unique_tokens
        errors = data_limits.split_errors(runs[few], runs[~few]).abs().mean()
        assert errors["own base, penalty"] == pytest.approx(0.51, abs=0.02)
        fails = ["own base, penalty", "joint fit, penalty", "own base, shrinking exponents"]
        assert errors[fails].min() > errors.drop(fails).max()
        assert errors["own base, penalty, unit exponents"] < errors["own base, decay"]

    def test_small_stocks_alone_hold_no_base_and_the_bounded_law_reaches_furthest(self, runs):
        small = runs.unique_tokens <= 1.5e9
        errors = data_limits.split_errors(runs[small], runs[~small]).abs().mean()
        assert errors.filter(like="own base").min() > 0.2
        assert errors.idxmin() == "joint fit, bounded"
        assert errors[["joint fit, penalty", "joint fit, bounded"]].tolist() == pytest.approx(
            [0.062, 0.034], abs=0.005
        )

    def test_geometric_decay_over_the_published_base_returns_the_notebook(self, kept):
        law = data_limits.fit_rival(kept, LAW.base, "own base, geometric decay")
        assert law.objective == pytest.approx(0.0154774, rel=1e-4)

    def test_shrinking_exponents_over_the_published_base_return_the_notebook(self):
        listed = sl.load("repeated_data_runs")
        law = data_limits.fit_rival(listed, LAW.base, "own base, shrinking exponents")
        assert law.objective <= 0.0596

    def test_series_that_rise_have_few_unique_tokens_per_parameter(self, runs):
        means = runs.groupby(["params", "unique_tokens", "tokens"]).loss.mean()
        ratios = [
            U / N
            for (N, U), one in means.groupby(["params", "unique_tokens"])
            if one.iloc[-1] > 1.01 * one.min()
        ]
        assert len(ratios) >= 17
        assert max(ratios) < 1.4

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", [1, 2])
    def test_ten_folds(self, runs, seed):
        table = data_limits.errors_by_epochs(data_limits.folded(runs, seed=seed), runs)
        whole = table["all"][["published", "own base, decay", "own base, penalty"]]
        assert whole.tolist() == pytest.approx([0.122, 0.081, 0.047], abs=0.006)


class TestAllocation:
    def test_the_published_split(self):
        best = optimum.data_limited_optimal(LAW, **data_limits.EXAMPLE)
        answer = published.group("muennighoff2023/example answer")
        assert answer["billion_params"].returns(best.N / 1e9)
        assert answer["billion_tokens"].returns(best.D / 1e9)
        assert answer["epochs"].returns(best.epochs)

    def test_a_searched_split_is_close_and_not_better(self):
        # 7.022365e9 parameters and 9.493478 epochs are the best of a search over trial splits.
        best = optimum.data_limited_optimal(LAW, 1e22, 25e9)
        assert (best.N, best.epochs) == (
            pytest.approx(7.022365e9, rel=1e-3), pytest.approx(9.493478, rel=1e-3)
        )  # fmt: skip
        gap = float(LAW.loss(7.022365e9, 1e22 / 6 / 7.022365e9, 25e9)) / best.loss - 1
        assert 0 < gap < 1e-8

    def test_without_limit_it_is_the_base_optimum(self):
        free = sl.compute_optimal(LAW.base, 1e22)
        assert float(free.N) == pytest.approx(9.218e9, rel=1e-3)
        best = optimum.data_limited_optimal(LAW, 1e22, 1e12)
        assert pytest.approx((float(free.N), float(free.D)), rel=1e-12) == (best.N, best.D)


class TestWall:
    @staticmethod
    def stock():
        text = published.values("villalobos2024/stock")
        return {"stock": text["median"], "low": text["low"], "high": text["high"]}

    def test_compute_optimal_years(self):
        wall = data_limits.compute_optimal_demand(**self.stock())
        years = [wall.exhausted(), wall.exhausted(wall.low), wall.exhausted(wall.high)]
        assert years == pytest.approx([2028.54, 2026.95, 2030.28], abs=0.01)

    @pytest.mark.parametrize(("growth", "expected"), [
        (0.0, (2028.54, 2027.38, 2026.88, 2025.22)), (0.07, (2029.03, 2027.74, 2027.19, 2025.35)),
    ])  # fmt: skip
    def test_over_training_multiplies_tokens_by_its_root(self, growth, expected):
        wall = data_limits.compute_optimal_demand(**self.stock(), stock_growth=growth)
        years = [wall.exhausted(factor=np.sqrt(F)) for F in (1, 5, 10, 100)]
        assert years == pytest.approx(expected, abs=0.01)

    @pytest.mark.parametrize("F", [5, 100])
    def test_with_a_fixed_stock_they_are_the_published_years(self, F):
        wall = data_limits.compute_optimal_demand(**self.stock())
        said = published.value(f"villalobos2024/overtrained/{F}")
        assert int(wall.exhausted(factor=np.sqrt(F))) == said

    def test_five_times_the_observed_trend_counts_over_training_twice(self):
        observed = data_limits.DataStock(
            **published.values("villalobos2024/demand"), **self.stock()
        )
        assert observed.exhausted() == pytest.approx(2027.42, abs=0.01)
        # The date an earlier version gave, more than a year before the published one.
        said = published.value("villalobos2024/overtrained/5")
        assert observed.exhausted(factor=5) < said - 1


class TestCollapse:
    @pytest.mark.parametrize(("n", "target"), [(20, 0.07), (100, 0.56), (1000, 0.95)])
    def test_medians(self, n, target):
        # The target is one draw of a simulation; the closed form is what it scatters about.
        theory = data_limits.collapse_median(n, 100)
        assert theory == pytest.approx(target, abs=0.05)
        median = np.median(data_limits.simulate_collapse(n, seed=0)[-1])
        spread = 1.25 * 10 * data_limits.collapse_walk(n)[1] / np.sqrt(400)
        assert abs(np.log(median / theory)) < 3 * spread

    @pytest.mark.parametrize("n", [20, 100, 1000])
    def test_the_variance_drifts_by_one_over_n_and_no_chain_grows_for_ever(self, n):
        drift, _ = data_limits.collapse_walk(n)
        assert 2 * drift == pytest.approx(-1 / n, rel=0.08)
        variance = data_limits.simulate_collapse(n, repeats=400, seed=1) ** 2
        for c in (2, 10):
            assert (variance.max(axis=0) >= c).mean() <= 1 / c

    def test_after_a_thousand_generations_every_small_chain_is_narrow(self):
        ends = data_limits.simulate_collapse(20, generations=1000, seed=0)[-1]
        assert ends.max() < 1e-3

    @pytest.mark.parametrize(("n", "share"), [(20, 0.053), (100, 0.240)])
    def test_chains_wider_than_at_the_start(self, n, share):
        ends = data_limits.simulate_collapse(n, repeats=4000, seed=1)[-1]
        assert (ends > 1).mean() == pytest.approx(share, abs=0.02)

    def test_adding_data_bounds_the_error_and_replacing_does_not(self):
        mean, spread = data_limits.simulate_accumulation(20, repeats=4000, seed=1)
        assert np.median(spread[-1]) == pytest.approx(0.948, abs=0.01)
        assert np.quantile(spread[-1], [0.1, 0.9]) == pytest.approx([0.718, 1.231], abs=0.03)
        assert 20 * np.mean(mean[-1] ** 2) == pytest.approx(np.pi**2 / 6, abs=0.12)
        assert np.median(data_limits.simulate_collapse(20, seed=1)[-1]) < 0.1
