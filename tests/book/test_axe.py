"""What axe finds on each page: nothing, in light mode by all its rules, in dark mode by colour."""

import time
from importlib.resources import files

import pytest

from tools import browser as chromium

from .conftest import pages
from .test_browser import driver, opened, pytestmark, served  # noqa: F401

AXE = (files("axe_core_python") / "axe.min.js").read_text()
COLOURS = ["color-contrast", "link-in-text-block"]
# What a chart draws is held to its own contrast elsewhere; its frame and its sliders are in.
FIND = """
const [colours, only, done] = arguments;
const others = {rules: Object.fromEntries(colours.map(rule => [rule, {enabled: false}]))};
const options = {resultTypes: ['violations'], ...(only ? {runOnly: colours} : others)};
axe.run({exclude: [['.vl-live svg']]}, options).then(
  found => done(found.violations.flatMap(rule => rule.nodes.map(
    node => `${rule.impact} ${rule.id}: ${node.html.slice(0, 120)}`))),
  error => done([String(error)]));
"""


def findings(driver, mode, colours):  # noqa: F811
    """What the rules of colour find in a mode, or all the other rules."""
    chromium.dress(driver, mode)
    driver.set_script_timeout(110)
    driver.execute_script(AXE)
    return driver.execute_async_script(FIND, COLOURS, colours)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages())
def test_axe_finds_nothing_in_either_mode(opened, page):  # noqa: F811
    driver = opened(page)  # noqa: F811
    time.sleep(1)  # tab stops of boxes that scroll follow the widths of fonts and formulas
    assert findings(driver, "light", colours=False) == []
    assert findings(driver, "light", colours=True) == []
    assert findings(driver, "dark", colours=True) == []


def test_axe_finds_what_is_planted(opened):  # noqa: F811
    driver = opened("chapters/cite")  # noqa: F811
    driver.execute_script(
        """document.querySelector('article').insertAdjacentHTML('beforeend',
           '<p style="color: #999; background: #aaa">faint</p><button></button>'
           + '<i id="twice"></i><i id="twice"></i>')"""
    )
    found = " ".join(findings(driver, "light", colours=False))
    assert "button-name" in found
    assert "duplicate-id" in found
    assert "color-contrast" in " ".join(findings(driver, "light", colours=True))
