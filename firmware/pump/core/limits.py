"""May this card fuel here? Signature, issuer, expiry, blacklist, station, grade: refusal codes of core/codes.py, 0: yes."""

from pump.core import card_layout, codes, records


class Card:
    """What was read off a card at this contact."""

    def __init__(self, uid):
        self.uid = uid
        self.card_no = bytes(8)
        self.kind = 0
        self.grades = 0
        self.expiry = 0
        self.plate = b""
        self.fill_ml = 0
        self.stations = (0, 0, 0, 0)
        self.hours = 0
        self.balance_fen = 0
        self.set_state(0, 0, 0, 0, 0, 0, 0)

    def set_state(self, counter, device, seq, fen, time, last_load, tries):
        self.counter = counter
        self.open_device, self.open_seq, self.open_fen, self.open_time = device, seq, fen, time
        self.last_load, self.tries = last_load, tries


def take_identity(card, data, issuer, issuer_mac):
    """Fill card from the identity file. issuer_mac: a cmac.Cmac under the issuer's key. Returns a refusal code or 0."""
    signed = data[: card_layout.IDENTITY_SIGNED]
    if issuer_mac.of(card.uid + signed) != data[card_layout.IDENTITY_SIGNED :]:
        return codes.REFUSE_DAMAGED
    try:
        kind, who, card_no, _, grades, expiry, _, _, _ = card_layout.unpack_identity(signed)
    except ValueError:
        return codes.REFUSE_DAMAGED
    card.kind, card.card_no, card.grades, card.expiry = kind, bytes(card_no), grades, expiry
    return 0 if who == issuer else codes.REFUSE_WRONG_ISSUER


def take_limits(card, data, issuer_mac):
    """Fill card from the limits file. Returns a refusal code or 0."""
    signed = data[: card_layout.LIMITS_SIGNED]
    if issuer_mac.of(card.uid + signed) != data[card_layout.LIMITS_SIGNED :]:
        return codes.REFUSE_DAMAGED
    try:
        card.plate, card.fill_ml, _, _, card.stations, card.hours, _, _, _ = card_layout.unpack_limits(signed)
    except ValueError:
        return codes.REFUSE_DAMAGED
    return 0


def refuse(card, station_no, now_s, quality, blacklist):
    """For any use of the card at this pump; the wall time counts only where it is known."""
    if blacklist.contains(card.card_no):
        return codes.REFUSE_BLACKLISTED
    if card.expiry and quality != records.TIME_UNKNOWN and now_s >= card.expiry:
        return codes.REFUSE_EXPIRED
    if any(card.stations) and station_no not in card.stations:
        return codes.REFUSE_STATION
    return 0


def refuse_grade(card, grade):
    """For a nozzle of this grade."""
    return 0 if card.grades >> grade & 1 else codes.REFUSE_GRADE


class Blacklist:
    """Card numbers (8 bytes BCD) one after the other in rising order: one block of memory, binary search."""

    def __init__(self):
        self.version = 0
        self.made = 0
        self._cards = b""

    def replace(self, version, made, cards):
        """False, and the old list stays, if version does not rise or the cards are not in rising order."""
        if version <= self.version or len(cards) % 8:
            return False
        for at in range(8, len(cards), 8):
            if cards[at - 8 : at] >= cards[at : at + 8]:
                return False
        self.version, self.made, self._cards = version, made, cards
        return True

    def __len__(self):
        return len(self._cards) // 8

    def contains(self, card_no):
        low, high = 0, len(self._cards) // 8
        while low < high:
            middle = (low + high) // 2
            if self._cards[middle * 8 : middle * 8 + 8] < card_no:
                low = middle + 1
            else:
                high = middle
        return self._cards[low * 8 : low * 8 + 8] == card_no
