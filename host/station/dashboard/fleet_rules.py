"""One company's rules (for itself, a part or a vehicle) and its price agreements, each with its versions."""

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import fleets, texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.filters import choice, submit
from station.dashboard.fleet_frame import HOME, REFRESH_S, address, company_page, keyed
from station.dashboard.fleet_vehicles import litres
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table
from station.platform import database, typed

# Rules that are sums: name of the field in fleets.Rules and how it is typed and shown.
SUMS = ("fill_ml", "fill_fen", "day_ml", "day_fen", "day_fills", "month_ml", "month_fen", "odometer_km")


def _shown(t: Words, name: str, value: int) -> str:
    if not value:
        return ""
    if name.endswith("_fen"):
        return figures.yuan(value)
    return figures.litres(value) if name.endswith("_ml") else str(value)


def _whole(t: Words, rules: fleets.Rules) -> str:
    """All that is demanded, in one line."""
    said = [
        f"{t('fleets.rule.' + name)} {_shown(t, name, value)} {_unit(t, name)}".strip()
        for name in SUMS
        if (value := getattr(rules, name))
    ]
    if rules.grades:
        said.append(f"{t('fleets.rule.grades')} {', '.join(texts.grade(one, t.lang) for one in rules.grades)}")
    if rules.stations:
        said.append(f"{t('fleets.rule.stations')} {', '.join(map(str, rules.stations))}")
    if rules.hours:
        said.append(f"{t('fleets.rule.hours')} {', '.join(map(str, rules.hours))}")
    said += [t(f"fleets.rule.{name}") for name in ("only_listed", "needs_driver") if getattr(rules, name)]
    return " · ".join(said) or t("fleets.rules.no")


def _unit(t: Words, name: str) -> str:
    if name.endswith("_fen"):
        return t("unit.yuan")
    return t("unit.litre") if name.endswith("_ml") else "km" if name.endswith("_km") else ""


def _versions(t: Words) -> list[Column[fleets.Version]]:
    return [
        Column(t("rules.version"), lambda r: str(r.version), "num"),
        Column(t("fleets.rules"), lambda r: _whole(t, r.rules), "wrap"),
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("word.who"), lambda r: r.by),
        Column(t("word.why"), lambda r: r.why, "wrap"),
    ]


def _prices(t: Words) -> list[Column[fleets.Agreement]]:
    return [
        Column(t("rules.version"), lambda r: str(r.version), "num"),
        Column(t("sales.grade"), lambda r: texts.grade(r.grade, t.lang), "strong"),
        Column(t("fleets.price.kind"), lambda r: t(f"fleets.price.{r.kind}")),
        Column(t("unit.price"), lambda r: figures.yuan(r.fen_per_l), "num strong"),
        Column(t("fleets.since"), lambda r: figures.day_and_clock(r.since)),
        Column(t("fleets.until"), lambda r: figures.day_and_clock(r.until)),
        Column(t("word.who"), lambda r: r.by),
        Column(t("word.why"), lambda r: r.why, "wrap"),
    ]


def _subjects(conn: Connection, number: int) -> list[tuple[str, str]]:
    units = [(fleets.of_unit(one), fleets.unit(conn, one).name) for one in fleets.tree(conn, number)]
    return units + [(fleets.of_vehicle(one.id), one.plate) for one in fleets.vehicles_of(conn, number)]


