"""Repeated data: what the runs can say about the decay constants.

`fit_data_constrained` returns the lowest optimum of the objective. This module shows the rest of
the surface, because for the published runs the rest is the finding. The allocation problem that
the law was made for is solved in ``scalinglib.optimum``.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from scalinglib import published
from scalinglib.checks import at_least, positive, table
from scalinglib.errors import DataError
from scalinglib.fit.newton import minimise
from scalinglib.fit.result import Fit
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.laws.repeated import DataConstrainedLaw, discounted
from scalinglib.published import Reported

EXAMPLE: Final = {
    "C": 6 * math.prod(published.row("muennighoff2023/example")),
    "U": published.value("muennighoff2023/unique"),
}
"""Budget (FLOP) and unique tokens of the allocation example of Muennighoff et al. 2023."""


def example_runs() -> dict[str, tuple[float, float, Reported]]:
    """Parameters, tokens and predicted loss of the two runs of that example."""
    rows = ("muennighoff2023/small", "muennighoff2023/example")
    losses = published.group("muennighoff2023/predicted loss").items()
    found = {}
    for row, (name, loss) in zip(rows, losses, strict=True):
        N, D = published.row(row)
        found[name] = (N, D, loss)
    return found


RepetitionFit = Fit[DataConstrainedLaw]

GRID_D = np.geomspace(0.5, 2000.0, 30)

GRID_N = np.geomspace(0.05, 50.0, 20)
"""Starts of a search for all minima, wider than any constant that was ever quoted."""

WITHOUT_END = 1e6
"""A decay constant beyond this has no effect on runs of a few thousand epochs: no decay."""

APART = 1e-3
"""Minima whose constants differ by less than this share are one."""


def local_minima(fit: RepetitionFit) -> pd.DataFrame:
    """Every local minimum of the objective that a grid of starts, `GRID_D` by `GRID_N`, leads to.

    Best first: R_D and R_N (infinite for no decay, zero for no worth at all), objective, its
    excess over the best (share), and the share of the starts that ended there.
    """
    _check_fit(fit)
    pairs = np.stack(np.meshgrid(np.log(GRID_D), np.log(GRID_N))).reshape(2, -1)
    found = minimise(fit.model.problem, pairs, iterations=4000)
    with np.errstate(over="ignore", under="ignore"):
        constants = np.exp(np.clip(found.theta, -700.0, 700.0))
    constants[constants > WITHOUT_END] = np.inf
    constants[constants < 1 / WITHOUT_END] = 0.0
    best: list[int] = []
    starts: list[int] = []
    for at in np.argsort(found.objective, kind="stable"):
        same = np.isclose(constants[:, [at]], constants[:, best], rtol=APART, atol=0).all(axis=0)
        if same.any():
            starts[int(same.argmax())] += 1
        else:
            best.append(at)
            starts.append(1)
    (R_D, R_N), objective = constants[:, best], found.objective[best]
    frame = pd.DataFrame({"R_D": R_D, "R_N": R_N, "objective": objective})
    return frame.assign(
        excess=objective / objective.min() - 1, share=np.array(starts) / pairs.shape[1]
    )


def objective_profile(fit: RepetitionFit, R_D: ArrayLike) -> pd.DataFrame:
    """Lowest objective of a fit for given decay constants of tokens, that of parameters being free.

    Columns R_D, R_N, objective, and excess over the objective of the fit (share).
    """
    _check_fit(fit)
    values = np.atleast_1d(positive("R_D", R_D))
    starts = np.log(np.geomspace(GRID_N[0], GRID_N[-1], 10))
    theta = np.stack([np.repeat(np.log(values), len(starts)), np.tile(starts, len(values))])
    along = np.array([[0.0], [1.0]])
    found = minimise(fit.model.problem, theta, directions=along, iterations=400)
    heights = found.objective.reshape(len(values), -1)
    best = heights.argmin(axis=1)
    rows = np.arange(len(values))
    R_N = np.exp(found.theta[1].reshape(heights.shape)[rows, best])
    lowest = heights[rows, best]
    return pd.DataFrame(
        {"R_D": values, "R_N": R_N, "objective": lowest, "excess": lowest / fit.objective - 1}
    )


def objective_at(fit: RepetitionFit, law: DataConstrainedLaw) -> float:
    """Objective of a fit at the decay constants of another law; only its R_D and R_N are used."""
    _check_fit(fit)
    problem, theta = fit.model.problem, np.log([[law.R_D], [law.R_N]])
    value, _, _ = problem.evaluate(theta, np.ones((1, problem.n_points)), np.zeros(1))
    return float(value[0])


def worth_of_epochs(epochs: ArrayLike, R_D: float) -> pd.DataFrame:
    """What passes over the same data are worth under a decay constant R_D (repetitions).

    Columns epochs, worth (fresh passes that would do as well), kept (worth per pass) and marginal
    (worth of the last token seen, the first being one); Muennighoff et al. 2023, Sec. 3.
    """
    passes, R = np.atleast_1d(at_least("epochs", epochs, 1)), float(positive("R_D", R_D))
    worth, marginal = discounted(passes, 1.0, R), np.exp(-(passes - 1) / R)
    return pd.DataFrame(
        {"epochs": passes, "worth": worth, "kept": worth / passes, "marginal": marginal}
    )


def epochs_keeping(share: float, R_D: float) -> float:
    """Passes over the same data that leave a share, below one, of the value of fresh data."""
    if not 0 < share < 1:
        raise DataError(f"share is {share:g}; give a share of the value between 0 and 1.")
    R = float(positive("R_D", R_D))
    # Worth never exceeds 1 + R, so by 2 (1 + R) / share passes the share is surely lost.
    high = 2 * (1 + R) / share
    return float(brentq(lambda e: float(discounted(e, 1.0, R)) / e - share, 1.0, high, xtol=1e-12))


def repeated_pairs(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs on repeated data beside the run of the same size and length on fresh data.

    One row per params, tokens and unique_tokens below that length, means where several runs share
    them: epochs, loss, fresh (loss without repetition), and penalty, their difference (nats).
    """
    (N, D, U, L), _ = table(runs, ("params", "tokens", "unique_tokens", "loss"))
    frame = pd.DataFrame({"params": N, "tokens": D, "unique_tokens": U, "loss": L})
    means = frame.groupby(["params", "tokens", "unique_tokens"], as_index=False).loss.mean()
    fresh = means[means.unique_tokens >= means.tokens].set_index(["params", "tokens"]).loss
    pairs = means[means.unique_tokens < means.tokens].join(
        fresh.rename("fresh"), on=["params", "tokens"], how="inner"
    )
    if not len(pairs):
        raise DataError(
            "no size and number of tokens was trained on fresh and on repeated data, so nothing "
            "can be compared run by run; add the fresh runs."
        )
    pairs.insert(3, "epochs", pairs.tokens / pairs.unique_tokens)
    return pairs.assign(penalty=pairs.loss - pairs.fresh).reset_index(drop=True)


def measured_worth(pairs: pd.DataFrame, base: ChinchillaLaw) -> pd.Series[float]:
    """Fresh passes that would have given the loss of each repeated run, by the data term of `base`.

    From `repeated_pairs`; more than the epochs where the repeated run is the better one.
    """
    data = base.B * pairs.tokens**-base.beta
    worth: pd.Series[float] = ((data + pairs.penalty) / base.B) ** (-1 / base.beta)
    return (worth / pairs.unique_tokens).rename("worth")


def predicted_price(law: DataConstrainedLaw, pairs: pd.DataFrame) -> pd.Series[float]:
    """Share by which a law expects repetition to raise the loss of each of the `repeated_pairs`.

    The measured counterpart is ``pairs.penalty / pairs.fresh``.
    """
    repeated = law.loss(pairs.params, pairs.tokens, pairs.unique_tokens)
    ratio = repeated / law.loss(pairs.params, pairs.tokens, pairs.tokens)
    return pd.Series(ratio - 1, index=pairs.index, name="price")


def _check_fit(fit: RepetitionFit) -> None:
    if not isinstance(fit.law, DataConstrainedLaw):
        raise DataError(
            f"fit is of a {type(fit.law).__name__}; give one from fit_data_constrained."
        )
