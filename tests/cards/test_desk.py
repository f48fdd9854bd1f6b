"""The card desk: issue, read, load, block and settle; right whatever is torn (D1, D20, C1, C2, C3, C7)."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine

from pump.core import card_layout as layout
from station import cards, forecourt, sales
from station.cards import CardInHand, Desk, DeskError, Order, TornError, issuing
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import NOW, seeded
from tests.cards.pumps import Pump
from tests.station.world import PumpJournal
from tools.bench.desfire_card import DesfireCard

ANNA = Order(holder="张三", document="110101199001011234", plate="京A12345", grades=(1, 2))
Balances = Callable[[], dict[str, int]]
NUMBER = "6200000100000012"


def purse(card: DesfireCard) -> int:
    fen = card.peek(layout.AID)[layout.FILE_PURSE]
    assert isinstance(fen, int)
    return fen


def frames_of(link: CardInHand, act: Callable[[], object]) -> int:
    before = link.card.frames
    act()
    return int(link.card.frames - before)


@pytest.fixture
def pump(engine: Engine, secrets: Secrets, issued: CardInHand) -> Pump:
    return Pump(engine, secrets, issued.card, NUMBER, PumpJournal(secrets.device(257).journal))


# -- issuing


def test_a_card_is_issued_from_blank_and_read_back(desk: Desk, blank: DesfireCard) -> None:
    link = CardInHand(blank)
    card = desk.issue(link, ANNA)
    assert (card.card_no, card.state) == (NUMBER, "active")
    contact = desk.show(link)
    view = contact.view
    assert (view.card_no, view.kind, view.grades, view.plate) == (NUMBER, layout.KIND_REGISTERED, 0b110, "京A12345")
    assert (view.balance_fen, view.counter, view.open, view.log, view.expiry) == (0, 0, None, (), 0)
    assert contact.shadow is not None and contact.shadow.state == "agrees"


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Order(), "记名卡"),
        (Order(holder="张三"), "证件"),
        (Order(holder=" ", document=" "), "记名卡"),
        (Order(layout.KIND_ANONYMOUS, expiry=NOW + 86_400 * 365), "三年"),
        (Order(layout.KIND_ANONYMOUS, expiry=NOW - 1), "有效期已过"),
        (Order(layout.KIND_ANONYMOUS, grades=(0,)), "油品"),
        (Order(layout.KIND_ANONYMOUS, plate="京" * 5), "车牌"),
        (Order(9), "卡种"),
    ],
)
def test_what_the_law_or_the_card_does_not_allow_is_not_issued(
    desk: Desk, blank: DesfireCard, order: Order, why: str
) -> None:
    """C1, C2."""
    with pytest.raises(DeskError, match=why):
        desk.issue(CardInHand(blank), order)
    assert list(blank.applications) == [b"\0\0\0"]


def test_an_anonymous_card_is_valid_for_three_years_to_the_day(desk: Desk, blank: DesfireCard) -> None:
    desk.issue(CardInHand(blank), Order(layout.KIND_ANONYMOUS))
    view = desk.show(CardInHand(blank)).view
    assert view.expiry == issuing.years_later(NOW, 3) > NOW + 3 * 365 * 86_400
    assert issuing.years_later(1_709_164_800, 1) == 1_740_787_200  # 29 February 2024 -> 1 March 2025


def test_no_card_is_issued_twice(desk: Desk, issued: CardInHand) -> None:
    with pytest.raises(DeskError, match="已发行"):
        desk.issue(issued, ANNA)


def test_a_purse_that_these_books_do_not_know_is_not_made_anew(
    issued: CardInHand, tmp_path_factory: pytest.TempPathFactory, secrets: Secrets
) -> None:
    """Its money would be gone: not even after an attempt that was refused."""
    from station.platform.settings import load
    from station.setup import prepare

    other = Desk(prepare(load(data_dir=tmp_path_factory.mktemp("other"), bench=True)), secrets, 2, 1)
    for _ in range(2):
        with pytest.raises(DeskError, match="卡上已有"):
            other.issue(issued, ANNA)
    assert issued.card.peek(layout.AID)


def test_a_strangers_card_is_left_alone(desk: Desk, blank: DesfireCard, engine: Engine) -> None:
    from tools.bench.desfire_crypto import Key

    blank.applications[b"\0\0\0"].keys[0] = Key("DES", b"somebody elses 1")
    with pytest.raises(DeskError, match="不是空白卡"):
        desk.issue(CardInHand(blank), ANNA)
    with database.read(engine) as conn:
        assert cards.count(conn) == 0


@pytest.mark.parametrize("done", [False, True])
def test_card_torn_at_any_frame_of_its_issue_can_be_issued_again(
    desk: Desk, done: bool, engine: Engine, secrets: Secrets
) -> None:
    spare = DesfireCard.blank(b"\x04spare1")
    frames = frames_of(CardInHand(spare), lambda: desk.issue(CardInHand(spare), ANNA))
    assert frames > 30
    for frame in range(1, frames + 1):
        card = DesfireCard.blank(b"\x04" + frame.to_bytes(6, "big"), seeded(frame))
        link = CardInHand(card)
        card.tear_at(frame, done)
        with pytest.raises(TornError):
            desk.issue(link, ANNA)
        issued = desk.issue(link, ANNA)
        desk.load(link, 1_000)
        assert (purse(card), desk.show(link).view.card_no) == (1_000, issued.card_no)
    with database.read(engine) as conn:
        numbers = [card.card_no for card in cards.listing(conn, limit=1_000)]
        assert len(numbers) == len(set(numbers)) == frames + 1 == cards.count(conn)
        assert cards.counts(conn) == {(layout.KIND_REGISTERED, "active"): frames + 1}


def test_a_half_made_card_is_told_apart_from_a_blank_one(desk: Desk, blank: DesfireCard) -> None:
    spare = DesfireCard.blank(b"\x04spare2")
    frames = frames_of(CardInHand(spare), lambda: desk.issue(CardInHand(spare), ANNA))
    blank.tear_at(frames)  # the identity, the last thing written, does not arrive
    with pytest.raises(TornError, match="重新发卡"):
        desk.issue(CardInHand(blank), ANNA)
    with pytest.raises(DeskError, match="尚未制完"):
        desk.show(CardInHand(blank))


# -- loading


def test_a_load_is_in_the_drawer_on_the_card_and_in_the_books(
    desk: Desk, issued: CardInHand, balances: Balances
) -> None:
    contact = desk.load(issued, 20_000, "till-1")
    assert (contact.view.balance_fen, purse(issued.card)) == (20_000, 20_000)
    assert balances() == {"cash:till-1": -20_000, f"purse:{NUMBER}": 20_000}


@pytest.mark.parametrize("amount", [0, -100, 500_001])
def test_an_impossible_load_takes_no_money(desk: Desk, issued: CardInHand, amount: int, balances: Balances) -> None:
    with pytest.raises(DeskError):
        desk.load(issued, amount)
    assert balances() == {} and purse(issued.card) == 0


def test_the_legal_maximum_counts_what_is_on_the_card(desk: Desk, blank: DesfireCard, balances: Balances) -> None:
    """C2, C3: 1,000 yuan on an anonymous card."""
    link = CardInHand(blank)
    desk.issue(link, Order(layout.KIND_ANONYMOUS))
    desk.load(link, 60_000)
    with pytest.raises(DeskError, match=r"1000\.00"):
        desk.load(link, 40_001)
    desk.load(link, 40_000)
    assert purse(blank) == 100_000 == -balances()["cash:desk"]


@pytest.mark.parametrize("done", [False, True])
def test_card_torn_at_any_frame_of_a_load_has_it_once_in_the_end(
    desk: Desk, issued: CardInHand, done: bool, balances: Balances
) -> None:
    """D20, C6: the books wait for the card; card, drawer and books agree after the next contact."""
    frames = frames_of(issued, lambda: desk.load(issued, 1_000))
    loaded = 1_000
    for frame in range(1, frames + 1):
        issued.card.tear_at(frame, done)
        with pytest.raises(TornError):
            desk.load(issued, 1_000)
        contact = desk.show(issued)
        if contact.waiting is not None:  # paid for, not on the card
            assert contact.loaded is None and purse(issued.card) == loaded
            assert balances()[f"pending:{NUMBER}"] == 1_000
            with pytest.raises(DeskError, match="未写入卡"):
                desk.load(issued, 1_000)
            contact = desk.resume(issued) if frame % 2 else desk.cancel(issued)
            loaded += 1_000 if frame % 2 else 0
        elif purse(issued.card) > loaded:
            loaded += 1_000
        assert purse(issued.card) == loaded
        assert balances() == {"cash:desk": -loaded, f"purse:{NUMBER}": loaded}
        assert contact.shadow is not None


def test_a_load_that_arrived_unnoticed_is_not_paid_twice(desk: Desk, issued: CardInHand, balances: Balances) -> None:
    """The cashier simply does it again: the first one turns out to be on the card, and no money is taken."""
    frames = frames_of(issued, lambda: desk.load(issued, 1_000))
    read = frames_of(issued, lambda: desk.show(issued))
    issued.card.tear_at(frames - read, done=True)  # the commit of the credit
    with pytest.raises(TornError, match="勿重复收款"):
        desk.load(issued, 1_000)
    assert purse(issued.card) == 2_000 and balances()[f"pending:{NUMBER}"] == 1_000
    with pytest.raises(DeskError, match="已到账"):
        desk.load(issued, 1_000)
    assert balances() == {"cash:desk": -2_000, f"purse:{NUMBER}": 2_000}


def test_a_blocked_card_is_not_loaded_and_goes_out_on_the_list(desk: Desk, issued: CardInHand, engine: Engine) -> None:
    """C7."""
    desk.block(NUMBER, "lost")
    with database.read(engine) as conn:
        listed = forecourt.blacklist(conn)
    assert listed.cards == (NUMBER,)
    with pytest.raises(DeskError, match="停用"):
        desk.load(issued, 1_000)
    desk.unblock("6200 0001 0000 0012")
    with database.read(engine) as conn:
        assert forecourt.blacklist(conn).cards == () and forecourt.blacklist(conn).version > listed.version
        assert [event.event for event in cards.events(conn, NUMBER)] == ["issued", "blocked", "unblocked"]
    desk.load(issued, 1_000)


def test_the_loss_of_an_anonymous_card_cannot_be_reported(desk: Desk, blank: DesfireCard) -> None:
    """C2."""
    card = desk.issue(CardInHand(blank), Order(layout.KIND_ANONYMOUS))
    with pytest.raises(DeskError, match="不办理挂失"):
        desk.block(card.card_no, "lost")
    desk.block(card.card_no, "other")


@pytest.mark.parametrize("number", ["", "123", "6200000100000013", "'; DROP TABLE cards --", "６２００００01"])
def test_a_wrong_number_is_told_in_words(desk: Desk, number: str) -> None:
    with pytest.raises(DeskError, match="卡号"):
        desk.block(number, "other")


# -- damaged and foreign cards


def test_a_blank_card_is_told_in_words(desk: Desk, blank: DesfireCard) -> None:
    with pytest.raises(DeskError, match="未发行"):
        desk.show(CardInHand(blank))


def test_a_copied_identity_on_another_chip_is_found_out(desk: Desk, issued: CardInHand) -> None:
    """R4: keys and signatures hang on the chip's own UID."""
    copy = DesfireCard.from_json(issued.card.to_json() | {"uid": "04998877665544"})
    with pytest.raises(DeskError, match="密钥"):
        desk.show(CardInHand(copy))


