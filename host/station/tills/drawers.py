"""Tills, their drawers and shifts, and the safe.

A till's drawer is the cash account of the till's name. A shift begins with a float out of the safe and ends with the
drawer counted and emptied into the safe; what was counted above or below the books goes to `over_short`. So between
shifts the books hold nothing in a drawer. Money in fen.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select, update

from station import ledger, staff
from station.cards import SecondNeededError, yuan
from station.ledger import Transfer
from station.platform import audit, parameters
from station.tills import tables
from station.tills.errors import TillError

SAFE = "safe"
BANK = "bank"


@dataclass(frozen=True, slots=True)
class Shift:
    """expected_fen: what the books held in the drawer when it was counted. second: who signed for the difference."""

    shift: int
    till: str
    cashier: str
    opened_at: int
    float_fen: int
    closed_at: int | None
    closed_by: str | None
    expected_fen: int | None
    counted_fen: int | None
    why: str
    second: str

    @property
    def difference_fen(self) -> int | None:
        """Counted less expected: above nought too much, below it short; None while the shift lasts."""
        if self.counted_fen is None or self.expected_fen is None:
            return None
        return self.counted_fen - self.expected_fen


@dataclass(frozen=True, slots=True)
class Till:
    """shift: the open one."""

    till: str
    title: str
    shift: Shift | None


def add_till(conn: Connection, name: str, title: str, by: str, now: int) -> Till:
    """A new till. TillError for a name that is taken or no name of a drawer."""
    name = name.strip().lower()
    if not (name.isascii() and name.isalnum() and len(name) <= 16) or name == SAFE:
        raise TillError("收银台代号用 1 至 16 个字母或数字 a till's name is made of 1 to 16 letters or digits")
    if conn.execute(select(tables.tills.c.till).where(tables.tills.c.till == name)).first():
        raise TillError(f"收银台已存在 there is such a till already: {name}")
    conn.execute(insert(tables.tills), {"till": name, "title": title.strip() or name, "made_at": now})
    audit.record(conn, now, by, "till.add", f"till {name}", {}, {"title": title.strip() or name})
    return till(conn, name)


def tills(conn: Connection) -> list[Till]:
    """All tills by name, each with its open shift."""
    open_ones = {s.till: s for s in _shifts(conn, tables.shifts.c.closed_at.is_(None))}
    rows = conn.execute(select(tables.tills).order_by(tables.tills.c.till))
    return [Till(row.till, row.title, open_ones.get(row.till)) for row in rows]


def till(conn: Connection, name: str) -> Till:
    """One till. TillError."""
    found = next((one for one in tills(conn) if one.till == name), None)
    if found is None:
        raise TillError(f"没有这个收银台 there is no such till: {name}")
    return found


def open_shift(conn: Connection, name: str, float_fen: int, by: str, now: int) -> Shift:
    """Begins a shift with a float out of the safe. TillError."""
    if till(conn, name).shift is not None:
        raise TillError(f"收银台 {name} 已开班 till {name} has an open shift")
    _take_from_safe(conn, float_fen)
    number = int(conn.execute(select(func.max(tables.shifts.c.shift))).scalar() or 0) + 1
    row = {"shift": number, "till": name, "cashier": by, "opened_at": now, "float_fen": float_fen}
    conn.execute(insert(tables.shifts), row)
    if float_fen:
        ledger.post(conn, f"shift:{number}:float", now, [Transfer(ledger.cash(name), ledger.cash(SAFE), float_fen)])
    audit.record(conn, now, by, "shift.open", f"shift {number}", {}, {"till": name, "float_fen": float_fen})
    return shift(conn, number)


def close_shift(
    conn: Connection, number: int, counted_fen: int, by: str, now: int, why: str = "", second: str = ""
) -> Shift:
    """Ends a shift: the drawer was counted and goes into the safe.

    A difference above the cap `cap.adjust` wants a reason and a second person, whom the caller has made prove who they
    are. Raises SecondNeededError, TillError.
    """
    known = shift(conn, number)
    if known.closed_at is not None:
        raise TillError(f"班次 {number} 已交班 shift {number} is closed already")
    if counted_fen < 0:
        raise TillError("点钞金额不能为负 what was counted cannot be below nought")
    unpaid = conn.execute(
        select(tables.bills.c.bill).where(tables.bills.c.shift == number, tables.bills.c.state == "open")
    ).scalars().all()  # fmt: skip
    if unpaid:
        some = ", ".join(map(str, unpaid[:5]))
        raise TillError(f"还有未收完的账单 {some}，请收款或作废 bills {some} are open: take the money or void them")
    expected_fen = in_drawer(conn, known.till)
    difference = counted_fen - expected_fen
    if staff.needs_second(abs(difference), parameters.value(conn, "cap.adjust")):
        if not why.strip() or not second.strip():
            raise SecondNeededError(
                f"长短款 {yuan(difference)} 元超过限额，须写明原因并由第二人复核 "
                f"the drawer is {yuan(difference)} yuan off: it takes a reason and a second person"
            )
        if second.strip().lower() == by.strip().lower():
            raise SecondNeededError("复核人不能是经办人本人 the second person cannot be the first")
    _post_count(conn, known, difference, counted_fen, now)
    closed = {
        "closed_at": now,
        "closed_by": by,
        "expected_fen": expected_fen,
        "counted_fen": counted_fen,
        "why": why.strip(),
        "second": second.strip(),
    }
    conn.execute(update(tables.shifts).where(tables.shifts.c.shift == number).values(**closed))
    new = {"expected_fen": expected_fen, "counted_fen": counted_fen, "second": second.strip()}
    audit.record(conn, now, by, "shift.close", f"shift {number}", {"till": known.till}, new, why.strip())
    return shift(conn, number)


def hand_over(
    conn: Connection, number: int, counted_fen: int, to: str, by: str, now: int, why: str = "", second: str = ""
) -> Shift:
    """The drawer goes on to the next cashier as it was counted; returns their shift."""
    closed = close_shift(conn, number, counted_fen, by, now, why, second)
    return open_shift(conn, closed.till, counted_fen, to, now)


def shift(conn: Connection, number: int) -> Shift:
    """One shift. TillError."""
    found = _shifts(conn, tables.shifts.c.shift == number)
    if not found:
        raise TillError(f"没有这个班次 there is no such shift: {number}")
    return found[0]


def shifts(conn: Connection, since: int, until: int) -> list[Shift]:
    """Shifts that were open at some time in since <= time < until, oldest first."""
    s = tables.shifts.c
    return _shifts(conn, (s.opened_at < until) & (s.closed_at.is_(None) | (s.closed_at >= since)))


def in_drawer(conn: Connection, name: str) -> int:
    """What the books say is in a drawer, or in the SAFE."""
    return -ledger.balance(conn, ledger.cash(name))


def put_in_safe(conn: Connection, amount_fen: int, key: str, by: str, why: str, now: int) -> int:
    """The owner puts money into the safe, as for the first floats. key: never used twice. Returns what it holds."""
    return _move(conn, key, ledger.cash(SAFE), ledger.capital("owner"), amount_fen, "safe.in", by, why, now)


def take_to_bank(conn: Connection, amount_fen: int, key: str, by: str, why: str, now: int) -> int:
    """Money of the safe is paid into the bank. Returns what is left. TillError."""
    _take_from_safe(conn, amount_fen)
    return _move(conn, key, ledger.gateway(BANK), ledger.cash(SAFE), amount_fen, "safe.bank", by, why, now)


def _move(
    conn: Connection, key: str, debit: str, credit: str, amount_fen: int, action: str, by: str, why: str, now: int
) -> int:
    if amount_fen <= 0:
        raise TillError("金额须大于零 the amount must be above nought")
    before = in_drawer(conn, SAFE)
    if ledger.post(conn, f"{action}:{key}", now, [Transfer(debit, credit, amount_fen)], why):
        audit.record(conn, now, by, action, SAFE, {"fen": before}, {"fen": in_drawer(conn, SAFE)}, why)
    return in_drawer(conn, SAFE)


def _take_from_safe(conn: Connection, amount_fen: int) -> None:
    held = in_drawer(conn, SAFE)
    if amount_fen < 0:
        raise TillError("金额不能为负 the amount cannot be below nought")
    if amount_fen > held:
        raise TillError(
            f"保险柜账面只有 {yuan(held)} 元，请先登记存入 "
            f"by the books the safe holds only {yuan(held)} yuan: book first what was put into it"
        )


def _post_count(conn: Connection, known: Shift, difference: int, counted_fen: int, now: int) -> None:
    drawer, off = ledger.cash(known.till), ledger.over_short(known.till)
    lines = []
    if difference > 0:
        lines.append(Transfer(drawer, off, difference))
    elif difference < 0:
        lines.append(Transfer(off, drawer, -difference))
    if counted_fen:
        lines.append(Transfer(ledger.cash(SAFE), drawer, counted_fen))
    if lines:
        ledger.post(conn, f"shift:{known.shift}:count", now, lines, known.cashier)


def _shifts(conn: Connection, chosen: object) -> list[Shift]:
    query = select(tables.shifts).where(chosen).order_by(tables.shifts.c.shift)  # type: ignore[arg-type]
    return [_shift(row) for row in conn.execute(query)]


def _shift(row: Row[tuple[object, ...]]) -> Shift:
    return Shift(**row._mapping)
