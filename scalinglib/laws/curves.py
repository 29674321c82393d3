"""Curves of one variable that `fit_curve` fits: sigmoids, broken and rectified power laws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from scalinglib.checks import Floats
from scalinglib.fit.formula import Curve, Domain

STARTS = 60
"""Random starting points of a fit. Nine in ten reach the optimum on a curve that shows its break,
so far fewer would find it; the share that agrees is what they are for."""

STEEPEST = 20.0
"""Largest slope added at the break. Points that end at a break cannot tell a steep slope from a
wall; this keeps the search finite, and a fit that comes to lie here says so."""


@dataclass(frozen=True, slots=True)
class Sigmoid(Curve):
    """Logistic curve, y = low + (high - low) / (1 + exp(-slope (x - middle))).

    The levels `low` and `high` lie within 0 to 1 in the unit of y; with a negative `slope` (per
    unit of x) the curve falls from `high` to `low`. It stands half-way at `middle`.
    """

    low: float
    high: float
    slope: float
    middle: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"low": (0.0, 1.0), "high": (0.0, 1.0)}

    @staticmethod
    def formula(x: Floats, low: Any, high: Any, slope: Any, middle: Any) -> Any:
        """The curve at `x`; the hyperbolic tangent cannot overflow."""
        return low + (high - low) * 0.5 * (1 + np.tanh(0.5 * slope * (x - middle)))

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Levels at the extremes of y, middles along x, three slopes in the trend's direction."""
        span = float(np.ptp(x)) or 1.0
        low, high = float(np.clip(y.min(), 0, 1)), float(np.clip(y.max(), 0, 1))
        rising = np.sign(np.sum((x - x.mean()) * (y - y.mean()))) or 1.0
        return np.array(
            [
                [low, high, rising * steep / span, middle]
                for steep in (2.0, 6.0, 20.0)
                for middle in np.quantile(x, [0.1, 0.3, 0.5, 0.7, 0.9])
            ]
        )


def log_depth(coverage: Any) -> Any:
    """ln(-ln c) of a coverage c, in which an exponentiated power law is a straight line in ln k.

    Complex numbers are let through, so that `fit_curve` can use it as its transform.
    """
    return np.log(-np.log(coverage))


@dataclass(frozen=True, slots=True)
class ExponentiatedPowerLaw(Curve):
    """Coverage of k samples whose negative logarithm is a power law, c = exp(-a k^-b).

    `a` is -ln of coverage at one sample (Brown et al. 2024, "Large Language Monkeys", Sec. 3).
    """

    a: float
    b: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    domain: ClassVar[Domain] = "positive"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"a": (0.0, np.inf), "b": (0.0, np.inf)}

    @staticmethod
    def formula(x: Floats, a: Any, b: Any) -> Any:
        """The curve at `x`."""
        return np.exp(-a * np.exp(-b * np.log(x)))

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """The straight line through ln(-ln y), and the same with flatter and steeper slopes."""
        height = np.log(-np.log(np.clip(y, 1e-9, 1 - 1e-9)))
        slope, level = np.polyfit(np.log(x), height, 1)
        b = max(-slope, 1e-3)
        return np.array([[np.exp(level), b * factor] for factor in (1.0, 0.5, 2.0)])


@dataclass(frozen=True, slots=True)
class LogLinear(Curve):
    """A quantity that gains the same amount with every doubling, y = start + gain log2 x."""

    start: float
    gain: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    domain: ClassVar[Domain] = "positive"

    @staticmethod
    def formula(x: Floats, start: Any, gain: Any) -> Any:
        """The line at `x`."""
        return start + gain * np.log2(x)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """The least-squares line itself."""
        gain, start = np.polyfit(np.log2(x), y, 1)
        return np.array([[start, gain]])

    def reaches(self, y: float) -> float:
        """The x at which the line stands at `y`."""
        return float(2 ** ((y - self.start) / self.gain))


