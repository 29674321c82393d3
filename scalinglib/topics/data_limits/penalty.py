"""A law in which repetition can hurt: parameters per unique token times repetitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, table
from scalinglib.fit.huber import LinearForms
from scalinglib.fit.newton import minimise
from scalinglib.fit.resample import draw
from scalinglib.fit.result import DELTA, Fit
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.repeated import discounted

NO_DECAY = 1e9
"""A decay constant (epochs) so large that repeated tokens count like fresh ones."""

COLUMNS = ("params", "tokens", "unique_tokens", "loss")


@dataclass(frozen=True, slots=True)
class PenaltyLaw:
    """Loss of a base law plus P R^delta (N/U)^kappa for R = D/U - 1 repetitions.

    The price of repetition grows with parameters per unique token, and more training can hurt.
    R_D lets repeated tokens decay as well.
    """

    base: ChinchillaLaw
    P: float
    delta: float
    kappa: float
    R_D: float = NO_DECAY

    def loss(self, N: ArrayLike, D: ArrayLike, U: ArrayLike) -> Floats:
        """Loss (nats per token) of N parameters on D tokens of which U are unique."""
        N, D, U = (np.asarray(one, dtype=np.float64) for one in (N, D, U))
        repeats = np.maximum(D / U - 1, 0.0)
        worth = discounted(D, np.minimum(D, U), self.R_D)
        return self.base.loss(N, worth) + self.P * repeats**self.delta * (N / U) ** self.kappa


def grouped(runs: pd.DataFrame) -> pd.Series[int]:
    """Number of the group of each run: one model size and one stock of unique tokens."""
    return runs.groupby(["params", "unique_tokens"]).ngroup()


def fit_penalty(
    runs: pd.DataFrame, base: ChinchillaLaw, *, unit: bool = False, R_D: float = NO_DECAY
) -> PenaltyLaw:
    """Fit the penalty over a held base law: Huber loss of the log residual, threshold `DELTA`.

    Only runs that repeat tokens say anything about it. With `unit` both exponents are one; R_D is
    held.
    """
    problem = _penalty_problem(runs[runs.tokens > runs.unique_tokens], base, R_D)
    exponents = [1.0] if unit else [0.3, 0.7, 1.2]
    starts = np.array([[p, d, k, 1] for p in (-8, -5, -3) for d in exponents for k in exponents])
    free = np.eye(4)[:, : 1 if unit else 3]
    found = minimise(problem, starts.T.astype(np.float64), directions=free, iterations=1000)
    log_P, delta, kappa, _ = found.theta[:, found.objective.argmin()]
    return PenaltyLaw(base, float(np.exp(log_P)), float(delta), float(kappa), R_D)


def penalty_draws(
    runs: pd.DataFrame, base: Fit[ChinchillaLaw], *, n: int = 400, seed: int = 0
) -> pd.DataFrame:
    """Constants ln P, delta and kappa, fitted with the base law to resamples of whole groups.

    A group is a model size and a stock of unique tokens. `base` is the fit to the fresh runs; in
    each draw it is repeated first, and the penalty is fitted over it, from the optimum of all runs.
    """
    seen_once = runs.tokens <= runs.unique_tokens
    fresh, repeated = runs[seen_once], runs[~seen_once]
    group = grouped(runs)
    units = int(group.max()) + 1
    drawn = np.concatenate(list(draw(units, n, seed=seed)))
    times = np.stack([np.bincount(row, minlength=units) for row in drawn]).astype(np.float64)
    params, _ = base.again()(times[:, group[fresh.index].to_numpy()])
    law = fit_penalty(runs, base.law)
    start = np.array([[np.log(law.P)], [law.delta], [law.kappa], [1.0]])
    rows = []
    for own, weights in zip(params, times[:, group[repeated.index].to_numpy()], strict=True):
        problem = _penalty_problem(repeated, base.rebuild(own), NO_DECAY)
        found = minimise(problem, start, weights[None], directions=np.eye(4)[:, :3])
        rows.append(found.theta[:3, 0])
    return pd.DataFrame(rows, columns=["ln P", "delta", "kappa"])


def _penalty_problem(repeated: pd.DataFrame, base: ChinchillaLaw, R_D: float) -> LinearForms:
    """The objective of the penalty's constants; a fourth coordinate is held at one.

    It carries what is known, the loss of the base law.
    """
    (N, D, U, L), _ = table(repeated, COLUMNS)
    known, one = np.log(base.loss(N, discounted(D, U, R_D))), np.ones(len(L))
    form = np.stack([one, np.log(D / U - 1), np.log(N / U), -known], axis=1)
    return LinearForms(
        np.empty((0, len(L))), np.log(L) - known, DELTA,
        terms=np.stack([np.zeros_like(form), form]), scale=np.zeros_like(form),
    )  # fmt: skip
