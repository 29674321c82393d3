"""Pictures of reward models: distance, peaks, coefficients, and what a noisy score costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from scalinglib.charts import (
    HEIGHT,
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    Role,
    at,
    axis,
    by_role,
    described,
    end_here,
    end_names,
    hues,
    label,
    log_axis,
    params_axis,
    rounded,
    shapes,
    size_label,
    slider,
    tooltips,
)
from scalinglib.laws import BestOfNLaw
from scalinglib.topics import reward_models
from scalinglib.topics.reward_models import SizeTrend

GOLD, PROXY = OCHRE, VIOLET
"""Hues of the gold reward and of the proxy's promise."""

UNMEASURED = [4, 4]
"""Dash of what lies past the measured range."""

SIZE_COLOURS = ("#b0568f", "#8a74c9", "#3f8fcf", "#2b8fae", "#0b9670")
"""From the smallest reward model to the largest."""

KL, SIZE = "KL divergence (nats)", "Reward-model parameters"
FORMULA = "ln n − (n − 1)/n"
MEASURED = "measured up to here"
NORMAL, HEAVY = "normal error", "heavy-tailed error"


def _kl(top: float, ticks: Sequence[float]) -> alt.X:
    """Axis of the divergence, spaced by its square root as the laws are."""
    root = {"type": "sqrt"}
    return alt.X("kl:Q", **axis(KL, (0, top), scale=root, values=list(ticks), format="~r"))


def divergence(
    simulated: pd.DataFrame, *, answers: Sequence[int], quoted: Mapping[int, float]
) -> Any:
    """KL divergence of best-of-n: the formula, a simulation, and policies with few answers.

    `simulated` has columns n, kl (nats); `answers` are numbers of equally likely answers, a curve
    each; `quoted` holds published divergences by n.
    """
    n = np.geomspace(1, 1e5, 61)
    x = alt.X("n:Q", **log_axis("Samples, n", (1, 1e5), label="power"))
    y = alt.Y("kl:Q", **axis(KL, (0, 12)))
    kl = {FORMULA: reward_models.kl_best_of_n(n)}
    for count in answers:
        kl[f"{count:,} answers"] = reward_models.kl_best_of_n_discrete(np.ones(count), n)
    curves = pd.concat(
        pd.DataFrame({"policy": name, "n": n, "kl": one}) for name, one in kl.items()
    )
    looks = [OURS, *(Role("few answers", GOLD, dash) for dash in ((7, 3), (2, 3)))]
    colour, dash = by_role("policy:N", dict(zip(kl, looks, strict=False)))
    base = alt.Chart(rounded(curves)).encode(x=x, y=y, color=colour)
    lines = base.mark_line().encode(strokeDash=dash)
    dots = (
        alt.Chart(rounded(simulated[["n", "kl"]]))
        .mark_point(style="dot", size=55, color=RUNS.colour)
        .encode(x=x, y=y, tooltip=tooltips("n:Q", ("kl:Q", ".3f")))
    )
    read = [f"“about {one:g}”" for one in quoted.values()]
    printed = at(n=list(quoted), kl=list(quoted.values()), read=read).encode(x=x, y=y)
    marks = printed.mark_point(shape="diamond", size=110, strokeWidth=2, color=PROXY)
    words = printed.mark_text(align="right", dx=-11, dy=-9, color=PROXY).encode(text="read:N")
    few = curves[curves.policy != FORMULA]
    plateaus = end_names(few, "policy", x, y, color=colour, style="text", align="right", dx=-2,
                         dy=13)  # fmt: skip
    steep = alt.Chart(rounded(curves[curves.policy == FORMULA].iloc[[52]]))
    formula = steep.mark_text(style="bold", align="right", dx=-20, dy=-5).encode(
        x=x, y=y, color=colour, text="policy:N"
    )
    ends = few.groupby("policy", sort=False).tail(1)
    told = "; ".join(f"{one.policy}: {one.kl:.2f}" for one in ends.itertuples())
    return described(
        lines + dots + marks + words + plateaus + formula,
        "Line chart of the KL divergence of best-of-n against the number of samples from 1 to "
        f"100,000 on a logarithmic axis. {len(simulated)} simulated values lie on the formula. "
        f"Policies with few answers level off: {told} nats.",
    )


