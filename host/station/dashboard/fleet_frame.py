"""What the pages of one company share: its name, the way to its other pages, its units to choose from."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from nicegui.client import Client
from sqlalchemy import Connection

from station import fleets, texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.office import Office
from station.platform import clock, database, once

REFRESH_S = 3.0
HOME = "/fleets"
PAGES = ("overview", "vehicles", "rules", "statements", "exceptions")


@dataclass(frozen=True)
class Company:
    """A company as its pages know it when they are opened; parts: account -> name, the company itself first."""

    number: int
    name: str
    parts: Mapping[str, str]


def address(company: int, page: str = "overview") -> str:
    """Where a company's page is."""
    return f"{HOME}/{company}" + ("" if page == "overview" else f"/{page}")


@contextmanager
def company_page(
    frame: Frame, office: Office, client: Client, number: int, here: str
) -> Iterator[tuple[Words, Company | None]]:
    """Everything around one company's page. None: there is no such company, which is said."""
    with database.read(office.engine) as conn:
        found = _company(conn, number)
    with frame.page(HOME, client, "fleets.title") as t:
        if found is None:
            Tag("h1", t("fleets.none", n=number))
            Tag("a", t("word.back"), href=HOME)
            yield t, None
            return
        Tag("h1", found.name)
        with Tag("nav", look="pages"):
            for page in PAGES:
                Tag("a", t(f"fleets.page.{page}"), "here" if page == here else "", href=address(number, page))
            Tag("a", t("fleets.all"), href=HOME)
        yield t, found


def _company(conn: Connection, number: int) -> Company | None:
    try:
        company = fleets.unit(conn, number)
    except fleets.FleetError:
        return None
    if company.parent is not None:
        return None
    parts = {str(account): fleets.unit(conn, account).name for account in fleets.tree(conn, number)}
    return Company(number, company.name, parts)


def keyed(conn: Connection, key: str, what: str, do: Callable[[int], object]) -> None:
    """do(now), once for this key of a form."""

    def done() -> Mapping[str, object]:
        do(now)
        return {}

    now = clock.now()
    once.run(conn, key, {"form": what}, now, done)


def rule_word(t: Words, name: str) -> str:
    """A rule that declined something, in words."""
    return t(f"fleets.rule.{name}")


def rule_figure(name: str, value: int, lang: str) -> str:
    """What a rule allows, or was used, with its unit."""
    if name.endswith("_fen") or name == "overdue":
        return f"{figures.yuan(value)} {texts.text('unit.yuan', lang)}"
    if name.endswith("_ml"):
        return f"{figures.litres(value)} {texts.text('unit.litre', lang)}"
    if name == "grades":
        return texts.grade(value, lang)
    return str(value) if name in ("day_fills", "stations", "hours") else figures.NOTHING
