"""The picture of the page of claims."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from scalinglib.charts import (
    OCHRE,
    OURS,
    QUIET,
    RUNS,
    VIOLET,
    axis,
    described,
    hues,
    rounded,
    rows,
    tooltips,
)

VERDICTS = {
    "reproduced": OURS,
    "refined": RUNS,
    "inconsistent": VIOLET,
    "contradicted": OCHRE,
    "untestable": QUIET,
}


def verdicts(claims: pd.DataFrame) -> Any:
    """How many claims have each verdict. Column verdict, a row a claim."""
    counts = claims.verdict.value_counts().reindex(list(VERDICTS), fill_value=0)
    data = rounded(counts.rename_axis("verdict").reset_index(name="claims"))
    ticks = axis("Claims", (0, 1.1 * float(counts.max())), tickCount=6)
    y = rows("verdict:N", dict.fromkeys(VERDICTS), labels=110)
    bars = (
        alt.Chart(data)
        .mark_bar(height={"band": 0.62})
        .encode(
            x=alt.X("claims:Q", **ticks),
            y=y,
            color=hues("verdict:N", VERDICTS, legend=None),
            tooltip=tooltips("verdict:N", "claims:Q"),
        )
    )
    total = (
        alt.Chart(data)
        .mark_text(align="left", dx=6)
        .encode(x="claims:Q", y=y, text=alt.Text("claims:Q"))
    )
    told = ", ".join(f"{verdict} {count}" for verdict, count in counts.items())
    return described(
        bars + total, f"Bar chart of {counts.sum()} claims by verdict: {told}.", height=190
    )
