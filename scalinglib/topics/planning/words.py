"""Numbers as the field writes them, and as Python reads them."""

from __future__ import annotations


def short(value: float) -> str:
    """A number at three digits, as the field writes it: 70B, 1.4T, 5,760, 0.0123."""
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if 0.9995 * scale <= value < 0.9995e15:
            return f"{value / scale:.3g}{letter}"
    if 999.5 <= value < 1e6:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}".replace("e+", "e")


def literal(value: str | float) -> str:
    """A setting as an argument is typed."""
    return f'"{value}"' if isinstance(value, str) else f"{value:.15g}".replace("e+", "e")


def verdict(beyond: str) -> str:
    """Whether a plan lies inside the runs of its law, from the words of the catalogue."""
    if not beyond:
        return "Inside the runs of the law."
    if beyond.startswith("the range"):
        return "The range of the runs of this law is not known here."
    return f"Outside the runs of the law: {beyond}."
