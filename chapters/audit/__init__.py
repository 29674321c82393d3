"""What the claims compute: a function settles one or more rows of ``data/claims.csv``.

A function returns named readings, numbers that ``scalinglib`` computes from ``data``. For each
claim the table ``claim_readings`` says which of them speak to it, and which range the words of the
claim allow. The verdict follows from these rows alone, by `verdict`.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

Readings = Mapping[str, float]
Settling = Callable[[], Readings]

_SETTLED: dict[str, Settling] = {}


def settles(*claims: str) -> Callable[[Settling], Settling]:
    """Bind claims, by id, to the function that computes what they say."""

    def bind(function: Settling) -> Settling:
        for claim in claims:
            if claim in _SETTLED:
                raise ValueError(f"claim {claim} is settled twice: name one function for it")
            _SETTLED[claim] = function
        return function

    return bind


def settled() -> dict[str, Settling]:
    """Every bound claim and its function; a module of this folder for each chapter."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f".{module.name}", __name__)
    return dict(_SETTLED)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number that a claim is about: what its words allow, and what was computed."""

    name: str
    low: float
    high: float
    ours: float
    against: str

    @property
    def holds(self) -> bool:
        """Whether the computed number lies in the range that the claim allows."""
        return self.low <= self.ours <= self.high


def verdict(readings: list[Reading]) -> str:
    """The verdict that readings imply.

    All hold: reproduced. Some hold and some do not: refined, for the claim is true under one
    definition, range or law and not under another. None holds: contradicted, or inconsistent where
    each number against the claim comes from the articles themselves.
    """
    holding = [one.holds for one in readings]
    if all(holding):
        return "reproduced"
    if any(holding):
        return "refined"
    return "inconsistent" if all(one.against == "article" for one in readings) else "contradicted"


def readings(claim: str, table: pd.DataFrame, computed: Readings) -> list[Reading]:
    """The rows of a claim, with the numbers as its function computes them now; no bound is open."""
    rows = table[table.claim == claim].fillna({"low": -math.inf, "high": math.inf})
    return [
        Reading(row.reading, row.low, row.high, float(computed[row.reading]), row.against)
        for row in rows.itertuples()
    ]
