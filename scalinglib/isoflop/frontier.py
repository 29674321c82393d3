"""The compute-optimal frontier without a parametric loss: IsoFLOP profiles and the envelope.

Both approaches find, for each of several budgets, the parameters and tokens of the lowest loss,
and then draw a power law of compute through each. What counts as found is judged budget by
budget: a profile that has no minimum inside its runs is left out, and the fit says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, positive, table, tails, unit_doubts
from scalinglib.errors import DataError, FitError
from scalinglib.isoflop.doubts import (
    NAMED,
    TOLERANCE,
    astray,
    exact,
    group_budgets,
    off_rule,
)
from scalinglib.isoflop.minima import (
    EXACT,
    SIZES,
    USED,
    Along,
    BudgetProfile,
    Profiles,
    Sample,
    power_lines,
)

NARROWEST = 1.5
"""Budgets within this factor of one another do not show a trend."""


@dataclass(frozen=True, slots=True)
class Frontier:
    """Compute-optimal parameters and tokens as power laws of compute.

    Parameters
    ----------
    a, b : float
        Exponents of the parameters and of the tokens in compute.
    k_N, k_D : float
        Parameters and tokens (counts) at a budget of one FLOP.

    Examples
    --------
    >>> frontier = Frontier(a=0.5, b=0.5, k_N=0.1, k_D=5 / 3)
    >>> print(f"{frontier.params(1e22):.1e} {frontier.tokens(1e22):.2e}")
    1.0e+10 1.67e+11
    """

    a: float
    b: float
    k_N: float
    k_D: float

    def params(self, C: ArrayLike) -> Floats:
        """Compute-optimal parameters.

        Parameters
        ----------
        C : array_like
            Training compute (FLOP).

        Returns
        -------
        ndarray of float64
            Counts with the shape of `C`.

        Raises
        ------
        DataError
            If `C` is not positive.

        Examples
        --------
        >>> print(Frontier(a=0.5, b=0.5, k_N=0.1, k_D=5 / 3).params([1e20, 1e22]))
        [1.e+09 1.e+10]
        """
        return self.k_N * positive("C", C) ** self.a

    def tokens(self, C: ArrayLike) -> Floats:
        """Compute-optimal training tokens.

        Parameters
        ----------
        C : array_like
            Training compute (FLOP).

        Returns
        -------
        ndarray of float64
            Counts with the shape of `C`.

        Raises
        ------
        DataError
            If `C` is not positive.

        Examples
        --------
        >>> print(Frontier(a=0.5, b=0.5, k_N=0.1, k_D=2.0).tokens([1e20, 1e22]))
        [2.e+10 2.e+11]
        """
        return self.k_D * positive("C", C) ** self.b


Statistic = Literal["a", "b", "k_N", "k_D"] | Callable[[Frontier], float]


@dataclass(frozen=True, slots=True, eq=False)
class FrontierFit(Frontier):
    """A frontier, the minima it was drawn through, and what was left out.

    Parameters
    ----------
    a, b, k_N, k_D : float
        As in `Frontier`.
    minima : DataFrame
        One row per budget, in ascending order: ``budget`` (FLOP), ``params``, ``tokens``
        (counts) and ``loss`` at the minimum, ``curvature`` (second derivative of the loss in the
        natural logarithm of the size; missing for an envelope), ``n_runs``, ``used``, and
        ``why`` it was not used, empty otherwise.
    warnings : tuple of str
        Sentences on budgets left out and on a fit that rests on too little.
    sample : Sample
        The runs, kept so that the fit can be repeated on resamples.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("isoflop_runs")
    >>> fit = fit_isoflop(runs[runs.experiment == "chinchilla"])
    >>> print(f"{fit.a:.3f} {fit.b:.3f} from {fit.minima.used.sum()} of {len(fit.minima)}")
    0.492 0.508 from 8 of 9
    """

    minima: pd.DataFrame
    warnings: tuple[str, ...]
    sample: Sample = field(repr=False)
    instead: ClassVar[str] = (
        "its own resample and interval draw runs within each budget, and its params, tokens and "
        "predict read it at any budget"
    )

    def predict(self, C: ArrayLike) -> pd.DataFrame:
        """The compute-optimal split of budgets `C` (FLOP): flops, params, tokens, a row each."""
        flops = np.atleast_1d(positive("C", C))
        table = {"flops": flops, "params": self.params(flops), "tokens": self.tokens(flops)}
        return pd.DataFrame(table)

    def summary(self) -> pd.DataFrame:
        """Tabulate exponents and scales as other fits do; errors come from `interval`."""
        values = {name: getattr(self, name) for name in ("a", "b", "k_N", "k_D")}
        return pd.DataFrame({"value": pd.Series(values), "role": "fitted"})

    @property
    def grouping(self) -> pd.DataFrame:
        """Which values of the budget column were taken for one budget.

        Returns
        -------
        DataFrame
            ``budget``, ``lowest`` and ``highest`` (FLOP) and ``n_runs``, a row per budget.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("isoflop_runs").query("experiment == 'chinchilla'")
        >>> rounded = runs.assign(budget_flops=runs.budget_flops * (1 + 1e-6 * (runs.index % 3)))
        >>> len(fit_isoflop(rounded).grouping)
        9
        """
        sample = self.sample
        spans = [(C, C) for C in sample.budgets]
        if isinstance(sample, Profiles):
            spans = [one.span for one in sample.profiles]
        ends = pd.DataFrame(spans, columns=["lowest", "highest"])
        return ends.assign(n_runs=sample.counts()).set_index(self.minima.budget).reset_index()

    @property
    def winners(self) -> pd.DataFrame:
        """The sizes at the used minima, for an envelope the models that win.

        Returns
        -------
        DataFrame
            ``params`` (count), ``budgets``, how many each wins, and the ``lowest`` and ``highest``
            of them (FLOP), a row per size.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("isoflop_runs").query("experiment == 'chinchilla'")
        >>> fit_isoflop(runs).winners.shape
        (8, 4)
        """
        used = self.minima[self.minima.used].groupby("params").budget
        return used.agg(budgets="size", lowest="min", highest="max").reset_index()

    def resample(
        self, n: int = 1000, *, seed: int = 0, share: float | None = None, replace: bool = False
    ) -> pd.DataFrame:
        """Repeat the fit on runs drawn with replacement, within each budget.

        An envelope draws whole training curves, quoted optima are drawn as they are. Every resample
        judges its budgets by the rules of the fit, so it may use fewer of them, or another set.

        Parameters
        ----------
        n : int, optional
            Number of resamples.
        seed : int, optional
            Seed of ``numpy.random.default_rng``.
        share : float, optional
            Draw this share of all runs together, without replacement, instead.
        replace : bool, optional
            Draw the share with replacement. A bootstrap does; without replacement draws of 0.8
            spread about 0.45 times as widely.

        Returns
        -------
        DataFrame, shape (n, 5)
            Columns ``a``, ``b``, ``k_N``, ``k_D`` and ``budgets``, the number used; a resample
            with fewer than two usable budgets holds NaN.

        Raises
        ------
        DataError
            If `n` is below 2, `share` is not between 0 and 1, or `replace` comes without one.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("isoflop_runs")
        >>> fit = fit_isoflop(runs[runs.experiment == "chinchilla"])
        >>> draws = fit.resample(200, seed=1)
        >>> bool(0 < draws.a.std() < 0.1)
        True
        """
        found = self.sample.minima(self.sample.draw(n, seed, share, replace))
        return pd.DataFrame(power_lines(self.sample.budgets, found))

    def interval(
        self,
        statistic: Statistic,
        *,
        level: float = 0.95,
        n: int = 1000,
        seed: int = 0,
        share: float | None = None,
        replace: bool = False,
    ) -> tuple[float, float]:
        """Percentile interval over resamples.

        Parameters
        ----------
        statistic : str or callable
            One of ``"a"``, ``"b"``, ``"k_N"``, ``"k_D"``, or a function that takes a `Frontier`
            and returns a number.
        level : float, optional
            Nominal coverage.
        n, seed, share, replace
            As in `resample`.

        Returns
        -------
        tuple of float
            Low and high end.

        Raises
        ------
        DataError
            If the statistic is unknown or `level` is not between 0 and 1.
        FitError
            If more than one resample in twenty has fewer than two usable budgets.

        Examples
        --------
        >>> import scalinglib as sl
        >>> runs = sl.load("isoflop_runs")
        >>> fit = fit_isoflop(runs[runs.experiment == "llama3"], along="tokens")
        >>> low, high = fit.interval("b", n=400)
        >>> bool(low < fit.b < high)
        True
        """
        ends = tails(level)
        draws = self.resample(n, seed=seed, share=share, replace=replace)
        kept = draws[draws.budgets >= 2].drop(columns="budgets")
        if len(kept) < 0.95 * len(draws):
            raise FitError(
                f"{len(draws) - len(kept)} of {len(draws)} resamples have fewer than two usable "
                "budgets, so an interval would describe the lucky ones only; add runs near the "
                "minima."
            )
        if callable(statistic):
            values = [float(statistic(Frontier(*row))) for row in kept.to_numpy()]
        elif statistic in kept:
            values = kept[statistic].tolist()
        else:
            raise DataError(
                f"{statistic!r} is unknown; use one of a, b, k_N, k_D, or pass a function of a "
                "Frontier, such as lambda frontier: frontier.tokens(1e24)."
            )
        low, high = np.quantile(values, ends)
        return float(low), float(high)


def fit_isoflop(
    runs: pd.DataFrame,
    *,
    budget: str = "budget_flops",
    along: Along = "params",
    window: float | None = None,
    tolerance: float = TOLERANCE,
) -> FrontierFit:
    """Fit the frontier through the minima of IsoFLOP profiles (approach 2).

    For each budget, a least-squares parabola of the loss in the logarithm of the size, and its
    vertex; then a line through the logarithms of the vertices against that of the budget. The
    other quantity at the vertex is read off a line through the runs of the same budget, so
    nothing assumes that the budget is exactly 6 N D; where the two disagree by more than the
    counting of parameters explains, a warning names the rows. So does one on a run that lies off
    the curve of its budget, as one that did not finish does: it is kept, and the warning says what
    the exponent is without it.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (count), ``tokens`` (count), ``loss`` (any unit)
        and the budget.
    budget : str, optional
        Column with the budget (FLOP), nominal or achieved.
    along : {"params", "tokens"}
        The quantity whose logarithm the parabola is in.
    window : float, optional
        Keep only runs within this factor of the run with the lowest loss of its budget. A
        narrow window follows the bowl closely, a wide one averages more noise.
    tolerance : float, default `TOLERANCE`
        Runs whose budgets follow one another within this share are one profile; the ``grouping``
        of the fit shows which.

    Returns
    -------
    FrontierFit

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not
        valid; the message names the row and the column.
    FitError
        If fewer than two budgets have a minimum inside their runs; the message says for each
        why not. If budgets run into one another, or differ by too little.

    References
    ----------
    Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", Sec. 3.2; the same
    with tokens in Grattafiori et al. 2024, "The Llama 3 Herd of Models", Sec. 3.2.1.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("isoflop_runs")
    >>> fit = fit_isoflop(runs[runs.experiment == "llama3"], along="tokens")
    >>> print(f"{fit.tokens(3.8e25) / 1e12:.1f}T tokens")
    16.1T tokens
    """
    values, labels = table(runs, (budget, "params", "tokens", "loss"))
    levels, which = group_budgets(values[0], budget, tolerance)
    groups = [which == k for k in range(len(levels))]
    profiles = tuple(_profile(values[:, own], labels[own], along, window) for own in groups)
    sample = Profiles(levels, profiles, along)
    several = len(np.unique(values[0]))
    told = (
        f" {several} values of {budget!r} were taken as {len(levels)} budgets: {_grouped(sample)}."
    )
    fit = conclude(
        sample,
        "fewer than two budgets can be used",
        told if several > len(levels) else "",
        (*unit_doubts(*values[1:3]), *off_rule(values[1], values[2], values[0], labels, budget)),
    )
    return replace(
        fit, warnings=(*fit.warnings, *exact(sample, fit.minima), *astray(sample, fit.a))
    )


def _profile(values: Floats, labels: pd.Index, along: Along, window: float | None) -> BudgetProfile:
    """Turn budget, params, tokens and loss (4, m) of one budget into a profile."""
    if along not in ("params", "tokens"):
        raise DataError(f"along must be 'params' or 'tokens', got {along!r}.")
    if window is not None and not window > 1:
        raise DataError(
            f"window must be a factor above 1, such as 4 for a quarter to four times; got {window}."
        )
    x, other = np.log(values[1:3] if along == "params" else values[2:0:-1])
    loss = values[3]
    whole = BudgetProfile(x, other, loss, labels, (values[0].min(), values[0].max()))
    # A window may leave three sizes of more, which is too narrow, not a design of three.
    needed = EXACT if whole.sizes.max() + 1 <= EXACT else SIZES
    near = np.ones(len(x), dtype=bool)
    if window is not None:
        near = np.abs(x - x[loss.argmin()]) <= np.log(window) * (1 + 1e-9)
    return BudgetProfile(x[near], other[near], loss[near], labels[near], whole.span, needed)


def _frame(sample: Sample) -> pd.DataFrame:
    """The minima of the sample as it is, a row per budget."""
    found = sample.minima(sample.ones())
    verdict = found.verdict[0]
    along = found.D if isinstance(sample, Profiles) and sample.along == "tokens" else found.N
    why = [
        "" if code == USED else sample.reason(k, int(code), float(along[0, k]))
        for k, code in enumerate(verdict)
    ]
    return pd.DataFrame(
        {
            "budget": sample.budgets,
            "params": np.exp(found.N[0]),
            "tokens": np.exp(found.D[0]),
            "loss": found.loss[0],
            "curvature": found.curvature[0],
            "n_runs": sample.counts(),
            "used": verdict == USED,
            "why": why,
        }
    )


def conclude(
    sample: Sample, too_few: str, context: str = "", doubts: tuple[str, ...] = ()
) -> FrontierFit:
    """Draw the lines, or refuse with the reason of each budget and the `context`."""
    minima = _frame(sample)
    told = list(_told(minima))
    used = int(minima.used.sum())
    if used < 2:
        why = "".join(f" Left out: {sentence}." for sentence in told)
        raise FitError(
            f"{too_few}: a line needs two, and {used} of {len(minima)} can be used; add runs at "
            f"other budgets.{why}{context}"
        )
    ends = minima.budget[minima.used].agg(["min", "max"])
    if ends["max"] < NARROWEST * ends["min"]:
        raise FitError(
            f"the budgets that can be used lie between {ends['min']:.3g} and {ends['max']:.3g} "
            f"FLOP, and a line needs them a factor of {NARROWEST:g} apart at least; add runs at "
            f"other budgets.{context}"
        )
    lines = power_lines(sample.budgets, sample.minima(sample.ones()))
    warnings = [f"left out: {sentence}." for sentence in told]
    if minima.budget[minima.used].nunique() == 2:
        warnings.append(
            "the exponents are a line through two budgets, which any two points would give; add a "
            "third budget."
        )
    exponents = {name: float(lines[name][0]) for name in ("a", "b", "k_N", "k_D")}
    return FrontierFit(**exponents, minima=minima, warnings=(*warnings, *doubts), sample=sample)


def _told(minima: pd.DataFrame) -> Iterator[str]:
    """The budgets that were left out and why, those with one reason in one sentence."""
    for why, part in minima[~minima.used].groupby("why", sort=False):
        n, first, last = len(part), part.index[0], part.index[-1]
        listed = ", ".join(f"{C:.3g}" for C in part.budget[:NAMED]) + (", ..." if n > NAMED else "")
        if n > 1 and last - first == n - 1:
            listed = f"from {part.budget[first]:.3g} to {part.budget[last]:.3g}"
        yield f"{f'{n} budgets' if n > 1 else 'budget'} {listed}: {why}"


def _grouped(sample: Profiles) -> str:
    """The budgets and the values each was made of, the first few."""
    parts = [
        f"{C:.3g} ({one.span[0]:.6g} to {one.span[1]:.6g})"
        for C, one in zip(sample.budgets, sample.profiles, strict=True)
    ]
    return ", ".join(parts[:NAMED]) + (", ..." if len(parts) > NAMED else "")
