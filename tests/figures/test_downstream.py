"""Charts of the chapter on downstream scores: what they hold, and what they tell in words."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import downstream as figures
from scalinglib.laws import ExponentialErrorLaw, FallingSigmoid
from scalinglib.topics import downstream

LAW = sl.ChinchillaLaw(E=0.45, A=29.0, B=74.0, alpha=0.21, beta=0.22)
CURVE = FallingSigmoid(low=0.26, high=1.0, slope=-4.8, middle=0.62)
CHAIN = downstream.TwoStep(LAW, CURVE)
SPLIT = CHAIN.split(1.3e10, 5e12, loss=0.75, score=0.52)


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def ladder():
    points = pd.DataFrame(
        {"params": [2e8, 2e8, 4e8], "tokens": [4e9, 8e9, 8e9], "loss": [1, 0.9, 0.8]}
    )
    return figures.ladder(points, LAW, target=(1.3e10, 5e12, 0.75), name="a task")


def score_map():
    seen = pd.DataFrame({"loss": np.linspace(0.9, 1.8, 30), "score": np.linspace(0.5, 0.3, 30)})
    return figures.score_map(seen, CURVE, SPLIT, chance=0.25, name="a task")


def error_parts():
    return figures.error_parts({"one": SPLIT, "two": SPLIT})


def stalled_dots():
    table = pd.DataFrame(
        {"task": ["one", "two"], "published": 0.68, "measured": 0.5, "finished": 0.4}
    )
    return figures.stalled_dots(table, shared=0.68)


def error_curve():
    law = ExponentialErrorLaw(0.86, 2.2, 0.71)
    runs = pd.DataFrame(
        {"loss": [5.0, 4.0, 3.0], "error": [0.8, 0.7, 0.6], "fitted": [True, True, False]}
    )
    split = downstream.TwoStep(LAW, law).split(1e10, 1e12, loss=2.5, score=0.5)
    return figures.error_curve(runs, law, {"large": split, "over-trained": split})


def family_lines():
    models = pd.DataFrame(
        {"model": list("abcdef"), "family": ["x"] * 3 + ["y"] * 3, "flops": [1e21, 1e22, 1e23] * 2,
         "score": [0.0, 0.1, 0.2, 0.3, 0.1, 0.4]}
    )  # fmt: skip
    trends = downstream.family_trends(models.score, models.flops, models.family)
    return figures.family_lines(models, trends, marked=["y"])


def slider():
    return figures.score_slider(
        {"one": CHAIN, "two": CHAIN}, {"one": [CHAIN] * 3, "two": [CHAIN] * 3},
        {"one": 0.5, "two": 0.6}, N=1.3e10, D=5e12,
    )  # fmt: skip


@pytest.mark.parametrize(
    "make", [ladder, score_map, error_parts, stalled_dots, error_curve, family_lines, slider]
)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


def test_the_sliders_start_at_the_target():
    params = {one["name"]: one["value"] for one in slider().to_dict()["params"] if "bind" in one}
    assert params == {"log_C": 23.59, "tokens_per_param": 380}


def test_the_bars_of_an_error_add_up_to_its_diamond():
    data = rows(error_parts().to_dict())
    bars = sum(row["high"] for row in data if row.get("task") == "one" and "high" in row)
    total = next(row["total"] for row in data if row.get("task") == "one" and "total" in row)
    assert bars == pytest.approx(total, abs=0.01)


def test_the_line_of_the_target_is_an_extrapolation():
    lines = [row for row in rows(ladder().to_dict()) if "part" in row]
    assert {row["part"] for row in lines if row["params"] == 1.3e10} == {"beyond"}
    assert {row["part"] for row in lines if row["params"] < 1e9} == {"fit"}
