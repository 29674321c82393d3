"""What should be doubted about a fit, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from scalinglib.checks import Floats

IDENTIFIED = 200.0
"""Scaled condition numbers above this mean the runs do not determine the parameters: sound
designs lie between 20 and 60, those that vary too little from 1,200 up."""

OUTLYING = 12.0
"""Residuals beyond this many robust standard deviations are named."""

AGREEMENT = 0.03
"""Below this share of starts at the best objective, the search is called hard."""

DIFFERENT = 0.05
"""A fit within 0.1 % of the best objective is a rival if a parameter differs by this share."""

NEGLIGIBLE = 1e-3
"""A term whose share of the prediction stays below this everywhere is called absent."""

FEW_RUNS, NOISY = 25, 0.03
"""At most this many runs with at least this noise in log loss: percentile intervals undercover.
Measured at noise 0.01, where they cover, and 0.05, where they do not."""

FEW_RESAMPLES = 400


def condition_number(J: Floats, directions: Floats) -> float:
    """Condition number of the Jacobian (p, m) along the free directions, columns scaled to one.

    Directions in which the prediction does not move at all, such as a floor that has gone to
    zero, are left out: they are reported on their own.
    """
    moving = directions.T @ np.where(np.isfinite(J), J, 0.0)
    length = np.linalg.norm(moving, axis=1)
    kept = length > 1e-8 * length.max(initial=0.0)
    values = np.linalg.svd(moving[kept] / length[kept, None], compute_uv=False)
    smallest = values[-1] if len(values) else 0.0
    return float(values[0] / smallest) if smallest > 1e-15 * values[0] else np.inf


def sentences(
    shares: Mapping[str, float],
    exponents: Mapping[str, float],
    residuals: pd.Series[float],
    agreement: float,
    condition: float,
    rivals: pd.DataFrame,
    *,
    converged: bool,
) -> tuple[str, ...]:
    """Collect the warnings of a fit.

    Parameters
    ----------
    shares : mapping of str to float
        Largest share of each fitted term in the predictions, by the name of its coefficient.
    exponents : mapping of str to float
        Fitted exponents that a law of this kind needs to be positive.
    residuals : Series
        Log residuals under the row labels.
    agreement : float
        Share of starts that reached the optimum.
    condition : float
        From `condition_number`.
    rivals : DataFrame
        Parameters of the best fit, in the first row, and of others that fit about as well.
    converged : bool
        Whether the search came to rest.
    """
    return (
        *_at_bounds(shares, exponents),
        *_unidentified(condition),
        *_disagreement(agreement),
        *_unfinished(converged),
        *_rivals(rivals),
        *_outliers(residuals),
    )


def _at_bounds(shares: Mapping[str, float], exponents: Mapping[str, float]) -> Iterator[str]:
    for name, share in shares.items():
        if share < NEGLIGIBLE:
            yield (
                f"{name} is at its bound of zero: the runs show no such term, and no value of it "
                "should be quoted."
            )
    for name, value in exponents.items():
        if value <= 0.01 or value >= 2.0:
            yield (
                f"{name} = {value:.3g} is at the edge of plausible exponents (0.01 to 2): the runs "
                "do not pin down its term."
            )


def _unidentified(condition: float) -> Iterator[str]:
    if condition > IDENTIFIED:
        yield (
            f"the parameters are not identified: the scaled condition number is "
            f"{condition:.3g}, above {IDENTIFIED:g}; quote predictions inside the range of "
            "the runs, not parameters, or add runs that vary parameters and tokens separately."
        )


def _disagreement(agreement: float) -> Iterator[str]:
    if agreement < AGREEMENT:
        yield (
            f"only {100 * agreement:.1f} % of the starts reached the best objective: the loss has "
            "many local minima on these runs."
        )


def _unfinished(converged: bool) -> Iterator[str]:
    if not converged:
        yield (
            "the search ran out of steps along a flat valley: the objective is not the lowest "
            "there is, and the parameters mean little; add runs, or hold one of them."
        )


def _rivals(rivals: pd.DataFrame) -> Iterator[str]:
    best = rivals.iloc[0]
    with np.errstate(all="ignore"):
        differ = ((rivals - best).abs() > DIFFERENT * best.abs()).any(axis=1)
    if differ.any():
        other = rivals[differ].iloc[0]
        values = ", ".join(f"{name} = {value:.4g}" for name, value in other.items())
        yield (
            f"other parameters fit as well to within 0.1 % of the objective, for example {values}: "
            "these runs do not single out one set."
        )


def _outliers(residuals: pd.Series[float]) -> Iterator[str]:
    centred = residuals - residuals.median()
    scale = 1.4826 * centred.abs().median()
    # Points that fit to rounding have no spread to compare with.
    far = centred[centred.abs() > OUTLYING * max(scale, 1e-9)]
    if len(far):
        worst = far.reindex(far.abs().sort_values(ascending=False, kind="stable").index)
        rows = ", ".join(repr(label) for label in worst.index[:5])
        more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
        yield (
            f"more than {OUTLYING:g} robust standard deviations off the fit: row "
            f"{rows}{more}; the largest log residual is {worst.iloc[0]:+.3g}; check or exclude."
        )


def of_resamples(
    residuals: pd.Series[float], free: int, exponents: pd.DataFrame, *, relative: bool
) -> Iterator[str]:
    """Sentences on what the intervals of a bootstrap can bear.

    Takes the residuals of the fit, `relative` if they are logarithmic, the number of parameters
    fitted, and the resamples of the exponents that a law of this kind needs to be positive.
    """
    n = len(residuals)
    noise = float(residuals.abs().mean()) * np.sqrt(np.pi / 2) * n / (n - free)
    if relative and n <= FEW_RUNS and noise >= NOISY:
        yield (
            f"{n} runs with a noise of {100 * noise:.1f} % do not deserve a 95 % interval: in "
            "simulations of so few, so noisy runs such intervals missed the truth far more often "
            "than they promise; add runs, or quote a back-test instead."
        )
    if len(exponents) < FEW_RESAMPLES:
        yield (
            f"{len(exponents)} resamples leave the ends of a 95 % interval noisy; use "
            f"{FEW_RESAMPLES} or more."
        )
    for name, values in exponents.items():
        edge = float(((values <= 0.01) | (values >= 2.0)).mean())
        if edge > 0.01:
            yield (
                f"{100 * edge:.0f} % of the resamples put {name} outside 0.01 to 2: the runs do "
                "not pin it down, and the ends of its interval mean little."
            )
