"""Decimal figures as people type them, in whole small units; told in both languages when they make no sense."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

MOST_YUAN = 1_000_000
_PER_YUAN = 100


def fen(text: str) -> int:
    """An amount of yuan, 0 or more, in fen: "12.3" -> 1230; commas and blanks are let pass. ValueError."""
    return scaled(text, _PER_YUAN, MOST_YUAN, "金额如 200 或 200.00 元 an amount in yuan, like 200 or 200.00")


def scaled(text: str, unit: int, most: int, otherwise: str) -> int:
    """A decimal number, 0 to `most`, in whole 1/unit. ValueError, told as `otherwise`."""
    try:
        number = Decimal(text.strip().replace(",", "").replace("，", "").replace(" ", "")) * unit
        if not number.is_finite() or number != int(number) or not 0 <= number <= most * unit:
            raise ValueError
    except (InvalidOperation, ValueError):
        raise ValueError(otherwise) from None
    return int(number)


def day(text: str, later: int = 0) -> int:
    """Unix seconds of the local midnight at the beginning of a day (2026-12-01), some days later. ValueError."""
    try:
        return int((datetime.strptime(text.strip(), "%Y-%m-%d") + timedelta(days=later)).astimezone().timestamp())
    except ValueError:
        raise ValueError(f"日期写法如 2026-12-01 write a day like 2026-12-01: {text}") from None


def hours(text: str) -> tuple[int, ...]:
    """Hours of the day: "6-22" is 6 to 21, "22-6" goes over midnight, empty: all. ValueError."""
    if not text.strip():
        return ()
    first, dash, last = text.strip().partition("-")
    if not (dash and first.isdigit() and last.isdigit() and int(first) < 24 and 0 < int(last) <= 24):
        raise ValueError("时段如 6-22 hours like 6-22")
    count = (int(last) - int(first)) % 24 or 24
    return tuple(sorted((int(first) + n) % 24 for n in range(count))) if count < 24 else ()


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers with commas between, sorted, each once: "5,1" -> (1, 5). ValueError."""
    try:
        return tuple(sorted({int(part) for part in text.replace("，", ",").split(",") if part.strip()}))
    except ValueError:
        raise ValueError("编号如 1,5 numbers like 1,5") from None
