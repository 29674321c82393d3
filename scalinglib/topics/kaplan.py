"""What Kaplan et al. 2020 derive from their laws: steps, batches, overfitting, and the split.

The joint law of parameters and tokens is `KaplanLaw`; here are the law of training steps, the
critical batch size, and the three routes from exponents to a compute-optimal model size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib import published
from scalinglib.checks import Floats, positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN, PF_DAY
from scalinglib.errors import DataError
from scalinglib.fit.profile import profile
from scalinglib.laws.kaplan import ComputeSplit, CriticalBatch, KaplanLaw, StepsLaw
from scalinglib.laws.power import PowerLaw, fit_power_law
from scalinglib.published import Reported

CONSTANTS = {
    "parameters": {"alpha_N": "alpha", "N_c": "x_c"},
    "tokens": {"alpha_D": "alpha", "D_c": "x_c"},
    "compute, fixed batch": {"alpha_C": "alpha", "C_c": "x_c"},
    "compute": {"alpha_C_min": "alpha", "C_c_min": "x_c"},
    "batch": {"alpha_B": "alpha_B", "B_star": "B_star"},
    "steps": {"alpha_S": "alpha_S", "S_c": "S_c"},
    "joint": {f"LND_{name}": name for name in ("alpha_N", "alpha_D", "N_c", "D_c")},
    "steps, size": {"LNS_alpha_N": "alpha_N", "LNS_N_c": "N_c"},
    "split": {name: name for name in ("p_N", "N_e", "p_B", "B_e", "p_S", "S_e", "p_D", "D_e")},
}
"""Symbol in the paper's list of constants, and in the table of laws, by fit."""


def printed_constants() -> dict[str, Reported]:
    """The 27 constants; compute in PF-days, B in tokens, S in steps, N without embeddings."""
    found = {
        name: published.constants(f"kaplan2020/{fit.removesuffix(', size')}")[symbol]
        for fit, names in CONSTANTS.items()
        for name, symbol in names.items()
    }
    return found | {"PF_day": published.printed("kaplan2020/PF-day")}


