"""The simulation: seeds hold, a seed is one story, broken pumps are caught (D15, D16, D20, D21, D28, D31)."""

from collections.abc import Callable
from typing import Any

import pytest

from pump.core import cutoff, prompts, purse, records, recovery, sale, visit
from pump.core.controller import Controller
from tools import bench_flash
from tools.sim import loads
from tools.sim.__main__ import main
from tools.sim.seeds import run, run_seed

SEEDS = range(50_001, 50_026)


def test_d15_d20_d21_d24_d28_d31_money_and_fuel_hold_over_a_slice_of_seeds() -> None:
    worlds = [run_seed(seed) for seed in SEEDS]
    assert sum(world.sales for world in worlds) > 100
    assert sum(pump.power_cuts for world in worlds for pump in world.pumps) > 20
    assert sum(world.tears for world in worlds) > 20
    assert sum(world.loads.begun for world in worlds) > 5
    assert sum(world.measures for world in worlds) > 2
    leases = [lease for world in worlds for lease in world.lending.leases.values() if lease.begun]
    assert {lease.is_ahead for lease in leases} == {True, False}


def test_a_seed_is_one_story() -> None:
    def story(seed: int) -> list[tuple[int, dict[str, Any]]]:
        world = run_seed(seed, customers=4)
        return [*world.station.ends.items()] + [(0, {"now": world.now_us, "purses": str(world.station.purse)})]  # type: ignore[list-item]

    assert story(11) == story(11)
    assert story(11) != story(12)


def test_a_seed_can_be_replayed_and_the_run_ends_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7"]) == 0
    assert "RESERVED" in capsys.readouterr().out
    assert main(["--seeds", "2"]) == 0
    assert '"seeds": 2' in capsys.readouterr().out.splitlines()[-1]


class Leaky(Controller):
    """Lets the valve stay open while the flow should end."""

    def step(self, now_ms: int, now_s: int, quality: int) -> None:
        super().step(now_ms, now_s, quality)
        if self.delivery.state == "stopping":
            self.outputs.small = 1
            self.outputs.permit = 1


def _no_crc(record: bytes) -> bool:
    return len(record) == records.SIZE and record[0] == records.VERSION


def _settle_one_fen_more(session: Any, card: Any, returned_fen: int, log: bytes) -> Any:
    return _settle(session, card, returned_fen - 1, log)


def _no_advance(ctl: Any, nozzle: int, limit_ml: int, flow_ml_s: int = 0) -> tuple[int, int]:
    return limit_ml, limit_ml


def _forget_the_cut_sale(ctl: Any, known: Any) -> None:
    return None


def _start_after_debit(ctl: Any) -> None:
    """A torn reservation is simply forgotten."""
    ctl.delivery.reserving = None


def _totalizer_by_price(*args: Any) -> int:
    ctl, sold, flags, volume_ml = args[:4]
    ctl.meters[sold.nozzle].total_ml -= min(1, volume_ml)
    over_ml: int = _end(ctl, sold, flags, volume_ml, *args[4:])
    return over_ml


def _never_ask(ctl: Any, session: Any, card: Any) -> Any:
    """Whoever holds the card may fuel."""
    return True
    yield


def _load_whatever_the_card_says(keys: Any, random: Any, fen: int, load_id: int, upper_fen: int) -> Any:
    """Forgets that a torn load may have happened."""
    return _credit(keys, random, fen, load_id ^ random(1)[0] << 8, upper_fen)


_settle, _end, _credit = purse.settle, sale.end, loads.credit

BROKEN: list[tuple[Any, str, Callable[..., Any]]] = [
    (records, "is_whole", _no_crc),
    (purse, "settle", _settle_one_fen_more),
    (cutoff, "close_at", _no_advance),
    (recovery, "_end_cut_sale", _forget_the_cut_sale),
    (sale, "broken", _start_after_debit),
    (visit, "_observe", lambda ctl, card: None),
    (sale, "end", _totalizer_by_price),
    (recovery, "find_checkpoint", lambda ring: None),
    (prompts, "ready", _never_ask),
    (loads, "credit", _load_whatever_the_card_says),
    (sale, "spend", lambda ctl, lease, amount_fen: None),
    (recovery, "_end_cut_test", lambda ctl, known: None),
]


@pytest.mark.parametrize(("module", "name", "broken"), BROKEN, ids=[name for _, name, _ in BROKEN])
def test_a_broken_pump_is_caught(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, broken: Any) -> None:
    monkeypatch.setattr(module, name, broken)
    said: list[str] = []
    assert any(run(range(seed, seed + 1), said.append).violations for seed in range(1, 90))
    assert any("--seed" in line for line in said), "a violation must name the seed that replays it"


def test_d13_a_valve_that_is_open_in_the_wrong_state_is_caught() -> None:
    assert run(range(1, 6), lambda line: None, make=Leaky).violations > 0


def test_flash_wear_and_capacity_keep_their_targets() -> None:
    result = bench_flash.wear(3_000)
    assert result["programs_per_record"] <= 1.1
    assert result["erases_per_1000"] <= 40
    assert result["years_to_50k_erases_at_1000_sales_per_day"] >= 10
    assert bench_flash.capacity() >= 2_000
