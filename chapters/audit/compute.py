"""Claims about how compute is counted, and what devices deliver."""

from __future__ import annotations

from typing import Final

import numpy as np

import scalinglib as sl
from scalinglib import published
from scalinglib.architecture import LOOKUPS
from scalinglib.compute import (
    FLOPS_PER_PARAM_TOKEN,
    SECONDS_PER_HOUR,
    device_hours,
    flops_utilisation,
    training_budget,
)
from scalinglib.topics import compute

from . import Readings, settles

GPUS: Final = 64
HOURS: Final = 14 * 24
UTILISATION: Final = 0.5
"""Devices, hours and share of the peak in the listing of article 4, lines 84 to 89."""
LISTED_PEAK: Final = 312e12
"""FLOP/s of one device, line 87 of the same listing."""
SEASON: Final = {"hours": 90 * 24, "mfu": 0.4}
"""The "months" of article 4, line 78: a season, at the utilisation that its line 94 begins with."""
CLUSTER: Final = 1e5
"""Devices of the clusters of article 4, line 78."""


@settles("A004")
def units_of_compute() -> Readings:
    """Kaplan's unit in FLOP, and the compute of GPT-3 in the two units of one table."""
    flop, days = (published.value(f"brown2020/GPT-3 {unit}") for unit in ("compute", "PF-days"))
    return {
        "FLOP in a PF-day over those printed": sl.PF_DAY / published.value("kaplan2020/PF-day"),
        "GPT-3 in FLOP over GPT-3 in PF-days, as FLOP": flop / (days * sl.PF_DAY),
    }


@settles("A125")
def count_over_the_rule() -> Readings:
    """FLOP counted by operation over 6ND: the six models of Table A4, and where the rule fails."""
    vocabulary = published.value("hoffmann2022/vocabulary")
    table = compute.as_printed(sl.load("chinchilla_architectures"))
    shapes = compute.shapes_of(table)
    sizes = shapes.params(vocabulary=vocabulary, projections=5)
    neither = shapes.ratio_to_6nd(sizes, leave_out=LOOKUPS)
    logits = shapes.ratio_to_6nd(sizes, leave_out=("embedding",))
    millions = table.reported_params_millions.tolist()
    rows = {
        label: millions.index(size)
        for label, size in published.values("hoffmann2022/FLOP ratio, size").items()
    }
    gopher = compute.shape("hoffmann2022/shape/Gopher")
    size = gopher.params(vocabulary=vocabulary, projections=5)
    long = gopher.ratio_to_6nd(size, context=2**17, leave_out=("embedding",))
    return {
        f"counted as in Table A4, {label}": float(neither[row]) for label, row in rows.items()
    } | {
        "with the output layer, 73M": float(logits[rows["73M"]]),
        "with the output layer, 6.8B": float(logits[rows["6.8B"]]),
        "with the output layer, Gopher at a context of 131,072": float(np.ravel(long)[0]),
    }


def devices_for(flops: float, device: str) -> float:
    """Devices that deliver a training compute within a season."""
    peak = published.value(f"peak/{device}")
    return float(device_hours(flops, peak=peak, mfu=SEASON["mfu"])) / SEASON["hours"]


@settles("D063")
def fleets_of_today() -> Readings:
    """Devices for the two ends of the range of article 4, line 78."""
    return {
        "H100 for 1e25 FLOP in a season": devices_for(1e25, "H100"),
        "A100 for 1e25 FLOP in a season": devices_for(1e25, "A100"),
        "H100 for 1e26 FLOP in a season": devices_for(1e26, "H100"),
    }


@settles("D064")
def fleets_of_tomorrow() -> Readings:
    """What a hundred thousand devices deliver in a season, and how many 1e27 FLOP take."""
    found: dict[str, float] = {}
    for device in ("H100", "B200"):
        peak = published.value(f"peak/{device}")
        budget = training_budget(CLUSTER, peak=peak, **SEASON)
        found[f"FLOP of 100,000 {device} in a season"] = float(budget)
        found[f"{device} for 1e27 FLOP in a season"] = devices_for(1e27, device)
    return found


