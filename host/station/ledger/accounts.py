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


def paid_in(order_no: str) -> str:
    """What came in by a payment through a gateway and is not where it belongs yet, fen."""
    return f"paid:{order_no}"


def rebate(account: int) -> str:
    """What an account got back by its price agreement, fen: an expense."""
    return f"rebate:{account}"


def paid_from(place: str) -> str:
    """The account behind the words for where money came from: `gateway:` and the name of a bank or payment gateway,
    `paid:` and a payment's order number, `account:` and the number of a fleet's account, else the name of a drawer."""
    kind, _, which = place.partition(":")
    named = {"gateway": gateway, "paid": paid_in, "account": receivable}.get(kind)
    return named(which) if named and which else cash(place)


def bonus(what: str) -> str:
    """What the house gives on loads, fen: below nought by what was given."""
    return f"bonus:{what}"


def incentive(what: str) -> str:
    """What the house promises its staff for their sales (`cards`), fen: below nought by what was promised."""
    return f"incentive:{what}"


def owed_staff(name: str) -> str:
    """What a member of staff has earned by them, fen."""
    return f"owed_staff:{name}"


def place_typed(place: str) -> str:
    """Where money came from as people may say it: a drawer's name, or `gateway:` and a bank's. ValueError for others:
    nobody's account is named as if it were a drawer."""
    named = place.strip().removeprefix("gateway:")
    if not named or ":" in named:
        raise ValueError("款项来自钱箱或 gateway:银行 money comes from a drawer or from gateway:BANK")
    return place.strip()


def receivable(account: int | str) -> str:
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


def due_to(station_no: int) -> str:
    """What this station owes another for fuel its cards took there and for money loaded here, fen."""
    return f"due_to:{station_no}"


def due_from(station_no: int) -> str:
    """What another station owes this one, fen: below nought, as cash."""
    return f"due_from:{station_no}"


def held(station_no: int) -> str:
    """Head office: money for cards that a station took in and holds, fen: below nought, as cash."""
    return f"held:{station_no}"
