"""Which rows are runs: merged cells, checkpoints, unfinished runs, seeds and sweeps."""

import io

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl

LAW = sl.ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28)


def read(text, **options):
    return sl.runs(io.StringIO(text), **options)


def checkpoints(sizes=(1e7, 5e7, 2e8, 6e8), steps=(1000, 2000, 5000, 10000), short=None):
    rows = [
        (f"run-{i}", n, s, 1e5 * s, float(LAW.loss(n, 1e5 * s)))
        for i, n in enumerate(sizes)
        for s in steps
        if not (i == short and s == steps[-1])
    ]
    return pd.DataFrame(rows, columns=["run", "n_params", "step", "tokens", "loss"])


def isoflop(budgets=(1e18, 1e19, 1e20), sizes=6):
    C = np.repeat(budgets, sizes)
    N = np.concatenate([np.sqrt(c / 120) * np.geomspace(0.3, 3, sizes) for c in budgets])
    D = C / 6 / N
    return pd.DataFrame({"budget": C, "params": N, "tokens": D, "loss": LAW.loss(N, D)})


def test_tracker_export_with_a_row_a_run():
    table = read(
        '"Name","ID","State","Runtime","_step","config.n_params","config.max_steps",'
        '"tokens_seen","eval/loss","train/loss","config.seed","config.lr"\n'
        '"a","x1","finished","99","10000","70M","10000","1.4B","4.1","4.0","1","3e-4"\n'
        '"b","x2","crashed","40","4000","160M","10000","1.3B","3.9","3.8","1","3e-4"\n'
        '"c","x3","finished","99","9000","410M","10000","8B","3.4","3.3","1","3e-4"\n'
        '"d","x4","finished","99","10000","1.0B","10000","20B","3.0","2.9","1","3e-4"\n'
    )
    assert table.frame.run.tolist() == ["a", "d"]
    assert table.set_aside.run.tolist() == ["b", "c"]
    assert table.set_aside.reason.str.contains("crashed|90%").all()
    taken = table.taken.set_index("taken as")
    assert taken.loc["loss", "column"] == "eval/loss"
    assert "train/loss" in taken.loc["loss", "how"]


def test_tracker_chart_with_a_column_a_run():
    chart = (
        '"Step","a - eval/loss","a - eval/loss__MIN","a - eval/loss__MAX","b - eval/loss"\n'
        '"1000","4.5","4.5","4.5","4.2"\n"2000","4.1","4.1","4.1",""\n'
    )
    about = "Name,n_params,max_steps\na,70M,2000\nb,160M,2000\n"
    with pytest.raises(sl.DataError, match="params"):
        read(chart)
    table = read(chart, about=io.StringIO(about))
    assert table.frame[["run", "step", "params", "loss"]].to_numpy().tolist() == [
        ["a", 2000, 7e7, 4.1]
    ]
    assert table.set_aside.reason.iloc[-1] == "unfinished: reached 50% of its planned steps"
    with pytest.raises(sl.DataError, match="'b' is not in"):
        read(chart, about=io.StringIO("Name,n_params,max_steps\na,70M,2000\n"))
    with pytest.raises(sl.DataError, match="stands twice"):
        read(chart, about=io.StringIO(about + "b,170M,2000\n"))


def test_budgets_in_the_header():
    wide = isoflop().assign(size=[1, 2, 3, 4, 5, 6] * 3)
    grid = "params," + ",".join(["1e18", "1e19"]) + "\n1e8,3.5,3.2\n2e8,3.4,3.1\n4e8,3.45,\n"
    table = read(grid, across="budget_flops", derive="tokens")
    assert len(table.frame) == 5
    assert table.frame.index.tolist() == [2, 3, 4, 2, 3]
    assert (6 * table.frame.params * table.frame.tokens).to_numpy() == pytest.approx(
        table.frame.budget_flops.to_numpy()
    )
    assert len(sl.runs(wide).frame) == 18


