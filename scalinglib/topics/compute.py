"""Shapes of published models, and the rows of Table A9 that a transcription has wrong."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from scalinglib import published
from scalinglib.architecture import Architecture
from scalinglib.checks import Floats

VOCABULARY_FITTED: Final = 32_168
"""The vocabulary that, without biases and norms, fits the sizes of Table A9 best."""
MISTYPED_SIZE: Final = (13775, 13735)
"""A size in millions as the transcription has it, and as the paper prints it."""
TABLE_A9_PRINTED: Final = {
    int(size): next((column, int(one.value)) for column, one in cells.items())
    for size, cells in published.groups("hoffmann2022/Table A9").items()
}
"""Cells that the transcription in ``data`` has otherwise: column and value, by size in millions."""


def shape(prefix: str) -> Architecture:
    """The shape whose numbers stand under a prefix of the published table."""
    return Architecture(**published.values(prefix))


def pythia(label: str) -> Architecture:
    """The shape of a Pythia model such as "12B"; K = d and f = 4 d in all of them."""
    layers, width = map(int, published.row(f"biderman2023/shape/{label}"))
    return Architecture(layers=layers, width=width, heads=1, head_size=width, feedforward=4 * width)


def as_printed(shapes: pd.DataFrame) -> pd.DataFrame:
    """The table ``chinchilla_architectures`` with six rows as the paper prints them."""
    wrong, right = MISTYPED_SIZE
    table = shapes.replace({"reported_params_millions": {wrong: right}})
    for size, (column, value) in TABLE_A9_PRINTED.items():
        table.loc[table.reported_params_millions == size, column] = value
    return table


def shapes_of(table: pd.DataFrame) -> Architecture:
    """The rows of ``chinchilla_architectures`` as one array of shapes."""
    return Architecture(
        layers=table.n_layers.to_numpy(float),
        width=table.d_model.to_numpy(float),
        heads=table.n_heads.to_numpy(float),
        head_size=table.kv_size.to_numpy(float),
        feedforward=table.ffw_size.to_numpy(float),
    )


def depth_correlation(shapes: Architecture, params: Floats, ratio: Floats) -> float:
    """Rank correlation of FLOP over 6ND with layers per width, at equal size.

    What a parabola in the logarithm of the size explains is taken from the logarithms of both.
    """
    x = np.log(params)
    left = [
        np.log(y) - np.polyval(np.polyfit(x, np.log(y), 2), x)
        for y in (ratio, shapes.layers / shapes.width)
    ]
    return float(spearmanr(*left).statistic)


def llama_layers(runs: pd.DataFrame, *, vocabulary: float) -> Floats:
    """Layers of Llama models from columns params and width, both tables of the vocabulary counted.

    Three feed-forward matrices of 8/3 of the width, rounded up to a multiple of 64, and two norms.
    """
    d = runs.width.to_numpy(float)
    f = 64 * np.ceil(d * 8 / 3 / 64)
    layers: Floats = np.round(
        (runs.params.to_numpy(float) - 2 * vocabulary * d - d) / (4 * d**2 + 3 * d * f + 2 * d)
    )
    return layers


def llama_parts(runs: pd.DataFrame, *, vocabulary: float) -> pd.DataFrame:
    """FLOP of a training token of Llama models in units of 6 N, part by part.

    Columns params, width, context (tokens). Scores are counted under the causal mask, as in the
    budgets of Beck et al. 2025; the embedding is looked up, so that only N holds it.
    """
    table = vocabulary * runs.width / runs.params
    attended = llama_layers(runs, vocabulary=vocabulary) * runs.width * runs.context
    return pd.DataFrame(
        {
            "matrices of the layers": 1 - 2 * table,
            "attention scores": attended / runs.params,
            "logits": table,
        }
    )
