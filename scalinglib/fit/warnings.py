"""What should be doubted about a fit, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from scalinglib.checks import Floats

IDENTIFIED = 200.0
"""Scaled condition numbers above this mean the points do not determine the parameters: sound
designs lie between 20 and 60, those that vary too little from 1,200 up."""

UNDETERMINED, QUIET = 500.0, 0.005
"""The same at the fit of a sum of two terms, where residuals spread by more than the second. Such
noise carries the number of a clean table past 200 in one of twenty, so the design is judged beside
it, which noise cannot move: up to 120 in sound ones."""

TIED = 80.0
"""Designs above this do not determine a law of sizes and tokens with one exponent: sound ones of
nine runs or more reach 70, those with tokens within 10 % of a line start at 85."""

TYPICAL, SHARE = 0.35, 0.2
"""Exponents, and shares of the two terms in the middle of the runs, at which a design is judged."""

FALSE, FALSE_FEW, SPARE, HEAVY = 0.045, 0.02, 6, 0.01
"""A run is named if its gap to what the others predict is one that Gaussian noise would give to any
run of a table in at most the first share of tables, and Laplace noise of the same standard
deviation in at most the last. With fewer degrees of freedom than the third the bend of the law
makes more of clean noise than a straight line would, so the share is the second: of simulated
tables of 9 runs 2 in 100 have such a run, of 12 runs 4. Real residuals have tails as wide as
Laplace's: the farthest of the 240 runs of the Chinchilla figure lies 6.8 standard deviations off,
and may lie 7.1."""

MOST_NAMED = 10

TRIFLING = 1e-4
"""Spread of log residuals that rounding of losses to three decimals makes, alike in the runs of one
size on a grid; a point is compared with no less."""

LEVERED = 0.02
"""Points of which the others leave less than this share open are not judged."""

AGREEMENT = 0.03
"""Below this share of starts at the best objective, the search is called hard."""

DIFFERENT = 0.05
"""A fit within 0.1 % of the best objective is a rival if a parameter differs by this share."""

NEGLIGIBLE = 1e-3
"""A term whose share of the prediction stays below this everywhere is called absent."""

FEW_FOR_BOUNDS = 3
"""With fewer points than this many times the parameters noise alone sends a floor to zero (in a
quarter of clean tables of 7 to 12 runs with 3 % noise): that it did says nothing about the law.
What is said of so few is said of the intervals."""

STEADY = 0.01
"""Residuals that spread by more need more points for that, in proportion: with 3 % noise the floor
goes to zero in one of twenty clean tables of 20 or 40 runs, in none of 100 runs."""

FEW_RUNS, NOISY, CURVED = 40, 0.03, 3
"""At most this many runs with at least this noise in log loss: percentile intervals of three or
more constants undercover. Measured in ``coverage_few``: up to 40 with 5 % noise do, 20 with 1 % do
not."""

TOO_FEW, STUDIED, PER_CONSTANT = 20, 5, 2.5
"""At most this many points or clusters undercover whatever the noise, if fewer than five constants
are fitted: a line through 3 points 53 to 74 %, through 20 points about 90 %. Five constants do on
at most `PER_CONSTANT` times as many runs: 9 with 1 % noise predict the truth in 74 %, 12 in 87 to
94 %, 20 in 93 to 98 %."""

FEW_RESAMPLES = 400


def moving(J: Floats, directions: Floats) -> Floats:
    """Derivatives (k, m) along the free directions of a Jacobian (p, m), rows scaled to one.

    Directions in which the prediction does not move at all, such as a floor that has gone to
    zero, are left out: they are reported on their own.
    """
    rows = directions.T @ np.where(np.isfinite(J), J, 0.0)
    length = np.linalg.norm(rows, axis=1)
    kept = length > 1e-8 * length.max(initial=0.0)
    return np.asarray(rows[kept] / length[kept, None])


def condition_number(scaled: Floats) -> float:
    """Condition number of scaled derivatives (k, m), from `moving`."""
    values = np.linalg.svd(scaled, compute_uv=False)
    smallest = values[-1] if len(values) else 0.0
    return float(values[0] / smallest) if smallest > 1e-15 * values[0] else np.inf


def design_condition(logs: Floats, *, tied: bool = False) -> float:
    """Condition number that sizes and tokens, as centred logarithms (2, m), would give any fit.

    That of the scaled Jacobian of a Chinchilla law with typical exponents and shares, or with
    the exponents `tied` to one.
    """
    terms = SHARE * np.exp(-TYPICAL * logs)
    shares = np.concatenate([terms, np.full((1, logs.shape[1]), 1 - len(logs) * SHARE)])
    shares /= shares.sum(axis=0)
    slopes = -logs * shares[: len(logs)]
    J = np.concatenate([shares, slopes.sum(axis=0, keepdims=True) if tied else slopes])
    return condition_number(moving(J, np.eye(len(J))))


def sentences(
    shares: Mapping[str, float],
    exponents: Mapping[str, float],
    residuals: pd.Series[float],
    scaled: Floats,
    agreement: float,
    condition: float,
    rivals: pd.DataFrame,
    *,
    converged: bool,
    design: float | None = None,
) -> tuple[str, ...]:
    """Collect the warnings of a fit.

    `shares` are the largest ones of the fitted terms in the predictions, by the name of the
    coefficient, `exponents` those that a law of this kind needs to be positive, `residuals` in logs
    under the row labels. `scaled` comes from `moving`, `condition` from `condition_number`, and
    `design`, for a law of sizes and tokens, from `design_condition`. `agreement` is the share of
    starts that reached the optimum, and `rivals` has the best fit in its first row and below it
    others that fit about as well. `converged` says that the search came to rest.
    """
    spread, enough = float(residuals.std()), FEW_FOR_BOUNDS * (len(shares) + len(exponents))
    few = len(residuals) < enough * max(1.0, spread / STEADY)
    return (
        *(() if few else _at_bounds(shares, exponents)),
        *_unidentified(condition, design, spread, few=len(residuals) < enough),
        *_disagreement(agreement),
        *_unfinished(converged),
        *_rivals(rivals),
        *_outliers(residuals, scaled),
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


def _unidentified(
    condition: float, design: float | None, spread: float, *, few: bool
) -> Iterator[str]:
    number, limit, what = condition, IDENTIFIED, "scaled condition number"
    if design is not None:
        limit = UNDETERMINED if spread > QUIET else IDENTIFIED
        # Noise alone carries the number of a few runs anywhere; their design it cannot move.
        if condition <= limit or (few and spread > QUIET):
            number, limit, what = design, IDENTIFIED, "scaled condition number of the design"
    if number > limit:
        yield (
            f"the parameters are not identified: the {what} is {number:.3g}, above {limit:g}; "
            "quote predictions inside the range of the runs, not parameters, or add runs that "
            "vary parameters and tokens separately."
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


def _outliers(residuals: pd.Series[float], scaled: Floats) -> Iterator[str]:
    far, gap = outlying(residuals.to_numpy(), scaled)
    if len(far):
        rows = ", ".join(repr(label) for label in residuals.index[far[:5]])
        more = f" and {len(far) - 5} more" if len(far) > 5 else ""
        yield (
            f"more than {_far(len(residuals)):.2g} standard deviations off what the other runs "
            f"predict: row {rows}{more}; the largest log residual is {gap:+.3g}; check or exclude."
        )


def _far(n: int) -> float:
    """Standard deviations beyond which Laplace noise puts one of `n` in `HEAVY` of tables."""
    return float(np.log(n / HEAVY) / np.sqrt(2))


def outlying(residuals: Floats, scaled: Floats) -> tuple[NDArray[np.intp], float]:
    """Positions of the points that the others do not explain, worst first, and the worst's gap.

    A robust fit passes through as many points as it has parameters, whatever their noise, so its
    own residuals say little. One least-squares step from it, linear in its derivatives `scaled`
    (k, m), gives residuals with m - k degrees of freedom. Points are taken out one by one, the
    largest studentised first, and all up to the last that stands out are named, so that several
    do not hide each other (Rosner 1983, "Percentage points for a generalized ESD procedure").
    """
    n, p = len(residuals), len(scaled)
    Q, _ = np.linalg.qr(scaled.T)
    kept, taken, gaps, named = np.ones(n, dtype=bool), [], [], 0
    for _ in range(min(max(n // 8, 1), MOST_NAMED, n - p - 2)):
        part = Q * kept[:, None]
        inverse = np.linalg.pinv(part.T @ part, hermitian=True)
        e = residuals - Q @ (inverse @ (part.T @ residuals))
        spare = np.maximum(1 - np.vecdot(Q @ inverse, Q), 1e-6)
        own = e**2 / spare
        degrees = int(kept.sum()) - p - 1
        variance = (own[kept] @ spare[kept] - own) / degrees
        size = np.sqrt(own / np.maximum(variance, TRIFLING**2)) * kept
        # A point that the others do not determine at all says nothing.
        size[spare < LEVERED] = 0.0
        at = int(np.argmax(size))
        kept[at] = False
        taken.append(at)
        gaps.append(float(e[at] / spare[at]))
        share = FALSE if degrees >= SPARE else FALSE_FEW
        limit = max(_far(n) * np.sqrt(spare[at]), stats.t.isf(share / (2 * n), degrees))
        if size[at] > limit:
            named = len(taken)
    return np.array(taken[:named], dtype=np.intp), gaps[0] if named else 0.0


def of_resamples(
    residuals: pd.Series[float],
    free: int,
    exponents: pd.DataFrame,
    units: int,
    *,
    relative: bool,
    clustered: bool,
) -> Iterator[str]:
    """Sentences on what the intervals of a bootstrap can bear.

    Takes the residuals of the fit, `relative` if they are logarithmic, the number of parameters
    fitted, the resamples of the exponents that a law of this kind needs to be positive, and the
    number of units drawn: runs, or clusters of them.
    """
    n = len(residuals)
    noise = float(residuals.abs().mean()) * np.sqrt(np.pi / 2) * n / max(n - free, 1)
    instead = (
        "use sl.profile on a fit with loss='l2', for a prediction with at=, which held predictions "
        "in 90 to 99 % and constants in 86 to 99 %, or quote a back-test"
    )
    what = "clusters" if clustered else "runs"
    if relative and free >= CURVED and n <= FEW_RUNS and noise >= NOISY:
        yield (
            f"{units} {what} with a noise of {100 * noise:.1f} % do not deserve a 95 % interval: "
            "in simulations of so few, so noisy runs such intervals, of constants or predictions, "
            f"missed the truth far more often than they promise; add runs, {instead}."
        )
    elif units <= PER_CONSTANT * free or (units <= TOO_FEW and (clustered or free < STUDIED)):
        yield (
            f"{units} {what} and {free} fitted parameters are too few for a percentile interval "
            "to keep its level: in simulations of so few a 95 % interval, of a constant or a "
            f"prediction, held the truth in as little as 46 %; {instead}."
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
