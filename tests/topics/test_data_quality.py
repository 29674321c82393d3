"""What a corpus is worth, and pruning: identities, refusals, and students found by force."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm

import scalinglib as sl
from scalinglib.topics.data_quality import (
    compute_multipliers,
    decision_accuracy,
    expected_luck,
    fit_ladders,
    generalisation_error,
    kept_needed,
    largest_matched,
    multipliers_by_rule,
    one_run_a_cell,
    paired_gaps,
    quality_needed,
    score_multipliers,
    simulate_error,
    switch_point,
    with_quality,
)
from scalinglib.topics.data_quality.pruning import _largest_margin
from tests.examples import few

LAW = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)


def profiles():
    parts = []
    for name, Q in (("a", 1.0), ("b", 2.0)):
        for C in (1e19, 2e19, 4e19, 8e19):
            centre = sl.compute_optimal(with_quality(LAW, Q), C).N
            N = centre * np.geomspace(0.4, 2.5, 9)
            parts.append(
                pd.DataFrame({"corpus": name, "budget_flops": C, "params": N, "tokens": C / 6 / N,
                              "loss": with_quality(LAW, Q).loss(N, C / 6 / N)})
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def test_compute_multipliers_recover_the_quality():
    found = compute_multipliers(profiles(), reference="a")
    own = found[found.corpus == "b"]
    assert own.multiplier.iloc[:3].to_numpy() == pytest.approx(2.0, rel=1e-3)
    assert own.multiplier.iloc[3] == pytest.approx(2.0, rel=0.15)
    assert own.extrapolated.iloc[[0, 1, 3]].tolist() == [False, False, True]
    assert found[found.corpus == "a"].multiplier.to_numpy() == pytest.approx(1.0)


C = np.array([1e19, 1e20, 1e21])
SCORES = pd.DataFrame({
    "corpus": ["a"] * 3 + ["b"] * 3, "flops": [*C, *C],
    "score": [*(0.04 * np.log(C)), *(0.04 * np.log(4 * C))],
})  # fmt: skip
CELLS = pd.DataFrame({"corpus": [*"aaabbb"], "cell": [0, 1, 2] * 2, "loss": [3, 4, 5, 2, 3, 3]})


def scored(scores, metric="score"):
    return score_multipliers(scores, metric=metric, reference="a")


def gaps(runs, on="cell"):
    return paired_gaps(runs, on=(on,), value="loss", reference="a")


def test_score_multipliers_recover_an_offset():
    found, slope, rms = scored(SCORES)
    assert found.multiplier["b"] == pytest.approx(4.0)
    assert (slope, rms) == pytest.approx((0.04, 0.0), abs=1e-12)


def test_the_spread_of_a_multiplier_is_that_of_draws():
    noise = 0.01 * np.random.default_rng(0).standard_normal((400, 6))
    draws = [scored(SCORES.assign(score=SCORES.score + one))[0].loc["b"] for one in noise]
    found = np.log(pd.DataFrame(draws))
    assert np.sqrt((found.spread**2).mean()) == pytest.approx(found.multiplier.std(), rel=0.15)


def repeated(rng, runs_of, gain=0.08):
    """Scores of two corpora with several runs a cell and a scatter of 0.01."""
    cells = [(name, C) for name in "ab" for C in (1e19, 1e20, 1e21, 1e22)]
    rows = [
        (name, C, 0.04 * np.log(C) - 1.5 + gain * (name == "b") + 0.01 * rng.standard_normal())
        for name, C in cells for _ in range(runs_of[name])
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["corpus", "flops", "score"])


def test_the_expected_luck_is_the_mean_of_the_largest_draw():
    assert [expected_luck(n) for n in (1, 2)] == pytest.approx([0, 1 / np.sqrt(np.pi)])
    draws = np.random.default_rng(0).standard_normal((40_000, 8)).max(axis=1)
    assert expected_luck(8) == pytest.approx(draws.mean(), abs=0.02)


@pytest.mark.full
def test_removing_the_luck_undoes_more_runs_of_one_corpus():
    rng = np.random.default_rng(1)
    found = pd.DataFrame([
        multipliers_by_rule(repeated(rng, {"a": 2, "b": 8}), metric="score", corpus="b",
                            reference="a")
        for _ in range(150)
    ])  # fmt: skip
    bias = np.log(found).mean() - 0.08 / 0.04
    error = np.log(found).sem().max()
    assert bias["best"] > 5 * error
    assert abs(bias["corrected"]) < 3 * error
    assert abs(bias["mean"]) < 3 * error


def test_every_choice_of_one_run_a_cell_is_made():
    runs = repeated(np.random.default_rng(2), {"a": 1, "b": 2})
    found = one_run_a_cell(runs, metric="score", corpus="b", reference="a")
    assert len(found) == 2**4
    first = score_multipliers(runs.drop_duplicates(["corpus", "flops"]), metric="score",
                              reference="a")[0]  # fmt: skip
    assert np.isclose(found, first.multiplier["b"]).sum() == 1
    with pytest.raises(sl.DataError, match="choices of one run a cell"):
        one_run_a_cell(pd.concat([runs] * 9), metric="score", corpus="b", reference="a")


def test_paired_gaps_are_differences_cell_by_cell():
    assert gaps(CELLS).b.tolist() == [-1, -1, -2]
    assert gaps(CELLS.iloc[:5]).b.tolist() == [-1, -1]


def brute_force(alpha, fraction, keep):
    """The overlap with the largest margin, by sums over a grid of margins."""
    edge = norm.ppf(0.5 + 0.5 * (fraction if keep == "hard" else 1 - fraction))
    low, high = (0.0, min(edge, 9.0)) if keep == "hard" else (edge, 9.0)
    z = np.linspace(low, high, 4001)
    density = 2 * norm.pdf(z) / fraction

    def constraint(k, R):
        t = (k - R * z) / np.sqrt(1 - R * R)
        mean = (1 + t * t) * norm.cdf(t) + t * norm.pdf(t)
        return alpha * fraction * np.trapezoid(density * mean, z) - 1

    def margin(R):
        return brentq(constraint, -5.0, 20.0, args=(R,), xtol=1e-13)

    found = minimize_scalar(
        lambda R: -margin(R), bounds=(0.05, 0.999), method="bounded", options={"xatol": 1e-7}
    )
    return np.arccos(found.x) / np.pi


@pytest.mark.parametrize(
    ("alpha", "fraction", "keep"), [(2.0, 1.0, "hard"), (4.0, 0.5, "hard"), (3.0, 0.6, "easy")]
)
def test_brute_force_finds_the_same_student(alpha, fraction, keep):
    ours = generalisation_error(alpha, fraction=fraction, keep=keep)
    assert ours == pytest.approx(brute_force(alpha, fraction, keep), abs=2e-5)


def test_students_are_the_shortest_that_separate():
    generator = np.random.default_rng(4)
    examples = generator.standard_normal((60, 20))
    signed = examples * np.sign(examples[:, :1])
    student = _largest_margin(signed)
    margins = signed @ student
    assert margins.min() == pytest.approx(1.0, abs=1e-8)
    # At the optimum the student is a positive combination of the examples on its margin.
    support = signed[margins < 1 + 1e-7]
    weights, *_ = np.linalg.lstsq(support.T, student, rcond=None)
    assert support.T @ weights == pytest.approx(student, abs=1e-7)
    assert (weights > 0).all()


def test_simulations_are_seeded():
    first, again, other = (simulate_error(2.0, dimensions=40, seed=seed) for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_shapes_follow_the_input():
    assert generalisation_error([[1.0, 2.0]]).shape == (1, 2)
    assert np.ndim(generalisation_error(1.0)) == 0
    assert generalisation_error([1.0, 2.0], fraction=0.5).shape == (2,)


FLAT = sl.ChinchillaLaw(E=1.8, A=0.0, B=900.0, alpha=0.34, beta=0.3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: scored(SCORES.assign(score=3 - SCORES.score)), sl.FitError, "does not rise"),
        (lambda: scored(SCORES.iloc[[0, 1, 3]]), sl.FitError, "cannot determine"),
        (lambda: scored(SCORES, metric="other"), sl.DataError, "no column"),
        (lambda: gaps(CELLS, on="shape"), sl.DataError, "no column 'shape'"),
        (lambda: gaps(CELLS.assign(cell=0)), sl.DataError, "two runs"),
        (lambda: gaps(CELLS.assign(cell=CELLS.index)), sl.DataError, "no cell"),
        (lambda: with_quality(LAW, 0.0), sl.DataError, "Q must be"),
        (lambda: quality_needed(LAW, 0.0, N=1e9, D=1e10), sl.DataError, "loss must be"),
        (lambda: largest_matched(FLAT, 1e9), sl.DataError, r"law\.A"),
        (lambda: generalisation_error(0.0), sl.DataError, "alpha must be"),
        (lambda: generalisation_error(1.0, fraction=1.5), sl.DataError, "at most 1"),
        (lambda: generalisation_error(1.0, fraction=0.0), sl.DataError, "fraction must be"),
        (lambda: generalisation_error(1.0, keep="odd"), sl.DataError, "keep must be"),
        (lambda: simulate_error(1.0, fraction=0.0), sl.DataError, "fraction must be"),
        (lambda: simulate_error(1.0, keep="odd"), sl.DataError, "keep must be"),
        (lambda: simulate_error(1.0, repeats=0), sl.DataError, "one repeat"),
        (lambda: simulate_error(1e-4, dimensions=10), sl.DataError, "0 examples"),
        (lambda: switch_point(1.0), sl.DataError, "between 0 and 1"),
        (lambda: kept_needed(10.0, excess=0.0), sl.DataError, "excess must be"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_kept_examples_needed_settle():
    needs = [kept_needed(pool) for pool in (30.0, 300.0, 3000.0)]
    assert needs == pytest.approx([needs[-1]] * 3, rel=0.02)
    pool = 300.0
    kept = generalisation_error(pool, fraction=kept_needed(pool) / pool)
    assert kept == pytest.approx(1.1 * generalisation_error(pool), rel=1e-9)


def test_the_switch_is_where_the_errors_meet():
    alpha = switch_point(0.3)
    hard, easy = (generalisation_error(alpha, fraction=0.3, keep=keep) for keep in ("hard", "easy"))
    assert hard == pytest.approx(easy, rel=1e-9)


laws = st.builds(
    sl.ChinchillaLaw,
    E=st.floats(0, 2.5),
    A=st.floats(50, 2000),
    B=st.floats(50, 5000),
    alpha=st.floats(0.2, 0.7),
    beta=st.floats(0.2, 0.7),
)
worths = st.floats(-2, 3).map(lambda power: 10**power)
budgets = st.floats(18, 26).map(lambda power: 10**power)


@given(law=laws, Q=worths, C=budgets)
def test_quality_is_a_larger_budget(law, Q, C):
    here = sl.compute_optimal(with_quality(law, Q), C)
    there = sl.compute_optimal(law, Q * C)
    assert [here.loss, here.N, Q * here.D] == pytest.approx(
        [there.loss, there.N, there.D], rel=1e-9
    )


@given(law=laws, Q=worths, more=st.floats(1.01, 100), C=budgets)
def test_better_data_lower_the_loss_and_enlarge_the_model(law, Q, more, C):
    worse, better = (sl.compute_optimal(with_quality(law, worth), C) for worth in (Q, more * Q))
    assert better.loss < worse.loss
    assert better.N > worse.N
    assert better.D < worse.D


@given(law=laws, Q=worths, N=st.floats(1e7, 1e12), D=st.floats(1e8, 1e14))
def test_better_data_reach_the_same_loss_with_fewer_tokens(law, Q, N, D):
    assert with_quality(law, Q).loss(N, D / Q) == pytest.approx(law.loss(N, D), rel=1e-12)


@given(law=laws, Q=worths, N=st.floats(1e7, 1e11), D=st.floats(1e8, 1e12))
def test_the_quality_needed_is_the_quality_that_was(law, Q, N, D):
    target = with_quality(law, Q).loss(N, D)
    if target - law.loss(N, np.inf) > 1e-6 * target:
        assert quality_needed(law, target, N=N, D=D) == pytest.approx(Q, rel=1e-4)
    assert quality_needed(law, law.loss(N, np.inf) * (1 - 1e-9), N=N, D=D) == np.inf


@given(law=laws, N=st.floats(1e7, 1e11), ratio=st.floats(1, 1000))
def test_the_largest_model_matched_stands_on_the_floor(law, N, ratio):
    size = largest_matched(law, N, tokens_per_param=ratio)
    assert size > N
    assert law.loss(size, ratio * size) == pytest.approx(law.loss(N, np.inf), rel=1e-9)


@few
@given(alpha=st.floats(0.2, 500), step=st.floats(1.05, 5))
def test_more_examples_never_hurt(alpha, step):
    assert generalisation_error(step * alpha) < generalisation_error(alpha) < 0.5


@few
@given(alpha=st.floats(0.5, 500), fraction=st.floats(0.05, 0.95))
def test_hard_examples_alone_never_beat_the_pool(alpha, fraction):
    kept = generalisation_error(alpha, fraction=fraction)
    assert kept >= generalisation_error(alpha) * (1 - 1e-9)
    assert generalisation_error(alpha, fraction=1 - 1e-12) == pytest.approx(
        generalisation_error(alpha), rel=1e-6
    )


def test_pairs_ranked_alike_are_counted():
    small = pd.Series([1.0, 2.0, 3.0, 4.0], index=list("abcd"))
    share, _ = decision_accuracy(small, small.loc[list("dcba")])
    assert share == 1.0
    swapped = pd.Series([2.0, 1.0, 3.0, 4.0], index=list("abcd"))
    assert decision_accuracy(small, swapped)[0] == pytest.approx(5 / 6)
    with pytest.raises(sl.DataError, match="no value for 'd'"):
        decision_accuracy(small, small.drop("d"))


@pytest.mark.parametrize("term", ["floor", "multiplier", "factor"])
def test_ladders_give_back_what_made_them(term):
    N = np.geomspace(4e6, 1e9, 9)
    E, A = np.full(3, 0.5), np.full(3, 0.4)
    own = np.array([1.0, 1.2, 0.8])
    E, A = E * (own if term != "multiplier" else 1), A * (own if term != "floor" else 1)
    values = pd.DataFrame(E[:, None] + A[:, None] * (N / 5e7) ** -0.4, index=list("abc"), columns=N)
    fit = fit_ladders(values, terms=(term,))
    assert fit.rms < 1e-8
    assert fit.alpha == pytest.approx(0.4, abs=1e-6)
    assert fit.E.to_numpy() == pytest.approx(E, rel=1e-6)
    assert fit.A.to_numpy() == pytest.approx(A, rel=1e-6)
    assert fit_ladders(values).rms > 0.01
    with pytest.raises(sl.DataError, match="choose from floor"):
        fit_ladders(values, terms=("Q",))
