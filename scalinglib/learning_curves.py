"""Learning curves: fit their first part in several forms, and score the forecast of the rest.

A learning curve follows one training run, so its points are far from independent. The scores
here are one number per curve, and what compares them counts curves or runs, never points.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

from scalinglib._fit import Fit
from scalinglib.compute import positive
from scalinglib.errors import DataError
from scalinglib.fitting import fit_power_law
from scalinglib.laws import PowerLaw, SaturatingLaw, ShiftedPowerLaw
from scalinglib.special_fits import fit_saturating, fit_shifted_power_law
from scalinglib.uncertainty import bootstrap

CurveLaw = PowerLaw | SaturatingLaw | ShiftedPowerLaw
Fitter = Callable[..., Fit[Any]]

FORMS: Mapping[str, Fitter] = MappingProxyType(
    {
        "power law": fit_power_law,
        "with a floor": partial(fit_power_law, offset=True),
        "saturating": fit_saturating,
    }
)
"""Forms by name: A x^-alpha, E + A x^-alpha, and A (1/x + d)^alpha."""

FOUR_FORMS: Mapping[str, Fitter] = MappingProxyType({**FORMS, "both ends": fit_shifted_power_law})
"""The same and E + A (x + d)^-alpha, which is flat at small x too."""

BY = ("task", "model")
COLUMNS = ("examples_seen", "error", "in_fit")

SAME = 1e-6
"""Scores within this relative distance are a tie: one form has become the other."""


def plateau(law: CurveLaw) -> float:
    """What a law approaches at unlimited scale.

    Parameters
    ----------
    law : PowerLaw, SaturatingLaw or ShiftedPowerLaw

    Returns
    -------
    float
        In the unit of the law.

    Raises
    ------
    DataError
        If the law is of another kind.

    Examples
    --------
    >>> print(plateau(PowerLaw(A=1.0, alpha=0.3, E=0.2)))
    0.2
    >>> print(f"{plateau(SaturatingLaw(A=2.0, d=0.01, alpha=0.5)):.2f}")
    0.20
    """
    if isinstance(law, SaturatingLaw):
        return law.E + float(law.A * law.d**law.alpha)
    if isinstance(law, PowerLaw | ShiftedPowerLaw):
        return law.E
    raise DataError(
        f"law is a {type(law).__name__}; give a PowerLaw, SaturatingLaw or ShiftedPowerLaw."
    )


def per_doubling(law: CurveLaw, x: ArrayLike) -> pd.DataFrame:
    """What the next doubling of scale buys.

    Parameters
    ----------
    law : PowerLaw, SaturatingLaw or ShiftedPowerLaw
    x : array_like, shape (n,)
        Scales to start from.

    Returns
    -------
    DataFrame
        One row per scale: ``x``, ``y``, ``y_doubled``, ``gain`` (the share of y removed),
        ``excess_gain`` (the share of the part above the plateau), and ``excess`` (that part as a
        share of y).

    Raises
    ------
    DataError
        If `x` is not positive, or the law is of another kind.

    Examples
    --------
    >>> steps = per_doubling(PowerLaw(A=0.5, alpha=1.0, E=0.5), [1.0, 2.0])
    >>> print(steps[["y", "gain", "excess_gain"]].round(4).to_numpy().tolist())
    [[1.0, 0.25, 0.5], [0.75, 0.1667, 0.5]]
    """
    scale = np.ravel(positive("x", x))
    floor = plateau(law)
    y, doubled = law.loss(scale), law.loss(2 * scale)
    return pd.DataFrame(
        {
            "x": scale, "y": y, "y_doubled": doubled, "gain": 1 - doubled / y,
            "excess_gain": 1 - (doubled - floor) / (y - floor), "excess": 1 - floor / y,
        }
    )  # fmt: skip


def observed_doublings(x: ArrayLike, y: ArrayLike, *, n: int) -> pd.DataFrame:
    """Share of y that each of the last doublings of x removed.

    Parameters
    ----------
    x, y : array_like, shape (m,)
        Points of a curve, positive; between them ln y is taken as linear in ln x.
    n : int
        Number of doublings, counted back from the largest x.

    Returns
    -------
    DataFrame
        Columns ``x`` (where the doubling starts), ``y`` and ``gain``, ascending.

    Raises
    ------
    DataError
        If values are not positive, lengths differ, or `n` doublings reach before the first x.

    Examples
    --------
    >>> print(observed_doublings([1, 2, 4, 8], [8.0, 4.0, 3.0, 2.4], n=3).gain.round(2).tolist())
    [0.5, 0.25, 0.2]
    """
    xs, ys = np.ravel(positive("x", x)), np.ravel(positive("y", y))
    if len(xs) != len(ys):
        raise DataError(f"x has {len(xs)} values and y has {len(ys)}; give one y per x.")
    order = np.argsort(xs, kind="stable")
    grid = xs.max() / 2.0 ** np.arange(n, -1, -1)
    if n < 1 or grid[0] < xs.min() * (1 - 1e-12):
        most = int(np.log2(xs.max() / xs.min()) + 1e-12)
        raise DataError(f"n must lie between 1 and {most}, the doublings of x there are; got {n}.")
    at = np.exp(np.interp(np.log(grid), np.log(xs[order]), np.log(ys[order])))
    return pd.DataFrame({"x": grid[:-1], "y": at[:-1], "gain": 1 - at[1:] / at[:-1]})


@dataclass(frozen=True, slots=True, eq=False)
class CurveScores:
    """Forecast errors of several forms on several curves.

    Parameters
    ----------
    table : DataFrame
        One row per curve and form: the curve's keys, ``form``, ``fitted`` and ``held_out``
        (numbers of points), ``rms`` (root mean square of ln(predicted / observed) over the
        held-out points), ``last`` (ln(predicted / observed) at the largest scale), ``plateau``,
        and ``lowest`` (the lowest error held out).
    fits : mapping
        The fits, by the curve's keys and the form.
    keys : tuple of str
        Columns that name a curve.

    Examples
    --------
    >>> import scalinglib as sl
    >>> curves = sl.load("vision_learning_curves")
    >>> scores = score_curves(curves[curves.task == "inet_10"])
    >>> print(scores.by_curve()["saturating"].round(4).iloc[1])
    0.0044
    """

    table: pd.DataFrame
    fits: Mapping[tuple[Hashable, ...], Fit[Any]]
    keys: tuple[str, ...]

    def by_curve(self, value: str = "rms") -> pd.DataFrame:
        """One row per curve and one column per form.

        Parameters
        ----------
        value : str, default "rms"
            Column of the table.

        Returns
        -------
        DataFrame
        """
        forms = list(dict.fromkeys(self.table["form"]))
        return self.table.pivot_table(
            index=list(self.keys), columns="form", values=value, sort=False
        )[forms]

    def rules(self) -> pd.DataFrame:
        """What several scoring rules make of the same forecasts.

        Returns
        -------
        DataFrame
            One row per rule and one column per form: the mean and the median over curves of the
            root mean square, its pooled value over all points, the mean absolute error at the
            last point, and the curves won (ties shared).
        """
        rms, last = self.by_curve(), self.by_curve("last").abs()
        weights = self.by_curve("held_out")
        best = rms.sub(rms.min(axis=1), axis=0).le(SAME * rms.min(axis=1), axis=0)
        return pd.DataFrame(
            {
                "mean over curves": rms.mean(),
                "median over curves": rms.median(),
                "all points pooled": np.sqrt((rms**2 * weights).sum() / weights.sum()),
                "last point, mean": last.mean(),
                "curves won": best.div(best.sum(axis=1), axis=0).sum(),
            }
        ).T


def score_curves(
    curves: pd.DataFrame,
    *,
    below: float = np.inf,
    by: Sequence[str] = BY,
    forms: Mapping[str, Fitter] = FORMS,
) -> CurveScores:
    """Fit each curve's first part and score the forecast of the rest.

    Parameters
    ----------
    curves : DataFrame
        Columns ``examples_seen``, ``error``, ``in_fit`` (bool), and those in `by`.
    below : float, default infinity
        Points to fit with a larger or equal error are left out. Held-out points never are.
    by : sequence of str, default ("task", "model")
        Columns that name a curve.
    forms : mapping of str to callable, default `FORMS`
        Each takes x and y and returns a `Fit`.

    Returns
    -------
    CurveScores

    Raises
    ------
    DataError
        If a column is missing, or a curve has no point to fit or none held out.
    FitError
        If a curve cannot be fitted.

    References
    ----------
    Alabdulmohsin et al. 2022, "Revisiting Neural Scaling Laws in Language and Vision", Eq. 4.

    Examples
    --------
    >>> import scalinglib as sl
    >>> curves = sl.load("vision_learning_curves")
    >>> one = curves[(curves.task == "inet_10") & (curves.model == "ViT/B/16")]
    >>> score_curves(one).table.rms.round(4).tolist()
    [0.0462, 0.0462, 0.0462]
    >>> score_curves(one, below=0.9).table.rms.round(4).tolist()
    [0.0746, 0.0565, 0.0352]
    """
    rows: list[dict[str, Any]] = []
    fits: dict[tuple[Hashable, ...], Fit[Any]] = {}
    for names, curve in _curves(curves, by):
        first, rest = curve[curve.in_fit & (curve.error < below)], curve[~curve.in_fit]
        if not len(first) or not len(rest):
            told = "to fit" if not len(first) else "held out"
            raise DataError(f"curve {names} has no point {told}; check in_fit and below.")
        for form, fit in forms.items():
            one = fit(first.examples_seen, first.error)
            gap = np.log(one.predict(rest.examples_seen) / rest.error.to_numpy())
            fits[*names, form] = one
            rows.append(
                {
                    **dict(zip(by, names, strict=True)), "form": form,
                    "fitted": len(first), "held_out": len(rest),
                    "rms": float(np.sqrt(np.mean(gap**2))),
                    "last": float(gap[int(np.argmax(rest.examples_seen))]),
                    "plateau": plateau(one.law), "lowest": float(rest.error.min()),
                }
            )  # fmt: skip
    return CurveScores(pd.DataFrame(rows), MappingProxyType(fits), tuple(by))


def rolling_origins(
    curves: pd.DataFrame,
    *,
    halvings: Sequence[int] = (1, 2, 3),
    below: float = np.inf,
    least: int = 12,
    by: Sequence[str] = BY,
    forms: Mapping[str, Fitter] = FORMS,
) -> pd.DataFrame:
    """Forecast one doubling ahead from several places along each curve.

    Parameters
    ----------
    curves : DataFrame
        As for `score_curves`; ``in_fit`` is not used.
    halvings : sequence of int, default (1, 2, 3)
        The origin is the last x, halved so many times.
    below : float, default infinity
        As in `score_curves`.
    least : int, default 12
        A curve with fewer points before an origin is left out there.
    by, forms
        As in `score_curves`.

    Returns
    -------
    DataFrame
        One row per curve, origin and form: the keys, ``halvings``, ``form``, ``rms``.

    Raises
    ------
    DataError
        If a column is missing.
    FitError
        If a curve cannot be fitted.

    Examples
    --------
    >>> import scalinglib as sl
    >>> curves = sl.load("vision_learning_curves")
    >>> one = curves[(curves.task == "inet_10") & (curves.model == "ViT/B/16")]
    >>> rolling_origins(one, halvings=[1, 2], forms={"line": fit_power_law}).rms.round(4).tolist()
    [0.0462, 0.0138]
    """
    parts = []
    for _, curve in _curves(curves, by):
        for k in halvings:
            origin = curve.examples_seen.max() / 2**k
            near = curve[curve.examples_seen <= 2 * origin]
            part = near.assign(in_fit=near.examples_seen <= origin)
            if (part.in_fit & (part.error < below)).sum() < least or part.in_fit.all():
                continue
            scores = score_curves(part, below=below, by=by, forms=forms).table
            parts.append(scores[[*by, "form", "rms"]].assign(halvings=k))
    if not parts:
        raise DataError(f"no curve has {least} points before an origin; lower least or halvings.")
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, slots=True)
class SignTest:
    """How often one form beats another, and how surprising that is if neither is better.

    Parameters
    ----------
    wins, losses, ties : int
        Units in which the first form has the smaller, the larger, or the same score.
    p : float
        Chance of a split at least as uneven, ties left out; 1 if all are ties.
    """

    wins: int
    losses: int
    ties: int
    p: float


def sign_test(first: ArrayLike, second: ArrayLike) -> SignTest:
    """Compare two forms unit by unit.

    Parameters
    ----------
    first, second : array_like, shape (n,)
        Scores of the same units, smaller is better.

    Returns
    -------
    SignTest

    Raises
    ------
    DataError
        If the lengths differ.

    Examples
    --------
    >>> print(sign_test([1.0, 1.0, 2.0, 3.0], [2.0, 3.0, 3.0, 3.0]))
    SignTest(wins=3, losses=0, ties=1, p=0.25)
    """
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(f"the scores have shapes {a.shape} and {b.shape}; give one per unit.")
    tie = np.abs(a - b) <= SAME * np.maximum(np.abs(a), np.abs(b))
    wins, losses = int((~tie & (a < b)).sum()), int((~tie & (a > b)).sum())
    p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return SignTest(wins, losses, int(tie.sum()), p)


def points_per_curve(scores: CurveScores, curves: pd.DataFrame, form: str) -> pd.Series[float]:
    """How many independent points the held-out part of a curve is worth.

    The signed errors ln(predicted / observed) of one curve resemble each other. With a share
    rho of their variance between curves (the intraclass correlation), n points of a curve carry
    the information of n / (1 + (n - 1) rho) independent ones about the mean error.

    Parameters
    ----------
    scores : CurveScores
        Fits to the curves.
    curves : DataFrame
        The frame that was scored.
    form : str
        Whose errors.

    Returns
    -------
    Series
        ``rho``, ``points`` (mean number held out per curve), ``worth``.

    Raises
    ------
    DataError
        If the form was not fitted.

    References
    ----------
    Kish 1965, "Survey Sampling" (design effect of cluster samples).

    Examples
    --------
    >>> import scalinglib as sl
    >>> curves = sl.load("vision_learning_curves")
    >>> worth = points_per_curve(score_curves(curves), curves, "saturating")
    >>> print(worth.round(2).to_dict())
    {'rho': 0.76, 'points': 264.67, 'worth': 1.31}
    """
    if form not in set(scores.table["form"]):
        raise DataError(f"{form!r} was not fitted; use one of {set(scores.table['form'])}.")
    gaps = []
    for names, curve in _curves(curves, scores.keys):
        rest = curve[~curve.in_fit]
        predicted = scores.fits[*names, form].predict(rest.examples_seen)
        gaps.append(np.log(predicted / rest.error.to_numpy()))
    sizes = np.array([len(gap) for gap in gaps], dtype=np.float64)
    within = sum(float(np.sum((gap - gap.mean()) ** 2)) for gap in gaps) / (sizes.sum() - len(gaps))
    means = np.array([gap.mean() for gap in gaps])
    overall = float(np.concatenate(gaps).mean())
    between = float(np.sum(sizes * (means - overall) ** 2)) / (len(gaps) - 1)
    typical = (sizes.sum() - np.sum(sizes**2) / sizes.sum()) / (len(gaps) - 1)
    variance = max((between - within) / typical, 0.0)
    rho = variance / (variance + within)
    n = float(sizes.mean())
    return pd.Series({"rho": rho, "points": n, "worth": n / (1 + (n - 1) * rho)})


def block_resamples(n: int, *, block: int, draws: int, seed: int) -> NDArray[np.int64]:
    """Positions for a bootstrap that keeps neighbouring points together.

    Parameters
    ----------
    n : int
        Number of points, in the order of the curve.
    block : int
        Points per block; about as long as residuals keep their sign.
    draws : int
        Number of resamples.
    seed : int
        Seed of ``numpy.random.default_rng``.

    Returns
    -------
    ndarray of int, shape (draws, n)
        For ``bootstrap(fit, resamples=...)``.

    Raises
    ------
    DataError
        If `block` is not between 1 and `n`, or `draws` is below 2.

    References
    ----------
    Künsch 1989, "The jackknife and the bootstrap for general stationary observations".

    Examples
    --------
    >>> positions = block_resamples(10, block=5, draws=2, seed=0)
    >>> print(positions.shape, (positions[:, 1] - positions[:, 0]).tolist())
    (2, 10) [1, 1]
    """
    if not 1 <= block <= n:
        raise DataError(f"block must lie between 1 and n = {n}, got {block}.")
    if draws < 2:
        raise DataError(f"draws must be at least 2, got {draws}.")
    count = -(-n // block)
    first = np.random.default_rng(seed).integers(0, n - block + 1, size=(draws, count))
    positions = first[:, :, None] + np.arange(block)
    return positions.reshape(draws, -1)[:, :n].astype(np.int64)


def plateau_interval(
    fit: Fit[Any], *, block: int = 10, draws: int = 400, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Interval of a fitted plateau from a bootstrap of blocks of neighbouring points.

    Parameters
    ----------
    fit : Fit
        Of a `CurveLaw`, to points in the order of the curve.
    block, draws, seed
        As in `block_resamples`.
    level : float, default 0.95
        Nominal coverage, if the form is right.

    Returns
    -------
    tuple of float
        Low and high end, in the unit of the law.

    Raises
    ------
    DataError
        If the law is of another kind or an option is not valid.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.geomspace(1.0, 1e4, 40)
    >>> wave = 1 + 0.01 * np.sin(np.arange(40))
    >>> fit = fit_power_law(x, PowerLaw(A=1.0, alpha=0.5, E=0.2).loss(x) * wave, offset=True)
    >>> low, high = plateau_interval(fit)
    >>> bool(0.18 < low < 0.2 < high < 0.22)
    True
    """
    positions = block_resamples(fit.n_runs, block=block, draws=draws, seed=seed)
    return bootstrap(fit, resamples=positions).interval(plateau, level=level)


def _curves(
    curves: pd.DataFrame, by: Sequence[str]
) -> list[tuple[tuple[Hashable, ...], pd.DataFrame]]:
    missing = [name for name in (*by, *COLUMNS) if name not in curves.columns]
    if missing:
        raise DataError(f"curves has no column {missing[0]!r}; it needs {', '.join(COLUMNS)}.")
    return [
        (tuple(names), curve.sort_values("examples_seen", kind="stable"))
        for names, curve in curves.groupby(list(by), sort=False)
    ]
