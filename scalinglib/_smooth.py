"""The laws that are not sums of powers: Kaplan's joint law, repeated data, saturation.

They reach the solver through their first and second derivatives, written by hand; speed
matters less here, because their tables are small.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
from scipy.special import gammainc

from scalinglib._models import Equation, Model
from scalinglib._newton import Derivatives, Floats
from scalinglib._problems import HuberProblem
from scalinglib._search import EXPONENTS, nonnegative
from scalinglib.errors import DataError
from scalinglib.laws import (
    ChinchillaLaw,
    DataConstrainedLaw,
    KaplanLaw,
    SaturatingLaw,
    ShiftedPowerLaw,
)

Second = dict[tuple[int, int], Floats]
Expansion = tuple[Floats, list[Floats], Second]


@dataclass(frozen=True, slots=True)
class SmoothProblem(HuberProblem):
    """A law given by its log prediction and two derivatives."""

    @abstractmethod
    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction (R, m), first derivatives, and non-zero second ones (i >= j)."""

    def _tile(self, theta: Floats, weights: Floats, mu: Floats, tile: slice) -> Derivatives:
        prediction, J, second = self.expand(theta, self.u[:, tile])
        f, p, q = self._huber(prediction - self.y[tile], weights, mu)
        size, rows = theta.shape
        g, H = np.empty((size, rows)), np.empty((size, size, rows))
        for i in range(size):
            g[i] = np.vecdot(p, J[i])
            weighted = q * J[i]
            for j in range(i + 1):
                H[i, j] = np.vecdot(weighted, J[j])
                if (i, j) in second:
                    H[i, j] += np.vecdot(p, second[i, j])
                H[j, i] = H[i, j]
        return f, g, H

    def linearise(self, theta: Floats) -> tuple[Floats, Floats]:
        """Residuals (m,) and their Jacobian (p, m) at one parameter vector (p,)."""
        prediction, J, _ = self.expand(theta[:, None], self.u)
        return prediction[0] - self.y, np.stack([row[0] for row in J])


@dataclass(frozen=True, slots=True)
class KaplanProblem(SmoothProblem):
    """ln L = alpha_D ln(exp(a - gamma u) + exp(b - v)), coordinates alpha_D, a, gamma, b."""

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 4

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        k, a, gamma, b = theta[:, :, None]
        size, data = a - gamma * u[0], b - u[1]
        total = np.logaddexp(size, data)
        w, rest = np.exp(size - total), np.exp(data - total)
        spread = k * w * rest
        J = [total, k * w, -k * w * u[0], k * rest]
        second = {
            (1, 0): w,
            (2, 0): -w * u[0],
            (3, 0): rest,
            (1, 1): spread,
            (2, 1): -spread * u[0],
            (3, 1): -spread,
            (2, 2): spread * u[0] ** 2,
            (3, 2): spread * u[0],
            (3, 3): spread,
        }
        return k * total, J, second

    def starts(self) -> Floats:
        """One start per pair of exponents; for given exponents the scales are linear."""
        grid = np.array(list(product(np.geomspace(0.02, 1.0, 10), np.geomspace(0.1, 3.0, 10))))
        k, gamma = grid.T[:, :, None]
        level = self.y / k
        columns = np.stack([np.exp(-gamma * self.u[0] - level), np.exp(-self.u[1] - level)], axis=1)
        peak = columns.max(axis=(1, 2), keepdims=True)
        scales = nonnegative(columns / peak) / peak[:, 0]
        smallest = 1e-4 * scales.max(axis=1, keepdims=True)
        a, b = np.log(np.maximum(scales, smallest)).T
        return np.stack([grid[:, 0], a, grid[:, 1], b])


