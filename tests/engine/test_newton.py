"""The batched solver, against finite differences, weights against copies, and scipy."""

from dataclasses import replace

import numpy as np
import pytest

import scalinglib as sl
from scalinglib.fit import huber, newton
from scalinglib.fit.huber import PowerSum
from scalinglib.fit.model import power_sum
from scalinglib.fit.newton import minimise, newton_step, polish
from scalinglib.laws.chinchilla import ChinchillaModel
from scalinglib.laws.joint import JointProblem, SolvableProblem
from scalinglib.laws.kaplan import KaplanProblem
from scalinglib.laws.repeated import RepetitionProblem
from scalinglib.laws.saturating import SaturatingProblem

HOFFMANN = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)


def evaluate(problem, theta, weights=None, mu=0.0):
    """Objective, gradient and, with mu = 0, Hessian."""
    weights = np.ones((1, problem.n_points)) if weights is None else weights
    return problem.evaluate(theta, weights, np.full(theta.shape[1], mu))


@pytest.fixture
def runs(synthetic_runs):
    return synthetic_runs(HOFFMANN, 60, noise=0.005, seed=5)


@pytest.fixture
def problem(runs):
    return power_sum(runs[["params", "tokens"]].to_numpy().T, runs.loss.to_numpy(), 1e-3)[0]


@pytest.fixture
def optimum(problem):
    start = np.array([[-0.5, -0.5, 0.5, 0.35, 0.3]]).T
    wide = minimise(replace(problem, delta=0.1), start).theta
    return polish(problem, minimise(problem, wide).theta[:, 0])


def smooth_problems():
    generator = np.random.default_rng(3)
    u, y = generator.standard_normal((2, 30)), generator.standard_normal(30)
    repeats = np.stack([*generator.standard_normal((3, 30)), *generator.uniform(0, 20, (2, 30))])
    return [
        (PowerSum(u, y, 0.5), [0.3, -0.2, 0.4, 0.35, 0.3]),
        (PowerSum(u[:1], y, 0.5), [0.3, 0.4, -0.35]),
        (KaplanProblem(u, y, 0.5), [0.3, 0.4, 0.7, -0.2]),
        (JointProblem(u, y, 0.5), [0.4, 0.3, -0.2, 0.35, 0.3, 0.1, -0.5]),
        (SolvableProblem(u, y, 0.5), [0.4, 0.3, 0.4, 0.2]),
        (RepetitionProblem(repeats, y, 0.5, (0.35, 0.3)), [1.5, 0.4]),
        (SaturatingProblem(u[:1], y, 0.5), [0.5, -0.4, 0.3]),
    ]


@pytest.mark.parametrize(("law", "theta"), smooth_problems(), ids=lambda v: type(v).__name__)
@pytest.mark.parametrize("delta", [0.5, np.inf])
def test_derivatives_are_those_of_central_differences(law, theta, delta):
    problem = replace(law, delta=delta)
    weights = np.arange(30.0)[None] % 4
    h, p = 1e-5, len(theta)
    nodes = np.array(theta)[:, None] + h * np.concatenate([np.eye(p), -np.eye(p)], axis=1)
    _, g, H = evaluate(problem, np.array(theta)[:, None], weights)
    f_at, g_at, _ = evaluate(problem, nodes, weights)
    slope = (f_at[:p] - f_at[p:]) / (2 * h)
    curvature = (g_at[:, :p] - g_at[:, p:]) / (2 * h)
    # Central differences err by h^2 and by rounding over h, both near 1e-10 of the scale.
    np.testing.assert_allclose(g[:, 0], slope, rtol=0, atol=1e-8 * np.abs(slope).max())
    np.testing.assert_allclose(H[:, :, 0], curvature, rtol=0, atol=1e-8 * np.abs(curvature).max())


@pytest.mark.parametrize(("law", "theta"), smooth_problems(), ids=lambda v: type(v).__name__)
def test_curvature_of_the_touching_parabolas_is_added(law, theta):
    theta = np.array(theta)
    r, J = law.linearise(theta)
    above = np.clip(r, -law.delta, law.delta) / r
    added = evaluate(law, theta[:, None], mu=1.0)[2] - evaluate(law, theta[:, None])[2]
    np.testing.assert_allclose(added[:, :, 0], (J * above) @ J.T, rtol=1e-9, atol=1e-12)


def test_a_residual_of_exactly_zero_is_harmless():
    problem = PowerSum(np.zeros((1, 4)), np.zeros(4), 0.5)
    theta = np.array([[0.0], [-np.inf], [0.3]])
    f, _, H = evaluate(problem, theta, mu=0.5)
    assert f[0] == 0
    assert H[0, 0, 0] == 6.0


@pytest.mark.parametrize(("law", "theta"), smooth_problems(), ids=lambda v: type(v).__name__)
def test_linearisation_agrees_with_the_objective(law, theta):
    r, J = law.linearise(np.array(theta))
    f, g, _ = evaluate(law, np.array(theta)[:, None])
    slope = np.clip(r, -law.delta, law.delta)
    assert f[0] == pytest.approx(slope @ r - slope @ slope / 2, rel=1e-12)
    np.testing.assert_allclose(g[:, 0], J @ slope, rtol=1e-10, atol=1e-12)


