"""Fit the other laws: Kaplan's joint law, repeated data, and saturation at one or both ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib._fit import DELTA, Fit, Loss, conclude, threshold
from scalinglib._search import search
from scalinglib._smooth import (
    KaplanModel,
    KaplanProblem,
    RepetitionModel,
    RepetitionProblem,
    SaturatingModel,
    SaturatingProblem,
    ShiftedModel,
    ShiftedProblem,
)
from scalinglib._validate import enough_rows, table, varying, vectors
from scalinglib.errors import FitError
from scalinglib.laws import (
    ChinchillaLaw,
    DataConstrainedLaw,
    KaplanLaw,
    SaturatingLaw,
    ShiftedPowerLaw,
    params_for_tokens,
)

RUNAWAY = 20.0
"""An exponent of a shifted power law that has grown beyond this is on its way to infinity."""


def fit_kaplan(runs: pd.DataFrame, *, loss: Loss = "huber", delta: float = DELTA) -> Fit[KaplanLaw]:
    """Fit L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D to training runs.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (non-embedding, count), ``tokens`` (count) and
        ``loss`` (nats per token).
    loss : {"huber", "lad", "l2"}, default "huber"
        Loss of the log residual.
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units; the other losses ignore it.

    Returns
    -------
    Fit
        With a `KaplanLaw`.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not
        valid.
    FitError
        If the runs cannot determine the parameters.

    References
    ----------
    Kaplan et al. 2020, "Scaling Laws for Neural Language Models", Eq. 1.5 and Table 2.

    Examples
    --------
    >>> import pandas as pd
    >>> import scalinglib as sl
    >>> law = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
    >>> runs = pd.DataFrame({"params": [1e6, 1e7, 1e8] * 2, "tokens": [1e8] * 3 + [1e10] * 3})
    >>> runs["loss"] = law.loss(runs.params, runs.tokens)
    >>> print(sl.fit_kaplan(runs).params.round(4)[["alpha_N", "alpha_D"]].to_dict())
    {'alpha_N': 0.076, 'alpha_D': 0.103}
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    enough_rows(values, 4)
    varying(values[2], "loss")
    logs = np.log(values[:2])
    centre = logs.mean(axis=1)
    for axis, name in enumerate(("params", "tokens")):
        varying(values[axis], name)
    problem = KaplanProblem(logs - centre[:, None], np.log(values[2]), threshold(loss, delta))
    model = KaplanModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    return conclude(model, best, restriction, labels, loss)


def fit_data_constrained(
    runs: pd.DataFrame, *, base: ChinchillaLaw, loss: Loss = "huber", delta: float = DELTA
) -> Fit[DataConstrainedLaw]:
    """Fit the decay constants of repeated data over a given law for fresh data.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (count), ``tokens`` (count, repetitions
        included), ``unique_tokens`` (count) and ``loss`` (nats per token).
    base : ChinchillaLaw
        The law for data seen once; its constants are held.
    loss : {"huber", "lad", "l2"}, default "huber"
        Loss of the log residual.
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units; the other losses ignore it.

    Returns
    -------
    Fit
        With a `DataConstrainedLaw`.

    Raises
    ------
    DataError
        If a column is missing or a value is not a positive finite number.
    FitError
        If no run repeats data, or none has more parameters than its unique tokens call for:
        then R_D or R_N has no effect on any prediction.

    References
    ----------
    Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", Sec. 3 and App. A.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import scalinglib as sl
    >>> base = sl.ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
    >>> law = sl.DataConstrainedLaw(base, R_D=15.0, R_N=5.0)
    >>> runs = pd.DataFrame({"params": 3e8, "tokens": 1e9 * np.arange(1.0, 41.0, 3.0)})
    >>> runs["unique_tokens"] = 1e9
    >>> runs["loss"] = law.loss(runs.params, runs.tokens, runs.unique_tokens)
    >>> print(sl.fit_data_constrained(runs, base=base).params.round(3).to_dict())
    {'R_D': 15.0, 'R_N': 5.0}
    """
    values, labels = table(runs, ("params", "tokens", "unique_tokens", "loss"))
    N, D, U, L = values
    enough_rows(values, 2)
    fresh, fitting = np.minimum(D, U), np.minimum(params_for_tokens(base, U), N)
    repeats, excess = D / fresh - 1, N / fitting - 1
    if not repeats.any():
        raise FitError("no run repeats data (tokens <= unique_tokens), so R_D has no effect.")
    if not excess.any():
        raise FitError(
            "no run has more parameters than its unique tokens call for, so R_N has no effect; "
            "add larger models on the same data."
        )
    predictors = np.stack(
        [
            np.full(len(L), np.log(base.E)),
            np.log(base.A) - base.alpha * np.log(fitting),
            np.log(base.B) - base.beta * np.log(fresh),
            excess,
            repeats,
        ]
    )
    exponents = (base.alpha, base.beta)
    problem = RepetitionProblem(predictors, np.log(L), threshold(loss, delta), exponents)
    model = RepetitionModel(problem, base)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    return conclude(model, best, restriction, labels, loss)


