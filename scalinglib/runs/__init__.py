"""Anybody's table of runs to a checked frame, and what was taken for what."""

from .result import Runs
from .table import runs

__all__ = ["Runs", "runs"]
