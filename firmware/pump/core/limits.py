"""May this card fuel here? What was read off it; expiry, blacklist, station: refusal codes of core/codes.py, 0: yes."""

from pump.core import codes, records


class Card:
    """What was read off a card at this contact."""

    def __init__(self, uid):
        self.uid = uid
        self.card_no = bytes(8)
        self.grades = self.expiry = self.fill_ml = self.balance_fen = self.counter = 0
        self.plate = b""
        self.stations = (0, 0, 0, 0)
        self.open_device = self.open_seq = self.open_fen = 0
        self.last_load = self.tries = 0
        self.kind = self.lease = self.odometer_km = 0
        self.driver_no = bytes(8)


def refuse(card, station_no, now_s, quality, blacklist):
    """For any use of the card at this pump; the wall time counts only where it is known."""
    if listed(blacklist, card.card_no):
        return codes.REFUSE_BLACKLISTED
    if card.expiry and quality != records.TIME_UNKNOWN and now_s >= card.expiry:
        return codes.REFUSE_EXPIRED
    if any(card.stations) and station_no not in card.stations:
        return codes.REFUSE_STATION
    return 0


def listed(cards, card_no):
    """Is card_no among cards: numbers (8 bytes of BCD) one after the other in rising order? Binary search."""
    low, high = 0, len(cards) // 8
    while low < high:
        middle = (low + high) // 2
        if cards[middle * 8 : middle * 8 + 8] < card_no:
            low = middle + 1
        else:
            high = middle
    return cards[low * 8 : low * 8 + 8] == card_no
