"""Learning rate, batch and schedule: optima of grids of runs, rules for them, and their price.

A cell is one size trained on one number of tokens with many rates and batches. Rates are peak
learning rates, batches and data are in tokens, losses in nats per token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.interpolate import RegularGridInterpolator
from scipy.stats import t as student

from scalinglib.catalogue import Rule
from scalinglib.checks import Floats, table, tails
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.errors import DataError, FitError
from scalinglib.fit.line import fit_line

WITHIN = 0.01
"""Share above the lowest loss up to which runs enter the quadratic of a cell."""

RATES_PER_OCTAVE = 2
"""Rates of a grid lie this close; the same rate is written with different rounding."""


@dataclass(frozen=True)
class Cell:
    """The runs of one size N on D tokens, as a grid of losses (rates x batches).

    Rates and batches increase. A missing run between two others of its batch is interpolated in
    the logarithm of the rate; elsewhere the loss is NaN.
    """

    N: float
    D: float
    rates: Floats
    batches: Floats
    measured: Floats

    @cached_property
    def loss(self) -> Floats:
        """The grid with its inner gaps filled."""
        at, filled = np.log(self.rates), self.measured.copy()
        for column in filled.T:
            have = np.isfinite(column)
            column[:] = np.interp(at, at[have], column[have], left=np.nan, right=np.nan)
        return filled

    @property
    def best(self) -> tuple[float, float, float]:
        """Rate, batch and loss of the lowest run."""
        row, column = np.unravel_index(np.nanargmin(self.measured), self.measured.shape)
        lowest = self.measured[row, column]
        return float(self.rates[row]), float(self.batches[column]), float(lowest)

    def quadratic(self, within: float = WITHIN) -> tuple[Floats, Floats, float]:
        """Centre and six coefficients in (ln rate, ln batch) minus the centre; sd that is left.

        Through the runs whose loss is at most `within`, a share, above the lowest. Coefficients
        of 1, x, y, x^2, x y, y^2.
        """
        near = self.measured <= (1 + within) * self.best[2]
        rows, columns = np.nonzero(near)
        # Centred, so that the normal equations are well conditioned.
        centre: Floats = np.log(np.array(self.best[:2]))
        design = _terms(
            np.log(self.rates[rows]) - centre[0], np.log(self.batches[columns]) - centre[1]
        )
        if len(rows) <= design.shape[-1]:
            raise FitError(
                f"{self._name} has {len(rows)} runs within {within:g} of its lowest loss; a "
                "quadratic needs more, so raise `within`."
            )
        c = np.linalg.lstsq(design, self.measured[near], rcond=None)[0].astype(np.float64)
        left = self.measured[near] - design @ c
        return centre, c, float(np.sqrt(left @ left / (len(rows) - design.shape[-1])))

    def vertex(self, within: float = WITHIN) -> tuple[float, float, float, float]:
        """Rate, batch and loss at the quadratic's lowest point, and the sd that it leaves."""
        centre, c, spread = self.quadratic(within)
        bend = np.array([[2 * c[3], c[4]], [c[4], 2 * c[5]]])
        if np.linalg.eigvalsh(bend)[0] <= 0:
            raise FitError(
                f"{self._name} has no lowest point within {within:g} of its lowest loss; choose "
                "another `within`."
            )
        shift = -np.linalg.solve(bend, c[1:3])
        rate, batch = np.exp(centre + shift)
        return float(rate), float(batch), float(c[0] + c[1:3] @ shift / 2), spread

    def charged(self, n: int = 200, *, seed: int = 0, within: float = WITHIN) -> float:
        """Median excess that the best setting itself would be charged, were the valley known.

        Grids are made of the quadratic and normal noise of the sd that it leaves; the excess at
        the vertex is read from each as from the measured one.
        """
        centre, c, spread = self.quadratic(within)
        x, y = np.log(self.rates)[:, None] - centre[0], np.log(self.batches)[None] - centre[1]
        valley = _terms(*np.broadcast_arrays(x, y)) @ c
        place = self.vertex(within)[:2]
        noise = np.random.default_rng(seed).normal(0, spread, (n, *valley.shape))
        made = [replace(self, measured=valley + one).excess(*place) for one in noise]
        return float(np.median(made))

    @property
    def _name(self) -> str:
        return f"the cell of {self.N:.3g} parameters and {self.D:.3g} tokens"

    def loss_at(self, rate: ArrayLike, batch: ArrayLike) -> Floats:
        """Loss between the runs, linear in the logarithms; NaN outside the grid."""
        places = np.stack(np.broadcast_arrays(np.log(rate), np.log(batch)), axis=-1)
        axes = (np.log(self.rates), np.log(self.batches))
        inside = RegularGridInterpolator(axes, self.loss, bounds_error=False, fill_value=np.nan)
        found: Floats = inside(places)
        return found if places.ndim > 1 else found[0]

    def excess(self, rate: ArrayLike, batch: ArrayLike) -> Floats:
        """Share by which the loss at a setting lies above the lowest run."""
        above: Floats = self.loss_at(rate, batch) / self.best[2] - 1
        return above

    def by_batch(self) -> tuple[Floats, Floats]:
        """For each batch the best rate and its loss, a share above the lowest run."""
        rows = np.nanargmin(self.measured, axis=0)
        return self.rates[rows], np.nanmin(self.measured, axis=0) / self.best[2] - 1

    def largest_batch(self, excess: float) -> float:
        """The batch beyond the best where the loss at its best rate is a share `excess` above it.

        Interpolated in ln batch; NaN where the grid ends before.
        """
        above = self.by_batch()[1]
        start = int(np.argmin(above))
        beyond = np.nonzero(above[start:] >= excess)[0]
        if not len(beyond):
            return float("nan")
        at = start + int(beyond[0])
        share = (excess - above[at - 1]) / (above[at] - above[at - 1])
        ends = np.log(self.batches[[at - 1, at]])
        return float(np.exp(ends[0] + share * (ends[1] - ends[0])))

    def rate_span(self, excess: float = WITHIN) -> float:
        """Largest over smallest rate of the runs at most a share `excess` above the lowest."""
        rows = np.nonzero(self.measured <= (1 + excess) * self.best[2])[0]
        return float(self.rates[rows].max() / self.rates[rows].min())


