"""The front page: its numbers are those of the chapters, and its figure says what it shows."""

import re

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import published
from tools.prose import read, settled

PAGE = read("index")
RUNS = sl.load("chinchilla_runs")
QUOTED = re.findall(r"\{settled\}`([\w-]+)/(\w+)`", PAGE.text)


@pytest.mark.parametrize(("chapter", "name"), QUOTED)
def test_every_number_is_one_that_its_chapter_prints(chapter, name):
    assert settled.stored(chapter)[name]
    assert f"{{glue:text}}`{name}`" in read(chapter).text
    assert f"]({chapter}.md)" in PAGE.text


def test_every_chapter_has_its_line():
    for chapter in {name for name, _ in QUOTED} | {"speed"}:
        assert PAGE.text.count(f"]({chapter}.md)\n: ") == 1, chapter


def test_the_four_sets_do_not_agree_where_there_are_runs():
    fit = sl.fit_chinchilla(RUNS[~RUNS.excluded])
    sets = (
        fit.law,
        published.EPOCH_2024,
        published.HOFFMANN_2022,
        published.HOFFMANN_2022_ROUNDED,
    )
    budgets = np.geomspace(RUNS.flops.min(), RUNS.flops.max(), 50)
    asked = np.array([sl.compute_optimal(law, budgets).tokens_per_param for law in sets])
    assert asked[:, -1].round().tolist() == [20, 20, 42, 64]
    assert (asked.max(axis=0) / asked.min(axis=0)).min() > 1.3
    assert np.abs(asked[0] / asked[1] - 1).max() < 0.03
    # An earlier page said that they agree there.
    assert "agree where" not in PAGE.flat


def test_the_three_findings_keep_their_limits():
    findings, doors, _ = PAGE.text.partition(":::{div} doors")
    assert doors
    linked = re.findall(r"^- \*\*\[.*\]\([\w-]+\.md\)\*\*", PAGE.text, re.M)
    assert len(linked) == 3
    first, second, third = re.findall(r"^- \*\*.*$", findings, re.M)
    assert {"spread_low", "dn_lower", "dn_upper"} <= names(first)
    assert {"four_low", "four_high"} <= names(second)
    assert "twenty" in second
    assert {"a_first", "a_last", "owt_first", "owt_last"} <= names(third)


def names(text):
    return set(re.findall(r"\{settled\}`[\w-]+/(\w+)`", text))
