"""Tariffs, lists, commands, tanks and the live board (D5, D9, D22, I1)."""

import hashlib
import json
from collections.abc import Iterable

import pytest
from sqlalchemy import Engine

from pump.core import lists
from station import forecourt, wetstock
from station.cards.numbers import make
from station.mqtt.outbound import Outbound
from station.platform import database
from tests.station.world import T0


def test_a_tariff_for_later_leaves_the_one_in_force(engine: Engine) -> None:
    """D22: the coming tariff is known and not yet in force; versions only rise."""
    with database.write(engine) as conn:
        coming = forecourt.set_tariff(conn, {1: 800, 2: 850}, T0 + 500, "boss", T0 + 100)
        now = forecourt.current_tariff(conn, T0 + 499)
        assert now is not None and (now.version, now.prices[1]) == (1, 756)
        assert forecourt.coming_tariffs(conn, T0 + 499) == [coming]
        assert forecourt.current_tariff(conn, T0 + 500) == coming
        assert forecourt.coming_tariffs(conn, T0 + 500) == []


def test_d22_several_plans_get_their_turn_and_a_later_decision_voids_those_due_after_it(engine: Engine) -> None:
    with database.write(engine) as conn:
        monday = forecourt.set_tariff(conn, {1: 800}, T0 + 500, "boss", T0 + 100)
        tuesday = forecourt.set_tariff(conn, {1: 810}, T0 + 900, "boss", T0 + 100)
        assert forecourt.coming_tariffs(conn, T0 + 100) == [monday, tuesday]
        assert forecourt.current_tariff(conn, T0 + 600) == monday
        assert forecourt.coming_tariffs(conn, T0 + 600) == [tuesday]
        at_noon = forecourt.set_tariff(conn, {1: 790}, T0 + 700, "boss", T0 + 610)
        assert forecourt.coming_tariffs(conn, T0 + 620) == [at_noon]
        assert forecourt.current_tariff(conn, T0 + 1000) == at_noon
        sent = [one for one in Outbound().due(conn, T0 + 620) if one.reply.pump == "p1"]
        ((tariff,),) = [[one.reply.message for one in sent if one.reply.leaf == "tariff"]]
        assert (tariff["version"], [one["version"] for one in tariff["next"]]) == (monday.version, [at_noon.version])


@pytest.mark.parametrize("prices", [{}, {1: 0}, {1: -5}, {1: 100_000}, {1: 7.56}])
def test_impossible_prices_are_refused(engine: Engine, prices: dict[int, int]) -> None:
    with database.write(engine) as conn, pytest.raises(ValueError, match="price"):
        forecourt.set_tariff(conn, prices, T0, "boss", T0)


def numbers(serials: Iterable[int]) -> list[str]:
    return [make(1, serial) for serial in serials]


def test_the_blacklist_gets_a_version_only_when_it_changes(engine: Engine) -> None:
    one, two = numbers((1, 2))
    with database.write(engine) as conn:
        assert forecourt.blacklist(conn).version == 0 and forecourt.lists_news(conn, T0) == (0, 0)
        assert forecourt.set_blacklist(conn, [two, one, two], T0).cards == (one, two)
        assert forecourt.set_blacklist(conn, [one, two], T0 + 1).version == 1
        assert forecourt.set_blacklist(conn, [], T0 + 2).version == 2
        assert forecourt.lists_news(conn, T0 + 2) == (2, T0 + 2)
        assert forecourt.lists_news(conn, T0 + 90_000)[1] > T0 + 86_000, "known to be the latest until now"


def test_d19_small_changes_lie_beside_the_base_and_large_ones_make_a_new_one(engine: Engine) -> None:
    many = numbers(range(1, 3001))
    with database.write(engine) as conn:
        assert forecourt.set_blacklist(conn, many[:40], T0).cards == tuple(many[:40])
        assert forecourt.lists_message(conn, T0)["base"] == [0, 0, 0, ""]
        assert forecourt.set_blacklist(conn, many, T0 + 1).cards == tuple(many)
        based = forecourt.lists_message(conn, T0 + 1)
        version, black_pages, white_pages, sha = based["base"]
        assert (version, white_pages, based["count"]) == (2, 0, [3000, 0])
        assert based["black"] == [many[40:88], []], "what is new comes at once, as far as there is room"
        image = b""
        while part := forecourt.list_part(conn, version, len(image)):
            image += part
        assert len(image) == black_pages * lists.PAGE and hashlib.sha256(image).hexdigest() == sha
        forecourt.set_blacklist(conn, many[1:], T0 + 2)
        forecourt.set_whitelist(conn, numbers((9001, 9002)), T0 + 3)
        changed = forecourt.lists_message(conn, T0 + 3)
        assert (changed["version"], changed["base"]) == (4, based["base"])
        assert changed["count"] == [2999, 2]
        assert (changed["black"], changed["white"]) == ([[], many[:1]], [numbers((9001, 9002)), []])
        assert len(json.dumps(changed)) < 1100
        assert forecourt.whitelist(conn) == tuple(numbers((9001, 9002)))


