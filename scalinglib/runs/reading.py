"""Any source to one table of cells: nothing is converted, every row keeps the user's number."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from scalinglib.checks import as_frame
from scalinglib.errors import DataError

HEADER_WITHIN = 20
"""The header of a text table is looked for in this many rows; titles may stand above it."""

SEPARATORS = "\t;,|"

NOTHING = {"", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "–", "—", "<na>"}
"""Cells that hold nothing, in lower case."""

KINDS = (
    "give a path to a CSV, TSV, Parquet, JSON or JSON-lines file, a pandas, Polars or Arrow frame, "
    "or a dict of columns"
)


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they came, by position; `labels` are the rows as the user counts them."""

    name: str
    cells: pd.DataFrame
    text: bool = False
    labels: pd.Index = field(default_factory=lambda: pd.Index([]))

    def refuse(self, why: str, row: Any = None, column: Any = None) -> DataError:
        """An error that says where."""
        place = [f"row {self.labels[row]}"] if row is not None else []
        place += [f"column {column!r}"] if column else []
        return DataError(": ".join(filter(None, [self.name, ", ".join(place), why])))


def read(source: Any, known: Callable[[list[str]], int]) -> Table:
    """Read anything; `known` counts the names of a row that it recognises, to find the header."""
    if isinstance(source, str | Path):
        name, content = _load(source)
        suffix = name.lower().removesuffix(".gz").rpartition(".")[2]
    elif hasattr(source, "read"):
        name, suffix = str(getattr(source, "name", "source")), ""
        found = source.read()
        content = found.encode() if isinstance(found, str) else found
    elif isinstance(source, list) and source and isinstance(source[0], Mapping):
        return _unique(Table("source", pd.json_normalize(source)))
    else:
        return _unique(Table("source", as_frame(source, "source", KINDS)))
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if not content.strip():
        raise DataError(f"{name} is empty; check the export that made it.")
    if content[:2] == b"PK" or suffix in ("xlsx", "xls", "ods"):
        raise DataError(f"{name} is a workbook; save the sheet as CSV and read that.")
    if content[:4] == b"PAR1":
        return _unique(Table(name, _parquet(name, content)))
    text = _decode(name, content)
    if suffix in ("json", "jsonl", "ndjson") or text.lstrip()[:1] in ("{", "["):
        return _unique(_json(name, text, known))
    return _unique(_rows(name, text, known))


def _load(source: str | Path) -> tuple[str, bytes]:
    if "://" in str(source):
        raise DataError(f"{source} is an address; download the file and give its path.")
    if "\n" in str(source):
        raise DataError("source is text with several lines, not a path; wrap it in io.StringIO.")
    path = Path(source).expanduser()
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise DataError(f"{source} cannot be read ({error.strerror}); {KINDS}.") from error


