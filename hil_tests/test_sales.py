"""Sales at the pump, as customers and bad luck make them: card, limit, power, link, wrong card, pulser."""

import time
from functools import partial

from hil_tests.driver import Driver
from pump.core import codes
from pump.core.money import amount_fen
from station import sales
from tools.bench import acts

DARK_S = 1.0  # longer than any supply holds up: a shorter dip ends the sale without a restart


def start(pump: Driver, card: str, keys: str = "", nozzle: int = 0) -> None:
    """Card in, nozzle up, trigger squeezed, fuel flows."""
    pump.do(acts.insert(pump.pump, card))
    if keys:
        pump.do(acts.keys(pump.pump, keys))
    pump.do(acts.lift(pump.pump, nozzle))
    pump.until(pump.flowing, 15, "fuelling is released")
    pump.do(acts.trigger(pump.pump, "full", nozzle))


def volume_above(pump: Driver, volume_ml: int) -> None:
    pump.until(lambda: pump.live().get("ml", 0) > volume_ml, 30, f"{volume_ml} ml have flowed")


def finish(pump: Driver, nozzle: int = 0) -> None:
    pump.do(acts.hang(pump.pump, nozzle))


def refusals_beside(pump: Driver, known: frozenset[tuple[int, int]]) -> set[tuple[int, int]]:
    """(device, seq) of the refusals in the books that are not known yet."""
    return {(row.device, row.seq) for row in pump.read(sales.refusals)} - known


def the_books_are_right(row: sales.SaleRow, loaded_fen: int, pump: Driver) -> None:
    assert row.volume_ml is not None and row.price_fen_per_l is not None and row.amount_fen is not None
    assert row.amount_fen == amount_fen(row.volume_ml, row.price_fen_per_l)
    assert row.balance_fen == loaded_fen - row.amount_fen
    assert row.total_start_ml is not None and row.total_end_ml == row.total_start_ml + row.volume_ml  # D18
    invariant = pump.read(sales.money_invariant)
    assert invariant.holds, invariant
    assert pump.read(sales.gaps) == []


def test_d3_d10_sale_by_card(pump: Driver) -> None:
    """Insert, preset 20 yuan, lift, fill, hang up: shut at the preset by itself, settled, in the books to the fen."""
    card = pump.new_card(30_000)
    start(pump, card, "A20#")
    pump.until(lambda: not pump.flowing(), 40, "the valve shuts at the preset")
    shown = pump.live()["fen"]
    finish(pump)
    row = pump.settled(card)
    assert row.reason == codes.STOP_PRESET
    assert (
        row.amount_fen is not None and 1_960 <= row.amount_fen <= 2_000
    )  # a nozzle's first deliveries close early: D16
    assert row.amount_fen >= shown  # D5: what ran on while the valve closed is shown and billed, never less
    the_books_are_right(row, 30_000, pump)
    pump.do(acts.remove(pump.pump))


def test_d16_d20_card_limit(pump: Driver) -> None:
    """A card with 15 yuan: the valve shuts before the money runs out, and the card never goes below zero."""
    card = pump.new_card(1_500)
    start(pump, card)
    pump.until(lambda: not pump.flowing(), 40, "the valve shuts at the card's limit")
    finish(pump)
    row = pump.settled(card)
    assert row.reason == codes.STOP_CARD_LIMIT
    # One fen is always returned (PURSE); a nozzle's first deliveries close up to 25 ml early (D16).
    assert row.amount_fen is not None and 1_475 <= row.amount_fen <= 1_499
    the_books_are_right(row, 1_500, pump)
    pump.do(acts.remove(pump.pump))


def test_d15_power_cut_mid_sale(pump: Driver) -> None:
    """Power fails while fuel flows: shut at once, ended from the checkpoint after restart, settled at next contact."""
    card = pump.new_card(30_000)
    start(pump, card)
    volume_above(pump, 1_200)
    boot = pump.state()["boot"]
    pump.do(acts.power(pump.pump, False))
    finish(pump)
    time.sleep(DARK_S)
    pump.do(acts.power(pump.pump, True))
    pump.until(lambda: pump.state().get("boot", 0) > boot, 60, "the board is up again")
    row = pump.settled(card, 60)
    assert row.recovered and row.reason == codes.STOP_POWER
    assert row.volume_ml is not None and row.volume_ml >= 1_000
    the_books_are_right(row, 30_000, pump)
    pump.do(acts.remove(pump.pump))


def test_d6_link_down_mid_sale_then_upload_once(pump: Driver) -> None:
    card = pump.new_card(30_000)
    start(pump, card)
    volume_above(pump, 500)
    pump.do(acts.network(pump.pump, "cut"))
    finish(pump)
    pump.until(lambda: not pump.online(), 30, "the station sees the pump offline")  # D9: within 15 s and the keepalive
    assert [row.state for row in pump.sales_of(card)] != ["settled"]
    pump.do(acts.network(pump.pump, "up"))
    row = pump.settled(card, 90)
    assert row.reason == codes.STOP_NOZZLE
    the_books_are_right(row, 30_000, pump)
    pump.do(acts.remove(pump.pump))


def test_d2_d11_wrong_card(pump: Driver) -> None:
    """A diesel card at the petrol nozzle and a card that was never issued: no flow, each refused with its own code."""
    seen = {(row.device, row.seq) for row in pump.read(sales.refusals)}
    card = pump.new_card(20_000, (codes.GRADE_DIESEL,))
    for wrong in (card, pump.blank_card()):
        pump.do(acts.lift(pump.pump, 0))
        pump.do(acts.insert(pump.pump, wrong))
        fresh = pump.until(partial(refusals_beside, pump, frozenset(seen)), 20, "the refusal is recorded")
        assert len(fresh) == 1 and not pump.flowing()
        seen |= fresh
        finish(pump)
        pump.do(acts.remove(pump.pump))
    newest = [row.code for row in pump.read(lambda conn: sales.refusals(conn, limit=2))]
    assert codes.REFUSE_GRADE in newest
    assert set(newest) & {codes.REFUSE_WRONG_ISSUER, codes.REFUSE_NOT_A_PURSE, codes.REFUSE_WRONG_KEY}
    assert pump.sales_of(card) == []


def test_d14_pulser_fault(pump: Driver) -> None:
    """Channel B goes silent mid-sale: the valve shuts with the pulser's own reason, the alarm is raised."""
    card = pump.new_card(30_000)
    start(pump, card)
    volume_above(pump, 600)
    pump.do(acts.pulser(pump.pump, "dropped_b"))
    pump.until(lambda: not pump.flowing(), 15, "the valve shuts on the disagreement")
    finish(pump)
    pump.do(acts.pulser(pump.pump, "ok"))
    row = pump.settled(card)
    assert row.reason == codes.STOP_PULSER
    assert row.balance_fen == 30_000 - (row.amount_fen or 0)
    pump.do(acts.remove(pump.pump))
