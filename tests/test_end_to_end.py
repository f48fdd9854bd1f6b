"""The main job on real processes: broker, ingest, pages and four pumps that run the real firmware under MicroPython.

Each story uses the station as people do: hands at the bench, the command line, the books. D3-D6, D13, D15, D20, D31.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pump.core import codes
from pump.core.money import amount_fen
from station import sales
from station.sales import SaleRow
from tests.station_run import StationRun, until
from tools.bench import acts
from tools.bench.state import CardState

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationRun]:
    with StationRun(tmp_path_factory.mktemp("station")) as run:
        until(lambda: rich_card(run), 60, "the first cards are issued and loaded")
        yield run


def rich_card(station: StationRun, least_fen: int = 20_000) -> CardState | None:
    """A card for all grades in the wallet with enough money on it."""
    cards = [card for card in station.bench.state()["cards"] if card["holder"].startswith(("张伟", "陈静"))]
    free = [card for card in cards if card["where"] == "wallet" and (card["balance_fen"] or 0) >= least_fen]
    return max(free, key=lambda card: card["balance_fen"] or 0) if free else None


def a_card(station: StationRun) -> CardState:
    card = until(lambda: rich_card(station), 10, "a card with money")
    assert card is not None and card["card_no"] is not None
    return card


def sales_of(station: StationRun, card: CardState) -> list[SaleRow]:
    return station.read(lambda conn: sales.recent(conn, card_no=card["card_no"]))


def settled_sale(station: StationRun, card: CardState, before: int, timeout_s: float = 20) -> SaleRow:
    """The card's newest sale, once the books have it settled and as the only new one."""

    def look() -> SaleRow | None:
        rows = sales_of(station, card)
        return rows[0] if len(rows) == before + 1 and rows[0].state == "settled" else None

    try:
        row = until(look, timeout_s)
    except AssertionError:
        raise AssertionError(f"not settled: {sales_of(station, card)}\n{station.logs()}") from None
    assert row is not None
    return row


def the_money_is_right(station: StationRun, card: CardState, row: SaleRow) -> None:
    """Card, record and books agree to the fen, and nothing is left in flight on this card."""
    assert row.volume_ml is not None and row.price_fen_per_l is not None and row.amount_fen is not None
    assert row.amount_fen == amount_fen(row.volume_ml, row.price_fen_per_l)
    assert card["balance_fen"] is not None
    now = station.card(card["card"])
    assert now["open_fen"] == 0
    assert now["balance_fen"] == card["balance_fen"] - row.amount_fen == row.balance_fen
    invariant = station.read(sales.money_invariant)
    assert invariant.holds, invariant
    assert card["card_no"] not in invariant.waiting + invariant.differing


def tap_again(station: StationRun, pump: str, card: CardState) -> None:
    """The settling tap, once the first one is over."""
    station.until_pump(pump, lambda look: look["card"] is None, 5)
    station.do(acts.tap(pump, card["card"], 2500))


def leave(station: StationRun, pump: str) -> None:
    """Back to rest, whatever a story left behind."""
    look = station.pump(pump)
    for nozzle in look["nozzles"]:
        if nozzle["lifted"]:
            station.do(acts.hang(pump, nozzle["nozzle"]))
    if look["card"] is not None:
        station.do(acts.remove(pump))


