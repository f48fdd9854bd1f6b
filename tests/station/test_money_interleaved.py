"""D31, C8, C10, X5: card + station + in flight = constant, whatever happens to cards, pumps and desk, in any order.

Cards keep their own truth. They are issued, loaded, torn from the reader, fuelled at pumps that may be off the line,
refunded and replaced; messages come late and twice. After every step the books balance and no card is accused; once all
is told and every torn job is resumed, each card's purse is to the fen what the books say.
"""

import threading
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from pump.core import records
from station import cards, ledger, risk, sales
from station.cards import issuing, loading, refunding, registry, replacing
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.test_order import PUMPS, Story, undone
from tests.station.world import T0, PumpJournal, TestCard

NOW = T0 + 100_000
SIZE = records.SIZE
BY, OTHER = "王芳", "李娜"
TOLD, ON_CARD, NOT_ON_CARD = "told", "on card", "not on card"  # a job that was torn on either side of the commit

outcomes = st.sampled_from([TOLD, TOLD, ON_CARD, NOT_ON_CARD])
which, devices = st.integers(0, 2), st.sampled_from(sorted(PUMPS))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("load"), which, st.integers(1, 90_000), outcomes),
        st.tuples(st.just("refund"), which, st.one_of(st.none(), st.integers(1, 60_000)), outcomes),
        st.tuples(
            st.just("sale"), devices, which, st.sampled_from(["whole", "torn", "uncertain_void", "refused", "empty"]),
            st.integers(0, 19_000), devices,
        ),
        st.tuples(st.just("send"), devices, st.integers(1, 8)),
        st.tuples(st.just("repeat"), devices),
        st.tuples(st.just("resume"), which),
        st.tuples(st.just("replace"), which),
    ),
    max_size=16,
)  # fmt: skip


class Town(Story):
    """Three cards of the desk's, three pumps, and what each of them really holds."""

    def __init__(self, conn: Connection, secrets: Secrets) -> None:
        super().__init__(secrets)
        self.conn, self.secrets = conn, secrets
        self.now, self.chips, self.sent = NOW, 0, dict.fromkeys(PUMPS, 0)
        self.torn: dict[str, str] = {}  # card -> on which side its waiting job was torn
        self.cards = [self.issue() for _ in range(3)]

    def issue(self, replaces: str = "") -> TestCard:
        """A card as the desk makes it."""
        self.chips += 1
        uid = bytes([4]) + self.chips.to_bytes(6, "big")
        order = cards.Order(holder="张三", document="1101", replaces=replaces)
        card_no = issuing.begin(self.conn, uid, order, 1, self.now)
        issuing.complete(self.conn, card_no, BY, self.now)
        sales.open_shadow(self.conn, card_no, uid.hex(), self.now)
        return TestCard(uid, bytes.fromhex(card_no), 0, 0)

    def load(self, number: int, fen: int, outcome: str) -> None:
        """Money is paid; the card gets it, or is torn away before or after."""
        card = self.cards[number]
        if self.is_busy(card) or loading.refusal(self.known(card), fen, self.now, card.fen):
            return
        load = loading.pay(self.conn, card.number, fen, "desk", self.now)
        self.put_on(card, load, outcome)

    def put_on(self, card: TestCard, load: cards.Load, outcome: str) -> None:
        """The card's part of a load."""
        card.fen += load.amount_fen if outcome != NOT_ON_CARD else 0
        self.finish(card, outcome, lambda: loading.done(self.conn, load, BY, self.now))

    def refund(self, number: int, fen: int | None, outcome: str) -> None:
        """Money comes off the card and out of the drawer; fen None: all, and the card is closed."""
        card = self.cards[number]
        held = card.fen
        if self.is_busy(card) or held < (fen or 1) or sales.unfinished_of(self.conn, card.number):
            return
        shadow = sales.shadow(self.conn, card.number)
        if shadow is None or shadow.state != "agrees" or shadow.seen_fen != held:
            return  # the desk has seen the card: pumps that know more are heard first (test_order tells those stories)
        refund = refunding.ask(self.conn, self.known(card), held, fen, "desk", BY, OTHER, "顾客要求", self.now)
        card.fen -= refund.off_card_fen if outcome != NOT_ON_CARD else 0
        self.finish(card, outcome, lambda: refunding.done(self.conn, refund, BY, self.now))
        if refund.closes and outcome == TOLD:
            self.cards[number] = self.issue()

    def finish(self, card: TestCard, outcome: str, do: Callable[[], None]) -> None:
        """The desk learns of it, or the card has gone."""
        if outcome == TOLD:
            do()
            sales.observe(self.conn, card.number, card.counter, card.fen, self.now)
        else:
            self.torn[card.number] = outcome

    def sale(self, device: int, number: int, what: str, volume_ml: int, elsewhere: int) -> None:
        """At a pump; what it writes waits there until it is sent."""
        self.play(device, number, what, volume_ml, elsewhere)

    def send(self, device: int, records_: int) -> None:
        """Some of what a pump has not sent."""
        at = self.sent[device]
        self.sent[device] = min(len(self.pumps[device].written), at + records_)
        self.deliver(device, at)

    def repeat(self, device: int) -> None:
        """The acknowledgement got lost."""
        self.deliver(device, max(0, self.sent[device] - 8))

    def deliver(self, device: int, since: int) -> None:
        raw = b"".join(self.pumps[device].written[since : self.sent[device]])
        for at in range(0, len(raw), 8 * SIZE):
            batch = sales.Batch("s1", PUMPS[device], raw[at : at + 8 * SIZE])
            sales.ingest(self.conn, self.secrets, [batch], self.now)

    def resume(self, number: int) -> None:
        """The card is back at the desk: what was torn is finished, or undone if the card never had it."""
        card = self.cards[number]
        outcome = self.torn.pop(card.number, TOLD)
        load, refund = loading.waiting(self.conn, card.number), refunding.pending(self.conn, card.number)
        if load is not None and outcome == NOT_ON_CARD and load.drawer.startswith(loading.CARD):
            self.put_on(card, load, TOLD)  # what came from an old card can only be put on
        elif load is not None:
            (loading.cancelled if outcome == NOT_ON_CARD else loading.done)(self.conn, load, BY, self.now)
        elif refund is not None:
            (refunding.cancelled if outcome == NOT_ON_CARD else refunding.done)(self.conn, refund, BY, self.now)
        if load is not None or refund is not None:
            sales.observe(self.conn, card.number, card.counter, card.fen, self.now)
        if refund is not None and refund.closes and outcome == ON_CARD:
            self.cards[number] = self.issue()

    def replace(self, number: int) -> None:
        """The card is lost. Its balance moves once it is certain; the old one is dead for ever."""
        old = self.cards[number]
        known = self.known(old)
        if known.state == "active":
            registry.block(self.conn, old.number, "lost", BY, self.now)
        if replacing.waits(self.conn, self.known(old)):
            registry.unblock(self.conn, old.number, BY, self.now)
            return
        self.torn.pop(old.number, None)
        new = self.issue(old.number)
        load = replacing.move(self.conn, self.known(old), self.known(new), BY, "", "", self.now)
        self.cards[number] = new
        if load is not None:
            self.put_on(new, load, NOT_ON_CARD)

    def is_busy(self, card: TestCard) -> bool:
        """A job of this card waits."""
        return bool(loading.waiting(self.conn, card.number) or refunding.pending(self.conn, card.number))

    def known(self, card: TestCard) -> cards.Card:
        found = registry.card(self.conn, card.number)
        assert found is not None
        return found

    def all_told(self) -> None:
        """Every pump is heard and every torn job resumed."""
        for device in PUMPS:
            self.send(device, 10**6)
        for number in range(len(self.cards)):
            self.resume(number)

    def check(self) -> None:
        """What has to hold after every step. What the risk rules hold back (a burst, two pumps at once) is cleared, so
        that the story goes on."""
        for case in risk.cases(self.conn, 100, state="open"):
            cards.review(self.conn, case.id, "clear", OTHER, self.now, "核实无误")
        invariant = sales.money_invariant(self.conn, self.now)
        assert (invariant.difference_fen, invariant.differing, invariant.books_balance) == (0, (), True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None)
