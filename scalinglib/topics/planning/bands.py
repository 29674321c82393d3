"""Laws refitted to the runs behind them, drawn again, for the bands of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.catalogue import PLANNING, catalogue
from scalinglib.datasets import load
from scalinglib.fit.bootstrap import bootstrap
from scalinglib.fit.line import fit_line
from scalinglib.isoflop import Frontier, fit_isoflop, model_sizes
from scalinglib.laws import JointLaw, SolvableLaw, fit_chinchilla, fit_joint, fit_solvable

ALL: Final = catalogue(planning=False)

KNOWN: Final = ALL[ALL.law.isin([*PLANNING, "DataConstrainedLaw"])]
"""The laws that can plan, that of repeated text among them."""

BANDED: Final = tuple(KNOWN.index[KNOWN.band.isna()])
"""Laws whose runs are here and enough to be drawn again."""

DRAWS: Final = 200
"""Refits to resampled runs behind a band."""

LEVEL: Final = (0.05, 0.95)
"""Ends of a band: nine in ten refits lie inside."""

FITS: Final[dict[str, Callable[..., Any]]] = {
    "sum": fit_chinchilla,
    "interaction": fit_joint,
    "outer exponent": partial(fit_joint, form="outer"),
    "solvable": fit_solvable,
}
"""How a law of each form is fitted."""


def form_of(law: Any) -> str:
    """Which of `FITS` makes a law of this kind, or "frontier"."""
    if isinstance(law, JointLaw):
        return "interaction" if law.g else "outer exponent"
    if isinstance(law, Frontier):
        return "frontier"
    return "solvable" if isinstance(law, SolvableLaw) else "sum"


def _runs(place: str) -> tuple[pd.DataFrame, Any]:
    """The rows of a table, or of a part of it, and which of them share their luck."""
    name, *part = place.split("/")
    runs = load(name)
    if name == "chinchilla_runs":
        runs = runs[~runs.excluded]
        return runs, model_sizes(runs.params)
    if name == "isoflop_runs":
        runs = runs[runs.experiment == part[0]]
        return runs, runs.budget_flops
    if name == "corpora_isoflops":
        runs = runs[~runs.flagged & (runs.corpus == part[0])].rename(
            columns={"loss_paloma": "loss"}
        )
    elif name == "repeated_data_runs":
        runs = runs[runs.tokens <= runs.unique_tokens]
    elif name == "olmo_ladder_runs":
        runs = runs.assign(loss=runs[f"loss_{part[0]}"])
    elif name == "porian2024_optima":
        setup = dict(zip(("hparams", "warmup", "decay", "param_count", "val"), part, strict=True))
        runs = runs[(runs[list(setup)] == pd.Series(setup)).all(axis=1)].dropna(subset="params")
    return runs, runs.params


@cache
def refit(place: str, form: str) -> Any:
    """A law of a form, fitted with its defaults to the runs of a place of ``data/laws.csv``."""
    runs, _ = _runs(place)
    if form == "frontier":
        return fit_isoflop(runs, along="tokens" if place.endswith("llama3") else "params")
    return FITS[form](runs)


def draws(key: str) -> tuple[Any, ...]:
    """The law in `DRAWS` refits to resampled runs; none where a plan has no band."""
    if key not in BANDED:
        return ()
    return _draws(str(KNOWN.runs[key]), form_of(published.law(key)))


@cache
def _draws(place: str, form: str) -> tuple[Any, ...]:
    """Whole clusters are drawn; a frontier draws within its budgets, or its optima move."""
    runs, clusters = _runs(place)
    if place.startswith("porian2024_optima"):
        return tuple(_lines(runs))
    fit = refit(place, form)
    if form == "frontier":
        table = fit.resample(DRAWS, seed=0)[["a", "b", "k_N", "k_D"]].dropna()
        return tuple(Frontier(*row) for row in _short(table))
    table = bootstrap(fit, n=DRAWS, seed=0, clusters=clusters).params
    return tuple(fit.rebuild(row) for row in _short(table))


def _short(table: pd.DataFrame) -> Iterable[np.ndarray[Any, Any]]:
    """Rows at six digits, so that a page can carry them."""
    return np.asarray(table.map(lambda value: float(f"{value:.6g}")).to_numpy())


def _lines(optima: pd.DataFrame) -> Iterable[Frontier]:
    """The weighted line through optima that move by their standard deviations."""
    x, y, sd = np.log(optima.flops), np.log(optima.params), optima.log_params_sd.to_numpy()
    moved = y.to_numpy() + sd * np.random.default_rng(0).standard_normal((DRAWS, len(y)))
    rows = [(line.slope, np.exp(line.intercept))
            for line in (fit_line(x.to_numpy(), one, sd) for one in moved)]  # fmt: skip
    for a, k_N in _short(pd.DataFrame(rows)):
        yield Frontier(a=float(a), b=1 - float(a), k_N=float(k_N), k_D=1 / (6 * float(k_N)))
