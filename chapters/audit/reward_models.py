"""Claims about reward models: what their accuracy and their peaks do with size and data."""

from __future__ import annotations

from functools import cache

import numpy as np

import scalinglib as sl
from scalinglib import published
from scalinglib.fit.curve import CurveFit
from scalinglib.laws import BestOfNLaw
from scalinglib.topics import reward_models

from . import Readings, settles


@cache
def accuracy_lines() -> dict[str, reward_models.SizeTrend]:
    """Accuracy against the logarithm of size on both test sets, as the chapter fits it."""
    table = sl.load("reward_model_accuracy")
    seeds = published.value("huang2024/seeds")
    return {
        str(name): reward_models.fit_size_trend(
            one.params, one.acc_mean, reference=1e9, per=2, se=one.acc_sd / np.sqrt(seeds)
        )
        for name, one in table.groupby("test_set", sort=False)
    }


@cache
def public_runs() -> dict[int, CurveFit[BestOfNLaw]]:
    """The law of best-of-n on public runs, by the comparisons the reward model was trained on."""
    runs = sl.load("best_of_n_gold")
    return {
        int(size): sl.fit_curve(BestOfNLaw, reward_models.kl_best_of_n(one.n), one.gold)
        for size, one in runs.groupby("comparisons")
    }


@settles("D038")
def accuracy_against_logarithms() -> Readings:
    """Points of accuracy per doubling, and whether three sizes lie on a line."""
    said = published.values("stiennon2020/accuracy per doubling")
    found = {f"points per doubling of {name}, Stiennon": gain for name, gain in said.items()}
    for name, line in accuracy_lines().items():
        found[f"points per doubling of size, {name}"] = 100 * line.slope
        found[f"chance of a worse line, {name}"] = line.p
    return found


@settles("D094")
def worth_of_a_comparison() -> Readings:
    """What one more comparison adds after the most over what it added after the fewest.

    With a fixed gain per doubling the worth of one comparison falls as one over their number.
    """
    low, high = published.row("stiennon2020/comparisons")
    gain = published.value("stiennon2020/accuracy per doubling/data")
    alpha = {size: fit.params["alpha"] for size, fit in public_runs().items()}
    (first, second), (before, last) = list(alpha)[:2], list(alpha)[-2:]
    early = (alpha[second] - alpha[first]) / (second - first)
    return {
        "points per doubling of comparisons, Stiennon": gain,
        "worth of a comparison at the most over that at the fewest": low / high,
        "the same for alpha of five public reward models": float(
            (alpha[last] - alpha[before]) / (last - before) / early
        ),
    }


@settles("D039")
def size_against_the_policy() -> Readings:
    """Sizes of policies over those of the reward models that served them."""
    policies = published.row("ouyang2022/policy")
    judge = published.value("ouyang2022/reward model")
    tested, judges = published.row("gao2023/policy"), published.row("gao2023/policy test")
    return {
        "InstructGPT, largest policy over its reward model": max(policies) / judge,
        "Gao, larger policy over the smaller reward model": max(tested) / min(judges),
    }


@settles("D040")
def peaks_by_size() -> Readings:
    """Best-of-n against the smallest and the largest reward model of Gao's figure."""
    table = sl.load("reward_model_coefficients").set_index("rm")
    small, large = (
        BestOfNLaw(float(table.alpha_bon[rm]), float(table.beta_bon[rm])) for rm in ("3M", "3B")
    )
    farthest = float(reward_models.kl_best_of_n(6e4))
    peak = small.peak()
    return {
        "KL at the peak, 3M over 3B": peak.kl / large.peak().kl,
        "gold reward of the best of 60,000 over its peak, 3M": float(small.reward(farthest))
        / peak.reward,
        "gold reward of the best of 60,000, 3M over 3B": float(small.reward(farthest))
        / float(large.reward(farthest)),
    }
