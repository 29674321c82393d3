"""Fits to several corpora and the law with a multiplier: options, refusals, an oracle."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib._forms import LinearForms
from scalinglib.data_quality import fit_product
from scalinglib.multipliers import compute_multipliers, paired_gaps, score_multipliers
from scalinglib.quality_law import (
    ProductLaw,
    largest_matched,
    quality_needed,
    same_loss,
    with_quality,
)

LAW = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)


def grid(factors, *, seed=0, noise=0.0):
    """Runs of the law on corpora with factors (Q, N, E, factor)."""
    generator = np.random.default_rng(seed)
    parts = []
    for name, (Q, m, e, f) in factors.items():
        N, D = np.meshgrid(np.geomspace(3e7, 3e9, 6), np.geomspace(5e8, 5e10, 5))
        N, D = N.ravel(), D.ravel()
        loss = f * (e * LAW.E + LAW.A * (m * N) ** -LAW.alpha + LAW.B * (Q * D) ** -LAW.beta)
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


def test_laws_and_factors_say_the_same():
    fit = sl.fit_corpora(RUNS, terms=("Q",), reference="a")
    law, base = fit.laws["b"], fit.laws["a"]
    expected = with_quality(base, fit.factors.Q["b"])
    constants = [law.E, law.A, law.B]
    assert constants == pytest.approx([expected.E, expected.A, expected.B])
    assert fit.errors(RUNS).to_numpy() == pytest.approx(fit.residuals.to_numpy(), abs=1e-10)


def test_order_of_rows_and_labels_do_not_matter():
    shuffled = RUNS.sample(frac=1.0, random_state=1)
    one, two = (sl.fit_corpora(runs, reference="a") for runs in (RUNS, shuffled))
    assert two.factors.Q["b"] == pytest.approx(one.factors.Q["b"], rel=1e-7)
    assert (two.residuals.index == shuffled.index).all()


def test_resampling_is_seeded_and_within_corpora():
    fit = sl.fit_corpora(RUNS, reference="a")
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


def test_errors_of_a_corpus_that_was_not_fitted():
    fit = sl.fit_corpora(RUNS, reference="a")
    with pytest.raises(sl.DataError, match="'c' was not fitted"):
        fit.errors(RUNS.assign(corpus="c"))


def test_resamples_that_are_refused():
    fit = sl.fit_corpora(RUNS, reference="a")
    with pytest.raises(sl.DataError, match="at least 2"):
        fit.resample(1)
    with pytest.raises(sl.DataError, match="no factors"):
        sl.fit_corpora(RUNS, terms=(), reference="a").resample(10)


def test_a_multiplier_beyond_the_range_of_the_runs_is_named():
    far = grid({"a": (1, 1, 1, 1), "b": (500.0, 1, 1, 1)})
    fit = sl.fit_corpora(far, reference="a")
    assert fit.factors.Q["b"] == pytest.approx(500, rel=1e-4)
    assert any("Q of b" in sentence for sentence in fit.warnings)


def test_product_law_by_least_squares():
    law = ProductLaw(K=300.0, alpha=0.12, beta=0.08)
    runs = RUNS.assign(loss=law.loss(RUNS.params, RUNS.tokens))
    better = runs.corpus == "b"
    runs.loc[better, "loss"] = ProductLaw(K=300.0, alpha=0.12, beta=0.08, Q=3.0).loss(
        runs.params[better], runs.tokens[better]
    )
    laws, residuals = fit_product(runs, reference="a")
    assert (laws["b"].K, laws["b"].alpha, laws["b"].beta, laws["b"].Q) == pytest.approx(
        (300.0, 0.12, 0.08, 3.0), rel=1e-8
    )
    assert abs(residuals).max() < 1e-10
    with pytest.raises(sl.FitError, match="move together"):
        fit_product(runs.assign(tokens=20 * runs.params), reference="a")


def profiles():
    parts = []
    for name, Q in (("a", 1.0), ("b", 2.0)):
        for C in (1e19, 2e19, 4e19, 8e19):
            centre = sl.compute_optimal(with_quality(LAW, Q), C).N
            N = centre * np.geomspace(0.4, 2.5, 9)
            parts.append(
                pd.DataFrame({"corpus": name, "budget_flops": C, "params": N, "tokens": C / 6 / N,
                              "loss": with_quality(LAW, Q).loss(N, C / 6 / N)})
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_compute_multipliers_recover_the_quality():
    found = compute_multipliers(profiles(), reference="a")
    own = found[found.corpus == "b"]
    assert own.multiplier.iloc[:3].to_numpy() == pytest.approx(2.0, rel=1e-3)
    assert own.multiplier.iloc[3] == pytest.approx(2.0, rel=0.15)
    assert own.extrapolated.iloc[[0, 1, 3]].tolist() == [False, False, True]
    assert found[found.corpus == "a"].multiplier.to_numpy() == pytest.approx(1.0)


def test_score_multipliers_recover_an_offset():
    C = np.array([1e19, 1e20, 1e21])
    scores = pd.DataFrame({
        "corpus": ["a"] * 3 + ["b"] * 3, "flops": [*C, *C],
        "score": [*(0.04 * np.log(C)), *(0.04 * np.log(4 * C))],
    })  # fmt: skip
    found, slope, rms = score_multipliers(scores, metric="score", reference="a")
    assert found.multiplier["b"] == pytest.approx(4.0)
    assert (slope, rms) == pytest.approx((0.04, 0.0), abs=1e-12)
    with pytest.raises(sl.FitError, match="does not rise"):
        score_multipliers(scores.assign(score=3 - scores.score), metric="score", reference="a")
    with pytest.raises(sl.FitError, match="cannot determine"):
        score_multipliers(scores.iloc[[0, 1, 3]], metric="score", reference="a")
    with pytest.raises(sl.DataError, match="no column"):
        score_multipliers(scores, metric="other", reference="a")


def test_paired_gaps_need_shared_cells():
    runs = RUNS.assign(cell=RUNS.index % 30)
    gaps = paired_gaps(runs, on=("cell",), value="loss", reference="a")
    assert gaps.shape == (30, 1)
    assert (gaps.b < 0).mean() > 0.9
    with pytest.raises(sl.DataError, match="no column 'shape'"):
        paired_gaps(runs, on=("shape",), value="loss", reference="a")
    with pytest.raises(sl.DataError, match="two runs"):
        paired_gaps(runs.assign(cell=0), on=("cell",), value="loss", reference="a")
    with pytest.raises(sl.DataError, match="no cell"):
        paired_gaps(runs.assign(cell=runs.index), on=("cell",), value="loss", reference="a")


def test_the_law_refuses_what_has_no_meaning():
    with pytest.raises(sl.DataError, match="Q"):
        with_quality(LAW, 0.0)
    with pytest.raises(sl.DataError, match="Q"):
        same_loss(LAW, 1e9, 1e10, -1.0)
    with pytest.raises(sl.DataError, match="loss"):
        quality_needed(LAW, 0.0, N=1e9, D=1e10)
    with pytest.raises(sl.DataError, match="N"):
        ProductLaw(K=1.0, alpha=0.3, beta=0.3).loss(0.0, 1e9)
    flat = sl.ChinchillaLaw(E=1.8, A=0.0, B=900.0, alpha=0.34, beta=0.3)
    with pytest.raises(sl.DataError, match=r"law\.A"):
        largest_matched(flat, 1e9)
