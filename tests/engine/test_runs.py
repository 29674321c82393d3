# ruff: noqa: E501 - a table is shown as it comes
"""Tables as they come: names, units, separators, formats, and what is refused in words."""

import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib.runs.columns import recognise

GOOD = pd.DataFrame(
    {"params": [7e7, 1.6e8, 4.1e8], "tokens": [1.4e9, 3.2e9, 8.2e9], "loss": [4.12, 3.71, 3.3]}
)
CSV = """params,tokens,loss
70000000,1400000000,4.12
160000000,3200000000,3.71
410000000,8200000000,3.3
"""


def read(text, **options):
    return sl.runs(io.StringIO(text), **options)


def same(table):
    got = table.frame[["params", "tokens", "loss"]].to_numpy(dtype=float)
    assert got == pytest.approx(GOOD.to_numpy(), rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace(",", ";").replace(".", ","),
        CSV.replace(",", "\t"),
        CSV.replace(",", "|"),
        CSV.replace("\n", "\r"),
        CSV.replace("\n", "\r\n"),
        "\ufeff" + CSV,
        "#made by eval.py\n" + CSV + "#end\n# of, all\n",
        "Parameter (Mio);Tokens (Mrd);loss\n70;1,4;4,12\n160;3,2;3,71\n410;8,2;3,3\n",
        "parameters/n_params,parameters/tokens,logs/val_loss\n7e7,1.4e9,4.12\n1.6e8,3.2e9,3.71\n4.1e8,8.2e9,3.3\n",
        "A study of sizes\n\n" + CSV,
        "params,tokens,loss\n70M,1.4B,4.12\n160M,3.2B,3.71\n410M,8.2B,3.3\n",
        "params,tokens,loss\n70 M,1.4 billion,4.12\n160 M,3.2bn,3.71 nats\n410 m,8.2B tokens,3.3\n",
        'N;D;L\n70.000.000;1.400.000.000;"4,12"\n160.000.000;3,2e9;3,71\n410.000.000;8,2e9;3,3\n',
        'N,D,L\n"70,000,000","1,400,000,000",4.12\n"160,000,000",3.2e9,3.71\n4.1e8,8.2e9,3.3\n',
        "N,D,L\n70 000 000,1_400_000_000,4.12\n1.6×10^8,3.2x10⁹,3.71\n4.1e+8,8.2E9,3.3\n",
        "n_params (M),tokens_B,val_loss\n70,1.4,4.12\n160,3.2,3.71\n410,8.2,3.3\n",
        "nParams [millions],trainTokens (in billions),eval/loss\n70,1.4,4.12\n160,3.2,3.71\n410,8.2,3.3",
        "config.model_size,summary.tokens_seen,metrics.eval_loss\n7e7,1.4e9,4.12\n1.6e8,3.2e9,3.71\n4.1e8,8.2e9,3.3",
        "non_embedding,D,cross-entropy,note\n7e7,1.4e9,4.12,a\n1.6e8,3.2e9,3.71,\n4.1e8,8.2e9,3.3,b",
    ],
)
def test_one_table_in_many_hands(text):
    same(read(text))


