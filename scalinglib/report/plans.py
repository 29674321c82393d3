"""What laws say to build for a budget: published ones, and those fitted to a reader's runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pandas as pd

from scalinglib import published
from scalinglib.catalogue import resolve as key_of
from scalinglib.catalogue import split
from scalinglib.datasets import load
from scalinglib.errors import DataError, FitError
from scalinglib.fit.bootstrap import Bootstrap
from scalinglib.optimum import Allocation, compute_optimal

LAWS = (
    "besiroglu2024/headline fit", "hoffmann2022/approach 3", "muennighoff2023/base",
    "kaplan2020/joint",
)  # fmt: skip
"""Published laws that a plan is set beside, unless others are asked for."""

RUNS = {"besiroglu2024": "chinchilla_runs", "hoffmann2022": "chinchilla_runs",
        "pearce2024": "chinchilla_runs", "muennighoff2023": "repeated_data_runs"}  # fmt: skip
"""Tables of the runs behind a published law, by its source."""


def resolve(key: str) -> str:
    """The key of a published law of runs, or of the first one of a source; else a refusal."""
    found = key_of(key)
    split(published.law(found), 1e21)
    return found


def largest(source: str) -> tuple[float, float] | None:
    """Most parameters and most tokens of the runs behind a published law, where they are known."""
    if source == "kaplan2020":
        ends = [published.value(f"kaplan2020/range/{one}/high") for one in "ND"]
        return ends[0], ends[1]
    if source not in RUNS:
        return None
    runs = load(RUNS[source])
    return float(runs.params.max()), float(runs.tokens.max())


def beyond(best: Allocation, ends: tuple[float, float] | None) -> str:
    """How far a split lies beyond the runs of its law, in words; empty inside them."""
    if ends is None:
        return "its runs are not public here"
    told = [
        f"{float(f'{value / end:.2g}'):g} times {thing}"
        for value, end, thing in zip(
            (best.N, best.D), ends, ("the largest model", "the most tokens"), strict=True
        )
        if value > 1.05 * end
    ]
    return f"extrapolated: {' and '.join(told)} of its runs" if told else ""


def row(name: str, law: Any, C: float, ends: tuple[float, float] | None) -> dict[str, Any]:
    """One line of a plan."""
    best = split(law, C)
    return {"law": name, "params": float(best.N), "tokens": float(best.D),
            "tokens per parameter": float(best.tokens_per_param), "loss": float(best.loss),
            "note": beyond(best, ends)}  # fmt: skip


def published_plan(keys: Iterable[str], C: float) -> pd.DataFrame:
    """The split of a budget (FLOP) under published laws, a row a law."""
    rows = []
    for key in keys:
        source = key.split("/")[0]
        one = row(key, published.law(key), C, largest(source))
        if source == "kaplan2020":
            one["note"] = "; ".join(filter(None, ["non-embedding parameters", one["note"]]))
        rows.append(one)
    return pd.DataFrame(rows)


def spread(boot: Bootstrap, C: float) -> dict[str, tuple[float, float]]:
    """Percentile intervals of the split and its loss over the resamples of a fit."""
    ends = {}
    for name, field in (("params", "N"), ("tokens", "D"), ("tokens per parameter", "D/N"),
                        ("loss", "loss")):  # fmt: skip
        try:
            ends[name] = boot.interval(partial(_read, C=C, field=field))
        except (DataError, FitError):
            return {}
    return ends


def _read(law: Any, C: float, field: str) -> float:
    best = compute_optimal(law, C)
    return float(best.tokens_per_param if field == "D/N" else getattr(best, field))
