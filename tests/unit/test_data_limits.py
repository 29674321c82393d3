"""Bad input is refused in words, and the charts of the chapter carry what they should."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import data_limits, repetition
from scalinglib.charts import data_limits as figures
from scalinglib.published.data_limits import MUENNIGHOFF_2023 as LAW

RUNS = sl.load("repeated_data_runs")
WALL = data_limits.DataStock(15e12, 2024, 0.38, 300e12, 100e12, 1000e12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: repetition.worth_of_epochs(0.5, 15), "epochs is 0.5"),
        (lambda: repetition.worth_of_epochs(4, -1), "R_D must be positive"),
        (lambda: repetition.epochs_keeping(1.0, 15), "share is 1"),
        (lambda: repetition.half_value_epoch(0), "R_D must be positive"),
        (lambda: repetition.data_limited_optimal(LAW, 0, 1e9), "C must be positive"),
        (lambda: repetition.data_limited_optimal(LAW, 1e22, np.inf), "U must be finite"),
        (lambda: repetition.repeated_pairs(RUNS[["params"]]), "no column 'tokens'"),
        (lambda: repetition.repeated_pairs(RUNS[RUNS.tokens <= RUNS.unique_tokens]),
         "nothing can be compared"),
        (lambda: repetition.local_minima(sl.fit_power_law([1, 2, 3], [3, 2, 1.5])), "PowerLaw"),
        (lambda: repetition.flat_range(pd.DataFrame({"R_D": [1.0], "excess": [1.0]}), 0.1),
         "no R_D of the profile"),
        (lambda: WALL.exhausted(-1), "stock must be positive"),
        (lambda: WALL.draws(1), "at least 2 draws"),
        (lambda: WALL.draws(growth_sd=0.2), "growth_sd is 0.2"),
        (lambda: data_limits.simulate_collapse(1), "n is 1"),
        (lambda: data_limits.simulate_collapse(10, repeats=0), "must be at least 1"),
        (lambda: data_limits.simulate_collapse(10, fresh=2), "fresh is 2"),
        (lambda: data_limits.collapse_walk(1), "n is 1"),
    ],
)  # fmt: skip
def test_bad_input(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


def test_a_flat_range_that_the_grid_does_not_close_is_open():
    grid = pd.DataFrame({"R_D": [1.0, 2.0], "excess": [0.0, 0.0]})
    assert repetition.flat_range(grid, 0.1) == (0.0, np.inf)


CONSTANTS = {"one": (figures.PUBLISHED, 15.4), "two": (figures.OURS, 40.4)}


def charts():
    pairs = repetition.repeated_pairs(RUNS)
    pairs["kept"] = repetition.measured_worth(pairs, LAW.base) / pairs.epochs
    pairs["unique_per_param"] = pairs.unique_tokens / pairs.params
    minima = pd.DataFrame({"R_D": [95.0, 15.4], "excess": [0.0, 0.0013]})
    profile = pd.DataFrame({"R_D": [10.0, 95.0, 1e4], "excess": [0.01, 0.0, 0.007]})
    paths = data_limits.quantiles_by_generation(data_limits.simulate_collapse(20, repeats=50))
    band = [("near", 31.0, 214.0)]
    sets = pd.DataFrame({"model": ["GPT-3"], "year": [2020.4], "tokens": [3e11]})
    yield "worth", figures.worth(CONSTANTS, bands=band, marks=(4, 16))
    yield "pairs", figures.pairs(pairs, CONSTANTS)
    yield "valley", figures.valley(profile, minima, published=15.4, bands=band)
    yield "planner", figures.planner({"one": (figures.OURS, LAW)}, C=1e22, U=25e9)
    yield "wall", figures.wall(WALL, sets, factor=5, years=(2019, 2034))
    yield "collapse", figures.collapse(paths.assign(n="n = 20"), paths.assign(n="n = 20"))


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
