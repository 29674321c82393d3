"""What is trained: shapes, budgets, and the rule of the learning rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from scalinglib.architecture import Architecture
from scalinglib.compute import training_flops

VOCABULARY = 256
"""Tokens are bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Blocks, width and heads of a decoder; its feed-forward layers are four times as wide."""

    layers: int
    width: int
    heads: int

    @property
    def architecture(self) -> Architecture:
        """The same shape as the package counts it."""
        return Architecture(
            layers=self.layers,
            width=self.width,
            heads=self.heads,
            head_size=self.width // self.heads,
            feedforward=4 * self.width,
        )

    @property
    def params(self) -> int:
        """All parameters, the tied embedding once."""
        return int(self.architecture.params(vocabulary=VOCABULARY))

    @property
    def non_embedding(self) -> int:
        """Parameters inside the blocks."""
        return int(self.architecture.non_embedding_params())


@dataclass(frozen=True, slots=True)
class Run:
    """One training run; a schedule of 3 is made for three times the tokens that are seen."""

    experiment: str
    budget: float
    shape: Shape
    learning_rate: float
    seed: int = 0
    schedule: float = 1.0
    context: int = 128
    batch: int = 8

    @property
    def steps(self) -> int:
        """Steps that spend the budget, 6 N FLOP a token."""
        per_step = training_flops(N=self.shape.params, D=self.batch * self.context)
        return max(1, round(self.budget / float(per_step)))

    @property
    def tokens(self) -> int:
        """Training tokens."""
        return self.steps * self.batch * self.context

    @property
    def name(self) -> str:
        """What tells the run from all others of the table."""
        shape = f"{self.shape.layers}x{self.shape.width}"
        return (
            f"{self.experiment} {self.budget:.0e} {shape} "
            f"rate {self.learning_rate:.3g} seed {self.seed}"
        )

    def row(self) -> dict[str, object]:
        """What is known before training."""
        per_token = self.shape.architecture.training_flops_per_token(
            context=self.context, vocabulary=VOCABULARY, leave_out=("embedding",)
        )
        return {
            "run": self.name,
            "experiment": self.experiment,
            "budget_flops": self.budget,
            "layers": self.shape.layers,
            "width": self.shape.width,
            "heads": self.shape.heads,
            "params": self.shape.params,
            "non_embedding_params": self.shape.non_embedding,
            "context": self.context,
            "batch": self.batch,
            "tokens": self.tokens,
            "flops": float(training_flops(N=self.shape.params, D=self.tokens)),
            "flops_counted": float(per_token * self.tokens),
            "learning_rate": float(f"{self.learning_rate:.7g}"),
            "schedule": float(f"{self.schedule:.7g}"),
            "seed": self.seed,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep: rates are tried at `rate_budget`, then every budget is spent on every size."""

    rate_shapes: tuple[Shape, ...]
    rates: tuple[float, ...]
    rate_budget: float
    profiles: tuple[tuple[float, tuple[Shape, ...]], ...]
    repeated: float
    """Budget that a second seed repeats."""
    unmatched: float
    """Budget trained a second time with one schedule for all sizes, that of the longest run."""
    checked: float
    """Budget at which the rule's rate is halved and doubled, for every other size."""
    retuned: tuple[float, ...]
    """Budgets trained again with a rule that knows the length of a run, fitted with the check."""
    rechecked: float
    """Budget at which that rule's rate is halved and doubled, for its smallest and largest size."""
    context: int = 128
    batch: int = 8

    def run(self, experiment: str, budget: float, shape: Shape, rate: float, **rest: Any) -> Run:
        """A run with the context and batch of the plan."""
        return Run(experiment, budget, shape, rate, context=self.context, batch=self.batch, **rest)

    def rate_runs(self) -> list[Run]:
        """The small sweep of the learning rate."""
        return [
            self.run("rate", self.rate_budget, shape, rate)
            for shape in self.rate_shapes
            for rate in self.rates
        ]

    def runs(self, rule: Callable[[float], float]) -> list[Run]:
        """The other runs, small budgets first, their rates by the rule."""
        listed = []
        for budget, shapes in self.profiles:
            listed += [self.run("isoflop", budget, one, rule(one.params)) for one in shapes]
            if budget == self.repeated:
                listed += [
                    self.run("seed", budget, one, rule(one.params), seed=1) for one in shapes
                ]
        return listed + self.variations(rule)

    def retuned_runs(self, rule: Callable[[float, float], float]) -> list[Run]:
        """The profiles of the larger budgets again, their rates by a rule of size and tokens."""

        def rate(budget: float, one: Shape, factor: float = 1.0) -> float:
            return float(f"{factor * rule(one.params, budget / (6 * one.params)):.3g}")

        ends = sorted(dict(self.profiles)[self.rechecked], key=lambda one: one.params)
        return [
            self.run("retuned", budget, one, rate(budget, one))
            for budget, shapes in self.profiles
            if budget in self.retuned
            for one in shapes
        ] + [
            self.run("recheck", self.rechecked, one, rate(self.rechecked, one, factor))
            for one in (ends[-1], ends[0])
            for factor in (0.5, 2.0)
        ]

    def variations(self, rule: Callable[[float], float]) -> list[Run]:
        """Schedules that do not fit their runs, and rates beside the rule."""
        shapes = dict(self.profiles)
        budgets = [budget for budget, _ in self.profiles]
        # A longer run of each size foretells what its schedule does, so sizes without are left out.
        longer = shapes[budgets[budgets.index(self.unmatched) + 1]]
        matched = [
            self.run("isoflop", self.unmatched, one, rule(one.params))
            for one in shapes[self.unmatched]
            if one in longer
        ]
        longest = max(run.steps for run in matched)
        unmatched = [
            replace(run, experiment="unmatched", schedule=longest / run.steps) for run in matched
        ]
        return unmatched + [
            self.run("rate check", self.checked, one, float(f"{factor * rule(one.params):.3g}"))
            for one in shapes[self.checked][::-2]
            for factor in (0.5, 2.0)
        ]


