"""Tests of a published law against runs and a fit, and the back-test of a fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special, stats

from scalinglib.checks import Floats, as_frame, table
from scalinglib.errors import DataError, FitError
from scalinglib.fit.bootstrap import Bootstrap
from scalinglib.fit.result import DELTA, Loss, Result, law_of, refuse, threshold
from scalinglib.laws.chinchilla import ChinchillaLaw, fit_chinchilla
from scalinglib.laws.kaplan import KaplanLaw

RUNS = ("params", "tokens", "loss")


@dataclass(frozen=True, slots=True)
class ChiSquareTest:
    """A chi-square statistic and its tail probability.

    Parameters
    ----------
    statistic : float
        Value of the statistic.
    dof : int
        Degrees of freedom.
    p : float
        Probability of a larger statistic if the law tested were true.

    Examples
    --------
    >>> print(ChiSquareTest(statistic=84.0, dof=5, p=1.22e-16).dof)
    5
    """

    statistic: float
    dof: int
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Backtest:
    """A fit to the smaller runs, judged on the largest.

    Parameters
    ----------
    fit : Fit
        The fit to the runs that were kept, of any kind that predicts.
    table : DataFrame
        One row per run held out, under its own label: the frame's columns, ``predicted`` and
        ``error``, which is predicted / observed - 1.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> test = sl.backtest(runs[~runs.excluded], largest=10)
    >>> len(test.table), test.fit.n_runs
    (10, 230)
    """

    fit: Result[Any]
    table: pd.DataFrame

    @property
    def rms(self) -> float:
        """Root mean square of ln(predicted / observed) over the runs held out."""
        return float(np.sqrt(np.mean(np.log1p(self.table["error"]) ** 2)))

    @property
    def worst(self) -> float:
        """Largest relative error in absolute value."""
        return float(self.table["error"].abs().max())


def log_likelihood(law: ChinchillaLaw | KaplanLaw | Result[Any], runs: pd.DataFrame) -> float:
    """Log-likelihood of runs under a law with Laplace-distributed log residuals.

    The scale b of the residuals is free and takes its most likely value, the mean absolute
    residual, so the log-likelihood is -n (ln(2 b) + 1).

    Parameters
    ----------
    law : ChinchillaLaw, KaplanLaw or Fit
        Any law with a ``loss(N, D)``, or a fit of one.
    runs : DataFrame, n rows
        Columns ``params`` (count), ``tokens`` (count) and ``loss`` (in the law's unit).

    Returns
    -------
    float
        In nats.

    Raises
    ------
    DataError
        If a column is missing or a value is not a positive finite number.
    FitError
        If the law meets every run exactly, where the likelihood has no bound.

    References
    ----------
    Besiroglu et al. 2024, whose Huber likelihood with a fitted scale has this limit.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> law = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> print(f"{log_likelihood(law, runs[~runs.excluded]):.3f}")
    562.252
    """
    (N, D, L), _ = table(runs, RUNS)
    scale = float(np.mean(np.abs(np.log(L) - np.log(law_of(law).loss(N, D)))))
    if scale == 0:
        raise FitError("the law meets every run exactly, so the likelihood has no bound.")
    return float(-len(L) * (np.log(2 * scale) + 1))


def objective(
    law: ChinchillaLaw | KaplanLaw | Result[Any],
    runs: pd.DataFrame,
    *,
    loss: Loss = "huber",
    delta: float = DELTA,
) -> float:
    """Score a law on runs with the objective that `fit_chinchilla` minimises.

    Parameters
    ----------
    law : ChinchillaLaw, KaplanLaw or Fit
        Any law with a ``loss(N, D)``, or a fit of one.
    runs : DataFrame, n rows
        Columns ``params`` (count), ``tokens`` (count) and ``loss`` (in the law's unit).
    loss : {"huber", "lad", "l2"}, default "huber"
        Huber loss, absolute value, or half the square of the log residual.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.

    Returns
    -------
    float
        Summed over the runs.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is invalid.

    References
    ----------
    Hoffmann et al. 2022, Eq. 3.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> law = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> print(f"{objective(law, runs[~runs.excluded]):.4e}")
    4.1210e-03
    """
    (N, D, L), _ = table(runs, RUNS)
    residual = np.log(law_of(law).loss(N, D)) - np.log(L)
    if loss == "lad":
        return float(np.abs(residual).sum())
    return float(special.huber(threshold(loss, delta), residual).sum())


def likelihood_ratio_test(
    law: ChinchillaLaw | Result[Any],
    fitted: ChinchillaLaw | Result[Any],
    runs: pd.DataFrame,
    *,
    dof: int = 5,
) -> ChiSquareTest:
    """Test a law against the fitted law that contains it, with Laplace log residuals.

    Parameters
    ----------
    law : ChinchillaLaw
        The law under test.
    fitted : ChinchillaLaw
        The most likely law: a least-absolute-deviations fit to the same runs.
    runs : DataFrame, n rows
        Columns ``params`` (count), ``tokens`` (count) and ``loss`` (in the laws' unit).
    dof : int, optional
        Number of parameters that were fitted.

    Returns
    -------
    ChiSquareTest
        Twice the difference of the log-likelihoods.

    Raises
    ------
    DataError
        If the runs are not valid.
    FitError
        If a law meets every run exactly.

    References
    ----------
    Besiroglu et al. 2024, Sec. 4.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> runs = runs[~runs.excluded]
    >>> fitted = sl.fit_chinchilla(runs, loss="lad").law
    >>> law = sl.ChinchillaLaw(E=1.69337, A=406.40, B=410.72, alpha=0.33917, beta=0.28491)
    >>> likelihood_ratio_test(law, fitted, runs).p < 1e-15
    True
    """
    gain = log_likelihood(fitted, runs) - log_likelihood(law, runs)
    return _chi_square(2 * gain, dof)


def wald_test(
    law: ChinchillaLaw, boot: Bootstrap, *, centre: ChinchillaLaw | None = None
) -> ChiSquareTest:
    """Test a law against a fit with the fit's bootstrap covariance.

    The distance is taken in (ln A, ln B, ln E, alpha, beta), where the bootstrap distribution
    is much closer to normal than in A and B themselves.

    Parameters
    ----------
    law : ChinchillaLaw
        The law under test.
    boot : Bootstrap
        Of a fit by `fit_chinchilla` with no parameter held.
    centre : ChinchillaLaw, optional
        The estimate to measure from; the law of the bootstrapped fit when left out.

    Returns
    -------
    ChiSquareTest
        With five degrees of freedom.

    Raises
    ------
    DataError
        If the bootstrap is not of an unrestricted Chinchilla fit.

    References
    ----------
    Besiroglu et al. 2024, Sec. 4.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=1000)
    >>> law = sl.ChinchillaLaw(E=1.69337, A=406.40, B=410.72, alpha=0.33917, beta=0.28491)
    >>> wald_test(law, boot).statistic > 100
    True
    """
    free = boot.fit.n_free
    if not isinstance(boot.fit.law, ChinchillaLaw) or free != 5:
        raise DataError("boot must come from fit_chinchilla with no parameter fixed or tied.")
    draws = boot.params[["A", "B", "E", "alpha", "beta"]].to_numpy(copy=True)
    draws[:, :3] = np.log(draws[:, :3])
    gap = _coordinates(law_of(centre or boot.fit)) - _coordinates(law_of(law))
    distance = gap @ np.linalg.solve(np.cov(draws, rowvar=False), gap)
    return _chi_square(float(distance), free)


def backtest(
    runs: pd.DataFrame,
    *,
    largest: int = 4,
    by: str = "params",
    fit: Callable[[pd.DataFrame], Result[Any]] = fit_chinchilla,
    scale: Sequence[str] | None = None,
    observed: str = "loss",
) -> Backtest:
    """Hold out the largest runs, fit the others, and predict what was held out.

    Parameters
    ----------
    runs : DataFrame
        The columns named by `by`, `scale` and `observed`, and what `fit` needs.
    largest : int, optional
        Number of runs to hold out. Runs tied with the smallest of them are held out too, so
        that no size is split between the two sides.
    by : str, default "params"
        Column that says what large means, for example ``"flops"``.
    fit : callable, default `fit_chinchilla`
        Fits a frame of runs; use ``functools.partial`` to set options, or a function that picks
        columns, such as ``lambda runs: fit_power_law(runs.flops, runs.loss)``.
    scale : sequence of str, optional
        Columns that the fit's ``predict`` takes. A fit to runs knows its own; one of a single
        variable is taken to be of `by`, and refused if that does not return its own residuals.
    observed : str, default "loss"
        Column that was fitted.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        If a column is missing or invalid, `largest` leaves nothing on one side, or `fit` returns
        something that predicts no loss, or does so from other columns.
    FitError
        If the remaining runs cannot be fitted.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> test = sl.backtest(runs[~runs.excluded], largest=10)
    >>> print(f"{test.worst:.1%}")
    3.2%
    """
    runs = as_frame(runs, "runs", "give a DataFrame")
    (size, L), labels = table(runs, (by, observed))
    if not 1 <= largest < len(size):
        raise DataError(f"largest must be between 1 and {len(size) - 1} runs, got {largest}.")
    held = size >= np.sort(size, kind="stable")[-largest]
    if held.all():
        raise DataError(f"every run has the same {by}, so none is larger; choose another column.")
    fitted = fit(runs[~held])
    if not isinstance(fitted, Result) or fitted.predicts != "y":
        refuse(fitted, "judged on the runs held out, since it predicts no loss of a run")
    columns = tuple(scale or fitted.scale or (by,))
    _own_columns(fitted, runs[~held], L[~held], columns)
    predicted = fitted.predict(*(runs.loc[held, name] for name in columns))
    predicted = np.asarray(predicted, dtype=np.float64)
    judged = runs[held].assign(predicted=predicted, error=predicted / L[held] - 1)
    return Backtest(fit=fitted, table=judged.set_axis(labels[held]))


def _own_columns(
    fitted: Result[Any], runs: pd.DataFrame, observed: Floats, columns: tuple[str, ...]
) -> None:
    """Refuse columns from which a fit does not return its own residuals."""
    for name in columns:
        if name not in runs:
            raise DataError(f"runs has no column {name!r}, which the fit predicts from; add it.")
    told = np.asarray(fitted.predict(*(runs[name] for name in columns)), dtype=np.float64)
    with np.errstate(all="ignore"):
        gaps = [observed - told, np.log(observed) - np.log(told)]
    if fitted.additive and not any(
        np.allclose(gap, fitted.residuals, rtol=1e-6, atol=1e-9) for gap in gaps
    ):
        raise DataError(
            f"the fit was not to these columns, {', '.join(columns)}: predicting from them does "
            "not return its residuals; name what it was fitted to with scale and observed."
        )


def _coordinates(law: ChinchillaLaw) -> Floats:
    return np.array([np.log(law.A), np.log(law.B), np.log(law.E), law.alpha, law.beta])


def _chi_square(statistic: float, dof: int) -> ChiSquareTest:
    return ChiSquareTest(statistic, dof, float(stats.chi2.sf(statistic, dof)))
