"""Pictures of the Epoch refit: the surface that a minimiser walks on, and what the fit leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    HOFFMANN,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    at,
    axis,
    described,
    hues,
    key,
    label,
    log_axis,
    point_names,
    rounded,
    shapes,
    tooltips,
)

LEVELS = (1.1, 1.3, 1.6, 2.0, 3.0, 5.0)
"""Edges of the bands of the surface, in multiples of the least objective."""

# All light, so that paths and words are seen on them.
GREYS = ("#f7f8f9", "#eaedf0", "#dce0e5", "#cfd5db", "#c1c9d0", "#b4bdc6", "#a7b1bb")

REACH = 2.5
"""Residuals (per cent) beyond which a point is drawn at the edge of its panel."""


def walks(surface: pd.DataFrame, paths: Mapping[str, pd.DataFrame], laws: Mapping[str, Any]) -> Any:
    """Bands of the profile objective, with the iterates of minimisers and printed laws.

    `surface` and each of `paths` have columns alpha, beta and objective, in multiples of the
    least one; a path also has step. `laws` are marked by name.
    """
    grid = [np.unique(surface[name]) for name in ("alpha", "beta")]
    half = [(one[1] - one[0]) / 2 for one in grid]
    ends = [(one[0], one[-1]) for one in grid]
    x = alt.X("alpha:Q", **axis("Exponent of parameters, α", ends[0], tickCount=6))
    y = alt.Y("beta:Q", **axis("Exponent of tokens, β", ends[1], tickCount=6))
    cells = surface.assign(
        level=np.searchsorted(LEVELS, surface.objective),
        alpha=surface.alpha - half[0], right=surface.alpha + half[0],
        beta=surface.beta - half[1], top=surface.beta + half[1],
    )  # fmt: skip
    words = [f"up to {LEVELS[0]:g}", *(f"{one:g}" for one in LEVELS[1:]), "more"]
    cells["band"] = [words[level] for level in cells.level]
    swatches = key(columns=4, symbolStrokeColor=QUIET, symbolStrokeWidth=0.6)
    bands = (
        alt.Chart(rounded(cells.drop(columns=["objective", "level"])))
        .mark_rect(clip=True)
        .encode(
            x=x, x2="right:Q", y=y, y2="top:Q",
            fill=alt.Fill("band:N", sort=words, legend=swatches,
                          scale=alt.Scale(domain=words, range=list(GREYS))),
        )
    )  # fmt: skip
    steps = pd.concat([one.assign(path=name) for name, one in paths.items()], ignore_index=True)
    looks = dict(zip(paths, (OURS.colour, OCHRE), strict=True))
    base = alt.Chart(rounded(steps)).encode(
        x=x, y=y, color=hues("path:N", looks, legend=key(orient="bottom"))
    )
    # The second path covers the first while they run together; it is drawn thinner.
    widths = alt.Scale(domain=list(paths), range=[5, 2])
    lines = base.mark_line(clip=True).encode(
        order="step:Q", strokeWidth=alt.StrokeWidth("path:N", scale=widths, legend=None)
    )
    last = rounded(steps.groupby("path", sort=False).tail(1))
    stops = (
        alt.Chart(last)
        .mark_point(style="dot", size=110)
        .encode(
            x=x, y=y, color=hues("path:N", looks), shape=shapes("path:N", paths),
            tooltip=tooltips("path:N", "step:Q", ("objective:Q", ".4r")),
        )
    )  # fmt: skip
    marks = pd.DataFrame(
        [{"law": name, "alpha": law.alpha, "beta": law.beta} for name, law in laws.items()]
    )
    diamonds = alt.Chart(marks).mark_point(style="diamond", color=HOFFMANN.colour).encode(x=x, y=y)
    names = point_names(marks, "law:N", x, y, color=HOFFMANN.colour, dx=10, dy=8)
    first = steps.iloc[0]
    begin = label("start", x, y, (first.alpha, first.beta), dx=6, dy=12, color=VIOLET)
    told = "; ".join(
        f"{one.path} stops after about {one.step:.0f} iterations at alpha {one.alpha:.2f}, beta "
        f"{one.beta:.2f}, {one.objective:.3g} times the least objective"
        for one in last.itertuples()
    )
    return described(
        bands + lines + stops + diamonds + names + begin,
        "Map of the least objective over the two exponents, a valley with its floor near "
        f"alpha 0.35 and beta 0.37, and the paths of two minimisers from one start. {told}.",
    )


def leftovers(points: pd.DataFrame, guides: pd.DataFrame) -> Any:
    """Residuals of one fit against several quantities, one panel a quantity from the top.

    Columns of both: quantity, x (multiple of the geometric mean), residual (per cent).
    """
    order = list(dict.fromkeys(points.quantity))
    middle = {name: 2 * REACH * (len(order) - 1 - row) for row, name in enumerate(order)}
    ends = (-REACH, 2 * REACH * (len(order) - 1) + REACH)
    x = alt.X("x:Q", **log_axis("Multiple of the geometric mean of the runs", (0.005, 300),
                                label="plain"))  # fmt: skip
    ticks = [centre + step for centre in middle.values() for step in (-1, 0, 1)]
    here = f"((datum.value + {REACH}) % {2 * REACH} - {REACH})"
    words = f"{here} == 0 ? '0' : format({here}, '+d') + ' %'"
    y = alt.Y("place:Q", **axis("Observed loss relative to the fit", ends,
                                values=ticks, labelExpr=words, grid=False))  # fmt: skip

    def placed(frame: pd.DataFrame) -> pd.DataFrame:
        inside = frame.residual.clip(-0.95 * REACH, 0.95 * REACH)
        return rounded(frame.assign(place=frame.quantity.map(middle) + inside))

    dots = (
        alt.Chart(placed(points))
        .mark_circle(size=16, opacity=0.4, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips("quantity:N", ("residual:Q", "+.2f", "per cent")))
    )
    curves = (
        alt.Chart(placed(guides))
        .mark_line(color=OURS.colour, strokeWidth=3)
        .encode(x=x, y=y, detail="quantity:N")
    )
    zero = at(place=list(middle.values())).mark_rule(style="quiet").encode(y=y)
    heads = at(quantity=order, place=[one + 0.8 * REACH for one in middle.values()])
    names = heads.mark_text(style="bold", align="left").encode(
        x=alt.value(6), y=y, text="quantity:N"
    )
    return described(
        zero + dots + curves + names,
        f"Scatter plots of the relative residuals of {points.quantity.eq(order[0]).sum()} runs "
        f"against {', '.join(order)}, one above the other, with a parabola through each. ",
        height=120 * len(order),
    )
