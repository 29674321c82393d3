"""Names of columns to what they hold, from the words of the field and never by force."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from scalinglib.errors import DataError
from scalinglib.runs.reading import Table, blank
from scalinglib.runs.units import LOSS_UNITS, unit_of

COUNTED = ("params", "tokens", "flops", "budget_flops", "unique_tokens", "planned_tokens")
"""Roles that hold counts, which may come in thousands, millions, billions."""

ROLES = (*COUNTED, "loss", "run", "seed", "step", "planned_steps", "state")

_COUNT = {"n", "num", "number", "of", "count", "total", "no", "in"}
_TRAIN = {"train", "training", "trained", "model"}
_WORDS = {
    "params": (
        {"param", "params", "parameter", "parameters"},
        {*_COUNT, "model", "non", "embedding", "nonembedding", "emb", "trainable", "act",
         "active", "activated", "size", "all"},
    ),
    "tokens": (
        {"token", "tokens", "toks"},
        {*_COUNT, *_TRAIN, "seen", "processed", "consumed", "used", "d", "data", "input"},
    ),
    "flops": ({"flop", "flops", "compute"}, {*_COUNT, *_TRAIN, "c", "used", "spent"}),
    "budget_flops": ({"budget", "isoflop", "isoflops"}, {"flop", "flops", "compute", "train",
                      "training", "nominal", "c"}),
    "unique_tokens": ({"unique"}, {"tokens", "token", *_COUNT, *_TRAIN}),
    "planned_tokens": ({"max", "planned", "target", "scheduled", "budget"}, {"tokens", "token",
                        *_TRAIN, "total"}),
    "planned_steps": ({"max", "planned", "target", "scheduled", "total"}, {"steps", "step",
                       "iters", "iterations", *_TRAIN}),
    "loss": (
        {"loss", "nll", "ce", "perplexity", "ppl", "bpb", "entropy", "xent"},
        {"final", "val", "valid", "validation", "eval", "evaluation", "test", "dev", "held", "out",
         "heldout", "train", "training", "lm", "cross", "mean", "avg", "average", "smoothed", "l",
         "per", "token", "byte", "bytes", "character", "nat", "nats", "bit", "bits"},
    ),
}  # fmt: skip
"""For each role the words of which a name holds at least one, and those that it may hold beside."""

_EXACT = {
    "params": ("n", "model size", "size", "non embedding", "non emb", "n act", "n active",
               "n activated", "n total"),
    "tokens": ("d", "data size", "dataset size"),
    "flops": ("c",),
    "loss": ("l", "bits per byte", "bits per token", "bits per character"),
    "run": ("run id", "run", "run name", "experiment", "experiment name", "name", "display name",
            "exp", "trial", "id", "model", "model name"),
    "seed": ("seed", "random seed", "rng seed", "data seed"),
    "step": ("step", "steps", "global step", "train step", "training step", "iteration", "iter",
             "checkpoint", "checkpoint step", "ckpt"),
    "state": ("state", "status", "run state"),
}  # fmt: skip
"""Names that stand alone; of several for a run, a seed, a step or a state the first is taken."""

_PREFIXES = {"config", "summary", "params", "metrics", "tags", "hparams", "attributes", "trainer",
             "mlflow", "data", "args", "throughput", "parameters", "logs"}  # fmt: skip
_UNLIKE = {"std", "se", "err", "error", "min", "max", "ratio", "scale", "weight", "aux", "z",
           "balance", "balancing", "router", "delta", "gap", "diff", "grad", "stderr",
           "best"}  # fmt: skip
_LOGS = {"log", "ln", "log10", "log2"}
_RISING = {"accuracy", "acc", "f1", "auc", "bleu", "em", "match", "reward", "elo"}
_DATA = {"byte", "bytes", "character", "characters", "chars", "gb", "tb", "words", "datapoints",
         "samples", "examples", "images"}  # fmt: skip
_HELD_OUT = {"val", "valid", "validation", "eval", "evaluation", "test", "dev", "held", "heldout"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A column of the source that was taken for a role, the unit that its name says, and why."""

    column: str
    role: str
    unit: str
    how: str


