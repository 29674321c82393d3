"""Laws in which model size and data do not simply add up.

`JointLaw` lets the data term grow with the size of the model, or joins the two terms more sharply
than a sum does. `SolvableLaw` is the loss of a linear model that can be solved.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import (
    Floats,
    degenerate_design,
    enough_rows,
    positive,
    table,
    unit_doubts,
    varying,
)
from scalinglib.errors import DataError, FitError
from scalinglib.fit.huber import Expansion, PowerSum, Second, SmoothProblem
from scalinglib.fit.model import Equation, Model, squared
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import nonnegative, projected_starts, sample, search
from scalinglib.fit.weights import Weights, inverse_sd, rising

Form = Literal["interaction", "outer", "both"]

HELD: Final[Mapping[Form, Mapping[str, float]]] = {
    "interaction": {"k": 1.0},
    "outer": {"g": 0.0},
    "both": {},
}
"""What each form of `JointLaw` leaves at the value that it has in Chinchilla's law."""

GROWTHS, SHARPNESS = (0.0, 0.3), (1.0, 0.4)
"""Values of g and of k that the starts of a joint fit are made with."""

EXPONENTS = np.geomspace(0.05, 1.5, 10)
RATIOS = 10
"""Exponents and number of ratios, spread over those of the runs, that a solvable fit starts at."""


@dataclass(frozen=True, slots=True)
class JointLaw:
    """L = E + ((A N^-alpha)^(1/k) + (B N^g D^-beta)^(1/k))^k (nats per token).

    With g = 0 and k = 1 it is Chinchilla's sum. Where g is positive, data are worth more to larger
    models. Below k = 1 the larger of the two terms counts for more than in a sum; at k = 0 it
    would be all. Either way A and alpha are those of unlimited data.

    The outer exponent k is that of (A'/N^x + B'/D^y)^k, with x = alpha/k and A' = A^(1/k).

    Examples
    --------
    >>> JointLaw(E=1.7, A=400.0, B=400.0, alpha=0.34, beta=0.4, g=0.06).a
    0.5
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    g: float = 0.0
    k: float = 1.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Nats per token of `N` parameters trained on `D` tokens."""
        N, D = positive("N", N), positive("D", D)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = np.log(self.A) - self.alpha * np.log(N)
            data = np.log(self.B) - self.beta * np.log(D)
            if self.g:
                # A model without limits on data that have none: the floor, whatever g.
                data = np.where(np.isinf(D), data, data + self.g * np.log(N))
            both = self.k * np.logaddexp(size / self.k, data / self.k)
        above: Floats = np.exp(both)[()]
        return self.E + above

    @property
    def a(self) -> float:
        """Exponent of the compute-optimal parameters in compute, beta / (alpha + beta + g)."""
        return self.beta / (self.alpha + self.beta + self.g)

    @property
    def b(self) -> float:
        """Exponent of the compute-optimal tokens in compute, 1 - a."""
        return 1 - self.a

    @property
    def G(self) -> float:  # noqa: N802 - the symbol of the paper
        """Scale of the compute-optimal split, N = G (C/6)^a."""
        if not self.beta + self.g > 0:
            raise DataError(
                f"law.beta + law.g is {self.beta + self.g:g}; more parameters would always help, "
                "so no budget has a best split."
            )
        ratio = np.log(self.alpha / (self.beta + self.g)) * self.k + np.log(self.A / self.B)
        return float(np.exp(ratio / (self.alpha + self.beta + self.g)))


