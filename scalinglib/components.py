"""Principal components of a table of scores with gaps, and how they follow compute.

Many released models, eight benchmarks: if the scores move together, a few directions hold nearly
all of their variance, and one of them can be set against the compute of each model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib.errors import DataError, FitError

TOLERANCE = 1e-12
ROUNDS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """Principal components of a table.

    Parameters
    ----------
    shares : ndarray, shape (k,)
        Share of the variance along each component, largest first.
    loadings : DataFrame, shape (k, k)
        Unit vectors, one column per component, under the names of the table's columns; the
        largest entry of each is positive.
    scores : DataFrame, shape (n, k)
        Place of each row along each component, from the mean.
    filled : DataFrame, shape (n, k)
        The table with its gaps filled.
    rounds : int
        Repetitions until the filled values stood still; 0 without gaps.

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [0.0, 2.0, 4.0]})
    >>> parts = principal_components(scores)
    >>> print(parts.shares.round(6), parts.loadings["PC1"].round(4).to_dict())
    [1. 0.] {'a': 0.4472, 'b': 0.8944}
    """

    shares: Floats
    loadings: pd.DataFrame
    scores: pd.DataFrame
    filled: pd.DataFrame
    rounds: int


def principal_components(table: pd.DataFrame, *, standardise: bool = False) -> Components:
    """Principal components of a table, its gaps filled from the first component.

    A gap starts at the mean of its column. Then the first component is computed, each gap takes
    the value that this component gives it, and so on until the values stand still.

    Parameters
    ----------
    table : DataFrame
        One row per model, one column per benchmark; missing values as NaN.
    standardise : bool, default False
        Divide each column by its standard deviation, so that every benchmark counts alike;
        otherwise the benchmarks with the largest spread count most.

    Returns
    -------
    Components

    Raises
    ------
    DataError
        If the table has fewer than two columns or three rows, holds something else than numbers,
        lacks every value of a row or column, or a column does not vary.
    FitError
        If the filled values do not come to rest.

    References
    ----------
    Ruan et al. 2024, "Observational Scaling Laws and the Predictability of Language Model
    Performance".

    Examples
    --------
    >>> scores = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 3.0, float("nan"), 7.0]})
    >>> principal_components(scores).filled.round(6).loc[2].to_dict()
    {'a': 2.0, 'b': 5.0}
    """
    values = _checked(table)
    gaps = np.isnan(values)
    filled = np.where(gaps, np.nanmean(values, axis=0), values)
    rounds = 0
    while gaps.any():
        left, size, right, scale = _decompose(filled, standardise)
        one = filled.mean(axis=0) + scale * (size[0] * np.outer(left[:, 0], right[0]))
        moved = float(np.max(np.abs(one - filled)[gaps]))
        filled, rounds = np.where(gaps, one, values), rounds + 1
        if moved <= TOLERANCE * float(np.max(np.abs(filled))):
            break
        if rounds == ROUNDS:
            raise FitError(
                f"the filled values still move after {ROUNDS} rounds; leave out the rows or "
                "columns with most gaps."
            )
    left, size, right, _ = _decompose(filled, standardise)
    signs = np.sign(right[np.arange(len(right)), np.argmax(np.abs(right), axis=1)])
    names = [f"PC{k + 1}" for k in range(len(size))]
    return Components(
        shares=size**2 / np.sum(size**2),
        loadings=pd.DataFrame((right * signs[:, None]).T, index=table.columns, columns=names),
        scores=pd.DataFrame(left * size * signs, index=table.index, columns=names),
        filled=pd.DataFrame(filled, index=table.index, columns=table.columns),
        rounds=rounds,
    )


def family_trends(
    scores: ArrayLike, flops: ArrayLike, family: ArrayLike, *, at_least: int = 3
) -> pd.DataFrame:
    """Least-squares line of a score on ln compute within each family of models.

    Parameters
    ----------
    scores : array_like, shape (n,)
        One value per model, for example its place along the first component.
    flops : array_like, shape (n,)
        Training compute, in any unit; models without it (NaN) are left out.
    family : array_like, shape (n,)
        Names of the families.
    at_least : int, default 3
        Families with fewer models are left out: two points always lie on a line.

    Returns
    -------
    DataFrame
        One row per family, in the order of the share of variance explained: ``family``,
        ``models``, ``slope`` (per factor of e in compute), ``intercept`` and ``r2``.

    Raises
    ------
    DataError
        If the lengths differ, compute is not positive, `at_least` is below 3, or no family is
        large enough.

    Examples
    --------
    >>> trend = family_trends([0.0, 1.0, 2.0], [1.0, np.e, np.e**2], ["a", "a", "a"])
    >>> print(trend.round(6).to_dict("records"))
    [{'family': 'a', 'models': 3, 'slope': 1.0, 'intercept': -0.0, 'r2': 1.0}]
    """
    y = np.asarray(scores, dtype=np.float64)
    C = np.asarray(flops, dtype=np.float64)
    names = np.asarray(family, dtype=object)
    if not len(y) == len(C) == len(names):
        raise DataError(
            f"scores, flops and family have {len(y)}, {len(C)} and {len(names)} entries; give "
            "one of each per model."
        )
    if at_least < 3:
        raise DataError(f"at_least must be 3 or more, got {at_least}: a line fits any two points.")
    if (C <= 0).any():
        raise DataError("flops must be positive; write missing values as NaN.")
    known = np.isfinite(C) & np.isfinite(y)
    frame = pd.DataFrame({"family": names, "x": np.log(C), "y": y})[known]
    rows: list[dict[str, Any]] = []
    for name, group in frame.groupby("family", sort=False):
        if len(group) < at_least or group.x.nunique() < 2:
            continue
        slope, intercept = np.polyfit(group.x, group.y, 1)
        left = group.y - slope * group.x - intercept
        r2 = 1 - float(left @ left) / float(np.sum((group.y - group.y.mean()) ** 2))
        rows.append({"family": name, "models": len(group), "slope": float(slope),
                     "intercept": float(intercept), "r2": r2})  # fmt: skip
    if not rows:
        raise DataError(f"no family has {at_least} models with known compute; add models.")
    return pd.DataFrame(rows).sort_values("r2", kind="stable", ignore_index=True)


def _checked(table: pd.DataFrame) -> Floats:
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"table must be a DataFrame, got {type(table).__name__}.")
    if table.shape[1] < 2 or len(table) < 3:
        raise DataError(
            f"table has {len(table)} rows and {table.shape[1]} columns; components need at least "
            "three rows and two columns."
        )
    for name in table.columns:
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise DataError(f"column {name!r} does not hold numbers; leave it out or convert it.")
    values: Floats = table.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError("table holds infinite values; remove or correct them.")
    present = ~np.isnan(values)
    for axis, labels, thing in ((1, table.index, "row"), (0, table.columns, "column")):
        empty = ~present.any(axis=axis)
        if empty.any():
            raise DataError(
                f"{thing} {labels[empty].tolist()[0]!r} has no value at all; leave it out."
            )
    still = np.nanmax(values, axis=0) - np.nanmin(values, axis=0) == 0
    if still.any():
        raise DataError(f"column {table.columns[still][0]!r} does not vary; leave it out.")
    return values


def _decompose(filled: Floats, standardise: bool) -> tuple[Floats, Floats, Floats, Floats]:
    """Singular vectors and values of the centred table, and the scale of its columns."""
    scale: Floats = filled.std(axis=0) if standardise else np.ones(filled.shape[1])
    left, size, right = np.linalg.svd((filled - filled.mean(axis=0)) / scale, full_matrices=False)
    return left, size, right, scale
