"""Optima of measured profiles, by interpolation or by a parabola, and weighted lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import Akima1DInterpolator

from scalinglib.checks import Floats, as_frame, positive, table, varying, vectors
from scalinglib.datasets import load
from scalinglib.errors import DataError, FitError
from scalinglib.fit.line import fit_line
from scalinglib.isoflop.minima import SIZES

Method = Literal["akima", "parabola"]

EDGE = "the lowest loss is at the edge of the sizes"


@dataclass(frozen=True, slots=True)
class PowerLine:
    """A power law drawn as a straight line through logarithms of `n` points, y = scale x^exponent.

    `se` is the standard error of the exponent if the given standard deviations are right, and NaN
    without them.
    """

    exponent: float
    scale: float
    se: float
    n: int

    def at(self, x: ArrayLike) -> Floats:
        """Value of the line at `x`."""
        value: Floats = self.scale * positive("x", x) ** self.exponent
        return value


def profile_optima(
    points: pd.DataFrame, *, budget: str = "flops", method: Method = "akima", steps: int = 25
) -> pd.DataFrame:
    """Locate the size of the lowest loss at each budget (FLOP), inside the sizes or not at all.

    In ln(params) and ln(loss), "akima" takes the lowest of `steps` places per gap of a local cubic
    (Porian et al. 2024, their code), "parabola" the vertex of a least-squares fit. Each budget gets
    ``params`` and ``loss`` there (NaN without an optimum), ``step``, the distance of two places in
    ln(params), ``sizes``, how many it has, and ``why`` there is no optimum.
    """
    _known(method)
    if steps < 2:
        raise DataError(f"steps must be at least 2 places per gap, got {steps}.")
    values, _ = table(points, (budget, "params", "loss"))
    rows = []
    for C in np.unique(values[0]):
        n, loss = _ascending(values[1:, values[0] == C], f"budget {C:.4g}")
        places = steps * (len(n) - 1)
        if len(n) < SIZES:
            at, low, why = np.nan, np.nan, "fewer than four sizes"
        elif method == "akima":
            at, low, why = _akima(n, loss, places)
        else:
            at, low, why = _parabola(n, loss)
        rows.append(
            {
                budget: C, "params": np.exp(at), "loss": np.exp(low),
                "step": np.ptp(n) / (places - 1) if method == "akima" else 0.0,
                "sizes": len(n), "why": why,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def lowest_by_budget(
    runs: pd.DataFrame, budgets: ArrayLike, *, within: float, by: str = "flops"
) -> pd.DataFrame:
    """The run with the lowest ``loss`` near each budget (FLOP), the first of equal ones.

    A run counts for the budget nearest to its `by` (FLOP), if it lies within that many decades of
    it. Returns these runs in ascending order of ``budget``, with ``n_near``, how many there were.
    """
    if not within > 0:
        raise DataError(f"within must be a positive number of decades, got {within}.")
    (compute, loss), _ = table(runs, (by, "loss"))
    levels = np.unique(positive("budgets", np.ravel(budgets)))
    gap = np.abs(np.log10(compute[:, None] / levels))
    nearest = gap.argmin(axis=1)
    near = gap.min(axis=1) <= within
    rows, counts = [], []
    for k, level in enumerate(levels):
        chosen = np.flatnonzero(near & (nearest == k))
        if not len(chosen):
            raise DataError(f"no run lies within {within:g} decades of {level:.3g}; widen within.")
        rows.append(int(chosen[loss[chosen].argmin()]))
        counts.append(len(chosen))
    chosen_runs = as_frame(runs, "runs", "pandas, Polars or Arrow").iloc[rows]
    return chosen_runs.assign(budget=levels, n_near=counts)


def profile_curve(
    points: pd.DataFrame, *, method: Method = "akima", places: int = 200
) -> pd.DataFrame:
    """Trace the curve in which `profile_optima` looks for the minimum of one budget.

    Returns ``params`` and ``loss`` at `places` evenly spaced in ln(params) between the sizes at the
    ends of `points` (``params``, ``loss``; a row a size).
    """
    _known(method)
    if places < 2:
        raise DataError(f"places must be at least 2, got {places}.")
    values, _ = table(points, ("params", "loss"))
    n, loss = _ascending(values, "points")
    if len(n) < SIZES:
        raise FitError(f"points hold {len(n)} sizes, and a profile needs {SIZES}; add sizes.")
    grid = np.linspace(n[0], n[-1], places)
    if method == "akima":
        curve = Akima1DInterpolator(n, loss)(grid)
    else:
        curve = np.polyval(np.polyfit(n - n.mean(), loss, 2), grid - n.mean())
    return pd.DataFrame({"params": np.exp(grid), "loss": np.exp(curve)})


def power_line(x: ArrayLike, y: ArrayLike, *, sd: ArrayLike | None = None) -> PowerLine:
    """Draw a least-squares line through logarithms, each point weighted by 1/sd^2.

    `sd` holds the standard deviation of ln y at each point; without it all points count alike. A
    budget without an optimum is refused: drop such rows first.
    """
    arrays = {"x": x, "y": y} if sd is None else {"x": x, "y": y, "sd": sd}
    values, _ = vectors(**arrays)
    if values.shape[1] < 2:
        raise FitError("x and y hold one point, and a line needs two; add a budget.")
    varying(values[0], "x")
    log_x, log_y = np.log(values[:2])
    line = fit_line(log_x, log_y, None if sd is None else values[2])
    return PowerLine(
        exponent=line.slope,
        scale=float(np.exp(line.intercept)),
        se=float("nan") if sd is None else line.slope_se,
        n=values.shape[1],
    )


def _known(method: Method) -> None:
    if method not in ("akima", "parabola"):
        raise DataError(f"method is {method!r}; use 'akima' or 'parabola'.")


def _ascending(values: Floats, where: str) -> tuple[Floats, Floats]:
    """Logarithms of sizes and losses (2, n) in ascending order of size, each size once."""
    N, L = values[:, np.argsort(values[0], kind="stable")]
    n = np.log(N)
    again = np.diff(n) <= 0
    if again.any():
        raise DataError(
            f"{where}: the size {N[1:][again][0]:.4g} stands twice; keep one row per size, for "
            "example the one with the lower loss."
        )
    return n, np.log(L)


def _akima(n: Floats, loss: Floats, places: int) -> tuple[float, float, str]:
    grid = np.linspace(n[0], n[-1], places)
    values = Akima1DInterpolator(n, loss)(grid)
    best = int(values.argmin())
    if best in (0, len(grid) - 1):
        return np.nan, np.nan, EDGE
    return float(grid[best]), float(values[best]), ""


def _parabola(n: Floats, loss: Floats) -> tuple[float, float, str]:
    middle = float(n.mean())
    curve, tilt, level = np.polyfit(n - middle, loss, 2)
    if not curve > 0:
        return np.nan, np.nan, "the losses do not curve upwards"
    at = middle - 0.5 * tilt / curve
    if not n[0] < at < n[-1]:
        return np.nan, np.nan, EDGE
    return float(at), float(level - 0.25 * tilt**2 / curve), ""


def model_sizes(params: pd.Series[float]) -> NDArray[np.int64]:
    """For each run the model of Hoffmann's Table A9 nearest to it, as a label.

    Sizes read off a figure differ in their last digits, so equal models are not equal numbers.
    """
    known = 1e6 * np.unique(load("chinchilla_architectures").reported_params_millions)
    apart = np.abs(np.log(params.to_numpy()[:, None] / known))
    nearest: NDArray[np.int64] = apart.argmin(axis=1)
    return nearest
