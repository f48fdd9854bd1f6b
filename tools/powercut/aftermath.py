"""What must hold after a power cut, whenever it came: power comes back, the cards are shown again, then all is counted.

A finding is (what, amount, text); what: "record", "money", "charged" (a customer paid more than the sales say) or
"other".
"""

from typing import Any, NamedTuple

from pump.core import card_layout, codes, records
from pump.core.record_fields import body_dict
from station.cards.rules import unpacked
from tools.powercut.rig import DEVICE, Kept, Rig, Watch
from tools.powercut.state import forgotten
from tools.sim import cards
from tools.sim.loads import Loads
from tools.sim.pump import ViolationError
from tools.sim.station import Station

KEEP_ML = 500  # stated: what a loss of power without warning may cost
CLOSING_ML = 350  # beside what a valve lets through that was told to close just before
EDGE_ML = 10  # one pulse at 100 pulses a litre
BEFORE_US = 2_000_000
RECORD, MONEY, CHARGED, OTHER = "record", "money", "charged", "other"


class Finding(NamedTuple):
    what: str
    amount: int
    text: str


def aftermath(kept: Kept, watch: Watch | None = None) -> list[Finding]:
    """What is wrong once everything has run its course. watch: is shown the cuts that may come on the way there."""
    rig = Rig.after(kept, watch)
    try:
        found = _restart(rig, kept)
        return found + _count(rig, kept)
    except ViolationError as violation:
        return [Finding(OTHER, 1, str(violation))]
    except AssertionError:
        raise
    except Exception as crash:  # noqa: BLE001 - a crash of the core is what is looked for
        return [Finding(OTHER, 1, f"crash: {crash!r}")]


def _restart(rig: Rig, kept: Kept) -> list[Finding]:
    """Power comes back, with the card still in the slot and the nozzle up if they were; then every card is shown."""
    pump, found, nozzles = rig.pump, [], range(len(rig.setup.grades))
    pump.advance(pump.now_us + BEFORE_US)
    if any(pump.plant.flow_ml_s(n) for n in nozzles):
        found.append(Finding(OTHER, 1, "fuel flows without power"))
    still_ul = [pump.plant.true_ul(n) for n in nozzles]
    rig.power_on()
    # What power gave back is to be read before anything new happens on the display.
    volume_ml, amount_fen = rig.view.volume_ml, rig.view.amount_fen
    last = next((body for kind, body in reversed(_told(rig)) if kind == records.END), None)
    if last and (volume_ml, amount_fen) != (last["volume_ml"], last["amount_fen"]):
        found.append(Finding(OTHER, 1, f"display shows {volume_ml} ml after the restart, not {last['volume_ml']}"))
    if kept.flowed_ml is not None and last:
        missing_ml = kept.flowed_ml - int(last["volume_ml"])
        if not -EDGE_ML <= missing_ml <= KEEP_ML + CLOSING_ML + EDGE_ML:
            text = f"{kept.flowed_ml} ml had flowed at the cut, {last['volume_ml']} came back"
            found.append(Finding(OTHER, 1, text))
    rig.wait(4)
    for n in nozzles:
        pump.hang(n)
    pump.take()
    rig.wait(1)
    for card in rig.cards:
        if cards.open_sale(card) or any(sale[2] == card.uid for sale in rig.controller.unsettled):
            pump.put(card)
            rig.wait(3)
            pump.take()
            rig.wait(1)
    if any(pump.plant.true_ul(n) != still_ul[n] for n in nozzles):
        found.append(Finding(OTHER, 1, "fuel flowed after the restart although nobody was authorised"))
    return found


def _told(rig: Rig) -> list[tuple[int, dict[str, Any]]]:
    """(kind, body) of what the ring can read, oldest first."""
    out, buf = [], bytearray(records.SIZE)
    journal = rig.controller.journal
    for seq in range(max(1, journal.head - journal.slots), journal.head):
        if journal.read(seq, buf) and buf[1] in records.BODIES:
            out.append((buf[1], body_dict(bytes(buf))))
    return out


