"""Other published laws of repetition, as formulas of constants and runs, and one way to fit them.

A rival is a formula of its constants and of (N, D, U), with bounds and starts that come from a base
law. All are fitted alike: Huber loss of the log residual with the threshold `DELTA`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from scalinglib.checks import Floats, table
from scalinglib.errors import DataError
from scalinglib.fit.result import DELTA
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.repeated import DataConstrainedLaw, params_for_tokens

from .penalty import COLUMNS, PenaltyLaw, fit_penalty

Formula = Callable[[Floats, Floats, Floats, Floats], Floats]

LOW, HIGH = (-3.0, 0.0, 0.0, 0.05, 0.05), (2.0, 25.0, 25.0, 1.5, 1.5)
"""Bounds of ln E, ln A, ln B, alpha and beta where a base law is fitted too."""


@dataclass(frozen=True, slots=True)
class RivalLaw:
    """A formula with its fitted constants, and the objective there."""

    formula: Formula
    constants: Floats
    objective: float

    def loss(self, N: ArrayLike, D: ArrayLike, U: ArrayLike) -> Floats:
        """Loss (nats per token) of N parameters on D tokens of which U are unique."""
        amounts = (np.asarray(one, dtype=np.float64) for one in (N, D, U))
        return self.formula(self.constants, *amounts)


def fit_rival(runs: pd.DataFrame, base: ChinchillaLaw, name: str) -> RivalLaw:
    """Fit one of `RIVALS` to runs, over the held law `base` or, if joint, starting at it."""
    if name not in RIVALS:
        raise DataError(f"{name!r} is not a law; use one of {', '.join(RIVALS)}.")
    (N, D, U, L), _ = table(runs, COLUMNS)
    formula, starts, low, high = RIVALS[name](runs, base)

    def gap(theta: Floats) -> Floats:
        return np.asarray(np.log(formula(theta, N, D, U) / L))

    inside = np.clip(starts, low + 1e-6, high - 1e-6)
    found = [
        least_squares(gap, start, bounds=(low, high), loss="huber", f_scale=DELTA, x_scale="jac",
                      max_nfev=400)
        for start in inside
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.cost))
    return RivalLaw(formula, best.x, float(best.cost))


Rival = tuple[Formula, Floats, Floats, Floats]


def _geometric(runs: pd.DataFrame, base: ChinchillaLaw) -> Rival:
    """Each pass is worth exp(-k) of the one before; parameters alike (notebook, cell 50)."""

    def formula(theta: Floats, N: Floats, D: Floats, U: Floats) -> Floats:
        fresh, fitting = np.minimum(D, U), np.minimum(params_for_tokens(base, U), N)
        data, size = (
            first * np.expm1(-k * total / first) / np.expm1(-k)
            for k, total, first in zip(np.exp(theta), (D, N), (fresh, fitting), strict=True)
        )
        return base.loss(size, data)

    starts = np.log([[k, m] for k in (0.003, 0.03, 0.3) for m in (1e-4, 0.01, 0.4)])
    return formula, starts, np.full(2, -18.0), np.full(2, 3.0)


def _shrinking(runs: pd.DataFrame, base: ChinchillaLaw) -> Rival:
    """Exponents that fall to zero with repetitions and excess parameters (notebook, cell 53)."""

    def formula(theta: Floats, N: Floats, D: Floats, U: Floats) -> Floats:
        last, most = np.exp(theta)
        repeats = np.maximum(D / U - 1, 0.0)
        excess = np.maximum(N / params_for_tokens(base, U) - 1, 0.0)
        alpha = base.alpha * np.maximum(1 - excess / most, 0.0)
        beta = base.beta * np.maximum(1 - repeats / last, 0.0)
        total: Floats = base.E + base.A * N**-alpha + base.B * D**-beta
        return total

    starts = np.log([[e, n] for e in (500, 5e3, 5e4) for n in (500, 5e3, 5e4)])
    return formula, starts, np.full(2, 2.0), np.full(2, 25.0)


def _joint_decay(runs: pd.DataFrame, base: ChinchillaLaw) -> Rival:
    """R_D and R_N with the base law, all fitted together."""

    def formula(theta: Floats, N: Floats, D: Floats, U: Floats) -> Floats:
        R_D, R_N = np.exp(theta[5:])
        return DataConstrainedLaw(_base(theta), R_D, R_N).loss(N, D, U)

    rates = np.log([[15.0, 5.0], [50.0, 100.0], [50.0, 2.0]])
    starts = np.array([[*_theta(base), *rate] for rate in rates])
    return formula, starts, np.array([*LOW, -3, -3]), np.array([*HIGH, 10, 12])


def _joint_penalty(runs: pd.DataFrame, base: ChinchillaLaw) -> Rival:
    """The additive penalty with the base law, all fitted together."""

    def formula(theta: Floats, N: Floats, D: Floats, U: Floats) -> Floats:
        return PenaltyLaw(_base(theta), np.exp(theta[5]), theta[6], theta[7]).loss(N, D, U)

    near = fit_penalty(runs, base)
    starts = np.array([[*_theta(base), np.log(near.P), near.delta, near.kappa]])
    return formula, starts, np.array([*LOW, -15, 0.01, 0.01]), np.array([*HIGH, 3, 4, 4])


def _bounded(runs: pd.DataFrame, base: ChinchillaLaw) -> Rival:
    """E + (L0 - E) h / (1 + h) with h = a N^-alpha + b D^-beta + c N^gamma / U^delta.

    Bryant and Liu 2026; constants ln E, ln (L0 - E), ln a, ln b, ln c and the four exponents.
    """

    def formula(theta: Floats, N: Floats, D: Floats, U: Floats) -> Floats:
        E, reach = np.exp(theta[:2])
        (log_a, log_b, log_c), (alpha, beta, gamma, delta) = theta[2:5], theta[5:]
        log_N, log_D, log_U = np.log(N), np.log(D), np.log(U)
        h = np.exp(log_a - alpha * log_N) + np.exp(log_b - beta * log_D)
        h += np.exp(log_c + gamma * log_N - delta * log_U)
        total: Floats = E + reach * h / (1 + h)
        return total

    log_E, log_A, log_B, alpha, beta = _theta(base)
    starts = np.array([
        [log_E, np.log(reach), log_A - np.log(reach), log_B - np.log(reach), c, alpha, beta, g, d]
        for reach in (8.0, 15.0) for g, d, c in ((0.7, 0.7, -4), (0.7, 1.0, 3), (0.3, 0.8, 8))
    ])  # fmt: skip
    low = np.array([-3, -2, -5, -5, -60, 0.05, 0.05, 0, 0])
    return formula, starts, low, np.array([2, 6, 25, 25, 60, 1.5, 1.5, 4, 4])


def _theta(base: ChinchillaLaw) -> tuple[float, ...]:
    return (*(float(np.log(one)) for one in (base.E, base.A, base.B)), base.alpha, base.beta)


def _base(theta: Floats) -> ChinchillaLaw:
    E, A, B = np.exp(theta[:3])
    return ChinchillaLaw(E=float(E), A=float(A), B=float(B),
                         alpha=float(theta[3]), beta=float(theta[4]))  # fmt: skip


RIVALS: dict[str, Callable[[pd.DataFrame, ChinchillaLaw], Rival]] = {
    "own base, geometric decay": _geometric,
    "own base, shrinking exponents": _shrinking,
    "joint fit, decay": _joint_decay,
    "joint fit, penalty": _joint_penalty,
    "joint fit, bounded": _bounded,
}
"""Laws by name: what is fitted to the runs, and how."""