def test_merged_cells_are_filled_and_said():
    text = (
        "Our study\nmodel size,tokens,seed,val loss\n70M,1.4B,0,4.1\n,,1,4.12\n"
        ",2.8B,0,3.9\n,,1,3.92\n"
        "160M,1.4B,0,3.8\n,,1,3.82\n,2.8B,0,3.6\n,,1,3.62\n\nMean,,,3.86\n"
    )
    table = read(text)
    assert table.frame.params.tolist() == [7e7] * 4 + [1.6e8] * 4
    assert table.frame.tokens.tolist() == [1.4e9, 1.4e9, 2.8e9, 2.8e9] * 2
    assert table.taken.how.str.contains("filled down").sum() == 2
    assert table.set_aside.row.tolist() == [12]
    assert table.clusters.nunique() == 4


@pytest.mark.parametrize(("fill", "kept"), [(["params"], 8), ([], 6)])
def test_some_empty_cells_are_a_question(fill, kept):
    text = "params,tokens,loss\n" + "".join(
        f"{'' if k in (2, 5) else '1e8'},{k + 1}e9,{4 - k / 9}\n" for k in range(8)
    )
    with pytest.raises(sl.DataError, match=r"row 4, column 'params'.*fill="):
        read(text)
    assert len(read(text, fill=fill)) == kept


def test_missing_and_infinite_losses_are_set_aside():
    text = "run,params,tokens,loss\n" + "".join(
        f"r{k},1e8,{k + 1}e9,{ {3: 'NaN', 4: 'inf'}.get(k, 4 - k / 9) }\n" for k in range(20)
    )  # fmt: skip
    table = read(text)
    assert table.set_aside.row.tolist() == [5, 6]
    assert table.set_aside.run.tolist() == ["r3", "r4"]


@pytest.mark.parametrize("named", [True, False])
def test_the_last_point_of_each_run(named):
    points = checkpoints().sample(frac=1, random_state=3)
    table = sl.runs(points if named else points.drop(columns="run"))
    assert (table.frame.step == 10000).all()
    assert len(table) == 4
    assert len(table.set_aside) == 12
    every = sl.runs(points, points="all")
    assert len(every) == 16
    assert every.clusters.groupby(points.run.to_numpy()).nunique().eq(1).all()
    boot = sl.bootstrap(sl.fit_chinchilla(every, fixed={"E": 1.69}), n=20, clusters=every.clusters)
    assert len(boot.params) == 20


def test_names_that_stand_beside_several_runs_are_doubted():
    grid = checkpoints().drop(columns="step")
    said = sl.runs(grid)
    assert "12 rows are taken for earlier checkpoints" in said.warnings[0]
    assert "tokens alone" in said.warnings[0]
    assert "columns={'run': None}" in said.warnings[0]
    alone = sl.runs(grid, columns={"run": None})
    assert len(alone) == 16
    assert alone.warnings == ()
    assert sl.runs(checkpoints()).warnings == ()


def test_steps_that_stand_twice_are_a_question():
    with pytest.raises(sl.DataError, match=r"step 1000 stands twice.*columns="):
        sl.runs(pd.concat([checkpoints(), checkpoints()]).drop(columns="run"))


def test_checkpoints_without_a_name_are_doubted():
    told = sl.runs(checkpoints().drop(columns="run")).warnings
    assert any("12 rows" in one and "points='all'" in one for one in told)
    assert not sl.runs(checkpoints()).warnings


@pytest.mark.parametrize(
    ("last", "again"), [(6000, 2000), (9000, 5000), (3000, 3000), (9000, 9000)]
)
@pytest.mark.parametrize("along", ["step", "tokens"])
def test_a_run_that_was_resumed_keeps_its_later_points(last, again, along):
    steps = list(range(1000, 11000, 1000))
    own = [checkpoints(sizes=(n,), steps=steps).assign(run=f"r{n:g}") for n in (1e7, 1e8, 1e9)]
    first = own[1][own[1].step <= last].assign(loss=lambda f: f.loss + 0.5)
    runs = pd.concat([own[0], first, own[1][own[1].step >= again], own[2]], ignore_index=True)
    runs = runs if along == "step" else runs.drop(columns="step")
    for points in ("final", "all"):
        table = sl.runs(runs, points=points)
        gone = table.set_aside[table.set_aside.reason.str.startswith("passed again")]
        assert gone.run.unique().tolist() == ["r1e+08"]
        assert len(gone) == (last - again) / 1000 + 1
        kept = table.frame
        assert not kept.duplicated(["run", "tokens"]).any()
        true = LAW.loss(kept.params, kept.tokens)
        assert (
            (kept.loss - true > 0.1) == ((kept.run == "r1e+08") & (kept.tokens < again * 1e5))
        ).all()


