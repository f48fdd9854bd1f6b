"""The chart of accounts: which class an account is of, by the kind in its name (Y5).

A balance here is what came in less what went out. Seen from the books of the house: what is owed to others
(liabilities) and what was earned (income) stands above nought, what the house has (assets) and lost (expense) below.
"""

from collections.abc import Mapping

ASSET, LIABILITY, INCOME, EXPENSE, STOCK = "asset", "liability", "income", "expense", "stock"

# kind of account -> class
CLASSES: Mapping[str, str] = {
    "cash": ASSET,
    "gateway": ASSET,
    "receivable": ASSET,
    "due_from": ASSET,  # other stations
    "held": ASSET,  # head office: what stations took in for cards
    "purse": LIABILITY,
    "inflight": LIABILITY,
    "pending": LIABILITY,
    "capital": LIABILITY,  # what the owner put in
    "paid": LIABILITY,  # paid through a gateway, its purpose has not taken it yet
    "bill": LIABILITY,  # paid in for a bill that is not closed yet
    "due_to": LIABILITY,  # other stations, partners
    "points": LIABILITY,
    "pool": LIABILITY,  # a fleet's prepaid money
    "sales": INCOME,
    "goods": INCOME,
    "returns": INCOME,  # given back: below nought
    "breakage": INCOME,  # points that expired
    "over_short": EXPENSE,  # drawers counted above or below
    "rebate": EXPENSE,
    "bonus": EXPENSE,
    "incentive": EXPENSE,
    "owed_staff": LIABILITY,
    "tank": STOCK,
    "sold": STOCK,
    "delivery": STOCK,
    "tested": STOCK,
    "alarmed": STOCK,
    "shop": STOCK,
    "shop_received": STOCK,
    "shop_sold": STOCK,
    "shop_counted": STOCK,
}


def class_of(account: str) -> str:
    """The account's class. KeyError for a kind that is not in the chart: a test sees to it that none is missing."""
    return CLASSES[account.partition(":")[0]]
