"""Random features on a power-law spectrum: exact error, tuned ridge in closed form, simulation.

Inputs are Gaussian with eigenvalues i^-(1+a), the target has power i^-(1+b) in mode i, N random
linear combinations of the inputs are regressed on D samples without noise. N and D may be infinite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq, minimize_scalar

from scalinglib.checks import Floats, positive
from scalinglib.errors import DataError
from scalinglib.topics.theory.lists import ranks


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """Eigenvalues, the power of the target in each, and how many modes an entry stands for."""

    eigenvalue: Floats
    power: Floats
    count: Floats

    @classmethod
    def power_law(cls, a: float, b: float | None = None, *, listed: float = 1e40) -> Modes:
        """Eigenvalues i^-(1+a), power i^-(1+b); without b an isotropic target, for which b = a."""
        rank, count = ranks(listed, exact=4000)
        return cls(rank ** -(1 + a), rank ** -(1 + (a if b is None else b)), count)

    def resolved(self, g: float) -> tuple[float, float]:
        """Modes above the resolution g, softly: z = sum l/(l+g) and q = sum (l/(l+g))^2."""
        share = self.eigenvalue / (self.eigenvalue + g)
        return float(self.count @ share), float(self.count @ share**2)

    def error(self, g: float, N: float, D: float) -> float:
        """Test error at resolution g, by the deterministic equivalent."""
        z, q = self.resolved(g)
        missed = g / (self.eigenvalue + g)
        seen = self.eigenvalue / (self.eigenvalue + g)
        kept = 1 - (z - q) / (N - q)
        bias = float((self.count * self.power) @ (missed * (1 - kept * seen)))
        return bias / (1 - (q + (z - q) ** 2 / (N - q)) / D)

    def ridge(self, g: float, N: float, D: float) -> float:
        """The ridge, in the units of a sum over samples, that gives the resolution g."""
        z, _ = self.resolved(g)
        return float(g * (1 - z / N) * (D - z))

    def finest(self, N: float, D: float) -> float:
        """Logarithm of the resolution without a ridge, where z is the smaller of N and D."""
        least = min(N, D)
        if not self.count.sum() > least:
            raise DataError(
                f"the list holds {self.count.sum():.3g} modes; give more than {least:g}."
            )
        found: float = brentq(lambda log_g: self.resolved(np.exp(log_g))[0] - least, -700.0, 50.0)
        return found

    def tuned(self, N: float, D: float) -> tuple[float, float]:
        """Lowest test error over all ridges, and the resolution where it is reached."""
        edge = self.finest(N, D)
        best = minimize_scalar(
            lambda log_g: self.error(np.exp(log_g), N, D), bounds=(edge + 1e-9, edge + 12.0),
            method="bounded", options={"xatol": 1e-7},
        )  # fmt: skip
        return float(best.fun), float(np.exp(best.x))

    def at_ridge(self, ridge: float, N: float, D: float) -> float:
        """Test error at a ridge that is given and not tuned."""
        edge = self.finest(N, D)
        log_g = brentq(lambda one: self.ridge(np.exp(one), N, D) - ridge, edge, edge + 200.0)
        return self.error(np.exp(log_g), N, D)

    def one_pass(self, N: float, steps: float) -> float:
        """Error on endless data after so many steps of descent, taken as a ridge of 1 / steps."""
        edge = self.finest(N, np.inf)

        def gap(log_g: float) -> float:
            z, _ = self.resolved(np.exp(log_g))
            return float(np.exp(log_g) * (1 - z / N) * steps - 1)

        return self.error(np.exp(brentq(gap, edge, edge + 200.0)), N, np.inf)


def best_size(error: Callable[[float, float], float], C: float) -> float:
    """Size N that minimises an error of N and C / N."""
    best = minimize_scalar(
        lambda log_N: error(np.exp(log_N), C / np.exp(log_N)),
        bounds=(0.1 * np.log(C), 0.9 * np.log(C)), method="bounded", options={"xatol": 1e-7},
    )  # fmt: skip
    return float(np.exp(best.x))


def tail_constant(a: ArrayLike) -> Floats:
    """The c of z = c g^(-1/(1+a)), the modes that a power-law tail resolves."""
    angle = np.pi / (1 + positive("a", a))
    found: Floats = angle / np.sin(angle)
    return found


def modes_learned(N: ArrayLike, D: ArrayLike, a: ArrayLike) -> Floats:
    """Modes resolved under the best ridge: the positive root s of m s^2 + (N + D) s = N D."""
    n, d, a = 1 / positive("N", N), 1 / positive("D", D), positive("a", a)
    m = 2 / (a * (1 + a)) - 1
    found: Floats = 2 / (n + d + np.sqrt((n + d) ** 2 + 4 * m * n * d))
    return found


def tuned_error(N: ArrayLike, D: ArrayLike, a: ArrayLike, *, unit: bool = False) -> Floats:
    """Test error under the best ridge, c^(1+a) s^-a / (1 + (1-a)/(1+a) s^2/(N D)).

    For an isotropic target and a pure power-law tail; with `unit` without the constant c^(1+a).
    """
    s, a = modes_learned(N, D, a), np.asarray(a, dtype=np.float64)
    nd = 1 / np.asarray(N, dtype=np.float64) / np.asarray(D, dtype=np.float64)
    found: Floats = s**-a / (1 + (1 - a) / (1 + a) * s**2 * nd)
    return found if unit else tail_constant(a) ** (1 + a) * found


def data_growth(ratio: ArrayLike, a: ArrayLike) -> Floats:
    """Local exponent g with which the worth of data, -dL/d ln D, grows with N, at D/N = `ratio`.

    From the closed form: L = (N D)^(-a/2) h(u) with u = ln(D/N), so that
    g = (h'' - a^2 h/4) / (a h/2 - h').
    """
    a, u = positive("a", a), np.log(positive("ratio", ratio))
    m, mu = 2 / (a * (1 + a)) - 1, (1 - a) / (1 + a)
    sigma, slope = 2 * np.cosh(u / 2), np.sinh(u / 2)
    rho = 2 / (sigma + np.sqrt(sigma**2 + 4 * m))
    p = a * rho / (1 + mu * rho**2)
    bent = -(rho**2) / (1 + m * rho**2) * a * (1 - mu * rho**2) / (1 + mu * rho**2) ** 2
    first, second = p * slope, (p**2 + bent) * slope**2 + p * sigma / 4
    found: Floats = (second - a**2 / 4) / (a / 2 - first)
    return found


def simulate(
    a: float,
    sizes: Sequence[int],
    *,
    modes: int = 1500,
    draws: int = 4,
    targets: int = 16,
    seed: int = 0,
) -> pd.DataFrame:
    """Regressions on random features at every pair of sizes, each with its theoretical best ridge.

    A draw is one set of features and one of samples, on which each of `targets` random targets is
    learned. A row per pair: N, D, ``error`` (the population error exactly, mean over draws and
    targets) and ``theory``, the exact sum for the same finite list of modes.
    """
    rng = np.random.default_rng(seed)
    theory = Modes.power_law(a, listed=modes)
    scale = np.sqrt(np.arange(1, modes + 1.0) ** -(1 + a))
    rows = []
    for N in sizes:
        for D in sizes:
            expected, g = theory.tuned(N, D)
            ridge = theory.ridge(g, N, D)
            found = [_regress(rng, scale, (N, D, targets), ridge) for _ in range(draws)]
            rows.append({"N": N, "D": D, "error": np.mean(found), "theory": expected})
    return pd.DataFrame(rows)


def _regress(
    rng: np.random.Generator, scale: Floats, sizes: tuple[int, int, int], ridge: float
) -> float:
    """Population error of ridge regression on N features and D samples, mean over the targets."""
    N, D, targets = sizes
    target = rng.standard_normal((len(scale), targets))
    mix = rng.standard_normal((len(scale), N)) / np.sqrt(N)
    x = rng.standard_normal((D, len(scale))) * scale
    seen, y = x @ mix, x @ target
    if N <= D:
        found = np.linalg.solve(seen.T @ seen + ridge * np.eye(N), seen.T @ y)
    else:
        found = seen.T @ np.linalg.solve(seen @ seen.T + ridge * np.eye(D), y)
    missed = scale[:, None] * (target - mix @ found)
    return float(np.sum(missed**2)) / targets
