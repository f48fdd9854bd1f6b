"""Names of accounts. A name is `kind:which`; these functions are the only place that spells them."""


def purse(card_no: str) -> str:
    """The host's shadow of a card's purse, fen."""
    return f"purse:{card_no}"


def inflight(card_no: str) -> str:
    """Money reserved on a card for a running or unsettled sale, fen."""
    return f"inflight:{card_no}"


def pending(card_no: str) -> str:
    """Money paid in that is not on the card yet, fen."""
    return f"pending:{card_no}"


def sales(grade: int) -> str:
    """Fuel sold, fen."""
    return f"sales:{grade}"


def cash(drawer: str) -> str:
    """A cash drawer, fen: below nought by what was paid in (it is an asset, the others are owed)."""
    return f"cash:{drawer}"


def gateway(name: str) -> str:
    """Money paid in through a bank or payment gateway, fen; as cash."""
    return f"gateway:{name}"


def capital(owner: str) -> str:
    """What an owner put into the safe, fen."""
    return f"capital:{owner}"


def bill(number: int) -> str:
    """Paid in for a till's bill that is not closed yet, fen: nought once it is."""
    return f"bill:{number}"


def goods(code: str) -> str:
    """Shop goods sold, fen."""
    return f"goods:{code}"


def returns(what: str) -> str:
    """Money given back for fuel (`grade:1`) or goods (their code), fen: below nought, beside what was sold."""
    return f"returns:{what}"


def over_short(drawer: str) -> str:
    """What a drawer was counted above (or, below nought, short of) the books, fen."""
    return f"over_short:{drawer}"


def shop(code: str) -> str:
    """Goods on the shelf, pieces."""
    return f"shop:{code}"


def shop_received(code: str) -> str:
    """Goods that came in, pieces: below nought by what came."""
    return f"shop_received:{code}"


def shop_sold(code: str) -> str:
    """Goods sold, pieces."""
    return f"shop_sold:{code}"


def shop_counted(code: str) -> str:
    """Goods that a stocktake found missing (above nought) or too many, pieces."""
    return f"shop_counted:{code}"


def receivable(account: int) -> str:
    """What an account (a fleet, say) owes for fuel, fen: below nought by what is owed, as cash; above: paid ahead."""
    return f"receivable:{account}"


def tank(grade: int) -> str:
    """Book stock of a grade, ml."""
    return f"tank:{grade}"


def sold(grade: int) -> str:
    """Fuel sold, ml."""
    return f"sold:{grade}"


def delivery(grade: int) -> str:
    """Fuel delivered or found at opening, ml: below nought by what came."""
    return f"delivery:{grade}"


def tested(grade: int) -> str:
    """Fuel drawn for a test and not returned yet, ml: nought, because a test measure's return is posted with it."""
    return f"tested:{grade}"


def alarm_fuel(grade: int) -> str:
    """Fuel that left outside any sale and was alarmed, ml."""
    return f"alarmed:{grade}"
