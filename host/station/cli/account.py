"""`pumpside account ...`: customers who buy on account, their credit, and what of it lies at which pump."""

import getpass
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from station import accounts, ledger
from station.accounts import Account, AccountError, Terms
from station.cards import yuan
from station.cli.card import _fen
from station.cli.common import existing, opened
from station.platform import clock, database

app = typer.Typer(help="单位账户：授信、还款、离线份额 · accounts", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="账户编号 · number of the account", min=1)]
Sale = Annotated[str, typer.Option(help="单次最多，元 · most for one fill, yuan")]
Ahead = Annotated[str, typer.Option(help="每台油机离线份额，元，0 为无 · lent ahead to each pump, yuan, 0: nothing")]
Count = Annotated[int, typer.Option(help="离线笔数 · fills without the station")]
Hours = Annotated[int, typer.Option(help="离线小时 · hours without the station")]
STATES = {accounts.ACTIVE: "正常 active", accounts.STOPPED: "停用 stopped"}
HOW = {"sale": "本次加油 sale in hand", "offline": "离线 offline"}


@contextmanager
def _writing() -> Iterator[Connection]:
    """A writer's transaction; what cannot be done is told in words."""
    with opened() as (_, engine):
        try:
            with database.write(engine) as conn:
                yield conn
        except (AccountError, ValueError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


def _yuan(text: str) -> int:
    """Like _fen, but 0 is an amount."""
    return 0 if text.strip().strip("0.") == "" and text.strip() else _fen(text)


@app.command("open")
def open_(
    name: Annotated[str, typer.Argument(help="单位名称 · the customer's name")],
    limit: Annotated[str, typer.Option(help="授信额度，元，0 为预付 · credit line in yuan, 0: prepaid")] = "0",
    sale: Sale = "2000",
    offline: Ahead = "500",
    count: Count = 5,
    hours: Hours = 72,
) -> None:
    """开户；编号即其卡上的单位编号 · Open an account; its number is its cards' company number.

    例 Example: pumpside account open 物流公司 --limit 30000 --offline 500
    """
    terms = Terms(_yuan(limit), _yuan(sale), _yuan(offline), count, hours)
    with _writing() as conn:
        made = accounts.open_account(conn, name, terms, clock.now(), getpass.getuser())
        typer.echo(_line(made))
        typer.echo(f"发卡 issue a card: pumpside card issue --kind account --company {made.account} ...")


@app.command()
def change(
    number: Number,
    limit: Annotated[str, typer.Option(help="授信额度，元 · credit line in yuan")] = "",
    sale: Sale = "",
    offline: Ahead = "",
    count: Count = 0,
    hours: Hours = 0,
) -> None:
    """改额度；已借出的份额到期前不收回 · New terms; what is lent already stays lent until it ends.

    例 Example: pumpside account change 1 --limit 50000 --offline 0
    """
    with _writing() as conn:
        known = _known(conn, number).terms
        terms = Terms(
            _yuan(limit) if limit else known.limit_fen,
            _yuan(sale) if sale else known.sale_fen,
            _yuan(offline) if offline else known.offline_fen,
            count or known.offline_count,
            hours or known.offline_hours,
        )
        typer.echo(_line(accounts.change(conn, number, terms, clock.now(), getpass.getuser())))


@app.command("list")
def list_accounts() -> None:
    """列出账户 · All accounts.

    例 Example: pumpside account list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        found = accounts.listing(conn)
        for one in found:
            typer.echo(_line(one))
        if not found:
            typer.echo("还没有账户 there is no account yet: pumpside account open NAME --limit 30000")


@app.command()
def show(number: Number) -> None:
    """账户余额与各油机手中的份额 · What an account owes, and what of it lies at which pump.

    例 Example: pumpside account show 1
    """
    with existing() as (_, engine), database.read(engine) as conn:
        try:
            known = _known(conn, number)
        except AccountError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        typer.echo(_line(known))
        for lease in accounts.leases(conn, number):
            end = datetime.fromtimestamp(lease.expires, UTC).astimezone().isoformat(" ", "minutes")
            typer.echo(
                f"  份额 lease {lease.lease}  油机 device {lease.device}  {HOW[lease.how]}  "
                f"{yuan(lease.amount_fen)} 元，已用 used {yuan(lease.used_fen)}，至 until {end}"
            )


@app.command()
def pay(
    number: Number,
    amount: Annotated[str, typer.Argument(help="金额，元 · yuan")],
    drawer: Annotated[str, typer.Option(help="收款钱箱 · the drawer the money goes into")] = "desk",
) -> None:
    """还款或预付 · The account pays.

    例 Example: pumpside account pay 1 5000
    """
    amount_fen = _fen(amount)
    with _writing() as conn:
        place, key = ledger.place_typed(drawer), secrets.token_hex(8)
        paid = accounts.pay(conn, number, amount_fen, place, key, clock.now(), getpass.getuser())
        typer.echo(_line(paid))


@app.command()
def stop(number: Number, why: Annotated[str, typer.Option(help="原因 · why")] = "") -> None:
    """停用：油机下次问到即拒绝，离线份额用完为止 · Refused from the next question on; leases out run to their end.

    例 Example: pumpside account stop 1 --why 欠款
    """
    with _writing() as conn:
        typer.echo(_line(accounts.set_state(conn, number, accounts.STOPPED, clock.now(), getpass.getuser(), why)))


@app.command()
def resume(number: Number) -> None:
    """恢复 · The account is good again.

    例 Example: pumpside account resume 1
    """
    with _writing() as conn:
        typer.echo(_line(accounts.set_state(conn, number, accounts.ACTIVE, clock.now(), getpass.getuser())))


@app.command("give-up")
def give_up(
    lease: Annotated[int, typer.Argument(help="份额编号 · number of the lease", min=1)],
    second: Annotated[str, typer.Option(help="第二核定人 · the second person who decides")],
    why: Annotated[str, typer.Option(help="原因 · the reason")],
) -> None:
    """油机报废，收回其手中的份额 · Take back a lease from a pump that is gone for good.

    例 Example: pumpside account give-up 17 --second 李四 --why 雷击
    """
    with _writing() as conn:
        given = accounts.give_up(conn, lease, (getpass.getuser(), second), why, clock.now())
        typer.echo(f"已收回 taken back: {yuan(given.amount_fen - given.used_fen)} 元")


def _known(conn: Connection, number: int) -> Account:
    found = accounts.account(conn, number)
    if found is None:
        raise AccountError(f"没有账户 {number} there is no such account")
    return found


def _line(one: Account) -> str:
    return (
        f"{one.account}  {one.name}  {STATES[one.state]}  额度 limit {yuan(one.terms.limit_fen)}  "
        f"欠 owed {yuan(one.owed_fen)}  借出 lent {yuan(one.lent_fen)}  可用 available {yuan(one.available_fen)} 元"
    )
