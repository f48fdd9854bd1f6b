"""Flow where there should be none or too much (D17), and totalizers that explain themselves (D18): the real core on the
real plant, faults planted at the plant."""

import random

import pytest

from pump.core import card_layout, codes, records, view
from tests.core.rigs import Bench
from tools.bench.desfire_card import DesfireCard

MINUTE = 60


def alarmed_ml(bench: Bench, *of: int) -> int:
    return sum(a["volume_ml"] for a in bench.of(records.ALARM) if not of or a["code"] in of)


def test_d17_a_bypass_is_alarmed_at_once_and_told_to_the_millilitre() -> None:
    bench = Bench("slot")
    bench.pump.plant.set_leak(1, 400_000)
    assert bench.wait(2, lambda: codes.ALARM_LEAK in bench.controller.alarms)
    bench.wait(2 * MINUTE)
    bench.pump.plant.set_leak(1, 0)
    bench.wait(30)
    true_ml = bench.pump.plant.true_ul(1) // 1000
    assert abs(alarmed_ml(bench, codes.ALARM_LEAK) - true_ml) <= 3
    told = [a for a in bench.of(records.ALARM) if a["code"] == codes.ALARM_LEAK]
    assert all(a["nozzle"] == 1 for a in told)
    assert len(told) <= 16, "a record every ten seconds, not one for every look"
    bench.wait(11 * MINUTE)
    assert codes.ALARM_LEAK not in bench.controller.alarms
    assert bench.controller.meters[1].total_ml == alarmed_ml(bench)


def test_d17_creep_is_told_from_a_leak_and_costs_few_records() -> None:
    """A drop now and then: 0.7 litres in an hour."""
    bench = Bench("slot")
    bench.pump.plant.set_leak(0, 200)
    for _ in range(60):
        bench.wait(MINUTE)
    bench.pump.plant.set_leak(0, 0)
    bench.wait(11 * MINUTE)
    true_ml = bench.pump.plant.true_ul(0) // 1000
    assert true_ml >= 700
    assert abs(alarmed_ml(bench, codes.ALARM_CREEP) - true_ml) <= 3
    assert not alarmed_ml(bench, codes.ALARM_LEAK)
    assert len(bench.of(records.ALARM)) <= 16


def test_d17_what_leaked_is_written_down_when_the_power_fails() -> None:
    bench = Bench("slot")
    bench.pump.plant.set_leak(0, 1_000)
    bench.wait(50)
    bench.pump.supply_ok = False
    bench.pump.poke()
    bench.wait(0.1)
    bench.pump.plant.set_leak(0, 0)
    bench.power_cycle()
    assert abs(alarmed_ml(bench) - 50) <= 3 and bench.controller.meters[0].total_ml == alarmed_ml(bench)


@pytest.mark.parametrize("leak_ul_s", [8_000, 400_000])
def test_d17_flow_before_the_valves_open_stops_the_sale_and_nobody_pays_for_it(leak_ul_s: int) -> None:
    bench = Bench("slot")
    card = bench.card(50_000)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    assert bench.wait(3, lambda: bench.controller.delivery.reserving is not None)
    bench.pump.hang(0)  # just before the card has answered
    assert bench.wait(3, lambda: bench.view.state == view.AUTHORISED)
    bench.pump.plant.set_leak(0, leak_ul_s)
    bench.wait(12, lambda: bench.view.state == view.STOPPING)
    bench.pump.plant.set_leak(0, 0)
    bench.state("settling", "card", within=8)
    (end,) = bench.of(records.END)
    assert (end["volume_ml"], end["amount_fen"], end["reason"]) == (0, 0, codes.STOP_CANCELLED)
    bench.wait(2)
    true_ml = bench.pump.plant.true_ul(0) // 1000
    assert true_ml >= 50
    assert abs(alarmed_ml(bench, codes.ALARM_PREFLOW) - true_ml) <= 3


def test_d17_a_drip_before_the_valves_open_is_not_sold() -> None:
    bench = Bench("slot")
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(bench.card(50_000))
    assert bench.wait(3, lambda: bench.controller.delivery.reserving is not None)
    bench.pump.hang(0)
    assert bench.wait(3, lambda: bench.view.state == view.AUTHORISED)
    bench.pump.plant.set_leak(0, 10_000)
    bench.wait(3)
    bench.pump.plant.set_leak(0, 0)
    bench.wait(0.5)
    drip_ml = bench.pump.plant.true_ul(0) // 1000
    bench.pump.lift(0)
    bench.state("fuelling")
    bench.fuel(5)
    bench.hang()
    (end,) = bench.of(records.END)
    true_ml = bench.pump.plant.true_ul(0) // 1000
    assert abs(alarmed_ml(bench, codes.ALARM_PREFLOW) - drip_ml) <= 3 and drip_ml >= 25
    assert abs(end["volume_ml"] - (true_ml - drip_ml)) <= 5
    assert codes.ALARM_PREFLOW not in bench.controller.alarms


def test_d17_more_flow_than_the_meter_is_made_for_stops_the_sale() -> None:
    bench = Bench("slot")
    bench.pump.plant.set_full(0, 3_000_000)
    bench.authorise(bench.card(50_000))
    bench.fuel(60)
    bench.hang()
    end = bench.of(records.END)[0]
    assert end["reason"] == codes.STOP_OVERFLOW and end["flow_max_ml_s"] > 2_500
    assert codes.ALARM_OVERFLOW in bench.controller.alarms
    bench.pump.plant.set_full(0, 600_000)
    bench.settle(bench.card(50_000))
    bench.authorise(bench.card(50_000, 2))
    bench.fuel(5)
    bench.hang()
    assert codes.ALARM_OVERFLOW not in bench.controller.alarms


