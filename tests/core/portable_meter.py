"""Runs on MicroPython and on CPython, prints what must be equal: prover, factors, locks, leaks and timelines."""

import binascii

from portable_cards import Pump, limits, uid
from portable_sale import Card, Flash

from pump.core import card_layout, trace, traces

SMALL_INT = (1 << 30) - 1  # the ESP32's


class Metered(Pump):
    """A tap pump whose seal is open, with room for timelines."""

    def start(self):
        super().start()
        if not hasattr(self, "trace_flash"):
            self.trace_flash = Flash(16)
        self.ctl.trace = trace.Trace(self.trace_flash)
        traces.find(self.ctl.trace)
        self.ctl.inputs.seal_open = True

    def draw(self, ms, prover_ml):
        self.lift()
        self.keys("#")
        self.run(ms, 3)
        self.ctl.inputs.lifted = 0
        self.run(2000)
        v = self.ctl.view
        print("drawn", v.notice, v.figures, v.volume_ml, v.state)
        self.keys(str(prover_ml) + "#")
        print("read", v.notice, v.figures, self.ctl.locked)

    def timeline(self, sale):
        assert self.ctl.command("trace:" + str(sale)) == ""
        while self.ctl.upload:
            part = self.ctl.take_upload()
            if part:
                print(part[0], len(part[1]), binascii.crc32(part[1]))


def main():
    bench = Metered()
    assert bench.ctl.set_tariff(1, 0, {1: 756})
    bench.run(5000)
    tester = Card(0, card_layout.KIND_TEST, "6200000000000190", limits(uid(9)), uid(9))
    bench.tap(tester)
    bench.keys("2")
    for prover_ml in (5180, 5178, 5179):
        bench.draw(7000, prover_ml)
    bench.keys("#")
    meter = bench.ctl.meters[0]
    print("factor", meter.factor_ppm, meter.old_ppm, meter.events, meter.total_ml)
    bench.start()  # power was away
    meter = bench.ctl.meters[0]
    print("factor", meter.factor_ppm, meter.old_ppm, meter.events, meter.total_ml)
    bench.run(6000)
    bench.tap(tester)
    for _ in range(5):
        bench.keys("1")
        bench.draw(7000, 5140)
    print("locked", bench.ctl.locked, bench.ctl.alarms)
    bench.run(200000)
    bench.edges += 80  # 200 ml past shut valves
    bench.run(700000)
    bench.timeline(2)
    bench.timeline(3)
    assert (bench.ctl.meters[0]._den - 1 + 500 * 1050000) < SMALL_INT, "a tick's arithmetic needs no large number"
    bench.tell_all()
    print("ok")


main()
