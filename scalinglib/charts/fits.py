"""Pictures of fits: what they leave over, how far they spread, and how they predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.laws import ChinchillaLaw

from .base import EPOCH, OURS, RUNS, Role, described, rounded
from .channels import (
    SIGNED_PERCENT,
    axis,
    decades,
    hues,
    key,
    log_axis,
    round_ticks,
    rows,
    shapes,
    tooltips,
)
from .marks import at

Domain = tuple[float, float]


def residual_strips(
    residuals: pd.DataFrame, roles: Mapping[str, Role], *, reach: float = 0.08
) -> Any:
    """Relative residuals of the same runs under several laws, one strip a law from the top.

    Columns law (a key of `roles`), tokens, residual (observed over predicted loss, minus 1); the
    axis ends at `reach` on both sides.
    """
    order = list(roles)
    data = rounded(residuals)
    # The rank among the runs of one law spreads the points; no random draw is needed.
    data["spread"] = (data.groupby("law").cumcount() * 0.618034) % 1
    x = alt.X(
        "residual:Q",
        title="Observed loss relative to predicted",
        axis=alt.Axis(labelExpr=SIGNED_PERCENT, tickCount=5),
        scale=alt.Scale(domain=[-reach, reach], clamp=True),
    )
    row = rows("law:N", order, labels=160)
    colour = hues("law:N", roles)
    points = (
        alt.Chart(data)
        .mark_circle(size=18, opacity=0.35)
        .encode(
            x=x, y=row, color=colour, yOffset=alt.YOffset("spread:Q"),
            tooltip=tooltips("law:N", ("residual:Q", "+.2%"), ("tokens:Q", ".3s")),
        )
    )  # fmt: skip
    zero = at(at=0.0).mark_rule(style="quiet").encode(x="at:Q")
    means = rounded(data.groupby("law", as_index=False, sort=False).residual.mean())
    base = alt.Chart(means).encode(x="residual:Q", y=row, color=colour)
    mean = base.mark_tick(thickness=3, size=48)
    # The points fill the middle of a strip; its left edge is free for the number.
    word = alt.Chart(means).encode(x=alt.value(4), y=row, color=colour)
    number = word.mark_text(style="bold", align="left").encode(
        text=alt.Text("residual:Q", format="+.2%")
    )
    return described(
        zero + points + mean + number,
        f"Strip plot of the relative residuals of {residuals.groupby('law').size().max()} runs "
        f"under {len(order)} parameter sets: {', '.join(order)}. Bars mark the mean of each set.",
    )


def parameter_cloud(
    params: pd.DataFrame, points: Mapping[str, tuple[Role, ChinchillaLaw]], *,
    alpha: Domain | None = None, beta: Domain | None = None, shown: int = 1000,
) -> Any:  # fmt: skip
    """Bootstrap refits in the plane of the two exponents, with other laws marked.

    `params` has a row a refit and columns alpha, beta; the first `shown` are drawn, which are a
    random sample already. The ends of the axes follow the data unless they are given.
    """
    data = rounded(params[["alpha", "beta"]].head(shown), 4)
    marks = pd.DataFrame(
        [
            {"law": name, "alpha": law.alpha, "beta": law.beta, "left": index % 2 == 0}
            for index, (name, (_, law)) in enumerate(points.items())
        ]
    )
    ends = {
        name: given or (both.min() - 0.02, both.max() + 0.02)
        for name, given in (("alpha", alpha), ("beta", beta))
        for both in [np.append(data[name].quantile([0.005, 0.995]), marks[name])]
    }
    x = alt.X("alpha:Q", **axis("Exponent of parameters, α", ends["alpha"], tickCount=6))
    y = alt.Y("beta:Q", **axis("Exponent of tokens, β", ends["beta"], tickCount=6))
    cloud = (
        alt.Chart(data)
        .mark_circle(size=14, opacity=0.35, color=RUNS.colour, clip=True)
        .encode(x=x, y=y)
    )
    colour = hues("law:N", {name: role for name, (role, _) in points.items()})
    base = alt.Chart(marks).encode(x=x, y=y, color=colour)
    dots = base.mark_point(style="diamond", size=120)
    # Neighbouring laws come in pairs; their labels go to opposite sides.
    left = base.transform_filter("datum.left").mark_text(style="bold", align="right", dx=-10)
    right = base.transform_filter("!datum.left").mark_text(style="bold", align="left", dx=10)
    labels = left.encode(text="law:N") + right.encode(text="law:N")
    return described(
        cloud + dots + labels,
        f"Scatter plot of {len(data)} bootstrap refits in the plane of the exponents alpha and "
        f"beta: a compact cloud around the fit. Marked laws: {', '.join(points)}.",
    )


def forest(
    values: pd.DataFrame, *, interval: tuple[str, float, float], title: str, domain: Domain
) -> Any:
    """One number under several choices, as labelled points on a logarithmic axis.

    Columns choice, value, role ("ours" or "published"), in the order of the rows; `interval` is
    the choice that carries one, and its ends. A line break in `title` breaks the axis title.
    """
    order = list(values.choice)
    looks = {kind: role for kind, role in (("ours", OURS), ("published", EPOCH))
             if kind in set(values.role)}  # fmt: skip
    name, low, high = interval
    # Beside the names a narrow screen has room for ticks at 1, 2 and 5 over two decades.
    ticks = round_ticks(*domain) if domain[1] <= 100 * domain[0] else decades(*domain)
    x = {**log_axis(title, domain, values=ticks), "title": title.split("\n")}
    y = rows("choice:N", order, labels=190)
    bar = (
        at(choice=name, low=low, high=high, digits=5)
        .mark_rule(style="interval", color=OURS.colour)
        .encode(x=alt.X("low:Q", scale=x["scale"]), x2="high:Q", y=y)
    )
    legend = key() if len(looks) > 1 else None
    colour = hues("role:N", looks, legend=legend)
    base = alt.Chart(rounded(values)).encode(x=alt.X("value:Q", **x), y=y, color=colour)
    points = base.mark_point(style="dot", size=90, opacity=1).encode(
        shape=shapes("role:N", looks, ("circle", "diamond"), legend=legend and alt.Undefined)
    )
    numbers = base.mark_text(style="note", dy=-12).encode(text=alt.Text("value:Q", format=".3r"))
    told = "; ".join(f"{one.choice} {one.value:.3g}" for one in values.itertuples())
    return described(
        bar + points + numbers,
        f"Dot plot of {' '.join(title.split()).lower()} under {len(order)} choices. {told}. "
        f"The interval of {name} runs from {low:.3g} to {high:.3g}.",
    )


def backtest(
    errors: pd.DataFrame, roles: Mapping[str, Role], *, domain: Domain | None = None
) -> Any:
    """Errors of predictions against how far beyond the fitted points they lie.

    Columns form (a key of `roles`), points (how many were fitted), reach (compute, times the
    largest fitted budget), error (relative); `domain` holds the ends of the axis of errors.
    """
    data = rounded(errors[["form", "points", "reach", "error"]]).reset_index(drop=True)
    top, names = float(data.reach.max()), list(roles)
    widest = 1.15 * float(data.error.abs().max())
    low, high = domain or (-widest, widest)
    reach = (1.3, 1.5 * top)
    ticks = round_ticks(*reach)
    x = alt.X("reach:Q", **log_axis("Compute, times the largest fitted budget", reach,
                                    values=ticks, format="d"))  # fmt: skip
    percents = [k / 50 for k in range(int(np.ceil(50 * low)), int(50 * high) + 1)]
    y = alt.Y("error:Q", **axis("Predicted loss relative to observed", (low, high),
                                values=percents, labelExpr=SIGNED_PERCENT))  # fmt: skip
    colour = hues("form:N", roles, legend=key(symbolOpacity=1))
    base = alt.Chart(data).encode(x=x, y=y, color=colour)
    zero = at(at=0.0).mark_rule(style="quiet").encode(y="at:Q")
    lines = base.mark_line(strokeWidth=1.2, opacity=0.5).encode(detail=["form:N", "points:N"])
    # The second form is drawn smaller, so that equal predictions show as a ring.
    sizes = alt.Scale(domain=names, range=[130, 45, 90][: len(names)])
    points = base.mark_point(style="dot", opacity=1).encode(
        shape=shapes("form:N", names, legend=alt.Undefined),
        size=alt.Size("form:N", scale=sizes, legend=None),
        tooltip=tooltips("form:N", ("points:Q", "", "budgets fitted"),
                         ("reach:Q", ".3~r", "times the largest"), ("error:Q", "+.1%")),
    )  # fmt: skip
    ends = data.loc[data.groupby(["form", "points"], sort=False).reach.idxmax()]
    counts = (
        alt.Chart(ends)
        .mark_text(style="note", align="left", dx=9)
        .encode(x=x, y=y, color=colour, text="points:N")
    )
    worst = data.groupby("form", sort=False).error.agg(lambda one: one.abs().max())
    told = "; ".join(f"{name}: {100 * value:.1f} per cent" for name, value in worst.items())
    return described(
        zero + lines + points + counts,
        "Scatter plot of relative prediction errors against the distance of the extrapolation, "
        f"up to {top:.0f} times the largest fitted budget, for {len(names)} forms. Largest error "
        f"of each: {told}.",
    )
