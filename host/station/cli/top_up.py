"""`pumpside top-up`, `pumpside loads`: money paid from afar, and what waits for its card."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from station import cards
from station.cards import yuan
from station.cli.card import _fen
from station.cli.common import existing, opened
from station.platform import clock, database

app = typer.Typer(help="远程充值 · top-ups from afar", no_args_is_help=True)


@app.command("top-up")
def top_up(
    number: Annotated[str, typer.Argument(help="16 位卡号 · card number")],
    amount: Annotated[str, typer.Argument(help="金额，元 · yuan")],
    gateway: Annotated[str, typer.Option(help="收款渠道 · the gateway the money came through")] = "wechat",
) -> None:
    """远程充值：已收款，下次在任一油机或柜台刷卡时写入 · Paid from afar: on the card at its next tap.

    例 Example: pumpside top-up 6200000100000012 200 --gateway wechat
    """
    amount_fen = _fen(amount)
    with opened() as (_, engine), database.write(engine) as conn:
        try:
            taken = cards.top_up(conn, cards.parse(number), amount_fen, gateway, clock.now())
        except (cards.LoadError, ValueError) as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None
        typer.echo(f"待写卡 waits for the card: {cards.shown(taken.card_no)} {yuan(taken.amount_fen)} 元")


@app.command()
def loads() -> None:
    """已收款、还没写到卡上的充值 · Loads that are paid for and wait for their cards.

    例 Example: pumpside loads
    """
    with existing() as (_, engine), database.read(engine) as conn:
        waiting = cards.loads_waiting(conn)
        for one in waiting:
            paid = datetime.fromtimestamp(one.paid_at, UTC).astimezone().isoformat(" ", "minutes")
            typer.echo(f"{cards.shown(one.card_no)}  {yuan(one.amount_fen)} 元  {one.drawer}  {paid}")
        if not waiting:
            typer.echo("没有待写卡的充值 no load waits for a card")
