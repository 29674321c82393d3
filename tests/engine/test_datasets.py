"""Tables are exactly what their description says, or they are refused by name, row and column."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import datasets

RESOURCE = datasets.describe("chinchilla_runs")
CONTENT = (Path(__file__).resolve().parents[2] / "data" / RESOURCE["path"]).read_bytes()


def refused(content, match, **changes):
    resource = {**RESOURCE, **changes}
    with pytest.raises(sl.DataError, match=match):
        datasets.parse_table(resource, content)


def edited(old, new):
    text = CONTENT.decode()
    assert old in text
    return text.replace(old, new, 1).encode()


@pytest.mark.parametrize("name", datasets.names())
def test_every_table_loads(name):
    frame = sl.load(name)
    described = datasets.describe(name)
    assert len(frame) == described["rows"]
    assert described["licence"]
    assert described["sources"][0]["path"].startswith("https://")
    assert all(field["description"] for field in described["schema"]["fields"])


def test_numbers_are_floats_so_that_6nd_cannot_overflow():
    runs = sl.load("chinchilla_runs")
    assert (runs.dtypes[["params", "tokens", "flops", "loss"]] == np.float64).all()
    assert runs.excluded.dtype == bool


def test_the_chinchilla_runs_agree_with_themselves():
    runs = sl.load("chinchilla_runs")
    # Three numbers of 7 digits each: half a unit of the last place is 5e-7 at worst.
    np.testing.assert_allclose(6 * runs.params * runs.tokens, runs.flops, rtol=3 * 5e-7)
    largest = runs.loss.sort_values(kind="stable").index[-5:]
    assert set(runs.index[runs.excluded]) == set(largest)
    assert sorted(runs.source_row) == list(range(245))
    order = runs.sort_values(["flops", "params"], kind="stable").index
    assert list(order) == list(runs.index)


def test_unknown_name():
    with pytest.raises(sl.DataError, match=r"no table named 'chinchila'.*chinchilla_runs"):
        sl.load("chinchila")


def test_one_changed_value_is_refused():
    refused(edited("3.405928", "3.405929"), r"chinchilla_runs\.csv: the file has hash sha256:")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("3.405928", "", r"row 2, column loss: '' is empty"),
        ("3.405928", "nan", r"row 2, column loss: 'nan' is not a finite number"),
        ("3.405928", "three", r"row 2, column loss: 'three' is not a finite number"),
        ("3.405928", "0.34", r"row 2, column loss: '0.34' is below the minimum 1"),
        ("3.325255", "33", r"row 3, column loss: '33' is above the maximum 12"),
        ("False,47", "no,47", r"row 2, column excluded: 'no' is neither True nor False"),
        ("False,47", "False,47.5", r"row 2, column source_row: '47.5' is not a whole number"),
        ("False,47", "False,49", r"row 3, column source_row: '49' occurs twice"),
        ("params,flops", "flops,params", r"the columns are"),
    ],
)
def test_a_bad_value_is_named_by_row_and_column(old, new, match):
    refused(edited(old, new), match)


def test_a_missing_row_is_refused():
    refused(CONTENT[: CONTENT[:-1].rindex(b"\n") + 1], r"244 rows, but datapackage.json says 245")


def test_columns_may_have_gaps_where_the_description_allows_them():
    fields = [
        {"name": "count", "type": "integer"},
        {"name": "flag", "type": "boolean"},
        {"name": "label", "type": "string"},
    ]
    content = b"count,flag,label\n1,True,a\n,,\n"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    resource = {"path": "gaps.csv", "rows": 2, "hash": digest, "schema": {"fields": fields}}
    frame = datasets.parse_table(resource, content)
    assert frame["count"].isna().tolist() == [False, True]
    assert frame.flag.tolist() == [True, pd.NA]
    assert frame.label.isna().tolist() == [False, True]


def test_the_package_description_lists_every_file():
    folder = Path(__file__).resolve().parents[2] / "data"
    package = json.loads((folder / "datapackage.json").read_text())
    listed = {resource["path"] for resource in package["resources"]}
    assert listed == {path.name for path in folder.glob("*.csv")}
    for resource in package["resources"]:
        assert resource["bytes"] == (folder / resource["path"]).stat().st_size
