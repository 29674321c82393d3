"""The stock of text, and the year in which demand meets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from scalinglib.checks import Floats, at_least, positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError

LARGEST_RUN: Final = {"C": 5e25, "year": 2024.0, "growth": 4.0}
"""Our assumption: budget of the largest training run (FLOP) in a year, and its yearly factor."""

TOKENS_PER_PARAM: Final = 20.0
"""Tokens per parameter that we call compute-optimal here."""

STOCK_GROWTH: Final = 0.07
"""Our assumption on how fast the stock of text grows (share a year), where it is not fixed."""


@dataclass(frozen=True, slots=True)
class DataStock:
    """A stock of text and a demand that grows by a constant factor a year.

    `tokens`, the largest training set in `year`, grows by powers of ten a year; `stock` is the
    median of the stock, low and high are the ends of its interval of coverage `level` (tokens),
    as they are in `year`. From then on the stock grows by a share `stock_growth` a year.
    """

    tokens: float
    year: float
    decades_per_year: float
    stock: float
    low: float
    high: float
    level: float = 0.9
    stock_growth: float = 0.0

    def demand(self, year: ArrayLike, *, factor: float = 1.0) -> Floats:
        """Largest training set in a year (tokens), in multiples `factor` of the trend."""
        years = np.asarray(year, dtype=np.float64) - self.year
        tokens: Floats = factor * self.tokens * 10 ** (self.decades_per_year * years)
        return tokens

    def exhausted(self, stock: ArrayLike | None = None, *, factor: float = 1.0) -> Floats:
        """Year in which the largest training set equals a stock (tokens), by default the median.

        At a fixed budget F times the tokens per parameter are sqrt(F) times the tokens, so models
        that are over-trained F-fold have the `factor` sqrt(F).
        """
        amount = positive("stock", self.stock if stock is None else stock)
        needed = np.log10(amount / (self.tokens * positive("factor", factor)))
        return np.asarray(self.year + needed / self._approach)[()]

    @property
    def _approach(self) -> float:
        """Decades a year by which demand grows faster than the stock."""
        speed = self.decades_per_year - np.log10(1 + self.stock_growth)
        if speed <= 0:
            raise DataError(
                f"stock_growth is {self.stock_growth:g}; it must be below the growth of demand, "
                f"{10**self.decades_per_year - 1:.2g} a year, for the stock to be met at all."
            )
        return float(speed)

    def draws(self, n: int = 10_000, *, growth_sd: float = 0.0, seed: int = 0) -> Floats:
        """Years of exhaustion for stocks drawn from the interval, growth from a normal.

        Half of a log-normal lies on each side of the median, each with the spread that its own end
        of the interval asks for; `growth_sd` is in decades a year.
        """
        at_least("n", n, 2)
        if not 0 <= 3 * growth_sd < self._approach:
            raise DataError(
                f"growth_sd is {growth_sd:g}; it must be below a third of the growth over the "
                f"stock, {self._approach:.3g} decades a year, for the stock to be met at all."
            )
        generator = np.random.default_rng(seed)
        z, g = generator.standard_normal((2, n))
        reach = norm.ppf(0.5 + self.level / 2)
        below, above = np.log10([self.stock / self.low, self.high / self.stock]) / reach
        stock = self.stock * 10 ** (z * np.where(z < 0, below, above))
        growth = self._approach + growth_sd * np.clip(g, -3, 3)
        years: Floats = self.year + np.log10(stock / self.tokens) / growth
        return years


def compute_optimal_demand(stock: float, low: float, high: float, **kwargs: float) -> DataStock:
    """Stock of text and the demand of a compute-optimal largest run, under `LARGEST_RUN`.

    With `TOKENS_PER_PARAM` tokens r per parameter a budget C = 6 N D buys D = sqrt(r C / 6).
    """
    tokens = np.sqrt(TOKENS_PER_PARAM * LARGEST_RUN["C"] / FLOPS_PER_PARAM_TOKEN)
    speed = np.log10(LARGEST_RUN["growth"]) / 2
    return DataStock(float(tokens), LARGEST_RUN["year"], float(speed), stock, low, high, **kwargs)
