"""`pumpside till ...`: tills and their drawers, goods, bills, refunds, invoices, the day close."""

import getpass
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Connection, Engine

from station import cards, tills
from station.cards import Second, yuan
from station.cli.common import clock_of, existing
from station.cli.sales import in_columns, litres
from station.platform import clock, database, typed
from station.platform.secrets import Secrets
from station.tills import Bill, FuelWanted, GoodsWanted, Payment

app = typer.Typer(help="收银台：开交班、收款、退款、发票、日结 · tills", no_args_is_help=True)
goods_app = typer.Typer(help="便利店商品 · shop goods", no_args_is_help=True)
app.add_typer(goods_app, name="goods")

Till = Annotated[str, typer.Argument(help="收银台代号 · the till's name")]
Yuan = Annotated[str, typer.Argument(help="金额，元 · yuan")]
By = Annotated[str, typer.Option("--by", help="经办人 · who does it", default_factory=getpass.getuser)]
Why = Annotated[str, typer.Option("--why", help="原因 · the reason")]
SecondName = Annotated[str, typer.Option("--second", help="复核人，密码随后输入 · who signs; asked for a password")]
Code = Annotated[str, typer.Argument(help="商品编码 · code of the goods")]
STATES = {"open": "未付清 open", "paid": "已付 paid", "void": "作废 void"}


@contextmanager
def _writing() -> Iterator[Connection]:
    with existing() as (_, engine), database.write(engine) as conn:
        yield conn


@app.command()
def add(name: Till, by: By, title: Annotated[str, typer.Option(help="名称 · title")] = "") -> None:
    """新建收银台 · A new till; its drawer has its name.

    例 Example: pumpside till add t1 --title 便利店
    """
    with _writing() as conn:
        typer.echo(f"已建 made: {tills.add_till(conn, name, title, by, clock.now()).till}")


