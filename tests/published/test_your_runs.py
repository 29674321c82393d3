"""Your own runs: what the report says of each table, and that the page follows any of them."""

import base64
import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib import display
from scalinglib.report import findings
from scalinglib.report.shown import Said, Saved
from scalinglib.topics import your_runs

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
PAGE = (ROOT / "chapters" / "your-runs.md").read_text()
LINE = 'runs = sl.runs("../data/example_runs.csv")'
LAW = your_runs.LAW
SHEET = {"units": {"tokens": "B"}, "skip": [14], "columns": {"Model": None}}


def found(source, **options):
    return findings.find(sl.runs(source, **options), budgets=[1e23], resamples=400)


def two_sizes():
    sizes, tokens = np.repeat([1e8, 4e8], 8), np.tile(np.geomspace(1e9, 1e11, 8), 2)
    return your_runs.simulated(sizes, tokens)


def ladder(scatter=0.0):
    sizes = np.geomspace(2e7, 3e9, 12)
    noise = np.random.default_rng(1).normal(0, scatter, 12)
    return your_runs.simulated(sizes, 20 * sizes * np.exp(noise))


def short(row=52):
    runs = your_runs.tracker()
    runs.loc[row, "tokens"] //= 2
    runs.loc[row, "eval/loss"] = LAW.loss(runs.n_params[row], runs.tokens[row])
    return runs


@pytest.fixture(scope="module")
def good():
    return findings.find(sl.runs(DATA / "example_runs.csv"), budgets=[1e22, 1e23])


@pytest.mark.parametrize(
    ("name", "made"), [("example_runs", your_runs.tracker), ("example_sheet", your_runs.sheet)]
)
def test_the_shipped_tables_are_those_of_the_law(name, made):
    assert (DATA / f"{name}.csv").read_text() == made().to_csv(index=False, lineterminator="\n")


def test_the_law_and_the_noise_are_those_that_the_page_states():
    stated = (LAW.E, LAW.A, LAW.alpha, LAW.B, LAW.beta)
    told = re.search(r":label: eq-your-law\n(.*?)\n```", PAGE, re.S).group(1)
    assert [float(one) for one in re.findall(r"\d[\d.]*", told)] == list(stated)
    many = your_runs.simulated(np.full(4000, 1e9), np.full(4000, 2e10))
    assert np.log(many.loss / LAW.loss(1e9, 2e10)).std() == pytest.approx(0.003, rel=0.05)


def test_the_good_report_is_right_about_the_law(good):
    table = good.intervals.table
    truth = [getattr(LAW, name) for name in table.index]
    assert list(table.index) == ["E", "A", "B", "alpha", "beta", "a", "b"]
    assert ((table.low <= truth) & (table.high >= truth)).all()
    assert [one.fit is not None for one in good.approaches] == [True, True, False]
    assert good.warnings == (("Reading", "1 of 56 runs is unfinished and set aside."),)
    assert good.runs.set_aside.to_numpy().tolist() == [[32, "run-31", "unfinished: state crashed"]]


@pytest.mark.parametrize("C", [1e22, 1e23])
def test_the_good_plan_holds_the_optimum(good, C):
    own, profiles = good.plans[C].iloc[0], good.plans[C].iloc[1]
    best = sl.compute_optimal(LAW, C)
    for name, value in (("params", best.N), ("tokens", best.D),
                        ("tokens per parameter", best.tokens_per_param)):  # fmt: skip
        low, high = own.spread[name]
        assert low < value < high
    assert profiles.params == pytest.approx(best.N, rel=0.1)
    # The valley is flat: the planned split is nearly as good as the best one.
    assert LAW.loss(own.params, own.tokens) < 1.001 * best.loss
    assert own.loss == pytest.approx(best.loss, rel=0.01)


def test_the_back_test_errs_by_more_than_the_noise_but_not_by_several_times(good):
    assert 1 < good.test.rms / good.parametric.fit.residuals.std() < 2


@pytest.mark.parametrize(
    "count", [pytest.param(8, id="some"), pytest.param(40, id="all", marks=pytest.mark.slow)]
)
def test_other_seeds_tell_the_same(count):
    truth = sl.compute_optimal(LAW, 1e23).tokens_per_param
    for seed in range(count):
        said = found(your_runs.tracker(seed))
        low, high = said.plans[1e23].spread.iloc[0]["tokens per parameter"]
        assert low <= truth <= high, seed
        assert len(said.warnings) == 1, seed


def test_two_sizes_are_refused_until_the_floor_is_fixed():
    runs = two_sizes()
    assert "two values of model size" in found(runs).parametric.why
    fit = sl.fit_chinchilla(runs, fixed={"E": LAW.E})
    assert fit.law.alpha == pytest.approx(LAW.alpha, abs=0.03)


@pytest.mark.parametrize("scatter", [0.0, 0.03, 0.1])
def test_a_ladder_is_refused(scatter):
    said = found(ladder(scatter))
    assert all(one.fit is None for one in said.approaches)
    assert "add runs off that line" in said.parametric.why
    mixed = pd.concat([ladder(scatter), your_runs.simulated([2e7, 2e7, 1e8], [4e9, 4e10, 4e10])])
    assert found(mixed.reset_index(drop=True)).parametric.fit is not None
    along = sl.fit_power_law(6 * ladder().params * ladder().tokens, ladder().loss, offset=True)
    assert along.residuals.std() < 0.01


