import numpy as np
import pytest

import scalinglib as sl
from scalinglib.architecture import ATTENTION, LOOKUPS, Architecture

SMALL = {"layers": 2, "width": 8, "heads": 2, "head_size": 3, "feedforward": 32}


@pytest.fixture
def small():
    return Architecture(**SMALL)


def test_the_matrices_are_counted_one_by_one(small):
    K = 6
    layer = [(8, K), (8, K), (8, K), (K, 8), (8, 32), (32, 8)]
    assert small.non_embedding_params() == 2 * sum(a * b for a, b in layer)
    assert small.non_embedding_params(projections=5) == 2 * (sum(a * b for a, b in layer) + 8 * K)


def test_the_vectors_are_counted_one_by_one(small):
    K = 6
    biases = 3 * K + 8 + 32 + 8
    norms = 2 * (8 + 8)
    extra = small.non_embedding_params(vectors=True) - small.non_embedding_params()
    assert extra == 2 * (biases + norms) + 16


def test_the_embedding_counts_once_if_tied(small):
    inside = small.non_embedding_params()
    assert small.params(vocabulary=100) == inside + 800
    assert small.params(vocabulary=100, tied=False) == inside + 1600


def test_every_matrix_costs_two_flops_a_weight(small):
    parts = small.operations(context=16, vocabulary=100)
    matrices = parts["projections"] + parts["output"] + parts["feedforward"]
    assert matrices == 2 * small.non_embedding_params()
    assert parts["logits"] == parts["embedding"] == 2 * 100 * 8


def test_scores_of_a_whole_sequence(small):
    S = 16
    parts = small.operations(context=S)
    # Two layers, two heads, a product of S by 3 with 3 by S.
    assert S * parts["scores"] == 2 * 2 * (2 * S * 3 * S)
    assert parts["mix"] == parts["scores"]
    assert S * parts["softmax"] == 2 * 2 * 3 * S * S


def test_a_causal_mask_halves_the_scores_and_nothing_else(small):
    full, half = small.operations(), small.operations(causal=True)
    for name in full:
        assert half[name] == full[name] * (0.5 if name in ATTENTION else 1.0)


def test_training_is_three_forward_passes_or_four(small):
    forward = sum(small.operations().values())
    assert small.training_flops_per_token() == 3 * forward
    assert small.training_flops_per_token(recomputed=True) == 4 * forward


def test_operations_can_be_left_out(small):
    parts = small.operations()
    lean = small.training_flops_per_token(leave_out=LOOKUPS)
    assert lean == 3 * (sum(parts.values()) - parts["embedding"] - parts["logits"])
    assert small.training_flops_per_token(leave_out="logits") == 3 * (
        sum(parts.values()) - parts["logits"]
    )
    assert small.training_flops_per_token(leave_out=tuple(parts)) == 0


def test_what_the_rule_sees_is_exact_without_the_rest(small):
    only_matrices = small.ratio_to_6nd(
        small.non_embedding_params(), leave_out=(*LOOKUPS, *ATTENTION)
    )
    assert only_matrices == 1


def test_at_the_crossover_scores_cost_as_much_as_matrices(small):
    parts = small.operations(context=small.attention_crossover())
    scores = sum(parts[name] for name in ATTENTION)
    assert scores == pytest.approx(2 * small.non_embedding_params(), rel=1e-12)


def test_many_shapes_at_once():
    both = Architecture(layers=[2, 4], width=8, heads=2, head_size=3, feedforward=32)
    assert both.params(vocabulary=10).shape == (2,)
    one = Architecture(**{**SMALL, "layers": 4})
    assert both.params(vocabulary=10)[1] == one.params(vocabulary=10)
    assert both.training_flops_per_token()[1] == one.training_flops_per_token()


def test_large_shapes_do_not_wrap():
    wide = Architecture(
        layers=np.array([200]), width=np.array([10**6]), heads=np.array([1000]),
        head_size=np.array([1000]), feedforward=np.array([4 * 10**6]),
    )  # fmt: skip
    assert 1e9 * wide.training_flops_per_token()[0] > 2**63


def test_an_architecture_cannot_be_changed(small):
    with pytest.raises(AttributeError):
        small.layers = 3


@pytest.mark.parametrize("name", SMALL)
def test_sizes_must_be_positive(name):
    with pytest.raises(sl.DataError, match=f"{name} must be positive"):
        Architecture(**{**SMALL, name: 0})


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda shape: Architecture(**{**SMALL, "layers": [1, 2], "width": [8, 8, 8]}),
         r"must broadcast; .*layers \(2,\), width \(3,\)"),
        (lambda shape: shape.params(vocabulary=10, projections=0), "projections must be 1 or more"),
        (lambda shape: shape.params(vocabulary=-1), "vocabulary must be positive"),
        (lambda shape: shape.operations(vocabulary=0), "vocabulary must be positive"),
        (lambda shape: shape.operations(context=-1), "context must be positive"),
        (lambda shape: shape.training_flops_per_token(leave_out=("norms",)),
         "leave_out names 'norms', which is not counted"),
        (lambda shape: shape.ratio_to_6nd(0), "N must be positive"),
    ],
)  # fmt: skip
def test_bad_inputs(small, call, words):
    with pytest.raises(sl.DataError, match=words):
        call(small)
