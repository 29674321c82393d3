"""The report as one page of HTML: no script, nothing loaded, light, dark and on paper."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from scalinglib.display import number, percent, power, quantity
from scalinglib.report.findings import SHOWN, Approach, Findings, Intervals

ROWS, LONG = 12, 600
"""Rows of a table and characters of a list of reasons that are cut."""

EXPECTED = ("an earlier checkpoint", "another value", "not the best")
"""Beginnings of reasons for which rows are counted, not listed."""

MEANING = {
    "E": "irreducible loss", "A": "coefficient of parameters", "B": "coefficient of tokens",
    "alpha": "exponent of parameters", "beta": "exponent of tokens",
    "a": "exponent of compute-optimal parameters", "b": "exponent of compute-optimal tokens",
}  # fmt: skip

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><header><h1>{title}</h1></header>
<main>
{body}
</main></body></html>
"""


def render(found: Findings, *, command: str, versions: Mapping[str, str], digest: str) -> str:
    """The page."""
    unit = unit_of(found)
    drawn, lacking = _drawn(found, unit)
    parts = [
        _lead(found, unit), _look(found), _read(found), _plane(found, drawn), _says(lacking),
        _approaches(found, drawn), _law(found, drawn, unit), _back(found), _plans(found, unit),
        _repeat(command, versions, digest),
    ]  # fmt: skip
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    title = f"Scaling report: {escape(found.runs.name)}"
    return PAGE.format(title=title, style=style, body="\n".join(parts))


def _drawn(found: Findings, unit: str) -> tuple[dict[str, str], str]:
    """The drawings by name, or none and what would draw them."""
    try:
        from scalinglib.report.pictures import pictures
    except ImportError as error:
        return {}, (
            f"This report has no pictures, because {error.name} is not installed here: "
            "pip install 'scalinglib[report]' brings what draws them."
        )
    return pictures(found, unit), ""


def unit_of(found: Findings) -> str:
    """The unit of the loss, as the reader took it."""
    taken = found.runs.taken
    said = " ".join(taken.loc[taken["taken as"] == "loss", "unit"])
    return next((f"nats per {one}" for one in ("byte", "character") if one in said),
                "nats per token")  # fmt: skip


def grid(
    rows: Iterable[Sequence[Any]], head: Sequence[str], *, text: Sequence[int] = (0,),
    caption: str = "",
) -> str:  # fmt: skip
    """A table; cells are text to escape, or a pair of text and what stands small below it."""

    def cell(k: int, value: Any) -> str:
        main, below = value if isinstance(value, tuple) else (value, "")
        small = f"<small>{escape(str(below))}</small>" if below else ""
        return f"<td{_text(k, text)}>{escape(str(main))}{small}</td>"

    top = "".join(f'<th scope="col"{_text(k, text)}>{escape(one)}</th>' for k, one in
                  enumerate(head))  # fmt: skip
    body = "".join(
        "<tr>" + "".join(cell(k, value) for k, value in enumerate(row)) + "</tr>" for row in rows
    )
    told = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="wrap"><table>{told}<thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _text(k: int, text: Sequence[int]) -> str:
    return ' class="text"' if k in text else ""


def _says(*sentences: str) -> str:
    return "".join(f"<p>{escape(one)}</p>" for one in sentences if one)


def _figure(drawn: str, caption: str) -> str:
    return f"<figure>{drawn}<figcaption>{escape(caption)}</figcaption></figure>"


def cut(text: str) -> str:
    """The first sentences of a long list of them."""
    return text if len(text) <= LONG else f"{text[:LONG].rpartition('. ')[0]}. And so on."


def between(ends: tuple[float, float] | None, write: Any) -> str:
    """An interval in words; empty if there is none."""
    if ends is None or any(math.isnan(end) for end in ends):
        return ""
    low, high = ends
    if math.isinf(high):
        return f"above {write(low)}" if low > 0 else "any value"
    return f"{write(low)} to {write(high)}" if math.isfinite(low) else f"below {write(high)}"


def ratio(value: float) -> str:
    """Tokens per parameter, at 3 significant digits."""
    return f"{float(f'{value:.3g}'):,g}"


