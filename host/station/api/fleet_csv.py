"""Statements and exceptions of a company as CSV."""

from collections.abc import Iterable

from station import fleets, texts
from station.platform import sheets

_STATEMENT = (
    "time", "kind", "plate", "card", "odometer", "grade", "litres", "price", "amount", "rebate", "memo",
)  # fmt: skip
_EXCEPTIONS = ("time", "plate", "what", "card", "litres", "odometer", "found", "expected")


def statement_csv(lines: Iterable[fleets.Line], lang: str) -> str:
    """One row for each line; amounts above nought are owed."""
    rows = []
    for line in lines:
        sale, kind = line.sale, texts.text(f"fleets.kind.{line.kind}", lang)
        fuel = [""] * 6
        if sale:
            km, grade = str(sale.odometer_km or ""), texts.grade(sale.grade, lang)
            price, volume = sheets.yuan(sale.price_fen_per_l), sheets.litres(sale.volume_ml)
            fuel = [sheets.inert(sale.plate), sheets.card(sale.card_no), km, grade, volume, price]
        money = [sheets.yuan(line.owed_fen), sheets.yuan(line.rebate_fen), sheets.inert(line.memo)]
        rows.append([sheets.moment(line.at), kind, *fuel, *money])
    return sheets.written(_head(_STATEMENT, lang), rows)


def exceptions_csv(found: Iterable[fleets.Report], lang: str) -> str:
    """One row for each exception; found and expected in the unit of its kind."""
    rows = []
    for one in found:
        fill, odd = one.oddity.fill, one.oddity
        of = [sheets.inert(one.vehicle.plate), texts.text(f"fleets.odd.{odd.kind}", lang), sheets.card(fill.card_no)]
        said = [sheets.litres(fill.volume_ml), str(fill.odometer_km or "")]
        measured = [oddity_figure(odd.kind, odd.value), oddity_figure(odd.kind, odd.expected)]
        rows.append([sheets.moment(fill.ended), *of, *said, *measured])
    return sheets.written(_head(_EXCEPTIONS, lang), rows)


def oddity_figure(kind: str, value: int) -> str:
    """What an exception found or expected, with its unit."""
    if kind in ("odometer_back", "odometer_jump"):
        return f"{value:,} km"
    if kind in ("above_norm", "unusual"):
        return f"{sheets.litres(value)} L/100 km"
    return f"{sheets.litres(value)} L" if kind == "above_tank" else f"{value} h"


def _head(columns: Iterable[str], lang: str) -> list[str]:
    return [texts.text(f"fleets.csv.{name}", lang) for name in columns]
