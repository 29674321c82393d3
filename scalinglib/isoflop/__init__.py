"""Approaches 1 and 2: minima of IsoFLOP profiles, envelopes, and frontiers through them."""

from .curves import PowerLine, lowest_by_budget, power_line, profile_curve, profile_optima
from .frontier import Frontier, FrontierFit, fit_envelope, fit_isoflop

__all__ = [
    "Frontier",
    "FrontierFit",
    "PowerLine",
    "fit_envelope",
    "fit_isoflop",
    "lowest_by_budget",
    "power_line",
    "profile_curve",
    "profile_optima",
]