def _lead(found: Findings, unit: str) -> str:
    vague, fitted = "", [one for one in found.approaches if one.fit]
    if found.loose:
        vague = f"These runs do not settle the parametric law: {found.loose}. Do not plan by it."
        fitted.remove(found.parametric)
    if not fitted:
        vague = vague or "No approach could be fitted to these runs; each says below what it lacks."
        return f'<div class="lead">{_says(vague)}</div>'
    C, table = next(iter(found.plans.items()))
    own = table.set_index("law").loc[[one.name for one in fitted]]
    first = own.iloc[0]
    told = (
        f"{power(C)} FLOP are best spent on {quantity(first.params)} parameters and "
        f"{quantity(first.tokens)} tokens, {ratio(first['tokens per parameter'])} tokens per "
        f"parameter{_span(found, first)}, by the {_lower(fitted[0].name)}"
    )
    told += f", at a loss of {number(first.loss)} {unit}." if first.loss == first.loss else "."
    others = [
        f"{quantity(one.params)} by the {_lower(str(name))}"
        for name, one in own.iloc[1:].iterrows()
    ]
    more = f"Other approaches: {' and '.join(others)}." if others else ""
    note = f"This is an extrapolation, {first.note}." if first.note else ""
    return f'<div class="lead">{_says(told, " ".join(filter(None, [more, note])), vague)}</div>'


def _span(found: Findings, first: Any) -> str:
    """The interval of the tokens per parameter, where it is believed."""
    own = found.intervals
    ends = between(first["spread"].get("tokens per parameter"), ratio)
    return f" (95 % interval {ends})" if ends and own is not None and not own.doubts else ""


def _lower(name: str) -> str:
    return name.replace("Parametric", "parametric").replace("Envelope", "envelope")


def _look(found: Findings) -> str:
    if not found.warnings:
        return _says("No fit gave a warning.")
    listed = "".join(f"<li>{escape(where)}: {escape(one)}</li>" for where, one in found.warnings)
    return f"<h2>Warnings</h2><ul>{listed}</ul>"


def _read(found: Findings) -> str:
    runs = found.runs
    taken = grid(
        ((one or "(derived)", *rest) for one, *rest in runs.taken.itertuples(index=False)),
        ("column", "taken as", "unit", "how"), text=(0, 1, 2, 3),
    )  # fmt: skip
    told = f"{len(runs)} rows were kept: {runs.points}."
    gone = runs.set_aside
    if not len(gone):
        return f"<h2>What was read</h2>{taken}{_says(told + ' None was set aside.')}"
    kinds = runs.summary().iloc[1:]
    many = [(why, one.rows) for why, one in zip(kinds.index, kinds.itertuples(), strict=True)]
    quiet = gone[~gone["reason"].astype(str).str.startswith(EXPECTED)]
    listed = [(one.row, one.run, one.reason) for one in quiet.head(ROWS).itertuples()]
    if len(quiet) > ROWS:
        listed.append(("...", "", f"and {len(quiet) - ROWS} more"))
    aside = grid(many, ("set aside because", "rows"))
    if len(quiet):
        aside += grid(listed, ("row", "run", "why it was set aside"), text=(0, 1, 2))
    return f"<h2>What was read</h2>{taken}{_says(f'{told} Set aside: {len(gone)}.')}{aside}"


def _plane(found: Findings, drawn: Mapping[str, str]) -> str:
    if "plane" not in drawn:
        return ""
    n = len(found.frame)
    some = f" {SHOWN} of them, drawn at random, are shown." if n > SHOWN else ""
    caption = f"The {n} runs by compute and parameters, coloured by loss.{some}"
    return f"<h2>The runs</h2>{_figure(drawn['plane'], caption)}"


def _approaches(found: Findings, drawn: Mapping[str, str]) -> str:
    def line(one: Approach) -> tuple[Any, ...]:
        if one.exponents is None:
            return one.name, "no", "", ""
        return one.name, "yes", *(f"{value:.3f}" for value in one.exponents)

    head = ("approach", "fitted", "exponent a of parameters", "exponent b of tokens")
    refused = [f"{one.name}: {cut(one.why)}" for one in found.approaches if one.fit is None]
    if found.parametric.fit is None and found.curves not in (None, found.runs):
        refused.append("The runs have checkpoints; --points all fits every one of them.")
    picture = ""
    if "isoflop" in drawn:
        picture = _figure(
            drawn["isoflop"],
            "Loss along each budget, the parabola through it, and its minimum (diamond; a cross "
            "where it is not used).",
        )
    fitted = any(one.fit for one in found.approaches)
    if found.envelope.fit is not None or (fitted and found.runs is found.curves):
        refused.append(
            "Losses in mid-run are taken at face value here; under a schedule made for more tokens "
            "they are too high."
        )
    body = grid(map(line, found.approaches), head, text=(0, 1)) + _says(*refused)
    return f"<h2>The approaches</h2>{body}{picture}"


