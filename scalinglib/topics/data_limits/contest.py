"""What every law of repetition misses on runs that it has not seen, by range of epochs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.fit.resample import draw
from scalinglib.laws.chinchilla import fit_chinchilla
from scalinglib.laws.repeated import fit_data_constrained

from .penalty import fit_penalty, grouped
from .rivals import RIVALS, fit_rival

EPOCHS = {"1": 1.0, "1 to 4": 4.1, "4 to 20": 20.0, "20 to 60": 60.0, "over 60": np.inf}
"""Ranges of epochs in which errors are reported: name and last epoch."""


def predictions(train: pd.DataFrame, test: pd.DataFrame) -> dict[str, Floats]:
    """Losses of the runs of `test` under every law: two as printed, the others fitted to `train`.

    "own base" is a law for fresh data, fitted to the fresh runs of `train` and held; a joint fit
    starts there and moves.
    """
    said = published.law("muennighoff2023/repeated")
    base = fit_chinchilla(train[train.tokens <= train.unique_tokens]).law
    N, D, U = test.params, test.tokens, test.unique_tokens
    plain = {"published base, no price": said.base, "own base, no price": base}
    found = {name: law.loss(N, D) for name, law in plain.items()}
    laws = {
        "published": said,
        "own base, decay": fit_data_constrained(train, base=base).law,
        "own base, penalty": fit_penalty(train, base),
        "own base, penalty, unit exponents": fit_penalty(train, base, unit=True),
        **{name: fit_rival(train, base, name) for name in RIVALS},
    }
    return {**found, **{name: law.loss(N, D, U) for name, law in laws.items()}}


def folded(runs: pd.DataFrame, *, folds: int = 10, seed: int = 0) -> pd.DataFrame:
    """Log errors of every law on runs that it did not see; one row a run, one column a law.

    Runs of one size and one stock of unique tokens stay together, because they share text.
    """
    group = grouped(runs).to_numpy()
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


def lead(
    errors: pd.DataFrame, runs: pd.DataFrame, first: str, *, n: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Mean error of each law less that of `first` over the given runs, with a 95 % interval.

    The interval resamples whole groups; the fits behind the errors are held. Columns lead, low
    and high (shares of the loss); above zero `first` is the better one.
    """
    group = grouped(runs)
    gap = errors.abs().drop(columns=first).sub(errors[first].abs(), axis=0)
    total, size = gap.groupby(group).sum().to_numpy(), group.value_counts().sort_index().to_numpy()
    drawn = np.concatenate(list(draw(len(size), n, seed=seed)))
    means = total[drawn].sum(axis=1) / size[drawn].sum(axis=1)[:, None]
    low, high = np.quantile(means, [0.025, 0.975], axis=0)
    return pd.DataFrame({"lead": gap.mean(), "low": low, "high": high})
