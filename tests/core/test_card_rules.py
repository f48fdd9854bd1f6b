"""D21, D2, D4, D11: what the card itself demands, at every pump and offline; PIN, driver's card and kilometres."""

from typing import Any

import pytest

from pump.core import card_layout, codes, records, view
from station.cards.rules import Rules
from tests.core.rigs import Bench
from tools.bench.desfire_card import DesfireCard
from tools.sim import cards
from tools.sim.pump import FLOWING

DAY_S = 86_400
COMPANY = 7


def usage_of(card: DesfireCard) -> tuple[int, int, int, int, int]:
    """(day, fills, fen, ml, odometer_km)"""
    content = card.peek(card_layout.AID)[card_layout.FILE_USAGE]
    assert isinstance(content, bytes)
    return card_layout.unpack_usage(content)  # type: ignore[no-any-return]


def tries_of(card: DesfireCard) -> int:
    content = card.peek(card_layout.AID)[card_layout.FILE_STATE]
    assert isinstance(content, bytes)
    return int(card_layout.unpack_state(content)[6])


def show(bench: Bench, card: DesfireCard, nozzle: int | None = 0) -> None:
    """Lift, show the card, and wait until the pump has made up its mind."""
    if nozzle is not None and not bench.pump.lifted:
        bench.pump.lift(nozzle)
        bench.wait(0.5)
    bench.pump.put(card)
    bench.wait(2)
    if not bench.pump.config.slot:
        bench.pump.take()
        bench.wait(0.3)


def put_away(bench: Bench) -> None:
    bench.pump.take()
    bench.hang()


def sell(bench: Bench, card: DesfireCard, litres: float, keys: str = "") -> int:
    """A whole sale; what it cost in fen."""
    show(bench, card)
    for _ in range(3):  # PIN, kilometres: whatever is asked is in `keys`, each part ended with #
        if bench.controller.dialog is None:
            break
        part, _, keys = keys.partition("#")
        bench.keys(part + "#")
        bench.wait(1)
        if not bench.pump.config.slot:
            show(bench, card)
    bench.state(*FLOWING, within=2)
    bench.fuel(litres)
    bench.hang()
    bench.settle(card)
    return int(bench.of(records.END)[-1]["amount_fen"])


def refused(bench: Bench, card: DesfireCard, nozzle: int | None = 0) -> tuple[int, int]:
    """(code, detail) of the refusal record that showing this card makes; no flow, and the beep."""
    before = len(bench.of(records.REFUSAL))
    bench.controller.outputs.buzzer = view.BEEP_NONE
    show(bench, card, nozzle)
    assert bench.controller.outputs.buzzer == view.BEEP_REFUSED
    assert bench.view.state not in FLOWING
    assert bench.dark()
    put_away(bench)
    found = bench.of(records.REFUSAL)[before:]
    assert len(found) == 1, found
    return found[0]["code"], found[0]["detail"]


# -- the day


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d21_money_of_a_day_is_one_sum_over_all_pumps_offline(mode: str) -> None:
    home, other = Bench(mode, (1,)), Bench(mode, (1,), device=258)
    card = home.card(rules=Rules(day_fen=10_000))
    first = sell(home, card, 5)
    assert usage_of(card)[1:4] == (1, first, home.of(records.END)[0]["volume_ml"])
    # What is left of the day is the next sale's limit, at a pump that never heard of the first.
    second = sell(other, card, 50)
    end = other.of(records.END)[0]
    assert end["reason"] == codes.STOP_CARD_LIMIT
    assert end["reserved_fen"] == 10_000 - first + 1
    assert 10_000 - first - second < 100
    assert refused(home, card)[0] == codes.REFUSE_DAY_MONEY
    # Tomorrow is another day.
    for bench in (home, other):
        bench.pump.clock_offset_s += DAY_S
    sell(home, card, 2)
    assert usage_of(card)[1] == 1


