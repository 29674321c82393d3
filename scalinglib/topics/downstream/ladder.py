"""A score predicted in two steps, and what each step gets wrong.

The first step predicts a loss from parameters and tokens, the second a score from the loss. Two
published chains have this form: bits per byte of the right answer and a sigmoid (Bhagia et al.
2024), and validation loss and an exponential (Gadre et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Generic

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, at_least, table
from scalinglib.errors import DataError
from scalinglib.fit.bootstrap import bootstrap
from scalinglib.fit.curve import CurveFit, CurveT, fit_curve
from scalinglib.fit.resample import draw
from scalinglib.fit.result import Fit
from scalinglib.laws.chinchilla import ChinchillaLaw, fit_chinchilla
from scalinglib.laws.curves import ExponentialErrorLaw, FallingSigmoid
from scalinglib.laws.overtraining import fit_overtraining

TASKS: Final = {
    "mmlu": "MMLU",
    "hellaswag": "HellaSwag",
    "arc_challenge": "ARC-Challenge",
    "arc_easy": "ARC-Easy",
    "piqa": "PIQA",
    "csqa": "CommonsenseQA",
    "socialiqa": "Social IQa",
    "openbookqa": "OpenBookQA",
}
"""Column suffix of each task of the ladder, and its name."""
CHANCE: Final = dict.fromkeys(TASKS, 1 / 4) | {"piqa": 1 / 2, "socialiqa": 1 / 3, "csqa": 1 / 5}
"""Score of a guess: one over the number of answers."""

ABSENT = 1e-6
"""Below this share of the lowest loss, E counts as lying at its bound of zero."""


@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """What each of two steps adds to the error of a predicted score.

    `loss` and `score` were measured. The first step gives `predicted_loss`; the second gives
    `from_loss` for the measured loss and `chained` for the predicted one.
    """

    loss: float
    score: float
    predicted_loss: float
    from_loss: float
    chained: float

    @property
    def first(self) -> float:
        """Part of the error that comes from the predicted loss, in the unit of the score."""
        return self.chained - self.from_loss

    @property
    def second(self) -> float:
        """Part of the error that the map would make with the right loss."""
        return self.from_loss - self.score

    @property
    def total(self) -> float:
        """Error of the chained prediction, the sum of the two parts."""
        return self.chained - self.score

    @property
    def relative(self) -> float:
        """Size of the error of the chained prediction, as a share of the measured score."""
        return abs(self.total / self.score)

    @property
    def relative_loss(self) -> float:
        """Error of the predicted loss as a share of the measured one, with its sign."""
        return self.predicted_loss / self.loss - 1


@dataclass(frozen=True, slots=True, eq=False)
class TwoStep(Generic[CurveT]):
    """A law for a loss and a map from the loss to a score.

    `at_bound` names the parameters of either step that ended on a bound of their range,
    `warnings` says what should be doubted; how each step was found is None where it was not here.
    """

    law: ChinchillaLaw
    curve: CurveT
    at_bound: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    law_fit: Fit[ChinchillaLaw] | None = None
    curve_fit: CurveFit[CurveT] | None = None

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Loss of N parameters and D tokens, in the unit of the fitted one."""
        return self.law.loss(N, D)

    def value(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Score that the predicted loss of N parameters and D tokens gives."""
        return self.curve.value(self.law.loss(N, D))

    def split(self, N: float, D: float, *, loss: float, score: float) -> ErrorSplit:
        """Compare with the measured loss and score of a model, step by step."""
        predicted = float(self.law.loss(N, D))
        return ErrorSplit(
            loss=float(loss),
            score=float(score),
            predicted_loss=predicted,
            from_loss=float(self.curve.value(loss)),
            chained=float(self.curve.value(predicted)),
        )


def final_points(checkpoints: pd.DataFrame, value: str, *, last: int = 5) -> pd.DataFrame:
    """One point per run: its size, its tokens, and a mean of `value` over its last checkpoints.

    Columns params, tokens and loss under the name of the run. A score is called loss too, because
    that is the column a fit looks for.
    """
    at_least("last", last, 1)
    rows = {
        name: {
            "params": float(run.params.iloc[-1]),
            "tokens": float(run.tokens.iloc[-1]),
            "loss": float(run[value].tail(last).mean()),
        }
        for name, run in _runs(checkpoints, value).items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("run")


def smoothed_checkpoints(
    checkpoints: pd.DataFrame, loss: str, score: str, *, skip: float = 0.1, window: int = 5
) -> pd.DataFrame:
    """Checkpoints of every run without its beginning, loss and score averaged along the run.

    The first share `skip` of each run is left out, rounded up; the moving average over `window`
    checkpoints looks back, so the first ones kept have fewer.
    """
    if not 0 <= skip < 1:
        raise DataError(f"skip must be a share from 0 up to but without 1, got {skip}.")
    at_least("window", window, 1)
    parts = []
    for name, run in _runs(checkpoints, loss, score).items():
        # Left out first and averaged then, so that the average holds nothing of the beginning.
        kept = run.iloc[int(np.ceil(skip * len(run))) :]
        mean = kept[[loss, score]].rolling(window, min_periods=1).mean()
        parts.append(
            kept[["params", "tokens"]].assign(run=name, loss=mean[loss], score=mean[score])
        )
    return pd.concat(parts)[["run", "params", "tokens", "loss", "score"]]


def fit_two_step(
    checkpoints: pd.DataFrame,
    loss: str,
    score: str,
    *,
    last: int = 5,
    skip: float = 0.1,
    window: int = 5,
    ideal: tuple[float, float] | None = (0.0, 1.0),
) -> TwoStep[FallingSigmoid]:
    """Fit a Chinchilla law for a task's loss, and a sigmoid from the loss to the score.

    As Bhagia et al. 2024: the law goes through `final_points`, by Huber loss of log residuals,
    the sigmoid through `smoothed_checkpoints` of all runs, by least squares. `ideal` is the loss
    and the score of a perfect model, added to the points of the sigmoid.
    """
    points = final_points(checkpoints, loss, last=last)
    kept = smoothed_checkpoints(checkpoints, loss, score, skip=skip, window=window)
    law = fit_chinchilla(points)
    at_zero: tuple[str, ...] = ()
    if float(points.loss.min()) * ABSENT > law.law.E:
        # Put exactly there, the floor stays there in resamples too, instead of nearly.
        law = replace(fit_chinchilla(points, fixed={"E": 0.0}), warnings=law.warnings)
        at_zero = ("E",)
    curve = fit_curve(FallingSigmoid, *_with_ideal(kept.loss, kept.score, ideal))
    return TwoStep(
        law=law.law,
        curve=curve.curve,
        at_bound=(*at_zero, *curve.at_bound),
        warnings=(*law.warnings, *curve.warnings),
        law_fit=law,
        curve_fit=curve,
    )


def resample_two_step(
    chain: TwoStep[FallingSigmoid],
    checkpoints: pd.DataFrame,
    loss: str,
    score: str,
    *,
    n: int | None = 60,
    seed: int = 0,
    skip: float = 0.1,
    window: int = 5,
    ideal: tuple[float, float] | None = (0.0, 1.0),
) -> list[TwoStep[FallingSigmoid]]:
    """Repeat both steps on `n` draws of runs with replacement; None leaves out each run in turn.

    A run is drawn or left out with all its checkpoints, so that both steps see the same runs. A
    floor that lies at its bound of zero stays there. Options are those of the fit.
    """
    if chain.law_fit is None:
        raise DataError("chain holds no fit of its first step; make it with fit_two_step.")
    kept = smoothed_checkpoints(checkpoints, loss, score, skip=skip, window=window)
    runs = [run for _, run in kept.groupby("run", sort=False)]
    every = np.arange(len(runs))
    draws = (
        np.stack([np.delete(every, k) for k in every])
        if n is None
        else np.concatenate([*draw(len(runs), n, seed=seed)])
    )
    laws = bootstrap(chain.law_fit, resamples=draws).params
    again = []
    for positions, params in zip(draws, laws.to_dict("records"), strict=True):
        which, count = np.unique(positions, return_counts=True)
        drawn = pd.concat([runs[k].assign(times=m) for k, m in zip(which, count, strict=True)])
        x, y = _with_ideal(drawn.loss, drawn.score, ideal)
        # A run drawn m times counts m times; the ideal point counts once.
        weights = np.append(np.sqrt(drawn.times), np.ones(len(x) - len(drawn)))
        # Each resample starts from the whole fit, which lies near its optimum.
        start = [chain.curve.params]
        curve = fit_curve(FallingSigmoid, x, y, weights=weights, starts=start)
        law = ChinchillaLaw(*(params[name] for name in ("E", "A", "B", "alpha", "beta")))
        again.append(TwoStep(law, curve.curve, curve.at_bound))
    return again


def _with_ideal(
    x: ArrayLike, y: ArrayLike, ideal: tuple[float, float] | None
) -> tuple[Floats, Floats]:
    if ideal is None:
        return np.asarray(x), np.asarray(y)
    return np.append(x, ideal[0]), np.append(y, ideal[1])


def _runs(checkpoints: pd.DataFrame, *columns: str) -> dict[str, pd.DataFrame]:
    """The checkpoints of each run in the order of training, checked."""
    table(checkpoints, ("params", "tokens", *columns))
    if "run" not in checkpoints.columns:
        raise DataError("checkpoints has no column 'run'; add one that names the run of each row.")
    ordered = checkpoints.sort_values("tokens", kind="stable")
    groups = {str(name): run for name, run in ordered.groupby("run", sort=False)}
    # In the order of the table, so that positions in a resample mean the same to every caller.
    return {str(name): groups[str(name)] for name in dict.fromkeys(checkpoints.run)}


def fit_error_law(
    loss_runs: pd.DataFrame, error_runs: pd.DataFrame, *, loss: str, error: str
) -> TwoStep[ExponentialErrorLaw]:
    """Fit the loss law of over-trained runs, and an exponential from the loss to the error rate.

    L = E + (a M^eta + b M^-eta) C^-eta with M tokens per parameter is, with C = 6 N D, a Chinchilla
    law whose exponents are both 2 eta (Gadre et al. 2024, Eqs. 4 and 5). Both steps are plain
    least squares, each on its own runs.
    """
    (N, D, L), _ = table(loss_runs, ("params", "tokens", loss))
    law = fit_overtraining(pd.DataFrame({"params": N, "tokens": D, "loss": L})).law.chinchilla
    (losses, errors), _ = table(error_runs, (loss, error))
    curve = fit_curve(ExponentialErrorLaw, losses, errors)
    return TwoStep(law, curve.curve, curve.at_bound, curve.warnings, curve_fit=curve)
