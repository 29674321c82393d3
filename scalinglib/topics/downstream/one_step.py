"""Accuracy in one step from parameters and tokens: the published fits replayed, and finished.

A law for accuracy subtracts its two terms from a ceiling. An optimiser that takes too long a step
makes it negative, where the logarithm of the objective does not exist, and may give up there.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from scalinglib.checks import Floats, enough_rows, positive, table
from scalinglib.errors import DataError
from scalinglib.fit.result import DELTA
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.replay import QuasiNewtonRun

ONE_STEP_START: Final = ChinchillaLaw(
    E=1.0, A=-math.exp(2), B=-math.exp(2), alpha=0.2, beta=0.2,
    source="bhagia2024, script of step 1, ln A = ln B = 2",
)  # fmt: skip
"""Where the optimiser of the published fits started; the terms are subtracted from one."""

LBFGSB_OPTIONS: Any = {"ftol": 0.0, "gtol": 1e-10, "maxiter": 100_000, "maxfun": 100_000}
"""As tight as the published script asks for: the stop is not a question of tolerances."""

TANGENT_BELOW = 0.01
"""Accuracy below which the logarithm is replaced by its tangent."""

LARGEST_EXPONENT = 5.0
"""Largest exponent that is tried."""

SERIES_BELOW = 1e-5
"""Exponent below which a series replaces a difference of nearly equal numbers."""

OBJECTIVE_SCALE = 1e4
"""Brings the objective, a sum of terms near 1e-5, to the size that a tolerance expects."""


def accuracy_run(
    points: pd.DataFrame, *, start: ChinchillaLaw, delta: float = DELTA
) -> QuasiNewtonRun:
    """Fit accuracy = E - |A| N^-alpha - |B| D^-beta as a plain script would.

    L-BFGS-B minimises the summed Huber loss of log residuals in (ln |A|, ln |B|, alpha, beta, E)
    from one start with negative A and B (Bhagia et al. 2024; bounds from the authors' script).
    Where the law is not positive the logarithm is undefined, and the optimiser sees NaN.
    """
    if not (start.A < 0 and start.B < 0):
        raise DataError("start must have negative A and B: the two terms lower the accuracy.")
    values, _ = table(points, ("params", "tokens", "score"))
    n, d, observed = np.log(values)

    x = np.array([np.log(-start.A), np.log(-start.B), start.alpha, start.beta, start.E])
    bounds = [(0.0, None)] * 3 + [(None, None)] * 2
    with np.errstate(all="ignore"):
        found = minimize(_plain_objective, x, (n, d, observed, delta), jac=True,
                         method="L-BFGS-B", bounds=bounds, options=LBFGSB_OPTIONS)  # fmt: skip
    # After a failed line search SciPy hands back the value of the failed point.
    reached = _plain_objective(found.x, n, d, observed, delta)[0]
    A, B = -np.exp(found.x[:2])
    return QuasiNewtonRun(
        law=ChinchillaLaw(float(found.x[4]), float(A), float(B), *map(float, found.x[2:4])),
        objective=reached,
        iterations=int(found.nit),
        evaluations=int(found.nfev),
        success=bool(found.success),
        message=str(found.message).strip(),
    )


def _plain_objective(
    x: Floats, n: Floats, d: Floats, observed: Floats, delta: float
) -> tuple[float, Floats]:
    """Summed Huber loss at (ln |A|, ln |B|, alpha, beta, E), and its slope."""
    size, data = np.exp(x[0] - x[2] * n), np.exp(x[1] - x[3] * d)
    predicted = x[4] - size - data
    r = np.log(predicted) - observed
    slope = np.clip(r, -delta, delta)
    pull = slope / predicted
    gradient = [-(pull @ size), -(pull @ data), pull @ (size * n), pull @ (data * d), pull.sum()]
    return float(slope @ (r - slope / 2)), np.array(gradient)


@dataclass(frozen=True, slots=True)
class AccuracyFit:
    """The law of `accuracy_run` fitted to its end, measured from the middle of the runs, N0 and D0.

    With g(e, t) = (1 - exp(-e t)) / e, which is t for e = 0, it reads
    accuracy = level + size g(alpha, ln N/N0) + data g(beta, ln D/D0). An exponent of zero, which
    the other form only has at an infinite ceiling, is an ordinary point of this one.
    """

    level: float
    size: float
    data: float
    alpha: float
    beta: float
    N0: float
    D0: float
    objective: float

    def accuracy(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Accuracy of N parameters and D tokens."""
        n, d = np.log(positive("N", N) / self.N0), np.log(positive("D", D) / self.D0)
        gained: Floats = self.size * _gain(self.alpha, n)[0] + self.data * _gain(self.beta, d)[0]
        return self.level + gained

    @property
    def ceiling(self) -> float:
        """Accuracy without limit of parameters and tokens; infinite if an exponent is zero."""
        pairs = ((self.size, self.alpha), (self.data, self.beta))
        return self.level + sum(
            gain / exponent if exponent > 0 else np.inf for gain, exponent in pairs if gain > 0
        )


def fit_accuracy(points: pd.DataFrame, *, delta: float = DELTA) -> AccuracyFit:
    """Fit accuracy to parameters and tokens, to the end: the objective of `accuracy_run`.

    Starts at the straight line in ln N and ln D, which is always positive near the runs.
    """
    values, _ = table(points, ("params", "tokens", "score"))
    enough_rows(values, 5)
    n, d, observed = np.log(values)
    middle = n.mean(), d.mean()
    n, d = n - middle[0], d - middle[1]

    line, *_ = np.linalg.lstsq(np.stack([np.ones_like(n), n, d], axis=1), np.exp(observed))
    first = [line[0], max(line[1], 1e-3), max(line[2], 1e-3)]
    bounds = [(None, None), *[(0.0, None)] * 2, *[(0.0, LARGEST_EXPONENT)] * 2]
    found = [
        minimize(_finished_objective, np.array([*first, *pair]), (n, d, observed, delta), jac=True,
                 method="SLSQP", bounds=bounds, options={"ftol": 1e-15, "maxiter": 2000})
        for pair in itertools.product((0.0, 0.1, 0.3, 0.8), repeat=2)
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    level, size, data, *exponents = (float(value) for value in best.x)
    # Rounding leaves an exponent at its bound a hair above it.
    alpha, beta = (value if value > 1e-9 else 0.0 for value in exponents)
    N0, D0 = (float(np.exp(value)) for value in middle)
    return AccuracyFit(level, size, data, alpha, beta, N0, D0, float(best.fun) / OBJECTIVE_SCALE)


def _finished_objective(
    x: Floats, n: Floats, d: Floats, observed: Floats, delta: float
) -> tuple[float, Floats]:
    """Summed Huber loss, scaled, at (level, size, data, alpha, beta), and its slope."""
    (size, size_slope), (data, data_slope) = _gain(x[3], n), _gain(x[4], d)
    predicted = x[0] + x[1] * size + x[2] * data
    # Continued along its tangent, the logarithm exists wherever a step may lead.
    height = np.maximum(predicted, TANGENT_BELOW)
    r = np.log(height) + (predicted - height) / height - observed
    slope = np.clip(r, -delta, delta)
    pull = slope / height
    gradient = [pull.sum(), pull @ size, pull @ data,
                x[1] * (pull @ size_slope), x[2] * (pull @ data_slope)]  # fmt: skip
    value = float(slope @ (r - slope / 2))
    return OBJECTIVE_SCALE * value, OBJECTIVE_SCALE * np.array(gradient)


def _gain(exponent: float, t: Floats) -> tuple[Floats, Floats]:
    """(1 - exp(-e t)) / e and its derivative in e; their series where e is small."""
    if exponent < SERIES_BELOW:
        e = exponent
        return t - e * t**2 / 2 + e**2 * t**3 / 6, -(t**2) / 2 + e * t**3 / 3
    gain: Floats = -np.expm1(-exponent * t) / exponent
    return gain, (t * np.exp(-exponent * t) - gain) / exponent


def shared_predictions(predictions: pd.Series[float]) -> dict[float, list[str]]:
    """Predictions that occur more than once, to the last digit, and the labels that share them.

    Fits to different data do not agree to 16 digits. Where their predictions do, the optimiser
    took no account of the data.
    """
    if predictions.isna().any():
        label = predictions.index[predictions.isna()][0]
        raise DataError(f"the prediction of {label!r} is missing; remove it or fill it in.")
    return {
        float(value): [str(label) for label in group.index]
        for value, group in predictions.groupby(predictions, sort=False)
        if len(group) > 1
    }
