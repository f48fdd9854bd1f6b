"""What a viewer asked for in the address line: filters and page numbers. Broken values are told, not obeyed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from station import texts
from station.dashboard.source import SaleFilter

ROWS = 50
LONGEST = 40  # characters of any value
MOST_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The values as they were typed, and what they mean; `problem` is a key of texts.PAGES or empty."""

    raw: Mapping[str, str]
    page: int
    problem: str = ""

    @property
    def offset(self) -> int:
        return (self.page - 1) * ROWS

    def link(self, path: str, page: int | None = None) -> str:
        """The same question at another page (or address)."""
        values = {k: v for k, v in self.raw.items() if v}
        if page is not None:
            values["page"] = str(page)
        return f"{path}?{urlencode(values)}" if values else path


def asked(query: Mapping[str, str], names: tuple[str, ...]) -> Asked:
    """Takes the named values out of a query string."""
    raw = {name: query.get(name, "").strip()[:LONGEST] for name in names}
    number = query.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
    wrong = [name for name in ("from", "to") if _day(raw.get(name, "")) == BAD]
    problem = "sales.bad_day" if wrong else ""
    raw.update(dict.fromkeys(wrong, ""))
    return Asked(raw, max(1, min(page, MOST_PAGES)), problem)


BAD = date.min


def _day(text: str) -> date | None:
    """None for nothing, BAD for what is no day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return BAD


def _midnight(day: date | None, days: int = 0) -> int | None:
    """Unix seconds of the local midnight at the beginning of a day, plus whole days; None for no or no real day."""
    if day is None or day == BAD or not 1971 <= day.year <= 2105:
        return None
    moved = day + timedelta(days=days)
    return int(datetime(moved.year, moved.month, moved.day).astimezone().timestamp())


def days(question: Asked) -> tuple[int | None, int | None]:
    """(since, until) of the fields `from` and `to`, both days included; Unix seconds, None does not filter."""
    raw = question.raw
    return _midnight(_day(raw.get("from", ""))), _midnight(_day(raw.get("to", "")), days=1)


def sale_filter(question: Asked) -> SaleFilter:
    """The filter of the sales page."""
    raw = question.raw
    grade = raw.get("grade", "")
    since, until = days(question)
    card = "".join(c for c in raw.get("card", "") if c.isascii() and c.isdigit())
    return SaleFilter(
        pump=raw.get("pump") or None,
        grade=int(grade) if grade in {str(g) for g in texts.GRADES} else None,
        card_no=card or None,
        since=since,
        until=until,
    )