def reward_curves(laws: Mapping[str, BestOfNLaw], *, measured: float, top: float = 17.0) -> Any:
    """Gold reward of best-of-n against KL divergence for several reward models.

    `laws` go by size, smallest first. Curves end at `top` (nats) and are dashed beyond
    `measured`, up to which rewards were measured.
    """
    kl = np.sort(np.append(np.linspace(0, np.sqrt(top), 60) ** 2, measured), kind="stable")
    curves = pd.concat(
        pd.DataFrame({"rm": rm, "kl": kl, "reward": law.reward(kl)}) for rm, law in laws.items()
    )
    peaks = pd.DataFrame([{"rm": rm, **law.peak()._asdict()} for rm, law in laws.items()])
    x = _kl(20.0, [0, 1, 2, 4, 6, 8, 10, 15])
    y = alt.Y("reward:Q", **axis("Gold reward of best-of-n", (-0.1, 1.4)))
    colour = hues("rm:N", dict(zip(laws, SIZE_COLOURS, strict=False)))
    drawn = alt.Chart(rounded(curves)).encode(x=x, y=y, color=colour)
    inside = drawn.transform_filter(f"datum.kl <= {measured:.4f}").mark_line()
    beyond = drawn.transform_filter(f"datum.kl >= {measured:.4f}").mark_line(
        strokeWidth=1.6, strokeDash=UNMEASURED
    )
    tops = (
        alt.Chart(rounded(peaks))
        .mark_point(style="diamond", size=120)
        .encode(x=x, y=y, color=colour,
                tooltip=tooltips(("rm:N", "", "reward model"), ("kl:Q", ".2f", "peak at (nats)"),
                                 ("reward:Q", ".3f", "gold reward")))
    )  # fmt: skip
    names = end_names(curves, "rm", x, y, color=colour, dx=5)
    told = "; ".join(
        f"{one.rm}: {one.reward:.2f} at {one.kl:.1f} nats" for one in peaks.itertuples()
    )
    return described(
        end_here(x, measured, MEASURED, left=True) + beyond + inside + tops + names,
        "Line chart of gold reward against KL divergence, on a square-root axis, for best-of-n "
        f"against {len(laws)} reward models. Each curve rises and falls; its peak is marked. "
        f"{told}. Beyond {measured:.1f} nats the curves are extrapolations.",
        height=HEIGHT + 40,
    )


def coefficient_trends(points: pd.DataFrame, trends: Mapping[str, SizeTrend]) -> Any:
    """Coefficients against reward-model size, relative to their lines at the smallest one.

    Columns coefficient (a key of `trends`), params, value, error.
    """
    base = points.coefficient.map({name: one.intercept for name, one in trends.items()})
    data = points[["coefficient", "params"]].assign(
        share=points.value / base, low=(points.value - points.error) / base,
        high=(points.value + points.error) / base,
    )  # fmt: skip
    ends = np.array([points.params.min(), points.params.max()])
    shares = {name: one.at(ends) / one.intercept for name, one in trends.items()}
    lines = pd.concat(
        pd.DataFrame({"coefficient": name, "params": ends, "share": share})
        for name, share in shares.items()
    )
    colour = hues("coefficient:N", dict(zip(trends, (OURS, GOLD, PROXY), strict=False)))
    x = alt.X("params:Q", **params_axis((2e6, 6e9), SIZE))
    vertical = axis("Coefficient, relative to the line at 3M", (0.55, 1.45), format="%",
                    tickCount=5)  # fmt: skip
    y = alt.Y("share:Q", **vertical)
    fitted = alt.Chart(rounded(lines)).mark_line().encode(x=x, y=y, color=colour)
    marked = alt.Chart(rounded(data)).encode(x=x, color=colour)
    bars = marked.mark_rule(strokeWidth=1.5, opacity=0.7).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = marked.mark_point(style="dot", size=60).encode(
        y=y, shape=shapes("coefficient:N", trends, ("circle", "square", "diamond"))
    )
    # Beside the lines where points leave room: above the first two, below the third.
    spots = ((4.2e7, "right", -2, -16), (1.5e8, "left", 0, -11), (4.2e7, "center", 0, 30))
    names = []
    for (name, line), (size, align, dx, dy) in zip(trends.items(), spots, strict=False):
        look: dict[str, Any] = {"style": "bold", "align": align, "dx": dx, "dy": dy}
        place = at(digits=5, coefficient=name, params=size,
                   share=float(line.at(size) / line.intercept))  # fmt: skip
        names.append(place.mark_text(**look).encode(x=x, y=y, color=colour, text="coefficient:N"))
    told = "; ".join(f"{name} to {float(share[1]):.0%}" for name, share in shares.items())
    return described(
        alt.layer(fitted, bars, dots, *names),
        f"Scatter plot of {len(trends)} coefficients of the over-optimisation laws against "
        "reward-model size from 3 million to 3 billion parameters on a logarithmic axis, each "
        f"relative to its fitted line at 3 million, with straight lines. They go: {told}.",
    )


