"""A station that reports to head office: what to say next, and what to make of the answer (N3).

Reading and writing are two transactions with the line between them; whatever breaks, the next exchange begins from what
was committed. Cut off, a station sells on from what it knows.
"""

import base64
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, select

from station import cards, forecourt, sales
from station.network import moves, talk
from station.network.tables import cursors
from station.platform import database
from station.platform.bulk import upsert_rows
from station.platform.secrets import Secrets

Exchange = Callable[[talk.Report], talk.Answer]
BY = "head office"
_EVENT, _CARDS, _MOVES, _TARIFFS, _TOLD = "event", "cards", "moves", "tariffs", "told"


def step(engine: Engine, secrets: Secrets, station: str, station_no: int, exchange: Exchange, now: int) -> bool:
    """One exchange; True if there is more to say. What `exchange` raises is passed on, and nothing is lost by it."""
    with database.read(engine) as conn:
        report, more = _report(conn, secrets, station)
    answer = exchange(report)
    with database.write(engine) as conn:
        heard = _take(conn, station_no, answer, now)
    return more or heard or bool(answer.wanted)


def lag(conn: Connection, station: str) -> int:
    """How many records of this station head office has not said to have."""
    known = _cursors(conn)
    heads, mine = sales.heads(conn), {p.device for p in forecourt.pumps(conn) if p.station == station}
    return sum(seq - known.get(_head(device), 0) for device, seq in heads.items() if device in mine)


def last_contact(conn: Connection) -> int | None:
    """When head office last answered, Unix seconds; None: never."""
    return _cursors(conn).get(_TOLD)


def _report(conn: Connection, secrets: Secrets, station: str) -> tuple[talk.Report, bool]:
    known = _cursors(conn)
    pumps = [pump for pump in forecourt.pumps(conn) if pump.station == station]
    records: dict[str, str] = {}
    room = talk.RECORDS
    for pump in pumps:
        head = known.get(_head(pump.device))
        if head is None or not room:
            continue  # head office has not said yet how far it got
        raws = sales.records_after(conn, pump.device, head, room)
        room -= len(raws)
        if raws:
            records[pump.pump] = base64.b64encode(b"".join(raws)).decode()
    news = cards.news_since(conn, known.get(_EVENT, 0), talk.EVENTS)
    more = not room or len(news) == talk.EVENTS
    report = talk.Report(
        whole=not more,
        pumps=[_told(pump, secrets, known) for pump in pumps],
        records=records,
        events=[
            talk.EventTold(event=one.event, at=one.at, loaded_fen=one.loaded_fen, card=dict(one.card)) for one in news
        ],
        sightings=_sightings(conn, news),
        have_cards=known.get(_CARDS, 0),
        have_moves=known.get(_MOVES, 0),
        have_tariffs=known.get(_TARIFFS, 0),
    )
    return report, more


def _told(pump: forecourt.Pump, secrets: Secrets, known: dict[str, int]) -> talk.PumpTold:
    nozzles = [talk.Nozzle(grade=n.grade, pulses_per_l=n.pulses_per_l) for n in pump.nozzles]
    key = secrets.device(pump.device).journal.hex() if _wanted(pump.device) in known else ""
    return talk.PumpTold(device=pump.device, pump=pump.pump, mode=pump.mode, nozzles=nozzles, key=key)


def _sightings(conn: Connection, news: list[cards.News]) -> list[talk.Sighting]:
    """The purses as last seen of the cards that something happened to, once all their events are told."""
    loaded = sorted({str(one.card["card_no"]) for one in news if one.loaded_fen})
    if not loaded or len(news) == talk.EVENTS:
        return []
    return [
        talk.Sighting(card_no=seen.card_no, counter=seen.counter, fen=seen.seen_fen, at=seen.seen_at)
        for seen in sales.shadows(conn, loaded)
        if seen.by_desk and seen.seen_fen is not None and seen.seen_at is not None
    ]


def _take(conn: Connection, station_no: int, answer: talk.Answer, now: int) -> bool:
    """Applies an answer; True if there may be more to hear."""
    known = _cursors(conn)
    for card in answer.cards:
        home = cards.home_of(str(card["card_no"]))
        cards.learn(conn, card, now, from_home=home != station_no, guest=home != station_no)
    upto = known.get(_MOVES, 0)
    for told in answer.moves:
        move = moves.Move(**told)
        if move.number > upto:
            moves.post(conn, station_no, move, now)
            upto = move.number
    version = known.get(_TARIFFS, 0)
    for tariff in answer.tariffs:
        if tariff.version > version:
            forecourt.set_tariff(conn, tariff.prices, tariff.effective, f"{BY} {tariff.version}", now)
            version = tariff.version
    fresh: dict[str, Any] = {_head(device): seq for device, seq in answer.heads.items()}
    devices = [pump.device for pump in forecourt.pumps(conn)]
    fresh |= {_head(device): 0 for device in devices if device not in answer.heads and device not in answer.wanted}
    fresh |= {_wanted(device): 1 for device in answer.wanted}
    sales.others_heard(conn, answer.others_upto)
    fresh |= {_EVENT: answer.event, _CARDS: answer.cards_upto, _MOVES: upto, _TARIFFS: version, _TOLD: now}
    more = any(fresh[name] != known.get(name) for name in fresh if name != _TOLD)
    upsert_rows(conn, cursors, list(fresh.items()))
    return more


def _cursors(conn: Connection) -> dict[str, int]:
    return {row.name: row.value for row in conn.execute(select(cursors))}


def _head(device: int) -> str:
    return f"head:{device}"


def _wanted(device: int) -> str:
    return f"wanted:{device}"
