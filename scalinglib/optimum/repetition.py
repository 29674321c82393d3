"""The best split of a budget when there is less text than it asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from scalinglib.checks import positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError
from scalinglib.laws.repeated import DataConstrainedLaw, discounted, params_for_tokens

from .allocation import compute_optimal

FLAT = 1e-13
"""Losses within this share of the lowest are equal: what rounding alone can part."""

SCAN = 200
"""Places in the logarithm of N where the slope of the loss is looked at for a change of sign."""


@dataclass(frozen=True, slots=True)
class DataLimitedAllocation:
    """How a budget of C FLOP is best spent when only U unique tokens exist.

    N parameters, D training tokens with repetitions, and the predicted loss (nats per token).
    """

    C: float
    U: float
    N: float
    D: float
    loss: float

    @property
    def epochs(self) -> float:
        """Passes over the unique tokens; below one when some of them are never used."""
        return self.D / self.U


def data_limited_optimal(law: DataConstrainedLaw, C: float, U: float) -> DataLimitedAllocation:
    """Split a budget C = 6 N D (FLOP) so that the loss is smallest with U unique tokens.

    The slope of the loss along the budget is known in closed form. Every place where it turns from
    falling to rising is solved to rounding, and the lowest of them is returned, so that a loss
    with several valleys does not mislead the search. The problem: Muennighoff et al. 2023, Sec. 4.
    """
    for name, value in (("C", C), ("U", U)):
        if not np.isfinite(positive(name, value)):
            raise DataError(f"{name} must be finite; for unlimited data use compute_optimal.")
    C, U = float(C), float(U)
    free = compute_optimal(law.base, C)
    if free.D <= U:
        return DataLimitedAllocation(C, U, float(free.N), float(free.D), float(free.loss))

    def slope(log_N: float) -> float:
        return _slope(law, log_N, C, U)

    # With every token seen once the model is too large; a thousandth of the unlimited optimum is
    # too small, because then even fresh tokens would not pay.
    ends = np.log(float(free.N) / 1e3), np.log(C / FLOPS_PER_PARAM_TOKEN / U)
    grid = np.linspace(min(ends), max(ends), SCAN)
    signs = np.array([slope(at) for at in grid])
    turns = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    found = [brentq(slope, grid[k], grid[k + 1], xtol=1e-14, rtol=1e-14) for k in turns]
    # Where text is so short that both terms have saturated the bottom is flat; the smallest model
    # on it is the one to train.
    sizes = np.sort(np.exp(np.concatenate([grid, found])), kind="stable")
    tokens = C / FLOPS_PER_PARAM_TOKEN / sizes
    losses = law.loss(sizes, tokens, U)
    k = int(np.argmax(losses <= losses.min() * (1 + FLAT)))
    return DataLimitedAllocation(C, U, float(sizes[k]), float(tokens[k]), float(losses[k]))


def _slope(law: DataConstrainedLaw, log_N: float, C: float, U: float) -> float:
    """Derivative of the loss in ln N along C = 6 N D."""
    base, N = law.base, float(np.exp(log_N))
    D = C / FLOPS_PER_PARAM_TOKEN / N
    U_N = float(params_for_tokens(base, U))
    size, size_slope = _worth(N, min(U_N, N), law.R_N)
    data, data_slope = _worth(D, min(U, D), law.R_D)
    falling = base.alpha * base.A * size**-base.alpha * size_slope
    rising = base.beta * base.B * data**-base.beta * data_slope
    return float(rising - falling)


def _worth(total: float, fresh: float, R: float) -> tuple[float, float]:
    """Worth of `total` units and its logarithmic derivative in `total`."""
    repeats = total / fresh - 1
    worth = float(discounted(total, fresh, R))
    return worth, total * float(np.exp(-repeats / R)) / worth
