"""Claims about models trained past the compute-optimal point."""

from __future__ import annotations

from functools import cache
from typing import Final

import scalinglib as sl
from scalinglib import optimum, published
from scalinglib.compute import training_flops
from scalinglib.laws.chinchilla import ChinchillaLaw
from scalinglib.optimum import Allocation, budget_for_params, compute_optimal, isoloss_curve
from scalinglib.topics import overtraining

from . import Readings, settles

LAWS: Final = {
    "Epoch": published.EPOCH_2024,
    "Hoffmann, unrounded": published.HOFFMANN_2022,
    "Hoffmann, rounded": published.HOFFMANN_2022_ROUNDED,
}
"""The constants in circulation of the law that Chinchilla's name stands for."""
RULE: Final = published.value("rule/tokens per parameter")


def ratio(name: str) -> float:
    """Training tokens per parameter of a released model."""
    params, tokens = published.row(f"model/{name}")
    return tokens / params


@cache
def eight_billion() -> tuple[float, float]:
    """Parameters and training tokens of the model that articles 1 and 4 take as their example."""
    params, tokens = published.row("model/Llama 3 8B")
    return params, tokens


def optimum_of(law: ChinchillaLaw, params: float) -> Allocation:
    """The budget at which a size is compute-optimal, and its data."""
    return compute_optimal(law, budget_for_params(law, params))


def serving(params: float, tokens: float, served: float) -> float:
    """What use adds to the training of a model (FLOP)."""
    life = optimum.lifetime_flops(params, tokens, served)
    return float(life - optimum.lifetime_flops(params, tokens, 0.0))


@settles("A056")
def serving_by_size() -> Readings:
    """Serving the same tokens with the larger of two models of equal training, over the smaller."""
    models = (published.row(f"model/{one}") for one in ("Llama 2 7B", "Llama 2 70B"))
    small, large = (serving(N, D, D) for N, D in models)
    return {"serving cost of Llama 2 70B over that of 7B": large / small}


@settles("A099")
def training_once_serving_with_use() -> Readings:
    """What twice the use does to the cost of training and to that of serving."""
    N, D = eight_billion()
    once, twice = (optimum.lifetime_flops(N, D, use * D) for use in (1.0, 2.0))
    step = float(twice - once)
    trained = float(training_flops(N, D))
    return {
        "training cost when use doubles": (float(twice) - 2 * step) / (float(once) - step),
        "serving cost when use doubles": serving(N, D, 2 * D) / serving(N, D, D),
        "served tokens per trained token at equal cost": trained / serving(N, 1.0, 1.0) / D,
    }


@settles("A151")
def optimum_without_use() -> Readings:
    """The best choice over a whole life when nothing is served, over Chinchilla's optimum."""
    law = LAWS["Hoffmann, unrounded"]
    quality = optimum_of(law, published.row("model/Chinchilla 70B")[0])
    unused = optimum.inference_optimal(law, quality.loss, 0.0)
    used = optimum.inference_optimal(law, quality.loss, quality.D)
    return {
        "best size without serving over the compute-optimal size": float(unused.chosen.N)
        / float(quality.N),
        "best size with as many served tokens as trained, over the same": float(used.chosen.N)
        / float(quality.N),
    }


def best_for(name: str, law: ChinchillaLaw) -> overtraining.LifetimeOptimum:
    """The best model over its life for a worked example of the inference-aware paper."""
    example = overtraining.examples()[name]
    return optimum.inference_optimal(law, optimum_of(law, example.size).loss, example.served)


@settles("A058")
def smaller_and_longer() -> Readings:
    """Best size and data over the compute-optimal ones, in the four worked examples and beyond."""
    own = published.law("sardana2024/examples")
    best = {f"{name} example": best_for(name, own) for name in overtraining.examples()}
    best["13B example, Epoch's law"] = best_for("13B", LAWS["Epoch"])
    found: dict[str, float] = {}
    for name, one in best.items():
        found[f"size over the compute-optimal, {name}"] = float(one.chosen.N / one.baseline.N)
        found[f"data over the compute-optimal, {name}"] = float(one.data_ratio)
    return found


@settles("A059")
def saving_at_a_billion() -> Readings:
    """Share of the lifetime compute saved at the number of requests that the abstract names."""
    law = published.law("sardana2024/examples")
    served = published.value("sardana2024/requests") * sum(published.row("sardana2024/request"))
    sizes = {name: one.size for name, one in overtraining.examples().items()}
    saved = {
        name: optimum.inference_optimal(law, optimum_of(law, size).loss, served).saving
        for name, size in sizes.items()
    }
    return {f"share saved, quality of {name}": float(one) for name, one in saved.items()}


@settles("A061", "D009", "D090")
def tokens_of_llamas() -> Readings:
    """Training tokens as their makers state them."""
    names = ("LLaMA 7B", "LLaMA 65B", "Llama 2 7B", "Llama 3 8B")
    return {f"training tokens of {name}": published.row(f"model/{name}")[1] for name in names}


@settles("A062", "A063", "A064", "A067", "A068", "A069", "A070")
def ratios_of_llamas() -> Readings:
    """Tokens per parameter, and for the oldest the ratio that a law wants at its compute."""
    names = ("LLaMA 65B", "Llama 2 70B", "Llama 3 8B", "Llama 3 70B")
    budget = training_flops(*published.row("model/LLaMA 65B"))
    wanted = compute_optimal(LAWS["Epoch"], budget).tokens_per_param
    return {f"tokens per parameter of {name}": ratio(name) for name in names} | {
        "tokens per parameter of LLaMA 65B over Epoch's optimum": ratio("LLaMA 65B") / float(wanted)
    }


