"""What the script of the page gets: laws in three forms, devices, defaults and ranges."""

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
from scalinglib.laws import ComputeSplit, DataConstrainedLaw, KaplanLaw

from .memory import BYTES_PER_WEIGHT, STATE_BYTES, STATE_BYTES_FP32
from .plan import ASSUMED, DEVICES, KNOWN, LEVEL, RUNS_KNOWN, PlanSettings, draws, fresh


@singledispatch
def form(law: Any) -> dict[str, Any]:
    """Constants of a law for the script: of a sum of terms, of two powers, or of Kaplan's form."""
    base = fresh(law)
    return {
        "form": "sum",
        **{name: getattr(base, name) for name in ("E", "A", "B", "alpha", "beta")},
    }


@form.register
def _(law: DataConstrainedLaw) -> dict[str, Any]:
    return {**form(law.base), "R_D": law.R_D, "R_N": law.R_N}


@form.register
def _(law: Frontier) -> dict[str, Any]:
    return {"form": "power", "k_N": law.k_N, "a": law.a, "k_D": law.k_D, "b": law.b}


@form.register
def _(law: ComputeSplit) -> dict[str, Any]:
    scale = {"k_N": law.N_e / PF_DAY**law.p_N, "k_D": law.D_e / PF_DAY**law.p_D}
    return {"form": "power", **scale, "a": law.p_N, "b": law.p_D}


@form.register
def _(law: KaplanLaw) -> dict[str, Any]:
    names = ("alpha_N", "alpha_D", "N_c", "D_c")
    return {"form": "kaplan", **{name: getattr(law, name) for name in names}}


def constants() -> dict[str, Any]:
    """Everything the script of the page needs, ready for JSON."""
    ends = [f"{one}_{end}" for one in "NDC" for end in ("low", "high")]
    return {
        "laws": [
            {
                "key": key,
                **form(published.law(key)),
                **_filled(KNOWN.loc[key, [*ends, "counts", "unit", "corpus"]]),
                **({"draws": key.split("/")[0]} if key in RUNS_KNOWN else {}),
            }
            for key in KNOWN.index
        ],
        # The fits of one source to the same runs share their draws.
        "draws": {key.split("/")[0]: np.asarray(draws(key)).T.tolist() for key in RUNS_KNOWN},
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
    }


def _filled(row: pd.Series[Any]) -> Mapping[str, Any]:
    """The entries of a row that are not missing, numbers as plain floats."""
    return {
        str(name): float(value) if isinstance(value, int | float | np.number) else value
        for name, value in row.items()
        if not pd.isna(value)
    }
