"""Claims about data quality: the Phi models, DCLM, pruning."""

from __future__ import annotations

from typing import Final

from .reported import Reported, group

PHI_1: Final = group(
    "gunasekar2023", "Secs. 1 and 2", "secondhand",
    params="1.3e9", unique_tokens="7e9", tokens_seen="51e9",
)  # fmt: skip
"""Size of phi-1, distinct tokens of its corpus, and tokens seen over all passes."""
PHI_1_HUMANEVAL: Final = group(
    "gunasekar2023", "Tables 1 and 2", "secondhand",
    phi_1="50.6", before_exercises="29", starcoder="33.6", wizardcoder="57.3",
    new_phi_1="52", new_starcoder="51",
)  # fmt: skip
"""Pass rates on HumanEval in percent; the second is before fine-tuning on exercises, and the last
two are on 50 problems written for the purpose."""
STARCODER_PARAMS: Final = Reported("15.5e9", "gunasekar2023", "Table 1", "secondhand")

PHI_2: Final = group(
    "javaheripi2023", "text", "secondhand", params="2.7e9", tokens="1.4e12", ratio="25"
)
"""Size and tokens of Phi-2, and how many times larger the largest models are that it matches."""
LLAMA_2_70B: Final = group(
    "touvron2023llama2", "Table 1", "secondhand", params="70e9", tokens="2e12"
)  # fmt: skip

DCLM_7B_CORE: Final = Reported("44.1", "li2024", "repository, table of baselines, 7B-1x", "code")
"""Core score (version 1, percent) of DCLM-baseline at 7B and 0.14T tokens."""

MAXIMUM_STABILITY: Final = Reported("0.5005", "opper1990", "asymptote, many examples", "secondhand")
"""Limit of examples per dimension times the error of the perceptron with the largest margin."""