def peak_places(peaks: pd.DataFrame, line: pd.DataFrame, *, measured: float) -> Any:
    """Where the gold reward of best-of-n peaks (nats), by reward-model size.

    Columns of `peaks`: rm, params, kl, error, read (a label, empty for most); of `line`, the same
    from the trend lines of the coefficients: params, kl. Rewards were measured up to `measured`.
    """
    x = alt.X("params:Q", **params_axis((1.7e6, 7e9), SIZE))
    vertical = axis("KL divergence at the peak (nats)", (0, 18))
    y, low, high = (alt.Y(f"{field}:Q", **vertical) for field in ("kl", "low", "high"))
    data = peaks[["rm", "params", "kl", "read"]].assign(
        low=peaks.kl - peaks.error, high=peaks.kl + peaks.error
    )
    area = at(low=measured, high=18.0, params=1.7e6)
    unmeasured = area.mark_rect(style="band", color=RUNS.colour).encode(y=low, y2="high:Q")
    word = area.mark_text(color=QUIET, align="left", baseline="top", dx=8, dy=8).encode(
        x=x, y=high, text=alt.value("farther than was measured")
    )
    trend = alt.Chart(rounded(line[["params", "kl"]])).mark_line(color=OURS.colour).encode(x=x, y=y)
    base = alt.Chart(rounded(data)).encode(x=x)
    bars = base.mark_rule(strokeWidth=2, color=GOLD).encode(y=low, y2="high:Q")
    dots = base.mark_point(style="diamond", size=100, color=GOLD).encode(
        y=y, tooltip=tooltips("rm:N", ("kl:Q", ".2f", "nats"))
    )
    middle = f"{peaks.params.median():g}"
    labels = base.transform_filter(f"datum.params < {middle}").mark_text(
        style="bold", align="left", dx=-6, dy=20, color=GOLD
    ) + base.transform_filter(f"datum.params > {middle}").mark_text(
        style="bold", align="right", dx=12, dy=-18, color=GOLD
    )
    told = "; ".join(f"{one.rm} {one.kl:.1f}" for one in peaks.itertuples())
    return described(
        unmeasured + word + trend + bars + dots + labels.encode(y=y, text="read:N"),
        "Scatter plot of the KL divergence at which gold reward peaks against reward-model size "
        f"on a logarithmic axis, with bars for reading error, in nats: {told}. The shaded area "
        f"above {measured:.1f} nats was not measured.",
    )