def test_d21_fills_of_a_day_are_counted_on_the_card_and_one_without_fuel_is_none() -> None:
    bench = Bench("slot", (1,))
    card = bench.card(rules=Rules(day_fills=2))
    for litres in (0, 3, 3):
        sell(bench, card, litres)
    assert usage_of(card)[1] == 2
    assert refused(bench, card)[0] == codes.REFUSE_DAY_FILLS


def test_d21_a_sale_begun_before_midnight_counts_for_the_day_it_was_begun() -> None:
    bench = Bench("tap", (1,))
    card = bench.card(rules=Rules(day_fen=20_000))
    to_midnight = DAY_S - (bench.controller.now_s + card_layout.DAY_OFFSET_S) % DAY_S
    bench.pump.clock_offset_s += to_midnight - 8
    bench.wait(1)
    bench.authorise(card)
    day = usage_of(card)[0]
    bench.fuel(8)  # over midnight
    bench.hang()
    bench.settle(card)
    spent = bench.of(records.END)[-1]["amount_fen"]
    assert (bench.controller.now_s + card_layout.DAY_OFFSET_S) // DAY_S == day + 1
    assert usage_of(card)[:3] == (day, 1, spent)
    bench.authorise(card)
    assert bench.of(records.START)[-1]["reserved_fen"] == 20_001
    assert usage_of(card)[:3] == (day + 1, 0, 0)


def test_d21_a_rule_that_needs_the_time_refuses_where_it_is_unknown_and_others_do_not() -> None:
    bench = Bench("slot", (1,))
    bench.pump.quality = records.TIME_UNKNOWN
    for number, rules in enumerate((Rules(day_fen=10_000), Rules(day_fills=3), Rules(hours=(6, 7))), 1):
        assert refused(bench, bench.card(number=number, rules=rules))[0] == codes.REFUSE_CLOCK
    plain = bench.card(number=9, rules=Rules(fill_ml=5_000))
    sell(bench, plain, 50)
    assert bench.of(records.END)[-1]["reason"] == codes.STOP_CARD_VOLUME


def test_d21_a_clock_that_fell_behind_gives_no_second_day_and_one_far_ahead_does_not_spend_it() -> None:
    bench = Bench("slot", (1,))
    card = bench.card(rules=Rules(day_fills=1))
    sell(bench, card, 2)
    bench.pump.clock_offset_s -= 3 * DAY_S
    bench.pump.quality = records.TIME_ESTIMATED
    assert refused(bench, card)[0] == codes.REFUSE_DAY_FILLS
    bench.pump.clock_offset_s += 903 * DAY_S  # a clock far in the future writes its day on another card
    other = bench.card(number=2, rules=Rules(day_fills=1))
    sell(bench, other, 2)
    bench.pump.clock_offset_s -= 900 * DAY_S
    bench.pump.quality = records.TIME_SYNCED
    sell(bench, other, 2)


def test_d21_another_pump_settles_from_the_stations_answer_and_counts_the_day_once() -> None:
    home, other = Bench("tap", (1,)), Bench("tap", (1,), device=258)
    card = home.card(rules=Rules(day_fen=30_000))
    home.authorise(card)
    home.fuel(5)
    home.hang()
    end = home.of(records.END)[0]
    other.controller.link_online = True
    other.pump.put(card)

    def answered() -> bool:
        question = other.controller.take_ask()
        if question and question["ask"] == "unfinished":
            other.controller.answer(
                {"id": question["id"], "sale": question["sale"], "amount_fen": end["amount_fen"],
                 "volume_ml": end["volume_ml"], "grade": 1, "price": 756, "reason": 1}
            )  # fmt: skip
        return False

    other.wait(6, answered)
    other.pump.take()
    home.settle(card)
    assert cards.open_sale(card) is None
    assert usage_of(card)[1:4] == (1, end["amount_fen"], end["volume_ml"])