def exponents_by_corpus(
    runs: pd.DataFrame, corpora: Mapping[str, str], value: float
) -> pd.DataFrame:
    """Exponent of loss in size on each corpus (name: column of losses), and its interval.

    Profile intervals of 95 %, with the runs, a row a size (`params`), taken as independent;
    `holds` says whether the interval contains `value`.
    """
    rows = {}
    for name, column in corpora.items():
        scored = runs.dropna(subset=[column])
        fit = fit_power_law(scored.params, scored[column])
        low, high = profile(fit, "alpha").interval
        rows[name] = {
            "sizes": len(scored), "alpha_N": fit.law.alpha, "low": low, "high": high,
            "holds": bool(low <= value <= high),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def joint_of_single_laws() -> KaplanLaw:
    """The joint form with the constants of the two single laws (Eqs. 1.1 and 1.2)."""
    one = printed_constants()
    return KaplanLaw(*(one[name].value for name in ("alpha_N", "alpha_D", "N_c", "D_c")))


@dataclass(frozen=True, slots=True)
class StepsFrontier:
    """Compute-efficient training that follows from a steps law and a critical batch.

    A step costs 6 N B_crit(L) FLOP. At a given loss the cost is least where the loss stands
    alpha_N / alpha_S above the converged one (Kaplan et al. 2020, Sec. 6.2 and App. B.2).
    """

    steps: StepsLaw
    batch: CriticalBatch

    @property
    def alpha_C(self) -> float:  # noqa: N802 - the symbol of the paper
        """Exponent of the loss in compute."""
        return compute_exponent(self.steps.alpha_N, self.steps.alpha_S, self.batch.alpha_B)

    @property
    def p_N(self) -> float:  # noqa: N802 - the symbol of the paper
        """Exponent of the model size in compute."""
        return self.alpha_C / self.steps.alpha_N

    @property
    def p_B(self) -> float:  # noqa: N802 - the symbol of the paper
        """Exponent of the batch in compute."""
        return self.alpha_C / self.batch.alpha_B

    @property
    def p_S(self) -> float:  # noqa: N802 - the symbol of the paper
        """Exponent of the steps in compute."""
        return self.alpha_C / self.steps.alpha_S

    @property
    def C_c(self) -> float:  # noqa: N802 - the symbol of the paper
        """Scale of the loss in compute, (C_c / C)^alpha_C, in FLOP."""
        law = self.steps
        cost = FLOPS_PER_PARAM_TOKEN * law.N_c * self.batch.B_star * law.S_c
        stop = (1 + law.gap) ** (1 / law.alpha_S + 1 / law.alpha_N)
        return float(cost * stop * law.gap ** (-1 / law.alpha_S))

    def loss(self, C: ArrayLike) -> Floats:
        """Lowest loss (nats per token) that a minimum compute C (FLOP) buys."""
        return (self.C_c / positive("C", C)) ** self.alpha_C

    def params(self, C: ArrayLike) -> Floats:
        """Non-embedding parameters that reach the lowest loss for a minimum compute C (FLOP)."""
        law = self.steps
        return law.N_c * ((1 + law.gap) / self.loss(C)) ** (1 / law.alpha_N)


@dataclass(frozen=True, slots=True)
class Tradeoff:
    """Resources of one way to train, as ratios to those of another that reaches the same loss."""

    params: Floats
    steps: Floats
    compute: Floats


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where two laws that should agree meet, and beyond which one of them must fail.

    Minimum compute C (FLOP), parameters N, tokens D, and the loss (nats per token).
    """

    C: float
    N: float
    D: float
    loss: float


def compute_exponent(*exponents: float) -> float:
    """Exponent of the loss in compute from those in its factors, 1 / (1/alpha_1 + 1/alpha_2 + ...).

    The factors are quantities whose product is the compute, such as parameters, steps and batch
    (Kaplan et al. 2020, Eqs. 6.4 and B.7).
    """
    if not exponents:
        raise DataError("compute_exponent needs at least one exponent; give those of the factors.")
    return float(1 / (1 / positive("exponents", exponents)).sum())


def minimum_compute(C: ArrayLike, B: ArrayLike, B_crit: ArrayLike) -> Floats:
    """Compute (FLOP) that a run of C FLOP would have needed at a batch far below the critical one.

    C / (1 + B / B_crit) with batches in tokens (Kaplan et al. 2020, Eq. 5.5): half at B_crit.
    """
    share: Floats = 1 + positive("B", B) / positive("B_crit", B_crit)
    return positive("C", C) / share


def overfitting(law: KaplanLaw, N: ArrayLike, D: ArrayLike) -> Floats:
    """Excess of the loss over that of the same model on unlimited data, L(N, D) / L(N, inf) - 1.

    D counts unique tokens (Kaplan et al. 2020, Eq. 4.3).
    """
    excess: Floats = law.loss(N, D) / law.loss(N, np.inf) - 1
    return excess


def unique_tokens_needed(law: KaplanLaw, N: ArrayLike, *, excess: float = 0.02) -> Floats:
    """Unique tokens that keep the overfitting of N parameters at a given share of the loss.

    They grow as N^(alpha_N / alpha_D) (Kaplan et al. 2020, Eq. 4.4).
    """
    size = (positive("N", N) / law.N_c) ** (law.alpha_N / law.alpha_D)
    room = (1 + positive("excess", excess)) ** (1 / law.alpha_D) - 1
    needed: Floats = law.D_c * size / room
    return needed


def stopping_tradeoff(law: StepsLaw, *, gap: float = 0.02) -> Tradeoff:
    """Efficient training over training on until the loss is `gap`, a share, above converged.

    The efficient run stops at ``law.gap`` (Kaplan et al. 2020, Eqs. B.12 to B.14).
    """
    late = positive("gap", gap)
    params: Floats = ((1 + law.gap) / (1 + late)) ** (1 / law.alpha_N)
    steps: Floats = ((1 + 1 / law.gap) / (1 + 1 / late)) ** (1 / law.alpha_S)
    return Tradeoff(params=params, steps=steps, compute=params * steps)


def size_tradeoff(law: StepsLaw, ratio: ArrayLike) -> Tradeoff:
    """A model of `ratio` times the efficient size over the efficient one, at the same loss.

    Steps and compute are infinite where it is too small to reach the loss (Kaplan et al. 2020,
    App. B.4 and Fig. 12).
    """
    ratio = positive("ratio", ratio)
    left = 1 + (1 - ratio**-law.alpha_N) / law.gap
    reached = left > 0
    power = np.where(reached, left, 1.0) ** (-1 / law.alpha_S)
    steps: Floats = np.where(reached, power, np.inf)[()]
    return Tradeoff(params=ratio[()], steps=steps, compute=ratio * steps)


def crossing_point(compute: PowerLaw, data: PowerLaw, split: ComputeSplit) -> Crossing:
    """Budget at which the compute law falls below what the split's tokens allow.

    `compute` is a law of minimum compute (PF-days), `data` one of tokens, both without a floor
    (Kaplan et al. 2020, Sec. 6.3).
    """
    if compute.E or data.E:
        raise DataError("compute and data must be pure power laws; refit them without a floor E.")
    slope = compute.alpha - data.alpha * split.p_D
    if slope == 0:
        raise DataError(
            "compute and data fall equally fast along the split, so they have no crossing; "
            "compare their losses at one budget instead."
        )
    tokens_at_one = data.A * split.D_e**-data.alpha
    C = PF_DAY * float(np.exp(np.log(compute.A / tokens_at_one) / slope))
    return Crossing(
        C=C,
        N=float(split.params(C)),
        D=float(split.tokens(C)),
        loss=float(compute.loss(C / PF_DAY)),
    )
