"""The desk's jobs: refund and close, replacement, renewal, two persons, customers, incentives (C1-C10, S5, Y8)."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from pump.core import card_layout as layout
from pump.core import records
from station import cards, forecourt, ledger, risk, sales, staff
from station.cards import CardInHand, Desk, DeskError, Order, Second, TornError, customers, refunding
from station.cards.loading import bonus_fen
from station.platform import audit, database, parameters
from station.platform.once import ConflictError
from station.platform.secrets import Secrets
from station.platform.settings import load as load_settings
from station.setup import prepare
from tests.cards.conftest import NOW, seeded
from tests.cards.pumps import Pump
from tests.station.world import PumpJournal
from tools.bench.desfire_card import DesfireCard

ANNA = Order(holder="张三", document="110101199001011234", plate="京A12345")
NUMBER, NEXT = "6200000100000012", "6200000100000020"
Balances = Callable[[], dict[str, int]]


def purse(card: DesfireCard) -> int:
    fen = card.peek(layout.AID)[layout.FILE_PURSE]
    assert isinstance(fen, int)
    return fen


def fresh(number: int) -> CardInHand:
    return CardInHand(DesfireCard.blank(b"\x04" + number.to_bytes(6, "big"), seeded(number)))


def set_to(engine: Engine, name: str, value: int) -> None:
    with database.write(engine) as conn:
        parameters.change(conn, name, value, "boss", "test", NOW)


@pytest.fixture(autouse=True)
def calm(engine: Engine) -> None:
    """The rules that look at a clerk's refunds are off: these stories refund a lot."""
    with database.write(engine) as conn:
        for rule in risk.rules(conn):
            if rule.by == "staff":
                risk.set_rule(conn, replace(rule, on=False), "boss", NOW, "test")


@pytest.fixture
def desk(engine: Engine, secrets: Secrets) -> Desk:
    """Every look at its clock is a second later."""
    seconds = count(NOW)
    return Desk(engine, secrets, 1, 1, by="tester", now=lambda: next(seconds), random=seeded(1))


@pytest.fixture
def pump(engine: Engine, secrets: Secrets, issued: CardInHand) -> Pump:
    return Pump(engine, secrets, issued.card, NUMBER, PumpJournal(secrets.device(257).journal))


# -- refund and close


def test_a_refund_goes_back_to_where_the_money_came_from(desk: Desk, issued: CardInHand, balances: Balances) -> None:
    """C3: the last paid is still there: bank money to the bank, cash out of the drawer at hand."""
    desk.load(issued, 10_000, "till-1")
    desk.load(issued, 20_000, "gateway:bank")
    contact = desk.refund(issued, 25_000, "用不上", "till-2")
    assert contact.refunded is not None
    assert contact.refunded.sources == (("gateway:bank", 20_000), ("till-2", 5_000))
    assert purse(issued.card) == 5_000
    assert balances() == {"cash:till-1": -10_000, "cash:till-2": 5_000, f"purse:{NUMBER}": 5_000}
    again = desk.refund(issued, None, "销户", "till-1")
    assert again.refunded is not None and again.refunded.sources == (("till-1", 5_000),)
    assert again.card is not None and again.card.state == "closed" and purse(issued.card) == 0
    assert sum(balances().values()) == 0 and f"purse:{NUMBER}" not in balances()


def test_a_closed_card_is_refused_for_ever(desk: Desk, issued: CardInHand, engine: Engine) -> None:
    desk.load(issued, 1_000)
    desk.refund(issued, None, "销户")
    for act in (lambda: desk.load(issued, 100), lambda: desk.unblock(NUMBER), lambda: desk.refund(issued, None, "x")):
        with pytest.raises(ValueError):
            act()
    with database.read(engine) as conn:
        assert forecourt.blacklist(conn).cards == (NUMBER,)
        assert cards.counts(conn) == {(layout.KIND_REGISTERED, "closed"): 1}


