"""Your own law of parameters and tokens, fitted as the package fits its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, numbers, table, varying
from scalinglib.errors import DataError
from scalinglib.fit.curve import CurveFit, conclude_curve, held_by, starts_of
from scalinglib.fit.formula import Curve
from scalinglib.fit.nonlinear import CurveProblem
from scalinglib.fit.result import DELTA, Loss, threshold
from scalinglib.fit.weights import Weights, inverse_sd, rising


class Surface(Curve):
    """A law of parameters and tokens; its points are (2, n)."""

    __slots__ = ()

    @classmethod
    def _variables(cls) -> int:
        return 2

    @staticmethod
    def _called(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, *params: function(*x, *params)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """The law at `N` parameters and `D` tokens (counts; broadcast)."""
        N, D = np.broadcast_arrays(numbers("N", N), numbers("D", D))
        return np.asarray(self.formula(np.stack([N, D]), *self.params))[()]


def fit_law(
    runs: pd.DataFrame,
    formula: Callable[..., Any],
    *,
    starts: ArrayLike | Callable[[Floats, Floats], ArrayLike],
    bounds: Mapping[str, tuple[float, float]] | None = None,
    gradient: Callable[..., Any] | None = None,
    exact: bool = False,
    loss: Loss = "huber",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
    weights: Weights = None,
    sigma: Weights = None,
    columns: Sequence[str] = ("params", "tokens"),
) -> CurveFit[Any]:
    """Fit a formula of your own in parameters and tokens to the logarithm of the loss.

    Every start runs SciPy's trust-region solver through ever narrower Huber losses. It is slower
    than the package's solver and finds what its starts can reach: give several.

    Parameters
    ----------
    runs : DataFrame
        One row per run with the two `columns` and ``loss``.
    formula : callable
        The loss, positive, of parameters, tokens and constants, elementwise, such as
        ``lambda N, D, E, A, alpha: E + A * (N * D) ** -alpha``; the constants get the names of its
        arguments.
    starts, bounds, gradient, exact
        As in `Curve.define`; a function that returns starts gets points of shape (2, n).
    loss : {"huber", "l2"}
        Huber loss of the log residual, or least squares.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units.
    fixed : mapping of str to float, optional
        Constants to hold.
    weights, sigma : array_like, shape (n,), or str, optional
        As in `fit_chinchilla`.
    columns : sequence of str, optional
        The two columns that the formula is of.

    Returns
    -------
    CurveFit
        Its `predict` takes the two quantities; `bootstrap`, `profile` (of a least-squares fit) and
        `backtest` take the fit.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not valid.
    FitError
        If there are no more runs than constants, or no start leads to a finite optimum.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_law(
    ...     runs[~runs.excluded],
    ...     lambda N, D, E, A, alpha: E + A * (N * D) ** -alpha,
    ...     starts=[[1.5, 1e3, 0.15], [1.5, 1e4, 0.2]],
    ... )
    >>> print(f"{fit.params['E']:.2f}")
    1.74
    """
    if loss == "lad" or len(columns) != 2:
        raise DataError(
            f"loss must be 'huber' or 'l2' and columns two, got {loss!r} and {tuple(columns)}; "
            "a Huber loss of small delta is nearly absolute."
        )
    limit = threshold(loss, delta)
    law = Surface.define(
        formula, starts=starts, bounds=bounds, gradient=gradient, exact=exact, name="your law"
    )
    values, labels = table(runs, (*columns, "loss"))
    x, L = values[:2], values[2]
    varying(L, "loss")
    factors = inverse_sd(weights, sigma, L, labels, slope=1 / L, runs=runs)
    problem = CurveProblem(
        law,
        x,
        np.log(L),
        np.ones(len(L)) if factors is None else factors,
        np.log,
        delta=limit,
        absolute=sigma is not None and loss == "l2",
    )
    first, held = starts_of(law, x, L, None), held_by(law.names(), law, fixed)
    return conclude_curve(
        problem,
        first,
        held,
        labels,
        spare=factors is None,
        columns=tuple(columns),
        told=rising(x, L, "loss", "scale", falls="which few laws of a loss allow"),
    )
