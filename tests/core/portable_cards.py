"""Runs on MicroPython and on CPython, prints what must be equal: cards with rules and cards of the staff at a pump."""

from portable_sale import ISSUER_KEY, Bench, Card

import cmac
from pump.core import card_layout, prompts, usage

DAY_FEN = 6000


def limits(uid, pin="", **rules):
    if pin:
        rules["salt"] = b"salt"
        rules["digest"] = prompts.pin_digest(cmac.Cmac(ISSUER_KEY), uid, b"salt", pin)
    return card_layout.pack_limits(b"TEST", **rules)


class Pump(Bench):
    def start(self):
        super().start("tap")

    def tap(self, card):
        self.ctl.card_arrived(card.uid)
        self.visit(card)
        self.ctl.card_left()
        self.run(300)
        v = self.ctl.view
        print("tap", v.notice, v.refusal, v.figures, v.state)

    def keys(self, text):
        for ch in text:
            self.ctl.key(ch)
        self.run(100)

    def sell(self, card, flow_ms):
        self.run(flow_ms, 3)
        self.ctl.inputs.lifted = 0
        self.run(2000)
        self.tap(card)
        print("card", card.value, card_layout.unpack_usage(card.files[card_layout.FILE_USAGE]))

    def lift(self):
        self.ctl.inputs.lifted = 0
        self.run(500)
        self.ctl.inputs.lifted = 1
        self.run(200)


def uid(number):
    return b"\x04\0\0\0\0\0" + bytes((number,))


def main():
    bench = Pump()
    assert bench.ctl.set_tariff(1, 0, {1: 756})
    bench.ctl.set_settings(1, {"duty_required": 1})
    bench.run(1000)
    vehicle = Card(
        50000, 1, "6200000000000101",
        limits(uid(1), "2468", day_fen=DAY_FEN, odometer=8, rules=card_layout.RULE_DRIVER), uid(1),
    )  # fmt: skip
    driver = Card(0, card_layout.KIND_DRIVER, "6200000000000102", limits(uid(2)), uid(2))
    staff = Card(0, card_layout.KIND_STAFF, "6200000000000103", limits(uid(3)), uid(3))
    manager = Card(0, card_layout.KIND_MANAGER, "6200000000000104", limits(uid(4)), uid(4))
    bench.lift()
    bench.tap(vehicle)  # nobody is on duty
    bench.tap(staff)
    for fill in range(3):
        bench.lift()
        bench.tap(vehicle)
        bench.tap(driver)
        bench.tap(vehicle)
        bench.keys("1#")
        bench.tap(vehicle)  # wrong, asked again
        bench.keys("2468#")
        bench.tap(vehicle)
        bench.keys(str(1000 + fill * 500) + "#")
        bench.tap(vehicle)
        bench.sell(vehicle, 4000)
    bench.run(6000)
    bench.tap(staff)
    bench.tap(manager)
    bench.keys("1")
    bench.start()  # power was away
    bench.run(500)
    assert bench.ctl.duty[1] == 1 and not any(bench.ctl.duty[0])
    bench.tell_all()
    used = card_layout.unpack_usage(vehicle.files[card_layout.FILE_USAGE])
    assert used[2] <= DAY_FEN and used[4] == 2000, used
    assert usage.after((1, 255, 5, 6, 7), 1, 0) == (1, 255, 6, 6, 7)
    print("ok")


if __name__ == "__main__":
    main()
