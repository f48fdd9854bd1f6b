"""From batches of raw records to books, stock and acknowledgements: any order, any repetition, the same result.

Per call and set-based: order and prove the records (chain), merge them into facts (facts), post what the facts newly
allow, move stock, hours and shadows, let risk's rules judge (risks), keep what is odd. All in the caller's transaction.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection, select

from pump.core import records
from station import accounts, forecourt, ledger
from station.platform.bulk import insert_rows, select_in, upsert_rows
from station.platform.clock import hour_of
from station.platform.secrets import Secrets
from station.sales import chain, facts, isolation, outside, reasons, risks, shadowing, tables
from station.sales.chain import Link, Proven
from station.sales.facts import Facts
from station.sales.isolation import Oddity
from station.sales.unstarted import unstarted

BATCH_LIMIT = 64  # records in one message; a pump sends eight at most
BATCH_BYTES = BATCH_LIMIT * records.SIZE


class Batch(NamedTuple):
    """What came on one topic: `raw` is meant to be 1 to 8 records of 128 bytes, but may be anything."""

    station: str
    pump: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """Every record of `device` up to and with `seq` is committed (once the transaction is)."""

    station: str
    pump: str
    device: int
    seq: int


def ingest(conn: Connection, secrets: Secrets, batches: Sequence[Batch], now: int) -> list[Ack]:
    """Takes the batches into the database, in the caller's transaction; never raises for what the batches hold.

    Returns one acknowledgement per registered device heard of, to be sent after commit. now: Unix seconds.
    """
    pumps = {(pump.station, pump.pump): pump for pump in forecourt.pumps(conn)}
    heard = {(batch.station, batch.pump) for batch in batches} & set(pumps)
    keys = {pumps[name].device: secrets.device(pumps[name].device).journal for name in heard}
    links = chain.open_links(conn, keys, now)
    odd: list[Oddity] = []
    for batch in batches:
        pump = pumps.get((batch.station, batch.pump))
        if pump is None:
            odd.append(Oddity(reasons.UNKNOWN_PUMP, f"{batch.station}/{batch.pump}", batch.raw))
        else:
            odd += _feed(links[pump.device], batch)
    odd += settle(conn, list(links.values()), {pump.device: pump for pump in pumps.values()}, now)
    isolation.isolate(conn, odd, now)
    return [Ack(*name, pumps[name].device, links[pumps[name].device].head.seq) for name in sorted(heard)]


def _feed(link: Link, batch: Batch) -> list[Oddity]:
    place, size = f"{batch.station}/{batch.pump}", records.SIZE
    if not batch.raw or len(batch.raw) % size or len(batch.raw) > BATCH_LIMIT * size:
        return [Oddity(reasons.DAMAGED, place, batch.raw, link.head.device, detail=f"{len(batch.raw)} bytes")]
    odd = []
    for at in range(0, len(batch.raw), size):
        raw = batch.raw[at : at + size]
        header = chain.header_of(raw)
        if header is None:
            odd.append(Oddity(reasons.DAMAGED, place, raw, link.head.device))
        elif header[2] != link.head.device:
            odd.append(Oddity(reasons.WRONG_DEVICE, place, raw, *header[2:4]))
        else:
            link.take(raw, header)
    return odd


def settle(conn: Connection, links: list[Link], pumps: dict[int, forecourt.Pump], now: int) -> list[Oddity]:
    """Saves the chains and makes of their newly proven records what follows from them. Returns what is odd."""
    proven = [record for link in links for record in link.proven]
    odd = chain.save(conn, links)
    rows = [
        (identity, kind, at, quality, now, int(trusted), raw)
        for identity, _, _, kind, quality, at, raw, _, trusted in proven
    ]
    insert_rows(conn, tables.records, rows)
    odd += outside.post(conn, proven, pumps)
    spoken = [isolation.sale_id(record.kind, record.device, record.seq, record.body) for record in proven]
    merge = Merge(conn, pumps, now)
    merge.load({identity for identity in spoken if identity is not None})
    for identity, record in zip(spoken, proven, strict=True):
        if identity is not None:
            merge.record(identity, record)
        elif not record.body:
            odd.append(_oddity(reasons.UNKNOWN_KIND, record, f"kind {record.kind}"))
    merge.save()
    risks.observe(conn, merge.fuelled, proven, pumps, now)
    accounts.follow(conn, [_heard(link) for link in links if link.proven], now)
    return odd + merge.odd + unstarted(conn, proven, merge.touched)


def _heard(link: Link) -> accounts.Heard:
    """What a device's newly proven records say of the leases it holds."""
    taken = [(r.seq, r.body[0], r.body[1], r.body[5]) for r in link.proven if r.kind == records.LEASE and r.body]
    synced = [record.at for record in link.proven if record.quality == records.TIME_SYNCED]
    return accounts.Heard(link.head.device, link.head.seq, max(synced, default=0), taken)


