"""What a law says to build: compute-optimal allocations, and what other allocations cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from scalinglib.checks import Floats, positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN, training_flops
from scalinglib.errors import DataError, FitError
from scalinglib.fit.result import Result, law_of
from scalinglib.isoflop.frontier import Frontier
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.joint import JointLaw, SolvableLaw
from scalinglib.laws.kaplan import KaplanLaw
from scalinglib.laws.power import PowerLaw

Law = PowerLaw | ChinchillaLaw
"""A law that is a curve of one scale; a ChinchillaLaw along its compute-optimal frontier."""

Splitting = ChinchillaLaw | KaplanLaw | JointLaw | SolvableLaw

CONSTANTS: dict[type[Splitting], tuple[str, ...]] = {
    ChinchillaLaw: ("A", "B", "alpha", "beta"),
    JointLaw: ("A", "B", "alpha", "beta", "k"),
    KaplanLaw: ("alpha_N", "alpha_D", "N_c", "D_c"),
    SolvableLaw: ("A", "alpha", "r"),
}
"""Constants that must be positive for a law to have a compute-optimal split."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """How a training budget is spent, and the loss it buys.

    Parameters
    ----------
    C : ndarray of float64
        Training compute (FLOP).
    N : ndarray of float64
        Parameters (count).
    D : ndarray of float64
        Training tokens (count).
    loss : ndarray of float64
        Predicted loss (nats per token). All four share one shape, scalar for a scalar budget.

    Examples
    --------
    >>> print(Allocation(C=5.88e23, N=70e9, D=1.4e12, loss=1.97).tokens_per_param)
    20.0
    """

    C: Floats
    N: Floats
    D: Floats
    loss: Floats

    @property
    def tokens_per_param(self) -> Floats:
        """Training tokens per parameter, D / N."""
        return self.D / self.N


def require_optimum(given: Any, kind: type[Splitting] = ChinchillaLaw) -> Any:
    """The law, or that of a fit; refused if of another kind, or without a split at all budgets."""
    law = law_of(given)
    if not isinstance(law, kind):
        if isinstance(given, Frontier):
            remedy = "its params(C) and tokens(C) are the compute-optimal split"
        elif isinstance(law, Mapping):
            remedy = f"choose the law of one corpus, such as fit.law[{next(iter(law))!r}]"
        else:
            remedy = (
                f"give a {kind.__name__} or a fit of one, whose optimum has a closed form, or scan "
                "isoflop_curve over N and take the smallest loss"
            )
        raise DataError(f"law is a {type(given).__name__}; {remedy}.")
    names = CONSTANTS[kind]
    for name in names:
        if not getattr(law, name) > 0:
            raise DataError(
                f"law.{name} is {getattr(law, name):g}; the compute-optimal split exists only for "
                f"positive {', '.join(names[:-1])} and {names[-1]}."
            )
    return law


def compute_optimal(
    law: ChinchillaLaw | JointLaw | SolvableLaw | Result[Any], C: ArrayLike
) -> Allocation:
    """Split a budget C = 6 N D so that the loss is smallest.

    The closed form is N = G (C/6)^a and D = (C/6)^b / G.

    Parameters
    ----------
    law : ChinchillaLaw, JointLaw, SolvableLaw or Fit
        Law with positive coefficients and exponents, or a fit of one.
    C : array_like
        Training compute (FLOP).

    Returns
    -------
    Allocation
        With the shape of `C`.

    Raises
    ------
    DataError
        If `C` is not positive, or the law has no finite optimum.

    References
    ----------
    Hoffmann et al. 2022, Eq. 4.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> best = compute_optimal(law, 5.76e23)
    >>> print(f"{best.N / 1e9:.2f}B parameters, {best.tokens_per_param:.1f} tokens each")
    32.19B parameters, 92.6 tokens each
    """
    joint = isinstance(law_of(law), JointLaw | SolvableLaw)
    own: Any = require_optimum(law, type(law_of(law)) if joint else ChinchillaLaw)
    C = positive("C", C)
    N = own.G * (C / FLOPS_PER_PARAM_TOKEN) ** own.a
    D = C / FLOPS_PER_PARAM_TOKEN / N
    return Allocation(C=C[()], N=N, D=D, loss=own.loss(N, D))


def isoflop_curve(
    law: ChinchillaLaw | KaplanLaw | Result[Any], C: ArrayLike, N: ArrayLike
) -> Allocation:
    """Losses along a fixed budget as the model size varies, D = C / (6 N).

    Parameters
    ----------
    law : ChinchillaLaw, KaplanLaw or Fit
        Any law with a ``loss(N, D)``, or a fit of one.
    C : array_like
        Training compute (FLOP).
    N : array_like
        Parameters (count); broadcast against `C`.

    Returns
    -------
    Allocation
        With the broadcast shape of `C` and `N`.

    Raises
    ------
    DataError
        If `C` or `N` is not positive.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> print(isoflop_curve(law, 1e21, [1e9, 3e9, 1e10]).loss.round(4))
    [2.34   2.3363 2.416 ]
    """
    C, N = np.broadcast_arrays(positive("C", C), positive("N", N))
    D = C / (FLOPS_PER_PARAM_TOKEN * N)
    return Allocation(C=C[()], N=N[()], D=D, loss=law_of(law).loss(N, D))


def isoloss_curve(law: ChinchillaLaw | Result[Any], loss: ArrayLike, N: ArrayLike) -> Allocation:
    """Tokens and compute that reach a given loss at each model size.

    Parameters
    ----------
    law : ChinchillaLaw or Fit
        The law to invert in D, or a fit of it.
    loss : array_like
        Target loss (nats per token).
    N : array_like
        Parameters (count); broadcast against `loss`.

    Returns
    -------
    Allocation
        `D` and `C` are infinite where no amount of data reaches the loss at that size.

    Raises
    ------
    DataError
        If `loss` or `N` is not positive.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> curve = isoloss_curve(law, 2.0, [1e9, 1e10, 1e11])
    >>> print((curve.D / 1e9).round(0))
    [  inf 1973.  374.]
    """
    own: ChinchillaLaw = require_optimum(law)
    target, N = np.broadcast_arrays(positive("loss", loss), positive("N", N))
    left = target - own.E - own.A * N**-own.alpha
    reached = left > 0
    D = np.where(reached, (own.B / np.where(reached, left, 1.0)) ** (1 / own.beta), np.inf)
    return Allocation(C=FLOPS_PER_PARAM_TOKEN * N * D, N=N[()], D=D[()], loss=target[()])


def fixed_ratio(tokens_per_param: float) -> Frontier:
    """Frontier of a rule of r tokens per parameter: N = (C / 6r)^(1/2), D = (r C / 6)^(1/2)."""
    r = float(positive("tokens_per_param", tokens_per_param))
    if not np.isfinite(r):
        raise DataError("tokens_per_param must be finite, such as 20; got inf.")
    return Frontier(
        a=0.5,
        b=0.5,
        k_N=(FLOPS_PER_PARAM_TOKEN * r) ** -0.5,
        k_D=(r / FLOPS_PER_PARAM_TOKEN) ** 0.5,
    )


def budget_for_params(law: ChinchillaLaw | Frontier | Result[Any], N: ArrayLike) -> Floats:
    """Budget (FLOP) at which N parameters are compute-optimal, C = 6 (N / G)^(1/a).

    The inverse of the closed form (Hoffmann et al. 2022, Eq. 4), or of a frontier's power law.
    """
    budget: Floats
    if isinstance(law, Frontier):
        if not law.a > 0:
            raise DataError(f"law.a is {law.a:g}; parameters must grow with compute to invert it.")
        budget = (positive("N", N) / law.k_N) ** (1 / law.a)
        return budget
    own: ChinchillaLaw = require_optimum(law)
    budget = FLOPS_PER_PARAM_TOKEN * (positive("N", N) / own.G) ** (1 / own.a)
    return budget


def budget_spent(frontier: Frontier, C: ArrayLike) -> Floats:
    """Share of a budget (FLOP) that a frontier uses, 6 N D / C; 1 if it is consistent."""
    share: Floats = training_flops(frontier.params(C), frontier.tokens(C)) / positive("C", C)
    return share


def budget_for_loss(law: ChinchillaLaw | Result[Any], loss: ArrayLike) -> Floats:
    """Smallest budget (FLOP) whose compute-optimal model reaches a loss, infinite at the floor.

    On the frontier the loss above the floor is (A G^-alpha + B G^beta) (C/6)^-s with
    s = alpha beta / (alpha + beta) (Hoffmann et al. 2022, Eqs. 2 and 4).
    """
    own: ChinchillaLaw = require_optimum(law)
    above = positive("loss", loss) - own.E
    scale = own.A * own.G**-own.alpha + own.B * own.G**own.beta
    power = (own.alpha + own.beta) / (own.alpha * own.beta)
    reached = above > 0
    C = FLOPS_PER_PARAM_TOKEN * (scale / np.where(reached, above, 1.0)) ** power
    budget: Floats = np.where(reached, C, np.inf)[()]
    return budget


def compute_waste(law: ChinchillaLaw | Result[Any], N: ArrayLike, D: ArrayLike) -> Floats:
    """Compute of a run as a multiple of what its loss needs at the optimum, at least 1."""
    own: ChinchillaLaw = require_optimum(law)
    waste: Floats = training_flops(N, D) / budget_for_loss(own, own.loss(N, D))
    return waste


def search_optimum(law: ChinchillaLaw | KaplanLaw | Result[Any], C: float) -> Allocation:
    """The best split of one budget (FLOP), searched in ln N between one parameter and one token.

    Serves laws without a closed form that have one valley along the budget. N is good to about
    one part in ten million: a valley is flat at its bottom.
    """
    C = float(positive("C", C))
    if not np.isfinite(C):
        raise DataError("C must be finite; got inf.")
    top = float(np.log(C / FLOPS_PER_PARAM_TOKEN))

    def loss(x: float) -> float:
        return float(isoflop_curve(law, C, np.exp(x)).loss)

    grid = np.linspace(0.0, top, 201)
    at = int(np.argmin([loss(x) for x in grid]))
    if at in (0, len(grid) - 1):
        raise FitError(
            f"along {C:.3g} FLOP the loss is lowest at an end of the budget, so there is no best "
            "split; check the exponents of the law."
        )
    found = minimize_scalar(loss, bounds=(grid[at - 1], grid[at + 1]), method="bounded",
                            options={"xatol": 1e-10})  # fmt: skip
    return isoflop_curve(law, C, np.exp(found.x))


def joint_optimum(law: KaplanLaw | Result[Any], C: ArrayLike) -> Floats:
    """Parameters with the lowest joint loss on the line 6 N D = C (FLOP).

    With r = alpha_N / alpha_D the loss rises with (N_c/N)^r + 6 N D_c / C, whose derivative
    vanishes at N^(1 + r) = r N_c^r C / (6 D_c). `isoflop_curve` gives tokens and loss.
    """
    own: KaplanLaw = require_optimum(law, KaplanLaw)
    r = own.alpha_N / own.alpha_D
    budget = positive("C", C) / (FLOPS_PER_PARAM_TOKEN * own.D_c)
    # Powers are taken one by one: N_c^r times a large budget stays far from overflow.
    scale = float(r ** (1 / (1 + r)) * own.N_c ** (r / (1 + r)))
    return scale * budget ** (1 / (1 + r))


def joint_exponent(law: KaplanLaw) -> float:
    """Exponent of `joint_optimum` in compute, alpha_D / (alpha_N + alpha_D)."""
    return law.alpha_D / (law.alpha_N + law.alpha_D)


def reducible_exponent(law: Law | Result[Any]) -> float:
    """Exponent with which the loss above the floor falls.

    For a ChinchillaLaw that of compute along the frontier, alpha beta / (alpha + beta): both
    terms fall with it at the optimum (Hoffmann et al. 2022, Eq. 4).
    """
    own: Law = law_of(law)
    if isinstance(own, PowerLaw):
        return own.alpha
    if isinstance(own, ChinchillaLaw):
        return own.alpha * own.beta / (own.alpha + own.beta)
    raise DataError(f"law is a {type(own).__name__}; give a PowerLaw or a ChinchillaLaw.")


def loss_at_scale(law: Law | Result[Any], x: ArrayLike) -> Floats:
    """Loss of a PowerLaw at x, or of a ChinchillaLaw's best split of x FLOP."""
    own: Law = law_of(law)
    if isinstance(own, ChinchillaLaw):
        return compute_optimal(own, x).loss
    reducible_exponent(own)
    return own.loss(x)


def cost_of_factor(
    law: Law | Result[Any], factor: float, *, start: ArrayLike | None = None
) -> Floats:
    """How many times the scale must grow to multiply the loss by a factor below one.

    Without `start` the factor is for the loss above the floor, whose price is the same anywhere;
    from a scale `start` it is for the total loss, infinite where the target is not above E.
    """
    if not 0 < factor < 1:
        raise DataError(f"factor must lie between 0 and 1, for example 0.5; got {factor}.")
    own: Law = law_of(law)
    exponent = reducible_exponent(own)
    if not exponent > 0:
        raise DataError(
            f"the law has exponent {exponent:g}, so its loss does not fall with scale; "
            "check the sign."
        )
    if start is None:
        whole: Floats = np.asarray(factor ** (-1 / exponent))[()]
        return whole
    total = loss_at_scale(own, start)
    wanted = (factor * total - own.E) / (total - own.E)
    reached = np.where(wanted > 0, wanted, np.nan)
    cost: Floats = np.where(wanted > 0, reached ** (-1 / exponent), np.inf)[()]
    return cost
