"""The script of the planner against the package: every read-out, in an engine and in a browser.

The script runs in V8 without a page, on settings drawn over many decades; then a few plans are
read off the built page.
"""

import html
import json
import math
import re
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import planner as extension
import pytest
from py_mini_racer import MiniRacer
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import scalinglib as sl
from scalinglib.topics import planning
from tools import browser as chromium

from .test_browser import CONTRAST, complaints, driver, opened, served  # noqa: F401
from .test_browser import pytestmark as in_browser

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "chapters" / "_static" / "planner.js").read_text()
LAWS = list(planning.KNOWN.index)
DEFAULTS = asdict(planning.PlanSettings())


def tried(test):
    """A test of the page, which needs a browser and its marks."""
    for mark in in_browser:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def constants():
    return planning.constants()


@pytest.fixture(scope="module")
def engine(constants):
    with MiniRacer() as found:
        found.eval(SCRIPT)
        found.eval(f"const constants = JSON.parse({json.dumps(json.dumps(constants))})")
        yield found


def ask(engine, function, cases):
    """What a function of (one, constants) answers for each of the cases."""
    given = json.dumps(json.dumps(cases))
    return json.loads(
        engine.eval(f"JSON.stringify(JSON.parse({given}).map({function}))"), parse_int=float
    )


def drawn(n, seed):
    """Settings over many decades; every law and every device comes up."""
    rng = np.random.default_rng(seed)
    devices = list(planning.DEVICES.index)

    def log(low, high, digits=3):
        return float(f"{10 ** rng.uniform(low, high):.{digits}g}")

    return [
        {
            "device": devices[k % len(devices)], "devices": float(round(log(0, 5.5))),
            "days": log(0, 2.5), "utilisation": round(rng.uniform(0.05, 1), 3),
            "flops": None if k % 2 else log(18, 28, 5),
            "served": 0.0 if k % 9 == 0 else log(8, 17), "law": LAWS[k % len(LAWS)],
            "unique": None if k % 5 == 0 else log(8, 14.5),
            **{name: round(rng.uniform(low, high), 3) for name, low, high in (
                ("price", 0, 15), ("overhead", 1, 2), ("power_share", 0.3, 1), ("pue", 1, 2),
                ("grid", 0, 0.8), ("tariff", 0, 0.4))},
        }
        for k in range(n)
    ]  # fmt: skip


SETTINGS = drawn(600, 0) + [
    {**one, "law": "muennighoff2023/repeated", "unique": 10.0 ** (9 + k % 5)}
    for k, one in enumerate(drawn(60, 1))
]


@pytest.fixture(scope="module")
def both(engine):
    told = ask(
        engine,
        "s => { const p = planner.plan(s, constants); return {...p, sentence: "
        "planner.sentence(s, p, constants), code: planner.code(s, constants.defaults), shown: "
        "planner.readouts(p, s, constants), rules: "
        "planner.hyperparameters(p.params, p.tokens, constants)}; }",
        SETTINGS,
    )
    return [(planning.plan(**one), script) for one, script in zip(SETTINGS, told, strict=True)]


@pytest.mark.parametrize("name", planning.READOUTS)
def test_every_number_equals_the_package(both, name):
    for made, script in both:
        ours, theirs = getattr(made, name), script[name]
        if math.isnan(ours):
            assert theirs is None, made.settings
        else:
            # A saving is a difference of two costs, so that it is exact as a share of them.
            rounding = 1e-12 if name == "life_saving" else 0
            assert theirs == pytest.approx(ours, rel=1e-9, abs=rounding), made.settings


@pytest.mark.parametrize("name", ["beyond", "sentence", "code", "notes"])
def test_every_word_equals_the_package(both, name):
    for made, script in both:
        ours = getattr(made, name)
        assert script[name] == (list(ours) if name == "notes" else ours)


