"""What happens when models are trained on models: replacing data, and adding to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import polygamma, psi

from scalinglib.checks import Floats, at_least
from scalinglib.errors import DataError


def simulate_collapse(
    n: int,
    *,
    generations: int = 100,
    repeats: int = 400,
    fresh: float = 0.0,
    seed: int = 0,
) -> Floats:
    """Refit a normal distribution to its own samples, over and over (Shumailov et al. 2024).

    Generation zero is a standard normal. Each later one is fitted to `n` numbers of which a share
    `fresh` comes from generation zero and the rest from the generation before. Out come standard
    deviations with n - 1 in the denominator, shape (generations + 1, repeats).
    """
    at_least("n", n, 2)
    at_least("generations", generations, 1)
    at_least("repeats", repeats, 1)
    if not 0 <= fresh <= 1:
        raise DataError(f"fresh is {fresh:g}; give a share between 0 and 1.")
    generator = np.random.default_rng(seed)
    real = round(fresh * n)
    mean, spread = np.zeros(repeats), np.ones(repeats)
    path = [spread]
    for _ in range(generations):
        numbers = generator.standard_normal((repeats, n))
        numbers[:, real:] = mean[:, None] + spread[:, None] * numbers[:, real:]
        mean, spread = numbers.mean(axis=1), numbers.std(axis=1, ddof=1)
        path.append(spread)
    return np.stack(path)


def collapse_median(n: int, generations: ArrayLike) -> Floats:
    """Typical standard deviation after many generations on n numbers without fresh data.

    Each generation multiplies the variance by an independent chi-square over its degrees of
    freedom, whose logarithm has a negative mean: a random walk that drifts downwards, nearly
    normal after a while, so the median is exp(generations x drift).
    """
    drift, _ = collapse_walk(n)
    return np.asarray(np.exp(drift * np.asarray(generations, dtype=np.float64)))[()]


def collapse_walk(n: int) -> tuple[float, float]:
    """Mean and standard deviation of one step of ln(standard deviation) on n numbers.

    About -1/(2n) and 1/sqrt(2n). The logarithm of the variance takes steps of twice the size, so
    its drift is about -1/n.
    """
    at_least("n", n, 2)
    half = (n - 1) / 2
    return float(psi(half) - np.log(half)) / 2, float(np.sqrt(polygamma(1, half))) / 2


def simulate_accumulation(
    n: int, *, generations: int = 100, repeats: int = 400, seed: int = 0
) -> tuple[Floats, Floats]:
    """Refit a normal distribution to all numbers so far, `n` more each time.

    The first n come from a standard normal, each later n from the last fit (Gerstgrasser et al.
    2024). Means and standard deviations, shape (generations + 1, repeats) each; row zero is the
    truth, row one the fit to real numbers.
    """
    at_least("n", n, 2)
    at_least("generations", generations, 1)
    at_least("repeats", repeats, 1)
    generator = np.random.default_rng(seed)
    mean, spread = np.zeros(repeats), np.ones(repeats)
    total, square = np.zeros(repeats), np.zeros(repeats)
    means, spreads = [mean], [spread]
    for generation in range(1, generations + 1):
        numbers = mean[:, None] + spread[:, None] * generator.standard_normal((repeats, n))
        total, square = total + numbers.sum(axis=1), square + (numbers**2).sum(axis=1)
        count = n * generation
        mean = total / count
        spread = np.sqrt((square - count * mean**2) / (count - 1))
        means.append(mean)
        spreads.append(spread)
    return np.stack(means), np.stack(spreads)
