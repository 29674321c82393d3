"""How sudden is a change: emergence scores, windows, and what a finite test set can see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib.capability import chance, exact_match, length
from scalinglib.errors import DataError
from scalinglib.laws import PowerLaw


def emergence_score(y: ArrayLike) -> float:
    """Range of a series over the root of its median squared step, with the sign of its trend.

    Parameters
    ----------
    y : array_like, shape (n,)
        Scores in the order of growing scale.

    Returns
    -------
    float
        Positive where the largest value comes after the smallest. Infinite if more than half of
        the steps are zero, zero for a constant series.

    Raises
    ------
    DataError
        If there are fewer than two values or one is not finite.

    Notes
    -----
    Schaeffer et al. 2023, Sec. 4, after Srivastava et al. 2022. A straight line of n points scores
    n - 1, so values can be compared at equal n only.

    Examples
    --------
    >>> emergence_score([0.0, 0.1, 0.2, 0.3]), emergence_score([0.0, 0.0, 0.0, 0.9])
    (3.0, inf)
    """
    values = _series(y, "y")
    span = float(np.ptp(values))
    if span == 0:
        return 0.0
    step = float(np.sqrt(np.median(np.diff(values) ** 2)))
    sign = 1.0 if int(np.argmax(values)) > int(np.argmin(values)) else -1.0
    return sign * (round(span / step, 9) if step > 0 else np.inf)


def window_share(x: ArrayLike, y: ArrayLike, window: tuple[float, float]) -> float:
    """Share of the whole change of y that falls into a window of x.

    Parameters
    ----------
    x : array_like, shape (n,)
        Scale, strictly increasing.
    y : array_like, shape (n,)
        Score; between points it is taken to be straight.
    window : tuple of float
        Ends of the window, within the range of `x`.

    Returns
    -------
    float
        Negative where y moves against its own trend, above 1 where it overshoots.

    Raises
    ------
    DataError
        If the points or the window are not valid, or y ends where it began.

    Examples
    --------
    >>> window_share([0, 1, 2, 4], [0.0, 0.0, 0.9, 1.0], window=(1, 2))
    0.9
    """
    at, progress = _progress(x, y)
    low, high = window
    if not at[0] <= low < high <= at[-1]:
        raise DataError(
            f"window runs from {low:g} to {high:g}; give ends in order, within {at[0]:g} to "
            f"{at[-1]:g}."
        )
    return float(np.interp(high, at, progress) - np.interp(low, at, progress))


def steepest_window(x: ArrayLike, y: ArrayLike, *, width: float) -> tuple[float, float]:
    """Place where a window of given width holds the largest share of the change of y.

    Parameters
    ----------
    x : array_like, shape (n,)
        Scale, strictly increasing; pass logarithms for a window that is a ratio.
    y : array_like, shape (n,)
        Score; between points it is taken to be straight.
    width : float
        Width of the window, in the unit of `x`.

    Returns
    -------
    tuple of float
        Left end of the window, and its share of the change.

    Raises
    ------
    DataError
        If the points are not valid or the window does not fit into their range.

    Examples
    --------
    >>> steepest_window([0, 1, 2, 4], [0.0, 0.0, 0.9, 1.0], width=1)
    (1.0, 0.9)
    """
    at, progress = _progress(x, y)
    if not 0 < width <= at[-1] - at[0]:
        raise DataError(f"width is {width:g}; give one above 0 and up to {at[-1] - at[0]:g}.")
    # The share is piecewise linear in the place, so its largest value has an end on a point.
    left = np.concatenate([at, at - width])
    left = np.clip(left[(left >= at[0] - 1e-12) & (left + width <= at[-1] + 1e-12)], at[0], None)
    share = np.interp(left + width, at, progress) - np.interp(left, at, progress)
    best = int(np.argmax(share))
    return float(left[best]), float(share[best])


def last_crossing(x: ArrayLike, y: ArrayLike, *, level: float) -> float:
    """Where y rises through a level for the last time and then stays above it.

    Parameters
    ----------
    x : array_like, shape (n,)
        Place of each point, in the order of training or of scale; it need not increase.
    y : array_like, shape (n,)
        Score; between points both are taken to be straight.
    level : float
        The level, in the unit of y.

    Returns
    -------
    float
        In the unit of `x`.

    Raises
    ------
    DataError
        If the points are not valid, or y never crosses the level or does not stay above it.

    Examples
    --------
    >>> round(last_crossing([3.0, 2.0, 1.0], [0.2, 0.3, 0.5], level=0.45), 9)
    1.25
    """
    place, values = _series(x, "x"), _series(y, "y")
    if len(place) != len(values):
        raise DataError(f"x has {len(place)} values and y {len(values)}; give one y per x.")
    below = np.flatnonzero(values < level)
    if not len(below) or below[-1] == len(values) - 1:
        raise DataError(
            f"y does not rise through {level:g} and stay above it; choose a level between "
            f"{values.min():g} and {values[-1]:g}."
        )
    last = int(below[-1])
    part = (level - values[last]) / (values[last + 1] - values[last])
    return float(place[last] + part * (place[last + 1] - place[last]))


def zero_score_chance(n_correct: ArrayLike, n_samples: ArrayLike, *, draws: int = 1) -> float:
    """Chance that a model with known success counts scores zero on the whole test set.

    Parameters
    ----------
    n_correct, n_samples : array_like, shape (problems,)
        Right answers among the samples of each problem.
    draws : int, default 1
        Answers taken from each problem's samples, without replacement.

    Returns
    -------
    float
        Product over problems of C(n - c, draws) / C(n, draws); exact, nothing is simulated.

    Raises
    ------
    DataError
        If a count is not a whole number within its range or `draws` exceeds the samples.

    Examples
    --------
    >>> zero_score_chance([1, 0, 5], [10, 10, 10])
    0.45
    """
    correct, samples = np.broadcast_arrays(_series(n_correct, "n_correct", 1), n_samples)
    samples = _series(samples, "n_samples", 1)
    if (correct < 0).any() or (correct > samples).any() or (correct % 1 != 0).any():
        at = int(np.argmax((correct < 0) | (correct > samples) | (correct % 1 != 0)))
        raise DataError(
            f"n_correct is {correct[at]:g} of {samples[at]:g} samples at position {at}; give whole "
            "numbers between 0 and n_samples."
        )
    if not 1 <= draws <= samples.min():
        raise DataError(f"draws is {draws}; give a whole number from 1 to {samples.min():g}.")
    taken = np.arange(draws)[:, None]
    factors = np.clip(samples - correct - taken, 0, None) / (samples - taken)
    return float(round(np.prod(factors), 15))


def chance_of_zero(accuracy: ArrayLike, questions: ArrayLike) -> Floats:
    """Chance that a model of given accuracy answers none of the questions, (1 - accuracy)^n.

    Parameters
    ----------
    accuracy : array_like
        Expected share of right answers, 0 to 1.
    questions : array_like
        Questions of the test set, drawn independently; at least 1.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    DataError
        If `accuracy` is no chance or `questions` is below 1.

    Examples
    --------
    >>> print(f"{chance_of_zero(0.004, 128):.3f} {chance_of_zero(0.004, 5153):.1e}")
    0.599 1.1e-09
    """
    return (1 - chance(accuracy, "accuracy")) ** length(questions, "questions")


def questions_needed(accuracy: ArrayLike, *, level: float = 0.95) -> Floats:
    """Questions for which a model of given accuracy scores above zero with chance `level`.

    Parameters
    ----------
    accuracy : array_like
        Expected share of right answers, above 0 and below 1.
    level : float, default 0.95
        Wanted chance of at least one right answer.

    Returns
    -------
    ndarray of float64
        Not rounded.

    Raises
    ------
    DataError
        If `accuracy` or `level` is not strictly between 0 and 1.

    Examples
    --------
    >>> print(f"{questions_needed(0.00391):.0f}")
    765
    """
    share = chance(accuracy, "accuracy")
    if not (0 < level < 1 and ((share > 0) & (share < 1)).all()):
        raise DataError("accuracy and level must lie strictly between 0 and 1.")
    needed: Floats = np.log1p(-level) / np.log1p(-share)
    return needed


@dataclass(frozen=True, slots=True)
class TokenLine:
    """Accuracy per token that rises by the same amount in every decade of parameters.

    The assumption behind a listing that circulates as a demonstration of emergence.

    Parameters
    ----------
    start : float
        Parameters of the smallest model.
    base : float
        Accuracy per token there.
    gain : float
        Added per decade of parameters.
    ceiling : float
        Where the accuracy is clipped.
    tokens : int
        Tokens of the answer.

    Examples
    --------
    >>> line = TokenLine(start=1e8, base=0.5, gain=0.1, ceiling=0.99, tokens=8)
    >>> print(line.exact_match([1e8, 1e11]).round(5), f"{line.params_for(0.5):.2g}")
    [0.00391 0.16777] 1.5e+12
    """

    start: float
    base: float
    gain: float
    ceiling: float
    tokens: int

    def accuracy(self, N: ArrayLike) -> Floats:
        """Accuracy per token.

        Parameters
        ----------
        N : array_like
            Parameters.

        Returns
        -------
        ndarray of float64
        """
        decades = np.log10(np.asarray(N, dtype=np.float64) / self.start)
        return np.clip(self.base + self.gain * decades, 0, self.ceiling)

    def exact_match(self, N: ArrayLike) -> Floats:
        """Chance that every token is right.

        Parameters
        ----------
        N : array_like
            Parameters.

        Returns
        -------
        ndarray of float64
        """
        return exact_match(self.accuracy(N), self.tokens)

    def params_for(self, score: float) -> float:
        """Parameters at which the exact match reaches a score.

        Parameters
        ----------
        score : float
            Above 0, at most what the ceiling allows.

        Returns
        -------
        float

        Raises
        ------
        DataError
            If no size reaches the score.
        """
        best = self.ceiling**self.tokens
        if not 0 < score <= best * (1 + 1e-12):
            raise DataError(f"score is {score:g}; give one above 0 and up to {best:.4g}.")
        return float(self.start * 10 ** ((score ** (1 / self.tokens) - self.base) / self.gain))

    def power_law(self, end: float) -> PowerLaw:
        """Power law of the cross-entropy per token that agrees at two sizes.

        Parameters
        ----------
        end : float
            Parameters of the second size; the first is `start`.

        Returns
        -------
        PowerLaw
            -ln(accuracy) in nats per token as a power of the parameters.
        """
        first, last = -np.log(self.accuracy([self.start, end]))
        alpha = float(np.log(first / last) / np.log(end / self.start))
        return PowerLaw(A=float(first * self.start**alpha), alpha=alpha)

    @property
    def clipped_from(self) -> float:
        """Parameters from which on the ceiling acts."""
        return self.params_for(self.ceiling**self.tokens)


def _series(value: ArrayLike, name: str, least: int = 2) -> Floats:
    array = np.asarray(value, dtype=np.float64)
    if array.ndim != 1 or len(array) < least:
        raise DataError(f"{name} must be one-dimensional, with at least {least} values.")
    if not np.isfinite(array).all():
        at = int(np.argmin(np.isfinite(array)))
        raise DataError(f"{name} is {array[at]} at position {at}; remove or correct the point.")
    return array


def _progress(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Places, and y scaled to run from 0 at the first point to 1 at the last."""
    at, values = _series(x, "x"), _series(y, "y")
    if len(at) != len(values):
        raise DataError(f"x has {len(at)} values and y {len(values)}; give one y per x.")
    if (np.diff(at) <= 0).any():
        raise DataError("x must increase strictly; sort the points and merge repeated places.")
    if values[0] == values[-1]:
        raise DataError("y ends where it began, so its change has no parts.")
    return at, (values - values[0]) / (values[-1] - values[0])
