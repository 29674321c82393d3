"""From hardware or a budget to a plan: the model, what it takes, and what is doubtful about it.

The page of the book holds the same arithmetic as a script, which gets its constants from
`constants` and is tested against `plan` read-out by read-out.
"""

from .memory import STATE_BYTES, STATE_BYTES_FP32, Shape, state
from .plan import (
    ASSUMED,
    DEVICES,
    KNOWN,
    READOUTS,
    RUNS_KNOWN,
    Plan,
    PlanSettings,
    draws,
    plan,
    plan_all,
)
from .script import constants
from .words import short

__all__ = [
    "ASSUMED",
    "DEVICES",
    "KNOWN",
    "READOUTS",
    "RUNS_KNOWN",
    "STATE_BYTES",
    "STATE_BYTES_FP32",
    "Plan",
    "PlanSettings",
    "Shape",
    "constants",
    "draws",
    "plan",
    "plan_all",
    "short",
    "state",
]
