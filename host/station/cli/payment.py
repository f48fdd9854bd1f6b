"""`pumpside payment ...`: payments by code, refunds, the gateways' statements."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import segno
import typer

from station import cards, payments
from station import tills as tills  # says what is done with money for bills
from station.cards import yuan
from station.cli.common import clock_of, existing, opened, told_plainly
from station.payments import Payment
from station.platform import clock, database, parameters, typed
from station.platform.secrets import Secrets

app = typer.Typer(help="扫码收款、退款、渠道对账 · payments by code", no_args_is_help=True)

OrderNo = Annotated[str, typer.Argument(metavar="ORDER", help="订单号 · order number")]
STATES = {"made": "待付款 open", "paid": "已付款 paid", "closed": "已关闭 closed", "failed": "渠道拒绝 refused"}
KINDS = {
    "missing_here": "渠道有本站无 theirs, not ours", "missing_there": "本站有渠道无 ours, not theirs",
    "amount": "金额不符 amounts differ", "twice": "重复列出 on two lines",
}  # fmt: skip


@contextmanager
def _told() -> Iterator[None]:
    """What a gateway or a rule refuses is told in one line."""
    try:
        with told_plainly():
            yield
    except payments.GatewayError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _line(one: Payment) -> str:
    waits = f"  {one.waits}" if one.waits else ""
    state = f"{STATES[one.state]}{waits}"
    return f"{one.order_no}  {clock_of(one.made_at)}  {one.gateway}  {yuan(one.amount_fen)} 元  {one.purpose}  {state}"


@app.command()
def gateways() -> None:
    """本站的支付渠道 · The gateways of this station, and what is wrong with their settings.

    例 Example: pumpside payment gateways
    """
    with existing() as (settings, _):
        found = payments.gateways(settings.data_dir)
    for name, one in found.ready.items():
        typer.echo(f"{name}  {one.title[0]} {one.title[1]}")
    for name, why in found.faults.items():
        typer.echo(f"{name}  设置有误 settings are wrong: {why}", err=True)
    if not found.ready and not found.faults:
        typer.echo("没有支付渠道 no gateway: docs/payments.md")


@app.command("list")
def listing(
    state: Annotated[str, typer.Option(help="made、paid、waiting、closed、failed")] = "",
    search: Annotated[str, typer.Option(help="单号或用途 · number or purpose")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="行数 · rows")] = 50,
) -> None:
    """收款，新的在前；waiting 为已付款待入账 · Payments, newest first; waiting: paid and not placed yet.

    例 Example: pumpside payment list --state waiting
    """
    with existing() as (_, engine), database.read(engine) as conn:
        found = payments.listing(conn, limit, state=state, search=search)
        for one in found:
            typer.echo(_line(one))
        if not found:
            typer.echo("没有这样的收款 no such payment")


@app.command()
def ask(
    card: Annotated[str, typer.Argument(help="卡号 · card number")],
    amount: Annotated[str, typer.Argument(help="金额，元 · yuan")],
    gateway: Annotated[str, typer.Option(help="支付渠道 · gateway")] = "wechat",
) -> None:
    """为卡充值收款，在终端显示付款码 · Ask for a top-up; the code is shown in the terminal.

    例 Example: pumpside payment ask 6200000100000012 200 --gateway alipay
    """
    with _told(), opened() as (settings, engine):
        ready = payments.gateways(settings.data_dir).ready
        if gateway not in ready:
            raise ValueError(f"本站没有这个支付渠道 this station has no such gateway: {gateway}")
        purpose = payments.loads.purpose(cards.parse(card))
        with database.write(engine) as conn:
            made = payments.make(conn, gateway, purpose, typed.fen(amount), getpass.getuser(), clock.now())
        shown = payments.present(engine, ready, made.order_no, clock.now())
        segno.make(shown.code, error="m").terminal(compact=True)
        typer.echo(_line(shown))


@app.command()
def show(order_no: OrderNo) -> None:
    """一笔收款的经过与退款 · What happened to a payment, and its refunds.

    例 Example: pumpside payment show P2611222103059f3a61c07b
    """
    with existing() as (_, engine), database.read(engine) as conn, _told():
        typer.echo(_line(payments.known(conn, order_no)))
        for event in payments.events(conn, order_no):
            typer.echo(f"  {clock_of(event.at)}  {event.event}  {event.by}  {event.detail}")
        for one in payments.of_payment(conn, order_no):
            typer.echo(f"  退款 refund {one.refund_no}  {yuan(one.amount_fen)} 元  {one.state}  {one.by}  {one.why}")


@app.command()
def look(
    order_no: OrderNo,
    call_off: Annotated[bool, typer.Option("--call-off", help="未付则取消 · close it if it is not paid")] = False,
) -> None:
    """向渠道查询一笔收款 · Ask the gateway how a payment stands.

    例 Example: pumpside payment look P2611222103059f3a61c07b --call-off
    """
    with _told(), opened() as (settings, engine):
        ready = payments.gateways(settings.data_dir).ready
        typer.echo(_line(payments.look(engine, ready, order_no, clock.now(), call_off)))


@app.command()
def refund(
    order_no: OrderNo,
    amount: Annotated[str, typer.Argument(help="金额，元 · yuan")],
    why: Annotated[str, typer.Option(help="原因 · why")],
    second: Annotated[str, typer.Option(help="复核人（超限额时）· second person, above the cap")] = "",
) -> None:
    """把没有去处的款项原路退回 · Give back what came in and was not placed.

    例 Example: pumpside payment refund P2611222103059f3a61c07b 200 --why 顾客付了两次
    """
    with _told(), opened() as (settings, engine):
        fen, by, now = typed.fen(amount), getpass.getuser(), clock.now()
        with database.read(engine) as conn:
            cap_fen = parameters.value(conn, "cap.refund")
        proof = None
        if second:
            password = getpass.getpass("复核人密码 password of the second person: ")
            proof = cards.Second(second, password, getpass.getpass("动态码（可空）one-time code, if any: "))
        secrets = Secrets.load(settings.secrets_path)
        cards.cleared(engine, secrets, by, proof, fen, cap_fen, f"refund {order_no}", now)
        with database.write(engine) as conn:
            made = payments.refund(conn, order_no, fen, None, by, why, now)
        typer.echo(f"已发起退款，由运行中的油站完成 asked for; the running station carries it out: {made.refund_no}")


@app.command()
def reconcile(
    gateway: Annotated[str, typer.Argument(help="支付渠道 · gateway")],
    day: Annotated[str, typer.Argument(help="账单日 · day, as 2026-11-21")],
) -> None:
    """取一天的渠道账单并逐笔核对；有差异退出码为 1 · Fetch and compare a day's statement; exit code 1: it differs.

    例 Example: pumpside payment reconcile wechat 2026-11-21
    """
    with _told(), opened() as (settings, engine):
        ready = payments.gateways(settings.data_dir).ready
        if gateway not in ready:
            raise ValueError(f"本站没有这个支付渠道 this station has no such gateway: {gateway}")
        found = payments.fetch(engine, ready[gateway], day, getpass.getuser(), clock.now())
        typer.echo(
            f"{found.gateway} {found.day}  相符 agree {found.matched}  本站 ours {yuan(found.ours_fen)} 元  "
            f"渠道 theirs {yuan(found.theirs_fen)} 元"
        )
        for one in found.differences:
            name = f"{one.order_no} {one.refund_no}".rstrip()
            typer.echo(f"  {KINDS[one.kind]}  {name}  {yuan(one.ours_fen)} ≠ {yuan(one.theirs_fen)}")
        if found.differences:
            raise typer.Exit(1)