def test_d21_a_card_of_an_older_program_has_no_usage_file_and_sells_as_before() -> None:
    bench = Bench("slot", (1,))
    old = bench.card(flags=0)
    sell(bench, old, 3)
    assert usage_of(old) == (0, 0, 0, 0, 0), "nothing was written"
    assert refused(bench, bench.card(number=2, flags=0, rules=Rules(day_fills=1)))[0] == codes.REFUSE_DAMAGED


# -- stations, hours, grades, presets


def test_d21_stations_hours_and_grades_each_have_their_own_refusal() -> None:
    bench = Bench("slot", (1, 4))
    hour = (bench.controller.now_s + card_layout.DAY_OFFSET_S) // 3600 % 24
    assert refused(bench, bench.card(number=1, rules=Rules(stations=(5, 6))))[0] == codes.REFUSE_STATION
    assert refused(bench, bench.card(number=2, rules=Rules(hours=((hour + 1) % 24,))))[0] == codes.REFUSE_HOURS
    good = bench.card(number=3, rules=Rules(stations=(1,), hours=(hour, (hour + 1) % 24)))
    sell(bench, good, 2)


def test_d11_a_diesel_card_at_a_petrol_nozzle_gets_no_fuel_and_the_refusal_says_so() -> None:
    bench = Bench("slot", (1, 4))
    card = bench.card(grades=1 << codes.GRADE_DIESEL)
    true_ul = bench.pump.plant.true_ul(0)
    assert refused(bench, card, 0)[0] == codes.REFUSE_GRADE
    refusal = bench.of(records.REFUSAL)[-1]
    assert (refusal["nozzle"], refusal["grade"]) == (0, 1)
    assert bench.pump.plant.true_ul(0) == true_ul
    assert bench.of(records.START) == []
    show(bench, card, 1)
    bench.state(*FLOWING)
    start = bench.of(records.START)[-1]
    assert (start["grade"], start["plate"].rstrip(b"\0")) == (codes.GRADE_DIESEL, b"SIM")


@pytest.mark.parametrize(
    ("keys", "kind", "value"),
    [
        ("200A#", codes.PRESET_MONEY, 20_000),
        ("A200#", codes.PRESET_MONEY, 20_000),
        ("200#", codes.PRESET_MONEY, 20_000),
        ("20B#", codes.PRESET_VOLUME, 20_000),
        ("B20#", codes.PRESET_VOLUME, 20_000),
        ("#", codes.PRESET_FULL, 0),
        ("20B##", codes.PRESET_VOLUME, 20_000),
        ("#20B#", codes.PRESET_VOLUME, 20_000),
        ("20B#C", codes.PRESET_NONE, 0),
        ("#C", codes.PRESET_NONE, 0),
    ],
)
def test_d4_presets_by_money_volume_and_full_tank(keys: str, kind: int, value: int) -> None:
    bench = Bench("slot", (1,))
    card = bench.card(50_000)
    bench.authorise(card, keys=keys)
    start = bench.of(records.START)[0]
    assert (start["preset_kind"], start["preset_value"]) == (kind, value)
    bench.fuel(100)
    bench.hang()
    end = bench.of(records.END)[0]
    if kind == codes.PRESET_MONEY:
        assert end["reason"] == codes.STOP_PRESET and 19_800 < end["amount_fen"] <= 20_000
    elif kind == codes.PRESET_VOLUME:
        assert end["reason"] == codes.STOP_PRESET and 19_900 < end["volume_ml"] <= 20_000
    else:
        assert end["reason"] == codes.STOP_CARD_LIMIT and start["reserved_fen"] == 50_000


def test_d4_a_preset_below_one_litre_is_refused() -> None:
    bench = Bench("slot", (1,))
    card = bench.card()
    bench.keys("7A#")
    assert refused(bench, card) == (codes.REFUSE_LIMIT, 700)
    bench.keys("C8A#")
    sell(bench, card, 5)
    assert bench.of(records.END)[-1]["amount_fen"] <= 800


