"""Charts of the Kaplan chapter: what they hold, and what they tell readers who cannot see them."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import kaplan as figures
from scalinglib.charts import EPOCH, KAPLAN, OURS
from scalinglib.laws import StepsLaw
from scalinglib.topics import kaplan

STEPS = StepsLaw(alpha_N=0.077, alpha_S=0.76, N_c=6.5e13, S_c=2.1e3)


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def slider():
    laws = {"one": (KAPLAN, 1e-4, 0.7), "two": (EPOCH, 1e-1, 0.5)}
    models = pd.DataFrame({"model": ["GPT-3"], "C": [3.15e23], "ratio": [1.7]})
    return figures.ratio_slider(laws, models, budget=1e21, data_end=1e22)


def sizes():
    points = pd.DataFrame({"family": "a", "params": [1e7, 1e8], "loss": [3.0, 2.5]})
    lines = points.assign(line="a", role="ours")
    labels = pd.DataFrame(
        {"label": ["a 0.08"], "params": [1e8], "loss": [2.5], "role": "ours", "above": True}
    )
    return figures.size_laws(points, lines, labels)


def dots():
    values = pd.DataFrame({"source": ["a", "b"], "value": [0.07, 0.08], "role": "ours"})
    return figures.exponent_dots(
        values, rule=0.076, rule_label="Kaplan", rule_colour=KAPLAN.colour, title="Exponent",
        domain=(0.05, 0.1), roles={"ours": OURS},
    )  # fmt: skip


def curves():
    return figures.learning_curves(STEPS, (1e6, 1e8, 1e10), target=3.0)


def valley():
    return figures.size_valley(STEPS, (0.6, 2.2))


@pytest.mark.parametrize("make", [slider, sizes, dots, curves, valley])
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


def test_the_slider_is_the_logarithm_of_the_budget():
    params = [one for one in slider().to_dict()["params"] if "bind" in one]
    assert [one["name"] for one in params] == ["log_C"]
    assert params[0]["value"] == 21


def test_lines_spend_the_budget():
    drawn = pd.DataFrame([row for row in rows(slider().to_dict()) if "law" in row and "C" in row])
    one = drawn[drawn.law == "two"]
    N = 1e-1 * one.C**0.5
    assert one.ratio.to_numpy() == pytest.approx((one.C / 6 / N**2).to_numpy(), rel=1e-4)


def test_a_size_that_never_reaches_the_target_has_no_dot():
    tables = curves().to_dict()["datasets"].values()
    dots = next(table for table in tables if "steps" in table[0] and len(table) < 3)
    marked = [row["params"] for row in dots]
    assert marked == [1e8, 1e10]


def test_marked_sizes_carry_their_cost():
    labels = {row["label"] for row in rows(valley().to_dict()) if "label" in row}
    cost = kaplan.size_tradeoff(STEPS, np.array([0.6, 2.2])).compute
    assert labels == {f"{100 * (one - 1):+.0f} %" for one in cost}
