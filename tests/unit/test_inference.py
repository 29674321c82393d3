"""Repeated sampling and serving: oracles, bad input refused, charts that show their data."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import betabinom

import scalinglib as sl
from scalinglib import inference, serving, success_rates, tradeoff
from scalinglib.charts import inference as draw
from scalinglib.charts.tradeoff import budget_split

COUNTS = pd.DataFrame({"n_samples": 100, "n_correct": [0, 0, 0, 1, 2, 5, 20, 60]})
LAW = tradeoff.CoverageLaw(
    a=sl.PowerLaw(A=36.6, alpha=0.093), b=sl.PowerLaw(A=0.068, alpha=-0.074),
    law=sl.published.EPOCH_2024, D=3e11,
)  # fmt: skip
RANGES = {"sizes": (1.6e8, 1.2e10), "tokens": (3e10, 3e13), "most_samples": 1e4}


def test_scipys_likelihood_is_the_oracle():
    fit = success_rates.fit_beta_binomial(COUNTS)

    def objective(x):
        return -betabinom.logpmf(COUNTS.n_correct, COUNTS.n_samples, *np.exp(x)).sum()

    found = minimize(objective, [0.0, 0.0], method="Nelder-Mead",
                     options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000})  # fmt: skip
    assert (fit.rates.alpha, fit.rates.beta) == pytest.approx(np.exp(found.x), rel=1e-4)


def test_standard_errors_agree_with_the_curvature_of_the_likelihood():
    fit = success_rates.fit_beta_binomial(COUNTS)
    at = np.array([fit.rates.alpha, fit.rates.beta])
    step = 1e-3 * at

    def loglik(x):
        return betabinom.logpmf(COUNTS.n_correct, COUNTS.n_samples, *x).sum()

    bend = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            e, f = np.eye(2)[i] * step, np.eye(2)[j] * step
            bend[i, j] = (
                loglik(at + e + f) - loglik(at + e - f) - loglik(at - e + f) + loglik(at - e - f)
            ) / (4 * step[i] * step[j])
    expected = np.sqrt(np.diag(np.linalg.inv(-bend)))
    assert (fit.alpha_se, fit.beta_se) == pytest.approx(expected, rel=1e-3)


def test_thinning_keeps_the_rate_on_average():
    found = [inference.thinned(COUNTS, 10, seed=s).n_correct.sum() for s in range(400)]
    assert np.mean(found) == pytest.approx(COUNTS.n_correct.sum() / 10, rel=0.02)
    again = inference.thinned(COUNTS, 10, seed=3).n_correct
    assert again.equals(inference.thinned(COUNTS, 10, seed=3).n_correct)


def test_a_fallible_checker_by_simulation():
    counts = pd.DataFrame({"n_samples": [100], "n_correct": [5]})
    generator = np.random.default_rng(0)
    right = generator.random((40_000, 20)) < 0.05
    accepted = right | (generator.random(right.shape) < 0.1)
    first = accepted.argmax(axis=1)
    share = np.mean(right[np.arange(len(right)), first] & accepted.any(axis=1))
    found = success_rates.answered(counts, 20, false_accept=0.1)
    assert found == pytest.approx(share, abs=0.01)


def test_ends_of_the_checker():
    k = [1, 10, 1000]
    plug_in = inference.plug_in_pass_at_k(100, COUNTS.n_correct.to_numpy()[:, None], k).mean(axis=0)
    assert success_rates.answered(COUNTS, k, false_accept=0) == pytest.approx(plug_in)
    blind = success_rates.answered(COUNTS, k, false_accept=1)
    assert blind == pytest.approx(np.full(3, COUNTS.n_correct.mean() / 100))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: inference.pass_at_k(100, 1, 1000), sl.DataError, "only 100 samples"),
        (lambda: inference.pass_at_k(100, 1, 0), sl.DataError, "k must hold whole numbers of 1"),
        (lambda: inference.pass_at_k(100, 1, 2.5), sl.DataError, "k must hold whole numbers"),
        (lambda: inference.pass_at_k(10, 11, 1), sl.DataError, "n_correct exceeds n_samples"),
        (lambda: inference.pass_at_k(10, -1, 1), sl.DataError, "n_correct must hold whole numbers"),
        (lambda: inference.pass_at_k(10, np.nan, 1), sl.DataError, "n_correct must hold"),
        (lambda: inference.pass_at_k("ten", 1, 1), sl.DataError, "n_samples must hold numbers"),
        (lambda: inference.plug_in_bias(1.5, 10, [1]), sl.DataError, "rate must lie between"),
        (lambda: success_rates.answered(COUNTS, 1, false_accept=2), sl.DataError, "false_accept"),
        (lambda: success_rates.answered(COUNTS, 0, false_accept=0), sl.DataError, "k must be 1 or"),
        (lambda: inference.sample_grid(0), sl.DataError, "largest must be 1 or more"),
        (lambda: inference.coverage(COUNTS[["n_samples"]], 1), sl.DataError, "no column"),
        (lambda: inference.coverage(COUNTS[:0], 1), sl.DataError, "counts is empty"),
        (lambda: inference.thinned(COUNTS, 101, seed=0), sl.DataError, "within 1 to 100"),
        (lambda: success_rates.fit_beta_binomial(COUNTS.assign(n_correct=0)), sl.FitError, "no s"),
        (lambda: success_rates.fit_beta_binomial(COUNTS.assign(n_correct=100)), sl.FitError,
         "every sample"),
        (lambda: success_rates.fit_beta_binomial(COUNTS.assign(n_correct=50)), sl.FitError,
         "no more than chance"),
        (lambda: success_rates.BetaBinomial(0.3, 12.0).coverage(0), sl.DataError, "k must be pos"),
        (lambda: serving.query_flops(-1, 10), sl.DataError, "N must be positive"),
        (lambda: serving.parity_tokens(1e9, 10, other=0), sl.DataError, "other must be positive"),
        (lambda: serving.Plan(1e9, 1e10, 10).lifetime(-1), sl.DataError, "Q must not be negative"),
        (lambda: serving.best_buys({}, [1.0]), sl.DataError, "curves is empty"),
        (lambda: LAW.samples_needed(1.0, 1e9), sl.DataError, "coverage must lie between"),
        (lambda: tradeoff.cheapest_plan(LAW, 0.999, queries=1e6, T=500, **RANGES), sl.DataError,
         "no plan within the ranges"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_models_must_share_their_problems():
    counts = pd.DataFrame({"model": ["a", "a", "b"], "problem_idx": [0, 1, 0],
                           "n_samples": 10, "n_correct": 1})  # fmt: skip
    with pytest.raises(sl.DataError, match="model 'b' lacks problems"):
        inference.bootstrap_coverage(counts, 1)


@pytest.mark.parametrize("queries", [1e4, 1e8, 1e12])
def test_no_other_plan_is_cheaper(queries):
    best = tradeoff.cheapest_plan(LAW, 0.5, queries=queries, T=500, **RANGES)
    generator = np.random.default_rng(0)
    N = np.exp(generator.uniform(*np.log(RANGES["sizes"]), 4000))
    D = np.exp(generator.uniform(*np.log(RANGES["tokens"]), 4000))
    k = LAW.samples_needed(0.5, N, D)
    cost = 6 * N * D + queries * serving.query_flops(N, 500, samples=k)
    assert best.lifetime(queries) <= cost[k <= RANGES["most_samples"]].min() * (1 + 1e-9)
    assert LAW.coverage(best.N, best.D, best.samples) >= 0.5 - 1e-9


def test_demand_moves_compute_into_training():
    few, many = (
        tradeoff.cheapest_plan(LAW, 0.5, queries=queries, T=500, **RANGES)
        for queries in (1e4, 1e10)
    )
    assert few.training < many.training
    assert few.per_query > many.per_query


def test_where_a_bigger_model_is_the_better_buy():
    N = 1e9
    turn = LAW.turning_samples(N)
    step = 1e-6

    def gains(k):
        at = np.log(-np.log(LAW.coverage(N, LAW.D, k)))
        more = np.log(-np.log(LAW.coverage(N, LAW.D, k * (1 + step))))
        bigger = np.log(-np.log(LAW.coverage(N * (1 + step), LAW.D, k)))
        return at - more, at - bigger

    more, bigger = gains(turn)
    assert more == pytest.approx(bigger, rel=1e-4)
    more, bigger = gains(turn / 10)
    assert more > bigger


@pytest.fixture(scope="module")
def points():
    k = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    curves = {"70M": inference.ExponentiatedPowerLaw(8.3, 0.2),
              "12B": inference.ExponentiatedPowerLaw(4.3, 0.38)}  # fmt: skip
    table = pd.concat(
        [pd.DataFrame({"model": n, "k": k, "coverage": c.value(k)}) for n, c in curves.items()]
    )
    return curves, table


def rows_with(chart, *columns):
    tables = chart.to_dict()["datasets"].values()
    return next(rows for rows in tables if set(columns) <= set(rows[0]))


def test_coverage_curves(points):
    curves, table = points
    chart = draw.coverage_curves(table, curves)
    assert "70M from 0.02% to 26.8%" in chart.to_dict()["description"]
    assert len(rows_with(chart, "model", "k", "coverage")) in {2, 10, 66}


def test_extrapolations(points):
    curves, table = points
    forms = {(n, draw.POWER.name): c for n, c in curves.items()}
    description = draw.extrapolations(table, forms, last=100).to_dict()["description"]
    assert "12B, exponentiated power law: 0.878" in description


def test_success_rates_counts_the_unsolved():
    rates = pd.DataFrame({"model": ["a", "a", "b"], "rate": [0.0, 0.5, 0.1]})
    description = draw.success_rates(rates, ["a", "b"]).to_dict()["description"]
    assert "a 1; b 0" in description


def test_serving_names_the_best_buys(points):
    _, table = points
    size = table.model.map({"70M": 7e7, "12B": 1.2e10})
    table = table.assign(flops=2 * size * table.k)
    curves = {n: (rows.flops, rows.coverage) for n, rows in table.groupby("model", sort=False)}
    best = serving.best_buys(curves, np.logspace(9, 14.3, 40))
    description = draw.serving(table, best, ["70M", "12B"]).to_dict()["description"]
    assert description.endswith("70M, then 12B.")


def test_thinking():
    rows = sl.load("budget_forcing").rename(columns={"avg_thinking_tokens": "tokens"})
    rows = rows.assign(accuracy=rows.accuracy_pct / 100)
    curves = {
        (n, draw.LINE.name): sl.fit_curve(inference.LogLinear, one.tokens, one.accuracy).curve
        for n, one in rows.groupby("benchmark")
    }
    chart = draw.thinking(rows[["benchmark", "tokens", "accuracy"]], curves).to_dict()
    assert "AIME24 from 0% to 57%" in chart["description"]


def test_budget_split_computes_what_the_library_does():
    one = tradeoff.cheapest_plan(LAW, 0.34, queries=1e8, T=1, **RANGES)
    moves = pd.DataFrame(
        [{"target": 0.34, "move": "bigger", "N": 2e10, "D": 3e11, "k": 100.0},
         {"target": 0.34, "move": "more often", "N": 1e9, "D": 3e11, "k": 152.0}]
    )  # fmt: skip
    best = pd.DataFrame([{"target": 0.34, "served": 1e8, "N": one.N, "D": one.D, "k": one.samples}])
    chart = budget_split(
        moves, best, targets=[0.30, 0.34], start=0.34, beyond={"N": 1.2e10, "D": 3e11, "k": 1e4}
    )
    spec = chart.to_dict()
    sliders = {p["name"]: p for p in spec["params"] if "bind" in p}
    assert set(sliders) == {"wanted", "log_Q", "log_T"}
    rows = {row["move"]: row for row in rows_with(chart, "F", "G")}
    assert rows["all three"]["F"] + rows["all three"]["G"] * 1e8 == pytest.approx(
        float(one.lifetime(1e8)), rel=1e-3
    )
    assert rows["more often"]["F0"] == rows["bigger"]["F0"] == pytest.approx(1.8e21)
    assert {name: row["starred"] for name, row in rows.items()} == {
        "bigger": True, "more often": False, "all three": True,
    }  # fmt: skip
