"""Repeated data: what the runs can say about the decay constants, and how to spend a budget.

`fit_data_constrained` returns the lowest optimum of the objective. This module shows the rest of
the surface, because for the published runs the rest is the finding, and it solves the allocation
problem that the law was made for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib._fit import Fit
from scalinglib._newton import minimise
from scalinglib._validate import table
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN, positive
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw, DataConstrainedLaw, discounted, params_for_tokens
from scalinglib.optimum import compute_optimal

RepetitionFit = Fit[DataConstrainedLaw]

GRID_D = np.geomspace(0.5, 2000.0, 30)
GRID_N = np.geomspace(0.05, 50.0, 20)
"""Starts of a search for all minima, wider than any constant that was ever quoted."""

WITHOUT_END = 1e6
"""A decay constant beyond this has no effect on runs of a few thousand epochs: no decay."""

APART = 1e-3
"""Minima whose constants differ by less than this share are one."""

SCAN = 200
"""Places in the logarithm of N where the slope of the loss is looked at for a change of sign."""


def local_minima(fit: RepetitionFit) -> pd.DataFrame:
    """Every local minimum of the objective that a wide grid of starts leads to.

    Parameters
    ----------
    fit : Fit
        From `fit_data_constrained`.

    Returns
    -------
    DataFrame
        One row per minimum, best first: ``R_D`` and ``R_N`` (infinite for no decay, zero for no
        worth at all), ``objective``, ``excess`` over the best objective (share), and ``share`` of
        the starts that ended there.

    Raises
    ------
    DataError
        If `fit` is not a fit of a data-constrained law.

    Examples
    --------
    >>> import scalinglib as sl
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> runs = sl.load("repeated_data_runs")
    >>> fit = sl.fit_data_constrained(runs[runs.in_published_fit], base=MUENNIGHOFF_2023.base)
    >>> print(local_minima(fit).R_D.round(1).tolist()[:5])
    [95.4, 47.0, 52.2, 160.7, 15.4]
    """
    _check(fit)
    pairs = np.stack(np.meshgrid(np.log(GRID_D), np.log(GRID_N))).reshape(2, -1)
    found = minimise(fit.model.problem, pairs, iterations=4000)
    with np.errstate(over="ignore", under="ignore"):
        constants = np.exp(np.clip(found.theta, -700.0, 700.0))
    constants[constants > WITHOUT_END] = np.inf
    constants[constants < 1 / WITHOUT_END] = 0.0
    rows: list[dict[str, float]] = []
    for at in np.argsort(found.objective, kind="stable"):
        R_D, R_N = (float(value) for value in constants[:, at])
        known = next((row for row in rows if _near((R_D, R_N), (row["R_D"], row["R_N"]))), None)
        if known is None:
            value = float(found.objective[at])
            known = {"R_D": R_D, "R_N": R_N, "objective": value, "share": 0.0}
            rows.append(known)
        known["share"] += 1 / pairs.shape[1]
    minima = pd.DataFrame(rows)
    minima.insert(3, "excess", minima.objective / minima.objective.min() - 1)
    return minima


def objective_profile(fit: RepetitionFit, R_D: ArrayLike) -> pd.DataFrame:
    """Lowest objective for given decay constants of tokens, that of parameters being free.

    Parameters
    ----------
    fit : Fit
        From `fit_data_constrained`.
    R_D : array_like, shape (n,)
        Decay constants of repeated tokens (repetitions).

    Returns
    -------
    DataFrame
        Columns ``R_D``, ``R_N``, ``objective``, and ``excess`` over the fit's objective (share).

    Raises
    ------
    DataError
        If `fit` is of another law or a value is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> runs = sl.load("repeated_data_runs")
    >>> fit = sl.fit_data_constrained(runs[runs.in_published_fit], base=MUENNIGHOFF_2023.base)
    >>> print(objective_profile(fit, [15.387756, 200.0]).excess.map("{:.2%}".format).tolist())
    ['0.13%', '0.08%']
    """
    _check(fit)
    values = np.atleast_1d(positive("R_D", R_D))
    starts = np.log(np.geomspace(0.05, 50.0, 10))
    theta = np.stack([np.repeat(np.log(values), len(starts)), np.tile(starts, len(values))])
    along = np.array([[0.0], [1.0]])
    found = minimise(fit.model.problem, theta, directions=along, iterations=400)
    heights = found.objective.reshape(len(values), -1)
    best = heights.argmin(axis=1)
    rows = np.arange(len(values))
    R_N = np.exp(found.theta[1].reshape(heights.shape)[rows, best])
    lowest = heights[rows, best]
    return pd.DataFrame(
        {"R_D": values, "R_N": R_N, "objective": lowest, "excess": lowest / fit.objective - 1}
    )


def objective_at(fit: RepetitionFit, law: DataConstrainedLaw) -> float:
    """Objective of a fit at the decay constants of another law.

    Parameters
    ----------
    fit : Fit
        From `fit_data_constrained`.
    law : DataConstrainedLaw
        Only its ``R_D`` and ``R_N`` are used.

    Returns
    -------
    float
        Summed loss over the runs of the fit.

    Raises
    ------
    DataError
        If `fit` is of another law.

    Examples
    --------
    >>> import scalinglib as sl
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> runs = sl.load("repeated_data_runs")
    >>> fit = sl.fit_data_constrained(runs[runs.in_published_fit], base=MUENNIGHOFF_2023.base)
    >>> print(f"{objective_at(fit, MUENNIGHOFF_2023):.10f}")
    0.0158259352
    """
    _check(fit)
    problem, theta = fit.model.problem, np.log([[law.R_D], [law.R_N]])
    value, _, _ = problem.evaluate(theta, np.ones((1, problem.n_points)), np.zeros(1))
    return float(value[0])


def flat_range(profile: pd.DataFrame, excess: float) -> tuple[float, float]:
    """Smallest and largest R_D whose objective lies within `excess` of the best.

    Parameters
    ----------
    profile : DataFrame
        From `objective_profile`, on an ascending grid.
    excess : float
        Share of the best objective.

    Returns
    -------
    tuple of float
        Interpolated in the logarithm of R_D; zero or infinity where the grid does not close it.

    Raises
    ------
    DataError
        If no value of the grid lies within `excess`.

    Examples
    --------
    >>> grid = pd.DataFrame({"R_D": [1.0, 10.0, 100.0], "excess": [0.01, 0.0, 0.02]})
    >>> print([f"{one:.3f}" for one in flat_range(grid, 0.005)])
    ['3.162', '17.783']
    """
    inside = np.flatnonzero(profile.excess <= excess)
    if not len(inside):
        raise DataError(f"no R_D of the profile lies within {excess:g} of the best; refine it.")
    x, y = np.log(profile.R_D.to_numpy()), profile.excess.to_numpy()

    def crossing(i: int, j: int) -> float:
        return float(np.exp(x[i] + (excess - y[i]) / (y[j] - y[i]) * (x[j] - x[i])))

    first, last = int(inside[0]), int(inside[-1])
    low = 0.0 if first == 0 else crossing(first - 1, first)
    high = np.inf if last == len(x) - 1 else crossing(last, last + 1)
    return low, high


def r_squared(observed: ArrayLike, predicted: ArrayLike) -> float:
    """Share of the variance of the losses that a prediction explains.

    Parameters
    ----------
    observed, predicted : array_like, shape (n,)
        Losses (nats per token).

    Returns
    -------
    float
        1 - residual sum of squares over total sum of squares; negative for a prediction that is
        worse than the mean.

    Examples
    --------
    >>> print(r_squared([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]))
    1.0
    """
    seen = np.asarray(observed, dtype=np.float64)
    gap = seen - np.asarray(predicted, dtype=np.float64)
    return float(1 - np.sum(gap**2) / np.sum((seen - seen.mean()) ** 2))


def worth_of_epochs(epochs: ArrayLike, R_D: float) -> pd.DataFrame:
    """What passes over the same data are worth under a decay constant.

    Parameters
    ----------
    epochs : array_like, shape (n,)
        Passes over the data, at least one.
    R_D : float
        Decay constant of repeated tokens (repetitions).

    Returns
    -------
    DataFrame
        Columns ``epochs``, ``worth`` (fresh passes that would do as well), ``kept`` (worth per
        pass) and ``marginal`` (worth of the last token seen, the first being one).

    Raises
    ------
    DataError
        If a value is below one, or `R_D` is not positive.

    References
    ----------
    Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", Sec. 3.

    Examples
    --------
    >>> print(worth_of_epochs([4, 16, 40], 15.387756).round(3).to_string(index=False))
     epochs  worth  kept  marginal
        4.0  3.726 0.931     0.823
       16.0 10.582 0.661     0.377
       40.0 15.167 0.379     0.079
    """
    passes, R = np.atleast_1d(positive("epochs", epochs)), float(positive("R_D", R_D))
    if (passes < 1).any():
        raise DataError(f"epochs is {passes.min():g}; data are seen at least once.")
    worth = discounted(passes, 1.0, R)
    return pd.DataFrame(
        {
            "epochs": passes,
            "worth": worth,
            "kept": worth / passes,
            "marginal": np.exp(-(passes - 1) / R),
        }
    )


def half_value_epoch(R_D: float) -> float:
    """The pass whose tokens are worth half of fresh ones, 1 + R_D ln 2.

    Parameters
    ----------
    R_D : float
        Decay constant (repetitions).

    Returns
    -------
    float

    Raises
    ------
    DataError
        If `R_D` is not positive.

    Examples
    --------
    >>> print(f"{half_value_epoch(15.387756):.2f}")
    11.67
    """
    return float(1 + positive("R_D", R_D) * np.log(2))


def epochs_keeping(share: float, R_D: float) -> float:
    """Passes over the data after which they have kept a share of the value of fresh data.

    Parameters
    ----------
    share : float
        Worth per pass, between 0 and 1.
    R_D : float
        Decay constant (repetitions).

    Returns
    -------
    float
        Epochs.

    Raises
    ------
    DataError
        If `share` does not lie between 0 and 1, or `R_D` is not positive.

    Examples
    --------
    >>> print(f"{epochs_keeping(0.9, 15.387756):.2f}")
    5.17
    """
    if not 0 < share < 1:
        raise DataError(f"share is {share:g}; give a share of the value between 0 and 1.")
    R = float(positive("R_D", R_D))
    # Worth never exceeds 1 + R, so by 2 (1 + R) / share passes the share is surely lost.
    high = 2 * (1 + R) / share
    return float(brentq(lambda e: float(discounted(e, 1.0, R)) / e - share, 1.0, high, xtol=1e-12))


@dataclass(frozen=True, slots=True)
class DataLimitedAllocation:
    """How a budget is best spent when only `U` unique tokens exist.

    Parameters
    ----------
    C : float
        Training compute (FLOP).
    U : float
        Unique tokens (count).
    N, D : float
        Parameters and training tokens, repetitions included (counts).
    loss : float
        Predicted loss (nats per token).

    Examples
    --------
    >>> DataLimitedAllocation(C=1.2e22, U=25e9, N=1e10, D=2e11, loss=2.2).epochs
    8.0
    """

    C: float
    U: float
    N: float
    D: float
    loss: float

    @property
    def epochs(self) -> float:
        """Passes over the unique tokens; below one when some of them are never used."""
        return self.D / self.U


def data_limited_optimal(law: DataConstrainedLaw, C: float, U: float) -> DataLimitedAllocation:
    """Split a budget C = 6 N D so that the loss is smallest with `U` unique tokens.

    The slope of the loss along the budget is known in closed form. Every place where it turns from
    falling to rising is solved to rounding, and the lowest of them is returned, so that a loss
    with several valleys does not mislead the search.

    Parameters
    ----------
    law : DataConstrainedLaw
        The law.
    C : float
        Training compute (FLOP).
    U : float
        Unique tokens (count).

    Returns
    -------
    DataLimitedAllocation

    Raises
    ------
    DataError
        If `C` or `U` is not positive and finite.

    References
    ----------
    Muennighoff et al. 2023, Sec. 4.

    Examples
    --------
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> best = data_limited_optimal(MUENNIGHOFF_2023, C=1e22, U=25e9)
    >>> print(f"{best.N / 1e9:.3f}B parameters, {best.epochs:.3f} epochs")
    7.026B parameters, 9.488 epochs
    """
    for name, value in (("C", C), ("U", U)):
        if not np.isfinite(positive(name, value)):
            raise DataError(f"{name} must be finite; for unlimited data use compute_optimal.")
    free = compute_optimal(law.base, C)
    if free.D <= U:
        return DataLimitedAllocation(float(C), float(U), float(free.N), float(free.D),
                                     float(free.loss))  # fmt: skip

    def slope(log_N: float) -> float:
        return _slope(law, log_N, float(C), float(U))

    # With every token seen once the model is too large; a thousandth of the unlimited optimum is
    # too small, because then even fresh tokens would not pay.
    ends = np.log(float(free.N) / 1e3), np.log(float(C) / FLOPS_PER_PARAM_TOKEN / float(U))
    grid = np.linspace(min(ends), max(ends), SCAN)
    signs = np.array([slope(at) for at in grid])
    turns = np.flatnonzero((signs[:-1] < 0) & (signs[1:] >= 0))
    found = [brentq(slope, grid[k], grid[k + 1], xtol=1e-14, rtol=1e-14) for k in turns]
    # Where text is so short that both terms have saturated the bottom is flat; the smallest model
    # on it is the one to train.
    sizes = np.sort(np.exp(np.concatenate([grid, found])), kind="stable")
    tokens = float(C) / FLOPS_PER_PARAM_TOKEN / sizes
    losses = law.loss(sizes, tokens, U)
    k = int(np.argmin(losses))
    return DataLimitedAllocation(
        float(C), float(U), float(sizes[k]), float(tokens[k]), float(losses[k])
    )


def repeated_pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs on repeated data beside the run of the same size and length on fresh data.

    Where several runs share size, tokens and unique tokens their mean is taken.

    Parameters
    ----------
    runs : DataFrame
        Columns ``params``, ``tokens``, ``unique_tokens`` (counts) and ``loss`` (nats per token).

    Returns
    -------
    DataFrame
        One row per size, length and number of unique tokens below that length: ``params``,
        ``tokens``, ``unique_tokens``, ``epochs``, ``loss``, ``fresh`` (loss without repetition),
        and ``penalty``, their difference.

    Raises
    ------
    DataError
        If a column is missing, or no size and length was trained both ways.

    Examples
    --------
    >>> import scalinglib as sl
    >>> pairs = repeated_pairs(sl.load("repeated_data_runs"))
    >>> one = pairs[(pairs.params == 2.81e9) & (pairs.tokens == 5.5e10)]
    >>> print(one.penalty.round(3).tolist()[-3:])
    [0.02, 0.012, 0.006]
    """
    (N, D, U, L), _ = table(runs, ("params", "tokens", "unique_tokens", "loss"))
    frame = pd.DataFrame({"params": N, "tokens": D, "unique_tokens": U, "loss": L})
    means = frame.groupby(["params", "tokens", "unique_tokens"], as_index=False).loss.mean()
    fresh = means[means.unique_tokens >= means.tokens].set_index(["params", "tokens"]).loss
    pairs = means[means.unique_tokens < means.tokens].join(
        fresh.rename("fresh"), on=["params", "tokens"], how="inner"
    )
    if not len(pairs):
        raise DataError(
            "no size and number of tokens was trained on fresh and on repeated data, so nothing "
            "can be compared run by run; add the fresh runs."
        )
    pairs.insert(3, "epochs", pairs.tokens / pairs.unique_tokens)
    return pairs.assign(penalty=pairs.loss - pairs.fresh).reset_index(drop=True)


