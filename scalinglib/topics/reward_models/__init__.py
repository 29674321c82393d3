"""Best-of-n, and trends of reward models."""

from .best_of_n import (
    best_of_n_by_enumeration,
    best_of_n_estimate,
    binned_gold,
    kl_best_of_n,
    kl_best_of_n_discrete,
    n_for_kl,
    normal_maximum,
    normal_promise,
    regressional_gold,
    simulated_kl,
)
from .tails import Regularised, gold_best_of_n, regularised
from .trends import (
    CHANCE_LOSS,
    UNSOURCED_EXPONENTS,
    AlignmentProduct,
    SizeTrend,
    accuracy_bounds,
    fit_size_trend,
    loss_bounds,
)

__all__ = [
    "CHANCE_LOSS",
    "UNSOURCED_EXPONENTS",
    "AlignmentProduct",
    "Regularised",
    "SizeTrend",
    "accuracy_bounds",
    "best_of_n_by_enumeration",
    "best_of_n_estimate",
    "binned_gold",
    "fit_size_trend",
    "gold_best_of_n",
    "kl_best_of_n",
    "kl_best_of_n_discrete",
    "loss_bounds",
    "n_for_kl",
    "normal_maximum",
    "normal_promise",
    "regressional_gold",
    "regularised",
    "simulated_kl",
]
