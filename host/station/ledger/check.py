"""Checks of the books, read-only."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: which check, and what in words (Chinese, then English)."""

    check: str
    text: str


def verify(conn: Connection) -> list[Finding]:
    """Balances add up to nought per asset, and each equals the sum of its transfers. Empty: all is well."""
    raise NotImplementedError
