"""`pumpside network ...`: several stations: tree, who sees what, joining, exchange with head office, clearing."""

import signal
import threading
import time
from datetime import datetime
from typing import Annotated

import httpx
import structlog
import typer
from sqlalchemy import Engine

from station import network
from station.cards import yuan
from station.cli.common import clock_of, existing, opened
from station.platform import clock, database, logs
from station.platform.secrets import Secrets
from station.platform.settings import Settings

app = typer.Typer(help="多站：组织、上报、站间清算 · several stations", no_args_is_help=True)
log = structlog.get_logger()

BY = "cli"
EVERY_S, PATIENCE_S = 10.0, 30.0
Day = Annotated[str, typer.Option(help="年-月-日 · local day, like 2026-11-01")]


@app.command()
def units() -> None:
    """组织树与各站联系时间 · The tree of units, and when each station was heard.

    例 Example: pumpside network units
    """
    with existing() as (_, engine), database.read(engine) as conn:
        found = network.tree(conn)
        heard = {member.station: member for member in network.members(conn)}
    depth: dict[str | None, int] = {None: -1}
    for unit in found:
        depth[unit.unit] = depth[unit.parent] + 1
        member = heard.get(unit.unit)
        said = f"  {_heard(member.heard_at)}" if member else ""
        typer.echo(f"{'  ' * depth[unit.unit]}{unit.name} ({unit.unit}, {unit.kind}){said}")
    for member in heard.values():
        if member.station not in depth:
            typer.echo(f"{member.station} ({member.station_no})  {_heard(member.heard_at)}")
    if not found and not heard:
        typer.echo("还没有单位；用 network unit 建立 · no units yet: make one with `pumpside network unit`")


def _heard(at: int | None) -> str:
    return f"最近联系 {clock_of(at)} last heard" if at else "尚未联系 not heard yet"


@app.command()
def unit(
    unit: Annotated[str, typer.Argument(help="代号；站点用其站名 · short name; a station's is its own")],
    kind: Annotated[str, typer.Argument(help="region / city / area / station")],
    parent: Annotated[str, typer.Option(help="上级单位 · the unit above")] = "",
    name: Annotated[str, typer.Option(help="名称 · what people call it")] = "",
) -> None:
    """建立单位：大区、城市、片区、站 · Put a unit into the tree.

    例 Example: pumpside network unit hz city --parent zj --name 杭州
    """
    with opened() as (_, engine), database.write(engine) as conn:
        network.add(conn, network.Unit(unit, kind, parent or None, name), BY, clock.now())
    typer.echo(f"已建立 · made: {unit}")


@app.command()
def scope(
    person: Annotated[str, typer.Argument(help="登录名 · log-in name")],
    unit: Annotated[str, typer.Argument(help="单位代号，空为全部 · the unit, empty for everything")] = "",
) -> None:
    """限定某人只看某单位 · From now on this person sees that unit only.

    例 Example: pumpside network scope chen hz
    """
    with opened() as (_, engine), database.write(engine) as conn:
        network.assign(conn, person, unit or None, BY, clock.now())
    typer.echo(f"{person}: {unit or '全部 everything'}")


@app.command()
def join(
    station: Annotated[str, typer.Argument(help="站名 · the station's name in its settings")],
    number: Annotated[int, typer.Argument(help="站号 · its station_no")],
) -> None:
    """总部接纳一个站，显示其令牌（只此一次） · Head office: take a station in; its token is shown once.

    例 Example: pumpside network join s2 2 > s2.token
    """
    with opened() as (_, engine), database.write(engine) as conn:
        token = network.join(conn, station, number, BY, clock.now())
    typer.echo(token)


@app.command()
def status() -> None:
    """本站与总部：最近联系、未上报记录 · This station and head office: last contact, records not told yet.

    例 Example: pumpside network status
    """
    with existing() as (settings, engine), database.read(engine) as conn:
        if not settings.head_office_url:
            typer.echo("本站独立运行，未设总部 · no head office is set: this station stands alone")
            return
        typer.echo(f"总部 head office: {settings.head_office_url}")
        typer.echo(_heard(network.last_contact(conn)))
        typer.echo(f"未上报记录 records not told yet: {network.lag(conn, settings.station)}")


