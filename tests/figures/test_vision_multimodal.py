"""Charts of the vision chapter: what they hold, and what they tell readers who cannot see them."""

import numpy as np
import pandas as pd
import pytest

from chapters.figures import vision_multimodal as figures

X = np.geomspace(4e6, 3e9, 200)
CURVES = pd.concat(
    [
        pd.DataFrame({"model": model, "curve": f"ImageNet, {model}", "examples_seen": X,
                      "error": floor + 0.6 * (1 + X / 3e7) ** -0.7, "in_fit": X < 1.5e9})
        for model, floor in (("one", 0.3), ("two", 0.31))
    ],
    ignore_index=True,
)  # fmt: skip


def rows(spec):
    return [row for table in spec["datasets"].values() for row in table]


def lines():
    return figures.learning_curves(CURVES, guessing=0.9)


def cuts():
    errors = pd.DataFrame(
        [{"below": below, "form": form, "rms": 0.05}
         for below in (1.0, 0.9) for form in figures.FORMS]
    )  # fmt: skip
    return figures.cutoffs(errors)


def plateaus():
    values = pd.DataFrame(
        {"curve": ["a", "a", "b", "b"], "form": ["with a floor", "saturating"] * 2,
         "plateau": [0.1, 0.3, 0.2, 0.25]}
    )  # fmt: skip
    return figures.plateaus(values, pd.Series({"a": 0.35, "b": 0.3}))


def doublings():
    roles = {name: figures.Role("", "#123456") for name in ("one", "two", "three")}
    gains = pd.DataFrame(
        [{"law": law, "doublings": at, "gain": 0.1} for law in roles for at in (0.0, 13.0)]
    )
    return figures.doublings(gains, roles)


def exponents():
    return figures.exponents(
        pd.DataFrame({"a": [0.5, 0.64], "a_implied": [np.nan, 0.54]}, index=["text", "late"])
    )


def trial():
    fits = pd.DataFrame(
        [{"curve": f"ImageNet, {model}", "below": below, "form": form, "E": 0.3, "A": 1.0,
          "d": 0.0, "alpha": 0.3, "rms": 0.04, "last": 1.5e9}
         for model in ("one", "two") for below in (0.8, 0.9, 1.0)
         for form in list(figures.FORMS)[:3]]
    )  # fmt: skip
    return figures.cut_and_see(
        CURVES, fits, start="ImageNet, one", below=1.0, steps=[0.8, 0.9, 1.0]
    )


@pytest.mark.parametrize("make", [lines, cuts, plateaus, doublings, exponents, trial])
def test_charts_are_described_and_light(make):
    spec = make().to_dict()
    assert len(spec["description"]) > 80
    assert spec["width"] == "container"
    assert len(rows(spec)) <= 1200


def test_the_trial_has_a_menu_and_a_slider():
    bound = {one["name"]: one for one in trial().to_dict()["params"] if "bind" in one}
    assert bound["curve"]["bind"]["options"] == ["ImageNet, one", "ImageNet, two"]
    assert bound["below"]["bind"]["step"] == pytest.approx(0.1)
    assert bound["below"]["value"] == 1.0


def test_thinning_keeps_both_ends():
    one = CURVES[CURVES.model == "one"]
    short = figures.thinned(one, 20)
    assert len(short) <= 20
    assert short.examples_seen.iloc[[0, -1]].tolist() == one.examples_seen.iloc[[0, -1]].tolist()
    assert figures.thinned(short, 50) is short


def test_names_of_neighbouring_curves_are_moved_apart():
    placed = [row["place"] for row in rows(lines().to_dict()) if "place" in row]
    assert max(placed) / min(placed) >= 1.07


def test_rows_without_alpha_and_beta_have_one_mark():
    points = [row for row in rows(exponents().to_dict()) if row.get("kind")]
    assert [(row["row"], row["kind"]) for row in points] == [
        ("text", "printed"), ("late", "printed"), ("late", "from α and β"),
    ]  # fmt: skip
