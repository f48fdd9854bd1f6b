"""What happens at a pump while the power may go: each story is a few scenes, and every flash operation and every card
command in it is a moment at which the supply is cut."""

from collections.abc import Callable
from dataclasses import dataclass

from pump.core import records
from tools.powercut import openings
from tools.powercut.rig import PRICES, Rig, Setup

Story = Callable[[Rig], None]


@dataclass(frozen=True)
class Told:
    """opening: what comes before the story, with the supply safe."""

    name: str
    setup: Setup
    opening: Story
    story: Story


def sale_by_slot(rig: Rig) -> None:
    """Insert, lift, fuel, hang up: it settles by itself."""
    rig.authorise(rig.cards[0])
    rig.fuel(3.2)
    rig.hang()
    rig.take()


def sale_by_tap(rig: Rig) -> None:
    """Lift, tap, fuel, hang up, tap again."""
    rig.authorise(rig.cards[0])
    rig.fuel(2.2)
    rig.hang()
    rig.show(rig.cards[0])
    rig.wait(1)


def preset(rig: Rig) -> None:
    """Twenty yuan, and two litres, both to the end."""
    rig.authorise(rig.cards[0], keys="A20#")
    rig.fuel(9)
    rig.hang()
    rig.authorise(rig.cards[0], 1, keys="B2#")
    rig.fuel(9, 1)
    rig.hang(1)
    rig.take()


def nothing_flows(rig: Rig) -> None:
    """Authorised, and hung up again without fuel."""
    rig.authorise(rig.cards[0])
    rig.wait(1)
    rig.hang()
    rig.take()


def card_pulled(rig: Rig) -> None:
    """The card is pulled while fuel flows; another customer comes and goes; then the first one returns."""
    first, second = rig.cards
    rig.authorise(first)
    rig.pump.plant.set_trigger(0, "full")
    rig.wait(4)
    rig.pump.take()
    rig.hang()
    rig.wait(65)
    rig.authorise(second)
    rig.fuel(1.2)
    rig.hang()
    rig.take()
    rig.show(first)
    rig.take()


def never_settled(rig: Rig) -> None:
    """A customer drives off without the second tap; the next one fuels; the first comes back on another day."""
    first, second = rig.cards
    rig.authorise(first)
    rig.fuel(1.2)
    rig.hang()
    rig.wait(65)
    rig.authorise(second)
    rig.fuel(0.7)
    rig.hang()
    rig.show(second)
    rig.wait(1)
    rig.show(first)
    rig.wait(1)


def torn_card(rig: Rig) -> None:
    """The card leaves at the commit of its reservation, and again at that of its settlement."""
    card = rig.cards[0]
    rig.lift()
    rig.pump.put(card)
    card.tear_at(12, done=True)
    rig.wait(4)
    rig.hang()
    rig.pump.take()
    rig.wait(1)
    rig.show(card)
    rig.wait(1)
    rig.authorise(card)
    rig.fuel(1.2)
    rig.hang()
    rig.pump.put(card)
    card.tear_at(13, done=True)
    rig.wait(4)
    rig.pump.take()
    rig.wait(1)
    rig.show(card)
    rig.wait(1)


def refusals(rig: Rig) -> None:
    """A poor card, the wrong grade, a card on the list, one that is no card."""
    poor, wrong, listed = rig.cards
    openings.put_list(rig, 1, "6200000000000003")
    rig.lift()
    for card in (poor, wrong, listed):
        rig.show(card)
        rig.wait(1)
    rig.controller.card_unreadable(b"\x08abc")
    rig.hang()


def shift(rig: Rig) -> None:
    """On duty, a sale, another comes on duty, the manager closes the day, off duty."""
    customer, first, second, manager = rig.cards
    rig.show(first, 1)
    rig.authorise(customer)
    rig.fuel(0.7)
    rig.hang()
    rig.show(customer)
    rig.wait(6)
    rig.show(second, 1)
    rig.show(manager, 1)
    rig.keys("1")
    rig.wait(6)
    rig.show(second, 1)
    assert rig.controller.duty[1] == 2 and not any(rig.controller.duty[0])


