"""Approach 1: the lower envelope of training curves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from scalinglib.checks import Floats, as_frame, table, unit_doubts, varying
from scalinglib.errors import DataError, FitError
from scalinglib.isoflop.frontier import FrontierFit, conclude
from scalinglib.isoflop.minima import Curves

WINNERS, ENOUGH = 4, 6
"""Sizes that must win, and that win without a warning. Without any noise the exponents of 330
designs are off by up to 0.15 with two winners, 0.09 with three, 0.04 with four, 0.02 with six."""


def fit_envelope(
    curves: pd.DataFrame, *, curve: str = "run", levels: int = 1500, winners: int = WINNERS
) -> FrontierFit:
    """Fit the frontier through the lower envelope of training curves (approach 1).

    At each of `levels` budgets, evenly spaced in the logarithm, the curve with the lowest loss
    wins, interpolated along its own points and never beyond them; then lines through the
    logarithms of the winners' parameters and tokens. A level whose winner is the smallest or the
    largest model that reached it is left out: a better model may lie beyond.

    Parameters
    ----------
    curves : DataFrame
        Points along training runs, with columns ``params`` (count), ``tokens`` seen so far
        (count), ``loss`` (any unit) and the curve each belongs to. Compute is 6 N D. Losses in
        mid-run of a schedule made for more tokens are too high; smooth noisy curves first.
    curve : str, optional
        Column that says which points form one curve.
    levels : int, optional
        Number of budgets.
    winners : int, optional
        Fewest sizes that must win between others; `WINNERS` unless given. With fewer a line
        follows the step from one size to the next.

    Returns
    -------
    FrontierFit
        Its ``minima`` have one row per level.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or a curve has two
        sizes.
    FitError
        If fewer than two levels have a winner between smaller and larger models, or too few
        sizes win; the message names them, as the ``winners`` of the fit do.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Sec. 3.1.

    Examples
    --------
    >>> import numpy as np, pandas as pd, scalinglib as sl
    >>> law = sl.ChinchillaLaw(E=1.8, A=480.0, B=2100.0, alpha=0.35, beta=0.35)
    >>> N, D = np.meshgrid(np.geomspace(1e8, 1e10, 40), np.geomspace(1e9, 1e12, 60))
    >>> curves = pd.DataFrame({"run": N.ravel(), "params": N.ravel(), "tokens": D.ravel(),
    ...                        "loss": law.loss(N, D).ravel()})
    >>> print(f"{fit_envelope(curves).a:.2f}")
    0.50
    """
    if levels < 2:
        raise DataError(f"levels must be at least 2 budgets, got {levels}.")
    values, labels = table(curves, ("params", "tokens", "loss"))
    curves = as_frame(curves, "curves", "pandas, Polars or Arrow")
    if curve not in curves:
        raise DataError(f"curves has no column {curve!r}; name the column that tells runs apart.")
    names = curves[curve]
    if names.isna().any():
        raise DataError(f"row {labels[names.isna().argmax()]!r}, column {curve!r}: is missing.")
    varying(values[0], "params")
    compute = np.log(6 * values[0] * values[1])
    grid = np.linspace(compute.min(), compute.max(), levels)
    sample = _on_grid(names, values[0], compute, values[2], grid)
    lone = "fewer than two levels are won by a model between others"
    fit = conclude(sample, lone, doubts=unit_doubts(*values[:2]))
    won = fit.winners
    told = ", ".join(f"{one.params:.3g} ({one.budgets} levels)" for one in won.itertuples())
    if len(won) < winners:
        raise FitError(
            f"the levels are won by {len(won)} model size{'s' if len(won) > 1 else ''} between "
            f"others, {told}, and a line through so few follows their steps, not the frontier. It "
            f"takes {winners}; add sizes between them and beyond, or use fit_isoflop."
        )
    if len(won) < ENOUGH:
        few = (
            f"only {len(won)} model sizes win, {told}: their steps alone can move a and b by 0.04."
        )
        return replace(fit, warnings=(*fit.warnings, few))
    return fit


def _on_grid(
    names: pd.Series[Any], N: Floats, compute: Floats, loss: Floats, grid: Floats
) -> Curves:
    """Training curves at a grid of compute (logarithms), each within its own points."""
    codes, curves = pd.factorize(names)
    size, reached_loss = np.empty(len(curves)), np.full((len(curves), len(grid)), np.inf)
    for k, curve in enumerate(curves):
        own = codes == k
        if np.ptp(N[own]) > 1e-6 * N[own].min():
            raise DataError(
                f"curve {curve!r} has model sizes from {N[own].min():.4g} to "
                f"{N[own].max():.4g}; a training curve has one, so check column {names.name!r}."
            )
        size[k] = np.log(N[own][0])
        order = np.argsort(compute[own], kind="stable")
        x, y = compute[own][order], loss[own][order]
        reached = (grid >= x[0]) & (grid <= x[-1])
        reached_loss[k, reached] = np.interp(grid[reached], x, y)
    return Curves(np.exp(grid), size, reached_loss)
