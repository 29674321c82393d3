"""Sardana et al. on inference, Gadre et al. on over-trained runs, Kumar et al. on precision."""

import numpy as np
import pytest
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib import misfit, optimum, published
from scalinglib.laws import fit_overtraining
from scalinglib.optimum import budget_for_params, compute_waste
from scalinglib.topics import overtraining
from scalinglib.topics.overtraining import best_bits

EPOCH, TEX = published.EPOCH_2024, published.HOFFMANN_2022
ROUNDED, SARDANA = published.HOFFMANN_2022_ROUNDED, published.law("sardana2024/examples")
KUMAR = published.law("kumar2024/precision")


def best_for(name, law):
    example = overtraining.examples()[name]
    quality = sl.compute_optimal(law, budget_for_params(law, example.size)).loss
    return optimum.inference_optimal(law, quality, example.served)


# --- Inference-aware optimum ----------------------------------------------------------------


@pytest.mark.parametrize("name", list(overtraining.examples()))
def test_worked_examples_come_out_with_the_papers_exponents(name):
    printed, best = overtraining.examples()[name].printed, best_for(name, SARDANA)
    ours = {
        "params": best.chosen.N / 1e9,
        "data": best.data_ratio,
        "saving": 100 * best.saving,
        "flops": (best.baseline_flops - best.flops) / 1e22,
    }
    for key, value in printed.items():
        assert value.returns(float(ours[key])), key


@pytest.mark.parametrize("name", list(overtraining.examples()))
@pytest.mark.parametrize("law", [ROUNDED, EPOCH], ids=["rounded", "epoch"])
def test_worked_examples_do_not_come_out_with_other_constants(name, law):
    printed, best = overtraining.examples()[name].printed, best_for(name, law)
    assert not printed["params"].returns(float(best.chosen.N / 1e9)) or name == "7B"
    if "saving" in printed:
        assert not printed["saving"].returns(float(100 * best.saving))
    if "data" in printed:
        assert not printed["data"].returns(float(best.data_ratio))


@pytest.mark.parametrize(
    ("name", "law", "N", "data", "cost"),
    [
        ("7B", SARDANA, 6.000e9, 1.1758, 0.9915),
        ("7B", ROUNDED, 6.339e9, 1.1077, 0.9967),
        ("7B", TEX, 6.055e9, 1.1641, 0.9925),
        ("7B", EPOCH, 5.599e9, 1.2747, 0.9783),
        ("13B", SARDANA, 6.969e9, 2.1646, 0.8255),
        ("13B", ROUNDED, 8.023e9, 1.7635, 0.8989),
        ("13B", TEX, 7.120e9, 2.0977, 0.8368),
        ("13B", EPOCH, 6.098e9, 2.8332, 0.7104),
        ("30B", SARDANA, 13.613e9, 2.8448, 0.7202),
        ("70B", SARDANA, 41.551e9, 1.8620, 0.8805),
    ],
)
def test_inference_aware_optimum(name, law, N, data, cost):
    best = best_for(name, law)
    assert pytest.approx(N, rel=1e-3) == best.chosen.N
    assert best.data_ratio == pytest.approx(data, rel=1e-3)
    assert 1 - best.saving == pytest.approx(cost, rel=1e-3)


@pytest.mark.parametrize("name", list(overtraining.examples()))
@pytest.mark.parametrize("law", [SARDANA, ROUNDED, TEX, EPOCH])
def test_first_order_condition(name, law):
    best = best_for(name, law)
    ratio = overtraining.term_ratio(law, best.chosen.N, best.chosen.D)
    assert ratio == pytest.approx(1 + best.served / (3 * best.chosen.D), rel=1e-12)


def test_neither_set_of_exponents_rounds_to_the_papers():
    assert (round(TEX.alpha, 3), round(TEX.beta, 3)) == (0.339, 0.285)
    assert (SARDANA.alpha, SARDANA.beta) == (0.336, 0.283)


def test_a_billion_requests():
    tokens = published.value("sardana2024/requests") * sum(published.row("sardana2024/request"))
    assert tokens == 2.85e11
    quality = sl.compute_optimal(SARDANA, budget_for_params(SARDANA, [7e9, 30e9])).loss
    saving = optimum.inference_optimal(SARDANA, quality, tokens).saving
    assert saving == pytest.approx([0.0435, 0.0025], abs=1e-4)


def test_inference_passes_training_at_three_times_the_tokens():
    assert optimum.lifetime_flops(7e9, 1e11, 3e11) == pytest.approx(
        2 * sl.training_flops(7e9, 1e11), rel=1e-12
    )