UNITS = {"M": 1e6, "B": 1e9, "T": 1e12, "": 1}
SCALES = {"kWh": 1, "MWh": 1e3, "GWh": 1e6, "GB": 1, "TB": 1e3}


def read(text):
    """A number as the page writes it, in the unit of the package."""
    found = re.match(r"\$?([\d.,]+(?:e-?\d+)?)([MBT]?)(?: (\w+))?", text)
    number, letter, unit = found.groups()
    return float(number.replace(",", "")) * UNITS[letter] * SCALES.get(unit, 1)


def wanted(made):
    """What each line of the read-outs must show, by its name: the value and the smaller line."""
    return {
        "parameters": (made.params, None),
        "tokens": (made.tokens, made.tokens_per_param),
        "loss": (made.loss, made.loss_low),
        "compute": (made.flops, float(sl.pf_days(made.flops))),
        "time": (made.wall_days, made.device_hours),
        "rent": (made.rent, None),
        "energy": (made.energy_kWh, made.electricity),
        "CO₂": (made.tonnes, None),
        "epochs": (made.epochs, None),
        "weights": (made.weights_GB, None),
        "training state": (made.state_GB, made.state_fp32_GB),
        "over-training saves": (100 * made.life_saving, None),
    }


@pytest.mark.parametrize("name", wanted(planning.plan()))
def test_every_read_out_shows_what_the_package_computes(both, name):
    for made, script in both:
        [(value, more)] = [rest for label, *rest in script["shown"] if label == name]
        for text, ours in zip((value, more), wanted(made)[name], strict=True):
            if name == "over-training saves" and ours is not None and ours < 1e-4:
                assert text == "nothing"  # less than rounding
            elif ours is not None and math.isfinite(ours):
                coarse = 6e-3 if name != "loss" else 6e-3 / ours
                coarse = 0.06 if name == "over-training saves" else coarse
                assert read(text) == pytest.approx(ours, rel=coarse, abs=1e-9), made.settings
            elif ours is not None:
                assert not text[:1].isdigit()


def test_the_read_outs_of_a_plan_are_all_there(both):
    for made, script in both[:60]:
        assert [label for label, *_ in script["shown"]] == list(wanted(made))
        one = {label: more for label, _, more in script["shown"]}
        if not math.isnan(made.params_low):
            low, high = one["parameters"].split(" to ")
            assert (low, high) == tuple(map(planning.short, (made.params_low, made.params_high)))
        if not math.isnan(made.life_saving):
            told = f"by {planning.short(made.life_params)} on {planning.short(made.life_tokens)}"
            assert one["over-training saves"] == told
        assert planning.short(made.devices_for_state) in one["training state"]


def test_rates_and_batches_equal_the_package(both):
    for made, script in both:
        ours = made.hyperparameters
        assert [row["name"] for row in script["rules"]] == list(ours.index)
        for row in script["rules"]:
            for name in ("rate", "batch", "steps"):
                assert row[name] == pytest.approx(ours.loc[row["name"], name], rel=1e-9)
            assert row["beyond"] == ours.loc[row["name"], "beyond"]


def test_the_settings_reach_every_case(both):
    plans = [made for made, _ in both]
    assert len(plans) >= 500
    assert {made.settings.law for made in plans} == set(LAWS)
    repeated = [one for one in plans if one.settings.law == "muennighoff2023/repeated"]
    assert sum(one.epochs > 1 and math.isnan(one.life_saving) for one in repeated) > 20
    assert any(one.beyond == "" for one in plans)
    assert any("smaller" in one.beyond for one in plans)
    assert any(math.isnan(one.energy_kWh) for one in plans)
    assert any("repeated" in note for one in plans for note in one.notes)
    assert {one.settings.law for one in plans if one.params_low > 0} == set(planning.BANDED)
    told = [word for one in plans for word in one.hyperparameters.beyond]
    assert {"", "smaller than its runs"} < set(told)
    assert any("times the most compute" in word for word in told)


