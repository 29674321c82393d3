"""Charts of the data-quality chapter: what they hold, and what they say without eyes."""

import pandas as pd
import pytest

from chapters.figures import data_quality as figures
from scalinglib import published


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def best():
    return figures.best_losses(pd.DataFrame({
        "corpus": ["DCLM"] * 2 + ["Comma"] * 2, "budget": [1e19, 9e19] * 2,
        "loss": [3.5, 3.1, 3.7, 3.3], "multiplier": [1.0, 1.0, 0.4, 0.3],
        "extrapolated": [False, False, True, False],
    }))  # fmt: skip


def gap():
    measured = pd.DataFrame(
        {"budget": [1e19, 9e19], "gap": [0.16, 0.17], "low": [0.155, 0.165], "high": [0.165, 0.175]}
    )
    predicted = pd.DataFrame(
        {"form": ["floor", "floor", "Q, tokens", "Q, tokens"], "budget": [1e19, 9e19] * 2,
         "gap": [0.17, 0.17, 0.166, 0.144]}
    )  # fmt: skip
    return figures.gap_trend(measured, predicted)


def forms():
    return figures.rival_forms(pd.DataFrame(
        {"form": ["Q", "Q", "floor", "floor"], "sample": ["all runs", "held-out budget"] * 2,
         "rms": [0.9, 1.8, 0.58, 1.07]}
    ))  # fmt: skip


def evaluations():
    return figures.by_evaluation(pd.DataFrame(
        {"evaluation": ["C4 text", "C4 text", "code", "code"],
         "corpus": ["RedPajama", "RefinedWeb"] * 2, "Q": [0.64, 0.75, 3000.0, 2.5]}
    ))  # fmt: skip


def benchmarks():
    return figures.benchmark_multipliers(pd.DataFrame(
        {"metric": ["Core", "Core"], "corpus": ["Dolma", "DCLM-baseline"],
         "multiplier": [1.8, 8.2], "low": [1.4, 6.0], "high": [2.4, 11.0]}
    ))  # fmt: skip


def slider():
    return figures.quality_slider(published.EPOCH_2024, {"Comma": 0.48}, budget=1e23, start=5.0)


def pruned():
    curves = pd.DataFrame(
        {"curve": ["none", "none", "pool", "pool"], "kept": [1.0, 10.0] * 2,
         "error": [0.27, 0.05, 0.4, 0.005], "pruned": [False, False, True, True]}
    )  # fmt: skip
    points = pd.DataFrame({"kept": [2.0], "error": [0.19], "low": [0.18], "high": [0.2]})
    labels = pd.DataFrame(
        {"label": ["no pruning"], "kept": [5.0], "error": [0.1], "pruned": [False],
         "align": ["left"]}
    )  # fmt: skip
    return figures.pruned_curves(curves, points, labels)


def halves():
    curves = pd.DataFrame(
        {"keep": ["hard half", "hard half", "easy half", "easy half"], "alpha": [1.0, 20.0] * 2,
         "ratio": [1.5, 1.0, 0.95, 1.2]}
    )  # fmt: skip
    return figures.hard_or_easy(curves, switch=5.05)


def decided():
    return figures.decisions(pd.DataFrame(
        {"target": ["value"] * 2 + ["accuracy"] * 2, "params": [4e6, 7e8] * 2,
         "share": [0.57, 0.89, 0.58, 0.85], "low": [0.5, 0.86] * 2, "high": [0.63, 0.92] * 2}
    ))  # fmt: skip


def climbing():
    means = pd.DataFrame(
        {"corpus": ["a", "a", "b", "b"], "params": [4e6, 1e9] * 2, "value": [1.4, 0.55, 1.4, 0.9],
         "group": ["calm", "calm", "odd", "odd"]}
    )  # fmt: skip
    return figures.ladders(means, pd.DataFrame({"params": [1e9], "value": [1.0], "group": ["odd"]}))


EVERY = [best, gap, forms, evaluations, benchmarks, slider, pruned, halves, decided, climbing]


@pytest.mark.parametrize("make", EVERY)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


@pytest.mark.parametrize("make", EVERY)
def test_every_text_mark_has_a_text(make):
    for layer in make().to_dict()["layer"]:
        if layer["mark"]["type"] == "text":
            assert "text" in layer["encoding"]


def test_descriptions_carry_the_numbers():
    assert "rising from 0.160 to 0.170" in gap().to_dict()["description"]
    assert "Q 0.90 and 1.80" in forms().to_dict()["description"]
    assert "3e+03 for RedPajama on code" in evaluations().to_dict()["description"]
    assert "5.05" in halves().to_dict()["description"]
    assert "value from 0.57 to 0.89" in decided().to_dict()["description"]
    assert "odd 0.90 to 0.90" in climbing().to_dict()["description"]


def test_arrows_stand_only_where_the_reference_was_measured():
    spec = best().to_dict()
    arrows = [row for row in rows(spec) if "equal" in row]
    assert [(row["corpus"], row["equal"]) for row in arrows] == [("Comma", 2.7e19)]


def test_the_sliders_are_the_worth_and_the_budget():
    params = [one for one in slider().to_dict()["params"] if "bind" in one]
    assert [(one["name"], one["value"]) for one in params] == [("Q", 5.0), ("log_C", 23.0)]


def test_the_read_out_has_a_row_for_each_measured_multiplier():
    fixed = {row["fixed"]: row["kind"] for row in rows(slider().to_dict()) if "fixed" in row}
    assert fixed == {1.0: "original data", -1.0: "data of worth Q", 0.48: "measured"}