def test_weights_are_repeated_points(runs, problem, optimum):
    counts = np.random.default_rng(0).integers(0, 4, len(runs))
    copies = runs.loc[runs.index.repeat(counts)]
    N, D, L = copies[["params", "tokens", "loss"]].to_numpy().T
    centre = np.log(runs[["params", "tokens"]].to_numpy().T).mean(axis=1)
    repeated = replace(problem, u=np.log([N, D]) - centre[:, None], y=np.log(L))
    weighed = evaluate(problem, optimum[:, None], counts[None].astype(float))
    for one, other in zip(weighed, evaluate(repeated, optimum[:, None]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-13)


def test_points_without_weight_do_not_count(runs, problem, optimum):
    counts = np.ones((1, len(runs)))
    counts[0, 7] = 0
    found = minimise(problem, optimum[:, None], counts)
    model = replace(problem, u=np.delete(problem.u, 7, axis=1), y=np.delete(problem.y, 7))
    alone = minimise(model, optimum[:, None])
    np.testing.assert_allclose(found.theta, alone.theta, rtol=1e-9)


def test_large_tables_are_summed_in_tiles(problem, optimum, monkeypatch):
    rows, weights = np.repeat(optimum[:, None], 3, axis=1), np.ones((3, 60))
    whole = evaluate(problem, rows, weights, mu=0.2)
    monkeypatch.setattr(huber, "POINTS_PER_TILE", 7)
    for one, other in zip(whole, evaluate(problem, rows, weights, mu=0.2), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-14)


def test_every_row_reaches_what_scipy_reaches(runs, problem, optimum, scipy_huber):
    positions = np.random.default_rng(1).integers(0, 60, (50, 60))
    counts = np.stack([np.bincount(row, minlength=60) for row in positions])
    found = minimise(problem, optimum[:, None], counts)
    assert found.converged.all()
    model = ChinchillaModel(problem, np.log(runs[["params", "tokens"]].to_numpy().T).mean(axis=1))
    E, A, B, alpha, beta = model.params(optimum[:, None])[:, 0]
    start = [np.log(A), np.log(B), np.log(E), alpha, beta]
    columns = runs[["params", "tokens", "loss"]].to_numpy().T
    for row, objective in zip(positions, found.objective, strict=True):
        cost, _ = scipy_huber(*columns[:, row], start)
        assert objective <= cost * (1 + 1e-12)


def test_a_common_start_is_the_same_as_equal_starts(problem, optimum):
    counts = np.random.default_rng(2).integers(0, 3, (70, 60))
    common = minimise(problem, optimum[:, None], counts)
    equal = minimise(problem, np.repeat(optimum[:, None], 70, axis=1), counts)
    np.testing.assert_allclose(common.objective, equal.objective, rtol=1e-12)


def test_digits_of_a_row_depend_on_its_unit_only(problem, optimum, monkeypatch):
    monkeypatch.setattr(newton, "ROWS_PER_UNIT", 16)
    counts = np.random.default_rng(2).integers(0, 3, (48, 60)).astype(float)
    whole = minimise(problem, optimum[:, None], counts)
    parts = [minimise(problem, optimum[:, None], counts[i : i + 16]) for i in (0, 16, 32)]
    assert np.array_equal(whole.theta, np.concatenate([part.theta for part in parts], axis=1))


def test_directions_hold_what_they_leave_out(problem, optimum):
    start = optimum[:, None] + 0.05
    found = minimise(problem, start, directions=np.eye(5)[:, :3])
    assert np.array_equal(found.theta[3:], start[3:])
    assert found.objective[0] < evaluate(problem, start)[0][0]


def test_a_start_that_overflows_is_reported_and_harms_no_other(problem, optimum):
    starts = np.stack([optimum, np.array([2000.0, 0, 0, 0, 0]), optimum], axis=1)
    found = minimise(problem, starts)
    assert np.isinf(found.objective[1])
    assert not found.converged[1]
    assert found.objective[0] == pytest.approx(found.objective[2], rel=1e-14)


def test_polish_brings_the_gradient_to_rounding(problem, optimum):
    _, g, _ = evaluate(problem, optimum[:, None])
    # Sixty terms of size 1e-3 leave a rounding error of about 1e-17.
    assert np.abs(g).max() < 1e-15


def test_step_solves_a_definite_system():
    generator = np.random.default_rng(4)
    root = generator.standard_normal((6, 4, 4))
    H = root @ root.transpose(0, 2, 1) + np.eye(4)
    g = generator.standard_normal((6, 4))
    step = newton_step(g.T, H.transpose(1, 2, 0))
    np.testing.assert_allclose(step.T, np.linalg.solve(H, -g[:, :, None])[:, :, 0], rtol=1e-10)


def test_step_leads_downhill_where_the_hessian_is_indefinite():
    g, H = np.array([[1.0], [1.0]]), np.array([[[-2.0], [0.3]], [[0.3], [1.0]]])
    assert (g * newton_step(g, H)).sum() < 0
