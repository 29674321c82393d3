"""Repeated sampling, and the compute of training and serving together."""

from .choosing import answered, majority, plurality_limit, verdicts
from .cost import (
    CoverageLaw,
    Plan,
    best_buys,
    break_even_queries,
    cheapest_plan,
    query_flops,
)
from .coverage import (
    SOURCE_GRID,
    BetaBinomial,
    BetaFit,
    bootstrap_coverage,
    coverage,
    fit_beta_binomial,
    pass_at_k,
    plug_in_bias,
    plug_in_pass_at_k,
    sample_grid,
    thinned,
)
from .reinforcement import FORMS, SharedSlope, fit_shared_slope, forecast_errors

__all__ = [
    "FORMS",
    "SOURCE_GRID",
    "BetaBinomial",
    "BetaFit",
    "CoverageLaw",
    "Plan",
    "SharedSlope",
    "answered",
    "best_buys",
    "bootstrap_coverage",
    "break_even_queries",
    "cheapest_plan",
    "coverage",
    "fit_beta_binomial",
    "fit_shared_slope",
    "forecast_errors",
    "majority",
    "pass_at_k",
    "plug_in_bias",
    "plug_in_pass_at_k",
    "plurality_limit",
    "query_flops",
    "sample_grid",
    "thinned",
    "verdicts",
]
