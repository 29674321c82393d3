"""A source whose entropy is known exactly: contexts by a power law, each with a coin of its own."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy
from scipy.stats import betabinom, poisson

from scalinglib.checks import Floats, positive
from scalinglib.topics.theory.skills import Skills

ENTROPY: Final = 2 * np.log(2) - 1
"""Mean entropy (nats) of a coin whose bias is drawn from Beta(1/2, 1/2)."""
SUMMED: Final = 1000
"""Mean count up to which the Poisson average is summed term by term."""


def next_loss(n: int) -> float:
    """Mean loss (nats) on the next toss after n tosses of one coin, by the best predictor.

    That is Krichevsky and Trofimov's, which adds a half to both counts.
    """
    heads = np.arange(n + 1.0)
    chance = betabinom.pmf(heads, n, 0.5, 0.5)
    p = (heads + 0.5) / (n + 1)
    return float(-chance @ (xlogy(p, p) + xlogy(1 - p, 1 - p)))


def _excess_by_count() -> tuple[Floats, Floats]:
    """Mean tosses of a context, and the loss above the entropy there."""
    n = np.arange(SUMMED + 301)
    excess = np.array([next_loss(int(one)) for one in n]) - ENTROPY
    low = np.append(0.0, np.geomspace(1e-4, SUMMED, 400))
    return low, poisson.pmf(n, low[:, None]) @ excess


def expected_loss(a: float, D: ArrayLike, *, listed: float = 1e14) -> Floats:
    """Loss (nats per toss) after D tosses, exactly: contexts by k^-(1+a), none of them sampled."""
    contexts = Skills.power_law(a, listed=listed)
    low, excess = _excess_by_count()
    found = []
    for count in np.atleast_1d(positive("D", D)):
        seen = count * contexts.use
        # Beyond the table the excess is that of a long run, in proportion to 1/n.
        within = np.interp(np.log1p(seen), np.log1p(low), excess)
        far = excess[-1] * SUMMED / np.maximum(seen, SUMMED)
        found.append(
            ENTROPY + contexts.count @ (contexts.use * np.where(seen > SUMMED, far, within))
        )
    return np.array(found)
