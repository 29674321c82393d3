"""Charts of the chapter on energy and cost: described, and true to the bill of the package."""

import numpy as np
import pandas as pd
import pytest

import scalinglib as sl
from chapters.figures import energy_cost as figures
from scalinglib.topics import energy_cost

DEVICES = energy_cost.efficiency_of_devices()


def knobs():
    table = sl.load("plan_defaults").set_index("setting")
    chosen = table.loc[["utilisation", *energy_cost.RUNNING]]
    return chosen.assign(step=0.01, words=chosen.index)


def charts():
    years = np.linspace(2025, 2030, 5)
    fan = pd.DataFrame({"year": years, "low": 100.0 * 1.9 ** (years - 2025),
                        "high": 150.0 * 2.2 ** (years - 2025)})  # fmt: skip
    moves = energy_cost.swings().query("line != 'energy'").rename(columns={"setting": "name"})
    yield (
        "power",
        figures.power(
            energy_cost.known_runs(), energy_cost.CLAIMED, fan, capacity=84e3, beside=["GPT-4"]
        ),
    )
    yield "efficiency", figures.efficiency(DEVICES, start="A100 SXM 80GB", rates={"+24 %": 1.24})
    yield "swings", figures.swings(moves)
    yield "bill", figures.bill(DEVICES, knobs(), start=3.8e25)


@pytest.mark.parametrize(
    ("name", "chart"), list(charts()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_every_chart_is_described(name, chart):
    spec = chart.to_dict()
    assert len(spec["description"]) > 80, name
    assert all(len(rows) <= 500 for rows in spec["datasets"].values())


def test_the_read_out_has_every_setting_of_the_bill_and_its_arithmetic():
    spec = figures.bill(DEVICES, knobs(), start=3.8e25).to_dict()
    bound = {one["name"]: one["value"] for one in spec["params"] if "bind" in one}
    assert set(bound) == {"log_C", "device", "utilisation", *energy_cost.RUNNING}
    (device,) = [row for rows in spec["datasets"].values() for row in rows
                 if row.get("what") == "rent, $" and row["device"] == "H100 SXM"]  # fmt: skip
    wanted = energy_cost.run_bill(10 ** bound["log_C"], device="H100 SXM", utilisation=0.4)
    found = _followed(spec, "rent, $", {**bound, **device})
    assert found["hours"] == pytest.approx(float(wanted.hours))
    assert found["energy"] == pytest.approx(float(wanted.energy))
    for what, value in {"rent, $": wanted.rent, "CO₂ equivalent, kg": 1e3 * wanted.tonnes,
                        "electricity alone, $": wanted.electricity}.items():  # fmt: skip
        assert _followed(spec, what, {**bound, **device})["amount"] == pytest.approx(float(value))


def _followed(spec, what, known):
    """The calculations of the row of the read-out that is so called, run by Python."""
    for layer in spec["layer"]:
        rows = spec["datasets"].get(layer.get("data", {}).get("name"), [{}])
        if rows[0].get("what") != what:
            continue
        values = dict(known)
        for step in layer["transform"]:
            if "calculate" in step and step["as"] != "read":
                rule = step["calculate"].replace("datum.", "")
                values[step["as"]] = eval(rule, {"pow": pow}, values)
        return values
    raise AssertionError(what)
