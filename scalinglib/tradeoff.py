"""Bigger, longer or more often: coverage as a function of size, training and samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib._newton import Floats
from scalinglib.compute import positive, training_flops
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw, PowerLaw
from scalinglib.serving import Plan, query_flops


@dataclass(frozen=True, slots=True)
class CoverageLaw:
    """Coverage of repeated sampling as a function of size, training and samples.

    ln(1/coverage) = a(N') k^-b(N'), with power laws for a and b. N' is the size that reaches the
    same loss on the reference tokens. The law so assumes that training changes coverage through
    the loss alone.

    Parameters
    ----------
    a, b : PowerLaw
        Of the size, parameters counted as in the fits.
    law : ChinchillaLaw
        Turns tokens into size.
    D : float
        Training tokens of the models that a and b were fitted to (count).

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = CoverageLaw(a=PowerLaw(A=65.0, alpha=0.12), b=PowerLaw(A=0.026, alpha=-0.12),
    ...                   law=sl.published.EPOCH_2024, D=3e11)
    >>> print(f"{law.coverage(1e9, 3e11, 100):.3f} {law.samples_needed(0.5, 1e9):.0f}")
    0.278 714
    """

    a: PowerLaw
    b: PowerLaw
    law: ChinchillaLaw
    D: float

    def equivalent_size(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Size that reaches, on the reference tokens, the loss of `N` parameters on `D` tokens.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts).

        Returns
        -------
        ndarray of float64
            Parameters; infinite where no size reaches that loss.
        """
        reached = self.law.loss(N, D) - self.law.loss(np.inf, self.D)
        with np.errstate(divide="ignore", invalid="ignore"):
            size = (np.maximum(reached, 0.0) / self.law.A) ** (-1 / self.law.alpha)
        result: Floats = np.where(reached > 0, size, np.inf)[()]
        return result

    def coverage(self, N: ArrayLike, D: ArrayLike, k: ArrayLike) -> Floats:
        """Share of problems solved by `k` samples of a model.

        Parameters
        ----------
        N, D, k : array_like
            Parameters, training tokens, samples per problem (counts); they are broadcast.

        Returns
        -------
        ndarray of float64
        """
        size = self.equivalent_size(N, D)
        result: Floats = np.exp(-self.a.loss(size) * positive("k", k) ** -self.b.loss(size))
        return result

    def samples_needed(self, coverage: float, N: ArrayLike, D: ArrayLike | None = None) -> Floats:
        """Samples per problem that a model needs for a coverage.

        Parameters
        ----------
        coverage : float
            Wanted share of problems, between 0 and 1.
        N : array_like
            Parameters (count).
        D : array_like, optional
            Training tokens (count); the reference tokens when left out.

        Returns
        -------
        ndarray of float64
            At least 1; a fraction is an average over queries.
        """
        size = self.equivalent_size(N, self.D if D is None else D)
        wanted = _depth(coverage)
        with np.errstate(over="ignore", invalid="ignore"):
            needed = (self.a.loss(size) / wanted) ** (1 / self.b.loss(size))
        result: Floats = np.where(np.isfinite(size), np.maximum(needed, 1.0), 1.0)[()]
        return result

    def size_needed(self, coverage: float, k: float) -> float:
        """Parameters that a model trained on the reference tokens needs.

        Parameters
        ----------
        coverage : float
            Wanted share of problems, between 0 and 1.
        k : float
            Samples per problem.

        Returns
        -------
        float
            Parameters (count); infinite beyond 1e18, where no law should be asked.

        Raises
        ------
        DataError
            If `coverage` is not between 0 and 1, or a thousand parameters would do.
        """
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
        """Training tokens that a model of one size needs.

        Parameters
        ----------
        coverage : float
            Wanted share of problems, between 0 and 1.
        N : float
            Parameters (count).
        k : float
            Samples per problem.

        Returns
        -------
        float
            Tokens (count); infinite where no amount of training is enough.
        """
        size = self.size_needed(coverage, k)
        left = float(self.law.loss(size, self.D) - self.law.loss(N, np.inf))
        if np.isinf(size):
            return float("inf")
        return (left / self.law.B) ** (-1 / self.law.beta) if left > 0 else float("inf")

    def turning_samples(self, N: float) -> float:
        """Samples per problem beyond which a larger model is the better use of serving compute.

        A larger model and more samples cost alike, FLOP by FLOP. Samples gain b in ln ln(1/c)
        for each unit of ln k, size gains alpha_a - alpha_b b ln k for each unit of ln N.

        Parameters
        ----------
        N : float
            Parameters (count), trained on the reference tokens.

        Returns
        -------
        float
            Samples; infinite where b does not grow with size.
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

    Parameters
    ----------
    law : CoverageLaw
        Coverage of size, tokens and samples.
    coverage : float
        Wanted share of problems, between 0 and 1.
    queries : float
        Demand over the life of the model (count).
    T : float
        Tokens that one sample writes (count).
    sizes, tokens : (float, float)
        Smallest and largest model and training set to consider (counts).
    most_samples : float
        Samples per problem that must not be exceeded.

    Returns
    -------
    Plan

    Raises
    ------
    DataError
        If no plan within the ranges reaches the coverage.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = CoverageLaw(a=PowerLaw(A=65.0, alpha=0.12), b=PowerLaw(A=0.026, alpha=-0.12),
    ...                   law=sl.published.EPOCH_2024, D=3e11)
    >>> few, many = (cheapest_plan(law, 0.4, queries=Q, T=500, sizes=(7e7, 1.2e10),
    ...              tokens=(1e10, 1e14), most_samples=1e4) for Q in (1e3, 1e9))
    >>> bool(few.samples > many.samples), bool(few.training < many.training)
    (True, True)
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
