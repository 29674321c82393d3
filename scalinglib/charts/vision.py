"""Charts of learning curves, their plateaus, and the exponents of multimodal laws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from .base import EPOCH, HEIGHT, OURS, QUIET, RUNS, Role, by_role, described, log_axis, rounded
from .power_laws import BEYOND, FLOOR, PURE

SATURATING = Role("saturating", "#7a5fd0")
BOTH_ENDS = Role("both ends", "#cc4a52")
FORMS = {role.name: role for role in (PURE, FLOOR, SATURATING, BOTH_ENDS)}
SHAPES = ["circle", "square", "triangle-up", "diamond"]

ERROR = "Error rate"
_ERROR_TICKS = [0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0]


def _examples_axis(domain: tuple[float, float]) -> dict[str, Any]:
    return log_axis("Examples seen", domain, label="size")


def _error_axis(domain: tuple[float, float]) -> dict[str, Any]:
    ticks = [tick for tick in _ERROR_TICKS if domain[0] <= tick <= domain[1]]
    return {
        "title": ERROR,
        "scale": alt.Scale(type="log", domain=list(domain), nice=False),
        "axis": alt.Axis(values=ticks, format=".1f"),
    }


def thinned(curve: pd.DataFrame, n: int) -> pd.DataFrame:
    """At most `n` points of a curve, evenly spread in the logarithm of the examples.

    Parameters
    ----------
    curve : pandas.DataFrame
        Column examples_seen, ascending.
    n : int

    Returns
    -------
    pandas.DataFrame
        The first and the last point are kept.
    """
    if len(curve) <= n:
        return curve
    x = np.log(curve.examples_seen.to_numpy())
    nearest = np.abs(x[:, None] - np.linspace(x[0], x[-1], n)).argmin(axis=0)
    return curve.iloc[np.unique(nearest)]


def _apart(values: Sequence[float], factor: float) -> list[float]:
    """Move values up until each is `factor` above the next lower one, for labels."""
    placed: dict[int, float] = {}
    floor = 0.0
    for index in np.argsort(values, kind="stable"):
        placed[int(index)] = floor = max(values[int(index)], floor * factor)
    return [placed[index] for index in range(len(values))]


def learning_curves(curves: pd.DataFrame, *, guessing: float) -> Any:
    """Learning curves on logarithmic axes, with the held-out part of each set apart.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns model, examples_seen, error, in_fit.
    guessing : float
        Error above which a model is marked as still guessing.

    Returns
    -------
    altair.LayerChart
    """
    # The axis is long enough for the names of the models on a narrow screen.
    x = alt.X("examples_seen:Q", **_examples_axis((3e6, 1e11)))
    vertical = _error_axis((0.23, 1.05))
    y = alt.Y("error:Q", **vertical)
    shown = pd.concat(
        [thinned(part, 24) for _, part in curves.groupby(["model", "in_fit"], sort=False)]
    )
    base = alt.Chart(rounded(shown[["model", "examples_seen", "error", "in_fit"]])).encode(
        x=x, y=y,
        tooltip=["model:N", alt.Tooltip("examples_seen:Q", format=".3s", title="examples"),
                 alt.Tooltip("error:Q", format=".3f", title="error rate")],
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=1, opacity=0.6, color=RUNS.colour).encode(detail="model:N")
    colour = alt.Color(
        "part:N",
        scale=alt.Scale(domain=["to fit", "held out"], range=[RUNS.colour, OURS.colour]),
        legend=alt.Legend(title=None, symbolType="circle", symbolOpacity=1),
    )
    points = (
        base.transform_calculate(part="datum.in_fit ? 'to fit' : 'held out'")
        .mark_circle(size=22, opacity=1)
        .encode(color=colour)
    )
    ends = curves.loc[curves.groupby("model", sort=False).examples_seen.idxmax()]
    # All names stand in one column, since some curves end below the middle of others.
    ends = ends.assign(
        place=_apart(ends.error.to_list(), 1.075), examples_seen=ends.examples_seen.max()
    )
    names = (
        alt.Chart(rounded(ends[["model", "examples_seen", "place"]]))
        .mark_text(align="left", dx=7, fontSize=11, color=RUNS.colour)
        .encode(x=x, y=alt.Y("place:Q", **vertical), text="model:N")
    )
    here = alt.Chart(pd.DataFrame({"error": [guessing]}))
    rule = here.mark_rule(color=QUIET, strokeDash=[2, 2]).encode(y=y)
    word = here.mark_text(
        color=QUIET, align="right", dx=-2, dy=-9, fontSize=11, x=alt.ExprRef("width")
    ).encode(y=y, text=alt.value("still guessing"))
    told = "; ".join(f"{one.model} {one.error:.2f}" for one in ends.itertuples())
    return described(
        rule + word + lines + points + names,
        f"Line chart on logarithmic axes of the error rate of {len(ends)} models against examples "
        "seen, from 4 million to 3 billion. The curves start level near an error of one, fall, and "
        f"bend. The part beyond half of the examples is held out. Last errors: {told}.",
    ).properties(height=HEIGHT + 40)


def cutoffs(errors: pd.DataFrame) -> Any:
    """Mean forecast error of each form against the error above which points are left out.

    Parameters
    ----------
    errors : pandas.DataFrame
        Columns below, form (a key of `FORMS`), rms.

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(errors[["below", "form", "rms"]])
    names = list(dict.fromkeys(data["form"]))
    low, high = float(data.below.min()), float(data.below.max())
    x = alt.X(
        "below:Q",
        title="Points left out: errors of this and more",
        scale=alt.Scale(domain=[high, low], nice=False),
        axis=alt.Axis(
            values=[tick for tick in (1.0, 0.9, 0.8, 0.7, 0.6) if tick >= low - 1e-9], grid=False,
            labelExpr="datum.value >= 1 ? 'none' : format(datum.value, '.1f')",
        ),
    )  # fmt: skip
    y = alt.Y(
        "rms:Q", title="Mean forecast error", scale=alt.Scale(domain=[0, 0.11]),
        axis=alt.Axis(format=".0%", values=[0, 0.02, 0.04, 0.06, 0.08, 0.1]),
    )  # fmt: skip
    colour = alt.Color(
        "form:N",
        scale=alt.Scale(domain=names, range=[FORMS[name].colour for name in names]),
        legend=alt.Legend(title=None, columns=2, symbolOpacity=1),
    )
    shape = alt.Shape("form:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]))
    base = alt.Chart(data).encode(
        x=x, y=y, color=colour,
        tooltip=["form:N", alt.Tooltip("below:Q", title="left out from"),
                 alt.Tooltip("rms:Q", format=".1%", title="mean forecast error")],
    )  # fmt: skip
    lines = base.mark_line(strokeWidth=2)
    points = base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape)
    told = "; ".join(
        f"{name}: {100 * part.rms.iloc[0]:.1f} per cent with all points, "
        f"{100 * part.rms.iloc[-1]:.1f} at the last cut"
        for name, part in data.groupby("form", sort=False)
    )
    return described(
        lines + points,
        "Line chart of the mean forecast error over the curves against the error rate above which "
        f"early points are left out of the fit, from none to {low:g}. {told}.",
    )