@pytest.mark.parametrize("done", [False, True])
def test_a_card_torn_at_any_frame_of_a_refund_is_paid_once_in_the_end(
    desk: Desk, issued: CardInHand, done: bool, balances: Balances, engine: Engine
) -> None:
    """D20: nobody is paid before the card was seen without the money; card and books never differ in silence."""
    desk.load(issued, 100_000)
    before = issued.card.frames
    desk.refund(issued, 1_000, "找零")
    frames, left = issued.card.frames - before, 99_000
    for frame in range(1, frames + 1):
        issued.card.tear_at(frame, done)
        with pytest.raises(TornError):
            desk.refund(issued, 1_000, "找零")
        with database.read(engine) as conn:
            between = sales.shadow(conn, NUMBER)
        assert between is not None and between.state != "differs"
        contact = desk.show(issued)
        if contact.refunding is not None:
            assert contact.refunded is None and purse(issued.card) == left
            assert balances()["cash:desk"] == -left
            contact = desk.resume(issued) if frame % 2 else desk.cancel(issued)
            left -= 1_000 if frame % 2 else 0
        else:
            left = purse(issued.card)
        assert purse(issued.card) == left and balances() == {"cash:desk": -left, f"purse:{NUMBER}": left}
        final = desk.show(issued).shadow
        assert final is not None and final.state == "agrees"


def test_the_same_key_refunds_once_and_another_wish_under_it_is_refused(
    desk: Desk, issued: CardInHand, balances: Balances
) -> None:
    desk.load(issued, 10_000, key="k-load")
    desk.load(issued, 10_000, key="k-load")
    desk.refund(issued, 4_000, "多充", key="k-back")
    desk.refund(issued, 4_000, "多充", key="k-back")
    assert purse(issued.card) == 6_000 == -balances()["cash:desk"]
    with pytest.raises(ConflictError):
        desk.refund(issued, 5_000, "多充", key="k-back")


def test_a_torn_load_is_finished_by_the_same_key_and_paid_once(
    desk: Desk, issued: CardInHand, balances: Balances
) -> None:
    before = issued.card.frames
    desk.load(issued, 1_000)
    frames = issued.card.frames - before
    for frame in range(1, frames + 1):
        issued.card.tear_at(frame, done=frame % 2 == 0)
        with pytest.raises(TornError):
            desk.load(issued, 1_000, key=f"k{frame}")
        desk.load(issued, 1_000, key=f"k{frame}")
        assert purse(issued.card) == 1_000 * (frame + 1) == -balances()["cash:desk"]


def test_what_the_house_gave_is_spent_last_and_not_paid_out(
    desk: Desk, issued: CardInHand, balances: Balances, engine: Engine
) -> None:
    """C6: a bonus of 5 % from 1,000 yuan on is posted as an expense; who closes the card leaves it."""
    set_to(engine, "bonus.load_ppm", 50_000)
    desk.load(issued, 99_999)
    assert purse(issued.card) == 99_999
    desk.load(issued, 100_000)
    assert purse(issued.card) == 204_999 and balances()["bonus:load"] == -5_000
    set_to(engine, "cap.refund", 1_000_000)
    with pytest.raises(ValueError, match=r"1999\.99"):
        desk.refund(issued, 204_999, "销户")
    contact = desk.refund(issued, None, "销户")
    assert contact.refunded is not None and contact.refunded.amount_fen == 199_999
    assert balances() == {} and purse(issued.card) == 0


