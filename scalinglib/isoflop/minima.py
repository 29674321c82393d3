"""Where the loss of a budget is lowest: a parabola's vertex or a winning curve, row by row.

A *row* is one resample, given as the weight of each run; the sample as it is is the row of ones.
All rows of a budget are solved together, and each is judged by the same rules.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.fit.resample import counts, draw

Along = Literal["params", "tokens"]

SIZES, EXACT = 4, 3
"""A parabola through three sizes fits whatever the losses are, so a profile needs four; a budget
that was run at three is taken if the middle one is the lowest, with a warning."""

ONE_SIZE = 0.02
"""Sizes closer than this in the logarithm are one: a seed, or a point read off a figure twice."""

FLAT = 1e-9
"""A profile that rises by less than this share of its loss towards its ends is flat."""

ALIKE = 1e-12
"""Sum of squares about the mean of ln C below which budgets are one."""

USED, FEW, NO_BOWL, BELOW, ABOVE, OPEN = range(6)


@dataclass(frozen=True, slots=True)
class Minima:
    """Minima of R resamples at K budgets, as arrays (R, K).

    `N` and `D` are natural logarithms of parameters and tokens, `curvature` the second derivative
    of the loss in the logarithm of the size, and `verdict` is `USED` or the code of a reason.
    `times` says how often each counts in a line, once when left out.
    """

    N: Floats
    D: Floats
    loss: Floats
    curvature: Floats
    verdict: NDArray[np.int64]
    times: Floats | None = None


class Sample(ABC):
    """Runs that give a minimum per budget, under weights that a resample may change."""

    budgets: Floats

    @abstractmethod
    def draw(
        self, n: int, seed: int, share: float | None, replace: bool = False
    ) -> Sequence[Floats]:
        """Weights of the runs in `n` resamples, an array (n, runs) per group."""

    @abstractmethod
    def ones(self) -> Sequence[Floats]:
        """Weights of the sample as it is, as one row."""

    @abstractmethod
    def minima(self, weights: Sequence[Floats]) -> Minima:
        """Minima (R, K) of the budgets under rows of weights."""

    @abstractmethod
    def reason(self, k: int, code: int, at: float) -> str:
        """Say why budget `k` cannot be used, and what would help."""

    @abstractmethod
    def counts(self) -> list[int]:
        """Number of runs at each budget."""


@dataclass(frozen=True, slots=True)
class BudgetProfile:
    """Runs of one budget: logarithm of the size along the profile, of the other, and the loss.

    `labels` are their rows, `span` the lowest and highest budget (FLOP) taken for this one, and
    `needed` is how many sizes a parabola through them must have.
    """

    x: Floats
    other: Floats
    loss: Floats
    labels: pd.Index
    span: tuple[float, float]
    needed: int = SIZES

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Which distinct size (m,) each run has, from 0 upwards."""
        order = np.argsort(self.x, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.cumsum(np.diff(self.x[order], prepend=self.x.min()) > ONE_SIZE)
        return rank

    @property
    def columns(self) -> Floats:
        """What the parabola is made of, (3, m), in a size that runs from -1 to 1."""
        middle = 0.5 * (self.x.min() + self.x.max())
        t = (self.x - middle) / (0.5 * float(np.ptp(self.x)) or 1.0)
        return np.stack([np.ones_like(t), t, t * t])

    def vertex(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        """Vertex, other size there, loss, curvature and verdict (R,) for `weights` (R, m)."""
        middle = 0.5 * (self.x.min() + self.x.max())
        scale = 0.5 * float(np.ptp(self.x)) or 1.0
        V, group = self.columns, self.sizes
        t = V[1]
        distinct = (weights @ np.eye(group.max() + 1)[group] > 0).sum(axis=1)
        few = distinct < self.needed
        gram = np.einsum("rm,im,jm->rij", weights, V, V)
        gram[few] = np.eye(3)
        c = np.linalg.solve(gram, (weights @ (V * self.loss).T)[:, :, None])[:, :, 0]
        line = np.linalg.solve(gram[:, :2, :2], (weights @ (V[:2] * self.other).T)[:, :, None])
        flat = c[:, 2] <= FLAT * np.abs(self.loss).max()
        with np.errstate(all="ignore"):
            at = np.where(few | flat, np.nan, -0.5 * c[:, 1] / c[:, 2])
        drawn = weights > 0
        low, high = np.where(drawn, t, np.inf).min(axis=1), np.where(drawn, t, -np.inf).max(axis=1)
        verdict = np.select(
            [few, self._open(weights), flat, at <= low, at >= high],
            [FEW, OPEN, NO_BOWL, BELOW, ABOVE],
            default=USED,
        )
        other = line[:, 0, 0] + line[:, 1, 0] * at
        loss = c[:, 0] + 0.5 * c[:, 1] * at
        return middle + scale * at, other, loss, 2 * c[:, 2] / scale**2, verdict

    def _open(self, weights: Floats) -> NDArray[np.bool_]:
        """Where the middle one of just three sizes is not the lowest, on the mean of its runs."""
        if self.needed > EXACT or self.sizes.max() + 1 < EXACT:
            return np.zeros(len(weights), dtype=bool)
        each = np.eye(EXACT)[self.sizes]
        with np.errstate(all="ignore"):
            mean = (weights * self.loss) @ each / (weights @ each)
        return ~(mean[:, 1] < np.minimum(mean[:, 0], mean[:, 2]))


@dataclass(frozen=True, slots=True)
class Profiles(Sample):
    """IsoFLOP profiles at nominal budgets (FLOP), each `along` parameters or tokens."""

    budgets: Floats
    profiles: tuple[BudgetProfile, ...]
    along: Along

    def draw(
        self, n: int, seed: int, share: float | None, replace: bool = False
    ) -> Sequence[Floats]:
        """Draw runs within each budget, or a share of all runs together."""
        runs, ends = sum(self.counts()), np.cumsum(self.counts())[:-1]
        strata = np.split(np.arange(runs), ends) if share is None else None
        (drawn,) = draw(runs, n, seed=seed, strata=strata, share=share, replace=replace)
        return np.split(counts(drawn, runs), ends, axis=1)

    def ones(self) -> Sequence[Floats]:
        """Every run once."""
        return [np.ones((1, len(one.x))) for one in self.profiles]

    def minima(self, weights: Sequence[Floats]) -> Minima:
        """Vertices of the parabolas."""
        parts = zip(
            *(p.vertex(w) for p, w in zip(self.profiles, weights, strict=True)), strict=True
        )
        x, other, loss, curvature, verdict = (np.stack(part, axis=1) for part in parts)
        N, D = (x, other) if self.along == "params" else (other, x)
        return Minima(N, D, loss, curvature, verdict)

    def counts(self) -> list[int]:
        """Number of runs at each budget."""
        return [len(one.x) for one in self.profiles]

    def reason(self, k: int, code: int, at: float) -> str:
        """Say why a profile has no minimum to use."""
        what, unit = ("model sizes", "parameters") if self.along == "params" else (
            "token counts", "tokens")  # fmt: skip
        profile = self.profiles[k]
        sizes = np.sort(profile.x, kind="stable")
        if code == FEW:
            distinct = int(profile.sizes.max()) + 1
            have = f"{distinct} distinct {what}" if distinct > 1 else f"one {what[:-1]}"
            return f"it has {have}, and a profile needs {profile.needed}; add runs"
        if code == OPEN:
            return (
                f"the lowest loss of its three {what} is not that of the middle one, so they do "
                "not bracket a minimum; add runs"
            )
        if code == NO_BOWL:
            return (
                "its losses do not curve upwards, so there is no minimum; add runs at both ends, "
                "or look for an outlier"
            )
        side, edge, more = ("below", sizes[0], "smaller") if code == BELOW else (
            "above", sizes[-1], "larger")  # fmt: skip
        return (
            f"its minimum, at {np.exp(at):.3g} {unit}, lies {side} all its runs, which "
            f"{'start' if code == BELOW else 'end'} at {np.exp(edge):.3g}; add {more} {what}"
        )


@dataclass(frozen=True, slots=True)
class Curves(Sample):
    """Training curves on a common grid of budgets (FLOP).

    `size` (m,) is the logarithm of the parameters of each curve, and `loss` (m, K) is infinite
    where a curve does not reach.
    """

    budgets: Floats
    size: Floats
    loss: Floats

    def draw(
        self, n: int, seed: int, share: float | None, replace: bool = False
    ) -> Sequence[Floats]:
        """Draw whole curves."""
        curves = len(self.size)
        drawn = draw(curves, n, seed=seed, share=share, replace=replace)
        return [counts(np.concatenate([*drawn]), curves)]

    def ones(self) -> Sequence[Floats]:
        """Every curve once."""
        return [np.ones((1, len(self.size)))]

    def minima(self, weights: Sequence[Floats]) -> Minima:
        """The winning curve at each level."""
        rows = [self._winners(row > 0) for row in weights[0]]
        winner, loss, verdict = (np.stack(part) for part in zip(*rows, strict=True))
        N = self.size[winner]
        D = np.log(self.budgets / 6) - N
        return Minima(N, D, loss, np.full(loss.shape, np.nan), verdict)

    def _winners(self, drawn: NDArray[np.bool_]) -> tuple[NDArray[np.int64], Floats, Floats]:
        loss = np.where(drawn[:, None], self.loss, np.inf)
        winner = loss.argmin(axis=0)
        present = np.isfinite(loss)
        few = present.sum(axis=0) < 3
        smallest = np.where(present, self.size[:, None], np.inf).min(axis=0)
        largest = np.where(present, self.size[:, None], -np.inf).max(axis=0)
        size = self.size[winner]
        verdict = np.select(
            [few, size <= smallest, size >= largest],
            [FEW, BELOW, ABOVE],
            default=USED,
        )
        return winner, loss[winner, np.arange(len(winner))], verdict

    def counts(self) -> list[int]:
        """Number of curves that reach each level."""
        return [int(count) for count in np.isfinite(self.loss).sum(axis=0)]

    def reason(self, k: int, code: int, at: float) -> str:
        """Say why a level is not used."""
        if code == FEW:
            return "fewer than three curves reach it; a winner needs a smaller and a larger model"
        side, more = ("smallest", "smaller") if code == BELOW else ("largest", "larger")
        return f"its winner is the {side} model that reaches it; add {more} models"


@dataclass(frozen=True, slots=True)
class Optima(Sample):
    """Optima that somebody else has found, at budgets (FLOP): logarithms N and D, and the loss."""

    budgets: Floats
    N: Floats
    D: Floats
    loss: Floats

    def draw(
        self, n: int, seed: int, share: float | None, replace: bool = False
    ) -> Sequence[Floats]:
        """Draw optima."""
        drawn = draw(len(self.N), n, seed=seed, share=share, replace=replace)
        return [counts(np.concatenate([*drawn]), len(self.N))]

    def ones(self) -> Sequence[Floats]:
        """Every optimum once."""
        return [np.ones((1, len(self.N)))]

    def minima(self, weights: Sequence[Floats]) -> Minima:
        """The optima as they were given."""
        times = weights[0]
        N, D, loss = (np.broadcast_to(v, times.shape) for v in (self.N, self.D, self.loss))
        verdict = np.where(times > 0, USED, FEW)
        return Minima(N, D, loss, np.full(times.shape, np.nan), verdict, times)

    def counts(self) -> list[int]:
        """One optimum each."""
        return [1] * len(self.N)

    def reason(self, k: int, code: int, at: float) -> str:
        """A resample may lack an optimum; the sample has them all."""
        return "it was not drawn"


def power_lines(budgets: Floats, found: Minima) -> dict[str, NDArray[np.generic]]:
    """Power laws through the used minima of each resample."""
    used = (found.verdict == USED).astype(np.float64)
    kinds = (used > 0).sum(axis=1)
    used = used if found.times is None else used * found.times
    count = used.sum(axis=1)
    c = np.log(budgets)
    with np.errstate(all="ignore"):
        mean = used @ c / count
        centred = np.where(used > 0, c - mean[:, None], 0.0)
        spread = (used * centred**2).sum(axis=1)
        # Optima of one budget, however many, make no line.
        kinds = np.where(spread > ALIKE, kinds, np.minimum(kinds, 1))
        spread = np.where(kinds >= 2, spread, np.nan)
        fits = []
        for values in (found.N, found.D):
            y = np.where(used > 0, values, 0.0)
            slope = (used * centred * y).sum(axis=1) / spread
            fits.append((slope, np.exp((used * y).sum(axis=1) / count - slope * mean)))
    (a, k_N), (b, k_D) = fits
    return {"a": a, "b": b, "k_N": k_N, "k_D": k_D, "budgets": kinds}
