"""The Chinchilla table: every number of the chapter that a target fixes, to its tolerance."""

import numpy as np
import pytest

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.topics import chinchilla

GOPHER = published.value("hoffmann2022/Gopher budget")
ROUNDED, TEX, EPOCH = (
    published.HOFFMANN_2022_ROUNDED, published.HOFFMANN_2022, published.EPOCH_2024,
)  # fmt: skip
SETS = {"rounded": ROUNDED, "tex": TEX, "epoch": EPOCH}


@pytest.fixture(scope="module")
def optima():
    return sl.load("chinchilla_table_optima")


@pytest.fixture(scope="module")
def points():
    return sl.load("isoflop_runs")


@pytest.fixture(scope="module")
def runs(points):
    return points[points.experiment == "chinchilla"]


@pytest.fixture(scope="module")
def llama(points):
    return points[points.experiment == "llama3"]


@pytest.fixture(scope="module")
def spent(optima):
    return sl.training_flops(optima.params, optima.tokens) / optima.flops


class TestTheTable:
    def test_table_2(self):
        table = sl.load("chinchilla_table2_exponents").set_index("approach")
        expected = {
            "1": [0.50, 0.488, 0.502, 0.50, 0.501, 0.512],
            "2": [0.49, 0.462, 0.534, 0.51, 0.483, 0.529],
            "3": [0.46, 0.454, 0.455, 0.54, 0.542, 0.543],
        }
        for approach, row in expected.items():
            assert table.loc[approach].tolist() == row
        assert table.loc["kaplan2020", ["a", "b"]].tolist() == [0.73, 0.27]

    def test_line_through_table_3(self, optima):
        line = sl.fit_frontier(optima[optima.approach == 1])
        assert (line.a, line.b) == pytest.approx((0.4981, 0.5019), abs=1e-4)
        assert (line.k_N, line.k_D) == pytest.approx((0.0992, 1.696), rel=1e-3)

    @pytest.mark.parametrize(("approach", "a", "b"), [(2, 0.4899, 0.5100), (3, 0.4586, 0.5410)])
    def test_lines_through_table_a3(self, optima, spent, approach, a, b):
        rows = optima[(optima.approach == approach) & (spent < 2)]
        line = sl.fit_frontier(rows)
        assert (line.a, line.b) == pytest.approx((a, b), abs=1e-4)

    @pytest.mark.parametrize(
        ("approach", "low", "high"), [(1, 20.0, 22.4), (2, 19.2, 29.2), (3, 23.0, 142.6)]
    )
    def test_tokens_per_parameter(self, optima, approach, low, high):
        ratio = (optima.tokens / optima.params)[optima.approach == approach]
        assert (ratio.min(), ratio.max()) == pytest.approx((low, high), abs=0.06)

    def test_one_row_is_misprinted(self, optima, spent):
        wrong = optima[(spent - 1).abs() > 0.05]
        assert len(wrong) == 1
        assert (wrong.params.iloc[0], wrong.approach.iloc[0]) == (175e9, 3)
        assert spent[wrong.index[0]] == pytest.approx(10.0, rel=1e-12)
        assert ((spent - 1).abs() > 0.02).sum() == 4

    def test_the_67b_row_implies_fewer_tokens_than_it_prints(self, optima):
        row = optima[(optima.approach == 1) & (optima.params == 67e9)].iloc[0]
        assert row.flops / 6 / row.params**2 == pytest.approx(21.4, abs=0.05)

    def test_table_3_asks_for_twelve_times_the_tokens_of_gpt_3(self, optima):
        N, D = chinchilla.MODELS["GPT-3"]
        asked = optima[(optima.approach == 1) & (optima.params == N)].tokens.iloc[0]
        assert asked / D == pytest.approx(12.3, abs=0.05)
        assert pytest.approx(1.714, abs=1e-3) == D / N

    def test_section_3_4_is_not_table_3(self, optima):
        said = published.group("hoffmann2022/plans")
        spent = float(sl.training_flops(175e9, said["tokens_175B"].value))
        assert said["flops_175B"].returns(spent)
        tokens = optima.set_index(["approach", "params"]).tokens
        assert tokens[1, 175e9] / said["tokens_175B"].value == pytest.approx(0.881, abs=1e-3)
        assert tokens[2, 175e9] / said["tokens_175B"].value == pytest.approx(1.024, abs=1e-3)
        assert tokens[2, 280e9] / said["tokens_280B"].value == pytest.approx(1.044, abs=1e-3)
        assert said["budget"].value / GOPHER == pytest.approx(174, abs=0.5)
        assert pytest.approx(220.5, abs=0.1) == 1.27e26 / GOPHER


