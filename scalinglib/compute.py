"""Training compute: FLOP, its units, the devices that deliver it, and what their time takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, positive, share

PF_DAY = 8.64e19
"""FLOP in one petaFLOP/s-day: 1e15 FLOP/s for 86,400 s (Kaplan et al. 2020, Sec. 1.3)."""

FLOPS_PER_PARAM_TOKEN = 6.0
"""FLOP per parameter and token: two in the forward pass, four in the backward pass."""

FLOPS_PER_SERVED_TOKEN = 2
"""FLOP per parameter and token read or written in use: a forward pass only."""

SERVED_PER_TRAINED = FLOPS_PER_PARAM_TOKEN / FLOPS_PER_SERVED_TOKEN
"""Tokens served at the cost of one trained."""

SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Bill:
    """What device-hours take: energy of the site (kWh), CO2 equivalent (tonnes), dollars.

    Rent includes electricity, which is what an owner of the devices would pay for it.
    """

    hours: Floats
    energy: Floats
    tonnes: Floats
    rent: Floats
    electricity: Floats


def training_flops(N: ArrayLike, D: ArrayLike) -> Floats:
    """Training compute of a dense transformer, C = 6 N D.

    Parameters
    ----------
    N : array_like
        Parameters (count). Integers are converted to float64 first: 6 N D leaves the range
        of 64-bit integers at the size of today's models.
    D : array_like
        Training tokens (count); broadcast against `N`.

    Returns
    -------
    ndarray of float64
        FLOP; a scalar for scalar input.

    Raises
    ------
    DataError
        If `N` or `D` is not positive.

    References
    ----------
    Kaplan et al. 2020, "Scaling Laws for Neural Language Models", Sec. 2.1.

    Examples
    --------
    >>> print(f"{training_flops(70e9, 1.4e12):.3g}")
    5.88e+23
    """
    return FLOPS_PER_PARAM_TOKEN * positive("N", N) * positive("D", D)


def pf_days(C: ArrayLike) -> Floats:
    """Convert training compute from FLOP to petaFLOP/s-days.

    Parameters
    ----------
    C : array_like
        Compute (FLOP).

    Returns
    -------
    ndarray of float64
        PF-days; a scalar for scalar input.

    Raises
    ------
    DataError
        If `C` is not positive.

    References
    ----------
    Kaplan et al. 2020, Sec. 1.3.

    Examples
    --------
    >>> print(f"{pf_days(5.76e23):.1f}")
    6666.7
    """
    return positive("C", C) / PF_DAY


def training_budget(
    devices: ArrayLike, hours: ArrayLike, *, peak: ArrayLike, mfu: ArrayLike
) -> Floats:
    """Training compute (FLOP) that devices deliver in a number of hours.

    `peak` is the dense throughput of one device (FLOP/s) in the precision of the training, `mfu`
    the share of it that reaches the model (Chowdhery et al. 2022, Sec. 4.1).
    """
    rate = positive("devices", devices) * positive("peak", peak) * share("mfu", mfu)
    return rate * positive("hours", hours) * SECONDS_PER_HOUR


def device_hours(C: ArrayLike, *, peak: ArrayLike, mfu: ArrayLike) -> Floats:
    """Device-hours that a budget (FLOP) takes; the inverse of `training_budget`."""
    rate = positive("peak", peak) * share("mfu", mfu)
    return positive("C", C) / (rate * SECONDS_PER_HOUR)


def bill(
    hours: ArrayLike, *, power: ArrayLike, power_share: float, overhead: float, pue: float,
    grid: float, price: float, tariff: float,
) -> Bill:  # fmt: skip
    """What device-hours take.

    `power` is the rated power of one device (W), `power_share` the part of it that is drawn,
    `overhead` the power of a server and its network over that of its devices, `pue` the energy of
    the site over that of its servers; `grid` is kg of CO2 equivalent per kWh, `price` dollars per
    device-hour, `tariff` dollars per kWh.
    """
    time = positive("hours", hours)
    kilowatts = positive("power", power) / 1e3 * power_share * overhead * pue
    energy = time * kilowatts
    return Bill(time, energy, energy * grid / 1e3, time * price, energy * tariff)


def flops_utilisation(
    tokens_per_second: ArrayLike,
    flops_per_token: ArrayLike,
    *,
    devices: ArrayLike,
    peak: ArrayLike,
) -> Floats:
    """Model FLOPs utilisation (MFU), the share of the peak (FLOP/s a device) that the model gets.

    `flops_per_token` is 6 N and what else is credited; work done twice to save memory is not, which
    is the difference from hardware utilisation (Chowdhery et al. 2022, Sec. 4.1 and App. B).
    """
    spent = positive("tokens_per_second", tokens_per_second) * positive(
        "flops_per_token", flops_per_token
    )
    return spent / (positive("devices", devices) * positive("peak", peak))


def fixed_ratio_split(C: ArrayLike, tokens_per_param: ArrayLike = 20.0) -> tuple[Floats, Floats]:
    """Parameters and tokens of a budget C = 6 N D (FLOP) at a given ratio D / N."""
    ratio = positive("tokens_per_param", tokens_per_param)
    N = np.sqrt(positive("C", C) / (FLOPS_PER_PARAM_TOKEN * ratio))
    return N, ratio * N
