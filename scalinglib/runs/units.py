"""Cells to numbers: suffixes, separators, units; what is not one number is refused with its row.

And back: a count in the units that people write.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from scalinglib.checks import Floats
from scalinglib.compute import PF_DAY
from scalinglib.errors import DataError
from scalinglib.runs.reading import Table, blank

SCALES = {
    **dict.fromkeys(("count", "counts"), 1.0),
    **dict.fromkeys(("k", "thousand", "thousands"), 1e3),
    **dict.fromkeys(("m", "mm", "mio", "mn", "million", "millions"), 1e6),
    **dict.fromkeys(("b", "bn", "g", "mrd", "billion", "billions"), 1e9),
    **dict.fromkeys(("t", "tn", "trillion", "trillions"), 1e12),
}
"""What a letter or a word behind a count multiplies it by."""

FLOPS = {
    **{p + "flop" + s: 10.0**k for p, k in (("g", 9), ("t", 12), ("p", 15), ("e", 18), ("z", 21))
       for s in ("", "s")},
    **dict.fromkeys(("pfdays", "pfday"), PF_DAY),
}  # fmt: skip
"""FLOP in the larger units of compute."""

LOSS_UNITS = ("bits per byte", "bits per character", "bits", "nats", "perplexity")

HIGHEST_LOSS = 20.0
"""More nats per token than any vocabulary allows, ln(4.9e8): read as something else, on request."""

PLAIN_COUNT = 1e5
"""Below this, a number without a letter among numbers with one is a question."""

_NAMED = {"params": {"param", "params", "parameters"}, "tokens": {"token", "tokens", "tok", "toks"},
          "flops": {"flop", "flops"}, "loss": {"nats", "nat"}}  # fmt: skip
_NUMBER = re.compile(
    r"([+-]?(?:\d[\d.,]*|[.,]\d+))(?:e([+-]?\d+))?(?:\s*[x×*·]\s*10\s*(?:\^|\*\*|e)?\s*([+-]?\d+))?"
    r"\s*(.*)",
    re.IGNORECASE,
)
_GAPS = re.compile(r"(?<=\d)[ _'’\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")


def quantity(value: float) -> str:
    """Write parameters or tokens the way the field does, at 3 significant digits: 70B, 9,440."""
    for letter in "tbm":
        if abs(value) >= 0.9995 * SCALES[letter]:
            return f"{value / SCALES[letter]:.3g}{letter.upper()}"
    return f"{float(f'{value:.3g}'):,g}"


def unit_of(found: Sequence[str]) -> tuple[list[str], str]:
    """Split the words of a name into those that say what it is and its unit."""
    text = " ".join(found)
    short = {"bpb": "bits per byte", "bpc": "bits per character", "ppl": "perplexity"}
    for phrase in (*LOSS_UNITS, *short):
        if re.search(rf"\b{phrase}\b", text):
            return list(found), short.get(phrase, phrase)
    text = re.sub(r"\bpf (days?)\b", r"pf\1", text)
    parts = text.split()
    for k in range(len(parts) - 1, -1, -1):
        if parts[k] in FLOPS:
            rest = parts[:k] + parts[k + 1 :]
            return ["flops", *(part for part in rest if part not in SCALES)], parts[k]
        if re.fullmatch(r"x?1e\+?\d+|10\^\d+", parts[k]):
            return parts[:k] + parts[k + 1 :], parts[k].removeprefix("x").replace("10^", "1e")
    for k in range(len(parts) - 1, 0, -1):
        if parts[k] in SCALES:
            return parts[:k] + parts[k + 1 :], parts[k]
    if len(parts) > 1 and len(parts[0]) > 1 and parts[0] in SCALES:
        return parts[1:], parts[0]
    return parts, ""


def factor(role: str, unit: Any) -> float:
    """What a unit multiplies a count by."""
    if isinstance(unit, int | float) and unit > 0:
        return float(unit)
    word = re.sub(r"[\s_-]", "", str(unit).lower())
    known = SCALES | (FLOPS | {"flop": 1.0, "flops": 1.0} if "flops" in role else {})
    if word in known:
        return known[word]
    if re.fullmatch(r"1e\d+", word):
        return float(word)
    raise DataError(
        f"units of {role} are {unit!r}; say 'count', 'K', 'M', 'B', 'T' or a number such as 1e6"
        + (", 'PFLOP' or 'PF-days'." if "flops" in role else ".")
    )


def decimal_comma(table: Table, columns: dict[str, str], said: str | None) -> bool:
    """Whether a comma is the decimal point: as said, or by the cells that allow one reading."""
    if said is not None:
        if said not in (",", "."):
            raise DataError(f"decimal is {said!r}; say ',' or '.'.")
        return said == ","
    seen: dict[str, list[tuple[Any, str, str]]] = defaultdict(list)
    for name in columns:
        for row, cell in _marked(table.cells[name]):
            seen[_mark(cell)].append((row, name, cell))
    if seen["comma"] and seen["point"]:
        (row, column, cell), (other, _, dotted) = seen["comma"][0], seen["point"][0]
        raise table.refuse(
            f"{cell!r} has a decimal comma, but row {table.labels[other]} has {dotted!r} "
            "with a decimal point; say which, decimal=',' or decimal='.'", row, column)  # fmt: skip
    if seen["comma"] or seen["point"] or not seen["comma?"]:
        return bool(seen["comma"])
    # A loss of thousands is no loss, so the loss says what the other columns leave open.
    for verdict, kind in ((True, "comma?"), (False, "point?")):
        if any(columns[name] == "loss" for _, name, _ in seen[kind]):
            return verdict
    row, column, cell = seen["comma?"][0]
    raise table.refuse(
        f"{cell!r} is {cell.replace(',', '')} or {cell.replace(',', '.')}; say decimal='.' for the "
        "first, decimal=',' for the second", row, column)  # fmt: skip


def _marked(column: pd.Series[Any]) -> list[tuple[Any, str]]:
    """Different texts of a column with a comma, and some with a point, each with its first row."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return []
    text = column.map(lambda cell: isinstance(cell, str)).to_numpy(dtype=bool)
    texts = column[text].astype(object)
    comma, point = (texts.str.contains(mark, regex=False).to_numpy(dtype=bool) for mark in ",.")
    some = pd.concat([texts[comma].drop_duplicates(), texts[point & ~comma].head(200)])
    return list(some.items())


