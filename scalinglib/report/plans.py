"""What laws say to build for a budget: published ones, and those fitted to a reader's runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import pandas as pd

from scalinglib.catalogue import beyond, plans, split
from scalinglib.errors import DataError, FitError
from scalinglib.fit.bootstrap import Bootstrap
from scalinglib.optimum import compute_optimal

LAWS = (
    "besiroglu2024/headline fit", "hoffmann2022/approach 3", "muennighoff2023/base",
    "kaplan2020/joint",
)  # fmt: skip
"""Published laws that a plan is set beside, unless others are asked for."""


def row(name: str, law: Any, C: float, runs: pd.DataFrame) -> dict[str, Any]:
    """One line of a plan by a law that was fitted to runs."""
    best = split(law, C)
    ends = {f"{letter}_{end}": runs[column].agg(how) if column in runs else float("nan")
            for letter, column in (("N", "params"), ("D", "tokens"), ("C", "flops"))
            for end, how in (("low", "min"), ("high", "max"))}  # fmt: skip
    return {"law": name, "params": float(best.N), "tokens": float(best.D),
            "tokens per parameter": float(best.tokens_per_param), "loss": float(best.loss),
            "note": beyond(pd.Series(ends), best)}  # fmt: skip


def published_plan(keys: Iterable[str], C: float) -> pd.DataFrame:
    """The split of a budget (FLOP) under published laws, a row a law."""
    table = plans(C, keys).rename_axis("law").reset_index()
    counted = table["counts"].map(lambda what: "" if what == "total" else f"N counts {what}")
    note = ["; ".join(filter(None, both)) for both in zip(counted, table["beyond"], strict=True)]
    table = table.rename(columns={"tokens_per_param": "tokens per parameter"}).assign(note=note)
    return table.drop(columns=["counts", "beyond"])


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
