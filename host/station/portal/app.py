"""The public page of receipts as an ASGI application: GET /R/<text>, and GET / to type one."""

import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from station import forecourt, sales
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.portal import pages

LOOKS, WINDOW_S = 30, 60.0  # for each address
MOST_ADDRESSES = 10_000
LONGEST = 120  # characters of an address or text that is looked at
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src {pages.STYLE_HASH}; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


class Looks:
    """How often each address may look; memory is bounded, the longest unseen address is forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()  # address -> (window's begin, looks in it)

    def allow(self, address: str) -> bool:
        now = self._clock()
        began, count = self._seen.pop(address, (now, 0))
        if now - began >= WINDOW_S:
            began, count = now, 0
        self._seen[address] = (began, count + 1)
        while len(self._seen) > MOST_ADDRESSES:
            self._seen.popitem(last=False)
        return count < LOOKS


def create_app(settings: Settings, looks: Looks | None = None) -> FastAPI:
    """Reads the station's database; writes nothing. SecretsError, DatabaseError if they cannot be opened."""
    engine = database.open_engine(database.url_for(settings))
    secrets = Secrets.load(settings.secrets_path)
    limit = looks or Looks()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(title="Pumpside receipts", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)

    def page(content: str, status: int = 200) -> HTMLResponse:
        return HTMLResponse(content, status, headers=_HEADERS)

    def refused(request: Request) -> HTMLResponse | None:
        address = request.client.host if request.client else ""
        return None if limit.allow(address) else page(pages.too_often(), 429)

    # Plain functions: the framework runs them beside its loop, so that a slow database holds nobody up.
    @app.get("/R/{text}")
    @app.get("/r/{text}")
    def receipt(request: Request, text: str) -> HTMLResponse:
        if (no := refused(request)) is not None:
            return no
        shown = sales.read_receipt(text, secrets) if len(text) <= LONGEST else None
        if shown is None:
            return page(pages.no_receipt(text[:LONGEST]), 404)
        if not shown.genuine:
            return page(pages.forged(), 404)
        with database.read(engine) as conn:
            books = sales.in_the_books(conn, shown)
            pump = forecourt.pump_of_device(conn, shown.device)
        return page(pages.receipt(shown, books, pump.pump if pump else ""))

    @app.get("/", response_model=None)
    def ask(request: Request, text: str = "") -> Response:
        if (no := refused(request)) is not None:
            return no
        typed = text.strip()[:LONGEST].rsplit("/", 1)[-1].upper()
        if typed.isascii() and typed.isalnum():
            return RedirectResponse(f"/R/{typed}", 303, headers=_HEADERS)
        return page(pages.form(text[:LONGEST]))

    return app
