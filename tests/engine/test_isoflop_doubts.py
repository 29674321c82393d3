"""Budgets that nearly agree, 6ND, unfinished runs, three sizes, quoted optima, few winners."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress

import scalinglib as sl
from scalinglib.isoflop import doubts
from tests.examples import few

LAW = sl.ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28)
BUDGETS = (3e17, 1e18, 3e18, 1e19)


def grid(*, budgets=BUDGETS, sizes=6, width=5.0, noise=0.0, seed=0, jitter=0.0):
    """IsoFLOP runs of a law around its optima, their budgets off by a share `jitter`."""
    rng = np.random.default_rng(seed)
    C = np.repeat(budgets, sizes) * (1 + jitter * rng.uniform(-1, 1, sizes * len(budgets)))
    around = np.tile(np.geomspace(1 / width, width, sizes), len(budgets))
    N = LAW.G * (C / 6) ** LAW.a * around
    loss = LAW.loss(N, C / 6 / N) * np.exp(noise * rng.standard_normal(len(N)))
    return pd.DataFrame({"budget_flops": C, "params": N, "tokens": C / 6 / N, "loss": loss})


class TestGrouping:
    @pytest.mark.parametrize("jitter", [0.0, 1e-9, 1e-5, 1e-3, 0.01, 0.03])
    @pytest.mark.parametrize("seeds", [1, 2])
    def test_budgets_that_nearly_agree_are_one(self, jitter, seeds):
        runs = grid(jitter=jitter)
        runs = pd.concat([runs.assign(loss=runs.loss * (1 + 1e-3 * k)) for k in range(seeds)])
        fit = sl.fit_isoflop(runs)
        assert fit.a == pytest.approx(LAW.a, abs=0.4 * jitter + 1e-6)
        assert fit.warnings == ()
        shown = fit.grouping
        assert shown.n_runs.tolist() == [6 * seeds] * 4
        assert (shown.lowest <= shown.budget).all()
        assert (shown.budget <= shown.highest).all()

    @pytest.mark.parametrize("seed", range(8))
    def test_scattered_budgets_far_apart_are_found(self, seed):
        scatter = np.exp(0.05 * np.random.default_rng(seed).standard_normal(35))
        runs = grid(budgets=tuple(np.geomspace(1e18, 1e21, 5)), sizes=7)
        runs["tokens"] *= scatter
        runs["budget_flops"] *= scatter
        runs["loss"] = LAW.loss(runs.params, runs.tokens)
        fit = sl.fit_isoflop(runs)
        assert fit.grouping.n_runs.tolist() == [7] * 5
        assert fit.a == pytest.approx(LAW.a, abs=0.03)

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("n", [20, 60, 240])
    def test_runs_without_budgets_are_not_grouped(self, seed, n):
        draw = np.random.default_rng(seed)
        N, D = 10 ** draw.uniform(7, 10, n), 10 ** draw.uniform(9, 12, n)
        loss = LAW.loss(N, D)
        runs = pd.DataFrame({"budget_flops": 6 * N * D, "params": N, "tokens": D, "loss": loss})
        with pytest.raises(sl.FitError):
            sl.fit_isoflop(runs)

    @pytest.mark.parametrize(
        "C", [np.geomspace(1e18, 1e20, 60), 1e20 * np.linspace(1, 1.1, 36), [1e18, 2e18]],
        ids=["no gaps", "a chain", "a run each"],
    )  # fmt: skip
    def test_budgets_that_run_together_are_refused(self, C):
        runs = pd.DataFrame({"budget_flops": C, "params": 1e8, "tokens": 1e9, "loss": 3.0})
        with pytest.raises(sl.FitError, match=r"'budget_flops'.*round it to nominal budgets first"):
            sl.fit_isoflop(runs)

    def test_the_grouping_is_in_the_refusal(self):
        runs = grid(jitter=1e-5).assign(loss=3.0)
        with pytest.raises(sl.FitError, match=r"24 values of 'budget_flops' were taken as 4 bud"):
            sl.fit_isoflop(runs)

    def test_tolerance(self):
        runs = grid(budgets=(1e18, 1.04e18, 3e18, 3.12e18))
        assert len(sl.fit_isoflop(runs).minima) == 2
        assert len(sl.fit_isoflop(runs, tolerance=0.01).minima) == 4
        with pytest.raises(sl.DataError, match="tolerance must be a share"):
            sl.fit_isoflop(runs, tolerance=5)

    @pytest.mark.parametrize("span", [1.06, 1.3])
    def test_budgets_without_a_trend_are_refused(self, span):
        with pytest.raises(sl.FitError, match=r"a factor of 1\.5 apart"):
            sl.fit_isoflop(grid(budgets=(1e18, span * 1e18)))


class TestSixND:
    @pytest.mark.parametrize("ratio", [0.93, 1.0, 1.35])
    def test_counting_is_silent(self, ratio):
        runs = grid()
        smooth = ratio * (runs.params / 1e8) ** 0.03
        assert sl.fit_isoflop(runs.assign(tokens=smooth * runs.tokens)).warnings == ()

    @pytest.mark.parametrize("factor", [1e-9, 1 / 8, 8, 1e6])
    def test_units(self, factor):
        runs = grid()
        told = sl.fit_isoflop(runs.assign(tokens=runs.tokens * factor)).warnings
        assert any("6 N D is" in one and "check the units" in one for one in told)

    @pytest.mark.parametrize("share", [0.5, 0.8, 10.0])
    @pytest.mark.parametrize("row", [0, 8, 23])
    def test_a_row_is_named(self, share, row):
        runs = grid(jitter=0.01).rename(index=lambda k: f"run {k}")
        runs.iloc[row, 2] *= share
        told = [one for one in sl.fit_isoflop(runs).warnings if "6 N D" in one]
        assert len(told) == 1
        assert f"row 'run {row}': 6 N D is {share:.2g}" in told[0]

    def test_published_tables_are_silent(self):
        runs = sl.load("corpora_isoflops").rename(columns={"loss_paloma": "loss"})
        for _, own in runs.groupby("corpus"):
            assert not any("6 N D" in one for one in sl.fit_isoflop(own).warnings)


class TestUnfinished:
    @pytest.mark.parametrize("row", [0, 3, 7, 13, 23])
    @pytest.mark.parametrize("high", [1.05, 1.1])
    @pytest.mark.parametrize("along", ["params", "tokens"])
    def test_the_run_is_named_with_what_it_does(self, row, high, along):
        runs = grid(noise=1e-3)
        clean = sl.fit_isoflop(runs, along=along)
        runs.loc[row, "loss"] *= high
        told = " ".join(sl.fit_isoflop(runs, along=along).warnings)
        assert f"row {row} (budget" in told
        assert f"instead of {sl.fit_isoflop(runs, along=along).a:.3f}" in told
        without = sl.fit_isoflop(runs.drop(index=row), along=along)
        assert f"Without it a = {without.a:.3f}" in told
        assert abs(without.a - clean.a) < 0.03

    def test_two_runs_do_not_hide_each_other(self):
        runs = grid(noise=1e-3, sizes=9)
        runs.loc[[4, 21], "loss"] *= 1.07
        told = " ".join(sl.fit_isoflop(runs).warnings)
        assert "row 4 " in told
        assert "row 21 " in told

    def test_one_of_four_cannot_be_told(self):
        runs = grid(noise=1e-4, sizes=4)
        runs.loc[5, "loss"] *= 1.08
        assert any(
            "cannot be told: rows 4, 5, 6, 7" in one for one in sl.fit_isoflop(runs).warnings
        )

    def test_clean_tables_are_silent_and_spoiled_ones_are_not(self):
        rng = np.random.default_rng(7)
        alarms = caught = 0
        for seed in range(60):
            runs = grid(sizes=int(rng.integers(5, 12)), width=rng.uniform(2, 10),
                        noise=rng.choice([0, 1e-3, 3e-3]), seed=seed)  # fmt: skip
            alarms += bool(sl.fit_isoflop(runs).warnings)
            runs.loc[rng.integers(len(runs)), "loss"] *= 1.1
            caught += bool(sl.fit_isoflop(runs).warnings)
        assert alarms <= 3
        assert caught >= 54


class TestThreeSizes:
    @pytest.mark.parametrize("along", ["params", "tokens"])
    @pytest.mark.parametrize("sizes", [(3, 4), (3, 3), (4, 3), (3, 3, 5)])
    def test_the_vertex_is_that_of_the_exact_parabola(self, sizes, along):
        rng = np.random.default_rng(len(sizes))
        parts = [
            grid(budgets=(C,), sizes=k, width=3 * rng.uniform(0.9, 1.1))
            for C, k in zip((1e18, 3e18, 1e19), sizes, strict=False)
        ]
        fit = sl.fit_isoflop(pd.concat(parts, ignore_index=True), along=along)
        for part, found in zip(parts, fit.minima[along], strict=True):
            x = np.log(part[along])
            c = np.polyfit(x - x.mean(), part.loss, 2)
            assert found == pytest.approx(np.exp(x.mean() - c[1] / c[0] / 2), rel=1e-9)
        assert any("exactly through three sizes" in one for one in fit.warnings)
        assert fit.minima.used.all()

    def test_the_middle_one_must_be_the_lowest(self):
        runs = pd.concat([grid(), grid(budgets=(3e19,), sizes=3).iloc[::-1]], ignore_index=True)
        runs.loc[25, "loss"] = runs.loss[26]
        fit = sl.fit_isoflop(runs)
        assert fit.minima.used.tolist() == [True] * 4 + [False]
        assert any("do not bracket a minimum" in one for one in fit.warnings)

    def test_a_window_that_leaves_three_is_too_narrow(self):
        with pytest.raises(sl.FitError, match="3 distinct model sizes, and a profile needs 4"):
            sl.fit_isoflop(grid(sizes=9), window=1.6)

    @pytest.mark.parametrize("spread", [1e-7, 1e-4, 0.01])
    def test_one_size_with_jitter_is_one_size(self, spread):
        runs = grid(sizes=5)
        rng = np.random.default_rng(1)
        runs["params"] = 1e8 * (1 + spread * rng.uniform(-1, 1, len(runs)))
        with pytest.raises(sl.FitError, match="one model size, and a profile needs 3"):
            sl.fit_isoflop(runs)


class TestQuotedOptima:
    C = np.geomspace(1e18, 1e24, 7)

    def points(self, **columns):
        best = sl.compute_optimal(LAW, self.C)
        return pd.DataFrame({"flops": self.C, "params": best.N, "tokens": best.D}).assign(**columns)

    def test_it_is_the_line_of_linregress(self):
        optima = sl.load("chinchilla_table_optima")
        for _, own in optima.groupby("approach"):
            fit = sl.fit_frontier(own)
            size = linregress(np.log(own.flops), np.log(own.params))
            data = linregress(np.log(own.flops), np.log(own.tokens))
            assert (fit.a, fit.b, fit.k_N, fit.k_D) == pytest.approx(
                (size.slope, data.slope, np.exp(size.intercept), np.exp(data.intercept)), rel=1e-11
            )

    def test_a_law_is_recovered_in_any_order_with_its_minima(self):
        points = self.points(loss=sl.compute_optimal(LAW, self.C).loss)
        fit = sl.fit_frontier(points.sample(frac=1, random_state=2))
        assert fit.a == pytest.approx(LAW.a, rel=1e-12)
        assert fit.warnings == ()
        assert fit.minima.used.all()
        np.testing.assert_allclose(fit.minima.loss, points.loss)
        assert np.isnan(sl.fit_frontier(self.points()).minima.loss).all()

    @pytest.mark.parametrize("kind", [dict, pd.DataFrame])
    def test_columns_of_any_frame(self, kind):
        points = self.points().rename(columns={"flops": "C"})
        assert sl.fit_frontier(kind(points), budget="C").a == pytest.approx(LAW.a)

    def test_resamples_draw_optima_as_often_as_they_come(self):
        rng = np.random.default_rng(0)
        points = self.points()
        points["params"] *= np.exp(0.1 * rng.standard_normal(7))
        fit = sl.fit_frontier(points)
        (times,) = fit.sample.draw(20, 3, None)
        draws = fit.resample(20, seed=3)
        for row, a in zip(times, draws.a, strict=True):
            drawn = np.repeat(np.arange(7), row.astype(int))
            slope = np.polyfit(np.log(self.C[drawn]), np.log(points.params.to_numpy()[drawn]), 1)[0]
            assert a == pytest.approx(slope, rel=1e-9)
        low, high = fit.interval("a", n=300)
        assert low < fit.a < high

    @pytest.mark.parametrize("column", ["params", "tokens", "flops"])
    def test_a_misprint_is_named(self, column):
        points = self.points()
        points.loc[3, column] *= 10
        assert any("row 3: " in one for one in sl.fit_frontier(points).warnings)

    @pytest.mark.parametrize(
        ("change", "error", "words"),
        [
            (lambda p: p.drop(columns="flops"), sl.DataError, "no column 'flops'"),
            (lambda p: p.drop(columns="tokens"), sl.DataError, "no column 'tokens'"),
            (lambda p: p.assign(tokens=-1.0), sl.DataError, "row 0, column 'tokens'"),
            (lambda p: p.head(0), sl.DataError, "is empty"),
            (lambda p: p.head(1), sl.FitError, "1 of 1 can be used"),
            (lambda p: p.assign(flops=1e20), sl.FitError, r"a factor of 1\.5 apart"),
            (lambda p: p.assign(flops=1e20 + p.index * 1e18), sl.FitError, r"factor of 1\.5"),
        ],
    )
    def test_bad_points(self, change, error, words):
        with pytest.raises(error, match=words):
            sl.fit_frontier(change(self.points()))

    def test_two_optima_are_a_line_with_a_warning(self):
        assert "line through two budgets" in sl.fit_frontier(self.points().head(2)).warnings[0]


class TestFewWinners:
    def curves(self, sizes):
        N, D = (part.ravel() for part in np.meshgrid(
            1e8 * 2.0 ** np.arange(sizes), np.geomspace(1e7, 1e13, 200)))  # fmt: skip
        return pd.DataFrame({"run": N, "params": N, "tokens": D, "loss": LAW.loss(N, D)})

    @pytest.mark.parametrize("sizes", [3, 4, 5])
    def test_too_few_are_refused_and_shown(self, sizes):
        words = rf"won by {sizes - 2} model size.*2e\+08 \(\d+ levels\).*It takes 4"
        with pytest.raises(sl.FitError, match=words):
            sl.fit_envelope(self.curves(sizes), levels=300)

    def test_few_are_told(self):
        fit = sl.fit_envelope(self.curves(6), levels=300)
        assert fit.winners.params.round().tolist() == [2e8, 4e8, 8e8, 1.6e9]
        assert "only 4 model sizes win" in fit.warnings[-1]

    def test_winners_hold_the_used_levels(self):
        fit = sl.fit_envelope(self.curves(12), levels=300)
        assert len(fit.winners) == fit.minima.params[fit.minima.used].nunique() >= 8
        assert fit.winners.budgets.sum() == fit.minima.used.sum()
        assert not any("model sizes win" in one for one in fit.warnings)
        assert fit.a == pytest.approx(LAW.a, abs=0.02)


@given(
    seed=st.integers(0, 99), place=st.integers(0, 29), off=st.floats(0.2, 2), k=st.integers(1, 3)
)
@few
def test_strays_are_those_of_deletion(seed, place, off, k):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, (k, 30)), axis=1, kind="stable")
    curves = [(np.stack([np.ones(30), t, t * t]), 0.01 * rng.standard_normal(30)) for t in x]
    curves[0][1][place] += off
    V, y = curves[0]
    (found, *_) = doubts.strays(curves)
    assert (found.curve, found.point) == (0, place)
    kept = np.arange(30) != place
    rest = np.linalg.lstsq(V[:, kept].T, y[kept], rcond=None)[0]
    assert found.above == pytest.approx(y[place] - rest @ V[:, place], rel=1e-9)


@given(unit=st.floats(1e-3, 1e3), order=st.integers(0, 50))
@few
def test_grouping_knows_neither_units_nor_order(unit, order):
    runs = grid(jitter=0.01)
    C = runs.budget_flops.to_numpy()
    mixed = np.random.default_rng(order).permutation(len(C))
    levels, which = doubts.group_budgets(C, "C", 0.05)
    again, other = doubts.group_budgets(unit * C[mixed], "C", 0.05)
    np.testing.assert_allclose(again, unit * levels)
    assert other.tolist() == which[mixed].tolist()


@pytest.mark.parametrize("fit", [sl.fit_isoflop, sl.fit_envelope])
def test_runs_in_millions_and_billions_are_not_counts(fit):
    law = sl.ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28)
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e10, 24), np.geomspace(1e8, 1e12, 60)))
    runs = pd.DataFrame({"run": N, "params": N, "tokens": D, "loss": law.loss(N, D)})
    if fit is sl.fit_isoflop:
        C = np.repeat([1e19, 1e20, 1e21], 9)
        N = np.concatenate([np.sqrt(c / 120) * np.geomspace(0.3, 3, 9) for c in C[::9]])
        runs = pd.DataFrame({"budget_flops": C, "params": N, "tokens": C / 6 / N})
        runs["loss"] = law.loss(runs.params, runs.tokens)
    told = fit(runs.assign(params=runs.params / 1e6, tokens=runs.tokens / 1e9)).warnings
    assert any("cannot be counts" in one for one in told)
    assert not any("counts" in one for one in fit(runs).warnings)
