"""What papers printed, as values with an address: one table of numbers, one of fitted laws.

``data/published.csv`` holds every printed number under a key such as ``"hoffmann2022/Gopher
budget"``, and ``data/laws.csv`` the constants of every published fit, one fit a row. Digits are
kept as text, because they say how exact a number claims to be. A lookup by an unknown key names
the nearest ones.

Examples
--------
>>> value("hoffmann2022/Gopher budget")
5.76e+23
>>> printed("porian2024/Kaplan")
Reported(text='0.88', source='porian2024', where='notebook, table of results', how='code', se=None)
>>> row("model/Chinchilla 70B")
(70000000000.0, 1400000000000.0)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal

from scalinglib import isoflop
from scalinglib import laws as families
from scalinglib.compute import FLOPS_PER_PARAM_TOKEN
from scalinglib.datasets import load
from scalinglib.errors import DataError

How = Literal["paper", "code", "secondhand", "ours"]
NEAR = 0.02
"""Relative difference within which a value without an error still agrees."""


@dataclass(frozen=True, slots=True)
class Reported:
    """A number as it was published: its digits, its address, and how it was read.

    The address is a key of the bibliography and a place in the source. It was read in the paper's
    own text ("paper"), in the authors' code or its output ("code"), or in a transcription by a
    third party ("secondhand"). A standard error has the unit of the number.

    Examples
    --------
    >>> beta = Reported("0.3658", source="besiroglu2024", where="headline fit", se=0.02)
    >>> beta.value, beta.half_unit
    (0.3658, 5e-05)
    >>> beta.returns(0.36582), beta.returns(0.3671)
    (True, False)
    >>> beta.agrees(0.3671), beta.agrees(0.45)
    ('within error', 'differs')
    """

    text: str
    source: str
    where: str
    how: How = "paper"
    se: float | None = None

    @property
    def value(self) -> float:
        """The number."""
        return float(self.text)

    @property
    def half_unit(self) -> float:
        """Half a unit of the last printed digit: what rounding alone can explain."""
        exponent = Decimal(self.text).as_tuple().exponent
        return float(Decimal(5).scaleb(int(exponent) - 1))

    def returns(self, ours: float) -> bool:
        """Whether our value rounds to the printed digits."""
        # The last factor lets a value that lies on the rounding edge count, whatever the CPU.
        return abs(ours - self.value) <= self.half_unit * (1 + 1e-9)

    def agrees(self, ours: float, se: float | None = None) -> str:
        """Whether our value agrees, whatever the digits: "within error", "near" or "differs".

        The error is the published standard error or ours, `se`; near is within `NEAR`.
        """
        gap = abs(ours - self.value)
        if any(error is not None and gap <= error for error in (self.se, se)):
            return "within error"
        return "near" if gap <= NEAR * abs(self.value) else "differs"


@cache
def _numbers() -> Mapping[str, Reported]:
    table = load("published")
    return {
        one.key: Reported(
            one.value, one.source, one.where, one.how, None if one.se != one.se else float(one.se)
        )
        for one in table.itertuples()
    }


@cache
def _laws() -> Mapping[str, Any]:
    return {one.key: one for one in load("laws").itertuples()}


def _look_up(key: str, table: Mapping[str, Any], thing: str) -> Any:
    if key not in table:
        near = ", ".join(map(repr, get_close_matches(key, table, n=3, cutoff=0.3)))
        raise DataError(
            f"there is no {thing} under the key {key!r}; "
            + (f"the nearest are {near}." if near else "see published.find.")
        )
    return table[key]


def printed(key: str) -> Reported:
    """The number under a key."""
    one: Reported = _look_up(key, _numbers(), "published number")
    return one


def value(key: str) -> float:
    """The number under a key as a float, in the unit that the table names."""
    return printed(key).value


def find(words: str) -> tuple[str, ...]:
    """Keys of numbers and laws that hold all of the words, whatever their case."""
    wanted = words.lower().split()
    keys = (*_numbers(), *_laws())
    return tuple(key for key in keys if all(word in key.lower() for word in wanted))


def group(prefix: str) -> Mapping[str, Reported]:
    """The numbers right below a prefix, by the last part of their keys, in the table's order."""
    start = f"{prefix}/"
    found = {
        key.removeprefix(start): one for key, one in _numbers().items() if key.startswith(start)
    }
    direct = {name: one for name, one in found.items() if "/" not in name}
    if not direct:
        _look_up(prefix, dict.fromkeys(_prefixes()), "group of published numbers")
    return MappingProxyType(direct)


