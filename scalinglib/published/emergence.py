"""What the chapter on emergence quotes: the survey of emergent abilities and its critics.

How each number was read: "paper" in the paper's own text, "secondhand" in a transcription of it,
"code" in the authors' own program.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .reported import Reported, group

WEI_SCALES: Final = group(
    "wei2022", "Table 1", "secondhand",
    **{
        "GPT-3 13B": "2.3e22", "GPT-3 175B": "3.1e23", "Gopher 7.1B": "1.3e22",
        "Gopher 280B": "5.0e23", "Chinchilla 70B": "5.0e23", "PaLM 62B": "2.9e23",
        "PaLM 540B": "2.5e24",
    },
)  # fmt: skip
"""Training compute (FLOP) of the smallest model that showed an ability."""
WEI_ABILITIES: Final = MappingProxyType(
    {
        "GPT-3 13B": "adding and subtracting 3 digits",
        "GPT-3 175B": "MMLU, 57 topics",
        "Gopher 7.1B": "classifying toxic comments",
        "Gopher 280B": "TruthfulQA",
        "Chinchilla 70B": "MMLU, 30 topics",
        "PaLM 62B": "chain of thought, StrategyQA",
        "PaLM 540B": "Word in Context",
    }
)
"""An ability the table lists for each model."""
WEI_RUNS: Final = MappingProxyType(
    {
        "GPT-3 13B": (12.85e9, 300e9),
        "GPT-3 175B": (174.6e9, 300e9),
        "Gopher 7.1B": (7.1e9, 300e9),
        "Gopher 280B": (280e9, 300e9),
        "Chinchilla 70B": (70e9, 1.4e12),
        "PaLM 62B": (62e9, 780e9),
        "PaLM 540B": (540e9, 780e9),
    }
)
"""Parameters and tokens of those models (brown2020, Table D.1; rae2021; hoffmann2022;
chowdhery2022)."""
WEI_LIST: Final = Reported("137", "schaeffer2023", "Sec. 1, list of 2022", "secondhand")
"""Entries of the list of emergent abilities that Wei published on his own site."""

MIRAGE_SHARE: Final = Reported("92", "schaeffer2023", "Sec. 4, a lower bound", "paper")
"""Per cent of hand-annotated abilities that appear under two metrics, exact string match and
multiple-choice grade."""
MIRAGE_METRICS: Final = Reported("39", "schaeffer2023", "Sec. 4", "paper")
"""Preferred metrics of BIG-Bench."""
MIRAGE_EMERGENT: Final = Reported("5", "schaeffer2023", "Sec. 4, an upper bound", "paper")
"""Of these, how many ever show emergence."""

SNIPPET: Final = MappingProxyType(
    {"start": 1e8, "base": 0.5, "gain": 0.1, "ceiling": 0.99, "tokens": 8}
)
"""Constants of a listing that circulates as a demonstration of emergence, for
`scalinglib.capability.TokenLine`."""
SNIPPET_SIZES: Final = (1e8, 1e11, 50)
"""Smallest and largest model (parameters) of the listing, and the number of sizes."""

LAMBADA_QUESTIONS: Final = 5153
"""Passages of the LAMBADA test set, of which every accuracy in the table is a multiple."""
ARC_EASY_QUESTIONS: Final = 2376
"""Questions of the ARC-Easy test set, of which every accuracy in the table is a multiple."""
OLMO2_STEP: Final = MappingProxyType({"OLMo2-7B": 4_194_304, "OLMo2-13B": 8_388_608})
"""Tokens of one training step."""
JUMP_STEPS: Final = (5_000, 55_000, 70_000, 200_000)
"""Steps of the 7B run: start, start and end of the window with the jump, end."""

ADDITION_FITTED: Final = 14
"""Points of the addition curve that caballero2023 fits; the rest are held out (script)."""