class RateRule:
    """Learning rate a N^b, through the vertices of parabolas in the logarithm of the rate.

    With `length` it is a N^b D^c, and goes through the vertices of the rate check as well.
    """

    def __init__(self, rows: pd.DataFrame, *, length: bool = False) -> None:
        tried = rows[rows.experiment == "rate"]
        if length:
            halved = rows[rows.experiment == "rate check"]
            between = rows[
                (rows.experiment == "isoflop")
                & rows.budget_flops.isin(halved.budget_flops)
                & rows.params.isin(halved.params)
            ]
            tried = pd.concat([tried, halved, between])
        places = tried.groupby(["params", "tokens"] if length else "params", sort=True)
        self.best = pd.Series({place: _vertex(one) for place, one in places})
        scales = np.array(self.best.index.to_list(), dtype=float).reshape(len(self.best), -1)
        design = np.column_stack([np.ones(len(scales)), np.log(scales)])
        level, *powers = np.linalg.lstsq(design, np.log(self.best.to_numpy()), rcond=None)[0]
        self.a, self.b = float(np.exp(level)), float(powers[0])
        self.c = float(powers[1]) if length else 0.0

    def __call__(self, params: float, tokens: float = 1.0) -> float:
        """The rate for a size and a length, rounded to three digits so that it can be told."""
        return float(f"{self.a * params**self.b * tokens**self.c:.3g}")


def _vertex(rows: pd.DataFrame) -> float:
    """Best rate of a size and length: the vertex through the lowest loss and its neighbours."""
    good = rows[rows.state == "ok"].sort_values("learning_rate", kind="stable")
    x, y = np.log(good.learning_rate.to_numpy()), good.loss.to_numpy()
    if len(good) < 3:
        raise ValueError(
            f"Only {len(good)} rates of the size {rows.params.iloc[0]} ended with a loss, and a "
            "parabola needs three; give the plan smaller rates."
        )
    middle = min(max(int(y.argmin()), 1), len(y) - 2)
    curve = np.polyfit(x[middle - 1 : middle + 2], y[middle - 1 : middle + 2], 2)
    # Without an inner minimum the vertex would lie anywhere; then the best rate tried has to do.
    inside = curve[0] > 0 and x[0] <= -curve[1] / (2 * curve[0]) <= x[-1]
    return float(np.exp(-curve[1] / (2 * curve[0]))) if inside else float(np.exp(x[y.argmin()]))


def ladder(*sizes: tuple[int, int, int]) -> tuple[Shape, ...]:
    """Shapes from (blocks, width, heads)."""
    return tuple(Shape(*size) for size in sizes)


TINY = ladder((1, 4, 1), (1, 8, 1), (1, 12, 1), (2, 12, 1))
CPU = ladder(
    *((1, 4, 1), (1, 8, 1), (1, 12, 1), (2, 12, 1), (2, 16, 1), (2, 20, 1), (2, 24, 2)),
    *((3, 24, 2), (3, 32, 2), (3, 40, 4), (4, 48, 3), (4, 64, 4), (4, 80, 5), (5, 80, 5)),
    (5, 96, 6),
)
"""From a thousand parameters to 0.6 million."""
GPU = ladder(
    *((4, 80, 5), (5, 96, 3), (5, 128, 4), (6, 160, 5), (6, 192, 6), (7, 256, 8), (8, 320, 10)),
    *((9, 384, 12), (10, 448, 14)),
)
"""From 0.3 million to 24 million."""

PLANS = {
    "smoke": Plan(
        rate_shapes=TINY[::3],
        rates=(0.004, 0.016, 0.064),
        rate_budget=1e8,
        profiles=((1e8, TINY), (3e8, TINY), (1e9, TINY)),
        repeated=1e8,
        unmatched=3e8,
        checked=3e8,
        retuned=(1e9,),
        rechecked=1e9,
        context=32,
        batch=4,
    ),
    "cpu": Plan(
        rate_shapes=(CPU[3], CPU[6], CPU[9]),
        rates=(0.004, 0.008, 0.016, 0.032, 0.064),
        rate_budget=1e11,
        profiles=(
            (3e10, CPU[:8]),
            (1e11, CPU[2:10]),
            (3e11, CPU[4:11]),
            (1e12, CPU[5:12]),
            # The middle sizes first, so that a sweep that is stopped early still has a minimum.
            (3e12, tuple(CPU[place] for place in (10, 9, 11, 8, 13, 7))),
            (1e13, tuple(CPU[place] for place in (11, 12, 10, 13, 14, 9))),
        ),
        repeated=3e11,
        unmatched=1e11,
        checked=1e12,
        retuned=(3e11, 1e12, 3e12, 1e13),
        rechecked=1e13,
    ),
    "gpu": Plan(
        rate_shapes=GPU[:5:2],
        rates=(0.001, 0.002, 0.004, 0.008, 0.016),
        rate_budget=3e13,
        profiles=((1e14, GPU[:6]), (3e14, GPU[1:7]), (1e15, GPU[2:8]), (3e15, GPU[3:9])),
        repeated=1e14,
        unmatched=1e14,
        checked=3e14,
        retuned=(3e14, 1e15, 3e15),
        rechecked=3e15,
        context=256,
        batch=32,
    ),
}