def test_every_format_gives_the_same_table(tmp_path):
    GOOD.to_parquet(tmp_path / "runs.parquet")
    GOOD.to_json(tmp_path / "runs.jsonl", orient="records", lines=True)
    (tmp_path / "runs.json").write_text(json.dumps(GOOD.to_dict("list")))
    GOOD.to_csv(tmp_path / "runs.csv.gz", index=False)
    (tmp_path / "runs.txt").write_bytes(CSV.encode("utf-16"))
    for path in sorted(tmp_path.iterdir()):
        same(sl.runs(path))
    nested = [{"config": {"n_params": n, "tokens": d}, "summary": {"loss": y}} for n, d, y in
              GOOD.to_numpy()]  # fmt: skip
    for source in (
        GOOD,
        GOOD.to_dict("list"),
        pl.from_pandas(GOOD),
        pa.Table.from_pandas(GOOD),
        nested,
    ):
        same(sl.runs(source))
    same(sl.runs(sl.runs(GOOD)))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("n_params", "params"), ("N", "params"), ("model_size", "params"), ("#params", "params"),
        ("Parameters (M)", "params"), ("params/non_embedding", None), ("total_params", "params"),
        ("D", "tokens"), ("train_tokens", "tokens"), ("Tokens (B)", "tokens"), ("num_tokens", "tokens"),
        ("tokens_per_second", None), ("tokens per param", None), ("unique_tokens", "unique_tokens"),
        ("C", "flops"), ("compute", "flops"), ("train_flops", "flops"), ("FLOPs (1e21)", "flops"),
        ("compute_pf_days", "flops"), ("budget", "budget_flops"), ("flop_budget", "budget_flops"),
        ("val_loss", "loss"), ("eval/loss", "loss"), ("bits per byte", "loss"), ("ppl", "loss"),
        ("bpb", "loss"), ("aux_loss", None), ("loss_std", None), ("loss scale", None), ("L", "loss"),
        ("_step", "step"), ("trainer/global_step", "step"), ("max_steps", "planned_steps"),
        ("target_tokens", "planned_tokens"), ("seed", "seed"), ("State", "state"), ("lr", None),
        ("layers", None), ("d_model", None), ("hours", None), ("config/n_params/value", "params"),
        ("Million parameters", "params"), ("N_active", "params"), ("embedding_params", None),
        ("num_input_tokens_seen", "tokens"), ("throughput/total_tokens", "tokens"),
        ("throughput/tokens_per_second", None), ("tokens (bytes)", None), ("log10_params", None),
    ],
)  # fmt: skip
def test_names_of_the_field(name, role):
    if name == "params/non_embedding":
        role = "params"
    assert (recognise(name) or (None,))[0] == role


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["empty"]),
        ("N,N_act,D,loss\n8e9,1e9,1e11,2.4\n", ["'N_act'", "mixture of experts", "columns="]),
        ("run,a,b\nparams,1e8,2e8\ntokens,1e9,2e9\nloss,4,3.9\n", ["'run'", "on its side"]),
        ("Wall time,Step,Value\n1.7e9,10,4\n1.7e9,20,3.5\n", ["params", "columns={'...'"]),
        ("params,tokens,loss\n", ["no rows"]),
        ("loss\n3\n4\n", ["one column"]),
        (CSV.replace("3.71", "(partial)"), ["row 3", "'loss'", "(partial)", "skip=[3]"]),
        (CSV.replace("3.71", "3.71*"), ["row 3", "'loss'", "3.71*"]),
        (CSV.replace("8200000000", "TBD"), ["row 4", "'tokens'", "TBD"]),
        (CSV.replace("8200000000", "=B2*3"), ["row 4", "formula", "=B2*3"]),
        (CSV.replace("8200000000", "#DIV/0!"), ["row 4", "#DIV/0!", "spreadsheet"]),
        (CSV.replace("4.12", "-4.12"), ["row 2", "-4.12", "sign"]),
        (CSV.replace("70000000,", "70,"), ["row 2", "params", "70", "unit"]),
        (CSV.replace("8200000000", "8200000000,1"), ["row 4", "4 cells"]),
        ("params,tokens,loss\n70,1400,4.1\n160,3200,3.7\n", ["70", "1400", "units="]),
        (f"params,tokens,loss\n{10**400},1e9,4.1\n{'9' * 30},3e9,3.7\n", ["params", "cannot be counts"]),
        ("params,tokens,loss\n1e8,1e9,60\n2e8,1e9,45\n", ["perplexity", "units="]),
        ("params,tokens,loss\n70M,1e9,4\n125,1e9,3.7\n", ["row 3", "'125'", "letter"]),
        ("params,tokens,loss,loss\n1e8,1e9,4,3\n", ["loss (2)", "columns="]),
        ("params,tokens,c4_loss,pile_loss\n1e8,1e9,4,3\n", ["c4_loss", "pile_loss", "columns="]),
        ("n_params,nonemb_params,params_total,tokens,loss\n1e8,8e7,1e8,1e9,4\n", ["params", "columns="]),
        ("active_params,total_params,tokens,loss\n1e8,8e8,1e9,4\n", ["mixture of experts", "columns="]),
        ("size,D,score\n1e8,1e9,4\n2e8,1e9,3\n", ["loss", "score", "columns="]),
        ("size,D,top-1 accuracy\n1e8,1e9,0.4\n2e8,1e9,0.5\n", ["rises", "1 - top-1 accuracy"]),
        ("log10(N),D,loss\n8,1e9,4\n9,1e9,3\n", ["'log10(N)'", "logarithms"]),
        ("model size,D,loss\nsmall,1e9,4\nlarge,1e9,3\n", ["'model size'", "no numbers"]),
        ("N_active,N_total,D,loss\n1e8,8e8,1e9,4\n", ["mixture of experts", "columns="]),
        ("params;tokens;loss\n70,551;1e9;3\n80,551;1e9;3\n", ["70551", "70.551", "decimal="]),
        ("params;tokens;loss\n1e8;1e9;3,25\n1e8;2e9;3.1\n", ["row 2", "row 3", "decimal="]),
        ("params,tokens,flops,loss\n1e8,1e9,1e21,3\n1e8,2e9,2e21,2.9\n", ["6 params tokens", "units="]),
        ("params,1e18,1e19\n1e8,3,2.9\n2e8,3.1,2.8\n", ["header", "across="]),
        ('params,tokens,loss\n"1e8,1e9,3\n1e8,2e9,3\n', ["row"]),
        ('{"params": 1e8}\n{"params"\n', ["line 2", "JSON"]),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(text, words):
    with pytest.raises(sl.DataError) as caught:
        read(text)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"columns": {"x": "params"}}, ["'x'", "columns"]),
        ({"columns": {"loss": "lost"}}, ["lost", "params"]),
        ({"units": {"flops": "M"}}, ["'flops'"]),
        ({"units": {"params": "furlong"}}, ["furlong", "'M'"]),
        ({"units": {"loss": "dB"}}, ["dB", "nats"]),
        ({"derive": "params"}, ["derive"]),
        ({"derive": "tokens"}, ["derive"]),
        ({"points": "last"}, ["points", "final"]),
        ({"points": "best"}, ["sweep"]),
        ({"points": "best", "over": ["lr"]}, ["'lr'"]),
        ({"over": ["lr"]}, ["best"]),
        ({"skip": [99]}, ["99"]),
        ({"decimal": "x"}, ["decimal"]),
        ({"fill": ["x"]}, ["'x'"]),
        ({"across": "tokens"}, ["across"]),
        ({"columns": {"loss": None}}, ["no column", "loss"]),
    ],
)
def test_options_are_checked(options, words):
    with pytest.raises(sl.DataError) as caught:
        read(CSV, **options)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("no/such.csv", "cannot be read"),
        ("https://example.org/runs.csv", "download"),
        ("a,b\n1,2", "StringIO"),
        (7, "int"),
        (pl.DataFrame({"N": [1.0]}).lazy(), "collect"),
        (io.BytesIO(b"PK\x03\x04..."), "CSV"),
        (io.BytesIO(b"\x00\x01\x02"), "text file"),
        (io.BytesIO(b"PAR1 no parquet PAR1"), "Parquet"),
        (GOOD.set_axis(pd.MultiIndex.from_product([["a"], list("xyz")]), axis=1), "levels"),
    ],
)
def test_sources_that_are_none(source, word):
    with pytest.raises(sl.DataError, match=word):
        sl.runs(source)


