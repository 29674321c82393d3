"""The laws of Kaplan et al. 2020: joint law, training steps, critical batch, and split."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from scalinglib.checks import Floats, enough_rows, one_ray, positive, table, unit_doubts, varying
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN, PF_DAY, pf_days
from scalinglib.errors import DataError, FitError
from scalinglib.fit.huber import Expansion, SmoothProblem
from scalinglib.fit.model import Equation, Model, squared
from scalinglib.fit.result import DELTA, Fit, Loss, conclude, threshold
from scalinglib.fit.search import nonnegative, search
from scalinglib.fit.weights import Weights, inverse_sd, rising


@dataclass(frozen=True, slots=True)
class KaplanLaw:
    """Joint law of Kaplan et al. 2020, L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D.

    Parameters
    ----------
    alpha_N, alpha_D : float
        Exponents in parameters and in tokens.
    N_c, D_c : float
        Scales in non-embedding parameters and in tokens (counts).
    source : str, optional
        Where the constants were printed.

    References
    ----------
    Kaplan et al. 2020, "Scaling Laws for Neural Language Models", Eq. 1.5.

    Examples
    --------
    >>> law = KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
    >>> print(f"{law.loss(1e9, 22e9):.4f}")
    2.3693
    """

    alpha_N: float
    alpha_D: float
    N_c: float
    D_c: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, D: ArrayLike) -> Floats:
        """Predict the loss of a model of `N` parameters trained on `D` tokens.

        Parameters
        ----------
        N : array_like
            Non-embedding parameters (count).
        D : array_like
            Training tokens (count); broadcast against `N`.

        Returns
        -------
        ndarray of float64
            Nats per token; a scalar for scalar input.

        Raises
        ------
        DataError
            If `N` or `D` is not positive.

        Examples
        --------
        >>> law = KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
        >>> bool(law.loss(1e9, 1e10) < law.loss(1e8, 1e10))
        True
        """
        size = (self.N_c / positive("N", N)) ** (self.alpha_N / self.alpha_D)
        return (size + self.D_c / positive("D", D)) ** self.alpha_D


@dataclass(frozen=True, slots=True)
class StepsLaw:
    """Loss in training on unlimited data, L = (N_c/N)^alpha_N + (S_c/S)^alpha_S (nats per token).

    `N` counts non-embedding parameters and `S` steps at a batch far above the critical one
    (Kaplan et al. 2020, Eq. 1.6 and Table 3).
    """

    alpha_N: float
    alpha_S: float
    N_c: float
    S_c: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def loss(self, N: ArrayLike, S: ArrayLike) -> Floats:
        """Nats per token of `N` parameters after `S` steps, the converged loss at infinite `S`."""
        size = (self.N_c / positive("N", N)) ** self.alpha_N
        return size + (self.S_c / positive("S", S)) ** self.alpha_S

    def steps(self, loss: ArrayLike, N: ArrayLike) -> Floats:
        """Steps to a loss (nats per token); infinite where `N` parameters are too few for it."""
        target, N = np.broadcast_arrays(positive("loss", loss), positive("N", N))
        left = target - (self.N_c / N) ** self.alpha_N
        reached = left > 0
        power = np.where(reached, left, 1.0) ** (-1 / self.alpha_S)
        steps: Floats = np.where(reached, self.S_c * power, np.inf)[()]
        return steps

    @property
    def gap(self) -> float:
        """Where compute-efficient training stops: the loss above the converged one, as a share."""
        return self.alpha_N / self.alpha_S


@dataclass(frozen=True, slots=True)
class CriticalBatch:
    """Batch size beyond which larger batches stop paying, B_crit = B_star / L^(1/alpha_B).

    `B_star` is the batch in tokens at one nat per token (Kaplan et al. 2020, Eqs. 1.4 and 5.3).
    """

    B_star: float
    alpha_B: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def tokens(self, loss: ArrayLike) -> Floats:
        """Critical batch size (tokens) at a loss (nats per token)."""
        return self.B_star / positive("loss", loss) ** (1 / self.alpha_B)


@dataclass(frozen=True, slots=True)
class ComputeSplit:
    """Kaplan's allocation: four power laws in minimum compute (Kaplan et al. 2020, Table 6).

    `N_e`, `B_e`, `S_e`, `D_e` are non-embedding parameters, batch (tokens), steps and training
    tokens at one PF-day, and `p_N`, `p_B`, `p_S`, `p_D` the exponents. Minimum compute (FLOP) is
    that of training far below the critical batch; a run at the critical batch spends twice as much.
    """

    N_e: float
    p_N: float
    B_e: float
    p_B: float
    S_e: float
    p_S: float
    D_e: float
    p_D: float
    source: str = field(default="", kw_only=True, compare=False, repr=False)

    def params(self, C: ArrayLike) -> Floats:
        """Non-embedding parameters for a minimum compute (FLOP)."""
        return self.N_e * pf_days(C) ** self.p_N

    def tokens(self, C: ArrayLike) -> Floats:
        """Training tokens for a minimum compute (FLOP)."""
        return self.D_e * pf_days(C) ** self.p_D

    def tokens_by_steps(self, C: ArrayLike) -> Floats:
        """Tokens of a run at the critical batch, 2 B S, from the laws of batch and steps.

        The critical batch takes twice the fewest steps (Kaplan et al. 2020, Sec. 5.1).
        """
        return 2 * self.B_e * self.S_e * pf_days(C) ** (self.p_B + self.p_S)

    def tokens_by_size(self, C: ArrayLike) -> Floats:
        """Tokens of a run at the critical batch, 2 C / (6 N), from the law of size (Eq. 6.7)."""
        return 2 * positive("C", C) / (FLOPS_PER_PARAM_TOKEN * self.params(C))

    def budget(self, ratio: ArrayLike) -> Floats:
        """Minimum compute (FLOP) at which the split trains on `ratio` tokens per parameter."""
        if self.p_N == self.p_D:
            raise DataError(
                f"p_N and p_D are both {self.p_N:g}, so tokens per parameter do not depend on "
                "the budget; read the ratio off at any budget instead."
            )
        share = positive("ratio", ratio) * self.N_e / self.D_e
        return PF_DAY * share ** (1 / (self.p_D - self.p_N))


@dataclass(frozen=True, slots=True)
class KaplanProblem(SmoothProblem):
    """ln L = alpha_D ln(exp(a - gamma u) + exp(b - v)), coordinates alpha_D, a, gamma, b."""

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 4

    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction and its derivatives."""
        k, a, gamma, b = theta[:, :, None]
        size, data = a - gamma * u[0], b - u[1]
        total = np.logaddexp(size, data)
        w, rest = np.exp(size - total), np.exp(data - total)
        spread = k * w * rest
        J = [total, k * w, -k * w * u[0], k * rest]
        second = {
            (1, 0): w,
            (2, 0): -w * u[0],
            (3, 0): rest,
            (1, 1): spread,
            (2, 1): -spread * u[0],
            (3, 1): -spread,
            (2, 2): spread * u[0] ** 2,
            (3, 2): spread * u[0],
            (3, 3): spread,
        }
        return k * total, J, second

    def starts(self) -> Floats:
        """One start per pair of exponents; for given exponents the scales are linear."""
        grid = np.array(list(product(np.geomspace(0.02, 1.0, 10), np.geomspace(0.1, 3.0, 10))))
        k, gamma = grid.T[:, :, None]
        level = self.y / k
        columns = np.stack([np.exp(-gamma * self.u[0] - level), np.exp(-self.u[1] - level)], axis=1)
        peak = columns.max(axis=(1, 2), keepdims=True)
        scales = nonnegative(columns / peak) / peak[:, 0]
        smallest = 1e-4 * scales.max(axis=1, keepdims=True)
        a, b = np.log(np.maximum(scales, smallest)).T
        return np.stack([grid[:, 0], a, grid[:, 1], b])