def _decode(name: str, content: bytes) -> str:
    """UTF-8 or UTF-16 by their marks, else UTF-8, else what spreadsheets on Windows write."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\0" in content:
        raise DataError(f"{name} is not a text file; {KINDS}.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _parquet(name: str, content: bytes) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise DataError(
            f"{name}: Parquet needs pyarrow; install it with pip install 'scalinglib[arrow]'."
        ) from error
    except (ValueError, OSError) as error:
        raise DataError(f"{name} is a damaged Parquet file ({error}); export it again.") from error


def _json(name: str, text: str, known: Callable[[list[str]], int]) -> Table:
    """Records, columns, a frame as pandas writes it, or a record a line; names join by dots."""
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip()]
        records = [_record(name, k, line) for k, line in lines]
        return Table(name, pd.json_normalize(records).set_axis([k for k, _ in lines]))
    if isinstance(whole, dict) and {"columns", "data"} <= set(whole):
        whole = [dict(zip(whole["columns"], row, strict=False)) for row in whole["data"]]
    if isinstance(whole, dict):
        inner = [one for one in whole.values() if isinstance(one, list) and one]
        inner = [one for one in inner if all(isinstance(record, dict) for record in one)]
        whole = inner[0] if len(inner) == 1 else whole
    if isinstance(whole, dict) and all(isinstance(value, list) for value in whole.values()):
        return Table(name, as_frame(whole, name, KINDS))
    if isinstance(whole, dict) and known(list(whole)) > 1 and isinstance(whole[min(whole)], dict):
        return Table(name, pd.DataFrame(whole))
    if isinstance(whole, dict) and all(isinstance(value, dict) for value in whole.values()):
        whole = [{"run": run, **record} for run, record in whole.items()]
    records = whole if isinstance(whole, list) else [whole]
    if not all(isinstance(record, dict) for record in records):
        raise DataError(f"{name}: the JSON holds no records; write a list of objects, one a run.")
    return Table(name, pd.json_normalize(records))


def _record(name: str, k: int, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{name}: line {k} is not JSON: {error.msg}; correct the line.") from error
    if not isinstance(record, dict):
        raise DataError(f"{name}: line {k} is {line[:40]!r}, not an object; correct the line.")
    return record


def _rows(name: str, text: str, known: Callable[[list[str]], int]) -> Table:
    """A text table: its separator, its header, and its rows as a spreadsheet numbers them."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    separator = _separator(text)
    top = list(islice(csv.reader(io.StringIO(text), delimiter=separator), 200))
    top = [[cell.strip() for cell in row] for row in top]
    scores = [known(row) for row in top[:HEADER_WITHIN]]
    filled = [sum(map(bool, row)) > 1 for row in top[:HEADER_WITHIN]]
    # One known word may stand in any cell; two in a row are a header below a title.
    named = max(scores, default=0) > 1
    header = scores.index(max(scores)) if named else filled.index(True) if any(filled) else 0
    names = top[header]
    if sum(map(bool, names)) < 2:
        raise DataError(
            f"{name} has one column, {names[0][:60]!r}; a table of runs has "
            "several; put commas, semicolons or tabs between the cells."
        )
    width = max(map(len, top[header:]))
    try:
        cells = pd.read_csv(
            io.StringIO(text), sep=separator, header=None, names=list(range(width)), dtype=str,
            keep_default_na=False, skip_blank_lines=False, skipinitialspace=True, engine="c",
            index_col=False,
        )  # fmt: skip
    except pd.errors.ParserError as error:
        found = re.search(r"line (\d+)", str(error))
        where = f"row {found[1]}" if found else "a row"
        raise DataError(
            f"{name}: {where} has more cells than the header, or a quotation mark that is not "
            "closed; correct the row."
        ) from error
    cells.index += 1
    cells = cells.iloc[header + 1 :].fillna("")
    long = next((row for row in range(header + 1, len(top)) if any(top[row][len(names) :])), None)
    if long is not None:
        raise DataError(
            f"{name}: row {long + 1} has {len(top[long])} cells and the header {len(names)}; a "
            "number with commas must stand in quotation marks, or the row was cut."
        )
    cells = cells.iloc[:, : len(names)].set_axis(names, axis=1)
    return Table(name, cells, text=True)


def _separator(text: str) -> str:
    """What parts most lines into as many cells as the widest usual line has."""
    best, score = ",", (0, 0)
    lines = text.split("\n", 60)[:60]
    for candidate in SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=candidate) if row)
        widths.pop(1, None)
        if widths:
            width, count = widths.most_common(1)[0]
            if (count, width) > score:
                best, score = candidate, (count, width)
    return best


def _unique(table: Table) -> Table:
    """Names as text, each once; rows and columns without anything in them are left out."""
    cells = table.cells
    if cells.columns.nlevels > 1:
        raise table.refuse("its columns have several levels; flatten them to one name each")
    seen: Counter[str] = Counter()
    names = []
    for position, column in enumerate(cells.columns, 1):
        name = str(column).strip() or f"column {position}"
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    cells = cells.set_axis(names, axis=1)
    void = pd.DataFrame({name: blank(cells[name]) for name in cells}, index=cells.index)
    cells = cells.loc[~void.all(axis=1).to_numpy(), ~void.all(axis=0).to_numpy()]
    if not len(cells):
        raise DataError(f"{table.name} has a header but no rows; check the filter that made it.")
    return Table(table.name, cells.reset_index(drop=True), table.text, cells.index.to_flat_index())


def blank(column: pd.Series[Any]) -> pd.Series[bool]:
    """Which cells hold nothing."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.isna()
    if pd.api.types.is_string_dtype(column.dtype) and column.dtype != object:
        return column.isna() | column.str.strip().str.lower().isin(NOTHING)
    void = [cell for cell in column.drop_duplicates() if str(cell).strip().lower() in NOTHING]
    return column.isna() | column.isin(void)
