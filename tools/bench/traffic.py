"""Customers by seed: they choose a card, a pump and a preset, fuel, dawdle, change their minds, and pay by card.

Each pump has a thread that serves one customer after the other through the same acts as everybody else, on wall time.
"""

import random
import threading
import time
from typing import TYPE_CHECKING

from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.refusal import Refused
from tools.bench.state import PumpState, TrafficState
from tools.bench.wallet import asks, open_of

if TYPE_CHECKING:
    from tools.bench.world import World

PAUSE_S = 12.0  # mean pause between two customers of a pump at speed 1
AUTHORISE_TIMEOUT_S, SETTLE_TIMEOUT_S, FILL_TIMEOUT_S, LOOK_S = 8.0, 8.0, 180.0, 0.1


class Traffic:
    def __init__(self, world: "World", seed: int) -> None:
        self._world, self._seed = world, seed
        self._stop = threading.Event()
        self._stop.set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._speed = 1.0
        self._customers = 0
        self._taken: set[str] = set()

    def state(self) -> TrafficState:
        return {"on": not self._stop.is_set(), "speed": self._speed, "customers": self._customers, "seed": self._seed}

    def start(self, speed: float) -> None:
        """Opens the station to customers; does nothing but set the speed if it is open."""
        self._speed = speed
        if not self._stop.is_set():
            return
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._serve,
                args=(name, random.Random(f"{self._seed}-{name}-{self._customers}"), self._stop),
                name=f"customers-{name}",
                daemon=True,
            )
            for name in self._world.pumps
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new customers; those at the pumps hang up, settle and go."""
        self._stop.set()

    def join(self, timeout_s: float) -> None:
        for thread in self._threads:
            thread.join(timeout_s)

    def _serve(self, name: str, rng: random.Random, stop: threading.Event) -> None:
        stop.wait(rng.uniform(0, PAUSE_S / self._speed / 2))
        while not stop.is_set():
            card = self._choose_card(rng)
            if card is not None:
                try:
                    Customer(self._world, name, card, rng, stop).visit()
                    self._customers += 1
                except (Refused, TimeoutError) as why:
                    # Somebody else has his hands on this pump, or it has no power: the customer drives on.
                    self._world.last_error = (
                        f"{name}: {why}" if isinstance(why, TimeoutError) else self._world.last_error
                    )
                finally:
                    self.give_back(card)
            stop.wait(rng.expovariate(self._speed / PAUSE_S))

    def _choose_card(self, rng: random.Random) -> str | None:
        cards = self._world.wallet.states(self._world.where())
        held = self._world.wallet.cards
        free = [c["card"] for c in cards if c["where"] == "wallet" and c["balance_fen"] and not asks(held[c["card"]])]
        rng.shuffle(free)
        return next((card for card in free if self.take(card)), None)

    def take(self, card: str) -> bool:
        """Takes a card out of the common wallet, so that no two people act with it; False: somebody has it."""
        with self._lock:
            free = card not in self._taken
            self._taken.add(card)
            return free

    def give_back(self, card: str) -> None:
        with self._lock:
            self._taken.discard(card)


class Customer:
    """One visit. Leaves the pump as found: nozzle hung up, card taken along."""

    def __init__(self, world: "World", pump: str, card: str, rng: random.Random, stop: threading.Event) -> None:
        self._world, self._pump, self._card, self._rng, self._stop = world, pump, card, rng, stop
        self._nozzle = rng.randrange(len(world.pumps[pump].grades))

    def _do(self, act: Act) -> None:
        self._world.do(act)

    def _dawdle(self, low_s: float, high_s: float) -> None:
        self._stop.wait(self._rng.uniform(low_s, high_s))

    def _look(self) -> PumpState:
        return next(pump for pump in self._world.state()["pumps"] if pump["pump"] == self._pump)

    def _authorised(self) -> bool:
        """Waits for the pump to release the nozzle; False: it refused the card."""
        for _ in range(int(AUTHORISE_TIMEOUT_S / LOOK_S)):
            if self._look()["permit"]:
                return True
            time.sleep(LOOK_S)
        return False

    def visit(self) -> None:
        look = self._look()
        if not look["power"] or look["card"] is not None or any(nozzle["lifted"] for nozzle in look["nozzles"]):
            raise Refused(409, "油机被占用", "the pump is taken")
        try:
            if look["mode"] == "slot":
                self._visit_slot()
            else:
                self._visit_tap()
        finally:
            self._leave()

    def _visit_slot(self) -> None:
        self._do(acts.insert(self._pump, self._card))
        self._dawdle(1.2, 2.5)
        self._preset()
        self._do(acts.lift(self._pump, self._nozzle))
        if self._authorised():
            self._fill()
        self._do(acts.hang(self._pump, self._nozzle))
        self._settled()  # the pump does it by itself while the card is in

    def _visit_tap(self) -> None:
        self._preset()
        self._do(acts.lift(self._pump, self._nozzle))
        self._dawdle(0.4, 1.0)
        self._do(acts.tap(self._pump, self._card, 1800))
        if self._authorised():
            self._dawdle(1.8, 2.2)
            self._fill()
        self._do(acts.hang(self._pump, self._nozzle))
        self._dawdle(0.8, 1.5)
        while self._look()["card"] == self._card:  # the first tap is not over yet
            time.sleep(LOOK_S)
        self._do(acts.insert(self._pump, self._card))  # held on the reader until it has beeped
        self._settled()

    def _settled(self) -> None:
        """Waits for the money to come back; who is impatient enough leaves with an unfinished card."""
        for _ in range(int(SETTLE_TIMEOUT_S / LOOK_S)):
            time.sleep(LOOK_S)
            if not open_of(self._world.wallet.cards[self._card]):
                break
        time.sleep(0.8)  # the card is taken away after the beep, not at the commit

    def _preset(self) -> None:
        """Most know what they want: yuan or litres by key; some fill up."""
        kind = self._rng.random()
        if kind < 0.5:
            self._do(acts.keys(self._pump, f"A{self._rng.choice((50, 100, 150, 200, 300))}#"))
        elif kind < 0.7:
            self._do(acts.keys(self._pump, f"B{self._rng.choice((10, 20, 25, 30, 40))}#"))

    def _fill(self) -> None:
        wanted_ml = self._rng.randrange(5_000, 50_000)
        self._do(acts.trigger(self._pump, self._rng.choice(("full", "full", "full", "slow")), self._nozzle))
        waited = 0.0
        while waited < FILL_TIMEOUT_S and not self._stop.is_set():
            look = self._look()
            if not look["permit"] or look["nozzles"][self._nozzle]["sale_ml"] >= wanted_ml:
                break
            if self._rng.random() < 0.002:  # a pause to look at the display
                self._do(acts.trigger(self._pump, "none", self._nozzle))
                self._dawdle(0.5, 2.0)
                self._do(acts.trigger(self._pump, "full", self._nozzle))
            self._stop.wait(LOOK_S)
            waited += LOOK_S
        self._do(acts.trigger(self._pump, "none", self._nozzle))
        self._dawdle(0.6, 1.5)

    def _leave(self) -> None:
        look = self._look()
        if look["nozzles"][self._nozzle]["lifted"]:
            self._do(acts.hang(self._pump, self._nozzle))
        if look["card"] == self._card:
            self._do(acts.remove(self._pump))
