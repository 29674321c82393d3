"""Everything a report says, computed: approaches, intervals, residuals, back-test and plans."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from scalinglib.comparison import Backtest, backtest
from scalinglib.compute import training_flops
from scalinglib.errors import DataError, FitError
from scalinglib.fit.bootstrap import Bootstrap, bootstrap
from scalinglib.fit.profile import profile
from scalinglib.fit.result import Fit
from scalinglib.isoflop import FrontierFit, fit_envelope, fit_isoflop
from scalinglib.laws import fit_chinchilla
from scalinglib.report.plans import LAWS, published_plan, row, spread
from scalinglib.runs import Runs
from scalinglib.runs.structure import groups

SHARE, LEAST = 10, 3
"""The back-test holds out one run of so many, the largest, and this many at least."""

FARTHER = 10.0
"""Without a budget the plan is for the largest run's compute times this."""

SHOWN = 1000
"""The most points in a drawing."""

SETTLED = 0.01, 2.0
"""An exponent whose interval does not lie between these is not settled."""

NO_TOKENS = (
    "the runs have no tokens; add a column of them, such as steps times tokens a step, or say "
    "--derive tokens where there are FLOP."
)
NO_CURVES = (
    "no run has several points, so there are no training curves; the envelope needs checkpoints."
)


OPTIONS = {
    "columns=": "--column NAME=ROLE", "units=": "--unit ROLE=UNIT",
    "derive='tokens'": "--derive tokens",
    "derive='flops'": "--derive flops",
    "fill=": "--fill [COLUMN ...]", "skip=": "--skip ROW", "decimal=": "--decimal",
    "across=": "--across ROLE", "over=": "--points best --over COLUMN",
    "keep_unfinished=": "--keep-unfinished", "points='all'": "--points all",
    "about=": "--about FILE", "fit them apart": "--only COLUMN=VALUE",
}  # fmt: skip
"""What the keywords of `scalinglib.runs` are called on the command line."""


def spoken(sentence: str) -> str:
    """A sentence that names keywords, with what to say on the command line instead."""
    left = re.search(r"columns=\{'(.+?)': None\}", sentence)
    said = [option for word, option in OPTIONS.items() if word in sentence]
    if left:
        said[said.index(OPTIONS["columns="])] = f"--column {left[1]}="
    return f"{sentence.rstrip('.')}. On the command line: {', '.join(said)}." if said else sentence


@dataclass(frozen=True, slots=True)
class Approach:
    """A way to the compute-optimal frontier, and its fit or why there is none."""

    name: str
    fit: Fit[Any] | FrontierFit | None
    why: str

    @property
    def exponents(self) -> tuple[float, float] | None:
        """Exponents of parameters and tokens in compute."""
        law = self.fit.law if isinstance(self.fit, Fit) else self.fit
        return None if law is None else (law.a, law.b)


