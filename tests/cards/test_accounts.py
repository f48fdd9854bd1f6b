"""Cards of accounts at the pump: the station authorises, and lends ahead for when it cannot be asked (D20, D21)."""

import pytest
from sqlalchemy import Engine

from pump.core import card_layout, codes, records
from station import accounts, ledger, sales
from station.accounts import Terms
from station.cards import CardInHand, Desk, Order
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import NOW, UID, seeded
from tests.cards.linked import LinkedBench
from tools.bench import wallet
from tools.bench.desfire_card import DesfireCard

LINE = 300_000
AHEAD = 40_000


@pytest.fixture
def fleet(engine: Engine) -> int:
    """An account with a line of 3,000 yuan, of which each pump may be lent 400 ahead."""
    with database.write(engine) as conn:
        return accounts.open_account(conn, "物流公司", Terms(LINE, 200_000, AHEAD, 3, 72), NOW).account


@pytest.fixture
def card(desk: Desk, fleet: int) -> CardInHand:
    link = CardInHand(DesfireCard.blank(UID, seeded(3)))
    desk.issue(link, Order(card_layout.KIND_ACCOUNT, "物流公司", "91110", "京A12345", company=fleet))
    return link


def fill(bench: LinkedBench, card: CardInHand, litres: float) -> int:
    """A whole sale in slot mode; what it cost in fen."""
    bench.authorise(card.card)
    bench.fuel(litres)
    bench.hang()
    bench.settle(card.card)
    return int(bench.of(records.END)[-1]["amount_fen"])


def account(engine: Engine, number: int) -> accounts.Account:
    with database.read(engine) as conn:
        found = accounts.account(conn, number)
        assert found is not None
        return found


def all_is_well(engine: Engine, secrets: Secrets) -> None:
    with database.read(engine) as conn:
        assert [*ledger.verify(conn), *sales.verify(conn, secrets)] == []
        assert sales.money_invariant(conn, 0).holds


def test_an_account_is_authorised_owes_the_fuel_and_its_card_holds_no_money(
    engine: Engine, secrets: Secrets, fleet: int, card: CardInHand
) -> None:
    bench = LinkedBench(engine, secrets)
    paid = fill(bench, card, 20)
    bench.wait(1)
    assert paid > 10_000
    found = account(engine, fleet)
    assert (found.owed_fen, found.lent_fen) == (paid, AHEAD)  # the lease for the sale is back, the one ahead is out
    assert wallet.balance_of(card.card) == 0 and wallet.open_of(card.card) == 0
    with database.read(engine) as conn:
        row = sales.recent(conn)[0]
        assert (row.state, row.amount_fen) == ("settled", paid)
        assert ledger.balances(conn, "purse:") == ledger.balances(conn, "inflight:") == {}
    all_is_well(engine, secrets)


def test_without_the_station_an_account_fuels_on_its_lease_and_no_further(
    engine: Engine, secrets: Secrets, fleet: int, card: CardInHand
) -> None:
    bench = LinkedBench(engine, secrets)
    first = fill(bench, card, 5)
    bench.online = False
    bench.wait(1)
    offline = [fill(bench, card, 5), fill(bench, card, 5), fill(bench, card, 1)]
    bench.pump.lift(0)
    bench.pump.put(card.card)
    bench.wait(4)
    assert bench.view.refusal == codes.REFUSE_OFFLINE  # three fills were lent
    bench.pump.take()
    bench.hang()
    bench.online = True
    bench.wait(3)
    assert account(engine, fleet).owed_fen == first + sum(offline)
    all_is_well(engine, secrets)
    again = fill(bench, card, 5)  # with the station back it is authorised and lent ahead anew
    bench.wait(1)
    found = account(engine, fleet)
    assert (found.owed_fen, found.lent_fen) == (first + sum(offline) + again, AHEAD)
    all_is_well(engine, secrets)
