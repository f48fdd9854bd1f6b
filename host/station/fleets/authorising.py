"""A pump asks whether a card of an account may fuel: card, unit, rules and credit must all agree (C12).

What is declined is kept with the rule that declined it, so that the company sees it at once; the pump shows the reason
and writes its own record.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from pump.core import card_layout, codes
from station import accounts, cards, forecourt
from station.cards import Card
from station.fleets import rulebook, statements, units, vehicles
from station.fleets.rules import Verdict, Wish, judge, moment
from station.fleets.tables import refusals
from station.fleets.vehicles import GONE, Vehicle
from station.platform.database import upsert

STOPPED, EXHAUSTED, REFUSED = "stopped", "exhausted", "refused"


@dataclass(frozen=True, slots=True)
class Word:
    """The station's word: a grant, or why not. STOPPED: card or account is not good, leases of it end; EXHAUSTED: no
    credit but what the pump's own lease may hold; REFUSED: by `code` (codes.REFUSE_*)."""

    grant: accounts.Grant | None
    why: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something declined. rule: a name of Rules, or stopped, overdue, gone, exhausted; allowed, used: its sums."""

    at: int
    device: int
    account: int
    card_no: str
    plate: str
    code: int
    rule: str
    allowed: int
    used: int


def authorise(conn: Connection, uid: bytes, asked: accounts.Question, grade: int, now: int) -> Word:
    """Lend for the sale in hand. Call in a writer's transaction. grade: of the nozzle, 0: an older pump does not tell.

    The same question again gets the same answer.
    """
    card = cards.by_uid(conn, uid)
    if card is None or card.state != "active" or card.kind != card_layout.KIND_ACCOUNT:
        return Word(None, STOPPED)
    asked = replace(asked, card_no=card.card_no)
    before = accounts.granted(conn, asked)
    if before:
        return Word(before)
    account = vehicles.payer(conn, card)
    vehicle = vehicles.vehicle_of(conn, card.card_no)
    wrong = _standing(conn, account, vehicle, now)
    if wrong:
        # A pump's leases are the company's: they end with the company's standing, not with a part's or a vehicle's.
        ends = wrong.rule == "overdue" or not _is_active(conn, units.line_of(conn, account)[-1])
        return _declined(conn, account, card, asked, wrong, STOPPED if ends else REFUSED, now)
    verdict = _judged(conn, account, vehicle, card, asked, grade, now)
    if verdict.code:
        return _declined(conn, account, card, asked, verdict, REFUSED, now)
    own = account == card.company
    grant = accounts.authorise(conn, account, replace(asked, want_fen=verdict.fen), now, ahead=own)
    if grant:
        return Word(grant)
    known = accounts.account(conn, account)
    if known is None or known.available_fen >= accounts.LEAST_FEN or (own and asked.held):
        return Word(None, EXHAUSTED)  # nobody waits for the answer any more, or the pump sells on its own lease
    # The pump keeps leases under the number on the card: they are no money of the vehicle's own unit.
    empty = Verdict(0, codes.REFUSE_ACCOUNT if own else codes.REFUSE_BALANCE, "exhausted")
    return _declined(conn, account, card, asked, empty, EXHAUSTED if own else REFUSED, now)


def _standing(conn: Connection, account: int, vehicle: Vehicle | None, now: int) -> Verdict | None:
    """Why nothing at all may be bought on this account, or for this vehicle."""
    if vehicle is not None and vehicle.state == GONE:
        return Verdict(0, codes.REFUSE_PAIR, "gone")
    line = units.line_of(conn, account)
    if not all(_is_active(conn, number) for number in line):
        return Verdict(0, codes.REFUSE_ACCOUNT, "stopped")
    overdue_fen = statements.overdue_fen(conn, line[-1], now)
    return Verdict(0, codes.REFUSE_ACCOUNT, "overdue", 0, overdue_fen) if overdue_fen else None


def _is_active(conn: Connection, account: int) -> bool:
    known = accounts.account(conn, account)
    return known is not None and known.state == accounts.ACTIVE


def _judged(
    conn: Connection,
    account: int,
    vehicle: Vehicle | None,
    card: Card,
    asked: accounts.Question,
    grade: int,
    now: int,
) -> Verdict:
    tariff = forecourt.current_tariff(conn, now)
    prices = tariff.prices if tariff else {}
    price = prices.get(grade) or min(prices.values(), default=0)
    company = units.line_of(conn, account)[-1]
    is_listed = vehicle is not None or vehicles.is_listed(conn, company, card.plate)
    wish = Wish(asked.want_fen, grade, price, asked.device >> 8, moment(now)[2], is_listed)
    left = Verdict(asked.want_fen)
    for subject in rulebook.subjects_of(conn, account, vehicle):
        rules = rulebook.rules(conn, subject)
        spent = rulebook.used(conn, subject, card.card_no, price, now)
        left = judge(rules, spent, replace(wish, want_fen=left.fen), accounts.LEAST_FEN)
        if left.code:
            return left
    return left


def _declined(
    conn: Connection, account: int, card: Card, asked: accounts.Question, verdict: Verdict, why: str, now: int
) -> Word:
    row = {"device": asked.device, "question": asked.name, "at": now, "account": account, "card_no": card.card_no}
    row |= {"plate": card.plate, "code": verdict.code, "rule": verdict.rule}
    adding = upsert(conn, refusals).values(**row, allowed=verdict.allowed, used=verdict.used)
    conn.execute(adding.on_conflict_do_nothing())
    return Word(None, why, verdict.code)


def refusals_of(conn: Connection, company: int, limit: int, offset: int = 0) -> list[Refusal]:
    """What was declined to a company and its parts, newest first."""
    r = refusals.c
    query = select(refusals).where(r.account.in_(units.tree(conn, company))).order_by(r.at.desc(), r.question)
    rows = conn.execute(query.limit(limit).offset(offset))
    return [
        Refusal(row.at, row.device, row.account, row.card_no, row.plate, row.code, row.rule, row.allowed, row.used)
        for row in rows
    ]
