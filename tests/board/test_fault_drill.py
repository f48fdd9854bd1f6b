"""D13: whatever breaks while fuel flows, the valves shut in time, the journal tells it, the pump comes back and sells.

The real firmware in its 100 KB heap, a station, a plant. Valves are watched where they are wired, not in the firmware's
own variables. Each story begins with a sale of its own, so a story that follows shows that the pump sells again.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pump.core import codes, records
from pump.core.record_fields import body_dict
from pump.core.ticks import MASK
from tests.link.conftest import wait_for
from tools.bench import acts
from tools.bench import wires as w
from tools.bench.board import relays
from tools.bench.old_journal import fill
from tools.bench.rig import SUPPLY_MV, Rig
from tools.bench.small_station import SmallStation

pytestmark = pytest.mark.timeout(240)
PUMP = "p1"
FLOWING_ML = 700  # beyond the first checkpoint
AT_ONCE_S, WATCHDOG_S = 0.3, 3.6  # a loaded machine included


class Drill:
    """One pump, one card, and hands."""

    def __init__(self, station: SmallStation) -> None:
        self.station, self.world = station, station.world
        self.rig: Rig = station.world.pumps[PUMP]
        self.wires = self.rig.wires
        self.card = station.issue(load_fen=100_000)

    def told(self, kind: int) -> list[dict[str, object]]:
        """Bodies of this kind, oldest first, as they lie in flash: the station need not have them."""
        data = (self.rig.board.home / "journal.bin").read_bytes()[: 64 * 4096]
        slots = (data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE))
        return [body_dict(slot) for slot in slots if records.is_whole(slot) and slot[1] == kind]

    def until(self, look: object, timeout_s: float = 20.0) -> None:
        wait_for(look, self._told, timeout_s)  # type: ignore[arg-type]

    def _told(self) -> str:
        pump = self.world.state()["pumps"][0]
        refused = [body["code"] for body in self.told(records.REFUSAL)[-3:]]
        return f"{pump}\nlast refusals {refused}\n{self.rig.board.log()}{self.station.logs()}"

    def flowed_ml(self) -> int:
        return self.world.state()["pumps"][0]["nozzles"][0]["sale_ml"]

    def begin(self, least_ml: int = FLOWING_ML) -> None:
        """Card in, nozzle up, fuel flows."""
        self.world.do(acts.insert(PUMP, self.card))
        self.world.do(acts.lift(PUMP))
        self.world.do(acts.trigger(PUMP, "full"))
        self.until(lambda: self.flowed_ml() > least_ml and relays(self.wires).big)

    def shut_after_s(self, longest_s: float) -> float:
        """How long the valves stay open from now on; fails after longest_s."""
        since = time.monotonic()
        while relays(self.wires).big or relays(self.wires).small:
            assert time.monotonic() - since < longest_s, self.rig.board.log()
            time.sleep(0.001)
        return time.monotonic() - since

    def finish(self, reason: int, ends: int) -> dict[str, object]:
        """Nozzle back; the sale's END (the only new one) and its settlement are in flash and agree with the card."""
        self.world.do(acts.hang(PUMP))
        self.until(lambda: len(self.told(records.END)) == ends + 1)
        end = self.told(records.END)[-1]
        self.until(lambda: self.told(records.SETTLED) and self.told(records.SETTLED)[-1]["sale_seq"] == end["sale_seq"])
        self.world.do(acts.remove(PUMP))
        assert end["reason"] == reason, codes
        money = next(c for c in self.world.wallet.states({}) if c["card"] == self.card)
        assert money["open_fen"] == 0 and money["balance_fen"] == self.told(records.SETTLED)[-1]["balance_fen"]
        return end

    def boots(self) -> int:
        return len(self.told(records.BOOT))

    def restarted(self, boots: int) -> None:
        """Waits for the next BOOT and until the control tick has seen the switches."""
        self.until(lambda: self.boots() == boots + 1)
        self.until(lambda: self.wires.get("I", w.WDT_FED) > 20)

    def is_refused(self, words: str) -> bool:
        """Card in, nozzle up: True if the display says so, False as soon as fuel flows."""
        self.world.do(acts.insert(PUMP, self.card))
        self.world.do(acts.lift(PUMP))
        self.world.do(acts.trigger(PUMP, "full"))
        self.until(lambda: self.flowed_ml() > 200 or words in "".join(self.world.state()["pumps"][0]["lcd"]["lines"]))
        return self.flowed_ml() == 0


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    with SmallStation(tmp_path_factory.mktemp("drill"), pumps=(PUMP,)) as station:
        made = Drill(station)
        made.until(lambda: made.told(records.PRICE), 40)
        yield made


