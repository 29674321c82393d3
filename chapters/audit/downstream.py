"""Claims about the way from loss to benchmark."""

from __future__ import annotations

import numpy as np

import scalinglib as sl
from scalinglib import published
from scalinglib.topics import downstream

from . import Readings, settles


def task_errors() -> list[float]:
    """Size of the error of the predicted accuracy of the 13B model on each task (points)."""
    ladder = sl.load("downstream_ladder")
    measured = sl.load("downstream_targets").tail(5).mean(numeric_only=True)
    params, tokens = published.row("model/OLMo 2 13B")
    found = []
    for task in downstream.TASKS:
        bits, score = f"bits_per_byte_{task}", f"accuracy_{task}"
        split = downstream.fit_two_step(ladder, bits, score).split(
            params, tokens, loss=measured[bits], score=measured[score]
        )
        found.append(100 * abs(split.total))
    return found


def average_error() -> downstream.ErrorSplit:
    """The 6.9B model on 17 tasks, from the runs that Gadre et al. fit."""
    runs = sl.load("overtrained_runs")
    runs = runs[runs.corpus == "rpj"]
    low, high = published.row("gadre2024/fit ratio")
    usual, small = runs.tokens_per_param == low, runs.params == runs.params.min()
    loss_runs = (usual & (runs.params < 1e9)) | ((runs.tokens_per_param == high) & small)
    error_runs = loss_runs | (usual & runs.params.between(1e9, 2e9))
    target = runs[usual & (runs.model == "open_lm_7b")].iloc[0]
    return downstream.fit_error_law(
        runs[loss_runs], runs[error_runs], loss="loss_c4", error="error_avg17"
    ).split(target.params, target.tokens, loss=target.loss_c4, score=target.error_avg17)


@settles("D075")
def simple_maps() -> Readings:
    """How far off a smooth map from loss to score is: for single tasks, and for an average."""
    errors, average = task_errors(), average_error()
    return {
        "largest error of eight tasks": max(errors),
        "mean error of eight tasks": float(np.mean(errors)),
        "smallest error of eight tasks": min(errors),
        "error of the average over 17 tasks, from the predicted loss": 100 * abs(average.total),
        "error of the average over 17 tasks, from the measured loss": 100 * abs(average.second),
    }