def test_d19_more_than_pumps_can_carry_is_refused_and_the_lists_in_force_stay(engine: Engine) -> None:
    with database.write(engine) as conn:
        forecourt.set_blacklist(conn, numbers((1, 2)), T0)
        with pytest.raises(ValueError, match="100000"):
            forecourt.set_blacklist(conn, numbers(range(1, 100_002)), T0 + 1)
        far_apart = [make(station, 1) for station in range(1, 60_000)]
        with pytest.raises(ValueError, match="bytes"):
            forecourt.set_whitelist(conn, far_apart + numbers(range(2, 40_000)), T0 + 1)
        assert forecourt.blacklist(conn).cards == tuple(numbers((1, 2)))


def test_what_goes_down_goes_once_and_again_after_a_new_connection(engine: Engine) -> None:
    """amqtt forgets retained messages when it restarts: each connection publishes them anew."""
    outbound = Outbound()
    with database.write(engine) as conn:
        first = outbound.due(conn, T0 + 1)
        assert [(one.reply.pump, one.reply.leaf, one.retain) for one in first] == [
            (pump, "tariff", True) for pump in ("p1", "p2", "p3", "p4")
        ]
        assert outbound.due(conn, T0 + 1) == []
        forecourt.set_blacklist(conn, numbers((1,)), T0)
        assert {one.reply.leaf for one in outbound.due(conn, T0 + 1)} == {"lists"}
        forecourt.set_tariff(conn, {1: 800}, T0 + 500, "boss", T0)
        p1 = [one for one in outbound.due(conn, T0 + 1) if one.reply.pump == "p1"]
        ((message, retain),) = [(one.reply.message, one.retain) for one in p1]
        assert (message["version"], message["next"][0]["version"], retain) == (1, 2, True)
        outbound.connected()
        assert len(outbound.due(conn, T0 + 1)) == 8


def test_a_command_is_sent_until_done_or_too_old(engine: Engine) -> None:
    with database.write(engine) as conn:
        with pytest.raises(ValueError, match="offline"):
            forecourt.give_command(conn, 257, "lock", "boss", T0)
        forecourt.mark_state(conn, 257, {"online": True, "boot": 4}, T0)
        with pytest.raises(ValueError, match="unknown pump or command"):
            forecourt.give_command(conn, 257, "explode", "boss", T0)
        lock = forecourt.give_command(conn, 257, "lock", "boss", T0)
        stop = forecourt.give_command(conn, 257, "stop", "boss", T0)
        assert {(one.id, one.boot, one.do) for one in forecourt.commands_due(conn, T0)} == {
            (lock, 4, "lock"),
            (stop, 4, "stop"),
        }
        assert forecourt.commands_due(conn, T0 + 1) == []
        forecourt.command_done(conn, 258, lock, True, "", T0 + 2)  # another pump cannot answer for it
        forecourt.command_done(conn, 257, stop, True, "", T0 + 2)
        assert [one.id for one in forecourt.commands_due(conn, T0 + 6)] == [lock]
        assert forecourt.commands_due(conn, T0 + 61) == []


def test_a_delivery_is_booked_once_and_must_fit(engine: Engine) -> None:
    """I1: the tank takes no more than its ullage."""
    with database.write(engine) as conn:
        assert wetstock.deliver(conn, 1, 8_000_000, "D-1", T0)
        assert not wetstock.deliver(conn, 1, 8_000_000, "D-1", T0)
        assert wetstock.tanks(conn)[0].stock_ml == 30_000_000
        for grade, volume_ml, reference in ((1, 1, "D-2"), (2, 0, "D-3"), (2, 5, " "), (9, 5, "D-4")):
            with pytest.raises(ValueError):
                wetstock.deliver(conn, grade, volume_ml, reference, T0)


def test_a_silent_pump_shows_offline_after_fifteen_seconds_and_at_once_by_its_will() -> None:
    """D9."""
    board = forecourt.LiveBoard()
    board.heard_state("s1", "p1", {"v": 1, "online": True, "state": "idle"}, 100.0)
    board.heard_live("s1", "p1", {"s": "fuelling", "ml": 5}, 101.0)
    board.heard_live("s1", "p2", {"s": "idle"}, 101.0)
    assert board.snapshot(116.0)["p1"].online
    assert not board.snapshot(116.1)["p1"].online
    version = board.snapshot(102.0)["p1"].version
    board.heard_state("s1", "p1", {"v": 1, "online": False}, 102.0)
    gone = board.snapshot(102.0)
    assert not gone["p1"].online and gone["p1"].version > version
    assert gone["p1"].state["state"] == "idle", "what it last said stays readable"
    assert gone["p2"].online
