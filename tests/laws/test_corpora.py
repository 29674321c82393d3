"""Fits to several corpora: options, refusals, and an oracle that shares no code."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib.fit.huber import LinearForms
from scalinglib.laws import ProductLaw, fit_product
from tests.examples import few

LAW = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)
worths = st.floats(-2, 3).map(lambda power: 10**power)
budgets = st.floats(18, 26).map(lambda power: 10**power)


NARROW = np.geomspace(3e7, 3e9, 6), np.geomspace(5e8, 5e10, 5)
WIDE = np.geomspace(3e7, 1e10, 5), np.geomspace(5e8, 2e11, 5)


def grid(factors, *, law=LAW, sizes=NARROW, noise=0.0):
    """Runs of a law on corpora with factors (Q, N, E, factor)."""
    N, D = (part.ravel() for part in np.meshgrid(*sizes))
    generator = np.random.default_rng(0)
    parts = []
    for name, (Q, m, e, f) in factors.items():
        loss = f * (e * law.E + law.A * (m * N) ** -law.alpha + law.B * (Q * D) ** -law.beta)
        loss = loss * np.exp(noise * generator.standard_normal(len(N)))
        parts.append(pd.DataFrame({"corpus": name, "params": N, "tokens": D, "loss": loss}))
    return pd.concat(parts, ignore_index=True)


RUNS = grid({"a": (1, 1, 1, 1), "b": (2.5, 1, 1, 1)}, noise=0.003)


def test_the_hessian_is_exact():
    runs = grid({"a": (1, 1, 1, 1), "b": (0.5, 1, 1.1, 1)}, noise=0.01)
    problem = sl.fit_corpora(runs, terms=("Q", "factor"), reference="a").problem
    assert isinstance(problem, LinearForms)
    theta = np.array([-1.0, -1.2, 0.6, 0.3, 0.4, 0.1, -0.05])
    ones, none = np.ones((1, problem.n_points)), np.zeros(1)
    _, g, H = problem.evaluate(theta[:, None], ones, none)
    for i, step in enumerate(1e-6 * np.eye(len(theta))):
        up, down = (
            problem.evaluate((theta + sign * step)[:, None], ones, none) for sign in (1, -1)
        )
        assert (up[0] - down[0])[0] / 2e-6 == pytest.approx(g[i, 0], rel=1e-5, abs=1e-8)
        assert (up[1] - down[1])[:, 0] / 2e-6 == pytest.approx(H[i, :, 0], rel=1e-4, abs=1e-6)


@pytest.mark.full
@pytest.mark.parametrize("terms", [(), ("Q",), ("N",), ("E",), ("factor",), ("Q", "E")])
def test_scipy_finds_nothing_lower(terms):
    table = sl.load("corpora_isoflops")
    runs = table[~table.flagged].rename(columns={"loss_paloma": "loss"})
    fit = sl.fit_corpora(runs, terms=terms, reference="dclm")
    n, d = (np.log(runs[name]) - np.log(runs[name]).mean() for name in ("params", "tokens"))
    is_other = {name: (runs.corpus == name).to_numpy() for name in ("comma", "nemotron")}

    def residual(x):
        own = np.zeros((4, len(runs)))
        for i, term in enumerate(terms):
            for j, name in enumerate(is_other):
                own[["Q", "N", "E", "factor"].index(term)] += x[5 + 2 * i + j] * is_other[name]
        size = np.exp(x[0] - x[3] * (n + own[1]))
        data = np.exp(x[1] - x[4] * (d + own[0]))
        return np.log(size + data + np.exp(x[2] + own[2])) + own[3] - np.log(runs.loss)

    generator = np.random.default_rng(0)
    best = np.inf
    for _ in range(5):
        start = np.concatenate(
            [[-1.5, -0.7, 0.9, 0.7, 0.35] + 0.1 * generator.standard_normal(5),
             np.zeros(2 * len(terms))]
        )  # fmt: skip
        found = least_squares(
            residual, start, loss="huber", f_scale=5e-3, x_scale="jac", xtol=1e-12, ftol=1e-12
        )
        best = min(best, found.cost)
    assert fit.objective <= best * (1 + 1e-9)
    assert fit.objective == pytest.approx(best, rel=1e-4)


@pytest.fixture(scope="module")
def fit():
    return sl.fit_corpora(RUNS, reference="a")


def test_laws_and_factors_say_the_same(fit):
    law, base = fit.laws["b"], fit.laws["a"]
    expected = replace(base, B=base.B * fit.factors.Q["b"] ** -base.beta)
    for name in ("E", "A", "B"):
        assert getattr(law, name) == pytest.approx(getattr(expected, name))
    assert fit.errors(RUNS).to_numpy() == pytest.approx(fit.residuals.to_numpy(), abs=1e-10)


def test_order_of_rows_and_labels_do_not_matter(fit):
    shuffled = RUNS.sample(frac=1.0, random_state=1)
    other = sl.fit_corpora(shuffled, reference="a")
    assert other.factors.Q["b"] == pytest.approx(fit.factors.Q["b"], rel=1e-7)
    assert (other.residuals.index == shuffled.index).all()


def test_resampling_is_seeded_and_within_corpora(fit):
    one, two = fit.resample(20, seed=3), fit.resample(20, seed=3)
    assert one.equals(two)
    assert list(one.columns) == [("Q", "b")]


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        (lambda runs: runs.drop(columns="corpus"), {}, sl.DataError, "no column 'corpus'"),
        (lambda runs: runs.assign(corpus=runs.corpus.where(runs.index > 0)), {}, sl.DataError,
         "row 0, column 'corpus'"),
        (lambda runs: runs, {"reference": "c"}, sl.DataError, "reference 'c'"),
        (lambda runs: runs[runs.corpus == "a"], {}, sl.FitError, "second corpus"),
        (lambda runs: runs, {"terms": "Q"}, sl.DataError, "sequence"),
        (lambda runs: runs, {"terms": ("q",)}, sl.DataError, "'q' is unknown"),
        (lambda runs: runs, {"terms": ("Q", "Q")}, sl.DataError, "twice"),
        (lambda runs: runs, {"terms": ("Q", "N", "E", "factor")}, sl.DataError, "leave out"),
        (lambda runs: runs, {"delta": 0.0}, sl.DataError, "delta"),
        (lambda runs: runs.iloc[:31], {}, sl.FitError, "has 1 runs"),
        (lambda runs: runs.assign(loss=3.0), {}, sl.FitError, "loss"),
        (lambda runs: runs.assign(params=1e8), {}, sl.FitError, "."),
    ],
)  # fmt: skip
def test_fits_that_are_refused(change, options, error, message):
    with pytest.raises(error, match=message):
        sl.fit_corpora(change(RUNS), **{"reference": "a", **options})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda fit: fit.errors(RUNS.assign(corpus="c")), "'c' was not fitted"),
        (lambda fit: fit.resample(1), "at least 2"),
        (lambda fit: replace(fit, terms=()).resample(10), "no factors"),
    ],
)
def test_questions_that_are_refused(fit, call, message):
    with pytest.raises(sl.DataError, match=message):
        call(fit)


def test_a_multiplier_beyond_the_range_of_the_runs_is_named():
    far = grid({"a": (1, 1, 1, 1), "b": (500.0, 1, 1, 1)})
    fit = sl.fit_corpora(far, reference="a")
    assert fit.factors.Q["b"] == pytest.approx(500, rel=1e-4)
    assert any("Q of b" in sentence for sentence in fit.warnings)


def test_the_product_law_needs_size_and_data_to_vary_apart():
    with pytest.raises(sl.FitError, match="move together"):
        fit_product(RUNS.assign(tokens=20 * RUNS.params), reference="a")


@given(
    alpha=st.floats(0.1, 0.6), beta=st.floats(0.1, 0.6), Q=worths, C=budgets,
    N=st.floats(1e7, 1e11), step=st.floats(1.1, 10),
)  # fmt: skip
def test_the_product_law_is_a_straight_line_at_any_budget(alpha, beta, Q, C, N, step):
    law = ProductLaw(K=50.0, alpha=alpha, beta=beta, Q=Q)
    low, high = law.loss(N, C / 6 / N), law.loss(step * N, C / 6 / (step * N))
    assert np.log(high / low) == pytest.approx(law.slope * np.log(step), abs=1e-9)


@few
@given(
    term=st.sampled_from(["Q", "N", "E", "factor"]), power=st.floats(-0.15, 0.15),
    alpha=st.floats(0.3, 0.6), beta=st.floats(0.3, 0.6),
)  # fmt: skip
def test_factors_without_noise_are_recovered(term, power, alpha, beta):
    value = float(np.exp(power * (1 if term in ("E", "factor") else 6)))
    law = sl.ChinchillaLaw(E=1.8, A=0.6 * 1e9**alpha, B=0.5 * 1e10**beta, alpha=alpha, beta=beta)
    own = [value if term == one else 1.0 for one in ("Q", "N", "E", "factor")]
    runs = grid({"a": (1, 1, 1, 1), "b": own}, law=law, sizes=WIDE)
    fit = sl.fit_corpora(runs, terms=(term,), reference="a")
    assert fit.factors[term]["b"] == pytest.approx(value, rel=1e-4)
    assert fit.rms < 1e-7