class TestApproach2:
    @pytest.mark.parametrize(
        ("choose", "window", "a", "budgets"),
        [
            ("all", None, 0.49199, 8),
            ("unflagged", None, 0.54142, 7),
            ("all", 16, 0.49015, 8),
            ("all", 4, 0.52157, 8),
            ("all", 3, 0.54382, 8),
        ],
    )
    def test_choices(self, runs, choose, window, a, budgets):
        fit = sl.fit_isoflop(runs if choose == "all" else runs[~runs.flagged], window=window)
        assert fit.a == pytest.approx(a, abs=1e-4)
        assert fit.minima.used.sum() == budgets

    def test_at_the_gopher_budget(self, runs):
        fit = sl.fit_isoflop(runs)
        assert fit.params(GOPHER) == pytest.approx(62.40e9, rel=1e-3)
        assert fit.tokens(GOPHER) == pytest.approx(1.538e12, rel=1e-3)

    def test_repeated_sizes_hardly_matter(self, runs):
        size = np.round(np.log(runs.params), 3)
        repeated = runs.assign(size=size).duplicated(["budget_flops", "size"])
        assert repeated.sum() == 7
        assert sl.fit_isoflop(runs[~repeated]).a == pytest.approx(0.49256, abs=1e-4)

    @pytest.mark.parametrize(("share", "a"), [(0.05, 0.5173), (0.2, 0.5057), (0.5, 0.4980)])
    def test_loss_windows(self, runs, share, a):
        lowest = runs.groupby("budget_flops").loss.transform("min")
        fit = sl.fit_isoflop(runs[runs.loss <= (1 + share) * lowest])
        assert fit.a == pytest.approx(a, abs=1e-4)
        assert 17 < fit.tokens(GOPHER) / fit.params(GOPHER) < 27

    def test_what_dropping_flagged_runs_drops(self, runs):
        assert runs.flagged.sum() == 38
        whole = runs.groupby("budget_flops").flagged.all()
        assert whole[whole].index.tolist() == [1e20, 3e21]
        assert sl.fit_isoflop(runs[runs.budget_flops < 3e21]).a == pytest.approx(0.522, abs=1e-3)
        slope = runs.flagged & (runs.budget_flops == 1e19)
        assert sl.fit_isoflop(runs[~slope]).a == pytest.approx(0.504, abs=1e-3)

    def test_a_bootstrap_gives_the_published_interval_of_a_and_a_subsample_does_not(self, runs):
        fit = sl.fit_isoflop(runs)
        width = 0.534 - 0.462
        low, high = fit.interval("a", level=0.8, n=2000, share=0.8, replace=True)
        assert (low, high) == pytest.approx((0.456, 0.525), abs=3e-3)
        assert high - low == pytest.approx(width, rel=0.1)
        low, high = fit.interval("a", level=0.8, n=2000, share=0.8)
        assert (low, high) == pytest.approx((0.4765, 0.505), abs=3e-3)
        assert high - low < 0.5 * width

    def test_the_published_intervals_of_a_and_b_are_not_of_one_bootstrap(self, runs):
        draws = sl.fit_isoflop(runs).resample(500, share=0.8, replace=True)
        assert np.abs(draws.a + draws.b - 1).max() < 1e-5
        assert 0.529 - 0.483 < 0.7 * (0.534 - 0.462)

    def test_the_ratio_of_two_spreads_is_that_of_a_mean(self, runs):
        fit = sl.fit_isoflop(runs)
        sd = {way: fit.resample(2000, share=0.8, replace=way).a.std() for way in (True, False)}
        expected = {way: chinchilla.spread_of_draws(0.8, replace=way) for way in sd}
        assert expected == pytest.approx({True: 1.118, False: 0.5}, abs=1e-3)
        assert sd[False] / sd[True] == pytest.approx(expected[False] / expected[True], rel=0.15)

    def test_choices_move_a_no_further_than_a_bootstrap(self, runs):
        fit = sl.fit_isoflop(runs)
        low, high = fit.interval("a", level=0.8, n=2000, share=0.8, replace=True)
        assert 0.6 * (high - low) < 0.54382 - 0.49015 < high - low

    def test_the_largest_budgets_are_what_the_flags_take_out(self, runs, llama):
        a = chinchilla.without_each(runs, along="params")
        b = chinchilla.without_each(llama, along="tokens")
        assert runs.flag_reason.value_counts()[a.index].tolist() == [7, 16, 10, 5]
        assert a.tolist() == pytest.approx([0.4939, 0.4964, 0.4867, 0.5221], abs=1e-4)
        assert b.tolist() == pytest.approx([0.5366, 0.5351, 0.5375, 0.4994], abs=1e-4)
        everything = {"a": sl.fit_isoflop(runs).a, "b": sl.fit_isoflop(llama, along="tokens").b}
        for found, key in ((a, "a"), (b, "b")):
            moves = (found - everything[key]).abs()
            assert moves["weak curvature"] > 4 * moves.drop("weak curvature").max()


