"""What a data multiplier Q does to a law: everything to the budget, nothing to the floor.

In L = E + A N^-alpha + B (Q D)^-beta, quality and quantity of data enter as one product, so all
questions about Q have answers in closed form. In the product law L = K N^-alpha (Q D)^-beta, which
is often written instead, Q is a mere factor of the loss and no budget has a best size.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib._newton import Floats
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN, positive
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw
from scalinglib.optimum import Allocation


@dataclass(frozen=True, slots=True)
class ProductLaw:
    """The product form of a law with data quality, L = K N^-alpha (Q D)^-beta.

    Parameters
    ----------
    K : float
        Loss at N = 1 and Q D = 1 (nats per token).
    alpha, beta : float
        Exponents in parameters and in tokens.
    Q : float, default 1
        Data multiplier.
    source : str, default ""
        Where the constants were printed.

    Examples
    --------
    >>> law = ProductLaw(K=100.0, alpha=0.34, beta=0.28)
    >>> print(f"{law.loss(1e9, 2e10):.4f} {law.slope:+.2f}")
    0.0001 -0.06
    """

    K: float
    alpha: float
    beta: float
    Q: float = 1.0
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss of a model of `N` parameters trained on `D` tokens.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts); broadcast.

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
        >>> law = ProductLaw(K=100.0, alpha=0.5, beta=0.5, Q=4.0)
        >>> print(law.loss(100.0, 25.0))
        1.0
        """
        size = positive("N", N) ** -self.alpha
        return self.K * size * (self.Q * positive("D", D)) ** -self.beta

    @property
    def slope(self) -> float:
        """Slope of ln L in ln N at a fixed budget, beta - alpha, whatever Q and the budget.

        Its sign says in which corner the lowest loss lies; there is none in between.
        """
        return self.beta - self.alpha


def with_quality(law: ChinchillaLaw, Q: float) -> ChinchillaLaw:
    """The law on data of which each token is worth Q tokens of the original.

    Parameters
    ----------
    law : ChinchillaLaw
        The law on the original corpus.
    Q : float
        Data multiplier.

    Returns
    -------
    ChinchillaLaw
        The same but for B Q^-beta in place of B. At a budget C its optimum is that of `law` at
        Q C, with the tokens divided by Q: so the optimal size grows as Q to the power a, and a
        given loss costs 1/Q of the compute at an unchanged size.

    Raises
    ------
    DataError
        If `Q` is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = sl.published.EPOCH_2024
    >>> better = with_quality(law, 10.0)
    >>> before, after = sl.compute_optimal(law, 1e24), sl.compute_optimal(better, 1e24)
    >>> print(f"{after.N / before.N:.3f} times the parameters, {after.D / before.D:.3f} the tokens")
    3.255 times the parameters, 0.307 the tokens
    """
    return replace(law, B=law.B * float(positive("Q", Q)) ** -law.beta)


def same_loss(law: ChinchillaLaw, N: ArrayLike, D: ArrayLike, Q: ArrayLike) -> Allocation:
    """The run on data of multiplier Q that reaches the loss of a run on the original corpus.

    Parameters
    ----------
    law : ChinchillaLaw
        The law on the original corpus.
    N, D : array_like
        Parameters and tokens of the run on the original corpus (counts).
    Q : array_like
        Data multiplier; all three broadcast.

    Returns
    -------
    Allocation
        The same parameters, 1/Q of the tokens and of the compute, the same loss.

    Raises
    ------
    DataError
        If an argument is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> run = same_loss(sl.published.EPOCH_2024, 1e9, 2e10, Q=4.0)
    >>> print(f"{run.D:.3g} tokens, {run.C:.3g} FLOP")
    5e+09 tokens, 3e+19 FLOP
    """
    N, D, Q = np.broadcast_arrays(positive("N", N), positive("D", D), positive("Q", Q))
    tokens = D / Q
    return Allocation(
        C=FLOPS_PER_PARAM_TOKEN * N * tokens, N=N[()], D=tokens[()], loss=law.loss(N, D)
    )


def quality_needed(law: ChinchillaLaw, loss: ArrayLike, *, N: ArrayLike, D: ArrayLike) -> Floats:
    """Multiplier with which `N` parameters and `D` tokens reach a loss; infinite if none does.

    Parameters
    ----------
    law : ChinchillaLaw
        The law on the original corpus.
    loss : array_like
        Target (nats per token).
    N, D : array_like
        Parameters and tokens (counts); all three broadcast.

    Returns
    -------
    ndarray of float64
        Infinite where the target lies at or below the floor of a model of that size,
        E + A N^-alpha, which data of any quality leave where it is.

    Raises
    ------
    DataError
        If an argument is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = sl.published.EPOCH_2024
    >>> target = law.loss(70e9, 2e12)
    >>> print(quality_needed(law, target, N=[2.7e9, 30e9], D=1.4e12).round(2))
    [ inf 6.43]
    """
    target, N, D = np.broadcast_arrays(positive("loss", loss), positive("N", N), positive("D", D))
    left = target - law.loss(N, np.inf)
    reached = left > 0
    worth = (law.B / np.where(reached, left, 1.0)) ** (1 / law.beta)
    return np.where(reached, worth / D, np.inf)[()]


def largest_matched(law: ChinchillaLaw, N: ArrayLike, *, tokens_per_param: float = 20.0) -> Floats:
    """Size of the largest model that one of `N` parameters can match, were its data perfect.

    Parameters
    ----------
    law : ChinchillaLaw
        The law on the original corpus, with positive A, B, alpha and beta.
    N : array_like
        Parameters of the smaller model (count).
    tokens_per_param : float, default 20
        How long the larger model is trained on the original corpus.

    Returns
    -------
    ndarray of float64
        Parameters at which A N'^-alpha + B (tokens_per_param N')^-beta has come down to
        A N^-alpha, the floor of the smaller model less E. Larger models are out of its reach.

    Raises
    ------
    DataError
        If an argument or a constant of the law is not positive.

    Examples
    --------
    >>> import scalinglib as sl
    >>> print(f"{largest_matched(sl.published.EPOCH_2024, 2.7e9) / 2.7e9:.1f}")
    6.8
    """
    N, ratio = positive("N", N), float(positive("tokens_per_param", tokens_per_param))
    for name in ("A", "B", "alpha", "beta"):
        if not getattr(law, name) > 0:
            raise DataError(
                f"law.{name} is {getattr(law, name):g}; a largest size exists only for positive A, "
                "B, alpha and beta."
            )

    def matched(size: float) -> float:
        floor = law.A * size**-law.alpha

        def above(log_N: float) -> float:
            other = np.exp(log_N)
            return float(
                np.log(law.A * other**-law.alpha + law.B * (ratio * other) ** -law.beta)
                - np.log(floor)
            )

        low = high = float(np.log(size))
        while above(high) > 0:
            high += 5.0
        return float(np.exp(brentq(above, low, high, xtol=1e-13)))

    sizes = [matched(float(size)) for size in N.ravel()]
    return np.array(sizes, dtype=np.float64).reshape(N.shape)[()]
