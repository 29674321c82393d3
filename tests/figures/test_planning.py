"""The picture of two runs that tell laws apart: signs, sides and words."""

import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import planning as figures

SMALL, LARGE = (3e9, 60e9), (7e9, 25e9)
MIDDLE = (SMALL[0] * LARGE[0]) ** 0.5


@pytest.fixture(scope="module")
def told():
    """Every law of the catalogue that gives a loss, as on the page."""
    laws = sl.catalogue()
    best = sl.plans((sl.training_flops(*SMALL) * sl.training_flops(*LARGE)) ** 0.5).params
    rows = {}
    for key in laws.index[~laws.law.isin(["Frontier", "ComputeSplit"])]:
        law = sl.law(key)
        law = getattr(law, "chinchilla", getattr(law, "base", law))
        rows[key] = {"best": float(best[key]), "lead": float(law.loss(*LARGE) - law.loss(*SMALL))}
    return pd.DataFrame(rows).T


@pytest.fixture(scope="module")
def spec(told):
    return figures.leads(told, middle=MIDDLE).to_dict()


@pytest.fixture(scope="module")
def points(spec):
    return next(one for one in spec["layer"] if "tooltip" in one.get("encoding", {}))


def test_away_from_the_middle_the_best_size_says_who_is_ahead(spec, told):
    rows = [row for table in spec["datasets"].values() for row in table if "ahead" in row]
    assert len(rows) == len(told)
    for row in rows:
        assert row["ahead"] == ("3B ahead" if told.lead[row["law"]] > 0 else "7B ahead")
        if abs(row["best"] / MIDDLE - 1) > 0.1:
            assert (row["ahead"] == "3B ahead") == (row["best"] < MIDDLE)


@pytest.mark.parametrize(("channel", "column"), [("x", "best"), ("y", "lead")])
def test_every_point_is_inside_the_picture(points, told, channel, column):
    assert told[column].between(*points["encoding"][channel]["scale"]["domain"]).all()


def test_the_ends_are_told(spec, told):
    for key in (told.best.idxmin(), told.best.idxmax()):
        assert f"{told.lead[key]:+.3f}" in spec["description"]
        assert f"is {told.best[key]:.2g}" in spec["description"]
