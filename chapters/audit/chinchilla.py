"""Claims about the Chinchilla paper: its table, its bet on one model, and a listing after it."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import pandas as pd

import scalinglib as sl
from scalinglib import misfit, optimum, published
from scalinglib.isoflop import Frontier
from scalinglib.topics import chinchilla

from . import Readings, settles

GOPHER: Final = published.value("hoffmann2022/Gopher budget")
LAWS: Final = {
    "Epoch's constants": published.EPOCH_2024,
    "Hoffmann's constants unrounded": published.HOFFMANN_2022,
    "Hoffmann's constants as printed": published.HOFFMANN_2022_ROUNDED,
}
APPROACHES: Final = ("1", "2", "3")
LOWER_IS_BETTER: Final = "Wikitext103 ppl"
RULE: Final = optimum.fixed_ratio(published.value("rule/tokens per parameter"))
BUDGETS: Final = {"at 1e18 FLOP": 1e18, "at Gopher's budget": GOPHER, "at 1e26 FLOP": 1e26}


def _ratio(model: str) -> float:
    """Tokens per parameter of a model."""
    N, D = chinchilla.MODELS[model]
    return D / N


def _flops(model: str) -> float:
    """Training compute of a model by 6ND (FLOP)."""
    return float(sl.training_flops(*chinchilla.MODELS[model]))


def _scores() -> pd.DataFrame:
    """Benchmark scores by task; perplexity with its sign changed, so that more is better."""
    table = sl.load("gopher_vs_chinchilla").set_index("benchmark")
    numbers = table.drop(columns="table").astype(float)
    numbers.loc[LOWER_IS_BETTER] *= -1
    return numbers


def _leads(other: str) -> pd.Series[float]:
    """By how much Chinchilla leads another model, on the tasks that both have."""
    scores = _scores()
    return (scores.chinchilla - scores[other]).dropna()


def _ahead(other: str) -> float:
    """Share of the tasks on which Chinchilla is ahead."""
    return float((_leads(other) > 0).mean())


def _behind(other: str) -> float:
    """Tasks on which Chinchilla is behind."""
    return float((_leads(other) < 0).sum())


@cache
def _exponents() -> pd.DataFrame:
    """Table 2 of the paper."""
    return sl.load("chinchilla_table2_exponents").set_index("approach")


@cache
def _optima(approach: int) -> pd.DataFrame:
    """Rows of one approach in Tables 3 and A3."""
    table = sl.load("chinchilla_table_optima")
    return table[table.approach == approach]


@cache
def _isoflop() -> sl.FrontierFit:
    """Approach 2 on the public points, all of them."""
    points = sl.load("isoflop_runs")
    return sl.fit_isoflop(points[points.experiment == "chinchilla"])


def _listing(C: float) -> tuple[float, float]:
    """Sizing function of article 4, lines 17 to 23: the root of C/6, returned twice."""
    size = (C / 6) ** 0.5
    return size, size


@settles("A031", "C009")
def tokens_per_parameter() -> Readings:
    """Range of D/N in the paper's tables, and in the refit of its public points."""
    found = {}
    for approach in (1, 2, 3):
        ratio = _optima(approach).tokens / _optima(approach).params
        found[f"lowest row of approach {approach}"] = float(ratio.min())
        found[f"highest row of approach {approach}"] = float(ratio.max())
    fit = _isoflop()
    found["refit of approach 2 at Gopher's budget"] = float(fit.tokens(GOPHER) / fit.params(GOPHER))
    return found


@settles("A035", "A040")
def chinchilla_ratio() -> Readings:
    """Nominal tokens over nominal parameters of Chinchilla."""
    N, D = chinchilla.MODELS["Chinchilla"]
    return {"parameters of Chinchilla": N, "tokens of Chinchilla": D, "tokens per parameter": D / N}


@settles("A041", "D007")
def same_compute() -> Readings:
    """Chinchilla's compute over Gopher's, as trained and as planned, and what it bought."""
    return {
        "compute of Chinchilla over Gopher's by 6ND": _flops("Chinchilla") / _flops("Gopher"),
        "compute of Chinchilla over the budget printed for Gopher": _flops("Chinchilla") / GOPHER,
        "tokens of Gopher": chinchilla.MODELS["Gopher"][1],
        "share of tasks on which Chinchilla is ahead of Gopher": _ahead("gopher"),
    }


@settles("A042", "C011", "A149")
def nominal_sizes() -> Readings:
    """Sizes of the models in the paper's Table 1, and tokens of Gopher."""
    size = {name: N for name, (N, _) in chinchilla.MODELS.items()}
    return {
        "size of Gopher over Chinchilla's": size["Gopher"] / size["Chinchilla"],
        "parameters of Gopher": size["Gopher"],
        "tokens of Gopher": chinchilla.MODELS["Gopher"][1],
        "parameters of GPT-3": size["GPT-3"],
        "parameters of Jurassic-1": size["Jurassic-1"],
        "parameters of MT-NLG": size["MT-NLG"],
    }


