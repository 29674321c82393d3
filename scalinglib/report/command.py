"""``python -m scalinglib``: a report on a table of runs, or a plan for a budget."""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import platform
import shlex
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from scalinglib import datasets, published
from scalinglib.catalogue import plans
from scalinglib.errors import DataError, FitError
from scalinglib.report.findings import find, spoken
from scalinglib.report.page import render
from scalinglib.report.plans import LAWS, published_plan
from scalinglib.runs import Runs, runs

EXAMPLES = """examples:
  python -m scalinglib report runs.csv --budget 1e23
  python -m scalinglib report chart.csv --about runs.csv --points all
  python -m scalinglib report chinchilla_runs --only excluded=False
  python -m scalinglib report isoflop_runs --only experiment=chinchilla
  python -m scalinglib plan 1e24 --law besiroglu2024
The tables example_runs, chinchilla_runs and isoflop_runs come with the package.
"""
STATUS = "exit status: 0 when done, 1 when refused (a sentence says why), 2 for a wrong command."

EXAMPLE = "example_runs"
"""The shipped table that a report is about if none is named."""

OTHER = "another value than --only says"

CARRIED = ("derive", "over", "keep_unfinished", "fill", "decimal", "across", "about")
"""Options of `report` that are those of `scalinglib.runs`, as they are."""


def pair(text: str) -> tuple[str, str]:
    """NAME=VALUE."""
    name, found, value = text.rpartition("=")
    if not found or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def budget(text: str) -> float:
    """A positive number of FLOP."""
    value = _number(text)
    if isinstance(value, str) or not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a budget in FLOP, such as 1e24")
    return value


def parser() -> argparse.ArgumentParser:
    """The two commands and their options."""
    look: Any = {"formatter_class": argparse.RawDescriptionHelpFormatter}
    whole_tool = argparse.ArgumentParser(
        prog="python -m scalinglib", description="Scaling laws of your runs, and plans from them.",
        epilog=EXAMPLES + STATUS, **look,
    )  # fmt: skip
    commands = whole_tool.add_subparsers(dest="command", required=True)
    told = "read a table of runs and write one self-contained HTML file about it"
    report = commands.add_parser("report", help=told, description=told, epilog=EXAMPLES + STATUS,
                                 **look)  # fmt: skip
    _report_options(report)
    told = "print the compute-optimal split of a budget under published laws"
    plan = commands.add_parser("plan", help=told, description=told, epilog=STATUS, **look)
    plan.add_argument("budget", type=budget, metavar="FLOP", help="training compute, such as 1e24")
    _law_option(plan)
    return whole_tool


def _law_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--law", action="append", metavar="KEY",
        help="published law, a key of scalinglib.catalogue() or its source alone; may be repeated "
        f"(default: {'; '.join(LAWS)})",
    )  # fmt: skip


