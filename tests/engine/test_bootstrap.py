"""Resampling is exact, repeatable and independent of who does the work."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import scalinglib as sl

TRUE = sl.ChinchillaLaw(E=1.8172, A=477.83, B=2143.4, alpha=0.3473, beta=0.3672)


@pytest.fixture(scope="module")
def fit(synthetic_runs):
    return sl.fit_chinchilla(synthetic_runs(TRUE, 60, noise=0.01, seed=2))


@pytest.fixture(scope="module")
def boot(fit):
    return sl.bootstrap(fit, n=2500, seed=3)


def test_each_resample_is_the_fit_of_its_runs(synthetic_runs):
    runs = synthetic_runs(TRUE, 60, noise=0.01, seed=2)
    positions = np.random.default_rng(5).integers(0, 60, (12, 60))
    boot = sl.bootstrap(sl.fit_chinchilla(runs), resamples=positions)
    for row, params, objective in zip(
        positions, boot.params.to_numpy(), boot.objectives, strict=True
    ):
        alone = sl.fit_chinchilla(runs.iloc[row])
        assert objective == pytest.approx(alone.objective, rel=1e-9)
        np.testing.assert_allclose(params, alone.params, rtol=1e-4)


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_digits_do_not_depend_on_the_executor(fit, boot, pool):
    with pool(2) as executor:
        spread = sl.bootstrap(fit, n=2500, seed=3, executor=executor)
    assert np.array_equal(spread.params, boot.params)
    assert np.array_equal(spread.objectives, boot.objectives)


def test_a_longer_bootstrap_begins_with_the_shorter(fit, boot):
    shorter = sl.bootstrap(fit, n=2000, seed=3)
    assert np.array_equal(shorter.params, boot.params[:2000])


def test_seeds_are_those_of_numpy(fit, boot):
    positions = np.random.default_rng(3).integers(0, 60, (2500, 60))
    assert np.array_equal(sl.bootstrap(fit, resamples=positions).params, boot.params)
    assert not np.array_equal(sl.bootstrap(fit, n=2500, seed=4).params, boot.params)


def test_summaries_are_those_of_the_resamples(boot):
    alpha = boot.params["alpha"].to_numpy()
    assert boot.se()["alpha"] == pytest.approx(alpha.std(ddof=1), rel=1e-12)
    # The last bit of an interpolated quantile depends on the CPU and on the layout of the column.
    expected = np.quantile(alpha, [0.05, 0.95])
    np.testing.assert_allclose(boot.interval("alpha", level=0.9), expected, rtol=1e-12)
    assert boot.covariance().loc["E", "E"] == pytest.approx(boot.params["E"].var(ddof=1))


def test_an_interval_of_a_function_of_the_law(boot):
    beta = boot.params["beta"].to_numpy()
    expected = np.quantile(beta / (boot.params["alpha"].to_numpy() + beta), [0.1, 0.9])
    for statistic in ("a", lambda law: law.a):
        np.testing.assert_allclose(boot.interval(statistic, level=0.8), expected, rtol=1e-12)


@pytest.mark.parametrize("loss", ["lad", "l2"])
def test_other_losses_are_resampled_with_themselves(synthetic_runs, loss):
    runs = synthetic_runs(TRUE, 60, noise=0.01, seed=2)
    positions = np.random.default_rng(5).integers(0, 60, (5, 60))
    boot = sl.bootstrap(sl.fit_chinchilla(runs, loss=loss), resamples=positions)
    for row, objective in zip(positions, boot.objectives, strict=True):
        alone = sl.fit_chinchilla(runs.iloc[row], loss=loss)
        # Absolute deviations are the limit of a threshold of 1e-10.
        assert objective == pytest.approx(alone.objective, rel=1e-8)


def test_held_parameters_stay_held(synthetic_runs):
    fit = sl.fit_chinchilla(
        synthetic_runs(TRUE, 40, noise=0.01, seed=2), fixed={"E": 1.8}, tied=("alpha", "beta")
    )
    boot = sl.bootstrap(fit, n=400)
    np.testing.assert_allclose(boot.params["E"], 1.8, rtol=1e-12)
    np.testing.assert_allclose(boot.params["alpha"], boot.params["beta"], rtol=1e-12)


def test_any_law_can_be_resampled():
    generator = np.random.default_rng(0)
    x = np.geomspace(1e6, 1e10, 12)
    y = 12 * x**-0.07 * np.exp(0.02 * generator.standard_normal(12))
    positions = generator.integers(0, 12, (400, 12))
    boot = sl.bootstrap(sl.fit_power_law(x, y), resamples=positions)
    lines = [np.polyfit(np.log(x[row]), np.log(y[row]), 1) for row in positions]
    np.testing.assert_allclose(boot.params["alpha"], [-slope for slope, _ in lines], rtol=1e-8)


def test_bands_hold_the_law_and_the_predictive_one_is_wider(boot):
    N, D = np.geomspace(1e8, 1e11, 4), np.geomspace(1e9, 1e12, 4)
    confidence, predictive = (boot.band(N, D, kind=kind) for kind in ("confidence", "predictive"))
    for band in (confidence, predictive):
        assert (band.low < band.predicted).all()
        assert (band.predicted < band.high).all()
    inside = slice(0, 2)
    assert (predictive.high - predictive.low > confidence.high - confidence.low)[inside].all()
    assert set(confidence.kind) == {"confidence"}


def test_predictive_bands_are_seeded(boot):
    bands = [boot.band(1e9, 1e10, kind="predictive", seed=seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(bands[0], bands[1])
    assert bands[0].high[0] != bands[2].high[0]


@pytest.mark.parametrize(
    ("resamples", "message"),
    [
        (np.zeros(60, dtype=int), "two-dimensional"),
        (np.zeros((3, 60)), "integer"),
        (np.full((3, 60), 60), "between 0 and 59"),
        (np.full((3, 60), -1), "between 0 and 59"),
    ],
)
def test_resamples_are_checked(fit, resamples, message):
    with pytest.raises(sl.DataError, match=message):
        sl.bootstrap(fit, resamples=resamples)


def test_options_are_checked(fit, boot):
    with pytest.raises(sl.DataError, match="at least 2 resamples"):
        sl.bootstrap(fit, n=1)
    with pytest.raises(sl.DataError, match="level must lie between 0 and 1"):
        boot.interval("alpha", level=95)
    with pytest.raises(sl.DataError, match="'gamma' is neither a parameter"):
        boot.interval("gamma")
    with pytest.raises(sl.DataError, match="kind must be"):
        boot.band(1e9, 1e10, kind="prediction")


def test_profile_of_a_straight_line_is_the_exact_t_interval():
    x = np.geomspace(1e3, 1e6, 12)
    y = 3 * x**-0.2 * np.exp(0.02 * np.random.default_rng(0).standard_normal(12))
    line = stats.linregress(np.log(x), np.log(y))
    reach = stats.t.ppf(0.975, 10) * line.stderr
    low, high = sl.profile(sl.fit_power_law(x, y), "alpha").interval
    # The ends are interpolated linearly over a twenty-fifth of a standard error.
    assert low == pytest.approx(-line.slope - reach, abs=1e-4 * line.stderr)
    assert high == pytest.approx(-line.slope + reach, abs=1e-4 * line.stderr)


@pytest.mark.parametrize("loss", ["huber", "lad", "l2"])
@pytest.mark.parametrize("name", ["E", "A", "alpha"])
def test_profile_ends_lie_on_the_limit(synthetic_runs, loss, name):
    runs = synthetic_runs(TRUE, 60, noise=0.01, seed=2)
    fit = sl.fit_chinchilla(runs, loss=loss)
    found = sl.profile(fit, name)
    assert found.low < fit.params[name] < found.high
    factor = 60 if loss == "l2" else 120
    for end in found.interval:
        held = sl.fit_chinchilla(runs, loss=loss, fixed={name: end})
        deviance = factor * np.log(held.objective / fit.objective)
        assert deviance == pytest.approx(found.limit, rel=2e-3)


def test_profile_of_a_tied_parameter_is_that_of_its_partner(synthetic_runs):
    fit = sl.fit_chinchilla(synthetic_runs(TRUE, 60, noise=0.01, seed=2), tied=("alpha", "beta"))
    np.testing.assert_allclose(
        sl.profile(fit, "alpha").interval, sl.profile(fit, "beta").interval, rtol=1e-9
    )


def test_an_open_profile_end_is_the_parameters_limit(synthetic_runs):
    law = sl.ChinchillaLaw(E=0.2, A=10.0, B=20.0, alpha=0.1, beta=0.12)
    fit = sl.fit_chinchilla(synthetic_runs(law, 40, noise=0.01, seed=3), loss="l2")
    assert sl.profile(fit, "E").low == 0


def test_profiles_that_do_not_exist_are_refused(fit, synthetic_runs):
    runs = synthetic_runs(TRUE, 30, noise=0.01, seed=2)
    with pytest.raises(sl.DataError, match="'gamma' is not a parameter"):
        sl.profile(fit, "gamma")
    with pytest.raises(sl.DataError, match="alpha was held"):
        sl.profile(sl.fit_chinchilla(runs, fixed={"alpha": 0.34}), "alpha")
    with pytest.raises(sl.DataError, match="alpha_N cannot be held"):
        sl.profile(sl.fit_kaplan(runs), "alpha_N")
    with pytest.raises(sl.FitError, match="meets every run exactly"):
        sl.profile(sl.fit_chinchilla(synthetic_runs(TRUE, 30)), "alpha")


distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with warnings.catch_warnings():
        # The cluster's own start-up warnings are not about this package.
        warnings.simplefilter("ignore")
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        )
        with cluster, distributed.Client(cluster) as client:
            yield client


@pytest.mark.full
def test_a_dask_cluster_gives_the_same_digits(client, chinchilla_fit):
    alone = sl.bootstrap(chinchilla_fit, n=2500, seed=1)
    spread = sl.bootstrap(chinchilla_fit, n=2500, seed=1, executor=client.get_executor())
    assert np.array_equal(spread.params, alone.params)
    assert np.array_equal(spread.objectives, alone.objectives)


@pytest.mark.full
def test_digits_do_not_depend_on_the_threads_of_the_linear_algebra():
    # 2,500 resamples leave a block whose rows do not divide evenly among threads.
    code = (
        "import hashlib, scalinglib as sl; runs = sl.load('chinchilla_runs');"
        "boot = sl.bootstrap(sl.fit_chinchilla(runs[~runs.excluded]), n=2500, seed=1);"
        "print(hashlib.sha256(boot.params.to_numpy().tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1
