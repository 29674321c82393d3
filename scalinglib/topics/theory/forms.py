"""The shapes that theories give to L(N, D), fitted to runs: random features, a sum, a power of one.

Parameters count in billions, and in `features` and `equal` one constant r says how many tokens are
worth a parameter: both shapes treat N and D/r alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from scalinglib.checks import Floats
from scalinglib.comparison import backtest
from scalinglib.fit.curve import CurveFit
from scalinglib.fit.own import fit_law
from scalinglib.fit.result import Fit, Result
from scalinglib.laws import ChinchillaLaw, fit_chinchilla
from scalinglib.topics.theory.features import Modes, tuned_error

UNIT: Final = 1e9
THRESHOLD: Final = 0.01
"""Threshold of the Huber loss of the log residuals, for all shapes."""
_RANGES: Final = {"E": (0.0, 20.0), "A": (1e-12, 50.0), "a": (0.02, 3.0), "r": (1e-2, 1e4)}


def features(N: Floats, D: Floats, E: float, A: float, a: float, r: float) -> Floats:
    """A floor and the tuned error of random features on a power-law spectrum."""
    return E + A * tuned_error(N / UNIT, D / (UNIT * r), a, unit=True)


def equal(N: Floats, D: Floats, E: float, A: float, a: float, r: float) -> Floats:
    """The sum with one exponent and as many constants as `features`."""
    return E + A * ((N / UNIT) ** -a + (D / (UNIT * r)) ** -a)


def outer(
    N: Floats, D: Floats, E: float, A: float, x: float, B: float, y: float, k: float
) -> Floats:
    """A floor and a power k of a sum: 1 is Chinchilla's law, towards 0 the larger term rules."""
    term: Floats = (A * (N / UNIT) ** -x + B * (D / (20 * UNIT)) ** -y) ** k
    return E + term


def fit_features(runs: pd.DataFrame) -> CurveFit[Any]:
    """Fit `features` to columns params, tokens, loss."""
    return _fit(runs, features, _shared(runs), _RANGES)


def fit_equal(runs: pd.DataFrame) -> CurveFit[Any]:
    """Fit `equal` to columns params, tokens, loss."""
    return _fit(runs, equal, _shared(runs), _RANGES)


def fit_outer(runs: pd.DataFrame) -> CurveFit[Any]:
    """Fit `outer` to columns params, tokens, loss."""
    least, rows = float(runs.loss.min()), []
    for k in (0.25, 0.5, 1.0):
        part = (0.15 * least) ** (1 / k)
        rows += [[E * least, part, 0.3 / k, part, 0.3 / k, k] for E in (0.3, 0.7)]
    ranges = {"E": (0.0, 20.0), "k": (0.05, 4.0)}
    ranges |= dict.fromkeys("AB", (1e-12, 50.0)) | dict.fromkeys("xy", (0.02, 5.0))
    return _fit(runs, outer, np.array(rows), ranges)


def _shared(runs: pd.DataFrame) -> Floats:
    least = float(runs.loss.min())
    tried = [(a, r) for a in (0.15, 0.4) for r in (7.0, 60.0)]
    return np.array([[0.6 * least, 0.2 * least, a, r] for a, r in tried])


def _fit(runs: pd.DataFrame, formula: Any, starts: Floats, ranges: Any) -> CurveFit[Any]:
    return fit_law(runs, formula, starts=starts, bounds=ranges, delta=THRESHOLD)


def fit_sum(runs: pd.DataFrame) -> Fit[ChinchillaLaw]:
    """Fit Chinchilla's law with the threshold of the other shapes."""
    return fit_chinchilla(runs, delta=THRESHOLD)


SHAPES: Final[Mapping[str, Callable[[pd.DataFrame], Result[Any]]]] = {
    "sum": fit_sum,
    "sum, one exponent": fit_equal,
    "random features": fit_features,
    "power of a sum": fit_outer,
}
"""Five, four, four and six constants."""


