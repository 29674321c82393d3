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
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from scalinglib.checks import positive
from scalinglib.errors import DataError
from scalinglib.fit.bootstrap import bootstrap
from scalinglib.fit.resample import draw
from scalinglib.fit.result import Fit
from scalinglib.laws.power import PowerLaw, fit_power_law
from scalinglib.laws.saturating import (
    SaturatingLaw,
    ShiftedPowerLaw,
    fit_saturating,
    fit_shifted_power_law,
)

from .alternating import fit_alternating
from .two_ends import TwoEndedFit, TwoEndedLaw, fit_two_ended

CurveLaw = PowerLaw | SaturatingLaw | ShiftedPowerLaw | TwoEndedLaw

Fitter = Callable[..., Fit[Any] | TwoEndedFit]

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

FIVE_FORMS: Mapping[str, Fitter] = MappingProxyType({**FOUR_FORMS, "M4": fit_two_ended})
"""The same and the estimator that Alabdulmohsin et al. 2022 propose."""

M4_FITS: Mapping[str, Fitter] = MappingProxyType(
    {
        "log of the error": fit_two_ended,
        "authors' steps": fit_alternating,
        "authors' distance, minimised": partial(fit_alternating, refresh=True),
    }
)
"""M4 fitted in three ways: ours, and the two that the authors' objective allows."""

BY = ("task", "model")

COLUMNS = ("examples_seen", "error", "in_fit")

TIE = 1e-6
"""Scores within this relative distance are a tie: one form has become the other."""


def plateau(law: CurveLaw) -> float:
    """What a law approaches at unlimited scale."""
    if isinstance(law, SaturatingLaw):
        return law.E + float(law.A * law.d**law.alpha)
    if isinstance(law, PowerLaw | ShiftedPowerLaw):
        return law.E
    if isinstance(law, TwoEndedLaw):
        return law.end
    raise DataError(
        f"law is a {type(law).__name__}; give a PowerLaw, SaturatingLaw, ShiftedPowerLaw or "
        "TwoEndedLaw."
    )


def per_doubling(law: CurveLaw, x: ArrayLike) -> pd.DataFrame:
    """What the next doubling of scale from each x buys.

    y and y_doubled, gain (the share of y removed), excess_gain (the share of the part above the
    plateau), and excess (that part as a share of y).
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
    """Share of y (gain) that each of the last n doublings of x removed; x and y where it starts.

    Between points ln y is taken as linear in ln x; doublings are counted back from the largest x.
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
    """Forecast errors of several forms on several curves, and the fits by keys and form.

    A row of `table` is a curve and a form: the keys, form, the numbers of points fitted and
    held_out, rms (root mean square of ln(predicted / observed) over the held-out points), last (the
    same with its sign at the largest scale), plateau, and lowest (the lowest error held out).
    """

    table: pd.DataFrame
    fits: Mapping[tuple[Hashable, ...], Any]
    keys: tuple[str, ...]

    def by_curve(self, value: str = "rms") -> pd.DataFrame:
        """One row per curve and one column per form, of a column of the table."""
        forms = list(dict.fromkeys(self.table["form"]))
        return self.table.pivot_table(
            index=list(self.keys), columns="form", values=value, sort=False
        )[forms]

    def rules(self) -> pd.DataFrame:
        """What several scoring rules make of the same forecasts, one a row; forms are columns.

        The mean and the median over curves of the root mean square, its value over all points
        pooled, the mean absolute error at the last point, and the curves won (ties shared).
        """
        rms, last = self.by_curve(), self.by_curve("last").abs()
        weights = self.by_curve("held_out")
        best = rms.sub(rms.min(axis=1), axis=0).le(TIE * rms.min(axis=1), axis=0)
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
    """Fit each curve's first part in every form and score the forecast of the rest.

    `curves` has examples_seen, error, in_fit (bool), and the columns `by` that name a curve. Points
    to fit with an error of `below` or more are left out; held-out points never are. After
    Alabdulmohsin et al. 2022, Eq. 4.
    """
    rows: list[dict[str, Any]] = []
    fits: dict[tuple[Hashable, ...], Any] = {}
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
    """Forecast one doubling ahead from several places along each curve, as `score_curves` does.

    An origin is the last x, halved so many times; a curve with fewer than `least` points before it
    is left out there. One row per curve, origin and form: the keys, halvings, form, rms.
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

    `p` is the chance of a split at least as uneven, ties left out; 1 if all are ties.
    """

    wins: int
    losses: int
    ties: int
    p: float


def sign_test(first: ArrayLike, second: ArrayLike) -> SignTest:
    """Compare two forms by their scores of the same units; smaller is better."""
    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise DataError(f"the scores have shapes {a.shape} and {b.shape}; give one per unit.")
    tie = np.abs(a - b) <= TIE * np.maximum(np.abs(a), np.abs(b))
    wins, losses = int((~tie & (a < b)).sum()), int((~tie & (a > b)).sum())
    p = float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0
    return SignTest(wins, losses, int(tie.sum()), p)


def points_per_curve(scores: CurveScores, curves: pd.DataFrame, form: str) -> pd.Series[float]:
    """How many independent points the held-out part of a curve is worth, under a form.

    The signed errors ln(predicted / observed) of one curve resemble each other. With a share rho
    of their variance between curves (the intraclass correlation), n points of a curve carry the
    information of n / (1 + (n - 1) rho) independent ones about the mean error (Kish 1965).
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


def plateau_interval(
    fit: Fit[Any], *, block: int = 10, draws: int = 400, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Interval of a fitted plateau from a bootstrap of blocks of neighbouring points.

    The fit is of a `CurveLaw` to points in the order of the curve. A block is about as long as
    residuals keep their sign (Künsch 1989).
    """
    (drawn,) = draw(fit.n_runs, draws, seed=seed, block=block)
    return bootstrap(fit, resamples=drawn).interval(plateau, level=level)


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