def _mark(cell: str) -> str:
    """What a cell says about the decimal mark: comma, point, either with a lean, or nothing."""
    number = _NUMBER.fullmatch(_clean(cell))
    body = number[1].lstrip("+-") if number else ""
    if body.count(",") > 1 or re.fullmatch(r"\d{1,3},\d{3}\.\d*", body):
        return "point"
    if body.count(".") > 1 or re.fullmatch(r"\d{1,3}\.\d{3},\d*", body):
        return "comma"
    lone = re.fullmatch(r"[1-9]\d{0,2}([.,])\d{3}", body)
    if lone and not cast("re.Match[str]", number)[2]:
        return "comma?" if lone[1] == "," else "point?"
    return "comma" if "," in body else "point" if "." in body else ""


def _clean(cell: str) -> str:
    text = _GAPS.sub("", cell.strip().translate(_RAISED))
    return re.sub(r"^10\s*\^\s*", "1x10^", text)


def parse(cell: Any, role: str, comma: bool) -> tuple[float, float | None] | str:
    """The number of a cell and what its suffix multiplies it by, or why it is none."""
    if isinstance(cell, bool):
        return "is a truth value, not a number"
    if not isinstance(cell, str):
        try:
            return float(cell), None
        except OverflowError:
            return float("inf"), None
        except (TypeError, ValueError):
            return "is not a number"
    for sign, what in (("=", "a formula, and formulas are not evaluated"),
                       ("#", "an error of the spreadsheet")):  # fmt: skip
        if cell.strip().startswith(sign):
            return f"is {what}"
    if re.fullmatch(r"[+-]?inf(inity)?", cell.strip().lower()):
        return float("inf"), None
    found = _NUMBER.fullmatch(_clean(cell))
    if not found:
        return "is not a number"
    body, mark = found[1], "," if comma else "."
    group = "." if comma else ","
    whole, _, part = body.partition(mark)
    grouped = re.fullmatch(rf"[+-]?\d{{1,3}}(\{group}\d{{3}})+", whole)
    if (group in whole and not grouped) or re.search(r"[.,]", part):
        return f"is not a number whose decimal mark is {mark!r}"
    power = int(found[2] or 0) + int(found[3] or 0)
    try:
        value = float(f"{whole.replace(group, '')}.{part or 0}e{power}")
    except (ValueError, OverflowError):
        return "is not a number"
    return _suffix(found[4], role, value)


