"""Claims about the laws of Kaplan et al. 2020: size, data, compute, steps, and the split."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.checks import Floats
from scalinglib.laws import ChinchillaLaw, KaplanLaw
from scalinglib.topics import kaplan

from . import Readings, settles

BY_SIZE, BY_TOKENS, BY_COMPUTE, AS_SPENT = (
    published.law(f"kaplan2020/{of}")
    for of in ("parameters", "tokens", "compute", "compute, fixed batch")
)
JOINT: Final = published.KAPLAN_2020
STEPS, SPLIT = published.law("kaplan2020/steps"), published.law("kaplan2020/split")
EPOCH: Final = published.EPOCH_2024
SIZES, TOKENS = published.row("kaplan2020/range/N"), published.row("kaplan2020/range/D")
GPT3: Final = published.row("model/GPT-3 175B")
GPT3_FLOPS: Final = float(sl.training_flops(*GPT3))
LARGE, LARGER = 1e8, 1e11
"""Parameters of a model of 100M and of one of 100B, for what a doubling buys at either."""

Curve = Callable[[ArrayLike], Floats]


def slope(curve: Curve, low: float, high: float) -> float:
    """Exponent with which a curve falls between two scales."""
    one, two = np.log(curve(np.array([low, high])))
    return float((one - two) / np.log(high / low))


def gain(curve: Curve, at: float) -> float:
    """Share of a curve's value that doubling the scale takes off."""
    one, two = curve(np.array([1.0, 2.0]) * at)
    return float(1 - two / one)


def embeddings(width: float) -> float:
    """Parameters of the embeddings of vocabulary and positions at a width, in Kaplan's set-up."""
    setup = published.values("kaplan2020/WebText2")
    return (setup["vocabulary"] + setup["context"]) * width


@settles("A010", "D089")
def counts_of_the_models() -> Readings:
    """The smallest and the largest size, and what the embeddings would add.

    A model of so few parameters has one layer, and its 12 squared widths give the width.
    """
    low, high = SIZES
    layers, width = published.row("kaplan2020/shape/2")
    deep = 12 * layers * width**2 + embeddings(width)
    return {
        "parameters of the smallest model, without embeddings": low,
        "parameters of the largest model, without embeddings": high,
        "parameters of the smallest model, with embeddings": low + embeddings((low / 12) ** 0.5),
        "parameters of 48 layers of width 1,600, with embeddings": deep,
    }


@settles("A019")
def decades() -> Readings:
    """Decades that each trend spans: from the ranges of the runs, and as printed for compute."""
    return {
        "decades of model size": float(np.log10(SIZES[1] / SIZES[0])),
        "decades of data": float(np.log10(TOKENS[1] / TOKENS[0])),
        "decades of compute": published.value("kaplan2020/decades/C_min"),
    }


@settles("C002")
def sizes_behind_the_laws() -> Readings:
    """The smallest and largest models of two studies, and a single one far beyond."""
    hoffmann = published.values("hoffmann2022/abstract")
    own, days = published.law("brown2020/compute"), sl.pf_days(GPT3_FLOPS)
    return {
        "smallest model of Kaplan": SIZES[0],
        "largest model of Kaplan": SIZES[1],
        "largest model of Hoffmann": hoffmann["params_high"],
        "largest model seen on the trend, GPT-3": GPT3[0],
        "loss by GPT-3's own law over Kaplan's": float(own.loss(days) / BY_COMPUTE.loss(days)),
    }


@settles("A020", "B002")
def two_shapes() -> Readings:
    """A wide and a deep model: their sizes, the ratio of aspect ratios, and the printed loss."""
    (few, wide), (many, narrow) = published.rows("kaplan2020/shape").values()
    return {
        "size of the wide model over the deep one": few * wide**2 / (many * narrow**2),
        "aspect ratio of the wide model over the deep one": (wide / few) / (narrow / many),
        "difference in loss, at most": published.value("kaplan2020/derived/shape_loss"),
    }


@settles("A013")
def loss_by_size() -> Readings:
    """Losses under the law of size at the sizes of GPT-2 and of GPT-3 (nats per token)."""
    two, three = BY_SIZE.loss([SIZES[1], GPT3[0]])
    return {
        "loss at 1.5 billion parameters": float(two),
        "loss at 175 billion parameters": float(three),
    }


@settles("A015")
def loss_by_data() -> Readings:
    """Losses under the law of data (nats per token)."""
    most, gpt3 = BY_TOKENS.loss([TOKENS[1], GPT3[1]])
    return {
        "loss at 22.9 billion tokens": float(most),
        "loss at 300 billion tokens": float(gpt3),
    }


@settles("A017")
def loss_by_compute() -> Readings:
    """Losses at GPT-3's compute under the two laws of compute (nats per token)."""
    days = sl.pf_days(GPT3_FLOPS)
    return {
        "loss at GPT-3's compute, law of minimum compute": float(BY_COMPUTE.loss(days)),
        "loss at GPT-3's compute, law of compute as spent": float(AS_SPENT.loss(days)),
    }


