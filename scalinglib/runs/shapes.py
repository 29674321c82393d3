"""Tables that hold runs or budgets side by side, made long, and tables that belong together."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from scalinglib.errors import DataError
from scalinglib.runs.columns import ROLES, recognise
from scalinglib.runs.reading import Table, blank
from scalinglib.runs.units import parse

_SIDE_BY_SIDE = re.compile(r"(.+) - (.+?)(__MIN|__MAX)?")
"""How trackers export a chart: a column a run, named after the run and what is drawn."""


def long(table: Table, across: str | None) -> Table:
    """A row a point: of the runs of a chart, or of numbers that stand in the header."""
    names = [str(name) for name in table.cells]
    drawn = [(name, found) for name in names if (found := _SIDE_BY_SIDE.fullmatch(name))]
    lines = {name: found[1] for name, found in drawn if not found[3] and _is(found[2], "loss")}
    known_loss = any(_is(name, "loss") for name in set(names) - {name for name, _ in drawn})
    if lines and not known_loss:
        return _melt(table, lines, [name for name, _ in drawn], "run")
    numbers = [name for name in names if isinstance(parse(name, "flops", False), tuple)]
    if across is None:
        if len(numbers) > 1 and not any(_is(name, "loss") for name in names):
            raise table.refuse(
                f"the header holds numbers ({numbers[0]}, {numbers[1]}, ...) and no column is a "
                "loss; if the losses stand below, say what the numbers are: across='budget_flops', "
                "'tokens', 'step' or 'params'"
            )
        return table
    if across not in ROLES:
        raise DataError(f"across is {across!r}; choose from {', '.join(ROLES)}.")
    if not numbers:
        raise table.refuse("across is given, but no name in the header is a number")
    return _melt(table, {name: name for name in numbers}, numbers, across)


def _is(name: str, role: str) -> bool:
    return (recognise(name) or ("",))[0] == role


def _melt(table: Table, values: dict[str, str], gone: list[str], role: str) -> Table:
    kept, cells = table.cells.drop(columns=gone), table.cells
    cells = pd.concat(kept.assign(**{role: v, "loss": cells[name]}) for name, v in values.items())
    cells = cells[~blank(cells["loss"]).to_numpy()]
    labels = table.labels[cells.index]
    return replace(table, cells=cells.reset_index(drop=True), labels=labels)


def join(table: Table, about: Table) -> Table:
    """The table with what another says about each run, matched by the names of the runs."""
    ours, theirs = _name_of_run(table, "source"), _name_of_run(about, "about")
    facts = about.cells.assign(key_=about.cells[theirs].astype(str).str.strip())
    twice = facts["key_"].duplicated()
    if twice.any():
        row = facts.index[int(twice.to_numpy().argmax())]
        raise about.refuse(f"{facts['key_'][row]!r} stands twice; keep one row a run", row, theirs)
    keys = table.cells[ours].astype(str).str.strip()
    lost = ~keys.isin(facts["key_"])
    if lost.any():
        row = keys.index[int(lost.to_numpy().argmax())]
        raise table.refuse(f"{keys[lost].iloc[0]!r} is not in {about.name}; add its row", row, ours)
    new = [name for name in about.cells if name not in (theirs, *table.cells)]
    found = facts.set_index("key_")[new].reindex(keys).set_axis(keys.index)
    cells = pd.concat([table.cells, found], axis=1)
    return replace(table, name=f"{table.name} with {about.name}", cells=cells)


def _name_of_run(table: Table, argument: str) -> str:
    found = [name for name in table.cells if _is(name, "run")]
    name = next((name for name in found if name in ("run", "name", "Name")), (found or [""])[0])
    if not name:
        raise table.refuse(f"{argument} has no column that names the runs; rename it to 'run'")
    return str(name)
