"""Tables of plain HTML, shared by the pages: columns with words, rows redrawn only when they changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from station import texts
from station.dashboard import figures, words
from station.dashboard.dom import Icon, Tag, Words
from station.sales import SaleRow

Row = TypeVar("Row")

# state -> (colour, icon); the word stands beside both.
SALE_LOOKS = {
    "started": ("warn", "help"),
    "open": ("", "hourglass_top"),
    "ended": ("warn", "hourglass_bottom"),
    "settled": ("good", "check_circle"),
    "void": ("muted", "block"),
}


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A heading, a row's cell (a text, or anything drawn inside the cell) and the cell's classes."""

    head: str
    draw: Callable[[Row], Any]
    look: str = ""


class Table(Generic[Row]):
    """`show(rows)`; without rows the `empty` text says what to do, with a `failure` it says what is wrong."""

    def __init__(self, t: Words, columns: Sequence[Column[Row]], empty: str) -> None:
        self.t, self.columns, self.empty = t, columns, empty
        self.shown: tuple[Sequence[Row], str] | None = None
        with Tag("div", look="scroll") as self.root:
            Tag("div", t("frame.loading"), "note")

    def show(self, rows: Sequence[Row], failure: str = "") -> None:
        if self.shown == (rows, failure):
            return
        self.shown = (rows, failure)
        self.root.clear()
        with self.root:
            if failure:
                why = f"{self.t('frame.failed', why=failure)} · {self.t('frame.retry')}"
                Tag("div", why, "note failed", role="alert")
            elif not rows:
                Tag("div", self.empty, "note")
            else:
                self._draw(rows)

    def _draw(self, rows: Sequence[Row]) -> None:
        with Tag("table", look="plain"):
            with Tag("thead"), Tag("tr"):
                for column in self.columns:
                    Tag("th", column.head, column.look, scope="col")
            with Tag("tbody"):
                for row in rows:
                    with Tag("tr"):
                        for column in self.columns:
                            with Tag("td", look=column.look) as cell:
                                drawn = column.draw(row)
                            if isinstance(drawn, str):
                                cell.text = drawn


def marked(look: str, icon: str, word: str) -> Tag:
    """A state: colour, icon and word together."""
    with Tag("span", look=f"with-icon {look}".rstrip()) as tag:
        Icon(icon)
        Tag("span", word)
    return tag


def sale_columns(t: Words, brief: bool = False) -> list[Column[SaleRow]]:
    """The columns of a list of sales; `brief` leaves out what the full list is for."""

    def reason(row: SaleRow) -> str:
        word = texts.stop_reason(row.reason, t.lang)
        return f"{word} · {t('sales.recovered')}" if row.recovered else word

    def state(row: SaleRow) -> Tag:
        look, icon = SALE_LOOKS.get(row.state, ("warn", "help"))
        return marked(look, icon, texts.sale_state(row.state, t.lang))

    at = figures.clock if brief else figures.day_and_clock
    every = [
        Column(t("sales.time"), lambda r: at(r.ended or r.started)),
        Column(t("sales.pump"), lambda r: words.pump(t, r.pump)),
        Column(t("sales.grade"), lambda r: words.grade_tag(t, r.grade)),
        Column(f"{t('tile.volume')} ({t('unit.litre')})", lambda r: figures.litres(r.volume_ml), "num"),
        Column(f"{t('tile.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("sales.card"), lambda r: figures.card(r.card_no)),
        Column(t("sales.reason"), reason),
        Column(t("sales.state"), state),
    ]
    if not brief:
        price = f"{t('tile.price')} ({t('unit.price')})"
        every.insert(4, Column(price, lambda r: figures.yuan(r.price_fen_per_l), "num"))
        number: Callable[[SaleRow], str] = lambda r: f"{r.pump}-{r.seq}"  # noqa: E731
        every.append(Column(t("sales.number"), lambda r: Tag("a", number(r), href=f"/meter?sale={number(r)}"), "muted"))
    return every
