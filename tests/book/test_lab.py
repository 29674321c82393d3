"""Two chapters in a real JupyterLab without a network: no error, charts drawn, sliders move."""

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec

import nbformat
import pytest
from selenium.webdriver.support.ui import WebDriverWait

from tools import browser as chromium
from tools import notebooks

from .test_browser import driver  # noqa: F401
from .test_browser import pytestmark as in_browser

PACKAGES = ("jupyterlab", "anywidget")
pytestmark = [
    *in_browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(find_spec, PACKAGES)),
        reason="requirements-lab.txt is not installed, and `make lab` does that",
    ),
]
CHAPTERS = ("compute", "epoch-refit")
# All cells stand in the page, and nobody is asked about news.
SETTINGS = {
    "notebook-extension/tracker": '{"windowingMode": "none"}',
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
}
STATE = """
const panel = window.jupyterapp.shell.currentWidget;
const cells = panel?.content?.widgets?.map(cell => cell.model) ?? [];
const code = cells.filter(model => model.type === 'code');
const outputs = code.flatMap(model => model.outputs.toJSON());
return {
  code: code.length,
  run: code.filter(model => model.executionCount && model.executionState !== 'running').length,
  idle: panel?.sessionContext?.session?.kernel?.status === 'idle',
  errors: outputs.filter(one => one.output_type === 'error' || one.name === 'stderr')
    .map(one => one.evalue ?? one.text),
  drawn: [...document.querySelectorAll('.vega-embed canvas, .vega-embed svg')]
    .filter(e => e.getBoundingClientRect().width > 250).length,
};
"""
PICTURE = """
const embed = document.querySelector('.vega-embed:has(input[type=range])');
if (arguments.length) {
  const input = embed.querySelector('input[type=range]');
  input.value = Number(input.min) + arguments[0] * (input.max - input.min);
  input.dispatchEvent(new Event('input', {bubbles: true}));
}
const drawing = embed.querySelector('canvas, svg');
return drawing.toDataURL?.() ?? drawing.outerHTML;
"""


def stored(slug):
    notebook = nbformat.read(notebooks.CHAPTERS / f"{slug}.ipynb", as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def charts(slug):
    """How many charts a chapter shows."""
    texts = (one.get("data", {}).get("text/plain", "") for one in stored(slug))
    return sum(text.startswith("Chart: ") for text in texts)


def serve(folder, slugs):
    """Start a JupyterLab with settings of its own on copies of chapters: process and address."""
    for name, text in SETTINGS.items():
        path = folder / "settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "work").mkdir()
    for slug in slugs:
        shutil.copy(notebooks.CHAPTERS / f"{slug}.ipynb", folder / "work")
    here = {name: value for name, value in os.environ.items() if name != "SCALINGLIB_DISPLAY"}
    here |= {
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "PYTHONPATH": str(notebooks.CHAPTERS.parent),
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root"]
    options += ["--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder / 'work'}"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options], env=here, stdout=log, stderr=log
        )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.2)
    return process, f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    process, address = serve(tmp_path_factory.mktemp("lab"), CHAPTERS)
    yield address
    process.terminate()
    process.wait(30)


def run(driver, lab, slug):  # noqa: F811
    """Open a chapter, run all its cells, and return the state that it comes to rest in."""
    chromium.view(driver, "desktop")

    driver.get(f"{lab}/lab/tree/{slug}.ipynb?reset")

    def state():
        return driver.execute_script(STATE)

    WebDriverWait(driver, 90, 1).until(lambda _: (now := state())["idle"] and now["code"])
    driver.execute_script(
        """for (const cell of window.jupyterapp.shell.currentWidget.content.model.cells)
             cell.type === 'code' && cell.clearExecution();
           window.jupyterapp.commands.execute('notebook:run-all-cells');"""
    )
    WebDriverWait(driver, notebooks.CELL_TIMEOUT, 1).until(
        lambda _: (now := state())["errors"] or (now["idle"] and now["run"] == now["code"])
    )
    WebDriverWait(driver, 60, 1).until(
        lambda _: (now := state())["errors"] or now["drawn"] >= charts(slug)
    )
    return state()


@pytest.mark.parametrize("slug", CHAPTERS)
def test_a_chapter_runs_draws_and_slides_in_jupyterlab(driver, lab, slug):  # noqa: F811
    chromium.requests(driver)
    found = run(driver, lab, slug)
    assert found["errors"] == []
    assert found["drawn"] == charts(slug) > 0
    before = driver.execute_script(PICTURE)
    for share in (0.2, 0.7):
        driver.execute_script(PICTURE, share)
        WebDriverWait(driver, 10).until(lambda d, old=before: d.execute_script(PICTURE) != old)
        before = driver.execute_script(PICTURE)
    assert [url for url in chromium.requests(driver) if not url.startswith(lab)] == []
