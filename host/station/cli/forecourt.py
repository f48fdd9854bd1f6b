"""`pumpside price`, `pump` and `tank`: prices, commands to pumps, deliveries and dips."""

import getpass
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from station import forecourt, wetstock
from station.cli.common import existing
from station.cli.sales import litres, when
from station.cli.verify import yuan
from station.platform import clock, database

app = typer.Typer()
price = typer.Typer(help="油价 · prices", no_args_is_help=True)
pump = typer.Typer(help="油机状态与命令 · pumps and commands to them", no_args_is_help=True)
tank = typer.Typer(help="油罐与进油 · tanks and deliveries", no_args_is_help=True)
app.add_typer(price, name="price")
app.add_typer(pump, name="pump")
app.add_typer(tank, name="tank")


@price.command("show")
def price_show() -> None:
    """现行与待生效油价 · Prices in force and to come.

    例 Example: pumpside price show
    """
    with existing() as (_, engine), database.read(engine) as conn:
        now = clock.now()
        current = forecourt.current_tariff(conn, now)
        marks = {tariff.version: "待生效 planned" for tariff in forecourt.coming_tariffs(conn, now)}
        if current:
            marks[current.version] = "现行 in force"
        for tariff in forecourt.tariffs(conn):
            prices = "  ".join(f"{grade}: {yuan(fen)}" for grade, fen in tariff.prices.items())
            mark = marks.get(tariff.version, "")
            typer.echo(f"v{tariff.version}  {when(tariff.effective)}  {prices}  ({tariff.made_by})  {mark}".rstrip())


@price.command("set")
def price_set(
    prices: Annotated[list[str], typer.Argument(help="油品=分/升 · grade=fen per litre, e.g. 1=756")],
    by: Annotated[str, typer.Option("--by", help="经办人 · who decides")],
    effective: Annotated[int, typer.Option("--effective", min=0, help="生效时间，Unix 秒 · Unix seconds; 0: now")] = 0,
) -> None:
    """发布新油价；未写的油品价格不变 · Publish a tariff; grades not named keep their price.

    例 Example: pumpside price set 1=760 2=810 --by 王芳
    """
    with existing() as (_, engine), database.write(engine) as conn:
        now = clock.now()
        latest = forecourt.tariffs(conn, 1)
        wanted = dict(latest[0].prices) if latest else {}
        for one in prices:
            grade, _, fen = one.partition("=")
            if not (grade.isdigit() and fen.isdigit()):
                raise ValueError(f"写法为 油品=分/升 write grade=fen: {one}")
            wanted[int(grade)] = int(fen)
        made = forecourt.set_tariff(conn, wanted, max(effective, now), by, now)
    typer.echo(f"v{made.version} {when(made.effective)}")


@pump.command("list")
def pump_list() -> None:
    """油机及其最后状态 · Pumps and what they last reported.

    例 Example: pumpside pump list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in forecourt.pumps(conn):
            state = one.state.get("state", "-") if one.state.get("online") else "离线 offline"
            grades = ",".join(str(nozzle.grade) for nozzle in one.nozzles)
            typer.echo(f"{one.pump}  {one.device}  {one.mode}  {grades}  {state}  {when(one.state_at)}")


@pump.command("command")
def pump_command(
    name: Annotated[str, typer.Argument(help="油机，如 p1 · pump")],
    do: Annotated[str, typer.Argument(help="lock | unlock | stop")],
    by: Annotated[str, typer.Option("--by", help="经办人 · who decides")],
) -> None:
    """锁机、解锁、停止加油 · Lock, unlock or stop a pump.

    例 Example: pumpside pump command p1 lock --by 王芳
    """
    with existing() as (settings, engine), database.write(engine) as conn:
        found = forecourt.pump_named(conn, settings.station, name)
        if found is None:
            raise ValueError(f"没有油机 {name} · no pump {name}")
        typer.echo(forecourt.give_command(conn, found.device, do, by, clock.now()))


@tank.command("list")
def tank_list() -> None:
    """油罐账面存量与最近读数 · Book stock of the tanks and what was last read in them.

    例 Example: pumpside tank list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in wetstock.tanks(conn):
            line = f"{one.grade}  {litres(one.stock_ml):>12} / {litres(one.capacity_ml)} L  {one.state}"
            typer.echo(f"{line}  {_read(one)}")


@tank.command("deliver")
def tank_deliver(
    grade: int,
    volume_ml: Annotated[int, typer.Argument(min=1, help="毫升 · millilitres")],
    reference: Annotated[str, typer.Option("--reference", help="进油单号 · delivery note; booked once")],
) -> None:
    """进油入账 · Book a delivery.

    例 Example: pumpside tank deliver 1 8000000 --reference D-2026-1122
    """
    with existing() as (_, engine), database.write(engine) as conn:
        fresh = wetstock.deliver(conn, grade, volume_ml, reference, clock.now())
    typer.echo("已入账 · booked" if fresh else "此单号已入账 · this note was booked before")


@tank.command("dip")
def tank_dip(
    tank: Annotated[int, typer.Argument(help="油罐的油品号，如 1 · the tank, by its grade")],
    volume: Annotated[str, typer.Argument(metavar="LITRES", help="量得升数，如 21974.5 · litres as read")],
    by: Annotated[str, typer.Option("--by", help="计量人 · who read it", default_factory=getpass.getuser)],
) -> None:
    """记录人工计量读数，账面存量不变 · Write down a dip; the book stock stays as it is.

    例 Example: pumpside tank dip 1 21974.5 --by 王芳
    """
    with existing() as (_, engine):
        volume_ml = _ml(volume)
        with database.write(engine) as conn:
            wetstock.record_gauge(conn, tank, volume_ml, clock.now(), "dip", by)
            found = next(one for one in wetstock.tanks(conn) if one.grade == tank)
    typer.echo(f"已记录 · written down  {_read(found)}")


def _read(tank: wetstock.TankRow) -> str:
    if tank.gauge_ml is None or tank.difference_ml is None:
        return "未计量 · not read yet"
    sign = "-" if tank.difference_ml < 0 else "+"
    difference = f"{sign}{litres(abs(tank.difference_ml))} L"
    return f"{tank.gauge_source} {litres(tank.gauge_ml)} L  差额 difference {difference}  {when(tank.gauge_at)}"


def _ml(typed: str) -> int:
    try:
        scaled = Decimal(typed) * 1000
        if scaled.is_finite() and scaled == int(scaled):
            return int(scaled)
    except InvalidOperation:
        pass
    raise ValueError(f"升数写法如 21974.5 · write litres like 21974.5, three decimals at most: {typed}")
