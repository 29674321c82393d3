"""Power laws that level off at one end or at both."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, enough_rows, positive, varying, vectors
from scalinglib.errors import FitError
from scalinglib.fit.huber import Expansion, SmoothProblem
from scalinglib.fit.model import Equation, Model, squared
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import EXPONENTS, nonnegative, search
from scalinglib.fit.weights import Weights, inverse_sd, rising
from scalinglib.laws.power import PowerLaw

RUNAWAY = 20.0
"""An exponent of a shifted power law that has grown beyond this is on its way to infinity."""


@dataclass(frozen=True, slots=True)
class SaturatingLaw:
    """Power law that levels off at large scale, y = E + A (1/x + d)^alpha.

    Parameters
    ----------
    A : float
        Value above the floor at 1/x + d = 1, in the unit of y.
    d : float
        Where the curve levels off, as an inverse scale; d = 0 is the power law A x^-alpha.
    alpha : float
        Exponent far below x = 1/d.
    E : float, optional
        Floor, in the unit of y; none by default.
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", with the shift on the inverse scale;
    form M3 of Alabdulmohsin et al. 2022, "Revisiting Neural Scaling Laws".

    Examples
    --------
    >>> law = SaturatingLaw(A=2.0, d=0.01, alpha=0.5)
    >>> print(f"{law.loss(100.0):.4f} {law.loss(float('inf')):.4f}")
    0.2828 0.2000
    """

    A: float
    d: float
    alpha: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale, for example images seen; infinity gives the plateau.

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
        >>> print(f"{SaturatingLaw(A=1.0, d=0.0, alpha=1.0).loss(4.0):.2f}")
        0.25
        """
        return self.E + self.A * (1 / positive("x", x) + self.d) ** self.alpha


@dataclass(frozen=True, slots=True)
class ShiftedPowerLaw:
    """Power law that saturates at both ends, y = E + A (x + d)^-alpha.

    Parameters
    ----------
    A : float
        Value above the floor at x + d = 1, in the unit of y.
    alpha : float
        Exponent far above x = d.
    d : float
        Below this scale the curve is flat, in the unit of x; d = 0 is a power law with a floor.
    E : float, optional
        Floor that y approaches at large x, in the unit of y; none by default.
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", Fig. 2.

    Examples
    --------
    >>> law = ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    >>> print(f"{law.ceiling:.3f}")
    1.393
    """

    A: float
    alpha: float
    d: float
    E: float = 0.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at `x`.

        Parameters
        ----------
        x : array_like
            Scale, for example images seen or training compute; infinity gives the floor.

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
        >>> law = ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
        >>> print(law.loss([1.0, 1e4]).round(4))
        [0.3491 0.1004]
        """
        return self.E + self.A * (positive("x", x) + self.d) ** -self.alpha

    @property
    def ceiling(self) -> float:
        """What y approaches at small x, E + A d^-alpha; infinite for d = 0."""
        return self.E + float(self.A * self.d**-self.alpha) if self.d else float("inf")

    @property
    def far(self) -> PowerLaw:
        """The power law with a floor that this one becomes far above x = d."""
        return PowerLaw(self.A, self.alpha, self.E, source=self.source)


@dataclass(frozen=True, slots=True)
class SaturatingProblem(SmoothProblem):
    """ln y = a + c ln(exp(u) + exp(h)), u = -ln x centred, coordinates a, h, c."""

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 3

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        a, h, c = theta[:, :, None]
        level = np.logaddexp(u[0], h)
        share = np.exp(h - level)
        J = [np.ones_like(level), c * share, level]
        second = {(1, 1): c * share * (1 - share), (2, 1): share}
        return a + c * level, J, second

    def starts(self) -> Floats:
        """One start per place where the curve may level off; the rest is a straight line."""
        u = self.u[0]
        places = np.linspace(u.min() - 6.0, u.max(), 40)
        level = np.logaddexp(u, places[:, None])
        centred = level - level.mean(axis=1, keepdims=True)
        c = centred @ self.y / (centred**2).sum(axis=1)
        return np.stack([self.y.mean() - c * level.mean(axis=1), places, c])


@dataclass(frozen=True, slots=True)
class SaturatingModel(Model):
    """Parametrisation of `SaturatingLaw`; `centre` is the mean of ln x."""

    centre: float
    names: ClassVar[tuple[str, ...]] = ("A", "d", "alpha")
    decaying: ClassVar[tuple[str, ...]] = ("alpha",)

    def params(self, theta: Floats) -> Floats:
        """Parameters (3, R), in the order of `names`, of solver coordinates (3, R)."""
        a, h, c = theta
        with np.errstate(all="ignore"):
            return np.stack([np.exp(a + c * self.centre), np.exp(h - self.centre), c])

    def law(self, params: Floats) -> SaturatingLaw:
        """The law with parameters A, d, alpha and no floor."""
        return SaturatingLaw(*(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        if name == "A":
            return Equation(np.array([1.0, 0.0, self.centre]), 0.0, 0, logarithmic=True)
        if name == "d":
            return Equation(np.array([0.0, 1.0, 0.0]), -self.centre, 1, logarithmic=True)
        return Equation(np.array([0.0, 0.0, 1.0]), 0.0, 2, logarithmic=False)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the plateau."""
        return {"d": float((J[1] / theta[2]).max())}


