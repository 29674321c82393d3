"""The pruned perceptron: against brute force, and what it refuses."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

import scalinglib as sl
from scalinglib.pruning import (
    _largest_margin,
    generalisation_error,
    kept_needed,
    simulate_error,
    switch_point,
)


def brute_force(alpha, fraction, keep):
    """The overlap with the largest margin, by sums over a grid of margins."""
    edge = norm.ppf(0.5 + 0.5 * (fraction if keep == "hard" else 1 - fraction))
    low, high = (0.0, min(edge, 9.0)) if keep == "hard" else (edge, 9.0)
    z = np.linspace(low, high, 4001)
    density = 2 * norm.pdf(z) / fraction

    def constraint(k, R):
        t = (k - R * z) / np.sqrt(1 - R * R)
        mean = (1 + t * t) * norm.cdf(t) + t * norm.pdf(t)
        return alpha * fraction * np.trapezoid(density * mean, z) - 1

    def margin(R):
        return brentq(constraint, -5.0, 20.0, args=(R,), xtol=1e-13)

    found = minimize_scalar(
        lambda R: -margin(R), bounds=(0.05, 0.999), method="bounded", options={"xatol": 1e-7}
    )
    return np.arccos(found.x) / np.pi


@pytest.mark.parametrize(
    ("alpha", "fraction", "keep"), [(2.0, 1.0, "hard"), (4.0, 0.5, "hard"), (3.0, 0.6, "easy")]
)
def test_brute_force_finds_the_same_student(alpha, fraction, keep):
    ours = generalisation_error(alpha, fraction=fraction, keep=keep)
    assert ours == pytest.approx(brute_force(alpha, fraction, keep), abs=2e-5)


def test_students_are_the_shortest_that_separate():
    generator = np.random.default_rng(4)
    examples = generator.standard_normal((60, 20))
    signed = examples * np.sign(examples[:, :1])
    student = _largest_margin(signed)
    margins = signed @ student
    assert margins.min() == pytest.approx(1.0, abs=1e-8)
    # At the optimum the student is a positive combination of the examples on its margin.
    support = signed[margins < 1 + 1e-7]
    weights, *_ = np.linalg.lstsq(support.T, student, rcond=None)
    assert support.T @ weights == pytest.approx(student, abs=1e-7)
    assert (weights > 0).all()


def test_simulations_are_seeded():
    first, again, other = (simulate_error(2.0, dimensions=40, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_shapes_follow_the_input():
    assert generalisation_error([[1.0, 2.0]]).shape == (1, 2)
    assert np.ndim(generalisation_error(1.0)) == 0
    assert generalisation_error([1.0, 2.0], fraction=0.5).shape == (2,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: generalisation_error(0.0), "alpha"),
        (lambda: generalisation_error(1.0, fraction=1.5), "at most 1"),
        (lambda: generalisation_error(1.0, fraction=0.0), "fraction"),
        (lambda: generalisation_error(1.0, keep="odd"), "keep"),
        (lambda: simulate_error(1.0, fraction=0.0), "fraction"),
        (lambda: simulate_error(1.0, keep="odd"), "keep"),
        (lambda: simulate_error(1.0, repeats=0), "repeat"),
        (lambda: simulate_error(1e-4, dimensions=10), "0 examples"),
        (lambda: switch_point(1.0), "between 0 and 1"),
        (lambda: kept_needed(10.0, excess=0.0), "excess"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(sl.DataError, match=message):
        call()


def test_the_kept_examples_needed_settle():
    needs = [kept_needed(pool) for pool in (30.0, 300.0, 3000.0)]
    assert needs == pytest.approx([needs[-1]] * 3, rel=0.02)
    pool = 300.0
    kept = generalisation_error(pool, fraction=kept_needed(pool) / pool)
    assert kept == pytest.approx(1.1 * generalisation_error(pool), rel=1e-9)


def test_the_switch_is_where_the_errors_meet():
    alpha = switch_point(0.3)
    hard, easy = (generalisation_error(alpha, fraction=0.3, keep=keep) for keep in ("hard", "easy"))
    assert hard == pytest.approx(easy, rel=1e-9)
