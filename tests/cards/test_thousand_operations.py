"""D1: card and host agree after a thousand random operations at desk and pump, cards torn away and records late."""

import os
import random

from sqlalchemy import Engine

from pump.core import card_layout as layout
from station import cards, ledger, risk, sales
from station.cards import CardInHand, Desk, DeskError, TornError
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import NOW
from tests.cards.pumps import Pump
from tests.station.world import PumpJournal

NUMBER = "6200000100000012"
OPERATIONS = 1_000


def reviewed(engine: Engine) -> None:
    """So many loads of one card are suspicious: somebody looks at what a risk rule holds and clears it."""
    with database.write(engine) as conn:
        for case in risk.cases(conn, 100, state="open"):
            cards.review(conn, case.id, "clear", "wang", NOW, "核实无误")


def test_card_and_host_agree_after_a_thousand_random_operations(
    desk: Desk, issued: CardInHand, engine: Engine, secrets: Secrets
) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    print(f"SEED={seed} plays it again")
    chance = random.Random(seed)
    card = issued.card
    pump = Pump(engine, secrets, card, NUMBER, PumpJournal(secrets.device(257).journal))
    done: dict[str, int] = {}

    def count(name: str) -> None:
        done[name] = done.get(name, 0) + 1

    for _ in range(OPERATIONS):
        if chance.random() < 0.4:
            card.tear_at(chance.randint(1, 20), chance.random() < 0.5)
        operation = chance.choices(("load", "show", "resume", "cancel", "visit", "upload"), (20, 10, 4, 4, 40, 22))[0]
        try:
            if operation == "load":
                reviewed(engine)
                desk.load(issued, chance.randint(1, 30_000))
            elif operation == "show":
                desk.show(issued)
            elif operation == "resume":
                desk.resume(issued)
            elif operation == "cancel":
                desk.cancel(issued)
            elif operation == "visit":
                operation = pump.visit(chance.randint(101, 30_000), chance.randint(0, 40_000))
            else:
                pump.upload(chance.randint(1, 6))
        except TornError:
            operation += " torn"
        except DeskError:
            operation += " refused"
        card.tear_at(0)
        count(operation)

    # Everything comes in, the card comes by the desk once more.
    card.reset()
    while pump.sent < len(pump.journal.written):
        pump.upload(8)
    contact = desk.resume(issued)
    view, shadow = contact.view, contact.shadow
    with database.read(engine) as conn:
        books = ledger.balances(conn, "")
        invariant = sales.money_invariant(conn, NOW)
        findings = [*ledger.verify(conn), *sales.verify(conn, secrets)]
        odd = sales.quarantine_count(conn)
    assert shadow is not None and (shadow.state, shadow.missing) == ("agrees", 0), (seed, shadow)
    assert card.peek(layout.AID)[layout.FILE_PURSE] == view.balance_fen == books[f"purse:{NUMBER}"], seed
    assert view.open is None and not books.get(f"inflight:{NUMBER}") and not books.get(f"pending:{NUMBER}"), seed
    assert -books["cash:desk"] == view.balance_fen + books.get("sales:1", 0), seed
    assert (invariant.difference_fen, findings, odd) == (0, [], 0), seed
    # The run has met what it is about.
    assert min(done[name] for name in ("sold", "lost", "load", "load torn", "show", "upload")) > 5, done
