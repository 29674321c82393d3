"""What answers cost: training is paid once, thinking for every query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib.checks import Floats, at_least, positive
from scalinglib.compute import FLOPS_PER_SERVED_TOKEN, training_flops
from scalinglib.errors import DataError
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.power import PowerLaw


def query_flops(N: ArrayLike, T: ArrayLike, *, samples: ArrayLike = 1) -> Floats:
    """Compute of one answer, 2 N T for each sample (FLOP).

    N parameters; T tokens that one sample writes, thinking included. Reading the prompt and
    attending to a long context are not counted.
    """
    tokens = positive("T", T) * positive("samples", samples)
    result: Floats = FLOPS_PER_SERVED_TOKEN * positive("N", N) * tokens
    return result


@dataclass(frozen=True, slots=True)
class Plan:
    """A model of N parameters, its D training tokens, and the T tokens that one sample writes."""

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
        """Compute of training and `Q` answers together (FLOP)."""
        result: Floats = self.training + self.per_query * at_least("Q", Q, 0)
        return result


def best_buys(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], budgets: ArrayLike
) -> pd.DataFrame:
    """Which of several measured curves stands highest at each budget.

    Each curve is compute, ascending, and what it buys; it is interpolated in the logarithm of
    compute and never beyond its ends. Columns budget, model, coverage, without the budgets that
    no curve covers.
    """
    if not curves:
        raise DataError("curves is empty; give at least one model.")
    at = np.log(positive("budgets", budgets))
    outside = {"left": -np.inf, "right": -np.inf}
    heights = [
        np.interp(at, np.log(positive("compute", x)), np.asarray(y, float), **outside)
        for x, y in curves.values()
    ]
    best = np.array(list(curves))[np.argmax(heights, axis=0)]
    table = pd.DataFrame({"budget": np.exp(at), "model": best, "coverage": np.max(heights, axis=0)})
    return table[np.isfinite(table.coverage)].reset_index(drop=True)


def break_even_queries(first: Plan, second: Plan) -> float:
    """Demand at which two plans cost the same over their lives; infinite where one always wins."""
    saved, paid = second.training - first.training, first.per_query - second.per_query
    return saved / paid if saved * paid > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class CoverageLaw:
    """Coverage of repeated sampling as a function of size, training and samples.

    ln(1/coverage) = a(N') k^-b(N'), with power laws for a and b of the models trained on D tokens.
    N' is the size that reaches the same loss on those, so training is assumed to change coverage
    through the loss alone; `law` turns tokens into size.
    """

    a: PowerLaw
    b: PowerLaw
    law: ChinchillaLaw
    D: float

    def equivalent_size(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Parameters that reach on the reference tokens the loss of `N` on `D`, or infinity."""
        reached = self.law.loss(N, D) - self.law.loss(np.inf, self.D)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = (np.maximum(reached, 0.0) / self.law.A) ** (-1 / self.law.alpha)
        result: Floats = np.where(reached > 0, size, np.inf)[()]
        return result

    def coverage(self, N: ArrayLike, D: ArrayLike, k: ArrayLike) -> Floats:
        """Share of problems solved by `k` samples of a model."""
        size = self.equivalent_size(N, D)
        result: Floats = np.exp(-self.a.loss(size) * positive("k", k) ** -self.b.loss(size))
        return result

    def samples_needed(self, coverage: float, N: ArrayLike, D: ArrayLike | None = None) -> Floats:
        """Samples per problem for a coverage, on the reference tokens where `D` is left out.

        At least 1; a fraction is an average over queries.
        """
        size = self.equivalent_size(N, self.D if D is None else D)
        wanted = _depth(coverage)
        with np.errstate(over="ignore", invalid="ignore"):
            needed = (self.a.loss(size) / wanted) ** (1 / self.b.loss(size))
        result: Floats = np.where(np.isfinite(size), np.maximum(needed, 1.0), 1.0)[()]
        return result

    def size_needed(self, coverage: float, k: float) -> float:
        """Parameters that a model trained on the reference tokens needs; infinite beyond 1e18."""
        wanted = np.log(_depth(coverage))

        def gap(log_size: float) -> float:
            size = np.exp(log_size)
            return float(np.log(self.a.loss(size)) - self.b.loss(size) * np.log(k) - wanted)

        smallest, largest = np.log(1e3), np.log(1e18)
        if gap(smallest) <= 0:
            raise DataError(
                f"a coverage of {coverage:g} with {k:g} samples takes less than a thousand "
                "parameters by this law, which is out of its reach; ask for more."
            )
        if gap(largest) > 0:
            return float("inf")
        return float(np.exp(brentq(gap, smallest, largest, xtol=1e-13)))

    def tokens_needed(self, coverage: float, N: float, k: float) -> float:
        """Training tokens that a model of `N` parameters needs; infinite where none are enough."""
        size = self.size_needed(coverage, k)
        left = float(self.law.loss(size, self.D) - self.law.loss(N, np.inf))
        if np.isinf(size):
            return float("inf")
        return (left / self.law.B) ** (-1 / self.law.beta) if left > 0 else float("inf")

    def turning_samples(self, N: float) -> float:
        """Samples per problem beyond which a larger model is the better use of serving compute.

        A larger model and more samples cost alike, FLOP by FLOP. Samples gain b in ln ln(1/c)
        for each unit of ln k, size gains alpha_a - alpha_b b ln k for each unit of ln N. Infinite
        where b does not grow with size.
        """
        b = float(self.b.loss(N))
        grows = -self.b.alpha
        return float(np.exp((b - self.a.alpha) / (grows * b))) if grows > 0 else float("inf")


def cheapest_plan(
    law: CoverageLaw,
    coverage: float,
    *,
    queries: float,
    T: float,
    sizes: tuple[float, float],
    tokens: tuple[float, float],
    most_samples: float,
) -> Plan:
    """The plan that reaches a coverage with the least compute over its life.

    `queries` of `T` tokens a sample are served; `sizes` and `tokens` are the smallest and the
    largest model and training set to consider.
    """
    served = float(positive("queries", queries) * positive("T", T))
    low = np.log([sizes[0], tokens[0]])
    high = np.log([sizes[1], tokens[1]])
    ends = (low, high)
    # Each round looks closer around the best point of the last; the valley has one bottom.
    for _ in range(7):
        axes = np.linspace(np.maximum(low, ends[0]), np.minimum(high, ends[1]), 41)
        N, D = np.exp(axes[:, 0])[:, None], np.exp(axes[:, 1])[None, :]
        k = law.samples_needed(coverage, N, D)
        cost = training_flops(N, D) + query_flops(N, served, samples=k)
        cost = np.where(k <= most_samples, cost, np.inf)
        if not np.isfinite(cost).any():
            raise DataError(
                f"no plan within the ranges reaches a coverage of {coverage:g}; widen sizes, "
                "tokens or most_samples, or ask for less."
            )
        i, j = np.unravel_index(int(np.argmin(cost)), cost.shape)
        at, step = np.array([axes[i, 0], axes[j, 1]]), 3 * (axes[1] - axes[0])
        ends = (at - step, at + step)
    return Plan(N=float(N[i, 0]), D=float(D[0, j]), T=T, samples=float(k[i, j]))


def _depth(coverage: float) -> float:
    """-ln of a coverage, checked."""
    if not 0 < coverage < 1:
        raise DataError(f"coverage must lie between 0 and 1, for example 0.5; got {coverage:g}.")
    return float(-np.log(coverage))
