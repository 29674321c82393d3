"""Fits that stopped before they began: a replay, and the check that finds them in a table.

A law for accuracy subtracts its two terms from a ceiling. An optimiser that takes too long a step
makes it negative, where the logarithm of the objective does not exist, and may give up there.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from scalinglib._fit import DELTA
from scalinglib._newton import Floats
from scalinglib._validate import enough_rows, table
from scalinglib.compute import positive
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw
from scalinglib.quasi_newton import QuasiNewtonRun

OPTIONS: Any = {"ftol": 0.0, "gtol": 1e-10, "maxiter": 100_000, "maxfun": 100_000}
"""As tight as the published script asks for: the stop is not a question of tolerances."""

FLOOR = 0.01
"""Accuracy below which the logarithm is replaced by its tangent."""

STEEPEST = 5.0
"""Largest exponent that is tried."""

SMALL = 1e-5
"""Exponent below which a series replaces a difference of nearly equal numbers."""

SCALE = 1e4
"""Brings the objective, a sum of terms near 1e-5, to the size that a tolerance expects."""


def accuracy_run(
    points: pd.DataFrame, *, start: ChinchillaLaw, delta: float = DELTA
) -> QuasiNewtonRun:
    """Fit accuracy = E - |A| N^-alpha - |B| D^-beta as a plain script would.

    L-BFGS-B minimises the summed Huber loss of log residuals in (ln |A|, ln |B|, alpha, beta, E)
    from one start. Where the law is not positive the logarithm is undefined, and the optimiser
    sees a value that is not a number.

    Parameters
    ----------
    points : DataFrame
        Columns ``params`` (count), ``tokens`` (count) and ``score`` (accuracy, 0 to 1).
    start : ChinchillaLaw
        Where to start, with negative A and B.
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units.

    Returns
    -------
    QuasiNewtonRun
        Its law has negative A and B.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or the start does not
        have negative A and B.

    References
    ----------
    Bhagia et al. 2024, "Establishing Task Scaling Laws via Compute-Efficient Model Ladders";
    start and bounds from the authors' script.

    Examples
    --------
    >>> N, D = [1.9e8, 3.7e8, 7.6e8, 1.3e9], [3.8e9, 7.4e9, 1.5e10, 2.6e10]
    >>> points = pd.DataFrame({"params": N, "tokens": D, "score": [0.27, 0.28, 0.30, 0.31]})
    >>> start = ChinchillaLaw(E=1.0, A=-7.389, B=-7.389, alpha=0.2, beta=0.2)
    >>> run = accuracy_run(points, start=start)
    >>> run.success, run.iterations
    (False, 1)
    """
    if not (start.A < 0 and start.B < 0):
        raise DataError("start must have negative A and B: the two terms lower the accuracy.")
    values, _ = table(points, ("params", "tokens", "score"))
    n, d, observed = np.log(values)

    def objective(x: Floats) -> tuple[float, Floats]:
        size, data = np.exp(x[0] - x[2] * n), np.exp(x[1] - x[3] * d)
        predicted = x[4] - size - data
        r = np.log(predicted) - observed
        slope = np.clip(r, -delta, delta)
        pull = slope / predicted
        gradient = [
            -(pull @ size),
            -(pull @ data),
            pull @ (size * n),
            pull @ (data * d),
            pull.sum(),
        ]
        return float(slope @ (r - slope / 2)), np.array(gradient)

    x = np.array([np.log(-start.A), np.log(-start.B), start.alpha, start.beta, start.E])
    low = [0.0, 0.0, 0.0, None, None]
    with np.errstate(all="ignore"):
        found = minimize(
            objective, x, jac=True, method="L-BFGS-B",
            bounds=[(edge, None) for edge in low], options=OPTIONS,
        )  # fmt: skip
    # After a failed line search SciPy hands back the value of the failed point.
    reached = objective(found.x)[0]
    A, B = -np.exp(found.x[:2])
    return QuasiNewtonRun(
        law=ChinchillaLaw(float(found.x[4]), float(A), float(B), *map(float, found.x[2:4])),
        objective=reached,
        iterations=int(found.nit),
        evaluations=int(found.nfev),
        success=bool(found.success),
        message=str(found.message).strip(),
    )


@dataclass(frozen=True, slots=True)
class AccuracyFit:
    """The same law fitted to its end, measured from the middle of the runs.

    With g(e, t) = (1 - exp(-e t)) / e, which is t for e = 0, it reads
    accuracy = level + size g(alpha, ln N/N0) + data g(beta, ln D/D0). An exponent of zero, which
    the other form only has at an infinite ceiling, is an ordinary point of this one.

    Parameters
    ----------
    level : float
        Accuracy at the middle of the runs, N0 and D0.
    size, data : float
        Gain per factor of e there, in parameters and in tokens.
    alpha, beta : float
        Exponents, at least zero.
    N0, D0 : float
        Geometric means of the runs' parameters and tokens (counts).
    objective : float
        Summed Huber loss at the optimum.

    Examples
    --------
    >>> fit = AccuracyFit(0.5, 0.06, 0.0, alpha=0.2, beta=0.0, N0=1e9, D0=1e11, objective=0.0)
    >>> print(f"{fit.accuracy(1e10, 1e12):.3f} {fit.ceiling:.2f}")
    0.611 0.80
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
        """Predict the accuracy.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts); broadcast.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.
        """
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

    Sixteen starts at the straight line in ln N and ln D, which is always positive near the runs.

    Parameters
    ----------
    points : DataFrame
        Columns ``params`` (count), ``tokens`` (count) and ``score`` (accuracy, 0 to 1).
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units.

    Returns
    -------
    AccuracyFit

    Raises
    ------
    DataError
        If a column is missing or a value is not a positive finite number.
    FitError
        If there are fewer than six distinct runs.

    Examples
    --------
    >>> N = np.array([2e8, 2e8, 4e8, 4e8, 8e8, 8e8, 1.6e9])
    >>> D = np.array([4e9, 4e10, 8e9, 8e10, 1.6e10, 1.6e11, 3e10])
    >>> score = 0.9 - 30 * N**-0.3 - 5 * D**-0.15
    >>> fit = fit_accuracy(pd.DataFrame({"params": N, "tokens": D, "score": score}))
    >>> print(f"{fit.alpha:.3f} {fit.beta:.3f} {fit.ceiling:.3f}")
    0.300 0.150 0.900
    """
    values, _ = table(points, ("params", "tokens", "score"))
    enough_rows(values, 5)
    n, d, observed = np.log(values)
    middle = n.mean(), d.mean()
    n, d = n - middle[0], d - middle[1]

    def objective(x: Floats) -> tuple[float, Floats]:
        (size, size_slope), (data, data_slope) = _gain(x[3], n), _gain(x[4], d)
        predicted = x[0] + x[1] * size + x[2] * data
        # Continued along its tangent, the logarithm exists wherever a step may lead.
        height = np.maximum(predicted, FLOOR)
        r = np.log(height) + (predicted - height) / height - observed
        slope = np.clip(r, -delta, delta)
        pull = slope / height
        gradient = [pull.sum(), pull @ size, pull @ data,
                    x[1] * (pull @ size_slope), x[2] * (pull @ data_slope)]  # fmt: skip
        return SCALE * float(slope @ (r - slope / 2)), SCALE * np.array(gradient)

    line, *_ = np.linalg.lstsq(np.stack([np.ones_like(n), n, d], axis=1), np.exp(observed))
    first = [line[0], max(line[1], 1e-3), max(line[2], 1e-3)]
    bounds = [(None, None), *[(0.0, None)] * 2, *[(0.0, STEEPEST)] * 2]
    found = [
        minimize(objective, np.array([*first, *pair]), jac=True, method="SLSQP", bounds=bounds,
                 options={"ftol": 1e-15, "maxiter": 2000})
        for pair in itertools.product((0.0, 0.1, 0.3, 0.8), repeat=2)
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.fun))
    level, size, data, *exponents = (float(value) for value in best.x)
    # Rounding leaves an exponent at its bound a hair above it.
    alpha, beta = (value if value > 1e-9 else 0.0 for value in exponents)
    N0, D0 = (float(np.exp(value)) for value in middle)
    return AccuracyFit(level, size, data, alpha, beta, N0, D0, float(best.fun) / SCALE)


def _gain(exponent: float, t: Floats) -> tuple[Floats, Floats]:
    """(1 - exp(-e t)) / e and its derivative in e; their series where e is small."""
    if exponent < SMALL:
        e = exponent
        return t - e * t**2 / 2 + e**2 * t**3 / 6, -(t**2) / 2 + e * t**3 / 3
    gain: Floats = -np.expm1(-exponent * t) / exponent
    return gain, (t * np.exp(-exponent * t) - gain) / exponent


def shared_predictions(predictions: pd.Series[float]) -> dict[float, list[str]]:
    """Find predictions that occur more than once, to the last digit.

    Fits to different data do not agree to 16 digits. Where their predictions do, the optimiser
    took no account of the data.

    Parameters
    ----------
    predictions : Series
        One prediction per fit, under its label.

    Returns
    -------
    dict of float to list of str
        Each repeated value, and the labels that share it; empty when all differ.

    Raises
    ------
    DataError
        If a prediction is missing.

    Examples
    --------
    >>> shared_predictions(pd.Series({"first": 0.1 + 0.2, "second": 0.3, "third": 0.1 + 0.2}))
    {0.30000000000000004: ['first', 'third']}
    """
    if predictions.isna().any():
        label = predictions.index[predictions.isna()][0]
        raise DataError(f"the prediction of {label!r} is missing; remove it or fill it in.")
    return {
        float(value): [str(label) for label in group.index]
        for value, group in predictions.groupby(predictions, sort=False)
        if len(group) > 1
    }
