"""Puts the pages onto the station's FastAPI application."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui

from station.dashboard import (
    accounts,
    audit,
    bench,
    books,
    desk_pages,
    export,
    fleet_rules,
    fleet_statements,
    fleet_vehicles,
    fleets,
    forecourt,
    issued,
    lists,
    meter,
    network,
    parameters,
    payments,
    risk,
    risk_rules,
    shifts,
    staff,
    statements,
    tanks,
    till,
    till_day,
    till_refunds,
    till_shift,
)  # fmt: skip
from station.dashboard.frame import Frame
from station.dashboard.hub import Hub
from station.dashboard.office import Office
from station.dashboard.source import Source
from station.forecourt import LiveBoard

# Modules with register(frame, office): pages over the database itself.
OFFICE: tuple[Any, ...] = (
    desk_pages,
    payments,
    statements,
    network,
    books,
    audit,
    risk,
    risk_rules,
    parameters,
    staff,
    fleets,
    fleet_vehicles,
    fleet_rules,
    fleet_statements,
    till,
    till_shift,
    till_refunds,
    till_day,
)

RECONNECT_S = 30.0  # a page that lost its line for so long goes on where it was, without a reload
STATIC = Path(__file__).parent / "static"


def build(app: FastAPI, source: Source, bench_url: str | None, office: Office | None = None) -> Hub:
    """Registers all pages over `source`. bench_url: the bench service, None where no pump is simulated; office: what
    the office's pages work on, None to leave them out."""
    hub = Hub(source)
    frame = Frame(hub, bench_url is not None)
    pages.add_static_files("/static", STATIC)
    style = (STATIC / "pumpside.css").read_text(encoding="utf-8")
    ui.add_head_html(f"<style>{style}</style>", shared=True)
    forecourt.register(frame)
    lists.register(frame)
    tanks.register(frame)
    meter.register(frame)
    shifts.register(frame)
    accounts.register(frame)
    issued.register(frame)
    export.register(app, source)
    for part in OFFICE if office is not None else ():
        part.register(frame, office)
    if bench_url is not None:
        bench.register(frame, bench_url)
    ui.run_with(
        app,
        title="Pumpside",
        language="zh-CN",
        dark=None,
        tailwind=False,
        binding_refresh_interval=None,
        show_welcome_message=False,
        reconnect_timeout=RECONNECT_S,
        favicon=STATIC / "favicon.svg",
    )
    return hub


def mount(app: FastAPI, office: Office, live: LiveBoard) -> None:
    """What the station calls: pages over the real database and the live board."""
    from station.dashboard.reads import StationSource

    settings = office.settings
    build(app, StationSource(live, office.engine), settings.bench_url if settings.bench else None, office)
