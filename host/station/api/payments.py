"""Payments over the API, and the door for the gateways' callbacks."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine
from starlette.concurrency import run_in_threadpool

from station import cards, payments, texts
from station.api import commands
from station.api.guard import needs
from station.platform import clock, database, parameters, sheets
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

CALLBACKS = "/pay/notify/"
Fen = Annotated[int, Field(gt=0, le=10_000_000, examples=[20_000], description="分 · fen")]
Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
State = Annotated[str, Query(pattern="^(|made|paid|closed|failed|waiting)$", description="waiting: paid, not placed")]
Till = Annotated[Person, Depends(needs(may.TILL))]
Refunder = Annotated[Person, Depends(needs(may.REFUND_APPROVE))]
Accountant = Annotated[Person, Depends(needs(may.BOOKS_VIEW))]


class PaymentBody(BaseModel):
    """What to ask a customer for."""

    gateway: Annotated[str, Field(max_length=32, examples=["wechat"])]
    purpose: Annotated[str, Field(max_length=64, examples=["load:6200000100000012"])]
    amount_fen: Fen


class PaymentAnswer(BaseModel):
    """A payment. state: made, paid, closed, failed; code: the QR code's text; waits: why paid money is not placed."""

    order_no: Annotated[str, Field(examples=["P2611222103059f3a61c07b"])]
    purpose: Annotated[str, Field(examples=["load:6200000100000012"])]
    amount_fen: Annotated[int, Field(examples=[20_000])]
    gateway: Annotated[str, Field(examples=["wechat"])]
    state: Annotated[str, Field(examples=["paid"])]
    code: Annotated[str, Field(examples=["weixin://wxpay/bizpayurl?pr=p4lpSuKzz"])]
    trade_no: Annotated[str, Field(examples=["4200020261122123456789012"])]
    by: Annotated[str, Field(examples=["wang"])]
    made_at: Annotated[int, Field(examples=[1_795_000_000])]
    until: Annotated[int, Field(examples=[1_795_000_900])]
    paid_at: Annotated[int | None, Field(examples=[1_795_000_060])]
    applied_at: Annotated[int | None, Field(examples=[1_795_000_060])]
    waits: Annotated[str, Field(examples=[""])]


class RefundBody(BaseModel):
    """Give back what came in and was not placed; above the cap with a second person."""

    amount_fen: Fen
    why: Annotated[str, Field(min_length=1, max_length=200, examples=["顾客付了两次"])]
    second: Annotated[str, Field(max_length=64, examples=[""])] = ""
    second_password: Annotated[str, Field(max_length=200, examples=[""])] = ""
    second_code: Annotated[str, Field(max_length=8, examples=[""])] = ""


class RefundAnswer(BaseModel):
    """A refund. state: asked, done, failed."""

    refund_no: Annotated[str, Field(examples=["R2611222103059f3a61c07b"])]
    order_no: Annotated[str, Field(examples=["P2611222103059f3a61c07b"])]
    amount_fen: Annotated[int, Field(examples=[20_000])]
    state: Annotated[str, Field(examples=["asked"])]
    trade_no: Annotated[str, Field(examples=["50300806042026112212345678"])]
    by: Annotated[str, Field(examples=["chen"])]
    why: Annotated[str, Field(examples=["顾客付了两次"])]
    asked_at: Annotated[int, Field(examples=[1_795_000_000])]
    done_at: Annotated[int | None, Field(examples=[1_795_000_003])]


class PaymentsAnswer(BaseModel):
    """A page of payments."""

    total: Annotated[int, Field(examples=[1])]
    rows: list[PaymentAnswer]


class EventAnswer(BaseModel):
    """Something that happened to a payment."""

    at: Annotated[int, Field(examples=[1_795_000_060])]
    event: Annotated[str, Field(examples=["paid"])]
    by: Annotated[str, Field(examples=["gateway:wechat"])]
    detail: Annotated[str, Field(examples=["4200020261122123456789012"])]


class PaymentDetail(BaseModel):
    """A payment with what happened to it and its refunds."""

    payment: PaymentAnswer
    events: list[EventAnswer]
    refunds: list[RefundAnswer]


class GatewayAnswer(BaseModel):
    """A gateway of this station; fault: what is wrong with its settings."""

    gateway: Annotated[str, Field(examples=["wechat"])]
    zh: Annotated[str, Field(examples=["微信支付"])]
    en: Annotated[str, Field(examples=["WeChat Pay"])]
    fault: Annotated[str, Field(examples=[""])]


