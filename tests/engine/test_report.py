"""The command line: what it prints, writes and refuses, and that a report stands alone."""

import hashlib
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib.report.command import EXAMPLE, main
from scalinglib.report.findings import spoken
from scalinglib.report.plans import LAWS

ROOT = Path(__file__).resolve().parents[2]
LAW = sl.ChinchillaLaw(1.69, 406.4, 410.7, 0.34, 0.28)
BAD = "<script>alert(1)</script>&\"'"


def run(*arguments, folder):
    here = {name: value for name, value in os.environ.items() if name != "SCALINGLIB_DISPLAY"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env=here | {"PYTHONPATH": str(ROOT)})  # fmt: skip


def page(path):
    return path.read_text(encoding="utf-8")


def words(text):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def noisy(runs, seed=0, noise=0.005):
    draw = np.random.default_rng(seed)
    return runs.assign(loss=runs.loss * np.exp(draw.normal(0, noise, len(runs))))


def checkpoints():
    rows = [
        (f"r{i}", n, s, 1e6 * s, LAW.loss(n, 1e6 * s))
        for i, n in enumerate(np.geomspace(1e7, 3e9, 12))
        for s in np.geomspace(500, 5e5, 12).round()
    ]
    return noisy(pd.DataFrame(rows, columns=["run", "params", "step", "tokens", "loss"]))


def isoflop():
    C = np.repeat(np.geomspace(1e18, 1e21, 5), 7)
    N = np.concatenate([np.sqrt(c / 120) * np.geomspace(0.3, 3, 7) for c in C[::7]])
    return noisy(pd.DataFrame({"C budget": C, "N": N, "loss": LAW.loss(N, C / 6 / N)}), noise=1e-3)


def scattered():
    draw = np.random.default_rng(4)
    N, D = 10 ** draw.uniform(7, 10, 60), 10 ** draw.uniform(9, 12, 60)
    return noisy(pd.DataFrame({"params": N, "tokens": D, "loss": LAW.loss(N, D)}))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    done = run("-m", "scalinglib", "report", "chinchilla_runs", "--only", "excluded=False",
               "--budget", "1e23", "5.76e23", "-o", "out.html", folder=folder)  # fmt: skip
    return done, folder / "out.html"


def test_a_shipped_table_becomes_a_report(shipped, chinchilla_fit):
    done, path = shipped
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "out.html"
    assert "[7/7]" in done.stderr
    told = words(page(path))
    for value in (*chinchilla_fit.params[["E", "alpha", "beta"]], chinchilla_fit.law.a):
        assert f"{value:.4g}" in told
    assert "240 rows were kept" in told
    assert "another value than --only says 5" in told
    # Rows are those of the file, whose header is row 1.
    worst = chinchilla_fit.residuals.abs().nlargest(3).index + 2
    assert f"the rows farthest off are {', '.join(map(str, worst))}." in told
    file = sl.datasets.path("chinchilla_runs")
    assert f"{file.name}, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:16]}" in told
    assert "python -m scalinglib report chinchilla_runs --only excluded=False" in told
    assert all(key in told for key in LAWS)
    assert np.__version__ in told


def test_the_first_sentence_has_the_interval_where_it_is_believed(shipped, tmp_path):
    assert re.search(r"tokens per parameter \(95 % interval [\d.]+ to [\d.]+\), by the",
                     words(page(shipped[1])))  # fmt: skip
    # Few runs with much noise: the resamples doubt their own intervals.
    noisy(scattered(), noise=0.04).iloc[:20].to_csv(tmp_path / "runs.csv")
    assert main(["report", str(tmp_path / "runs.csv"), "-o", str(tmp_path / "out.html")]) == 0
    told, _, rest = words(page(tmp_path / "out.html")).partition("Warnings")
    assert "tokens per parameter, by the" in told
    assert "profile likelihoods" in rest


def test_a_report_stands_alone(shipped):
    text = page(shipped[1])
    assert not re.search(r"https?:|//[a-z]|<script|<link|<img|@import|\bsrc=|url\((?!#)", text)
    assert text.count("<svg") == 2
    assert all(label for label in re.findall(r'<svg role="img" aria-label="([^"]*)"', text))
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert len(text) < 300_000