@pytest.mark.parametrize(
    ("fault", "longest_s", "cause"),
    [
        pytest.param(w.TICK_RAISES, AT_ONCE_S, codes.CAUSE_HARD, id="exception in the control tick"),
        pytest.param(w.DISPLAY_RAISES, AT_ONCE_S, codes.CAUSE_HARD, id="exception in another task"),
        pytest.param(w.TICK_HOARDS, AT_ONCE_S, codes.CAUSE_HARD, id="memory exhausted"),
        pytest.param(w.TICK_HANGS, WATCHDOG_S, codes.CAUSE_WATCHDOG, id="endless loop in the control tick"),
        pytest.param(w.DISPLAY_HANGS, WATCHDOG_S, codes.CAUSE_WATCHDOG, id="endless loop in another task"),
    ],
)
def test_d13_firmware_that_fails_shuts_the_valves_restarts_and_ends_the_sale(
    drill: Drill, fault: int, longest_s: float, cause: int
) -> None:
    ends, boots, alarms = len(drill.told(records.END)), drill.boots(), len(drill.told(records.ALARM))
    drill.begin()
    drill.wires.put("I", w.FAULT, fault)
    drill.shut_after_s(longest_s)
    flowed_ml = drill.flowed_ml()
    drill.wires.put("I", w.FAULT, 0)
    drill.restarted(boots)
    assert drill.told(records.BOOT)[-1]["cause"] == cause
    end = drill.finish(codes.STOP_POWER, ends)
    assert 500 <= end["volume_ml"] <= flowed_ml + 100  # type: ignore[operator]
    new = [(a["code"], a["raised"]) for a in drill.told(records.ALARM)[alarms:]]
    assert (codes.ALARM_EXCEPTION, 1) in new, "whoever reads the journal learns that the firmware failed"
    (drill.rig.board.home / "flash/starts").write_bytes(b"\0")  # else the fifth story would be taken for a crash loop


def test_d13_without_its_display_a_pump_sells_to_the_end(drill: Drill) -> None:
    """Decided so: the figures stand on the dashboard and on the card, and a customer in the middle is not stranded."""
    ends, alarms = len(drill.told(records.END)), len(drill.told(records.ALARM))
    drill.begin()
    drill.wires.put("I", w.FAULT, w.DISPLAY_MUTE)

    def display() -> list[object]:
        return [a["raised"] for a in drill.told(records.ALARM)[alarms:] if a["code"] == codes.ALARM_DISPLAY]

    drill.until(lambda: display() == [1])
    drill.finish(codes.STOP_NOZZLE, ends)
    drill.wires.put("I", w.FAULT, 0)
    drill.until(lambda: display() == [1, 0])


def test_d13_a_reader_that_falls_silent_counts_as_a_pulled_card(drill: Drill) -> None:
    ends = len(drill.told(records.END))
    drill.begin()
    drill.rig.reader.dead = True
    drill.shut_after_s(2.5)  # the card is looked for every 0.2 s and asked for 0.4 s, twice
    drill.until(lambda: any(a["code"] == codes.ALARM_READER and a["raised"] for a in drill.told(records.ALARM)))
    drill.rig.reader.dead = False
    drill.finish(codes.STOP_CARD_PULLED, ends)


def test_d13_a_brown_out_shuts_the_valves_and_costs_no_restart(drill: Drill) -> None:
    ends, boots = len(drill.told(records.END)), drill.boots()
    drill.begin()
    drill.wires.put("H", w.SUPPLY_MV, 15_000)
    drill.shut_after_s(AT_ONCE_S)
    time.sleep(0.3)
    drill.wires.put("H", w.SUPPLY_MV, SUPPLY_MV)
    drill.finish(codes.STOP_POWER, ends)
    assert drill.boots() == boots
    assert [a["raised"] for a in drill.told(records.ALARM) if a["code"] == codes.ALARM_SUPPLY][-2:] == [1, 0]