@pytest.mark.parametrize("order", ["one after the other", "by step"])
def test_two_runs_of_one_name_are_not_one_that_was_resumed(order):
    runs = pd.concat([checkpoints(), checkpoints().assign(loss=lambda f: f.loss + 0.01)])
    runs = runs if order != "by step" else runs.sort_values(["run", "step"], kind="stable")
    with pytest.raises(sl.DataError, match="stands twice in one run"):
        sl.runs(runs)


def test_names_and_identifiers_that_disagree_are_a_question():
    points = checkpoints().assign(id=range(16))
    with pytest.raises(sl.DataError, match="group the rows"):
        sl.runs(points)
    assert len(sl.runs(points, columns={"run": "run"})) == 4


@pytest.mark.parametrize("short", [0, 2, 3])
def test_a_run_shorter_than_its_peers(short):
    table = sl.runs(checkpoints(short=short))
    assert table.set_aside.run.iloc[-1] == f"run-{short}"
    assert "unfinished: reached 50%" in table.set_aside.reason.iloc[-1]
    assert table.warnings
    assert len(sl.runs(checkpoints(short=short), keep_unfinished=True)) == 4


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.8])
def test_a_run_short_of_its_budget(share, named):
    runs = isoflop()
    runs.loc[8, "tokens"] *= share
    table = sl.runs(runs if named else runs.drop(columns="budget"))
    assert table.set_aside.row.tolist() == [8]
    assert f"{share:.0%}" in table.set_aside.reason[0]


def test_a_count_of_flop_that_changes_with_the_size_is_no_shortfall():
    runs = isoflop(sizes=12)
    runs["tokens"] *= (runs.params / 1e9) ** 0.15
    assert len(sl.runs(runs).set_aside) == 0
    runs.loc[20, "tokens"] *= 0.5
    assert sl.runs(runs).set_aside.row.tolist() == [20]


def test_many_that_fall_short_are_the_design():
    runs = isoflop(sizes=12)
    runs.loc[::3, "tokens"] *= 0.6
    assert len(sl.runs(runs).set_aside) == 0
    assert len(sl.runs(runs.drop(columns="budget")).set_aside) == 0


@pytest.mark.parametrize("state", ["crashed", "Running", "FAILED", "killed", "preempted"])
def test_states_of_a_tracker(state):
    runs = isoflop().assign(state="finished")
    runs.loc[4, "state"] = state
    assert sl.runs(runs).set_aside.row.tolist() == [4]


def designs(seed):
    """Clean designs as people make them, with budgets and tokens rounded or not."""
    draw = np.random.default_rng(seed)
    kind = seed % 5
    if kind in (0, 3):
        N = np.geomspace(1e7, 10 ** draw.uniform(9, 10), draw.integers(3, 9))
        D = np.geomspace(1e9, 10 ** draw.uniform(10.3, 12), draw.integers(3, 9))
        N, D = map(np.ravel, np.meshgrid(N, D))
        D = D if kind == 0 else D * N / 1e8
    elif kind in (1, 4):
        C, m = np.geomspace(1e18, 1e21, draw.integers(3, 9)), draw.integers(4, 10)
        N = np.concatenate([np.sqrt(c / 120) * np.geomspace(0.2, 5, m) for c in C])
        D = np.repeat(C, m) / 6 / N
        if kind == 4:
            N, D = (np.array([float(f"{x:.1e}") for x in v]) for v in (N, D))
    else:
        n = int(10 ** draw.uniform(1, 3.5))
        N, D = 10 ** draw.uniform(7, 10, n), 10 ** draw.uniform(9, 12, n)
    return pd.DataFrame({"params": N, "tokens": D, "loss": LAW.loss(N, D)})


def test_clean_designs_lose_no_run():
    lost = [seed for seed in range(100) if len(sl.runs(designs(seed)).set_aside)]
    assert len(lost) <= 5, lost


