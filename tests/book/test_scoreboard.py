"""The scoreboard: every comparison table is on it, its numbers add up, and every reason is used."""

import json
import re

import pandas as pd
import pytest
import scoreboard
import tables

import scalinglib as sl
from scalinglib import display, published

from .conftest import ROOT

BOARD = scoreboard.collect()
ROWS = list(BOARD.itertuples())
NOTEBOOKS = {
    slug: (ROOT / "chapters" / f"{slug}.ipynb").read_text(encoding="utf-8")
    for slug in scoreboard.chapters()
    if (ROOT / "chapters" / f"{slug}.ipynb").exists()
}
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.chapter}: {row.quantity}")


def outputs(slug):
    notebook = json.loads(NOTEBOOKS[slug])
    return [one.get("data", {}) for cell in notebook["cells"] for one in cell.get("outputs", [])]


def printed_rows(slug):
    """Lines under the heads of the comparison tables, as a reader of the notebook sees them."""
    texts = ["".join(data.get("text/plain", "")).splitlines() for data in outputs(slug)]
    return [line for lines in texts if lines and "returns the print?" in lines[0]
            for line in lines[1:]]  # fmt: skip


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_every_table_of_a_notebook_is_collected(slug):
    told = printed_rows(slug)
    here = BOARD[BOARD.chapter == slug]
    assert len(told) == len(here)
    for line, row in zip(told, here.itertuples(), strict=True):
        shown = (row.quantity, row.printed, row.ours, "yes" if row.returns else "no", row.agrees)
        assert all(one in line for one in shown)


@pytest.mark.parametrize("slug", NOTEBOOKS)
def test_every_comparison_that_a_chapter_writes_ran(slug):
    source = (ROOT / "chapters" / f"{slug}.md").read_text(encoding="utf-8")
    written = len(re.findall(r"display\.comparison\(", source))
    assert BOARD[BOARD.chapter == slug].table.nunique() == written


@each_row
def test_a_printed_number_has_its_home(row):
    place = (row.printed, row.source, row.where, row.how)
    assert scoreboard.keys().get(place) or float(row.printed) in stored(row)
    if row.key:
        assert row.key in set(sl.load("published").key) | set(sl.load("laws").key)


def stored(row):
    """The numbers of a paper's table that is kept whole, at the digits that were printed."""
    assert (row.source, row.where.split(",")[0]) == ("hoffmann2022", "Table 2")
    table = sl.load("chinchilla_table2_exponents").select_dtypes("number")
    places = len(row.printed.partition(".")[2])
    return set(table.to_numpy().round(places).ravel())


@each_row
def test_the_verdicts_follow_from_the_numbers(row):
    ours, shown = float(row.ours), published.Reported(row.ours, row.source, row.where).half_unit
    known = [published.printed(row.key)] if row.key in set(sl.load("published").key) else []
    one = known[0] if known else published.Reported(row.printed, row.source, row.where)
    gap = abs(ours - one.value)
    # What is shown is rounded, so it decides up to half a unit of its last digit.
    assert gap <= one.half_unit + shown if row.returns else gap >= one.half_unit - shown
    near = published.NEAR * abs(one.value)
    if row.agrees == "near":
        assert gap <= near + shown
    elif row.agrees == "differs":
        assert gap >= near - shown
    else:
        errors = [one.se or 0, float(row.se or 0), *error_of_constant(row)]
        # Our own error is shown with two digits.
        assert gap <= 1.05 * max(errors) + shown


def error_of_constant(row):
    """The printed standard errors of the fit that a row belongs to, at the printed constant."""
    if row.key not in set(sl.load("laws").key):
        return []
    constants = published.constants(row.key).values()
    return [one.se for one in constants if one.text == row.printed and one.se]


@pytest.mark.parametrize("by", ["chapter", "source"])
def test_the_totals_add_up(by):
    totals = scoreboard.totals(BOARD, by)
    assert totals.printed.sum() == len(BOARD)
    assert totals["return"].sum() == BOARD.returns.sum()
    assert totals.agree.sum() == (BOARD.agrees != "differs").sum()
    either = BOARD.returns | (BOARD.agrees != "differs")
    assert totals.neither.sum() == (~either).sum()


def test_each_outcome_is_one_of_three():
    assert set(BOARD.outcome) == set(scoreboard.OUTCOMES)
    assert ((BOARD.outcome == scoreboard.RETURNS) == BOARD.returns).all()


def test_each_row_that_does_not_return_has_its_reason_and_none_is_left_over():
    missed = BOARD[~BOARD.returns]
    reasons = sl.load("unreturned")
    assert set(reasons.cause) == {"inputs", "method", "source", "other", "open"}
    names = ["chapter", "quantity"]
    assert not reasons.duplicated(names).any()
    assert not BOARD.duplicated(names).any()
    told, needed = (set(map(tuple, one[names].to_numpy())) for one in (reasons, missed))
    assert needed - told == set(), "a row without a reason: add it to data/unreturned.csv"
    assert told - needed == set(), "a reason without a row: remove it from data/unreturned.csv"
    assert (missed.why.str.endswith(".") & (missed.why.str.count(r"\. ") == 0)).all()


@pytest.mark.parametrize("name", ["published", "laws"])
def test_every_quoted_number_has_an_address_of_its_own(name):
    keys = pd.concat([sl.load("published").key, sl.load("laws").key])
    assert keys.map(tables.address).is_unique
    assert set(sl.load(name).source) <= set(tables.papers())


def test_every_row_has_an_address_of_its_own():
    assert (BOARD.chapter + " " + BOARD.quantity).map(tables.address).is_unique


def test_a_comparison_tells_machines_what_it_tells_people():
    one = published.Reported("0.3658", source="besiroglu2024", where="headline fit", se=0.02)
    table = display.comparison([("beta", one, 0.3671, 0.01234), ("again", one, 0.36582)])
    assert table.records() == [
        {"quantity": "beta", "printed": "0.3658", "source": "besiroglu2024",
         "where": "headline fit", "how": "paper", "ours": "0.3671", "se": "0.012",
         "returns": False, "agrees": "within error"},
        {"quantity": "again", "printed": "0.3658", "source": "besiroglu2024",
         "where": "headline fit", "how": "paper", "ours": "0.3658", "se": None,
         "returns": True, "agrees": "within error"},
    ]  # fmt: skip
    frame = table.frame()
    assert list(frame["ours"]) == [row["ours"] for row in table.records()]
