"""`pumpside fleet ...`: companies, their money, vehicles, rules, prices, statements and exceptions."""

import getpass
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from station import accounts, cards, fleets, texts
from station.api.fleet_csv import exceptions_csv, oddity_figure, statement_csv
from station.cards import yuan
from station.cli.card import Port, Wait, _at_reader
from station.cli.common import clock_of, existing, opened
from station.platform import clock, database, typed

app = typer.Typer(help="单位与车队 · companies and fleets", no_args_is_help=True)

Company = Annotated[int, typer.Argument(help="单位编号 · number of the company", min=1)]
Part = Annotated[int, typer.Argument(help="下级编号 · number of the part", min=1)]
Amount = Annotated[str, typer.Argument(help="金额，元 · yuan")]
Why = Annotated[str, typer.Option(help="原因 · why")]
Litres = Annotated[str, typer.Option(help="升 · litres")]
Yuan = Annotated[str, typer.Option(help="元 · yuan")]
Key = Annotated[str, typer.Option(help="幂等键：重做同一笔时给出 · key of the command, to do the very same again")]
File = Annotated[Path | None, typer.Option("--csv", help="另存为 CSV · write a CSV file as well")]


@contextmanager
def _writing() -> Iterator[Connection]:
    with opened() as (_, engine), database.write(engine) as conn:
        yield conn


@contextmanager
def _reading() -> Iterator[Connection]:
    with existing() as (_, engine), database.read(engine) as conn:
        yield conn


def _ml(text: str) -> int:
    return typed.scaled(text, 1000, 1_000_000, "升数如 60 或 9.5 litres like 60 or 9.5")


def _by() -> str:
    return getpass.getuser()


@app.command("list")
def list_() -> None:
    """列出单位 · All companies.

    例 Example: pumpside fleet list
    """
    with _reading() as conn:
        found = fleets.companies(conn)
        for one in found:
            typer.echo(_line(conn, one.account))
    if not found:
        typer.echo("还没有单位 there is no company yet: pumpside fleet open NAME --limit 30000")


@app.command("open")
def open_(
    name: Annotated[str, typer.Argument(help="单位名称 · the company's name")],
    limit: Annotated[str, typer.Option(help="授信额度，元，0 为预付 · credit line in yuan, 0: prepaid")] = "0",
    offline: Annotated[str, typer.Option(help="每台油机离线份额，元 · lent ahead to each pump, yuan")] = "500",
    tax_no: Annotated[str, typer.Option(help="税号 · tax number")] = "",
) -> None:
    """开户 · Open a company.

    例 Example: pumpside fleet open 顺达物流 --limit 30000
    """
    with _writing() as conn:
        terms = accounts.Terms(typed.fen(limit), offline_fen=typed.fen(offline))
        made = fleets.open_company(conn, name, terms, _by(), clock.now(), tax_no)
        typer.echo(_line(conn, made.account))


@app.command()
def show(company: Company) -> None:
    """单位、下级、车辆与资金 · A company with its parts, vehicles and money.

    例 Example: pumpside fleet show 1
    """
    with _reading() as conn:
        for account in fleets.tree(conn, fleets.unit(conn, company).account):
            typer.echo("  " * (len(fleets.line_of(conn, account)) - 1) + _line(conn, account))
        for one in fleets.vehicles_of(conn, company):
            left = "离队 left" if one.state == fleets.GONE else ""
            behind = "规则待写卡 rules not on the card" if fleets.is_behind(conn, one) else ""
            card = f"卡 card {one.card_no or '—'}"
            typer.echo(f"  {one.plate}  车辆 vehicle {one.id}  付款 paid by {one.unit}  {card}  {left or behind}")


@app.command()
def part(
    above: Company,
    name: Annotated[str, typer.Argument(help="部门或单车 · department or one vehicle")],
) -> None:
    """新建下级 · A department, or an allotment for one vehicle.

    例 Example: pumpside fleet part 1 运输部
    """
    with _writing() as conn:
        typer.echo(_line(conn, fleets.add_part(conn, above, name, _by(), clock.now()).account))


@app.command("top-up")
def top_up(
    company: Company,
    amount: Amount,
    source: Annotated[str, typer.Option(help="钱箱，或 gateway:银行 · a drawer, or gateway:BANK")] = "desk",
    key: Key = "",
) -> None:
    """单位充值或还款 · The company pays.

    例 Example: pumpside fleet top-up 1 50000 --source gateway:icbc
    """
    with _writing() as conn:
        fleets.top_up(conn, company, typed.fen(amount), source, key or secrets.token_hex(8), _by(), clock.now())
        typer.echo(_line(conn, company))


@app.command()
def allocate(child: Part, amount: Amount, key: Key = "") -> None:
    """由上级分配给下级 · From the parent to a part.

    例 Example: pumpside fleet allocate 2 5000
    """
    with _writing() as conn:
        fleets.allocate(conn, child, typed.fen(amount), key or secrets.token_hex(8), _by(), clock.now())
        typer.echo(_line(conn, child))


