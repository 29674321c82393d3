"""Front-end files come out of locked packages, and are exactly the ones that were looked at."""

import altair as alt
import assets
import pytest
import vl_convert


def test_all_files_have_the_recorded_digest():
    found = assets.collect()
    assert {"vega.js", "mathjax/startup.js"} < set(found)
    assert sum(name.endswith(".woff") for name in found) == 23


def test_a_changed_file_is_refused(monkeypatch):
    monkeypatch.setattr(assets, "_vega", lambda: b"another script")
    with pytest.raises(assets.AssetError, match=r"vega\.js has digest"):
        assets.collect()


def test_vega_lite_is_the_one_altair_writes_for():
    assert f"v{assets.VEGA_LITE}." in alt.SCHEMA_VERSION
    assert assets.VEGA_LITE in vl_convert.get_vegalite_versions()


def test_files_are_written_once(tmp_path):
    assets.write(tmp_path)
    script = tmp_path / "vega.js"
    before = script.stat().st_mtime_ns
    assets.write(tmp_path)
    assert script.stat().st_mtime_ns == before
    script.write_text("damaged")
    assets.write(tmp_path)
    assert script.read_bytes() == assets.collect()["vega.js"]
