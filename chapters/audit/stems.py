"""Imports every module of the audit, so that its claims are bound."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def load() -> None:
    """Import the modules beside this one."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name != "stems":
            importlib.import_module(f".{module.name}", __package__)