def measured_worth(pairs: pd.DataFrame, base: ChinchillaLaw) -> pd.Series[float]:
    """Fresh passes that would have given the loss of each repeated run, by the data term alone.

    Parameters
    ----------
    pairs : DataFrame
        From `repeated_pairs`.
    base : ChinchillaLaw
        The law for fresh data; only its data term B D^-beta is used.

    Returns
    -------
    Series
        Passes, under the labels of `pairs`; the number of epochs where repetition cost nothing,
        and more where the repeated run is the better one.

    Examples
    --------
    >>> import scalinglib as sl
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> pairs = repeated_pairs(sl.load("repeated_data_runs"))
    >>> worth = measured_worth(pairs, MUENNIGHOFF_2023.base)
    >>> print(f"{(worth / pairs.epochs)[pairs.epochs.round(2) == 3.93].iloc[-1]:.2f}")
    0.80
    """
    data = base.B * pairs.tokens**-base.beta
    worth: pd.Series[float] = ((data + pairs.penalty) / base.B) ** (-1 / base.beta)
    return (worth / pairs.unique_tokens).rename("worth")


def predicted_price(law: DataConstrainedLaw, pairs: pd.DataFrame) -> pd.Series[float]:
    """Share by which a law expects repetition to raise the loss of each pair.

    Parameters
    ----------
    law : DataConstrainedLaw
        The law.
    pairs : DataFrame
        From `repeated_pairs`.

    Returns
    -------
    Series
        Loss with repetition over loss on fresh data, minus one, under the labels of `pairs`; the
        measured counterpart is ``pairs.penalty / pairs.fresh``.

    Examples
    --------
    >>> import scalinglib as sl
    >>> from scalinglib.published.data_limits import MUENNIGHOFF_2023
    >>> pairs = repeated_pairs(sl.load("repeated_data_runs"))
    >>> few = pairs[pairs.epochs < 4.1]
    >>> price = predicted_price(MUENNIGHOFF_2023, few)
    >>> print(f"{price.median():.2%} expected, {(few.penalty / few.fresh).median():.2%} measured")
    0.98% expected, 0.41% measured
    """
    repeated = law.loss(pairs.params, pairs.tokens, pairs.unique_tokens)
    ratio = repeated / law.loss(pairs.params, pairs.tokens, pairs.tokens)
    return pd.Series(ratio - 1, index=pairs.index, name="price")


