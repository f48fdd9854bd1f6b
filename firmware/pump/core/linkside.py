"""The half of the controller that the link talks to. Everything comes in verified and parsed (pump/link.py)."""

from pump.core import alarms, codes, records, view

LOCK_NAME = b"locked"  # SETTING record by which locks outlive power
METER_ID = b"meter_id"  # SETTING: new is the crc of board and meters that belong together, old counts strange starts
LOOK_MS = 10000


class LinkSide:
    errand = image = None  # lists and firmware being fetched part by part while idle: objects as in core/fetch.py
    image_flash = None  # the firmware's two slots; None: the interpreter has no ROMFS
    update = None  # (version, why not) of the last release that the station named
    restart = False  # wanted as soon as nobody is busy
    lists = (0, 0, 0, -1, 0, 0, ())  # see core/lists.py
    list_flash = None  # where their base lies: two slots; None: changes alone, in memory
    _look_ms = 0
    upload = None  # what goes up on request: a generator of (leaf, at most 1,024 bytes)

    def journal_ack(self, seq):
        """The station committed everything up to and with seq. Never frees what it did not name; ignores nonsense."""
        return self.journal.ack(seq)

    def set_tariff(self, version, effective, prices):
        """prices: {grade: fen per litre}; effective: Unix time. Takes effect when due and no sale runs.

        In force is the highest version whose time has come, so a plan is void once a later version is due before it.
        False (and nothing changed) for a version that is known, void or past, and for a price outside 1..99999.
        """
        from pump.core import standing

        return standing.set_tariff(self, version, effective, prices)

    def change_prices(self):
        """Called while no sale runs: put the tariff in force that is due; a pump without prices takes the first."""
        if self.coming[0][1] <= self.now_s or not self.prices:
            from pump.core import standing

            standing.change_prices(self)

    def set_settings(self, version, values):
        """values: {name: int} (core/settings.py). Returns "" or the reason why nothing was changed."""
        from pump.core import standing

        return standing.set_settings(self, version, values)

    def listed(self, card):
        """(refusal code, detail) that the lists have against a card; (0, 0): none."""
        if not (self.lists[0] or self.lists[2] or self.settings.white_only):
            return 0, 0
        from pump.core import lists

        return lists.refuse(self, card)

    def lists_old(self):
        """Are the lists older than the setting allows? Not asked of a pump that never had any, or has no time."""
        limit_h = self.settings.list_age_h
        return bool(self.lists[0] and limit_h and self.quality and self.now_s - self.lists[1] > limit_h * 3600)

    def idle_link(self):
        """While idle: one step of what is fetched, or now and then a look at the lists' age."""
        fetching = self.errand or self.image
        if not (fetching and fetching.work()) and self.uptime_ms >= self._look_ms:
            self._look_ms = self.uptime_ms + LOOK_MS
            alarms.put(self, codes.ALARM_LIST_OLD, alarms.NONE, self.lists_old())

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
        fetching = self.errand or self.image
        return fetching.ask() if fetching and not self.busy else None

    def part(self, message, data):
        """The answer to it: at (offset) and so many bytes."""
        fetching = self.errand or self.image
        if fetching and not self.busy:
            fetching.part(message["at"], data)

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
