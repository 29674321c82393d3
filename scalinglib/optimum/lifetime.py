"""The cheapest model over its life: training and serving together.

A served token takes 2 N FLOP and a training token 6 N, so a model that will be read a lot should
be smaller, and trained longer, than the budget of training alone suggests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize.elementwise import find_root

from scalinglib.checks import Floats, positive, served_tokens
from scalinglib.compute import FLOPS_PER_SERVED_TOKEN, SERVED_PER_TRAINED, training_flops
from scalinglib.errors import DataError
from scalinglib.fit.result import Result
from scalinglib.laws.chinchilla import ChinchillaLaw

from .allocation import Allocation, budget_for_loss, compute_optimal, require_optimum


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
    >>> print(f"{best.data_ratio:.3f} {best.saving:.4f}")
    2.009 0.1466
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
    def data_ratio(self) -> Floats:
        """Chosen training tokens over compute-optimal ones, at least 1."""
        return self.chosen.D / self.baseline.D

    @property
    def saving(self) -> Floats:
        """Share of the lifetime compute that the choice saves."""
        return 1 - self.flops / self.baseline_flops


def lifetime_flops(N: ArrayLike, D: ArrayLike, served: ArrayLike) -> Floats:
    """Compute of a model over its life (FLOP), 6 N D + 2 N D_inf (Sardana et al. 2024, Eq. 3).

    D_inf are the tokens `served`, read or written in use.
    """
    N = positive("N", N)
    total: Floats = training_flops(N, D) + FLOPS_PER_SERVED_TOKEN * N * served_tokens(served)
    return total


def inference_optimal(
    law: ChinchillaLaw | Result[Any], loss: ArrayLike, served: ArrayLike
) -> LifetimeOptimum:
    """Find the model of a given loss with the least compute over training and serving.

    Along the curve of equal loss let p be the share of the reducible loss that the size term
    holds. Parameters and tokens are closed forms of p, and the condition

        (alpha A N^-alpha) / (beta B D^-beta) = 1 + D_inf / (3 D)

    has its left side rising and its right side falling in p, so there is one root. In the logit
    of p a bracket around it is known beforehand, and it is found to rounding.

    Parameters
    ----------
    law : ChinchillaLaw or Fit
        Law with positive A, B, alpha and beta, or a fit of one.
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
    >>> from scalinglib.optimum import budget_for_params
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283)
    >>> quality = compute_optimal(law, budget_for_params(law, 13e9)).loss
    >>> best = inference_optimal(law, quality, 2e12)
    >>> print(f"{best.chosen.N / 1e9:.2f}B, saving {best.saving:.1%}")
    6.97B, saving 17.4%
    """
    own: ChinchillaLaw = require_optimum(law)
    L, served = np.broadcast_arrays(positive("loss", loss), served_tokens(served))
    low = ~(L > own.E)
    if low.any():
        raise DataError(
            f"loss {L[low].flat[0]:g} is not above the floor E = {own.E:g} of the law, so no "
            "model reaches it; ask for a higher loss."
        )
    baseline = compute_optimal(own, budget_for_loss(own, L))
    reducible = L - own.E
    least = (own.B / reducible) ** (1 / own.beta)
    with np.errstate(divide="ignore"):
        demand = np.log(served / (SERVED_PER_TRAINED * least))
    z = _logit_share(np.log(own.beta / own.alpha), demand, 1 / own.beta)
    share = np.exp(-np.logaddexp(0.0, -z))
    N = (own.A / (reducible * share)) ** (1 / own.alpha)
    D = least * np.exp(np.logaddexp(0.0, z) / own.beta)
    chosen = Allocation(C=training_flops(N, D), N=N[()], D=D[()], loss=own.loss(N, D))
    return LifetimeOptimum(served=served[()], chosen=chosen, baseline=baseline)


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
