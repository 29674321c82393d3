"""What the chapter on one law quotes from studies too long for a page.

``python -m benchmarks.one_law`` fits every form to every table with its largest runs held out, and
to placebo tables whose truth is a sum, and writes both into ``data/``; about ten minutes.
"""

from __future__ import annotations

import sys

import pandas as pd

from benchmarks.store import store
from scalinglib.topics import one_law

DRAWS, FEW, SEED = 100, 20, 0
RATIOS, NOISE = (4.0, 25.0, 150.0), 0.002
TRUTHS = ("OLMo ladder, C4", "Gadre, RedPajama", "Chinchilla", "Muennighoff, one epoch")


def held_out() -> pd.DataFrame:
    """Errors (per cent, root mean square) of each form on the largest runs of each table."""
    rows = []
    for name in one_law.tables():
        for by in ("flops", "tokens", "params"):
            errors = one_law.held_out(name, by)
            rows += [(name, by, form, 100 * error) for form, error in errors.items()]
    return pd.DataFrame(rows, columns=["table", "by", "form", "error_percent"])


def told(table: str, truth: str, draws: pd.DataFrame) -> list[tuple[object, ...]]:
    """A row a constant: 95 % of its placebo values, and what the runs themselves give."""
    seen = one_law.seen(table)
    return [
        (table, truth, name, seen[name], *values.quantile([0.025, 0.5, 0.975]),
         int((values <= seen[name]).sum()), int((values >= seen[name]).sum()), len(values))
        for name, values in draws.items()
    ]  # fmt: skip


def placebos() -> pd.DataFrame:
    """What g, k and r are where a sum is the truth."""
    rows = []
    for name in one_law.tables():
        rows += told(name, "fitted sum", one_law.placebo(name, n=DRAWS, seed=SEED))
    for name in TRUTHS:
        law = one_law.FORMS["one exponent"](one_law.tables()[name]).law
        for ratio in RATIOS:
            other = one_law.with_ratio(law, ratio)
            draws = one_law.placebo(name, n=FEW, seed=SEED, truth=other, noise=NOISE)
            rows += told(name, f"{ratio:g}", draws[["r"]])
    columns = ["table", "truth", "constant", "seen", "low", "middle", "high",
               "at_or_below", "at_or_above", "draws"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def main() -> int:
    """Run both studies and store them."""
    store("one_law_held_out", held_out())
    store("one_law_placebo", placebos())
    return 0


if __name__ == "__main__":
    sys.exit(main())
