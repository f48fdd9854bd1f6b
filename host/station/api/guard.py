"""The door: nothing of the station is served to a stranger, over HTTP or WebSocket (X3, X4).

Without `staff_auth` the pages stay on the loopback interface and whoever sits at the machine is let in as `local`.
With it a session cookie (pages) or a bearer token (programs) is wanted; what a page needs stands with the permissions,
what an API route needs is said by needs(). Requests that change something and come with a cookie must come from our own
pages: the Origin is compared (OWASP, Cross-Site Request Forgery Prevention), the cookie is SameSite=Strict besides.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

from fastapi import HTTPException, Request
from sqlalchemy import Engine
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from station import network, staff, texts
from station.platform import clock, database
from station.staff import LOCAL, Person
from station.staff import permissions as may

COOKIE = "ps_session"
# What anyone may ask: the log-in itself, receipts that prove themselves, files without content of ours, head office.
OPEN = (
    "/login", "/logout", "/static/", "/_nicegui/", "/receipt", "/favicon.ico", "/api/v1/health",
    "/api/v1/network/exchange",  # its credential is the station's token
    "/pay/notify/",  # payment gateways, whose signature is the credential
)  # fmt: skip
# Pages that show someone's part of the stations only; who sees a part is let in nowhere else.
SCOPED = ("/network",)
_SAFE = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware; puts person, scope and session (its token) into request.state."""

    def __init__(self, app: ASGIApp, engine: Engine, asks: bool) -> None:
        """asks: settings.staff_auth."""
        self.app, self.engine, self.asks = app, engine, asks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if not self.asks:
            scope.setdefault("state", {})["person"] = LOCAL
            await self.app(scope, receive, send)
            return
        refusal = self._look(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _look(self, scope: Scope) -> Response | None:
        """None: let in."""
        path, headers = scope["path"], Headers(scope=scope)
        if path.startswith(OPEN):
            return None
        bearer = headers.get("authorization", "").partition("Bearer ")[2]
        cookie = _cookies(headers).get(COOKIE, "")
        person = self._who(bearer or cookie)
        if person is None:
            return _stranger(scope, path, headers)
        if not bearer and scope.get("method") not in _SAFE and not _ours(headers, scope["type"] == "websocket"):
            return JSONResponse({"detail": "请求来源不符 the request comes from another site"}, status_code=403)
        if not path.startswith("/api/") and not person.may(may.for_page(path)):
            return _forbidden(headers)
        seen = self._scope(person)
        if seen is not None and not path.startswith(("/api/", *SCOPED)):
            return RedirectResponse(SCOPED[0], status_code=303) if path == "/" else _forbidden(headers)
        scope.setdefault("state", {}).update(person=person, scope=seen, session=bearer or cookie)
        return None

    def _scope(self, person: Person) -> frozenset[str] | None:
        """The stations this person sees; None: all (O7)."""
        with database.read(self.engine) as conn:
            return network.scope_of(conn, person.name)

    def _who(self, token: str) -> Person | None:
        if not token:
            return None
        now = clock.now()
        with database.read(self.engine) as conn:
            person = staff.who(conn, token, now)
            old = person is not None and staff.is_stale(conn, token, now)
        if old:
            with database.write(self.engine) as conn:
                staff.seen(conn, token, now)
        return person


def needs(action: str, *, scoped: bool = False) -> Callable[[Request], Awaitable[Person]]:
    """A route's dependency: the person, if their role holds the action; 403 otherwise.

    scoped: the route shows no more than the person's part of the stations (stations_seen); to any other route people
    who see a part only are not let in, so that a new route cannot forget it.
    """
    if action not in may.ACTIONS:
        raise KeyError(action)

    async def allowed(request: Request) -> Person:
        person: Person | None = getattr(request.state, "person", None)
        if person is None:
            raise HTTPException(401, "请先登录 log in first")
        if not person.may(action):
            raise HTTPException(403, f"您的角色无此权限 your role may not: {action}")
        if not scoped and stations_seen(request) is not None:
            raise HTTPException(403, "此处超出您所管的站 this goes beyond your stations")
        return person

    allowed.action = action  # type: ignore[attr-defined]  # read by the test of the role x action matrix
    return allowed


def stations_seen(request: Request) -> frozenset[str] | None:
    """The stations that whoever asks may see; None: all."""
    found: frozenset[str] | None = getattr(request.state, "scope", None)
    return found


def _stranger(scope: Scope, path: str, headers: Headers) -> Response:
    wants_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
    if wants_page and not path.startswith("/api/"):
        return RedirectResponse(f"/login?next={quote(path)}", status_code=303)
    return JSONResponse({"detail": "请先登录 log in first"}, status_code=401, headers={"WWW-Authenticate": "Bearer"})


def _forbidden(headers: Headers) -> Response:
    lang = texts.language_of(_cookies(headers))
    return Response(texts.text("login.forbidden", lang), status_code=403, media_type="text/plain; charset=utf-8")


def _ours(headers: Headers, websocket: bool) -> bool:
    """True if the browser says that the request comes from a page of ours."""
    origin = headers.get("origin", "")
    return urlsplit(origin).netloc == headers.get("host", "") if origin else not websocket


def _cookies(headers: Headers) -> dict[str, str]:
    """As Starlette's requests read them."""
    return cookie_parser(headers.get("cookie", ""))
