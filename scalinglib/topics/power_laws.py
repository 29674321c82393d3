"""Forecasts of a power law, one step at a time: how errors grow with the distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, vectors
from scalinglib.errors import DataError
from scalinglib.fit.result import Fit
from scalinglib.laws.power import PowerLaw, fit_power_law


def rolling_backtest(
    x: ArrayLike,
    y: ArrayLike,
    *,
    least: int = 4,
    fit: Callable[[Floats, Floats], Fit[PowerLaw]] = fit_power_law,
) -> pd.DataFrame:
    """Fit the `least` first points, predict each later one, add a point; until one is left.

    A row per prediction: ``points`` fitted, ``last`` x of these, ``x``, ``reach`` (x / last),
    ``predicted``, ``observed``, ``error`` (predicted / observed - 1), and the fit's constants.
    """
    values, _ = vectors(x=x, y=y)
    xs, ys = values[:, np.argsort(values[0], kind="stable")]
    if not np.all(np.diff(xs) > 0):
        raise DataError(
            "x has ties, so there is no order to extrapolate along; keep one point each."
        )
    if not 2 <= least < len(xs):
        raise DataError(f"least must be between 2 and {len(xs) - 1} points, got {least}.")
    frames = []
    for points in range(least, len(xs)):
        fitted = fit(xs[:points], ys[:points])
        predicted = fitted.predict(xs[points:])
        frames.append(
            pd.DataFrame(
                {
                    "points": points, "last": xs[points - 1], "x": xs[points:],
                    "reach": xs[points:] / xs[points - 1], "predicted": predicted,
                    "observed": ys[points:], "error": predicted / ys[points:] - 1,
                    "alpha": fitted.law.alpha, "E": fitted.law.E,
                }
            )
        )  # fmt: skip
    return pd.concat(frames, ignore_index=True)
