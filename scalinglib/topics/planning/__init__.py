"""From hardware or a budget to a plan: the model, what it takes, and what is doubtful about it.

The page of the book holds the same arithmetic as a script, which gets its constants from
`constants` and is tested against `plan` read-out by read-out.
"""

from .bands import BANDED, DRAWS, KNOWN, draws, form_of, refit
from .memory import STATE_BYTES, STATE_BYTES_FP32, Shape, state
from .plan import ASSUMED, DEVICES, READOUTS, Plan, PlanSettings, plan, plan_all
from .rules import hyperparameters
from .script import constants
from .words import short

__all__ = [
    "ASSUMED",
    "BANDED",
    "DEVICES",
    "DRAWS",
    "KNOWN",
    "READOUTS",
    "STATE_BYTES",
    "STATE_BYTES_FP32",
    "Plan",
    "PlanSettings",
    "Shape",
    "constants",
    "draws",
    "form_of",
    "hyperparameters",
    "plan",
    "plan_all",
    "refit",
    "short",
    "state",
]
