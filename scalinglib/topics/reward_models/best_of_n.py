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

from scalinglib.checks import Floats, at_least, equally_long, listed, positive
from scalinglib.errors import DataError

LARGEST_KL = 700.0
"""Nats; beyond it the number of samples leaves the range of float64."""

NEWTON_STEPS = 8
"""Twice as many as any divergence from 1e-12 to `LARGEST_KL` needs."""

ENUMERABLE = 20
"""Samples up to which all subsets are listed."""

CHUNK = 1 << 22
"""Random numbers drawn at a time by a simulation."""

_GRID = np.linspace(0.0, 12.0, 4801)

_STEP = float(_GRID[1])


def kl_best_of_n(n: ArrayLike) -> Floats:
    """KL divergence (nats) of best-of-n from its policy, ln n - (n - 1)/n (Stiennon et al. 2020).

    Exact if no two draws share a score, an upper bound otherwise (Beirami et al. 2024). `n` may
    lie between integers.
    """
    n = at_least("n", n, 1.0)
    kl: Floats = np.log(n) - (n - 1) / n
    return kl


def n_for_kl(kl: ArrayLike) -> Floats:
    """Samples, not rounded, that best-of-n needs to move a policy by `kl` nats.

    With t = ln n, t + exp(-t) - 1 = kl. The left side is convex, so Newton's method falls to the
    root from any point above it.
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
    """KL divergence (nats) of best-of-n for finitely many answers, exactly (Beirami et al. 2024).

    `probabilities` run from the lowest score to the highest and are divided by their sum; answers
    of equal score enter as one, those that never occur not at all.
    """
    p = positive("probabilities", listed("probabilities", probabilities))
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
    """KL divergence of best-of-n (nats) by simulation, and its standard error.

    Only ranks matter, so scores may be taken as uniform: the best of n then has density
    n u^(n-1), and the logarithm of its ratio to the uniform density is averaged over `draws`.
    """
    n, draws = int(at_least("n", n, 1)), int(at_least("draws", draws, 2))
    rows = max(1, CHUNK // n)
    best = np.concatenate(
        [rng.random((min(rows, draws - k), n)).max(axis=1) for k in range(0, draws, rows)]
    )
    ratio = np.log(n) + (n - 1) * np.log(best)
    return float(ratio.mean()), float(ratio.std(ddof=1) / np.sqrt(draws))


def normal_maximum(n: ArrayLike) -> Floats:
    """Mean of the best of `n` standard normal scores, in standard deviations.

    `n` may lie between integers, which `scipy.stats.order_statistic` refuses. The trapezoidal
    rule converges faster than any power for densities that vanish at both ends.
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
    """What best-of-n wins on a normal score per unit of its first slope in sqrt(KL), root nats.

    A score that was a fair forecast of the truth where it was learned promises the truth's own
    first slope times this. It is nearly a straight line in sqrt(KL).
    """
    # At n = 1 the mean grows by this per sample, and sqrt(KL) by one over the root of two.
    odds = log_ndtr(_GRID) - log_ndtr(-_GRID)
    per_sample = np.sum(_GRID * norm.pdf(_GRID) * odds) * _STEP
    promise: Floats = normal_maximum(n) / (np.sqrt(2) * per_sample)
    return promise


def best_of_n_estimate(proxy: ArrayLike, gold: ArrayLike, n: ArrayLike) -> Floats:
    """Mean gold reward of best-of-n from one set of N samples, unbiased (Nakano et al. 2021).

    It averages over all subsets of `n` of the samples at once: a sample of rank i wins in
    C(i - 1, n - 1) of the C(N, n) subsets. Ties in the proxy are broken at random.
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
    """`best_of_n_estimate` by listing every subset of up to `ENUMERABLE` samples: beyond doubt."""
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
    """Truth to expect behind a score that is truth plus independent error (Gao et al. 2023, Eq. 1).

    Both are normal with mean zero: the score times Var(truth) / (Var(truth) + Var(error)).
    """
    variance = float(at_least("gold_sd", gold_sd, np.nextafter(0, 1))) ** 2
    error = float(at_least("error_sd", error_sd, 0.0)) ** 2
    gold: Floats = np.asarray(score, dtype=np.float64) * (variance / (variance + error))
    return gold


def binned_gold(score: ArrayLike, gold: ArrayLike, *, edges: ArrayLike) -> pd.DataFrame:
    """Mean true reward in bins of the score, given by their rising `edges`.

    Columns score and gold (means of the bin), se (of gold) and count; bins of fewer than two
    samples are left out.
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
    lists = listed("proxy", proxy), listed("gold", gold)
    equally_long(proxy=lists[0], gold=lists[1])
    return lists


def _subset_sizes(n: ArrayLike, size: int) -> Floats:
    n = at_least("n", n, 1.0)
    bad = n[(n != np.floor(n)) | (n > size)]
    if bad.size:
        raise DataError(f"n must be a whole number from 1 to the {size} samples, got {bad[0]:g}.")
    return n


def _tied_means(proxy: Floats, gold: Floats) -> Floats:
    """Gold rewards in the order of the proxy, tied ones replaced by their mean."""
    _, group, count = np.unique(proxy, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=gold) / count
    ranked: Floats = np.repeat(means, count)
    return ranked
