"""Profile intervals of predictions: exact where theory is, and the best laws everywhere else."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import scalinglib as sl
from benchmarks import few
from scalinglib.laws import Sigmoid

LAW = sl.ChinchillaLaw(E=1.8172, A=477.83, B=2143.4, alpha=0.3473, beta=0.3672)


@pytest.fixture(scope="module")
def runs(synthetic_runs):
    return synthetic_runs(LAW, 40, noise=0.01, seed=2)


@pytest.mark.parametrize("kind", ["confidence", "predictive"])
@pytest.mark.parametrize("n", [3, 12])
def test_of_a_straight_line_they_are_the_exact_t_intervals(kind, n):
    x = np.geomspace(1e3, 1e6, n)
    y = 3 * x**-0.2 * np.exp(0.02 * np.random.default_rng(0).standard_normal(n))
    u, line = np.log(x), stats.linregress(np.log(x), np.log(y))
    away = np.log(1e8) - u.mean()
    r = np.log(y) - line.intercept - line.slope * u
    variance = 1 / n + away**2 / np.sum((u - u.mean()) ** 2) + (kind == "predictive")
    reach = stats.t.ppf(0.975, n - 2) * np.sqrt(r @ r / (n - 2) * variance)
    middle = line.intercept + line.slope * np.log(1e8)
    found = sl.profile(sl.fit_power_law(x, y), at=1e8, kind=kind)
    assert np.log(found.interval) == pytest.approx(
        [middle - reach, middle + reach], abs=1e-3 * reach
    )


def held_law(fit, runs, value, at):
    """Least sum of squares with the prediction at a place held, by a general solver."""
    logs = np.log(runs[["params", "tokens", "loss"]].to_numpy())
    u, v, y = logs.T
    middle = np.array([u.mean(), v.mean()])
    law = fit.law
    start = [np.log(law.A) - law.alpha * middle[0], np.log(law.B) - law.beta * middle[1],
             np.log(law.E), law.alpha, law.beta]  # fmt: skip

    def log_loss(p, u, v):
        terms = [p[0] - p[3] * (u - middle[0]), p[1] - p[4] * (v - middle[1])]
        return np.logaddexp(np.logaddexp(*terms), p[2])

    held = {"type": "eq", "fun": lambda p: 1e2 * (log_loss(p, *np.log(at)) - np.log(value))}
    found = optimize.minimize(
        lambda p: 1e4 * 0.5 * np.sum((log_loss(p, u, v) - y) ** 2), start,
        constraints=[held], method="SLSQP", options={"maxiter": 2000, "ftol": 1e-14},
    )  # fmt: skip
    return found.fun / 1e4


@pytest.mark.parametrize("at", [(1e10, 3e11), (1e11, 3e12)])
def test_ends_lie_on_the_limit_by_another_solver(runs, at):
    fit = sl.fit_chinchilla(runs, loss="l2")
    found = sl.profile(fit, at=at)
    assert found.low < fit.predict(*at) < found.high
    assert found.parameter == "prediction"
    for end in found.interval:
        deviance = 40 * np.log(held_law(fit, runs, end, at) / fit.objective)
        assert deviance == pytest.approx(found.limit, rel=2e-3)


def points_of(fit):
    """What a fit was of: scales (k, m) and values (m,)."""
    problem = fit.model.problem
    return np.exp(problem.u + np.reshape(fit.model.centre, (-1, 1))), np.exp(problem.y)


@pytest.mark.parametrize("number", [0, 2])
def test_a_floor_that_the_fit_lost_comes_back(number):
    # Twelve noisy runs: the fit has no floor; a law with one predicts more and fits about as well.
    fit, law, _ = few.draw("plane", 12, 0.05, number)
    assert fit.law.E < 1e-3
    (N, D), loss = points_of(fit)
    runs = pd.DataFrame({"params": N, "tokens": D, "loss": loss})
    other = sl.fit_chinchilla(runs, loss="l2", fixed={"E": law.E})
    at = (3e10, 1e12)
    found = sl.profile(fit, at=at)
    assert 12 * np.log(other.objective / fit.objective) < found.limit
    assert fit.predict(*at) < other.predict(*at) < found.high


def test_stated_errors_are_taken_at_their_word():
    x = np.geomspace(1e3, 1e6, 8)
    y = 3 * x**-0.2 * np.exp(0.02 * np.random.default_rng(0).standard_normal(8))
    widths = [
        np.log(np.divide(*sl.profile(sl.fit_power_law(x, y, sigma=s * y), at=1e8).interval[::-1]))
        for s in (0.01, 0.03)
    ]
    assert widths[1] == pytest.approx(3 * widths[0], rel=1e-3)


@pytest.mark.parametrize("offset", [True, "free"])
def test_floors_and_held_constants(offset):
    fit, law, _ = few.draw("free floor", 20, 0.01, 1)
    (x,), y = points_of(fit)
    free = sl.fit_power_law(x, y, offset=offset)
    held = sl.fit_power_law(x, y, offset=offset, fixed={"alpha": law.alpha})
    wide, narrow = (sl.profile(one, at=1e23).interval for one in (free, held))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert wide == pytest.approx(sl.profile(fit, at=1e23).interval, rel=1e-3)


@pytest.mark.parametrize("kind", ["confidence", "predictive"])
@pytest.mark.parametrize(("transform", "back"), [(None, np.array), (np.log, np.exp)])
def test_of_a_curve_linear_in_its_constants_they_are_the_t_intervals(kind, transform, back):
    x = np.linspace(0.0, 5.0, 8)
    v = 1 + 0.5 * x + 0.3 * np.random.default_rng(3).standard_normal(8)
    line = stats.linregress(x, v)
    variance = 1 / 8 + (9 - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2) + (kind == "predictive")
    r = v - line.intercept - line.slope * x
    reach = stats.t.ppf(0.9, 6) * np.sqrt(r @ r / 6 * variance)
    middle = line.intercept + 9 * line.slope
    curve = sl.Curve.define(lambda x, a, b: back(a + b * x), starts=[0.0, 1.0])
    found = sl.profile(
        sl.fit_curve(curve, x, back(v), transform=transform), at=9.0, kind=kind, level=0.8
    )
    assert found.interval == pytest.approx(back([middle - reach, middle + reach]), rel=1e-5)
    assert found.values[0] <= found.low < found.high <= found.values[-1]
    assert (np.diff(found.values) >= 0).all()


@pytest.mark.parametrize("at", [-2.0, 2.5, 7.0])
def test_ends_of_a_curve_lie_on_the_limit_by_another_solver(at):
    x = np.linspace(0.0, 6.0, 14)
    truth = Sigmoid(low=0.2, high=0.9, slope=2.0, middle=2.5)
    y = truth.value(x) + 0.02 * np.random.default_rng(1).standard_normal(14)
    fit = sl.fit_curve(Sigmoid, x, y)
    found = sl.profile(fit, at=at)
    for end in found.interval:
        held = optimize.minimize(
            lambda p: 0.5e3 * np.sum((Sigmoid.formula(x, *p) - y) ** 2), list(fit.law.params),
            constraints={"type": "eq", "fun": lambda p, end=end: Sigmoid.formula(at, *p) - end},
            method="SLSQP", options={"maxiter": 1000, "ftol": 1e-15},
        )  # fmt: skip
        deviance = 14 * np.log(held.fun / 1e3 / fit.objective)
        assert deviance == pytest.approx(found.limit, rel=2e-3)


def test_an_end_that_no_curve_reaches_stays_open():
    # An accuracy near its ceiling of 1: no curve goes above it, and a new point may.
    x = np.linspace(0.0, 6.0, 10)
    y = 1 / (1 + np.exp(-2 * (x - 3))) + 0.05 * np.random.default_rng(2).standard_normal(10)
    fit = sl.fit_curve(Sigmoid, x, y)
    assert sl.profile(fit, at=9.0).low < fit.predict(9.0)
    assert sl.profile(fit, at=9.0).high > 0.999
    assert 1.02 < sl.profile(fit, at=9.0, kind="predictive").high < 1.3


def test_a_fit_that_is_a_step_does_not_hold_its_prediction_back():
    # Noise of 0.15 and a fit of slope 60: the points near the top say no more than their mean.
    x = np.linspace(0.0, 6.0, 10)
    y = 1 / (1 + np.exp(-2 * (x - 3))) + 0.15 * np.random.default_rng(2).standard_normal(10)
    fit = sl.fit_curve(Sigmoid, x, y)
    top = y[x > fit.law.middle]
    reach = stats.t.ppf(0.975, len(top) - 1) * top.std(ddof=1) / np.sqrt(len(top))
    assert fit.law.slope > 50
    assert sl.profile(fit, at=9.0).low < top.mean() - reach / 2


def test_a_law_of_your_own_is_profiled_at_a_place_as_the_packages_is(runs):
    squares = sl.fit_chinchilla(runs, loss="l2")
    own = sl.fit_law(
        runs, lambda N, D, E, A, B, alpha, beta: E + A / N**alpha + B / D**beta,
        starts=[list(squares.params)], loss="l2", exact=True,
    )  # fmt: skip
    for kind in ("confidence", "predictive"):
        ends = [sl.profile(one, at=(1e10, 3e11), kind=kind).interval for one in (own, squares)]
        assert ends[0] == pytest.approx(ends[1], rel=1e-4)


@pytest.mark.parametrize("number", [1, 2, 6])
def test_a_band_has_ends_where_constants_overflow(number):
    # Few noisy points against FLOP: some resamples are steps of exponent 20, whose A is infinite.
    generator = np.random.default_rng(number)
    x = np.geomspace(1e18, 1e21, 5)
    y = (2 + 5e3 * x**-0.2) * np.exp(0.05 * generator.standard_normal(5))
    boot = sl.bootstrap(sl.fit_power_law(x, y, offset=True), n=400)
    wild = np.isinf(boot.params["A"]).mean()
    for level in (0.8, 0.95):
        band = boot.band([1e20, 1e23], level=level)
        assert (band.low <= band.predicted).all()
        assert (band.predicted <= band.high).all()
        assert np.isinf(band.high).all() == (wild > (1 - level) / 2)


def test_what_has_no_such_profile_is_refused(runs):
    squares, robust = (sl.fit_chinchilla(runs, loss=one) for one in ("l2", "huber"))
    with pytest.raises(sl.DataError, match="with loss='l2'"):
        sl.profile(robust, at=(1e10, 1e12))
    with pytest.raises(sl.DataError, match="a parameter or a place"):
        sl.profile(squares)
    with pytest.raises(sl.DataError, match="a parameter or a place"):
        sl.profile(squares, "alpha", at=(1e10, 1e12))
    with pytest.raises(sl.DataError, match="as many numbers as the law takes, 2"):
        sl.profile(squares, at=1e10)
    with pytest.raises(sl.DataError, match="kind must be"):
        sl.profile(squares, at=(1e10, 1e12), kind="new")
    with pytest.raises(sl.DataError, match="at"):
        sl.profile(squares, at=(1e10, np.inf))
    weighted = sl.fit_chinchilla(runs, loss="l2", weights=np.linspace(1, 2, len(runs)))
    assert sl.profile(weighted, at=(1e10, 1e12)).low > 0
    with pytest.raises(sl.DataError, match="how noisy a new one is"):
        sl.profile(weighted, at=(1e10, 1e12), kind="predictive")
    curve = sl.fit_curve(Sigmoid, np.arange(8.0), np.linspace(0.1, 0.9, 8) ** 2)
    with pytest.raises(sl.DataError, match="at needs 1 number"):
        sl.profile(curve, at=(1.0, 2.0))
    with pytest.raises(sl.DataError, match="kind must be"):
        sl.profile(curve, at=1.0, kind="new")
    weighted = sl.fit_curve(Sigmoid, np.arange(8.0), np.linspace(0.1, 0.9, 8) ** 2,
                            weights=np.arange(1.0, 9.0))  # fmt: skip
    with pytest.raises(sl.DataError, match="how noisy a new one is"):
        sl.profile(weighted, at=1.0, kind="predictive")
    with pytest.raises(sl.DataError, match="not profiled; use the band"):
        sl.profile(sl.fit_kaplan(runs, loss="l2"), at=(1e10, 1e12))
    with pytest.raises(sl.FitError, match="meets every run exactly"):
        sl.profile(sl.fit_chinchilla(runs.assign(loss=LAW.loss(runs.params, runs.tokens)),
                                     loss="l2"), at=(1e10, 1e12))  # fmt: skip
