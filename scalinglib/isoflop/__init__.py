"""Approaches 1 and 2: minima of IsoFLOP profiles, envelopes, and frontiers through them."""

from .curves import (
    PowerLine,
    lowest_by_budget,
    model_sizes,
    power_line,
    profile_curve,
    profile_optima,
)
from .envelope import fit_envelope
from .frontier import Frontier, FrontierFit, fit_isoflop
from .optima import fit_frontier

__all__ = [
    "Frontier",
    "FrontierFit",
    "PowerLine",
    "fit_envelope",
    "fit_frontier",
    "fit_isoflop",
    "lowest_by_budget",
    "model_sizes",
    "power_line",
    "profile_curve",
    "profile_optima",
]