@dataclass(frozen=True, slots=True)
class KaplanModel(Model):
    """Parametrisation of `KaplanLaw`; `centre` holds the means of ln N and ln D."""

    centre: Floats
    names: ClassVar[tuple[str, ...]] = ("alpha_N", "alpha_D", "N_c", "D_c")
    decaying: ClassVar[tuple[str, ...]] = ("alpha_N", "alpha_D")

    def params(self, theta: Floats) -> Floats:
        """Parameters (4, R), in the order of `names`, of solver coordinates (4, R)."""
        k, a, gamma, b = theta
        with np.errstate(all="ignore"):
            size = np.exp(a / gamma + self.centre[0])
            return np.stack([gamma * k, k, size, np.exp(b + self.centre[1])])

    def law(self, params: Floats) -> KaplanLaw:
        """The law with parameters alpha_N, alpha_D, N_c, D_c."""
        return KaplanLaw(*(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How alpha_D and D_c read in solver coordinates; the other two are not affine."""
        if name == "alpha_D":
            return Equation(np.array([1.0, 0.0, 0.0, 0.0]), 0.0, 0, logarithmic=False)
        if name == "D_c":
            row = np.array([0.0, 0.0, 0.0, 1.0])
            return Equation(row, float(self.centre[1]), 3, logarithmic=True)
        raise DataError(
            f"{name} cannot be held in a fit of Kaplan's law; only alpha_D and D_c can. Use "
            "bootstrap for its interval."
        )

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the parameter and of the data term."""
        return {"N_c": float((J[1] / theta[0]).max()), "D_c": float((J[3] / theta[0]).max())}


@dataclass(frozen=True, slots=True)
class RepetitionProblem(SmoothProblem):
    """The data-constrained law over a given base, coordinates ln R_D and ln R_N.

    The predictors are, per run: the base law's floor, parameter term and data term at the fresh
    amounts, as logarithms; and how often parameters and tokens exceed those amounts.
    """

    exponents: tuple[float, float]

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 2

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        floor, size, data, excess, repeats = u
        alpha, beta = self.exponents
        more, more1, more2 = _log_worth(theta[1, :, None], excess)
        fresh, fresh1, fresh2 = _log_worth(theta[0, :, None], repeats)
        size, data = size - alpha * more, data - beta * fresh
        total = np.logaddexp(np.logaddexp(size, data), floor)
        w, v = np.exp(size - total), np.exp(data - total)
        s, t = -alpha * more1, -beta * fresh1
        second = {
            (0, 0): v * (1 - v) * t**2 - v * beta * fresh2,
            (1, 0): -v * w * s * t,
            (1, 1): w * (1 - w) * s**2 - w * alpha * more2,
        }
        return total, [v * t, w * s], second

    def starts(self) -> Floats:
        """A grid over four decades of either constant."""
        grid = product(np.geomspace(0.1, 1000, 15), np.geomspace(0.1, 1000, 15))
        starts: Floats = np.log(np.array(list(grid))).T
        return starts


def _log_worth(rho: Floats, repeats: Floats) -> tuple[Floats, Floats, Floats]:
    """ln(1 + R (1 - exp(-r/R))) for R = exp(rho), with two derivatives in rho."""
    R = np.exp(rho)
    k = repeats / R
    worth = 1 - R * np.expm1(-k)
    # The incomplete gamma function is 1 - exp(-k) (1 + k), without cancellation at small k.
    first = R * gammainc(2, k) / worth
    second = first - R * k**2 * np.exp(-k) / worth - first**2
    return np.log(worth), first, second


@dataclass(frozen=True, slots=True)
class RepetitionModel(Model):
    """Parametrisation of `DataConstrainedLaw` over a given `base`."""

    base: ChinchillaLaw
    names: ClassVar[tuple[str, ...]] = ("R_D", "R_N")

    def params(self, theta: Floats) -> Floats:
        """Parameters (2, R), in the order of `names`, of solver coordinates (2, R)."""
        with np.errstate(all="ignore"):
            values: Floats = np.exp(theta)
        return values

    def law(self, params: Floats) -> DataConstrainedLaw:
        """The law with decay constants R_D, R_N."""
        return DataConstrainedLaw(self.base, *(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        at = self.names.index(name)
        return Equation(np.eye(2)[at], 0.0, at, logarithmic=True)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """The constants themselves: at zero, repetition is worth nothing."""
        return dict(zip(self.names, np.exp(theta).tolist(), strict=True))


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
