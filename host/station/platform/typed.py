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
