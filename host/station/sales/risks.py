"""What a batch tells the risk rules: sales that ended in it, and refusals. Judged in the batch's own transaction."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from pump.core import records
from pump.core.records import TIME_SYNCED as SYNCED
from station import forecourt, risk
from station.sales import tables
from station.sales.chain import Proven
from station.sales.facts import Facts

NOBODY = bytes(8)  # the card number of a refusal before the card was read


def observe(
    conn: Connection, ended: Sequence[Facts], proven: Sequence[Proven], pumps: Mapping[int, forecourt.Pump], now: int
) -> None:
    """Hands on what happened. What the rules find waits in risk's own book; cards are blocked by who looks there."""
    stations = {device: pump.station for device, pump in pumps.items()}
    tanks = risk.tanks(conn, {sale.plate for sale in ended if sale.plate})
    known: dict[str, risk.Subject] = {}
    events = [_refusal(record, stations) for record in proven if record.kind == records.REFUSAL]
    timed = {_sale_of(record) for record in proven if record.kind == records.END and record.quality == SYNCED}
    for sale in ended:
        if sale.card_no is not None:
            known[sale.card_no] = risk.Subject(sale.card_kind or 0, tanks.get(sale.plate or "", 0))
            event = _sale(sale, sale.card_no, stations)
            # A clock that was not set proves neither an overlap nor a journey.
            events.append(event if sale.id in timed else event._replace(since=event.at, station=""))
    risk.observe(conn, [event for event in events if event.card_no], known, now)


def _sale_of(end: Proven) -> int:
    return tables.record_id(end.device, end.body[0])


def _sale(sale: Facts, card_no: str, stations: Mapping[int, str]) -> risk.Event:
    device, at = sale.id >> tables.SEQ_BITS, sale.ended or 0
    return risk.Event(
        risk.SALE,
        at,
        card_no,
        stations.get(device, ""),
        device,
        sale.started or at - (sale.duration_s or 0),
        sale.amount_fen or 0,
        sale.volume_ml or 0,
        sale.odometer_km or 0,
        ref=sale.id,
    )


def _refusal(record: Proven, stations: Mapping[int, str]) -> risk.Event:
    _, card_no, code, *_ = record.body
    name = "" if card_no == NOBODY else card_no.hex()
    station = stations.get(record.device, "")
    return risk.Event(risk.REFUSAL, record.at, name, station, record.device, code=code, ref=record.id)
