"""Pictures of the statistics page: points with lines, curves with a limit, draws, intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import OCHRE, OURS, QUIET, RUNS, VIOLET, axis, described, hues, key, rounded

HUES = (OCHRE, OURS.colour, VIOLET)


def lines(points: pd.DataFrame, fits: Mapping[str, Any], truth: Any) -> Any:
    """Runs (C, loss) with one bad reading, the true law, and the laws of several objectives."""
    C = np.geomspace(points.C.min(), points.C.max(), 20)
    laws = {"truth": truth, **fits}
    looks = dict(zip(laws, (QUIET, *HUES), strict=True))
    drawn = pd.concat([pd.DataFrame({"law": name, "C": C, "loss": law.loss(C)})
                       for name, law in laws.items()])  # fmt: skip
    x = alt.X("C:Q", title="Training compute, C (FLOP)", scale=alt.Scale(type="log", nice=False),
              axis=alt.Axis(format=".0e", tickCount=4))  # fmt: skip
    y = alt.Y("loss:Q", **axis("Loss, L (nats per token)", (1.8, 3.3)))
    curves = (
        alt.Chart(rounded(drawn))
        .mark_line()
        .encode(x=x, y=y, color=hues("law:N", looks, legend=key(columns=2)))
    )
    dots = alt.Chart(rounded(points)).mark_point(style="dot", color=RUNS.colour, size=50)
    return described(
        curves + dots.encode(x=x, y=y),
        f"Scatter plot of {len(points)} simulated runs, one with a wrong loss far above the rest. "
        "The least-squares line is pulled towards it; those of the Huber and absolute loss stay "
        "near the truth.",
        height=260,
    )


def curves(frame: pd.DataFrame, x: str, y: str, *, limit: float, truth: float) -> Any:
    """Curves of `y` against `x` by the column kind, a level that decides, and the truth."""
    kinds = list(frame.kind.unique())
    span = (float(frame[x].min()), float(frame[x].max()))
    across = alt.X(f"{x}:Q", **axis(x, span, tickCount=5))
    up = alt.Y(f"{y}:Q", **axis(y, (0, float(frame[y].max()))))
    colour = hues("kind:N", dict(zip(kinds, HUES, strict=False)),
                  legend=key() if len(kinds) > 1 else None)  # fmt: skip
    drawn = alt.Chart(rounded(frame)).mark_line().encode(x=across, y=up, color=colour)
    level = alt.Chart(pd.DataFrame({y: [limit]})).mark_rule(style="end").encode(y=up)
    true = alt.Chart(pd.DataFrame({x: [truth]})).mark_rule(style="quiet").encode(x=across)
    return described(
        drawn + level + true,
        f"Line chart of {y} against {x} from {span[0]:.3g} to {span[1]:.3g}, for "
        f"{', '.join(kinds)}. A dotted level at {limit:.3g} decides, and a vertical rule marks "
        f"{truth:.3g}.",
        height=220,
    )


def draws(values: Mapping[str, Any], truth: float, words: str) -> Any:
    """Histograms of several sets of draws over one another, and the truth."""
    low, high = (f(np.concatenate(list(values.values()))) for f in (np.min, np.max))
    edges = np.linspace(low, high, 41)
    counts = [pd.DataFrame({"kind": name, "at": edges[:-1], "to": edges[1:],
                            "count": np.histogram(one, edges)[0]})
              for name, one in values.items()]  # fmt: skip
    x = alt.X("at:Q", **axis(words, (low, high), tickCount=3))
    colour = hues("kind:N", dict(zip(values, HUES, strict=False)), legend=key())
    bars = alt.Chart(rounded(pd.concat(counts))).mark_rect(opacity=0.55).encode(
        x=x, x2="to:Q", y=alt.Y("count:Q", title="Draws"), y2=alt.datum(0), color=colour
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"at": [truth]})).mark_rule(style="quiet").encode(x=x)
    told = "; ".join(f"{name} {np.std(one):.2g}" for name, one in values.items())
    return described(
        bars + rule,
        f"Histograms of {words} from {low:.3g} to {high:.3g}, with a rule at {truth:.3g}. Standard "
        f"deviations: {told}.",
        height=220,
    )


def intervals(table: pd.DataFrame, truth: float) -> Any:
    """Intervals of repeated experiments, low to high, coloured by whether they hold the truth."""
    kinds = {"holds the truth": OURS.colour, "misses it": OCHRE}
    data = table.assign(
        experiment=range(1, len(table) + 1),
        kind=np.where(table.low.le(truth) & table.high.ge(truth), *kinds),
    )
    x = alt.X("experiment:Q", **axis("Experiment", (0, len(table) + 1)))
    span = (float(table.low.min()), float(table.high.max()))
    y = alt.Y("low:Q", **axis("95 % interval of the exponent", span, tickCount=5))
    bars = alt.Chart(rounded(data)).mark_rule(strokeWidth=2).encode(
        x=x, y=y, y2="high:Q", color=hues("kind:N", kinds, legend=key())
    )  # fmt: skip
    rule = alt.Chart(pd.DataFrame({"low": [truth]})).mark_rule(style="quiet").encode(y=y)
    missed = int((data.kind == "misses it").sum())
    return described(
        bars + rule,
        f"{len(table)} vertical intervals, one a simulated experiment, and a rule at the true "
        f"exponent {truth:g}. {missed} of the intervals miss it.",
        height=240,
    )