def _prefixes() -> set[str]:
    return {key.rsplit("/", 1)[0] for key in _numbers()}


def groups(prefix: str) -> Mapping[str, Mapping[str, Reported]]:
    """The groups right below a prefix, by name."""
    start = f"{prefix}/"
    names = dict.fromkeys(
        key.removeprefix(start).split("/")[0] for key in _numbers() if key.startswith(start)
    )
    return MappingProxyType({name: group(start + name) for name in names})


def values(prefix: str) -> Mapping[str, float]:
    """A group as floats."""
    return MappingProxyType({name: one.value for name, one in group(prefix).items()})


def row(prefix: str) -> tuple[float, ...]:
    """The floats of a group in the table's order, such as parameters and tokens of a model."""
    return tuple(one.value for one in group(prefix).values())


def rows(prefix: str) -> Mapping[str, tuple[float, ...]]:
    """The rows right below a prefix, by name."""
    return MappingProxyType({name: row(f"{prefix}/{name}") for name in groups(prefix)})


def constants(key: str) -> Mapping[str, Reported]:
    """The constants of a published fit as printed, by symbol.

    A symbol that begins with ``ln_`` is a logarithm, x_c the scale of the form (x_c / x)^alpha,
    and k_M the FLOP of training per token, six for each parameter.
    """
    one = _look_up(key, _laws(), "published fit")
    errors = _pairs(one.se)
    return MappingProxyType(
        {
            name: Reported(
                text,
                one.source,
                one.where,
                one.how,
                float(errors[name]) if name in errors else None,
            )
            for name, text in _pairs(one.constants).items()
        }
    )


def _pairs(text: object) -> dict[str, str]:
    """The parts of "E=1.8 A=482" by name."""
    return dict(part.split("=") for part in text.split()) if isinstance(text, str) else {}


def law(key: str, **changed: float) -> Any:
    """The law of a published fit, with its address in ``source``.

    Constants given by name replace those of the table, where a source prints one of them in two
    ways.
    """
    one = _look_up(key, _laws(), "published fit")
    given: dict[str, Any] = {name: x.value for name, x in constants(key).items()} | changed
    for name in [name for name in given if name.startswith("ln_")]:
        given[name.removeprefix("ln_")] = math.exp(given.pop(name))
    if "x_c" in given:
        given["A"] = given.pop("x_c") ** given["alpha"]
    source = f"{one.source}, {one.where}"
    if changed:
        source += " with " + ", ".join(f"{name} = {x:g}" for name, x in changed.items())
    if one.law == "Frontier":
        return isoflop.Frontier(**_both_sides(given))
    if one.law == "PrecisionLaw":
        base = {name: given.pop(name) for name in ("E", "A", "B", "alpha", "beta")}
        gammas = tuple(given.pop(f"gamma_{part}") for part in ("w", "i", "kv"))
        given |= {"base": families.ChinchillaLaw(**base, source=source), "gammas": gammas}
    if isinstance(one.base, str):
        given["base"] = law(one.base)
    return getattr(families, one.law)(**given, source=source)


def _both_sides(given: Mapping[str, float]) -> dict[str, float]:
    """Size and tokens of a frontier of which one may be printed, the other from 6ND = C."""
    sides = dict(given)
    if "k_M" in sides:
        sides["k_N"] = sides.pop("k_M") / FLOPS_PER_PARAM_TOKEN
    for mine, other in (("Na", "Db"), ("Db", "Na")):
        if f"k_{mine[0]}" not in sides:
            sides[f"k_{mine[0]}"] = 1 / (FLOPS_PER_PARAM_TOKEN * sides[f"k_{other[0]}"])
            sides[mine[1]] = 1 - sides[other[1]]
    return sides


EPOCH_2024: Final = law("besiroglu2024/headline fit")
HOFFMANN_2022: Final = law("hoffmann2022/approach 3")
HOFFMANN_2022_ROUNDED: Final = law("hoffmann2022/approach 3, rounded")
KAPLAN_2020: Final = law("kaplan2020/joint")