@app.command("list")
def list_tills() -> None:
    """收银台与当前班次 · All tills, who is at them, what their drawers hold.

    例 Example: pumpside till list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in tills.tills(conn):
            who = f"{one.shift.cashier}（班次 shift {one.shift.shift}）" if one.shift else "未开班 no shift"
            typer.echo(f"{one.till}  {one.title}  {who}  {yuan(tills.in_drawer(conn, one.till))} 元")
        typer.echo(f"保险柜 safe  {yuan(tills.in_drawer(conn, tills.SAFE))} 元")


@app.command()
def safe(
    amount: Yuan, by: By, why: Why, bank: Annotated[bool, typer.Option("--bank", help="存银行 · to the bank")] = False
) -> None:
    """存入保险柜；--bank 从保险柜存银行 · Money into the safe, or from it to the bank.

    例 Example: pumpside till safe 2000 --why 备用金
    """
    move = tills.take_to_bank if bank else tills.put_in_safe
    with _writing() as conn:
        left = move(conn, typed.fen(amount), secrets.token_hex(8), by, why, clock.now())
        typer.echo(f"保险柜 safe {yuan(left)} 元")


@app.command("open")
def open_(name: Till, by: By, float_: Annotated[str, typer.Option("--float", help="备用金，元 · yuan")] = "0") -> None:
    """开班 · Begin a shift with a float out of the safe.

    例 Example: pumpside till open t1 --float 200
    """
    with _writing() as conn:
        made = tills.open_shift(conn, name, typed.fen(float_), by, clock.now())
        typer.echo(f"班次 shift {made.shift} {made.till} {made.cashier} 备用金 float {yuan(made.float_fen)} 元")


@app.command("close")
def close_(
    name: Till,
    counted: Yuan,
    by: By,
    why: Why = "",
    second: SecondName = "",
    to: Annotated[str, typer.Option("--to", help="接班人 · hand over to")] = "",
) -> None:
    """交班：点钞后入保险柜，或交给接班人 · End a shift with the drawer counted.

    例 Example: pumpside till close t1 1234.50 --why 找错零 --second lihua
    """
    counted_fen = typed.fen(counted)
    with existing() as (settings, engine):
        with database.read(engine) as conn:
            running = tills.till(conn, name).shift
        if running is None:
            raise tills.TillError(f"收银台 {name} 尚未开班 till {name} has no open shift")
        keys = Secrets.load(settings.secrets_path)
        signed = tills.count_signed(engine, keys, running.shift, counted_fen, by, _second(second), clock.now())
        with database.write(engine) as conn:
            if to:
                tills.hand_over(conn, running.shift, counted_fen, to, by, clock.now(), why, signed)
            else:
                tills.close_shift(conn, running.shift, counted_fen, by, clock.now(), why, signed)
            done = tills.shift(conn, running.shift)
    typer.echo(
        f"班次 shift {done.shift}：账面 expected {yuan(done.expected_fen or 0)}，实点 counted {yuan(counted_fen)}，"
        f"差 off by {yuan(done.difference_fen or 0)} 元"
    )


@app.command()
def sell(
    name: Till,
    what: Annotated[list[str], typer.Argument(help="商品编码*件数，或 设备-交易号 · code*pieces, or device-sequence")],
    by: By,
    pay: Annotated[list[str], typer.Option("--pay", help="方式:元[:流水号] · kind:yuan[:reference]")] = [],  # noqa: B006
) -> None:
    """收款出小票 · A bill, its payments and its receipt.

    例 Example: pumpside till sell t1 6901*2 257-41 --pay bank_card:50:000123 --pay cash:100
    """
    with _writing() as conn:
        bill = tills.ring_up(
            conn, name, [_wanted(one) for one in what], [_payment(one) for one in pay], by, clock.now()
        )
        typer.echo(receipt(bill))


@app.command("bill")
def bill_(number: Annotated[int, typer.Argument(help="账单号 · number", min=1)]) -> None:
    """显示一张账单 · Show a bill.

    例 Example: pumpside till bill 17
    """
    with existing() as (_, engine), database.read(engine) as conn:
        typer.echo(receipt(tills.bill(conn, number)))


@app.command()
def refund(
    number: Annotated[int, typer.Argument(help="账单号 · number of the bill", min=1)],
    line: Annotated[int, typer.Argument(help="第几行 · line", min=1)],
    amount: Yuan,
    name: Annotated[str, typer.Option("--till", help="付现收银台 · the till that pays cash")],
    why: Why,
    by: By,
    pieces: Annotated[int, typer.Option(help="退回件数 · pieces back", min=0)] = 0,
    second: SecondName = "",
) -> None:
    """退款，原路退回；超限额须复核 · Money back the way it came; above the cap with a second person.

    例 Example: pumpside till refund 17 1 2 --till t1 --pieces 1 --why 漏液
    """
    with existing() as (settings, engine):
        with database.write(engine) as conn:
            made = tills.ask_refund(conn, number, line, typed.fen(amount), pieces, name, by, why, clock.now())
        if made.state == "open" and second:
            made = _decide(engine, Secrets.load(settings.secrets_path), made.refund, second)
    words = "已退 given back" if made.state == "done" else f"等待复核 waits for a second person: {made.refund}"
    typer.echo(f"{words} {yuan(made.amount_fen)} 元")


@app.command()
def decide(
    number: Annotated[int, typer.Argument(help="退款编号 · number of the refund", min=1)],
    second: SecondName,
    refuse: Annotated[bool, typer.Option("--refuse", help="拒绝 · refuse")] = False,
    why: Why = "",
) -> None:
    """复核一笔退款 · The second person's word on a refund that waits.

    例 Example: pumpside till decide 3 --second lihua
    """
    with existing() as (settings, engine):
        made = _decide(engine, Secrets.load(settings.secrets_path), number, second, not refuse, why)
        typer.echo(f"退款 refund {made.refund}: {made.state}")


@app.command()
def invoice(
    bills: Annotated[list[int], typer.Argument(help="账单号 · numbers of bills", min=1)],
    buyer: Annotated[str, typer.Option(help="购买方 · buyer")],
    by: By,
    tax_no: Annotated[str, typer.Option(help="税号 · tax number")] = "",
) -> None:
    """按账单余额开票 · An invoice over all that is left to invoice on the bills.

    例 Example: pumpside till invoice 17 18 --buyer 物流公司 --tax-no 91110000123456789X
    """
    with _writing() as conn:
        amounts = {tills.bill_subject(one): tills.left(conn, tills.bill_subject(one)) for one in bills}
        made = tills.issue_invoice(conn, buyer, tax_no, amounts, by, clock.now())
        typer.echo(f"发票 invoice {made.name} {yuan(made.amount_fen)} 元")


@app.command()
def red(
    name: Annotated[str, typer.Argument(help="发票号，如 2026-00000001 · the invoice's name")],
    by: By,
    why: Why,
    lost: Annotated[bool, typer.Option("--lost", help="遗失补开 · issue a new one instead")] = False,
) -> None:
    """红字冲销；--lost 遗失补开 · Take an invoice back, or issue it anew.

    例 Example: pumpside till red 2026-00000001 --why 遗失 --lost
    """
    series, _, number = name.partition("-")
    if not number.isdigit():
        raise typer.BadParameter("发票号如 2026-00000001 · write it like 2026-00000001")
    with _writing() as conn:
        change = tills.reissue if lost else tills.red_letter
        made = change(conn, series, int(number), by, why, clock.now())
        typer.echo(f"发票 invoice {made.name} {yuan(made.amount_fen)} 元")


@app.command()
def day(
    which: Annotated[str, typer.Argument(help="本地日期 · a local day")],
    by: By,
    close: Annotated[bool, typer.Option("--close", help="存档 · keep it for good")] = False,
) -> None:
    """日结：读数与销售、支付方式、钱箱 · The day: meters beside sales, ways to pay, drawers.

    例 Example: pumpside till day 2026-11-21 --close
    """
    with existing() as (_, engine), database.write(engine) as conn:
        if close:
            tills.close_day(conn, which, by, clock.now())
        closed = tills.closed_day(conn, which)
        report = tills.report_of(closed) if closed else tills.day_report(conn, which)
    state = f"已日结 closed {clock_of(closed.closed_at)} {closed.closed_by}" if closed else "未日结 not closed"
    typer.echo(f"{which}  {state}")
    for n in report.nozzles:
        typer.echo(
            f"  {n.pump}/{n.nozzle + 1}  读数差 measured {litres(n.moved_ml)}  销售 sold {litres(n.sold_ml)}  "
            f"检定 tests {litres(n.tested_ml)}  差异 difference {litres(n.difference_ml)} L"
        )
    for way in report.tenders:
        typer.echo(f"  {way.kind}  {way.count}  收 taken {yuan(way.taken_fen)}  退 back {yuan(way.returned_fen)} 元")
    for shift in report.shifts:
        off = "进行中 running" if shift.difference_fen is None else f"差 off by {yuan(shift.difference_fen)} 元"
        typer.echo(f"  {shift.till}/{shift.shift}  {shift.cashier}  {off}")
    typer.echo(f"账单 bills {report.bills} {yuan(report.bills_fen)} 元；退款 refunds {yuan(report.refunds_fen)} 元")
    typer.echo(f"审计链头 audit {report.audit_rows} {report.audit_head}")
    typer.echo(f"账簿摘要 books {report.books_head}")
    if not report.tenders_agree:
        raise typer.Exit(1)


@goods_app.command("list")
def list_goods() -> None:
    """商品、价格、库存 · All goods.

    例 Example: pumpside till goods list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in tills.goods(conn):
            state = "" if one.active else "停售 not sold"
            typer.echo(in_columns((one.code, one.name, yuan(one.price_fen), str(one.stock), state), _WIDTHS))


