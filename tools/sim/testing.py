"""Test measures (D24): a worker draws from a nozzle without money and says what the prover showed, or does not."""

from pump.core import view
from tools.bench.desfire_card import DesfireCard
from tools.sim.pump import FLOWING, Pump
from tools.sim.world import S, Script, Wait, World


def measure(world: World, pump: Pump, card: DesfireCard) -> Script:
    """With a test card: one draw from some nozzle; now and then the power goes in the middle of it."""
    rng, plant = world.rng, pump.plant
    nozzle = rng.randrange(len(pump.config.grades))
    pump.put(card)
    yield Wait(3 * S, lambda: _notice(pump) == view.NOTICE_MENU)
    if not pump.config.slot:
        pump.take()
    _keys(pump, "1")
    pump.lift(nozzle)
    yield Wait(S // 2)
    _keys(pump, "#")
    yield Wait(2 * S, lambda: _state(pump) in FLOWING)
    before_ul = plant.true_ul(nozzle)
    if _state(pump) in FLOWING:
        world.measures += 1
        plant.set_trigger(nozzle, "full")
        pump.poke()
        wish_ul = before_ul + rng.choice((20_000, 2_000_000, 10_000_000))
        yield Wait(40 * S, lambda: _state(pump) not in FLOWING or plant.true_ul(nozzle) >= wish_ul)
        if rng.random() < 0.1:
            pump.power_off()
    pump.hang(nozzle)
    pump.poke()
    yield Wait(6 * S, lambda: _notice(pump) == view.NOTICE_PROVER or not pump.controller)
    if rng.random() < 0.8:
        _keys(pump, f"{(plant.true_ul(nozzle) - before_ul) // 1000}#")
    for _ in range(3):  # out of whatever it asks
        _keys(pump, "*")
    pump.take()
    yield Wait(S)


def _state(pump: Pump) -> str:
    return str(pump.controller.view.state) if pump.controller else ""


def _notice(pump: Pump) -> int:
    return int(pump.controller.view.notice) if pump.controller else -1


def _keys(pump: Pump, text: str) -> None:
    for ch in text:
        if pump.controller and pump.controller.dialog:
            pump.key(ch)
