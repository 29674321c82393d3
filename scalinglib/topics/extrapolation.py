"""What an exponent promises: local slopes, other residuals, and what rounding cannot tell apart.

A law here is a curve of one scale x: a `PowerLaw`, or a `ChinchillaLaw` along its compute-optimal
frontier, where the scale is training compute. Both fall to their floor E as a power of x.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from scalinglib.checks import Floats, at_least, enough_rows, varying, vectors
from scalinglib.errors import FitError
from scalinglib.laws.power import PowerLaw
from scalinglib.optimum import Law, loss_at_scale, reducible_exponent

BENDS = np.geomspace(1e-3, 60.0, 120)
"""Exponent times the spread of ln x: from a straight line in ln x to a drop at the first point."""


def local_exponent(law: Law, x: ArrayLike) -> Floats:
    """Slope of the total loss on log-log axes, with the sign turned, -d ln L / d ln x.

    The reducible exponent times the share of the loss above the floor: it sinks to zero as the
    loss nears E, and is constant only for E = 0. For a ChinchillaLaw x is compute (FLOP).
    """
    total = loss_at_scale(law, x)
    slope: Floats = reducible_exponent(law) * (1 - law.E / total)
    return slope


def fit_power_law_unlogged(x: ArrayLike, y: ArrayLike, *, offset: bool = True) -> PowerLaw:
    """Fit y = E + A x^-alpha, or y = A x^-alpha, by least squares of y itself, with E at least 0.

    A point weighs by its value; in `fit_power_law` it weighs by its relative error. Given the
    exponent the rest is linear, so one search remains (Golub and Pereyra 1973).
    """
    values, _ = vectors(x=x, y=y)
    enough_rows(values, 3 if offset else 2, "points")
    for row, name in zip(values, ("x", "y"), strict=True):
        varying(row, name)
    centre = np.log(values[0]).mean()
    u, observed = np.log(values[0]) - centre, values[1]
    if np.dot(u, observed) >= 0:
        raise FitError("y does not fall with x, so there is no falling power law; check the order.")

    span = u - u.min()
    alpha, E, A = _best_exponent(span, observed, offset)
    if E < 0:
        alpha, E, A = _best_exponent(span, observed, False)
    return PowerLaw(A=A * float(np.exp(alpha * (centre + u.min()))), alpha=alpha, E=E)


def _best_exponent(span: Floats, y: Floats, offset: bool) -> tuple[float, float, float]:
    """Exponent, floor and height at the first point, `span` being ln x above that point."""

    def linear(alpha: Floats) -> tuple[Floats, Floats, Floats]:
        """Squared error, floor and height for each exponent."""
        shape = np.exp(-np.multiply.outer(alpha, span))
        if offset:
            tilt = shape - shape.mean(axis=-1, keepdims=True)
            height = tilt @ y / np.sum(tilt**2, axis=-1)
            floor = y.mean() - height * shape.mean(axis=-1)
        else:
            height = shape @ y / np.sum(shape**2, axis=-1)
            floor = np.zeros_like(height)
        missed = floor[..., None] + height[..., None] * shape - y
        return np.sum(missed**2, axis=-1), floor, height

    grid = BENDS / span.max()
    at = int(np.argmin(linear(grid)[0]))
    if at == len(grid) - 1:
        raise FitError(
            "y drops at the first point and then stays level, which no exponent describes; check "
            "the first point, or add points."
        )
    ends = grid[[max(at - 1, 0), at + 1]]
    found = minimize_scalar(
        lambda log_alpha: float(linear(np.exp(np.array([log_alpha])))[0][0]),
        bounds=tuple(np.log(ends)), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    alpha = np.exp(np.array([found.x]))
    _, floor, height = linear(alpha)
    return float(alpha[0]), float(floor[0]), float(height[0])


def largest_misses(x: ArrayLike, y: ArrayLike) -> pd.Series[float]:
    """Largest relative error of the best y = a - b ln x, and of the best A x^-alpha, at the points.

    Both by least squares, of y for the logarithm and of ln y for the power law.
    """
    (scale, observed), _ = vectors(x=x, y=y)
    u = np.log(scale) - np.log(scale).mean()
    logarithm = np.polyval(np.polyfit(u, observed, 1), u)
    power = np.exp(np.polyval(np.polyfit(u, np.log(observed), 1), u))
    found = {"logarithm": logarithm, "power law": power}
    return pd.Series({form: float(np.abs(y / observed - 1).max()) for form, y in found.items()})


def refit_within_rounding(
    x: ArrayLike,
    y: ArrayLike,
    *,
    x_digits: int,
    y_digits: int,
    offset: bool = True,
    n: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Refit `n` draws of points that would have been printed the same: what rounding can hide.

    Digits are significant ones. A row per draw of `fit_power_law_unlogged`: A, alpha, E and the
    scale x_c = A^(1/alpha).
    """
    for name, value in (("x_digits", x_digits), ("y_digits", y_digits), ("n", n)):
        at_least(name, value, 1)
    values, _ = vectors(x=x, y=y)
    digits = np.array([[x_digits], [y_digits]])
    half = 0.5 * 10 ** (np.floor(np.log10(values)) - digits + 1)
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(n):
        drawn = values + half * generator.uniform(-1, 1, size=values.shape)
        law = fit_power_law_unlogged(drawn[0], drawn[1], offset=offset)
        rows.append({"A": law.A, "alpha": law.alpha, "E": law.E, "x_c": law.x_c})
    return pd.DataFrame(rows)
