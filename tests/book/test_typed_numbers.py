"""Numbers of captions, findings and summaries come from cells; those that may be typed are listed.

Typed freely: years, addresses (Table 3, Eq. 10, Section 4.2, approach 2, chapter 5), the level of
an interval (95 %) and names of models that hold their size (Pythia-12B). Everything else that is
typed stands in ``typed_numbers.csv`` with the reason: a ``definition``, a ``design`` that the
authors or we chose, or a ``name``.
"""

import re

import pytest

from tools.prose import PAGES, read, typed

from .test_inferences import table

NUMBER = re.compile(
    r"(?<![\w^])\d[\d.,]*(?:\w*|⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|"
    r"fourteen|fifteen|sixteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|"
    r"millions?|billions?|half|halves|thirds?|quarters?|fifths?|tenths?|twice|thrice|double|triple|dozens?)\b",
    re.I,
)
FREE = re.compile(
    r"\b(?:19|20)\d\d[a-z]?\b|"
    r"\b(?:Tables?|Figures?|Fig\.|Eqs?\.|Equations?|Sections?|Secs?\.|App\.|Appendix|[Aa]pproach(?:es)?|[Cc]hapters?|Algorithm|"
    r"[Cc]ells?|[Cc]laims?|step|lines?)\s+[A-Z]?\d[\w.]*(?:(?:,| and| to|, and) [A-Z]?\d[\w.]*)*|"
    r"\b9[05] ?%|\b[A-Za-z][\w.]*-\d[\w.]*"
)
ALLOWED = table("typed_numbers.csv")
REASONS = {"definition", "design", "name"}


@pytest.mark.parametrize("name", PAGES)
def test_every_typed_number_is_allowed(name):
    phrases = [row["phrase"] for row in ALLOWED if row["chapter"] == name]
    found = []
    for place, told in read(name).places().items():
        for sentence in told if place != "doubt" else ():
            rest = FREE.sub(" ", typed(sentence))
            for phrase in sorted(phrases, key=len, reverse=True):
                rest = rest.replace(phrase, " ")
            found += [f"{place}: {hit.group(0)!r} in {sentence}" for hit in NUMBER.finditer(rest)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("row", ALLOWED, ids=lambda row: f"{row['chapter']}: {row['phrase']}")
def test_every_allowed_phrase_is_used_and_has_its_reason(row):
    page = read(row["chapter"]).places()
    told = [typed(one) for place in ("finding", "caption", "summary") for one in page[place]]
    assert row["reason"] in REASONS
    assert any(row["phrase"] in one for one in told)
