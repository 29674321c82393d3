"""Parameters and FLOPs of a decoder-only transformer, counted from its shape."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, at_least, positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError

LOOKUPS = ("embedding", "logits")
"""The two operations with the vocabulary."""

ATTENTION = ("scores", "softmax", "mix")
"""The operations whose cost per token grows with the context."""


@dataclass(frozen=True, slots=True, eq=False)
class Architecture:
    """Shape of a decoder-only transformer, or of many of them at once: the sizes broadcast.

    Blocks L, width d of the residual stream, heads h of a layer and the width of one, width f of
    the feed-forward layer.
    """

    layers: Floats
    width: Floats
    heads: Floats
    head_size: Floats
    feedforward: Floats

    def __init__(
        self,
        *,
        layers: ArrayLike,
        width: ArrayLike,
        heads: ArrayLike,
        head_size: ArrayLike,
        feedforward: ArrayLike,
    ) -> None:
        given = {
            "layers": layers, "width": width, "heads": heads, "head_size": head_size,
            "feedforward": feedforward,
        }  # fmt: skip
        sizes = [positive(name, value) for name, value in given.items()]
        try:
            shaped = np.broadcast_arrays(*sizes)
        except ValueError as error:
            raise DataError(
                "The sizes of an architecture must broadcast; their shapes are "
                + ", ".join(f"{name} {size.shape}" for name, size in zip(given, sizes, strict=True))
                + "."
            ) from error
        for field, size in zip(fields(self), shaped, strict=True):
            object.__setattr__(self, field.name, size[()])

    @property
    def inner(self) -> Floats:
        """Width of all heads together, K."""
        return self.heads * self.head_size

    def non_embedding_params(self, *, projections: int = 4, vectors: bool = False) -> Floats:
        """Parameters inside the layers, L (p d K + 2 d f) (Kaplan et al. 2020, Table 1).

        Of p projections four are query, key, value and output; a fifth takes relative positions.
        `vectors` adds biases and layer norms: 12 L d^2 + 13 L d + 2 d at K = d, f = 4 d, p = 4
        (Biderman et al. 2023).
        """
        at_least("projections", projections, 1)
        d, K, f = self.width, self.inner, self.feedforward
        matrices = self.layers * (projections * d * K + 2 * d * f)
        if not vectors:
            return matrices
        # Every projection but the output has a bias of K; the output and the second
        # feed-forward matrix have one of d, the first one of f; two norms of 2 d a layer.
        return matrices + self.layers * ((projections - 1) * K + 2 * d + f + 4 * d) + 2 * d

    def params(
        self,
        *,
        vocabulary: ArrayLike,
        projections: int = 4,
        vectors: bool = False,
        tied: bool = True,
    ) -> Floats:
        """All parameters; the embedding V d of V entries counts twice unless `tied`."""
        inside = self.non_embedding_params(projections=projections, vectors=vectors)
        return inside + (1 if tied else 2) * positive("vocabulary", vocabulary) * self.width

    def operations(
        self, *, context: ArrayLike = 2048, vocabulary: ArrayLike = 32_000, causal: bool = False
    ) -> Mapping[str, Floats]:
        """FLOP of the forward pass per token, operation by operation, a multiply-add being two.

        For S tokens of context and V entries (Hoffmann et al. 2022, Appendix F, over the length),
        the embedding being a product with one-hot vectors. `causal` counts positions before the
        token only; the published counts take the whole square of scores.
        """
        S = positive("context", context) * (0.5 if causal else 1.0)
        V = positive("vocabulary", vocabulary)
        L, d, K = self.layers, self.width, self.inner
        return {
            "embedding": 2 * V * d,
            "projections": 6 * L * d * K,
            "scores": 2 * L * S * K,
            "softmax": 3 * L * self.heads * S,
            "mix": 2 * L * S * K,
            "output": 2 * L * K * d,
            "feedforward": 4 * L * d * self.feedforward,
            "logits": 2 * V * d,
        }

    def training_flops_per_token(
        self,
        *,
        context: ArrayLike = 2048,
        vocabulary: ArrayLike = 32_000,
        leave_out: Collection[str] = (),
        causal: bool = False,
        recomputed: bool = False,
    ) -> Floats:
        """FLOP of one training token; the backward pass costs two forward passes.

        Without the operations in `leave_out`. `recomputed` adds a second forward pass, for
        activations that were not stored (Hoffmann et al. 2022, Appendix F).
        """
        parts = self.operations(context=context, vocabulary=vocabulary, causal=causal)
        if isinstance(leave_out, str):
            leave_out = (leave_out,)
        unknown = [name for name in leave_out if name not in parts]
        if unknown:
            raise DataError(
                f"leave_out names {unknown[0]!r}, which is not counted; choose from "
                f"{', '.join(parts)}."
            )
        zero: Floats = np.zeros(())
        forward = sum((part for name, part in parts.items() if name not in leave_out), zero)
        return np.asarray((4 if recomputed else 3) * forward)[()]

    def ratio_to_6nd(self, N: ArrayLike, **options: Any) -> Floats:
        """`training_flops_per_token` with its options over 6 N; above 1 if 6 N D is too low."""
        spent = self.training_flops_per_token(**options)
        return spent / (FLOPS_PER_PARAM_TOKEN * positive("N", N))

    def attention_crossover(self) -> Floats:
        """Context (tokens) at which attention costs as much as the matrices of the layers.

        About 6 d for f = 4 d and K = d.
        """
        d, K = self.width, self.inner
        return (8 * d * K + 4 * d * self.feedforward) / (4 * K + 3 * self.heads)
