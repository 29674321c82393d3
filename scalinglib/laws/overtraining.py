"""Loss far past the compute-optimal ratio of tokens to parameters."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from scalinglib.checks import (
    Floats,
    enough_rows,
    one_ray,
    positive,
    table,
    unit_doubts,
    varying,
)
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError, FitError
from scalinglib.fit.result import Refit, Result
from scalinglib.fit.warnings import TIED, design_condition
from scalinglib.fit.weights import Weights, inverse_sd, rising
from scalinglib.laws.chinchilla import ChinchillaLaw

EXPONENTS = (0.01, 3.0, 400)
"""Range and number of trial exponents of `fit_overtraining`, evenly spaced in the logarithm."""

REACH = 4.0
"""A resample's exponent is looked for within this factor of that of all runs."""

SINGULAR = 1e-9
"""Share of the largest singular value below which the three terms count as dependent."""


@dataclass(frozen=True, slots=True)
class OvertrainingLaw:
    """Law in compute and tokens per parameter, L = E + (a M^eta + b M^-eta) C^-eta.

    It is the Chinchilla law with one exponent for both terms, alpha = beta = 2 eta, written in
    C = 6 N D and M = D / N. At a fixed ratio M the loss is a power law of compute, and its
    exponent is the same for every ratio.

    Parameters
    ----------
    E : float
        Irreducible loss (nats per token).
    a, b : float
        Coefficients of the size and of the data term (nats per token at C = M = 1).
    eta : float
        Exponent in compute.
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Gadre et al. 2024, "Language models scale reliably with over-training and on downstream
    tasks", Eq. 4.

    Examples
    --------
    >>> law = OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136)
    >>> print(f"{law.loss(1e20, 20):.4f} {law.loss(1e20, 640):.4f}")
    2.9124 3.1031
    """

    E: float
    a: float
    b: float
    eta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, C: ArrayLike, M: ArrayLike) -> Floats:
        """Predict the loss of a run.

        Parameters
        ----------
        C : array_like
            Training compute (FLOP).
        M : array_like
            Tokens per parameter; broadcast against `C`.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If `C` or `M` is not positive.

        Examples
        --------
        >>> law = OvertrainingLaw(E=1.0, a=1.0, b=1.0, eta=0.5)
        >>> print(law.loss(4.0, 1.0))
        2.0
        """
        M = positive("M", M)
        scale = self.a * M**self.eta + self.b * M**-self.eta
        return self.E + scale * positive("C", C) ** -self.eta

    @property
    def optimal_ratio(self) -> float:
        """Compute-optimal tokens per parameter, (b/a)^(1 / 2 eta), the same at every budget."""
        return float((self.b / self.a) ** (1 / (2 * self.eta)))

    @property
    def chinchilla(self) -> ChinchillaLaw:
        """The same law in parameters and tokens, A = a 6^-eta and B = b 6^-eta."""
        scale = float(FLOPS_PER_PARAM_TOKEN) ** -self.eta
        exponent = 2 * self.eta
        return ChinchillaLaw(
            E=self.E, A=self.a * scale, B=self.b * scale, alpha=exponent, beta=exponent,
            source=self.source,
        )  # fmt: skip

    @classmethod
    def of(cls, law: ChinchillaLaw) -> OvertrainingLaw:
        """Rewrite a Chinchilla law with equal exponents in compute and tokens per parameter.

        Parameters
        ----------
        law : ChinchillaLaw
            With alpha equal to beta.

        Returns
        -------
        OvertrainingLaw

        Raises
        ------
        DataError
            If the exponents differ.

        Examples
        --------
        >>> tied = ChinchillaLaw(E=1.8, A=166.2, B=287.2, alpha=0.27, beta=0.27)
        >>> print(f"{OvertrainingLaw.of(tied).eta:.3f}")
        0.135
        """
        if law.alpha != law.beta:
            raise DataError(
                f"law has alpha = {law.alpha:g} and beta = {law.beta:g}; only a law with equal "
                "exponents is a power law of compute at every ratio: fit it with "
                'tied=("alpha", "beta").'
            )
        eta = law.alpha / 2
        scale = float(FLOPS_PER_PARAM_TOKEN) ** eta
        return cls(E=law.E, a=law.A * scale, b=law.B * scale, eta=eta, source=law.source)


