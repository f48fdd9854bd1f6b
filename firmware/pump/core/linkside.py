"""The half of the controller that the link talks to. Everything comes in verified and parsed (pump/link.py)."""

from pump.core import alarms, codes, records, settings, view

LOCK_NAME = b"locked"  # SETTING record by which locks outlive power
METER_ID = b"meter_id"  # SETTING: new is the crc of board and meters that belong together, old counts strange starts
LEAST_PRICE_FEN, MOST_PRICE_FEN = 1, 99999
LIST_BLACK = 1  # LIST.list


class LinkSide:
    errand = None  # what is fetched from the station part by part while idle: an object with ask, part, work (fetch.py)
    upload = None  # what goes up on request: a generator of (leaf, at most 1,024 bytes)

    def journal_ack(self, seq):
        """The station committed everything up to and with seq. Never frees what it did not name; ignores nonsense."""
        return self.journal.ack(seq)

    def set_tariff(self, version, effective, prices):
        """prices: {grade: fen per litre}; effective: Unix time. Takes effect when due and no sale runs.

        False (and nothing changed) for a version not above the last, a price outside 1..99999, or while one that is due
        waits for the end of a sale: the coming one must not push it out.
        """
        newest = self.next_tariff[0] if self.next_tariff else self.tariff
        for price in prices.values():
            if type(price) is not int or not LEAST_PRICE_FEN <= price <= MOST_PRICE_FEN:
                return False
        if version <= newest or not prices:
            return False
        if self.next_tariff and not self.delivery.sale and not self.delivery.reserving:
            self.change_prices()
        if self.next_tariff and self.next_tariff[1] <= self.now_s:
            return False
        self.next_tariff = version, effective, prices
        return True

    def change_prices(self):
        """Called while no sale runs: put a tariff in force whose time has come."""
        version, effective, prices = self.next_tariff
        if effective > self.now_s and self.prices:
            return
        for nozzle in range(len(self.config.grades)):
            grade = self.config.grades[nozzle]
            old, new = self.prices.get(grade, 0), prices.get(grade, 0)
            if old != new:
                self.append(records.PRICE, (version, nozzle, grade, old, new, effective & 0xFFFFFFFF))
        self.tariff, self.prices, self.next_tariff = version, prices, None

    def set_settings(self, version, values):
        """values: {name: int} (core/settings.py). Returns "" or the reason why nothing was changed."""
        if version <= self.settings.version:
            return "version does not rise"
        why = settings.refuse(values)
        if not why:
            self.settings.version = version
            for name in values:
                old = getattr(self.settings, name)
                if old != values[name]:
                    self.append(records.SETTING, (version, name.encode(), old, values[name]))
                    setattr(self.settings, name, values[name])
        return why

    def set_blacklist(self, version, made, cards):
        """cards: bytes, the 8-byte BCD card numbers one after the other, in rising order.

        False (and the old list stays) for a version not above the last or numbers out of order.
        """
        if version <= self.blacklist_version or len(cards) % 8:
            return False
        last = b""
        for at in range(0, len(cards), 8):
            card = cards[at : at + 8]
            if last >= card:
                return False
            last = card
        self.blacklist_version, self.blacklist = version, cards
        self.append(records.LIST, (LIST_BLACK, version, len(cards) // 8, made & 0xFFFFFFFF))
        return True

    def command(self, name):
        """lock, unlock or stop. Returns "" or the reason why not. Repetition by id is the link's matter."""
        if name == "lock":
            self.lock(self.locked | view.LOCK_REMOTE)
        elif name == "unlock":
            self.pulser_faults = self.overruns = 0
            self.lock(0)
        elif name == "stop":
            self.delivery.stop(codes.STOP_REMOTE)
        elif name[:6] == "trace:" and self.trace:
            from pump.core import traces

            self.upload = traces.upload(self.trace, int(name[6:]))
        else:
            return "unknown command"
        return ""

    def lock(self, locked):
        """Set the locks (bits view.LOCK_*); they outlive power. A running sale goes on to its end."""
        if locked != self.locked:
            self.append(records.SETTING, (self.settings.version, LOCK_NAME, self.locked, locked))
            self.locked = locked

    def take_ask(self):
        """The next question for the station as a dict for topic `ask` (once), or None."""
        asking, self.asking = self.asking, None
        return asking

    def next_part(self):
        """The question for the next part of what is being fetched, a dict without id, or None. Only while idle."""
        return self.errand.ask() if self.errand and not self.busy else None

    def part(self, message, data):
        """The answer to it: at (offset) and so many bytes."""
        if self.errand and not self.busy:
            self.errand.part(message["at"], data)

    def take_upload(self):
        """The next (leaf, bytes) for a topic of that name, or None."""
        if self.upload:
            for one in self.upload:
                return one
            self.upload = None
        return None

    def answer(self, message):
        """The parsed payload of topic `answer`; one that fits no open question is ignored."""
        self.answered = message

    def raise_alarm(self, code, nozzle, value):
        """For adapters (reader, display, clock, exception): journalled once until cleared. nozzle 255: none."""
        alarms.put(self, code, nozzle, True, value)

    def clear_alarm(self, code, nozzle):
        alarms.put(self, code, nozzle, False)

    def live(self):
        """The payload of topic `live` (docs/mqtt.md) without the key `link`."""
        v, sale = self.view, self.delivery.sale
        out = {"s": v.state, "ml": v.volume_ml, "fen": v.amount_fen, "a": self.alarms}
        if v.nozzle >= 0:
            out["n"], out["g"], out["p"] = v.nozzle, v.grade, v.price_fen_per_l
        if sale:
            out["limit"], out["sale"], out["f"] = v.limit_fen, sale.seq, v.flow_ml_s
        if v.card_no and v.state not in (view.IDLE, view.NOZZLE):
            out["card"] = "".join("%02x" % b for b in v.card_no)
        return out
