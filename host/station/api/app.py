"""The FastAPI application: API, and the staff's pages mounted beside it. One engine, one live board."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware

from station.api import books, cards, fleets, login, network, payments, people, routes, supervision, till_office, tills
from station.api.guard import Guard
from station.api.refusals import RESPONSES
from station.forecourt import LiveBoard
from station.mqtt.live import LiveSubscriber
from station.platform import database
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets
from station.platform.settings import Settings, is_loopback

API = "/api/v1"
# Modules with router(settings, engine, secrets) -> APIRouter, one for each field.
FIELDS: tuple[Any, ...] = (books, cards, supervision, people, network, payments, fleets, tills, till_office)


def create_app(settings: Settings, *, board: LiveBoard | None = None, dashboard: bool = True) -> FastAPI:
    """The application. board: given by tests; else it is fed from the broker. dashboard: mount the staff's pages."""
    engine = database.open_engine(database.url_for(settings))
    live = board or LiveBoard()
    secrets = Secrets.load(settings.secrets_path)
    subscriber = LiveSubscriber(settings, secrets, live) if board is None else None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if subscriber:
            subscriber.start()
        yield
        if subscriber:
            subscriber.stop()
        engine.dispose()

    app = FastAPI(
        title="Pumpside",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=RESPONSES,
    )
    # A page elsewhere must not reach a loopback service by a name of its own (DNS rebinding).
    hosts = ["127.0.0.1", "localhost", "[::1]", "testserver"] if is_loopback(settings.http_host) else ["*"]
    app.add_middleware(Guard, engine=engine, asks=settings.staff_auth)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts)
    app.middleware("http")(_headers)
    app.add_exception_handler(ValueError, _refused)
    app.add_exception_handler(OverflowError, _refused)  # a number beyond what the database holds
    app.include_router(login.router(engine, Sealer(secrets.data_keys)))
    app.include_router(payments.callbacks(settings, engine))
    app.include_router(routes.router(settings, engine, live), prefix=API)
    for field in FIELDS:
        app.include_router(field.router(settings, engine, secrets), prefix=API)
    if dashboard:
        from station.dashboard import Office, mount

        mount(app, Office(settings, secrets, engine), live)
    return app


async def _headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


async def _refused(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=422)