@dataclass(slots=True)
class Merge:
    """The sales that a batch touches: loaded once, changed in memory, written back with all that follows."""

    conn: Connection
    pumps: dict[int, forecourt.Pump]
    now: int
    sales: dict[int, Facts] = field(default_factory=dict)
    before: dict[int, tuple[bool, bool, bool, bool]] = field(default_factory=dict)
    counted: dict[int, tuple[bool, bool]] = field(default_factory=dict)  # sales on account: begun, ended
    touched: dict[int, Proven | None] = field(default_factory=dict)
    fuelled: list[Facts] = field(default_factory=list)  # sales whose fuel is newly known
    odd: list[Oddity] = field(default_factory=list)

    def load(self, ids: Collection[int]) -> None:
        """Loads the facts of these sales; one that is not known yet is empty."""
        self.sales = {row[0]: Facts(*row) for row in select_in(self.conn, select(tables.sales), tables.sales.c.id, ids)}
        self.before = {identity: facts.stage(known) for identity, known in self.sales.items()}
        self.counted = {
            identity: (True, known.ended is not None) for identity, known in self.sales.items() if known.lease
        }

    def record(self, identity: int, record: Proven) -> None:
        """Merges one record into its sale; what contradicts goes to quarantine and changes nothing."""
        sale = self.sales.get(identity) or Facts(identity)
        fault = _MERGERS[record.kind](sale, record.body, record.at, record.device)
        if fault:
            self.odd.append(_oddity(fault, record, ""))
        else:
            self.sales[identity] = sale
            self.touched[identity] = record

    def save(self) -> None:
        """Writes the touched sales, their postings, hours and shadows."""
        changed = [self.sales[identity] for identity in self.touched]
        shadowing.name_cards(self.conn, changed)
        name_accounts(self.conn, changed)
        accounts.count(self.conn, self._used(changed))
        upsert_rows(self.conn, tables.sales, [facts.as_row(sale) for sale in changed])
        postings: list[ledger.Entry] = []
        hours: defaultdict[tuple[str, int, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        for sale in changed:
            old = self.before.get(sale.id, (False,) * 4)
            new = facts.stage(sale)
            if old != new:
                postings += entries(sale, old, new)
                if new[2] and not old[2]:
                    self.fuelled.append(sale)
                    self._count_hour(hours, sale)
        ledger.post_many(self.conn, postings)
        rows = [(*hour, *sums) for hour, sums in sorted(hours.items())]
        upsert_rows(self.conn, tables.hours, rows, add={"sales", "volume_ml", "amount_fen"})
        odd, passed = shadowing.follow(self.conn, changed, self.before, self.now)
        self.odd += odd
        _post_passed(self.conn, passed)

    def _used(self, changed: list[Facts]) -> dict[int, tuple[int, int, int]]:
        """By lease: sales newly begun and newly ended under it, and what these cost."""
        used: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        for sale in changed:
            if sale.lease:
                begun, ended = self.counted.get(sale.id, (False, False))
                sums = used[sale.lease]
                sums[0] += not begun
                if sale.ended is not None and not ended:
                    sums[1] += 1
                    sums[2] += sale.amount_fen or 0
        return {lease: (sums[0], sums[1], sums[2]) for lease, sums in used.items()}

    def _count_hour(self, hours: defaultdict[tuple[str, int, int], list[int]], sale: Facts) -> None:
        pump = self.pumps.get(sale.id >> tables.SEQ_BITS)
        if sale.grade is None or sale.ended is None:
            return
        sums = hours[pump.station if pump else "", sale.grade, hour_of(sale.ended)]
        sums[0] += 1
        sums[1] += sale.volume_ml or 0
        sums[2] += sale.amount_fen or 0


def observe(conn: Connection, card_no: str, counter: int, balance_fen: int, at: int) -> None:
    """The desk saw this purse and counter on the card, with no reservation open (also call it right after a load).

    A sale up to then whose settlement nobody reported was settled by somebody: its rest goes back in the books as well.
    """
    _post_passed(conn, shadowing.observe(conn, card_no, counter, balance_fen, at))


def used_away(
    conn: Connection, card_no: str, counter: int, balance_fen: int | None, at: int, *, is_sale: bool, now: int
) -> None:
    """Head office tells of a settled sale or a load of this card at another station; the caller posts its money."""
    _post_passed(conn, shadowing.used_away(conn, card_no, counter, balance_fen, at, is_sale, now))


def _post_passed(conn: Connection, sales: list[Facts]) -> None:
    """Writes sales that were settled because their card is past them, and what that moves."""
    upsert_rows(conn, tables.sales, [facts.as_row(sale) for sale in sales])
    stages = [(sale, facts.stage(sale)) for sale in sales]
    ledger.post_many(conn, [entry for sale, new in stages for entry in entries(sale, (*new[:3], False), new)])


def merge(sale: Facts, record: Proven) -> str | None:
    """Merges one record into its sale; the quarantine reason if it cannot be."""
    return _MERGERS[record.kind](sale, record.body, record.at, record.device)


_MERGERS = {
    records.START: facts.start,
    records.RESERVED: facts.reserved,
    records.END: facts.end,
    records.SETTLED: facts.settled,
    records.VOID: facts.void,
}


def entries(sale: Facts, old: tuple[bool, ...], new: tuple[bool, ...]) -> Iterable[ledger.Entry]:
    """The postings that a sale allows now and did not before (stages as facts.stage gives them).

    An account's card holds no money: the account owes what was fuelled, and nothing else moves.
    """
    card, grade = sale.card_no or "", sale.grade or 0
    purse, inflight = ledger.purse(card), ledger.inflight(card)
    at = sale.settled or sale.ended or sale.started or 0
    if new[0] and not old[0] and sale.reserved_fen and not sale.on_account:
        line = ledger.Transfer(purse, inflight, sale.reserved_fen)
        yield ledger.Entry(f"reserve:{sale.id}", sale.started or at, line)
    if new[1] and not old[1] and sale.amount_fen:
        payer = ledger.receivable(sale.account or 0) if sale.on_account else inflight
        line = ledger.Transfer(payer, ledger.sales(grade), sale.amount_fen)
        yield ledger.Entry(f"fuel:{sale.id}", sale.ended or at, line)
    if new[2] and not old[2] and sale.volume_ml:
        line = ledger.Transfer(ledger.tank(grade), ledger.sold(grade), sale.volume_ml, ledger.ML)
        yield ledger.Entry(f"litres:{sale.id}", sale.ended or at, line)
    if new[3] and not old[3] and sale.returned_fen and not sale.on_account:
        line = ledger.Transfer(inflight, purse, sale.returned_fen)
        yield ledger.Entry(f"settle:{sale.id}", sale.settled or at, line)


def name_accounts(conn: Connection, sales: Iterable[Facts]) -> None:
    """Gives sales on account the account of their lease."""
    nameless = [sale for sale in sales if sale.lease and sale.account is None]
    named = accounts.account_of(conn, (sale.lease for sale in nameless if sale.lease)) if nameless else {}
    for sale in nameless:
        sale.account = named.get(sale.lease or 0, 0)


def _oddity(reason: str, record: Proven, detail: str) -> Oddity:
    return Oddity(reason, f"{record.device}/{record.seq}", record.raw, record.device, record.seq, detail)
