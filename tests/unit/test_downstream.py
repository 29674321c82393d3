"""Bad inputs of the downstream modules, and what their charts hold."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import components, downstream, error_law, stalled, task_ladder
from scalinglib.charts import downstream as figures

LAW = sl.ChinchillaLaw(E=0.45, A=29.0, B=74.0, alpha=0.21, beta=0.22)
CURVE = downstream.FallingSigmoid(low=0.26, high=1.0, slope=-4.8, middle=0.62)
CHAIN = downstream.TwoStep(LAW, CURVE)
SPLIT = CHAIN.split(1.3e10, 5e12, loss=0.75, score=0.52)


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
        points = task_ladder.final_points(checkpoints, "bits", last=3)
        first = checkpoints[checkpoints.run == points.index[0]]
        assert points.loss.iloc[0] == pytest.approx(first.bits.iloc[-3:].mean())
        assert points.tokens.iloc[0] == first.tokens.max()

    def test_rows_may_come_in_any_order(self, checkpoints):
        shuffled = checkpoints.sample(frac=1, random_state=1)
        expected = task_ladder.final_points(checkpoints, "bits")
        ours = task_ladder.final_points(shuffled, "bits").loc[expected.index]
        pd.testing.assert_frame_equal(ours, expected)

    def test_the_beginning_is_dropped_before_the_average(self, checkpoints):
        kept = task_ladder.smoothed_checkpoints(checkpoints, "bits", "acc", skip=0.5, window=3)
        one = checkpoints[checkpoints.run == checkpoints.run[0]].iloc[10:]
        assert len(kept) == len(checkpoints) / 2
        assert kept.loss.iloc[0] == one.bits.iloc[0]
        assert kept.loss.iloc[1] == pytest.approx(one.bits.iloc[:2].mean())

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"last": 0}, "last must be at least 1"),
            ({"skip": 1.0}, "skip must be a share"),
            ({"window": 0}, "window must be at least 1"),
        ],
    )
    def test_options(self, checkpoints, change, message):
        with pytest.raises(sl.DataError, match=message):
            task_ladder.fit_two_step(checkpoints, "bits", "acc", **change)

    def test_a_missing_run_column(self, checkpoints):
        with pytest.raises(sl.DataError, match="no column 'run'"):
            task_ladder.final_points(checkpoints.drop(columns="run"), "bits")

    def test_a_missing_value(self, checkpoints):
        broken = checkpoints.assign(acc=checkpoints.acc.where(checkpoints.index != 5))
        with pytest.raises(sl.DataError, match="row 5, column 'acc'"):
            task_ladder.fit_two_step(broken, "bits", "acc")


class TestTwoStep:
    def test_exact_checkpoints_come_back(self, checkpoints):
        chain = task_ladder.fit_two_step(checkpoints, "bits", "acc", last=1, window=1, ideal=None)
        assert pytest.approx(LAW.E, rel=1e-3) == chain.law.E
        assert chain.value(1e10, 1e12) == pytest.approx(CHAIN.value(1e10, 1e12), abs=1e-5)

    def test_resamples_need_a_fit(self, checkpoints):
        with pytest.raises(sl.DataError, match="make it with fit_two_step"):
            task_ladder.resample_two_step(CHAIN, checkpoints, "bits", "acc")

    def test_resamples_are_counted_and_repeatable(self, checkpoints):
        noisy = checkpoints.assign(
            bits=checkpoints.bits * np.random.default_rng(0).lognormal(0, 0.003, len(checkpoints))
        )
        chain = task_ladder.fit_two_step(noisy, "bits", "acc")
        with pytest.raises(sl.DataError, match="at least 2 resamples"):
            task_ladder.resample_two_step(chain, noisy, "bits", "acc", n=1)
        one, two = (
            task_ladder.resample_two_step(chain, noisy, "bits", "acc", n=4, seed=3) for _ in "ab"
        )
        assert [a.law for a in one] == [b.law for b in two]
        assert len(task_ladder.resample_two_step(chain, noisy, "bits", "acc", n=None)) == 12

    def test_four_runs_cannot_determine_the_over_trained_law(self):
        runs = pd.DataFrame(
            {"params": [1e7, 1e8, 2e8, 4e8], "tokens": [2e8, 2e9, 4e9, 8e9],
             "loss": [5.0, 4.0, 3.6, 3.3], "error": [0.8, 0.7, 0.65, 0.6]}
        )  # fmt: skip
        with pytest.raises(sl.FitError, match="cannot determine 4 parameters"):
            error_law.fit_error_law(runs, runs, loss="loss", error="error")


class TestStalled:
    POINTS = pd.DataFrame({"params": [2e8, 4e8], "tokens": [4e9, 8e9], "score": [0.3, 0.4]})

    def test_the_start_subtracts_its_terms(self):
        with pytest.raises(sl.DataError, match="negative A and B"):
            stalled.accuracy_run(self.POINTS, start=LAW)

    def test_too_few_points(self):
        with pytest.raises(sl.FitError, match="cannot determine 5 parameters"):
            stalled.fit_accuracy(self.POINTS)

    def test_all_different(self):
        assert stalled.shared_predictions(pd.Series([0.1, 0.2, 0.3])) == {}

    def test_a_missing_prediction(self):
        with pytest.raises(sl.DataError, match="the prediction of 'b' is missing"):
            stalled.shared_predictions(pd.Series({"a": 0.1, "b": np.nan}))

    def test_no_gain_no_ceiling_above_the_level(self):
        flat = stalled.AccuracyFit(0.3, 0.0, 0.0, 0.0, 0.0, 1e9, 1e11, 0.0)
        assert flat.ceiling == 0.3
        assert stalled.AccuracyFit(0.3, 0.1, 0.0, 0.0, 0.0, 1e9, 1e11, 0.0).ceiling == np.inf


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
            components.principal_components(table)

    def test_the_largest_loading_is_positive(self):
        loadings = components.principal_components(self.TABLE).loadings
        assert (loadings.abs().max() == loadings.max()).all()

    @pytest.mark.parametrize(
        ("flops", "options", "message"),
        [
            ([1.0, 2.0], {}, "one of each per model"),
            ([1.0, 2.0, -3.0], {}, "must be positive"),
            ([1.0, 2.0, 3.0], {"at_least": 2}, "at_least must be 3"),
            ([1.0, 2.0, np.nan], {}, "no family has 3 models"),
        ],
    )
    def test_bad_families(self, flops, options, message):
        with pytest.raises(sl.DataError, match=message):
            components.family_trends([0.0, 1.0, 2.0], flops, ["a", "a", "a"], **options)


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def ladder():
    points = pd.DataFrame(
        {"params": [2e8, 2e8, 4e8], "tokens": [4e9, 8e9, 8e9], "loss": [1, 0.9, 0.8]}
    )
    return figures.ladder(points, LAW, target=(1.3e10, 5e12, 0.75), name="a task")


def score_map():
    seen = pd.DataFrame({"loss": np.linspace(0.9, 1.8, 30), "score": np.linspace(0.5, 0.3, 30)})
    return figures.score_map(seen, CURVE, SPLIT, chance=0.25, name="a task")


def error_parts():
    return figures.error_parts({"one": SPLIT, "two": SPLIT})


def stalled_dots():
    table = pd.DataFrame(
        {"task": ["one", "two"], "published": 0.68, "measured": 0.5, "finished": 0.4}
    )
    return figures.stalled_dots(table, shared=0.68)


def error_curve():
    law = error_law.ExponentialErrorLaw(0.86, 2.2, 0.71)
    runs = pd.DataFrame(
        {"loss": [5.0, 4.0, 3.0], "error": [0.8, 0.7, 0.6], "fitted": [True, True, False]}
    )
    split = downstream.TwoStep(LAW, law).split(1e10, 1e12, loss=2.5, score=0.5)
    return figures.error_curve(runs, law, {"large": split, "over-trained": split})


def family_lines():
    models = pd.DataFrame(
        {"model": list("abcdef"), "family": ["x"] * 3 + ["y"] * 3, "flops": [1e21, 1e22, 1e23] * 2,
         "score": [0.0, 0.1, 0.2, 0.3, 0.1, 0.4]}
    )  # fmt: skip
    trends = components.family_trends(models.score, models.flops, models.family)
    return figures.family_lines(models, trends, marked=["y"])


def slider():
    return figures.score_slider(
        {"one": CHAIN, "two": CHAIN}, {"one": [CHAIN] * 3, "two": [CHAIN] * 3},
        {"one": 0.5, "two": 0.6}, N=1.3e10, D=5e12,
    )  # fmt: skip


@pytest.mark.parametrize(
    "make", [ladder, score_map, error_parts, stalled_dots, error_curve, family_lines, slider]
)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


def test_the_sliders_start_at_the_target():
    params = {one["name"]: one["value"] for one in slider().to_dict()["params"] if "bind" in one}
    assert params == {"log_C": 23.59, "tokens_per_param": 380}


def test_the_bars_of_an_error_add_up_to_its_diamond():
    data = rows(error_parts().to_dict())
    bars = sum(row["high"] for row in data if row.get("task") == "one" and "high" in row)
    total = next(row["total"] for row in data if row.get("task") == "one" and "total" in row)
    assert bars == pytest.approx(total, abs=0.01)


def test_the_line_of_the_target_is_an_extrapolation():
    lines = [row for row in rows(ladder().to_dict()) if "part" in row]
    assert {row["part"] for row in lines if row["params"] == 1.3e10} == {"beyond"}
    assert {row["part"] for row in lines if row["params"] < 1e9} == {"fit"}