def test_d10_d20_tapped_fuelled_shut_at_the_preset_settled_and_right_in_the_books(station: StationRun) -> None:
    """A card is tapped, fuel flows, the valve shuts in time by itself, the money is right everywhere."""
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.keys("p3", "A20#"))
    station.do(acts.lift("p3"))
    station.do(acts.tap("p3", card["card"]))
    station.until_pump("p3", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p3", "full"))  # and nobody lets go
    station.until_pump("p3", lambda pump: pump["nozzles"][0]["sale_ml"] > 100, 10)
    shut = station.until_pump("p3", lambda pump: not pump["permit"] and not pump["motor"], 30)
    assert not shut["nozzles"][0]["small_valve"] and not shut["nozzles"][0]["big_valve"]
    station.do(acts.hang("p3"))
    tap_again(station, "p3", card)
    row = settled_sale(station, card, before)
    assert row.reason == codes.STOP_PRESET
    # A nozzle's first delivery closes 25 ml early (D16).
    assert row.amount_fen is not None and 1_975 <= row.amount_fen <= 2_000
    true_ml = station.pump("p3")["nozzles"][0]["sale_ml"]
    assert row.volume_ml is not None and abs(row.volume_ml - true_ml) <= 20
    the_money_is_right(station, card, row)


def test_d3_a_pulled_card_shuts_the_valve_and_settles_when_it_comes_back(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p1", card["card"]))
    station.do(acts.lift("p1", 2))
    station.until_pump("p1", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p1", "full", 2))
    station.until_pump("p1", lambda pump: pump["nozzles"][2]["sale_ml"] > 500, 15)
    station.do(acts.remove("p1"))
    station.until_pump("p1", lambda pump: not pump["permit"] and pump["nozzles"][2]["flow_ml_s"] == 0, 5)
    assert station.card(card["card"])["open_fen"] > 0  # the money of the fuel is still reserved on the card
    station.do(acts.hang("p1", 2))
    station.do(acts.insert("p1", card["card"]))
    row = settled_sale(station, card, before)
    assert row.reason == codes.STOP_CARD_PULLED and row.grade == 3
    the_money_is_right(station, card, row)
    leave(station, "p1")


def test_d20_a_card_that_left_mid_sale_is_settled_at_another_pump(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p1", card["card"]))
    station.do(acts.lift("p1", 1))
    station.until_pump("p1", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p1", "full", 1))
    station.until_pump("p1", lambda pump: pump["nozzles"][1]["sale_ml"] > 500, 15)
    station.do(acts.remove("p1"))
    station.until_pump("p1", lambda pump: not pump["permit"], 5)
    station.do(acts.hang("p1", 1))
    until(
        lambda: len(sales_of(station, card)) == before + 1 and sales_of(station, card)[0].ended, 20, "the end is known"
    )
    assert station.card(card["card"])["open_fen"] > 0
    station.do(acts.insert("p2", card["card"]))
    row = settled_sale(station, card, before)
    assert (row.pump, row.reason) == ("p1", codes.STOP_CARD_PULLED)
    the_money_is_right(station, card, row)
    leave(station, "p2")


def test_d14_a_broken_pulser_channel_stops_the_sale_and_only_counted_fuel_is_paid(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p2", card["card"]))
    station.do(acts.lift("p2"))
    station.until_pump("p2", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p2", "full"))
    station.until_pump("p2", lambda pump: pump["nozzles"][0]["sale_ml"] > 800, 15)
    station.do(acts.pulser("p2", "stuck_a"))
    broken_at = station.pump("p2")["nozzles"][0]["sale_ml"]
    shut = station.until_pump("p2", lambda pump: not pump["permit"], 10)
    assert shut["nozzles"][0]["sale_ml"] - broken_at < 1000
    station.do(acts.pulser("p2", "ok"))
    station.do(acts.hang("p2"))
    row = settled_sale(station, card, before)
    assert row.reason == codes.STOP_PULSER
    the_money_is_right(station, card, row)
    leave(station, "p2")


def test_d2_d11_a_diesel_card_on_a_petrol_nozzle_is_refused_and_the_refusal_is_in_the_books(
    station: StationRun,
) -> None:
    diesel = next(card for card in station.bench.state()["cards"] if card["holder"].startswith("李强"))
    before = len(station.read(sales.refusals))
    station.do(acts.insert("p2", diesel["card"]))
    station.do(acts.lift("p2", 0))
    station.do(acts.trigger("p2", "full", 0))
    rows = until(lambda: station.read(sales.refusals)[: -before or None], 20, "the refusal arrives")
    assert (rows[0].code, rows[0].card_no, rows[0].grade) == (codes.REFUSE_GRADE, diesel["card_no"], 1)
    assert station.pump("p2")["nozzles"][0]["sale_ml"] == 0 and not station.pump("p2")["permit"]
    assert station.card(diesel["card"])["balance_fen"] == diesel["balance_fen"]
    leave(station, "p2")


def test_d6_network_cut_mid_sale_then_uploaded_exactly_once(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p2", card["card"]))
    station.do(acts.lift("p2"))
    station.until_pump("p2", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p2", "full"))
    station.until_pump("p2", lambda pump: pump["nozzles"][0]["sale_ml"] > 500, 15)
    station.do(acts.network("p2", "cut"))
    flowing = station.pump("p2")["nozzles"][0]["sale_ml"]
    station.until_pump("p2", lambda pump: pump["nozzles"][0]["sale_ml"] > flowing + 1000, 10)
    station.do(acts.hang("p2"))
    until(lambda: station.card(card["card"])["open_fen"] == 0, 10, "the pump settles the card without the station")
    assert len([row for row in sales_of(station, card) if row.state == "settled"]) == before
    station.do(acts.network("p2", "up"))
    row = settled_sale(station, card, before, 60)
    assert row.reason == codes.STOP_NOZZLE
    assert station.read(sales.gaps) == []
    the_money_is_right(station, card, row)
    leave(station, "p2")


def test_d13_d15_power_cut_mid_sale_shuts_everything_and_is_recovered(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    boots = station.pump("p2")["boots"]
    station.do(acts.insert("p2", card["card"]))
    station.do(acts.lift("p2", 1))
    station.until_pump("p2", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p2", "full", 1))
    station.until_pump("p2", lambda pump: pump["nozzles"][1]["sale_ml"] > 1500, 15)
    station.do(acts.power("p2", False))
    dark = station.until_pump("p2", lambda pump: not pump["permit"] and not pump["motor"], 2)
    assert not dark["nozzles"][1]["small_valve"]
    station.until_pump("p2", lambda pump: not pump["lcd"]["on"] and pump["nozzles"][1]["flow_ml_s"] == 0, 5)
    true_ml = station.pump("p2")["nozzles"][1]["sale_ml"]
    station.do(acts.hang("p2", 1))
    station.do(acts.power("p2", True))
    station.until_pump("p2", lambda pump: pump["boots"] > boots and pump["lcd"]["on"], 15)
    row = settled_sale(station, card, before, 60)  # the card is still in its slot: its next contact
    assert row.recovered and row.reason == codes.STOP_POWER
    # What ran while the big valve was closing: at most 70 ms dead, then 210 ms of ramp at 48 L/min (bench/plant.py).
    assert row.volume_ml is not None and 0 <= true_ml - row.volume_ml <= 140
    the_money_is_right(station, card, row)
    leave(station, "p2")


def test_d15_every_board_dies_without_warning_and_the_sale_is_settled_at_the_next_contact(station: StationRun) -> None:
    """The bench is killed hard: no supply monitor, no last checkpoint, the card is in the customer's hand again."""
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p2", card["card"]))
    station.do(acts.lift("p2"))
    station.until_pump("p2", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p2", "full"))
    true_ml = station.until_pump("p2", lambda pump: pump["nozzles"][0]["sale_ml"] > 2000, 15)["nozzles"][0]["sale_ml"]
    killed = int((station.data_dir / "run" / "bench.pid").read_text())
    os.kill(killed, signal.SIGKILL)
    until(lambda: f"bench ended with -{signal.SIGKILL:d}" in station.text(), 10, "the supervisor sees it")
    until(station.is_ready, 60, "the bench is back, all boards have started")
    assert station.card(card["card"])["open_fen"] > 0
    station.do(acts.insert("p2", card["card"]))
    row = settled_sale(station, card, before, 60)
    assert row.recovered and row.volume_ml is not None
    assert true_ml - 600 <= row.volume_ml <= true_ml + 400  # from the last half litre's checkpoint
    the_money_is_right(station, card, row)
    leave(station, "p2")


def test_d6_broker_hung_mid_sale_and_awake_again_loses_nothing(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.lift("p4"))
    station.do(acts.tap("p4", card["card"]))
    station.until_pump("p4", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p4", "full"))
    station.until_pump("p4", lambda pump: pump["nozzles"][0]["sale_ml"] > 300, 15)
    station.do(acts.broker("stop"))
    try:
        flowing = station.pump("p4")["nozzles"][0]["sale_ml"]
        station.until_pump("p4", lambda pump: pump["nozzles"][0]["sale_ml"] > flowing + 1500, 10)
        station.do(acts.hang("p4"))
        tap_again(station, "p4", card)
        until(lambda: station.card(card["card"])["open_fen"] == 0, 10, "settled on the card")
    finally:
        station.do(acts.broker("start"))
    row = settled_sale(station, card, before, 90)
    the_money_is_right(station, card, row)


def test_d6_broker_killed_is_started_again_and_the_sale_arrives(station: StationRun) -> None:
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.lift("p3"))
    station.do(acts.tap("p3", card["card"]))
    station.until_pump("p3", lambda pump: pump["permit"], 10)
    station.do(acts.trigger("p3", "full"))
    station.until_pump("p3", lambda pump: pump["nozzles"][0]["sale_ml"] > 300, 15)
    station.do(acts.broker("kill"))
    station.do(acts.trigger("p3", "none"))
    station.do(acts.hang("p3"))
    tap_again(station, "p3", card)
    row = settled_sale(station, card, before, 90)
    the_money_is_right(station, card, row)
    assert "broker ended with -9" in station.text()


def test_d10_customers_by_themselves_leave_a_station_whose_sums_agree(station: StationRun) -> None:
    before = station.read(sales.recent_count)
    station.do(acts.traffic(True, 5.0))
    try:
        until(lambda: station.read(sales.recent_count) >= before + 4, 120, "customers come")
    finally:
        station.do(acts.traffic(False))

    def all_gone() -> bool:
        state = station.bench.state()
        return all(card["where"] == "wallet" for card in state["cards"]) and not any(
            pump["permit"] or any(nozzle["lifted"] for nozzle in pump["nozzles"]) for pump in state["pumps"]
        )

    until(all_gone, 60, "the last customers settle and go")
    until(lambda: all(card["open_fen"] == 0 for card in station.bench.state()["cards"]), 30, "no card is left open")
    rows = station.read(lambda conn: sales.recent(conn, limit=200))
    assert station.bench.state()["traffic"]["customers"] >= 4
    until(lambda: station.read(sales.money_invariant).in_flight_fen == 0, 30, "all money is settled")
    invariant = station.read(sales.money_invariant)
    assert invariant.holds and invariant.differing == (), (invariant, rows)


def test_d9_a_pump_whose_network_has_died_shows_offline_within_15_s_and_comes_back(station: StationRun) -> None:
    def online() -> int:
        health = httpx.get(station.url + "/api/v1/health", timeout=10, trust_env=False).json()
        return int(health["pumps_online"])

    until(lambda: online() == 4, 60, "all pumps are heard")
    station.do(acts.network("p4", "frozen"))  # nothing is closed, nothing comes: the worst kind
    try:
        until(lambda: online() == 3, 17, "the silent pump is offline")
    finally:
        station.do(acts.network("p4", "up"))
    until(lambda: online() == 4, 60, "it is back")


def test_d9_d31_pages_and_api_tell_the_same_and_verify_is_green(station: StationRun) -> None:
    page = httpx.get(station.url + "/", timeout=20, trust_env=False)
    assert page.status_code == 200 and "text/html" in page.headers["content-type"]
    bench = httpx.get(station.url + "/bench", timeout=20, trust_env=False)
    assert bench.status_code == 200
    verify = station.command("verify")
    assert verify.returncode == 0
    listed = station.command("sales").stdout
    newest = station.read(lambda conn: sales.recent(conn, limit=1))[0]
    assert newest.card_no is not None and newest.card_no[-4:] in listed


def test_a_second_run_beside_it_says_so_and_harms_nothing(station: StationRun) -> None:
    second = station.command("run", "--bench", check=False)
    assert second.returncode == 1
    assert "已在运行" in second.stderr and re.search(rf"process {station.process.pid}\b", second.stderr)
    assert station.process.poll() is None and station.bench.state()["ready"]


def test_stopped_and_started_again_it_goes_on_where_it_was(station: StationRun) -> None:
    money = {card["card"]: card["balance_fen"] for card in station.bench.state()["cards"]}
    rows = station.read(lambda conn: sales.recent(conn))
    totals = {pump["pump"]: [n["total_ml"] for n in pump["nozzles"]] for pump in station.bench.state()["pumps"]}
    assert station.stop() == 0
    assert list((station.data_dir / "run").glob("*.pid")) == []
    station.start()
    again = station.bench.state()
    assert {card["card"]: card["balance_fen"] for card in again["cards"]} == money
    assert {pump["pump"]: [n["total_ml"] for n in pump["nozzles"]] for pump in again["pumps"]} == totals
    assert station.read(lambda conn: sales.recent(conn)) == rows
    card = a_card(station)
    before = len(sales_of(station, card))
    station.do(acts.insert("p1", card["card"]))
    station.do(acts.lift("p1"))
    station.until_pump("p1", lambda pump: pump["permit"], 30)
    station.do(acts.trigger("p1", "slow"))
    station.until_pump("p1", lambda pump: pump["nozzles"][0]["sale_ml"] > 300, 15)
    station.do(acts.hang("p1"))
    row = settled_sale(station, card, before, 30)
    the_money_is_right(station, card, row)
    leave(station, "p1")
    assert station.command("verify").returncode == 0


def test_no_secret_is_in_a_log(station: StationRun) -> None:
    """X1: keys and passwords stay in the files made for them."""
    import json

    secrets = json.loads((station.data_dir / "secrets.json").read_text())
    values = [value for value in secrets.values() if isinstance(value, str)]
    values += [value for device in secrets["devices"].values() for value in device.values()]
    text = station.text() + station.logs() + "".join(station.console(f"p{n}") for n in range(1, 5))
    for path in Path(station.data_dir, "log").glob("*.log"):
        text += path.read_text(errors="replace")
    assert not any(value in text for value in values)