@dataclass(frozen=True, slots=True)
class SolvableLaw:
    """Loss of ridge regression on random features with a power-law spectrum (nats per token).

    N random linear features and D/r samples of a target whose variance falls over the modes as
    i^-(1 + alpha), at the best ridge. The modes learned, s, solve

        Q s^2 + (N + D/r) s = N D/r,    Q = (1 - alpha)(2 + alpha) / (alpha (1 + alpha)),

    and L = E + A s^-alpha / (1 + K s^2 / (N D/r)) with K = (1 - alpha)/(1 + alpha). Unlimited data
    leave E + A N^-alpha. At alpha = 1 it is a sum. N and D/r are alike, so every budget is best
    spent at D = r N (theory of Simon et al. 2024 for random features; the closed form is derived
    from it).

    Examples
    --------
    >>> print(SolvableLaw(E=1.7, A=300.0, alpha=0.3, r=20.0).loss(1e9, 2e10).round(3))
    2.513
    """

    E: float
    A: float
    alpha: float
    r: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    a: ClassVar[float] = 0.5
    b: ClassVar[float] = 0.5

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Nats per token of `N` parameters trained on `D` tokens."""
        size, data = 1 / positive("N", N), self.r / positive("D", D)
        total = size + data
        with np.errstate(invalid="ignore"):
            mixed = np.where(total > 0, (size / total) * (data / total), 0.0)
        curve, damping = _constants(self.alpha)
        root = (1 + np.sqrt(1 + 4 * curve * mixed)) / 2
        above: Floats = self.A * (total * root) ** self.alpha / (1 + damping * mixed / root**2)
        return self.E + above[()]

    @property
    def G(self) -> float:  # noqa: N802 - as in the other laws
        """Scale of the compute-optimal split, N = (C / 6r)^(1/2)."""
        return float(self.r**-0.5)


def _constants(alpha: Any) -> tuple[Any, Any]:
    """Q and K of the solvable law."""
    return 2 / (alpha * (1 + alpha)) - 1, 2 / (1 + alpha) - 1


@dataclass(frozen=True, slots=True)
class FlooredProblem(SmoothProblem):
    """ln L = ln(exp(e) + exp(t)), with e first and t, the log of what is above the floor, a law's.

    `u` holds the centred ln N and ln D.
    """

    @abstractmethod
    def above(self, theta: Floats, u: Floats) -> Expansion:
        """That logarithm (R, m) and its derivatives by the other coordinates, as in `expand`."""

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        e = theta[0][:, None]
        t, slopes, bends = self.above(theta[1:, :, None], u)
        total = np.logaddexp(e, t)
        w = np.exp(t - total)
        spread = w * (1 - w)
        second: Second = {(0, 0): spread}
        for i, slope in enumerate(slopes):
            second[i + 1, 0] = -spread * slope
            for j in range(i + 1):
                bend = bends.get((i, j), 0.0)
                second[i + 1, j + 1] = w * bend + spread * slope * slopes[j]
        return total, [1 - w, *(w * slope for slope in slopes)], second


@dataclass(frozen=True, slots=True)
class JointProblem(FlooredProblem):
    """t = k ln(exp(p/k) + exp(q/k)), p = a - alpha u, q = b + g u - beta v.

    Coordinates e, a, b, alpha, beta, g, ln k.
    """

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 7

    def above(self, theta: Floats, u: Floats) -> Expansion:
        """The joined terms and their derivatives."""
        a, b, alpha, beta, g, log_k = theta
        k = np.exp(log_k)
        p, q = a - alpha * u[0], b + g * u[0] - beta * u[1]
        gap = (p - q) / k
        joined = np.logaddexp(p / k, q / k)
        s = np.exp(p / k - joined)
        mixed = s * (1 - s)
        one, none = np.ones_like(p), np.zeros_like(p)
        of_p = [one, none, -u[0] * one, none, none]
        of_q = [none, one, none, -u[1] * one, u[0] * one]
        apart = [x - y for x, y in zip(of_p, of_q, strict=True)]
        t = k * joined
        slopes = [s * x + (1 - s) * y for x, y in zip(of_p, of_q, strict=True)]
        entropy = t - s * p - (1 - s) * q
        second: Second = {
            (i, j): mixed / k * apart[i] * apart[j] for i in range(5) for j in range(i + 1)
        }
        second |= {(5, j): -mixed * gap * apart[j] for j in range(5)}
        second[5, 5] = entropy + k * gap**2 * mixed
        return t, [*slopes, entropy], second

    def starts(self) -> Floats:
        """Half of those of Chinchilla's law, with each pair of g and k."""
        sums = projected_starts(PowerSum(self.u, self.y, self.delta, times=self.times))
        a, b, e, alpha, beta = sums[:, ::2]
        rows = [
            np.stack([e, a, b, alpha, beta, np.full_like(e, g), np.full_like(e, np.log(k))])
            for g, k in product(GROWTHS, SHARPNESS)
        ]
        return np.concatenate(rows, axis=1)


@dataclass(frozen=True, slots=True)
class SolvableProblem(FlooredProblem):
    """t = c - alpha (u + v - rho)/2 + f(u - v + rho, alpha); coordinates e, c, alpha, rho."""

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 4

    def above(self, theta: Floats, u: Floats) -> Expansion:
        """The solvable form and its derivatives."""
        c, alpha, rho = theta
        f, (f_x, f_a), (f_xx, f_xa, f_aa) = _solved(u[0] - u[1] + rho, alpha)
        middle = (u[0] + u[1] - rho) / 2
        second: Second = {(1, 1): f_aa, (2, 1): 0.5 + f_xa, (2, 2): f_xx}
        return c - alpha * middle + f, [np.ones_like(f), f_a - middle, alpha / 2 + f_x], second

    def starts(self) -> Floats:
        """One start per exponent and ratio; for given ones floor and coefficient are linear."""
        few = sample(self)
        low, high = np.quantile(few.u[1] - few.u[0], [0.02, 0.98])
        grid = np.array(list(product(EXPONENTS, np.linspace(low, high, RATIOS))))
        alpha, rho = grid.T[:, :, None]
        shape, *_ = self.above(np.stack([np.zeros_like(rho), alpha, rho]), few.u)
        columns = np.stack([np.exp(shape - few.y), np.broadcast_to(np.exp(-few.y), shape.shape)], 1)
        found = nonnegative(columns)
        smallest = 1e-4 * np.exp(np.median(few.y))
        c, e = np.log(np.maximum(found, smallest)).T
        return np.stack([e, c, grid[:, 0], grid[:, 1]])


