"""Measure speed as ratios within one run; ``--store`` writes data/benchmarks.csv."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd

import scalinglib as sl
from benchmarks import competitors
from benchmarks.growth import growth, losses, memory
from benchmarks.measure import Contest, Row, race
from benchmarks.store import store
from scalinglib.fit.newton import minimise
from scalinglib.fit.profile import profile

RESAMPLES, TIMED_RESAMPLES, TIMED_STARTS, LEVEL = 4000, 60, 60, 0.95
BATCHED_DELTAS = (0.3, 0.05, 0.01)
"""Wide Huber thresholds that the batched grid passes through."""


def contests(runs: pd.DataFrame) -> list[Contest]:
    """What is measured, against what."""
    fit = sl.fit_chinchilla(runs)
    logs = competitors.Logs.of(runs)
    return [*_bootstraps(fit, logs), *_global_fits(runs, fit, logs), _profiles(runs, logs)]


def _bootstraps(fit: sl.Fit[Any], logs: competitors.Logs) -> list[Contest]:
    draws = np.random.default_rng(0).integers(0, fit.n_runs, size=(RESAMPLES, fit.n_runs))
    best = sl.bootstrap(fit, resamples=draws).objectives

    def part(repetition: int) -> slice:
        start = repetition * TIMED_RESAMPLES % (RESAMPLES - TIMED_RESAMPLES)
        return slice(start, start + TIMED_RESAMPLES)

    loops = {
        "least_squares": competitors.least_squares_loop,
        "BFGS": competitors.bfgs_loop,
    }
    return [
        Contest(
            f"bootstrap, {RESAMPLES:,} resamples",
            f"scipy {name} loop, {'tuned' if tuned else 'plain'}",
            lambda: sl.bootstrap(fit, resamples=draws),
            lambda k, loop=loop, tuned=tuned: (
                loop(logs, fit.law, draws[part(k)], tuned=tuned) / best[part(k)] - 1
            ),
            parts=RESAMPLES / TIMED_RESAMPLES,
        )
        for name, loop in loops.items()
        for tuned in (False, True)
    ]


def _global_fits(runs: pd.DataFrame, fit: sl.Fit[Any], logs: competitors.Logs) -> list[Contest]:
    starts = competitors.STARTS

    def chosen(repetition: int) -> Any:
        return np.random.default_rng(repetition).choice(len(starts), TIMED_STARTS, replace=False)

    grids = [
        Contest(
            "best of many starts",
            f"{len(starts):,} L-BFGS-B starts, {gradient}",
            lambda: sl.fit_chinchilla(runs),
            lambda k, gradient=gradient: (
                competitors.grid_of_starts(logs, starts[chosen(k)], gradient) / fit.objective - 1
            ),
            parts=len(starts) / TIMED_STARTS,
        )
        for gradient in ("numerical", "plain", "tuned")
    ]
    batched = Contest(
        "best of many starts",
        f"{len(starts):,} starts in one batch",
        lambda: sl.fit_chinchilla(runs),
        lambda _: batched_starts(fit, starts) / fit.objective - 1,
    )
    return [*grids, batched]


def batched_starts(fit: sl.Fit[Any], starts: competitors.Floats) -> competitors.Floats:
    """Objectives from all the starts of the grid, solved together by this package's engine."""
    a, b, e, alpha, beta = starts.T
    u, v = fit.model.centre
    problem = fit.model.problem
    theta = np.stack([a - alpha * u, b - beta * v, e, alpha, beta])
    for delta in BATCHED_DELTAS:
        theta = minimise(replace(problem, delta=delta), theta, iterations=25).theta
    return minimise(problem, theta, iterations=150).objective


def _profiles(runs: pd.DataFrame, logs: competitors.Logs) -> Contest:
    fit = sl.fit_chinchilla(runs, loss="l2")
    names = ("A", "B", "E", "alpha", "beta")

    def ours() -> competitors.Floats:
        ends = np.array([profile(fit, name, level=LEVEL).interval for name in names])
        return np.concatenate([np.log(ends[:3]), ends[3:]])

    reference = ours()

    def theirs(_: int) -> Any:
        found = competitors.lmfit_intervals(logs, fit.law, LEVEL)
        ends = np.array([found[name] for name in names], dtype=float)
        return np.abs(ends - reference) / np.ptp(reference, axis=1)[:, None]

    return Contest("five profile intervals", "lmfit.conf_interval", ours, theirs, close=1e-3)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and store if asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--store", action="store_true", help="write data/benchmarks.csv")
    parser.add_argument("-r", "--repetitions", type=int, default=5)
    options = parser.parse_args(arguments)
    runs = sl.load("chinchilla_runs")
    runs = runs[~runs.excluded]
    fit = sl.fit_chinchilla(runs)
    print(
        f"Processor time of one thread; medians of {options.repetitions} interleaved repetitions "
        f"[lowest, highest].\nOf each scipy loop {TIMED_RESAMPLES} resamples or {TIMED_STARTS} "
        "starts are timed and extrapolated linearly.\nreached: share of the competitor's answers "
        "within 1e-6 of the optimum (interval ends: within 1e-3 of the width).\n"
    )
    rows: list[Row] = []
    for group in (
        lambda: race(contests(runs), options.repetitions),
        lambda: growth(fit, min(3, options.repetitions)),
        lambda: losses(runs, RESAMPLES, options.repetitions),
        lambda: memory(fit, RESAMPLES, options.repetitions),
    ):
        rows += (new := group())
        print("\n".join(map(str, new)), flush=True)
    if options.store:
        store("benchmarks", pd.DataFrame([asdict(row) for row in rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
