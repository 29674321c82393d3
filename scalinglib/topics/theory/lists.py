"""Long lists in few entries: the first ranks one by one, the rest in logarithmic bins."""

from __future__ import annotations

import numpy as np

from scalinglib.checks import Floats


def ranks(listed: float, *, exact: int, per_decade: int = 110) -> tuple[Floats, Floats]:
    """Ranks 1 to `listed` and how many ranks each entry stands for."""
    first = np.arange(1.0, min(exact, listed) + 1)
    if listed <= exact:
        return first, np.ones_like(first)
    start = exact + 0.5
    bins = int(np.ceil(per_decade * np.log10(listed / start)))
    edges = np.geomspace(start, listed + 0.5, bins + 1)
    middle = np.sqrt(edges[:-1] * edges[1:])
    return np.append(first, middle), np.append(np.ones_like(first), np.diff(edges))
