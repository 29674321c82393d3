"""Published numbers and laws keep their digits and their address."""

import dataclasses
import re
from pathlib import Path

import pytest

import scalinglib as sl
from scalinglib import laws, published
from scalinglib.published import Reported

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = sl.load("published")
LAWS = sl.load("laws")
SOURCES = set(
    re.findall(r"^@\w+\{([^,]+),", (ROOT / "chapters" / "references.bib").read_text(), re.M)
)
each_number = pytest.mark.parametrize("one", list(NUMBERS.itertuples()), ids=lambda one: one.key)
each_law = pytest.mark.parametrize("one", list(LAWS.itertuples()), ids=lambda one: one.key)


@each_number
def test_every_number_has_an_address_and_a_way_of_reading(one):
    assert published.value(one.key) == float(one.value)
    assert one.source in SOURCES
    assert one.where.strip()
    assert one.how in {"paper", "code", "secondhand"}
    assert one.quantity.strip()


@each_law
def test_every_law_is_built_from_its_row(one):
    law = published.law(one.key)
    if one.law == "Frontier":
        assert isinstance(law, sl.Frontier)
    else:
        assert type(law) is getattr(laws, one.law)
        assert law.source == f"{one.source}, {one.where}"
    assert one.source in SOURCES
    assert one.how in {"paper", "code", "secondhand", "ours"}


def test_no_two_numbers_of_one_place_have_the_same_words():
    assert not NUMBERS.duplicated(["quantity", "unit", "source", "where"]).any()


@pytest.mark.parametrize("table", [NUMBERS, LAWS], ids=["published", "laws"])
def test_no_key_stands_twice_or_inside_another(table):
    keys = set(table.key)
    assert len(keys) == len(table)
    assert [key for key in keys if key.rsplit("/", 1)[0] in keys] == []


def test_no_constant_of_a_law_stands_among_the_numbers():
    constants = {
        (one.source, one.where, text)
        for key in LAWS.key
        for one in published.constants(key).values()
        for text in [one.text]
    }
    twice = [
        one.key for one in NUMBERS.itertuples() if (one.source, one.where, one.value) in constants
    ]
    assert twice == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: published.printed("hoffmann2022/Gopher budgets"), "'hoffmann2022/Gopher budget'"),
        (lambda: published.value("model/Chinchilla 70B"), "'model/Chinchilla 70B/params'"),
        (lambda: published.row("model/Chinchila 70B"), "'model/Chinchilla 70B'"),
        (lambda: published.law("hoffmann2022/approach 4"), "'hoffmann2022/approach 3'"),
        (lambda: published.constants("kaplan2020/join"), "'kaplan2020/joint'"),
        (lambda: published.printed("?"), "published.find"),
    ],
)
def test_an_unknown_key_names_the_nearest(call, words):
    with pytest.raises(sl.DataError, match=re.escape(words)):
        call()


def test_keys_are_found_by_their_words():
    assert "hoffmann2022/Gopher budget" in published.find("gopher BUDGET")
    assert "kaplan2020/joint" in published.find("kaplan2020 joint")
    assert published.find("no such words") == ()


def test_a_group_holds_what_stands_right_below_its_key():
    model = published.group("model/Chinchilla 70B")
    assert {name: one.text for name, one in model.items()} == {"params": "70e9", "tokens": "1.4e12"}
    assert published.row("model/Chinchilla 70B") == (70e9, 1.4e12)
    assert published.values("model/Chinchilla 70B") == {"params": 70e9, "tokens": 1.4e12}
    assert published.rows("model")["Gopher 280B"] == (280e9, 300e9)


def test_printed_logarithms_and_scales_become_coefficients():
    tex = published.constants("hoffmann2022/approach 3")
    assert tex["ln_A"].text == "6.0073404"
    assert pytest.approx(406.4010, abs=5e-5) == published.HOFFMANN_2022.A
    assert published.law("kaplan2020/compute").x_c == pytest.approx(3.1e8, rel=1e-12)


def test_a_law_takes_a_constant_that_another_place_prints():
    elsewhere = published.value("kaplan2020/elsewhere/B_star")
    law = published.law("kaplan2020/batch", B_star=elsewhere)
    assert (law.B_star, law.alpha_B) == (2e8, 0.21)
    assert law.source == "kaplan2020, Table 5 with B_star = 2e+08"


def test_the_epoch_tuple_is_the_one_of_its_digits():
    for name, value in published.constants("besiroglu2024/headline fit").items():
        assert round(getattr(published.EPOCH_2024, name), 4) == value.value
        assert value.se > 0


def test_hoffmann_unrounded_rounds_to_the_printed_equation():
    exact, printed = published.HOFFMANN_2022, published.HOFFMANN_2022_ROUNDED
    for name, places in (("E", 2), ("A", 1), ("B", 1), ("alpha", 2), ("beta", 2)):
        assert round(getattr(exact, name), places) == getattr(printed, name)


@pytest.mark.parametrize(
    ("text", "half"), [("0.3478", 5e-5), ("482.01", 5e-3), ("600000", 0.5), ("1.70e2", 0.5)]
)
def test_half_a_unit_of_the_last_printed_digit(text, half):
    assert Reported(text, "someone", "somewhere").half_unit == pytest.approx(half)


@pytest.mark.parametrize(
    ("ours", "returns", "agrees"),
    [
        (0.25, True, "within error"),
        (0.2549, True, "within error"),
        (0.2551, False, "within error"),
        (0.2699, False, "within error"),
        (0.2701, False, "differs"),
        (float("nan"), False, "differs"),
    ],
)
def test_a_row_answers_two_questions(ours, returns, agrees):
    value = Reported("0.25", "someone", "somewhere", se=0.02)
    assert (value.returns(ours), value.agrees(ours)) == (returns, agrees)


def test_a_coarse_print_can_return_without_agreeing():
    value = Reported("0.3", "someone", "somewhere")
    assert value.returns(0.34)
    assert value.agrees(0.34) == "differs"
    assert value.agrees(0.34, 0.05) == "within error"
    assert value.agrees(0.305) == "near"


def test_published_numbers_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        published.EPOCH_2024.A = 1.0
    with pytest.raises(TypeError):
        published.group("besiroglu2024/standard error")["A"] = None
    with pytest.raises(TypeError):
        published.constants("besiroglu2024/headline fit")["A"] = None