def sweep(seeds=1):
    rates = (1e-4, 3e-4, 1e-3, 3e-3)
    rows = [
        (n, 20 * n, lr, s, LAW.loss(n, 20 * n) + 0.01 * np.log(lr / 1e-3) ** 2 + 1e-3 * s)
        for n in (1e7, 1e8, 1e9)
        for lr in rates
        for s in range(seeds)
    ]
    return pd.DataFrame(rows, columns=["N", "D", "learning_rate", "seed", "loss"])


def test_the_best_of_a_sweep_on_request():
    runs = sweep()
    assert any("points='best', over=['learning_rate']" in one for one in sl.runs(runs).warnings)
    with pytest.raises(sl.DataError, match="learning_rate"):
        sl.runs(runs, points="best")
    best = sl.runs(runs, points="best", over=["learning_rate"])
    assert best.frame.learning_rate.tolist() == [1e-3] * 3
    assert best.points == "best of sweep over learning_rate"
    assert len(best.set_aside) == 9
    assert best.warnings == ()
    edge = sl.runs(runs[runs.learning_rate <= 1e-3], points="best", over=["learning_rate"])
    assert "edge" in edge.warnings[0]


def test_seeds_of_the_best_setting_stay_together():
    best = sl.runs(sweep(3), points="best", over=["learning_rate"])
    assert best.frame.groupby("params").seed.nunique().eq(3).all()
    assert best.clusters.groupby(best.frame.params.to_numpy()).nunique().eq(1).all()


def test_a_million_cells_are_read_in_seconds(tmp_path):
    n = 200_000
    draw = np.random.default_rng(0)
    N, D = 10 ** draw.uniform(7, 10, n), 10 ** draw.uniform(9, 12, n)
    frame = pd.DataFrame({"run": np.arange(n), "N": N, "D": D, "loss": LAW.loss(N, D), "lr": 1e-3})
    frame.to_csv(tmp_path / "many.csv", index=False)
    table = sl.runs(tmp_path / "many.csv")
    assert len(table) == n
    assert table.frame.params.to_numpy() == pytest.approx(N)


@pytest.mark.parametrize("name", ["experiment", "model", "exp"])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_a_name_beside_many_sizes_is_no_run(name, groups):
    runs = isoflop()
    runs[name] = [f"family {k % groups}" for k in range(len(runs))]
    table = sl.runs(runs, keep_unfinished=True)
    assert len(table) == len(runs)
    assert "run" not in table.frame
    told = [one for one in table.warnings if f"{name!r} names {groups} groups" in one]
    assert len(told) == (groups > 1)
    assert not sl.runs(runs, columns={name: None}).warnings
    own = runs.assign(**{name: [f"run {k}" for k in range(len(runs))]})
    assert sl.runs(own).frame["run"].tolist() == own[name].tolist()
    assert len(sl.runs(checkpoints().rename(columns={"run": name}))) == 4


def test_a_name_in_merged_cells_still_names_the_run():
    own = "{},1B,{}.1\n,,2B,{}.0\n"
    table = read(
        "model,params,tokens,loss\n" + own.format("A,70M", 4, 4) + own.format("B,160M", 3, 3)
    )
    assert table.frame.run.tolist() == ["A", "B"]
    assert table.frame.params.tolist() == [7e7, 1.6e8]


def test_a_chart_without_sizes_asks_for_a_second_table():
    with pytest.raises(sl.DataError, match=r"second table that has it.*about="):
        read("Step,a - loss,b - loss\n100,4,3\n200,3.5,2.9\n")


@pytest.mark.parametrize("lost", range(0, 9, 2))
def test_a_grid_with_a_hole_loses_no_other_run(lost):
    N, D = map(np.ravel, np.meshgrid([7e7, 1.6e8, 4.1e8], [2e9, 8e9, 3.2e10]))
    runs = pd.DataFrame({"N": N, "D": D, "loss": LAW.loss(N, D)})
    runs.loc[lost, "loss"] = np.nan
    assert sl.runs(runs).set_aside.row.tolist() == [lost]


@pytest.mark.parametrize("named", [True, False])
def test_a_step_that_is_the_same_in_all_rows_says_nothing(named):
    runs = isoflop().assign(_step=5000)
    runs = runs.assign(run=[f"r{k}" for k in range(len(runs))]) if named else runs
    assert len(sl.runs(runs)) == len(runs)
