"""`pumpside init`, `ingest` and `web`: the station's own processes, each also alone."""

import signal

import typer
import uvicorn

from station.cli.common import opened, told_plainly
from station.platform import logs
from station.platform.secrets import Secrets

app = typer.Typer()


@app.command("init")
def init() -> None:
    """建立或升级数据库，登记油机、油罐与首份油价 · Set up or upgrade the database; safe to repeat.

    例 Example: PUMPSIDE_DATA_DIR=./var pumpside init
    """
    with opened() as (settings, engine):
        Secrets.load(settings.secrets_path)
        typer.echo(f"就绪 · ready: {engine.url.render_as_string(hide_password=True)}")


@app.command("ingest")
def ingest() -> None:
    """接收油机记录并记账 · Take the pumps' records from the broker into the database.

    例 Example: pumpside ingest
    """
    from station.mqtt.card_watch import CardWatch
    from station.mqtt.night_watch import NightWatch
    from station.mqtt.service import IngestService

    with opened() as (settings, engine):
        logs.configure(settings.log_level, "ingest")
        service = IngestService(settings, Secrets.load(settings.secrets_path), engine)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: service.stop())
        with CardWatch(engine), NightWatch(engine):
            service.run()


@app.command("web")
def web() -> None:
    """看板与接口 · Serve the dashboard and the API.

    例 Example: PUMPSIDE_HTTP_PORT=8080 pumpside web
    """
    from station.api import create_app

    with told_plainly():
        with opened() as (settings, _):
            logs.configure(settings.log_level, "web")
        uvicorn.run(
            create_app(settings),
            host=settings.http_host,
            port=settings.http_port,
            log_level="warning",
            timeout_graceful_shutdown=3,
            server_header=False,
        )
