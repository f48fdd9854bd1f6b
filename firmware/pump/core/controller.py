"""The pump's controller: everything that decides, nothing that touches hardware, network or clock.

How a board uses it (adapters in firmware/pump, the simulation in tools/sim):

    config = Config(identity)                                   # the parsed identity.json
    controller = Controller(config, Journal(flash, config.device, config.journal_key), Checkpoint(small_flash))
    controller.start(now_ms, now_s, quality, cause, software)   # recovery and BOOT record, once, before the first step
    every 10 ms: fill controller.inputs; controller.step(now_ms, now_s, quality); apply controller.outputs
    while idle (outputs.permit == 0): controller.idle_work()    # may erase one flash sector (45 ms)

A flash is an object with `sectors` (of 4096 bytes), `readinto(addr, buf)`, `program(addr, data)` (clears bits only, any
address and length within a sector) and `erase(sector)`.

The reader task: on a new card `card_arrived(uid)`, when it has gone `card_left()`. Whenever `take_job()` returns a
generator, pump it: `frame = gen.send(answer)`; a frame is bytes (native DESFire command + data), the answer status byte +
data; a yielded None means "nothing to send now, ask me again in about 50 ms" (send None back). If the card does not
answer throw desfire.CardLost into the generator. At StopIteration call `card_done(value)`, at any other exception
`card_failed(error)`. A job begins with SelectApplication, so the reader may re-activate the card between jobs.

Order of acts for people. slot: insert card, key a preset if wanted, lift; or lift, then insert. tap: lift, then tap (or with
one nozzle: tap, then lift); a second tap after hanging up settles. Keys: `A` money preset, `B` volume preset, digits,
`#` confirm, `C` or `*` clear and cancel, `D` next page.
"""


class Inputs:
    """Readings of one tick; the adapter overwrites the same object."""

    def __init__(self):
        self.edges = [0] * 8  # directed edges since power-on: A and B of nozzle 0, A and B of nozzle 1, ... (no wrap)
        self.lifted = 0  # bit per nozzle
        self.estop = False
        self.tamper = False
        self.seal_open = False
        self.supply_ok = True  # False: the supply monitor sees the power fail


class Outputs:
    """What the adapter sets after each step; all zero in every state that is not fuelling."""

    def __init__(self):
        self.motor = 0  # bit per nozzle
        self.big = 0  # bit per nozzle
        self.small = 0  # bit per nozzle
        self.permit = 0  # 1: permit relay closed
        self.buzzer = 0  # BEEP_..., set for one step
        # Hardware cut-off: nozzle number, and the directed sum A + B (absolute, like inputs.edges) at which the counter
        # itself must shut both valves even if no step comes; nozzle -1: none. A counter that sees channel A alone
        # uses edges[2 * nozzle] + (threshold_counts - A - B) // 2.
        self.threshold_nozzle = -1
        self.threshold_counts = 0


class Controller:
    """See the module's text. Public attributes: inputs, outputs, view (core/view.py), journal, prices, tariff, locked,
    alarms (sorted tuple of codes), boot_id."""

    def __init__(self, config, journal, checkpoint, settings=None):
        raise NotImplementedError

    def start(self, now_ms, now_s, quality, cause, software):
        """Recovers journal, totalizers and a sale that power loss cut; writes BOOT. software: 8 bytes."""

    def step(self, now_ms, now_s, quality):
        """One control tick. now_ms wraps at 2**30, now_s is Unix time, quality as records.TIME_*."""

    def idle_work(self):
        """At most one slow act (a sector erase, about 45 ms) if none is due the call is cheap. Not while fuelling."""

    @property
    def busy(self):
        """True while a nozzle is up or a sale runs: no erase, no TLS handshake, no restart now."""

    # -- the card
    def card_arrived(self, uid):
        """uid: 7 bytes."""

    def card_left(self):
        pass

    def take_job(self):
        """A generator of native frames to be pumped by the reader task, or None."""

    def card_done(self, result):
        pass

    def card_failed(self, error):
        pass

    def card_unreadable(self, uid):
        """A card that is no DESFire or does not answer to activation: refusal record, text and beep."""

    # -- the keypad
    def key(self, ch):
        """One key: 0-9 A B C D * #."""

    # -- the link. All of these are called with verified and parsed values.
    def journal_ack(self, seq):
        """The station committed everything up to and with seq. Never frees what it did not name; ignores nonsense."""

    def set_tariff(self, version, effective, prices):
        """prices: {grade: fen per litre}; effective: Unix time. Takes effect when due and no sale runs.
        False (and nothing changed) for a version not above the last or a price outside 1..99999."""

    def set_settings(self, version, values):
        """values: {name: int} (core/settings.py). Returns "" or the reason why nothing was changed."""

    def set_blacklist(self, version, made, cards):
        """cards: bytes, the 8-byte BCD card numbers one after the other, in rising order. False: version not above the last."""

    def command(self, name):
        """lock, unlock or stop. Returns "" or the reason why not. Repetition by id is the link's matter."""

    def take_ask(self):
        """The next question for the station as a dict for topic `ask` (once), or None."""

    def answer(self, message):
        """The parsed payload of topic `answer`; one that fits no open question is ignored."""

    def live(self):
        """A dict for topic `live` (docs/mqtt.md) without the key `link`."""

    def raise_alarm(self, code, nozzle, value):
        """For adapters (reader, display, clock, exception): journalled once until cleared. nozzle 255: none."""

    def clear_alarm(self, code, nozzle):
        pass

    # -- the simulation's hints (a board steps every 10 ms and needs none)
    def next_ms(self):
        """Milliseconds after the last step by which a step has something to do although no input changes."""

    def next_counts(self):
        """(nozzle, directed sum) at which a step has something to do, or None."""