@settles("A018")
def exponent_of_compute() -> Readings:
    """The exponent of compute: printed twice, implied by the others, and on Chinchilla's runs."""
    printed = {name: one.value for name, one in kaplan.printed_constants().items()}
    closure = kaplan.compute_exponent(*(printed[f"alpha_{of}"] for of in ("N", "S", "B")))
    runs = sl.load("isoflop_runs").query("experiment == 'chinchilla'")
    minima, lowest = sl.fit_isoflop(runs).minima, runs.groupby("budget_flops").loss.min()
    return {
        "exponent of minimum compute": BY_COMPUTE.alpha,
        "exponent of compute as spent": AS_SPENT.alpha,
        "exponent implied by those of size, steps and batch": closure,
        "slope of the minima of Chinchilla's profiles": sl.fit_power_law(
            minima.budget, minima.loss
        ).law.alpha,
        "slope of the lowest runs of Chinchilla's profiles": sl.fit_power_law(
            lowest.index.to_numpy(float), lowest.to_numpy(float)
        ).law.alpha,
    }


@settles("A014", "A016", "D002")
def exponents_of_one_quantity() -> Readings:
    """The exponents of the laws of one quantity."""
    return {
        "exponent of size": BY_SIZE.alpha,
        "exponent of data": BY_TOKENS.alpha,
        "exponent of minimum compute": BY_COMPUTE.alpha,
        "exponent of compute as spent": AS_SPENT.alpha,
    }


@settles("C028", "D003")
def units_of_the_law() -> Readings:
    """What counting compute in FLOP instead of PF-days does to a law of it."""
    days = np.geomspace(1e-6, 1e2, 9)
    in_flop = sl.fit_power_law(days * sl.PF_DAY, BY_COMPUTE.loss(days)).law
    return {
        "exponent in FLOP over exponent in PF-days": in_flop.alpha / BY_COMPUTE.alpha,
        "scale in FLOP over scale in PF-days": in_flop.x_c / BY_COMPUTE.x_c,
    }


@settles("C003")
def loss_or_perplexity() -> Readings:
    """Slopes from 1B to 10B over those from 1M to 10M: one where a power law holds."""

    def perplexity(N: ArrayLike) -> Floats:
        found: Floats = np.exp(BY_SIZE.loss(N))
        return found

    return {
        f"late slope over early slope, {name}": slope(curve, 1e9, 1e10) / slope(curve, 1e6, 1e7)
        for name, curve in (("loss", BY_SIZE.loss), ("perplexity", perplexity))
    }


def at_chinchillas_data(N: ArrayLike) -> Floats:
    """Loss of Epoch's law on Chinchilla's tokens."""
    loss: Floats = EPOCH.loss(N, published.row("model/Chinchilla 70B")[1])
    return loss


@settles("C001")
def doubling_parameters() -> Readings:
    """The gain of a doubling at 100B over that at 100M, as a share of the loss and in nats."""
    curves: dict[str, Curve] = {
        "law of size": BY_SIZE.loss,
        "joint law at 22.9 billion tokens": lambda N: JOINT.loss(N, TOKENS[1]),
        "Epoch's law at Chinchilla's tokens": at_chinchillas_data,
    }
    shares = {
        f"share of the loss, {name}": gain(curve, LARGER) / gain(curve, LARGE)
        for name, curve in curves.items()
    }
    nats = shares["share of the loss, law of size"] * float(
        BY_SIZE.loss(LARGER) / BY_SIZE.loss(LARGE)
    )
    return shares | {"nats, law of size": nats}


@settles("C019")
def doubling_compute() -> Readings:
    """Gain of a doubling of compute at 1e24 FLOP over that at 1e20, each as a share."""

    def total(C: ArrayLike) -> Floats:
        return sl.compute_optimal(EPOCH, C).loss

    def above_floor(C: ArrayLike) -> Floats:
        excess: Floats = total(C) - EPOCH.E
        return excess

    curves: dict[str, Curve] = {
        "Kaplan's loss": lambda C: BY_COMPUTE.loss(np.asarray(C) / sl.PF_DAY),
        "Epoch's loss above the floor": above_floor,
        "Epoch's total loss": total,
    }
    return {
        f"late gain over early gain, {name}": gain(curve, 1e24) / gain(curve, 1e20)
        for name, curve in curves.items()
    }


@settles("C027")
def diminishing_returns() -> Readings:
    """Gain (nats) of twice the data for an 8B at 160 billion tokens over that at 15 trillion."""
    size, most = published.row("model/Llama 3 8B")
    few = published.value("rule/tokens per parameter") * size
    laws = {
        "Epoch's law": EPOCH,
        "Hoffmann's law": published.HOFFMANN_2022,
        "Kaplan's joint law": JOINT,
    }
    found: dict[str, float] = {}
    for name, law in laws.items():
        one, two = (float(law.loss(size, D) - law.loss(size, 2 * D)) for D in (few, most))
        found[f"early gain over late gain, {name}"] = one / two
    return found


def best_joint_loss(C: ArrayLike) -> Floats:
    """Least loss of the joint law for a budget (FLOP)."""
    return sl.isoflop_curve(JOINT, C, optimum.joint_optimum(JOINT, C)).loss


