"""Repeated data, the data wall, and collapse on synthetic data."""

from .repetition import (
    EXAMPLE,
    DataLimitedAllocation,
    data_limited_optimal,
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
from .wall import DataStock, collapse_median, collapse_walk, simulate_collapse

__all__ = [
    "EXAMPLE",
    "DataLimitedAllocation",
    "DataStock",
    "collapse_median",
    "collapse_walk",
    "data_limited_optimal",
    "epochs_keeping",
    "example_runs",
    "local_minima",
    "measured_worth",
    "objective_at",
    "objective_profile",
    "predicted_price",
    "repeated_pairs",
    "simulate_collapse",
    "worth_of_epochs",
]
