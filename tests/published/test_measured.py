"""The runs measured here: what was foretold of them before they were made."""

import numpy as np
import pandas as pd

FORETOLD = {10240: 0.0, 14720: 0.0090, 19968: 0.0115, 26880: 0.0114, 45056: -0.0123, 67840: 0.0171}
"""Excess (logarithm of a ratio of losses) of the runs of 1e11 FLOP with one schedule for all sizes,
computed from the matched runs up to 1e12 FLOP when no unmatched run had been made."""
FORETOLD_SIZE = 16_802
"""Where their parabola has its lowest point; with schedules of their own it is at 16,854."""
