"""Head office: stations join, report, and are told what the others did (O7, C13, N3).

A report may come twice, late or after days: records are known by device and sequence, events by the station's number
for them, moves by the sale or load they are of.
"""

import base64
import hashlib
import hmac
import secrets as random_source
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, insert, select, update

from station import cards, forecourt, ledger, sales
from station.ledger import Transfer
from station.network import moves, talk
from station.network.tables import card_news, members
from station.platform import audit
from station.platform.secrets import Secrets
from station.platform.settings import NozzleSettings, PumpSettings

_ALWAYS = (1 << 40) - 1  # there is no other station


class MemberError(ValueError):
    """What a station asked or told cannot be; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Member:
    """A station that reports here. heard_at: Unix seconds, None before the first time."""

    station: str
    station_no: int
    joined_at: int
    heard_at: int | None
    event: int


def join(conn: Connection, station: str, station_no: int, by: str, now: int) -> str:
    """Takes a station in, or gives one a new token; the token, shown once. Raises MemberError."""
    if not station.strip() or not 1 <= station_no <= 65_535:
        raise MemberError("站名或站号不正确 no such station name or number")
    for known in listing(conn):
        if (known.station == station) != (known.station_no == station_no):
            raise MemberError("站名或站号已被占用 the name or number belongs to another station")
    token = random_source.token_urlsafe(32)
    row = {"station": station, "station_no": station_no, "token": _digest(token), "joined_at": now}
    if member_named(conn, station) is None:
        conn.execute(insert(members), row)
    else:
        conn.execute(update(members).where(members.c.station == station).values(token=row["token"]))
    audit.record(conn, now, by, "network.join", station, {}, {"station_no": station_no})
    return token


def listing(conn: Connection) -> list[Member]:
    """The stations that report here, by number."""
    m = members.c
    query = select(m.station, m.station_no, m.joined_at, m.heard_at, m.event).order_by(m.station_no)
    return [Member(*row) for row in conn.execute(query)]


def member_named(conn: Connection, station: str) -> Member | None:
    return next((found for found in listing(conn) if found.station == station), None)


def who(conn: Connection, token: str) -> Member | None:
    """The station that a token proves."""
    digest = _digest(token)
    for row in conn.execute(select(members.c.station, members.c.token)):
        if hmac.compare_digest(bytes(row.token), digest):
            return member_named(conn, row.station)
    return None


def take(conn: Connection, secrets: Secrets, station: Member, report: talk.Report, now: int) -> talk.Answer:
    """Takes a report into head office's books and says what the station has not heard; one writing transaction."""
    wanted = _take_pumps(conn, secrets, station, report)
    _take_records(conn, secrets, station, report, now)
    event = _take_events(conn, station, report, now)
    heard = {"heard_at": now, "event": event} | ({"whole_at": now} if report.whole else {})
    conn.execute(update(members).where(members.c.station == station.station).values(**heard))
    sales.others_heard(conn, _whole_upto(conn, ""))
    return _answer(conn, station, report, wanted, event)


def _take_pumps(conn: Connection, secrets: Secrets, station: Member, report: talk.Report) -> list[int]:
    """Registers the station's pumps; the devices whose keys are not known yet."""
    if not report.pumps:
        return []
    if any(forecourt.station_of(pump.device) != station.station_no for pump in report.pumps):
        raise MemberError("设备号不属于该站 a device belongs to another station")
    for pump in report.pumps:
        if pump.key and not secrets.knows(pump.device):
            secrets.adopt(pump.device, bytes.fromhex(pump.key))
    told = [
        PumpSettings(
            pump=pump.pump,
            number=pump.device & 0xFF,
            mode=pump.mode,
            nozzles=tuple(NozzleSettings(grade=n.grade, pulses_per_l=n.pulses_per_l) for n in pump.nozzles),
        )
        for pump in report.pumps
    ]
    forecourt.register_pumps(conn, station.station, station.station_no, told)
    return [pump.device for pump in report.pumps if not secrets.knows(pump.device)]


