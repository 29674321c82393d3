"""Charts of the chapter on reward models: what they hold, and what they tell in words."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import reward_models as figures
from scalinglib.laws import BestOfNLaw
from scalinglib.topics import reward_models

SIZES = [3e6, 1e8, 3e9]
ALPHA = reward_models.fit_size_trend(SIZES, [0.49, 0.6, 0.68], reference=3e6)
BETA = reward_models.fit_size_trend(SIZES, [0.123, 0.106, 0.091], reference=3e6)
LAWS = {"3M": BestOfNLaw(0.49, 0.12), "3B": BestOfNLaw(0.66, 0.09)}


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def divergence():
    simulated = pd.DataFrame({"n": [2, 8], "kl": [0.19, 1.2]})
    return figures.divergence(simulated, answers=(10, 1000), quoted={1000: 6.0})


def curves():
    return figures.reward_curves(LAWS, measured=10.0)


def trends():
    points = pd.DataFrame(
        {"coefficient": ["α", "β"], "params": [3e6, 3e9], "value": [0.49, 0.09], "error": 0.003}
    )
    return figures.coefficient_trends(points, {"α": ALPHA, "β": BETA})


def peaks():
    places = pd.DataFrame(
        {"rm": ["3M", "3B"], "params": [3e6, 3e9], "kl": [4.2, 13.5], "error": 0.1,
         "read": ["n = 175", ""]}
    )  # fmt: skip
    return figures.peak_places(
        places, pd.DataFrame({"params": SIZES, "kl": [4, 8, 14]}), measured=10.0
    )


def tails():
    n = 2 ** np.arange(11)
    gold = pd.DataFrame({"n": n, "gold": np.log(n)})
    heavy = gold.assign(gold=np.sin(np.log(n) / 2), error="heavy-tailed error")
    both = pd.concat([gold.assign(error="normal error"), heavy], ignore_index=True)
    return figures.tails(both, gold)


def accuracy():
    points = pd.DataFrame(
        {"test_set": ["a", "a", "b"], "params": [1e9, 7e9, 1e9], "accuracy": [0.63, 0.69, 0.62],
         "se": 0.01}
    )  # fmt: skip
    line = points[points.test_set == "a"]
    return figures.accuracy_lines(points, line, line, read="1.8 points per doubling")


def public():
    kl = np.linspace(0.1, 3.9, 4)
    points = pd.concat(
        pd.DataFrame({"rm": rm, "kl": kl, "gold": top * np.sqrt(kl)})
        for rm, top in zip(
            ("500", "1,000", "4,000", "8,000", "60,000"), (1, 2, 3, 4, 5), strict=True
        )
    )
    laws = pd.concat(points.assign(law=law) for law in ("best-of-n", "RL"))
    return figures.public_runs(points, laws, seen=2.5)


def controlled():
    curves = pd.DataFrame({"error": ["a", "a", "b", "b"], "kl": [1.0, 6.0] * 2,
                           "gold": [1.0, 2.4, 0.2, 0.25]})  # fmt: skip
    return figures.controlled(curves, names={"a": "#111111", "b": "#222222"})


def losses():
    accuracy = np.array([0.5, 0.75, 1.0])
    low, high = reward_models.loss_bounds(accuracy)
    marks = pd.DataFrame({"loss": [0.65], "low": [0.53], "high": [0.64], "read": ["8,000"]})
    return figures.loss_band(pd.DataFrame({"accuracy": accuracy, "low": low, "high": high}), marks)


def slider():
    return figures.goodhart(ALPHA, BETA, measured=10.0, sizes=(10**6.5, 10**9.5))


@pytest.mark.parametrize(
    "make", [divergence, curves, trends, peaks, tails, accuracy, public, controlled, losses, slider]
)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


def test_the_sliders_are_logarithms():
    params = {one["name"]: one for one in slider().to_dict()["params"] if "bind" in one}
    assert set(params) == {"log_size", "log2_n"}
    assert (params["log_size"]["bind"]["min"], params["log_size"]["bind"]["max"]) == (6.5, 9.5)
    assert params["log2_n"]["bind"]["max"] == 24


def test_the_slider_moves_along_best_of_n():
    grid = pd.DataFrame(
        [row for row in rows(slider().to_dict()) if "promise" in row and "k" in row]
    )
    grid = grid.drop_duplicates("k")
    assert grid.kl.to_numpy() == pytest.approx(reward_models.kl_best_of_n(2**grid.k), rel=1e-5)
    assert set(range(25)) <= set(grid.k)


def test_the_slider_tells_the_peaks_of_its_ends():
    first = BestOfNLaw(float(ALPHA.at(10**6.5)), float(BETA.at(10**6.5))).peak()
    assert f"{first.reward:.2f} at {first.kl:.1f} nats" in slider().to_dict()["description"]


def test_curves_are_split_where_measurements_end():
    kl = {row["kl"] for row in rows(curves().to_dict()) if row.get("rm") == "3B"}
    assert 10.0 in kl


def test_trends_are_relative_to_their_own_line():
    shares = [row["share"] for row in rows(trends().to_dict()) if row.get("params") == 3e6]
    assert 1.0 in shares


def test_a_policy_with_ten_answers_levels_off():
    assert "10 answers: 2.30" in divergence().to_dict()["description"]


def test_the_turn_is_told():
    assert "peak at n = " in tails().to_dict()["description"]


def test_last_points_and_bounds_are_told():
    assert "500: 1.97" in public().to_dict()["description"]
    assert "a: 2.40; b: 0.25" in controlled().to_dict()["description"]
    assert "0.650: 53.0% to 64.0%" in losses().to_dict()["description"]


def test_both_laws_are_drawn():
    assert {row.get("law") for row in rows(public().to_dict())} >= {"best-of-n", "RL"}
