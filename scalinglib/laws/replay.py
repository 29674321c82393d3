"""A plain quasi-Newton fit, replayed to show where it stops.

No other part of the package fits in this way. The chapters use it to show what the scale of an
objective does to the default tolerances of a general optimiser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from scalinglib.checks import Floats, table
from scalinglib.errors import DataError
from scalinglib.fit.result import DELTA
from scalinglib.laws.chinchilla import ChinchillaLaw


@dataclass(frozen=True, slots=True)
class QuasiNewtonRun:
    """Where one run of a general optimiser stopped.

    Parameters
    ----------
    law : ChinchillaLaw
        The law at the last iterate.
    objective : float
        Huber loss there, summed over the runs whatever the optimiser was given.
    iterations, evaluations : int
        Iterations taken, and evaluations of the objective with its gradient.
    success : bool
        What the optimiser says of itself.
    message : str
        Its reason for stopping.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> run = QuasiNewtonRun(law, 1.2e-3, 2, 4, True, "converged")
    >>> run.iterations
    2
    """

    law: ChinchillaLaw
    objective: float
    iterations: int
    evaluations: int
    success: bool
    message: str


def quasi_newton_run(
    runs: pd.DataFrame,
    *,
    start: ChinchillaLaw,
    reduce: Literal["mean", "sum"] = "sum",
    method: Literal["L-BFGS-B", "BFGS"] = "L-BFGS-B",
    delta: float = DELTA,
    options: Mapping[str, Any] | None = None,
) -> QuasiNewtonRun:
    """Minimise the Huber loss of log residuals as a plain script would.

    The parameters are (ln A, ln B, ln E, alpha, beta), uncentred, from one start, with the
    analytic gradient and the optimiser's default tolerances.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params`` (count), ``tokens`` (count) and ``loss`` (nats per token).
    start : ChinchillaLaw
        Where to start.
    reduce : {"sum", "mean"}
        Whether the optimiser sees the sum or the mean of the Huber terms.
    method : {"L-BFGS-B", "BFGS"}
        Optimiser of ``scipy.optimize.minimize``.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units.
    options : mapping, optional
        Options of the optimiser, for example ``{"ftol": 1e-15, "gtol": 1e-13}``.

    Returns
    -------
    QuasiNewtonRun

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or `reduce` or
        `method` is not valid.

    References
    ----------
    Besiroglu et al. 2024, which traces the fit of Hoffmann et al. 2022 to such an early stop.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> start = sl.ChinchillaLaw(E=1.69337, A=406.40, B=410.72, alpha=0.33917, beta=0.28491)
    >>> run = sl.quasi_newton_run(runs[~runs.excluded], start=start, reduce="mean")
    >>> run.success, run.objective > 1.1e-3
    (True, True)
    """
    if reduce not in ("mean", "sum"):
        raise DataError(f"reduce must be 'mean' or 'sum', got {reduce!r}.")
    if method not in ("L-BFGS-B", "BFGS"):
        raise DataError(f"method must be 'L-BFGS-B' or 'BFGS', got {method!r}.")
    values, _ = table(runs, ("params", "tokens", "loss"))
    n, d, y = np.log(values)
    share = 1 / len(y) if reduce == "mean" else 1.0

    def objective(x: Floats) -> tuple[float, Floats]:
        forms = np.stack([x[0] - x[3] * n, x[1] - x[4] * d, np.full_like(n, x[2])])
        total = np.logaddexp.reduce(forms, axis=0)
        r = total - y
        slope = np.clip(r, -delta, delta)
        pull = slope * np.exp(forms - total)
        gradient = [*pull.sum(axis=1), -(pull[0] @ n), -(pull[1] @ d)]
        return share * float(slope @ (r - slope / 2)), share * np.array(gradient)

    x = np.array([np.log(start.A), np.log(start.B), np.log(start.E), start.alpha, start.beta])
    given: Any = dict(options or {})
    found = minimize(objective, x, jac=True, method=method, options=given)
    A, B, E = np.exp(found.x[:3])
    return QuasiNewtonRun(
        law=ChinchillaLaw(float(E), float(A), float(B), float(found.x[3]), float(found.x[4])),
        objective=float(found.fun) / share,
        iterations=int(found.nit),
        evaluations=int(found.nfev),
        success=bool(found.success),
        message=str(found.message),
    )
