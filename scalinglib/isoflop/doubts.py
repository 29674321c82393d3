"""What may be wrong with profiles before a line is drawn: budgets, 6ND, runs off their curve."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from scalinglib.checks import Floats
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError, FitError
from scalinglib.isoflop.minima import EXACT, BudgetProfile, Optima, Profiles, power_lines

TOLERANCE = 0.05
"""Budgets within this share of one another are one: achieved FLOP differ by the rounding of
batches, and designs choose budgets at least a factor apart."""

GAP, WIDER = 3, (1.0, 1.5, 2.0, 3.0, 4.0)
"""A profile may spread further if the next budget lies this many times its spread away, and then
its values may lie this many times the tolerance apart."""

RULE, PARTLY = 2.0, 0.1
"""6ND may be off the budget by the factor: published tables lie between 0.93 and 1.35, by how they
count embeddings, and follow a smooth curve of the size to 0.024; runs may leave it by the share."""

SURE, MOST, FAR = 0.02, 3, 0.01
"""Chance at which a run is called off its curve in a table of clean ones, how many runs at most,
and the least share of the loss by which it must be off."""

FAR_OPTIMUM = 0.2
"""The same share for a quoted optimum: that of a profile is good to a tenth."""

LEANING = 8
"""From this many sizes on a cubic says where the losses should be: bowls lean to one side, and the
ends of a wide one would look like strays."""

NAMED = 5
"""Rows named in one sentence."""


class Stray(NamedTuple):
    """A run off its curve: place of the curve and in it, share it lies above, and its company.

    `peers` are the points of the curve among which no one can tell the stray one.
    """

    curve: int
    point: int
    above: float
    peers: tuple[int, ...]


def group_budgets(
    values: Floats, column: str, tolerance: float
) -> tuple[Floats, NDArray[np.int64]]:
    """Budgets (K,), the medians of values that lie together, and the budget of each value.

    A budget ends where the next value is more than `tolerance` larger, or, where that tears
    profiles apart, more than the least of `WIDER` times as much that leaves gaps between them.
    """
    if not 0 <= tolerance < 1:
        raise DataError(f"tolerance must be a share from 0 to below 1, got {tolerance}.")
    order = np.argsort(values, kind="stable")
    x = np.log(values[order])
    step = max(np.log1p(tolerance), 1e-12)
    tried = [_cut(x, step, factor * step) for factor in WIDER]
    starts = next((starts for starts, (low, _) in tried if not len(low)), tried[0][0])
    low, high = tried[0][1]
    remedy = "round it to nominal budgets first, or give a tolerance that holds one profile"
    if len(low) and starts is tried[0][0]:
        raise FitError(
            f"column {column!r}: values from {np.exp(low[0]):.4g} to {np.exp(high[0]):.4g} run "
            f"into one another, so they do not mark profiles; {remedy}."
        )
    which = np.empty(len(x), dtype=np.int64)
    which[order] = np.searchsorted(starts, np.arange(len(x)), side="right") - 1
    if len(starts) > len(values) / 2:
        raise FitError(
            f"column {column!r} has {len(starts)} different values in {len(values)} runs, so it "
            f"does not mark profiles; {remedy}."
        )
    return np.array([np.median(values[which == k]) for k in range(len(starts))]), which


def _cut(x: Floats, step: float, apart: float) -> tuple[NDArray[np.int64], tuple[Floats, Floats]]:
    """Where groups of ascending `x` start if `apart` parts them, and the ends of those too wide."""
    starts = np.flatnonzero(np.diff(x, prepend=-np.inf) > apart)
    low, high = x[starts], x[np.append(starts[1:], len(x)) - 1]
    space = np.concatenate([[np.inf], low[1:] - high[:-1], [np.inf]])
    nearest = np.minimum(space[:-1], space[1:])
    room = np.where(np.isfinite(nearest), nearest / GAP, 0.0)
    wide = high - low > np.maximum(step, room)
    return starts, (low[wide], high[wide])


def off_rule(N: Floats, D: Floats, C: Floats, labels: pd.Index, column: str) -> tuple[str, ...]:
    """Sentences on 6ND that is not the budget, in all runs or in some.

    How parameters are counted makes the ratio a smooth function of the size, which is fitted; a run
    that leaves it stopped early, or has a wrong cell.
    """
    ratio = np.log(FLOPS_PER_PARAM_TOKEN * N * D / C)
    told = []
    middle = float(np.median(ratio))
    if abs(middle) > np.log(RULE):
        told.append(
            f"6 N D is {np.exp(middle):.3g} times column {column!r} in the median run, more than "
            "the counting of parameters explains; check the units, and whether params are the "
            "active ones."
        )
    x = np.log(N) - np.log(N).mean()
    degree = 2 if len(np.unique(np.round(x, 6))) > 5 else 0
    kept = np.abs(ratio - middle) <= 3 * max(
        stats.median_abs_deviation(ratio, scale="normal"), 0.05
    )
    off = ratio - np.polyval(np.polyfit(x[kept], ratio[kept], degree), x)
    far = np.abs(off) > max(PARTLY, 6 * stats.median_abs_deviation(off, scale="normal"))
    if far.any():
        told.append(
            f"{rows(labels[far])}: 6 N D is {_list(f'{np.exp(v):.2g}' for v in off[far])} times "
            f"what column {column!r} and the other runs say; see whether they finished, or correct "
            "the cell."
        )
    return tuple(told)


def exact(sample: Profiles, minima: pd.DataFrame) -> tuple[str, ...]:
    """The warning that a parabola passes through all sizes of a budget, which nothing checks."""
    few = [
        used and one.needed == EXACT for one, used in zip(sample.profiles, minima.used, strict=True)
    ]
    if not any(few):
        return ()
    budgets = _list(f"{C:.3g}" for C in minima.budget[few])
    return (
        f"budget{'s' if sum(few) > 1 else ''} {budgets}: the parabola passes exactly through three "
        "sizes, so nothing checks it; add a fourth size.",
    )


def astray(sample: Profiles, exponent: float) -> tuple[str, ...]:
    """The warning that runs lie off the curve of their budget, and what `exponent` a they make."""
    curves = [(_bowl(one), one.loss / one.loss.mean()) for one in sample.profiles]
    found = strays(curves)
    if not found:
        return ()
    weights = list(sample.ones())
    for one in found:
        weights[one.curve] = weights[one.curve].copy()
        weights[one.curve][0, list(one.peers) if len(one.peers) > 1 else one.point] = 0.0
    without = power_lines(sample.budgets, sample.minima(weights))
    a = float(without["a"][0])
    told = "; ".join(_stray(sample, one) for one in found)
    now = "no frontier is left" if np.isnan(a) else f"a = {a:.3f} instead of {exponent:.3f}"
    return (
        f"{told}. Without {'it' if len(found) == 1 else 'them'} {now}; see whether these runs "
        "finished, and leave out what did not.",
    )


def _bowl(profile: BudgetProfile) -> Floats:
    """Columns of the curve on which the losses of a budget should lie."""
    V = profile.columns
    return V if profile.sizes.max() + 1 < LEANING else np.vstack([V, V[1] ** 3])


def _stray(sample: Profiles, one: Stray) -> str:
    profile, what = (
        sample.profiles[one.curve],
        "model size" if sample.along == "params" else "tokens",
    )
    where = f"budget {sample.budgets[one.curve]:.3g}"
    if len(one.peers) > 1:
        return (
            f"one of the runs at {where} does not lie on a parabola with the others, and which one "
            f"cannot be told: {rows(profile.labels[list(one.peers)])}"
        )
    side = "above" if one.above > 0 else "below"
    name, size = rows(profile.labels[[one.point]]), np.exp(profile.x[one.point])
    return (
        f"{name} ({where}, {what} {size:.3g}) lies {100 * abs(one.above):.2g} % {side} the curve "
        "through the other runs of its budget"
    )


def off_line(sample: Optima, labels: pd.Index) -> tuple[str, ...]:
    """Sentences on optima off the line through the others."""
    told = []
    c = np.log(sample.budgets)
    line = np.stack([np.ones_like(c), c - c.mean()])
    for name, values in (("params", sample.N), ("tokens", sample.D)):
        if found := strays([(line, values)], far=FAR_OPTIMUM):
            off = _list(f"{np.exp(one.above):.2g}" for one in found)
            told.append(
                f"{rows(labels[[one.point for one in found]])}: {name} is {off} times what the "
                "line through the other optima says; see whether a digit is wrong."
            )
    return tuple(told)


def strays(curves: Sequence[tuple[Floats, Floats]], *, far: float = FAR) -> list[Stray]:
    """Points off least-squares curves, each (columns (k, m), values (m,)), on one common scale.

    The point whose removal helps most is removed, up to `MOST` times; those up to the last removal
    that is significant for as many points (Rosner 1983) are returned.
    """
    kept = [np.ones(len(y), dtype=bool) for _, y in curves]
    total = sum(len(y) for _, y in curves)
    removed: list[Stray] = []
    sure = 0
    for _ in range(min(MOST, total // 4)):
        parts = [_deletion(V[:, on], y[on]) for (V, y), on in zip(curves, kept, strict=True)]
        gains = np.concatenate([gain for gain, _, _ in parts])
        rest = sum(left for _, _, left in parts)
        spare = sum(max(int(on.sum()) - len(V), 0) for (V, _), on in zip(curves, kept, strict=True))
        if spare < 3 or not gains.max() > 0:
            break
        curve, place = _locate(int(gains.argmax()), [len(gain) for gain, _, _ in parts])
        gain, above, _ = parts[curve]
        t = np.sqrt(gain[place] / (max(rest - gain[place], 1e-30) / (spare - 1)))
        own = np.flatnonzero(kept[curve])
        peers = own[gain > gain[place] * (1 - 1e-6)]
        removed.append(Stray(curve, int(own[place]), float(above[place]), tuple(map(int, peers))))
        if 2 * (total - len(removed) + 1) * stats.t.sf(t, spare - 1) < SURE:
            sure = len(removed)
        kept[curve][own[place]] = False
    return [one for one in removed[:sure] if abs(one.above) >= far]


def rows(labels: pd.Index) -> str:
    """Rows in words, the first few by name."""
    return f"row{'s' if len(labels) > 1 else ''} {_list(repr(one) for one in labels.tolist())}"


def _list(words: Iterable[str]) -> str:
    named = list(words)
    more = f" and {len(named) - NAMED} more" if len(named) > NAMED else ""
    return ", ".join(named[:NAMED]) + more


def _deletion(V: Floats, y: Floats) -> tuple[Floats, Floats, float]:
    """By how much the sum of squares falls without each point, how far it then is, and the sum."""
    Q = np.linalg.qr(V.T)[0]
    e = y - Q @ (Q.T @ y)
    free = 1 - (Q**2).sum(axis=1)
    if len(y) <= len(V):
        return np.zeros(len(y)), np.zeros(len(y)), 0.0
    alone = np.where(free > 1e-9, e / np.maximum(free, 1e-9), 0.0)
    return e * alone, alone, float(e @ e)


def _locate(place: int, lengths: list[int]) -> tuple[int, int]:
    """Which of several arrays in a row a place lies in, and where in it."""
    ends = np.cumsum(lengths)
    curve = int(np.searchsorted(ends, place, side="right"))
    return curve, place - int(ends[curve] - lengths[curve])
