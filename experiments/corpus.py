"""Text to train on: the Python sources of packages of the public index, pinned by hash."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LIST = Path(__file__).with_name("corpus.txt")
HELD_OUT = 20
"""One file of so many is held out."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Bytes to train on and bytes held out, and the digest of both."""

    train: np.ndarray
    held_out: np.ndarray
    digest: str


def fetch(folder: Path) -> list[Path]:
    """The wheels of the list, by pip, which checks each against its hash."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--require-hashes", "--no-deps", "--only-binary", ":all:", "--python-version", "3.12",
            "--dest", str(folder), "--requirement", str(LIST),
        ],
        check=True,
    )  # fmt: skip
    return sorted(folder.glob("*.whl"))


def wheel_sources(paths: Iterable[Path]) -> Iterator[bytes]:
    """The Python files in wheels."""
    for path in paths:
        with zipfile.ZipFile(path) as wheel:
            for name in sorted(wheel.namelist()):
                if name.endswith(".py"):
                    yield wheel.read(name)


def library_sources() -> Iterator[bytes]:
    """The top files of Python's own library: text for the smoke plan, without the network."""
    for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py")):
        yield path.read_bytes()


def split(sources: Iterable[bytes]) -> Corpus:
    """Each text once, in the order of its digest, which also decides what is held out."""
    by_digest = {hashlib.sha256(text).digest(): text for text in sources if text}
    parts: dict[bool, list[bytes]] = {True: [], False: []}
    whole = hashlib.sha256()
    for digest, text in sorted(by_digest.items()):
        whole.update(digest)
        # The last byte decides, for the first ones give the order.
        parts[digest[-1] % HELD_OUT == 0].append(text)
    train, held_out = (
        np.frombuffer(b"\0".join(parts[out]) + b"\0", dtype=np.uint8) for out in (False, True)
    )
    return Corpus(train, held_out, whole.hexdigest())


def windows(text: np.ndarray, *, context: int, seed: int) -> np.ndarray:
    """Starts of windows that do not overlap, in the random order of a seed."""
    starts = np.arange((len(text) - 1) // context, dtype=np.int64) * context
    return np.random.default_rng(seed).permutation(starts)


def batch(text: np.ndarray, starts: np.ndarray, *, context: int) -> np.ndarray:
    """The windows at `starts`, each with the byte that follows it."""
    return text[starts[..., None] + np.arange(context + 1)]
