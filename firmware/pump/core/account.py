"""Cards of accounts (fleets): they hold no money; the station says how much, and lends ahead for times without it.

ctl.leases holds what is lent to this pump: (lease, account, left_fen, left_count, expires), one per account at most. A
lease stands in the journal (LEASE) before it is used, sales name it (START, END), END counts it down, and recovery
reads the same records: what the station lent and what was sold can never drift apart (docs/accounts.md). A board loads
this module when such a card comes and drops it afterwards.
"""

import binascii

from pump.core import codes, records

ASK_MS = 2000
MOST = 8  # accounts; beyond that the lease that ends first makes room


def authorise(ctl, ask, card):
    """Generator: the code of a refusal, or 0; then card.lease and card.balance_fen are set, as if what may be sold were
    on the card. ask: visit.ask."""
    held = _held(ctl, card.company)
    if ctl.link_online:
        answer = yield from ask(ctl, _question(ctl, card, held), ASK_MS)
        if answer:
            return _answered(ctl, card, held, answer)
    if not held or not _is_good(ctl, held):
        return codes.REFUSE_OFFLINE
    return _use(card, held)


def _use(card, held):
    card.lease, card.balance_fen = held[0], held[2] + 1
    return 0


def _question(ctl, card, held):
    v = ctl.view
    want_fen = ctl.settings.max_sale_fen
    if v.preset_kind == codes.PRESET_MONEY:
        want_fen = min(want_fen, v.preset_value)
    return {
        "ask": "authorise",
        "uid": binascii.hexlify(card.uid).decode(),
        "want": want_fen,
        "held": held[0] if held else 0,
        "head": ctl.journal.head,
        "grade": ctl.config.grades[ctl.delivery.lifted()],
    }


def _answered(ctl, card, held, answer):
    lease, fen, ahead = _number(answer.get("lease")), _number(answer.get("fen")), answer.get("offline")
    if not lease or not fen:
        if held and answer.get("stopped"):
            _write(ctl, (held[0], card.company, 0, 0, held[4]), records.LEASE_ENDED)
        elif held and _is_good(ctl, held) and answer.get("exhausted"):
            return _use(card, held)  # the rest of the credit line is what lies here
        return _number(answer.get("refused")) & 255 or codes.REFUSE_ACCOUNT
    if isinstance(ahead, list) and len(ahead) == 4 and all([_number(value) for value in ahead]):
        _take(ctl, (ahead[0], card.company, ahead[1], min(ahead[2], 65535), ahead[3]))
    card.lease, card.balance_fen = lease, fen + 1
    return 0


def _take(ctl, lease):
    """A lease is taken by writing it down; it replaces the one of its account."""
    others = [x for x in ctl.leases if x[1] != lease[1]]
    if len(others) >= MOST:
        first = min(others, key=_expires)
        _write(ctl, (first[0], first[1], 0, 0, first[4]), records.LEASE_ENDED)
    _write(ctl, lease, records.LEASE_GRANTED)


def _write(ctl, lease, how):
    if ctl.append(records.LEASE, lease + (how,)):
        ctl.leases = [x for x in ctl.leases if x[1] != lease[1]] + ([lease] if lease[2] else [])


def _held(ctl, account):
    for lease in ctl.leases:
        if lease[1] == account:
            return lease
    return None


def _is_good(ctl, lease):
    """Its end can be told only where the time is known."""
    return lease[2] > 0 and lease[3] > 0 and ctl.quality != records.TIME_UNKNOWN and ctl.now_s < lease[4]


def _expires(lease):
    return lease[4]


def _number(value):
    """A whole number of 32 bits above 0, otherwise 0."""
    return value if type(value) is int and 0 < value < 0x80000000 else 0
