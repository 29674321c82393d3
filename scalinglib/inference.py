"""Repeated sampling: pass@k from counts of successes, and the curves that coverage follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln
from scipy.stats import binom

from scalinglib._newton import Floats
from scalinglib.curves import Curve
from scalinglib.errors import DataError

COUNTS = ("n_samples", "n_correct")


def sample_grid(largest: int, *, points: int = 101) -> Floats:
    """Whole numbers of samples, evenly spaced in their logarithm.

    Parameters
    ----------
    largest : int
        The last number; the first is 1.
    points : int, default 101
        Before rounding; numbers that round alike are kept once.

    Returns
    -------
    ndarray of float64
        Ascending.

    Raises
    ------
    DataError
        If `largest` is below 1 or `points` below 2.

    Examples
    --------
    >>> sample_grid(10, points=5)
    array([ 1.,  2.,  3.,  6., 10.])
    """
    if largest < 1 or points < 2:
        raise DataError(f"largest must be 1 or more and points 2 or more, got {largest}, {points}.")
    return np.unique(np.round(np.logspace(0, np.log10(largest), points)))


def pass_at_k(n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike) -> Floats:
    """Chance that k of the samples drawn hold a correct one, without bias.

    Of n samples c are correct. A draw of k without replacement misses all of them with
    probability C(n - c, k) / C(n, k), computed here through log-gamma, so that n may be large.

    Parameters
    ----------
    n_samples, n_correct, k : array_like
        Counts; they are broadcast.

    Returns
    -------
    ndarray of float64
        A scalar for scalar input.

    Raises
    ------
    DataError
        If a count is not a whole number, more samples are correct than were drawn, or k is not
        within 1 to n: beyond n the samples hold no unbiased answer.

    References
    ----------
    Chen et al. 2021, "Evaluating Large Language Models Trained on Code", Eq. 1.

    Examples
    --------
    >>> print(pass_at_k(10, 3, [1, 2, 8]).round(4))
    [0.3    0.5333 1.    ]
    """
    n, c, k = _counts(n_samples, n_correct, k)
    misses = np.maximum(n - c - k, 0.0)  # where this is cut off the answer is 1 all the same
    log = gammaln(n - c + 1) - gammaln(misses + 1) + gammaln(n - k + 1) - gammaln(n + 1)
    # Rounding may leave a failure a hair above one where no sample is right.
    failure = np.where(c == 0, 1.0, np.exp(np.minimum(log, 0.0)))
    result: Floats = np.where(n - c < k, 1.0, 1.0 - failure)[()]
    return result


def plug_in_pass_at_k(n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike) -> Floats:
    """The tempting estimate 1 - (1 - c/n)^k, which is too low on average.

    Parameters
    ----------
    n_samples, n_correct, k : array_like
        As in `pass_at_k`; here nothing breaks above n, and nothing becomes true either.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If a count is not valid.

    Examples
    --------
    >>> print(plug_in_pass_at_k(10, 3, [1, 2, 8]).round(4))
    [0.3    0.51   0.9424]
    """
    n, c, k = _counts(n_samples, n_correct, k, beyond=True)
    result: Floats = 1 - (1 - c / n) ** k
    return result


def plug_in_bias(rate: float, n_samples: int, k: ArrayLike) -> Floats:
    """How far the plug-in estimate is off on average, exactly.

    Parameters
    ----------
    rate : float
        True chance of success of one sample.
    n_samples : int
        Samples drawn.
    k : array_like
        Attempts.

    Returns
    -------
    ndarray of float64
        Expected estimate minus truth, never above zero; with the shape of `k`.

    Raises
    ------
    DataError
        If `rate` is not within 0 to 1, or a count is not valid.

    Examples
    --------
    >>> print(plug_in_bias(0.01, 100, [1, 10, 100]).round(3))
    [ 0.    -0.004 -0.163]
    """
    if not 0 <= rate <= 1:
        raise DataError(f"rate must lie between 0 and 1, got {rate:g}.")
    drawn = np.arange(n_samples + 1)
    k = np.asarray(k, dtype=np.float64)
    estimate = plug_in_pass_at_k(n_samples, drawn, k[..., None])
    expected = np.sum(binom.pmf(drawn, n_samples, rate) * estimate, axis=-1)
    result: Floats = np.minimum(expected - (1 - (1 - rate) ** k), 0.0)
    return result


def coverage(counts: pd.DataFrame, k: ArrayLike) -> Floats:
    """Share of problems that k samples solve, on average over the draws of k.

    Parameters
    ----------
    counts : DataFrame
        One row per problem, columns n_samples and n_correct.
    k : array_like
        Samples per problem.

    Returns
    -------
    ndarray of float64
        With the shape of `k`.

    Raises
    ------
    DataError
        If a column is missing, a count is not valid, or k exceeds the samples of a problem.

    Examples
    --------
    >>> counts = pd.DataFrame({"n_samples": [4, 4], "n_correct": [1, 0]})
    >>> print(coverage(counts, [1, 2, 4]))
    [0.125 0.25  0.5  ]
    """
    n, c = columns(counts)
    result: Floats = pass_at_k(n, c, np.asarray(k, dtype=np.float64)[..., None]).mean(axis=-1)
    return result


def thinned(counts: pd.DataFrame, samples: int, *, seed: int) -> pd.DataFrame:
    """What would have been counted, had fewer samples been drawn.

    Parameters
    ----------
    counts : DataFrame
        Columns n_samples and n_correct.
    samples : int
        Samples to keep of each problem, drawn without replacement.
    seed : int
        Seed of ``numpy.random.default_rng``.

    Returns
    -------
    DataFrame
        The same rows with the smaller counts.

    Raises
    ------
    DataError
        If a problem has fewer samples.

    Examples
    --------
    >>> counts = pd.DataFrame({"n_samples": [100], "n_correct": [100]})
    >>> thinned(counts, 5, seed=0).n_correct.item()
    5
    """
    n, c = columns(counts)
    if not 1 <= samples <= n.min():
        raise DataError(f"samples must lie within 1 to {n.min():.0f}, got {samples}; draw fewer.")
    generator = np.random.default_rng(seed)
    kept = generator.hypergeometric(c.astype(np.int64), (n - c).astype(np.int64), samples)
    return counts.assign(n_samples=samples, n_correct=kept)


def bootstrap_coverage(
    counts: pd.DataFrame, k: int, *, n: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Coverage of several models when the problems are drawn anew, the same ones for all.

    Parameters
    ----------
    counts : DataFrame
        Columns model, problem_idx, n_samples, n_correct; every model on the same problems.
    k : int
        Samples per problem.
    n : int, default 2000
        Resamples.
    seed : int, default 0
        Seed of ``numpy.random.default_rng``.

    Returns
    -------
    DataFrame, shape (n, models)
        Coverage, models in the order of the frame.

    Raises
    ------
    DataError
        If the models were not asked the same problems, or a count is not valid.

    Examples
    --------
    >>> counts = pd.DataFrame({"model": ["a", "a", "b", "b"], "problem_idx": [0, 1, 0, 1],
    ...                        "n_samples": 10, "n_correct": [5, 5, 0, 10]})
    >>> draws = bootstrap_coverage(counts, 1, n=200)
    >>> print(draws.a.max(), draws.b.min(), draws.b.max())
    0.5 0.0 1.0
    """
    successes, drawn = columns(counts)[::-1]
    chance = pd.Series(pass_at_k(drawn, successes, k), index=counts.index)
    table = pd.DataFrame(
        {"model": counts["model"], "problem": counts["problem_idx"], "chance": chance}
    ).pivot_table(index="problem", columns="model", values="chance", sort=False)
    if table.isna().to_numpy().any():
        lacking = table.columns[table.isna().any()][0]
        raise DataError(
            f"model {lacking!r} lacks problems that others have; keep the problems all share."
        )
    size = len(table)
    weights = np.random.default_rng(seed).multinomial(size, np.full(size, 1 / size), size=n) / size
    return pd.DataFrame(weights @ table.to_numpy(), columns=list(table.columns))