@dataclass(frozen=True, slots=True)
class KaplanModel(Model):
    """Parametrisation of `KaplanLaw`; `centre` holds the means of ln N and ln D."""

    centre: Floats
    names: ClassVar[tuple[str, ...]] = ("alpha_N", "alpha_D", "N_c", "D_c")
    decaying: ClassVar[tuple[str, ...]] = ("alpha_N", "alpha_D")
    scale: ClassVar[tuple[str, ...]] = ("params", "tokens")

    def params(self, theta: Floats) -> Floats:
        """Parameters (4, R), in the order of `names`, of solver coordinates (4, R)."""
        k, a, gamma, b = theta
        with np.errstate(all="ignore"):
            size = np.exp(a / gamma + self.centre[0])
            return np.stack([gamma * k, k, size, np.exp(b + self.centre[1])])

    def law(self, params: Floats) -> KaplanLaw:
        """The law with parameters alpha_N, alpha_D, N_c, D_c."""
        return KaplanLaw(*(float(value) for value in params))

    def equation(self, name: str) -> Equation:
        """How alpha_D and D_c read in solver coordinates; the other two are not affine."""
        if name == "alpha_D":
            return Equation(np.array([1.0, 0.0, 0.0, 0.0]), 0.0, 0, logarithmic=False)
        if name == "D_c":
            row = np.array([0.0, 0.0, 0.0, 1.0])
            return Equation(row, float(self.centre[1]), 3, logarithmic=True)
        raise DataError(
            f"{name} cannot be held in a fit of Kaplan's law; only alpha_D and D_c can. Use "
            "bootstrap for its interval."
        )

    def shares(self, theta: Floats, J: Floats) -> dict[str, float]:
        """Largest share of the parameter and of the data term."""
        return {"N_c": float((J[1] / theta[0]).max()), "D_c": float((J[3] / theta[0]).max())}


