"""Laws of vision and of multimodal models: Zhai, Alabdulmohsin, Shukor and their colleagues.

The numbers of shukor2025 were read in the text of its fourth version. Those of zhai2022 come from
two transcriptions that agree; their laws are in TPUv3 core-days.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from scalinglib.laws import ShiftedPowerLaw

from .reported import Reported, group

ZHAI_FINETUNE: Final = ShiftedPowerLaw(
    A=0.26, alpha=0.35, d=0.01, E=0.09,
    source="zhai2022, Fig. 2, ImageNet after fine-tuning, as transcribed",
)  # fmt: skip
ZHAI_TENSHOT: Final = ShiftedPowerLaw(
    A=0.63, alpha=0.32, d=0.52, E=0.12,
    source="zhai2022, Fig. 2, ImageNet from ten examples a class, as transcribed",
)  # fmt: skip
"""Error rate against compute in core-days, along the best models."""
ZHAI_HALF_UNIT: Final = 0.005
"""Half a unit of the last digit of their floors."""
VIT_G: Final = group(
    "zhai2022", "abstract, accuracy of ViT-G", "paper", finetune="90.45", tenshot="84.86"
)
"""Percent on ImageNet; the largest model of the study."""

ALABDULMOHSIN_TASKS: Final = Reported("72", "alabdulmohsin2022", "Sec. 5.1", "paper")
"""Learning curves of image classification in the study; two tasks of twelve are in our table."""
ALABDULMOHSIN_WON: Final = Reported("70", "alabdulmohsin2022", "Sec. 5.1", "paper")
"""Percent of them, "more than", in which the authors' own estimator forecasts best."""

SHUKOR_MODELS: Final = Reported("457", "shukor2025", "abstract", "paper")
"""Models trained."""


def _row(where: str, **texts: str) -> Mapping[str, Reported]:
    return group("shukor2025", where, "paper", **texts)


SHUKOR: Final = MappingProxyType(
    {
        "early fusion": _row(
            "Table 2, early fusion", E="1.904", alpha="0.301", beta="0.335", a="0.5262",
            b="0.473", d="0.8987", c="-0.0492",
        ),
        "early, text": _row(
            "Table 2, early fusion", E="2.222", alpha="0.3084", beta="0.3375", a="0.5246",
            b="0.4774", d="0.9085", c="-0.0420",
        ),
        "early, image captions": _row(
            "Table 2, early fusion", E="1.569", alpha="0.3111", beta="0.3386", a="0.5203",
            b="0.4785", d="0.9187", c="-0.0610",
        ),
        "early, interleaved": _row(
            "Table 2, early fusion", E="1.966", alpha="0.2971", beta="0.338", a="0.5315",
            b="0.4680", d="0.8791", c="-0.0459",
        ),
        "late fusion": _row(
            "Table 2, late fusion", E="1.891", alpha="0.2903", beta="0.3383", a="0.6358",
            b="0.4619", d="0.6732", c="-0.0494",
        ),
        "sparse": _row(
            "Table 2, sparse", E="2.158", alpha="0.710", beta="0.372", a="0.361", b="0.656",
            d="1.797", c="-0.047",
        ),
        "mixture 40-20-40": _row(
            "Table 3", E="1.965", alpha="0.328", beta="0.348", a="0.518", b="0.486", d="0.937",
            c="-0.0486",
        ),
        "mixture 30-30-40": _row(
            "Table 3", E="1.847", alpha="0.253", beta="0.338", a="0.572", b="0.428", d="0.748",
            c="-0.0463",
        ),
        "mixture 20-40-40": _row(
            "Table 3", E="1.836", alpha="0.259", beta="0.354", a="0.582", b="0.423", d="0.726",
            c="-0.0488",
        ),
    }
)  # fmt: skip
"""By model and data: L = E + A N^-alpha + B D^-beta, N* ~ C^a, D* ~ C^b, D* ~ N^d, L ~ C^c.

A mixture gives the shares of image captions, interleaved documents and text, in percent; the rows
above them are for 45-45-10."""
SHUKOR_GPT3: Final = Reported("-0.048", "shukor2025", "Table 2, GPT-3", "paper")
"""Exponent of the loss in compute that the paper quotes for comparison."""
SHUKOR_RATIO: Final = MappingProxyType(
    {
        "early fusion": Reported("0.053", "shukor2025", "Figure 1", "paper"),
        "late fusion": Reported("0.076", "shukor2025", "Figure 1", "paper"),
        "sparse": Reported("-0.312", "shukor2025", "Figure 1", "paper"),
    }
)
"""Exponent of the ratio N*/D* in compute."""
SHUKOR_CLOSED_FORM: Final = _row("Table 9, closed form", a="0.52649", b="0.47351", d="0.89938")
SHUKOR_REGRESSION: Final = _row("Table 9, regression", a="0.52391", b="0.47534", d="0.90052")
"""The row of early fusion, derived from alpha and beta and by a regression."""
SHUKOR_LATE_FIGURES: Final = MappingProxyType(
    {
        "alpha": Reported("0.2777", "shukor2025", "Figure 2", "paper"),
        "beta": Reported("0.34299", "shukor2025", "Figure 2", "paper"),
        "a": Reported("0.628", "shukor2025", "Figure 22", "paper"),
        "b": Reported("0.462", "shukor2025", "Figure 22", "paper"),
    }
)
"""What figures of the same paper print for late fusion."""
SHUKOR_LATE_SIZES: Final = (289e6, 494e6, 1.0e9, 1.75e9, 2.43e9, 3.7e9)
SHUKOR_ENCODER_WIDTHS: Final = (384, 512, 768, 1024, 1184, 1536)
SHUKOR_ENCODER_LAYERS: Final = 24
"""Total parameters of the late-fusion models, and the shape of their vision encoders (Table 6)."""
SHUKOR_VISION_SHARE: Final = 0.544
"""Share of the tokens that pass through the vision encoder (App. C.2)."""

HOFFMANN_TOKENS: Final = group(
    "hoffmann2022", "Table A2, approach 2", "secondhand", C4="0.50", GitHub="0.47"
)
"""Exponent of the training tokens on two other data sets."""