def _terms(x: Floats, y: Floats) -> Floats:
    """The terms of a quadratic in x and y, along a last axis."""
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def cells(runs: pd.DataFrame) -> list[Cell]:
    """The cells of a table with columns params, tokens, peak_lr, batch_tokens, loss.

    In the order of size and tokens. Rates are rounded to `RATES_PER_OCTAVE` a doubling.
    """
    table(runs, ("params", "tokens", "peak_lr", "batch_tokens", "loss"))
    step = (RATES_PER_OCTAVE * np.log2(runs.peak_lr)).round().astype(int)
    found = []
    for (N, D), own in runs.assign(step=step).groupby(["params", "tokens"]):
        if own.duplicated(["step", "batch_tokens"]).any():
            raise DataError(
                f"runs has two losses for one rate and batch at {N:.3g} parameters and {D:.3g} "
                "tokens; keep one of them, or their mean."
            )
        grid = own.pivot_table(index="step", columns="batch_tokens", values="loss")
        rates = 2.0 ** (grid.index.to_numpy(float) / RATES_PER_OCTAVE)
        found.append(Cell(float(N), float(D), rates, grid.columns.to_numpy(float), grid.to_numpy()))
    return found


def optima(grids: Iterable[Cell], *, within: float = WITHIN) -> pd.DataFrame:
    """A row a cell: rate, batch and loss of the lowest run, and the same of the quadratic.

    `spread` is the standard deviation (share of the loss) that the quadratic leaves, `near` the
    share of the runs at most `within` above the lowest.
    """
    rows = []
    for cell in grids:
        rate, batch, loss = cell.best
        rate_fit, batch_fit, loss_fit, spread = cell.vertex(within)
        runs = np.isfinite(cell.measured)
        near = cell.measured[runs] <= (1 + within) * loss
        rows.append(
            {
                "params": cell.N, "tokens": cell.D, "rate": rate, "batch": batch, "loss": loss,
                "rate_fit": rate_fit, "batch_fit": batch_fit, "loss_fit": loss_fit,
                "spread": spread / loss, "runs": int(runs.sum()), "near": near.mean(),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


Pair = tuple[Rule, Rule]
"""A rule for the rate and one for the batch."""


@dataclass(frozen=True, slots=True)
class RuleFit:
    """A rule drawn through optima by least squares of the logarithms.

    `powers` has a row an exponent (N, D or C) with its standard error and the ends of its
    Student interval; cells are taken as independent. `sd` is that of the residuals (ln).
    """

    rule: Rule
    powers: pd.DataFrame
    r2: float
    sd: float


def fit_rule(
    found: pd.DataFrame, column: str, on: Sequence[str] = ("N", "D"), *, level: float = 0.95
) -> RuleFit:
    """Fit a power rule for a column of optima in some of N, D and C.

    Columns params, tokens and `column`; with `on` empty the rule is the geometric mean.
    """
    (N, D, setting), _ = table(found, ("params", "tokens", column))
    logs = {"N": np.log(N), "D": np.log(D), "C": np.log(FLOPS_PER_PARAM_TOKEN * N * D)}
    unknown = [name for name in on if name not in logs]
    if unknown:
        raise DataError(f"on holds {unknown[0]!r}; a rule can depend on N, D and C.")
    design = np.stack([np.ones(len(N)), *(logs[name] for name in on)], axis=1)
    free = len(N) - design.shape[1]
    if free < 1 or np.linalg.matrix_rank(design - [0, *design[0, 1:]]) < design.shape[1]:
        raise FitError(
            f"{len(N)} optima cannot tell the exponents of {', '.join(on) or 'a constant'} apart; "
            "add cells, or take fewer exponents."
        )
    y = np.log(setting)
    beta, *_ = np.linalg.lstsq(design, y, rcond=None)
    left = y - design @ beta
    variance = left @ left / free
    # Standard errors from the triangle of the design, which does not square its condition.
    inverse = np.linalg.inv(np.linalg.qr(design)[1])
    error = np.sqrt(variance * (inverse**2).sum(axis=1))[1:]
    reach = student.ppf(tails(level)[1], free) * error
    powers = pd.DataFrame(
        {"power": beta[1:], "se": error, "low": beta[1:] - reach, "high": beta[1:] + reach},
        index=list(on),
    )
    rule = Rule(
        float(np.exp(beta[0])), **dict(zip((one.lower() for one in on), beta[1:], strict=True))
    )
    around = (y - y.mean()) @ (y - y.mean())
    r2 = float(1 - left @ left / around) if around > 0 else float("nan")
    return RuleFit(rule, powers, r2, float(variance**0.5))


def costs(grids: Sequence[Cell], rules: Pair | Callable[[Cell], Pair]) -> Floats:
    """Share by which each cell's loss at the rules' setting lies above its lowest run.

    Rules may differ by cell, as they do when each cell is left out of its own.
    """
    above = []
    for cell in grids:
        rate, batch = rules(cell) if callable(rules) else rules
        above.append(float(cell.excess(rate(cell.N, cell.D), batch(cell.N, cell.D))))
    return np.array(above)


def without_own_size(
    found: pd.DataFrame, on: tuple[Sequence[str], Sequence[str]], columns: tuple[str, str]
) -> Callable[[Cell], Pair]:
    """Rules for rate and batch that a cell gets from the optima of all *other* sizes."""

    def rules(cell: Cell) -> Pair:
        others = found[found.params != cell.N]
        rate, batch = (
            fit_rule(others, column, own).rule for column, own in zip(columns, on, strict=True)
        )
        return rate, batch

    return rules


def rates_at_batches(grids: Sequence[Cell], *, least: int = 15) -> pd.DataFrame:
    """Exponents of the best rate in N and D when the batch is held, a row a batch.

    Only batches that at least `least` cells have.
    """
    rows = []
    for cell in grids:
        best = cell.by_batch()[0]
        rows += [
            {"params": cell.N, "tokens": cell.D, "batch": batch, "rate": rate}
            for batch, rate in zip(cell.batches, best, strict=True)
        ]
    picked = {}
    for batch, own in pd.DataFrame(rows).groupby("batch"):
        if len(own) >= least:
            powers = fit_rule(own, "rate").powers
            picked[batch] = {
                f"{name}{what}": powers.loc[name, column]
                for name in ("N", "D")
                for what, column in (("", "power"), (" low", "low"), (" high", "high"))
            }
    return pd.DataFrame(picked).T.rename_axis("batch").reset_index()


def data_slopes(found: pd.DataFrame) -> pd.Series:
    """How fast ln loss falls with ln tokens at each size, from the lowest runs, by size."""
    return pd.Series(
        {N: -fit_line(np.log(own.tokens), np.log(own.loss)).slope
         for N, own in found.groupby("params")},
        name="slope",
    )  # fmt: skip


def in_tokens(excess: ArrayLike, slope: ArrayLike) -> Floats:
    """Share of extra tokens that would make good an excess of the loss, both as shares."""
    extra: Floats = np.expm1(np.log1p(excess) / np.asarray(slope, float))
    return extra


def cooldown_gains(cooled: pd.DataFrame, constant: pd.DataFrame) -> pd.DataFrame:
    """What a cooldown takes off the loss (nats) at equal tokens, a row a model and horizon.

    The loss at the constant rate is interpolated in ln tokens; horizons beyond its last checkpoint
    are left out.
    """
    rows = []
    for shape, own in cooled.groupby(["width", "depth"], sort=False):
        flat = constant[(constant.width == shape[0]) & (constant.depth == shape[1])]
        flat = flat.sort_values("tokens", kind="stable")
        own = own[own.tokens.between(flat.tokens.min(), flat.tokens.max())]
        level = np.interp(np.log(own.tokens), np.log(flat.tokens), flat.loss)
        rows.append(own.assign(gain=level - own.loss))
    return pd.concat(rows, ignore_index=True)[["width", "depth", "params", "tokens", "gain"]]


def model_means(pairs: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean of a column over the horizons of each model, in the order of size."""
    means = pairs.groupby(["width", "depth"], as_index=False)[["params", column]].mean()
    return means.sort_values("params", kind="stable", ignore_index=True)


def halving_costs(constant: pd.DataFrame, half: pd.DataFrame) -> pd.DataFrame:
    """What half the rate adds to the loss (nats), a row a model and horizon of both tables."""
    keys = ["width", "depth", "params", "tokens"]
    both = constant.merge(half, on=keys, suffixes=("", "_half"), validate="one_to_one")
    return both.assign(cost=both.loss_half - both.loss)[[*keys, "cost"]]
