"""How parameters are counted, and what the count does to an exponent.

A law in total parameters can be asked for its compute-optimal frontier in non-embedding ones,
N_total = N + omega N^(1/3). The frontier is then no power law: its exponent changes along the
way, and a line through it depends on the range.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from scalinglib import published
from scalinglib.checks import Floats, positive, vectors
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError
from scalinglib.fit.line import fit_line
from scalinglib.isoflop import fit_isoflop, power_line
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.optimum import Allocation, compute_optimal, require_optimum


def _setup(hparams: str, warmup: str, decay: str, count: str, val: str) -> dict[str, str]:
    return {"hparams": hparams, "warmup": warmup, "decay": decay, "param_count": count, "val": val}


STEPS: Final = {
    "Kaplan reproduced": _setup("base", "long", "kaplan", "kaplan", "train"),
    "last layer counted": _setup("base", "long", "kaplan", "standard", "val"),
    "shorter warm-up": _setup("base", "short", "kaplan", "standard", "val"),
    "decay fitted to budget": _setup("base", "short", "chinchilla", "standard", "val"),
    "optimiser tuned": _setup("tuned", "short", "const", "standard", "val"),
}
"""The five set-ups of Porian et al. 2024 in the order of its first figure, as keys of the tables
``porian2024_points`` and ``porian2024_optima``."""
ATTENTION: Final = {
    "last layer counted": _setup("base", "long", "kaplan", "attention", "train"),
    "shorter warm-up": _setup("base", "short", "kaplan", "attention", "train"),
    "decay fitted to budget": _setup("base", "short", "chinchilla", "attention", "train"),
    "optimiser tuned": _setup("tuned", "short", "const", "attention", "train"),
}
"""Steps two to five with the FLOP of attention counted as well."""
TUNED_KAPLAN_COUNT: Final = _setup("tuned", "long", "const", "kaplan", "train")
"""Tuned optimiser, but the last layer not counted and the warm-up long."""


def script_grid(name: str) -> Floats:
    """Sizes, tokens or budgets of the script of Pearce and Song 2024, evenly spaced in the log."""
    low, high, count = published.row(f"pearce2024/grid/{name}")
    return np.geomspace(low, high, int(count))


def exponents_by_count(optima: pd.DataFrame) -> pd.DataFrame:
    """Exponents of size and tokens in compute for each way of counting parameters.

    Columns counted, budget_flops, params, tokens. `a` and `b` are least squares with the standard
    error of a, budgets taken as independent; the last column joins the outer budgets.
    """
    rows = {}
    for name, found in optima.sort_values("budget_flops", kind="stable").groupby(
        "counted", sort=False
    ):
        C, N, D = np.log(found[["budget_flops", "params", "tokens"]].to_numpy(float)).T
        size = fit_line(C, N)
        rows[name] = {
            "a": size.slope, "se": size.slope_se, "b": fit_line(C, D).slope,
            "a, end points": (N[-1] - N[0]) / (C[-1] - C[0]),
        }  # fmt: skip
    return pd.DataFrame(rows).T


def best_of_each_size(runs: pd.DataFrame, *, near: float = 0.08) -> pd.DataFrame:
    """Runs with the lowest loss of their size, within the share `near` of the lowest of a budget.

    Columns budget_flops, params, loss.
    """
    best = runs.sort_values("loss", kind="stable").drop_duplicates(["budget_flops", "params"])
    lowest = best.groupby("budget_flops").loss.transform("min")
    return best[best.loss <= (1 + near) * lowest]


def exponents_without_tables(
    runs: pd.DataFrame, *, vocabulary: float, near: float = 0.08
) -> pd.DataFrame:
    """Exponents of size from IsoFLOP runs, by how many of two tables of a vocabulary count.

    Columns budget_flops, params (both tables counted), width, tokens, loss. The lowest loss of each
    size, sizes within the share `near` of the lowest of their budget, parabolas. `low` and `high`
    leave out a budget each; the last column counts compute as 6 N D of the same count.
    """
    best = best_of_each_size(runs, near=near)
    rows = {}
    for tables, name in enumerate(("all", "without embeddings", "and without the output layer")):
        counted = best.assign(params=best.params - tables * vocabulary * best.width)
        fit = fit_isoflop(counted)
        alone = [
            fit_isoflop(counted[counted.budget_flops != C]).a for C in counted.budget_flops.unique()
        ]
        N, D = fit.minima.params, fit.minima.tokens
        rows[name] = {
            "a": fit.a, "low": min(alone), "high": max(alone),
            "a, compute recounted": power_line(FLOPS_PER_PARAM_TOKEN * N * D, N).exponent,
        }  # fmt: skip
    return pd.DataFrame(rows).T


Counted = Literal["non-embedding", "total"]


@dataclass(frozen=True, slots=True)
class ExponentPeak:
    """Where the exponent of a non-embedding frontier is largest: size N, budget C (FLOP)."""

    N: float
    C: float
    exponent: float


def total_params(N: ArrayLike, *, omega: float) -> Floats:
    """Total parameters of a model with `N` non-embedding ones, N + omega N^(1/3).

    At a fixed ratio of width to depth the width, and the matrix that maps the vocabulary to it,
    grow as the cube root of N. omega counts embedding parameters at N = 1 (Pearce & Song 2024).
    """
    size = positive("N", N)
    total: Floats = size + _embeddings(omega) * np.cbrt(size)
    return total


def fit_omega(N: ArrayLike, total: ArrayLike) -> float:
    """The omega of `total_params` that fits a family of models, by least squares in ln(total).

    Non-embedding and total parameters (counts), each total above its N.
    """
    (size, whole), labels = vectors(N=N, total=total)
    if not (whole > size).all():
        at = int(np.argmax(whole <= size))
        raise DataError(
            f"row {labels[at]!r}: total is {whole[at]:g}, which is not above N, {size[at]:g}; "
            "total must count the embeddings as well."
        )
    root = np.cbrt(size)
    share = np.log((whole - size) / root)
    found = minimize_scalar(
        lambda w: float(((np.log(size + np.exp(w) * root) - np.log(whole)) ** 2).sum()),
        bounds=(share.min() - 1e-9, share.max() + 1e-9),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(np.exp(found.x))


def nonembedding_optimal(law: ChinchillaLaw, C: ArrayLike, *, omega: float) -> Allocation:
    """Split a budget (FLOP) that counts non-embedding parameters only, C = 6 N D.

    The loss is that of `law`, a law in total parameters. Its derivative vanishes at one size, found
    to rounding from the closed form of C as a function of N (Pearce & Song 2024).
    """
    total = compute_optimal(law, C)
    if _embeddings(omega) == 0:
        return total
    slowest, fastest = _steepness(law)
    target = np.log(total.C)
    # Start from the split in total parameters; the slope of ln C in ln N lies between two
    # known numbers, so the answer lies between two known sizes.
    n = np.log(total.N)
    gap = target - _log_compute(law, n, omega)
    low = n + np.minimum(gap / slowest, gap / fastest)
    high = n + np.maximum(gap / slowest, gap / fastest)
    for _ in range(100):
        gap = target - _log_compute(law, n, omega)
        low, high = np.where(gap > 0, n, low), np.where(gap > 0, high, n)
        step = n + gap * nonembedding_exponent(law, np.exp(n), omega=omega)
        step = np.where((step < low) | (step > high), 0.5 * (low + high), step)
        if np.all(np.abs(step - n) <= 1e-14 * np.maximum(1, np.abs(n))):
            break
        n = step
    N = np.exp(n)
    D = total.C / FLOPS_PER_PARAM_TOKEN / N
    return Allocation(C=total.C, N=N, D=D, loss=law.loss(total_params(N, omega=omega), D))


def budget_for_size(law: ChinchillaLaw, N: ArrayLike, *, omega: float) -> Floats:
    """Non-embedding budget (FLOP) at which N is the best size, the inverse of the split."""
    _steepness(law)
    budget: Floats = np.exp(_log_compute(law, np.log(positive("N", N)), _embeddings(omega)))
    return budget


def nonembedding_exponent(law: ChinchillaLaw, N: ArrayLike, *, omega: float) -> Floats:
    """Exponent d ln N / d ln C of the non-embedding frontier where size N is the best."""
    _steepness(law)
    u = positive("N", N) ** (2 / 3)
    w = _embeddings(omega)
    exponent: Floats = 1 / (
        1
        - (u + w / 9) / (u + w / 3) / law.beta
        + (1 + law.alpha) * (u + w / 3) / (u + w) / law.beta
    )
    return exponent


def exponent_limits(law: ChinchillaLaw) -> tuple[float, float]:
    """Exponents of the non-embedding frontier at the smallest and the largest sizes.

    beta / (alpha / 3 + beta) where nearly all parameters are embeddings, so that the total grows
    as N^(1/3), and beta / (alpha + beta) where hardly any are.
    """
    return law.beta / (law.alpha / 3 + law.beta), law.a


def exponent_peak(law: ChinchillaLaw, *, omega: float) -> ExponentPeak:
    """The size at which the exponent of the non-embedding frontier is largest, for alpha below 2.

    With s = sqrt(3 (1 + alpha)) it is N = (omega (1 - s/3) / (s - 1))^(3/2): neither the
    coefficients nor beta move it.
    """
    if not omega > 0:
        raise DataError(f"omega must be positive, got {omega:g}; without it there is no peak.")
    _steepness(law)
    if law.alpha >= 2:
        raise DataError(
            f"law.alpha is {law.alpha:g}; the local exponent has a peak only for alpha below 2. "
            "Use exponent_limits."
        )
    N = (omega * _turn(law.alpha)) ** 1.5
    return ExponentPeak(
        N=N,
        C=float(budget_for_size(law, N, omega=omega)),
        exponent=float(nonembedding_exponent(law, N, omega=omega)),
    )


def grid_optimal(
    law: ChinchillaLaw,
    C: ArrayLike,
    *,
    sizes: ArrayLike,
    tokens: ArrayLike,
    omega: float,
    counted: Counted = "non-embedding",
) -> Allocation:
    """The best of a few sizes at each budget, as a script with a table of losses would pick it.

    Each of the non-embedding `sizes` takes the entry of `tokens` whose compute comes nearest to C.
    Slopes drawn through the winners carry the coarseness of both grids. N is counted as asked.
    """
    if counted not in ("non-embedding", "total"):
        raise DataError(f"counted is {counted!r}; use 'non-embedding' or 'total'.")
    budgets = positive("C", C)
    total = total_params(np.atleast_1d(positive("sizes", sizes)), omega=omega)
    counts = total if counted == "total" else np.atleast_1d(positive("sizes", sizes))
    D = np.atleast_1d(positive("tokens", tokens))
    loss = law.loss(total[:, None], D)
    spent = FLOPS_PER_PARAM_TOKEN * counts[:, None] * D
    rows = np.arange(len(counts))
    picks = []
    for budget in budgets.ravel():
        nearest = np.abs(spent - budget).argmin(axis=1)
        best = int(loss[rows, nearest].argmin())
        picks.append((counts[best], D[nearest[best]], loss[best, nearest[best]]))
    N, fed, lowest = np.array(picks).T.reshape(3, *budgets.shape)
    return Allocation(C=budgets[()], N=N[()], D=fed[()], loss=lowest[()])


def _embeddings(omega: float) -> float:
    if not 0 <= omega < np.inf:
        raise DataError(
            f"omega must be zero or a positive number, got {omega:g}; it is the number of "
            "embedding parameters at N = 1."
        )
    return float(omega)


def _turn(alpha: float) -> float:
    """Where N^(2/3) / omega makes the local exponent largest."""
    root = np.sqrt(3 * (1 + alpha))
    return float((1 - root / 3) / (root - 1))


def _steepness(law: ChinchillaLaw) -> tuple[float, float]:
    """Least and largest d ln C / d ln N along the frontier, or a refusal.

    Where the least is not positive some budgets have two local optima.
    """
    require_optimum(law)
    least = 1 + law.alpha / (3 * law.beta)
    if law.alpha < 2:
        x = _turn(law.alpha)
        least = 1 + ((1 + law.alpha) * (x + 1 / 3) / (x + 1) - (x + 1 / 9) / (x + 1 / 3)) / law.beta
    if not least > 1e-6:
        raise DataError(
            f"law has alpha {law.alpha:g} and beta {law.beta:g}, for which some budgets have two "
            "locally optimal sizes in non-embedding parameters; scan the loss over N instead."
        )
    return float(least), 1 + law.alpha / law.beta


def _log_compute(law: ChinchillaLaw, n: Floats, omega: float) -> Floats:
    """Logarithm of the non-embedding compute at which size e^n is optimal."""
    N = np.exp(n)
    root = np.cbrt(N)
    scale = np.log(law.beta * law.B / (law.alpha * law.A)) / law.beta
    value: Floats = (
        np.log(FLOPS_PER_PARAM_TOKEN)
        + scale
        + n
        - np.log(N + omega * root / 3) / law.beta
        + np.log(N + omega * root) * (1 + law.alpha) / law.beta
    )
    return value
