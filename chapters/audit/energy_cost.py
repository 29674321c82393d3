"""Claims about the power, energy and cost of training."""

from __future__ import annotations

import math

from scalinglib import published
from scalinglib.topics.energy_cost import CLAIMED, homes, in_servers, yearly

from . import Readings, settles

FIRST, NOW, THEN = 2020, 2025, 2030
"""The first row of that table, and the two from which article 1, line 93, looks ahead."""
MEGA, GIGA = 1e6, 1e9


def middle(year: int) -> float:
    """Geometric middle of a row of the table (MW)."""
    low, high = CLAIMED[year]
    return math.sqrt(low * high)


def on_boards(devices: float, device: str) -> float:
    """Power (MW) of the boards of devices alone."""
    return devices * published.value(f"power/{device}") / MEGA


@settles("A110")
def growth_of_power() -> Readings:
    """Growth of power a year: as estimated, and between the rows of the article's table."""
    years = THEN - NOW
    (low, high), (low_then, high_then) = CLAIMED[NOW], CLAIMED[THEN]
    return {
        "growth by Epoch in 2024": published.value("epoch2024power/growth"),
        "growth by Epoch and EPRI in 2025": published.value("epoch2025power/growth"),
        "growth from 2025 to 2030, low ends of the rows": yearly(low_then / low, years),
        "growth from 2025 to 2030, high ends of the rows": yearly(high_then / high, years),
        "growth from 2020 to 2025, middle of the rows": yearly(
            middle(NOW) / middle(FIRST), NOW - FIRST
        ),
    }


@settles("A111")
def power_in_2030() -> Readings:
    """The forecast as printed, and what past growth makes of the power of today (GW)."""
    today = published.value("epoch2025power/largest run") * MEGA / GIGA
    forecast = published.values("epoch2025power/forecast")
    return {f"forecast, {end} end": power for end, power in forecast.items()} | {
        f"today's largest run at growth {source}": today
        * published.value(f"{key}/growth") ** (THEN - NOW)
        for source, key in (("of 2024", "epoch2024power"), ("of 2025", "epoch2025power"))
    }


def by_data_sheets() -> float:
    """Growth a year of dense 16-bit FLOP per joule, from the A100 to the B200."""
    old, new = (
        published.value(f"peak/{one}") / published.value(f"power/{one}") for one in ("A100", "B200")
    )
    years = published.value("sold from/B200") - published.value("sold from/A100")
    return yearly(new / old, years)


def efficiencies() -> dict[str, float]:
    """Growth a year of the energy efficiency of accelerators, by who says so."""
    return {
        "Epoch": published.value("epoch2025efficiency/efficiency"),
        "an earlier page of Epoch": published.value("epoch2024hardware/efficiency"),
        "data sheets, A100 to B200": by_data_sheets(),
    }


@settles("A118")
def growth_of_efficiency() -> Readings:
    """Growth of energy efficiency a year."""
    return {f"growth of efficiency, {who}": rate for who, rate in efficiencies().items()}


@settles("A119")
def demand_against_efficiency() -> Readings:
    """Growth of compute, at the low end of its estimates, over that of efficiency."""
    demand = published.value("epoch2024compute/growth/low")
    return {
        f"growth of compute over that of efficiency, {who}": demand / rate
        for who, rate in efficiencies().items()
    }


@settles("A134")
def growth_of_compute() -> Readings:
    """Growth of training compute a year, by each of the estimates."""
    return {
        "growth of compute, low end": published.value("epoch2024compute/growth/low"),
        "growth of compute, high end": published.value("epoch2024compute/growth/high"),
        "growth of compute since 2010": published.value("epoch2024trend/growth"),
        "growth of compute, beside power": published.value("epoch2024power/growth of compute"),
    }


@settles("A112", "A117")
def homes_supplied() -> Readings:
    """Homes that the power of 2030 would supply, at both ends."""
    ends = dict(zip(("low", "high"), CLAIMED[THEN], strict=True))
    return {f"homes at the {end} end": homes(power) for end, power in ends.items()}


@settles("A113")
def capacity_of_california() -> Readings:
    """Capacity of the power plants in California at the end of 2022 (GW)."""
    return {"capacity of California": published.value("cec2024/capacity") * MEGA / GIGA}


@settles("A114")
def power_of_2020() -> Readings:
    """Mean power of runs of 2020 in one table, energy over time (MW)."""
    runs = published.groups("patterson2021")
    return {
        f"power of {name}": run["energy"].value / (24 * run["days"].value)
        for name, run in runs.items()
    }


@settles("A115")
def power_of_2023() -> Readings:
    """Power of two of the largest runs published in 2023 (MW)."""
    gpt_4 = published.value("semianalysis2023/GPT-4 devices")
    return {
        "power of GPT-4, servers at their maximum": in_servers(gpt_4, "DGX A100"),
        "power of GPT-4, boards of its devices": on_boards(gpt_4, "A100"),
        "power of Falcon-180B, servers at their maximum": in_servers(
            published.value("almazrouei2023/devices"), "DGX A100"
        ),
    }


@settles("A116")
def power_of_2025() -> Readings:
    """Power of runs of 2025: two statements, and one from its devices (MW)."""
    behemoth = published.value("meta2025/Behemoth devices")
    return {
        "power that the largest runs exceed": published.value("epoch2025power/largest run"),
        "power of Grok, upper end": published.value("epoch2025power/Grok"),
        "power of Llama 4 Behemoth, servers at their maximum": in_servers(behemoth, "DGX H100"),
    }


@settles("A121")
def cost_of_gpt_4() -> Readings:
    """What GPT-4 cost to train, by who estimates it (dollars)."""
    return {f"cost of GPT-4, {who}": cost for who, cost in published.values("GPT-4 cost").items()}
