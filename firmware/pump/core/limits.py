"""May this card be used here? What was read off it; expiry, station, hour: codes.REFUSE_*, 0: yes."""

from pump.core import card_layout, codes, records


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
        self.kind = self.lease = self.odometer_km = self.company = 0
        self.driver_no = bytes(8)
        self.day_fen = self.day_fills = self.hours = self.odometer_rule = self.rules = 0
        self.salt = self.digest = b""
        self.usage = None  # core/usage.py; None: no rule of this card needs it
        self.most_fen = 0x3FFFFFFF  # what the rules of the day leave

    @property
    def role(self):
        """A card of the staff: it does something else than buy fuel."""
        return card_layout.KIND_MANAGER <= self.kind <= card_layout.KIND_SERVICE or self.kind == card_layout.KIND_STAFF


def refuse(card, station_no, now_s, quality):
    """For any use of the card at this pump; the wall time counts only where it is known."""
    if card.expiry and quality != records.TIME_UNKNOWN and now_s >= card.expiry:
        return codes.REFUSE_EXPIRED
    if any(card.stations) and station_no not in card.stations:
        return codes.REFUSE_STATION
    if card.hours:
        if quality == records.TIME_UNKNOWN:
            return codes.REFUSE_CLOCK
        if not card.hours >> (now_s + card_layout.DAY_OFFSET_S) // 3600 % 24 & 1:
            return codes.REFUSE_HOURS
    return 0