class TestParabola:
    @pytest.mark.parametrize(("within", "centre"), [(2, 1), (4, 1), (16, 1), (4, 3), (4, 1 / 3)])
    @pytest.mark.parametrize("law", SETS.values(), ids=list(SETS))
    def test_its_shift_has_a_closed_form(self, law, within, centre):
        C = 1e21
        w = np.linspace(-1, 1, 4001) * np.log(within)
        N = centre * float(sl.compute_optimal(law, C).N) * np.exp(w)
        curve, slope, _ = np.polyfit(w, law.loss(N, C / 6 / N), 2)
        found = centre * np.exp(-slope / 2 / curve) - 1
        expected = chinchilla.parabola_bias(law.alpha, law.beta, within=within, centre=centre)
        assert found == pytest.approx(expected, abs=2e-4)

    def test_a_narrow_window_follows_the_rule_of_tenths(self):
        shift = np.log1p(chinchilla.parabola_bias(0.5, 0.2, within=1.5))
        assert shift == pytest.approx(0.3 * np.log(1.5) ** 2 / 10, rel=0.01)
        assert chinchilla.parabola_bias(0.3, 0.3, within=8) == pytest.approx(0, abs=1e-12)

    @pytest.mark.parametrize(("law", "a"), [(TEX, 0.4545), (EPOCH, 0.5081)], ids=["tex", "epoch"])
    def test_on_the_papers_design_it_explains_little(self, runs, law, a):
        found = sl.fit_isoflop(runs.assign(loss=law.loss(runs.params, runs.tokens)))
        assert found.a == pytest.approx(a, abs=1e-4)
        assert abs(found.a - law.a) < 0.1 * (0.534 - 0.462)


class TestApproach3:
    @pytest.mark.parametrize(
        ("law", "a", "N", "ratio"),
        [(ROUNDED, 0.45161, 32.19e9, 92.65), (TEX, 0.45653, 40.36e9, 58.93),
         (EPOCH, 0.5126, 72.25e9, 18.39)],
        ids=list(SETS),
    )  # fmt: skip
    def test_plan_for_gopher(self, law, a, N, ratio):
        best = sl.compute_optimal(law, GOPHER)
        assert law.a == pytest.approx(a, abs=1e-5 if law is not EPOCH else 5e-5)
        assert pytest.approx(N, rel=1e-4) == best.N
        assert best.tokens_per_param == pytest.approx(ratio, rel=1e-4)

    def test_the_quoted_size_is_that_of_the_unrounded_constants(self):
        quoted = published.printed("hoffmann2022/approach 3/Gopher size")
        assert quoted.returns(float(sl.compute_optimal(TEX, GOPHER).N) / 1e9)
        assert not quoted.returns(float(sl.compute_optimal(ROUNDED, GOPHER).N) / 1e9)

    def test_neither_exponent_lies_in_the_published_interval(self):
        low, high = published.row("hoffmann2022/approach 3/a")
        assert low > ROUNDED.a
        assert high < TEX.a

    @pytest.mark.parametrize(
        ("law", "first", "last", "least", "most"),
        [(ROUNDED, 3.4734e19, 1.9013e29, 0.57, 1.22), (TEX, 2.3494e19, 1.0103e29, 0.02, 0.18)],
        ids=["rounded", "tex"],
    )
    def test_no_constants_regenerate_the_column(self, optima, law, first, last, least, most):
        third = optima[optima.approach == 3]
        C = optimum.budget_for_params(law, third.params)
        assert (C[0], C[-1]) == pytest.approx((first, last), rel=1e-3)
        printed_C = third.flops.where(third.params != 175e9, 10 * third.flops)
        excess = C / printed_C - 1
        assert (excess.min(), excess.max()) == pytest.approx((least, most), abs=5e-3)

    @pytest.mark.parametrize(
        ("law", "least", "most"), [(TEX, 1.06, 1.19), (ROUNDED, 1.57, 2.22)], ids=["tex", "rounded"]
    )
    def test_tokens_above_the_table(self, optima, law, least, most):
        third = optima[optima.approach == 3]
        tokens = optimum.budget_for_params(law, third.params) / 6 / third.params
        more = tokens / third.tokens
        assert (more.min(), more.max()) == pytest.approx((least, most), abs=5e-3)

    def test_isoflop_points_alone(self, runs):
        law = sl.fit_chinchilla(runs).law
        found = (law.E, law.alpha, law.beta, law.a)
        assert found == pytest.approx((1.964, 0.397, 0.509, 0.562), abs=6e-4)
        assert sl.fit_chinchilla(runs[~runs.flagged]).law.a == pytest.approx(0.5385, abs=1e-3)

    @pytest.mark.parametrize("law", SETS.values(), ids=list(SETS))
    def test_closed_form_is_the_minimum(self, law):
        for C in (1e18, GOPHER, 1e26):
            searched = optimum.search_optimum(law, C)
            assert pytest.approx(float(sl.compute_optimal(law, C).N), rel=1e-6) == searched.N


