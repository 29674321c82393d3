"""Charts of the measured law: what they hold, and what they tell those who cannot see."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import measured as figures
from scalinglib import fit_isoflop
from scalinglib.laws import ChinchillaLaw

LAW = ChinchillaLaw(E=1.0, A=20.0, B=100.0, alpha=0.35, beta=0.4)


def held(chart):
    spec = chart.to_dict()
    return spec, [row for table in spec["datasets"].values() for row in table]


@pytest.fixture(scope="module")
def runs():
    C, N = np.meshgrid([1e11, 1e12, 1e13], np.geomspace(5e3, 5e5, 9))
    frame = pd.DataFrame({"budget_flops": C.ravel(), "params": N.ravel()})
    frame = frame.assign(tokens=frame.budget_flops / 6 / frame.params)
    return frame.assign(loss=LAW.loss(frame.params, frame.tokens))


@pytest.fixture(scope="module")
def fit(runs):
    return fit_isoflop(runs)


def test_a_rate_chart_marks_each_vertex():
    tried = pd.DataFrame(
        {"params": np.repeat([5000, 20000, 80000], 3), "learning_rate": [0.01, 0.02, 0.04] * 3,
         "loss": [2.2, 2.1, 2.3, 2.1, 2.0, 2.2, 2.3, 2.2, 2.4]}
    )  # fmt: skip
    best = pd.DataFrame(
        {"params": [5000, 20000, 80000], "learning_rate": [0.021, 0.019, 0.017],
         "loss": [2.1, 2.0, 2.2]}
    )  # fmt: skip
    spec, rows = held(figures.rates(tried, best))
    assert "5,000 at 0.021; 20,000 at 0.019; 80,000 at 0.017" in spec["description"]
    assert {row["learning_rate"] for row in rows} == {0.01, 0.02, 0.04, 0.021, 0.019, 0.017}


def test_four_sizes_have_four_colours_and_a_fifth_is_refused():
    sizes = [5000, 20000, 80000, 300000, 900000]
    tried = pd.DataFrame(
        {"params": np.repeat(sizes, 2), "learning_rate": [0.01, 0.02] * 5, "loss": [2.2, 2.1] * 5}
    )
    best = tried.groupby("params", as_index=False).first()
    spec, _ = held(figures.rates(tried[tried.params < 9e5], best[best.params < 9e5]))
    assert "for 4 model sizes" in spec["description"]
    assert len(set(figures.HUES)) == 4
    with pytest.raises(ValueError, match="zip"):
        figures.rates(tried, best)


def test_curves_end_where_their_runs_do(runs, fit):
    points = pd.DataFrame(
        {"run": ["a", "a", "b", "b"], "params": [5e3, 5e3, 5e4, 5e4],
         "flops": [1e8, 1e10, 1e10, 1e11], "loss": [3.5, 2.5, 2.6, 2.2]}
    )  # fmt: skip
    spec, rows = held(figures.curves(points, fit, fit, span=(1e9, 1e12)))
    assert "2 runs of 2 sizes" in spec["description"]
    # What lies before the frame is not drawn.
    assert min(row["flops"] for row in rows) == 1e10


def test_schedules_show_what_was_foretold_beside_what_was_measured():
    table = pd.DataFrame(
        {"params": [1e4, 1e5] * 2, "share": [1.0, 0.1] * 2,
         "kind": ["foretold", "foretold", "measured", "measured"],
         "excess": [0.0, -0.02, 0.0, -0.03]}
    )  # fmt: skip
    spec, _ = held(figures.schedules(table))
    assert "foretold: +0.0%, -2.0%; measured: +0.0%, -3.0%" in spec["description"]


def test_the_valley_follows_its_slider():
    spec, rows = held(figures.valley(LAW, budget=1e12, data_end=1e13, sizes=(1e3, 6e5)))
    assert [one["name"] for one in spec["params"]] == ["log_C"]
    assert spec["params"][0]["value"] == 12
    assert any(row.get("G") == pytest.approx(LAW.G) for row in rows)
    assert "largest model trained" in str(spec)
    terms = {row["N"]: row["size_term"] for row in rows if "size_term" in row}
    assert terms[1000.0] == pytest.approx(20 * 1000**-0.35, rel=1e-4)
