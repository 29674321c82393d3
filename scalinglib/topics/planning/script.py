"""What the script of the page gets: laws in five forms, rules, devices, defaults and ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import pandas as pd

from scalinglib import laws, published
from scalinglib.catalogue import fresh
from scalinglib.compute import PF_DAY
from scalinglib.isoflop import Frontier

from .bands import BANDED, KNOWN, LEVEL, draws, form_of
from .memory import BYTES_PER_WEIGHT, STATE_BYTES, STATE_BYTES_FP32
from .plan import ASSUMED, DEVICES, PlanSettings
from .rules import COUNTS, ranges, rules

SHAPES: Final = {
    laws.ChinchillaLaw: ("sum", "E A B alpha beta"),
    laws.JointLaw: ("joint", "E A B alpha beta g k"),
    laws.SolvableLaw: ("solvable", "E A alpha r"),
    laws.KaplanLaw: ("kaplan", "alpha_N alpha_D N_c D_c"),
    Frontier: ("power", "k_N a k_D b"),
}
"""Name and constants of the forms that the script knows."""


def form(law: Any) -> dict[str, Any]:
    """Constants of a law for the script, in one of the forms that it knows."""
    if isinstance(law, laws.DataConstrainedLaw):
        return {**form(law.base), "R_D": law.R_D, "R_N": law.R_N}
    if isinstance(law, laws.ComputeSplit):
        k_N, k_D = law.N_e / PF_DAY**law.p_N, law.D_e / PF_DAY**law.p_D
        law = Frontier(law.p_N, law.p_D, k_N, k_D)
    own = fresh(law)
    name, names = SHAPES[type(own)]
    return {"form": name, **{one: getattr(own, one) for one in names.split()}}


def _draws() -> tuple[dict[str, str], dict[str, Any]]:
    """Which draws a law has, and the draws; the fits of one form to the same runs share theirs."""
    whose, drawn = {}, {}
    for key in BANDED:
        whose[key] = f"{KNOWN.runs[key]} {form_of(published.law(key))}"
        rows = pd.DataFrame([form(one) for one in draws(key)])
        # A band needs what moves, and of a frontier the side of the size.
        names = [one for one in rows.columns[1:] if one not in {"k_D", "b"} and np.ptp(rows[one])]
        drawn[whose[key]] = {"names": names, "rows": rows[names].to_numpy().tolist()}
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