def _count(rig: Rig, kept: Kept) -> list[Finding]:
    """Records, books, cards and totalizers, against each other and against what was promised before the cut."""
    found, journal, buf = [], rig.controller.journal, bytearray(records.SIZE)
    lost = 0
    for seq, record in kept.committed.items():
        if seq > len(kept.sent) and not (journal.read(seq, buf) and bytes(buf) == record):
            lost += 1
    if lost:
        found.append(Finding(RECORD, lost, f"{lost} committed records are gone"))
    station = Station({DEVICE: rig.pump.config.journal_key}, Loads(rig.rng))
    station.purse.update({card.uid: fen for card, fen in zip(rig.cards, rig.initial, strict=True)})
    try:
        for record in rig.sent:
            station.take(DEVICE, record)
        for seq in range(len(rig.sent) + 1, journal.head):
            if not journal.read(seq, buf):
                found.append(Finding(RECORD, 1, f"record {seq} is gone before the station had it"))
                break
            station.take(DEVICE, bytes(buf))
    except ViolationError as violation:
        found.append(Finding(OTHER, 1, f"books: {violation}"))
        return found + _money(rig, None)
    for sale in station.starts:
        if sale not in station.ends:
            found.append(Finding(OTHER, 1, f"sale {sale[1]} has no end"))
    found += [Finding(OTHER, 1, text) for text in forgotten(rig.controller, rig.committed)]
    return found + _money(rig, station) + _sums_of_days(rig, station) + _duty(rig)


def _sums_of_days(rig: Rig, station: Station) -> list[Finding]:
    """Cards with rules of the day carry its sums: what the sales say, once each."""
    found = []
    for card in rig.cards:
        files = card.peek(card_layout.AID)
        limits, usage = files[card_layout.FILE_LIMITS], files[card_layout.FILE_USAGE]
        assert isinstance(limits, bytes) and isinstance(usage, bytes)
        if not unpacked(limits)[1].needs_usage or cards.open_sale(card):
            continue
        ends = [end for end in station.ends.values() if end["uid"] == card.uid]
        due = len([e for e in ends if e["volume_ml"]]), sum(int(e["amount_fen"]) for e in ends)
        _, fills, fen, _, _ = card_layout.unpack_usage(usage)
        if (fills, fen) != due:
            found.append(
                Finding(OTHER, 1, f"card {card.uid.hex()} counts {fills} fills, {fen} fen of its day, not {due}")
            )
    return found


def _duty(rig: Rig) -> list[Finding]:
    """Who is on duty, and what was sold since, as every record of the ring has it."""
    duty: list[Any] = [bytes(8), 0, 0, 0, 0]
    for kind, body in _told(rig):
        if kind == records.SHIFT:
            duty = [body["card_no"], body["shift"], body["sales"], body["sold_ml"], body["sold_fen"]]
            if body["event"] == codes.SHIFT_OFF:
                duty = [bytes(8), body["shift"], 0, 0, 0]
        elif kind == records.END and any(duty[0]) and body["volume_ml"]:
            duty = [*duty[:2], duty[2] + 1, duty[3] + body["volume_ml"], duty[4] + body["amount_fen"]]
    known = rig.controller.duty
    return [] if known == duty else [Finding(OTHER, 1, f"on duty {known}, by the records {duty}")]


def _money(rig: Rig, station: Station | None) -> list[Finding]:
    found = []
    for card, initial in zip(rig.cards, rig.initial, strict=True):
        ends = [end for end in station.ends.values() if end["uid"] == card.uid] if station else []
        owed = sum(int(end["amount_fen"]) for end in ends if end["kind"] == card_layout.KIND_ACCOUNT)
        spent = sum(int(end["amount_fen"]) for end in ends) - owed  # an account's card holds no money
        held, due = cards.held_fen(card), initial - spent
        opened = cards.open_sale(card)
        if opened:
            found.append(Finding(MONEY, held - due or 1, f"card {card.uid.hex()} stays unfinished with {opened}"))
        elif station and held != due:
            found.append(Finding(MONEY, abs(held - due), f"card {card.uid.hex()} holds {held}, should hold {due}"))
        if station and held < due:
            found.append(Finding(CHARGED, 1, f"card {card.uid.hex()} was charged {due - held} fen too much"))
        if station and not opened and (station.purse[card.uid], station.in_flight[card.uid]) != (held, 0):
            text = f"books: purse {station.purse[card.uid]}, in flight {station.in_flight[card.uid]}, card {held}"
            found.append(Finding(MONEY, abs(station.purse[card.uid] - held), text))
    return found
