"""How reward models change with size and data, and what an alignment law would multiply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import xlogy
from scipy.stats import chi2

from scalinglib.checks import Floats, at_least, positive, varying, vectors
from scalinglib.errors import DataError, FitError
from scalinglib.fit.line import fit_line

UNSOURCED_EXPONENTS: Final = (0.3, 0.7)
"""Exponents of amount and quality of preference data in an alignment law that is quoted without
a source. No measurement of them was found in the papers that this chapter cites."""

CHANCE_LOSS = float(np.log(2))
"""Nats per comparison of a reward model that cannot tell the better answer from the worse."""


@dataclass(frozen=True, slots=True)
class SizeTrend:
    """A straight line in the logarithm of model size, with standard errors.

    The intercept is the value at `reference` parameters; the slope is what a model `per` times as
    large adds. Values that came without errors have no `misfit` (chi-square) and no `p` (chance of
    a larger one if the line is right): both are NaN. `r2` is weighted as the fit was.
    """

    intercept: float
    slope: float
    intercept_se: float
    slope_se: float
    r2: float
    reference: float
    per: float
    misfit: float
    p: float

    def at(self, params: ArrayLike) -> Floats:
        """The line at `params` parameters."""
        steps = np.log(positive("params", params) / self.reference) / np.log(self.per)
        line: Floats = self.intercept + self.slope * steps
        return line

    def params_at(self, value: float) -> float:
        """Parameters at which the line reaches `value`."""
        if self.slope == 0:
            raise DataError("the line is flat, so it reaches no other value; use its intercept.")
        return float(self.reference * self.per ** ((value - self.intercept) / self.slope))


def fit_size_trend(
    params: ArrayLike,
    values: ArrayLike,
    *,
    reference: float,
    per: float = 10.0,
    se: ArrayLike | None = None,
) -> SizeTrend:
    """Fit a straight line in the logarithm of model size by (weighted) least squares.

    With standard errors `se` of the values each point counts by its inverse variance, and the
    errors of the line follow from them; without, they follow from the residuals.
    """
    columns = {"params": params, "values": values} | ({} if se is None else {"se": se})
    (size, y, *errors), _ = vectors(**columns)
    if not per > 1:
        raise DataError(f"per must be above 1, got {per:g}; 10 gives slopes per decade.")
    if len(np.unique(size)) < 3:
        raise FitError(
            f"{len(np.unique(size))} different sizes leave nothing to judge a line by; give three."
        )
    varying(y, "values")
    x = np.log(size / float(positive("reference", reference))) / np.log(per)
    line = fit_line(x, y, *errors)
    return SizeTrend(
        line.intercept, line.slope, line.intercept_se, line.slope_se, line.r2, reference, per,
        line.misfit, float(chi2.sf(line.misfit, len(x) - 2)),
    )  # fmt: skip


def accuracy_bounds(loss: float) -> tuple[float, float]:
    """Lowest and highest accuracy of a calibrated reward model of this loss (nats per comparison).

    A comparison that the model decides with confidence m costs it the entropy of m on average.
    Equal confidence everywhere gives the largest accuracy for a loss; certainty on some
    comparisons and a coin on the others gives the smallest.
    """
    loss = float(at_least("loss", loss, 0.0))
    if loss > CHANCE_LOSS:
        raise DataError(f"loss must be ln 2 or less, the loss of a coin, got {loss:g}.")
    low = 0.5 + 0.5 * (1 - loss / CHANCE_LOSS)

    def excess(m: float) -> float:
        return float(-xlogy(m, m) - xlogy(1 - m, 1 - m) - loss)

    high = 0.5 if loss == CHANCE_LOSS else brentq(excess, 0.5, 1.0, xtol=1e-14)
    return low, float(high)


def loss_bounds(accuracy: ArrayLike) -> tuple[Floats, Floats]:
    """Lowest and highest loss (nats per comparison) of a calibrated reward model of an accuracy.

    The lowest belongs to one that is certain of some comparisons and blind to the rest, the
    highest to one that is equally sure of all: `accuracy_bounds`, read the other way.
    """
    right = at_least("accuracy", accuracy, 0.5)
    wrong = at_least("1 - accuracy", 1 - right, 0.0)
    highest: Floats = np.asarray(0.0 - xlogy(right, right) - xlogy(wrong, wrong), dtype=np.float64)
    return 2 * wrong * CHANCE_LOSS, highest


@dataclass(frozen=True, slots=True)
class AlignmentProduct:
    """Gain as a product of powers of the amount and the quality of preference data.

    The fields are the two exponents. It is here to work out what such a law would imply; no
    measurement behind it is known.
    """

    data: float
    quality: float

    def gain(self, *, data: ArrayLike = 1.0, quality: ArrayLike = 1.0) -> Floats:
        """Factor by which the gain changes when amount and quality change by these factors."""
        return positive("data", data) ** self.data * positive("quality", quality) ** self.quality

    def quality_for(self, data: float) -> float:
        """Factor in quality that makes up for `data` times the amount."""
        return float(positive("data", data) ** (-self.data / self.quality))
