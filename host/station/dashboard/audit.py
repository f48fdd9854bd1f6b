"""The audit: who changed what, when and why, old and new side by side; and whether its chain holds (X5)."""

import json
from collections.abc import Mapping
from typing import Any

from nicegui import ui
from nicegui.client import Client

from station.dashboard import figures
from station.dashboard.asked import ROWS, asked, days
from station.dashboard.dom import Tag, Words
from station.dashboard.filters import field, submit
from station.dashboard.forms import Form, of_language
from station.dashboard.frame import Frame
from station.dashboard.lists import Listing
from station.dashboard.office import Office
from station.dashboard.source import Page
from station.dashboard.tables import Column
from station.platform import audit, database

BROKEN_SHOWN = 5  # rows named one by one


def _values(values: Mapping[str, Any]) -> Tag:
    with Tag("div") as cell:
        for name, value in values.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            Tag("div", f"{name}: {shown}")
    return cell


def _columns(t: Words) -> list[Column[audit.Entry]]:
    return [
        Column("", lambda r: f"{r.seq:,}", "num muted"),
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("word.who"), lambda r: r.who, "strong"),
        Column(t("audit.action"), lambda r: r.action),
        Column(t("audit.subject"), lambda r: r.subject),
        Column(t("audit.old"), lambda r: _values(r.old), "wrap"),
        Column(t("audit.new"), lambda r: _values(r.new), "wrap"),
        Column(t("word.why"), lambda r: r.why, "wrap"),
    ]


def _verify(t: Words, office: Office) -> Form:
    async def verify(_: str) -> str:
        def look(conn: database.Connection) -> tuple[list[audit.Break], tuple[int, str]]:
            return list(audit.verify(conn)), audit.head(conn)

        breaks, (rows, head) = await office.read(look)
        if breaks:
            raise ValueError(" · ".join(of_language(one.text, t.lang) for one in breaks[:BROKEN_SHOWN]))
        return t("audit.whole", n=f"{rows:,}", head=head)

    with Form(t, t("audit.verify"), verify, "verified") as form:
        pass
    return form


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/audit")
    def page(client: Client) -> None:
        question = asked(client.request.query_params, ("who", "subject", "action", "from", "to"))
        since, until = days(question)
        wanted: dict[str, Any] = {name: question.raw[name] or None for name in ("who", "subject", "action")}
        wanted |= {"since": since, "until": until}

        def read() -> Page[audit.Entry]:
            with database.read(office.engine) as conn:
                rows = audit.recent(conn, ROWS, question.offset, **wanted)
                return Page(rows, audit.count(conn, **wanted))

        with frame.page("/audit", client) as t:
            Tag("h1", t("audit.title"))
            Tag("div", t("audit.lead"), "muted")
            with Tag("section", look="panel"):
                _verify(t, office)
            with Tag("section", look="panel"):
                with Tag("form", look="controls", method="get", action="/audit"):
                    field(t("word.who"), "who", question.raw["who"], autofocus="")
                    field(t("audit.action"), "action", question.raw["action"])
                    field(t("audit.subject"), "subject", question.raw["subject"])
                    field(t("sales.from"), "from", question.raw["from"], type="date")
                    field(t("word.until"), "to", question.raw["to"], type="date")
                    submit(t, "/audit")
                if question.problem:
                    Tag("div", t(question.problem), "note failed", role="alert")
                Listing(t, "/audit", question, _columns(t), t("audit.empty"), read)
