"""Scaling laws as frozen values: each holds its constants and predicts a loss.

Every law carries a `source`, where its constants were printed; it is empty for a fit, and two
laws with the same constants are equal whatever their source.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scalinglib.compute import positive

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power law with an optional floor, y = E + A x^-alpha.

    Parameters
    ----------
    A : float
        Value above the floor at x = 1, in the unit of y.
    alpha : float
        Exponent; negative for a quantity that grows with x.
    E : float, default 0
        Floor that y approaches, in the unit of y; 0 is the pure power law.
    source : str, default ""
        Where the constants were printed.

    Examples
    --------
    >>> law = PowerLaw(A=10.0, alpha=0.5)
    >>> print(f"{law.loss(100.0):.4f}")
    1.0000
    """

    A: float
    alpha: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale: parameters, tokens, FLOP or any other positive quantity.

        Returns
        -------
        ndarray of float64
            In the unit of `A`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `x` is not positive.

        Examples
        --------
        >>> print(PowerLaw(A=8.0, alpha=1.0, E=1.0).loss([1.0, 4.0]))
        [9. 3.]
        """
        return self.E + self.A * positive("x", x) ** -self.alpha

    @property
    def x_c(self) -> float:
        """The scale constant of the form (x_c / x)^alpha, A^(1/alpha); Kaplan's N_c, D_c, C_c."""
        return float(self.A ** (1 / self.alpha))