@app.command()
def clearing(since: Day = "2000-01-01", until: Day = "2100-01-01") -> None:
    """总部：站间清算单，净额合计为零 · Head office: who owes whom; the nets add up to nought.

    例 Example: pumpside network clearing --since 2026-11-01 --until 2026-12-01
    """
    with existing() as (_, engine), database.read(engine) as conn:
        names = {member.station_no: member.station for member in network.members(conn)}
        found = network.statement(conn, _midnight(since), _midnight(until))
    for one in found:
        debtor, creditor = names.get(one.debtor, one.debtor), names.get(one.creditor, one.creditor)
        typer.echo(
            f"{debtor} → {creditor}  {yuan(one.amount_fen)} 元 yuan"
            f"（加油 sales {one.sales}: {yuan(one.sales_fen)}，充值 loads {one.loads}: {yuan(one.loads_fen)}）"
        )
    for number, fen in network.net(found).items():
        typer.echo(f"净额 net {names.get(number, number)}: {yuan(fen)} 元 yuan")
    if not found:
        typer.echo("此期间没有跨站用卡 · no card was used away from home in these days")


@app.command()
def pay(
    peer: Annotated[int, typer.Argument(help="对方站号 · the other station's number")],
    amount: Annotated[str, typer.Argument(help="元；收款为负 · yuan; negative if they paid us")],
    ref: Annotated[str, typer.Option(help="银行凭证号 · the bank voucher's number")],
) -> None:
    """登记站间结算款 · Book a payment between stations.

    例 Example: pumpside network pay 2 1530.50 --ref B20261201-7
    """
    from station.platform import typed

    with opened() as (_, engine), database.write(engine) as conn:
        fen = typed.fen(amount.lstrip("-")) * (-1 if amount.startswith("-") else 1)
        new = network.pay(conn, peer, fen, ref, BY, clock.now())
    typer.echo(f"{'已登记 booked' if new else '早已登记 was booked before'}: {yuan(fen)} 元 yuan, {ref}")


@app.command()
def sync(
    once: Annotated[
        bool, typer.Option("--once", help="只同步到没有可说的为止 · until nothing is left, then stop")
    ] = False,
) -> None:
    """与总部交换：上报记录与卡，取回外站用卡与油价 · Exchange with head office, for ever or once.

    例 Example: PUMPSIDE_HEAD_OFFICE_URL=https://head.example PUMPSIDE_HEAD_OFFICE_TOKEN=var/token pumpside network sync
    """
    with opened() as (settings, engine):
        if not settings.head_office_url:
            raise ValueError("未设总部地址 no head office is set: PUMPSIDE_HEAD_OFFICE_URL")
        logs.configure(settings.log_level, "network")
        stopped = threading.Event()
        if not once:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
        _talk(settings, engine, stopped, once)


def _talk(settings: Settings, engine: Engine, stopped: threading.Event, once: bool) -> None:
    secrets = Secrets.load(settings.secrets_path)
    token = settings.head_office_token.read_text().strip()
    with httpx.Client(
        base_url=settings.head_office_url, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE_S
    ) as client:

        def exchange(report: network.Report) -> network.Answer:
            answer = client.post(
                "/api/v1/network/exchange",
                content=report.model_dump_json(),
                headers={"content-type": "application/json"},
            )
            answer.raise_for_status()
            return network.Answer.model_validate_json(answer.content)

        while not stopped.is_set():
            more = False
            try:
                more = network.step(engine, secrets, settings.station, settings.station_no, exchange, clock.now())
            except httpx.HTTPError as error:
                if once:
                    raise ValueError(f"总部未应答 head office does not answer: {error}") from None
                log.warning("head office does not answer", error=str(error))
            if not more and (once or stopped.wait(EVERY_S)):
                return


def _midnight(day: str) -> int:
    try:
        return int(time.mktime(datetime.strptime(day, "%Y-%m-%d").timetuple()))
    except ValueError:
        raise ValueError(f"日期如 2026-11-01 a day is written like 2026-11-01, not {day}") from None
