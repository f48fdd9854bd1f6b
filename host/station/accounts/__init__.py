"""Accounts: fleets and other customers who buy on account. What other fields and the faces may use is named here.

Money is fen; an account's number stands on its cards as their company.
"""

from station.accounts import tables as tables
from station.accounts.leases import (
    LEAST_FEN,
    Grant,
    Heard,
    Lease,
    Question,
    account_of,
    authorise,
    count,
    follow,
    give_up,
    granted,
    lease,
    verify,
)
from station.accounts.leases import listing as leases
from station.accounts.registry import (
    ACTIVE,
    STOPPED,
    Account,
    AccountError,
    Terms,
    account,
    change,
    lent_fen,
    listing,
    open_account,
    pay,
    set_state,
)

__all__ = [
    "ACTIVE",
    "LEAST_FEN",
    "STOPPED",
    "Account",
    "AccountError",
    "Grant",
    "Heard",
    "Lease",
    "Question",
    "Terms",
    "account",
    "account_of",
    "authorise",
    "change",
    "count",
    "follow",
    "give_up",
    "granted",
    "lease",
    "leases",
    "lent_fen",
    "listing",
    "open_account",
    "pay",
    "set_state",
    "verify",
]
