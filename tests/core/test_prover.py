"""Stories of test measure, prover and calibration (D8, D24), led at the keypad of the real core on the real plant."""

import pytest

from pump.core import card_layout, codes, metering, records, view
from tests.core.rigs import Bench, identity
from tools.bench.desfire_card import DesfireCard

DRAW_L = 10


class ProverBench(Bench):
    """A pump whose meter counts `wrong_ppm` too much or too little, and the people who test it."""

    def __init__(self, wrong_ppm: int = 0, mode: str = "slot") -> None:
        super().__init__(mode, pulses_per_l=1000)
        self.pump.plant._nozzles[0].counts_per_l = 4000 * (1_000_000 + wrong_ppm) // 1_000_000
        self.drawn_ul = 0

    def show(self, kind: int = card_layout.KIND_SERVICE, number: int = 90) -> DesfireCard:
        card = self.card(0, number, kind=kind)
        self.pump.put(card)
        assert self.wait(3, lambda: self.view.notice == view.NOTICE_MENU), (self.view.notice, self.view.refusal)
        return card

    def draw(self, litres: float = DRAW_L) -> None:
        """Lift, `#`, draw, hang up."""
        before_ul = self.pump.plant.true_ul(0)
        self.pump.lift(0)
        self.wait(0.5)
        self.keys("#")
        self.state("fuelling", "slow")
        self.fuel(litres)
        self.hang()
        self.drawn_ul = self.pump.plant.true_ul(0) - before_ul

    def read(self, more_ppm: int = 0) -> None:
        """What the prover shows, typed."""
        assert self.view.notice == view.NOTICE_PROVER
        self.keys(f"{self.drawn_ul * (1_000_000 + more_ppm) // 1_000_000_000}#")

    def seal(self, is_open: bool) -> None:
        self.controller.inputs.seal_open = is_open

    @property
    def factor_ppm(self) -> int:
        return int(self.controller.meters[0].factor_ppm)


