"""What a card demands, ordered and changed at the desk and obeyed by the pump's own code; torn anywhere (D21, D20)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import card_layout, codes, records, view
from station import sales
from station.cards import CardInHand, Desk, DeskError, Order, Rules, TornError
from station.cards.issuing import PLATE_BYTES
from station.cards.rules import RulesError, unpacked
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import NOW
from tests.core.rigs import Bench
from tools.bench.desfire_card import DesfireCard

FLEET = 7
ORDER = Order(holder="张三", document="110101199001011234", plate="京A12345", company=FLEET)
RULES = Rules(60_000, 50_000, 3, (1, 9), (6, 7, 21), 800, True)


def pump_of(secrets: Secrets, mode: str = "tap") -> Bench:
    keys = {"journal": secrets.device(257).journal.hex(), "pump": secrets.pump.hex(), "issuer": secrets.issuer.hex()}
    return Bench(mode, (1,), keys=keys)


def on_the(card: DesfireCard) -> tuple[str, Rules]:
    content = card.peek(card_layout.AID)[card_layout.FILE_LIMITS]
    assert isinstance(content, bytes)
    return unpacked(content)


def make(desk: Desk, blank: DesfireCard, order: Order, load_fen: int = 50_000) -> CardInHand:
    link = CardInHand(blank)
    desk.issue(link, order)
    if load_fen:
        desk.load(link, load_fen)
    return link


def tap(bench: Bench, card: DesfireCard) -> None:
    bench.pump.put(card)
    bench.wait(2)
    bench.pump.take()
    bench.wait(0.5)


@given(
    st.builds(
        Rules,
        st.integers(1_000, 999_000),
        st.integers(0, 9_999_999),
        st.integers(0, 255),
        st.lists(st.integers(1, 65_535), max_size=4, unique=True).map(tuple),
        st.sets(st.integers(0, 23)).map(lambda hours: tuple(sorted(hours))),
        st.integers(0, 255).map(lambda steps: steps * 100),
        st.booleans(),
    ),
    st.text("京沪A123").filter(lambda plate: len(plate.encode()) <= PLATE_BYTES),
)
def test_d21_rules_come_back_from_the_card_as_they_were_ordered(rules: Rules, plate: str) -> None:
    rules.check()
    packed = rules.packed(plate)
    assert len(packed) == card_layout.LIMITS_SIGNED
    assert unpacked(packed) == (plate, rules)


@pytest.mark.parametrize(
    "rules",
    [
        Rules(fill_ml=999),
        Rules(fill_ml=1_000_000),
        Rules(day_fen=-1),
        Rules(day_fills=256),
        Rules(stations=(1, 2, 3, 4, 5)),
        Rules(stations=(70_000,)),
        Rules(hours=(24,)),
        Rules(odometer_km=850),
        Rules(odometer_km=25_600),
    ],
)
def test_d21_rules_that_no_card_can_carry_are_refused(desk: Desk, blank: DesfireCard, rules: Rules) -> None:
    with pytest.raises(RulesError):
        rules.check()
    with pytest.raises(DeskError):
        desk.issue(CardInHand(blank), replace(ORDER, rules=rules))


@pytest.mark.parametrize("pin", ["123", "1234567", "12a4", "１２３４"])
def test_d21_a_pin_is_four_to_six_digits(desk: Desk, blank: DesfireCard, pin: str) -> None:
    with pytest.raises(DeskError, match="密码"):
        desk.issue(CardInHand(blank), replace(ORDER, pin=pin))


def test_d21_a_card_without_a_company_needs_no_driver(desk: Desk, blank: DesfireCard) -> None:
    with pytest.raises(DeskError, match="单位"):
        desk.issue(CardInHand(blank), replace(ORDER, company=0, rules=Rules(needs_driver=True)))
    with pytest.raises(DeskError, match="单位"):
        desk.issue(CardInHand(blank), Order(card_layout.KIND_DRIVER, "赵", "E1"))


def test_d21_rules_are_changed_and_the_pin_stays(desk: Desk, blank: DesfireCard) -> None:
    link = make(desk, blank, replace(ORDER, pin="0420"))
    pin = on_the(blank)[1]
    contact = desk.set_rules(link, RULES)
    assert on_the(blank) == ("京A12345", replace(RULES, salt=pin.salt, digest=pin.digest))
    assert contact.view.rules.has_pin
    assert desk.show(link).view.balance_fen == 50_000


@pytest.mark.parametrize("done", [False, True])
def test_d21_torn_at_any_frame_of_a_change_the_card_has_the_old_rules_or_the_new_whole(
    desk: Desk, blank: DesfireCard, done: bool
) -> None:
    link = make(desk, blank, replace(ORDER, rules=Rules(day_fills=1)))
    before = blank.frames
    desk.set_rules(link, RULES)
    frames = blank.frames - before
    desk.set_rules(link, Rules(day_fills=1))
    seen = set()
    for frame in range(1, frames + 1):
        blank.tear_at(frame, done)
        with pytest.raises(TornError):
            desk.set_rules(link, RULES)
        blank.reset()
        found = on_the(blank)[1]
        assert found in (Rules(day_fills=1), RULES)
        seen.add(found)
        desk.set_rules(link, Rules(day_fills=1))
        assert desk.show(link).view.balance_fen == 50_000
    assert len(seen) == 2


def test_d21_a_card_of_an_older_program_takes_no_rules_of_the_day(
    desk: Desk, blank: DesfireCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_layout, "FLAG_USAGE", 0)
    link = make(desk, blank, ORDER)
    monkeypatch.undo()
    with pytest.raises(DeskError, match="旧版"):
        desk.set_rules(link, Rules(day_fills=2))
    assert desk.set_rules(link, Rules(hours=(6, 7))).view.rules == Rules(hours=(6, 7))


def test_d2_d21_a_blocked_pin_is_forgiven_at_the_desk_and_good_at_the_pump(
    desk: Desk, blank: DesfireCard, secrets: Secrets
) -> None:
    link, bench = make(desk, blank, replace(ORDER, pin="0420")), pump_of(secrets)
    bench.pump.lift(0)
    tap(bench, blank)
    for _ in range(3):
        bench.keys("0421#")
        tap(bench, blank)
    assert [r["code"] for r in bench.of(records.REFUSAL)] == [codes.REFUSE_PIN] * 3
    tap(bench, blank)
    assert bench.view.refusal == codes.REFUSE_PIN_BLOCKED
    blank.reset()
    assert desk.show(link).view.tries == 3
    assert desk.set_pin(link, None).view.tries == 0
    for pin in ("0420", "998877"):
        tap(bench, blank)
        assert bench.view.notice == view.NOTICE_PIN
        bench.keys(pin + "#")
        tap(bench, blank)
        bench.state("fuelling")
        bench.hang()
        bench.settle(blank)
        bench.pump.lift(0)
        blank.reset()
        desk.set_pin(link, "998877")


def test_d20_d21_the_desk_settles_an_unfinished_card_and_counts_its_day(
    desk: Desk, blank: DesfireCard, secrets: Secrets, engine: Engine
) -> None:
    """The pump's records reach the books, the desk settles in one commit with the card's sums of the day."""
    link, bench = make(desk, blank, replace(ORDER, rules=Rules(day_fen=40_000, day_fills=2))), pump_of(secrets)
    bench.authorise(blank)
    bench.fuel(5)
    bench.hang()
    end = bench.of(records.END)[0]
    buf, sent = bytearray(records.SIZE), []
    for seq in range(1, bench.controller.journal.head):
        assert bench.controller.journal.read(seq, buf)
        sent.append(bytes(buf))
    with database.write(engine) as conn:
        sales.ingest(conn, secrets, [sales.Batch("s1", "p1", b"".join(sent))], NOW)
    blank.reset()
    frames = 24  # read, then settle
    blank.tear_at(frames, done=False)
    with pytest.raises(TornError):
        desk.show(link)
    blank.reset()
    contact = desk.show(link)
    assert contact.view.open is None
    assert contact.view.usage is not None
    assert (contact.view.usage.fills, contact.view.usage.fen, contact.view.usage.ml) == (
        1, end["amount_fen"], end["volume_ml"],
    )  # fmt: skip
    assert contact.view.balance_fen == 50_000 - end["amount_fen"]
    assert contact.shadow is not None and contact.shadow.state == "agrees"


def test_d21_while_a_sale_is_open_on_the_card_its_rules_stand(desk: Desk, blank: DesfireCard, secrets: Secrets) -> None:
    link, bench = make(desk, blank, ORDER), pump_of(secrets)
    bench.authorise(blank)
    bench.fuel(2)
    bench.hang()
    blank.reset()
    with pytest.raises(DeskError, match="先结算"):
        desk.set_rules(link, RULES)
    assert on_the(blank)[1] == Rules()
