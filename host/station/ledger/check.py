"""Checks of the books, read-only."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from station.ledger import book


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: which check, and what in words (Chinese, then English)."""

    check: str
    text: str


def verify(conn: Connection) -> list[Finding]:
    """Balances add up to nought per asset, and each equals the sum of its transfers. Empty: all is well."""
    table = book.balances_table.c
    kept = {
        (row.account, row.asset): row.balance for row in conn.execute(select(table.account, table.asset, table.balance))
    }
    sums = book.summed(conn)
    findings = [
        Finding(
            "balances",
            f"账户 {account} ({asset}) 余额 {kept.get((account, asset), 0)} 与分录合计 "
            f"{sums.get((account, asset), 0)} 不符 balance and sum of transfers differ",
        )
        for account, asset in sorted(set(kept) | set(sums))
        if kept.get((account, asset), 0) != sums.get((account, asset), 0)
    ]
    return findings + [
        Finding("zero_sum", f"{asset} 余额之和为 {amount}，借贷不平 the balances do not add up to nought")
        for asset, amount in zero_sums(conn).items()
        if amount
    ]


def zero_sums(conn: Connection) -> dict[str, int]:
    """The sum of all balances by asset: each must be 0. Cheap: reads the roll-up only."""
    table = book.balances_table.c
    rows = conn.execute(select(table.asset, func.sum(table.balance)).group_by(table.asset))
    return {asset: int(amount) for asset, amount in rows}
