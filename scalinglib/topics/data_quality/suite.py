"""Many corpora at one ratio of tokens to parameters: do small runs rank them, and by which law."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import kendalltau

from scalinglib.checks import Floats
from scalinglib.errors import DataError

LADDER_TERMS = ("floor", "multiplier", "factor")
"""What may belong to a corpus: its E, its A, or a factor on both."""
PIVOT = 5e7
"""Parameters at which A is the part of the loss above the floor, so that starts are near."""


def decision_accuracy(small: pd.Series, target: pd.Series) -> tuple[float, float]:
    """Share of pairs of corpora that two rankings order alike, and its jackknife standard error.

    Pairs share corpora, so the error comes from leaving out one corpus at a time.
    """
    known = target.reindex(small.index)
    if known.isna().any():
        raise DataError(f"target has no value for {known.index[known.isna()][0]!r}; add it.")

    def share(x: pd.Series, y: pd.Series) -> float:
        return float((1 + kendalltau(x, y).statistic) / 2)

    alone = np.array([share(small.drop(one), known.drop(one)) for one in small.index])
    spread = (len(alone) - 1) / len(alone) * np.sum((alone - alone.mean()) ** 2)
    return share(small, known), float(np.sqrt(spread))


@dataclass(frozen=True, slots=True, eq=False)
class LadderFit:
    """E + A (N / PIVOT)^-alpha, with the E and A of each corpus, and how far its runs lie off."""

    E: pd.Series
    A: pd.Series
    alpha: float
    rms: float
    bic: float

    def errors(self, values: pd.DataFrame) -> pd.DataFrame:
        """ln(observed) - ln(predicted); a row a corpus, a column a size (parameters)."""
        fall = (values.columns.to_numpy(float) / PIVOT) ** -self.alpha
        return np.log(values) - np.log(np.outer(self.A, fall) + self.E.to_numpy()[:, None])


def fit_ladders(values: pd.DataFrame, *, terms: Collection[str] = ()) -> LadderFit:
    """One power law with a floor for all corpora, and own `terms` (`LADDER_TERMS`) for each.

    `values` as in `LadderFit.errors`; least squares in the logarithm. Where tokens go with
    parameters a multiplier on tokens and one on parameters are the same: a factor on A.
    """
    unknown = [one for one in terms if one not in LADDER_TERMS]
    if unknown:
        raise DataError(f"terms names {unknown[0]!r}; choose from {', '.join(LADDER_TERMS)}.")
    n = len(values)
    u = np.log(values.columns.to_numpy(float) / PIVOT)
    seen = np.log(values.to_numpy())

    def parts(theta: Floats) -> tuple[Floats, Floats]:
        e, a = np.full(n, theta[0]), np.full(n, theta[1])
        for term, own in zip(terms, theta[3:].reshape(-1, n - 1), strict=True):
            shift = np.concatenate([[0.0], own])
            e = e + shift * (term != "multiplier")
            a = a + shift * (term != "floor")
        return e, a

    def residuals(theta: Floats) -> Floats:
        e, a = parts(theta)
        left: Floats = np.logaddexp(e[:, None], a[:, None] - theta[2] * u) - seen
        return left.ravel()

    def slopes(theta: Floats) -> Floats:
        e, a = parts(theta)
        above = a[:, None] - theta[2] * u
        falling = np.exp(above - np.logaddexp(e[:, None], above))
        by = {"floor": 1 - falling, "multiplier": falling, "factor": np.ones_like(falling)}
        columns = [by["floor"], by["multiplier"], -u * falling]
        for term in terms:
            columns += [by[term] * (np.arange(n) == k)[:, None] for k in range(1, n)]
        return np.stack([one.ravel() for one in columns], axis=1)

    lowest = float(seen.min())
    found = min(
        (
            least_squares(
                residuals,
                np.concatenate([[lowest + drop, -1.0, alpha], np.zeros(len(terms) * (n - 1))]),
                jac=slopes, x_scale="jac", xtol=1e-12, ftol=1e-12,
            )
            for drop in (-1.0, -0.3, -0.05)
            for alpha in (0.2, 0.5)
        ),
        key=lambda one: one.cost,
    )  # fmt: skip
    mean = 2 * found.cost / seen.size
    E, A = (pd.Series(np.exp(one), index=values.index) for one in parts(found.x))
    bic = seen.size * np.log(mean) + len(found.x) * np.log(seen.size)
    return LadderFit(E, A, float(found.x[2]), float(np.sqrt(mean)), float(bic))
