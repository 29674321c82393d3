"""Numbers, comparison tables and chart summaries leave a cell rounded and stable."""

import json
import subprocess
import sys

import altair as alt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglib import display
from scalinglib.published import Reported


@pytest.mark.parametrize(
    ("value", "text"),
    [(2143.4517, "2143"), (0.0010182756, "0.001018"), (5.76e23, "5.76e+23"), (0, "0"),
     (-3.14159, "-3.142"), (12345.6, "1.235e+04"), (float("nan"), "nan")],
)  # fmt: skip
def test_number(value, text):
    assert display.number(value) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (display.power(1.296e22), "1.3 × 10²²"), (display.power(1.22e-16), "1.2 × 10⁻¹⁶"),
        (display.power(5e23, 1), "5 × 10²³"), (display.percent(0.2091), "21 %"),
        (display.percent(0.004488, 2), "0.45 %"), (display.quantity(70e9), "70B"),
        (display.quantity(1.4e12), "1.4T"), (display.quantity(73.19e9), "73.2B"),
        (display.quantity(999.6e6), "1B"), (display.quantity(9437), "9,440"),
    ],
)  # fmt: skip
def test_numbers_for_prose(written, text):
    assert written == text


@given(st.floats(1e6, 9e14))
def test_quantity_keeps_three_digits(value):
    text = display.quantity(value)
    scale = {"M": 1e6, "B": 1e9, "T": 1e12}[text[-1]]
    assert float(text[:-1]) * scale == pytest.approx(value, rel=5.1e-3)


ROWS = [
    ("same", Reported("0.35", "someone", "Table 1"), 0.3473),
    ("differs", Reported("2085.43", "someone", "Eq. <2>"), 1100.0),
    ("zero", Reported("0.00", "someone", "Table 1"), 0.1),
    ("huge", Reported("1.0", "someone", "Table 1"), 5e6),
]


def test_comparison_has_the_six_columns():
    frame = display.comparison(ROWS).frame()
    assert list(frame) == [
        "quantity", "published", "ours", "difference", "returns the print?", "agrees?",
    ]  # fmt: skip
    assert list(frame["returns the print?"]) == ["yes", "no", "no", "no"]
    assert list(frame["agrees?"]) == ["near", "differs", "differs", "differs"]
    assert list(frame.difference) == ["-0.77 %", "-47 %", "+0.1", "5e+06 times"]
    assert frame.published[0] == "0.35 (Table 1)"


def test_our_own_error_and_a_second_hand_reading_are_told():
    value = Reported("0.35", "someone", "Table 1", how="secondhand")
    frame = display.comparison([("a", value, 0.40), ("b", value, 0.40, 0.06)]).frame()
    assert list(frame["agrees?"]) == ["differs", "within error"]
    assert set(frame.published) == {"0.35 (Table 1; second-hand)"}


def test_comparison_is_text_for_tests_and_html_for_the_site(monkeypatch):
    assert set(display.comparison(ROWS)._repr_mimebundle_()) == {"text/plain", display.RECORDS}
    monkeypatch.setattr(display, "MODE", "site")
    html = display.comparison(ROWS)._repr_mimebundle_()["text/html"]
    assert "Eq. &lt;2&gt;" in html
    assert html.count('class="verdict') == len(ROWS)
    assert 'scope="row"' in html


def chart(factor=1.0):
    frame = pd.DataFrame({"x": [1.0, 2.0], "y": [3.0, 4.0 * factor], "kind": ["a", "b"]})
    slider = alt.param(name="s", value=1.5, bind=alt.binding_range(min=1, max=2, step=0.1))
    x = alt.X("x:Q", scale=alt.Scale(type="log"))
    layers = alt.Chart(frame).mark_line().encode(x=x, y="y:Q") + alt.Chart(frame).mark_point()
    return layers.add_params(slider).properties(description="Two points </script>.")


def test_summary_tells_marks_scales_sliders_and_data():
    lines = list(display.summary(chart().to_dict()))
    assert lines[0] == "Chart: Two points </script>."
    assert "slider s: 1 to 2, starts at 1.5" in lines
    assert "line: x x (log), y y" in lines
    assert "  y: 3.000 .. 4.000, mean 3.500" in lines
    assert "  kind: a, b" in lines


def test_summary_tells_menus():
    menu = alt.param(name="law", value="a", bind=alt.binding_select(options=["a", "b"]))
    spec = chart().add_params(menu).to_dict()
    assert "menu law: a, b; starts at a" in list(display.summary(spec))


def test_summary_moves_when_a_number_moves():
    one, other = (list(display.summary(chart(factor).to_dict())) for factor in (1.0, 1.001))
    assert one != other


def test_site_output_holds_the_specification_and_cannot_close_its_script():
    spec = chart().to_dict()
    html = display._site(spec)["text/html"]
    inside = html.split('class="vl-spec">')[1].split("</script>")[0]
    assert json.loads(inside) == spec
    assert "&lt;/script&gt;" in html.split("<noscript>")[1]
    assert display._site(spec) == display._site(spec)


SWITCH = """
import importlib, os
import altair
from scalinglib import display
for mode in ("site", "text", None):
    os.environ.pop("SCALINGLIB_DISPLAY", None)
    os.environ.update({"SCALINGLIB_DISPLAY": mode} if mode else {})
    altair.renderers.enable("default")
    importlib.reload(display)
    print(altair.renderers.active)
"""


@pytest.mark.full
def test_one_switch_chooses_the_renderer():
    run = subprocess.run([sys.executable, "-c", SWITCH], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["scalinglib", "scalinglib", "default"]


KERNEL = """
import importlib.util, os, sys
import altair
os.environ.pop("SCALINGLIB_DISPLAY", None)
sys.modules.update(dict.fromkeys(sys.argv[1:], sys))
importlib.util.find_spec = lambda name: name in [*sys.argv, "vl_convert"]
import scalinglib.display
print(altair.renderers.active)
"""


@pytest.mark.full
@pytest.mark.parametrize(
    ("packages", "wanted"),
    [
        (("ipykernel",), "default"),
        (("anywidget",), "default"),
        (("ipykernel", "anywidget"), "scalinglib"),
    ],
)
def test_a_chart_in_jupyter_brings_its_scripts_where_it_can(packages, wanted):
    command = [sys.executable, "-c", KERNEL, *packages]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == wanted
