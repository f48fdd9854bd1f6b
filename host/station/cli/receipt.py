"""`pumpside receipt` and `pumpside portal`: the customers' receipts, by hand and as a page of their own."""

from datetime import UTC, datetime, timedelta

import typer
import uvicorn

from station import sales, texts
from station.cli.common import existing, opened, told_plainly
from station.platform import logs
from station.platform.database import DatabaseError
from station.platform.secrets import Secrets, SecretsError
from station.platform.settings import load

app = typer.Typer(help="电子小票 · receipts", no_args_is_help=True)
receipt = typer.Typer(help="电子小票核验 · receipts", no_args_is_help=True)
app.add_typer(receipt, name="receipt")

_BOOKS = {
    "agrees": "与账目一致 · the books agree",
    "missing": "尚未入账 · not in the books yet",
    "differs": "与账目不符 · the books differ",
}


@receipt.command("verify")
def verify(text: str = typer.Argument(help="小票码或整个网址 · the receipt's text, or the whole address")) -> None:
    """脱机核验小票签名（有数据库时并对账）；无效时退出码 1 · Verify a receipt offline, and against the books if there.

    例 Example: pumpside receipt verify HTTP://127.0.0.1:8082/R/CIAAZ5E...
    """
    with told_plainly():
        settings = load()
        if not settings.secrets_path.exists():
            raise SecretsError(f"没有密钥文件 · no secrets at {settings.secrets_path}")
        shown = sales.read_receipt(text, Secrets.load(settings.secrets_path))
    if shown is None:
        typer.echo("这不是加油小票 · this is not a receipt", err=True)
        raise typer.Exit(1)
    if not shown.genuine:
        typer.echo("签名无效 · not genuine: no pump of this station made this receipt", err=True)
        raise typer.Exit(1)
    at = datetime.fromtimestamp(shown.at, UTC) + timedelta(hours=8)
    typer.echo("签名有效 · genuine")
    typer.echo(f"  {shown.amount_fen // 100}.{shown.amount_fen % 100:02d} 元  {texts.grade(shown.grade)}")
    typer.echo(f"  {shown.volume_ml} ml × {shown.price_fen_per_l / 100:.2f} 元/L")
    typer.echo(f"  {at:%Y-%m-%d %H:%M:%S}  {shown.device}-{shown.seq}")
    try:
        with existing() as (_, engine), engine.connect() as conn:
            books = sales.in_the_books(conn, shown)
    except (typer.Exit, DatabaseError):
        return
    typer.echo(f"  {_BOOKS[books]}")
    if books == "differs":
        raise typer.Exit(1)


@app.command("portal")
def portal() -> None:
    """给顾客手机的小票页面 · Serve the receipts' page to customers' phones.

    例 Example: PUMPSIDE_PORTAL_HOST=0.0.0.0 PUMPSIDE_PORTAL_URL=http://192.168.1.10:8082 pumpside portal
    """
    from station.portal import create_app

    with told_plainly():
        with opened() as (settings, _):
            logs.configure(settings.log_level, "portal")
        uvicorn.run(
            create_app(settings),
            host=settings.portal_host,
            port=settings.portal_port,
            log_level="warning",
            timeout_graceful_shutdown=3,
            server_header=False,
            limit_concurrency=64,
        )