@dataclass(frozen=True, slots=True, eq=False)
class OvertrainingFit(Result[OvertrainingLaw]):
    """A law in compute and tokens per parameter, and how it was found.

    Parameters
    ----------
    law : OvertrainingLaw
        At the optimum.
    objective : float
        Sum of squared residuals of the loss, each multiplied by its weight.
    residuals : Series
        observed - fitted (nats per token), under the labels of the runs.
    warnings : tuple of str
        Sentences on what should be doubted; empty when nothing is wrong.
    agreement : float
        One: every exponent is tried, so no start can mislead the search.
    minima : int
        Local minima of the objective over the exponent; the lowest was taken.
    terms : object
        The runs, kept so that the fit can be repeated on resamples.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("overtrained_runs")
    >>> runs = runs[(runs.corpus == "rpj") & (runs.tokens_per_param >= 20)]
    >>> fit = fit_overtraining(runs.assign(loss=runs.loss_c4))
    >>> print(len(fit.residuals), fit.minima, f"{fit.law.eta:.4f}")
    27 1 0.1265
    >>> print(f"{fit.predict(1.4e9, 9e11):.2f}")
    2.51
    """

    minima: int
    terms: _Terms
    n_free: ClassVar[int] = 4
    decaying: ClassVar[tuple[str, ...]] = ("eta",)
    instead: ClassVar[str] = (
        "use bootstrap, or fit the same law to logarithms with fit_chinchilla(runs, "
        'tied=("alpha", "beta")), whose fit profile takes'
    )

    @property
    def scale(self) -> tuple[str, ...]:
        """Columns of a frame of runs that `predict` takes."""
        return "params", "tokens"

    def value_of(self, law: OvertrainingLaw, *scale: ArrayLike) -> Floats:
        """Loss of parameters and tokens under another law of the kind."""
        return law.chinchilla.loss(*scale)

    def rebuild(self, params: Floats) -> OvertrainingLaw:
        """The law with other parameters, in the order of `params`."""
        return OvertrainingLaw(*(float(value) for value in params))

    def again(self) -> Refit:
        """The fit made ready to be repeated on resamples, each searched about this exponent."""
        return _OvertrainingRefit(self.terms, 2 * self.law.eta)

    def predict(self, N: ArrayLike, D: ArrayLike) -> Floats:  # type: ignore[override]
        """Loss of a model of `N` parameters after `D` tokens.

        Parameters
        ----------
        N, D : array_like
            Counts; broadcast.

        Returns
        -------
        ndarray of float64
            Nats per token.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.
        """
        return self.law.chinchilla.loss(N, D)


