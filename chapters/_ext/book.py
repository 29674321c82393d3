"""What Jupyter Book needs to be told: one small Sphinx extension."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import assets
import parallel
import scoreboard
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
log = logging.getLogger(__name__)


def inputs_digest(root: Path = ROOT) -> str:
    """Digest of everything besides the page that decides what a chapter prints."""
    groups = [
        *(
            sorted(root.glob(f"{folder}/**/*.py"))
            for folder in ("scalinglib", "chapters", "benchmarks", "experiments", "tools")
        ),
        sorted(path for path in root.glob("data/**/*") if path.is_file()),
        [root / "requirements.txt"],
    ]
    digest = hashlib.sha256()
    for path in (path for group in groups for path in group):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    # The scoreboard shows what the other pages stored.
    for path in sorted(root.glob("chapters/*.ipynb")):
        digest.update(json.dumps(list(scoreboard.tables(path.stem, root))).encode())
    return digest.hexdigest()[:16]


def configure(app: Sphinx, config: Config) -> None:
    os.environ["SCALINGLIB_DISPLAY"] = "site"
    config.book_digest = inputs_digest()
    build = Path(app.outdir).parent
    if config.nb_execution_mode == "cache" and not config.nb_execution_cache_path:
        # The stock cache looks at the page alone and would show the numbers of older code.
        config.nb_execution_cache_path = str(build / ".jupyter_cache" / config.book_digest)
        run = parallel.fill(
            Path(app.srcdir), config.nb_execution_cache_path, config.nb_execution_timeout
        )
        log.info("pages run side by side: %s", ", ".join(run) or "none")
    vendor = build / "assets"
    assets.write(vendor / "vendor")
    config.html_static_path = [*config.html_static_path, str(vendor)]


def disconnect_thebe(app: Sphinx, config: Config) -> None:
    # Jupyter Book always loads sphinx_thebe; this book has no live code and wants no script of it.
    for listeners in app.events.listeners.values():
        listeners[:] = [
            one for one in listeners if not one.handler.__module__.startswith("sphinx_thebe")
        ]
    app.registry.css_files[:] = [
        file for file in app.registry.css_files if file[0] != "sphinx-thebe.css"
    ]


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("book_digest", "", "env")
    app.connect("config-inited", configure, priority=100)
    app.connect("config-inited", disconnect_thebe, priority=999)
    app.add_css_file("book.css", priority=900)
    app.add_js_file("charts.js", priority=401, loading_method="defer")
    app.add_js_file("scroll.js", priority=403, loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
