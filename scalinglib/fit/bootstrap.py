"""How far a fit can be trusted: the bootstrap, its intervals, and prediction bands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, tails
from scalinglib.errors import DataError
from scalinglib.fit import warnings
from scalinglib.fit.resample import Positions, counts, draw, given, members
from scalinglib.fit.result import Refit, refuse

Statistic = str | Callable[[Any], float]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """A fit repeated on resampled runs.

    Parameters
    ----------
    fit : Fit, CurveFit or OvertrainingFit
        The fit to the runs as they are.
    params : DataFrame, shape (n, k)
        Parameters of each resample, one column per parameter.
    objectives : ndarray, shape (n,)
        Summed loss of each resample at its optimum.
    warnings : tuple of str
        Sentences on what the intervals can bear, those of the fit first.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_chinchilla(runs[~runs.excluded])
    >>> boot = sl.bootstrap(fit, n=400, seed=1)
    >>> boot.params.shape
    (400, 5)
    """

    fit: Any
    params: pd.DataFrame
    objectives: Floats
    warnings: tuple[str, ...]

    def se(self) -> pd.Series[float]:
        """Standard errors: standard deviations over the resamples, with n - 1.

        Returns
        -------
        Series
            One entry per parameter.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=400, seed=1)
        >>> bool(0.01 < boot.se()["alpha"] < 0.02)
        True
        """
        return self.params.std(ddof=1)

    def covariance(self) -> pd.DataFrame:
        """Covariance matrix of the parameters over the resamples.

        Returns
        -------
        DataFrame, shape (k, k)

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=400, seed=1)
        >>> boot.covariance().shape
        (5, 5)
        """
        return self.params.cov()

    def values(self, statistic: Statistic) -> Floats:
        """Evaluate a parameter or a function of the law in every resample.

        Parameters
        ----------
        statistic : str or callable
            A parameter, an attribute of the law such as ``"a"``, or a function that takes a
            law and returns a number.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        DataError
            If the law has nothing of that name.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=400, seed=1)
        >>> boot.values(lambda law: law.a + law.b).round(12).min()
        np.float64(1.0)
        """
        if isinstance(statistic, str):
            if statistic in self.params:
                column: Floats = self.params[statistic].to_numpy(dtype=np.float64)
                return column
            if not hasattr(self.fit.law, statistic):
                raise DataError(
                    f"{statistic!r} is neither a parameter nor an attribute of "
                    f"{type(self.fit.law).__name__}; use one of {', '.join(self.params)}, or pass "
                    "a function of a law."
                )
            return np.array([getattr(law, statistic) for law in self._laws()])
        return np.array([statistic(law) for law in self._laws()], dtype=np.float64)

    def interval(self, statistic: Statistic, *, level: float = 0.95) -> tuple[float, float]:
        """Percentile interval of a parameter or of a function of the law.

        Parameters
        ----------
        statistic : str or callable
            As in `values`.
        level : float, optional
            Nominal coverage; read `warnings` before quoting it.

        Returns
        -------
        tuple of float
            Low and high end.

        Raises
        ------
        DataError
            If `level` is not between 0 and 1, or the law has nothing of that name.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=400, seed=1)
        >>> low, high = boot.interval("a", level=0.8)
        >>> bool(low < 0.5139 < high)
        True
        """
        low, high = np.quantile(self.values(statistic), tails(level))
        return float(low), float(high)

    def band(
        self,
        *scale: ArrayLike,
        level: float = 0.95,
        kind: Literal["confidence", "predictive"] = "confidence",
        seed: int = 0,
    ) -> pd.DataFrame:
        """Band around the predictions.

        A confidence band is for the law itself. A predictive band is for one new run: each
        resampled law is given one log residual drawn from those of the fit, widened by
        sqrt(n / (n - k)) for the k parameters fitted. The residuals of a fit that was not to
        logarithms are added as they are. A resample whose constants overflow predicts no number
        and counts as beyond either end. From few runs neither kind keeps its level, which
        `warnings` says; `profile` with a place does.

        Parameters
        ----------
        *scale : array_like, shape (q,)
            What the law's ``loss`` takes, for example `N` and `D` (counts).
        level : float, optional
            Nominal coverage at each point.
        kind : {"confidence", "predictive"}, default "confidence"
            What the band is for.
        seed : int, optional
            Seed of the residual draws of a predictive band.

        Returns
        -------
        DataFrame
            Columns ``low``, ``predicted``, ``high`` and ``kind``, one row per point.

        Raises
        ------
        DataError
            If `level` or `kind` is not valid, or a predictive band is asked of a curve that was
            fitted under a transform other than the logarithm.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=400, seed=1)
        >>> band = boot.band([7e9, 70e9], [1.4e11, 1.4e12], kind="predictive")
        >>> print(band.columns.tolist(), band.kind.unique().tolist())
        ['low', 'predicted', 'high', 'kind'] ['predictive']
        """
        if kind not in ("confidence", "predictive"):
            raise DataError(f"kind must be 'confidence' or 'predictive', got {kind!r}.")
        points = [np.atleast_1d(np.asarray(axis, dtype=np.float64)) for axis in scale]
        with np.errstate(all="ignore"):  # wild resamples predict no number
            told = np.stack([self.fit.value_of(law, *points) for law in self._laws()])
            logs = np.log(told) if self.fit.logarithmic else told
        if kind == "predictive":
            if not self.fit.additive:
                raise DataError(
                    "a predictive band needs residuals of y or of ln y, and this curve was fitted "
                    "under another transform; ask for kind='confidence'."
                )
            n, k = self.fit.n_runs, self.fit.n_free
            pool = self.fit.residuals.to_numpy() * np.sqrt(n / (n - k))
            logs += np.random.default_rng(seed).choice(pool, size=(len(logs), 1))
        ends = _ends(logs, level)
        low, high = np.exp(ends) if self.fit.logarithmic else ends
        predicted = np.broadcast_to(self.fit.predict(*points), low.shape)
        return pd.DataFrame({"low": low, "predicted": predicted, "high": high, "kind": kind})

    def _laws(self) -> Iterator[Any]:
        return (self.fit.rebuild(row) for row in self.params.to_numpy())


def _ends(draws: Floats, level: float) -> Floats:
    """Low and high ends (2, q) of draws (n, q), of which those that are no number bound neither."""
    known = draws < np.inf
    if known.all():
        return np.asarray(np.quantile(draws, tails(level), axis=0))
    sides = zip(tails(level), (-np.inf, np.inf), ("lower", "higher"), strict=True)
    return np.stack(
        [np.quantile(np.where(known, draws, away), share, axis=0, method=method)  # type: ignore[call-overload]
         for share, away, method in sides]
    )  # fmt: skip


def bootstrap(
    fit: Any,
    n: int = 4000,
    *,
    seed: int = 0,
    resamples: ArrayLike | Sequence[ArrayLike] | None = None,
    clusters: ArrayLike | None = None,
    executor: Executor | None = None,
) -> Bootstrap:
    """Repeat a fit on runs drawn with replacement.

    All resamples are solved together, each started at the fit. They are handed out in units of
    fixed size, so the digits are the same whatever the executor and its number of workers.

    Parameters
    ----------
    fit : Fit, CurveFit or OvertrainingFit
        Any fit of the engine, of a curve, or of `fit_overtraining`.
    n : int, optional
        Number of resamples.
    seed : int, optional
        Seed of ``numpy.random.default_rng``, which draws run positions.
    resamples : ndarray of int, shape (n, r), or sequence of n rows, optional
        Positions of the drawn runs, in the order of the frame that was fitted; replaces `n`
        and `seed`, for replaying a published resampling. Rows may be of unequal length.
    clusters : array_like, shape (runs,), optional
        Label of the cluster of each run. Runs that share their luck, such as checkpoints of one
        training run or runs of one model size, are drawn together or not at all; positions in
        `resamples` then count clusters in the order of their sorted labels.
    executor : concurrent.futures.Executor, optional
        Where the work is done: a process pool, ``dask.distributed.Client.get_executor()`` or
        any other executor; in this thread when left out.

    Returns
    -------
    Bootstrap

    Raises
    ------
    DataError
        If the fit is of a kind that resamples itself (the message names its method), `n` is below
        2, `resamples` is not a table of valid positions, or `clusters` does not
        give each run one of at least two labels.

    References
    ----------
    Efron 1979, "Bootstrap methods: another look at the jackknife" (resampling of pairs).

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_chinchilla(runs[~runs.excluded])
    >>> boot = sl.bootstrap(fit, n=1000, seed=0)
    >>> low, high = boot.interval("alpha")
    >>> print(f"{low:.2f} to {high:.2f}")
    0.32 to 0.37
    """
    if not hasattr(fit, "again"):
        refuse(fit, "repeated on resamples")
    task = fit.again()
    own = None if clusters is None else members(clusters, fit.n_runs)
    units = fit.n_runs if own is None else int(own.max()) + 1
    drawn = draw(units, n, seed=seed) if resamples is None else given(resamples, units)
    if executor is None:
        parts = [_refit(task, unit, units, own) for unit in drawn]
    else:
        futures = [executor.submit(_refit, task, unit, units, own) for unit in drawn]
        parts = [future.result() for future in futures]
    table = pd.DataFrame(
        np.concatenate([part[0] for part in parts]), columns=list(fit.params.index)
    )
    return Bootstrap(
        fit=fit,
        params=table,
        objectives=np.concatenate([part[1] for part in parts]),
        warnings=(
            *fit.warnings,
            *warnings.of_resamples(
                fit.residuals,
                fit.n_free,
                table[list(fit.decaying)],
                units,
                relative=fit.logarithmic,
                clustered=own is not None,
            ),
        ),
    )


def _refit(
    task: Refit, drawn: Positions, units: int, own: Positions | None
) -> tuple[Floats, Floats]:
    """Repeat a fit on one table of drawn units, each of which is a run or stands for its own."""
    weights = counts(drawn, units)
    return task(weights if own is None else np.take(weights, own, axis=1))