def _take_records(conn: Connection, secrets: Secrets, station: Member, report: talk.Report, now: int) -> None:
    mine = {pump.pump: pump.device for pump in forecourt.pumps(conn) if pump.station == station.station}
    known = {name: raw for name, raw in report.records.items() if name in mine and secrets.knows(mine[name])}
    before = sales.heads(conn)
    batches = [
        sales.Batch(station.station, name, raw[at : at + sales.BATCH_BYTES])
        for name, encoded in known.items()
        for raw in [base64.b64decode(encoded, validate=True)]
        for at in range(0, len(raw), sales.BATCH_BYTES)
    ]
    sales.ingest(conn, secrets, batches, now)
    after = sales.heads(conn)
    ranges = {mine[name]: (before.get(mine[name], 0), after.get(mine[name], 0)) for name in known}
    moves.keep(conn, moves.sales_abroad(conn, sales.finished(conn, ranges)))


def _take_events(conn: Connection, station: Member, report: talk.Report, now: int) -> int:
    """The number of the station's last event that is taken."""
    last = station.event
    seen = {one.card_no: one for one in report.sightings}
    for told in sorted(report.events, key=lambda event: event.event):
        if told.event <= last:
            continue
        last = told.event
        card_no = str(told.card.get("card_no", ""))
        home = cards.home_of(cards.parse(card_no))
        if cards.learn(conn, told.card, now, from_home=home == station.station_no, guest=False):
            conn.execute(insert(card_news), {"card_no": card_no, "station_no": station.station_no})
        if told.loaded_fen:
            _take_load(conn, station, home, told, seen.get(card_no))
    for one in report.sightings:
        known = sales.shadow(conn, one.card_no)
        if known is None or one.at >= (known.seen_at or 0):  # two desks may see one counter: the later one counts
            sales.observe(conn, one.card_no, one.counter, one.fen, one.at)
    return last


def _take_load(conn: Connection, station: Member, home: int, told: talk.EventTold, seen: talk.Sighting | None) -> None:
    card_no = str(told.card["card_no"])
    line = Transfer(ledger.held(station.station_no), ledger.purse(card_no), told.loaded_fen)
    ledger.post(conn, f"load:{station.station_no}:{told.event}", told.at, [line])
    if home != station.station_no:
        counter, fen = (seen.counter, seen.fen) if seen else (0, None)
        place = station.station_no
        move = moves.Move(moves.LOAD, place, home, told.event, card_no, told.loaded_fen, counter, fen, told.at)
        moves.keep(conn, [move])


def _answer(conn: Connection, station: Member, report: talk.Report, wanted: list[int], event: int) -> talk.Answer:
    n = card_news.c
    query = select(n.number, n.card_no).where(n.number > report.have_cards, n.station_no != station.station_no)
    news = conn.execute(query.order_by(n.number).limit(talk.CARDS)).all()
    mine = {pump.device for pump in forecourt.pumps(conn) if pump.station == station.station}
    prices = [tariff for tariff in forecourt.tariffs(conn) if tariff.version > report.have_tariffs]
    return talk.Answer(
        heads={device: seq for device, seq in sales.heads(conn).items() if device in mine},
        wanted=wanted,
        event=event,
        cards=cards.told(conn, sorted({row.card_no for row in news})),
        cards_upto=news[-1].number if news else report.have_cards,
        moves=[asdict(move) for move in moves.since(conn, station.station_no, report.have_moves, talk.MOVES)],
        tariffs=[
            talk.TariffTold(version=t.version, effective=t.effective, prices=dict(t.prices)) for t in reversed(prices)
        ],
        others_upto=_whole_upto(conn, station.station),
    )


def _whole_upto(conn: Connection, beside: str) -> int:
    """Up to when every station but that one has told everything."""
    m = members.c
    found = conn.execute(select(func.min(m.whole_at)).where(m.station != beside)).scalar()
    return _ALWAYS if found is None else int(found)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
