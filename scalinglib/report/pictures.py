"""Charts as static drawings: no script, in colours that the page can change."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from scalinglib.charts import (
    OURS,
    SIGNED_PERCENT,
    at,
    axis,
    compute_axis,
    described,
    isoflop_profiles,
    rounded,
    runs_plane,
)
from scalinglib.fit.result import Fit
from scalinglib.isoflop import FrontierFit
from scalinglib.report.findings import SHOWN, Findings

WIDTH = 640
"""Width of a drawing in pixels."""

SCHEME = '{"name": "viridis", "extent": [0.25, 0.95]}'
"""Colours of the loss, without the dark end that would vanish on a dark page."""

INK = {"text": "#22272e", "quiet": "#4a5560", "grid": "#e6e8eb", "line": "#8a94a0"}
"""Colours of words and axes; the style sheet of the page replaces them in dark mode."""


def drawing(chart: Any, unit: str, height: float = 300) -> str:
    """A chart as SVG markup, with its description for readers who cannot see it."""
    spec = chart.properties(width=WIDTH, height=height).to_dict()
    config = spec["config"]
    axes = {"labelColor": INK["quiet"], "titleColor": INK["text"], "gridColor": INK["grid"],
            "domainColor": INK["line"], "tickColor": INK["line"]}  # fmt: skip
    config["axis"] = {**config["axis"], **axes}
    config["legend"] = {**config["legend"], "labelColor": INK["quiet"], "titleColor": INK["text"]}
    config["text"] = {"color": INK["text"]}
    config["aria"] = False
    text = json.dumps(spec).replace("nats per token", unit)
    text = text.replace('"scheme": "viridis"', f'"scheme": {SCHEME}')
    drawn = vl_convert.vegalite_to_svg(json.loads(text))
    body = re.sub(r"^<svg[^>]*?viewBox=", "<svg viewBox=", drawn)
    body = re.sub(r' xmlns(:xlink)?="[^"]*"', "", body)
    body = re.sub(r"(\d+\.\d{2})\d+", r"\1", body)
    label = html.escape(spec.get("description", ""), quote=True)
    return body.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def pictures(found: Findings, unit: str) -> dict[str, str]:
    """The drawings of a report that its runs allow, by name."""
    charts = {"plane": (plane, 300), "isoflop": (profiles, 320), "residuals": (leftovers, 220)}
    made = {name: (draw(found), height) for name, (draw, height) in charts.items()}
    return {name: drawing(chart, unit, height) for name, (chart, height) in made.items()
            if chart is not None}  # fmt: skip


def plane(found: Findings) -> Any:
    """The runs in the plane of compute and size, or None where compute is not known."""
    if "flops" not in found.frame:
        return None
    return runs_plane(found.frame.iloc[_shown(found)].assign(excluded=False))


def profiles(found: Findings) -> Any:
    """The IsoFLOP profiles and their minima, or None where there are none."""
    if not isinstance(found.isoflop.fit, FrontierFit):
        return None
    frame = found.frame
    own = frame if "budget_flops" in frame else frame.assign(budget_flops=frame["flops"])
    return isoflop_profiles(own.assign(flagged=False), found.isoflop.fit)


def leftovers(found: Findings) -> Any:
    """The residuals of the parametric law, or None where it was not fitted."""
    if not isinstance(found.parametric.fit, Fit):
        return None
    left = np.expm1(found.parametric.fit.residuals.to_numpy())
    return residuals(found.frame[["flops"]].assign(residual=left).iloc[_shown(found)])


def _shown(found: Findings) -> Any:
    """Positions of the rows that are drawn: all, or a random part of very many."""
    drawn = np.random.default_rng(0).permutation(len(found.frame))[:SHOWN]
    return np.sort(drawn, kind="stable")


def residuals(data: pd.DataFrame) -> Any:
    """Observed over predicted loss against compute: columns flops and residual (relative)."""
    low, high = float(data.flops.min()), float(data.flops.max())
    reach = 1.15 * float(data.residual.abs().max()) or 0.01
    x = alt.X("flops:Q", **compute_axis((low / 1.3, high * 1.3)))
    few = "datum.value ? format(datum.value, '+.2~p') : '0'"
    label = SIGNED_PERCENT if reach > 0.05 else few
    y = alt.Y("residual:Q", **axis("Observed over predicted", (-reach, reach), labelExpr=label,
                                   tickCount=5))  # fmt: skip
    points = alt.Chart(rounded(data)).mark_circle(size=34, opacity=0.7, color=OURS.colour)
    zero = at(at=0.0).mark_rule(style="quiet").encode(y=alt.Y("at:Q"))
    return described(
        points.encode(x=x, y=y) + zero,
        f"Scatter plot of the relative residuals of {len(data)} runs against compute; the largest "
        f"is {100 * float(data.residual.abs().max()):.2g} per cent.",
    )
