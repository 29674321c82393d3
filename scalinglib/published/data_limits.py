"""Muennighoff et al. 2023 on repeated data, and who else counted or lost data.

How each number was read: "code" is the authors' notebook or its output, "secondhand" a
transcription of the paper's text by a third party.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np

from scalinglib.laws import ChinchillaLaw, DataConstrainedLaw

from .reported import Reported, group

_NOTEBOOK: Final = "utils/parametric_fit.ipynb"

BASE_LOGS: Final = group(
    "muennighoff2023", f"{_NOTEBOOK}, base law", "code",
    A="6.255414", B="7.3049974", E="0.6254804", alpha="0.3526596",
)  # fmt: skip
"""Natural logarithms of A, B and E, and the common exponent of both terms."""

_R_D, _R_N = "15.387756", "5.309743"
MUENNIGHOFF_2023: Final = DataConstrainedLaw(
    ChinchillaLaw(
        E=float(np.exp(BASE_LOGS["E"].value)),
        A=float(np.exp(BASE_LOGS["A"].value)),
        B=float(np.exp(BASE_LOGS["B"].value)),
        alpha=BASE_LOGS["alpha"].value,
        beta=BASE_LOGS["alpha"].value,
        source=f"muennighoff2023, {_NOTEBOOK}: base law on C4",
    ),
    R_D=float(_R_D),
    R_N=float(_R_N),
    source=f"muennighoff2023, {_NOTEBOOK}: fit on 182 runs",
)

MUENNIGHOFF_FIT: Final = group(
    "muennighoff2023", f"{_NOTEBOOK}, output", "code",
    R_D=_R_D, R_N=_R_N, objective="0.0158259366", r2="0.7722046", r2_without="0.4451684",
)  # fmt: skip
"""The published fit: decay constants, objective (in float32), and explained variance with and
without decay."""

GOPHER_PARAMS: Final = Reported(
    "69962173313.5", "muennighoff2023", f"{_NOTEBOOK}, optimum at 5.76e23 FLOP", "code"
)
"""Compute-optimal parameters of the base law at Gopher's budget."""
U_RATIO: Final = Reported("0.051", "muennighoff2023", "Sec. 3, U_N over U_D", "secondhand")
"""Parameters for which one unique token is compute-optimal."""

BASE_RUNS: Final = Reported("54", "muennighoff2023", "runs behind the base law", "secondhand")

EXAMPLE_BUDGET: Final = (8.67e9, 178e9)
"""Parameters and tokens of the model whose budget the allocation example spends (README)."""
EXAMPLE: Final = MappingProxyType({"C": 6 * EXAMPLE_BUDGET[0] * EXAMPLE_BUDGET[1], "U": 25e9})
"""Budget (FLOP) and unique tokens of the allocation example."""
EXAMPLE_ANSWER: Final = group(
    "muennighoff2023", "README of the code, grid search", "code",
    billion_params="6.8", billion_tokens="227", epochs="9.1",
)  # fmt: skip
"""The best split of that budget."""
EXAMPLE_RUNS: Final = MappingProxyType(
    {
        "6.34B on 242B": (
            6.34e9, 242e9,
            Reported("2.225644089", "muennighoff2023", "README of the code", "code"),
        ),
        "8.67B on 178B": (
            *EXAMPLE_BUDGET,
            Reported("2.226963408", "muennighoff2023", "README of the code", "code"),
        ),
    }
)  # fmt: skip
"""Parameters, tokens and predicted loss of two runs on 25B unique tokens; of the seventeen digits
printed the first ten are kept, which any processor returns."""

STOCK: Final = group(
    "villalobos2024", "abstract and results", "secondhand",
    median="300e12", low="100e12", high="1000e12",
)  # fmt: skip
"""Effective stock of public human text (tokens), with its 90 % interval."""
DEMAND: Final = group(
    "villalobos2024", "trend of data sets, as transcribed", "secondhand",
    tokens="15e12", year="2024", decades_per_year="0.38",
)  # fmt: skip
"""Largest training set in a year (tokens), and its growth."""
EXHAUSTION: Final = group(
    "villalobos2024", "abstract and Figure 1", "paper", low="2026", median="2028", high="2032"
)
"""Years in which demand is projected to meet the stock."""

TRAINING_YEARS: Final = MappingProxyType({"GPT-3": 2020.4, "Chinchilla": 2022.2, "Llama 3": 2024.3})
"""When models were announced (brown2020, hoffmann2022, grattafiori2024)."""

SYNTHETIC: Final = group(
    "qin2025", "abstract", "secondhand", plateau="300e9", peak_8B="1e12", peak_3B="4e12"
)
"""Tokens of synthetic text at which gains level off, and at which two model sizes peak."""
