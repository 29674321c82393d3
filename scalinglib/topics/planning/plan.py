"""The plan: its settings, its read-outs, and how each of them is computed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from scalinglib import published
from scalinglib.catalogue import beyond, fresh, plans, resolve, split
from scalinglib.checks import positive, served_tokens, share
from scalinglib.compute import bill, device_hours, training_budget
from scalinglib.datasets import load
from scalinglib.errors import DataError
from scalinglib.laws import ChinchillaLaw, DataConstrainedLaw
from scalinglib.optimum import Allocation, data_limited_optimal, inference_optimal

from .bands import KNOWN, LEVEL, draws
from .memory import BYTES_PER_WEIGHT, STATE_BYTES, STATE_BYTES_FP32
from .rules import hyperparameters
from .words import literal, short, verdict

ASSUMED: Final = load("plan_defaults").set_index("setting")
"""Default, usual range, unit and source of every number that a plan assumes."""

DEVICES: Final = load("hardware").set_index("device")

HOURS_PER_DAY: Final = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """What a plan is made for; see `plan` for the meaning and the unit of each.

    Examples
    --------
    >>> usual = PlanSettings(device="A100 SXM 80GB")
    >>> usual.devices, usual.flops is None
    (1024.0, True)
    """

    device: str = "H100 SXM"
    devices: float = float(ASSUMED.value["devices"])
    days: float = float(ASSUMED.value["days"])
    utilisation: float = float(ASSUMED.value["utilisation"])
    flops: float | None = None
    served: float = float(ASSUMED.value["served"])
    unique: float | None = None
    law: str = "besiroglu2024/headline fit"
    price: float = float(ASSUMED.value["price"])
    overhead: float = float(ASSUMED.value["overhead"])
    power_share: float = float(ASSUMED.value["power_share"])
    pue: float = float(ASSUMED.value["pue"])
    grid: float = float(ASSUMED.value["grid"])
    tariff: float = float(ASSUMED.value["tariff"])

    def __post_init__(self) -> None:
        """Refuse what no plan can be made for."""
        if self.device not in DEVICES.index:
            raise DataError(
                f"device is {self.device!r}; choose one of {', '.join(DEVICES.index)}, or give "
                "flops."
            )
        for name in ("devices", "days", "overhead", "pue"):
            _finite(name, getattr(self, name))
        for name in ("flops", "unique"):
            if getattr(self, name) is not None:
                _finite(name, getattr(self, name))
        for name in ("price", "grid", "tariff"):
            if not 0 <= getattr(self, name) < np.inf:
                raise DataError(f"{name} is {getattr(self, name)}; give zero or more.")
        share("utilisation", self.utilisation)
        share("power_share", self.power_share)
        served_tokens(self.served)


def _finite(name: str, value: float) -> None:
    if not np.isfinite(positive(name, value)):
        raise DataError(f"{name} must be finite; got {value}.")


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan: what to train, what it takes, and what is doubtful about it.

    Parameters
    ----------
    settings : PlanSettings
        What it was made for; ``law`` is a whole key of the catalogue.
    flops, params, tokens, tokens_per_param, loss : float
        Training compute, parameters and tokens (counts), and the loss in the unit of the law; NaN
        where the law gives none.
    loss_low, loss_high, params_low, params_high : float
        Bands that hold nine in ten refits to resampled runs; NaN where the runs are not here.
    epochs : float
        Passes over the unique tokens; NaN if their number was not given.
    weights_GB, state_GB, state_fp32_GB : float
        Memory of the weights in 16 bits, and of the training state with gradients in 16 and in 32
        bits (1e9 bytes).
    devices_for_state : float
        Devices whose memory holds the training state, without activations.
    device_hours, wall_days : float
        Hours on one device, and days on all of them.
    energy_kWh, tonnes, rent, electricity : float
        Energy of the whole site, its carbon dioxide (tonnes), the rent of the devices and the price
        of that energy; NaN where the maker states no power.
    life_params, life_tokens, life_saving : float
        The model of the same loss that costs least over training and use, and the share of compute
        it saves; NaN where the law cannot tell.
    beyond : str
        How far the plan lies outside the runs behind the law; empty inside them.
    notes : tuple of str
        What else should be known.

    Examples
    --------
    >>> import scalinglib as sl
    >>> best = sl.plan(flops=5.76e23)
    >>> print(f"{best.params / 1e9:.1f}B, loss {best.loss_low:.2f} to {best.loss_high:.2f}")
    72.2B, loss 1.95 to 1.99
    """

    settings: PlanSettings
    flops: float
    params: float
    tokens: float
    tokens_per_param: float
    loss: float
    loss_low: float
    loss_high: float
    params_low: float
    params_high: float
    epochs: float
    weights_GB: float
    state_GB: float
    state_fp32_GB: float
    devices_for_state: float
    device_hours: float
    wall_days: float
    energy_kWh: float
    tonnes: float
    rent: float
    electricity: float
    life_params: float
    life_tokens: float
    life_saving: float
    beyond: str
    notes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The plan in words."""
        return _sentence(self)

    @property
    def code(self) -> str:
        """A line of Python that makes the same plan."""
        return _code(self.settings)

    @property
    def hyperparameters(self) -> pd.DataFrame:
        """Peak rate, batch (tokens) and steps by three published rules, and how far beyond them."""
        return hyperparameters(self.params, self.tokens)

    def frame(self) -> pd.DataFrame:
        """Every read-out in a row of its own."""
        told = {name: getattr(self, name) for name in READOUTS}
        return pd.DataFrame({"value": pd.Series(told)})


READOUTS: Final = tuple(
    one.name for one in fields(Plan) if one.name not in {"settings", "beyond", "notes"}
)


def plan(settings: PlanSettings | None = None, /, **changed: Any) -> Plan:
    """Plan a training run: from devices and days, or from a budget, to a model and its cost.

    Parameters
    ----------
    settings : PlanSettings, optional
        What to start from; the defaults of the table ``plan_defaults`` unless given.
    device : str
        Accelerator, a name of the table ``hardware``.
    devices, days : float
        Their number, and the days they run.
    utilisation : float
        Share of the dense peak that reaches the model, over the whole time.
    flops : float, optional
        Training compute (FLOP), instead of what the devices deliver in these days.
    served : float
        Tokens that the model will read and write in use.
    unique : float, optional
        Different training tokens there are; without end unless given.
    law : str
        A key of `catalogue`, or a source alone.
    price : float
        Rent of a device ($ per hour).
    overhead, power_share, pue : float
        Power of a server over that of its devices, mean draw over rated power, and energy of the
        site over that of its computers.
    grid, tariff : float
        Carbon dioxide (kg) and price ($) of a kWh.

    Returns
    -------
    Plan
        Every read-out, with bands where the runs behind the law are here.

    Raises
    ------
    DataError
        If a setting is unknown or out of its range, or the law cannot plan.

    References
    ----------
    Hoffmann et al. 2022 for the split; Sardana et al. 2024 for use; Muennighoff et al. 2023 for
    repeated text; Rajbhandari et al. 2020 for memory.

    Examples
    --------
    >>> best = plan(device="A100 SXM 80GB", devices=64, days=14, utilisation=0.5)
    >>> print(f"{best.flops:.3g} FLOP, {best.params / 1e9:.1f}B, {best.device_hours:,.0f} hours")
    1.21e+22 FLOP, 10.0B, 21,504 hours
    """
    names = {one.name for one in fields(PlanSettings)}
    if unknown := sorted(set(changed) - names):
        raise DataError(f"plan knows no {unknown[0]!r}; it takes {', '.join(sorted(names))}.")
    own = replace(settings or PlanSettings(), **changed)
    own = replace(own, law=resolve(own.law))
    if own.law not in KNOWN.index:
        plans(1e21, [own.law])  # says which keys there are
    law, row = published.law(own.law), KNOWN.loc[own.law]
    C = _budget(own)
    best, notes = _split(law, C, own, str(row.counts))
    notes += _doubts(own.law, C)
    return Plan(
        settings=own, flops=C, params=float(best.N), tokens=float(best.D),
        tokens_per_param=float(best.tokens_per_param), loss=float(best.loss),
        **_bands(own.law, best),
        epochs=float(best.D) / own.unique if own.unique else np.nan,
        **_takes(own, C, float(best.N)),
        **_life(law, best, own),
        beyond=beyond(row, best), notes=notes,
    )  # fmt: skip


def plan_all(settings: PlanSettings | None = None, /, **changed: Any) -> pd.DataFrame:
    """The same settings under every law of the catalogue; a row a law, indexed by key."""
    own = replace(settings or PlanSettings(), **changed)
    made = {key: plan(own, law=key) for key in KNOWN.index}
    columns = ("params", "tokens", "tokens_per_param", "loss", "epochs", "beyond")
    return pd.DataFrame(
        {key: {name: getattr(one, name) for name in columns} for key, one in made.items()}
    ).T


def _budget(own: PlanSettings) -> float:
    """Training compute (FLOP) of the settings."""
    if own.flops is not None:
        return float(own.flops)
    peak, hours = DEVICES.peak_flops[own.device], own.days * HOURS_PER_DAY
    return float(training_budget(own.devices, hours, peak=peak, mfu=own.utilisation))


def _split(
    law: Any, C: float, own: PlanSettings, counts: str
) -> tuple[Allocation, tuple[str, ...]]:
    """The split of a budget, and what should be said about it."""
    best, notes = split(law, C), []
    if own.unique and float(best.D) > own.unique:
        if isinstance(law, DataConstrainedLaw):
            found = data_limited_optimal(law, C, own.unique)
            best = Allocation(*(np.asarray(one) for one in (C, found.N, found.D, found.loss)))
        else:
            notes.append("text is repeated, and this law counts every pass as new text")
    if counts != "total":
        notes.append(f"the size is counted as {counts}, and memory is that of this count alone")
    return best, tuple(notes)


def _doubts(key: str, C: float) -> tuple[str, ...]:
    """Why a law has no band, and what other fits of the same runs ask for."""
    row = KNOWN.loc[key]
    notes = [] if pd.isna(row.band) else [f"no band: {row.band}"]
    rivals = KNOWN.index[(KNOWN.runs == row.runs) & (KNOWN.index != key)]
    if len(rivals):
        sizes = sorted(float(split(published.law(one), C).N) for one in rivals)
        span = " to ".join(dict.fromkeys(map(short, (sizes[0], sizes[-1]))))
        notes.append(f"other fits of the same runs ask for {span} parameters")
    return tuple(notes)


def _bands(key: str, best: Allocation) -> dict[str, float]:
    """Ends of the bands of the loss of this very run, and of the size that the budget asks for."""
    names = ("loss_low", "loss_high", "params_low", "params_high")
    drawn = draws(key)
    if not drawn:
        return dict.fromkeys(names, np.nan)
    loss = [float(one.loss(best.N, best.D)) if hasattr(one, "loss") else np.nan for one in drawn]
    size = [float(split(one, best.C).N) for one in drawn]
    ends = [float(one) for values in (loss, size) for one in np.quantile(values, LEVEL)]
    return dict(zip(names, ends, strict=True))


def _takes(own: PlanSettings, C: float, N: float) -> dict[str, float]:
    """Memory, time, energy and money of a run."""
    device = DEVICES.loc[own.device]
    hours = float(device_hours(C, peak=device.peak_flops, mfu=own.utilisation))
    return {
        "weights_GB": BYTES_PER_WEIGHT * N / 1e9,
        "state_GB": STATE_BYTES * N / 1e9,
        "state_fp32_GB": STATE_BYTES_FP32 * N / 1e9,
        "devices_for_state": STATE_BYTES * N / 1e9 / device.memory_GB,
        "device_hours": hours,
        "wall_days": hours / own.devices / HOURS_PER_DAY,
        "rent": hours * own.price,
        **_power(own, hours),
    }


def _power(own: PlanSettings, hours: float) -> dict[str, float]:
    """Energy, carbon dioxide and price of that energy; NaN where the maker states no power."""
    power = DEVICES.power_W[own.device]
    if np.isnan(power):
        return dict.fromkeys(("energy_kWh", "tonnes", "electricity"), np.nan)
    names = ("power_share", "overhead", "pue", "grid", "price", "tariff")
    found = bill(hours, power=power, **{name: getattr(own, name) for name in names})
    return {"energy_kWh": float(found.energy), "tonnes": float(found.tonnes),
            "electricity": float(found.electricity)}  # fmt: skip


def _life(law: Any, best: Allocation, own: PlanSettings) -> dict[str, float]:
    """The model of the same loss that costs least over training and use."""
    base = fresh(law)
    limited = isinstance(law, DataConstrainedLaw) and own.unique and float(best.D) > own.unique
    if limited or not isinstance(base, ChinchillaLaw):
        return dict.fromkeys(("life_params", "life_tokens", "life_saving"), np.nan)
    found = inference_optimal(base, best.loss, own.served)
    return {"life_params": float(found.chosen.N), "life_tokens": float(found.chosen.D),
            "life_saving": float(found.saving)}  # fmt: skip


def _sentence(made: Plan) -> str:
    own = made.settings
    told = f"{own.devices:,.0f} {own.device} at {100 * own.utilisation:.3g} % of their peak"
    told = (
        f"{made.flops:.3g} FLOP, on {told} {short(made.wall_days)} days,".replace("e+", "e")
        if own.flops
        else f"{short(own.days)} days on {told}, {made.flops:.3g} FLOP,".replace("e+", "e")
    )
    told += (
        f" train {short(made.params)} parameters on {short(made.tokens)} tokens under "
        f"{KNOWN['name'][own.law]} ({short(made.tokens_per_param)} tokens per parameter)"
    )
    if not np.isnan(made.loss):
        told += f", to a loss of {made.loss:.2f}"
    if not np.isnan(made.loss_low):
        told += f" ({made.loss_low:.2f} to {made.loss_high:.2f})"
    told += f". They take {short(made.device_hours)} device hours"
    if not np.isnan(made.energy_kWh):
        told += f", {short(made.energy_kWh)} kWh, {short(made.tonnes)} tonnes of CO2"
    told += f" and ${short(made.rent)} of rent."
    return f"{told} {verdict(made.beyond)}"


def _code(own: PlanSettings) -> str:
    """The call, with what describes the run and what differs from the defaults."""
    usual = PlanSettings()
    always = ("device", "devices", "flops" if own.flops else "days", "utilisation", "law")
    given = [
        f"{one.name}={literal(getattr(own, one.name))}"
        for one in fields(PlanSettings)
        if one.name in always
        or (one.name != "days" and getattr(own, one.name) != getattr(usual, one.name))
    ]
    return f"sl.plan({', '.join(given)})"
