"""What a training corpus is worth: one law for runs on several corpora.

Runs that differ in their corpus share a Chinchilla law up to a factor of their own on the tokens,
the parameters, the floor or the whole loss. Which of the four describes quality is a question to
the runs, and `fit_corpora` asks it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from scalinglib import checks
from scalinglib.checks import Floats, degenerate_design, enough_rows, table, varying
from scalinglib.errors import DataError, FitError
from scalinglib.fit import warnings
from scalinglib.fit.huber import LinearForms
from scalinglib.fit.model import Restriction, power_sum
from scalinglib.fit.resample import counts, draw
from scalinglib.fit.result import Result, threshold
from scalinglib.fit.search import Optimum, projected_starts, search, solve
from scalinglib.fit.weights import Weights, inverse_sd, rising
from scalinglib.laws.chinchilla import ChinchillaLaw

Names = NDArray[np.object_]

Term = Literal["Q", "N", "E", "factor"]

TERMS: tuple[Term, ...] = ("Q", "N", "E", "factor")
"""Where a corpus may have a factor: on tokens, on parameters, on the floor, on the whole loss."""

CORPORA_DELTA = 5e-3
"""Huber threshold of the log residual. Runs of one code base scatter by half a percent about a
good law, so this leaves the good runs to least squares and holds the stray ones back."""

CONSTANTS = ("E", "A", "B", "alpha", "beta")

SHAPE = len(CONSTANTS)
"""Coordinates of the common law: ln A, ln B, ln E, alpha, beta, centred."""


def corpora_of(runs: pd.DataFrame) -> Names:
    """Names of the corpora, one per row, from the column ``corpus``."""
    runs = checks.as_frame(runs, "runs", "pandas, Polars or Arrow")
    if "corpus" not in runs:
        raise DataError("runs has no column 'corpus'; add it: the name of the training corpus.")
    if runs["corpus"].isna().any():
        row = runs.index[runs["corpus"].isna().argmax()]
        raise DataError(f"row {row!r}, column 'corpus': is missing.")
    names: Names = runs["corpus"].to_numpy(dtype=object)
    return names


def reference_first(corpora: Names, reference: str) -> list[str]:
    """The distinct corpora, the reference first and the others by name."""
    names = sorted(set(corpora))
    if reference not in names:
        raise DataError(f"reference {reference!r} is not among the corpora: {', '.join(names)}.")
    if len(names) < 2:
        raise FitError(f"all runs are on {reference!r}; a comparison needs a second corpus.")
    return [reference, *(name for name in names if name != reference)]


@dataclass(frozen=True, slots=True, eq=False)
class CorpusFit(Result[Mapping[str, ChinchillaLaw]]):
    """One law for several corpora, each with factors of its own.

    Parameters
    ----------
    law : mapping of str to ChinchillaLaw
        Law of each corpus, the reference first; also as `laws`.
    objective : float
        Summed Huber loss at the optimum.
    residuals : Series
        ln(observed) - ln(predicted) under the row labels of the runs.
    warnings : tuple of str
        Sentences on what should be doubted; empty when nothing is wrong.
    agreement : float
        Share of the starts that reached this objective to 1e-9 relative.
    terms : tuple of {"Q", "N", "E", "factor"}
        What has a factor per corpus: "Q" multiplies tokens, "N" parameters, "E" the floor, and
        "factor" the whole loss. Empty for one law without regard to the corpus.
    reference : str
        The corpus whose factors are one.
    factors : DataFrame
        One row per corpus, one column per term.
    condition : float
        Condition number of the scaled Jacobian at the optimum.
    corpora : ndarray of str, shape (m,)
        Corpus of each run.
    problem : LinearForms
        Runs and law in solver coordinates, kept so that the fit can be repeated on resamples.
    theta : ndarray, shape (p,)
        The optimum in the solver's coordinates.

    Examples
    --------
    >>> import scalinglib as sl
    >>> law = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)
    >>> runs = pd.DataFrame({"corpus": ["a", "b"], "params": [[1e8, 1e9, 1e10]] * 2})
    >>> runs = runs.explode("params").assign(tokens=[[1e9, 1e10, 1e11]] * 6).explode("tokens")
    >>> runs = runs.astype({"params": float, "tokens": float}).reset_index(drop=True)
    >>> worth = runs.corpus.map({"a": 1.0, "b": 2.0})
    >>> runs["loss"] = law.loss(runs.params, worth * runs.tokens)
    >>> fit = sl.fit_corpora(runs, terms=("Q",), reference="a")
    >>> print(fit.factors.Q.round(6).to_dict())
    {'a': 1.0, 'b': 2.0}
    >>> print((fit.predict(1e9, 2e10, "a") / fit.predict(1e9, 1e10, "b")).round(6))
    1.0
    >>> bool(fit.errors(runs.tail(3)).abs().max() < 1e-6)
    True
    >>> fit.resample(20).shape
    (20, 1)
    """

    terms: tuple[Term, ...]
    reference: str
    factors: pd.DataFrame
    condition: float
    corpora: Names
    problem: LinearForms
    theta: Floats
    instead: ClassVar[str] = (
        "its resample(n) draws runs within each corpus; fit_chinchilla on the runs of one corpus "
        "can be given to bootstrap and profile"
    )

    @property
    def scale(self) -> tuple[str, ...]:
        """Columns of a frame of runs that `predict` takes."""
        return "params", "tokens", "corpus"

    @property
    def logarithmic(self) -> bool:
        """The residuals are differences of logarithms."""
        return True

    @property
    def laws(self) -> Mapping[str, ChinchillaLaw]:
        """Law of each corpus."""
        return self.law

    @property
    def params(self) -> pd.Series[float]:
        """Constants of the reference's law, and the factors of the others as "Q of comma"."""
        law = self.law[self.reference]
        values = {name: getattr(law, name) for name in CONSTANTS}
        others = self.factors.drop(index=self.reference)
        values |= {f"{t} of {c}": float(others.loc[c, t]) for t in others for c in others.index}
        return pd.Series(values, name="value")

    def predict(  # type: ignore[override]
        self, N: ArrayLike, D: ArrayLike, corpus: ArrayLike
    ) -> Floats:
        """Loss of `N` parameters after `D` tokens of a corpus.

        Parameters
        ----------
        N, D : array_like
            Counts; broadcast.
        corpus : str or array_like of str
            Of those fitted; broadcast.

        Returns
        -------
        ndarray of float64
            In the unit of the runs.

        Raises
        ------
        DataError
            If the corpus was not fitted or a count is not positive.
        """
        names = np.asarray(corpus, dtype=object)
        for name in dict.fromkeys(names.ravel()):
            if name not in self.law:
                raise DataError(
                    f"corpus {name!r} was not fitted; the fit knows {', '.join(self.law)}."
                )
        found = np.select([names == name for name in self.law],
                          [law.loss(N, D) for law in self.law.values()])  # fmt: skip
        return found[()]

    @property
    def rms(self) -> float:
        """Root of the mean squared log residual."""
        return float(np.sqrt(np.mean(np.square(self.residuals))))

    @property
    def bic(self) -> float:
        """Bayesian information criterion, n ln(rms^2) + p ln n; lower is better."""
        n = len(self.residuals)
        return float(2 * n * np.log(self.rms) + len(self.theta) * np.log(n))

    def errors(self, runs: pd.DataFrame) -> pd.Series[float]:
        """Log residuals of other runs, ln(observed) - ln(predicted).

        Parameters
        ----------
        runs : DataFrame
            Columns as in `fit_corpora`, for example runs that were held out.

        Returns
        -------
        Series
            Under the row labels of `runs`.

        Raises
        ------
        DataError
            If a column is missing or a corpus was not among those fitted.
        """
        (N, D, L), labels = table(runs, ("params", "tokens", "loss"))
        corpora = corpora_of(runs)
        predicted = self.predict(N, D, corpora)
        return pd.Series(np.log(L / predicted), index=labels, name="residual")

    def resample(self, n: int = 1000, *, seed: int = 0) -> pd.DataFrame:
        """Factors of fits to runs drawn with replacement, within each corpus.

        Parameters
        ----------
        n : int, optional
            Number of resamples.
        seed : int, optional
            Seed of ``numpy.random.default_rng``.

        Returns
        -------
        DataFrame, shape (n, terms x other corpora)
            Columns are pairs (term, corpus). Every resample is solved to its own optimum.

        Raises
        ------
        DataError
            If `n` is below 2 or the fit has no factors.
        """
        if not self.terms:
            raise DataError("the fit has no factors to resample; give fit_corpora a term.")
        runs, strata = self.problem.n_points, [np.flatnonzero(self.corpora == c) for c in self.laws]
        (drawn,) = draw(runs, n, seed=seed, strata=strata)
        theta, _ = solve(self.problem, self.theta[:, None], counts(drawn, runs), None)
        others = list(self.laws)[1:]
        values = _factors(theta, self.terms, len(others))
        columns = pd.MultiIndex.from_product([self.terms, others], names=["term", "corpus"])
        return pd.DataFrame(values.T, columns=columns)


