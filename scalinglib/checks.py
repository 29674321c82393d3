"""Every check on what users bring, each with a sentence that says what to change.

The checks of values take the argument's name for the message and return float64. They raise
`DataError`; those of a design, which say that the runs cannot answer, raise `FitError`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from scalinglib.errors import DataError, FitError

Floats = NDArray[np.float64]

HINTS = {
    "tokens": "add it, for example runs.assign(tokens=runs.flops.astype(float) / 6 / runs.params), "
    "or let scalinglib.runs(table, derive='tokens') do it",
    "params": "add it, or rename the column that holds the parameter count; scalinglib.runs(table) "
    "knows other names",
    "loss": "add it, or rename the column that holds the loss in nats per token; "
    "scalinglib.runs(table) knows other names",
}

LEAST_PARAMS, LEAST_TOKENS, LEAST_FLOPS = 1e5, 1e7, 1e12
"""If the largest of these counts is smaller, they are in another unit: a model of 70 million
parameters on 1.4 billion tokens is 70 and 1.4 in the units that people write."""

MOST_PARAMS, MOST_TOKENS, MOST_FLOPS = 1e16, 1e19, 1e34
"""No plan of anyone has more."""

MOST_PER_PARAM, LEAST_PER_PARAM = 1e6, 1e-5
"""Tokens per parameter that no median run has."""

COLLINEAR = 0.1
"""Runs whose spread about a line in (ln N, ln D) is below this share of their spread along it
cannot separate the two terms; a 5 % jitter about D = 20 N has a condition number of 9,000."""

ALIKE = 0.1
"""Sizes that differ by less than this share count as one: the loss hardly differs, and what a fit
makes of it is an exponent of hundreds."""

COUNTS = ("n_samples", "n_correct")
"""Columns of a table of repeated samples: how many were drawn, how many were right."""


PERCENT = "write 40 % as 0.4"


def numbers(name: str, value: ArrayLike) -> Floats:
    """A value of any shape as float64."""
    _unmasked(name, value)
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must hold numbers only; convert or remove the rest.") from error


def _unmasked(name: str, value: Any) -> None:
    """Refuse masked points, which an array of numbers would show as data."""
    if np.ma.is_masked(value):
        count = int(np.ma.getmaskarray(value).sum())
        raise DataError(
            f"{name} has {count} masked values; leave them out of every argument, for example "
            f"{name}[keep] with keep = ~numpy.ma.getmaskarray({name})."
        )


def _refuse(
    name: str,
    array: Floats,
    good: NDArray[np.bool_],
    wanted: str,
    remedy: str = "correct that value",
) -> Floats:
    """Return the array if all of it is good; else name the first bad value and what is wanted."""
    if not good.all():
        bad = array[~good].flat[0]
        raise DataError(f"{name} must be {wanted}, got {bad:g}; {remedy}.")
    return array


def positive(name: str, value: ArrayLike) -> Floats:
    """Numbers above zero; infinity is allowed, because it is the limit of a law."""
    array = numbers(name, value)
    return _refuse(name, array, array > 0, "positive")


def at_least(name: str, value: ArrayLike, low: float) -> Floats:
    """Numbers of `low` or more."""
    array = numbers(name, value)
    return _refuse(name, array, array >= low, f"{low:g} or more")


def served_tokens(value: ArrayLike) -> Floats:
    """Tokens served: finite, and zero for a model that never serves."""
    array = numbers("served", value)
    return _refuse("served", array, np.isfinite(array) & (array >= 0), "finite and not negative")


def share(name: str, value: ArrayLike) -> Floats:
    """Numbers above zero and up to one."""
    array = positive(name, value)
    return _refuse(name, array, array <= 1, "a share of at most 1", PERCENT)


def chance(name: str, value: ArrayLike) -> Floats:
    """Numbers from zero to one."""
    array = numbers(name, value)
    good = (array >= 0) & (array <= 1)
    return _refuse(name, array, good, "a chance from 0 to 1", PERCENT)


def tails(level: float) -> tuple[float, float]:
    """Probabilities below the two ends of a central interval."""
    if not 0 < level < 1:
        raise DataError(f"level must lie between 0 and 1, for example 0.95; got {level}.")
    return (1 - level) / 2, (1 + level) / 2


def listed(name: str, value: ArrayLike, least: int = 1) -> Floats:
    """A list of at least `least` finite numbers."""
    array = numbers(name, value)
    if array.ndim != 1:
        raise DataError(f"{name} must be one-dimensional, got {array.ndim} dimensions.")
    if len(array) < least:
        raise DataError(f"{name} must hold at least {least} values, got {len(array)}.")
    if not np.isfinite(array).all():
        at = int(np.argmin(np.isfinite(array)))
        raise DataError(f"{name} is {array[at]} at position {at}; remove or correct the point.")
    return array


def equally_long(**arrays: Any) -> None:
    """Lists that must have one length."""
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"these have different lengths: {told}; give one of each.")


def progress(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    """Increasing places, and y scaled to run from 0 at the first point to 1 at the last."""
    at, values = listed("x", x, 2), listed("y", y, 2)
    equally_long(x=at, y=values)
    if (np.diff(at) <= 0).any():
        raise DataError("x must increase strictly; sort the points and merge repeated places.")
    if values[0] == values[-1]:
        raise DataError("y ends where it began, so its change has no parts.")
    return at, (values - values[0]) / (values[-1] - values[0])


def whole_counts(
    n_samples: ArrayLike, n_correct: ArrayLike, k: ArrayLike, *, beyond: bool = False
) -> tuple[Floats, Floats, Floats]:
    """Samples, successes and tries; tries may exceed the samples only if `beyond`."""
    checked = []
    for name, value in (*zip(COUNTS, (n_samples, n_correct), strict=True), ("k", k)):
        array, least = numbers(name, value), 0 if name == "n_correct" else 1
        good = (array >= least) & (array == np.floor(array)) & np.isfinite(array)
        checked.append(_refuse(name, array, good, f"whole numbers of {least} or more"))
    n, c, tries = checked
    if (c > n).any():
        raise DataError("n_correct exceeds n_samples; check that the columns are not swapped.")
    if not beyond and (tries > n).any():
        raise DataError(
            f"k is {tries.max():g} but a problem has only {n.min():g} samples, which hold no "
            "unbiased answer beyond their number; use a smaller k, or fit a curve and say so."
        )
    return n, c, tries


def count_table(problems: pd.DataFrame) -> tuple[Floats, Floats]:
    """Columns n_samples and n_correct of a table with one row a problem."""
    problems = as_frame(problems, "counts", f"give columns {', '.join(COUNTS)}")
    for name in COUNTS:
        if name not in problems:
            raise DataError(f"counts has no column {name!r}; add it, or rename the one that is.")
    if not len(problems):
        raise DataError("counts is empty: there are no problems; check the filter that made it.")
    n, c, _ = whole_counts(problems["n_samples"], problems["n_correct"], 1)
    return n, c


def as_frame(source: Any, name: str, wanted: str) -> pd.DataFrame:
    """A pandas frame of a frame, a mapping of columns, or anything with ``to_pandas``."""
    if isinstance(source, pd.DataFrame):
        return source
    if isinstance(source, Mapping):
        columns = {
            key: np.ma.ravel(v) if np.ma.isMA(v) else np.ravel(v) for key, v in source.items()
        }
        equally_long(**{str(key): column for key, column in columns.items()})
        return pd.DataFrame(columns)
    if hasattr(source, "to_pandas"):
        try:
            frame = source.to_pandas()
        except ImportError as error:
            raise DataError(
                f"{name} is a {type(source).__module__.split('.')[0]} frame, and its to_pandas "
                "needs pyarrow; install it with pip install 'scalinglib[arrow]'."
            ) from error
        if isinstance(frame, pd.DataFrame):
            return frame
    more = "; call its collect() first" if hasattr(source, "collect") else ""
    raise DataError(f"{name} must be a DataFrame, got {type(source).__name__}; {wanted}{more}.")


def table(runs: Any, columns: Sequence[str]) -> tuple[Floats, pd.Index]:
    """Positive finite columns (k, n) of anything like a frame, and its row labels."""
    runs = as_frame(runs, "runs", f"give columns {', '.join(columns)}")
    for name in columns:
        if name not in runs.columns:
            have = ", ".join(str(column) for column in runs.columns) or "no columns"
            hint = HINTS.get(name, "add it")
            raise DataError(f"runs has no column {name!r} (it has {have}); {hint}.")
        if isinstance(runs[name], pd.DataFrame):
            raise DataError(f"runs has several columns named {name!r}; keep one.")
    if not len(runs):
        raise DataError("runs is empty: there are no runs to fit; check the filter that made it.")
    values = np.stack([_column(runs[name], f"column {name!r}") for name in columns])
    return values, runs.index


def vectors(**arrays: ArrayLike) -> tuple[Floats, pd.Index]:
    """Positive finite arrays (k, n) of equal length, and labels for their entries."""
    series = {
        name: value if isinstance(value, pd.Series) else _as_series(name, value)
        for name, value in arrays.items()
    }
    equally_long(**series)
    first = next(iter(series.values()))
    if not len(first):
        raise DataError(f"{' and '.join(series)} are empty: there are no points to fit.")
    for name, value in series.items():
        if not value.index.equals(first.index):
            raise DataError(
                f"{' and '.join(series)} have different row labels at {name}; align them first, "
                "or pass plain arrays."
            )
    return np.stack([_column(value, name) for name, value in series.items()]), first.index


def _as_series(name: str, value: ArrayLike) -> pd.Series[Any]:
    _unmasked(name, value)
    array = np.asarray(value)
    if array.ndim != 1:
        raise DataError(f"{name} must be one-dimensional, got {array.ndim} dimensions.")
    return pd.Series(array)


def _column(series: pd.Series[Any], where: str) -> Floats:
    """One column as float64, refusing the first row that is not a positive finite number."""
    if not pd.api.types.is_numeric_dtype(series.dtype):
        _blame_text(series, where)
    values: Floats = series.to_numpy(dtype=np.float64, na_value=np.nan)
    good = np.isfinite(values) & (values > 0)
    if not good.all():
        at = int(np.flatnonzero(~good)[0])
        others = int((~good).sum()) - 1
        more = f" (and {others} more such {'row' if others == 1 else 'rows'})" if others else ""
        raise DataError(
            f"row {series.index[at]!r}, {where}: {values[at]:g} is not a positive finite "
            f"number{more}; remove the row or correct the value."
        )
    return values


def _blame_text(series: pd.Series[Any], where: str) -> None:
    """Refuse a column with text: the first cell that is no number, else that all are text."""
    remedy = "remove the row or correct the value, then convert the column with pandas.to_numeric"
    text: tuple[Any, Any] | None = None
    for label, value in series.items():
        if isinstance(value, str):
            try:
                float(value)
            except ValueError:
                raise DataError(
                    f"row {label!r}, {where}: {value!r} is not a number; {remedy}."
                ) from None
            text = text or (label, value)
        elif not (isinstance(value, Real | Decimal) or pd.isna(value)):
            raise DataError(f"row {label!r}, {where}: {value!r} is not a number; {remedy}.")
    if text:
        raise DataError(
            f"row {text[0]!r}, {where}: the number {text[1]!r} is text; convert the column with "
            "pandas.to_numeric, or read the table with scalinglib.runs."
        )


def implausible_counts(
    params: ArrayLike | None = None, tokens: ArrayLike | None = None, flops: ArrayLike | None = None
) -> str | None:
    """Say in words why these cannot be counts of parameters, tokens and FLOP, if they cannot."""
    given = {"params": params, "tokens": tokens, "flops": flops}
    sized = {
        name: np.asarray(value, dtype=float) for name, value in given.items() if value is not None
    }
    bounds = {
        "params": (LEAST_PARAMS, MOST_PARAMS),
        "tokens": (LEAST_TOKENS, MOST_TOKENS),
        "flops": (LEAST_FLOPS, MOST_FLOPS),
    }
    odd = [
        name
        for name, value in sized.items()
        if not bounds[name][0] <= value.max() <= bounds[name][1]
    ]
    if odd:
        told = " and ".join(
            f"{name} from {sized[name].min():.6g} to {sized[name].max():.6g}" for name in odd
        )
        return f"{told} cannot be counts of a language model's runs"
    if params is not None and tokens is not None:
        ratio = float(np.median(sized["tokens"] / sized["params"]))
        if not LEAST_PER_PARAM < ratio < MOST_PER_PARAM:
            return (
                f"the median run has {ratio:.3g} tokens per parameter, so params and tokens are "
                "not both counts"
            )
    return None


def unit_doubts(N: Floats, D: Floats) -> tuple[str, ...]:
    """The warning that a fit in these sizes and tokens is not one in counts, or nothing."""
    why = implausible_counts(N, D)
    if why is None:
        return ()
    return (
        f"{why}; C = 6 N D and every plan need counts: multiply the columns, or read the table "
        "with scalinglib.runs(table, units={'params': 'M', 'tokens': 'B'}).",
    )


def wide_table(scores: Any) -> Floats:
    """A frame (rows, columns) of numbers with gaps, each column of which varies."""
    scores = as_frame(scores, "table", "pandas, Polars or Arrow")
    if scores.shape[1] < 2 or len(scores) < 3:
        raise DataError(
            f"table has {len(scores)} rows and {scores.shape[1]} columns; components need at least "
            "three rows and two columns."
        )
    for name in scores.columns:
        if not pd.api.types.is_numeric_dtype(scores[name]):
            raise DataError(f"column {name!r} does not hold numbers; leave it out or convert it.")
    values: Floats = scores.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError("table holds infinite values; remove or correct them.")
    present = ~np.isnan(values)
    for axis, labels, thing in ((1, scores.index, "row"), (0, scores.columns, "column")):
        empty = ~present.any(axis=axis)
        if empty.any():
            raise DataError(
                f"{thing} {labels[empty].tolist()[0]!r} has no value at all; leave it out."
            )
    still = np.nanmax(values, axis=0) - np.nanmin(values, axis=0) == 0
    if still.any():
        raise DataError(f"column {scores.columns[still][0]!r} does not vary; leave it out.")
    return values


def enough_rows(values: Floats, free: int, what: str = "runs") -> None:
    """Refuse fewer distinct rows than the free parameters plus one."""
    distinct = np.unique(values, axis=1).shape[1]
    total = values.shape[1]
    if distinct <= free:
        found = f"{total} {what}" if distinct == total else f"{distinct} distinct of {total} {what}"
        raise FitError(
            f"{found} cannot determine {free} parameters; at least {free + 1} distinct {what} "
            "are needed: add some, or hold parameters with fixed."
        )


def varying(values: Floats, name: str, least: float = 1e-9) -> None:
    """Refuse an observed quantity that is constant to rounding, or varies by less than a share."""
    if np.ptp(np.log(values)) < least:
        near = "" if np.ptp(values) == 0 else f" but for {np.ptp(values) / values.min():.1g} of it"
        raise FitError(
            f"{name} is {values[0]:g} in every row{near}, so there is no trend to fit; check the "
            "column."
        )


def degenerate_design(N: Floats, D: Floats) -> str | None:
    """Say in words why runs of these sizes and data amounts cannot separate the two terms."""
    n, d = np.log(N), np.log(D)
    sides = ((N, "model size", "alpha and A"), (D, "token count", "beta and B"))
    for values, thing, terms in sides:
        levels = _levels(values)
        if levels == 1:
            near = "" if np.ptp(values) == 0 else f" ({values.min():.4g} to {values.max():.4g})"
            return (
                f"all runs have one {thing}{near}, so {terms} are not identifiable; add runs that "
                f"differ in {thing}, or fix {terms}"
            )
        if levels == 2:
            return (
                f"the runs have only two values of {thing}, so {terms} are not identifiable "
                f"beside E; add a third value, or fix one of {terms}"
            )
    if np.std(n + d) < COLLINEAR * np.std(n - d):
        return (
            f"all runs spend one budget 6ND of about {6 * np.exp(np.mean(n + d)):.3g} FLOP, which "
            "cannot separate the effect of parameters from that of tokens; add another budget"
        )
    return one_ray(N, D)


def one_ray(N: Floats, D: Floats) -> str | None:
    """Say in words that tokens follow from parameters in all runs, if they do."""
    n, d = np.log(N), np.log(D)
    if np.ptp(n) == 0:
        return None
    slope, offset = np.polyfit(n, d, 1)
    if np.std(d - slope * n - offset) < COLLINEAR * np.std(d):
        return (
            "tokens and parameters move together across the runs (about "
            f"{np.exp(np.mean(d - n)):.3g} tokens per parameter), which cannot separate their "
            "effects; add runs off that line, with more or fewer tokens per parameter"
        )
    return None


def _levels(values: Floats) -> int:
    """How many sizes there are, those within `ALIKE` of the smallest being one, and so on."""
    left, found = np.sort(values, kind="stable"), 0
    while len(left):
        left, found = left[left > left[0] * (1 + ALIKE)], found + 1
    return found
