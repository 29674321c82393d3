"""Success rates that differ by problem: where the power law comes from, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, polygamma, psi

from scalinglib._newton import Floats
from scalinglib.compute import positive
from scalinglib.errors import DataError, FitError
from scalinglib.inference import columns

ALIKE = 1e6
"""Beta distributions narrower than this concentration mean that all problems are alike."""


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """Success rates that differ between problems as a Beta distribution.

    Parameters
    ----------
    alpha : float
        Exponent of the tail of hard problems: the density of rates p goes as p^(alpha - 1) near
        zero, so the share of unsolved problems falls as k^-alpha.
    beta : float
        Second shape, large where most rates are small.

    References
    ----------
    Schaeffer et al. 2025, "How Do Large Language Monkeys Get Their Power (Laws)?", Sec. 4.

    Examples
    --------
    >>> rates = BetaBinomial(alpha=0.3, beta=12.0)
    >>> print(f"{rates.mean:.4f} {rates.coverage(1.0):.4f} {rates.coverage(1e4):.3f}")
    0.0244 0.0244 0.868
    """

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """Mean success rate of one sample."""
        return self.alpha / (self.alpha + self.beta)

    def coverage(self, k: ArrayLike) -> Floats:
        """Expected share of problems solved by `k` samples, 1 - B(alpha, beta + k)/B(alpha, beta).

        Parameters
        ----------
        k : array_like
            Samples per problem.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If `k` is not positive.
        """
        k = positive("k", k)
        failure = betaln(self.alpha, self.beta + k) - betaln(self.alpha, self.beta)
        result: Floats = -np.expm1(np.minimum(failure, 0.0))
        return result

    def unsolved(self, k: ArrayLike) -> Floats:
        """The power law that unsolved problems tend to, Gamma(a + b)/Gamma(b) k^-a.

        Parameters
        ----------
        k : array_like
            Samples per problem.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        DataError
            If `k` is not positive.
        """
        height = np.exp(gammaln(self.alpha + self.beta) - gammaln(self.beta))
        result: Floats = height * positive("k", k) ** -self.alpha
        return result


@dataclass(frozen=True, slots=True)
class BetaFit:
    """A Beta distribution fitted to counts by maximum likelihood.

    Parameters
    ----------
    rates : BetaBinomial
        At the optimum.
    log_likelihood : float
        Without the binomial coefficients, which do not depend on the parameters.
    alpha_se, beta_se : float
        Standard errors from the curvature of the likelihood.
    agreement : float
        Share of the starts that reached this likelihood.

    Examples
    --------
    >>> counts = pd.DataFrame({"n_samples": 100, "n_correct": [0, 0, 0, 1, 2, 5, 20, 60]})
    >>> fit = fit_beta_binomial(counts)
    >>> print(f"{fit.rates.alpha:.3f} {fit.agreement:.0%}")
    0.212 100%
    """

    rates: BetaBinomial
    log_likelihood: float
    alpha_se: float
    beta_se: float
    agreement: float


def fit_beta_binomial(counts: pd.DataFrame) -> BetaFit:
    """Fit the spread of success rates over problems, from how often each was solved.

    Problems never solved count: their rate is small, not zero. A histogram of observed rates
    loses them.

    Parameters
    ----------
    counts : DataFrame
        Columns n_samples and n_correct, one row per problem.

    Returns
    -------
    BetaFit

    Raises
    ------
    DataError
        If a count is not valid.
    FitError
        If no sample or every sample is correct, or the counts differ no more than chance makes
        them differ: then no spread of rates can be seen.

    Examples
    --------
    >>> draws = np.random.default_rng(0)
    >>> rates = draws.beta(0.3, 5.0, 4000)
    >>> counts = pd.DataFrame({"n_samples": 1000, "n_correct": draws.binomial(1000, rates)})
    >>> print(f"{fit_beta_binomial(counts).rates.alpha:.1f}")
    0.3
    """
    n, c = columns(counts)
    if c.sum() in (0, n.sum()):
        what = "no" if c.sum() == 0 else "every"
        raise FitError(f"{what} sample is correct, so the rates have no spread; draw more samples.")

    def objective(x: Floats) -> tuple[float, Floats]:
        a, b = np.exp(np.clip(x, -30, 30))
        value = np.sum(betaln(c + a, n - c + b)) - len(n) * betaln(a, b)
        shared = np.sum(psi(a + b) - psi(n + a + b))
        slope = np.array([np.sum(psi(c + a) - psi(a)), np.sum(psi(n - c + b) - psi(b))]) + shared
        return -float(value), -slope * [a, b]

    mean = c.sum() / n.sum()
    found = [
        minimize(objective, np.log([spread * mean, spread * (1 - mean)]), jac=True, method="BFGS",
                 options={"gtol": 1e-9})
        for spread in (0.3, 3.0, 30.0, 300.0)
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    alpha, beta = np.exp(best.x)
    if alpha + beta > ALIKE:
        raise FitError(
            "the counts differ no more than chance makes them differ, so no spread of success "
            "rates can be seen; use more problems or more samples."
        )
    scale = max(abs(float(best.fun)), 1.0)
    close = [float(one.fun) <= float(best.fun) + 1e-9 * scale for one in found]
    errors = _standard_errors(n, c, alpha, beta)
    return BetaFit(
        rates=BetaBinomial(float(alpha), float(beta)),
        log_likelihood=-float(best.fun),
        alpha_se=errors[0],
        beta_se=errors[1],
        agreement=float(np.mean(close)),
    )


def _standard_errors(n: Floats, c: Floats, a: float, b: float) -> tuple[float, float]:
    def bend(x: Floats | float) -> Floats:
        second: Floats = np.asarray(polygamma(1, x))
        return second

    shared = np.sum(bend(a + b) - bend(n + a + b))
    first = np.sum(bend(c + a) - bend(a)) + shared
    second = np.sum(bend(n - c + b) - bend(b)) + shared
    covariance = np.linalg.inv(-np.array([[first, shared], [shared, second]]))
    return float(np.sqrt(covariance[0, 0])), float(np.sqrt(covariance[1, 1]))


def answered(counts: pd.DataFrame, k: ArrayLike, *, false_accept: float) -> Floats:
    """Share of problems answered rightly by the first sample that a fallible checker accepts.

    The checker accepts every right sample and a share of the wrong ones. If none of `k` samples
    is accepted the problem counts as not answered.

    Parameters
    ----------
    counts : DataFrame
        Columns n_samples and n_correct; rates are taken as n_correct / n_samples.
    k : array_like
        Most samples per problem.
    false_accept : float
        Share of wrong samples that the checker accepts, 0 to 1.

    Returns
    -------
    ndarray of float64
        With the shape of `k`. It never exceeds the mean of p / (p + (1 - p) false_accept).

    Raises
    ------
    DataError
        If `false_accept` is not within 0 to 1, or a count is not valid.

    Examples
    --------
    >>> counts = pd.DataFrame({"n_samples": [10], "n_correct": [1]})
    >>> print(answered(counts, [1, 10, 1000], false_accept=0.1).round(3))
    [0.1   0.462 0.526]
    """
    if not 0 <= false_accept <= 1:
        raise DataError(f"false_accept must lie between 0 and 1, got {false_accept:g}.")
    n, c = columns(counts)
    right = c / n
    accepted = right + (1 - right) * false_accept
    k = np.asarray(k, dtype=np.float64)
    if not (k >= 1).all():
        raise DataError("k must be 1 or more; it counts samples.")
    some = 1 - (1 - accepted) ** k[..., None]
    precision = np.divide(right, accepted, out=np.zeros_like(right), where=accepted > 0)
    result: Floats = (some * precision).mean(axis=-1)
    return result


def nothing_solved(counts: pd.DataFrame) -> float:
    """Chance that one try at every problem brings not a single success.

    Parameters
    ----------
    counts : DataFrame
        Columns n_samples and n_correct.

    Returns
    -------
    float
        The product of the failure rates.

    Raises
    ------
    DataError
        If a count is not valid.

    Examples
    --------
    >>> nothing_solved(pd.DataFrame({"n_samples": [4, 2], "n_correct": [1, 1]}))
    0.375
    """
    n, c = columns(counts)
    return float(np.prod(1 - c / n))
