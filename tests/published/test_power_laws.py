"""Power laws: the targets of the chapter, each to its tolerance."""

from functools import partial

import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.isoflop import lowest_by_budget
from scalinglib.topics.power_laws import rolling_backtest


@pytest.fixture(scope="module")
def profiles():
    return sl.load("isoflop_runs").query("experiment == 'chinchilla'")


@pytest.fixture(scope="module")
def minima(profiles):
    return lowest_by_budget(sl.load("chinchilla_runs"), profiles.budget_flops.unique(), within=0.07)


class TestMinima:
    def test_slope_of_the_nine(self, minima):
        fit = sl.fit_power_law(minima.budget, minima.loss)
        assert fit.law.alpha == pytest.approx(0.0507, abs=5e-4)
        assert fit.law.alpha == pytest.approx(0.050673, abs=1e-6)

    def test_slope_up_to_1e20_and_its_miss(self, minima):
        small = minima[minima.budget <= 1e20]
        law = sl.fit_power_law(small.budget, small.loss).law
        assert len(small) == 5
        assert law.alpha == pytest.approx(0.0616, abs=1e-4)
        assert law.loss(3e21) == pytest.approx(2.048, abs=1e-3)
        assert minima.loss.iloc[-1] == pytest.approx(2.206, abs=1e-3)
        assert law.loss(3e21) / minima.loss.iloc[-1] - 1 == pytest.approx(-0.071, abs=1e-3)

    @pytest.mark.parametrize("within", [0.065, 0.075])
    def test_the_window_is_not_fine_tuned(self, profiles, minima, within):
        again = lowest_by_budget(
            sl.load("chinchilla_runs"), profiles.budget_flops.unique(), within=within
        )
        assert again.index.equals(minima.index)

    def test_the_floor_removes_the_pattern(self, minima):
        line = sl.fit_power_law(minima.budget, minima.loss)
        floor = sl.fit_power_law(minima.budget, minima.loss, offset=True)
        # The line lies below both ends and above the middle.
        assert line.residuals.iloc[[0, -1]].min() > 0.015
        assert line.residuals.iloc[4] < -0.015
        assert floor.objective < line.objective / 10
        assert floor.law.alpha == pytest.approx(0.18061, abs=1e-4)
        assert floor.params["E"] == pytest.approx(1.8112, abs=1e-3)
        low, high = (getattr(sl.profile(floor, "E"), end) for end in ("low", "high"))
        assert low == pytest.approx(1.589, abs=2e-3)
        assert high == pytest.approx(1.951, abs=2e-3)

    def test_five_points_show_no_floor(self, minima):
        small = minima[minima.budget <= 1e20]
        fit = sl.fit_power_law(small.budget, small.loss, offset=True)
        assert fit.law.E < 1e-6
        # Noise alone sends the floor of so few points to zero, so the interval is what is doubted.
        assert "too few" in sl.bootstrap(fit, n=400, seed=0).warnings[0]

    def test_a_line_always_ends_too_low(self, minima):
        errors = rolling_backtest(minima.budget, minima.loss)
        assert (errors.groupby("points").error.last() < -0.03).all()
        floor = rolling_backtest(
            minima.budget, minima.loss, fit=partial(sl.fit_power_law, offset=True)
        )
        assert floor[floor.points >= 6].error.abs().max() < 0.02


class TestTrueCompute:
    """What changes when the winners stand at the FLOP they used, not at nominal budgets."""

    def test_the_budgets_are_nominal(self, minima):
        ratio = minima.flops / minima.budget
        assert (ratio.min(), ratio.max()) == pytest.approx((0.954, 1.154), abs=1e-3)

    def test_the_exponent_cannot_choose_between_kaplans_two(self, minima):
        fit = sl.fit_power_law(minima.flops, minima.loss)
        assert fit.law.alpha == pytest.approx(0.0522, abs=1e-4)
        low, high = sl.profile(fit, "alpha").interval
        for compute in ("compute", "compute, fixed batch"):
            assert low < published.constants(f"kaplan2020/{compute}")["alpha"].value < high

    def test_no_floor_in_five_budgets_is_a_matter_of_nominal_compute(self, minima):
        five = minima.iloc[:5]
        nominal = sl.fit_power_law(five.budget, five.loss, offset=True)
        used = sl.fit_power_law(five.flops, five.loss, offset=True)
        assert nominal.law.E < 1e-6 < 1 < used.law.E
        assert "not identified" in used.warnings[0]

    def test_a_floor_forecasts_better_at_every_distance(self, minima):
        line = rolling_backtest(minima.flops, minima.loss)
        fit = partial(sl.fit_power_law, offset=True)
        floor = rolling_backtest(minima.flops, minima.loss, fit=fit)
        assert (floor.error.abs() < line.error.abs()).all()
        assert (floor.groupby("points").E.first().diff().dropna() > 0).all()


def test_a_doubling_of_parameters():
    ratio = 2 ** -published.constants("kaplan2020/parameters")["alpha"].value
    assert ratio == pytest.approx(0.9487, abs=1e-4)
    assert published.printed("kaplan2020/derived/doubling").returns(ratio)


def test_addition_breaks_the_line():
    curve = sl.load("addition_learning_curve")
    fit = sl.fit_power_law(curve.train_size[:14], curve.test_loss[:14])
    predicted = fit.predict(curve.train_size[14:])
    assert predicted == pytest.approx([1.477, 1.442, 1.409], abs=0.01)
    assert curve.test_loss[14:].tolist() == pytest.approx([0.7586, 0.6477, 0.5570], abs=1e-4)
    assert (predicted / curve.test_loss[14:]).min() > 1.9
