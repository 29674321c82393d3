"""What the Chinchilla chapter quotes and no paper printed, and cells of the paper's tables."""

from __future__ import annotations

from typing import Final

from scalinglib import published
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