@app.command()
def recall(child: Part, amount: Amount, key: Key = "") -> None:
    """由下级收回 · Back from a part to its parent.

    例 Example: pumpside fleet recall 2 1000
    """
    with _writing() as conn:
        fleets.recall(conn, child, typed.fen(amount), key or secrets.token_hex(8), _by(), clock.now())
        typer.echo(_line(conn, child))


@app.command()
def load(
    unit: Company, card: Annotated[str, typer.Argument(help="储值卡号 · number of a purse card")], amount: Amount
) -> None:
    """用单位资金给其储值卡充值，下次刷卡写入 · Load a purse card from the company's money.

    例 Example: pumpside fleet load 1 6200000100000020 200
    """
    with _writing() as conn:
        fleets.load_card(conn, unit, cards.parse(card), typed.fen(amount), _by(), clock.now())
        typer.echo(_line(conn, unit))


@app.command()
def vehicle(
    unit: Company,
    plate: Annotated[str, typer.Argument(help="车牌 · plate")],
    card: Annotated[str, typer.Option(help="卡号 · card number")] = "",
    tank: Litres = "0",
    norm: Annotated[str, typer.Option(help="升/百公里 · litres per 100 km")] = "0",
    grade: Annotated[int, typer.Option(help="油品编号，0 不限 · grade, 0: any", min=0, max=15)] = 0,
    gone: Annotated[bool, typer.Option("--gone", help="离队，其卡不再可用 · it left: its card buys nothing")] = False,
) -> None:
    """登记或修改车辆；付款方为 UNIT · Add or change a vehicle, paid by UNIT.

    例 Example: pumpside fleet vehicle 2 京A10001 --card 6200000100000020 --tank 60 --norm 9.5
    """
    state = fleets.GONE if gone else fleets.ACTIVE
    with _writing() as conn:
        wanted = fleets.Vehicle(0, unit, plate, _ml(tank), grade, _ml(norm), card or None, state)
        made = fleets.save(conn, wanted, _by(), clock.now())
        typer.echo(f"{made.plate}  车辆 vehicle {made.id}")


@app.command()
def driver(
    unit: Company,
    name: Annotated[str, typer.Argument(help="姓名 · name")],
    card: Annotated[str, typer.Option(help="司机卡号 · the driver's card")] = "",
) -> None:
    """登记司机 · Add a driver.

    例 Example: pumpside fleet driver 1 李雷 --card 6200000100000038
    """
    with _writing() as conn:
        made = fleets.save_driver(conn, fleets.Driver(0, unit, name, card or None), _by(), clock.now())
        typer.echo(f"{made.name}  司机 driver {made.id}")


@app.command()
def rules(
    subject: Annotated[str, typer.Argument(help="unit:编号 或 vehicle:编号 · unit:NUMBER or vehicle:NUMBER")],
    why: Why,
    fill_litres: Litres = "0",
    day_yuan: Yuan = "0",
    day_fills: Annotated[int, typer.Option(help="每日次数 · fills per day", min=0)] = 0,
    month_yuan: Yuan = "0",
    month_litres: Litres = "0",
    grades: Annotated[str, typer.Option(help="油品编号，如 1,2 · grades by number")] = "",
    stations: Annotated[str, typer.Option(help="油站编号，如 1,5 · stations by number")] = "",
    hours: Annotated[str, typer.Option(help="时段，如 6-22 · from 6:00 until 22:00")] = "",
    only_listed: Annotated[bool, typer.Option("--only-listed", help="仅限登记车辆 · listed vehicles only")] = False,
    needs_driver: Annotated[bool, typer.Option("--driver", help="须司机卡 · with a driver's card")] = False,
) -> None:
    """设规则，代替原有全部规则 · Set the rules; they replace the old ones whole.

    例 Example: pumpside fleet rules unit:2 --month-yuan 20000 --hours 6-22 --why 合同
    """
    with _writing() as conn:
        new = fleets.Rules(
            fill_ml=_ml(fill_litres), day_fen=typed.fen(day_yuan), day_fills=day_fills,
            month_ml=_ml(month_litres), month_fen=typed.fen(month_yuan), grades=typed.numbers(grades),
            stations=typed.numbers(stations), hours=typed.hours(hours), only_listed=only_listed,
            needs_driver=needs_driver,
        )  # fmt: skip
        made = fleets.set_rules(conn, subject, new, _by(), why, clock.now())
        typer.echo(f"{made.subject}  第 {made.version} 版 version  {fleets.to_json(made.rules)}")


@app.command()
def carry(port: Port = "", wait: Wait = 5.0) -> None:
    """把车队规则写入读卡器上的卡 · Write the company's rules onto the card on the reader.

    例 Example: pumpside fleet carry
    """

    def act(desk: cards.Desk, reader: cards.DeskReader) -> None:
        contact = desk.show(reader)
        with _reading() as conn:
            found = fleets.vehicle_of(conn, contact.view.card_no)
            if found is None:
                raise ValueError("这张卡不是任何车辆的卡 the card is no vehicle's")
            wanted = fleets.to_carry(conn, found)
        desk.set_rules(reader, wanted)
        typer.echo(f"已写入 written: {found.plate}")

    _at_reader(port, wait, act)


