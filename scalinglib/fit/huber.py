"""The laws as the solver sees them: objective, gradient and exact Hessian in log loss.

A problem predicts the logarithm of the observed quantity and sums a Huber function of the
residuals, ln(predicted) - ln(observed), over the points. An infinite `delta` gives least
squares. Predictors are logarithms centred on their mean: uncentred, coefficients and exponents
are almost collinear and the Hessian is a thousand times worse conditioned.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from scalinglib.checks import Floats
from scalinglib.fit.newton import POINTS_PER_TILE, Derivatives

TINY = 1e-300
"""Keeps the curvature of a residual of exactly zero from being zero over zero."""

Positions = NDArray[np.integer[Any]]

Second = dict[tuple[int, int], Floats]

Expansion = tuple[Floats, list[Floats], Second]


@dataclass(frozen=True, slots=True)
class HuberProblem(ABC):
    """Points, and the Huber threshold of their residuals in log units; infinity is least squares.

    `u` (k, m) holds the centred logarithms of the predictors, or whatever the law's `model`
    expects, and `y` (m,) that of the observed quantity. `times` (m,) says how many times each
    point counts, the square of its weight; once when left out.
    """

    u: Floats
    y: Floats
    delta: float
    times: Floats | None = field(default=None, kw_only=True)

    @property
    def n_points(self) -> int:
        """Number of points."""
        return len(self.y)

    @property
    def mass(self) -> Floats:
        """How many times each point counts, (m,)."""
        return np.ones(self.n_points) if self.times is None else self.times

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """Number of solver coordinates p."""

    def take(self, points: Positions) -> Self:
        """The same problem on some of its points, in the same coordinates."""
        times = None if self.times is None else self.times[points]
        return replace(self, u=self.u[:, points], y=self.y[points], times=times)

    def evaluate(self, theta: Floats, weights: Floats, mu: Floats) -> Derivatives:
        """Objective (R,), gradient (p, R) and curvature (p, p, R) of rows `theta` (p, R).

        The curvature is the Hessian plus the share `mu` (R,) of the majorising curvature, that
        of the parabolas which touch the loss at each residual and lie above it.
        """
        m = self.n_points
        if self.times is not None:
            weights = weights * self.times
        if m <= POINTS_PER_TILE:
            return self._tile(theta, weights, mu, slice(0, m))
        tiles = (slice(i, i + POINTS_PER_TILE) for i in range(0, m, POINTS_PER_TILE))
        parts = [self._tile(theta, weights[:, tile], mu, tile) for tile in tiles]
        f, g, H = zip(*parts, strict=True)
        return np.sum(f, axis=0), np.sum(g, axis=0), np.sum(H, axis=0)

    @abstractmethod
    def _tile(self, theta: Floats, weights: Floats, mu: Floats, tile: slice) -> Derivatives:
        """Share of some points in objective, gradient and curvature."""

    @abstractmethod
    def linearise(self, theta: Floats) -> tuple[Floats, Floats]:
        """Residuals (m,) and their Jacobian (p, m) at one parameter vector (p,).

        Rows (p, R) have residuals (R, k) and Jacobians (p, R, k) at points that were taken for
        them, by positions (R, k) or, the same for all, (1, k).
        """

    def _huber(self, r: Floats, weights: Floats, mu: Floats) -> tuple[Floats, Floats, Floats]:
        """Objective (R,), and per point the weighted slope and curvature of the Huber function.

        Overwrites `r`. The curvature is that of the function itself, one or zero, plus the share
        `mu` of the touching parabola's, which is slope / r: one inside the threshold and less
        outside, so that rounding it down gives the curvature of the function.
        """
        r += TINY
        slope = np.clip(r, -self.delta, self.delta)
        p = slope * weights
        f = np.vecdot(p, r) - 0.5 * np.vecdot(p, slope)
        curvature = np.divide(slope, r, out=r)
        inside = np.floor(curvature, out=slope)
        curvature *= mu[:, None]
        curvature += inside
        curvature *= weights
        return f, p, curvature


@dataclass(frozen=True, slots=True)
class PowerSum(HuberProblem):
    """ln y = ln(sum of power terms + floor): Chinchilla's law, a power law with offset.

    Term t is exp(a_t - alpha_t u_t) and the floor is exp(e). The parameters are ordered
    a_1..a_T, e, alpha_1..alpha_T. With e = -inf, held there, the law has no floor.
    """

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return 2 * len(self.u) + 1

    def _tile(self, theta: Floats, weights: Floats, mu: Floats, tile: slice) -> Derivatives:
        u, y = self.u[:, tile], self.y[tile]
        T, rows, m = len(u), theta.shape[1], len(y)
        forms, basis = np.empty((T, rows, 3)), np.empty((T, 3, m))
        forms[:, :, 0], forms[:, :, 1], forms[:, :, 2] = theta[:T], theta[T + 1 :], 1.0
        basis[:, 0], basis[:, 1], basis[:, 2] = 1.0, -u, -y
        w = np.matmul(forms, basis)
        np.exp(w, out=w)
        # Each term is divided by the observation, so the logarithm of the sum is the residual.
        r = np.dot(np.exp(theta[T])[:, None], np.exp(-y)[None])
        for term in w:
            r += term
        w /= r
        np.log(r, out=r)
        f, p, q = self._huber(r, weights, mu)
        q -= p
        return f, *_assemble(w, p, q, u)

    def linearise(self, theta: Floats) -> tuple[Floats, Floats]:
        """Residuals (m,) and their Jacobian (p, m) at one parameter vector (p,)."""
        T, each = len(self.u), theta[..., None]
        terms = np.exp(each[:T] - each[T + 1 :] * self.u - self.y)
        floor = np.exp(each[T : T + 1] - self.y)
        total = terms.sum(axis=0) + floor[0]
        terms /= total
        floor /= total
        return np.log(total), np.concatenate([terms, floor, -self.u * terms])


def _assemble(w: Floats, p: Floats, q: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Gradient and Hessian of a power sum from weighted sums over the points.

    With J the derivative of the residual, w_t the share of term t in the sum and s_t the
    derivative of its logarithm, the Hessian is sum q J J' + sum p sum_t w_t s_t s_t', where p
    is the weighted slope of the Huber function and q its weighted curvature less p. The floor's
    share is one minus the others, so its entries follow by subtraction, without a pass over the
    points of their own.
    """
    T, rows, m = w.shape
    e, one = T, np.ones(m)
    g, H = np.empty((2 * T + 1, rows)), np.empty((2 * T + 1, 2 * T + 1, rows))
    first, second = np.empty_like(g), np.empty((T, rows))
    share, pair = np.empty_like(p), np.empty_like(p)
    g[e], first[e] = p @ one, q @ one
    for t in range(T):
        alpha = T + 1 + t
        np.multiply(p, w[t], out=share)
        g[t], g[alpha], second[t] = share @ one, -(share @ u[t]), share @ (u[t] * u[t])
        np.multiply(q, w[t], out=share)
        first[t], first[alpha] = share @ one, -(share @ u[t])
        for s in range(t + 1):
            beta = T + 1 + s
            np.multiply(share, w[s], out=pair)
            H[t, s] = H[s, t] = pair @ one
            H[alpha, s] = H[s, alpha] = -(pair @ u[t])
            if s < t:
                H[t, beta] = H[beta, t] = -(pair @ u[s])
            H[alpha, beta] = H[beta, alpha] = pair @ (u[t] * u[s])
    g[e] -= g[:T].sum(axis=0)
    first[e] -= first[:T].sum(axis=0)
    others = [j for j in range(2 * T + 1) if j != e]
    H[e, others] = H[others, e] = first[others] - H[:T, others].sum(axis=0)
    H[e, e] = first[e] - H[:T, e].sum(axis=0) + g[e]
    for t in range(T):
        alpha = T + 1 + t
        H[t, t] += g[t]
        H[t, alpha] += g[alpha]
        H[alpha, t] += g[alpha]
        H[alpha, alpha] += second[t]
    return g, H


