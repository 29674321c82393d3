"""Charts of the chapter on emergence: what they hold, and what they tell those who cannot see."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import emergence as figures
from scalinglib.laws import BrokenPowerLaw, PowerLaw, Sigmoid
from scalinglib.topics.emergence import TokenLine, chance_of_zero

LINE = TokenLine(start=1e8, base=0.5, gain=0.1, ceiling=0.99, tokens=8)
BROKEN = BrokenPowerLaw(a=0.4, b=2.3, c0=0.05, c1=5.7, d=613.0, f=0.06)
FLAT = PowerLaw(A=3.0, alpha=0.1)


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def accuracy():
    points = pd.DataFrame(
        {"perplexity": [1e6, 1e5, 10.0], "accuracy": [0.0, 0.0004, 0.55], "step": [1, 512, 9000]}
    )
    tables = {"guess": 2.7e6, "pairs": 1.6e5}
    return figures.accuracy_curve(points, Sigmoid(0.0, 1.0, -0.6, 2.5), step=512, tables=tables)


def zeros():
    models = pd.DataFrame({"params": [7e7, 1e9, 1.2e10], "accuracy": [6e-4, 8e-3, 0.023]})
    return figures.zero_scores(models, (10, 128, 5000))


def listing():
    return figures.listing(LINE, sizes=(1e8, 1e11), end=1e13)


def metrics():
    return figures.two_metrics(
        pd.DataFrame(
            {"model": ["a", "b"], "flops": [1e20, 1e24], "exact_match": [0.0, 0.3],
             "bleu": [0.0005, 0.5]}
        )
    )  # fmt: skip


def progress():
    run = pd.concat(
        pd.DataFrame({"tokens": [2e10, 2e11, 8e11], "measure": name, "share": [0, 0.5, 1]})
        for name in figures.MEASURES
    )
    return figures.progress(run, window=(2.3e11, 2.9e11))


def letters():
    points = pd.concat(
        pd.DataFrame({"run": run, "form": form, "loss": [2.9, 2.6], "accuracy": [0.25, 0.8]})
        for run in ("OLMo2-7B", "OLMo2-13B")
        for form in ("letter", "cloze")
    )
    return figures.letters_by_loss(points, chance=0.25)


def addition():
    x = np.array([160.0, 400, 600, 700, 800, 928])
    return figures.broken_curve(
        pd.DataFrame({"x": x, "loss": BROKEN.value(x)}),
        {"broken": (figures.SMOOTH, BROKEN, 4), "line": (figures.PLAIN, FLAT, 4)},
    )


def gains():
    models = pd.DataFrame({"model": ["a", "b"], "flops": [1e21, 1e24], "gain": [-0.01, 0.2]})
    return figures.gains(models, named={"b": "model b"})


def lenses():
    return figures.lenses(LINE.power_law(1e11), tokens=8, questions=100)


ALL = [accuracy, zeros, listing, metrics, progress, letters, addition, gains, lenses]


@pytest.mark.parametrize("make", ALL)
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1000


def test_the_sliders_are_the_two_lengths():
    params = [one for one in lenses().to_dict()["params"] if "bind" in one]
    assert [(one["name"], one["value"]) for one in params] == [("tokens", 8), ("questions", 100)]


def test_the_shaded_sizes_score_zero_in_half_of_all_tests():
    # The edge that the chart computes, at its first settings.
    law, tokens, questions = LINE.power_law(1e11), 8, 100
    edge = (-law.A * tokens / np.log(1 - 0.5 ** (1 / questions))) ** (1 / law.alpha)
    score = np.exp(-tokens * law.loss(edge))
    assert chance_of_zero(score, questions) == pytest.approx(0.5)


def test_zeros_are_drawn_on_the_floor_and_marked():
    drawn = [row for row in rows(metrics().to_dict()) if row.get("zero")]
    assert [row["y"] for row in drawn] == [2e-5]
    assert drawn[0]["measure"] == "exact match"


def test_held_out_points_are_told_from_fitted_ones():
    points = [row for row in rows(addition().to_dict()) if "held" in row]
    assert [row["held"] for row in points] == [False] * 4 + [True] * 2


def test_each_curve_is_named_once():
    names = [row["word"] for row in rows(zeros().to_dict()) if "word" in row]
    assert names == ["128", "5,000", "10 questions"]
