"""The straight line: least squares with its errors, plain or weighted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import linregress

from scalinglib.checks import Floats


class Line(NamedTuple):
    """y = intercept + slope x, with standard errors and the share of the variance explained.

    `misfit` is the weighted sum of squared residuals, and NaN where no errors were given.
    """

    slope: float
    intercept: float
    slope_se: float
    intercept_se: float
    r2: float
    misfit: float


def fit_line(x: Floats, y: Floats, sd: Floats | None = None) -> Line:
    """Draw a line through points.

    With standard deviations `sd` of y each point counts by 1/sd^2, and the errors of the line
    follow from them; without, they follow from the residuals.
    """
    if sd is None:
        plain = linregress(x, y)
        slope, intercept = plain.slope, plain.intercept
        errors, r2, misfit = (plain.stderr, plain.intercept_stderr), plain.rvalue**2, np.nan
    else:
        weight = 1 / sd
        (slope, intercept), covariance = np.polyfit(x, y, 1, w=weight, cov="unscaled")
        errors = tuple(np.sqrt(np.diag(covariance)))
        misfit = np.sum((weight * (y - intercept - slope * x)) ** 2)
        spread = np.sum((weight * (y - np.average(y, weights=weight**2))) ** 2)
        r2 = 1 - misfit / spread if spread > 0 else np.nan
    return Line(*map(float, (slope, intercept, *errors, r2, misfit)))