def tails(curves: pd.DataFrame, line: pd.DataFrame) -> Any:
    """Gold reward of best-of-n under two errors of equal variance.

    Columns of `curves`: error (`NORMAL` or `HEAVY`), n, gold (standard deviations); of `line`, the
    closed form for the normal error: n, gold.
    """
    x = alt.X("n:Q", **log_axis("Samples, n", (1, 2 * float(curves.n.max())), label="plain"))
    y = alt.Y("gold:Q", title="Gold reward (standard deviations)")
    looks: dict[str, Role | str] = {NORMAL: OURS, HEAVY: "#c2476f"}
    closed = alt.Chart(rounded(line[["n", "gold"]])).mark_line(color=OURS.colour).encode(x=x, y=y)
    base = alt.Chart(rounded(curves[["error", "n", "gold"]])).encode(
        x=x, y=y, color=hues("error:N", looks)
    )
    thread = base.transform_filter(f"datum.error == '{HEAVY}'").mark_line(
        strokeWidth=1.2, opacity=0.6
    )
    dots = base.mark_point(style="dot", size=65).encode(
        shape=shapes("error:N", looks, ("circle", "diamond")),
        tooltip=tooltips("error:N", "n:Q", ("gold:Q", ".3f")),
    )
    named = base.encode(text="error:N")
    smooth = named.transform_filter(f"datum.error == '{NORMAL}' && datum.n == 64").mark_text(
        style="bold", align="right", dx=-12, dy=-10
    )
    spiky = named.transform_filter(f"datum.error != '{NORMAL}' && datum.n == 1024").mark_text(
        style="bold", align="right", dx=-10, dy=10
    )
    heavy = curves[curves.error == HEAVY]
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

    Columns of `points`: test_set, params, accuracy, se; of `lines`, our fits: test_set, params,
    accuracy; of `published`, a slope drawn through the middle of one set and named by `read`:
    params, accuracy.
    """
    sets = list(dict.fromkeys(points.test_set))
    colour = hues("test_set:N", dict(zip(sets, (OURS, GOLD), strict=False)))
    x = alt.X("params:Q", **log_axis(SIZE, (8e8, 1.7e10), label="size",
                                     values=[1e9, 2e9, 4e9, 8e9]))  # fmt: skip
    vertical = axis("Accuracy on held-out comparisons", (0.6, 0.72), format=".0%", tickCount=6)
    y = alt.Y("accuracy:Q", **vertical)
    # Points of the two sets would hide each other, so each set moves a little to its side.
    aside = points.test_set.map(dict(zip(sets, (0.97, 1.03), strict=False)))
    data = points[["test_set", "accuracy"]].assign(
        params=aside * points.params, low=points.accuracy - points.se,
        high=points.accuracy + points.se,
    )  # fmt: skip
    ours = rounded(lines[["test_set", "params", "accuracy"]])
    fitted = alt.Chart(ours).mark_line(strokeWidth=1.8).encode(x=x, y=y, color=colour)
    theirs = alt.Chart(rounded(published[["params", "accuracy"]])).encode(x=x, y=y)
    slope = theirs.mark_line(strokeDash=[7, 3], color=PROXY)
    # Above the lines, in the corner that rising lines leave free.
    corner = published.params.iloc[0], published.accuracy.iloc[0] + 0.065
    slope_word = label(read, x, y, corner, digits=5, style="text", color=PROXY)
    base = alt.Chart(rounded(data)).encode(x=x, color=colour)
    bars = base.mark_rule(strokeWidth=2.5, opacity=0.5).encode(
        y=alt.Y("low:Q", **vertical), y2="high:Q"
    )
    dots = base.mark_point(style="dot", size=85).encode(
        y=y, shape=shapes("test_set:N", sets),
        tooltip=tooltips("test_set:N", ("accuracy:Q", ".1%")),
    )  # fmt: skip
    ends = [
        end_names(data, "test_set", x, y, color=colour, dx=12, dy=dy).transform_filter(
            alt.datum.test_set == name
        )
        for name, dy in zip(sets, (5, -5), strict=False)
    ]
    told = "; ".join(
        f"{name} {', '.join(f'{100 * one:.1f}' for one in part.accuracy)}"
        for name, part in points.groupby("test_set", sort=False)
    )
    return described(
        slope + slope_word + fitted + bars + dots + alt.layer(*ends),
        "Scatter plot of the accuracy of reward models of 1, 2.8 and 6.9 billion parameters on "
        f"two test sets, in per cent: {told}; with fitted straight lines in the logarithm of "
        "size and a published slope.",
    )


def goodhart(
    alpha: SizeTrend, beta: SizeTrend, *, measured: float, sizes: tuple[float, float]
) -> Any:
    """Gold reward and the proxy's promise along best-of-n, with sliders for size and n.

    `alpha` and `beta` are lines in the decimal logarithm of size. Rewards were measured up to
    `measured` (nats); `sizes` (parameters) end the slider ``log_size``, a decimal logarithm; the
    other, ``log2_n``, is the binary logarithm of the number of samples.
    """
    k = np.arange(0, 24.01, 0.25)
    grid = rounded(
        pd.DataFrame({"k": k, "kl": reward_models.kl_best_of_n(2**k),
                      "promise": reward_models.normal_promise(2**k)}), 6
    )  # fmt: skip
    x = _kl(16.0, [0, 1, 2, 4, 6, 8, 10, 12, 14])
    y = alt.Y("reward:Q", **axis("Reward", (0, 3.6), values=[0, 0.5, 1, 1.5, 2, 2.5, 3]))
    step = f"(log_size - {np.log10(alpha.reference):.6f})"
    chosen = {
        "a": f"{alpha.intercept:.6f} + {alpha.slope:.6f} * {step}",
        "b": f"{beta.intercept:.6f} + {beta.slope:.6f} * {step}",
    }
    gold = {"reward": "datum.a * sqrt(datum.kl) - datum.b * datum.kl"}
    promise = {"reward": "datum.a * datum.promise"}
    curve = alt.Chart(grid).transform_calculate(**chosen)
    here = curve.transform_filter("datum.k == log2_n")
    true = curve.transform_calculate(**gold).encode(x=x, y=y)
    inside = true.transform_filter(f"datum.kl <= {measured + 0.08:.4f}")
    beyond = true.transform_filter(f"datum.kl >= {measured - 0.08:.4f}")
    proxy = curve.transform_calculate(**promise).encode(x=x, y=y)
    at_gold = here.transform_calculate(**gold).encode(x=x, y=y)
    at_proxy = here.transform_calculate(**promise).encode(x=x, y=y)
    foot = at_proxy.transform_calculate(zero="0").encode(y=alt.Y("zero:Q"), y2="reward:Q")
    name_at = alt.Chart(grid[grid.k == 22]).transform_calculate(**chosen)
    promised = name_at.transform_calculate(**promise).encode(x=x, y=y, text=alt.value("promised"))
    top = {"kl": "pow(datum.a / (2 * datum.b), 2)", "reward": "datum.a * datum.a / (4 * datum.b)"}
    peak = at(one=1).transform_calculate(**chosen).transform_calculate(**top).encode(x=x, y=y)
    # Both stay below the read-out, which takes the top of the plot.
    edge = at(kl=measured, reward=0.0, to=2.7, low=0.1).encode(x=x)
    end_word = edge.mark_text(style="word", align="right", dx=-5)
    layers = alt.layer(
        edge.mark_rule(style="end").encode(y=y, y2="to:Q"),
        end_word.encode(y=alt.Y("low:Q"), text=alt.value(MEASURED)),
        inside.mark_line(strokeWidth=2.5, color=GOLD, clip=True),
        beyond.mark_line(strokeWidth=1.8, color=GOLD, strokeDash=UNMEASURED, clip=True),
        proxy.mark_line(color=PROXY, strokeDash=[2, 3], clip=True),
        foot.mark_rule(style="quiet"),
        peak.mark_point(shape="diamond", size=150, strokeWidth=2, color=GOLD),
        at_proxy.mark_circle(style="dot", color=PROXY),
        at_gold.mark_circle(style="dot", color=GOLD, clip=True),
        promised.mark_text(style="bold", align="right", dy=-12, color=PROXY),
        peak.mark_text(style="bold", align="right", dx=24, dy=20, color=GOLD).encode(
            text=alt.value("delivered")
        ),
        _outcome(here, gold["reward"], promise["reward"], measured),
    )
    low, high = (round(float(np.log10(size)), 2) for size in sizes)
    first, last = (BestOfNLaw(float(alpha.at(s)), float(beta.at(s))).peak() for s in sizes)
    return described(
        layers.add_params(
            slider("log_size", 7, (low, high, 0.05), "Reward model, parameters"),
            slider("log2_n", 13, (0, 24, 1), "Samples, n"),
        ),
        "Line chart of reward against KL divergence on a square-root axis: the proxy's promise "
        "rises throughout, the gold reward rises, peaks and falls. Sliders set the size of the "
        "reward model and the number of samples. The peak moves from "
        f"{first.reward:.2f} at {first.kl:.1f} nats for the smallest reward model to "
        f"{last.reward:.2f} at {last.kl:.1f} nats for the largest; rewards were measured up to "
        f"{measured:.1f} nats.",
        height=HEIGHT + 120,
    )


def _outcome(here: alt.Chart, gold: str, promise: str, measured: float) -> Any:
    """The read-out of the sliders: what is promised and delivered, and where the peak lies."""
    return (
        here.transform_calculate(n="pow(2, datum.k)", gold=gold, proxy=promise)
        .transform_calculate(peak="pow(datum.a / (2 * datum.b), 2)")
        .transform_calculate(
            # One Newton step from ln n = KL + 1 is exact to 1e-4 for peaks beyond four nats.
            log_peak="datum.peak + 1 - exp(-datum.peak - 1) / (1 - exp(-datum.peak - 1))",
        )
        .transform_calculate(
            read=f"['reward model of ' + {size_label('pow(10, log_size)')}"
            " + ', best of ' + format(datum.n, ',.0f'),"
            " 'KL ' + format(datum.kl, '.2f')"
            " + (datum.kl > datum.peak ? ', past the peak' : ', before the peak')"
            f" + (datum.kl > {measured + 0.05:.4f} ? ', unmeasured' : ''),"
            " 'promised ' + format(datum.proxy, '.2f') + ', delivered '"
            " + format(datum.gold, '.2f'),"
            " 'peak ' + format(datum.a * datum.a / (4 * datum.b), '.2f') + ' at '"
            " + format(datum.peak, '.1f') + ' nats, n = '"
            " + format(exp(datum.log_peak), ',.2r')]"
        )
        .mark_text(align="left", baseline="top", fontSize=12.5, lineHeight=18, x=8, y=6)
        .encode(text="read:N")
    )


def public_runs(points: pd.DataFrame, laws: pd.DataFrame, *, seen: float) -> Any:
    """Gold reward of public best-of-n runs, and both laws fitted up to `seen` (nats).

    Columns of `points`: rm, kl, gold; of `laws`: rm, law ("best-of-n" or "RL"), kl, gold.
    """
    sizes = list(dict.fromkeys(points.rm))
    x, y = _kl(4.6, [0, 0.5, 1, 2, 3, 4]), alt.Y("gold:Q", **axis("Gold reward", (0, 1.45)))
    colour = hues("rm:N", dict(zip(sizes, SIZE_COLOURS, strict=True)))
    base = alt.Chart(rounded(laws)).encode(x=x, y=y, color=colour)
    lines = [
        base.transform_filter(f"datum.law == '{law}'").mark_line(strokeWidth=1.8, strokeDash=dash)
        for law, dash in (("best-of-n", [1, 0]), ("RL", [2, 4]))
    ]
    dots = alt.Chart(rounded(points)).mark_point(style="dot", size=60).encode(
        x=x, y=y, color=colour, tooltip=tooltips("rm:N", ("kl:Q", ".2f"), ("gold:Q", ".3f"))
    )  # fmt: skip
    names = end_names(points, "rm", x, y, color=colour, dx=9)
    last = points.groupby("rm", sort=False).gold.last()
    told = "; ".join(f"{rm}: {gold:.2f}" for rm, gold in last.items())
    return described(
        alt.layer(end_here(x, seen, "fitted up to here", left=True), *lines, dots, names),
        f"Scatter plot of gold reward against KL divergence for {len(sizes)} reward models by the "
        "comparisons they were trained on, with two laws fitted to the first points. Last points: "
        f"{told}. The law of best-of-n ends near them, that of reinforcement learning above.",
        height=HEIGHT + 40,
    )


def controlled(curves: pd.DataFrame, *, names: Mapping[str, str]) -> Any:
    """True reward of the policy that weighs score against divergence, by kind of error.

    Columns of `curves`: error (a key of `names`), kl (nats), gold; `names` holds the colours.
    """
    x = alt.X("kl:Q", **axis(KL, (0, 8.4), values=[0, 2, 4, 6]))
    y = alt.Y("gold:Q", **axis("True reward (standard deviations)", (0, 2.6)))
    base = alt.Chart(rounded(curves)).encode(x=x, y=y, color=hues("error:N", names))
    ends = curves.groupby("error", sort=False).tail(1)
    told = "; ".join(f"{one.error}: {one.gold:.2f}" for one in ends.itertuples())
    words = end_names(curves, "error", x, y, color=hues("error:N", names))
    return described(
        base.mark_line() + words,
        "Line chart of true reward against KL divergence for policies regularised by it. At "
        f"{curves.kl.max():g} nats: {told}.",
    )


def loss_band(band_of: pd.DataFrame, marks: pd.DataFrame) -> Any:
    """Losses that a calibrated reward model of an accuracy may have.

    Columns of `band_of`: accuracy, low, high (nats); of `marks`: loss, low, high (accuracies) and
    read, a label.
    """
    x = alt.X("accuracy:Q", **axis("Accuracy", (0.5, 1), format=".0%", tickCount=5))
    y = alt.Y("low:Q", **axis("Loss (nats per comparison)", (0, 0.75)))
    area = alt.Chart(rounded(band_of)).mark_area(opacity=0.3, color=OURS.colour).encode(
        x=x, y=y, y2="high:Q"
    )  # fmt: skip
    mark = alt.Chart(rounded(marks)).encode(x=alt.X("low:Q"), y=alt.Y("loss:Q"))
    rules = mark.mark_rule(strokeWidth=3, color=GOLD).encode(x2="high:Q")
    words = mark.mark_text(align="left", dx=4, dy=-8, color=GOLD).encode(x="high:Q", text="read:N")
    told = "; ".join(
        f"{one.loss:.3f}: {one.low:.1%} to {one.high:.1%}" for one in marks.itertuples()
    )
    return described(
        area + rules + words,
        "Area chart of the loss of calibrated reward models against accuracy: from ln 2 at a coin "
        f"to zero at certainty. Accuracies that published losses allow: {told}.",
    )
