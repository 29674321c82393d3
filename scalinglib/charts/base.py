"""Roles, theme and number formats: what every chart of the book has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd


@dataclass(frozen=True, slots=True)
class Role:
    """What a line or a point stands for, and how it looks wherever it appears."""

    name: str
    colour: str
    dash: tuple[int, ...] = (1, 0)


# Each colour keeps a contrast of 3 to 1 against a white and against a near-black page.
RUNS = Role("runs", "#7b8794")
OURS = Role("our fit", "#1f83c4")
EPOCH = Role("Epoch 2024", "#d2600f", (7, 3))
HOFFMANN = Role("Hoffmann, TeX", "#0b9670", (8, 3, 2, 3))
HOFFMANN_ROUNDED = Role("Hoffmann, Eq. 10", "#0b9670", (2, 3))
KAPLAN = Role("Kaplan 2020", "#b565a7", (2, 3))

# Hues for what has no role of its own, with the same contrast.
OCHRE, VIOLET = "#9a7b00", "#7a5fd0"

QUIET = "#8a94a0"
"""Rules, marks of where data end, and other things that should not compete with the data."""

FONT = "system-ui, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 340

BEYOND = (5, 4)
"""Dash of the part of a curve that lies beyond its data."""

# Looks that recur, used as `mark_text(style="note")`. Each is a default: what a mark says wins.
STYLES: Any = {
    "text": {"fontSize": 12},
    "note": {"fontSize": 11},
    "bold": {"fontWeight": "bold"},
    "number": {"fontSize": 11, "fontWeight": "bold"},
    "word": {"fontSize": 11, "color": QUIET},
    "quiet": {"color": QUIET},
    "end": {"color": QUIET, "strokeDash": [2, 2]},
    "dot": {"filled": True, "opacity": 1, "size": 80},
    "diamond": {"shape": "diamond", "filled": True, "opacity": 1, "size": 110},
    "cross": {"shape": "cross", "angle": 45, "filled": True, "opacity": 1, "size": 100},
    "interval": {"strokeWidth": 3, "opacity": 0.45},
    "band": {"color": QUIET, "opacity": 0.14},
}
_SUPERSCRIPT = "['⁰','¹','²','³','⁴','⁵','⁶','⁷','⁸','⁹']"


@alt.theme.register("scalinglib", enable=True)
def theme() -> alt.theme.ThemeConfig:
    """Quiet axes, one typeface, the full width of the column, and the styles."""
    axis: Any = {
        "domainColor": QUIET,
        "gridColor": "#e6e8eb",
        "labelFontSize": 12,
        "labelPadding": 4,
        "tickColor": QUIET,
        "titleFontSize": 12.5,
        "titleFontWeight": "normal",
        "titlePadding": 10,
    }
    return {
        "autosize": {"type": "fit", "contains": "padding"},
        "background": "transparent",
        "config": {
            "font": FONT,
            "axis": axis,
            "legend": {
                "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
                "orient": "top", "gradientLength": 160,
            },
            "style": STYLES,
            "view": {"stroke": None, "continuousHeight": HEIGHT},
        },
    }  # fmt: skip


def power_of_ten(value: str) -> str:
    """Vega expression that writes a power of ten with a raised exponent."""
    exponent = f"round(log({value}) / LN10)"
    digits = f"{_SUPERSCRIPT}[floor({exponent} / 10)] + {_SUPERSCRIPT}[{exponent} % 10]"
    return f"'10' + ({exponent} < 10 ? {_SUPERSCRIPT}[{exponent}] : {digits})"


def size_label(value: str) -> str:
    """Vega expression that writes a count as 70B or 1.4T, at 3 significant digits."""
    steps = "".join(
        f"{value} >= {0.9995 * scale:g} ? format({value} / {scale:g}, '.3~r') + '{letter}' : "
        for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M"))
    )
    return f"({steps}format({value}, '.3~r'))"


def described(chart: Any, description: str, *, height: float = HEIGHT) -> Any:
    """Finish a chart: full width, a height, and words for readers who cannot see it."""
    return chart.properties(width="container", height=height, description=description)


def rounded(frame: pd.DataFrame, digits: int = 5) -> pd.DataFrame:
    """Round the numbers of a frame to significant digits, so that pages stay light."""
    text = frame.select_dtypes("number").map(lambda value: float(f"{value:.{digits - 1}e}"))
    return frame.assign(**{str(column): text[column] for column in text})
