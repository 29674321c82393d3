"""Write the constants of the fits of this book into ``data/laws.csv``, beside the published ones.

``python -m tools.catalogue``, then ``make data``. They are stored so that a plan needs no fit; a
test makes each again and compares.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import published
from scalinglib.fit.line import fit_line
from scalinglib.laws import fit_overtraining
from scalinglib.topics import overtraining, planning, reconciliation

TABLE = Path(__file__).resolve().parents[1] / "data" / "laws.csv"
Constants = Mapping[str, float]


def _frontier(fit: sl.FrontierFit) -> Constants:
    return {"k_N": fit.k_N, "a": fit.a, "k_D": fit.k_D, "b": fit.b}


def _hoffmann_1() -> Constants:
    optima = sl.load("chinchilla_table_optima")
    return _frontier(sl.fit_frontier(optima[(optima.approach == 1) & (optima.table == "Table 3")]))


def _again(place: str, form: str) -> Constants:
    """The fit behind the bands of the planner."""
    law = planning.refit(place, form)
    if form == "frontier":
        return _frontier(law)
    held = {"interaction": {"k"}, "outer exponent": {"g"}}.get(form, set())
    return {name: value for name, value in law.params.items() if name not in held}


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


def _nanochat() -> Constants:
    log = sl.load("nanochat_optima")
    return _frontier(
        sl.fit_frontier(log[log.counted == "projections_and_head"], budget="budget_flops")
    )


TABLES: Final = {
    "besiroglu2024/": "chinchilla_runs",
    "mcleish2025/": "gemstones_cooled",
    "muennighoff2023/": "repeated_data_runs",
    "bhagia2024/c4, ": "olmo_ladder_runs/c4",
}
"""Where the forms of the chapter on one law are fitted, beside a published sum."""

FITS: Final[dict[str, Callable[[], Constants]]] = {
    "hoffmann2022/approach 1": _hoffmann_1,
    "hoffmann2022/approach 2": partial(_again, "isoflop_runs/chinchilla", "frontier"),
    "grattafiori2024/points": partial(_again, "isoflop_runs/llama3", "frontier"),
    **{f"gadre2024/{name}": partial(_gadre, name) for name in ("C4", "RedPajama", "RefinedWeb")},
    "porian2024/tuned": partial(_porian, "optimiser tuned"),
    "porian2024/Kaplan reproduced": partial(_porian, "Kaplan reproduced"),
    **{f"bhagia2024/{one}": partial(_again, f"olmo_ladder_runs/{one}", "sum")
       for one in ("pile", "c4")},
    "karpathy2026/sweep": _nanochat,
    **{f"openathena2026/{name}": partial(_again, f"corpora_isoflops/{name}", "frontier")
       for name in ("comma", "dclm", "nemotron")},
    **{start + form: partial(_again, place, form) for start, place in TABLES.items()
       for form in ("interaction", "outer exponent", "solvable")},
}  # fmt: skip
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
