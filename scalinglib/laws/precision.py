"""Number formats and loss: training and serving with few bits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, positive
from scalinglib.laws.chinchilla import ChinchillaLaw


@dataclass(frozen=True, slots=True)
class PrecisionLaw:
    """Loss of a model trained or served with few bits (Kumar et al. 2024, Secs. 3 and 4).

    Training with P bits leaves N (1 - exp(-P / gamma)) parameters, a factor each for weights,
    activations and cache (`gammas`, bits). Rounding the weights of a finished model to P bits adds
    C_T D^gamma_D N^-gamma_N exp(-P / gamma_post) nats per token to its loss under `base`.
    """

    base: ChinchillaLaw
    gammas: tuple[float, ...]
    C_T: float
    gamma_D: float
    gamma_N: float
    gamma_post: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def effective_params(self, N: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Parameters that `N` trained with `bits` everywhere are worth; infinite bits lose none."""
        P = positive("bits", bits)
        worth: Floats = positive("N", N) * np.prod([-np.expm1(-P / g) for g in self.gammas], axis=0)
        return worth

    def penalty(self, N: ArrayLike, D: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Nats per token added by rounding the weights of a finished model to `bits` each."""
        size, data = positive("N", N) ** -self.gamma_N, positive("D", D) ** self.gamma_D
        added: Floats = self.C_T * data * size * np.exp(-positive("bits", bits) / self.gamma_post)
        return added

    def loss(self, N: ArrayLike, D: ArrayLike, *, bits: ArrayLike = np.inf) -> Floats:
        """Nats per token after training at full precision and rounding to `bits` a weight."""
        return self.base.loss(N, D) + self.penalty(N, D, bits=bits)

    def critical_tokens(self, N: ArrayLike, *, bits: ArrayLike) -> Floats:
        """Tokens beyond which more of them make the rounded model worse (Sec. 3 of the paper).

        There the data term falls as fast as the penalty rises.
        """
        rise = self.gamma_D * self.penalty(N, 1.0, bits=bits)
        fall = self.base.beta * self.base.B
        tokens: Floats = (fall / rise) ** (1 / (self.base.beta + self.gamma_D))
        return tokens
