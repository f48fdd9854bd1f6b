"""An account's credit line holds whatever its pumps and their lines do: no two pumps can together exceed it (D20)."""

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from pump.core import records
from station import accounts, ledger, sales
from station.accounts import Terms
from station.platform.secrets import Secrets
from tests.station.lease_pumps import LeasePump, enter_card
from tests.station.test_order import undone
from tests.station.world import T0
from tools.sim.flash import PowerCut

LINE, SALE, AHEAD, COUNT, HOURS = 100_000, 60_000, 30_000, 3, 24
UIDS = (bytes.fromhex("04a1a2a3a4a5a6"), bytes.fromhex("04b1b2b3b4b5b6"))


class Forecourt:
    """Two pumps, one account, and the true time."""

    def __init__(self, conn: Connection, secrets: Secrets, terms: Terms) -> None:
        self.conn, self.secrets = conn, secrets
        self.account = accounts.open_account(conn, "物流公司", terms, T0).account
        self.pumps = [
            LeasePump(conn, secrets, f"p{n + 1}", (uid, enter_card(conn, uid, self.account, T0)), self.account)
            for n, uid in enumerate(UIDS)
        ]
        self.online = [True, True]
        self.paid_fen = 0
        self.pass_time(0)

    def pass_time(self, seconds: int) -> None:
        """The true time goes on. A pump with its line knows it; one without keeps its own, which may stand behind."""
        world_s = max(T0, self.pumps[0].world_s) + seconds
        for pump, online in zip(self.pumps, self.online, strict=True):
            pump.world_s = world_s
            c = pump.controller
            c.link_online = online
            c.now_s = world_s if online else c.now_s + seconds
            c.quality = records.TIME_SYNCED if online else c.quality

    def act(self, what: str, which: int, number: int) -> None:
        pump = self.pumps[which]
        if what in ("sell", "ask", "answer", "late"):
            event(f"{what} online={self.online[which]}: {pump.sell(number, '' if what == 'sell' else what)}")
        elif what == "cut":
            pump.sell(number, cut=True)
        elif what == "restart":
            pump.start(pump.controller.now_s, records.TIME_ESTIMATED if number % 2 else records.TIME_UNKNOWN)
        elif what == "line":
            self.online[which] = not self.online[which]
        elif what == "time":
            self.pass_time(number * 1200)
        elif what == "again" and pump.asked:  # a question of long ago comes out of some queue
            pump.answer(pump.asked[number % len(pump.asked)])
        elif what == "pay":
            self.paid_fen += number * 100
            accounts.pay(self.conn, self.account, number * 100, "desk", f"{self.paid_fen}", T0)
        elif self.online[which]:
            pump.upload(number % 12 + 1)
        self.pass_time(1)

    def check(self) -> None:
        """What was sold, and what could still be sold by pumps that hear nothing any more, is within the line."""
        sold = sum(pump.sold_fen for pump in self.pumps)
        may = sum(pump.may_fen for pump in self.pumps)
        assert sold + may <= LINE + self.paid_fen, (sold, may)
        known = accounts.account(self.conn, self.account)
        assert known is not None and known.available_fen >= 0
        assert known.owed_fen + known.lent_fen + self.paid_fen >= sold + may, "lent without counting it"

    def come_home(self) -> None:
        """Everybody is back on the line and all records are in."""
        self.online = [True, True]
        self.pass_time(1)
        for pump in self.pumps:
            pump.upload(10_000)


WHAT = "sell sell sell sell ask answer late cut restart line line time again pay upload upload"
steps = st.lists(
    st.tuples(st.sampled_from(WHAT.split()), st.integers(0, 1), st.integers(1, 100)), min_size=5, max_size=40
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_d20_two_pumps_never_exceed_what_the_account_may(
    engine: Engine, secrets: Secrets, story: list[tuple[str, int, int]]
) -> None:
    with undone(engine) as conn:
        court = Forecourt(conn, secrets, Terms(LINE, SALE, AHEAD, COUNT, HOURS))
        for what, which, number in story:
            court.act(what, which, number)
            court.check()
        court.come_home()
        court.check()
        sold = sum(pump.sold_fen for pump in court.pumps)
        assert -ledger.balance(conn, ledger.receivable(court.account)) == sold - court.paid_fen
        assert [*ledger.verify(conn), *sales.verify(conn, secrets)] == []
        assert sales.quarantine(conn) == []
        assert sales.money_invariant(conn, 0).holds
        # Nothing stays lent for ever: leases end, and any word of the pumps after that gives the credit back.
        court.pass_time((HOURS + 1) * 3600)
        for pump in court.pumps:
            pump.controller.append(records.TAMPER, (1, 1, 0))
        court.come_home()
        known = accounts.account(conn, court.account)
        assert known is not None and known.lent_fen == 0, accounts.leases(conn)


@pytest.mark.parametrize("backend", ["sqlite"])
@pytest.mark.parametrize("tear", [0, 1, 4])
def test_d15_the_power_goes_at_every_flash_operation_of_a_sale_on_account(
    engine: Engine, secrets: Secrets, tear: int
) -> None:
    """Online, where a lease is written down first, and offline, where it is counted down."""
    cuts = 0
    for online in (True, False):
        for operation in range(1, 9):
            with undone(engine) as conn:
                court = Forecourt(conn, secrets, Terms(LINE, SALE, AHEAD, COUNT, HOURS))
                pump = court.pumps[0]
                if not online:
                    pump.sell(10)
                    court.act("line", 0, 0)
                pump.flash.cut_at, pump.flash.tear = operation, tear
                try:
                    pump.sell(50)
                except PowerCut:
                    cuts += 1
                    pump.start(pump.controller.now_s, records.TIME_ESTIMATED)
                pump.flash.cut_at = 0
                pump.sold_fen = pump.journalled_fen()
                court.pass_time(1)
                court.check()
                court.come_home()
                court.check()
                owed = -ledger.balance(conn, ledger.receivable(court.account))
                assert owed == pump.sold_fen, (online, operation)
                assert [*ledger.verify(conn), *sales.verify(conn, secrets)] == [], (online, operation)
    assert cuts >= 8
