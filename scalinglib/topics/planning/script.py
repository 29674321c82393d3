"""What the script of the page gets: laws in five forms, rules, devices, defaults and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.compute import PF_DAY
from scalinglib.isoflop import Frontier
from scalinglib.laws import ComputeSplit, DataConstrainedLaw, JointLaw, KaplanLaw, SolvableLaw

from .bands import KNOWN, LEVEL, draws, form_of
from .memory import BYTES_PER_WEIGHT, STATE_BYTES, STATE_BYTES_FP32
from .plan import ASSUMED, DEVICES, PlanSettings, fresh
from .rules import COUNTS, ranges, rules


@singledispatch
def form(law: Any) -> dict[str, Any]:
    """Constants of a law for the script: of a sum of terms, or as below."""
    return {"form": "sum", **_named(fresh(law), "E", "A", "B", "alpha", "beta")}


@form.register
def _(law: DataConstrainedLaw) -> dict[str, Any]:
    return {**form(law.base), **_named(law, "R_D", "R_N")}


@form.register
def _(law: JointLaw) -> dict[str, Any]:
    return {"form": "joint", **_named(law, "E", "A", "B", "alpha", "beta", "g", "k")}


@form.register
def _(law: SolvableLaw) -> dict[str, Any]:
    return {"form": "solvable", **_named(law, "E", "A", "alpha", "r")}


@form.register
def _(law: Frontier) -> dict[str, Any]:
    return {"form": "power", **_named(law, "k_N", "a", "k_D", "b")}


@form.register
def _(law: ComputeSplit) -> dict[str, Any]:
    scale = {"k_N": law.N_e / PF_DAY**law.p_N, "k_D": law.D_e / PF_DAY**law.p_D}
    return {"form": "power", **scale, "a": law.p_N, "b": law.p_D}


@form.register
def _(law: KaplanLaw) -> dict[str, Any]:
    return {"form": "kaplan", **_named(law, "alpha_N", "alpha_D", "N_c", "D_c")}


def _named(law: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(law, name) for name in names}


DRAWN = {"sum": "E A B alpha beta", "interaction": "E A B alpha beta g", "solvable": "E A alpha r",
         "outer exponent": "E A B alpha beta k", "frontier": "k_N a"}  # fmt: skip
"""Constants of a draw that a band needs, by form; the others are those of the law."""


def _draws() -> tuple[dict[str, str], dict[str, Any]]:
    """Which draws a law has, and the draws; the fits of one form to the same runs share theirs."""
    whose, drawn = {}, {}
    for key in KNOWN.index:
        if laws := draws(key):
            kind = form_of(published.law(key))
            whose[key] = f"{KNOWN.runs[key]} {kind}"
            names = DRAWN[kind].split()
            rows = [[getattr(one, name) for name in names] for one in laws]
            drawn[whose[key]] = {"names": names, "rows": rows}
    return whose, drawn


def constants() -> dict[str, Any]:
    """Everything the script of the page needs, ready for JSON."""
    ends = [f"{one}_{end}" for one in "NDC" for end in ("low", "high")]
    columns = [*ends, "name", "how", "counts", "unit", "corpus", "runs", "band"]
    whose, drawn = _draws()
    return {
        "laws": [
            {
                "key": key,
                **form(published.law(key)),
                **_filled(KNOWN.loc[key, columns]),
                **({"draws": whose[key]} if key in whose else {}),
            }
            for key in KNOWN.index
        ],
        "draws": drawn,
        "rules": [
            {"name": name, "rate": asdict(rate), "batch": asdict(batch), "counts": COUNTS[name],
             **_filled(ranges().loc[name])}
            for name, (rate, batch) in rules().items()
        ],
        "devices": [
            {"name": name, **_filled(DEVICES.loc[name, ["peak_flops", "memory_GB", "power_W"]])}
            for name in DEVICES.index
        ],
        "defaults": asdict(PlanSettings()),
        "ranges": {
            name: [float(ASSUMED.low[name]), float(ASSUMED.high[name])] for name in ASSUMED.index
        },
        "bytes": [BYTES_PER_WEIGHT, STATE_BYTES, STATE_BYTES_FP32],
        "level": list(LEVEL),
        "pf_day": PF_DAY,
    }  # fmt: skip


def _filled(row: pd.Series[Any]) -> Mapping[str, Any]:
    """The entries of a row that are not missing, numbers as plain floats."""
    return {
        str(name): float(value) if isinstance(value, int | float | np.number) else value
        for name, value in row.items()
        if not pd.isna(value)
    }
