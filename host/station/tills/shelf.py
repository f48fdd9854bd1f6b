"""Shop goods: a short list with prices; how many are on the shelf is a sum of postings in pieces (I8)."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from station import ledger
from station.ledger import PIECES, Transfer
from station.platform import audit
from station.tills import tables
from station.tills.errors import TillError

MOST_PIECES = 100_000


@dataclass(frozen=True, slots=True)
class Good:
    """price_fen: of a piece; stock: pieces on the shelf by the books."""

    code: str
    name: str
    price_fen: int
    active: bool
    stock: int


def put_good(conn: Connection, code: str, name: str, price_fen: int, by: str, now: int, *, active: bool = True) -> Good:
    """New goods, or another name or price from now on. code: what is typed or scanned. TillError."""
    code, name = code.strip(), name.strip()
    if not (code.isascii() and code.isalnum() and len(code) <= 20) or not name or price_fen <= 0:
        raise TillError(
            "商品须有编码（20 位以内字母数字）、名称和大于零的价格 "
            "goods need a code of at most 20 letters and digits, a name and a price above nought"
        )
    g = tables.goods
    old = conn.execute(select(g).where(g.c.code == code)).first()
    new = {"name": name, "price_fen": price_fen, "active": int(active)}
    if old is None:
        conn.execute(insert(g), {"code": code, **new})
    else:
        conn.execute(update(g).where(g.c.code == code).values(**new))
    before = {} if old is None else {"name": old.name, "price_fen": old.price_fen, "active": old.active}
    audit.record(conn, now, by, "goods.put", f"goods {code}", before, new)
    return good(conn, code)


def good(conn: Connection, code: str) -> Good:
    """One of the list. TillError."""
    found = next(iter(_listed(conn, code.strip())), None)
    if found is None:
        raise TillError(f"没有这个商品编码 there are no goods with this code: {code}")
    return found


def goods(conn: Connection) -> list[Good]:
    """The whole list by code."""
    return _listed(conn, None)


def receive(conn: Connection, code: str, pieces: int, key: str, by: str, now: int) -> Good:
    """Pieces came in. key: a name of this delivery that is never used twice. TillError."""
    known = good(conn, code)
    if not 0 < pieces <= MOST_PIECES:
        raise TillError("数量不合理 the number of pieces makes no sense")
    line = Transfer(ledger.shop_received(known.code), ledger.shop(known.code), pieces, PIECES)
    if ledger.post(conn, f"goods-in:{key}", now, [line]):
        new = {"stock": known.stock + pieces}
        audit.record(conn, now, by, "goods.receive", f"goods {known.code}", {"stock": known.stock}, new)
    return good(conn, code)


def count_stock(conn: Connection, code: str, pieces: int, key: str, by: str, why: str, now: int) -> Good:
    """A stocktake: what is really there becomes the stock, the difference stays readable. TillError."""
    known = good(conn, code)
    if not 0 <= pieces <= MOST_PIECES:
        raise TillError("数量不合理 the number of pieces makes no sense")
    missing = known.stock - pieces
    shelf, gone = ledger.shop(known.code), ledger.shop_counted(known.code)
    if missing:
        line = Transfer(shelf, gone, missing, PIECES) if missing > 0 else Transfer(gone, shelf, -missing, PIECES)
        ledger.post(conn, f"goods-count:{key}", now, [line])
        old, new = {"stock": known.stock}, {"stock": pieces}
        audit.record(conn, now, by, "goods.count", f"goods {known.code}", old, new, why)
    return good(conn, code)


def _listed(conn: Connection, code: str | None) -> list[Good]:
    query = select(tables.goods).order_by(tables.goods.c.code)
    rows = conn.execute(query if code is None else query.where(tables.goods.c.code == code)).all()
    stock = ledger.balances(conn, "shop:", PIECES)
    return [Good(r.code, r.name, r.price_fen, bool(r.active), stock.get(ledger.shop(r.code), 0)) for r in rows]
