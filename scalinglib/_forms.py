"""A law that is a sum of exponentials of linear forms, for runs that belong to groups.

The logarithm of the prediction is ln sum_k exp(X_k theta) + Z theta. A power sum is of this kind,
and stays so when a coefficient, or the whole prediction, gets a factor of its own in each group:
the logarithm of the factor is one more coordinate of a linear form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scalinglib._newton import Derivatives, Floats
from scalinglib._problems import HuberProblem


@dataclass(frozen=True, slots=True)
class LinearForms(HuberProblem):
    """ln y = ln sum_k exp(X_k theta) + Z theta.

    Parameters
    ----------
    u : ndarray, shape (0, m)
        Not used: the forms hold the predictors.
    terms : ndarray, shape (k, m, p)
        The rows X_k of each point.
    scale : ndarray, shape (m, p)
        The row Z of each point.
    """

    terms: Floats
    scale: Floats

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return int(self.scale.shape[1])

    def _tile(self, theta: Floats, weights: Floats, mu: Floats, tile: slice) -> Derivatives:
        terms, scale = self.terms[:, tile], self.scale[tile]
        r, J, shares = _expand(terms, scale, theta)
        f, p, q = self._huber(r - self.y[tile], weights, mu)
        # The second derivative of the prediction is sum_k w_k X_k X_k' less M M', where M, the
        # mean of the forms, is J without the scale; the two outer products are taken together.
        mean = J - scale
        H = np.matmul((q[:, None] * J.swapaxes(1, 2)), J)
        H -= np.matmul((p[:, None] * mean.swapaxes(1, 2)), mean)
        size = self.n_parameters
        for w, X in zip(shares, terms, strict=True):
            outer = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)
            H += ((p * w) @ outer).reshape(-1, size, size)
        return f, np.matmul(p[:, None], J)[:, 0].T, H.transpose(1, 2, 0)

    def linearise(self, theta: Floats) -> tuple[Floats, Floats]:
        """Residuals (m,) and their Jacobian (p, m) at one parameter vector (p,)."""
        prediction, J, _ = _expand(self.terms, self.scale, theta[:, None])
        return prediction[0] - self.y, J[0].T

    def shares(self, theta: Floats) -> Floats:
        """Share (k, m) of each term in the predictions at one parameter vector (p,)."""
        return _expand(self.terms, self.scale, theta[:, None])[2][:, 0]


def _expand(terms: Floats, scale: Floats, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Log predictions (R, m), their Jacobian (R, m, p) and the shares of the terms (k, R, m)."""
    logs = np.matmul(terms, theta).swapaxes(1, 2)
    peak = logs.max(axis=0)
    shares = np.exp(logs - peak)
    total = shares.sum(axis=0)
    shares /= total
    J = np.repeat(scale[None], theta.shape[1], axis=0)
    for w, X in zip(shares, terms, strict=True):
        J += w[:, :, None] * X
    return peak + np.log(total) + (scale @ theta).T, J, shares
