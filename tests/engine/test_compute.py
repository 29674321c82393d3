"""Counting is exact where it can be, and what is inverse is inverse."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalinglib as sl
from scalinglib import compute
from scalinglib.architecture import ATTENTION, LOOKUPS, Architecture


def test_chinchilla_costs_six_n_d():
    assert sl.training_flops(70e9, 1.4e12) == pytest.approx(5.88e23, rel=1e-15)


def test_products_beyond_int64_do_not_wrap():
    N, D = np.array([6889410560]), np.array([137788211200])
    assert sl.training_flops(N, D)[0] == pytest.approx(5.6957e21, rel=1e-4)


def test_the_same_product_of_integers_wraps_without_a_warning():
    N, D = np.array([6889410560]), np.array([137788211200])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        wrapped = (6 * N * D)[0]
    assert wrapped == pytest.approx(-4.37e18, rel=1e-3)
    assert 6 * int(N[0]) * int(D[0]) > 2**63


def test_a_pf_day_is_a_petaflop_for_a_day():
    assert sl.PF_DAY == 1e15 * 24 * 60 * 60
    assert sl.pf_days(sl.PF_DAY) == 1


def test_seconds_in_two_weeks():
    assert compute.training_budget(1, 14 * 24, peak=1.0, mfu=1.0) == 1_209_600


def test_budgets_broadcast():
    budgets = compute.training_budget([1, 2], 24, peak=1e15, mfu=[[0.5], [1.0]])
    assert sl.pf_days(budgets).tolist() == [[0.5, 1.0], [1.0, 2.0]]


def test_scalars_stay_scalars():
    assert np.ndim(compute.training_budget(64, 336, peak=312e12, mfu=0.5)) == 0
    assert np.ndim(compute.device_hours(1e22, peak=312e12, mfu=0.5)) == 0
    assert [np.ndim(part) for part in compute.fixed_ratio_split(1e22)] == [0, 0]


PLAN = {"devices": 64, "hours": 336, "peak": 312e12, "mfu": 0.5}
SPEED = {"tokens_per_second": 1e6, "flops_per_token": 1e12, "devices": 1024, "peak": 1e15}


@pytest.mark.parametrize(
    ("function", "good", "name", "bad"),
    [
        *((sl.training_flops, {"N": 1e9, "D": 1e9}, name, -1) for name in ("N", "D")),
        *((compute.training_budget, PLAN, name, 0) for name in PLAN),
        *((compute.device_hours, {"C": 1e22, "peak": 312e12, "mfu": 0.5}, name, np.nan)
          for name in ("C", "peak", "mfu")),
        *((compute.flops_utilisation, SPEED, name, 0) for name in SPEED),
        *((compute.fixed_ratio_split, {"C": 1e22, "tokens_per_param": 20}, name, -20)
          for name in ("C", "tokens_per_param")),
    ],
)  # fmt: skip
def test_arguments_must_be_positive(function, good, name, bad):
    with pytest.raises(sl.DataError, match=f"^{name} must be positive"):
        function(**{**good, name: bad})


@pytest.mark.parametrize("mfu", [40, 1.01, [0.4, 40]])
@pytest.mark.parametrize("call", [
    lambda mfu: compute.training_budget(64, 336, peak=312e12, mfu=mfu),
    lambda mfu: compute.device_hours(1e22, peak=312e12, mfu=mfu),
])  # fmt: skip
def test_a_share_in_percent_is_refused(call, mfu):
    with pytest.raises(sl.DataError, match=r"mfu must be a share .* write 40 % as 0\.4"):
        call(mfu)


def test_words_are_refused():
    with pytest.raises(sl.DataError, match="N must hold numbers only"):
        sl.training_flops("seven billion", 1e9)


counts = st.floats(1e3, 1e15)
shares = st.floats(1e-3, 1.0)
peaks = st.floats(1e9, 1e16)
hours = st.floats(1e-2, 1e5)
sizes = st.integers(1, 512)


@st.composite
def architectures(draw):
    return Architecture(
        layers=draw(sizes), width=draw(sizes), heads=draw(st.integers(1, 64)),
        head_size=draw(sizes), feedforward=draw(sizes),
    )  # fmt: skip


@given(counts, counts)
def test_the_rule_is_symmetric_and_bilinear(N, D):
    assert sl.training_flops(N, D) == pytest.approx(sl.training_flops(D, N), rel=1e-15)
    assert sl.training_flops(2 * N, D) == 2 * sl.training_flops(N, D)


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_integers_give_the_exact_product_rounded(N, D):
    exact = 6 * N * D
    assert sl.training_flops(np.array([N]), np.array([D]))[0] == pytest.approx(exact, rel=1e-15)


@given(st.floats(1, 1e6), hours, peaks, shares)
def test_hours_and_budgets_are_inverse(devices, time, peak, mfu):
    C = compute.training_budget(devices, time, peak=peak, mfu=mfu)
    assert compute.device_hours(C, peak=peak, mfu=mfu) == pytest.approx(devices * time, rel=1e-12)


@given(st.floats(1, 1e6), hours, peaks, shares, counts)
def test_throughput_and_budget_agree_on_the_utilisation(devices, time, peak, mfu, N):
    C = compute.training_budget(devices, time, peak=peak, mfu=mfu)
    speed = C / (6 * N) / (3600 * time)
    back = compute.flops_utilisation(speed, 6 * N, devices=devices, peak=peak)
    assert back == pytest.approx(mfu, rel=1e-12)


@given(st.floats(1e15, 1e30), st.floats(1e-2, 1e4))
def test_a_split_spends_the_budget_at_its_ratio(C, ratio):
    params, tokens = compute.fixed_ratio_split(C, ratio)
    assert sl.training_flops(params, tokens) == pytest.approx(C, rel=1e-12)
    assert tokens / params == pytest.approx(ratio, rel=1e-12)


@given(architectures())
def test_the_matrices_cost_two_flops_a_weight(shape):
    parts = shape.operations()
    matrices = parts["projections"] + parts["output"] + parts["feedforward"]
    assert matrices == 2 * shape.non_embedding_params()


@given(architectures(), st.integers(1, 10**5), st.integers(1, 10**5))
def test_attention_grows_with_context_and_the_rest_does_not(shape, short, more):
    low, high = shape.operations(context=short), shape.operations(context=short + more)
    for name in low:
        if name in ATTENTION:
            assert high[name] / low[name] == pytest.approx((short + more) / short, rel=1e-12)
        else:
            assert high[name] == low[name]


@given(architectures(), st.integers(1, 10**6))
def test_lookups_are_the_only_ones_that_see_the_vocabulary(shape, vocabulary):
    lean = shape.training_flops_per_token(leave_out=LOOKUPS, vocabulary=vocabulary)
    assert lean == shape.training_flops_per_token(leave_out=LOOKUPS, vocabulary=1)


@given(architectures(), st.integers(4, 8), st.integers(1, 10**6))
def test_parameters_rise_with_every_choice_that_adds_some(shape, projections, vocabulary):
    plain = shape.params(vocabulary=vocabulary, projections=projections)
    assert shape.params(vocabulary=vocabulary, projections=projections + 1) > plain
    assert shape.params(vocabulary=vocabulary, projections=projections, vectors=True) > plain
    assert shape.params(vocabulary=vocabulary, projections=projections, tied=False) > plain


@given(st.integers(1, 200), st.integers(1, 4096))
def test_the_closed_form_of_the_usual_shape(layers, width):
    usual = Architecture(
        layers=layers, width=width, heads=1, head_size=width, feedforward=4 * width
    )
    closed = 12 * layers * width**2 + 13 * layers * width + 2 * width
    assert usual.non_embedding_params(vectors=True) == closed