@pytest.mark.parametrize(
    ("make", "options", "fitted"),
    [
        (isoflop, ["--derive", "tokens"], ["yes", "yes", "no"]),
        (isoflop, [], ["no", "no", "no"]),
        (checkpoints, ["--points", "all"], ["yes", "no", "yes"]),
        (checkpoints, [], ["no", "no", "yes"]),
        (scattered, ["--law", "sardana2024/all"], ["yes", "no", "no"]),
    ],
)
def test_every_approach_is_fitted_or_refused_in_words(make, options, fitted, tmp_path):
    make().to_csv(tmp_path / "runs.csv", index=False)
    out = tmp_path / "out.html"
    options = [*options, "--resamples", "400", "-o", str(out)]
    assert main(["report", str(tmp_path / "runs.csv"), *options]) == 0
    text = page(out)
    rows = re.findall(r'approach \d\)</td><td class="text">(yes|no)', text)
    assert rows == fitted
    told = words(text)
    assert told.count("(approach 1): ") == 1 or fitted[2] == "yes"
    table = sl.runs(tmp_path / "runs.csv", points="all" if "all" in options else "final",
                    derive="tokens" if "tokens" in options else None)  # fmt: skip
    if fitted[0] == "yes":
        fit = sl.fit_chinchilla(table)
        boot = sl.bootstrap(fit, 400, clusters=table.clusters)
        assert all(words(sentence) in told for sentence in (*table.warnings, *boot.warnings))
        assert ("profile likelihoods" in told) == (len(boot.warnings) > len(fit.warnings))
    if fitted == ["yes", "yes", "no"]:
        assert all(one in told for one in sl.fit_isoflop(table).warnings)


def tracker():
    """A tracker's export: prefixes, a crashed run, losses of training beside those held out."""
    runs = isoflop()
    size, spent = runs["N"].to_numpy(), runs["C budget"].to_numpy()
    out = pd.DataFrame({"Name": [f"run-{k}" for k in range(len(runs))], "State": "finished"})
    out["config.n_params"], out["config.flop_budget"] = size, spent
    out["summary._step"], out["summary.tokens"] = 5000, spent / 6 / size
    out["summary.train_loss"], out["summary.val_loss"] = runs.loss - 0.1, runs.loss
    out.loc[10, ["State", "summary.tokens"]] = "crashed", out.loc[10, "summary.tokens"] / 2
    return out.to_csv(index=False)


def merged():
    """A spreadsheet: a title, semicolons, decimal commas, sizes that stand once, a mean."""
    own = [f"{n:g};{d}B;{y:.3f}".replace(".", ",") for n in (40, 90, 200, 450, 1000)
           for d in (2, 4, 8, 16, 32) for y in [LAW.loss(1e6 * n, 1e9 * d)]]  # fmt: skip
    own = [row if k % 5 == 0 else row[row.index(";") :] for k, row in enumerate(own)]
    return "\n".join(["Our runs;;", "params (M);Tokens;val loss", *own, "Mean;;3,000"])


def sweep():
    """Three learning rates at each size and number of tokens."""
    runs = scattered().iloc[:30]
    rates = [runs.assign(lr=r, loss=runs.loss + 0.05 * k) for k, r in enumerate((1e-3, 3e-4, 3e-3))]
    return pd.concat(rates).to_csv(index=False)


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [
        (tracker, [], ["34 rows were kept", "run-10 unfinished: state crashed",
                       "its name, before summary.train_loss", "by the IsoFLOP profiles"]),
        (merged, [], ["25 rows were kept", "merged cells filled down", "decimal comma",
                      "28 a total, not a run", "approach 3) yes"]),
        (lambda: isoflop().to_csv(index=False), ["--derive", "tokens"],
         ["derived as you said: FLOP / (6 params)", "approach 2) yes", "approach 3) yes"]),
        (lambda: checkpoints().to_csv(index=False), ["--points", "all"],
         ["144 rows were kept: every checkpoint", "come in clusters", "approach 1) yes",
          "too high"]),
        (lambda: checkpoints().to_csv(index=False), [],
         ["an earlier checkpoint of its run 132", "--points all fits every one"]),
        (sweep, [], ["several values of lr", "--points best --over COLUMN"]),
        (sweep, ["--points", "best", "--over", "lr"],
         ["30 rows were kept: best of sweep over lr", "not the best of its sweep over lr 60"]),
    ],
)  # fmt: skip
def test_tables_as_people_have_them_go_from_file_to_report(make, options, said, tmp_path):
    path, out = tmp_path / "runs.csv", tmp_path / "out.html"
    path.write_text(make(), encoding="utf-8")
    assert main(["report", str(path), "--resamples", "100", *options, "-o", str(out)]) == 0
    told = words(page(out))
    assert [one for one in said if one not in told] == []
    assert re.search(r"FLOP are best spent on|could be fitted", told)


