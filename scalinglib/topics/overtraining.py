"""What a model costs over its life, and which model costs least.

A served token takes 2 N FLOP and a training token 6 N, so a model that will be read a lot should
be smaller, and trained longer, than the budget of training alone suggests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib import published
from scalinglib.checks import Floats, positive
from scalinglib.compute import SERVED_PER_TRAINED
from scalinglib.errors import DataError
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.optimum import Allocation, budget_for_loss, compute_optimal
from scalinglib.published import Reported

EXAMPLES = "sardana2024/example"

RELEASED: Final = {
    name: published.row(f"model/{name}")
    for name in (
        "GPT-3 175B", "Chinchilla 70B", "LLaMA 65B", "Llama 2 70B", "Llama 3.1 405B", "LLaMA 7B",
        "Llama 3 70B", "Llama 2 7B", "Llama 3 8B",
    )
}  # fmt: skip
"""Parameters and tokens of released models, in the order of their tokens per parameter."""
CORPORA: Final = {"c4_original": "C4", "rpj": "RedPajama", "rw_original": "RefinedWeb"}
"""Training corpora of Gadre et al. 2024, by their names in ``overtrained_runs``."""
SMALL: Final = ("d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8")
"""Shapes of its small models, by size. The fit sees all at the lower ratio of tokens to
parameters and the smallest at the higher one as well."""
LARGE: Final = {"open_lm_1b": "1.4B", "open_lm_7b": "6.9B"}
"""Its two models that are predicted."""


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example of Sardana et al. 2024.

    Compute-optimal size of the quality asked for, tokens to be served, and what is printed about
    the best model.
    """

    size: float
    served: float
    printed: Mapping[str, Reported]


def examples() -> dict[str, Example]:
    """The four worked examples, by size."""
    return {
        name: Example(
            one["size"].value, one["served"].value, published.group(f"{EXAMPLES}/{name}/printed")
        )
        for name, one in published.groups(EXAMPLES).items()
    }


def term_ratio(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Floats:
    """Gain from one percent more parameters over that from one percent more tokens.

    (alpha A N^-alpha) / (beta B D^-beta): 1 at the compute-optimal split, and 1 + D_inf / (3 D) at
    the best split when D_inf tokens will be served.
    """
    size = law.alpha * law.A * positive("N", N) ** -law.alpha
    data = law.beta * law.B * positive("D", D) ** -law.beta
    ratio: Floats = size / data
    return ratio


def implied_inference(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Floats:
    """Tokens served per training token for which a run is the best of its loss.

    Solves the condition of `inference_optimal`; negative with fewer tokens than compute-optimal.
    """
    return SERVED_PER_TRAINED * (term_ratio(law, N, D) - 1)


def equal_loss_optimum(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike) -> Allocation:
    """The compute-optimal run with the loss of a run of N parameters on D tokens."""
    return compute_optimal(law, budget_for_loss(law, law.loss(N, D)))


def break_even_tokens(N: ArrayLike, D: ArrayLike, *, against: Allocation) -> Floats:
    """Served tokens after which a smaller model has paid back its longer training.

    Models of equal loss cost the same over their lives at D_inf = 3 (N D - N' D') / (N' - N). Zero
    if the smaller is cheaper from the start; infinite if it never reaches the loss (infinite D), or
    is not smaller than `against`.
    """
    N, D, N_other, D_other = np.broadcast_arrays(
        positive("N", N), positive("D", D), against.N, against.D
    )
    extra = SERVED_PER_TRAINED * (N * D - N_other * D_other)
    smaller = N_other > N
    repaid = np.maximum(extra / np.where(smaller, N_other - N, 1.0), 0.0)
    tokens: Floats = np.where(smaller, repaid, np.inf)[()]
    return tokens


def gain_per_doubling(law: ChinchillaLaw, D: ArrayLike) -> Floats:
    """Loss (nats per token) that twice the D training tokens take off, by a separable law.

    B D^-beta (1 - 2^-beta), the same for every size of the model.
    """
    gain: Floats = -law.B * positive("D", D) ** -law.beta * np.expm1(-law.beta * np.log(2))
    return gain


def paired_gains(runs: pd.DataFrame, loss: str, *, within: float = 0.03) -> pd.DataFrame:
    """What the same tokens took off the loss of two neighbouring sizes.

    Columns params, tokens and `loss`. Token counts closer than the share `within` count as the
    same; a pair of sizes that shares fewer than two is left out.
    """
    sizes = {N: of.sort_values("tokens", kind="stable") for N, of in runs.groupby("params")}
    found = []
    for (N, of), (larger, other) in pairwise(sizes.items()):
        D, other_D = of.tokens.to_numpy(), other.tokens.to_numpy()
        i, j = np.nonzero(np.abs(np.log(D[:, None] / other_D)) < within)
        if len(i) > 1:
            small, large = of[loss].to_numpy()[i], other[loss].to_numpy()[j]
            found.append((N, larger, D[i[0]], D[i[-1]], small[0] - small[-1], large[0] - large[-1]))
    columns = ["small", "large", "from", "to", "gain of the small", "gain of the large"]
    return pd.DataFrame(found, columns=columns)


def best_bits(gammas: Sequence[float], *, offsets: Sequence[float] | None = None) -> float:
    """Bits that give most for compute in proportion to parameters, tokens and bits, N D P.

    The product of the factors 1 - exp(n - P / gamma) over P, with n the `offsets`, is largest where
    sum (P / gamma) / (exp(P / gamma - n) - 1) = 1, whatever the budget and the law.
    """
    g = np.atleast_1d(positive("gammas", gammas))
    n = np.zeros_like(g) if offsets is None else np.asarray(offsets, dtype=np.float64)
    if n.shape != g.shape:
        raise DataError(f"offsets has {n.size} values for {g.size} gammas; give one for each.")
    if g.size == 1 and n[0] <= 0:
        raise DataError(
            "one factor 1 - exp(-P / gamma) has no best number of bits: worth per bit only grows "
            "as P goes to zero; give the factors of weights, activations and cache."
        )

    def condition(P: float) -> float:
        return float(np.sum(P / g / np.expm1(P / g - n))) - 1

    # Below the largest gamma n a factor is negative; just above it the sum is without bound.
    low = max(float(np.max(g * n)), 0.0)
    high = low + 50 * float(np.max(g))
    found: float = brentq(condition, low + 1e-9 * high, high, xtol=1e-13)
    return found
