"""A headless Chromium that reaches nothing but files and this machine, and pictures of pages.

``python -m tools.browser [page ...]`` writes screenshots of built pages into ``_build/look``, a
picture per screen, on a desktop and on a phone, in light and in dark mode.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
BINARIES = ("chromium", "chromium-browser", "google-chrome", "chrome")
SCREEN = 1700
"""Height of one picture, pixels."""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def chromium() -> str | None:
    """Path of a Chromium that has its driver beside it on the path, or None."""
    found = next((path for path in map(shutil.which, BINARIES) if path), None)
    return found if found and shutil.which("chromedriver") else None


@contextmanager
def browser() -> Iterator[webdriver.Chrome]:
    """Start Chromium with all name resolution blocked and all its logs kept."""
    options = webdriver.ChromeOptions()
    options.binary_location = chromium() or ""
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars",
            "--allow-file-access-from-files", f"--user-data-dir={profile}",
            "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
        ):  # fmt: skip
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        driver = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


def view(driver: webdriver.Chrome, size: str) -> None:
    """Give the page the width of a desktop or a phone."""
    width, height = SIZES[size]
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"},
    )


def dress(driver: webdriver.Chrome, mode: str) -> None:
    """Switch the page to light or dark as its own button does, and wait for the charts."""
    driver.execute_script(
        "document.documentElement.dataset.mode = arguments[0];"
        "document.documentElement.dataset.theme = arguments[0];",
        mode,
    )
    settled(driver)


def settled(driver: webdriver.Chrome) -> None:
    """Wait until every chart is drawn or has failed, and every formula is set.

    Charts wait to be seen; a page that is about to be printed draws all of them.
    """
    WebDriverWait(driver, 30).until(
        lambda d: d.execute_script("return document.readyState === 'complete'")
    )
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    WebDriverWait(driver, 30).until(
        lambda d: d.execute_script(
            "return document.readyState === 'complete'"
            " && [...document.querySelectorAll('.vl-chart')].every(c => c.dataset.ready)"
            " && [...document.querySelectorAll('.math')]"
            ".every(m => m.querySelector('mjx-container'))"
        )
    )


def requests(driver: webdriver.Chrome) -> list[str]:
    """Addresses asked for since the last call, the browser's own pages left out."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    sent = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in sent if not url.startswith(("chrome:", "data:", "about:", "blob:"))]


def pictures(driver: webdriver.Chrome, size: str, stem: Path) -> list[Path]:
    """Save the whole page as PNGs, one per screen, numbered from the top.

    A single picture would be cut or shifted where a page is longer than the 16,384 pixels that
    the browser can draw at once.
    """
    width = SIZES[size][0]
    stem.parent.mkdir(parents=True, exist_ok=True)
    driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": SCREEN, "deviceScaleFactor": 1, "mobile": size == "phone"},
    )
    height = driver.execute_script("return document.documentElement.scrollHeight")
    saved = []
    for number, top in enumerate(range(0, height, SCREEN)):
        driver.execute_script("window.scrollTo({top: arguments[0], behavior: 'instant'})", top)
        shot = driver.execute_cdp_cmd("Page.captureScreenshot", {})
        saved.append(stem.with_name(f"{stem.name}-{number:02}.png"))
        saved[-1].write_bytes(base64.b64decode(shot["data"]))
    view(driver, size)
    return saved


def main(names: list[str]) -> int:
    """Take pictures of the named pages, or of all chapters."""
    chosen = names or sorted(path.stem for path in (SITE / "chapters").glob("*.html"))
    with browser() as driver:
        for name in chosen:
            for size in SIZES:
                view(driver, size)
                driver.get((SITE / "chapters" / f"{name}.html").as_uri())
                for mode in ("light", "dark"):
                    dress(driver, mode)
                    stem = ROOT / "_build" / "look" / f"{name}-{size}-{mode}"
                    for path in pictures(driver, size, stem):
                        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
