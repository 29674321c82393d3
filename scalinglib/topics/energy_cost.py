"""Power, energy and money of training: how they grew, what a run takes, and on what that rests."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.compute import Bill, bill, device_hours
from scalinglib.datasets import load

CLAIMED: Final = {2020: (1.0, 1.0), 2023: (10.0, 50.0), 2025: (100.0, 500.0), 2030: (4e3, 16e3)}
"""Power of frontier training (MW), both ends, as a survey of 2026 tabulates it."""
DEVICES_A_SERVER: Final = 8
HOURS_A_YEAR: Final = 24 * 365
RUNNING: Final = ("power_share", "overhead", "pue", "grid", "price", "tariff")
"""The settings of `compute.bill`, as ``plan_defaults`` names them."""


def yearly(ratio: float, years: float) -> float:
    """Growth a year that makes a ratio in a number of years."""
    return math.pow(ratio, 1 / years)


def growth_between_rows() -> pd.DataFrame:
    """Growth a year between rows of the table: of like ends, and the least and most it allows.

    The last line spans the table up to 2025, the year from which it looks ahead.
    """
    years = list(CLAIMED)
    spans = [*pairwise(years), (years[0], 2025)]
    found = {}
    for first, then in spans:
        (low, high), (low_then, high_then) = CLAIMED[first], CLAIMED[then]
        ratios = {
            "low ends": low_then / low, "high ends": high_then / high,
            "middles": math.sqrt(low_then * high_then / (low * high)),
            "least": low_then / high, "most": high_then / low,
        }  # fmt: skip
        found[f"{first} to {then}"] = {
            name: yearly(ratio, then - first) for name, ratio in ratios.items()
        }
    return pd.DataFrame.from_dict(found, orient="index")


def homes(megawatts: float) -> float:
    """Homes in the United States whose mean electricity a power supplies."""
    return megawatts * 1e3 * HOURS_A_YEAR / published.value("eia2021/home")


def in_servers(devices: float, server: str) -> float:
    """Power (MW) of devices in servers that draw their maximum."""
    return devices * published.value(f"server power/{server}") / DEVICES_A_SERVER / 1e6


def known_runs() -> pd.DataFrame:
    """Power (MW) of runs that somebody measured, reported, or that their devices give.

    Columns run, year, power, basis.
    """
    devices = {
        "Falcon-180B": (2023, published.value("almazrouei2023/devices"), "DGX A100"),
        "GPT-4": (2023, published.value("semianalysis2023/GPT-4 devices"), "DGX A100"),
        "Llama 3.1 405B": (2024, published.value("grattafiori2024/devices"), "DGX H100"),
        "Llama 4 Behemoth": (2025, published.value("meta2025/Behemoth devices"), "DGX H100"),
    }
    # GShard and GPT-3 were published in 2020, the Switch Transformer in the first days of 2021.
    rows = [
        (name, 2020, one["energy"].value / (24 * one["days"].value), "energy over time")
        for name, one in published.groups("patterson2021").items()
    ]
    rows += [
        (name, year, in_servers(count, server), "devices in servers at their maximum")
        for name, (year, count, server) in devices.items()
    ]
    rows.append(("Grok", 2025, published.value("epoch2025power/Grok"), "as reported, upper end"))
    return pd.DataFrame(rows, columns=["run", "year", "power", "basis"])


def projected(start: float, growth: float, years: ArrayLike) -> Floats:
    """A quantity after some years of constant growth."""
    grown: Floats = start * np.power(growth, np.asarray(years, dtype=float))
    return grown


def efficiency_of_devices() -> pd.DataFrame:
    """Dense 16-bit FLOP per joule at rated power, of every device whose power is published."""
    devices = load("hardware").dropna(subset="power_W")
    return devices.assign(flops_per_joule=devices.peak_flops / devices.power_W)


def growth_of_efficiency(old: str, new: str) -> float:
    """Growth a year of FLOP per joule from one device to another, by their first years."""
    table = efficiency_of_devices().set_index("device")
    first, last = table.loc[old], table.loc[new]
    return yearly(
        float(last.flops_per_joule / first.flops_per_joule), float(last.year - first.year)
    )


def efficiencies() -> dict[str, float]:
    """Growth a year of compute per power, by who says so."""
    decade = published.values("epoch2024power/decade")
    return {
        "Epoch 2025": published.value("epoch2025efficiency/efficiency"),
        "Epoch, January 2025": published.value("epoch2024hardware/efficiency"),
        "data sheets, V100 to GB200": growth_of_efficiency("V100 SXM2 32GB", "GB200"),
        "data sheets, A100 to B200": growth_of_efficiency("A100 SXM 80GB", "B200"),
        "data sheets, A100 to H100": growth_of_efficiency("A100 SXM 80GB", "H100 SXM"),
        "Epoch 2024, hardware": yearly(decade["hardware"], 10),
        "Epoch 2024, hardware and fewer bits": yearly(decade["hardware"] * decade["precision"], 10),
    }


def assumed(**changed: float) -> dict[str, float]:
    """The settings of a bill at their defaults, apart from those given."""
    table = load("plan_defaults").set_index("setting").value
    return {name: float(changed.get(name, table[name])) for name in RUNNING}


def run_bill(C: float, *, device: str, utilisation: float, **changed: float) -> Bill:
    """What a training budget (FLOP) takes on one kind of device."""
    one = load("hardware").set_index("device").loc[device]
    hours = device_hours(C, peak=one.peak_flops, mfu=utilisation)
    return bill(hours, power=one.power_W, **assumed(**changed))


SWINGS: Final = {
    "energy": ("utilisation", "power_share", "overhead", "pue"),
    "tonnes": ("utilisation", "power_share", "overhead", "pue", "grid"),
    "rent": ("utilisation", "price"),
}
"""The settings on which each line of a bill depends."""


def swings() -> pd.DataFrame:
    """By what each setting moves each line of a bill, from one end of its range to the other.

    Columns line, setting, least, most: times what the defaults give. Every line is a product of
    its settings, so neither the budget nor the device matters.
    """
    table = load("plan_defaults").set_index("setting")
    rows = []
    for line, names in SWINGS.items():
        ends = {name: _ends(table.loc[name], name) for name in names}
        ends["all at once"] = np.prod(list(ends.values()), axis=0)
        rows += [(line, name, *pair) for name, pair in ends.items()]
    return pd.DataFrame(rows, columns=["line", "setting", "least", "most"])


def _ends(row: pd.Series[Any], name: str) -> Floats:
    """Both ends of a setting over its default; utilisation divides, the others multiply."""
    ends: Floats = np.array([row.low, row.high], dtype=float) / row.value
    return 1.0 / ends[::-1] if name == "utilisation" else ends


def halving_cost(alpha: float, beta: float) -> float:
    """Times the compute that halves the reducible loss along a compute-optimal frontier."""
    return math.pow(2.0, 1 / alpha + 1 / beta)


def years_to(ratio: float, growth: float) -> float:
    """Years of constant growth that make a ratio."""
    return math.log(ratio) / math.log(growth)