# -- PIN


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d21_a_pin_card_fuels_after_its_pin_and_the_keys_show_stars(mode: str) -> None:
    bench = Bench(mode, (1,))
    card = bench.card(pin="0420")
    show(bench, card)
    assert bench.view.notice == view.NOTICE_PIN
    bench.keys("042")
    assert bench.view.entry == "***"
    bench.keys("0#")
    bench.wait(1)
    if mode == "tap":
        assert bench.view.notice == view.NOTICE_TAP_AGAIN
        assert bench.dark()
        show(bench, card)
    bench.state(*FLOWING)
    assert tries_of(card) == 0
    assert bench.of(records.REFUSAL) == []


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d2_d21_three_wrong_pins_block_the_card_until_the_desk_forgives(mode: str) -> None:
    bench = Bench(mode, (1,))
    card = bench.card(pin="1234")
    show(bench, card)
    for left in (2, 1, 0):
        bench.keys("9999#")
        bench.wait(1)
        if mode == "tap":
            show(bench, card)
        assert tries_of(card) == 3 - left
        assert bench.of(records.REFUSAL)[-1]["code"] == codes.REFUSE_PIN
        assert bench.of(records.REFUSAL)[-1]["detail"] == left
        assert bench.dark()
    assert bench.controller.dialog is None
    put_away(bench)
    assert refused(bench, card) == (codes.REFUSE_PIN_BLOCKED, 3)
    other = Bench(mode, (1,), device=258)
    assert refused(other, card) == (codes.REFUSE_PIN_BLOCKED, 3), "the counter is on the card"


def test_d21_a_wrong_pin_is_forgotten_after_a_right_one() -> None:
    bench = Bench("slot", (1,))
    card = bench.card(pin="1234")
    show(bench, card)
    bench.keys("1#")
    bench.wait(1)
    assert tries_of(card) == 1
    bench.keys("1234#")
    bench.state(*FLOWING)
    assert tries_of(card) == 0


PIN_FRAMES = 14  # reads (10), try (2), forgiven (2); then the reservation


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, PIN_FRAMES + 1))
def test_d20_d21_tearing_at_any_command_gives_no_further_try(frame: int, done: bool) -> None:
    """Whoever learns that a PIN was wrong has paid for it with a try that is on the card."""
    bench = Bench("tap", (1,))
    card = bench.card(pin="1234")
    show(bench, card)
    learnt = 0
    for _ in range(8):
        bench.keys("9999#")
        before = len(bench.of(records.REFUSAL))
        bench.pump.put(card)
        card.tear_at(frame, done)
        bench.wait(3)
        bench.pump.take()
        card.reset()
        learnt += len([r for r in bench.of(records.REFUSAL)[before:] if r["code"] == codes.REFUSE_PIN])
        assert tries_of(card) >= learnt
        show(bench, card)
    assert learnt <= card_layout.MOST_TRIES
    assert bench.of(records.START) == []


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, PIN_FRAMES + 4))
def test_d20_d21_a_right_pin_torn_at_any_command_ends_in_a_sale_and_no_tries(frame: int, done: bool) -> None:
    bench = Bench("tap", (1,))
    card = bench.card(pin="1234")
    show(bench, card)
    bench.keys("1234#")
    bench.pump.put(card)
    card.tear_at(frame, done)
    bench.wait(3)
    bench.pump.take()
    card.reset()
    for _ in range(3):
        if bench.view.state in FLOWING:
            break
        if bench.controller.dialog:
            bench.keys("1234#")
        show(bench, card)
    bench.state(*FLOWING)
    assert tries_of(card) == 0
    bench.hang()
    bench.settle(card)
    assert cards.held_fen(card) == 50_000


def test_d21_a_pin_typed_too_late_or_for_another_card_counts_for_nothing() -> None:
    bench = Bench("tap", (1,))
    card, other = bench.card(pin="1234"), bench.card(number=2, pin="1234")
    show(bench, card)
    bench.keys("1234#")
    show(bench, other)
    assert bench.view.notice == view.NOTICE_PIN, "the other card asks for its own"
    bench.wait(61)
    assert bench.controller.dialog is None
    assert bench.controller.answers is None
    show(bench, card)
    assert bench.view.notice == view.NOTICE_PIN
    assert bench.of(records.START) == []


