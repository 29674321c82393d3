"""Which way the points run: accuracies under falling laws, floors below zero, own curves."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

import scalinglib as sl
from scalinglib.laws import BrokenPowerLaw, ExponentiatedPowerLaw, LogLinear, RectifiedLaw
from tests.examples import few

X = np.geomspace(1e2, 1e6, 12)
ACCURACIES = {
    "saturating": 0.9 - 3 * X**-0.3,
    "percent": 100 * (0.9 - 3 * X**-0.3),
    "logistic": 1 / (1 + np.exp(-0.8 * (np.log(X) - 9))),
    "noisy": (0.9 - 3 * X**-0.3) * np.exp(0.02 * np.random.default_rng(0).standard_normal(12)),
}
RUNS = sl.load("chinchilla_runs").query("not excluded")


def rises(fit):
    return any("rises with" in told and "1 - y" in told for told in fit.warnings)


@pytest.mark.parametrize("name", ACCURACIES)
def test_an_accuracy_under_a_falling_law_is_told(name):
    assert rises(sl.fit_power_law(X, ACCURACIES[name], offset=True))
    assert rises(sl.fit_power_law(X, ACCURACIES[name])) == (name != "percent")
    with pytest.raises(sl.FitError, match=r"rises with x.*fit the error rate, 1 - y"):
        sl.fit_shifted_power_law(X, ACCURACIES[name])


@pytest.mark.parametrize("fit", [sl.fit_chinchilla, sl.fit_kaplan])
def test_accuracies_of_runs_are_told(fit):
    assert rises(fit(RUNS.assign(loss=1 - RUNS.loss / 6)))
    assert not rises(fit(RUNS))


@pytest.mark.parametrize("seed", range(20))
def test_what_falls_or_is_meant_to_rise_is_not_told(seed):
    draws = np.random.default_rng(seed)
    noise = np.exp(0.02 * draws.standard_normal(12))
    assert not rises(sl.fit_power_law(X, (0.1 + 3 * X**-0.3) * noise, offset=True))
    # Compute-optimal parameters grow with compute, and a plain power law is for that too.
    assert not rises(sl.fit_power_law(X, 20 * X**0.5 * noise))
    assert not rises(sl.fit_power_law(X[:3], X[:3] ** 0.1 / 10))


@few
@given(alpha=st.floats(0.05, 1.0), E=st.floats(0.0, 10.0))
def test_negative_exponents_are_found_where_the_form_allows(alpha, E):
    fit = sl.fit_power_law(X, E + 2 * X**alpha, offset=True)
    assert fit.law.alpha == pytest.approx(-alpha, abs=1e-6)
    assert pytest.approx(E, abs=1e-4) == fit.law.E


def test_a_rising_curve_that_levels_off_is_found_or_refused():
    law = sl.SaturatingLaw(A=0.5, d=1e-4, alpha=-0.1)
    fit = sl.fit_saturating(X, law.loss(X))
    assert fit.params.to_numpy() == pytest.approx([0.5, 1e-4, -0.1], rel=1e-6)
    assert rises(fit)


x60 = np.r_[1:11, 15, 20, 25, 30, 40, 50, 60]
RUNAWAYS = {
    "accuracy": (x60, 0.47 * np.exp(-2.5 / x60)),
    "falling": (x60, 0.47 * np.exp(2.5 / x60)),
    "steep": (x60, 0.1 * np.exp(-4.0 / x60)),
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_saturating_laws_refuse_what_runs_away(name):
    with pytest.raises(sl.FitError, match="alpha and d grow without end"):
        sl.fit_saturating(*RUNAWAYS[name])


FORUM = (
    [0.015, 0.025, 0.035, 0.045, 0.055, 0.065, 0.075, 0.085, 0.095, 0.125, 0.175, 0.225, 0.275],
    [5.62837, 4.62408, 3.73666, 3.06682, 2.57519, 2.08151, 1.71527, 1.46862, 1.25019, 0.80178,
     0.43372, 0.26012, 0.19396],
)  # fmt: skip
FLOORS = {
    "forum": FORUM,
    "slight": (X, 5 * X**-0.1 - 1.1),
    "noisy": (X, (5 * X**-0.1 - 1.0) * np.exp(0.01 * np.random.default_rng(2).standard_normal(12))),
    "small unit": (X, 1e-9 * (5 * X**-0.1 - 1.1)),
}


@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_below_zero_is_told_and_found_on_request(name):
    x, y = (np.array(v) for v in FLOORS[name])
    held, free = (sl.fit_power_law(x, y, offset=offset) for offset in (True, "free"))
    assert any("would go below" in s and "offset='free'" in s for s in held.warnings)
    assert free.law.E < 0
    assert not any("below" in s for s in free.warnings)
    unit = y.max()

    def residual(p):
        with np.errstate(all="ignore"):
            return np.nan_to_num(np.log(p[2] + np.exp(p[0]) * x ** -p[1]) - np.log(y / unit), nan=9)

    found = [
        least_squares(residual, [np.log(1 - E), k, E], xtol=1e-15, ftol=1e-15, gtol=1e-15)
        for k in (0.1, 0.3, 0.7, 1.2) for E in (-2.0, -0.5, -0.1, -0.01)
    ]  # fmt: skip
    assert free.objective <= min(one.cost for one in found) * (1 + 1e-9) + 1e-20


def test_the_forum_question_has_its_answer():
    fit = sl.fit_power_law(*FORUM, offset="free")
    assert fit.params.to_dict() == pytest.approx(
        {"A": 0.3376, "alpha": 0.7475, "E": -0.7176}, abs=1e-4
    )
    assert fit.objective == pytest.approx(0.10381, abs=1e-5)
    low, high = sl.profile(fit, "E").interval
    assert low < -0.7176 < high < 0
    held = sl.fit_power_law(*FORUM, offset="free", fixed={"E": -0.5})
    assert pytest.approx(-0.5, rel=1e-14) == held.law.E
    assert held.objective > fit.objective


@few
@given(E=st.floats(-0.5, 3.0), alpha=st.floats(0.1, 0.8))
def test_a_free_floor_of_either_sign_returns_without_noise(E, alpha):
    x = np.geomspace(1, 1e3, 15)
    y = E + 5 * x**-alpha
    if y.min() <= 0.01:
        return
    fit = sl.fit_power_law(x, y, offset="free")
    assert pytest.approx(E, abs=1e-5) == fit.law.E
    assert fit.law.alpha == pytest.approx(alpha, abs=1e-5)


def test_a_floor_at_zero_seldom_claims_to_go_below():
    told = 0
    for seed in range(200):
        y = 5 * X**-0.3 * np.exp(0.02 * np.random.default_rng(seed).standard_normal(12))
        fit = sl.fit_power_law(X, y, offset=True)
        told += any("would go below" in s for s in fit.warnings)
    assert told <= 6


def test_an_unknown_offset_is_refused():
    with pytest.raises(sl.DataError, match="offset must be True, False or 'free'"):
        sl.fit_power_law(X, 1 / X, offset="negative")


OUTSIDE = [
    (sl.BestOfNLaw, -0.01, "not negative"),
    (sl.ReinforcementLaw, -0.01, "not negative"),
    (LogLinear, 0.0, "positive"),
    (ExponentiatedPowerLaw, 0.0, "positive"),
    (BrokenPowerLaw, -3.0, "positive"),
    (RectifiedLaw, 0.0, "positive"),
]


@pytest.mark.parametrize(("curve", "bad", "domain"), OUTSIDE)
@pytest.mark.parametrize("at", [0, 5, 7])
def test_x_outside_a_curve_is_named_by_position(curve, bad, domain, at):
    x, y = np.linspace(1, 4, 8), np.linspace(0.1, 0.3, 8)
    x[at] = bad
    message = (
        f"x is {bad:g} at position {at}, and {curve.__name__} is defined only for x .*{domain}"
    )
    with pytest.raises(sl.DataError, match=message):
        sl.fit_curve(curve, x, y)
    with pytest.raises(sl.DataError, match=message):
        curve.of(np.full(len(curve.names()), 0.5)).value(x)


def test_zero_is_where_over_optimisation_starts():
    kl = np.array([0.0, 0.2, 0.6, 1.2, 2.0])
    for curve in (sl.BestOfNLaw, sl.ReinforcementLaw):
        law = curve(alpha=0.5, beta=0.1)
        assert sl.fit_curve(curve, kl, law.value(kl)).params["alpha"] == pytest.approx(0.5)


def decay(x, top, rate, floor):
    return floor + top * np.exp(-rate * np.abs(x))


def slopes(x, top, rate, floor):
    fall = np.exp(-rate * np.abs(x))
    return fall, -top * np.abs(x) * fall, 1.0


KINDS = {
    "differences": {},
    "gradient": {"gradient": slopes},
    "exact": {"exact": True},
    "starts of the points": {"starts": lambda x, y: [[np.ptp(y), 1.0, y.min()], [1.0, 0.1, 0.0]]},
}


@pytest.mark.parametrize("name", KINDS)
def test_a_curve_of_your_own_fits_as_scipy_does(name):
    x = np.linspace(0, 6, 30)
    y = decay(x, 4, 0.7, 0.5) + 0.02 * np.random.default_rng(0).standard_normal(30)
    options = {"starts": [1.0, 0.1, 0.0], "bounds": {"floor": (0, np.inf)}} | KINDS[name]
    Own = sl.Curve.define(decay, name="Decay", **options)
    fit = sl.fit_curve(Own, x, y)
    oracle = least_squares(lambda p: decay(x, *p) - y, [3, 1, 0.1], xtol=1e-14)
    assert fit.params.to_numpy() == pytest.approx(oracle.x, rel=1e-6)
    assert list(fit.params.index) == ["top", "rate", "floor"]
    covariance = np.linalg.inv(oracle.jac.T @ oracle.jac) * 2 * oracle.cost / 27
    assert fit.standard_errors.to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-4)
    assert sl.fit_curve(Own, x, y, transform=np.sqrt).objective < 1


def test_a_bound_of_your_own_is_kept_and_told():
    x = np.linspace(0, 6, 30)
    Own = sl.Curve.define(decay, starts=[1.0, 0.1, 0.0], bounds={"floor": (0.6, np.inf)})
    fit = sl.fit_curve(Own, x, decay(x, 4, 0.7, 0.5))
    assert fit.at_bound == ("floor",)
    found = sl.profile(sl.fit_curve(Own, x, decay(x, 4, 0.7, 0.7) + 0.01 * np.sin(x**2)), "floor")
    assert 0.6 <= found.low < 0.7 < found.high


def test_the_profile_of_a_straight_line_is_the_t_interval():
    from scipy.stats import linregress, t

    x = np.linspace(0, 5, 12)
    y = 1 + 2 * x + 0.3 * np.random.default_rng(0).standard_normal(12)
    Line = sl.Curve.define(lambda x, a, b: a + b * x, starts=[0.0, 1.0])
    plain = linregress(x, y)
    low, high = sl.profile(sl.fit_curve(Line, x, y), "b", level=0.9).interval
    reach = t.ppf(0.95, 10) * plain.stderr
    assert (low, high) == pytest.approx((plain.slope - reach, plain.slope + reach), rel=1e-6)


@pytest.mark.parametrize(
    ("formula", "options", "message"),
    [
        (lambda x: x, {}, "must name its parameters"),
        (lambda x, *p: x, {}, "must name its parameters"),
        (lambda x, a: a * x, {"bounds": {"b": (0, 1)}}, r"bounds\['b'\]"),
        (lambda x, a: a * x, {"bounds": {"a": (1, 0)}}, "rising pair"),
    ],
)
def test_a_formula_that_cannot_be_fitted_is_refused(formula, options, message):
    with pytest.raises(sl.DataError, match=message):
        sl.Curve.define(formula, starts=[1.0], **options)


def test_a_point_where_the_formula_fails_is_named():
    Own = sl.Curve.define(lambda x, a, b: a + b * np.log(x), starts=[1.0, 1.0], name="Own")
    with pytest.raises(sl.DataError, match=r"Own is not a finite number at position 2, x = -1"):
        sl.fit_curve(Own, [1.0, 2.0, -1.0, 3.0], [1.0, 2.0, 2.5, 3.0])
    with pytest.raises(sl.DataError, match="starts must have one row per start and 2 columns"):
        sl.fit_curve(sl.Curve.define(lambda x, a, b: a + b * x, starts=[1.0]), [1, 2, 3], [1, 2, 4])


def test_a_law_of_your_own_finds_what_the_engine_finds():
    formula = lambda N, D, E, A, B, alpha, beta: E + A * N**-alpha + B * D**-beta  # noqa: E731
    starts = [[1.5, 300, 1000, 0.3, 0.3], [1.8, 500, 2000, 0.35, 0.35]]
    for options in ({}, {"loss": "l2"}, {"delta": 1e-2}, {"loss": "l2", "sigma": "sd"}):
        runs = RUNS.assign(sd=0.01 * RUNS.loss)
        own = sl.fit_law(runs, formula, starts=starts, **options)
        engine = sl.fit_chinchilla(runs, **options)
        assert own.objective == pytest.approx(engine.objective, rel=1e-7)
        assert own.params[engine.params.index].to_numpy() == pytest.approx(
            engine.params.to_numpy(), rel=1e-3
        )
    held = sl.fit_law(RUNS, formula, starts=starts, fixed={"alpha": 0.34})
    engine = sl.fit_chinchilla(RUNS, fixed={"alpha": 0.34})
    assert held.objective == pytest.approx(engine.objective, rel=1e-7)


def test_a_law_of_other_columns():
    runs = pd.DataFrame({"batch": np.geomspace(8, 512, 16), "lr": np.tile([1e-3, 3e-3], 8)})
    runs["loss"] = 2 + 3 * runs.batch**-0.4 + 50 * runs.lr
    fit = sl.fit_law(
        runs, lambda b, lr, E, A, k, c: E + A * b**-k + c * lr,
        starts=[1.0, 1.0, 0.5, 10.0], columns=("batch", "lr"), loss="l2",
    )  # fmt: skip
    assert fit.params.to_numpy() == pytest.approx([2, 3, 0.4, 50], rel=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "lad"}, "loss must be 'huber' or 'l2'"),
        ({"columns": ("params",)}, "columns two"),
        ({"columns": ("params", "size")}, "no column 'size'"),
        ({"delta": -1}, "delta must be positive"),
        ({"starts": [1.0]}, "starts must have one row per start and 3 columns"),
        ({"fixed": {"z": 1}}, "'z' is not a parameter of your law"),
    ],
)
def test_bad_options_of_a_law_are_named(options, message):
    formula = lambda N, D, E, A, k: E + A * (N * D) ** -k  # noqa: E731
    with pytest.raises(sl.DataError, match=message):
        sl.fit_law(RUNS, formula, **({"starts": [1.5, 1e3, 0.2]} | options))
