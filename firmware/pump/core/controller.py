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
generator, pump it: `frame = gen.send(answer)`; a frame is bytes (native DESFire command, data), the answer status
byte and data; a yielded None means "nothing to send now, ask me again in about 50 ms" (send None back). If the card
does not answer throw desfire.CardLost into the generator. At StopIteration call `card_done(value)`, at any other
exception `card_failed(error)`. A job begins with SelectApplication, so the reader may re-activate the card between
jobs.

Order of acts for people. slot: insert card, key a preset if wanted, lift; or lift, then insert. tap: lift, then tap; a
second tap after hanging up settles; a tap with no nozzle up shows the balance. Keys: digits with `A` (yuan) or `B`
(litres) before or after them, `#` confirms, `C` or `*` clears and cancels, `D` next page.
"""

import cmac
from pump.core import (
    alarms,
    codes,
    delivery,
    journal,
    keypad_entry,
    linkside,
    metering,
    records,
    sale,
    settings,
    signals,
    ticks,
    view,
)

HOUSEKEEPING_MS = 250
ANSWER_MS = 60000  # so long an answer of the person with the card holds: PIN typed, driver's card shown
TRIES = 3  # of a job on a card that stays on the reader


class Controller(linkside.LinkSide):
    """See the module's text. Public: inputs, outputs (core/signals.py), view (core/view.py), config, journal, settings,
    tariff (version in force), prices ({grade: fen}), alarms (tuple of codes), locked (bits view.LOCK_*), boot_id,
    uptime_ms (does not wrap), link_online (set by the link), unlogged (records of no sale that found the journal full).
    """

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
        self.meters = [metering.Meter(p) for p in config.pulses_per_l]
        self.delivery = delivery.Delivery(self)
        self.buffer = bytearray(records.SIZE)
        self.prices = {}
        self.raised = []
        self.cutoff = [None] * 4  # see core/cutoff.py
        self.alarms = ()
        self.unsettled = []  # see core/visit.py
        self.leases = []  # see core/account.py
        self.leak_ml, self.leak_ms, self.leak_from = [0] * 4, [0] * 4, [0] * 4
        self.trace = None  # keeps the pulse timeline of sales (core/trace.py), on boards with a partition for it
        self.coming = []  # tariffs planned: (version, effective, prices), the next one first
        self.asking = self.answered = self.present = None  # present: uid of the card on the reader
        self.now_ms = self.now_s = self.quality = self.uptime_ms = self.boot_id = self.unlogged = 0
        self.meter_id = self.strangers = 0  # see recovery.identify()
        self.tariff = self.locked = self.pulser_faults = self.overruns = 0
        self.statement = self.lifted_ms = self._kept_ms = self._tries = 0
        self.hazard = self.link_online = self.job_wanted = self._job_runs = False
        self.dialog = None  # what takes the keys while a person answers: an object with key(ch), see core/dialog.py
        self.answers = None  # what the person with the card has answered, see core/prompts.py
        self.role_uid, self.role_ms = b"", 0  # the last card of the staff that did something, and when
        self.duty = [bytes(8), 0, 0, 0, 0]  # staff card on duty, shift, and its sales, ml, fen: as in SHIFT records
        self.moved = False  # the running sale's meter moved in this tick

    def start(self, now_ms, now_s, quality, cause, software):
        """Recovers journal, totalizers and a sale that power loss cut; writes BOOT. software: 8 bytes."""
        from pump.core import recovery  # only now, so that the board may drop it afterwards

        self.now_ms, self.now_s, self.quality = now_ms, now_s, quality
        self.lifted_ms = self._kept_ms = now_ms
        recovery.recover(self, cause, software)
        if self.trace:
            from pump.core import traces

            traces.find(self.trace)

    def step(self, now_ms, now_s, quality):
        """One control tick. now_ms wraps at 2**30, now_s is Unix time, quality as records.TIME_*."""
        self.uptime_ms += ticks.diff(now_ms, self.now_ms)
        self.now_ms, self.now_s, self.quality = now_ms, now_s, quality
        i, edges = self.inputs, self.inputs.edges
        self.moved = False
        running = self.delivery.sale
        for n in range(len(self.meters)):
            if self.meters[n].update(edges[2 * n], edges[2 * n + 1]) and running and running.nozzle == n:
                self.moved = True
            if i.backs[n]:
                self.meters[n].swings += i.backs[n]
                i.backs[n] = 0
        if self.trace and running:
            self.trace.take(now_ms, edges)
        self.hazard = i.estop or i.tamper or not i.supply_ok
        self.delivery.step()
        if self.hazard or ticks.diff(now_ms, self._kept_ms) >= HOUSEKEEPING_MS:
            self._kept_ms = now_ms
            alarms.watch(self)
            if self.answers and not running and ticks.diff(now_ms, self.answers.at_ms) >= ANSWER_MS:
                self.answers.forget()
            if self.coming and not self.delivery.sale and not self.delivery.reserving:
                self.change_prices()

    def idle_work(self):
        """At most one slow act (a sector erase, about 45 ms); cheap if none is due. Not while fuelling."""
        if self.journal.idle_work() or self.checkpoint.make_room() or self.trace and self.trace.idle_work():
            return
        self.checkpoint.keep_acked(self.journal.acked)
        if self.journal.head - self.statement > self.journal.restate_every:
            self._state_again()
        self.idle_link()

    def _state_again(self):
        """Everything that recovery needs, before it falls out of recovery's window."""
        totals = [m.total_ml for m in self.meters] + [0, 0, 0]
        self.statement = (
            self.append(records.SHIFT, (bytes(7), codes.SHIFT_RESTATED) + tuple(totals[:4]) + tuple(self.duty))
            or self.statement
        )
        for n in range(len(self.config.grades)):
            grade = self.config.grades[n]
            price = self.prices.get(grade, 0)
            if price:
                self.append(records.PRICE, (self.tariff, n, grade, price, price, 0))
        if self.locked:
            self.append(records.SETTING, (self.settings.version, linkside.LOCK_NAME, self.locked, self.locked))
        for code, nozzle in self.raised:
            value = 0
            if code == codes.ALARM_PULSER:
                value = self.pulser_faults
            elif code == codes.ALARM_OVERRUN:
                value = self.overruns
            elif code == codes.ALARM_METER_LOCK and nozzle < len(self.meters):
                value = self.meters[nozzle].beyond
            self.append(records.ALARM, (code, nozzle, 1, value, 0, 0))
        for lease in self.leases:
            self.append(records.LEASE, lease + (records.LEASE_RESTATED,))
        if self.meter_id:
            self.append(records.SETTING, (self.settings.version, linkside.METER_ID, self.strangers, self.meter_id))
        for n in range(len(self.meters)):
            m = self.meters[n]
            if m.events:
                self.append(
                    records.CALIBRATION,
                    (n, m.events, m.old_ppm, m.factor_ppm, 0, 0, bytes(7), bytes(8), codes.FACTOR_RESTATED),
                )

    @property
    def busy(self):
        """True while a nozzle is up, a sale runs or a card is talked to: no erase, no TLS handshake, no restart now."""
        up = self.inputs.lifted and codes.ALARM_NOZZLE_OFF not in self.alarms
        return bool(self.delivery.sale or self._job_runs or up)

    def append(self, kind, fields):
        """Commit a record; returns its sequence number. One of no sale is counted and left out (0) when it is full."""
        j = self.journal
        if not records.START <= kind <= records.VOID and j.free <= journal.RESERVE:
            self.unlogged += 1
            return 0
        return j.append(kind, self.boot_id, self.uptime_ms // 1000, self.now_s, self.quality, fields)

    def key(self, ch):
        """One key: 0-9 A B C D * #."""
        if self.dialog:
            self.dialog.key(ch)
            self.outputs.buzzer = view.BEEP_KEY
            return
        if ch == "D":
            self.view.page = (self.view.page + 1) % (view.PAGES + len(self.meters))
        elif not keypad_entry.key(self.view, ch):
            return
        if ch in "C*" and self.delivery.sale and not self.view.volume_ml:
            self.delivery.stop(codes.STOP_CANCELLED)
        self.outputs.buzzer = view.BEEP_KEY

    # -- the card
    def card_arrived(self, uid):
        """uid: 7 bytes."""
        self.present = uid
        self._tries = TRIES
        self.job_wanted = True

    def card_left(self):
        self.present = None
        if self.answers and self.config.slot:
            self.answers.left()
        if self.view.notice in (view.NOTICE_REFUSED, view.NOTICE_READING, view.NOTICE_REMOVE):
            self.view.notice = view.NOTICE_NONE

    def take_job(self):
        """A generator of native frames to be pumped by the reader task, or None."""
        if not self.job_wanted or self._job_runs or self.delivery.sale or self.present is None:
            return None
        self.job_wanted, self._job_runs = False, True
        self.view.notice = view.NOTICE_READING
        from pump.core import visit

        return visit.visit(self, self.present)

    def card_done(self, result):
        self._job_runs = False
        if self.view.notice == view.NOTICE_READING:
            self.view.notice = view.NOTICE_NONE

    def card_failed(self, error):
        """The conversation broke off (desfire.CardLost) or failed. While the card is there it is tried again."""
        self._tries -= 1
        self._job_runs, self.job_wanted = False, self._tries > 0
        self.asking = None
        sale.broken(self)
        self.view.notice = view.NOTICE_AGAIN

    def card_unreadable(self, uid):
        """A card that is no DESFire or does not answer to activation: refusal record, text and beep."""
        from pump.core import limits

        self.refuse(limits.Card((uid + bytes(7))[:7]), codes.REFUSE_UNREADABLE, 0)

    def refuse(self, card, code, detail):
        """Tell, beep and record that the card was refused."""
        sale.broken(self)
        self.delivery.accepted = False
        self.view.notice, self.view.refusal = view.NOTICE_REFUSED, code
        self.outputs.buzzer = view.BEEP_REFUSED
        nozzle = self.delivery.lifted()
        grade = self.config.grades[nozzle] if nozzle >= 0 else 0
        self.append(
            records.REFUSAL,
            (card.uid, card.card_no, code, nozzle & 255, grade, detail, max(0, card.balance_fen), card.counter),
        )

    def strikes(self, sold, over_ml):
        """After a sale: pulser faults and overruns in a row lock the pump."""
        s = self.settings
        self.pulser_faults = self.pulser_faults + 1 if sold.reason == codes.STOP_PULSER else 0
        self.overruns = self.overruns + 1 if over_ml > s.overrun_lock_ml else 0
        alarms.put(self, codes.ALARM_PULSER, sold.nozzle, self.pulser_faults, self.pulser_faults)
        alarms.put(self, codes.ALARM_OVERRUN, sold.nozzle, self.overruns, self.overruns)
        alarms.put(self, codes.ALARM_OVERFLOW, sold.nozzle, sold.reason == codes.STOP_OVERFLOW, sold.flow_max)
        if self.pulser_faults >= s.pulser_lock:
            self.lock(self.locked | view.LOCK_PULSER)
        if self.overruns >= 3:
            self.lock(self.locked | view.LOCK_OVERRUN)