@settles("A043", "A048", "B004", "C031")
def benchmarks_won() -> Readings:
    """How often Chinchilla is ahead; Jurassic-1, which has no scores here, by the fitted law."""
    big = published.values("hoffmann2022/BIG-bench")
    loss = {name: float(published.EPOCH_2024.loss(*run)) for name, run in chinchilla.MODELS.items()}
    return {
        "share of tabulated tasks ahead of Gopher": _ahead("gopher"),
        "tabulated tasks behind Gopher": _behind("gopher"),
        "share of BIG-bench tasks ahead of Gopher": big["ahead"] / big["tasks"],
        "share of tabulated tasks ahead of GPT-3": _ahead("gpt3"),
        "tabulated tasks behind GPT-3": _behind("gpt3"),
        "share of tabulated tasks ahead of MT-NLG": _ahead("mt_nlg"),
        "expected loss of Jurassic-1 above Chinchilla's": loss["Jurassic-1"] - loss["Chinchilla"],
    }


@settles("A044", "A045", "A046", "A047")
def single_scores() -> Readings:
    """Scores of four benchmarks as the paper prints them (%)."""
    scores = _scores()
    found = {
        "MMLU of Gopher": scores.gopher["MMLU 5-shot avg"],
        "MMLU of Chinchilla in the abstract": published.value("hoffmann2022/abstract/mmlu"),
    }
    for task in ("HellaSwag", "Winogrande"):
        found[f"{task} of Gopher"] = scores.gopher[task]
        found[f"{task} of Chinchilla"] = scores.chinchilla[task]
    found["PIQA of Chinchilla"] = scores.chinchilla["PIQA"]
    found["lead of Chinchilla on PIQA"] = _leads("gopher")["PIQA"]
    return found


@settles("A049", "B003")
def short_of_data() -> Readings:
    """Tokens per parameter of the large models before Chinchilla, and what Table 3 asks for."""
    N, D = chinchilla.MODELS["GPT-3"]
    table = _optima(1)
    asked = float(table.tokens[table.params == N].iloc[0])
    older = ("GPT-3", "Gopher", "Jurassic-1", "MT-NLG")
    ratios = {f"tokens per parameter of {name}": _ratio(name) for name in older}
    return ratios | {"tokens that Table 3 asks for over those of GPT-3": asked / D}


@settles("A123")
def three_terms() -> Readings:
    """Whether the loss is a floor and two power laws, one in N alone and one in D alone."""
    law = published.HOFFMANN_2022
    N, D = chinchilla.MODELS["Chinchilla"]
    size, data = float(law.loss(N, np.inf)) - law.E, float(law.loss(np.inf, D)) - law.E
    twice_N, twice_D = (float(law.loss(*run)) - law.E for run in ((2 * N, np.inf), (np.inf, 2 * D)))
    return {
        "floor and two terms over the loss": (law.E + size + data) / float(law.loss(N, D)),
        "size term at twice N over 2^-alpha": twice_N / size / 2**-law.alpha,
        "data term at twice D over 2^-beta": twice_D / data / 2**-law.beta,
    }


@settles("A126")
def minimum_on_a_budget() -> Readings:
    """The closed-form split over the one that a search finds, and the budget that it spends."""
    law = published.HOFFMANN_2022
    found = {}
    for where, C in BUDGETS.items():
        best = sl.compute_optimal(law, C)
        found[f"closed form over searched size {where}"] = float(
            best.N / optimum.search_optimum(law, C).N
        )
    spent = float(sl.training_flops(best.N, best.D)) / C
    return found | {"6ND of the closed form over the budget": spent}


@settles("A127")
def equal_in_the_law() -> Readings:
    """Size exponent of the parametric law, and what it does to D/N over a million-fold budget."""
    found = {}
    for name, law in LAWS.items():
        found[f"size exponent by {name}"] = law.a
        ends = sl.compute_optimal(law, np.array([1e20, 1e26])).tokens_per_param
        found[f"growth of D/N over six decades by {name}"] = float(ends[1] / ends[0])
    return found


@settles("A128")
def ten_times_the_compute() -> Readings:
    """Growth of model and data for ten times the compute, by approach and by law."""
    found = {f"approach {k}": (_exponents().a[k], _exponents().b[k]) for k in APPROACHES}
    found |= {name: (law.a, 1 - law.a) for name, law in LAWS.items()}
    return {
        f"growth of {what} by {name}": float(10**power)
        for name, pair in found.items()
        for what, power in zip(("model", "data"), pair, strict=True)
    }


@settles("A129")
def square_of_the_growth() -> Readings:
    """Square of the root of ten, rounded to two decimals first."""
    return {"square of the rounded root of ten": round(10**0.5, 2) ** 2}


