"""Small compositions of words and figures that several pages share."""

from station import texts
from station.dashboard.dom import Tag, Words


def pump(t: Words, name: str) -> str:
    """ "p1" reads "1 号机" / "Pump 1"; other names stand as they are."""
    number = name[1:] if name[:1] == "p" and name[1:].isdigit() else name
    return t("word.pump", name=number)


def grade_tag(t: Words, grade: int | None, tag: str = "span") -> Tag:
    """A grade's name in the colour of its nozzle."""
    known = grade in texts.GRADES
    return Tag(tag, texts.grade(grade, t.lang), f"grade g{grade}" if known else "")


def quantity(figure: str, unit: str, look: str = "num") -> Tag:
    """A figure with its small unit."""
    with Tag("span", figure, look) as tag:
        Tag("span", unit, "unit")
    return tag