@goods_app.command("put")
def put_good(code: Code, title: Annotated[str, typer.Argument(help="名称 · name")], price: Yuan, by: By) -> None:
    """新商品，或改名改价 · New goods, or another name or price.

    例 Example: pumpside till goods put 6901 矿泉水 2.00
    """
    with _writing() as conn:
        made = tills.put_good(conn, code, title, typed.fen(price), by, clock.now())
        typer.echo(f"{made.code}  {made.name}  {yuan(made.price_fen)} 元  库存 stock {made.stock}")


@goods_app.command("receive")
def receive(code: Code, pieces: Annotated[int, typer.Argument(help="件数 · pieces", min=1)], by: By) -> None:
    """进货 · Pieces came in.

    例 Example: pumpside till goods receive 6901 24
    """
    with _writing() as conn:
        made = tills.receive(conn, code, pieces, secrets.token_hex(8), by, clock.now())
        typer.echo(f"{made.code}  库存 stock {made.stock}")


_WIDTHS = (20, 20, -12, -8, 16)


def receipt(bill: Bill) -> str:
    """A bill as text."""
    rows = [f"账单 bill {bill.bill}  {bill.till}  {STATES[bill.state]}  {clock_of(bill.paid_at or bill.made_at)}"]
    for line in bill.lines:
        quantity = f"{litres(line.quantity)} L" if line.kind == "fuel" else f"{line.quantity} 件 pcs"
        rows.append(f"  {line.line}  {line.name}  {quantity} × {yuan(line.price_fen)}  {yuan(line.amount_fen)}")
    rows += [f"  {one.kind} {one.ref}  {yuan(one.handed_fen)}" for one in bill.tenders]
    rows.append(f"合计 total {yuan(bill.total_fen)}  找零 change {yuan(bill.change_fen)} 元")
    return "\n".join(rows)


def _wanted(text: str) -> FuelWanted | GoodsWanted:
    device, dash, seq = text.partition("-")
    if dash and device.isdigit() and seq.isdigit():
        return FuelWanted(int(device), int(seq))
    code, _, pieces = text.partition("*")
    return GoodsWanted(code, int(pieces) if pieces.isdigit() else 1)


def _payment(text: str) -> Payment:
    kind, _, rest = text.partition(":")
    amount, _, ref = rest.partition(":")
    return Payment(kind, typed.fen(amount), ref)


def _second(name: str) -> cards.Second | None:
    if not name:
        return None
    password = getpass.getpass(f"{name} 的密码 password: ")
    return Second(name, password, input("动态码（没有则空）· one-time code, if any: ").strip())


def _decide(
    engine: Engine, keys: Secrets, number: int, second: str, approve: bool = True, why: str = ""
) -> tills.Refund:
    signed = tills.refund_signed(engine, keys, number, _second(second), clock.now())
    with database.write(engine) as conn:
        return tills.decide_refund(conn, number, approve, signed, why, clock.now())
