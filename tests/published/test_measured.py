"""The runs measured here: what was planned, what was foretold, and what came of it."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from experiments.plan import PLANS, RateRule, Shape
from scalinglib.topics import measured

RUNS = sl.load("measured_runs")
CURVES = sl.load("measured_curves")
MATCHED = RUNS[(RUNS.experiment == "isoflop") & (RUNS.state == "ok")]
FORETOLD = {10240: 0.0, 14720: 0.0090, 19968: 0.0115, 26880: 0.0114, 45056: -0.0123, 67840: 0.0171}
"""Excess (logarithm of a ratio of losses) of the runs of 1e11 FLOP with one schedule for all sizes,
computed from the matched runs up to 1e12 FLOP when no unmatched run had been made."""
FORETOLD_SIZE = 16_802
"""Where their parabola has its lowest point; with schedules of their own it is at 16,854."""
FORETOLD_RATE = {14720: -0.0050, 26880: -0.0070, 67840: -0.0277, 212992: -0.0333}
"""Change of the logarithm of the loss at 1e12 FLOP from the first rule's rate to the second's,
computed from the rate check when no run of that budget had been trained again."""


@pytest.fixture(scope="module")
def foretold():
    pairs = measured.mid_run_excess(MATCHED, CURVES)
    unmatched = RUNS[RUNS.experiment == "unmatched"].set_index("params")
    return measured.foretold_excess(pairs[pairs.short == 1e11], 1 / unmatched.schedule)


def test_every_run_is_one_of_the_plan():
    plan = PLANS["cpu"]
    planned = {run.name: run for run in plan.rate_runs() + plan.runs(RateRule(RUNS))}
    assert set(RUNS.run) <= set(planned)
    for name, params, tokens, rate in zip(
        RUNS.run, RUNS.params, RUNS.tokens, RUNS.learning_rate, strict=True
    ):
        assert (planned[name].shape.params, planned[name].tokens) == (params, tokens)
        assert rate == pytest.approx(planned[name].learning_rate)


def test_the_counts_are_those_of_the_shape():
    for layers, width, heads, params, inner in RUNS[
        ["layers", "width", "heads", "params", "non_embedding_params"]
    ].itertuples(index=False):
        shape = Shape(layers, width, heads)
        assert (shape.params, shape.non_embedding) == (params, inner)
    np.testing.assert_allclose(RUNS.flops, 6.0 * RUNS.params * RUNS.tokens, rtol=1e-6)


def test_all_runs_saw_one_corpus_and_keep_their_curve():
    assert len(set(RUNS.corpus)) == 1
    assert RUNS.run.is_unique
    ends = CURVES.groupby("run").tokens.max()
    assert (ends.loc[RUNS.run].to_numpy() == RUNS.tokens.to_numpy()).all()
    # The curve's last point is of an eighth of the text that the final loss is of.
    last = CURVES.groupby("run").loss.last().loc[RUNS.run].to_numpy()
    assert np.abs(last / RUNS.loss.to_numpy() - 1).max() < 0.04


def test_four_budgets_have_six_sizes_and_the_largest_four_and_one_has_two_seeds():
    sizes = MATCHED.groupby("budget_flops").params.nunique()
    assert (sizes >= 6).sum() == 4
    assert (sizes.index[-1], sizes.iloc[-1]) == (3e12, 4)
    again = RUNS[RUNS.experiment == "seed"]
    assert set(again.params) == set(MATCHED[MATCHED.budget_flops == 3e11].params)


def test_what_was_foretold_is_what_the_table_foretells(foretold):
    np.testing.assert_allclose(foretold, pd.Series(FORETOLD).loc[foretold.index], atol=6e-5)
    own = MATCHED[MATCHED.budget_flops == 1e11].set_index("params").loc[foretold.index]
    place = measured.lowest_size(foretold.index, own.loss * np.exp(foretold))
    assert place == pytest.approx(FORETOLD_SIZE, abs=1)


def test_the_runs_that_foretell_were_made_first():
    order = RUNS.reset_index().set_index("run")["index"]
    unmatched = RUNS[RUNS.experiment == "unmatched"]
    needed = MATCHED[MATCHED.budget_flops.isin([3e11, 1e12]) & MATCHED.params.isin(FORETOLD)]
    assert order[needed.run].max() < order[unmatched.run].min()


def test_the_unmatched_runs_came_near_what_was_foretold(foretold):
    unmatched = RUNS[RUNS.experiment == "unmatched"].set_index("params")
    own = MATCHED[MATCHED.budget_flops == 1e11].set_index("params").loc[unmatched.index]
    seen = np.log(unmatched.loss / own.loss)
    assert np.abs(seen - foretold).max() < 0.010
    assert np.sign(seen[45056]) == np.sign(foretold[45056]) == -1
    # With a schedule of its own length a run is the matched run again.
    assert seen[10240] == pytest.approx(0, abs=1e-6)


def test_a_second_seed_moves_a_loss_by_half_a_per_cent():
    pairs = MATCHED.merge(RUNS[RUNS.experiment == "seed"], on=["budget_flops", "params"])
    gap = np.log(pairs.loss_y / pairs.loss_x)
    assert np.sqrt((gap**2).mean() / 2) == pytest.approx(0.0041, abs=2e-4)


def test_the_rule_of_the_rate():
    rule = RateRule(RUNS)
    assert rule.b == pytest.approx(-0.198, abs=5e-4)
    assert rule(26880) == pytest.approx(0.0184)


def around(params):
    """The runs of 1e12 FLOP and one size at the first rule's rate, its half and its double."""
    near = RUNS[(RUNS.budget_flops == 1e12) & (RUNS.params == params)]
    return near[near.experiment.isin(["isoflop", "rate check"])]


def test_what_the_second_rule_was_foretold_to_change():
    second = RateRule(RUNS, length=True)
    for params, change in FORETOLD_RATE.items():
        tried = around(params)
        first = tried.learning_rate[tried.experiment == "isoflop"].item()
        new = second(params, 1e12 / (6 * params))
        assert measured.rate_change(tried, first, new) == pytest.approx(change, abs=6e-5)


def test_the_three_approaches():
    points = CURVES.merge(MATCHED[["run", "params"]], on="run")
    found = [
        sl.fit_envelope(points).a,
        sl.fit_isoflop(MATCHED).a,
        sl.fit_chinchilla(MATCHED).law.a,
    ]
    assert found == pytest.approx([0.39, 0.45, 0.49], abs=0.005)


def test_the_smaller_budgets_foretell_the_best_size_of_the_largest():
    whole = sl.fit_isoflop(MATCHED).minima
    smaller = sl.fit_isoflop(MATCHED[MATCHED.budget_flops < 3e12])
    assert smaller.params(3e12) == pytest.approx(95_052, rel=1e-3)
    assert whole.params.iloc[-1] == pytest.approx(84_993, rel=1e-3)
