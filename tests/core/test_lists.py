"""D19: black and white lists of 100,000 cards in flash, replaced wholly or not at all, and small changes at once."""

import hashlib
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pump.core import codes, fetch, lists, records
from pump.core.limits import Card
from station.cards.numbers import make
from station.forecourt.card_lists import pages
from tests.core.rigs import Bench
from tools.sim.flash import PowerCut, RamFlash

SECTORS = 8  # two slots of three sectors and a head
NOTHING: list[list[str]] = [[], []]


def numbers(serials: Any, station: int = 1) -> list[str]:
    return [make(station, serial) for serial in serials]


class Base:
    """What a station has: an image, and the message that names it."""

    def __init__(self, version: int, black: list[str], white: list[str] | None = None) -> None:
        self.version, self.black, self.white = version, sorted(black), sorted(white or [])
        first = pages(self.black)
        self.image = first + pages(self.white)
        pages_of = [len(first) // lists.PAGE, (len(self.image) - len(first)) // lists.PAGE]
        sha = hashlib.sha256(self.image).hexdigest()
        self.names = [version, *pages_of, sha]

    def message(self, version: int, black: list[list[str]] = NOTHING, made: int = 1_790_000_000) -> dict[str, Any]:
        count = [len(self.black) + len(black[0]) - len(black[1]), len(self.white)]
        return {
            "version": version, "made": made, "count": count, "base": self.names, "black": black, "white": NOTHING,
        }  # fmt: skip


def card(number: str, kind: int = 1) -> Card:
    one = Card(bytes(7))
    one.card_no, one.kind = bytes.fromhex(number), kind
    return one


def refused(ctl: Any, number: str) -> bool:
    return bool(ctl.listed(card(number))[0] == codes.REFUSE_BLACKLISTED)


def give(ctl: Any, base: Base) -> None:
    """Idle work and parts until nothing is fetched any more."""
    for _ in range(10_000):
        if ctl.errand is None:
            return
        question = ctl.next_part()
        if question:
            assert question["of"] == "lists" and question["version"] == base.version
            ctl.part(question, base.image[question["at"] : question["at"] + fetch.PART])
        ctl.errand and ctl.errand.work()
    raise AssertionError("never done")


@pytest.fixture
def bench() -> Bench:
    made = Bench("slot", (1,))
    made.controller.list_flash = RamFlash(SECTORS)
    return made


def test_d19_a_base_is_fetched_while_idle_and_a_change_counts_at_once(bench: Bench) -> None:
    ctl = bench.controller
    some = numbers(range(1, 2000, 3))
    base = Base(3, some)
    lost, found = make(1, 5000), some[7]
    assert lists.take(ctl, base.message(3))
    assert not refused(ctl, some[0])
    give(ctl, base)
    assert all(refused(ctl, number) for number in some) and not refused(ctl, lost)
    assert lists.take(ctl, base.message(4, [[lost], [found]]))
    assert refused(ctl, lost) and not refused(ctl, found)
    newer = Base(5, some[100:])
    assert lists.take(ctl, newer.message(6, [[make(1, 6001)], []]))
    assert refused(ctl, lost) and refused(ctl, some[0]) and refused(ctl, make(1, 6001)), "the old list stays in force"
    bench.authorise(bench.card())
    assert ctl.next_part() is None, "nothing is fetched while somebody fuels"
    bench.hang()
    bench.pump.take()
    bench.wait(70)
    give(ctl, newer)
    assert not refused(ctl, lost) and not refused(ctl, some[0]) and refused(ctl, some[100])
    assert [(r["version"], r["entries"]) for r in bench.of(records.LIST)] == [
        (3, len(some)), (4, len(some)), (6, len(some) - 99),
    ]  # fmt: skip


def test_d19_an_old_a_repeated_and_a_malformed_message_change_nothing(bench: Bench) -> None:
    ctl = bench.controller
    base = Base(3, numbers(range(1, 300)))
    assert lists.take(ctl, base.message(3))
    give(ctl, base)
    before = ctl.lists
    assert lists.take(ctl, base.message(3)), "said again: true, but no news"
    assert not lists.take(ctl, base.message(2))
    assert not lists.take(ctl, base.message(3, made=1_789_999_999))
    for name, value in (
        ("version", "4"), ("made", -1), ("base", [9, 1, 0]), ("base", [9, 1, 0, "zz"]), ("black", [["6200"], []]),
        ("base", [9, 9999, 0, "00" * 32]), ("black", [["6200010000000017"] * 2, []]), ("black", [[]]),
        ("black", [numbers(range(1, 60)), []]), ("white", None),
    ):  # fmt: skip
        with pytest.raises((KeyError, TypeError, ValueError)):
            lists.take(ctl, base.message(9) | {name: value})
        assert ctl.lists == before and ctl.errand is None, (name, value)
    assert lists.take(ctl, base.message(3, made=1_790_003_600)) and ctl.lists[1] == 1_790_003_600
    assert len(bench.of(records.LIST)) == 1, "the same list, known to be the latest for longer"


def test_d19_a_base_that_is_not_what_the_manifest_says_never_counts(bench: Bench) -> None:
    ctl = bench.controller
    base = Base(3, numbers(range(1, 2000)))
    assert lists.take(ctl, base.message(3))
    base.image = base.image[:700] + b"\x33" + base.image[701:]
    give(ctl, base)
    assert not refused(ctl, make(1, 1)) and ctl.lists[2] == 0
    lists.find(ctl)
    assert ctl.lists[2] == 0


@pytest.mark.parametrize("tear", [0, 2, 4])
def test_d19_cut_at_every_flash_step_of_a_replacement_the_old_or_the_new_list_counts(tear: int) -> None:
    old, new = Base(3, numbers(range(1, 3000))), Base(4, numbers(range(2, 24_000, 3)))
    only_old, only_new, both = make(1, 1), make(1, 3002), make(1, 2)
    steps = 0
    while True:
        bench = Bench("slot", (1,))
        ctl = bench.controller
        ctl.list_flash = flash = RamFlash(SECTORS)
        assert lists.take(ctl, old.message(3))
        give(ctl, old)
        # Both slots have been in use: what is written now lies over something older.
        older = Base(2, numbers(range(5, 30_000, 4)))
        flash.data[4 * 4096 : 4 * 4096 + len(older.image)] = older.image
        steps += 1
        flash.cut_at, flash.tear = steps, tear
        try:
            assert lists.take(ctl, new.message(4))
            give(ctl, new)
            done = True
        except PowerCut:
            done = False
        flash.cut_at = 0
        bench.power_cycle()
        ctl = bench.controller
        ctl.list_flash = flash
        lists.find(ctl)
        assert ctl.lists[2] in (3, 4), steps
        told = [refused(ctl, number) for number in (only_old, only_new, both)]
        assert told == ([True, False, True] if ctl.lists[2] == 3 else [False, True, True]), steps
        programs = flash.programs
        assert lists.take(ctl, new.message(4))
        give(ctl, new)
        assert [refused(ctl, number) for number in (only_old, only_new, both)] == [False, True, True], steps
        if done:
            break
        left = len(new.image) // fetch.PART + 12
        assert flash.programs - programs <= left
    assert steps > 15


def test_d19_a_fetch_goes_on_where_it_was_cut(bench: Bench) -> None:
    ctl, flash = bench.controller, bench.controller.list_flash
    base = Base(3, numbers(range(1, 9000)))
    assert lists.take(ctl, base.message(3))
    for _ in range(14):
        ctl.errand.work()
        question = ctl.next_part()
        if question:
            ctl.part(question, base.image[question["at"] : question["at"] + fetch.PART])
    assert ctl.errand.at > 4096
    bench.power_cycle()
    ctl = bench.controller
    ctl.list_flash = flash
    lists.find(ctl)
    assert lists.take(ctl, base.message(3))
    ctl.errand.work()
    assert ctl.errand.at == 4096, "the first sector was whole"
    give(ctl, base)
    assert refused(ctl, make(1, 8999))


def test_d19_the_white_list_counts_where_the_setting_demands_it(bench: Bench) -> None:
    ctl = bench.controller
    base = Base(2, numbers((1,)), numbers(range(1, 900)))
    assert lists.take(ctl, base.message(2) | {"white": [[make(2, 5)], [make(1, 3)]]})
    give(ctl, base)
    assert not refused(ctl, make(3, 1))
    assert ctl.set_settings(1, {"white_only": 1}) == ""
    assert refused(ctl, make(3, 1)) and refused(ctl, make(1, 3)) and refused(ctl, make(1, 1))
    assert not refused(ctl, make(2, 5)) and not refused(ctl, make(1, 899))
    assert ctl.listed(card(make(3, 1))) == (codes.REFUSE_BLACKLISTED, 1)
    assert ctl.listed(card(make(3, 1), kind=7)) == (0, 0), "the service card needs to stand on no list"


def test_d19_lists_beyond_their_age_alarm_and_if_so_set_refuse(bench: Bench) -> None:
    ctl = bench.controller
    assert lists.take(ctl, Base(0, []).message(1, [numbers((1,)), []], made=ctl.now_s) | {"base": [0, 0, 0, ""]})
    bench.pump.clock_offset_s = 168 * 3600 - 100
    bench.wait(30)
    assert codes.ALARM_LIST_OLD not in ctl.alarms
    bench.pump.clock_offset_s += 200
    bench.wait(30)
    assert codes.ALARM_LIST_OLD in ctl.alarms
    assert ctl.listed(card(make(1, 2))) == (0, 0), "by default the pump goes on selling, and says so"
    assert ctl.set_settings(1, {"list_old_stop": 1}) == ""
    assert ctl.listed(card(make(1, 2))) == (codes.REFUSE_LIST_OLD, 0)
    assert lists.take(ctl, Base(0, []).message(1, [numbers((1,)), []], made=ctl.now_s) | {"base": [0, 0, 0, ""]})
    bench.wait(30)
    assert codes.ALARM_LIST_OLD not in ctl.alarms and ctl.listed(card(make(1, 2))) == (0, 0)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 700), spread=st.sampled_from([1, 3, 100, 10_000, 9_999_999]))
def test_d19_every_listed_card_is_found_and_no_other(seed: int, count: int, spread: int) -> None:
    rng = random.Random(seed)
    stations = [rng.randrange(1, 65_536) for _ in range(3)]
    there = {make(rng.choice(stations), rng.randrange(1, min(9_999_999, 1 + count * spread) + 1)) for _ in range(count)}
    flash = RamFlash(64)
    image = pages(sorted(there))
    flash.data[: len(image)] = image
    probes = [
        *rng.sample(sorted(there), min(len(there), 60)),
        *(make(rng.choice(stations), rng.randrange(1, 9999)) for _ in range(60)),
    ]
    probes += [make(1, 1), make(65_535, 9_999_999)]
    for number in probes:
        found = lists._in_pages(flash, 0, len(image) // lists.PAGE, lists.key(number))
        assert found == (number in there), number
