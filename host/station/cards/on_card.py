"""What the desk reads from a card and does with its purse: conversations of DESFire frames, and their results."""
# mypy: allow-untyped-calls

from collections.abc import Callable
from dataclasses import dataclass

import desfire
from pump.core import card_layout
from pump.core.usage import after
from station.cards import numbers, rules
from station.cards.desfire_admin import AdminSession, Conversation
from station.cards.keys import CardKeys
from station.cards.rules import Rules

Random = Callable[[int], bytes]


class CardError(Exception):
    """The card cannot be used here; the message (Chinese, then English) says why."""


@dataclass(frozen=True)
class Reservation:
    """Money held for a sale that is not settled: sale (device, seq), fen, Unix seconds."""

    device: int
    seq: int
    fen: int
    at: int


@dataclass(frozen=True)
class LogEntry:
    """One sale from the card's own log."""

    at: int
    device: int
    seq: int
    counter: int
    volume_ml: int
    amount_fen: int
    price_fen_per_l: int
    grade: int
    nozzle: int
    reason: int


@dataclass(frozen=True)
class Usage:
    """What was used on the last day of use: day since 1970 (China time), and the odometer then (0: never asked)."""

    day: int
    fills: int
    fen: int
    ml: int
    odometer_km: int


@dataclass(frozen=True)
class CardView:
    """All that stands on a card. expiry 0: never. plate may be empty. log: oldest first."""

    uid: bytes
    card_no: str
    kind: int
    issuer: int
    company: int
    grades: int
    expiry: int
    issued_at: int
    plate: str
    balance_fen: int
    counter: int
    open: Reservation | None
    last_load: int
    tries: int
    points: int
    log: tuple[LogEntry, ...]
    rules: Rules
    has_usage: bool  # cards made by older programs have no room for the sums of the day
    usage: Usage | None

    def logged(self, device: int, seq: int) -> LogEntry | None:
        """The log's entry of a sale."""
        return next((entry for entry in self.log if (entry.device, entry.seq) == (device, seq)), None)


def read(keys: CardKeys, random: Random) -> Conversation[CardView]:
    """Read everything, with the pump key. CardError for a card that is blank, foreign or damaged."""
    session = AdminSession()
    yield from _open(session, card_layout.KEY_PUMP, keys.pump, random)
    try:
        identity = yield from session.read_data(card_layout.FILE_IDENTITY, 0, card_layout.IDENTITY_SIZE)
        limits = yield from session.read_data(card_layout.FILE_LIMITS, 0, card_layout.LIMITS_SIZE)
        state = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
        balance_fen = yield from session.get_value(card_layout.FILE_PURSE)
        points = yield from session.get_value(card_layout.FILE_POINTS)
        if not any(identity):
            raise CardError("这张卡尚未制完，请重新发卡 this card was never completed: issue it again")
        if not (keys.signed(identity, card_layout.IDENTITY_SIGNED) and keys.signed(limits, card_layout.LIMITS_SIGNED)):
            raise CardError("卡内数据签名不符，请扣留此卡 the card's contents are not what was issued: keep this card")
        kind, issuer, card_no, company, grades, expiry, issued_at, _, flags = card_layout.unpack_identity(identity)
        plate, demanded = rules.unpacked(limits)
        has_usage, usage = bool(flags & card_layout.FLAG_USAGE), None
        if has_usage:
            data = yield from session.read_data(card_layout.FILE_USAGE, 0, card_layout.USAGE_SIZE)
            usage = Usage(*card_layout.unpack_usage(data))
        log = yield from session.read_records(card_layout.FILE_LOG, card_layout.LOG_SIZE)
        counter, device, seq, fen, at, last_load, tries = card_layout.unpack_state(state)
        number = numbers.from_bcd(card_no)
    except (desfire.DesfireError, ValueError) as error:
        raise CardError(f"卡内数据损坏 the card's data are damaged ({error})") from None
    return CardView(
        uid=keys.uid,
        card_no=number,
        kind=kind,
        issuer=issuer,
        company=company,
        grades=grades,
        expiry=expiry,
        issued_at=issued_at,
        plate=plate,
        balance_fen=balance_fen,
        counter=counter,
        open=Reservation(device, seq, fen, at) if device else None,
        last_load=last_load,
        tries=tries,
        points=points,
        log=tuple(LogEntry(*card_layout.unpack_log(record)) for record in log),
        rules=demanded,
        has_usage=has_usage,
        usage=usage,
    )