class StatementBody(BaseModel):
    """Which day's statement to fetch and compare; China's day, over by now."""

    gateway: Annotated[str, Field(max_length=32, examples=["wechat"])]
    day: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-11-21"])]


class DifferenceAnswer(BaseModel):
    """kind: missing_here, missing_there, amount, twice; no refund_no: the payment itself."""

    kind: Annotated[str, Field(examples=["missing_here"])]
    order_no: Annotated[str, Field(examples=["P2611222103059f3a61c07b"])]
    refund_no: Annotated[str, Field(examples=[""])]
    ours_fen: Annotated[int, Field(examples=[0])]
    theirs_fen: Annotated[int, Field(examples=[20_000])]


class ReportAnswer(BaseModel):
    """A statement as it was compared; sums in fen, refunds below nought."""

    id: Annotated[int, Field(examples=[1])]
    gateway: Annotated[str, Field(examples=["wechat"])]
    day: Annotated[str, Field(examples=["2026-11-21"])]
    at: Annotated[int, Field(examples=[1_795_000_000])]
    by: Annotated[str, Field(examples=["station"])]
    matched: Annotated[int, Field(examples=[42])]
    ours_fen: Annotated[int, Field(examples=[840_000])]
    theirs_fen: Annotated[int, Field(examples=[860_000])]
    differences: list[DifferenceAnswer]