@dataclass(frozen=True, slots=True)
class ShiftedProblem(SmoothProblem):
    """y = exp(e) + exp(b - c ln(exp(u) + exp(h))), u = ln x centred, coordinates b, e, c, h."""

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 4

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        b, e, c, h = theta[:, :, None]
        scale = np.logaddexp(u[0], h)
        shift = np.exp(h - scale)
        term = b - c * scale
        total = np.logaddexp(term, e)
        w = np.exp(term - total)
        mixed = w * np.exp(e - total)
        slope, level = -c * shift, -scale
        second = {
            (0, 0): mixed,
            (1, 0): -mixed,
            (1, 1): mixed,
            (2, 0): mixed * level,
            (2, 1): -mixed * level,
            (2, 2): mixed * level**2,
            (3, 0): mixed * slope,
            (3, 1): -mixed * slope,
            (3, 2): mixed * slope * level - w * shift,
            (3, 3): mixed * slope**2 + w * slope * (1 - shift),
        }
        return total, [w, np.exp(e - total), w * level, w * slope], second

    def starts(self) -> Floats:
        """A grid of shifts and exponents; for given ones the coefficients are linear."""
        u = self.u[0]
        places = np.linspace(u.min() - 3.0, u.max(), 12)
        grid = np.array(list(product(places, np.append(EXPONENTS, [4.0, 8.0]))))
        h, c = grid.T[:, :, None]
        power = np.exp(-c * np.logaddexp(u, h) - self.y)
        peak = power.max(axis=1, keepdims=True)
        floor = np.broadcast_to(np.exp(-self.y), power.shape)
        coefficients = nonnegative(np.stack([power / peak, floor], axis=1))
        coefficients[:, 0] /= peak[:, 0]
        smallest = 1e-4 * np.exp(np.median(self.y))
        b, e = np.log(np.maximum(coefficients, [1e-300, smallest])).T
        return np.stack([b, e, grid[:, 1], grid[:, 0]])


