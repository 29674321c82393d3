"""A power law of one variable, with an optional floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, enough_rows, positive, varying, vectors
from scalinglib.fit.model import PowerSumModel, power_sum
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import projected_starts, search


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power law with an optional floor, y = E + A x^-alpha.

    Parameters
    ----------
    A : float
        Value above the floor at x = 1, in the unit of y.
    alpha : float
        Exponent; negative for a quantity that grows with x.
    E : float, optional
        Floor that y approaches, in the unit of y; without it a pure power law.
    source : str, optional
        Where the constants were printed.

    Examples
    --------
    >>> law = PowerLaw(A=10.0, alpha=0.5)
    >>> print(f"{law.loss(100.0):.4f}")
    1.0000
    """

    A: float
    alpha: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale: parameters, tokens, FLOP or any other positive quantity.

        Returns
        -------
        ndarray of float64
            In the unit of `A`; a scalar for scalar input.

        Raises
        ------
        DataError
            If `x` is not positive.

        Examples
        --------
        >>> print(PowerLaw(A=8.0, alpha=1.0, E=1.0).loss([1.0, 4.0]))
        [9. 3.]
        """
        return self.E + self.A * positive("x", x) ** -self.alpha

    @property
    def x_c(self) -> float:
        """The scale constant of the form (x_c / x)^alpha, A^(1/alpha); Kaplan's N_c, D_c, C_c."""
        return float(self.A ** (1 / self.alpha))


@dataclass(frozen=True, slots=True)
class PowerLawModel(PowerSumModel):
    """Parametrisation of `PowerLaw`."""

    names: ClassVar[tuple[str, ...]] = ("A", "alpha", "E")
    order: ClassVar[tuple[str, ...]] = ("A", "E", "alpha")

    def law(self, params: Floats) -> PowerLaw:
        """The law with parameters A, alpha, E."""
        return PowerLaw(*(float(value) for value in params))


def fit_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    offset: bool = False,
    loss: Loss = "l2",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
) -> Fit[PowerLaw]:
    """Fit y = A x^-alpha, or y = E + A x^-alpha with `offset`.

    The residual is ln(predicted) - ln(observed), so without an offset and with the default
    loss this is the least-squares line on log-log axes.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units.
    offset : bool, optional
        Whether to fit a floor E; without one E is held at zero.
    loss : {"l2", "huber", "lad"}
        Least squares, Huber loss, or least absolute deviations.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    fixed : mapping of str to float, optional
        Parameters among A, alpha and E to hold.

    Returns
    -------
    Fit
        With a `PowerLaw`; its exponent is negative where y grows with x.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, or x or y does not vary.

    Examples
    --------
    >>> import scalinglib as sl
    >>> fit = sl.fit_power_law([1e6, 1e7, 1e8, 1e9], [5.0, 4.2, 3.6, 3.1])
    >>> print(f"{fit.law.alpha:.4f}")
    0.0690
    """
    values, labels = vectors(x=x, y=y)
    problem, centre = power_sum(values[:1], values[1], threshold(loss, delta))
    model = PowerLawModel(problem, centre)
    held = dict(fixed or {}) if offset else {**(fixed or {}), "E": 0.0}
    restriction = model.restrict(held, ())
    enough_rows(values, len(restriction.free), "points")
    varying(values[0], "x")
    varying(values[1], "y")
    starts = projected_starts(problem)
    if not offset:
        starts = np.concatenate([starts, starts * np.array([[1.0], [1.0], [-1.0]])], axis=1)
    best = search(problem, starts, restriction, lad=loss == "lad")
    return conclude(model, best, restriction, labels, loss)
