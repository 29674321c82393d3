"""The valley is drawn in the reader's browser, so its constants must be those of the laws."""

import numpy as np
import pytest

import scalinglib as sl
from chapters.figures import chinchilla
from scalinglib import charts
from scalinglib.optimum import search_optimum

LAWS = {
    "Epoch 2024": (charts.EPOCH, sl.published.EPOCH_2024),
    "Kaplan 2020": (charts.KAPLAN, sl.published.KAPLAN_2020),
}


@pytest.fixture(scope="module")
def valley():
    runs = sl.load("isoflop_runs")
    runs = runs[runs.experiment == "chinchilla"]
    return chinchilla.valley(LAWS, runs, budget=5.76e23, marks=[("Gopher", 280e9, 5.04e23)])


@pytest.fixture(scope="module")
def terms(valley):
    tables = valley.to_dict()["datasets"].values()
    (rows,) = [rows for rows in tables if "outer" in rows[0]]
    return {row["name"]: row for row in rows}


@pytest.mark.parametrize("name", LAWS)
def test_constants_give_the_loss_of_the_law(terms, name):
    t = terms[name]
    N, D = np.array([1e8, 7e10, 1e12]), np.array([1e9, 1.4e12, 2e11])
    inner = t["A"] * N ** -t["alpha"] + t["B"] * D ** -t["beta"]
    np.testing.assert_allclose(t["E"] + inner ** t["outer"], LAWS[name][1].loss(N, D), rtol=1e-12)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("C", [1e20, 5.76e23])
def test_constants_give_the_lowest_point(terms, name, C):
    t = terms[name]
    best = search_optimum(LAWS[name][1], C)
    assert t["G"] * (C / 6) ** t["a"] == pytest.approx(float(best.N), rel=1e-5)


def test_inputs(valley):
    inputs = {one["name"]: one for one in valley.to_dict()["params"] if "bind" in one}
    assert inputs["law"]["bind"]["options"] == list(LAWS)
    assert inputs["law"]["value"] == "Epoch 2024"
    bind = inputs["log_C"]["bind"]
    assert bind["min"] < inputs["log_C"]["value"] < bind["max"]


def test_every_benchmark_is_described():
    scores = sl.load("gopher_vs_chinchilla")
    spec = chinchilla.scores(scores[scores.benchmark != "Wikitext103 ppl"]).to_dict()
    assert "PIQA 81.8 and 81.8" in spec["description"]
