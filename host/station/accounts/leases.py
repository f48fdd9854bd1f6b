"""What is lent to pumps: for the sale in hand, and ahead for times without the station.

The rule that keeps any number of pumps within an account's credit line, whoever is offline: the station lends no more
than the line less what is owed and what is lent, and takes a lease back only when the pump's own journal shows that it
can be used no more (accounts/tables.py). A pump holds one offline lease per account; a new one replaces it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from sqlalchemy import Connection, Row, func, insert, select, update

from station.accounts.registry import ACTIVE, account
from station.accounts.tables import leases
from station.ledger import Finding
from station.platform import audit

SALE, OFFLINE = "sale", "offline"
SALE_VALID_S = 600  # a lease for the sale in hand is used at once or never
LEAST_FEN = 100  # less buys nothing worth a lease
GRANTED, RESTATED, ENDED = 1, 2, 3  # LEASE.how (docs/journal.md)


@dataclass(frozen=True, slots=True)
class Lease:
    """lease: its number, in START, END and LEASE records. count: sales that may be made under it."""

    lease: int
    account: int
    device: int
    how: str
    amount_fen: int
    count: int
    made: int
    expires: int
    question: str
    head: int
    used_fen: int
    started: int
    ended: int
    until_seq: int | None
    closed_at: int | None
    closed: str | None
    card_no: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A pump asks for a sale that begins now. name: never used twice. want_fen: what it can cost at most.

    held: the offline lease that the device says it has of this account (0: none); head: the sequence number that its
    next record will have. So a lease it does not hold was used before `head`, or never will be. card_no: 16 digits.
    """

    name: str
    device: int
    want_fen: int
    held: int
    head: int
    card_no: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What the station says to a pump: the lease for the sale in hand, and a new one ahead if it is due."""

    sale: Lease
    offline: Lease | None


@dataclass(slots=True)
class Heard:
    """What a device's journal told in one go: its head, the newest time by a synced clock, its LEASE records."""

    device: int
    head: int
    synced_at: int = 0
    taken: list[tuple[int, int, int, int]] = field(default_factory=list)  # (seq, lease, account, how)


def granted(conn: Connection, asked: Question) -> Grant | None:
    """What was answered to this question before."""
    c = leases.c
    query = select(leases).where(c.device == asked.device, c.question == asked.name).order_by(c.lease)
    before = [_lease(row) for row in conn.execute(query)]
    return Grant(before[0], before[1] if len(before) > 1 else None) if before else None


def authorise(conn: Connection, number: int, asked: Question, now: int, ahead: bool = True) -> Grant | None:
    """Lend for the sale in hand; None: the account is refused. Call in a writer's transaction.

    The same question gets the same answer; one older than another of that device, which it cannot wait for any more,
    gets none and changes nothing. ahead: lend for times without the station as well; a pump keeps such a lease under
    the number on the card, so that is for the account of that number only.
    """
    before = granted(conn, asked)
    if before:
        return before
    newest = conn.execute(select(func.max(leases.c.head)).where(leases.c.device == asked.device)).scalar()
    if newest is not None and asked.head <= newest:
        return None
    _not_held(conn, number, asked)
    known = account(conn, number)
    if known is None or known.state != ACTIVE:
        return None
    sale_fen = min(asked.want_fen, known.terms.sale_fen, known.available_fen)
    if sale_fen < LEAST_FEN:
        return None
    terms, valid_s = known.terms, known.terms.offline_hours * 3600
    sale = _lend(conn, number, asked, SALE, sale_fen, 1, now, SALE_VALID_S)
    ahead_fen = min(terms.offline_fen, known.available_fen - sale_fen)
    if not ahead or ahead_fen < LEAST_FEN or not _is_due(conn, asked.held, terms.offline_fen, valid_s, now):
        return Grant(sale, None)
    return Grant(sale, _lend(conn, number, asked, OFFLINE, ahead_fen, terms.offline_count, now, valid_s))


def _not_held(conn: Connection, number: int, asked: Question) -> None:
    """A device has one sale in hand at a time, and one offline lease of an account: what else it was lent is over."""
    c = leases.c
    open_ones = (c.device == asked.device) & c.closed_at.is_(None)
    gone = (c.how == SALE) | (c.account == number) & (c.lease != asked.held)
    later = c.until_seq.is_(None) | (c.until_seq > asked.head - 1)
    conn.execute(update(leases).where(open_ones & gone & later).values(until_seq=max(0, asked.head - 1)))


def _lend(
    conn: Connection, number: int, asked: Question, how: str, amount_fen: int, count: int, now: int, valid_s: int
) -> Lease:
    # Beyond any that the pump knows, should the books have been brought back from a backup.
    newest = int(conn.execute(select(func.max(leases.c.lease))).scalar() or 0)
    lent = Lease(
        lease=max(newest, asked.held) + 1,
        account=number,
        device=asked.device,
        how=how,
        amount_fen=amount_fen,
        count=count,
        made=now,
        expires=now + valid_s,
        question=asked.name,
        head=asked.head,
        used_fen=0,
        started=0,
        ended=0,
        until_seq=None,
        closed_at=None,
        closed=None,
        card_no=asked.card_no,
    )
    conn.execute(insert(leases).values(asdict(lent)))
    return lent


