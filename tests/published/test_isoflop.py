"""Approach 2 on the published profiles: Hoffmann et al. 2022 and Grattafiori et al. 2024."""

import pytest

import scalinglib as sl
from scalinglib.isoflop import fit_isoflop

GOPHER, LLAMA = 5.76e23, 3.8e25


@pytest.fixture(scope="module")
def runs():
    return sl.load("isoflop_runs")


@pytest.fixture(scope="module")
def chinchilla(runs):
    return runs[runs.experiment == "chinchilla"]


@pytest.fixture(scope="module")
def llama(runs):
    return runs[runs.experiment == "llama3"]


def test_compute_is_6nd(runs):
    spent = 6 * runs.params * runs.tokens
    assert spent.to_numpy() == pytest.approx(runs.budget_flops.to_numpy(), rel=1e-6)


def test_chinchilla_exponents(chinchilla):
    fit = fit_isoflop(chinchilla)
    assert fit.a == pytest.approx(0.49199, abs=1e-5)
    assert fit.b == pytest.approx(0.50801, abs=1e-5)
    # Table 2 prints 0.49 and 0.51.
    assert (round(fit.a, 2), round(fit.b, 2)) == (0.49, 0.51)


def test_chinchilla_at_the_gopher_budget(chinchilla):
    fit = fit_isoflop(chinchilla)
    assert fit.params(GOPHER) == pytest.approx(62.40e9, rel=1e-4)
    assert fit.tokens(GOPHER) == pytest.approx(1.538e12, rel=3e-4)


def test_one_chinchilla_budget_has_no_minimum(chinchilla):
    fit = fit_isoflop(chinchilla)
    assert fit.minima.budget[~fit.minima.used].tolist() == [1e20]
    assert "budget 1e+20" in fit.warnings[0]


def test_chinchilla_without_the_flagged_runs(chinchilla):
    fit = fit_isoflop(chinchilla[~chinchilla.flagged])
    assert fit.minima.used.sum() == 7
    assert fit.a == pytest.approx(0.54142, abs=1e-5)
    assert fit.params(GOPHER) == pytest.approx(97.5e9, rel=1e-3)
    assert fit.tokens(GOPHER) == pytest.approx(0.984e12, rel=1e-3)


def test_chinchilla_interval_over_subsamples(chinchilla):
    low, high = fit_isoflop(chinchilla).interval("a", level=0.8, share=0.8)
    assert low == pytest.approx(0.477, abs=3e-3)
    assert high == pytest.approx(0.503, abs=3e-3)


def test_llama_tokens(llama):
    fit = fit_isoflop(llama, along="tokens")
    assert fit.warnings == ()
    assert fit.b == pytest.approx(0.536779, abs=1e-6)
    assert fit.k_D == pytest.approx(0.29936, abs=1e-5)
    assert fit.tokens(LLAMA) == pytest.approx(16.10e12, rel=3e-4)
    assert fit.params(LLAMA) == pytest.approx(393.3e9, rel=1e-4)


def test_llama_interval(llama):
    low, high = fit_isoflop(llama, along="tokens").interval("b")
    assert low == pytest.approx(0.494, abs=3e-3)
    assert high == pytest.approx(0.551, abs=3e-3)


def test_llama_without_the_flagged_runs(llama):
    fit = fit_isoflop(llama[~llama.flagged], along="tokens")
    assert fit.minima.used.sum() == 8
    assert fit.b == pytest.approx(0.5000, abs=1e-4)
    assert fit.tokens(LLAMA) == pytest.approx(9.81e12, rel=1e-3)