def test_d17_the_longest_time_of_a_delivery_ends_it() -> None:
    bench = Bench("slot")
    bench.controller.settings.max_sale_s = 60
    bench.authorise(bench.card(50_000))
    bench.pump.plant.squeeze(0, 100_000)
    bench.wait(50)
    assert bench.view.state == view.FUELLING
    bench.state("stopping", "settling", within=15)
    assert bench.wait(5, lambda: bool(bench.of(records.END)))
    assert bench.of(records.END)[0]["reason"] == codes.STOP_TIME


def test_d17_a_nozzle_left_off_is_alarmed() -> None:
    bench = Bench("slot")
    bench.pump.lift(2)
    bench.wait(170)
    assert codes.ALARM_NOZZLE_OFF not in bench.controller.alarms
    bench.wait(20)
    assert codes.ALARM_NOZZLE_OFF in bench.controller.alarms
    bench.hang(2)
    assert codes.ALARM_NOZZLE_OFF not in bench.controller.alarms


class Day:
    """A day at the pump, by seed: sales, leaks, test measures, power cuts at any moment."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bench = Bench("slot", pulses_per_l=self.rng.choice((100, 100, 1000)))
        self.cards: list[DesfireCard] = [self.bench.card(400_000, n) for n in range(1, 4)]
        self.tester = self.bench.card(0, 90, kind=card_layout.KIND_TEST)
        for meter in self.bench.controller.meters:
            meter.factor_ppm = self.rng.choice((0, 0, 1_500, -2_999))

    def cut(self, chance: float) -> None:
        if self.rng.random() < chance:
            factors = [meter.factor_ppm for meter in self.bench.controller.meters]
            if self.rng.random() < 0.5:
                self.bench.pump.supply_ok = False
                self.bench.wait(0.03)
            self.bench.power_cycle()
            for meter, factor in zip(self.bench.controller.meters, factors, strict=True):
                meter.factor_ppm = factor  # set without a record above

    def sale(self) -> None:
        bench, nozzle = self.bench, self.rng.randrange(4)
        card = self.rng.choice(self.cards)
        bench.pump.lift(nozzle)
        bench.wait(0.5)
        bench.pump.put(card)
        bench.wait(3)
        self.cut(0.05)
        if bench.view.state in (view.FUELLING, view.SLOW):
            bench.fuel(self.rng.uniform(0.1, 9), nozzle)
        self.cut(0.15)
        bench.hang(nozzle)
        self.cut(0.05)
        bench.wait(6)
        bench.pump.take()
        bench.wait(1)

    def leak(self) -> None:
        nozzle = self.rng.randrange(4)
        self.bench.pump.plant.set_leak(nozzle, self.rng.choice((100, 3_000, 40_000)))
        self.bench.wait(self.rng.uniform(1, 40))
        self.cut(0.1)
        self.bench.pump.plant.set_leak(nozzle, 0)
        self.bench.wait(self.rng.choice((1, 20, 700)))

    def test(self) -> None:
        bench = self.bench
        bench.pump.put(self.tester)
        if bench.wait(4, lambda: bench.view.notice == view.NOTICE_MENU):
            bench.keys("1")
            bench.pump.lift(1)
            bench.wait(0.5)
            bench.keys("#")
            bench.wait(2)
            if bench.view.state in (view.FUELLING, view.SLOW):
                bench.fuel(self.rng.uniform(0.5, 6), 1)
            self.cut(0.2)
            bench.hang(1)
        bench.pump.take()
        bench.wait(2)


@pytest.mark.parametrize("seed", range(8))
def test_d18_totalizers_move_by_sales_tests_and_alarms_and_nothing_else(seed: int) -> None:
    day = Day(seed)
    for _ in range(30):
        day.rng.choice((day.sale, day.sale, day.sale, day.leak, day.test))()
        day.bench.controller.journal.ack(day.bench.controller.journal.head - 1)
    bench = day.bench
    totals, measured, sums = [0] * 4, 0, [0] * 4
    for kind, body in bench.records():
        if kind == records.BOOT:
            assert [body[f"total{n}_ml"] for n in range(4)] == totals, seed
        elif kind == records.END:
            n = body["nozzle"]
            assert body["total_start_ml"] == totals[n], seed
            assert body["total_end_ml"] == totals[n] + body["volume_ml"], seed
            totals[n] = body["total_end_ml"]
            sums[n] += body["volume_ml"]
        elif kind == records.TEST_MEASURE:
            n = body["nozzle"]
            assert body["total_end_ml"] == totals[n] + body["volume_ml"], seed
            totals[n] = body["total_end_ml"]
            sums[n] += body["volume_ml"]
            measured += body["volume_ml"]
        elif kind == records.ALARM and body["volume_ml"]:
            n = body["nozzle"]
            assert body["total_ml"] == totals[n] + body["volume_ml"], seed
            totals[n] = body["total_ml"]
            sums[n] += body["volume_ml"]
    assert totals == sums == [meter.total_ml for meter in bench.controller.meters], seed
    assert sum(totals) > 10_000, seed
