"""`make seed-data`: a believable past through the real code, the same for the same seed."""

import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from pump.core import codes, records
from station import cards, fleets, forecourt, sales, wetstock
from station.platform import database
from station.platform.database import metadata
from station.platform.secrets import Secrets
from station.sales import tables
from tools import seed_data
from tools.journals import Card, Fill, Journal

UNTIL, DAYS, FILLS = date(2026, 10, 4), 6, 18  # with a first of the month and a national holiday in it
# Sealed with a nonce of its own each time, and chained over what is.
SEALED = {"card_customers": {"document", "phone"}}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return live(tmp_path_factory.mktemp("seeded"), 7)


def live(directory: Path, seed: int) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.delenv("DATABASE_URL", raising=False)
        seed_data.seed_data(directory / "var", seed, UNTIL, DAYS, FILLS)
    return directory / "var"


def opened(data_dir: Path) -> Engine:
    return database.open_engine(f"sqlite:///{data_dir / 'station.db'}")


def content(data_dir: Path) -> dict[str, list[Any]]:
    """All rows of all tables, less what is sealed."""
    engine = opened(data_dir)
    with database.read(engine) as conn:
        rows = {
            name: sorted(
                repr(tuple(row))
                for row in conn.execute(select(*(c for c in table.c if c.name not in SEALED.get(name, ()))))
            )
            for name, table in metadata.tables.items()
        }
    engine.dispose()
    return rows


def test_the_same_seed_gives_the_same_database(seeded: Path, tmp_path: Path) -> None:
    """With the same keys, record for record and posting for posting; another seed gives another past."""
    for name in ("again", "other"):
        (tmp_path / name / "var").mkdir(parents=True)
        shutil.copy(seeded / "secrets.json", tmp_path / name / "var" / "secrets.json")
    first = content(seeded)
    assert content(live(tmp_path / "again", 7)) == first
    other = content(live(tmp_path / "other", 8))
    assert other["sales"] != first["sales"] and other["records"] != first["records"]


def test_the_past_stands_up_to_the_stations_own_proof(seeded: Path) -> None:
    """Chains, postings, roll-ups, shadows, leases and totalizers agree; nothing lies in quarantine."""
    engine = opened(seeded)
    secrets = Secrets.load(seeded / "secrets.json")
    with database.read(engine) as conn:
        assert sales.verify(conn, secrets) == []
        assert sales.money_invariant(conn).holds
        assert sales.quarantine_count(conn) == 0 and sales.gaps(conn) == []
    engine.dispose()


def test_the_past_has_what_reports_need(seeded: Path) -> None:
    engine = opened(seeded)
    with database.read(engine) as conn:
        number = sales.recent_count(conn)
        assert 0.6 * FILLS * DAYS < number < 1.6 * FILLS * DAYS
        shifts = sales.periods(conn, limit=1000)
        assert len([shift for shift in shifts if shift.agrees]) >= 3 * (DAYS - 1) * len(forecourt.pumps(conn))
        assert all(shift.agrees is not False for shift in shifts)
        kinds = {kind for kind, _ in cards.counts(conn)}
        assert {1, 3, 4} <= kinds
        assert all(tank.gauge_ml is not None and tank.state in ("ok", "low") for tank in wetstock.tanks(conn))
        assert any(fleets.statements(conn, company.account) for company in fleets.companies(conn))
        kept = set(conn.execute(select(tables.records.c.kind).distinct()).scalars())
        assert {records.START, records.SETTLED, records.SHIFT} <= kept
        grades = {row.grade for row in sales.hourly(conn, 0, 2**31)}
        assert {codes.GRADE_92, codes.GRADE_95, codes.GRADE_DIESEL} <= grades
    engine.dispose()


def test_a_station_with_sales_is_left_alone(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = content(seeded)
    assert seed_data.main(["--days", "1", "--data-dir", str(seeded)]) == 1
    assert "已有交易" in capsys.readouterr().err
    assert content(seeded) == before


def test_the_last_line_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    told = ["--days", "1", "--fills", "5", "--until", "2026-05-02", "--data-dir", str(tmp_path / "var")]
    assert seed_data.main(told) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert figures["invariant_holds"] is True and {"sales", "seconds", "sales_per_s"} <= set(figures)


@examples(max_examples=50, deadline=None)
@given(
    volume_ml=st.integers(1, 200_000), price=st.integers(1, 2_000), reserved_fen=st.integers(2, 500_000),
    km=st.integers(0, 2**31), key=st.binary(min_size=32, max_size=32),
)  # fmt: skip
def test_imagined_journals_are_the_boards_to_the_byte(
    volume_ml: int, price: int, reserved_fen: int, km: int, key: bytes
) -> None:
    journal = Journal(key, 257, 1_790_000_000)
    fill = Fill(1_790_000_100, 60, volume_ml, 1, 1, price, 1, reserved_fen, odometer_km=km)
    raw = journal.sale(Card(bytes(7), bytes(8), 10**6), fill)
    mac = records.CHAIN_START
    for at in range(0, len(raw), records.SIZE):
        one = raw[at : at + records.SIZE]
        kind, quality, device, seq, boot, uptime_s, wall_s = records.header(one)
        fields = records.body(one)
        assert one == records.build(key, mac, kind, device, seq, boot, uptime_s, wall_s, quality, fields)
        mac = one[records.MAC_AT : records.CRC_AT]
