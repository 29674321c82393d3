"""Run the pages whose outputs are not cached side by side, before Sphinx reads them one by one."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import single_nb_execution
from myst_nb.core.read import myst_nb_reader_plugin


def pages(root: Path) -> list[Path]:
    """Pages with cells that the contents list: the first page first, then the longest."""
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    parts = contents.get("parts", [])
    listed = [contents["root"], *(one["file"] for part in parts for one in part["chapters"])]
    found = [root / f"{name}.md" for name in listed]
    found = [path for path in found if path.read_text().startswith("---\njupytext")]
    return sorted(found, key=lambda path: (path != found[0], -path.stat().st_size))


def fill(root: Path, folder: str, timeout: int) -> list[str]:
    """Run what the cache in `folder` lacks, as many pages at a time as there are cores.

    A page that fails is not cached: Sphinx runs it again and reports what went wrong. Returns the
    names of the pages that were run.
    """
    cache, missing = get_cache(folder), []
    for path in pages(root):
        notebook = myst_nb_reader_plugin(str(path))
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            missing.append((path, notebook))
    if len(missing) < 2:
        return []
    # Each kernel has a core of its own, so its linear algebra needs no second thread.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(
            lambda one: single_nb_execution(
                one[1], cwd=str(one[0].parent), timeout=timeout, allow_errors=False
            ),
            missing,
        )
        for (path, notebook), result in zip(missing, results, strict=True):
            if result.err is None:
                bundle = CacheBundleIn(notebook, str(path), data={"execution_seconds": result.time})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    return [path.stem for path, _ in missing]