def test_what_was_taken_is_said():
    table = read(CSV + "params,tokens,loss\nTotal,,11.1\n,,\n", derive="flops")
    same(table)
    assert list(table.taken["taken as"]) == ["params", "tokens", "loss", "flops"]
    assert table.frame.flops.to_numpy() == pytest.approx(6 * GOOD.params * GOOD.tokens)
    assert table.set_aside.row.tolist() == [5, 6]
    assert table.frame.index.tolist() == [2, 3, 4]
    with pd.option_context("display.notebook_repr_html", True):
        assert "total" in table._repr_html_()
    with pd.option_context("display.notebook_repr_html", False):
        assert table._repr_html_() is None
    assert "repeats the header" in repr(table)
    assert table.summary().rows.sum() == 5


def test_a_total_without_a_name_is_seen():
    runs = pd.concat([GOOD, GOOD * [2, 3, 0.9]])
    table = sl.runs(pd.concat([runs, runs.sum().to_frame().T], ignore_index=True))
    assert table.set_aside.row.tolist() == [6]


def test_what_is_carried_stays():
    table = read("params,tokens,loss,lr,corpus\n1e8,1e9,3,3e-4,007 c4\n2e8,1e9,2.9,1e-3,x\n")
    assert table.frame.lr.tolist() == [3e-4, 1e-3]
    assert table.frame.corpus.tolist() == ["007 c4", "x"]
    own = sl.load("chinchilla_runs")
    pd.testing.assert_frame_equal(sl.runs(own).frame[list(own)], own)


