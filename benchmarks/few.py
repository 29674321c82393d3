"""How often percentile and profile intervals hold the truth with few runs, and beyond the runs.

Curves of one variable span three decades: a line, a curve whose floor is held, and one whose floor
is fitted. Runs of the Chinchilla law lie anywhere in the plane. Each table is fitted, and two
intervals are set beside each other: percentiles of a bootstrap, and `scalinglib.profile` for a
least-squares fit. They are for the constants, for the law at the largest run and one and two
decades of compute beyond it, and for one new run at these places.

`benchmarks.coverage` runs this study and stores it in ``data/coverage_few.csv``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib.checks import Floats

Ends = tuple[float, float]

Form = Literal["line", "held floor", "free floor", "plane", "plane, Huber"]
CURVES: tuple[Form, ...] = ("line", "held floor", "free floor")
PLANES: tuple[Form, ...] = ("plane", "plane, Huber")
POINTS, RUNS = (3, 5, 8, 12, 20, 40), (9, 12, 20, 40)
NOISE, DECADES = (0.01, 0.05), (0, 1, 2)
TABLES, RESAMPLES, LEVEL = 100, 400, 0.95

LINE, FLOOR = sl.PowerLaw(A=20.0, alpha=0.05), sl.PowerLaw(A=400.0, alpha=0.14, E=1.6)
LAW = sl.ChinchillaLaw(E=1.82, A=478.0, B=2143.0, alpha=0.347, beta=0.367)
BUDGETS, PARAMS, TOKENS = (1e18, 1e21), (5e7, 1e10), (1e9, 3e11)


def cells() -> Iterator[tuple[Form, int, float]]:
    """Every form with its numbers of points and its noises.

    Three points fit no floor. The intervals of a line grow with the noise and keep their coverage.
    """
    for form in (*CURVES, *PLANES):
        for points in POINTS if form in CURVES else RUNS:
            for noise in NOISE[:1] if form == "line" else NOISE:
                if form != "free floor" or points > 3:
                    yield form, points, noise


def draw(form: Form, points: int, noise: float, number: int) -> tuple[sl.Fit[Any], Any, Floats]:
    """The fit to one table, the law it came from, and scatter of one new run in log loss."""
    generator = np.random.default_rng([len(form), points, round(1e4 * noise), number])
    scatter = noise * generator.standard_normal(points + 1)
    if form in CURVES:
        law = LINE if form == "line" else FLOOR
        C = np.geomspace(*BUDGETS, points)
        y = law.loss(C) * np.exp(scatter[1:])
        fixed = {"E": FLOOR.E} if form == "held floor" else None
        return sl.fit_power_law(C, y, offset=form != "line", fixed=fixed), law, scatter[0]
    N, D = (np.exp(generator.uniform(*np.log(span), points)) for span in (PARAMS, TOKENS))
    runs = pd.DataFrame({"params": N, "tokens": D, "loss": LAW.loss(N, D) * np.exp(scatter[1:])})
    return sl.fit_chinchilla(runs, loss="l2" if form == "plane" else "huber"), LAW, scatter[0]


def intervals(
    form: Form, points: int, noise: float, number: int
) -> Iterator[tuple[str, int | None, str, float, Ends, bool]]:
    """Target, decades beyond, interval, truth, ends, and whether the bootstrap warned."""
    fit, law, scatter = draw(form, points, noise, number)
    boot = sl.bootstrap(fit, n=RESAMPLES, seed=number)
    warned, squares = len(boot.warnings) > len(fit.warnings), fit.loss == "l2"
    for name in ("alpha", "E"):
        if name not in fit.held:
            truth = getattr(law, name)
            yield name, None, "percentile", truth, boot.interval(name, level=LEVEL), warned
            if squares:
                found = sl.profile(fit, name, level=LEVEL)
                yield name, None, "profile", truth, found.interval, warned
    last = BUDGETS[1:] if form in CURVES else (PARAMS[1], TOKENS[1])
    for target, kind in (("law", "confidence"), ("run", "predictive")):
        for decades in DECADES:
            at = [value * 10 ** (decades / len(last)) for value in last]
            truth = float(law.loss(*at)) * float(np.exp(scatter if target == "run" else 0.0))
            band = boot.band(*at, level=LEVEL, kind=kind, seed=number).iloc[0]  # type: ignore[arg-type]
            yield target, decades, "percentile", truth, (band.low, band.high), warned
            if squares:
                found = sl.profile(fit, at=at, kind=kind, level=LEVEL)  # type: ignore[arg-type]
                yield target, decades, "profile", truth, found.interval, warned


def few_cell(
    form: Form, points: int, noise: float, *, tables: Iterable[int] | None = None
) -> pd.DataFrame:
    """Study one form, number of points and noise, on the tables of these numbers, all if left out.

    One row per target and interval: ``coverage``; ``width``, the median width, of a prediction
    that of its logarithm; and ``warned``, the share of bootstraps that added a warning of their
    own. A table that is refused counts in none of them.
    """
    numbers = range(TABLES) if tables is None else tables
    found = pd.DataFrame(
        [
            (target, decades, kind, low <= truth <= high, _width(target, low, high), warned)
            for number in numbers
            for target, decades, kind, truth, (low, high), warned in _attempt(
                form, points, noise, number
            )
        ],
        columns=["target", "decades", "interval", "coverage", "width", "warned"],
    )
    keys = ["target", "decades", "interval"]
    by = found.groupby(keys, sort=False, dropna=False)
    table = by.agg(
        coverage=("coverage", "mean"),
        width=("width", "median"),
        warned=("warned", "mean"),
        tables=("width", "size"),
    ).reset_index()
    table["decades"] = table.decades.astype("Int64")
    table["width"] = table.width.where(np.isfinite(table.width))
    table.insert(0, "noise", noise)
    table.insert(0, "points", points)
    table.insert(0, "form", form)
    return table.assign(resamples=RESAMPLES)


def _attempt(form: Form, points: int, noise: float, number: int) -> list[tuple[Any, ...]]:
    """The intervals of one table, none if it is refused."""
    try:
        return list(intervals(form, points, noise, number))
    except sl.FitError:
        return []


def study_few() -> pd.DataFrame:
    """Study every cell, telling how far it is."""
    parts = []
    for form, points, noise in cells():
        parts.append(few_cell(form, points, noise))
        worst = parts[-1].groupby("interval").coverage.min()
        shares = "  ".join(f"{name} {share:.2f}" for name, share in worst.items())
        print(f"{form:12} {points:3d} points, noise {noise:.2f}, lowest:  {shares}", flush=True)
    return pd.concat(parts, ignore_index=True)


def _width(target: str, low: float, high: float) -> float:
    """Width of an interval; a resample that predicts no number leaves none."""
    if target in ("law", "run"):
        return float(np.log(high / low)) if low > 0 else np.inf
    return high - low
