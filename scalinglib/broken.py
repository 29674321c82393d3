"""A power law that breaks: two slopes on log-log axes, joined at a place, above a floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scalinglib._newton import Floats
from scalinglib.curves import Curve

STARTS = 60
"""Random starting points of a fit. Nine in ten reach the optimum on a curve that shows its break,
so far fewer would find it; the share that agrees is what they are for."""

STEEPEST = 20.0
"""Largest slope added at the break. Points that end at a break cannot tell a steep slope from a
wall; this keeps the search finite, and a fit that comes to lie here says so."""


@dataclass(frozen=True, slots=True)
class BrokenPowerLaw(Curve):
    """Power law with one smooth break, y = a + b x^-c0 (1 + (x/d)^(1/f))^(-c1 f).

    Parameters
    ----------
    a : float
        Floor, in the unit of y.
    b : float
        Height above the floor at x = 1 if the first slope went on, in the unit of y.
    c0 : float
        Exponent before the break.
    c1 : float
        Added to the exponent at the break, within -20 to 20.
    d : float
        Place of the break, in the unit of x.
    f : float
        Width of the break in ln x, 0.001 to 10; small is sharp.
    source : str, default ""
        Where the constants were printed.

    Notes
    -----
    Caballero et al. 2023, Equation 1 with one break. They fit ln(1 + y); pass
    ``transform=numpy.log1p`` to `scalinglib.curves.fit_curve`.

    Examples
    --------
    >>> law = BrokenPowerLaw(a=0.0, b=2.0, c0=0.1, c1=1.0, d=100.0, f=0.05)
    >>> print(law.value([1.0, 100.0, 1e4]).round(4))
    [2.     1.2188 0.008 ]
    """

    a: float
    b: float
    c0: float
    c1: float
    d: float
    f: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "a": (0.0, np.inf),
        "b": (0.0, np.inf),
        "c1": (-STEEPEST, STEEPEST),
        "d": (1e-300, np.inf),
        "f": (1e-3, 10.0),
    }

    @staticmethod
    def formula(x: Floats, a: Any, b: Any, c0: Any, c1: Any, d: Any, f: Any) -> Any:
        """The curve at `x`; far from the break nothing overflows."""
        u = (np.log(x) - np.log(d)) / f
        beyond = np.real(u) > 0
        bent = np.where(beyond, u, 0) + np.log1p(np.exp(np.where(beyond, -u, u)))
        return a + b * np.exp(-c0 * np.log(x) - c1 * f * bent)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Seeded random starts: breaks along x, sharp to broad, all through the first point."""
        random = np.random.default_rng(0)
        a = random.uniform(0, y.min(), STARTS)
        c0 = random.uniform(-0.2, 0.6, STARTS)
        c1 = random.uniform(0, 8, STARTS)
        d = np.exp(random.uniform(np.log(x.min()), np.log(x.max()), STARTS))
        f = 10 ** random.uniform(-2, 0, STARTS)
        first = int(np.argmin(x))
        b = (y[first] - a) * x[first] ** c0
        return np.column_stack([a, b, c0, c1, d, f])
