"""Draws of a bootstrap: one door, the same digits whoever asks, and refusals in words."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib.fit.resample import counts, draw, given, members
from scalinglib.laws import Sigmoid

STRATA = [np.arange(4), np.arange(4, 10)]
WAYS = {
    "plain": {},
    "strata": {"strata": STRATA},
    "blocks": {"block": 3},
    "share": {"share": 0.8},
    "share with replacement": {"share": 0.8, "replace": True},
    "multinomial": {"multinomial": True},
}


def drawn(units=10, n=500, seed=1, **way):
    return np.concatenate([*draw(units, n, seed=seed, **way)])


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_seed_repeats_its_draw_and_another_does_not(way):
    assert np.array_equal(drawn(**way), drawn(**way))
    assert not np.array_equal(drawn(**way), drawn(seed=2, **way))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_unit_is_drawn_and_nothing_else(way):
    assert set(drawn(**way).ravel()) == set(range(10))


def test_units_of_work_do_not_change_the_digits():
    whole = np.random.default_rng(3).integers(0, 10, size=(2500, 10))
    assert np.array_equal(drawn(n=2500, seed=3), whole)
    assert [len(unit) for unit in draw(10, 2500, seed=3)] == [2000, 500]


def test_strata_keep_their_sizes():
    table = drawn(strata=STRATA)
    assert ((table < 4).sum(axis=1) == 4).all()


def test_a_share_is_drawn_without_replacement():
    table = drawn(share=0.8)
    assert table.shape == (500, 8)
    assert counts(table, 10).max() == 1


def test_a_share_with_replacement_repeats_units_and_spreads_wider():
    values = np.random.default_rng(0).normal(size=100)
    with_, without = (
        values[drawn(units=100, n=4000, share=0.8, replace=way)].mean(axis=1).std()
        for way in (True, False)
    )
    assert counts(drawn(share=0.8, replace=True), 10).max() > 1
    assert with_ / (values.std() / 10) == pytest.approx(0.8**-0.5, rel=0.03)
    assert without / (values.std() / 10) == pytest.approx(0.5, rel=0.03)


def test_blocks_keep_neighbours_together():
    steps = np.diff(drawn(units=9, block=3), axis=1)
    assert (steps[:, [0, 1, 3, 4, 6, 7]] == 1).all()


def test_counts_say_how_often_a_unit_was_drawn():
    assert counts(np.array([[0, 0, 2], [1, 1, 1]]), 3).tolist() == [[2, 0, 1], [0, 3, 0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: drawn(n=1), "n must be at least 2"),
        (lambda: drawn(share=80), "share must lie between 0 and 1"),
        (lambda: drawn(replace=True), "give one, such as share=0.8"),
        (lambda: drawn(block=11), "block must lie between 1 and n = 10"),
        (lambda: [*given(np.array([0, 1]), 2)], "two-dimensional"),
        (lambda: [*given(np.array([[0, 1], [1, 2]]), 2)], "between 0 and 1"),
        (lambda: members(["a", "a"], 2), "1 labels"),
        (lambda: members(["a", "b", "b"], 2), "each of the 2 points"),
    ],
)
def test_bad_input_is_refused(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


class TestClusters:
    def test_clusters_of_one_run_are_the_plain_bootstrap(self, chinchilla_fit):
        labels = np.arange(chinchilla_fit.n_runs)
        plain = sl.bootstrap(chinchilla_fit, n=50, seed=4)
        assert sl.bootstrap(chinchilla_fit, n=50, seed=4, clusters=labels).params.equals(
            plain.params
        )

    def test_runs_of_a_cluster_come_together(self, chinchilla_runs, chinchilla_fit):
        sizes = members(chinchilla_runs.params, chinchilla_fit.n_runs)
        (positions,) = draw(sizes.max() + 1, 20, seed=4)
        by_hand = sl.bootstrap(chinchilla_fit, resamples=positions, clusters=chinchilla_runs.params)
        assert sl.bootstrap(
            chinchilla_fit, n=20, seed=4, clusters=chinchilla_runs.params
        ).params.equals(by_hand.params)
        assert by_hand.se()["alpha"] > sl.bootstrap(chinchilla_fit, n=200).se()["alpha"] / 2

    def test_labels_may_come_in_any_order(self, chinchilla_runs):
        shuffled = chinchilla_runs.sample(frac=1, random_state=0)
        one, two = (
            sl.bootstrap(sl.fit_chinchilla(runs), n=20, clusters=runs.params).params
            for runs in (chinchilla_runs, shuffled)
        )
        np.testing.assert_allclose(one, two, rtol=1e-5)

    def test_a_curve_is_resampled_by_its_clusters(self):
        x = np.tile(np.linspace(0.0, 6.0, 9), 3)
        y = Sigmoid(0.0, 1.0, -2.0, 2.5).value(x) + np.repeat([-0.01, 0.0, 0.02], 9)
        fit = sl.fit_curve(Sigmoid, x, y, fixed={"low": 0.0, "high": 1.0})
        one, two = (
            sl.bootstrap(fit, 40, seed=3, clusters=np.repeat(["a", "b", "c"], 9)) for _ in "ab"
        )
        assert one.params.equals(two.params)
        assert one.params.shape == (40, 4)
        assert (one.params[["low", "high"]] == [0.0, 1.0]).all(axis=None)
        low, high = one.interval("middle")
        assert low <= fit.params["middle"] <= high
