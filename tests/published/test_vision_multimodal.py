"""Vision learning curves, the saturating law of vision transformers, and multimodal exponents."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.topics import vision_multimodal

# Root mean square of ln(predicted / observed): power law, with a floor, saturating.
ERRORS = {
    ("inet_10", "BiT/50/1"): (0.0954, 0.0526, 0.0044),
    ("inet_10", "BiT/101/3"): (0.1273, 0.1135, 0.0617),
    ("inet_10", "MiX/B/16"): (0.0934, 0.0849, 0.0308),
    ("inet_10", "MiX/L/16"): (0.0983, 0.0983, 0.0983),
    ("inet_10", "ViT/B/16"): (0.0462, 0.0462, 0.0462),
    ("inet_10", "ViT/S/16"): (0.0474, 0.0350, 0.0160),
    ("bird_10", "BiT/50/1"): (0.0688, 0.0688, 0.0427),
    ("bird_10", "BiT/101/3"): (0.0913, 0.0913, 0.0913),
    ("bird_10", "MiX/B/16"): (0.0915, 0.0915, 0.0357),
    ("bird_10", "MiX/L/16"): (0.0551, 0.0551, 0.0551),
    ("bird_10", "ViT/B/16"): (0.0677, 0.0601, 0.0307),
    ("bird_10", "ViT/S/16"): (0.0395, 0.0318, 0.0210),
}
ROWS = published.groups("shukor2025/law")
RATIOS = published.group("shukor2025/ratio")
LEVEL = [curve for curve, (line, _, saturating) in ERRORS.items() if line == saturating]


@pytest.fixture(scope="module")
def curves():
    return sl.load("vision_learning_curves")


@pytest.fixture(scope="module")
def scores(curves):
    return vision_multimodal.score_curves(curves)


@pytest.fixture(scope="module")
def cut(curves):
    return vision_multimodal.score_curves(curves, below=0.9)


class TestLearningCurves:
    @pytest.mark.parametrize("curve", list(ERRORS), ids="/".join)
    def test_forecast_errors(self, scores, curve):
        assert scores.by_curve().loc[curve].to_list() == pytest.approx(ERRORS[curve], abs=5e-4)

    def test_means(self, scores):
        means = scores.rules().loc["mean over curves"]
        assert means.to_list() == pytest.approx([0.0768, 0.0691, 0.0445], abs=5e-4)

    def test_all_points_are_used(self, scores):
        assert scores.by_curve("fitted").iloc[:, 0].sum() == 773
        assert scores.by_curve("held_out").iloc[:, 0].sum() == 3176

    def test_the_points_to_fit_are_smoothed(self, curves):
        steps = curves.groupby(["task", "model", "in_fit"], sort=False).error.diff().dropna()
        fitted = curves.in_fit[steps.index]
        assert (steps[fitted] <= 0).all()
        assert (steps[~fitted] > 0).mean() > 0.3

    @pytest.mark.parametrize("curve", list(ERRORS), ids="/".join)
    def test_four_curves_show_no_saturation(self, scores, curve):
        fit = scores.fits[*curve, "saturating"]
        level = any("d is at its bound of zero" in sentence for sentence in fit.warnings)
        assert level == (curve in LEVEL)
        assert len(LEVEL) == 4

    def test_without_guessing_every_curve_levels_off(self, cut):
        for (*_, form), fit in cut.fits.items():
            if form != "power law":
                assert not any("at its bound" in sentence for sentence in fit.warnings)
        means = cut.rules().loc["mean over curves"]
        assert means.to_list() == pytest.approx([0.0977, 0.0301, 0.0241], abs=5e-4)

    def test_the_order_of_forms_depends_on_the_rule(self, cut):
        rules = cut.rules()
        assert rules.loc["mean over curves"].idxmin() == "saturating"
        assert rules.loc["median over curves"].idxmin() == "with a floor"

    @pytest.mark.parametrize(("below", "first"), [(0.85, "saturating"), (0.8, "with a floor")])
    def test_the_winner_depends_on_the_cut(self, curves, below, first):
        forms = {name: vision_multimodal.FORMS[name] for name in ("with a floor", "saturating")}
        rules = vision_multimodal.score_curves(curves, below=below, forms=forms).rules()
        assert rules.loc["mean over curves"].idxmin() == first

    def test_a_curve_counts_about_once(self, scores, curves):
        for form in vision_multimodal.FORMS:
            worth = vision_multimodal.points_per_curve(scores, curves, form)
            assert 1 < worth["worth"] < 2
            assert worth["points"] == pytest.approx(3176 / 12)

    def test_sign_tests(self, scores):
        wide = scores.by_curve()
        test = vision_multimodal.sign_test(wide["saturating"], wide["power law"])
        assert (test.wins, test.losses, test.ties) == (8, 0, 4)
        assert test.p == pytest.approx(2 / 2**8)
        runs = wide.groupby("model").mean()
        test = vision_multimodal.sign_test(runs["saturating"], runs["power law"])
        assert (test.wins, test.losses, test.ties) == (5, 0, 1)

    def test_the_floor_pays_at_every_origin_without_guessing(self, curves):
        errors = vision_multimodal.rolling_origins(curves, below=0.9)
        mean = errors.groupby(["halvings", "form"]).rms.mean().unstack()
        assert (mean["with a floor"] < mean["power law"]).all()
        assert (mean["saturating"] < mean["power law"]).all()

    def test_forms_disagree_about_the_plateau(self, cut):
        plateaus = cut.by_curve("plateau").loc[("inet_10", "ViT/B/16")]
        assert plateaus["with a floor"] == pytest.approx(0.072, abs=2e-3)
        assert plateaus["saturating"] == pytest.approx(0.267, abs=2e-3)


@pytest.fixture(scope="module")
def five(curves):
    return vision_multimodal.score_curves(curves, forms=vision_multimodal.FIVE_FORMS)


@pytest.fixture(scope="module")
def every_curve():
    return sl.load("vision_curves_thinned")


def by_model(scores):
    return scores.by_curve().groupby("model").mean()


class TestTheEstimatorOfThePaper:
    def test_m4_forecasts_best_with_nothing_cut(self, five):
        rules = five.rules()
        assert (rules.drop(index="curves won").idxmin(axis=1) == "M4").all()
        assert rules.loc["curves won"].idxmax() == "M4"
        mean = rules.loc["mean over curves"]
        assert mean["M4"] == pytest.approx(0.0206, abs=5e-4)
        assert mean["both ends"] == pytest.approx(0.0346, abs=5e-4)

    def test_m4_hardly_depends_on_the_cut(self, curves, five):
        form = {"M4": vision_multimodal.FIVE_FORMS["M4"]}
        cut = vision_multimodal.score_curves(curves, below=0.9, forms=form).by_curve()["M4"]
        whole = five.by_curve()
        assert abs(cut.mean() - whole["M4"].mean()) < 0.004
        assert whole["M4"].mean() < whole["with a floor"].mean() / 3

    def test_models_are_counted_and_not_curves(self, five):
        models = by_model(five)
        test = vision_multimodal.sign_test(models["M4"], models["saturating"])
        assert (test.wins, test.losses, test.p) == (6, 0, pytest.approx(2 / 2**6))
        test = vision_multimodal.sign_test(models["M4"], models["both ends"])
        assert test.p > 0.5

    def test_the_plateau_of_m4_is_not_refuted(self, five):
        assert (five.by_curve("plateau")["M4"] < five.by_curve("lowest")["M4"]).all()

    def test_every_public_curve_is_there_and_thinned_by_one_rule(self, every_curve):
        sizes = every_curve.groupby(["task", "model", "in_fit"]).size().unstack()
        assert len(sizes) == published.value("alabdulmohsin2022/curves")
        assert (sizes[True].max(), sizes[False].max()) == (24, 10)

    def test_the_law_with_both_ends_has_no_best_fit_on_some_curves(self, every_curve):
        one = every_curve[(every_curve.task == "cal_10") & (every_curve.model == "MiX/B/16")]
        one = one[one.in_fit]
        with pytest.raises(sl.FitError, match="alpha and d grow without end"):
            sl.fit_shifted_power_law(one.examples_seen, one.error)

    def test_m4_is_best_over_all_public_curves(self, every_curve):
        forms = {name: form for name, form in vision_multimodal.FIVE_FORMS.items()
                 if name != "both ends"}  # fmt: skip
        scores = vision_multimodal.score_curves(every_curve, forms=forms)
        rules = scores.rules()
        assert (rules.drop(index="curves won").idxmin(axis=1) == "M4").all()
        expected = [0.0953, 0.0679, 0.0588, 0.0412]
        assert rules.loc["mean over curves"].to_list() == pytest.approx(expected, abs=5e-4)
        models = by_model(scores)
        assert all((models["M4"] < models[other]).all() for other in forms if other != "M4")
        tasks = scores.by_curve().groupby("task").mean()
        lost = tasks.index[tasks.idxmin(axis=1) != "M4"]
        assert list(lost) == ["cal_10", "cal_25"]


class TestTheAuthorsOwnSteps:
    @pytest.fixture(scope="class")
    @staticmethod
    def ways(curves):
        return vision_multimodal.score_curves(curves, forms=vision_multimodal.M4_FITS)

    def test_what_they_forecast(self, ways):
        mean = ways.by_curve().mean()
        assert mean["authors' steps"] == pytest.approx(0.0237, abs=5e-4)
        assert mean["authors' distance, minimised"] == pytest.approx(0.0353, abs=5e-4)
        assert mean["log of the error"] < mean["authors' steps"]

    def test_m4_beats_the_laws_without_a_start_however_it_is_fitted(self, ways, five):
        others = five.by_curve()[["power law", "with a floor", "saturating"]].mean()
        assert ways.by_curve().mean().max() < others.min()

    def test_by_models_the_steps_and_our_fit_are_not_told_apart(self, ways):
        models = by_model(ways)
        test = vision_multimodal.sign_test(models["log of the error"], models["authors' steps"])
        assert test.p > 0.05

    def test_they_rest_away_from_the_minimum_of_their_distance(self, ways):
        ends = ways.by_curve("plateau")
        assert (ends["authors' steps"] > 0.1).all()
        assert (ends["authors' distance, minimised"] < 1e-3).sum() == 3

    def test_over_all_public_curves(self, every_curve):
        forms = {name: vision_multimodal.M4_FITS[name] for name in
                 ("authors' steps", "authors' distance, minimised")}  # fmt: skip
        mean = vision_multimodal.score_curves(every_curve, forms=forms).by_curve().mean()
        assert mean.tolist() == pytest.approx([0.0441, 0.0485], abs=5e-4)


class TestVisionTransformers:
    def test_five_points(self):
        errors = published.law("zhai2022/fine-tuned").loss(10.0 ** np.arange(5))
        assert errors.tolist() == pytest.approx([0.349, 0.206, 0.142, 0.113, 0.100], abs=1e-3)

    def test_compute_that_halves_the_excess(self):
        halves = [
            optimum.cost_of_factor(law, 0.5)
            for law in (published.law("zhai2022/fine-tuned").far, published.EPOCH_2024)
        ]
        assert halves == pytest.approx([7.25, 48.8], rel=1e-3)

    def test_the_floor_alone_decides_the_compute_of_the_best_model(self):
        error = 1 - published.printed("zhai2022/ViT-G/finetune").value / 100
        law = published.law("zhai2022/fine-tuned")
        low, high = (
            vision_multimodal.scale_for(sl.ShiftedPowerLaw(law.A, law.alpha, law.d, E), error)
            for E in (0.085, 0.095)
        )
        assert low == pytest.approx(9.6e3, rel=0.01)
        assert high > 1000 * low

    def test_a_frozen_size_loses_part_of_the_gain(self):
        law = published.EPOCH_2024
        start = sl.compute_optimal(law, 1e20)
        kept, grown = (
            sl.isoflop_curve(law, 1e22, start.N).loss, sl.compute_optimal(law, 1e22).loss
        )  # fmt: skip
        assert grown < kept < start.loss


class TestMultimodal:
    def test_models(self):
        assert published.value("shukor2025/models") == 457

    @pytest.mark.parametrize(
        ("row", "total"), [("early fusion", 0.999), ("late fusion", 1.098), ("sparse", 1.017)]
    )
    def test_sums_of_exponents(self, row, total):
        assert ROWS[row]["a"].value + ROWS[row]["b"].value == pytest.approx(total, abs=5e-4)

    @pytest.mark.parametrize(
        ("row", "a", "off"),
        [("early fusion", 0.527, ""), ("late fusion", 0.538, "ad"), ("sparse", 0.344, "ad")],
    )
    def test_implied_exponents(self, row, a, off):
        checks = vision_multimodal.check_row(ROWS[row], ratio=RATIOS[row])
        assert checks["a"].implied == pytest.approx(a, abs=5e-4)
        assert "".join(name for name, one in checks.items() if not one.agrees) == off

    def test_ratio_exponents(self):
        late = ROWS["late fusion"]
        assert late["a"].value - late["b"].value == pytest.approx(0.174, abs=5e-4)
        for row, ratio in RATIOS.items():
            assert vision_multimodal.check_row(ROWS[row], ratio=ratio)["N/D"].agrees

    def test_tokens_agree_with_alpha_and_beta_where_parameters_do_not(self):
        checks = {name: vision_multimodal.check_row(row) for name, row in ROWS.items()}
        assert [name for name, one in checks.items() if not one["b"].agrees] == [
            "early, image captions"
        ]
        assert sum(not one["a"].agrees for one in checks.values()) == 7

    @pytest.mark.parametrize("name", ["a", "b", "d"])
    def test_closed_form_of_the_paper(self, name):
        row = ROWS["early fusion"]
        closed = published.printed(f"shukor2025/closed form/{name}")
        rule = vision_multimodal.IMPLIED[name]
        assert vision_multimodal.check_exponent(closed, rule, row["alpha"], row["beta"]).agrees
        found = published.value(f"shukor2025/regression/{name}")
        assert found == pytest.approx(closed.value, rel=6e-3)

    def test_the_encoder_does_not_explain_late_fusion(self):
        row = ROWS["late fusion"]
        tower, decoder = vision_multimodal.VisionTower.of_models(
            published.row("shukor2025/late fusion, size"),
            widths=published.row("shukor2025/late fusion, encoder width"),
            layers=int(published.value("shukor2025/late fusion, encoder layers")),
            share=published.value("shukor2025/vision share"),
        )
        a, b = tower.exponents(decoder, alpha=row["alpha"].value, beta=row["beta"].value)
        assert (a < 0.57).all()
        assert (a + b < 1).all()

    def test_dense_models_lie_between_045_and_058(self):
        implied = {
            name: vision_multimodal.check_row(row)["a"].implied for name, row in ROWS.items()
        }
        del implied["sparse"]
        printed = {
            **published.group("hoffmann2022/a by corpus"),
            **published.group("deepseek2024/a by corpus"),
        }
        every = [*implied.values(), published.HOFFMANN_2022.a]
        every += [one.value for one in printed.values()]
        assert (round(min(every), 2), round(max(every), 2)) == (0.45, 0.58)

    def test_slope_of_the_total_loss(self):
        row = {name: one.value for name, one in ROWS["early fusion"].items()}
        gamma = row["alpha"] * row["beta"] / (row["alpha"] + row["beta"])
        assert gamma == pytest.approx(0.1585, abs=1e-4)
        loss = vision_multimodal.loss_of_slope(row["E"], gamma, -row["c"])
        assert loss == pytest.approx(2.76, abs=0.01)

    def test_allocation_by_kind_of_data(self):
        sizes, tokens = (
            published.group("hoffmann2022/a by corpus"),
            published.group("hoffmann2022/b by corpus"),
        )
        pairs = {kind: (sizes[kind].value, tokens[kind].value) for kind in tokens}
        assert pairs == {"C4": (0.50, 0.50), "GitHub": (0.53, 0.47)}
        assert all(a + b == pytest.approx(1) for a, b in pairs.values())
