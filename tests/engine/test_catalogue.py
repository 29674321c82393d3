"""One budget under every law: each split by its own family, and what it says of its range."""

import re
from pathlib import Path

import numpy as np
import pytest

import scalinglib as sl
from scalinglib.catalogue import beyond, resolve, split, statement
from scalinglib.fit.result import DELTA
from scalinglib.topics import one_law
from tools import catalogue as fits

BIBLIOGRAPHY = Path(__file__).resolve().parents[2] / "chapters" / "references.bib"

LAWS = sl.catalogue()
ALL = sl.catalogue(planning=False)


def test_it_holds_enough_laws_to_disagree():
    assert len(LAWS) >= 25
    ratios = sl.plans(5.76e23).tokens_per_param
    assert ratios.max() / ratios.min() > 1000


@pytest.mark.parametrize("key", LAWS.index)
def test_a_law_splits_any_budget(key):
    best = split(sl.law(key), np.array([1e20, 1e24]))
    assert np.all(np.isfinite(best.N))
    assert np.all(np.isfinite(best.D))
    assert np.all(np.diff(best.N) > 0)
    assert np.all(np.diff(best.D) > 0)


@pytest.mark.parametrize("key", [key for key in LAWS.index if LAWS.law[key] != "ComputeSplit"])
def test_a_law_that_counts_six_spends_its_budget(key):
    own = {
        "beck2025",
        "karpathy2026",
        "mcleish2025",
        "openathena2026",
        "sun2024hunyuan",
    }
    best = split(sl.law(key), 1e22)
    near = 0.6 if key.split("/")[0] in own else 0.01
    assert pytest.approx(1, abs=near) == 6 * best.N * best.D / 1e22


@pytest.mark.parametrize("key", fits.FITS)
def test_a_fit_of_this_book_comes_out_again(key):
    stored = dict(part.split("=") for part in LAWS.constants[key].split())
    for name, value in fits.FITS[key]().items():
        assert value == pytest.approx(float(stored[name]), rel=1e-5)


TABLES = {
    "besiroglu2024/": "Chinchilla",
    "mcleish2025/": "Gemstones, cooled",
    "bhagia2024/c4, ": "OLMo ladder, C4",
}


@pytest.mark.parametrize("start", TABLES)
@pytest.mark.parametrize("form", ["interaction", "outer exponent", "solvable"])
def test_the_newer_forms_are_fitted_to_the_runs_of_their_chapter(start, form):
    runs = one_law.tables()[TABLES[start]]
    law = one_law.FORMS[form](runs, delta=DELTA).law
    wanted = split(law, 5.76e23)
    best = split(sl.law(start + form), 5.76e23)
    assert float(best.N) == pytest.approx(float(wanted.N), rel=1e-4)
    assert float(best.loss) == pytest.approx(float(wanted.loss), rel=1e-5)


@pytest.mark.parametrize(
    ("start", "sum_of"),
    [("besiroglu2024/", "besiroglu2024/grid"), ("mcleish2025/", "mcleish2025/cooled"),
     ("muennighoff2023/", "muennighoff2023/fresh base"), ("bhagia2024/c4, ", "bhagia2024/c4")],
)  # fmt: skip
def test_the_newer_forms_stand_beside_a_sum_of_the_same_runs(start, sum_of):
    for form in ("interaction", "outer exponent", "solvable"):
        same = ["runs", "counts", "corpus", "N_low", "N_high", "D_low", "D_high"]
        assert LAWS.loc[start + form, same].equals(LAWS.loc[sum_of, same])


AUTHORS = dict(re.findall(r"@\w+\{(\w+),\s+author = \{(.*)\},", BIBLIOGRAPHY.read_text()))


@pytest.mark.parametrize("key", ALL.index)
def test_a_name_begins_with_authors_and_year(key):
    source = ALL.source[key]
    people = AUTHORS[source].strip("{}").split(" and ")
    first = [one.split(",")[0] for one in people]
    words = f"{first[0]} et al." if len(people) > 2 or people[-1] == "others" else " & ".join(first)
    year = re.search(r"\d{4}", source).group()
    assert ALL.loc[key, "name"].startswith(f"{words} {year}, ")


def test_every_row_of_ours_has_its_fit():
    assert set(ALL.index[ALL.how == "ours"]) == set(fits.FITS)


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ("besiroglu2024", "besiroglu2024/headline fit"),
        ("kaplan2020", "kaplan2020/joint"),
        ("deepseek2024", "deepseek2024/current"),
        ("dey2023/compute", "dey2023/compute"),
    ],
)
def test_a_source_alone_stands_for_its_main_fit(source, key):
    assert resolve(source) == key


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sl.law("besiroglu2025"), "'besiroglu2024/"),
        (lambda: sl.plans(1e24, ["dey2023/compute"]), "cannot split a budget"),
        (lambda: sl.plans(-1.0), "C"),
    ],
)
def test_a_bad_question_is_told_what_to_ask(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


@pytest.mark.parametrize(
    ("C", "words"), [(1e21, ""), (5.76e23, "times the largest model"), (1e15, "smaller than")]
)
def test_a_plan_says_whether_it_leaves_the_runs(C, words):
    told = beyond(LAWS.loc["besiroglu2024/headline fit"], split(sl.law("besiroglu2024"), C))
    assert (words in told) if words else told == ""


@pytest.mark.parametrize(
    ("key", "returns"),
    [
        ("hoffmann2022/approach 3", True),
        ("hoffmann2022/approach 3, rounded", False),
        ("besiroglu2024/headline fit", False),
        ("grattafiori2024/text", False),
        ("porian2024/tuned", True),
        ("shukor2025/sparse", False),
    ],
)
def test_what_a_source_states_beside_what_its_constants_give(key, returns):
    said, ours = statement(key)
    assert said.returns(ours) is returns


def test_a_law_without_a_statement_says_nothing():
    assert statement("kaplan2020/joint") is None