@settles("D006")
def half_and_half() -> Readings:
    """Exponents of size and data by the paper's approaches and in two refits."""
    found = {}
    for k in APPROACHES:
        found[f"size exponent of approach {k}"] = float(_exponents().a[k])
        found[f"data exponent of approach {k}"] = float(_exponents().b[k])
    return found | {
        "size exponent of the IsoFLOP refit": _isoflop().a,
        "size exponent of Epoch's refit": published.EPOCH_2024.a,
    }


@settles("B005")
def equal_growth() -> Readings:
    """Size exponents of the three approaches, and of thirds of the runs by compute."""
    runs = sl.load("chinchilla_runs")
    parts = misfit.by_compute(runs[~runs.excluded], 3)
    found = {f"size exponent of approach {k}": float(_exponents().a[k]) for k in APPROACHES}
    names = ("least", "middle", "most")
    for name, part in zip(names, parts, strict=True):
        found[f"size exponent of the third of {name} compute"] = sl.fit_chinchilla(part).law.a
    return found


@settles("C010", "D004")
def gpt_3() -> Readings:
    """What GPT-3 was trained on, and what more tokens would still have gained it."""
    law, (N, D) = published.EPOCH_2024, chinchilla.MODELS["GPT-3"]
    size, data = float(law.loss(N, np.inf)) - law.E, float(law.loss(np.inf, D)) - law.E
    return {
        "parameters of GPT-3": N,
        "tokens of GPT-3": D,
        "tokens per parameter of GPT-3": D / N,
        "share of the data term in the reducible loss": data / (size + data),
    }


@settles("D005")
def runs_of_the_paper() -> Readings:
    """Number and ranges of the runs: as the abstract says, and as recovered from the figures."""
    said, runs = published.values("hoffmann2022/abstract"), sl.load("chinchilla_runs")
    return {
        "models by the abstract": said["models"],
        "smallest model by the abstract": said["params_low"],
        "largest model by the abstract": said["params_high"],
        "fewest tokens by the abstract": said["tokens_low"],
        "most tokens by the abstract": said["tokens_high"],
        "runs recovered": float(len(runs)),
        "smallest model recovered": float(runs.params.min()),
        "largest model recovered": float(runs.params.max()),
        "fewest tokens recovered": float(runs.tokens.min()),
        "most tokens recovered": float(runs.tokens.max()),
    }


@settles("D012")
def comment_of_the_listing() -> Readings:
    """The pair of the comment (article 4, line 19) under 6ND, and beside the code below it."""
    k, C = chinchilla.SNIPPET_COMMENT, chinchilla.SNIPPET_BUDGET
    pair = Frontier(a=0.5, b=0.5, k_N=k, k_D=k)
    return {
        "share of the budget that the pair spends": float(optimum.budget_spent(pair, C)),
        "size by the comment over size by the code": float(pair.params(C)) / _listing(C)[0],
    }


@settles("D013")
def size_of_the_listing() -> Readings:
    """The listing's size (article 4, line 21) over what each approach asks for at its budget."""
    C = chinchilla.SNIPPET_BUDGET
    wanted = {
        "20 tokens per parameter": float(RULE.params(C)),
        "approach 1": float(sl.fit_frontier(_optima(1)).params(C)),
        "the IsoFLOP refit": float(_isoflop().params(C)),
    }
    wanted |= {name: float(sl.compute_optimal(law, C).N) for name, law in LAWS.items()}
    return {f"size over that of {name}": _listing(C)[0] / N for name, N in wanted.items()}


@settles("D014")
def tokens_of_the_listing() -> Readings:
    """Compute of D = N (article 4, line 22) over what its loss needs; D/N of Chinchilla."""
    run = _listing(chinchilla.SNIPPET_BUDGET)
    waste = {
        f"compute over what the loss needs by {name}": float(optimum.compute_waste(law, *run))
        for name, law in LAWS.items()
    }
    return waste | {"tokens per parameter of Chinchilla": _ratio("Chinchilla")}


@settles("D015")
def compute_of_gpt_3() -> Readings:
    """6ND of the parameters and tokens that article 4, line 6, gives GPT-3."""
    return {"compute of GPT-3 by 6ND": _flops("GPT-3")}


@settles("D016")
def output_of_the_listing() -> Readings:
    """What the listing prints once indented (article 4, line 27), beside the rule of 20."""
    C = chinchilla.SNIPPET_BUDGET
    size, tokens = _listing(C)
    N, D = 1e9 * float(f"{size / 1e9:.1f}"), 1e12 * float(f"{tokens / 1e12:.2f}")
    return {
        "6ND of the printed pair over the budget": float(sl.training_flops(N, D)) / C,
        "printed parameters over those of the rule of 20": N / float(RULE.params(C)),
        "printed tokens over those of the rule of 20": D / float(RULE.tokens(C)),
    }