def _suffix(rest: str, role: str, value: float) -> tuple[float, float | None] | str:
    """A number and the factor behind it."""
    scale: float | None = None
    base = role.removeprefix("unique_").removeprefix("planned_").removeprefix("budget_")
    words_ = re.sub(r"pf[\s-]days?", "pfdays", rest.lower()).replace("/", " ").split()
    for word in words_:
        if word in _NAMED.get(base, ()) or (base == "loss" and word in ("per", "token")):
            continue
        if scale is None and base != "loss" and word in SCALES and base in _NAMED:
            scale = SCALES[word]
        elif scale is None and base == "flops" and word in FLOPS:
            scale = FLOPS[word]
        else:
            return "is not a number"
    return value, scale


def numbers(
    table: Table, column: str, role: str, unit: Any, *, comma: bool = False
) -> tuple[Floats, str]:
    """A column as float64, empty cells as NaN, and the unit it was read in."""
    cells = table.cells[column]
    void = blank(cells).to_numpy()
    counted = role not in ("loss", "seed", "step", "planned_steps")
    if cells.dtype.kind in "iuf":
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        scales = np.full(len(values), np.nan)
    else:
        values, scales = _cells(table, column, role, comma, void)
    plain = np.isnan(scales) & ~void
    if counted and unit:
        values = np.where(plain, values * factor(role, unit), values)
    elif counted and plain.any() and not plain.all() and (~np.isnan(scales)).any():
        small = plain & (values < PLAIN_COUNT)
        if small.any():
            at = int(small.argmax())
            raise table.refuse(
                f"{cells.iloc[at]!r} has no letter where other rows have one; write it out, or say "
                f"units={{{role!r}: 'count'}} or another",
                cells.index[at], column)  # fmt: skip
    values = np.where(np.isnan(scales), values, values * np.nan_to_num(scales, nan=1.0))
    lettered = ["letters in its cells"] if (~np.isnan(scales)).any() else []
    name = str(unit).upper() if len(str(unit)) == 1 else unit
    scale = factor(role, unit) if unit else 1.0
    scaled = [f"{name} = {scale:g}"] if scale != 1 and plain.any() else []
    return values, " and ".join(lettered + scaled)


def _cells(table: Table, column: str, role: str, comma: bool, void: Any) -> tuple[Floats, Floats]:
    """Values and factors of the cells of a column of text; each different cell is parsed once."""
    cells = table.cells[column]
    filled = cells[~void]
    codes, texts = pd.factorize(filled.astype(object))
    found = np.full((len(texts), 2), np.nan)
    if not comma and all(isinstance(text, str) for text in texts):
        found[:, 0] = pd.to_numeric(pd.Series(texts), errors="coerce")
    for k in np.flatnonzero(np.isnan(found[:, 0])):
        text = texts[k]
        parsed = parse(text, role, comma)
        if isinstance(parsed, str):
            row = filled.index[int(np.argmax(codes == k))]
            raise table.refuse(
                f"{text!r} {parsed}; correct the cell, or leave the row out with "
                f"skip=[{table.labels[row]!r}]",
                row, column)  # fmt: skip
        found[k] = parsed[0], np.nan if parsed[1] is None else parsed[1]
    out = np.full((len(cells), 2), np.nan)
    out[~void] = found[codes]
    return out[:, 0], out[:, 1]


def nats(values: Floats, unit: str) -> tuple[Floats, str]:
    """A loss in nats, and what was done."""
    if unit == "perplexity":
        if (values[np.isfinite(values)] <= 1).any():
            raise DataError(
                "a perplexity of 1 or less is no loss; say units={'loss': 'nats'} if it is one."
            )
        return np.log(values), "perplexity, taken to nats by its logarithm"
    if unit.startswith("bits"):
        per = unit.removeprefix("bits") or " per token"
        return values * np.log(2.0), f"bits, taken to nats{per} by ln 2"
    if unit != "nats":
        raise DataError(f"units of loss are {unit!r}; say one of {', '.join(LOSS_UNITS)}.")
    return values, "nats per token"
