"""The stock of text, and what happens when models are trained on models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import polygamma, psi
from scipy.stats import norm

from scalinglib.checks import Floats, at_least, positive
from scalinglib.errors import DataError


@dataclass(frozen=True, slots=True)
class DataStock:
    """A stock of text and a demand that grows by a constant factor a year.

    `tokens`, the largest training set in `year`, grows by powers of ten a year; `stock` is the
    median of the stock, low and high are the ends of its interval of coverage `level` (tokens).
    """

    tokens: float
    year: float
    decades_per_year: float
    stock: float
    low: float
    high: float
    level: float = 0.9

    def demand(self, year: ArrayLike, *, factor: float = 1.0) -> Floats:
        """Largest training set in a year (tokens), in multiples `factor` of the trend."""
        years = np.asarray(year, dtype=np.float64) - self.year
        tokens: Floats = factor * self.tokens * 10 ** (self.decades_per_year * years)
        return tokens

    def exhausted(self, stock: ArrayLike | None = None, *, factor: float = 1.0) -> Floats:
        """Year in which the largest training set equals a stock (tokens), by default the median."""
        amount = positive("stock", self.stock if stock is None else stock)
        needed = np.log10(amount / (self.tokens * positive("factor", factor)))
        return np.asarray(self.year + needed / self.decades_per_year)[()]

    def draws(self, n: int = 10_000, *, growth_sd: float = 0.0, seed: int = 0) -> Floats:
        """Years of exhaustion for stocks drawn from the interval, growth from a normal.

        Half of a log-normal lies on each side of the median, each with the spread that its own end
        of the interval asks for; `growth_sd` is in decades a year.
        """
        at_least("n", n, 2)
        if not 0 <= 3 * growth_sd < self.decades_per_year:
            raise DataError(
                f"growth_sd is {growth_sd:g}; it must be below a third of the growth, "
                f"{self.decades_per_year:g} decades a year, for the stock to be met at all."
            )
        generator = np.random.default_rng(seed)
        z, g = generator.standard_normal((2, n))
        reach = norm.ppf(0.5 + self.level / 2)
        below, above = np.log10([self.stock / self.low, self.high / self.stock]) / reach
        stock = self.stock * 10 ** (z * np.where(z < 0, below, above))
        growth = self.decades_per_year + growth_sd * np.clip(g, -3, 3)
        years: Floats = self.year + np.log10(stock / self.tokens) / growth
        return years


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

    About -1/(2n) and 1/sqrt(2n).
    """
    at_least("n", n, 2)
    half = (n - 1) / 2
    return float(psi(half) - np.log(half)) / 2, float(np.sqrt(polygamma(1, half))) / 2
