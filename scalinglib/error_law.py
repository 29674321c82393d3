"""Average error of over-trained models from their loss (Gadre et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from scalinglib._newton import Floats
from scalinglib._validate import table
from scalinglib.curves import Curve, fit_curve
from scalinglib.downstream import TwoStep
from scalinglib.overtraining import fit_overtraining


@dataclass(frozen=True, slots=True)
class ExponentialErrorLaw(Curve):
    """Error rate from loss, y = epsilon - k exp(-gamma L).

    Parameters
    ----------
    epsilon : float
        Error of a model with a very large loss, 0 to 1.
    k : float
        How far below it an error would lie at zero loss.
    gamma : float
        Decay per nat of loss.
    source : str, default ""
        Where the constants were printed.

    References
    ----------
    Gadre et al. 2024, "Language models scale reliably with over-training and on downstream
    tasks", Eq. 5.

    Examples
    --------
    >>> law = ExponentialErrorLaw(epsilon=0.857, k=2.21, gamma=0.715)
    >>> print(law.value([2.4, 3.0]).round(4))
    [0.4597 0.5983]
    """

    epsilon: float
    k: float
    gamma: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"epsilon": (0.0, 1.0)}

    @staticmethod
    def formula(x: Floats, epsilon: Any, k: Any, gamma: Any) -> Any:
        """The curve at loss `x`."""
        return epsilon - k * np.exp(-gamma * x)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """For eight decays over the span of x, the best epsilon and k, a linear problem."""
        span = float(np.ptp(x)) or 1.0
        rows = []
        for gamma in np.geomspace(0.1, 12.0, 8) / span:
            # Scaled at the middle of x, so that a fast decay does not underflow.
            fall = np.exp(-gamma * (x - x.mean()))
            (level, drop), *_ = np.linalg.lstsq(np.stack([np.ones_like(x), -fall], 1), y)
            rows.append([level, drop * np.exp(gamma * x.mean()), gamma])
        return np.array(rows)


def fit_error_law(
    loss_runs: pd.DataFrame, error_runs: pd.DataFrame, *, loss: str, error: str
) -> TwoStep[ExponentialErrorLaw]:
    """Fit the loss law of over-trained runs, and an exponential from the loss to the error rate.

    The law is L = E + (a M^eta + b M^-eta) C^-eta with M tokens per parameter. With C = 6 N D it
    is a Chinchilla law whose exponents are both 2 eta. Both steps are plain least squares.

    Parameters
    ----------
    loss_runs : DataFrame
        Columns ``params``, ``tokens`` and `loss`: the runs of the first step.
    error_runs : DataFrame
        Columns `loss` and `error`: the runs of the second step.
    loss, error : str
        Columns of the validation loss and of the average error rate.

    Returns
    -------
    TwoStep

    Raises
    ------
    DataError
        If a column is missing or a value is not a positive finite number.
    FitError
        If the runs cannot determine a step.

    References
    ----------
    Gadre et al. 2024, "Language models scale reliably with over-training and on downstream
    tasks", Eqs. 4 and 5.

    Examples
    --------
    >>> law = ExponentialErrorLaw(epsilon=0.86, k=2.2, gamma=0.7)
    >>> N, D = [1e7, 1e8, 2e8, 4e8, 1e7], [2e8, 2e9, 4e9, 8e9, 3e9]
    >>> runs = pd.DataFrame({"params": N, "tokens": D})
    >>> runs["loss"] = 1.8 + 166 * runs.params**-0.27 + 287 * runs.tokens**-0.27
    >>> runs["error"] = law.value(runs.loss)
    >>> chain = fit_error_law(runs, runs, loss="loss", error="error")
    >>> print(chain.curve_fit.params.round(4).to_dict(), round(chain.law.alpha, 4))
    {'epsilon': 0.86, 'k': 2.2, 'gamma': 0.7} 0.27
    """
    (N, D, L), _ = table(loss_runs, ("params", "tokens", loss))
    law = fit_overtraining(pd.DataFrame({"params": N, "tokens": D, "loss": L})).law.chinchilla
    (losses, errors), _ = table(error_runs, (loss, error))
    curve = fit_curve(ExponentialErrorLaw, losses, errors)
    return TwoStep(law, curve.curve, curve.at_bound, curve.warnings, curve_fit=curve)