@pytest.mark.parametrize(
    ("header", "cells", "nats"),
    [
        ("bits_per_byte", ["1.2", "1.1"], np.log(2) * np.array([1.2, 1.1])),
        ("loss (bits)", ["4.5", "4"], np.log(2) * np.array([4.5, 4])),
        ("val_ppl", ["60", "45"], np.log([60, 45])),
        ("eval loss (nats)", ["4.5", "4"], [4.5, 4]),
    ],
)
def test_losses_become_nats(header, cells, nats):
    table = read(f"params,tokens,{header}\n1e8,1e9,{cells[0]}\n2e8,1e9,{cells[1]}\n")
    assert table.frame.loss.to_numpy() == pytest.approx(nats)
    assert "nats" in table.taken.unit.iloc[-1]


@pytest.mark.parametrize(
    ("header", "cell", "flops"),
    [("compute (PF-days)", "0.1", 8.64e18), ("PFLOPs", "100", 1e17), ("flops (1e18)", "3", 3e18),
     ("C", "1e18 FLOPs", 1e18), ("train_flops", "2 EFLOPs", 2e18)],
)  # fmt: skip
def test_units_of_compute(header, cell, flops):
    table = read(f"params,{header},loss\n1e8,{cell},3\n1e8,{cell},3\n", derive="tokens")
    assert table.frame.flops.iloc[0] == pytest.approx(flops)
    assert table.frame.tokens.iloc[0] == pytest.approx(flops / 6e8)


@given(
    st.lists(st.tuples(st.integers(10**6, 10**12), st.integers(10**8, 10**14),
                       st.floats(1.5, 6).map(lambda x: round(x, 4))), min_size=2, max_size=9),
    st.sampled_from([",", ";", "\t", "|"]), st.booleans(),
)  # fmt: skip
def test_writing_and_reading_return_the_runs(rows, separator, comma):
    mark = "," if comma and separator != "," else "."
    lines = [separator.join([str(n), str(d), str(y).replace(".", mark)]) for n, d, y in rows]
    try:
        table = read("\n".join([separator.join(["N", "D", "loss"]), *lines]), decimal=mark)
    except sl.DataError as error:
        assert "per parameter" in str(error) or "median" in str(error)  # noqa: PT017
        return
    together = len(table.frame) + len(table.set_aside)
    assert together == len(rows)
    assert table.frame[["params", "tokens", "loss"]].to_numpy() == pytest.approx(
        np.array(rows, dtype=float)[table.frame.index - 2]
    )


def test_fits_take_runs_and_frames_of_all_kinds(chinchilla_runs, chinchilla_fit):
    for source in (sl.runs(chinchilla_runs), pl.from_pandas(chinchilla_runs),
                   pa.Table.from_pandas(chinchilla_runs)):  # fmt: skip
        assert sl.fit_chinchilla(source).objective == chinchilla_fit.objective
    read_back = sl.runs(chinchilla_runs)
    assert (
        sl.backtest(read_back, largest=10).worst == sl.backtest(chinchilla_runs, largest=10).worst
    )


