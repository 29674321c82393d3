"""Claims about vision transformers and multimodal models."""

from __future__ import annotations

from typing import Final

import numpy as np

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import PowerLaw, ShiftedPowerLaw
from scalinglib.optimum import cost_of_factor
from scalinglib.topics import vision_multimodal

from . import Readings, settles

VISION: Final = {
    "fine-tuned": published.law("zhai2022/fine-tuned"),
    "ten examples": published.law("zhai2022/ten-shot"),
}
"""Error on ImageNet in TPUv3 core-days."""
LANGUAGE: Final = vision_multimodal.frontier_law(published.EPOCH_2024)
CORE_DAYS: Final = (1.0, 1e4)
FLOP: Final = (1e18, 1e22)
"""The same factor of compute in vision and in language, each where its law was fitted."""


def fading(law: PowerLaw | ShiftedPowerLaw, ends: tuple[float, float]) -> float:
    """What a doubling of compute removes at the end of a range, over what it does at the start."""
    first, last = vision_multimodal.per_doubling(law, np.array(ends)).gain
    return float(last / first)


@settles("A079")
def saturation_of_vision() -> Readings:
    """Plateaus of the error, and how far the gain of a doubling falls over four decades."""
    return {f"error at unlimited compute, {name}": law.E for name, law in VISION.items()} | {
        f"gain of the last doubling over that of the first, {name}": fading(law, CORE_DAYS)
        for name, law in VISION.items()
    }


@settles("A080")
def vision_against_language() -> Readings:
    """Vision over language: how gains fade, and the compute that halves what is above the floor."""
    halving = cost_of_factor(published.EPOCH_2024, 0.5)
    return {
        f"share of the gain that is left after four decades, vision over language, {name}": fading(
            law, CORE_DAYS
        )
        / fading(LANGUAGE, FLOP)
        for name, law in VISION.items()
    } | {
        f"compute that halves the excess, vision over language, {name}": float(
            cost_of_factor(law.far, 0.5) / halving
        )
        for name, law in VISION.items()
    }


@settles("A081")
def size_kept() -> Readings:
    """Share of the gain from ten times the compute, and from a thousand, that a kept size loses."""
    law, start = published.EPOCH_2024, sl.compute_optimal(published.EPOCH_2024, 1e20)
    budgets = start.C * np.array([10.0, 1000.0])
    kept, grown = (
        sl.isoflop_curve(law, budgets, start.N).loss,
        sl.compute_optimal(law, budgets).loss,
    )
    lost = (kept - grown) / (start.loss - grown)
    return {
        "gain lost at ten times the compute": float(lost[0]),
        "gain lost at a thousand times the compute": float(lost[1]),
    }


@settles("A084")
def models_trained() -> Readings:
    """The number of models that the abstract names."""
    return {"models trained": published.value("shukor2025/models")}


@settles("A085")
def rows_of_the_multimodal_table() -> Readings:
    """Printed exponent of size over the one that the row's alpha and beta imply, and a + b."""
    found: dict[str, float] = {}
    for name in ("early fusion", "late fusion", "sparse"):
        row = published.group(f"shukor2025/law/{name}")
        check = vision_multimodal.check_row(row)["a"]
        found[f"printed exponent of size over the implied, {name}"] = (
            check.printed.value / check.implied
        )
        found[f"exponents of size and data together, {name}"] = row["a"].value + row["b"].value
    return found


@settles("B008")
def beyond_text() -> Readings:
    """Size exponents on text, code and images with text, and Gao's coefficients in log size."""
    by_corpus = published.values("hoffmann2022/a by corpus")
    rewards = sl.load("reward_model_coefficients")
    size = np.log(rewards.params.to_numpy(float))
    return {
        "size exponent, text": by_corpus["C4"],
        "size exponent, code": by_corpus["GitHub"],
        "size exponent, multimodal, early fusion": published.value("shukor2025/law/early fusion/a"),
        "correlation of a reward coefficient with log size, alpha": float(
            np.corrcoef(size, rewards.alpha_bon)[0, 1]
        ),
        "correlation of a reward coefficient with log size, beta": float(
            np.corrcoef(size, rewards.beta_rl)[0, 1]
        ),
    }
