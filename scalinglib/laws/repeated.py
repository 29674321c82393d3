"""The law of Muennighoff et al. 2023 for data that are seen more than once."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import gammainc

from scalinglib.checks import Floats, enough_rows, positive, table, unit_doubts
from scalinglib.errors import DataError, FitError
from scalinglib.fit.huber import Expansion, SmoothProblem
from scalinglib.fit.model import Equation, Model, squared
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, law_of, threshold
from scalinglib.fit.search import search
from scalinglib.fit.weights import Weights, inverse_sd
from scalinglib.laws.chinchilla import ChinchillaLaw


@dataclass(frozen=True, slots=True)
class DataConstrainedLaw:
    """Law for repeated data: a Chinchilla law in effective parameters and effective tokens.

    Repeating `U` unique tokens R = D/U - 1 times is worth U + U R_D (1 - exp(-R/R_D)) fresh
    tokens, and parameters beyond those that `U` tokens call for decay in the same way with R_N.

    Parameters
    ----------
    base : ChinchillaLaw
        The law for data seen once.
    R_D, R_N : float
        Decay constants of repeated tokens and of excess parameters (repetitions).
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", Sec. 3.

    Examples
    --------
    >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
    >>> law = DataConstrainedLaw(base, R_D=15.387756, R_N=5.309743)
    >>> print((law.effective_tokens([1e9, 2e9, 4e9, 16e9], 1e9) / 1e9).round(4))
    [ 1.      1.9682  3.7257 10.5825]
    """

    base: ChinchillaLaw
    R_D: float
    R_N: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def effective_tokens(self, D: ArrayLike, U: ArrayLike) -> Floats:
        """Fresh tokens that `D` training tokens drawn from `U` unique ones are worth.

        Parameters
        ----------
        D, U : array_like
            Training tokens and unique tokens (counts); broadcast. D <= U means no repetition.

        Returns
        -------
        ndarray of float64
            Tokens; a scalar for scalar input.

        Raises
        ------
        DataError
            If `D` or `U` is not positive.

        Examples
        --------
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> print(DataConstrainedLaw(base, R_D=15.0, R_N=5.0).effective_tokens(1e9, 1e9))
        1000000000.0
        """
        D, U = positive("D", D), positive("U", U)
        return discounted(D, np.minimum(D, U), self.R_D)

    def effective_params(self, N: ArrayLike, U: ArrayLike) -> Floats:
        """Parameters that `N` are worth when only `U` unique tokens exist.

        Parameters
        ----------
        N, U : array_like
            Parameters and unique tokens (counts); broadcast.

        Returns
        -------
        ndarray of float64
            Parameters; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `U` is not positive.

        Examples
        --------
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> print(DataConstrainedLaw(base, R_D=15.0, R_N=5.0).effective_params(1e7, 1e9))
        10000000.0
        """
        N, U = positive("N", N), positive("U", U)
        return discounted(N, np.minimum(params_for_tokens(self.base, U), N), self.R_N)

    def loss(self, N: ArrayLike, D: ArrayLike, U: ArrayLike) -> Floats:
        """Predict the loss after `D` training tokens of which `U` are unique.

        Parameters
        ----------
        N : array_like
            Parameters (count).
        D : array_like
            Training tokens, repetitions included (count).
        U : array_like
            Unique tokens (count); all three broadcast.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If an argument is not positive.

        Examples
        --------
        >>> base = ChinchillaLaw(E=1.869144, A=520.825, B=1487.716, alpha=0.35266, beta=0.35266)
        >>> law = DataConstrainedLaw(base, R_D=15.0, R_N=5.0)
        >>> bool(law.loss(1e8, 4e9, 1e9) > base.loss(1e8, 4e9))
        True
        """
        return self.base.loss(self.effective_params(N, U), self.effective_tokens(D, U))


def params_for_tokens(law: ChinchillaLaw, D: ArrayLike) -> Floats:
    """Parameters for which `D` tokens are compute-optimal under a law, G (G D)^(beta/alpha)."""
    return law.G * (law.G * positive("D", D)) ** (law.beta / law.alpha)


def discounted(total: ArrayLike, fresh: ArrayLike, R: float) -> Floats:
    """Worth of `total` units of which `fresh` are new, with decay constant `R` (repetitions).

    That is fresh (1 + R (1 - exp(-r/R))) with r = total/fresh - 1 (Muennighoff et al., Sec. 3).
    """
    fresh = np.asarray(fresh, dtype=np.float64)
    repeats = np.asarray(total, dtype=np.float64) / fresh - 1
    worth: Floats = fresh * (1 - R * np.expm1(-repeats / R))
    return worth


@dataclass(frozen=True, slots=True)
class RepetitionProblem(SmoothProblem):
    """The data-constrained law over a given base, coordinates ln R_D and ln R_N.

    The predictors are, per run: the base law's floor, parameter term and data term at the fresh
    amounts, as logarithms; and how often parameters and tokens exceed those amounts.
    """

    exponents: tuple[float, float]

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 2

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        floor, size, data, excess, repeats = u
        alpha, beta = self.exponents
        more, more1, more2 = _log_worth(theta[1, :, None], excess)
        fresh, fresh1, fresh2 = _log_worth(theta[0, :, None], repeats)
        size, data = size - alpha * more, data - beta * fresh
        total = np.logaddexp(np.logaddexp(size, data), floor)
        w, v = np.exp(size - total), np.exp(data - total)
        s, t = -alpha * more1, -beta * fresh1
        second = {
            (0, 0): v * (1 - v) * t**2 - v * beta * fresh2,
            (1, 0): -v * w * s * t,
            (1, 1): w * (1 - w) * s**2 - w * alpha * more2,
        }
        return total, [v * t, w * s], second

    def starts(self) -> Floats:
        """A grid over four decades of either constant."""
        grid = product(np.geomspace(0.1, 1000, 15), np.geomspace(0.1, 1000, 15))
        starts: Floats = np.log(np.array(list(grid))).T
        return starts


def _log_worth(rho: Floats, repeats: Floats) -> tuple[Floats, Floats, Floats]:
    """ln(1 + R (1 - exp(-r/R))) for R = exp(rho), with two derivatives in rho."""
    R = np.exp(rho)
    k = repeats / R
    worth = 1 - R * np.expm1(-k)
    # The incomplete gamma function is 1 - exp(-k) (1 + k), without cancellation at small k.
    first = R * gammainc(2, k) / worth
    second = first - R * k**2 * np.exp(-k) / worth - first**2
    return np.log(worth), first, second


@dataclass(frozen=True, slots=True)
class RepetitionModel(Model):
    """Parametrisation of `DataConstrainedLaw` over a given `base`."""

    base: ChinchillaLaw
    names: ClassVar[tuple[str, ...]] = ("R_D", "R_N")
    scale: ClassVar[tuple[str, ...]] = ("params", "tokens", "unique_tokens")

    def params(self, theta: Floats) -> Floats:
        """Parameters (2, R), in the order of `names`, of solver coordinates (2, R)."""
        with np.errstate(all="ignore"):
            values: Floats = np.exp(theta)
        return values

    def law(self, params: Floats) -> DataConstrainedLaw:
        """The law with decay constants R_D, R_N."""
        return DataConstrainedLaw(self.base, *(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How a parameter reads in solver coordinates."""
        at = self.names.index(name)
        return Equation(np.eye(2)[at], 0.0, at, logarithmic=True)

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """The constants themselves: at zero, repetition is worth nothing."""
        return dict(zip(self.names, np.exp(theta).tolist(), strict=True))


