"""A pump in one process, led by the hand: what the stories of the core's tests are told with."""

import random
from collections.abc import Callable
from typing import Any

from pump.core import records
from pump.core.record_fields import body_dict
from tools.bench.desfire_card import DesfireCard
from tools.sim import cards
from tools.sim.pump import FLOWING, Pump

S = 1_000_000
PRICES = {1: 756, 2: 806, 3: 906, 4: 722}


def identity(
    mode: str = "slot", grades: tuple[int, ...] = (1, 2, 3, 4), device: int = 257, pulses_per_l: int = 100
) -> dict[str, Any]:
    return {
        "device": device,
        "issuer": cards.ISSUER_NO,
        "mode": mode,
        "nozzles": [{"grade": grade, "pulses_per_l": pulses_per_l} for grade in grades],
        "keys": {"journal": "55" * 32, "pump": cards.PUMP.hex(), "issuer": cards.ISSUER.hex()},
    }


class Bench:
    """One pump with prices, its cards, and time that passes when told. It jumps from event to event."""

    def __init__(
        self,
        mode: str = "slot",
        grades: tuple[int, ...] = (1, 2, 3, 4),
        device: int = 257,
        pulses_per_l: int = 100,
        keys: dict[str, str] | None = None,
    ) -> None:
        """keys: those of a station, where its own cards and books take part."""
        self.rng = random.Random(7)
        told = identity(mode, grades, device, pulses_per_l)
        self.pump = Pump(told | {"keys": keys or told["keys"]}, self.rng, journal_sectors=16)
        self.pump.power_on()
        self.controller.set_tariff(1, 0, PRICES)
        self.wait(2)

    @property
    def controller(self) -> Any:
        assert self.pump.controller is not None
        return self.pump.controller

    @property
    def view(self) -> Any:
        return self.controller.view

    def card(self, balance_fen: int = 50_000, number: int = 1, **details: Any) -> DesfireCard:
        return cards.make_card(self.rng, number, balance_fen, **details)

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        return self.pump.wait(seconds, until)

    def state(self, *states: str, within: float = 6) -> None:
        """Wait for one of these states, or fail."""
        reached = self.wait(within, lambda: self.pump.controller is not None and self.view.state in states)
        assert reached, f"{self.view.state} instead of {states}, notice {self.view.notice}, refusal {self.view.refusal}"

    def keys(self, text: str) -> None:
        for ch in text:
            self.controller.key(ch)
        self.pump.poke()

    def authorise(self, card: DesfireCard, nozzle: int = 0, keys: str = "") -> None:
        """Lift, key in, show the card: the pump runs afterwards."""
        self.pump.lift(nozzle)
        self.wait(0.5)
        self.keys(keys)
        self.pump.put(card)
        self.state("fuelling", "slow")
        if not self.pump.config.slot:
            self.pump.take()

    def fuel(self, litres: float, nozzle: int = 0) -> None:
        """Squeeze until so much has come out, or the pump stops."""
        wish_ul = self.pump.plant.true_ul(nozzle) + int(litres * S)
        self.pump.plant.set_trigger(nozzle, "full")
        self.pump.poke()

        def enough() -> bool:
            ended = self.pump.controller is None or self.view.state not in FLOWING
            return ended or self.pump.plant.true_ul(nozzle) >= wish_ul

        self.wait(600, enough)
        self.pump.plant.set_trigger(nozzle, "none")

    def hang(self, nozzle: int = 0) -> None:
        self.pump.hang(nozzle)
        self.wait(3)

    def settle(self, card: DesfireCard) -> None:
        if self.pump.card is None:
            self.pump.put(card)
        self.wait(6)
        self.pump.take()
        self.wait(1)

    def power_cycle(self) -> None:
        if self.pump.controller:
            self.pump.power_off()
        self.wait(1)
        self.pump.power_on()
        self.wait(1)

    def records(self) -> list[tuple[int, dict[str, Any]]]:
        """(kind, body) of every record the ring holds, oldest first."""
        out, buf = [], bytearray(records.SIZE)
        for seq in range(1, self.controller.journal.head):
            if self.controller.journal.read(seq, buf):
                out.append((buf[1], body_dict(bytes(buf))))
        return out

    def of(self, kind: int) -> list[dict[str, Any]]:
        return [body for its, body in self.records() if its == kind]

    def dark(self) -> bool:
        """True if every output is off."""
        out = self.controller.outputs
        return not (out.motor or out.big or out.small or out.permit)
