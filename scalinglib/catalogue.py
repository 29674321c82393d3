"""The catalogue: every fit that can plan, what each plans, and the rules for rate and batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib import published
from scalinglib.checks import Floats, positive
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.datasets import load
from scalinglib.errors import DataError
from scalinglib.isoflop import Frontier
from scalinglib.laws import DataConstrainedLaw, KaplanLaw, OvertrainingLaw
from scalinglib.laws.kaplan import ComputeSplit
from scalinglib.laws.precision import PrecisionLaw
from scalinglib.optimum import Allocation, compute_optimal, isoflop_curve, joint_optimum
from scalinglib.published import Reported

__all__ = ["Rule", "catalogue", "law", "plans", "printed_rules", "split", "statement"]

PLANNING = (
    "ChinchillaLaw", "ComputeSplit", "Frontier", "JointLaw", "KaplanLaw", "OvertrainingLaw",
    "PrecisionLaw", "SolvableLaw",
)  # fmt: skip
"""Families that say how to split a budget."""

FIRST = ("besiroglu2024/headline fit", "hoffmann2022/approach 3", "kaplan2020/joint")
"""The fit that a source alone stands for, where it is not the first of its rows."""


def catalogue(*, planning: bool = True) -> pd.DataFrame:
    """Every fit of ``data/laws.csv``, with what it counts and the runs behind it.

    Parameters
    ----------
    planning : bool, optional
        Only the fits that say how to split a budget between parameters and tokens.

    Returns
    -------
    DataFrame
        Indexed by key: name, family (``law``), quantity, constants as printed, what N ``counts``,
        corpus, vocabulary, least and most parameters, tokens (counts) and compute (FLOP) of its
        runs (NaN where unknown), unit of the loss, source, place, how it was read, and a note.

    Examples
    --------
    >>> laws = catalogue()
    >>> laws.loc["mcleish2025/cooled", ["law", "counts", "corpus"]].tolist()
    ['ChinchillaLaw', 'total', 'Dolma']
    """
    table = load("laws").set_index("key")
    return table[table.law.isin(PLANNING)] if planning else table


def law(key: str) -> Any:
    """The law of a published fit.

    Parameters
    ----------
    key : str
        A key of `catalogue`, such as ``"hoffmann2022/approach 3"``, or a source alone, such as
        ``"besiroglu2024"``, which stands for its main fit.

    Returns
    -------
    ChinchillaLaw, Frontier or another family
        With its address in ``source`` where the family keeps one.

    Raises
    ------
    DataError
        If there is no such fit; the message names the nearest keys.

    Examples
    --------
    >>> law("besiroglu2024").alpha
    0.3478
    """
    return published.law(resolve(key))


def resolve(key: str) -> str:
    """The key of a fit, given whole or by its source alone."""
    keys = list(catalogue(planning=False).index)
    if key in keys:
        return key
    of_source = [one for one in (*FIRST, *catalogue().index) if one.startswith(f"{key}/")]
    return of_source[0] if of_source else key


def fresh(law: Any) -> Any:
    """The law of fresh text in parameters and tokens that a law rests on, or the law itself."""
    if isinstance(law, OvertrainingLaw):
        return law.chinchilla
    return law.base if isinstance(law, PrecisionLaw | DataConstrainedLaw) else law


@singledispatch
def split(law: Any, C: ArrayLike) -> Allocation:
    """How a law, or a fit of runs, splits budgets (FLOP); the loss is NaN where it knows none."""
    return compute_optimal(fresh(law), C)


@split.register(Frontier)
@split.register(ComputeSplit)
def _(law: Frontier | ComputeSplit, C: ArrayLike) -> Allocation:
    budget = positive("C", C)
    return Allocation(budget, law.params(budget), law.tokens(budget), np.full_like(budget, np.nan))


@split.register
def _(law: KaplanLaw, C: ArrayLike) -> Allocation:
    return isoflop_curve(law, C, joint_optimum(law, C))


def plans(C: float, keys: Iterable[str] | None = None) -> pd.DataFrame:
    """One budget under many laws.

    Parameters
    ----------
    C : float
        Training compute (FLOP), as each law counts it.
    keys : iterable of str, optional
        Keys or sources; all laws of the catalogue that can plan, unless given.

    Returns
    -------
    DataFrame
        Indexed by key: ``params`` and ``tokens`` (counts), ``tokens_per_param``, ``loss`` (in the
        unit of the law; losses on different texts do not compare), what N ``counts``, and
        ``beyond``: how far the plan lies outside the runs behind the law, in words.

    Raises
    ------
    DataError
        If a key is unknown or its law cannot split a budget, or C is not positive and finite.

    Examples
    --------
    >>> both = plans(5.76e23, ["besiroglu2024", "hoffmann2022"])
    >>> [f"{one:.3g}" for one in both.params]
    ['7.22e+10', '4.04e+10']
    """
    table = catalogue()
    wanted = list(table.index) if keys is None else [resolve(key) for key in keys]
    rows = {}
    for key in wanted:
        fit = published.law(key)
        if key not in table.index:
            raise DataError(
                f"the law under the key {key!r} cannot split a budget; choose one of "
                f"sl.catalogue().index, such as {FIRST[0]!r}."
            )
        best = split(fit, C)
        rows[key] = {
            "params": float(best.N), "tokens": float(best.D),
            "tokens_per_param": float(best.tokens_per_param), "loss": float(best.loss),
            "counts": table.counts[key], "beyond": beyond(table.loc[key], best),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def beyond(row: pd.Series[Any], best: Allocation) -> str:
    """How far a plan lies outside the runs behind a row of the catalogue; empty inside them."""
    known = [name for name in "NDC" if row[f"{name}_high"] == row[f"{name}_high"]]
    if not known:
        return "the range of its runs is not known here"
    words = {"N": "the largest model", "D": "the most tokens", "C": "the most compute"}
    told = [
        f"{_times(float(getattr(best, name)) / row[f'{name}_high'])} times {words[name]}"
        for name in known
        if float(getattr(best, name)) > 1.05 * row[f"{name}_high"]
    ]
    if told:
        return f"{' and '.join([', '.join(told[:-1])] * (len(told) > 1) + told[-1:])} of its runs"
    below = [name for name in known if float(getattr(best, name)) < 0.95 * row[f"{name}_low"]]
    return "smaller than its runs" if below else ""


def _times(ratio: float) -> str:
    return f"{float(f'{ratio:.2g}'):,g}"


def statement(key: str) -> tuple[Reported, float] | None:
    """What the source of a fit says that it gives, and what its constants give; None if nothing.

    Both in the unit of the printed number.
    """
    row = catalogue(planning=False).loc[key]
    if not isinstance(row.statement, str):
        return None
    said, fit = published.printed(row.statement), published.law(key)
    if row.reads in {"a", "b"}:
        return said, float(getattr(fit, row.reads))
    C = published.value(row["at"]) if "/" in row["at"] else float(row["at"])
    best = split(fit, C)
    value = {"params": best.N, "tokens": best.D, "ratio": best.tokens_per_param}[row.reads]
    return said, float(value) / _unit(row.statement)


def _unit(key: str) -> float:
    """The size of the unit in which a number is printed."""
    unit = load("published").set_index("key").unit[key]
    scales = {"billions": 1e9, "trillions": 1e12, "millions": 1e6}
    return scales.get(str(unit).split(" ")[0], 1.0)


@dataclass(frozen=True, slots=True)
class Rule:
    """A setting as a product of powers, scale N^n D^d C^c with C = 6 N D (FLOP)."""

    scale: float
    n: float = 0.0
    d: float = 0.0
    c: float = 0.0

    def __call__(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """The rate, or the batch (tokens), for N parameters and D tokens."""
        size, data = positive("N", N), positive("D", D)
        cost = FLOPS_PER_PARAM_TOKEN * size * data
        setting: Floats = self.scale * size**self.n * data**self.d * cost**self.c
        return setting


def printed_rules(study: str) -> tuple[Rule, Rule]:
    """The rules of a study for peak rate and batch, from the table of published numbers."""
    rules = []
    for what in ("peak rate", "batch"):
        given = dict(published.values(f"{study}/{what}"))
        scale = given.pop("scale")
        rules.append(Rule(scale, **{name.lower(): power for name, power in given.items()}))
    return rules[0], rules[1]
