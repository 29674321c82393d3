"""From loss to benchmark: ladders of tasks, fits in one step, and components of scores."""

from .components import Components, family_trends, principal_components
from .ladder import (
    CHANCE,
    TASKS,
    ErrorSplit,
    TwoStep,
    final_points,
    fit_error_law,
    fit_two_step,
    resample_two_step,
    smoothed_checkpoints,
)
from .one_step import (
    ONE_STEP_START,
    AccuracyFit,
    accuracy_run,
    fit_accuracy,
    shared_predictions,
)

__all__ = [
    "CHANCE",
    "ONE_STEP_START",
    "TASKS",
    "AccuracyFit",
    "Components",
    "ErrorSplit",
    "TwoStep",
    "accuracy_run",
    "family_trends",
    "final_points",
    "fit_accuracy",
    "fit_error_law",
    "fit_two_step",
    "principal_components",
    "resample_two_step",
    "shared_predictions",
    "smoothed_checkpoints",
]
