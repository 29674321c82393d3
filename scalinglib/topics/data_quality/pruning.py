"""Pruning examples in the teacher-student perceptron, solved in the limit of many dimensions.

A teacher labels random directions by their sign; a student learns from them with the largest
margin. The margin |z| of an example under the teacher says how hard it is. Keeping only the
hardest, or the easiest, changes the distribution of |z| and nothing else, so one pair of
equations covers all cases (Sorscher et al. 2022, with a perfect ranking of the examples).

With overlap R of student and teacher, write b = R / sqrt(1 - R^2), let a be the margin divided by
sqrt(1 - R^2), and h(t) = E[(t - g)_+^2] for a standard normal g. The student with the largest
margin satisfies

    alpha E[h(a - b|z|)] = 1    and    E[|z| h'(a - b|z|)] = a b / (1 + b^2) E[h'(a - b|z|)],

where alpha counts the kept examples per dimension. The first is the condition that a student with
this overlap and margin exists, the second that no other overlap allows a larger margin.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq, nnls
from scipy.special import ndtr, ndtri

from scalinglib.checks import Floats, positive, share
from scalinglib.errors import DataError, FitError

Keep = Literal["hard", "easy"]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(160)
"""The integrands are analytic and smooth on the scale of the interval, so the rule is exact."""

TAIL = 12.0
"""h(t) is below 1e-34 for t under minus this, and so is the normal density beyond it."""


def generalisation_error(
    alpha: ArrayLike, *, fraction: ArrayLike = 1.0, keep: Keep = "hard"
) -> Floats:
    """Share of new examples that the student gets wrong, in the limit of many dimensions.

    Of `alpha` examples per dimension a `fraction` is kept, the nearest to the teacher's boundary
    ("hard") or the farthest. The error is arccos(R) / pi (Sorscher et al. 2022, Sec. 2, perfect
    ranking; without pruning, Opper et al. 1990).
    """
    alpha, fraction = np.broadcast_arrays(positive("alpha", alpha), share("fraction", fraction))
    _check_keep(keep)
    errors = [
        np.arctan2(1.0, _overlap(float(total), float(kept), keep)) / np.pi
        for total, kept in zip(alpha.ravel(), fraction.ravel(), strict=True)
    ]
    return np.array(errors).reshape(alpha.shape)[()]


def error_constant() -> float:
    """Limit of alpha times the error for many examples without pruning.

    From the same equations with the density of the margins at zero, which is all that counts
    when the student's boundary is near the teacher's.
    """

    def balance(a: float) -> float:
        t, w = _rule(-TAIL, a)
        return float(w @ (t * _slope(t)))

    a = brentq(balance, 0.0, 5.0, xtol=1e-14)
    t, w = _rule(-TAIL, a)
    return float(1 / (np.pi * np.sqrt(2 / np.pi) * (w @ _squared(t))))


def kept_needed(alpha: float, *, excess: float = 0.1) -> float:
    """Fewest hard examples per dimension that do almost as well as a pool of `alpha`.

    `excess` is the error allowed above that of the pool, as a share of it.
    """
    target = (1 + float(positive("excess", excess))) * generalisation_error(alpha)

    def above(log_fraction: float) -> float:
        fraction = min(float(np.exp(log_fraction)), 1.0)
        return float(np.log(generalisation_error(alpha, fraction=fraction) / target))

    low = -1.0
    while above(low) < 0:
        low -= 1.0
    return float(alpha * np.exp(brentq(above, low, 0.0, xtol=1e-12)))


def switch_point(fraction: float) -> float:
    """Examples per dimension at which a fraction of hard ones becomes as good as one of easy ones.

    With a smaller pool the easy examples are the better choice, with a larger one the hard.
    """
    if not 0 < fraction < 1:
        raise DataError(f"fraction is {fraction:g}; the choice exists only between 0 and 1.")

    def gap(log_alpha: float) -> float:
        hard, easy = (
            generalisation_error(np.exp(log_alpha), fraction=fraction, keep=keep)
            for keep in ("hard", "easy")
        )
        return float(np.log(hard / easy))

    high = float(np.log(2 / fraction))
    while gap(high) > 0:
        high += 1.0
    low = high - 1.0
    while gap(low) < 0:
        low -= 1.0
    return float(np.exp(brentq(gap, low, high, xtol=1e-12)))


def simulate_error(
    alpha: float,
    *,
    fraction: float = 1.0,
    keep: Keep = "hard",
    dimensions: int = 200,
    repeats: int = 4,
    seed: int = 0,
) -> Floats:
    """Errors of students trained on random examples, one per repeat, to set beside the theory."""
    _check_keep(keep)
    total = round(float(positive("alpha", alpha)) * dimensions)
    kept = round(float(share("fraction", fraction)) * total)
    if dimensions < 2 or repeats < 1 or kept < 1:
        raise DataError(
            f"{kept} examples in {dimensions} dimensions, {repeats} times: give at least one "
            "example, two dimensions and one repeat."
        )
    generator = np.random.default_rng(seed)
    errors = np.empty(repeats)
    for k in range(repeats):
        examples = generator.standard_normal((total, dimensions))
        # The teacher is the first axis; any other one would do, the examples having no preference.
        margin = np.abs(examples[:, 0])
        order = np.argsort(margin if keep == "hard" else -margin, kind="stable")[:kept]
        signed = examples[order] * np.sign(examples[order, :1])
        student = _largest_margin(signed)
        errors[k] = np.arccos(np.clip(student[0] / np.linalg.norm(student), -1, 1)) / np.pi
    return errors


def _largest_margin(signed: Floats) -> Floats:
    """The shortest vector w with signed @ w >= 1, by one non-negative least-squares problem.

    Lawson and Hanson 1974, chapter 23: w is the residual of bringing the examples, each with a
    one appended, to the last unit vector with non-negative coefficients, scaled by its last entry.
    """
    m, n = signed.shape
    table = np.vstack([signed.T, np.ones(m)])
    target = np.zeros(n + 1)
    target[-1] = 1.0
    coefficients, size = nnls(table, target, maxiter=30 * m)
    residual = target - table @ coefficients
    if not size > 1e-10:
        raise FitError("no student separates the examples; this cannot happen with teacher labels.")
    student: Floats = -residual[:n] / residual[n]
    return student


def _check_keep(keep: str) -> None:
    if keep not in ("hard", "easy"):
        raise DataError(f"keep must be 'hard' or 'easy', got {keep!r}.")


def _overlap(alpha: float, fraction: float, keep: Keep) -> float:
    """Overlap b = R / sqrt(1 - R^2) of the student with the largest margin."""
    # The share of |z| below the edge is the fraction kept, or that pruned.
    edge = float(ndtri(0.5 + 0.5 * (fraction if keep == "hard" else 1 - fraction)))
    ends = (0.0, edge) if keep == "hard" else (edge, np.inf)

    def margin(b: float) -> float:
        """The a at which a student of this overlap only just exists."""
        lower, upper = -1.0, 1.0
        while alpha * _moments(upper, b, ends)[0] < 1:
            upper = 2 * upper + 1
        while alpha * _moments(lower, b, ends)[0] > 1:
            lower = 2 * lower - 1
        return float(
            brentq(lambda a: alpha * _moments(a, b, ends)[0] - 1, lower, upper, xtol=1e-13)
        )

    def balance(log_b: float) -> float:
        """Zero where no other overlap allows a larger margin."""
        b = float(np.exp(log_b))
        a = margin(b)
        _, slope, pull = _moments(a, b, ends)
        return b * pull / slope - a * b * b / (1 + b * b)

    lower = upper = 0.0
    while balance(upper) > 0:
        upper += 1.0
    while balance(lower) < 0:
        lower -= 1.0
    return float(np.exp(brentq(balance, lower, upper, xtol=1e-13)))


def _moments(a: float, b: float, ends: tuple[float, float]) -> tuple[float, float, float]:
    """Integrals of h, h' and |z| h' at a - b|z| over the margins |z| between the ends."""
    low, high = ends
    top = min(high, TAIL + low, (a + TAIL) / b if b > 0 else np.inf)
    if top <= low:
        return 0.0, 0.0, 0.0
    z, w = _rule(low, top)
    w = w * 2 * _density(z)
    slope = _slope(a - b * z)
    return float(w @ _squared(a - b * z)), float(w @ slope), float(w @ (z * slope))


def _squared(t: Floats) -> Floats:
    """h(t) = E[(t - g)_+^2] for a standard normal g."""
    return (1 + t * t) * ndtr(t) + t * _density(t)


def _slope(t: Floats) -> Floats:
    """h'(t)."""
    return 2 * (t * ndtr(t) + _density(t))


def _density(t: Floats) -> Floats:
    density: Floats = np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi)
    return density


def _rule(low: float, high: float) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes and weights on an interval."""
    half = 0.5 * (high - low)
    return low + half * (1 + NODES), half * WEIGHTS