class TestLosses:
    @pytest.mark.parametrize(
        ("name", "rounded", "tex", "epoch"),
        [
            ("Gopher", 1.9933, 1.9672, 1.9996),
            ("Chinchilla", 1.9366, 1.9208, 1.9739),
            ("GPT-3", 2.0023, 1.9764, 2.0085),
            ("Llama-3 8B", 1.9485, 1.9436, 2.0221),
        ],
    )
    def test_models(self, name, rounded, tex, epoch):
        N, D = {**chinchilla.MODELS, "Llama-3 8B": published.row("model/Llama 3 8B")}[name]
        found = [float(law.loss(N, D)) for law in SETS.values()]
        assert found == pytest.approx([rounded, tex, epoch], abs=1e-4)

    def test_under_our_fit(self, chinchilla_fit):
        law = chinchilla_fit.law
        pair = ("Gopher", "Chinchilla")
        found = [float(law.loss(*chinchilla.MODELS[name])) for name in pair]
        assert found == pytest.approx([1.9987, 1.9734], abs=1e-4)

    @pytest.mark.parametrize("law", SETS.values(), ids=list(SETS))
    def test_order_of_five_models(self, law):
        losses = [float(law.loss(N, D)) for N, D in chinchilla.MODELS.values()]
        assert losses == sorted(losses)

    def test_five_models_under_epoch(self):
        losses = [float(EPOCH.loss(N, D)) for N, D in chinchilla.MODELS.values()]
        assert losses == pytest.approx([1.974, 1.995, 2.000, 2.008, 2.009], abs=1e-3)

    def test_terms_of_gpt_3(self):
        N, D = chinchilla.MODELS["GPT-3"]
        assert EPOCH.loss(np.inf, D) - EPOCH.E == pytest.approx(0.132, abs=1e-3)
        assert EPOCH.loss(N, np.inf) - EPOCH.E == pytest.approx(0.059, abs=1e-3)

    def test_gopher_and_chinchilla_did_not_use_the_same_compute(self):
        spent = {name: sl.training_flops(*run) for name, run in chinchilla.MODELS.items()}
        assert spent["Chinchilla"] / spent["Gopher"] == pytest.approx(7 / 6, rel=1e-12)
        assert spent["Gopher"] == pytest.approx(5.04e23, rel=1e-12)
        assert chinchilla.MODELS["Chinchilla"] == published.row("model/Chinchilla 70B")


def test_benchmarks():
    scores = sl.load("gopher_vs_chinchilla").set_index("benchmark")
    expected = {
        "MMLU 5-shot avg": (60.0, 67.6), "HellaSwag": (79.2, 80.8), "PIQA": (81.8, 81.8),
        "Winogrande": (70.1, 74.9), "SIQA": (50.6, 51.3), "BoolQ": (79.3, 83.7),
        "LAMBADA": (74.5, 77.4), "RACE-m": (75.1, 86.8), "RACE-h": (71.6, 82.3),
        "BIG-bench avg (62 tasks)": (54.4, 65.1), "Wikitext103 ppl": (7.75, 7.16),
    }  # fmt: skip
    assert {row.Index: (row.gopher, row.chinchilla) for row in scores.itertuples()} == expected
    abstract = published.printed("hoffmann2022/abstract/mmlu")
    assert abstract.value != scores.chinchilla["MMLU 5-shot avg"]


