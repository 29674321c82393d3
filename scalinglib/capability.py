"""Metrics and the curves that link them: what a score does when the loss falls smoothly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib.curves import Curve, CurveT, fit_curve
from scalinglib.errors import DataError


@dataclass(frozen=True, slots=True)
class Sigmoid(Curve):
    """Logistic curve, y = low + (high - low) / (1 + exp(-slope (x - middle))).

    Parameters
    ----------
    low, high : float
        Levels far to either side, in the unit of y, within 0 to 1; with a negative slope the
        curve falls from `high` to `low`.
    slope : float
        Steepness per unit of x.
    middle : float
        Where the curve stands half-way.
    source : str, default ""
        Where the constants were printed.

    Examples
    --------
    >>> print(Sigmoid(low=0.25, high=1.0, slope=-2.0, middle=1.0).value([1.0, 50.0]).round(3))
    [0.625 0.25 ]
    """

    low: float
    high: float
    slope: float
    middle: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"low": (0.0, 1.0), "high": (0.0, 1.0)}

    @staticmethod
    def formula(x: Floats, low: Any, high: Any, slope: Any, middle: Any) -> Any:
        """The curve at `x`; the hyperbolic tangent cannot overflow."""
        return low + (high - low) * 0.5 * (1 + np.tanh(0.5 * slope * (x - middle)))

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Levels at the extremes of y, middles along x, three slopes in the trend's direction."""
        span = float(np.ptp(x)) or 1.0
        low, high = float(np.clip(y.min(), 0, 1)), float(np.clip(y.max(), 0, 1))
        rising = np.sign(np.sum((x - x.mean()) * (y - y.mean()))) or 1.0
        return np.array(
            [
                [low, high, rising * steep / span, middle]
                for steep in (2.0, 6.0, 20.0)
                for middle in np.quantile(x, [0.1, 0.3, 0.5, 0.7, 0.9])
            ]
        )


def exact_match(p: ArrayLike, tokens: ArrayLike) -> Floats:
    """Chance that every token of an answer is right, p^tokens.

    Parameters
    ----------
    p : array_like
        Chance that one token is right, 0 to 1.
    tokens : array_like
        Tokens of the answer, at least 1.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If `p` is no chance or `tokens` is below 1.

    Notes
    -----
    Tokens are taken to fail independently, with the same chance (Schaeffer et al. 2023, Sec. 2).

    Examples
    --------
    >>> print(exact_match([0.5, 0.8], 8).round(5))
    [0.00391 0.16777]
    """
    return chance(p, "p") ** length(tokens)


def edit_distance(p: ArrayLike, tokens: ArrayLike) -> Floats:
    """Expected number of wrong tokens in an answer, tokens (1 - p).

    Parameters
    ----------
    p : array_like
        Chance that one token is right, 0 to 1.
    tokens : array_like
        Tokens of the answer, at least 1.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If `p` is no chance or `tokens` is below 1.

    Notes
    -----
    Counts substitutions alone, which is the token edit distance of an answer of the right length
    (Schaeffer et al. 2023, Sec. 2).

    Examples
    --------
    >>> print(edit_distance([0.5, 0.8], 8))
    [4.  1.6]
    """
    return length(tokens) * (1 - chance(p, "p"))


def brier_score(p: ArrayLike, *, options: int = 2) -> Floats:
    """Brier score of a choice whose right option holds p and whose others share the rest evenly.

    Parameters
    ----------
    p : array_like
        Probability of the right option, 0 to 1.
    options : int, default 2
        Number of options.

    Returns
    -------
    ndarray of float64
        Sum of squared errors over the options, from 2 or less down to 0 at p = 1.

    Raises
    ------
    DataError
        If `p` is no chance or there are fewer than two options.

    Examples
    --------
    >>> print(brier_score([0.25, 1.0], options=4))
    [0.75 0.  ]
    """
    if options < 2:
        raise DataError(f"options is {options}; a choice needs at least 2.")
    wrong: Floats = 1 - chance(p, "p")
    return wrong**2 * options / (options - 1)


def bootstrap_groups(
    curve: type[CurveT],
    x: ArrayLike,
    y: ArrayLike,
    groups: ArrayLike,
    *,
    fixed: Mapping[str, float] | None = None,
    n: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Refit a curve to whole groups of points drawn with replacement.

    Checkpoints of one training run share its luck. Drawing points one by one would treat them as
    so many independent measurements; drawing runs does not.

    Parameters
    ----------
    curve : type of Curve
        Which curve.
    x, y : array_like, shape (points,)
        Points.
    groups : array_like, shape (points,)
        Label of the group of each point.
    fixed : mapping of str to float, optional
        Parameters to hold.
    n : int, default 200
        Number of resamples.
    seed : int, default 0
        Of the random draws.

    Returns
    -------
    DataFrame, shape (n, p)
        One row a resample, columns named as the parameters. Each refit starts at the optimum of
        all points.

    Raises
    ------
    DataError
        If the points are not valid or there are fewer than two groups.

    Examples
    --------
    >>> x = np.tile(np.linspace(0.0, 6.0, 9), 3)
    >>> y = Sigmoid(0.0, 1.0, -2.0, 2.5).value(x) + np.repeat([-0.01, 0.0, 0.02], 9)
    >>> hold = {"low": 0.0, "high": 1.0}
    >>> draws = bootstrap_groups(Sigmoid, x, y, np.repeat([1, 2, 3], 9), fixed=hold, n=20)
    >>> print(f"{draws.middle.std():.2f}")
    0.03
    """
    x, y, groups = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(groups)
    labels = np.unique(groups)
    if groups.shape != x.shape or len(labels) < 2:
        raise DataError(
            f"groups has shape {groups.shape} and {len(labels)} labels; give one label per point "
            "and at least two groups."
        )
    start = [fit_curve(curve, x, y, fixed=fixed).curve.params]
    members = [np.flatnonzero(groups == label) for label in labels]
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        chosen = random.integers(len(labels), size=len(labels))
        at = np.concatenate([members[one] for one in chosen])
        rows.append(fit_curve(curve, x[at], y[at], fixed=fixed, starts=start).curve.params)
    return pd.DataFrame(rows, columns=list(curve.names()))


def chance(value: ArrayLike, name: str) -> Floats:
    """The value as an array, refused unless it lies within 0 to 1."""
    array = np.asarray(value, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise DataError(f"{name} must lie between 0 and 1; divide percentages by 100.")
    return array


def length(value: ArrayLike, name: str = "tokens") -> Floats:
    """The value as an array, refused unless it is at least 1."""
    array = np.asarray(value, dtype=np.float64)
    if not (array >= 1).all():
        raise DataError(f"{name} must be at least 1.")
    return array
