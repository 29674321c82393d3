"""Pictures of power laws: forms on both kinds of axes, what they forecast, and where they fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    BEYOND,
    HEIGHT,
    OCHRE,
    OURS,
    RUNS,
    Role,
    axis,
    compute_axis,
    described,
    end_here,
    extrapolated,
    hues,
    key,
    label,
    log_axis,
    loss_axis,
    power_of_ten,
    rounded,
    slider,
    tooltips,
)
from scalinglib.laws import PowerLaw

PURE = Role("power law", OCHRE)
FLOOR = Role("with a floor", OURS.colour)


def _loss(field: str, domain: tuple[float, float]) -> alt.Y:
    return alt.Y(field, **loss_axis(domain, (1.25, 1.5, 2, 2.5, 3), format=".3~r"))


def _minima(minima: pd.DataFrame, x: alt.X, y: alt.Y) -> Any:
    return (
        alt.Chart(rounded(minima[["C", "loss"]]))
        .mark_point(style="dot", size=70, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips(("C:Q", ".2~e", "budget (FLOP)"),
                                           ("loss:Q", ".4", "lowest loss")))
    )  # fmt: skip


def names(curves: Mapping[str, Callable[[float], Any]], end: float, encoding: Any) -> Any:
    """Names of falling curves: above each, where it falls away, and below the lowest one.

    ``encoding`` holds the x, y and colour channels, with the fields C, height and law.
    """
    lowest = min(curves, key=lambda name: float(curves[name](end)))
    marks = []
    for name, curve in curves.items():
        below = name == lowest
        C = end if below else end * 10**-1.9
        where = pd.DataFrame({"law": [name], "C": [C], "height": [float(curve(C))]})
        look: dict[str, Any] = {"align": "right", "dy": 15} if below else {"align": "left",
                                                                          "dy": -10}  # fmt: skip
        words = alt.Chart(rounded(where)).mark_text(style="bold", **look)
        marks.append(words.encode(text="law:N", **encoding))
    return alt.layer(*marks)


def on_axes(laws: Mapping[str, tuple[Role, PowerLaw]], domain: tuple[float, float], *,
            ratios: bool) -> Any:  # fmt: skip
    """Laws over a range of compute (FLOP), on axes of even steps or of equal ratios."""
    grid = np.geomspace(*domain, 50)
    if not ratios:
        grid = np.unique(np.append(grid, np.linspace(*domain, 50)))
    drawn = [pd.DataFrame({"law": name, "C": grid, "loss": law.loss(grid)})
             for name, (_, law) in laws.items()]  # fmt: skip
    if ratios:
        x = alt.X("C:Q", **compute_axis(domain))
        y = alt.Y("loss:Q", **loss_axis((1.1, 3.6), (1.25, 1.5, 2, 2.5, 3), format=".3~r"))
        told = "the power law is a straight line, and the curve with a floor bends away from it"
    else:
        words = "datum.value ? format(datum.value, '.0e') : '0'"
        x = alt.X(
            "C:Q",
            **axis("Training compute, C (FLOP)", (0, domain[1]), tickCount=4, labelExpr=words),
        )
        y = alt.Y("loss:Q", **axis("Loss, L (nats per token)", (1, 3.6), tickCount=5))
        told = "both curves drop at the left edge and then look level"
    spans = {name: law.loss(np.array(domain)) for name, (_, law) in laws.items()}
    ends = "; ".join(f"{name}, from {one[0]:.2f} to {one[1]:.2f}" for name, one in spans.items())
    steps = "equal ratios" if ratios else "even steps"
    return described(
        alt.Chart(rounded(pd.concat(drawn, ignore_index=True))).mark_line().encode(
            x=x, y=y, color=hues("law:N", {name: role for name, (role, _) in laws.items()},
                                 legend=key()),
        ),
        f"Line chart of losses against training compute, {ends}. On axes of {steps} {told}.",
        height=220,
    )  # fmt: skip


def forms(
    minima: pd.DataFrame, curves: Mapping[str, tuple[Role, PowerLaw, float]], *, end: float
) -> Any:
    """The lowest losses on log-log axes, and fitted forms drawn on to `end` (FLOP).

    `minima` has columns C (FLOP) and loss; a curve is a label with its role, its law, and the
    compute (FLOP) of the largest point it was fitted to.
    """
    x = alt.X("C:Q", **compute_axis((3e18, 1.6 * end)))
    y = _loss("loss:Q", (1.1, 3.3))
    C = np.geomspace(minima.C.min(), end, 41)
    drawn = []
    for name, (_, law, last) in curves.items():
        for part, at in (("fit", C[last >= C]), ("beyond", np.append(last, C[last < C]))):
            drawn.append(pd.DataFrame({"law": name, "part": part, "C": at, "loss": law.loss(at)}))
    colour = hues("law:N", {name: role for name, (role, _, _) in curves.items()})
    lines = (
        alt.Chart(rounded(pd.concat(drawn, ignore_index=True)))
        .mark_line()
        .encode(x=x, y=y, color=colour, strokeDash=extrapolated(), detail="law:N")
    )
    words = names(
        {name: law.loss for name, (_, law, _) in curves.items()},
        end,
        {"x": x, "y": _loss("height:Q", (1.1, 3.3)), "color": colour},
    )
    told = "; ".join(f"{name}: {law.loss(end):.2f}" for name, (_, law, _) in curves.items())
    largest = float(minima.C.max())
    return described(
        end_here(x, largest, "data end here") + lines + _minima(minima, x, y) + words,
        f"Scatter plot on logarithmic axes of the lowest loss of {len(minima)} compute budgets, "
        f"the largest {largest:.2g} FLOP, with {len(curves)} fitted curves drawn on to "
        f"{end:.2g} FLOP. They agree on the data and part beyond. Losses at the right end: {told}.",
    )


def floor_slider(minima: pd.DataFrame, fits: pd.DataFrame, *, start: float, end: float) -> Any:
    """The curve through the minima for a floor chosen by the reader, with a read-out.

    `minima` has columns C (FLOP) and loss; `fits` a row per floor on an even grid: E, A, alpha,
    misfit (root mean square of the relative residuals), forecast (loss at `end`, FLOP). The
    slider, ``floor``, starts at `start`, one of the grid.
    """
    step = float(np.diff(fits.E).min())
    largest = float(minima.C.max())
    x = alt.X("C:Q", **compute_axis((3e18, 1.6 * end)))
    y = _loss("loss:Q", (1.3, 3.9))
    chosen = alt.Chart(rounded(fits, 7)).transform_filter(
        f"abs(datum.E - floor) < {round(step / 2, 6)}"
    )
    low, seen, high = (float(np.log10(C)) for C in (minima.C.min(), largest, end))
    curve = (
        chosen.transform_calculate(k=f"sequence({low:.4f}, {high + 0.01:.4f}, 0.1)")
        .transform_flatten(["k"])
        .transform_calculate(
            C="pow(10, datum.k)", loss="datum.E + datum.A * pow(datum.C, -datum.alpha)"
        )
    )
    fitted = curve.transform_filter(f"datum.k <= {seen + 0.05:.4f}").mark_line(color=FLOOR.colour)
    beyond = curve.transform_filter(f"datum.k >= {seen - 0.05:.4f}").mark_line(
        color=FLOOR.colour, strokeDash=BEYOND
    )
    level = chosen.transform_filter("datum.E >= 1.3").transform_calculate(loss="datum.E")
    level_word = level.mark_text(style="word", align="left", dx=5, dy=8).encode(
        x=alt.value(0), y=y, text=alt.value("floor")
    )
    read = chosen.transform_calculate(
        read="['floor E = ' + format(datum.E, '.2f') + ' nats',"
        " 'exponent ' + format(datum.alpha, '.3f'),"
        " 'typical misfit ' + format(datum.misfit, '.2%'),"
        f" 'at ' + {power_of_ten(f'{end:g}')} + ' FLOP: ' + format(datum.forecast, '.3f')]"
    ).mark_text(
        align="right", baseline="top", fontSize=13, lineHeight=18, color=FLOOR.colour,
        x=alt.ExprRef("width - 4"), y=22,
    )  # fmt: skip
    layers = alt.layer(
        end_here(x, largest, "data end here"), level.mark_rule(style="end").encode(y=y), level_word,
        beyond.encode(x=x, y=y), fitted.encode(x=x, y=y), _minima(minima, x, y),
        read.encode(text="read:N"),
    )  # fmt: skip
    first, last = fits.iloc[0], fits.iloc[-1]
    span = (float(first.E), float(last.E), round(step, 6))
    return described(
        layers.add_params(slider("floor", start, span, "Floor E (nats)")),
        f"Line chart on logarithmic axes: {len(minima)} lowest losses and the curve fitted to "
        f"them for a floor E between {first.E:g} and {last.E:g} nats, chosen with a "
        f"slider and drawn on to {end:.2g} FLOP. The exponent grows from {first.alpha:.3f} "
        f"to {last.alpha:.3f}, the forecast from {first.forecast:.2f} to {last.forecast:.2f}.",
        height=HEIGHT + 40,
    )


def learning_curve(points: pd.DataFrame, law: PowerLaw) -> Any:
    """A learning curve with a break, and the power law fitted before it.

    Columns x (training examples), loss, fitted (bool).
    """
    data = rounded(points[["x", "loss", "fitted"]]).assign(
        use=np.where(points.fitted, "fitted", "held out")
    )
    low, high = float(data.x.min()), float(data.x.max())
    last = float(data.x[data.fitted].max())
    x = alt.X("x:Q", **log_axis("Training examples", (0.9 * low, 1.12 * high),
                                values=[200, 300, 400, 600, 800], format="d"))  # fmt: skip
    y = alt.Y("loss:Q", **log_axis("Test loss, L (nats)", (0.48, 3.0),
                                   values=[0.5, 1, 2], format="~r"))  # fmt: skip
    parts = {"fit": np.geomspace(low, last, 12), "beyond": np.geomspace(last, high, 4)}
    curve = pd.concat(
        [pd.DataFrame({"part": part, "x": at, "loss": law.loss(at)}) for part, at in parts.items()],
        ignore_index=True,
    )
    line = (
        alt.Chart(rounded(curve))
        .mark_line(color=PURE.colour)
        .encode(x=x, y=y, strokeDash=extrapolated())
    )
    base = alt.Chart(data).encode(
        x=x, y=y, tooltip=tooltips(("x:Q", "", "examples"), ("loss:Q", ".3f"), "use:N")
    )
    fitted = base.transform_filter("datum.fitted").mark_point(
        style="dot", size=70, color=RUNS.colour
    )
    out = base.transform_filter("!datum.fitted")
    held = out.mark_point(shape="diamond", size=95, strokeWidth=2, opacity=1, color=RUNS.colour)
    held_word = (
        out.transform_filter(f"datum.x == {high:g}")
        .mark_text(align="right", dx=-12, dy=8, color=RUNS.colour)
        .encode(text="use:N")
    )
    word = label(
        f"power law, fitted up to {last:.0f}", x, y, (1.4 * low, float(law.loss(1.4 * low))),
        digits=5, dy=-12, color=PURE.colour,
    )  # fmt: skip
    end = data[~data.fitted].iloc[-1]
    return described(
        line + fitted + held + held_word + word,
        f"Scatter plot on logarithmic axes of test loss against {low:.0f} to {high:.0f} training "
        f"examples, with a power law fitted to the points up to {last:.0f}. The points held out "
        f"lie far below it: at {end.x:.0f} examples the loss is {end.loss:.2f} where the power law "
        f"gives {float(law.loss(end.x)):.2f}.",
    )