@dataclass(frozen=True, slots=True)
class ShiftedModel(Model):
    """Parametrisation of `ShiftedPowerLaw`; `centre` is the mean of ln x."""

    centre: float
    names: ClassVar[tuple[str, ...]] = ("A", "alpha", "d", "E")
    decaying: ClassVar[tuple[str, ...]] = ("alpha",)

    def params(self, theta: Floats) -> Floats:
        """Parameters (4, R), in the order of `names`, of solver coordinates (4, R)."""
        b, e, c, h = theta
        with np.errstate(all="ignore"):
            return np.stack([np.exp(b + c * self.centre), c, np.exp(h + self.centre), np.exp(e)])

    def law(self, params: Floats) -> ShiftedPowerLaw:
        """The law with parameters A, alpha, d, E."""
        return ShiftedPowerLaw(*(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        if name == "A":
            return Equation(np.array([1.0, 0.0, self.centre, 0.0]), 0.0, 0, logarithmic=True)
        if name == "E":
            return Equation(np.array([0.0, 1.0, 0.0, 0.0]), 0.0, 1, logarithmic=True)
        if name == "d":
            return Equation(np.array([0.0, 0.0, 0.0, 1.0]), self.centre, 3, logarithmic=True)
        return Equation(np.array([0.0, 0.0, 1.0, 0.0]), 0.0, 2, logarithmic=False)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the floor, and of the shift in the scale."""
        h = theta[3]
        shift = np.exp(h - np.logaddexp(self.problem.u[0], h))
        return {"E": float(J[1].max()), "d": float(shift.max())}


def fit_saturating(
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss = "l2",
    delta: float = DELTA,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[SaturatingLaw]:
    """Fit y = A (1/x + d)^alpha, a power law that levels off at large x.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units, for example examples seen and error rate.
    loss : {"l2", "huber", "lad"}
        Loss of the log residual.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    weights, sigma : array_like, shape (n,), optional
        Inverse standard deviations of ln y, or standard errors of y, as in `fit_power_law`.

    Returns
    -------
    Fit
        With a `SaturatingLaw`. Where the points show no plateau d goes to zero, and a warning
        says so.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, x or y does not vary, or the points rise or fall
        exponentially in 1/x, to which alpha and d run away together.

    References
    ----------
    Form M3 of Alabdulmohsin et al. 2022, "Revisiting Neural Scaling Laws in Language and
    Vision"; Zhai et al. 2022, "Scaling Vision Transformers".

    Examples
    --------
    >>> import numpy as np
    >>> import scalinglib as sl
    >>> x = np.geomspace(1e6, 1e9, 12)
    >>> fit = sl.fit_saturating(x, sl.SaturatingLaw(A=50.0, d=1e-8, alpha=0.3).loss(x))
    >>> print(f"{fit.law.A:.3f} {fit.law.d:.3g} {fit.law.alpha:.4f}")
    50.000 1e-08 0.3000
    """
    values, labels = vectors(x=x, y=y)
    enough_rows(values, 3, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    logs = -np.log(values[0])
    centre = -float(logs.mean())
    factors = inverse_sd(weights, sigma, values[1], labels, slope=1 / values[1])
    problem = SaturatingProblem(
        (logs + centre)[None], np.log(values[1]), threshold(loss, delta), times=squared(factors)
    )
    model = SaturatingModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    told = rising(values[:1], values[1], "y", "x", falls="and this law is for what falls")
    if not abs(best.theta[2]) < RUNAWAY:
        raise FitError(
            "the points bend more sharply than any power of 1/x + d, so alpha and d grow without "
            f"end and no law of this form fits best; {told[0] if told else 'use another form.'}"
        )
    return conclude(model, best, restriction, labels, loss, told, absolute=sigma is not None)


def fit_shifted_power_law(
    x: ArrayLike,
    y: ArrayLike,
    *,
    loss: Loss = "l2",
    delta: float = DELTA,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[ShiftedPowerLaw]:
    """Fit y = E + A (x + d)^-alpha, a power law that saturates at both ends.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units, for example examples seen and error rate.
    loss : {"l2", "huber", "lad"}
        Loss of the log residual.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    weights, sigma : array_like, shape (n,), optional
        Inverse standard deviations of ln y, or standard errors of y, as in `fit_power_law`.

    Returns
    -------
    Fit
        With a `ShiftedPowerLaw`. Where the points show no floor, or no level start, E or d goes
        to zero, and a warning says so.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, x or y does not vary, y rises, or the points follow an
        exponential, to which alpha and d run away together.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", Fig. 2.

    Examples
    --------
    >>> import numpy as np
    >>> import scalinglib as sl
    >>> x = np.geomspace(1e-3, 1e3, 25)
    >>> law = sl.ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    >>> print(sl.fit_shifted_power_law(x, law.loss(x)).params.round(6).to_dict())
    {'A': 0.26, 'alpha': 0.35, 'd': 0.01, 'E': 0.09}
    """
    values, labels = vectors(x=x, y=y)
    enough_rows(values, 4, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    logs = np.log(values[0])
    centre = float(logs.mean())
    factors = inverse_sd(weights, sigma, values[1], labels, slope=1 / values[1])
    if told := rising(values[:1], values[1], "y", "x"):
        raise FitError(told[0])
    problem = ShiftedProblem(
        (logs - centre)[None], np.log(values[1]), threshold(loss, delta), times=squared(factors)
    )
    model = ShiftedModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    if not best.theta[2] < RUNAWAY:
        raise FitError(
            "the points fall exponentially towards their floor, so alpha and d grow without end "
            "and no power law fits best; use fit_power_law with offset=True, or add larger x."
        )
    return conclude(model, best, restriction, labels, loss, absolute=sigma is not None)
