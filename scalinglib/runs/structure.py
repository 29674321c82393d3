"""Which rows are runs: what is no run, merged cells, checkpoints, unfinished runs, sweeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.errors import DataError
from scalinglib.runs.columns import recognise
from scalinglib.runs.reading import Table, blank

FINISHED, FINISHED_BUDGET, SIZES_NEAR = 0.98, 0.85, 9
"""A run that reached less than the first share of its planned steps or tokens is unfinished, or
less than the second of its budget, relative to the median of so many runs of near sizes."""

EVERY = "every checkpoint"
"""What the points are called with ``points="all"``."""

PEERS, PEERED = 3, 0.7
"""So many runs at one level are peers; they judge where at least this share of runs has some."""

SAME, APART = 0.02, 0.1
"""Logarithms closer than the first are one level; levels closer than the second are none."""

RESTARTS = 0.25
"""A run that is resumed steps back in at most this share of its rows."""

FEW, FEW_PEERLESS = 0.2, 0.03
"""If more runs than these shares fall short of their budget, or of their peers, it is meant."""

MERGED, MISSING = 0.5, 0.1
"""Shares of empty cells from which a column has merged cells, and up to which some are missing."""

STOPPED = {"crashed", "failed", "killed", "running", "preempted", "preempting", "interrupted",
           "aborted", "cancelled", "canceled", "queued", "pending", "stopped", "incomplete",
           "partial", "diverged", "unfinished", "scheduled", "oom", "timeout"}  # fmt: skip
"""States of a tracker that say that a run did not end as planned."""

SWEPT = {"lr", "learning rate", "learningrate", "max lr", "peak lr", "batch size", "batchsize",
         "batch", "global batch size", "bs", "weight decay", "wd", "warmup", "warmup steps",
         "beta2"}  # fmt: skip
"""Names of settings that a sweep varies."""

_TOTAL = re.compile(
    r"\W*(grand |sub)?(totals?|sums?|averages?|avg|means?|medians?|gesamt|summe|mittel(wert)?)\W*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Aside:
    """Rows that are set aside, and why: one reason, or one a row."""

    rows: pd.Index
    why: Any

    def frame(self, labels: pd.Index, names: pd.Series[Any]) -> pd.DataFrame:
        """Row as the user counts it, name and reason."""
        own = names.reindex(self.rows).fillna("").astype(str).to_numpy()
        told = {"row": labels[self.rows], "run": own, "reason": self.why}
        return pd.DataFrame(told, dtype=object)


def spare(table: Table, skip: Sequence[Any]) -> tuple[Table, list[Aside]]:
    """The table without rows that are no runs: repeated headers, comments, totals, `skip`."""
    cells, aside = table.cells, []
    missing = [row for row in skip if row not in table.labels]
    if missing:
        raise DataError(f"{table.name}: skip names row {missing[0]!r}, which is not there.")
    text = cells.select_dtypes(include=["object", "string"])
    head = np.array([re.sub(r" \(\d+\)$", "", name).strip() for name in text.columns])
    tests = [(table.labels.isin(list(skip)), "left out by skip")]
    if text.shape[1]:
        shown = text.astype(str)
        same = (shown == head).to_numpy()
        void = np.stack([blank(text[name]).to_numpy() for name in text], axis=1)
        tests.append(((same | void).all(axis=1) & (same.sum(axis=1) > 1), "repeats the header"))
        # Elsewhere, and in most rows, the word is a setting: how a loss or a layer was pooled.
        told = [name for name in shown if name == cells.columns[0] or recognise(name)]
        label = [shown[name].str.fullmatch(_TOTAL).to_numpy(bool) for name in told]
        label = [one for one in label if one.mean() < MERGED] or [np.zeros(len(cells), bool)]
        tests.append((np.any(label, axis=0), "a total, not a run"))
        rule = np.stack([shown[name].str.fullmatch(r":?-{2,}:?").to_numpy(bool) for name in shown])
        tests.append((rule.all(axis=0), "a rule under the header"))
        if table.text:
            first = shown.iloc[:, 0].str
            alone = first.startswith("#").to_numpy() & void[:, 1:].all(axis=1)
            tests.append((alone | first.startswith("# ").to_numpy(), "a comment"))
    keep = np.ones(len(cells), dtype=bool)
    for found, why in tests:
        found = found & keep
        if found.any():
            aside.append(Aside(cells.index[found], why))
            keep &= ~found
    return replace(table, cells=cells[keep]), aside


def sums(values: pd.DataFrame) -> bool:
    """Whether the last row holds the sums or the means of those above in two columns or more."""
    above, last = values.iloc[:-1], values.iloc[-1]
    varies = above.max() > above.min()
    same = [np.isclose(figure, last, rtol=1e-9) for figure in (above.sum(), above.mean())]
    return len(above) > 2 and any((one & varies & last.notna()).sum() > 1 for one in same)


def fill_down(
    table: Table, roles: dict[str, str], fill: Sequence[str] | None
) -> tuple[Table, list[str]]:
    """Merged cells, of which an export keeps the first, filled down; a question where unsure."""
    names = {role: name for name, role in roles.items()}
    chosen = [names.get(one, one) for one in fill or ()]
    for name in chosen:
        if name not in table.cells:
            raise DataError(f"fill names {name!r}, which is no column of {table.name}.")
    if fill is None:
        for name, role in roles.items():
            void = blank(table.cells[name]).to_numpy()
            if role in ("loss", "seed", "step", "state") or void.sum() < 2 or void[0]:
                continue
            # Tokens that a run reaches with its steps are never one merged cell.
            merged = "step" not in names or role not in ("tokens", "flops")
            if merged and void.mean() >= MERGED:
                chosen.append(name)
            elif merged and void.mean() > MISSING:
                at = int(void.argmax())
                raise table.refuse(
                    f"is empty, as in {void.sum()} of {len(void)} rows: these are merged cells or "
                    f"missing values; say fill=[{name!r}] for the first, fill=[] for the second",
                    table.cells.index[at], name)  # fmt: skip
    cells = table.cells.copy()
    for name in chosen:
        cells[name] = cells[name].mask(blank(cells[name])).ffill()
    return replace(table, cells=cells), chosen


def groups(frame: pd.DataFrame, config: Sequence[str]) -> NDArray[np.int64]:
    """The run of each row: by its name and seed, else by all settings that a run keeps."""
    settings = ("seed", "params", "budget_flops", "planned_tokens", "planned_steps", *config)
    keys = [name for name in (("run", "seed") if "run" in frame else settings) if name in frame]
    codes: NDArray[np.int64] = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    return codes


def _along(frame: pd.DataFrame) -> str | None:
    """What a run goes along: its steps, or tokens or FLOP if runs are named."""
    counted = ("step", "tokens", "flops")
    found = next((one for one in counted if one in frame and len(frame[one].unique()) > 1), None)
    return found if found == "step" or "run" in frame else None


def resumed(frame: pd.DataFrame, config: Sequence[str]) -> Aside:
    """Points that a run passed again when it was resumed from an earlier checkpoint.

    In the order of the table such a run steps back seldom and never to its beginning.
    """
    gone: list[Any] = []
    if (along := _along(frame)) is not None:
        run, at = groups(frame, config), frame[along].to_numpy(dtype=float)
        twice = pd.DataFrame({"run": run, "at": at}).duplicated() & ~np.isnan(at)
        for own in (np.flatnonzero(run == one) for one in np.unique(run[twice])):
            x = at[own]
            back = np.diff(x) <= 0
            if back.mean() <= RESTARTS and (x[1:][back] > x.min()).all():
                least = np.minimum.accumulate(x[::-1])[::-1]
                gone += frame.index[own[:-1][x[:-1] >= least[1:]]].tolist()
    return Aside(pd.Index(gone), "passed again after its run was resumed")


def repeated(table: Table, frame: pd.DataFrame) -> list[str]:
    """A doubt about rows that are the same as another in every column."""
    some = frame[frame.duplicated(["params", "loss"], keep=False)].astype(str)
    rows = table.labels[some.index[some.duplicated()]]
    if not len(rows):
        return []
    them = "row repeats" if len(rows) == 1 else "rows repeat"
    listed = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return [
        f"{len(rows)} {them} another in every column (row {listed}) and would count twice; leave "
        "out with skip=[...] what is no run of its own."
    ]


def earlier(table: Table, frame: pd.DataFrame, config: Sequence[str]) -> Aside:
    """The rows that are not the last of their run by step or tokens."""
    run = groups(frame, config)
    along = _along(frame)
    nothing = Aside(frame.index[:0], "")
    if along is None or len(np.unique(run)) == len(run):
        return nothing
    at = frame[along]
    twice = frame[[along]].assign(run_=run).duplicated(keep=False) & at.notna()
    if twice.any() and along != "step":
        return nothing
    if twice.any():
        label = frame.index[int(twice.to_numpy().argmax())]
        remedy = "add a column that tells them apart" if "run" in frame else (
            "name the column that tells the runs apart, columns={'...': 'run'}")  # fmt: skip
        raise table.refuse(f"step {at[label]:g} stands twice in one run; {remedy}", label)
    order = np.lexsort((np.arange(len(frame)), at.fillna(-np.inf).to_numpy(), run))
    last = np.zeros(len(frame), dtype=bool)
    last[order[np.append(np.diff(run[order]) != 0, True)]] = True
    return Aside(frame.index[~last], "an earlier checkpoint of its run")


def unfinished(frame: pd.DataFrame) -> Aside:
    """Final points of runs that did not end as planned, by state, plan, budget or peers."""
    why = pd.Series("", index=frame.index, dtype=object)
    if "state" in frame:
        state = frame["state"].astype(str).str.strip().str.lower()
        why = why.mask(state.isin(STOPPED), "unfinished: state " + state)
    for reached, plan in (("step", "planned_steps"), ("tokens", "planned_tokens")):
        if reached in frame and plan in frame:
            share = frame[reached] / frame[plan]
            _note(why, share < FINISHED, share, f"of its {plan.replace('_', ' ')}")
    compute = frame.get("flops") if "budget_flops" not in frame else None
    if "tokens" in frame:
        compute = 6 * frame["params"] * frame["tokens"]
    if compute is not None and "budget_flops" in frame:
        share = compute / frame["budget_flops"]
        # Other counts of FLOP differ from 6 N D by a factor that depends on the size.
        by_size = share[frame["params"].sort_values(kind="stable").index]
        share = share / by_size.rolling(SIZES_NEAR, center=True, min_periods=1).median()
        found = share < FINISHED_BUDGET
        if found.mean() <= FEW:
            _note(why, found, share, "of its budget")
    else:
        _by_peers(frame, compute, why)
    return Aside(frame.index[why != ""], why[why != ""].to_numpy())


def _note(why: pd.Series[Any], found: pd.Series[bool], share: pd.Series[float], what: str) -> None:
    for row in found.index[(found & (why == "")).to_numpy()]:
        why[row] = f"unfinished: reached {share[row]:.0%} {what}"


def _by_peers(frame: pd.DataFrame, compute: pd.Series[float] | None, why: pd.Series[Any]) -> None:
    """Runs below a level that peers share, and on no level of any quantity that has levels."""
    measures = {name: frame[name] for name in ("step", "tokens") if name in frame}
    if compute is not None:
        measures["FLOP"] = compute
    on_level, shares = [], []
    for name, values in measures.items():
        level = levels(values.to_numpy(dtype=float))
        size = np.bincount(level)[level]
        peered, alone = size >= PEERS, size == 1
        gaps = np.diff(np.log(np.sort(values, kind="stable")))
        apart = gaps[gaps > SAME]
        if len(apart) and np.median(apart) < APART:
            continue
        if PEERED <= peered.mean() < 1:
            # Rounded sizes scatter about a budget, while steps and tokens are set.
            near = FINISHED_BUDGET if name == "FLOP" else FINISHED
            at = np.searchsorted(tops := np.unique(values[peered]), values.to_numpy())
            ends = np.concatenate([[-np.inf], tops, [np.inf]])
            below, above = values / ends[at], values / ends[at + 1]
            on = ~alone | (above == 0) | (above >= near) | ((below > 0) & (below <= 1 / near))
            on_level.append(on)
            shares.append((name, above))
        elif peered.all():
            return
    if shares:
        name, share = shares[0]
        found = pd.Series(~np.any(on_level, axis=0), index=frame.index)
        if found.sum() > max(2, FEW_PEERLESS * len(found)):
            return
        _note(why, found, share, f"of the {name if name == 'FLOP' else name.rstrip('s') + 's'} "
              "that its peers share")  # fmt: skip


def levels(values: Floats, same: float = SAME) -> NDArray[np.int64]:
    """Codes of values whose logarithms follow each other within `same`, in ascending order."""
    order = np.argsort(values, kind="stable")
    steps = np.diff(np.log(np.maximum(values[order], 1e-300))) > same
    out = np.empty(len(values), dtype=np.int64)
    out[order] = np.concatenate([[0], np.cumsum(steps)])
    return out


def swept(frame: pd.DataFrame, words: Any) -> list[str]:
    """Columns that a sweep may vary, by their names, and that do vary."""
    named = [name for name in frame if " ".join(words(str(name))) in SWEPT]
    return [name for name in named if len(frame[name].unique()) > 1]


def cells_of_sweep(frame: pd.DataFrame) -> NDArray[np.int64]:
    """Size and budget of each run: runs that differ in nothing but a swept setting share both."""
    by = next((one for one in ("budget_flops", "tokens", "flops") if one in frame), "params")
    size, amount = (frame[name].to_numpy(dtype=float) for name in ("params", by))
    pairs = np.stack([levels(size, 1e-3), levels(amount)])
    _, codes = np.unique(pairs, axis=1, return_inverse=True)
    return np.ravel(codes)


def best_of(frame: pd.DataFrame, over: Sequence[str]) -> tuple[Aside, list[str]]:
    """Rows that are not of the setting with the lowest mean loss of its seeds, and doubts."""
    for name in over:
        if name not in frame:
            raise DataError(f"over names {name!r}, which is no column; it has {list(frame)}.")
    cell = pd.Series(cells_of_sweep(frame), index=frame.index, name="cell_")
    setting = frame.groupby(list(over), sort=False, dropna=False).ngroup().rename("setting_")
    mean = frame["loss"].groupby([cell, setting], sort=False).transform("mean")
    best = mean.groupby(cell).transform("min") == mean
    first = setting.where(best).groupby(cell).transform("first")
    best &= setting == first
    edge, several = 0, 0
    for name in over:
        values = pd.to_numeric(frame[name], errors="coerce")
        low, high = values.groupby(cell).transform("min"), values.groupby(cell).transform("max")
        wide = best & (low < high)
        edge += cell[wide & ((values == low) | (values == high))].nunique()
        several += cell[wide].nunique()
    doubts = [] if not edge else [
        f"{edge} of {several} sweeps have their lowest loss at the edge of {' or '.join(over)}, so "
        "a better setting may lie beyond."]  # fmt: skip
    why = f"not the best of its sweep over {', '.join(over)}"
    return Aside(frame.index[~best.to_numpy()], why), doubts