@dataclass(frozen=True, slots=True)
class LinearForms(HuberProblem):
    """ln y = ln sum_k exp(X_k theta) + Z theta.

    The rows of each point are X_k in `terms` (k, m, p) and Z in `scale` (m, p), which hold the
    predictors; `u` (0, m) is empty.
    """

    terms: Floats
    scale: Floats

    @property
    def n_parameters(self) -> int:
        """Number of solver coordinates."""
        return int(self.scale.shape[1])

    def take(self, points: Positions) -> LinearForms:
        """The same problem on some of its points."""
        part = super(LinearForms, self).take(points)
        return replace(part, terms=self.terms[:, points], scale=self.scale[points])

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


@dataclass(frozen=True, slots=True)
class SmoothProblem(HuberProblem):
    """A law given by its log prediction and two derivatives."""

    @abstractmethod
    def expand(self, theta: Floats, u: Floats) -> Expansion:
        """Log prediction (R, m), first derivatives, and non-zero second ones (i >= j)."""

    def _tile(self, theta: Floats, weights: Floats, mu: Floats, tile: slice) -> Derivatives:
        prediction, J, second = self.expand(theta, self.u[:, tile])
        f, p, q = self._huber(prediction - self.y[tile], weights, mu)
        size, rows = theta.shape
        g, H = np.empty((size, rows)), np.empty((size, size, rows))
        for i in range(size):
            g[i] = np.vecdot(p, J[i])
            weighted = q * J[i]
            for j in range(i + 1):
                H[i, j] = np.vecdot(weighted, J[j])
                if (i, j) in second:
                    H[i, j] += np.vecdot(p, second[i, j])
                H[j, i] = H[i, j]
        return f, g, H

    def linearise(self, theta: Floats) -> tuple[Floats, Floats]:
        """Residuals (m,) and their Jacobian (p, m) at one parameter vector (p,)."""
        prediction, J, _ = self.expand(theta.reshape(len(theta), -1), self.u)
        r, slopes = prediction - self.y, np.stack(np.broadcast_arrays(*J))
        return (r, slopes) if theta.ndim > 1 else (r[0], slopes[:, 0])
