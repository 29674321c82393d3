"""Learning curves of vision models, and exponents of multimodal laws."""

from .alternating import fit_alternating
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
    FIVE_FORMS,
    FORMS,
    FOUR_FORMS,
    M4_FITS,
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
from .two_ends import TwoEndedFit, TwoEndedLaw, fit_two_ended

__all__ = [
    "FIVE_FORMS",
    "FORMS",
    "FOUR_FORMS",
    "IMPLIED",
    "M4_FITS",
    "CurveScores",
    "ExponentCheck",
    "SignTest",
    "TwoEndedFit",
    "TwoEndedLaw",
    "VisionTower",
    "check_exponent",
    "check_row",
    "fit_alternating",
    "fit_two_ended",
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
