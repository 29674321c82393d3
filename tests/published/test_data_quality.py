"""Data quality: the multiplier on real runs, the law it belongs to, and pruning theory."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import published
from scalinglib.laws import ProductLaw
from scalinglib.topics.data_quality import (
    compute_multipliers,
    decision_accuracy,
    error_constant,
    fit_ladders,
    generalisation_error,
    largest_matched,
    multipliers_by_rule,
    one_run_a_cell,
    paired_gaps,
    quality_needed,
    score_multipliers,
    simulate_error,
    with_quality,
)

FORMS = {
    "none": (), "Q": ("Q",), "N": ("N",), "E": ("E",), "factor": ("factor",), "Q and E": ("Q", "E"),
}  # fmt: skip
LAWS = {
    "epoch": published.EPOCH_2024,
    "tex": published.HOFFMANN_2022,
    "rounded": published.HOFFMANN_2022_ROUNDED,
}


@pytest.fixture(scope="module")
def runs():
    table = sl.load("corpora_isoflops")
    return table[~table.flagged].rename(columns={"loss_paloma": "loss"})


@pytest.fixture(scope="module")
def fits(runs):
    return {name: sl.fit_corpora(runs, terms=terms, reference="dclm")
            for name, terms in FORMS.items()}  # fmt: skip


@pytest.fixture(scope="module")
def evaluations():
    return sl.load("overtrained_runs")


def test_the_grid(runs):
    assert len(runs) == 150
    assert len(sl.load("corpora_isoflops")) == 168
    assert sorted(runs.budget_flops.unique()) == [9e18, 1.8e19, 3e19, 9e19]


@pytest.mark.parametrize(
    ("form", "rms", "bic"),
    [
        ("none", 2.865, -1041),
        ("Q", 0.903, -1377),
        ("N", 1.585, -1208),
        ("E", 0.579, -1510),
        ("factor", 0.612, -1494),
        ("Q and E", 0.559, -1511),
    ],
)
def test_rival_forms_in_sample(fits, form, rms, bic):
    assert 100 * fits[form].rms == pytest.approx(rms, abs=0.005)
    assert fits[form].bic == pytest.approx(bic, abs=5)
    assert fits[form].agreement > 0.4


@pytest.mark.parametrize(
    ("form", "term", "comma", "nemotron", "tolerance"),
    [
        ("Q", "Q", 0.477, 1.175, 0.03),
        ("N", "N", 0.453, 1.246, 0.03),
        ("E", "E", 1.066, 0.987, 0.003),
        ("factor", "factor", 1.050, 0.990, 0.003),
        ("Q and E", "Q", 0.855, 0.941, 0.03),
        ("Q and E", "E", 1.053, 0.982, 0.003),
    ],
)
def test_factors_of_the_corpora(fits, form, term, comma, nemotron, tolerance):
    factors = fits[form].factors[term]
    assert factors["dclm"] == 1
    assert factors["comma"] == pytest.approx(comma, abs=tolerance)
    assert factors["nemotron"] == pytest.approx(nemotron, abs=tolerance)


def test_exponents_of_the_two_rivals(fits):
    for form, alpha, beta in (("Q", 0.729, 0.249), ("E", 0.686, 0.365)):
        law = fits[form].laws["dclm"]
        assert (law.alpha, law.beta) == pytest.approx((alpha, beta), abs=5e-4)


def test_bootstrap_interval_of_the_multiplier(fits):
    draws = fits["Q"].resample(1000, seed=0)["Q"]
    low, high = draws.quantile(0.025), draws.quantile(0.975)
    assert (low["comma"], high["comma"]) == pytest.approx((0.445, 0.498), abs=0.03)
    assert (low["nemotron"], high["nemotron"]) == pytest.approx((1.125, 1.262), abs=0.03)


@pytest.mark.parametrize(
    ("form", "rms"), [("none", 2.985), ("Q", 1.797), ("N", 2.702), ("E", 1.066), ("factor", 1.117)]
)
def test_rival_forms_one_budget_ahead(runs, form, rms):
    small = runs.budget_flops <= 3e19
    assert (small.sum(), (~small).sum()) == (105, 45)
    fit = sl.fit_corpora(runs[small], terms=FORMS[form], reference="dclm")
    held_out = fit.errors(runs[~small])
    assert 100 * np.sqrt(np.mean(held_out**2)) == pytest.approx(rms, abs=0.005)


def test_paired_gaps_by_budget(runs):
    gaps = paired_gaps(runs, on=("budget_flops", "params"), value="loss", reference="dclm")
    assert len(gaps) == 50
    means = gaps.groupby("budget_flops").mean()
    assert means.comma.to_numpy() == pytest.approx([0.160, 0.165, 0.167, 0.175], abs=0.002)
    assert means.nemotron.to_numpy() == pytest.approx([-0.030, -0.033, -0.035, -0.040], abs=0.002)


@pytest.mark.parametrize(
    ("corpus", "losses", "multipliers"),
    [
        ("comma", [3.6994, 3.5735, 3.4909, 3.3245], [0.41, 0.40, 0.38, 0.32]),
        ("dclm", [3.5344, 3.4060, 3.3163, 3.1408], [1, 1, 1, 1]),
        ("nemotron", [3.5040, 3.3758, 3.2812, 3.0997], [1.18, 1.19, 1.25, 1.29]),
    ],
)
def test_isoflop_minima_and_compute_multipliers(runs, corpus, losses, multipliers):
    found = compute_multipliers(runs, reference="dclm")
    own = found[found.corpus == corpus]
    assert own.loss.to_numpy() == pytest.approx(losses, abs=0.005)
    assert own.multiplier.to_numpy() == pytest.approx(multipliers, abs=0.03)


@pytest.mark.parametrize(
    ("value", "rms", "redpajama", "refinedweb"),
    [
        ("loss_c4", (3.17, 3.01, 2.88), 0.635, 0.752),
        ("loss_paloma_c4", (3.20, 3.04, 2.89), 0.740, 0.640),
        ("loss_refinedweb", (3.15, 2.74, 2.69), 1.83, 2.09),
        ("loss_redpajama", (15.08, 5.88, 4.51), 154, 4.34),
        ("loss_openlm", (13.81, 6.12, 3.97), 165, 8.90),
        ("loss_ptb", (9.57, 5.64, 4.16), 31.6, 10.7),
        ("loss_german", (4.31, 4.21, 4.07), 1.12, 0.639),
        ("loss_code", (32.74, 12.63, 9.01), 3120, 2.52),
        ("error_avg46", (1.63, 1.60, 1.59), 1.81, 1.38),
        ("error_avg17", (3.54, 3.51, 3.52), 1.81, 1.51),
    ],
)
def test_one_corpus_has_a_multiplier_per_evaluation(evaluations, value, rms, redpajama, refinedweb):
    runs = evaluations.rename(columns={value: "loss"})
    fits = [sl.fit_corpora(runs, terms=terms, reference="c4_original")
            for terms in ((), ("Q",), ("E",))]  # fmt: skip
    assert [100 * fit.rms for fit in fits] == pytest.approx(rms, abs=0.05)
    factors = fits[1].factors.Q
    for ours, theirs in ((factors["rpj"], redpajama), (factors["rw_original"], refinedweb)):
        if theirs < 20:
            assert ours == pytest.approx(theirs, rel=0.03)
        else:
            assert abs(np.log10(ours / theirs)) < 0.5


@pytest.mark.parametrize(
    ("value", "redpajama", "refinedweb", "half"),
    [
        ("loss_c4", (0.119, 0.007), (0.071, 0.009), 5e-4),
        ("loss_refinedweb", (-0.134, 0.010), (-0.169, 0.009), 5e-4),
        ("loss_redpajama", (-1.257, 0.043), (-0.453, 0.020), 5e-4),
        ("error_avg46", (-0.0044, 0.0012), (-0.0044, 0.0012), 5e-5),
        ("error_avg17", (-0.0111, 0.0028), (-0.0120, 0.0028), 5e-5),
    ],
)
def test_paired_differences_to_c4(evaluations, value, redpajama, refinedweb, half):
    gaps = paired_gaps(
        evaluations, on=("model", "tokens_per_param"), value=value, reference="c4_original"
    )
    assert len(gaps) == 31
    for corpus, (mean, error) in (("rpj", redpajama), ("rw_original", refinedweb)):
        assert gaps[corpus].mean() == pytest.approx(mean, abs=half)
        assert gaps[corpus].sem() == pytest.approx(error, abs=half)


@pytest.mark.parametrize(
    ("metric", "slope", "rms", "multipliers", "spread"),
    [
        ("core_score", 0.0387, 0.0131, (1.85, 1.80, 2.29, 8.2), 1.33),
        ("arc_easy", 0.0415, 0.0150, (1.72, 1.59, 1.95, 9.3), 1.36),
        ("lambada", 0.0498, 0.0160, (3.33, 1.34, 2.03, 8.6), 1.31),
        ("hellaswag", 0.0601, 0.0177, (0.36, 0.76, 0.86, 1.32), 1.28),
    ],
)
def test_multipliers_on_benchmarks(metric, slope, rms, multipliers, spread):
    scores = sl.load("corpora_core_scores")
    found, ours, scatter = score_multipliers(scores, metric=metric, reference="C4")
    assert ours == pytest.approx(slope, rel=0.01)
    assert scatter == pytest.approx(rms, rel=0.01)
    names = ["RedPajama", "Dolma", "RefinedWeb", "DCLM-baseline"]
    # A multiplier with two printed digits is known to half a unit of the second.
    for name, value in zip(names, multipliers, strict=True):
        unit = 0.05 if value in (8.2, 9.3, 8.6) else 0.005
        assert found.multiplier[name] == pytest.approx(value, abs=max(unit, 0.01 * value))
    # Four scores a corpus, fourteen degrees of freedom, and the slope held.
    held = np.exp(scatter * np.sqrt(20 / 14) * np.sqrt(2 / 4) / ours)
    assert held == pytest.approx(spread, abs=0.01)
    assert (found.spread[names] >= held * (1 - 1e-9)).all()


@pytest.fixture(scope="module")
def every_run():
    return sl.load("corpora_core_runs")


PAIR = {"corpus": "DCLM-baseline", "reference": "C4"}


def test_the_table_of_scores_holds_the_best_runs(every_run):
    metrics = ["core_score", "arc_easy", "hellaswag", "lambada"]
    scores = sl.load("corpora_core_scores").set_index(["corpus", "scale"])
    best = every_run.groupby(["corpus", "scale"])[metrics].max()
    assert best.to_numpy() == pytest.approx(scores.loc[best.index, metrics].to_numpy())
    assert every_run.groupby(["corpus", "scale"]).size().equals(scores.runs.loc[best.index])


def test_luck_of_the_best_run_does_not_make_the_worth_of_dclm(every_run):
    found = multipliers_by_rule(every_run, metric="core_score", **PAIR)
    assert found["corrected_own"] < found["corrected"] < found["best"]
    expected = {"best": 8.20, "mean": 8.15, "all": 7.87, "corrected": 7.94, "corrected_own": 7.62}
    assert found == pytest.approx(expected, abs=0.01)


def test_which_single_run_matters_more_than_the_rule(every_run):
    single = one_run_a_cell(every_run, metric="core_score", **PAIR)
    rules = multipliers_by_rule(every_run, metric="core_score", **PAIR).values()
    low, high = np.quantile(single, [0.025, 0.975])
    assert high - low > 5 * (max(rules) - min(rules))
    assert low < 6
    assert high > 11
    assert one_run_a_cell(every_run, metric="hellaswag", **PAIR).max() < 2


def test_the_last_step_did_not_make_most_of_the_score_of_phi_1():
    rates = {name: one.value for name, one in published.group("gunasekar2023/HumanEval").items()}
    assert 0.4 < 1 - rates["before_exercises"] / rates["phi_1"] < 0.5
    assert rates["before_exercises"] < rates["starcoder"] < rates["phi_1"]


def test_grades_of_understanding_are_no_pass_rates():
    assert not any("new" in name for name in published.group("gunasekar2023/HumanEval"))
    assert set(published.group("gunasekar2023/understanding")) == {"phi_1", "starcoder"}


def test_the_published_core_score_of_dclm():
    scores = sl.load("corpora_core_scores").set_index(["corpus", "scale"]).core_score
    ours = 100 * scores["DCLM-baseline", "7B-1x"]
    assert ours == pytest.approx(44.8, abs=0.05)
    assert not published.printed("li2024/core").returns(ours)


@pytest.mark.parametrize(("law", "growth"), [("epoch", 3.255), ("tex", 2.861)])
def test_quality_makes_the_best_model_larger_at_fixed_compute(law, growth):
    law = LAWS[law]
    before = sl.compute_optimal(law, 1e24)
    after = sl.compute_optimal(with_quality(law, 10.0), 1e24)
    larger, fewer = after.N / before.N, before.D / after.D
    assert larger == pytest.approx(growth, abs=5e-4)
    assert [larger, fewer] == pytest.approx([10**law.a] * 2, rel=1e-12)
    if law is published.EPOCH_2024:
        assert published.printed("besiroglu2024/a").returns(np.log10(larger))


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
@pytest.mark.parametrize("Q", [0.477, 1.175, 5.0, 10.0])
def test_quality_divides_the_compute_of_a_loss(law, Q):
    before = sl.compute_optimal(law, 1e23)
    after = sl.compute_optimal(with_quality(law, Q), 1e23 / Q)
    expected = [before.loss, before.N, before.D]
    assert [after.loss, after.N, after.D * Q] == pytest.approx(expected, rel=1e-12)
    assert (after.D <= before.D) == (Q >= 1)


@pytest.mark.parametrize(("law", "slope"), [("epoch", 0.018), ("rounded", -0.06)])
@pytest.mark.parametrize("Q", [0.5, 1.0, 10.0])
def test_the_product_law_has_no_optimum(law, slope, Q):
    law = LAWS[law]
    product = ProductLaw(K=100.0, alpha=law.alpha, beta=law.beta, Q=Q)
    N = np.geomspace(1e6, 1e14, 200)
    loss = product.loss(N, 1e24 / 6 / N)
    assert product.slope == pytest.approx(slope, abs=1e-12)
    assert np.diff(np.log(loss)) / np.diff(np.log(N)) == pytest.approx(slope, abs=1e-9)
    assert loss.argmin() == (0 if slope > 0 else len(N) - 1)


@pytest.mark.parametrize(
    ("law", "floor", "target", "ratio"), [("epoch", 2.070, 1.965, 6.8), ("tex", 1.950, 1.907, 17.4)]
)
def test_no_multiplier_closes_the_gap_of_phi_2(law, floor, target, ratio):
    law = LAWS[law]
    N, D = published.row("model/Phi-2")
    wanted = law.loss(*published.row("model/Llama 2 70B"))
    assert law.loss(N, np.inf) == pytest.approx(floor, abs=5e-4)
    assert wanted == pytest.approx(target, abs=5e-4)
    assert quality_needed(law, wanted, N=N, D=D) == np.inf
    assert largest_matched(law, N) / N == pytest.approx(ratio, abs=0.05)


def test_sizes_and_tokens_of_the_phi_models():
    (N_1, D_1), (N_2, D_2) = published.row("model/Phi-1"), published.row("model/Phi-2")
    assert pytest.approx(39, abs=0.5) == D_1 / N_1
    assert pytest.approx(519, abs=0.5) == D_2 / N_2
    larger = published.value("gunasekar2023/StarCoder") / N_1
    assert larger == pytest.approx(11.9, abs=0.05)
    larger = published.value("model/Llama 2 70B/params") / N_2
    assert larger == pytest.approx(25.9, abs=0.05)


@pytest.mark.parametrize(
    ("alpha", "product"),
    [(1, 0.2657), (2, 0.3770), (5, 0.4691), (10, 0.4918), (20, 0.4983), (50, 0.5001),
     (100, 0.5004), (200, 0.5005)],
)  # fmt: skip
def test_error_without_pruning(alpha, product):
    assert alpha * generalisation_error(alpha) == pytest.approx(product, abs=1e-4)


def test_the_literature_constant():
    assert published.printed("opper1990/limit").returns(error_constant())
    assert 1e6 * generalisation_error(1e6) == pytest.approx(error_constant(), rel=1e-5)


@pytest.mark.parametrize("fraction", [1, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01])
def test_the_hard_hundredth_of_a_large_pool_is_as_good_as_all(fraction):
    assert generalisation_error(1000.0, fraction=fraction) == pytest.approx(5.005e-4, abs=1e-6)


def test_the_same_number_of_examples_without_pruning():
    assert generalisation_error(10.0) == pytest.approx(0.0492, abs=1e-4)


@pytest.mark.parametrize(
    ("fraction", "keep", "error"),
    [(0.5, "easy", 0.1818), (1.0, "hard", 0.1885), (0.5, "hard", 0.3210)],
)
def test_easy_examples_are_better_when_data_are_scarce(fraction, keep, error):
    ours = generalisation_error(2.0, fraction=fraction, keep=keep)
    assert ours == pytest.approx(error, abs=1e-4)


@pytest.mark.parametrize(
    ("alpha", "fraction", "theory"),
    [(1, 1, 0.2657), (2, 1, 0.1885), (5, 1, 0.0938), (4, 0.5, 0.1361)],
)
def test_students_do_as_the_theory_says(alpha, fraction, theory):
    assert generalisation_error(alpha, fraction=fraction) == pytest.approx(theory, abs=1e-4)
    errors = simulate_error(alpha, fraction=fraction, repeats=12, seed=1)
    assert abs(errors.mean() - theory) < 2 * errors.std(ddof=1) / np.sqrt(12)


def test_a_fifth_of_few_examples_shows_the_finite_size():
    assert generalisation_error(10.0, fraction=0.2) == pytest.approx(0.0971, abs=1e-4)
    errors = simulate_error(10.0, fraction=0.2, repeats=12, seed=1)
    assert errors.mean() == pytest.approx(0.112, abs=3 * 0.007)


@pytest.fixture(scope="module")
def suite():
    """Means and scatter over the seeds of DataDecide: a row a corpus, a column a size."""
    seeds = sl.load("datadecide_answers").groupby(["corpus", "params"]).nll_per_char
    return seeds.mean().unstack(), seeds.std().unstack()


@pytest.fixture(scope="module")
def calm(suite):
    value, scatter = suite
    return value[scatter[value.columns[-1]] < 0.01]


class TestDataDecide:
    """Small runs rank corpora; whether a floor or a multiplier tells them apart stays open."""

    def test_the_suite_is_complete(self, suite):
        answers = sl.load("datadecide_answers")
        assert len(answers) == 25 * 14 * 3
        assert suite[0].shape == (25, 14)
        assert not suite[0].isna().any().any()

    @pytest.mark.parametrize(
        ("size", "by_value", "by_accuracy"),
        [("4M", 0.567, 0.583), ("6M", 0.393, 0.417), ("8M", 0.460, 0.497), ("10M", 0.620, 0.630),
         ("14M", 0.680, 0.677), ("16M", 0.797, 0.773), ("20M", 0.777, 0.753),
         ("60M", 0.793, 0.763), ("90M", 0.797, 0.780), ("150M", 0.820, 0.803),
         ("300M", 0.863, 0.840), ("530M", 0.920, 0.863), ("750M", 0.893, 0.850)],
    )  # fmt: skip
    def test_decision_accuracy(self, suite, size, by_value, by_accuracy):
        value = suite[0]
        answers = sl.load("datadecide_answers")
        params = answers.params[answers["size"] == size].iloc[0]
        accuracy = sl.load("datadecide_accuracy").set_index("corpus").accuracy
        for target, expected in ((value[value.columns[-1]], by_value), (-accuracy, by_accuracy)):
            share, se = decision_accuracy(value[params], target)
            assert share == pytest.approx(expected, abs=0.001)
            assert 0.01 < se < 0.1

    def test_one_in_five_is_wrong_at_150m_as_published(self, suite):
        accuracy = sl.load("datadecide_accuracy").set_index("corpus").accuracy
        share, _ = decision_accuracy(suite[0][151898880], -accuracy)
        assert published.printed("magnusson2025/pairs").returns(100 * share)

    def test_the_odd_corpora_all_hold_dolma(self, suite, calm):
        value, scatter = suite
        odd = value.index.difference(calm.index)
        assert len(odd) == 8
        assert all("Dolma" in name for name in odd)
        assert "Dolma1.7 no Flan" in calm.index
        largest = scatter[value.columns[-1]]
        assert largest[odd].min() > 4 * largest[calm.index].max()

    @pytest.mark.parametrize(
        ("rows", "terms", "scatter", "ahead", "bic"),
        [("all", (), 7.39, 17.42, -1546), ("all", ("multiplier",), 6.58, 15.64, -1479),
         ("all", ("floor",), 4.82, 11.42, -1665), ("all", ("factor",), 5.62, 13.79, -1573),
         ("all", ("multiplier", "floor"), 2.74, 6.68, -1868),
         ("calm", ("multiplier",), 2.76, 4.68, -1364), ("calm", ("floor",), 2.32, 5.68, -1435),
         ("late", ("multiplier",), 1.48, 3.32, -1052), ("late", ("floor",), 1.28, 3.22, -1091),
         ("late", ("factor",), 1.37, 2.61, -1073)],
    )  # fmt: skip
    def test_forms_in_and_out_of_sample(self, suite, calm, rows, terms, scatter, ahead, bic):
        kept = {"all": suite[0], "calm": calm, "late": calm.loc[:, calm.columns > 1.4e7]}[rows]
        held, largest = kept.columns[-2:]
        fit = fit_ladders(kept.drop(columns=[held, largest]), terms=terms)
        error = fit.errors(kept[[largest]]).to_numpy()
        assert 100 * fit.rms == pytest.approx(scatter, abs=0.01)
        assert 100 * np.sqrt(np.mean(error**2)) == pytest.approx(ahead, abs=0.02)
        assert fit.bic == pytest.approx(bic, abs=1)


def test_a_quality_exponent_is_read_against_that_of_tokens():
    gamma, beta = (published.values(f"subramanyam2025/{name}") for name in ("gamma", "beta"))
    assert gamma["causal LM"] / beta["causal LM"] == pytest.approx(1.01, abs=0.01)
    assert gamma["translation"] / beta["translation"] == pytest.approx(0.69, abs=0.01)
