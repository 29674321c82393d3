"""How often clean tables are warned of, and troubled ones are not.

Tables are drawn from known laws on three designs. A clean one should be fitted without a word. One
with a run 10 % off, a run that stopped early, tokens nearly proportional to parameters, or sizes
nearly equal should get a warning or a refusal.

``python -m benchmarks.alarms`` prints all of it in ten minutes, and ``--store`` keeps it as
``data/alarms.csv``; ``--tables`` says how many tables a cell.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

import scalinglib as sl
from benchmarks.store import store
from scalinglib.checks import Floats

LAWS = (
    sl.ChinchillaLaw(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367),
    sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28),
)
PARAMS, TOKENS = (5e7, 1e10), (1e9, 3e11)
DESIGNS, RUNS, NOISE = (
    ("random", "grid", "isoflop"),
    (7, 9, 12, 20, 40, 100, 240),
    (1e-3, 0.01, 0.03),
)
TROUBLES = ("outlier", "unfinished", "ray", "size")

FEWEST = 12
"""Fewer runs than this are not asked to show a trouble: their fit leaves too little over."""


def sizes(design: str, n: int, generator: np.random.Generator) -> tuple[Floats, Floats]:
    """Parameters and tokens of `n` runs: log-uniform, on a grid, or on budgets."""
    if design == "random":
        spans = np.log([PARAMS, TOKENS])
        N, D = np.exp([generator.uniform(low, high, n) for low, high in spans])
        return N, D
    rows = int(np.clip(round(np.sqrt(n)), 3, 9))
    columns = -(-n // rows)
    if design == "grid":
        N, D = np.meshgrid(np.geomspace(*PARAMS, rows), np.geomspace(*TOKENS, columns))
        kept = np.sort(generator.choice(N.size, n, replace=False), kind="stable")
        return N.ravel()[kept], D.ravel()[kept]
    C = np.repeat(np.geomspace(6e18, 2e21, rows), columns)[:n]
    ratio = np.tile(np.geomspace(3.0, 200.0, columns), rows)[:n]
    N = np.sqrt(C / 6 / ratio)
    return N, ratio * N


def table(design: str, n: int, noise: float, number: int, trouble: str = "") -> pd.DataFrame:
    """Draw one table; the same arguments always give the same one."""
    generator = np.random.default_rng([n, round(1e4 * noise), number, len(design + trouble)])
    law, (N, D) = LAWS[number % 2], sizes(design, n, generator)
    if trouble == "ray":
        D = 20 * N * np.exp(generator.uniform(0, 0.1) * generator.standard_normal(n))
    if trouble == "size":
        N = 2e9 * np.exp(generator.uniform(0, 0.1) * generator.uniform(-0.5, 0.5, n))
    loss = law.loss(N, D) * np.exp(noise * generator.standard_normal(n))
    one = generator.integers(n)
    if trouble == "outlier":
        loss[one] *= generator.choice([1.1, 1 / 1.1])
    if trouble == "unfinished":
        loss[one] *= law.loss(N[one], 0.1 * D[one]) / law.loss(N[one], D[one])
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss})


def told(runs: pd.DataFrame, fit: Callable[[pd.DataFrame], Any] = sl.fit_chinchilla) -> bool:
    """Whether a fit warns, or refuses."""
    try:
        return bool(fit(runs).warnings)
    except sl.FitError:
        return True


def alarms(n: int, trouble: str = "", *, tables: int = 40) -> pd.DataFrame:
    """Share of tables of `n` runs that get a word, by noise and design."""
    # A run 10 % off is no outlier at 3 % noise.
    noises = NOISE[:2] if trouble in ("outlier", "unfinished") else NOISE
    return pd.DataFrame(
        [(trouble or "clean", n, noise, design, tables,
          np.mean([told(table(design, n, noise, k, trouble)) for k in range(tables)]))
         for noise in noises for design in DESIGNS],
        columns=["trouble", "runs", "noise", "design", "tables", "warned"],
    )  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alarms", description=__doc__)
    parser.add_argument("--tables", type=int, default=40, help="tables a cell")
    parser.add_argument("--store", action="store_true", help="write data/alarms.csv")
    options = parser.parse_args(arguments)
    parts = []
    for trouble in ("", *TROUBLES):
        for n in RUNS if not trouble else [n for n in RUNS if n >= FEWEST]:
            parts.append(alarms(n, trouble, tables=options.tables))
            by_noise = (100 * parts[-1].groupby("noise").warned.mean()).round(1)
            print(
                f"{trouble or 'clean':10} {n:4d} runs: % by noise {by_noise.to_dict()}", flush=True
            )
    if options.store:
        store("alarms", pd.concat(parts, ignore_index=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
