"""What the Chinchilla chapter quotes and no paper printed, and cells of the paper's tables."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.checks import Floats
from scalinglib.fit.resample import draw
from scalinglib.isoflop import fit_isoflop
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


def without_each(runs: pd.DataFrame, *, along: Literal["params", "tokens"]) -> pd.Series[float]:
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
    truth = law.loss(runs.params, runs.tokens)
    noise = np.zeros((1, len(runs)))
    if n:
        residuals = np.log(runs.loss.to_numpy() / truth)
        noise = residuals[np.concatenate([*draw(len(runs), n, seed=seed)])]
    losses, x = truth * np.exp(noise), np.log(runs.tokens.to_numpy())
    levels, which = np.unique(runs.budget_flops, return_inverse=True)
    groups = [which == k for k in range(len(levels))]
    vertices = np.stack([_vertices(x[own], losses[:, own]) for own in groups], axis=1)
    c, plans = np.log(levels / budget), []
    for at in vertices:
        found = np.isfinite(at)
        plans.append(np.exp(np.polyfit(c[found], at[found], 1)[1]))
    return np.array(plans)


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