# --- Released models ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ratio", "waste"),
    [
        ("LLaMA 65B", 21.54, 1.00),
        ("Llama 2 70B", 28.57, 1.02),
        ("Llama 2 7B", 285.7, 1.86),
        ("Llama 3 8B", 1875.0, 5.51),
        ("Llama 3 70B", 214.3, 1.72),
        ("LLaMA 7B", 149.3, 1.43),
        ("Llama 3.1 405B", 38.52, None),
        ("GPT-3 175B", 1.714, None),
    ],
)
def test_ratios_and_overspend(name, ratio, waste):
    N, D = overtraining.RELEASED[name]
    assert pytest.approx(ratio, rel=5e-4) == D / N
    if waste is not None:
        assert compute_waste(EPOCH, N, D) == pytest.approx(waste, abs=0.005)


def test_models_are_in_the_order_of_their_ratio():
    ratios = [D / N for N, D in overtraining.RELEASED.values()]
    assert ratios == sorted(ratios)


@pytest.mark.parametrize(
    ("name", "implied"),
    [
        ("GPT-3 175B", -1.72),
        ("Chinchilla 70B", 0.09),
        ("Llama 2 70B", 0.52),
        ("Llama 3 8B", 12.65),
        ("Llama 3 70B", 4.36),
        ("Llama 3.1 405B", 1.06),
    ],
)
def test_implied_inference(name, implied):
    assert overtraining.implied_inference(EPOCH, *overtraining.RELEASED[name]) == pytest.approx(
        implied, abs=0.01
    )


def test_the_twin_of_llama_3_8b():
    twin = overtraining.equal_loss_optimum(EPOCH, 8e9, 15e12)
    assert pytest.approx(33.8e9, rel=2e-3) == twin.N
    assert pytest.approx(645e9, rel=2e-3) == twin.D
    assert overtraining.break_even_tokens(8e9, 15e12, against=twin) == pytest.approx(
        1.14e13, rel=5e-3
    )
    lifelong = [overtraining.implied_inference(law, 8e9, 15e12) * 15e12 for law in (EPOCH, TEX)]
    assert lifelong == pytest.approx([1.9e14, 8.7e13], rel=0.01)


@pytest.mark.parametrize(
    ("law", "tokens"), [(EPOCH, 164e9), (TEX, 346e9), (ROUNDED, 550e9)], ids=["epoch", "tex", "10"]
)
def test_optimal_tokens_for_8b(law, tokens):
    assert pytest.approx(tokens, rel=0.01) == sl.compute_optimal(law, budget_for_params(law, 8e9)).D


def test_seventy_five_to_ninety_four_times():
    assert 15e3 / published.printed("meta2024/optimal tokens").value == 75
    assert pytest.approx(93.75) == 15e12 / (published.value("rule/tokens per parameter") * 8e9)


@pytest.mark.parametrize(
    ("law", "factor", "even"), [(EPOCH, 1.43, 3.157e11), (TEX, 1.05, None), (ROUNDED, 0.93, None)]
)
def test_3b_for_7b(law, factor, even):
    larger = sl.isoflop_curve(law, sl.training_flops(7e9, 140e9), 7e9)
    smaller = sl.isoloss_curve(law, larger.loss, 3e9)
    assert pytest.approx(factor, rel=0.01) == smaller.C / larger.C
    tokens = overtraining.break_even_tokens(3e9, smaller.D, against=larger)
    assert tokens == pytest.approx(even, rel=0.01) if even else tokens >= 0
    if law is EPOCH:
        assert pytest.approx(467e9, rel=2e-3) == smaller.D
        twice = law.loss(3e9, 2 * larger.C / 6 / 3e9)
        assert (twice, larger.loss) == pytest.approx((2.160, 2.173), abs=5e-4)


# --- No saturation --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "gains"), [(EPOCH, (0.0372, 0.0190, 0.0071)), (TEX, (0.0473, None, 0.0130))]
)
def test_gain_per_doubling(law, gains):
    ours = overtraining.gain_per_doubling(law, [160e9, 1e12, 15e12])
    for value, wanted in zip(ours, gains, strict=True):
        assert wanted is None or value == pytest.approx(wanted, abs=1e-4)


def test_loss_falls_for_every_added_token():
    D = np.geomspace(1e9, 1e18, 300)
    assert (np.diff(EPOCH.loss(8e9, D)) < 0).all()
    assert EPOCH.loss(8e9, np.inf) == pytest.approx(1.990, abs=5e-4)
    assert EPOCH.loss(8e9, 15e12) == pytest.approx(2.022, abs=5e-4)


