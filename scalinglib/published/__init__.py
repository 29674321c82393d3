"""Every number quoted from a paper: written once, here, with its address and how it was read.

Laws carry their address in ``source``. Single numbers are `Reported`: they keep the digits as
printed, because the digits say how exact the number claims to be. Groups are mappings from the
symbol to the number.
"""

from .downstream import BHAGIA_2024_ONE_STEP
from .epoch import (
    EPOCH_2024,
    EPOCH_2024_FIT,
    EPOCH_2024_GRID,
    EPOCH_2024_HIGH,
    EPOCH_2024_LOW,
    EPOCH_2024_RATIO,
    EPOCH_2024_RUNS_NEEDED,
    EPOCH_2024_SCALED,
    EPOCH_2024_SE,
    EPOCH_2024_TESTS,
    SCALED_HUBER_SCALE,
)
from .hoffmann import (
    CHINCHILLA_70B,
    GOPHER_BUDGET,
    HOFFMANN_2022,
    HOFFMANN_2022_A_INTERVAL,
    HOFFMANN_2022_ROUNDED,
    HUBER_DELTA,
)
from .kaplan import (
    KAPLAN_2020,
)
from .reported import Reported

__all__ = [
    "BHAGIA_2024_ONE_STEP",
    "CHINCHILLA_70B",
    "EPOCH_2024",
    "EPOCH_2024_FIT",
    "EPOCH_2024_GRID",
    "EPOCH_2024_HIGH",
    "EPOCH_2024_LOW",
    "EPOCH_2024_RATIO",
    "EPOCH_2024_RUNS_NEEDED",
    "EPOCH_2024_SCALED",
    "EPOCH_2024_SE",
    "EPOCH_2024_TESTS",
    "GOPHER_BUDGET",
    "HOFFMANN_2022",
    "HOFFMANN_2022_A_INTERVAL",
    "HOFFMANN_2022_ROUNDED",
    "HUBER_DELTA",
    "KAPLAN_2020",
    "SCALED_HUBER_SCALE",
    "Reported",
]