def fit_data_constrained(
    runs: pd.DataFrame,
    *,
    base: ChinchillaLaw | Fit[ChinchillaLaw],
    loss: Loss = "huber",
    delta: float = DELTA,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[DataConstrainedLaw]:
    """Fit the decay constants of repeated data over a given law for fresh data.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (count), ``tokens`` (count, repetitions
        included), ``unique_tokens`` (count) and ``loss`` (nats per token).
    base : ChinchillaLaw or Fit
        The law for data seen once, or a fit of it; its constants are held.
    loss : {"huber", "lad", "l2"}
        Loss of the log residual.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    weights, sigma : array_like, shape (n,), or str, optional
        As in `fit_chinchilla`.

    Returns
    -------
    Fit
        With a `DataConstrainedLaw`.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or `base` is neither a
        `ChinchillaLaw` nor a fit of one.
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
    law = law_of(base)
    if not isinstance(law, ChinchillaLaw):
        raise DataError(
            f"base is a {type(base).__name__}; give a ChinchillaLaw, or a fit by fit_chinchilla."
        )
    values, labels = table(runs, ("params", "tokens", "unique_tokens", "loss"))
    N, D, U, L = values
    factors = inverse_sd(weights, sigma, L, labels, slope=1 / L, runs=runs)
    enough_rows(values, 2)
    fresh, fitting = np.minimum(D, U), np.minimum(params_for_tokens(law, U), N)
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
            np.full(len(L), np.log(law.E)),
            np.log(law.A) - law.alpha * np.log(fitting),
            np.log(law.B) - law.beta * np.log(fresh),
            excess,
            repeats,
        ]
    )
    exponents = (law.alpha, law.beta)
    problem = RepetitionProblem(
        predictors, np.log(L), threshold(loss, delta), exponents, times=squared(factors)
    )
    model = RepetitionModel(problem, law)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    doubts = unit_doubts(N, D)
    return conclude(model, best, restriction, labels, loss, doubts, absolute=sigma is not None)
