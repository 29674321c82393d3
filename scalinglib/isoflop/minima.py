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
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.fit.resample import counts, draw

Along = Literal["params", "tokens"]

SIZES = 4
"""A parabola through three sizes fits whatever the losses are, so a profile needs four."""

FLAT = 1e-9
"""A profile that rises by less than this share of its loss towards its ends is flat."""

USED, FEW, NO_BOWL, BELOW, ABOVE = range(5)


@dataclass(frozen=True, slots=True)
class Minima:
    """Minima of R resamples at K budgets, as arrays (R, K).

    `N` and `D` are natural logarithms of parameters and tokens, `curvature` the second derivative
    of the loss in the logarithm of the size, and `verdict` is `USED` or the code of a reason.
    """

    N: Floats
    D: Floats
    loss: Floats
    curvature: Floats
    verdict: NDArray[np.int64]


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
    """Runs of one budget: logarithm of the size along the profile, of the other, and the loss."""

    x: Floats
    other: Floats
    loss: Floats

    def vertex(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.int64]]:
        """Vertex, other size there, loss, curvature and verdict (R,) for `weights` (R, m)."""
        middle = 0.5 * (self.x.min() + self.x.max())
        scale = 0.5 * float(np.ptp(self.x)) or 1.0
        t = (self.x - middle) / scale
        V = np.stack([np.ones_like(t), t, t * t])
        # Sizes that agree to six digits are one size, read off a figure twice.
        _, group = np.unique(np.round(self.x, 6), return_inverse=True)
        distinct = (weights @ np.eye(group.max() + 1)[group] > 0).sum(axis=1)
        few = distinct < SIZES
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
            [few, flat, at <= low, at >= high], [FEW, NO_BOWL, BELOW, ABOVE], default=USED
        )
        other = line[:, 0, 0] + line[:, 1, 0] * at
        loss = c[:, 0] + 0.5 * c[:, 1] * at
        return middle + scale * at, other, loss, 2 * c[:, 2] / scale**2, verdict


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
        sizes = np.unique(np.round(self.profiles[k].x, 6))
        if code == FEW:
            return f"it has {len(sizes)} distinct {what}, and a profile needs {SIZES}; add runs"
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


def power_lines(budgets: Floats, found: Minima) -> dict[str, NDArray[np.generic]]:
    """Power laws through the used minima of each resample."""
    used = (found.verdict == USED).astype(np.float64)
    count = used.sum(axis=1)
    c = np.log(budgets)
    with np.errstate(all="ignore"):
        mean = used @ c / count
        centred = np.where(used > 0, c - mean[:, None], 0.0)
        spread = np.where(count >= 2, (centred**2).sum(axis=1), np.nan)
        fits = []
        for values in (found.N, found.D):
            y = np.where(used > 0, values, 0.0)
            slope = (centred * y).sum(axis=1) / spread
            fits.append((slope, np.exp(y.sum(axis=1) / count - slope * mean)))
    (a, k_N), (b, k_D) = fits
    return {"a": a, "b": b, "k_N": k_N, "k_D": k_D, "budgets": count.astype(np.int64)}
