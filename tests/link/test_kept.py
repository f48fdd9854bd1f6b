"""A pump that starts without the network knows its blacklist, its settings and the coming tariff: DESIGN, rule 8."""

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.link.conftest import free_port, wait_for
from tests.link.line import Line
from tests.link.linked_pump import LinkedPump, Station, linked_pump

CARDS = ["6200010000000017", "6200010000000025"]
TOMORROW = 4_000_000_000
LEAVES = ("tariff", "settings", "lists")


@pytest.fixture
def quiet(embedded: Line) -> Iterator[Line]:
    yield embedded
    embedded.close()


@pytest.fixture
def station(quiet: Line) -> Station:
    return Station(quiet)


def kept(home: Path, leaf: str) -> Path:
    return home / ("kept_" + leaf.replace("/", "_"))


def lists(version: int, cards: list[str]) -> dict[str, Any]:
    """The message without a base."""
    none: list[str] = []
    base = [0, 0, 0, ""]
    return {
        "version": version,
        "made": int(time.time()),
        "count": [len(cards), 0],
        "base": base,
        "black": [cards, none],
        "white": [none, none],
    }


def alone(line: Line, home: Path) -> contextlib.AbstractContextManager[LinkedPump]:
    """The same pump started again, and nobody answers at its broker's port."""
    return linked_pump(line, home, port=free_port())


def has_newer(before: dict[str, Any], now: dict[str, Any]) -> bool:
    return bool(now["rejected"] > before["rejected"])


@pytest.fixture
def home(quiet: Line, station: Station, tmp_path: Path) -> Path:
    """The file system of a pump that was told all three, and lost its power."""
    with linked_pump(quiet, tmp_path / "p1") as pump:
        pump.wait(lambda now: now["up"])
        prices = {"1": 756, "2": 806, "3": 906, "4": 722}
        station.say("tariff", {"version": 1, "effective": 0, "prices": prices})
        pump.wait(lambda now: now["tariff"] == 1)
        station.say("tariff", {"version": 2, "effective": TOMORROW, "prices": prices | {"1": 799}})
        station.say("settings", {"version": 3, "values": {"no_flow_s": 45}})
        station.say("lists", lists(4, CARDS))
        pump.wait(lambda now: now["lists"] == 4 and now["settings"] == 3 and now["newest_tariff"] == 2)
        wait_for(lambda: all(kept(tmp_path / "p1", leaf).exists() for leaf in LEAVES))
    return tmp_path / "p1"


def test_d2_d22_after_a_power_cut_without_network_everything_is_known(quiet: Line, home: Path) -> None:
    with alone(quiet, home) as pump:
        # Its journal is in memory and gone, so it has no prices, and a pump without prices takes the coming ones.
        now = pump.wait(lambda now: now["error"] == "net" and now["tariff"] == 2)
    assert (now["lists"], now["blacks"]) == (4, len(CARDS))
    assert (now["settings"], now["no_flow_s"]) == (3, 45)
    assert now["prices"]["1"] == 799
    assert now["newest"] == 3 + 4, "BOOT, SETTING, LIST and a PRICE for each nozzle; no TAMPER"


@pytest.mark.parametrize("leaf", LEAVES)
def test_x1_a_tampered_file_is_dropped_told_and_harms_nothing_else(quiet: Line, home: Path, leaf: str) -> None:
    file = kept(home, leaf)
    good = file.read_bytes()
    file.write_bytes(good.replace(b"0", b"1", 1))
    with alone(quiet, home) as pump:
        now = pump.wait(lambda now: now["error"] == "net")
    assert [now["newest_tariff"], now["settings"], now["lists"]] == [
        0 if leaf == "tariff" else 2,
        0 if leaf == "settings" else 3,
        0 if leaf == "lists" else 4,
    ]
    assert not file.exists() and len([one for one in LEAVES if kept(home, one).exists()]) == 2


