"""`pumpside meter`: factors, test measures, the metrological event log and pulse timelines."""

import getpass
from typing import Annotated

import typer

from station import forecourt, sales, texts
from station.cli.common import existing
from station.cli.sales import litres, when
from station.platform import clock, database

app = typer.Typer(help="计量 · metering", no_args_is_help=True)


@app.command("list")
def meter_list() -> None:
    """各枪累计读数、系数、事件号与最近误差 · Totalizer, factor, events and last error of every nozzle.

    例 Example: pumpside meter list
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in sales.meters(conn):
            lock = "  计量自锁 LOCKED" if one.locked else ""
            last = f"  {one.last.error_ppm:+d} ppm  {when(one.last.at)}" if one.last else "  未检定 not tested"
            typer.echo(
                f"{one.pump}/{one.nozzle + 1}  {texts.grade(one.grade, texts.ZH)}  {litres(one.total_ml):>14} L  "
                f"系数 factor {one.factor_ppm:+d} ppm  事件 events {one.events}{last}{lock}"
            )


@app.command("measures")
def meter_measures(limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 20) -> None:
    """检定与回罐，新的在前 · Test measures and prover readings, newest first.

    例 Example: pumpside meter measures --limit 10
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in sales.measures(conn, limit):
            read = f"量器 prover {litres(one.prover_ml)} L  {one.error_ppm:+d} ppm" if one.error_ppm is not None else ""
            state = " · ".join(texts.text(f"meter.state.{one.state}", lang) for lang in texts.LANGUAGES)
            typer.echo(
                f"{when(one.at)}  {one.pump}/{one.nozzle + 1}  {one.run}  {litres(one.volume_ml)} L  {read}  {state}"
            )


@app.command("log")
def meter_log(limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 50) -> None:
    """计量事件记录：系数、自锁、更换 · The metrological event log: factors, locks, other meters.

    例 Example: pumpside meter log
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for one in sales.event_log(conn, limit):
            words = [
                texts.text(
                    f"meter.log.{one.kind}",
                    lang,
                    old=one.old,
                    new=one.new,
                    what=texts.alarm(one.old, lang) if one.kind == "alarm" else "",
                )
                for lang in texts.LANGUAGES
            ]
            nozzle = f"/{one.nozzle + 1}" if one.nozzle is not None and one.nozzle < 4 else ""
            typer.echo(f"{when(one.at)}  {one.pump}{nozzle}  {' · '.join(words)}  ({one.device}/{one.seq})")


@app.command("timeline")
def meter_timeline(
    pump: Annotated[str, typer.Argument(help="油机，如 p1 · pump")],
    sale: Annotated[int, typer.Argument(min=1, help="交易号 · number of the sale")],
    by: Annotated[str, typer.Option("--by", help="经办人 · who asks", default_factory=getpass.getuser)],
    ask: Annotated[bool, typer.Option("--ask", help="向油机索取 · fetch it from the pump")] = False,
) -> None:
    """一笔交易的脉冲时间线，每秒一行 · A sale's pulse timeline, a line per second: edges of A, of B.

    例 Example: pumpside meter timeline p1 812 --ask
    """
    with existing() as (settings, engine), database.write(engine) as conn:
        found = forecourt.pump_named(conn, settings.station, pump)
        if found is None:
            raise ValueError(f"没有油机 {pump} · no pump {pump}")
        if ask:
            forecourt.ask_timeline(conn, found.device, sale, by, clock.now())
            typer.echo("已索取，几秒后不带 --ask 再查 · asked; look again without --ask in a few seconds")
            return
        line = forecourt.timeline(conn, found.device, sale)
        if line is None:
            typer.echo("还没有，用 --ask 向油机索取 · nothing yet: --ask fetches it")
            return
        if forecourt.is_gone(line):
            typer.echo("油机已不再保存这笔交易 · the pump no longer keeps this sale")
            return
        for page in line.pages:
            for at in range(0, len(page.samples), 20):
                some = [sample for sample in page.samples[at : at + 20] if sample]
                late = sum(sample is None for sample in page.samples[at : at + 20])
                note = f"  迟到 late {late}" if late else ""
                typer.echo(
                    f"{page.number}.{at // 20:02d}  {sum(a for a, _ in some):6d} {sum(b for _, b in some):6d}{note}"
                )
        end = sales.end_pulses(conn, found.device, sale)
        told = f"{end.pulses_a} / {end.pulses_b}" if end else "-"
        whole = "完整 whole" if line.is_whole else f"不完整 not whole, missing {list(line.missing) or 'the end'}"
        typer.echo(f"{whole}; 脉冲 pulses {line.edges_a // 2} / {line.edges_b // 2}, 记录 recorded {told}")