@dataclass(frozen=True, slots=True)
class KaplanLaw:
    """Joint law of Kaplan et al. 2020, L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D.

    Parameters
    ----------
    alpha_N, alpha_D : float
        Exponents in parameters and in tokens.
    N_c : float
        Scale in non-embedding parameters (count).
    D_c : float
        Scale in tokens (count).
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Kaplan et al. 2020, "Scaling Laws for Neural Language Models", Eq. 1.5.

    Examples
    --------
    >>> law = KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
    >>> print(f"{law.loss(1e9, 22e9):.4f}")
    2.3693
    """

    alpha_N: float
    alpha_D: float
    N_c: float
    D_c: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss of a model of `N` parameters trained on `D` tokens.

        Parameters
        ----------
        N : array_like
            Non-embedding parameters (count).
        D : array_like
            Training tokens (count); broadcast against `N`.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.

        Examples
        --------
        >>> law = KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
        >>> bool(law.loss(1e9, 1e10) < law.loss(1e8, 1e10))
        True
        """
        size = (self.N_c / positive("N", N)) ** (self.alpha_N / self.alpha_D)
        return (size + self.D_c / positive("D", D)) ** self.alpha_D


@dataclass(frozen=True, slots=True)
class ChinchillaLaw:
    """Parametric law of Hoffmann et al. 2022, L = E + A N^-alpha + B D^-beta.

    Parameters
    ----------
    E : float
        Irreducible loss (nats per token).
    A, B : float
        Coefficients of the parameter and the data term (nats per token at N = 1, D = 1).
    alpha, beta : float
        Exponents in parameters and in tokens.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Eq. 2 and Eq. 10.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> print(f"{law.loss(70e9, 1.4e12):.4f}")
    1.9366
    >>> print(f"{law.a:.5f} {law.b:.5f}")
    0.45161 0.54839
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss of a model of `N` parameters trained on `D` tokens.

        Parameters
        ----------
        N : array_like
            Parameters (count); infinity gives the limit of a model without size limit.
        D : array_like
            Training tokens (count); broadcast against `N`.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.

        Examples
        --------
        >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
        >>> print(law.loss([280e9, 70e9], [300e9, 1.4e12]).round(4))
        [1.9933 1.9366]
        """
        size = self.A * positive("N", N) ** -self.alpha
        data = self.B * positive("D", D) ** -self.beta
        return self.E + size + data

    @property
    def a(self) -> float:
        """Exponent of the compute-optimal parameters in compute, beta / (alpha + beta)."""
        return self.beta / (self.alpha + self.beta)

    @property
    def b(self) -> float:
        """Exponent of the compute-optimal tokens in compute, alpha / (alpha + beta)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def G(self) -> float:  # noqa: N802 - the symbol of the paper
        """Scale of the compute-optimal split, (alpha A / (beta B))^(1 / (alpha + beta))."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return float(ratio ** (1 / (self.alpha + self.beta)))


@dataclass(frozen=True, slots=True)
class DataConstrainedLaw:
    """Law for repeated data: a Chinchilla law in effective parameters and effective tokens.

    Repeating `U` unique tokens R = D/U - 1 times is worth U + U R_D (1 - exp(-R/R_D)) fresh
    tokens, and parameters beyond those that `U` tokens call for decay in the same way with R_N.

    Parameters
    ----------
    base : ChinchillaLaw
        The law for data seen once.
    R_D, R_N : float
        Decay constants of repeated tokens and of excess parameters (repetitions).
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", Sec. 3.

    Examples
    --------
    >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
    >>> law = DataConstrainedLaw(base, R_D=15.387756, R_N=5.309743)
    >>> print((law.effective_tokens([2e9, 4e9, 16e9], 1e9) / 1e9).round(4))
    [ 1.9682  3.7257 10.5825]
    """

    base: ChinchillaLaw
    R_D: float
    R_N: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def effective_tokens(self, D: ArrayLike, U: ArrayLike) -> Floats:
        """Fresh tokens that `D` training tokens drawn from `U` unique ones are worth.

        Parameters
        ----------
        D, U : array_like
            Training tokens and unique tokens (counts); broadcast. D <= U means no repetition.

        Returns
        -------
        ndarray of float64
            Tokens; a scalar for scalar input.

        Raises
        ------
        DataError
            If `D` or `U` is not positive.

        Examples
        --------
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> print(DataConstrainedLaw(base, R_D=15.0, R_N=5.0).effective_tokens(1e9, 1e9))
        1000000000.0
        """
        D, U = positive("D", D), positive("U", U)
        return discounted(D, np.minimum(D, U), self.R_D)

    def effective_params(self, N: ArrayLike, U: ArrayLike) -> Floats:
        """Parameters that `N` are worth when only `U` unique tokens exist.

        Parameters
        ----------
        N, U : array_like
            Parameters and unique tokens (counts); broadcast.

        Returns
        -------
        ndarray of float64
            Parameters; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `U` is not positive.

        Examples
        --------
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> print(DataConstrainedLaw(base, R_D=15.0, R_N=5.0).effective_params(1e7, 1e9))
        10000000.0
        """
        N = positive("N", N)
        return discounted(N, np.minimum(params_for_tokens(self.base, U), N), self.R_N)

    def loss(self, N: ArrayLike, D: ArrayLike, U: ArrayLike) -> Floats:
        """Predict the loss after `D` training tokens of which `U` are unique.

        Parameters
        ----------
        N : array_like
            Parameters (count).
        D : array_like
            Training tokens, repetitions included (count).
        U : array_like
            Unique tokens (count); all three broadcast.

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
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> law = DataConstrainedLaw(base, R_D=15.0, R_N=5.0)
        >>> bool(law.loss(1e8, 4e9, 1e9) > base.loss(1e8, 4e9))
        True
        """
        return self.base.loss(self.effective_params(N, U), self.effective_tokens(D, U))


@dataclass(frozen=True, slots=True)
class SaturatingLaw:
    """Power law that levels off at large scale, y = E + A (1/x + d)^alpha.

    Parameters
    ----------
    A : float
        Value above the floor at 1/x + d = 1, in the unit of y.
    d : float
        Where the curve levels off, as an inverse scale; d = 0 is the power law A x^-alpha.
    alpha : float
        Exponent far below x = 1/d.
    E : float, default 0
        Floor, in the unit of y.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", with the shift on the inverse scale;
    form M3 of Alabdulmohsin et al. 2022, "Revisiting Neural Scaling Laws".

    Examples
    --------
    >>> law = SaturatingLaw(A=2.0, d=0.01, alpha=0.5)
    >>> print(f"{law.loss(100.0):.4f} {law.loss(float('inf')):.4f}")
    0.2828 0.2000
    """

    A: float
    d: float
    alpha: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale, for example images seen; infinity gives the plateau.

        Returns
        -------
        ndarray of float64
            In the unit of `A`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `x` is not positive.

        Examples
        --------
        >>> print(f"{SaturatingLaw(A=1.0, d=0.0, alpha=1.0).loss(4.0):.2f}")
        0.25
        """
        return self.E + self.A * (1 / positive("x", x) + self.d) ** self.alpha


