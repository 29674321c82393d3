"""Loss and worth of a model at few bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglib import published

KUMAR = published.law("kumar2024/precision")
sizes = st.floats(7, 12).map(lambda exponent: 10**exponent)
ratios = st.floats(0, 4).map(lambda exponent: 10**exponent)


def test_infinitely_many_bits_lose_nothing():
    assert KUMAR.loss(1e9, 1e11) == KUMAR.base.loss(1e9, 1e11)
    assert KUMAR.effective_params(1e9, bits=np.inf) == 1e9


def test_few_bits_by_hand():
    assert KUMAR.penalty(8e9, 15e12, bits=4) == pytest.approx(0.1282, abs=5e-5)
    worth = KUMAR.effective_params(1e9, bits=[4, 8, 16]) / 1e9
    assert worth == pytest.approx([0.639, 0.924, 0.997], abs=5e-4)
    limit = KUMAR.critical_tokens(1e9, bits=[3, 4, 6]) / 1e12
    assert limit == pytest.approx([0.055, 0.295, 8.607], abs=5e-4)


@given(N=sizes, M=ratios, bits=st.floats(2, 12))
def test_rounding_hurts_more_with_fewer_bits_and_more_tokens(N, M, bits):
    base = KUMAR.penalty(N, N * M, bits=bits)
    assert KUMAR.penalty(N, N * M, bits=bits + 1) < base
    assert KUMAR.penalty(N, 2 * N * M, bits=bits) > base
    assert KUMAR.penalty(N, N * M, bits=np.inf) == 0


@given(N=sizes, bits=st.floats(2, 8))
def test_more_tokens_help_up_to_the_critical_number(N, bits):
    D = float(KUMAR.critical_tokens(N, bits=bits))
    below, at, above = KUMAR.loss(N, D * np.array([0.8, 1.0, 1.25]), bits=bits)
    assert at <= below
    assert at <= above