@given(story=steps)
def test_d31_no_interleaving_moves_a_fen(engine: Engine, secrets: Secrets, story: list[tuple[object, ...]]) -> None:
    with undone(engine) as conn:
        town = Town(conn, secrets)
        for number in range(3):
            town.load(number, 60_000, TOLD)
        for what, *told in story:
            town.now += 60
            getattr(town, str(what))(*told)
            town.check()
        town.all_told()
        town.check()
        for card in town.cards:
            shadow = sales.shadow(conn, card.number)
            assert shadow is not None and shadow.state == "agrees", shadow
            assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        assert ledger.total(conn, "sales:") == town.sold_fen
        assert sales.quarantine_count(conn) == 0
        assert sales.verify(conn, secrets) == []


def test_x5_desks_and_pumps_at_once_lose_nothing(engine: Engine, secrets: Secrets) -> None:
    """Two pumps send while two clerks load and refund the same cards: nobody waits for ever, nothing is lost."""
    with database.write(engine) as conn:
        town = Town(conn, secrets)
        for number in range(3):
            town.load(number, 80_000, TOLD)
    errors: list[BaseException] = []

    def fuel(device: int) -> None:
        pump: PumpJournal = town.pumps[device]
        for at in range(0, len(pump.written), 4):
            with database.write(engine) as conn:
                batch = sales.Batch("s1", PUMPS[device], b"".join(pump.written[at : at + 4]))
                sales.ingest(conn, secrets, [batch], NOW)

    def desk(card: TestCard) -> None:
        for _ in range(8):
            with database.write(engine) as conn:
                load = loading.pay(conn, card.number, 1_000, "desk", NOW)
                loading.done(conn, load, BY, NOW)

    def guarded(do: Callable[[], None]) -> None:
        try:
            do()
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            errors.append(error)

    town.pumps[258].at += 6 * 3600  # a card cannot be in two readers at once: risk would hold it back
    for device in (257, 258):
        for number in range(3):
            for _ in range(2):
                town.play(device, number, "whole", 2_000, device)
    jobs: list[Callable[[], None]] = [lambda: fuel(257), lambda: fuel(258)]
    jobs += [lambda: desk(town.cards[0]), lambda: desk(town.cards[1])]
    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == [] and not any(thread.is_alive() for thread in threads)
    with database.write(engine) as conn:
        for number, card in enumerate(town.cards):
            card.fen += 8_000 if number < 2 else 0
            sales.observe(conn, card.number, card.counter, card.fen, NOW)
            assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        assert sales.money_invariant(conn, NOW).holds
        assert ledger.total(conn, "sales:") == town.sold_fen
        assert sales.verify(conn, secrets) == []
