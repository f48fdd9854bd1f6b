"""A person's decision on a finding of risk, and what it does to the card it is about (R2)."""

from sqlalchemy import Connection

from station import risk
from station.cards import registry
from station.cards.watch import RISK, Finding

CLEAR, CONFIRM, BLOCK = VERDICTS = ("clear", "confirm", "block")


def review(conn: Connection, case_id: int, verdict: str, by: str, now: int, why: str) -> risk.Case:
    """Decides a finding, once and with a reason. Raises ValueError.

    BLOCK puts the card on the pumps' list, CLEAR makes it good again if it was this very finding that blocked it.
    """
    if verdict not in VERDICTS:
        raise ValueError(f"没有这种决定 no such decision: {verdict} ({', '.join(VERDICTS)})")
    case = risk.decide(conn, case_id, verdict != CLEAR, by, now, why)
    card = registry.card(conn, case.subject)
    by_this_finding = Finding(case.subject, RISK, f"{case.rule} {case.id}").reason
    if verdict == BLOCK:
        if card is None:
            raise ValueError(f"不是本站的卡，无法停卡 not a card of ours: {case.subject}")
        if card.state == "active":
            registry.block(conn, card.card_no, f"risk {case.rule} {case.id}", by, now)
    elif verdict == CLEAR and card is not None and (card.state, card.block_reason) == ("blocked", by_this_finding):
        registry.unblock(conn, card.card_no, by, now)
    return case