@pytest.mark.parametrize("number", [layout.FILE_IDENTITY, layout.FILE_LIMITS, layout.FILE_STATE])
def test_damaged_contents_are_told_in_words(desk: Desk, issued: CardInHand, number: int) -> None:
    from tools.bench.desfire_files import DataFile

    file = issued.card.applications[layout.AID].files[number]
    assert isinstance(file, DataFile)
    file.content = b"\x09" + file.content[1:]
    with pytest.raises(DeskError, match="卡内数据"):
        desk.show(issued)


# -- unfinished sales


def test_card_torn_after_debit_is_settled_at_the_desk(
    desk: Desk, issued: CardInHand, pump: Pump, balances: Balances
) -> None:
    """D20: the pump ends the sale, the card is gone; the desk settles it from the pump's records."""
    desk.load(issued, 50_000)
    issued.card.reset()
    issued.card.tear_at(10)  # the LimitedCredit of the settlement
    assert pump.visit(20_001, 10_000) == "lost"
    assert desk.show(issued).view.open is not None
    with pytest.raises(DeskError, match="未结算"):
        desk.load(issued, 1_000)
    pump.upload(99)
    contact = desk.show(issued)
    assert contact.settled is not None and contact.settled[1] == 7_560
    assert purse(issued.card) == 50_000 - 7_560
    assert balances()[f"purse:{NUMBER}"] == 50_000 - 7_560
    assert contact.shadow is not None and contact.shadow.state == "agrees"
    assert [entry.amount_fen for entry in contact.view.log] == [7_560]
    # The pump finds out at the card's next visit and reports it as well: posted once.
    assert pump.visit(20_001, 1_000) == "sold"
    pump.upload(99)
    assert balances()[f"purse:{NUMBER}"] == purse(issued.card) == 50_000 - 7_560 - 756


