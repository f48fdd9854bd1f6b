"""Fuel outside sales in the books (D18, D24): test measures leave the tank and return, totalizers are explained."""

from sqlalchemy import Engine

from pump.core import codes, records
from station import ledger, sales
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.world import CARD, UID, PumpJournal, TestCard, issue, send


def measure(pump: PumpJournal, volume_ml: int, nozzle: int = 0) -> None:
    before, pump.total_ml = pump.total_ml, pump.total_ml + volume_ml
    body = (nozzle, 1, volume_ml, before, pump.total_ml, 0, 0, UID, CARD, codes.TEST_RETURN, 1, 0, 0)
    pump.write(records.TEST_MEASURE, body)


def leak(pump: PumpJournal, volume_ml: int) -> None:
    pump.total_ml += volume_ml
    pump.write(records.ALARM, (codes.ALARM_LEAK, 0, 1, 0, volume_ml, pump.total_ml))


def boot(pump: PumpJournal) -> None:
    pump.write(records.BOOT, (1, bytes(8), 0, 0, pump.total_ml, 0, 0, 0))


def test_d24_a_test_measure_leaves_the_tank_and_returns(engine: Engine, secrets: Secrets) -> None:
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    boot(pump)
    with database.write(engine) as conn:
        issue(conn, card)
        before = ledger.balances(conn, "", ledger.ML)
        measure(pump, 0)
        measure(pump, 20_013)
        pump.write(records.TEST_MEASURE, (0, 1, 0, 1_000_000, 1_020_013, 0, 0, UID, CARD, 2, 1, 20_000, 650))
        pump.sale(card, 5_000)
        leak(pump, 300)
        for _ in range(2):
            assert send(conn, secrets, *pump.written) == pump.seq
        after = ledger.balances(conn, "", ledger.ML)
        assert after[ledger.tank(1)] - before.get(ledger.tank(1), 0) == -5_300
        assert after[ledger.tested(1)] == 0
        posted = dict(ledger.posted_by_prefix(conn, ("test:", "return:")))
        assert sorted(transfer.amount for transfer in posted.values()) == [20_013, 20_013]
        assert not [finding for finding in sales.verify(conn, secrets) if finding.check == "totalizers"]


def test_d18_a_totalizer_that_jumps_is_found_by_verify(engine: Engine, secrets: Secrets) -> None:
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    boot(pump)
    with database.write(engine) as conn:
        issue(conn, card)
        pump.sale(card, 5_000)
        pump.total_ml += 70  # seventy millilitres of which no record tells
        pump.sale(card, 4_000)
        send(conn, secrets, *pump.written)
        found = [finding for finding in sales.verify(conn, secrets) if finding.check == "totalizers"]
        assert len(found) == 1 and "1005000" in found[0].text and "1005070" in found[0].text


def test_d24_a_measure_that_contradicts_itself_goes_to_quarantine(engine: Engine, secrets: Secrets) -> None:
    pump = PumpJournal(secrets.device(257).journal)
    pump.write(records.TEST_MEASURE, (0, 1, 500, 1_000, 1_600, 0, 0, UID, CARD, codes.TEST_RETURN, 1, 0, 0))
    measure(pump, 700, nozzle=7)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
        assert len(sales.quarantine(conn)) == 2
        assert not dict(ledger.posted_by_prefix(conn, ("test:",)))
