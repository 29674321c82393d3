"""From loss to benchmark: bad inputs, ladders, fits in one step, components."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.laws import ExponentialErrorLaw, FallingSigmoid
from scalinglib.topics import downstream
from tests.examples import few

LAW = sl.ChinchillaLaw(E=0.45, A=29.0, B=74.0, alpha=0.21, beta=0.22)
CURVE = FallingSigmoid(low=0.26, high=1.0, slope=-4.8, middle=0.62)
CHAIN = downstream.TwoStep(LAW, CURVE)


@pytest.fixture(scope="module")
def checkpoints():
    parts = []
    for N in (2e8, 4e8, 8e8, 1.3e9):
        for end in (4e9, 2e10, 1e11):
            D = np.linspace(0.05, 1.0, 20) * end
            bits = LAW.loss(N, D)
            parts.append(
                pd.DataFrame({"run": f"{N:g}-{end:g}", "params": N, "tokens": D, "bits": bits,
                              "acc": CURVE.value(bits)})
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


class TestCheckpoints:
    def test_final_points_average_the_last(self, checkpoints):
        points = downstream.final_points(checkpoints, "bits", last=3)
        first = checkpoints[checkpoints.run == points.index[0]]
        assert points.loss.iloc[0] == pytest.approx(first.bits.iloc[-3:].mean())
        assert points.tokens.iloc[0] == first.tokens.max()

    def test_rows_may_come_in_any_order(self, checkpoints):
        shuffled = checkpoints.sample(frac=1, random_state=1)
        expected = downstream.final_points(checkpoints, "bits")
        ours = downstream.final_points(shuffled, "bits").loc[expected.index]
        pd.testing.assert_frame_equal(ours, expected)

    def test_the_beginning_is_dropped_before_the_average(self, checkpoints):
        kept = downstream.smoothed_checkpoints(checkpoints, "bits", "acc", skip=0.5, window=3)
        one = checkpoints[checkpoints.run == checkpoints.run[0]].iloc[10:]
        assert len(kept) == len(checkpoints) / 2
        assert kept.loss.iloc[0] == one.bits.iloc[0]
        assert kept.loss.iloc[1] == pytest.approx(one.bits.iloc[:2].mean())

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"last": 0}, "last must be 1 or more"),
            ({"skip": 1.0}, "skip must be a share"),
            ({"window": 0}, "window must be 1 or more"),
        ],
    )
    def test_options(self, checkpoints, change, message):
        with pytest.raises(sl.DataError, match=message):
            downstream.fit_two_step(checkpoints, "bits", "acc", **change)

    def test_a_missing_run_column(self, checkpoints):
        with pytest.raises(sl.DataError, match="no column 'run'"):
            downstream.final_points(checkpoints.drop(columns="run"), "bits")

    def test_a_missing_value(self, checkpoints):
        broken = checkpoints.assign(acc=checkpoints.acc.where(checkpoints.index != 5))
        with pytest.raises(sl.DataError, match="row 5, column 'acc'"):
            downstream.fit_two_step(broken, "bits", "acc")


class TestTwoStep:
    def test_exact_checkpoints_come_back(self, checkpoints):
        chain = downstream.fit_two_step(checkpoints, "bits", "acc", last=1, window=1, ideal=None)
        assert pytest.approx(LAW.E, rel=1e-3) == chain.law.E
        assert chain.value(1e10, 1e12) == pytest.approx(CHAIN.value(1e10, 1e12), abs=1e-5)

    def test_resamples_need_a_fit(self, checkpoints):
        with pytest.raises(sl.DataError, match="make it with fit_two_step"):
            downstream.resample_two_step(CHAIN, checkpoints, "bits", "acc")

    def test_resamples_are_counted_and_repeatable(self, checkpoints):
        noisy = checkpoints.assign(
            bits=checkpoints.bits * np.random.default_rng(0).lognormal(0, 0.003, len(checkpoints))
        )
        chain = downstream.fit_two_step(noisy, "bits", "acc")
        with pytest.raises(sl.DataError, match="n must be at least 2 resamples"):
            downstream.resample_two_step(chain, noisy, "bits", "acc", n=1)
        one, two = (
            downstream.resample_two_step(chain, noisy, "bits", "acc", n=4, seed=3) for _ in "ab"
        )
        assert [a.law for a in one] == [b.law for b in two]
        assert len(downstream.resample_two_step(chain, noisy, "bits", "acc", n=None)) == 12

    def test_four_runs_cannot_determine_the_over_trained_law(self):
        runs = pd.DataFrame(
            {"params": [1e7, 1e8, 2e8, 4e8], "tokens": [2e8, 2e9, 4e9, 8e9],
             "loss": [5.0, 4.0, 3.6, 3.3], "error": [0.8, 0.7, 0.65, 0.6]}
        )  # fmt: skip
        with pytest.raises(sl.FitError, match="cannot determine 4 parameters"):
            downstream.fit_error_law(runs, runs, loss="loss", error="error")


class TestOneStep:
    POINTS = pd.DataFrame({"params": [2e8, 4e8], "tokens": [4e9, 8e9], "score": [0.3, 0.4]})

    def test_the_start_subtracts_its_terms(self):
        with pytest.raises(sl.DataError, match="negative A and B"):
            downstream.accuracy_run(self.POINTS, start=LAW)

    def test_too_few_points(self):
        with pytest.raises(sl.FitError, match="cannot determine 5 parameters"):
            downstream.fit_accuracy(self.POINTS)

    def test_all_different(self):
        assert downstream.shared_predictions(pd.Series([0.1, 0.2, 0.3])) == {}

    def test_a_missing_prediction(self):
        with pytest.raises(sl.DataError, match="the prediction of 'b' is missing"):
            downstream.shared_predictions(pd.Series({"a": 0.1, "b": np.nan}))

    def test_no_gain_no_ceiling_above_the_level(self):
        flat = downstream.AccuracyFit(0.3, 0.0, 0.0, 0.0, 0.0, 1e9, 1e11, 0.0)
        assert flat.ceiling == 0.3
        assert downstream.AccuracyFit(0.3, 0.1, 0.0, 0.0, 0.0, 1e9, 1e11, 0.0).ceiling == np.inf


class TestComponents:
    TABLE = pd.DataFrame({"a": [1.0, 2.0, 4.0, 3.0], "b": [2.0, 1.0, 5.0, 3.0]})

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            ([[1, 2], [3, 4]], "must be a DataFrame"),
            (TABLE[["a"]], "at least three rows and two columns"),
            (TABLE.assign(b="x"), "does not hold numbers"),
            (TABLE.assign(b=[1.0, np.inf, 2.0, 3.0]), "infinite"),
            (TABLE.assign(b=np.nan), "column 'b' has no value"),
            (TABLE.assign(b=7.0), "column 'b' does not vary"),
            (TABLE.drop(1).reindex([0, 1, 2, 3]), "row 1 has no value"),
        ],
    )
    def test_bad_tables(self, table, message):
        with pytest.raises(sl.DataError, match=message):
            downstream.principal_components(table)

    def test_the_largest_loading_is_positive(self):
        loadings = downstream.principal_components(self.TABLE).loadings
        assert (loadings.abs().max() == loadings.max()).all()

    @pytest.mark.parametrize(
        ("flops", "options", "message"),
        [
            ([1.0, 2.0], {}, "scores has 3, flops has 2"),
            ([1.0, 2.0, -3.0], {}, "flops must be positive"),
            ([1.0, 2.0, 3.0], {"fewest": 2}, "fewest must be 3"),
            ([1.0, 2.0, np.nan], {}, "no family has 3 models"),
        ],
    )
    def test_bad_families(self, flops, options, message):
        with pytest.raises(sl.DataError, match=message):
            downstream.family_trends([0.0, 1.0, 2.0], flops, ["a", "a", "a"], **options)


sigmoids = st.builds(
    FallingSigmoid,
    low=st.floats(0.05, 0.5),
    high=st.floats(0.6, 1.0),
    slope=st.floats(-12, -0.5),
    middle=st.floats(0.3, 1.5),
)
error_laws = st.builds(
    ExponentialErrorLaw,
    epsilon=st.floats(0.6, 1.0),
    k=st.floats(0.5, 5.0),
    gamma=st.floats(0.3, 1.5),
)
laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0.3, 2.0),
    A=st.floats(10, 500),
    B=st.floats(10, 500),
    alpha=st.floats(0.15, 0.4),
    beta=st.floats(0.15, 0.4),
)
losses = st.floats(0.0, 10.0)


@given(curve=sigmoids, x=losses, step=st.floats(1e-3, 5.0))
def test_a_falling_sigmoid_falls_between_its_levels(curve, x, step):
    near, far = curve.value([x, x + step])
    assert curve.low - 1e-12 <= far <= near <= curve.high + 1e-12


@given(law=error_laws, x=losses, step=st.floats(1e-3, 5.0))
def test_errors_grow_with_the_loss_up_to_epsilon(law, x, step):
    near, far = law.value([x, x + step])
    assert near <= far <= law.epsilon
    assert law.value(1e3) == pytest.approx(law.epsilon)


@given(law=laws, curve=sigmoids, loss=st.floats(0.3, 3.0), score=st.floats(0.1, 1.0))
def test_the_parts_of_an_error_add_up(law, curve, loss, score):
    split = downstream.TwoStep(law, curve).split(1e10, 1e12, loss=loss, score=score)
    assert split.first + split.second == pytest.approx(split.total, abs=1e-12)
    # Both steps fall, so too high a loss means too low a score.
    assert split.first * (split.predicted_loss - split.loss) <= 1e-12


@given(law=laws, curve=sigmoids, factor=st.floats(1.01, 100))
def test_more_compute_never_lowers_a_score(law, curve, factor):
    chain = downstream.TwoStep(law, curve)
    assert chain.value(factor * 1e9, 1e11) >= chain.value(1e9, 1e11) - 1e-12
    assert chain.value(1e9, factor * 1e11) >= chain.value(1e9, 1e11) - 1e-12


@few
@given(law=error_laws)
def test_an_error_law_comes_back_from_exact_points(law):
    x = np.linspace(2.0, 6.0, 7)
    fit = sl.fit_curve(ExponentialErrorLaw, x, law.value(x))
    assert fit.curve.params == pytest.approx(law.params, rel=1e-5)


@few
@given(E=st.floats(0.5, 2.0), a=st.floats(50, 300), b=st.floats(50, 300), eta=st.floats(0.08, 0.2))
def test_the_over_trained_law_comes_back_from_exact_runs(E, a, b, eta):
    N = np.array([1e7, 8e7, 1.5e8, 4e8, 1e7, 8e7])
    M = np.array([20.0, 20.0, 20.0, 20.0, 320.0, 80.0])
    loss = E + (a * M**eta + b * M**-eta) * (6 * N * N * M) ** -eta
    error = ExponentialErrorLaw(0.86, 0.8, 0.7).value(loss)
    runs = pd.DataFrame({"params": N, "tokens": N * M, "loss": loss, "error": error})
    law = downstream.fit_error_law(runs, runs, loss="loss", error="error").law
    found = sl.OvertrainingLaw.of(law)
    assert (law.E, found.a, found.b, found.eta) == pytest.approx((E, a, b, eta), rel=1e-4)


@few
@given(alpha=st.floats(0.1, 0.6), beta=st.floats(0.1, 0.6), ceiling=st.floats(0.8, 1.0))
def test_a_ceiling_comes_back_from_exact_scores(alpha, beta, ceiling):
    N = np.array([2e8, 2e8, 4e8, 4e8, 8e8, 8e8, 1.6e9, 1.6e9])
    D = N * np.array([20, 200, 40, 100, 20, 200, 40, 100])
    score = ceiling - 0.2 * (N / 2e8) ** -alpha - 0.2 * (D / 4e9) ** -beta
    fit = downstream.fit_accuracy(pd.DataFrame({"params": N, "tokens": D, "score": score}))
    assert fit.accuracy(N, D) == pytest.approx(score, abs=2e-4)
    assert fit.ceiling >= score.max()


@given(exponent=st.floats(0, 1e-4))
def test_the_gain_is_smooth_where_its_form_changes(exponent):
    t = np.array([-3.0, 0.0, 4.0])
    near = downstream.AccuracyFit(0.5, 0.1, 0.0, exponent, 0.0, 1.0, 1.0, 0.0)
    line = 0.5 + 0.1 * t
    assert near.accuracy(np.exp(t), 1.0) == pytest.approx(line, abs=1e-4)


tables = st.integers(0, 10_000).map(
    lambda seed: pd.DataFrame(
        np.random.default_rng(seed).normal(size=(12, 4)), columns=list("abcd")
    )
)


@given(table=tables, shift=st.floats(-5, 5), factor=st.floats(0.1, 10))
def test_shares_do_not_depend_on_unit_and_zero(table, shift, factor):
    ours = downstream.principal_components(table).shares
    again = downstream.principal_components(factor * table + shift).shares
    assert again == pytest.approx(ours, abs=1e-9)
    assert ours.sum() == pytest.approx(1)
    assert (np.diff(ours) <= 1e-12).all()


@given(table=tables, factor=st.floats(0.1, 10))
def test_standardised_shares_do_not_depend_on_the_unit_of_a_column(table, factor):
    ours = downstream.principal_components(table, standardise=True).shares
    again = downstream.principal_components(table.assign(a=factor * table.a), standardise=True)
    assert again.shares == pytest.approx(ours, abs=1e-9)


@given(table=tables)
def test_scores_and_loadings_give_the_table_back(table):
    parts = downstream.principal_components(table)
    back = parts.scores.to_numpy() @ parts.loadings.to_numpy().T + table.mean().to_numpy()
    assert back == pytest.approx(table.to_numpy())


@given(seed=st.integers(0, 1000))
def test_gaps_in_a_table_of_one_component_are_filled_exactly(seed):
    rng = np.random.default_rng(seed)
    full = 3 + np.outer(rng.normal(size=15), rng.uniform(0.5, 2, 4))
    holes = full.copy()
    holes[2, 1] = holes[7, 3] = np.nan
    parts = downstream.principal_components(pd.DataFrame(holes))
    assert parts.filled.to_numpy() == pytest.approx(full, abs=1e-6)