def fit_corpora(
    runs: pd.DataFrame,
    *,
    terms: Sequence[Term] = ("Q",),
    reference: str,
    delta: float = CORPORA_DELTA,
    weights: Weights = None,
    sigma: Weights = None,
) -> CorpusFit:
    """Fit one Chinchilla law to runs on several corpora, with factors per corpus.

    The law of corpus c is f_c (e_c E + A (m_c N)^-alpha + B (Q_c D)^-beta); `terms` says which of
    the four factors are fitted, the others being one. Two hundred starts run to convergence with
    exact second derivatives, and the lowest optimum of the Huber loss is returned.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``corpus`` (name), ``params`` (count), ``tokens`` (count) and
        ``loss`` (any positive unit: nats per token, or an error rate).
    terms : sequence of {"Q", "N", "E", "factor"}, optional
        Which factors; empty for none.
    reference : str
        The corpus whose factors are one.
    delta : float, default `CORPORA_DELTA` of this module
        Threshold of the Huber loss, in log units.
    weights, sigma : array_like, shape (n,), or str, optional
        As in `fit_chinchilla`.

    Returns
    -------
    CorpusFit

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not valid.
    FitError
        If there are too few corpora or runs, or the runs cannot tell the terms apart.

    Examples
    --------
    >>> import scalinglib as sl
    >>> runs = sl.load("corpora_isoflops")
    >>> runs = runs[~runs.flagged].rename(columns={"loss_paloma": "loss"})
    >>> fit = fit_corpora(runs, terms=("E",), reference="dclm")
    >>> print(fit.factors.round(3)["E"].to_dict(), f"{100 * fit.rms:.2f} %")
    {'dclm': 1.0, 'comma': 1.066, 'nemotron': 0.987} 0.58 %
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    corpora = corpora_of(runs)
    chosen = _terms(terms)
    names = reference_first(corpora, reference)
    _refuse_undetermined(values, corpora, chosen, names)
    scaled = inverse_sd(weights, sigma, values[2], labels, slope=1 / values[2], runs=runs)
    problem, centre, starts = _problem(
        values, corpora, chosen, names, threshold("huber", delta), scaled
    )
    p = problem.n_parameters
    free = Restriction(np.zeros(p), np.eye(p), tuple(range(p)), {}, ())
    best = search(problem, starts, free)
    r, J = problem.linearise(best.theta)
    residuals = pd.Series(-r, index=labels, name="residual")
    scaled = warnings.moving(J, np.eye(p))
    condition = warnings.condition_number(scaled)
    factors, base = _factor_table(best.theta, chosen, names), _base(best.theta, centre)
    return CorpusFit(
        law={name: _law(base, factors.loc[name]) for name in names},
        terms=chosen,
        reference=reference,
        factors=factors,
        objective=best.objective,
        residuals=residuals,
        agreement=best.agreement,
        condition=condition,
        warnings=(*checks.unit_doubts(*values[:2]),
                  *rising(values[:2], values[2], "loss", "scale"),
                  *_sentences(problem, best, residuals, scaled, condition, centre),
                  *_far(factors, values[1])),
        corpora=corpora,
        problem=problem,
        theta=best.theta,
    )  # fmt: skip


def _terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    if isinstance(terms, str):
        raise DataError(f"terms must be a sequence, such as ({terms!r},).")
    for term in terms:
        if term not in TERMS:
            raise DataError(f"term {term!r} is unknown; use some of {', '.join(TERMS)}.")
    if len(set(terms)) < len(terms):
        raise DataError(f"terms names one twice: {', '.join(terms)}.")
    if len(terms) == len(TERMS):
        raise DataError(
            "factors on tokens, parameters and floor together are one on the whole loss; leave out "
            "one of the four terms."
        )
    return tuple(terms)


def _refuse_undetermined(
    values: Floats, corpora: Names, terms: tuple[Term, ...], names: Sequence[str]
) -> None:
    """Refuse runs that are too few, or that cannot tell the terms of the law apart."""
    for name in names:
        if (corpora == name).sum() <= len(terms):
            raise FitError(
                f"corpus {name!r} has {(corpora == name).sum()} runs, too few for "
                f"{len(terms)} factors; add runs or leave it out."
            )
    enough_rows(values, SHAPE + len(terms) * (len(names) - 1))
    varying(values[2], "loss")
    if degenerate := degenerate_design(values[0], values[1]):
        raise FitError(f"{degenerate}.")


def _problem(
    values: Floats,
    corpora: Names,
    terms: tuple[Term, ...],
    names: Sequence[str],
    delta: float,
    weights: Floats | None,
) -> tuple[LinearForms, Floats, Floats]:
    """The problem, the centres of its predictors, and its starts.

    A factor Q on the tokens divides B by Q^beta, and likewise for the others, so in logarithms
    each is a shift of one coefficient in the runs of one corpus.
    """
    common, centre = power_sum(values[:2], values[2], delta, weights)
    m, others = common.n_points, names[1:]
    p = SHAPE + len(terms) * len(others)
    forms, scale = np.zeros((3, m, p)), np.zeros((m, p))
    for k, exponent in ((0, 3), (1, 4)):
        forms[k, :, exponent] = -common.u[k]
    forms[range(3), :, range(3)] = 1.0
    places = {"N": forms[0], "Q": forms[1], "E": forms[2], "factor": scale}
    for i, term in enumerate(terms):
        for j, name in enumerate(others):
            places[term][corpora == name, SHAPE + i * len(others) + j] = 1.0
    starts = projected_starts(common)
    still = np.zeros((p - SHAPE, starts.shape[1]))
    problem = LinearForms(np.empty((0, m)), common.y, delta, forms, scale, times=common.times)
    return problem, centre, np.concatenate([starts, still])


def _factors(theta: Floats, terms: Sequence[Term], others: int) -> Floats:
    """Factors (terms x others, R) of solver coordinates (p, R)."""
    shifts = theta[SHAPE:].reshape(len(terms), others, -1)
    power = {"Q": -1 / theta[4], "N": -1 / theta[3], "E": 1.0, "factor": 1.0}
    with np.errstate(all="ignore"):
        found = [np.exp(power[term] * shift) for term, shift in zip(terms, shifts, strict=True)]
    return np.concatenate(found)


def _factor_table(theta: Floats, terms: Sequence[Term], names: Sequence[str]) -> pd.DataFrame:
    """Factors at solver coordinates (p,), a row per corpus and a column per term."""
    factors = pd.DataFrame(1.0, index=list(names), columns=list(terms))
    if terms:
        found = _factors(theta[:, None], terms, len(names) - 1)
        factors.iloc[1:] = found.reshape(len(terms), -1).T
    return factors


def _base(theta: Floats, centre: Floats) -> ChinchillaLaw:
    """The law of the reference corpus."""
    a, b, e, alpha, beta = (float(value) for value in theta[:SHAPE])
    return ChinchillaLaw(
        E=float(np.exp(e)),
        A=float(np.exp(a + alpha * centre[0])),
        B=float(np.exp(b + beta * centre[1])),
        alpha=alpha,
        beta=beta,
    )


def _law(base: ChinchillaLaw, factors: pd.Series[float]) -> ChinchillaLaw:
    """The law of a corpus with these factors."""
    own = {**dict.fromkeys(TERMS, 1.0), **factors.to_dict()}
    return ChinchillaLaw(
        E=float(own["factor"] * own["E"] * base.E),
        A=float(own["factor"] * own["N"] ** -base.alpha * base.A),
        B=float(own["factor"] * own["Q"] ** -base.beta * base.B),
        alpha=base.alpha,
        beta=base.beta,
    )


def _sentences(
    problem: LinearForms,
    best: Optimum,
    residuals: pd.Series[float],
    scaled: Floats,
    condition: float,
    centre: Floats,
) -> tuple[str, ...]:
    """The doubts that any fit of the package raises."""
    laws = [_base(theta, centre) for theta in (best.theta, *best.rivals.T)]
    rivals = pd.DataFrame([{name: getattr(law, name) for name in CONSTANTS} for law in laws])
    shares = problem.shares(best.theta).max(axis=1)
    return warnings.sentences(
        dict(zip(("A", "B", "E"), shares.tolist(), strict=True)),
        {"alpha": laws[0].alpha, "beta": laws[0].beta},
        residuals,
        scaled,
        best.agreement,
        condition,
        rivals,
        converged=best.converged,
    )


def _far(factors: pd.DataFrame, D: Floats) -> Iterator[str]:
    """Multipliers of the tokens that lead out of the range of the runs."""
    span = float(D.max() / D.min())
    for name, Q in factors.get("Q", pd.Series(dtype=float)).items():
        if not 1 / span <= Q <= span:
            yield (
                f"Q of {name} is {Q:.3g}, beyond the factor {span:.3g} between the fewest and the "
                "most tokens of the runs; quote an order of magnitude at most."
            )
