"""`pumpside card ...`: the card desk on the command line, on an emulated or a real PN532."""

import getpass
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from pump.core import card_layout
from station import cards, texts
from station.cards import Card, Contact, Desk, DeskError, DeskReader, Order, Rules, Second, yuan
from station.cards.issuing import ALL_GRADES
from station.cli.card_rules import (
    DayFills,
    DayYuan,
    FillLitres,
    Hours,
    NeedsDriver,
    OdometerKm,
    Stations,
    changed,
    lines,
)
from station.cli.common import clock_of, opened
from station.platform import database, typed
from station.platform.secrets import Secrets

app = typer.Typer(help="卡务：发卡、查询、充值、停用 · the card desk", no_args_is_help=True)

Port = Annotated[
    str,
    typer.Option(
        "--port",
        "-p",
        help="读卡器串口，默认模拟发卡台 · the reader's serial port, by default the bench's desk reader",
        envvar="PUMPSIDE_CARD_PORT",
        show_default=False,
    ),
]
Wait = Annotated[float, typer.Option("--wait", help="等卡秒数 · seconds to wait for a card", min=0, max=600)]
SecondName = Annotated[str, typer.Option("--second", help="复核人登录名，密码随后输入 · who signs as well, asked for")]
Number = Annotated[str, typer.Argument(help="16 位卡号 · card number")]

KINDS = {
    "registered": card_layout.KIND_REGISTERED,
    "anonymous": card_layout.KIND_ANONYMOUS,
    "account": card_layout.KIND_ACCOUNT,
    "driver": card_layout.KIND_DRIVER,
    "staff": card_layout.KIND_STAFF,
    "manager": card_layout.KIND_MANAGER,
    "test": card_layout.KIND_TEST,
    "service": card_layout.KIND_SERVICE,
}
KIND_TEXTS = {
    card_layout.KIND_REGISTERED: "记名 registered",
    card_layout.KIND_ANONYMOUS: "不记名 anonymous",
    card_layout.KIND_STAFF: "员工 staff",
    card_layout.KIND_ACCOUNT: "单位账户 account",
    card_layout.KIND_MANAGER: "站长 manager",
    card_layout.KIND_TEST: "检定 test",
    card_layout.KIND_SERVICE: "维修 service",
    card_layout.KIND_DRIVER: "驾驶员 driver",
}
KIND_HELP = "卡种 · " + " / ".join(f"{name} {KIND_TEXTS[kind].split()[0]}" for name, kind in KINDS.items())
STATE_TEXTS = {
    "issuing": "制卡中 being issued",
    "active": "正常 active",
    "blocked": "停用 blocked",
    "void": "作废 void",
    "replaced": "已补办 replaced",
    "closed": "已销户 closed",
}
SHADOW_TEXTS = {"agrees": "一致 agrees", "waiting": "待油机上传 waiting for records", "differs": "不一致！differs"}


@contextmanager
def _desk(wait_s: float = 0.0) -> Iterator[tuple[Desk, Path]]:
    """The desk of this station, and where the bench's desk reader is."""
    with opened() as (settings, engine), _told():
        secrets = Secrets.load(settings.secrets_path)
        desk = Desk(engine, secrets, settings.station_no, settings.issuer, by=getpass.getuser(), wait_s=wait_s)
        yield desk, settings.data_dir / "bench" / "desk" / "reader"


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _at_reader(port: str, wait_s: float, act: Callable[[Desk, DeskReader], None]) -> None:
    with _desk(wait_s) as (desk, bench_reader), DeskReader(port or str(bench_reader)) as reader:
        act(desk, reader)


def _fen(text: str) -> int:
    """An amount of yuan as typed, in fen. typer.BadParameter."""
    return _scaled(text, 100, "金额如 200 或 200.00 元 an amount in yuan, like 200 or 200.00")


def second_person(name: str) -> Second | None:
    """Their proof, typed and not shown; None where nobody was named."""
    if not name:
        return None
    password: str = typer.prompt(f"{name} 的密码 password", hide_input=True)
    code: str = typer.prompt("动态码（没有则回车）one-time code, if any", default="", show_default=False)
    return Second(name, password, code)


