"""What comes before the stories: the pump with its prices, the cards that take part, rings that are nearly full."""

from pump.core import card_layout, lists
from station.cards import Rules
from tools.powercut.rig import PRICES, Rig


def priced(rig: Rig) -> None:
    rig.power_on()
    rig.controller.set_tariff(1, 0, PRICES)
    rig.wait(2)


def put_list(rig: Rig, version: int, *black: str) -> None:
    message = {
        "version": version, "made": 0, "base": [0, 0, 0, ""], "count": [len(black), 0],
        "black": [list(black), []], "white": [[], []],
    }  # fmt: skip
    assert lists.take(rig.controller, message)


def fill(rig: Rig, count: int) -> None:
    """Cards that nothing can read: a record each."""
    for _ in range(count):
        rig.controller.card_unreadable(b"\x08abc")
        rig.wait(0.5)


def one(rig: Rig) -> None:
    priced(rig)
    rig.card()


def two(rig: Rig) -> None:
    one(rig)
    rig.card()


def crew(rig: Rig) -> None:
    one(rig)
    for kind in (card_layout.KIND_STAFF, card_layout.KIND_STAFF, card_layout.KIND_MANAGER):
        rig.card(0, kind=kind)


def fleet(rig: Rig) -> None:
    priced(rig)
    rig.card(company=7, pin="2468", rules=Rules(needs_driver=True, odometer_km=800, day_fen=20_000, day_fills=9))
    rig.card(0, kind=card_layout.KIND_DRIVER, company=7)


def account(rig: Rig) -> None:
    priced(rig)
    rig.card(0, kind=card_layout.KIND_ACCOUNT, company=12)


def service(rig: Rig) -> None:
    priced(rig)
    rig.card(0, kind=card_layout.KIND_SERVICE)


def doubtful(rig: Rig) -> None:
    priced(rig)
    rig.card(50)
    rig.card(grades=0b10000)
    rig.card()


def much_written(rig: Rig) -> None:
    """Nearly once round the ring of 128 slots."""
    watch, rig.watch = rig.watch, None
    one(rig)
    fill(rig, 90)
    rig.upload()
    fill(rig, 20)
    rig.wait(25)
    rig.watch = watch


def sector_nearly_full(rig: Rig) -> None:
    watch, rig.watch = rig.watch, None
    one(rig)
    ring = rig.controller.checkpoint
    ring.make_room()
    ring.learn(17, 56, 1 << 31)
    while ring.next + 24 < 256:
        ring.learn(16, ring.next, 34)
    rig.watch = watch


def nearly_full(rig: Rig) -> None:
    watch, rig.watch = rig.watch, None
    one(rig)
    while rig.controller.journal.free > 74:
        fill(rig, 1)
    rig.watch = watch
