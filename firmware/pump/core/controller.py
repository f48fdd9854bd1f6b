"""The pump's controller: everything that decides, nothing that touches hardware, network or clock.

How a board uses it (adapters in firmware/pump, the simulation in tools/sim):

    config = Config(identity)                                   # the parsed identity.json
    controller = Controller(config, Journal(flash, config.device, config.journal_key),
                            Checkpoint(small_flash), os.urandom)
    controller.start(now_ms, now_s, quality, cause, software)   # recovery and BOOT record, once, before the first step
    every 10 ms: fill controller.inputs; controller.step(now_ms, now_s, quality); apply controller.outputs
    when not controller.busy: controller.idle_work()           # may erase one flash sector (45 ms)

A flash is an object with `sectors` (of 4096 bytes), `readinto(addr, buf)`, `program(addr, data)` (clears bits only, any
address and length within a sector) and `erase(sector)`.

The reader task: on a new card `card_arrived(uid)`, when it has gone `card_left()`. Whenever `take_job()` returns a
generator, pump it: `frame = gen.send(answer)`; a frame is bytes (native DESFire command + data), the answer status byte +
data; a yielded None means "nothing to send now, ask me again in about 50 ms" (send None back). If the card does not
answer throw desfire.CardLost into the generator. At StopIteration call `card_done(value)`, at any other exception
`card_failed(error)`. A job begins with SelectApplication, so the reader may re-activate the card between jobs.

Order of acts for people. slot: insert card, key a preset if wanted, lift; or lift, then insert. tap: lift, then tap; a
second tap after hanging up settles; a tap with no nozzle up shows the balance. Keys: digits with `A` (yuan) or `B` (litres)
before or after them, `#` confirms, `C` or `*` clears and cancels, `D` next page.
"""


import cmac
from pump.core import (
    alarms,
    codes,
    cutoff,
    delivery,
    entry,
    journal,
    limits,
    metering,
    purse,
    records,
    recovery,
    settings,
    signals,
    tariff,
    ticks,
    unsettled,
    view,
    visit,
)

HOUSEKEEPING_MS = 250