def test_ten_times_the_ratio_costs_the_same_factor_at_every_budget():
    for C in (1e22, 1e26):
        best = sl.compute_optimal(EPOCH, C)
        waste = compute_waste(EPOCH, best.N / 10**0.5, best.D * 10**0.5)
        assert waste == pytest.approx(1.5796, abs=1e-4)


def test_the_published_saving_lies_outside_both_intervals():
    # Runs drawn one by one, and whole model sizes drawn: runs of one size are not independent.
    kept = sl.load("chinchilla_runs").query("not excluded")
    fit, sizes = sl.fit_chinchilla(kept), kept.params.map("{:.2g}".format)
    said = overtraining.examples()["13B"].printed["saving"].value / 100
    for clusters in (None, sizes):
        boot = sl.bootstrap(fit, n=100, seed=7, clusters=clusters)
        low, high = boot.interval(lambda law: best_for("13B", law).saving)
        assert said < low < high


def test_laws_of_narrow_ratios_promise_more_but_with_no_steady_trend():
    law = {key: published.law(f"sardana2024/{key}") for key in ("up to 250", "up to 500", "all")}
    between = [one.loss(150e6, 1.5e12) for one in law.values()]
    assert between[0] < between[2] < between[1]
    narrow, full = (published.law(f"sardana2024/{key}") for key in ("up to 100", "all"))
    assert narrow.loss(150e6, 1.5e12) == pytest.approx(2.445, abs=1e-3)
    assert full.loss(150e6, 1.5e12) == pytest.approx(2.752, abs=1e-3)


# --- Over-trained runs ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs():
    table = sl.load("overtrained_runs")
    return table.assign(loss=table.loss_c4)


def five(runs, corpus):
    low, high = published.row("gadre2024/fit ratio")
    ratio, model = runs.tokens_per_param, runs.model
    small, smallest = model.isin(overtraining.SMALL), model == overtraining.SMALL[0]
    fed = small & (ratio == low) | smallest & (ratio == high)
    return runs[fed & (runs.corpus == corpus)]


def error(runs, corpus, model, ratio):
    fit = fit_overtraining(five(runs, corpus))
    at = (runs.corpus == corpus) & (runs.model == model) & (runs.tokens_per_param == ratio)
    (target,) = runs[at].itertuples()
    return 100 * abs(float(fit.predict(target.params, target.tokens)) / target.loss - 1)


@pytest.mark.parametrize(
    ("corpus", "E", "a", "b", "eta"),
    [
        ("c4_original", 1.50826, 141.28, 189.5, 0.121236),
        ("rpj", 1.83665, 212.24, 366.7, 0.136425),
        ("rw_original", 1.73446, 157.1, 246.2, 0.127197),
    ],
)
def test_five_run_fit(runs, corpus, E, a, b, eta):
    sample = five(runs, corpus)
    assert len(sample) == 5
    fit = fit_overtraining(sample)
    law = fit.law
    assert (law.E, law.a, law.b, law.eta) == pytest.approx((E, a, b, eta), rel=1e-3)
    assert fit.minima == 1


@pytest.mark.parametrize(
    ("corpus", "A", "exponent"),
    [("c4_original", 113.69, 0.2425), ("rpj", 166.21, 0.2729), ("rw_original", 125.10, 0.2544)],
)
def test_five_run_fit_in_params_and_tokens(runs, corpus, A, exponent):
    law = fit_overtraining(five(runs, corpus)).law.chinchilla
    assert pytest.approx(A, rel=1e-3) == law.A
    assert (law.alpha, law.beta) == pytest.approx((exponent, exponent), rel=1e-3)


@pytest.mark.parametrize("corpus", list(overtraining.CORPORA))
def test_a_general_solver_finds_nothing_lower(runs, corpus):
    sample = five(runs, corpus)
    N, D, loss = (sample[name].to_numpy() for name in ("params", "tokens", "loss"))

    def gap(p):
        return p[0] + np.exp(p[1] - p[3] * np.log(N)) + np.exp(p[2] - p[3] * np.log(D)) - loss

    starts = [(E, a, a, e) for E in (0.5, 1.5, 2.0) for a in (4.0, 6.0) for e in (0.15, 0.25, 0.35)]
    found = [least_squares(gap, start, x_scale="jac", xtol=1e-15, ftol=1e-15) for start in starts]
    lowest = min(found, key=lambda one: one.cost)
    fit = fit_overtraining(sample)
    assert fit.objective == pytest.approx(2 * lowest.cost, rel=1e-6)
    assert 2 * fit.law.eta == pytest.approx(lowest.x[3], rel=1e-4)


