"""Laws of over-optimisation against a reward model (Gao et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from scalinglib.checks import Floats, at_least
from scalinglib.errors import DataError
from scalinglib.fit.formula import Curve, Domain


class Peak(NamedTuple):
    """The largest gold reward of a law, in its unit, and the KL divergence (nats) where it lies."""

    kl: float
    reward: float


@dataclass(frozen=True, slots=True)
class GoldReward(Curve):
    """A gold reward in d = sqrt(KL) that rises with `alpha` and turns back with `beta`."""

    alpha: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    domain: ClassVar[Domain] = "not negative"

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Linear least squares, and a start that does not know the points."""
        design = np.stack([cls.formula(x, 1.0, 0.0), cls.formula(x, 0.0, 1.0)], axis=1)
        best = np.linalg.lstsq(design, y, rcond=None)[0]
        return np.array([best, [1.0, 0.1]])

    def reward(self, kl: ArrayLike) -> Floats:
        """Gold reward at KL divergence `kl`, relative to where the policy started.

        Parameters
        ----------
        kl : array_like
            Nats, 0 or more.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If `kl` is negative.

        Examples
        --------
        >>> print(BestOfNLaw(alpha=0.5, beta=0.1).reward([1.0, 25.0]))
        [0.4 0. ]
        """
        return self.value(at_least("kl", kl, 0.0))

    def _turning(self) -> tuple[float, float]:
        """Both coefficients, if the curve rises and turns."""
        for name in ("alpha", "beta"):
            if not getattr(self, name) > 0:
                raise DataError(
                    f"{name} is {getattr(self, name):g}, so the curve never rises to a peak and "
                    "turns; both coefficients must be positive."
                )
        return float(self.alpha), float(self.beta)


@dataclass(frozen=True, slots=True)
class BestOfNLaw(GoldReward):
    """Gold reward of best-of-n against a proxy, R = d (alpha - beta d) with d = sqrt(KL).

    Parameters
    ----------
    alpha : float
        Slope in d at the start (reward per square root of a nat).
    beta : float
        Rate of over-optimisation (reward per nat).
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Gao et al. 2023, "Scaling Laws for Reward Model Overoptimization", Sec. 3.1.

    Examples
    --------
    >>> law = BestOfNLaw(alpha=0.49, beta=0.12)
    >>> print(law.reward([0.0, 1.0, 4.0]).round(4))
    [0.   0.37 0.5 ]
    """

    @staticmethod
    def formula(x: Floats, alpha: Any, beta: Any) -> Any:
        """The curve at KL divergence `x`, nats."""
        return alpha * np.sqrt(x) - beta * x

    def peak(self) -> Peak:
        """The largest gold reward: alpha^2/(4 beta), at d = alpha/(2 beta).

        Returns
        -------
        Peak

        Raises
        ------
        DataError
            If `alpha` or `beta` is not positive, because the curve then has no peak.

        Examples
        --------
        >>> BestOfNLaw(alpha=0.5, beta=0.125).peak()
        Peak(kl=4.0, reward=0.5)
        """
        alpha, beta = self._turning()
        return Peak(kl=(alpha / (2 * beta)) ** 2, reward=alpha**2 / (4 * beta))

    def peak_error(self, *, alpha_sd: float, beta_sd: float) -> Peak:
        """How far errors of the coefficients move the peak, to first order.

        Parameters
        ----------
        alpha_sd, beta_sd : float
            Standard deviations of independent errors, for example of reading a figure.

        Returns
        -------
        Peak
            Standard deviations of place and height.

        Raises
        ------
        DataError
            If a standard deviation is negative, or the curve has no peak.

        Examples
        --------
        >>> error = BestOfNLaw(alpha=0.5, beta=0.125).peak_error(alpha_sd=0.005, beta_sd=0.0)
        >>> print(f"{error.kl:.3f} {error.reward:.3f}")
        0.080 0.010
        """
        peak = self.peak()
        a = float(at_least("alpha_sd", alpha_sd, 0.0)) / self.alpha
        b = float(at_least("beta_sd", beta_sd, 0.0)) / self.beta
        return Peak(
            kl=peak.kl * float(np.hypot(2 * a, 2 * b)),
            reward=peak.reward * float(np.hypot(2 * a, b)),
        )


@dataclass(frozen=True, slots=True)
class ReinforcementLaw(GoldReward):
    """Gold reward of reinforcement learning, R = d (alpha - beta ln d) with d = sqrt(KL).

    Parameters
    ----------
    alpha : float
        Reward per square root of a nat at d = 1.
    beta : float
        Rate of over-optimisation (reward per square root of a nat).
    source : str, optional
        Where the constants were printed.

    Notes
    -----
    The slope in d grows without limit as d goes to zero, so the law cannot hold at its very start.

    References
    ----------
    Gao et al. 2023, "Scaling Laws for Reward Model Overoptimization", Sec. 3.1.

    Examples
    --------
    >>> law = ReinforcementLaw(alpha=0.5, beta=0.2)
    >>> print(law.reward([0.0, 1.0, 25.0]).round(4))
    [0.     0.5    0.8906]
    """

    @staticmethod
    def formula(x: Floats, alpha: Any, beta: Any) -> Any:
        """The curve at KL divergence `x`, nats; zero at the start, its limit."""
        d = np.sqrt(x)
        return alpha * d - beta * xlogy(d, d)

    def peak(self) -> Peak:
        """The largest gold reward: beta d at d = exp(alpha/beta - 1).

        Returns
        -------
        Peak

        Raises
        ------
        DataError
            If `alpha` or `beta` is not positive.

        Examples
        --------
        >>> print(f"{ReinforcementLaw(alpha=0.4, beta=0.2).peak().kl:.3f}")
        7.389
        """
        alpha, beta = self._turning()
        d = float(np.exp(alpha / beta - 1))
        return Peak(kl=d**2, reward=beta * d)