def on_the_model(a: float, *, center: float = 1.0) -> tuple[Result[Any], Result[Any]]:
    """A sum, and a power of a sum, fitted without a floor to the tuned error itself.

    N runs over 7 values from 1e4 to 1e6, and D over as many, times `center`.
    """
    runs = model_surface(a, center=center)
    level = np.log(runs.loss.median() / 2)

    def power(N: Floats, D: Floats, A: float, x: float, B: float, y: float, k: float) -> Any:
        return (np.exp(A) * (N / 1e5) ** -x + np.exp(B) * (D / 1e5) ** -y) ** k

    plain = [[level, a, level, a, 1.0], [level, 2 * a, level, a, 1.0]]
    bent = [[level / k, a / k, level / k, a / k, k] for k in (0.3, 0.6, 1.0, 1.2)]
    return (
        fit_law(runs, power, starts=plain, fixed={"k": 1.0}, loss="l2"),
        fit_law(runs, power, starts=bent, bounds={"k": (0.02, 5.0)}, loss="l2"),
    )


def model_surface(
    a: float, *, center: float = 1.0, error: Callable[[float, float], float] | None = None
) -> pd.DataFrame:
    """The tuned error, or another of N and D, on a grid: params, tokens, loss.

    Both run over two decades, N about 1e5 and D about `center` times as many.
    """
    grid = np.geomspace(1e4, 1e6, 7)
    N, D = (one.ravel() for one in np.meshgrid(grid, grid * center))
    if error is None:
        return pd.DataFrame({"params": N, "tokens": D, "loss": tuned_error(N, D, a)})
    found = [error(one, other) for one, other in zip(N, D, strict=True)]
    return pd.DataFrame({"params": N, "tokens": D, "loss": found})


def typical(fit: Result[Any]) -> float:
    """Root mean square of the log residuals."""
    return float(np.sqrt(np.mean(np.asarray(fit.residuals) ** 2)))


def held_out(runs: pd.DataFrame, by: str, *, share: float = 0.2) -> dict[str, float]:
    """Typical log error of each shape but the last on the largest runs, fitted to the others.

    `by` is params, tokens, or flops for their product.
    """
    frame = runs.assign(flops=runs.params.astype(float) * runs.tokens)
    names = list(SHAPES)[:-1]
    count = int(share * len(frame))
    return {name: backtest(frame, largest=count, by=by, fit=SHAPES[name]).rms for name in names}


def outer_by_chance(runs: pd.DataFrame, *, draws: int = 4) -> Floats:
    """Outer powers fitted where the truth is a sum: the design and the noise of the runs."""
    truth = fit_sum(runs)
    told = np.asarray(truth.predict(runs.params, runs.tokens))
    made = [remade(runs, told, noise=typical(truth), seed=seed) for seed in range(draws)]
    return np.array([fit_outer(one).params["k"] for one in made])


def even_center(modes: Modes) -> float:
    """Steps per feature at which descent on endless data and 1e5 features alone err alike."""
    alone = modes.tuned(1e5, np.inf)[0]
    found: float = brentq(
        lambda steps: np.log(modes.one_pass(1e12, np.exp(steps)) / alone), 5.0, 40.0
    )
    return float(np.exp(found)) / 1e5


def remade(runs: pd.DataFrame, predicted: Floats, *, noise: float, seed: int = 0) -> pd.DataFrame:
    """The same design with losses of a known law, and Gaussian noise of the logarithm."""
    rng = np.random.default_rng(seed)
    return runs.assign(loss=predicted * np.exp(noise * rng.standard_normal(len(runs))))


def ratio_found(runs: pd.DataFrame, ratio: float) -> tuple[float, float]:
    """The worth r that random features find, and a sum, where the truth is a sum with `ratio`.

    The losses are those of the best sum with one exponent, without noise, its r replaced.
    """
    law = fit_equal(runs).curve
    N, D = runs.params.to_numpy(float), runs.tokens.to_numpy(float)
    made = runs.assign(loss=equal(N, D, law.E, law.A, law.a, ratio))
    return float(fit_features(made).params["r"]), float(fit_equal(made).params["r"])
