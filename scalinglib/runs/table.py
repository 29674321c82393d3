"""`runs`: any source to a checked frame of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from scalinglib.checks import implausible_counts
from scalinglib.compute import training_flops
from scalinglib.errors import DataError
from scalinglib.runs import shapes, structure
from scalinglib.runs.columns import (
    COUNTED,
    ROLES,
    Taken,
    assign,
    families,
    known,
    mixtures,
    near,
    words,
)
from scalinglib.runs.reading import Table, blank, read
from scalinglib.runs.result import Runs
from scalinglib.runs.structure import Aside
from scalinglib.runs.units import HIGHEST_LOSS, decimal_comma, nats, numbers

Points = Literal["final", "all", "best"]

SIX_ND = 5.0
"""FLOP further than this factor from 6 N D at the median run are in another unit."""

FAR = 1e5
"""A count below the median by this factor is asked about: 70 among millions of parameters."""

_NUMERIC = {*COUNTED, "loss", "step", "planned_steps"}
_FIRST = ("run", "seed", "step", "params", "tokens", "flops", "loss", "budget_flops")


def runs(
    source: Any,
    *,
    columns: Mapping[str, str | None] | None = None,
    units: Mapping[str, Any] | None = None,
    derive: Literal["tokens", "flops"] | None = None,
    points: Points = "final",
    over: Sequence[str] = (),
    keep_unfinished: bool = False,
    skip: Sequence[Any] = (),
    fill: Sequence[str] | None = None,
    decimal: Literal[",", "."] | None = None,
    across: str | None = None,
    about: Any = None,
) -> Runs:
    r"""Read anybody's table of training runs, and say what was taken for what.

    Columns are recognised by the names of the field, units by names and values. Where two
    readings are plausible nothing is guessed: a `DataError` gives both and the keyword that
    answers. Rows that are no runs (a repeated header, a total, a comment) and rows without a
    size or a loss are set aside and listed.

    Parameters
    ----------
    source : path, file, DataFrame, mapping, list of mappings, or anything with ``to_pandas``
        CSV, TSV, Parquet, JSON or JSON lines; a pandas, Polars or Arrow frame; columns or records.
    columns : mapping of str to str or None, optional
        What a column is, for example ``{"N": "params"}``; None leaves a column untouched. The
        roles are params, tokens, flops, budget_flops, unique_tokens, planned_tokens, loss, run,
        seed, step, planned_steps and state.
    units : mapping of str to str or float, optional
        By role or column: ``"count"``, ``"K"``, ``"M"``, ``"B"``, ``"T"``, a factor, for FLOP also
        ``"PFLOP"`` or ``"PF-days"``, and for the loss ``"nats"``, ``"bits"``, ``"perplexity"``,
        ``"bits per byte"``; for cells without a letter of their own.
    derive : {"tokens", "flops"}, optional
        Compute one from the other and the size by C = 6 N D; never done unasked.
    points : {"final", "all", "best"}
        The last point of each run, by step, or by tokens if runs are named and have no steps;
        every checkpoint; or of the final points those of the setting with the lowest mean loss over
        seeds at each size and budget.
    over : sequence of str, optional
        Columns that the sweep of ``points="best"`` varies.
    keep_unfinished : bool, default False
        Keep runs that are unfinished by their state, by their planned steps or tokens
        (`FINISHED`), by their budget (`FINISHED_BUDGET`), or by falling short of what `PEERS` or
        more share.
    skip : sequence, optional
        Rows to leave out, by their numbers in the source.
    fill : sequence of str, optional
        Columns of merged cells to fill down, done by itself where half of the cells are empty.
    decimal : {",", "."}, optional
        The decimal mark, where the cells do not say.
    across : str, optional
        What numbers in the header are, if losses stand below them, such as ``"budget_flops"``.
    about : source, optional
        A second table with one row per run, joined by the name of the run.

    Returns
    -------
    Runs
        The fits take it as it is. Rows have the numbers of the source: lines of a file as a
        spreadsheet counts them (the header being row 1), labels of a frame.

    Raises
    ------
    DataError
        If the source cannot be read, a column is missing or could be two things, a cell is no
        number, or values are implausible in their unit; the message names place and remedy.

    Examples
    --------
    >>> import io, scalinglib as sl
    >>> file = io.StringIO("Name;n_params;tokens (B);eval/loss\ns;70M;1,4;4,12\nm;160M;3,2;3,71")
    >>> table = sl.runs(file, derive="flops")
    >>> print(table.frame.loc[2, ["params", "tokens", "flops", "loss"]].to_dict())
    {'params': 70000000.0, 'tokens': 1400000000.0, 'flops': 5.88e+17, 'loss': 4.12}
    """
    _options(derive, points, over)
    given = dict(columns or {})
    table = read(source, lambda names: known(names) + sum(one in given for one in names))
    table = shapes.long(table, across)
    if about is not None:
        table = shapes.join(table, read(about, known))
    table, aside = structure.spare(table, skip)
    taken = assign(table, given)
    roles = {one.column: one.role for one in taken}
    _needed(table, roles)
    table, filled = structure.fill_down(table, roles, fill)
    frame, how, more = _values(table, taken, dict(units or {}), decimal)
    aside += more
    notes = families(table, {*given, *roles}) + mixtures(table, given, roles)
    frame = _derive(table, frame, derive, how, notes)
    _plausible(table, frame, dict(units or {}), roles)
    for row in how:
        if row["column"] in filled:
            row["how"] += ", merged cells filled down"
    named = next((one for one, role in roles.items() if role == "run"), "...")
    kept, said, doubts, more = _points(table, frame, points, over, keep_unfinished, named)
    doubts += structure.repeated(table, kept)
    return _conclude(table, kept, how, aside + more, [*notes, *doubts], said)


def _options(derive: Any, points: Any, over: Any) -> None:
    for name, value, known_ones in (("derive", derive, ("tokens", "flops", None)),
                                    ("points", points, ("final", "all", "best"))):  # fmt: skip
        if value not in known_ones:
            raise DataError(f"{name} is {value!r}; say one of {known_ones}.")
    if isinstance(over, str):
        raise DataError(f"over is the text {over!r}; give a list, over=[{over!r}].")
    if over and points != "best":
        raise DataError("over says what a sweep varies; it needs points='best'.")


def _needed(table: Table, roles: dict[str, str]) -> None:
    role = next((one for one in ("params", "loss") if one not in roles.values()), None)
    if role is not None:
        names = list(map(str, table.cells))
        left = [name for name in names if name not in roles]
        close, one = near(role, left), left[0] if len(left) == 1 else "..."
        remedy = f"Say which holds it, columns={{{one!r}: {role!r}}}"
        if close:
            remedy = f"Column {close}"
        elif known(table.cells.iloc[:, 0].astype(str).tolist()) > 1:
            remedy = f"Column {names[0]!r} holds the names instead; turn the table on its side"
        elif not left and "run" in roles.values():
            remedy = "Give a second table that has it, a row a run, as about='runs.csv'"
        raise table.refuse(
            f"no column was recognised as {role}; it has {', '.join(names)}. {remedy}"
        )


def _values(
    table: Table, taken: list[Taken], units: dict[str, Any], decimal: str | None
) -> tuple[pd.DataFrame, list[dict[str, str]], list[Aside]]:
    """Numbers of all roles, how they were read, and rows that hold no point."""
    unknown = set(units) - {one.role for one in taken} - {one.column for one in taken}
    if unknown:
        raise table.refuse(f"units names {min(unknown)!r}, which is no column that was taken")
    comma = decimal_comma(table, {t.column: t.role for t in taken if t.role in _NUMERIC}, decimal)
    rest = table.cells.columns.difference([one.column for one in taken], sort=False)
    found: dict[str, Any] = {}
    how = []
    for one in taken:
        unit = units.get(one.role, units.get(one.column, one.unit))
        said = "" if unit == one.unit or not unit else "; unit as you said"
        if one.role not in _NUMERIC:
            found[one.role], read_as = _carried(table, one.column, one.role != "run"), ""
        elif one.role in ("step", "planned_steps"):
            found[one.role], read_as = _steps(table, one, comma), ""
        elif one.role == "loss":
            values, _ = numbers(table, one.column, one.role, "", comma=comma)
            _not_negative(table, one, values)
            found["loss"], read_as = nats(values, unit or "nats")
        else:
            found[one.role], read_as = numbers(table, one.column, one.role, unit, comma=comma)
            read_as = read_as or "counts"
            _not_negative(table, one, found[one.role])
        how.append({"column": one.column, "taken as": one.role, "unit": read_as,
                    "how": one.how + said + (", decimal comma" if comma and read_as else "")
                    })  # fmt: skip
    frame = pd.DataFrame(found, index=table.cells.index)
    aside = _no_points(table, frame, taken)
    keep = ~frame.index.isin([row for one in aside for row in one.rows])
    # A column that was left alone has no role, whatever it is called.
    carried = {f"{n} (source)" if n in ROLES else n: _carried(table, n) for n in rest}
    frame = pd.concat([frame, pd.DataFrame(carried, frame.index)], axis=1)[keep]
    if not len(frame):
        raise table.refuse("no row has both a size and a loss")
    return frame, how, aside


def _carried(table: Table, name: str, convert: bool = True) -> pd.Series[Any]:
    """A column as it came; of a text file its numbers are numbers, as pandas would read them."""
    column = table.cells[name]
    if not table.text:
        return column
    column = column.mask(blank(column))
    try:
        return pd.to_numeric(column) if convert else column
    except ValueError:
        return column


def _steps(table: Table, one: Taken, comma: bool) -> Any:
    """Steps as numbers, out of names of checkpoints such as step_1000 too."""
    cells = table.cells[one.column]
    if not pd.api.types.is_numeric_dtype(cells.dtype):
        bare = cells.astype(str).str.replace(r"^\D*?[-_ ]?(\d+)$", r"\1", regex=True)
        cells = bare.mask(blank(cells))
        table = replace(table, cells=table.cells.assign(**{one.column: cells}))
    return numbers(table, one.column, one.role, "", comma=comma)[0]


def _not_negative(table: Table, one: Taken, values: Any) -> None:
    bad = values < 0 if one.role != "loss" else values <= 0
    if bad.any():
        at = int(np.argmax(bad))
        hint = "; change the sign of a log-likelihood" if one.role == "loss" else ""
        raise table.refuse(
            f"{table.cells[one.column].iloc[at]!r} is not positive{hint}; correct it, or leave the "
            f"row out with skip=[{table.labels[table.cells.index[at]]!r}]",
            table.cells.index[at], one.column)  # fmt: skip


def _no_points(table: Table, frame: pd.DataFrame, taken: list[Taken]) -> list[Aside]:
    """Rows that hold no point of a run: a total, an empty cell, a diverged loss, step 0."""
    column = {one.role: one.column for one in taken}
    roles = [role for role in ("params", "tokens", "flops", "loss") if role in frame]
    done = np.zeros(len(frame), dtype=bool)
    aside = []
    if structure.sums(frame[[one for one in (*roles, "budget_flops") if one in frame]]):
        done[-1] = True
        aside.append(Aside(frame.index[-1:], "a total, not a run: sums or means of the rows above"))
    for role in roles:
        values = frame[role].to_numpy(dtype=float)
        tests = [(np.isnan(values), f"{column[role]} is empty"),
                 (np.isinf(values), f"{column[role]} is infinite")]  # fmt: skip
        if role in ("tokens", "flops"):
            tests.append((values == 0, "before the first step"))
        elif role == "params":
            tests.append((values == 0, f"{column[role]} is 0"))
        for test, why in tests:
            if (test & ~done).any():
                aside.append(Aside(frame.index[test & ~done], why))
                done |= test
    return aside


def _derive(
    table: Table, frame: pd.DataFrame, derive: str | None, how: list[dict[str, str]],
    notes: list[str],
) -> pd.DataFrame:  # fmt: skip
    """The missing one of tokens and FLOP if asked; FLOP of a nominal budget are the budget."""
    if "flops" not in frame and "budget_flops" in frame and derive != "flops":
        frame = frame.assign(flops=frame["budget_flops"])
    if derive is not None:
        given = "flops" if derive == "tokens" else "tokens"
        if derive in frame or given not in frame:
            why = f"it has {derive}; leave derive out" if derive in frame else f"it has no {given}"
            raise table.refuse(f"derive={derive!r}, but {why}")
        made, rule = (
            (frame["flops"] / 6 / frame["params"], "FLOP / (6 params)")
            if derive == "tokens"
            else (training_flops(frame["params"], frame["tokens"]), "6 params tokens")
        )
        frame = frame.assign(**{derive: made})
        how.append({"column": "", "taken as": derive, "unit": "counts",
                    "how": f"derived as you said: {rule}"})  # fmt: skip
    elif "tokens" not in frame:
        close = near("tokens", [str(name) for name in frame])
        notes.append("no column was recognised as tokens" + (
            "; derive='tokens' computes FLOP / (6 params)." if "flops" in frame else
            f", nor any as FLOP: {close}." if close else
            ", nor any as FLOP: only curves in the size can be fitted."))  # fmt: skip
    return frame


def _plausible(
    table: Table, frame: pd.DataFrame, units: dict[str, Any], roles: dict[str, str]
) -> None:
    """Ask where values cannot be what they would be taken for, unless the user has said."""
    said = {roles.get(name, name) for name in units}
    counts = {n: frame[n] for n in ("params", "tokens") if n in frame and n not in said}
    flops = frame["flops"] if "flops" in frame and "flops" not in said else None
    doubt = implausible_counts(**counts, flops=flops)
    if doubt:
        raise table.refuse(
            f"{doubt}. If they are in millions or billions say so, for example units={{'params': "
            "'M', 'tokens': 'B'}; if they are meant, say 'count'")  # fmt: skip
    for name, values in counts.items():
        far = values < values.median() / FAR
        if far.any():
            row = far.index[int(far.to_numpy().argmax())]
            raise table.refuse(
                f"{name} of {values[row]:g} is less than 1/{FAR:g} of the median, so it is in "
                f"another unit or a mistake; correct it, or say units={{{name!r}: 'count'}}", row
            )  # fmt: skip
    loss = frame["loss"]
    if loss.median() > HIGHEST_LOSS and "loss" not in said:
        raise table.refuse(
            f"the median loss is {loss.median():g}, more than {HIGHEST_LOSS:g} nats; say "
            "units={'loss': 'perplexity'} if it is one, units={'loss': 'nats'} if it is meant"
        )
    if {"tokens", "flops", "params"} <= set(frame) and not {"tokens", "flops", "params"} & said:
        ratio = float((frame["flops"] / 6 / frame["params"] / frame["tokens"]).median())
        if not 1 / SIX_ND < ratio < SIX_ND:
            raise table.refuse(
                f"FLOP are {ratio:.3g} times 6 params tokens at the median run, so one of the "
                "three is in another unit or counts another thing; say units={'flops': 'count'} "
                "if they are meant, or leave the column out with columns={'...': None}"
            )  # fmt: skip


def _points(
    table: Table,
    frame: pd.DataFrame,
    points: Points,
    over: Sequence[str],
    keep: bool,
    named: str,
) -> tuple[pd.DataFrame, str, list[str], list[Aside]]:
    """The points to fit, their name, doubts about them, and the rows that were set aside."""
    sweep = structure.swept(frame, words)
    again = structure.resumed(frame, sweep)
    frame = frame.drop(index=again.rows)
    if points == "all":
        return frame, structure.EVERY, [], [again]
    earlier = structure.earlier(table, frame, sweep)
    final = frame.drop(index=earlier.rows)
    gone = Aside(final.index[:0], "") if keep else structure.unfinished(final)
    left = final.drop(index=gone.rows)
    if not len(left):
        raise table.refuse(
            f"every run looks unfinished ({gone.why[0]}); say keep_unfinished=True to keep them"
        )
    aside, doubts = [again, earlier, gone], []
    said = "the last point of each run" if len(earlier.rows) else "all rows"
    if len(earlier.rows) and "step" not in frame:
        # A name that stands beside several runs, such as that of their size, reads the same.
        doubts.append(
            f"{len(earlier.rows)} rows are taken for earlier checkpoints, by the names of their "
            f"runs and their {'tokens' if 'tokens' in frame else 'FLOP'} alone; if each row is a "
            f"run of its own, leave the names out with columns={{{named!r}: None}}."
        )
    elif len(earlier.rows) and "run" not in frame:
        doubts.append(
            f"{len(earlier.rows)} rows are taken for earlier checkpoints, by size and step alone, "
            "because no column names the runs; if each row is a run of its own, say points='all'."
        )
    if len(gone.rows):
        said += " that finished" if len(earlier.rows) else " of finished runs"
        are = "is" if len(gone.rows) == 1 else "are"
        doubts.append(f"{len(gone.rows)} of {len(final)} runs {are} unfinished and set aside.")
    if points == "best":
        if not over:
            listed = f", for example over={sweep}" if sweep else ""
            raise table.refuse(f"points='best' needs the columns of the sweep{listed}")
        worse, edge = structure.best_of(left, over)
        aside.append(worse)
        said = f"best of sweep over {', '.join(over)}"
        return left.drop(index=worse.rows), said, doubts + edge, aside
    by_cell = left.groupby(structure.cells_of_sweep(left))
    several = [name for name in sweep if (by_cell[name].agg("nunique") > 1).mean() > 0.5]
    if several:
        doubts.append(
            f"most sizes stand with several values of {', '.join(several)}: a law of the best runs "
            f"needs points='best', over={several}."
        )
    return left, said, doubts, aside


def _conclude(
    table: Table, kept: pd.DataFrame, how: list[dict[str, str]], aside: list[Aside],
    notes: list[str], said: str,
) -> Runs:  # fmt: skip
    first = [name for name in _FIRST if name in kept]
    kept = kept[[*first, *(name for name in kept if name not in first)]]
    run = next((row["column"] for row in how if row["taken as"] == "run"), None)
    names = pd.Series("", index=table.cells.index) if run is None else table.cells[run]
    told = [one.frame(table.labels, names) for one in aside if len(one.rows)]
    empty = pd.DataFrame({name: [] for name in ("row", "run", "reason")}, dtype=object)
    kept.index = table.labels[kept.index].rename("row" if table.text else table.labels.name)
    return Runs(
        frame=kept,
        taken=pd.DataFrame(how, columns=["column", "taken as", "unit", "how"]),
        set_aside=pd.concat(told, ignore_index=True) if told else empty,
        warnings=tuple(notes),
        points=said,
        name=Path(table.name).name,
    )
