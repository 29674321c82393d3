"""Repeated data, the data wall, and collapse on synthetic data."""

from .collapse import collapse_median, collapse_walk, simulate_accumulation, simulate_collapse
from .contest import errors_by_epochs, folded, lead, split_errors
from .penalty import PenaltyLaw, fit_penalty, penalty_draws
from .repetition import (
    EXAMPLE,
    epochs_keeping,
    example_runs,
    local_minima,
    measured_worth,
    objective_at,
    objective_profile,
    predicted_price,
    repeated_pairs,
    worth_of_epochs,
)
from .rivals import RIVALS, RivalLaw, fit_rival
from .wall import (
    LARGEST_RUN,
    STOCK_GROWTH,
    TOKENS_PER_PARAM,
    DataStock,
    compute_optimal_demand,
)

__all__ = [
    "EXAMPLE",
    "LARGEST_RUN",
    "RIVALS",
    "STOCK_GROWTH",
    "TOKENS_PER_PARAM",
    "DataStock",
    "PenaltyLaw",
    "RivalLaw",
    "collapse_median",
    "collapse_walk",
    "compute_optimal_demand",
    "epochs_keeping",
    "errors_by_epochs",
    "example_runs",
    "fit_penalty",
    "fit_rival",
    "folded",
    "lead",
    "local_minima",
    "measured_worth",
    "objective_at",
    "objective_profile",
    "penalty_draws",
    "predicted_price",
    "repeated_pairs",
    "simulate_accumulation",
    "simulate_collapse",
    "split_errors",
    "worth_of_epochs",
]
