"""Meters in the station's eyes (D8, D24, D25) and timelines on their way in (D30)."""

import pytest
from sqlalchemy import Engine

from pump.core import codes, records, trace, traces
from station import forecourt, sales
from station.mqtt.work import Message, work
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.world import CARD, T0, UID, PumpJournal, TestCard, issue, send
from tools.sim.flash import RamFlash


def calibrated(pump: PumpJournal, event: int, old: int, new: int, how: int = codes.FACTOR_PROVER) -> None:
    pump.write(records.CALIBRATION, (1, event, old, new, 4_000, 300, UID, CARD, how))


def read(pump: PumpJournal, error: int, run: int = 1) -> None:
    body = (1, 2, 0, pump.total_ml - 20_000, pump.total_ml, 0, 0, UID, CARD, codes.TEST_PROVER, run, 20_000, error)
    pump.write(records.TEST_MEASURE, body)


def test_d25_factor_event_counter_and_log_follow_from_the_records(engine: Engine, secrets: Secrets) -> None:
    pump = PumpJournal(secrets.device(257).journal)
    calibrated(pump, 1, 0, -1_250)
    read(pump, 3_500)
    read(pump, -6_500, 2)
    pump.write(records.SETTING, (0, b"locked", 0, 8))
    pump.write(records.SETTING, (0, b"meter_id", 2, 12345))
    pump.write(records.SETTING, (0, b"locked", 8, 0))
    calibrated(pump, 2, -1_250, 400, codes.FACTOR_TYPED)
    calibrated(pump, 2, 400, 400, codes.FACTOR_RESTATED)
    pump.write(records.SHIFT, (bytes(7), 0, 11, 22_000, 33, 44, bytes(8), 0, 0, 0, 0))
    with database.write(engine) as conn:
        for at in range(0, len(pump.written), 8):
            send(conn, secrets, *pump.written[at : at + 8])
        meter = next(one for one in sales.meters(conn) if (one.device, one.nozzle) == (257, 1))
        assert (meter.factor_ppm, meter.events, meter.total_ml) == (400, 2, 22_000)
        assert meter.last and (meter.last.error_ppm, meter.last.state) == (-6_500, "locking")
        assert [(c.old_ppm, c.new_ppm, c.events) for c in sales.factor_history(conn)] == [
            (-1_250, 400, 2),
            (0, -1_250, 1),
        ]
        assert [m.state for m in sales.measures(conn)] == ["locking", "flagged"]
        assert [m.volume_ml for m in sales.measures(conn)] == [20_000, 20_000]
        kinds = [(event.kind, event.old, event.new) for event in sales.event_log(conn)]
        assert kinds == [
            ("factor", -1_250, 400), ("unlock", 8, 0), ("meter", 2, 12345), ("lock", 0, 8), ("factor", 0, -1_250),
        ]  # fmt: skip


def test_d8_the_wizard_is_followed_from_its_records(engine: Engine, secrets: Secrets) -> None:
    pump = PumpJournal(secrets.device(257).journal)
    steps = []
    with database.write(engine) as conn:
        calibrated(pump, 1, 0, 500)
        send(conn, secrets, *pump.written)
        for run, error in ((1, 4_000), (2, 4_100), (3, 3_900)):
            for volume_ml, how, told in ((0, 1, 0), (20_000, 1, 0), (0, 2, error)):
                before, pump.total_ml = pump.total_ml, pump.total_ml + volume_ml
                start = pump.total_ml - 20_000 if how == 2 else before
                prover_ml = 20_000 if told else 0
                body = (1, 2, volume_ml, start, pump.total_ml, 0, 0, UID, CARD, how, run, prover_ml, told)
                send(conn, secrets, pump.write(records.TEST_MEASURE, body))
                (state,) = sales.provers(conn, pump.at + 5)
                steps.append((state.step, state.run, state.errors))
        assert steps[:4] == [("drawing", 1, ()), ("reading", 1, ()), ("next", 1, (4_000,)), ("drawing", 2, (4_000,))]
        assert steps[-1] == ("done", 3, (4_000, 4_100, 3_900))
        assert (state.mean_ppm, state.spread_ppm, state.new_ppm) == (4_000, 200, -3_486)
        assert sales.provers(conn, pump.at + 5_000) == []


