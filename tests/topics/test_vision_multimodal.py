"""Scores of learning curves: what they are, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar, nnls

import scalinglib as sl
from scalinglib.optimum import reducible_exponent
from scalinglib.published import Reported
from scalinglib.topics import vision_multimodal


def curve(model="a", *, law=None, points=30):
    law = law or sl.PowerLaw(A=3.0, alpha=0.3, E=0.2)
    x = np.geomspace(1e2, 1e6, points)
    frame = pd.DataFrame({"task": "t", "model": model, "examples_seen": x, "error": law.loss(x)})
    return frame.assign(in_fit=frame.examples_seen <= 5e5)


def test_an_exact_law_forecasts_exactly():
    table = vision_multimodal.score_curves(curve()).by_curve()
    assert table["with a floor"].iloc[0] < 1e-9
    assert table["power law"].iloc[0] > 1e-3


def test_the_order_of_points_does_not_matter():
    frame = curve()
    forward = vision_multimodal.score_curves(frame).table
    backward = vision_multimodal.score_curves(frame[::-1]).table
    np.testing.assert_allclose(forward.rms, backward.rms, atol=1e-12)
    np.testing.assert_allclose(forward["last"], backward["last"], atol=1e-12)


def test_below_leaves_out_points_to_fit_only():
    frame = curve()
    scores = vision_multimodal.score_curves(frame, below=0.5)
    assert scores.table.fitted.iloc[0] == int((frame.in_fit & (frame.error < 0.5)).sum())
    assert scores.table.held_out.iloc[0] == int((~frame.in_fit).sum())


def test_ties_share_a_win():
    pure = curve(law=sl.PowerLaw(A=3.0, alpha=0.3))
    noisy = pure.assign(error=pure.error * (1 + 0.01 * np.cos(np.arange(len(pure)))))
    won = vision_multimodal.score_curves(noisy).rules().loc["curves won"]
    assert won.sum() == pytest.approx(1)


def test_only_ties_say_nothing():
    assert vision_multimodal.sign_test([1.0], [1.0]).p == 1


@pytest.mark.parametrize(("spread", "low", "high"), [(0.3, 1.0, 1.1), (0.0, 8.0, 31.0)])
def test_points_are_worth_what_their_errors_share(spread, low, high):
    rng = np.random.default_rng(3)
    pure = sl.PowerLaw(A=3.0, alpha=0.3)
    one = curve(law=pure, points=60).assign(in_fit=lambda f: f.examples_seen <= 1e4)
    held = ~one.in_fit.to_numpy()
    frames = []
    for at in range(30):
        error = 0.01 * rng.normal(size=60) + spread * rng.normal() * held
        frames.append(one.assign(model=str(at), error=one.error * np.exp(error)))
    frame = pd.concat(frames)
    # The law without noise, so that errors share the spread given here and nothing else.
    x = np.array([1.0, 10.0, 100.0])
    exact = sl.fit_power_law(x, pure.loss(x))
    scores = vision_multimodal.score_curves(frame, forms={"power law": lambda *_: exact})
    worth = vision_multimodal.points_per_curve(scores, frame, "power law")
    assert low <= worth["worth"] <= high


def test_a_wave_in_the_residuals_widens_the_interval_of_blocks():
    x = np.geomspace(1.0, 1e4, 80)
    wave = np.exp(0.02 * np.sin(np.arange(80) / 6))
    fit = sl.fit_power_law(x, sl.PowerLaw(A=1.0, alpha=0.5, E=0.05).loss(x) * wave, offset=True)
    single = vision_multimodal.plateau_interval(fit, block=1)
    blocks = vision_multimodal.plateau_interval(fit, block=16)
    assert np.diff(blocks) > 1.2 * np.diff(single)


def printed(text):
    return Reported(text, "somebody", "Table 1")


def test_rounding_of_the_inputs_is_allowed_for():
    one = vision_multimodal.check_exponent(
        printed("0.53"), vision_multimodal.IMPLIED["a"], printed("0.30"), printed("0.33")
    )
    assert one.implied == pytest.approx(0.5238, abs=1e-4)
    assert one.low < 0.525 < one.high
    assert one.agrees


def test_rounding_of_the_result_is_allowed_for():
    fine = [printed("0.30000"), printed("0.33000")]
    assert vision_multimodal.check_exponent(
        printed("0.52"), vision_multimodal.IMPLIED["a"], *fine
    ).agrees
    assert not vision_multimodal.check_exponent(
        printed("0.53"), vision_multimodal.IMPLIED["a"], *fine
    ).agrees


def test_slope_and_loss_agree_with_the_frontier():
    law = vision_multimodal.frontier_law(sl.published.EPOCH_2024)
    low, middle, high = (sl.compute_optimal(sl.published.EPOCH_2024, 1e21 * at).loss
                         for at in (0.99, 1.0, 1 / 0.99))  # fmt: skip
    slope = np.log(low / high) / np.log(0.99**-2)
    loss = vision_multimodal.loss_of_slope(law.E, law.alpha, slope)
    assert [loss, law.loss(1e21)] == pytest.approx([middle, middle], rel=1e-6)


def test_no_scale_reaches_the_floor():
    law = sl.ShiftedPowerLaw(A=0.26, alpha=0.35, d=0.01, E=0.09)
    assert vision_multimodal.scale_for(law, 0.09) == np.inf
    assert vision_multimodal.scale_for(law, 2.0) == 0


def scored(**changes):
    return vision_multimodal.score_curves(curve().assign(**changes))


def doublings(n, y=(4.0, 3.0, 2.0, 1.0)):
    return vision_multimodal.observed_doublings([1, 2, 4, 8], y, n=n)


def tower(total, width):
    return vision_multimodal.VisionTower.of_models(
        [total, total], widths=[width, width], layers=24, share=0.5
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vision_multimodal.score_curves(curve().drop(columns="in_fit")),
         "no column 'in_fit'"),
        (lambda: scored(in_fit=True), "no point held out"),
        (lambda: scored(in_fit=False), "no point to fit"),
        (lambda: vision_multimodal.rolling_origins(curve(), least=500), "no curve has 500 points"),
        (lambda: vision_multimodal.sign_test([1.0, 2.0], [1.0]), "one per unit"),
        (lambda: vision_multimodal.points_per_curve(scored(), curve(), "broken"),
         "'broken' was not fitted"),
        (lambda: doublings(0), "between 1 and 3"),
        (lambda: doublings(4), "between 1 and 3"),
        (lambda: doublings(1, y=[4.0]), "one y per x"),
        (lambda: vision_multimodal.plateau(sl.published.KAPLAN_2020), "KaplanLaw"),
        (lambda: vision_multimodal.check_row({"beta": printed("0.3")}), "no alpha"),
        (lambda: vision_multimodal.check_exponent(printed("0.5"), lambda: 0.5), "at least one"),
        (lambda: vision_multimodal.loss_of_slope(1.9, 0.15, 0.0), "slope must lie"),
        (lambda: vision_multimodal.loss_of_slope(1.9, 0.15, 0.2), "slope must lie"),
        (lambda: tower(1e9, 512), "two different decoders"),
        (lambda: tower(1e6, 512), "smaller than the model"),
    ],
)  # fmt: skip
def test_what_is_refused(call, words):
    with pytest.raises(sl.DataError, match=words):
        call()


exponents = st.floats(0.05, 1.5)
shifted = st.builds(
    sl.ShiftedPowerLaw,
    A=st.floats(0.1, 10.0), alpha=exponents, d=st.floats(0.01, 10.0), E=st.floats(0.0, 1.0),
)  # fmt: skip
scales = st.floats(1e-4, 1e6)


@given(law=shifted, x=st.floats(1e-3, 1e4))
def test_scale_for_inverts_the_law(law, x):
    again = vision_multimodal.scale_for(law, float(law.loss(x)))
    assert law.loss(max(again, 1e-300)) == pytest.approx(float(law.loss(x)), rel=1e-9)


@given(A=st.floats(0.1, 10), alpha=exponents, E=st.floats(0, 1), x=scales)
def test_a_doubling_removes_a_fixed_share_of_the_excess(A, alpha, E, x):
    step = vision_multimodal.per_doubling(sl.PowerLaw(A, alpha, E), x).iloc[0]
    if A * x**-alpha > 1e-6 * E:
        assert step.excess_gain == pytest.approx(1 - 2**-alpha, rel=1e-6)
    assert step.gain == pytest.approx(step.excess_gain * step.excess, abs=1e-12)


@given(
    law=st.builds(sl.PowerLaw, A=st.floats(0.1, 10), alpha=exponents, E=st.floats(0, 1)),
    n=st.integers(1, 6),
)
def test_observed_doublings_of_a_power_law_on_the_grid(law, n):
    x = 2.0 ** np.arange(8)
    seen = vision_multimodal.observed_doublings(x, law.loss(x), n=n)
    expected = vision_multimodal.per_doubling(law, seen.x)
    np.testing.assert_allclose(seen.gain, expected.gain, atol=1e-9)


@given(alpha=exponents, beta=exponents)
def test_exponents_of_one_law_agree(alpha, beta):
    a, b = vision_multimodal.IMPLIED["a"](alpha, beta), vision_multimodal.IMPLIED["b"](alpha, beta)
    law = sl.ChinchillaLaw(E=1.0, A=1.0, B=1.0, alpha=alpha, beta=beta)
    assert (a, b) == (pytest.approx(law.a), pytest.approx(law.b))
    assert a + b == pytest.approx(1)
    assert vision_multimodal.IMPLIED["d"](alpha, beta) == pytest.approx(b / a)
    assert vision_multimodal.IMPLIED["N/D"](alpha, beta) == pytest.approx(a - b)
    assert reducible_exponent(law) == pytest.approx(alpha * a)


@given(alpha=exponents, beta=exponents, digits=st.integers(2, 5))
def test_what_was_rounded_from_one_law_passes_the_audit(alpha, beta, digits):
    def printed(value):
        return Reported(f"{value:.{digits}f}", "somebody", "Table 1")

    row = {"alpha": printed(alpha), "beta": printed(beta)}
    assume(min(row[name].value - row[name].half_unit for name in row) > 0)
    row["a"] = printed(vision_multimodal.IMPLIED["a"](alpha, beta))
    row["b"] = printed(vision_multimodal.IMPLIED["b"](alpha, beta))
    row["d"] = printed(vision_multimodal.IMPLIED["d"](alpha, beta))
    assert all(one.agrees for one in vision_multimodal.check_row(row).values())


@given(alpha=exponents, beta=exponents, N=st.floats(1e7, 1e12), slope=st.floats(0, 2))
def test_an_encoder_in_proportion_changes_no_exponent(alpha, beta, N, slope):
    tower = vision_multimodal.VisionTower(share=0.5, slope=slope, intercept=0.0)
    a, b = tower.exponents(N, alpha=alpha, beta=beta)
    assert a == pytest.approx(vision_multimodal.IMPLIED["a"](alpha, beta))
    assert b == pytest.approx(vision_multimodal.IMPLIED["b"](alpha, beta))


@given(alpha=st.floats(0.2, 0.6), beta=st.floats(0.2, 0.6), intercept=st.floats(-2e7, 2e8))
def test_tower_exponents_are_the_slopes_of_the_optimum(alpha, beta, intercept):
    tower = vision_multimodal.VisionTower(share=0.5, slope=0.2, intercept=intercept)

    def optimum(C):
        def loss(n):
            tokens = C / (6 * (np.exp(n) + 0.5 * (0.2 * np.exp(n) + intercept)))
            return 400 * np.exp(-alpha * n) + 400 * tokens**-beta

        return minimize_scalar(
            loss, bounds=(np.log(1e8), np.log(1e14)), method="bounded", options={"xatol": 1e-9}
        ).x

    C = 1e22
    low, middle, high = (optimum(C * factor) for factor in (0.98, 1.0, 1.02))
    assume(np.log(2e8) < middle < np.log(5e13))
    a, _ = tower.exponents(np.exp(middle), alpha=alpha, beta=beta)
    assert (high - low) / np.log(1.02 / 0.98) == pytest.approx(float(a), rel=2e-3)


TWO_ENDED = vision_multimodal.TwoEndedLaw(start=0.97, end=0.25, a=0.4, c=0.7, log_b=10.0)


def test_m4_solves_its_own_equation():
    x = np.geomspace(1e4, 1e10, 25)
    y = TWO_ENDED.loss(x)
    law = TWO_ENDED
    sides = np.log((y - law.end) / (law.start - y) ** law.a), law.log_b - law.c * np.log(x)
    assert sides[0] == pytest.approx(sides[1], abs=1e-6)
    assert (np.diff(y) < 0).all()


def test_m4_without_a_start_is_a_power_law_with_a_floor():
    law = vision_multimodal.TwoEndedLaw(start=0.9, end=0.2, a=1e-12, c=0.5, log_b=4.0)
    x = np.geomspace(1e5, 1e9, 9)
    assert law.loss(x) == pytest.approx(0.2 + np.exp(4.0) * x**-0.5)


def test_a_fit_of_m4_returns_the_law_it_came_from():
    x = np.geomspace(1e5, 1e8, 30)
    fit = vision_multimodal.fit_two_ended(x, TWO_ENDED.loss(x))
    assert fit.rms < 1e-8
    far = np.array([1e9, 1e10])
    assert fit.predict(far) == pytest.approx(TWO_ENDED.loss(far), rel=1e-6)
    assert vision_multimodal.plateau(fit.law) == pytest.approx(0.25, abs=1e-5)


def test_m4_wants_error_rates():
    with pytest.raises(sl.DataError, match="shares of one"):
        vision_multimodal.fit_two_ended(np.arange(1, 8), np.arange(70, 0, -10))


def plain_rounds(x, y, rounds):
    """The alternating steps as they stand, a hundred Newton steps a round, from their first end."""
    u, start, end = np.log(x), 1.0, y.min() - 1e-3
    design = np.stack([np.ones_like(u), -u, np.log(1 - y)], axis=1)
    for _ in range(rounds):
        log_b, c, a = nnls(design, np.log(y - end))[0]
        for _ in range(100):
            above, below = y - end, start - y
            gap = np.log(above) - a * np.log(below) - log_b + c * u
            end += 0.1 * np.mean(gap / above) / np.mean((1 - gap) / above**2)
            start += 0.1 * np.mean(gap / below) / np.mean((a + gap) / below**2)
            end = np.clip(end, 0, y.min() - 1e-3)
            start = np.clip(start, y.max() + 1e-3, 1 + 1e-3)
    return start, end


def test_the_fixed_point_is_where_plain_rounds_lead():
    x = np.geomspace(1e5, 1e8, 30)
    y = TWO_ENDED.loss(x) * np.exp(np.random.default_rng(0).normal(0, 0.005, 30))
    law = vision_multimodal.fit_alternating(x, y).law
    assert (law.start, law.end) == pytest.approx(plain_rounds(x, y, 500), rel=2e-3)


def test_refreshed_it_returns_the_law_it_came_from_and_unrefreshed_it_does_not():
    x = np.geomspace(1e5, 1e8, 30)
    y = TWO_ENDED.loss(x)
    exact = vision_multimodal.fit_alternating(x, y, refresh=True)
    assert exact.law.end == pytest.approx(TWO_ENDED.end, rel=1e-3)
    assert exact.law.start == pytest.approx(TWO_ENDED.start, rel=1e-3)
    assert vision_multimodal.fit_alternating(x, y).law.a > 1.5 * TWO_ENDED.a


def test_alternating_steps_want_error_rates():
    with pytest.raises(sl.DataError, match="error rates below one"):
        vision_multimodal.fit_alternating(np.arange(1, 8), np.arange(70, 0, -10))
