"""How the authors of M4 fit it: alternating steps, as their published code takes them.

They compare ln (y - end) with ln b - c ln x + a ln (start - y). A linear regression with
coefficients of zero or more gives ln b, c and a; damped Newton steps then move start and end. In
their code the regression keeps the column ln (1 - y), made from the first value of start, however
far start moves. So its fixed point is not the minimum of that distance (Alabdulmohsin et al. 2022).
"""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, least_squares, nnls

from scalinglib.checks import Floats, enough_rows, varying, vectors
from scalinglib.errors import DataError

from .two_ends import TwoEndedFit, TwoEndedLaw

MARGIN: Final = 1e-3
"""Distance that both ends keep from the points; start may exceed one by it too."""

NEWTON_STEPS: Final = 200

DAMPING: Final = 0.1
"""Share of a Newton step that is taken, and enough steps for ends that no longer move."""

FLAT: Final = 1e-5
"""A curvature below this moves nothing."""


def fit_alternating(x: ArrayLike, y: ArrayLike, *, refresh: bool = False) -> TwoEndedFit:
    """Fit M4 to error rates in the authors' way; `rms` is of ln(predicted / observed), as always.

    Their first hundred rounds, of steps of 1e-8, only make a start and are left out. For a given
    end the regression does not see start, so a round is a function of the end alone: its fixed
    point is bracketed from above, where their search starts, and solved, where plain rounds take
    up to ten thousand. With `refresh` the column follows start, and the distance is minimised.
    """
    values, _ = vectors(x=x, y=y)
    enough_rows(values, 5, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    if values[1].max() >= 1:
        raise DataError(f"y reaches {values[1].max():g}; give error rates below one.")
    u, points = np.log(values[0]), values[1]
    start, end = (_minimum if refresh else _fixed_point)(u, points)
    log_b, c, a = _regress(u, points, start if refresh else 1.0, end)
    law = TwoEndedLaw(start, end, max(a, 1e-12), c, log_b)
    gap = np.log(law.loss(values[0]) / points)
    return TwoEndedFit(law, float(np.sqrt(np.mean(gap**2))))


def _regress(u: Floats, y: Floats, start: float, end: float) -> tuple[float, float, float]:
    """Coefficients ln b, c and a, none below zero, for given ends."""
    design = np.stack([np.ones_like(u), -u, np.log(start - y)], axis=1)
    log_b, c, a = nnls(design, np.log(y - end))[0]
    return float(log_b), float(c), float(a)


def _round(u: Floats, y: Floats, end: float) -> tuple[float, float]:
    """Start and end after one regression and the Newton steps that follow it."""
    log_b, c, a = _regress(u, y, 1.0, end)
    line, start = log_b - c * u, 1.0
    highest, lowest = float(y.max()) + MARGIN, float(y.min()) - MARGIN
    total, n = np.add.reduce, len(y)
    for _ in range(NEWTON_STEPS):
        above, below = y - end, start - y
        gap = np.log(above) - a * np.log(below) - line
        # Sums over n: np.mean takes longer than the rest of the step, for the same bits.
        by_end, by_start = -total(gap / above) / n, -a * (total(gap / below) / n)
        bend_end = total((1 - gap) / above**2) / n
        bend_start = a * (total((a + gap) / below**2) / n)
        if abs(bend_end) > FLAT:
            end -= DAMPING * float(by_end / bend_end)
        if abs(bend_start) > FLAT:
            start -= DAMPING * float(by_start / bend_start)
        end = min(max(end, 0.0), lowest)
        start = min(max(start, highest), 1 + MARGIN)
    return start, end


def _fixed_point(u: Floats, y: Floats) -> tuple[float, float]:
    """Start and end at which a round changes nothing."""

    def moved(end: float) -> float:
        return _round(u, y, end)[1] - end

    high = float(y.min() - MARGIN)
    step = moved(high)
    low = max(high + step, 0.0)
    while low > 0 and moved(low) < 0:
        high, step = low, 2 * step
        low = max(high + step, 0.0)
    end = high if step == 0 else float(brentq(moved, low, high, xtol=1e-13))
    return _round(u, y, end)[0], end


def _minimum(u: Floats, y: Floats) -> tuple[float, float]:
    """Start and end of the least distance, the coefficients being solved for at each."""

    def gap(ends: Floats) -> Floats:
        start, end = ends
        log_b, c, a = _regress(u, y, start, end)
        return np.asarray(np.log(y - end) - a * np.log(start - y) - log_b + c * u)

    low = np.array([y.max() + MARGIN, 0.0])
    high = np.array([max(1.0, y.max() + MARGIN) + MARGIN, y.min() - MARGIN])
    found = [
        least_squares(
            gap, low + np.array(at) * (high - low), bounds=(low, high), x_scale=high - low
        )
        for at in product((0.02, 0.5), (0.1, 0.5, 0.9, 0.98))
    ]
    start, end = min(found, key=lambda one: float(one.cost)).x
    return float(start), float(end)
