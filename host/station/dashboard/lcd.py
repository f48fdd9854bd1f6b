"""The pump's own display as it stands: 4 lines of 20 characters with their own glyphs, or 128 x 64 dots."""

from collections.abc import Sequence

from nicegui import ui

from station.dashboard.dom import Tag
from tools.bench import glass
from tools.bench.state import LcdState

GLYPH_BASE = 0xE000
ROWS, COLUMNS = 4, 20
Row = tuple[str, tuple[tuple[int, ...], ...]]


class Lcd:
    """Redraws a line, or the graphic display's glass, only when something on it changed."""

    def __init__(self) -> None:
        self.shown: list[Row | None] = [None] * ROWS
        with Tag("div", look="lcd", role="img") as self.root:
            self.lines = [ui.html("", sanitize=False).classes(replace="lcd-line") for _ in range(ROWS)]
            self.glass = ui.html("", sanitize=False).classes(replace="lcd-glass")

    def show(self, lcd: LcdState) -> None:
        graphic = lcd["kind"] == "graphic"
        lit = "" if lcd["backlight"] and lcd["on"] else " dark"
        self.root.look(f"lcd graphic{lit}" if graphic else f"lcd{lit}")
        if graphic:
            drawn = glass.svg(lcd)
            if self.glass.content != drawn:
                self.glass.content = drawn
            return
        glyphs = lcd["glyphs"]
        for index in range(ROWS):
            text = lcd["lines"][index] if lcd["on"] and index < len(lcd["lines"]) else ""
            text = f"{text:<{COLUMNS}.{COLUMNS}}"
            used = tuple(tuple(glyphs[n]) for n in map(_glyph, text) if n is not None and n < len(glyphs))
            if self.shown[index] != (text, used):
                self.shown[index] = (text, used)
                self.lines[index].content = "".join(_cell(c, glyphs) for c in text)


def _glyph(character: str) -> int | None:
    number = ord(character) - GLYPH_BASE
    return number if 0 <= number < 8 else None


def _cell(character: str, glyphs: Sequence[Sequence[int]]) -> str:
    number = _glyph(character)
    if number is None or number >= len(glyphs):
        # A character reference by number: nothing on the display can become markup.
        return f"<span>&#{ord(character)};</span>"
    dots = "".join(
        f"M{column} {row}h.9v.9h-.9z"
        for row, bits in enumerate(glyphs[number][:8])
        for column in range(5)
        if bits >> (4 - column) & 1
    )
    return f'<span><svg viewBox="0 0 5 8" preserveAspectRatio="none"><path d="{dots}"/></svg></span>'