def test_d24_a_test_measure_draws_without_money_and_the_totalizer_goes_on() -> None:
    bench = ProverBench()
    bench.show(card_layout.KIND_TEST)
    bench.keys("1")
    bench.draw()
    begun, drawn = bench.of(records.TEST_MEASURE)
    assert begun["volume_ml"] == 0
    assert abs(drawn["volume_ml"] - bench.drawn_ul // 1000) <= 5
    assert drawn["total_end_ml"] - drawn["total_start_ml"] == drawn["volume_ml"]
    assert bench.controller.meters[0].total_ml == drawn["total_end_ml"]
    assert drawn["card_no"].hex() == "6200000000000090"
    assert not bench.of(records.START) and not bench.of(records.END)
    assert bench.view.amount_fen == 0
    assert bench.dark()
    bench.keys("*")
    assert bench.view.notice == view.NOTICE_MENU
    bench.keys("*")
    assert bench.controller.dialog is None


def test_d8_three_runs_propose_a_factor_and_the_seal_decides() -> None:
    bench = ProverBench(wrong_ppm=4_000)
    bench.show(card_layout.KIND_TEST)
    bench.keys("2")
    for _ in range(3):
        bench.draw()
        bench.read()
    mean, spread, proposed = bench.view.figures
    assert bench.view.notice == view.NOTICE_FACTOR
    assert abs(mean - 4_000) < 250  # a reading in ml of 10 litres is 100 ppm
    assert abs(mean) > 3_000, "flagged"
    assert spread <= 1_000
    assert proposed == metering.corrected_ppm(0, mean) < 0
    bench.keys("#")
    assert bench.view.notice == view.NOTICE_SEAL and bench.factor_ppm == 0
    assert bench.of(records.REFUSAL)[-1]["code"] == codes.REFUSE_SEAL
    assert not bench.of(records.CALIBRATION)
    bench.seal(True)
    bench.keys("#")
    assert bench.factor_ppm == proposed
    (event,) = bench.of(records.CALIBRATION)
    assert (event["event_count"], event["old_ppm"], event["new_ppm"]) == (1, 0, proposed)
    assert (event["error_ppm"], event["repeatability_ppm"], event["how"]) == (mean, spread, codes.FACTOR_PROVER)
    readings = [m for m in bench.of(records.TEST_MEASURE) if m["how"] == codes.TEST_PROVER]
    assert [m["run"] for m in readings] == [1, 2, 3]
    assert sum(m["error_ppm"] for m in readings) // 3 in (mean - 1, mean, mean + 1)
    bench.keys("2")
    bench.draw()
    bench.read()
    assert abs(bench.of(records.TEST_MEASURE)[-1]["error_ppm"]) <= 300, "the new factor took the error away"


def test_d8_a_meter_that_does_not_repeat_itself_gets_no_factor() -> None:
    bench = ProverBench()
    bench.show()
    bench.seal(True)
    bench.keys("2")
    for more_ppm in (0, 2_500, 0):
        bench.draw()
        bench.read(more_ppm)
    mean, spread = bench.view.figures
    assert abs(mean) < 2_000 < spread, "no third figure: nothing is proposed"
    bench.keys("#")
    assert not bench.of(records.CALIBRATION) and bench.factor_ppm == 0


def test_d8_factor_and_event_counter_outlive_power_and_restatement() -> None:
    bench = ProverBench()
    bench.show()
    bench.seal(True)
    for digits in ("1001500", "0998750"):
        bench.pump.lift(0)
        bench.wait(1)
        bench.keys("3" + digits + "#")
        bench.hang()
    assert (bench.factor_ppm, bench.controller.meters[0].events) == (-1_250, 2)
    assert [(e["old_ppm"], e["new_ppm"]) for e in bench.of(records.CALIBRATION)] == [(0, 1_500), (1_500, -1_250)]
    bench.pump.take()
    for _ in range(3):
        bench.power_cycle()
        assert (bench.factor_ppm, bench.controller.meters[0].events) == (-1_250, 2)
        for _ in range(bench.controller.journal.restate_every + 1):
            bench.controller.append(records.TAMPER, (0, 0, 0))
            bench.controller.journal.ack(bench.controller.journal.head - 1)
            bench.controller.idle_work()
    stated = bench.of(records.CALIBRATION)[-1]
    assert (stated["how"], stated["event_count"]) == (codes.FACTOR_RESTATED, 2)
    assert (stated["old_ppm"], stated["new_ppm"]) == (1_500, -1_250)


@pytest.mark.parametrize(("digits", "seal"), [("1001500", False), ("2000000", True), ("0900000", True)])
def test_d14_no_factor_behind_a_shut_seal_and_none_that_cannot_be(digits: str, seal: bool) -> None:
    bench = ProverBench()
    bench.show()
    bench.seal(seal)
    bench.pump.lift(0)
    bench.wait(1)
    bench.keys("3" + digits + "#")
    assert bench.factor_ppm == 0 and not bench.of(records.CALIBRATION)


def test_d24_a_planted_error_of_0_7_percent_locks_at_the_fifth_and_only_service_opens() -> None:
    bench = ProverBench(wrong_ppm=7_000)
    bench.show(card_layout.KIND_TEST)
    for measure in range(5):
        assert not bench.controller.locked
        bench.keys("1")
        bench.draw(20)
        bench.read()
        if measure == 2:
            bench.pump.take()
            bench.power_cycle()
            bench.show(card_layout.KIND_TEST)
    assert bench.controller.locked == view.LOCK_METER
    assert codes.ALARM_METER_LOCK in bench.controller.alarms
    bench.pump.take()
    bench.wait(2)
    bench.power_cycle()
    assert bench.controller.locked == view.LOCK_METER
    bench.pump.put(bench.card())
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_LOCKED
    bench.pump.take()
    bench.wait(1)
    bench.show(card_layout.KIND_TEST)
    bench.keys("4")
    assert bench.controller.locked, "a test card opens nothing"
    bench.pump.take()
    bench.wait(1)
    bench.show(card_layout.KIND_SERVICE)
    bench.keys("4")
    assert bench.controller.locked and bench.view.notice == view.NOTICE_SEAL
    bench.seal(True)
    bench.keys("4")
    assert not bench.controller.locked
    assert codes.ALARM_METER_LOCK not in bench.controller.alarms


def test_d24_four_bad_measures_and_a_good_one_do_not_lock() -> None:
    bench = ProverBench(wrong_ppm=7_000)
    bench.show(card_layout.KIND_TEST)
    for more_ppm in (0, 0, 0, 0, 7_000, 0, 0, 0, 0):
        bench.keys("1")
        bench.draw(20)
        bench.read(more_ppm)
    assert not bench.controller.locked


def test_d24_the_third_start_with_another_meter_locks() -> None:
    def with_meter(serial: str) -> dict[str, object]:
        other = identity()
        other["nozzles"] = [{**one, "meter": f"{serial}-{n}"} for n, one in enumerate(other["nozzles"])]
        return other

    from pump.core.config import Config

    bench = Bench("slot")
    bench.pump.config = Config(with_meter("A"))
    bench.power_cycle()
    bench.power_cycle()
    assert not bench.controller.strangers
    bench.pump.config = Config(with_meter("B"))
    for start in (1, 2):
        bench.power_cycle()
        assert (bench.controller.strangers, bench.controller.locked) == (start, 0)
        assert codes.ALARM_METER_LOCK in bench.controller.alarms
    bench.pump.config = Config(with_meter("A"))
    bench.power_cycle()
    assert not bench.controller.strangers and not bench.controller.alarms
    bench.pump.config = Config(with_meter("B"))
    for _ in range(3):
        bench.power_cycle()
    assert bench.controller.locked == view.LOCK_METER
    bench.controller.inputs.seal_open = True
    bench.pump.put(bench.card(0, 90, kind=card_layout.KIND_SERVICE))
    bench.wait(3, lambda: bench.view.notice == view.NOTICE_MENU)
    bench.keys("4")
    assert not bench.controller.locked
    bench.pump.take()
    bench.power_cycle()
    assert not bench.controller.strangers and not bench.controller.locked


def test_d24_power_cut_in_a_test_measure_loses_no_more_than_the_checkpoint_allows() -> None:
    bench = ProverBench()
    bench.show(card_layout.KIND_TEST)
    bench.keys("1")
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.keys("#")
    bench.state("fuelling")
    bench.fuel(7.3)
    bench.pump.plant.set_trigger(0, "full")
    bench.power_cycle()
    measures = bench.of(records.TEST_MEASURE)
    assert [m["volume_ml"] for m in measures] == [0, 7_000]
    assert bench.controller.meters[0].total_ml == 7_000 == measures[-1]["total_end_ml"]
    bench.power_cycle()
    assert len(bench.of(records.TEST_MEASURE)) == 2
    assert bench.controller.meters[0].total_ml == 7_000


def test_d24_an_unattended_wizard_gives_no_fuel() -> None:
    bench = ProverBench(mode="tap")
    bench.show(card_layout.KIND_TEST)
    bench.pump.take()
    bench.keys("1")
    bench.wait(200)
    bench.pump.lift(0)
    bench.wait(1)
    bench.keys("#")
    bench.wait(2)
    assert bench.dark() and not bench.of(records.TEST_MEASURE)
    assert bench.controller.dialog is None
