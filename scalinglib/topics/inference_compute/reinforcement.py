"""Error against the compute of reinforcement learning: forms, and what they forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from scalinglib.checks import Floats, listed, positive
from scalinglib.errors import DataError
from scalinglib.fit.curve import fit_curve
from scalinglib.fit.formula import Curve
from scalinglib.laws.curves import FallingSigmoid


def _power(x: Floats, level: Any, slope: Any) -> Any:
    return np.exp(level - slope * x)


def _floored(x: Floats, level: Any, slope: Any, floor: Any) -> Any:
    return floor + np.exp(level - slope * x)


def _line(x: Floats, y: Floats) -> Floats:
    """The straight line in logarithms."""
    slope, level = np.polyfit(x, np.log(y), 1)
    return np.array([[level, -slope]])


def _over_floors(x: Floats, y: Floats) -> Floats:
    """Straight lines over floors from none to just below the lowest point."""
    floors = [share * y.min() for share in (0.0, 0.5, 0.9, 0.99)]
    return np.array([[*_line(x, y - floor)[0], floor] for floor in floors])


class _Sigmoid(FallingSigmoid):
    """A falling sigmoid that is sought from one steepness, which finds the same optima sooner."""

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        every = super().starts(x, y)
        steepness = np.abs(every[:, 2])
        middle: Floats = every[steepness == np.median(steepness)]
        return middle


FORMS: Final[Mapping[str, type[Curve]]] = {
    "power law": Curve.define(_power, starts=_line, name="power law"),
    "with a floor": Curve.define(
        _floored, starts=_over_floors, bounds={"floor": (0.0, 1.0)}, name="power law with a floor"
    ),
    "sigmoid": _Sigmoid,
}
"""Error as a function of ln C. The sigmoid in ln C is 1 - R of Khatri et al. 2025, R = R_0 +
(A - R_0)/(1 + (C_mid/C)^B): high is 1 - R_0, low is 1 - A, -slope is B and middle is ln C_mid."""


def forecast_errors(
    x: ArrayLike, error: ArrayLike, *, seen: int, start: float | None = None
) -> pd.DataFrame:
    """How each of `FORMS` describes a curve, and how it forecasts the points after the `seen` ones.

    `x` is the logarithm of compute, rising. Rows are forms, the sigmoid held to an error of
    `start` (the first one, if not given) before training, and the last value that was seen.
    Columns, in units of ln error: inside (typical, fitted to all), ahead (typical, on the points
    not seen) and last (signed, at the last point).
    """
    given, y = listed("x", x), positive("error", listed("error", error))
    if not 0 < seen < len(given):
        raise DataError(f"seen must leave points to forecast, 1 to {len(given) - 1}; got {seen}.")
    at = given - given[:seen].mean()
    held = {"high": float(y[0] if start is None else start)}
    trials: list[tuple[str, Any, dict[str, float] | None]] = [
        (name, form, None) for name, form in FORMS.items()
    ]
    rows: dict[str, tuple[float, float, float]] = {}
    for name, form, fixed in [*trials, ("sigmoid, start held", _Sigmoid, held)]:
        early: Any = fit_curve(form, at[:seen], y[:seen], transform=np.log, fixed=fixed)
        ahead = np.log(early.predict(at[seen:]) / y[seen:])
        whole: Any = fit_curve(form, at, y, transform=np.log, fixed=fixed)
        rows[name] = (whole.rmse, *_typical(ahead))
    rows["last value seen"] = (np.nan, *_typical(np.log(y[seen - 1] / y[seen:])))
    return pd.DataFrame(rows, index=["inside", "ahead", "last"]).T


def _typical(miss: Floats) -> tuple[float, float]:
    return float(np.sqrt(np.mean(np.square(miss)))), float(miss[-1])


@dataclass(frozen=True, slots=True)
class SharedSlope:
    """Slope k(N) = top / (1 + half / N) of ln error in ln C, over sizes (Tan et al. 2025)."""

    top: float
    half: float

    def slope(self, N: ArrayLike) -> Floats:
        """The slope of a model of `N` parameters."""
        slope: Floats = self.top / (1 + self.half / positive("N", N))
        return slope


def fit_shared_slope(curves: Sequence[tuple[float, ArrayLike, ArrayLike]]) -> SharedSlope:
    """Fit the slopes of several curves of error together; each keeps a level of its own.

    A curve is its parameters N, ln C and ln error. For a given half the top is linear least
    squares, so the search is over one number.
    """
    if len(curves) < 2:
        raise DataError(f"{len(curves)} curve has one slope; give curves of two sizes or more.")
    sizes = positive("N", [N for N, _, _ in curves])
    x, y = ([np.asarray(one[i], float) for one in curves] for i in (1, 2))
    # Levels are free, so only what is left about the mean of each curve counts.
    spread = np.array([np.sum((one - one.mean()) ** 2) for one in x])
    falls = np.array([-(a - a.mean()) @ (b - b.mean()) for a, b in zip(x, y, strict=True)])

    def top(log_half: float) -> tuple[float, float]:
        shape = 1 / (1 + np.exp(log_half) / sizes)
        best = float(shape @ falls / (shape**2 @ spread))
        return best, float(best**2 * (shape**2 @ spread) - 2 * best * (shape @ falls))

    ends = (float(np.log(sizes.min() / 100)), float(np.log(sizes.max() * 100)))
    half = float(minimize_scalar(lambda one: top(one)[1], bounds=ends, method="bounded").x)
    return SharedSlope(top(half)[0], float(np.exp(half)))