def pages_of(sale: int, steps: int) -> list[bytes]:
    """Messages as a pump sends them: 6 edges of each channel in 50 ms."""
    ring = trace.Trace(RamFlash(16))
    traces.find(ring)
    while ring.idle_work():
        pass
    edges = [0] * 8
    ring.begin(sale, 0, 0, edges)
    for step in range(1, steps + 1):
        edges[0] = edges[1] = 6 * step
        ring.take(50 * step, edges)
    ring.end(edges)
    return [part[1] for part in traces.upload(ring, sale) if part]


def test_d30_a_timeline_comes_in_pieces_in_any_order_and_sums_to_the_sale(engine: Engine, secrets: Secrets) -> None:
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    with database.write(engine) as conn:
        issue(conn, card)
        sale = pump.sale(card, 12_000)  # 1,200 pulses on each channel
        send(conn, secrets, *pump.written)
        assert forecourt.timeline(conn, 257, sale) is None
    messages = pages_of(sale, 400)
    pieces = [piece[at : at + 128] for piece in messages for at in range(0, len(piece), 128)]
    assert len(pieces) >= 2
    for piece in reversed(pieces[1:]):
        work(engine, secrets, [Message("pumpside/v1/s1/p1/trace", piece)], T0)
    with database.read(engine) as conn:
        half = forecourt.timeline(conn, 257, sale)
        assert half and half.missing == (0,) and not half.is_whole
    for piece in (*pieces, pieces[0]):
        work(engine, secrets, [Message("pumpside/v1/s1/p1/trace", piece)], T0)
    with database.read(engine) as conn:
        line, end = forecourt.timeline(conn, 257, sale), sales.end_pulses(conn, 257, sale)
        assert line and line.is_whole and end
        assert (line.edges_a // 2, line.edges_b // 2) == (end.pulses_a, end.pulses_b) == (1_200, 1_200)
        assert not sales.quarantine(conn)


@pytest.mark.parametrize("payload", [b"", b"x" * 128, b"\0" * 127, b"\xff" * 256])
def test_d30_what_is_no_page_goes_to_quarantine(engine: Engine, secrets: Secrets, payload: bytes) -> None:
    work(engine, secrets, [Message("pumpside/v1/s1/p1/trace", payload)], T0)
    with database.read(engine) as conn:
        assert len(sales.quarantine(conn)) == 1
        assert forecourt.timeline(conn, 257, 1) is None


def test_d30_nothing_kept_any_more_is_an_answer(engine: Engine, secrets: Secrets) -> None:
    ring = trace.Trace(RamFlash(16))
    traces.find(ring)
    (message,) = [part for part in traces.upload(ring, 812) if part]
    work(engine, secrets, [Message("pumpside/v1/s1/p1/trace", message[1])], T0)
    with database.read(engine) as conn:
        found = forecourt.timeline(conn, 257, 812)
        assert found is not None and forecourt.is_gone(found)


def test_d30_only_a_pump_that_is_there_can_be_asked(engine: Engine) -> None:
    with database.write(engine) as conn:
        with pytest.raises(ValueError, match="offline"):
            forecourt.ask_timeline(conn, 257, 812, "王芳", T0)
        forecourt.mark_state(conn, 257, {"online": True, "boot": 3}, T0)
        forecourt.ask_timeline(conn, 257, 812, "王芳", T0)
        (command,) = forecourt.commands_due(conn, T0)
        assert (command.do, command.boot) == ("trace:812", 3)
        for bad in ("trace:", "trace:-1", "trace:1;lock", "trace:99999999999"):
            with pytest.raises(ValueError, match="unknown"):
                forecourt.give_command(conn, 257, bad, "x", T0)
