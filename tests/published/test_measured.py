"""The runs measured here: what was planned, what was foretold, and what came of it."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from experiments.plan import PLANS, RateRule, Shape
from experiments.table import profiles
from scalinglib.topics import measured

RUNS = sl.load("measured_runs")
CURVES = sl.load("measured_curves")
FIRST = RUNS[(RUNS.experiment == "isoflop") & (RUNS.state == "ok")]
TUNED = profiles(RUNS)
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
    pairs = measured.mid_run_excess(FIRST, CURVES)
    unmatched = RUNS[RUNS.experiment == "unmatched"].set_index("params")
    return measured.foretold_excess(pairs[pairs.short == 1e11], 1 / unmatched.schedule)


def test_every_run_is_one_of_the_plan():
    plan = PLANS["cpu"]
    later = plan.retuned_runs(RateRule(RUNS, length=True))
    planned = {run.name: run for run in plan.rate_runs() + plan.runs(RateRule(RUNS)) + later}
    assert set(RUNS.run) == set(planned)
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


def test_every_budget_has_six_sizes_and_one_has_two_seeds():
    for runs in (FIRST, TUNED):
        assert runs.groupby("budget_flops").params.nunique().min() == 6
        assert runs.budget_flops.nunique() == 6
    again = RUNS[RUNS.experiment == "seed"]
    assert set(again.params) == set(FIRST[FIRST.budget_flops == 3e11].params)


def test_what_was_foretold_is_what_the_table_foretells(foretold):
    np.testing.assert_allclose(foretold, pd.Series(FORETOLD).loc[foretold.index], atol=6e-5)
    own = FIRST[FIRST.budget_flops == 1e11].set_index("params").loc[foretold.index]
    place = measured.lowest_size(foretold.index, own.loss * np.exp(foretold))
    assert place == pytest.approx(FORETOLD_SIZE, abs=1)


def test_the_runs_that_foretell_were_made_first():
    order = RUNS.reset_index().set_index("run")["index"]
    unmatched = RUNS[RUNS.experiment == "unmatched"]
    needed = FIRST[FIRST.budget_flops.isin([3e11, 1e12]) & FIRST.params.isin(FORETOLD)]
    assert order[needed.run].max() < order[unmatched.run].min()


def test_the_unmatched_runs_came_near_what_was_foretold(foretold):
    unmatched = RUNS[RUNS.experiment == "unmatched"].set_index("params")
    own = FIRST[FIRST.budget_flops == 1e11].set_index("params").loc[unmatched.index]
    seen = np.log(unmatched.loss / own.loss)
    assert np.abs(seen - foretold).max() < 0.010
    assert np.sign(seen[45056]) == np.sign(foretold[45056]) == -1
    # With a schedule of its own length a run is the matched run again.
    assert seen[10240] == pytest.approx(0, abs=1e-6)


def test_a_second_seed_moves_a_loss_by_half_a_per_cent():
    pairs = FIRST.merge(RUNS[RUNS.experiment == "seed"], on=["budget_flops", "params"])
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


def test_the_second_rule_did_what_was_foretold():
    new = TUNED[TUNED.budget_flops == 1e12].set_index("params").loss
    old = FIRST[FIRST.budget_flops == 1e12].set_index("params").loss
    seen = np.log(new / old).loc[list(FORETOLD_RATE)]
    assert np.abs(seen - pd.Series(FORETOLD_RATE)).max() < 0.0105
    # The larger the model and the longer the run, the more the first rule had cost.
    gains = [
        np.log(of.set_index("params").loss / FIRST[FIRST.budget_flops == budget]
               .set_index("params").loss).sort_index().iloc[[0, -1]].tolist()
        for budget, of in TUNED[TUNED.budget_flops > 1e11].groupby("budget_flops")
    ]  # fmt: skip
    assert all(small > large for small, large in gains)
    assert [large for _, large in gains] == sorted((large for _, large in gains), reverse=True)


def test_the_rules_of_the_rate_move_the_exponent():
    exponents = [sl.fit_isoflop(runs).a for runs in (FIRST, TUNED)]
    assert exponents == pytest.approx([0.419, 0.501], abs=5e-4)
    floors = [sl.fit_chinchilla(runs).law.E for runs in (FIRST, TUNED)]
    assert floors == pytest.approx([1.08, 0.50], abs=0.01)


def test_the_three_approaches():
    points = CURVES.merge(TUNED[["run", "params"]], on="run")
    found = [
        sl.fit_envelope(points).a,
        sl.fit_isoflop(TUNED).a,
        sl.fit_chinchilla(TUNED).law.a,
    ]
    assert found == pytest.approx([0.45, 0.50, 0.51], abs=0.005)


def test_the_smaller_budgets_foretell_the_best_size_of_the_largest():
    whole = sl.fit_isoflop(TUNED).minima
    smaller = sl.fit_isoflop(TUNED[TUNED.budget_flops < 1e13])
    assert smaller.params(1e13) == pytest.approx(199_544, rel=1e-3)
    assert whole.params.iloc[-1] == pytest.approx(192_799, rel=1e-3)
