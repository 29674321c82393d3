"""The parametric law of Hoffmann et al. 2022: a floor, a term in parameters, a term in tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import (
    Floats,
    degenerate_design,
    enough_rows,
    positive,
    table,
    unit_doubts,
    varying,
)
from scalinglib.errors import FitError
from scalinglib.fit.model import PowerSumModel, power_sum
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import projected_starts, search
from scalinglib.fit.warnings import IDENTIFIED
from scalinglib.fit.weights import Weights, inverse_sd, rising


@dataclass(frozen=True, slots=True)
class ChinchillaLaw:
    """Parametric law of Hoffmann et al. 2022, L = E + A N^-alpha + B D^-beta.

    Parameters
    ----------
    E : float
        Irreducible loss (nats per token).
    A, B : float
        Coefficients of the parameter and the data term (nats per token at N = 1, D = 1).
    alpha, beta : float
        Exponents in parameters and in tokens.
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Eq. 2 and Eq. 10.

    Examples
    --------
    >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
    >>> print(f"{law.a:.5f} {law.b:.5f}")
    0.45161 0.54839
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss of a model of `N` parameters trained on `D` tokens.

        Parameters
        ----------
        N : array_like
            Parameters (count); infinity gives the limit of a model without size limit.
        D : array_like
            Training tokens (count); broadcast against `N`.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.

        Examples
        --------
        >>> law = ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
        >>> print(law.loss([280e9, 70e9], [300e9, 1.4e12]).round(4))
        [1.9933 1.9366]
        """
        size = self.A * positive("N", N) ** -self.alpha
        data = self.B * positive("D", D) ** -self.beta
        return self.E + size + data

    @property
    def a(self) -> float:
        """Exponent of the compute-optimal parameters in compute, beta / (alpha + beta)."""
        return self.beta / (self.alpha + self.beta)

    @property
    def b(self) -> float:
        """Exponent of the compute-optimal tokens in compute, alpha / (alpha + beta)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def G(self) -> float:  # noqa: N802 - the symbol of the paper
        """Scale of the compute-optimal split, (alpha A / (beta B))^(1 / (alpha + beta))."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return float(ratio ** (1 / (self.alpha + self.beta)))


@dataclass(frozen=True, slots=True)
class ChinchillaModel(PowerSumModel):
    """Parametrisation of `ChinchillaLaw`."""

    names: ClassVar[tuple[str, ...]] = ("E", "A", "B", "alpha", "beta")
    order: ClassVar[tuple[str, ...]] = ("A", "B", "E", "alpha", "beta")
    decaying: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    scale: ClassVar[tuple[str, ...]] = ("params", "tokens")

    def law(self, params: Floats) -> ChinchillaLaw:
        """The law with parameters E, A, B, alpha, beta."""
        return ChinchillaLaw(*(float(value) for value in params))


def fit_chinchilla(
    runs: pd.DataFrame,
    *,
    loss: Loss = "huber",
    delta: float = DELTA,
    fixed: Mapping[str, float] | None = None,
    tied: Sequence[str] = (),
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[ChinchillaLaw]:
    """Fit L = E + A N^-alpha + B D^-beta to training runs.

    Minimises the sum over runs of a loss of ln(predicted) - ln(observed). Two hundred starts
    run to convergence with exact second derivatives, and the lowest optimum is returned. Of a table
    longer than `SEARCHED` (``scalinglib.fit.search``) only a sample is searched, drawn with seed 0;
    the best places found there are finished on all runs, to the same optimum.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (count), ``tokens`` (count) and ``loss`` (nats
        per token, or any unit: E, A and B carry it).
    loss : {"huber", "lad", "l2"}
        Huber loss, least absolute deviations, or least squares.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    fixed : mapping of str to float, optional
        Parameters to hold, for example ``{"alpha": 0.34}``; ``{"E": 0}`` leaves E out.
    tied : sequence of str, optional
        Parameters forced to one common value, for example ``("alpha", "beta")``.
    weights : array_like, shape (n,), or str, optional
        Inverse standard deviations of the log residuals, up to a common factor, or the column
        that holds them. A run of weight w counts as w^2 runs, under any loss.
    sigma : array_like, shape (n,), or str, optional
        Standard errors of the losses, in their unit, instead of weights.

    Returns
    -------
    Fit
        With a `ChinchillaLaw`.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not
        valid; the message names the row and the column.
    FitError
        If the runs cannot determine the parameters: too few distinct runs, a constant loss,
        one model size, one token count, one budget, or tokens proportional to parameters.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Eq. 3, Approach 3;
    Besiroglu et al. 2024, "Chinchilla Scaling: A replication attempt".

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("chinchilla_runs")
    >>> fit = sl.fit_chinchilla(runs[~runs.excluded])
    >>> print(fit.params.round(4).to_dict())
    {'E': 1.8172, 'A': 477.8212, 'B': 2143.4517, 'alpha': 0.3473, 'beta': 0.3672}
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    N, D, L = values
    factors = inverse_sd(weights, sigma, L, labels, slope=1 / L, runs=runs)
    problem, centre = power_sum(values[:2], L, threshold(loss, delta), factors)
    model = ChinchillaModel(problem, centre)
    restriction = model.restrict(fixed or {}, tied)
    enough_rows(values, len(restriction.free))
    varying(L, "loss")
    degenerate = degenerate_design(N, D)
    if degenerate and len(restriction.free) == len(model.names):
        raise FitError(f"{degenerate}.")
    best = search(problem, projected_starts(problem), restriction, lad=loss == "lad")
    doubts = (*unit_doubts(N, D), *rising(values[:2], L, "loss", "scale"))
    fit = conclude(model, best, restriction, labels, loss, doubts, absolute=sigma is not None)
    if degenerate and fit.condition > IDENTIFIED:
        raise FitError(f"{degenerate}.")
    return fit