def _report_options(report: argparse.ArgumentParser) -> None:
    add = report.add_argument
    add("source", nargs="?", default=EXAMPLE,
        help="CSV, TSV, Parquet, JSON or JSON lines, or the name of a shipped table "
        f"(default: the example {EXAMPLE})")  # fmt: skip
    add("-o", "--output", metavar="FILE", help="where to write (default: SOURCE.report.html here)")
    add("--budget", type=budget, nargs="+", default=[], metavar="FLOP",
        help="what to plan for (default: ten times the largest run)")  # fmt: skip
    _law_option(report)
    add("--resamples", type=int, default=1000, metavar="N", help="bootstrap (default: 1000)")
    add("--seed", type=int, default=0, help="of the bootstrap (default: 0)")
    add("--only", type=pair, action="append", default=[], metavar="COLUMN=VALUE",
        help="leave out rows with another value in this column; may be repeated")  # fmt: skip
    reading = report.add_argument_group("reading, as in scalinglib.runs")
    add = reading.add_argument
    add("--column", type=pair, action="append", default=[], metavar="NAME=ROLE",
        help="what a column is: params, tokens, flops, budget_flops, loss, run, seed, step, ...; "
        "NAME= leaves it untouched")  # fmt: skip
    add("--unit", type=pair, action="append", default=[], metavar="ROLE=UNIT",
        help="count, K, M, B, T or a factor; PFLOP, PF-days; nats, bits, perplexity")  # fmt: skip
    add("--derive", choices=("tokens", "flops"), help="compute it by C = 6 N D")
    add("--points", choices=("final", "all", "best"), default="final",
        help="the last point of each run, every checkpoint, or the best of a sweep")  # fmt: skip
    add("--over", nargs="+", default=(), metavar="COLUMN", help="what the sweep varies")
    add("--keep-unfinished", action="store_true", help="keep runs that look unfinished")
    add("--skip", nargs="+", default=[], metavar="ROW", help="rows to leave out, by their numbers")
    add("--fill", nargs="*", metavar="COLUMN", help="merged cells to fill down; none if empty")
    add("--decimal", choices=(",", "."), metavar="MARK", help="the decimal mark, ',' or '.'")
    add("--across", metavar="ROLE", help="what numbers in the header are, such as budget_flops")
    add("--about", metavar="FILE", help="a second table, a row a run, joined by the run's name")


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "plan":
            print(plan(options.budget, options.law))
        else:
            report(options, arguments)
    except (DataError, FitError) as error:
        print(f"scalinglib: {spoken(str(error))}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"scalinglib: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def plan(C: float, laws: Sequence[str] | None) -> str:
    """The table that ``plan`` prints, and its sources."""
    from scalinglib.display import number, quantity

    table = published_plan(laws or LAWS, C)
    notes = []
    for one in table.itertuples():
        told = "; ".join(filter(None, [published.law(one.law).source, one.note]))
        notes.append(textwrap.fill(f"{one.law}: {told}", 88, subsequent_indent="  "))
    write: Any = {"params": quantity, "tokens": quantity, "loss": number,
                  "tokens per parameter": "{:.3g}".format}  # fmt: skip
    shown = table.drop(columns="note").to_string(index=False, formatters=write)
    return "\n".join([f"{C:g} FLOP, C = 6 N D", shown, "", *notes])


def read(options: argparse.Namespace, points: str, skip: Sequence[Any] = ()) -> Runs:
    """The table, as `scalinglib.runs` reads it with these options."""
    told: dict[str, Any] = {name: getattr(options, name) for name in CARRIED} | {"points": points}
    given: Mapping[str, Any] = {name: role or None for name, role in options.column}
    units = {role: _number(unit) for role, unit in options.unit}
    left_out = [int(row) if row.isdecimal() else row for row in options.skip]
    if points != "best":
        told["over"] = ()
    found = runs(path(options.source), columns=given, units=units, skip=[*left_out, *skip], **told)
    return replace(found, name=Path(options.source).name)


def path(source: str) -> Path:
    """A file, or that of a shipped table by its name."""
    shipped = not Path(source).exists() and source in datasets.names()
    return datasets.path(source) if shipped else Path(source)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def others(options: argparse.Namespace) -> list[Any]:
    """Rows that have another value than ``--only`` says."""
    if not options.only:
        return []
    every = read(options, "all")
    frame = every.frame
    roles = dict(zip(every.taken["column"], every.taken["taken as"], strict=True))
    keep = pd.Series(data=True, index=frame.index)
    for name, value in options.only:
        column = roles.get(name, name)
        if column not in frame:
            raise DataError(f"--only names {name!r}, which is no column; it has {list(frame)}.")
        keep &= (frame[column].astype(str) == value).to_numpy()
    if not keep.any():
        raise DataError(f"--only leaves no row: none has {dict(options.only)}.")
    return list(keep.index[~keep])


def report(options: argparse.Namespace, arguments: Sequence[str]) -> None:
    """Read, compute, draw and write; progress goes to stderr."""
    steps = iter(range(1, 8))

    def tell(what: str) -> None:
        print(f"[{next(steps)}/7] {what}", file=sys.stderr, flush=True)

    tell(f"reading {options.source}")
    laws = list(plans(1e21, options.law or LAWS).index)
    skip = others(options)
    table = read(options, options.points, skip)
    table.set_aside.loc[table.set_aside["row"].isin(skip), "reason"] = OTHER
    curves = table if options.points == "all" else None
    if table.set_aside["reason"].eq("an earlier checkpoint of its run").any():
        curves = read(options, "all", skip)
    found = find(table, curves, budgets=options.budget, laws=laws, resamples=options.resamples,
                 seed=options.seed, tell=tell)  # fmt: skip
    target = Path(options.output or f"{Path(options.source).name}.report.html")
    tell(f"writing {target}")
    command = shlex.join(["python", "-m", "scalinglib", *arguments])
    digest = "; ".join(_digest(one) for one in (options.source, options.about) if one)
    page = render(found, command=command, versions=versions(), digest=digest)
    target.write_text(page, encoding="utf-8")
    print(target)


def versions() -> dict[str, str]:
    """Of Python and of what computed and drew."""
    names = ("scalinglib", "numpy", "pandas", "scipy", "altair", "vl-convert-python")
    told = {"Python": platform.python_version()}
    for name in names:
        try:
            told[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            told |= {name: "(a checkout)"} if name == "scalinglib" else {}
    return told


def _digest(source: str) -> str:
    file = path(source)
    return f"{file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}"
