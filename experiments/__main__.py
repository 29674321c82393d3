"""Train the runs of a plan, one row a finished run, and fit them."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from tqdm import tqdm

import scalinglib as sl
from experiments import corpus
from experiments.plan import PLANS, Plan, RateRule, Run
from experiments.table import Table, profiles
from experiments.train import device, train

ROOT = Path(__file__).resolve().parents[1]


def arguments() -> argparse.ArgumentParser:
    """What the command line takes."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments",
        description="Trains small transformers on the Python sources of fixed packages, stores a "
        "row for each finished run, and fits the rows. Started again, it goes on where it stopped.",
    )
    parser.add_argument(
        "--plan",
        choices=PLANS,
        required=True,
        help="smoke: a miniature of minutes on Python's own library; cpu: the runs of the book, "
        "3e10 to 1e13 FLOP; gpu: 1e14 to 3e15 FLOP",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the two tables (default: _build/measured-PLAN)"
    )
    parser.add_argument(
        "--corpus",
        type=Path,
        default=ROOT / "_build" / "corpus",
        help="folder of the packages, filled by pip when it is empty (default: _build/corpus)",
    )
    parser.add_argument(
        "--minutes", type=float, help="start no run after so many minutes (default: no limit)"
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="EXPERIMENT",
        help="only runs of this kind: rate, isoflop, seed, unmatched, 'rate check', retuned or "
        "recheck; repeatable",
    )
    return parser


def text(plan: str, folder: Path) -> corpus.Corpus:
    """What the plan trains on."""
    if plan == "smoke":
        return corpus.split(corpus.library_sources())
    return corpus.split(corpus.wheel_sources(corpus.fetch(folder)))


def revision() -> str:
    """Commit of the code, or "none" outside a checkout."""
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return asked.stdout.strip() or "none"


def sweep(plan: Plan, table: Table, words: corpus.Corpus, allowed: Callable[[Run], bool]) -> None:
    """Train what the table lacks, in the order of the plan."""
    version, first = revision(), plan.rate_runs()
    later = plan.runs(lambda params: 1.0) + plan.retuned_runs(lambda params, tokens: 1.0)
    total = sum(run.budget for run in first + later if allowed(run))
    with tqdm(total=total, unit="FLOP", unit_scale=True, smoothing=0.02) as bar:

        def each(runs: list[Run]) -> None:
            done = table.done()
            for run in filter(allowed, runs):
                share = run.budget / run.steps
                if run.name in done:
                    # Done before, so it says nothing of today's speed.
                    bar.total -= run.budget
                    bar.refresh()
                    continue
                bar.set_description(run.name)
                begun = time.perf_counter()
                row, curve = train(
                    run, words, lambda n, share=share: bar.update(min(n * share, bar.total - bar.n))
                )
                seconds = round(time.perf_counter() - begun, 1)
                where = {"corpus": words.digest[:16], "hardware": device(), "revision": version}
                table.add(row | where | {"seconds": seconds}, curve)

        each(first)
        each(plan.runs(RateRule(table.rows)))
        if (table.rows.experiment == "rate check").any():
            each(plan.retuned_runs(RateRule(table.rows, length=True)))


def report(rows: pd.DataFrame) -> str:
    """The rules of the rate, and the fits of approaches 2 and 3, in lines."""
    rule, runs = RateRule(rows), profiles(rows)
    said = [f"learning rate {rule.a:.3g} N^{rule.b:.3f}"]
    if (rows.experiment == "retuned").any():
        rule = RateRule(rows, length=True)
        said.append(f"with length {rule.a:.3g} N^{rule.b:.3f} D^{rule.c:.3f}")
    for name, fit in (
        ("approach 2", lambda: f"N ~ C^{sl.fit_isoflop(runs, budget='budget_flops').a:.3f}"),
        ("approach 3", lambda: str(sl.fit_chinchilla(runs).law)),
    ):
        try:
            said.append(f"{name}: {fit()}")
        except sl.FitError as error:
            said.append(f"{name}: {error}")
    return "\n".join(said)


def main() -> int:
    """Run the sweep and print what it gives."""
    given = arguments().parse_args()
    plan, begun = PLANS[given.plan], time.monotonic()
    table = Table(given.out or ROOT / "_build" / f"measured-{given.plan}")

    def allowed(run: Run) -> bool:
        late = given.minutes is not None and time.monotonic() - begun > 60 * given.minutes
        return not late and (given.only is None or run.experiment in given.only)

    sweep(plan, table, text(given.plan, given.corpus), allowed)
    print(f"{len(table.rows)} runs in {os.path.relpath(table.folder)}")
    print(report(table.rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