@dataclass(frozen=True, slots=True)
class ShiftedPowerLaw:
    """Power law that saturates at both ends, y = E + A (x + d)^-alpha.

    Parameters
    ----------
    A : float
        Value above the floor at x + d = 1, in the unit of y.
    alpha : float
        Exponent far above x = d.
    d : float
        Below this scale the curve is flat, in the unit of x; d = 0 is a power law with a floor.
    E : float, default 0
        Floor that y approaches at large x, in the unit of y.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", Fig. 2.

    Examples
    --------
    >>> law = ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    >>> print(law.loss([1.0, 1e4]).round(4))
    [0.3491 0.1004]
    >>> print(f"{law.ceiling:.3f}")
    1.393
    """

    A: float
    alpha: float
    d: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale, for example images seen or training compute; infinity gives the floor.

        Returns
        -------
        ndarray of float64
            In the unit of `A`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `x` is not positive.

        Examples
        --------
        >>> print(f"{ShiftedPowerLaw(A=8.0, alpha=1.0, d=1.0).loss(3.0):.1f}")
        2.0
        """
        return self.E + self.A * (positive("x", x) + self.d) ** -self.alpha

    @property
    def ceiling(self) -> float:
        """What y approaches at small x, E + A d^-alpha; infinite for d = 0."""
        return self.E + float(self.A * self.d**-self.alpha) if self.d else float("inf")

    @property
    def far(self) -> PowerLaw:
        """The power law with a floor that this one becomes far above x = d."""
        return PowerLaw(self.A, self.alpha, self.E, source=self.source)


def params_for_tokens(law: ChinchillaLaw, D: ArrayLike) -> Floats:
    """Parameters for which `D` tokens are compute-optimal, G (G D)^(beta/alpha).

    Parameters
    ----------
    law : ChinchillaLaw
        The law for data seen once.
    D : array_like
        Tokens (count).

    Returns
    -------
    ndarray of float64
        Parameters; a scalar for scalar input.

    Raises
    ------
    DataError
        If `D` is not positive.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
    >>> print(f"{params_for_tokens(law, 1e12) / 1e12:.4f}")
    0.0510
    """
    return law.G * (law.G * positive("D", D)) ** (law.beta / law.alpha)


def discounted(total: ArrayLike, fresh: ArrayLike, R: float) -> Floats:
    """Worth of `total` units of which `fresh` are new, with decay constant `R`.

    Parameters
    ----------
    total, fresh : array_like
        Counts with fresh <= total.
    R : float
        Decay constant (repetitions).

    Returns
    -------
    ndarray of float64
        fresh (1 + R (1 - exp(-r/R))) with r = total/fresh - 1.

    Examples
    --------
    >>> print(f"{discounted(4.0, 1.0, 15.387756):.4f}")
    3.7257
    """
    fresh = np.asarray(fresh, dtype=np.float64)
    repeats = np.asarray(total, dtype=np.float64) / fresh - 1
    worth: Floats = fresh * (1 - R * np.expm1(-repeats / R))
    return worth