class TestLlama3:
    C = published.value("grattafiori2024/budget")

    def test_refit(self, llama):
        fit = sl.fit_isoflop(llama, along="tokens")
        assert (fit.b, fit.k_D) == pytest.approx((0.536779, 0.29936), abs=1e-4)
        assert published.printed("grattafiori2024/label/alpha").returns(fit.b)
        assert published.printed("grattafiori2024/label/A").returns(fit.k_D)
        assert fit.tokens(self.C) == pytest.approx(16.10e12, rel=1e-3)
        assert fit.params(self.C) == pytest.approx(393.3e9, rel=1e-3)

    def test_interval(self, llama):
        found = sl.fit_isoflop(llama, along="tokens").interval("b")
        assert found == pytest.approx((0.494, 0.551), abs=3e-3)

    @pytest.mark.parametrize(("place", "tokens"), [("label", 16.29e12), ("text", 10.46e12)])
    def test_plans_of_printed_constants(self, place, tokens):
        constants = published.values(f"grattafiori2024/{place}")
        plan = constants["A"] * self.C ** constants["alpha"]
        assert plan == pytest.approx(tokens, rel=1e-3)

    def test_without_the_flagged_runs(self, llama):
        assert (~llama.flagged).sum() == 116
        fit = sl.fit_isoflop(llama[~llama.flagged], along="tokens")
        assert fit.b == pytest.approx(0.5000, abs=1e-3)
        assert fit.tokens(self.C) == pytest.approx(9.81e12, rel=1e-3)
        assert fit.minima.used.sum() == 8

    def test_the_two_approaches_plan_apart_in_one_unit(self, llama):
        second = sl.fit_isoflop(llama, along="tokens")
        huber, squares = sl.fit_chinchilla(llama).law, sl.fit_chinchilla(llama, loss="l2").law
        plan = {law: float(sl.compute_optimal(law, self.C).D) / 1e12 for law in (huber, squares)}
        assert (plan[huber], plan[squares]) == pytest.approx((7.08, 10.08), rel=0.02)
        assert 1.5 * max(plan.values()) < second.tokens(self.C) / 1e12
        # The size exponent of one lies near the token exponent of the other, which says nothing.
        assert huber.a == pytest.approx(second.b, abs=0.015)
        assert second.b - huber.b > 0.05

    def test_the_parabola_is_not_why(self, llama):
        for law in (sl.fit_chinchilla(llama).law, sl.fit_chinchilla(llama, loss="l2").law):
            (plan,) = chinchilla.plans_under_law(law, llama, self.C)
            assert plan == pytest.approx(float(sl.compute_optimal(law, self.C).D), rel=0.01)
            exact = llama.assign(loss=law.loss(llama.params, llama.tokens))
            fit = sl.fit_isoflop(exact, along="tokens")
            assert plan == pytest.approx(float(fit.tokens(self.C)), rel=1e-7)

    def test_luck_alone_rarely_reaches_the_plan(self, llama):
        second = float(sl.fit_isoflop(llama, along="tokens").tokens(self.C))
        draws = chinchilla.plans_under_law(sl.fit_chinchilla(llama).law, llama, self.C, n=2000)
        assert (draws >= second).mean() < 0.06
        draws = chinchilla.plans_under_law(
            sl.fit_chinchilla(llama, loss="l2").law, llama, self.C, n=2000
        )
        assert 0.06 < (draws >= second).mean() < 0.2

    def test_the_flat_budgets_part_the_approaches_and_each_plan_depends_on_budgets(self, llama):
        flat = sl.fit_isoflop(llama[llama.flag_reason != "weak curvature"], along="tokens")
        assert flat.tokens(self.C) == pytest.approx(9.66e12, rel=0.01)
        low, high = (
            float(sl.compute_optimal(sl.fit_chinchilla(part).law, self.C).D)
            for part in (llama[llama.budget_flops <= 1e20], llama[llama.budget_flops > 1e20])
        )
        assert (low, high) == pytest.approx((4.5e12, 20.9e12), rel=0.01)

    def test_parametric_fit_needs_no_unit_for_its_exponent(self, llama):
        law = sl.fit_chinchilla(llama.assign(loss=np.exp(llama.loss))).law
        assert (law.E, law.a) == pytest.approx((1.827, 0.528), abs=1e-3)
        # A converged fit of the column as it stands does not collapse to E = 0.
        raw = sl.fit_chinchilla(llama)
        assert raw.law.a == pytest.approx(0.527, abs=1e-3)
        without_floor = sl.fit_chinchilla(llama, fixed={"E": 0})
        assert raw.objective < 0.6 * without_floor.objective


