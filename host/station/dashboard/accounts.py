"""Accounts, what of their credit lies at which pump, and money that waits for its card."""

import asyncio

from nicegui import ui
from nicegui.client import Client

from station import accounts
from station.accounts import Account, Lease
from station.cards import Load
from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.tables import Column, Table, marked

REFRESH_S = 2.0


def _state(t: Words, row: Account) -> Tag:
    if row.state == accounts.ACTIVE:
        return marked("good", "check_circle", t("accounts.active"))
    return marked("bad", "block", t("accounts.stopped"))


def account_columns(t: Words) -> list[Column[Account]]:
    yuan = f" ({t('unit.yuan')})"
    return [
        Column(t("accounts.number"), lambda r: str(r.account), "num"),
        Column(t("accounts.name"), lambda r: r.name, "strong"),
        Column(t("accounts.state"), lambda r: _state(t, r)),
        Column(t("accounts.limit") + yuan, lambda r: figures.yuan(r.terms.limit_fen), "num"),
        Column(t("accounts.owed") + yuan, lambda r: figures.yuan(r.owed_fen), "num strong"),
        Column(t("accounts.lent") + yuan, lambda r: figures.yuan(r.lent_fen), "num"),
        Column(t("accounts.available") + yuan, lambda r: figures.yuan(r.available_fen), "num strong"),
    ]


class _Leases:
    """The columns of the leases; `pumps`: device -> name, filled in as it is read."""

    def __init__(self, t: Words) -> None:
        self.t = t
        self.pumps: dict[int, str] = {}

    def columns(self) -> list[Column[Lease]]:
        t, yuan = self.t, f" ({self.t('unit.yuan')})"
        return [
            Column(t("accounts.lease"), lambda r: str(r.lease), "num"),
            Column(t("accounts.number"), lambda r: str(r.account), "num"),
            Column(t("accounts.pump"), lambda r: words.pump(t, self.pumps.get(r.device, str(r.device)))),
            Column(t("accounts.how"), self._how),
            Column(t("accounts.amount") + yuan, lambda r: figures.yuan(r.amount_fen), "num"),
            Column(t("accounts.used") + yuan, lambda r: figures.yuan(r.used_fen), "num"),
            Column(t("accounts.fills"), lambda r: f"{r.ended} / {r.count}", "num"),
            Column(t("accounts.until"), lambda r: figures.day_and_clock(r.expires)),
        ]

    def _how(self, row: Lease) -> str:
        return self.t("accounts.how.sale") if row.how == "sale" else self.t("accounts.how.offline")


def load_columns(t: Words) -> list[Column[Load]]:
    return [
        Column(t("cards.number"), lambda r: figures.card(r.card_no), "strong"),
        Column(f"{t('accounts.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("accounts.drawer"), lambda r: r.drawer),
        Column(t("accounts.paid"), lambda r: figures.day_and_clock(r.paid_at)),
    ]


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/accounts")
    def page(client: Client) -> None:
        with frame.page("/accounts", client) as t:
            leases = _Leases(t)
            Tag("h1", t("accounts.title"))
            Tag("div", t("accounts.lead"), "muted")
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("accounts.accounts"))
                of_accounts = Table(t, account_columns(t), t("accounts.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("accounts.leases"))
                of_leases = Table(t, leases.columns(), t("accounts.leases.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("accounts.loads"))
                    Tag("span", t("accounts.loads.lead"), "muted")
                of_loads = Table(t, load_columns(t), t("accounts.loads.empty"))

        async def look() -> None:
            try:
                found = await asyncio.to_thread(frame.hub.source.accounts)
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                for table in (of_accounts, of_leases, of_loads):
                    table.show((), type(error).__name__)
                return
            leases.pumps.update(found.pumps)
            of_accounts.show(found.accounts)
            of_leases.show(found.leases)
            of_loads.show(found.loads)

        ui.timer(REFRESH_S, look)
