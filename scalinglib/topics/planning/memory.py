"""What a model takes of memory: weights, training state, activations and the cache in use.

Sizes are in bytes; a GB here has 1e9 of them, as the makers of devices count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from scalinglib.errors import DataError

BYTES_PER_WEIGHT: Final = 2
"""A weight in 16 bits."""

OPTIMISER_BYTES: Final = 12
"""Weight, mean and variance in 32 bits (Rajbhandari et al. 2020)."""

STATE_BYTES: Final = 2 * BYTES_PER_WEIGHT + OPTIMISER_BYTES
"""Training state of a parameter: weight and gradient in 16 bits, and the optimiser."""

STATE_BYTES_FP32: Final = STATE_BYTES + 2
"""The same with the gradient in 32 bits."""

Shared = Literal["nothing", "optimiser", "gradients", "weights"]


@dataclass(frozen=True, slots=True)
class Shape:
    """A transformer with a gated feed-forward layer and an untied output layer.

    `kv_heads` is the number of heads that keys and values have.
    """

    layers: float
    width: float
    heads: float
    kv_heads: float
    head_size: float
    feedforward: float
    vocabulary: float

    @property
    def params(self) -> float:
        """Parameters, without biases and norms."""
        attention = 2 * self.width * self.head_size * (self.heads + self.kv_heads)
        layer = attention + 3 * self.width * self.feedforward
        return self.layers * layer + 2 * self.vocabulary * self.width

    @property
    def cache(self) -> float:
        """Bytes of keys and values that a token leaves behind in use, in 16 bits."""
        return 2 * self.layers * self.kv_heads * self.head_size * BYTES_PER_WEIGHT

    def activations(self, context: float, *, tensor: float = 1, stored: bool = True) -> float:
        """Bytes of activations of one layer for one sequence (Korthikanti et al. 2022).

        `tensor` devices share each layer, and the sequence where they share no matrix. Scores of
        the attention are `stored`, or computed again as fast kernels do. The formula is that of a
        layer with dropout and without gates, so that it is an estimate for others.
        """
        scores = 5 * self.heads * context / self.width if stored else 0.0
        return context * self.width * (34 + scores) / tensor


def state(
    N: float, *, gradient: float = 2, shared: Shared = "nothing", devices: float = 1
) -> float:
    """Bytes of training state on each device, with a gradient of 2 or 4 bytes.

    The devices share nothing, or the optimiser, or the gradients too, or the weights too.
    """
    order: tuple[Shared, ...] = ("nothing", "optimiser", "gradients", "weights")
    if shared not in order:
        raise DataError(f"shared is {shared!r}; use one of {', '.join(order)}.")
    level = order.index(shared)
    parts = (OPTIMISER_BYTES, gradient, BYTES_PER_WEIGHT)
    return N * sum(one / devices if k < level else one for k, one in enumerate(parts))
