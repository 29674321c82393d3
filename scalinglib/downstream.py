"""A score predicted in two steps, and what each step gets wrong.

The first step predicts a loss from parameters and tokens, the second a score from the loss. Two
published chains have this form: bits per byte of the right answer and a sigmoid (Bhagia et al.
2024, `scalinglib.task_ladder`), and validation loss and an exponential (Gadre et al. 2024,
`scalinglib.error_law`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from scalinglib._fit import Fit
from scalinglib._newton import Floats
from scalinglib.capability import Sigmoid
from scalinglib.curves import Curve, CurveFit
from scalinglib.laws import ChinchillaLaw

CurveT = TypeVar("CurveT", bound=Curve)


@dataclass(frozen=True, slots=True)
class FallingSigmoid(Sigmoid):
    """Logistic curve that cannot rise.

    Exchanging the levels and turning the slope gives the same curve, so that a `Sigmoid` has two
    sets of parameters. A score that falls as the loss grows has one.

    Parameters
    ----------
    low, high, slope, middle, source
        As in `Sigmoid`, with a slope of at most zero.

    Examples
    --------
    >>> curve = FallingSigmoid(low=0.25, high=1.0, slope=-4.0, middle=0.7)
    >>> print(curve.value([0.0, 0.7, 3.0]).round(3))
    [0.957 0.625 0.25 ]
    """

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Sigmoid.bounds,
        "slope": (-np.inf, 0.0),
    }


@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """What each of two steps adds to the error of a predicted score.

    Parameters
    ----------
    loss, score : float
        As measured.
    predicted_loss : float
        From the first step.
    from_loss : float
        Score that the second step gives for the measured loss.
    chained : float
        Score that it gives for the predicted loss.

    Examples
    --------
    >>> split = ErrorSplit(0.72, 0.64, predicted_loss=0.78, from_loss=0.60, chained=0.53)
    >>> print(f"{split.first:.2f} {split.second:.2f} {split.total:.2f}")
    -0.07 -0.04 -0.11
    """

    loss: float
    score: float
    predicted_loss: float
    from_loss: float
    chained: float

    @property
    def first(self) -> float:
        """Part of the error that comes from the predicted loss, in the unit of the score."""
        return self.chained - self.from_loss

    @property
    def second(self) -> float:
        """Part of the error that the map would make with the right loss."""
        return self.from_loss - self.score

    @property
    def total(self) -> float:
        """Error of the chained prediction, the sum of the two parts."""
        return self.chained - self.score

    @property
    def relative(self) -> float:
        """Size of the error of the chained prediction, as a share of the measured score."""
        return abs(self.total / self.score)

    @property
    def relative_loss(self) -> float:
        """Error of the predicted loss as a share of the measured one, with its sign."""
        return self.predicted_loss / self.loss - 1


@dataclass(frozen=True, slots=True, eq=False)
class TwoStep(Generic[CurveT]):
    """A law for a loss and a map from the loss to a score.

    Parameters
    ----------
    law : ChinchillaLaw
        The first step.
    curve : Curve
        The second step.
    at_bound : tuple of str
        Parameters of either step that ended on a bound of their range.
    warnings : tuple of str
        Sentences on what should be doubted, the first step's first.
    law_fit : Fit, optional
        How the law was found; None where it was found in another way.
    curve_fit : CurveFit, optional
        How the map was found.

    Examples
    --------
    >>> law = ChinchillaLaw(E=0.45, A=29.0, B=74.0, alpha=0.21, beta=0.22)
    >>> chain = TwoStep(law, Sigmoid(low=0.26, high=1.0, slope=-4.8, middle=0.62))
    >>> print(f"{chain.loss(13e9, 5e12):.3f} {chain.value(13e9, 5e12):.3f}")
    0.787 0.489
    """

    law: ChinchillaLaw
    curve: CurveT
    at_bound: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    law_fit: Fit[ChinchillaLaw] | None = None
    curve_fit: CurveFit[CurveT] | None = None

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts); broadcast.

        Returns
        -------
        ndarray of float64
            In the unit of the fitted loss; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.
        """
        return self.law.loss(N, D)

    def value(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the score from the predicted loss.

        Parameters
        ----------
        N, D : array_like
            Parameters and training tokens (counts); broadcast.

        Returns
        -------
        ndarray of float64
            A scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.
        """
        return self.curve.value(self.law.loss(N, D))

    def split(self, N: float, D: float, *, loss: float, score: float) -> ErrorSplit:
        """Compare with a measurement, step by step.

        Parameters
        ----------
        N, D : float
            Parameters and training tokens (counts) of the measured model.
        loss, score : float
            Its measured loss and score.

        Returns
        -------
        ErrorSplit

        Raises
        ------
        DataError
            If `N` or `D` is not positive.
        """
        predicted = float(self.law.loss(N, D))
        return ErrorSplit(
            loss=float(loss),
            score=float(score),
            predicted_loss=predicted,
            from_loss=float(self.curve.value(loss)),
            chained=float(self.curve.value(predicted)),
        )