@pytest.mark.parametrize("cell", ["(partial)", "3.2 nats", "n/a?", "diverged", "—?"])
def test_a_text_cell_is_blamed_and_not_its_neighbours(cell):
    losses = ["4.1", "3.8", "3.5", cell, "3.2", "3.1", "3.0"]
    runs = pd.DataFrame({"params": np.geomspace(1e7, 1e9, 7), "tokens": 1e9, "loss": losses})
    for frame, label in ((runs, "3"), (runs.set_index(pd.Index(list("abcdefg"))), "'d'")):
        with pytest.raises(sl.DataError) as caught:
            sl.fit_chinchilla(frame)
        assert f"row {label}," in str(caught.value)
        assert repr(cell) in str(caught.value)


def test_numbers_written_as_text_are_said_to_be_text():
    runs = GOOD.assign(loss=["4.1", "3.7", "3.3"])
    with pytest.raises(sl.DataError, match="is text"):
        sl.fit_chinchilla(runs)


@pytest.mark.parametrize(
    "call",
    [
        lambda x: sl.fit_power_law(x, np.ones(9)),
        lambda x: sl.fit_power_law(np.arange(1.0, 10), x),
        lambda x: sl.fit_saturating(np.arange(1.0, 10), x),
        lambda x: sl.published.HOFFMANN_2022.loss(x, 1e9),
        lambda x: sl.fit_chinchilla({"params": x, "tokens": x, "loss": x}),
        lambda x: sl.training_flops(x, 1e9),
    ],
)
def test_masked_points_are_never_data(call):
    with pytest.raises(sl.DataError):
        call(np.ma.masked_greater(np.geomspace(1e7, 1e9, 9), 3e8))


@pytest.mark.parametrize(("n", "d"), [(1e6, 1e9), (1e9, 1e9), (1e9, 1e12), (1e6, 1.0), (1.0, 1e9)])
def test_a_fit_in_millions_or_billions_says_so(n, d):
    law = sl.ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28)
    N, D = map(np.ravel, np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e12, 5)))
    runs = pd.DataFrame({"params": N / n, "tokens": D / d, "loss": law.loss(N, D)})
    assert any("counts" in sentence for sentence in sl.fit_chinchilla(runs).warnings)
    with pytest.raises(sl.DataError, match="units="):
        sl.runs(runs)
    told = sl.runs(runs, units={"params": n, "tokens": d})
    assert told.frame.params.to_numpy() == pytest.approx(N)
    assert not any("counts" in sentence for sentence in sl.fit_chinchilla(told).warnings)


@pytest.mark.parametrize("name", ["chinchilla_runs", "isoflop_runs", "porian2024_points",
                                  "repeated_data_runs", "chinchilla_table_optima"])  # fmt: skip
def test_tables_of_the_book_are_counts(name):
    from scalinglib.checks import implausible_counts

    table = sl.load(name)
    assert implausible_counts(table.params, table.tokens) is None


@pytest.mark.parametrize(
    ("column", "told"),
    [("train_bytes", "counts something else"), ("dataset size (GB)", "counts something else"),
     ("characters", "whose 6 N D is no FLOP"), ("tokens_per_param", "is a ratio"),
     ("gpu_hours", "only curves in the size")],
)  # fmt: skip
def test_what_is_close_to_tokens_is_named_with_its_remedy(column, told):
    table = sl.runs({"N": [1e8, 2e8], column: [2e9, 3e9], "loss": [3.0, 2.9]})
    assert told in table.warnings[0]
    if column != "gpu_hours":
        assert repr(column) in table.warnings[0]


@pytest.mark.parametrize("orient", ["columns", "records", "split"])
def test_json_as_pandas_writes_it(orient, tmp_path):
    frame = pd.DataFrame({"N": [7e7, 1.6e8], "D": [1.4e9, 3.2e9], "L": [4.1, 3.7]})
    frame.to_json(tmp_path / "runs.json", orient=orient)
    table = sl.runs(tmp_path / "runs.json")
    assert table.frame["loss"].tolist() == [4.1, 3.7]
    assert table.frame["params"].tolist() == [7e7, 1.6e8]


