"""What a schedule made for more tokens costs, read off curves and foretold for runs to come."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, positive
from scalinglib.errors import DataError


def loss_at(curve: pd.DataFrame, tokens: ArrayLike) -> Floats:
    """Loss of a training curve at numbers of tokens, interpolated in their logarithm."""
    at = positive("tokens", tokens)
    if at.min() < curve.tokens.min() or at.max() > curve.tokens.max():
        raise DataError(
            f"tokens must lie between {curve.tokens.min():g} and {curve.tokens.max():g}, where the "
            "curve has points; ask for no more than the run saw."
        )
    ordered = curve.sort_values("tokens", kind="stable")
    found: Floats = np.interp(np.log(at), np.log(ordered.tokens), ordered.loss)
    return found


def mid_run_excess(runs: pd.DataFrame, curves: pd.DataFrame) -> pd.DataFrame:
    """How far a longer run stands above a finished shorter one of its size, at the same tokens.

    Columns run, params, budget_flops, tokens; curves with run, tokens, loss. One row a pair: the
    `share` of its schedule that the longer run has behind it, and `excess`, the logarithm of the
    ratio of losses, both read off curves, so that the same held-out text is compared.
    """
    by_run = dict(iter(curves.groupby("run")))
    ends = {name: float(loss_at(by_run[run], tokens)) for name, run, tokens in zip(
        runs.index, runs.run, runs.tokens, strict=True)}  # fmt: skip
    rows: list[dict[str, Any]] = []
    for params, same in runs.sort_values("budget_flops", kind="stable").groupby("params"):
        for place, short in enumerate(same.itertuples()):
            for long in same.iloc[place + 1 :].itertuples():
                above = np.log(loss_at(by_run[long.run], short.tokens) / ends[short.Index])
                rows.append(
                    {
                        "params": params, "short": short.budget_flops, "long": long.budget_flops,
                        "share": short.tokens / long.tokens, "excess": float(above),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows, columns=["params", "short", "long", "share", "excess"])


def foretold_excess(pairs: pd.DataFrame, share: pd.Series[float]) -> pd.Series[float]:
    """Excess of runs, by size, that end when a share of their schedule is behind them.

    For each size linear in the logarithm of the share through its own pairs, from none at a share
    of one; below the least share of its pairs the last line goes on.
    """
    found = {}
    for params, at in share.items():
        own = pairs[pairs.params == params].sort_values("share", kind="stable")
        x, y = np.append(np.log(own.share), 0.0), np.append(own.excess, 0.0)
        if at < 1 and len(x) < 2:
            raise DataError(
                f"pairs holds no longer run of the size {params:g}; leave it out of share, or add "
                "a pair."
            )
        here = np.log(at)
        beyond = len(x) > 1 and here < x[0]
        found[params] = (
            y[0] + (here - x[0]) * (y[1] - y[0]) / (x[1] - x[0])
            if beyond
            else np.interp(here, x, y)
        )
    return pd.Series(found, dtype=np.float64)


def rate_change(tried: pd.DataFrame, rate: float, new: float) -> float:
    """What a new rate does to the loss of one size and length: logarithm of the ratio of losses.

    By a parabola through the logarithms of three or more rates tried; columns learning_rate, loss.
    """
    if tried.learning_rate.nunique() < 3:
        raise DataError(
            f"tried holds {tried.learning_rate.nunique()} rates, and a parabola needs three; add "
            "runs at other rates."
        )
    curve = np.polyfit(np.log(tried.learning_rate), np.log(tried.loss), 2)
    return float(np.polyval(curve, np.log(new)) - np.polyval(curve, np.log(rate)))


def lowest_size(params: ArrayLike, loss: ArrayLike) -> float:
    """Size at the lowest point of a parabola in its logarithm; refuses one outside its runs."""
    x, y = np.log(positive("params", params)), positive("loss", loss)
    bent, slope, _ = np.polyfit(x, y, 2)
    lowest = -slope / (2 * bent)
    if bent <= 0 or not x.min() < lowest < x.max():
        raise DataError(
            "The parabola has no lowest point between its sizes; add sizes on the side where the "
            "loss still falls."
        )
    return float(np.exp(lowest))
