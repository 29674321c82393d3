"""Metrics and the curves that link them: what a score does when the loss falls smoothly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scalinglib._newton import Floats
from scalinglib.curves import Curve


@dataclass(frozen=True, slots=True)
class Sigmoid(Curve):
    """Logistic curve, y = low + (high - low) / (1 + exp(-slope (x - middle))).

    Parameters
    ----------
    low, high : float
        Levels far to either side, in the unit of y, within 0 to 1; with a negative slope the
        curve falls from `high` to `low`.
    slope : float
        Steepness per unit of x.
    middle : float
        Where the curve stands half-way.
    source : str, default ""
        Where the constants were printed.

    Examples
    --------
    >>> print(Sigmoid(low=0.25, high=1.0, slope=-2.0, middle=1.0).value([1.0, 50.0]).round(3))
    [0.625 0.25 ]
    """

    low: float
    high: float
    slope: float
    middle: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"low": (0.0, 1.0), "high": (0.0, 1.0)}

    @staticmethod
    def formula(x: Floats, low: Any, high: Any, slope: Any, middle: Any) -> Any:
        """The curve at `x`; the hyperbolic tangent cannot overflow."""
        return low + (high - low) * 0.5 * (1 + np.tanh(0.5 * slope * (x - middle)))

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Levels at the extremes of y, middles along x, three slopes in the trend's direction."""
        span = float(np.ptp(x)) or 1.0
        low, high = float(np.clip(y.min(), 0, 1)), float(np.clip(y.max(), 0, 1))
        rising = np.sign(np.sum((x - x.mean()) * (y - y.mean()))) or 1.0
        return np.array(
            [
                [low, high, rising * steep / span, middle]
                for steep in (2.0, 6.0, 20.0)
                for middle in np.quantile(x, [0.1, 0.3, 0.5, 0.7, 0.9])
            ]
        )
