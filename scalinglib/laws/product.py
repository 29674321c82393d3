"""The product form of a law with data quality, which has no floor and no best split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, degenerate_design, enough_rows, positive, table
from scalinglib.errors import FitError
from scalinglib.laws.corpora import corpora_of, reference_first


@dataclass(frozen=True, slots=True)
class ProductLaw:
    """The product form of a law with data quality, L = K N^-alpha (Q D)^-beta.

    `K` is the loss at N = 1 and Q D = 1 (nats per token), `Q` the data multiplier.
    """

    K: float
    alpha: float
    beta: float
    Q: float = 1.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Nats per token of a model of `N` parameters trained on `D` tokens."""
        size = positive("N", N) ** -self.alpha
        return self.K * size * (self.Q * positive("D", D)) ** -self.beta

    @property
    def slope(self) -> float:
        """Slope of ln L in ln N at a fixed budget, beta - alpha, whatever Q and the budget.

        Its sign says in which corner the lowest loss lies; there is none in between.
        """
        return self.beta - self.alpha


def fit_product(
    runs: pd.DataFrame, *, reference: str
) -> tuple[Mapping[str, ProductLaw], pd.Series[float]]:
    """Fit L = K N^-alpha (Q D)^-beta, with Q per corpus, by least squares in logarithms.

    Columns and reference are those of `fit_corpora`. Returns a law per corpus, which differ in Q
    alone, and the residuals ln(observed) - ln(predicted) under the labels of the runs.
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    corpora = corpora_of(runs)
    names = reference_first(corpora, reference)
    enough_rows(values, 2 + len(names))
    if degenerate := degenerate_design(values[0], values[1]):
        raise FitError(f"{degenerate}.")
    N, D, L = np.log(values)
    own = [(corpora == name).astype(float) for name in names[1:]]
    design = np.column_stack([np.ones_like(N), -N, -D, *own])
    found, *_ = np.linalg.lstsq(design, L, rcond=None)
    level, alpha, beta = (float(value) for value in found[:3])
    worth = [1.0, *np.exp(-found[3:] / beta).tolist()]
    laws = {
        name: ProductLaw(K=float(np.exp(level)), alpha=alpha, beta=beta, Q=Q)
        for name, Q in zip(names, worth, strict=True)
    }
    return laws, pd.Series(L - design @ found, index=labels, name="residual")
