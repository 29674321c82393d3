"""Best-of-n sampling: how far it moves a policy, what it wins, and what a noisy score costs it.

Best-of-n draws n answers and keeps the one that a score, the proxy, likes best. Its distance
from the policy that drew them follows from ranks alone, its true reward from one set of samples.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammaln, log_ndtr
from scipy.stats import norm

from scalinglib._newton import Floats
from scalinglib.errors import DataError

LARGEST_KL = 700.0
"""Nats; beyond it the number of samples leaves the range of float64."""

NEWTON_STEPS = 8
"""Twice as many as any divergence from 1e-12 to 700 nats needs."""

ENUMERABLE = 20
"""Samples up to which all subsets are listed."""

CHUNK = 1 << 22
"""Random numbers drawn at a time by a simulation."""

_GRID = np.linspace(0.0, 12.0, 4801)
_STEP = float(_GRID[1])


def at_least(name: str, value: ArrayLike, low: float) -> Floats:
    """Return `value` as float64, refusing what is below `low` or not a number.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
    low : float
        Smallest value allowed.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If a value is not numeric, is NaN or lies below `low`.

    Examples
    --------
    >>> at_least("n", [1, 4], 1)
    array([1., 4.])
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be numeric, got {value!r}.") from error
    good = array >= low
    if not good.all():
        bad = array[~good].flat[0]
        raise DataError(f"{name} must be {low:g} or more, got {bad:g}; correct that value.")
    return array


def kl_best_of_n(n: ArrayLike) -> Floats:
    """KL divergence of best-of-n from the policy that draws the samples, ln n - (n - 1)/n.

    Exact if no two draws ever share a score, whatever the scores are; an upper bound otherwise.

    Parameters
    ----------
    n : array_like
        Samples among which the best is chosen, 1 or more; numbers between integers are allowed.

    Returns
    -------
    ndarray of float64
        Nats; a scalar for scalar input.

    Raises
    ------
    DataError
        If `n` is below 1.

    References
    ----------
    Stiennon et al. 2020, App. G.3; Gao et al. 2023, Sec. 3.1. The bound: Beirami et al. 2024.

    Examples
    --------
    >>> print(kl_best_of_n([1, 1000, 60_000]).round(4))
    [ 0.      5.9088 10.0021]
    """
    n = at_least("n", n, 1.0)
    kl: Floats = np.log(n) - (n - 1) / n
    return kl


def n_for_kl(kl: ArrayLike) -> Floats:
    """Samples that best-of-n needs to move a policy by `kl`, the inverse of `kl_best_of_n`.

    Parameters
    ----------
    kl : array_like
        Nats, from 0 to 700.

    Returns
    -------
    ndarray of float64
        Number of samples, not rounded; a scalar for scalar input.

    Raises
    ------
    DataError
        If `kl` is negative or above 700.

    Notes
    -----
    In t = ln n the relation reads t + exp(-t) - 1 = kl. The left side is convex, so Newton's
    method falls to the root from any point above it.

    Examples
    --------
    >>> print(n_for_kl(kl_best_of_n([1, 4, 1000])).round(6).tolist())
    [1.0, 4.0, 1000.0]
    """
    kl = at_least("kl", kl, 0.0)
    if (kl > LARGEST_KL).any():
        raise DataError(f"kl must be {LARGEST_KL:g} nats or less, got {kl.max():g}.")
    log_n = kl + np.sqrt(2 * kl)
    for _ in range(NEWTON_STEPS):
        slope = -np.expm1(-log_n)
        gap = log_n - slope - kl
        log_n = np.where(slope > 0, log_n - gap / np.where(slope > 0, slope, 1.0), log_n)
    n: Floats = np.exp(log_n)
    return n


