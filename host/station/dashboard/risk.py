"""Risk: what the rules found and what became of it; the rules themselves, each change a version (R1, R2)."""

from nicegui import ui
from nicegui.client import Client

from station import cards, risk, texts
from station.dashboard import figures
from station.dashboard.asked import ROWS, asked
from station.dashboard.dom import Tag, Words
from station.dashboard.filters import choice, field, submit
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.lists import Listing
from station.dashboard.office import Office, person_of
from station.dashboard.source import Page
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database
from station.platform.database import Connection
from station.risk import Case

REFRESH_S = 3.0
MOST_OF_ONE = 100  # findings shown of one card or person
LOOKS = {
    "told": ("", "notifications"), "open": ("warn", "pending"), "cleared": ("good", "check_circle"),
    "confirmed": ("bad", "error"),
}  # fmt: skip


def figure(metric: str, value: int, lang: str) -> str:
    """What a rule measured or allows, with its unit."""
    shown = figures.yuan(value) if metric == "amount" else f"{value:,}"
    return f"{shown} {texts.risk_unit(metric, lang)}"


def subject(t: Words, name: str) -> str:
    """A card number in groups of four, a member of staff by name."""
    staff = name.removeprefix(risk.staff_subject(""))
    return t("risk.staff", name=staff) if staff != name else figures.card(name)


def _state(t: Words, case: Case) -> Tag:
    return marked(*LOOKS[case.state], texts.risk_state(case.state, t.lang))


class _Cases:
    """The columns of findings; `metrics`: rule -> what it measures, filled in as it is read."""

    def __init__(self, t: Words) -> None:
        self.t = t
        self.metrics: dict[str, str] = {}

    def learn(self, conn: Connection) -> None:
        self.metrics = {rule.name: rule.metric for rule in risk.rules(conn)}

    def columns(self, deciding: bool) -> list[Column[Case]]:
        t = self.t

        def decided(row: Case) -> str:
            return f"{row.decided_by} · {row.why}" if row.decided_by else ""

        every: list[Column[Case]] = [
            Column("", lambda r: f"{r.id}", "num muted"),
            Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
            Column(t("risk.state"), lambda r: _state(t, r)),
            Column(t("risk.rule"), lambda r: texts.risk_rule(r.rule, t.lang), "strong"),
            Column(t("risk.subject"), lambda r: Tag("a", subject(t, r.subject), href=f"/risk?subject={r.subject}")),
            Column(t("risk.found"), lambda r: figure(self.metrics.get(r.rule, ""), r.value, t.lang), "num strong"),
            Column(t("risk.limit"), lambda r: figure(self.metrics.get(r.rule, ""), r.over, t.lang), "num"),
            Column(t("risk.action"), lambda r: texts.risk_action(r.action, t.lang)),
            Column(t("risk.decided"), decided, "wrap"),
        ]
        if deciding:
            every.append(Column("", self._decide))
        return every

    def _decide(self, row: Case) -> Tag:
        return Tag("a", self.t("risk.decide") if row.decided_at is None else "", href=f"/risk/case?id={row.id}")


def _queue(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ("state", "rule", "subject"))
    raw = question.raw
    state = raw["state"] if raw["state"] in LOOKS else None
    with database.read(office.engine) as conn:
        rules = [rule.name for rule in risk.rules(conn)]
    with frame.page("/risk", client) as t:
        shown = _Cases(t)

        def read() -> Page[Case]:
            with database.read(office.engine) as conn:
                shown.learn(conn)
                rows = risk.cases(conn, ROWS, question.offset, state=state, rule=raw["rule"], subject=raw["subject"])
                return Page(rows, risk.case_count(conn, state, rule=raw["rule"], subject=raw["subject"]))

        Tag("h1", t("risk.title"))
        Tag("div", t("risk.lead"), "muted")
        with Tag("section", look="panel"):
            with Tag("form", look="controls", method="get", action="/risk"):
                states = [("", t("word.all")), *((one, texts.risk_state(one, t.lang)) for one in LOOKS)]
                choice(t("risk.state"), "state", raw["state"], states)
                names = [("", t("word.all")), *((one, texts.risk_rule(one, t.lang)) for one in rules)]
                choice(t("risk.rule"), "rule", raw["rule"], names)
                field(t("risk.subject"), "subject", raw["subject"])
                submit(t, "/risk")
            Listing(t, "/risk", question, shown.columns(True), t("risk.empty"), read)


def _case(frame: Frame, office: Office, client: Client) -> None:
    number, person = client.request.query_params.get("id", ""), person_of(client)
    try:
        with database.read(office.engine) as conn:
            found = risk.case(conn, int(number) if number.isdecimal() and len(number) < 10 else 0)
    except ValueError:
        ui.navigate.to("/risk")
        return
    with frame.page("/risk", client) as t:
        Tag("h1", f"{t('risk.case', id=found.id)} · {subject(t, found.subject)}")

        async def decide(_: str) -> str:
            done = await office.write(
                lambda conn: cards.review(conn, found.id, verdict.value, person.name, clock.now(), why.value)
            )
            await look()
            return t("risk.done", state=texts.risk_state(done.state, t.lang))

        shown = _Cases(t)
        if found.decided_at is None:
            with Tag("section", look="panel"), Form(t, t("risk.go"), decide, "gavel"):
                words = {one: t(f"risk.verdict.{one}") for one in cards.VERDICTS}
                verdict = Choice(t("risk.verdict"), words, autofocus="")
                why = Field(t("word.why"), maxlength="200", size="40")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("risk.trail"))
                Tag("a", t("word.back"), href="/risk")
            table = Table(t, shown.columns(False), t("risk.empty"))

    def read(conn: Connection) -> list[Case]:
        shown.learn(conn)
        return risk.cases(conn, MOST_OF_ONE, subject=found.subject)

    async def look() -> None:
        try:
            table.show(await office.read(read))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/risk")
    def queue(client: Client) -> None:
        _queue(frame, office, client)

    @ui.page("/risk/case")
    def case(client: Client) -> None:
        _case(frame, office, client)
