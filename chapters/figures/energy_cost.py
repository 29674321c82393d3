"""Pictures of power, efficiency and cost of training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
    VIOLET,
    apart,
    at,
    axis,
    compute_axis,
    described,
    hues,
    label,
    log_axis,
    menu,
    point_names,
    readout,
    rounded,
    row_names,
    rows,
    size_label,
    slider,
    tooltips,
)
from scalinglib.compute import SECONDS_PER_HOUR

POWER = "datum.value < 1000 ? format(datum.value, '~r') + ' MW' : datum.value / 1000 + ' GW'"
DOLLARS = "'$' + replace(format(datum.value, '~s'), 'G', 'B')"
TIMES = "format(datum.value, '~r') + '×'"


def power(
    known: pd.DataFrame, claimed: Mapping[int, tuple[float, float]], fan: pd.DataFrame, *,
    capacity: float, beside: Iterable[str],
) -> Any:  # fmt: skip
    """Power of training runs (MW) against the year.

    `known` has columns run, year, power, basis; `claimed` both ends by year; `fan` year, low, high
    of an extrapolation; `capacity` (MW) is a line across. The runs in `beside` have their names at
    the left.
    """
    left = list(beside)
    x = alt.X("year:Q", **axis("Year", (2018.4, 2031.2), format="d",
                               values=[2020, 2022, 2024, 2026, 2028, 2030]))  # fmt: skip
    y = alt.Y("power:Q", **log_axis("Power of one training run", (0.1, 3e5), labelExpr=POWER))
    bars = pd.DataFrame(
        [{"year": year, "power": low, "high": high} for year, (low, high) in claimed.items()]
    )
    # A row without a range would vanish; it is drawn as wide as the word "about" allows.
    bars.loc[bars.power == bars.high, ["power", "high"]] *= [0.8, 1.25]
    span = alt.Chart(bars).mark_rule(strokeWidth=11, opacity=0.5, color=OCHRE)
    span = span.encode(x=x, y=y, y2="high:Q", tooltip=tooltips("year:Q", "power:Q", "high:Q"))
    ahead = alt.Chart(rounded(fan.rename(columns={"low": "power"}), 7))
    wedge = ahead.mark_area(opacity=0.25, color=OURS.colour).encode(x=x, y=y, y2="high:Q")
    points = alt.Chart(rounded(known)).mark_circle(size=70, color=RUNS.colour, opacity=1)
    points = points.encode(
        x=x, y=y, tooltip=tooltips("run:N", "year:Q", ("power:Q", ".3~r", "MW"), "basis:N")
    )
    told = known.assign(
        power=known.groupby("year").power.transform(lambda one: apart(list(one), 1.9))
    )
    names = [
        point_names(rounded(told[inside]), "run:N", x, y, color=RUNS.colour, style="note", **look)
        for inside, look in (
            (~told.run.isin(left), {"align": "left", "dx": 9}),
            (told.run.isin(left), {"align": "right", "dx": -9}),
        )
    ]
    line = at(power=capacity).mark_rule(style="end").encode(y=y)
    words = [
        label("power plants of California", x, y, (2018.7, capacity * 1.5), style="word"),
        label("survey", x, y, (2022.6, 75), color=OCHRE, align="right"),
        label("growth of the past", x, y, (2027.3, 2.6e3), color=OURS.colour, align="right"),
    ]
    return described(
        alt.layer(line, wedge, span, points, *names, *words),
        "Power of training runs against the year, on a logarithmic axis from 0.1 megawatts. Bars "
        "show the ranges of a survey: 1 MW in 2020, 10 to 50 in 2023, 100 to 500 in 2025 and 4 to "
        "16 GW in 2030. Points are runs by accounts, devices or reports; in 2020 they scatter from "
        "0.3 to 3.6 MW, in 2025 they reach 150. A wedge continues past growth to 2030 and ends "
        f"between {fan.low.max() / 1e3:.1f} and {fan.high.max() / 1e3:.1f} GW.",
        height=HEIGHT + 40,
    )


def efficiency(devices: pd.DataFrame, *, start: str, rates: Mapping[str, float]) -> Any:
    """FLOP per joule of devices by their first year, with growth at named rates from one of them.

    `devices` has columns device, maker, year, flops_per_joule.
    """
    table = devices[["device", "maker", "year"]].assign(speed=devices.flops_per_joule / 1e12)
    table["short"] = table.device.str.replace(" SXM.*", "", regex=True)
    table = table.drop_duplicates("short", keep="last")
    x = alt.X("year:Q", **axis("First year", (2016.5, 2029), format="d",
                               values=[2017, 2019, 2021, 2023, 2025]))  # fmt: skip
    y = alt.Y("speed:Q", **log_axis("Dense 16-bit speed per power (TFLOP per joule)", (0.3, 11),
                                    values=[0.5, 1, 2, 5, 10], label="plain"))  # fmt: skip
    one = table[table.device == start].iloc[0]
    years = np.arange(one.year, 2026.01)
    paths = pd.concat(
        [
            pd.DataFrame(
                {"rate": name, "year": years, "speed": one.speed * rate ** (years - one.year)}
            )
            for name, rate in rates.items()
        ],
        ignore_index=True,
    )
    colours = hues("rate:N", dict(zip(rates, (OURS, OCHRE, VIOLET), strict=False)))
    base = alt.Chart(rounded(paths)).encode(x=x, y=y, color=colours)
    lines = base.mark_line(strokeWidth=2, strokeDash=list(BEYOND))
    told = point_names(rounded(paths.groupby("rate", sort=False).tail(1)), "rate:N", x, y,
                       color=colours, dx=6)  # fmt: skip
    points = alt.Chart(rounded(table)).mark_circle(size=70, color=RUNS.colour, opacity=1)
    points = points.encode(x=x, y=y, tooltip=tooltips("device:N", "year:Q", ("speed:Q", ".3~r")))
    names = point_names(
        rounded(_together(table)), "short:N", x, y, color=RUNS.colour, style="note", dx=7, dy=11
    )
    return described(
        alt.layer(lines, told, points, names),
        "Dense 16-bit FLOP per joule of accelerators against the year in which they were first "
        f"sold, from {table.speed.min():.2f} to {table.speed.max():.2f} TFLOP per joule. Broken "
        f"lines start at the {one.short} and grow at {', '.join(rates)} a year; the points of 2025 "
        "lie on the lowest.",
    )


def _together(devices: pd.DataFrame, *, near: float = 1.15) -> pd.DataFrame:
    """One name for devices of a year whose points nearly coincide, at the lowest of them."""
    ordered = devices.sort_values(["year", "speed"], kind="stable")
    steps = (ordered.year.diff() != 0) | (ordered.speed.pct_change() > near - 1)
    return ordered.groupby(steps.cumsum()).agg(
        {"year": "first", "speed": "first", "short": ", ".join}
    )


def swings(moves: pd.DataFrame) -> Any:
    """By what each setting moves a line of a bill over its range.

    Columns line, name, least, most (times the default); in the order in which they are shown.
    """
    data = moves.assign(row=moves.line + ": " + moves.name)
    data["read"] = [f"{a:.2g} to {b:.2g}" for a, b in zip(data.least, data.most, strict=True)]
    x = alt.X("least:Q", **log_axis("Times the bill at the defaults", (0.02, 11), labelExpr=TIMES,
                                    values=[0.03, 0.1, 0.3, 1, 3, 10]))  # fmt: skip
    y = rows("row:N", data.row, padding=0.4)
    colour = hues("line:N", dict(zip(dict.fromkeys(data.line), (OURS, OCHRE), strict=True)))
    base = alt.Chart(rounded(data, 4)).encode(y=y)
    bars = base.mark_bar(height=9, opacity=0.85).encode(
        x=x, x2="most:Q", color=colour, tooltip=tooltips("row:N", ("read:N", "", "times"))
    )
    one = at(at=1.0).mark_rule(style="quiet").encode(x=alt.X("at:Q", scale=x["scale"]))
    read = base.mark_text(style="number", align="right", dy=-14).encode(
        x=alt.value("width"), text="read:N"
    )
    return described(
        alt.layer(one, bars, row_names(base, "row:N"), read),
        "Bars show by what each assumption moves the carbon dioxide and the rent of a run, from "
        "one end of its range to the other. The electricity of the place moves the carbon most, "
        "the price of a device-hour the rent. "
        + "; ".join(f"{one.row} {one.read} times" for one in data.itertuples())
        + ".",
        height=44 * len(data),
    )


def bill(devices: pd.DataFrame, settings: pd.DataFrame, *, start: float) -> Any:
    """Rent and electricity against the budget, with every assumption on a slider.

    `devices` has columns device, peak_flops, power_W, the device of the start first; `settings`
    is indexed by setting: value, low, high, step, words. `start` is a budget (FLOP).
    """
    kinds = {"rent": OURS.colour, "electricity": OCHRE}
    x = alt.X("C:Q", **compute_axis((1e18, 1e27), step=3))
    y = alt.Y("dollars:Q", **log_axis("Dollars", (1, 1e17), values=[10.0**k for k in (0, 3, 6, 9)],
                                      labelExpr=DOLLARS))  # fmt: skip
    colour = hues("kind:N", kinds)
    ends = pd.DataFrame({"C": [1e18, 1e27]})
    lines = [
        _priced(devices.merge(ends, how="cross"), kind).mark_line(strokeWidth=2.5, clip=True)
        .encode(x=x, y=y, color=colour)
        for kind in kinds
    ]  # fmt: skip
    here = [
        _priced(devices, kind, C="pow(10, log_C)").mark_circle(style="dot")
        .encode(x=x, y=y, color=colour)
        for kind in kinds
    ]  # fmt: skip
    table = [
        mark
        for row, (what, amount) in enumerate(_LINES.items())
        for mark in readout(
            _counted(devices.assign(row=18 + 18 * row, what=what), C="pow(10, log_C)")
            .transform_calculate(amount=amount).transform_calculate(read=size_label("datum.amount")),
            [("what", "", 0.02, "left"), ("read", "", 0.98, "right")],
        )
    ]  # fmt: skip
    words = [
        label(kind, x, y, (place, height), color=kinds[kind], align=align)
        for kind, place, height, align in (
            ("rent", 3e20, 8e3, "right"), ("electricity", 3e24, 8e3, "left"),
        )
    ]  # fmt: skip
    log_start = round(float(np.log10(start)), 2)
    sliders = [slider("log_C", log_start, (18, 27, 0.02), "Training compute")] + [
        slider(str(name), one.value, (one.low, one.high, one.step), one.words)
        for name, one in settings.iterrows()
    ]
    return described(
        alt.layer(*lines, *here, *words, *table).add_params(
            menu("device", devices.device, "Device"), *sliders
        ),
        "Line chart of the dollars that a training budget takes, as rent of devices and as "
        "electricity alone. A menu chooses the device; sliders set the budget, the utilisation, "
        "the share of rated power, what servers and site add, the carbon of the electricity, the "
        "rent and the tariff. A table reads out device-hours, kilowatt-hours, tonnes and dollars.",
        height=HEIGHT + 130,
    )


_LINES = {
    "device-hours": "datum.hours",
    "electricity, kWh": "datum.energy",
    "CO₂ equivalent, kg": "datum.energy * grid",
    "rent, $": "datum.hours * price",
    "electricity alone, $": "datum.energy * tariff",
}


def _counted(data: pd.DataFrame, *, C: str = "datum.C") -> alt.Chart:
    """Device-hours and energy (kWh) of the device in the menu: `compute.bill` as Vega has it."""
    return (
        alt.Chart(data)
        .transform_filter("datum.device == device")
        .transform_calculate(C=C)
        .transform_calculate(
            hours=f"datum.C / (datum.peak_flops * utilisation * {SECONDS_PER_HOUR:g})"
        )
        .transform_calculate(
            energy="datum.hours * datum.power_W / 1000 * power_share * overhead * pue"
        )
    )


def _priced(data: pd.DataFrame, kind: str, *, C: str = "datum.C") -> alt.Chart:
    """One kind of dollars."""
    amount = {"rent": "datum.hours * price", "electricity": "datum.energy * tariff"}[kind]
    return _counted(data.assign(kind=kind), C=C).transform_calculate(dollars=amount)