def test_runs_that_settle_nothing_are_not_planned_with(tmp_path):
    runs = scattered().iloc[:9]
    draw = np.random.default_rng(1)
    runs = runs.assign(loss=runs.loss * np.exp(draw.normal(0, 0.2, len(runs))))
    runs.to_csv(tmp_path / "runs.csv")
    assert main(["report", str(tmp_path / "runs.csv"), "-o", str(tmp_path / "out.html")]) == 0
    assert "Do not plan by it" in words(page(tmp_path / "out.html"))


def test_what_comes_from_the_file_is_only_text(tmp_path):
    runs = scattered().assign(run=[f"{BAD}{k}" for k in range(60)], state="finished")
    runs.loc[3, "state"] = "crashed"
    path = tmp_path / "<b>runs & more.csv"
    runs.rename(columns={"loss": "<i>loss"}).to_csv(path, index=False)
    assert main(["report", str(path), "--column", "<i>loss=loss", "-o", str(tmp_path / "o")]) == 0
    text = page(tmp_path / "o")
    assert not re.search(r"<(script|i|b)>", text)
    assert f"{BAD}3 unfinished: state crashed" in words(text)


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("", [], ["empty"]),
        ("params;tokens;loss\n70M;1.4B;4.1\n160M;=A1;3.8\n", [], ["row 3", "=A1", "--skip ROW"]),
        ("params,tokens,loss\n70,1400,4.1\n160,3200,3.7\n", [], ["units=", "--unit ROLE=UNIT"]),
        ("size,score,x\n1e8,4,1\n", [], ["loss", "--column NAME=ROLE"]),
        ("params,tokens,loss\n1e8,1e9,4\n", ["--law", "besirogl2024"], ["besiroglu2024/"]),
        (
            "params,tokens,loss\n1e8,1e9,4\n",
            ["--law", "kaplan2020/tokens"],
            ["cannot split a budget"],
        ),
        ("params,tokens,loss\n1e8,1e9,4\n", ["--only", "x=1"], ["--only", "'x'"]),
        ("params,tokens,loss\n1e8,1e9,4\n", ["--only", "loss=1"], ["no row"]),
        ("params,tokens,loss\n1e8,1e9,4\n", ["-o", "no/such/o.html"], ["no/such"]),
    ],
)
def test_what_is_refused_is_a_sentence_and_status_1(text, options, told, tmp_path, capsys):
    (tmp_path / "bad.csv").write_text(text)
    default = [] if "-o" in options else ["-o", str(tmp_path / "out.html")]
    assert main(["report", str(tmp_path / "bad.csv"), *options, *default]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("scalinglib: ")
    assert all(word in said for word in told)
    assert not (tmp_path / "out.html").exists()


def test_a_refusal_has_no_traceback(tmp_path):
    done = run("-m", "scalinglib", "report", "no.csv", folder=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["plan"], ["plan", "much"], ["plan", "-1"], ["plan", "inf"], ["draw"],
     ["report", "x", "--points", "last"], ["report", "x", "--column", "loss"],
     ["report", "x", "--resamples", "few"]],
)  # fmt: skip
def test_a_wrong_command_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_help_names_every_option_of_runs(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["report", "--help"])
    assert caught.value.code == 0
    told = capsys.readouterr().out
    for word in ("column", "unit", "derive", "points", "over", "keep-unfinished", "skip", "fill",
                 "decimal", "across", "about", "budget", "law", "exit status"):  # fmt: skip
        assert word in told
    assert "report chinchilla_runs --only excluded=False" in told


