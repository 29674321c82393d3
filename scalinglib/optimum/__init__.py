"""What a law says to build: for a budget, for a life in use, and from limited text."""

from .allocation import (
    Allocation,
    Law,
    budget_for_loss,
    budget_for_params,
    budget_spent,
    compute_optimal,
    compute_waste,
    cost_of_factor,
    fixed_ratio,
    isoflop_curve,
    isoloss_curve,
    joint_exponent,
    joint_optimum,
    loss_at_scale,
    reducible_exponent,
    require_optimum,
    search_optimum,
)
from .lifetime import LifetimeOptimum, inference_optimal, lifetime_flops
from .repetition import DataLimitedAllocation, data_limited_optimal

__all__ = [
    "Allocation",
    "DataLimitedAllocation",
    "Law",
    "LifetimeOptimum",
    "budget_for_loss",
    "budget_for_params",
    "budget_spent",
    "compute_optimal",
    "compute_waste",
    "cost_of_factor",
    "data_limited_optimal",
    "fixed_ratio",
    "inference_optimal",
    "isoflop_curve",
    "isoloss_curve",
    "joint_exponent",
    "joint_optimum",
    "lifetime_flops",
    "loss_at_scale",
    "reducible_exponent",
    "require_optimum",
    "search_optimum",
]
