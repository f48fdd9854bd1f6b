"""Tills over the API: shifts, goods, bills, payments, cars (Y3, Y9, I8)."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, Engine

from station import tills
from station.api import commands
from station.api.guard import needs
from station.api.till_models import (
    AtHandOut,
    BillBody,
    BillOut,
    Code,
    CountBody,
    FloatBody,
    GoodsBody,
    HandOverBody,
    Name,
    Number,
    PaymentBody,
    PiecesBody,
    SafeBody,
    SafeOut,
    TillBody,
    WhyBody,
    bill_out,
)
from station.platform import clock, database, once
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Cashier = Annotated[Person, Depends(needs(may.TILL))]
Leader = Annotated[Person, Depends(needs(may.SHIFT_CLOSE))]


def router(settings: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(tags=["tills"])

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    def signed(shift: Number, body: CountBody, by: str, key: str) -> str:
        """The second person's name; a command that is asked again was signed the first time."""
        with database.read(engine) as conn:
            if once.seen(conn, key):
                return ""
        proof = body.second.second() if body.second else None
        return tills.count_signed(engine, secrets, shift, body.counted_fen, by, proof, clock.now())

    @routes.get("/tills", dependencies=[Depends(needs(may.TILL))])
    def all_tills(conn: Conn) -> list[tills.Till]:
        """All tills with their open shifts."""
        return tills.tills(conn)

    @routes.post("/tills", response_model=tills.Till)
    def add_till(body: TillBody, key: commands.Key, by: Leader) -> dict[str, Any]:
        """A new till."""
        return commands.run(
            engine, key, "/tills", body, lambda c, now: asdict(tills.add_till(c, body.till, body.title, by.name, now))
        )

    @routes.post("/tills/{till}/shifts", response_model=tills.Shift)
    def open_shift(till: Name, body: FloatBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """Begins a shift with a float out of the safe."""
        path = f"/tills/{till}/shifts"
        return commands.run(
            engine, key, path, body, lambda c, now: asdict(tills.open_shift(c, till, body.float_fen, by.name, now))
        )

    @routes.post("/till-shifts/{shift}/close", response_model=tills.Shift)
    def close_shift(shift: Number, body: CountBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """Ends a shift with the drawer counted; it goes into the safe."""
        second = signed(shift, body, by.name, key)
        return commands.run(
            engine,
            key,
            f"/till-shifts/{shift}/close",
            body,
            lambda c, now: asdict(tills.close_shift(c, shift, body.counted_fen, by.name, now, body.why, second)),
        )

    @routes.post("/till-shifts/{shift}/hand-over", response_model=tills.Shift)
    def hand_over(shift: Number, body: HandOverBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """The counted drawer goes on to another cashier; answers with the new shift."""
        second = signed(shift, body, by.name, key)
        return commands.run(
            engine,
            key,
            f"/till-shifts/{shift}/hand-over",
            body,
            lambda c, now: asdict(tills.hand_over(c, shift, body.counted_fen, body.to, by.name, now, body.why, second)),
        )

    @routes.post("/safe", response_model=SafeOut)
    def safe(body: SafeBody, key: commands.Key, by: Leader) -> dict[str, Any]:
        """Money into the safe, or out of it to the bank."""
        move = tills.take_to_bank if body.to_bank else tills.put_in_safe
        return commands.run(
            engine, key, "/safe", body, lambda c, now: {"fen": move(c, body.amount_fen, key, by.name, body.why, now)}
        )

    @routes.get("/goods", dependencies=[Depends(needs(may.TILL))])
    def goods(conn: Conn) -> list[tills.Good]:
        """Shop goods with their prices and stock."""
        return tills.goods(conn)

    @routes.put("/goods/{code}", response_model=tills.Good)
    def put_goods(code: Code, body: GoodsBody, key: commands.Key, by: Leader) -> dict[str, Any]:
        """New goods, or another name or price."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(tills.put_good(conn, code, body.name, body.price_fen, by.name, now, active=body.active))

        return commands.run(engine, key, f"/goods/{code}", body, do)

    @routes.post("/goods/{code}/received", response_model=tills.Good)
    def received(code: Code, body: PiecesBody, key: commands.Key, by: Leader) -> dict[str, Any]:
        """Pieces came in."""
        path = f"/goods/{code}/received"
        return commands.run(
            engine, key, path, body, lambda c, now: asdict(tills.receive(c, code, body.pieces, key, by.name, now))
        )

    @routes.post("/goods/{code}/counted", response_model=tills.Good)
    def counted(code: Code, body: PiecesBody, key: commands.Key, by: Leader) -> dict[str, Any]:
        """A stocktake: what is there becomes the stock."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(tills.count_stock(conn, code, body.pieces, key, by.name, body.why, now))

        return commands.run(engine, key, f"/goods/{code}/counted", body, do)

    @routes.get("/bills/at-hand", dependencies=[Depends(needs(may.TILL))], response_model=list[AtHandOut])
    def at_hand(conn: Conn) -> list[dict[str, Any]]:
        """The latest fuel that stands on no bill, what is to be paid first."""
        return [asdict(one.sale) | {"due_fen": one.due_fen} for one in tills.at_hand(conn, clock.now())]

    @routes.get("/bills", dependencies=[Depends(needs(may.TILL))], response_model=list[BillOut])
    def bills(conn: Conn, limit: Annotated[int, Query(ge=1, le=500, examples=[50])] = 50) -> list[dict[str, Any]]:
        """The latest bills, newest first."""
        return [bill_out(bill) for bill in tills.bills(conn, limit)]

    @routes.get("/bills/{bill}", dependencies=[Depends(needs(may.TILL))], response_model=BillOut)
    def one_bill(conn: Conn, bill: Number) -> dict[str, Any]:
        """One bill."""
        return bill_out(tills.bill(conn, bill))

    @routes.post("/bills", response_model=BillOut)
    def make_bill(body: BillBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """A bill, paid in full by its payments or left open."""
        wanted, paid = [line.wanted() for line in body.lines], [one.payment() for one in body.payments]

        def do(conn: Connection, now: int) -> dict[str, Any]:
            if paid:
                return bill_out(tills.ring_up(conn, body.till, wanted, paid, by.name, now))
            return bill_out(tills.open_bill(conn, body.till, wanted, by.name, now))

        return commands.run(engine, key, "/bills", body, do)

    @routes.post("/bills/{bill}/payments", response_model=BillOut)
    def pay(bill: Number, body: PaymentBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """Part of a bill, or all that is due."""
        path = f"/bills/{bill}/payments"
        return commands.run(
            engine, key, path, body, lambda c, now: bill_out(tills.pay(c, bill, body.payment(), by.name, now))
        )

    @routes.post("/bills/{bill}/void", response_model=BillOut)
    def void(bill: Number, body: WhyBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """Gives up an open bill."""
        path = f"/bills/{bill}/void"
        return commands.run(
            engine, key, path, body, lambda c, now: bill_out(tills.void(c, bill, by.name, body.why, now))
        )

    @routes.post("/bills/{bill}/release", response_model=BillOut)
    def release(bill: Number, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """A car whose bill is paid may go."""
        path = f"/bills/{bill}/release"
        return commands.run(
            engine, key, path, commands.Nothing(), lambda c, now: bill_out(tills.release(c, bill, by.name, now))
        )

    return routes
