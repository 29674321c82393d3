"""What the memory formulas and the plans must obey, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglib.topics import planning
from scalinglib.topics.planning import plan, state

counts = st.floats(1, 1e5)


@given(devices=counts, days=st.floats(0.1, 1e3), share=st.floats(0.01, 1))
def test_the_days_come_back_out_of_the_budget(devices, days, share):
    made = plan(devices=devices, days=days, utilisation=share)
    assert made.wall_days == pytest.approx(days)
    again = plan(flops=made.flops, devices=devices, utilisation=share)
    assert again.params == pytest.approx(made.params)
    assert again.rent == pytest.approx(made.rent)


@given(N=st.floats(1e6, 1e13), d=counts)
def test_sharing_more_never_takes_more_memory(N, d):
    levels = [state(N, shared=one, devices=d) for one in
              ("nothing", "optimiser", "gradients", "weights")]  # fmt: skip
    assert all(np.diff(levels) <= 1e-9 * levels[0])
    assert levels[-1] == pytest.approx(levels[0] / d)


@pytest.mark.parametrize("key", planning.KNOWN.index)
def test_every_law_plans_and_says_what_it_does_not_know(key):
    made = plan(flops=1e22, law=key)
    assert made.params > 0
    assert made.tokens > 0
    assert np.isnan(made.loss) <= np.isnan(made.life_saving)
    assert planning.KNOWN.loc[key, "name"] in made.sentence
    assert f'law="{key}"' in made.code


@given(served=st.floats(1e6, 1e16))
def test_more_use_makes_the_model_smaller(served):
    less, more = (plan(flops=1e23, served=one) for one in (served, 2 * served))
    assert more.life_params <= less.life_params * (1 + 1e-12)
    assert less.life_params <= less.params * (1 + 1e-9)
    assert more.life_saving >= less.life_saving - 1e-12
