"""tools.umqtt: the firmware's MQTT base is exactly the published one, and failure is told in words."""

from pathlib import Path

import pytest

from tools import umqtt


def test_the_cached_file_is_used_without_any_network(monkeypatch: pytest.MonkeyPatch) -> None:
    umqtt.obtain()

    def no_network() -> bytes:
        raise AssertionError("asked the network")

    monkeypatch.setattr(umqtt, "download", no_network)
    assert b"class MQTTClient" in umqtt.obtain().read_bytes()


def test_a_changed_file_is_fetched_again_and_a_changed_package_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "umqtt" / "simple.py"
    target.parent.mkdir()
    target.write_text("class MQTTClient: pass")
    monkeypatch.setattr(umqtt, "download", lambda: b"not the package")
    with pytest.raises(umqtt.NotObtainedError, match="digest"):
        umqtt.obtain(target)
    assert target.read_text() == "class MQTTClient: pass"


def test_an_index_without_the_package_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    with pytest.raises(umqtt.NotObtainedError, match=umqtt.PACKAGE):
        umqtt.obtain(tmp_path / "simple.py")


def test_no_address_of_an_index_stands_in_the_tool() -> None:
    source = Path(umqtt.__file__).read_text("utf-8")
    assert "http" not in source and ".org" not in source
