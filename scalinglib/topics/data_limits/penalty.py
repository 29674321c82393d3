"""A law in which repetition can hurt, and what every law misses out of sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib import published
from scalinglib.checks import Floats, table
from scalinglib.fit.huber import LinearForms
from scalinglib.fit.newton import minimise
from scalinglib.fit.result import DELTA
from scalinglib.laws.chinchilla import ChinchillaLaw, fit_chinchilla
from scalinglib.laws.repeated import discounted, fit_data_constrained

EPOCHS = {"1": 1.0, "1 to 4": 4.1, "4 to 20": 20.0, "20 to 60": 60.0, "over 60": np.inf}
"""Ranges of epochs in which errors are reported: name and last epoch."""

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


def fit_penalty(
    runs: pd.DataFrame, base: ChinchillaLaw, *, unit: bool = False, R_D: float = NO_DECAY
) -> PenaltyLaw:
    """Fit the penalty over a held base law: Huber loss of the log residual, threshold `DELTA`.

    Only runs that repeat tokens say anything about it. With `unit` both exponents are one; R_D is
    held.
    """
    (N, D, U, L), _ = table(runs[runs.tokens > runs.unique_tokens], COLUMNS)
    known, one = np.log(base.loss(N, discounted(D, U, R_D))), np.ones(len(L))
    # The last coordinate is held at one and carries what is known: the loss of the base law.
    form = np.stack([one, np.log(D / U - 1), np.log(N / U), -known], axis=1)
    problem = LinearForms(
        np.empty((0, len(L))), np.log(L) - known, DELTA,
        terms=np.stack([np.zeros_like(form), form]), scale=np.zeros_like(form),
    )  # fmt: skip
    exponents = [1.0] if unit else [0.3, 0.7, 1.2]
    starts = np.array([[p, d, k, 1] for p in (-8, -5, -3) for d in exponents for k in exponents])
    free = np.eye(4)[:, : 1 if unit else 3]
    found = minimise(problem, starts.T.astype(np.float64), directions=free, iterations=1000)
    log_P, delta, kappa, _ = found.theta[:, found.objective.argmin()]
    return PenaltyLaw(base, float(np.exp(log_P)), float(delta), float(kappa), R_D)


def predictions(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Floats]:
    """Losses of the runs of `test` under every law: two as printed, four fitted to `train`."""
    said = published.law("muennighoff2023/repeated")
    base = fit_chinchilla(train[train.tokens <= train.unique_tokens]).law
    N, D, U = test.params, test.tokens, test.unique_tokens
    laws = {
        "published": said,
        "own base, decay": fit_data_constrained(train, base=base).law,
        "own base, penalty": fit_penalty(train, base),
        "own base, penalty, unit exponents": fit_penalty(train, base, unit=True),
    }
    plain = {"published base, no price": said.base, "own base, no price": base}
    found = {name: law.loss(N, D) for name, law in plain.items()}
    return {**found, **{name: law.loss(N, D, U) for name, law in laws.items()}}


def folded(runs: pd.DataFrame, *, folds: int = 5, seed: int = 0) -> pd.DataFrame:
    """Log errors of every law on runs that it did not see; one row a run, one column a law.

    Runs of one size and one stock of unique tokens stay together, because they share text.
    """
    group = runs.groupby(["params", "unique_tokens"]).ngroup().to_numpy()
    fold = np.random.default_rng(seed).permutation(group.max() + 1)[group] % folds
    parts = [split_errors(runs[fold != k], runs[fold == k]) for k in range(folds)]
    return pd.concat(parts).loc[runs.index]


def split_errors(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Log errors, ln predicted - ln observed, of every law fitted to one part on the other."""
    found: Mapping[str, Floats] = predictions(train, test)
    return pd.DataFrame({name: np.log(one / test.loss) for name, one in found.items()}, test.index)


def errors_by_epochs(errors: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Mean size of the log errors (share) of each law in the ranges `EPOCHS`, and over all."""
    epochs = np.maximum(runs.tokens / runs.unique_tokens, 1.0)
    ends = [0.0, *EPOCHS.values()]
    ranges = pd.cut(epochs, ends, labels=list(EPOCHS))
    size = errors.abs()
    return size.groupby(ranges, observed=True).mean().T.assign(all=size.mean())
