"""Callbacks of the gateways: the signature is the credential, a copy changes nothing, whatever order they come in."""

import logging
from collections.abc import Mapping

from sqlalchemy import Connection, Engine, delete, insert, select

from station.payments import book, refunds
from station.payments.gateway import Gateway, GatewayError, NotGenuineError, Outcome, Reply
from station.payments.tables import notices
from station.platform import database

LONGEST_BODY = 65_536  # bytes; real ones have 1 to 3 thousand
KEPT_S = 2 * 86_400  # longer than any gateway repeats itself, or we believe it

_log = logging.getLogger("pumpside.payments")


def receive(engine: Engine, gateway: Gateway, headers: Mapping[str, str], body: bytes, now: int) -> Reply:
    """What to answer. A refusal makes the gateway try again; it comes from forgeries and faults, never from copies."""
    try:
        notice = gateway.notice(headers, body, now)
    except NotGenuineError as error:
        _log.warning("callback of %s refused: %s", gateway.name, error)
        return gateway.reply(False)
    except GatewayError as error:
        _log.warning("callback of %s cannot be judged now: %s", gateway.name, error)
        return gateway.reply(False)
    with database.write(engine) as conn:
        if not _first(conn, gateway.name, notice.nonce, now):
            return gateway.reply(True)
        if isinstance(notice.outcome, Outcome):
            booked = book.settle(conn, gateway.name, notice.outcome, now)
            understood = booked or notice.outcome.state != "paid"
        else:
            understood = refunds.settle(conn, gateway.name, notice.outcome, now) or notice.outcome.state != "done"
    return gateway.reply(understood)


def forget(conn: Connection, now: int) -> int:
    """Drops what is too old to be believed a second time."""
    return conn.execute(delete(notices).where(notices.c.at < now - KEPT_S)).rowcount


def _first(conn: Connection, gateway: str, nonce: str, now: int) -> bool:
    seen = select(notices.c.at).where(notices.c.gateway == gateway, notices.c.nonce == nonce)
    if conn.execute(seen).first() is not None:
        return False
    conn.execute(insert(notices), {"gateway": gateway, "nonce": nonce, "at": now})
    return True
