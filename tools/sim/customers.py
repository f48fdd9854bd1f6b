"""Customers and mishaps: scripts that a seed writes."""

import random

from pump.core import view
from tools.bench.desfire_card import DesfireCard
from tools.bench.plant import Pulser
from tools.sim import testing
from tools.sim.pump import FLOWING, WALL_START_S, Pump, synced
from tools.sim.world import S, Script, Wait, World

BROKEN: tuple[Pulser, ...] = ("dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped")


def day(world: World, pump: Pump, customers: int) -> Script:
    """One pump's customers, one after the other."""
    rng = world.rng
    for _ in range(customers):
        while not world.free_cards:
            yield Wait(5 * S)
        card = world.free_cards.pop(rng.randrange(len(world.free_cards)))
        world.top_up(card)
        yield from _weather(world, pump)
        if card.uid in world.driven:
            yield from _driver(world, pump)
        yield from customer(world, pump, card)
        world.free_cards.append(card)
        if world.tester and rng.random() < 0.1:
            tester, world.tester = world.tester, None
            yield from testing.measure(world, pump, tester)
            world.tester = tester
        yield Wait(rng.randrange(30) * S)


def _weather(world: World, pump: Pump) -> Script:
    """What goes on around a customer: link, clock, time of an idle pump."""
    rng = world.rng
    world.online[pump.config.device] = rng.random() < (0.6 if world.lending.accounts else 0.8)
    if rng.random() < 0.1:
        pump.clock_offset_s = rng.choice((0, -WALL_START_S // 2, 100_000_000, -3600))
        synced(pump, rng.random() < 0.5)
    if rng.random() < 0.1:
        yield Wait(600 * S)
    yield from _power(world, pump)


def _driver(world: World, pump: Pump) -> Script:
    """The driver's card first, if he has not left it in the other car; then the vehicle's."""
    while world.driver is None:
        yield Wait(5 * S)
    driver, world.driver = world.driver, None
    if world.rng.random() < 0.9:
        pump.put(driver)
        pump.driver_us = pump.now_us
        yield Wait(2 * S)
        pump.take()
        yield Wait(S)
    world.driver = driver


def _power(world: World, pump: Pump) -> Script:
    """If the pump is dead, somebody switches it on again."""
    while pump.controller is None:
        world.power_cuts += 1
        yield Wait(world.rng.randrange(1, 40) * S)
        if world.rng.random() < 0.3:  # once more while it recovers
            pump.journal_flash.cut_at, pump.journal_flash.tear = world.rng.randrange(1, 4), world.rng.randrange(5)
        pump.power_on()
        yield Wait(2 * S)


def _mishap(rng: random.Random, pump: Pump, card: DesfireCard, world: World) -> str:
    """Draw what will go wrong with this customer, and arm it."""
    what = rng.choice(
        (
            "",
            "",
            "",
            "",
            "tear",
            "tear",
            "journal",
            "checkpoint",
            "pull",
            "plug",
            "brownout",
            "pulser",
            "estop",
            "leave",
        )
    )
    if what == "tear":
        card.tear_at(rng.randrange(1, 30), rng.random() < 0.5)
        world.tears += 1
    elif what == "journal":
        pump.journal_flash.cut_at, pump.journal_flash.tear = rng.randrange(1, 7), rng.randrange(5)
    elif what == "checkpoint":
        pump.checkpoint_flash.cut_at, pump.checkpoint_flash.tear = rng.randrange(1, 60), rng.randrange(5)
    return what


def customer(world: World, pump: Pump, card: DesfireCard) -> Script:
    """Comes, fuels or is refused, settles or not."""
    rng = world.rng
    nozzle = rng.randrange(len(pump.config.grades))
    what = _mishap(rng, pump, card, world)
    keys = rng.choice(("", "", "A50#", "200A#", "B5#", "20B#", "12A#", "C"))
    lift_first = not pump.config.slot or rng.random() < 0.5
    if lift_first:
        pump.lift(nozzle)
        yield Wait(S // 2)
    for ch in keys:
        pump.key(ch)
    yield from _show(world, pump, card, what)
    if not lift_first:
        pump.lift(nozzle)
        pump.poke()
        yield Wait(4 * S, lambda: _state(pump) in FLOWING)
    if not pump.config.slot and rng.random() < 0.8:
        pump.take()
    if _state(pump) in FLOWING:
        world.sales += 1
        yield from _fuel(world, pump, nozzle, what)
    yield from _power(world, pump)
    pump.hang(nozzle)
    pump.plant.set_pulser(nozzle, "ok")
    pump.estop, pump.supply_ok = False, True
    pump.poke()
    yield Wait(8 * S, lambda: _state(pump) in (view.SETTLING, view.IDLE, view.CARD, ""))
    if what == "leave" and rng.random() < 0.7:
        _go(pump)
        return
    for _ in range(rng.randrange(1, 3)):
        if pump.card is None:
            yield from _power(world, pump)
            yield from _show(world, pump, card, "")
    yield Wait(3 * S)
    _go(pump)
    pump.every_tick = False
    if pump.controller and pump.controller.locked and rng.random() < 0.8:
        pump.command("unlock")


def _go(pump: Pump) -> None:
    """The customer goes, the card as well; a slot forgets with it what was typed."""
    pump.take()
    if pump.config.slot:
        pump.proved_us.clear()


def _state(pump: Pump) -> str:
    return str(pump.controller.view.state) if pump.controller else ""


def _asked(pump: Pump) -> bool:
    return bool(pump.controller and pump.controller.dialog)


def _type(world: World, pump: Pump, card: DesfireCard) -> None:
    """Answer the pump's question: mostly right."""
    rng, controller = world.rng, pump.controller
    assert controller is not None
    text = "*"
    if controller.view.notice == view.NOTICE_PIN and card.uid in world.pins:  # else it was put to whoever came before
        text = world.pins[card.uid] if rng.random() < 0.8 else "1111"
        if text == world.pins[card.uid]:
            pump.proved_us[card.uid] = pump.now_us
        text += "#"
    elif controller.view.notice == view.NOTICE_ODOMETER:
        world.odometer_km[card.uid] += rng.randrange(400)
        wrong_km = rng.choice((-1000, 5000)) if rng.random() < 0.1 else 0
        text = f"{max(0, world.odometer_km[card.uid] + wrong_km)}#"
    for ch in text:
        pump.key(ch)


def _show(world: World, pump: Pump, card: DesfireCard, what: str) -> Script:
    """Hold the card on the reader until the pump has made up its mind."""
    torn = what == "tear"
    if pump.card is None:
        pump.put(card)
        if torn:
            card.tear_at(world.rng.randrange(1, 26), world.rng.random() < 0.5)
    patience_us = world.rng.choice((300_000, 6 * S, 6 * S, 6 * S))
    for _ in range(5):
        yield Wait(patience_us, lambda: _state(pump) in FLOWING or pump.card is None or pump.card.lost or _asked(pump))
        if pump.card is None or pump.card.lost or not _asked(pump):
            break
        _type(world, pump, card)
        if not pump.config.slot:
            pump.take()
            yield Wait(S // 2)
            pump.put(card)
    if torn and pump.card is None and world.rng.random() < 0.7:
        yield Wait(S)
        pump.put(card)
        yield Wait(3 * S, lambda: _state(pump) in FLOWING)


def _fuel(world: World, pump: Pump, nozzle: int, what: str) -> Script:
    """Squeeze until the pump stops or the customer has enough, with the mishap in between."""
    rng, plant = world.rng, pump.plant
    if what == "pulser":
        pump.unmeasured_ml += 10_000
    plant.set_trigger(nozzle, rng.choice(("full", "full", "slow")))
    pump.poke()
    wish_ul = plant.true_ul(nozzle) + rng.choice((0, 100_000, 3_000_000, 30_000_000, 90_000_000))
    mishap_us = world.now_us + rng.randrange(1, 20) * S + rng.randrange(S)

    def stopped() -> bool:
        return _state(pump) not in FLOWING

    if what in ("pull", "plug", "brownout", "pulser", "estop"):
        yield Wait(mishap_us - world.now_us, stopped)
        yield from _strike(pump, nozzle, what, rng)
        yield Wait(20 * S, stopped)
    yield Wait(400 * S, lambda: stopped() or plant.true_ul(nozzle) >= wish_ul)
    plant.set_trigger(nozzle, "none")
    yield Wait(rng.randrange(3 * S), stopped)


def _strike(pump: Pump, nozzle: int, what: str, rng: random.Random) -> Script:
    if what == "pull":
        pump.take()
    elif what == "plug":
        pump.power_off()
    elif what == "estop":
        pump.estop = True
        pump.poke()
    elif what == "pulser":
        pump.every_tick = True
        pump.plant.set_pulser(nozzle, rng.choice(BROKEN))
        pump.poke()
    elif what == "brownout":
        pump.supply_ok = False
        pump.poke()
        yield Wait(rng.choice((20_000, 40_000, 3 * S)))
        if rng.random() < 0.7:
            pump.power_off()
        else:
            pump.supply_ok = True
            pump.poke()
