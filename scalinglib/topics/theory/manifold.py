"""Error of local learners on a surface of known dimension, and the dimension told by neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.spatial import cKDTree

from scalinglib.checks import Floats
from scalinglib.topics.theory.skills import slope

AMBIENT = 32
"""Dimensions of the space that the surface lies in."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A curved sheet of dimension d in `AMBIENT` dimensions, and a smooth target on it."""

    d: int
    flat: Floats
    waves: Floats
    phase: Floats
    directions: Floats
    shifts: Floats

    @classmethod
    def random(cls, d: int, rng: np.random.Generator) -> Surface:
        """A sheet z A + 0.3 sin(z W + b), and a target of 16 cosines with wave number 2."""
        flat = np.linalg.qr(rng.standard_normal((AMBIENT, d)))[0].T
        waves, phase = rng.standard_normal((d, AMBIENT)), rng.uniform(0, 2 * np.pi, AMBIENT)
        directions = rng.standard_normal((d, 16))
        directions *= 2 / np.linalg.norm(directions, axis=0)
        return cls(d, flat, waves, phase, directions, rng.uniform(0, 2 * np.pi, 16))

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Points (n, `AMBIENT`) on the sheet, and the target there."""
        z = rng.uniform(0, 1, (n, self.d))
        x = z @ self.flat + 0.3 * np.sin(z @ self.waves + self.phase)
        return x, np.cos(z @ self.directions + self.shifts).sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Questions, and the 2 (d + 1) examples next to each, the nearest first."""

    asked: Floats
    x: Floats
    y: Floats
    d: int

    @classmethod
    def of(cls, x: Floats, y: Floats, asked: Floats, d: int) -> Neighbours:
        """The neighbours among examples `x` with values `y`, on a surface of dimension d."""
        near = cKDTree(x).query(asked, k=2 * (d + 1))[1]
        return cls(asked, x[near], y[near], d)


def nearest(near: Neighbours) -> Floats:
    """The value of the nearest example."""
    return near.y[:, 0]


def local_plane(near: Neighbours) -> Floats:
    """A plane through the neighbours, in the d directions in which they spread most."""
    centre = near.x.mean(axis=1, keepdims=True)
    around, here = near.x - centre, (near.asked[:, None] - centre)[:, 0]
    # Few neighbours in many dimensions: the directions are cheaper from the products of the rows.
    spread, mixed = np.linalg.eigh(around @ around.transpose(0, 2, 1))
    spread, mixed = spread[:, -near.d :], mixed[:, :, -near.d :]
    level = near.y.mean(axis=1)
    tilt = np.einsum("qkd,qk->qd", mixed, near.y - level[:, None])
    place = np.einsum("qkd,qk->qd", mixed, np.einsum("qkm,qm->qk", around, here))
    value: Floats = level + np.sum(place / spread * tilt, axis=1)
    return value


LEARNERS: Final[Mapping[str, tuple[int, Callable[[Neighbours], Floats]]]] = {
    "nearest neighbour": (2, nearest),
    "local plane": (4, local_plane),
}
"""Learners, each with its order: exponent of data times dimension, for a smooth target."""


def exponents(
    dimensions: Sequence[int], sizes: Sequence[int], *, queries: int = 1024, seed: int = 0
) -> pd.DataFrame:
    """Exponent of data of each learner on a surface of each dimension.

    A row per dimension and learner: d, learner, ``exponent``, ``implied`` (order / exponent), and
    ``neighbours``, the dimension that two neighbours tell from the inputs alone.
    """
    rows = []
    for d in dimensions:
        rng = np.random.default_rng([seed, d])
        surface = Surface.random(d, rng)
        x, y = surface.draw(max(sizes), rng)
        asked, truth = surface.draw(queries, rng)
        told = two_neighbours(x)
        near = [Neighbours.of(x[:n], y[:n], asked, d) for n in sizes]
        for name, (order, learner) in LEARNERS.items():
            missed = [np.mean((learner(one) - truth) ** 2) / truth.var() for one in near]
            found = slope(np.array(sizes, dtype=np.float64), np.array(missed))
            rows.append((d, name, found, order / found, told))
    return pd.DataFrame(rows, columns=["d", "learner", "exponent", "implied", "neighbours"])


def two_neighbours(x: Floats) -> float:
    """Intrinsic dimension from the ratio of the distances to two neighbours (Facco et al. 2017)."""
    near = np.asarray(cKDTree(x).query(x, k=3)[0])
    return float(len(x) / np.sum(np.log(near[:, 2] / near[:, 1])))


def circle_error(teacher: float, student: float, n: ArrayLike, *, aliases: int = 400) -> Floats:
    """Error of kernel interpolation at n even points of a circle, by the sum over aliases.

    The target is a Gaussian draw whose wave k has variance k^-teacher, the kernel's wave k has
    weight k^-student. Waves that agree on the points are aliases: only their sum is seen.
    """
    found = []
    for points in np.atleast_1d(np.asarray(n, dtype=int)):
        first = np.arange(points) - points // 2
        k = np.abs(first[:, None] + points * np.arange(-aliases, aliases + 1)).astype(np.float64)
        # The constant has a weight of its own; one half keeps it above the first wave.
        k[k == 0] = 0.5
        power, kernel = k**-teacher, k**-student
        weight = kernel / kernel.sum(axis=1, keepdims=True)
        whole = power.sum(axis=1)
        missed = whole * (1 + np.sum(weight**2, axis=1)) - 2 * np.sum(power * weight, axis=1)
        found.append(missed.sum())
    return np.array(found)
