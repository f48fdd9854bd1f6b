"""D23: the shift report is the totalizers' difference, to the millilitre, on both databases and on the command line."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner

from pump.core import codes, records
from station import sales
from station.cli import common
from station.cli.shift import app
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.station.world import PumpJournal, TestCard, issue, send

LI = bytes.fromhex("6200010000000021")


class Pump(PumpJournal):
    """A pump that keeps a shift's figures as the controller does."""

    duty: tuple[bytes, int, int, int, int] = (bytes(8), 0, 0, 0, 0)

    def shift(self, event: int, card_no: bytes = LI) -> None:
        if event == codes.SHIFT_ON:
            self.duty = (card_no, self.duty[1] + 1, 0, 0, 0)
        self.write(records.SHIFT, (bytes(7), event, self.total_ml, 0, 0, 0, *self.duty))
        if event == codes.SHIFT_OFF:
            self.duty = (bytes(8), self.duty[1], 0, 0, 0)

    def sell(self, card: TestCard, volume_ml: int) -> int:
        before = card.fen
        self.sale(card, volume_ml)
        card_no, shift, count, ml, fen = self.duty
        spent = before - card.fen
        if any(card_no):
            self.duty = card_no, shift, count + 1, ml + volume_ml, fen + spent
        return spent

    def leak(self, volume_ml: int) -> None:
        self.total_ml += volume_ml
        self.write(records.ALARM, (codes.ALARM_LEAK, 0, 1, 0, volume_ml, self.total_ml))

    def test_measure(self, volume_ml: int) -> None:
        before, self.total_ml = self.total_ml, self.total_ml + volume_ml
        self.write(
            records.TEST_MEASURE,
            (0, 1, volume_ml, before, self.total_ml, 0, 0, bytes(7), bytes(8), codes.TEST_RETURN, 1, 0, 0),
        )


def arrive(engine: Engine, secrets: Secrets, pump: Pump, card: TestCard | None = None) -> None:
    with database.write(engine) as conn:
        if card is not None:
            issue(conn, TestCard())
        send(conn, secrets, *pump.written)


def periods(engine: Engine, kind: str = sales.SHIFT) -> list[sales.Period]:
    with database.read(engine) as conn:
        return sales.periods(conn, kind)


def test_d23_a_shift_is_the_totalizers_difference_and_says_what_of_it_was_no_sale(
    engine: Engine, secrets: Secrets
) -> None:
    pump, card = Pump(secrets.device(257).journal), TestCard()
    pump.sell(card, 7_000)
    pump.shift(codes.SHIFT_ON)
    begin_ml = pump.total_ml
    fen = pump.sell(card, 12_345) + pump.sell(card, 4_321)
    pump.leak(250)
    pump.test_measure(20_000)
    pump.shift(codes.SHIFT_OFF)
    end_ml = pump.total_ml
    pump.sell(card, 5_000)
    pump.shift(codes.SHIFT_ON)
    pump.sell(card, 1_000)
    arrive(engine, secrets, pump, card)
    running, closed = periods(engine)
    nozzle = closed.nozzles[0]
    assert (nozzle.start_ml, nozzle.end_ml, nozzle.measured_ml) == (begin_ml, end_ml, end_ml - begin_ml)
    assert (nozzle.sales, nozzle.sold_ml, nozzle.sold_fen, nozzle.outside_ml) == (2, 16_666, fen, 20_250)
    assert (nozzle.unexplained_ml, closed.agrees) == (0, True)
    assert (closed.number, closed.card_no, closed.told_ml) == (1, LI.hex(), 16_666)
    assert (running.number, running.ended, running.agrees, running.sold_ml) == (2, None, None, 1_000)
    with database.read(engine) as conn:
        assert sales.on_duty(conn) == {"p1": LI.hex()}


def test_d23_a_day_runs_from_one_close_to_the_next_whatever_shifts_there_were(engine: Engine, secrets: Secrets) -> None:
    pump, card = Pump(secrets.device(257).journal), TestCard()
    pump.shift(codes.SHIFT_DAY)
    pump.shift(codes.SHIFT_ON)
    pump.sell(card, 3_000)
    pump.shift(codes.SHIFT_OFF)
    pump.sell(card, 2_000)
    pump.shift(codes.SHIFT_DAY)
    pump.sell(card, 4_000)
    arrive(engine, secrets, pump, card)
    running, closed = periods(engine, sales.DAY)
    assert (closed.sold_ml, closed.nozzles[0].measured_ml, closed.agrees) == (5_000, 5_000, True)
    assert (running.sold_ml, running.agrees) == (4_000, None)


def test_d23_litres_that_no_record_explains_are_shown(engine: Engine, secrets: Secrets) -> None:
    pump, card = Pump(secrets.device(257).journal), TestCard()
    pump.shift(codes.SHIFT_ON)
    pump.sell(card, 3_000)
    pump.total_ml += 17
    pump.shift(codes.SHIFT_OFF)
    arrive(engine, secrets, pump, card)
    (closed,) = periods(engine)
    assert closed.nozzles[0].unexplained_ml == 17
    assert closed.agrees is False


def test_d23_the_report_and_the_duty_on_the_command_line(
    engine: Engine, secrets: Secrets, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    pump, card = Pump(secrets.device(257).journal), TestCard()
    pump.shift(codes.SHIFT_ON)
    pump.sell(card, 12_345)
    pump.shift(codes.SHIFT_OFF)
    pump.shift(codes.SHIFT_ON)
    arrive(engine, secrets, pump, card)
    monkeypatch.setattr(common, "load", lambda *_: settings)
    told = CliRunner().invoke(app, ["report", "--pump", "p1"])
    assert told.exit_code == 0, told.output
    for part in ("第 1 班", "12.345", "相符", "第 2 班", "进行中"):
        assert part in told.output
    rows = CliRunner().invoke(app, ["report", "--csv"]).output.splitlines()
    assert rows[0].startswith("pump,shift,card_no")
    assert any(",12345,1,12345," in row for row in rows)
    assert LI.hex()[:4] in CliRunner().invoke(app, ["now"]).output
    assert "还没有日结" in CliRunner().invoke(app, ["day"]).output


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(("sell", "leak", "test", "shift")), st.integers(1, 9_000)), max_size=30))
def test_d23_whatever_happens_in_them_shifts_add_up(
    engine: Engine, secrets: Secrets, happenings: list[tuple[str, int]]
) -> None:
    """The sums of all shifts and of what lies between are the totalizer, to the millilitre."""
    pump, card = Pump(secrets.device(257).journal), TestCard(fen=10_000_000)
    on_ml = measured = 0
    for what, ml in happenings:
        if what == "sell":
            pump.sell(card, ml)
        elif what == "leak":
            pump.leak(ml)
        elif what == "test":
            pump.test_measure(ml)
        elif any(pump.duty[0]):
            pump.shift(codes.SHIFT_OFF)
            measured += pump.total_ml - on_ml
        else:
            pump.shift(codes.SHIFT_ON)
            on_ml = pump.total_ml
    with database.write(engine) as conn:
        example = conn.begin_nested()
        issue(conn, TestCard(fen=10_000_000))
        send(conn, secrets, *pump.written)
        closed = [p for p in sales.periods(conn, limit=100) if p.ended is not None]
        example.rollback()  # the next example finds the database as this one did
    assert sum(p.nozzles[0].measured_ml or 0 for p in closed) == measured
    assert all(p.agrees for p in closed)
