"""Charts of reward models: distance, peaks, coefficients, and what a noisy score costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.best_of_n import kl_best_of_n, kl_best_of_n_discrete, normal_promise
from scalinglib.reward import BestOfNLaw, SizeTrend

from .base import (
    HEIGHT,
    OURS,
    QUIET,
    RUNS,
    Role,
    by_role,
    described,
    log_axis,
    params_axis,
    rounded,
    size_label,
)

GOLD = Role("gold reward", "#9a7b00")
PROXY = Role("proxy reward", "#7a5fd0", (2, 3))
BEYOND = [4, 4]
"""Dash of what lies past the measured range."""

SIZE_COLOURS = ("#b0568f", "#8a74c9", "#3f8fcf", "#2b8fae", "#0b9670")
"""From the smallest reward model to the largest."""


def _kl_axis(top: float, ticks: Sequence[float], title: str = "KL divergence (nats)") -> Any:
    """Axis of the divergence, spaced by its square root as the laws are."""
    return alt.X(
        "kl:Q",
        title=title,
        scale=alt.Scale(type="sqrt", domain=[0, top], nice=False),
        axis=alt.Axis(values=list(ticks), format="~r"),
    )


def _end_of_measurement(kl: float, x: Any, *, y: float) -> Any:
    """A rule where measurements end, with its name at height `y` pixels."""
    at = alt.Chart(pd.DataFrame({"kl": [kl]})).encode(x=x)
    rule = at.mark_rule(color=QUIET, strokeDash=[2, 2])
    word = at.mark_text(color=QUIET, align="right", dx=-5, fontSize=11).encode(
        y=alt.value(y), text=alt.value("measured up to here")
    )
    return rule + word


def divergence(
    simulated: pd.DataFrame, *, answers: Sequence[int], quoted: Mapping[int, float]
) -> Any:
    """KL divergence of best-of-n: the formula, a simulation, and policies with few answers.

    Parameters
    ----------
    simulated : pandas.DataFrame
        Columns n, kl.
    answers : sequence of int
        Numbers of equally likely answers, one curve each.
    quoted : mapping of int to float
        Published divergence by n.

    Returns
    -------
    altair.LayerChart
    """
    n = np.geomspace(1, 1e5, 61)
    x = alt.X("n:Q", **log_axis("Samples, n", (1, 1e5), label="power"))
    y = alt.Y("kl:Q", title="KL divergence (nats)", scale=alt.Scale(domain=[0, 12]))
    names = [f"{count:,} answers" for count in answers]
    curves = pd.concat(
        [pd.DataFrame({"policy": "ln n − (n − 1)/n", "n": n, "kl": kl_best_of_n(n)})]
        + [
            pd.DataFrame({"policy": name, "n": n, "kl": kl_best_of_n_discrete(np.ones(count), n)})
            for name, count in zip(names, answers, strict=True)
        ],
        ignore_index=True,
    )
    looks = {
        name: Role(name, GOLD.colour, dash)
        for name, dash in zip(names, ((7, 3), (2, 3)), strict=False)
    }
    colour, dash = by_role("policy:N", {"ln n − (n − 1)/n": OURS, **looks})
    lines = (
        alt.Chart(rounded(curves))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, strokeDash=dash)
    )
    dots = (
        alt.Chart(rounded(simulated[["n", "kl"]]))
        .mark_point(filled=True, size=55, opacity=1, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=["n:Q", alt.Tooltip("kl:Q", format=".3f")])
    )
    said = pd.DataFrame([{"n": n, "kl": kl, "read": f"“about {kl:g}”"} for n, kl in quoted.items()])
    printed = alt.Chart(said).encode(x=x, y=y)
    marks = printed.mark_point(shape="diamond", size=110, strokeWidth=2, color=PROXY.colour)
    words = printed.mark_text(align="right", dx=-11, dy=-9, color=PROXY.colour).encode(
        text="read:N"
    )
    ends = curves[curves.policy != "ln n − (n − 1)/n"].groupby("policy", sort=False).tail(1)
    plateaus = (
        alt.Chart(rounded(ends))
        .mark_text(align="right", dy=13, dx=-2)
        .encode(x=x, y=y, color=colour, text="policy:N")
    )
    formula = (
        alt.Chart(rounded(curves[(curves.policy == "ln n − (n − 1)/n")].iloc[[52]]))
        .mark_text(align="right", dx=-20, dy=-5, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text="policy:N")
    )
    told = "; ".join(f"{one.policy}: {one.kl:.2f}" for one in ends.itertuples())
    return described(
        lines + dots + marks + words + plateaus + formula,
        "Line chart of the KL divergence of best-of-n against the number of samples from 1 to "
        f"100,000 on a logarithmic axis. {len(simulated)} simulated values lie on the formula. "
        f"Policies with few answers level off: {told} nats.",
    )


def reward_curves(laws: Mapping[str, BestOfNLaw], *, measured: float, top: float = 17.0) -> Any:
    """Gold reward of best-of-n against KL divergence for several reward models.

    Parameters
    ----------
    laws : mapping of str to BestOfNLaw
        By size of the reward model, smallest first.
    measured : float
        KL divergence (nats) up to which rewards were measured; curves are dashed beyond.
    top : float
        KL divergence at which the curves end.

    Returns
    -------
    altair.LayerChart
    """
    kl = np.sort(np.append(np.linspace(0, np.sqrt(top), 60) ** 2, measured), kind="stable")
    curves = pd.concat(
        [pd.DataFrame({"rm": rm, "kl": kl, "reward": law.reward(kl)}) for rm, law in laws.items()],
        ignore_index=True,
    )
    peaks = pd.DataFrame([{"rm": rm, **law.peak()._asdict()} for rm, law in laws.items()])
    x = _kl_axis(20.0, [0, 1, 2, 4, 6, 8, 10, 15])
    y = alt.Y(
        "reward:Q",
        title="Gold reward of best-of-n",
        scale=alt.Scale(domain=[-0.1, 1.4], nice=False),
    )
    colour, _ = by_role(
        "rm:N", {rm: Role(rm, hue) for rm, hue in zip(laws, SIZE_COLOURS, strict=False)}
    )
    drawn = alt.Chart(rounded(curves)).encode(x=x, y=y, color=colour)
    inside = drawn.transform_filter(f"datum.kl <= {measured:.4f}").mark_line(strokeWidth=2)
    beyond = drawn.transform_filter(f"datum.kl >= {measured:.4f}").mark_line(
        strokeWidth=1.6, strokeDash=BEYOND
    )
    tops = (
        alt.Chart(rounded(peaks))
        .mark_point(shape="diamond", filled=True, size=120, opacity=1)
        .encode(
            x=x, y=y, color=colour,
            tooltip=[alt.Tooltip("rm:N", title="reward model"),
                     alt.Tooltip("kl:Q", format=".2f", title="peak at (nats)"),
                     alt.Tooltip("reward:Q", format=".3f", title="gold reward")],
        )
    )  # fmt: skip
    names = (
        alt.Chart(rounded(curves.groupby("rm", sort=False).tail(1)))
        .mark_text(align="left", dx=5, fontWeight="bold")
        .encode(x=x, y=y, color=colour, text="rm:N")
    )
    told = "; ".join(
        f"{one.rm}: {one.reward:.2f} at {one.kl:.1f} nats" for one in peaks.itertuples()
    )
    return described(
        _end_of_measurement(measured, x, y=8) + beyond + inside + tops + names,
        "Line chart of gold reward against KL divergence, on a square-root axis, for best-of-n "
        f"against {len(laws)} reward models. Each curve rises and falls; its peak is marked. "
        f"{told}. Beyond {measured:.1f} nats the curves are extrapolations.",
    ).properties(height=HEIGHT + 40)


def coefficient_trends(points: pd.DataFrame, trends: Mapping[str, SizeTrend]) -> Any:
    """Coefficients against reward-model size, relative to their lines at the smallest one.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns coefficient (a key of `trends`), params, value, error.
    trends : mapping of str to SizeTrend

    Returns
    -------
    altair.LayerChart
    """
    base = points.coefficient.map({name: one.intercept for name, one in trends.items()})
    data = pd.DataFrame(
        {
            "coefficient": points.coefficient, "params": points.params,
            "share": points.value / base, "low": (points.value - points.error) / base,
            "high": (points.value + points.error) / base,
        }
    )  # fmt: skip
    ends = np.array([points.params.min(), points.params.max()])
    lines = pd.concat(
        [
            pd.DataFrame(
                {"coefficient": name, "params": ends, "share": one.at(ends) / one.intercept}
            )
            for name, one in trends.items()
        ],
        ignore_index=True,
    )
    looks = dict(zip(trends, (OURS, GOLD, Role("", PROXY.colour)), strict=False))
    colour, _ = by_role("coefficient:N", looks)
    shape = alt.Shape(
        "coefficient:N",
        scale=alt.Scale(domain=list(trends), range=["circle", "square", "diamond"]),
        legend=None,
    )
    x = alt.X("params:Q", **{**params_axis((2e6, 6e9)), "title": "Reward-model parameters"})
    vertical: dict[str, Any] = {
        "title": "Coefficient, relative to the line at 3M",
        "scale": alt.Scale(domain=[0.55, 1.45], nice=False, zero=False),
        "axis": alt.Axis(format="%", tickCount=5),
    }
    y = alt.Y("share:Q", **vertical)
    fitted = alt.Chart(rounded(lines)).mark_line(strokeWidth=2).encode(x=x, y=y, color=colour)
    marked = alt.Chart(rounded(data)).encode(x=x, color=colour)
    bars = marked.mark_rule(strokeWidth=1.5, opacity=0.7).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = marked.mark_point(filled=True, size=60, opacity=1).encode(y=y, shape=shape)
    # Beside the lines where points leave room: above the first two, below the third.
    spots = ((4.2e7, "right", -2, -16), (1.5e8, "left", 0, -11), (4.2e7, "center", 0, 30))
    names = []
    for (name, line), (size, align, dx, dy) in zip(trends.items(), spots, strict=False):
        place = {"coefficient": [name], "params": [size]}
        share = float(line.at(size) / line.intercept)
        word = alt.Chart(rounded(pd.DataFrame({**place, "share": [share]}))).encode(
            x=x, y=y, color=colour, text="coefficient:N"
        )
        style: dict[str, Any] = {"align": align, "dx": dx, "dy": dy}
        names.append(word.mark_text(fontWeight="bold", **style))
    told = "; ".join(
        f"{name} to {float(one.at(ends[1]) / one.intercept):.0%}" for name, one in trends.items()
    )
    return described(
        alt.layer(fitted, bars, dots, *names),
        f"Scatter plot of {len(trends)} coefficients of the over-optimisation laws against "
        "reward-model size from 3 million to 3 billion parameters on a logarithmic axis, each "
        f"relative to its fitted line at 3 million, with straight lines. They go: {told}.",
    )


def peak_places(peaks: pd.DataFrame, line: pd.DataFrame, *, measured: float) -> Any:
    """Where the gold reward of best-of-n peaks, by reward-model size.

    Parameters
    ----------
    peaks : pandas.DataFrame
        Columns rm, params, kl, error, read (a label, empty for most).
    line : pandas.DataFrame
        Columns params, kl: the same from the trend lines of the coefficients.
    measured : float
        KL divergence (nats) up to which rewards were measured.

    Returns
    -------
    altair.LayerChart
    """
    x = alt.X("params:Q", **{**params_axis((1.7e6, 7e9)), "title": "Reward-model parameters"})
    vertical: dict[str, Any] = {
        "title": "KL divergence at the peak (nats)",
        "scale": alt.Scale(domain=[0, 18], nice=False),
    }
    y = alt.Y("kl:Q", **vertical)
    data = rounded(
        peaks[["rm", "params", "kl", "read"]].assign(
            low=peaks.kl - peaks.error, high=peaks.kl + peaks.error
        )
    )
    area = pd.DataFrame({"low": [measured], "high": [18.0], "params": [1.7e6]})
    unmeasured = (
        alt.Chart(area)
        .mark_rect(color=RUNS.colour, opacity=0.14)
        .encode(y=alt.Y("low:Q", **vertical), y2="high:Q")
    )
    word = (
        alt.Chart(area)
        .mark_text(align="left", dx=8, baseline="top", dy=8, color=QUIET, fontSize=12)
        .encode(x=x, y=alt.Y("high:Q", **vertical), text=alt.value("farther than was measured"))
    )
    trend = (
        alt.Chart(rounded(line[["params", "kl"]]))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(x=x, y=y)
    )
    base = alt.Chart(data).encode(x=x)
    bars = base.mark_rule(strokeWidth=2, color=GOLD.colour).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = base.mark_point(
        shape="diamond", filled=True, size=100, opacity=1, color=GOLD.colour
    ).encode(y=y, tooltip=["rm:N", alt.Tooltip("kl:Q", format=".2f", title="nats")])
    low_end = base.transform_filter(f"datum.params < {peaks.params.median():g}").mark_text(
        align="left", dx=-6, dy=20, fontWeight="bold", color=GOLD.colour
    )
    high_end = base.transform_filter(f"datum.params > {peaks.params.median():g}").mark_text(
        align="right", dx=12, dy=-18, fontWeight="bold", color=GOLD.colour
    )
    labels = (low_end + high_end).encode(y=y, text="read:N")
    told = "; ".join(f"{one.rm} {one.kl:.1f}" for one in peaks.itertuples())
    return described(
        unmeasured + word + trend + bars + dots + labels,
        "Scatter plot of the KL divergence at which gold reward peaks against reward-model size "
        f"on a logarithmic axis, with bars for reading error, in nats: {told}. The shaded area "
        f"above {measured:.1f} nats was not measured.",
    )


def tails(curves: pd.DataFrame, line: pd.DataFrame) -> Any:
    """Gold reward of best-of-n under two errors of equal variance.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns error ("normal error" or "heavy-tailed error"), n, gold.
    line : pandas.DataFrame
        Columns n, gold: the closed form for the normal error.

    Returns
    -------
    altair.LayerChart
    """
    top = 2 * float(curves.n.max())
    x = alt.X("n:Q", **log_axis("Samples, n", (1, top), label="plain"))
    y = alt.Y("gold:Q", title="Gold reward (standard deviations)")
    looks = {"normal error": OURS, "heavy-tailed error": Role("heavy", "#c2476f")}
    colour, _ = by_role("error:N", looks)
    shape = alt.Shape(
        "error:N", scale=alt.Scale(domain=list(looks), range=["circle", "diamond"]), legend=None
    )
    data = rounded(curves[["error", "n", "gold"]])
    closed = (
        alt.Chart(rounded(line[["n", "gold"]]))
        .mark_line(strokeWidth=2, color=OURS.colour)
        .encode(x=x, y=y)
    )
    base = alt.Chart(data).encode(x=x, y=y, color=colour)
    thread = base.transform_filter("datum.error == 'heavy-tailed error'").mark_line(
        strokeWidth=1.2, opacity=0.6
    )
    dots = base.mark_point(filled=True, size=65, opacity=1).encode(
        shape=shape, tooltip=["error:N", "n:Q", alt.Tooltip("gold:Q", format=".3f")]
    )
    named = alt.Chart(data).encode(x=x, y=y, color=colour, text="error:N")
    smooth = named.transform_filter("datum.error == 'normal error' && datum.n == 64").mark_text(
        align="right", dx=-12, dy=-10, fontWeight="bold"
    )
    spiky = named.transform_filter("datum.error != 'normal error' && datum.n == 1024").mark_text(
        align="right", dx=-10, dy=10, fontWeight="bold"
    )
    heavy = curves[curves.error == "heavy-tailed error"]
    best = heavy.loc[heavy.gold.idxmax()]
    return described(
        closed + thread + dots + smooth + spiky,
        "Line chart of gold reward against the number of samples on a logarithmic axis for two "
        "errors of equal variance. With a normal error the simulated points follow the closed "
        f"form and rise throughout. With a heavy-tailed error they peak at n = {best.n:g} and "
        f"fall to {heavy.gold.iloc[-1]:.2f} at n = {heavy.n.max():g}.",
    )


def accuracy_lines(
    points: pd.DataFrame, lines: pd.DataFrame, published: pd.DataFrame, *, read: str
) -> Any:
    """Accuracy of reward models against size, our weighted lines and a published slope.

    Parameters
    ----------
    points : pandas.DataFrame
        Columns test_set, params, accuracy, se.
    lines : pandas.DataFrame
        Columns test_set, params, accuracy: our fits.
    published : pandas.DataFrame
        Columns params, accuracy: the published slope, drawn through the middle of one set.
    read : str
        Name of the published slope.

    Returns
    -------
    altair.LayerChart
    """
    sets = list(dict.fromkeys(points.test_set))
    colour, _ = by_role("test_set:N", dict(zip(sets, (OURS, GOLD), strict=False)))
    shape = alt.Shape(
        "test_set:N", scale=alt.Scale(domain=sets, range=["circle", "square"]), legend=None
    )
    x = alt.X(
        "params:Q",
        **{
            **params_axis((8e8, 1.7e10)), "title": "Reward-model parameters",
            "axis": alt.Axis(values=[1e9, 2e9, 4e9, 8e9], labelExpr=size_label("datum.value")),
        },
    )  # fmt: skip
    vertical: dict[str, Any] = {
        "title": "Accuracy on held-out comparisons",
        "scale": alt.Scale(domain=[0.6, 0.72], nice=False, zero=False),
        "axis": alt.Axis(format=".0%", tickCount=6),
    }
    y = alt.Y("accuracy:Q", **vertical)
    # Points of the two sets would hide each other, so each set moves a little to its side.
    aside = points.test_set.map(dict(zip(sets, (0.97, 1.03), strict=False)))
    data = rounded(
        points[["test_set", "accuracy"]].assign(
            params=aside * points.params,
            low=points.accuracy - points.se,
            high=points.accuracy + points.se,
        )
    )
    fitted = (
        alt.Chart(rounded(lines[["test_set", "params", "accuracy"]]))
        .mark_line(strokeWidth=1.8)
        .encode(x=x, y=y, color=colour)
    )
    theirs = alt.Chart(rounded(published[["params", "accuracy"]]))
    slope = theirs.mark_line(strokeWidth=2, strokeDash=[7, 3], color=PROXY.colour).encode(x=x, y=y)
    # Above the lines, in the corner that rising lines leave free.
    slope_word = (
        alt.Chart(rounded(published.head(1).assign(accuracy=published.accuracy.iloc[0] + 0.065)))
        .mark_text(align="left", color=PROXY.colour)
        .encode(x=x, y=y, text=alt.value(read))
    )
    base = alt.Chart(data).encode(x=x, color=colour)
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.5).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=85, opacity=1).encode(
        y=y, shape=shape, tooltip=["test_set:N", alt.Tooltip("accuracy:Q", format=".1%")]
    )
    ends = alt.Chart(data.groupby("test_set", sort=False).tail(1)).encode(
        x=x, y=y, color=colour, text="test_set:N"
    )
    names = alt.layer(
        *(
            ends.transform_filter(alt.datum.test_set == name).mark_text(
                align="left", dx=12, dy=dy, fontWeight="bold"
            )
            for name, dy in zip(sets, (5, -5), strict=False)
        )
    )
    told = "; ".join(
        f"{name} {', '.join(f'{100 * one:.1f}' for one in part.accuracy)}"
        for name, part in points.groupby("test_set", sort=False)
    )
    return described(
        slope + slope_word + fitted + bars + dots + names,
        "Scatter plot of the accuracy of reward models of 1, 2.8 and 6.9 billion parameters on "
        f"two test sets, in per cent: {told}; with fitted straight lines in the logarithm of "
        "size and a published slope.",
    )


def goodhart(
    alpha: SizeTrend, beta: SizeTrend, *, measured: float, sizes: tuple[float, float]
) -> Any:
    """Gold reward and the proxy's promise along best-of-n, with sliders for size and n.

    Parameters
    ----------
    alpha, beta : SizeTrend
        Lines of the coefficients in the decimal logarithm of reward-model size.
    measured : float
        KL divergence (nats) up to which rewards were measured.
    sizes : tuple of float
        Smallest and largest reward model (parameters), the ends of the first slider.

    Returns
    -------
    altair.LayerChart
        Its parameters are ``log_size``, the decimal logarithm of the reward model's parameters,
        and ``log2_n``, the binary logarithm of the number of samples.
    """
    low, high = (round(float(np.log10(size)), 2) for size in sizes)
    size = alt.param(
        name="log_size", value=7,
        bind=alt.binding_range(min=low, max=high, step=0.05, name="Reward model, parameters "),
    )  # fmt: skip
    count = alt.param(
        name="log2_n", value=13,
        bind=alt.binding_range(min=0, max=24, step=1, name="Samples, n "),
    )  # fmt: skip
    k = np.arange(0, 24.01, 0.25)
    grid = rounded(
        pd.DataFrame({"k": k, "kl": kl_best_of_n(2**k), "promise": normal_promise(2**k)}), 6
    )
    x = _kl_axis(16.0, [0, 1, 2, 4, 6, 8, 10, 12, 14])
    y = alt.Y(
        "reward:Q",
        title="Reward",
        scale=alt.Scale(domain=[0, 3.6], nice=False),
        axis=alt.Axis(values=[0, 0.5, 1, 1.5, 2, 2.5, 3]),
    )
    step = f"(log_size - {np.log10(alpha.reference):.6f})"
    chosen = {
        "a": f"{alpha.intercept:.6f} + {alpha.slope:.6f} * {step}",
        "b": f"{beta.intercept:.6f} + {beta.slope:.6f} * {step}",
    }
    gold, promise = "datum.a * sqrt(datum.kl) - datum.b * datum.kl", "datum.a * datum.promise"
    curve = alt.Chart(grid).transform_calculate(**chosen)
    true = curve.transform_calculate(reward=gold)
    inside = true.transform_filter(f"datum.kl <= {measured + 0.08:.4f}").mark_line(
        strokeWidth=2.5, color=GOLD.colour, clip=True
    )
    beyond = true.transform_filter(f"datum.kl >= {measured - 0.08:.4f}").mark_line(
        strokeWidth=1.8, color=GOLD.colour, strokeDash=BEYOND, clip=True
    )
    proxy = curve.transform_calculate(reward=promise).mark_line(
        strokeWidth=2, color=PROXY.colour, strokeDash=list(PROXY.dash), clip=True
    )
    here = curve.transform_filter("datum.k == log2_n")
    at_gold = here.transform_calculate(reward=gold)
    at_proxy = here.transform_calculate(reward=promise)
    peak = (
        alt.Chart(pd.DataFrame({"one": [1]}))
        .transform_calculate(**chosen)
        .transform_calculate(
            kl="pow(datum.a / (2 * datum.b), 2)", reward="datum.a * datum.a / (4 * datum.b)"
        )
    )
    marks = [
        inside.encode(x=x, y=y),
        beyond.encode(x=x, y=y),
        proxy.encode(x=x, y=y),
        at_proxy.transform_calculate(zero="0")
        .mark_rule(color=QUIET)
        .encode(x=x, y=alt.Y("zero:Q"), y2="reward:Q"),
        peak.mark_point(
            shape="diamond", size=150, strokeWidth=2, color=GOLD.colour
        ).encode(x=x, y=y),
        at_proxy.mark_circle(size=80, opacity=1, color=PROXY.colour).encode(x=x, y=y),
        at_gold.mark_circle(size=80, opacity=1, color=GOLD.colour, clip=True).encode(x=x, y=y),
    ]  # fmt: skip
    # Both stay below the read-out, which takes the top of the plot.
    edge = alt.Chart(pd.DataFrame({"kl": [measured], "reward": [0.0], "to": [2.7], "low": [0.1]}))
    end = edge.mark_rule(color=QUIET, strokeDash=[2, 2]).encode(x=x, y=y, y2="to:Q")
    end_word = edge.mark_text(color=QUIET, align="right", dx=-5, fontSize=11).encode(
        x=x, y=alt.Y("low:Q"), text=alt.value("measured up to here")
    )
    name_at = alt.Chart(grid[grid.k == 22]).transform_calculate(**chosen)
    marks.append(
        name_at.transform_calculate(reward=promise)
        .mark_text(align="right", dy=-12, fontWeight="bold", color=PROXY.colour)
        .encode(x=x, y=y, text=alt.value("promised"))
    )
    marks.append(
        peak.mark_text(align="right", dx=24, dy=20, fontWeight="bold", color=GOLD.colour).encode(
            x=x, y=y, text=alt.value("delivered")
        )
    )
    told = (
        here.transform_calculate(n="pow(2, datum.k)", gold=gold, proxy=promise)
        .transform_calculate(peak="pow(datum.a / (2 * datum.b), 2)")
        .transform_calculate(
            # One Newton step from ln n = KL + 1 is exact to 1e-4 for peaks beyond four nats.
            log_peak="datum.peak + 1 - exp(-datum.peak - 1) / (1 - exp(-datum.peak - 1))",
        )
        .transform_calculate(
            read="['reward model of ' + "
            + size_label("pow(10, log_size)")
            + " + ', best of ' + format(datum.n, ',.0f'),"
            " 'KL ' + format(datum.kl, '.2f')"
            " + (datum.kl > datum.peak ? ', past the peak' : ', before the peak')"
            f" + (datum.kl > {measured + 0.05:.4f} ? ', unmeasured' : ''),"
            " 'promised ' + format(datum.proxy, '.2f') + ', delivered '"
            " + format(datum.gold, '.2f'),"
            " 'peak ' + format(datum.a * datum.a / (4 * datum.b), '.2f') + ' at '"
            " + format(datum.peak, '.1f') + ' nats, n = '"
            " + format(exp(datum.log_peak), ',.2r')]"
        )
    )
    readout = told.mark_text(
        align="left", baseline="top", fontSize=12.5, lineHeight=18, x=8, y=6
    ).encode(text="read:N")
    first, last = (BestOfNLaw(float(alpha.at(s)), float(beta.at(s))).peak() for s in sizes)
    return described(
        alt.layer(end, end_word, *marks, readout).add_params(size, count),
        "Line chart of reward against KL divergence on a square-root axis: the proxy's promise "
        "rises throughout, the gold reward rises, peaks and falls. Sliders set the size of the "
        "reward model and the number of samples. The peak moves from "
        f"{first.reward:.2f} at {first.kl:.1f} nats for the smallest reward model to "
        f"{last.reward:.2f} at {last.kl:.1f} nats for the largest; rewards were measured up to "
        f"{measured:.1f} nats.",
    ).properties(height=HEIGHT + 120)
