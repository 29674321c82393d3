"""Every claim of the ledger: present, bound, and judged by the numbers alone."""

import math

import pytest

import scalinglib as sl
from chapters import audit

CLAIMS, READINGS = sl.load("claims"), sl.load("claim_readings")
BOUND = {"formula", "fit", "table", "arithmetic", "code"}
SETTLED = audit.settled()


def computed(claim, cache={}):  # noqa: B006 - a function is run once for all of its claims
    function = SETTLED[claim]
    if function not in cache:
        cache[function] = function()
    return cache[function]


def test_all_are_there():
    assert len(CLAIMS) == 294
    assert CLAIMS.id.is_unique


@pytest.mark.parametrize("row", CLAIMS.itertuples(), ids=lambda row: row.id)
def test_a_claim_is_bound_or_says_why_not(row):
    if row.kind in BOUND:
        assert row.id in SETTLED, "no function of chapters/audit settles it"
    if row.id in SETTLED:
        assert (READINGS.claim == row.id).any(), "its function has no reading in claim_readings"
    if row.verdict == "untestable":
        assert row.settle, "it does not say what would settle it"
    else:
        assert row.source or row.id in SETTLED, "it names no source"


@pytest.mark.parametrize("claim", sorted(SETTLED))
def test_the_verdict_follows_from_the_numbers(claim):
    rows = READINGS[READINGS.claim == claim]
    assert set(rows.reading) <= set(computed(claim))
    for row in rows.itertuples():
        new = float(computed(claim)[row.reading])
        allowed = row.tolerance * abs(row.ours) if row.ours else row.tolerance
        assert math.isclose(new, row.ours, abs_tol=allowed, rel_tol=1e-12), (row.reading, new)
    verdict = CLAIMS.set_index("id").verdict[claim]
    assert audit.verdict(audit.readings(claim, READINGS, computed(claim))) == verdict


@pytest.mark.parametrize("function", sorted({f.__qualname__ for f in SETTLED.values()}))
def test_every_reading_is_used(function):
    claims = [claim for claim, settling in SETTLED.items() if settling.__qualname__ == function]
    used = set(READINGS[READINGS.claim.isin(claims)].reading)
    assert set(computed(claims[0])) == used
