"""Whether the exponents of a published allocation table agree with each other.

A study that fits L = E + A N^-alpha + B D^-beta and reports N* ~ C^a, D* ~ C^b and D* ~ N^d has
printed the same facts several times: for compute proportional to N D they follow from alpha and
beta. The checks here allow for the rounding of what was printed, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, positive
from scalinglib.errors import DataError
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.power import PowerLaw
from scalinglib.laws.saturating import ShiftedPowerLaw
from scalinglib.optimum import compute_optimal, reducible_exponent
from scalinglib.published import Reported

IMPLIED: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "a": lambda alpha, beta: beta / (alpha + beta),
        "b": lambda alpha, beta: alpha / (alpha + beta),
        "d": lambda alpha, beta: alpha / beta,
        "N/D": lambda alpha, beta: (beta - alpha) / (alpha + beta),
    }
)
"""What alpha and beta say about each printed exponent (Hoffmann et al. 2022, Eq. 4)."""


@dataclass(frozen=True, slots=True)
class ExponentCheck:
    """A printed number beside what other printed numbers make of it.

    `low` and `high` bound the implied value over all inputs that round to the printed ones.
    """

    printed: Reported
    implied: float
    low: float
    high: float

    @property
    def agrees(self) -> bool:
        """Whether rounding alone can explain the difference."""
        half = self.printed.half_unit * (1 + 1e-9)
        return self.low - half <= self.printed.value <= self.high + half


def check_exponent(
    printed: Reported, rule: Callable[..., float], *inputs: Reported
) -> ExponentCheck:
    """Compute a printed number from others, with the range that their rounding leaves.

    `rule` is a function of the inputs, monotone in each of them.
    """
    if not inputs:
        raise DataError("inputs must hold at least one printed number to compute from.")
    ends = [(one.value - one.half_unit, one.value + one.half_unit) for one in inputs]
    corners = [rule(*corner) for corner in product(*ends)]
    return ExponentCheck(printed, rule(*(one.value for one in inputs)), min(corners), max(corners))


def check_row(
    row: Mapping[str, Reported], *, ratio: Reported | None = None
) -> dict[str, ExponentCheck]:
    """Check the exponents of one row of an allocation table against its alpha and beta.

    `row` holds alpha, beta, and any of a, b, d; `ratio` is the printed exponent of N*/D*, which
    comes out as "N/D".
    """
    for name in ("alpha", "beta"):
        if name not in row:
            raise DataError(f"the row has no {name}; give the printed alpha and beta.")
    printed = {**row, **({"N/D": ratio} if ratio is not None else {})}
    return {
        name: check_exponent(printed[name], rule, row["alpha"], row["beta"])
        for name, rule in IMPLIED.items()
        if name in printed
    }


def loss_of_slope(E: float, reducible: float, slope: float) -> float:
    """Total loss at which a law with a floor E has a given slope on log-log axes, sign turned.

    The slope is the exponent of the reducible part times its share of the loss.
    """
    if not 0 < slope < reducible:
        raise DataError(f"slope must lie between 0 and {reducible:g}, got {slope:g}.")
    return E / (1 - slope / reducible)


def frontier_law(law: ChinchillaLaw) -> PowerLaw:
    """The loss along the compute-optimal frontier of C = 6 N D as a power law of C (FLOP).

    E + A C^-gamma with gamma = alpha beta / (alpha + beta); Hoffmann et al. 2022, Eq. 4.
    """
    excess = float(compute_optimal(law, 1.0).loss) - law.E
    return PowerLaw(A=excess, alpha=reducible_exponent(law), E=law.E)


def scale_for(law: ShiftedPowerLaw, value: float) -> float:
    """Scale at which a law that saturates at both ends reaches a value.

    Infinite at or below the floor, zero at or above the ceiling.
    """
    if value <= law.E:
        return float("inf")
    return max(float((law.A / (value - law.E)) ** (1 / law.alpha)) - law.d, 0.0)


@dataclass(frozen=True, slots=True)
class VisionTower:
    """A vision encoder that grows with its decoder, N_v = slope N + intercept.

    Compute is 6 D (N + share N_v) when a share of the D tokens also passes the encoder. Unless
    the intercept is zero, compute is not proportional to N D, and a + b need not be one.
    """

    share: float
    slope: float
    intercept: float

    @classmethod
    def of_models(
        cls, total: ArrayLike, *, widths: ArrayLike, layers: int, share: float
    ) -> tuple[VisionTower, Floats]:
        """The line through the sizes of encoders, and the parameters of the decoders.

        From the parameters of both together and the width of each encoder, of which a layer has
        12 widths squared.
        """
        size = positive("total", total)
        encoder = 12.0 * layers * positive("widths", widths) ** 2
        if size.shape != encoder.shape or (encoder >= size).any():
            raise DataError("every model needs one width, of an encoder smaller than the model.")
        decoder = size - encoder
        if len(np.unique(decoder)) < 2:
            raise DataError("give the encoder's size for at least two different decoders.")
        slope, intercept = np.polyfit(decoder, encoder, 1)
        tiny = abs(intercept) < 1e-9 * decoder.max()
        return cls(share, float(slope), 0.0 if tiny else float(intercept)), decoder

    def elasticity(self, N: ArrayLike) -> Floats:
        """Percent of compute per token that one percent more of a decoder of N costs."""
        grows = (1 + self.share * self.slope) * positive("N", N)
        return grows / (grows + self.share * self.intercept)

    def exponents(self, N: ArrayLike, *, alpha: float, beta: float) -> tuple[Floats, Floats]:
        """Local exponents a and b in compute of the best decoder, at size N, and its tokens.

        At the optimum alpha A N^-alpha = eps beta B D^-beta with the elasticity eps, and
        d ln eps / d ln N = 1 - eps. Differentiating along the frontier gives a, and b = 1 - eps a.
        """
        eps = self.elasticity(N)
        a = beta / (alpha + beta * eps + 1 - eps)
        return a, 1 - eps * a