@pytest.mark.parametrize("C", [1e20, 5.76e23, 1e25])
def test_a_plan_is_what_the_law_says(C, capsys):
    assert main(["plan", f"{C:g}", "--law", "besiroglu2024"]) == 0
    told = capsys.readouterr().out
    best = sl.compute_optimal(sl.published.EPOCH_2024, C)
    line = next(one for one in told.splitlines() if "besiroglu2024/headline fit" in one)
    params, tokens, ratio, loss = line.split()[2:6]
    scale = {"M": 1e6, "B": 1e9, "T": 1e12}
    assert float(params[:-1]) * scale[params[-1]] == pytest.approx(best.N, rel=6e-3)
    assert float(tokens[:-1]) * scale[tokens[-1]] == pytest.approx(best.D, rel=6e-3)
    assert float(ratio) == pytest.approx(best.tokens_per_param, rel=6e-3)
    assert float(loss) == pytest.approx(best.loss, rel=6e-4)
    assert ("of its runs" in told) == (C > 1.3e22)
    assert sl.published.EPOCH_2024.source in told


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_a_plan_and_a_report_need_no_charts(missing, tmp_path):
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from scalinglib.report.command import main\n"
        "assert main(['plan', '1e24']) == 0\n"
        "sys.exit(main(['report', '--resamples', '50', '-o', 'out.html']))"
    )
    done = run("-c", code, folder=tmp_path)
    assert all(key in done.stdout for key in LAWS)
    assert done.returncode == 0, done.stderr
    text = page(tmp_path / "out.html")
    assert "<svg" not in text
    assert "<figure" not in text
    told = words(text)
    assert f"no pictures, because {missing} is not installed" in told
    assert "pip install 'scalinglib[report]'" in told
    assert "the rows farthest off are" in told
    assert f"Scaling report: {EXAMPLE}" in told


@pytest.mark.parametrize(
    ("name", "status"),
    [("dense_runs_clark2022", 0), ("porian2024_owt2_points", 0), ("downstream_ladder", 0),
     ("olmo_ladder_runs", 1), ("published", 1), ("lambada_yardsticks", 1)],
)  # fmt: skip
def test_tables_of_other_shapes_are_reported_or_refused(name, status, tmp_path):
    source, out = ROOT / "data" / f"{name}.csv", tmp_path / "out.html"
    assert main(["report", str(source), "--resamples", "50", "-o", str(out)]) == status
    assert out.exists() == (status == 0)


@pytest.mark.parametrize(("name", "shown"), [("loss", True), ("bits per byte", False)])
def test_losses_of_published_laws_stand_beside_losses_of_their_unit_only(name, shown, tmp_path):
    scattered().rename(columns={"loss": name}).to_csv(tmp_path / "runs.csv", index=False)
    out = tmp_path / "out.html"
    options = ["--resamples", "50", "--budget", "1e22", "-o", str(out)]
    assert main(["report", str(tmp_path / "runs.csv"), *options]) == 0
    told = words(page(out))
    loss = sl.compute_optimal(sl.published.EPOCH_2024, C=1e22).loss
    assert (f"{float(loss):.4g}" in told) == shown
    assert ("so not shown" in told) != shown


def test_seeds_and_checkpoints_are_resampled_together(tmp_path):
    runs = pd.concat([scattered().assign(seed=s) for s in (0, 1)])
    noisy(runs, seed=9).to_csv(tmp_path / "runs.csv", index=False)
    assert main(["report", str(tmp_path / "runs.csv"), "-o", str(tmp_path / "out.html")]) == 0
    assert "clusters of runs, each drawn whole" in words(page(tmp_path / "out.html"))


@pytest.mark.parametrize(
    ("sentence", "option"),
    [
        ("leave the names out with columns={'my model': None}.", "--column my model=."),
        ("name it, columns={'...': 'run'}", "--column NAME=ROLE."),
        ("say keep_unfinished=True", "--keep-unfinished."),
    ],
)
def test_a_keyword_of_a_sentence_has_its_option(sentence, option):
    assert spoken(sentence).endswith(f" On the command line: {option}")
