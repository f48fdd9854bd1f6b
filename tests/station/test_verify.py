"""`verify` finds what was changed behind the station's back (D27, D31, X5); people decide where records are lost."""

import pytest
from sqlalchemy import Engine, text

from pump.core import records
from station import ledger, sales
from station.platform import database
from station.platform.secrets import Secrets
from station.sales import reasons
from tests.station.world import T0, PumpJournal, TestCard, issue, send

NOW = T0 + 100_000


@pytest.fixture
def pump(engine: Engine, secrets: Secrets) -> PumpJournal:
    """A pump with two settled sales, all in the database and verified."""
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    pump.sale(card, 10_000)
    pump.sale(card, 5_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        assert sales.verify(conn, secrets) == ledger.verify(conn) == []
    return pump


def disarm(engine: Engine, table: str) -> None:
    """What somebody with the database's password can do."""
    with engine.begin() as conn:
        for act in ("update", "delete"):
            on = f" ON {table}" if engine.dialect.name == "postgresql" else ""
            conn.execute(text(f"DROP TRIGGER {table}_no_{act}{on}"))


@pytest.mark.parametrize(
    ("table", "change", "checks"),
    [
        ("transfers", "UPDATE transfers SET amount = amount - 1 WHERE key LIKE 'fuel:%'", {"postings"}),
        ("transfers", "DELETE FROM transfers WHERE key LIKE 'settle:%'", {"postings"}),
        ("records", "DELETE FROM records WHERE id = (SELECT min(id) FROM records)", {"chain", "sales"}),
        ("records", "DELETE FROM records WHERE id = (SELECT max(id) FROM records)", {"chain", "sales"}),
        (None, "UPDATE sales SET volume_ml = volume_ml + 1", {"sales", "hours", "postings"}),
        (None, "UPDATE sales_hourly SET amount_fen = amount_fen + 1", {"hours"}),
        (None, "UPDATE card_shadows SET seen_fen = seen_fen - 1", {"invariant"}),
        (None, "UPDATE card_shadows SET settled_count = 1, reserved_count = 1, counter = 1", {"shadows"}),
        (None, "DELETE FROM sales WHERE id = (SELECT max(id) FROM sales)", {"sales", "hours", "postings", "shadows"}),
    ],
)
def test_what_was_changed_behind_its_back_is_found(
    engine: Engine, secrets: Secrets, pump: PumpJournal, table: str | None, change: str, checks: set[str]
) -> None:
    if table:
        disarm(engine, table)
    with engine.begin() as conn:
        conn.execute(text(change))
        found = {finding.check for finding in sales.verify(conn, secrets)}
    assert checks <= found


def test_one_flipped_bit_in_a_kept_record_is_found_and_located(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D27: with its checksum made right again, the chain still betrays it."""
    import binascii
    import struct

    raw = bytearray(pump.written[2])
    raw[40] ^= 1
    raw[records.CRC_AT :] = struct.pack("<I", binascii.crc32(raw[: records.CRC_AT]))
    disarm(engine, "records")
    with engine.begin() as conn:
        conn.execute(text("UPDATE records SET raw = :raw WHERE id = :id"), {"raw": bytes(raw), "id": (257 << 32) + 3})
        (finding,) = [one for one in sales.verify(conn, secrets) if one.check == "chain"]
    assert finding.text.startswith("257/3 ")


def test_a_gap_that_will_not_close_is_admitted_by_a_person_and_the_rest_counts(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D6: the board lost a sector; a person takes what follows, the chain goes on, verify is content."""
    lost = len(pump.written)
    card = TestCard(counter=2, fen=100_000 - 7_560 - 3_780)
    pump.write(records.TAMPER, (1, 1, 0))
    pump.sale(card, 1_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written[lost + 1 :]) == lost
        with pytest.raises(ValueError, match="0 such records"):
            sales.admit(conn, secrets, 257, lost + 1, "王芳", "lost", NOW)
        with pytest.raises(ValueError, match="a name and a reason"):
            sales.admit(conn, secrets, 257, lost + 2, "王芳", " ", NOW)
        assert sales.admit(conn, secrets, 257, lost + 2, "王芳", "flash damaged", NOW) == lost + 5
        assert sales.gaps(conn) == []
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        assert send(conn, secrets, *pump.written) == lost + 5
        assert sales.verify(conn, secrets) == []
    with database.read(engine) as conn:
        assert conn.execute(text("SELECT count(*) FROM records WHERE trusted = 0")).scalar() == 1


def test_a_record_with_a_wrong_mac_is_admitted_by_a_person_only(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """A board whose journal key was lost: nothing is acknowledged until a person decides, then the queue moves."""
    head = len(pump.written)
    stranger = PumpJournal(b"s" * 32, seq=head, mac=pump.mac, total_ml=pump.total_ml)
    stranger.write(records.TAMPER, (1, 1, 0))
    with database.write(engine) as conn:
        for _ in range(3):
            assert send(conn, secrets, *stranger.written) == head
        (kept,) = sales.quarantine(conn, undecided_only=True)
        assert (kept.reason, kept.times, kept.seq) == (reasons.BAD_MAC, 3, head + 1)
        assert sales.admit(conn, secrets, 257, head + 1, "王芳", "board exchanged", NOW) == head + 1
        assert sales.quarantine_count(conn, undecided_only=True) == 0
        assert sales.verify(conn, secrets) == []


def test_two_people_end_a_sale_whose_board_is_gone(engine: Engine, secrets: Secrets) -> None:
    """PURSE.md: open(sale) of a device that is gone for good."""
    pump, card = PumpJournal(secrets.device(258).journal, 258), TestCard()
    seq = pump.start(card, 20_001)
    pump.reserved((258, seq), card, 20_001)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written, pump="p2")
        for by, fen, ml, why in (
            (("王芳", "王芳"), 7_560, 10_000, "gone"),
            (("王芳", "李强"), 7_561, 10_000, "gone"),
            (("王芳", "李强"), 7_560, 10_000, ""),
            (("王芳", "李强"), 0, -1, "gone"),
        ):
            with pytest.raises(ValueError):
                sales.accept_end(conn, 258, seq, fen, ml, by, why, NOW)
        sales.accept_end(conn, 258, seq, 7_560, 10_000, ("王芳", "李强"), "board stolen", NOW)
        known = sales.unfinished(conn, 258, seq)
        assert known is not None and known.amount_fen == 7_560
        card.fen += 20_001 - 7_560
        sales.settled_at_desk(conn, 258, seq, card.uid.hex(), 1, 20_001, 7_560, card.fen, "王芳", NOW)
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        assert sales.money_invariant(conn).holds
        assert sales.unfinished_of(conn, card.number) == []
        assert sales.verify(conn, secrets) == ledger.verify(conn) == []


def test_a_load_seen_on_the_card_before_the_desk_confirmed_it_waits_and_does_not_alarm(
    engine: Engine, secrets: Secrets
) -> None:
    """C6: the card tore away after its commit; the next pump sees the loaded purse first."""
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    with database.write(engine) as conn:
        issue(conn, TestCard())
        paid = ledger.Transfer(ledger.cash("desk"), ledger.pending(card.number), 5_000)
        ledger.post(conn, "load:torn", T0, [paid])
        card.fen += 5_000
        pump.sale(card, 1_000)
        send(conn, secrets, *pump.written)
        seen = sales.shadow(conn, card.number)
        assert seen is not None and seen.state == "waiting"
        assert sales.money_invariant(conn).holds
        loaded = ledger.Transfer(ledger.pending(card.number), ledger.purse(card.number), 5_000)
        ledger.post(conn, "loaded:torn", T0, [loaded])
        seen = sales.shadow(conn, card.number)
        assert seen is not None and seen.state == "agrees"