def _slope(law: DataConstrainedLaw, log_N: float, C: float, U: float) -> float:
    """Derivative of the loss in ln N along C = 6 N D."""
    base, N = law.base, float(np.exp(log_N))
    D = C / FLOPS_PER_PARAM_TOKEN / N
    U_N = float(params_for_tokens(base, U))
    size, size_slope = _worth(N, min(U_N, N), law.R_N)
    data, data_slope = _worth(D, min(U, D), law.R_D)
    falling = base.alpha * base.A * size**-base.alpha * size_slope
    rising = base.beta * base.B * data**-base.beta * data_slope
    return float(rising - falling)


def _worth(total: float, fresh: float, R: float) -> tuple[float, float]:
    """Worth of `total` units and its logarithmic derivative in `total`."""
    repeats = total / fresh - 1
    worth = float(discounted(total, fresh, R))
    return worth, total * float(np.exp(-repeats / R)) / worth


def _near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(
        a == b or (np.isfinite(a) and abs(a - b) <= APART * abs(b))
        for a, b in zip(one, other, strict=True)
    )


def _check(fit: RepetitionFit) -> None:
    if not isinstance(fit.law, DataConstrainedLaw):
        raise DataError(
            f"fit is of a {type(fit.law).__name__}; give one from fit_data_constrained."
        )