@given(paid=st.integers(0, 10**8), ppm=st.integers(0, 10**6), least=st.integers(0, 10**8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_bonus_is_never_above_its_share(paid: int, ppm: int, least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"bonus.load_from": least, "bonus.load_ppm": ppm}
    monkeypatch.setattr(parameters, "value", lambda _conn, name: values[name])
    given_fen = bonus_fen(None, paid)  # type: ignore[arg-type]
    assert given_fen * 1_000_000 <= paid * ppm < (given_fen + 1) * 1_000_000 or (paid < least and not given_fen)


def test_r2_a_clerk_who_loads_and_refunds_at_once_is_held_until_somebody_looked(
    desk: Desk, issued: CardInHand, engine: Engine
) -> None:
    with database.write(engine) as conn:
        rule = next(rule for rule in risk.rules(conn) if rule.name == "load_then_refund")
        risk.set_rule(conn, replace(rule, on=True), "boss", NOW, "test")
    desk.load(issued, 10_000)
    desk.refund(issued, 9_000, "多充")
    for act in (lambda: desk.refund(issued, 1_000, "多充"), lambda: desk.load(issued, 1_000)):
        with pytest.raises(ValueError, match="风控"):
            act()
    assert purse(issued.card) == 1_000


# -- two persons


def test_y8_above_the_cap_nothing_moves_until_a_second_person_has_signed(
    desk: Desk, issued: CardInHand, balances: Balances, engine: Engine
) -> None:
    with database.write(engine) as conn:
        staff.add(conn, "leader", "", "leader", "correct horse", "setup", NOW)
        staff.add(conn, "wang", "", "cashier", "correct horse", "setup", NOW)
        staff.add(conn, "tester", "", "leader", "correct horse", "setup", NOW)
    refused = (None, Second("", ""), Second("wang", "correct horse"), Second("leader", "wrong"), Second("x", "y"))
    for second in (*refused, Second("tester", "correct horse")):
        with pytest.raises(ValueError, match="复核"):
            desk.load(issued, 200_001, second=second)
    assert balances() == {} and purse(issued.card) == 0
    desk.load(issued, 200_000)
    desk.load(issued, 200_001, second=Second("leader", "correct horse"))
    with pytest.raises(ValueError, match="复核"):
        desk.refund(issued, 50_001, "退")
    desk.refund(issued, 50_001, "退", second=Second("Leader", "correct horse"))
    assert purse(issued.card) == 350_000 == -balances()["cash:desk"]
    with database.read(engine) as conn:
        signed = [(entry.who, entry.new["by"]) for entry in audit.recent(conn, 100) if entry.action == "approve"]
    assert signed == [("leader", "tester")] * 2


# -- replacement


def test_c8_the_balance_moves_once_and_the_old_card_is_dead(
    desk: Desk, issued: CardInHand, pump: Pump, balances: Balances, engine: Engine, secrets: Secrets
) -> None:
    desk.load(issued, 50_000, "till-1")
    assert pump.visit(20_001, 10_000) == "sold"
    new = fresh(7)
    with pytest.raises(ValueError, match="挂失"):
        desk.replace(new, NUMBER)
    desk.block(NUMBER, "lost")
    pump.upload(2)
    with pytest.raises(DeskError, match="未完成"):
        desk.replace(new, NUMBER)
    pump.upload(99)
    with pytest.raises(DeskError, match="p1 尚未取得"):
        desk.replace(new, NUMBER)
    tell_list(pump, engine)
    contact = desk.replace(new, NUMBER)
    left = 50_000 - 7_560
    assert (contact.view.card_no, contact.view.balance_fen, contact.view.plate) == (NEXT, left, "京A12345")
    assert contact.card is not None and (contact.card.holder, contact.card.replaces) == ("张三", NUMBER)
    desk.replace(new, NUMBER)  # the same again changes nothing
    with pytest.raises(DeskError, match="未发行"):
        desk.replace(fresh(8), NUMBER)
    assert balances() == {"cash:till-1": -50_000, "sales:1": 7_560, f"purse:{NEXT}": left}
    with pytest.raises(DeskError):
        desk.unblock(NUMBER)
    with database.read(engine) as conn:
        old = cards.card(conn, NUMBER)
        assert old is not None and old.state == "replaced" and forecourt.blacklist(conn).cards == (NUMBER,)
        assert sales.money_invariant(conn, NOW).holds and sales.verify(conn, secrets) == []
    assert desk.refund(new, None, "销户", "till-3").refunded is not None, "its money came from the old card's drawer"
    assert balances() == {"cash:till-1": -50_000, "cash:till-3": left, "sales:1": 7_560}


def tell_list(pump: Pump, engine: Engine) -> None:
    """The pump takes the newest list, notes it, and sends all it has."""
    with database.read(engine) as conn:
        version = forecourt.blacklist(conn).version
    pump.journal.write(records.LIST, (1, version, 1, NOW))
    pump.upload(99)


def test_c8_where_a_pump_is_gone_for_good_two_people_decide(
    desk: Desk, issued: CardInHand, pump: Pump, engine: Engine
) -> None:
    desk.load(issued, 50_000)
    pump.visit(20_001, 10_000)
    pump.upload(99)
    desk.block(NUMBER, "lost")
    with database.write(engine) as conn:
        staff.add(conn, "leader", "", "leader", "correct horse", "setup", NOW)
    new = fresh(7)
    with pytest.raises(ValueError, match="不确定"):
        desk.replace(new, NUMBER, Second("leader", "correct horse"), "")
    contact = desk.replace(new, NUMBER, Second("leader", "correct horse"), "油机报废")
    assert contact.view.balance_fen == 50_000 - 7_560
    with database.read(engine) as conn:
        told = next(entry for entry in audit.recent(conn, 100) if entry.action == "card.replace")
    assert told.why == "油机报废" and told.new["second"] == "leader" and told.new["open"]


@pytest.mark.parametrize("done", [False, True])
def test_c8_torn_at_any_frame_the_same_again_finishes_it(engine: Engine, secrets: Secrets, done: bool) -> None:
    now = [NOW]
    desk = Desk(engine, secrets, 1, 1, by="tester", now=lambda: now[0], random=seeded(1))
    frame, moved = 0, 0
    while True:
        frame, now[0] = frame + 1 if frame < 4 else frame + 5, now[0] + 1
        link, blank = fresh(1_000 + frame), fresh(2_000 + frame)
        old = desk.issue(link, ANNA).card_no
        desk.load(link, 1_000)
        desk.block(old, "lost")
        blank.card.tear_at(frame, done)
        try:
            desk.replace(blank, old)
        except TornError:
            contact = desk.replace(blank, old)
            moved += 1
        else:
            break
        assert purse(blank.card) == contact.view.balance_fen == 1_000
        with database.read(engine) as conn:
            assert ledger.balance(conn, ledger.purse(old)) == 0
            assert ledger.total(conn, "purse:") == 1_000 * moved and ledger.total(conn, "pending:") == 0
    assert moved > 10


STEPS = st.lists(
    st.sampled_from(
        ["sell", "sell", "torn_sale", "upload", "upload_one", "list", "block", "replace", "load", "settle"]
    ),
    min_size=4,
    max_size=14,
)


@given(steps=STEPS, seed=st.integers(0, 1 << 30))
@settings(
    max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
def test_c8_no_interleaving_moves_a_fen_twice_or_loses_one(
    steps: list[str], seed: int, engine: Engine, secrets: Secrets, desk: Desk, journal: PumpJournal
) -> None:
    number = _numbers.__next__()
    link, new = fresh(number), fresh(number + 1)
    old_no = desk.issue(link, ANNA).card_no
    desk.load(link, 100_000)
    pump = Pump(engine, secrets, link.card, old_no, journal, sent=len(journal.written))
    paid, listed, new_no = 100_000, False, ""
    for at, step in enumerate(steps):
        if step in ("sell", "torn_sale"):
            link.card.reset()
            link.card.tear_at(8 + (seed + at) % 6 if step == "torn_sale" else 0, done=bool(seed & 1))
            if not listed:  # a pump that has the list refuses the card
                pump.visit(20_001, 5_000)
            link.card.tear_at(0)
        elif step.startswith("upload"):
            pump.upload(1 if step == "upload_one" else 99)
        elif step == "list":
            tell_list(pump, engine)
            with database.read(engine) as conn:
                listed = old_no in forecourt.blacklist(conn).cards
        else:
            try:
                if step == "block":
                    desk.block(old_no, "lost")
                elif step == "replace":
                    new_no = desk.replace(new, old_no).view.card_no
                elif step == "load":
                    desk.load(link, 1_000)
                    paid += 1_000
                else:
                    desk.show(link)
            except ValueError:
                link.card.reset()  # refused: what was asked is not possible now
    pump.upload(99)
    with database.read(engine) as conn:
        assert ledger.verify(conn) == [] and sales.money_invariant(conn, NOW).difference_fen == 0
        sold = sum(row.amount_fen or 0 for row in sales.recent(conn, 100, card_no=old_no))
        held = {
            of: ledger.balance(conn, of) for no in (old_no, new_no) for of in (ledger.purse(no), ledger.inflight(no))
        }
    assert sum(held.values()) == paid - sold, held
    if new_no:
        assert (held[ledger.purse(old_no)], held[ledger.inflight(old_no)]) == (0, 0)
        assert purse(new.card) == paid - sold


_numbers = count(10_000, 2)


@pytest.fixture
def journal(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(257).journal)


# -- renewal, customers, purchases, incentives


def test_an_anonymous_card_is_renewed_for_three_years(
    engine: Engine, secrets: Secrets, blank: DesfireCard, issued: CardInHand
) -> None:
    """C2: torn at each frame, it has the old expiry or the new one, and the books follow the card."""
    now = [NOW]
    desk = Desk(engine, secrets, 1, 1, by="tester", now=lambda: now[0], random=seeded(1))
    link = fresh(5)
    card_no = desk.issue(link, Order(layout.KIND_ANONYMOUS)).card_no
    desk.load(link, 5_000)
    now[0] = desk.show(link).view.expiry + 86_400
    with pytest.raises(DeskError, match="过期"):
        desk.load(link, 1_000)
    for frame in range(1, 40):
        link.card.tear_at(frame, done=bool(frame & 1))
        try:
            desk.renew(link)
            break
        except TornError:
            pass
    link.card.tear_at(0)
    contact = desk.renew(link)
    assert contact.view.expiry == cards.issuing.years_later(now[0], 3) and contact.view.balance_fen == 5_000
    with database.read(engine) as conn:
        known = cards.card(conn, card_no)
    assert known is not None and known.expiry == contact.view.expiry
    desk.load(link, 1_000)
    with pytest.raises(ValueError, match="长期"):
        desk.renew(issued)


def test_x2_a_document_lies_sealed_and_is_found_again(
    desk: Desk, issued: CardInHand, engine: Engine, secrets: Secrets
) -> None:
    """C1: one person, one row; the number is nowhere in the tables."""
    desk.issue(fresh(3), replace(ANNA, document="110101 19900101 1234", phone="13800001111"))
    with database.read(engine) as conn:
        rows = str(conn.execute(text("SELECT * FROM card_customers")).all())
        rows += str(conn.execute(text("SELECT * FROM cards")).all())
        card = cards.card(conn, NUMBER)
        assert card is not None
        known = customers.customer(conn, secrets, card.customer)
        assert conn.execute(text("SELECT count(*) FROM card_customers")).scalar() == 1
    assert "110101199001011234" not in rows and "13800001111" not in rows
    assert known is not None and (known.name, known.document, known.masked) == (
        "张三",
        "110101199001011234",
        "••••1234",
    )
    assert known.phone == "13800001111" and known.checked_by == "tester"


def test_x2_what_an_older_program_wrote_in_clear_is_sealed_at_the_next_start(
    issued: CardInHand, engine: Engine, secrets: Secrets, tmp_path: object
) -> None:
    with engine.begin() as conn:
        conn.execute(text("UPDATE cards SET document = 'E12345678', customer = ''"))
    prepare(load_settings(data_dir=tmp_path, bench=True), NOW).dispose()
    with database.read(engine) as conn:
        card = cards.card(conn, NUMBER)
        assert card is not None and card.document == ""
        known = customers.customer(conn, secrets, card.customer)
    assert known is not None and known.document == "E12345678"


def test_c1_without_check_and_consent_nobody_is_registered(desk: Desk, blank: DesfireCard) -> None:
    with pytest.raises(DeskError, match="同意"):
        desk.issue(CardInHand(blank), replace(ANNA, checked=False))


def test_c2_anonymous_cards_for_ten_thousand_yuan_at_once_need_a_buyer(desk: Desk, engine: Engine) -> None:
    gift = Order(layout.KIND_ANONYMOUS, purchase="p-1", planned_fen=100_000)
    for number in range(9):
        link = fresh(100 + number)
        desk.issue(link, gift)
        desk.load(link, 100_000)
    with pytest.raises(DeskError, match="实名"):
        desk.issue(fresh(110), gift)
    desk.issue(fresh(110), replace(gift, planned_fen=99_999))
    made = desk.issue(fresh(111), replace(gift, holder="李四", document="E1234"))
    assert made.kind == layout.KIND_ANONYMOUS and made.customer
    desk.issue(fresh(112), replace(gift, purchase="p-2"))


def test_s5_who_issues_a_card_earns_and_a_card_closed_too_soon_takes_it_back(engine: Engine, secrets: Secrets) -> None:
    set_to(engine, "incentive.card", 500)
    now = [NOW]

    def at(by: str) -> Desk:
        return Desk(engine, secrets, 1, 1, by=by, now=lambda: now[0], random=seeded(1))

    early, late = fresh(1), fresh(2)
    at("wang").issue(early, ANNA)
    at("wang").issue(late, ANNA)
    at("li").issue(fresh(3), Order(layout.KIND_STAFF, "员工", "E1"))
    at("li").issue(fresh(4), Order(layout.KIND_ANONYMOUS))
    now[0] += 30 * 86_400
    at("li").refund(early, None, "销户")
    now[0] += 1
    at("li").refund(late, None, "销户")
    with database.read(engine) as conn:
        told = cards.incentive_report(conn)
        assert ledger.balance(conn, ledger.owed_staff("wang")) == 500
    assert told == [cards.Earned("li", 1, 0, 500), cards.Earned("wang", 1, 1, 500)]


def test_a_pending_refund_and_a_top_up_do_not_meet_on_one_card(desk: Desk, issued: CardInHand, engine: Engine) -> None:
    """The card remembers one id only."""
    desk.load(issued, 10_000)
    frames = issued.card.frames
    desk.show(issued)
    issued.card.tear_at(issued.card.frames - frames + 4)
    with pytest.raises(TornError):
        desk.refund(issued, 1_000, "找零")
    with pytest.raises(cards.LoadError, match="退款"), database.write(engine) as conn:
        cards.top_up(conn, NUMBER, 1_000, "wechat", NOW)
    with database.read(engine) as conn:
        assert refunding.pending(conn, NUMBER) is not None and list(audit.verify(conn)) == []
    desk.cancel(issued)
    with database.write(engine) as conn:
        cards.top_up(conn, NUMBER, 1_000, "wechat", NOW)


# -- reports


def test_c9_the_history_is_what_the_journal_says_line_by_line(
    desk: Desk, issued: CardInHand, pump: Pump, engine: Engine
) -> None:
    desk.load(issued, 50_000, "till-1")
    for volume_ml in (10_000, 5_000, 1_234):
        assert pump.visit(20_001, volume_ml) == "sold"
    pump.upload(99)
    desk.refund(issued, 10_000, "找零")
    written = [records.body(raw) for raw in pump.journal.written if raw[1] == records.END]
    with database.read(engine) as conn:
        lines = cards.history(conn, NUMBER)
        assert cards.history_agrees(conn, NUMBER, lines)
    fuelled = [line for line in lines if line.kind == "sale"][::-1]
    assert [(-line.change_fen, line.volume_ml) for line in fuelled] == [(body[11], body[12]) for body in written]
    assert lines[0].balance_fen == purse(issued.card) == 50_000 - 10_000 + sum(line.change_fen for line in fuelled)
    assert sorted(line.kind for line in lines) == ["load", "refund", "sale", "sale", "sale"]


def test_c9_a_replaced_cards_history_ends_at_nought_and_the_new_ones_begins_with_its_balance(
    desk: Desk, issued: CardInHand, engine: Engine
) -> None:
    desk.load(issued, 30_000)
    desk.block(NUMBER, "lost")
    desk.replace(fresh(7), NUMBER)
    with database.read(engine) as conn:
        old, new = cards.history(conn, NUMBER), cards.history(conn, NEXT)
        assert cards.history_agrees(conn, NUMBER, old) and cards.history_agrees(conn, NEXT, new)
    assert [(line.kind, line.change_fen, line.balance_fen) for line in old] == [
        ("replaced_out", -30_000, 0),
        ("load", 30_000, 30_000),
    ]
    assert [(line.kind, line.change_fen) for line in new] == [("replaced_in", 30_000)]


def test_c5_statistics_by_state_reconcile_and_a_state_changed_behind_them_is_named(
    desk: Desk, issued: CardInHand, engine: Engine
) -> None:
    for number in (1, 2, 3):
        desk.issue(fresh(number), Order(layout.KIND_ANONYMOUS))
    desk.block(NUMBER, "lost")
    desk.replace(fresh(4), NUMBER)
    desk.refund(fresh_again(desk), None, "销户")
    with database.read(engine) as conn:
        found = {one.kind: one for one in cards.movements(conn, 0, NOW * 2)}
        assert cards.disagreeing(conn, 1) == [] and all(one.reconciles for one in found.values())
        counted = cards.counts(conn)
    for (kind, state), number in counted.items():
        assert found[kind].closing[state] == number
    assert found[layout.KIND_REGISTERED].events == {
        "issued": 3, "unblocked": 0, "blocked": 1, "replaced": 1, "closed": 1,
    }  # fmt: skip
    with engine.begin() as conn:
        conn.execute(text("UPDATE cards SET state = 'active' WHERE card_no = :no"), {"no": NUMBER})
    with database.read(engine) as conn:
        assert cards.disagreeing(conn, 1) == [NUMBER]


def fresh_again(desk: Desk) -> CardInHand:
    link = fresh(50)
    desk.issue(link, ANNA)
    return link


def test_c10_the_float_is_the_sum_of_all_balances_on_every_day(engine: Engine, secrets: Secrets) -> None:
    """Day by day against the trial balance, and today card by card."""
    day, now = 86_400, [NOW]
    desk = Desk(engine, secrets, 1, 1, by="tester", now=lambda: now[0], random=seeded(1))
    link = fresh(1)
    number = desk.issue(link, ANNA).card_no
    desk.load(link, 40_000)
    journal = PumpJournal(secrets.device(257).journal)
    pump = Pump(engine, secrets, link.card, number, journal)
    journal.at = now[0] = NOW + day
    link.card.reset()
    assert pump.visit(20_001, 10_000) == "sold"
    pump.upload(99)
    now[0] = NOW + 2 * day
    desk.refund(link, 12_000, "多充")
    with database.write(engine) as conn:
        cards.top_up(conn, number, 5_000, "wechat", now[0])
    with database.read(engine) as conn:
        days = cards.float_by_day(conn, 4, now[0])
        assert sum(fen for _, fen in cards.float_by_kind(conn).values()) == cards.float_now(conn) == days[0].closing_fen
        for one in days:
            kinds = {
                line.kind: line.balance
                for line in ledger.trial_balance(conn, one.day + day)
                if line.asset == ledger.FEN
            }
            assert one.closing_fen == sum(kinds.get(kind, 0) for kind in ("purse", "inflight", "pending"))
            change = one.loaded_fen - one.sold_fen - one.refunded_fen + one.other_fen
            assert one.opening_fen + change == one.closing_fen
    assert [(one.loaded_fen, one.sold_fen, one.refunded_fen) for one in days[:3]] == [
        (5_000, 0, 12_000),
        (0, 7_560, 0),
        (40_000, 0, 0),
    ]
