"""Runs that cannot answer are refused, with the row or column and the remedy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import scalinglib as sl
from benchmarks import alarms, few
from scalinglib.fit.warnings import outlying

LAW = sl.ChinchillaLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)


@pytest.fixture(scope="module")
def runs(synthetic_runs):
    frame = synthetic_runs(LAW, 25, noise=0.01, seed=7)
    return frame.set_axis([f"run-{i}" for i in range(25)])


def at(N, D, seed=0):
    """Noisy runs of the law at given sizes and tokens."""
    noise = np.exp(0.01 * np.random.default_rng(seed).standard_normal(len(N)))
    return pd.DataFrame({"params": N, "tokens": D, "loss": LAW.loss(N, D) * noise})


def with_value(runs, column, value):
    changed = runs.astype({column: object}) if isinstance(value, str) else runs.copy()
    changed.loc["run-3", column] = value
    return changed


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("loss", np.nan),
        ("loss", -2.0),
        ("loss", 0.0),
        ("tokens", np.inf),
        ("tokens", 0.0),
        ("params", -1e9),
    ],
)
def test_impossible_values_are_named(runs, column, value):
    with pytest.raises(sl.DataError, match=rf"row 'run-3', column '{column}': .*remove the row"):
        sl.fit_chinchilla(with_value(runs, column, value))


@pytest.mark.parametrize("text", ["abc", "3.2"])
def test_text_is_named(runs, text):
    with pytest.raises(sl.DataError, match=r"row 'run-3', column 'loss'.*pandas.to_numeric"):
        sl.fit_chinchilla(with_value(runs, "loss", text))


def test_several_bad_rows_are_counted(runs):
    bad = runs.copy()
    bad.loc[["run-3", "run-9", "run-20"], "loss"] = np.nan
    with pytest.raises(sl.DataError, match="and 2 more such rows"):
        sl.fit_chinchilla(bad)


def test_empty_frame(runs):
    with pytest.raises(sl.DataError, match="there are no runs"):
        sl.fit_chinchilla(runs[:0])


@pytest.mark.parametrize("column", ["params", "tokens", "loss"])
def test_missing_column(runs, column):
    with pytest.raises(sl.DataError, match=f"no column '{column}'.*add it"):
        sl.fit_chinchilla(runs.drop(columns=column))


def test_columns_of_different_length(runs):
    columns = {"params": runs.params, "tokens": runs.tokens[:3], "loss": runs.loss}
    with pytest.raises(sl.DataError, match="params has 25, tokens has 3"):
        sl.fit_chinchilla(columns)
    with pytest.raises(sl.DataError, match="x has 25, y has 3"):
        sl.fit_power_law(runs.params, runs.loss[:3])


def test_not_a_table():
    with pytest.raises(sl.DataError, match="must be a DataFrame"):
        sl.fit_chinchilla([1, 2, 3])


def test_series_that_do_not_line_up(runs):
    with pytest.raises(sl.DataError, match="different row labels"):
        sl.fit_power_law(runs.params, runs.loss[::-1])


@pytest.mark.parametrize("count", [4, 5])
def test_fewer_than_six_runs(runs, count):
    with pytest.raises(sl.FitError, match=f"{count} runs cannot determine 5 parameters"):
        sl.fit_chinchilla(runs[:count])


def test_held_parameters_need_fewer_runs(runs):
    sl.fit_chinchilla(runs[:5], fixed={"alpha": 0.34, "beta": 0.28})


def test_duplicates_do_not_count(runs):
    with pytest.raises(sl.FitError, match="1 distinct of 25 runs"):
        sl.fit_chinchilla(pd.concat([runs[:1]] * 25))


def test_constant_loss(runs):
    with pytest.raises(sl.FitError, match="loss is 3 in every row"):
        sl.fit_chinchilla(runs.assign(loss=3.0))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda N, D: (np.full_like(N, 1e9), D), "one model size"),
        (lambda N, D: (N, np.full_like(D, 1e10)), "one token count"),
        (lambda N, D: (np.where(N > 1e9, 1e9, 1e8), D), "only two values of model size"),
        (lambda N, D: (N, 20 * N), "about 20 tokens per parameter"),
        (lambda N, D: (N, 1e21 / 6 / N), "one budget 6ND of about 1e\\+21 FLOP"),
    ],
)
def test_designs_that_cannot_separate_the_terms(runs, change, cause):
    with pytest.raises(sl.FitError, match=f"{cause}.*add"):
        sl.fit_chinchilla(at(*change(runs.params.to_numpy(), runs.tokens.to_numpy())))


@pytest.mark.parametrize("jitter", [0.01, 0.05])
def test_designs_that_barely_separate_the_terms(runs, jitter):
    N = runs.params.to_numpy()
    shake = np.exp(jitter * np.random.default_rng(1).standard_normal(25))
    with pytest.raises(sl.FitError, match="tokens and parameters move together"):
        sl.fit_chinchilla(at(N, 20 * N * shake))
    with pytest.raises(sl.FitError, match="one budget"):
        sl.fit_chinchilla(at(N, 1e21 / 6 / N * shake))


@pytest.mark.parametrize("levels", [2, 3])
def test_two_budgets_are_enough(levels):
    N = np.tile(np.geomspace(1e8, 5e9, 8), levels)
    C = np.repeat([1e19, 1e20, 1e21][:levels], 8)
    fit = sl.fit_chinchilla(at(N, C / 6 / N))
    assert fit.condition < 60
    assert fit.warnings == ()


def test_one_model_size_will_do_once_its_term_is_held(runs):
    runs = at(np.full(25, 1e9), runs.tokens.to_numpy())
    fit = sl.fit_chinchilla(runs, fixed={"A": 406.4, "alpha": 0.34})
    assert fit.condition < 200


def test_an_absurd_loss_is_named(runs):
    fit = sl.fit_chinchilla(with_value(runs, "loss", 1e6))
    assert any("row 'run-3'" in sentence for sentence in fit.warnings)
    np.testing.assert_allclose(fit.law.E, sl.fit_chinchilla(runs.drop("run-3")).law.E, rtol=0.01)


def test_a_vanished_floor_is_named(synthetic_runs):
    law = sl.ChinchillaLaw(E=1e-12, A=10.0, B=20.0, alpha=0.1, beta=0.12)
    fit = sl.fit_chinchilla(synthetic_runs(law, 40, seed=3))
    assert any(sentence.startswith("E is at its bound of zero") for sentence in fit.warnings)


def test_an_exponent_at_its_bound_is_named():
    # The loss does not depend on the tokens at all.
    N = np.tile(np.geomspace(1e7, 1e10, 6), 5)
    D = np.repeat(np.geomspace(1e9, 1e11, 5), 6)
    noise = np.exp(0.01 * np.random.default_rng(0).standard_normal(30))
    runs = pd.DataFrame({"params": N, "tokens": D, "loss": (2 + 400 * N**-0.34) * noise})
    assert sl.fit_chinchilla(runs).warnings


@pytest.mark.parametrize("spread", [0.0, 5e-4, 3e-3, 0.02, 0.045])
@pytest.mark.parametrize("column", ["params", "tokens"])
def test_sizes_equal_for_all_purposes_are_one(spread, column):
    others = np.repeat(np.geomspace(2e9, 2e11, 8), 3)
    equal = 2.15e9 * (1 + spread * np.tile([-1.0, 0.0, 1.0], 8))
    N, D = (equal, others) if column == "params" else (others / 30, equal)
    thing = "model size" if column == "params" else "token count"
    with pytest.raises(sl.FitError, match=f"one {thing}"):
        sl.fit_chinchilla(at(N, D))


def test_two_groups_of_nearly_equal_sizes_are_two():
    N = np.repeat([2e8, 4e9], 12) * (1 + 0.02 * np.tile([-1.0, 0.0, 1.0], 8))
    with pytest.raises(sl.FitError, match="only two values of model size"):
        sl.fit_chinchilla(at(N, np.tile(np.geomspace(2e9, 2e11, 12), 2)))


@pytest.mark.parametrize("spread", [0.15, 0.2, 0.3])
def test_sizes_that_barely_differ_are_named(spread):
    generator = np.random.default_rng(round(100 * spread))
    N = 2e9 * np.exp(spread * generator.uniform(-1, 1, 25))
    fit = sl.fit_chinchilla(at(N, np.geomspace(1e9, 1e12, 25)))
    assert any("not identified" in sentence for sentence in fit.warnings)


@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("decades", [1, 3])
def test_a_ratio_from_runs_at_one_ratio_is_refused_or_doubted(jitter, decades):
    law = sl.OvertrainingLaw(E=1.84, a=212.0, b=367.0, eta=0.136).chinchilla
    for seed in range(8):
        generator = np.random.default_rng([seed, round(1000 * jitter), decades])
        N = 10 ** generator.uniform(7, 7 + decades, 25)
        D = 20 * N * np.exp(jitter * generator.standard_normal(25))
        runs = pd.DataFrame({"params": N, "tokens": D})
        runs["loss"] = law.loss(N, D) * np.exp(0.005 * generator.standard_normal(25))
        try:
            told = sl.fit_overtraining(runs).warnings
        except sl.FitError:
            continue
        assert told


@pytest.mark.parametrize("jitter", [0.0, 0.02, 0.1])
@pytest.mark.parametrize("exact", ["ratio", "params", "tokens"])
def test_a_joint_law_of_two_terms_needs_both_to_vary_apart(exact, jitter):
    law = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
    for seed in range(6):
        generator = np.random.default_rng([seed, round(100 * jitter)])
        N = 10 ** generator.uniform(7, 10, 25)
        D = 10 ** generator.uniform(9, 12, 25)
        near = np.exp(jitter * generator.uniform(-0.4, 0.4, 25))
        N, D = {"ratio": (N, 20 * N * near**2), "params": (1e8 * near, D),
                "tokens": (N, 1e10 * near)}[exact]  # fmt: skip
        runs = pd.DataFrame({"params": N, "tokens": D, "loss": law.loss(N, D)})
        with pytest.raises(sl.FitError, match="move together" if exact == "ratio" else exact):
            sl.fit_kaplan(runs)


@pytest.mark.parametrize("decimals", [3, 4, 6, 8, 10, 12, 17])
@pytest.mark.parametrize("design", ["grid", "random", "isoflop"])
def test_rounded_losses_of_a_formula_are_not_called_hard(decimals, design):
    for n in (12, 36):
        runs = alarms.table(design, n, 0.0, 4)
        assert sl.fit_chinchilla(runs.assign(loss=runs.loss.round(decimals))).warnings == ()


def test_clean_tables_are_silent_and_troubled_ones_are_not():
    # A twentieth of 84 tables is 4; more than 9 would come in one such test of a hundred.
    cells = [(n, noise) for n in alarms.RUNS for noise in alarms.NOISE]
    clean = [
        alarms.told(alarms.table(design, n, noise, 7 * k))
        for k, (n, noise) in enumerate(cells)
        for design in ("random", "grid", "isoflop", "random")
    ]
    assert stats.binomtest(sum(clean), len(clean), 0.05, "greater").pvalue > 0.01
    for trouble in alarms.TROUBLES:
        found = [
            alarms.told(alarms.table(design, n, noise, k, trouble))
            for k, n in enumerate((12, 20, 40, 100))
            for noise in (1e-3, 5e-3)
            for design in alarms.DESIGNS
        ]
        assert stats.binomtest(sum(found), len(found), 0.9, "less").pvalue > 0.01, trouble


@pytest.mark.parametrize("others", [1, 3, 5])
def test_several_outliers_do_not_hide_each_other(others):
    runs = alarms.table("random", 60, 0.005, 2)
    places = np.arange(others) * 7 + 3
    runs.loc[places, "loss"] *= 1.12
    (sentence,) = sl.fit_chinchilla(runs).warnings
    assert all(f"{place}" in sentence for place in places[:5])


def test_studentised_gaps_are_those_of_leaving_a_point_out():
    # A straight line, for which the linear step is exact: the oracle fits the other points.
    generator = np.random.default_rng(5)
    X = np.stack([np.ones(20), np.linspace(-1, 1, 20)])
    y = generator.standard_normal(20)
    y[4] += 40
    scaled = X / np.linalg.norm(X, axis=1, keepdims=True)
    far, gap = outlying(y - 3 * X[1], scaled)
    assert far.tolist() == [4]
    rest = np.arange(20) != 4
    slope, level = np.polyfit(X[1, rest], y[rest], 1)
    assert gap == pytest.approx(y[4] - level - slope * X[1, 4])


@pytest.mark.parametrize(
    ("form", "n", "noise", "warned"),
    [
        ("line", 3, 0.01, 1),
        ("line", 20, 0.01, 1),
        ("line", 40, 0.05, 0),
        ("held floor", 3, 0.01, 1),
        ("free floor", 5, 0.01, 1),
        ("free floor", 40, 0.01, 0),
        ("plane", 9, 0.01, 1),
        ("plane", 12, 0.05, 1),
        ("plane", 40, 0.01, 0),
    ],
)
def test_intervals_are_doubted_as_measured_and_profiles_keep_their_level(form, n, noise, warned):
    tables = 12
    shares = few.few_cell(form, n, noise, tables=range(tables))
    assert (shares.warned - warned).abs().max() <= 2 / tables
    held = shares[shares.interval == "profile"].groupby("target").coverage.mean()
    for target, share in held.items():
        p = stats.binomtest(round(tables * share), tables, 0.93, "less").pvalue
        assert p > 0.001, target


def test_more_noise_is_allowed_to_more_runs(synthetic_runs):
    def doubted(n, noise, fit=sl.fit_chinchilla):
        boots = [sl.bootstrap(fit(synthetic_runs(LAW, n, noise=noise, seed=seed)), n=400)
                 for seed in range(4)]  # fmt: skip
        return np.mean([any("noise of" in one for one in boot.warnings) for boot in boots])

    assert doubted(12, 0.04) == doubted(25, 0.05) == doubted(40, 0.05) == 1
    assert doubted(16, 0.008) == doubted(41, 0.05) == doubted(40, 0.01) == 0
    assert doubted(40, 0.05, fit=lambda runs: sl.fit_power_law(runs.params, runs.loss)) == 0


@pytest.mark.parametrize(("n", "kept"), [(20, True), (21, False), (40, False)])
def test_clusters_count_as_what_is_drawn(n, kept, synthetic_runs):
    fit = sl.fit_chinchilla(synthetic_runs(LAW, 120, noise=0.01, seed=3))
    boot = sl.bootstrap(fit, n=400, clusters=np.arange(120) % n)
    assert any(f"{n} clusters" in sentence for sentence in boot.warnings) == kept


def test_unidentified_parameters_and_rivals_are_named():
    # Less than a decade of sizes and tokens: a ladder of small models.
    N = np.repeat([1.9e8, 3.7e8, 7.6e8, 1.3e9], 4)
    D = N * np.tile([20.0, 40.0, 100.0, 200.0], 4)
    law = sl.ChinchillaLaw(E=1.04, A=13.7, B=30.7, alpha=0.112, beta=0.158)
    noise = np.exp(0.003 * np.random.default_rng(3).standard_normal(16))
    runs = pd.DataFrame({"params": N, "tokens": D, "loss": law.loss(N, D) * noise})
    warnings = " ".join(sl.fit_chinchilla(runs).warnings)
    assert "scaled condition number" in warnings
    assert "do not single out one set" in warnings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "mse"}, "loss must be"),
        ({"delta": 0.0}, "delta must be positive"),
        ({"delta": np.inf}, "loss='l2'"),
        ({"fixed": {"gamma": 1.0}}, "'gamma' is not a parameter"),
        ({"fixed": {"A": -1.0}}, "must be positive"),
        ({"fixed": {"alpha": np.nan}}, "must be finite"),
        ({"fixed": dict.fromkeys(["E", "A", "B", "alpha", "beta"], 1.0)}, "nothing is left"),
        ({"tied": ("alpha",)}, "at least two"),
        ({"tied": ("alpha", "A")}, "mixes coefficients and exponents"),
        ({"tied": ("alpha", "beta"), "fixed": {"alpha": 0.3}}, "both fixed and tied"),
    ],
)
def test_options_are_checked(runs, options, message):
    with pytest.raises(sl.DataError, match=message):
        sl.fit_chinchilla(runs, **options)


def test_power_law_refusals():
    with pytest.raises(sl.FitError, match="2 points cannot determine 2"):
        sl.fit_power_law([1.0, 2.0], [3.0, 2.0])
    with pytest.raises(sl.FitError, match="y is 3 in every row"):
        sl.fit_power_law([1.0, 2.0, 4.0], [3.0, 3.0, 3.0])
    with pytest.raises(sl.FitError, match="x is 2 in every row"):
        sl.fit_power_law([2.0, 2.0, 2.0], [3.0, 2.0, 1.0])
    with pytest.raises(sl.DataError, match="row 1, x"):
        sl.fit_power_law([1.0, -2.0, 4.0], [3.0, 2.0, 1.0])
    with pytest.raises(sl.DataError, match="one-dimensional"):
        sl.fit_power_law([[1.0, 2.0]], [[3.0, 2.0]])


def test_repetition_refusals():
    runs = pd.DataFrame({"params": [1e7, 2e7, 3e7], "tokens": 1e9, "unique_tokens": 1e9})
    runs["loss"] = [4.0, 3.5, 3.2]
    with pytest.raises(sl.FitError, match="no run repeats data"):
        sl.fit_data_constrained(runs, base=LAW)
    with pytest.raises(sl.FitError, match="no run has more parameters"):
        sl.fit_data_constrained(runs.assign(tokens=[2e9, 4e9, 8e9]), base=LAW)
    with pytest.raises(sl.DataError, match="no column 'unique_tokens'"):
        sl.fit_data_constrained(runs.drop(columns="unique_tokens"), base=LAW)


def test_few_noisy_runs_do_not_deserve_their_interval(synthetic_runs):
    fit = sl.fit_chinchilla(synthetic_runs(LAW, 20, noise=0.05, seed=11))
    boot = sl.bootstrap(fit, n=400)
    assert any("do not deserve a 95 % interval" in sentence for sentence in boot.warnings)


def test_many_quiet_runs_deserve_theirs(synthetic_runs):
    fit = sl.fit_chinchilla(synthetic_runs(LAW, 60, noise=0.01, seed=11))
    assert sl.bootstrap(fit, n=400).warnings == ()


def test_sound_runs_carry_no_warning(chinchilla_fit):
    assert chinchilla_fit.warnings == ()
