"""Charts of the chapter on one law: what they hold, and what they say in words."""

import numpy as np
import pandas as pd

import scalinglib as sl
from chapters.figures import one_law as figures


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def test_falls_say_the_largest_of_each_truth_and_what_was_seen():
    draws = pd.DataFrame({"truth": ["sum"] * 2 + ["solvable"] * 2, "fall": [0.1, -0.1, 0.2, 0.15]})
    spec = figures.falls(draws, 0.239).to_dict()
    assert "a rule at 0.239" in spec["description"]
    assert "sum at most 0.10; solvable at most 0.20" in spec["description"]
    assert {"fall": 0.239} in rows(spec)


def test_placebos_count_the_points_outside_their_bars():
    table = pd.DataFrame(
        {"table": list("ab"), "seen": [0.3, 0.9], "low": [0.8] * 2, "high": [1.2] * 2}
    )
    spec = figures.placebos(table, "k", (0.1, 5), [0.5, 1], still=1.0).to_dict()
    assert "On 1 tables the value lies outside" in spec["description"]


def test_held_out_errors_are_told_for_what_the_menu_starts_with():
    errors = pd.DataFrame(
        [("a", by, "solvable", value) for by, value in (("compute", 0.5), ("tokens", 2.0))],
        columns=["table", "by", "form", "times"],
    )
    spec = figures.held_out(errors).to_dict()
    assert "largest by compute out: solvable 0.50" in spec["description"]
    assert spec["params"][0]["value"] == "compute"


def test_gains_and_plans_name_their_ends():
    points = pd.DataFrame({"params": [5e7, 2e9], "gain": [0.2, 0.4]})
    lines = points.assign(form="sum")
    said = figures.gain_by_size(points, lines).to_dict()["description"]
    assert "from 0.200 nats for the smallest to 0.400" in said
    curves = pd.DataFrame(
        {"form": ["sum", "half"] * 2, "C": [1e18] * 2 + [1e26] * 2, "ratio": [9.0, 3, 8, 4]}
    )
    spec = figures.plans(curves, data_end=1e22, budgets=[1e24]).to_dict()
    assert "sum starts at 9; half starts at 3" in spec["description"]


def test_the_explorer_plans_as_the_law_does():
    law = sl.published.EPOCH_2024
    best = sl.compute_optimal(law, 10**23.0)
    N = law.G * (10**23.0 / 6) ** law.a
    np.testing.assert_allclose(N, best.N)
    frame = pd.DataFrame(
        {"table": ["t"] * 3, "ratio": [1.0, 10, 100]}
        | {one: [0.1, -0.1, 0.2] for one in figures.FORMS}
    )
    told = pd.DataFrame(
        {
            "table": ["t"],
            "form": ["sum"],
            "constants": ["E 1"],
            "errors": ["e"],
            "G": [law.G],
            "a": [law.a],
        }
    )
    spec = figures.explorer(frame, frame, told, budget=1e23).to_dict()
    assert [one["name"] for one in spec["params"]] == ["form", "table", "log_C"]
    steps = [
        step["calculate"]
        for layer in spec["layer"]
        for step in layer.get("transform", [])
        if "calculate" in step
    ]
    assert "datum.G * pow(pow(10, log_C) / 6, datum.a)" in steps
