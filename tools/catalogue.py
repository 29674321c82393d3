"""Write the constants of the fits of this book into ``data/laws.csv``, beside the published ones.

``python -m tools.catalogue``, then ``make data``. They are stored so that a plan needs no fit; a
test makes each again and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.fit.line import fit_line
from scalinglib.laws import fit_overtraining
from scalinglib.topics import overtraining, reconciliation

TABLE = Path(__file__).resolve().parents[1] / "data" / "laws.csv"
Constants = Mapping[str, float]


def _frontier(fit: sl.FrontierFit) -> Constants:
    return {"k_N": fit.k_N, "a": fit.a, "k_D": fit.k_D, "b": fit.b}


def _hoffmann_1() -> Constants:
    optima = sl.load("chinchilla_table_optima")
    return _frontier(sl.fit_frontier(optima[(optima.approach == 1) & (optima.table == "Table 3")]))


def _points(experiment: str, along: str) -> Constants:
    points = sl.load("isoflop_runs")
    found = sl.fit_isoflop(points[points.experiment == experiment], along=along)  # type: ignore[arg-type]
    return _frontier(found)


def _gadre(corpus: str) -> Constants:
    """Four small shapes at one ratio, and the smallest at a second: the authors' choice."""
    runs = sl.load("overtrained_runs")
    runs = runs[runs.corpus.map(overtraining.CORPORA) == corpus]
    low, high = published.row("gadre2024/fit ratio")
    chosen = runs.model.isin(overtraining.SMALL) & (runs.tokens_per_param == low)
    chosen |= (runs.model == overtraining.SMALL[0]) & (runs.tokens_per_param == high)
    law = fit_overtraining(runs[chosen].assign(loss=runs.loss_c4)).law
    return {field.name: getattr(law, field.name) for field in fields(law) if field.name != "source"}


def _porian(step: str) -> Constants:
    """The authors' weighted line; they know tokens only from 6ND = C."""
    optima = sl.load("porian2024_optima").dropna(subset="params")
    setup = reconciliation.STEPS[step]
    of = optima[np.logical_and.reduce([optima[name] == one for name, one in setup.items()])]
    line = fit_line(
        np.log(of.flops.to_numpy()), np.log(of.params.to_numpy()), of.log_params_sd.to_numpy()
    )
    return {"k_N": float(np.exp(line.intercept)), "a": line.slope}


def _ladder(corpus: str) -> Constants:
    runs = sl.load("olmo_ladder_runs")
    law = asdict(sl.fit_chinchilla(runs.assign(loss=runs[f"loss_{corpus}"])).law)
    return {name: law[name] for name in ("E", "A", "B", "alpha", "beta")}


def _nanochat() -> Constants:
    log = sl.load("nanochat_optima")
    return _frontier(
        sl.fit_frontier(log[log.counted == "projections_and_head"], budget="budget_flops")
    )


def _marin(corpus: str) -> Constants:
    table = sl.load("corpora_isoflops")
    runs = table[~table.flagged & (table.corpus == corpus)].rename(columns={"loss_paloma": "loss"})
    return _frontier(sl.fit_isoflop(runs))


FITS: Final[dict[str, Callable[[], Constants]]] = {
    "hoffmann2022/approach 1": _hoffmann_1,
    "hoffmann2022/approach 2": partial(_points, "chinchilla", "params"),
    "grattafiori2024/points": partial(_points, "llama3", "tokens"),
    **{f"gadre2024/{name}": partial(_gadre, name) for name in ("C4", "RedPajama", "RefinedWeb")},
    "porian2024/tuned": partial(_porian, "optimiser tuned"),
    "porian2024/Kaplan reproduced": partial(_porian, "Kaplan reproduced"),
    "bhagia2024/pile": partial(_ladder, "pile"),
    "bhagia2024/c4": partial(_ladder, "c4"),
    "karpathy2026/sweep": _nanochat,
    **{f"openathena2026/{name}": partial(_marin, name) for name in ("comma", "dclm", "nemotron")},
}
"""A function for each row whose constants are ours."""


def written(constants: Constants) -> str:
    """Constants as the table writes them, at 7 significant digits."""
    return " ".join(f"{name}={value:.7g}" for name, value in constants.items())


def main() -> int:
    """Fit each again and store its constants."""
    table = pd.read_csv(TABLE, dtype=str, keep_default_na=False)
    for key, fit in FITS.items():
        table.loc[table.key == key, "constants"] = written(fit())
        print(f"{key}: {written(fit())}")
    table.to_csv(TABLE, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
