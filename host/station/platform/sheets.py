"""Tables for spreadsheets: CSV (RFC 4180, UTF-8 with a mark so that Chinese is read), and cells as they read them."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

BYTE_ORDER_MARK = "\ufeff"


def yuan(fen: int | None) -> str:
    """-12345 -> "-123.45"; nothing for None."""
    if fen is None:
        return ""
    whole, rest = divmod(abs(fen), 100)
    return f"{'-' if fen < 0 else ''}{whole}.{rest:02d}"


def litres(volume_ml: int | None) -> str:
    """To the millilitre: 12345 -> "12.345"; nothing for None."""
    return "" if volume_ml is None else f"{volume_ml // 1000}.{volume_ml % 1000:03d}"


def moment(unix_s: int | None) -> str:
    """Local date and time of Unix seconds; nothing for None or 0."""
    return datetime.fromtimestamp(unix_s, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S") if unix_s else ""


def inert(text: str | None) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


def card(card_no: str | None) -> str:
    """A card's number, with a tab that keeps spreadsheets from rounding 16 digits."""
    return f"\t{card_no}" if card_no else ""


def written(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The whole file."""
    out = io.StringIO()
    out.write(BYTE_ORDER_MARK)
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()
