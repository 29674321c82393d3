"""Charts of the chapter on inference compute: what they hold, and what they tell in words."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import inference_compute as draw
from scalinglib.laws import ExponentiatedPowerLaw, LogLinear
from scalinglib.topics import inference_compute

LAW = inference_compute.CoverageLaw(
    a=sl.PowerLaw(A=36.6, alpha=0.093), b=sl.PowerLaw(A=0.068, alpha=-0.074),
    law=sl.published.EPOCH_2024, D=3e11,
)  # fmt: skip
RANGES = {"sizes": (1.6e8, 1.2e10), "tokens": (3e10, 3e13), "most_samples": 1e4}


@pytest.fixture(scope="module")
def points():
    k = np.array([1.0, 10.0, 100.0, 1000.0, 10000.0])
    curves = {"70M": ExponentiatedPowerLaw(8.3, 0.2),
              "12B": ExponentiatedPowerLaw(4.3, 0.38)}  # fmt: skip
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
    best = inference_compute.best_buys(curves, np.logspace(9, 14.3, 40))
    description = draw.serving(table, best, ["70M", "12B"]).to_dict()["description"]
    assert description.endswith("70M, then 12B.")


def test_thinking():
    rows = sl.load("budget_forcing").rename(columns={"avg_thinking_tokens": "tokens"})
    rows = rows.assign(accuracy=rows.accuracy_pct / 100)
    curves = {
        (n, draw.LINE.name): sl.fit_curve(LogLinear, one.tokens, one.accuracy).curve
        for n, one in rows.groupby("benchmark")
    }
    chart = draw.thinking(rows[["benchmark", "tokens", "accuracy"]], curves).to_dict()
    assert "AIME24 from 0% to 57%" in chart["description"]


def test_budget_split_computes_what_the_library_does():
    one = inference_compute.cheapest_plan(LAW, 0.34, queries=1e8, T=1, **RANGES)
    moves = pd.DataFrame(
        [{"target": 0.34, "move": "bigger", "N": 2e10, "D": 3e11, "k": 100.0},
         {"target": 0.34, "move": "more often", "N": 1e9, "D": 3e11, "k": 152.0}]
    )  # fmt: skip
    best = pd.DataFrame([{"target": 0.34, "served": 1e8, "N": one.N, "D": one.D, "k": one.samples}])
    chart = draw.budget_split(
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


def test_checker_tells_where_more_begins_to_hurt():
    values = pd.DataFrame(
        {"accepts": ["a"] * 3, "k": [1.0, 10.0, 100.0], "value": [0.1, 0.3, -0.2]}
    )
    spec = draw.checker(values, values.iloc[[1]]).to_dict()
    assert spec["description"].endswith("Highest points: a: 30% at 10.")


def test_reinforcement_draws_both_forms():
    points = pd.DataFrame({"model": ["7B", "7B"], "C": [1e18, 1e19], "error": [0.8, 0.7]})
    drawn = pd.concat([points.assign(form=form) for form in ("power law", "sigmoid")])
    chart = draw.reinforcement(points, drawn)
    assert {row["form"] for row in rows_with(chart, "form")} == {"power law", "sigmoid"}
    assert "Last errors: 7B 70%." in chart.to_dict()["description"]