@dataclass(frozen=True, slots=True)
class BrokenPowerLaw(Curve):
    """Power law with one smooth break, y = a + b x^-c0 (1 + (x/d)^(1/f))^(-c1 f).

    Parameters
    ----------
    a : float
        Floor, in the unit of y.
    b : float
        Height above the floor at x = 1 if the first slope went on, in the unit of y.
    c0 : float
        Exponent before the break.
    c1 : float
        Added to the exponent at the break, at most `STEEPEST` either way.
    d : float
        Place of the break, in the unit of x.
    f : float
        Width of the break in ln x, 0.001 to 10; small is sharp.
    source : str, optional
        Where the constants were printed.

    Notes
    -----
    Caballero et al. 2023, Equation 1 with one break. They fit ln(1 + y); pass
    ``transform=numpy.log1p`` to `fit_curve`.

    Examples
    --------
    >>> law = BrokenPowerLaw(a=0.0, b=2.0, c0=0.1, c1=1.0, d=100.0, f=0.05)
    >>> print(law.value([1.0, 100.0, 1e4]).round(4))
    [2.     1.2188 0.008 ]
    """

    a: float
    b: float
    c0: float
    c1: float
    d: float
    f: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    domain: ClassVar[Domain] = "positive"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        "a": (0.0, np.inf),
        "b": (0.0, np.inf),
        "c1": (-STEEPEST, STEEPEST),
        "d": (1e-300, np.inf),
        "f": (1e-3, 10.0),
    }

    @staticmethod
    def formula(x: Floats, a: Any, b: Any, c0: Any, c1: Any, d: Any, f: Any) -> Any:
        """The curve at `x`; far from the break nothing overflows."""
        u = (np.log(x) - np.log(d)) / f
        beyond = np.real(u) > 0
        bent = np.where(beyond, u, 0) + np.log1p(np.exp(np.where(beyond, -u, u)))
        return a + b * np.exp(-c0 * np.log(x) - c1 * f * bent)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Seeded random starts: breaks along x, sharp to broad, all through the first point."""
        random = np.random.default_rng(0)
        a = random.uniform(0, y.min(), STARTS)
        c0 = random.uniform(-0.2, 0.6, STARTS)
        c1 = random.uniform(0, 8, STARTS)
        d = np.exp(random.uniform(np.log(x.min()), np.log(x.max()), STARTS))
        f = 10 ** random.uniform(-2, 0, STARTS)
        first = int(np.argmin(x))
        b = (y[first] - a) * x[first] ** c0
        return np.column_stack([a, b, c0, c1, d, f])


@dataclass(frozen=True, slots=True)
class FallingSigmoid(Sigmoid):
    """Logistic curve that cannot rise: a `Sigmoid` with a slope of at most zero.

    Exchanging the levels and turning the slope gives the same curve, so that a `Sigmoid` has two
    sets of parameters. A score that falls as the loss grows has one.
    """

    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {
        **Sigmoid.bounds,
        "slope": (-np.inf, 0.0),
    }


@dataclass(frozen=True, slots=True)
class RectifiedLaw(Curve):
    """Loss against data for a model that knew something before, L = E + B / (D_l + D^beta).

    E is in nats per token; `D_l`, what earlier training is worth, has the unit of D^beta. The
    law of Qin et al. 2025, "Scaling Laws of Synthetic Data for Language Models"; the form is that
    of Lin et al. 2024 for fine-tuning.
    """

    E: float
    log_B: float
    log_D_l: float
    beta: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    domain: ClassVar[Domain] = "positive"
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"E": (0.0, np.inf), "beta": (0.0, 3.0)}

    @staticmethod
    def formula(x: Floats, E: Any, log_B: Any, log_D_l: Any, beta: Any) -> Any:
        """The curve at `x` tokens."""
        power = beta * np.log(x)
        # The larger of the two logarithms is taken out, so that neither power can overflow.
        peak = np.maximum(np.real(power), np.real(log_D_l))
        total = peak + np.log(np.exp(power - peak) + np.exp(log_D_l - peak))
        return E + np.exp(log_B - total)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """Exponents and places of the bend on a grid; floor and scale from the extremes."""
        floor = 0.9 * float(y.min())
        rows = []
        for beta in (0.1, 0.2, 0.4, 0.8):
            for place in np.quantile(np.log(x), [0.0, 0.25, 0.5, 0.75]):
                bend = beta * place
                first = np.logaddexp(bend, beta * np.log(x.min()))
                rows.append([floor, np.log(max(float(y.max()) - floor, 1e-9)) + first, bend, beta])
        return np.array(rows)


@dataclass(frozen=True, slots=True)
class ExponentialErrorLaw(Curve):
    """Error rate from loss (nats per token), y = epsilon - k exp(-gamma L).

    `epsilon`, 0 to 1, is the error at a very large loss, and `k` how far below it an error would
    lie at zero loss (Gadre et al. 2024, "Language models scale reliably with over-training and on
    downstream tasks", Eq. 5).
    """

    epsilon: float
    k: float
    gamma: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)
    bounds: ClassVar[Mapping[str, tuple[float, float]]] = {"epsilon": (0.0, 1.0)}

    @staticmethod
    def formula(x: Floats, epsilon: Any, k: Any, gamma: Any) -> Any:
        """The curve at loss `x`."""
        return epsilon - k * np.exp(-gamma * x)

    @classmethod
    def starts(cls, x: Floats, y: Floats) -> Floats:
        """For eight decays over the span of x, the best epsilon and k, a linear problem."""
        span = float(np.ptp(x)) or 1.0
        rows = []
        for gamma in np.geomspace(0.1, 12.0, 8) / span:
            # Scaled at the middle of x, so that a fast decay does not underflow.
            fall = np.exp(-gamma * (x - x.mean()))
            (level, drop), *_ = np.linalg.lstsq(np.stack([np.ones_like(x), -fall], 1), y)
            rows.append([level, drop * np.exp(gamma * x.mean()), gamma])
        return np.array(rows)
