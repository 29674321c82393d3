"""The miniature trains and fits, and a sweep that was killed ends with the same table."""

import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.table import CURVES, RUNS

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-experiments" / "bin" / "python"
pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        not PYTHON.exists(),
        reason="training has an environment of its own: make .venv-experiments/.ready",
    ),
]


def start(folder):
    command = [PYTHON, "-m", "experiments", "--plan", "smoke", "--out", folder]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def finish(sweep):
    out, err = sweep.communicate(timeout=600)
    assert sweep.returncode == 0, err[-2000:]
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    begun = time.monotonic()
    out = finish(start(folder))
    return folder, out, time.monotonic() - begun


def rows(folder):
    # The time that a run took is not the same twice, and somebody may commit between two runs.
    return pd.read_csv(folder / RUNS).drop(columns=["seconds", "revision"])


def test_it_trains_and_fits(whole):
    folder, out, seconds = whole
    found = rows(folder)
    assert set(found.experiment) == {
        "rate", "isoflop", "seed", "unmatched", "rate check", "retuned", "recheck"
    }  # fmt: skip
    assert (found.state == "ok").all()
    # Guessing among bytes costs ln 256; counting letters takes it well below.
    assert found.loss.max() < np.log(256)
    assert (
        found[found.experiment == "isoflop"]
        .groupby("budget_flops")
        .loss.min()
        .is_monotonic_decreasing
    )
    assert "with length" in out
    assert "approach 2: N ~ C^" in out
    assert "approach 3: ChinchillaLaw" in out
    assert seconds < 300
    ends = pd.read_csv(folder / CURVES).groupby("run").tokens.max()
    assert (ends.loc[found.run].to_numpy() == found.tokens).all()


def test_a_sweep_that_was_killed_ends_with_the_same_table(whole, tmp_path):
    sweep = start(tmp_path)
    while not (tmp_path / RUNS).exists() or len(rows(tmp_path)) < 9:
        assert sweep.poll() is None, sweep.stderr.read()[-2000:]
        time.sleep(0.02)
    sweep.kill()
    sweep.communicate()
    assert len(rows(tmp_path)) < len(rows(whole[0]))
    finish(start(tmp_path))
    pd.testing.assert_frame_equal(rows(tmp_path), rows(whole[0]))
    pd.testing.assert_frame_equal(*(pd.read_csv(one / CURVES) for one in (tmp_path, whole[0])))
