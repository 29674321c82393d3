"""Claims about why losses follow power laws."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import zeta

import scalinglib as sl
from scalinglib import published
from scalinglib.checks import Floats

from . import Readings, settles

EPOCH: Final = published.EPOCH_2024
HOFFMANN: Final = published.HOFFMANN_2022_ROUNDED
KAPLAN_N, KAPLAN_D = (published.law(f"kaplan2020/{one}") for one in ("parameters", "tokens"))
ORDER: Final = 4
"""Exponent times dimension for learners that are piecewise linear (Sharma and Kaplan 2020)."""
NEAREST: Final = 2
"""The same for a learner that repeats its nearest example: its error goes with distance squared."""


def surface(points: Floats) -> Floats:
    """A flat torus of the points' dimension, in a space of twice as many."""
    return np.hstack([np.cos(points), np.sin(points)])


def recovered_dimension(d: int, *, examples: Floats, queries: int = 2048, seed: int = 0) -> float:
    """Dimension of a torus, from the error of nearest neighbours as its examples grow.

    The target is smooth, a sum of one wave in each direction of the torus.
    """
    rng = np.random.default_rng(seed)
    asked = rng.uniform(0, 2 * np.pi, (queries, d))
    error = []
    for n in examples:
        known = rng.uniform(0, 2 * np.pi, (int(n), d))
        _, near = cKDTree(surface(known)).query(surface(asked))
        miss = np.sin(known[near]).sum(axis=1) - np.sin(asked).sum(axis=1)
        error.append(np.mean(miss**2))
    return NEAREST / sl.fit_power_law(examples, np.array(error)).law.alpha


@settles("A130")
def dimension_of_the_data() -> Readings:
    """Whether an exponent tells the dimension: on known surfaces, and for language.

    For language one law is read twice: as a power of the part above its floor, and as a power of
    the whole loss between 1e8 and 1e11 parameters.
    """
    examples = np.array([2.0**power for power in range(10, 17)])
    sizes = np.logspace(8, 11, 13)
    whole = sl.fit_power_law(sizes, EPOCH.loss(sizes, np.inf)).law.alpha
    return {
        f"dimension found on a surface of {d}": recovered_dimension(d, examples=examples)
        for d in (1, 2, 3)
    } | {
        "dimension by 4/d, Kaplan's exponent over the refit's": (ORDER / KAPLAN_N.alpha)
        / (ORDER / EPOCH.alpha),
        "dimension by 4/d, the refit read without its floor over with it": (ORDER / whole)
        / (ORDER / EPOCH.alpha),
    }


def unlearned_by_size(a: float, sizes: Floats) -> Floats:
    """Share of use left when the most frequent skills are learned; use falls as rank^-(1+a)."""
    left: Floats = zeta(1 + a, sizes + 1) / zeta(1 + a)
    return left


def unlearned_by_data(a: float, tokens: Floats, *, listed: int = 10**6) -> Floats:
    """Share of use left when skills are learned at first sight; beyond the list none is seen."""
    use = np.arange(1, listed + 1) ** -(1 + a) / zeta(1 + a)
    rest = zeta(1 + a, listed + 1) / zeta(1 + a)
    return np.array([np.sum(use * np.exp(-use * D)) for D in tokens]) + rest


def slope(x: Floats, y: Floats) -> float:
    """Exponent with which y falls between the ends of x."""
    return float(-np.log(y[-1] / y[0]) / np.log(x[-1] / x[0]))


def of_data(alpha_N: float) -> float:
    """Exponent of data that goes with an exponent of size, a / (1 + a) (Michaud et al. 2023)."""
    return alpha_N / (1 + alpha_N)


@settles("A133")
def frequent_first() -> Readings:
    """Exponents of a list of skills learned by frequency, beside those of fitted laws."""
    a, scales = 0.5, np.array([1e3, 1e4])
    laws = {
        "Kaplan": (KAPLAN_N.alpha, KAPLAN_D.alpha),
        "the refit": (EPOCH.alpha, EPOCH.beta),
        "Hoffmann": (HOFFMANN.alpha, HOFFMANN.beta),
    }
    return {
        "exponent in size over that of use": slope(scales, unlearned_by_size(a, scales)) / a,
        "exponent in data over that of the theory": slope(scales, unlearned_by_data(a, scales))
        / of_data(a),
    } | {
        f"exponent of data by the theory over the fitted one, {name}": of_data(alpha) / beta
        for name, (alpha, beta) in laws.items()
    }
