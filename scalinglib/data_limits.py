"""The stock of text, and what happens when models are trained on models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import polygamma, psi
from scipy.stats import norm

from scalinglib._newton import Floats
from scalinglib.compute import positive
from scalinglib.curves import Curve
from scalinglib.errors import DataError


@dataclass(frozen=True, slots=True)
class DataStock:
    """A fixed stock of text and a demand that grows by a constant factor a year.

    Parameters
    ----------
    tokens : float
        Largest training set in `year` (tokens).
    year : float
        When that was.
    decades_per_year : float
        Growth of the largest training set, in powers of ten a year.
    stock : float
        Median of the stock (tokens).
    low, high : float
        Ends of its interval of `level`.
    level : float, default 0.9
        Coverage of that interval.
    source : str, default ""
        Where the numbers were printed.

    Examples
    --------
    >>> wall = DataStock(15e12, 2024, 0.38, stock=300e12, low=100e12, high=1000e12)
    >>> print(f"{wall.exhausted():.1f}, overtrained fivefold {wall.exhausted(factor=5):.1f}")
    2027.4, overtrained fivefold 2025.6
    """

    tokens: float
    year: float
    decades_per_year: float
    stock: float
    low: float
    high: float
    level: float = 0.9
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def demand(self, year: ArrayLike, *, factor: float = 1.0) -> Floats:
        """Largest training set in a year.

        Parameters
        ----------
        year : array_like
            Years.
        factor : float, default 1
            Multiple of the trend, for example by training longer than is compute-optimal.

        Returns
        -------
        ndarray of float64
            Tokens; a scalar for scalar input.

        Examples
        --------
        >>> wall = DataStock(15e12, 2024, 0.5, stock=300e12, low=100e12, high=1000e12)
        >>> print(f"{wall.demand(2026) / 1e12:.0f}T")
        150T
        """
        years = np.asarray(year, dtype=np.float64) - self.year
        tokens: Floats = factor * self.tokens * 10 ** (self.decades_per_year * years)
        return tokens

    def exhausted(self, stock: ArrayLike | None = None, *, factor: float = 1.0) -> Floats:
        """When the largest training set is as large as the stock.

        Parameters
        ----------
        stock : array_like, optional
            Tokens; the median stock when left out.
        factor : float, default 1
            Multiple of the demand.

        Returns
        -------
        ndarray of float64
            Year; a scalar for scalar input.

        Raises
        ------
        DataError
            If a value is not positive.

        Examples
        --------
        >>> wall = DataStock(15e12, 2024, 0.38, stock=300e12, low=100e12, high=1000e12)
        >>> print(wall.exhausted([100e12, 1000e12]).round(1))
        [2026.2 2028.8]
        """
        amount = positive("stock", self.stock if stock is None else stock)
        needed = np.log10(amount / (self.tokens * positive("factor", factor)))
        return np.asarray(self.year + needed / self.decades_per_year)[()]

    def draws(
        self, n: int = 10_000, *, growth_sd: float = 0.0, factor: float = 1.0, seed: int = 0
    ) -> Floats:
        """Years of exhaustion for stocks drawn from the interval.

        Half of a log-normal lies on each side of the median, each with the spread that its own end
        of the interval asks for.

        Parameters
        ----------
        n : int, default 10,000
            Number of draws.
        growth_sd : float, default 0
            Standard deviation of the growth (decades a year).
        factor : float, default 1
            Multiple of the demand.
        seed : int, default 0
            Seed of ``numpy.random.default_rng``.

        Returns
        -------
        ndarray of float64, shape (n,)
            Years.

        Raises
        ------
        DataError
            If `n` is below 2 or `growth_sd` leaves no growth within three standard deviations.

        Examples
        --------
        >>> wall = DataStock(15e12, 2024, 0.38, stock=300e12, low=100e12, high=1000e12)
        >>> print(np.quantile(wall.draws(), [0.05, 0.95]).round(1))
        [2026.2 2028.8]
        """
        if n < 2:
            raise DataError(f"n must be at least 2 draws, got {n}.")
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
        years: Floats = self.year + np.log10(stock / (factor * self.tokens)) / growth
        return years


def simulate_collapse(
    n: int,
    *,
    generations: int = 100,
    repeats: int = 400,
    fresh: float = 0.0,
    seed: int = 0,
) -> Floats:
    """Refit a normal distribution to its own samples, over and over.

    Generation zero is a standard normal. Each later one is fitted to `n` numbers of which a share
    `fresh` comes from generation zero and the rest from the generation before.

    Parameters
    ----------
    n : int
        Numbers each generation is fitted to.
    generations : int, default 100
        How often.
    repeats : int, default 400
        Independent chains.
    fresh : float, default 0
        Share of the numbers that are real.
    seed : int, default 0
        Seed of ``numpy.random.default_rng``.

    Returns
    -------
    ndarray of float64, shape (generations + 1, repeats)
        Standard deviations, with n - 1 in the denominator.

    Raises
    ------
    DataError
        If `n` is below 2, a count is not positive, or `fresh` lies outside 0 to 1.

    Examples
    --------
    >>> print(f"{np.median(simulate_collapse(100)[-1]):.1f}")
    0.6
    """
    if n < 2:
        raise DataError(f"n is {n}; a standard deviation needs at least 2 numbers.")
    if generations < 1 or repeats < 1:
        raise DataError("generations and repeats must be at least 1.")
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
    """Typical standard deviation after many generations without fresh data, in closed form.

    Each generation multiplies the variance by an independent chi-square over its degrees of
    freedom, whose mean is one and whose logarithm has a negative mean. The logarithm of the
    standard deviation is therefore a random walk that drifts downwards while the average variance
    stays where it was.

    Parameters
    ----------
    n : int
        Numbers each generation is fitted to.
    generations : array_like
        How often.

    Returns
    -------
    ndarray of float64
        exp(generations x drift), the median once the walk is nearly normal.

    Raises
    ------
    DataError
        If `n` is below 2.

    Examples
    --------
    >>> print(collapse_median(100, [10, 100, 1000]).round(3))
    [0.951 0.602 0.006]
    """
    drift, _ = collapse_walk(n)
    return np.asarray(np.exp(drift * np.asarray(generations, dtype=np.float64)))[()]


def collapse_walk(n: int) -> tuple[float, float]:
    """Mean and standard deviation of one step of the logarithm of the standard deviation.

    Parameters
    ----------
    n : int
        Numbers each generation is fitted to.

    Returns
    -------
    tuple of float
        About -1/(2n) and 1/sqrt(2n).

    Raises
    ------
    DataError
        If `n` is below 2.

    Examples
    --------
    >>> print([f"{one:.4f}" for one in collapse_walk(100)])
    ['-0.0051', '0.0714']
    """
    if n < 2:
        raise DataError(f"n is {n}; a standard deviation needs at least 2 numbers.")
    half = (n - 1) / 2
    return float(psi(half) - np.log(half)) / 2, float(np.sqrt(polygamma(1, half))) / 2


@dataclass(frozen=True, slots=True)
class RectifiedLaw(Curve):
    """Loss against data for a model that knew something before, L = E + B / (D_l + D^beta).

    Parameters
    ----------
    E : float
        Floor (nats per token).
    log_B : float
        Natural logarithm of the scale of the data term.
    log_D_l : float
        Natural logarithm of what earlier training is worth, in the unit of D^beta.
    beta : float
        Exponent.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Qin et al. 2025, "Scaling Laws of Synthetic Data for Language Models"; the form is that of
    Lin et al. 2024 for fine-tuning.

    Examples
    --------
    >>> law = RectifiedLaw(E=1.0, log_B=np.log(8.0), log_D_l=np.log(2.0), beta=0.5)
    >>> print(law.value([4.0, 36.0]))
    [3. 2.]
    """

    E: float
    log_B: float
    log_D_l: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"E": (0.0, np.inf), "beta": (0.0, 3.0)}

    @staticmethod
    def formula(x: Floats, E: Any, log_B: Any, log_D_l: Any, beta: Any) -> Any:
        """The curve at `x` tokens."""
        power = beta * np.log(x)
        # The larger of the two logarithms is taken out, so that neither power can overflow.
        peak = np.maximum(np.real(power), np.real(log_D_l))
        total = peak + np.log(np.exp(power - peak) + np.exp(log_D_l - peak))
        return E + np.exp(log_B - total)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Exponents and places of the bend on a grid; floor and scale from the extremes."""
        floor = 0.9 * float(y.min())
        rows = []
        for beta in (0.1, 0.2, 0.4, 0.8):
            for place in np.quantile(np.log(x), [0.0, 0.25, 0.5, 0.75]):
                bend = beta * place
                first = np.logaddexp(bend, beta * np.log(x.min()))
                rows.append([floor, np.log(max(float(y.max()) - floor, 1e-9)) + first, bend, beta])
        return np.array(rows)


def quantiles_by_generation(
    path: Floats, levels: tuple[float, float, float] = (0.1, 0.5, 0.9)
) -> pd.DataFrame:
    """Low, middle and high quantile of each generation.

    Parameters
    ----------
    path : ndarray, shape (generations + 1, repeats)
        From `simulate_collapse`.
    levels : tuple of float
        Quantiles.

    Returns
    -------
    DataFrame
        Columns ``generation``, ``low``, ``middle``, ``high``.

    Examples
    --------
    >>> print(quantiles_by_generation(np.ones((2, 5))).middle.tolist())
    [1.0, 1.0]
    """
    low, middle, high = np.quantile(path, levels, axis=1)
    return pd.DataFrame(
        {"generation": np.arange(len(path)), "low": low, "middle": middle, "high": high}
    )
