"""The table of finished runs and their curves, written whole and then renamed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

RUNS, CURVES = "measured_runs.csv", "measured_curves.csv"


class Table:
    """Finished runs in a folder: a run is in the table wholly or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _read(self, name: str) -> pd.DataFrame:
        path = self.folder / name
        return pd.read_csv(path) if path.exists() else pd.DataFrame({"run": [], "experiment": []})

    @property
    def rows(self) -> pd.DataFrame:
        """One row a finished run."""
        return self._read(RUNS)

    def done(self) -> set[str]:
        """Names of the finished runs."""
        return set(self.rows.run)

    def add(self, row: dict[str, object], curve: pd.DataFrame) -> None:
        """Store a finished run, its curve first, so that no row is without one."""
        rows, curves = self.rows, self._read(CURVES)
        if row["run"] in set(rows.run):
            raise ValueError(f"The run {row['run']!r} is in the table; a run is stored once.")
        # A sweep killed between the two files leaves a curve without its row.
        curves = curves[curves.run.isin(rows.run)]
        curve = curve.assign(run=row["run"])[["run", *curve.columns]]
        self._write(CURVES, curves, curve)
        self._write(RUNS, rows, pd.DataFrame([row]))

    def _write(self, name: str, old: pd.DataFrame, new: pd.DataFrame) -> None:
        draft = (self.folder / name).with_suffix(".new")
        whole = pd.concat([old, new], ignore_index=True)[new.columns] if len(old) else new
        whole.to_csv(draft, index=False, float_format="%.7g", lineterminator="\n")
        draft.replace(self.folder / name)


def profiles(rows: pd.DataFrame) -> pd.DataFrame:
    """Finished runs of the profiles; of a budget trained again, those of the later rule."""
    good = rows[rows.state == "ok"]
    again = good[good.experiment == "retuned"]
    first = good[(good.experiment == "isoflop") & ~good.budget_flops.isin(again.budget_flops)]
    return pd.concat([first, again])
