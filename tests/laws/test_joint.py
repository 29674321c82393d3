"""What is special to laws whose terms do not simply add up: limits, restrictions, intervals."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib.laws import JointLaw, SolvableLaw, fit_joint, fit_solvable

PLAIN = sl.ChinchillaLaw(E=1.7, A=400.0, B=2000.0, alpha=0.34, beta=0.37)
SHARP = JointLaw(E=1.7, A=400.0, B=2000.0, alpha=0.34, beta=0.37, k=0.6)


@pytest.fixture(scope="module")
def runs():
    N, D = np.meshgrid(np.geomspace(5e7, 1e10, 6), np.geomspace(1e9, 4e11, 6))
    noise = 0.003 * np.random.default_rng(2).standard_normal(N.size)
    loss = SHARP.loss(N.ravel(), D.ravel()) * np.exp(noise)
    return pd.DataFrame({"params": N.ravel(), "tokens": D.ravel(), "loss": loss})


def test_without_its_additions_the_joint_law_is_the_sum(runs):
    law = JointLaw(PLAIN.E, PLAIN.A, PLAIN.B, PLAIN.alpha, PLAIN.beta)
    np.testing.assert_allclose(law.loss(runs.params, runs.tokens),
                               PLAIN.loss(runs.params, runs.tokens), rtol=1e-13)  # fmt: skip
    assert (law.a, law.G) == pytest.approx((PLAIN.a, PLAIN.G), rel=1e-12)
    held = fit_joint(runs, fixed={"g": 0.0})
    assert held.objective == pytest.approx(sl.fit_chinchilla(runs).objective, rel=1e-9)


def test_unlimited_data_or_size_leave_one_term():
    assert SHARP.loss(1e9, np.inf) == pytest.approx(1.7 + 400 / 1e9**0.34)
    assert SHARP.loss(np.inf, 1e11) == pytest.approx(1.7 + 2000 / 1e11**0.37)
    law = SolvableLaw(E=1.7, A=300.0, alpha=0.3, r=20.0)
    assert law.loss(1e9, np.inf) == pytest.approx(1.7 + 300 / 1e9**0.3)
    assert law.loss(np.inf, 2e10) == pytest.approx(law.loss(1e9, np.inf))
    assert law.loss(3e8, 7e10) == pytest.approx(law.loss(7e10 / 20, 3e8 * 20), rel=1e-12)


def test_a_small_k_leaves_the_larger_term():
    law = JointLaw(E=0.0, A=400.0, B=2000.0, alpha=0.34, beta=0.37, k=1e-3)
    assert law.loss(1e8, 1e12) == pytest.approx(400 / 1e8**0.34, rel=1e-9)


def test_bootstrap_and_profile_hold_the_truth(runs):
    fit = fit_joint(runs, form="outer", loss="l2")
    low, high = sl.bootstrap(fit, n=400).interval("k")
    profile = sl.profile(fit, "k")
    assert low < SHARP.k < high
    assert profile.low < SHARP.k < profile.high
    assert profile.low == pytest.approx(low, abs=0.15)
    solved = fit_solvable(runs, loss="l2")
    low, high = sl.bootstrap(solved, n=400).interval("r")
    assert low < solved.law.r < high
    found = sl.profile(solved, "r")
    assert found.low < solved.law.r < found.high


def test_a_sum_is_told_from_a_sharper_law_by_its_profile(runs):
    assert sl.profile(fit_joint(runs, form="outer", loss="l2"), "k").high < 1


def test_tied_and_fixed_constants_are_kept(runs):
    tied = fit_joint(runs, form="outer", tied=("alpha", "beta")).law
    assert tied.alpha == pytest.approx(tied.beta, rel=1e-9)
    held = fit_joint(runs, fixed={"g": 0.2, "B": 5000.0}).law
    assert (held.g, held.k) == pytest.approx((0.2, 1.0))
    assert pytest.approx(5000, rel=1e-9) == held.B
    assert fit_solvable(runs, fixed={"r": 20.0, "E": 1.5}).law.r == pytest.approx(20)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda runs: fit_joint(runs, form="sum"), "form must be one of 'interaction', 'outer'"),
        (
            lambda runs: fit_joint(runs[runs.tokens < 2e9]),
            "only two|one token count|cannot determine",
        ),
        (lambda runs: fit_joint(runs, fixed={"k": -1.0}), r"fixed\['k'\] must be positive"),
        (lambda runs: JointLaw(1, 1, 1, 0.3, 0.3, g=-0.4).G, r"law.beta \+ law.g is -0.1; more"),
        (lambda runs: sl.compute_optimal(SolvableLaw(1, 1, -0.3, 2), 1e21), "law.alpha is -0.3"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(runs, call, words):
    with pytest.raises((sl.DataError, sl.FitError), match=words):
        call(runs)


def test_runs_that_say_nothing_of_k_are_warned_of():
    N, D = np.meshgrid(np.geomspace(1e9, 2e9, 3), np.geomspace(1e11, 2e11, 4))
    few = pd.DataFrame({"params": N.ravel(), "tokens": D.ravel()})
    few["loss"] = PLAIN.loss(few.params, few.tokens)
    assert any("not identified" in one for one in fit_joint(few, form="outer").warnings)
