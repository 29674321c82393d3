"""Reward models: what optimising against them wins and loses, and how both change with size.

Two frozen laws give the true, "gold" reward of a policy that was optimised against a learned
proxy, as a function of its KL divergence from where it started. They are curves, so that
`scalinglib.fit_curve` fits them to points of one's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import xlogy
from scipy.stats import chi2, linregress

from scalinglib._newton import Floats
from scalinglib._validate import varying, vectors
from scalinglib.best_of_n import at_least
from scalinglib.compute import positive
from scalinglib.curves import Curve
from scalinglib.errors import DataError, FitError

CHANCE_LOSS = float(np.log(2))
"""Nats per comparison of a reward model that cannot tell the better answer from the worse."""


class Peak(NamedTuple):
    """The largest gold reward of a law and where it lies.

    Parameters
    ----------
    kl : float
        Nats.
    reward : float
        In the unit of the law.

    Examples
    --------
    >>> BestOfNLaw(alpha=0.5, beta=0.125).peak()
    Peak(kl=4.0, reward=0.5)
    """

    kl: float
    reward: float


@dataclass(frozen=True, slots=True)
class BestOfNLaw(Curve):
    """Gold reward of best-of-n against a proxy, R = d (alpha - beta d) with d = sqrt(KL).

    Parameters
    ----------
    alpha : float
        Slope in d at the start (reward per square root of a nat).
    beta : float
        Rate of over-optimisation (reward per nat).
    source : str, default ""
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

    alpha: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    @staticmethod
    def formula(x: Floats, alpha: Any, beta: Any) -> Any:
        """The curve at KL divergence `x`, nats."""
        return alpha * np.sqrt(x) - beta * x

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Linear least squares, and a start that does not know the points."""
        return _linear_starts(cls, x, y)

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
        >>> print(BestOfNLaw(alpha=0.5, beta=0.1).reward(25.0))
        0.0
        """
        return self.value(at_least("kl", kl, 0.0))

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
        >>> print(f"{BestOfNLaw(alpha=0.662, beta=0.09).peak().kl:.2f}")
        13.53
        """
        alpha, beta = _turning(self)
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
class ReinforcementLaw(Curve):
    """Gold reward of reinforcement learning, R = d (alpha - beta ln d) with d = sqrt(KL).

    Parameters
    ----------
    alpha : float
        Reward per square root of a nat at d = 1.
    beta : float
        Rate of over-optimisation (reward per square root of a nat).
    source : str, default ""
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

    alpha: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    @staticmethod
    def formula(x: Floats, alpha: Any, beta: Any) -> Any:
        """The curve at KL divergence `x`, nats; zero at the start, its limit."""
        d = np.sqrt(x)
        return alpha * d - beta * xlogy(d, d)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Linear least squares, and a start that does not know the points."""
        return _linear_starts(cls, x, y)

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
        >>> print(ReinforcementLaw(alpha=0.5, beta=0.2).reward(1.0))
        0.5
        """
        return self.value(at_least("kl", kl, 0.0))

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
        alpha, beta = _turning(self)
        d = float(np.exp(alpha / beta - 1))
        return Peak(kl=d**2, reward=beta * d)


