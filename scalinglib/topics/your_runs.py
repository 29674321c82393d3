"""The example tables of the page: runs of a known law, as a tracker and as a spreadsheet have them.

Simulated, so that what a report says of them can be held against the truth.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from scalinglib.checks import Floats
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import compute_optimal

LAW = ChinchillaLaw(E=1.75, A=350.0, B=900.0, alpha=0.33, beta=0.32)
"""The law of all simulated runs, in nats per token: no fit to anything, but of the usual kind."""

NOISE = 0.003
"""Standard deviation of the log loss about the law."""

BUDGETS, SIZES, SPAN = 7, 8, 4.0
"""Budgets from 1e18 to 1e21 FLOP, sizes a budget, and how far these lie about the optimum."""

CRASHED, REACHED = 30, 0.4
"""The run of the tracker that crashed, counted from 0, and the share of its tokens it had seen."""

LADDER = {"tiny": 40, "small": 90, "medium": 200, "large": 450, "xl": 1000}
"""Sizes of the spreadsheet, in millions of parameters."""

TOKENS = (2, 4, 8, 16, 32)
"""Tokens of each size of the spreadsheet, in billions."""

UNFINISHED, LETTERLESS = 12, 23
"""Runs of the spreadsheet whose loss carries a remark, and whose tokens lack their letter."""


def simulated(params: Floats, tokens: Floats, seed: int = 0) -> pd.DataFrame:
    """Runs of `LAW` at these sizes and tokens, with the seeded noise; losses to four decimals."""
    N, D = np.asarray(params, dtype=float), np.asarray(tokens, dtype=float)
    noise = NOISE * np.random.default_rng(seed).standard_normal(len(N))
    return pd.DataFrame(
        {"params": N, "tokens": D, "loss": (LAW.loss(N, D) * np.exp(noise)).round(4)}
    )


def tracker(seed: int = 0) -> pd.DataFrame:
    """A sweep of IsoFLOP profiles as a tracker exports it; one run crashed."""
    C = np.repeat(np.geomspace(1e18, 1e21, BUDGETS), SIZES)
    N = compute_optimal(LAW, C).N * np.tile(np.geomspace(1 / SPAN, SPAN, SIZES), BUDGETS)
    N, D = _digits(N, 2), _digits(C / 6 / N, 3)
    state = np.where(np.arange(len(C)) == CRASHED, "crashed", "finished")
    runs = simulated(N, np.where(state == "crashed", _digits(REACHED * D, 3), D), seed)
    return pd.DataFrame(
        {
            "Name": [f"run-{k:02d}" for k in range(1, len(C) + 1)],
            "State": state,
            "n_params": runs.params.astype("int64"),
            "tokens": runs.tokens.astype("int64"),
            "flop_budget": [f"{c:.2g}" for c in C],
            "eval/loss": runs.loss,
        }
    )


def sheet(seed: int = 0) -> pd.DataFrame:
    """A grid of runs as a spreadsheet has them, all cells text, with what makes it hard to read.

    Names and sizes stand once for the rows below, sizes are in millions, the header is repeated
    and the last row is an average; two cells are those of `UNFINISHED` and `LETTERLESS`.
    """
    size = np.repeat(list(LADDER.values()), len(TOKENS))
    tokens = np.tile(TOKENS, len(LADDER))
    runs = simulated(1e6 * size, 1e9 * tokens, seed)
    first = np.arange(len(runs)) % len(TOKENS) == 0
    cells = pd.DataFrame(
        {
            "Model": np.where(first, np.repeat(list(LADDER), len(TOKENS)), ""),
            "Params (M)": np.where(first, size.astype(str), ""),
            "Tokens": [f"{one}B" for one in tokens],
            "Val loss": [f"{one:.3f}" for one in runs.loss],
        }
    )
    cells.loc[UNFINISHED, "Val loss"] += " (partial)"
    cells.loc[LETTERLESS, "Tokens"] = str(tokens[LETTERLESS])
    half = len(TOKENS) * (len(LADDER) // 2 + 1)
    header = pd.DataFrame([dict(zip(cells, cells, strict=True))])
    average = header.assign(**{"Model": "Average", "Params (M)": "", "Tokens": "",
                               "Val loss": f"{runs.loss.mean():.3f}"})  # fmt: skip
    return pd.concat([cells[:half], header, cells[half:], average], ignore_index=True)


def _digits(values: Floats, digits: int) -> Floats:
    """Rounded to so many significant digits, as people type sizes and tokens."""
    return np.array([float(f"{one:.{digits}g}") for one in values])
