"""The pages in a real browser that can reach nothing else.

Skipped where there is no Chromium, unless BOOK_BROWSER=required, which CI sets.
"""

import os
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.ui import WebDriverWait

import scalinglib as sl
from tools import browser as chromium

from .conftest import pages

required = os.environ.get("BOOK_BROWSER") == "required"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        chromium.chromium() is None and not required,
        reason="no Chromium with chromedriver on the path: the pages are not tried in a browser",
    ),
    # The standard library's server and Selenium leave closing sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
CHAPTER = "chapters/epoch-refit"
BUDGETS = (19.0, 21.5, 23.77, 25.3)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def served(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def driver():
    assert chromium.chromium(), "BOOK_BROWSER=required, but there is no Chromium with chromedriver"
    with chromium.browser() as found:
        yield found


@pytest.fixture
def opened(driver, served):
    def open_page(page, size="desktop", base=served):
        chromium.view(driver, size)
        driver.get("about:blank")
        driver.get_log("browser"), chromium.requests(driver)
        driver.get(f"{base}/{page}.html")
        chromium.settled(driver)
        return driver

    return open_page


def complaints(driver):
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def drawn(driver):
    """Per chart: whether it is ready, its number of marks, and its accessible name."""
    return driver.execute_script(
        """return [...document.querySelectorAll('.vl-chart')].map(chart => [
             chart.dataset.ready,
             chart.querySelectorAll('svg.marks [role=graphics-symbol], svg.marks path').length,
             chart.querySelector('.vl-live').getAttribute('aria-label') || ''])"""
    )


@pytest.mark.parametrize("page", pages())
@pytest.mark.parametrize("way", ["http", "file"])
def test_page_draws_itself_alone(opened, site, served, page, way):
    base = served if way == "http" else site.as_uri()
    driver = opened(page, base=base)
    asked = chromium.requests(driver)
    assert asked
    assert [url for url in asked if not url.startswith(base)] == []
    assert complaints(driver) == []
    for ready, marks, name in drawn(driver):
        assert (ready, marks > 5, len(name) > 80) == ("true", True, True)


@pytest.mark.parametrize("page", pages())
def test_page_fits_a_phone(opened, page):
    driver = opened(page, "phone")
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    for width in driver.execute_script(
        "return [...document.querySelectorAll('.vl-chart svg')].map(s => s.clientWidth)"
    ):
        assert 250 <= width <= 390
    ends = driver.execute_script(
        "return document.querySelector('.finding')?.getBoundingClientRect().bottom ?? 0"
    )
    assert ends <= 844, "the first screen shows the finding whole"
    assert driver.execute_script(GLYPHS) == []


# Letters of a private area are drawn by an icon font, and the site has none.
GLYPHS = """
return [...document.querySelectorAll('body :not(svg, svg *, mjx-container *)')]
  .flatMap(e => ['::before', '::after']
  .filter(place => /[\ue000-\uf8ff]/.test(getComputedStyle(e, place).content))
  .map(place => `${e.className}${place}: ${e.textContent.trim().slice(0, 40)}`));
"""


CONTRAST = """
const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
  .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const behind = element => {
  for (let e = element; e; e = e.parentElement) {
    const colour = rgb(getComputedStyle(e).backgroundColor);
    if (colour.length === 3 || colour[3] > 0.99) return colour;
  }
  return [255, 255, 255];
};
const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
const seen = selector => [...document.querySelectorAll(selector)]
  .filter(e => e.getClientRects().length);
const texts = seen('.bd-article p, .bd-article li, .bd-article h1, .bd-article h2, .bd-article td,'
  + '.bd-article th, .bd-article figcaption span').map(e => [e, 'color', 4.5]);
const marks = seen('.vl-chart svg text').map(e => [e, 'fill', 3]);
return [...texts, ...marks]
  .map(([e, property, wanted]) => [
    ratio(light(rgb(getComputedStyle(e)[property])), light(behind(e))),
    wanted, e.tagName + ': ' + e.textContent.slice(0, 60)])
  .filter(([found, wanted]) => found < wanted);
"""


# Tables and outputs that are wider than the sheet, which has no bar to move them by.
CUT = """
document.documentElement.style.width = '690px';
const sheet = document.querySelector('.bd-article').getBoundingClientRect().right + 1;
const cut = [...document.querySelectorAll('.bd-article table')]
  .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > sheet)
  .map(e => e.textContent.slice(0, 60));
document.documentElement.style.width = '';
return cut;
"""


@pytest.mark.parametrize("page", pages())
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_page_is_readable_in_both_modes(opened, page, mode):
    driver = opened(page)
    chromium.dress(driver, mode)
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", background)[:3])) / 3
    assert brightness < 60 if mode == "dark" else brightness > 230
    assert driver.execute_script(CONTRAST) == []


@pytest.mark.parametrize("page", [CHAPTER, "chapters/your-runs"])
def test_a_dark_page_prints_dark_on_white(opened, page):
    driver = opened(page)
    chromium.dress(driver, "dark")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert driver.find_element(By.CSS_SELECTOR, ".bd-article h1").is_displayed()
        assert not driver.find_element(By.CSS_SELECTOR, ".bd-sidebar-primary").is_displayed()
        assert driver.execute_script("return getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert driver.execute_script(CONTRAST) == []
        assert driver.execute_script(CUT) == []
    finally:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def slide(driver, value):
    driver.execute_script(
        """const input = document.querySelector('input[name=log_C]');
           input.value = arguments[0];
           input.dispatchEvent(new Event('input', {bubbles: true}));""",
        value,
    )


def readout(driver):
    """The chart with the slider: its texts, row by row."""
    return driver.execute_script(
        """const chart = document.querySelector('input[name=log_C]').closest('.vl-chart');
           return [...chart.querySelectorAll('svg .mark-text text')].map(t => t.textContent)"""
    )


def laws_of(driver):
    rows = driver.execute_script(
        """const chart = document.querySelector('input[name=log_C]').closest('.vl-chart');
           const spec = JSON.parse(chart.querySelector('.vl-spec').textContent);
           return Object.values(spec.datasets).find(rows => rows[0].G)"""
    )
    names = ("E", "A", "B", "alpha", "beta")
    return {row["law"]: sl.ChinchillaLaw(**{name: row[name] for name in names}) for row in rows}


def size(value):
    for scale, letter in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if value >= 0.9995 * scale:
            return f"{value / scale:.3g}{letter}"
    raise AssertionError(value)


def test_readouts_equal_the_package_at_four_budgets(opened):
    driver = opened(CHAPTER)
    laws = laws_of(driver)
    assert len(laws) >= 4
    before = readout(driver)
    for budget in BUDGETS:
        slide(driver, budget)
        WebDriverWait(driver, 5).until(lambda d, old=before: readout(d) != old)
        before = shown = readout(driver)
        for law in laws.values():
            best = sl.compute_optimal(law, 10.0**budget)
            for words in (
                size(best.N), size(best.D), f"{best.loss:.3f}",
                np_round(float(best.tokens_per_param)),
            ):  # fmt: skip
                assert words in shown


def np_round(value):
    """Three significant digits without exponent, as the chart writes a ratio."""
    digits = 2 - len(str(int(value))) + 1
    return f"{round(value, digits):.{max(0, digits)}f}"


def test_slider_says_its_value_and_obeys_keys(opened):
    driver = opened(CHAPTER)
    slider = driver.find_element(By.NAME, "log_C")
    output = slider.find_element(By.XPATH, "following-sibling::output")
    assert re.fullmatch(r"5\.75 × 10²³ FLOP", output.text)
    assert slider.get_attribute("aria-valuetext") == output.text
    old = readout(driver)
    slider.send_keys(Keys.ARROW_RIGHT)
    WebDriverWait(driver, 5).until(lambda d: readout(d) != old)
    assert output.text != "5.75 × 10²³ FLOP"


def test_switching_the_mode_keeps_the_slider(opened):
    driver = opened(CHAPTER)
    chromium.dress(driver, "light")
    slide(driver, 20.5)
    WebDriverWait(driver, 5).until(
        lambda d: d.find_element(By.CSS_SELECTOR, ".vl-value").text == "3.16 × 10²⁰ FLOP"
    )
    old = readout(driver)
    before = driver.find_element(By.CSS_SELECTOR, ".vl-chart svg")
    driver.execute_script("document.documentElement.dataset.theme = 'dark'")
    WebDriverWait(driver, 10).until(staleness_of(before))
    chromium.settled(driver)
    WebDriverWait(driver, 5).until(lambda d: readout(d) == old)
    assert driver.find_element(By.CSS_SELECTOR, ".vl-value").text == "3.16 × 10²⁰ FLOP"


def test_a_broken_chart_says_so_in_its_place(opened):
    driver = opened(CHAPTER)
    driver.execute_script(
        """document.querySelector('.vl-chart').remove();
           window.vegaEmbed = () => Promise.reject(new Error('planted'));
           document.documentElement.dataset.theme = 'dark';"""
    )
    WebDriverWait(driver, 5).until(
        lambda d: "could not be drawn: planted" in d.find_element(By.CLASS_NAME, "vl-live").text
    )
    assert any("planted" in message for message in complaints(driver))


def test_a_reader_finds_a_claim_by_words_and_by_verdict(opened):
    driver = opened("chapters/claims")
    shown = "#claims .item:not([hidden])"
    everything = len(driver.find_elements(By.CSS_SELECTOR, shown))
    assert everything == len(sl.load("claims"))
    driver.find_element(By.NAME, "words").send_keys("emergent abilities")
    some = len(driver.find_elements(By.CSS_SELECTOR, shown))
    assert 1 <= some < everything
    assert driver.find_element(By.CSS_SELECTOR, ".filter output").text.startswith(f"{some} of")
    driver.find_element(By.NAME, "verdict").send_keys("contradicted")
    fewer = driver.find_elements(By.CSS_SELECTOR, shown)
    assert len(fewer) < some
    assert all("verdict-contradicted" in one.get_attribute("class") for one in fewer)


@pytest.mark.parametrize("claim", ["a031", "a034", "d062", "d026"])
def test_a_question_of_the_front_page_is_answered_in_one_click(opened, claim):
    driver = opened("chapters/index")
    link = driver.find_element(By.CSS_SELECTOR, f"a[href='claims.html#{claim}']")
    driver.execute_script("arguments[0].click()", link)
    WebDriverWait(driver, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".item:target"))
    answer = driver.find_element(By.CSS_SELECTOR, ".item:target .answer")
    assert answer.is_displayed()
    assert len(answer.text) > 40