@dataclass(frozen=True, slots=True)
class SizeTrend:
    """A straight line in the logarithm of model size.

    Parameters
    ----------
    intercept, slope : float
        Value at `reference` parameters, and what a model `per` times as large adds.
    intercept_se, slope_se : float
        Standard errors.
    reference : float
        Parameters at which the intercept is taken.
    per : float
        Factor in size to which the slope refers: 10 for a decade, 2 for a doubling.
    r2 : float
        Share of the (weighted) variance that the line explains.
    misfit : float
        Chi-square of the residuals; NaN where the values came without errors.
    p : float
        Chance of a larger misfit if a line were right and the errors as stated; NaN likewise.

    Examples
    --------
    >>> trend = fit_size_trend([1e6, 1e7, 1e8], [1.0, 2.0, 3.0], reference=1e6)
    >>> print(f"{trend.at(1e9):.4f} {trend.params_at(2.5) / 1e7:.4f}")
    4.0000 3.1623
    """

    intercept: float
    slope: float
    intercept_se: float
    slope_se: float
    reference: float
    per: float
    r2: float
    misfit: float
    p: float

    def at(self, params: ArrayLike) -> Floats:
        """The line at `params` parameters.

        Parameters
        ----------
        params : array_like

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If `params` is not positive.

        Examples
        --------
        >>> trend = fit_size_trend([1e6, 1e7, 1e8], [1.0, 2.0, 3.0], reference=1e6)
        >>> print(trend.at([1e6, 1e7]).round(6))
        [1. 2.]
        """
        steps = np.log(positive("params", params) / self.reference) / np.log(self.per)
        line: Floats = self.intercept + self.slope * steps
        return line

    def params_at(self, value: float) -> float:
        """Size at which the line reaches `value`.

        Parameters
        ----------
        value : float

        Returns
        -------
        float
            Parameters.

        Raises
        ------
        DataError
            If the line is flat.

        Examples
        --------
        >>> trend = fit_size_trend([1e6, 1e7, 1e8], [1.0, 2.0, 3.0], reference=1e6)
        >>> print(f"{trend.params_at(4.0):.3g}")
        1e+09
        """
        if self.slope == 0:
            raise DataError("the line is flat, so it reaches no other value; use its intercept.")
        return float(self.reference * self.per ** ((value - self.intercept) / self.slope))


def fit_size_trend(
    params: ArrayLike,
    values: ArrayLike,
    *,
    reference: float,
    per: float = 10.0,
    se: ArrayLike | None = None,
) -> SizeTrend:
    """Fit a straight line in the logarithm of model size by (weighted) least squares.

    Parameters
    ----------
    params : array_like, shape (n,)
        Model sizes (parameters).
    values : array_like, shape (n,)
        What depends on size.
    reference : float
        Size at which the intercept is taken.
    per : float, default 10
        Factor in size to which the slope refers.
    se : array_like, shape (n,), optional
        Standard errors of `values`. With them each point counts by the inverse of its variance
        and the errors of the line follow from them; without them they follow from the residuals.

    Returns
    -------
    SizeTrend

    Raises
    ------
    DataError
        If an input is not positive, the lengths differ, or `per` is not above 1.
    FitError
        If there are fewer than three sizes, or all values are the same.

    Examples
    --------
    >>> trend = fit_size_trend([1e6, 1e7, 1e8], [1.0, 2.1, 2.9], reference=1e6)
    >>> print(f"{trend.slope:.3f} ({trend.slope_se:.3f}), R2 {trend.r2:.4f}")
    0.950 (0.087), R2 0.9918
    """
    columns = {"params": params, "values": values} | ({} if se is None else {"se": se})
    (size, y, *errors), _ = vectors(**columns)
    if not per > 1:
        raise DataError(f"per must be above 1, got {per:g}; 10 gives slopes per decade.")
    if len(np.unique(size)) < 3:
        raise FitError(
            f"{len(np.unique(size))} different sizes leave nothing to judge a line by; give three."
        )
    varying(y, "values")
    x = np.log(size / float(positive("reference", reference))) / np.log(per)
    if not errors:
        line = linregress(x, y)
        return SizeTrend(
            float(line.intercept), float(line.slope), float(line.intercept_stderr),
            float(line.stderr), reference, per, float(line.rvalue**2), np.nan, np.nan,
        )  # fmt: skip
    weight = errors[0] ** -2.0
    centre, level = np.average(x, weights=weight), np.average(y, weights=weight)
    spread = weight @ (x - centre) ** 2
    slope = weight @ ((x - centre) * (y - level)) / spread
    misfit = float(weight @ (y - level - slope * (x - centre)) ** 2)
    return SizeTrend(
        intercept=float(level - slope * centre),
        slope=float(slope),
        intercept_se=float(np.sqrt(1 / weight.sum() + centre**2 / spread)),
        slope_se=float(spread**-0.5),
        reference=reference,
        per=per,
        r2=float(1 - misfit / (weight @ (y - level) ** 2)),
        misfit=misfit,
        p=float(chi2.sf(misfit, len(x) - 2)),
    )


