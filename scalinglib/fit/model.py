"""Between the parameters people quote and the coordinates the solver works in.

A model owns a problem and knows how its solver coordinates, centred logarithms and exponents,
translate to the parameters of a law. Holding a parameter fixed or tying several together is an
affine restriction of the solver's coordinates; both, and the points of a profile, reduce to an
origin and the directions in which a fit may still move.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from scalinglib.checks import Floats, listed, positive
from scalinglib.errors import DataError
from scalinglib.fit.huber import HuberProblem, PowerSum


@dataclass(frozen=True, slots=True)
class Restriction:
    """Where a fit may move: theta = origin + directions @ theta[free].

    The origin (p,) satisfies every restriction, and the directions (p, k) have one column per free
    coordinate. `fixed` and `tied` name the parameters that are held or have a common value.
    """

    origin: Floats
    directions: Floats
    free: tuple[int, ...]
    fixed: Mapping[str, float]
    tied: tuple[str, ...]

    def apply(self, theta: Floats) -> Floats:
        """Move rows (p, R) onto the restriction, keeping their free coordinates."""
        return self.origin[:, None] + self.directions @ theta[list(self.free)]


@dataclass(frozen=True, slots=True)
class Equation:
    """How a parameter, or its logarithm, reads in solver coordinates: row @ theta + offset.

    `pivot` is the coordinate that gives way when the parameter is held.
    """

    row: Floats
    offset: float
    pivot: int
    logarithmic: bool

    def read(self, theta: Floats) -> float:
        """The reading at solver coordinates (p,); those it ignores may be infinite."""
        used = self.row != 0
        return float(self.row[used] @ theta[used]) + self.offset

    def target(self, value: float) -> float:
        """What row @ theta must be for the parameter to have a value."""
        return float(np.log(value) if self.logarithmic else value) - self.offset


@dataclass(frozen=True, slots=True)
class Model(ABC):
    """A problem, points and law in solver coordinates, and the meaning of these."""

    problem: HuberProblem
    names: ClassVar[tuple[str, ...]]
    decaying: ClassVar[tuple[str, ...]] = ()
    scale: ClassVar[tuple[str, ...]] = ()
    """Columns of runs that the law takes; none for a law of one variable."""

    @abstractmethod
    def params(self, theta: Floats) -> Floats:
        """Parameters (k, R), in the order of `names`, of solver coordinates (p, R)."""

    @abstractmethod
    def law(self, params: Floats) -> Any:
        """The law with these parameters, in the order of `names`."""

    @abstractmethod
    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates, if it is an affine function of them."""

    @abstractmethod
    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """What goes to zero when a term vanishes, by parameter.

        For most terms this is their largest share in the predictions, read from the Jacobian
        `J` (p, m) at `theta` (p,).
        """

    def place(self, *scale: float) -> Floats:
        """A point of the problem (k, 1) at a scale that the law takes, if the model says where."""
        raise DataError(
            f"predictions of a law of {', '.join(self.names)} are not profiled; use the band of a "
            "bootstrap."
        )

    def restrict(self, fixed: Mapping[str, float], tied: Sequence[str]) -> Restriction:
        """Translate fixed and tied parameters; refuse what cannot be held."""
        self._check_restriction(fixed, tied)
        size = self.problem.n_parameters
        rows, targets, pivots = [], [], []
        for name, value in fixed.items():
            held = self.equation(name)
            rows.append(held.row)
            # A coefficient of zero has no logarithm; its coordinate is set after solving.
            targets.append(held.target(value) if value or not held.logarithmic else 0.0)
            pivots.append(held.pivot)
        for name in tied[1:]:
            first, other = self.equation(tied[0]), self.equation(name)
            rows.append(other.row - first.row)
            targets.append(first.offset - other.offset)
            pivots.append(other.pivot)
        origin, directions, free = _solve(rows, targets, pivots, size)
        zero = [self.equation(name) for name, value in fixed.items() if value == 0]
        absent = [held.pivot for held in zero if held.logarithmic]
        origin[absent] = -np.inf
        return Restriction(origin, directions, free, dict(fixed), tuple(tied))

    def _check_restriction(self, fixed: Mapping[str, float], tied: Sequence[str]) -> None:
        known = ", ".join(self.names)
        for name in (*fixed, *tied):
            if name not in self.names:
                raise DataError(f"{name!r} is not a parameter of this law; use one of {known}.")
        for name, value in fixed.items():
            if not np.isfinite(value):
                raise DataError(f"fixed[{name!r}] must be finite, got {value}.")
            if not self.equation(name).logarithmic:
                continue
            if value < 0 or (value == 0 and name != "E"):
                raise DataError(f"fixed[{name!r}] must be positive, got {value:g}.")
        if len(tied) == 1 or len(set(tied)) < len(tied):
            raise DataError(f"tied needs at least two different parameters, got {tuple(tied)}.")
        if set(tied) & set(fixed):
            raise DataError(f"{(set(tied) & set(fixed)).pop()!r} is both fixed and tied.")
        if len({self.equation(name).logarithmic for name in tied}) > 1:
            raise DataError(f"tied mixes coefficients and exponents: {', '.join(tied)}.")
        if len(fixed) + max(len(tied) - 1, 0) >= len(self.names):
            raise DataError("every parameter is fixed, so nothing is left to fit; free one.")


