"""Charts of learning rate and batch: what they hold, and what they say to those who cannot see."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import hyperparameters as figures
from scalinglib.catalogue import Rule
from scalinglib.topics import hyperparameters as hyper


def cell(N, D):
    rates, batches = 2.0 ** (np.arange(-22, -13) / 2), 2.0 ** np.arange(16, 22)
    x = np.log(rates)[:, None] - np.log(rates[4])
    y = np.log(batches)[None, :] - np.log(batches[2])
    return hyper.Cell(N, D, rates, batches, 2.5 * (1 + 0.01 * x**2 + 0.02 * y**2))


CELLS = [cell(2e8, 1e10), cell(4e8, 4e10)]
RULES = {
    "a": (Rule(2.0**-9), Rule(2.0**18)),
    "b": (Rule(1.0, n=-0.3), Rule(1.0, d=0.55)),
    "c": (Rule(30.0), Rule(2.0**18)),
}


def rows(chart):
    return [row for table in chart.to_dict()["datasets"].values() for row in table]


def test_the_slider_holds_every_run_and_the_price_of_each_rule_on_each_grid():
    chart = figures.rule_slider(CELLS, RULES, start=CELLS[1])
    held = rows(chart)
    assert sum("band" in row for row in held) == sum(one.measured.size for one in CELLS)
    prices = {(row["rule"], row["cell"]): row["cost"] for row in held if "cost" in row}
    assert len(prices) == 6
    above = float(CELLS[0].excess(2.0**-9, 2.0**18))
    assert prices["a", 0] == f"+{100 * above:.2f} %"
    assert prices["c", 1] == "off the grid"
    named = {one["name"]: one for one in chart.to_dict()["params"]}
    assert named["log_N"]["value"] == 8.6
    assert named["near"]["expr"].count("pow(log_N") == 2 * len(CELLS)


def test_shades_follow_the_excess():
    frame = figures.shaded(CELLS[:1])
    near = np.isclose(frame[["rate", "batch"]], [2.0**-9, 2.0**18], rtol=1e-3, atol=0)
    lowest = frame[near.all(axis=1)]
    assert lowest.band.to_list() == [figures.band_names()[0]]
    assert set(frame.band) <= set(figures.band_names())


def test_the_valley_marks_every_setting_by_name():
    marks = {"x": (figures.STEP, 2.0**-9, 2.0**18), "y": (figures.PORIAN, 2.0**-8, 2.0**17)}
    chart = figures.valley(CELLS[0], marks)
    assert [row["name"] for row in rows(chart) if "name" in row] == ["x", "y"]
    assert "54 runs" in chart.to_dict()["description"]


def test_prices_show_the_median():
    spent = pd.DataFrame({"rule": ["a"] * 3, "size": ["1B"] * 3, "excess": [0.1, 0.2, 0.9],
                          "tokens": [1.0, 2.0, 9.0]})  # fmt: skip
    assert "a 0.20" in figures.price(spent).to_dict()["description"]


@pytest.mark.parametrize(
    "chart",
    [
        lambda: figures.allocations(
            pd.DataFrame({"reading": ["x"], "value": [0.6], "low": [0.55], "high": [0.7]})
        ),
        lambda: figures.schedule_effects(
            pd.DataFrame({"effect": ["x", "x", "y", "y"], "params": [1e8, 1e9] * 2,
                          "nats": [0.1, 0.05, 0.01, 0.04]})
        ),
        lambda: figures.sign_change(
            pd.DataFrame({"batch": [1e5, 1e6], "D": [-0.3, 0.2], "D low": [-0.4, 0.1],
                          "D high": [-0.2, 0.3]}), (0.1, 0.4)
        ),
    ],
)  # fmt: skip
def test_every_chart_describes_itself(chart):
    spec = chart().to_dict()
    assert len(spec["description"]) > 60
    assert spec["width"] == "container"
