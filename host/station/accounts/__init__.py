"""Accounts: fleets and other customers who buy on account. What other fields and the faces may use is named here.

Money is fen; an account's number stands on its cards as their company.
"""

from station.accounts import tables as tables
from station.accounts.leases import (
    Grant,
    Heard,
    Lease,
    Question,
    account_of,
    authorise,
    count,
    follow,
    give_up,
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
    listing,
    open_account,
    pay,
    set_state,
)

__all__ = [
    "ACTIVE",
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
    "lease",
    "leases",
    "listing",
    "open_account",
    "pay",
    "set_state",
    "verify",
]
