"""A list of skills used by a power law: learned most frequent first, at first sight, or by growth.

Skill k is used with probability p_k in proportion to k^-(1+a), and costs 1 until it is learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expi, gamma, gammaincc, zeta

from scalinglib.checks import Floats, positive
from scalinglib.topics.theory.lists import ranks

START: Final = 1e-3
"""Share of a skill that is there before training begins."""


@dataclass(frozen=True, slots=True, eq=False)
class Skills:
    """A list of skills: how often each entry is used, and how many skills it stands for."""

    a: float
    use: Floats
    count: Floats

    @classmethod
    def power_law(cls, a: float, *, listed: float = 1e12) -> Skills:
        """Use in proportion to k^-(1+a), for k from 1 to `listed`."""
        rank, count = ranks(listed, exact=20_000)
        use = rank ** -(1 + a)
        return cls(a, use / (count @ use), count)

    def unseen(self, D: ArrayLike, *, sights: int = 1) -> Floats:
        """Loss after D samples if a skill is learned at its `sights`-th occurrence (Poisson)."""
        seen = np.multiply.outer(np.asarray(D, dtype=np.float64), self.use)
        left: Floats = gammaincc(sights, seen) @ (self.count * self.use)
        return left

    def noise(self, D: ArrayLike) -> Floats:
        """What labels of unit variance add after D samples to a mean per skill.

        That is sum p E[1/n; n > 0]. The number of sights n is Poisson with mean m = D p, and
        E[1/n; n > 0] is exp(-m) (Ei(m) - ln m - gamma).
        """
        m = np.multiply.outer(np.asarray(D, dtype=np.float64), self.use)
        near = np.minimum(m, 500.0)
        exact = np.exp(-near) * (expi(near) - np.log(near) - np.euler_gamma)
        # Below the first sight the bracket cancels; its series starts with m. Far out it is 1/m.
        cost = np.where(m < 1e-4, m, np.where(m > 500, 1 / m + 1 / m**2, exact))
        added: Floats = cost @ (self.count * self.use)
        return added

    def growing(self, t: ArrayLike) -> Floats:
        """Share of each skill learned at time t, dR/dt = 2 p R (1 - R), a row for each t."""
        odds = np.multiply.outer(2 * np.asarray(t, dtype=np.float64), self.use)
        share: Floats = 1 / (1 + (1 / START - 1) * np.exp(-np.minimum(odds, 700)))
        return share

    def unlearned(self, t: ArrayLike, *, room: int | None = None) -> Floats:
        """Squared error at time t if skills grow as they are used, the first `room` only."""
        growth = self.growing(t)
        if room is not None:
            growth = growth * (np.cumsum(self.count) <= room)
        left: Floats = (1 - growth) ** 2 @ (self.count * self.use)
        return left


def unlearned_by_size(a: float, n: ArrayLike) -> Floats:
    """Loss when the n most frequent skills of an endless list are learned."""
    left: Floats = zeta(1 + a, positive("n", n) + 1) / zeta(1 + a)
    return left


def unseen_tail(a: float, D: ArrayLike) -> Floats:
    """Leading term of the loss by data, an endless list learned at first sight (Hutter 2021)."""
    s = a / (1 + a)
    left: Floats = zeta(1 + a) ** (s - 1) * gamma(s) / (1 + a) * positive("D", D) ** -s
    return left


def data_exponent(a: float) -> float:
    """Exponent of data that goes with an exponent `a` of size, a / (1 + a)."""
    return a / (1 + a)


def size_exponent(of_data: float) -> float:
    """The inverse: a of a / (1 + a)."""
    return of_data / (1 - of_data)


def simulated_slope(
    a: float, D: Floats, *, listed: int = 200_000, draws: int = 10, seed: int = 0
) -> tuple[float, float]:
    """Exponent of data by drawing, and the exact one for the same finite list."""
    rng = np.random.default_rng(seed)
    use = np.arange(1.0, listed + 1) ** -(1 + a)
    use /= use.sum()
    unseen = np.exp(-np.multiply.outer(D, use))
    found = [
        np.mean([use @ (rng.random(listed) < chance) for _ in range(draws)]) for chance in unseen
    ]
    return slope(D, np.array(found)), slope(D, unseen @ use)


def slope(x: Floats, y: Floats) -> float:
    """Exponent with which y falls as a power of x, by a line through the logarithms."""
    return float(-np.polyfit(np.log(x), np.log(y), 1)[0])


def both(a: float, N: ArrayLike, D: ArrayLike) -> Floats:
    """Loss when the first N skills can be learned and D samples show them, up to a unit.

    N^-a / a + Gamma(s)/(1+a) D^-s Q(s, D N^-(1+a)) with s = a/(1+a).
    """
    N, D, s = positive("N", N), positive("D", D), a / (1 + a)
    beyond = N**-a / a
    left: Floats = beyond + gamma(s) / (1 + a) * D**-s * gammaincc(s, D * N ** -(1 + a))
    return left


def takeovers(skills: Skills, t: Floats) -> pd.DataFrame:
    """At each time: skills known (nine tenths), under way, and the largest share of an octave.

    The share is that of one skill in the fall of the loss from t to 2 t.
    """
    now, later = skills.growing(t), skills.growing(2 * t)
    fall = ((1 - now) ** 2 - (1 - later) ** 2) * skills.use
    return pd.DataFrame(
        {
            "t": t,
            "known": (now > 0.9) @ skills.count,
            "under way": ((now > 0.1) & (now <= 0.9)) @ skills.count,
            "largest share": fall.max(axis=1) / (fall @ skills.count),
        }
    )
