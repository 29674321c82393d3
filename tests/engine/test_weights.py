"""Weights and standard errors: what a point counts, against SciPy and against repetition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

import scalinglib as sl
from scalinglib.laws import ExponentialErrorLaw, Sigmoid
from tests.examples import few

X = np.geomspace(1e6, 1e9, 12)
SD = np.random.default_rng(0).uniform(0.005, 0.05, 12)
Y = (1.5 + 40 * X**-0.25) * np.exp(SD * np.random.default_rng(1).standard_normal(12))
LAW = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)


def grid(seed=0, noise=0.01, *, repeated=False):
    N, D = (v.ravel() for v in np.meshgrid(np.geomspace(1e7, 1e10, 5), np.geomspace(1e9, 1e11, 4)))
    law = sl.DataConstrainedLaw(LAW, R_D=15.0, R_N=5.0) if repeated else LAW
    loss = law.loss(N, D, 1e9) if repeated else law.loss(N, D)
    loss = loss * np.exp(noise * np.random.default_rng(seed).standard_normal(20))
    return pd.DataFrame({"params": N, "tokens": D, "loss": loss, "unique_tokens": 1e9})


FITS = {
    "power": lambda r, **w: sl.fit_power_law(r.params, r.loss, **w),
    "floor": lambda r, **w: sl.fit_power_law(r.params, r.loss, offset=True, **w),
    "free floor": lambda r, **w: sl.fit_power_law(r.params, r.loss, offset="free", **w),
    "saturating": lambda r, **w: sl.fit_saturating(r.params, r.loss, **w),
    "shifted": lambda r, **w: sl.fit_shifted_power_law(r.params, r.loss, **w),
    "chinchilla": sl.fit_chinchilla,
    "chinchilla lad": lambda r, **w: sl.fit_chinchilla(r, loss="lad", **w),
    "kaplan": sl.fit_kaplan,
    "repeated": lambda r, **w: sl.fit_data_constrained(r, base=LAW, **w),
    "overtraining": sl.fit_overtraining,
    "curve": lambda r, **w: sl.fit_curve(ExponentialErrorLaw, np.log(r.params), r.loss / 10, **w),
    "own law": lambda r, **w: sl.fit_law(
        r, lambda N, D, E, A, alpha: E + A * (N * D) ** -alpha, starts=[1.5, 1e2, 0.1], **w
    ),
}  # fmt: skip
each = pytest.mark.parametrize("name", FITS)


@each
def test_a_run_of_weight_w_counts_as_w_squared_runs(name):
    runs = grid(repeated=name == "repeated")
    times = np.random.default_rng(3).integers(1, 4, 20)
    one = FITS[name](runs, weights=np.sqrt(times))
    other = FITS[name](runs.loc[np.repeat(runs.index, times)].reset_index(drop=True))
    assert one.objective == pytest.approx(other.objective, rel=1e-7)
    repeated = np.repeat(one.residuals.to_numpy(), times)
    assert repeated == pytest.approx(other.residuals.to_numpy(), abs=1e-6)


@each
def test_only_ratios_of_weights_move_the_fit(name):
    runs = grid(repeated=name == "repeated")
    weights = np.random.default_rng(3).uniform(0.5, 2, 20)
    one, other = (FITS[name](runs, weights=scale * weights) for scale in (1.0, 1e3))
    assert other.residuals.to_numpy() == pytest.approx(one.residuals.to_numpy(), abs=1e-6)
    assert other.objective == pytest.approx(1e6 * one.objective, rel=1e-7)


@each
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"weights": np.ones(3)}, "weights has 3, y has 20"),
        ({"weights": np.r_[np.ones(19), 0]}, "weights: 0 is not a positive finite"),
        ({"sigma": np.r_[np.ones(19), np.nan]}, "sigma: nan is not a positive finite"),
        ({"sigma": np.r_[-1.0, np.ones(19)]}, "row 0, sigma: -1 is not"),
        ({"weights": np.ones(20), "sigma": np.ones(20)}, "weights and sigma are both given"),
        ({"weights": "errors"}, "weights='errors' is not a column"),
        ({"weights": ["a"] * 20}, "'a' is not a number"),
        ({"weights": pd.Series(np.ones(20), index=range(1, 21))}, "different row labels"),
    ],
)
def test_bad_weights_are_named(name, given, message):
    with pytest.raises(sl.DataError, match=message):
        FITS[name](grid(), **given)


def test_a_column_names_the_weights_through_a_back_test():
    runs = grid().assign(w=np.linspace(1, 2, 20))
    one = sl.fit_chinchilla(runs, weights="w")
    assert one.params.equals(sl.fit_chinchilla(runs, weights=runs.w).params)
    test = sl.backtest(runs, fit=lambda r: sl.fit_chinchilla(r, weights="w"))
    assert test.fit.n_runs == 16


def test_two_points_with_standard_errors_are_a_textbook_answer():
    x, y, s = np.array([235e6, 610e6]), np.array([0.077, 0.054]), np.array([0.0086, 0.0055])
    fit = sl.fit_power_law(x, y, sigma=s)
    error = np.hypot(*(s / y)) / np.log(x[1] / x[0])
    found = fit.summary().loc["alpha"]
    assert (found.value, found.standard_error) == pytest.approx((0.37198, error), rel=1e-4)
    low, high = sl.profile(fit, "alpha").interval
    assert (high - low) / 2 == pytest.approx(1.959964 * error, rel=1e-3)
    assert any("exactly" in sentence for sentence in fit.warnings)
    with pytest.raises(sl.FitError, match="at least 3 distinct points"):
        sl.fit_power_law(x, y)
    with pytest.raises(sl.FitError, match="2 distinct points"):
        sl.fit_power_law(x[:1], y[:1], sigma=s[:1])


@pytest.mark.parametrize("offset", [False, True, "free"])
def test_errors_of_a_power_law_are_scipys(offset):
    def formula(x, A, alpha, E=0.0):
        return np.log(E + abs(A) * x**-alpha)

    p0 = [40, 0.25, 1.5] if offset else [40, 0.25]
    options = {"sigma": SD, "absolute_sigma": True, "xtol": 1e-13}
    best, covariance = curve_fit(formula, X, np.log(Y), p0=p0, **options)
    size = len(best)
    fit = sl.fit_power_law(X, Y, offset=offset, sigma=SD * Y)
    assert fit.params.to_numpy()[:size] == pytest.approx(best, rel=1e-4)
    errors = fit.standard_errors.to_numpy()
    assert errors[:size] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
    assert np.isnan(errors[size:]).all()
    chi_square = np.sum(((np.log(Y) - formula(X, *best)) / SD) ** 2)
    assert 2 * fit.objective == pytest.approx(chi_square, rel=1e-6)


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("transform", [None, np.log])
def test_errors_of_a_curve_are_scipys(absolute, transform):
    x, true = np.linspace(0.0, 6.0, 40), Sigmoid(low=0.2, high=0.9, slope=-2.0, middle=2.5)
    sd = np.random.default_rng(2).uniform(0.002, 0.02, 40)
    y = true.value(x) + sd * np.random.default_rng(4).standard_normal(40)
    change = transform or (lambda v: v)
    scaled = sd / y if transform else sd
    best, covariance = curve_fit(
        lambda x, *p: change(Sigmoid.formula(x, *p)), x, change(y), p0=true.params,
        sigma=scaled, absolute_sigma=absolute, xtol=1e-13,
    )  # fmt: skip
    given = {"sigma": sd} if absolute else {"weights": 1 / scaled}
    fit = sl.fit_curve(Sigmoid, x, y, transform=transform, **given)
    assert fit.params.to_numpy() == pytest.approx(best, rel=1e-6)
    assert fit.standard_errors.to_numpy() == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-4)


def test_errors_without_sigma_are_refused():
    for fit in (sl.fit_power_law(X, Y), sl.fit_chinchilla(grid(), sigma=np.full(20, 0.01))):
        with pytest.raises(sl.DataError, match="given as sigma to a fit with loss='l2'"):
            _ = fit.standard_errors
        assert "standard_error" not in fit.summary()


def test_a_profile_takes_sigma_at_its_word():
    free = sl.profile(sl.fit_power_law(X, Y, offset=True, weights=1 / SD), "alpha").interval
    wide = sl.profile(sl.fit_power_law(X, Y, offset=True, sigma=3 * SD * Y), "alpha").interval
    known = sl.profile(sl.fit_power_law(X, Y, offset=True, sigma=SD * Y), "alpha").interval
    assert wide[1] - wide[0] > 2 * (known[1] - known[0])
    assert free != known


def test_a_poor_point_that_is_known_to_be_poor_is_no_outlier():
    y = 40 * X**-0.25 * np.exp(0.005 * np.random.default_rng(5).standard_normal(12))
    y[4] *= 1.5
    weights = np.where(np.arange(12) == 4, 0.01, 1.0)
    assert any("check or exclude" in s for s in sl.fit_power_law(X, y, loss="huber").warnings)
    assert sl.fit_power_law(X, y, loss="huber", weights=weights).warnings == ()


@few
@given(scale=st.floats(-6, 6), seed=st.integers(0, 1000))
def test_an_exact_law_returns_under_any_weights(scale, seed):
    weights = 10**scale * np.random.default_rng(seed).uniform(0.1, 10, 12)
    law = sl.PowerLaw(A=40.0, alpha=0.25, E=1.5)
    fit = sl.fit_power_law(X, law.loss(X), offset=True, weights=weights)
    assert fit.params.to_numpy() == pytest.approx([40.0, 0.25, 1.5], rel=1e-7)
    assert fit.warnings == ()


def test_corpora_are_weighed_too():
    one = grid().assign(corpus="a")
    runs = pd.concat([one, grid(1).assign(corpus="b")]).reset_index(drop=True)
    times = np.random.default_rng(3).integers(1, 3, 40)
    fit = sl.fit_corpora(runs, reference="a", weights=np.sqrt(times))
    other = sl.fit_corpora(runs.loc[np.repeat(runs.index, times)], reference="a")
    assert fit.params.to_numpy() == pytest.approx(other.params.to_numpy(), rel=1e-6)
