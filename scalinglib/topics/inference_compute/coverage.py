"""Repeated sampling: pass@k from counts of successes, and the curves that coverage follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln, polygamma, psi
from scipy.stats import binom, hypergeom

from scalinglib.checks import Floats, chance, count_table, positive, whole_counts
from scalinglib.errors import DataError, FitError
from scalinglib.fit.resample import counts as how_often
from scalinglib.fit.resample import draw
from scalinglib.fit.result import Result

ALIKE = 1e6
"""Beta distributions narrower than this concentration mean that all problems are alike."""

SOURCE_GRID: Final = (
    *range(1, 11), *range(12, 21, 2), *range(24, 57, 4), *range(64, 101, 4), *range(105, 151, 5),
    156, 162, 168, 175, 182, 189, 193, 200, 216, 233, 267, 300, 333, 367, 400, 433, 467,
    *range(500, 1001, 50), 1067, 1133, 1200, 1367, 1500, 1750, 2000, 2333, 2667, 3000, 3333, 3667,
    4000, 4333, 4667, 5000, 5333, 5667, 6000, 6333, 6667, 7000, 7333, 7667, 8000, 8500, 9000,
    9500, 10_000,
)  # fmt: skip
"""Numbers of samples at which Schaeffer et al. 2025 count coverage: ``src/globals.py`` of their
repository at commit 028d9ec. More than half lie above 100."""


def sample_grid(largest: int, *, points: int = 101) -> Floats:
    """Whole numbers from 1 to `largest`, evenly spaced in their logarithm, each once."""
    if largest < 1 or points < 2:
        raise DataError(f"largest must be 1 or more and points 2 or more, got {largest}, {points}.")
    return np.unique(np.round(np.logspace(0, np.log10(largest), points)))


def pass_at_k(n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike) -> Floats:
    """Chance that k of the n samples drawn hold a correct one, without bias (Chen et al. 2021).

    A draw of k without replacement misses all c correct ones with probability
    C(n - c, k) / C(n, k). Beyond n the samples hold no unbiased answer, and k is refused.
    """
    n, c, k = whole_counts(n_samples, n_correct, k)
    # Rounding may leave a failure a hair from one where no sample is right.
    result: Floats = np.where(c > 0, 1 - np.exp(hypergeom.logpmf(0, n, c, k)), 0.0)[()]
    return result


def plug_in_pass_at_k(n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike) -> Floats:
    """The tempting estimate 1 - (1 - c/n)^k, which is too low on average; k may exceed n."""
    n, c, k = whole_counts(n_samples, n_correct, k, beyond=True)
    result: Floats = 1 - (1 - c / n) ** k
    return result


def plug_in_bias(rate: float, n_samples: int, k: ArrayLike) -> Floats:
    """Expected plug-in estimate minus the truth for a success `rate`, exactly; never above zero."""
    rate = float(chance("rate", rate))
    drawn = np.arange(n_samples + 1)
    k = np.asarray(k, dtype=np.float64)
    estimate = plug_in_pass_at_k(n_samples, drawn, k[..., None])
    expected = np.sum(binom.pmf(drawn, n_samples, rate) * estimate, axis=-1)
    result: Floats = np.minimum(expected - (1 - (1 - rate) ** k), 0.0)
    return result


def coverage(counts: pd.DataFrame, k: ArrayLike) -> Floats:
    """Share of problems that `k` samples solve, on average over the draws of k."""
    n, c = count_table(counts)
    result: Floats = pass_at_k(n, c, np.asarray(k, dtype=np.float64)[..., None]).mean(axis=-1)
    return result


def thinned(counts: pd.DataFrame, samples: int, *, seed: int) -> pd.DataFrame:
    """What would have been counted, had `samples` of each problem's been drawn."""
    n, c = count_table(counts)
    if not 1 <= samples <= n.min():
        raise DataError(f"samples must lie within 1 to {n.min():.0f}, got {samples}; draw fewer.")
    generator = np.random.default_rng(seed)
    kept = generator.hypergeometric(c.astype(np.int64), (n - c).astype(np.int64), samples)
    return counts.assign(n_samples=samples, n_correct=kept)


