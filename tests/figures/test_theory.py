"""Charts of the chapter on theory: what they hold, and what they tell those who cannot see."""

import math
import re

import numpy as np
import pandas as pd
import pytest

from chapters.figures import theory as figures
from scalinglib.laws import PowerLaw
from scalinglib.topics.theory import features, skills

MODES = features.Modes.power_law(0.5, listed=1500)


def simulated():
    points = pd.DataFrame({"N": [32, 32, 64, 64], "D": [32, 64] * 2, "error": [0.9, 0.8, 0.8, 0.6]})
    return figures.against_theory(points.assign(N=[32, 64, 128, 256]), MODES)


def floor():
    D = np.logspace(3, 9, 25)
    points = pd.DataFrame({"D": D, "loss": 0.386 + 0.4 * D**-0.2})
    laws = {"pure power law": (figures.PURE, PowerLaw(A=0.5, alpha=0.02)),
            "with a floor": (figures.FLOOR, PowerLaw(A=0.4, alpha=0.2, E=0.386))}  # fmt: skip
    return figures.below_the_floor(points, laws, entropy=0.386, fitted=1e6)


def jumps():
    return figures.skills_and_sum(skills.Skills.power_law(0.5), (1, 4, 16), (1.0, 1e4))


ALL = [simulated, floor, jumps, lambda: figures.between_limits(0.35)]


@pytest.mark.parametrize("make", ALL)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert sum(len(table) for table in spec["datasets"].values()) <= 1000


@pytest.mark.parametrize("a", [0.1, 0.35, 1.0, 1.4])
@pytest.mark.parametrize("r", [0.1, 1.0, 30.0])
def test_the_language_of_the_chart_says_what_the_library_says(a, r):
    datum = type("Datum", (), {"r": r})()
    names = {"a": a, "datum": datum, "sqrt": math.sqrt, "pow": math.pow, "max": max}
    for name, formula in {**figures._LEARNED, **figures._GROWTH}.items():
        assert re.fullmatch(r"[\w\s.+*/(),-]+", formula)
        setattr(datum, name, eval(formula, {}, names))
    limits = features.tuned_error(1, np.inf, a) + features.tuned_error(np.inf, r, a)
    assert datum.near == pytest.approx(float(features.tuned_error(1, r, a) / limits))
    assert datum.g == pytest.approx(float(features.data_growth(r, a)), abs=1e-9)


def test_the_slider_is_the_exponent():
    params = [one for one in figures.between_limits(0.35).to_dict()["params"] if "bind" in one]
    assert [(one["name"], one["value"]) for one in params] == [("a", 0.35)]


def test_the_dashed_part_begins_where_the_fit_ends():
    tables = floor().to_dict()["datasets"].values()
    traced = pd.concat(pd.DataFrame(one) for one in tables if "part" in one[0])
    ends = traced[traced.part == "fit"].groupby("law").D.max()
    starts = traced[traced.part == "beyond"].groupby("law").D.min()
    assert (ends == starts).all()
