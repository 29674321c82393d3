"""Number formats and loss: training and serving with few bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from scalinglib.compute import positive
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrecisionLaw:
    """Loss of a model trained or served with few bits.

    Training with P bits leaves a model the worth of N (1 - exp(-P / gamma)) parameters, with one
    such factor each for weights, activations and the key-value cache. Rounding the weights of a
    finished model to P bits adds C_T D^gamma_D N^-gamma_N exp(-P / gamma_post) to its loss.

    Parameters
    ----------
    base : ChinchillaLaw
        The law at full precision.
    gammas : tuple of float
        Decay constants of the factors (bits): weights, activations, cache.
    C_T : float
        Scale of the penalty (nats per token).
    gamma_D, gamma_N : float
        Exponents of the penalty in tokens and in parameters.
    gamma_post : float
        Decay constant of the penalty (bits).
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Kumar et al. 2024, "Scaling Laws for Precision", Secs. 3 and 4.

    Examples
    --------
    >>> from scalinglib.published.overtraining import KUMAR_2024
    >>> print(f"{KUMAR_2024.penalty(8e9, 15e12, bits=4):.4f}")
    0.1282
    """

    base: ChinchillaLaw
    gammas: tuple[float, ...]
    C_T: float
    gamma_D: float
    gamma_N: float
    gamma_post: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def effective_params(self, N: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Parameters that a model trained with `bits` everywhere is worth.

        Parameters
        ----------
        N : array_like
            Parameters (count).
        bits : array_like
            Bits of weights, activations and cache; infinity for full precision. Broadcast.

        Returns
        -------
        ndarray of float64
            Parameters, at most `N`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `bits` is not positive.

        Examples
        --------
        >>> from scalinglib.published.overtraining import KUMAR_2024
        >>> print((KUMAR_2024.effective_params(1e9, bits=[4, 8, 16]) / 1e9).round(3))
        [0.639 0.924 0.997]
        """
        P = positive("bits", bits)
        worth: Floats = positive("N", N) * np.prod([-np.expm1(-P / g) for g in self.gammas], axis=0)
        return worth

    def penalty(self, N: ArrayLike, D: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Loss added by rounding the weights of a finished model.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts).
        bits : array_like
            Bits a weight keeps; infinity for none lost. All three broadcast.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If an argument is not positive.

        References
        ----------
        Kumar et al. 2024, Sec. 3.

        Examples
        --------
        >>> from scalinglib.published.overtraining import KUMAR_2024
        >>> print(KUMAR_2024.penalty(1e9, [2e10, 1e13], bits=4).round(4))
        [0.0091 0.2134]
        """
        size, data = positive("N", N) ** -self.gamma_N, positive("D", D) ** self.gamma_D
        added: Floats = self.C_T * data * size * np.exp(-positive("bits", bits) / self.gamma_post)
        return added

    def loss(self, N: ArrayLike, D: ArrayLike, *, bits: ArrayLike = np.inf) -> Floats:
        """Predict the loss of a model trained at full precision and then rounded.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts).
        bits : array_like, default infinity
            Bits a weight keeps. All three broadcast.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If an argument is not positive.

        Examples
        --------
        >>> from scalinglib.published.overtraining import KUMAR_2024
        >>> print(KUMAR_2024.loss(1e9, 1e11, bits=[3, 4, np.inf]).round(4))
        [3.0858 2.9941 2.9734]
        """
        return self.base.loss(N, D) + self.penalty(N, D, bits=bits)

    def critical_tokens(self, N: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Training tokens beyond which more of them make the rounded model worse.

        Parameters
        ----------
        N : array_like
            Parameters (count).
        bits : array_like
            Bits a weight keeps. Broadcast.

        Returns
        -------
        ndarray of float64
            Tokens where the data term falls as fast as the penalty rises; a scalar for scalar
            input.

        Raises
        ------
        DataError
            If an argument is not positive.

        References
        ----------
        Kumar et al. 2024, Sec. 3.

        Examples
        --------
        >>> from scalinglib.published.overtraining import KUMAR_2024
        >>> print((KUMAR_2024.critical_tokens(1e9, bits=[3, 4, 6]) / 1e12).round(3))
        [0.055 0.295 8.607]
        """
        rise = self.gamma_D * self.penalty(N, 1.0, bits=bits)
        fall = self.base.beta * self.base.B
        tokens: Floats = (fall / rise) ** (1 / (self.base.beta + self.gamma_D))
        return tokens


def best_bits(gammas: Sequence[float], *, offsets: Sequence[float] | None = None) -> float:
    """Bits that give most for compute in proportion to parameters, tokens and bits.

    With compute N D P the worth of a budget grows as the product of the factors
    1 - exp(n - P / gamma) over P, whose logarithm is stationary where

        sum (P / gamma) / (exp(P / gamma - n) - 1) = 1 .

    The budget, the exponents and the coefficients of the law drop out.

    Parameters
    ----------
    gammas : sequence of float
        Decay constants (bits), one for each factor.
    offsets : sequence of float, optional
        The n of each factor; zero if left out.

    Returns
    -------
    float
        Bits.

    Raises
    ------
    DataError
        If a constant is not positive, the lengths differ, or a single factor without an offset is
        given, for which fewer bits are always better.

    Examples
    --------
    >>> print(f"{best_bits([2.6745] * 3):.3f}")
    5.092
    """
    g = np.atleast_1d(positive("gammas", gammas))
    n = np.zeros_like(g) if offsets is None else np.asarray(offsets, dtype=np.float64)
    if n.shape != g.shape:
        raise DataError(f"offsets has {n.size} values for {g.size} gammas; give one for each.")
    if g.size == 1 and n[0] <= 0:
        raise DataError(
            "one factor 1 - exp(-P / gamma) has no best number of bits: worth per bit only grows "
            "as P goes to zero; give the factors of weights, activations and cache."
        )

    def condition(P: float) -> float:
        return float(np.sum(P / g / np.expm1(P / g - n))) - 1

    # Below the largest gamma n a factor is negative; just above it the sum is without bound.
    low = max(float(np.max(g * n)), 0.0)
    high = low + 50 * float(np.max(g))
    found: float = brentq(condition, low + 1e-9 * high, high, xtol=1e-13)
    return found