def rules_of_the_card(rig: Rig) -> None:
    """Driver, a wrong PIN, the right one, kilometres, and the sums of the day; then once more."""
    vehicle, driver = rig.cards
    for kilometres in ("1200", "1300"):
        rig.lift()
        for shown, keys in ((driver, ""), (vehicle, "9999#"), (vehicle, "2468#"), (vehicle, kilometres + "#")):
            rig.show(shown, 1)
            rig.keys(keys)
        rig.show(vehicle)
        assert rig.flowing(), f"refused: {rig.view.refusal}, notice {rig.view.notice}"
        rig.fuel(0.7)
        rig.hang()
        rig.show(vehicle)
        rig.wait(1)


def leak(rig: Rig) -> None:
    """Fuel past shut valves: an alarm; then a little more, which the next sale finds."""
    plant = rig.pump.plant
    plant.set_leak(0, 20_000)
    rig.wait(11)
    plant.set_leak(0, 0)
    rig.wait(12)
    plant.set_leak(0, 10_000)
    rig.wait(4)
    plant.set_leak(0, 0)
    rig.wait(1)
    rig.authorise(rig.cards[0])
    rig.fuel(0.7)
    rig.hang()
    rig.take()


def lock(rig: Rig) -> None:
    """Locked by the station while fuel flows; the sale goes on; then unlocked."""
    rig.authorise(rig.cards[0])
    rig.fuel(0.6)
    rig.controller.command("lock")
    rig.pump.plant.set_trigger(0, "full")
    rig.wait(2)
    rig.hang()
    rig.take()
    rig.controller.command("unlock")
    rig.wait(1)


def price_change(rig: Rig) -> None:
    """New prices come in the middle of a sale: the old one to its end."""
    rig.authorise(rig.cards[0])
    rig.controller.set_tariff(2, 0, {grade: fen + 10 for grade, fen in PRICES.items()})
    rig.fuel(0.7)
    rig.hang()
    rig.wait(2)
    rig.take()
    rig.authorise(rig.cards[0])
    rig.fuel(0.7)
    rig.hang()
    rig.take()


def settings_and_lists(rig: Rig) -> None:
    rig.controller.set_settings(1, {"no_flow_s": 45, "grace_s": 30})
    openings.put_list(rig, 1, "6200000000000009")
    openings.put_list(rig, 2)
    rig.wait(1)


def statement(rig: Rig) -> None:
    """So many records that everything is stated again, with a lock and an alarm standing, and a sale after it."""
    rig.pump.estop = True
    rig.pump.poke()
    rig.wait(1)
    rig.controller.command("lock")
    openings.fill(rig, rig.controller.journal.restate_every - 6)
    rig.wait(25)
    rig.pump.estop = False
    rig.pump.poke()
    rig.controller.command("unlock")
    rig.wait(2)
    rig.authorise(rig.cards[0])
    rig.fuel(0.7)
    rig.hang()
    rig.take()


def ring_wraps(rig: Rig) -> None:
    """The ring has been round: each new sector is erased just ahead of sales that are acknowledged now and then."""
    for _ in range(3):
        rig.authorise(rig.cards[0])
        rig.fuel(0.7)
        rig.hang()
        rig.take()
        openings.fill(rig, 5)
        rig.upload()
        rig.wait(25)


def ring_full(rig: Rig) -> None:
    """Nothing is acknowledged: the pump refuses in time, and what has begun still ends and settles."""
    rig.authorise(rig.cards[0])
    rig.fuel(0.7)
    rig.hang()
    rig.take()
    openings.fill(rig, 8)
    rig.lift()
    rig.show(rig.cards[0])
    rig.hang()
    rig.take()


def checkpoint_sector(rig: Rig) -> None:
    """The checkpoint ring's sector is full between two sales, with something learned and acknowledgements kept."""
    for _ in range(2):
        rig.authorise(rig.cards[0])
        rig.fuel(1.2)
        rig.hang()
        rig.take()
        rig.wait(25)