@pytest.mark.parametrize("done", [False, True])
def test_card_torn_at_any_frame_of_the_desks_settlement_is_settled_once(
    desk: Desk, issued: CardInHand, pump: Pump, done: bool, balances: Balances
) -> None:
    desk.load(issued, 200_000)
    desk.load(issued, 100_000)
    expected = 300_000
    for frame in range(1, 40):
        issued.card.reset()
        issued.card.tear_at(10)
        assert pump.visit(5_001, 1_000) == "lost"
        expected -= 756
        pump.upload(99)
        issued.card.tear_at(frame, done)
        try:
            desk.show(issued)
        except TornError:
            desk.show(issued)
        issued.card.tear_at(0)
        assert balances()[f"purse:{NUMBER}"] == purse(issued.card) == expected
        assert f"inflight:{NUMBER}" not in balances()


def test_an_uncertain_reservation_that_the_card_holds_is_given_back_whole(
    desk: Desk, issued: CardInHand, pump: Pump, balances: Balances
) -> None:
    desk.load(issued, 50_000)
    issued.card.reset()
    issued.card.tear_at(8, done=True)  # the commit of the reservation: carried out, no answer
    assert pump.visit(20_001, 10_000) == "lost"
    assert purse(issued.card) == 50_000 - 20_001
    pump.upload(99)
    contact = desk.show(issued)
    assert purse(issued.card) == 50_000 == balances()[f"purse:{NUMBER}"]
    assert contact.shadow is not None and contact.shadow.state == "agrees"