@settles("A136")
def ratios_in_use() -> Readings:
    """Tokens per parameter of released models since the second LLaMA, and what share lies between.

    The limits are those of article 1, line 119.
    """
    low, high = 100.0, 2000.0
    names = (
        "Llama 2 7B", "Llama 2 70B", "Llama 3 8B", "Llama 3 70B", "Llama 3.1 405B", "Qwen3 0.6B",
    )  # fmt: skip
    found = {name: ratio(name) for name in names}
    inside = [low <= one <= high for one in found.values()]
    return {"share of released models within the range": sum(inside) / len(inside)}


@settles("C012")
def longer_than_before() -> Readings:
    """Tokens per parameter of the two LLaMA sizes over those of GPT-3 and of Chinchilla."""
    return {
        f"tokens per parameter, {new} over {old}": ratio(new) / ratio(old)
        for new in ("LLaMA 7B", "LLaMA 65B")
        for old in ("GPT-3 175B", "Chinchilla 70B")
    }


@settles("B006")
def more_data_at_one_size() -> Readings:
    """Training tokens of Llama 2 over those of earlier models of nearly the same size."""
    pairs = {
        "Llama 2 7B": ("Gopher 7.1B", "LLaMA 7B"), "Llama 2 70B": ("LLaMA 65B", "Chinchilla 70B"),
    }  # fmt: skip
    return {
        f"training tokens, {new} over {old}": published.row(f"model/{new}")[1]
        / published.row(f"model/{old}")[1]
        for new, olds in pairs.items()
        for old in olds
    }


@settles("A065")
def optimal_data_of_an_8b() -> Readings:
    """Training tokens at which 8B parameters are compute-optimal."""
    N, _ = eight_billion()
    found = {f"optimal tokens, {name}": float(optimum_of(law, N).D) for name, law in LAWS.items()}
    said = published.value("meta2024/optimal tokens")
    return found | {
        "optimal tokens, twenty for each parameter": RULE * N,
        "optimal tokens, as announced": said * 1e9,
    }


@settles("A066")
def times_the_optimal_data() -> Readings:
    """Training tokens of Llama 3 8B over each of the optima."""
    _, D = eight_billion()
    return {
        name.replace("optimal tokens", "times the optimum"): D / tokens
        for name, tokens in optimal_data_of_an_8b().items()
    }


@settles("A072")
def left_to_learn() -> Readings:
    """What more data would still take off the loss of an 8B model (nats)."""
    N, D = eight_billion()
    found: dict[str, float] = {}
    for name in ("Epoch", "Hoffmann, unrounded"):
        law = LAWS[name]
        gain = float(overtraining.gain_per_doubling(law, D))
        found[f"gain from twice the 15 trillion tokens, {name}"] = gain
        floor = float(law.E + law.A * N**-law.alpha)
        found[f"loss above the floor of the size, {name}"] = float(law.loss(N, D)) - floor
    return found


@settles("A073")
def cost_per_query() -> Readings:
    """Serving Llama 3 8B over serving the compute-optimal model of the same loss."""
    N, D = eight_billion()
    return {
        f"cost of a served token over the optimum of equal loss, {name}": N
        / float(overtraining.equal_loss_optimum(law, N, D).N)
        for name, law in LAWS.items()
    }


@settles("D010", "D088")
def three_billion_for_seven() -> Readings:
    """A 3B in place of the compute-optimal 7B of equal loss, the sizes of article 4, line 101."""
    small, large = 3e9, 7e9
    found: dict[str, float] = {"cost of a served token, 3B over 7B": small / large}
    for name, law in LAWS.items():
        plan = optimum_of(law, large)
        longer = isoloss_curve(law, plan.loss, small)
        even = overtraining.break_even_tokens(small, longer.D, against=plan)
        found[f"training cost, 3B over 7B, {name}"] = float(longer.C / plan.C)
        found[f"served tokens that repay it, {name}"] = float(even)
    return found


@settles("A138")
def gain_at_extreme_ratios() -> Readings:
    """Loss that many more tokens per parameter take off a model (nats)."""
    wide, narrow = (published.law(f"sardana2024/{key}") for key in ("all", "up to 100"))
    params, tokens = 150e6, (150e9, 1.5e12)  # 1,000 and 10,000 tokens per parameter
    promised = {
        name: float(law.loss(params, tokens[0]) - law.loss(params, tokens[1]))
        for name, law in (("all ratios", wide), ("ratios up to 100", narrow))
    }
    runs = sl.load("overtrained_runs").query("corpus == 'rpj' and model == 'open_lm_1b'")
    measured = runs.set_index("tokens_per_param").loss_c4.sort_index()
    return {
        f"gain from 1,000 to 10,000 tokens per parameter, law of {name}": gain
        for name, gain in promised.items()
    } | {
        "measured gain of a 1.4B model from 20 to 640 tokens per parameter": measured.iloc[0]
        - measured.iloc[-1]
    }


@settles("A075")
def rounding_by_ratio() -> Readings:
    """How the damage of rounding grows with the ratio, and with size at one ratio."""
    rule = published.law("kumar2024/precision")
    (small, tokens), (large, _) = (published.row(f"model/Llama 3 {size}") for size in ("8B", "70B"))
    per_param = tokens / small
    at = rule.penalty([small, small, large], [tokens, 10 * tokens, per_param * large], bits=4)
    return {
        "damage at ten times the ratio, one size": float(at[1] / at[0]),
        "damage of a 70B over that of an 8B, one ratio": float(at[2] / at[0]),
    }
