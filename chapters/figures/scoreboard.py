"""The picture of the scoreboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import OCHRE, OURS, RUNS, axis, described, hues, key, rows, tooltips

ROW = 24
"""Height of a chapter's bar with the space around it."""


def by_chapter(board: pd.DataFrame, outcomes: Sequence[str]) -> Any:
    """How many printed numbers of each chapter return, agree in other digits, or differ.

    Columns chapter (a slug), outcome; a row a printed number, in the order of the book. `outcomes`
    are the three values of outcome, from the best.
    """
    board = board.assign(title=board.chapter.str.replace("-", " ").str.capitalize())
    counts = board.groupby(["title", "outcome"], sort=False).size().reset_index(name="numbers")
    counts["order"] = counts.outcome.map(list(outcomes).index)
    most = float(board.groupby("title").size().max())
    looks = dict(zip(outcomes, (OURS, RUNS, OCHRE), strict=True))
    bars = (
        alt.Chart(counts)
        .mark_bar(height={"band": 0.66})
        .encode(
            x=alt.X(
                "numbers:Q", stack=True, **axis("Printed numbers", (0, 1.02 * most), tickCount=6)
            ),
            y=rows("title:N", board.title.unique(), labels=140),
            color=hues("outcome:N", looks, legend=key(columns=1)),
            order=alt.Order("order:Q"),
            tooltip=tooltips("title:N", "outcome:N", "numbers:Q"),
        )
    )
    sums = board.outcome.value_counts()[list(outcomes)]
    told = ", ".join(f"{count} {outcome}" for outcome, count in sums.items())
    return described(
        bars,
        f"Stacked bars of {len(board)} printed numbers by chapter and by what comes of them here: "
        f"{told}.",
        height=ROW * board.title.nunique(),
    )