def _solved(x: Floats, alpha: Floats) -> tuple[Floats, tuple[Floats, ...], tuple[Floats, ...]]:
    """f(x, alpha) = -alpha ln y - ln(1 + K y^2) with Q y^2 + 2 y cosh(x/2) = 1, and derivatives.

    y is modes learned over the geometric mean of N and D/r, and x the log of their ratio. First
    derivatives are by x and alpha, second ones by xx, x alpha and alpha alpha.
    """
    Q, K = _constants(alpha)
    s, s_a = alpha * (1 + alpha), 1 + 2 * alpha
    Q_a, Q_aa = -2 * s_a / s**2, -4 / s**2 + 4 * s_a**2 / s**3
    K_a, K_aa = -2 / (1 + alpha) ** 2, 4 / (1 + alpha) ** 3
    H, H_x = np.cosh(x / 2), np.sinh(x / 2) / 2
    R = np.sqrt(H**2 + Q)
    y = 1 / (H + R)
    # Derivatives of ln y.
    l_H, l_Q = -1 / R, -y / (2 * R)
    l_HH, l_HQ, l_QQ = H / R**3, 1 / (2 * R**3), (y**2 + y / R) / (4 * R**2)
    l_x, l_a = l_H * H_x, l_Q * Q_a
    l_xx = l_HH * H_x**2 + l_H * H / 4
    l_xa, l_aa = l_HQ * H_x * Q_a, l_QQ * Q_a**2 + l_Q * Q_aa
    n = y**2 / (1 + K * y**2)
    m = K * n
    f_l, f_ll, f_lK = -alpha - 2 * m, -4 * m * (1 - m), -2 * n * (1 - m)
    mixed = f_ll * l_a - 1 + f_lK * K_a
    first = f_l * l_x, f_l * l_a - np.log(y) - n * K_a
    second = (
        f_ll * l_x**2 + f_l * l_xx,
        mixed * l_x + f_l * l_xa,
        f_ll * l_a**2 + 2 * (f_lK * K_a - 1) * l_a + n**2 * K_a**2 + f_l * l_aa - n * K_aa,
    )
    return -alpha * np.log(y) - np.log1p(K * y**2), first, second


