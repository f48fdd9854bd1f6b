"""The books: double entry, append-only, several assets. Every balance is a sum of transfers and can be rebuilt.

A transfer moves an amount from its debit account to its credit account (`purse -> in flight`, as PURSE.md writes it);
a balance is what came in less what went out, so all balances of an asset add up to nought. Amounts are whole numbers:
fen for money, ml for fuel.
"""

from station.ledger.accounts import (
    alarm_fuel,
    cash,
    delivery,
    gateway,
    inflight,
    pending,
    purse,
    receivable,
    sales,
    sold,
    tank,
    tested,
)
from station.ledger.book import (
    FEN,
    ML,
    Entry,
    KeyReusedError,
    Transfer,
    balance,
    balances,
    post,
    post_many,
    posted,
    posted_by_prefix,
    rebuild,
    reverse,
    total,
)
from station.ledger.chart import class_of
from station.ledger.check import Finding, verify, zero_sums
from station.ledger.periods import (
    Line,
    Move,
    Period,
    PeriodError,
    close,
    periods,
    statement,
    trial_balance,
)

__all__ = [
    "FEN",
    "ML",
    "Entry",
    "Finding",
    "KeyReusedError",
    "Line",
    "Move",
    "Period",
    "PeriodError",
    "Transfer",
    "alarm_fuel",
    "balance",
    "balances",
    "cash",
    "class_of",
    "close",
    "delivery",
    "gateway",
    "inflight",
    "pending",
    "periods",
    "post",
    "post_many",
    "posted",
    "posted_by_prefix",
    "purse",
    "rebuild",
    "reverse",
    "receivable",
    "sales",
    "sold",
    "statement",
    "tank",
    "tested",
    "total",
    "trial_balance",
    "verify",
    "zero_sums",
]
