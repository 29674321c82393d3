"""Pictures of training runs: in the plane of compute and size, and along each budget."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.isoflop import FrontierFit
from scalinglib.runs.units import quantity

from .base import EPOCH, HEIGHT, OURS, described, power_of_ten, rounded
from .channels import axis, compute_axis, decades, params_axis, tooltips

Domain = tuple[float, float]


def around(values: Any, margin: float = 1.3) -> Domain:
    """Ends of a logarithmic axis that leave a margin (a factor) on both sides of the data."""
    return float(np.min(values)) / margin, float(np.max(values)) * margin


def runs_plane(
    runs: pd.DataFrame, *, flops: Domain | None = None, params: Domain | None = None,
    loss: Domain | None = None, description: str = "",
) -> Any:  # fmt: skip
    """Runs in the plane of compute and model size, coloured by loss.

    Columns flops, params, tokens, loss (nats per token) and, where runs were left out of a fit,
    excluded (bool). The ends of the three scales follow the data unless they are given.
    """
    data = rounded(runs.reindex(columns=["flops", "params", "tokens", "loss", "excluded"]))
    data["excluded"] = data.excluded.eq(other=True)
    x = alt.X("flops:Q", **compute_axis(flops or around(data.flops)))
    y = alt.Y("params:Q", **params_axis(params or around(data.params)))
    best, worst = loss or around(data.loss, 1.0)
    colour = alt.Color(
        "loss:Q",
        title="Loss (nats per token)",
        scale=alt.Scale(scheme="viridis", type="log", domain=[best, worst], reverse=True),
        legend=alt.Legend(
            values=[one for one in (1, 1.5, 2, 2.5, 3, 4, 5, 7, 10) if best <= one <= worst]
        ),
    )
    base = alt.Chart(data).encode(
        x=x, y=y,
        tooltip=tooltips(("params:Q", ".3s", "parameters"), ("tokens:Q", ".3s", "tokens"),
                         ("flops:Q", ".3~e", "FLOP"), ("loss:Q", ".4", "loss (nats per token)")),
    )  # fmt: skip
    kept = base.transform_filter("!datum.excluded").mark_circle(size=55, opacity=0.9)
    dropped = base.transform_filter("datum.excluded").mark_point(
        shape="cross", size=90, filled=True, angle=45, color=EPOCH.colour
    )
    word = (
        alt.Chart(data)
        .transform_filter("datum.excluded")
        .transform_aggregate(flops="max(flops)", params="max(params)")
        .mark_text(align="right", dx=-12, lineBreak="\n", color=EPOCH.colour)
        .encode(x=x, y=y, text=alt.value("left out\nof the fit"))
    )
    told = (
        f"Scatter plot of {len(data)} training runs. Compute on the horizontal axis runs from "
        f"{data.flops.min():.2g} to {data.flops.max():.2g} FLOP, parameters on the vertical axis "
        f"from {data.params.min():.2g} to {data.params.max():.2g}. Loss, shown by colour, runs "
        f"from {data.loss.min():.2f} to {data.loss.max():.2f}. "
        f"Marked as left out of the fit: {int(data.excluded.sum())}."
    )
    return described(kept.encode(color=colour) + dropped + word, description or told)


def isoflop_profiles(
    runs: pd.DataFrame, fit: FrontierFit, *, params: Domain | None = None,
    loss: Domain | None = None, flags: str = "flagged runs",
) -> Any:  # fmt: skip
    """IsoFLOP profiles, the parabolas through them, and their minima.

    Columns budget_flops, params, tokens, loss and, if some runs are doubted, flagged (bool);
    `flags` says what those are. `fit` is approach 2 on these runs, along params.
    """
    lowest = min(float(fit.minima.loss.min()), float(runs.loss.min()))
    low, high = loss or (0.98 * lowest, 1.02 * float(runs.loss.max()))
    x = alt.X("params:Q", **params_axis(params or around(runs.params)))
    y = alt.Y("loss:Q", **axis("Final loss, L (nats per token)", (low, high), tickCount=7))
    first, last = float(fit.minima.budget.min()), float(fit.minima.budget.max())
    colour = alt.Color(
        "budget:Q",
        title="Training compute (FLOP)",
        # The ends of viridis are left out: they vanish on a black and on a white page.
        scale=alt.Scale(
            scheme=alt.SchemeParams("viridis", extent=[0.28, 0.92]), type="log", reverse=True
        ),
        legend=alt.Legend(values=decades(first, last), labelExpr=power_of_ten("datum.value")),
    )
    points = runs.rename(columns={"budget_flops": "budget"})
    points = points.reindex(columns=["budget", "params", "tokens", "loss", "flagged"])
    points["flagged"] = points.flagged.eq(other=True)
    measured = alt.Chart(rounded(points[points.loss <= high])).encode(
        x=x, y=y, color=colour,
        tooltip=tooltips(("budget:Q", ".2~e", "FLOP"), ("params:Q", ".3s", "parameters"),
                         ("tokens:Q", ".3s", "tokens"), ("loss:Q", ".4", "loss")),
    )  # fmt: skip
    kept = measured.transform_filter("!datum.flagged").mark_circle(size=34, opacity=0.9)
    doubted = measured.transform_filter("datum.flagged").mark_point(size=34, strokeWidth=1.4)
    curves = (
        alt.Chart(rounded(_parabolas(runs, fit)))
        .mark_line(strokeWidth=1.3, opacity=0.8, clip=True)
        .encode(x=x, y=y, color=colour, detail="budget:Q")
    )
    minima = alt.Chart(rounded(fit.minima[["budget", "params", "loss", "used"]])).encode(x=x, y=y)
    best = minima.transform_filter("datum.used").mark_point(style="diamond", color=OURS.colour)
    missed = minima.transform_filter("!datum.used")
    cross = missed.mark_point(style="cross", size=90, color=EPOCH.colour)
    # Several crosses need the word once.
    lone = missed.transform_filter(f"datum.budget == {_last_missed(fit):.4e}")
    word = lone.mark_text(
        style="note", align="right", dx=-10, dy=16, lineBreak="\n", color=EPOCH.colour
    ).encode(text=alt.value("minimum outside\nits runs"))
    told = _profiles_told(fit) + (f" Open circles are {flags}." if points.flagged.any() else "")
    return described(curves + kept + doubted + best + cross + word, told, height=HEIGHT + 60)


def _last_missed(fit: FrontierFit) -> float:
    missed = fit.minima.budget[~fit.minima.used]
    return float(missed.max()) if len(missed) else 0.0


def _parabolas(runs: pd.DataFrame, fit: FrontierFit) -> pd.DataFrame:
    """Parabolas in the logarithm of size, from the smallest run or the minimum to the largest."""
    parts = []
    for one, group in zip(fit.minima.itertuples(), fit.grouping.itertuples(), strict=True):
        own = runs.params[runs.budget_flops.between(group.lowest, group.highest)]
        low, high = own.min(), own.max()
        N = np.geomspace(min(low, one.params), high, 40)
        loss = one.loss + 0.5 * one.curvature * np.log(N / one.params) ** 2
        parts.append(pd.DataFrame({"budget": one.budget, "params": N, "loss": loss}))
    return pd.concat(parts, ignore_index=True)


def _profiles_told(fit: FrontierFit) -> str:
    used, missed = fit.minima[fit.minima.used], int((~fit.minima.used).sum())
    said = {
        0: "",
        1: " One budget has its minimum outside its runs.",
    }.get(missed, f" {missed} budgets have their minima outside their runs.")
    return (
        f"Scatter plot of loss against model size for {len(fit.minima)} budgets from "
        f"{fit.minima.budget.min():.0e} to {fit.minima.budget.max():.0e} FLOP, with a parabola "
        "through the runs of each budget. The minima move right and down as the budget grows, "
        f"from {quantity(used.params.iloc[0])} parameters at a loss of "
        f"{used.loss.iloc[0]:.2f} to {quantity(used.params.iloc[-1])} at "
        f"{used.loss.iloc[-1]:.2f}.{said}"
    )
