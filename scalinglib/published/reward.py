"""What papers on reward models print, and what could be read off one of their figures.

"secondhand" marks a value that a third party read off a figure. The coefficients of single
reward models are in the table ``reward_model_coefficients``; their paper prints none of them.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from .reported import Reported, group

KL: Final = MappingProxyType(
    {
        1_000: Reported("6", "gao2023", "Sec. 3.1, about"),
        60_000: Reported("10", "gao2023", "Sec. 3.1, about"),
    }
)
"""KL divergence of best-of-n (nats) by n; the second is the farthest that was measured."""
KL_FITTED: Final = KL[1_000].value
"""Nats up to which the authors looked before they fixed the form of their law (Sec. 3.1)."""
KL_MEASURED: Final = KL[60_000].value
"""Nats up to which best-of-n was measured."""

REFERENCE_SIZE: Final = 3e6
"""Parameters of the smallest reward model on trend; lines are written relative to it."""
ALPHA_BON: Final = group(
    "gao2023", "Fig. 3a, line, digitised", "secondhand", at_3m="0.49", per_decade="0.065"
)
BETA_BON: Final = group(
    "gao2023", "Fig. 3b, line, digitised", "secondhand", at_3m="0.123", per_decade="-0.0108"
)
BETA_RL: Final = group(
    "gao2023", "Fig. 3c, line, digitised", "secondhand", at_3m="0.173", per_decade="-0.021"
)
"""Trend lines of the coefficients in the decimal logarithm of reward-model size."""
READING_ERROR: Final = MappingProxyType({"alpha_bon": 0.003, "beta_bon": 0.001, "beta_rl": 0.002})
"""How well a mark of Figure 3 could be placed, in the unit of each coefficient."""
ALPHA_RL_READINGS: Final = (0.345, 0.38)
"""Two readings of one constant by third parties, the first the middle of 0.34 to 0.35. They do
not agree, and which is right is not known; for what-if questions only."""
BETA_RL_DISAGREEMENT: Final = 0.12
"""Relative difference between `beta_rl` read in Figure 3c and in Figure 1b."""

PEAK_3M: Final = Reported("0.50", "gao2023", "Fig. 1a, 3M, digitised", "secondhand")
"""Largest gold reward of best-of-n against the 3M reward model."""
PEAK_3M_KL: Final = (4.0, 5.0)
"""Between which divergences (nats) that peak lies in Figure 1a."""

LOSSES: Final = MappingProxyType(
    {
        "2,000 comparisons, once": Reported("0.686109", "gao2023", "caption of Fig. 13"),
        "2,000 comparisons, four times": Reported("0.683869", "gao2023", "caption of Fig. 13"),
        "8,000 comparisons, once": Reported("0.654857", "gao2023", "caption of Fig. 13"),
    }
)
"""Validation losses of reward models (nats per comparison), averaged over sizes."""
THRESHOLD: Final = Reported("2000", "gao2023", "Sec. 3.3, around")
"""Comparisons below which hardly anything was learned, whatever the size."""
COMPARISONS: Final = 90_000
"""Comparisons on which the reward models of Figure 3 were trained (Sec. 3.2)."""
GOLD_PARAMS: Final = 6e9
"""Parameters of the reward model that played the part of humans (Sec. 2.1)."""
POLICY_PARAMS: Final = (1.2e9, 6e9)
POLICY_TEST_REWARD_MODELS: Final = (12e6, 3e9)
"""Policies and reward models of the test of policy size (Sec. 3.4)."""

ACCURACY_PER_DOUBLING: Final = group(
    "stiennon2020", "Sec. 4.3 and Fig. 6, about", "paper", size="1.8", data="1.1"
)
"""Percentage points of validation accuracy per doubling of reward-model size and of data."""
STIENNON_SIZES: Final = (160e6, 13e9)
STIENNON_COMPARISONS: Final = (8_000, 64_000)
SEEDS: Final = 4
"""Runs behind each point of the table ``reward_model_accuracy`` (huang2024)."""

INSTRUCTGPT_REWARD_MODEL: Final = 6e9
INSTRUCTGPT_POLICIES: Final = (1.3e9, 6e9, 175e9)
"""One reward model for three policies (ouyang2022, Sec. 3.5 and App. C)."""
INSTRUCTGPT_PREFERRED: Final = MappingProxyType(
    {
        "GPT-3 175B": Reported("85", "ouyang2022", "abstract and Sec. 1", se=3.0),
        "GPT-3 175B, few-shot prompt": Reported("71", "ouyang2022", "abstract and Sec. 1", se=4.0),
    }
)
"""Per cent of comparisons in which the 175B InstructGPT was preferred."""

UNSOURCED_EXPONENTS: Final = (0.3, 0.7)
"""Exponents of amount and quality of preference data in an alignment law that is quoted without
a source. Nobody is known to have measured them."""