def test_the_line_of_python_makes_the_same_plan(both):
    for made, script in both[::20]:
        again = eval(script["code"], {"sl": sl})
        assert again.frame().equals(made.frame())


def test_all_laws_are_planned_alike(engine):
    one = {**DEFAULTS, "unique": 1e12}
    [rows] = ask(engine, "s => planner.planAll(s, constants)", [one])
    table = planning.plan_all(**one)
    assert [row["key"] for row in rows] == list(table.index)
    for row in rows:
        assert row["tokens"] == pytest.approx(table.tokens[row["key"]], rel=1e-9)
        assert row["name"] == planning.KNOWN.loc[row["key"], "name"]
        assert row["beyond"] == table.beyond[row["key"]]


BAD = [
    ("devices", 0), ("days", -1), ("utilisation", 40), ("utilisation", 0), ("power_share", 1.2),
    ("pue", 0), ("overhead", -2), ("served", -1), ("price", -1), ("grid", -0.1), ("tariff", -1),
    ("flops", -1e20), ("unique", -5), ("device", "H1000"), ("law", "nobody2024"),
]  # fmt: skip


def test_what_the_package_refuses_the_script_refuses(engine):
    cases = [{**DEFAULTS, name: value} for name, value in BAD]
    told = ask(engine, "s => Object.keys(planner.problems(s, constants))", cases)
    assert told == [[name] for name, _ in BAD]
    for name, value in BAD:
        with pytest.raises(sl.DataError):
            planning.plan(**{name: value})
    assert ask(engine, "s => planner.problems(s, constants)", [DEFAULTS]) == [{}]


def test_an_address_keeps_the_settings(engine):
    cases = [{**DEFAULTS, **one} for one in SETTINGS[:200]]
    for case in cases:
        if case["flops"]:
            case["days"] = DEFAULTS["days"]
    again = ask(
        engine,
        "s => planner.fromAddress('#' + planner.toAddress(s, constants.defaults), "
        "constants.defaults)",
        cases,
    )
    assert again == cases


def test_numbers_are_read_as_people_write_them(engine):
    texts = ["15T", "1.4e12", "1,024", "70 B", "0.4", "", "many", "-3", "1e", "5k"]
    wanted = [15e12, 1.4e12, 1024, 70e9, 0.4, None, None, None, None, 5000]
    assert ask(engine, "t => planner.parse(t)", texts) == wanted


def test_the_form_has_a_label_for_every_setting_and_a_table_without_script():
    page = extension.page()
    fields = re.findall(
        r'<label data-for="(\w+)"><span>[^<]+</span><(?:input|select) name="(\w+)"', page
    )
    assert sorted(name for _, name in fields) == sorted(DEFAULTS)
    assert all(label == name for label, name in fields)


def test_the_table_without_script_holds_eight_plans():
    rows = [re.findall(r">([^<]+)</t[hd]>", row) for row in extension._static().split("<tr>")[2:]]
    assert len(rows) == 8
    for budget, *cells in rows:
        made = planning.plan(flops=float(budget))
        names = ("params", "tokens", "loss", "device_hours", "energy_kWh", "rent")
        for text, name in zip(cells, names, strict=True):
            assert read(text) == pytest.approx(getattr(made, name), rel=6e-3), (budget, name)


