"""What answers cost: training is paid once, thinking for every query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib.compute import positive, training_flops
from scalinglib.errors import DataError

FLOPS_PER_SERVED_TOKEN = 2.0
"""FLOP per parameter and token of a forward pass."""


def query_flops(N: ArrayLike, T: ArrayLike, *, samples: ArrayLike = 1) -> Floats:
    """Compute of one answer, 2 N T for each sample.

    Parameters
    ----------
    N : array_like
        Parameters (count).
    T : array_like
        Tokens that one sample writes, thinking included (count).
    samples : array_like, default 1
        Samples drawn for the answer.

    Returns
    -------
    ndarray of float64
        FLOP; a scalar for scalar input. Reading the prompt and attending to a long context are
        not counted.

    Raises
    ------
    DataError
        If an argument is not positive.

    Examples
    --------
    >>> print(query_flops(70e9, 10_000), query_flops(400e9, 500))
    1400000000000000.0 400000000000000.0
    """
    tokens = positive("T", T) * positive("samples", samples)
    result: Floats = FLOPS_PER_SERVED_TOKEN * positive("N", N) * tokens
    return result


def parity_tokens(N: float, T: float, *, other: float) -> float:
    """Tokens that a model of another size writes for the compute of one answer.

    Parameters
    ----------
    N, T : float
        Parameters and tokens of the answer that is paid for (counts).
    other : float
        Parameters of the other model (count).

    Returns
    -------
    float
        N T / other.

    Raises
    ------
    DataError
        If an argument is not positive.

    Examples
    --------
    >>> parity_tokens(70e9, 10_000, other=400e9)
    1750.0
    """
    return float(positive("N", N) * positive("T", T) / positive("other", other))


@dataclass(frozen=True, slots=True)
class Plan:
    """A model, how long it is trained, and how long it thinks.

    Parameters
    ----------
    N : float
        Parameters (count).
    D : float
        Training tokens (count).
    T : float
        Tokens that one sample writes (count).
    samples : float, default 1
        Samples drawn for an answer.

    Examples
    --------
    >>> plan = Plan(N=70e9, D=1.4e12, T=10_000)
    >>> print(f"{plan.training:.3g} {plan.per_query:.2g} {plan.lifetime(1e9):.3g}")
    5.88e+23 1.4e+15 1.99e+24
    """

    N: float
    D: float
    T: float
    samples: float = 1.0

    @property
    def training(self) -> float:
        """Training compute, 6 N D (FLOP), paid once."""
        return float(training_flops(self.N, self.D))

    @property
    def per_query(self) -> float:
        """Compute of one answer (FLOP)."""
        return float(query_flops(self.N, self.T, samples=self.samples))

    def lifetime(self, Q: ArrayLike) -> Floats:
        """Training and `Q` answers together.

        Parameters
        ----------
        Q : array_like
            Queries over the life of the model (count); zero is allowed.

        Returns
        -------
        ndarray of float64
            FLOP; a scalar for scalar input.

        Raises
        ------
        DataError
            If `Q` is negative.
        """
        queries = np.asarray(Q, dtype=np.float64)
        if not (queries >= 0).all():
            raise DataError("Q must not be negative; it counts queries.")
        result: Floats = self.training + self.per_query * queries
        return result


def best_buys(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], budgets: ArrayLike
) -> pd.DataFrame:
    """Which of several measured curves stands highest at each budget.

    Parameters
    ----------
    curves : mapping of str to (array_like, array_like)
        Compute, ascending, and what it buys, for each model; between points it is interpolated in
        the logarithm of compute, and never beyond them.
    budgets : array_like, shape (n,)
        Compute, in the same unit.

    Returns
    -------
    DataFrame
        Columns budget, model, coverage; without the budgets that no curve covers.

    Raises
    ------
    DataError
        If there are no curves, or compute is not positive.

    Examples
    --------
    >>> curves = {"small": ([1.0, 10.0], [0.2, 0.4]), "large": ([5.0, 50.0], [0.1, 0.8])}
    >>> print(best_buys(curves, [1.0, 20.0, 99.0]).model.tolist())
    ['small', 'large']
    """
    if not curves:
        raise DataError("curves is empty; give at least one model.")
    at = np.log(positive("budgets", budgets))
    heights = [
        np.interp(
            at, np.log(positive("compute", x)), np.asarray(y, float), left=-np.inf, right=-np.inf
        )
        for x, y in curves.values()
    ]
    best = np.argmax(heights, axis=0)
    table = pd.DataFrame(
        {
            "budget": np.exp(at),
            "model": np.array(list(curves))[best],
            "coverage": np.max(heights, axis=0),
        }
    )
    return table[np.isfinite(table.coverage)].reset_index(drop=True)


def break_even_queries(first: Plan, second: Plan) -> float:
    """Demand at which two plans cost the same over their lives.

    Parameters
    ----------
    first, second : Plan
        In any order.

    Returns
    -------
    float
        Queries; infinite where one plan is cheaper, or as cheap, in both training and answers.

    Examples
    --------
    >>> small, large = Plan(70e9, 1.4e12, 10_000), Plan(400e9, 8e12, 500)
    >>> print(f"{break_even_queries(small, large):.4g}")
    1.861e+10
    """
    saved, paid = second.training - first.training, first.per_query - second.per_query
    return saved / paid if saved * paid > 0 else float("inf")
