"""What the Chinchilla chapter quotes and no paper printed, and cells of the paper's tables."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.fit.resample import draw
from scalinglib.isoflop import fit_isoflop
from scalinglib.isoflop.minima import Along
from scalinglib.laws import ChinchillaLaw
from scalinglib.published import Reported

MODELS: Final = {
    name.split()[0]: published.row(f"model/{name}")
    for name in ("Chinchilla 70B", "MT-NLG 530B", "Gopher 280B", "Jurassic-1 178B", "GPT-3 175B")
}
"""Nominal parameters and tokens of the models in Hoffmann's Table 1."""

SNIPPET_BUDGET: Final = 6e23
"""FLOP of the worked example in a listing that circulates; its comment says GPT-3 scale."""
SNIPPET_COMMENT: Final = 0.0592
"""Coefficient that its comment gives for both N and D, each times the square root of C."""
TEST_PAIR: Final = ((3e9, 60e9), (7e9, 25e9))
"""Parameters and tokens of a small model with much data and of a large model with little."""


def cell(value: float, table: str, places: int) -> Reported:
    """A number of Hoffmann's tables, stored in ``data``, with the decimals that were printed."""
    return Reported(f"{value:.{places}f}", source="hoffmann2022", where=table)


def spread_of_draws(share: float, *, replace: bool) -> float:
    """Standard deviation of the mean of a drawn share, over that of the mean of all values.

    Values are independent and many. Only draws with replacement grow with the sampling error at
    every share; draws without replacement have no spread left at a share of one.
    """
    return float((1 / share if replace else (1 - share) / share) ** 0.5)


def without_each(runs: pd.DataFrame, *, along: Along) -> pd.Series[float]:
    """Exponent of approach 2 in the quantity `along`, without the runs of one flag reason each."""
    found = {}
    for reason in sorted(set(runs.flag_reason[runs.flagged])):
        fit = fit_isoflop(runs[runs.flag_reason != reason], along=along)
        found[reason] = fit.a if along == "params" else fit.b
    return pd.Series(found)


def plans_under_law(
    law: ChinchillaLaw, runs: pd.DataFrame, budget: float, *, n: int = 0, seed: int = 0
) -> Floats:
    """Tokens that approach 2 plans at a budget (FLOP) where the runs have the losses of a law.

    The losses are exact, or `n` times with the log residuals of the runs, redrawn independently.
    """
    levels, minima = _minima_under_law(law, runs, "tokens", n, seed)
    c, plans = np.log(levels / budget), []
    for at in minima:
        found = np.isfinite(at)
        plans.append(np.exp(np.polyfit(c[found], at[found], 1)[1]))
    return np.array(plans)


def bend(budgets: ArrayLike, sizes: ArrayLike) -> tuple[float, float]:
    """Quadratic coefficient of ln(size) in ln(budget), and its standard error by regression.

    The error takes the points to scatter alike and independently.
    """
    x = np.log(np.asarray(budgets, float))
    found, errors = np.polyfit(x - x.mean(), np.log(np.asarray(sizes, float)), 2, cov=True)
    return float(found[0]), float(np.sqrt(errors[0, 0]))


def bends_under_law(
    law: ChinchillaLaw, runs: pd.DataFrame, *, along: Along, n: int, seed: int = 0
) -> Floats:
    """Quadratic coefficient of approach 2's ln N in ln C, `n` times, where a law without one holds.

    The runs have the losses of the law with their own log residuals, redrawn independently. A draw
    in which fewer than four budgets have a minimum is left out.
    """
    levels, minima = _minima_under_law(law, runs, along, n, seed)
    c = np.log(levels) - np.log(levels).mean()
    # On a budget ln D is a constant less ln N, so that one bends as much as the other, with the
    # sign reversed.
    sign = 1 if along == "params" else -1
    found = [np.isfinite(at) for at in minima]
    return np.array(
        [
            sign * np.polyfit(c[own], at[own], 2)[0]
            for own, at in zip(found, minima, strict=True)
            if own.sum() > 3
        ]
    )


def exact_curves(law: ChinchillaLaw, params: Floats, *, places: int = 80) -> pd.DataFrame:
    """Training curves without noise or schedule: losses of a law at 1 to 200 tokens a parameter."""
    N, ratio = np.meshgrid(params, np.geomspace(1, 200, places), indexing="ij")
    return pd.DataFrame(
        {"run": N.ravel(), "params": N.ravel(), "tokens": (N * ratio).ravel(),
         "loss": law.loss(N, N * ratio).ravel()}
    )  # fmt: skip


def above_finished(curves: pd.DataFrame) -> pd.Series[float]:
    """Loss in mid-run above that of a finished run of the same size at its last token count.

    Columns run, params, tokens, loss. One value, in the unit of the loss, for each finished run and
    each longer one of its size.
    """
    found = {}
    for _, same in curves.groupby("params"):
        runs = {name: one.sort_values("tokens", kind="stable") for name, one in same.groupby("run")}
        for short, ends in ((name, one.iloc[-1]) for name, one in runs.items()):
            for long, one in runs.items():
                # Two runs of one length may differ by a step.
                if one.tokens.iloc[-1] > 1.01 * ends.tokens:
                    found[short, long] = np.interp(ends.tokens, one.tokens, one.loss) - ends.loss
    return pd.Series(found)


def _minima_under_law(
    law: ChinchillaLaw, runs: pd.DataFrame, along: Along, n: int, seed: int
) -> tuple[Floats, Floats]:
    """Budgets, and logarithms of approach 2's minima (a row a draw, one without noise if n = 0)."""
    truth = law.loss(runs.params, runs.tokens)
    noise = np.zeros((1, len(runs)))
    if n:
        residuals = np.log(runs.loss.to_numpy() / truth)
        noise = residuals[np.concatenate([*draw(len(runs), n, seed=seed)])]
    losses, x = truth * np.exp(noise), np.log(runs[along].to_numpy())
    levels, which = np.unique(runs.budget_flops, return_inverse=True)
    groups = [which == k for k in range(len(levels))]
    return levels, np.stack([_vertices(x[own], losses[:, own]) for own in groups], axis=1)


def _vertices(x: Floats, losses: Floats) -> Floats:
    """Vertex of the parabola through each row of losses; missing where no minimum lies inside."""
    middle = x.mean()
    top, slope, _ = np.polyfit(x - middle, losses.T, 2)
    at = middle - 0.5 * slope / top
    return np.where((top > 0) & (at > x.min()) & (at < x.max()), at, np.nan)


def parabola_bias(alpha: float, beta: float, *, within: float, centre: float = 1.0) -> float:
    """By what share a parabola through an exact IsoFLOP valley misses the best size.

    The law is E + A N^-alpha + B D^-beta; sizes lie densely and evenly in ln N `within` a factor of
    a `centre`, which counts in best sizes. E, A, B and the budget do not matter.
    """
    h, w = np.log(within), np.log(centre)
    first, second = (
        [np.exp(sign * k * w) * part(k * h) / k for sign, k in ((-1, alpha), (1, beta))]
        for part in (_odd, _even)
    )
    return float(np.expm1(w + h * (first[0] - first[1]) / (5 * (second[0] + second[1]))))


def _odd(k: float) -> float:
    """Half the integral of t sinh(k t) over t from -1 to 1."""
    return float((k * np.cosh(k) - np.sinh(k)) / k**2)


def _even(k: float) -> float:
    """Half the integral of (3 t^2 - 1) cosh(k t) over t from -1 to 1, halved."""
    return float(((k**2 + 3) * np.sinh(k) - 3 * k * np.cosh(k)) / k**3)
