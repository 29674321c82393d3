"""Laws, one family a file: the frozen law, its derivatives for the solver, and its fit."""

from .chinchilla import ChinchillaLaw, fit_chinchilla
from .corpora import CorpusFit, corpora_of, fit_corpora, reference_first
from .curves import (
    BrokenPowerLaw,
    ExponentialErrorLaw,
    ExponentiatedPowerLaw,
    FallingSigmoid,
    LogLinear,
    RectifiedLaw,
    Sigmoid,
    log_depth,
)
from .joint import JointLaw, SolvableLaw, fit_joint, fit_solvable
from .kaplan import ComputeSplit, CriticalBatch, KaplanLaw, StepsLaw, fit_kaplan
from .overtraining import OvertrainingFit, OvertrainingLaw, fit_overtraining
from .power import PowerLaw, fit_power_law
from .precision import PrecisionLaw
from .product import ProductLaw, fit_product
from .repeated import DataConstrainedLaw, discounted, fit_data_constrained, params_for_tokens
from .replay import QuasiNewtonRun, quasi_newton_run
from .reward import BestOfNLaw, Peak, ReinforcementLaw
from .saturating import SaturatingLaw, ShiftedPowerLaw, fit_saturating, fit_shifted_power_law

__all__ = [
    "BestOfNLaw",
    "BrokenPowerLaw",
    "ChinchillaLaw",
    "ComputeSplit",
    "CorpusFit",
    "CriticalBatch",
    "DataConstrainedLaw",
    "ExponentialErrorLaw",
    "ExponentiatedPowerLaw",
    "FallingSigmoid",
    "JointLaw",
    "KaplanLaw",
    "LogLinear",
    "OvertrainingFit",
    "OvertrainingLaw",
    "Peak",
    "PowerLaw",
    "PrecisionLaw",
    "ProductLaw",
    "QuasiNewtonRun",
    "RectifiedLaw",
    "ReinforcementLaw",
    "SaturatingLaw",
    "ShiftedPowerLaw",
    "Sigmoid",
    "SolvableLaw",
    "StepsLaw",
    "corpora_of",
    "discounted",
    "fit_chinchilla",
    "fit_corpora",
    "fit_data_constrained",
    "fit_joint",
    "fit_kaplan",
    "fit_overtraining",
    "fit_power_law",
    "fit_product",
    "fit_saturating",
    "fit_shifted_power_law",
    "fit_solvable",
    "log_depth",
    "params_for_tokens",
    "quasi_newton_run",
    "reference_first",
]
