"""One law for all runs of a table: rival forms, what they predict, and what could mislead them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats
from scalinglib.comparison import backtest
from scalinglib.compute import training_flops
from scalinglib.datasets import load
from scalinglib.errors import DataError, FitError
from scalinglib.fit.result import Fit
from scalinglib.fit.search import solve
from scalinglib.isoflop import fit_isoflop
from scalinglib.laws import ChinchillaLaw, JointLaw, fit_chinchilla, fit_joint, fit_solvable
from scalinglib.misfit import GainBySize, Shape, gain_by_size, growth_of_gain
from scalinglib.optimum import compute_optimal

WIDE = 0.01
"""Huber threshold of all fits to tables: noise differs between them by a factor of fifty."""

HELD_OUT = 0.2
"""Share of the runs that is held out at the top of compute and of tokens."""

FEWEST = 3
"""Runs of a size from which its gain from data is read."""

Fitter = Callable[[pd.DataFrame], Fit[Any]]

FORMS: Final[Mapping[str, Fitter]] = {
    "sum": partial(fit_chinchilla, delta=WIDE),
    "one exponent": partial(fit_chinchilla, delta=WIDE, tied=("alpha", "beta")),
    "solvable": partial(fit_solvable, delta=WIDE),
    "interaction": partial(fit_joint, delta=WIDE, form="interaction"),
    "outer exponent": partial(fit_joint, delta=WIDE, form="outer"),
}
"""The rival forms: 5, 4, 4, 6 and 6 constants."""

CONSTANTS: Final = dict(zip(FORMS, (5, 4, 4, 6, 6), strict=True))
ADDED: Final = {"interaction": "g", "outer exponent": "k", "solvable": "r"}
"""What each form says that a sum does not."""


@cache
def tables() -> Mapping[str, pd.DataFrame]:
    """The public tables, columns params, tokens, flops (6ND) and loss, by name."""
    found = {
        name: runs.assign(flops=training_flops(runs.params, runs.tokens)).reset_index(drop=True)
        for name, runs in _raw()
    }
    return {name: runs[["params", "tokens", "flops", "loss"]] for name, runs in found.items()}


def _raw() -> Iterator[tuple[str, pd.DataFrame]]:
    chinchilla = load("chinchilla_runs")
    yield "Chinchilla", chinchilla[~chinchilla.excluded]
    ladder = load("olmo_ladder_runs")
    yield "OLMo ladder, C4", ladder.assign(loss=ladder.loss_c4)
    yield "OLMo ladder, Pile", ladder.assign(loss=ladder.loss_pile)
    gadre = load("overtrained_runs")
    for key, name in {"c4_original": "C4", "rpj": "RedPajama", "rw_original": "RefinedWeb"}.items():
        yield f"Gadre, {name}", gadre[gadre.corpus == key].assign(loss=gadre.loss_c4)
    repeated = load("repeated_data_runs")
    once = repeated.tokens == repeated.unique_tokens
    yield "Muennighoff, one epoch", repeated[once & repeated.in_published_fit]
    cooled = load("gemstones_cooled")
    yield "Gemstones, cooled", cooled
    cells = load("steplaw_runs").groupby(["params", "tokens"], as_index=False).loss.min()
    yield "Step Law", cells
    marin = load("corpora_isoflops").query("not flagged")
    for key, name in {"comma": "Comma", "dclm": "DCLM", "nemotron": "Nemotron"}.items():
        yield f"Marin, {name}", marin[marin.corpus == key].assign(loss=marin.loss_paloma)
    for corpus in ("RefinedWeb", "OpenWebText2"):
        points = load("porian2024_points" if corpus == "RefinedWeb" else "porian2024_owt2_points")
        points = points[points.val == "val"].assign(tokens=lambda of: of.flops / 6 / of.params)
        yield f"Porian, tuned, {corpus}", points[points.hparams == "tuned"]
        if corpus == "RefinedWeb":
            yield "Porian, cosine", points[points.decay == "chinchilla"]


def sizes(name: str, params: pd.Series[float]) -> Floats:
    """Model sizes; Chinchilla's to two digits, since they were read off a figure."""
    told = params.map("{:.2g}".format) if name == "Chinchilla" else params
    return np.asarray(told, dtype=np.float64)


def gains(name: str, shape: Shape = "power") -> tuple[pd.DataFrame, GainBySize]:
    """Runs of the sizes that have enough of them, and how their gain from data grows with size.

    Muennighoff's runs of one epoch are all in, also those that the published fit left out.
    """
    runs = tables()[name]
    if name.startswith("Muennighoff"):
        repeated = load("repeated_data_runs")
        runs = repeated[(repeated.tokens == repeated.unique_tokens) & ~repeated.flagged]
    runs = runs.assign(params=sizes(name, runs.params))
    runs = runs[runs.groupby("params").loss.transform("size") >= FEWEST]
    return runs, gain_by_size(runs.params, runs.tokens, runs.loss, shape=shape)