def _is_due(conn: Connection, held: int, offline_fen: int, valid_s: int, now: int) -> bool:
    """True if the device has no offline lease, or one that is half used or half over."""
    found = lease(conn, held) if held else None
    if found is None or found.closed_at is not None or found.expires - now < valid_s // 2:
        return True
    return found.amount_fen - found.used_fen < offline_fen // 2 or 2 * found.ended >= found.count


def account_of(conn: Connection, numbers: Iterable[int]) -> dict[int, int]:
    """The account of each lease."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    query = select(leases.c.lease, leases.c.account).where(leases.c.lease.in_(wanted))
    return {row.lease: row.account for row in conn.execute(query)}


def count(conn: Connection, used: Mapping[int, tuple[int, int, int]]) -> None:
    """Counts sales newly known onto their leases. used: by lease, (begun, ended, fen)."""
    c = leases.c
    for number, (started, ended, fen) in used.items():
        counted = {"started": c.started + started, "ended": c.ended + ended, "used_fen": c.used_fen + fen}
        conn.execute(update(leases).where(c.lease == number).values(**counted))


def follow(conn: Connection, heard: Sequence[Heard], now: int) -> None:
    """Records have come, and their sales are counted: closes the leases that can be used no more."""
    for device in heard:
        _told(conn, device)
    heads = {device.device: device for device in heard}
    for found in listing(conn) if heads else ():
        if found.device in heads and (why := _over(found, heads[found.device], now)):
            close = update(leases).where(leases.c.lease == found.lease)
            conn.execute(close.values(closed_at=now, closed=why))


def _told(conn: Connection, device: Heard) -> None:
    c = leases.c
    for seq, number, holder, how in device.taken:
        if how == RESTATED:
            continue
        mine = (c.device == device.device) & (c.account == holder) & (c.how == OFFLINE) & c.closed_at.is_(None)
        replaced = (c.lease < number) if how == GRANTED else (c.lease <= number)
        older = c.until_seq.is_(None) | (c.until_seq > seq)
        conn.execute(update(leases).where(mine & replaced & older).values(until_seq=seq))


def _over(found: Lease, device: Heard, now: int) -> str:
    """Why the lease can be used no more; empty while it can."""
    if found.started > found.ended:
        return ""  # a sale under it is running, or its end is out
    if found.ended >= found.count:
        return "used"
    if found.until_seq is not None and device.head >= found.until_seq:
        return "replaced" if found.how == OFFLINE else "unused"
    if now > found.expires < device.synced_at:
        return "expired"
    return ""


def lease(conn: Connection, number: int) -> Lease | None:
    """The lease of that number."""
    row = conn.execute(select(leases).where(leases.c.lease == number)).first()
    return _lease(row) if row else None


def listing(conn: Connection, number: int | None = None, is_open: bool = True) -> list[Lease]:
    """Leases of an account, or of all; open ones, or all."""
    query = select(leases).order_by(leases.c.lease)
    if number is not None:
        query = query.where(leases.c.account == number)
    if is_open:
        query = query.where(leases.c.closed_at.is_(None))
    return [_lease(row) for row in conn.execute(query)]


def give_up(conn: Connection, number: int, by: tuple[str, str], why: str, now: int) -> Lease:
    """Two people take a lease back from a pump that is gone for good. ValueError (Chinese, then English)."""
    if len({name.strip() for name in by} - {""}) < 2 or not why.strip():
        raise ValueError("须两名不同的人并写明原因 two different people and a reason are needed")
    closing = update(leases).where(leases.c.lease == number, leases.c.closed_at.is_(None))
    done = conn.execute(closing.values(closed_at=now, closed=f"{' + '.join(by)}: {why}"))
    found = lease(conn, number)
    if found is None or done.rowcount != 1:
        raise ValueError(f"没有未结的授信 {number} there is no open lease {number}")
    lost = {"left_fen": found.amount_fen - found.used_fen}
    audit.record(conn, now, " + ".join(by), "lease.give_up", f"lease {number}", lost, {"left_fen": 0}, why)
    return found


def verify(conn: Connection, used: Mapping[int, tuple[int, int, int]]) -> list[Finding]:
    """used: by lease, (started, ended, fen) of all sales. Counted right, and never more than was lent."""
    findings = []
    for found in listing(conn, is_open=False):
        if used.get(found.lease, (0, 0, 0)) != (found.started, found.ended, found.used_fen):
            findings.append(Finding("leases", f"授信 {found.lease} 的累计与交易不符 the lease has lost count"))
        if found.used_fen > found.amount_fen or found.started > found.count:
            findings.append(Finding("leases", f"授信 {found.lease} 被超用 more was sold under the lease than was lent"))
    unknown = sorted(set(used) - {found.lease for found in listing(conn, is_open=False)})
    findings += [Finding("leases", f"交易引用未知授信 {number} a sale names an unknown lease") for number in unknown]
    return findings


def _lease(row: Row[tuple[object, ...]]) -> Lease:
    return Lease(**row._mapping)
