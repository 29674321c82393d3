"""The valley is drawn in the reader's browser, so its constants must be those of the laws."""

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize(("size", "ends"), [(5e3, "5,000 / 500,000"), (2e7, "20M / 2B")])
def test_profiles_tell_sizes_in_their_own_unit(size, ends):
    # Losses that rise alike on both sides of these sizes have their minima there.
    best, aside = np.meshgrid(size * np.array([1, 10, 100]), np.geomspace(0.2, 5, 9))
    runs = pd.DataFrame({"params": (best * aside).ravel(), "budget_flops": 120 * best.ravel() ** 2})
    runs["tokens"] = runs.budget_flops / 6 / runs.params
    runs["loss"] = 2 + best.ravel() ** -0.3 + 0.1 * np.log(aside.ravel()) ** 2
    spec = charts.isoflop_profiles(runs, sl.fit_isoflop(runs)).to_dict()
    first, last = ends.split(" / ")
    assert f"from {first} parameters at a loss of" in spec["description"]
    assert f" to {last} at " in spec["description"]


def test_every_benchmark_is_described():
    scores = sl.load("gopher_vs_chinchilla")
    spec = chinchilla.scores(scores[scores.benchmark != "Wikitext103 ppl"]).to_dict()
    assert "PIQA 81.8 and 81.8" in spec["description"]