def kl_best_of_n_discrete(probabilities: ArrayLike, n: ArrayLike) -> Floats:
    """KL divergence of best-of-n for a policy with finitely many answers, exactly.

    Parameters
    ----------
    probabilities : array_like, shape (k,)
        Of the answers under the policy, from the lowest score to the highest; answers of equal
        score enter as one. They are divided by their sum.
    n : array_like
        Samples, 1 or more.

    Returns
    -------
    ndarray of float64
        Nats, with the shape of `n`; never above `kl_best_of_n` nor above minus the logarithm of
        the last probability.

    Raises
    ------
    DataError
        If a probability is not positive, or `n` is below 1.

    References
    ----------
    Beirami et al. 2024, "Theoretical guarantees on the best-of-n alignment policy".

    Examples
    --------
    >>> print(kl_best_of_n_discrete([0.5, 0.5], [1, 2, 1000]).round(4))
    [0.     0.1308 0.6931]
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 1 or not len(p) or not (np.isfinite(p) & (p > 0)).all():
        raise DataError(
            "probabilities must be a list of positive numbers; leave out answers that never occur."
        )
    n = at_least("n", n, 1.0)[..., None]
    p = p / p.sum()
    top = _log_shares(p)
    below = np.concatenate([[-np.inf], top[:-1]])
    # ln of F^n - G^n, with F and G the shares of answers up to this one and below it.
    with np.errstate(divide="ignore"):
        log_q = n * top + np.log(-np.expm1(n * (below - top)))
    terms = np.exp(log_q) * np.where(np.isfinite(log_q), log_q - np.log(p), 0.0)
    kl: Floats = np.maximum(terms.sum(axis=-1), 0.0)
    return kl


def _log_shares(p: Floats) -> Floats:
    """Logarithm of the running sum of probabilities, exact near one as well as near zero."""
    up_to = np.cumsum(p)
    beyond = np.append(np.cumsum(p[:0:-1])[::-1], 0.0)
    shares: Floats = np.where(up_to < 0.5, np.log(up_to), np.log1p(-np.minimum(beyond, 0.5)))
    return shares


def simulated_kl(n: int, *, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """KL divergence of best-of-n by simulation: draw, keep the best, average the log ratio.

    Parameters
    ----------
    n : int
        Samples, 1 or more.
    draws : int
        How often the best of `n` is drawn, 2 or more.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    estimate, standard_error : float
        Nats.

    Raises
    ------
    DataError
        If `n` is below 1 or `draws` below 2.

    Notes
    -----
    Only ranks matter, so scores may be taken as uniform. The best of n then has density
    n u^(n-1), and the logarithm of its ratio to the uniform density is averaged over winners.

    Examples
    --------
    >>> mean, error = simulated_kl(8, draws=20_000, rng=np.random.default_rng(0))
    >>> bool(abs(mean - kl_best_of_n(8)) < 4 * error)
    True
    """
    n, draws = int(at_least("n", n, 1)), int(at_least("draws", draws, 2))
    rows = max(1, CHUNK // n)
    best = np.concatenate(
        [rng.random((min(rows, draws - k), n)).max(axis=1) for k in range(0, draws, rows)]
    )
    ratio = np.log(n) + (n - 1) * np.log(best)
    return float(ratio.mean()), float(ratio.std(ddof=1) / np.sqrt(draws))


def normal_maximum(n: ArrayLike) -> Floats:
    """Mean of the best of `n` standard normal scores.

    Parameters
    ----------
    n : array_like
        Samples, from 1 to 1e15; numbers between integers are allowed.

    Returns
    -------
    ndarray of float64
        In standard deviations of the score; a scalar for scalar input.

    Raises
    ------
    DataError
        If `n` is below 1 or above 1e15.

    Notes
    -----
    The trapezoidal rule on a wide grid, which converges faster than any power for densities
    that vanish at both ends.

    Examples
    --------
    >>> print(normal_maximum([2, 3, 1000]).round(4))
    [0.5642 0.8463 3.2414]
    """
    n = at_least("n", n, 1.0)
    if (n > 1e15).any():
        raise DataError(f"n must be 1e15 or less, got {n.max():g}.")
    # Pairing x with -x makes the mean of a single score exactly zero.
    tilt = np.exp((n[..., None] - 1) * log_ndtr(_GRID)) - np.exp(
        (n[..., None] - 1) * log_ndtr(-_GRID)
    )
    mean: Floats = n * np.sum(_GRID * norm.pdf(_GRID) * tilt, axis=-1) * _STEP
    return mean


def normal_promise(n: ArrayLike) -> Floats:
    """What best-of-n wins on a normal score, per unit of its first slope in sqrt(KL).

    A score that was a fair forecast of the truth where it was learned promises the truth's own
    first slope times this. It is nearly a straight line in sqrt(KL).

    Parameters
    ----------
    n : array_like
        Samples, from 1 to 1e15; numbers between integers are allowed.

    Returns
    -------
    ndarray of float64
        In square roots of a nat.

    Raises
    ------
    DataError
        If `n` is below 1 or above 1e15.

    Examples
    --------
    >>> ratio = normal_promise([2, 60_000]) / np.sqrt(kl_best_of_n([2, 60_000]))
    >>> print(ratio.round(3))
    [1.005 1.057]
    """
    # At n = 1 the mean grows by this per sample, and sqrt(KL) by one over the root of two.
    odds = log_ndtr(_GRID) - log_ndtr(-_GRID)
    per_sample = np.sum(_GRID * norm.pdf(_GRID) * odds) * _STEP
    promise: Floats = normal_maximum(n) / (np.sqrt(2) * per_sample)
    return promise


def best_of_n_estimate(proxy: ArrayLike, gold: ArrayLike, n: ArrayLike) -> Floats:
    """Mean gold reward of best-of-n from one set of samples, without bias.

    It averages over all subsets of `n` of the samples at once: a sample of rank i wins in
    C(i - 1, n - 1) of the C(N, n) subsets. Ties in the proxy are broken at random.

    Parameters
    ----------
    proxy : array_like, shape (N,)
        Score by which the best is chosen.
    gold : array_like, shape (N,)
        What the chosen answer is worth.
    n : array_like of int
        Samples, from 1 to N.

    Returns
    -------
    ndarray of float64
        In the unit of `gold`, with the shape of `n`.

    Raises
    ------
    DataError
        If the scores are not two lists of equal length of finite numbers, or `n` is not a whole
        number between 1 and N.

    References
    ----------
    Nakano et al. 2021, "WebGPT", App. I.

    Examples
    --------
    >>> print(best_of_n_estimate([1, 2, 3, 4], [0.0, 2.0, 1.0, 5.0], [1, 2, 4]).round(4))
    [2.     3.1667 5.    ]
    """
    proxy, gold = _scores(proxy, gold)
    size = len(proxy)
    n = _subset_sizes(n, size)
    ranked = _tied_means(proxy, gold)
    log_factorial = gammaln(np.arange(1, size + 1))
    flat = np.empty(n.size)
    for j, k in enumerate(n.ravel().astype(int)):
        # C(i - 1, k - 1) up to a factor that all ranks i share, for i from k to N.
        log_weight = log_factorial[k - 1 :] - log_factorial[: size - k + 1]
        weight = np.exp(log_weight - log_weight[-1])
        flat[j] = weight @ ranked[k - 1 :] / weight.sum()
    return flat.reshape(n.shape)


def best_of_n_by_enumeration(proxy: ArrayLike, gold: ArrayLike, n: int) -> float:
    """Mean gold reward of best-of-n by listing every subset: slow, and beyond doubt.

    Parameters
    ----------
    proxy, gold : array_like, shape (N,)
        As in `best_of_n_estimate`, N at most 20.
    n : int
        Samples, from 1 to N.

    Returns
    -------
    float

    Raises
    ------
    DataError
        As in `best_of_n_estimate`, and if there are more than 20 samples.

    Examples
    --------
    >>> print(f"{best_of_n_by_enumeration([1, 2, 3, 4], [0.0, 2.0, 1.0, 5.0], 2):.4f}")
    3.1667
    """
    proxy, gold = _scores(proxy, gold)
    if len(proxy) > ENUMERABLE:
        raise DataError(
            f"{len(proxy)} samples have too many subsets to list; use best_of_n_estimate."
        )
    size = int(_subset_sizes(n, len(proxy)))
    won = []
    for subset in combinations(range(len(proxy)), size):
        chosen = np.array(subset)
        won.append(gold[chosen][proxy[chosen] == proxy[chosen].max()].mean())
    return float(np.mean(won))


def regressional_gold(score: ArrayLike, *, gold_sd: float, error_sd: float) -> Floats:
    """True reward to expect behind a score that is the truth plus an independent error.

    For a normal truth X and a normal error Z, both with mean zero, the expectation of X given
    X + Z = score is the score times Var X / (Var X + Var Z).

    Parameters
    ----------
    score : array_like
        Value of X + Z.
    gold_sd, error_sd : float
        Standard deviations of X and Z; the second may be zero.

    Returns
    -------
    ndarray of float64
        In the unit of `score`.

    Raises
    ------
    DataError
        If `gold_sd` is not positive or `error_sd` is negative.

    References
    ----------
    Gao et al. 2023, Eq. 1.

    Examples
    --------
    >>> print(regressional_gold([-1.0, 2.0], gold_sd=1.0, error_sd=1.0))
    [-0.5  1. ]
    """
    variance = float(at_least("gold_sd", gold_sd, np.nextafter(0, 1))) ** 2
    error = float(at_least("error_sd", error_sd, 0.0)) ** 2
    gold: Floats = np.asarray(score, dtype=np.float64) * (variance / (variance + error))
    return gold


def binned_gold(score: ArrayLike, gold: ArrayLike, *, edges: ArrayLike) -> pd.DataFrame:
    """Mean true reward in bins of the score: the regression of one on the other, measured.

    Parameters
    ----------
    score, gold : array_like, shape (N,)
        Of the same samples.
    edges : array_like
        Rising ends of the bins.

    Returns
    -------
    pandas.DataFrame
        Columns score and gold (means within the bin), se (standard error of the second) and
        count; bins with fewer than two samples are left out.

    Raises
    ------
    DataError
        If the scores are not two lists of equal length of finite numbers.

    Examples
    --------
    >>> table = binned_gold([0.1, 0.2, 1.1, 1.3], [0.0, 1.0, 1.0, 3.0], edges=[0, 1, 2])
    >>> print(table.gold.tolist(), table["count"].tolist())
    [0.5, 2.0] [2, 2]
    """
    score, gold = _scores(score, gold)
    frame = pd.DataFrame({"score": score, "gold": gold})
    bins = frame.groupby(np.digitize(score, np.asarray(edges, dtype=np.float64)))
    table = bins.agg(
        score=("score", "mean"), gold=("gold", "mean"), se=("gold", "sem"), count=("gold", "size")
    )
    inside = (table.index > 0) & (table.index < np.size(edges)) & (table["count"] > 1)
    return table[inside].reset_index(drop=True)


def _scores(proxy: ArrayLike, gold: ArrayLike) -> tuple[Floats, Floats]:
    lists = []
    for name, value in (("proxy", proxy), ("gold", gold)):
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"{name} must hold numbers only; convert or remove the rest."
            ) from error
        if array.ndim != 1 or not len(array):
            raise DataError(f"{name} must be a list of at least one score, got {array.shape}.")
        if not np.isfinite(array).all():
            at = int(np.flatnonzero(~np.isfinite(array))[0])
            raise DataError(f"{name} is {array[at]} at position {at}; remove or correct it.")
        lists.append(array)
    if len(lists[0]) != len(lists[1]):
        raise DataError(
            f"proxy has {len(lists[0])} scores and gold {len(lists[1])}; give one of each a sample."
        )
    return lists[0], lists[1]


def _subset_sizes(n: ArrayLike, size: int) -> Floats:
    n = at_least("n", n, 1.0)
    if (n != np.floor(n)).any() or (n > size).any():
        bad = n[(n != np.floor(n)) | (n > size)].flat[0]
        raise DataError(f"n must be a whole number from 1 to the {size} samples, got {bad:g}.")
    return n


def _tied_means(proxy: Floats, gold: Floats) -> Floats:
    """Gold rewards in the order of the proxy, tied ones replaced by their mean."""
    _, group, count = np.unique(proxy, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=gold) / count
    ranked: Floats = np.repeat(means, count)
    return ranked