def settle(keys: CardKeys, random: Random, view: CardView, sale: Reservation, entry: LogEntry) -> Conversation[None]:
    """Close the reservation of a sale that cost entry.amount_fen: the rest goes back, log and usage get the sale.

    Conditional on the state and in one commit: it can be tried any number of times and happens once. view: the card
    as it was read; an account's card holds no money to give back.
    """
    session = AdminSession()
    yield from _open(session, card_layout.KEY_PUMP, keys.pump, random)
    state = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
    counter, device, seq, fen, _, last_load, tries = card_layout.unpack_state(state)
    if (device, seq, fen) != (sale.device, sale.seq, sale.fen):
        return
    if view.has_usage and view.rules.needs_usage:
        data = yield from session.read_data(card_layout.FILE_USAGE, 0, card_layout.USAGE_SIZE)
        used = after(card_layout.unpack_usage(data), entry.amount_fen, entry.volume_ml)
        yield from session.write_data(card_layout.FILE_USAGE, 0, card_layout.pack_usage(*used))
    if view.kind != card_layout.KIND_ACCOUNT:
        yield from session.limited_credit(card_layout.FILE_PURSE, fen - entry.amount_fen)
    yield from session.write_data(
        card_layout.FILE_STATE, 0, card_layout.pack_state(counter, last_load=last_load, tries=tries)
    )
    log = card_layout.pack_log(
        entry.at,
        entry.device,
        entry.seq,
        entry.counter,
        entry.volume_ml,
        entry.amount_fen,
        entry.price_fen_per_l,
        entry.grade,
        entry.nozzle,
        entry.reason,
    )
    yield from session.write_record(card_layout.FILE_LOG, log)
    yield from session.commit()


def take_out(keys: CardKeys, random: Random, amount_fen: int, refund_id: int) -> Conversation[None]:
    """Debit amount_fen at the desk, unless the card's last load is refund_id already; the id goes on with it.

    CardError: nothing was done. CardLost: whether it was done stands in the card's last load at the next contact.
    """
    session = AdminSession()
    yield from _open(session, card_layout.KEY_CREDIT, keys.credit, random)
    state = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
    counter, device, _, _, _, last_load, tries = card_layout.unpack_state(state)
    if last_load == refund_id:
        return
    if device:
        raise CardError("卡上有未结算的交易，请先结算 a sale is open on the card: settle it first")
    balance_fen = yield from session.get_value(card_layout.FILE_PURSE)
    if balance_fen < amount_fen:
        raise CardError("卡内余额不足，请取消退款后重新申请 the card holds less: cancel the refund and ask again")
    yield from session.debit(card_layout.FILE_PURSE, amount_fen)
    state = card_layout.pack_state(counter, last_load=refund_id, tries=tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    yield from session.commit()


def write_rules(keys: CardKeys, random: Random, plate: str, new: Rules) -> Conversation[None]:
    """Put other rules on the card, with the credit key; wrong PINs are forgiven in the same commit.

    CardError if a reservation is open. CardLost: the card has the old rules or the new ones whole.
    """
    session = AdminSession()
    yield from _open(session, card_layout.KEY_CREDIT, keys.credit, random)
    state = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
    counter, device, _, _, _, last_load, _ = card_layout.unpack_state(state)
    if device:
        raise CardError("卡上有未结算的交易，请先结算 a sale is open on the card: settle it first")
    yield from session.write_data(card_layout.FILE_LIMITS, 0, keys.sign(new.packed(plate)))
    yield from session.write_data(card_layout.FILE_STATE, 0, card_layout.pack_state(counter, last_load=last_load))
    yield from session.commit()


def _open(session: AdminSession, key_no: int, key: bytes, random: Random) -> Conversation[None]:
    try:
        yield from session.select(card_layout.AID)
        yield from session.authenticate(key_no, key, random(16))
    except desfire.DesfireError as error:
        if error.status == desfire.NO_SUCH_APPLICATION:
            raise CardError("这是一张未发行的卡 this card has not been issued") from None
        raise CardError("卡的密钥不属于本站 the card's keys are not this issuer's") from None
