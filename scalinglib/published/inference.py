"""What the chapter on inference compute quotes."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .reported import Reported, group

BROWN_2024: Final = group(
    "brown2024", "Sec. 2.2", "paper", pass_1="0.27", pass_10k="57"
)  # fmt: skip
"""Coverage of Pythia-160M on MATH with 1 and 10,000 samples, percent."""
BROWN_2024_QUOTED: Final = group(
    "brown2024", "Sec. 1 and 2", "paper",
    swe_1="15.9", swe_250="56", contests_1="0.02", contests_10k="7.1",
    covered_100="82.9", covered_10k="98.44", chosen_100="40.50", chosen_10k="41.41",
)  # fmt: skip
"""SWE-bench Lite at 1 and 250 samples; Gemma-2B on CodeContests at 1 and 10,000; Llama-3-8B on
MATH at 100 and 10,000, covered by the samples and answered after choosing one of them. Percent."""
BROWN_2024_BENCHMARKS: Final = ("GSM8K", "MATH", "MiniF2F", "CodeContests", "SWE-bench Lite")
SNELL_2024: Final = group("snell2024", "Abstract", "paper", efficiency="4", size="14")
"""Gain of adaptive allocation over best-of-n, and the size of a model it can stand up to; times."""
S1_2025: Final = group("muennighoff2025", "Abstract", "paper", plain="50", forced="57")
"""AIME24 without and with thinking that is drawn out, percent."""
S1_2025_QUESTIONS: Final = MappingProxyType({"AIME24": 30, "GPQA-Diamond": 198, "MATH500": 500})
"""Questions of each benchmark."""
S1_2025_PARAMS: Final = 32e9
"""Nominal size of the model (muennighoff2025, Abstract)."""
O3_AIME_2024: Final = Reported(
    "96.7", source="openai2024o3", where="announcement, December 2024", how="secondhand"
)
"""Score of o3 on AIME 2024 as announced, percent."""
PYTHIA_TOKENS: Final = 300e9
"""Training tokens of every Pythia model (biderman2023, Sec. 2)."""