def gain_of_each_size(name: str) -> pd.DataFrame:
    """B of each size in L = u_size + B_size D^-beta, as a share of their mean at the middle.

    Columns params, gain and runs; beta is the common one of `gains`.
    """
    runs, common = gains(name)
    rows = []
    for size, of in runs.groupby("params"):
        falls = (of.tokens / np.exp(np.log(runs.tokens).mean())) ** -common.beta
        rows.append((size, np.polyfit(falls, of.loss, 1)[0], len(of)))
    found = pd.DataFrame(rows, columns=["params", "gain", "runs"])
    return found.assign(gain=found.gain / np.exp(np.log(found.gain.clip(lower=1e-9)).mean()))


def fits(name: str) -> dict[str, Fit[Any]]:
    """Every form fitted to all runs of a table."""
    return {form: fit(tables()[name]) for form, fit in FORMS.items()}


def spread(fit: Fit[Any]) -> float:
    """Root mean square of the log residuals."""
    return float(np.sqrt(np.mean(fit.residuals**2)))


def held_out(name: str, by: str) -> dict[str, float]:
    """Root mean square error (log) of each form on the fifth of the runs that is largest.

    Runs that tie with the smallest of them are held out as well; not a number where the rest
    cannot be fitted.
    """
    runs = tables()[name]
    largest = round(HELD_OUT * len(runs))
    found = {}
    for form, fit in FORMS.items():
        try:
            found[form] = backtest(runs, largest=largest, by=by, fit=fit).rms
        except FitError:
            found[form] = np.nan
    return found


def _again(fit: Fit[Any], starts: Floats, losses: Floats) -> Any:
    """The law that fits the same runs with other losses, from several starts."""
    problem = replace(fit.model.problem, y=np.log(losses))
    theta, objective = solve(problem, starts, None, fit.restriction.directions)
    return fit.rebuild(fit.model.params(theta[:, [int(np.argmin(objective))]])[:, 0])


def _starts(fit: Fit[Any], plain: Fit[Any]) -> Floats:
    """Where a fit is looked for again: where it was, and at the sum or other ratios."""
    if isinstance(fit.law, JointLaw):
        a, b, e, alpha, beta = plain.theta
        return np.stack([fit.theta, [e, a, b, alpha, beta, 0.0, 0.0]], axis=1)
    shift = np.zeros((len(fit.theta), 5))
    shift[-1] = np.linspace(-2, 2, 5)
    return fit.theta[:, None] + shift


def placebo(
    name: str,
    *,
    n: int = 60,
    seed: int = 0,
    truth: Any = None,
    noise: float | None = None,
    dealt: bool = False,
) -> pd.DataFrame:
    """What `seen` comes out as where the truth is a sum, in `n` tables of the same design.

    The truth is the sum fitted to the table, with its residuals shuffled, or another law with
    `noise` (log units). With `dealt` the mean residual of each size goes to another size, as if
    it were due to the shape of the model, and the rest is shuffled. Columns g, k, r and
    "g, free levels", a row a table.
    """
    runs, found = tables()[name], fits(name)
    plain = found["sum"]
    law = plain.law if truth is None else truth
    expected = np.asarray(np.log(law.loss(runs.params, runs.tokens)))
    level, generator = sizes(name, runs.params), np.random.default_rng(seed)
    own, _ = gains(name)
    flat = np.asarray(np.log(law.loss(own.params, own.tokens)))
    left = plain.residuals.reindex(runs.index).to_numpy()
    _, label = np.unique(level, return_inverse=True)
    means = np.bincount(label, left) / np.bincount(label) if dealt else np.zeros(label.max() + 1)
    rows = []
    for _ in range(n):
        error = generator.permutation(left - means[label]) + generator.permutation(means)[label]
        if noise is not None:
            error = noise * generator.standard_normal(len(runs))
        losses = np.exp(expected + error)
        row = {}
        for form, added in ADDED.items():
            again = _again(found[form], _starts(found[form], plain), losses)
            row[added] = float(getattr(again, added))
        drawn = np.exp(flat + generator.choice(error, len(own)))
        row["g, free levels"] = growth_of_gain(own.params, own.tokens, drawn)
        rows.append(row)
    return pd.DataFrame(rows)


def seen(name: str) -> dict[str, float]:
    """The same constants from the runs of a table themselves."""
    found = fits(name)
    own = {added: float(getattr(found[form].law, added)) for form, added in ADDED.items()}
    return own | {"g, free levels": gains(name)[1].g}