def router(settings: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database. While the application runs, open payments are asked for in the background."""
    known = payments.gateways(settings.data_dir)

    @asynccontextmanager
    async def watching(_: FastAPI) -> AsyncIterator[None]:
        if not known.ready:
            yield
            return
        with payments.Watch(engine, known.ready):
            yield

    routes = APIRouter(lifespan=watching, tags=["payments"])

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    def found(conn: Connection, order_no: str) -> payments.Payment:
        one = payments.payment(conn, order_no)
        if one is None:
            raise HTTPException(404, "没有这笔付款 there is no such payment")
        return one

    @routes.get("/gateways", response_model=list[GatewayAnswer], dependencies=[Depends(needs(may.VIEW))])
    def gateways() -> Any:
        """The gateways of this station; `fault` says what is wrong with the settings of one."""
        good = {name: (*one.title, "") for name, one in known.ready.items()}
        bad = {name: (name, name, why) for name, why in known.faults.items()}
        return [{"gateway": name, "zh": zh, "en": en, "fault": why} for name, (zh, en, why) in {**good, **bad}.items()]

    @routes.get("/payments", response_model=PaymentsAnswer, dependencies=[Depends(needs(may.CARD_VIEW))])
    def listing(
        conn: Conn,
        limit: Limit = 50,
        offset: Offset = 0,
        state: State = "",
        search: Annotated[str, Query(max_length=64)] = "",
    ) -> Any:
        """Payments, newest first; search: an order or trade number, or part of a purpose."""
        rows = payments.listing(conn, limit, offset, state=state, search=search)
        total = payments.count(conn, state=state, search=search)
        return {"total": total, "rows": [asdict(row) for row in rows]}

    @routes.post("/payments", response_model=PaymentAnswer, status_code=201)
    def make(body: PaymentBody, key: commands.Key, person: Till) -> Any:
        """Asks a customer for money; the answer's `code` goes into a QR code. 502: the gateway did not answer; the
        payment stands and gets its code later, or by the same request again."""
        if body.gateway not in known.ready:
            raise HTTPException(422, "本站没有这个支付渠道 this station has no such gateway")

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = payments.make(conn, body.gateway, body.purpose, body.amount_fen, person.name, now)
            return {"order_no": made.order_no}

        made = commands.run(engine, key, "/payments", body, do)
        try:
            return asdict(payments.present(engine, known.ready, made["order_no"], clock.now()))
        except payments.GatewayError as error:
            raise HTTPException(502, str(error)) from None

    @routes.get("/payments/{order_no}", response_model=PaymentDetail, dependencies=[Depends(needs(may.CARD_VIEW))])
    def one(conn: Conn, order_no: str) -> Any:
        """A payment with what happened to it and its refunds."""
        return {
            "payment": asdict(found(conn, order_no)),
            "events": [asdict(event) for event in payments.events(conn, order_no)],
            "refunds": [asdict(refund) for refund in payments.of_payment(conn, order_no)],
        }

    @routes.post("/payments/{order_no}/look", response_model=PaymentAnswer, dependencies=[Depends(needs(may.TILL))])
    def look(order_no: str, call_off: bool = False) -> Any:
        """Asks the gateway now how a payment stands. call_off: nobody shall pay it any more."""
        try:
            return asdict(payments.look(engine, known.ready, order_no, clock.now(), call_off))
        except payments.GatewayError as error:
            raise HTTPException(502, str(error)) from None

    @routes.post("/payments/{order_no}/refunds", response_model=RefundAnswer, status_code=201)
    def refund(order_no: str, body: RefundBody, key: commands.Key, person: Refunder) -> Any:
        """Gives back through the gateway what came in and was not placed. What was placed is refunded where it went:
        at the card desk, at the till."""
        with database.read(engine) as conn:
            found(conn, order_no)
            cap_fen = parameters.value(conn, "cap.refund")
        second = cards.Second(body.second, body.second_password, body.second_code)
        asked = (engine, secrets, person.name, second, body.amount_fen, cap_fen, f"refund {order_no}", clock.now())
        cards.cleared(*asked)
        hidden = body.model_copy(update={"second_password": "", "second_code": ""})

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(payments.refund(conn, order_no, body.amount_fen, None, person.name, body.why, now))

        return commands.run(engine, key, f"/payments/{order_no}/refunds", hidden, do)

    @routes.get("/payment-statements", response_model=list[ReportAnswer], dependencies=[Depends(needs(may.BOOKS_VIEW))])
    def reports(conn: Conn, limit: Limit = 50, offset: Offset = 0) -> Any:
        """The gateways' statements as they were compared with our payments, newest first."""
        return [asdict(one) for one in payments.reports(conn, limit, offset)]

    view = [Depends(needs(may.BOOKS_VIEW))]

    @routes.get("/payment-statements/{number}/differences.csv", dependencies=view, response_class=Response)
    def differences(conn: Conn, number: int, request: Request) -> Response:
        """The differences of one comparison as CSV, in the language of the pages."""
        try:
            found = payments.report(conn, number)
        except KeyError:
            raise HTTPException(404, "没有这次核对 there is no such comparison") from None
        name = f"{found.gateway}-{found.day}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        text = _csv(found, texts.language_of(request.cookies))
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @routes.post("/payment-statements", response_model=ReportAnswer, status_code=201)
    def reconcile(body: StatementBody, person: Accountant) -> Any:
        """Fetches a day's statement and compares it; every comparison is kept."""
        if body.gateway not in known.ready:
            raise HTTPException(422, "本站没有这个支付渠道 this station has no such gateway")
        try:
            gateway = known.ready[body.gateway]
            return asdict(payments.fetch(engine, gateway, body.day, person.name, clock.now()))
        except payments.GatewayError as error:
            raise HTTPException(502, str(error)) from None

    return routes


def _csv(report: payments.Report, lang: str) -> str:
    heads = ("payments.differ.kind", "payments.order", "payments.refund.number", "payments.ours", "payments.theirs")
    rows = [
        (
            texts.text(f"payments.differ.{one.kind}", lang), sheets.inert(one.order_no), sheets.inert(one.refund_no),
            sheets.yuan(one.ours_fen), sheets.yuan(one.theirs_fen),
        )
        for one in report.differences
    ]  # fmt: skip
    return sheets.written([texts.text(head, lang) for head in heads], rows)


def callbacks(settings: Settings, engine: Engine) -> APIRouter:
    """Where gateways report: no session, the signature is the credential; a body that is too long is not read."""
    routes = APIRouter(include_in_schema=False)
    ready = payments.gateways(settings.data_dir).ready

    @routes.post(CALLBACKS + "{name}")
    async def notify(name: str, request: Request) -> Response:
        gateway = ready.get(name)
        if gateway is None:
            raise HTTPException(404, "no such gateway")
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > payments.LONGEST_BODY:
                raise HTTPException(413, "too long")
        headers = {key.lower(): value for key, value in request.headers.items()}
        reply = await run_in_threadpool(payments.receive, engine, gateway, headers, body, clock.now())
        return Response(reply.body, reply.status, media_type=reply.media_type)

    return routes