@pytest.mark.parametrize("danger", ["emergency", "tamper"])
def test_d13_emergency_stop_and_an_opened_cover_shut_the_valves(drill: Drill, danger: str) -> None:
    ends = len(drill.told(records.END))
    press = acts.estop if danger == "emergency" else acts.tamper
    drill.begin()
    drill.world.do(press(PUMP, True))
    drill.shut_after_s(AT_ONCE_S)
    assert not relays(drill.wires).permit and not relays(drill.wires).motor
    drill.world.do(press(PUMP, False))
    drill.finish(codes.STOP_EMERGENCY, ends)
    assert bool(drill.told(records.TAMPER)) == (danger == "tamper")


@pytest.mark.parametrize("jump_s", [-700_000_000, 1_500_000_000], ids=["far in the past", "far in the future"])
def test_d13_a_wall_clock_that_jumps_by_decades_moves_no_fuel_and_no_money(drill: Drill, jump_s: int) -> None:
    """A sale goes by ticks; wall time only labels it."""
    ends = len(drill.told(records.END))
    drill.begin()
    drill.wires.put("i", w.CLOCK_OFFSET_S, jump_s)
    before_ml = drill.flowed_ml()
    drill.until(lambda: drill.flowed_ml() > before_ml + 500)
    assert relays(drill.wires).big
    end = drill.finish(codes.STOP_NOZZLE, ends)
    assert 0 < end["duration_s"] < 60  # type: ignore[operator]
    drill.wires.put("i", w.CLOCK_OFFSET_S, 0)


def test_d13_the_millisecond_ticks_wrap_in_the_middle_of_a_sale(drill: Drill) -> None:
    ends, boots = len(drill.told(records.END)), drill.boots()
    to_wrap_s = 9.0
    drill.world.do(acts.power(PUMP, False))
    drill.until(lambda: not drill.rig.board.running)
    drill.rig.board.ticks_start = MASK + 1 - round(to_wrap_s * 1000)
    on_at = time.monotonic()
    drill.world.do(acts.power(PUMP, True))
    drill.restarted(boots)
    drill.begin()
    assert time.monotonic() < on_at + to_wrap_s - 0.5, "this machine is too slow: the ticks have wrapped already"
    drill.world.do(acts.trigger(PUMP, "slow"))
    time.sleep(on_at + to_wrap_s + 1.0 - time.monotonic())
    assert relays(drill.wires).small, "fuel still flows after the wrap"
    before_ml = drill.flowed_ml()
    drill.until(lambda: drill.flowed_ml() > before_ml + 100)
    end = drill.finish(codes.STOP_NOZZLE, ends)
    drill.rig.board.ticks_start = 0
    assert abs(int(end["volume_ml"]) - drill.flowed_ml()) < 20  # type: ignore[call-overload]


def test_d13_a_full_journal_refuses_new_sales_and_loses_nothing_that_was_begun(tmp_path: Path) -> None:
    """The line to the station is cut, and a small ring holds 80 records that nobody has acknowledged."""
    with SmallStation(tmp_path, pumps=(PUMP,)) as station:
        drill = Drill(station)
        drill.until(lambda: drill.told(records.PRICE), 40)
        drill.world.do(acts.network(PUMP, "cut"))
        drill.world.do(acts.power(PUMP, False))
        drill.until(lambda: not drill.rig.board.running)
        identity = _identity(drill.rig)
        drill.rig.board.home.joinpath("checkpoint.bin").write_bytes(b"\xff" * 0x8000)
        fill(drill.rig.board.home / "journal.bin", identity, 80, 5 * 4096, acked=False)
        drill.world.do(acts.power(PUMP, True))
        drill.restarted(1)
        sold = 0
        while not drill.is_refused("流水已满"):
            drill.finish(codes.STOP_NOZZLE, sold)
            sold += 1
            assert sold < 30
        assert not relays(drill.wires).permit
        assert sold >= 1 and len(drill.told(records.SETTLED)) == sold
        assert len(drill.told(records.REFUSAL)) == 77, "nothing that was there has gone"


def _identity(rig: Rig) -> dict[str, object]:
    found: dict[str, object] = json.loads((rig.board.home / "flash/identity.json").read_text())
    return found
