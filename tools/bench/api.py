"""The bench's HTTP face: `GET /state`, `/acts`, `/pumps/p1/console`, and a POST for every act (acts.py, dispatch.py).

For this machine only: it listens on loopback, answers only to a loopback Host (no DNS rebinding) and takes only JSON
bodies, which a foreign web page cannot send here without a CORS permission that is never given.
"""

import json
from typing import Any, Protocol

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tools.bench.acts import Act
from tools.bench.dispatch import ROUTES
from tools.bench.refusal import Refused
from tools.bench.state import State

_BODY_LIMIT_BYTES = 10_000


class Doer(Protocol):
    """What the API needs of the world."""

    def do(self, act: Act) -> dict[str, Any]: ...
    def state(self) -> State: ...
    def console(self, pump: str) -> str: ...


def create_app(world: Doer, gateway: FastAPI | None = None) -> FastAPI:
    """gateway: the payment gateway, served below /gateway."""
    app = FastAPI(title="Pumpside bench", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])

    @app.exception_handler(Refused)
    async def refused(_request: Request, why: Exception) -> JSONResponse:
        assert isinstance(why, Refused)
        return JSONResponse({"error": {"zh": why.zh, "en": why.en}}, why.status)

    @app.get("/state")
    async def state() -> Response:
        body = json.dumps(world.state(), ensure_ascii=False, separators=(",", ":"))
        return Response(body, media_type="application/json")

    @app.get("/acts")
    async def acts() -> dict[str, dict[str, Any]]:
        """Every path with the fields of its body."""
        return {
            path: {name: field.kind.__name__ for name, field in fields.items()} for path, (_, fields) in ROUTES.items()
        }

    @app.get("/pumps/{pump}/console")
    async def console(pump: str) -> PlainTextResponse:
        """What the board printed last, for whoever looks for a fault."""
        return PlainTextResponse(world.console(pump))

    if gateway is not None:
        app.mount("/gateway", gateway)

    @app.post("/{path:path}")
    async def act(path: str, request: Request) -> dict[str, Any]:
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise Refused(415, "只接受 JSON", "only JSON is accepted (Content-Type: application/json)")
        raw = await request.body()
        if len(raw) > _BODY_LIMIT_BYTES:
            raise Refused(413, "内容过长", "the body is too long")
        try:
            body = json.loads(raw or b"{}")
        except ValueError:
            raise Refused(400, "JSON 格式有误", "the body is not valid JSON") from None
        if not isinstance(body, dict):
            raise Refused(400, "内容须为 JSON 对象", "the body must be a JSON object")
        return {"ok": True, **await run_in_threadpool(world.do, Act("/" + path, body))}

    return app