def log_depth(coverage: Any) -> Any:
    """ln(-ln c), in which an exponentiated power law is a straight line against ln k.

    Parameters
    ----------
    coverage : array_like
        Between 0 and 1, both excluded; complex numbers are let through, so that `fit_curve` can
        use it as its transform.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> print(log_depth(np.exp(-np.exp(2.0))).round(6))
    2.0
    """
    return np.log(-np.log(coverage))


@dataclass(frozen=True, slots=True)
class ExponentiatedPowerLaw(Curve):
    """Coverage whose negative logarithm is a power law, c = exp(-a k^-b).

    Parameters
    ----------
    a : float
        -ln of coverage at one sample.
    b : float
        Exponent of that logarithm in the number of samples.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Brown et al. 2024, "Large Language Monkeys", Sec. 3.

    Examples
    --------
    >>> curve = ExponentiatedPowerLaw(a=4.33, b=0.38)
    >>> print(curve.value([1.0, 100.0, 1e4]).round(3))
    [0.013 0.471 0.877]
    """

    a: float
    b: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"a": (0.0, np.inf), "b": (0.0, np.inf)}

    @staticmethod
    def formula(x: Floats, a: Any, b: Any) -> Any:
        """The curve at `x`."""
        return np.exp(-a * np.exp(-b * np.log(x)))

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """The straight line through ln(-ln y), and the same with flatter and steeper slopes."""
        height = np.log(-np.log(np.clip(y, 1e-9, 1 - 1e-9)))
        slope, level = np.polyfit(np.log(x), height, 1)
        b = max(-slope, 1e-3)
        return np.array([[np.exp(level), b * factor] for factor in (1.0, 0.5, 2.0)])