def words(name: str) -> list[str]:
    """The words of a name, without the prefixes of a tracker: ``config/nParams`` -> n, params."""
    parts = [part for part in re.split(r"[./]", str(name)) if part.strip()]
    while len(parts) > 1 and parts[0].strip().lower() in _PREFIXES:
        parts = parts[1:]
    if len(parts) > 1 and parts[-1].strip().lower() == "value":
        parts = parts[:-1]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])|[^\w^+.]|_", " ", " ".join(parts))
    return spaced.lower().split()


def recognise(name: str) -> tuple[str, str] | None:
    """The role of a name and the unit that it says, or None."""
    found = words(name)
    plain, unit = unit_of(found)
    for candidate, said in ((found, ""), (plain, unit)):
        joined = " ".join(candidate)
        for role, names in _EXACT.items():
            if joined in names and (not said or role in COUNTED or said in LOSS_UNITS):
                return role, unit
        for role, (heads, beside) in _WORDS.items():
            own = set(candidate)
            needs = {"planned_tokens": {"tokens"}, "planned_steps": {"steps", "iters"},
                     "unique_tokens": {"tokens"}}.get(role)  # fmt: skip
            if own & heads and own <= heads | beside and (needs is None or own & needs):
                table_of_words = role == "params" and {"embedding", "emb"} & own
                return None if table_of_words and "non" not in own else (role, unit)
    own = set(found)
    if own & {"loss", "nll", "perplexity", "ppl", "bpb"} and not own & _UNLIKE:
        return "loss", unit if unit in LOSS_UNITS else ""
    return None


def known(names: list[str]) -> int:
    """How many of these names are recognised; a number never is."""
    return sum(recognise(name) is not None for name in names if name)


def near(role: str, names: Sequence[str]) -> str:
    """What a column may be that is close to a role which none has, with a remedy; else empty."""
    for name in names:
        found = words(name)
        own = set(found)
        rest = recognise(" ".join(word for word in found if word not in _LOGS))
        if own & _LOGS and rest and rest[0] == role:
            return f"{name!r} seems to hold logarithms; write the values themselves"
        if (recognise(name) or ("",))[0] == role:
            return f"{name!r} is called so, but most of its cells are no numbers"
        if role == "loss" and own & _RISING:
            return (
                f"{name!r} rises where a loss falls; add a column of what is left, such as "
                f"1 - {name}, and say that it is the loss"
            )
        if role == "tokens" and {"per", "param"} & own and {"token", "tokens", "tpp"} & own:
            return f"{name!r} is a ratio; add a column of its product with params"
        if role == "tokens" and own & _DATA and not {"per", "loss"} & own:
            return (
                f"{name!r} counts something else; divide it by how many of them a token has, or "
                f"say columns={{{name!r}: 'tokens'}} for a law in them, whose 6 N D is no FLOP"
            )
    return ""


def assign(table: Table, given: Mapping[str, str | None]) -> list[Taken]:
    """Which column is what: as given, else by its name; a question where two would do."""
    names = list(table.cells.columns)
    for column, role in given.items():
        if column not in names:
            raise table.refuse(f"there is no column {column!r} (columns names it); it has {names}")
        if role is not None and role not in ROLES:
            raise DataError(f"columns[{column!r}] is {role!r}; choose from {', '.join(ROLES)}.")
    told = {column: role for column, role in given.items() if role is not None}
    if len(set(told.values())) < len(told):
        raise DataError(f"columns gives one role to two columns: {told}; keep one.")
    taken = [Taken(c, r, (recognise(c) or ("", ""))[1], "as you said") for c, r in told.items()]
    open_: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        found = None if name in given else recognise(re.sub(r" \(\d+\)$", "", name))
        if found and found[0] not in told.values() and _fits(table, name, found[0]):
            open_.setdefault(found[0], []).append((name, found[1]))
    sizes = [name for name, role in told.items() if role == "params"]
    sizes += [name for name, _ in open_.get("params", [])]
    open_["run"] = [one for one in open_.get("run", []) if _one_size(table, one[0], sizes[:1])]
    for role, candidates in open_.items():
        if not candidates:
            continue
        name, unit, how = _choose(table, role, candidates)
        taken.append(Taken(name, role, unit, how))
    return sorted(taken, key=lambda one: ROLES.index(one.role))


