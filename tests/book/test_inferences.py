"""What carries each sentence that says more than arithmetic, in ``inferences.csv``.

Columns: the page; the sentence's anchor, words that stand on the page once; what kind of thing
carries it; and that thing. A ``cell`` is named by words of its code, an ``interval`` by the glued
names that print it, a ``source`` by its key in the references, with the place that was read, and a
``limit`` says that the sentence itself takes something back. A page that loses the sentence or its
carrier is red.
"""

import csv
import re

import pytest

from tools.prose import PAGES, ROOT, read, typed

HUNTED = re.compile(
    r"\b(cannot|can not|nobody|no one|not found|only|always|never|explains?|explained|agrees?|"
    r"survives?|nothing else|no other|proves?|must be|the cause)\b",
    re.I,
)
KINDS = {"cell", "interval", "source", "limit"}


def table(name):
    with (ROOT / "tests" / "book" / name).open(newline="") as file:
        return list(csv.DictReader(file))


INFERENCES = table("inferences.csv")
each_row = pytest.mark.parametrize(
    "row", INFERENCES, ids=lambda row: f"{row['chapter']}: {row['anchor'][:40]}"
)
each_page = pytest.mark.parametrize("name", PAGES)


@each_row
def test_the_sentence_stands_on_its_page_once(row):
    assert read(row["chapter"]).flat.count(row["anchor"]) == 1


@each_row
def test_what_carries_it_is_there(row):
    page, carrier = read(row["chapter"]), row["support"]
    assert row["kind"] in KINDS
    assert carrier
    if row["kind"] == "cell":
        assert any(carrier in cell for cell in page.cells), carrier
    elif row["kind"] == "interval":
        for name in carrier.split():
            assert f"{{glue:text}}`{name}`" in page.text, name
            assert name in page.glued, name
    elif row["kind"] == "source":
        key, where = carrier.split(" ", 1)
        assert where.strip()
        assert f"{{{key}," in (ROOT / "chapters" / "references.bib").read_text(), key
        assert key in page.text, f"{key} is not cited on the page"


@each_page
def test_no_strong_word_stands_alone(name):
    anchors = [row["anchor"] for row in INFERENCES if row["chapter"] == name]
    alone = [
        f"{place}: {sentence}"
        for place, found in read(name).places().items()
        for sentence in found
        if HUNTED.search(typed(sentence)) and not any(one in sentence for one in anchors)
    ]
    assert alone == [], "\n".join(alone)
