"""Does all that the station says follow from the records? Read-only; everything is made anew and compared.

Holds one row per sale in memory.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, select

from pump.core import records
from station import accounts, forecourt, ledger
from station.ledger import Finding
from station.platform.clock import hour_of
from station.platform.secrets import Secrets
from station.sales import facts, intake, isolation, outside, reasons, shadowing, tables
from station.sales.chain import Proven, body_of, mac_of
from station.sales.decisions import decided
from station.sales.facts import Facts
from station.sales.invariant import money_invariant


def verify(conn: Connection, secrets: Secrets) -> list[Finding]:
    """Chains intact, sales and postings follow from the records, roll-ups and invariant hold. Empty: all is well."""
    return [
        *_chains(conn, secrets),
        *_sales(conn),
        *_hours(conn),
        *_cards(conn),
        *_leases(conn),
        *outside.totalizers(conn),
    ]


def _chains(conn: Connection, secrets: Secrets) -> Iterator[Finding]:
    j = tables.journals.c
    for head in conn.execute(select(j.device, j.seq, j.mac).order_by(j.device)).all():
        expected, mac, seq = mac_of(secrets.device(head.device).journal), records.CHAIN_START, 0
        for identity, trusted, raw in _records_of(conn, head.device):
            place = "{}/{}".format(*tables.split_id(identity))
            if not records.is_whole(raw) or tables.record_id(*records.header(raw)[2:4]) != identity:
                yield Finding("chain", f"{place} 记录损坏 the record is damaged")
            elif trusted and tables.split_id(identity)[1] != seq + 1:
                yield Finding("chain", f"{place} 之前缺少记录 {seq + 1} record {seq + 1} is missing before it")
            elif trusted and expected(mac, raw) != raw[records.MAC_AT : records.CRC_AT]:
                yield Finding("chain", f"{place} 校验链断裂 the record does not continue the chain")
            seq, mac = tables.split_id(identity)[1], raw[records.MAC_AT : records.CRC_AT]
        if (seq, mac) != (head.seq, bytes(head.mac)):
            yield Finding("chain", f"{head.device} 链头 {head.seq} 与最后一条 {seq} 不符 head and last record differ")


def _records_of(conn: Connection, device: int) -> Iterator[tuple[int, int, bytes]]:
    r = tables.records.c
    first, last = tables.record_id(device, 0), tables.record_id(device + 1, 0)
    query = select(r.id, r.trusted, r.raw).where(r.id >= first, r.id < last).order_by(r.id)
    for row in conn.execute(query.execution_options(yield_per=1000)):
        yield row.id, row.trusted, bytes(row.raw)


def _sales(conn: Connection) -> Iterator[Finding]:
    made = _remade(conn)
    doubtful = _doubtful(conn)
    kept = {row[0]: Facts(*row) for row in conn.execute(select(tables.sales)).all()}
    wanted: dict[str, ledger.Entry] = {}
    for identity in sorted(set(made) | set(kept)):
        place = "{}/{}".format(*tables.split_id(identity))
        if identity not in kept or (identity in made and made[identity] != kept[identity]):
            if identity not in doubtful:
                yield Finding("sales", f"交易 {place} 与其记录不符 the sale is not what its records say")
        elif identity not in made:
            yield Finding("sales", f"交易 {place} 没有记录 the sale has no record")
    for sale in kept.values():
        wanted.update((entry.key, entry) for entry in intake.entries(sale, (False,) * 4, facts.stage(sale)))
    posted = dict(ledger.posted_by_prefix(conn, ("reserve:", "fuel:", "litres:", "settle:")))
    for key in sorted(set(wanted) | set(posted)):
        if key not in posted or key not in wanted or posted[key] != wanted[key].transfer:
            yield Finding("postings", f"分录 {key} 与交易不符 the posting is not what the sale says")


def _remade(conn: Connection) -> dict[int, Facts]:
    made: dict[int, Facts] = {}
    # Decisions first: of two reports of one settlement the merge keeps the more direct one, whichever comes first.
    for decided_id, content in decided(conn):
        sale = made.setdefault(decided_id, Facts(decided_id))
        for name, value in content.items():
            setattr(sale, name, value)
    r = tables.records.c
    kinds = (records.START, records.RESERVED, records.END, records.SETTLED, records.VOID)
    query = select(r.id, r.kind, r.quality, r.at, r.raw).where(r.kind.in_(kinds)).order_by(r.id)
    for row in conn.execute(query.execution_options(yield_per=1000)):
        device, seq = tables.split_id(row.id)
        raw = bytes(row.raw)
        record = Proven(row.id, device, seq, row.kind, row.quality, row.at, raw, body_of(row.kind, raw))
        identity = isolation.sale_id(record.kind, record.device, record.seq, record.body)
        if identity is not None:
            sale = made.get(identity) or Facts(identity)
            if intake.merge(sale, record) is None:
                made[identity] = sale
    shadowing.name_cards(conn, made.values())
    intake.name_accounts(conn, made.values())
    shadowing.settle_passed(conn, made.values())
    return made


def _doubtful(conn: Connection) -> set[int]:
    """Sales with contradictory records: which of them counts depends on which came first."""
    return set(isolation.records_with(conn, reasons.CONTRADICTION))


def _leases(conn: Connection) -> list[Finding]:
    """Sales on account stand on the leases they were made under."""
    s = tables.sales.c
    query = select(s.lease, func.count(), func.count(s.ended), func.sum(s.amount_fen)).where(s.lease > 0)
    used = {row[0]: (int(row[1]), int(row[2]), int(row[3] or 0)) for row in conn.execute(query.group_by(s.lease))}
    return accounts.verify(conn, used)


def _hours(conn: Connection) -> Iterator[Finding]:
    stations = {pump.device: pump.station for pump in forecourt.pumps(conn)}
    sums: defaultdict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    s = tables.sales.c
    query: Select[Any] = select(s.id, s.grade, s.ended, s.volume_ml, s.amount_fen).where(s.ended.is_not(None))
    for row in conn.execute(query):
        if row.volume_ml and row.grade is not None:
            hour = sums[stations.get(tables.split_id(row.id)[0], ""), row.grade, hour_of(row.ended)]
            for at, value in enumerate((1, row.volume_ml, row.amount_fen or 0)):
                hour[at] += value
    kept = {tuple(row[:3]): list(row[3:]) for row in conn.execute(select(tables.hours)).all()}
    for key in sorted(set(sums) | set(kept)):
        if sums.get(key) != kept.get(key):
            yield Finding("hours", f"小时汇总 {key} 与交易不符 the hourly roll-up differs from the sales")


def _cards(conn: Connection) -> Iterator[Finding]:
    s = tables.sales.c
    settled = func.sum(s.settled.is_not(None).cast(tables.sales.c.is_reserved.type))
    query = select(s.card_no, func.count(), settled).where(
        s.is_reserved == 1, s.card_no.is_not(None), s.grade.is_not(None)
    )
    counted: Mapping[str, tuple[int, int]] = {
        row[0]: (row[1], int(row[2] or 0)) for row in conn.execute(query.group_by(s.card_no)).all()
    }
    c = tables.shadows.c
    told = select(c.card_no, c.reserved_count - c.abroad, c.settled_count - c.abroad).order_by(c.card_no)
    for card_no, reserved, settled_here in conn.execute(told).all():
        if counted.get(card_no, (0, 0)) != (reserved, settled_here):
            yield Finding("shadows", f"卡 {card_no} 的影子计数不符 the card's shadow has lost count")
    invariant = money_invariant(conn, 0)
    for card_no in invariant.differing:
        found = shadowing.shadow(conn, card_no)
        if found:
            yield Finding(
                "invariant",
                f"卡 {card_no} 余额 {found.seen_fen} 分，账面 {found.books_fen} 分 card and books differ",
            )
    if invariant.difference_fen:
        yield Finding("invariant", f"资金不变式相差 {invariant.difference_fen} 分 card + station + in flight is off")
