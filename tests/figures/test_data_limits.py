"""Charts of the data-limits chapter: described, light, and true to the law of the package."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import data_limits as figures
from scalinglib import published
from scalinglib.topics import data_limits

LAW = published.law("muennighoff2023/repeated")
CONSTANTS = {"one": (figures.PUBLISHED, 15.4), "two": (figures.OURS, 40.4)}


def charts():
    pairs = data_limits.repeated_pairs(sl.load("repeated_data_runs"))
    pairs["kept"] = data_limits.measured_worth(pairs, LAW.base) / pairs.epochs
    pairs["unique_per_param"] = pairs.unique_tokens / pairs.params
    minima = pd.DataFrame({"R_D": [95.0, 15.4], "excess": [0.0, 0.0013]})
    profile = pd.DataFrame({"R_D": [10.0, 95.0, 1e4], "excess": [0.01, 0.0, 0.007]})
    paths = pd.DataFrame(
        {"n": "n = 20", "generation": [0, 1], "low": [1, 0.8], "middle": [1, 1], "high": [1, 1.2]}
    )
    band = [("near", 31.0, 214.0)]
    stock = data_limits.DataStock(15e12, 2024, 0.38, 300e12, 100e12, 1000e12)
    sets = pd.DataFrame({"model": ["GPT-3"], "year": [2020.4], "tokens": [3e11]})
    yield "worth", figures.worth(CONSTANTS, bands=band, marks=(4, 16))
    yield "pairs", figures.pairs(pairs, CONSTANTS)
    yield "valley", figures.valley(profile, minima, published=15.4, bands=band)
    yield "planner", figures.planner({"one": (figures.OURS, LAW)}, C=1e22, U=25e9)
    yield "wall", figures.wall(stock, sets, over=5, years=(2019, 2034))
    yield "collapse", figures.collapse(paths, paths)


@pytest.mark.parametrize(
    ("name", "chart"), list(charts()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_chart_is_described(name, chart):
    spec = chart.to_dict()
    assert len(spec["description"]) > 80, name
    assert all(len(rows) <= 5000 for rows in spec["datasets"].values())


def test_the_planner_draws_the_law_of_the_package():
    spec = figures.planner({"one": (figures.OURS, LAW)}, C=1e22, U=25e9).to_dict()
    (rows,) = [rows for rows in spec["datasets"].values() if "R_D" in rows[0]]
    row = next(one for one in rows if one["law"] == "one")
    N, D, U = 7e9, 1e22 / 6 / 7e9, 25e9
    fit = min(N, row["G"] * (row["G"] * U) ** (row["beta"] / row["alpha"]))
    data = U * (1 + row["R_D"] * (1 - np.exp((1 - D / U) / row["R_D"])))
    size = fit * (1 + row["R_N"] * (1 - np.exp((1 - N / fit) / row["R_N"])))
    loss = row["E"] + row["A"] * size ** -row["alpha"] + row["B"] * data ** -row["beta"]
    assert loss == pytest.approx(float(LAW.loss(N, D, U)), rel=1e-12)
    assert {one["name"] for one in spec["params"] if "bind" in one} == {"log_C", "log_U"}
