"""Pictures of learning curves, their plateaus, and the exponents of multimodal laws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from chapters.figures.power_laws import FLOOR, PURE
from scalinglib.charts import (
    BEYOND,
    EPOCH,
    HEIGHT,
    OURS,
    RUNS,
    VIOLET,
    Role,
    apart,
    at,
    axis,
    by_role,
    described,
    hues,
    key,
    log_axis,
    point_names,
    rounded,
    row_names,
    rows,
    shapes,
    slider,
    tooltips,
)

SATURATING = Role("saturating", VIOLET)
BOTH_ENDS = Role("both ends", "#cc4a52")
TWO_ENDED = Role("M4", RUNS.colour)
FORMS = {role.name: role for role in (PURE, FLOOR, SATURATING, BOTH_ENDS, TWO_ENDED)}


def _places(examples: float, lowest: float, highest: float) -> tuple[alt.X, dict[str, Any]]:
    """Axis of examples seen, up to `examples`, and that of the error rate, between two."""
    x = alt.X("examples_seen:Q", **log_axis("Examples seen", (3e6, examples), label="size"))
    ticks = (0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
    shown = [tick for tick in ticks if lowest <= tick <= highest]
    return x, log_axis("Error rate", (lowest, highest), values=shown, format=".1f")


def _by_form(names: Iterable[str], columns: int, **look: Any) -> dict[str, Any]:
    """Colour and shape of fitted forms, which share a legend."""
    roles = {name: FORMS[name] for name in names}
    return {
        "color": hues("form:N", roles, legend=key(columns=columns, **look)),
        "shape": shapes("form:N", roles, legend=alt.Undefined),
    }


def thinned(curve: pd.DataFrame, n: int) -> pd.DataFrame:
    """At most `n` points of a curve, evenly spread in the logarithm of the examples.

    Column examples_seen, ascending. The first and the last point are kept.
    """
    if len(curve) <= n:
        return curve
    x = np.log(curve.examples_seen.to_numpy())
    nearest = np.abs(x[:, None] - np.linspace(x[0], x[-1], n)).argmin(axis=0)
    return curve.iloc[np.unique(nearest)]


def _thinned(curves: pd.DataFrame, name: str, n: int) -> pd.DataFrame:
    """At most `n` points of each part, to fit and held out, of the curves told apart by `name`."""
    parts = [thinned(part, n) for _, part in curves.groupby([name, "in_fit"], sort=False)]
    return rounded(pd.concat(parts)[[name, "examples_seen", "error", "in_fit"]])


def learning_curves(curves: pd.DataFrame, *, guessing: float) -> Any:
    """Learning curves on logarithmic axes, with the held-out part of each set apart.

    Columns model, examples_seen, error, in_fit (bool). Above the error `guessing` a model is
    marked as still guessing.
    """
    # The axis is long enough for the names of the models on a narrow screen.
    x, vertical = _places(1e11, 0.23, 1.05)
    y = alt.Y("error:Q", **vertical)
    base = alt.Chart(_thinned(curves, "model", 24)).encode(
        x=x, y=y, tooltip=tooltips("model:N", ("examples_seen:Q", ".3s", "examples"),
                                   ("error:Q", ".3f", "error rate"))
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=1, opacity=0.6, color=RUNS.colour).encode(detail="model:N")
    legend = key(symbolType="circle", symbolOpacity=1)
    points = (
        base.transform_calculate(part="datum.in_fit ? 'to fit' : 'held out'")
        .mark_circle(size=22, opacity=1)
        .encode(color=hues("part:N", {"to fit": RUNS, "held out": OURS}, legend=legend))
    )
    ends = curves.loc[curves.groupby("model", sort=False).examples_seen.idxmax()]
    # All names stand in one column, since some curves end below the middle of others.
    ends = ends.assign(
        place=apart(ends.error.to_list(), 1.075), examples_seen=ends.examples_seen.max()
    )
    names = point_names(
        rounded(ends[["model", "examples_seen", "place"]]), "model:N", x,
        alt.Y("place:Q", **vertical), style="note", dx=7, color=RUNS.colour,
    )  # fmt: skip
    here = at(error=guessing).encode(y=y)
    word = here.mark_text(
        style="word", align="right", dx=-2, dy=-9, x=alt.ExprRef("width")
    ).encode(text=alt.value("still guessing"))  # fmt: skip
    told = "; ".join(f"{one.model} {one.error:.2f}" for one in ends.itertuples())
    return described(
        here.mark_rule(style="end") + word + lines + points + names,
        f"Line chart on logarithmic axes of the error rate of {len(ends)} models against examples "
        "seen, from 4 million to 3 billion. The curves start level near an error of one, fall, and "
        f"bend. The part beyond half of the examples is held out. Last errors: {told}.",
        height=HEIGHT + 40,
    )


def cutoffs(errors: pd.DataFrame) -> Any:
    """Mean forecast error of each form against the error above which points are left out.

    Columns below, form (a key of `FORMS`), rms (share).
    """
    data = rounded(errors[["below", "form", "rms"]])
    low, high = float(data.below.min()), float(data.below.max())
    x = alt.X("below:Q", **axis(
        "Points left out: errors of this and more", (high, low), grid=False,
        values=[tick for tick in (1.0, 0.9, 0.8, 0.7, 0.6) if tick >= low - 1e-9],
        labelExpr="datum.value >= 1 ? 'none' : format(datum.value, '.1f')",
    ))  # fmt: skip
    y = alt.Y("rms:Q", **axis("Mean forecast error", (0, 0.11), format=".0%",
                              values=[0, 0.02, 0.04, 0.06, 0.08, 0.1]))  # fmt: skip
    look = _by_form(dict.fromkeys(data["form"]), 2, symbolOpacity=1)
    base = alt.Chart(data).encode(
        x=x, y=y, color=look["color"],
        tooltip=tooltips("form:N", ("below:Q", "", "left out from"),
                         ("rms:Q", ".1%", "mean forecast error")),
    )  # fmt: skip
    points = base.mark_point(style="dot", size=60, opacity=1).encode(shape=look["shape"])
    told = "; ".join(
        f"{name}: {100 * part.rms.iloc[0]:.1f} per cent with all points, "
        f"{100 * part.rms.iloc[-1]:.1f} at the last cut"
        for name, part in data.groupby("form", sort=False)
    )
    return described(
        base.mark_line() + points,
        "Line chart of the mean forecast error over the curves against the error rate above which "
        f"early points are left out of the fit, from none to {low:g}. {told}.",
    )


def plateaus(values: pd.DataFrame, lowest: pd.Series[float]) -> Any:
    """Plateau of each curve under several forms, beside the lowest error that was reached.

    Columns curve, form (a key of `FORMS`), plateau, in the order of the rows; `lowest` is the
    lowest error held out, by curve.
    """
    data = rounded(values[["curve", "form", "plateau"]])
    order, names = list(dict.fromkeys(data.curve)), list(dict.fromkeys(data["form"]))
    bare = axis("Error rate", (0, 0.7))
    x = alt.X("plateau:Q", **axis("Error rate", (0, 0.7), format=".1f", tickCount=7))
    y = rows("curve:N", order, padding=0.6)
    ends = data.groupby("curve", sort=False).plateau.agg(["min", "max"]).reset_index()
    row = alt.Chart(ends).encode(y=y)
    span = row.mark_rule(strokeWidth=2, opacity=0.35, color=RUNS.colour).encode(
        x=alt.X("min:Q", **bare), x2="max:Q"
    )
    points = (
        alt.Chart(data)
        .mark_point(style="dot", size=75, opacity=1)
        .encode(x=x, y=y, tooltip=tooltips("curve:N", "form:N", ("plateau:Q", ".3f")),
                **_by_form(names, 3))
    )  # fmt: skip
    reached = rounded(pd.DataFrame({"curve": lowest.index, "reached": lowest.to_numpy()}))
    there = alt.X("reached:Q", **bare)
    ticks = (
        alt.Chart(reached)
        .mark_tick(thickness=3, size=20, color=RUNS.colour, opacity=1)
        .encode(x=there, y=y, tooltip=tooltips("curve:N", ("reached:Q", ".3f")))
    )
    tick_word = (
        alt.Chart(reached[reached.curve == order[0]])
        .mark_text(style="note", align="left", dx=7, color=RUNS.colour)
        .encode(x=there, y=y, text=alt.value("lowest error reached"))
    )
    widest = ends.assign(width=ends["max"] - ends["min"]).sort_values("width", kind="stable")
    last = widest.iloc[-1]
    return described(
        span + ticks + tick_word + points + row_names(row, "curve:N", dy=-15),
        f"Dot plot of the plateau of {len(order)} learning curves under {len(names)} forms, with "
        "a tick for the lowest error the curve reached. The forms disagree most for "
        f"{last.curve}: from {last['min']:.2f} to {last['max']:.2f}, where the curve reached "
        f"{lowest[last.curve]:.2f}.",
        height=44 * len(order) + 90,
    )


def doublings(gains: pd.DataFrame, roles: Mapping[str, Role]) -> Any:
    """Share of the error that the next doubling of compute removes, along three laws.

    Columns law (a key of `roles`), doublings (from the left end of the law's range), gain.
    """
    data = rounded(gains[["law", "doublings", "gain"]])
    ends = (0, float(data.doublings.max()))
    x = alt.X("doublings:Q", **axis("Doublings of compute so far", ends, tickCount=7, format="d"))
    y = alt.Y("gain:Q", **axis("Removed by the next doubling", (0, 0.19), format=".0%",
                               tickCount=5))  # fmt: skip
    colour, dash = by_role("law:N", roles)
    lines = alt.Chart(data).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=colour, strokeDash=dash
    )  # fmt: skip
    names = []
    # The first law starts highest, the second runs above it later, the third lies below both.
    for law, place, lift in zip(roles, (0.9, 5.2, 0.3), (0.021, 0.018, -0.022), strict=True):
        part = data[data.law == law]
        height = float(np.interp(place, part.doublings, part.gain)) + lift
        where = pd.DataFrame({"law": [law], "doublings": [place], "gain": [height]})
        names.append(point_names(rounded(where), "law:N", x, y, color=colour))
    told = "; ".join(
        f"{law}: {100 * part.gain.iloc[0]:.1f} falling to {100 * part.gain.iloc[-1]:.1f} per cent"
        for law, part in data.groupby("law", sort=False)
    )
    return described(
        alt.layer(lines, *names),
        "Line chart of the share of the error or loss that the next doubling of compute removes, "
        f"against the doublings so far. {told}.",
    )


def exponents(values: pd.DataFrame) -> Any:
    """Printed allocation exponents beside those that alpha and beta imply.

    Indexed by the name of the row; columns a, a_implied (may be missing).
    """
    wide = values[["a", "a_implied"]].rename_axis("row").reset_index()
    data = wide.melt("row", var_name="kind", value_name="value").dropna()
    data["kind"] = data.kind.map({"a": "printed", "a_implied": "from α and β"})
    kinds = {"printed": EPOCH, "from α and β": OURS}
    title = "Exponent of the model size in compute, a"
    bare = axis(title, (0.3, 0.7))
    y = rows("row:N", wide.row, padding=0.6)
    half = at(at=0.5).mark_rule(style="end").encode(x=alt.X("at:Q", **bare))
    span = (
        alt.Chart(rounded(wide.dropna()))
        .mark_rule(strokeWidth=2, opacity=0.4, color=RUNS.colour)
        .encode(x=alt.X("a:Q", **bare), x2="a_implied:Q", y=y)
    )
    points = (
        alt.Chart(rounded(data))
        .mark_point(filled=True, opacity=1)
        .encode(
            x=alt.X("value:Q", **axis(title, (0.3, 0.7), format=".1f", tickCount=5)),
            y=y,
            color=hues("kind:N", kinds, legend=key()),
            shape=shapes("kind:N", kinds, ("diamond", "circle"), legend=alt.Undefined),
            size=alt.Size("kind:N", scale=alt.Scale(domain=list(kinds), range=[110, 45]),
                          legend=None),
            tooltip=tooltips("row:N", "kind:N", ("value:Q", ".4f")),
        )
    )  # fmt: skip
    told = "; ".join(
        f"{one.row} {one.a:.3f}" + (f" against {one.a_implied:.3f}" if one.a_implied > 0 else "")
        for one in wide.itertuples()
    )
    return described(
        half + span + points + row_names(alt.Chart(wide).encode(y=y), "row:N", dy=-13),
        f"Dot plot of {len(wide)} published exponents of the compute-optimal model size, and of "
        f"what each row's own alpha and beta imply. {told}.",
        height=38 * len(wide) + 90,
    )


def cut_and_see(
    curves: pd.DataFrame, fits: pd.DataFrame, *, start: str, below: float, steps: Sequence[float]
) -> Any:
    """One learning curve of choice, fitted without its first points, and the forecasts.

    Columns of `curves`: curve, examples_seen, error, in_fit (bool); of `fits`: curve, below (a
    stop of the slider), form (a key of `FORMS`), E, A, d, alpha, rms, last (examples seen of the
    last point fitted). The menu ``curve`` starts at `start`, the slider ``below``, whose stops
    `steps` are evenly spaced, at `below`.
    """
    names = list(dict.fromkeys(curves.curve))
    step = round(float(np.ptp(steps)) / (len(steps) - 1), 6)
    choice = alt.binding_select(options=names, name="Curve ")
    cut = slider("below", below, (min(steps), max(steps), step), "Leave out errors from")
    x, vertical = _places(1.3e10, 0.19, 1.45)
    y = alt.Y("error:Q", **vertical)
    uses = {"fitted": RUNS, "left out": RUNS, "held out": EPOCH}
    points = (
        alt.Chart(_thinned(curves, "curve", 30))
        .transform_filter("datum.curve == curve")
        .transform_calculate(
            use="!datum.in_fit ? 'held out' : datum.error < below || below >= 1 "
            "? 'fitted' : 'left out'"
        )
        .mark_point(style="dot", size=38, opacity=1)
        .encode(
            x=x, y=y,
            color=hues("use:N", uses, legend=key(symbolOpacity=1, orient="bottom")),
            shape=shapes("use:N", uses, ("circle", "cross", "diamond"), legend=alt.Undefined),
        )
    )  # fmt: skip
    forms = list(dict.fromkeys(fits["form"]))
    colour = hues("form:N", {name: FORMS[name] for name in forms})
    chosen = (
        alt.Chart(rounded(fits, 7))
        .transform_filter(f"datum.curve == curve && abs(datum.below - below) < {step / 2:g}")
        .encode(color=colour)
    )
    drawn, last = _drawn(chosen).encode(x=x, y=y), "datum.examples_seen <= datum.last"
    fitted = drawn.transform_filter(f"{last} * 1.06").mark_line(strokeDash=[1, 0], clip=True)
    beyond = drawn.transform_filter(f"!({last} * 0.94)").mark_line(strokeDash=BEYOND, clip=True)
    read = (
        chosen.transform_calculate(
            read="datum.form + ': misses by ' + format(datum.rms, '.1%')",
            row=f"12 + 17 * indexof({forms}, datum.form)",
        )
        .mark_text(style="bold", align="right", x=alt.ExprRef("width - 4"), baseline="middle")
        .encode(y=alt.Y("row:Q", scale=None, axis=None), text="read:N")
    )
    return described(
        alt.layer(fitted, beyond, points, read)
        .add_params(alt.param(name="curve", value=start, bind=choice), cut)
        .resolve_scale(color="independent", shape="independent"),
        f"Line chart on logarithmic axes of one of {len(names)} learning curves, chosen from a "
        f"menu, with {len(forms)} fitted forms drawn on to 10 billion examples. A slider leaves "
        "out of the fit the first points, those with the largest errors; the chart reads out by "
        "how much each form then misses the held-out part.",
        height=HEIGHT + 80,
    )


def _drawn(chosen: alt.Chart) -> alt.Chart:
    """Points along the fitted forms, from 4 million to 10 billion examples."""
    low, high = np.log10(4e6), np.log10(1e10)
    return (
        chosen.transform_calculate(k=f"sequence({low:.4f}, {high + 0.01:.4f}, 0.05)")
        .transform_flatten(["k"])
        .transform_calculate(
            examples_seen="pow(10, datum.k)",
            error="datum.form == 'saturating' "
            "? datum.A * pow(1 / datum.examples_seen + datum.d, datum.alpha) "
            ": datum.E + datum.A * pow(datum.examples_seen + datum.d, -datum.alpha)",
        )
        .transform_filter("datum.error <= 1.02")
    )