@settles("A142")
def limits_of_the_joint_law() -> Readings:
    """Late slope over early slope of the joint law where the other quantities are ample."""
    curves: dict[str, tuple[Curve, float]] = {
        "size": (lambda N: JOINT.loss(N, np.inf), 1e6),
        "data": (lambda D: JOINT.loss(np.inf, D), 1e8),
        "compute": (best_joint_loss, 1e18),
    }
    return {
        f"late slope over early slope, {name}": slope(curve, 1e3 * low, 1e4 * low)
        / slope(curve, low, 10 * low)
        for name, (curve, low) in curves.items()
    }


def size_share(law: KaplanLaw | ChinchillaLaw, N: float, D: float) -> float:
    """Share of the term in size in what size and data together hold back."""
    if isinstance(law, KaplanLaw):
        size, data = (law.N_c / N) ** (law.alpha_N / law.alpha_D), law.D_c / D
    else:
        size, data = law.A * N**-law.alpha, law.B * D**-law.beta
    return float(size / (size + data))


@settles("C007")
def what_binds() -> Readings:
    """Whether parameters, the smaller number in both models, hold the loss back more than data."""
    models = {"GPT-3": GPT3, "Chinchilla": published.row("model/Chinchilla 70B")}
    laws = {"Kaplan's joint law": JOINT, "Epoch's law": EPOCH}
    return {
        f"share of the smaller quantity, {model}, {name}": size_share(law, *plan)
        for model, plan in models.items()
        for name, law in laws.items()
    }


@settles("C006")
def large_or_long() -> Readings:
    """Joint law: a 7B on 25 billion tokens against a 3B on 60, the pair of article 4, line 100."""
    large, small = JOINT.loss([7e9, 3e9], [25e9, 60e9])
    return {"loss of the larger over that of the smaller, joint law": float(large / small)}


@settles("A021", "C029")
def sample_efficiency() -> Readings:
    """Steps to a loss of 3 by Kaplan's law, and tokens to a loss of 2.6 by Epoch's, by size."""
    small, middle, large = STEPS.steps(3.0, [1e8, 1e9, 1e10])
    fewer = sl.isoloss_curve(EPOCH, 2.6, [1e9, 1e10]).D
    return {
        "steps of 1B over those of 100M": float(middle / small),
        "steps of 10B over those of 100M": float(large / small),
        "tokens of 10B over those of 1B, Epoch's law": float(fewer[1] / fewer[0]),
    }


@settles("A022")
def stopping_early() -> Readings:
    """Where efficient training stops, and its run over one that goes on to 2 % above the end."""
    early = kaplan.stopping_tradeoff(STEPS, gap=0.02)
    return {
        "loss above the converged one at the stop, as a share": STEPS.gap,
        "parameters of the early run over the late one": float(early.params),
        "steps of the early run over the late one": float(early.steps),
        "compute of the early run over the late one": float(early.compute),
    }


@settles("A023", "A025")
def growth_of_the_split() -> Readings:
    """What ten times the compute buys by the measured split, and the share that goes to size."""
    return {
        "growth of size over growth of data": float(10 ** (SPLIT.p_N - SPLIT.p_D)),
        "share of the growth, as logarithms, that goes to size": SPLIT.p_N
        / (SPLIT.p_N + SPLIT.p_D),
    }


@settles("A024")
def exponents_of_the_split() -> Readings:
    """The split as measured, and the exponent of size by every route through the other laws."""
    printed = {name: one.value for name, one in kaplan.printed_constants().items()}
    closure = kaplan.compute_exponent(*(printed[f"alpha_{of}"] for of in ("N", "S", "B")))
    return {
        "exponent of size, measured": SPLIT.p_N,
        "exponent of data, measured": SPLIT.p_D,
        "exponent of size, from size, steps and batch": closure / BY_SIZE.alpha,
        "exponent of size, from the laws of compute and size": BY_COMPUTE.alpha / BY_SIZE.alpha,
        "exponent of size, least joint law": optimum.joint_exponent(JOINT),
    }


@settles("A026")
def size_of_gpt3() -> Readings:
    """Parameters of GPT-3 as announced and before rounding."""
    return {
        "parameters of GPT-3": GPT3[0],
        "parameters of GPT-3 before rounding": published.row("model/GPT-3 175B, exact")[0],
    }


@settles("A027", "A148")
def promise_and_outcome() -> Readings:
    """Loss promised to GPT-3 over that of GPT-2's size at convergence, and GPT-3's own law."""
    days = sl.pf_days(GPT3_FLOPS)
    before, converged = BY_SIZE.loss([SIZES[1], GPT3[0]])
    own = float(published.law("brown2020/compute").loss(days))
    return {
        "GPT-3 over GPT-2, law of size": float(converged / before),
        "GPT-3 over GPT-2, law of compute": float(BY_COMPUTE.loss(days) / before),
        "GPT-3 over GPT-2, joint law": float(JOINT.loss(*GPT3) / JOINT.loss(SIZES[1], TOKENS[1])),
        "loss by GPT-3's own law over Kaplan's": own / float(BY_COMPUTE.loss(days)),
    }