@app.command()
def price(
    company: Company,
    grade: Annotated[int, typer.Argument(help="油品编号 · grade", min=1, max=15)],
    kind: Annotated[str, typer.Argument(help="discount 每升优惠 · off each litre; fixed 协议价 · fixed price")],
    amount: Annotated[str, typer.Argument(help="元/升 · yuan per litre")],
    why: Why,
    since: Annotated[str, typer.Option(help="自某日，默认现在 · from a day on, now by default")] = "",
) -> None:
    """价格协议：油机价格不变，差额在对账单返还 · A price agreement; the difference comes back on the statement.

    例 Example: pumpside fleet price 1 1 discount 0.20 --why 框架协议
    """
    with _writing() as conn:
        now = clock.now()
        begin = typed.day(since) if since else now
        made = fleets.agree(conn, company, grade, kind, typed.fen(amount), begin, 0, _by(), why, now)
        typer.echo(
            f"{texts.grade(made.grade)}  {made.kind}  {yuan(made.fen_per_l)} 元/升  自 from {clock_of(made.since)}"
        )


@app.command()
def statement(
    company: Company,
    until: Annotated[str, typer.Option(help="截至日（不含），默认现在 · before this day, now by default")] = "",
    number: Annotated[int, typer.Option(help="只看这一期 · show this one only", min=0)] = 0,
    csv: File = None,
) -> None:
    """出对账单，或看一期 · Make the next statement, or show one.

    例 Example: pumpside fleet statement 1 --until 2026-12-01 --csv november.csv
    """
    with _writing() as conn:
        now = clock.now()
        one = (
            fleets.statement(conn, company, number)
            if number
            else fleets.make(conn, company, typed.day(until) if until else now, _by(), now)
        )
        sums = {
            "期初 opening": one.opening_fen, "加油 fuel": one.delivered_fen, "返还 rebate": one.rebate_fen,
            "充卡 loads": one.loaded_fen, "已付 paid": one.paid_fen, "其他 other": one.other_fen,
            "期末 closing": one.closing_fen, "未付 unpaid": fleets.unpaid_fen(conn, one),
        }  # fmt: skip
        typer.echo(f"第 {one.number} 期 statement  至 until {clock_of(one.until)}")
        typer.echo("  ".join(f"{name} {yuan(fen)}" for name, fen in sums.items()) + " 元")
        if csv:
            csv.write_text(statement_csv(fleets.lines(conn, company, one.number), texts.ZH), "utf-8")


@app.command()
def exceptions(
    company: Company,
    days: Annotated[int, typer.Option(help="最近几天 · of the last days", min=1, max=366)] = 31,
    csv: File = None,
) -> None:
    """异常报告 · What in the vehicles' fills wants a look.

    例 Example: pumpside fleet exceptions 1 --days 7
    """
    with _reading() as conn:
        now = clock.now()
        found = fleets.vehicle_exceptions(conn, fleets.unit(conn, company).account, now - days * clock.DAY_S, now + 1)
    for one in found:
        odd = one.oddity
        what = texts.text(f"fleets.odd.{odd.kind}"), texts.text(f"fleets.odd.{odd.kind}", texts.EN)
        measured = f"{oddity_figure(odd.kind, odd.value)} / {oddity_figure(odd.kind, odd.expected)}"
        typer.echo(f"{clock_of(odd.fill.ended)}  {one.vehicle.plate}  {' '.join(what)}  {measured}")
    if not found:
        typer.echo("没有异常 nothing odd")
    if csv:
        csv.write_text(exceptions_csv(found, texts.ZH), "utf-8")


@app.command()
def refused(company: Company, limit: Annotated[int, typer.Option(help="条数 · how many", min=1)] = 20) -> None:
    """被拒的加油 · What was declined at the pumps.

    例 Example: pumpside fleet refused 1
    """
    with _reading() as conn:
        found = fleets.refusals_of(conn, fleets.unit(conn, company).account, limit)
    for one in found:
        rule = f"{texts.text(f'fleets.rule.{one.rule}')} {texts.text(f'fleets.rule.{one.rule}', texts.EN)}"
        typer.echo(
            f"{clock_of(one.at)}  {one.plate or '—'}  {cards.shown(one.card_no)}  {rule}  {one.used} / {one.allowed}"
        )
    if not found:
        typer.echo("没有被拒的加油 nothing was declined")


def _line(conn: Connection, account: int) -> str:
    one, owed_fen = fleets.unit(conn, account), fleets.owed_fen(conn, account)
    return (
        f"{one.account}  {one.name}  额度 limit {yuan(one.money.terms.limit_fen)}  自有 own {yuan(one.own_fen)}  "
        f"可用 available {yuan(one.money.available_fen)}  含下级欠 owed with parts {yuan(owed_fen)} 元"
    )
