"""Pictures of the catalogue: many laws on common axes, one of them chosen."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.catalogue import beyond, split
from scalinglib.charts import (
    OURS,
    QUIET,
    compute_axis,
    described,
    log_axis,
    menu,
    rounded,
    tooltips,
)
from scalinglib.charts.base import BEYOND
from scalinglib.charts.channels import round_ticks

BUDGETS = np.geomspace(1e17, 1e27, 41)


def table(laws: pd.DataFrame) -> pd.DataFrame:
    """What each law plans along budgets: columns key, law (name), flops, ratio, loss, inside."""
    parts = []
    for key, row in laws.iterrows():
        best = split(published.law(str(key)), BUDGETS)
        inside = [
            not beyond(row, one) for one in (split(published.law(str(key)), C) for C in BUDGETS)
        ]
        parts.append(
            pd.DataFrame(
                {"key": key, "law": row["name"], "flops": BUDGETS,
                 "ratio": best.tokens_per_param, "loss": best.loss, "inside": inside}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def lines(plans: pd.DataFrame, value: str, *, title: str, domain: tuple[float, float],
          first: str, told: str) -> Any:  # fmt: skip
    """A curve a law, solid inside the runs behind it and broken beyond; one law stands out.

    Columns law, flops, inside and `value`; `first` is the law that stands out at the start.
    """
    shown = rounded(plans[plans[value].between(*domain)].drop(columns="key"), 4)
    chosen = menu("chosen", [first, *sorted(set(shown.law) - {first})], "Law")
    x = alt.X("flops:Q", **compute_axis((BUDGETS[0], BUDGETS[-1]), step=2))
    wide = domain[1] > 100 * domain[0]
    ticks = {} if wide else {"values": round_ticks(*domain), "label": "plain"}
    y = alt.Y(f"{value}:Q", **log_axis(title, domain, **ticks))
    picked = "datum.law === chosen"
    base = alt.Chart(shown).encode(
        x=x, y=y, detail="law:N",
        tooltip=tooltips("law:N", ("flops:Q", ".1~e", "FLOP"), (f"{value}:Q", ".3~r", title)),
    )  # fmt: skip
    quiet = {"color": QUIET, "strokeWidth": 1}
    strong = {"color": OURS.colour, "strokeWidth": 3}
    inside, far = "datum.inside", {"strokeDash": list(BEYOND), "opacity": 0.45}
    layers = [
        base.mark_line(**quiet, **far),
        base.transform_filter(inside).mark_line(**quiet),
        base.transform_filter(picked).mark_line(**strong, **far),
        base.transform_filter(f"{picked} && {inside}").mark_line(**strong),
    ]
    return described(alt.layer(*layers).add_params(chosen), told, height=380)
