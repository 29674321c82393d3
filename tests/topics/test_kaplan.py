"""The laws of steps, batch and split: values, edges, and one refusal for each bad input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.laws import ComputeSplit, CriticalBatch, StepsLaw
from scalinglib.topics import kaplan

STEPS = StepsLaw(alpha_N=0.077, alpha_S=0.76, N_c=6.5e13, S_c=2.1e3)
BATCH = CriticalBatch(B_star=2.1e8, alpha_B=0.21)
SPLIT = ComputeSplit(1.3e9, 0.73, 2.0e6, 0.24, 5.4e3, 0.03, 2e10, 0.27)
JOINT = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
COMPUTE = sl.PowerLaw(A=3.1e8**0.050, alpha=0.050)
DATA = sl.PowerLaw(A=5.4e13**0.095, alpha=0.095)
FLOORED = replace(DATA, E=1.0)
PARALLEL = replace(COMPUTE, alpha=0.5), replace(DATA, alpha=1.0)


def test_a_model_too_small_for_a_loss_never_reaches_it():
    assert STEPS.steps(3.0, 1e6) == np.inf
    assert STEPS.loss(1e6, np.inf) > 3.0


def test_a_size_far_too_small_costs_infinitely_much():
    cost = kaplan.size_tradeoff(STEPS, 0.1)
    assert cost.compute == np.inf
    assert cost.steps == np.inf


def test_the_critical_batch_at_one_nat_is_its_scale():
    assert BATCH.tokens(1.0) == 2.1e8


def test_minimum_compute_at_small_and_large_batches():
    assert kaplan.minimum_compute(1e20, 1.0, 1e9) == pytest.approx(1e20, rel=1e-8)
    assert kaplan.minimum_compute(1e20, 3e6, 1e6) == pytest.approx(0.25e20)


def test_equal_terms_of_the_joint_law():
    N = 1e9
    D = JOINT.D_c * (N / JOINT.N_c) ** (JOINT.alpha_N / JOINT.alpha_D)
    assert JOINT.loss(N, D) / JOINT.loss(N, np.inf) == pytest.approx(2**JOINT.alpha_D, rel=1e-12)


def test_sources_do_not_enter_equality():
    assert replace(STEPS, source="somewhere") == STEPS


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: STEPS.loss(0, 1e4), "^N must be positive"),
        (lambda: STEPS.loss(1e9, -1), "^S must be positive"),
        (lambda: STEPS.steps(0, 1e9), "^loss must be positive"),
        (lambda: STEPS.steps(3.0, 0), "^N must be positive"),
        (lambda: BATCH.tokens(0), "^loss must be positive"),
        (lambda: SPLIT.params(0), "^C must be positive"),
        (lambda: SPLIT.tokens(-1), "^C must be positive"),
        (lambda: SPLIT.tokens_by_steps(0), "^C must be positive"),
        (lambda: SPLIT.tokens_by_size(0), "^C must be positive"),
        (lambda: SPLIT.budget(0), "^ratio must be positive"),
        (lambda: kaplan.StepsFrontier(STEPS, BATCH).loss(0), "^C must be positive"),
        (lambda: kaplan.StepsFrontier(STEPS, BATCH).params(0), "^C must be positive"),
        (lambda: kaplan.compute_exponent(0.1, 0.0), "^exponents must be positive"),
        (lambda: kaplan.minimum_compute(0, 1, 1), "^C must be positive"),
        (lambda: kaplan.minimum_compute(1, 0, 1), "^B must be positive"),
        (lambda: kaplan.minimum_compute(1, 1, 0), "^B_crit must be positive"),
        (lambda: kaplan.overfitting(JOINT, 0, 1e9), "^N must be positive"),
        (lambda: kaplan.overfitting(JOINT, 1e9, 0), "^D must be positive"),
        (lambda: kaplan.unique_tokens_needed(JOINT, 0), "^N must be positive"),
        (lambda: kaplan.unique_tokens_needed(JOINT, 1e9, excess=0), "^excess must be positive"),
        (lambda: kaplan.stopping_tradeoff(STEPS, gap=0), "^gap must be positive"),
        (lambda: kaplan.size_tradeoff(STEPS, 0), "^ratio must be positive"),
        (lambda: kaplan.compute_exponent(), "at least one exponent"),
        (lambda: replace(SPLIT, p_N=0.5, p_D=0.5).budget(20), "do not depend on the budget"),
        (lambda: kaplan.crossing_point(COMPUTE, FLOORED, SPLIT), "without a floor"),
        (lambda: kaplan.crossing_point(*PARALLEL, replace(SPLIT, p_D=0.5)), "no crossing"),
    ],
)
def test_bad_inputs(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


exponents = st.floats(0.03, 1.0)
budgets = st.floats(1e17, 1e27)
factors = st.floats(1.01, 50.0)
joint_laws = st.builds(
    sl.KaplanLaw,
    alpha_N=st.floats(0.03, 0.5),
    alpha_D=st.floats(0.03, 0.5),
    N_c=st.floats(1e12, 1e15),
    D_c=st.floats(1e12, 1e15),
)
steps_laws = st.builds(
    StepsLaw,
    alpha_N=st.floats(0.04, 0.3),
    alpha_S=st.floats(0.4, 1.2),
    N_c=st.floats(1e12, 1e15),
    S_c=st.floats(1e2, 1e4),
)
batches = st.builds(CriticalBatch, B_star=st.floats(1e7, 1e9), alpha_B=st.floats(0.1, 0.5))


@given(law=joint_laws, N=st.floats(1e5, 1e13), excess=st.floats(1e-3, 0.5))
def test_needed_tokens_give_the_stated_excess(law, N, excess):
    D = kaplan.unique_tokens_needed(law, N, excess=excess)
    assert kaplan.overfitting(law, N, D) == pytest.approx(excess, rel=1e-9)


@given(law=steps_laws, N=st.floats(1e5, 1e13), S=st.floats(1e2, 1e6))
def test_steps_invert_the_loss(law, N, S):
    loss = law.loss(N, S)
    share = (law.S_c / S) ** law.alpha_S / loss
    if share > 1e-4:
        assert law.steps(loss, N) == pytest.approx(S, rel=1e-8)


@given(law=steps_laws, batch=batches, C=budgets, factor=factors)
def test_frontier_is_the_cheapest_way_to_its_loss(law, batch, C, factor):
    frontier = kaplan.StepsFrontier(law, batch)
    loss, N = frontier.loss(C), frontier.params(C)
    sizes = N * np.array([1 / factor, 1.0, factor])
    cost = 6 * sizes * batch.tokens(loss) * law.steps(loss, sizes)
    assert cost[1] == pytest.approx(C, rel=1e-8)
    assert cost[1] <= cost.min() * (1 + 1e-12)


@given(law=steps_laws, batch=batches)
def test_shares_of_the_frontier_sum_to_one(law, batch):
    frontier = kaplan.StepsFrontier(law, batch)
    assert frontier.p_N + frontier.p_B + frontier.p_S == pytest.approx(1, abs=1e-12)


@given(law=steps_laws, batch=batches, C=budgets)
def test_frontier_stops_at_the_gap(law, batch, C):
    frontier = kaplan.StepsFrontier(law, batch)
    converged = law.loss(frontier.params(C), np.inf)
    assert frontier.loss(C) / converged - 1 == pytest.approx(law.gap, rel=1e-9)


@given(law=steps_laws, batch=batches, C=budgets, factor=factors)
def test_cost_of_a_wrong_size_is_that_of_the_laws(law, batch, C, factor):
    frontier = kaplan.StepsFrontier(law, batch)
    loss, N = frontier.loss(C), frontier.params(C)
    steps = law.steps(loss, factor * N) / law.steps(loss, N)
    tradeoff = kaplan.size_tradeoff(law, factor)
    assert tradeoff.steps == pytest.approx(steps, rel=1e-8)
    assert tradeoff.compute == pytest.approx(factor * steps, rel=1e-8)
    assert tradeoff.compute >= 1


@given(law=steps_laws, gap=st.floats(1e-3, 0.5))
def test_early_stopping_never_costs_more(law, gap):
    early = kaplan.stopping_tradeoff(law, gap=gap)
    assert early.compute <= 1 + 1e-12
    assert early.compute == pytest.approx(early.params * early.steps, rel=1e-12)


@given(values=st.lists(exponents, min_size=1, max_size=5))
def test_closure_lies_below_every_exponent(values):
    closure = kaplan.compute_exponent(*values)
    assert closure <= min(values) * (1 + 1e-12)
    assert closure >= min(values) / len(values) * (1 - 1e-12)


@given(
    N_e=st.floats(1e7, 1e11), p=st.floats(0.55, 0.95), D_e=st.floats(1e8, 1e12),
    ratio=st.floats(1e-2, 1e3),
)  # fmt: skip
def test_budget_inverts_the_ratio(N_e, p, D_e, ratio):
    split = ComputeSplit(N_e, p, 2.0e6, 0.24, 5.4e3, 0.03, D_e, 1 - p)
    C = split.budget(ratio)
    assert split.tokens(C) / split.params(C) == pytest.approx(ratio, rel=1e-9)


@given(
    C_c=st.floats(1e6, 1e10), alpha=st.floats(0.04, 0.2), D_c=st.floats(1e12, 1e15),
    beta=st.floats(0.05, 0.1),
)  # fmt: skip
def test_both_laws_agree_at_the_crossing(C_c, alpha, D_c, beta):
    compute = sl.PowerLaw(A=C_c**alpha, alpha=alpha)
    data = sl.PowerLaw(A=D_c**beta, alpha=beta)
    split = ComputeSplit(1.3e9, 0.73, 2.0e6, 0.24, 5.4e3, 0.03, 2e10, 0.27)
    meet = kaplan.crossing_point(compute, data, split)
    assert data.loss(meet.D) == pytest.approx(meet.loss, rel=1e-9)
    assert split.tokens(meet.C) == pytest.approx(meet.D, rel=1e-9)
