"""Inference-aware scaling, over-trained models, and precision: what was printed.

How each number was read: "paper" in its own text, "code" in the authors' program or its stored
output, "secondhand" in a third party's transcription.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from scalinglib.laws import ChinchillaLaw
from scalinglib.precision import PrecisionLaw

from .reported import How, Reported, group

# --- Sardana et al. 2024 --------------------------------------------------------------------

SARDANA_2024: Final = ChinchillaLaw(
    E=1.69, A=406.4, B=410.7, alpha=0.336, beta=0.283,
    source="sardana2024, Sec. 2, constants of the worked examples (second-hand)",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: a quality, a demand, and what was printed about the best model.

    Parameters
    ----------
    size : float
        Parameters of the compute-optimal model of that quality (count).
    served : float
        Tokens the model will serve (count).
    printed : mapping of str to Reported
        Any of ``params`` (billions), ``data`` (multiple of the compute-optimal tokens),
        ``saving`` (percent of the lifetime compute) and ``flops`` (saved, in 1e22 FLOP).
    """

    size: float
    served: float
    printed: Mapping[str, Reported]


def _example(size: float, served: float, **texts: str) -> Example:
    return Example(size, served, group("sardana2024", "examples", "secondhand", **texts))


EXAMPLES: Final = MappingProxyType(
    {
        "7B": _example(7e9, 1e11, params="6", data="1.18"),
        "13B": _example(13e9, 2e12, params="7", saving="17", flops="1.7"),
        "30B": _example(30e9, 1e13, params="13.6", saving="28"),
        "70B": _example(70e9, 1e13, params="41.6", saving="12"),
    }
)
"""The four examples of sardana2024 (Fig. 1, Sec. 2 and App. A and B)."""
TOKENS_PER_REQUEST: Final = (70, 215)
"""Tokens read and written in an average request (sardana2024, App. B, second-hand)."""
REQUESTS: Final = 1e9
"""Requests from which the paper's abstract recommends training longer."""
MODELS: Final = 47
"""Models trained by sardana2024; the one of 150M parameters reached 10,000 tokens each."""


def _range(E: float, A: float, B: float, alpha: float, beta: float) -> ChinchillaLaw:
    return ChinchillaLaw(E, A, B, alpha, beta, source="sardana2024, Table 1 (second-hand)")


SARDANA_BY_RATIO: Final = MappingProxyType(
    {
        "up to 100": _range(0.17, 7.199, 25.97, 0.08, 0.13),
        "up to 250": _range(0.98, 14.23, 39.54, 0.13, 0.16),
        "up to 500": _range(0.95, 17.07, 35.80, 0.13, 0.16),
        "all": _range(1.45, 33.66, 138.9, 0.18, 0.24),
    }
)
"""Laws that sardana2024 fitted to runs up to a ratio of tokens to parameters. The runs are not
public."""

# --- Gadre et al. 2024 ----------------------------------------------------------------------

CORPORA: Final = MappingProxyType(
    {"c4_original": "C4", "rpj": "RedPajama", "rw_original": "RefinedWeb"}
)
"""Training corpora of gadre2024, by their names in the table of runs."""
SMALL: Final = ("d=96_l=8_h=4", "d=512_l=8_h=4", "d=576_l=24_h=8", "d=1024_l=24_h=8")
"""Shapes of the small models of gadre2024, by size."""
FIT_RATIOS: Final = (20.0, 320.0)
"""The fit sees the four small shapes at the first ratio and the smallest at the second."""
PREDICTION_ERRORS: Final = group(
    "gadre2024", "notebook, stored output", "code", open_lm_1b="0.7103", open_lm_7b="0.7320"
)
"""Relative error of the loss on RedPajama, percent: 1.4B at 640 and 6.9B at 20 tokens each."""
PREDICTED_RATIOS: Final = MappingProxyType({"open_lm_1b": 640.0, "open_lm_7b": 20.0})
LARGE: Final = MappingProxyType({"open_lm_1b": "1.4B", "open_lm_7b": "6.9B"})

# --- Kumar et al. 2024 ----------------------------------------------------------------------

KUMAR_2024: Final = PrecisionLaw(
    base=ChinchillaLaw(
        E=2.7648, A=4.299e3, B=1.806e4, alpha=0.4965, beta=0.4965, source="kumar2024, Table 2"
    ),
    gammas=(2.6745, 2.2102, 0.9578),
    C_T=0.0598,
    gamma_D=0.5068,
    gamma_N=0.3439,
    gamma_post=0.5907,
    source="kumar2024, App. K, Table 2",
)
KUMAR_OFFSETS: Final = (0.3037, 1.4072, 2.4185)
"""A second constant of each factor in the same table, n_w, n_i and n_kv (kumar2024, Table 2)."""
KUMAR_BITS: Final = group("kumar2024", "Sec. 4, headline", "secondhand", low="7", high="8")
"""Bits said to be compute-optimal."""
KUMAR_REACH: Final = (1.7e9, 26e9)
"""Largest model and longest training of kumar2024 (parameters, tokens; abstract)."""

# --- Released models ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Released:
    """Parameters and training tokens of a released model, as its makers state them.

    Parameters
    ----------
    N, D : float
        Parameters and training tokens (counts).
    source : str
        Key in the bibliography and place.
    how : {"paper", "code", "secondhand"}
        How the numbers were read.
    """

    N: float
    D: float
    source: str
    how: How = "secondhand"


RELEASED: Final = MappingProxyType(
    {
        "GPT-3 175B": Released(175e9, 300e9, "brown2020, Table 2.1"),
        "Chinchilla 70B": Released(70e9, 1.4e12, "hoffmann2022, Table 1", "paper"),
        "LLaMA 65B": Released(65e9, 1.4e12, "touvron2023, Table 2"),
        "Llama 2 70B": Released(70e9, 2e12, "touvron2023llama2, Table 1"),
        "Llama 3.1 405B": Released(405e9, 15.6e12, "grattafiori2024, Sec. 3"),
        "LLaMA 7B": Released(6.7e9, 1e12, "touvron2023, Table 2"),
        "Llama 3 70B": Released(70e9, 15e12, "meta2024, announcement"),
        "Llama 2 7B": Released(7e9, 2e12, "touvron2023llama2, Table 1"),
        "Llama 3 8B": Released(8e9, 15e12, "meta2024, announcement"),
    }
)
"""In the order of their tokens per parameter."""
OPTIMAL_8B: Final = Reported("200", "meta2024", "announcement", "secondhand")
"""Billions of tokens that the announcement of Llama 3 calls about optimal for 8B parameters."""
RULE: Final = 20
"""Tokens per parameter of the rule of thumb."""
QWEN3_SMALL: Final = Released(0.6e9, 36e12, "qwen2025, Sec. 3")
"""The most over-trained model quoted here."""
