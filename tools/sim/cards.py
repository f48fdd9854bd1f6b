"""Cards for the simulation: personalised from blank through the issuing desk's own frames, money put on directly."""

import random

from desfire_run import run
from pump.core import card_layout
from station.cards.keys import CardKeys
from station.cards.personalise import personalise
from station.cards.rules import Rules
from tools.bench import desfire_files
from tools.bench.desfire_card import DesfireCard

ISSUING, PUMP, CREDIT, ISSUER = (bytes([n]) * 16 for n in (0x11, 0x22, 0x33, 0x44))
ISSUER_NO = 1
EXPIRY = 2_000_000_000


class _Secrets:
    issuing, pump, credit, issuer = ISSUING, PUMP, CREDIT, ISSUER


def keys_of(uid: bytes) -> CardKeys:
    """The diversified keys of a card."""
    return CardKeys.of(_Secrets(), uid)  # type: ignore[arg-type]


def make_card(
    rng: random.Random,
    number: int,
    balance_fen: int,
    grades: int = 0b11110,
    fill_ml: int = 0,
    kind: int = card_layout.KIND_REGISTERED,
    company: int = 0,
    rules: Rules | None = None,
    pin: str = "",
    flags: int = card_layout.FLAG_USAGE,
) -> DesfireCard:
    """A card as the desk issues it, holding balance_fen. rules: stand in for fill_ml."""
    uid = b"\x04" + rng.randbytes(2) + number.to_bytes(4, "big")
    card = DesfireCard.blank(uid, rng.randbytes)
    keys = keys_of(uid)
    card_no = bytes.fromhex(f"6200{number:012d}")
    identity = card_layout.pack_identity(kind, ISSUER_NO, card_no, company, grades, EXPIRY, EXPIRY - 1000, 1, flags)
    demanded = (rules or Rules(fill_ml)).with_pin(keys, pin, rng.randbytes)
    conversation = personalise(
        keys,
        keys.sign(identity),
        keys.sign(demanded.packed("SIM")),
        card_layout.PURSE_UPPER_REGISTERED_FEN,
        rng.randbytes,
        replace=False,
    )
    run(conversation, card.exchange)
    purse = card.applications[card_layout.AID].files[card_layout.FILE_PURSE]
    assert isinstance(purse, desfire_files.ValueFile)
    purse.value = balance_fen
    card.reset()
    return card


def held_fen(card: DesfireCard) -> int:
    """Money on the card: its value and what is reserved on it."""
    files = card.peek(card_layout.AID)
    value, state = files[card_layout.FILE_PURSE], files[card_layout.FILE_STATE]
    assert isinstance(value, int)
    assert isinstance(state, bytes)
    _, device, _, fen, _, _, _ = card_layout.unpack_state(state)
    return value + (fen if device and not on_account(card) else 0)


def on_account(card: DesfireCard) -> bool:
    """True for a card that holds no money: a reservation on it is a promise of its account."""
    identity = card.peek(card_layout.AID)[card_layout.FILE_IDENTITY]
    assert isinstance(identity, bytes)
    return bool(card_layout.unpack_identity(identity)[0] == card_layout.KIND_ACCOUNT)


def counter(card: DesfireCard) -> int:
    """The purse counter: how many reservations the card has taken."""
    state = card.peek(card_layout.AID)[card_layout.FILE_STATE]
    assert isinstance(state, bytes)
    return int(card_layout.unpack_state(state)[0])


def open_sale(card: DesfireCard) -> tuple[int, int] | None:
    """(device, seq) of the reservation that is open on the card."""
    state = card.peek(card_layout.AID)[card_layout.FILE_STATE]
    assert isinstance(state, bytes)
    _, device, seq, _, _, _, _ = card_layout.unpack_state(state)
    return (device, seq) if device else None
