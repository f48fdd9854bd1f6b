"""A pulse timeline as columns and as a drawing (SVG); pure. Up is channel A, down is channel B."""

from dataclasses import dataclass

from pump.core import trace
from station.forecourt import Timeline

WIDTH, HALF = 900, 90  # of the drawing; HALF for each channel
MOST_COLUMNS = 450
STEP_MS = trace.STEP_MS


@dataclass(frozen=True, slots=True)
class Column:
    """Edges of both channels in one column; None where nothing is known."""

    a: int | None
    b: int | None


def steps(line: Timeline) -> list[Column]:
    """One column per 50 ms. A missing page leaves unknown columns of the length of the page before it; a reading that
    came late is nought there and has its edges in the next one."""
    out: list[Column] = []
    length = 0
    number = 0
    for page in line.pages:
        for _ in range(page.number - number):
            out += [Column(None, None)] * (length or len(page.samples))
        out += [Column(*sample) if sample else Column(0, 0) for sample in page.samples]
        length, number = len(page.samples), page.number + 1
    return out


def merged(columns: list[Column], every: int) -> list[Column]:
    """Sums of `every` columns; unknown if any of them is."""
    return [_sum(columns[at : at + every]) for at in range(0, len(columns), every)]


def _sum(some: list[Column]) -> Column:
    known = [(c.a, c.b) for c in some if c.a is not None and c.b is not None]
    if len(known) < len(some):
        return Column(None, None)
    return Column(sum(a for a, _ in known), sum(b for _, b in known))


def per_column(columns: list[Column]) -> int:
    """How many steps go into one column of the drawing."""
    return max(1, -(-len(columns) // MOST_COLUMNS))


def drawing(columns: list[Column]) -> str:
    """SVG; nothing in it but numbers of ours."""
    shown = merged(columns, per_column(columns))
    top = max((abs(value) for c in shown for value in (c.a, c.b) if value is not None), default=0) or 1
    width = WIDTH / max(1, len(shown))
    parts = []
    for at, column in enumerate(shown):
        x = f"{at * width:.2f}"
        w = f"{max(width, 0.5):.2f}"
        if column.a is None or column.b is None:
            parts.append(f'<rect class="unknown" x="{x}" y="0" width="{w}" height="{2 * HALF}" fill="url(#unknown)"/>')
            continue
        for name, value, down in (("a", column.a, 0), ("b", column.b, 1)):
            height = abs(value) * (HALF - 4) / top
            back = (value < 0) != bool(down)
            y = HALF if back else HALF - height
            look = f"channel-{name}" + (" back" if value < 0 else "")
            parts.append(f'<rect class="{look}" x="{x}" y="{y:.2f}" width="{w}" height="{height:.2f}"/>')
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {2 * HALF}" preserveAspectRatio="none" role="img">'
        '<defs><pattern id="unknown" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        '<rect class="hatch" width="3" height="8"/></pattern></defs>'
        f"{''.join(parts)}"
        f'<line class="axis" x1="0" x2="{WIDTH}" y1="{HALF}" y2="{HALF}"/></svg>'
    )