def brownout(rig: Rig) -> None:
    """The supply monitor warns while fuel flows; power comes back before it was gone."""
    rig.authorise(rig.cards[0])
    rig.fuel(1.3)
    rig.pump.plant.set_trigger(0, "full")
    rig.wait(1)
    rig.pump.supply_ok = False
    rig.pump.poke()
    rig.wait(2)
    rig.pump.supply_ok = True
    rig.pump.poke()
    rig.hang()
    rig.take()


def hazards(rig: Rig) -> None:
    """Emergency stop in a sale, a nozzle left off, a worn cell under the records."""
    head = rig.controller.journal.slot
    rig.pump.journal_flash.wear((head + 1) * records.SIZE + records.MAC_AT, 0xFF)
    rig.pump.journal_flash.wear((head + 2) * records.SIZE, 0x01)
    rig.authorise(rig.cards[0])
    rig.fuel(0.7)
    rig.pump.estop = True
    rig.pump.poke()
    rig.wait(3)
    rig.pump.estop = False
    rig.pump.poke()
    rig.wait(190)
    rig.hang()
    rig.take()


def on_lease(rig: Rig) -> None:
    """An account's card without the station: two sales on what the station lent."""
    lent = 7, 12, 9_000, 3, 2_000_000_000
    rig.controller.append(records.LEASE, (*lent, records.LEASE_GRANTED))
    rig.controller.leases = [lent]
    for litres in (1.1, 0.6):
        rig.authorise(rig.cards[0])
        rig.fuel(litres)
        rig.hang()
        rig.take()


def prover(rig: Rig) -> None:
    """A test measure, then three runs into the prover, with the seal open: a new factor."""
    plant = rig.pump.plant
    rig.pump.put(rig.cards[0])
    rig.wait(2)
    for choice, runs in (("1", 1), ("2", 3)):
        rig.keys(choice)
        for _ in range(runs):
            before_ul = plant.true_ul(0)
            rig.lift()
            rig.keys("#")
            rig.wait(2, rig.flowing)
            rig.fuel(2.4)
            rig.hang()
            if choice == "2":
                rig.keys(f"{(plant.true_ul(0) - before_ul) * 1_002 // 1_000_000}#")
        if choice == "1":
            rig.keys("*")
    rig.controller.inputs.seal_open = True
    rig.keys("#")
    assert rig.controller.meters[0].factor_ppm
    rig.take()


_TAP = Setup("tap", (1,))
STORIES = (
    Told("sale by slot", Setup(), openings.one, sale_by_slot),
    Told("sale by tap", _TAP, openings.one, sale_by_tap),
    Told("preset", Setup(), openings.one, preset),
    Told("nothing flows", Setup(), openings.one, nothing_flows),
    Told("card pulled", Setup(), openings.two, card_pulled),
    Told("never settled", _TAP, openings.two, never_settled),
    Told("torn card", _TAP, openings.one, torn_card),
    Told("refusals", _TAP, openings.doubtful, refusals),
    Told("shift", _TAP, openings.crew, shift),
    Told("rules of the card", _TAP, openings.fleet, rules_of_the_card),
    Told("leak", Setup(), openings.one, leak),
    Told("lock", Setup(), openings.one, lock),
    Told("price change", Setup(), openings.one, price_change),
    Told("settings and lists", Setup(), openings.one, settings_and_lists),
    Told("statement", Setup(), openings.one, statement),
    Told("ring wraps", Setup(), openings.much_written, ring_wraps),
    Told("ring full", Setup(), openings.nearly_full, ring_full),
    Told("checkpoint sector", Setup(), openings.sector_nearly_full, checkpoint_sector),
    Told("on a lease", Setup(), openings.account, on_lease),
    Told("prover", Setup(), openings.service, prover),
    Told("brown-out", Setup(), openings.one, brownout),
    Told("hazards and wear", Setup(), openings.one, hazards),
)