def test_half_of_the_possible_fifth_runs_predict_within_one_percent(runs):
    low, high = published.row("gadre2024/fit ratio")
    mine = runs[(runs.corpus == "rpj") & runs.model.isin(overtraining.SMALL)]
    target = runs[(runs.corpus == "rpj") & (runs.model == "open_lm_1b")]
    (target,) = target[target.tokens_per_param == 640].itertuples()
    errors = []
    for model in overtraining.SMALL:
        fifth = (mine.model == model) & (mine.tokens_per_param == high)
        fit = fit_overtraining(mine[(mine.tokens_per_param == low) | fifth])
        errors.append(float(fit.predict(target.params, target.tokens)) / target.loss - 1)
    assert (min(errors), max(errors)) == pytest.approx((-0.006, 0.022), abs=1e-3)
    assert sum(abs(one) < 0.01 for one in errors) == 2


@pytest.mark.parametrize("model", overtraining.LARGE)
def test_published_prediction_errors(runs, model):
    ours = error(runs, "rpj", model, published.values("gadre2024/ratio")[model])
    assert published.group("gadre2024/loss error")[model].returns(ours)


@pytest.mark.parametrize(
    ("model", "ratio", "wanted"), [("open_lm_7b", 20, 4.2952), ("open_lm_1b", 80, 1.4980)]
)
def test_prediction_errors_on_c4(runs, model, ratio, wanted):
    assert error(runs, "c4_original", model, ratio) == pytest.approx(wanted, abs=1e-3)


def test_the_logarithmic_objective_is_not_the_published_one(runs):
    sample = five(runs, "rpj")
    fit = sl.fit_chinchilla(sample, loss="l2", tied=("alpha", "beta"))
    assert fit.law.alpha / 2 == pytest.approx(0.13803, abs=1e-5)


# --- Precision ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"), [("Llama 2 7B", 2.64), ("Llama 3 8B", 7.01), ("Llama 3 70B", 3.33)]
)
def test_degradation_relative_to_chinchilla(name, wanted):
    reference = KUMAR.penalty(*published.row("model/Chinchilla 70B"), bits=4)
    ours = KUMAR.penalty(*overtraining.RELEASED[name], bits=4) / reference
    assert ours == pytest.approx(wanted, abs=0.01)


def test_degradation_is_not_a_function_of_the_ratio_alone():
    assert KUMAR.gamma_D - KUMAR.gamma_N == pytest.approx(0.163, abs=5e-4)
    small, large = (overtraining.RELEASED[name] for name in ("Llama 2 7B", "Llama 3 70B"))
    assert small[1] / small[0] > large[1] / large[0]
    assert KUMAR.penalty(*small, bits=4) < KUMAR.penalty(*large, bits=4)


def test_seven_to_eight_bits_do_not_follow_from_the_printed_decay():
    gammas = KUMAR.gammas
    tied = best_bits([gammas[0]] * 3)
    assert tied == pytest.approx(5.09, abs=0.005)
    assert tied / gammas[0] == pytest.approx(1.9038, abs=1e-4)
    assert best_bits(gammas) == pytest.approx(3.469, abs=1e-3)
    offset = best_bits(gammas, offsets=published.row("kumar2024/offset"))
    assert offset == pytest.approx(7.002, abs=1e-3)


# --- The gain from data by size -----------------------------------------------------------------


def test_larger_models_gain_more_from_the_same_tokens():
    pairs = overtraining.paired_gains(sl.load("olmo_ladder_runs"), "loss_c4")
    assert len(pairs) == 2
    assert (pairs["gain of the large"] > 1.2 * pairs["gain of the small"]).all()


@pytest.mark.parametrize(("loss", "g"), [("loss_c4", 0.33), ("loss_pile", 0.29)])
def test_the_separable_law_is_rejected_by_the_ladder(loss, g):
    runs = sl.load("olmo_ladder_runs")
    found = misfit.gain_by_size(runs.params, runs.tokens, runs[loss])
    assert found.g == pytest.approx(g, abs=0.01)
    assert 0.2 < found.low < found.high < 0.4
    assert found.rms_separable > 4 * found.rms


def test_a_separable_law_has_no_growing_gain():
    N, D = (one.ravel() for one in np.meshgrid([1e8, 4e8, 2e9], np.geomspace(2e9, 2e11, 5)))
    found = misfit.gain_by_size(N, D, EPOCH.loss(N, D))
    assert found.g == pytest.approx(0, abs=1e-5)
    assert found.beta == pytest.approx(EPOCH.beta, rel=1e-4)
