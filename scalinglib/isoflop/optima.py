"""Frontiers through optima that somebody else has found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scalinglib.checks import as_frame, table
from scalinglib.isoflop.doubts import off_line, off_rule
from scalinglib.isoflop.frontier import FrontierFit, conclude
from scalinglib.isoflop.minima import Optima


def fit_frontier(points: pd.DataFrame, *, budget: str = "flops") -> FrontierFit:
    """Fit the frontier through optima that are already known, such as a table of a paper.

    Least-squares lines through the logarithms of parameters and tokens against that of the budget.
    Nothing assumes that the budget is 6 N D: a misprint shows up as a + b that is not one, and in a
    warning that names its row.

    Parameters
    ----------
    points : DataFrame
        One row per optimum with columns ``params`` and ``tokens`` (counts), the budget, and
        ``loss`` (any unit) if it is known.
    budget : str, optional
        Column with the budget (FLOP).

    Returns
    -------
    FrontierFit
        Its ``minima`` are the points; a bootstrap draws them.

    Raises
    ------
    DataError
        If a column is missing, or a value is not a positive finite number; the message names the
        row and the column.
    FitError
        If there are fewer than two budgets, or they differ by too little.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Tables 3 and A3.

    Examples
    --------
    >>> import scalinglib as sl
    >>> optima = sl.load("chinchilla_table_optima")
    >>> fit = fit_frontier(optima[optima.approach == 1])
    >>> print(f"{fit.a:.3f} {fit.b:.3f}")
    0.498 0.502
    """
    values, labels = table(points, (budget, "params", "tokens"))
    order = np.argsort(values[0], kind="stable")
    (C, N, D), labels = values[:, order], labels[order]
    frame = as_frame(points, "points", "give a DataFrame")
    loss = table(frame, ("loss",))[0][0, order] if "loss" in frame else np.full(len(C), np.nan)
    sample = Optima(C, np.log(N), np.log(D), loss)
    doubts = (*off_rule(N, D, C, labels, budget), *off_line(sample, labels))
    return conclude(sample, "fewer than two optima are given", doubts=doubts)
