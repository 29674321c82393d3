"""How large the house is, by lines, files and functions, and how its pages read."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tools import prose

ROOT = Path(__file__).resolve().parents[1]
SHARED_LINES = 16_000
"""Lines that the package may have besides the rooms of its chapters."""
TOPIC_LINES = 800
"""Lines that a chapter may have in ``scalinglib/topics``."""
FILE_LINES = 500
FUNCTION_CODE = {"scalinglib": 60, "chapters": 90}
"""Longest code of a function, by folder."""
FUNCTION_P90 = 25
"""Nine functions of ten in the package are no longer than this."""
SENTENCE_WORDS, CELL_LINES, WORDS_PER_LINE = 40, 20, 12
"""Longest sentence and longest visible cell of a page, fewest words for a line of visible code."""
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


@dataclass(frozen=True, slots=True)
class Function:
    """A function: where it stands, and its lines of code without docstring, comments and blanks."""

    path: str
    name: str
    code: int


def sources(*folders: str) -> list[Path]:
    """Python files below folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> list[Function]:
    """The functions of a file, methods included."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    documented = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in SKIPPED:
            code.update(range(token.start[0], token.end[0] + 1))
    code -= documented
    name = path.relative_to(ROOT).as_posix()
    return [
        Function(name, node.name, len(code & set(range(node.lineno, (node.end_lineno or 0) + 1))))
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]


def lines(path: Path) -> int:
    """Lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


def quantile(values: list[int], share: float) -> int:
    """The value that a share of the values does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else 0


def by_topic() -> dict[str, int]:
    """Lines of each chapter's room in the package; under "" those of all other rooms."""
    totals: dict[str, int] = defaultdict(int)
    for path in sources("scalinglib"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        totals["/".join(parts[1:3]) if parts[1] == "topics" else ""] += lines(path)
    return totals


def problems() -> list[str]:
    """Where the house is larger than it may be, as sentences."""
    found = []
    for room, total in by_topic().items():
        most = TOPIC_LINES if room else SHARED_LINES
        if total > most:
            found.append(f"{room or 'scalinglib without topics'}: {total} lines, more than {most}.")
    for path in sources("scalinglib", "chapters", "tests", "tools", "benchmarks"):
        if lines(path) > FILE_LINES:
            found.append(f"{path.relative_to(ROOT)} has {lines(path)} lines; split it.")
    for folder, most in FUNCTION_CODE.items():
        for one in (one for path in sources(folder) for one in functions(path)):
            if one.code > most:
                found.append(f"{one.path}: {one.name} has {one.code} lines of code; split it.")
    p90 = quantile([one.code for path in sources("scalinglib") for one in functions(path)], 0.9)
    if p90 > FUNCTION_P90:
        found.append(f"nine functions of ten have up to {p90} lines, more than {FUNCTION_P90}.")
    return found


def unreadable(name: str) -> list[str]:
    """Where a page is harder to read than it may be, as sentences."""
    page = prose.read(name)
    measured = prose.figures(page)
    found = [
        f"{name}: {len(prose.words(one))} words in one sentence: {one[:90]} ..."
        for one in page.sentences
        if len(prose.words(one)) > SENTENCE_WORDS
    ]
    if any(len(cell) > CELL_LINES for cell in page.visible):
        found.append(f"{name} shows a cell of more than {CELL_LINES} lines; fold or split it.")
    if measured.per_line < WORDS_PER_LINE:
        found.append(f"{name} has {measured.per_line:.1f} words for a line of visible code.")
    return found


def reading() -> None:
    """Print how each page reads."""
    print(f"\n{'page':<24}{'words':>7}{'words a line of code':>22}{'longest':>9}{'grade':>7}")
    for name in prose.PAGES:
        page = prose.read(name)
        one = prose.figures(page)
        ratio = f"{one.per_line:.0f}" if any(page.visible) else ""
        print(f"{name:<24}{one.words:>7,}{ratio:>22}{one.longest:>9}{one.grade:>7.1f}")
    print("longest: words of the longest sentence; grade: automated readability index\n")


def main() -> int:
    """Print the figures of every room; the exit status is 1 when something is too large."""
    rooms: dict[str, list[Path]] = defaultdict(list)
    for path in sources("scalinglib", "chapters", "tests", "tools", "benchmarks"):
        parts = path.relative_to(ROOT).parts
        rooms["/".join(parts[:2]) if len(parts) > 2 else parts[0]].append(path)
    print(f"{'room':<24}{'files':>6}{'lines':>8}{'longest':>9}   code of a function: p50 p90 max")
    for name, paths in rooms.items():
        code = [one.code for path in paths for one in functions(path)]
        sizes = [lines(path) for path in paths]
        print(
            f"{name:<24}{len(paths):>6}{sum(sizes):>8}{max(sizes):>9}"
            f"{quantile(code, 0.5):>27}{quantile(code, 0.9):>4}{max(code, default=0):>4}"
        )
    package = sources("scalinglib")
    code = [one.code for path in package for one in functions(path)]
    print(
        f"scalinglib: {len(package)} files, {sum(map(lines, package))} lines, "
        f"{by_topic()['']} of them shared; p90 {quantile(code, 0.9)}, longest {max(code)}"
    )
    reading()
    wrong = problems() + [one for name in prose.PAGES for one in unreadable(name)]
    print("\n".join(wrong) if wrong else "Every limit is kept.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
