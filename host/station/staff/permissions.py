"""Who may do what: roles and the actions they hold (X3). One table, so that it can be read, shown and tested whole."""

from collections.abc import Mapping

# Actions. A route, a page and a command each name the one they need.
VIEW = "view"  # forecourt, sales, tanks, prices, alarms
CARD_VIEW = "card.view"  # cards, their holders and history
CARD_ISSUE = "card.issue"
CARD_LOAD = "card.load"
CARD_BLOCK = "card.block"  # lost and found
CARD_REFUND = "card.refund"
TILL = "till"  # shop sales, tenders, own shift
SHIFT_CLOSE = "shift.close"
PRICE_SET = "price.set"
PUMP_COMMAND = "pump.command"  # stop, lock
PUMP_UNLOCK = "pump.unlock"
TANK_BOOK = "tank.book"  # deliveries and dips
DECIDE = "decide"  # quarantine, unfinished sales, differences
APPROVE = "approve"  # the second person above a cap
ACCOUNT_EDIT = "account.edit"  # fleets, companies, credit lines
REFUND_APPROVE = "refund.approve"
BOOKS_VIEW = "books.view"  # ledger, trial balance, reports, reconciliation
BOOKS_CLOSE = "books.close"
RISK_REVIEW = "risk.review"
RISK_RULES = "risk.rules"
AUDIT_VIEW = "audit.view"
STAFF_EDIT = "staff.edit"
SETTINGS_EDIT = "settings.edit"
UPDATE = "update"  # software of pumps

ACTIONS = frozenset(
    value for name, value in dict(globals()).items() if name.isupper() and isinstance(value, str) and name != "ACTIONS"
)

_CASHIER = {VIEW, CARD_VIEW, CARD_ISSUE, CARD_LOAD, CARD_BLOCK, CARD_REFUND, TILL}
_LEADER = _CASHIER | {SHIFT_CLOSE, PUMP_COMMAND, PUMP_UNLOCK, TANK_BOOK, APPROVE}
_MANAGER = _LEADER | {
    PRICE_SET, DECIDE, ACCOUNT_EDIT, REFUND_APPROVE, BOOKS_VIEW, RISK_REVIEW, AUDIT_VIEW,
}  # fmt: skip

# Nobody both moves money and makes people: the administrator touches no money, the accountant no pumps.
ROLES: Mapping[str, frozenset[str]] = {
    "attendant": frozenset({VIEW, PUMP_COMMAND}),
    "cashier": frozenset(_CASHIER),
    "leader": frozenset(_LEADER),
    "manager": frozenset(_MANAGER),
    "accountant": frozenset({VIEW, CARD_VIEW, BOOKS_VIEW, BOOKS_CLOSE, REFUND_APPROVE, ACCOUNT_EDIT, RISK_REVIEW}),
    "auditor": frozenset({VIEW, CARD_VIEW, BOOKS_VIEW, AUDIT_VIEW}),
    "admin": frozenset({VIEW, STAFF_EDIT, SETTINGS_EDIT, UPDATE, RISK_RULES, AUDIT_VIEW}),
}

# Without log-in the pages stay on the loopback interface: who sits at the machine may do everything.
LOCAL_ROLE = "local"

# Roles whose password alone is not enough (X4).
SECOND_FACTOR = frozenset({"manager", "accountant", "admin"})

# Pages by their beginning; every other page needs `view`.
PAGES = (
    ("/payments/statement", BOOKS_VIEW),
    ("/payments", CARD_VIEW),
    ("/cards/issue", CARD_ISSUE),
    ("/cards/replace", CARD_ISSUE),
    ("/cards/limits", CARD_ISSUE),
    ("/cards/load", CARD_LOAD),
    ("/cards/refund", CARD_REFUND),
    ("/cards/lost", CARD_BLOCK),
    ("/cards", CARD_VIEW),
    ("/till/day", SHIFT_CLOSE),
    ("/till", TILL),
    ("/accounts", ACCOUNT_EDIT),
    ("/fleets", ACCOUNT_EDIT),
    ("/quarantine", DECIDE),
    ("/updates", UPDATE),
    ("/bench", SETTINGS_EDIT),
    ("/staff", STAFF_EDIT),
    ("/audit", AUDIT_VIEW),
    ("/books/periods", BOOKS_CLOSE),
    ("/books", BOOKS_VIEW),
    ("/risk/rules", RISK_RULES),
    ("/risk", RISK_REVIEW),
    ("/parameters", SETTINGS_EDIT),
)


def for_page(path: str) -> str:
    """The action that a page of the dashboard needs."""
    return next((action for start, action in PAGES if path.startswith(start)), VIEW)


def allows(role: str, action: str) -> bool:
    """True if the role holds the action. KeyError for an action that does not exist: that is a programming error."""
    if action not in ACTIONS:
        raise KeyError(action)
    return role == LOCAL_ROLE or action in ROLES.get(role, frozenset())
