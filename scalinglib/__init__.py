"""Neural scaling laws: exact fits, honest intervals, published results recomputed.

Examples
--------
>>> import scalinglib as sl
>>> law = sl.published.HOFFMANN_2022_ROUNDED
>>> best = sl.compute_optimal(law, C=5.76e23)
>>> print(f"{best.N:.4g} parameters, {best.D:.4g} tokens")
3.219e+10 parameters, 2.982e+12 tokens
"""

from . import published
from .catalogue import catalogue, law, plans
from .comparison import (
    Backtest,
    ChiSquareTest,
    backtest,
    likelihood_ratio_test,
    log_likelihood,
    objective,
    wald_test,
)
from .compute import PF_DAY, pf_days, training_flops
from .datasets import load
from .errors import DataError, FitError
from .fit.bootstrap import Bootstrap, bootstrap
from .fit.curve import CurveFit, fit_curve
from .fit.formula import Curve
from .fit.own import fit_law
from .fit.profile import Profile, profile
from .fit.result import Fit
from .isoflop import Frontier, FrontierFit, fit_envelope, fit_frontier, fit_isoflop
from .laws import (
    BestOfNLaw,
    BrokenPowerLaw,
    ChinchillaLaw,
    CorpusFit,
    DataConstrainedLaw,
    JointLaw,
    KaplanLaw,
    OvertrainingFit,
    OvertrainingLaw,
    PowerLaw,
    QuasiNewtonRun,
    ReinforcementLaw,
    SaturatingLaw,
    ShiftedPowerLaw,
    SolvableLaw,
    fit_chinchilla,
    fit_corpora,
    fit_data_constrained,
    fit_joint,
    fit_kaplan,
    fit_overtraining,
    fit_power_law,
    fit_saturating,
    fit_shifted_power_law,
    fit_solvable,
    quasi_newton_run,
)
from .optimum import (
    Allocation,
    LifetimeOptimum,
    compute_optimal,
    inference_optimal,
    isoflop_curve,
    isoloss_curve,
)
from .runs import Runs, runs
from .topics.inference_compute import fit_beta_binomial
from .topics.planning import Plan, PlanSettings, plan

__version__ = "0.1.0"

__all__ = [
    "PF_DAY",
    "Allocation",
    "Backtest",
    "BestOfNLaw",
    "Bootstrap",
    "BrokenPowerLaw",
    "ChiSquareTest",
    "ChinchillaLaw",
    "CorpusFit",
    "Curve",
    "CurveFit",
    "DataConstrainedLaw",
    "DataError",
    "Fit",
    "FitError",
    "Frontier",
    "FrontierFit",
    "JointLaw",
    "KaplanLaw",
    "LifetimeOptimum",
    "OvertrainingFit",
    "OvertrainingLaw",
    "Plan",
    "PlanSettings",
    "PowerLaw",
    "Profile",
    "QuasiNewtonRun",
    "ReinforcementLaw",
    "Runs",
    "SaturatingLaw",
    "ShiftedPowerLaw",
    "SolvableLaw",
    "backtest",
    "bootstrap",
    "catalogue",
    "compute_optimal",
    "fit_beta_binomial",
    "fit_chinchilla",
    "fit_corpora",
    "fit_curve",
    "fit_data_constrained",
    "fit_envelope",
    "fit_frontier",
    "fit_isoflop",
    "fit_joint",
    "fit_kaplan",
    "fit_law",
    "fit_overtraining",
    "fit_power_law",
    "fit_saturating",
    "fit_shifted_power_law",
    "fit_solvable",
    "inference_optimal",
    "isoflop_curve",
    "isoloss_curve",
    "law",
    "likelihood_ratio_test",
    "load",
    "log_likelihood",
    "objective",
    "pf_days",
    "plan",
    "plans",
    "profile",
    "published",
    "quasi_newton_run",
    "runs",
    "training_flops",
    "wald_test",
]
