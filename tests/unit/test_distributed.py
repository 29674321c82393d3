"""The bootstrap on a real cluster of two processes gives the digits of one process."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

import scalinglib as sl

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


def test_a_dask_cluster_gives_the_same_digits(client, chinchilla_fit):
    alone = sl.bootstrap(chinchilla_fit, n=2500, seed=1)
    spread = sl.bootstrap(chinchilla_fit, n=2500, seed=1, executor=client.get_executor())
    assert np.array_equal(spread.params, alone.params)
    assert np.array_equal(spread.objectives, alone.objectives)


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