def test_the_menu_has_readable_names_in_two_groups():
    menu = re.search(r'<select name="law">(.*?)</select>', extension.page()).group(1)
    groups = dict(re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', menu))
    for label, ours in (("Published constants", False), ("Fitted in this book", True)):
        options = dict(re.findall(r'<option value="([^"]+)">([^<]+)</option>', groups[label]))
        table = planning.KNOWN[(planning.KNOWN.how == "ours") == ours]
        told = {html.unescape(key): html.unescape(name) for key, name in options.items()}
        assert told == table["name"].to_dict()


def test_the_reported_utilisations_are_those_of_the_book():
    told = re.findall(r'<th scope="row">([^<]+)</th><td>([^<]+)</td>', extension._utilisations())
    group = sl.published.group("model FLOPs utilisation")
    assert {name: float(text) for name, text in told} == {
        name: pytest.approx(one.value / 100) for name, one in group.items()
    }


ADDRESSES = [
    "", "#flops=1e21&law=kaplan2020/joint&device=TPU%20v5p&devices=64&unique=1e9",
    "#flops=1e22&law=muennighoff2023/repeated&unique=25e9", "#device=MI300X&days=30&served=0",
]  # fmt: skip


def shown(page):
    """Names and values of the read-outs on the page."""
    return dict(
        page.execute_script(
            "return [...document.querySelectorAll('.planner-results dl div')]"
            ".map(d => [d.querySelector('dt').textContent, d.querySelector('b').textContent])"
        )
    )


def settings_of(address):
    """What an address asks for, read without the script."""
    pairs = [part.split("=") for part in address.lstrip("#").split("&") if part]
    return {
        name: text.replace("%20", " ") if name in {"law", "device"} else float(text)
        for name, text in pairs
    }


@tried
@pytest.mark.parametrize("address", ADDRESSES)
def test_the_page_shows_what_the_package_says(opened, site, address):  # noqa: F811
    page = opened("chapters/planning", base=site.as_uri())
    page.get(f"{site.as_uri()}/chapters/planning.html?again{address}")
    WebDriverWait(page, 10).until(
        lambda d: d.execute_script("return document.querySelector('.planner').dataset.ready")
    )
    made, told = planning.plan(**settings_of(address)), shown(page)
    assert told["parameters"] == planning.short(made.params)
    assert told["tokens"] == planning.short(made.tokens)
    assert told["rent"] == f"${planning.short(made.rent)}"
    assert told["time"] == f"{planning.short(made.wall_days)} days"
    assert told["epochs"] == ("—" if math.isnan(made.epochs) else planning.short(made.epochs))
    assert told["loss"] == ("—" if math.isnan(made.loss) else f"{made.loss:.2f}")
    word = page.find_element(By.CLASS_NAME, "planner-word").text
    assert made.beyond in word
    assert complaints(page) == []


@tried
def test_the_keyboard_alone_changes_a_plan_and_the_address(opened):  # noqa: F811
    page = opened("chapters/planning", "phone")
    field = page.find_element(By.NAME, "devices")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("2048", Keys.TAB)
    assert page.switch_to.active_element.get_attribute("name") == "days"
    made = planning.plan(devices=2048)
    WebDriverWait(page, 5).until(lambda d: shown(d)["parameters"] == planning.short(made.params))
    assert "devices=2048" in page.current_url
    assert page.execute_script("return document.documentElement.scrollWidth") <= 390
    chromium.view(page, "desktop")
    page.find_element(By.CSS_SELECTOR, '[data-copy="code"]').send_keys(Keys.ENTER)
    output = page.find_element(By.CSS_SELECTOR, ".planner-copy output")
    WebDriverWait(page, 5).until(lambda d: output.text == made.code)


FIRST = 60
"""Seconds in which a first-time reader must have a plan, by a reader who clicks at once."""


@tried
def test_from_the_front_page_to_a_plan_in_one_click(opened, capsys):  # noqa: F811
    page = opened("chapters/index")
    start, clicks = time.monotonic(), 0
    link = next(
        one
        for one in page.find_elements(By.CSS_SELECTOR, ".bd-article a[href='planning.html']")
        if one.is_displayed()
    )
    link.click()
    clicks += 1
    WebDriverWait(page, 20).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[data-ready] dl b"))
    seconds = time.monotonic() - start
    with capsys.disabled():
        print(f"\nfrom the front page to a plan: clicks {clicks}, seconds {seconds:.2f}")
    assert seconds < FIRST / 6
    top = page.execute_script(
        "return document.querySelector('.planner-results dl').getBoundingClientRect().top"
    )
    assert 0 < top < 900  # no scrolling past prose
    assert shown(page)["parameters"] == planning.short(planning.plan().params)


FOCUS = "const e = document.activeElement; return [e.name || e.dataset?.copy || e.tagName, e.type]"


@tried
def test_tab_goes_through_the_form_in_its_order_and_out_again(opened):  # noqa: F811
    page = opened("chapters/planning")
    page.execute_script("document.querySelector('.planner [name=mode]').focus()")
    seen = [page.execute_script(FOCUS)[0]]
    for _ in range(24):
        page.switch_to.active_element.send_keys(Keys.TAB)
        seen.append(page.execute_script(FOCUS)[0])
        if not page.execute_script("return document.activeElement.closest('.planner') !== null"):
            break
    form = ["mode", "device", "devices", "days", "utilisation", "served", "unique", "law"]
    assert seen[: len(form)] == form
    assert seen[len(form) : len(form) + 2] == ["SUMMARY", "SUMMARY"]
    assert [one for one in seen if one in COPIES] == COPIES
    assert not page.execute_script("return document.activeElement.closest('.planner') !== null")


COPIES = ["sentence", "code", "address", "rules"]


@tried
def test_arrows_choose_the_mode_the_device_and_the_law(opened):  # noqa: F811
    page = opened("chapters/planning")
    mode = page.find_element(By.CSS_SELECTOR, ".planner [name=mode]")
    mode.send_keys(Keys.ARROW_RIGHT)
    assert page.switch_to.active_element.get_attribute("value") == "flops"
    assert page.find_element(By.NAME, "flops").is_displayed()
    assert not page.find_element(By.NAME, "days").is_displayed()
    for name, rows in (("device", planning.DEVICES.index), ("law", LAWS)):
        field = page.find_element(By.NAME, name)
        before = field.get_property("value")
        field.send_keys(Keys.ARROW_DOWN)
        after = field.get_property("value")
        assert after != before
        assert after in rows
    field = page.find_element(By.NAME, "flops")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("1e22")
    law, device = (
        page.find_element(By.NAME, one).get_property("value") for one in ("law", "device")
    )
    made = planning.plan(flops=1e22, law=law, device=device)
    WebDriverWait(page, 5).until(lambda d: shown(d)["parameters"] == planning.short(made.params))
    assert shown(page)["rent"] == f"${planning.short(made.rent)}"
    page.find_element(By.CSS_SELECTOR, '[data-copy="rules"]').send_keys(Keys.ENTER)
    output = page.find_element(By.CSS_SELECTOR, ".planner-rules output")
    WebDriverWait(page, 5).until(lambda d: output.text == f"{made.code}.hyperparameters")


PARTS = CONTRAST.replace(
    "const texts = seen(", "const texts = seen('.planner :is(dt, b, small, span, option, summary, "
    "legend, label, th, td, p, button, caption)').map(e => [e, 'color', 4.5]).concat(seen("
).replace("'color', 4.5]);\nconst marks", "'color', 4.5]));\nconst marks")  # fmt: skip


@tried
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_every_part_is_readable_and_fits(opened, size, mode):  # noqa: F811
    page = opened("chapters/planning", size)
    chromium.dress(page, mode)
    page.execute_script("document.querySelectorAll('.planner details').forEach(d => d.open = true)")
    assert page.execute_script(PARTS) == []
    width = page.execute_script("return document.documentElement.scrollWidth")
    assert width <= chromium.SIZES[size][0]


@tried
def test_without_script_the_table_stands_and_the_form_does_not(opened):  # noqa: F811
    page = opened("chapters/index")
    page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        page.get(page.current_url.replace("index.html", "planning.html"))
        assert not page.find_element(By.CLASS_NAME, "planner-form").is_displayed()
        table = page.find_element(By.CSS_SELECTOR, ".planner-static table")
        assert table.is_displayed()
        assert len(table.find_elements(By.CSS_SELECTOR, "tbody tr")) == 8
    finally:
        page.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