@dataclass(frozen=True, slots=True)
class FlooredModel(Model):
    """What both share: a parameter, or its logarithm, is a linear form of the coordinates.

    Coordinates are in the order of `names`; `centre` holds the means of ln N and ln D.
    """

    centre: Floats
    scale: ClassVar[tuple[str, ...]] = ("params", "tokens")
    logarithmic: ClassVar[tuple[str, ...]]
    terms: ClassVar[tuple[str, ...]]

    @abstractmethod
    def uncentred(self, name: str) -> Mapping[str, float]:
        """What to add to a coordinate, as coefficients of others, and a constant under ""."""

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        pivot = self.names.index(name)
        row = np.eye(len(self.names))[pivot]
        shift = dict(self.uncentred(name))
        offset = shift.pop("", 0.0)
        for other, factor in shift.items():
            row[self.names.index(other)] = factor
        return Equation(row, offset, pivot, name in self.logarithmic)

    def params(self, theta: Floats) -> Floats:
        """Parameters (k, R), in the order of `names`, of solver coordinates (p, R)."""
        return np.stack([self._value(name, theta) for name in self.names])

    def _value(self, name: str, theta: Floats) -> Floats:
        how = self.equation(name)
        used = how.row != 0
        read: Floats = how.row[used] @ theta[used] + how.offset
        with np.errstate(all="ignore"):
            return np.asarray(np.exp(read)) if how.logarithmic else read

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the floor and of each term, by its coefficient."""
        return {name: float(J[self.names.index(name)].max()) for name in self.terms}


@dataclass(frozen=True, slots=True)
class JointModel(FlooredModel):
    """Parametrisation of `JointLaw`."""

    names: ClassVar[tuple[str, ...]] = ("E", "A", "B", "alpha", "beta", "g", "k")
    decaying: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    logarithmic: ClassVar[tuple[str, ...]] = ("E", "A", "B", "k")
    terms: ClassVar[tuple[str, ...]] = ("E", "A", "B")

    def uncentred(self, name: str) -> Mapping[str, float]:
        """Coefficients are those at the middle of the runs until carried to N = D = 1."""
        n, d = self.centre
        return {"A": {"alpha": n}, "B": {"beta": d, "g": -n}}.get(name, {})

    def law(self, params: Floats) -> JointLaw:
        """The law with these parameters, in the order of `names`."""
        return JointLaw(*(float(value) for value in params))


@dataclass(frozen=True, slots=True)
class SolvableModel(FlooredModel):
    """Parametrisation of `SolvableLaw`."""

    names: ClassVar[tuple[str, ...]] = ("E", "A", "alpha", "r")
    decaying: ClassVar[tuple[str, ...]] = ("alpha",)
    logarithmic: ClassVar[tuple[str, ...]] = ("E", "A", "r")
    terms: ClassVar[tuple[str, ...]] = ("E", "A")

    def uncentred(self, name: str) -> Mapping[str, float]:
        """The coefficient is carried to N = 1, and the ratio measured from that of the mean run."""
        n, d = self.centre
        return {"A": {"alpha": n}, "r": {"": d - n}}.get(name, {})

    def law(self, params: Floats) -> SolvableLaw:
        """The law with these parameters, in the order of `names`."""
        return SolvableLaw(*(float(value) for value in params))


def fit_joint(
    runs: pd.DataFrame,
    *,
    form: Form = "interaction",
    loss: Loss = "huber",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
    tied: Sequence[str] = (),
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[JointLaw]:
    """Fit a law whose data term grows with size, or whose terms join more sharply than a sum.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params``, ``tokens`` (counts) and ``loss`` (nats per token).
    form : {"interaction", "outer", "both"}
        Which of g and k is fitted beside the five constants of Chinchilla's law.
    loss, delta, fixed, tied, weights, sigma
        As in `fit_chinchilla`; constants of `HELD` are held as well.

    Returns
    -------
    Fit
        With a `JointLaw`. A, B, alpha, beta, g and k can be held, tied and profiled.

    Raises
    ------
    DataError, FitError
        As `fit_chinchilla`, and if `form` is not one of the three.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = fit_joint(runs[~runs.excluded], form="outer")
    >>> print(f"{fit.law.k:.2f}")
    0.77
    """
    if form not in HELD:
        raise DataError(f"form must be one of {', '.join(map(repr, HELD))}, got {form!r}.")
    held = {**HELD[form], **(fixed or {})}
    return _fit(runs, JointProblem, JointModel, held, tied, loss, delta, weights, sigma)


def fit_solvable(
    runs: pd.DataFrame,
    *,
    loss: Loss = "huber",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[SolvableLaw]:
    """Fit the law of a linear model that can be solved.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params``, ``tokens`` (counts) and ``loss`` (nats per token).
    loss, delta, fixed, weights, sigma
        As in `fit_chinchilla`.

    Returns
    -------
    Fit
        With a `SolvableLaw`. A, alpha and r can be held and profiled.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = fit_solvable(runs[~runs.excluded])
    >>> print(f"{fit.law.alpha:.2f}")
    0.30
    """
    held = dict(fixed or {})
    return _fit(runs, SolvableProblem, SolvableModel, held, (), loss, delta, weights, sigma)


def _fit(
    runs: pd.DataFrame,
    kind: type[JointProblem | SolvableProblem],
    parametrisation: type[JointModel | SolvableModel],
    held: Mapping[str, float],
    tied: Sequence[str],
    loss: Loss,
    delta: float,
    weights: Weights,
    sigma: Weights,
) -> Fit[Any]:
    """Check the runs, search, and conclude."""
    values, labels = table(runs, ("params", "tokens", "loss"))
    N, D, L = values
    factors = inverse_sd(weights, sigma, L, labels, slope=1 / L, runs=runs)
    logs = np.log(values[:2])
    centre = logs.mean(axis=1)
    limit, times = threshold(loss, delta), squared(factors)
    problem = kind(logs - centre[:, None], np.log(L), limit, times=times)
    model = parametrisation(problem, centre)
    restriction = model.restrict(held, tied)
    enough_rows(values, len(restriction.free))
    varying(L, "loss")
    if degenerate := degenerate_design(N, D):
        raise FitError(f"{degenerate}.")
    # Starts that differ only in what is held are one.
    starts = np.unique(restriction.apply(problem.starts()), axis=1)
    best = search(problem, starts, restriction, lad=loss == "lad")
    doubts = (*unit_doubts(N, D), *rising(values[:2], L, "loss", "scale"))
    return conclude(model, best, restriction, labels, loss, doubts, absolute=sigma is not None)
