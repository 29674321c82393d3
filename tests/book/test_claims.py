"""Every claim of the ledger: present, bound, and judged by the numbers alone."""

import math
import re
from functools import cache
from pathlib import Path

import pytest
from docutils.nodes import make_id

import scalinglib as sl
from chapters import audit

ROOT = Path(__file__).resolve().parents[2]
CLAIMS, READINGS = sl.load("claims").fillna(""), sl.load("claim_readings")
ROWS = list(CLAIMS.itertuples())
BOUND = {"formula", "fit", "table", "arithmetic", "code"}
KINDS = BOUND | {"citation", "history", "untestable"}
SETTLED = audit.settled()
BY_FUNCTION = {
    function: [claim for claim, other in SETTLED.items() if other is function]
    for function in SETTLED.values()
}


@cache
def computed(function):
    return function()


@cache
def headings(slug):
    """Addresses of the headings of a page, or None while the page is not there."""
    page = ROOT / "chapters" / f"{slug}.md"
    if not page.exists():
        return None
    found = re.findall(r"^#{2,4} (.+)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {make_id(re.sub(r"\$[^$]*\$|[*_`]", "", one)) for one in found} | {""}


def test_all_are_there():
    assert len(CLAIMS) == 294
    assert CLAIMS.id.is_unique
    assert CLAIMS.question.is_unique
    assert set(CLAIMS.kind) == KINDS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_claim_is_bound_or_says_why_not(row):
    if row.kind in BOUND:
        assert row.id in SETTLED, "no function of chapters/audit settles it"
    if row.id in SETTLED:
        assert (READINGS.claim == row.id).any(), "its function has no reading in claim_readings"
        assert row.verdict != "untestable", "it is computed, so it was tested"
    elif row.verdict == "untestable":
        assert row.settle, "it does not say what would settle it"
    else:
        assert row.source, "it names no source"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_a_claim_leads_to_the_section_that_settles_it(row):
    found = headings(row.chapter)
    if found is None:
        assert row.section == "", "its chapter is not there, so it can name no section"
    else:
        assert make_id(row.section) in found


@pytest.mark.parametrize("claim", sorted(SETTLED))
def test_the_verdict_follows_from_the_numbers(claim):
    new = computed(SETTLED[claim])
    rows = READINGS[READINGS.claim == claim]
    assert set(rows.reading) <= set(new)
    for row in rows.itertuples():
        allowed = row.tolerance * abs(row.ours) if row.ours else row.tolerance
        assert math.isclose(new[row.reading], row.ours, abs_tol=allowed, rel_tol=1e-12), row.reading
    verdict = CLAIMS.set_index("id").verdict[claim]
    assert audit.verdict(audit.readings(claim, READINGS, new)) == verdict


@pytest.mark.parametrize(
    "function", BY_FUNCTION, ids=lambda one: f"{one.__module__}.{one.__name__}"
)
def test_every_reading_is_used(function):
    used = READINGS[READINGS.claim.isin(BY_FUNCTION[function])].reading
    assert set(computed(function)) == set(used)


def test_no_reading_is_left_over():
    assert set(READINGS.claim) == set(SETTLED)
    assert not READINGS.duplicated(["claim", "reading"]).any()


@pytest.mark.parametrize(
    ("values", "against", "verdict"),
    [
        ((1.0, 2.0), "data", "reproduced"),
        ((1.0, 9.0), "data", "refined"),
        ((8.0, 9.0), "data", "contradicted"),
        ((8.0, 9.0), "article", "inconsistent"),
        ((1.0, 9.0), "article", "refined"),
    ],
)
def test_the_rule(values, against, verdict):
    assert audit.verdict([audit.Reading("", 0, 5, one, against) for one in values]) == verdict


def test_a_claim_has_one_function():
    with pytest.raises(ValueError, match="name one function"):
        audit.settles(next(iter(SETTLED)))(lambda: {})