def fit_kaplan(
    runs: pd.DataFrame,
    *,
    loss: Loss = "huber",
    delta: float = DELTA,
    weights: Weights = None,
    sigma: Weights = None,
) -> Fit[KaplanLaw]:
    """Fit L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D to training runs.

    Parameters
    ----------
    runs : DataFrame
        One row per run with columns ``params`` (non-embedding, count), ``tokens`` (count) and
        ``loss`` (nats per token).
    loss : {"huber", "lad", "l2"}
        Loss of the log residual.
    delta : float, default `DELTA`
        Threshold of the Huber loss, in log units; the other losses ignore it.
    weights, sigma : array_like, shape (n,), or str, optional
        As in `fit_chinchilla`.

    Returns
    -------
    Fit
        With a `KaplanLaw`.

    Raises
    ------
    DataError
        If a column is missing, a value is not a positive finite number, or an option is not
        valid.
    FitError
        If the runs cannot determine the parameters.

    References
    ----------
    Kaplan et al. 2020, "Scaling Laws for Neural Language Models", Eq. 1.5 and Table 2.

    Examples
    --------
    >>> import pandas as pd
    >>> import scalinglib as sl
    >>> law = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
    >>> runs = pd.DataFrame({"params": [1e6, 1e7, 1e8] * 2, "tokens": [1e8] * 3 + [1e10] * 3})
    >>> runs["loss"] = law.loss(runs.params, runs.tokens)
    >>> print(sl.fit_kaplan(runs).params.round(4)[["alpha_N", "alpha_D"]].to_dict())
    {'alpha_N': 0.076, 'alpha_D': 0.103}
    """
    values, labels = table(runs, ("params", "tokens", "loss"))
    enough_rows(values, 4)
    varying(values[2], "loss")
    logs = np.log(values[:2])
    centre = logs.mean(axis=1)
    for axis, name in enumerate(("params", "tokens")):
        varying(values[axis], name, least=0.1)
    if ray := one_ray(*values[:2]):
        raise FitError(f"the runs cannot separate size from data: {ray}.")
    factors = inverse_sd(weights, sigma, values[2], labels, slope=1 / values[2], runs=runs)
    problem = KaplanProblem(
        logs - centre[:, None],
        np.log(values[2]),
        threshold(loss, delta),
        times=squared(factors),
    )
    model = KaplanModel(problem, centre)
    restriction = model.restrict({}, ())
    best = search(problem, problem.starts(), restriction, lad=loss == "lad")
    doubts = (*unit_doubts(*values[:2]), *rising(values[:2], values[2], "loss", "scale"))
    return conclude(model, best, restriction, labels, loss, doubts, absolute=sigma is not None)
