"""The estimator M4 of Alabdulmohsin et al. 2022: a learning curve with a start and an end.

(y - end) / (start - y)^a = b x^-c. The curve leaves its start late and slowly, and comes to its
end as a power law. The paper writes e_0 for the start, e_inf for the end and alpha for a.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares
from scipy.special import expit

from scalinglib.checks import Floats, enough_rows, positive, varying, vectors
from scalinglib.errors import DataError

REFINED = 2
"""Starts that are solved to their optimum, the best of the grid."""

LOW = np.array([-16.0, -5.0, -6.0, -6.0, -60.0])
HIGH = np.array([-1e-6, 0.0, 4.0, 4.0, 60.0])
"""Bounds of ln (end / start), ln start, ln a, ln c and the level: no error rate exceeds one."""


@dataclass(frozen=True, slots=True)
class TwoEndedLaw:
    """M4: (y - end) / (start - y)^a = b x^-c, with ln b in `log_b`."""

    start: float
    end: float
    a: float
    c: float
    log_b: float

    def loss(self, x: ArrayLike) -> Floats:
        """Predict y at x, by solving the implicit equation."""
        width = self.start - self.end
        level = self.log_b - self.c * np.log(positive("x", x)) + (self.a - 1) * np.log(width)
        return self.end + width * expit(_place(level, self.a))


@dataclass(frozen=True, slots=True)
class TwoEndedFit:
    """A fitted law and the root mean square of ln(predicted / observed)."""

    law: TwoEndedLaw
    rms: float

    def predict(self, x: ArrayLike) -> Floats:
        """Predict y at x."""
        return self.law.loss(x)


def fit_two_ended(x: ArrayLike, y: ArrayLike) -> TwoEndedFit:
    """Fit M4 to error rates (shares of one) by least squares of ln(predicted / observed).

    The authors minimise the distance between the logarithms of the two sides of the equation in
    alternating steps; here the objective is the one of every other form.
    """
    values, _ = vectors(x=x, y=y)
    enough_rows(values, 5, "points")
    varying(values[0], "x")
    varying(values[1], "y")
    if values[1].max() > 1:
        raise DataError(f"y reaches {values[1].max():g}; give error rates, as shares of one.")
    u = np.log(values[0])
    centre = float(u.mean())
    found = [
        least_squares(_residual, start, _jacobian, bounds=(LOW, HIGH), x_scale=1.0,
                      ftol=1e-13, xtol=1e-12, gtol=1e-12, max_nfev=400,
                      args=(u - centre, np.log(values[1])))
        for start in _starts(u - centre, values[1])
    ]  # fmt: skip
    best = min(found, key=lambda one: float(one.cost))
    ratio, start, a, c = np.exp(best.x[:4])
    log_b = best.x[4] + c * centre + (1 - a) * np.log(start * (1 - ratio))
    law = TwoEndedLaw(*(float(value) for value in (start, ratio * start, a, c, log_b)))
    return TwoEndedFit(law, float(np.sqrt(2 * best.cost / len(u))))


def _place(level: Floats, a: float) -> Floats:
    """Solve ln s(t) - a ln (1 - s(t)) = level for t, with s the logistic function.

    The left side has slopes between 1 and a, is convex or concave, and Newton's steps converge.
    """
    t = np.where(level < 0, level, level / a)
    for _ in range(60):
        value = -np.logaddexp(0, -t) + a * np.logaddexp(0, t)
        share = expit(t)
        step = (level - value) / ((1 - share) + a * share)
        t = t + step
        if np.max(np.abs(step), initial=0.0) < 1e-12:
            break
    return np.asarray(t)


def _residual(theta: Floats, u: Floats, log_y: Floats) -> Floats:
    ratio, _, a, c = np.exp(theta[:4])
    share = expit(_place(theta[4] - c * u, a))
    return np.asarray(theta[1] + np.log(ratio + (1 - ratio) * share) - log_y)


def _jacobian(theta: Floats, u: Floats, log_y: Floats) -> Floats:
    """Derivatives of the residual, through the implicit equation."""
    ratio, _, a, c = np.exp(theta[:4])
    t = _place(theta[4] - c * u, a)
    share = expit(t)
    height = ratio + (1 - ratio) * share
    by_level = (1 - ratio) * share * (1 - share) / ((1 - share) + a * share) / height
    bend = -a * np.logaddexp(0, t) * by_level
    columns = [ratio * (1 - share) / height, np.ones_like(u), bend, -c * u * by_level, by_level]
    return np.stack(columns, axis=1)


def _starts(u: Floats, y: Floats) -> list[Floats]:
    """The best of a grid of ends and bends; for given ones the equation is linear in ln x."""
    found = []
    for below, above, a in product(
        (0.02, 0.3, 0.6, 0.85, 0.97), (1e-3, 0.1, 0.6), (0.03, 0.1, 0.3, 1.0, 3.0)
    ):
        end, start = below * y.min(), y.max() + above * (1.001 - y.max())
        share = (y - end) / (start - end)
        slope, level = np.polyfit(u, np.log(share) - a * np.log1p(-share), 1)
        theta = np.array([*np.log([end / start, start, a, max(-slope, 0.01)]), level])
        theta = np.clip(theta, LOW + 1e-6, HIGH - 1e-6)
        found.append((float(np.sum(_residual(theta, u, np.log(y)) ** 2)), theta))
    return [theta for _, theta in sorted(found, key=lambda one: one[0])[:REFINED]]
