"""What the tail of a score's error does to the truth behind high scores, by quadrature.

The truth X is standard normal, the score is X + Z with an independent error Z, a frozen
distribution of SciPy.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import logsumexp
from scipy.stats import norm

from scalinglib.checks import Floats, at_least, positive

_TRUTH = np.linspace(-9.0, 9.0, 241)
_WEIGHT = norm.pdf(_TRUTH) * (_TRUTH[1] - _TRUTH[0])

# Evenly spaced near zero and in the logarithm far out, where a power tail still counts.
_SPAN = 1e6
_SCORE = np.sinh(np.linspace(-np.arcsinh(_SPAN), np.arcsinh(_SPAN), 3001))


class Regularised(NamedTuple):
    """Mean truth and mean score of a policy, and the strength at which it weighs the score."""

    gold: float
    score: float
    strength: float


def gold_best_of_n(error: Any, n: ArrayLike) -> Floats:
    """Mean truth of the best of `n` scores (standard deviations), without simulation.

    The truth to expect behind each score, averaged over the distribution F^n of the highest.
    """
    n = at_least("n", n, 1.0)
    apart = _SCORE[:, None] - _TRUTH
    density = error.pdf(apart) * _WEIGHT
    total = density.sum(axis=1)
    behind = np.divide(density @ _TRUTH, total, out=np.zeros_like(total), where=total > 0)
    beyond = np.clip(error.sf(apart) @ _WEIGHT, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        below = np.exp(n[..., None] * np.log1p(-beyond))
    gold: Floats = np.sum((behind[1:] + behind[:-1]) / 2 * np.diff(below), axis=-1)
    return gold


def regularised(error: Any, kl: float, *, most: float) -> Regularised:
    """The policy of the highest mean score at a divergence of `kl` nats from where it started.

    It weighs an answer by exp(strength * score). That factor splits into one for the truth and
    one for the error, so each is tilted alone: the mean truth is the strength, and the divergence
    is half its square plus that of the tilted error. No error is larger than `most` either way.
    """
    budget, largest = float(positive("kl", kl)), float(positive("most", most))
    z = np.sinh(np.linspace(-np.arcsinh(largest), np.arcsinh(largest), 6001))
    log_weight = error.logpdf(z) + np.log(np.gradient(z))
    log_weight -= logsumexp(log_weight)

    def tilted(strength: float) -> tuple[float, float]:
        """Mean of the tilted error, and its divergence."""
        log_share = log_weight + strength * z
        log_mean = float(logsumexp(log_share))
        mean = float(np.exp(log_share - log_mean) @ z)
        return mean, strength * mean - log_mean

    def excess(strength: float) -> float:
        return strength**2 / 2 + tilted(strength)[1] - budget

    strength = float(brentq(excess, 0.0, np.sqrt(2 * budget), xtol=1e-14))
    return Regularised(strength, strength + tilted(strength)[0], strength)
