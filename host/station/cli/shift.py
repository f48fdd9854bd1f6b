"""`pumpside shift ...`: shifts and closed days, as the totalizers measured them."""

import csv
import sys
from typing import Annotated

import typer

from station import cards, sales, texts
from station.cli.common import clock_of, existing
from station.cli.sales import litres
from station.cli.verify import yuan
from station.platform import database
from station.sales import DAY, SHIFT, Period

app = typer.Typer(help="班次与日结 · shifts and closed days", no_args_is_help=True)

Pump = Annotated[str | None, typer.Option("--pump", help="油机，如 p1 · pump")]
Last = Annotated[int, typer.Option("--last", "-n", help="条数 · how many", min=1, max=1000)]
AsCsv = Annotated[bool, typer.Option("--csv", help="输出 CSV · write CSV")]


@app.command()
def report(pump: Pump = None, last: Last = 5, as_csv: AsCsv = False) -> None:
    """班次报表：累计读数之差与交易之和 · Shifts: what the totalizers moved, and what was sold.

    例 Example: pumpside shift report --pump p1 --last 3
    """
    _tell(SHIFT, pump, last, as_csv)


@app.command()
def day(pump: Pump = None, last: Last = 5, as_csv: AsCsv = False) -> None:
    """日结报表：站长卡两次日结之间 · Days: from one close by a manager's card to the next.

    例 Example: pumpside shift day --csv > days.csv
    """
    _tell(DAY, pump, last, as_csv)


@app.command()
def now() -> None:
    """各油机当班人员 · Who is on duty at which pump.

    例 Example: pumpside shift now
    """
    with existing() as (_, engine), database.read(engine) as conn:
        duty = sales.on_duty(conn)
        for pump, card_no in sorted(duty.items()):
            card = cards.card(conn, card_no)
            typer.echo(f"{pump}  {card.holder if card else '?'}  {cards.shown(card_no)}")
    if not duty:
        typer.echo("无人当班 · nobody is on duty")


def _tell(kind: str, pump: str | None, last: int, as_csv: bool) -> None:
    with existing() as (_, engine), database.read(engine) as conn:
        periods = sales.periods(conn, kind, last, pump)
        holders = {p.card_no: card.holder for p in periods if (card := cards.card(conn, p.card_no)) is not None}
    if as_csv:
        _write(periods)
        return
    if not periods:
        typer.echo("还没有班次 · no shifts yet" if kind == SHIFT else "还没有日结 · no day was closed yet")
    for period in periods:
        title = f"{period.pump}  第 {period.number} 班 shift  " if kind == SHIFT else f"{period.pump}  "
        until = clock_of(period.ended) if period.ended else "进行中 running"
        typer.echo(f"{title}{holders.get(period.card_no, '')}  {clock_of(period.begun)} - {until}".replace("   ", "  "))
        for n in period.nozzles:
            measured = "" if n.measured_ml is None else f"  读数差 measured {litres(n.measured_ml)}"
            end = "" if n.end_ml is None else f" - {litres(n.end_ml)}"
            beside = f"  非销售 outside {litres(n.outside_ml)}" if n.outside_ml else ""
            typer.echo(
                f"  枪 nozzle {n.nozzle + 1}  {texts.grade(n.grade)}  {litres(n.start_ml)}{end}{measured}"
                f"  销售 sold {litres(n.sold_ml)}  {n.sales} 笔  {yuan(n.sold_fen)} 元{beside}"
            )
        total = f"{litres(period.sold_ml)} L  {period.sales} 笔  {yuan(period.sold_fen)} 元"
        typer.echo(f"  合计 total  {total}  {_verdict(period)}")


def _verdict(period: Period) -> str:
    if period.agrees is None:
        return "进行中 running"
    if period.agrees:
        return "读数与交易相符 totalizers and sales agree"
    off = sum(n.unexplained_ml or 0 for n in period.nozzles)
    return f"不符！差 {litres(off)} L unexplained"


def _write(periods: list[Period]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(
        ("pump", "shift", "card_no", "begun", "ended", "nozzle", "grade", "start_ml", "end_ml", "measured_ml", "sales",
         "sold_ml", "sold_fen", "outside_ml", "unexplained_ml")
    )  # fmt: skip
    for p in periods:
        for n in p.nozzles:
            writer.writerow(
                (p.pump, p.number, p.card_no, p.begun, p.ended, n.nozzle + 1, n.grade, n.start_ml, n.end_ml,
                 n.measured_ml, n.sales, n.sold_ml, n.sold_fen, n.outside_ml, n.unexplained_ml)
            )  # fmt: skip
