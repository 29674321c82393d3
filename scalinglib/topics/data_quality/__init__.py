"""What a corpus is worth, and what pruning it could win."""

from .choice import cell_scores, expected_luck, multipliers_by_rule, one_run_a_cell
from .pruning import (
    error_constant,
    generalisation_error,
    kept_needed,
    simulate_error,
    switch_point,
)
from .suite import LADDER_TERMS, decision_accuracy, fit_ladders
from .worth import (
    compute_multipliers,
    largest_matched,
    paired_gaps,
    quality_needed,
    score_multipliers,
    with_quality,
)

__all__ = [
    "LADDER_TERMS",
    "cell_scores",
    "compute_multipliers",
    "decision_accuracy",
    "error_constant",
    "expected_luck",
    "fit_ladders",
    "generalisation_error",
    "kept_needed",
    "largest_matched",
    "multipliers_by_rule",
    "one_run_a_cell",
    "paired_gaps",
    "quality_needed",
    "score_multipliers",
    "simulate_error",
    "switch_point",
    "with_quality",
]
