"""One door for any fit: every fit function against bootstrap, profile, back-test and the rest."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib.fit.result import Result
from scalinglib.laws import Sigmoid
from scalinglib.optimum import budget_for_loss, budget_for_params, search_optimum


def grid(law, noise=0.005, **columns):
    """Runs on a grid of sizes and ratios, with noise of a seed."""
    N, M = (v.ravel() for v in np.meshgrid(np.geomspace(1e7, 1e9, 5), [5, 20, 80, 320]))
    runs = pd.DataFrame({"params": N, "tokens": N * M, **columns})
    runs["flops"] = 6 * runs.params * runs.tokens
    loss = law(*(runs[name] for name in ("params", "tokens", *columns)))
    return runs.assign(loss=loss * np.exp(noise * np.random.default_rng(0).standard_normal(20)))


CHINCHILLA = sl.ChinchillaLaw(E=1.8, A=400.0, B=900.0, alpha=0.34, beta=0.3)
KAPLAN = sl.KaplanLaw(alpha_N=0.076, alpha_D=0.103, N_c=6.4e13, D_c=1.8e13)
REPEATED = sl.DataConstrainedLaw(CHINCHILLA, R_D=15.0, R_N=5.0)
RUNS = grid(CHINCHILLA.loss)
ROWS = np.random.default_rng(1).integers(0, 20, size=(40, 20))
ENVELOPE = pd.DataFrame(
    [(N, N, D, CHINCHILLA.loss(N, D)) for N in np.geomspace(1e8, 1e10, 12)
     for D in np.geomspace(1e9, 1e12, 40)],
    columns=["run", "params", "tokens", "loss"],
)  # fmt: skip
Own = sl.Curve.define(lambda x, a, b: a - b * np.log(x), starts=[4.0, 0.1], name="Own")


class Door(NamedTuple):
    """A fit, the runs it takes, what its predict takes, a parameter, and what it refuses."""

    fit: Callable[[pd.DataFrame], Any]
    runs: pd.DataFrame
    scale: tuple[str, ...]
    parameter: str
    refused: Mapping[str, str] = MappingProxyType({})


SELF = dict.fromkeys(("bootstrap", "profile"), "a FrontierFit cannot be .* its own resample")
ISOFLOP = sl.load("isoflop_runs").query("experiment == 'chinchilla'").rename(
    columns={"budget_flops": "budget"}
)  # fmt: skip
COUNTS = pd.DataFrame(
    {
        "n_samples": 100,
        "n_correct": 1 + np.random.default_rng(0).binomial(99, np.linspace(0, 0.4, 60)),
    }
)
TWO = pd.concat([RUNS.assign(corpus="a"), RUNS.assign(corpus="b", loss=1.05 * RUNS.loss)])
TWO = TWO.reset_index(drop=True)

DOORS = {
    "chinchilla": Door(sl.fit_chinchilla, RUNS, ("params", "tokens"), "alpha"),
    "kaplan": Door(sl.fit_kaplan, grid(KAPLAN.loss), ("params", "tokens"), "alpha_D"),
    "repeated": Door(
        lambda r: sl.fit_data_constrained(r, base=CHINCHILLA),
        grid(REPEATED.loss, noise=1e-3, unique_tokens=1e8),
        ("params", "tokens", "unique_tokens"),
        "R_D",
    ),
    "power": Door(lambda r: sl.fit_power_law(r.flops, r.loss), RUNS, ("flops",), "alpha"),
    "floor": Door(
        lambda r: sl.fit_power_law(r.flops, r.loss, offset=True), RUNS, ("flops",), "alpha"
    ),
    "free floor": Door(
        lambda r: sl.fit_power_law(r.flops, r.loss, offset="free"), RUNS, ("flops",), "alpha"
    ),
    "saturating": Door(lambda r: sl.fit_saturating(r.flops, r.loss), RUNS, ("flops",), "alpha"),
    "shifted": Door(
        lambda r: sl.fit_shifted_power_law(r.flops, r.loss),
        RUNS.assign(loss=sl.ShiftedPowerLaw(A=1e7, alpha=0.35, d=3e18, E=1.5).loss(RUNS.flops)
                    * np.exp(1e-3 * np.sin(np.arange(20) ** 2))),
        ("flops",), "alpha",
    ),
    "curve": Door(
        lambda r: sl.fit_curve(Own, r.flops, r.loss), RUNS, ("flops",), "b"
    ),
    "logged curve": Door(
        lambda r: sl.fit_curve(Own, r.flops, r.loss, transform=np.log), RUNS, ("flops",), "b"
    ),
    "own law": Door(
        lambda r: sl.fit_law(
            r, lambda N, D, E, A, alpha: E + A * (N * D) ** -alpha,
            starts=[[1.5, 1e3, 0.15], [1.5, 1e2, 0.1]], loss="l2",
        ),
        RUNS, ("params", "tokens"), "alpha",
    ),
    "overtraining": Door(
        sl.fit_overtraining, RUNS, ("params", "tokens"), "eta",
        {"profile": "an? OvertrainingFit cannot be profiled; .*fit_chinchilla"},
    ),
    "corpora": Door(
        lambda r: sl.fit_corpora(r, reference="a"), TWO, ("params", "tokens", "corpus"), "alpha",
        dict.fromkeys(("bootstrap", "profile"), "a CorpusFit cannot be .*resample"),
    ),
    "beta": Door(
        sl.fit_beta_binomial, COUNTS, ("n_samples",), "alpha",
        {"bootstrap": "alpha_se", "profile": "alpha_se", "backtest": "predicts no loss"},
    ),
    "isoflop": Door(
        lambda r: sl.fit_isoflop(r, budget="budget"), ISOFLOP, ("budget",), "a",
        SELF | {"backtest": "predicts no loss"},
    ),
    "envelope": Door(
        sl.fit_envelope, ENVELOPE, ("tokens",), "a", SELF | {"backtest": "predicts no loss"}
    ),
}  # fmt: skip

BACKTEST = {
    "beta": {"by": "n_correct", "observed": "n_samples"},
    "isoflop": {"by": "budget"},
    "envelope": {"by": "tokens"},
    "repeated": {"by": "tokens"},
}


@pytest.fixture(scope="module")
def fits():
    return {name: door.fit(door.runs) for name, door in DOORS.items()}


each = pytest.mark.parametrize("name", DOORS)


def through(name, door, call):
    """The answer of a door, or None where it must refuse in words that say what to do instead."""
    refused = DOORS[name].refused.get(door)
    if refused is None:
        return call()
    with pytest.raises((sl.DataError, sl.FitError), match=refused):
        call()
    return None


@each
def test_every_fit_predicts_and_sums_itself_up(name, fits):
    fit, door = fits[name], DOORS[name]
    predicted = np.asarray(fit.predict(*(door.runs[column] for column in door.scale)))
    assert len(predicted) == len(door.runs)
    assert np.isfinite(predicted.astype(float)).all()
    summary = fit.summary()
    assert np.isfinite(summary["value"]).all()
    assert set(summary["role"]) <= {"fitted", "held"}


@each
def test_every_fit_is_bootstrapped_or_says_what_to_do(name, fits):
    fit = fits[name]
    boot = through(name, "bootstrap", lambda: sl.bootstrap(fit, resamples=ROWS))
    if boot is None:
        return
    assert list(boot.params) == list(fit.params.index)
    low, high = boot.interval(DOORS[name].parameter)
    assert low <= high
    points = [DOORS[name].runs[column].iloc[:3] for column in DOORS[name].scale]
    for kind in ("confidence", "predictive"):
        band = boot.band(*points, kind=kind)
        assert (band.low <= band.high).all()
        assert band.predicted.to_numpy() == pytest.approx(fit.predict(*points))
    again, objective = fit.again()(np.ones((1, fit.n_runs)))
    assert again[0] == pytest.approx(fit.params.to_numpy(), rel=1e-4, abs=1e-12)
    assert objective[0] == pytest.approx(fit.objective, rel=1e-6)


@each
def test_every_fit_is_profiled_or_says_what_to_do(name, fits):
    door = DOORS[name]
    found = through(name, "profile", lambda: sl.profile(fits[name], door.parameter))
    if found is not None:
        assert found.low <= fits[name].params[door.parameter] <= found.high


@each
def test_every_fit_is_back_tested_or_says_what_to_do(name):
    door = DOORS[name]
    options = {"by": "flops"} | BACKTEST.get(name, {})
    test = through(name, "backtest", lambda: sl.backtest(door.runs, fit=door.fit, **options))
    if test is not None:
        assert isinstance(test.fit, Result)
        assert np.isfinite(test.table["error"]).all()
        assert len(test.table) >= 4


def test_columns_that_were_not_fitted_are_refused():
    with pytest.raises(sl.DataError, match="the fit was not to these columns, params"):
        sl.backtest(RUNS, fit=lambda runs: sl.fit_power_law(runs.tokens, runs.loss))
    named = sl.backtest(
        RUNS, fit=lambda runs: sl.fit_power_law(runs.tokens, runs.loss), scale=("tokens",)
    )
    assert named.table.predicted.notna().all()
    with pytest.raises(sl.DataError, match="no column 'scores', which the fit predicts from"):
        sl.backtest(RUNS, fit=sl.fit_chinchilla, scale=("scores",))
    with pytest.raises(sl.DataError, match="a PowerLaw cannot be judged"):
        sl.backtest(RUNS, fit=lambda runs: sl.fit_power_law(runs.flops, runs.loss).law)


@pytest.mark.parametrize("thing", [CHINCHILLA, None, 3.0, RUNS])
def test_what_is_no_fit_is_refused(thing):
    with pytest.raises(sl.DataError, match=r"cannot be .*give a fit that this package returns"):
        sl.bootstrap(thing)
    with pytest.raises(sl.DataError, match="cannot be profiled"):
        sl.profile(thing, "alpha")


@pytest.mark.parametrize(
    "ask",
    [
        lambda law: sl.compute_optimal(law, 1e21).N,
        lambda law: sl.isoflop_curve(law, 1e21, [1e8, 1e9]).loss,
        lambda law: sl.isoloss_curve(law, 2.5, 1e9).D,
        lambda law: sl.inference_optimal(law, 2.5, 1e12).chosen.N,
        lambda law: budget_for_params(law, 1e9),
        lambda law: budget_for_loss(law, 2.5),
        lambda law: search_optimum(law, 1e21).N,
        lambda law: sl.log_likelihood(law, RUNS),
        lambda law: sl.objective(law, RUNS),
    ],
)
@pytest.mark.parametrize("name", ["chinchilla", "overtraining"])
def test_what_takes_a_law_takes_a_fit(ask, name, fits):
    law = fits[name].law
    np.testing.assert_array_equal(ask(fits[name]), ask(getattr(law, "chinchilla", law)))


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("isoflop", r"params\(C\) and tokens\(C\)"),
        ("corpora", r"fit.law\['a'\]"),
        ("power", "give a ChinchillaLaw or a fit of one"),
        ("own law", "scan isoflop_curve"),
    ],
)
def test_fits_without_a_closed_split_say_what_to_do(name, remedy, fits):
    with pytest.raises(sl.DataError, match=remedy):
        sl.compute_optimal(fits[name], 1e21)


def test_an_own_law_can_be_scanned_as_the_remedy_says():
    own = sl.fit_law(
        RUNS,
        lambda N, D, E, A, B, alpha, beta: E + A * N**-alpha + B * D**-beta,
        starts=[[1.5, 300, 900, 0.3, 0.3], [1.8, 500, 500, 0.35, 0.3]],
    )
    engine = sl.fit_chinchilla(RUNS)
    assert own.objective == pytest.approx(engine.objective, rel=1e-6)
    best = search_optimum(own, 1e21)
    assert pytest.approx(sl.compute_optimal(engine, 1e21).N, rel=1e-2) == best.N


def test_a_fit_is_a_base_for_repeated_data():
    base = sl.fit_chinchilla(RUNS)
    runs = DOORS["repeated"].runs
    one = sl.fit_data_constrained(runs, base=base)
    assert one.params.equals(sl.fit_data_constrained(runs, base=base.law).params)
    tied = sl.fit_overtraining(RUNS)
    assert sl.fit_data_constrained(runs, base=tied).law.base == tied.law.chinchilla
    with pytest.raises(sl.DataError, match="base is a KaplanLaw; give a ChinchillaLaw"):
        sl.fit_data_constrained(runs, base=KAPLAN)


@pytest.mark.parametrize("own", [[20, 17], [3, 20, 11], [20, 20]])
def test_ragged_resamples_are_those_of_each_row(own):
    fit = sl.fit_power_law(RUNS.flops, RUNS.loss)
    rows = [np.random.default_rng(k).integers(0, 20, size=size) for k, size in enumerate(own)]
    boot = sl.bootstrap(fit, resamples=rows)
    for row, found in zip(rows, boot.params.to_numpy(), strict=True):
        alone = sl.fit_power_law(RUNS.flops.to_numpy()[row], RUNS.loss.to_numpy()[row])
        assert found == pytest.approx(alone.params.to_numpy(), rel=1e-9)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([np.arange(20), np.arange(30)], "positions from 0 to 29"),
        ([np.arange(20), []], "integer"),
        ([np.arange(20), np.arange(0)], "0 to 19 in every row"),
        ([np.arange(3), [-1, 0]], "0 to 19 in every row"),
        ([np.arange(3), [0.5]], "integer"),
        ([[[0]], [1]], "integer"),
        ([], "two rows"),
    ],
)
def test_bad_resamples_are_refused(rows, message):
    with pytest.raises(sl.DataError, match=message):
        sl.bootstrap(sl.fit_power_law(RUNS.flops, RUNS.loss), resamples=rows)


def test_a_band_under_another_transform_is_refused():
    fit = sl.fit_curve(Sigmoid, np.arange(8.0), 1 / (1 + np.exp(np.arange(8.0) - 4)),
                       transform=np.sqrt)  # fmt: skip
    boot = sl.bootstrap(fit, resamples=np.tile(np.arange(8), (2, 1)))
    assert len(boot.band([1.0, 2.0])) == 2
    with pytest.raises(sl.DataError, match="under another transform"):
        boot.band([1.0], kind="predictive")
