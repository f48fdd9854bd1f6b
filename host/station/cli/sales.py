"""`pumpside sales ...`: sales, gaps, refusals and the quarantine on the command line."""

import csv
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated
from unicodedata import east_asian_width

import typer

from station import sales, texts
from station.cli.common import existing
from station.cli.verify import yuan
from station.platform import clock, database
from station.platform.secrets import Secrets

app = typer.Typer(invoke_without_command=True)

By = Annotated[str, typer.Option("--by", help="经办人 · who decides")]
Why = Annotated[str, typer.Option("--why", help="原因 · the reason")]

HEADINGS = ("时间 time", "油机/枪 pump", "油品 grade", "油量 volume", "金额 amount", "卡号 card", "状态 state")
WIDTHS = (25, 12, 10, -12, -13, 16, 0)  # below nought: to the right


@app.callback()
def recent(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000, help="条数 · how many")] = 20,
    pump: Annotated[str | None, typer.Option("--pump", help="油机，如 p1 · pump")] = None,
    card: Annotated[str | None, typer.Option("--card", help="卡号 · card number")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="输出 CSV · write CSV")] = False,
) -> None:
    """最近的交易 · The latest sales.

    例 Example: pumpside sales --limit 5 --pump p1
    """
    if ctx.invoked_subcommand:
        return
    with existing() as (_, engine), database.read(engine) as conn:
        rows = sales.recent(conn, limit, pump=pump, card_no=card)
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(field for field in sales.SaleRow.__dataclass_fields__)
        writer.writerows(asdict(row).values() for row in rows)
        return
    if not rows:
        typer.echo("还没有交易 · no sales yet")
        return
    typer.echo(in_columns(HEADINGS))
    for row in rows:
        nozzle = "-" if row.nozzle is None else row.nozzle + 1
        typer.echo(
            in_columns(
                (
                    when(row.ended or row.started),
                    f"{row.pump}/{nozzle}",
                    texts.grade(row.grade) if row.grade else "-",
                    f"{litres(row.volume_ml)} L",
                    f"{yuan(row.amount_fen)} 元" if row.amount_fen is not None else "-",
                    row.card_no or "-",
                    f"{texts.sale_state(row.state)} {texts.sale_state(row.state, texts.EN)}",
                )
            )
        )


@app.command()
def gaps() -> None:
    """缺少的记录 · Pumps whose records arrive with one missing.

    例 Example: pumpside sales gaps
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for gap in sales.gaps(conn):
            typer.echo(f"{gap.pump} ({gap.device}): {gap.first_missing} 缺 missing, {gap.waiting} 等待 waiting")


@app.command()
def refusals(limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20) -> None:
    """拒绝记录 · Refused cards.

    例 Example: pumpside sales refusals
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for row in sales.refusals(conn, limit):
            typer.echo(f"{when(row.at)}  {row.pump}  {row.card_no}  code {row.code}")


@app.command()
def quarantine(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20,
    all_rows: Annotated[bool, typer.Option("--all", help="含已处理的 · decided ones too")] = False,
) -> None:
    """隔离区 · What was odd and waits for a decision.

    例 Example: pumpside sales quarantine --all
    """
    with existing() as (_, engine), database.read(engine) as conn:
        for row in sales.quarantine(conn, limit, undecided_only=not all_rows):
            decision = f" [{row.decision}]" if row.decision else ""
            typer.echo(
                f"{row.id:>5}  {when(row.last_at)}  {row.reason}  {row.place}  ×{row.times}  {row.detail}{decision}"
            )


@app.command()
def dismiss(number: int, by: By, why: Why) -> None:
    """隔离区条目处理完毕 · Mark a row of the quarantine as dealt with.

    例 Example: pumpside sales dismiss 12 --by 王芳 --why "测试卡 test card"
    """
    with existing() as (_, engine), database.write(engine) as conn:
        sales.dismiss(conn, number, by, why, clock.now())
    typer.echo("已记录 · noted")


@app.command()
def admit(device: int, seq: int, by: By, why: Why) -> None:
    """人工接纳缺口之后或校验不符的记录 · Admit a record after a lost one or with a wrong mac.

    例 Example: pumpside sales admit 257 813 --by 王芳 --why "主板已损坏 board destroyed"
    """
    with existing() as (settings, engine), database.write(engine) as conn:
        acked = sales.admit(conn, Secrets.load(settings.secrets_path), device, seq, by, why, clock.now())
    typer.echo(f"已接纳，确认至 {acked} · admitted, acknowledged up to {acked}")


@app.command()
def end(
    device: int,
    seq: int,
    volume_ml: Annotated[int, typer.Option("--volume-ml", min=0, help="毫升 · millilitres, from the totalizer")],
    amount_fen: Annotated[int, typer.Option("--amount-fen", min=0, help="分 · fen")],
    by: By,
    second: Annotated[str, typer.Option("--second", help="第二人 · the second person")],
    why: Why,
) -> None:
    """两人结束一笔主板已失联的交易 · Two people end a sale whose board is gone for good.

    例 Example: pumpside sales end 257 812 --volume-ml 10000 --amount-fen 7560 --by 王芳 --second 李强 --why lost
    """
    with existing() as (_, engine), database.write(engine) as conn:
        sales.accept_end(conn, device, seq, amount_fen, volume_ml, (by, second), why, clock.now())
    typer.echo("已入账 · posted")


def when(at: int | None) -> str:
    """Local time of the station with its zone, as 2026-11-22 08:30:00+08:00."""
    return datetime.fromtimestamp(at, UTC).astimezone().isoformat(" ", "seconds") if at else "-" * 25


def in_columns(cells: tuple[str, ...], widths: tuple[int, ...] = WIDTHS) -> str:
    """Cells of one line, padded to their widths as a terminal shows them: a Chinese character takes two places."""
    padded = []
    for cell, width in zip(cells, widths, strict=True):
        blanks = " " * (abs(width) - sum(2 if east_asian_width(c) in "WF" else 1 for c in cell))
        padded.append(blanks + cell if width < 0 else cell + blanks)
    return "  ".join(padded).rstrip()


def litres(volume_ml: int | None) -> str:
    """ml as litres with three decimals."""
    if volume_ml is None:
        return "-"
    return f"{'-' if volume_ml < 0 else ''}{abs(volume_ml) // 1000}.{abs(volume_ml) % 1000:03d}"
