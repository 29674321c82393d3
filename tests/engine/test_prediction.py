"""Profile intervals of predictions: exact where theory is, and the best laws everywhere else."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import scalinglib as sl
from benchmarks import few

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
    with pytest.raises(sl.DataError, match="not profiled; use the band"):
        sl.profile(sl.fit_kaplan(runs, loss="l2"), at=(1e10, 1e12))
    with pytest.raises(sl.FitError, match="meets every run exactly"):
        sl.profile(sl.fit_chinchilla(runs.assign(loss=LAW.loss(runs.params, runs.tokens)),
                                     loss="l2"), at=(1e10, 1e12))  # fmt: skip
