"""Repeated sampling, and the compute of training and serving together."""

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
    answered,
    bootstrap_coverage,
    coverage,
    fit_beta_binomial,
    pass_at_k,
    plug_in_bias,
    plug_in_pass_at_k,
    sample_grid,
    thinned,
)

__all__ = [
    "SOURCE_GRID",
    "BetaBinomial",
    "BetaFit",
    "CoverageLaw",
    "Plan",
    "answered",
    "best_buys",
    "bootstrap_coverage",
    "break_even_queries",
    "cheapest_plan",
    "coverage",
    "fit_beta_binomial",
    "pass_at_k",
    "plug_in_bias",
    "plug_in_pass_at_k",
    "query_flops",
    "sample_grid",
    "thinned",
]
