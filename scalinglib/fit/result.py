"""The result of a fit, and how an optimum becomes one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats
from scalinglib.errors import DataError
from scalinglib.fit.model import Model, Restriction
from scalinglib.fit.search import Optimum, solve
from scalinglib.fit.warnings import condition_number, sentences

Loss = Literal["huber", "lad", "l2"]

LawT = TypeVar("LawT")

DELTA = 1e-3
"""Huber threshold of the log residual, in log units: the published one (Hoffmann et al. 2022, Sec.
3.3). Every fit and replay defaults to it, but for fits over corpora (`CORPORA_DELTA`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Result(Generic[LawT]):
    """What every fit of the package returns: the law at the optimum, and how it was found.

    The residuals are observed less predicted, in the scale of the fit. `agreement` is the share of
    the starts that reached the objective, and `warnings` says in sentences what to doubt.
    """

    law: LawT
    objective: float
    residuals: pd.Series[float]
    warnings: tuple[str, ...]
    agreement: float

    @property
    def n_runs(self) -> int:
        """Number of runs or points fitted."""
        return len(self.residuals)

    @property
    def params(self) -> pd.Series[float]:
        """The law's parameters by name."""
        values = {
            field.name: getattr(self.law, field.name)
            for field in fields(self.law)  # type: ignore[arg-type]
            if field.compare
        }
        return pd.Series(values, name="value", dtype=np.float64)

    @property
    def held(self) -> tuple[str, ...]:
        """Parameters that the fit could not move."""
        return ()

    def predict(self, *scale: ArrayLike) -> Floats:
        """Predict with the fitted law.

        Parameters
        ----------
        *scale : array_like
            What the law takes, for example `N` and `D` (counts).

        Returns
        -------
        ndarray of float64
            In the unit of the fitted quantity, nats per token for a loss.

        Raises
        ------
        DataError
            If a value is outside the law's domain.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("chinchilla_runs")
        >>> fit = sl.fit_chinchilla(runs[~runs.excluded])
        >>> print(f"{fit.predict(70e9, 1.4e12):.4f}")
        1.9734
        """
        return evaluate(self.law, *scale)

    def summary(self) -> pd.DataFrame:
        """Tabulate the parameters and how each was treated.

        Returns
        -------
        DataFrame
            One row per parameter: its value, and whether it was fitted or held. Standard
            errors come from `bootstrap`.

        Examples
        --------
        >>> import scalinglib as sl
        >>> fit = sl.fit_power_law([1.0, 10.0, 100.0], [8.0, 4.0, 2.0])
        >>> print(fit.summary()["role"].to_dict())
        {'A': 'fitted', 'alpha': 'fitted', 'E': 'held'}
        """
        values = self.params
        roles = ["held" if name in self.held else "fitted" for name in values.index]
        return pd.DataFrame({"value": values, "role": roles})


class Refit(Protocol):
    """A fit made ready to be repeated: weights of the points (R, m) to parameters and objectives.

    It is pickled to workers, so it holds no more than it needs.
    """

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        """Parameters (R, k) and objectives (R,) of rows of weights."""
        ...


@dataclass(frozen=True, slots=True)
class _EngineRefit:
    """Every row starts at the fit."""

    model: Model
    theta: Floats
    directions: Floats | None
    lad: bool

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        theta, objective = solve(
            self.model.problem, self.theta[:, None], weights, self.directions, lad=self.lad
        )
        return self.model.params(theta).T, objective


def evaluate(law: Any, *scale: ArrayLike) -> Floats:
    """The loss of a law, or the value of a curve."""
    prediction: Floats = law.loss(*scale) if hasattr(law, "loss") else law.value(*scale)
    return prediction


@dataclass(frozen=True, slots=True, eq=False)
class Fit(Result[LawT]):
    """A law fitted to logarithms of losses, and how it was found.

    Parameters
    ----------
    law : ChinchillaLaw, PowerLaw, KaplanLaw, DataConstrainedLaw or SaturatingLaw
        The law at the optimum.
    objective : float
        The loss at the optimum, summed over the runs.
    residuals : Series
        ln(observed) - ln(predicted) under the row labels of the runs.
    warnings : tuple of str
        Sentences on what should be doubted; empty when nothing is wrong.
    agreement : float
        Share of the starts that reached this objective to 1e-9 relative. A low share is
        information about a hard problem, not a failure.
    loss : {"huber", "lad", "l2"}
        Which loss of the log residual was summed: Huber, absolute value, or half the square.
    delta : float
        Threshold of the Huber loss; infinite for least squares, zero for absolute deviations.
    gradient : float
        Largest entry of the objective's gradient at the optimum, in centred coordinates.
    condition : float
        Condition number of the scaled Jacobian at the optimum; sound designs lie below 60.
    model : Model
        Points and parametrisation, kept so that the fit can be repeated on resamples.
    theta : ndarray, shape (p,)
        The optimum in the solver's coordinates.
    restriction : Restriction
        Which parameters were fixed or tied.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_chinchilla(runs[~runs.excluded])
    >>> print(fit.n_runs, f"{fit.objective:.6e}", fit.warnings)
    240 1.018276e-03 ()
    """

    loss: Loss
    delta: float
    gradient: float
    condition: float
    model: Model
    theta: Floats
    restriction: Restriction

    @property
    def params(self) -> pd.Series[float]:
        """The law's parameters by name."""
        values = self.model.params(self.theta[:, None])[:, 0]
        return pd.Series(values, index=list(self.model.names), name="value")

    @property
    def held(self) -> tuple[str, ...]:
        """Parameters that the fit could not move."""
        names = self.model.names
        return tuple(name for name in names if not moves(self.model, self.restriction, name))

    @property
    def decaying(self) -> tuple[str, ...]:
        """Exponents that a law of this kind needs to be positive."""
        return self.model.decaying

    @property
    def n_free(self) -> int:
        """Number of parameters that the fit could choose."""
        return len(self.restriction.free)

    def rebuild(self, params: Floats) -> LawT:
        """The law with other parameters, in the order of `params`."""
        law: LawT = self.model.law(params)
        return law

    def again(self) -> Refit:
        """The fit made ready to be repeated on resamples."""
        directions = self.restriction.directions
        whole = directions.shape[0] == directions.shape[1]
        return _EngineRefit(
            self.model, self.theta, None if whole else directions, self.loss == "lad"
        )


def threshold(loss: str, delta: float) -> float:
    """Huber threshold that the solver starts from for a loss."""
    if loss not in ("huber", "lad", "l2"):
        raise DataError(f"loss must be 'huber', 'lad' or 'l2', got {loss!r}.")
    if not (np.isfinite(delta) and delta > 0):
        raise DataError(
            f"delta must be positive and finite, got {delta}; for least squares use "
            "loss='l2', for absolute deviations loss='lad'."
        )
    return {"huber": float(delta), "lad": DELTA, "l2": np.inf}[loss]


def moves(model: Model, restriction: Restriction, name: str) -> bool:
    """Whether a parameter can change under a restriction."""
    if not restriction.fixed and not restriction.tied:
        return True
    row = model.equation(name).row
    return bool(np.any(np.abs(row @ restriction.directions) > 1e-12))


def conclude(
    model: Model, best: Optimum, restriction: Restriction, labels: pd.Index, loss: Loss
) -> Fit[Any]:
    """Turn an optimum into a `Fit`, with every doubt that it deserves."""
    r, J = model.problem.linearise(best.theta)
    residuals = pd.Series(-r, index=labels, name="residual")
    params = model.params(best.theta[:, None])[:, 0]
    named = dict(zip(model.names, params, strict=True))
    fitted = [name for name in model.names if moves(model, restriction, name)]
    condition = condition_number(J, restriction.directions)
    warnings = sentences(
        {name: share for name, share in model.shares(best.theta, J).items() if name in fitted},
        {name: named[name] for name in model.decaying if name in fitted},
        residuals,
        best.agreement,
        condition,
        pd.DataFrame(
            model.params(np.concatenate([best.theta[:, None], best.rivals], axis=1)).T,
            columns=list(model.names),
        ),
        converged=best.converged,
    )
    return Fit(
        law=model.law(params),
        objective=best.objective,
        loss=loss,
        delta=0.0 if loss == "lad" else model.problem.delta,
        warnings=warnings,
        residuals=residuals,
        agreement=best.agreement,
        gradient=best.gradient,
        condition=condition,
        model=model,
        theta=best.theta,
        restriction=restriction,
    )