def _solve(
    rows: list[Floats], targets: list[float], pivots: list[int], size: int
) -> tuple[Floats, Floats, tuple[int, ...]]:
    """Solve the equations for their pivots, leaving every other coordinate free."""
    free = tuple(j for j in range(size) if j not in pivots)
    origin, directions = np.zeros(size), np.zeros((size, len(free)))
    directions[list(free), range(len(free))] = 1.0
    if rows:
        table = np.array(rows)
        origin[pivots] = np.linalg.solve(table[:, pivots], targets)
        directions[pivots] = -np.linalg.solve(table[:, pivots], table[:, list(free)])
    return origin, directions, free


@dataclass(frozen=True, slots=True)
class PowerSumModel(Model):
    """Power terms and a floor, in centred coordinates a_1..a_T, e, alpha_1..alpha_T.

    `centre` (T,) holds the means that were taken off the predictors' logarithms.
    """

    centre: Floats
    order: ClassVar[tuple[str, ...]]

    def params(self, theta: Floats) -> Floats:
        """Parameters (k, R), in the order of `names`, of solver coordinates (p, R)."""
        T = len(self.centre)
        raw = theta.copy()
        raw[:T] += theta[T + 1 :] * self.centre[:, None]
        with np.errstate(all="ignore"):
            raw[: T + 1] = np.exp(raw[: T + 1])
        return raw[[self.order.index(name) for name in self.names]]

    def place(self, *scale: float) -> Floats:
        """A point of the problem (T, 1) at a scale that the law takes."""
        return placed(scale, self.centre)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of each term in the predictions, by its coefficient."""
        T = len(self.centre)
        return {self.order[k]: float(J[k].max()) for k in range(T + 1)}

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        T = len(self.centre)
        pivot = self.order.index(name)
        row = np.zeros(2 * T + 1)
        row[pivot] = 1.0
        if pivot < T:
            row[T + 1 + pivot] = self.centre[pivot]
        return Equation(row, 0.0, pivot, logarithmic=pivot <= T)


def power_sum(
    predictors: Floats, y: Floats, delta: float, factors: Floats | None = None
) -> tuple[PowerSum, Floats]:
    """Centre the logarithms of predictors (T, m); the observed quantity is `y` (m,).

    `factors` are inverse standard deviations of the log residuals.
    """
    logs = np.log(predictors)
    centre = logs.mean(axis=1)
    return PowerSum(logs - centre[:, None], np.log(y), delta, times=squared(factors)), centre


def placed(scale: tuple[float, ...], centre: Floats) -> Floats:
    """Centred logarithms (T, 1) of one point."""
    if len(scale) != len(centre):
        raise DataError(f"at needs as many numbers as the law takes, {len(centre)}; got {scale}.")
    return np.log(positive("at", listed("at", scale)))[:, None] - centre[:, None]


def squared(factors: Floats | None) -> Floats | None:
    """How many times each point counts, for inverse standard deviations of the residuals."""
    return None if factors is None else factors**2