class Controller:
    """See the module's text. Public attributes: inputs, outputs (core/signals.py), view (core/view.py), config, journal,
    tariff, settings, blacklist, locked (bits view.LOCK_*), boot_id, uptime_ms, link_online (set by the link)."""

    def __init__(self, config, journal, checkpoint, random):
        """random(n): n fresh random bytes."""
        self.config = config
        self.journal = journal
        self.checkpoint = checkpoint
        self.random = random
        self.issuer_mac = cmac.Cmac(config.issuer_key)
        self.inputs = signals.Inputs()
        self.outputs = signals.Outputs()
        self.view = view.View()
        self.settings = settings.Settings()
        self.tariff = tariff.Tariff()
        self.blacklist = limits.Blacklist()
        self.entry = entry.Entry()
        self.alarms = alarms.Alarms(self)
        self.unsettled = unsettled.Unsettled()
        self.meters = [metering.Meter(p) for p in config.pulses_per_l]
        self.cutoff = cutoff.FixedAdvance(self.settings.big_advance_ml, self.settings.small_advance_ml)
        self.delivery = delivery.Delivery(self)
        self.buffer = bytearray(records.SIZE)
        self.now_ms = self.now_s = self.quality = 0
        self.uptime_ms = 0  # does not wrap
        self.boot_id = 0
        self.locked = 0
        self.hazard = False
        self.moved = False  # the running sale's meter moved in this tick
        self.unlogged = 0  # records of no sale that found the journal full
        self.link_online = False
        self.present = None  # uid of the card on the reader
        self.answered = None
        self._asking = None
        self._ask_id = ""
        self._job_wanted = self._job_runs = False
        self._tries = 0
        self._statement = 0
        self._kept_ms = 0
        self._pulser_faults = self._overruns = 0

    def start(self, now_ms, now_s, quality, cause, software):
        """Recovers journal, totalizers and a sale that power loss cut; writes BOOT. software: 8 bytes."""
        self.now_ms, self.now_s, self.quality = now_ms, now_s, quality
        self.checkpoint.recover()
        self.journal.recover(self.checkpoint.acked)
        known = recovery.recover(self.journal, self.config.device, self.unsettled)
        self.boot_id = known.boot_id + 1
        self.locked = known.locked
        self.tariff.version, self.tariff.prices = known.tariff, known.prices
        self._statement = known.last_statement
        self._pulser_faults, self._overruns = known.pulser_faults, known.overruns
        for i in range(len(self.meters)):
            self.meters[i].total_ml = known.totals[i]
            self.meters[i].rebase_counts(self.inputs.edges[2 * i], self.inputs.edges[2 * i + 1])
        self.append(
            records.BOOT,
            (cause, software, min(65535, self.journal.torn), known.uptime_s) + tuple(known.totals),
        )
        recovery.end_cut_sale(self, known)
        self.alarms.recover(known.alarms)

    def step(self, now_ms, now_s, quality):
        """One control tick. now_ms wraps at 2**30, now_s is Unix time, quality as records.TIME_*."""
        self.uptime_ms += ticks.diff(now_ms, self.now_ms)
        self.now_ms, self.now_s, self.quality = now_ms, now_s, quality
        i, edges = self.inputs, self.inputs.edges
        self.outputs.buzzer = view.BEEP_NONE
        self.moved = False
        sale = self.delivery.sale
        for n in range(len(self.meters)):
            if self.meters[n].update(edges[2 * n], edges[2 * n + 1]) and sale and sale.nozzle == n:
                self.moved = True
        self.hazard = i.estop or i.tamper or not i.supply_ok
        self.delivery.step()
        if self.hazard or ticks.diff(now_ms, self._kept_ms) >= HOUSEKEEPING_MS:
            self._kept_ms = now_ms
            self.alarms.watch()
            if not self.delivery.sale and self.tariff.due(now_s):
                self._change_prices()

    def _change_prices(self):
        version, effective, prices = self.tariff.due(self.now_s)
        for n in range(len(self.config.grades)):
            grade = self.config.grades[n]
            old, new = self.tariff.price(grade), prices.get(grade, 0)
            if old != new:
                self.append(records.PRICE, (version, n, grade, old, new, effective & 0xFFFFFFFF))
        self.tariff.take()

    def idle_work(self):
        """At most one slow act (a sector erase, about 45 ms); cheap if none is due. Not while fuelling."""
        if self.journal.idle_work() or self.checkpoint.make_room():
            return
        self.checkpoint.keep_acked(self.journal.acked)
        if self.journal.head - self._statement > self.journal.restate_every:
            self._state_again()

    def _state_again(self):
        """Everything that recovery needs, before it falls out of recovery's window."""
        totals = [m.total_ml for m in self.meters] + [0, 0, 0]
        self._statement = self.append(records.SHIFT, (bytes(7), recovery.SHIFT_RESTATED) + tuple(totals[:4]))
        for n in range(len(self.config.grades)):
            grade = self.config.grades[n]
            price = self.tariff.price(grade)
            if price:
                self.append(records.PRICE, (self.tariff.version, n, grade, price, price, 0))
        if self.locked:
            self.append(records.SETTING, (self.settings.version, recovery.LOCK_NAME, self.locked, self.locked))
        self.alarms.state_again()

    @property
    def busy(self):
        """True while a nozzle is up, a sale runs or a card is talked to: no erase, no TLS handshake, no restart now."""
        forgotten = self.alarms.active(codes.ALARM_NOZZLE_OFF)
        return bool(self.delivery.sale or self._job_runs or self.inputs.lifted and not forgotten)

    def append(self, kind, fields):
        """Commit a record; returns its sequence number. What belongs to no sale is counted and left out (0) when full."""
        j = self.journal
        if not records.START <= kind <= records.VOID and j.free <= journal.RESERVE:
            self.unlogged += 1
            return 0
        return j.append(kind, self.boot_id, self.uptime_ms // 1000, self.now_s, self.quality, fields)

    def beep(self, code):
        self.outputs.buzzer = code

    # -- the card
    def card_arrived(self, uid):
        """uid: 7 bytes."""
        self.present = uid
        self._tries = 3
        self.want_job()

    def card_left(self):
        self.present = None
        if self.view.notice in (view.NOTICE_REFUSED, view.NOTICE_READING, view.NOTICE_REMOVE):
            self.view.notice = view.NOTICE_NONE

    def want_job(self):
        self._job_wanted = True

    def take_job(self):
        """A generator of native frames to be pumped by the reader task, or None."""
        if not self._job_wanted or self._job_runs or self.delivery.sale or self.present is None:
            return None
        self._job_wanted, self._job_runs = False, True
        self.view.notice = view.NOTICE_READING
        return visit.visit(self, self.present)

    def card_done(self, result):
        self._job_runs = False
        self.delivery.broken()
        if self.view.notice == view.NOTICE_READING:
            self.view.notice = view.NOTICE_NONE

    def card_failed(self, error):
        """The conversation broke off (desfire.CardLost) or failed. While the card is there it is tried again, thrice."""
        self._tries -= 1
        self._job_runs, self._job_wanted = False, self._tries > 0
        self._asking = None
        self.delivery.broken()
        self.view.notice = view.NOTICE_AGAIN

    def card_unreadable(self, uid):
        """A card that is no DESFire or does not answer to activation: refusal record, text and beep."""
        self.refuse(limits.Card((uid + bytes(7))[:7]), codes.REFUSE_UNREADABLE, 0)

    def refuse_now(self, code):
        raise purse.Refused(code)

    def refuse_sale(self, card, grade, price):
        """purse.Refused if this pump cannot sell this grade to this card now."""
        if self.locked or self.hazard:
            raise purse.Refused(codes.REFUSE_LOCKED)
        code = limits.refuse_grade(card, grade)
        if code:
            raise purse.Refused(code)
        if not price:
            raise purse.Refused(codes.REFUSE_NO_PRICE)
        if self.journal.free <= journal.RESERVE or not self.unsettled.room(self.journal.acked):
            raise purse.Refused(codes.REFUSE_JOURNAL_FULL)

    def refuse(self, card, code, detail):
        """Tell, beep and record that the card was refused."""
        self.delivery.broken()
        self.delivery.accepted = False
        self.view.notice, self.view.refusal = view.NOTICE_REFUSED, code
        self.beep(view.BEEP_REFUSED)
        nozzle = self.view.nozzle if self.inputs.lifted else 255
        grade = self.config.grades[nozzle] if 0 <= nozzle < len(self.config.grades) else 0
        self.append(
            records.REFUSAL,
            (card.uid, card.card_no, code, nozzle & 255, grade, detail, max(0, card.balance_fen), card.counter),
        )

    def show_nozzle(self, nozzle):
        self.view.nozzle = nozzle
        if nozzle >= 0:
            self.view.grade = self.config.grades[nozzle]
            self.view.price_fen_per_l = self.tariff.price(self.view.grade)

    def sale_ended(self, sale, over_ml):
        """Strikes: pulser faults and overruns in a row lock the pump."""
        s = self.settings
        self._pulser_faults = self._pulser_faults + 1 if sale.reason == codes.STOP_PULSER else 0
        self._overruns = self._overruns + 1 if over_ml > s.overrun_lock_ml else 0
        if self._pulser_faults:
            self.alarms.raise_(codes.ALARM_PULSER, sale.nozzle, self._pulser_faults)
            if self._pulser_faults >= s.pulser_lock:
                self.lock(view.LOCK_PULSER)
        else:
            self.alarms.clear(codes.ALARM_PULSER, sale.nozzle)
        if self._overruns:
            self.alarms.raise_(codes.ALARM_OVERRUN, sale.nozzle, self._overruns)
            if self._overruns >= 3:
                self.lock(view.LOCK_OVERRUN)

    def lock(self, bits):
        self._set_locked(self.locked | bits)

    def _set_locked(self, locked):
        if locked != self.locked:
            self.append(records.SETTING, (self.settings.version, recovery.LOCK_NAME, self.locked, locked))
            self.locked = locked

    def flush_leak(self, nozzle):
        self.alarms.flush_leak(nozzle)

    # -- the keypad
    def key(self, ch):
        """One key: 0-9 A B C D * #."""
        v = self.view
        if ch == "C" or ch == "*":
            self.entry.clear()
            self.delivery.cancel()
        elif ch == "D":
            v.page = (v.page + 1) % 2
        elif not self.entry.key(ch):
            return
        v.entry, v.entry_kind = self.entry.digits, self.entry.kind
        v.preset_kind, v.preset_value = self.entry.preset_kind, self.entry.preset_value
        self.beep(view.BEEP_KEY)

    # -- the simulation's hints (a board steps every 10 ms and needs none)
    def next_ms(self):
        """Milliseconds after the last step by which a step has something to do although no input changes."""
        return self.delivery.next_ms()

    def next_counts(self):
        """(nozzle, directed sum) at which a step has something to do, or None."""
        return self.delivery.next_counts()

    # -- the link. All of these are called with verified and parsed values.
    def journal_ack(self, seq):
        """The station committed everything up to and with seq. Never frees what it did not name; ignores nonsense."""
        return self.journal.ack(seq)

    def set_tariff(self, version, effective, prices):
        """prices: {grade: fen per litre}; effective: Unix time. Takes effect when due and no sale runs.
        False (and nothing changed) for a version not above the last or a price outside 1..99999."""
        return self.tariff.offer(version, effective, prices)

    def set_settings(self, version, values):
        """values: {name: int} (core/settings.py). Returns "" or the reason why nothing was changed."""
        s = self.settings
        if version <= s.version:
            return "version does not rise"
        why = s.refuse(values)
        if not why:
            s.version = version
            for name in values:
                old = getattr(s, name)
                if old != values[name]:
                    self.append(records.SETTING, (version, name.encode(), old, values[name]))
                    setattr(s, name, values[name])
            self.cutoff.big_advance_ml, self.cutoff.small_advance_ml = s.big_advance_ml, s.small_advance_ml
        return why

    def set_blacklist(self, version, made, cards):
        """cards: bytes, the 8-byte BCD card numbers one after the other, in rising order. False: version not above the last."""
        if not self.blacklist.replace(version, made, cards):
            return False
        self.append(records.LIST, (1, version, len(self.blacklist), made))
        return True

    def command(self, name):
        """lock, unlock or stop. Returns "" or the reason why not. Repetition by id is the link's matter."""
        if name == "lock":
            self.lock(view.LOCK_REMOTE)
        elif name == "unlock":
            self._pulser_faults = self._overruns = 0
            self._set_locked(0)
        elif name == "stop":
            self.delivery.stop(codes.STOP_REMOTE)
        else:
            return "unknown command"
        return ""

    def ask_unfinished(self, card):
        """Put the question for the end of the sale that is open on the card. False without a link."""
        if not self.link_online:
            return False
        self._ask_id = "%08x" % int.from_bytes(self.random(4), "big")
        self.answered = None
        self._sale_asked = [card.open_device, card.open_seq]
        self._asking = {
            "id": self._ask_id, "ask": "unfinished", "uid": "".join("%02x" % b for b in card.uid),
            "sale": self._sale_asked, "counter": card.counter,
        }
        return True

    def take_ask(self):
        """The next question for the station as a dict for topic `ask` (once), or None."""
        asking, self._asking = self._asking, None
        return asking

    def answer(self, message):
        """The parsed payload of topic `answer`; one that fits no open question is ignored."""
        if self._ask_id and message.get("id") == self._ask_id:
            self.answered = message
            self._ask_id = ""

    def take_answer(self):
        """The answer to ask_unfinished() if it names that sale and an end, else None."""
        message, self.answered, self._ask_id = self.answered, None, ""
        if message is None or message.get("unknown") or message.get("sale") != self._sale_asked:
            return None
        for name in ("amount_fen", "volume_ml", "grade", "price", "reason"):
            if type(message.get(name)) is not int or not 0 <= message[name] < 0x80000000:
                return None
        return message

    def raise_alarm(self, code, nozzle, value):
        """For adapters (reader, display, clock, exception): journalled once until cleared. nozzle 255: none."""
        self.alarms.raise_(code, nozzle, value)

    def clear_alarm(self, code, nozzle):
        self.alarms.clear(code, nozzle)

    def live(self):
        """A dict for topic `live` (docs/mqtt.md) without the key `link`."""
        return view.live(self)
