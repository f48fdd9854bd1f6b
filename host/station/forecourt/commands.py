"""Commands to pumps: kept until their board has answered, sent again until then or until they are too old to obey."""

import re
import secrets as random_source
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Integer, Table, Text, insert, select, update

from station.forecourt.pumps import pump_of_device, pumps_table
from station.platform.database import STRICT, BigInt, metadata

DO = ("lock", "unlock", "stop")
_TRACE = re.compile(r"trace:[1-9][0-9]{0,9}")  # forecourt.ask_timeline
RESEND_S = 5
VALID_S = 60  # an order that could not be given within a minute is dropped, not obeyed late

commands_table = Table(
    "commands",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device", BigInt, nullable=False),
    Column("boot", BigInt, nullable=False),
    Column("do", Text, nullable=False),
    Column("made", BigInt, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("sent", BigInt),
    Column("done", BigInt),
    Column("ok", Integer),
    Column("why", Text),
    **STRICT,
)


@dataclass(frozen=True, slots=True)
class Command:
    """One command; boot is the start of the board it is meant for."""

    id: str
    station: str
    pump: str
    boot: int
    do: str


def give_command(conn: Connection, device: int, do: str, by: str, now: int) -> str:
    """Gives a command; returns its id. Raises ValueError if the pump is unknown, offline or the command is none."""
    pump = pump_of_device(conn, device)
    if pump is None or not (do in DO or _TRACE.fullmatch(do)):
        raise ValueError(f"未知油机或命令 unknown pump or command: {device} {do}")
    if not pump.state.get("online"):
        raise ValueError(f"{pump.pump} 离线，命令无法送达 the pump is offline")
    name = random_source.token_hex(4)
    row = {"id": name, "device": device, "boot": int(pump.state.get("boot", 0)), "do": do, "made": now, "made_by": by}
    conn.execute(insert(commands_table).values(row))
    return name


def commands_due(conn: Connection, now: int) -> list[Command]:
    """Commands to be sent now; they count as sent."""
    c = commands_table.c
    due = conn.execute(
        select(c.id, c.device, c.boot, c.do, pumps_table.c.station, pumps_table.c.pump)
        .join_from(commands_table, pumps_table, pumps_table.c.device == c.device)
        .where(c.done.is_(None), c.made > now - VALID_S, (c.sent.is_(None)) | (c.sent <= now - RESEND_S))
        .order_by(c.made, c.id)
    ).all()
    for row in due:
        conn.execute(update(commands_table).where(c.id == row.id).values(sent=now))
    return [Command(row.id, row.station, row.pump, row.boot, row.do) for row in due]


def command_done(conn: Connection, device: int, name: str, ok: bool, why: str, now: int) -> None:
    """Notes a pump's answer; an answer to no command of ours changes nothing."""
    c = commands_table.c
    mine = update(commands_table).where(c.id == name, c.device == device, c.done.is_(None))
    conn.execute(mine.values(done=now, ok=int(ok), why=why))