def fit_overtraining(
    runs: pd.DataFrame, *, weights: Weights = None, sigma: Weights = None
) -> OvertrainingFit:
    """Fit the law in compute and tokens per parameter by least squares on the loss itself.

    Given the exponent the other three constants are a linear least-squares problem, so the
    objective is a function of one variable. It is scanned over all plausible exponents, and every
    local minimum is solved from its derivative; no start can mislead the search.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (count), ``tokens`` (count) and ``loss`` (nats per
        token).
    weights : array_like, shape (n,), or str, optional
        Inverse standard deviations of the losses, up to a common factor, or the column that holds
        them: factors of the residuals.
    sigma : array_like, shape (n,), or str, optional
        Standard errors of the losses instead (nats per token); weights are 1/sigma.

    Returns
    -------
    OvertrainingFit

    Raises
    ------
    DataError
        If a column is missing or a value is not a positive finite number.
    FitError
        If there are fewer than five distinct runs, the loss is constant, all runs have one
        number of tokens per parameter (or one size, or one token count), the best exponent lies
        at the end of its range, or a term comes out negative.

    Notes
    -----
    `fit_chinchilla` with ``tied=("alpha", "beta")`` fits the same law to the logarithm of the
    loss; its constants differ where the law does not pass through every run.

    References
    ----------
    Gadre et al. 2024, Sec. 3; the objective is that of the authors' program.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136).chinchilla
    >>> runs = pd.DataFrame({"params": [1e7, 8e7, 1.5e8, 4e8, 1e7]})
    >>> runs["tokens"] = runs.params * [20, 20, 20, 20, 320]
    >>> fit = fit_overtraining(runs.assign(loss=law.loss(runs.params, runs.tokens)))
    >>> print(f"{fit.law.E:.4f} {fit.law.a:.2f} {fit.law.b:.2f} {fit.law.eta:.4f}")
    1.8400 212.00 367.00 0.1360
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    enough_rows(values, 4)
    varying(values[2], "loss")
    factors = inverse_sd(weights, sigma, values[2], labels, slope=np.ones(len(labels)), runs=runs)
    N, D, L = values
    terms = _Terms.of(N, D, L, np.ones(len(L)) if factors is None else factors)
    if ray := one_ray(N, D):
        raise FitError(f"the runs cannot separate size from data: {ray}.")
    found = terms.minima()
    best = min(found, key=lambda one: one.objective)
    best.refuse_undetermined()
    residuals = pd.Series(best.residuals / terms.factors, index=labels, name="residual")
    design = design_condition(terms.logs, tied=True)
    loose = (
        f"the runs hardly determine an optimal ratio: the scaled condition number of the design is "
        f"{design:.3g}, above {TIED:g}; add runs of other sizes and tokens per parameter."
    )
    several = f"the objective has {len(found)} local minima over the exponent; the lowest is taken."
    return OvertrainingFit(
        law=best.law(terms),
        objective=best.objective,
        residuals=residuals,
        warnings=(
            *unit_doubts(*values[:2]),
            *rising(values[:2], values[2], "loss", "scale"),
            *((loose,) if design > TIED else ()),
            *((several,) if len(found) > 1 else ()),
        ),
        agreement=1.0,
        minima=len(found),
        terms=terms,
    )


@dataclass(frozen=True, slots=True)
class _OvertrainingRefit:
    """The runs, and the exponent about which each resample is searched."""

    terms: _Terms
    exponent: float

    def __call__(self, weights: Floats) -> tuple[Floats, Floats]:
        found = [self._one(np.sqrt(row)) for row in weights]
        laws = [[law.E, law.a, law.b, law.eta] for law, _ in found]
        return np.array(laws), np.array([objective for _, objective in found])

    def _one(self, factors: Floats) -> tuple[OvertrainingLaw, float]:
        drawn = replace(self.terms, factors=self.terms.factors * factors)
        low, high = np.log([self.exponent / REACH, self.exponent * REACH])
        best = minimize_scalar(
            lambda x: drawn.solve(np.exp(x)).objective, bounds=(low, high), method="bounded",
            options={"xatol": 1e-9},
        )  # fmt: skip
        at = drawn.solve(float(np.exp(best.x)))
        return at.law(drawn), at.objective


@dataclass(frozen=True, slots=True)
class _Linear:
    """Least squares for E and the two coefficients at one exponent, in centred units."""

    exponent: float
    coefficients: Floats
    residuals: Floats
    singular: float

    @property
    def objective(self) -> float:
        return float(self.residuals @ self.residuals)

    def law(self, terms: _Terms) -> OvertrainingLaw:
        E, *scaled = self.coefficients
        A, B = (c * np.exp(self.exponent * x) for c, x in zip(scaled, terms.centre, strict=True))
        return OvertrainingLaw.of(
            ChinchillaLaw(float(E), float(A), float(B), self.exponent, self.exponent)
        )

    def refuse_undetermined(self) -> None:
        if self.singular < SINGULAR:
            raise FitError(
                "the runs cannot separate size from data: they share one number of tokens per "
                "parameter, one size, or one token count; add runs off that line."
            )
        for name, value in zip(("size", "data"), self.coefficients[1:], strict=True):
            if value <= 0:
                raise FitError(
                    f"the {name} term comes out negative, so the loss would rise with {name}; the "
                    "runs do not follow this law: check them, or add more."
                )


@dataclass(frozen=True, slots=True)
class _Terms:
    """Logarithms of sizes and tokens about their means, (2, n), losses, and their weights."""

    logs: Floats
    loss: Floats
    centre: Floats
    factors: Floats

    @classmethod
    def of(cls, N: Floats, D: Floats, loss: Floats, factors: Floats) -> _Terms:
        logs = np.log(np.stack([N, D]))
        centre = logs.mean(axis=1)
        return cls(logs - centre[:, None], loss, centre, factors)

    def solve(self, exponent: float) -> _Linear:
        columns = np.vstack([np.ones_like(self.loss), np.exp(-exponent * self.logs)]).T
        columns *= self.factors[:, None]
        observed = self.loss * self.factors
        coefficients, _, _, singular = np.linalg.lstsq(columns, observed, rcond=None)
        residuals = observed - columns @ coefficients
        return _Linear(float(exponent), coefficients, residuals, float(singular[-1] / singular[0]))

    def slope(self, exponent: float) -> float:
        """Derivative of the objective; the linear coefficients are stationary and drop out."""
        at = self.solve(exponent)
        moved = at.coefficients[1:] @ (self.logs * np.exp(-exponent * self.logs)) * self.factors
        return float(at.residuals @ moved)

    def minima(self) -> list[_Linear]:
        """The local minima of the objective over the exponent."""
        low, high, count = EXPONENTS
        trial = np.geomspace(low, high, count)
        heights = np.array([self.solve(exponent).objective for exponent in trial])
        inner = (heights[1:-1] < heights[:-2]) & (heights[1:-1] <= heights[2:])
        places = np.flatnonzero(inner) + 1
        if not len(places) or heights.min() < heights[places].min():
            raise FitError(
                f"the objective has no minimum between exponents {low:g} and {high:g}; add runs "
                "of more sizes and ratios."
            )
        roots = [
            brentq(self.slope, trial[at - 1], trial[at + 1], xtol=1e-15, rtol=8.9e-16)
            for at in places
        ]
        return [self.solve(root) for root in roots]
