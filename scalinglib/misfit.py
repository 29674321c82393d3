"""Whether one law describes all runs: parts by compute, what a fit leaves, gains by size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.optimize import least_squares

from scalinglib.checks import Floats
from scalinglib.fit.result import Fit
from scalinglib.fit.search import solve
from scalinglib.laws import ChinchillaLaw, fit_chinchilla


def by_compute(runs: pd.DataFrame, parts: int) -> list[pd.DataFrame]:
    """Parts of equal number of runs, from the least compute to the most."""
    order = runs.sort_values("flops", kind="stable")
    return [order.iloc[rows] for rows in np.array_split(np.arange(len(order)), parts)]


def bend(
    runs: pd.DataFrame, parts: int, *, fit: Callable[[pd.DataFrame], Fit[Any]] = fit_chinchilla
) -> float:
    """How much the size exponent a falls from the part of least compute to that of most."""
    ends = by_compute(runs, parts)
    return float(fit(ends[0]).law.a - fit(ends[-1]).law.a)


def bend_by_chance(
    fit: Fit[Any], runs: pd.DataFrame, parts: int, *,
    groups: NDArray[Any] | None = None, n: int = 60, seed: int = 0,
) -> Floats:  # fmt: skip
    """The same fall in `n` sets of runs that obey the fitted law, with its residuals.

    Residuals are shuffled over all runs; with `groups`, each stays at its run and whole groups
    change sign, which keeps what runs of a group share and where residuals are large.
    """
    generator = np.random.default_rng(seed)
    residuals, label = fit.residuals.reindex(runs.index), None
    if groups is not None:
        _, label = np.unique(groups, return_inverse=True)
    expected = np.log(fit.law.loss(runs.params, runs.tokens))
    losses = np.empty((n, len(runs)))
    for draw in range(n):
        if label is None:
            error = generator.permutation(residuals.to_numpy())
        else:
            error = residuals.to_numpy() * generator.choice([-1, 1], label.max() + 1)[label]
        losses[draw] = expected + error
    return bends(runs, parts, np.exp(losses))


def bends(runs: pd.DataFrame, parts: int, losses: Floats) -> Floats:
    """The fall of `bend` with each row of `losses` (n, runs), solved from the fits to the runs."""
    ends = [by_compute(runs, parts)[side] for side in (0, -1)]
    fits = [fit_chinchilla(end) for end in ends]
    rows = [pd.Series(np.log(row), index=runs.index) for row in losses]
    found = [[_refit(one, row[end.index]).a for row in rows]
             for one, end in zip(fits, ends, strict=True)]  # fmt: skip
    gaps: Floats = np.subtract(*np.array(found))
    return gaps


def quantities(runs: pd.DataFrame) -> dict[str, Floats]:
    """Decimal logarithms of N, D, C and D/N, each from its mean."""
    tokens_per_param = runs.tokens / runs.params
    columns = {"N": runs.params, "D": runs.tokens, "C": runs.flops, "D/N": tokens_per_param}
    logs = {name: np.log10(np.asarray(values, float)) for name, values in columns.items()}
    return {name: values - values.mean() for name, values in logs.items()}


def curvatures(runs: pd.DataFrame, residuals: Floats) -> dict[str, float]:
    """Quadratic coefficient of residuals against each of `quantities`, per squared decade."""
    return {
        name: float(np.polyfit(x, residuals, 2)[0]) for name, x in quantities(runs).items()
    }  # fmt: skip


def curvatures_by_chance(
    fit: Fit[Any], runs: pd.DataFrame, *,
    groups: NDArray[Any] | None = None, n: int = 400, seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """The same coefficients in `n` sets of runs that obey the fitted law, each fitted anew.

    Residuals are shuffled, or change sign by `groups`, as in `bend_by_chance`.
    """
    generator = np.random.default_rng(seed)
    residuals = fit.residuals.reindex(runs.index).to_numpy()
    expected = np.log(fit.law.loss(runs.params, runs.tokens))
    label = None if groups is None else np.unique(groups, return_inverse=True)[1]
    found = []
    for _ in range(n):
        if label is None:
            error = generator.permutation(residuals)
        else:
            error = residuals * generator.choice([-1, 1], label.max() + 1)[label]
        losses = pd.Series(expected + error, index=runs.index)
        law = _refit(fit, losses.reindex(fit.residuals.index))
        left = losses - np.log(law.loss(runs.params, runs.tokens))
        found.append(curvatures(runs, left.to_numpy()))
    return pd.DataFrame(found)


def _refit(fit: Fit[Any], log_losses: pd.Series[float]) -> ChinchillaLaw:
    """The same runs with other losses, solved from the fit."""
    problem = replace(fit.model.problem, y=log_losses.to_numpy())
    theta, _ = solve(problem, fit.theta[:, None], None, None)
    law: ChinchillaLaw = fit.rebuild(fit.model.params(theta)[:, 0])
    return law


def curvature_test(x: Floats, y: Floats) -> float:
    """Two-sided p of the quadratic term of a parabola through points with independent errors."""
    design = np.vander(x - x.mean(), 3)
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    free = len(x) - 3
    variance = ((y - design @ beta) ** 2).sum() / free
    se = np.sqrt(variance * np.linalg.inv(design.T @ design)[0, 0])
    return float(2 * stats.t.sf(abs(beta[0]) / se, free))


@dataclass(frozen=True, slots=True)
class GainBySize:
    """L = u_size + N^g f(D) with a level u of its own for every size; g = 0 is separable.

    f is B D^-beta, or a cubic in ln D, of which `beta` is nothing (nan). `rms` and `rms_separable`
    are the typical residuals (nats) with g free and at 0; `low` and `high` are the extremes of g
    when any one size is left out; `F` weighs g against what is left, on `degrees` of freedom.
    """

    g: float
    beta: float
    rms: float
    rms_separable: float
    low: float
    high: float
    degrees: int

    @property
    def F(self) -> float:  # noqa: N802 - the name of the statistic
        """F statistic of g = 0, for independent errors of one spread."""
        return ((self.rms_separable / self.rms) ** 2 - 1) * self.degrees


Shape = Literal["power", "cubic"]


def gain_by_size(
    N: ArrayLike, D: ArrayLike, loss: ArrayLike, *, shape: Shape = "power"
) -> GainBySize:
    """How the gain from data grows with the size of the model, by least squares in the loss."""
    N, D, loss = (np.asarray(one, dtype=np.float64) for one in (N, D, loss))
    g, beta, rms = _grown(N, D, loss, shape, free=True)
    sizes = np.unique(N)
    rest = [np.flatnonzero(one != N) for one in sizes]
    without = [_grown(N[k], D[k], loss[k], shape, free=True)[0] for k in rest]
    separable = _grown(N, D, loss, shape, free=False)[2]
    degrees = len(loss) - len(sizes) - (3 if shape == "power" else 4)
    return GainBySize(g, beta, rms, separable, min(without), max(without), degrees)


def growth_of_gain(N: ArrayLike, D: ArrayLike, loss: ArrayLike) -> float:
    """The exponent g of `gain_by_size` with a power of D, alone."""
    N, D, loss = (np.asarray(one, dtype=np.float64) for one in (N, D, loss))
    return _grown(N, D, loss, "power", free=True)[0]


def _grown(
    N: Floats, D: Floats, loss: Floats, shape: Shape, *, free: bool
) -> tuple[float, float, float]:
    """Growth g (0 unless free), beta and the root mean square residual."""
    sizes, which = np.unique(N, return_inverse=True)
    # In units of their spread, so that the solver's tolerances suit any loss.
    own, n = np.eye(len(sizes))[which], np.log(N / N.mean())
    d = np.log(D / np.exp(np.log(D).mean()))
    power, scale = shape == "power", float(loss.std())
    loss = loss / scale

    def residuals(p: Floats) -> Floats:
        # Levels and coefficients follow from linear least squares, given the exponents.
        data = [np.exp(-p[-1] * d)] if power else [d, d**2, d**3]
        grown = np.exp((p[0] if free else 0.0) * n)
        terms = np.column_stack([own, *(grown * one for one in data)])
        left: Floats = terms @ np.linalg.lstsq(terms, loss)[0] - loss
        return left

    start = [*([0.1] if free else []), *([0.4] if power else [])]
    if not start:
        return 0.0, np.nan, scale * float(np.sqrt(np.mean(residuals(np.empty(0)) ** 2)))
    best = least_squares(residuals, start, x_scale=0.1)
    g = float(best.x[0]) if free else 0.0
    beta = float(best.x[-1]) if power else np.nan
    return g, beta, scale * float(np.sqrt(np.mean(best.fun**2)))
