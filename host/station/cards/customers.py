"""Who holds the cards: name, document and telephone, checked by a clerk and kept with the person's consent (C1).

The document's number and the telephone lie sealed in the database (platform/sealing.py); a person is found again by a
keyed digest of the number, which says nothing to who has no key.
"""

import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import Connection, select, update

from station.cards.tables import cards, customers
from station.platform.database import upsert
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets

SHOWN_DIGITS = 4
_DIGEST = 16  # bytes


@dataclass(frozen=True)
class Customer:
    """A person or company; document and phone in clear."""

    customer: str
    name: str
    document: str = field(repr=False)
    phone: str = field(repr=False)
    checked_by: str
    consent_at: int

    @property
    def masked(self) -> str:
        """The document as a page may show it: ••••1234."""
        return "••••" + self.document[-SHOWN_DIGITS:]


def keep(conn: Connection, secrets: Secrets, name: str, document: str, phone: str, by: str, now: int) -> str:
    """Books who was checked; the customer's key. The same document is the same customer, with what was said last."""
    number = _plain(document)
    key = hmac.new(secrets.issuing, b"customer " + number.encode(), hashlib.sha256).digest()[:_DIGEST].hex()
    sealer = Sealer(secrets.data_keys)
    row = {
        "customer": key,
        "name": name.strip(),
        "document": sealer.seal(number.encode(), f"customer:{key}"),
        "phone": sealer.seal(_plain(phone).encode(), f"phone:{key}") if phone.strip() else None,
        "checked_by": by,
        "consent_at": now,
    }
    changed = {name: row[name] for name in ("name", "document", "checked_by", "consent_at")}
    changed |= {"phone": row["phone"]} if row["phone"] else {}
    conn.execute(upsert(conn, customers).values(**row).on_conflict_do_update(index_elements=["customer"], set_=changed))
    return key


def customer(conn: Connection, secrets: Secrets, key: str) -> Customer | None:
    """Who that is. station.platform.sealing.SealError if somebody changed the row."""
    row = conn.execute(select(customers).where(customers.c.customer == key)).first()
    if row is None:
        return None
    sealer = Sealer(secrets.data_keys)
    document = sealer.open(row.document, f"customer:{key}").decode()
    phone = sealer.open(row.phone, f"phone:{key}").decode() if row.phone else ""
    return Customer(key, row.name, document, phone, row.checked_by, row.consent_at)


def seal_open_ones(conn: Connection, secrets: Callable[[], Secrets], now: int) -> int:
    """Seals the documents that older programs wrote in clear; how many there were. secrets: read if they are needed."""
    found = conn.execute(select(cards.c.card_no, cards.c.holder, cards.c.document).where(cards.c.document != "")).all()
    for card_no, holder, document in found:
        key = keep(conn, secrets(), holder, document, "", "migration", now)
        conn.execute(update(cards).where(cards.c.card_no == card_no).values(document="", customer=key))
    return len(found)


def _plain(number: str) -> str:
    """As compared: no blanks, full-width letters and small ones made equal (GB 11643 ends in X or x)."""
    return unicodedata.normalize("NFKC", number).replace(" ", "").replace("-", "").upper()
