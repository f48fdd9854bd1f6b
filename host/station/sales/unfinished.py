"""Sales whose card left before the settlement: what the host can say to a pump or the desk that meets the card."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from pump.core import codes, money, records
from station.sales import facts, tables
from station.sales.decisions import decide
from station.sales.facts import Facts


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A reserved sale without settlement. amount_fen is None while the end is not known here."""

    device: int
    seq: int
    card_no: str | None
    uid: str | None
    counter: int | None
    reserved_fen: int
    amount_fen: int | None
    volume_ml: int | None
    grade: int | None
    price_fen_per_l: int | None
    reason: int | None


def unfinished(conn: Connection, device: int, seq: int) -> Unfinished | None:
    """What is known of a sale that a card holds open; None if the host knows nothing of it.

    Also answers for sales already settled or voided in the books: the card decides whether it is still open.
    """
    sale = _load(conn, tables.record_id(device, seq))
    return _unfinished(sale) if sale else None


def unfinished_of(conn: Connection, card_no: str) -> list[Unfinished]:
    """All sales of a card that are reserved and not settled."""
    s = tables.sales.c
    query = (
        select(tables.sales).where(s.card_no == card_no, s.is_reserved == 1, s.settled.is_(None)).order_by(s.counter)
    )
    return [_unfinished(Facts(*row)) for row in conn.execute(query)]


def accept_end(
    conn: Connection, device: int, seq: int, amount_fen: int, volume_ml: int, by: tuple[str, str], why: str, at: int
) -> None:
    """Two people end a sale whose pump is gone for good, from its last telemetry. The posting follows at once.

    Raises ValueError (Chinese, then English) if the sale is unknown or ended, amounts are impossible, or `by` is one
    person.
    """
    sale = _load(conn, tables.record_id(device, seq))
    if sale is None or not sale.is_reserved or sale.ended is not None or sale.reserved_fen is None:
        raise ValueError("该交易不存在、未预扣或已结束 the sale is unknown, not reserved or ended already")
    if sale.grade is None or sale.price_fen_per_l is None:
        raise ValueError("缺少油品与单价记录 its start record is not in: grade and price are unknown")
    if len({name.strip() for name in by} - {""}) < 2 or not why.strip():
        raise ValueError("须两名不同的人并写明原因 two different people and a reason are needed")
    right = min(money.amount_fen(max(0, volume_ml), sale.price_fen_per_l), sale.reserved_fen - 1)
    if volume_ml < 0 or amount_fen != right:
        raise ValueError(f"金额与油量不符，应为 {right} 分 the amount does not fit the volume: {right} fen")
    if sale.amount_fen is not None and sale.amount_fen != amount_fen:
        raise ValueError(f"该卡已按 {sale.amount_fen} 分结算 the card was settled with {sale.amount_fen} fen")
    decided = {"ended": at, "amount_fen": amount_fen, "volume_ml": volume_ml, "reason": codes.STOP_POWER}
    decide(conn, sale.id, "end", decided, " + ".join(by), why, at)


def settled_at_desk(
    conn: Connection,
    device: int,
    seq: int,
    uid: str,
    counter: int,
    reserved_fen: int,
    amount_fen: int,
    balance_fen: int,
    by: str,
    at: int,
) -> None:
    """The desk settled this sale on the card: amount_fen stays with the station, the rest went back.

    Call it once the card has committed; balance_fen is what the card then held. Raises ValueError if it contradicts
    what the records say of the sale.
    """
    body = (device, seq, bytes.fromhex(uid), counter, reserved_fen, amount_fen, reserved_fen - amount_fen, balance_fen)
    identity = tables.record_id(device, seq)
    probe = _load(conn, identity) or Facts(identity)
    fault = facts.settled(probe, (*body, records.HOW_DESK), at, 0)
    if fault:
        raise ValueError(f"与已有记录矛盾 this contradicts the records of the sale ({fault})")
    names = (
        "uid",
        "counter",
        "reserved_fen",
        "amount_fen",
        "returned_fen",
        "is_reserved",
        "settled",
        "settled_by",
        "balance_fen",
        "how",
    )
    decide(conn, identity, "settled", {name: getattr(probe, name) for name in names}, by, "desk", at)


def _load(conn: Connection, identity: int) -> Facts | None:
    row = conn.execute(select(tables.sales).where(tables.sales.c.id == identity)).first()
    return Facts(*row) if row else None


def _unfinished(sale: Facts) -> Unfinished:
    device, seq = tables.split_id(sale.id)
    return Unfinished(
        device,
        seq,
        sale.card_no,
        sale.uid,
        sale.counter,
        sale.reserved_fen or 0,
        sale.amount_fen,
        sale.volume_ml,
        sale.grade,
        sale.price_fen_per_l,
        sale.reason,
    )