@dataclass(frozen=True, slots=True)
class LogLinear(Curve):
    """A quantity that gains the same amount with every doubling, y = start + gain log2 x.

    Parameters
    ----------
    start : float
        Value at x = 1, in the unit of y.
    gain : float
        What a doubling adds, in the unit of y.
    source : str, default ""
        Where the constants were printed.

    Examples
    --------
    >>> print(LogLinear(start=0.1, gain=0.05).value([1.0, 2.0, 8.0]))
    [0.1  0.15 0.25]
    """

    start: float
    gain: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    @staticmethod
    def formula(x: Floats, start: Any, gain: Any) -> Any:
        """The line at `x`."""
        return start + gain * np.log2(x)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """The least-squares line itself."""
        gain, start = np.polyfit(np.log2(x), y, 1)
        return np.array([[start, gain]])

    def reaches(self, y: float) -> float:
        """The x at which the line stands at `y`."""
        return float(2 ** ((y - self.start) / self.gain))


def columns(counts: pd.DataFrame) -> tuple[Floats, Floats]:
    """Samples and successes of a table of counts, checked.

    Parameters
    ----------
    counts : DataFrame
        Columns n_samples and n_correct.

    Returns
    -------
    n_samples, n_correct : ndarray of float64

    Raises
    ------
    DataError
        If a column is missing, there are no rows, or a count is not valid.

    Examples
    --------
    >>> columns(pd.DataFrame({"n_samples": [4], "n_correct": [1]}))
    (array([4.]), array([1.]))
    """
    for name in COUNTS:
        if name not in counts:
            raise DataError(f"counts has no column {name!r}; add it, or rename the one that is.")
    if not len(counts):
        raise DataError("counts is empty: there are no problems; check the filter that made it.")
    n, c, _ = _counts(counts["n_samples"], counts["n_correct"], 1)
    return n, c


def _counts(
    n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike, *, beyond: bool = False
) -> tuple[Floats, Floats, Floats]:
    named = {"n_samples": n_samples, "n_correct": n_correct, "k": k}
    arrays = {}
    for name, values in named.items():
        try:
            array = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{name} must hold numbers only; convert or remove the rest."
            ) from error
        least = 0 if name == "n_correct" else 1
        bad = ~((array >= least) & (array == np.floor(array)) & np.isfinite(array))
        if bad.any():
            raise DataError(
                f"{name} must hold whole numbers of {least} or more, got {array[bad].flat[0]:g}."
            )
        arrays[name] = array
    n, c, tries = arrays["n_samples"], arrays["n_correct"], arrays["k"]
    if (c > n).any():
        raise DataError("n_correct exceeds n_samples; check that the columns are not swapped.")
    if not beyond and (tries > n).any():
        raise DataError(
            f"k is {tries.max():g} but a problem has only {n.min():g} samples, which hold no "
            "unbiased answer beyond their number; use a smaller k, or fit a curve and say so."
        )
    return n, c, tries