def listed_seconds(hours: float) -> float:
    """Line 82 of article 4: hours times 3600."""
    return hours * 3600


def listed_budget() -> float:
    """Lines 80 to 89 of article 4: devices times peak times utilisation times seconds."""
    return GPUS * LISTED_PEAK * UTILISATION * listed_seconds(HOURS)


@settles("D065")
def seconds_of_the_listing() -> Readings:
    """The listing's seconds for two weeks, and over what the library takes them to be."""
    seconds = listed_seconds(HOURS)
    return {
        "seconds in 336 hours, by the listing": seconds,
        "the same over those of the library": seconds / (HOURS * SECONDS_PER_HOUR),
    }


@settles("D066", "D068")
def budget_of_the_listing() -> Readings:
    """What the listing computes, beside the library and as it prints it."""
    plan = training_budget(GPUS, HOURS, peak=published.value("peak/A100"), mfu=UTILISATION)
    return {
        "budget of the listing in FLOP": listed_budget(),
        "budget of the listing over that of the library": listed_budget() / float(plan),
        "budget as the listing prints it": float(f"{listed_budget():.2e}"),
    }


@settles("D067")
def peak_of_the_listing() -> Readings:
    """Dense peak of an A100 in bfloat16, by its maker, over the listing's."""
    return {"peak by the data sheet over the listing's": published.value("peak/A100") / LISTED_PEAK}


def mpt_utilisation(size: str) -> float:
    """MFU of a short benchmark on eight A100."""
    return published.value(f"mosaicml2023/benchmark/{size}/mfu") / 100


@settles("D085")
def half_of_the_peak() -> Readings:
    """What the listing's utilisation is beside measured ones."""
    palm = published.value("model FLOPs utilisation/PaLM 540B") / 100
    plan = training_budget(GPUS, HOURS, peak=LISTED_PEAK, mfu=palm)
    return {
        "budget of the listing over that at PaLM's utilisation": listed_budget() / float(plan),
        "utilisation of a 7B model on eight A100": mpt_utilisation("7B"),
    }


@settles("D071")
def utilisation_of_palm() -> Readings:
    """PaLM's MFU by its definition, in percent, with and without attention."""
    run = published.values("chowdhery2022/run")
    per_token = compute.shape("chowdhery2022/shape/PaLM").operations()
    weights = FLOPS_PER_PARAM_TOKEN * run["params"]
    scores = FLOPS_PER_PARAM_TOKEN / 2 * float(per_token["scores"] + per_token["mix"])
    peak = published.value("peak/TPU v4")
    by = {
        flops: 100 * float(flops_utilisation(
            run["tokens_per_second"], flops, devices=run["chips"], peak=peak
        ))
        for flops in (weights, weights + scores)
    }  # fmt: skip
    return {
        "PaLM's MFU without attention, percent": by[weights],
        "PaLM's MFU, percent": by[weights + scores],
    }


@settles("D072")
def utilisation_in_practice() -> Readings:
    """MFU in percent: long runs by their reports, short benchmarks, and one whole project."""
    reports = published.values("model FLOPs utilisation")
    named = {name: share for name, share in reports.items() if name.startswith(("PaLM", "Llama"))}
    hours = published.value("grattafiori2024/GPU hours")
    done = sl.training_flops(*published.row("model/Llama 3.1 405B"))
    whole = float(done) / (hours * SECONDS_PER_HOUR * published.value("peak/H100"))
    return {f"MFU of {name}": share for name, share in named.items()} | {
        "MFU of MPT 3B on eight A100": 100 * mpt_utilisation("3B"),
        "MFU of MPT 7B on eight A100": 100 * mpt_utilisation("7B"),
        "MFU of Llama 3.1 405B over the whole project": 100 * whole,
    }