def with_ratio(law: ChinchillaLaw, ratio: float) -> ChinchillaLaw:
    """A sum of one exponent with another best number of tokens per parameter, A B unchanged."""
    middle, power = np.sqrt(law.A * law.B), law.alpha / 2
    return replace(law, A=float(middle * ratio**-power), B=float(middle * ratio**power))


def misread(loss: ArrayLike, waves: ArrayLike) -> Floats:
    """Losses as a scale that is bent, but rises everywhere, would show them.

    Along the logarithm of the loss, from its least to its largest value, the error (log units) is
    the sum of half waves sin(pi x), sin(2 pi x), ... with heights `waves`; the ends are right.
    """
    x = np.log(np.asarray(loss, dtype=np.float64))
    span = np.ptp(x)
    place = (x - x.min()) / span
    order = np.pi * np.arange(1, len(np.asarray(waves)) + 1)
    fine = np.linspace(0, 1, 1001)[:, None]
    if np.any(np.asarray(waves) * order @ np.cos(order * fine).T <= -span):
        raise DataError("a scale bent so far falls somewhere; give lower waves.")
    shown: Floats = np.exp(x + np.sin(order * place[:, None]) @ np.asarray(waves))
    return shown


def bent_scales(most: float, *, n: int = 100, waves: int = 6, seed: int = 0) -> Floats:
    """Heights (n, waves) of random bent scales that are wrong by `most` (log units) at worst."""
    draws = np.random.default_rng(seed).standard_normal((n, waves))
    place = np.linspace(0, 1, 1001)[:, None] * np.pi * np.arange(1, waves + 1)
    worst = np.abs(draws @ np.sin(place).T).max(axis=1)
    scaled: Floats = most * draws / worst[:, None]
    return scaled


def minima_bend(points: pd.DataFrame) -> float:
    """Second derivative of ln N in ln C through the IsoFLOP minima that are used."""
    minima = fit_isoflop(points).minima.query("used")
    return float(2 * np.polyfit(np.log(minima.budget), np.log(minima.params), 2)[0])


def minima_bend_by_chance(points: pd.DataFrame, *, n: int = 200, seed: int = 0) -> Floats:
    """The same where the points obey the sum fitted to them, with its residuals shuffled."""
    fit, generator = fit_chinchilla(points), np.random.default_rng(seed)
    expected = np.asarray(np.log(fit.law.loss(points.params, points.tokens)))
    left = fit.residuals.reindex(points.index).to_numpy()
    return np.array([
        minima_bend(points.assign(loss=np.exp(expected + generator.permutation(left))))
        for _ in range(n)
    ])  # fmt: skip


def valley() -> float:
    """Curvature of ln L over ln of the learning rate at the best batch, median over the cells.

    Half of the second derivative, from a parabola through the rates within a factor of four of the
    best one (runs of Step Law).
    """
    runs, found = load("steplaw_runs"), []
    for _, cell in runs.groupby(["params", "tokens"]):
        best = cell.loc[cell.loss.idxmin()]
        near = cell[(cell.batch_tokens == best.batch_tokens)
                    & (np.abs(np.log(cell.peak_lr / best.peak_lr)) < np.log(4.01))]  # fmt: skip
        if len(near) > 3:
            found.append(np.polyfit(np.log(near.peak_lr), np.log(near.loss), 2)[0])
    return float(np.median(found))


def under_one_rate(
    law: ChinchillaLaw, N: ArrayLike, D: ArrayLike, *, size: float, data: float, curvature: float
) -> Floats:
    """Losses of a sum when every run has the one learning rate that suits the middle run.

    The best rate goes as N^size D^data; `curvature` is that of ln L in the log of the rate. With
    `size` or `data` at zero that rate is tuned along sizes or tokens, or needs no tuning.
    """
    n, d = (np.log(np.asarray(one, dtype=np.float64)) for one in (N, D))
    off = size * (n - n.mean()) + data * (d - d.mean())
    losses: Floats = law.loss(N, D) * np.exp(curvature * off**2)
    return losses


def grid(low: float, high: float, count: int = 7) -> tuple[Floats, Floats]:
    """Sizes from 1e4 to 1e6 parameters, and tokens, `low` to `high` of them each, on a grid."""
    N = np.geomspace(1e4, 1e6, count)
    ratio = np.geomspace(low, high, count)
    n, r = np.meshgrid(N, ratio)
    return n.ravel(), (n * r).ravel()


def plan_of(law: Any, C: float) -> float:
    """Compute-optimal tokens per parameter of a budget (FLOP)."""
    return float(compute_optimal(law, C).tokens_per_param)