# -- driver and odometer


def pair(bench: Bench, **rules: int) -> tuple[DesfireCard, DesfireCard]:
    vehicle = bench.card(number=1, company=COMPANY, rules=Rules(needs_driver=True, **rules))
    driver = bench.card(0, number=2, kind=card_layout.KIND_DRIVER, company=COMPANY)
    return vehicle, driver


@pytest.mark.parametrize("mode", ["slot", "tap"])
@pytest.mark.parametrize("vehicle_first", [False, True])
def test_d21_a_vehicle_fuels_only_with_a_driver_of_its_company(mode: str, vehicle_first: bool) -> None:
    bench = Bench(mode, (1,))
    vehicle, driver = pair(bench)
    if vehicle_first:
        show(bench, vehicle)
        assert bench.view.notice == view.NOTICE_DRIVER
        bench.pump.take()
        bench.wait(0.5)
    show(bench, driver)
    assert bench.view.notice == view.NOTICE_VEHICLE
    bench.pump.take()
    bench.wait(0.5)
    assert bench.dark()
    show(bench, vehicle)
    bench.state(*FLOWING)
    assert bench.of(records.START)[0]["driver_no"] == bytes.fromhex("6200000000000002")
    assert bench.of(records.REFUSAL) == []
    bench.hang()
    bench.settle(vehicle)
    show(bench, vehicle)
    assert bench.view.notice == view.NOTICE_DRIVER, "once for each sale"


def test_d2_d21_a_driver_of_another_company_is_refused_with_its_own_code() -> None:
    bench = Bench("tap", (1,))
    vehicle, _ = pair(bench)
    stranger = bench.card(0, number=3, kind=card_layout.KIND_DRIVER, company=COMPANY + 1)
    show(bench, stranger)
    assert refused(bench, vehicle) == (codes.REFUSE_PAIR, COMPANY)


def test_d21_a_driver_who_is_too_long_away_must_come_again() -> None:
    bench = Bench("tap", (1,))
    vehicle, driver = pair(bench)
    show(bench, driver)
    bench.wait(61)
    show(bench, vehicle)
    assert bench.view.notice == view.NOTICE_DRIVER
    assert bench.of(records.START) == []


def test_d21_other_customers_do_not_keep_a_driver_alive() -> None:
    bench = Bench("tap", (1,))
    vehicle, driver = pair(bench)
    show(bench, driver)
    bench.wait(38)
    show(bench, bench.card(number=5, pin="1234"))
    bench.wait(20)
    show(bench, vehicle)
    assert bench.view.notice == view.NOTICE_DRIVER
    assert bench.of(records.START) == []


def test_d21_a_drivers_card_alone_buys_nothing_even_in_the_slot() -> None:
    bench = Bench("slot", (1,))
    _, driver = pair(bench)
    show(bench, driver)
    bench.wait(5)
    assert bench.dark()
    assert bench.of(records.START) == []


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d21_kilometres_are_asked_checked_recorded_and_kept_on_the_card(mode: str) -> None:
    bench, other = Bench(mode, (1,)), Bench(mode, (1,), device=258)
    card = bench.card(rules=Rules(odometer_km=800))
    sell(bench, card, 2, "120500#")
    assert bench.of(records.START)[0]["odometer_km"] == 120_500
    assert usage_of(card)[4] == 120_500
    # At another pump: back is refused, a typing error is asked again, too far is refused.
    show(other, card)
    for km in ("120499", "121301"):
        assert other.view.notice == view.NOTICE_ODOMETER
        other.keys(km + "#")
        other.wait(1)
        if mode == "tap":
            show(other, card)
    refusal = other.of(records.REFUSAL)
    assert [(r["code"], r["detail"]) for r in refusal] == [(codes.REFUSE_ODOMETER, 121_301)]
    assert other.dark()
    put_away(other)
    show(other, card)
    other.keys("90#")
    other.wait(1)
    if mode == "tap":
        show(other, card)
    other.keys("121300#")
    other.wait(1)
    if mode == "tap":
        show(other, card)
    other.state(*FLOWING)
    assert other.of(records.START)[0]["odometer_km"] == 121_300


