"""Learning curves of vision models, and exponents of multimodal laws."""

from .exponents import (
    IMPLIED,
    ExponentCheck,
    VisionTower,
    check_exponent,
    check_row,
    frontier_law,
    loss_of_slope,
    scale_for,
)
from .learning_curves import (
    FORMS,
    FOUR_FORMS,
    CurveScores,
    SignTest,
    observed_doublings,
    per_doubling,
    plateau,
    plateau_interval,
    points_per_curve,
    rolling_origins,
    score_curves,
    sign_test,
)

__all__ = [
    "FORMS",
    "FOUR_FORMS",
    "IMPLIED",
    "CurveScores",
    "ExponentCheck",
    "SignTest",
    "VisionTower",
    "check_exponent",
    "check_row",
    "frontier_law",
    "loss_of_slope",
    "observed_doublings",
    "per_doubling",
    "plateau",
    "plateau_interval",
    "points_per_curve",
    "rolling_origins",
    "scale_for",
    "score_curves",
    "sign_test",
]