def test_a_settlement_whose_answer_was_lost_is_booked_at_the_desk(
    desk: Desk, issued: CardInHand, pump: Pump, balances: Balances, engine: Engine
) -> None:
    desk.load(issued, 50_000)
    issued.card.reset()
    issued.card.tear_at(12, done=True)  # the commit of the settlement
    assert pump.visit(20_001, 10_000) == "lost"
    assert purse(issued.card) == 50_000 - 7_560
    pump.upload(99)
    assert balances()[f"inflight:{NUMBER}"] == 20_001 - 7_560
    desk.show(issued)
    assert f"inflight:{NUMBER}" not in balances() and balances()[f"purse:{NUMBER}"] == 50_000 - 7_560
    with database.read(engine) as conn:
        assert sales.money_invariant(conn, NOW).difference_fen == 0


def test_two_people_settle_a_sale_whose_pump_is_gone_for_good(
    desk: Desk, issued: CardInHand, pump: Pump, balances: Balances, engine: Engine, secrets: Secrets
) -> None:
    """D20: START and RESERVED came, the END never will."""
    desk.load(issued, 50_000)
    issued.card.reset()
    issued.card.tear_at(10)
    assert pump.visit(20_001, 10_000) == "lost"
    pump.upload(2)
    assert desk.show(issued).view.open is not None
    for second, why in (("tester", "雷击"), ("", "雷击"), ("李四", " ")):
        with pytest.raises(DeskError, match="不同的人"):
            desk.decide_end(issued, 9_000, second, why)
    contact = desk.decide_end(issued, 9_000, "李四", "雷击")
    assert contact.settled is not None and contact.settled[1] == 6_804
    assert purse(issued.card) == 50_000 - 6_804 == balances()[f"purse:{NUMBER}"]
    with pytest.raises(DeskError, match="没有未完成"):
        desk.decide_end(issued, 9_000, "李四", "雷击")
    with database.read(engine) as conn:
        assert sales.verify(conn, secrets) == []