@pytest.mark.parametrize("row", [16, 27, 44, 52])
def test_a_run_short_of_its_budget_is_set_aside_by_name_or_named(row):
    said = found(short(row))
    assert said.runs.set_aside.run.tolist() == sorted(["run-31", f"run-{row + 1}"])
    kept = found(short(row), keep_unfinished=True)
    assert any(f"rows {min(row, 30)}, {max(row, 30)}" in text for _, text in kept.warnings)


def test_an_outlier_is_named_and_weighs_on_the_parabola():
    runs = your_runs.tracker()
    clean = found(runs)
    runs.loc[20, "eval/loss"] *= 1.1
    said = found(runs)
    named = [where.split(" (")[0] for where, text in said.warnings if "row 20" in text]
    assert named == ["Parametric law", "IsoFLOP profiles"]
    moved = [abs(x.exponents[0] - y.exponents[0])
             for x, y in zip(said.approaches[:2], clean.approaches[:2], strict=True)]  # fmt: skip
    assert 10 * moved[0] < moved[1]


def test_the_sheet_is_refused_twice_and_then_read():
    sheet = DATA / "example_sheet.csv"
    with pytest.raises(sl.DataError, match=r"row 26, column 'Tokens': '16' has no letter"):
        sl.runs(sheet)
    with pytest.raises(sl.DataError, match=r"row 14, column 'Val loss': .*partial.*skip=\[14\]"):
        sl.runs(sheet, units={"tokens": "B"})
    table = sl.runs(sheet, **SHEET)
    assert len(table) == 24
    assert table.set_aside.row.tolist() == [14, 17, 28]
    named = {**SHEET, "columns": None}
    assert any("columns={'Model': None}" in one for one in sl.runs(sheet, **named).warnings)
    said = found(sheet, **SHEET)
    low, high = said.intervals.table.loc["a", ["low", "high"]]
    assert low < LAW.a < high
    assert "does not mark profiles" in said.isoflop.why
    # What was read is what was simulated, but for the row left out.
    N, D = table.frame.params, table.frame.tokens
    assert np.log(table.frame.loss / LAW.loss(N, D)).abs().max() < 0.012


def test_fewer_budgets_widen_the_plan(good):
    early = found(good.frame[good.frame.budget_flops < 2e19])
    wide, narrow = (
        np.ptp(one.plans[1e23].spread.iloc[0]["tokens per parameter"]) for one in (early, good)
    )
    assert wide > 2 * narrow
    assert "of its runs" in early.plans[1e23].note.iloc[0]


def test_a_saved_report_shows_titles_and_hands_over_the_page():
    saved = Saved("a<b>.html", "<h2>One &amp; <sup>two</sup></h2><p>1.2.3</p>")
    assert repr(saved) == "a<b>.html\n  One & two"
    shown = saved.html()
    assert 'download="a&lt;b&gt;.html" href="data:text/html;base64,' in shown
    assert "<h2>" not in shown
    assert base64.b64encode(saved.text.encode()).decode() in shown


def test_sentences_are_text_and_never_markup(monkeypatch):
    monkeypatch.setattr(display, "MODE", "site")
    said = Said(("one < two", "x" * 9))
    assert repr(said) == f"one < two\n{'x' * 9}"
    assert "one &lt; two" in said._repr_mimebundle_()["text/html"]


def curves():
    rows = [(f"r{n:.0e}", n, s, 1e6 * s) for n in np.geomspace(1e7, 3e9, 12)
            for s in np.geomspace(500, 5e5, 12).round()]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["run", "params", "step", "tokens"])
    return frame.assign(loss=your_runs.simulated(frame.params, frame.tokens).loss)


@pytest.mark.parametrize(
    "source",
    [lambda: two_sizes(), lambda: ladder(), lambda: short(), lambda: curves(),
     lambda: two_sizes()[["params", "loss"]],
     lambda: sl.load("chinchilla_runs"), lambda: sl.load("llama_isoflops")],
    ids=["two sizes", "ladder", "short", "curves", "no tokens", "chinchilla", "llama"],
)  # fmt: skip
def test_the_page_follows_the_line_that_is_replaced(source, monkeypatch, tmp_path):
    """Every cell down to the plan runs on any table that can be read, and is silent on stderr."""
    part = PAGE.split("## Three tables")[0]
    cells = [
        re.sub(r"\A(:.*\n)*", "", body)
        for body in re.findall(r"```\{code-cell\} ipython3\n(.*?)\n```", part, flags=re.S)
    ]
    assert sum(LINE in one for one in cells) == 1
    monkeypatch.chdir(tmp_path)
    space = {"table": source(), "display": None}
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        for one in cells:
            exec(one.replace(LINE, "runs = sl.runs(table)"), space)
    assert said.getvalue() == ""
    assert len(space["found"].frame) == len(space["runs"])