def _page(frame: Frame, office: Office, client: Client, number: int) -> None:
    person = person_of(client).name
    with company_page(frame, office, client, number, "rules") as (t, company):
        if company is None:
            return
        with database.read(office.engine) as conn:
            subjects = _subjects(conn, number)
            subject = client.request.query_params.get("subject", "")
            subject = subject if subject in dict(subjects) else fleets.of_unit(number)
            old = fleets.rules(conn, subject)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.rules.of", name=dict(subjects)[subject]))
                Tag("span", t("fleets.rules.lead"), "muted")
            with Tag("form", look="controls", method="get"):
                choice(t("fleets.rules.whose"), "subject", subject, subjects)
                submit(t, address(number, "rules"))
            versions = Table(t, _versions(t), t("fleets.rules.empty"))
        _rules_form(t, office, person, subject, old)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.prices"))
                Tag("span", t("fleets.prices.lead"), "muted")
            prices = Table(t, _prices(t), t("fleets.prices.empty"))
            _price_form(t, office, person, number)

    async def look() -> None:
        try:
            versions.show(await office.read(lambda conn: fleets.versions(conn, subject)))
            prices.show(await office.read(lambda conn: fleets.agreements(conn, number)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            versions.show((), type(error).__name__)
            prices.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def _typed(name: str, text: str) -> int:
    if name.endswith("_fen"):
        return typed.fen(text or "0")
    if name.endswith("_ml"):
        return litres(text)
    return typed.scaled(text or "0", 1, 1_000_000, "须为整数 a whole number is wanted")


def _rules_form(t: Words, office: Office, person: str, subject: str, old: fleets.Rules) -> None:
    async def save(key: str) -> str:
        new = fleets.Rules(
            **{name: _typed(name, field.value) for name, field in sums.items()},
            grades=tuple(code for code, field in grades.items() if field.value),
            stations=typed.numbers(stations.value),
            hours=typed.hours(hours.value),
            only_listed=bool(listed.value),
            needs_driver=bool(driver.value),
        )

        def do(conn: Connection) -> None:
            what = f"rules {subject} {new} {why.value}"
            keyed(conn, key, what, lambda now: fleets.set_rules(conn, subject, new, person, why.value, now))

        await office.write(do)
        why.set("")
        return t("fleets.rules.done")

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("fleets.rules.change"))
        with Form(t, t("fleets.rules.go"), save, "rule"):
            sums = {
                name: Field(
                    f"{t('fleets.rule.' + name)} {_unit(t, name) and '(' + _unit(t, name) + ')'}",
                    _shown(t, name, getattr(old, name)),
                    inputmode="decimal",
                )
                for name in SUMS
            }
            first, last = (old.hours[0], old.hours[-1] + 1) if old.hours else ("", "")
            hours = Field(t("fleets.rule.hours"), f"{first}-{last}" if old.hours else "", hint="6-22")
            stations = Field(t("fleets.rule.stations"), ",".join(map(str, old.stations)), hint="1,5")
            grades = {
                code: Field(texts.grade(code, t.lang), "1" if code in old.grades else "", "checkbox")
                for code in texts.GRADES
            }
            listed = Field(t("fleets.rule.only_listed"), "1" if old.only_listed else "", "checkbox")
            driver = Field(t("fleets.rule.needs_driver"), "1" if old.needs_driver else "", "checkbox")
            why = Field(t("word.why"), maxlength="200", size="30")


def _price_form(t: Words, office: Office, person: str, number: int) -> None:
    async def agree(key: str) -> str:
        fen = typed.fen(price.value)

        def do(conn: Connection) -> None:
            def begin(now: int) -> None:
                start = typed.day(since.value) if since.value else now
                end = typed.day(until.value, 1) if until.value else 0
                fleets.agree(conn, number, int(grade.value), kind.value, fen, start, end, person, why.value, now)

            keyed(conn, key, f"price {number} {grade.value} {kind.value} {fen} {since.value} {until.value}", begin)

        await office.write(do)
        why.set("")
        return t("fleets.price.done")

    with Form(t, t("fleets.price.go"), agree, "sell"):
        grade = Choice(t("sales.grade"), {str(code): texts.grade(code, t.lang) for code in texts.GRADES})
        kinds = {one: t(f"fleets.price.{one}") for one in (fleets.DISCOUNT, fleets.FIXED)}
        kind = Choice(t("fleets.price.kind"), kinds)
        price = Field(t("unit.price"), inputmode="decimal")
        since = Field(t("fleets.since"), kind="date")
        until = Field(t("word.until"), kind="date")
        why = Field(t("word.why"), maxlength="200", size="30")


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page(HOME + "/{company}/rules")
    def rules(client: Client, company: int) -> None:
        _page(frame, office, client, company)