def plateaus(values: pd.DataFrame, lowest: pd.Series[float]) -> Any:
    """Plateau of each curve under several forms, beside the lowest error that was reached.

    Parameters
    ----------
    values : pandas.DataFrame
        Columns curve, form (a key of `FORMS`), plateau; in the order of the rows.
    lowest : pandas.Series
        Lowest error held out, by curve.

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(values[["curve", "form", "plateau"]])
    order = list(dict.fromkeys(data.curve))
    names = list(dict.fromkeys(data["form"]))
    scale = alt.Scale(domain=[0, 0.7], nice=False)
    title = "Error rate"
    x = alt.X("plateau:Q", title=title, scale=scale, axis=alt.Axis(format=".1f", tickCount=7))
    y = alt.Y("curve:N", sort=order, title=None, axis=None, scale=alt.Scale(paddingOuter=0.6))
    colour = alt.Color(
        "form:N",
        scale=alt.Scale(domain=names, range=[FORMS[name].colour for name in names]),
        legend=alt.Legend(title=None, columns=3),
    )
    shape = alt.Shape("form:N", scale=alt.Scale(domain=names, range=SHAPES[: len(names)]))
    ends = data.groupby("curve", sort=False).plateau.agg(["min", "max"]).reset_index()
    reached = rounded(pd.DataFrame({"curve": lowest.index, "reached": lowest.to_numpy()}))
    span = (
        alt.Chart(ends)
        .mark_rule(strokeWidth=2, opacity=0.35, color=RUNS.colour)
        .encode(x=alt.X("min:Q", title=title, scale=scale), x2="max:Q", y=y)
    )
    points = (
        alt.Chart(data)
        .mark_point(filled=True, size=75, opacity=1)
        .encode(
            x=x, y=y, color=colour, shape=shape,
            tooltip=["curve:N", "form:N", alt.Tooltip("plateau:Q", format=".3f")],
        )
    )  # fmt: skip
    at = alt.X("reached:Q", title=title, scale=scale)
    ticks = (
        alt.Chart(reached)
        .mark_tick(thickness=3, size=20, color=RUNS.colour, opacity=1)
        .encode(x=at, y=y, tooltip=["curve:N", alt.Tooltip("reached:Q", format=".3f")])
    )
    first = reached[reached.curve == order[0]]
    tick_word = (
        alt.Chart(first)
        .mark_text(align="left", dx=7, fontSize=11, color=RUNS.colour)
        .encode(x=at, y=y, text=alt.value("lowest error reached"))
    )
    words = (
        alt.Chart(ends)
        .mark_text(align="left", dy=-15, fontSize=11, color=RUNS.colour)
        .encode(x=alt.value(2), y=y, text="curve:N")
    )
    widest = ends.assign(width=ends["max"] - ends["min"]).sort_values("width", kind="stable")
    last = widest.iloc[-1]
    return described(
        span + ticks + tick_word + points + words,
        f"Dot plot of the plateau of {len(order)} learning curves under {len(names)} forms, with "
        "a tick for the lowest error the curve reached. The forms disagree most for "
        f"{last.curve}: from {last['min']:.2f} to {last['max']:.2f}, where the curve reached "
        f"{lowest[last.curve]:.2f}.",
    ).properties(height=44 * len(order) + 90)


def doublings(gains: pd.DataFrame, roles: Mapping[str, Role]) -> Any:
    """Share of the error that the next doubling of compute removes, along several laws.

    Parameters
    ----------
    gains : pandas.DataFrame
        Columns law (a key of `roles`), doublings (from the left end of the law's range), gain.
    roles : mapping of str to Role

    Returns
    -------
    altair.LayerChart
    """
    data = rounded(gains[["law", "doublings", "gain"]])
    x = alt.X(
        "doublings:Q", title="Doublings of compute so far",
        scale=alt.Scale(domain=[0, float(data.doublings.max())], nice=False),
        axis=alt.Axis(tickCount=7, format="d"),
    )  # fmt: skip
    y = alt.Y(
        "gain:Q", title="Removed by the next doubling",
        scale=alt.Scale(domain=[0, 0.19], nice=False), axis=alt.Axis(format=".0%", tickCount=5),
    )  # fmt: skip
    colour, dash = by_role("law:N", roles)
    lines = alt.Chart(data).mark_line(strokeWidth=2.5).encode(
        x=x, y=y, color=colour, strokeDash=dash
    )  # fmt: skip
    marks = []
    # The first law starts highest, the second runs above it later, the third lies below both.
    for law, place, lift in zip(roles, (0.9, 5.2, 0.3), (0.021, 0.018, -0.022), strict=True):
        part = data[data.law == law]
        height = float(np.interp(place, part.doublings, part.gain)) + lift
        where = pd.DataFrame({"law": [law], "doublings": [place], "gain": [height]})
        marks.append(
            alt.Chart(rounded(where))
            .mark_text(align="left", fontWeight="bold")
            .encode(x=x, y=y, color=colour, text="law:N")
        )
    told = "; ".join(
        f"{law}: {100 * part.gain.iloc[0]:.1f} falling to {100 * part.gain.iloc[-1]:.1f} per cent"
        for law, part in data.groupby("law", sort=False)
    )
    return described(
        alt.layer(lines, *marks),
        "Line chart of the share of the error or loss that the next doubling of compute removes, "
        f"against the doublings so far. {told}.",
    )


def exponents(rows: pd.DataFrame) -> Any:
    """Printed allocation exponents beside those that alpha and beta imply.

    Parameters
    ----------
    rows : pandas.DataFrame
        Indexed by the name of the row; columns a, a_implied (may be missing).

    Returns
    -------
    altair.LayerChart
    """
    wide = rows[["a", "a_implied"]].rename_axis("row").reset_index()
    data = wide.melt("row", var_name="kind", value_name="value").dropna()
    kinds = {"a": "printed", "a_implied": "from α and β"}
    data = rounded(data.assign(kind=data.kind.map(kinds)))
    order = list(wide.row)
    scale = alt.Scale(domain=[0.3, 0.7], nice=False)
    title = "Exponent of the model size in compute, a"
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(format=".1f", tickCount=5))
    y = alt.Y("row:N", sort=order, title=None, axis=None, scale=alt.Scale(paddingOuter=0.6))
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(kinds.values()), range=[EPOCH.colour, OURS.colour]),
        legend=alt.Legend(title=None),
    )
    shape = alt.Shape(
        "kind:N", scale=alt.Scale(domain=list(kinds.values()), range=["diamond", "circle"])
    )
    size = alt.Size(
        "kind:N", scale=alt.Scale(domain=list(kinds.values()), range=[110, 45]), legend=None
    )
    half = alt.Chart(pd.DataFrame({"at": [0.5]})).mark_rule(color=QUIET, strokeDash=[2, 2]).encode(
        x=alt.X("at:Q", title=title, scale=scale)
    )  # fmt: skip
    span = (
        alt.Chart(rounded(wide.dropna()))
        .mark_rule(strokeWidth=2, opacity=0.4, color=RUNS.colour)
        .encode(x=alt.X("a:Q", title=title, scale=scale), x2="a_implied:Q", y=y)
    )
    points = (
        alt.Chart(data)
        .mark_point(filled=True, opacity=1)
        .encode(
            x=x, y=y, color=colour, shape=shape, size=size,
            tooltip=["row:N", "kind:N", alt.Tooltip("value:Q", format=".4f")],
        )
    )  # fmt: skip
    words = (
        alt.Chart(wide)
        .mark_text(align="left", dy=-13, fontSize=11, color=RUNS.colour)
        .encode(x=alt.value(2), y=y, text="row:N")
    )
    told = "; ".join(
        f"{one.row} {one.a:.3f}" + (f" against {one.a_implied:.3f}" if one.a_implied > 0 else "")
        for one in wide.itertuples()
    )
    return described(
        half + span + points + words,
        f"Dot plot of {len(order)} published exponents of the compute-optimal model size, and of "
        f"what each row's own alpha and beta imply. {told}.",
    ).properties(height=38 * len(order) + 90)


def cut_and_see(
    curves: pd.DataFrame, fits: pd.DataFrame, *, start: str, below: float, steps: Sequence[float]
) -> Any:
    """One learning curve of choice, fitted without its first points, and the forecasts.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns curve, examples_seen, error, in_fit.
    fits : pandas.DataFrame
        Columns curve, below (a stop of the slider), form (a key of `FORMS`), E, A, d, alpha, rms.
    start : str
        Curve shown first.
    below : float
        Stop at which the slider starts.
    steps : sequence of float
        Stops of the slider, evenly spaced.

    Returns
    -------
    altair.LayerChart
        Its parameter ``below`` is the slider and ``curve`` the menu.
    """
    names = list(dict.fromkeys(curves.curve))
    step = round(float(np.ptp(steps)) / (len(steps) - 1), 6)
    menu = alt.param(
        name="curve", value=start, bind=alt.binding_select(options=names, name="Curve ")
    )
    slider = alt.param(
        name="below", value=below,
        bind=alt.binding_range(
            min=min(steps), max=max(steps), step=step, name="Leave out errors from "
        ),
    )  # fmt: skip
    x = alt.X("examples_seen:Q", **_examples_axis((3e6, 1.3e10)))
    y = alt.Y("error:Q", **_error_axis((0.19, 1.45)))
    uses = ["fitted", "left out", "held out"]
    parts = [thinned(part, 30) for _, part in curves.groupby(["curve", "in_fit"], sort=False)]
    shown = rounded(pd.concat(parts)[["curve", "examples_seen", "error", "in_fit"]])
    points = (
        alt.Chart(shown)
        .transform_filter("datum.curve == curve")
        .transform_calculate(
            use="!datum.in_fit ? 'held out' : datum.error < below || below >= 1 "
            "? 'fitted' : 'left out'"
        )
        .mark_point(size=38, opacity=1, filled=True)
        .encode(
            x=x, y=y,
            color=alt.Color(
                "use:N",
                scale=alt.Scale(domain=uses, range=[RUNS.colour, RUNS.colour, EPOCH.colour]),
                legend=alt.Legend(title=None, symbolOpacity=1, orient="bottom"),
            ),
            shape=alt.Shape(
                "use:N", scale=alt.Scale(domain=uses, range=["circle", "cross", "diamond"])
            ),
        )
    )  # fmt: skip
    forms = list(dict.fromkeys(fits["form"]))
    colour, _ = by_role("form:N", {name: FORMS[name] for name in forms})
    chosen = alt.Chart(rounded(fits, 7)).transform_filter(
        f"datum.curve == curve && abs(datum.below - below) < {step / 2:g}"
    )
    low, high = np.log10(4e6), np.log10(1e10)
    drawn = (
        chosen.transform_calculate(k=f"sequence({low:.4f}, {high + 0.01:.4f}, 0.05)")
        .transform_flatten(["k"])
        .transform_calculate(examples_seen="pow(10, datum.k)")
        .transform_calculate(
            error="datum.form == 'saturating' "
            "? datum.A * pow(1 / datum.examples_seen + datum.d, datum.alpha) "
            ": datum.E + datum.A * pow(datum.examples_seen + datum.d, -datum.alpha)"
        )
        .transform_filter("datum.error <= 1.02")
    )
    seen = "datum.examples_seen <= datum.last"
    lines = [
        drawn.transform_filter(test)
        .mark_line(strokeWidth=2, strokeDash=dash, clip=True)
        .encode(x=x, y=y, color=colour)
        for test, dash in ((f"{seen} * 1.06", [1, 0]), (f"!({seen} * 0.94)", BEYOND))
    ]
    told = chosen.transform_calculate(read="datum.form + ': misses by ' + format(datum.rms, '.1%')")
    rows = {name: 12.0 + 17 * at for at, name in enumerate(forms)}
    place = "".join(f"datum.form == '{name}' ? {row} : " for name, row in rows.items()) + "0"
    readout = (
        told.transform_calculate(row=place)
        .mark_text(
            align="right", x=alt.ExprRef("width - 4"), baseline="middle", fontSize=12,
            fontWeight="bold",
        )
        .encode(y=alt.Y("row:Q", scale=None, axis=None), color=colour, text="read:N")
    )  # fmt: skip
    return described(
        alt.layer(*lines, points, readout)
        .add_params(menu, slider)
        .resolve_scale(color="independent", shape="independent"),
        f"Line chart on logarithmic axes of one of {len(names)} learning curves, chosen from a "
        f"menu, with {len(forms)} fitted forms drawn on to 10 billion examples. A slider leaves "
        "out of the fit the first points, those with the largest errors; the chart reads out by "
        "how much each form then misses the held-out part.",
    ).properties(height=HEIGHT + 80)
