"""What an unfinished schedule costs, on curves with a known answer."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from scalinglib.topics import measured

BUDGETS = (1e9, 3e9, 1e10)
PENALTY = 0.05
"""Excess of a run for each factor of e by which its schedule is longer than what it saw."""


def finished(params, tokens):
    return 1.2 + 9 * params**-0.3 + 30 * tokens**-0.35


def mid_run(params, tokens, whole):
    """Loss along a run of `whole` tokens: at its end that of a finished run."""
    return finished(params, tokens) * np.exp(PENALTY * np.log(whole / tokens))


def tables(sizes=(3000, 10000)):
    runs, curves = [], []
    for params in sizes:
        for budget in BUDGETS:
            whole = budget / 6 / params
            name = f"{params} {budget:.0e}"
            runs.append(
                {"run": name, "params": params, "budget_flops": budget, "tokens": whole,
                 "loss": finished(params, whole)}
            )  # fmt: skip
            at = np.geomspace(whole / 1000, whole, 400)
            loss = mid_run(params, at, whole)
            curves.append(pd.DataFrame({"run": name, "tokens": at, "loss": loss}))
    # Rows of a table may come in any order.
    return pd.DataFrame(runs).iloc[::-1], pd.concat(curves, ignore_index=True)


def test_the_excess_of_an_unfinished_run_is_read_off_its_curve():
    pairs = measured.mid_run_excess(*tables())
    assert len(pairs) == 6
    np.testing.assert_allclose(pairs.share, pairs.short / pairs.long, rtol=1e-12)
    np.testing.assert_allclose(pairs.excess, -PENALTY * np.log(pairs.share), rtol=1e-3)


def test_it_is_foretold_between_the_pairs_and_below_them():
    pairs = measured.mid_run_excess(*tables())
    pairs = pairs[pairs.short == 1e9]
    share = pd.Series({3000: 0.5, 10000: 0.05})
    found = measured.foretold_excess(pairs, share)
    np.testing.assert_allclose(found, -PENALTY * np.log(share), rtol=1e-3)


def test_each_size_is_foretold_by_its_own_pairs():
    pairs = measured.mid_run_excess(*tables()).query("short == 1e9")
    pairs.loc[pairs.params == 3000, "excess"] *= 2
    found = measured.foretold_excess(pairs, pd.Series({3000: 0.2, 10000: 0.2}))
    assert found[3000] == pytest.approx(2 * found[10000], rel=1e-3)


def test_a_whole_schedule_needs_no_pair_and_another_does():
    pairs = measured.mid_run_excess(*tables())
    assert measured.foretold_excess(pairs, pd.Series({500: 1.0})).tolist() == [0.0]
    with pytest.raises(sl.DataError, match="no longer run of the size 500"):
        measured.foretold_excess(pairs, pd.Series({500: 0.5}))


def test_a_curve_is_not_read_beyond_its_ends():
    _, curves = tables()
    own = curves[curves.run == curves.run.iloc[0]]
    with pytest.raises(sl.DataError, match="no more than the run saw"):
        measured.loss_at(own, 1.01 * own.tokens.max())


def test_the_lowest_size_is_that_of_the_parabola():
    params = np.array([1e3, 3e3, 1e4, 3e4])
    loss = 2 + 0.1 * np.log(params / 5e3) ** 2
    assert measured.lowest_size(params, loss) == pytest.approx(5e3)
    for wrong in (loss[::-1] * 0 + np.log(params), -loss + 9):
        with pytest.raises(sl.DataError, match="no lowest point between its sizes"):
            measured.lowest_size(params, wrong)
