"""Refusals, options and resampling of the IsoFLOP fits; sizes, budgets and losses by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglib.errors import DataError, FitError
from scalinglib.isoflop import Frontier, fit_envelope, fit_isoflop
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import compute_optimal
from tests.examples import few

LAW = ChinchillaLaw(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.37)
BUDGETS = (1e19, 1e20, 1e21, 1e22)


def frame(law, C, N, D=None):
    """Runs of a law, a row a size."""
    D = C / 6 / N if D is None else D
    return pd.DataFrame({"budget_flops": C, "params": N, "tokens": D, "loss": law.loss(N, D)})


def profiles(budgets=BUDGETS, low=0.25, high=4.0, sizes=9, law=LAW):
    """Runs around the optimum of each budget, from `low` to `high` times its size."""
    around = np.geomspace(low, high, sizes)
    parts = [frame(law, C, compute_optimal(law, C).N * around) for C in budgets]
    return pd.concat(parts, ignore_index=True)


def dense(law, N, D):
    """Training curves of a law, a model of each size through all tokens."""
    N, D = (part.ravel() for part in np.meshgrid(N, D))
    return frame(law, 6 * N * D, N, D).assign(run=N)


@pytest.fixture(scope="module")
def fit():
    runs = profiles()
    noise = np.random.default_rng(3).normal(0, 0.005, len(runs))
    return fit_isoflop(runs.assign(loss=runs.loss * np.exp(noise)))


@pytest.fixture(scope="module")
def curves():
    return dense(LAW, np.geomspace(1e8, 1e10, 60), np.geomspace(1e9, 1e12, 80))


class TestProfiles:
    def test_exponents_of_equal_profiles_are_exact_and_sum_to_one(self):
        fit = fit_isoflop(profiles())
        assert fit.a == pytest.approx(LAW.a, abs=1e-10)
        assert fit.a + fit.b == pytest.approx(1, abs=1e-12)
        assert fit.warnings == ()

    def test_vertex_is_that_of_a_polynomial_fit(self):
        runs = profiles((1e21, 1e22), 0.3, 5.0)
        best = fit_isoflop(runs).minima.iloc[0]
        one = runs[runs.budget_flops == 1e21]
        x = np.log(one.params)
        c2, c1, c0 = np.polyfit(x - x.mean(), one.loss, 2)
        assert best.params == pytest.approx(np.exp(x.mean() - c1 / c2 / 2), rel=1e-10)
        assert best.loss == pytest.approx(c0 - c1**2 / c2 / 4, rel=1e-12)
        assert best.curvature == pytest.approx(2 * c2, rel=1e-9)
        assert best.budget == pytest.approx(1e21, rel=1e-12)

    def test_along_tokens_is_the_mirror_image_when_compute_is_6nd(self):
        runs = profiles(low=0.2)
        one, other = fit_isoflop(runs), fit_isoflop(runs, along="tokens")
        assert [one.a, one.b, one.k_N, one.k_D] == pytest.approx(
            [other.a, other.b, other.k_N, other.k_D], rel=1e-8
        )

    def test_a_budget_that_is_not_6nd_still_reads_tokens_off_its_runs(self):
        runs = profiles()
        fit = fit_isoflop(runs.assign(budget_flops=1.3 * runs.budget_flops))
        best = compute_optimal(LAW, 1e21)
        assert fit.params(1.3e21) * fit.tokens(1.3e21) == pytest.approx(best.N * best.D, rel=1e-9)

    def test_order_and_labels_of_the_rows_do_not_matter(self):
        runs = profiles()
        mixed = runs.sample(frac=1, random_state=1).set_index(np.arange(len(runs)) * 7)
        assert fit_isoflop(mixed).a == pytest.approx(fit_isoflop(runs).a, rel=1e-12)

    def test_window_keeps_the_runs_near_the_lowest(self):
        runs = profiles(sizes=17)
        assert fit_isoflop(runs, window=2.0).minima.n_runs.tolist() == [9] * 4
        assert fit_isoflop(runs).minima.n_runs.tolist() == [17] * 4

    def test_integer_columns_are_fine(self):
        runs = profiles()
        whole = runs.astype({"params": "int64", "tokens": "int64"})
        assert fit_isoflop(whole).a == pytest.approx(LAW.a, abs=1e-6)


class TestRefusals:
    def test_minimum_below_the_runs_is_left_out_and_named(self):
        runs = pd.concat([profiles(), profiles((1e23,), 2.0, 20.0)])
        fit = fit_isoflop(runs)
        assert fit.minima.used.tolist() == [True] * 4 + [False]
        assert "budget 1e+23" in fit.warnings[0]
        assert "below all its runs" in fit.warnings[0]
        assert "add smaller model sizes" in fit.warnings[0]
        assert fit.a == pytest.approx(LAW.a, abs=1e-10)

    @pytest.mark.parametrize(
        ("runs", "words"),
        [
            (pd.concat([profiles((1e20,), sizes=2)] * 2),
             "2 distinct model sizes, and a profile needs 3"),
            (profiles((1e20,), 0.05, 0.5), "above all its runs.*add larger model sizes"),
            (profiles((1e20,)).eval("loss = 5 - loss"), "do not curve upwards"),
            (profiles((1e20,)).assign(loss=2.5), "do not curve upwards"),
            (profiles((1e20,)).eval("loss = log(params)"), "curve upwards|lies"),
            (pd.concat([profiles((1e20,)), profiles((1e21,)).assign(loss=2.0)]),
             r"fewer than two budgets.*budget 1e\+21"),
            (profiles((1e20,)), r"1 of 1 can be used; add runs at other budgets\.$"),
            (profiles().assign(budget_flops=1e20 * np.linspace(1, 1.1, 36)),
             "round it to nominal budgets"),
        ],
        ids=["a run twice", "above", "hill", "flat", "straight", "one of two", "one", "unmarked"],
    )  # fmt: skip
    def test_runs_without_a_frontier(self, runs, words):
        with pytest.raises(FitError, match=words):
            fit_isoflop(runs)

    def test_two_budgets_are_fitted_with_a_warning(self):
        assert "line through two budgets" in fit_isoflop(profiles((1e20, 1e21))).warnings[0]

    @pytest.mark.parametrize("column", ["budget_flops", "params", "tokens", "loss"])
    def test_missing_column(self, column):
        with pytest.raises(DataError, match=column):
            fit_isoflop(profiles().drop(columns=column))

    @pytest.mark.parametrize("value", [np.nan, -1.0, 0.0, np.inf])
    def test_bad_value_names_row_and_column(self, value):
        runs = profiles()
        runs.loc[5, "loss"] = value
        with pytest.raises(DataError, match="row 5, column 'loss'"):
            fit_isoflop(runs)

    def test_bad_options(self):
        with pytest.raises(DataError, match="along must be"):
            fit_isoflop(profiles(), along="flops")
        with pytest.raises(DataError, match="window must be a factor above 1"):
            fit_isoflop(profiles(), window=0.5)


class TestResample:
    def test_seeded(self, fit):
        pd.testing.assert_frame_equal(fit.resample(50, seed=4), fit.resample(50, seed=4))
        assert not fit.resample(50, seed=4).equals(fit.resample(50, seed=5))

    def test_a_resample_is_the_fit_to_its_runs(self, fit):
        weights = fit.sample.draw(3, 8, None)
        row = 1
        parts = [
            np.repeat(np.stack([one.x, one.other, one.loss]), counts[row].astype(int), axis=1)
            for one, counts in zip(fit.sample.profiles, weights, strict=True)
        ]
        frames = [
            pd.DataFrame({"budget_flops": C, "params": np.exp(x), "tokens": np.exp(other),
                          "loss": loss})
            for C, (x, other, loss) in zip(BUDGETS, parts, strict=True)
        ]  # fmt: skip
        assert fit.resample(3, seed=8).a[row] == pytest.approx(
            fit_isoflop(pd.concat(frames)).a, rel=1e-9
        )

    def test_interval_holds_the_truth_and_takes_functions(self, fit):
        low, high = fit.interval("a", n=400)
        assert low < LAW.a < high
        low, high = fit.interval(lambda frontier: frontier.tokens(1e24), n=400)
        assert low < fit.tokens(1e24) < high

    def test_subsamples_draw_each_run_once(self, fit):
        counts = np.concatenate(fit.sample.draw(20, 0, 0.8), axis=1)
        assert set(np.unique(counts)) == {0, 1}
        assert (counts.sum(axis=1) == 29).all()

    def test_refusals(self, fit):
        with pytest.raises(DataError, match="at least 2 resamples"):
            fit.resample(1)
        with pytest.raises(DataError, match="'alpha' is unknown"):
            fit.interval("alpha", n=50)
        with pytest.raises(DataError, match="level must lie between"):
            fit.interval("a", level=95)
        with pytest.raises(DataError, match="share must lie between"):
            fit.resample(10, share=1.5)

    def test_too_many_lost_resamples_refuse_an_interval(self):
        fit = fit_isoflop(profiles((1e20, 1e21), sizes=4))
        with pytest.raises(FitError, match="fewer than two usable"):
            fit.interval("a", n=200)


class TestEnvelope:
    def test_recovers_the_frontier_of_a_dense_set(self, curves):
        fit = fit_envelope(curves)
        best = compute_optimal(LAW, 1e20)
        assert fit.a == pytest.approx(LAW.a, abs=3e-3)
        assert fit.a + fit.b == pytest.approx(1, abs=1e-12)
        assert fit.params(1e20) == pytest.approx(best.N, rel=0.02)

    def test_levels_won_at_an_edge_are_left_out_in_few_sentences(self, curves):
        fit = fit_envelope(curves, levels=200)
        assert not fit.minima.used.iloc[0]
        assert not fit.minima.used.iloc[-1]
        told = " ".join(fit.warnings)
        assert len(fit.warnings) <= 4
        assert "fewer than three curves reach it" in told
        assert "its winner is the smallest model" in told
        assert "its winner is the largest model" in told

    def test_nothing_is_extrapolated(self, curves):
        fit = fit_envelope(curves, levels=300)
        used = fit.minima[fit.minima.used]
        assert used.tokens.between(1e9, 1e12).all()

    def test_resamples_draw_curves(self, curves):
        low, high = fit_envelope(curves, levels=100).interval("a", n=50)
        assert low < LAW.a < high

    def test_refusals(self, curves):
        with pytest.raises(FitError, match="fewer than two levels"):
            fit_envelope(curves[curves.params.isin(curves.params.unique()[:2])])
        with pytest.raises(FitError, match="params is"):
            fit_envelope(curves[curves.params == curves.params[0]])
        with pytest.raises(DataError, match="no column 'name'"):
            fit_envelope(curves, curve="name")
        with pytest.raises(DataError, match="has model sizes from"):
            fit_envelope(curves.assign(run="one"))
        with pytest.raises(DataError, match="row 2, column 'run'"):
            fit_envelope(curves.assign(run=curves.run.mask(curves.index == 2)))
        with pytest.raises(DataError, match="levels must be at least 2"):
            fit_envelope(curves, levels=1)


@pytest.mark.parametrize("call", [Frontier.params, Frontier.tokens])
def test_frontier_refuses_a_budget_of_nothing(call):
    with pytest.raises(DataError, match="C must be positive"):
        call(Frontier(a=0.5, b=0.5, k_N=0.1, k_D=1.0), [1e20, 0.0])


laws = st.builds(
    ChinchillaLaw,
    E=st.floats(0.5, 2.5),
    A=st.floats(50, 2000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)


def around(law, factor, sizes=9):
    return profiles(np.geomspace(1e18, 1e22, 5), 1 / factor, factor, sizes, law)


@given(law=laws, factor=st.floats(1.2, 4))
@few
def test_exponents_are_exact_on_profiles_of_one_shape(law, factor):
    fit = fit_isoflop(around(law, factor))
    assert fit.a == pytest.approx(law.a, abs=1e-7)
    assert fit.b == pytest.approx(law.b, abs=1e-7)


@given(law=laws)
@few
def test_bias_of_the_minimum_shrinks_with_the_window(law):
    best = compute_optimal(law, 1e20).N
    bias = [
        abs(np.log(fit_isoflop(around(law, factor)).params(1e20) / best)) for factor in (8, 4, 2)
    ]
    # The bowl leans to one side unless the exponents are equal; its third derivative is what a
    # parabola cannot follow, and its effect falls with the square of the width.
    assert bias[2] <= 0.5 * bias[1] + 1e-8
    assert bias[1] <= 0.5 * bias[0] + 1e-8


@given(law=laws, window=st.sampled_from([3.0, 8.0]))
@few
def test_a_window_on_wide_profiles_keeps_to_the_minimum(law, window):
    runs = around(law, 30, sizes=41)
    wide, narrow = fit_isoflop(runs), fit_isoflop(runs, window=window)
    best = compute_optimal(law, 1e20).N
    assert abs(np.log(narrow.params(1e20) / best)) <= abs(np.log(wide.params(1e20) / best)) + 0.03


@given(law=laws, unit=st.floats(1e-3, 1e3), shift=st.floats(0.1, 5))
@few
def test_units_of_size_and_zero_of_loss(law, unit, shift):
    runs = around(law, 3)
    fit = fit_isoflop(runs)
    scaled = fit_isoflop(runs.assign(params=runs.params * unit, loss=runs.loss + shift))
    assert scaled.a == pytest.approx(fit.a, abs=1e-8)
    assert scaled.params(1e20) == pytest.approx(unit * fit.params(1e20), rel=1e-7)
    assert scaled.tokens(1e20) == pytest.approx(fit.tokens(1e20), rel=1e-7)


@given(law=laws)
@few
def test_envelope_of_dense_curves(law):
    middle = compute_optimal(law, 1e20)
    N, D = middle.N * np.geomspace(1 / 30, 30, 80), middle.D * np.geomspace(1e-3, 1e3, 200)
    fit = fit_envelope(dense(law, N, D), levels=600)
    assert fit.a == pytest.approx(law.a, abs=0.01)
    assert fit.params(1e20) == pytest.approx(middle.N, rel=0.05)
