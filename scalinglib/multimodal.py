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
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib.compute import positive
from scalinglib.errors import DataError
from scalinglib.extrapolation import reducible_exponent
from scalinglib.laws import ChinchillaLaw, PowerLaw, ShiftedPowerLaw
from scalinglib.optimum import compute_optimal
from scalinglib.published import Reported


def law_of_exponents(alpha: float, beta: float) -> ChinchillaLaw:
    """A law with the given exponents and unit coefficients.

    Parameters
    ----------
    alpha, beta : float
        Exponents of the loss in parameters and in tokens, positive.

    Returns
    -------
    ChinchillaLaw
        For what depends on the exponents alone: how the optimum and its loss move with compute.

    References
    ----------
    Hoffmann et al. 2022, Eq. 4.

    Examples
    --------
    >>> law = law_of_exponents(0.3, 0.2)
    >>> print(f"{law.a:.2f} {law.b:.2f} {reducible_exponent(law):.2f}")
    0.40 0.60 0.12
    """
    return ChinchillaLaw(E=0.0, A=1.0, B=1.0, alpha=alpha, beta=beta)


def _implied(of: Callable[[ChinchillaLaw], float]) -> Callable[[float, float], float]:
    return lambda alpha, beta: of(law_of_exponents(alpha, beta))


IMPLIED: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {
        "a": _implied(lambda law: law.a),
        "b": _implied(lambda law: law.b),
        "d": _implied(lambda law: law.b / law.a),
        "N/D": _implied(lambda law: law.a - law.b),
    }
)
"""What alpha and beta say about each printed exponent."""


