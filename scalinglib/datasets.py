"""The published tables behind the book, as checked, tidy frames.

The tables lie in ``data/`` beside ``datapackage.json``, which says for each where it comes from,
how it was read, and what its columns must satisfy. A table that is not exactly what was described
is refused.
"""

from __future__ import annotations

import hashlib
import json
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from .errors import DataError

__all__ = ["describe", "load", "names"]

Resource = dict[str, Any]
_TRUE_FALSE = {"True": True, "False": False, "true": True, "false": False}


def _folder() -> Path:
    """Inside the package when it was installed as a wheel, beside it in a checkout."""
    here = Path(__file__).resolve().parent
    inside = here / "data"
    return inside if inside.is_dir() else here.parent / "data"


def _resources(folder: Path) -> dict[str, Resource]:
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    return {resource["name"]: resource for resource in package["resources"]}


def names() -> tuple[str, ...]:
    """Names of the tables that `load` knows, in the order of ``datapackage.json``."""
    return tuple(_resources(_folder()))


def describe(name: str) -> Resource:
    """The entry of a table in ``datapackage.json``: title, sources, licence, method, hash, schema.

    The fields of the schema carry units and constraints.
    """
    resources = _resources(_folder())
    if name not in resources:
        raise DataError(f"There is no table named {name!r}. Choose one of: {', '.join(resources)}.")
    return resources[name]


def load(name: str) -> pd.DataFrame:
    """Load a table, checked against its description.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    pandas.DataFrame
        One row per record, columns as described by `describe`; numbers are float64, so that
        parameters times tokens cannot overflow.

    Raises
    ------
    DataError
        If there is no table of that name, or if the file breaks a constraint or is not the file
        that ``datapackage.json`` describes; the message names file, row and column.

    Examples
    --------
    >>> runs = load("chinchilla_runs")
    >>> len(runs), int((~runs.excluded).sum())
    (245, 240)
    """
    return parse_table(describe(name), path(name).read_bytes())


def path(name: str) -> Path:
    """Where the file of a table lies."""
    return _folder() / str(describe(name)["path"])


def parse_table(resource: Resource, content: bytes) -> pd.DataFrame:
    """A frame from the bytes of a table and its description, or a refusal.

    The message names file, row (counted as in a spreadsheet, the header being row 1) and column.
    """
    path, fields = resource["path"], resource["schema"]["fields"]
    text = pd.read_csv(BytesIO(content), dtype=str, keep_default_na=False)
    wanted = [field["name"] for field in fields]
    if list(text.columns) != wanted:
        raise DataError(
            f"{path}: the columns are {list(text.columns)}, "
            f"but datapackage.json describes {wanted}."
        )
    frame = pd.DataFrame({field["name"]: _column(path, field, text) for field in fields})
    if len(frame) != resource["rows"]:
        raise DataError(f"{path}: {len(frame)} rows, but datapackage.json says {resource['rows']}.")
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if found != resource["hash"]:
        raise DataError(
            f"{path}: the file has hash {found}, but datapackage.json says {resource['hash']}. "
            "Restore the file, or, if the change is meant, run `make data` and explain it."
        )
    return frame


def _column(path: str, field: Resource, text: pd.DataFrame) -> pd.Series[Any]:
    """One column, converted to its type and held against its constraints."""
    name, kind, rules = field["name"], field["type"], field.get("constraints", {})
    raw = text[name]
    empty = raw == ""

    def refuse(bad: pd.Series[bool], why: str) -> None:
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{path}: row {row + 2}, column {name}: {raw.iloc[row]!r} {why}. "
                "Restore the file, or correct the value from its source."
            )

    if rules.get("required"):
        refuse(empty, "is empty, and the column must be filled")
    if kind == "string":
        return raw.mask(empty)
    if kind == "boolean":
        refuse(~empty & ~raw.isin(list(_TRUE_FALSE)), "is neither True nor False")
        return raw.map(_TRUE_FALSE).astype("boolean" if empty.any() else bool)
    values = pd.to_numeric(raw.mask(empty), errors="coerce")
    refuse(~empty & ~np.isfinite(values), "is not a finite number")
    if kind == "integer":
        refuse(~empty & (values % 1 != 0), "is not a whole number")
    if "minimum" in rules:
        refuse(values < rules["minimum"], f"is below the minimum {rules['minimum']:g}")
    if "maximum" in rules:
        refuse(values > rules["maximum"], f"is above the maximum {rules['maximum']:g}")
    if rules.get("unique"):
        refuse(values.duplicated() & ~empty, "occurs twice, and the column must be unique")
    whole = kind == "integer" and not empty.any()
    return cast("pd.Series[Any]", values.astype("int64" if whole else "float64"))