def _law(found: Findings, drawn: Mapping[str, str], unit: str) -> str:
    fit = found.parametric.fit
    if fit is None:
        return ""
    own = found.intervals
    clustered = found.runs.clusters is not None
    body = _parameters(own, clustered) if own else _says(f"No intervals: {found.no_intervals}")
    left = fit.residuals  # type: ignore[union-attr]
    worst = left.abs().sort_values(ascending=False, kind="stable").index[:3]
    caption = (
        f"Observed loss relative to the law ({unit}); the spread is {percent(left.std(), 2)}, and "
        f"the rows farthest off are {', '.join(map(str, worst))}."
    )
    picture = _figure(drawn["residuals"], caption) if "residuals" in drawn else _says(caption)
    return (
        "<h2>The parametric law, L = E + A N<sup>-alpha</sup> + B D<sup>-beta</sup></h2>"
        f"{body}{picture}"
    )


def _parameters(own: Intervals, clustered: bool) -> str:
    table = own.table
    squares = ["least squares"] if "least squares" in table else []
    rows = [
        (name, MEANING[str(name)], number(one["value"]), *(number(one[k]) for k in squares),
         between((one["low"], one["high"]), number) or "none")
        for name, one in table.iterrows()
    ]  # fmt: skip
    drawn = "clusters of runs, each drawn whole" if clustered else "resampled runs"
    said = (
        "The resamples warn against their own intervals (above), so the intervals are profile "
        "likelihoods of the least-squares fit" + (
            ", which takes the runs as independent although they come in clusters: read them as "
            "the least there is." if clustered else ".")
        if own.doubts
        else f"The intervals are percentiles of {len(own.boot.params)} refits to {drawn}."
    )  # fmt: skip
    head = ("", "meaning", "value (Huber)", *squares, "95 % interval")
    return grid(rows, head, text=(0, 1)) + _says(said)


def _back(found: Findings) -> str:
    if found.parametric.fit is None:
        return ""
    if (test := found.test) is None:
        return f"<h2>Back-test</h2>{_says(f'None: {found.no_test}')}"
    judged = test.table.sort_values("flops", ascending=False, kind="stable")
    told = (
        f"A fit to the {test.fit.n_runs} smaller runs predicts the {len(test.table)} largest with "
        f"a typical error of {percent(test.rms, 2)} and {percent(test.worst, 2)} at worst."
    )
    rows = [
        (label, quantity(one.params), quantity(one.tokens), number(one.loss),
         number(one.predicted), f"{100 * one.error:+.2f} %")
        for label, one in zip(judged.index, judged.itertuples(), strict=True)
    ][:ROWS]  # fmt: skip
    cut = f"The largest {ROWS} of {len(test.table)}." if len(test.table) > ROWS else ""
    head = ("row", "parameters", "tokens", "observed", "predicted", "error")
    return f"<h2>Back-test on the largest runs</h2>{_says(told)}{grid(rows, head, caption=cut)}"


def _plans(found: Findings, unit: str) -> str:
    if not found.plans:
        return ""
    own = found.intervals
    ranged = any(any(table["spread"]) for table in found.plans.values())
    small = "The small ranges are 95 % percentile intervals of the law, not of a single run."
    if own is not None and own.doubts:
        small = "The small ranges are the spread of refits, narrower here than a 95 % interval is."
    columns = ("params", "tokens", "tokens per parameter", "loss")
    write = dict(zip(columns, (quantity, quantity, ratio, number), strict=True))
    parts = []
    ours = [one.name for one in found.approaches]
    for C, table in found.plans.items():
        if unit != "nats per token":
            table = table.assign(loss=table["loss"].where(table["law"].isin(ours)))
        rows = [
            ((one["law"], one["note"]), *(
                (write[k](one[k]) if one[k] == one[k] else "",
                 between(one["spread"].get(k), write[k])) for k in columns))
            for _, one in table.iterrows()
        ]  # fmt: skip
        head = ("law", "parameters", "tokens", "tokens per parameter", f"loss ({unit})")
        parts.append(grid(rows, head, caption=f"{power(C)} FLOP"))
    other = (
        "Published losses are of other data and other tokenisers: compare the splits, not the "
        "losses."
        if unit == "nats per token"
        else "Published losses are in nats per token, and so not shown."
    )
    return f"<h2>Plans</h2>{''.join(parts)}{_says(small if ranged else '', other)}"


def _repeat(command: str, versions: Mapping[str, str], digest: str) -> str:
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"<h2>To repeat it</h2><p><code>{escape(command)}</code></p>"
        f'<p class="quiet">{escape(digest)}; {escape(told)}.</p>'
    )