def _fits(table: Table, name: str, role: str) -> bool:
    """Whether cells suit a role: most of a count or a loss are numbers, if any is one."""
    if role in ("run", "seed", "state", "step"):
        return True
    column = table.cells[name]
    filled = column[~blank(column)].astype(str).head(1000)
    return bool(filled.str.match(r"\s*[-+=(#~<>≈$]?\s*\.?\d|\s*[-+]?inf|[=#]").mean() >= 0.5)


def families(table: Table, settled: set[str]) -> list[str]:
    """Sentences on columns whose names stand beside many runs, such as that of an experiment."""
    left = [name for name in table.cells if name not in settled]
    own = [name for name in left if (recognise(name) or ("",))[0] == "run"]
    several = {name: table.cells[name].nunique() for name in own}
    return [
        f"column {name!r} names {n} groups of runs of several sizes, and all are one table here; "
        "fit them apart, a group at a time."
        for name, n in several.items()
        if 1 < n <= len(table.cells) / 2
    ]


def mixtures(table: Table, given: Mapping[str, str | None], roles: Mapping[str, str]) -> list[str]:
    """A sentence on a size beside a number of experts, unless the user has said what it is."""
    size = {role: name for name, role in roles.items() if name not in given}.get("params", "")
    if not size or {"act", "active", "activated", "total"} & set(words(size)):
        return []
    several = [name for name in table.cells if "experts" in words(name)
               and pd.to_numeric(table.cells[name], errors="coerce").max() > 1]  # fmt: skip
    return [
        f"column {name!r} says that these are mixtures of experts; laws differ in whether N counts "
        f"the active parameters or all, so say which {size!r} does, columns={{{size!r}: 'params'}}."
        for name in several[:1]
    ]


def _one_size(table: Table, name: str, sizes: Sequence[str]) -> bool:
    """Whether a column may name runs: a run has one size, an experiment or a model family many."""
    if not sizes:
        return True
    column = table.cells[sizes[0]]
    by_name = column.mask(blank(column)).groupby(table.cells[name].astype(str), sort=False)
    several = by_name.nunique()[by_name.size() > 1]
    return bool((several > 1).mean() <= 0.5) if len(several) else True


def _choose(table: Table, role: str, candidates: Sequence[tuple[str, str]]) -> tuple[str, str, str]:
    """The column for a role among those whose names fit it, or the question which it is."""
    if len(candidates) == 1:
        return (*candidates[0], "its name")
    if role in ("run", "seed", "step", "state"):
        names = list(_EXACT[role])
        plain = {one[0]: re.sub(r" \(\d+\)$", "", one[0]) for one in candidates}
        ranked = sorted(candidates, key=lambda one: names.index(" ".join(words(plain[one[0]]))))
        if role == "run":
            _one_partition(table, [name for name, _ in ranked])
        return (*ranked[0], f"its name, before {', '.join(name for name, _ in ranked[1:])}")
    kept = list(candidates)
    if role == "params":
        kept = [one for one in kept if words(one[0]) != ["size"]] or kept
    if role == "loss":
        # A loss as such says more than a perplexity, and a held-out loss more than one of training.
        kept = [one for one in kept if one[1] in ("", "nats")] or kept
        kept = [one for one in kept if _HELD_OUT & set(words(one[0]))] or kept
    if len(kept) == 1:
        rest = [name for name, _ in candidates if name != kept[0][0]]
        return (*kept[0], f"its name, before {', '.join(rest)}")
    listed, one = ", ".join(repr(name) for name, _ in kept), kept[0][0]
    why = "they may hold different things"
    if any({"act", "active", "activated"} & set(words(name)) for name, _ in kept):
        why = "a mixture of experts has active and total ones, and laws differ in which they mean"
    raise table.refuse(
        f"columns {listed} can all be read as {role}; {why}. Say which, for example "
        f"columns={{{one!r}: {role!r}}}"
    )


def _one_partition(table: Table, names: list[str]) -> None:
    """Refuse names and identifiers of runs that group the rows differently."""
    first, *others = names
    runs = {name: table.cells[name].astype(str).nunique() for name in names}
    for other in others:
        if runs[first] != runs[other] and min(runs[first], runs[other]) > 1:
            raise table.refuse(
                f"columns {first!r} and {other!r} may both name the runs, and they group the rows "
                f"differently ({runs[first]} and {runs[other]} runs); say "
                f"columns={{{first!r}: 'run'}} or columns={{{other!r}: 'run'}}, or None for both "
                "if each row is a run of its own"
            )
