"""Solvable models: closed forms against sums and differences, limits, and identities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

import scalinglib as sl
from scalinglib.topics.theory import coins, features, forms, manifold, skills
from scalinglib.topics.theory.lists import ranks

exponents = st.floats(0.05, 2.5)
counts = st.floats(1, 1e8)
HALF = features.Modes.power_law(0.5)


def long_formula(z, q, g, N, D):
    """The test error of an isotropic target as random-matrix theory first gives it."""
    kappa = g * (N - z) / N
    bias = z - kappa * q / g * N / (N - q)
    return g * bias / (1 - (q * (N - 2 * z) + z**2) / (D * (N - q)))


class TestClosedForm:
    @given(a=exponents, N=counts, D=counts)
    def test_size_and_data_change_places(self, a, N, D):
        assert features.tuned_error(N, D, a) == pytest.approx(features.tuned_error(D, N, a))

    @given(a=exponents, N=counts, D=counts)
    def test_what_is_learned_solves_the_quadratic(self, a, N, D):
        s, m = features.modes_learned(N, D, a), 2 / (a * (1 + a)) - 1
        assert m * s**2 + (N + D) * s == pytest.approx(N * D, rel=1e-9)
        assert 0 < s < min(N, D) * (1 + 1e-12)

    @given(a=exponents, n=counts)
    def test_limits_are_pure_powers(self, a, n):
        expected = features.tail_constant(a) ** (1 + a) * n**-a
        assert features.tuned_error(n, np.inf, a) == pytest.approx(expected)
        assert features.tuned_error(np.inf, n, a) == pytest.approx(expected)

    @given(N=counts, D=counts)
    def test_at_one_it_is_the_sum(self, N, D):
        assert features.tuned_error(N, D, 1) == pytest.approx(np.pi**2 / 4 * (1 / N + 1 / D))

    @given(a=st.floats(0.1, 0.95), r=st.floats(0.01, 100))
    def test_below_one_it_lies_between_the_sum_and_its_larger_term(self, a, r):
        u, v = features.tuned_error(1, np.inf, a), features.tuned_error(np.inf, r, a)
        assert max(u, v) < features.tuned_error(1, r, a) < u + v

    @given(a=st.floats(0.1, 2), r=st.floats(0.05, 20))
    def test_growth_against_differences(self, a, r):
        def loss(x, y):
            return features.tuned_error(np.exp(x), r * np.exp(y), a)

        h = 1e-3
        cross = (loss(h, h) - loss(h, -h) - loss(-h, h) + loss(-h, -h)) / (4 * h**2)
        slope = (loss(0, h) - loss(0, -h)) / (2 * h)
        assert features.data_growth(r, a) == pytest.approx(cross / slope, abs=1e-4)

    @given(a=st.floats(0.2, 1.5), r=st.floats(0.1, 10))
    def test_no_other_ridge_is_better(self, a, r):
        # The continuous tail in place of the sum, minimised numerically.
        N, D = 1.0, r

        def error(z):
            q = a * z / (1 + a)
            g = (features.tail_constant(a) / z) ** (1 + a)
            return g * (z - q) * N * D / ((N - q) * (D - q) - (z - q) ** 2)

        best = minimize_scalar(error, bounds=(1e-6, min(N, D)), method="bounded")
        assert features.tuned_error(N, D, a) == pytest.approx(best.fun, rel=1e-6)


class TestExactSum:
    @pytest.mark.parametrize("sizes", [(50, 80), (300, 20), (1000, 1000)])
    def test_the_short_form_is_the_long_one(self, sizes):
        N, D = sizes
        _, g = HALF.tuned(N, D)
        z, q = HALF.resolved(g)
        short = g * (z - q) * N * D / ((N - q) * (D - q) - (z - q) ** 2)
        assert short == pytest.approx(long_formula(z, q, g, N, D), rel=1e-12)
        assert HALF.error(g, N, D) == pytest.approx(short, rel=1e-9)

    def test_the_best_ridge_is_the_best(self):
        best, g = HALF.tuned(64, 200)
        ridge = HALF.ridge(g, 64, 200)
        assert ridge > 0
        assert HALF.at_ridge(ridge, 64, 200) == pytest.approx(best)
        for factor in (0.5, 0.9, 1.1, 2):
            assert HALF.at_ridge(factor * ridge, 64, 200) > best

    def test_many_steps_are_endless_data(self):
        assert HALF.one_pass(100, 1e20) == pytest.approx(HALF.tuned(100, np.inf)[0], rel=1e-3)

    def test_a_list_too_short_is_named(self):
        with pytest.raises(sl.DataError, match="the list holds 50 modes; give more than 60"):
            features.Modes.power_law(0.5, listed=50).tuned(60, 90)

    def test_bins_hold_as_many_ranks_as_the_list(self):
        rank, count = ranks(1e6, exact=100)
        assert count.sum() == pytest.approx(1e6)
        assert count @ rank**-1.5 == pytest.approx(np.sum(np.arange(1, 1e6 + 1) ** -1.5), rel=1e-5)


class TestSkills:
    @given(a=st.floats(0.05, 3))
    def test_exponents_invert(self, a):
        assert skills.size_exponent(skills.data_exponent(a)) == pytest.approx(a)
        assert skills.data_exponent(a) < a

    def test_use_sums_to_one(self):
        known = skills.Skills.power_law(0.4, listed=1e8)
        assert known.use @ known.count == pytest.approx(1)

    def test_one_skill_grows_by_its_equation(self):
        known = skills.Skills.power_law(0.5, listed=5)
        t, h = 7.0, 1e-5
        R = known.growing(t)
        slope = (known.growing(t + h) - known.growing(t - h)) / (2 * h)
        assert slope == pytest.approx(2 * known.use * R * (1 - R), rel=1e-6)
        assert known.growing(0) == pytest.approx(skills.START)

    def test_both_limits(self):
        assert skills.both(0.5, 100, 1e30) == pytest.approx(100**-0.5 / 0.5)
        tail = skills.both(0.5, 1e12, 1e4)
        assert skills.slope(np.array([1e4, 1e5]), skills.both(0.5, 1e12, np.array([1e4, 1e5]))) == (
            pytest.approx(1 / 3, abs=1e-4)
        )
        assert tail > 0

    def test_noise_by_its_definition(self):
        known = skills.Skills.power_law(0.5, listed=3)
        rng = np.random.default_rng(0)
        n = rng.poisson(40 * known.use, (200_000, 3))
        drawn = np.mean(np.where(n > 0, 1 / np.maximum(n, 1), 0), axis=0) @ known.use
        assert known.noise(40.0) == pytest.approx(drawn, rel=0.01)

    def test_room_for_all_is_room(self):
        known = skills.Skills.power_law(0.5, listed=100)
        assert known.unlearned(50.0, room=100) == pytest.approx(known.unlearned(50.0))
        assert known.unlearned(50.0, room=0) == pytest.approx(1)


class TestSurfaces:
    def test_a_plane_is_learned_exactly(self):
        rng = np.random.default_rng(0)
        z = rng.uniform(0, 1, (400, 2))
        lift = rng.standard_normal((2, 8))
        near = manifold.Neighbours.of(z @ lift, z @ [2.0, -1.0], z[:20] @ lift + 1e-3 * lift[0], 2)
        truth = z[:20] @ [2.0, -1.0] + 2e-3
        assert manifold.local_plane(near) == pytest.approx(truth, abs=1e-9)
        assert manifold.nearest(near) == pytest.approx(z[:20] @ [2.0, -1.0])

    def test_two_neighbours_of_a_line_and_of_a_cube(self):
        rng = np.random.default_rng(1)
        line = np.outer(rng.uniform(0, 1, 4000), np.ones(3))
        assert manifold.two_neighbours(line) == pytest.approx(1, abs=0.05)
        assert manifold.two_neighbours(rng.uniform(0, 1, (4000, 3))) == pytest.approx(3, abs=0.2)

    def test_interpolation_on_a_circle_by_its_matrix(self):
        points, waves = 8, 200
        k = np.arange(-waves, waves + 1)
        size = np.abs(k).astype(float)
        size[waves] = 0.5
        power, weight = size**-2.0, size**-4.0
        x = 2 * np.pi * np.arange(points) / points
        kernel = (weight * np.exp(1j * np.subtract.outer(x, x)[..., None] * k)).sum(-1)
        # The predictor's share of wave j when the target is wave k, by solving the kernel's system.
        reply = np.linalg.solve(kernel, np.exp(1j * np.outer(x, k)))
        answer = weight[:, None] * (np.exp(-1j * np.outer(k, x)) @ reply)
        missed = np.sum(np.abs(np.eye(len(k)) - answer) ** 2, axis=0)
        exact = float(missed @ power)
        found = manifold.circle_error(2, 4, [points], aliases=25)[0]
        assert found == pytest.approx(exact, rel=2e-3)


class TestCoins:
    def test_entropy_by_integration(self):
        theta = np.sin(np.linspace(0, np.pi / 2, 200_001)[1:-1]) ** 2
        entropy = -theta * np.log(theta) - (1 - theta) * np.log1p(-theta)
        assert entropy.mean() == pytest.approx(coins.ENTROPY, abs=1e-5)

    def test_first_tosses_by_hand(self):
        assert coins.next_loss(0) == pytest.approx(np.log(2))
        p = 0.75
        assert coins.next_loss(1) == pytest.approx(-p * np.log(p) - (1 - p) * np.log(1 - p))

    def test_the_loss_falls_to_the_entropy(self):
        losses = [coins.next_loss(n) for n in (1, 10, 100, 1000)]
        assert np.all(np.diff(losses) < 0)
        assert (losses[-1] - coins.ENTROPY) * 1000 == pytest.approx(0.5, abs=0.05)

    def test_the_table_joins_its_tail(self):
        D = np.geomspace(1e5, 1e7, 41)
        excess = coins.expected_loss(0.5, D) - coins.ENTROPY
        slopes = -np.diff(np.log(excess)) / np.diff(np.log(D))
        assert slopes == pytest.approx(1 / 3, abs=2e-3)


class TestForms:
    RUNS = forms.model_surface(0.5).assign(
        params=lambda one: one.params * 1e4, tokens=lambda one: one.tokens * 2e5
    )

    @pytest.mark.parametrize("name", ["features", "equal", "outer"])
    def test_each_shape_finds_itself(self, name):
        constants = {
            "features": (1.7, 0.6, 0.4, 12.0),
            "equal": (1.7, 0.3, 0.4, 12.0),
            "outer": (1.7, 0.1, 0.5, 0.15, 0.6, 0.7),
        }[name]
        N, D = self.RUNS.params.to_numpy(), self.RUNS.tokens.to_numpy()
        made = self.RUNS.assign(loss=getattr(forms, name)(N, D, *constants))
        fit = getattr(forms, f"fit_{name}")(made)
        assert forms.typical(fit) < 1e-6
        assert fit.params.to_numpy() == pytest.approx(constants, rel=2e-3)

    def test_remade_runs_scatter_as_told(self):
        made = forms.remade(self.RUNS, np.ones(len(self.RUNS)), noise=0.1)
        assert np.log(made.loss).std() == pytest.approx(0.1, rel=0.3)
        assert (made.params == self.RUNS.params).all()

    def test_the_even_center_is_even(self):
        center = forms.even_center(HALF)
        alone = HALF.tuned(1e5, np.inf)[0]
        assert HALF.one_pass(1e12, center * 1e5) == pytest.approx(alone, rel=1e-4)
