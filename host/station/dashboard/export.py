"""The sales as CSV, streamed page by page."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import replace

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from station import texts
from station.dashboard.asked import asked, sale_filter
from station.dashboard.source import SaleFilter, Source
from station.platform import sheets
from station.sales import SaleRow

ROWS_AT_ONCE = 1000
COLUMNS = (
    "time", "pump", "nozzle", "grade", "litres", "price", "amount", "card", "plate", "reason", "state", "number",
)  # fmt: skip


def _head(lang: str) -> list[str]:
    return [texts.text(f"csv.{word}", lang) for word in COLUMNS]


def _line(row: SaleRow, lang: str) -> list[str]:
    at = row.ended or row.started
    return [
        sheets.moment(at),
        row.pump,
        "" if row.nozzle is None else str(row.nozzle + 1),
        texts.grade(row.grade, lang) if row.grade is not None else "",
        sheets.litres(row.volume_ml),
        sheets.yuan(row.price_fen_per_l),
        sheets.yuan(row.amount_fen),
        sheets.card(row.card_no),
        sheets.inert(row.plate),
        texts.stop_reason(row.reason, lang) if row.reason is not None else "",
        texts.sale_state(row.state, lang),
        f"{row.device}-{row.seq}",
    ]


def lines(source: Source, wanted: SaleFilter, lang: str, now_s: int) -> Iterator[str]:
    """The CSV text in pieces. What comes in meanwhile is left out, and what it shifts is not given twice."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write(sheets.BYTE_ORDER_MARK)
    writer.writerow(_head(lang))
    until = now_s + 1 if wanted.until is None else min(wanted.until, now_s + 1)
    wanted = replace(wanted, until=until)
    offset, before = 0, set[tuple[int, int]]()
    while True:
        rows = source.sales(wanted, offset, ROWS_AT_ONCE).rows
        writer.writerows(_line(row, lang) for row in rows if (row.device, row.seq) not in before)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        if len(rows) < ROWS_AT_ONCE:
            return
        before = {(row.device, row.seq) for row in rows}
        offset += ROWS_AT_ONCE


def register(app: FastAPI, source: Source) -> None:
    """Adds `/sales.csv`, which takes the same filters as the page."""

    @app.get("/sales.csv", include_in_schema=False)
    def sales_csv(request: Request) -> StreamingResponse:
        wanted = sale_filter(asked(request.query_params, ("pump", "grade", "card", "from", "to")))
        lang = texts.language_of(request.cookies)
        return StreamingResponse(
            lines(source, wanted, lang, int(time.time())),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="sales.csv"', "Cache-Control": "no-store"},
        )
