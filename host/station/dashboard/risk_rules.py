"""The rules of risk: what each measures and allows, its versions, and a new version with a reason (R1)."""

from dataclasses import replace

from nicegui import ui
from nicegui.client import Client

from station import risk, texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.risk import figure
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database, typed
from station.platform.database import Connection
from station.risk import RuleVersion

REFRESH_S = 3.0
_MOST = 1_000_000_000


def _rule_columns(t: Words) -> list[Column[RuleVersion]]:
    def on(row: RuleVersion) -> Tag:
        return (
            marked("good", "check_circle", t("rules.on")) if row.rule.on else marked("muted", "block", t("rules.off"))
        )

    return [
        Column(t("rules.metric"), lambda r: texts.risk_metric(r.rule.metric, t.lang)),
        Column(t("risk.limit"), lambda r: figure(r.rule.metric, r.rule.over, t.lang), "num strong"),
        Column(t("rules.window"), lambda r: f"{r.rule.window_s:,}", "num"),
        Column(t("rules.quiet"), lambda r: f"{r.rule.quiet_s:,}", "num"),
        Column(t("risk.action"), lambda r: texts.risk_action(r.rule.action, t.lang)),
        Column(t("risk.state"), on),
        Column(t("rules.version"), lambda r: f"{r.version}" if r.version else t("rules.initial"), "num"),
        Column(t("word.who"), lambda r: r.by),
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("word.why"), lambda r: r.why, "wrap"),
    ]


def _name_column(t: Words) -> Column[RuleVersion]:
    return Column(t("risk.rule"), lambda r: texts.risk_rule(r.rule.name, t.lang), "strong")


def _change_column(t: Words) -> Column[RuleVersion]:
    return Column("", lambda r: Tag("a", t("rules.edit"), href=f"/risk/rules/change?name={r.rule.name}"))


def _in_force(conn: Connection) -> list[RuleVersion]:
    return [risk.rule_versions(conn, rule.name)[0] for rule in risk.rules(conn)]


def _whole(text: str) -> int:
    return typed.scaled(text, 1, _MOST, "须为整数 a whole number is wanted")


def _change(frame: Frame, office: Office, client: Client) -> None:
    name, person = client.request.query_params.get("name", ""), person_of(client)
    with database.read(office.engine) as conn:
        old = next((rule for rule in risk.rules(conn) if rule.name == name), None)
    if old is None:
        ui.navigate.to("/risk/rules")
        return
    money = old.metric == "amount"
    with frame.page("/risk/rules", client) as t:
        Tag("h1", t("rules.change", name=texts.risk_rule(name, t.lang)))

        async def change(_: str) -> str:
            rule = replace(
                old,
                over=typed.fen(over.value) if money else _whole(over.value),
                window_s=_whole(window.value),
                quiet_s=_whole(quiet.value),
                action=action.value,
                on=on.value == "on",
            )
            version = await office.write(lambda conn: risk.set_rule(conn, rule, person.name, clock.now(), why.value))
            why.set("")
            await look()
            return t("rules.done", n=version)

        with Tag("section", look="panel"), Form(t, t("rules.save"), change, "save"):
            unit, now = texts.risk_unit(old.metric, t.lang), figures.yuan(old.over) if money else str(old.over)
            over = Field(f"{t('risk.limit')} ({unit})", now, inputmode="decimal", autofocus="")
            window = Field(t("rules.window"), str(old.window_s), inputmode="numeric")
            quiet = Field(t("rules.quiet"), str(old.quiet_s), inputmode="numeric")
            actions = {one: texts.risk_action(one, t.lang) for one in (risk.ALERT, risk.HOLD, risk.BLOCK)}
            action = Choice(t("risk.action"), actions, old.action)
            on = Choice(t("risk.state"), {"on": t("rules.on"), "off": t("rules.off")}, "on" if old.on else "off")
            why = Field(t("word.why"), maxlength="200", size="40")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("rules.history"))
                Tag("a", t("word.back"), href="/risk/rules")
            table = Table(t, _rule_columns(t), "")

    async def look() -> None:
        try:
            table.show(await office.read(lambda conn: risk.rule_versions(conn, name)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/risk/rules")
    def rules(client: Client) -> None:
        with frame.page("/risk/rules", client) as t:
            Tag("h1", t("rules.title"))
            Tag("div", t("rules.lead"), "muted")
            with Tag("section", look="panel"):
                table = Table(t, [_name_column(t), *_rule_columns(t), _change_column(t)], t("risk.empty"))

        async def look() -> None:
            try:
                table.show(await office.read(_in_force))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)

        ui.timer(REFRESH_S, look)

    @ui.page("/risk/rules/change")
    def change(client: Client) -> None:
        _change(frame, office, client)