def fit_saturating(
    x: ArrayLike, y: ArrayLike, *, loss: Loss = "l2", delta: float = DELTA
) -> Fit[SaturatingLaw]:
    """Fit y = A (1/x + d)^alpha, a power law that levels off at large x.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units, for example examples seen and error rate.
    loss : {"huber", "lad", "l2"}, default "l2"
        Loss of the log residual.
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units; the other losses ignore it.

    Returns
    -------
    Fit
        With a `SaturatingLaw`. Where the points show no plateau d goes to zero, and a warning
        says so.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, or x or y does not vary.

    References
    ----------
    Form M3 of Alabdulmohsin et al. 2022, "Revisiting Neural Scaling Laws in Language and
    Vision"; Zhai et al. 2022, "Scaling Vision Transformers".

    Examples
    --------
    >>> import numpy as np
    >>> import scalinglib as sl
    >>> x = np.geomspace(1e6, 1e9, 12)
    >>> fit = sl.fit_saturating(x, sl.SaturatingLaw(A=50.0, d=1e-8, alpha=0.3).loss(x))
    >>> print(f"{fit.law.A:.3f} {fit.law.d:.3g} {fit.law.alpha:.4f}")
    50.000 1e-08 0.3000
    """
    values, labels = vectors(x=x, y=y)
    enough_rows(values, 3, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    logs = -np.log(values[0])
    centre = -float(logs.mean())
    problem = SaturatingProblem((logs + centre)[None], np.log(values[1]), threshold(loss, delta))
    model = SaturatingModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    return conclude(model, best, restriction, labels, loss)


def fit_shifted_power_law(
    x: ArrayLike, y: ArrayLike, *, loss: Loss = "l2", delta: float = DELTA
) -> Fit[ShiftedPowerLaw]:
    """Fit y = E + A (x + d)^-alpha, a power law that saturates at both ends.

    Parameters
    ----------
    x, y : array_like, shape (n,)
        Positive numbers in any units, for example examples seen and error rate.
    loss : {"huber", "lad", "l2"}, default "l2"
        Loss of the log residual.
    delta : float, default 1e-3
        Threshold of the Huber loss, in log units; the other losses ignore it.

    Returns
    -------
    Fit
        With a `ShiftedPowerLaw`. Where the points show no floor, or no level start, E or d goes
        to zero, and a warning says so.

    Raises
    ------
    DataError
        If lengths differ or a value is not a positive finite number.
    FitError
        If there are too few distinct points, x or y does not vary, or the points follow an
        exponential, to which alpha and d run away together.

    References
    ----------
    Zhai et al. 2022, "Scaling Vision Transformers", Fig. 2.

    Examples
    --------
    >>> import numpy as np
    >>> import scalinglib as sl
    >>> x = np.geomspace(1e-3, 1e3, 25)
    >>> law = sl.ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    >>> print(sl.fit_shifted_power_law(x, law.loss(x)).params.round(6).to_dict())
    {'A': 0.26, 'alpha': 0.35, 'd': 0.01, 'E': 0.09}
    """
    values, labels = vectors(x=x, y=y)
    enough_rows(values, 4, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    logs = np.log(values[0])
    centre = float(logs.mean())
    problem = ShiftedProblem((logs - centre)[None], np.log(values[1]), threshold(loss, delta))
    model = ShiftedModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    fit: Fit[ShiftedPowerLaw] = conclude(model, best, restriction, labels, loss)
    if not fit.law.alpha < RUNAWAY:
        raise FitError(
            "the points fall exponentially towards their floor, so alpha and d grow without end "
            "and no power law fits best; use fit_power_law with offset=True, or add larger x."
        )
    return fit
