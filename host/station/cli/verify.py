"""`pumpside verify`: is everything in the database what it must be?"""

import typer

from station import cards, ledger, sales, tills
from station.cli.common import existing
from station.platform import database
from station.platform.migrations import verify_triggers
from station.platform.secrets import Secrets

app = typer.Typer()

_GUARDED = cards.tables  # loaded so that the triggers of its tables are looked for as well


@app.command()
def verify() -> None:
    """全库核对：借贷平衡、余额可重算、记录链完整、资金不变式 · Check the whole database; exit code 1 if it is wrong.

    Postings balance, balances rebuild from them, closed days and the audit are as they were sealed, sales and postings
    follow from the records, every journal chain is intact, card + station + in flight is constant.

    例 Example: pumpside verify
    """
    with existing() as (settings, engine):
        verify_triggers(engine)
        secrets = Secrets.load(settings.secrets_path)
        with database.snapshot(engine) as conn:
            findings = [*ledger.look(conn).found, *sales.verify(conn, secrets), *tills.verify(conn)]
            invariant = sales.money_invariant(conn)
            total, gaps = sales.recent_count(conn), sales.gaps(conn)
            odd = sales.quarantine_count(conn, undecided_only=True)
    for finding in findings:
        typer.echo(f"✗ [{finding.check}] {finding.text}", err=True)
    for gap in gaps:
        typer.echo(f"! {gap.pump} 缺记录 {gap.first_missing}，其后 {gap.waiting} 条 · waits for {gap.first_missing}")
    if odd:
        typer.echo(f"! 隔离区 {odd} 条待处理 · {odd} rows in quarantine wait for a decision")
    if invariant.waiting:
        typer.echo(f"! {len(invariant.waiting)} 张卡等待记录 · cards wait for records: {', '.join(invariant.waiting)}")
    parts = (
        f"卡 {yuan(invariant.cards_fen)} + 待充 {yuan(invariant.pending_fen)} + 在途 {yuan(invariant.in_flight_fen)}"
        f" + 售油 {yuan(invariant.sales_fen)} + 其他 {yuan(invariant.other_fen)}"
        f" = 收入 {yuan(invariant.paid_in_fen)} + 单位欠款 {yuan(invariant.owed_fen)}"
    )
    typer.echo(f"{total} 笔交易 sales; {parts}; 差额 difference {invariant.difference_fen} 分 fen")
    if findings:
        typer.echo(f"核对发现 {len(findings)} 处错误 · {len(findings)} findings", err=True)
        raise typer.Exit(1)
    typer.echo("✓ 全部核对无误 · everything checks")


def yuan(fen: int) -> str:
    """fen as yuan with two decimals."""
    sign, whole = "-" if fen < 0 else "", abs(fen)
    return f"{sign}{whole // 100}.{whole % 100:02d}"
