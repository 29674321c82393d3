"""Predictions of benchmark scores: Bhagia et al. 2024, Gadre et al. 2024, Ruan et al. 2024.

The numbers of Bhagia et al. stand in the result files of OLMo-ladder, ``step1_main.csv``,
``step2_main.csv``, ``chained_main.csv`` and ``step1_acc_main.csv``, with 16 digits. They are kept
here at the four decimals that a score with a few thousand questions can bear, except for those of
the last file, where fits stopped early and every digit matters.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from scalinglib.laws import ChinchillaLaw

from .reported import Reported, group

BHAGIA_2024_TASKS: Final = MappingProxyType(
    {
        "mmlu": "MMLU",
        "hellaswag": "HellaSwag",
        "arc_challenge": "ARC-Challenge",
        "arc_easy": "ARC-Easy",
        "piqa": "PIQA",
        "csqa": "CommonsenseQA",
        "socialiqa": "Social IQa",
        "openbookqa": "OpenBookQA",
    }
)
"""Column suffix of each task, and its name."""
BHAGIA_2024_CHANCE: Final = MappingProxyType(
    {name: {"piqa": 1 / 2, "socialiqa": 1 / 3, "csqa": 1 / 5}.get(name, 1 / 4)
     for name in BHAGIA_2024_TASKS}
)  # fmt: skip
"""Score of a guess: one over the number of answers."""
BHAGIA_2024_TARGET: Final = (13_202_396_160.0, 5_000_088_518_656.0)
"""Non-embedding parameters and tokens of the 13B model that the ladder is to predict."""
BHAGIA_2024_BITS: Final = group(
    "bhagia2024", "step 1 file", "code",
    mmlu="0.7488", hellaswag="0.6609", arc_challenge="0.7157", arc_easy="0.5114",
    piqa="0.8988", csqa="0.8116", socialiqa="0.9569", openbookqa="1.2632",
)  # fmt: skip
"""Measured bits per byte of the 13B model."""
BHAGIA_2024_ACCURACY: Final = group(
    "bhagia2024", "step 2 file", "code",
    mmlu="0.5161", hellaswag="0.8319", arc_challenge="0.6381", arc_easy="0.8717",
    piqa="0.8296", csqa="0.7410", socialiqa="0.6160", openbookqa="0.4864",
)  # fmt: skip
"""Measured accuracy of the 13B model."""
BHAGIA_2024_STEP_1: Final = group(
    "bhagia2024", "step 1 file", "code",
    mmlu="0.7502", hellaswag="0.6532", arc_challenge="0.7833", arc_easy="0.5931",
    piqa="0.8748", csqa="0.6617", socialiqa="0.9916", openbookqa="1.2750",
)  # fmt: skip
"""Predicted bits per byte."""
BHAGIA_2024_STEP_2: Final = group(
    "bhagia2024", "step 2 file", "code",
    mmlu="0.5138", hellaswag="0.8416", arc_challenge="0.6030", arc_easy="0.8194",
    piqa="0.8075", csqa="0.7173", socialiqa="0.6337", openbookqa="0.4572",
)  # fmt: skip
"""Accuracy predicted from the measured bits per byte."""
BHAGIA_2024_CHAINED: Final = group(
    "bhagia2024", "chained file", "code",
    mmlu="0.5127", hellaswag="0.8530", arc_challenge="0.5267", arc_easy="0.7724",
    piqa="0.8208", csqa="0.7761", socialiqa="0.5995", openbookqa="0.4486",
)  # fmt: skip
"""Accuracy predicted from the predicted bits per byte."""
BHAGIA_2024_ONE_STEP: Final = group(
    "bhagia2024", "one-step file", "code",
    mmlu="0.6842361496192606", hellaswag="0.6842361496192606",
    arc_challenge="0.6842361496192606", arc_easy="0.9150022118385985",
    piqa="0.8609492215195724", csqa="0.7186221087153903",
    socialiqa="0.624951045436327", openbookqa="0.6842361496192606",
)  # fmt: skip
"""Accuracy predicted from parameters and tokens alone; five of the fits stopped early."""
BHAGIA_2024_ONE_STEP_MISFIT: Final = group(
    "bhagia2024", "one-step file", "code",
    mmlu="0.514545985200016", hellaswag="0.09481474828098316",
    arc_challenge="0.5426300327927276", arc_easy="0.006982745239965043",
    piqa="0.0051394392922029805", csqa="0.05295632028056722",
    socialiqa="0.008693264257635624", openbookqa="0.5339885655992387",
)  # fmt: skip
"""Mean relative misfit of the same fits on the runs that they were fitted to."""
BHAGIA_2024_ONE_STEP_START: Final = ChinchillaLaw(
    E=1.0,
    A=-7.38905609893065,
    B=-7.38905609893065,
    alpha=0.2,
    beta=0.2,
    source="bhagia2024, script of step 1, ln A = ln B = 2",
)
"""Where the optimiser of those fits started; the terms are subtracted, so A and B are negative."""

GADRE_2024_LOSS_ERRORS: Final = group(
    "gadre2024", "notebook cell 3", "code", over_trained="0.7103", large="0.7320"
)
"""Relative error of the predicted loss, per cent: 1.4B at 640 tokens per parameter, and 6.9B."""
GADRE_2024_SCORE_ERRORS: Final = group(
    "gadre2024", "notebook cell 3", "code", over_trained="3.6365", large="0.0464"
)
"""Relative error of the predicted 17-task error, per cent, for the same two models."""

RUAN_2024_THREE_COMPONENTS: Final = Reported("97", "ruan2024", "on 77 models", "secondhand")
"""Share of the variance in the first three components, per cent, on 77 models."""