def _scaled(text: str, unit: int, otherwise: str) -> int:
    """A decimal number as typed, in whole 1/unit, above 0. typer.BadParameter, told as `otherwise`."""
    try:
        found = typed.scaled(text, unit, 100_000, otherwise)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if not found:
        raise typer.BadParameter(otherwise)
    return found


def _grades(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(part) for part in text.split(",")}))
    except ValueError:
        raise typer.BadParameter("油品如 1,2 grades by number, like 1,2") from None


@app.command()
def issue(
    holder: Annotated[str, typer.Option(help="姓名 · the holder's name")] = "",
    document: Annotated[str, typer.Option(help="证件号 · number of the identity document")] = "",
    plate: Annotated[str, typer.Option(help="车牌 · number plate")] = "",
    kind: Annotated[str, typer.Option(help=KIND_HELP)] = "registered",
    company: Annotated[int, typer.Option(help="单位编号 · number of the company", min=0)] = 0,
    grades: Annotated[str, typer.Option(help="可加油品编号 · grades by number")] = ",".join(map(str, ALL_GRADES)),
    load: Annotated[str, typer.Option(help="同时充值，元 · load this many yuan as well")] = "",
    pin: Annotated[bool, typer.Option("--pin", help="设密码（随后输入）· with a PIN, asked for")] = False,
    fill_litres: FillLitres = None,
    day_yuan: DayYuan = None,
    day_fills: DayFills = None,
    stations: Stations = None,
    hours: Hours = None,
    odometer_km: OdometerKm = None,
    driver: NeedsDriver = None,
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """把读卡器上的空白卡发给客户 · Make the blank card on the reader a customer's.

    例 Example: pumpside card issue --holder 张三 --document 110101199001011234 --plate 京A12345 --load 500

    车队 Fleet: pumpside card issue --holder 物流公司 --document 91110 --company 7 --driver --odometer-km 800
    """
    if kind not in KINDS:
        raise typer.BadParameter(KIND_HELP, param_hint="--kind")
    rules = changed(Rules(), fill_litres, day_yuan, day_fills, stations, hours, odometer_km, driver)
    typed = _new_pin() if pin else ""
    order = Order(KINDS[kind], holder, document, plate, company, _grades(grades), rules=rules, pin=typed)
    amount_fen = _fen(load) if load else 0

    def act(desk: Desk, reader: DeskReader) -> None:
        card = desk.issue(reader, order)
        typer.echo(f"已发卡 issued: {cards.shown(card.card_no)}")
        if amount_fen:
            contact = desk.load(reader, amount_fen)
            typer.echo(f"已充值 loaded: {yuan(amount_fen)} 元，余额 balance {yuan(contact.view.balance_fen)} 元")

    _at_reader(port, wait, act)


@app.command()
def show(port: Port = "", wait: Wait = 5.0) -> None:
    """读出卡片，与账面对照 · Read the card and hold it beside the books.

    例 Example: pumpside card show --port /dev/ttyUSB0
    """
    _at_reader(port, wait, lambda desk, reader: _print(desk.show(reader)))


@app.command()
def load(
    amount: Annotated[str, typer.Argument(help="金额，元 · yuan")] = "",
    drawer: Annotated[str, typer.Option(help="收款钱箱 · the drawer the money goes into")] = "desk",
    second: SecondName = "",
    resume: Annotated[bool, typer.Option("--resume", help="续写已收款的充值 · put a paid load on the card")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="退回未写入的充值 · give a paid load back")] = False,
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """收款并充值 · Take money and load it on the card.

    例 Example: pumpside card load 200
    """
    if bool(amount) + resume + cancel != 1:
        raise typer.BadParameter("给出金额，或 --resume，或 --cancel · give an amount, --resume or --cancel")
    amount_fen, signs = _fen(amount) if amount else 0, second_person(second)

    def act(desk: Desk, reader: DeskReader) -> None:
        if resume:
            contact = desk.resume(reader)
        elif cancel:
            contact = desk.cancel(reader)
            if contact.refunding:
                typer.echo("退款已取消，卡内金额不变 the refund is cancelled, the card keeps it")
            if contact.waiting:
                typer.echo(f"请退款 give back: {yuan(contact.waiting.amount_fen)} 元")
        else:
            contact = desk.load(reader, amount_fen, drawer, signs)
        if contact.loaded:
            typer.echo(f"已充值 loaded: {yuan(contact.loaded.amount_fen)} 元")
        if contact.refunded:
            typer.echo(f"已取出，请付款 off the card, pay: {yuan(contact.refunded.amount_fen)} 元")
        typer.echo(f"余额 balance: {yuan(contact.view.balance_fen)} 元")

    _at_reader(port, wait, act)


@app.command()
def rules(
    fill_litres: FillLitres = None,
    day_yuan: DayYuan = None,
    day_fills: DayFills = None,
    stations: Stations = None,
    hours: Hours = None,
    odometer_km: OdometerKm = None,
    driver: NeedsDriver = None,
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """改卡上的限制：只改写出的各项，0 为取消 · Change what the card demands: only what is named; 0 takes it away.

    例 Example: pumpside card rules --day-yuan 500 --day-fills 2 --hours 6-22 --fill-litres 60
    """

    def act(desk: Desk, reader: DeskReader) -> None:
        old = desk.show(reader).view.rules
        new = changed(old, fill_litres, day_yuan, day_fills, stations, hours, odometer_km, driver)
        contact = desk.set_rules(reader, new)
        typer.echo("已写入 written")
        for line in lines(contact.view):
            typer.echo(line)

    _at_reader(port, wait, act)


@app.command()
def pin(
    reset: Annotated[bool, typer.Option("--reset", help="清除输错次数，密码不变 · forgive wrong ones only")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="取消密码 · no PIN any more")] = False,
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """设新密码，或解开密码锁 · A new PIN (asked for), or a blocked one good again.

    例 Example: pumpside card pin --reset
    """
    if reset and remove:
        raise typer.BadParameter("--reset 与 --remove 只选其一 · one of --reset and --remove")
    new = None if reset else "" if remove else _new_pin()

    def act(desk: Desk, reader: DeskReader) -> None:
        desk.set_pin(reader, new)
        typer.echo("密码已取消 no PIN any more" if remove else "密码可用 the PIN is good")

    _at_reader(port, wait, act)


def _new_pin() -> str:
    """Typed twice and not shown: a PIN does not belong into a shell's history."""
    typed: str = typer.prompt("密码 PIN (4-6 位数字 digits)", hide_input=True, confirmation_prompt=True)
    return typed


@app.command()
def settle(
    litres: Annotated[str, typer.Option(help="油机已报废时核定的升数 · litres decided where the pump is gone")] = "",
    second: Annotated[str, typer.Option(help="第二核定人 · the second person who decides")] = "",
    why: Annotated[str, typer.Option(help="原因 · the reason")] = "",
    port: Port = "",
    wait: Wait = 5.0,
) -> None:
    """结清卡上未完成的交易 · Settle the sale that the card holds open.

    例 Example: pumpside card settle

    油机报废 Where the pump is gone: pumpside card settle --litres 12.34 --second 李四 --why 雷击
    """
    volume_ml = _scaled(litres, 1000, "升数如 12.34 litres, like 12.34") if litres else None

    def act(desk: Desk, reader: DeskReader) -> None:
        contact = desk.show(reader) if volume_ml is None else desk.decide_end(reader, volume_ml, second, why)
        if contact.settled:
            sale, amount_fen = contact.settled
            typer.echo(
                f"已结算 settled {sale.device}/{sale.seq}: 扣款 paid {yuan(amount_fen)}，"
                f"退回 returned {yuan(sale.fen - amount_fen)}，余额 balance {yuan(contact.view.balance_fen)} 元"
            )
        elif contact.view.open:
            sale = contact.view.open
            raise DeskError(
                f"交易 {sale.device}/{sale.seq} 的结果尚未上传，请稍后再试或回原油机结算 "
                "the end of this sale is not known here yet: wait for the pump's records or settle at that pump"
            )
        else:
            typer.echo("没有未完成的交易 nothing is open on this card")

    _at_reader(port, wait, act)


@app.command()
def block(
    number: Number,
    lost: Annotated[bool, typer.Option("--lost", help="挂失 · reported lost")] = False,
    reason: Annotated[str, typer.Option(help="原因 · why")] = "other",
) -> None:
    """停用或挂失，发往各油机 · No pump takes this card any more.

    例 Example: pumpside card block 6200000100000012 --lost
    """
    with _desk() as (desk, _):
        desk.block(number, "lost" if lost else reason)
        typer.echo("已停用，黑名单将发往油机 blocked; the list goes out to the pumps")


@app.command()
def unblock(number: Number) -> None:
    """解挂、恢复使用 · The card is good again.

    例 Example: pumpside card unblock 6200000100000012
    """
    with _desk() as (desk, _):
        desk.unblock(number)
        typer.echo("已恢复 unblocked")


@app.command("list")
def list_cards(
    text: Annotated[str, typer.Argument(help="卡号、姓名或车牌的一部分 · part of number, name or plate")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """列出已发的卡与各状态张数 · Cards issued here, and how many of each kind and state.

    例 Example: pumpside card list 京A
    """
    with opened() as (_, engine), database.read(engine) as conn:
        for card in cards.listing(conn, text, limit):
            typer.echo(_line(card))
        for (kind, state), count in sorted(cards.counts(conn).items()):
            typer.echo(f"{KIND_TEXTS.get(kind, kind)} · {STATE_TEXTS[state]}: {count}")


def _line(card: Card) -> str:
    return "  ".join(
        (cards.shown(card.card_no), KIND_TEXTS.get(card.kind, "?"), STATE_TEXTS[card.state], card.holder, card.plate)
    ).rstrip()


def _print(contact: Contact) -> None:
    view, card, shadow = contact.view, contact.card, contact.shadow
    grades = "、".join(texts.grade(grade) for grade in range(16) if view.grades >> grade & 1)
    typer.echo(f"卡号 card        {cards.shown(view.card_no)}  {KIND_TEXTS.get(view.kind, '?')}")
    typer.echo(f"状态 state       {STATE_TEXTS[card.state] if card else '未在本站登记 not issued here'}")
    if card and card.holder:
        typer.echo(f"持卡人 holder    {card.holder}")
    typer.echo(f"油品 grades      {grades}" + (f"  车牌 plate {view.plate}" if view.plate else ""))
    typer.echo(f"有效期 expiry    {_day(view.expiry) if view.expiry else '长期 none'}")
    for line in lines(view):
        typer.echo(line)
    typer.echo(f"卡内余额 balance {yuan(view.balance_fen)} 元  计数 counter {view.counter}")
    if shadow:
        typer.echo(
            f"账面 books       {yuan(shadow.books_fen)} 元，在途 in flight {yuan(shadow.in_flight_fen)}，"
            f"待写卡 pending {yuan(shadow.pending_fen)}：{SHADOW_TEXTS.get(shadow.state, shadow.state)}"
        )
    if contact.loaded:
        typer.echo(f"上次充值已到账 an earlier load had arrived: {yuan(contact.loaded.amount_fen)} 元")
    if contact.waiting:
        amount = yuan(contact.waiting.amount_fen)
        typer.echo(f"已收款未写卡 paid, not on the card: {amount} 元（load --resume / --cancel）")
    if contact.settled:
        typer.echo(f"刚结清 settled now: {contact.settled[0].device}/{contact.settled[0].seq}")
    if view.open:
        typer.echo(f"未完成 open      {view.open.device}/{view.open.seq}，预扣 held {yuan(view.open.fen)} 元")
    for entry in reversed(view.log):
        typer.echo(
            f"  {clock_of(entry.at)}  {entry.device}/{entry.seq}  {texts.grade(entry.grade)}  "
            f"{entry.volume_ml / 1000:.2f} L  {yuan(entry.amount_fen)} 元"
        )


def _day(at: int) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at))