def test_a_table_of_a_text_page():
    table = read("| N | D | loss |\n|---|:--|--:|\n| 70M | 1.4B | 4.1 |\n| 160M | 3.2B | 3.7 |\n")
    assert table.frame["tokens"].tolist() == [1.4e9, 3.2e9]
    assert table.set_aside.row.tolist() == [2]


@pytest.mark.parametrize("extra", [1, 3, 7])
def test_rows_that_repeat_another_are_named(extra):
    rows = pd.DataFrame({"N": np.geomspace(1e7, 1e9, 9), "D": 2e9, "loss": np.linspace(4, 3, 9)})
    assert not sl.runs(rows.assign(seed=range(9))).warnings
    told = sl.runs(pd.concat([rows, rows[:extra].set_axis(range(20, 20 + extra))])).warnings
    assert f"{extra} row" in told[0]
    assert "(row 20" in told[0]
    assert not sl.runs(pd.concat([rows.assign(host="a"), rows.assign(host="b")])).warnings


@pytest.mark.parametrize(
    "wrap",
    [lambda runs: {"runs": runs}, lambda runs: {"log_history": runs, "best": 3.3, "flags": []},
     lambda runs: {f"r{k}": one for k, one in enumerate(runs)}],
)  # fmt: skip
def test_records_under_a_name_are_found(wrap, tmp_path):
    (tmp_path / "runs.json").write_text(json.dumps(wrap(GOOD.to_dict("records"))))
    same(table := sl.runs(tmp_path / "runs.json"))
    assert ("run" in table.frame) == ("r0" in wrap([1]))


@pytest.mark.parametrize("word", ["mean", "Sum", "average"])
@pytest.mark.parametrize("times", [1, 3, 6])
def test_how_a_loss_was_pooled_is_no_total(word, times):
    rows = pd.concat([GOOD, GOOD.assign(tokens=3 * GOOD.tokens, loss=GOOD.loss - 0.2)])
    rows["pooling"] = [word] * times + ["last"] * (6 - times)
    for own in (rows, rows[["pooling", *GOOD]]):
        # In the first column, in few rows, the word stands where a total has its name.
        first = own.columns[0] == "pooling" and times < 3
        assert len(read(own.to_csv(index=False))) == 6 - first * times


@pytest.mark.parametrize(
    ("column", "values"),
    [("loss", [3 + 0j, 2, 1]), ("tokens", pd.to_datetime(["2025-01-01"] * 3)),
     ("loss", pd.to_timedelta([3, 2, 1], "s")), ("params", [True, False, True]),
     ("loss", [[3.0], [2.0], [1.0]])],
)  # fmt: skip
def test_columns_of_other_types_are_refused_in_words(column, values):
    with pytest.raises(sl.DataError, match=column):
        sl.runs(GOOD.assign(**{column: values}))


@pytest.mark.parametrize("digits", [309, 400])
def test_integers_beyond_all_floats_are_infinite(digits):
    columns = GOOD.to_dict("list")
    columns["params"] = [10**digits, *map(int, columns["params"][1:])]
    assert sl.runs(columns).set_aside.reason.tolist() == ["params is infinite"]


def test_rows_of_several_levels_keep_their_labels():
    own = GOOD.set_axis(pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]))
    same(table := sl.runs(own))
    assert table.frame.index.tolist() == [("a", 1), ("a", 2), ("b", 1)]


@pytest.mark.parametrize(("experts", "told"), [([8, 8, 16], True), ([1, 1, 1], False)])
def test_a_size_beside_experts_is_asked_about(experts, told):
    mixed = GOOD.assign(num_experts=experts)
    assert any("mixtures of experts" in one for one in sl.runs(mixed).warnings) == told
    assert not sl.runs(mixed, columns={"params": "params"}).warnings
