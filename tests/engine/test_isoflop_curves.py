"""Minima of measured profiles, the lowest run near a budget, and lines through logarithms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.isoflop import lowest_by_budget, power_line, profile_curve, profile_optima

EPOCH = sl.ChinchillaLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)


class TestProfiles:
    def points(self, C=1e20, low=3e7, high=3e9, sizes=9, hill=False):
        N = np.geomspace(low, high, sizes)
        loss = EPOCH.loss(N, C / 6 / N)
        return pd.DataFrame({"flops": C, "params": N, "loss": 9 - loss if hill else loss})

    @pytest.mark.parametrize(("method", "tolerance"), [("akima", 0.02), ("parabola", 0.15)])
    def test_finds_the_minimum_of_a_smooth_profile(self, method, tolerance):
        found = profile_optima(self.points(), method=method, steps=2000)
        best = sl.compute_optimal(EPOCH, 1e20)
        assert np.log(found.params[0] / best.N) == pytest.approx(0, abs=tolerance)
        assert found.loss[0] == pytest.approx(best.loss, rel=1e-3)
        assert found.why[0] == ""

    def test_parabola_is_exact_where_the_logarithm_is_one(self):
        n = np.linspace(0, 4, 6)
        points = pd.DataFrame(
            {"flops": 1.0, "params": np.exp(n), "loss": np.exp(1 + (n - 1.3) ** 2)}
        )
        found = profile_optima(points, method="parabola")
        assert found.params[0] == pytest.approx(np.exp(1.3), rel=1e-12)
        assert found.loss[0] == pytest.approx(np.e, rel=1e-12)

    def test_akima_answers_lie_on_its_places(self):
        found = profile_optima(self.points(), steps=25)
        step = np.log(100) / (25 * 8 - 1)
        assert found.step[0] == pytest.approx(step, rel=1e-12)
        place = np.log(found.params[0] / 3e7) / step
        assert place == pytest.approx(round(place), abs=1e-6)

    @pytest.mark.parametrize(
        ("change", "method", "why"),
        [
            ({"low": 2e9, "high": 3e10}, "akima", "the lowest loss is at the edge of the sizes"),
            ({"low": 2e9, "high": 3e10}, "parabola", "the lowest loss is at the edge of the sizes"),
            ({"hill": True}, "parabola", "the losses do not curve upwards"),
            ({"sizes": 3}, "akima", "fewer than four sizes"),
        ],
    )
    def test_no_optimum_and_why(self, change, method, why):
        found = profile_optima(self.points(**change), method=method).iloc[0]
        assert np.isnan(found.params)
        assert np.isnan(found.loss)
        assert found.why == why

    def test_budgets_ascend_and_row_order_does_not_matter(self):
        points = pd.concat([self.points(1e21, 1e8, 1e10), self.points()], ignore_index=True)
        found = profile_optima(points)
        assert found.flops.tolist() == [1e20, 1e21]
        shuffled = profile_optima(points.sample(frac=1, random_state=3))
        pd.testing.assert_frame_equal(found, shuffled)

    def test_a_size_twice_is_refused(self):
        points = pd.concat([self.points(), self.points().head(1)])
        with pytest.raises(sl.DataError, match=r"budget 1e\+20: the size 3e\+07 stands twice"):
            profile_optima(points)

    def test_options_are_checked(self):
        with pytest.raises(sl.DataError, match="method is 'spline'"):
            profile_optima(self.points(), method="spline")
        with pytest.raises(sl.DataError, match="steps must be at least 2"):
            profile_optima(self.points(), steps=1)
        with pytest.raises(sl.DataError, match="no column 'budget'"):
            profile_optima(self.points(), budget="budget")


class TestCurve:
    points = pd.DataFrame({"params": [1e6, 1e7, 1e8, 1e9], "loss": [4.0, 3.0, 2.9, 3.5]})

    def test_interpolation_passes_through_every_point(self):
        curve = profile_curve(self.points, places=7)
        np.testing.assert_allclose(curve.loss[::2], self.points.loss, rtol=1e-12)
        np.testing.assert_allclose(curve.params[::2], self.points.params, rtol=1e-12)

    @pytest.mark.parametrize("method", ["akima", "parabola"])
    def test_its_lowest_point_is_the_optimum(self, method):
        curve = profile_curve(self.points, method=method, places=20_000)
        found = profile_optima(self.points.assign(flops=1.0), method=method, steps=10_000)
        lowest = curve.loc[curve.loss.idxmin()]
        assert lowest.params == pytest.approx(found.params[0], rel=1e-3)
        assert lowest.loss == pytest.approx(found.loss[0], rel=1e-9)

    def test_refusals(self):
        with pytest.raises(sl.FitError, match="points hold 3 sizes"):
            profile_curve(self.points.head(3))
        with pytest.raises(sl.DataError, match="points: the size 1e\\+06 stands twice"):
            profile_curve(pd.concat([self.points, self.points]))
        with pytest.raises(sl.DataError, match="method is 'cubic'"):
            profile_curve(self.points, method="cubic")
        with pytest.raises(sl.DataError, match="places must be at least 2"):
            profile_curve(self.points, places=1)


class TestLowest:
    RUNS = pd.DataFrame(
        {"flops": [1e20, 1.1e20, 1.3e20, 1e21, 1e22], "loss": [2.5, 2.4, 2.0, 2.2, 1.0]},
        index=list("abcde"),
    )

    def test_nearest_budget_and_window(self):
        found = lowest_by_budget(self.RUNS, [1e21, 1e20], within=0.07)
        assert found.index.tolist() == ["b", "d"]
        assert found.budget.tolist() == pytest.approx([1e20, 1e21])
        assert found.n_near.tolist() == [2, 1]
        assert lowest_by_budget(self.RUNS, [1e20], within=0.2).index.tolist() == ["c"]

    def test_first_of_equal_losses(self):
        runs = pd.DataFrame({"flops": [1e20, 1e20], "loss": [2.0, 2.0]}, index=["a", "b"])
        assert lowest_by_budget(runs, [1e20], within=0.1).index.tolist() == ["a"]

    def test_a_run_counts_for_one_budget(self):
        found = lowest_by_budget(self.RUNS, [1e20, 1.3e20], within=1.0)
        assert found.n_near.tolist() == [2, 2]

    @pytest.mark.parametrize(
        ("budgets", "options", "words"),
        [
            ([1e20, 3e20], {}, r"no run lies within 0\.07 decades of 3e\+20"),
            ([1e20], {"within": 0}, "within must be a positive number of decades"),
            ([1e20], {"by": "budget_flops"}, "no column 'budget_flops'"),
        ],
    )
    def test_bad_inputs(self, budgets, options, words):
        with pytest.raises(sl.DataError, match=words):
            lowest_by_budget(self.RUNS, budgets, **{"within": 0.07, **options})


class TestPowerLine:
    def test_agrees_with_polyfit(self):
        x, y, sd = np.array([1.0, 2.0, 5.0, 9.0]), np.array([3.0, 4.0, 9.0, 20.0]), [1, 2, 1, 3]
        line = power_line(x, y, sd=sd)
        slope, level = np.polyfit(np.log(x), np.log(y), 1, w=1 / np.array(sd))
        assert line.exponent == pytest.approx(slope, rel=1e-12)
        assert line.at(7.0) == pytest.approx(np.exp(level + slope * np.log(7)), rel=1e-12)
        _, cov = np.polyfit(np.log(x), np.log(y), 1, w=1 / np.array(sd), cov="unscaled")
        assert line.se == pytest.approx(cov[0, 0] ** 0.5, rel=1e-12)
        assert line.n == 4

    def test_without_deviations_there_is_no_error(self):
        line = power_line([1.0, 4.0], [1.0, 2.0])
        assert line.exponent == pytest.approx(0.5, rel=1e-12)
        assert np.isnan(line.se)

    def test_a_missing_optimum_is_named(self):
        with pytest.raises(sl.DataError, match="row 1, y: nan is not a positive finite number"):
            power_line([1.0, 2.0], [1.0, np.nan])

    def test_refusals(self):
        with pytest.raises(sl.FitError, match="one point"):
            power_line([1.0], [2.0])
        with pytest.raises(sl.FitError, match="x is 2 in every row"):
            power_line([2.0, 2.0], [1.0, 3.0])
        with pytest.raises(sl.DataError, match="different lengths"):
            power_line([1.0, 2.0], [1.0, 3.0], sd=[0.1])


@given(
    exponent=st.floats(-2, 2),
    scale=st.floats(1e-3, 1e3),
    sd=st.lists(st.floats(0.01, 10), min_size=4, max_size=4),
)
def test_an_exact_power_law_is_found_under_any_weights(exponent, scale, sd):
    x = np.array([1.0, 3.0, 40.0, 500.0])
    line = power_line(x, scale * x**exponent, sd=sd)
    assert line.exponent == pytest.approx(exponent, abs=1e-9)
    assert line.at(7.0) == pytest.approx(scale * 7.0**exponent, rel=1e-9)
