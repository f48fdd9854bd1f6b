"""A display's state as a picture: SVG for pages and files, block characters for a terminal."""

import unicodedata
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tools.bench.state import LcdState

_FONT = "'WenQuanYi Zen Hei Mono','Noto Sans Mono CJK SC','Noto Sans SC','Microsoft YaHei',SimHei,monospace"


def columns(line: str) -> list[tuple[int, int, str]]:
    """(column, width in columns, character) of a line in which Chinese characters take two columns."""
    cells, at = [], 0
    for character in line:
        width = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        cells.append((at, width, character))
        at += width
    return cells


def svg(lcd: LcdState) -> str:
    """The graphic display's glass, 128 x 64 units: text as text, the picture dot by dot."""
    cells = [
        _cell(8 * column, 16 * row, 8 * width, character)
        for row, line in enumerate(lcd["lines"])
        for column, width, character in columns(line)
        if character != " "
    ]
    dots = _dots(lcd["picture"])
    path = f'<path d="{dots}" fill="currentcolor"/>' if dots else ""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 64" role="img" fill="currentcolor" '
        f'font-family="{_FONT}" font-size="15">{"".join(cells)}{path}</svg>'
    )


def _cell(x: int, y: int, width: int, character: str) -> str:
    # A full-width figure is the same figure, drawn wide: what is read and copied is 12.34.
    plain = unicodedata.normalize("NFKC", character) if width == 16 else character
    size = ' font-size="17" font-weight="700"' if plain != character else ""
    length = f' textLength="{width}" lengthAdjust="spacingAndGlyphs"' if plain not in ".,?" else ""
    return f'<text x="{x}" y="{y + 13}"{size}{length}>{escape(plain)}</text>'


def _dots(picture: Sequence[str]) -> str:
    """Runs of dark dots as one path."""
    parts = []
    for y, row in enumerate(picture):
        bits = f"{int(row, 16):0128b}"
        x = 0
        while (x := bits.find("1", x)) >= 0:
            end = bits.find("0", x)
            end = len(bits) if end < 0 else end
            parts.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
            x = end
    return "".join(parts)


def text(lcd: LcdState) -> str:
    """For a terminal: a frame with the four lines, and below it the picture in half blocks if there is one."""
    wide = 16 if lcd["kind"] == "graphic" else 20
    rim = "+" + "-" * wide + "+"
    lines = ["".join("·" if "\ue000" <= c <= "\ue007" else c for c in line) for line in lcd["lines"]]
    framed = [f"|{line}{' ' * (wide - sum(w for _, w, _ in columns(line)))}|" for line in lines]
    return "\n".join([rim, *framed, rim, *_blocks(lcd["picture"])])


def _blocks(picture: Sequence[str]) -> list[str]:
    rows = [f"{int(row, 16):0128b}" for row in picture]
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(" ▄▀█"[int(a) * 2 + int(b)] for a, b in zip(*pair, strict=True)).rstrip() for pair in pairs]