@dataclass(frozen=True, slots=True)
class Intervals:
    """A table of parameters with their ends, how they were found, and whether to believe them.

    `doubts` are what the bootstrap says against its own intervals; the ends are then of profiles.
    """

    table: pd.DataFrame
    boot: Bootstrap
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a report says of a table of runs."""

    runs: Runs
    curves: Runs | None
    frame: pd.DataFrame
    parametric: Approach
    isoflop: Approach
    envelope: Approach
    intervals: Intervals | None
    no_intervals: str
    test: Backtest | None
    no_test: str
    plans: dict[float, pd.DataFrame]
    warnings: tuple[tuple[str, str], ...]

    @property
    def loose(self) -> str:
        """Which exponents of the law the runs leave open, in words; empty if they settle both."""
        if self.parametric.fit is None:
            return ""
        if self.intervals is None:
            return "it has no intervals"
        ends = self.intervals.table.loc[["alpha", "beta"], ["low", "high"]]
        settled = (ends["low"] > SETTLED[0]) & (ends["high"] < SETTLED[1])
        open_ = ends.index[~settled]
        return f"they leave {' and '.join(map(str, open_))} open" if len(open_) else ""

    @property
    def approaches(self) -> tuple[Approach, Approach, Approach]:
        """The three, in the order in which the report shows them."""
        return self.parametric, self.isoflop, self.envelope


def attempt(do: Callable[[], Any]) -> tuple[Any, str]:
    """The result and no words, or none and the words of the refusal."""
    try:
        return do(), ""
    except (DataError, FitError) as error:
        return None, spoken(str(error))


def find(
    runs: Runs, curves: Runs | None = None, *, budgets: Sequence[float] = (),
    laws: Sequence[str] = LAWS, resamples: int = 1000, seed: int = 0,
    tell: Callable[[str], None] = lambda _: None,
) -> Findings:  # fmt: skip
    """Compute all of it; `curves` holds every checkpoint, where runs have several."""
    frame = runs.frame
    if "flops" not in frame and "tokens" in frame:
        frame = frame.assign(flops=training_flops(frame["params"], frame["tokens"]))
    budget = "budget_flops" if "budget_flops" in frame else "flops"
    tell(f"fitting {len(frame)} runs")

    def whole(do: Callable[[], Any]) -> tuple[Any, str]:
        return attempt(do) if "tokens" in frame else (None, NO_TOKENS)

    parametric = Approach("Parametric law (approach 3)", *whole(lambda: fit_chinchilla(frame)))
    tell("IsoFLOP profiles and the envelope")
    profiles = whole(lambda: fit_isoflop(frame, budget=budget))
    isoflop = Approach("IsoFLOP profiles (approach 2)", *profiles)
    lines = (None, NO_CURVES)
    if curves is not None:
        own = curves.frame.assign(run=groups(curves.frame, ()))
        lines = whole(lambda: fit_envelope(own))
    envelope = Approach("Envelope of training curves (approach 1)", *lines)
    tell(f"intervals from {resamples} resamples")
    intervals, no_intervals = None, parametric.why
    test, no_test = None, parametric.why
    if isinstance(parametric.fit, Fit):
        fit = parametric.fit
        intervals, no_intervals = attempt(
            lambda: find_intervals(fit, frame, runs.clusters, resamples, seed)
        )
        tell("back-test on the largest runs")
        held = max(LEAST, len(frame) // SHARE)
        test, no_test = attempt(lambda: backtest(frame, largest=held, by="flops"))
    tell("plans")
    found = (parametric, isoflop, envelope)
    if not budgets and "flops" in frame:
        budgets = [float(f"{FARTHER * frame['flops'].max():.0e}")]
    plans = {C: plan(found, frame, intervals, laws, C) for C in budgets}
    told = [("Reading", spoken(one)) for one in runs.warnings]
    told += [(one.name, text) for one in found if one.fit for text in one.fit.warnings]
    told += [("Intervals", text) for text in (intervals.doubts if intervals else ())]
    return Findings(runs, curves, frame, *found, intervals, no_intervals, test, no_test, plans,
                    tuple(told))  # fmt: skip


def find_intervals(
    fit: Fit[Any], frame: pd.DataFrame, clusters: Any, resamples: int, seed: int
) -> Intervals:
    """Percentile intervals of a bootstrap; where it warns, profiles of a least-squares fit."""
    boot = bootstrap(fit, resamples, seed=seed, clusters=clusters)
    doubts = boot.warnings[len(fit.warnings) :]
    values = pd.concat([fit.params, pd.Series({"a": fit.law.a, "b": fit.law.b})])
    table = pd.DataFrame({"value": values})
    if not doubts:
        ends = {name: boot.interval(name) for name in values.index}
    else:
        squares = fit_chinchilla(frame, loss="l2")
        split = pd.Series({"a": squares.law.a, "b": squares.law.b})
        table["least squares"] = pd.concat([squares.params, split])
        ends = {
            name: getattr(attempt(partial(profile, squares, name))[0], "interval", (np.nan, np.nan))
            for name in fit.params.index
        }
    table[["low", "high"]] = pd.DataFrame(ends, index=["low", "high"]).T.reindex(values.index)
    return Intervals(table, boot, doubts)


def plan(
    approaches: Sequence[Approach], frame: pd.DataFrame, intervals: Intervals | None,
    laws: Sequence[str], C: float,
) -> pd.DataFrame:  # fmt: skip
    """A row for each own approach and each published law; own intervals stand in ``spread``."""
    rows = []
    for one in approaches:
        if one.fit is not None:
            made, _ = attempt(partial(row, one.name, one.fit, C, frame))
            if made:
                own = isinstance(one.fit, Fit) and intervals is not None
                rows.append(made | {"spread": spread(intervals.boot, C) if own else {}})  # type: ignore[union-attr]
    told = published_plan(laws, C)
    return pd.concat([pd.DataFrame(rows), told.assign(spread=[{} for _ in told.index])])
