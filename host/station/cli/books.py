"""`pumpside books`: trial balance, statements, closing, vouchers for a finance system."""

import sys
from typing import Annotated

import typer

from station import ledger, texts
from station.cli.common import existing
from station.cli.sales import in_columns, litres, when
from station.cli.verify import yuan
from station.platform import audit, clock, database, typed

app = typer.Typer(help="账簿 · the books", no_args_is_help=True)
By = Annotated[str, typer.Option("--by", help="经办人 · who decides")]
Until = Annotated[str, typer.Option("--until", help="截止日（不含），本地日期 · up to this local day, e.g. 2026-12-01")]
Since = Annotated[str, typer.Option("--since", help="起始日，本地日期 · from this local day on")]


@app.callback()
def books() -> None:
    """账簿 · The books."""


@app.command("balance")
def balance(until: Until = "", since: Since = "") -> None:
    """试算平衡表：各类科目借贷发生额与余额 · The trial balance; every asset adds up to nought.

    例 Example: pumpside books balance --until 2026-12-01
    """
    with existing() as (_, engine), database.read(engine) as conn:
        lines = ledger.trial_balance(conn, typed.day(until) if until else None, typed.day(since) if since else 0)
    typer.echo(
        in_columns(("科目 kind", "户数 accounts", "类别 class", "借 debit", "贷 credit", "余额 balance"), _WIDTHS)
    )
    for line in lines:
        show = yuan if line.asset == ledger.FEN else _litres
        named = (texts.account_kind(line.kind), str(line.accounts), texts.account_class(line.account_class))
        typer.echo(in_columns((*named, show(line.debit), show(line.credit), show(line.balance)), _WIDTHS))
    for asset in sorted({line.asset for line in lines}):
        total = sum(line.balance for line in lines if line.asset == asset)
        typer.echo(f"{asset}: {'平 balanced' if total == 0 else f'不平 NOT BALANCED {total}'}")
        if total:
            raise typer.Exit(1)
    if not lines:
        typer.echo("还没有分录 · nothing is posted yet")


@app.command("statement")
def statement(
    account: Annotated[str, typer.Argument(help="科目名，如 purse:6200010000000017 · an account's name")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="行数 · lines")] = 30,
) -> None:
    """一个科目的明细，新的在前 · What moved on one account, newest first.

    例 Example: pumpside books statement cash:desk
    """
    with existing() as (_, engine), database.read(engine) as conn:
        asset = ledger.ML if ledger.class_of(account) == "stock" else ledger.FEN
        moves, left = ledger.statement(conn, account, asset, limit), ledger.balance(conn, account, asset)
    show = yuan if asset == ledger.FEN else _litres
    for move in moves:
        late = f"  入账 booked {when(move.booked)}" if move.booked != move.at else ""
        typer.echo(f"{when(move.at)}  {show(move.change):>14}  {move.other}  {move.key}  {move.memo}{late}")
    typer.echo(f"余额 balance {show(left)}")


@app.command("close")
def close(until: Until, by: By) -> None:
    """结账：此日之前不再入账，迟到的记录计入下一期 · Close everything before that local day.

    例 Example: pumpside books close --until 2026-12-01 --by 李会计
    """
    with existing() as (_, engine), database.write(engine) as conn:
        period = ledger.close(conn, typed.day(until), by, clock.now())
        rows, digest = audit.head(conn)
    typer.echo(f"已结账 · closed until {when(period.until)}")
    typer.echo(f"审计链头，请另存 · head of the audit chain, keep it elsewhere: {rows} {digest}")


@app.command("vouchers")
def vouchers(until: Until, since: Since) -> None:
    """导出凭证 CSV（按日，借贷相等；金额单位为分，另列元）· Vouchers by day for a finance system, as CSV; they balance.

    例 Example: pumpside books vouchers --since 2026-11-01 --until 2026-12-01 > vouchers.csv
    """
    with existing() as (_, engine), database.read(engine) as conn:
        lines = ledger.vouchers(conn, typed.day(since), typed.day(until))
    sys.stdout.write(ledger.voucher_csv(lines, texts.account_kind))


@app.command("check")
def check(by: By = ledger.SYSTEM) -> None:
    """立即核对余额、封签与审计链，并留存结果 · Check balances, seals and audit now; exit code 1 if wrong.

    例 Example: pumpside books check --by 李会计
    """
    with existing() as (_, engine):
        made = ledger.run_check(engine, by, clock.now())
    for found in made.seen.found:
        typer.echo(f"✗ [{found.check}] {found.text}", err=True)
    typer.echo(f"{made.seen.transfers} 条分录 transfers")
    typer.echo(
        f"审计链头，请另存 · head of the audit chain, keep it elsewhere: {made.seen.audit_rows} {made.seen.audit_head}"
    )
    if not made.ok:
        raise typer.Exit(1)
    typer.echo("✓ 核对无误 · everything checks")


_WIDTHS = (24, -13, 16, -16, -16, -16)


def _litres(ml: int) -> str:
    return f"{litres(ml)} L"
