"""Pulse timelines fetched from the pumps (D30): asked for by command, kept page by page as the pump wrote them."""

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, select

from pump.core import trace
from station.forecourt.commands import give_command
from station.forecourt.pulses import Timeline, assemble, read_page
from station.platform.bulk import upsert_rows
from station.platform.database import STRICT, BigInt, metadata

timelines_table = Table(
    "timeline_pages",
    metadata,
    Column("device", BigInt, primary_key=True, autoincrement=False),
    Column("sale_seq", BigInt, primary_key=True, autoincrement=False),
    Column("page", Integer, primary_key=True, autoincrement=False),
    Column("received", BigInt, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    **STRICT,
)


def ask_timeline(conn: Connection, device: int, sale_seq: int, by: str, now: int) -> str:
    """Asks the pump for the timeline of one of its sales; returns the command's id. ValueError as give_command."""
    return give_command(conn, device, f"trace:{sale_seq}", by, now)


def keep_timeline(conn: Connection, device: int, payload: bytes, now: int) -> int:
    """Keeps the pages of one message, each once; returns their number. ValueError, and nothing is kept, for a payload
    that is not whole pages."""
    if not payload or len(payload) % trace.PAGE:
        raise ValueError(f"{len(payload)} bytes")
    rows = []
    for at in range(0, len(payload), trace.PAGE):
        raw = payload[at : at + trace.PAGE]
        page = read_page(raw)
        rows.append((device, page.sale, page.number, now, raw))
    upsert_rows(conn, timelines_table, rows)
    return len(rows)


def timeline(conn: Connection, device: int, sale_seq: int) -> Timeline | None:
    """What the station has of a sale's timeline; None: nothing has come yet."""
    t = timelines_table.c
    mine = (t.device == device, t.sale_seq == sale_seq)
    pages = [bytes(raw) for (raw,) in conn.execute(select(t.raw).where(*mine).order_by(t.page))]
    return assemble(sale_seq, pages) if pages else None


def is_gone(found: Timeline) -> bool:
    """The pump has answered that it keeps nothing of this sale."""
    return not found.pages