def accuracy_bounds(loss: float) -> tuple[float, float]:
    """Accuracies that a calibrated reward model of this loss can have.

    A comparison that the model decides with confidence m costs it the entropy of m on average.
    Equal confidence everywhere gives the largest accuracy for a loss; certainty on some
    comparisons and a coin on the others gives the smallest.

    Parameters
    ----------
    loss : float
        Mean negative log-likelihood of the preferred answer, nats per comparison, from 0 to ln 2.

    Returns
    -------
    low, high : float
        Shares of comparisons.

    Raises
    ------
    DataError
        If `loss` is outside 0 to ln 2; a calibrated model is never worse than chance.

    Examples
    --------
    >>> low, high = accuracy_bounds(0.5)
    >>> print(f"{low:.3f} {high:.3f}")
    0.639 0.800
    """
    loss = float(at_least("loss", loss, 0.0))
    if loss > CHANCE_LOSS:
        raise DataError(f"loss must be ln 2 or less, the loss of a coin, got {loss:g}.")
    low = 0.5 + 0.5 * (1 - loss / CHANCE_LOSS)

    def excess(m: float) -> float:
        return float(-xlogy(m, m) - xlogy(1 - m, 1 - m) - loss)

    high = 0.5 if loss == CHANCE_LOSS else brentq(excess, 0.5, 1.0, xtol=1e-14)
    return low, float(high)


@dataclass(frozen=True, slots=True)
class AlignmentProduct:
    """Gain as a product of powers of the amount and the quality of preference data.

    It is here to work out what such a law would imply. No measurement behind it is known.

    Parameters
    ----------
    data, quality : float
        Exponents of the amount and of the quality.

    Examples
    --------
    >>> law = AlignmentProduct(data=0.3, quality=0.7)
    >>> print(law.gain(data=[2.0, 1.0], quality=[1.0, 2.0]).round(3))
    [1.231 1.625]
    """

    data: float
    quality: float

    def gain(self, *, data: ArrayLike = 1.0, quality: ArrayLike = 1.0) -> Floats:
        """Factor by which the gain changes.

        Parameters
        ----------
        data, quality : array_like
            Factors by which amount and quality change; broadcast.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        DataError
            If a factor is not positive.

        Examples
        --------
        >>> print(AlignmentProduct(data=0.3, quality=0.7).gain(data=10.0).round(3))
        1.995
        """
        return positive("data", data) ** self.data * positive("quality", quality) ** self.quality

    def quality_for(self, data: float) -> float:
        """Factor in quality that makes up for `data` times the amount.

        Parameters
        ----------
        data : float
            Factor by which the amount changes.

        Returns
        -------
        float

        Raises
        ------
        DataError
            If `data` is not positive.

        Examples
        --------
        >>> print(f"{AlignmentProduct(data=0.3, quality=0.7).quality_for(0.1):.3f}")
        2.683
        """
        return float(positive("data", data) ** (-self.data / self.quality))


def _turning(law: BestOfNLaw | ReinforcementLaw) -> tuple[float, float]:
    for name in ("alpha", "beta"):
        if not getattr(law, name) > 0:
            raise DataError(
                f"{name} is {getattr(law, name):g}, so the curve never rises to a peak and turns; "
                "both coefficients must be positive."
            )
    return float(law.alpha), float(law.beta)


def _linear_starts(curve: type[Curve], x: Floats, y: Floats) -> Floats:
    design = np.stack([curve.formula(x, 1.0, 0.0), curve.formula(x, 0.0, 1.0)], axis=1)
    best = np.linalg.lstsq(design, y, rcond=None)[0]
    return np.array([best, [1.0, 0.1]])