class TestListing:
    C = chinchilla.SNIPPET_BUDGET

    def test_one_token_per_parameter(self):
        rule = optimum.fixed_ratio(1)
        assert rule.params(self.C) == pytest.approx(316.2e9, rel=1e-4)
        assert rule.tokens(self.C) == pytest.approx(0.3162e12, rel=1e-4)

    def test_twenty(self):
        rule = optimum.fixed_ratio(20)
        assert (rule.k_N, rule.k_D) == pytest.approx((0.0913, 1.826), rel=5e-4)
        assert rule.params(self.C) == pytest.approx(70.7e9, rel=1e-3)
        assert rule.tokens(self.C) == pytest.approx(1.41e12, rel=5e-3)

    @pytest.mark.parametrize(
        ("law", "waste"), [(EPOCH, 2.08), (TEX, 3.25), (ROUNDED, 4.13)], ids=["e", "t", "r"]
    )
    def test_waste(self, law, waste):
        rule = optimum.fixed_ratio(1)
        found = optimum.compute_waste(law, rule.params(self.C), rule.tokens(self.C))
        assert found == pytest.approx(waste, rel=3e-3)

    def test_loss_hides_the_waste(self):
        rule = optimum.fixed_ratio(1)
        loss = EPOCH.loss(rule.params(self.C), rule.tokens(self.C))
        assert (loss, sl.compute_optimal(EPOCH, self.C).loss) == pytest.approx(
            (1.9950, 1.9733), abs=1e-4
        )

    def test_its_comment_spends_two_percent(self):
        k = chinchilla.SNIPPET_COMMENT
        rule = sl.isoflop.Frontier(a=0.5, b=0.5, k_N=k, k_D=k)
        assert optimum.budget_spent(rule, self.C) == pytest.approx(0.0210, abs=1e-4)

    def test_its_budget_is_twice_gpt_3s(self):
        spent = sl.training_flops(*chinchilla.MODELS["GPT-3"])
        assert self.C / spent == pytest.approx(1.9, abs=0.01)


def test_the_pair_that_was_trained_tells_kaplan_from_chinchilla_and_no_more(chinchilla_fit):
    spent = published.value("hoffmann2022/Kaplan size, budget")
    large, small = published.row("hoffmann2022/D.4 pair")
    laws = {**SETS, "fit": chinchilla_fit.law, "kaplan": published.KAPLAN_2020}
    margin = {
        name: float(law.loss(large, spent / 6 / large) - law.loss(small, spent / 6 / small))
        for name, law in laws.items()
    }
    expected = {"rounded": 0.0219, "tex": 0.0151, "epoch": 0.0089, "fit": 0.0088, "kaplan": -0.0400}
    assert margin == pytest.approx(expected, abs=1e-4)
    assert [name for name, gap in margin.items() if gap < 0] == ["kaplan"]


def test_approach_1_asks_for_the_size_that_the_paper_says(optima):
    line = sl.fit_frontier(optima[optima.approach == 1])
    asked = line.params(published.value("hoffmann2022/Kaplan size, budget"))
    assert published.printed("hoffmann2022/approach 1 size").value == pytest.approx(asked, rel=2e-3)


@pytest.mark.parametrize(
    ("law", "small", "large"),
    [(EPOCH, 2.2989, 2.3265), (TEX, 2.2904, 2.3273), (ROUNDED, 2.3278, 2.3763),
     (published.KAPLAN_2020, 2.1720, 2.1321)],
    ids=["epoch", "tex", "rounded", "kaplan"],
)  # fmt: skip
def test_pair_that_tells_laws_apart(law, small, large):
    found = [float(law.loss(*pair)) for pair in chinchilla.TEST_PAIR]
    assert found == pytest.approx([small, large], abs=1e-4)


@pytest.mark.parametrize(
    ("a", "model", "data"),
    [(0.5, 3.16, 3.16), (EPOCH.a, 3.26, 3.07), (0.49, 3.09, 3.24), (0.46, 2.88, 3.47),
     (0.73, 5.37, 1.86)],
)  # fmt: skip
def test_ten_times_the_budget(a, model, data):
    assert (10**a, 10 ** (1 - a)) == pytest.approx((model, data), abs=5e-3)
    assert model * data == pytest.approx(10, rel=3e-3)
