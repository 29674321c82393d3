"""What `runs` returns: the frame, what was taken for what, and what was set aside."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scalinglib.runs.structure import EVERY, cells_of_sweep, groups


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Runs as read by `runs`; every fit of the package takes it where it takes a frame.

    Parameters
    ----------
    frame : DataFrame
        One row per run or checkpoint under the row numbers of the source: ``params``, ``tokens``,
        ``flops`` (counts) and ``loss`` (nats, as `taken` says) as far as the source has them, then
        ``run``, ``seed``, ``step``, ``budget_flops`` and every other column as it came.
    taken : DataFrame
        The columns ``column``, ``taken as``, ``unit`` and ``how``.
    set_aside : DataFrame
        The columns ``row``, ``run`` and ``reason``; nothing else was left out.
    warnings : tuple of str
        Sentences on what should be looked at; empty when nothing is.
    points : str
        Which points were kept, in words.
    name : str
        The file, or what stands for it.

    Examples
    --------
    >>> import scalinglib as sl
    >>> table = sl.runs({"N": ["70M", "160M"], "D": ["1.4B", "3.2B"], "val_loss": [4.1, 3.7]})
    >>> print(table.frame["tokens"].tolist())
    [1400000000.0, 3200000000.0]
    """

    frame: pd.DataFrame
    taken: pd.DataFrame
    set_aside: pd.DataFrame
    warnings: tuple[str, ...]
    points: str
    name: str

    def to_pandas(self) -> pd.DataFrame:
        """The frame, so that a fit takes these runs as they are.

        Returns
        -------
        DataFrame
            `frame` itself.

        Examples
        --------
        >>> import scalinglib as sl
        >>> len(sl.runs(sl.load("chinchilla_runs")).to_pandas())
        245
        """
        return self.frame

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def clusters(self) -> pd.Series[Any] | None:
        """Which rows depend on each other, for ``bootstrap(fit, clusters=...)``, or None.

        Checkpoints of one run, and seeds of one size and one amount of data, are one cluster.
        """
        frame = self.frame
        if self.points == EVERY:
            run = pd.Series(groups(frame, ()), index=frame.index)
            by = next((name for name in ("tokens", "flops", "step") if name in frame), "params")
            ends = frame.groupby(run.to_numpy())[[by, "params"]].transform("max")
        else:
            run, ends = pd.Series(range(len(frame)), index=frame.index), frame
        if "seed" in frame and len(frame["seed"].unique()) > 1:
            run = pd.Series(cells_of_sweep(ends), index=frame.index)
        return None if run.nunique() == len(run) else run.rename("cluster")

    def summary(self) -> pd.DataFrame:
        """Count the rows that were kept and set aside.

        Returns
        -------
        DataFrame
            One row per fate of a row: how many, and the first of them.

        Examples
        --------
        >>> import scalinglib as sl
        >>> print(sl.runs(sl.load("chinchilla_runs")).summary()["rows"].to_dict())
        {'kept: all rows': 245}
        """
        # Reasons that differ in a number are one kind, such as the share of a budget reached.
        gone = self.set_aside.astype(str)
        kind = gone["reason"].str.replace(r"\d[\d.,]* ?%", "part", regex=True)
        fates = {f"kept: {self.points}": self.frame.index.astype(str)}
        for why, own in gone.groupby(kind, sort=False):
            fates[str(why)] = (own["row"] + " " + own["run"]).str.strip()
        counted = [(len(rows), next(iter(rows), "")) for rows in fates.values()]
        return pd.DataFrame(counted, columns=["rows", "first"], index=list(fates))

    def __repr__(self) -> str:
        head = f"{self.name}: {len(self.frame)} rows, {self.points}"
        parts = [head, self.taken.to_string(index=False)]
        if len(self.set_aside):
            parts.append(self.summary().to_string())
        return "\n\n".join([*parts, *self.warnings])

    def _repr_html_(self) -> str | None:
        if not pd.get_option("display.notebook_repr_html"):
            return None
        tables = [self.taken.to_html(index=False, border=0)]
        if len(self.set_aside):
            tables.append(self.summary().to_html(border=0))
        told = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in self.warnings)
        head = html.escape(f"{self.name}: {len(self.frame)} rows, {self.points}")
        return f"<p>{head}</p>" + "".join(tables) + (f"<ul>{told}</ul>" if told else "")
