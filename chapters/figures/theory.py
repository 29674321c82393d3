"""Pictures of why losses fall as powers: two limits and what lies between, skills, and a floor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    BEYOND,
    HEIGHT,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Column,
    Role,
    at,
    axis,
    dashes,
    described,
    end_here,
    end_names,
    hues,
    label,
    log_axis,
    point_names,
    readout,
    rounded,
    slider,
)
from scalinglib.topics.theory.features import Modes
from scalinglib.topics.theory.skills import Skills

MODEL = Role("solvable model", OURS.colour)
SUM = Role("sum of two terms", OCHRE)
WORSE = Role("larger term alone", QUIET, (2, 3))
SHADES = ("#3f8fc9", "#0b9670", "#9a7b00", "#d2600f")
"""Hues of four model sizes."""
FLOOR = Role("with a floor", OURS.colour)
PURE = Role("pure power law", "#d2600f", (7, 3))

SHAPE: tuple[Column, ...] = (
    ("word", "D/N", 0.01, "left"),
    ("near", "model / sum", 0.45, "right"),
    ("worse", "larger / sum", 0.74, "right"),
    ("growth", "g", 1.0, "right"),
)
"""Columns of the table inside the chart."""

_LEARNED = {
    "m": "2 / (a * (1 + a)) - 1",
    "d": "1 / datum.r",
    "s": "2 / (1 + datum.d + sqrt(pow(1 + datum.d, 2) + 4 * datum.m * datum.d))",
    "whole": "1 + pow(datum.d, a)",
    "model": "pow(datum.s, -a) / (1 + (1 - a) / (1 + a) * datum.s * datum.s * datum.d)",
    "near": "datum.model / datum.whole",
    "worse": "max(1, pow(datum.d, a)) / datum.whole",
}
"""The closed form in the language of the chart, for N = 1 and D = r."""
_GROWTH = {
    "root": "sqrt(datum.r)",
    "sigma": "datum.root + datum.d * datum.root",
    "tilt": "(datum.root - datum.d * datum.root) / 2",
    "rho": "2 / (datum.sigma + sqrt(datum.sigma * datum.sigma + 4 * datum.m))",
    "mu": "(1 - a) / (1 + a)",
    "low": "1 + datum.mu * datum.rho * datum.rho",
    "p": "a * datum.rho / datum.low",
    "bent": "-datum.rho * datum.rho / (1 + datum.m * datum.rho * datum.rho) * a * (2 - datum.low) "
    "/ (datum.low * datum.low)",
    "g": "((datum.p * datum.p + datum.bent) * datum.tilt * datum.tilt + datum.p * datum.sigma / 4 "
    "- a * a / 4) / (a / 2 - datum.p * datum.tilt)",
}
"""The local growth of the worth of data, likewise."""


def _calculated(chart: alt.Chart, steps: Mapping[str, str]) -> alt.Chart:
    """A chart with fields that build on each other, in order."""
    for name, formula in steps.items():
        chart = chart.transform_calculate(**{name: formula})
    return chart


def between_limits(a: float) -> Any:
    """Error over the sum of its two limits against D/N, with a slider over the exponent."""
    x = alt.X("r:Q", **log_axis("Samples per feature, D/N", (1e-3, 1e3), label="plain"))
    # The upper part of the plot is left free for the read-out.
    y = alt.Y("y:Q", **axis("Error / sum of its two limits", (0.4, 1.75),
                            values=[0.5, 0.75, 1, 1.25], format=".2f"))  # fmt: skip
    along = _calculated(at(digits=5, r=np.geomspace(1e-3, 1e3, 121)), _LEARNED)
    curves = [
        along.transform_calculate(y=f"datum.{field}")
        .mark_line(strokeWidth=width, color=role.colour, strokeDash=list(role.dash))
        .encode(x=x, y=y)
        for field, role, width in (("worse", WORSE, 2), ("near", MODEL, 3))
    ]
    # The name of the curve moves with it.
    name = (
        _calculated(at(r=1.0), _LEARNED)
        .transform_calculate(y="datum.near")
        .mark_text(style="bold", color=MODEL.colour, dy=-20)
        .encode(x=x, y=y, text=alt.value("solvable model"))
    )
    ratios = [0.1, 1.0, 10.0]
    here = at(r=ratios, row=30.0 + 18 * np.arange(3), word=["0.1", "1", "10"])
    table = _calculated(here, {**_LEARNED, **_GROWTH}).transform_calculate(
        near="format(datum.near, '.3f')", worse="format(datum.worse, '.3f')",
        growth="format(abs(datum.g) < 0.0005 ? 0 : datum.g, '.3f')",
    )  # fmt: skip
    return described(
        alt.layer(
            at(y=1.0).mark_rule(color=SUM.colour, strokeWidth=2).encode(y=y),
            *curves,
            label(["sum of two terms"], x, y, (1.2e-3, 1.0), color=SUM.colour, dy=-10),
            label(["larger term alone"], x, y, (1.0, 0.44), color=WORSE.colour, align="center"),
            name,
            *readout(table, SHAPE),
        ).add_params(slider("a", a, (0.05, 1.5, 0.05), "Exponent a")),
        "Line chart of the error of random features over the sum of its two limits, against "
        "samples per feature from a thousandth to a thousand. A level line at 1 is a sum of two "
        "terms; a dashed curve that dips to one half at equal numbers is the larger term alone. "
        f"The model runs between them for exponents below 1 and above 1 for larger ones. A slider "
        f"sets the exponent, at first {a:g}; a table inside the chart reads out three ratios.",
        height=HEIGHT + 40,
    )  # fmt: skip


def against_theory(points: pd.DataFrame, modes: Modes) -> Any:
    """Simulated errors against the number of samples, one curve of theory for each size.

    Columns N, D, error.
    """
    sizes = [int(n) for n in points.N.unique()]
    x = alt.X("D:Q", **log_axis("Samples, D", (28, 560), values=[32, 64, 128, 256], label="plain"))
    y = alt.Y("error:Q", **log_axis("Test error", (0.25, 1.1), values=[0.3, 0.4, 0.5, 0.6, 0.8, 1],
                                    label="plain"))  # fmt: skip
    grid = np.geomspace(32, 256, 13)
    theory = pd.concat(
        [pd.DataFrame({"size": f"N = {N}", "D": grid,
                       "error": [modes.tuned(N, D)[0] for D in grid]}) for N in sizes]
    )  # fmt: skip
    colour = hues("size:N", {f"N = {N}": shade for N, shade in zip(sizes, SHADES, strict=True)})
    dots = points.assign(size=[f"N = {N}" for N in points.N])[["size", "D", "error"]]
    told = "; ".join(
        f"N = {N}: {one.error.iloc[0]:.2f} falling to {one.error.iloc[-1]:.2f}"
        for N, one in points.groupby("N", sort=False)
    )
    return described(
        alt.Chart(rounded(theory)).mark_line().encode(x=x, y=y, color=colour)
        + alt.Chart(rounded(dots)).mark_circle(style="dot", size=65).encode(x=x, y=y, color=colour)
        + end_names(theory, "size", x, y, color=colour),
        f"Test error against the number of samples, {len(points)} simulated points on "
        f"{len(sizes)} curves of theory. {told}. Each curve bends towards a level of its own.",
    )


def skills_and_sum(skills: Skills, drawn: tuple[int, ...], span: tuple[float, float]) -> Any:
    """Share not yet learned, of single skills and of the loss as a whole, against time.

    `drawn` are ranks of skills, `span` the ends of the time axis.
    """
    t = np.geomspace(*span, 121)
    growth = skills.growing(t)
    single = pd.concat(
        [pd.DataFrame({"rank": str(k), "t": t, "y": (1 - growth[:, k - 1]) ** 2}) for k in drawn]
    )
    whole = skills.unlearned(t)
    x = alt.X("t:Q", **log_axis("Training time, t", span, label="power"))
    y = alt.Y("y:Q", **axis("Error left, as a share", (0, 1.08), values=[0, 0.25, 0.5, 0.75, 1],
                            format=".0%"))  # fmt: skip
    thin = alt.Chart(rounded(single)).mark_line(strokeWidth=1.5, color=RUNS.colour, opacity=0.8)
    thick = at(digits=5, t=t, y=whole).mark_line(strokeWidth=3.5, color=OURS.colour)
    middle = single[single.y < 0.5].groupby("rank", sort=False).head(1)
    return described(
        thin.encode(x=x, y=y, detail="rank:N")
        + thick.encode(x=x, y=y)
        + point_names(rounded(middle), "rank:N", x, y, color=RUNS.colour, dx=4, style="note")
        + label(["all skills together"], x, y, (t[60], float(whole[60])), digits=5,
                color=OURS.colour, dx=6, dy=-12),
        f"Line chart of the error left against training time. Single skills, of ranks "
        f"{', '.join(map(str, drawn))}, fall from all to nothing one after the other, each within "
        f"a short stretch. The whole falls evenly, from {whole[0]:.0%} to {whole[-1]:.1%}.",
    )  # fmt: skip


def below_the_floor(
    points: pd.DataFrame,
    curves: Mapping[str, tuple[Role, Any]],
    *,
    entropy: float,
    fitted: float,
) -> Any:
    """Loss of the coin source, two laws fitted to its first part, and its entropy.

    Columns D, loss; the fits saw D up to `fitted`.
    """
    low, high = float(points.D.min()), float(points.D.max())
    x = alt.X("D:Q", **log_axis("Tosses seen, D", (low, 30 * high), label="power"))
    y = alt.Y("loss:Q", **axis("Loss (nats per toss)", (0.325, 0.5), values=[0.35, 0.4, 0.45, 0.5]))
    grid = np.geomspace(low, high, 61)
    traced = pd.concat(
        [pd.DataFrame({"law": name, "D": grid, "loss": law.loss(grid),
                       "part": np.where(grid <= fitted, "fit", "beyond")})
         for name, (_, law) in curves.items()]
    )  # fmt: skip
    # The dashed part begins where the solid one ends.
    joint = traced[traced.part == "fit"].groupby("law").tail(1).assign(part="beyond")
    traced = pd.concat([joint, traced])
    looks = {name: role for name, (role, _) in curves.items()}
    colour = hues("law:N", looks)
    dash = dashes("part:N", {"fit": (1, 0), "beyond": BEYOND})
    told = "; ".join(f"{name} {law.loss(high):.4f}" for name, (_, law) in curves.items())
    return described(
        at(digits=6, loss=entropy).mark_rule(color=VIOLET, strokeWidth=2).encode(y=y)
        + alt.Chart(rounded(traced)).mark_line(strokeWidth=2.5).encode(
            x=x, y=y, color=colour, strokeDash=dash)
        + alt.Chart(rounded(points)).mark_circle(style="dot", size=45, color=RUNS.colour)
        .encode(x=x, y=y)
        + end_names(traced, "law", x, y, color=colour)
        + end_here(x, fitted, "fits end here")
        + label(["entropy of the source"], x, y, (low, entropy), color=VIOLET, dy=12, dx=4),
        f"Loss against the number of tosses seen, from {low:.0e} to {high:.0e}, with two laws "
        f"fitted to the points up to {fitted:.0e}. The entropy of the source is {entropy:.4f}; "
        f"at the last point the loss is {points.loss.iloc[-1]:.4f} and the laws say: {told}.",
    )  # fmt: skip
