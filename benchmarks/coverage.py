"""How often a nominal 95 % bootstrap interval holds the truth, by runs, noise and loss.

Runs are drawn from a known law: sizes and tokens evenly spread in the logarithm over the ranges
of the Chinchilla study, losses with log-normal noise. Each data set is fitted and bootstrapped,
and its percentile intervals either hold the law's own value or do not. Both losses see the same
data sets.

A second study draws tables whose errors hang together, by model size, by budget or along a training
curve, and sets the interval that ignores it beside the one that draws whole clusters.

A third, `benchmarks.few`, is of few runs and of predictions beyond them.

``python -m benchmarks.coverage`` prints the tables; ``--store`` also writes ``data/coverage.csv``,
``data/coverage_clusters.csv`` and ``data/coverage_few.csv``; ``--only`` does one of the three.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd

import scalinglib as sl
from benchmarks.few import study_few
from benchmarks.store import store
from scalinglib.checks import Floats

TRUTH = sl.ChinchillaLaw(E=1.8172, A=477.83, B=2143.4, alpha=0.3473, beta=0.3672)
PARAMS, TOKENS = (5e7, 1e10), (1e9, 3e11)
RUNS, NOISE = (12, 25, 60, 240), (0.01, 0.05)
LOSSES: tuple[Literal["huber", "l2"], ...] = ("huber", "l2")
DATASETS, RESAMPLES, LEVEL = 150, 400, 0.95
STATISTICS = ("alpha", "beta", "E", "a")

Dependence = Literal["none", "size", "budget", "curve"]
DEPENDENCE: tuple[Dependence, ...] = ("none", "size", "budget", "curve")
CLUSTERS, INTERVALS = (6, 8, 20, 40), ("plain", "cluster")
TABLES, SPREAD = 200, 0.01
SHARE, PER_CLUSTER = 0.8, 5
"""Share of the variance that the runs of one size or budget have in common; how many there are."""
CHECKPOINTS, CORRELATION = 40, 0.9
"""Points along a training curve, and the correlation of the errors of two neighbours."""
BUDGETS, RATIOS = (6e18, 3e21), (5.0, 100.0)


def dataset(runs: int, noise: float, number: int) -> pd.DataFrame:
    """Draw one data set; the same arguments always give the same one."""
    generator = np.random.default_rng([runs, round(1e4 * noise), number])
    N, D = (np.exp(generator.uniform(*np.log(span), size=runs)) for span in (PARAMS, TOKENS))
    loss = TRUTH.loss(N, D) * np.exp(noise * generator.standard_normal(runs))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss})


def cell(
    runs: int, noise: float, loss: Literal["huber", "l2"], *, datasets: Iterable[int] | None = None
) -> pd.DataFrame:
    """Study one combination of runs, noise and loss.

    Parameters
    ----------
    runs : int
        Runs per data set.
    noise : float
        Standard deviation of the log loss.
    loss : {"huber", "l2"}
        What the fit minimises.
    datasets : iterable of int, optional
        Numbers of the data sets; the first 150 when left out.

    Returns
    -------
    DataFrame
        One row per statistic: ``coverage``, the share of intervals that held the truth;
        ``width``, their median width; ``warned``, the share of bootstraps that added a warning
        of their own to those of the fit; and the arguments.
    """
    held, widths, warned = [], [], []
    for number in range(DATASETS) if datasets is None else datasets:
        fit = sl.fit_chinchilla(dataset(runs, noise, number), loss=loss)
        boot = sl.bootstrap(fit, n=RESAMPLES, seed=number)
        ends = [_interval(boot, name) for name in STATISTICS]
        truth = [getattr(TRUTH, name) for name in STATISTICS]
        held.append([low <= value <= high for (low, high), value in zip(ends, truth, strict=True)])
        widths.append([high - low for low, high in ends])
        warned.append(len(boot.warnings) > len(fit.warnings))
    return pd.DataFrame(
        {
            "runs": runs,
            "noise": noise,
            "loss": loss,
            "statistic": STATISTICS,
            "coverage": np.mean(held, axis=0),
            "width": np.median(widths, axis=0),
            "warned": np.mean(warned),
            "datasets": len(held),
            "resamples": RESAMPLES,
        }
    )


def grouped(dependence: Dependence, clusters: int, number: int) -> pd.DataFrame:
    """Draw one table whose errors hang together within clusters, with the labels of these.

    Sizes are evenly spread in the logarithm, and so are budgets. Each size is trained on
    `PER_CLUSTER` random numbers of tokens ("size", and "none" without a shared error); each budget
    is spent on as many sizes about its optimum ("budget"); or each size is one training run with
    checkpoints at equal distances ("curve"). The standard deviation of the log loss is `SPREAD`.
    """
    generator = np.random.default_rng([DEPENDENCE.index(dependence), clusters, number])
    per = CHECKPOINTS if dependence == "curve" else PER_CLUSTER
    N = np.repeat(np.geomspace(*PARAMS, clusters), per).reshape(clusters, per)
    if dependence == "budget":
        C = np.geomspace(*BUDGETS, clusters)[:, None]
        N = TRUTH.G * (C / 6) ** TRUTH.a * np.geomspace(1 / 4, 4, per)
        D = C / (6 * N)
    elif dependence == "curve":
        ratio = np.exp(generator.uniform(*np.log(RATIOS), size=(clusters, 1)))
        D = ratio * N * np.arange(1, per + 1) / per
    else:
        D = np.exp(generator.uniform(*np.log(TOKENS), size=N.shape))
    fresh = generator.standard_normal((clusters, per))
    if dependence == "curve":
        error = _chained(fresh)
    else:
        share = 0.0 if dependence == "none" else SHARE
        common = generator.standard_normal((clusters, 1))
        error = np.sqrt(share) * common + np.sqrt(1 - share) * fresh
    loss = TRUTH.loss(N, D) * np.exp(SPREAD * error)
    labels = np.repeat(np.arange(clusters), per)
    columns = {"params": N.ravel(), "tokens": D.ravel(), "loss": loss.ravel(), "cluster": labels}
    return pd.DataFrame(columns)


def grouped_cell(
    dependence: Dependence, clusters: int, *, tables: Iterable[int] | None = None
) -> pd.DataFrame:
    """Study one kind of dependence and number of clusters, fitted by least squares.

    `tables` holds the numbers of the tables, the first `TABLES` when left out. One row per interval
    ("plain", which draws single rows, or "cluster") and statistic, with the columns of `cell`.
    """
    truth = [getattr(TRUTH, name) for name in STATISTICS]
    ends: list[list[list[tuple[float, float]]]] = []
    for number in range(TABLES) if tables is None else tables:
        table = grouped(dependence, clusters, number)
        fit = sl.fit_chinchilla(table, loss="l2")
        boots = (
            sl.bootstrap(fit, n=RESAMPLES, seed=number),
            sl.bootstrap(fit, n=RESAMPLES, seed=number, clusters=table.cluster),
        )
        ends.append([[_interval(boot, name) for name in STATISTICS] for boot in boots])
    low, high = np.moveaxis(np.array(ends), -1, 0)
    held, width = ((low <= truth) & (truth <= high)).mean(axis=0), np.median(high - low, axis=0)
    return pd.DataFrame(
        {
            "dependence": dependence,
            "clusters": clusters,
            "rows": len(table),
            "interval": np.repeat(INTERVALS, len(STATISTICS)),
            "statistic": STATISTICS * len(INTERVALS),
            "coverage": held.ravel(),
            "width": width.ravel(),
            "tables": len(ends),
            "resamples": RESAMPLES,
        }
    )


def study_clusters() -> pd.DataFrame:
    """Study every kind of dependence and number of clusters, telling how far it is."""
    parts = []
    for dependence in DEPENDENCE:
        for clusters in CLUSTERS:
            parts.append(grouped_cell(dependence, clusters))
            for interval, part in parts[-1].groupby("interval", sort=False):
                shares = "  ".join(
                    f"{row.statistic} {row.coverage:.2f}" for row in part.itertuples()
                )
                print(f"{dependence:6} {clusters:3d} clusters, {interval:7}:  {shares}", flush=True)
    return pd.concat(parts, ignore_index=True)


def study() -> pd.DataFrame:
    """Study every combination, telling how far it is."""
    parts = []
    for runs in RUNS:
        for noise in NOISE:
            for loss in LOSSES:
                parts.append(cell(runs, noise, loss))
                print(_line(parts[-1]), flush=True)
    return pd.concat(parts, ignore_index=True)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.coverage", description=__doc__)
    parser.add_argument("--store", action="store_true", help="write the tables into data/")
    parser.add_argument("--only", choices=("runs", "clusters", "few"), help="do one study")
    options = parser.parse_args(arguments)
    studies = {
        "runs": ("coverage", study),
        "clusters": ("coverage_clusters", study_clusters),
        "few": ("coverage_few", study_few),
    }
    for name, (stored, run) in studies.items():
        if options.only in (None, name):
            table = run()
            if options.store:
                store(stored, table)
    return 0


def _chained(fresh: Floats) -> Floats:
    """Errors along each row that each keep `CORRELATION` of the one before, variance 1."""
    error = fresh.copy()
    for t in range(1, fresh.shape[1]):
        error[:, t] = CORRELATION * error[:, t - 1] + np.sqrt(1 - CORRELATION**2) * fresh[:, t]
    return error


def _interval(boot: sl.Bootstrap, name: str) -> tuple[float, float]:
    if name != "a":
        return boot.interval(name, level=LEVEL)
    alpha, beta = boot.params["alpha"], boot.params["beta"]
    low, high = np.quantile(beta / (alpha + beta), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _line(part: pd.DataFrame) -> str:
    first = part.iloc[0]
    shares = "  ".join(f"{row.statistic} {row.coverage:.2f}" for row in part.itertuples())
    return (
        f"{first.runs:4d} runs, noise {first.noise:.2f}, {first.loss:5}:  {shares}  "
        f"warned {first.warned:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
