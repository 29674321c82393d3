"""How much each point counts, and which way the points run: what a fit asks before it starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import spearmanr

from scalinglib.checks import Floats, equally_long, vectors
from scalinglib.errors import DataError

Weights = ArrayLike | str | None
"""One number a point, or the name of a column of runs; None where all points count alike."""

RISING, SURE = 0.5, 0.01
"""Rank correlation above which points rise, and the chance of one as high without a trend."""

FALLS = "and this law only falls towards a floor"

FEWEST = 4
"""Fewer points run either way by chance."""


def inverse_sd(
    weights: Weights,
    sigma: Weights,
    y: Floats,
    labels: pd.Index,
    *,
    slope: Floats,
    runs: Any = None,
) -> Floats | None:
    """Factors (n,) of the residuals, or None where all points count alike.

    `weights` are inverse standard deviations of the residuals and `sigma` standard errors of `y`,
    which `slope`, the derivative of the residual by y, turns into those of the residuals.
    """
    if weights is not None and sigma is not None:
        raise DataError("weights and sigma are both given; weights is 1/sigma, so give one.")
    name, value = ("weights", weights) if sigma is None else ("sigma", sigma)
    if value is None:
        return None
    if isinstance(value, str):
        if runs is None or value not in runs:
            raise DataError(f"{name}={value!r} is not a column; give its name, or numbers.")
        value = pd.Series(np.asarray(runs[value]), index=labels)
    if not isinstance(value, pd.Series):
        equally_long(**{name: np.atleast_1d(value), "y": y})
        value = pd.Series(np.atleast_1d(value), index=labels)
    points = pd.Series(np.ones(len(y)), index=labels)
    factors: Floats = vectors(**{"y": points, name: value})[0][1]
    return factors if sigma is None else 1 / (factors * np.abs(slope))


def rising(
    predictors: Floats, y: Floats, what: str, where: str, *, falls: str = FALLS
) -> tuple[str, ...]:
    """The warning that `y` grows with its predictors (k, n), under a law that falls; or nothing."""
    if len(y) < FEWEST or np.ptp(y) == 0:
        return ()
    scale = np.log(predictors).sum(axis=0)
    if np.ptp(scale) == 0:
        return ()
    found = spearmanr(scale, y)
    if not (found.statistic > RISING and found.pvalue < SURE):
        return ()
    return (
        f"{what} rises with {where}, {falls}; if it is an accuracy or another share, fit the error "
        "rate, 1 - y, which falls.",
    )
