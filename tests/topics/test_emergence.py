"""Metrics and emergence measures refuse what they cannot mean, and say why."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.laws import BrokenPowerLaw
from scalinglib.topics import emergence
from scalinglib.topics.emergence import (
    TokenLine,
    brier_score,
    chance_of_zero,
    edit_distance,
    emergence_score,
    exact_match,
    questions_needed,
    steepest_window,
    window_share,
    zero_score_chance,
)
from tests.examples import few

LINE = TokenLine(start=1e8, base=0.5, gain=0.1, ceiling=0.99, tokens=8)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: emergence.exact_match(1.2, 8), "p must be a chance from 0 to 1"),
        (lambda: emergence.exact_match(0.5, 0), "tokens must be 1 or more"),
        (lambda: emergence.edit_distance(np.nan, 8), "p must be a chance from 0 to 1"),
        (lambda: emergence.brier_score(0.5, options=1), "options is 1"),
        (lambda: emergence.emergence_score([1.0]), "y must hold at least 2 values"),
        (lambda: emergence.emergence_score([1.0, np.inf]), "y is inf at position 1"),
        (lambda: emergence.window_share([0, 1], [0, 1], (1, 0)), "window runs from 1 to 0"),
        (lambda: emergence.window_share([0, 0], [0, 1], (0, 1)), "x must increase strictly"),
        (lambda: emergence.window_share([0, 1], [1, 1], (0, 1)), "y ends where it began"),
        (lambda: emergence.window_share([0, 1, 2], [1, 1], (0, 1)), "x has 3, y has 2"),
        (lambda: emergence.steepest_window([0, 1], [0, 1], width=2), "width is 2"),
        (lambda: emergence.last_crossing([0, 1], [0, 1], level=2), "does not rise through 2"),
        (lambda: emergence.last_crossing([0, 1, 2], [0, 1], level=0.5), "x has 3, y has 2"),
        (lambda: emergence.zero_score_chance([11], [10]), "n_correct exceeds n_samples"),
        (lambda: emergence.zero_score_chance([1.5], [10]), "n_correct must be whole numbers"),
        (lambda: emergence.zero_score_chance([1], [10], k=11), "k is 11"),
        (lambda: emergence.chance_of_zero(0.5, 0), "questions must be 1 or more"),
        (lambda: emergence.questions_needed(0.0), "strictly between 0 and 1"),
        (lambda: LINE.params_for(0.95), "score is 0.95"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


def test_a_constant_series_has_no_score():
    assert emergence.emergence_score([0.0, 0.0, 0.0]) == 0.0


chances = st.floats(0.01, 0.99)
lengths = st.integers(1, 40)
series = st.lists(st.floats(-50, 50), min_size=4, max_size=30).map(
    lambda steps: np.cumsum(np.round(steps, 3))
)
laws = st.builds(
    BrokenPowerLaw,
    a=st.floats(0, 2), b=st.floats(0.1, 10), c0=st.floats(0, 1), c1=st.floats(0, 5),
    d=st.floats(10, 1e6), f=st.floats(0.01, 2),
)  # fmt: skip


@given(p=chances, k=lengths)
def test_exact_match_is_bounded_by_the_edit_distance(p, k):
    # Bernoulli: the chance of no error is at least 1 minus the expected number of errors.
    assert exact_match(p, k) >= 1 - edit_distance(p, k) - 1e-12
    assert exact_match(p, k) <= p + 1e-12
    assert exact_match(p, 1) == pytest.approx(1 - edit_distance(p, 1))


@given(p=chances, j=lengths, k=lengths)
def test_lengths_add_up(p, j, k):
    assert exact_match(p, j) * exact_match(p, k) == pytest.approx(exact_match(p, j + k))
    assert edit_distance(p, j) + edit_distance(p, k) == pytest.approx(edit_distance(p, j + k))


@given(p=chances, options=st.integers(2, 20))
def test_brier_score_is_the_sum_over_options(p, options):
    others = np.full(options - 1, (1 - p) / (options - 1))
    assert brier_score(p, options=options) == pytest.approx((1 - p) ** 2 + np.sum(others**2))


@given(y=series, scale=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_the_score_ignores_units_and_turns_with_the_sign(y, scale, shift):
    if np.ptp(y) > 1 and np.median(np.abs(np.diff(y))) > 0.01 and len(set(y)) == len(y):
        score = emergence_score(y)
        assert emergence_score(scale * y + shift) == pytest.approx(score, rel=1e-6)
        assert emergence_score(-y) == pytest.approx(-score)


@given(n=st.integers(2, 300), slope=st.floats(-9, 9).filter(lambda one: abs(one) > 0.01))
def test_a_line_scores_its_number_of_steps(n, slope):
    score = emergence_score(slope * np.arange(n))
    assert score == pytest.approx(np.sign(slope) * (n - 1), rel=1e-6)


@given(y=series, cut=st.floats(0.05, 0.95))
def test_shares_of_two_windows_sum_to_one(y, cut):
    if abs(y[-1] - y[0]) > 0.1:
        x = np.arange(float(len(y)))
        middle = cut * x[-1]
        parts = window_share(x, y, (0, middle)) + window_share(x, y, (middle, x[-1]))
        assert parts == pytest.approx(1)


@given(y=series, width=st.floats(0.1, 1), place=st.floats(0, 1))
def test_no_window_beats_the_steepest(y, width, place):
    if abs(y[-1] - y[0]) > 0.1:
        x = np.arange(float(len(y)))
        wide = width * x[-1]
        low = place * (x[-1] - wide)
        if low + wide <= x[-1]:
            best = steepest_window(x, y, width=wide)[1]
            assert window_share(x, y, (low, low + wide)) <= best + 1e-9


@given(p=st.floats(1e-5, 0.5), level=st.floats(0.01, 0.99))
def test_needed_questions_leave_the_stated_chance_of_zero(p, level):
    n = questions_needed(p, level=level)
    if n >= 1:
        assert chance_of_zero(p, n) == pytest.approx(1 - level)


@given(counts=st.lists(st.integers(0, 50), min_size=1, max_size=20), k=st.integers(1, 50))
def test_zero_chance_is_that_of_drawing_without_replacement(counts, k):
    expected = np.prod([comb(50 - c, k) / comb(50, k) for c in counts])
    found = zero_score_chance(counts, [50] * len(counts), k=k)
    assert found == pytest.approx(expected, abs=1e-12)


@given(base=st.floats(0.1, 0.6), gain=st.floats(0.02, 0.2), k=lengths, score=st.floats(0.01, 0.9))
def test_params_for_inverts_the_exact_match(base, gain, k, score):
    line = TokenLine(start=1e8, base=base, gain=gain, ceiling=0.999, tokens=k)
    N = line.params_for(score)
    if 1e6 < N < 1e18:
        assert line.exact_match(N) == pytest.approx(score, rel=1e-6)


@given(base=st.floats(0.1, 0.6), gain=st.floats(0.02, 0.1))
def test_power_law_meets_the_line_at_both_ends(base, gain):
    line = TokenLine(start=1e8, base=base, gain=gain, ceiling=0.99, tokens=8)
    law = line.power_law(1e11)
    ends = np.array([1e8, 1e11])
    assert np.exp(-law.loss(ends)) == pytest.approx(line.accuracy(ends))


@given(law=laws)
def test_a_broken_law_falls_to_its_floor_with_two_slopes(law):
    x = np.geomspace(law.d * 1e-6, law.d * 1e6, 200)
    above = law.value(x) - law.a
    assert (np.diff(law.value(x)) <= 1e-12).all()
    before = law.b * x[0] ** -law.c0
    assert above[0] == pytest.approx(before, rel=0.05)
    plain = BrokenPowerLaw(
        **{name: getattr(law, name) for name in ("a", "b", "c0", "d", "f")}, c1=0
    )
    assert plain.value(x) == pytest.approx(law.a + law.b * x**-law.c0)


@few
@given(c1=st.floats(2, 5), d=st.floats(40, 80), f=st.floats(0.05, 0.3))
def test_a_broken_law_is_recovered(c1, d, f):
    law = BrokenPowerLaw(a=0.3, b=2.0, c0=0.1, c1=c1, d=d, f=f)
    x = np.geomspace(10, 300, 25)
    starts = BrokenPowerLaw.starts(x, law.value(x))[:12]
    fit = sl.fit_curve(BrokenPowerLaw, x, law.value(x), transform=np.log1p, starts=starts)
    assert fit.predict(x) == pytest.approx(law.value(x), abs=1e-7)
    assert fit.params["d"] == pytest.approx(d, rel=1e-3)