def bootstrap_coverage(
    counts: pd.DataFrame, k: int, *, n: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Coverage of several models when the problems are drawn anew, the same ones for all.

    `counts` has columns model, problem_idx, n_samples and n_correct. One row a resample, one
    column a model in the order of the frame.
    """
    drawn, successes = count_table(counts)
    table = counts.assign(solved=pass_at_k(drawn, successes, k)).pivot_table(
        index="problem_idx", columns="model", values="solved", sort=False
    )
    if table.isna().to_numpy().any():
        lacking = table.columns[table.isna().any()][0]
        raise DataError(
            f"model {lacking!r} lacks problems that others have; keep the problems all share."
        )
    size = len(table)
    (positions,) = draw(size, n, seed=seed, multinomial=True)
    weights = how_often(positions, size) / size
    return pd.DataFrame(weights @ table.to_numpy(), columns=list(table.columns))


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """Success rates that differ between problems as a Beta distribution (Schaeffer et al. 2025).

    The density of rates p goes as p^(alpha - 1) near zero, so the share of unsolved problems falls
    as k^-alpha; `beta` is large where most rates are small.
    """

    alpha: float
    beta: float

    @property
    def mean(self) -> float:
        """Mean success rate of one sample."""
        return self.alpha / (self.alpha + self.beta)

    def coverage(self, k: ArrayLike) -> Floats:
        """Expected share of problems solved by k samples, 1 - B(alpha, beta + k)/B(alpha, beta)."""
        k = positive("k", k)
        failure = betaln(self.alpha, self.beta + k) - betaln(self.alpha, self.beta)
        result: Floats = -np.expm1(np.minimum(failure, 0.0))
        return result


@dataclass(frozen=True, slots=True)
class BetaFit(Result[BetaBinomial]):
    """A Beta distribution fitted to counts by maximum likelihood.

    The objective is minus the log-likelihood without binomial coefficients, the residuals are the
    observed rates less their mean, and the standard errors are from the curvature.
    """

    alpha_se: float
    beta_se: float
    predicts: ClassVar[str] = "coverage"
    instead: ClassVar[str] = (
        "its alpha_se and beta_se are standard errors, and its predict takes numbers of samples; "
        "fit problems drawn with replacement for anything else"
    )

    @property
    def rates(self) -> BetaBinomial:
        """The distribution at the optimum."""
        return self.law

    def predict(self, k: ArrayLike) -> Floats:  # type: ignore[override]
        """Expected coverage of `k` samples."""
        return self.law.coverage(k)


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
    n, c = count_table(counts)
    if c.sum() in (0, n.sum()):
        what = "no" if c.sum() == 0 else "every"
        raise FitError(f"{what} sample is correct, so the rates have no spread; draw more samples.")

    mean = c.sum() / n.sum()
    found = [
        minimize(_likelihood, np.log([spread * mean, spread * (1 - mean)]), (n, c), jac=True,
                 method="BFGS", options={"gtol": 1e-9})
        for spread in (0.3, 3.0, 30.0, 300.0)
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    alpha, beta = np.exp(best.x)
    if alpha + beta > ALIKE:
        raise FitError(
            "the counts differ no more than chance makes them differ, so no spread of success "
            "rates can be seen; use more problems or more samples."
        )
    near = float(best.fun) + 1e-9 * max(abs(float(best.fun)), 1.0)
    alpha_se, beta_se = _standard_errors(n, c, alpha, beta)
    rates = BetaBinomial(float(alpha), float(beta))
    return BetaFit(
        law=rates,
        objective=float(best.fun),
        residuals=pd.Series(c / n - rates.mean, index=counts.index, name="residual"),
        warnings=(),
        agreement=float(np.mean([float(one.fun) <= near for one in found])),
        alpha_se=alpha_se,
        beta_se=beta_se,
    )


def _likelihood(x: Floats, n: Floats, c: Floats) -> tuple[float, Floats]:
    """Minus the log-likelihood and its slope at (ln alpha, ln beta)."""
    a, b = np.exp(np.clip(x, -30, 30))
    value = np.sum(betaln(c + a, n - c + b)) - len(n) * betaln(a, b)
    shared = np.sum(psi(a + b) - psi(n + a + b))
    slope = np.array([np.sum(psi(c + a) - psi(a)), np.sum(psi(n - c + b) - psi(b))]) + shared
    return -float(value), -slope * [a, b]


def _standard_errors(n: Floats, c: Floats, a: float, b: float) -> tuple[float, float]:
    """Of alpha and beta, from the curvature of the log-likelihood."""

    def bend(more: Floats, x: float) -> float:
        return float(np.sum(polygamma(1, more + x) - polygamma(1, x)))

    shared = -bend(n, a + b)
    table = np.array([[bend(c, a) + shared, shared], [shared, bend(n - c, b) + shared]])
    alpha, beta = np.sqrt(np.diag(np.linalg.inv(-table)))
    return float(alpha), float(beta)