def test_d21_pin_driver_kilometres_and_the_days_money_together() -> None:
    bench = Bench("tap", (1,))
    vehicle = bench.card(
        company=COMPANY, pin="2580", rules=Rules(needs_driver=True, odometer_km=1000, day_fen=9_000, fill_ml=40_000)
    )
    driver = bench.card(0, number=2, kind=card_layout.KIND_DRIVER, company=COMPANY, pin="1111")
    show(bench, driver)
    bench.keys("1111#")
    show(bench, driver)
    assert bench.view.notice == view.NOTICE_VEHICLE
    show(bench, vehicle)
    bench.keys("2580#")
    show(bench, vehicle)
    assert bench.view.notice == view.NOTICE_ODOMETER
    bench.keys("5000#")
    show(bench, vehicle)
    bench.state(*FLOWING)
    start = bench.of(records.START)[0]
    assert (start["reserved_fen"], start["odometer_km"]) == (9_001, 5_000)
    assert start["driver_no"] == bytes.fromhex("6200000000000002")


RULES_FRAMES = 14


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, RULES_FRAMES + 2))
def test_d20_d21_torn_at_any_command_of_a_reservation_the_day_is_counted_once(frame: int, done: bool) -> None:
    bench = Bench("tap", (1,))
    card = bench.card(rules=Rules(day_fen=20_000))
    sell(bench, card, 3)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    card.tear_at(frame, done)
    bench.wait(4)
    bench.pump.take()
    card.reset()
    bench.fuel(2)
    bench.hang()
    for _ in range(2):
        bench.settle(card)
    spent = sum(end["amount_fen"] for end in bench.of(records.END))
    assert usage_of(card)[2] == spent
    assert cards.held_fen(card) == 50_000 - spent


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, 18))
def test_d20_d21_torn_at_any_command_of_a_settlement_the_day_is_counted_once(frame: int, done: bool) -> None:
    bench = Bench("tap", (1,))
    card = bench.card(rules=Rules(day_fen=20_000, day_fills=5))
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    bench.pump.put(card)
    card.tear_at(frame, done)
    bench.wait(4)
    bench.pump.take()
    card.reset()
    bench.settle(card)
    end = bench.of(records.END)[0]
    assert usage_of(card)[1:4] == (1, end["amount_fen"], end["volume_ml"])
    assert cards.held_fen(card) == 50_000 - end["amount_fen"]


def _asked_to_authorise(bench: Bench) -> dict[str, Any]:
    """The pump's question about an account card, once it comes."""
    questions: list[dict[str, Any]] = []

    def asks() -> bool:
        question = bench.controller.take_ask()
        if question:
            questions.append(question)
        return bool(questions) and questions[-1]["ask"] == "authorise"

    assert bench.wait(3, asks)
    return questions[-1]


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d20_a_nozzle_hung_up_while_the_station_is_asked_begins_no_sale(mode: str) -> None:
    bench = Bench(mode)
    bench.controller.link_online = True
    card = bench.card(0, kind=card_layout.KIND_ACCOUNT, company=7)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    question = _asked_to_authorise(bench)
    bench.pump.hang(0)
    bench.wait(0.1)
    bench.controller.answer({"id": question["id"], "lease": 1, "fen": 20_000})
    bench.wait(2)
    assert bench.dark() and not bench.of(records.START)
    bench.pump.take()
    bench.wait(3)
    bench.pump.lift(0)  # lifted again, the same customer is served
    bench.wait(0.5)
    bench.pump.put(card)
    question = _asked_to_authorise(bench)
    bench.controller.answer({"id": question["id"], "lease": 2, "fen": 20_000})
    bench.state(*FLOWING)
    assert [start["lease"] for start in bench.of(records.START)] == [2]
