"""Charts of the chapter on over-training: described, and drawn from the numbers they were given."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import overtraining as drawing
from scalinglib import charts, optimum, published
from scalinglib.laws import fit_overtraining
from scalinglib.optimum import budget_for_params
from scalinglib.topics import overtraining

LAWS = {"Sardana 2024": published.law("sardana2024/examples"), "Epoch 2024": published.EPOCH_2024}


@pytest.fixture(scope="module")
def life():
    return drawing.lifetime_cost(LAWS, size=13, served=2).to_dict()


def test_the_sliders_and_the_menu(life):
    inputs = {one["name"]: one for one in life["params"] if "bind" in one}
    assert list(inputs) == ["size", "served", "law"]
    assert inputs["law"]["bind"]["options"] == list(LAWS)
    for name in ("size", "served"):
        assert inputs[name]["bind"]["min"] < inputs[name]["value"] < inputs[name]["bind"]["max"]


def test_the_page_holds_the_constants_of_the_laws(life):
    (rows,) = [rows for rows in life["datasets"].values() if "G" in rows[0]]
    for row in rows:
        law = LAWS[row["name"]]
        assert {name: getattr(law, name) for name in ("A", "B", "alpha", "beta", "G", "a")} == {
            name: value for name, value in row.items() if name != "name"
        }


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("size", [1e9, 13e9, 100e9])
@pytest.mark.parametrize("served", [1e11, 2e12, 2e13])
def test_grid_and_one_step_find_the_best_model(law, size, served):
    # What the page computes in the reader's browser, over the range of its sliders.
    quality = sl.compute_optimal(law, budget_for_params(law, size))
    best = optimum.inference_optimal(law, quality.loss, served)
    least = (law.B / (quality.loss - law.E)) ** (1 / law.beta)
    z = np.log(law.beta / law.alpha) + drawing.STEP * np.arange(drawing.STEPS)
    weight = np.log(served / (3 * least)) - np.log1p(np.exp(z)) / law.beta
    gap = z - np.log(law.beta / law.alpha) - np.log1p(np.exp(weight))
    at = np.abs(gap).argmin()
    slope = 1 + 1 / law.beta / (1 + np.exp(-weight[at])) / (1 + np.exp(-z[at]))
    near = z[at] - gap[at] / slope
    N = (law.A / (quality.loss - law.E) * (1 + np.exp(-near))) ** (1 / law.alpha)
    assert pytest.approx(float(best.chosen.N), rel=1e-4) == N


def test_the_runs_and_what_was_predicted():
    runs = sl.load("overtrained_runs").assign(loss=lambda t: t.loss_c4)
    runs = runs[runs.corpus == "rpj"].assign(corpus="RedPajama", fitted=False)
    fit = fit_overtraining(runs)
    targets = runs[runs.model.isin(overtraining.LARGE)].assign(error=0.01)
    spec = drawing.over_trained_runs(
        runs[["corpus", "params", "tokens_per_param", "loss", "fitted"]],
        {"RedPajama": fit},
        targets[["corpus", "params", "tokens_per_param", "loss", "error"]],
    ).to_dict()
    assert "RedPajama 6.9B at 20: +1.00 %" in spec["description"]
    (rows,) = [rows for rows in spec["datasets"].values() if "kind" in rows[0]]
    kinds = pd.Series([row["kind"] for row in rows]).value_counts()
    assert kinds.to_dict() == {"run": 32, "predicted": 3}


def test_every_model_is_told():
    models = pd.DataFrame(
        {"model": ["small", "large"] * 2, "ratio": [1875.0, 20.0] * 2, "law": list("aabb"),
         "waste": [5.5, 1.0, 2.5, 1.1]}
    )  # fmt: skip
    spec = drawing.overspend(models, {"a": charts.EPOCH, "b": charts.HOFFMANN}).to_dict()
    assert "small 5.50 under a, 2.50 under b" in spec["description"]
    assert "large 1.00 under a, 1.10 under b" in spec["description"]


def test_the_floor_is_told():
    spec = drawing.no_saturation(
        {"Epoch 2024": (charts.EPOCH, sl.published.EPOCH_2024)}, N=8e9, D=15e12, data_end=3e11
    ).to_dict()
    assert "Epoch 2024 1.990" in spec["description"]


def test_penalties_are_told_and_lines_end_where_the_study_does():
    models = pd.DataFrame({"model": ["Llama 3 8B"], "params": [8e9], "tokens": [15e12]})
    spec = drawing.rounding_penalty(
        published.law("kumar2024/precision"), models, bits=4, reach=published.row("kumar2024/reach")
    ).to_dict()
    assert "Llama 3 8B 0.128" in spec["description"]
    rows = max(spec["datasets"].values(), key=len)
    assert {row["size"] for row in rows if row["inside"]} == {"1B"}


@pytest.mark.parametrize(
    ("N", "word"), [(1.06e7, "11M"), (1.44e9, "1.4B"), (7e10, "70B"), (4.05e11, "405B")]
)
def test_sizes_in_words(N, word):
    assert drawing.size_word(N) == word