def test_x1_an_older_version_replayed_after_the_restart_is_refused(quiet: Line, station: Station, home: Path) -> None:
    """A recording from before: rightly signed, for this pump, for this topic, and out of date."""
    old = {leaf: kept(home, leaf).read_bytes() for leaf in LEAVES}
    with linked_pump(quiet, home) as pump:
        pump.wait(lambda now: now["up"])
        station.say("lists", lists(5, [*CARDS, "6200010000000033"]))
        station.say("settings", {"version": 4, "values": {"no_flow_s": 50}})
        station.say("tariff", {"version": 3, "effective": TOMORROW, "prices": {"1": 800}})
        pump.wait(lambda now: now["lists"] == 5 and now["settings"] == 4 and now["newest_tariff"] == 3)
        wait_for(lambda: all(kept(home, leaf).read_bytes() != old[leaf] for leaf in LEAVES))
    with linked_pump(quiet, home) as pump:
        for leaf in LEAVES:
            before = pump.wait(lambda now: now["up"])
            station.say_raw(leaf, old[leaf])
            pump.wait(partial(has_newer, dict(before)))
        now = pump.now()
    assert (now["lists"], now["blacks"], now["settings"], now["no_flow_s"], now["newest_tariff"]) == (5, 3, 4, 50, 3)
    assert all(kept(home, leaf).read_bytes() != old[leaf] for leaf in LEAVES)


def test_what_comes_while_a_nozzle_is_up_waits_until_it_was_hung_up(
    quiet: Line, station: Station, tmp_path: Path
) -> None:
    """Reading a long list and writing a file would stall the control tick; the station need not send it again."""
    home = tmp_path / "p1"
    with linked_pump(quiet, home) as pump:
        pump.wait(lambda now: now["up"])
        pump.order("lift")
        pump.wait(lambda now: now["busy"])
        station.say("lists", lists(6, CARDS), retain=True)
        try:
            time.sleep(1)
            assert pump.now()["lists"] == 0 and not kept(home, "lists").exists()
            pump.order("hang")
            pump.wait(lambda now: now["lists"] == 6)
            wait_for(kept(home, "lists").exists)
        finally:
            station.client.publish(station.name("lists"), b"", retain=True)
    with alone(quiet, home) as pump:
        assert pump.wait(lambda now: now["error"] == "net")["lists"] == 6


def test_a_full_file_system_costs_the_file_not_the_list_and_the_old_file_stays(
    quiet: Line, station: Station, home: Path
) -> None:
    (home / "kept_lists.new").mkdir()  # nothing can be written under this name
    with linked_pump(quiet, home) as pump:
        pump.wait(lambda now: now["up"])
        station.say("lists", lists(5, [*CARDS, "6200010000000033"]))
        now = pump.wait(lambda now: now["unkept"])
        assert now["up"] and (now["lists"], now["blacks"]) == (5, 3)
    with alone(quiet, home) as pump:
        assert pump.wait(lambda now: now["error"] == "net")["lists"] == 4


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 5000, b"{}\n" + b"0" * 64, None])
def test_a_damaged_file_system_does_not_keep_the_pump_from_starting(
    quiet: Line, tmp_path: Path, content: bytes | None
) -> None:
    home = tmp_path / "p1"
    for leaf in LEAVES:
        home.mkdir(exist_ok=True)
        if content is None:
            kept(home, leaf).mkdir()
        else:
            kept(home, leaf).write_bytes(content)
    with alone(quiet, home) as pump:
        now = pump.wait(lambda now: now["error"] == "net")
        assert (now["lists"], now["settings"], now["newest_tariff"]) == (0, 0, 0)
        assert now["newest"] == (1 if content is None else 4), "BOOT and a TAMPER record for each file"


def test_x1_a_file_put_under_another_name_is_not_believed(quiet: Line, home: Path) -> None:
    """The topic, with pump and leaf, is part of what is signed."""
    kept(home, "lists").write_bytes(kept(home, "settings").read_bytes())
    with alone(quiet, home) as pump:
        now = pump.wait(lambda now: now["error"] == "net")
    assert now["lists"] == 0 and now["settings"] == 3
