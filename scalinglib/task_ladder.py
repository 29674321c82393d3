"""From the checkpoints of small runs to a benchmark score in two steps (Bhagia et al. 2024)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._newton import Floats
from scalinglib._validate import table
from scalinglib.curves import fit_curve
from scalinglib.downstream import FallingSigmoid, TwoStep
from scalinglib.errors import DataError
from scalinglib.fitting import fit_chinchilla
from scalinglib.laws import ChinchillaLaw
from scalinglib.uncertainty import bootstrap

ABSENT = 1e-6
"""Below this share of the lowest loss, E counts as lying at its bound of zero."""


def final_points(checkpoints: pd.DataFrame, value: str, *, last: int = 5) -> pd.DataFrame:
    """One point per run: its size, its tokens at the end, and a mean over its last checkpoints.

    Parameters
    ----------
    checkpoints : DataFrame
        Columns ``run``, ``params``, ``tokens`` and `value`, one row per checkpoint.
    value : str
        Column to average.
    last : int, default 5
        Number of checkpoints at the end of each run.

    Returns
    -------
    DataFrame
        Columns ``params``, ``tokens`` and ``loss``, one row per run, under the run's name. A
        score is called ``loss`` too, because that is the column a fit looks for.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or `last` is below 1.

    Examples
    --------
    >>> import scalinglib as sl
    >>> points = final_points(sl.load("downstream_ladder"), "bits_per_byte_mmlu")
    >>> len(points), round(float(points.loss["1B-10xC"]), 4)
    (16, 0.9856)
    """
    if last < 1:
        raise DataError(f"last must be at least 1 checkpoint, got {last}.")
    rows = {
        name: {
            "params": float(run.params.iloc[-1]),
            "tokens": float(run.tokens.iloc[-1]),
            "loss": float(run[value].tail(last).mean()),
        }
        for name, run in _runs(checkpoints, value).items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("run")


def smoothed_checkpoints(
    checkpoints: pd.DataFrame, loss: str, score: str, *, skip: float = 0.1, window: int = 5
) -> pd.DataFrame:
    """Checkpoints of every run without its beginning, both quantities averaged along the run.

    Parameters
    ----------
    checkpoints : DataFrame
        Columns ``run``, ``params``, ``tokens``, `loss` and `score`, one row per checkpoint.
    loss, score : str
        Columns to smooth.
    skip : float, default 0.1
        Share of the checkpoints at the beginning of each run to leave out, rounded up.
    window : int, default 5
        Checkpoints in the moving average, which looks back; the first ones kept have fewer.

    Returns
    -------
    DataFrame
        Columns ``run``, ``params``, ``tokens``, ``loss`` and ``score``.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, `skip` is not between 0
        and 1, or `window` is below 1.

    Examples
    --------
    >>> import scalinglib as sl
    >>> ladder = sl.load("downstream_ladder")
    >>> kept = smoothed_checkpoints(ladder, "bits_per_byte_mmlu", "accuracy_mmlu")
    >>> len(ladder), len(kept)
    (1566, 1401)
    """
    if not 0 <= skip < 1:
        raise DataError(f"skip must be a share from 0 up to but without 1, got {skip}.")
    if window < 1:
        raise DataError(f"window must be at least 1 checkpoint, got {window}.")
    parts = []
    for name, run in _runs(checkpoints, loss, score).items():
        # Left out first and averaged then, so that the average holds nothing of the beginning.
        kept = run.iloc[int(np.ceil(skip * len(run))) :]
        mean = kept[[loss, score]].rolling(window, min_periods=1).mean()
        parts.append(
            kept[["params", "tokens"]].assign(run=name, loss=mean[loss], score=mean[score])
        )
    return pd.concat(parts)[["run", "params", "tokens", "loss", "score"]]


def fit_two_step(
    checkpoints: pd.DataFrame,
    loss: str,
    score: str,
    *,
    last: int = 5,
    skip: float = 0.1,
    window: int = 5,
    ideal: tuple[float, float] | None = (0.0, 1.0),
) -> TwoStep[FallingSigmoid]:
    """Fit a Chinchilla law for a task's loss, and a sigmoid from the loss to the score.

    The law goes through one point per run, by Huber loss of log residuals. The sigmoid goes
    through the smoothed checkpoints of all runs, by least squares.

    Parameters
    ----------
    checkpoints : DataFrame
        Columns ``run``, ``params``, ``tokens``, `loss` and `score`, one row per checkpoint.
    loss, score : str
        Columns of the task's loss, for example bits per byte of the right answer, and of its
        score, for example accuracy.
    last : int, default 5
        Checkpoints averaged into the point of each run, see `final_points`.
    skip, window
        See `smoothed_checkpoints`.
    ideal : (float, float) or None, default (0, 1)
        Loss and score of a perfect model, added to the points of the sigmoid.

    Returns
    -------
    TwoStep

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not
        valid.
    FitError
        If the runs cannot determine a step.

    References
    ----------
    Bhagia et al. 2024, "Establishing Task Scaling Laws via Compute-Efficient Model Ladders".

    Examples
    --------
    >>> import scalinglib as sl
    >>> ladder = sl.load("downstream_ladder")
    >>> chain = fit_two_step(ladder, "bits_per_byte_hellaswag", "accuracy_hellaswag")
    >>> print(f"{chain.loss(13.2e9, 5e12):.3f} {chain.value(13.2e9, 5e12):.3f}")
    0.653 0.853
    """
    points = final_points(checkpoints, loss, last=last)
    kept = smoothed_checkpoints(checkpoints, loss, score, skip=skip, window=window)
    law = fit_chinchilla(points)
    at_zero: tuple[str, ...] = ()
    if float(points.loss.min()) * ABSENT > law.law.E:
        # Put exactly there, the floor stays there in resamples too, instead of nearly.
        law = replace(fit_chinchilla(points, fixed={"E": 0.0}), warnings=law.warnings)
        at_zero = ("E",)
    curve = fit_curve(FallingSigmoid, *_with_ideal(kept.loss, kept.score, ideal))
    return TwoStep(
        law=law.law,
        curve=curve.curve,
        at_bound=(*at_zero, *curve.at_bound),
        warnings=(*law.warnings, *curve.warnings),
        law_fit=law,
        curve_fit=curve,
    )


def resample_two_step(
    chain: TwoStep[FallingSigmoid],
    checkpoints: pd.DataFrame,
    loss: str,
    score: str,
    *,
    n: int | None = 60,
    seed: int = 0,
    skip: float = 0.1,
    window: int = 5,
    ideal: tuple[float, float] | None = (0.0, 1.0),
) -> list[TwoStep[FallingSigmoid]]:
    """Repeat both steps on runs drawn with replacement, or leaving out one run at a time.

    A run is drawn or left out with all its checkpoints, so that both steps see the same runs. A
    floor that lies at its bound of zero stays there.

    Parameters
    ----------
    chain : TwoStep
        As `fit_two_step` returns it.
    checkpoints, loss, score, skip, window, ideal
        As given to `fit_two_step`.
    n : int or None, default 60
        Number of resamples; None leaves out each run in turn.
    seed : int, default 0
        Seed of ``numpy.random.default_rng``.

    Returns
    -------
    list of TwoStep
        One per resample, without warnings.

    Raises
    ------
    DataError
        If `chain` does not come from a fit, or `n` is below 2.

    Examples
    --------
    >>> import scalinglib as sl
    >>> ladder = sl.load("downstream_ladder")
    >>> columns = "bits_per_byte_hellaswag", "accuracy_hellaswag"
    >>> again = resample_two_step(fit_two_step(ladder, *columns), ladder, *columns, n=5)
    >>> print(len(again), bool(np.std([one.value(13.2e9, 5e12) for one in again]) < 0.05))
    5 True
    """
    if chain.law_fit is None:
        raise DataError("chain holds no fit of its first step; make it with fit_two_step.")
    if n is not None and n < 2:
        raise DataError(f"n must be at least 2 resamples, got {n}.")
    kept = smoothed_checkpoints(checkpoints, loss, score, skip=skip, window=window)
    runs = [run for _, run in kept.groupby("run", sort=False)]
    every = np.arange(len(runs))
    draws = (
        np.stack([np.delete(every, k) for k in every])
        if n is None
        else np.random.default_rng(seed).integers(0, len(runs), size=(n, len(runs)))
    )
    laws = bootstrap(chain.law_fit, resamples=draws).params
    again = []
    for draw, params in zip(draws, laws.to_dict("records"), strict=True):
        which, count = np.unique(draw, return_counts=True)
        drawn = pd.concat([runs[k].assign(times=m) for k, m in zip(which, count, strict=True)])
        x, y = _with_ideal(drawn.loss, drawn.score, ideal)
        # A run drawn m times counts m times; the ideal point counts once.
        weights = np.append(np.sqrt(drawn.times), np.ones(len(x) - len(drawn)))
        # Each resample starts from the whole fit, which lies near its optimum.
        start = [chain.curve.params]
        curve = fit_curve(FallingSigmoid, x, y, weights=weights, starts=start)
        law = ChinchillaLaw(*(params[name] for name in ("E", "A", "B", "alpha", "beta")))
        again.append(TwoStep(law, curve.curve, curve.at_bound))
    return again


def _with_ideal(
    x: ArrayLike, y: ArrayLike, ideal: tuple[float, float] | None
) -> tuple[Floats, Floats]:
    extra = ((), ()) if ideal is None else ((ideal[0],), (ideal[1],))
    return np.append(np.asarray(x), extra[0]), np.append(np.asarray(y), extra[1])


def _runs(checkpoints: pd.DataFrame, *columns: str) -> dict[str, pd.DataFrame]:
    """The checkpoints of each run in the order of training, checked."""
    table(checkpoints, ("params", "tokens", *columns))
    if "run" not in checkpoints.columns:
        raise DataError("checkpoints has no column 'run'; add one that names the run of each row.")
    ordered = checkpoints.sort_values("tokens", kind="stable")
    groups = {str(name): run for name, run in ordered.groupby("run", sort=False)}
    # In the order of the table, so that positions in a resample mean the same to every caller.
    return {str(name): groups[str(name)] for name in dict.fromkeys(checkpoints.run)}
