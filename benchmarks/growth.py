"""How time grows with runs and resamples, and how much memory a bootstrap adds."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd

import scalinglib as sl
from benchmarks.coverage import dataset
from benchmarks.measure import Row, cpu_time

SIZES = (100, 1_000, 10_000, 100_000)
LOSSES: tuple[Literal["huber", "l2", "lad"], ...] = ("huber", "l2", "lad")
FIT_SIZES = (*SIZES, 300_000, 1_000_000)

# Linux tells a process its own peak and present size; the peak that getrusage gives there may be
# inherited from the program that launched it.
MEMORY = """
import pathlib, pickle, re, resource, sys

def size(name):
    status = pathlib.Path("/proc/self/status")
    if status.exists():
        return 1024 * int(re.search(name + r":\\s+(\\d+)", status.read_text())[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

task, given = pickle.load(sys.stdin.buffer)
before = size("VmRSS")
task(*given)
print((size("VmHWM") - before) / 1e6)
"""


def growth(fit: sl.Fit[Any], repetitions: int) -> list[Row]:
    """Times relative to that of the smallest size in the same repetition.

    Runs are simulated, with 1 % noise; resamples are of the fit that is given.
    """
    tables = {n: dataset(n, 0.01, 0) for n in FIT_SIZES}
    fits: dict[int, sl.Fit[Any]] = {}

    def fit_runs(n: int) -> None:
        fits[n] = sl.fit_chinchilla(tables[n])

    return [
        *_series("global fit", "runs", fit_runs, repetitions, FIT_SIZES),
        *_series("100 resamples", "runs", lambda n: sl.bootstrap(fits[n], n=100), repetitions),
        *_series("240 runs", "resamples", lambda n: sl.bootstrap(fit, n=n), repetitions),
    ]


def _series(
    task: str,
    what: str,
    call: Callable[[int], object],
    repetitions: int,
    sizes: tuple[int, ...] = SIZES,
) -> list[Row]:
    times: dict[int, list[float]] = {n: [] for n in sizes}
    for _ in range(repetitions):
        for n in sizes:
            times[n].append(cpu_time(lambda: call(n))[0])  # noqa: B023
    rows = []
    for n in sizes:
        relative = [t / first for t, first in zip(times[n], times[sizes[0]], strict=True)]
        rows.append(Row.of("growth", task, f"{what}, time at 100 is 1", "times", relative, at=n))
    return rows


def memory(fit: sl.Fit[Any], resamples: int, repetitions: int) -> list[Row]:
    """Peak memory that a bootstrap and a large fit add to a process, which has the data already."""
    task, against = f"bootstrap, {resamples:,} resamples", "added to the fit"
    large = dataset(FIT_SIZES[-1], 0.01, 0)
    return [
        Row.of("memory", task, against, "MB", _peak(sl.bootstrap, (fit, resamples), repetitions)),
        Row.of("memory", f"one fit, {FIT_SIZES[-1]:,} runs", "added to the runs", "MB",
               _peak(sl.fit_chinchilla, (large,), 1)),
    ]  # fmt: skip


def _peak(task: Callable[..., object], given: tuple[Any, ...], repetitions: int) -> list[float]:
    """Memory (MB) that a task adds to a fresh process at its peak."""
    return [
        float(
            subprocess.run(
                [sys.executable, "-c", MEMORY],
                input=pickle.dumps((task, given)),
                capture_output=True,
                check=True,
                cwd=Path(__file__).resolve().parents[1],
            ).stdout
        )
        for _ in range(repetitions)
    ]


def losses(runs: pd.DataFrame, resamples: int, repetitions: int) -> list[Row]:
    """Time of a bootstrap under other losses, relative to that under Huber's."""
    fits = {loss: sl.fit_chinchilla(runs, loss=loss) for loss in LOSSES}
    times: dict[str, list[float]] = {loss: [] for loss in LOSSES}
    for _ in range(repetitions):
        for loss, fit in fits.items():
            times[loss].append(cpu_time(lambda: sl.bootstrap(fit, n=resamples))[0])  # noqa: B023
    task = f"bootstrap, {resamples:,} resamples"
    return [
        Row.of("loss", f"{task}, {loss}", "the same with Huber's loss", "times",
               [t / first for t, first in zip(times[loss], times["huber"], strict=True)])
        for loss in LOSSES[1:]
    ]  # fmt: skip
