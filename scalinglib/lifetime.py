"""What a model costs over its life, and which model costs least.

A served token takes 2 N FLOP and a training token 6 N, so a model that will be read a lot should
be smaller, and trained longer, than the budget of training alone suggests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize.elementwise import find_root

from scalinglib.allocation import budget_for_loss
from scalinglib.compute import positive, training_flops
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import Allocation, compute_optimal

Floats = NDArray[np.float64]

FLOPS_PER_SERVED_TOKEN = 2
"""Per parameter: a forward pass only."""


@dataclass(frozen=True, slots=True)
class LifetimeOptimum:
    """The model of a given loss that costs least over training and serving.

    Parameters
    ----------
    served : ndarray of float64
        Tokens the model will process in use, D_inf (count).
    chosen : Allocation
        The best parameters and training tokens, with their training compute.
    baseline : Allocation
        The compute-optimal model of the same loss.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
    >>> best = inference_optimal(law, 2.1, 1e12)
    >>> print(f"{best.size_ratio:.3f} {best.data_ratio:.3f} {best.saving:.4f}")
    0.563 2.009 0.1466
    """

    served: Floats
    chosen: Allocation
    baseline: Allocation

    @property
    def flops(self) -> Floats:
        """Training and serving of the chosen model (FLOP)."""
        return lifetime_flops(self.chosen.N, self.chosen.D, self.served)

    @property
    def baseline_flops(self) -> Floats:
        """Training and serving of the compute-optimal model of the same loss (FLOP)."""
        return lifetime_flops(self.baseline.N, self.baseline.D, self.served)

    @property
    def size_ratio(self) -> Floats:
        """Chosen parameters over compute-optimal ones, at most 1."""
        return self.chosen.N / self.baseline.N

    @property
    def data_ratio(self) -> Floats:
        """Chosen training tokens over compute-optimal ones, at least 1."""
        return self.chosen.D / self.baseline.D

    @property
    def saving(self) -> Floats:
        """Share of the lifetime compute that the choice saves."""
        return 1 - self.flops / self.baseline_flops


def lifetime_flops(N: ArrayLike, D: ArrayLike, served: ArrayLike) -> Floats:
    """Compute of a model over its life, 6 N D + 2 N D_inf.

    Parameters
    ----------
    N : array_like
        Parameters (count).
    D : array_like
        Training tokens (count).
    served : array_like
        Tokens read or written in use, D_inf (count); zero or more.

    Returns
    -------
    ndarray of float64
        FLOP; a scalar for scalar input.

    Raises
    ------
    DataError
        If `N` or `D` is not positive, or `served` is negative.

    References
    ----------
    Sardana et al. 2024, "Beyond Chinchilla-Optimal", Eq. 3.

    Examples
    --------
    >>> print(f"{lifetime_flops(7e9, 1.4e11, 3 * 1.4e11) / training_flops(7e9, 1.4e11):.1f}")
    2.0
    """
    N = positive("N", N)
    total: Floats = training_flops(N, D) + FLOPS_PER_SERVED_TOKEN * N * _served(served)
    return total


def inference_optimal(law: ChinchillaLaw, loss: ArrayLike, served: ArrayLike) -> LifetimeOptimum:
    """Find the model of a given loss with the least compute over training and serving.

    Along the curve of equal loss let p be the share of the reducible loss that the size term
    holds. Parameters and tokens are closed forms of p, and the condition

        (alpha A N^-alpha) / (beta B D^-beta) = 1 + D_inf / (3 D)

    has its left side rising and its right side falling in p, so there is one root. In the logit
    of p a bracket around it is known beforehand, and it is found to rounding.

    Parameters
    ----------
    law : ChinchillaLaw
        Law with positive A, B, alpha and beta.
    loss : array_like
        Loss to reach (nats per token), above `law.E`.
    served : array_like
        Tokens served, D_inf (count); zero gives the compute-optimal model. Broadcast.

    Returns
    -------
    LifetimeOptimum
        With the broadcast shape.

    Raises
    ------
    DataError
        If the loss is at or below the floor of the law, `served` is negative or not finite, or
        the law has no optimum.

    References
    ----------
    Sardana et al. 2024, "Beyond Chinchilla-Optimal", Sec. 2.

    Examples
    --------
    >>> from scalinglib.allocation import budget_for_params
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
    >>> quality = compute_optimal(law, budget_for_params(law, 13e9)).loss
    >>> best = inference_optimal(law, quality, 2e12)
    >>> print(f"{best.chosen.N / 1e9:.2f}B, saving {best.saving:.1%}")
    6.97B, saving 17.4%
    """
    L, served = np.broadcast_arrays(positive("loss", loss), _served(served))
    low = ~(L > law.E)
    if low.any():
        raise DataError(
            f"loss {L[low].flat[0]:g} is not above the floor E = {law.E:g} of the law, so no "
            "model reaches it; ask for a higher loss."
        )
    baseline = compute_optimal(law, budget_for_loss(law, L))
    reducible = L - law.E
    least = (law.B / reducible) ** (1 / law.beta)
    with np.errstate(divide="ignore"):
        demand = np.log(served / (3 * least))
    z = _logit_share(np.log(law.beta / law.alpha), demand, 1 / law.beta)
    share = np.exp(-np.logaddexp(0.0, -z))
    N = (law.A / (reducible * share)) ** (1 / law.alpha)
    D = least * np.exp(np.logaddexp(0.0, z) / law.beta)
    chosen = Allocation(C=training_flops(N, D), N=N[()], D=D[()], loss=law.loss(N, D))
    return LifetimeOptimum(served=served[()], chosen=chosen, baseline=baseline)


def term_ratio(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Floats:
    """Gain from one percent more parameters over that from one percent more tokens.

    The ratio (alpha A N^-alpha) / (beta B D^-beta) is one at the compute-optimal split, and
    1 + D_inf / (3 D) at the best split when D_inf tokens will be served.

    Parameters
    ----------
    law : ChinchillaLaw
        The law.
    N, D : array_like
        Parameters and training tokens (counts); broadcast.

    Returns
    -------
    ndarray of float64
        A scalar for scalar input.

    Raises
    ------
    DataError
        If `N` or `D` is not positive.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> best = compute_optimal(law, 1e22)
    >>> print(f"{term_ratio(law, best.N, best.D):.6f}")
    1.000000
    """
    size = law.alpha * law.A * positive("N", N) ** -law.alpha
    data = law.beta * law.B * positive("D", D) ** -law.beta
    ratio: Floats = size / data
    return ratio


def implied_inference(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Floats:
    """Tokens served per training token for which a run is the best of its loss.

    Solves the condition of `inference_optimal` for D_inf / D = 3 (ratio - 1).

    Parameters
    ----------
    law : ChinchillaLaw
        The law.
    N, D : array_like
        Parameters and training tokens of the run (counts); broadcast.

    Returns
    -------
    ndarray of float64
        Negative for a run with fewer tokens than compute-optimal; a scalar for scalar input.

    Raises
    ------
    DataError
        If `N` or `D` is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> print(f"{implied_inference(sl.published.EPOCH_2024, 8e9, 15e12):.2f}")
    12.65
    """
    return 3 * (term_ratio(law, N, D) - 1)


def equal_loss_optimum(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Allocation:
    """Find the compute-optimal run with the loss of a given run.

    Parameters
    ----------
    law : ChinchillaLaw
        Law with positive A, B, alpha and beta.
    N, D : array_like
        Parameters and training tokens of the run (counts); broadcast.

    Returns
    -------
    Allocation

    Raises
    ------
    DataError
        If `N` or `D` is not positive, or the law has no finite optimum.

    Examples
    --------
    >>> import scalinglib as sl
    >>> twin = equal_loss_optimum(sl.published.EPOCH_2024, 8e9, 15e12)
    >>> print(f"{twin.N / 1e9:.1f}B on {twin.D / 1e9:.0f}B tokens")
    33.8B on 645B tokens
    """
    return compute_optimal(law, budget_for_loss(law, law.loss(N, D)))


def break_even_tokens(N: ArrayLike, D: ArrayLike, *, against: Allocation) -> Floats:
    """Served tokens after which a smaller model has paid back its longer training.

    Two models of equal loss cost the same over their lives once

        D_inf = 3 (N D - N' D') / (N' - N)

    tokens have been served, where the primed model is the larger one.

    Parameters
    ----------
    N, D : array_like
        Parameters and training tokens of the smaller model (counts); broadcast.
    against : Allocation
        The larger model, for example `equal_loss_optimum`.

    Returns
    -------
    ndarray of float64
        Tokens (count), zero where the smaller model is cheaper from the start, infinite where it
        can never reach the loss (`D` infinite) or is not smaller, so that serving repays
        nothing; a scalar for scalar input.

    Raises
    ------
    DataError
        If `N` or `D` is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> twin = equal_loss_optimum(sl.published.EPOCH_2024, 8e9, 15e12)
    >>> print(f"{break_even_tokens(8e9, 15e12, against=twin):.3g}")
    1.14e+13
    """
    N, D, N_other, D_other = np.broadcast_arrays(
        positive("N", N), positive("D", D), against.N, against.D
    )
    extra = 3 * (N * D - N_other * D_other)
    smaller = N_other > N
    repaid = np.maximum(extra / np.where(smaller, N_other - N, 1.0), 0.0)
    tokens: Floats = np.where(smaller, repaid, np.inf)[()]
    return tokens


def _logit_share(start: float, demand: Floats, power: float) -> Floats:
    """Solve z = start + log(1 + exp(demand - power log(1 + e^z))) for z, elementwise."""

    def gap(z: Floats, demand: Floats) -> Floats:
        rest: Floats = z - start - np.logaddexp(0.0, demand - power * np.logaddexp(0.0, z))
        return rest

    # The gap rises with slope one or more, so that its size at the start bounds how far to go.
    high = start + np.logaddexp(0.0, demand - power * np.logaddexp(0.0, start))
    margin = 1e-6
    found = find_root(gap, (np.full_like(high, start - margin), high + margin), args=(demand,))
    z: Floats = np.asarray(found.x)
    return z


def _served(served: ArrayLike) -> Floats:
    """Tokens served as float64, refusing what is negative or not finite."""
    try:
        tokens = np.asarray(served, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError("served must hold numbers only, such as 2e12; convert it.") from error
    if not (np.isfinite(tokens) & (tokens >= 0)).all():
        raise DataError("served must be finite and not negative; use 0 for a model never served.")
    return tokens
