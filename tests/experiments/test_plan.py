"""What is trained, before anything is: shapes, budgets, the rule of the rate, table and corpus."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from experiments import corpus
from experiments.plan import PLANS, RateRule, Run, Shape
from experiments.table import CURVES, RUNS, Table, profiles

each_plan = pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))


def constant(params, tokens=1.0):
    return 0.01


def planned(plan):
    return plan.rate_runs() + plan.runs(constant) + plan.retuned_runs(constant)


def test_parameters_are_those_of_the_matrices():
    shape = Shape(layers=3, width=24, heads=2)
    assert shape.params == 256 * 24 + 3 * 12 * 24**2
    assert shape.non_embedding == 3 * 12 * 24**2


@each_plan
def test_a_run_spends_its_budget_to_half_a_step(plan):
    for run in planned(plan):
        step = 6 * run.shape.params * run.batch * run.context
        assert abs(6 * run.shape.params * run.tokens - run.budget) <= step / 2 + 1e-3


@each_plan
def test_runs_have_names_of_their_own(plan):
    names = [run.name for run in planned(plan)]
    assert len(set(names)) == len(names)


def test_the_runs_of_the_book_have_six_sizes_at_each_budget():
    assert min(len(shapes) for _, shapes in PLANS["cpu"].profiles) >= 6
    assert sum(1e11 <= budget <= 3e13 for budget, _ in PLANS["cpu"].profiles) >= 5


@each_plan
def test_an_unfinished_schedule_is_that_of_the_longest_run(plan):
    found = [run for run in plan.runs(constant) if run.experiment == "unmatched"]
    ends = {round(run.schedule * run.steps) for run in found}
    assert ends == {max(run.steps for run in found)}
    assert max(run.schedule for run in found) > 1.5


def valley(params, best, rates=(0.004, 0.008, 0.016, 0.032, 0.064), state="ok"):
    """Losses of one size whose valley has its lowest point at `best`."""
    loss = 2 + 0.05 * np.log(np.array(rates) / best) ** 2
    return pd.DataFrame(
        {"experiment": "rate", "params": params, "learning_rate": rates, "loss": loss,
         "state": state}
    )  # fmt: skip


def test_the_rule_finds_a_power_law():
    sizes = (5e3, 2e4, 8e4)
    rows = pd.concat([valley(N, 0.2 * N**-0.25) for N in sizes], ignore_index=True)
    rule = RateRule(rows)
    assert rule.b == pytest.approx(-0.25, rel=1e-6)
    assert rule(4e5) == pytest.approx(0.2 * 4e5**-0.25, rel=0.005)


def test_other_experiments_do_not_move_the_rule():
    rows = pd.concat([valley(N, 0.2 * N**-0.25) for N in (5e3, 8e4)], ignore_index=True)
    other = valley(2e4, 0.06).assign(experiment="rate check")
    assert RateRule(pd.concat([rows, other])).b == RateRule(rows).b


def checked(params, tokens, rate):
    """A size whose rule said `rate` and whose best rate is 0.9 N^-0.25 D^-0.15."""
    best = 0.9 * params**-0.25 * tokens**-0.15
    rows = valley(params, best, rates=(rate / 2, rate, 2 * rate))
    return rows.assign(
        experiment=["rate check", "isoflop", "rate check"], budget_flops=1e12, tokens=tokens
    )


def test_with_the_check_the_rule_finds_a_power_of_length_as_well():
    near = [
        valley(N, 0.9 * N**-0.25 * D**-0.15).assign(tokens=D, budget_flops=1e11)
        for N, D in ((5e3, 3e6), (2e4, 8e5), (8e4, 2e5))
    ]
    far = [checked(N, D, 0.01) for N, D in ((2e4, 8e6), (8e4, 2e6))]
    other = checked(4e4, 4e6, 0.5).query("experiment == 'isoflop'")
    rule = RateRule(pd.concat([*near, *far, other], ignore_index=True), length=True)
    assert (rule.b, rule.c) == pytest.approx((-0.25, -0.15), rel=1e-6)
    assert rule(4e5, 1e7) == pytest.approx(0.9 * 4e5**-0.25 * 1e7**-0.15, rel=0.005)


@each_plan
def test_both_rules_are_checked_at_half_and_double_their_rate(plan):
    for kind, of in (("rate check", "isoflop"), ("recheck", "retuned")):
        own = {(run.shape, run.budget): run.learning_rate for run in planned(plan)
               if run.experiment == of}  # fmt: skip
        beside = [run for run in planned(plan) if run.experiment == kind]
        factors = [run.learning_rate / own[run.shape, run.budget] for run in beside]
        assert factors == pytest.approx([0.5, 2.0] * (len(beside) // 2))
        assert len({run.shape for run in beside}) >= 2


def test_a_budget_trained_again_replaces_its_first_runs():
    rows = pd.DataFrame(
        {"experiment": ["isoflop", "isoflop", "retuned", "retuned", "seed"],
         "budget_flops": [1e11, 1e12, 1e12, 1e12, 1e11], "loss": [2.0, 1.8, 1.7, None, 2.1],
         "state": ["ok", "ok", "ok", "diverged", "ok"]}
    )  # fmt: skip
    assert list(profiles(rows).loss) == [2.0, 1.7]


def test_a_diverged_rate_is_left_out_and_too_few_are_refused():
    rows = pd.concat([valley(N, 0.2 * N**-0.25) for N in (5e3, 8e4)], ignore_index=True)
    rows.loc[0, ["loss", "state"]] = 9.0, "diverged"
    assert RateRule(rows).b == pytest.approx(-0.25, rel=1e-6)
    rows.loc[:2, "state"] = "diverged"
    with pytest.raises(ValueError, match="parabola needs three"):
        RateRule(rows)


def test_a_valley_without_an_inner_minimum_gives_the_best_rate_tried():
    rows = pd.concat([valley(5e3, 0.5), valley(8e4, 0.5)], ignore_index=True)
    assert RateRule(rows).best.to_numpy() == pytest.approx([0.064, 0.064])


def row(name):
    return {"run": name, "experiment": "isoflop", "loss": 2.5}


CURVE = pd.DataFrame({"tokens": [10, 100], "loss": [4.0, 3.0]})


def test_a_run_is_stored_once_and_whole(tmp_path):
    table = Table(tmp_path)
    table.add(row("one"), CURVE)
    table.add(row("two"), CURVE)
    assert Table(tmp_path).done() == {"one", "two"}
    assert len(pd.read_csv(tmp_path / CURVES)) == 4
    with pytest.raises(ValueError, match="stored once"):
        table.add(row("one"), CURVE)


def test_a_sweep_killed_between_the_files_leaves_no_curve_without_a_row(tmp_path):
    table = Table(tmp_path)
    table.add(row("one"), CURVE)
    rows = (tmp_path / RUNS).read_text()
    table.add(row("two"), CURVE)
    (tmp_path / RUNS).write_text(rows)
    again = Table(tmp_path)
    assert again.done() == {"one"}
    again.add(row("two"), CURVE)
    assert list(pd.read_csv(tmp_path / CURVES).run) == ["one", "one", "two", "two"]


def test_a_run_that_failed_keeps_its_row(tmp_path):
    table = Table(tmp_path)
    table.add({**row("one"), "loss": None, "state": "unfinished"}, CURVE)
    table.add({**row("two"), "state": "ok"}, CURVE)
    assert list(table.rows.state) == ["unfinished", "ok"]
    assert table.rows.loss.isna().tolist() == [True, False]


TEXTS = [f"text number {place}".encode() for place in range(400)]


def test_each_text_enters_once_whatever_the_order():
    one, two = corpus.split(TEXTS), corpus.split([*reversed(TEXTS), TEXTS[3], b""])
    assert one.digest == two.digest
    assert (one.train == two.train).all()
    assert len(one.train) + len(one.held_out) == sum(map(len, TEXTS)) + len(TEXTS)
    assert corpus.split(TEXTS[1:]).digest != one.digest


def test_held_out_files_are_told_by_their_digest():
    found = set(corpus.split(TEXTS).held_out.tobytes().split(b"\0")) - {b""}
    assert found == {
        text for text in TEXTS if hashlib.sha256(text).digest()[-1] % corpus.HELD_OUT == 0
    }
    assert 5 <= len(found) <= 40


def test_windows_do_not_overlap_and_their_order_is_that_of_the_seed():
    text = np.arange(100, dtype=np.uint8)
    starts = corpus.windows(text, context=8, seed=3)
    assert sorted(starts) == list(range(0, 96, 8))
    assert (starts == corpus.windows(text, context=8, seed=3)).all()
    assert (starts != corpus.windows(text, context=8, seed=4)).any()
    taken = corpus.batch(text, starts.reshape(3, 4), context=8)
    assert taken.shape == (3, 4, 9)
    assert (taken[1, 2] == np.arange(starts[6], starts[6] + 9)).all()


def test_the_list_pins_every_package():
    lines = corpus.LIST.read_text().split("\n")[:-1]
    assert len(lines) >= 10
    for line in lines:
        assert " --hash=sha256:" in line
        assert "==" in line
    assert "http" not in corpus.LIST.read_text()


def test_a_row_says_what_was_planned():
    run = Run("isoflop", 1e9, Shape(1, 8, 1), 0.0123456)
    told = run.row()
    assert told["flops"] == pytest.approx(6 * told["params"] * told["tokens"])
    assert told["flops_counted"] > told["flops"]
    assert told["learning_rate"] == 0.0123456
