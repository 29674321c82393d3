"""The result of a fit, and how an optimum becomes one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Literal, NoReturn, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats
from scalinglib.errors import DataError, FitError
from scalinglib.fit.huber import PowerSum
from scalinglib.fit.model import Model, Restriction
from scalinglib.fit.search import Optimum, solve
from scalinglib.fit.warnings import (
    UNDETERMINED,
    condition_number,
    design_condition,
    moving,
    sentences,
)

Loss = Literal["huber", "lad", "l2"]

LawT = TypeVar("LawT")

STEP = 1e-30
"""Imaginary step of a derivative; nothing is subtracted, so it may be as small as this."""

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
    predicts: ClassVar[str] = "y"
    instead: ClassVar[str] = "give a fit that this package returns, such as that of fit_chinchilla"

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
        return self.value_of(self.law, *scale)

    @property
    def scale(self) -> tuple[str, ...] | None:
        """Columns of a frame of runs that `predict` takes; None where the fit cannot know."""
        return None

    @property
    def logarithmic(self) -> bool:
        """Whether the residuals are differences of logarithms."""
        return False

    @property
    def additive(self) -> bool:
        """Whether the residuals are differences of y, or of ln y."""
        return True

    def value_of(self, law: Any, *scale: ArrayLike) -> Floats:
        """What `predict` would say if the law were this one."""
        return evaluate(law, *scale)

    def again(self) -> Refit:
        """The fit made ready to be repeated on resamples, for the kinds that can be."""
        refuse(self, "repeated on resamples")

    def summary(self) -> pd.DataFrame:
        """Tabulate the parameters and how each was treated.

        Returns
        -------
        DataFrame
            One row per parameter: its value, and whether it was fitted or held; with their
            standard error where `sigma` was given, or the fit is of a curve. Other standard
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


def refuse(fit: Any, what: str) -> NoReturn:
    """Say that something cannot be done with a fit, and what its own kind offers instead."""
    instead = getattr(fit, "instead", Result.instead)
    raise DataError(f"a {type(fit).__name__} cannot be {what}; {instead}.")


def law_of(fit: Any) -> Any:
    """The law of a fit, in parameters and tokens where it has that form; a law stays as it is."""
    law = fit.law if isinstance(fit, Result) else fit
    return getattr(law, "chinchilla", law)


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
    absolute : bool
        Whether least squares was told the standard errors of what it fitted: then `summary` and
        `profile` take them at their word, and the objective is half of chi-square.

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
    absolute: bool = False
    instead: ClassVar[str] = "use bootstrap, profile or predict"

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

    @property
    def scale(self) -> tuple[str, ...] | None:
        """Columns of a frame of runs that `predict` takes, for a law of runs."""
        return self.model.scale or None

    @property
    def logarithmic(self) -> bool:
        """The residuals are differences of logarithms."""
        return True

    @property
    def standard_errors(self) -> pd.Series[float]:
        """Errors of the parameters that follow from the `sigma` given; NaN for those held."""
        if not self.absolute:
            raise DataError(
                "standard errors need those of the observations, given as sigma to a fit with "
                "loss='l2'; without them use bootstrap."
            )
        _, J = self.model.problem.linearise(self.theta)
        D = self.restriction.directions
        moving = D.T @ J * np.sqrt(self.model.problem.mass)
        steps = self.theta[:, None] + STEP * 1j * np.eye(len(self.theta))
        slopes = np.imag(self.model.params(steps)) / STEP @ D
        errors = np.linalg.norm(slopes @ np.linalg.pinv(moving).T, axis=1)
        found = pd.Series(errors, index=list(self.model.names), name="standard error")
        return found.where(~found.index.isin(self.held))

    def summary(self) -> pd.DataFrame:
        """Tabulate the parameters, as every `Result` does, with errors where `sigma` was given."""
        table = Result.summary(self)
        return table.assign(standard_error=self.standard_errors) if self.absolute else table

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
    model: Model,
    best: Optimum,
    restriction: Restriction,
    labels: pd.Index,
    loss: Loss,
    doubts: tuple[str, ...] = (),
    *,
    absolute: bool = False,
) -> Fit[Any]:
    """Turn an optimum into a `Fit`, with every doubt that it deserves, `doubts` before them."""
    r, J = model.problem.linearise(best.theta)
    residuals = pd.Series(-r, index=labels, name="residual")
    params = model.params(best.theta[:, None])[:, 0]
    if not (np.isfinite(params).all() and np.isfinite(r).all()):
        gone = [name for name, v in zip(model.names, params, strict=True) if not np.isfinite(v)]
        raise FitError(
            f"{', '.join(gone) or 'the prediction'} grows without end, so no law of this form fits "
            f"these points best; use another form{', or ' + doubts[0] if doubts else '.'}"
        )
    weight = np.sqrt(model.problem.mass)
    named = dict(zip(model.names, params, strict=True))
    fitted = [name for name in model.names if moves(model, restriction, name)]
    scaled = moving(J * weight, restriction.directions)
    condition = condition_number(scaled)
    powers = isinstance(model.problem, PowerSum)
    paired = powers and len(best.theta) == len(restriction.free) == 5
    # Fits this close lie in the valley that a bootstrap shows, unless the runs fix nothing.
    alone = powers and condition <= UNDETERMINED
    rivals = best.rivals[:, :0] if alone else best.rivals
    warnings = sentences(
        {name: share for name, share in model.shares(best.theta, J).items() if name in fitted},
        {name: named[name] for name in model.decaying if name in fitted},
        # A point known to be poor is no outlier for it.
        residuals * (weight / np.median(weight)),
        scaled,
        best.agreement,
        condition,
        pd.DataFrame(
            model.params(np.concatenate([best.theta[:, None], rivals], axis=1)).T,
            columns=list(model.names),
        ),
        converged=best.converged,
        design=design_condition(model.problem.u) if paired else None,
    )
    return Fit(
        law=model.law(params),
        objective=best.objective,
        loss=loss,
        delta=0.0 if loss == "lad" else model.problem.delta,
        warnings=(*doubts, *warnings),
        residuals=residuals,
        agreement=best.agreement,
        gradient=best.gradient,
        condition=condition,
        model=model,
        theta=best.theta,
        restriction=restriction,
        absolute=absolute and loss == "l2",
    )