@dataclass(frozen=True, slots=True)
class Check:
    """A printed number beside what other printed numbers make of it.

    Parameters
    ----------
    printed : Reported
        The number checked.
    implied : float
        Its value computed from the others as printed.
    low, high : float
        The range of that value over all inputs that round to what was printed.

    Examples
    --------
    >>> late = Reported("0.6358", "shukor2025", "Table 2")
    >>> inputs = [Reported(text, "shukor2025", "Table 2") for text in ("0.2903", "0.3383")]
    >>> found = check(late, IMPLIED["a"], *inputs)
    >>> print(f"{found.implied:.4f} {found.low:.4f} {found.high:.4f} {found.agrees}")
    0.5382 0.5381 0.5382 False
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


def check(printed: Reported, rule: Callable[..., float], *inputs: Reported) -> Check:
    """Compute a printed number from others, with the range that their rounding leaves.

    Parameters
    ----------
    printed : Reported
        The number to check.
    rule : callable
        Function of the inputs, monotone in each of them.
    *inputs : Reported
        Numbers it is computed from.

    Returns
    -------
    Check

    Raises
    ------
    DataError
        If there are no inputs.

    Examples
    --------
    >>> a, b = (Reported(text, "nobody", "here") for text in ("0.53", "0.47"))
    >>> check(b, lambda a: 1 - a, a).agrees
    True
    """
    if not inputs:
        raise DataError("check needs at least one printed number to compute from.")
    ends = [(one.value - one.half_unit, one.value + one.half_unit) for one in inputs]
    corners = [rule(*corner) for corner in product(*ends)]
    return Check(printed, rule(*(one.value for one in inputs)), min(corners), max(corners))


def audit(row: Mapping[str, Reported], *, ratio: Reported | None = None) -> dict[str, Check]:
    """Check the exponents of one row of an allocation table against its alpha and beta.

    Parameters
    ----------
    row : mapping of str to Reported
        ``alpha``, ``beta``, and any of ``a``, ``b``, ``d``.
    ratio : Reported, optional
        Printed exponent of N*/D*.

    Returns
    -------
    dict of str to Check
        By the printed exponent; ``N/D`` for the ratio.

    Raises
    ------
    DataError
        If alpha or beta is missing.

    Examples
    --------
    >>> from scalinglib.published.multimodal import SHUKOR
    >>> {name: one.agrees for name, one in audit(SHUKOR["late fusion"]).items()}
    {'a': False, 'b': True, 'd': False}
    """
    for name in ("alpha", "beta"):
        if name not in row:
            raise DataError(f"the row has no {name}; give the printed alpha and beta.")
    printed = {**row, **({"N/D": ratio} if ratio is not None else {})}
    return {
        name: check(printed[name], rule, row["alpha"], row["beta"])
        for name, rule in IMPLIED.items()
        if name in printed
    }


def sum_of_exponents(row: Mapping[str, Reported]) -> Check:
    """Check that a + b is one, which compute proportional to N D demands.

    Parameters
    ----------
    row : mapping of str to Reported
        ``a`` and ``b``.

    Returns
    -------
    Check
        Of b, against 1 - a.

    Examples
    --------
    >>> from scalinglib.published.multimodal import SHUKOR
    >>> print(f"{sum_of_exponents(SHUKOR['late fusion']).implied:.4f}")
    0.3642
    """
    return check(row["b"], lambda a: 1 - a, row["a"])


def loss_of_slope(E: float, reducible: float, slope: float) -> float:
    """Total loss at which a law with a floor has a given slope on log-log axes.

    Parameters
    ----------
    E : float
        Irreducible loss.
    reducible : float
        Exponent with which the part above E falls.
    slope : float
        Slope of the total loss with its sign turned, smaller than `reducible`.

    Returns
    -------
    float
        In the unit of `E`; the slope is `reducible` times the share of the loss above E.

    Raises
    ------
    DataError
        If the slope does not lie between zero and `reducible`.

    Examples
    --------
    >>> print(f"{loss_of_slope(1.904, 0.15855, 0.0492):.3f}")
    2.761
    """
    if not 0 < slope < reducible:
        raise DataError(f"slope must lie between 0 and {reducible:g}, got {slope:g}.")
    return E / (1 - slope / reducible)


def frontier_law(law: ChinchillaLaw) -> PowerLaw:
    """The loss along the compute-optimal frontier, as the power law of compute that it is.

    Parameters
    ----------
    law : ChinchillaLaw

    Returns
    -------
    PowerLaw
        E + A C^-gamma with gamma = alpha beta / (alpha + beta), for C = 6 N D.

    References
    ----------
    Hoffmann et al. 2022, Eq. 4.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = sl.published.EPOCH_2024
    >>> print(f"{frontier_law(law).loss(1e22):.6f} {sl.compute_optimal(law, 1e22).loss:.6f}")
    2.141111 2.141111
    """
    excess = float(compute_optimal(law, 1.0).loss) - law.E
    return PowerLaw(A=excess, alpha=reducible_exponent(law), E=law.E)


def scale_for(law: ShiftedPowerLaw, value: float) -> float:
    """Scale at which a law that saturates at both ends reaches a value.

    Parameters
    ----------
    law : ShiftedPowerLaw
    value : float
        Between the law's floor and its ceiling for a positive scale.

    Returns
    -------
    float
        Infinite at or below the floor, zero at or above the ceiling.

    Examples
    --------
    >>> law = ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    >>> print(f"{scale_for(law, law.loss(100.0)):.1f}", scale_for(law, 0.08))
    100.0 inf
    """
    if value <= law.E:
        return float("inf")
    return max(float((law.A / (value - law.E)) ** (1 / law.alpha)) - law.d, 0.0)


@dataclass(frozen=True, slots=True)
class VisionTower:
    """A vision encoder that grows with its decoder, N_v = slope N + intercept.

    Compute is 6 D (N + share N_v) when a share of the D tokens also passes the encoder. Unless
    the intercept is zero, compute is not proportional to N D, and a + b need not be one.

    Parameters
    ----------
    share : float
        Share of the tokens that pass the encoder.
    slope, intercept : float
        Parameters of the encoder per parameter of the decoder, and at none.

    Examples
    --------
    >>> tower = VisionTower.through([200e6, 2e9], [50e6, 500e6], share=0.5)
    >>> a, b = tower.exponents(1e9, alpha=0.3, beta=0.3)
    >>> print(f"{a:.3f} {b:.3f}")
    0.500 0.500
    """

    share: float
    slope: float
    intercept: float

    @classmethod
    def through(cls, decoder: ArrayLike, encoder: ArrayLike, *, share: float) -> VisionTower:
        """Fit the encoder's size as a line in the decoder's.

        Parameters
        ----------
        decoder, encoder : array_like, shape (n,)
            Parameters (counts).
        share : float
            Share of the tokens that pass the encoder.

        Returns
        -------
        VisionTower

        Raises
        ------
        DataError
            If sizes are not positive or fewer than two.
        """
        N, V = positive("decoder", decoder), positive("encoder", encoder)
        if N.shape != V.shape or len(np.unique(N)) < 2:
            raise DataError("give the encoder's size for at least two different decoders.")
        slope, intercept = np.polyfit(N, V, 1)
        tiny = abs(intercept) < 1e-9 * N.max()
        return cls(share, float(slope), 0.0 if tiny else float(intercept))

    @classmethod
    def of_models(
        cls, total: ArrayLike, *, widths: ArrayLike, layers: int, share: float
    ) -> tuple[VisionTower, Floats]:
        """The encoder of models of which total size and encoder shape are known.

        Parameters
        ----------
        total : array_like, shape (n,)
            Parameters of encoder and decoder together (counts).
        widths : array_like, shape (n,)
            Width of each encoder.
        layers : int
            Layers of every encoder, each of 12 widths squared.
        share : float
            Share of the tokens that pass the encoder.

        Returns
        -------
        tuple of VisionTower and ndarray
            The line through the sizes, and the parameters of the decoders.

        Raises
        ------
        DataError
            If an encoder is not smaller than its model, or as for `through`.

        Examples
        --------
        >>> tower, decoder = VisionTower.of_models([300e6, 3e9], widths=[400, 1600], layers=24,
        ...                                        share=0.5)
        >>> print((decoder / 1e6).round(1), f"{tower.slope:.3f}")
        [ 253.9 2262.7] 0.344
        """
        size = positive("total", total)
        encoder = 12.0 * layers * positive("widths", widths) ** 2
        if size.shape != encoder.shape or (encoder >= size).any():
            raise DataError("every model needs one width, of an encoder smaller than the model.")
        return cls.through(size - encoder, encoder, share=share), size - encoder

    def elasticity(self, N: ArrayLike) -> Floats:
        """Percent of compute per token that one percent more decoder costs.

        Parameters
        ----------
        N : array_like
            Parameters of the decoder.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        DataError
            If `N` is not positive.
        """
        grows = (1 + self.share * self.slope) * positive("N", N)
        return grows / (grows + self.share * self.intercept)

    def exponents(self, N: ArrayLike, *, alpha: float, beta: float) -> tuple[Floats, Floats]:
        """Local exponents a and b of the compute-optimal decoder and tokens in compute.

        Parameters
        ----------
        N : array_like
            Parameters of the optimal decoder.
        alpha, beta : float
            Exponents of the loss in N and in D.

        Returns
        -------
        tuple of ndarray
            a and b; where the elasticity is one, beta and alpha over their sum.

        Notes
        -----
        At the optimum alpha A N^-alpha = eps beta B D^-beta with the elasticity eps, and
        d ln eps / d ln N = 1 - eps. Differentiating along the frontier gives a, and
        b = 1 - eps a.
        """
        eps = self.elasticity(N)
        a = beta / (alpha + beta * eps + 1 - eps)
        return a, 1 - eps * a


def audit_table(
    rows: Mapping[str, Mapping[str, Reported]], ratios: Mapping[str, Reported]
) -> pd.DataFrame:
    """Audit every row of an allocation table.

    Parameters
    ----------
    rows : mapping of str to mapping
        Rows as for `audit`, with ``a`` and ``b``.
    ratios : mapping of str to Reported
        Printed exponents of N*/D*, for the rows that have one.

    Returns
    -------
    DataFrame
        One row per row: ``a``, ``a_implied``, ``low``, ``high``, ``sum`` (a + b), ``reducible``,
        and the printed exponents that rounding cannot explain, as ``off``.

    Examples
    --------
    >>> from scalinglib.published.multimodal import SHUKOR, SHUKOR_RATIO
    >>> print(audit_table(SHUKOR, SHUKOR_RATIO).off["late fusion"])
    a, d
    """
    found = {}
    for name, row in rows.items():
        checks = audit(row, ratio=ratios.get(name))
        found[name] = {
            "a": row["a"].value, "a_implied": checks["a"].implied, "low": checks["a"].low,
            "high": checks["a"].high, "sum": row["a"].value + row["b"].value,
            "reducible": reducible_exponent(
                law_of_exponents(row["alpha"].value, row["beta"].value)
            ),
            "off": ", ".join(key for key, one in checks.items() if not one.agrees),
        }  # fmt: skip
    return pd.DataFrame.from_dict(found, orient="index")
